"""Recurrent layers, dropout and the output loss against torch's modules, NumPy step by step, and finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from oracles import Layer, run_recurrent
from torch import Tensor, nn

from seqtree.language.config import LanguageNetworkConfig
from seqtree.language.network import RecurrentLanguageModel
from seqtree.nn import Recurrent, linear_cross_entropy
from seqtree.nn.dropout import dropout_mask, sequence_dropout, token_dropout, weight_dropout
from seqtree.nn.losses import most_scored, sampled_cross_entropy

CELLS = [("rnn", "tanh"), ("rnn", "relu"), ("lstm", "tanh"), ("gru", "tanh")]
T, B, E, H = 7, 3, 4, 5


def _peer(cell: str, nonlinearity: str, layers: int, bidirectional: bool = False) -> nn.RNNBase:
    options = {"bidirectional": bidirectional, "dtype": torch.float64}
    if cell == "rnn":
        return nn.RNN(E, H, layers, nonlinearity=nonlinearity, **options)
    return {"lstm": nn.LSTM, "gru": nn.GRU}[cell](E, H, layers, **options)


def _recurrent(cell: str, nonlinearity: str, layers: int = 1, **options: Any) -> Recurrent:
    made = Recurrent(cell, E, H, layers, nonlinearity=nonlinearity, dtype=torch.float64, **options)
    with torch.no_grad():
        for parameter in made.parameters():  # biases too, and the two of a layer different
            parameter.copy_(torch.randn_like(parameter) * 0.5)
    return made


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize(("cell", "nonlinearity"), CELLS)
def test_equals_torch_in_values_and_gradients(cell: str, nonlinearity: str, layers: int) -> None:
    ours, theirs = _recurrent(cell, nonlinearity, layers), _peer(cell, nonlinearity, layers)
    theirs.load_state_dict(ours.state_dict())
    parts = 2 if cell == "lstm" else 1
    states = [torch.randn(layers, B, H, dtype=torch.float64) for _ in range(parts)]
    x = torch.randn(T, B, E, dtype=torch.float64)
    weight = torch.randn(T, B, H, dtype=torch.float64)
    found: list[list[Tensor]] = []
    for module in (ours, theirs):
        own_x = x.clone().requires_grad_()
        own_state = [state.clone().requires_grad_() for state in states]
        given = tuple(own_state) if module is ours or cell == "lstm" else own_state[0]
        output, end = module(own_x, given)
        end = end if isinstance(end, tuple) else (end,)
        ((output * weight).sum() + sum((part**2).sum() for part in end)).backward()
        gradients = [parameter.grad for parameter in module.parameters()]
        found.append([output, *end, own_x.grad, *[state.grad for state in own_state], *gradients])
    assert len(found[0]) == len(found[1]) == 2 + 2 * parts + 4 * layers
    for mine, other in zip(*found, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("cell", "nonlinearity"), CELLS)
def test_state_dicts_interchange(cell: str, nonlinearity: str) -> None:
    ours, theirs = _recurrent(cell, nonlinearity, 2), _peer(cell, nonlinearity, 2)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(T, B, E, dtype=torch.float64)
    torch.testing.assert_close(ours(x)[0], theirs(x)[0], rtol=1e-10, atol=1e-10)


def _layers(module: Recurrent) -> list[Layer]:
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    return [tuple(getattr(module, f"{name}_l{k}").detach().numpy() for name in names) for k in range(module.layers)]


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("cell", "nonlinearity"), CELLS)
def test_equals_numpy_step_by_step(cell: str, nonlinearity: str, layers: int) -> None:
    module = _recurrent(cell, nonlinearity, layers)
    x = torch.randn(T, 1, E, dtype=torch.float64)
    slow = run_recurrent(cell, nonlinearity, _layers(module), x[:, 0].numpy())
    np.testing.assert_allclose(module(x)[0][:, 0].detach().numpy(), slow, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("cell", "nonlinearity"), CELLS)
def test_carried_state_equals_one_long_pass(cell: str, nonlinearity: str) -> None:
    module = _recurrent(cell, nonlinearity, 2)
    x = torch.randn(T, B, E, dtype=torch.float64)
    whole, end = module(x)
    first, middle = module(x[:3])
    second, last = module(x[3:], middle)
    torch.testing.assert_close(torch.cat([first, second]), whole, rtol=1e-12, atol=1e-12)
    for part, other in zip(last, end, strict=True):
        torch.testing.assert_close(part, other, rtol=1e-12, atol=1e-12)


def test_batch_rows_do_not_mix() -> None:
    module = _recurrent("gru", "tanh", 2)
    x = torch.randn(T, B, E, dtype=torch.float64)
    together = module(x)[0]
    for row in range(B):
        torch.testing.assert_close(module(x[:, row : row + 1])[0][:, 0], together[:, row], rtol=1e-10, atol=1e-12)


def test_first_weights() -> None:
    module = Recurrent("lstm", 40, 16, 2)
    for layer in range(2):
        weight = getattr(module, f"weight_ih_l{layer}")
        assert weight.abs().max() <= 0.25
        assert weight.abs().max() > 0.2
        for gate in getattr(module, f"weight_hh_l{layer}").split(16):
            torch.testing.assert_close(gate @ gate.t(), torch.eye(16), rtol=0, atol=1e-5)
        bias = getattr(module, f"bias_ih_l{layer}")
        assert bias[16:32].eq(1).all()
        assert bias.sum() == 16
        assert getattr(module, f"bias_hh_l{layer}").eq(0).all()


# --- both directions, and rows of different lengths

LENGTHS = torch.tensor([4, 7, 1])


def _padded(lengths: Tensor = LENGTHS) -> Tensor:
    """Where there is padding: (T, B)."""
    return torch.arange(T)[:, None] >= lengths


def _states(cell: str, layers: int) -> list[Tensor]:
    return [torch.randn(2 * layers, B, H, dtype=torch.float64) for _ in range(2 if cell == "lstm" else 1)]


def _given(state: list[Tensor], module: nn.Module, cell: str) -> tuple[list[Tensor], Any]:
    """Copies of a state that want gradients, and the form in which the module takes them."""
    copies = [part.clone().requires_grad_() for part in state]
    return copies, tuple(copies) if isinstance(module, Recurrent) or cell == "lstm" else copies[0]


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("cell", "nonlinearity"), CELLS)
def test_both_directions_equal_torch_in_values_and_gradients(cell: str, nonlinearity: str, layers: int) -> None:
    ours, theirs = (
        _recurrent(cell, nonlinearity, layers, bidirectional=True),
        _peer(cell, nonlinearity, layers, bidirectional=True),
    )
    theirs.load_state_dict(ours.state_dict())
    state = _states(cell, layers)
    x, weight = torch.randn(T, B, E, dtype=torch.float64), torch.randn(T, B, 2 * H, dtype=torch.float64)
    found: list[list[Tensor]] = []
    for module in (ours, theirs):
        own_x = x.clone().requires_grad_()
        own_state, given = _given(state, module, cell)
        output, end = module(own_x, given)
        end = end if isinstance(end, tuple) else (end,)
        ((output * weight).sum() + sum((part**2).sum() for part in end)).backward()
        gradients = {name: parameter.grad for name, parameter in module.named_parameters()}
        found.append(
            [
                output,
                *end,
                own_x.grad,
                *[part.grad for part in own_state],
                *[gradients[name] for name in sorted(gradients)],
            ]
        )
    assert len(found[0]) == len(found[1]) == 2 + 2 * len(state) + 8 * layers
    for mine, other in zip(*found, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("cell", "nonlinearity"), CELLS)
def test_lengths_equal_packed_sequences(cell: str, nonlinearity: str, layers: int) -> None:
    ours, theirs = (
        _recurrent(cell, nonlinearity, layers, bidirectional=True),
        _peer(cell, nonlinearity, layers, bidirectional=True),
    )
    theirs.load_state_dict(ours.state_dict())
    state = _states(cell, layers)
    x, weight = torch.randn(T, B, E, dtype=torch.float64), torch.randn(T, B, 2 * H, dtype=torch.float64)
    weight[_padded()] = 0.0
    found: list[list[Tensor]] = []
    for module in (ours, theirs):
        own_x = x.clone().requires_grad_()
        own_state, given = _given(state, module, cell)
        if module is ours:
            output, _ = module(own_x, given, LENGTHS)
        else:
            packed = nn.utils.rnn.pack_padded_sequence(own_x, LENGTHS, enforce_sorted=False)
            output, _ = nn.utils.rnn.pad_packed_sequence(module(packed, given)[0])
        (output * weight).sum().backward()
        gradients = {name: parameter.grad for name, parameter in module.named_parameters()}
        found.append(
            [
                output[~_padded()],
                own_x.grad,
                *[part.grad for part in own_state],
                *[gradients[name] for name in sorted(gradients)],
            ]
        )
    for mine, other in zip(*found, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_lengths_equal_each_row_alone(cell: str, bidirectional: bool) -> None:
    module = _recurrent(cell, "tanh", 2, bidirectional=bidirectional)
    x = torch.randn(T, B, E, dtype=torch.float64)
    together, _ = module(x, lengths=LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        alone, _ = module(x[:length, row : row + 1])
        torch.testing.assert_close(together[:length, row], alone[:, 0], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("last_size", [None, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_one_sequence_that_is_only_read_gives_the_same(cell: str, bidirectional: bool, last_size: int | None) -> None:
    """Without gradients it is read in one call of torch."""
    module = _recurrent(cell, "relu", 2, bidirectional=bidirectional, last_size=last_size).eval()
    x = torch.randn(T, 1, E, dtype=torch.float64)
    states = [torch.randn_like(part) for part in module.zero_state(1, x)]
    for length in (T, T - 2):
        learned, end = module(x, tuple(states), torch.tensor([length]))
        with torch.no_grad():
            read, same = module(x, tuple(states), torch.tensor([length]))
        torch.testing.assert_close(read[:length], learned[:length], rtol=1e-12, atol=1e-12)
        if length == T:
            for part, other in zip(end, same, strict=True):
                torch.testing.assert_close(part, other, rtol=1e-12, atol=1e-12)


def test_the_state_of_rows_without_padding_is_right() -> None:
    module = _recurrent("lstm", "tanh", 2, bidirectional=True)
    x = torch.randn(T, B, E, dtype=torch.float64)
    for part, other in zip(module(x, lengths=LENGTHS)[1], module(x[:, 1:2])[1], strict=True):
        torch.testing.assert_close(part[:, 1], other[:, 0], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_what_stands_in_padding_never_matters(cell: str) -> None:
    """Neither for the values nor for a gradient, not even with numbers that are none or are huge."""
    module, kept = _recurrent(cell, "tanh", 2, bidirectional=True), ~_padded()
    x = torch.randn(T, B, E, dtype=torch.float64)
    found = []
    for filler in (0.0, 1e6):
        filled = x.masked_fill(_padded()[:, :, None], filler).requires_grad_()
        output = module(filled, lengths=LENGTHS)[0][kept]
        found.append([output, *torch.autograd.grad(output.square().sum(), (filled, *module.parameters()))])
        assert found[-1][1][_padded()].eq(0).all()
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)
    with torch.no_grad():
        nothing = module(x.masked_fill(_padded()[:, :, None], torch.nan), lengths=LENGTHS)[0][kept]
    torch.testing.assert_close(nothing, found[0][0], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("cell", "nonlinearity"), CELLS)
def test_state_dicts_of_both_directions_interchange(cell: str, nonlinearity: str) -> None:
    ours = _recurrent(cell, nonlinearity, 2, bidirectional=True)
    theirs = _peer(cell, nonlinearity, 2, bidirectional=True)
    shapes = [{name: value.shape for name, value in module.state_dict().items()} for module in (ours, theirs)]
    assert shapes[0] == shapes[1]
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(T, B, E, dtype=torch.float64)
    torch.testing.assert_close(ours(x)[0], theirs(x)[0], rtol=1e-10, atol=1e-10)


def test_first_weights_of_the_backward_direction() -> None:
    module = Recurrent("lstm", 40, 16, 2, bidirectional=True)
    assert module.weight_ih_l1_reverse.shape == (64, 32)
    for layer in range(2):
        for gate in getattr(module, f"weight_hh_l{layer}_reverse").split(16):
            torch.testing.assert_close(gate @ gate.t(), torch.eye(16), rtol=0, atol=1e-5)
        assert getattr(module, f"bias_ih_l{layer}_reverse")[16:32].eq(1).all()
        forward, backward = getattr(module, f"weight_ih_l{layer}"), getattr(module, f"weight_ih_l{layer}_reverse")
        assert not torch.equal(forward, backward)


def test_weight_drop_draws_a_mask_for_each_direction() -> None:
    module = _recurrent("gru", "tanh", 1, bidirectional=True, weight_drop=0.5)
    module(torch.randn(T, B, E, dtype=torch.float64))[0].sum().backward()
    dropped = [module.weight_hh_l0.grad == 0, module.weight_hh_l0_reverse.grad == 0]
    assert all(0.3 < mask.double().mean().item() < 0.7 for mask in dropped)
    assert not torch.equal(*dropped)


# --- dropout


def test_locked_dropout_keeps_one_mask_over_time_and_the_expectation() -> None:
    dropped = sequence_dropout(torch.ones(6, 40, 50), 0.3, training=True)
    assert torch.equal(dropped, dropped[:1].expand_as(dropped))
    assert torch.allclose(dropped.unique(), torch.tensor([0.0, 1 / 0.7]))
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.05)
    assert not torch.equal(dropped[:, 0], dropped[:, 1])


def test_fresh_dropout_draws_another_mask_at_every_step() -> None:
    dropped = sequence_dropout(torch.ones(6, 40, 50), 0.3, training=True, locked=False)
    assert not any(torch.equal(dropped[0], other) for other in dropped[1:])
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.05)


def test_token_dropout_drops_tokens_wherever_they_occur() -> None:
    ids = torch.arange(2000).repeat(2)[:, None]
    dropped = token_dropout(torch.ones(4000, 1, 6), ids, 2000, 0.2, training=True)[:, 0]
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped))
    assert torch.equal(dropped[:2000], dropped[2000:])
    assert (dropped[:, 0] == 0).double().mean().item() == pytest.approx(0.2, abs=0.03)
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("drop", [sequence_dropout, token_dropout])
def test_no_dropout_outside_training(drop: Any) -> None:
    x = torch.randn(4, 3, 2)
    given = () if drop is sequence_dropout else (torch.zeros(4, 3, dtype=torch.int64), 5)
    assert drop(x, *given, 0.5, training=False) is x
    assert drop(x, *given, 0.0, training=True) is x


def test_dropout_between_layers_only_in_training() -> None:
    module = _recurrent("lstm", "tanh", 2, dropout=0.5)
    x = torch.randn(T, B, E, dtype=torch.float64)
    assert not torch.equal(module(x)[0], module(x)[0])
    one_layer = _recurrent("lstm", "tanh", 1, dropout=0.5)
    assert torch.equal(one_layer(x)[0], one_layer(x)[0])
    module.eval()
    assert torch.equal(module(x)[0], module(x)[0])


def test_weight_drop_zeroes_recurrent_weights_for_the_whole_pass() -> None:
    """A simple network with identity-like weights shows its mask: h_1 = tanh(x), h_2 = tanh(mask W h_1)."""
    module = Recurrent("rnn", 30, 30, nonlinearity="relu", weight_drop=0.4, dtype=torch.float64)
    with torch.no_grad():
        module.weight_ih_l0.copy_(torch.eye(30))
        module.weight_hh_l0.copy_(torch.eye(30))
    x = torch.zeros(3, 2, 30, dtype=torch.float64)
    x[0] = 1.0
    output = module(x)[0]
    mask = output[1, 0]
    torch.testing.assert_close(mask.unique(), torch.tensor([0.0, 1 / 0.6], dtype=torch.float64), rtol=1e-4, atol=0)
    assert torch.equal(output[1, 1], mask)  # the same for all rows
    torch.testing.assert_close(output[2, 0], mask * mask)  # and for all steps
    module.eval()
    assert module(x)[0][2].eq(1).all()


def test_weight_drop_gives_no_gradient_to_dropped_weights() -> None:
    module = _recurrent("lstm", "tanh", 1, weight_drop=0.5)
    module(torch.randn(T, B, E, dtype=torch.float64))[0].sum().backward()
    share = (module.weight_hh_l0.grad == 0).double().mean().item()
    assert 0.3 < share < 0.7


# --- the network of the language model


def _network(vocabulary: int = 6, **config: Any) -> RecurrentLanguageModel:
    shape = {"hidden": 4, "embedding": 3, **config}
    made = RecurrentLanguageModel(vocabulary, LanguageNetworkConfig(**shape), dtype=torch.float64)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.5)
    return made


@pytest.mark.parametrize(
    "config",
    [
        {"cell": "rnn"},
        {"cell": "rnn", "nonlinearity": "relu"},
        {"cell": "lstm", "layers": 2},
        {"cell": "gru", "one_hot": True},
        {"cell": "lstm", "tied": True, "embedding": 4},
        {"cell": "lstm", "layers": 2, "tied": True, "embedding": 3},
        {"cell": "gru", "bidirectional": True},
    ],
    ids=str,
)
def test_gradients_of_the_loss_by_finite_differences(config: dict[str, Any]) -> None:
    network = _network(**config)
    ids, targets = torch.randint(0, 6, (4, 2)), torch.randint(0, 6, (4, 2))
    names = [name for name, _ in network.named_parameters()]

    def loss(*values: Tensor) -> Tensor:
        parameters = dict(zip(names, values, strict=True))
        return torch.func.functional_call(
            _Loss(network), {f"network.{k}": v for k, v in parameters.items()}, (ids, targets)
        )

    values = [parameter.detach().clone().requires_grad_() for parameter in network.parameters()]
    assert torch.autograd.gradcheck(loss, values)


class _Loss(nn.Module):
    def __init__(self, network: RecurrentLanguageModel) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids: Tensor, targets: Tensor) -> Tensor:
        if self.network.config.bidirectional:
            return self.network.output_loss(self.network.surrounded_states(ids), targets[:-2])
        return self.network.loss(ids, targets, None)[0]


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_one_hot_equals_an_identity_embedding_to_the_last_bit(cell: str) -> None:
    one_hot, embedded = _network(cell=cell, one_hot=True), _network(cell=cell, embedding=6)
    state = one_hot.state_dict()
    embedded.load_state_dict({**state, "embedding.weight": torch.eye(6, dtype=torch.float64)})
    ids = torch.randint(0, 6, (9, 3))
    assert torch.equal(one_hot(ids)[0], embedded(ids)[0])


def test_tied_output_is_the_embedding() -> None:
    network = _network(tied=True, embedding=4)
    assert network.decoder.weight is network.embedding.weight
    assert sum(name.endswith(("embedding.weight", "decoder.weight")) for name, _ in network.named_parameters()) == 1
    with torch.no_grad():
        network.embedding.weight.fill_(0.25)
    assert network.decoder.weight.eq(0.25).all()
    assert _network().decoder.weight.shape != _network().embedding.weight.shape


def test_the_last_layer_of_a_tied_network_is_as_wide_as_the_embedding() -> None:
    network = _network(layers=3, tied=True, embedding=3)
    assert network.recurrent.sizes == [4, 4, 3]
    assert network.recurrent.weight_hh_l2.shape == (12, 3)
    ids = torch.randint(0, 6, (7, 2))
    whole, end = network(ids)
    first, state = network(ids[:4])
    second, last = network(ids[4:], state)
    torch.testing.assert_close(torch.cat([first, second]), whole)
    for part, other in zip(end, last, strict=True):
        assert part.shape == (3, 2, 4)
        assert part[2, :, 3:].eq(0).all()  # where the last layer has no unit
        torch.testing.assert_close(part, other)


def test_forward_is_the_decoder_after_the_oracle() -> None:
    network = _network(cell="gru", layers=2)
    ids = torch.randint(0, 6, (5, 1))
    inputs = network.embedding.weight[ids[:, 0]].detach().numpy()
    hidden = run_recurrent("gru", "tanh", _layers(network.recurrent), inputs)
    logits = hidden @ network.decoder.weight.detach().numpy().T + network.decoder.bias.detach().numpy()
    np.testing.assert_allclose(network(ids)[0][:, 0].detach().numpy(), logits, rtol=1e-10, atol=1e-12)


def test_network_loss_is_the_mean_cross_entropy() -> None:
    network = _network(cell="lstm")
    ids, targets = torch.randint(0, 6, (5, 2)), torch.randint(0, 6, (5, 2))
    loss, state = network.loss(ids, targets, None)
    logits, end = network(ids)
    by_hand = -torch.stack([logits[t, b].log_softmax(0)[targets[t, b]] for t in range(5) for b in range(2)]).mean()
    torch.testing.assert_close(loss, by_hand, rtol=1e-12, atol=1e-12)
    assert all(torch.equal(part, other) for part, other in zip(state, end, strict=True))


def test_bidirectional_states_never_see_their_own_token() -> None:
    network = _network(bidirectional=True)
    ids = torch.randint(0, 6, (8, 1))
    before = network.surrounded_states(ids)
    for place in range(1, 7):  # token `place` is predicted at `place - 1`
        other = ids.clone()
        other[place] = (ids[place] + 1) % 6
        after = network.surrounded_states(other)
        same = [torch.equal(before[t], after[t]) for t in range(6)]
        assert same == [t == place - 1 for t in range(6)]


# --- the output loss


def _sample(count: int = 200, vocabulary: int = 50, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    shapes = ((count, 16), (vocabulary, 16), (vocabulary,))
    return [(torch.randn(shape, dtype=dtype) * 0.7).requires_grad_() for shape in shapes]


def test_linear_cross_entropy_in_float64_is_exact() -> None:
    hidden, weight, bias = _sample(dtype=torch.float64)
    targets = torch.randint(0, 50, (200,))
    loss = linear_cross_entropy(hidden, weight, bias, targets, torch.float64)
    probabilities = torch.softmax(hidden @ weight.t() + bias, dim=1)
    torch.testing.assert_close(loss, -probabilities[torch.arange(200), targets].log().mean(), rtol=1e-12, atol=1e-12)
    assert torch.autograd.gradcheck(
        lambda h, w, b: linear_cross_entropy(h, w, b, targets[:5], torch.float64), (hidden[:5], weight, bias)
    )


def test_linear_cross_entropy_in_bfloat16_is_close() -> None:
    inputs, targets = _sample(count=2000), torch.randint(0, 50, (2000,))
    exact = F.cross_entropy(F.linear(inputs[0], inputs[1], inputs[2]), targets)
    wanted = torch.autograd.grad(3.0 * exact, inputs)
    rough = linear_cross_entropy(*inputs, targets, torch.bfloat16)
    found = torch.autograd.grad(3.0 * rough, inputs)
    assert rough.item() == pytest.approx(exact.item(), abs=0.01)
    assert rough.item() != exact.item()  # it did go through bfloat16
    for mine, other in zip(found, wanted, strict=True):
        assert mine.dtype == other.dtype == torch.float32
        assert ((mine - other).norm() / other.norm()).item() < 0.02


def test_bfloat16_probabilities_outside_training_are_exact() -> None:
    inputs, targets = _sample(), torch.randint(0, 50, (200,))
    with torch.no_grad():
        assert torch.equal(
            linear_cross_entropy(*inputs, targets, torch.bfloat16), linear_cross_entropy(*inputs, targets)
        )


@pytest.fixture
def ten_common(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sampled softmax scores ten common tokens, and one of four others."""
    monkeypatch.setattr("seqtree.nn.losses.COMMON", 10)
    monkeypatch.setattr("seqtree.nn.losses.SHARE", 4)
    monkeypatch.setattr("seqtree.nn.losses.MULTIPLE", 1)


