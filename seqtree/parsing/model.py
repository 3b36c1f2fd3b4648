"""``Parser``: a trained parser with its lexicon; load it, parse with it, measure it. It is an NLTK parser too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from nltk.parse.api import ParserI
from nltk.tree import Tree
from torch import Tensor

from seqtree.errors import InputError
from seqtree.model import Model, texts, untrained
from seqtree.nn.parallel import in_batches
from seqtree.parsing.beam import beam_search
from seqtree.parsing.config import ParserNetworkConfig
from seqtree.parsing.decoding import Decoding
from seqtree.parsing.gold import EMPTY, names_in
from seqtree.parsing.greedy import decode
from seqtree.parsing.labelling import best_labellings, best_trees, random_keys
from seqtree.parsing.network import Encoded, ParserNetwork
from seqtree.parsing.one_by_one import FEW, decode_few
from seqtree.parsing.parse import Parse
from seqtree.parsing.spans import Spans, word_spans
from seqtree.text.batches import SentenceBatch, make_batch
from seqtree.text.lexicon import Ids, LabelSet, Lexicon
from seqtree.text.sentences import Word, given_words
from seqtree.treebank.binary import BinaryTree, Labels, binarise
from seqtree.treebank.bracketed import as_leaf
from seqtree.treebank.normalisation import normalise

MIN_LABELLINGS = 64  # of each forest of a wide beam
WORDS = ("embedding.", "spelling.", "encoder.")  # what the word encoder holds, without its name in older files


@dataclass(frozen=True)
class Labelled:
    """A decoding of a batch, the spans of its words and merges, and the number of each span's label."""

    decoding: Decoding
    spans: Spans
    labels: list[int]


