"""Tables of files: fields of any length, without a trace in the program that reads them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from seqtree.errors import InputError
from seqtree.text import tables
from seqtree.text.tables import open_table


@pytest.fixture
def limit() -> int:
    """The longest field that the program's own tables may have."""
    return csv.field_size_limit()


def test_a_long_field_is_read_and_the_program_s_limit_stays(tmp_path: Path, limit: int) -> None:
    (tmp_path / "a.csv").write_text(f"id,text\n1,{'a' * 2 * limit}\n2,b\n", encoding="utf-8")
    with open_table(str(tmp_path / "a.csv"), "utf-8") as table:
        assert csv.field_size_limit() == limit
        assert len(next(table.rows).fields[1]) == 2 * limit
        assert csv.field_size_limit() == limit
        assert next(table.rows) == (["2", "b"], f"{tmp_path / 'a.csv'}:3")
    assert csv.field_size_limit() == limit


def test_a_field_that_is_too_long_is_refused(tmp_path: Path, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_FIELD", 10)
    (tmp_path / "a.csv").write_text("id,text\n1,twelve chars\n", encoding="utf-8")
    with (
        open_table(str(tmp_path / "a.csv"), "utf-8") as table,
        pytest.raises(InputError, match=r"a\.csv:2: not CSV: field larger than field limit \(10\)$"),
    ):
        next(table.rows)
    assert csv.field_size_limit() == limit
