"""``Translator``: a trained encoder-decoder with its vocabularies; load it, translate with it, score with it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqtree.drawing.alignment import matrix_svg
from seqtree.errors import InputError, check_count
from seqtree.model import Model, untrained
from seqtree.nn.parallel import BATCH_LENGTH, in_batches
from seqtree.text.config import END as END_TOKEN
from seqtree.text.reading import several
from seqtree.translation.config import TranslatorConfig
from seqtree.translation.data import Pair
from seqtree.translation.decoding import Hypothesis, beam_search, forced
from seqtree.translation.network import END, UNKNOWN, Memory, TranslatorNetwork
from seqtree.translation.units import Ids, Units

MOST_PENALTY = 10  # by which a length is raised at most
MORE = 10  # tokens by which a target may exceed what training has seen
CHANCES = 1 << 24  # probabilities of a step's tokens, for all hypotheses of a batch


@dataclass(frozen=True)
class Translation:
    """A target that a model made or was given.

    ``tokens`` and the natural ``log_probabilities`` of each, the last of which is that of the end, or None if they were
    not asked for; ``score`` is their sum over a power of their number. ``alignment`` (tokens + 1, source tokens) are
    the weights of attention, the last row those of the end; None without attention, or if it was not asked for.
    """

    text: str
    tokens: tuple[str, ...]
    score: float
    source: tuple[str, ...]
    log_probabilities: tuple[float, ...] | None = None
    alignment: npt.NDArray[np.float32] | None = None

    def to_json(self) -> dict[str, Any]:
        """Text, score and tokens, and what else was asked for."""
        record: dict[str, Any] = {"text": self.text, "score": self.score, "tokens": list(self.tokens)}
        if self.log_probabilities is not None:
            record["log_probabilities"] = list(self.log_probabilities)
        if self.alignment is not None:
            record["source_tokens"] = list(self.source)
            record["alignment"] = self.alignment.astype(float).round(6).tolist()
        return record

    def picture(self) -> str | None:
        """What each token attended to, as one SVG element; None without an alignment, or for an empty source."""
        if self.alignment is None or not self.source:
            return None
        return matrix_svg(self.source, (*self.tokens, END_TOKEN), self.alignment, self.text)

    _repr_svg_ = picture


class Translator(Model[TranslatorNetwork]):
    """Texts in, texts out. ``growth`` bounds the length of a target by that of its source: see ``limit``."""

    kind = "translator"

    def __init__(self, source: Units, target: Units, growth: float, network: TranslatorNetwork) -> None:
        if not 0 < growth < math.inf:
            raise InputError(f"growth {growth}: expected a finite number above 0")
        self.source, self.target, self.growth, self.network = source, target, growth, network

    @classmethod
    def untrained(
        cls,
        pairs: Iterable[tuple[str, str]],
        *,
        unit: str = "char",
        pieces: int = 5000,
        min_count: int = 1,
        seed: int = 0,
        **shape: Any,
    ) -> Translator:
        """A translator with random weights over the tokens of pairs of a source and a target.

        ``shape`` are fields of ``TranslatorConfig``. Raises InputError.
        """
        given = list(several(pairs, "pairs"))
        for wrong in (pair for pair in given if isinstance(pair, str) or len(pair) != 2):
            raise InputError(f"{wrong!r}: expected a pair of a source and its target")
        read = [Pair(*pair) for pair in given]
        sides = [Units.learned((pair[side] for pair in read), unit, pieces, min_count) for side in (0, 1)]
        return cls.over(sides[0], sides[1], read, TranslatorConfig(**shape), seed).to()

    @classmethod
    def over(
        cls, source: Units, target: Units, pairs: Iterable[Pair], config: TranslatorConfig, seed: int = 0
    ) -> Translator:
        """A translator with random weights over these units, for sources and targets as long as those of ``pairs``."""
        lengths = [(len(source.tokens(pair.source)), len(target.tokens(pair.target))) for pair in pairs]
        if not lengths:
            raise InputError("no pairs to make a translator for")
        if not any(before for before, _ in lengths):
            raise InputError("all sources are empty, expected pairs of texts")
        read, written = map(sum, zip(*lengths, strict=True))
        growth = max(written / read, max(after / (before + MORE) for before, after in lengths))
        network = untrained(lambda: TranslatorNetwork(len(source), len(target), config), seed)
        return cls(source, target, growth, network)

    def contents(self) -> dict[str, Any]:
        return {
            "source": self.source.to_json(),
            "target": self.target.to_json(),
            "growth": self.growth,
            "network": self.network.config.to_json(),
        }

    @classmethod
    def from_contents(cls, contents: dict[str, Any]) -> Translator:
        source, target = (Units.from_json(contents[side]) for side in ("source", "target"))
        config = TranslatorConfig.from_json(contents["network"])
        return cls(source, target, float(contents["growth"]), TranslatorNetwork(len(source), len(target), config))

    def limit(self, tokens: int) -> int:
        """The most tokens, its end counted, of a target for a source of so many: room for all seen, and some more."""
        return math.ceil(self.growth * (tokens + MORE)) + MORE

    def translate(self, text: str, beam: int = 5, length_penalty: float = 1.0) -> str:
        """The best target of one source; "" for an empty one."""
        (found,) = self.translations([text], beam=beam, length_penalty=length_penalty)
        return found[0].text

    def translations(
        self,
        texts: Iterable[str],
        *,
        beam: int = 5,
        best: int = 1,
        length_penalty: float = 1.0,
        alignments: bool = False,
        log_probabilities: bool = False,
    ) -> Iterator[list[Translation]]:
        """The ``best`` targets of each text in its order, best first; an empty text has one, which is empty.

        beam: hypotheses that are followed at once; 1 is greedy. length_penalty: the exponent of the length by which log
        probabilities are divided. alignments, log_probabilities: whether the translations have them. An unknown token
        of the target is the source's token that is attended to most, if the model attends.

        Sources are taken some thousands at a time and decoded in batches of like length, on all of torch's threads.
        Raises InputError if ``best`` is more than ``beam``, and for a length penalty out of range.
        """
        _check_penalty(length_penalty)
        check_count("beam", beam)
        check_count("best", best)
        if best > beam:
            raise InputError(f"the {best} best of a beam of {beam}: expected from 1 to as many as the beam has")
        asked = _Asked(beam, best, length_penalty, alignments, log_probabilities)
        sources = (self.source.tokens(_checked(text)) for text in several(texts))
        least = math.ceil(BATCH_LENGTH * beam * len(self.target) / CHANCES)
        found = in_batches(
            lambda batch: self._decoded(batch, asked),
            sources,
            self.device,
            lambda tokens: max(least, len(tokens)) if tokens else 0,
        )
        nothing = Translation("", (), 0.0, (), log_probabilities=() if log_probabilities else None)
        if alignments and self.network.config.attends:
            nothing = replace(nothing, alignment=np.zeros((0, 0), np.float32))
        return (translations or [nothing] for translations in found)

    def score(self, pairs: Iterable[tuple[str, str]], length_penalty: float = 1.0) -> Iterator[Translation]:
        """How probable the model finds each target of these pairs (forced decoding), token by token, aligned.

        Raises InputError for an empty source and a length penalty out of range.
        """
        _check_penalty(length_penalty)
        given = (self._tokens(pair) for pair in several(pairs, "pairs"))
        scored = in_batches(lambda batch: self._scored(batch, length_penalty), given, self.device, _longer_side)
        return (one for one in scored if one)

    def _tokens(self, pair: tuple[str, str]) -> _Tokens:
        if isinstance(pair, str) or len(pair) != 2:
            raise InputError(f"pair {pair!r}: expected a source and a target")
        source, target = self.source.tokens(_checked(pair[0])), self.target.tokens(_checked(pair[1]))
        if not source:
            raise InputError(f"the source of {pair[1]!r} is empty; expected a text")
        return _Tokens(source, target)

    @torch.inference_mode()
    def _decoded(self, sources: Sequence[Sequence[str]], asked: _Asked) -> list[list[Translation]]:
        """The translations of sources of like length."""
        memory = self.encoded(sources)
        limits = torch.tensor([self.limit(len(tokens)) for tokens in sources], device=self.device)
        found = beam_search(self.network, memory, limits, asked.beam, asked.length_penalty, asked.best)
        flat = [(row, one) for row, hypotheses in enumerate(found) for one in hypotheses]
        unknown = self.network.config.attends and any(UNKNOWN in one.tokens for _, one in flat)
        made = [self._plain(sources[row], one) for row, one in flat]
        if unknown or asked.alignments or asked.log_probabilities:
            rows = torch.tensor([row for row, _ in flat], device=self.device)
            made = self._detailed(memory[rows], made, [one.tokens for _, one in flat], asked)
        rest = iter(made)
        return [list(islice(rest, len(hypotheses))) for hypotheses in found]

    def _plain(self, source: Sequence[str], hypothesis: Hypothesis) -> Translation:
        tokens = tuple(self.target.vocabulary.tokens[i] for i in hypothesis.tokens)
        return Translation(self.target.text(tokens), tokens, hypothesis.score, tuple(source))

    def _detailed(
        self, memory: Memory, made: Sequence[Translation], ids: Sequence[Sequence[int]], asked: _Asked
    ) -> list[Translation]:
        """The same with what is read off a forced decoding: unknown tokens copied, and what was asked for."""
        result = forced(self.network, memory, self._padded([np.array(row, np.int64) for row in ids], end=True))
        chances = result.log_probabilities.t().tolist()
        weights = None if result.weights is None else result.weights.transpose(0, 1).numpy(force=True)
        detailed = []
        for row, (one, numbers) in enumerate(zip(made, ids, strict=True)):
            length = len(numbers) + 1
            alignment = None if weights is None else weights[row, :length, : len(one.source)].astype(np.float32)
            if alignment is not None and UNKNOWN in numbers:
                copied = (one.source[i] for i in alignment.argmax(axis=1).tolist())
                tokens = tuple(
                    there if number == UNKNOWN else token
                    for token, number, there in zip(one.tokens, numbers, copied, strict=False)
                )
                one = replace(one, tokens=tokens, text=self.target.text(tokens))
            one = replace(one, alignment=alignment) if asked.alignments else one
            if asked.log_probabilities:
                one = replace(one, log_probabilities=tuple(chances[row][:length]))
            detailed.append(one)
        return detailed

    @torch.inference_mode()
    def _scored(self, pairs: Sequence[_Tokens], penalty: float) -> list[Translation]:
        memory = self.encoded([pair.source for pair in pairs])
        result = forced(
            self.network, memory, self._padded([self.target.encode(pair.target) for pair in pairs], end=True)
        )
        chances, weights = result.log_probabilities.t().tolist(), result.weights
        scored = []
        for row, (source, target) in enumerate(pairs):
            own = chances[row][: len(target) + 1]
            alignment = None if weights is None else weights[: len(own), row, : len(source)].numpy(force=True)
            score = sum(own) / len(own) ** penalty
            text = self.target.text(target)
            scored.append(Translation(text, tuple(target), score, tuple(source), tuple(own), alignment))
        return scored

    def encoded(self, sources: Sequence[Sequence[str]]) -> Memory:
        """What the decoder knows of sources, given as tokens, none of them without any."""
        self.network.eval()
        ids = [self.source.encode(tokens) for tokens in sources]
        lengths = torch.tensor([len(row) for row in ids], device=self.device)
        return self.network.encode(self._padded(ids), lengths)

    def _padded(self, ids: Sequence[Ids], end: bool = False) -> Tensor:
        return padded(ids, end).to(self.device)


@dataclass(frozen=True)
class _Asked:
    """What is asked of decoding: see ``Translator.translations``."""

    beam: int
    best: int
    length_penalty: float
    alignments: bool
    log_probabilities: bool


def _check_penalty(penalty: float) -> None:
    if not 0 <= penalty <= MOST_PENALTY:
        raise InputError(f"length penalty {penalty}: expected from 0 to {MOST_PENALTY}")


def _checked(text: str) -> str:
    if not isinstance(text, str):
        raise InputError(f"text {text!r}: expected a string")
    return text


def padded(ids: Sequence[Ids], end: bool = False) -> Tensor:
    """Sequences in columns (T, B), padded by the end, which each has once at least if ``end``."""
    table = np.full((max(len(row) for row in ids) + end, len(ids)), END, dtype=np.int64)
    for column, row in enumerate(ids):
        table[: len(row), column] = row
    return torch.from_numpy(table)


class _Tokens(NamedTuple):
    """A pair in tokens."""

    source: list[str]
    target: list[str]


def _longer_side(pair: _Tokens) -> int:
    """The tokens of a pair's longer side, the target's end counted."""
    return max(len(pair.source), len(pair.target) + 1)
