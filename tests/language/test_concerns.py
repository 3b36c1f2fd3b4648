"""What is said of a text before training, and validation text from elsewhere than its end."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from runs import Clock, Messages, lm_recipe, train

from seqtree import LanguageModel, corpora
from seqtree.errors import InputError
from seqtree.language.concerns import concerns
from seqtree.language.task import LanguageModelTask
from seqtree.nn.device import choose_dtype
from seqtree.text.config import TextSettings
from seqtree.text.corpus import prepare

NAMES = sorted({"".join(random.Random(i).choices("abcdefgh", k=5)) for i in range(400)})


def _said(folder: Path, text: str, **options: object) -> Messages:
    file = folder / "text.txt"
    file.write_text(text, encoding="utf-8")
    display = Messages()
    train(lm_recipe(folder / "run", file, **{"epochs": 0.1, **options}), display)
    return display


@pytest.mark.parametrize("unit", ["char", "word"])
def test_a_sorted_list_is_noticed(tmp_path: Path, unit: str) -> None:
    assert "alphabetical order" in _said(tmp_path, "\n".join(NAMES) + "\n", unit=unit).text


def test_a_shuffled_list_and_one_with_single_lines_held_out_are_not(tmp_path: Path) -> None:
    shuffled = random.Random(1).sample(NAMES, len(NAMES))
    (tmp_path / "a").mkdir()
    assert "alphabetical" not in _said(tmp_path / "a", "\n".join(shuffled) + "\n").text
    assert "alphabetical" not in _said(tmp_path, "\n".join(NAMES) + "\n", valid_from="lines").text


def test_a_licence_in_the_validation_text_is_noticed(tmp_path: Path) -> None:
    book = "*** START OF THE PROJECT GUTENBERG EBOOK CATS ***\n" + "the cat sat on the mat\n" * 200
    licence = "*** END OF THE PROJECT GUTENBERG EBOOK CATS ***\n" + "you may copy it\n" * 15
    assert "licence" in _said(tmp_path, book + licence).text
    (tmp_path / "b").mkdir()
    assert "licence" not in _said(tmp_path / "b", book).text


def _another(kind: str) -> str:
    """A text of another kind than the embedded one."""
    chosen = random.Random(0)
    if kind == "figures":
        return "".join("\t".join(f"{chosen.random() * 100:.2f}" for _ in range(6)) + "\n" for _ in range(250))
    german = "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er"
    legal = "the agreement shall terminate immediately if any licensee distributes copies without permission hereunder"
    words = (german if kind == "language" else legal).split()
    return "".join(" ".join(chosen.choices(words, k=9)) + ".\n" for _ in range(300))


@pytest.mark.parametrize("unit", ["char", "word"])
@pytest.mark.parametrize("kind", ["language", "licence", "figures"])
def test_validation_text_of_another_kind_is_noticed(tmp_path: Path, kind: str, unit: str) -> None:
    """Also where the training text has some of it; not if it is taken from everywhere, or if the whole is mixed."""
    ordinary, other = corpora.path("lighthouse").read_text(encoding="utf-8"), _another(kind)
    lines = (ordinary + other).splitlines(keepends=True)
    random.Random(0).shuffle(lines)
    texts = {"after": ordinary + other, "same": ordinary, "mixed": "".join(lines), "one": other * 5}
    found = {}
    for name, text in texts.items():
        file = tmp_path / f"{name}.txt"
        file.write_text(text, encoding="utf-8")
        for valid_from in ("ends", "spread"):
            said = concerns(prepare([file], TextSettings(unit), valid_from=valid_from), True, valid_from)
            found[name, valid_from] = [one for one in said if "unlike the training text" in one]
    (warning,) = found.pop(("after", "ends"))
    assert "--valid-from spread or lines" in warning
    assert not any(found.values())


@pytest.mark.realdata
def test_ordinary_texts_are_alike_to_their_end_and_several_languages_are_not(data: Path, tmp_path: Path) -> None:
    from nltk.corpus import genesis, inaugural

    files = {"inaugural": inaugural.raw(), "english": genesis.raw("english-kjv.txt"), "languages": genesis.raw()}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    ordinary = [data / "text/tinyshakespeare.txt", data / "ptb/ptb.train.txt", data / "poems/train.txt"]
    ordinary += [tmp_path / "inaugural", tmp_path / "english"]
    for unit in ("char", "word"):
        for path in [*ordinary, tmp_path / "languages"]:
            said = " ".join(concerns(prepare([path], TextSettings(unit)), True, "ends"))
            assert ("unlike the training text" in said) == (path.name == "languages"), path


@pytest.mark.parametrize("tokenizer", ["whitespace", "treebank"])
@pytest.mark.parametrize("between", [" ", "\n"])
def test_sentences_within_lines_are_noticed_where_they_are_to_be_lines(
    tmp_path: Path, tokenizer: str, between: str
) -> None:
    text = between.join(["The cat sat on the mat.", "It slept.", "A dog ran, e.g. to Bob.", "It slept."]) + "\n"
    said = _said(tmp_path, text * 60, unit="word", tokenizer=tokenizer).text
    told = "108 full stops stay with their words, as in 'mat.', because --tokenizer treebank takes each line"
    assert ("sentences end within lines" in said) == (told in said) == (tokenizer == "treebank" and between == " ")


@pytest.mark.parametrize("mark", ["<s>", "</s>", "<pad>"])
def test_literal_marks_of_sentences_are_noticed(tmp_path: Path, mark: str) -> None:
    text = f"the cat sat on the mat {mark}\n" * 40
    assert f"holds {mark} 36 times" in _said(tmp_path, text, unit="word").text


def test_literal_unknown_words_are_counted(tmp_path: Path) -> None:
    said = _said(tmp_path, "the <unk> sat on the mat\n" * 40, unit="word")
    assert "252 training (14.3% unknown)" in said.text
    assert "not comparable: 4 of 28 tokens are unknown" in said.text
    warned = [line for line in said.lines if "warning" in line and "small corpus" not in line]
    (copies,) = warned
    assert copies.startswith("warning: 4 of 4 validation items are in the training data, too")


def test_nothing_to_learn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing is left to learn.*--min-count"):
        _said(tmp_path, "the cat sat on the mat\n" * 40, unit="word", min_count=1000)
    with pytest.raises(InputError, match=r"nothing is left to learn.*the lines of .* are all empty$"):
        _said(tmp_path, "\n" * 9, min_count=2)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("where", ["lines", "spread"])
def test_validation_text_from_everywhere(tmp_path: Path, where: str) -> None:
    """Each line is in one part, in its order, and a tenth of them validates."""
    file = tmp_path / "text.txt"
    file.write_text("".join(f"line{i:04}\n" for i in range(1000)), encoding="utf-8")
    corpus = prepare([file], TextSettings(), valid_from=where)
    assert corpus.valid is not None
    train_lines, valid_lines = (
        corpus.vocabulary.join(corpus.vocabulary.decode(stream.ids)).splitlines()
        for stream in (corpus.train, corpus.valid)
    )
    assert valid_lines == [f"line{i:04}" for i in range(1000) if (i % 10 == 9 if where == "lines" else i % 100 >= 90)]
    assert train_lines == [f"line{i:04}" for i in range(1000) if f"line{i:04}" not in set(valid_lines)]
    assert corpus.fingerprint != prepare([file], TextSettings()).fingerprint
    words = prepare([file], TextSettings("word"), valid_from=where)
    assert words.valid is not None
    assert (len(words.train), len(words.valid)) == (1800, 200)  # with the ends of the lines


def test_files_that_are_left_out_are_counted(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    for name in ("a.txt", "B.TXT", ".git/c.txt", ".ipynb_checkpoints/d.txt", "sub/._e.txt", "sub/f.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"\xff\xfe" if "._e" in name else b"the cat sat on the mat\n" * 9)
    display = Messages()
    train(lm_recipe(tmp_path / "run", folder, epochs=0.1), display)
    assert "3 files read, 3 skipped; " in display.text


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\x1f\x8b\x08", "gzip"),
        (b"PK\x03\x04", "zip"),
        (b"%PDF-1.7", "PDF"),
        (b"BZh9", "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
    ],
)
def test_a_file_that_is_no_text_is_named_for_what_it_is(tmp_path: Path, start: bytes, kind: str) -> None:
    (tmp_path / "text.txt").write_bytes(start + b"abc" * 50)
    with pytest.raises(InputError, match=rf"text\.txt is .*{kind}.*, not a text"):
        prepare([tmp_path / "text.txt"], TextSettings())


@pytest.mark.parametrize(
    ("start", "kind"), [("{\\rtf1 ", "RTF"), ("\ufeff<!DOCTYPE html>", "HTML"), (" <html>", "HTML")]
)
def test_marked_up_text_is_read_with_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], start: str, kind: str
) -> None:
    file = tmp_path / "text.txt"
    file.write_text(start + "the cat sat" * 9, encoding="utf-8")
    assert len(prepare([file], TextSettings()).train)
    assert capsys.readouterr().err.count(f"is {kind}: its markup is read as text") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no such file names there")
def test_a_warning_about_a_text_is_one_line_whatever_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a\x1b[31m\nb.txt"
    file.write_text("<html>the cat sat" * 9, encoding="utf-8")
    prepare([file], TextSettings())
    said = f"{tmp_path}/a\\x1b[31m b.txt is HTML: its markup is read as text; convert it to plain text first"
    assert capsys.readouterr() == ("", f"warning: {said}\n")


def test_a_budget_in_minutes_includes_the_measuring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a token takes long to measure, fewer are validated on, and training ends earlier; not so by epochs."""
    monkeypatch.setattr("seqtree.language.task.seconds_per_token", lambda *_: (5e-4, 5e-4))
    text = tmp_path / "text.txt"
    text.write_text("the cat sat on the mat\n" * 2000, encoding="utf-8")
    Clock(monkeypatch).timed(LanguageModelTask, "loss", 0.01)
    display = Messages()
    report = train(lm_recipe(tmp_path / "a", text, minutes=0.05), display)
    assert "validating on the first 1,024 of 4,600 tokens, for lack of time" in display.text
    assert report["tokens"] == 1024
    assert report["seconds"] == pytest.approx(2.0, abs=0.1)  # of three, one for the last validation and the report
    display = Messages()
    assert train(lm_recipe(tmp_path / "b", text, epochs=0.01), display)["tokens"] == 4600
    (announced,) = re.findall(r"about 0:(\d\d)", display.text)
    assert int(announced) >= 4  # two evaluations of 2.3 seconds


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from there")
def test_the_memory_of_a_run_is_announced(tmp_path: Path) -> None:
    """The process grows by that, within a third of it, for a vocabulary whose logits are most of it, or sampled.

    Growth differs from run to run: by 381 to 528 MB in a dozen runs, where 511 are announced.
    """
    program = """
import re, sys
import torch
import seqtree.language.task
from seqtree.training.fit import fit
from seqtree.training.progress import Display
torch.set_num_threads(1)
def peak():  # of this program alone, which ru_maxrss is not
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024 / 1e6
before = peak()
options = {"unit": "word", "preset": "tiny", "epochs": 0.1, "evaluations": 1, "out": sys.argv[2], "device": "cpu"}
options["sampled_softmax"] = sys.argv[4] == "sampled"
fit(seqtree.language.task.LanguageModelTask, [sys.argv[1]], {**options, "precision": sys.argv[3]}, Display())
print(peak() - before)
"""
    words = [f"w{i}" for i in range(40_000)]
    text = tmp_path / "text.txt"
    text.write_text("".join(" ".join(words[i : i + 10]) + "\n" for i in range(0, 40_000, 10)) * 2, encoding="utf-8")
    fast = "bf16" if choose_dtype("auto", torch.device("cpu")) else "fp32"  # elsewhere it takes minutes
    for precision, softmax in dict.fromkeys((("fp32", "exact"), (fast, "exact"), (fast, "sampled"))):
        run = str(tmp_path / f"{precision}-{softmax}")
        command = [sys.executable, "-c", program, str(text), run, precision, softmax]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        announced = re.search(r"about ([\d,]+) MB", done.stderr)
        assert announced is not None
        assert float(done.stdout) == pytest.approx(float(announced[1].replace(",", "")), rel=1 / 3)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have only names in Unicode")
