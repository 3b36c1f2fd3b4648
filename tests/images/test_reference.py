"""The layers of a plan against chapters 3 and 4 by hand: values and every gradient, in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from seqtree.images.layers import Convolution as FastConvolution, FullyConnected as FastFullyConnected, Layers
from seqtree.images.network import Frame, ImageNetwork, ImageNetworkConfig
from seqtree.images.plan import Conv, Plan, Pool, parse_plan, plan_sizes
from seqtree.reference import activations
from seqtree.reference.convolution import Convolution
from seqtree.reference.fully_connected import FullyConnected
from seqtree.reference.network import Array, Chain, Flatten, Network
from seqtree.reference.pooling import MaxPooling, MeanPooling
from seqtree.reference.squared_error import SquaredError

BY_NAME = {"relu": activations.RELU, "tanh": activations.TANH, "sigmoid": activations.SIGMOID}
NEAR = {"rtol": 1e-10, "atol": 1e-12}
RNG = np.random.default_rng(0)  # the weights are replaced


def _by_hand(plan: Plan, size: tuple[int, int]) -> Chain:
    parts: list[Network] = []
    below: tuple[int, ...] = (1, *size)
    for step, above in zip(plan, plan_sizes(plan, size), strict=True):
        if isinstance(step, Conv):
            field, f = (step.field, step.field), BY_NAME[step.activation]
            parts.append(Convolution(below[0], step.channels, field, RNG, step.pad, step.stride, f))
        elif isinstance(step, Pool):
            parts.append(MaxPooling(step.size) if step.kind == "max" else MeanPooling(step.size))
        else:
            parts += [Flatten(), FullyConnected(math.prod(below), step.units, RNG, BY_NAME[step.activation])]
        below = above
    return Chain({str(number): part for number, part in enumerate([*parts, Flatten()])})


@pytest.mark.parametrize(
    "text",
    [
        "conv 3x3 tanh",
        "conv 2x3 pad 1 stride 2, conv 3x2 sigmoid",
        "conv 2x2 tanh, pool, conv 3x3 pad 2, pool mean",
        "pool 3 mean, full 4 tanh",
        "conv 4x3 pad 1, pool, full 6 sigmoid, full 3",
    ],
)
def test_a_plan_equals_the_layers_by_hand(text: str) -> None:
    plan, size, count = parse_plan(text), (9, 8), 3
    torch.manual_seed(1)
    fast = Layers(plan, size).double()
    by_hand = _by_hand(plan, size)
    weighted = [module for module in fast.modules() if isinstance(module, FastConvolution | FastFullyConnected)]
    layers = [part for part in by_hand.parts.values() if isinstance(part, Convolution | FullyConnected)]
    for module, layer in zip(weighted, layers, strict=True):
        torch.nn.init.normal_(module.bias, std=0.3)
        layer.parameters["W"], layer.parameters["b"] = module.weight.detach().numpy(), module.bias.detach().numpy()
    images = torch.randn(count, *size, dtype=torch.float64, requires_grad=True)
    output = fast(images)
    slopes = torch.randn_like(output)
    output.backward(slopes)
    assert images.grad is not None
    sums = dict.fromkeys(by_hand.parameters, 0.0)
    for i in range(count):
        y = by_hand.forward(images[i].detach().numpy()[None])
        np.testing.assert_allclose(output[i].detach().numpy(), y, **NEAR)
        np.testing.assert_allclose(images.grad[i].numpy(), by_hand.backward(slopes[i].numpy())[0], **NEAR)
        sums = {name: total + by_hand.gradients[name] for name, total in sums.items()}
    trained = [parameter for module in weighted for parameter in (module.weight, module.bias)]
    for parameter, total in zip(trained, sums.values(), strict=True):
        np.testing.assert_allclose(_slope(parameter), total, **NEAR)


def _slope(parameter: Tensor) -> Array:
    assert parameter.grad is not None
    return parameter.grad.numpy()


@pytest.mark.parametrize("text", ["conv 4x3 norm maxout, pool, full 6 norm leaky, full 4 maxout", "conv 3x2 norm"])
def test_slopes_of_what_has_no_layer_by_hand(text: str) -> None:
    """Batch normalisation in training, maxout and leaky ReLU against differences, for the images and every weight."""
    torch.manual_seed(2)
    layers = Layers(parse_plan(text), (6, 5)).double().train()
    images = torch.randn(5, 6, 5, dtype=torch.float64, requires_grad=True)
    names = [name for name, _ in layers.named_parameters()]
    assert any("norm" in name for name in names)

    def outputs(images: Tensor, *weights: Tensor) -> Tensor:
        made = torch.func.functional_call(layers, dict(zip(names, weights, strict=True)), (images,))
        assert isinstance(made, Tensor)
        return made

    assert torch.autograd.gradcheck(outputs, (images, *layers.parameters()))


def test_the_notes_objective_equals_the_squared_error_by_hand() -> None:
    network = ImageNetwork(ImageNetworkConfig("full 5 sigmoid", objective="squared"), Frame(2, 3, 0.0, 1.0), 4)
    logits, labels = torch.randn(3, 4, dtype=torch.float64, requires_grad=True), torch.tensor([2, 0, 3])
    network.loss(logits, labels).backward()
    for row, label in enumerate(labels.tolist()):
        by_hand = SquaredError()
        target = np.where(np.arange(4) == label, 0.9, 0.1)
        y = activations.SIGMOID(logits[row].detach().numpy())
        by_hand.forward(y, target)
        wanted = by_hand.backward() * activations.SIGMOID.slope(y)
        np.testing.assert_allclose(_slope(logits)[row], wanted / 3, **NEAR)
