"""``LanguageModel``: a trained model with its vocabulary; load it, measure with it, sample from it, score with it.

>>> model = LanguageModel.untrained("the cat sat\\non the mat\\n", hidden=8, embedding=4)
>>> len(model.sample(length=5, seed=1))
5
>>> round(sum(p for _, p in model.next("the ", k=100)), 6)
1.0
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from seqtree.errors import InputError
from seqtree.language import evaluation
from seqtree.language.batches import shift_inputs
from seqtree.language.config import LanguageNetworkConfig, SamplingSettings
from seqtree.language.network import RecurrentLanguageModel
from seqtree.language.prompts import known_tokens, own_line
from seqtree.language.sampling import sample_tokens
from seqtree.language.stepper import Reader, Stepper
from seqtree.model import Model, untrained
from seqtree.text.config import TextSettings
from seqtree.text.corpus import encode_paths, encode_text, text_tokens
from seqtree.text.reading import normalised, whole_lines
from seqtree.text.tokenfile import TokenStream
from seqtree.text.vocabulary import Vocabulary

SCORED = 1 << 14  # tokens of lines that are scored at a time


class TokenScore(NamedTuple):
    """A token, its surprisal in bits, and whether it is outside the vocabulary (scored as ``<unk>``)."""

    token: str
    surprisal: float
    unknown: bool


class LanguageModel(Model[RecurrentLanguageModel]):
    """A recurrent language model over characters or words.

    ``vocabulary`` and ``settings`` say how text becomes tokens, ``network`` predicts the next one. Where the settings
    make each line an item of its own, every line is read from its start, whatever stands before it.
    """

    kind = "language-model"
    default_precision = "fp32"

    def __init__(self, vocabulary: Vocabulary, settings: TextSettings, network: RecurrentLanguageModel) -> None:
        if network.vocabulary_size != len(vocabulary):
            raise InputError(
                f"a network over {network.vocabulary_size} tokens does not fit a vocabulary of {len(vocabulary)}"
            )
        self.vocabulary, self.settings, self.network = vocabulary, settings, network
        self._stepper: tuple[Any, Stepper] | None = None  # and the mark of the weights that it was made from

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_stepper": None}  # a copy makes its own

    @classmethod
    def untrained(
        cls, text: str, *, unit: str = "char", documents: str = "text", seed: int = 0, **shape: Any
    ) -> LanguageModel:
        """A model with random weights over the vocabulary of ``text``.

        ``shape`` are fields of ``LanguageNetworkConfig``.
        """
        settings = TextSettings(unit=unit, documents=documents)
        vocabulary = Vocabulary.build(Counter(text_tokens(text, settings)), settings.unit)
        return cls.over(vocabulary, settings, LanguageNetworkConfig(**shape), seed).to()

    @classmethod
    def over(
        cls, vocabulary: Vocabulary, settings: TextSettings, config: LanguageNetworkConfig, seed: int = 0
    ) -> LanguageModel:
        """A model with random weights over a vocabulary."""
        return cls(vocabulary, settings, untrained(lambda: RecurrentLanguageModel(len(vocabulary), config), seed))

    def contents(self) -> dict[str, Any]:
        return {
            "vocabulary": self.vocabulary.to_json(),
            "network": self.network.config.to_json(),
            "text": self.settings.to_json(),
        }

    @classmethod
    def from_contents(cls, contents: dict[str, Any]) -> LanguageModel:
        vocabulary = Vocabulary.from_json(contents["vocabulary"])
        config = LanguageNetworkConfig.from_json(contents["network"])
        network = RecurrentLanguageModel(len(vocabulary), config)
        return cls(vocabulary, TextSettings.from_json(contents["text"]), network)

    def evaluate_files(self, paths: Sequence[str | Path], encoding: str = "utf-8") -> evaluation.LanguageEvaluation:
        """Loss, perplexity and bits of text files, the state carried from end to end."""
        return self.evaluate_stream(self.encode_files(paths, encoding))

    def encode_files(self, paths: Sequence[str | Path], encoding: str = "utf-8") -> TokenStream:
        """Text files as one stream of tokens, to be measured several times but read once."""
        return encode_paths(paths, self.vocabulary, replace(self.settings, encoding=encoding))

    def evaluate_stream(self, stream: TokenStream) -> evaluation.LanguageEvaluation:
        """Loss, perplexity and bits of a stream of tokens."""
        return evaluation.evaluate(self.network, self.vocabulary, stream, self.settings.lines)

    def evaluate(self, text: str) -> evaluation.LanguageEvaluation:
        """Loss, perplexity and bits of a text. Raises InputError if it is empty."""
        return self.evaluate_stream(encode_text(text, self.vocabulary, self.settings))

    def perplexity(self, text: str) -> float:
        """exp of the mean surprisal in nats of the tokens of ``text``."""
        return self.evaluate(text).perplexity

    def score(self, text: str) -> list[TokenScore]:
        """The surprisal in bits, -log2 p(token | all before it), of every token of ``text``."""
        tokens = text_tokens(text, self.settings)
        if not tokens:
            return []
        ids = self.vocabulary.encode(tokens)
        unknown = (ids == self.vocabulary.unknown).tolist()
        bits = (self._nats(ids).double() / np.log(2)).tolist()
        return [TokenScore(*row) for row in zip(tokens, bits, unknown, strict=True)]

    def score_lines(self, text: str | Iterable[str], independent: bool = False) -> Iterator[tuple[int, TokenScore]]:
        """The score of every token with the number of its line, from 1; ``independent``: each line is a text by itself.

        Otherwise a line is read after all lines before it, and a last line without a line end gets the end that
        training gives it, so that the surprisals add up to the bits that ``evaluate`` measures. ``text`` may come in
        blocks; it is scored as it comes, by a bidirectional model a few hundred tokens later.
        """
        blocks = whole_lines([normalised(text)] if isinstance(text, str) else text)
        if independent and not self.settings.lines:
            for number, line in enumerate(chain.from_iterable(blocks), 1):
                yield from ((number, score) for score in self.score(line))
            return
        batches = self._numbered_tokens(blocks)
        read: deque[tuple[list[tuple[int, str]], np.ndarray]] = deque()

        def windows() -> Iterator[np.ndarray]:
            for batch in batches:
                read.append((batch, self.vocabulary.encode([token for _, token in batch])))
                yield read[-1][1]

        found: Iterator[torch.Tensor]
        if self.settings.lines:
            found = (self._nats(ids) for ids in windows())
        else:
            found = evaluation.streamed_surprisals(self.network, self.vocabulary, windows())
        for nats in found:
            batch, ids = read.popleft()
            bits, unknown = (nats.double() / np.log(2)).tolist(), (ids == self.vocabulary.unknown).tolist()
            for (number, token), surprisal, unseen in zip(batch, bits, unknown, strict=True):
                yield number, TokenScore(token, surprisal, unseen)

    def _numbered_tokens(self, blocks: Iterable[list[str]]) -> Iterator[list[tuple[int, str]]]:
        """The tokens of a text with the numbers of their lines, as many at a time as are scored together."""
        lines = ((number, self._line_tokens(line)) for number, line in enumerate(chain.from_iterable(blocks), 1))
        if not self.settings.lines:
            tokens = ((number, token) for number, found in lines for token in found)
            yield from iter(lambda: list(islice(tokens, evaluation.WINDOW)), [])
            return
        batch: list[tuple[int, str]] = []
        for number, found in lines:
            batch += [(number, token) for token in found]
            if len(batch) >= SCORED:
                yield batch
                batch = []
        if batch:
            yield batch

    def _line_tokens(self, line: str) -> list[str]:
        """The tokens of a line, with the end that a last line without one is given."""
        ends = (self.settings.unit == "word" or self.settings.lines) and not line.endswith("\n")
        return text_tokens(line + "\n" * ends, self.settings)

    def _nats(self, ids: np.ndarray) -> torch.Tensor:
        """Surprisals in nats (N,) of ``ids`` (N,)."""
        found = evaluation.surprisals(self.network, self.vocabulary, ids, self.settings.lines)
        return torch.cat(list(found))

    def sample(
        self,
        prompt: str = "",
        length: int = 500,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        stop: str | Sequence[str] = (),
        seed: int | None = None,
        unknown: str = "fail",
    ) -> str:
        """Text that goes on from ``prompt`` (not included): ``length`` tokens, or up to a stop string.

        A model of single lines stops before the end of the line. ``stop`` is one string or several. The same seed gives
        the same text. ``unknown`` says what to do with tokens of the prompt that the model has never seen: ``fail``
        (InputError that names them), ``skip`` or ``map`` (to ``<unk>``).
        """
        stops = (stop,) if isinstance(stop, str) else tuple(stop)
        settings = SamplingSettings(length, temperature, top_k, top_p, stops, seed)
        return "".join(self.sample_pieces(prompt, settings, unknown))

    def sample_pieces(self, prompt: str, settings: SamplingSettings, unknown: str = "fail") -> Iterator[str]:
        """What ``sample`` returns, piece by piece as it is made."""
        self._needs_forward("sample")
        ids = known_tokens(self.vocabulary, self.settings, prompt, unknown)
        spaced = not prompt or prompt[-1].isspace()
        return sample_tokens(Reader(self.stepper, self.vocabulary, self.settings.lines), ids, settings, spaced)

    def next(self, text: str = "", k: int = 10, unknown: str = "fail") -> list[tuple[str, float]]:
        """The ``k`` most probable tokens after ``text`` with their probabilities, best first."""
        self._needs_forward("predict the next token")
        ids = known_tokens(self.vocabulary, self.settings, text, unknown)
        return self._best(self.next_distribution(ids), k)

    def next_distribution(self, ids: Sequence[int]) -> np.ndarray:
        """Probabilities (V,) of every token after tokens ``ids``, float64, summing to 1."""
        if self.settings.lines:
            ids, _ = own_line(ids, [], self.vocabulary.end)
        before = torch.tensor([self.vocabulary.start, *ids], device=self.device)
        with torch.inference_mode():
            output, _ = self.network.eval().hidden_states(shift_inputs(before, self.vocabulary)[:, None])
            distribution: np.ndarray = self.network.decoder(output[-1, 0]).double().softmax(0).cpu().numpy()
            return distribution

    def fill(self, text: str, k: int = 10, blank: str = "____", unknown: str = "map") -> list[tuple[str, float]]:
        """The ``k`` most probable tokens for the ``blank`` in ``text``, from both its sides, best first.

        Raises InputError if the model is not bidirectional or ``text`` does not hold exactly one blank.
        """
        if not self.network.config.bidirectional:
            raise InputError("only a bidirectional model fills blanks: train one with --bidirectional")
        if text.count(blank) != 1:
            raise InputError(f"{text!r} holds {text.count(blank)} blanks ({blank}), expected exactly one")
        before, after = (known_tokens(self.vocabulary, self.settings, part, unknown) for part in text.split(blank))
        if self.settings.lines:
            before, after = own_line(before, after, self.vocabulary.end)
        ids = np.array([*before, self.vocabulary.unknown, *after], dtype=np.int64)
        window = evaluation.surrounded(ids, self.vocabulary)[:, None]
        with torch.inference_mode():
            output = self.network.eval().surrounded_states(window.to(self.device))
            probabilities = self.network.decoder(output[len(before), 0]).double().softmax(0).cpu().numpy()
        return self._best(probabilities, k)

    def to_nltk(self) -> Any:
        """This model as an ``nltk.lm.api.LanguageModel``. Raises InputError if it is bidirectional."""
        from seqtree.language.nltk_adapter import NltkLanguageModel

        return NltkLanguageModel(self)

    @property
    def stepper(self) -> Stepper:
        """The network as a NumPy stepper, made on first use and whenever the weights have changed since."""
        mark, made = self.network.mark(), self._stepper
        if made is None or made[0] != mark:
            self._stepper = made = mark, Stepper(self.network)  # put there at once, so that threads see both or neither
        return made[1]

    def _best(self, probabilities: np.ndarray, k: int) -> list[tuple[str, float]]:
        if k < 1:
            raise InputError(f"k {k}: expected at least 1")
        order = np.argsort(-probabilities, kind="stable")[:k]
        return [(self.vocabulary.tokens[i], float(probabilities[i])) for i in order]

    def _needs_forward(self, what: str) -> None:
        if self.network.config.bidirectional:
            raise InputError(
                f"a bidirectional model cannot {what}: it reads both sides; use fill, or train without --bidirectional"
            )
