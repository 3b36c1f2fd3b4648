"""Control characters in texts, for terminals and in JSON."""

from __future__ import annotations

import json

import pytest

from seqtree.escapes import escaped, json_line, one_line

CONTROLS = [chr(number) for number in (*range(0x20), *range(0x7F, 0xA0))]


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: f"{ord(control):02x}")
def test_no_control_character_is_left(control: str) -> None:
    kept = control in "\n\t"
    assert escaped(f"a{control}b") == (f"a{control}b" if kept else f"a\\x{ord(control):02x}b")
    shown = " " if control == "\n" else escaped(control)
    assert one_line(f"a{control}b") == f"a{shown}b"
    line = json_line({"text": control})
    assert control not in line
    assert json.loads(line) == {"text": control}


def test_everything_else_stays() -> None:
    text = "é 中 🙂 \u2068אב\u2069 \xa0"
    assert escaped(text) == text
    assert json_line([text]) == f'["{text}"]'


def test_json_has_no_infinite_numbers() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        json_line([float("inf")])
