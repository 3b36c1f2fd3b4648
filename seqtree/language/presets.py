"""Named choices for training a language model, from tiny to large, with their reasons."""

from __future__ import annotations

from dataclasses import dataclass, replace

from seqtree.errors import InputError
from seqtree.language.batches import BatchShape
from seqtree.language.network import NetworkConfig
from seqtree.training.settings import TrainingSettings


@dataclass(frozen=True)
class Preset:
    """A network, a batch and a way to train, and why."""

    name: str
    reason: str
    network: NetworkConfig
    shape: BatchShape
    training: TrainingSettings


def _preset(name: str, reason: str, rows: int, window: int, network: NetworkConfig, **training: float | str) -> Preset:
    return Preset(name, reason, network, BatchShape(rows, window), replace(TrainingSettings(), **training))  # type: ignore[arg-type]


def _char(layers: int, hidden: int, embedding: int, dropout: float) -> NetworkConfig:
    return NetworkConfig(
        layers=layers, hidden=hidden, embedding=embedding, dropout_hidden=dropout, dropout_output=dropout
    )


def _word(layers: int, hidden: int, dropout: float, tokens: float = 0.1) -> NetworkConfig:
    return NetworkConfig(
        layers=layers,
        hidden=hidden,
        embedding=hidden,
        tied=True,
        dropout_embedding=tokens,
        dropout_input=dropout,
        dropout_hidden=dropout,
        dropout_output=dropout,
    )


PRESETS = {
    "char": {
        preset.name: preset
        for preset in (
            _preset("tiny", "tests and first tries: seconds", 16, 32, _char(1, 128, 32, 0.0), learning_rate=1e-2),
            _preset(
                "small",
                "a megabyte in minutes on one core: one wide layer, small steps, the highest rate",
                24,
                64,
                _char(1, 512, 64, 0.1),
                learning_rate=4e-2,
                schedule="linear",
                weight_decay=0.1,
                clip=5.0,
            ),
            _preset(
                "medium",
                "half an hour for a megabyte, or larger texts; many passes, so strongly dropped out",
                32,
                96,
                replace(_char(2, 512, 128, 0.4), dropout_input=0.1, weight_drop=0.2),
                learning_rate=6e-3,
                weight_decay=0.1,
                clip=5.0,
            ),
            _preset(
                "large", "tens of megabytes and hours, or a GPU", 64, 128, _char(3, 1024, 256, 0.4), learning_rate=2e-3
            ),
        )
    },
    "word": {
        preset.name: preset
        for preset in (
            _preset("tiny", "tests and first tries: seconds", 10, 20, _word(1, 64, 0.0, 0.0), learning_rate=5e-3),
            _preset(
                "small",
                "a megabyte of text in minutes; tied, so that the embedding learns from both ends",
                20,
                35,
                _word(1, 256, 0.3),
                learning_rate=3e-3,
            ),
            _preset(
                "medium",
                "five megabytes in half an hour on two cores; few passes, so dropped out with measure",
                32,
                35,
                replace(_word(2, 650, 0.3), dropout_output=0.4),
                learning_rate=4e-3,
                weight_decay=0.03,
            ),
            _preset("large", "hours, or a GPU", 64, 70, _word(3, 1150, 0.5), learning_rate=1e-3, weight_decay=0.05),
        )
    },
}


def preset(name: str, unit: str) -> Preset:
    """The preset ``name`` for ``unit``. Raises InputError that lists what there is."""
    try:
        return PRESETS[unit][name]
    except KeyError:
        listed = "; ".join(f"{p.name} ({p.reason})" for p in PRESETS[unit].values())
        raise InputError(f"preset {name!r}: expected one of {listed}") from None
