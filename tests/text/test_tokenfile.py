"""Cache files: what is written comes back, and nothing damaged ever does."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from seqtree.errors import SeqtreeError
from seqtree.text import tokenfile
from seqtree.text.tokenfile import StreamCounts, cache_folder, cached, in_cache, in_memory, smallest_dtype
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


def refuse(message):
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
    streams = in_cache(KEY, VOCABULARY, fill, refuse)
    check(streams)
    assert all(isinstance(stream.ids, np.memmap) for stream in streams)
    vocabulary, again = cached(KEY)
    assert vocabulary == VOCABULARY
    check(again)
    assert [path.name for path in folder.iterdir()] == [f"{KEY}.tokens"]


def test_every_flipped_byte_and_every_truncation_is_found(folder):
    in_cache(KEY, VOCABULARY, fill, refuse)
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
    in_cache(KEY, VOCABULARY, fill, refuse)
    (folder / f"{KEY}.tokens").rename(folder / f"{'1' * 64}.tokens")
    assert cached("1" * 64) is None
    in_cache(KEY, VOCABULARY, fill, refuse)
    monkeypatch.setattr(tokenfile, "FORMAT_VERSION", tokenfile.FORMAT_VERSION + 1)
    assert cached(KEY) is None


def test_a_folder_that_cannot_be_used_is_reported_and_replaced(folder):
    folder.write_text("a file where the folder should be")
    said = []
    check(in_cache(KEY, VOCABULARY, fill, said.append))
    assert len(said) == 1
    assert str(folder) in said[0]
    assert "SEQTREE_CACHE" in said[0]


def test_no_room_anywhere_is_an_error_and_leaves_nothing(folder, monkeypatch, tmp_path):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tokenfile, "_temporary_folder", lambda: tmp_path / "second")
    with pytest.raises(SeqtreeError, match="No space left on device"):
        in_cache(KEY, VOCABULARY, full, lambda _: None)
    assert not list(folder.iterdir()) + list((tmp_path / "second").iterdir())


def test_a_failure_while_writing_leaves_the_previous_file(folder):
    in_cache(KEY, VOCABULARY, fill, refuse)

    def broken(sink):
        sink.write(np.array([1], dtype=np.uint8))
        raise SeqtreeError("stop")

    with pytest.raises(SeqtreeError, match="stop"):
        in_cache(KEY, VOCABULARY, broken, refuse)
    check(cached(KEY)[1])
    assert len(list(folder.iterdir())) == 1


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_killed_writer_leaves_no_entry_and_its_remains_go_later(folder, tmp_path):
    program = (
        "import sys, time, numpy as np\n"
        "from seqtree.text.tokenfile import in_cache\n"
        "from seqtree.text.vocabulary import Vocabulary\n"
        "def fill(sink):\n"
        "    sink.write(np.zeros(100_000, dtype=np.uint8)); print('writing', flush=True); time.sleep(60)\n"
        f"in_cache({KEY!r}, Vocabulary.build({{'a': 1}}, 'char'), fill, print)\n"
    )
    root = str(Path(tokenfile.__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": root}
    ) as process:
        assert process.stdout.readline() == b"writing\n"
        process.send_signal(signal.SIGKILL)
    assert cached(KEY) is None
    (remains,) = folder.glob("*.tmp")
    in_cache(KEY, VOCABULARY, fill, refuse)
    assert remains.exists()  # it could still be another process at work
    old = time.time() - 2 * 24 * 3600
    os.utime(remains, (old, old))
    in_cache(KEY, VOCABULARY, fill, refuse)
    assert not remains.exists()
    check(cached(KEY)[1])


def test_where_the_cache_is(monkeypatch):
    monkeypatch.setenv("SEQTREE_CACHE", "/one")
    monkeypatch.setenv("XDG_CACHE_HOME", "/two")
    assert cache_folder() == Path("/one")
    monkeypatch.delenv("SEQTREE_CACHE")
    assert cache_folder() == Path("/two/seqtree")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert cache_folder() == Path.home() / ".cache" / "seqtree"
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # as for a user without a home
    assert cache_folder() is None
