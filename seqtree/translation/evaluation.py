"""Measuring a translator on pairs: BLEU and chrF, exact matches, errors by token, loss."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqtree.errors import InputError
from seqtree.translation.data import Pair
from seqtree.translation.model import Translator

TOKENIZERS = ("13a", "intl", "zh", "char", "none")  # of sacrebleu


@dataclass(frozen=True)
class TranslationEvaluation:
    """``bleu`` and ``chrf`` from 0 to 100 (None without sacrebleu), ``exact_match`` a share of the sources.

    ``token_error_rate`` is the number of tokens to insert, delete or replace, over those of the targets. ``loss`` is
    the mean of the target tokens' surprisals (nats), ends included: ``tokens``, of which ``unknown_tokens`` are
    measured as ``<unk>``. ``items`` are distinct sources.
    """

    bleu: float | None
    chrf: float | None
    exact_match: float
    token_error_rate: float
    loss: float
    tokens: int
    unknown_tokens: int
    items: int
    items_per_second: float

    @property
    def reservations(self) -> list[str]:
        """Why the loss does not compare with that of other models."""
        some = f"{self.unknown_tokens:,} of {self.tokens:,} target tokens are unknown to the model"
        return [f"{some} and measured as <unk>, not as written: a loss as low as that says little"] * bool(
            self.unknown_tokens
        )

    def to_json(self) -> dict[str, Any]:
        """The figures with their names."""
        return {
            "bleu": self.bleu,
            "chrf": self.chrf,
            "exact_match": round(self.exact_match, 6),
            "token_error_rate": round(self.token_error_rate, 6),
            "loss": self.loss,
            "tokens": self.tokens,
            "unknown_tokens": self.unknown_tokens,
            "items": self.items,
            "items_per_second": round(self.items_per_second, 1),
        }


def evaluate(
    translator: Translator,
    pairs: Sequence[Pair],
    beam: int = 5,
    length_penalty: float = 1.0,
    bleu_tokenizer: str = "13a",
) -> TranslationEvaluation:
    """Translate each distinct source, and compare with its targets, of which any counts.

    Tokens are words, or characters where the model's are; of several targets the error rate takes the nearest.
    bleu_tokenizer: one of ``TOKENIZERS``. Raises InputError for another, and if there is no pair.
    """
    if bleu_tokenizer not in TOKENIZERS:
        raise InputError(f"bleu_tokenizer {bleu_tokenizer!r}: expected one of {', '.join(TOKENIZERS)}")
    if not pairs:
        raise InputError("no pairs to measure the translator on")
    targets: dict[str, list[str]] = {}
    for pair in pairs:
        targets.setdefault(pair.source, []).append(translator.target.normal(pair.target))
    began = time.perf_counter()
    found = [best[0].text for best in translator.translations(targets, beam=beam, length_penalty=length_penalty)]
    seconds = time.perf_counter() - began
    references = list(targets.values())
    scored = list(translator.score((pair.source, pair.target) for pair in pairs))
    losses = [one.log_probabilities or () for one in scored]
    bleu, chrf = _bleu_and_chrf(found, references, bleu_tokenizer)
    cut = list if translator.target.unit == "char" else str.split
    return TranslationEvaluation(
        bleu,
        chrf,
        sum(text in right for text, right in zip(found, references, strict=True)) / len(found),
        error_rate([cut(text) for text in found], [[cut(text) for text in right] for right in references]),
        -sum(map(sum, losses)) / sum(map(len, losses)),
        sum(map(len, losses)),
        sum(translator.target.unknown(one.tokens) for one in scored),
        len(found),
        len(found) / seconds,
    )


def error_rate(found: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]) -> float:
    """Edits from each sequence to the nearest of its references, over the tokens of those references."""
    edits = tokens = 0
    for one, right in zip(found, references, strict=True):
        least, length = min((distance(one, reference), len(reference)) for reference in right)
        edits, tokens = edits + least, tokens + length
    return edits / max(1, tokens)


def distance(first: Sequence[str], second: Sequence[str]) -> int:
    """The fewest insertions, deletions and replacements from one sequence to the other (Levenshtein 1966).

    >>> distance("kitten", "sitting")
    3
    """
    numbers = {token: number for number, token in enumerate({*first, *second})}
    across = np.array([numbers[token] for token in second], dtype=np.int64)
    places = np.arange(len(second) + 1)
    row = places.copy()  # edits from the first tokens of ``first`` to each beginning of ``second``
    for count, token in enumerate(first, 1):
        reached = np.minimum(row[1:] + 1, row[:-1] + (across != numbers[token]))
        row = np.minimum.accumulate(np.concatenate([[count], reached]) - places) + places  # and by insertions
    return int(row[-1])


def _bleu_and_chrf(
    found: Sequence[str], references: Sequence[Sequence[str]], tokenizer: str
) -> tuple[float | None, float | None]:
    """Both by sacrebleu, each text with all its references; None where it is not installed."""
    try:
        import sacrebleu
    except ImportError:
        return None, None
    columns: Any = [
        [right[number] if number < len(right) else None for right in references]
        for number in range(max(map(len, references)))
    ]
    bleu = sacrebleu.corpus_bleu(list(found), columns, tokenize=tokenizer, force=True).score
    chrf = sacrebleu.corpus_chrf(list(found), columns).score
    return min(100.0, float(bleu)), min(100.0, float(chrf))  # rounding takes sacrebleu beyond
