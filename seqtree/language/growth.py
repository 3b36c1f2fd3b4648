"""Continuing a model on new text: the vocabulary grows by name, known tokens keep their vectors."""

from __future__ import annotations

import torch

from seqtree.language.model import LanguageModel
from seqtree.language.network import NetworkConfig, RecurrentLanguageModel
from seqtree.text.vocabulary import Vocabulary


@torch.no_grad()
def grown(
    model: LanguageModel, vocabulary: Vocabulary, config: NetworkConfig | None = None, seed: int = 0
) -> LanguageModel:
    """``model`` over ``vocabulary``, which begins with the model's own tokens.

    New rows of the embedding and the output layer start as the vector of ``<unk>`` plus a little noise, and with the
    lowest output bias there is: what the model knew of unseen tokens. ``config`` may differ in its dropout.
    """
    config, old = config or model.network.config, len(model.vocabulary)
    assert vocabulary.tokens[:old] == model.vocabulary.tokens
    with torch.random.fork_rng(devices=[]):  # without asking for a GPU
        torch.manual_seed(seed)
        network = RecurrentLanguageModel(len(vocabulary), config)
    before, unknown = model.network.state_dict(), model.vocabulary.unknown
    for name, tensor in network.state_dict().items():
        known = before[name]
        if tensor.shape == known.shape:
            tensor.copy_(known)
        elif name.startswith(("embedding", "decoder")):
            _copy_rows(tensor, known, unknown, lowest=name == "decoder.bias")
        else:  # one-hot input: a column of weight_ih for every token
            _copy_rows(tensor.t(), known.t(), unknown, lowest=False)
    return LanguageModel(vocabulary, model.settings, network)


def _copy_rows(new: torch.Tensor, known: torch.Tensor, unknown: int, lowest: bool) -> None:
    old = len(known)
    new[:old] = known
    if lowest:
        new[old:] = known.min()
    else:
        new[old:] = known[unknown] + 0.1 * new[old:]
