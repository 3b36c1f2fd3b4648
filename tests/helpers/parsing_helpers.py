"""Small parsers, and the slow version of everything they do: one sentence, one pair, one word at a time."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from nltk.tree import Tree
from torch import Tensor, nn

from seqtree import corpora
from seqtree.parsing.config import ParserNetworkConfig
from seqtree.parsing.gold import names_in
from seqtree.parsing.model import Parser
from seqtree.text.batches import SentenceBatch, make_batch
from seqtree.text.lexicon import MAX_WORD_LENGTH, Lexicon
from seqtree.treebank.binary import BinaryTree, binarise
from seqtree.treebank.bracketed import parse_trees


@functools.cache
def toy_trees() -> tuple[Tree, ...]:
    return tuple(tree for tree, _ in parse_trees(corpora.load("toy").splitlines(), "toy.mrg"))


def small_parser(trees: Sequence[BinaryTree] = (), seed: int = 0, noise: float = 0.4, **config: Any) -> Parser:
    """An untrained parser in float64, with noise on its weights so that its scores are far apart."""
    shape = {
        "words": 5,
        "characters": 4,
        "character_embedding": 3,
        "hidden": 4,
        "vector": 6,
        "scorer": 5,
        "dropout": 0.0,
        "word_dropout": 0.0,
        **config,
    }
    trees = trees or [binarise(tree) for tree in toy_trees()[:40]]
    made = Parser.over(*names_in(trees), ParserNetworkConfig(**shape), seed).to()
    made.network.double().products = None
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in made.network.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * noise)
        if made.network.config.characters:  # training leaves it zero: there is nothing beyond a word's ends
            made.network.words.spelling.embedding.weight[-1] = 0.0
    made.network.eval()
    return made


def random_sentences(lexicon: Lexicon, lengths: Sequence[int], seed: int = 0) -> list[list[str]]:
    """Known words, and some that are not, or only in lower case, or long."""
    rng = np.random.default_rng(seed)
    words = [*lexicon.words.tokens[3:], "Zebra", "THE", "Cat", "ab" * MAX_WORD_LENGTH]
    return [[words[i] for i in rng.integers(0, len(words), length)] for length in lengths]


def batch_of(parser: Parser, sentences: Sequence[Sequence[str]]) -> SentenceBatch:
    return make_batch(sentences, [parser.lexicon.encode(words) for words in sentences], parser.lexicon)


@dataclass
class SlowSentence:
    """One sentence as a parser's network sees it, by the formulas, with gradients."""

    parser: Parser
    words: Sequence[str]

    @functools.cached_property
    def states(self) -> Tensor:
        """What the leaves, the fences and the tagger see of each word and of the sentence's two ends: (n + 2, ...)."""
        network, lexicon = self.parser.network, self.parser.lexicon
        rows = []
        for word in ("<s>", *self.words, "</s>"):
            parts = []
            if network.config.words:
                index = lexicon.words.index(word if word in lexicon.words else word.lower())
                parts.append(network.words.embedding.weight[index])
            if network.config.characters:
                inner = word not in ("<s>", "</s>")
                parts.append(self._spelling(word) if inner else torch.zeros(network.config.characters).double())
            rows.append(torch.cat(parts))
        inputs = torch.stack(rows)
        if network.config.encoder == "none":
            return inputs
        kinds: dict[str, type[nn.RNNBase]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
        peer = kinds[network.config.encoder](
            inputs.shape[1], network.config.hidden, network.config.layers, bidirectional=True, dtype=torch.float64
        )
        weights = dict(network.words.encoder.named_parameters())
        states: Tensor = torch.func.functional_call(peer, weights, (inputs[:, None],))[0][:, 0]
        return states

    def _spelling(self, word: str) -> Tensor:
        """The greatest value over the word's characters of a convolution that sees three of them, never below 0."""
        spelling = self.parser.network.words.spelling
        kernel, bias = spelling.convolution.weight, spelling.convolution.bias
        read = word if len(word) <= MAX_WORD_LENGTH else word[: MAX_WORD_LENGTH // 2] + word[-MAX_WORD_LENGTH // 2 :]
        embedded = [spelling.embedding.weight[self.parser.lexicon.characters.index(character)] for character in read]
        places = []
        for i in range(len(embedded)):
            seen = [(k, embedded[i + k - 1]) for k in range(3) if 0 <= i + k - 1 < len(embedded)]
            places.append(sum((kernel[:, :, k] @ vector for k, vector in seen), start=bias))
        return torch.stack(places).max(dim=0).values.clamp(min=0)

    @functools.cached_property
    def leaves(self) -> Tensor:
        """(n, vector)"""
        f = torch.tanh if self.parser.network.config.composition in ("tanh", "lstm") else torch.relu
        leaf = self.parser.network.leaf
        return torch.stack([f(leaf.weight @ state + leaf.bias) for state in self.states[1:-1]])

    @functools.cached_property
    def tags(self) -> Tensor:
        """(n, tags)"""
        tagger = self.parser.network.tagger
        return torch.stack([tagger.weight @ state + tagger.bias for state in self.states[1:-1]])

    @functools.cached_property
    def fences(self) -> tuple[Tensor, Tensor]:
        """What each of the n + 1 fences adds to the hidden layers of the scorers of merges and of labels."""
        half, network = self.parser.network.config.hidden, self.parser.network
        pairs = itertools.pairwise(self.states)
        parts = [network.fences.weight @ torch.cat([left[:half], right[half:]]) for left, right in pairs]
        merges, labels = torch.stack(parts).chunk(2, dim=1)
        return merges, labels

    def compose(self, left: Tensor, right: Tensor) -> Tensor:
        parent: Tensor = self.parser.network.composition(left[None], right[None])[0]
        return parent

    def merge_score(self, vector: Tensor, start: int, end: int) -> Tensor:
        return self._score(self.parser.network.merge_scorer, 0, vector, start, end)[0]

    def label_logits(self, vector: Tensor, start: int, end: int) -> Tensor:
        return self._score(self.parser.network.label_scorer, 1, vector, start, end)

    def _score(self, scorer: Any, which: int, vector: Tensor, start: int, end: int) -> Tensor:
        seen = vector[: len(vector) // 2] if self.parser.network.config.composition == "lstm" else vector
        if self.parser.network.config.encoder != "none":
            fence = self.fences[which]
            seen = torch.relu(scorer.hidden.weight @ seen + scorer.hidden.bias + fence[end] - fence[start])
        logits: Tensor = scorer.output.weight @ seen + scorer.output.bias
        return logits


@dataclass(frozen=True)
class Node:
    start: int
    end: int
    vector: Tensor


@dataclass(frozen=True)
class Candidate:
    """A merge that is possible now: of the nodes at ``place`` and after it, with their split and their parent."""

    place: int
    split: int
    node: Node
    score: Tensor
    bonus: float

    @property
    def judged(self) -> np.float32:
        """What decisions go by."""
        return np.float32(self.score.item()) + np.float32(self.bonus)


@dataclass
class SlowWalk:
    """A sentence's nodes, merged one pair after another; every possible pair is composed anew at every step."""

    sentence: SlowSentence
    bonus: Callable[[int, int], float] = lambda start, end: 0.0
    nodes: list[Node] = field(init=False)

    def __post_init__(self) -> None:
        self.nodes = [Node(i, i + 1, vector) for i, vector in enumerate(self.sentence.leaves)]

    def candidates(self) -> list[Candidate]:
        found = []
        for place, (left, right) in enumerate(itertools.pairwise(self.nodes)):
            node = Node(left.start, right.end, self.sentence.compose(left.vector, right.vector))
            score = self.sentence.merge_score(node.vector, node.start, node.end)
            found.append(Candidate(place, left.end, node, score, self.bonus(node.start, node.end)))
        return found

    def merge(self, chosen: Candidate) -> None:
        self.nodes[chosen.place : chosen.place + 2] = [chosen.node]


@dataclass(frozen=True)
class SlowMerge:
    span: tuple[int, int, int]
    score: float
    margin: float
    vector: Tensor


def slow_greedy(sentence: SlowSentence, bonus: Callable[[int, int], float] = lambda start, end: 0.0) -> list[SlowMerge]:
    """The merges of the greedy parser, in their order."""
    walk, merges = SlowWalk(sentence, bonus), []
    while candidates := walk.candidates():
        chosen = max(candidates, key=lambda candidate: candidate.judged)  # the leftmost of equals
        others = [candidate.judged for candidate in candidates if candidate is not chosen]
        margin = float(chosen.judged - max(others)) if others else float("inf")
        span = (chosen.node.start, chosen.split, chosen.node.end)
        merges.append(SlowMerge(span, float(chosen.judged), margin, chosen.node.vector))
        walk.merge(chosen)
    return merges
