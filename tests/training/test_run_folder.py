"""The files of a run: temporary ones, folders that a failed start made, and damaged lines."""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import seqtree
from seqtree.errors import InputError, ModelFileError, SeqtreeError
from seqtree.files import atomic_file, temporary_name, write_atomically
from seqtree.text.cache import temporary_folder
from seqtree.training.progress import Display
from seqtree.training.run_folder import RunFolder


@pytest.mark.parametrize("name", ["model", "m" * 255, "é" * 127])
def test_a_temporary_name_fits_and_is_random(tmp_path: Path, name: str) -> None:
    names = []
    for _ in range(2):
        with atomic_file(tmp_path / name) as file:
            (temporary,) = tmp_path.glob("*.tmp")
            file.write(b"1")
        names.append(temporary.name)
        assert len(os.fsencode(temporary.name)) <= 255
    assert names[0] != names[1]
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX systems")
def test_a_temporary_file_never_goes_through_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqtree.files.secrets.token_hex", lambda size: "known")
    victim = tmp_path / "victim"
    victim.write_text("mine", encoding="utf-8")
    link = tmp_path / temporary_name("model", "known")
    link.symlink_to(victim)
    with pytest.raises(FileExistsError):
        write_atomically(tmp_path / "model", b"theirs")
    assert victim.read_text(encoding="utf-8") == "mine"


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX systems")
def test_a_file_is_written_where_its_link_leads_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    file, link, other = tmp_path / "disk" / "file", tmp_path / "link", tmp_path / "other"
    file.write_bytes(b"old")
    link.symlink_to("disk/file")
    other.symlink_to(link)
    for path in (link, other):
        with atomic_file(path) as written:
            written.write(b"new")
            assert [one.suffix for one in tmp_path.rglob(".file.*")] == [".tmp"]  # beside the file
            assert file.read_bytes() == (b"old" if path == link else b"new")
        assert (file.read_bytes(), path.is_symlink()) == (b"new", True)
    with pytest.raises(ZeroDivisionError), atomic_file(link) as written:
        written.write(b"half")
        raise ZeroDivisionError
    assert (file.read_bytes(), [one.name for one in file.parent.iterdir()]) == (b"new", ["file"])


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX systems")
def test_a_link_to_nothing_or_to_a_folder_is_not_written(tmp_path: Path) -> None:
    for name, leads in (("gone", "nothing"), ("loop", "loop"), ("back", "forth"), ("forth", "back")):
        (tmp_path / name).symlink_to(tmp_path / leads)
        with pytest.raises(InputError, match=rf"{name}: a link to nothing; expected a file"):
            write_atomically(tmp_path / name, b"new")
    (tmp_path / "folder").symlink_to(tmp_path)
    with pytest.raises(IsADirectoryError) as raised:
        write_atomically(tmp_path / "folder", b"new")
    assert raised.value.filename == str(tmp_path / "folder")
    assert all(path.is_symlink() for path in tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX systems")
def test_what_a_killed_process_left_beside_the_model_of_a_link_is_removed(tmp_path: Path) -> None:
    run, kept = RunFolder(tmp_path / "run"), tmp_path / "kept [1]"
    run.path.mkdir()
    kept.write_bytes(b"model")
    run.model.symlink_to(kept)
    left = tmp_path / temporary_name(kept.name, "0123")
    left.touch()
    run.checkpoint.touch()
    with run.opened(resume=True):
        assert not left.exists()
    assert run.model.read_bytes() == b"model"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor(1) as readers:
        read = readers.submit((tmp_path / "pipe").read_bytes)
        write_atomically(tmp_path / "pipe", b"whole")
        assert read.result(timeout=30) == b"whole"
    assert (tmp_path / "pipe").is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


@pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="open files have no path here")
def test_a_link_to_a_pipe_is_written_to() -> None:
    """What a shell puts in the place of ``>(command)``, and /dev/stdout before a bar."""
    out, into = os.pipe()
    try:
        write_atomically(Path(f"/dev/fd/{into}"), b"whole")
        assert os.read(out, 99) == b"whole"
    finally:
        os.close(out)
        os.close(into)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files have no links here")
