"""Named choices for training a parser, with their reasons."""

from __future__ import annotations

from dataclasses import dataclass, replace

from seqtree.errors import InputError
from seqtree.parsing.network import ParserConfig
from seqtree.parsing.objectives import ObjectiveSettings
from seqtree.training.settings import TrainingSettings


@dataclass(frozen=True)
class Preset:
    """A network, an objective, a batch (sentences) and a way to train, and why."""

    name: str
    reason: str
    network: ParserConfig
    objective: ObjectiveSettings
    batch: int
    training: TrainingSettings


_TRAINING = replace(
    TrainingSettings(),
    learning_rate=2.5e-3,
    clip=5.0,
    beta2=0.98,
    ema_decay=0.998,
    schedule="linear",
    epochs=30.0,
    evaluations=20,
)
_CHAPTERS = ParserConfig(encoder="none", composition="tanh", characters=0, words=100, vector=100, dropout=0.0)

PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            "tiny",
            "tests and first tries: seconds",
            ParserConfig(words=32, characters=32, hidden=64, layers=1, vector=64, scorer=64, dropout=0.1),
            ObjectiveSettings(),
            16,
            replace(_TRAINING, learning_rate=5e-3),
        ),
        Preset(
            "small",
            "a model of some megabytes on disk, such as comes with seqtree",
            ParserConfig(words=64, hidden=200, vector=150, scorer=200, weight_drop=0.2),
            ObjectiveSettings("softmax"),
            16,
            _TRAINING,
        ),
        Preset(
            "chapters",
            "the chapters' parser: word vectors, tanh, a margin between whole trees",
            _CHAPTERS,
            ObjectiveSettings("structured"),
            16,
            replace(_TRAINING, learning_rate=5e-3),
        ),
        Preset(
            "medium",
            "some thousand trees in half an hour on a laptop",
            ParserConfig(weight_drop=0.3),
            ObjectiveSettings("softmax"),
            16,
            _TRAINING,
        ),
        Preset(
            "large",
            "the most accurate: longer, with more dropout, by margins between whole trees",
            ParserConfig(weight_drop=0.4),
            ObjectiveSettings("structured"),
            16,
            replace(_TRAINING, epochs=50.0),
        ),
    )
}


def preset(name: str) -> Preset:
    """The preset ``name``. Raises InputError that lists what there is."""
    try:
        return PRESETS[name]
    except KeyError:
        listed = "; ".join(f"{p.name} ({p.reason})" for p in PRESETS.values())
        raise InputError(f"preset {name!r}: expected one of {listed}") from None
