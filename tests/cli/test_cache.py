"""The cache of encoded texts and features: what is in it, and clearing it."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_helpers import caller


def test_list_and_clear(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = caller(capsys, tmp_path, monkeypatch, "cache")
    folder = tmp_path / "cache"
    monkeypatch.setenv("SEQTREE_CACHE", str(folder))
    assert cache("list") == (0, "       0.0 MB in 0 files\n", "")
    folder.mkdir()
    for name, size in (("a.tokens", 1_000_000), ("b.features", 3_000_000), ("mine.txt", 5)):
        (folder / name).write_bytes(b"x" * size)
    lines = cache("list")[1].splitlines()
    assert [line.split()[0] for line in lines] == ["3.0", "1.0", "4.0"]
    assert lines[0].endswith(str(folder / "b.features"))
    assert cache("clear") == (0, "removed 2 files, 4.0 MB\n", "")
    assert [file.name for file in folder.iterdir()] == ["mine.txt"]
