"""``LanguageModel``: a trained model with its vocabulary; load it, measure with it, sample from it, score with it.

>>> model = LanguageModel.untrained("the cat sat\\non the mat\\n", hidden=8, embedding=4)
>>> len(model.sample(length=5, seed=1))
5
>>> round(sum(p for _, p in model.next("the ", k=100)), 6)
1.0
"""

from __future__ import annotations

import copy
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import torch

from seqtree.errors import InputError, check_count
from seqtree.language import evaluation
from seqtree.language.batches import Ids, shift_inputs
from seqtree.language.condition import Classes
from seqtree.language.config import LanguageNetworkConfig, SamplingSettings
from seqtree.language.network import RecurrentLanguageModel
from seqtree.language.pictures import ScoredText
from seqtree.language.prompts import known_tokens, own_line
from seqtree.language.reading import WordScore, score_words, text_line
from seqtree.language.sampling import sample_tokens
from seqtree.language.scoring import Scorer, TokenScore, line_tokens, text_surprisals
from seqtree.language.side_by_side import SideBySide
from seqtree.language.stepper import Reader, Stepper
from seqtree.language.surprisals import surprisals, surrounded
from seqtree.model import Model, untrained
from seqtree.text.config import TextSettings
from seqtree.text.corpus import encode_paths, encode_text, text_tokens
from seqtree.text.documents import line_bounds
from seqtree.text.items import BREAK, as_line, encode_items, part_of_line
from seqtree.text.labelled import read_labelled
from seqtree.text.lines import around_blank
from seqtree.text.reading import Specs, names, normalised, read_blocks, several, whole_lines
from seqtree.text.tokenfile import TokenStream
from seqtree.text.vocabulary import Vocabulary

AT_ONCE = 256  # samples side by side


