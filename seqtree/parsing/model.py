"""``Parser``: a trained parser with its lexicon; load it, parse with it, measure it. It is an NLTK parser too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from nltk.parse.api import ParserI
from nltk.tree import Tree
from torch import Tensor

from seqtree.errors import InputError, check_count
from seqtree.model import Model, untrained
from seqtree.nn.parallel import in_batches
from seqtree.parsing.beam import beam_search
from seqtree.parsing.config import ParserNetworkConfig
from seqtree.parsing.decoding import Decoding, Encoded
from seqtree.parsing.gold import EMPTY, names_in
from seqtree.parsing.greedy import decode
from seqtree.parsing.labelling import best_labellings, best_trees, random_keys
from seqtree.parsing.network import ParserNetwork
from seqtree.parsing.one_by_one import FEW, decode_few
from seqtree.parsing.parse import Parse
from seqtree.parsing.results import Names, labelled_spans
from seqtree.parsing.spans import Spans
from seqtree.text.batches import SentenceBatch
from seqtree.text.lexicon import Ids, LabelSet, Lexicon
from seqtree.text.reading import several
from seqtree.text.sentences import Word, given_words
from seqtree.treebank.binary import Labels, binarise
from seqtree.treebank.bracketed import as_leaf
from seqtree.treebank.normalisation import normalise

MIN_LABELLINGS = 64  # of each forest of a wide beam
WORDS = ("embedding.", "spelling.", "encoder.")  # what the word encoder holds, without its name in older files


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
        lexicon, tags, labels = names = Names.from_contents(contents)
        config = ParserNetworkConfig.from_json(contents["network"])
        return cls(*names, ParserNetwork(lexicon, len(tags), len(labels), config))

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
        parses = self.parses(self.words(sent) for sent in several(sents, "sentences"))
        return (iter([_with_leaves(parse)] if parse else []) for parse in parses)

    def words(self, sentence: Iterable[str]) -> list[Word]:
        """The words of a sentence with their forms for the model. Raises InputError for a string."""
        return given_words(sentence, self.lexicon.words)

    def parses(self, sentences: Iterable[Sequence[Word]]) -> Iterator[Parse | None]:
        """The parse of each sentence in its order, None for an empty one; a word is (its form, its form for the model).

        Sentences are taken some thousands at a time and parsed in batches of like length, on all of torch's threads.
        """
        return in_batches(self._parse_batch, several(sentences, "sentences"), self.device)

    @torch.inference_mode()
    def k_best(self, sentence: Sequence[Word], k: int, width: int | None = None) -> list[Parse]:
        """Up to ``k`` parses of a sentence that differ in brackets or labels, best first.

        They come from a beam of ``width`` forests (at least 8, and 4 k, by default), labelled in their best ways: each
        in k, or for a large k the one of rank r in 64 + 8 k / r. Time and memory grow little faster than k.
        A tree's rank is its probability with its labels; where scores are of whole trees, its score with the
        logarithms of its labels' probabilities. A beam sees more than the greedy decoder, and so its best tree may be
        another. Raises InputError if k or the width is no whole number from 1.
        """
        check_count("k", k)
        width = max(8, 4 * k) if width is None else width
        check_count("width", width)
        if not sentence:
            return []
        batch, encoded = self._encoded([sentence])
        whole_trees = self.network.config.whole_trees
        forests = beam_search(self.network, batch, encoded, width, whole_trees)
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
        parses, tags = [], encoded.tags.argmax(dim=1).tolist()
        for rank, forest, number in best_trees([score for score, _ in forests], labelled, whole_trees)[:k]:
            labels, merges = labelled[forest].labels(number).tolist(), forests[forest][1].merges
            (parse,) = self._names.parses([sentence], tags, merges, spans[nodes[forest]], labels)
            parses.append(parse if whole_trees else replace(parse, log_probability=rank))
        return parses

    @torch.inference_mode()
    def _parse_batch(self, sentences: Sequence[Sequence[Word]]) -> list[Parse]:
        batch, encoded = self._encoded(sentences)
        decoding = self._decoded(batch, encoded)
        spans, logits = self._labels(batch, encoded, decoding, decoding.merges.pair)
        tags, labels = (found.argmax(dim=1).tolist() for found in (encoded.tags, logits))
        return self._names.parses(sentences, tags, decoding.merges, spans, labels)

    @property
    def _names(self) -> Names:
        return Names(self.lexicon, self.tags, self.labels)

    def _encoded(self, sentences: Sequence[Sequence[Word]]) -> tuple[SentenceBatch, Encoded[Tensor]]:
        if self.network.training:  # for a single sentence, to say it again takes time
            self.network.eval()
        batch = self._names.batch(sentences)
        return batch, self.network.encode(batch)

    def _decoded(self, batch: SentenceBatch, encoded: Encoded[Tensor]) -> Decoding[Tensor]:
        if len(batch.lengths) > FEW or self.device.type != "cpu":
            return decode(self.network, batch, encoded)
        return decode_with_arrays(self.network, batch, encoded)

    def _labels(
        self, batch: SentenceBatch, encoded: Encoded[Tensor], decoding: Decoding[Tensor], pairs: Ids
    ) -> tuple[Spans, Tensor]:
        """The spans of all words and of these pairs, and the logits of their labels."""
        words = len(encoded.leaves)
        spans, whole = labelled_spans(batch, decoding.pairs, pairs)
        node = np.concatenate([np.arange(words), words + pairs])
        logits = self.network.score_labels(encoded, batch, decoding.vectors[node], spans)
        if logits.shape[1] > 1:
            logits[torch.from_numpy(whole), 0] = -torch.inf
        return spans, logits


def decode_with_arrays(network: ParserNetwork, batch: SentenceBatch, encoded: Encoded[Tensor]) -> Decoding[Tensor]:
    """What ``decode_few`` makes of the few sentences of a batch, on a CPU."""
    dtype = encoded.leaves.dtype
    leaves = encoded.leaves.to(torch.promote_types(dtype, torch.float32)).numpy()
    fences = None if encoded.merges is None else encoded.merges.numpy()
    found = decode_few(*network.merging(dtype), batch, leaves, fences)
    return Decoding(found.pairs, torch.from_numpy(found.vectors).to(dtype), found.merges)


def _with_leaves(parse: Parse) -> Tree:
    return parse.with_words(as_leaf).tree
