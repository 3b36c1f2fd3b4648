"""Everything that ``seqtree tree train`` can be told, and the presets; no torch, so that ``--help`` is quick."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from seqtree.nn.config import COMPOSITIONS, MAX_UNITS, WordEncoderConfig, check_vector
from seqtree.settings import GIVEN, Settings, setting
from seqtree.text.config import check_encoding
from seqtree.training.recipe import Preset, Recipe, TrainingOptions
from seqtree.training.settings import BatchSettings, TrainingSettings, ValidationSettings


@dataclass(frozen=True)
class TreeNetworkConfig(WordEncoderConfig):
    """The shape of a tree classifier's network; checked on construction (InputError)."""

    composition: str = setting(
        "lstm",
        "How a node's vector is computed from its children's; rntn is the chapter's tensor network.",
        choices=COMPOSITIONS,
    )
    vector: int = setting(
        300,
        "Width of a tree node; half of it is the memory of a tree LSTM, and a tensor network has 4 times its cube as "
        "weights.",
        minimum=1,
        maximum=MAX_UNITS,
    )
    input_dropout: float = setting(
        0.4, "Share of a word's vector that is dropped in training where it enters the tree.", minimum=0, below=1
    )
    update_dropout: float = setting(
        0.2,
        "Share of what a node adds to its memory that is dropped in training (lstm).",
        minimum=0,
        below=1,
        only={"composition": ("lstm",)},
    )
    output_dropout: float = setting(0.3, "Share of a node's vector that is dropped in training.", minimum=0, below=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_vector(self.composition, self.vector)


@dataclass(frozen=True)
class LabelledTreeSettings(Settings):
    """How labelled trees are read."""

    encoding: str = setting("utf-8", "Encoding of the tree files.")
    malformed: str = setting(
        "stop",
        "What to do about a tree that is malformed or not binary: stop, or leave it out (skip).",
        choices=("stop", "skip"),
    )
    min_count: int = setting(1, "Words that occur less often are known by their characters only.", minimum=1)
    flat: tuple[str, ...] = setting(
        (),
        "Texts with a label but without trees, label<TAB>text a line, to learn from as well: they are parsed, and only "
        "their roots have a label; may be given several times.",
        metavar="FILE",
        unset="none",
    )
    parser: str | None = setting(
        None,
        "The parser of --flat: a run folder, a model file, or a name.",
        metavar="MODEL",
        unset="default",
        only={"flat": GIVEN},
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_encoding(self.encoding)


@dataclass(frozen=True, kw_only=True)
class TreeRecipe(Recipe):
    """Everything that a tree classifier's training is told."""

    reading: LabelledTreeSettings = field(default_factory=LabelledTreeSettings)
    validation: ValidationSettings = field(default_factory=ValidationSettings)
    network: TreeNetworkConfig = field(default_factory=TreeNetworkConfig)


_TRAINING = TrainingSettings(
    learning_rate=2e-3, clip=5.0, beta2=0.98, ema_decay=0.998, schedule="linear", epochs=10.0, evaluations=10
)


def _preset(
    reason: str,
    network: TreeNetworkConfig,
    training: TrainingSettings = _TRAINING,
    batch: int = 25,
    enough_steps: int = 2000,
) -> Preset[TreeRecipe]:
    recipe = TreeRecipe(network=network, batch=BatchSettings(batch), training=training, enough_steps=enough_steps)
    return Preset(reason, recipe)


PRESETS = {
    "tiny": _preset(
        "tests and first tries: seconds",
        TreeNetworkConfig(
            "none",
            words=32,
            characters=0,
            vector=64,
            word_dropout=0.2,
            input_dropout=0.1,
            update_dropout=0.0,
            output_dropout=0.1,
        ),
        replace(_TRAINING, learning_rate=1e-2, ema_decay=0.9, epochs=30.0),
        batch=8,
        enough_steps=400,
    ),
    "chapters": _preset(
        "the chapters' network: word vectors, a tensor, a softmax at every node",
        TreeNetworkConfig(
            "none", words=30, characters=0, composition="rntn", vector=30, input_dropout=0.0, output_dropout=0.0
        ),
        batch=27,
    ),
    "medium": _preset(
        "some thousands of trees in a few minutes on a laptop",
        TreeNetworkConfig("none", words=200, characters=0, word_dropout=0.5),
        replace(_TRAINING, learning_rate=4e-3, weight_decay=0.05, epochs=9.0, evaluations=9),
    ),
}

OPTIONS = TrainingOptions(argument="trees", sample="opinions", presets={"": PRESETS}, default="medium")
