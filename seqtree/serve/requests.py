"""What the operations of the playground are asked: a frozen dataclass for each, checked on construction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seqtree.errors import InputError
from seqtree.language.config import SamplingSettings
from seqtree.language.inside import FEATURES
from seqtree.settings import Settings, setting
from seqtree.text.reading import utf8_length

MAX_TEXT = 20_000  # characters
MAX_SAMPLE = 5_000  # tokens
MAX_INSIDE = 2_000  # characters, which are read step by step
MAX_SCENE = 400_000  # pixels
LIMIT = f"At most {MAX_TEXT:,} characters."


@dataclass(frozen=True, kw_only=True)
class ModelRequest(Settings):
    """A question for one of the models that are served; ``subject`` names the field that it must have."""

    model: str | None = setting(None, "Which model, by its name on the page; by default the first of its kind.")

    subject: ClassVar[str]

    def __post_init__(self) -> None:
        super().__post_init__()
        for value in self.to_json().values():
            if isinstance(value, str):
                utf8_length(value)


@dataclass(frozen=True, kw_only=True)
class ImageRequest(ModelRequest):
    """An image."""

    image: str = setting("", f"A PNG or JPEG file in base64, of at most {MAX_SCENE:,} pixels.")

    subject = "image"


@dataclass(frozen=True, kw_only=True)
class TextRequest(ModelRequest):
    """A text."""

    text: str = setting("", f"The text. {LIMIT}")

    subject = "text"

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.text) > MAX_TEXT:
            raise InputError(f"a text of {len(self.text):,} characters: expected at most {MAX_TEXT:,}")


@dataclass(frozen=True, kw_only=True)
class SentencesRequest(TextRequest):
    """A text of several sentences."""

    tokenized: bool = setting(False, "Every line is one sentence, its words between spaces.")


@dataclass(frozen=True, kw_only=True)
class ParseRequest(SentencesRequest):
    """Sentences to parse."""

    k: int = setting(1, "Trees of each sentence that differ in brackets or labels.", minimum=1, maximum=20)


@dataclass(frozen=True, kw_only=True)
class TranslateRequest(TextRequest):
    """Texts to translate, one a line."""

    beam: int = setting(5, "Hypotheses that are followed at once; 1 is greedy.", minimum=1, maximum=20)
    best: int = setting(1, "Translations of each line, at most as many as the beam.", minimum=1, maximum=20)


@dataclass(frozen=True, kw_only=True)
class NextRequest(TextRequest):
    """A text to go on from, or with a blank to fill."""

    k: int = setting(10, "How many tokens.", minimum=1, maximum=100)


@dataclass(frozen=True, kw_only=True)
class SampleRequest(TextRequest, SamplingSettings):
    """A text to go on from, and how."""

    length: int = setting(300, "Tokens (characters or words) to sample at most.", minimum=0, maximum=MAX_SAMPLE)


@dataclass(frozen=True, kw_only=True)
class InsideRequest(TextRequest):
    """A text that a language model reads, and which unit to look at."""

    layer: int | None = setting(None, "Which layer, from 1 on; by default the last.", minimum=1)
    unit: int | None = setting(
        None, "Which unit, from 0 on; by default the one that goes best with ``feature``.", minimum=0
    )
    feature: str = setting("brackets", "What of the text units are compared with.", choices=tuple(FEATURES))

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.text) > MAX_INSIDE:
            raise InputError(f"a text of {len(self.text):,} characters: expected at most {MAX_INSIDE:,} to look inside")
