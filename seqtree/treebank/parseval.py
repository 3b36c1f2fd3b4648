"""PARSEVAL: precision and recall of the constituents of parses, computed as by EVALB with COLLINS.prm.

Constituents are the nodes above part-of-speech tags, as label and span; a label repeated in a unary chain counts each
time. Not counted: nodes labelled TOP, ROOT, S1 or nothing; traces; punctuation (words tagged as comma, colon, full stop
or quotes in the Penn Treebank) and nodes that are empty without it. ADVP and PRT are the same label, and functional
tags are ignored. EVALB deletes the punctuation of each tree by its own tags; here the gold tree's tags decide for both,
so that a comma with a wrong tag costs nothing. Sources: Black et al. 1991, "A procedure for quantitatively comparing
the syntactic coverage of English grammars"; Sekine and Collins, EVALB.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import reduce
from itertools import accumulate
from typing import Any, NamedTuple, TypeVar

from nltk.tree import Tree

from seqtree.text.brackets import unescape_word
from seqtree.treebank.dialects import WRAPPERS, is_preterminal
from seqtree.treebank.normalisation import TRACE, category

PUNCTUATION = frozenset({",", ":", "``", "''", "."})
_UNCOUNTED = PUNCTUATION | {*WRAPPERS, TRACE}
_SAME = {"PRT": "ADVP"}
K = TypeVar("K")
_COUNTS = ("_tags", "_unlabelled")


@dataclass(frozen=True)
class Scores:
    """Precision, recall and their harmonic mean F1, in percent; 0 if there are no constituents."""

    precision: float
    recall: float
    f1: float


class Brackets(NamedTuple):
    """How many constituents are in gold trees, in parses, and in both (matched); and in how many sentences."""

    matched: int = 0
    gold: int = 0
    parsed: int = 0
    sentences: int = 0

    @property
    def scores(self) -> Scores:
        """Precision, recall and F1."""
        return _scores(self.matched, self.gold, self.parsed)

    def plus(self, other: Brackets) -> Brackets:
        """The counts of both."""
        return Brackets(
            self.matched + other.matched,
            self.gold + other.gold,
            self.parsed + other.parsed,
            self.sentences + other.sentences,
        )

    def to_json(self) -> dict[str, Any]:
        """Scores and counts."""
        return {**asdict(self.scores), "gold": self.gold, "parsed": self.parsed, "sentences": self.sentences}


@dataclass(frozen=True)
class Skipped:
    """A sentence that is not evaluated: its number and why (no parse, other words than the gold tree's, no word)."""

    number: int
    reason: str


@dataclass(frozen=True)
class ParsevalFigures:
    """The figures over all sentences that were not skipped.

    exact_match: percent of sentences whose counted constituents equal the gold tree's. tag_accuracy: percent of the
    counted words with a gold tag that have the same tag in the parse. sentences: number of all, skipped ones included.
    by_label, by_length: the labelled constituents of each label, and of the sentences of each number of words (with
    punctuation, without traces).
    """

    labelled: Scores
    unlabelled: Scores
    exact_match: float
    tag_accuracy: float
    sentences: int
    skipped: tuple[Skipped, ...]
    by_label: Mapping[str, Brackets] = field(default_factory=dict, compare=False)
    by_length: Mapping[int, Brackets] = field(default_factory=dict, compare=False)

    def figures(self) -> dict[str, Any]:
        """The scores as a JSON object; ``skipped`` is the number of skipped sentences."""
        parts = {
            name: {str(key): one.to_json() for key, one in sorted(getattr(self, name).items())}
            for name in ("by_label", "by_length")
        }
        return {**asdict(self), "skipped": len(self.skipped), **parts}


class Parseval:
    """Accumulates counts sentence by sentence; ``result`` has the scores so far."""

    def __init__(self) -> None:
        self._sentences = 0
        self._skipped: list[Skipped] = []
        self._exact = 0
        self._tags: list[int] = [0, 0]  # correct, gold
        self._unlabelled: list[int] = [0, 0, 0]  # matched, gold, parsed
        self._by_label: dict[str, Brackets] = {}
        self._by_length: dict[int, Brackets] = {}

    def add(self, gold: Tree, parsed: Tree | None, number: int) -> None:
        """Count one sentence; ``number`` identifies it if it is skipped.

        Words are compared unescaped (``-LRB-`` is ``(``). A sentence without a parse, or whose parse has other words
        than the gold tree, is skipped, as in EVALB; so is a gold tree of punctuation only.
        """
        self._sentences += 1
        if parsed is None:
            self._skipped.append(Skipped(number, "no parse"))
            return
        target, output = _Counted(gold), _Counted(parsed)
        if reason := _difference(target.words, output.words):
            self._skipped.append(Skipped(number, reason))
            return
        kept = [tag not in PUNCTUATION for tag in target.tags]
        if not any(kept):
            self._skipped.append(Skipped(number, "the gold tree has no word but punctuation"))
            return
        place = [0, *accumulate(kept)]  # word boundary -> the same boundary without punctuation
        expected, found = target.constituents(place), output.constituents(place)
        self._exact += expected == found
        _count(self._unlabelled, _without_labels(expected), _without_labels(found))
        _add(self._by_length, {len(target.words): Brackets(*_matches(expected, found), 1)})
        _add(self._by_label, _labels(expected, found))
        for keep, gold_tag, tag in zip(kept, target.tags, output.tags, strict=True):
            if keep and gold_tag is not None:
                self._tags[0] += tag == gold_tag
                self._tags[1] += 1

    def join(self, other: Parseval) -> None:
        """Count the sentences that another one has counted."""
        self._sentences += other._sentences
        self._skipped += other._skipped
        self._exact += other._exact
        for mine, theirs in ((getattr(self, name), getattr(other, name)) for name in _COUNTS):
            mine[:] = [one + more for one, more in zip(mine, theirs, strict=True)]
        _add(self._by_label, other._by_label)
        _add(self._by_length, other._by_length)

    @property
    def result(self) -> ParsevalFigures:
        """The figures over the sentences added so far."""
        return ParsevalFigures(
            labelled=reduce(Brackets.plus, self._by_length.values(), Brackets()).scores,
            unlabelled=_scores(*self._unlabelled),
            exact_match=_percent(self._exact, self._sentences - len(self._skipped)),
            tag_accuracy=_percent(*self._tags),
            sentences=self._sentences,
            skipped=tuple(self._skipped),
            by_label=dict(self._by_label),
            by_length=dict(self._by_length),
        )


Constituents = Counter[tuple[str, int, int]]  # label, start, end


class _Counted:
    """A tree's words without traces, their tags, and the counted nodes above them: (label, start, end)."""

    def __init__(self, tree: Tree) -> None:
        self.words: list[str] = []
        self.tags: list[str | None] = []
        self._nodes: list[tuple[str, int, int]] = []
        waiting: list[Any] = [tree]
        while waiting:
            node = waiting.pop()
            if isinstance(node, _End):
                self._nodes.append((node.label, node.start, len(self.words)))
            elif is_preterminal(node):
                if node.label() != TRACE:
                    self._word(node[0], node.label())
            elif isinstance(node, Tree):
                label = category(node.label())
                if label not in _UNCOUNTED:
                    waiting.append(_End(_SAME.get(label, label), len(self.words)))
                waiting.extend(reversed(node))
            else:
                self._word(node, None)

    def constituents(self, place: Sequence[int]) -> Constituents:
        """The nodes that span a counted word; ``place[i]`` is the boundary before word i once punctuation is gone."""
        moved = ((label, place[start], place[end]) for label, start, end in self._nodes)
        return Counter(node for node in moved if node[1] < node[2])

    def _word(self, word: str, tag: str | None) -> None:
        self.words.append(unescape_word(word))
        self.tags.append(tag)


@dataclass(frozen=True, slots=True)
class _End:
    label: str
    start: int


def _difference(gold: Sequence[str], parsed: Sequence[str]) -> str:
    """How the words differ; empty if they do not."""
    if len(gold) != len(parsed):
        return f"{len(parsed)} words in the parse, {len(gold)} in the gold tree"
    for place, (gold_word, word) in enumerate(zip(gold, parsed, strict=True), 1):
        if word != gold_word:
            return f"word {place} is {word!r} in the parse, {gold_word!r} in the gold tree"
    return ""


def _without_labels(constituents: Constituents) -> Counter[tuple[int, int]]:
    spans: Counter[tuple[int, int]] = Counter()
    for (_, start, end), count in constituents.items():
        spans[start, end] += count
    return spans


def _count(totals: list[int], expected: Counter[Any], found: Counter[Any]) -> None:
    totals[:] = [total + count for total, count in zip(totals, _matches(expected, found), strict=True)]


def _matches(expected: Counter[Any], found: Counter[Any]) -> tuple[int, int, int]:
    """How many are in both, how many were expected, how many found."""
    return (expected & found).total(), expected.total(), found.total()


def _labels(expected: Constituents, found: Constituents) -> dict[str, Brackets]:
    """The counts of one sentence for each label."""
    counts: dict[str, list[int]] = {}
    for place, constituents in enumerate((expected & found, expected, found)):
        for (label, _, _), count in constituents.items():
            counts.setdefault(label, [0, 0, 0])[place] += count
    return {label: Brackets(matched, gold, parsed, 1) for label, (matched, gold, parsed) in counts.items()}


def _add(totals: dict[K, Brackets], counts: Mapping[K, Brackets]) -> None:
    for key, one in counts.items():
        totals[key] = totals[key].plus(one) if key in totals else one


def _scores(matched: int, gold: int, parsed: int) -> Scores:
    return Scores(_percent(matched, parsed), _percent(matched, gold), _percent(2 * matched, gold + parsed))


def _percent(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 0.0
