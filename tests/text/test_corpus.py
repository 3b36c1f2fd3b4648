"""Reading, splitting and encoding whole corpora."""

import io
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from seqtree.errors import InputError, SeqtreeError
from seqtree.text import corpus as text, documents, reading
from seqtree.text.config import TextSettings
from seqtree.text.corpus import encode_paths, encode_text, prepare, text_tokens, training_characters
from seqtree.text.documents import line_bounds
from seqtree.text.vocabulary import Vocabulary

CHAR, WORD = TextSettings(), TextSettings(unit="word")
LINES = TextSettings(documents="lines")
FINGERPRINT = "814909c08ce82467172b394c1dc87ce5dbb339d95110afc64faa8f13c7bfc826"
TEN_LINES = "".join(f"line of ten{'n' * i}\n" for i in range(10))  # distinct lines of the same characters
realdata = pytest.mark.skipif("SEQTREE_DATA" not in os.environ, reason="SEQTREE_DATA is not set")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SEQTREE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def write(tmp_path):
    def write(content, name="text.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def refuse(message):
    raise AssertionError(message)


def read(corpus, part="train"):
    return corpus.vocabulary.join(corpus.vocabulary.decode(getattr(corpus, part).ids))


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030"])
def test_line_ends_and_byte_order_marks_are_normalised(write, encoding, newline, monkeypatch):
    monkeypatch.setattr(reading, "BLOCK", 3)
    path = write("首行\nsecond €\n\n".replace("\n", newline).encode(encoding))
    corpus = prepare([path], TextSettings(encoding=encoding), valid_share=0)
    assert read(corpus) == "首行\nsecond €\n\n"
    assert (corpus.train.characters, corpus.train.bytes, corpus.train.unknown) == (13, 19, 0)
    assert corpus.valid is None


def test_a_mark_is_dropped_at_the_start_of_each_file_only(write):
    first, second = write(b"\xef\xbb\xbfa\xef\xbb\xbfb", "1.txt"), write(b"\xef\xbb\xbfc\n", "2.txt")
    assert read(prepare([first, second], CHAR, valid_share=0)) == "a\ufeffb\nc\n"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), st.integers(1, 7))
def test_any_text_is_read_whole_in_blocks_of_any_size(tmp_path_factory, content, size):
    path = tmp_path_factory.mktemp("any") / "text"
    path.write_bytes(content.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "BLOCK", size)
        found = "".join(reading.read_text([reading.Source(path, "x", named=False)], "utf-8"))
    assert found == content.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def test_an_encoding_must_be_known(write):
    file = reading.Source(write(b"text"), "x", named=True)
    for encoding in ("nope", "base64", "caf\u00e9", ""):
        with pytest.raises(InputError, match="is not a text encoding known to Python"):
            list(reading.read_text([file], encoding))


def test_a_few_zero_bytes_are_characters_as_others(write):
    assert read(prepare([write(b"a\0b c\n")], CHAR, valid_share=0)) == "a\0b c\n"


