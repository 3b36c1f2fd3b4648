"""Networks for images against torch's own layers, by hand, and by their counted parameters; augmentation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqtree.errors import InputError
from seqtree.images.augment import Augmentation, AugmentedImages
from seqtree.images.config import OPTIONS, PRESETS
from seqtree.images.layers import Activation, Dropout, Layers
from seqtree.images.network import Frame, ImageNetwork, ImageNetworkConfig
from seqtree.images.plan import ACTIVATIONS, parse_plan

FRAME = Frame(28, 28, 33.3, 78.6)


def _network(plan: str = "", size: tuple[int, int] = (8, 7), classes: int = 4, **rest: object) -> ImageNetwork:
    torch.manual_seed(1)
    return ImageNetwork(ImageNetworkConfig(plan, **rest), Frame(*size, 100.0, 50.0), classes).eval()  # type: ignore[arg-type]


def _images(count: int = 5, size: tuple[int, int] = (8, 7)) -> Tensor:
    return torch.randint(0, 256, (count, *size), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))


# --- the named networks


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("mlp", 238_510),
        ("notes", 238_510),
        ("lenet5", 6 * 26 + 16 * (6 * 25 + 1) + 120 * 401 + 84 * 121 + 850),
        ("cnn", 320 + 18_496 + 36_928 + 64 * 577 + 650 + 32 + 3 * 64),  # and the norms' scales
        ("tensorflow", 32 * 26 + 64 * (32 * 25 + 1) + 1024 * 3137 + 10_250),
        ("rnn", 128 * (28 + 128 + 2) + 1290),
        ("lstm", 4 * 128 * (28 + 128 + 2) + 1290),
        ("gru", 3 * 128 * (28 + 128 + 2) + 1290),
    ],
)
def test_parameters_of_the_named_networks(name: str, parameters: int) -> None:
    network = ImageNetwork(PRESETS[name].recipe.network, FRAME, 10)
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters
    assert network(_images(2, (28, 28))).shape == (2, 10)


def test_the_convolutions_of_the_chapters_first_network() -> None:
    layers = Layers(parse_plan("conv 32x3, pool, conv 64x3, pool, conv 64x3, full 64"), (28, 28))
    counts = {name: sum(p.numel() for p in module.parameters()) for name, module in layers.steps.named_children()}
    assert [counts[name] for name in ("conv1", "conv3", "conv5")] == [320, 18_496, 36_928]
    assert sum(counts.values()) - counts["full6"] == 55_744


def test_every_named_network_has_its_parameters_counted_here() -> None:
    assert set(PRESETS) == {"mlp", "notes", "lenet5", "cnn", "tensorflow", "rnn", "lstm", "gru"}
    with pytest.raises(InputError, match=r"preset 'resnet': expected one of mlp \(784-300-10"):
        OPTIONS.variant("", "resnet")


def test_the_shape_of_lenet5() -> None:
    layers = Layers(parse_plan(PRESETS["lenet5"].recipe.network.plan), (28, 28))
    shapes, x = [], torch.zeros(1, 1, 28, 28)
    for name, module in layers.steps.named_children():
        x = module(x)
        if name.startswith(("conv", "pool", "full")):
            shapes.append(tuple(x.shape[1:]))
    assert shapes == [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (120,), (84,)]


# --- layers


def test_a_plan_equals_torch_in_values_and_gradients() -> None:
    network = _network("conv 3x3 pad 1 norm leaky, pool, conv 5x2 stride 2, pool 1 mean, full 6 tanh").double()
    c1, b1, c3, f5 = (network.body.get_submodule(f"steps.{name}") for name in ("conv1", "norm1", "conv3", "full5"))
    for tensor in (b1.running_mean, b1.running_var, b1.weight, b1.bias):
        tensor.data.uniform_(0.5, 1.5)
    theirs = (
        nn.Sequential(
            nn.Conv2d(1, 3, 3, padding=1, bias=False),
            nn.BatchNorm2d(3),
            nn.LeakyReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(3, 5, 2, stride=2),
            nn.ReLU(),
            nn.AvgPool2d(1),
            nn.Flatten(),
            nn.Linear(10, 6),
            nn.Tanh(),
            nn.Linear(6, 4),
        )
        .double()
        .eval()
    )
    for mine, other in ((c1, 0), (b1, 1), (c3, 4), (f5, 8), (network.output, 10)):
        theirs[other].load_state_dict(mine.state_dict())
    images, labels = _images(), torch.tensor([0, 1, 2, 3, 3])
    x = (images.double() - 100) / 50
    expected = theirs(x[:, None])
    torch.testing.assert_close(network.output(network.body(x)), expected, rtol=0, atol=1e-12)
    network.loss(network.output(network.body(x)), labels).backward()
    F.cross_entropy(expected, labels).backward()
    for mine, other in ((c1, 0), (b1, 1), (c3, 4), (f5, 8), (network.output, 10)):
        for ours, its in zip(mine.parameters(), theirs[other].parameters(), strict=True):
            torch.testing.assert_close(ours.grad, its.grad, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_the_largest_may_be_taken_before_the_activation(kind: str) -> None:
    """Pooling comes first where it can, which changes nothing; dropout between them keeps their order."""
    layers = Layers(parse_plan(f"conv 4x3 {kind}, pool, conv 4x2 {kind} drop 0.5, pool"), (12, 12)).eval()
    names = [name for name, _ in layers.steps.named_children()]
    assert names == ["conv1", "pool2", "activation1", "conv3", "activation3", "drop3", "pool4"]
    x = torch.randn(2, 1, 12, 12)
    by_hand = Activation(kind)(layers.steps.conv1(x))
    torch.testing.assert_close(layers.steps[:3](x), F.max_pool2d(by_hand, 2))


def test_activations() -> None:
    x = torch.tensor([[-2.0, 3.0, 0.5, -1.0]])
    expected = {
        "relu": [0, 3, 0.5, 0],
        "leaky": [-0.02, 3, 0.5, -0.01],
        "linear": [-2, 3, 0.5, -1],
        "maxout": [0.5, 3],
        "tanh": np.tanh(x.numpy())[0].tolist(),
        "sigmoid": (1 / (1 + np.exp(-x.numpy())))[0].tolist(),
    }
    assert set(expected) == set(ACTIVATIONS)
    for kind, values in expected.items():
        torch.testing.assert_close(Activation(kind)(x), torch.tensor([values], dtype=torch.float32))


@pytest.mark.parametrize("shape", [(400, 50), (100, 10, 5, 5)])
def test_dropout(shape: tuple[int, ...]) -> None:
    drop, x = Dropout(0.25), torch.ones(shape)
    assert drop.eval()(x) is x
    dropped = drop.train()(x)
    assert dropped.unique().tolist() == pytest.approx([0.0, 4 / 3], rel=1e-4)
    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)
    assert dropped.flatten(1).std(dim=0).min() > 0  # no place has the same fate in all images


def test_products_in_bfloat16_stay_near() -> None:
    network = _network("conv 8x3 norm, pool, full 16", (12, 12))
    images = _images(20, (12, 12))
    expected = network(images)
    network.products = torch.bfloat16
    found = network(images)
    assert found.dtype == torch.float32
    assert 0 < (found - expected).abs().max() < 0.1 * expected.abs().max()


# --- objectives and normalisation


def test_objectives() -> None:
    logits, labels = torch.tensor([[0.0, math.log(3.0)], [0.0, 0.0]]), torch.tensor([1, 0])
    network = _network("full 2", classes=2)
    assert network.loss(logits, labels).item() == pytest.approx((math.log(4 / 3) + math.log(2)) / 2)
    torch.testing.assert_close(network.probabilities(logits), torch.tensor([[0.25, 0.75], [0.5, 0.5]]))
    network = _network("full 2", classes=2, objective="squared")
    squares = (0.5 - 0.1) ** 2 + (0.75 - 0.9) ** 2 + (0.5 - 0.9) ** 2 + (0.5 - 0.1) ** 2
    assert network.loss(logits, labels).item() == pytest.approx(squares / 2 / 2)
    torch.testing.assert_close(network.probabilities(logits), torch.tensor([[0.4 / 1.05, 0.65 / 1.05], [0.5, 0.5]]))
    torch.testing.assert_close(network.probabilities(torch.tensor([[-9.0, -9.0]])), torch.tensor([[0.5, 0.5]]))


def test_norms_measure_the_images_anew() -> None:
    network = _network("conv 3x3 norm drop 0.5, full 5 norm")
    images = _images(40)
    network.train()
    network(images[:7])  # leaves other figures behind
    network.measure_norms(images, 10)
    assert not any(module.training for module in network.modules())
    conv, norm, full, above = (network.body.get_submodule(f"steps.{n}") for n in ("conv1", "norm1", "full2", "norm2"))
    sums = conv(((images.float() - 100) / 50)[:, None])
    torch.testing.assert_close(norm.running_mean, sums.mean(dim=(0, 2, 3)))
    variances = torch.stack([part.var(dim=(0, 2, 3)) for part in sums.split(10)]).mean(dim=0)
    torch.testing.assert_close(norm.running_var, variances)
    parts = [F.batch_norm(part, None, None, norm.weight, norm.bias, training=True) for part in sums.split(10)]
    torch.testing.assert_close(above.running_mean, full(torch.cat(parts).relu().flatten(1)).mean(dim=0))


# --- rows


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_rows_equal_torch(cell: str, bidirectional: bool) -> None:
    network = _network(cell=cell, layers=2, hidden=5, bidirectional=bidirectional)
    kind = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[cell]
    theirs = kind(7, 5, 2, batch_first=True, bidirectional=bidirectional)
    theirs.load_state_dict(network.body.recurrent.state_dict())
    x = (_images().float() - 100) / 50
    states, last = theirs(x)
    last = last[0] if cell == "lstm" else last
    ends = torch.cat([last[-2], last[-1]], dim=1) if bidirectional else last[-1]
    torch.testing.assert_close(network(_images()), network.output(ends))
    if not bidirectional:
        torch.testing.assert_close(network(_images()), network.output(states[:, -1]))
    network.body.readout = "mean"
    torch.testing.assert_close(network(_images()), network.output(states.mean(dim=1)))


def test_filters() -> None:
    conv = _network("pool, conv 6x3, full 5")
    torch.testing.assert_close(conv.filters(), conv.body.steps.conv2.weight[:, 0])
    full = _network("pool, full 6")
    torch.testing.assert_close(full.filters(), full.body.steps.full2.weight.view(6, 4, 3))
    none = _network("pool 3")
    torch.testing.assert_close(none.filters(), none.output.weight.view(4, 2, 2))
    rows = _network(cell="lstm", hidden=5)
    torch.testing.assert_close(rows.filters(), rows.body.recurrent.weight_ih_l0.view(20, 1, 7))


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"plan": "pool", "cell": "lstm"}, "lstm reads the rows of an image and has no plan of layers"),
        ({"cell": "elman"}, "cell 'elman': expected one of rnn, lstm, gru"),
        ({}, "plan, step 1 '': expected conv"),
        ({"cell": "gru", "readout": "first"}, "readout 'first': expected one of last, mean"),
        ({"plan": "pool", "objective": "hinge"}, "objective 'hinge': expected one of softmax, squared"),
        ({"cell": "rnn", "hidden": 0}, "hidden 0: expected from 1 to 65536"),
        ({"cell": "rnn", "layers": 0}, "layers 0: expected from 1 to 100"),
        ({"cell": "rnn", "dropout": 1.0}, "dropout 1.0: expected from 0 to below 1"),
    ],
)
def test_configs_are_checked(config: dict[str, object], said: str) -> None:
    with pytest.raises(InputError) as error:
        ImageNetworkConfig(**config)  # type: ignore[arg-type]
    assert said in str(error.value)
    with pytest.raises(InputError, match=r"ImageNetworkConfig: unknown settings 'depth'"):
        ImageNetworkConfig.from_json({"plan": "pool", "depth": 3})


# --- augmentation


def test_shifts_are_all_those_there_are() -> None:
    images = _images(3, (5, 6))
    augmented = AugmentedImages(images, Augmentation(shift=1))
    numbers = torch.tensor([2, 0]).repeat(200)
    batch = augmented.batch(numbers)
    assert batch.dtype == torch.uint8
    padded = F.pad(images, (1, 1, 1, 1))
    for number in (0, 2):
        allowed = {padded[number, y : y + 5, x : x + 6].numpy().tobytes() for y in range(3) for x in range(3)}
        assert {image.numpy().tobytes() for image in batch[numbers == number]} == allowed


def test_no_augmentation_leaves_images_alone() -> None:
    images = _images()
    assert torch.equal(AugmentedImages(images, Augmentation()).batch(torch.arange(5)), images)


def test_bending_keeps_the_middle_and_moves_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: a quarter turn, twice the height, and a slant of one pixel in a pixel down, of a 5x5 image."""
    images = _images(1, (5, 5))

    def bent(random: list[float], **most: float) -> Tensor:
        monkeypatch.setattr(torch, "rand", lambda *_, **__: (torch.tensor(random).view(4, 1, 1, 1) + 1) / 2)
        return AugmentedImages(images, Augmentation(**most)).batch(torch.tensor([0]))[0]  # type: ignore[arg-type]

    image = images[0].float()
    torch.testing.assert_close(bent([1, 0, 0, 0], turn=90.0), image.rot90(), rtol=0, atol=0.01)
    torch.testing.assert_close(bent([0, 0, 0, -1], stretch=0.5)[[0, 2, 4]], image[1:4], rtol=0, atol=0.01)
    slanted = bent([0, 1, 0, 0], slant=1.0)
    torch.testing.assert_close(slanted[2], image[2])
    torch.testing.assert_close(slanted[3, :4], image[3, 1:], rtol=0, atol=0.01)
    assert slanted[3, 4] == 0


@pytest.mark.parametrize(
    ("most", "said"),
    [
        ({"shift": -1}, "shift -1"),
        ({"turn": 200.0}, "turn 200.0"),
        ({"stretch": 1.0}, "stretch 1.0"),
        ({"slant": 2.0}, "slant 2.0"),
        ({"turn": math.nan}, "turn nan"),
    ],
)
def test_augmentations_are_checked(most: dict[str, float], said: str) -> None:
    with pytest.raises(InputError, match=f"{said}: expected (from 0 to|a finite)"):
        Augmentation(**most)  # type: ignore[arg-type]
