"""Everything that ``seqtree parser train`` can be told, and the presets; no torch, so that ``--help`` is quick."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from seqtree.nn.config import COMPOSITIONS, MAX_UNITS, WordEncoderConfig, check_vector
from seqtree.settings import GIVEN, Settings, setting
from seqtree.text.config import check_encoding
from seqtree.training.recipe import Preset, Recipe, TrainingOptions
from seqtree.training.settings import BatchSettings, TrainingSettings, ValidationSettings


@dataclass(frozen=True)
class ParserNetworkConfig(WordEncoderConfig):
    """The shape of a parser's network; checked on construction (InputError).

    Without an encoder, merges and labels are scored without a hidden layer. ``whole_trees``: the scores were trained
    to be summed over a tree, not to be compared at one decision.
    """

    composition: str = setting("relu", "How a node's vector is computed from its children's.", choices=COMPOSITIONS)
    vector: int = setting(200, "Width of a tree node.", minimum=1, maximum=MAX_UNITS)
    scorer: int = setting(250, "Hidden units that score merges and labels.", minimum=1, maximum=MAX_UNITS)
    whole_trees: bool = setting(False)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_vector(self.composition, self.vector)


@dataclass(frozen=True)
class ObjectiveSettings(Settings):
    """What a parser minimises: a loss of merges, and beside it the weighted losses of labels and tags."""

    objective: str = setting(
        "stepwise",
        "Loss of the merges: a margin (stepwise) or a probability (softmax) for each, or a margin between whole trees "
        "(structured).",
        choices=("stepwise", "softmax", "structured"),
    )
    explore: float = setting(
        0.5,
        "Share of merges at which training follows the parser's own choice (not structured).",
        minimum=0,
        maximum=1,
        only={"objective": ("stepwise", "softmax")},
    )
    kappa: float = setting(
        2.0, "Margin for each wrong span (structured).", minimum=0, only={"objective": ("structured",)}
    )
    label_weight: float = setting(1.0, "Weight of the labels' loss.", minimum=0)
    tag_weight: float = setting(0.5, "Weight of the tags' loss.", minimum=0)


@dataclass(frozen=True)
class ReadingSettings(Settings):
    """How trees are read."""

    encoding: str = setting("utf-8", "Encoding of the tree files.")
    malformed: str = setting(
        "stop", "What to do about a malformed tree: stop, or leave it out (skip).", choices=("stop", "skip")
    )
    tagged: tuple[str, ...] = setting(
        (),
        "Sentences with tags, without trees, to learn tags from as well (see tag train); may be given several times.",
        metavar="FILE",
        unset="none",
    )
    tag_column: int | None = setting(
        None,
        "Which column of --tagged holds the tags, from 1.",
        minimum=1,
        unset="the one after the words",
        only={"tagged": GIVEN},
    )
    min_count: int = setting(1, "Words that occur less often are known by their characters only.", minimum=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_encoding(self.encoding)


@dataclass(frozen=True, kw_only=True)
class ParserRecipe(Recipe):
    """Everything that a parser's training is told."""

    reading: ReadingSettings = field(default_factory=ReadingSettings)
    validation: ValidationSettings = field(default_factory=ValidationSettings)
    network: ParserNetworkConfig = field(default_factory=ParserNetworkConfig)
    objective: ObjectiveSettings = field(default_factory=ObjectiveSettings)


_TRAINING = TrainingSettings(
    learning_rate=2.5e-3, clip=5.0, beta2=0.98, ema_decay=0.998, schedule="linear", epochs=30.0, evaluations=20
)
_FAST = replace(_TRAINING, learning_rate=5e-3)


def _preset(
    reason: str,
    network: ParserNetworkConfig,
    objective: str,
    training: TrainingSettings = _TRAINING,
    passes: float | None = None,
) -> Preset[ParserRecipe]:
    recipe = ParserRecipe(
        network=network,
        objective=ObjectiveSettings(objective),
        batch=BatchSettings(16),
        training=training,
        passes=passes,
    )
    return Preset(reason, recipe)


PRESETS = {
    "tiny": _preset(
        "tests and first tries: seconds",
        ParserNetworkConfig(words=32, characters=32, hidden=64, layers=1, vector=64, scorer=64, dropout=0.1),
        "stepwise",
        _FAST,
    ),
    "small": _preset(
        "a model of a few megabytes, such as those that come with seqtree",
        ParserNetworkConfig(words=64, hidden=200, vector=150, scorer=200, weight_drop=0.2),
        "softmax",
    ),
    "chapters": _preset(
        "the chapters' parser: word vectors, tanh, a margin between whole trees",
        ParserNetworkConfig("none", composition="tanh", characters=0, words=100, vector=100, dropout=0.0),
        "structured",
        _FAST,
    ),
    "medium": _preset(
        "a few thousand trees in half an hour on a laptop", ParserNetworkConfig(weight_drop=0.3), "softmax"
    ),
    "large": _preset(
        "the most accurate: longer, with more dropout, by margins between whole trees",
        ParserNetworkConfig(weight_drop=0.4),
        "structured",
        replace(_TRAINING, epochs=50.0),
        passes=40,
    ),
}

OPTIONS = TrainingOptions(argument="trees", sample="toy", presets={"": PRESETS}, default="medium")
