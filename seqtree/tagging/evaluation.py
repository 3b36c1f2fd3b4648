"""Measuring a tagger: tags, chunks as ``conlleval`` counts them, intents, and what is taken for what."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from seqtree.confusion import by_frequency, mistakes
from seqtree.drawing.charts import Chart, in_notebook
from seqtree.drawing.confusion import confusion_chart
from seqtree.errors import InputError
from seqtree.tagging.data import tell_of_broken
from seqtree.tagging.model import Tagger
from seqtree.tagging.tagging import Tagging
from seqtree.text.chunks import OUTSIDE, chunks, kind_of, scheme_of
from seqtree.text.columns import Tagged
from seqtree.text.sentences import words_as_given
from seqtree.training.sharing import Share, alone
from seqtree.wording import some

SOME = 5  # tags that are named


@dataclass(frozen=True)
class ChunkScores:
    """How many chunks are in the data, how many were found, and how many of these are right; shares of 1."""

    gold: int
    found: int
    right: int

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.right / (self.gold + self.found) if self.right else 0.0

    def to_json(self) -> dict[str, float]:
        return {name: round(getattr(self, name), 6) for name in ("precision", "recall", "f1")}


@dataclass(frozen=True)
class TagEvaluation:
    """Figures over all words; shares of 1.

    A sentence is right if all its tags are, and its intent, if it has one. ``chunks`` and ``kinds``, of chunks of each
    kind, are None and empty where tags are no chunk tags. ``confusion`` counts words by their true and predicted tag.
    ``unknown_tokens`` are words that the tagger knows by their characters only.
    """

    accuracy: float
    sentence_accuracy: float
    chunk: ChunkScores | None
    kinds: dict[str, ChunkScores]
    intent_accuracy: float | None
    confusion: dict[tuple[str, str], int]
    tokens: int
    sentences: int
    unknown_tokens: int
    tokens_per_second: float

    def to_json(self) -> dict[str, Any]:
        intent = self.intent_accuracy
        return {
            "accuracy": round(self.accuracy, 6),
            "sentence_accuracy": round(self.sentence_accuracy, 6),
            "chunk": self.chunk.to_json() if self.chunk else None,
            "kinds": {kind: scores.to_json() for kind, scores in self.kinds.items()},
            "intent_accuracy": None if intent is None else round(intent, 6),
            "mistakes": [{"tag": true, "said": said, "count": count} for count, true, said in mistakes(self.confusion)],
            "tokens": self.tokens,
            "sentences": self.sentences,
            "unknown_tokens": self.unknown_tokens,
            "tokens_per_second": round(self.tokens_per_second, 1),
        }

    def picture(self, format: str = ".svg") -> Chart:
        """The confusion matrix as an .svg, .png or .pdf file. Raises InputError without matplotlib."""
        return confusion_chart(self.confusion, by_frequency(self.confusion), "words", format)

    def _repr_svg_(self) -> str | None:
        """What a notebook shows."""
        return in_notebook(self.picture)


def evaluate(
    tagger: Tagger,
    sentences: Sequence[Tagged],
    warn: Callable[[str], object] = warnings.warn,
    share: Share = alone,
) -> TagEvaluation:
    """Tag the words of sentences and compare with their tags; several processes may ``share`` the tagging.

    A tag that the tagger does not know counts as wrong; ``warn`` is told, as of tags that break their scheme, and that
    only tags are measured if the tagger knows intents and no sentence has one. Raises InputError if only some have, or
    if no tag is known, or if there is no sentence.
    """
    scheme = tagger.scheme and (scheme_of(sentence.tags for sentence in sentences) or tagger.scheme)
    _check(tagger, sentences, scheme, warn)
    known = tagger.lexicon.words
    read = [words_as_given(sentence.words, known) for sentence in sentences]
    began = time.perf_counter()
    found = share(lambda some: [one for one in tagger.taggings(some, scheme=scheme) if one], read)
    seconds = time.perf_counter() - began
    taken = Counter(
        pair for gold, one in zip(sentences, found, strict=True) for pair in zip(gold.tags, one.tags, strict=True)
    )
    kinds = _chunk_scores(sentences, found) if scheme else {}
    tokens, intents = taken.total(), bool(tagger.intents) and sentences[0].intent is not None
    right_intents = [gold.intent == one.intent for gold, one in zip(sentences, found, strict=True)] if intents else []
    right = [gold.tags == one.tags for gold, one in zip(sentences, found, strict=True)]
    whole = [tags and intent for tags, intent in zip(right, right_intents, strict=True)] if intents else right
    return TagEvaluation(
        accuracy=sum(count for (true, said), count in taken.items() if true == said) / tokens,
        sentence_accuracy=sum(whole) / len(whole),
        chunk=_total(kinds.values()) if scheme else None,
        kinds=kinds,
        intent_accuracy=sum(right_intents) / len(right_intents) if intents else None,
        confusion=dict(taken),
        tokens=tokens,
        sentences=len(sentences),
        unknown_tokens=sum(word not in known and word.lower() not in known for one in read for _, word in one),
        tokens_per_second=tokens / seconds,
    )


def _check(tagger: Tagger, sentences: Sequence[Tagged], scheme: str | None, warn: Callable[[str], object]) -> None:
    if not sentences:
        raise InputError("no sentences to measure the tagger on")
    kind: Callable[[str], str] = (lambda tag: tag if tag == OUTSIDE else kind_of(tag)) if tagger.scheme else str
    known = {kind(tag) for tag in tagger.tags.names}
    tags = [(tag, one.place) for one in sentences for tag in one.tags]
    strange = [(kind(tag) or tag, place) for tag, place in tags if kind(tag) not in known]
    if len(strange) == len(tags):
        tag, place = strange[0]
        raise InputError(
            f"{place}: the tag {tag!r} is not one of the tagger's, nor is any other: {_some(known - {OUTSIDE})}"
        )
    if strange:
        shown = _some({name for name, _ in strange})
        warn(
            f"{strange[0][1]}: in this sentence is the first of {len(strange):,} tags that the tagger does not know "
            f"({shown}); they count as wrong"
        )
    tell_of_broken(sentences, scheme, warn)
    if len(tagger.intents):
        missing = [sentence.place for sentence in sentences if sentence.intent is None]
        if len(missing) == len(sentences):
            warn("no sentence has an intent, which this tagger predicts (see --intents): only tags are measured")
        elif missing:
            raise InputError(f"{missing[0]}: a sentence without an intent, which others have")


def _some(tags: Collection[str]) -> str:
    """The first of these tags, or kinds of chunks."""
    return some(sorted(filter(None, tags)), SOME)


def _chunk_scores(sentences: Sequence[Tagged], found: Sequence[Tagging]) -> dict[str, ChunkScores]:
    counts: dict[str, list[int]] = {}
    for gold, one in zip(sentences, found, strict=True):
        true, said = set(chunks(gold.tags)), set(one.chunks)
        for number, group in enumerate((true, said, true & said)):
            for chunk in group:
                counts.setdefault(chunk.kind, [0, 0, 0])[number] += 1
    return {kind: ChunkScores(*count) for kind, count in sorted(counts.items())}


def _total(scores: Iterable[ChunkScores]) -> ChunkScores:
    totals = [(one.gold, one.found, one.right) for one in scores]
    return ChunkScores(*(sum(column) for column in zip(*totals, strict=True))) if totals else ChunkScores(0, 0, 0)
