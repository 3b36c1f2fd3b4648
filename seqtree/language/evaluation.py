"""Measuring a language model: surprisals with the state carried over the whole text or line, always in float32."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqtree.language.batches import Ids
from seqtree.language.network import RecurrentLanguageModel
from seqtree.language.surprisals import surprisals
from seqtree.text.documents import line_bounds
from seqtree.text.perplexity import perplexity
from seqtree.text.tokenfile import TokenStream
from seqtree.text.vocabulary import Vocabulary


@dataclass(frozen=True)
class LanguageEvaluation:
    """loss: nats per token; perplexity exp(loss); bits per character and byte: all bits over the text's length.

    both_sides: whether each token was predicted from those after it as well (a bidirectional model).
    by_class: for texts with classes, the figures of each class among them: loss, perplexity, tokens, items.
    """

    loss: float
    perplexity: float
    bits_per_character: float
    bits_per_byte: float
    tokens: int
    unknown_tokens: int
    tokens_per_second: float
    both_sides: bool = False
    by_class: dict[str, dict[str, float]] | None = None

    @property
    def comparable(self) -> bool:
        """Whether the bits are those of the text itself, and so compare with those of other models."""
        return not self.reservations

    @property
    def reservations(self) -> list[str]:
        """Why the bits do not compare with those of other models."""
        unknown = f"{self.unknown_tokens:,} of {self.tokens:,} tokens are unknown and measured as <unk>, not as written"
        sides = "the model is bidirectional: each token was predicted from both sides"
        return [unknown] * bool(self.unknown_tokens) + [sides] * self.both_sides

    def to_json(self) -> dict[str, Any]:
        """The fields, ``by_class`` for texts with classes only, and ``comparable``."""
        figures = {name: value for name, value in asdict(self).items() if (name, value) != ("by_class", None)}
        return {**figures, "comparable": self.comparable}


def evaluate(
    network: RecurrentLanguageModel,
    vocabulary: Vocabulary,
    stream: TokenStream,
    lines: bool = False,
    conditioned: bool = True,
) -> LanguageEvaluation:
    """Measure a whole stream from the zero state, each token after all before it; or each of its ``lines`` so.

    conditioned: whether the network is told the classes of a stream that has them.
    """
    began = time.perf_counter()
    parts = surprisals(network, vocabulary, stream.ids, lines, stream.labels if conditioned else None)
    tally = None if stream.labels is None else _ClassTally(stream.ids, stream.labels, vocabulary)
    totals = []
    for part in parts:
        totals.append(part.sum(dtype=torch.float64).item())
        if tally is not None:
            tally.add(part)
    total = math.fsum(totals)
    seconds = max(time.perf_counter() - began, 1e-9)
    loss, bits = total / len(stream), total / math.log(2)
    return LanguageEvaluation(
        loss,
        perplexity(loss),
        bits / stream.characters,
        bits / stream.bytes,
        len(stream),
        stream.unknown,
        len(stream) / seconds,
        network.config.bidirectional,
        tally.figures(network.classes.labels.names) if tally and network.classes else None,
    )


class _ClassTally:
    """Adds up surprisals by the classes of the lines that they are in."""

    def __init__(self, ids: np.ndarray, labels: Ids, vocabulary: Vocabulary) -> None:
        lengths = np.diff(line_bounds(ids, vocabulary.end))
        self.of_token, self.of_item = np.repeat(labels, lengths), labels
        self.nats, self.seen = np.zeros(int(labels.max()) + 1), 0

    def add(self, nats: Tensor) -> None:
        """The surprisals (T,) of the next tokens."""
        here = self.of_token[self.seen : self.seen + len(nats)]
        self.nats += np.bincount(here, weights=nats.double().numpy(), minlength=len(self.nats))
        self.seen += len(nats)

    def figures(self, names: Sequence[str]) -> dict[str, dict[str, float]]:
        tokens, items = np.bincount(self.of_token), np.bincount(self.of_item)
        found = {}
        for number in np.flatnonzero(items).tolist():
            count, loss = int(tokens[number]), float(self.nats[number] / tokens[number])
            found[names[number]] = {
                "loss": loss,
                "perplexity": perplexity(loss),
                "tokens": count,
                "items": int(items[number]),
            }
        return found
