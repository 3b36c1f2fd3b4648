"""How text becomes tokens; no numpy, so that ``--help`` is quick."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Any

from seqtree.errors import InputError
from seqtree.settings import Settings, setting

UNKNOWN = "<unk>"
START = "<s>"
END = "</s>"
NEWLINE = "\n"
SPECIALS: dict[str, tuple[str, ...]] = {"char": (UNKNOWN, NEWLINE), "word": (UNKNOWN, START, END)}


@dataclass(frozen=True)
class TextSettings(Settings):
    """What a token is, and which tokens get a place in the vocabulary. Checked on construction (InputError)."""

    unit: str = setting("char", "What a token is.", choices=tuple(SPECIALS))
    tokenizer: str = setting("whitespace", "How a line is split into words.", choices=("whitespace", "treebank"))
    encoding: str = setting("utf-8", "Encoding of the text files.")
    min_count: int = setting(1, "Tokens that occur less often than this become <unk>.", minimum=1)
    max_vocabulary: int | None = setting(
        None, "Size of the vocabulary: only the most frequent tokens are kept.", minimum=3, unset="all tokens"
    )
    documents: str = setting(
        "text",
        "What is read from beginning to end: the whole text, or each line as an item of its own (names, titles).",
        choices=("text", "lines"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_encoding(self.encoding)
        check_limits(self.unit, self.min_count, self.max_vocabulary)

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON values; ``documents`` only where it is not the default, so that texts are as they were."""
        return {name: value for name, value in super().to_json().items() if (name, value) != ("documents", "text")}

    @property
    def lines(self) -> bool:
        """Whether each line is an item of its own."""
        return self.documents == "lines"


def check_encoding(encoding: str) -> None:
    """Raises InputError unless Python has a text encoding of this name."""
    try:
        b"a".decode(encoding, "replace")  # unlike a lookup, rejects codecs that are not for text
        codecs.getincrementaldecoder(encoding)
    except (LookupError, TypeError, ValueError):
        raise InputError(f"{encoding!r} is not a text encoding known to Python (such as utf-8)") from None


def check_limits(unit: str, min_count: int, max_size: int | None) -> None:
    """Raises InputError unless ``min_count`` is at least 1 and ``max_size`` is None or allows an ordinary token."""
    if isinstance(min_count, bool) or not isinstance(min_count, int) or min_count < 1:
        raise InputError(f"the minimum count of a token must be an integer of at least 1, not {min_count!r}")
    smallest = len(SPECIALS[unit]) + 1
    if max_size is not None and (isinstance(max_size, bool) or not isinstance(max_size, int) or max_size < smallest):
        raise InputError(
            f"the maximum vocabulary size must be an integer of at least {smallest}, not {max_size!r}: "
            f"{', '.join(map(ascii, SPECIALS[unit]))} are always included"
        )
