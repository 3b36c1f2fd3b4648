"""``MaskedLanguageModel``: guesses hidden words from both sides; parsers, taggers and classifiers start from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqtree.errors import InputError, check_count
from seqtree.masked.config import MaskedNetworkConfig
from seqtree.masked.network import FIRST, MaskedNetwork, guessed_words
from seqtree.model import Model, untrained
from seqtree.nn.parallel import in_batches
from seqtree.text.batches import make_batch
from seqtree.text.lexicon import Ids, Lexicon
from seqtree.text.lines import around_blank
from seqtree.text.reading import several
from seqtree.text.sentences import penn_tokens

BLANK = "Xblankx"  # stands for a blank where a text is cut into words
Hidden = tuple[Sequence[str], Ids]  # a sentence, and the places of the words in it that are hidden


class MaskedLanguageModel(Model[MaskedNetwork]):
    """Sentences with hidden words in, probabilities of the most frequent words in their places out."""

    kind = "masked-language-model"

    def __init__(self, lexicon: Lexicon, network: MaskedNetwork) -> None:
        self.lexicon, self.network = lexicon, network

    @classmethod
    def over(cls, lexicon: Lexicon, config: MaskedNetworkConfig, seed: int = 0) -> MaskedLanguageModel:
        """A model with random weights over these words, which expects each as often as it was counted."""
        if not any(lexicon.counts[FIRST:]):
            raise InputError("no word occurs as often as --min-count says, so there is nothing to guess")
        network = untrained(partial(MaskedNetwork, lexicon, config), seed)
        counts = np.array(lexicon.counts[FIRST : FIRST + len(network.bias)]) + 1
        with torch.no_grad():
            network.bias.copy_(torch.from_numpy(np.log(counts / counts.sum())))
        return cls(lexicon, network)

    def contents(self) -> dict[str, Any]:
        return {"lexicon": self.lexicon.to_json(), "network": self.network.config.to_json()}

    @classmethod
    def from_contents(cls, contents: dict[str, Any]) -> MaskedLanguageModel:
        lexicon = Lexicon.from_json(contents["lexicon"])
        return cls(lexicon, MaskedNetwork(lexicon, MaskedNetworkConfig.from_json(contents["network"])))

    @classmethod
    def upgraded(cls, contents: dict[str, Any], tensors: dict[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Without words that are guessed though the text never had them, as there once were for special ones in it."""
        lexicon, config = Lexicon.from_json(contents["lexicon"]), MaskedNetworkConfig.from_json(contents["network"])
        return contents, {**tensors, "bias": tensors["bias"][: guessed_words(lexicon, config)]}

    def targets(self, words: Sequence[str]) -> Ids:
        """The number of each word (n,) among those that are guessed; -1 for any other.

        Raises InputError for one string.
        """
        numbers = self.lexicon.encode(list(several(words, "words"))) - FIRST
        return np.where((numbers >= 0) & (numbers < len(self.network.bias)), numbers, -1)

    def log_probabilities(self, sentences: Iterable[Hidden]) -> Iterator[np.ndarray]:
        """For each sentence the log probabilities (M, K) of the K words that are guessed at its M hidden places.

        A sentence is its words and the places (M,), from 0, of those that are hidden. Raises InputError for one without
        words, and for places that are not in it.
        """
        checked = map(_checked, several(sentences, "sentences"))
        for found in in_batches(self._log_probabilities, checked, self.device, lambda one: len(one[0])):
            assert found is not None  # a sentence has a word
            yield found

    def fill(self, text: str, k: int = 10, blank: str = "____") -> list[tuple[str, float]]:
        """The ``k`` most probable words for the ``blank`` in ``text``, from both its sides, best first.

        ``text`` is one sentence. Raises InputError if it does not hold exactly one blank, as a word of its own.
        """
        check_count("k", k)
        words = [form for _, form in penn_tokens(BLANK.join(around_blank(text, blank)), self.lexicon.words)]
        if BLANK not in words:
            raise InputError(f"{text!r}: expected the blank as a word of its own")
        (found,) = self.log_probabilities([(words, np.array([words.index(BLANK)]))])
        order = np.argsort(-found[0], kind="stable")[:k]
        return [(self.lexicon.words.tokens[FIRST + i], float(np.exp(found[0, i]))) for i in order]

    @torch.inference_mode()
    def _log_probabilities(self, sentences: Sequence[Hidden]) -> list[np.ndarray]:
        network = self.network.eval()
        words = [one for one, _ in sentences]
        batch = make_batch(words, [self.lexicon.encode(one) for one in words], self.lexicon)
        guessed = np.concatenate(
            [offset + places for offset, (_, places) in zip(batch.offsets, sentences, strict=True)]
        )
        hidden = torch.zeros(int(batch.lengths.sum()), dtype=torch.bool, device=self.device)
        numbers = network.words.ids(guessed)
        hidden[numbers] = True
        found = network(batch, hidden, numbers).float().log_softmax(dim=1).cpu().numpy()
        return np.split(found, np.cumsum([len(places) for _, places in sentences])[:-1])


def _checked(sentence: Hidden) -> Hidden:
    """A sentence and its places as an array. Raises InputError as ``log_probabilities`` does."""
    try:
        words, given = sentence
    except (TypeError, ValueError):
        raise InputError(f"expected a sentence as (words, places), not {sentence!r:.60}") from None
    if isinstance(words, str) or not len(words):
        raise InputError(f"expected the words of a sentence, one or more in a list, not {words!r:.60}")
    places = np.asarray(given)
    if places.ndim != 1 or (places.dtype.kind not in "iu" and len(places)):
        raise InputError(f"hidden places of {places.dtype}, shape {places.shape}; expected whole numbers (M,)")
    if len(outside := places[(places < 0) | (places >= len(words))]):
        raise InputError(f"hidden place {outside[0]}: expected from 0 to {len(words) - 1}, as the sentence has words")
    return words, places.astype(np.int64)
