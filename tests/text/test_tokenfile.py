"""Cache files: what is written comes back, and nothing damaged ever does."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from seqtree.errors import InputError, SeqtreeError
from seqtree.text import cache, tokenfile
from seqtree.text.blocks import smallest_dtype
from seqtree.text.cache import cache_folder, entries
from seqtree.text.tokenfile import StreamCounts, cached, in_cache, in_memory
from seqtree.text.vocabulary import Vocabulary

KEY = "0" * 64
VOCABULARY = Vocabulary.build({"a": 2, "b": 1}, "char")
COUNTS = [StreamCounts(ids=3, characters=3, bytes=4, unknown=1), StreamCounts(ids=2, characters=2, bytes=2)]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SEQTREE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def fill(sink):
    sink.write(np.array([2, 3], dtype=np.uint8))
    sink.write(np.array([], dtype=np.uint8))
    sink.write(np.array([0, 1, 2], dtype=np.uint8))
    return COUNTS


def make():
    return VOCABULARY, fill


def refuse(message=""):
    raise AssertionError(message)


def check(streams):
    assert [stream.ids.tolist() for stream in streams] == [[2, 3, 0], [1, 2]]
    assert [(s.characters, s.bytes, s.unknown, len(s)) for s in streams] == [(3, 4, 1, 3), (2, 2, 0, 2)]
    assert all(stream.ids.dtype == np.uint8 for stream in streams)
    with pytest.raises(ValueError, match="read-only"):
        streams[0].ids[0] = 1


@pytest.mark.parametrize(("size", "width"), [(2, 1), (256, 1), (257, 2), (65_536, 2), (65_537, 4)])
def test_indices_take_the_smallest_type(size, width):
    dtype = smallest_dtype(size)
    assert dtype.itemsize == width
    assert np.iinfo(dtype).max >= size - 1


def test_streams_are_the_same_in_memory_on_disk_and_again_from_disk(folder):
    check(in_memory(VOCABULARY, fill))
    assert cached(KEY) is None
    streams = in_cache(KEY, make, refuse)[1]
    check(streams)
    assert all(isinstance(stream.ids, np.memmap) for stream in streams)
    vocabulary, again = cached(KEY)
    assert vocabulary == VOCABULARY
    check(again)
    assert sorted(path.name for path in folder.iterdir()) == [f"{KEY}.json", f"{KEY}.tokens"]


def test_every_flipped_byte_and_every_truncation_is_found(folder):
    in_cache(KEY, make, refuse)
    path = folder / f"{KEY}.tokens"
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        assert cached(KEY) is None, f"byte {place}"
        path.write_bytes(whole[:place])
        assert cached(KEY) is None, f"cut at {place}"
    path.write_bytes(whole[1:])
    assert cached(KEY) is None
    path.write_bytes(whole)
    check(cached(KEY)[1])


def test_a_file_under_another_key_or_of_another_format_is_not_used(folder, monkeypatch):
    in_cache(KEY, make, refuse)
    (folder / f"{KEY}.tokens").rename(folder / f"{'1' * 64}.tokens")
    assert cached("1" * 64) is None
    in_cache(KEY, make, refuse)
    monkeypatch.setattr(tokenfile, "FORMAT_VERSION", tokenfile.FORMAT_VERSION + 1)
    assert cached(KEY) is None


def test_a_folder_that_cannot_be_used_is_reported_and_replaced(folder):
    folder.write_text("a file where the folder should be")
    said = []
    check(in_cache(KEY, make, said.append)[1])
    assert len(said) == 1
    assert str(folder) in said[0]
    assert "SEQTREE_CACHE" in said[0]


def test_what_another_user_has_left_is_no_reason_not_to_use_the_folder(folder, monkeypatch):
    in_cache("1" * 64, make, refuse)
    monkeypatch.setenv("SEQTREE_CACHE_LIMIT", "0.000001")
    unlink = Path.unlink

    def denied(path, missing_ok=False):
        if path.suffix == ".tokens":
            raise PermissionError(1, "Operation not permitted", str(path))
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", denied)
    check(in_cache(KEY, make, refuse)[1])
    assert cached(KEY) is not None and cached("1" * 64) is not None


def test_no_room_anywhere_is_an_error_and_leaves_nothing(folder, monkeypatch, tmp_path):
    def full(*_):
        raise OSError(28, "No space left on device")

    (tmp_path / "second").mkdir()
    monkeypatch.setattr(tokenfile, "temporary_folder", lambda: tmp_path / "second")
    with pytest.raises(SeqtreeError, match="No space left on device"):
        in_cache(KEY, lambda: (VOCABULARY, full), lambda _: None)
    assert not list(folder.iterdir()) + list((tmp_path / "second").iterdir())


def test_a_failure_while_writing_leaves_the_previous_file(folder):
    in_cache(KEY, make, refuse)
    path = folder / f"{KEY}.tokens"
    path.write_bytes(path.read_bytes()[:-1])

    def broken(sink):
        sink.write(np.array([1], dtype=np.uint8))
        raise SeqtreeError("stop")

    before = path.read_bytes()
    with pytest.raises(SeqtreeError, match="stop"):
        in_cache(KEY, lambda: (VOCABULARY, broken), refuse)
    assert path.read_bytes() == before
    assert len(list(folder.iterdir())) == 2
    check(in_cache(KEY, make, refuse)[1])


def writing(seconds):
    """A process that makes the entry, and takes so long for it once it has said so."""
    program = (
        "import sys, time, numpy as np\n"
        "from seqtree.text.tokenfile import StreamCounts, in_cache\n"
        "from seqtree.text.vocabulary import Vocabulary\n"
        "def fill(sink):\n"
        f"    sink.write(np.ones(1000, dtype=np.uint8)); print('writing', flush=True); time.sleep({seconds})\n"
        "    return [StreamCounts(ids=1000)]\n"
        "def make():\n"
        "    return Vocabulary.build({'a': 1}, 'char'), fill\n"
        f"in_cache({KEY!r}, make, lambda said: print(said, flush=True))\n"
    )
    root = str(Path(tokenfile.__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root}
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment)


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_killed_writer_leaves_no_entry_and_its_remains_go_later(folder, tmp_path):
    with writing(60) as process:
        assert process.stdout.readline() == b"writing\n"
        process.send_signal(signal.SIGKILL)
    assert cached(KEY) is None
    (remains,) = folder.glob("*.tmp")
    in_cache(KEY, make, refuse)
    assert remains.exists()  # it could still be another process at work
    old = time.time() - 2 * 24 * 3600
    os.utime(remains, (old, old))
    in_cache("1" * 64, make, refuse)
    assert not remains.exists()
    check(cached(KEY)[1])


@pytest.mark.skipif(os.name == "nt", reason="POSIX locks")
def test_locks_that_killed_processes_have_left_go_later(folder):
    import fcntl

    folder.mkdir()
    old = time.time() - 2 * 24 * 3600
    left, held, new = (folder / f"{name}.lock" for name in ("left", "held", "new"))
    for path in (left, held, new):
        path.touch()
        if path != new:
            os.utime(path, (old, old))
    with held.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        in_cache(KEY, make, refuse)
        assert [path.exists() for path in (left, held, new)] == [False, True, True]
    in_cache("1" * 64, make, refuse)
    assert [path.exists() for path in (left, held, new)] == [False, False, True]


def test_what_was_made_is_kept_where_its_use_cannot_be_written_down(folder, monkeypatch):
    """Nor how much room there is be found; nothing is made again in another folder."""

    def denied(*arguments):
        raise PermissionError(13, "Permission denied")

    for name in ("_state", "_remove_stale", "entries"):
        monkeypatch.setattr(cache, name, denied)
    check(in_cache(KEY, make, refuse)[1])
    check(in_cache(KEY, refuse, refuse)[1])


def test_where_the_cache_is(monkeypatch):
    monkeypatch.setenv("SEQTREE_CACHE", "/one")
    monkeypatch.setenv("XDG_CACHE_HOME", "/two")
    assert cache_folder() == Path("/one")
    monkeypatch.delenv("SEQTREE_CACHE")
    assert cache_folder() == Path("/two/seqtree")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert cache_folder() == Path.home() / ".cache" / "seqtree"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # which does not count
    assert cache_folder() == Path.home() / ".cache" / "seqtree"
    monkeypatch.setenv("HOME", "/three")
    monkeypatch.setenv("SEQTREE_CACHE", "~/mine")
    assert cache_folder() == Path("/three/mine")
    monkeypatch.delenv("SEQTREE_CACHE")
    monkeypatch.setenv("HOME", "")
    assert cache_folder() is None
    monkeypatch.setenv("HOME", "/three")
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # as for a user without a home
    assert cache_folder() is None


@pytest.mark.skipif(os.name == "nt", reason="POSIX locks")
def test_of_two_processes_one_makes_it_and_the_other_waits(folder):
    said = []
    with writing(1) as process:
        assert process.stdout.readline() == b"writing\n"
        _, (stream,) = in_cache(KEY, refuse, said.append)
        assert stream.ids.tolist() == [1] * 1000
        assert process.wait(60) == 0
    assert said == ["another process is encoding the same text: waiting for it"]
    assert not list(folder.glob("*.lock"))


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_killed_process_lets_others_go_on(folder):
    with writing(60) as first:
        assert first.stdout.readline() == b"writing\n"
        with writing(0) as second:
            assert second.stdout.readline() == b"another process is encoding the same text: waiting for it\n"
            first.kill()
            assert second.stdout.readline() == b"writing\n"
            assert second.wait(60) == 0
    assert len(cached(KEY)[1][0]) == 1000


def test_what_has_been_unused_longest_goes_first(folder, monkeypatch):
    keys, now = [number * 64 for number in "123"], time.time()
    for number, key in enumerate(keys):
        in_cache(key, make, refuse, [f"{number}.txt", "more.txt"])
        os.utime(folder / f"{key}.json", (now - 1000 + number, now - 1000 + number))
    assert [entry.texts for entry in entries(folder)] == [(f"{n}.txt", "more.txt") for n in (2, 1, 0)]
    assert cached(keys[0], ["other.txt"]) is not None  # now it is the one used last
    assert entries(folder)[0].texts == ("0.txt", "more.txt")
    size = (folder / f"{keys[0]}.tokens").stat().st_size
    monkeypatch.setenv("SEQTREE_CACHE_LIMIT", f"{3.5 * size / 1e9:.9f}")
    in_cache("4" * 64, make, refuse)
    assert {entry.path.stem[0] for entry in entries(folder)} == {"1", "3", "4"}
    assert not (folder / f"{keys[1]}.json").exists()
    monkeypatch.setenv("SEQTREE_CACHE_LIMIT", "0")
    in_cache("5" * 64, make, refuse)
    assert [entry.path.stem[0] for entry in entries(folder)] == ["5"]


def test_a_large_file_is_checked_again_only_after_a_change(folder, monkeypatch):
    in_cache(KEY, make, refuse)
    monkeypatch.setattr(tokenfile, "CHECKED", 0)
    checked = []
    monkeypatch.setattr(tokenfile, "_crc32", lambda *_: checked.append(1))
    assert cached(KEY) is not None
    assert not checked
    path = folder / f"{KEY}.tokens"
    os.utime(path, (1, 1))
    assert cached(KEY) is None
    assert checked


def test_a_limit_that_is_no_number_is_told_before_the_work(folder, monkeypatch):
    monkeypatch.setenv("SEQTREE_CACHE_LIMIT", "lots")
    with pytest.raises(InputError, match="SEQTREE_CACHE_LIMIT is 'lots': expected"):
        in_cache(KEY, refuse, refuse)
