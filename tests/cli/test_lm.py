"""``seqtree lm``: what it prints, and what it says of every input it cannot take."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_helpers import Run, caller, refused
from language_helpers import CHINESE, TEXT, model
from runs import metrics

from seqtree import LanguageModel, modelfile
from seqtree.cli import run
from seqtree.errors import InputError
from seqtree.language.memorisation import report_samples

SMALL = (
    "--preset",
    "tiny",
    "--hidden",
    "8",
    "--embedding",
    "4",
    "--batch",
    "4",
    "--window",
    "8",
    "--epochs",
    "1",
    "--evaluations",
    "2",
    "--device",
    "cpu",
    "--precision",
    "fp32",
)
EVALUATION = {
    "loss",
    "perplexity",
    "bits_per_character",
    "bits_per_byte",
    "tokens",
    "unknown_tokens",
    "tokens_per_second",
    "both_sides",
    "comparable",
}


@pytest.fixture
def lm(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``seqtree lm ...`` in a folder of its own: exit code, stdout, stderr."""
    return caller(capsys, tmp_path, monkeypatch, "lm")


def _write(name: str, data: str | bytes) -> Path:
    path = Path(name)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def _model(name: str = "m.safetensors", **options: Any) -> str:
    model(**options).save(name)
    return name


def _one_object(out: str) -> dict[str, Any]:
    assert out.count("\n") == 1
    record = json.loads(out)
    assert isinstance(record, dict)
    return record


# --- training


def test_train_prints_the_run_folder(lm: Run) -> None:
    _write("text.txt", TEXT)
    code, out, err = lm("train", "text.txt", "--out", "runs/a", *SMALL)
    assert (code, out) == (0, "runs/a\n")
    assert "training and" in err
    assert "validation: loss" in err
    assert err.count("step ") == 2
    assert LanguageModel.load("runs/a").sample(length=3, seed=0)


def test_train_json(lm: Run) -> None:
    _write("text.txt", TEXT)
    code, out, _ = lm("train", "text.txt", "--out", "a", *SMALL, "--json")
    assert code == 0
    report = _one_object(out)
    assert report.keys() >= EVALUATION | {"steps", "seconds", "model"}
    assert (report["model"], report["interrupted"]) == ("a", False)
    assert report["steps"] == metrics(Path("a"))[-1]["step"]
    assert report["perplexity"] == pytest.approx(math.exp(report["loss"]))
    assert report["tokens_per_second"] > 0
    held_out = TEXT[int(len(TEXT) * 0.9) :]
    assert report["tokens"] == len(held_out)
    assert report["loss"] == pytest.approx(LanguageModel.load("a").evaluate(held_out).loss, rel=1e-6)


def test_quiet_training_says_nothing(lm: Run) -> None:
    _write("text.txt", "the cat sat on the mat\n" * 30)  # too short lines to be told from others
    assert lm("train", "text.txt", "--out", "a", *SMALL, "--quiet") == (0, "a\n", "")


def test_learning_works_on_the_embedded_sample(lm: Run) -> None:
    code, out, err = lm(
        "train",
        "--out",
        "a",
        "--preset",
        "tiny",
        "--hidden",
        "32",
        "--epochs",
        "1",
        "--evaluations",
        "4",
        "--device",
        "cpu",
        "--json",
    )
    assert code == 0
    assert "no corpus named: reading the embedded sample" in err
    losses = [record["loss"] for record in metrics(Path("a"))]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] - 0.2
    assert _one_object(out)["loss"] < 3.0  # evenly over its characters it would be above 4


def test_options_reach_the_run(lm: Run) -> None:
    _write("text.txt", TEXT)
    _write("valid.txt", "the cat sat\n" * 5)
    options = [
        "--cell",
        "gru",
        "--layers",
        "2",
        "--one-hot",
        "--dropout",
        "0.2",
        "--dropout-hidden",
        "0.1",
        "--optimizer",
        "sgd",
        "--learning-rate",
        "0.5",
        "--schedule",
        "plateau",
        "--averaging",
        "none",
        "--seed",
        "3",
        "--weight-decay",
        "0.001",
        "--clip",
        "0.5",
        "--valid",
        "valid.txt",
    ]
    width = SMALL.index("--embedding")  # which --one-hot has none of
    small = SMALL[:width] + SMALL[width + 2 :]
    code, out, _ = lm("train", "text.txt", "--out", "a", *small, *options, "--json")
    assert code == 0
    assert _one_object(out)["tokens"] == 60
    config = json.loads(Path("a/config.json").read_text(encoding="utf-8"))
    network = config["network"]
    assert (network["cell"], network["layers"], network["one_hot"], network["hidden"]) == ("gru", 2, True, 8)
    assert (network["dropout_input"], network["dropout_hidden"], network["dropout_output"]) == (0.2, 0.1, 0.2)
    training = config["training"]
    wanted = {
        "optimizer": "sgd",
        "learning_rate": 0.5,
        "schedule": "plateau",
        "averaging": "none",
        "seed": 3,
        "weight_decay": 0.001,
        "clip": 0.5,
        "epochs": 1.0,
        "evaluations": 2,
    }
    assert {name: training[name] for name in wanted} == wanted
    assert config["batch"] == {"batch": 4, "window": 8, "word_dropout": 0.8}


