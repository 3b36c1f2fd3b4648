"""A cache beside a language model: words come again, most of all where the network was in a similar state before.

Grave, Joulin and Usunier 2017: the cache holds the states h_i of the last places and the tokens x_i that followed them.
In state h, with flatness t and weight w, the probability of a token x is

    (1 - w) p(x) + w sum over i with x_i = x of exp(t h . h_i) / sum over all i of exp(t h . h_i).

What flatness and weight suit a text is not known before. So all of some are taken together, the plain model among them,
each with the probability that it has from the tokens before, by the rule of Bayes: over a text this costs no more than
the logarithm of their number, shared by all tokens, and every token is still predicted from those before it alone.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import torch
from torch import Tensor

from seqtree.errors import InputError
from seqtree.language.dynamic import check_reads_through
from seqtree.language.model import LanguageModel
from seqtree.language.surprisals import cross_entropies, states_and_targets
from seqtree.text.perplexity import perplexity
from seqtree.text.tokenfile import TokenStream

SIZE, MAX_SIZE = 2000, 100_000
FLATNESS = (0.05, 0.1, 0.2, 0.4, 0.8)
WEIGHTS = (0.03, 0.06, 0.12, 0.25, 0.5)
SETTINGS = ((0.0, 0.0), *product(FLATNESS, WEIGHTS))  # the plain model first


@torch.inference_mode()
def cache_evaluation(model: LanguageModel, stream: TokenStream, size: int = SIZE) -> dict[str, Any]:
    """Loss in nats per token and perplexity of a stream, with a cache of its last ``size`` tokens.

    ``flatness`` and ``weight`` are the ones that turn out most probable, both 0 for the plain model. Raises InputError
    for a size out of bounds, and a model that reads both sides or single lines.
    """
    if not 1 <= size <= MAX_SIZE:
        raise InputError(f"size {size}: expected 1 to {MAX_SIZE:,}")
    check_reads_through(model, "a cache")
    network = model.network.eval()
    cached: tuple[Tensor, ...] = ()
    belief, total = torch.zeros(len(SETTINGS), dtype=torch.float64), 0.0
    for states, tokens in states_and_targets(network, model.vocabulary, stream.ids):
        plain = -cross_entropies(network, states, tokens)
        seen, known = map(torch.cat, zip(cached, (states, tokens), strict=True)) if cached else (states, tokens)
        chances = _chances(plain, states, tokens, seen, known, size).double().cpu()  # (T, settings)
        believed = belief + torch.cumsum(chances, dim=0) - chances  # before each token
        total -= torch.logsumexp(believed.log_softmax(dim=1) + chances, dim=1).sum().item()
        belief += chances.sum(dim=0)
        cached = seen[-size:], known[-size:]
    mean, (flatness, weight) = total / len(stream), SETTINGS[int(belief.argmax())]
    return {"loss": mean, "perplexity": perplexity(mean), "size": size, "flatness": flatness, "weight": weight}


def _chances(plain: Tensor, states: Tensor, tokens: Tensor, seen: Tensor, known: Tensor, size: int) -> Tensor:
    """The logarithms (T, settings) of the probabilities of ``tokens`` (T,) by each of the settings.

    plain: those by the model (T,). states: what it was in (T, H). seen, known: all states (C, H), these the last of
    them, and the tokens (C,) that followed. Where there is nothing in the cache, the model is right.
    """
    place = torch.arange(len(seen), device=seen.device)
    now = place[-len(states) :, None]
    inside = (place < now) & (place >= now - size)  # (T, C)
    alike = (states @ seen.T).masked_fill(~inside, -math.inf)
    same = alike.masked_fill(known != tokens[:, None], -math.inf)
    empty, found = ~inside.any(dim=1), [plain]
    for flatness in FLATNESS:
        cache = torch.logsumexp(flatness * same, dim=1) - torch.logsumexp(flatness * alike, dim=1)
        cache = torch.where(empty, plain, cache)
        found += [torch.logaddexp(plain + math.log1p(-weight), cache + math.log(weight)) for weight in WEIGHTS]
    return torch.stack(found, dim=1)
