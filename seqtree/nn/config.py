"""The settings of network parts that several tasks share; no torch, so that ``--help`` is quick."""

from __future__ import annotations

from dataclasses import dataclass

from seqtree.errors import SettingError
from seqtree.settings import GIVEN, Settings, setting

COMPOSITIONS = ("tanh", "relu", "max", "lstm", "rntn")
CLIPPED = ("relu", "max")  # compositions that are a product, clipped: in a product's number format nothing more is lost
RECURRENT = ("rnn", "lstm", "gru")  # encoders
LAYERED = (*RECURRENT, "cnn")
MAX_ACTIVATION = 20.0  # where ReLU is clipped
MAX_LAYERS = 100
MAX_UNITS = 1 << 16


def check_vector(composition: str, vector: int) -> None:
    """Raises InputError for a width of tree nodes that does not fit their composition."""
    if composition == "lstm" and vector % 2:
        raise SettingError("vector", "a tree LSTM needs an even width", vector)


@dataclass(frozen=True)
class WordEncoderConfig(Settings):
    """Words and their characters, read by a bidirectional network; checked on construction (InputError)."""

    encoder: str = setting(
        "lstm",
        "Bidirectional network through which a word sees its sentence; cnn: convolutions over three words a layer.",
        choices=("none", *LAYERED),
    )
    words: int = setting(100, "Width of the vectors of known words; 0 for none.", minimum=0, maximum=MAX_UNITS)
    characters: int = setting(
        100, "Width of the vectors made from a word's characters; 0 for none.", minimum=0, maximum=MAX_UNITS
    )
    character_embedding: int = setting(
        32, "Width of a character's vector.", minimum=1, maximum=MAX_UNITS, only={"characters": GIVEN}
    )
    subwords: int = setting(
        0,
        "Width of the mean vector of the 2- to 5-grams of a word's characters, which share 65,536 vectors; 0 for none.",
        minimum=0,
        maximum=MAX_UNITS,
    )
    pairs: int = setting(
        0,
        "Width of the vectors of a word with the one before and the one after it, which share 131,072; 0 for none.",
        minimum=0,
        maximum=MAX_UNITS,
    )
    layers: int = setting(2, "Layers of the encoder.", minimum=1, maximum=MAX_LAYERS, only={"encoder": LAYERED})
    hidden: int = setting(
        250, "Units of an encoder layer in each direction.", minimum=1, maximum=MAX_UNITS, only={"encoder": LAYERED}
    )
    dropout: float = setting(
        0.35, "Share dropped in the encoder and after it.", minimum=0, below=1, only={"encoder": LAYERED}
    )
    weight_drop: float = setting(
        0.0,
        "Share dropped from the encoder's recurrent weights.",
        minimum=0,
        below=1,
        only={"encoder": RECURRENT},
    )
    word_dropout: float = setting(
        0.8, "In training, a word seen N times is read as unknown with probability D / (D + N).", minimum=0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.words + self.characters < 1:
            raise SettingError("words", "expected more than 0, unless --characters is", self.words)

    @property
    def input_size(self) -> int:
        """Width of a word's vector before the encoder."""
        return self.words + self.characters + self.subwords + 2 * self.pairs

    @property
    def directions(self) -> int:
        """In how many directions the encoder reads a sentence."""
        return 2

    @property
    def output_size(self) -> int:
        """Width of a word's vector after the encoder."""
        return self.input_size if self.encoder == "none" else self.directions * self.hidden