def test_word_models(lm: Run) -> None:
    _write("text.txt", TEXT)
    assert lm("train", "text.txt", "--out", "a", *SMALL, "--unit", "word", "--min-count", "10", "--quiet")[0] == 0
    made = LanguageModel.load("a")
    assert "</s>" in made.vocabulary
    assert "dog" not in made.vocabulary
    assert "the" in made.vocabulary
    code, out, _ = lm("sample", "a", "--length", "60", "--seed", "1")
    assert code == 0
    assert "\n" in out.rstrip("\n")
    assert "</s>" not in out
    code, out, _ = lm("eval", "a", "text.txt", "--json")
    assert _one_object(out)["unknown_tokens"] == sum(word not in made.vocabulary for word in TEXT.split())


def test_chinese(lm: Run) -> None:
    _write("text.txt", CHINESE)
    assert lm("train", "text.txt", "--out", "a", *SMALL, "--quiet")[0] == 0
    code, out, _ = lm("sample", "a", "--prompt", "花园", "--length", "10", "--seed", "1")
    assert code == 0
    assert out.startswith("花园")
    assert len(out) == 2 + 10 + 1
    assert "花" in lm("next", "a", "树上", "-k", "100", "--json")[1]  # not escaped


def test_corpus_from_standard_input(lm: Run) -> None:
    _write("text.txt", TEXT)
    assert lm("train", "-", "--out", "a", *SMALL, "--quiet", stdin=TEXT.encode())[0] == 0
    assert lm("train", "text.txt", "--out", "b", *SMALL, "--quiet")[0] == 0
    assert Path("a/model.safetensors").read_bytes() == Path("b/model.safetensors").read_bytes()
    more = TEXT.replace("cat", "zoo").encode()
    assert lm("train", "-", "--out", "c", "--init-from", "a", *SMALL, "--quiet", stdin=more)[0] == 0
    assert "z" in LanguageModel.load("c").vocabulary
    refused(lm("train", "-", "--out", "d", *SMALL, stdin=b""), "standard input is empty")
    refused(lm("train", "-", "--out", "e", *SMALL, stdin=b"caf\xe9 au lait\n"), "standard input: byte 3 (line 1)")


def test_folders_are_read_when_they_have_texts(lm: Run) -> None:
    Path("texts/more").mkdir(parents=True)
    _write("texts/a.txt", TEXT)
    _write("texts/more/b.txt", TEXT)
    _write("texts/c.md", "Q" * 100)
    assert lm("train", "texts", "--out", "a", *SMALL, "--quiet")[0] == 0
    assert "Q" not in LanguageModel.load("a").vocabulary
    Path("empty").mkdir()
    refused(lm("train", "empty", "--out", "b", *SMALL), "empty is a folder without .txt files")


def test_byte_order_marks_and_line_ends_leave_no_trace(lm: Run) -> None:
    _write("dos.txt", b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    _write("unix.txt", TEXT)
    for name in ("dos", "unix"):
        assert lm("train", f"{name}.txt", "--out", name, *SMALL, "--quiet")[0] == 0
    assert Path("dos/model.safetensors").read_bytes() == Path("unix/model.safetensors").read_bytes()
    assert not {"\ufeff", "\r"} & set(LanguageModel.load("dos").vocabulary)


def test_texts_that_cannot_be_learned_from(lm: Run) -> None:
    _write("latin.txt", "first line\nnaïve\n".encode("latin-1"))
    refused(
        lm("train", "latin.txt", "--out", "a", *SMALL),
        "latin.txt: byte 13 (line 2) is 0xEF",
        "not valid utf-8",
        "--encoding",
    )
    _write("empty.txt", b"")
    refused(lm("train", "empty.txt", "--out", "a", *SMALL), "empty.txt is empty")
    _write("one.txt", b"x")
    refused(lm("train", "one.txt", "--out", "a", *SMALL), "one.txt: 1 character(s) of text are too few")
    refused(lm("train", "one.txt", "--out", "a", *SMALL, "--valid-share", "0"), "at least 8 are needed")
    refused(lm("train", "none.txt", "--out", "a", *SMALL), "none.txt: no such file or folder")
    assert not Path("a/model.safetensors").exists()
    _write("text.txt", TEXT)
    assert lm("train", "text.txt", "--out", "a", *SMALL, "--quiet")[0] == 0  # nothing in the way after all that


def test_other_encodings(lm: Run) -> None:
    _write("latin.txt", ("naïve\n" * 40).encode("latin-1"))
    assert lm("train", "latin.txt", "--out", "a", *SMALL, "--quiet", "--encoding", "latin-1")[0] == 0
    assert "ï" in LanguageModel.load("a").vocabulary
    assert _one_object(lm("eval", "a", "latin.txt", "--encoding", "latin-1", "--json")[1])["unknown_tokens"] == 0
    refused(lm("eval", "a", "latin.txt"), "latin.txt: byte 2 (line 1)")
    refused(lm("eval", "a", "latin.txt", "--encoding", "klingon"), "'klingon' is not a text encoding")


def test_a_short_corpus_shrinks_the_batch_and_says_so(lm: Run) -> None:
    _write("short.txt", "hello there\n")
    code, _, err = lm(
        "train", "short.txt", "--out", "a", "--preset", "small", "--hidden", "8", "--epochs", "3", "--device", "cpu"
    )
    assert code == 0
    assert re.search(r"small corpus \(10 tokens\): batch \d+ -> 1, window \d+ -> 5", err)


@pytest.mark.parametrize("share", ["-0.1", "1", "nan"])
def test_validation_shares_are_checked(lm: Run, share: str) -> None:
    _write("text.txt", TEXT)
    refused(
        lm("train", "text.txt", "--out", "a", *SMALL, "--valid-share", share),
        "--valid-share",
        "expected from 0 to below 1" if share != "nan" else "finite",
    )


def test_training_without_validation(lm: Run) -> None:
    _write("text.txt", TEXT)
    code, out, err = lm("train", "text.txt", "--out", "a", *SMALL, "--valid-share", "0", "--json")
    assert code == 0
    assert "training data: loss" in err
    report = _one_object(out)
    assert report["measured_on"] == "training data"
    assert report["tokens"] == len(TEXT)
    assert [record["loss"] for record in metrics(Path("a"))] == [None, None]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--preset", "huge"), "'huge' is not one of 'tiny'"),
        (("--layers", "0"), "layers 0: expected from 1 to 100"),
        (("--hidden", "-3"), "hidden -3"),
        (("--hidden", "many"), "'many' is not a valid integer"),
        (("--batch", "0"), "batch 0"),
        (("--window", "0"), "window 0"),
        (("--epochs", "0"), "epochs 0.0"),
        (("--epochs", "inf"), "epochs inf"),
        (("--minutes", "-1"), "minutes -1.0"),
        (("--learning-rate", "nan"), "--learning-rate nan"),
        (("--dropout", "1"), "--dropout-input 1.0"),
        (("--cell", "mlp"), "'mlp' is not one of"),
        (("--seed", "-1"), "seed -1: expected from 0"),
        (("--seed", "99999999999999999999999"), "seed 99999999999999999999999"),
        (("--device", "tpu"), "device 'tpu': expected auto, cpu"),
        (("--encoding", "klingon"), "'klingon' is not a text encoding"),
        (("--min-count", "0"), "--min-count 0: expected at least 1"),
        (("--max-vocabulary", "1"), "--max-vocabulary 1: expected at least 3"),
        (("--tied", "--one-hot"), "a tied output needs"),
        (("--init-from", "nowhere"), "nowhere: no such model file"),
        (("--threads", "0"), "threads 0: expected from 1 to 4096"),
        (("--colour",), "No such option"),
    ],
    ids=" ".join,
)
def test_bad_options(lm: Run, options: tuple[str, ...], said: str) -> None:
    _write("text.txt", TEXT)
    refused(lm("train", "text.txt", "--out", "a", *SMALL, *options), said)
    assert not Path("a/checkpoint.safetensors").exists()


