"""Everything that ``seqtree image train`` can be told, and the presets; no torch, so that ``--help`` is quick."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from seqtree.errors import InputError
from seqtree.images.plan import parse_plan
from seqtree.nn.config import MAX_LAYERS, MAX_UNITS
from seqtree.settings import Settings, setting
from seqtree.training.recipe import Preset, Recipe, TrainingOptions
from seqtree.training.settings import NO_WORDS, BatchSettings, TrainingSettings

ROWS_ONLY = ("layers", "hidden", "bidirectional", "readout", "dropout")


@dataclass(frozen=True)
class ImageNetworkConfig(Settings):
    """A ``plan`` of layers, or a ``cell`` that reads the rows from the top; checked on construction (InputError).

    ``layers`` to ``dropout`` are the cell's. The squared error is that of sigmoid units against .9 and .1 (chapter 3).
    """

    plan: str = setting("", "Layers, such as 'conv 32x5, pool, full 128 drop 0.5'.")
    cell: str = setting("", choices=("", "rnn", "lstm", "gru"))
    layers: int = setting(1, "Layers of a model over the rows.", minimum=1, maximum=MAX_LAYERS)
    hidden: int = setting(128, "Units of its layers, in each direction.", minimum=1, maximum=MAX_UNITS)
    bidirectional: bool = setting(
        False, "Whether a model over the rows reads them from the bottom, too.", flags="--bidirectional/--forward"
    )
    readout: str = setting(
        "last", "What a model over the rows shows: its last state, or the mean of its states.", choices=("last", "mean")
    )
    dropout: float = setting(
        0.0, "Share dropped between the layers of a model over the rows, and before the classes.", minimum=0, below=1
    )
    objective: str = setting(
        "softmax",
        "Loss: the cross-entropy of a softmax, or the squared error of sigmoid units.",
        choices=("softmax", "squared"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cell and self.plan:
            raise InputError(f"{self.cell} reads the rows of an image and has no plan of layers")
        if not self.cell:
            parse_plan(self.plan)


@dataclass(frozen=True)
class Augmentation(Settings):
    """How far training images are varied at most, each way. Checked on construction (InputError)."""

    shift: int = setting(0, "Training images are shifted by up to this many pixels.", minimum=0, maximum=100)
    turn: float = setting(0.0, "Training images are rotated by up to this many degrees.", minimum=0, maximum=180)
    stretch: float = setting(
        0.0, "Training images are stretched or shrunk by up to this share.", minimum=0, maximum=0.9
    )
    slant: float = setting(
        0.0, "Training images are slanted by up to this many pixels per pixel.", minimum=0, maximum=1
    )


@dataclass(frozen=True)
class ImageSettings(Settings):
    """Which images are read, and what their classes are called."""

    labels: str | None = setting(
        None, "Labels of a file of images.", metavar="FILE", unset="the file beside it with the usual name"
    )
    names: tuple[str, ...] = setting(
        (), "Names of the classes; may be given several times, or with commas.", metavar="A,B,...", unset="their labels"
    )
    size: int | None = setting(
        None,
        "Width and height, in pixels, that the pictures of a folder a class get.",
        minimum=8,
        maximum=512,
        unset="28",
    )
    valid_share: float | None = setting(
        None,
        "Share of the images, evenly from each class, to hold out for validation; 0 for none.",
        minimum=0,
        below=1,
        unset="0.1, or the pictures in a folder valid beside train",
    )


@dataclass(frozen=True, kw_only=True)
class ImageRecipe(Recipe):
    """Everything that an image classifier's training is told."""

    images: ImageSettings = field(default_factory=ImageSettings)
    network: ImageNetworkConfig
    augmentation: Augmentation = field(default_factory=Augmentation)


_TRAINING = TrainingSettings(learning_rate=3e-3, schedule="linear", ema_decay=0.998)
_NONE, _SHIFTED, _VARIED = Augmentation(), Augmentation(shift=1), Augmentation(shift=1, turn=10.0, stretch=0.1)


def _preset(reason: str, network: ImageNetworkConfig, augmentation: Augmentation, epochs: float) -> Preset[ImageRecipe]:
    training = replace(_TRAINING, epochs=epochs)
    recipe = ImageRecipe(network=network, augmentation=augmentation, batch=BatchSettings(128), training=training)
    return Preset(reason, recipe)


def _rows(cell: str, reason: str) -> Preset[ImageRecipe]:
    return _preset(reason, ImageNetworkConfig(cell=cell, dropout=0.2), _VARIED, 30.0)


_CNN = "conv 32x3 norm, pool, conv 64x3 norm, pool, conv 64x3 norm drop 0.3, full 64 norm drop 0.3"
_LENET = "conv 6x5 pad 2, pool, conv 16x5, pool, full 120, full 84"
_TENSORFLOW = "conv 32x5 pad 2, pool, conv 64x5 pad 2, pool, full 1024 drop 0.25"

PRESETS = {
    "mlp": _preset("784-300-10: the quickest", ImageNetworkConfig("full 300 drop 0.2"), _SHIFTED, 40.0),
    "notes": _preset(
        "784-300-10 as chapter 3 has it: sigmoid units, squared error",
        ImageNetworkConfig("full 300 sigmoid", objective="squared"),
        _NONE,
        20.0,
    ),
    "lenet5": _preset(
        "LeCun and others 1998: 32x32 by padding, 6@28x28, 16@10x10, 120, 84",
        ImageNetworkConfig(_LENET),
        Augmentation(shift=2),
        40.0,
    ),
    "cnn": _preset(
        "chapter 4's first network: three convolutions of 3x3, batch normalisation, dropout",
        ImageNetworkConfig(_CNN),
        _VARIED,
        40.0,
    ),
    "tensorflow": _preset(
        "chapter 4's second network: two convolutions of 5x5, a wide layer",
        ImageNetworkConfig(_TENSORFLOW),
        _VARIED,
        20.0,
    ),
    "rnn": _rows("rnn", "chapter 5: an image's rows as a sequence"),
    "lstm": _rows("lstm", "the same with an LSTM"),
    "gru": _rows("gru", "the same with a GRU"),
}

OPTIONS = TrainingOptions(
    argument="data",
    sample="",
    presets={"": PRESETS},
    default="cnn",
    preset_flags=("--preset", "--model"),
    hidden=NO_WORDS,
)
