"""Everything that ``seqtree lm train`` can be told, and the presets; no torch, so that ``--help`` is quick."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from seqtree.errors import InputError
from seqtree.nn.config import MAX_LAYERS, MAX_UNITS
from seqtree.settings import NOT_GIVEN, Settings, setting
from seqtree.text.config import TextSettings
from seqtree.training.recipe import Preset, Recipe, TrainingOptions
from seqtree.training.settings import BatchSettings, TrainingSettings, ValidationSettings

MIN_TOKENS = 8
_CONDITION, _EMBEDDED = {"condition": (True,)}, {"one_hot": (False,)}
MANY_TOKENS = 4000  # of a vocabulary for which sampled softmax pays
ENOUGH_WORDS = 1_000_000  # of a text, for which the dropout of a preset is enough
FEW_PASSES, MANY_PASSES = 2, 10  # over a text that is short: which need no more dropout, and all of it
MORE_DROPOUT, MOST_DROPOUT = 0.11, 0.6  # for each halving of the text; in all
BY_DROPOUT = ("dropout_input", "dropout_hidden", "dropout_output")  # what --dropout is short for
DROPOUTS = ("dropout_embedding", *BY_DROPOUT, "weight_drop")
TRAINING_ONLY = (*DROPOUTS, "dropout_locked", "sampled_softmax")  # may change when training continues from a model


@dataclass(frozen=True)
class LanguageNetworkConfig(Settings):
    """The shape of a language model; checked on construction (InputError)."""

    cell: str = setting("lstm", "Kind of recurrent layer.", choices=("rnn", "lstm", "gru"))
    nonlinearity: str = setting(
        "tanh", "Activation of the rnn cell.", choices=("tanh", "relu"), only={"cell": ("rnn",)}
    )
    layers: int = setting(1, "Recurrent layers.", minimum=1, maximum=MAX_LAYERS)
    hidden: int = setting(512, "Units per layer.", minimum=1, maximum=MAX_UNITS)
    embedding: int = setting(64, "Width of the input vectors.", minimum=1, maximum=MAX_UNITS, only=_EMBEDDED)
    one_hot: bool = setting(False, "Feed one-hot vectors to the network instead of an embedding.")
    tied: bool = setting(
        False,
        "Share the weights of embedding and output; the last of several layers then has as many units as the embedding "
        "is wide.",
        flags="--tied/--free",
    )
    bidirectional: bool = setting(False, "Read the text from both sides, to fill blanks.")
    dropout_embedding: float = setting(
        0.0, "Share of whole tokens dropped from the embedding.", minimum=0, below=1, only=_EMBEDDED
    )
    dropout_input: float = setting(0.0, "Share dropped from the input vectors.", minimum=0, below=1)
    dropout_hidden: float = setting(0.0, "Share dropped between layers.", minimum=0, below=1)
    dropout_output: float = setting(0.0, "Share dropped before the output layer.", minimum=0, below=1)
    weight_drop: float = setting(0.0, "Share dropped from the recurrent weights.", minimum=0, below=1)
    dropout_locked: bool = setting(
        True,
        "Use one dropout mask for all time steps of a window, or a fresh one at each step.",
        flags="--dropout-locked/--dropout-fresh",
    )
    sampled_softmax: bool | None = setting(
        None,
        "Score the common tokens and a sample of the others in a step of training, or the whole vocabulary.",
        flags="--sampled-softmax/--exact-softmax",
        unset=f"sampled for {MANY_TOKENS:,} tokens or more",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tied and (self.one_hot or self.bidirectional):
            raise InputError("a tied output needs an embedding and a network that is not bidirectional")
        if self.tied and (self.embedding > self.hidden or (self.layers == 1 and self.embedding < self.hidden)):
            raise InputError(
                f"a tied output needs an embedding as wide as there are hidden units, or with several layers at most "
                f"as wide: it is {self.embedding}, and they are {self.hidden}"
            )

    @property
    def output_size(self) -> int:
        """Units of the last layer (of one direction)."""
        return self.embedding if self.tied else self.hidden

    def with_dropout_for(self, words: int, passes: float) -> LanguageNetworkConfig:
        """The same with the dropout that a text of so many words, one or more, needs when it is read so often.

        What is added is in steps of 0.05.
        """
        often = min(1.0, max(0.0, (passes - FEW_PASSES) / (MANY_PASSES - FEW_PASSES)))
        more = round(20 * often * MORE_DROPOUT * max(0.0, math.log2(ENOUGH_WORDS / words))) / 20
        dropouts = {name: getattr(self, name) for name in BY_DROPOUT}
        raised = {name: round(max(was, min(MOST_DROPOUT, was + more)), 4) for name, was in dropouts.items()}
        return replace(self, **raised)


@dataclass(frozen=True)
class TextValidationSettings(ValidationSettings):
    """``valid_from`` says where in the text ``valid_share`` is taken from."""

    valid_from: str = setting(
        "ends",
        "Where the share held out lies: at the text's end, spread (the ends of ten pieces), or single lines (the "
        "default with --documents lines).",
        choices=("ends", "spread", "lines"),
        only={"valid": NOT_GIVEN},
    )


@dataclass(frozen=True)
class StreamBatchSettings(BatchSettings):
    """``batch`` rows read in parallel, and ``window`` tokens of each in a step (truncated backpropagation).

    Lines that are items of their own are read in as many rows as have about so many tokens.
    """

    batch: int = setting(32, "Rows of text read in parallel.", minimum=1)
    window: int = setting(64, "Tokens of each row in a step.", minimum=1)
    word_dropout: float = setting(
        0.8,
        "In training, a word seen N times is read as unknown with probability D / (D + N), unless the text has <unk>.",
        minimum=0,
    )

    def fitted(self, tokens: int, warn: Callable[[str], object]) -> StreamBatchSettings:
        """Settings that ``tokens`` fill at least once; ``warn`` is told. InputError below ``MIN_TOKENS`` tokens."""
        if tokens < MIN_TOKENS:
            raise InputError(f"{tokens} training tokens are too few: at least {MIN_TOKENS} are needed")
        batch, window = self.batch, self.window
        while batch > 1 and tokens // batch < 4 * window:
            batch //= 2
        window = min(window, max(1, tokens // (2 * batch)))
        sizes = (("batch", self.batch, batch), ("window", self.window, window))
        if changed := [f"{name} {before} -> {after}" for name, before, after in sizes if before != after]:
            warn(f"small corpus ({tokens:,} tokens): {', '.join(changed)}")
        return replace(self, batch=batch, window=window)


@dataclass(frozen=True)
class ConditionSettings(Settings):
    """Whether texts have classes, which a model then learns as a condition, and how a class enters the network."""

    condition: bool = setting(
        False,
        "Learn texts with their classes: CORPUS is label<TAB>text a line, CSV, JSON, or a folder a class; every "
        "text is an item of its own.",
    )
    condition_in: str = setting(
        "both",
        "Where the class enters: the first state, every input, or both.",
        choices=("first", "every", "both"),
        only=_CONDITION,
    )
    condition_size: int = setting(32, "Width of the vector of a class.", minimum=1, maximum=MAX_UNITS, only=_CONDITION)
    condition_dropout: float = setting(
        0.1,
        "Share of texts whose class is left out in training, to learn texts without one too.",
        minimum=0,
        maximum=1,
        only=_CONDITION,
    )
    label_column: str = setting(
        "label", "Name of the label's column in tables and JSON (--condition).", only=_CONDITION
    )
    text_column: str = setting("text", "Name of the text's column in tables and JSON (--condition).", only=_CONDITION)


@dataclass(frozen=True)
class Shorthands(Settings):
    """``dropout`` stands for dropout_input, dropout_hidden and dropout_output, where these are not given."""

    dropout: float | None = setting(
        None, "Short for the same --dropout-input, --dropout-hidden and --dropout-output.", minimum=0, below=1
    )


@dataclass(frozen=True)
class SamplingSettings(Settings):
    """How text is sampled; checked on construction (InputError)."""

    length: int = setting(500, "Tokens (characters or words) to sample at most.", minimum=0, flags="-n")
    temperature: float = setting(
        1.0, "Sharpness of the distribution; 0 always takes the most probable token.", minimum=0, flags="-t"
    )
    top_k: int | None = setting(None, "Sample only among the K most probable tokens.", minimum=1, unset="all tokens")
    top_p: float | None = setting(
        None,
        "Sample only among the most probable tokens that together have this probability.",
        above=0,
        maximum=1,
        unset="all tokens",
    )
    stop: tuple[str, ...] = setting(
        (),
        "End a sample before this string (\\n, \\t and \\\\ as in --prompt); may be given several times.",
        unset="none",
    )
    seed: int | None = setting(None, "Random seed of the first sample.", minimum=0, unset="a new one each time")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not all(self.stop):
            raise InputError("a stop string is empty; expected at least one character")


@dataclass(frozen=True, kw_only=True)
class LanguageRecipe(Recipe):
    """Everything that a language model's training is told. ``fits_dropout``: a short text gets more dropout."""

    text: TextSettings = field(default_factory=TextSettings)
    validation: TextValidationSettings = field(default_factory=TextValidationSettings)
    network: LanguageNetworkConfig = field(default_factory=LanguageNetworkConfig)
    batch: StreamBatchSettings = field(default_factory=StreamBatchSettings)
    condition: ConditionSettings = field(default_factory=ConditionSettings)
    fits_dropout: bool = False

    def __post_init__(self) -> None:
        if self.condition.condition and self.network.bidirectional:
            raise InputError("a bidirectional model cannot generate: expected --condition or --bidirectional, not both")
        if self.condition.condition and not self.text.lines:
            raise InputError("texts with classes are items of their own: expected --documents lines with --condition")


