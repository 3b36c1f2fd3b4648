"""Everything that ``seqtree scene train`` can be told, and the presets; no torch, so that ``--help`` is quick."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from seqtree.errors import SettingError
from seqtree.nn.config import COMPOSITIONS, MAX_UNITS, check_vector
from seqtree.settings import Settings, setting
from seqtree.training.recipe import Preset, Recipe, TrainingOptions
from seqtree.training.settings import NO_WORDS, BatchSettings, TrainingSettings

MAX_SIDE = 4096
_GRAPH, _SLIC = {"method": ("felzenszwalb",)}, {"method": ("slic",)}
_TREE = {"leaves_only": (False,)}


@dataclass(frozen=True)
class SegmentSettings(Settings):
    """How an image is cut into segments and what is known of each. Checked on construction (InputError)."""

    method: str = setting(
        "felzenszwalb",
        "How an image is cut: by a graph of its pixels (felzenszwalb), or into pieces of like size (slic).",
        choices=("felzenszwalb", "slic"),
    )
    scale: float = setting(100.0, "Felzenszwalb: more makes larger segments.", above=0, only=_GRAPH)
    min_size: int = setting(100, "Felzenszwalb: pixels that a segment has at least.", minimum=1, only=_GRAPH)
    segments: int = setting(120, "SLIC: about how many segments.", minimum=1, maximum=10_000, only=_SLIC)
    compactness: float = setting(10.0, "SLIC: more makes segments more like squares.", above=0, only=_SLIC)
    sigma: float = setting(0.8, "Deviation in pixels by which an image is smoothed before it is cut.", minimum=0)
    side: int = setting(
        320, "Larger images are reduced to so many pixels along their longer side.", minimum=16, maximum=MAX_SIDE
    )
    colours: int = setting(100, "Colours in a segment's histogram.", minimum=1, maximum=4096)
    textons: int = setting(200, "Textons of either kind in a segment's histograms.", minimum=1, maximum=4096)


@dataclass(frozen=True)
class SceneNetworkConfig(Settings):
    """The shape of a scene parser's network; checked on construction (InputError)."""

    leaves_only: bool = setting(False, "Classify segments without the tree.")
    hidden: int = setting(256, "Units of the layer over a segment's features.", minimum=1, maximum=MAX_UNITS)
    composition: str = setting(
        "tanh", "How a node's vector is computed from its parts'.", choices=COMPOSITIONS, only=_TREE
    )
    vector: int = setting(
        64,
        "Width of a node's vector; half of it is the memory of a tree LSTM.",
        minimum=1,
        maximum=MAX_UNITS,
        only=_TREE,
    )
    above: float = setting(
        0.3,
        "Weight of the nodes above a segment in its class, where its own is 1; 0: none.",
        minimum=0,
        only=_TREE,
    )
    input_dropout: float = setting(0.1, "Share of the features that is dropped in training.", minimum=0, below=1)
    dropout: float = setting(0.5, "Share dropped in training after the layer over the features.", minimum=0, below=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_vector(self.composition, self.vector)


@dataclass(frozen=True)
class SceneObjective(Settings):
    """What the network learns; see ``scenes/objectives.py``."""

    objective: str = setting(
        "structured",
        "Margin between whole trees (structured), a margin at every merge (stepwise), or the likelihood of correct "
        "merges (softmax).",
        choices=("structured", "stepwise", "softmax"),
        only=_TREE,
    )
    kappa: float = setting(
        0.05,
        "Margin for each wrong merge of a tree (structured).",
        minimum=0,
        only={**_TREE, "objective": ("structured",)},
    )
    explore: float = setting(
        0.1,
        "Share of merges at which training follows the network's own choice (stepwise, softmax).",
        minimum=0,
        maximum=1,
        only={**_TREE, "objective": ("stepwise", "softmax")},
    )
    pair_epochs: int = setting(
        3, "Epochs on neighbouring pairs alone, before those on whole trees.", minimum=0, only=_TREE
    )
    merge_weight: float = setting(1.0, "Weight of the margins of merges.", minimum=0, only=_TREE)
    node_weight: float = setting(
        0.5,
        "Weight of the labels of inner nodes; that of segments' labels is 1.",
        minimum=0,
        only=_TREE,
    )
    size_power: float = setting(
        0.3,
        "A segment counts as its labelled pixels to this power: 0, all alike; 1, all pixels alike.",
        minimum=0,
        maximum=1,
    )
    rarity: float = setting(
        0.5, "A class counts as its share of the pixels to the power of minus this.", minimum=0, maximum=1
    )


@dataclass(frozen=True)
class SceneReading(Settings):
    """Which scenes of a folder are read."""

    part: str = setting("train", "The list of images to train on: PART.txt in the folder.", metavar="PART")
    valid_part: str | None = setting(
        None, "The list of images to validate on.", metavar="PART", unset="dev, if there is dev.txt; else held out"
    )
    valid_share: float = setting(
        0.1, "Share of the images to hold out for validation, where there is no list; 0 for none.", minimum=0, below=1
    )
    fold: str | None = setting(
        None, "Cross-validation: fold K of N; every N-th image is held out.", metavar="K/N", unset="none"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fold is not None and self.valid_part is not None:
            raise SettingError("valid_part", "not with --fold, which says on which images to validate")


@dataclass(frozen=True, kw_only=True)
class SceneRecipe(Recipe):
    """Everything that a scene parser's training is told."""

    reading: SceneReading = field(default_factory=SceneReading)
    segments: SegmentSettings = field(default_factory=SegmentSettings)
    network: SceneNetworkConfig = field(default_factory=SceneNetworkConfig)
    objective: SceneObjective = field(default_factory=SceneObjective)


_TRAINING = TrainingSettings(
    learning_rate=2e-3, weight_decay=0.1, ema_decay=0.99, schedule="linear", epochs=12.0, evaluations=4
)


def _preset(
    reason: str, network: SceneNetworkConfig, training: TrainingSettings = _TRAINING, batch: int = 16
) -> Preset[SceneRecipe]:
    recipe = SceneRecipe(network=network, batch=BatchSettings(batch), training=training, enough_steps=200)
    return Preset(reason, recipe)


PRESETS = {
    "tiny": _preset(
        "tests and first tries: seconds",
        SceneNetworkConfig(hidden=24, vector=12, input_dropout=0.0, dropout=0.1),
        replace(_TRAINING, learning_rate=1e-2, ema_decay=0.9, epochs=12.0),
        batch=4,
    ),
    "medium": _preset("some hundreds of images in a few minutes on a laptop", SceneNetworkConfig()),
}

OPTIONS = TrainingOptions(argument="folder", sample="", presets={"": PRESETS}, default="medium", hidden=NO_WORDS)
