"""Disks that are full and folders that cannot be written: what was there stays, and one line says what happened."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from full_disk import WHERE, full_disk
from language_helpers import TEXT

from seqtree.cli import run
from seqtree.files import locked, write_atomically

OPTIONS = (
    "--hidden",
    "8",
    "--embedding",
    "4",
    "--batch",
    "4",
    "--window",
    "8",
    "--device",
    "cpu",
    "--precision",
    "fp32",
    "--evaluations",
    "4",
    "--quiet",
)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.mark.parametrize("where", WHERE)
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, where: str) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with full_disk("file", where) as failed, pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert len(failed) == 1
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


def test_writing_syncs_the_file_before_the_rename_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    plain_fsync, plain_replace = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        done.append("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file")
        plain_fsync(descriptor)

    def replace(source: Any, target: Any) -> None:
        done.append("rename")
        plain_replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    write_atomically(tmp_path / "file", b"data")
    assert done == (["file", "rename", "folder"] if os.path.isdir("/proc/self/fd") else done)
    assert done[:2] == ["file", "rename"]


def test_a_full_disk_at_the_very_start(tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    with full_disk("config.json", "write"):
        assert run(["lm", "train", str(text), "--epochs", "1", *OPTIONS, "--out", str(out)]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == f"seqtree: error: {out / 'config.json'}: No space left on device"
    assert not out.exists()
    assert run(["lm", "train", str(text), "--epochs", "1", *OPTIONS, "--out", str(out)]) == 0


def _train(out: Path, text: Path) -> int:
    return run(["lm", "train", str(text), "--epochs", "1", *OPTIONS, "--out", str(out)])


def test_a_folder_that_cannot_be_written(
    tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the system says it; whoever runs the tests as root could write anywhere."""
    out = tmp_path / "run"
    out.mkdir()

    def touch(path: Path, *args: Any, **options: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "touch", touch)
    assert _train(out, text) == 2
    assert capsys.readouterr().err == (
        f"seqtree: error: {out}: cannot write there (Permission denied); choose another --out\n"
    )


def test_a_folder_below_a_file_and_a_file(tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _train(text / "run", text) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"seqtree: error: {text / 'run'}: cannot write there (Not a directory)")
    assert _train(text, text) == 2
    assert capsys.readouterr().err == f"seqtree: error: {text}: a file; --out expects a folder\n"
    assert text.read_text(encoding="utf-8") == TEXT


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes to read-only folders too")
def test_a_read_only_folder(tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    out.mkdir(mode=0o500)
    assert _train(out, text) == 2
    assert "cannot write there (Permission denied)" in capsys.readouterr().err


def test_one_holder_of_a_folder_at_a_time(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    with locked(tmp_path), pytest.raises(ValueError, match="another run is writing here"), locked(tmp_path):
        pass
    with locked(tmp_path):
        assert (tmp_path / ".lock").exists()