def test_an_open_file_is_written_at_its_end(tmp_path: Path) -> None:
    """As behind ``>> file``; by a link to it, too."""
    file = tmp_path / "all"
    file.write_bytes(b"earlier ")
    with open(file, "ab") as opened:
        (tmp_path / "link").symlink_to(f"/dev/fd/{opened.fileno()}")
        write_atomically(Path(f"/dev/fd/{opened.fileno()}"), b"new ")
        write_atomically(tmp_path / "link", b"newer")
        os.write(opened.fileno(), b" last")
    assert file.read_bytes() == b"earlier new newer last"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all", "link"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_a_device_that_cannot_be_written_is_named() -> None:
    with pytest.raises(OSError, match="No space left") as raised:
        write_atomically(Path("/dev/full"), b"whole")
    assert raised.value.filename == "/dev/full"


def test_without_a_place_for_temporary_files_it_is_said_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"the cat sat")))
    options: dict[str, Any] = {"preset": "tiny", "epochs": 0.1, "out": tmp_path / "run", "progress": False}
    for start in (
        temporary_folder,
        lambda: seqtree.train("lm", "-", **options),
        lambda: seqtree.train("lm", processes=2, **options),
    ):
        with pytest.raises(SeqtreeError, match=r"temporary files cannot be written .*: set TMPDIR to a folder"):
            start()
    assert not (tmp_path / "run").exists()


def test_a_failed_start_leaves_no_folder_behind(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), RunFolder(tmp_path / "a" / "b" / "run").opened(resume=False):
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_a_failed_start_keeps_what_is_somebody_elses(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "a" / "b" / "run")
    with pytest.raises(ZeroDivisionError), run.opened(resume=False):
        (tmp_path / "a" / "note.txt").touch()
        raise ZeroDivisionError
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["note.txt"]
    with pytest.raises(ZeroDivisionError), run.opened(resume=False):
        run.metrics.touch()
        raise ZeroDivisionError
    assert run.metrics.exists()


def test_damaged_lines_of_the_metrics_are_left_out(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    good = ['{"step": 1, "loss": 2.0}', '{"step": 2, "loss": 1.0}', '{"step": 3, "loss": 0.5}']
    damaged = ['{"step": 2, "lo', "", "\x00\x00", "[]", '{"loss": 1}', '{"step": "x"}', "[" * 10_000]
    run.metrics.write_bytes("\n".join([good[0], *damaged, *good[1:]]).encode() + b"\n\xff\xfe\n")
    assert run.cut_metrics(2) == len(damaged) + 1
    assert run.metrics.read_text(encoding="utf-8").splitlines() == good[:2]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="cannot write there"), RunFolder(tmp_path / "run").opened(resume=False):
        pass


def test_a_link_to_nothing_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "gone").symlink_to(tmp_path / "nothing")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path, link in (("gone", "gone"), ("gone/run", "gone"), ("loop", "loop")):
        with pytest.raises(InputError) as raised, RunFolder(tmp_path / path).opened(resume=False):
            pass
        assert str(raised.value).startswith(f"{tmp_path / link}: a link to nothing")
    assert {file.name for file in tmp_path.iterdir()} == {"gone", "loop"}


def test_a_model_that_was_taken_away_from_a_run_that_has_ended(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("the cat sat on the mat\n" * 20, encoding="utf-8")
    options: dict[str, Any] = {"preset": "tiny", "epochs": 0.1, "out": tmp_path / "run", "progress": False}
    seqtree.train("lm", tmp_path / "text.txt", **options)
    (tmp_path / "run" / "model.safetensors").unlink()
    with pytest.raises(ModelFileError, match=r"run.model\.safetensors: missing, though the run has ended; train again"):
        seqtree.train("lm", tmp_path / "text.txt", **options, resume=True)


def test_messages_command_no_terminal() -> None:
    stream = io.StringIO()
    display = Display(stream)
    display.message("reading \x1b[31mred\x07.txt")
    display.warning("a \x9b label")
    assert stream.getvalue() == "reading \\x1b[31mred\\x07.txt\nwarning: a \\x9b label\n"