@pytest.mark.usefixtures("ten_common")
def test_sampled_softmax_is_right_on_average() -> None:
    """Over the four samples that there are; e to the loss is the sum over the vocabulary by the target's part."""
    hidden, weight, bias = _sample(count=1, dtype=torch.float64)
    for target in (3, 33):  # a common and a rare token
        targets = torch.tensor([target])
        exact = linear_cross_entropy(hidden, weight, bias, targets, torch.float64)
        samples = [sampled_cross_entropy(hidden, weight, bias, targets, torch.float64) for _ in range(100)]
        different = {round(loss.item(), 9): loss for loss in samples}
        assert len(different) == 4
        mean = torch.stack(list(different.values())).exp().mean()
        torch.testing.assert_close(mean, exact.exp(), rtol=1e-12, atol=0)
        parts = torch.autograd.grad(mean, [hidden, weight, bias])
        wanted = torch.autograd.grad(exact.exp(), [hidden, weight, bias])
        for mine, other in zip(parts, wanted, strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-12)


@pytest.mark.usefixtures("ten_common")
def test_sampled_softmax_scores_what_it_says() -> None:
    hidden, weight, bias = _sample(count=3)
    targets = torch.tensor([4, 20, 44])
    sampled_cross_entropy(hidden, weight, bias, targets).backward()
    assert bias.grad is not None
    scored = bias.grad.nonzero()[:, 0].tolist()
    assert scored[:10] == list(range(10))
    assert {20, 44} < set(scored)
    others = sorted(set(scored[10:]) - {20, 44})
    assert 8 <= len(others) <= 10
    assert len({number % 4 for number in others}) == 1
    assert len(scored) <= most_scored(50, 3) == 24
    assert most_scored(8, 3) == 8