class Parser(Model[ParserNetwork], ParserI):  # type: ignore[misc]  # NLTK is not typed
    """A greedy recursive parser: words in, ``nltk.Tree`` or ``Parse`` out. Every sentence gets a tree."""

    kind = "parser"

    def __init__(self, lexicon: Lexicon, tags: LabelSet[str], labels: LabelSet[Labels], network: ParserNetwork) -> None:
        if labels.names[:1] != (EMPTY,):
            raise InputError("the first label of a parser is the empty one")
        self.lexicon, self.tags, self.labels, self.network = lexicon, tags, labels, network

    @classmethod
    def untrained(cls, trees: Iterable[Tree], *, seed: int = 0, min_count: int = 1, **shape: Any) -> Parser:
        """A parser with random weights over the words, tags and labels of ``trees``, which are normalised first.

        ``shape`` are fields of ``ParserNetworkConfig``. Words below ``min_count`` are left to ``<unk>``.
        """
        normal = (tree for tree in map(normalise, trees) if tree is not None)
        return cls.over(*names_in(map(binarise, normal), min_count), ParserNetworkConfig(**shape), seed).to()

    @classmethod
    def over(
        cls,
        lexicon: Lexicon,
        tags: LabelSet[str],
        labels: LabelSet[Labels],
        config: ParserNetworkConfig,
        seed: int = 0,
    ) -> Parser:
        """A parser with random weights over these words, tags and labels."""
        return cls(
            lexicon, tags, labels, untrained(lambda: ParserNetwork(lexicon, len(tags), len(labels), config), seed)
        )

    def contents(self) -> dict[str, Any]:
        return {
            "lexicon": self.lexicon.to_json(),
            "tags": list(self.tags.names),
            "labels": [list(chain) for chain in self.labels.names],
            "network": self.network.config.to_json(),
        }

    @classmethod
    def from_contents(cls, contents: dict[str, Any]) -> Parser:
        lexicon = Lexicon.from_json(contents["lexicon"])
        tags = LabelSet(texts(contents["tags"]))
        labels = LabelSet(texts(chain) for chain in contents["labels"])
        config = ParserNetworkConfig.from_json(contents["network"])
        return cls(lexicon, tags, labels, ParserNetwork(lexicon, len(tags), len(labels), config))

    @classmethod
    def upgraded(cls, contents: dict[str, Any], tensors: dict[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
        lexicon = contents["lexicon"]
        if "tags" in lexicon:  # as the first files had it
            contents = {**contents, "tags": lexicon["tags"], "labels": lexicon["labels"]}
            tensors = {(f"words.{k}" if k.startswith(WORDS) else k): tensor for k, tensor in tensors.items()}
        return contents, tensors

    def parse(self, sent: Iterable[str], k: int = 1) -> Iterator[Tree]:
        """The ``k`` best trees of a sentence, given as its words; none for an empty one. NLTK's ``ParserI``.

        Their leaves are the words as they can stand in brackets: ``(`` is ``-LRB-``, as in the Penn Treebank, and so
        ``Tree.fromstring(str(tree))`` is the tree again (see ``as_leaf``). ``Parse.tree`` has the words as given.
        """
        words = self.words(sent)
        found = self.parses([words]) if k == 1 else self.k_best(words, k)
        return (_with_leaves(parse) for parse in found if parse)

    def parse_sents(self, sents: Iterable[Iterable[str]]) -> Iterator[Iterator[Tree]]:
        """The trees of each sentence, as ``parse`` gives them, in batches. NLTK's ``ParserI``."""
        for parse in self.parses(self.words(sent) for sent in sents):
            yield iter([_with_leaves(parse)] if parse else [])

    def words(self, sentence: Iterable[str]) -> list[Word]:
        """The words of a sentence with their forms for the model. Raises InputError for a string."""
        return given_words(sentence, self.lexicon.words)

    def parses(self, sentences: Iterable[Sequence[Word]]) -> Iterator[Parse | None]:
        """The parse of each sentence in its order, None for an empty one; a word is (its form, its form for the model).

        Sentences are taken some thousands at a time and parsed in batches of like length, on all of torch's threads.
        """
        return in_batches(self._parse_batch, sentences, self.device)

    @torch.inference_mode()
    def k_best(self, sentence: Sequence[Word], k: int, width: int | None = None) -> list[Parse]:
        """Up to ``k`` parses of a sentence that differ in brackets or labels, best first.

        They come from a beam of ``width`` forests (at least 8, and 4 k, by default), labelled in their best ways: each
        in k, or for a large k the one of rank r in 64 + 8 k / r. Time and memory grow little faster than k.
        A tree's rank is its probability with its labels; where scores are of whole trees, its score with the
        logarithms of its labels' probabilities. A beam sees more than the greedy decoder, and so its best tree may be
        another. Raises InputError if k is below 1.
        """
        if k < 1:
            raise InputError(f"k {k}: expected at least 1")
        if not sentence:
            return []
        forms, batch, encoded = self._encoded([sentence])
        whole_trees = self.network.config.whole_trees
        forests = beam_search(self.network, batch, encoded, width or max(8, 4 * k), whole_trees)
        made = np.unique(np.concatenate([decoding.merges.pair for _, decoding in forests]))
        spans, logits = self._labels(batch, encoded, forests[0][1], made)
        chances = logits.float().log_softmax(dim=1).numpy(force=True)
        words = np.arange(len(sentence))
        nodes = [np.append(words, len(words) + np.searchsorted(made, decoding.merges.pair)) for _, decoding in forests]
        keys = random_keys(spans, chances.shape[1])
        labelled = [
            best_labellings(chances[own], min(k, MIN_LABELLINGS + 8 * k // rank), keys[own])
            for rank, own in enumerate(nodes, 1)
        ]
        parses = []
        for rank, forest, number in best_trees([score for score, _ in forests], labelled, whole_trees)[:k]:
            labels = labelled[forest].labels(number).tolist()
            (parse,) = self._results(forms, batch, encoded, Labelled(forests[forest][1], spans[nodes[forest]], labels))
            parses.append(parse if whole_trees else replace(parse, log_probability=rank))
        return parses

    @torch.inference_mode()
    def _parse_batch(self, sentences: Sequence[Sequence[Word]]) -> list[Parse]:
        forms, batch, encoded = self._encoded(sentences)
        few = len(sentences) <= FEW and self.device.type == "cpu"
        decoding = (decode_few if few else decode)(self.network, batch, encoded)
        spans, logits = self._labels(batch, encoded, decoding, decoding.merges.pair)
        return self._results(forms, batch, encoded, Labelled(decoding, spans, logits.argmax(dim=1).tolist()))

    def _encoded(self, sentences: Sequence[Sequence[Word]]) -> tuple[list[tuple[str, ...]], SentenceBatch, Encoded]:
        if self.network.training:  # for a single sentence, to say it again takes time
            self.network.eval()
        read = [[word for _, word in sentence] for sentence in sentences]
        batch = make_batch(read, [self.lexicon.encode(words) for words in read], self.lexicon)
        return [tuple(form for form, _ in sentence) for sentence in sentences], batch, self.network.encode(batch)

    def _labels(self, batch: SentenceBatch, encoded: Encoded, decoding: Decoding, pairs: Ids) -> tuple[Spans, Tensor]:
        """The spans of all words and of these pairs, and the logits of their labels."""
        words = len(encoded.leaves)
        spans = word_spans(batch) + decoding.pairs.spans[pairs]
        node = np.concatenate([np.arange(words), words + pairs])
        logits = self.network.score_labels(encoded, batch, decoding.vectors[node], spans)
        if logits.shape[1] > 1:  # a sentence always has a label
            top = (spans.start == 0) & (spans.end == batch.lengths[spans.sentence])
            logits[torch.from_numpy(top), 0] = -torch.inf
        return spans, logits

    def _results(
        self, forms: Sequence[tuple[str, ...]], batch: SentenceBatch, encoded: Encoded, labelled: Labelled
    ) -> list[Parse]:
        merges, spans = labelled.decoding.merges, labelled.spans
        labels: list[dict[tuple[int, int], tuple[str, ...]]] = [{} for _ in forms]
        for sentence, start, end, number in zip(*(c.tolist() for c in spans.columns), labelled.labels, strict=True):
            if number:
                labels[sentence][start, end] = self.labels.names[number]
        tags = [self.tags.names[i] if self.tags else None for i in encoded.tags.argmax(dim=1).tolist()]
        built = list(zip(*(c.tolist() for c in (merges.start, merges.middle, merges.end)), strict=True))
        scores, margins = merges.score.tolist(), merges.margin.tolist()
        results, first = [], 0
        for row, (form, offset) in enumerate(zip(forms, batch.offsets.tolist(), strict=True)):
            last = first + len(form) - 1
            tree = BinaryTree(form, tuple(tags[offset : offset + len(form)]), tuple(built[first:last]), labels[row])
            results.append(Parse(tree, tuple(scores[first:last]), tuple(margins[first:last])))
            first = last
        return results


def _with_leaves(parse: Parse) -> Tree:
    return parse.with_words(as_leaf).tree
