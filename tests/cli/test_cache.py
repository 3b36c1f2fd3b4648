"""The cache of encoded texts and features: what is in it, and clearing it."""

from __future__ import annotations

import errno
import json
import os
import time
from pathlib import Path

import pytest
from command_helpers import Run, caller


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder with two texts and what is remembered of a file."""
    made = tmp_path / "cache"
    made.mkdir()
    monkeypatch.setenv("SEQTREE_CACHE", str(made))
    for name in ("ab12.tokens", "cd34.tokens", "seen.read"):
        (made / name).write_bytes(b"{}" * 500_000)
    return made


@pytest.fixture
def cache(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return caller(capsys, tmp_path, monkeypatch, "cache")


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


def test_sample_models_are_entries_and_other_folders_are_left_alone(folder: Path, cache: Run) -> None:
    sample, mine = folder / "lighthouse-0.1.0.sample", folder / "mine.sample"
    for made in (sample, mine):
        made.mkdir()
        (made / "model.safetensors").write_bytes(b"x" * 2_000_000)
    (sample / "config.json").write_text("{}")
    (sample / ".model.safetensors.0123456789abcdef.tmp").write_bytes(b"of a killed process")
    sample.with_suffix(".json").write_text(json.dumps({"texts": ["lighthouse"]}))
    (folder / "other-1.sample").symlink_to(mine)
    listed = json.loads(cache("list", "--json")[1])
    assert [(one["name"], one["texts"]) for one in listed["entries"] if one["bytes"] > 1_000_000] == [
        ("lighthouse-0.1.0", ["lighthouse"])
    ]
    assert cache("clear", "lighthouse") == (0, "removed 1 file, 2.0 MB\n", "")
    assert {file.name for file in folder.iterdir()} == {
        "ab12.tokens",
        "cd34.tokens",
        "mine.sample",
        "other-1.sample",
        "seen.read",
    }
    assert [file.name for file in mine.iterdir()] == ["model.safetensors"]


def test_what_is_not_ours_in_the_folder_of_a_sample_stays(folder: Path, cache: Run) -> None:
    sample = folder / "lighthouse-0.1.0.sample"
    sample.mkdir()
    (sample / "letter.txt").write_text("not to be lost")
    code, out, said = cache("clear")
    assert (code, out) == (1, "removed 2 files, 2.0 MB\n")
    assert said == f"seqtree: error: 1 file could not be removed (Directory not empty): {sample}\n"
    assert [file.name for file in sample.iterdir()] == ["letter.txt"]


def test_what_belongs_to_another_user_stays_and_is_told_of(
    folder: Path, cache: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a folder that several users share, whose sticky bit is set."""
    plain = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if path.name in ("ab12.tokens", "seen.read"):
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(path))
        plain(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    code, out, said = cache("clear")
    assert (code, out) == (1, "removed 1 file, 1.0 MB\n")
    left = f"{folder / 'ab12.tokens'}, {folder / 'seen.read'}"
    assert said == f"seqtree: error: 2 files could not be removed (Operation not permitted): {left}\n"
    assert {file.name for file in folder.iterdir()} == {"ab12.tokens", "seen.read"}


def test_a_folder_that_cannot_be_read(folder: Path, cache: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def listdir(path: Path) -> list[str]:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(os, "listdir", listdir)
    for words in (["list"], ["clear"]):
        said = f"seqtree: error: the cache folder {folder} cannot be read (Permission denied)\n"
        assert cache(*words) == (1, "", said)


def test_no_home_folder(cache: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SEQTREE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "")
    assert cache("list") == (0, "none, for there is no home folder: SEQTREE_CACHE names one\n", "")
    assert json.loads(cache("list", "--json")[1])["folder"] is None
    assert cache("clear") == (0, "removed 0 files, 0.0 MB\n", "")
    assert "None" not in cache("clear", "ab")[2]
