"""Everything that ``seqtree translate train`` can be told, and the presets; no torch, so that ``--help`` is quick."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from seqtree.errors import SettingError
from seqtree.nn.config import MAX_LAYERS, MAX_UNITS
from seqtree.settings import GIVEN, Settings, setting
from seqtree.text.config import check_encoding
from seqtree.training.recipe import Preset, Recipe, TrainingOptions
from seqtree.training.settings import VECTORS, BatchSettings, TrainingSettings, ValidationSettings

MAX_TOKENS = 1 << 20


@dataclass(frozen=True)
class TranslatorConfig(Settings):
    """The shape of an encoder-decoder; checked on construction (InputError).

    ``smoothing`` and ``word_dropout`` act in training only. Where the decoder attends, its first layer asks for the
    context, and its further layers read it.
    """

    cell: str = setting("lstm", "Cell of encoder and decoder.", choices=("rnn", "lstm", "gru"))
    embedding: int = setting(64, "Width of a token's vector.", minimum=1, maximum=MAX_UNITS)
    hidden: int = setting(128, "Units of a layer, in each direction of the encoder.", minimum=1, maximum=MAX_UNITS)
    layers: int = setting(1, "Layers of the encoder.", minimum=1, maximum=MAX_LAYERS)
    decoder_layers: int = setting(2, "Layers of the decoder.", minimum=1, maximum=MAX_LAYERS)
    bidirectional: bool = setting(
        True, "Whether the encoder reads the source from its end, too.", flags="--bidirectional/--forward"
    )
    context: str = setting(
        "attention",
        "What the decoder sees of the source: the encoder's end as its first state (first), the same at every step as "
        "well (every), or at every step what it attends to.",
        choices=("first", "every", "attention"),
    )
    attention: str = setting(
        "multiplicative",
        "How attention scores an encoder's state h for a decoder's state s: v tanh(Q s + K h), or s W h.",
        choices=("additive", "multiplicative"),
        only={"context": ("attention",)},
    )
    tied: bool = setting(False, "Share the target's vectors with the output layer.", flags="--tied/--untied")
    dropout: float = setting(0.2, "Share dropped before, between and after the layers.", minimum=0, below=1)
    word_dropout: float = setting(
        0.0, "Share of the tokens that the networks read in training as unknown.", minimum=0, below=1
    )
    smoothing: float = setting(
        0.0, "Label smoothing: share of a target that training gives to all tokens equally.", minimum=0, below=1
    )

    @property
    def attends(self) -> bool:
        """Whether the decoder attends to the encoder's states."""
        return self.context == "attention"


@dataclass(frozen=True)
class PairSettings(Settings):
    """How pairs of texts are read, and what a token is. Checked on construction (InputError)."""

    target: tuple[str, ...] = setting(
        (),
        "Targets, line by line beside those of FILES, which then hold sources only; may be given several times.",
        metavar="FILE",
        unset="the second column of FILES",
    )
    valid_target: tuple[str, ...] = setting(
        (), "The same for --valid.", metavar="FILE", unset="the second column of --valid", only={"valid": GIVEN}
    )
    swap: bool = setting(False, "Translate from the second column, or from --target, to the first.")
    encoding: str = setting("utf-8", "Encoding of the files.")
    unit: str = setting(
        "char",
        "What a token is: a character, a word between white space, or a piece of a word (bpe).",
        choices=("char", "word", "bpe"),
    )
    pieces: int = setting(
        5000,
        "Byte-pair pieces of each side, at most; but every character is one.",
        minimum=1,
        maximum=1 << 20,
        only={"unit": ("bpe",)},
    )
    min_count: int | None = setting(
        None, "Tokens that occur less often become <unk>.", minimum=1, unset="2 for words, 1 for characters and pieces"
    )
    max_tokens: int = setting(1000, "Tokens of the longest source or target.", minimum=1, maximum=MAX_TOKENS)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_encoding(self.encoding)
        if self.valid_target and not self.target:
            raise SettingError("valid_target", "give --target, too")


@dataclass(frozen=True, kw_only=True)
class TranslationRecipe(Recipe):
    """Everything that a translator's training is told."""

    pairs: PairSettings = field(default_factory=PairSettings)
    validation: ValidationSettings = field(default_factory=ValidationSettings)
    network: TranslatorConfig = field(default_factory=TranslatorConfig)


_TRAINING = TrainingSettings(
    learning_rate=3e-3, clip=1.0, beta2=0.98, ema_decay=0.998, schedule="linear", epochs=30.0, evaluations=20
)


def _preset(
    reason: str,
    network: TranslatorConfig,
    batch: int,
    training: TrainingSettings,
    pairs: PairSettings | None = None,
) -> Preset[TranslationRecipe]:
    recipe = TranslationRecipe(
        pairs=pairs or PairSettings(), network=network, batch=BatchSettings(batch), training=training
    )
    return Preset(reason, recipe)


PRESETS = {
    "tiny": _preset(
        "tests and first tries: seconds",
        TranslatorConfig(cell="gru", embedding=24, hidden=32, decoder_layers=1, dropout=0.1),
        32,
        replace(_TRAINING, learning_rate=1e-2, epochs=10.0),
    ),
    "chapters": _preset(
        "the chapters' encoder-decoder: the encoder's end is all that the decoder sees",
        TranslatorConfig(cell="gru", context="every", decoder_layers=1, bidirectional=False, dropout=0.1),
        32,
        _TRAINING,
    ),
    "small": _preset("spellings, dates, numbers: minutes", TranslatorConfig(), 64, replace(_TRAINING, epochs=20.0)),
    "medium": _preset(
        "pronunciation, inflection: tens of minutes",
        TranslatorConfig(embedding=128, hidden=256, dropout=0.25),
        128,
        replace(_TRAINING, learning_rate=2e-3, epochs=12.0),
        PairSettings(unit="word"),
    ),
    "text": _preset(
        "sentences of ordinary text in byte-pair pieces: an hour",
        TranslatorConfig(
            cell="gru", embedding=256, hidden=320, tied=True, dropout=0.3, word_dropout=0.05, smoothing=0.1
        ),
        64,
        replace(_TRAINING, learning_rate=2e-3, epochs=15.0),
        PairSettings(unit="bpe"),
    ),
}

OPTIONS = TrainingOptions(argument="files", sample="dates", presets={"": PRESETS}, default="small", hidden=VECTORS)
