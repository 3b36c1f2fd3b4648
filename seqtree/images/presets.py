"""Named networks for images, each with a way to train it, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace

from seqtree.errors import InputError
from seqtree.images.augment import Augmentation
from seqtree.images.network import NetworkConfig
from seqtree.training.settings import TrainingSettings


@dataclass(frozen=True)
class Preset:
    """A network, how its images are varied, a batch (images) and a way to train, and why."""

    name: str
    reason: str
    network: NetworkConfig
    augmentation: Augmentation
    batch: int
    training: TrainingSettings


_TRAINING = replace(TrainingSettings(), learning_rate=3e-3, schedule="linear", ema_decay=0.998)
_NONE, _MOVED, _BENT = Augmentation(), Augmentation(shift=1), Augmentation(shift=1, turn=10.0, stretch=0.1)


def _preset(name: str, reason: str, network: NetworkConfig, augmentation: Augmentation, epochs: float) -> Preset:
    return Preset(name, reason, network, augmentation, 128, replace(_TRAINING, epochs=epochs))


def _rows(cell: str, reason: str) -> Preset:
    return _preset(cell, reason, NetworkConfig(cell=cell, hidden=128, dropout=0.2), _BENT, 30)


PRESETS = {
    preset.name: preset
    for preset in (
        _preset("mlp", "784-300-10: the quickest", NetworkConfig("full 300 drop 0.2"), _MOVED, 40),
        _preset(
            "notes",
            "784-300-10 as chapter 3 has it: sigmoid units, squared error",
            NetworkConfig("full 300 sigmoid", objective="squared"),
            _NONE,
            20,
        ),
        _preset(
            "lenet5",
            "LeCun and others 1998: 32x32 by padding, 6@28x28, 16@10x10, 120, 84",
            NetworkConfig("conv 6x5 pad 2, pool, conv 16x5, pool, full 120, full 84"),
            Augmentation(shift=2),
            40,
        ),
        _preset(
            "cnn",
            "chapter 4's first network: three convolutions of 3x3, normalised and dropped out",
            NetworkConfig("conv 32x3 norm, pool, conv 64x3 norm, pool, conv 64x3 norm drop 0.3, full 64 norm drop 0.3"),
            _BENT,
            40,
        ),
        _preset(
            "tensorflow",
            "chapter 4's second network: two convolutions of 5x5, a wide layer",
            NetworkConfig("conv 32x5 pad 2, pool, conv 64x5 pad 2, pool, full 1024 drop 0.25"),
            _BENT,
            20,
        ),
        _rows("rnn", "chapter 5: an image's rows as a sequence"),
        _rows("lstm", "the same with an LSTM"),
        _rows("gru", "the same with a GRU"),
    )
}


def preset(name: str) -> Preset:
    """The preset ``name``. Raises InputError that lists what there is."""
    try:
        return PRESETS[name]
    except KeyError:
        listed = "; ".join(f"{p.name} ({p.reason})" for p in PRESETS.values())
        raise InputError(f"model {name!r}: expected one of {listed}") from None
