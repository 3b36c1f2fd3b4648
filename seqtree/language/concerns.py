"""What is odd about a text that a model is to learn from; said before training, while it can be changed."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from seqtree.text.config import SPECIALS, UNKNOWN
from seqtree.text.corpus import PreparedCorpus
from seqtree.text.documents import chunks
from seqtree.text.labelled import rare_classes
from seqtree.text.spaces import UNSPACED, unspaced

Ids = npt.NDArray[Any]
COMPARED = 1 << 20  # tokens of the training text that are compared with the validation text
LEAST_COMPARED = 1000  # tokens of validation text; fewer tell nothing
BLOCKS = 50  # in which text from all over is taken
# By how many bits more than text from all over the end may differ. Texts of one kind, also where their subject changes,
# stay around half of this; other languages, licences and figures are one and a half times as far, or much further.
FEW_KINDS = 100  # of tokens: those of an alphabet, which differ less between texts than words (or ideographs) do
UNLIKE_LETTERS, UNLIKE_WORDS = 0.02, 0.2
SEEN = 20_000  # tokens of the training text that show whether its lines are sorted, or items of a list
MIN_LINES = 50
LEAST_LINES = 10  # that show whether spaces part words
MIN_ITEMS, MAX_WORDS, MAX_CHARACTERS = 200, 4, 40  # of a list, and of nearly every item of it
_STOPPED = re.compile(r"[^\W\d_A-Z][^\W\d_]{2,}\.")  # few abbreviations are so long and begin with a small letter
_LICENCE = re.compile(r"(END|<unk>) OF (THE|THIS) PROJECT GUTENBERG", re.IGNORECASE)


def concerns(corpus: PreparedCorpus, held_out: bool, valid_from: str, lines: bool = False) -> Iterator[str]:
    """What is odd about a corpus, one sentence for each.

    held_out: whether the validation text is a part of the training text. lines: whether each line is an item.
    """
    for name in corpus.skipped:
        if not name.endswith("(hidden)"):
            yield f"{name}: left out"
    if corpus.vocabulary.unit == "word":
        yield from _literal_specials(corpus)
    beginning = _beginning(corpus)
    if corpus.vocabulary.unit == "word" and _unspaced(beginning):
        yield f"{UNSPACED}: expected --unit char"
    if not lines and _list(beginning):
        yield "the text looks like a list: --documents lines learns and samples each line as an item of its own"
    if not held_out or corpus.valid is None or valid_from != "ends":
        return
    if _LICENCE.search(corpus.vocabulary.join(corpus.vocabulary.decode(corpus.valid.ids[:1_000_000]))):
        yield (
            "the validation text at the end holds the licence of a Project Gutenberg book, unlike the training text: "
            "remove it, or use --valid-from spread"
        )
    elif _sorted(beginning):
        yield (
            "the lines are in alphabetical order, so the validation text at the end is unlike the training text: "
            "--valid-from lines takes single lines from everywhere"
        )
    elif _unlike(corpus.train.ids, corpus.valid.ids, len(corpus.vocabulary)):
        noun = "characters" if corpus.vocabulary.unit == "char" else "words"
        yield (
            f"the validation text at the end is unlike the training text (other {noun}, or in other numbers): "
            "--valid-from spread or lines takes it from everywhere"
        )


def sentence_concerns(corpus: PreparedCorpus) -> Iterator[str]:
    """What is odd about a text for the tokenizer of the Penn Treebank, which takes a line for a sentence.

    The beginning of a long text is looked at.
    """
    vocabulary = corpus.vocabulary
    counts = np.bincount(corpus.train.ids[:COMPARED], minlength=len(vocabulary))
    inside = [index for index, token in enumerate(vocabulary.tokens) if _STOPPED.fullmatch(token)]
    stops = int(counts[vocabulary.index(".")]) if "." in vocabulary else 0
    if (count := int(counts[inside].sum())) > max(stops, MIN_LINES):
        most = vocabulary.tokens[max(inside, key=lambda index: counts[index])]
        yield (
            f"sentences end within lines: {count:,} full stops stay with their words, as in {most!r}, because "
            "--tokenizer treebank takes each line for a sentence"
        )


def class_concerns(corpus: PreparedCorpus) -> Iterator[str]:
    """What is odd about the classes of texts, one sentence for each."""
    if corpus.train.labels is None:
        return
    counts = np.bincount(corpus.train.labels, minlength=len(corpus.classes))
    yield from rare_classes(dict(zip(corpus.classes, counts.tolist(), strict=True)))


def _literal_specials(corpus: PreparedCorpus) -> Iterator[str]:
    vocabulary, found = corpus.vocabulary, Counter[str]()
    after_end = False
    for ids in chunks(corpus.train.ids):
        ends = ids == vocabulary.end
        found["<s>"] += int(np.count_nonzero(ids == vocabulary.start))
        found["</s>"] += int(np.count_nonzero(ends[1:] & ends[:-1]))  # blank lines have none, so the text wrote one
        found["</s>"] += bool(ends[0] and after_end)
        found["<pad>"] += int(np.count_nonzero(ids == vocabulary.index("<pad>"))) if "<pad>" in vocabulary else 0
        after_end = bool(ends[-1])
    for name, count in found.items():
        if count:
            meaning = f"the model's own {name}" if name in SPECIALS["word"] else "an ordinary word"
            yield f"the text holds {name} {count:,} times, read as {meaning}; sentences need no marks: remove them"


def _unlike(train: Ids, valid: Ids, kinds: int) -> bool:
    """Whether the validation text differs from the training text by more than as much text from all over the latter."""
    count = min(len(valid), len(train) // 4, COMPARED // 4)
    if count < LEAST_COMPARED:
        return False
    all_over = _all_over(train, COMPARED)
    counts, at_end, spread = (
        np.bincount(ids, minlength=kinds) for ids in (all_over, _all_over(valid, count), _all_over(all_over, count))
    )
    rest = counts - spread
    spread = np.where(rest > 0, spread, 0)
    spread[0] += count - spread.sum()  # what only this part has would be unknown, had it been held out
    least = UNLIKE_LETTERS if 2 ** _entropy(counts) < FEW_KINDS else UNLIKE_WORDS
    return _divergence(at_end, counts) - _divergence(spread, rest) > least


def _all_over(ids: Ids, count: int) -> Ids:
    """At least nine tenths of ``count`` of the ids (n,), in blocks from everywhere; all, if there are no more."""
    if len(ids) <= count:
        return ids
    starts = np.linspace(0, len(ids) - count // BLOCKS, BLOCKS).astype(np.int64)
    taken: Ids = ids[(starts[:, None] + np.arange(count // BLOCKS)).ravel()]
    return taken


def _divergence(some: Ids, others: Ids) -> float:
    """The Jensen-Shannon divergence of two distributions, given as counts (kinds,); from 0 to 1 bits."""
    one, other = some / some.sum(), others / others.sum()
    return _entropy(one + other) - (_entropy(one) + _entropy(other)) / 2


def _entropy(weights: npt.NDArray[Any]) -> float:
    """Of the distribution with these weights (kinds,), in bits."""
    found = weights[weights > 0] / weights.sum()
    return float(-(found * np.log2(found)).sum())


def _beginning(corpus: PreparedCorpus) -> list[str]:
    """The whole lines at the beginning of the training text."""
    vocabulary = corpus.vocabulary
    return vocabulary.join(vocabulary.decode(corpus.train.ids[:SEEN])).split("\n")[:-1]


def _unspaced(lines: list[str]) -> bool:
    """Whether spaces do not part the words of lines; unknown words are taken for different ones, as they were."""
    told_apart = [line.replace(UNKNOWN, f"<{number}>") for number, line in enumerate(lines)]
    return len(lines) >= LEAST_LINES and unspaced(told_apart)


def _sorted(lines: list[str]) -> bool:
    """Whether lines are in order."""
    lines = [line for line in lines if line]
    return len(lines) >= MIN_LINES and lines[0] != lines[-1] and lines == sorted(lines)


def _list(lines: list[str]) -> bool:
    """Whether lines are items of a list, such as names: many different short ones that end in a letter or figure."""
    items = [line for line in lines if line and line.strip() == line and "\t" not in line]
    items = [line for line in items if len(line.split(" ")) <= MAX_WORDS and len(line) <= MAX_CHARACTERS]
    items = [line for line in items if unicodedata.category(line[-1])[0] in "LNM"]
    return len(items) >= MIN_ITEMS and len(items) >= 0.95 * len(lines) and len(set(items)) >= 0.5 * len(items)