def test_diverging_is_exit_code_1_and_the_best_model_stays(lm: Run) -> None:
    """A rate that takes the weights to infinity within a step."""
    _write("text.txt", TEXT)
    rate = ("--optimizer", "sgd", "--schedule", "constant", "--clip", "1e30", "--warmup", "0", "--averaging", "none")
    assert lm("train", "text.txt", "--out", "a", *SMALL, *rate, "--learning-rate", "0.1", "--quiet")[0] == 0
    before = Path("a/model.safetensors").read_bytes()
    code, out, err = lm(
        "train", "text.txt", "--out", "a", *SMALL, *rate, "--learning-rate", "1e38", "--epochs", "2", "--resume"
    )
    assert code == 1
    assert out == ""
    assert err.count("half the learning rate") == 5
    assert "training diverged" in err.splitlines()[-1]
    assert Path("a/model.safetensors").read_bytes() == before
    assert all(math.isfinite(record["loss"]) for record in metrics(Path("a")))


def test_resume(lm: Run) -> None:
    _write("text.txt", TEXT)
    assert lm("train", "text.txt", "--out", "a", *SMALL, "--resume", "--quiet")[0] == 0  # nothing there: it starts
    refused(lm("train", "text.txt", "--out", "a", *SMALL), "a: already holds a run; go on with it by --resume")
    code, _, err = lm("train", "text.txt", "--out", "a", *SMALL, "--resume", "--epochs", "2")
    assert code == 0
    assert "resuming at step" in err
    assert "changed since the run began: epochs 2.0" in err
    refused(lm("train", "text.txt", "--out", "a", *SMALL, "--resume", "--hidden", "9"), "network.hidden was 8, is 9")


# --- measuring


def test_eval(lm: Run) -> None:
    name = _model()
    _write("text.txt", "the cat sät\n")
    code, out, err = lm("eval", name, "text.txt", "--json", "--device", "cpu")
    assert (code, err) == (0, "")
    record = _one_object(out)
    assert record.keys() == EVALUATION
    measured = LanguageModel.load(name).evaluate("the cat sät\n")
    for key in EVALUATION - {"tokens_per_second"}:
        assert record[key] == pytest.approx(getattr(measured, key))
    assert record["unknown_tokens"] == 1
    code, out, _ = lm("eval", name, "text.txt", "--device", "cpu")
    lines = dict(line.rsplit(None, 1) for line in out.splitlines())
    assert lines["tokens"] == "12"
    assert float(lines["bits per byte"]) == pytest.approx(measured.bits_per_byte, abs=1e-4)
    assert lm("eval", name, "-", "--json", "--device", "cpu", stdin="the cat sät\n".encode())[0] == 0


def test_an_infinite_perplexity_is_null_in_json(lm: Run) -> None:
    import torch

    made = model()
    with torch.no_grad():
        made.network.decoder.bias[made.vocabulary.index("t")] = -5000.0
    made.save("m")
    _write("text.txt", "ttt")
    record = _one_object(lm("eval", "m", "text.txt", "--json", "--device", "cpu")[1])
    assert record["perplexity"] is None
    assert record["loss"] > 1000