def test_a_file_and_a_run_whose_names_are_not_utf_8(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    text = tmp_path / f"{name}.txt"
    text.write_text("the cat sat on the mat\n" * 20, encoding="utf-8")
    train(lm_recipe(tmp_path / name, text))
    assert json.loads((tmp_path / name / "config.json").read_text())["corpus"] == [str(text)]
    assert len(LanguageModel.load(tmp_path / name).sample("", 3)) == 3
    train(lm_recipe(tmp_path / name, text, epochs=3, resume=True))


UNSPACED = {
    "Chinese": ["我是学生。", "他来了，我们走吧。", "今天天气很好。", "你去哪里？", "我不知道。", "书在桌子上。"],
    "Thai": ["วันนี้อากาศดีมาก เราไปเดินเล่นกันเถอะ", "เขาไปโรงเรียนทุกวัน แต่วันนี้ไม่ไป"],
    "parted": ["我 是 学生 。", "他 来 了 ， 我们 走 吧 。", "今天 天气 很 好 。", "วันนี้ อากาศ ดี มาก"],
    "English": ["I am a student.", "He came, so let us go.", "yes", "no"],
}


@pytest.mark.parametrize("min_count", [1, 2])
@pytest.mark.parametrize("name", UNSPACED)
@pytest.mark.parametrize("unit", ["char", "word"])
def test_words_without_spaces_between_them_are_noticed(tmp_path: Path, name: str, unit: str, min_count: int) -> None:
    """Also where all are unknown, because each is read once."""
    lines = [f"{line}{number % 40}" for number, line in enumerate(UNSPACED[name] * 40)]
    (tmp_path / "text.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    settings = TextSettings(unit, min_count=min_count)
    said = " ".join(concerns(prepare([tmp_path / "text.txt"], settings), True, "ends"))
    told = "spaces part few words, as in Chinese or Thai, or in a list of words: expected --unit char"
    assert ("few words" in said) == (told in said) == (unit == "word" and name in ("Chinese", "Thai"))
