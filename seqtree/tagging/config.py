"""Everything that ``seqtree tag train`` can be told, and the presets; no torch, so that ``--help`` is quick."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from seqtree.nn.config import MAX_UNITS, WordEncoderConfig
from seqtree.settings import GIVEN, Settings, setting
from seqtree.text.config import check_encoding
from seqtree.training.recipe import Preset, Recipe, TrainingOptions
from seqtree.training.settings import BatchSettings, TrainingSettings, ValidationSettings

MAX_NGRAM = 5  # words, as many as are near


@dataclass(frozen=True)
class TaggerNetworkConfig(WordEncoderConfig):
    """The shape of a tagger's network; checked on construction (InputError)."""

    crf: bool = setting(
        True,
        "Whether a sentence's tags are chosen together, by a conditional random field, or each by itself.",
        flags="--crf/--softmax",
    )
    ngrams: int = setting(
        0,
        "Sequences of up to so many words near a word have weights of their own beside the network; 0 for none.",
        minimum=0,
        maximum=MAX_NGRAM,
    )
    max_ngrams: int = setting(
        1 << 18, "So many of the most frequent such sequences have weights.", minimum=1, only={"ngrams": GIVEN}
    )
    intent_vector: int = setting(
        32, "Width of the vector of a sentence's intent, which its tags see.", minimum=1, maximum=MAX_UNITS
    )


@dataclass(frozen=True)
class ColumnSettings(Settings):
    """How tagged sentences are read."""

    word_column: int | None = setting(
        None, "Which column holds the words, from 1.", minimum=1, unset="the first; in CoNLL-U the second"
    )
    tag_column: int | None = setting(
        None,
        "Which column holds the tags, from 1.",
        minimum=1,
        unset="the last if it has chunk tags, else the one after the words; in CoNLL-U the fourth",
    )
    encoding: str = setting("utf-8", "Encoding of the files.")
    min_count: int = setting(1, "Words that occur less often are known by their characters only.", minimum=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_encoding(self.encoding)


@dataclass(frozen=True)
class IntentSettings(Settings):
    """Whether sentences have an intent that is learned with their tags, and where it stands."""

    intent: bool = setting(
        False, "Whether to learn each sentence's intent, from comments such as '# intent: book_flight', too."
    )
    intents: tuple[str, ...] = setting(
        (),
        "Lines of intent<TAB>text, one for each sentence; may be given several times.",
        metavar="FILE",
        unset="none",
    )
    valid_intents: tuple[str, ...] = setting(
        (), "The same for the sentences of --valid; may be given several times.", metavar="FILE", unset="none"
    )


@dataclass(frozen=True, kw_only=True)
class TaggerRecipe(Recipe):
    """Everything that a tagger's training is told."""

    columns: ColumnSettings = field(default_factory=ColumnSettings)
    intents: IntentSettings = field(default_factory=IntentSettings)
    validation: ValidationSettings = field(default_factory=ValidationSettings)
    network: TaggerNetworkConfig = field(default_factory=TaggerNetworkConfig)


_TRAINING = TrainingSettings(
    learning_rate=2.5e-3, clip=5.0, beta2=0.98, ema_decay=0.998, schedule="linear", epochs=20.0, evaluations=20
)


def _preset(
    reason: str, network: TaggerNetworkConfig, batch: int = 16, training: TrainingSettings = _TRAINING
) -> Preset[TaggerRecipe]:
    return Preset(reason, TaggerRecipe(network=network, batch=BatchSettings(batch), training=training))


PRESETS = {
    "tiny": _preset(
        "tests and first tries: seconds",
        TaggerNetworkConfig(words=32, characters=32, hidden=64, layers=1, dropout=0.1),
        training=replace(_TRAINING, learning_rate=5e-3),
    ),
    "medium": _preset(
        "a few thousand sentences in some minutes on a laptop", TaggerNetworkConfig(hidden=200, dropout=0.4)
    ),
}

OPTIONS = TrainingOptions(argument="sentences", sample="toy_chunks", presets={"": PRESETS}, default="medium")
