"""Sampling text: temperature, top-k, nucleus (top-p; Holtzman et al. 2020), stop strings; one seed, one text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from seqtree.errors import InputError
from seqtree.language.config import SamplingSettings
from seqtree.language.stepper import Reader
from seqtree.text.vocabulary import Vocabulary

DRAWS = 1024  # random numbers drawn at a time
_UNSOUND = "the model's probabilities are not finite numbers: it was not trained soundly"


def sample_tokens(reader: Reader, prompt: Sequence[int], settings: SamplingSettings, spaced: bool) -> Iterator[str]:
    """Pieces of text that go on from token indices ``prompt``; ``<unk>`` and ``<s>`` are never chosen.

    Where the model reads lines one by one, the text ends before the end of its line. ``spaced``: a word may follow at
    once (the text before is empty or ends in white space). Raises InputError if the model's probabilities are not
    finite.
    """
    pieces = _pieces(reader, prompt, settings, spaced)
    return _until_stop(pieces, settings.stop) if settings.stop else pieces


def _pieces(reader: Reader, prompt: Sequence[int], settings: SamplingSettings, spaced: bool) -> Iterator[str]:
    for token in prompt:
        reader.read(token)
    banned, spelling = never_sampled(reader.vocabulary), Spelling(reader.vocabulary, reader.line_ends, spaced)
    uniform = _uniforms(settings.seed)
    for _ in range(settings.length):
        for index in banned:
            reader.logits[index] = -np.inf
        token = choose(reader.logits, settings, next(uniform))
        if reader.lines and token == reader.vocabulary.end:
            return
        yield spelling.piece(token)
        reader.read(token)


class Spelling:
    """The text of tokens that follow each other; ``line_ends`` are those that stand for the end of a line.

    ``spaced``: a word may come first without a space before it.
    """

    def __init__(self, vocabulary: Vocabulary, line_ends: set[int], spaced: bool) -> None:
        self._tokens, self._words, self._line_ends = vocabulary.tokens, vocabulary.unit == "word", line_ends
        self._at_start = spaced

    def piece(self, token: int) -> str:
        """The text of the next token, with the space before it."""
        if token in self._line_ends:
            self._at_start = True
            return "\n"
        spaced, self._at_start = self._words and not self._at_start, False
        return " " + self._tokens[token] if spaced else self._tokens[token]


def never_sampled(vocabulary: Vocabulary) -> list[int]:
    """The indices of ``<unk>`` and of a sentence start that is no end as well."""
    return [vocabulary.unknown] + [vocabulary.start] * (vocabulary.start != vocabulary.end)


def choose(logits: np.ndarray, settings: SamplingSettings, uniform: float) -> int:
    """One token index from ``logits`` (V,), which are overwritten; ``uniform`` is a random number in [0, 1)."""
    if settings.temperature == 0:
        best = int(logits.argmax())
        if not np.isfinite(logits[best]):
            raise InputError(_UNSOUND)
        return best
    if settings.temperature != 1:
        logits *= 1.0 / min(max(settings.temperature, 1e-30), 1e30)  # what float32 can hold
    logits -= logits[logits.argmax()]  # quicker than max()
    if settings.top_k is not None and settings.top_k < len(logits):
        _keep_top_k(logits, settings.top_k)
    weights = np.exp(logits, out=logits)
    if settings.top_p is not None:
        _keep_nucleus(weights, settings.top_p)
    sums = np.add.accumulate(weights, dtype=np.float64)  # quicker than cumsum()
    total = sums[-1]
    if not 0 < total < np.inf:
        raise InputError(_UNSOUND)
    place = uniform * total
    if place >= total:  # a product that rounds up to the total is past all of them
        place = np.nextafter(total, 0.0)
    return int(sums.searchsorted(place, side="right"))


def choose_rows(logits: np.ndarray, settings: SamplingSettings, uniforms: np.ndarray) -> np.ndarray:
    """What ``choose`` takes of each row of ``logits`` (N, V), which are overwritten; ``uniforms`` (N,)."""
    if settings.temperature == 0:
        best: np.ndarray = logits.argmax(axis=1)
        if not np.isfinite(logits[np.arange(len(best)), best]).all():
            raise InputError(_UNSOUND)
        return best
    if settings.temperature != 1:
        logits *= 1.0 / min(max(settings.temperature, 1e-30), 1e30)
    logits -= logits.max(axis=1, keepdims=True)
    if settings.top_k is not None and settings.top_k < logits.shape[1]:
        _keep_top_k(logits, settings.top_k)
    weights = np.exp(logits, out=logits)
    if settings.top_p is not None:
        _keep_nucleus(weights, settings.top_p)
    sums = np.add.accumulate(weights, axis=1, dtype=np.float64)
    total = sums[:, -1]
    if not ((total > 0) & (total < np.inf)).all():
        raise InputError(_UNSOUND)
    places = np.minimum(uniforms * total, np.nextafter(total, 0.0))
    passed: np.ndarray = np.count_nonzero(sums <= places[:, None], axis=1)
    return passed


def _keep_top_k(logits: np.ndarray, k: int) -> None:
    """Of each row (..., V) exactly k survive; of equal ones the first in the vocabulary."""
    order = np.argsort(-logits, axis=-1, kind="stable")
    np.put_along_axis(logits, order[..., k:], -np.inf, axis=-1)


def _keep_nucleus(weights: np.ndarray, share: float) -> None:
    """Of each row (..., V), the fewest most probable tokens that together reach ``share`` survive."""
    order = np.argsort(-weights, axis=-1, kind="stable")
    ordered = np.take_along_axis(weights, order, axis=-1)
    sums = ordered.cumsum(axis=-1, dtype=np.float64)
    before = sums < share * sums[..., -1:]
    kept = np.concatenate([np.ones_like(before[..., :1]), before[..., :-1]], axis=-1)
    np.put_along_axis(weights, order, np.where(kept, ordered, 0.0), axis=-1)


def _uniforms(seed: int | None) -> Iterator[float]:
    generator = np.random.Generator(np.random.PCG64(seed))
    while True:
        yield from generator.random(DRAWS).tolist()


def _until_stop(pieces: Iterator[str], stops: Sequence[str]) -> Iterator[str]:
    """Pieces up to the first stop string (not included), holding back what may be the beginning of one."""
    held = ""
    for piece in pieces:
        held += piece
        found = [position for stop in stops if (position := held.find(stop)) >= 0]
        if found:
            yield held[: min(found)]
            return
        keep = max(_overlap(held, stop) for stop in stops)
        if len(held) > keep:
            yield held[: len(held) - keep]
            held = held[len(held) - keep :]
    yield held


def _overlap(text: str, stop: str) -> int:
    """The length of the longest end of ``text`` with which ``stop`` begins."""
    return next((n for n in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:n])), 0)