@pytest.mark.parametrize("block", [4, 1 << 20])
@pytest.mark.parametrize(
    ("content", "settings", "said"),
    [
        (b"ab\r\ncd\re\xe9f", CHAR, ["byte 8 (line 3) is 0xE9", "valid utf-8", "try --encoding latin-1"]),
        (b"\xc3\xa9\n\x93quoted\x94", CHAR, ["byte 3 (line 2) is 0x93", "try --encoding cp1252"]),
        (b"\xff\xfea\0b\0", CHAR, ["byte 0 (line 1) is 0xFF", "try --encoding utf-16"]),
        (b"abc\xe2\x82", CHAR, ["byte 3 (line 1) is 0xE2", "cp1252"]),
        (b"x\x81\n", CHAR, ["byte 1 (line 1) is 0x81", "give the file's encoding"]),
        ("a b".encode("utf-16-le"), CHAR, ["looks like UTF-16 without a mark", "try --encoding utf-16-le"]),
        ("a b".encode("utf-16-be"), CHAR, ["looks like UTF-16 without a mark", "try --encoding utf-16-be"]),
        (b"\0" * 9, CHAR, ["is full of zero bytes and may not be text", "give its encoding"]),
        (b"\0", CHAR, ["is full of zero bytes and may not be text"]),
        ("a b".encode("utf-32-le"), CHAR, ["is full of zero bytes", "give its encoding"]),
        (b"ELF\0\0\xff", CHAR, ["byte 5", "zero bytes"]),
        (b"caf\xe9", TextSettings(encoding="ascii"), ["byte 3", "valid ascii", "try --encoding latin-1"]),
        (b"a\n\x81\xff", TextSettings(encoding="gb18030"), ["byte 2 (line 2) is 0x81", "valid gb18030"]),
    ],
)
def test_a_wrong_byte_is_named_with_its_place_and_a_way_out(write, monkeypatch, block, content, settings, said):
    monkeypatch.setattr(reading, "BLOCK", block)
    path = write(content)
    with pytest.raises(InputError) as error:
        prepare([path], settings)
    for part in [str(path), *said]:
        assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_folders_give_their_text_files_by_name(write, tmp_path):
    for name in ("b/z.txt", "b/a.txt", "a.txt", "c.md", "B.txt"):
        write(f"[{name}]", f"folder/{name}")
    write("", "folder/empty.txt")
    corpus = prepare([tmp_path / "folder"], CHAR, valid_share=0)
    assert read(corpus) == "[B.txt]\n[a.txt]\n[b/a.txt]\n[b/z.txt]"


def test_paths_that_do_not_serve_are_named(write, tmp_path, monkeypatch):
    (tmp_path / "none").mkdir()
    write("", "blank/a.txt")
    cases = {
        tmp_path / "missing.txt": "missing.txt: no such file",
        tmp_path / "none": "none is a folder without .txt files",
        tmp_path / "blank": "blank: all its .txt files are empty",
        write("", "void.txt"): "void.txt is empty",
        write("\ufeff", "mark.txt"): "mark.txt is empty",
        "a\0b": "no such file",
    }
    for path, message in cases.items():
        with pytest.raises(InputError, match=message):
            prepare([path], CHAR)
    with pytest.raises(InputError, match="no text was named"):
        prepare([], CHAR)

    def denied(*_):
        raise PermissionError(13, "Permission denied")

    path = write("secret", "secret.txt")
    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(InputError, match=r"secret\.txt cannot be read: permission denied"):
        prepare([path], CHAR)


