"""Many samples of a model side by side: a step is one matrix product for all of them.

Each has its own random numbers, those of its seed alone. Its text is then that of its seed alone too, unless rounding
decides between two tokens: one product for many rows adds up in another order than a row's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqtree.language.batches import shift_inputs
from seqtree.language.config import SamplingSettings
from seqtree.language.network import RecurrentLanguageModel
from seqtree.language.sampling import Spelling, choose_rows, gumbel_noise, never_sampled
from seqtree.language.stepper import line_ends
from seqtree.nn.recurrent import State
from seqtree.text.vocabulary import Vocabulary


class SideBySide:
    """Samples of a network; ``lines``: a text ends before the end of its line; ``label``: the number of its class."""

    def __init__(
        self, network: RecurrentLanguageModel, vocabulary: Vocabulary, lines: bool, label: int | None = None
    ) -> None:
        self.network, self.vocabulary, self.lines, self.label = network, vocabulary, lines, label

    @torch.inference_mode()
    def sample(
        self, prompt: Sequence[int], settings: SamplingSettings, spaced: bool, seeds: Sequence[int]
    ) -> list[str]:
        """A text of each of ``seeds`` that goes on from token indices ``prompt``; see ``sample_tokens``."""
        ends, banned = line_ends(self.vocabulary, self.network.classes is not None), never_sampled(self.vocabulary)
        texts = [_Text(Spelling(self.vocabulary, ends, spaced), settings.stop) for _ in seeds]
        going, noises = np.arange(len(seeds)), [gumbel_noise(settings, len(self.vocabulary), seed) for seed in seeds]
        output, state = self._read(torch.tensor([[token] for token in (self.vocabulary.start, *prompt)]), None)
        output, state = output[-1:].expand(1, len(seeds), -1), _rows(state, np.zeros(len(seeds), np.int64))
        for _ in range(settings.length):
            logits = self.network.decoder(output[0]).cpu().numpy()
            logits[:, banned] = -np.inf
            noise = np.concatenate([next(noises[row]) for row in going.tolist()])  # quicker than stack()
            tokens = choose_rows(logits, settings, noise.reshape(logits.shape))
            kept = np.flatnonzero(tokens != self.vocabulary.end) if self.lines else np.arange(len(tokens))
            for row, token in zip(going[kept].tolist(), tokens[kept].tolist(), strict=True):
                texts[row].tokens.append(token)
            if settings.stop:
                kept = kept[[texts[row].goes_on() for row in going[kept].tolist()]]
            if not len(kept):
                break
            if len(kept) < len(going):
                going, tokens, state = going[kept], tokens[kept], _rows(state, kept)
            output, state = self._read(torch.as_tensor(tokens)[None], state)
        return [text.text + text.rest() for text in texts]

    def _read(self, tokens: Tensor, state: State | None) -> tuple[Tensor, State]:
        """The states after tokens (T, N): of the last layer (T, N, H), and of all to go on from."""
        device = self.network.decoder.weight.device
        classes = None if self.label is None else torch.full(tokens.shape[1:], self.label, device=device)
        inputs = shift_inputs(tokens.to(device), self.vocabulary)
        return self.network.eval().hidden_states(inputs, state, classes)


class _Text:
    """A text that is being made: what is spelled of it, and the ``tokens`` after that."""

    def __init__(self, spelling: Spelling, stops: Sequence[str]) -> None:
        self.text, self.tokens, self._spelling, self._stops = "", list[int](), spelling, stops

    def goes_on(self) -> bool:
        """Spell the tokens; False if they make a stop string, before which the text then ends."""
        before = len(self.text)
        self.text += self.rest()
        found = [self.text.find(stop, max(0, before - len(stop) + 1)) for stop in self._stops]
        ends = [place for place in found if place >= 0]
        if ends:
            self.text = self.text[: min(ends)]
        return not ends

    def rest(self) -> str:
        """The text of the tokens that were not spelled before."""
        spelled = "".join(map(self._spelling.piece, self.tokens))
        self.tokens.clear()
        return spelled


def _rows(state: State, rows: npt.NDArray[np.int64]) -> State:
    """Some rows of a state (layers, N, H)."""
    return tuple(part[:, torch.as_tensor(rows)] for part in state)
