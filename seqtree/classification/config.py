"""Everything that ``seqtree classify train`` can be told, and the presets; no torch, so that ``--help`` is quick."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from seqtree.errors import SettingError
from seqtree.nn.config import WordEncoderConfig
from seqtree.settings import Settings, setting
from seqtree.text.config import check_encoding
from seqtree.training.recipe import Preset, Recipe, TrainingOptions
from seqtree.training.settings import BatchSettings, TrainingSettings, ValidationSettings

POOLINGS = ("last", "mean", "max", "mean+max", "attention")
MAX_NGRAM = 10


@dataclass(frozen=True)
class ClassifierNetworkConfig(WordEncoderConfig):
    """The shape of a classifier's network; checked on construction (InputError)."""

    bidirectional: bool = setting(
        True, "Whether the encoder reads a text from its end, too.", flags="--bidirectional/--forward"
    )
    pooling: str = setting("mean+max", "How the states of a text's words become one vector.", choices=POOLINGS)
    ngrams: int = setting(
        2,
        "Sequences of up to so many words have weights of their own beside the network; 0 for none.",
        minimum=0,
        maximum=MAX_NGRAM,
    )
    character_ngrams: int = setting(
        5, "The same for characters of a word, from 2; 0 for none.", minimum=0, maximum=MAX_NGRAM
    )
    max_ngrams: int = setting(1 << 17, "So many of the most frequent such sequences have weights.", minimum=1)
    window: int = setting(400, "Longer texts are read in windows of so many words.", minimum=1)
    output_dropout: float = setting(0.5, "Share of a text's vector that is dropped in training.", minimum=0, below=1)

    @property
    def has_ngrams(self) -> bool:
        """Whether any sequences have weights."""
        return self.ngrams > 0 or self.character_ngrams > 1

    @property
    def directions(self) -> int:
        return 1 + self.bidirectional

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pooling == "last" and self.encoder in ("none", "cnn"):
            expected = f"encoder {self.encoder} has no last state; expected rnn, lstm or gru"
            raise SettingError("pooling", expected, "last")


@dataclass(frozen=True)
class LabelledSettings(Settings):
    """How labelled texts are read, and what a word is."""

    label_column: str = setting("label", "Name of the label's column in tables and JSON.")
    text_column: str = setting("text", "Name of the text's column in tables and JSON.")
    encoding: str = setting("utf-8", "Encoding of the files.")
    unit: str = setting("word", "What texts are made of.", choices=("word", "char"))
    lower: bool = setting(False, "Whether to read all texts in lower case.", flags="--lower/--as-written")
    min_count: int = setting(1, "Words that occur less often are known by their characters only.", minimum=1)
    class_weights: str = setting(
        "none",
        "Whether all classes count the same in training, however many texts they have (balanced).",
        choices=("none", "balanced"),
    )
    baseline: bool = setting(False, "Measure a linear model over n-grams beside it (needs scikit-learn).")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_encoding(self.encoding)


@dataclass(frozen=True, kw_only=True)
class ClassifierRecipe(Recipe):
    """Everything that a classifier's training is told."""

    texts: LabelledSettings = field(default_factory=LabelledSettings)
    validation: ValidationSettings = field(default_factory=ValidationSettings)
    network: ClassifierNetworkConfig = field(default_factory=ClassifierNetworkConfig)


_TRAINING = TrainingSettings(
    learning_rate=2e-3, clip=5.0, beta2=0.98, ema_decay=0.998, schedule="linear", epochs=15.0, evaluations=15
)


def _preset(
    reason: str, network: ClassifierNetworkConfig, training: TrainingSettings = _TRAINING, batch: int = 32
) -> Preset[ClassifierRecipe]:
    return Preset(reason, ClassifierRecipe(network=network, batch=BatchSettings(batch), training=training))


PRESETS = {
    "tiny": _preset(
        "tests and first tries: seconds",
        ClassifierNetworkConfig(
            words=32, characters=32, hidden=32, layers=1, dropout=0.1, output_dropout=0.1, max_ngrams=1 << 12
        ),
        replace(_TRAINING, learning_rate=5e-3),
    ),
    "medium": _preset(
        "some thousands of sentences in a few minutes on a laptop",
        ClassifierNetworkConfig(words=200, characters=50, hidden=150, layers=1, dropout=0.5),
    ),
}

OPTIONS = TrainingOptions(argument="texts", sample="requests", presets={"": PRESETS}, default="medium")