def test_files_that_are_no_model(lm: Run) -> None:
    _write("text.txt", TEXT)
    modelfile.save(Path("other"), "parser", {}, {})
    _write("cut", Path(_model()).read_bytes()[:-7])
    _write("none", b"")
    Path("folder").mkdir()
    for name, said in (
        ("missing", "missing: no such model file"),
        ("other", "holds a parser (for seqtree parse"),
        ("text.txt", "text.txt: a text; expected a model, in a run folder or a .safetensors file"),
        ("cut", "damaged"),
        ("none", "damaged"),
        ("folder", "folder/model.safetensors: no such model file"),
    ):
        for command in (
            ["eval", name, "text.txt"],
            ["sample", name],
            ["next", name, "a"],
            ["score", name, "text.txt"],
            ["fill", name, "a ____ b"],
        ):
            refused(lm(*command), said)


def test_score(lm: Run) -> None:
    name = _model()
    text = 'at "x\\\n\nthe\tcat\n'
    _write("text.txt", text)
    code, out, _ = lm("score", name, "text.txt")
    assert code == 0
    header, *rows = [line.split("\t") for line in out.splitlines()]
    assert header == ["line", "token", "surprisal", "unknown"]
    scores = LanguageModel.load(name).score(text)
    assert len(rows) == len(scores) == len(text)
    assert [row[0] for row in rows] == ["1"] * 7 + ["2"] + ["3"] * 8
    assert [json.loads(f'"{row[1]}"') for row in rows] == list(text)
    assert [float(row[2]) for row in rows] == pytest.approx([s.surprisal for s in scores], abs=1e-4)
    assert [row[3] for row in rows] == [str(int(s.unknown)) for s in scores]
    assert "1" in {row[3] for row in rows}
    assert lm("score", name, stdin=text.encode())[1] == out
    record = _one_object(lm("score", name, "text.txt", "--json")[1])
    assert record["unit"] == "bits"
    assert [row["token"] for row in record["tokens"]] == list(text)
    assert [row["line"] for row in record["tokens"]] == [int(row[0]) for row in rows]


@pytest.mark.parametrize("unit", ["char", "word"])
def test_independent_lines_are_scored_as_texts_of_their_own(lm: Run, unit: str) -> None:
    name = _model(unit=unit)
    lines = ["the cat\n", "\n", "a\u2028dog\x0cran\n", "the cat\n", "the"]  # only "\n" ends a line
    _write("text.txt", "".join(lines))
    together, alone = (
        _one_object(lm("score", name, "text.txt", "--json", *extra)[1])["tokens"] for extra in ((), ("--independent",))
    )
    expected = [
        (n, s.token, s.surprisal) for n, line in enumerate(lines, 1) for s in LanguageModel.load(name).score(line)
    ]
    assert [(row["line"], row["token"], row["surprisal"]) for row in alone] == expected
    end = [] if unit == "char" else [(5, "</s>")]  # of the last line, so that the surprisals add up to eval's bits
    assert [(row["line"], row["token"]) for row in together] == [(line, token) for line, token, _ in expected] + end
    assert [row["surprisal"] for row in together] != [row["surprisal"] for row in alone]
    first = [row["surprisal"] for row in alone if row["line"] == 1]
    assert first == [row["surprisal"] for row in alone if row["line"] == 4]


def test_next(lm: Run) -> None:
    name = _model()
    code, out, _ = lm("next", name, "the\\ncat", "-k", "3")
    expected = LanguageModel.load(name).next("the\ncat", 3)
    assert code == 0
    assert out.splitlines() == [f"{p:.4f}  {json.dumps(token)[1:-1]}" for token, p in expected]
    record = _one_object(lm("next", name, "the\\ncat", "-k", "3", "--json")[1])
    assert [(row["token"], row["probability"]) for row in record["tokens"]] == expected
    assert lm("next", name, "-", "-k", "3", stdin=b"\xef\xbb\xbfthe\r\ncat\r\n") == (code, out, "")
    refused(lm("next", name, "the", "-k", "0"), "0 is not in the range")
    for text in ("- the cat", "-k at"):
        refused(lm("next", name, text), "For a TEXT that begins with a dash", "seqtree lm next MODEL -- '- yes'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", None)
        refused(lm("next", name, "-"), "there is no standard input to read (-)")
    refused(lm("next", name, "theQ"), "characters the model has never seen: 'Q'")


def test_fill(lm: Run) -> None:
    name = _model("both", unit="word", bidirectional=True)
    code, out, _ = lm("fill", name, "the ____ sat", "-k", "2", "--json")
    assert code == 0
    expected = LanguageModel.load(name).fill("the ____ sat", 2)
    assert [(row["token"], row["probability"]) for row in _one_object(out)["tokens"]] == expected
    assert lm("fill", name, "the _ sat", "--blank", "_", "-k", "2", "--json")[1] == out
    assert lm("fill", name, "-", "-k", "2", "--json", stdin=b"the ____ sat\n")[1] == out
    refused(lm("fill", name, "the cat sat"), "holds 0 blanks (____), expected exactly one")
    refused(lm("fill", _model(), "a ____ b"), "only a bidirectional model fills blanks")
    refused(lm("sample", name), "a bidirectional model cannot sample")


# --- sampling


def test_sample(lm: Run) -> None:
    name = _model()
    expected = LanguageModel.load(name).sample("the ", 40, seed=5)
    assert lm("sample", name, "--prompt", "the ", "-n", "40", "--seed", "5") == (0, f"the {expected}\n", "")
    assert lm("sample", name, "--prompt", "the ", "-n", "40", "--seed", "5", "--no-echo")[1] == f"{expected}\n"
    code, out, err = lm("sample", name, "-p", "the ", "-n", "40", "--seed", "5", "--count", "2", "--json")
    assert (code, err) == (0, "")
    second = LanguageModel.load(name).sample("the ", 40, seed=6)
    assert _one_object(out) == {
        "prompt": "the ",
        "samples": [{"seed": 5, "text": expected}, {"seed": 6, "text": second}],
    }
    out = lm("sample", name, "-p", "the ", "-n", "40", "--seed", "5", "--stop", expected[10:13])[1]
    assert out == "the " + expected[: expected.index(expected[10:13])] + "\n"


