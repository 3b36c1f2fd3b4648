"""Sampling text: temperature, top-k, nucleus (top-p; Holtzman et al. 2020), stop strings; one seed, one text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import repeat

import numpy as np

from seqtree.errors import InputError
from seqtree.language.config import SamplingSettings
from seqtree.language.stepper import Reader
from seqtree.text.vocabulary import Vocabulary

DRAWS = 8192  # random numbers drawn at a time
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
    noise = gumbel_noise(settings, len(reader.logits), settings.seed)
    for _ in range(settings.length):
        for index in banned:
            reader.logits[index] = -np.inf
        token = choose(reader.logits, settings, next(noise))
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


def choose(logits: np.ndarray, settings: SamplingSettings, noise: np.ndarray) -> int:
    """One token index from ``logits`` (V,), which are overwritten; ``noise`` (V,) is of ``gumbel_noise``.

    The largest sum of a logit and its noise is at token i with probability softmax(logits / temperature)_i (the
    Gumbel-max trick; Maddison, Tarlow and Minka 2014). Raises InputError if the logits are not finite.
    """
    best = int(_perturbed(logits, settings, noise).argmax())
    if not math.isfinite(logits[best]):
        raise InputError(_UNSOUND)
    return best


def choose_rows(logits: np.ndarray, settings: SamplingSettings, noise: np.ndarray) -> np.ndarray:
    """What ``choose`` takes of each row of ``logits`` (N, V), which are overwritten; ``noise`` (N, V)."""
    best: np.ndarray = _perturbed(logits, settings, noise).argmax(axis=1)
    if not np.isfinite(logits[np.arange(len(best)), best]).all():
        raise InputError(_UNSOUND)
    return best


def gumbel_noise(settings: SamplingSettings, size: int, seed: int | None) -> Iterator[np.ndarray]:
    """What a seed adds to the logits (V,) of one token after the other: Gumbel noise times the temperature."""
    if settings.temperature == 0:
        yield from repeat(np.zeros(size, np.float32))
    generator, scale = np.random.Generator(np.random.PCG64(seed)), np.float32(-_temperature(settings))
    while True:
        drawn = generator.standard_exponential((max(1, DRAWS // size), size))
        yield from scale * np.log(drawn.astype(np.float32))


def _perturbed(logits: np.ndarray, settings: SamplingSettings, noise: np.ndarray) -> np.ndarray:
    """``logits`` (..., V), changed in place: without those that may not be chosen, and with their noise."""
    if settings.temperature and (settings.top_k is not None or settings.top_p is not None):
        logits -= logits.max(axis=-1, keepdims=True)
        if settings.top_k is not None and settings.top_k < logits.shape[-1]:
            _keep_top_k(logits, settings.top_k)
        if settings.top_p is not None:
            _keep_nucleus(logits, settings.top_p, _temperature(settings))
    logits += noise
    return logits


def _temperature(settings: SamplingSettings) -> float:
    """The temperature, in the range of float32."""
    return min(max(settings.temperature, 1e-30), 1e30)


def _keep_top_k(logits: np.ndarray, k: int) -> None:
    """Of each row (..., V) exactly k survive; of equal ones the first in the vocabulary."""
    order = np.argsort(-logits, axis=-1, kind="stable")
    np.put_along_axis(logits, order[..., k:], -np.inf, axis=-1)


def _keep_nucleus(logits: np.ndarray, share: float, temperature: float) -> None:
    """Of each row (..., V), whose largest is 0, the fewest tokens that together reach ``share`` survive."""
    order = np.argsort(-logits, axis=-1, kind="stable")
    ordered = np.take_along_axis(logits, order, axis=-1)
    sums = np.exp(ordered / np.float32(temperature)).cumsum(axis=-1, dtype=np.float64)
    reached = sums[..., :-1] >= share * sums[..., -1:]
    ordered[..., 1:][reached] = -np.inf
    np.put_along_axis(logits, order, ordered, axis=-1)


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
