"""The cache of encoded texts and features: what is in it, and clearing it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from command_helpers import caller


def test_list_and_clear(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = caller(capsys, tmp_path, monkeypatch, "cache")
    folder = tmp_path / "cache"
    monkeypatch.setenv("SEQTREE_CACHE", str(folder))
    assert cache("list") == (0, f"0.0 MB of at most 20,000 MB, 0 files, in {folder}\n", "")
    folder.mkdir()
    now = time.time()
    for name, size, days in (("ab12", 1_000_000, 3), ("cd34", 3_000_000, 0), ("ef56", 2_000_000, 9)):
        ending = "features" if name == "ef56" else "tokens"
        (folder / f"{name}.{ending}").write_bytes(b"x" * size)
        if days:
            (folder / f"{name}.json").write_text(json.dumps({"texts": [f"{name}.txt", "b.txt"]}))
            os.utime(folder / f"{name}.json", (now - days * 86400, now - days * 86400))
    (folder / "mine.txt").write_bytes(b"mine")
    (folder / "seen.read").write_bytes(b"{}")
    monkeypatch.setenv("SEQTREE_CACHE_LIMIT", "0.5")
    assert [line.split() for line in cache("list")[1].splitlines()] == [
        ["cd34", "3.0", "MB", "0", "seconds", "?"],
        ["ab12", "1.0", "MB", "3", "days", "ab12.txt,", "b.txt"],
        ["ef56", "2.0", "MB", "9", "days", "ef56.txt,", "b.txt"],
        ["6.0", "MB", "of", "at", "most", "500", "MB,", "3", "files,", "in", str(folder)],
    ]
    listed = json.loads(cache("list", "--json")[1])
    assert [(one["name"], one["bytes"], one["texts"][:1]) for one in listed["entries"]][1:] == [
        ("ab12", 1_000_000, ["ab12.txt"]),
        ("ef56", 2_000_000, ["ef56.txt"]),
    ]
    code, out, said = cache("clear", "xy")
    assert (code, out) == (2, "")
    assert "xy: nothing of that name" in said
    assert cache("clear", "")[0] == 2  # a variable that is not set
    assert cache("clear", "ab") == (0, "removed 1 file, 1.0 MB\n", "")
    assert {file.name for file in folder.iterdir()} == {
        "cd34.tokens",
        "ef56.features",
        "ef56.json",
        "mine.txt",
        "seen.read",
    }
    assert cache("clear") == (0, "removed 2 files, 5.0 MB\n", "")
    assert [file.name for file in folder.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("said", ["much", "-1", "1e3", "nan"])
def test_a_limit_is_a_number(
    said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQTREE_CACHE_LIMIT", said)
    code, out, error = caller(capsys, tmp_path, monkeypatch, "cache")("list")
    assert (code, out) == (2, "")
    assert error == (
        f"seqtree: error: SEQTREE_CACHE_LIMIT is {said!r}: expected the most that the cache may take in GB, "
        "such as 20 or 0.5\n"
    )