def _preset(
    unit: str,
    reason: str,
    batch: tuple[int, int],
    network: LanguageNetworkConfig,
    training: TrainingSettings,
    passes: float | None = None,
    least_steps: int = 0,
) -> Preset[LanguageRecipe]:
    recipe = LanguageRecipe(
        text=TextSettings(unit),
        network=network,
        batch=StreamBatchSettings(*batch),
        training=training,
        passes=passes,
        least_steps=least_steps,
        most_times=4,
        fits_dropout=unit == "word" and network.dropout_output > 0,
    )
    return Preset(reason, recipe)


def _char(layers: int, hidden: int, embedding: int, dropout: float) -> LanguageNetworkConfig:
    return LanguageNetworkConfig(
        layers=layers, hidden=hidden, embedding=embedding, dropout_hidden=dropout, dropout_output=dropout
    )


def _word(layers: int, hidden: int, dropout: float, tokens: float = 0.1) -> LanguageNetworkConfig:
    return replace(_char(layers, hidden, hidden, dropout), tied=True, dropout_embedding=tokens, dropout_input=dropout)


PRESETS = {
    "char": {
        "tiny": _preset(
            "char",
            "tests and first tries: seconds",
            (16, 32),
            _char(1, 128, 32, 0.0),
            TrainingSettings(learning_rate=1e-2),
        ),
        "small": _preset(  # one wide layer, small steps, the highest rate
            "char",
            "a megabyte in minutes on one core",
            (24, 64),
            _char(1, 512, 64, 0.1),
            TrainingSettings(learning_rate=4e-2, schedule="linear", weight_decay=0.1, clip=5.0),
            least_steps=600,
        ),
        "medium": _preset(  # many passes, so much dropout; small steps
            "char",
            "an hour of a core for a megabyte, or larger texts",
            (16, 64),
            replace(_char(2, 512, 128, 0.4), dropout_input=0.1, weight_drop=0.2),
            TrainingSettings(learning_rate=1.2e-2, schedule="linear", weight_decay=0.1, clip=5.0),
            passes=20,
        ),
        "large": _preset(
            "char",
            "tens of megabytes and hours, or a GPU",
            (64, 128),
            _char(3, 1024, 256, 0.4),
            TrainingSettings(learning_rate=2e-3),
            passes=20,
        ),
    },
    "word": {
        "tiny": _preset(
            "word",
            "tests and first tries: seconds",
            (10, 20),
            _word(1, 64, 0.0, 0.0),
            TrainingSettings(learning_rate=5e-3),
        ),
        "small": _preset(
            "word",
            "a megabyte of text in minutes",
            (20, 35),
            _word(1, 256, 0.2),
            TrainingSettings(learning_rate=6e-3, weight_decay=0.05),
            least_steps=300,
        ),
        "medium": _preset(  # few passes, so little dropout and much decay
            "word",
            "five megabytes in half an hour on two cores",
            (32, 35),
            replace(_word(2, 650, 0.2), dropout_output=0.3),
            TrainingSettings(learning_rate=3e-3, weight_decay=0.15),
            passes=3,
        ),
        "large": _preset(
            "word",
            "hours, or a GPU",
            (64, 70),
            _word(3, 1150, 0.5),
            TrainingSettings(learning_rate=1e-3, weight_decay=0.05),
            passes=15,
        ),
    },
}

OPTIONS = TrainingOptions(
    argument="corpus",
    sample="lighthouse",
    presets=PRESETS,
    default="small",
    hidden=("vector_words",),
    shorthands=Shorthands(),
)
