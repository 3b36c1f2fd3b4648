"""Control characters written as escapes, so that no text, label or file name commands a terminal."""

from __future__ import annotations

import json
from typing import Any

_C0, _DEL_AND_C1 = range(0x20), range(0x7F, 0xA0)
_SHOWN = {number: f"\\x{number:02x}" for number in (*_C0, *_DEL_AND_C1) if chr(number) not in "\n\t"}
_JSON = {number: f"\\u{number:04x}" for number in _DEL_AND_C1}


def escaped(text: str) -> str:
    r"""The text with its control characters escaped, except for line ends and tabs.

    >>> print(escaped("red: \x1b[31m"))
    red: \x1b[31m
    """
    return text.translate(_SHOWN)


def one_line(text: str) -> str:
    r"""A message on one line: as ``escaped``, with spaces in the place of its line ends.

    >>> print(one_line("no file\x07 of\nthis name"))
    no file\x07 of this name
    """
    return escaped(text).replace("\n", " ")


def json_line(value: Any) -> str:
    """``value`` in JSON on one line, with every control character escaped. Raises ValueError for infinite numbers."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).translate(_JSON)