def test_where_samples_and_surprisals_are_computed(lm: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few samples are made on the CPU, unless another device is named."""
    name, opened = _model(), []

    def opens(task: str, path: Any, threads: int | None = None, device: str = "cpu", precision: str = "") -> Any:
        opened.append(device)
        return LanguageModel.load(path)

    _write("text.txt", "the cat sat\n")
    small = ("-n", "3", "--seed", "1")
    with monkeypatch.context() as patch:
        for module in ("lm", "score_rows"):
            patch.setattr(f"seqtree.cli.{module}.open_model", opens)
        for words in (
            ("sample", name, *small),
            ("sample", name, *small, "--count", "8"),
            ("sample", name, *small, "--device", "cuda:1"),
            ("score", name, "text.txt"),
            ("score", name, "text.txt", "--device", "mps"),
        ):
            assert lm(*words)[0] == 0
    assert opened == ["cpu", "auto", "cuda:1", "auto", "mps"]
    for words in (("sample", name), ("score", name, "text.txt")):
        refused(lm(*words, "--device", "tpu"), "device 'tpu': expected auto, cpu, cuda, cuda:N or mps")


def test_a_sample_without_a_seed_tells_its_seed(lm: Run) -> None:
    name = _model()
    record = _one_object(lm("sample", name, "-n", "30", "--json")[1])["samples"][0]
    again = _one_object(lm("sample", name, "-n", "30", "--json", "--seed", record["seed"])[1])["samples"][0]
    assert again == record


def test_prompts_from_files_and_with_escapes(lm: Run) -> None:
    name = _model()
    _write("prompt.txt", b"\xef\xbb\xbfthe\ncat")
    wanted = lm("sample", name, "--prompt", "the\\ncat", "-n", "9", "--seed", "1")
    assert wanted[0] == 0
    assert wanted[1].startswith("the\ncat")
    assert lm("sample", name, "--prompt-file", "prompt.txt", "-n", "9", "--seed", "1") == wanted
    assert lm("sample", name, "--prompt-file", "-", "-n", "9", "--seed", "1", stdin=b"the\ncat") == wanted
    refused(lm("sample", name, "--prompt", "a", "--prompt-file", "prompt.txt"), "--prompt or --prompt-file, not both")
    refused(
        lm("sample", name, "--prompt-file", "none.txt"),
        "none.txt: the prompt cannot be read: no such file or directory",
    )
    refused(lm("sample", name, "--prompt-file", "."), ".: the prompt cannot be read: is a directory")
    _write("latin.txt", b"caf\xe9")
    refused(
        lm("sample", name, "--prompt-file", "latin.txt"), "latin.txt: byte 3 of the prompt is 0xE9, which is not utf-8"
    )
    refused(lm("sample", name, "--prompt-file", "-", stdin=b"caf\xe9"), "-: byte 3 of the prompt is 0xE9")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--temperature", "-1"), "temperature -1.0: expected at least 0"),
        (("--temperature", "nan"), "temperature nan"),
        (("--top-k", "0"), "--top-k 0: expected at least 1"),
        (("--top-p", "1.1"), "--top-p 1.1: expected more than 0 to 1"),
        (("--length", "-1"), "length -1"),
        (("--stop", ""), "a stop string is empty"),
        (("--seed", "-5"), "seed -5: expected at least 0"),
        (("--count", "0"), "0 is not in the range"),
        (
            ("--prompt", "the \u20ac\u200b"),
            "never seen: '\u20ac', U+200B ZERO WIDTH SPACE; change it, or use --unknown",
        ),
    ],
    ids=lambda value: " ".join(map(ascii, value)) if isinstance(value, tuple) else None,
)
def test_bad_sampling_options(lm: Run, options: tuple[str, ...], said: str) -> None:
    refused(lm("sample", _model(), *options), said)


def test_unseen_prompt_characters_by_policy(lm: Run) -> None:
    name = _model()
    skipped = lm("sample", name, "-p", "th€e", "-n", "20", "--seed", "1", "--unknown", "skip", "--no-echo")
    assert skipped[0] == 0
    assert skipped[1] == lm("sample", name, "-p", "the", "-n", "20", "--seed", "1", "--no-echo")[1]
    assert lm("sample", name, "-p", "th€e", "-n", "20", "--seed", "1", "--unknown", "map")[1].startswith("th€e")


def test_a_text_without_space_or_line_end(lm: Run) -> None:
    _write("text.txt", "abcab" * 60)
    assert lm("train", "text.txt", "--out", "a", *SMALL, "--quiet")[0] == 0
    code, out, _ = lm("sample", "a", "-n", "25", "--seed", "1")
    assert code == 0
    assert len(out) == 26
    assert set(out) <= set("abc\n")


def test_init_from_takes_other_dropout_but_no_other_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "text.txt"
    text.write_text("the cat sat on the mat\n" * 40, encoding="utf-8")
    common = [str(text), "--batch", "2", "--window", "8", "--epochs", "1", "-q"]
    first, second = str(tmp_path / "first"), str(tmp_path / "second")
    assert run(["lm", "train", *common, "--out", first, "--hidden", "8", "--embedding", "4"]) == 0
    assert run(["lm", "train", *common, "--out", second, "--init-from", first, "--hidden", "9"]) == 2
    assert "--hidden" in capsys.readouterr().err
    assert run(["lm", "train", *common, "--out", second, "--init-from", first, "--dropout", "0.3"]) == 0
    config = LanguageModel.load(second).network.config
    assert (config.hidden, config.dropout_output) == (8, 0.3)


# --- what comes once, scores in pieces, backslashes, files


@pytest.mark.parametrize("unit", ["char", "word"])
def test_scores_add_up_to_the_bits_of_eval(lm: Run, unit: str) -> None:
    name = _model(unit=unit)
    _write("text.txt", "the cat sat\n\non the mat " * 60 + "a dog ran")  # several windows, no line end
    rows = lm("score", name, "text.txt")[1].splitlines()[1:]
    measured = LanguageModel.load(name).evaluate_files(["text.txt"])
    assert len(rows) == measured.tokens
    bits = sum(float(row.split("\t")[2]) for row in rows)
    assert bits == pytest.approx(measured.loss * measured.tokens / math.log(2), abs=1e-4 * len(rows))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_scores_come_before_the_text_is_read_to_its_end(bidirectional: bool) -> None:
    made = model(bidirectional=bidirectional)

    def blocks() -> Iterator[str]:
        yield "the cat sat on the mat\n" * 40
        pytest.fail("read too far")

    scores = made.score_lines(blocks())
    assert [next(scores)[1].token for _ in range(200)] == list("the cat sat on the mat\n" * 40)[:200]
    text = "the cat sat on the mat\n" * 40
    assert [score for _, score in made.score_lines(iter([text[:300], text[300:]]))] == made.score(text)


def test_standard_input_is_read_once_for_two_measures(lm: Run) -> None:
    name = _model()
    _write("train.txt", "the cat sat on the mat\n" * 5)
    code, out, _ = lm("eval", name, "-", "--ngram", "train.txt", "--json", stdin=b"the cat\n")
    assert code == 0
    assert _one_object(out)["ngram"].keys() >= {"loss", "perplexity"}
    refused(lm("eval", name, "-", "--ngram", "-", stdin=b"the cat\n"), "standard input (-) can be read only once")


def test_backslashes(lm: Run) -> None:
    text = "a\\nabla b\n\tc" * 3
    made = model(text)
    made.save("m.safetensors")
    written = r"a\\nabla b\n\tc"
    sampled = lm("sample", "m.safetensors", "--prompt", written, "-n", "5", "--seed", "1")[1]
    assert sampled == "a\\nabla b\n\tc" + made.sample("a\\nabla b\n\tc", 5, seed=1) + "\n"
    best = _one_object(lm("next", "m.safetensors", written, "--json")[1])["tokens"]
    assert [(row["token"], row["probability"]) for row in best] == made.next("a\\nabla b\n\tc")
    stopped = lm("sample", "m.safetensors", "-n", "400", "--seed", "2", "--stop", r"\\n")[1]
    assert stopped == made.sample("", 400, seed=2, stop="\\n") + "\n"


def test_measures_that_do_not_compare_are_marked(lm: Run) -> None:
    _model("words", unit="word")
    _write("text.txt", "the cat sat on a zebra\n")
    assert "not comparable       1 of 7 tokens are unknown" in lm("eval", "words", "text.txt")[1]
    assert _one_object(lm("eval", "words", "text.txt", "--json")[1])["comparable"] is False
    _model("both", bidirectional=True)
    _write("known.txt", "the cat sat\n")
    assert "predicted from both sides" in lm("eval", "both", "known.txt")[1]
    record = _one_object(lm("eval", "both", "known.txt", "--json")[1])
    assert (record["both_sides"], record["comparable"]) == (True, False)
    _model("one")
    out = lm("eval", "one", "known.txt")[1]
    assert "not comparable" not in out
    assert _one_object(lm("eval", "one", "known.txt", "--json")[1])["comparable"] is True


def test_resume_without_a_checkpoint_leaves_the_model_alone(lm: Run) -> None:
    _write("text.txt", "the cat sat on the mat\n" * 20)
    options = ("text.txt", "--preset", "tiny", "--epochs", "1", "--hidden", "8", "--out", "run", "-q")
    assert lm("train", *options)[0] == 0
    model_file = Path("run/model.safetensors")
    before = model_file.read_bytes()
    Path("run/checkpoint.safetensors").unlink()
    refused(lm("train", *options, "--resume"), "holds a model but no checkpoint.safetensors", "--init-from run ")
    assert model_file.read_bytes() == before


def test_one_string_and_one_text(lm: Run) -> None:
    made = model()
    assert made.sample("", 50, seed=1, stop="the") == made.sample("", 50, seed=1, stop=["the"])
    with pytest.raises(InputError, match="expected a text, that is one string, not list"):
        made.score(["the cat"])  # type: ignore[arg-type]


# --- lines as items


@pytest.mark.parametrize("unit", ["char", "word"])
def test_a_list_from_training_to_samples(lm: Run, unit: str) -> None:
    """The model file says that its items are lines; every command then reads them so."""
    items = ["Ana Bo", "Christa", "Di Eva Gus", "Ina", "Bo", "Ana Di"]
    _write("list.txt", "\n".join(items * 20))
    options = ("--documents", "lines", "--unit", unit, "--valid-share", "0.2")
    code, _, err = lm("train", "list.txt", "--out", "a", *SMALL, "--batch", "8", *options)
    assert code == 0
    assert "96 lines, " in err
    made = LanguageModel.load("a")
    assert made.settings.lines
    config = json.loads(Path("a/config.json").read_text(encoding="utf-8"))
    assert (config["text"]["documents"], config["validation"]["valid_from"]) == ("lines", "lines")

    code, out, _ = lm("sample", "a", "--count", "5", "--seed", "1")
    assert (code, out.splitlines()) == (0, [made.sample(seed=seed) for seed in range(1, 6)])
    out = lm("sample", "a", "--count", "2", "--seed", "1", "--prompt", "Ana", "-n", "3")[1]
    assert out.splitlines() == ["Ana" + made.sample("Ana", 3, seed=seed) for seed in (1, 2)]
    record = _one_object(lm("sample", "a", "--count", "2", "--seed", "1", "--json")[1])
    assert [one["text"] for one in record["samples"]] == [made.sample(seed=1), made.sample(seed=2)]
    out = lm("sample", "a", "--count", "12", "--seed", "1")[1]
    assert out.splitlines() == [made.sample(seed=seed) for seed in range(1, 13)]
    refused(lm("sample", "a", "--count", "12", "--prompt", "\u2603"), "never seen")
    assert lm("next", "a", "Ana\\nBo")[1] == lm("next", "a", "Bo")[1]

    _write("test.txt", "Ana Bo\n\nDi")
    measured = _one_object(lm("eval", "a", "test.txt", "--ngram", "list.txt", "--json")[1])
    assert measured["tokens"] == (10 if unit == "char" else 5)
    rows = [row.split("\t") for row in lm("score", "a", "test.txt")[1].splitlines()[1:]]
    assert {row[0] for row in rows} == {"1", "3"}
    bits = sum(float(row[2]) for row in rows)
    assert bits == pytest.approx(measured["loss"] * measured["tokens"] / math.log(2), abs=1e-4 * len(rows))
    assert lm("score", "a", "test.txt", "--independent") == lm("score", "a", "test.txt")
    refused(lm("train", "list.txt", "--out", "b", "--documents", "verses"), "'verses' is not one of 'text', 'lines'")


# --- classes


LABELLED = "x\tabcab\ny\tbcbc\nx\tab\ny\tcc\n" * 12


def _conditioned(lm: Run) -> str:
    _write("texts.tsv", LABELLED)
    assert lm("train", "texts.tsv", "--condition", "--out", "run", *SMALL, "--epochs", "20", "--quiet")[0] == 0
    return "run"


def test_eval_of_texts_with_classes(lm: Run) -> None:
    run_folder = _conditioned(lm)
    given, without = (
        _one_object(lm("eval", run_folder, "texts.tsv", *more, "--json")[1]) for more in ((), ("--without-condition",))
    )
    assert given.keys() == EVALUATION | {"by_class"}
    assert given["by_class"].keys() == without["by_class"].keys() == {"x", "y"}
    assert {figures["items"] for figures in given["by_class"].values()} == {24}
    assert given["loss"] != without["loss"]
    _write("plain.txt", "abcab\nab\n")
    named = _one_object(lm("eval", run_folder, "plain.txt", "--condition", "x", "--json")[1])
    assert named["loss"] == pytest.approx(given["by_class"]["x"]["loss"], rel=1e-5)
    both = lm("eval", run_folder, "plain.txt", "--condition", "x", "--without-condition")
    refused(both, "give --condition or --without-condition, not both")
    for option in (("--without-condition",), ("--label-column", "a"), ("--text-column", "b")):
        refused(lm("eval", _model(), "plain.txt", *option), f"{option[0]}: ", "knows no classes; train one that does")
    table = lm("eval", run_folder, "texts.tsv", "--ngram", "texts.tsv")[1]
    assert re.search(rf"^x +{given['by_class']['x']['loss']:.4f} .* 108 +24$", table, re.MULTILINE), table
    assert "3-gram perplexity" in table
    _write("texts.csv", "form,poem\nx,abcab\n")
    columns = ("--label-column", "form", "--text-column", "poem", "--json")
    assert _one_object(lm("eval", run_folder, "texts.csv", *columns)[1])["tokens"] == 6


def test_a_condition_changes_samples_scores_and_what_comes_next(lm: Run) -> None:
    run_folder = _conditioned(lm)
    for command in (
        ("sample", run_folder, "--seed", "3", "--count", "4", "--length", "20"),
        ("next", run_folder, "ab"),
        ("score", run_folder, "plain.txt"),
    ):
        _write("plain.txt", "abcab\nab\n")
        said = [lm(*command, *more) for more in ((), ("--condition", "x"), ("--condition", "y"), ("--condition", "x"))]
        assert [code for code, _, _ in said] == [0] * 4
        outs = [out for _, out, _ in said]
        assert outs[1] == outs[3]
        assert len(set(outs)) == 3
        refused(lm(*command, "--condition", "z"), "unknown class 'z', expected one of x, y")
        refused(lm(command[0], _model(), *command[2:], "--condition", "z"), "the model knows no classes")


def test_labelled_texts_are_not_scored_with_their_labels(lm: Run) -> None:
    run_folder = _conditioned(lm)
    for more in ((), ("--condition", "x"), ("--independent",), ("--by", "word")):
        refused(
            lm("score", run_folder, "texts.tsv", *more), "texts.tsv:1: the class 'x' and a tab stand before the text"
        )
    refused(
        lm("eval", run_folder, "texts.tsv", "--condition", "x"), "texts.tsv:1: the class 'x' and a tab stand before"
    )
    _write("tabs.tsv", "a\tbc\nx\tab\n")
    assert lm("score", run_folder, "tabs.tsv")[0] == lm("score", _model(), "texts.tsv")[0] == 0
    _write("empty.txt", "")
    assert lm("score", run_folder, "empty.txt")[:2] == lm("score", _model(), "empty.txt")[:2]


def test_reports_and_frequencies_of_texts_with_classes(lm: Run) -> None:
    run_folder = _conditioned(lm)
    _write("texts.csv", "label,text\n" + 'x,"a ""b"" c"\ny,bc\n' * 20)
    assert lm("train", "texts.csv", "--condition", "--out", "quoted", *SMALL, "--quiet")[0] == 0
    for opened in (LanguageModel.load("quoted"), LanguageModel.load("quoted").given("x")):
        (report,) = report_samples(opened, "quoted", [{"text": 'a "b" c'}])
        assert report.longest_copy == 7  # as the file is, quotes are twice there
    _write("poems.csv", "poem,of\n" + "a b c,x\nbc,y\n" * 20)
    columns = ("--label-column", "of", "--text-column", "poem")
    assert lm("train", "poems.csv", "--condition", *columns, "--out", "named", *SMALL, "--quiet")[0] == 0
    (report,) = report_samples(LanguageModel.load("named"), "named", [{"text": "a b c"}])
    assert report.longest_copy == 5
    _write("plain.txt", "abcab\nab\n")
    scored = ("score", run_folder, "plain.txt", "--by", "word", "--columns", "frequency")
    refused(lm(*scored), "the model's training texts have classes; name a text with --frequencies")
    assert lm(*scored, "--frequencies", "plain.txt")[0] == 0
    refused(lm("sample", run_folder, "--training-text", "none"), "--training-text goes with --report")


def test_options_that_would_do_nothing(lm: Run) -> None:
    _write("text.txt", "abc " * 200)
    refused(
        lm("train", "text.txt", "--tokenizer", "treebank", "--out", "r", *SMALL), "--tokenizer: only with --unit word"
    )
    for start in ((), ("--init-from", _model())):
        refused(lm("train", "text.txt", "--word-dropout", "0.5", *start), "--word-dropout: only with --unit word")
    refused(lm("train", "text.txt", "--out", "", *SMALL), "'--out': an empty name; expected a file or a folder")
    refused(
        lm("train", "text.txt", "--epochs", "1", "--minutes", "1"), "--epochs and --minutes are each the whole budget"
    )
    refused(lm("eval", _model(), "text.txt", "--ngram-order", "2"), "--ngram-order goes with --ngram")


def test_frequencies_are_counted_in_the_encoding_of_the_model(lm: Run) -> None:
    _write("old.txt", ("Müller geht. " * 60).encode("latin-1"))
    assert lm("train", "old.txt", "--encoding", "latin-1", "--out", "run", *SMALL, "--quiet")[0] == 0
    _write("new.txt", "Müller geht.\n")
    code, out, _ = lm("score", "run", "new.txt", "--by", "word", "--columns", "frequency")
    assert code == 0 and "Müller" in out


def test_classes_of_texts_and_lines(lm: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run_folder = _conditioned(lm)
    _write("lines.txt", "abcab\n\nq\n" + "bc\n" * 20_000)
    code, out, _ = lm("classify", run_folder, "--file", "lines.txt", "-k", "2")
    lines = out.split("\n")
    assert (code, len(lines), lines[1]) == (0, 20_004, "")
    assert re.fullmatch(r"[xy]\t0\.\d{4}\t[xy]\t0\.\d{4}", lines[0])
    assert len(set(lines[3:-1])) == 1
    records = [json.loads(line) for line in lm("classify", run_folder, "abcab", "", "--json")[1].splitlines()]
    assert records[0]["label"] == max(records[0]["probabilities"], key=records[0]["probabilities"].get)
    assert sum(records[0]["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert lines[0].split("\t")[:2] == [records[0]["label"], f"{records[0]['probability']:.4f}"]
    assert records[1] == {"label": None, "probability": None, "probabilities": {}}
    refused(lm("classify", run_folder, "abcab", "-k", "2", "--json"), "-k goes without --json, which has all classes")
    _write("t.csv", 'id,text\n1,"abcab\nab"\n2,\n')
    _, out, err = lm("classify", run_folder, "--file", "t.csv", "--text-column", "text")
    assert re.fullmatch(r"[xy]\t[01]\.\d{4}\n\n", out) and err == ""
    refused(lm("classify", _model(), "abc"), "the model knows no classes: train one with --condition")


def test_bad_texts_with_classes_are_named(lm: Run) -> None:
    run_folder = _conditioned(lm)
    for name, data, said in (
        ("a.tsv", "x\tab\nab\n", "a.tsv:2: no tab in the line, expected label<TAB>text"),
        ("a.tsv", "x\tab\nx\t \n", "a.tsv:2: an empty text, expected a label and a text"),
        ("a.tsv", "x\tab\nw\tab\n", "a.tsv:2: unknown class 'w', expected one of x, y"),
        ("a.tsv", b"x\tab\ny\t\xff\n", "a.tsv"),
        ("a.csv", "form,text\nx,ab\n", "a.csv:1: no column 'label'"),
        ("a.tsv", "\n\n", "a.tsv: no labelled text in it"),
    ):
        _write(name, data)
        refused(lm("eval", run_folder, name), said)
        if "unknown class" not in said:
            refused(lm("train", name, "--condition", "--out", "other", *SMALL), said)
    _write("a.tsv", "w\tab\n")
    refused(
        lm("train", "texts.tsv", "--valid", "a.tsv", "--condition", "--out", "other", *SMALL), "a.tsv:1: unknown class"
    )
    _write("a.tsv", "x\tab\n" * 9)
    refused(lm("train", "a.tsv", "--condition", "--out", "other", *SMALL), "every text is 'x'; expected two classes")
    assert not Path("other").exists()
