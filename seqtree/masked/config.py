"""Everything that ``seqtree words train`` can be told, and the presets; no torch, so that ``--help`` is quick."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from seqtree.errors import SettingError
from seqtree.nn.config import WordEncoderConfig
from seqtree.settings import Settings, setting
from seqtree.text.config import check_encoding
from seqtree.training.recipe import Preset, Recipe, TrainingOptions
from seqtree.training.settings import BatchSettings, TrainingSettings, ValidationSettings


@dataclass(frozen=True)
class MaskedNetworkConfig(WordEncoderConfig):
    """The shape of a masked language model's network; checked on construction (InputError)."""

    targets: int = setting(
        8000, "How many of the most frequent words are guessed; all others are only read.", minimum=1, maximum=1 << 24
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.encoder == "none":
            raise SettingError("encoder", "a hidden word is guessed from those around it; expected an encoder", "none")
        if not self.words:
            raise SettingError("words", "hidden words are guessed by their vectors; expected at least 1", 0)
        if self.pairs:
            raise SettingError("pairs", "vectors of pairs belong to one vocabulary; expected 0", self.pairs)


@dataclass(frozen=True)
class PlainTextSettings(Settings):
    """How texts are read, and how much of them is hidden."""

    encoding: str = setting("utf-8", "Encoding of the files.")
    tokenized: bool = setting(
        False, "Whether each line of a text is a sentence, its words between ASCII white space.", flags="--tokenized"
    )
    min_count: int = setting(3, "Words that occur less often are known by their characters only.", minimum=1)
    mask: float = setting(0.2, "Share of the words that are hidden, to be guessed.", above=0, below=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_encoding(self.encoding)


@dataclass(frozen=True, kw_only=True)
class MaskedRecipe(Recipe):
    """Everything that a masked language model's training is told."""

    plain: PlainTextSettings = field(default_factory=PlainTextSettings)
    validation: ValidationSettings = field(default_factory=ValidationSettings)
    network: MaskedNetworkConfig = field(default_factory=MaskedNetworkConfig)


_TRAINING = TrainingSettings(
    learning_rate=3e-3, clip=2.0, beta2=0.98, ema_decay=0.998, schedule="linear", epochs=3.0, evaluations=10
)


def _preset(reason: str, network: MaskedNetworkConfig, batch: int, training: TrainingSettings) -> Preset[MaskedRecipe]:
    validation = ValidationSettings(valid_share=0.02)
    return Preset(
        reason, MaskedRecipe(network=network, batch=BatchSettings(batch), training=training, validation=validation)
    )


PRESETS = {
    "tiny": _preset(
        "tests and first tries: seconds; for parsers and taggers of preset tiny",
        MaskedNetworkConfig(words=32, characters=32, hidden=64, layers=1, dropout=0.1, word_dropout=0.0),
        32,
        replace(_TRAINING, learning_rate=5e-3),
    ),
    "medium": _preset(
        "some million words in half an hour on a laptop",
        MaskedNetworkConfig(dropout=0.1, word_dropout=0.0),
        96,
        _TRAINING,
    ),
}

OPTIONS = TrainingOptions(
    argument="texts", sample="lighthouse", presets={"": PRESETS}, default="medium", hidden=("pairs",)
)
