"""``seqtree image``: training, measuring, predicting, and what they make of bad input."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
import pytest
from command_helpers import Run, caller, refused
from image_helpers import idx_bytes, write_part, write_pictures
from language_helpers import model as language_model
from PIL import Image
from runs import metrics

from seqtree.cli import cli, run
from seqtree.images.config import PRESETS, ROWS_ONLY
from seqtree.images.data import ImageSet
from seqtree.images.evaluation import evaluate
from seqtree.images.generated import digits
from seqtree.images.model import ImageClassifier

CPU = ("--device", "cpu", "--precision", "fp32", "--threads", "1", "--seed", "1")
SMALL = (*CPU, "--plan", "conv 4x3, pool 3, full 16", "--epochs", "1", "--evaluations", "2")
FIGURES = {"accuracy", "error", "loss", "brier", "images", "images_per_second", "classes", "confusion"}


class Trained(NamedTuple):
    """A run folder, its report, what was said on the way, and a folder of images of both parts."""

    folder: Path
    report: dict[str, Any]
    said: str
    data: Path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A classifier that has learned digits, by the command line."""
    folder = tmp_path_factory.mktemp("trained")
    write_part(folder / "data", "train", digits(1500, seed=5))
    write_part(folder / "data", "t10k", digits(200, seed=6), zipped=True)
    options = (
        *CPU,
        "--plan",
        "conv 8x5, pool 3, full 32",
        "--shift",
        "1",
        "--epochs",
        "4",
        "--learning-rate",
        "0.01",
        "--ema-decay",
        "0.9",
        "--batch",
        "50",
        "--json",
    )
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        assert run(["image", "train", str(folder / "data"), "--out", str(folder / "run"), *options]) == 0
    assert out.getvalue().count("\n") == 1
    return Trained(folder / "run", json.loads(out.getvalue()), err.getvalue(), folder / "data")


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``seqtree image ...`` in a folder of its own: exit code, stdout, stderr."""
    return caller(capsys, tmp_path, monkeypatch, "image")


# --- training


def test_learning(trained: Trained) -> None:
    report = trained.report
    assert report.keys() >= FIGURES | {"steps", "seconds", "model"}
    assert report["accuracy"] > 0.95
    assert (report["model"], report["interrupted"], report["measured_on"]) == (str(trained.folder), False, "validation")
    assert (report["images"], report["steps"]) == (150, metrics(trained.folder)[-1]["step"])
    assert "1,350 training images of 28x28, 150 validation images; 10 classes; conv 8x5, pool 3" in trained.said
    assert metrics(trained.folder)[-1].keys() >= {"loss", "brier", "error_percent", "train_loss"}


def test_train_prints_the_run_folder(command: Run) -> None:
    code, out, err = command("train", "--out", "runs/a", *SMALL)
    assert (code, out) == (0, "runs/a\n")
    assert err.startswith("no data named: generating digits\n1,800 training images of 28x28, 200 validation images")
    assert err.count("step ") == 2
    assert "images/s" in err
    assert "% wrong of 200 images, loss" in err.splitlines()[-1]
    assert command("train", *SMALL, "--quiet") == (0, "runs/digits\n", "")
    config = json.loads(Path("runs/digits/config.json").read_text(encoding="utf-8"))
    assert (config["data"], config["network"]["plan"]) == ([], "conv 4x3, pool 3, full 16")


def test_a_folder_of_pictures_for_each_class(command: Run) -> None:
    data = digits(700)
    data = replace(data[data.labels < 2][:70], names=("O", "I"))
    write_pictures(Path("letters/train"), data[:60])
    write_pictures(Path("letters/test"), data[60:])
    code, out, err = command("train", "letters", "--size", "20", *SMALL)
    assert (code, out) == (0, "runs/letters\n")
    assert "figures of 6 held-out items say little" in err
    assert "54 training images of 20x20, 6 validation images; 2 classes" in err
    code, out, _ = command("eval", "runs/letters", "letters", "--json")
    assert (code, json.loads(out)["images"]) == (0, 10)
    Path("letters/test/I").rename("letters/test/unseen")
    refused(command("eval", "runs/letters", "letters"), "letters: the model does not know the class 'unseen'")
    code, out, _ = command("predict", "runs/letters", str(next(Path("letters/test/O").iterdir())))
    assert code == 0
    assert out.split("\t")[1] in ("I", "O")


def test_options_reach_the_run(command: Run) -> None:
    network = {
        "cell": "gru",
        "layers": 2,
        "hidden": 9,
        "bidirectional": True,
        "readout": "mean",
        "dropout": 0.1,
        "objective": "squared",
    }
    augmentation = {"shift": 3, "turn": 4.0, "stretch": 0.1, "slant": 0.2}
    training = {
        "optimizer": "sgd",
        "learning_rate": 0.01,
        "schedule": "plateau",
        "averaging": "none",
        "seed": 3,
        "weight_decay": 0.001,
        "clip": 0.5,
        "epochs": 0.5,
        "evaluations": 2,
    }
    rest = {"batch": 40, "valid_share": 0.5}
    wanted = {"model": "gru", **network, **augmentation, **training, **rest}
    del wanted["cell"], wanted["bidirectional"]
    options = [part for name, value in wanted.items() for part in (f"--{name.replace('_', '-')}", value)]
    names = ["zero", "one", *"23456789", "ten"]
    code, _, _ = command("train", "--out", "a", *CPU, *options, "--bidirectional", "--names", ", ".join(names))
    assert code == 0
    config = json.loads(Path("a/config.json").read_text(encoding="utf-8"))
    for part, values in (("network", network), ("augmentation", augmentation), ("training", training)):
        assert {name: config[part][name] for name in values} == values
    assert (config["batch"], config["images"]["valid_share"]) == ({"batch": 40}, 0.5)
    assert ImageClassifier.load("a").classes == tuple(names)


def test_choices_and_models_are_all_there_are() -> None:
    group = cli.get_command(click.Context(cli), "image")
    assert isinstance(group, click.Group)
    parameters = {p.name: p for p in group.commands["train"].params}
    for name, expected in (("objective", ("softmax", "squared")), ("readout", ("last", "mean"))):
        assert isinstance(kind := parameters[name].type, click.Choice)
        assert tuple(kind.choices) == expected
    model = parameters["preset"]
    assert isinstance(model, click.Option)
    assert all(name in str(model.help) for name in PRESETS)
    assert set(ROWS_ONLY) <= parameters.keys()


@pytest.mark.parametrize("name", PRESETS)
def test_every_model_trains(command: Run, name: str) -> None:
    Path("data").mkdir()
    write_part(Path("data"), "train", digits(40))
    code, out, err = command("train", "data", "--model", name, "--out", "a", *CPU, "--epochs", "1", "--json")
    assert code == 0, err
    assert json.loads(out)["images"] == 4
    assert command("eval", "a", "data", "--part", "train")[0] == 0


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    script = "import sys; from seqtree.cli import run; run(['image', 'train', '-h']); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "--plan" in done.stdout
    assert done.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--model", "resnet"), "'resnet' is not one of 'mlp'"),
        (("--plan", "conv 3"), "plan, step 1 'conv 3': expected conv CHANNELSxFIELD"),
        (("--plan", "pool 30"), "plan, step 1 'pool 30' does not fit: what comes from below is 1 x 28x28"),
        (("--model", "lstm", "--plan", "full 3"), "lstm reads the rows of an image and has no plan of layers"),
        (("--hidden", "3", "--forward"), "--hidden, --bidirectional: only for models over the rows"),
        (("--shift", "-1"), "shift -1: expected from 0 to 100"),
        (("--names", "a,b"), "2 names for labels up to 9: expected 10"),
        (("--names", "a,b,c,d,e,f,g,h,a,j"), "expected no name twice"),
        (("--batch", "0"), "batch 0: expected at least 1"),
        (("--valid-share", "2"), "--valid-share 2.0: expected from 0 to below 1"),
        (("--epochs", "0"), "epochs 0.0: expected more than 0"),
        (("--labels", "mine"), "--labels mine: without images"),
    ],
)
def test_training_options_that_are_refused(command: Run, options: tuple[str, ...], said: str) -> None:
    refused(command("train", "--out", "a", "--json", *options), said)
    assert not Path("a/checkpoint.safetensors").exists()


def test_images_that_are_refused(command: Run, trained: Trained) -> None:
    write_part(Path("data"), "train", digits(20))
    images, labels = Path("data/train-images-idx3-ubyte"), Path("data/train-labels-idx1-ubyte")
    whole = images.read_bytes()

    def both(said: str, *options: str) -> None:
        refused(command("train", "data", "--out", "a", *options), said)
        refused(command("eval", trained.folder, "data", "--part", "train", "--json", *options), said)

    images.write_bytes(whole[:-1])
    both("data/train-images-idx3-ubyte: truncated: 15,679 bytes")
    images.write_bytes(b"\0\0\x08\x03" + whole[4:] + b"!")
    both("data/train-images-idx3-ubyte: too long: 15,681 bytes")
    images.write_bytes(whole)
    both("data/none cannot be read: no such file", "--labels", "data/none")
    labels.write_bytes(idx_bytes(digits(19).labels))
    both("20 images but 19 labels")
    labels.unlink()
    both("no labels found; expected train-labels-idx1-ubyte")
    images.unlink()
    both("data: holds no train-images-idx3-ubyte")
    refused(command("train", "none", "--out", "a"), "none: no such file or folder")


# --- measuring


def test_eval_json(command: Run, trained: Trained) -> None:
    code, out, err = command("eval", trained.folder, trained.data, "--json", "--threads", "1")
    assert (code, err, out.count("\n")) == (0, "", 1)
    record = json.loads(out)
    assert record.keys() == FIGURES
    expected = evaluate(ImageClassifier.load(trained.folder), digits(200, seed=6)).to_json()
    assert all(record[name] == expected[name] for name in FIGURES - {"images_per_second"})
    assert record["images"] == 200
    assert record["accuracy"] > 0.95
    images = trained.data / "t10k-images-idx3-ubyte.gz"
    labels = trained.data / "t10k-labels-idx1-ubyte.gz"
    for data in ((images,), (images, "--labels", labels)):
        again = json.loads(command("eval", trained.folder, *data, "--json")[1])
        assert again["confusion"] == record["confusion"]


def test_eval_for_people(command: Run, trained: Trained) -> None:
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    code, out, err = command("eval", trained.folder, "--plot", "drawn.svg")  # generated digits
    assert code == 0
    lines = {line[:20].strip(): line[20:].strip() for line in out.splitlines()}
    data = digits(1000, seed=1)
    measured = evaluate(ImageClassifier.load(trained.folder), data)
    assert lines["accuracy"] == f"{measured.accuracy:.4f}"
    assert lines["error"] == f"{measured.error:.4f}"
    assert lines["images"] == "1,000"
    mistakes = [(count, i, j) for i, row in enumerate(measured.confusion) for j, count in enumerate(row) if i != j]
    count, true, said = max(mistakes)
    assert lines[f"{true} taken for {said}"] == f"{count}"
    said = f"1,000 images, {measured.accuracy:.2%} right"
    assert err == f"no data named: generating digits\ndrawn.svg: confusion of {said}\n"
    texts = {element.text for element in ET.parse("drawn.svg").iter("{http://www.w3.org/2000/svg}text")}
    assert {said, "taken for", "true class (its number of images)"} <= texts


@pytest.mark.parametrize("plot", [".", "a.gif", "none/a.svg"])
def test_places_where_nothing_can_be_drawn(command: Run, trained: Trained, plot: str) -> None:
    refused(command("eval", trained.folder, trained.data, "--plot", plot), plot)


def test_models_that_are_refused(command: Run, trained: Trained) -> None:
    language_model().save("language.safetensors")
    for rest in (("eval",), ("predict", "a.png")):
        refused(
            command(rest[0], "language.safetensors", *rest[1:], trained.data),
            "holds a language-model (for seqtree lm), expected",
        )
        refused(command(rest[0], "none", *rest[1:], trained.data), "none: no such model file")
    few = digits(30)
    write_part(Path("data"), "t10k", ImageSet(few.images[:, :, :20], few.labels))
    refused(command("eval", trained.folder, "data"), "images of 28x20 pixels; the model reads 28x28")
    write_part(Path("data"), "t10k", ImageSet(few.images, few.labels + 1))
    refused(command("eval", trained.folder, "data"), "a label 10; the model knows 10 classes, from 0")


# --- predicting


def test_predict(command: Run, trained: Trained) -> None:
    data = digits(3, seed=6)
    Path("some").write_bytes(idx_bytes(data.images))
    Image.fromarray(255 - data.images[0]).resize((60, 60)).save("page.png")
    code, out, err = command("predict", trained.folder, "some", "page.png")
    assert code == 0
    assert err.splitlines() == [
        "page.png: dark on light: inverted",
        "page.png: background brightness 255, contrast 208: stretched to 0 and 255",
        "page.png: 60 pixels wide, 60 high: resized and centred",
    ]
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[0] for row in rows] == ["some[0]", "some[1]", "some[2]", "page.png"]
    assert [row[1] for row in rows] == [f"{label}" for label in (*data.labels, data.labels[0])]
    assert all(0.3 < float(row[2]) <= 1 for row in rows)


def test_predict_several_classes(command: Run, trained: Trained) -> None:
    Path("some").write_bytes(idx_bytes(digits(3, seed=6).images))
    probabilities = ImageClassifier.load(trained.folder).probabilities(digits(3, seed=6).images)
    code, out, err = command("predict", trained.folder, "some", "-k", "3")
    assert (code, err) == (0, "")
    for line, row in zip(out.splitlines(), probabilities, strict=True):
        best = np.argsort(-row)[:3]
        assert line.split("\t")[1:] == [part for i in best for part in (f"{i}", f"{row[i]:.4f}")]
    code, out, err = command("predict", trained.folder, "some", "--json")
    assert (code, err, out.count("\n")) == (0, "", 1)
    predictions = json.loads(out)["predictions"]
    for number, (prediction, row) in enumerate(zip(predictions, probabilities, strict=True)):
        assert (prediction["image"], prediction["changes"]) == (f"some[{number}]", [])
        assert prediction["class"] == f"{row.argmax()}"
        assert prediction["probability"] == pytest.approx(row.max())
        assert list(prediction["probabilities"].values()) == pytest.approx(row.tolist())
        assert sum(prediction["probabilities"].values()) == pytest.approx(1)


def test_files_that_cannot_be_predicted(command: Run, trained: Trained) -> None:
    Path("text.png").write_text("no picture")
    refused(command("predict", trained.folder, "text.png", "--json"), "text.png: neither an IDX file nor a picture")
    refused(command("predict", trained.folder, "none.png"), "none.png cannot be read: no such file")
    refused(command("predict", trained.folder, trained.data), "cannot be read: is a directory")
    labels = trained.data / "train-labels-idx1-ubyte"
    refused(command("predict", trained.folder, labels), "1 dimensions; IDX images have 3")
    refused(command("predict", trained.folder), "Missing argument 'FILE...'")
    refused(command("predict", trained.folder, labels, "-k", "2", "--json"), "-k goes without --json, which has all")
