"""Dynamic evaluation: a language model that goes on learning from the text that it is measured on.

Krause, Kahembwe, Murray and Renals 2018: each piece of the text is measured first, and then learned from, so that every
token is still predicted from those before it alone. Here by plain gradient descent on all weights, which are drawn back
to what they were trained to be.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from seqtree.errors import InputError, check_count
from seqtree.language.model import LanguageModel
from seqtree.language.surprisals import in_windows, next_states
from seqtree.text.perplexity import perplexity
from seqtree.text.tokenfile import TokenStream

RATE, DECAY, WINDOW = 0.1, 2e-3, 20
MAX_RATE = 100.0
CLIP = 1.0  # the largest norm of a piece's gradient


def check_reads_through(model: LanguageModel, what: str) -> None:
    """Raises InputError for a model that reads both sides, or single lines, which ``what`` cannot measure."""
    if model.network.config.bidirectional or model.settings.lines:
        raise InputError(f"{what} needs a model that reads a whole text from its beginning")


def dynamic_evaluation(
    model: LanguageModel, stream: TokenStream, rate: float = RATE, decay: float = DECAY, window: int = WINDOW
) -> dict[str, Any]:
    """Loss in nats per token and perplexity of a stream, ``window`` tokens at a time; ``model`` itself stays as it is.

    rate: of the descent along the mean gradient of a piece. decay: the share of the way back to its trained value that
    each weight goes after a piece. Raises InputError for a rate, a decay or a window out of bounds, and a model that
    reads both sides or single lines.
    """
    if not 0 < rate <= MAX_RATE:
        raise InputError(f"rate {rate:g}: expected more than 0 and at most {MAX_RATE:g}")
    if not 0 <= decay < 1:
        raise InputError(f"decay {decay:g}: expected at least 0 and less than 1")
    check_count("window", window)
    check_reads_through(model, "dynamic evaluation")
    network, vocabulary = copy.deepcopy(model.network).eval(), model.vocabulary
    network.products = None
    parameters = list(network.parameters())
    trained = [parameter.detach().clone() for parameter in parameters]
    state, before, total = network.recurrent.zero_state(1, network.decoder.weight), vocabulary.start, 0.0
    for ids in in_windows(stream.ids, window):
        output, targets, state = next_states(network, vocabulary, ids, state, before)
        before, state = int(ids[-1]), tuple(part.detach() for part in state)
        loss = F.cross_entropy(network.decoder(output), targets)
        total += loss.item() * len(targets)
        network.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, CLIP, foreach=True)
        with torch.no_grad():
            for parameter, value in zip(parameters, trained, strict=True):
                if parameter.grad is not None:
                    parameter.sub_(parameter.grad, alpha=rate).lerp_(value, decay)
    mean = total / len(stream)
    return {"loss": mean, "perplexity": perplexity(mean), "rate": rate, "decay": decay, "window": window}
