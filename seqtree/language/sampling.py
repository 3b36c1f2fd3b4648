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
    vocabulary = reader.vocabulary
    tokens, end, words = vocabulary.tokens, vocabulary.end, vocabulary.unit == "word"
    for token in prompt:
        reader.read(token)
    banned = never_sampled(vocabulary)
    uniform = _uniforms(np.random.Generator(np.random.PCG64(settings.seed)))
    at_line_start = spaced
    for _ in range(settings.length):
        for index in banned:
            reader.logits[index] = -np.inf
        token = choose(reader.logits, settings, next(uniform))
        if reader.lines and token == end:
            return
        ends_line = token in reader.line_ends
        text = "\n" if ends_line else tokens[token]
        yield text if not words or at_line_start or ends_line else " " + text
        at_line_start = ends_line
        reader.read(token)


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


def _keep_top_k(logits: np.ndarray, k: int) -> None:
    """Exactly k survive; of equal ones the first in the vocabulary."""
    order = np.argsort(-logits, kind="stable")
    logits[order[k:]] = -np.inf


def _keep_nucleus(weights: np.ndarray, share: float) -> None:
    """The fewest most probable tokens that together reach ``share`` survive."""
    order = np.argsort(-weights, kind="stable")
    sums = weights[order].cumsum(dtype=np.float64)
    last = int(np.searchsorted(sums, share * sums[-1], side="left"))
    weights[order[last + 1 :]] = 0.0


def _uniforms(generator: np.random.Generator) -> Iterator[float]:
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
