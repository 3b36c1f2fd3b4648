"""``seqtree translate``: training, measuring, translating, scoring, and what they make of bad input."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from command_helpers import Run, caller, refused
from translation_helpers import PAIRS, translator

from seqtree.cli import run
from seqtree.corpora import pairs as generated
from seqtree.translation import Translator, units

QUICK = ("--preset", "tiny", "--epochs", "1", "--evaluations", "1", "--threads", "1", "--device", "cpu", "--quiet")
FIGURES = {"bleu", "chrf", "exact_match", "token_error_rate", "loss", "tokens", "unknown_tokens", "items"}
FIGURES |= {"items_per_second"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file of a random translator of dates that attends."""
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    translator(PAIRS).save(path)
    return str(path)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    (tmp_path / "pairs.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in PAIRS), encoding="utf-8")
    return caller(capsys, tmp_path, monkeypatch, "translate")


# --- training


def test_without_files_the_sample_is_read(call: Run) -> None:
    options = ("--out", "run", *QUICK[:-1], "--epochs", "0.1", "--hidden", "8", "--valid-share", "0.02")
    code, out, err = call("train", *options)
    assert code == 0
    assert out == "run\n"
    assert "no files named: reading the embedded sample 'dates'" in err
    refused(call("train", "--target", "b.txt"), "--target: only with FILES of your own; name them, too")
    assert "2,939 training pairs, 61 validation pairs" in err
    assert Translator.load("run").target.vocabulary.tokens[:3] == ("<unk>", "<s>", "</s>")


def test_two_files_and_the_other_way(call: Run) -> None:
    for name, side in (("en", 0), ("iso", 1)):
        Path(f"train.{name}").write_text("".join(f"{pair[side]}\n" for pair in PAIRS[:40]))
        Path(f"dev.{name}").write_text("".join(f"{pair[side]}\n" for pair in PAIRS[40:]))
    files = ("train.en", "--target", "train.iso", "--valid", "dev.en", "--valid-target", "dev.iso")
    assert call("train", *files, "--out", "there", *QUICK)[0] == 0
    assert call("train", *files, "--swap", "--unit", "word", "--min-count", "1", "--out", "back", *QUICK)[0] == 0
    assert "J" in Translator.load("there").source.vocabulary
    assert "J" not in Translator.load("there").target.vocabulary
    assert Translator.load("back").target.unit == "word"
    code, out, _ = call("eval", "there", "dev.en", "--target", "dev.iso", "--json")
    assert code == 0
    assert json.loads(out)["items"] == len({source for source, _ in PAIRS[40:]})


def test_bad_training_data(call: Run) -> None:
    Path("long.tsv").write_text("a\tb\n" + "a\t" + "b" * 30 + "\n")
    Path("one.tsv").write_text("a\tb\n")
    Path("bad.tsv").write_text("a b\n")
    refused(call("train", "bad.tsv", "--out", "r", *QUICK), "bad.tsv:1: no tab; expected a source, one tab")
    said = "long.tsv:2: a target of 30 tokens; expected at most 20 (--max-tokens)"
    refused(call("train", "long.tsv", "--max-tokens", "20", "--out", "r", *QUICK), said)
    refused(call("train", "one.tsv", "--valid-share", "0.9", "--out", "r", *QUICK), "no pair is left to train on")
    refused(call("train", "pairs.tsv", "--pieces", "20", "--out", "r", *QUICK), "--pieces: only with --unit bpe")
    refused(call("train", "pairs.tsv", "--valid-target", "one.tsv", "--out", "r", *QUICK), "give --target, too")
    targets = ("--target", "one.tsv", "--valid-target", "none")
    refused(call("train", "one.tsv", *targets, "--out", "r", *QUICK), "--valid-target: only with --valid")
    said = "min_count 1000: no token of a source occurs so often, and nothing is left to learn"
    refused(call("train", "pairs.tsv", "--min-count", "1000", "--out", "r", *QUICK), said)
    refused(call("train", "-", "--valid", "-", "--out", "r", *QUICK, stdin=b"a\tb\n"), "named more than once")
    assert not Path("r").exists() or not list(Path("r").glob("*.safetensors"))


def test_columns_beside_targets_are_told_of(call: Run) -> None:
    code, _, err = call("train", "pairs.tsv", "--target", "pairs.tsv", "--out", "r", *QUICK)
    assert code == 0
    assert "most sources have a tab, which is read as a space: with --target, FILES hold sources only" in err


def test_it_is_told_that_nothing_is_held_out(call: Run) -> None:
    Path("two.tsv").write_text("a\tb\na\tb\n")
    code, _, err = call("train", "two.tsv", "--out", "r", *QUICK[:-1])
    assert code == 0
    assert "too few items to hold any out for validation: figures are of the training data" in err
    code, _, err = call("train", "two.tsv", "--valid-share", "0", "--out", "s", *QUICK[:-1])
    assert code == 0 and "hold any out" not in err


def test_pieces_without_their_library(call: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    said = 'byte-pair pieces need the tokenizers library: pip install "seqtree[translate]"'
    refused(call("train", "pairs.tsv", "--unit", "bpe", "--out", "r", *QUICK), said)
    assert units.Units.learned(["ab"], "char", 1, 1).tokens("ab") == ["a", "b"]


# --- measuring


def test_eval(call: Run, model: str) -> None:
    code, out, err = call("eval", model, "pairs.tsv", "--json", "--beam", "2")
    assert (code, err) == (0, "")
    record = json.loads(out)
    assert set(record) == FIGURES
    assert record["items"] == len({source for source, _ in PAIRS})
    assert 0 <= record["exact_match"] <= 1 and 0 <= record["bleu"] <= 100
    code, out, _ = call("eval", model, "pairs.tsv", "--beam", "2")
    assert code == 0
    assert [line.split("  ")[0] for line in out.splitlines()] == [name.replace("_", " ") for name in record]


def test_unknown_targets_are_told_of(call: Run, model: str) -> None:
    Path("new.tsv").write_text("3 Oct\t1 ☃☃\n")
    code, out, err = call("eval", model, "new.tsv", "--json")
    record = json.loads(out)
    assert code == 0 and (record["tokens"], record["unknown_tokens"]) == (5, 3)
    assert "3 of 5 target tokens are unknown to the model and measured as <unk>" in err
    code, _, err = call("score", model, "new.tsv")
    assert code == 0 and err == "3 target tokens are unknown to the model, and have the probability of <unk>\n"


def test_eval_without_sacrebleu(call: Run, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    code, out, err = call("eval", model, "pairs.tsv", "--json", "--beam", "1")
    assert code == 0
    assert json.loads(out)["bleu"] is json.loads(out)["chrf"] is None
    assert err == 'BLEU and chrF need sacrebleu: pip install "seqtree[translate]"\n'


def test_eval_of_bad_pairs(call: Run, model: str) -> None:
    Path("bad.tsv").write_text("a\tb\na\t\n")
    refused(call("eval", model, "bad.tsv"), "bad.tsv:2: the target is empty")
    Path("less").write_text("x\n")
    Path("more").write_text("x\ny\n")
    refused(call("eval", model, "more", "--target", "less"), "less ends after line 1, but more goes on")
    refused(call("eval", "nothing", "pairs.tsv"), "nothing")


# --- translating


def test_predict(call: Run, model: str) -> None:
    texts = ["April 20, 2018", "", "3 Oct 1999"]
    code, out, _ = call("predict", model, *texts)
    assert code == 0
    loaded = Translator.load(model)
    assert out.split("\n") == [*(loaded.translate(text) for text in texts), ""]
    Path("lines").write_text("\n".join(texts), encoding="utf-8")
    assert call("predict", model, "--file", "lines")[1] == out
    assert call("predict", model, stdin="\n".join(texts).encode())[1] == out
    assert call("predict", model, "-", stdin="\n".join(texts).encode())[1] == out
    assert call("predict", model, "-f", "-", stdin="\r\n".join(texts).encode())[1] == out


def test_lines_with_tabs_are_told_of_once(call: Run, model: str) -> None:
    code, out, err = call("predict", model, "--file", "pairs.tsv")
    assert code == 0 and len(out.splitlines()) == len(PAIRS)
    assert err == "lines have tabs: each is translated as one source; for pairs, see translate eval\n"


def test_several_with_scores(call: Run, model: str) -> None:
    code, out, _ = call("predict", model, "a", "", "b", "-k", "3", "--beam", "4")
    rows = [line.split("\t") for line in out.splitlines()]
    assert code == 0
    assert [row[0] for row in rows] == ["1"] * 3 + ["2"] + ["3"] * 3
    assert [float(row[1]) for row in rows[:3]] == sorted((float(row[1]) for row in rows[:3]), reverse=True)
    assert rows[0][2] == Translator.load(model).translate("a", beam=4)
    code, out, _ = call("predict", model, "a", "--scores")
    assert float(out.split("\t")[0]) == pytest.approx(float(rows[0][1]), abs=1)


def test_predict_as_json(call: Run, model: str) -> None:
    code, out, _ = call("predict", model, "3.4.99", "", '"\t\\', "--json", "--alignments", "--best", "2")
    first, empty, last = map(json.loads, out.splitlines())
    assert code == 0
    assert [line["line"] for line in (first, empty, last)] == [1, 2, 3]
    assert [line["source"] for line in (first, empty, last)] == ["3.4.99", "", '"\t\\']
    one, two = first["translations"]
    assert one["score"] >= two["score"]
    assert len(one["log_probabilities"]) == len(one["tokens"]) + 1 == len(one["alignment"])
    assert one["source_tokens"] == list("3.4.99")
    assert all(sum(row) == pytest.approx(1, abs=1e-4) for row in one["alignment"])
    nothing = {"log_probabilities": [], "source_tokens": [], "alignment": []}  # what was asked for is there
    assert empty["translations"] == [{"text": "", "score": 0.0, "tokens": [], **nothing}]


def test_alignments_are_drawn(call: Run, model: str) -> None:
    code, out, _ = call("predict", model, "3 Oct", "--alignments", "--plot", "a.svg")
    assert code == 0
    target = Translator.load(model).translate("3 Oct")
    lines = out.splitlines()
    assert lines[0] == target
    assert [line[:1] for line in lines[2 : 2 + len(target)]] == list(target.replace(" ", "␣"))
    assert lines[2 + len(target)].startswith("</s>")
    assert lines[-2].split() == ["1", "3", "2", "␣", "3", "O", "4", "c", "5", "t"]
    root = ET.parse("a.svg").getroot()
    rectangles = root.findall("{http://www.w3.org/2000/svg}rect")
    assert len(rectangles) == 1 + 5 * (len(target) + 1)
    _, _, err = call("predict", model, "", "--plot", "b.svg")
    assert "b.svg: the first text is empty" in err


def test_what_cannot_be_asked(call: Run, model: str, tmp_path: Path) -> None:
    translator(PAIRS, context="every").save(tmp_path / "plain")
    refused(call("predict", "plain", "a", "--alignments"), "plain: a model without attention, which aligns nothing")
    refused(call("predict", model, "a", "--plot", "a.png"), "--plot a.png: expected a file that ends in .svg")
    refused(call("predict", model, "a", "--file", "pairs.tsv"), "give TEXT or --file, not both")
    refused(call("predict", model, "a", "--beam", "2", "--best", "3"), "--best 3 of a --beam of 2")
    code, _, err = call("predict", model, "a", "--beam", "-1")
    assert code == 2 and "-1 is not in the range" in err and "begins with a dash" not in err
    Path("packed.gz").write_bytes(b"\x1f\x8b\x08" + bytes(20))
    refused(call("predict", model, "--file", "packed.gz"), "packed.gz is gzip-compressed, not a text; unpack it first")
    for penalty in ("nan", "inf", "-1", "11", "1e9"):
        said = f"length penalty {float(penalty)}: expected from 0 to 10"
        refused(call("predict", model, "--length-penalty", penalty, "a"), said)
        refused(call("eval", model, "pairs.tsv", "--length-penalty", penalty), said)
    Path("bad").write_bytes(b"fine\nM\xe4dchen\n")
    code, out, err = call("predict", model, "--file", "bad")
    assert code == 2
    assert out.count("\n") == 1, "what came before is translated"
    assert "bad:2: byte 0xE4 after 1 characters is not utf-8" in err


def test_a_hundred_thousand_lines_keep_their_order(call: Run, tmp_path: Path) -> None:
    """A model that copies a digit: every line out is the last digit of the line in."""
    digits = [(str(number), str(number)) for number in range(10)]
    made = translator(digits, context="first", embedding=10, hidden=10, cell="rnn", bidirectional=False)
    _copy_a_digit(made)
    made.save(tmp_path / "digits")
    lines = [str(number % 10) if number % 13 else "" for number in range(100_000)]
    code, out, _ = call("predict", "digits", "--beam", "1", stdin="\n".join(lines).encode() + b"\n")
    assert code == 0
    assert out.splitlines() == lines


def _copy_a_digit(made: Translator) -> None:
    """Weights by which the target is the digit that the source is, and then the end."""
    import torch

    network, one = made.network, torch.eye(10, dtype=torch.float64)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        order = [made.source.vocabulary.index(str(digit)) for digit in range(10)]
        network.source.weight[order] = one
        for layer in (network.encoder.weight_ih_l0, network.bridge.weight, network.decoder.weight_hh_l0):
            layer.copy_(20 * one)
        outputs = [made.target.vocabulary.index(str(digit)) for digit in range(10)]
        network.target.weight[outputs] = one
        network.decoder.weight_ih_l0.copy_(-40 * one)  # what was just written is taken away
        network.combine.weight.copy_(20 * one)
        network.output.weight[outputs] = 20 * one
        network.output.bias.fill_(-10.0)
        network.output.bias[outputs] = -5.0
        network.output.bias[2] = 0.0


# --- scoring


def test_score(call: Run, model: str) -> None:
    Path("p.tsv").write_text("3 Oct\t1 x\nnew\t2\n")
    code, out, _ = call("score", model, "p.tsv")
    rows = [line.split("\t") for line in out.splitlines()]
    assert code == 0
    assert rows[0] == ["pair", "token", "log_probability"]
    assert [row[:2] for row in rows[1:]] == [
        [n, t] for n, t in zip("111122", ["1", " ", "x", "</s>", "2", "</s>"], strict=True)
    ]
    code, out, _ = call("score", model, "p.tsv", "--json")
    first, second = map(json.loads, out.splitlines())
    assert [float(row[2]) for row in rows[1:]] == pytest.approx(
        first["log_probabilities"] + second["log_probabilities"], abs=1e-4
    )
    assert first["score"] == pytest.approx(sum(first["log_probabilities"]))
    assert (first["source"], first["text"], first["pair"]) == ("3 Oct", "1 x", 1)
    code, swapped, _ = call("score", model, "p.tsv", "--swap", "--json")
    assert json.loads(swapped.splitlines()[0])["text"] == "3 Oct"


# --- generated pairs


@pytest.mark.parametrize("name", generated.NAMES)
def test_pairs_are_generated(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert run(["corpora", "generate", name, "--count", "5", "--seed", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [tuple(line.split("\t")) for line in lines] == generated.generate(name, 5, 3)


@pytest.mark.parametrize("words", [["nothing"], ["dates", "--trees"]])
def test_pairs_that_are_not(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert run(["corpora", "generate", *words]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err
