"""Networks by hand beside torch's own: the same parameters, and whether values and gradients agree."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from seqtree.reference import activations
from seqtree.reference.gru import TorchGRU
from seqtree.reference.lstm import LSTM
from seqtree.reference.network import Array, Network
from seqtree.reference.recurrent import Recurrent

T, E, H = 6, 3, 4


def close(mine: Array, torchs: Tensor | None) -> None:
    assert torchs is not None
    np.testing.assert_allclose(mine, torchs.detach().numpy(), rtol=1e-10, atol=1e-12)


def as_leaf(values: Array) -> Tensor:
    return torch.tensor(values, requires_grad=True)


def draw(network: Network, rng: np.random.Generator) -> None:
    for parameter in network.parameters.values():
        parameter[...] = rng.uniform(-1, 1, parameter.shape)


def named_as_torch(layer: Network, values: Mapping[str, Array], gradients: bool) -> dict[str, Array]:
    """Parameters of a recurrent layer, or their gradients, under torch's names; torch adds two biases."""
    if isinstance(layer, Recurrent):
        ih, hh, bias = values["U"], values["W"], values["b"]
        other = bias
    elif isinstance(layer, LSTM):
        both = np.concatenate([values[f"W_{gate}"] for gate in "ifco"])
        hh, ih = both[:, : layer.units], both[:, layer.units :]
        bias = other = np.concatenate([values[f"b_{gate}"] for gate in "ifco"])
    else:
        assert isinstance(layer, TorchGRU)
        both, units = np.concatenate([values["W_r"], values["W_z"]]), layer.units
        hh = np.concatenate([both[:, :units], values["W"]])
        ih = np.concatenate([both[:, units:], values["U"]])
        bias = np.concatenate([values["b_r"], values["b_z"], values["b"]])
        zero = np.zeros_like(values["b_r"])
        other = np.concatenate([*([values["b_r"], values["b_z"]] if gradients else [zero, zero]), values["d"]])
        return {"weight_ih": ih, "weight_hh": hh, "bias_ih": bias, "bias_hh": other}
    return {"weight_ih": ih, "weight_hh": hh, "bias_ih": bias, "bias_hh": other if gradients else 0 * other}


def set_parameters(module: nn.Module, layers: Mapping[str, Network]) -> None:
    """Give a torch module the parameters of the layers, which are named by torch's endings ("l0_reverse")."""
    with torch.no_grad():
        for end, layer in layers.items():
            for name, value in named_as_torch(layer, layer.parameters, gradients=False).items():
                getattr(module, f"{name}_{end}").copy_(torch.tensor(value))


def compare_gradients(module: nn.Module, layers: Mapping[str, Network]) -> None:
    for end, layer in layers.items():
        for name, value in named_as_torch(layer, layer.gradients, gradients=True).items():
            close(value, getattr(module, f"{name}_{end}").grad)
    assert len(list(module.parameters())) == 4 * len(layers)


KINDS = ["rnn-tanh", "rnn-relu", "lstm", "gru"]


def make_layer(kind: str, inputs: int, rng: np.random.Generator) -> Recurrent | LSTM | TorchGRU:
    made: Recurrent | LSTM | TorchGRU
    if kind == "lstm":
        made = LSTM(inputs, H, rng)
    elif kind == "gru":
        made = TorchGRU(inputs, H, rng)
    else:
        made = Recurrent(inputs, H, rng, activations.TANH if kind == "rnn-tanh" else activations.RELU)
    draw(made, rng)
    return made
