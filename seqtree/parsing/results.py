"""The words, tags and labels of a parser by name: sentences in numbers, and from what a network finds to parses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from seqtree.modelfile import texts
from seqtree.parsing.decoding import Merges
from seqtree.parsing.parse import Parse
from seqtree.parsing.spans import Pairs, Spans, word_spans
from seqtree.text.batches import SentenceBatch, make_batch
from seqtree.text.lexicon import Ids, LabelSet, Lexicon
from seqtree.text.sentences import Word, forms_for_model
from seqtree.treebank.binary import BinaryTree, Labels


class Names(NamedTuple):
    """What a parser knows by name; its first label is the empty one."""

    lexicon: Lexicon
    tags: LabelSet[str]
    labels: LabelSet[Labels]

    @classmethod
    def from_contents(cls, contents: dict[str, Any]) -> Self:
        """From the contents of a model file. Raises KeyError, TypeError or InputError for others."""
        labels = LabelSet(texts(chain) for chain in contents["labels"])
        return cls(Lexicon.from_json(contents["lexicon"]), LabelSet(texts(contents["tags"])), labels)

    def batch(self, sentences: Sequence[Sequence[Word]]) -> SentenceBatch:
        """The batch of sentences, none empty, longest first."""
        read = [forms_for_model(sentence) for sentence in sentences]
        return make_batch(read, [self.lexicon.encode(words) for words in read], self.lexicon)

    def parses(
        self,
        sentences: Sequence[Sequence[Word]],
        tags: list[int],
        merges: Merges,
        spans: Spans,
        labels: list[int],
    ) -> list[Parse]:
        """The parses of a batch: from the tags of its words, its merges, and the labels of its words and merges."""
        labelled: list[dict[tuple[int, int], Labels]] = [{} for _ in sentences]
        for sentence, start, end, number in zip(*(c.tolist() for c in spans.columns), labels, strict=True):
            if number:
                labelled[sentence][start, end] = self.labels.names[number]
        tagged = [self.tags.names[i] if self.tags else None for i in tags]
        built = list(zip(*(c.tolist() for c in (merges.start, merges.middle, merges.end)), strict=True))
        scores, margins = merges.score.tolist(), merges.margin.tolist()
        parses, word, merge = [], 0, 0
        for words, own in zip(sentences, labelled, strict=True):
            after, last = word + len(words), merge + len(words) - 1
            forms = tuple(form for form, _ in words)
            tree = BinaryTree(forms, tuple(tagged[word:after]), tuple(built[merge:last]), own)
            parses.append(Parse(tree, tuple(scores[merge:last]), tuple(margins[merge:last])))
            word, merge = after, last
        return parses


def labelled_spans(batch: SentenceBatch, pairs: Pairs, chosen: Ids) -> tuple[Spans, npt.NDArray[np.bool_]]:
    """The spans of all words of a batch and of the ``chosen`` pairs; and which of them are whole sentences.

    A whole sentence always has a label.
    """
    spans = word_spans(batch) + pairs.spans[chosen]
    return spans, (spans.start == 0) & (spans.end == batch.lengths[spans.sentence])