def test_standard_input_is_read_like_a_file_and_once(write, monkeypatch):
    from_file = prepare([write(TEN_LINES)], CHAR)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(TEN_LINES.encode())))
    corpus = prepare(["-"], CHAR)
    assert read(corpus) + read(corpus, "valid") == TEN_LINES
    assert corpus.fingerprint == from_file.fingerprint
    with pytest.raises(InputError, match="only once"):
        prepare(["-"], CHAR, valid_paths=["-"])
    with pytest.raises(InputError, match="standard input is empty"):
        prepare(["-"], CHAR)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_read_like_a_file(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen([sys.executable, "-c", f"open({str(pipe)!r}, 'w').write('through a pipe')"]) as writer:
        assert read(prepare([pipe], CHAR, valid_share=0)) == "through a pipe"
    assert writer.returncode == 0


def test_the_split_point_is_that_of_exact_decimal_arithmetic():
    assert training_characters(1_115_394, 0.1) == 1_003_854 == int(0.9 * 1_115_394)
    assert all(training_characters(n, 0.1) == n * 9 // 10 for n in range(2000))
    assert all(training_characters(n, 0.05) == n * 19 // 20 for n in range(2000))
    assert int(10 * (1 - 0.9)) == 0  # what binary arithmetic would lose
    assert all(training_characters(n, 0.9) == n // 10 for n in range(2000))
    assert training_characters(10**15, 1e-15) == 10**15 - 1


@pytest.mark.parametrize("block", [1, 7, 1 << 20])
@pytest.mark.parametrize("share", [0.1, 0.25, 0.7])
def test_characters_split_at_the_point(write, monkeypatch, block, share):
    monkeypatch.setattr(reading, "BLOCK", block)
    corpus = prepare([write(TEN_LINES)], CHAR, valid_share=share)
    point = training_characters(len(TEN_LINES), share)
    assert read(corpus) == TEN_LINES[:point]
    assert read(corpus, "valid") == TEN_LINES[point:]
    assert corpus.train.characters + corpus.valid.characters == len(TEN_LINES)


@pytest.mark.parametrize("block", [1, 7, 1 << 20])
@pytest.mark.parametrize("share", [0.1, 0.11, 0.09, 0.5, 0.99])
def test_words_split_at_the_end_of_the_line_with_the_point(write, monkeypatch, block, share):
    monkeypatch.setattr(reading, "BLOCK", block)
    content = TEN_LINES + "the last line\n"
    path = write(content)
    point = training_characters(len(content), share)
    cut = next(i for i in range(len(content) + 1) if i >= point and content[i - 1] == "\n")
    corpus = prepare([path], WORD, valid_share=share)
    assert read(corpus) == content[:cut]
    assert read(corpus, "valid").count("\n") == content[cut:].count("\n")
    assert (corpus.train.characters, corpus.valid.characters) == (cut, len(content) - cut)


def test_the_vocabulary_is_that_of_the_training_text_alone(write):
    corpus = prepare([write("aaaaaaaaab")], CHAR)
    assert corpus.vocabulary.tokens == ("<unk>", "\n", "a")
    assert (corpus.valid.ids.tolist(), corpus.valid.unknown, corpus.train.unknown) == ([0], 1, 0)
    words = prepare([write("a b\n")], WORD, valid_paths=[write("a c\n", "valid.txt")])
    assert words.vocabulary.tokens[3:] == ("a", "b")
    assert words.train.ids.tolist() == [3, 4, 2]
    assert words.valid.ids.tolist() == [3, 0, 2]


def test_words_of_files_and_blank_lines(write):
    first, second = write("a  b\n\n \t\nc", "1.txt"), write("\nd e", "2.txt")
    corpus = prepare([first, second], WORD, valid_share=0)
    assert corpus.vocabulary.decode(corpus.train.ids) == ["a", "b", "</s>", "c", "</s>", "d", "e", "</s>"]
    assert corpus.train.characters == len("a  b\n\n \t\nc" + "\n" + "\nd e")
    assert corpus.train.bytes == corpus.train.characters


def test_treebank_words_and_limits(write):
    path = write('He said: "don\'t."\nHe left.\n')
    corpus = prepare([path], TextSettings(unit="word", tokenizer="treebank", min_count=2), valid_share=0)
    assert corpus.vocabulary.tokens[3:] == (".", "He")
    words = prepare([path], TextSettings(unit="word", tokenizer="treebank"), valid_share=0)
    assert read(words) == "He said : `` do n't . ''\nHe left .\n"
    assert len(prepare([path], TextSettings(max_vocabulary=5), valid_share=0).vocabulary) == 5


def test_a_given_vocabulary_is_used_and_never_changed(write):
    vocabulary = Vocabulary.build({"a": 1}, "char")
    stream = encode_paths([write("abcé\n")], vocabulary, CHAR)
    assert stream.ids.tolist() == [2, 0, 0, 0, 1]
    assert (stream.characters, stream.bytes, stream.unknown) == (5, 6, 3)
    assert len(vocabulary) == 3
    with pytest.raises(InputError, match="unit 'char' cannot encode text by 'word'"):
        encode_paths([write("abc")], vocabulary, WORD)


@pytest.mark.parametrize("settings", [CHAR, WORD, TextSettings(unit="word", tokenizer="treebank")])
@given(st.text(st.sampled_from("ab \n\r\ufeff'é")))
def test_strings_and_files_encode_alike(tmp_path_factory, settings, content):
    counts = dict.fromkeys("ab", 1)
    vocabulary = Vocabulary.build(counts, settings.unit)
    path = tmp_path_factory.mktemp("alike") / "text"
    path.write_bytes(content.encode())
    try:
        expected = encode_paths([path], vocabulary, settings)
    except InputError:
        with pytest.raises(InputError):
            encode_text(content, vocabulary, settings)
        return
    stream = encode_text(content, vocabulary, settings)
    assert stream.ids.tolist() == expected.ids.tolist()
    assert (stream.characters, stream.bytes, stream.unknown) == (expected.characters, expected.bytes, expected.unknown)


def test_tokens_of_a_prompt_leave_its_last_line_open():
    assert text_tokens("a b\r\nc", WORD) == ["a", "b", "</s>", "c"]
    assert text_tokens("a\r\n", CHAR) == ["a", "\n"]
    assert text_tokens("", WORD) == []


@pytest.mark.parametrize("settings", [CHAR, WORD])
def test_lone_surrogates_are_refused(settings):
    with pytest.raises(InputError, match=r"lone surrogate U\+D800"):
        encode_text("a \ud800", Vocabulary.build({"a": 1}, settings.unit), settings)


def test_too_little_text_says_how_much_is_needed(write):
    with pytest.raises(InputError, match=r"1 character\(s\) .* at least 2 are needed"):
        prepare([write("x")], CHAR)
    with pytest.raises(InputError, match="holds no word"):
        prepare([write(" \n\n")], WORD, valid_share=0)
    assert prepare([write("x")], CHAR, valid_share=0).train.characters == 1


def test_where_no_line_is_left_none_is_held_out(write):
    corpus = prepare([write("just one line\n")], WORD)
    assert (len(corpus.train), corpus.valid) == (4, None)
    with pytest.raises(InputError, match=r"v\.txt: the text to validate on holds no word"):
        prepare([write("just one line\n")], WORD, [write(" \n", "v.txt")])


@pytest.mark.parametrize("longest", [100, 1 << 20])
def test_a_long_line_of_words_is_split_within_it(write, monkeypatch, longest):
    monkeypatch.setattr("seqtree.text.tokenizers.MAX_LINE", longest)
    monkeypatch.setattr("seqtree.text.corpus.LONG_LINE", 50)
    monkeypatch.setattr(reading, "BLOCK", 64)
    words = [f"w{number}" for number in range(100)]
    corpus = prepare([write(" ".join(words))], WORD, valid_share=0.2)
    read = [corpus.vocabulary.decode(part.ids)[:-1] for part in (corpus.train, corpus.valid)]  # but for the end
    assert corpus.train.characters + corpus.valid.characters == len(" ".join(words))
    assert read[0] == words[: len(read[0])] and 60 < len(read[0]) < 100
    assert len(read[1]) == 100 - len(read[0])


@pytest.mark.parametrize("share", [-0.1, 1, 1.5, float("nan"), True, "0.1"])
def test_a_share_out_of_range_is_refused(write, share):
    with pytest.raises(InputError, match="validation share"):
        prepare([write("text")], CHAR, valid_share=share)


@pytest.mark.parametrize(
    "wrong",
    [
        {"unit": "byte"},
        {"tokenizer": "moses"},
        {"encoding": "klingon"},
        {"encoding": "base64"},
        {"encoding": "a\0"},
        {"min_count": 0},
        {"max_vocabulary": 2},
    ],
)
def test_settings_are_checked(wrong):
    with pytest.raises(InputError):
        TextSettings(**wrong)


@pytest.mark.parametrize("settings", [CHAR, WORD])
def test_a_corpus_on_disk_equals_the_same_in_memory_and_survives_damage(write, cache, monkeypatch, settings):
    path = write(TEN_LINES)
    small = prepare([path], settings, valid_share=0.3)
    assert not cache.exists()
    monkeypatch.setattr(text, "IN_MEMORY", 0)
    for _ in range(2):
        large = prepare([path], settings, valid_share=0.3, warn=refuse)
        (entry,) = cache.glob("*.tokens")
        assert isinstance(large.train.ids, np.memmap)
        assert large.fingerprint == small.fingerprint
        assert large.vocabulary == small.vocabulary
        for part in ("train", "valid"):
            ours, theirs = getattr(large, part), getattr(small, part)
            assert ours.ids.tolist() == theirs.ids.tolist()
            assert ours.ids.dtype == theirs.ids.dtype == np.uint8
            assert (ours.characters, ours.bytes, ours.unknown) == (theirs.characters, theirs.bytes, theirs.unknown)
        del large, ours
        entry.write_bytes(entry.read_bytes()[:-20])


def test_the_cache_goes_by_content_settings_and_vocabulary(write, cache, monkeypatch, tmp_path):
    monkeypatch.setattr(text, "IN_MEMORY", 0)
    first = prepare([write(TEN_LINES)], CHAR)
    with monkeypatch.context() as patch:
        patch.setattr(text.CorpusReading, "vocabulary", refuse)  # a second encoding would need it
        again = prepare([write(TEN_LINES, "elsewhere.txt")], CHAR)
    assert again.fingerprint == first.fingerprint
    assert len(list(cache.glob("*.tokens"))) == 1
    prints = {first.fingerprint}
    prints.add(prepare([write(TEN_LINES.replace("nnnnn", "x"))], CHAR).fingerprint)
    prints.add(prepare([write(TEN_LINES)], TextSettings(min_count=2)).fingerprint)
    prints.add(prepare([write(TEN_LINES)], CHAR, valid_share=0.2).fingerprint)
    prints.add(prepare([write(TEN_LINES)], CHAR, valid_paths=[write("abc", "v.txt")]).fingerprint)
    assert len(prints) == 5
    given = prepare([write(TEN_LINES)], CHAR, vocabulary=Vocabulary.build({"a": 1}, "char"))
    assert given.fingerprint == first.fingerprint
    assert given.train.unknown > 0
    assert len(list(cache.glob("*.tokens"))) == 6


def test_a_file_that_changes_while_it_is_read_is_noticed(write, monkeypatch):
    path = write(TEN_LINES)
    count = text.CorpusReading.vocabulary

    def change_then_count(self, grown=None):
        path.write_text(TEN_LINES.replace("ten", "two"))
        return count(self, grown)

    monkeypatch.setattr(text.CorpusReading, "vocabulary", change_then_count)
    with pytest.raises(SeqtreeError, match="has changed while being read"):
        prepare([path], CHAR)


def test_a_cache_that_cannot_be_written_is_told_and_done_without(write, cache, monkeypatch):
    monkeypatch.setattr(text, "IN_MEMORY", 0)
    cache.write_text("no folder")
    said = []
    corpus = prepare([write(TEN_LINES)], CHAR, warn=said.append)
    assert read(corpus) + read(corpus, "valid") == TEN_LINES
    assert len(said) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="measures resident memory as Linux reports it")
def test_one_gigantic_line_of_characters_needs_little_memory(tmp_path):
    program = (
        "import re, sys\n"
        "from seqtree.text.corpus import *\n"
        "corpus = prepare([sys.argv[1]], TextSettings(), valid_share=0)\n"
        "peak = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]\n"
        "print(len(corpus.train), int(peak) // 1024)\n"
    )
    path = tmp_path / "line.txt"
    with path.open("wb") as file:
        for _ in range(96):
            file.write("é".encode() * (1 << 19))
    env = {**os.environ, "PYTHONPATH": str(Path(text.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", program, path], env=env, capture_output=True, text=True, check=True)
    tokens, resident = map(int, done.stdout.split())
    assert tokens == 96 << 19
    assert resident < 90  # MiB: less than the file, of which there are 96


def test_large_files_that_have_not_changed_are_not_read_again(write, cache, monkeypatch):
    monkeypatch.setattr(text, "IN_MEMORY", 0)
    path = write(TEN_LINES)
    os.utime(path, (1, 1))
    monkeypatch.setattr("seqtree.text.cache.SETTLED", -1.0)  # or else the time of the last change is too near
    first = prepare([path], CHAR)
    with monkeypatch.context() as patch:
        patch.setattr("seqtree.text.survey.read_text", refuse)
        again = prepare([path], CHAR)
    assert again.fingerprint == first.fingerprint
    assert again.train.ids.tolist() == first.train.ids.tolist()
    path.write_text(TEN_LINES.replace("line", "LINE"))
    os.utime(path, (1, 1))  # as large and as old
    assert prepare([path], CHAR).fingerprint != first.fingerprint
    for file in cache.glob("*.read"):
        file.write_text("[1]")
    assert prepare([path], CHAR).fingerprint != first.fingerprint


def test_a_file_that_was_changed_just_now_is_read_again(write, cache, monkeypatch):
    monkeypatch.setattr(text, "IN_MEMORY", 0)
    prepare([write(TEN_LINES)], CHAR)
    assert not list(cache.glob("*.read"))


@pytest.mark.skipif(sys.platform != "linux", reason="measures resident memory as Linux reports it")
def test_a_text_larger_than_the_memory_it_may_take(tmp_path):
    """Encoded and trained on, it takes hardly more than a small one."""
    pytest.importorskip("torch")
    program = (
        "import re, sys\n"
        "from seqtree.training.fit import train\n"
        "def peak(text, out, epochs):\n"
        "    options = dict(out=out, preset='tiny', hidden=8, epochs=epochs, evaluations=1, valid=[sys.argv[1]])\n"
        "    train('lm', text, progress=False, device='cpu', threads=1, **options)\n"
        "    return int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) // 1024\n"
        "print(peak(sys.argv[1], sys.argv[3], 1), peak(sys.argv[2], sys.argv[4], 1e-5))\n"
    )
    small, large = (tmp_path / f"{name}.txt" for name in ("small", "large"))
    line = b"the cat sat on the mat, and a dog ran to the man.\n"
    small.write_bytes(line * 40)
    with large.open("wb") as file:
        for _ in range(160):
            file.write(line * 20_972)  # 1 MiB
    words = [sys.executable, "-c", program, small, large, *(tmp_path / name for name in "ab")]
    env = {**os.environ, "PYTHONPATH": str(Path(text.__file__).parents[2])}
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    assert after - before < 64  # MiB; the text has 160


@pytest.mark.realdata
@realdata
def test_tinyshakespeare_splits_as_published():
    path = Path(os.environ["SEQTREE_DATA"]) / "text" / "tinyshakespeare.txt"
    corpus = prepare([path], CHAR)
    whole = path.read_text(encoding="utf-8")
    assert (len(corpus.train), len(corpus.valid), len(corpus.vocabulary)) == (1_003_854, 111_540, 66)
    assert read(corpus) == whole[: int(0.9 * len(whole))]
    assert read(corpus, "valid") == whole[int(0.9 * len(whole)) :]


@pytest.mark.realdata
@realdata
def test_the_penn_treebank_has_the_published_sizes():
    folder = Path(os.environ["SEQTREE_DATA"]) / "ptb"
    corpus = prepare([folder / "ptb.train.txt"], WORD, valid_paths=[folder / "ptb.valid.txt"])
    assert (len(corpus.train), len(corpus.valid)) == (929_589, 73_760)
    assert len(corpus.vocabulary) == 10_001  # 10,000 published, among them <unk> and the line end, and <s>
    assert corpus.train.ids.dtype == np.uint16


@pytest.mark.parametrize("block", [1, 2, 3, 1 << 20])
@given(content=st.text("ab\n", min_size=1, max_size=20).filter(str.strip))
def test_lines_that_are_items_all_end_and_none_is_blank(tmp_path_factory, block, content):
    path = tmp_path_factory.mktemp("lines") / "text.txt"
    path.write_bytes(content.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "BLOCK", block)
        corpus = prepare([path], LINES, valid_share=0)
    expected = "".join(f"{line}\n" for line in content.split("\n") if line)
    assert read(corpus) == expected
    assert (corpus.train.characters, corpus.train.bytes) == (len(content), len(content))
    bounds = line_bounds(corpus.train.ids, corpus.vocabulary.end).tolist()
    assert [expected[a:b] for a, b in pairwise(bounds)] == expected.splitlines(keepends=True)
    assert text_tokens(content, LINES) == list(expected[: len(expected) - (content[-1] != "\n")])


def test_bounds_of_lines_are_found_in_pieces(monkeypatch):
    monkeypatch.setattr(documents, "CHUNK", 3)
    ids = np.array([5, 1, 1, 7, 8, 9, 1, 4], dtype=np.uint8)
    assert line_bounds(ids, 1).tolist() == [0, 2, 3, 7, 8]
    assert line_bounds(ids[:7], 1).tolist() == [0, 2, 3, 7]
    assert line_bounds(ids[:0], 1).tolist() == [0]


def test_the_fingerprint_of_a_text_is_what_it_always_was(write):
    """Of a corpus of version 0.1, so that its runs can be resumed; with items on lines it is another."""
    path = write(TEN_LINES)
    assert prepare([path], CHAR, valid_share=0).fingerprint == FINGERPRINT
    assert prepare([path], LINES, valid_share=0).fingerprint != FINGERPRINT