class LanguageModel(Model[RecurrentLanguageModel]):
    """A recurrent language model over characters or words.

    ``vocabulary`` and ``settings`` say how text becomes tokens, ``network`` predicts the next one. Where the settings
    make each line an item of its own, every line is read from its start, whatever stands before it.

    A model with ``classes`` reads texts without a class, and by ``given(label)`` texts of that class.
    """

    kind = "language-model"
    default_precision = "fp32"

    def __init__(self, vocabulary: Vocabulary, settings: TextSettings, network: RecurrentLanguageModel) -> None:
        if network.vocabulary_size != len(vocabulary):
            raise InputError(
                f"a network over {network.vocabulary_size} tokens does not fit a vocabulary of {len(vocabulary)}"
            )
        if network.classes and not settings.lines:
            raise InputError("texts with classes are lines that are items of their own")
        self.vocabulary, self.settings, self.network = vocabulary, settings, network
        self.label: int | None = None  # the number of the class of every text
        self._stepper: tuple[Any, Stepper] | None = None  # and the mark of the weights that it was made from

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_stepper": None}  # a copy makes its own

    @classmethod
    def untrained(
        cls,
        text: str,
        *,
        unit: str = "char",
        documents: str = "text",
        seed: int = 0,
        classes: Classes | None = None,
        **shape: Any,
    ) -> LanguageModel:
        """A model with random weights over the vocabulary of ``text``.

        ``shape`` are fields of ``LanguageNetworkConfig``.
        """
        settings = TextSettings(unit=unit, documents=documents)
        vocabulary = Vocabulary.build(Counter(text_tokens(text, settings)), settings.unit)
        return cls.over(vocabulary, settings, LanguageNetworkConfig(**shape), seed, classes).to()

    @classmethod
    def over(
        cls,
        vocabulary: Vocabulary,
        settings: TextSettings,
        config: LanguageNetworkConfig,
        seed: int = 0,
        classes: Classes | None = None,
    ) -> LanguageModel:
        """A model with random weights over a vocabulary, with these classes as conditions."""
        network = untrained(lambda: RecurrentLanguageModel(len(vocabulary), config, classes=classes), seed)
        return cls(vocabulary, settings, network)

    def contents(self) -> dict[str, Any]:
        classes = {"classes": self.classes.to_json()} if self.classes else {}
        return classes | {
            "vocabulary": self.vocabulary.to_json(),
            "network": self.network.config.to_json(),
            "text": self.settings.to_json(),
        }

    @classmethod
    def from_contents(cls, contents: dict[str, Any]) -> LanguageModel:
        vocabulary = Vocabulary.from_json(contents["vocabulary"])
        config = LanguageNetworkConfig.from_json(contents["network"])
        classes = Classes.from_json(contents["classes"]) if "classes" in contents else None
        network = RecurrentLanguageModel(len(vocabulary), config, classes=classes)
        return cls(vocabulary, TextSettings.from_json(contents["text"]), network)

    @property
    def classes(self) -> Classes | None:
        """The classes that texts can have, if the model has learned any."""
        return self.network.classes

    def given(self, label: str | None) -> LanguageModel:
        """This model with the same network, for texts of a class, or of any (None).

        Raises InputError for a class it does not know.
        """
        made = copy.copy(self)
        made.label = None if label is None else self._classes().number(label)
        return made

    @property
    def single_lines(self) -> bool:
        """Whether no text that it samples has several lines."""
        return self.settings.lines and not (self.classes and BREAK in self.vocabulary)

    def _classes(self) -> Classes:
        if self.classes is None:
            raise InputError("the model knows no classes: train one with --condition")
        return self.classes

    def evaluate_files(self, paths: Specs, encoding: str = "utf-8") -> evaluation.LanguageEvaluation:
        """Loss, perplexity and bits of text files, the state carried from end to end."""
        return self.evaluate_stream(self.encode_files(paths, encoding))

    def encode_files(
        self,
        paths: Specs,
        encoding: str = "utf-8",
        columns: tuple[str, str] = ("label", "text"),
    ) -> TokenStream:
        """Text files as one stream of tokens, to be measured several times but read once.

        A model with classes reads labelled texts (see ``read_labelled``; ``columns`` are those of tables and JSON
        lines), unless it is ``given`` a class. Raises InputError for labelled ones then.
        """
        paths = names(paths)
        if self.classes is not None and self.label is None:
            items = read_labelled(paths, encoding, *columns)
            return encode_items(items, self.vocabulary, self.settings, self.classes.labels)
        if self.classes is not None:
            for path in filter(os.path.isfile, paths):
                self.classes.check_plain(next(read_blocks(path, encoding), ""), path)
        return encode_paths(paths, self.vocabulary, replace(self.settings, encoding=encoding))

    def evaluate_stream(self, stream: TokenStream, conditioned: bool = True) -> evaluation.LanguageEvaluation:
        """Loss, perplexity and bits of a stream of tokens, and of each class where texts have classes.

        conditioned: whether the model is told these classes.
        """
        if stream.labels is None:
            stream = replace(stream, labels=self._labels(stream.ids, self.label))
        return evaluation.evaluate(self.network, self.vocabulary, stream, self.settings.lines, conditioned)

    def evaluate(self, text: str) -> evaluation.LanguageEvaluation:
        """Loss, perplexity and bits of a text. Raises InputError if it is empty."""
        return self.evaluate_stream(encode_text(text, self.vocabulary, self.settings))

    def perplexity(self, text: str) -> float:
        """exp of the mean surprisal in nats of the tokens of ``text``."""
        return self.evaluate(text).perplexity

    def score(self, text: str) -> ScoredText:
        """The surprisal in bits, -log2 p(token | all before it), of every token of ``text``: a list of TokenScore."""
        tokens = text_tokens(text, self.settings)
        if not tokens:
            return ScoredText([], self.settings.unit)
        ids = self.vocabulary.encode(tokens)
        unknown = (ids == self.vocabulary.unknown).tolist()
        bits = (self.nats(ids, self.label).double() / np.log(2)).tolist()
        scores = (TokenScore(*row) for row in zip(tokens, bits, unknown, strict=True))
        return ScoredText(scores, self.settings.unit)

    def score_lines(self, text: str | Iterable[str], independent: bool = False) -> Iterator[tuple[int, TokenScore]]:
        """The score of every token with the number of its line, from 1; ``independent``: each line is a text by itself.

        Otherwise a line is read after all lines before it, and a last line without a line end gets the end that
        training gives it, so that the surprisals add up to the bits that ``evaluate`` measures. ``text`` may come in
        blocks, and is scored as it comes: some hundred tokens first, then as many as there were before.
        """
        return self.scorer().scores(_lines(text), independent)

    def score_words(
        self, text: str | Iterable[str], independent: bool = False, spaces: str = "before", details: bool = False
    ) -> Iterator[WordScore]:
        """The score of every word of a text as it stands there: a run of characters that are no white space.

        Every token's surprisal counts for one word, so that they add up as those of ``score_lines`` do. ``spaces``: the
        white space ``before`` a word counts for it, and the end of a line for its last word; or that ``after`` it.
        ``details``: also the entropy before the word and the rank of its first token.
        """
        return score_words(self.scorer(details), map(text_line, _lines(text)), independent, spaces)

    def scorer(self, details: bool = False) -> Scorer:
        """What scores the lines of texts; ``details`` as in ``score_words``."""
        surprisals = text_surprisals(self.network, self.vocabulary, details)
        if self.settings.lines:
            surprisals = partial(map, partial(self.nats, label=self.label, details=details))
        return Scorer(self.settings, self.vocabulary, surprisals)

    def part_tokens(self, text: str) -> list[str]:
        """The tokens of the beginning or another part of a text, in which a model with classes reads lines as one."""
        return text_tokens(part_of_line(text, self.settings.unit) if self.classes else text, self.settings)

    def nats(self, ids: np.ndarray, label: int | None = None, details: bool = False) -> torch.Tensor:
        """Surprisals in nats (N,) of ``ids`` (N,), texts of this class; (N, 3) with details, see ``surprisals``."""
        labels, lines = self._labels(ids, label), self.settings.lines
        return torch.cat(list(surprisals(self.network, self.vocabulary, ids, lines, labels, details)))

    def _labels(self, ids: np.ndarray, label: int | None) -> Ids | None:
        """The class of every line of ``ids``, the same for all."""
        return None if label is None else np.full(len(line_bounds(ids, self.vocabulary.end)) - 1, label)

    def class_probabilities(self, texts: Sequence[str]) -> list[np.ndarray | None]:
        """p(class | text) (classes,) of each text, each an item, by Bayes' rule; None for one that is blank.

        It is p(text | class) p(class) / p(text), with the shares of the classes in training as p(class). Raises
        InputError if the model has no classes.
        """
        classes, unit = self._classes(), self.settings.unit
        items = [line_tokens(as_line(text, unit), self.settings) if text.strip() else [] for text in several(texts)]
        known = [number for number, tokens in enumerate(items) if tokens]
        found: list[np.ndarray | None] = [None] * len(items)
        if not known:
            return found
        ids = self.vocabulary.encode([token for number in known for token in items[number]])
        begins = np.cumsum([0, *(len(items[number]) for number in known[:-1])])
        nats = [self.nats(ids, label).double().numpy() for label in range(len(classes.labels))]
        scores = classes.log_priors - np.stack([np.add.reduceat(row, begins) for row in nats], axis=1)
        chances = np.exp(scores - scores.max(axis=1, keepdims=True))
        for number, row in zip(known, chances / chances.sum(axis=1, keepdims=True), strict=True):
            found[number] = row
        return found

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
        stops = (stop,) if isinstance(stop, str) else tuple(several(stop, "stop strings"))
        settings = SamplingSettings(length, temperature, top_k, top_p, stops, seed)
        return "".join(self.sample_pieces(prompt, settings, unknown))

    def sample_pieces(self, prompt: str, settings: SamplingSettings, unknown: str = "fail") -> Iterator[str]:
        """What ``sample`` returns, piece by piece as it is made."""
        self.needs_forward("sample")
        ids = known_tokens(self.vocabulary, self.part_tokens(prompt), unknown)
        return sample_tokens(self.reader(), ids, settings, _spaced(prompt))

    def samples(
        self, prompt: str, settings: SamplingSettings, seeds: Iterable[int], unknown: str = "fail"
    ) -> Iterator[str]:
        """What ``sample`` returns for each of ``seeds``, some hundred of them computed side by side.

        That is many times faster than one after the other. The seed of ``settings`` does not count. A text is the one
        that ``sample`` makes of its seed unless rounding decides between two tokens. Raises InputError for seeds that
        are no whole numbers from 0.
        """
        seeds = list(several(seeds, "seeds"))
        for seed in seeds:
            check_count("seed", seed, 0)
        self.needs_forward("sample")
        ids = known_tokens(self.vocabulary, self.part_tokens(prompt), unknown)
        if self.settings.lines:
            ids, _ = own_line(ids, [], self.vocabulary.end)
        sampler = SideBySide(self.network, self.vocabulary, self.settings.lines, self.label)
        groups = (seeds[begin : begin + AT_ONCE] for begin in range(0, len(seeds), AT_ONCE))
        return chain.from_iterable(sampler.sample(ids, settings, _spaced(prompt), group) for group in groups)

    def reader(self) -> Reader:
        """A text that the model reads from its beginning, token by token."""
        return Reader(self.stepper, self.vocabulary, self.settings.lines, self.label)

    def next(self, text: str = "", k: int = 10, unknown: str = "fail") -> list[tuple[str, float]]:
        """The ``k`` most probable tokens after ``text`` with their probabilities, best first."""
        self.needs_forward("predict the next token")
        ids = known_tokens(self.vocabulary, self.part_tokens(text), unknown)
        return self._best(self.next_distribution(ids), k)

    def next_distribution(self, ids: Sequence[int]) -> np.ndarray:
        """Probabilities (V,) of every token after tokens ``ids``, float64, summing to 1."""
        if self.settings.lines:
            ids, _ = own_line(ids, [], self.vocabulary.end)
        before = torch.tensor([self.vocabulary.start, *ids], device=self.device)
        classes = None if self.label is None else torch.tensor([self.label], device=self.device)
        with torch.inference_mode():
            inputs = shift_inputs(before, self.vocabulary)[:, None]
            output, _ = self.network.eval().hidden_states(inputs, classes=classes)
            distribution: np.ndarray = self.network.decoder(output[-1, 0]).double().softmax(0).cpu().numpy()
            return distribution

    def fill(self, text: str, k: int = 10, blank: str = "____", unknown: str = "map") -> list[tuple[str, float]]:
        """The ``k`` most probable tokens for the ``blank`` in ``text``, from both its sides, best first.

        Raises InputError if the model is not bidirectional or ``text`` does not hold exactly one blank.
        """
        if not self.network.config.bidirectional:
            raise InputError("only a bidirectional model fills blanks: train one with --bidirectional")
        parts = around_blank(text, blank)
        before, after = (known_tokens(self.vocabulary, self.part_tokens(part), unknown) for part in parts)
        if self.settings.lines:
            before, after = own_line(before, after, self.vocabulary.end)
        ids = np.array([*before, self.vocabulary.unknown, *after], dtype=np.int64)
        window = surrounded(ids, self.vocabulary)[:, None]
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
        check_count("k", k)
        order = np.argsort(-probabilities, kind="stable")[:k]
        return [(self.vocabulary.tokens[i], float(probabilities[i])) for i in order]

    def needs_forward(self, what: str) -> None:
        """Raises InputError for a bidirectional model, which cannot do ``what`` (a verb, as in ``sample``)."""
        if self.network.config.bidirectional:
            raise InputError(
                f"a bidirectional model cannot {what}: it reads both sides; use fill, or train without --bidirectional"
            )


def _spaced(prompt: str) -> bool:
    """Whether a word may follow at once."""
    return not prompt or prompt[-1].isspace()


def _lines(text: str | Iterable[str]) -> Iterator[str]:
    """The lines, with their ends, of a string or of a text in blocks."""
    blocks = [normalised(text)] if isinstance(text, str) else several(text, "pieces of text")
    return chain.from_iterable(whole_lines(blocks))