@pytest.mark.usefixtures("ten_common")
@pytest.mark.parametrize("multiple", [8, 32])
def test_sampled_softmax_scores_common_tokens_up_to_a_multiple(multiple: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """By them the average differs less from the exact loss than the samples do."""
    monkeypatch.setattr("seqtree.nn.losses.MULTIPLE", multiple)
    inputs, targets = _sample(count=3, dtype=torch.float64), torch.tensor([4, 20, 44])
    losses = []
    for _ in range(100):
        losses.append(sampled_cross_entropy(*inputs, targets, torch.float64))
        (gradient,) = torch.autograd.grad(losses[-1], inputs[2])
        scored = gradient.nonzero()[:, 0].tolist()
        assert len(scored) % multiple == 0
        assert len(scored) <= most_scored(50, 3)
        first = next(number for number in range(50) if number not in scored)
        assert len([number for number in scored if number > first and number not in (20, 44)]) <= 10
    exact, samples = linear_cross_entropy(*inputs, targets, torch.float64), torch.stack(losses)
    assert abs(samples.mean() - exact) < (samples - exact).abs().mean() / 2


def test_sampled_softmax_of_a_small_vocabulary_is_exact() -> None:
    inputs, targets = _sample(), torch.randint(0, 50, (200,))
    assert torch.equal(sampled_cross_entropy(*inputs, targets), linear_cross_entropy(*inputs, targets))


def test_bfloat16_loss_stays_finite_for_hopeless_targets() -> None:
    hidden = torch.full((1, 1), 1000.0, requires_grad=True)
    weight, bias = torch.tensor([[1.0], [-1.0]], requires_grad=True), torch.zeros(2, requires_grad=True)
    loss = linear_cross_entropy(hidden, weight, bias, torch.tensor([1]), torch.bfloat16)
    loss.backward()
    assert 80 < loss.item() < 100
    assert weight.grad is not None
    assert weight.grad.isfinite().all()
    assert weight.grad[1, 0] < 0 < weight.grad[0, 0]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.999])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_a_dropout_mask_has_the_share_and_keeps_the_expectation(share: float, dtype: torch.dtype) -> None:
    mask = dropout_mask((301, 997), share, torch.empty(0, dtype=dtype)).double()
    assert (mask == 0).double().mean().item() == pytest.approx(share, abs=4e-3)
    assert mask.unique().numel() == 2
    assert mask.max().item() == pytest.approx(1 / (1 - share), rel=8e-3)
    zeros = (mask == 0).flatten()[: 301 * 997 // 4 * 4].view(-1, 4).double()
    correlations = torch.corrcoef(zeros.T) - torch.eye(4)  # the four places of one random number
    assert correlations.abs().max().item() < 0.03


def test_a_share_next_to_1_is_dropped_as_nearly_as_a_mask_can() -> None:
    mask = dropout_mask((301, 997), 1 - 1e-9, torch.empty(0))
    assert mask.unique().tolist() in ([0.0], [0.0, 65536.0])


def test_weight_dropout_drops_single_weights() -> None:
    dropped = weight_dropout(torch.ones(200, 300), 0.3, training=True)
    assert (dropped == 0).double().mean().item() == pytest.approx(0.3, abs=0.01)
    assert not torch.equal(dropped[0], dropped[1])
    assert weight_dropout(dropped, 0.3, training=False) is dropped
