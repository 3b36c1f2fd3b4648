"""Training a classifier: its batches, what is kept, runs that are stopped and resumed; measuring; model files."""

from __future__ import annotations

import json
import math
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from image_helpers import write_part
from language_helpers import model as language_model
from PIL import Image
from runs import Messages, image_recipe, metrics, train

from seqtree import modelfile
from seqtree.errors import InputError, ModelFileError
from seqtree.images.config import ImageNetworkConfig, ImageRecipe
from seqtree.images.data import ImageSet
from seqtree.images.evaluation import evaluate
from seqtree.images.generated import digits
from seqtree.images.model import ImageClassifier
from seqtree.images.sources import read_set
from seqtree.images.task import ImageData, ImageTask, _split
from seqtree.training.fit import fit
from seqtree.training.settings import BatchSettings, TrainingSettings

NAMES = tuple("0123456789")
PLAN = ImageNetworkConfig("conv 4x3 norm, pool 3, full 12 norm drop 0.2")


def _classifier(data: ImageSet, config: ImageNetworkConfig = PLAN) -> ImageClassifier:
    return ImageClassifier.over(data, NAMES, config)


def _task(data: ImageSet, size: int, config: ImageNetworkConfig = PLAN, valid: ImageSet | None = None) -> ImageTask:
    recipe = ImageRecipe(network=config, batch=BatchSettings(size), training=TrainingSettings(seed=4))
    return ImageTask(_classifier(data, config), ImageData(data, valid, NAMES), recipe)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run never broken."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    assert not train(image_recipe(out))["interrupted"]
    return out


# --- batches


def test_every_image_once_an_epoch_in_batches_of_one_size() -> None:
    data = digits(103)
    task = _task(data, 10)
    assert task.steps_per_epoch == 11
    orders = []
    for epoch in range(2):
        steps = task._order(epoch)
        assert sorted(map(len, steps)) == [9] * 7 + [10] * 4
        orders.append(np.concatenate(steps).tolist())
        assert sorted(orders[-1]) == list(range(103))
    assert orders[0] != orders[1]
    again = _task(data, 10)
    assert np.concatenate(again._order(1)).tolist() == orders[1]


def test_the_loss_of_a_step_is_that_of_its_images() -> None:
    data = digits(20)
    task = _task(data, 6, ImageNetworkConfig("full 5"))
    classifier, numbers = task.model, task.batch(0, 1)
    loss, count = task.loss(numbers)
    assert count == len(numbers) == 5
    probabilities = classifier.probabilities(data.images[numbers])
    expected = -np.log(probabilities[np.arange(5), data.labels[numbers]]).mean()
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_batch_normalisation_needs_two_images() -> None:
    data = digits(5)
    with pytest.raises(InputError, match="5 images in batches of 1: batch normalisation needs two in each"):
        _task(data, 1)
    task = _task(data, 1, ImageNetworkConfig("full 3"))
    assert task.loss(task.batch(0, 0))[1] == 1


@pytest.mark.parametrize("images", [129, 127, 257])
def test_batch_normalisation_measures_any_number_of_images(images: int) -> None:
    """None is left for a batch of its own, from which no variance could be had."""
    data = digits(images)
    task = _task(data, 128, valid=data)
    assert task.evaluate() is not None


# --- runs


def test_the_norms_kept_are_those_of_the_averaged_weights(whole: Path) -> None:
    kept = ImageClassifier.load(whole)
    again = ImageClassifier.load(whole)
    training, _ = _split(digits(2000), 0.1)
    again.network.measure_norms(torch.from_numpy(training.images), 64)
    for name, buffer in again.network.named_buffers():
        torch.testing.assert_close(dict(kept.network.named_buffers())[name], buffer, rtol=1e-5, atol=1e-5)
    assert kept.network.body.get_submodule("steps.norm1").running_var.min() > 0


@pytest.mark.parametrize("step", [3, 17, 40])
def test_stopped_at_any_step_and_resumed(
    tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    usual = ImageTask.batch

    def batch(task: ImageTask, epoch: int, step_in_epoch: int) -> Any:
        if epoch * task.steps_per_epoch + step_in_epoch == step:
            signal.raise_signal(signal.SIGINT)
        return usual(task, epoch, step_in_epoch)

    monkeypatch.setattr(ImageTask, "batch", batch)
    stopped = train(image_recipe(tmp_path / "run"))
    assert (stopped["interrupted"], stopped["steps"]) == (True, step + 1)
    done = train(image_recipe(tmp_path / "run", resume=True))
    assert not done["interrupted"]
    assert (tmp_path / "run/model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert metrics(tmp_path / "run") == metrics(whole)


def test_what_cannot_be_resumed(tmp_path: Path, whole: Path) -> None:
    with pytest.raises(InputError, match="already holds a run"):
        train(image_recipe(whole))
    with pytest.raises(InputError, match=r"network\.plan was conv 4x3 norm.*, is full 3"):
        train(image_recipe(whole, resume=True, plan="full 3"))
    with pytest.raises(InputError, match=r"augmentation\.shift was 1, is 2"):
        train(image_recipe(whole, resume=True, shift=2))
    with pytest.raises(InputError, match="data have changed"):
        train(image_recipe(whole, resume=True, valid_share=0.2))


def test_a_run_without_validation_keeps_the_last_model(tmp_path: Path) -> None:
    report = train(image_recipe(tmp_path / "run", valid_share=0.0, plan="full 20"))
    assert (report["measured_on"], report["images"]) == ("training data", 2000)
    assert report["best_step"] == report["steps"] == 48
    assert [record["loss"] for record in metrics(tmp_path / "run")] == [None] * 4
    assert report["accuracy"] > 0.8


def test_validation_is_taken_from_the_whole_file() -> None:
    """Images sorted by class leave no class untrained."""
    data = digits(400)
    order = np.argsort(data.labels, kind="stable")
    training, valid = _split(ImageSet(data.images[order], data.labels[order]), 0.25)
    assert valid is not None
    assert (len(training), len(valid)) == (300, 100)
    assert set(training.labels.tolist()) == set(valid.labels.tolist()) == set(range(10))
    pixels = np.concatenate([training.images, valid.images])
    assert sorted(map(bytes, pixels)) == sorted(map(bytes, data.images))
    everything, none = _split(data, 0.0)
    assert (len(everything), none) == (400, None)


def test_classes_without_an_image(tmp_path: Path) -> None:
    data = digits(60)
    write_part(tmp_path / "data", "train", ImageSet(data.images, data.labels * 2))
    display = Messages()
    train(image_recipe(tmp_path / "run", tmp_path / "data"), display)
    assert "warning: 9 of 19 classes have no training image: 1, 3, 5, 7, 9, 11, 13, 15, 17" in display.lines
    write_part(tmp_path / "data", "train", ImageSet(data.images, data.labels * 0 + 3))
    with pytest.raises(InputError, match="every label is 3; expected two classes or more"):
        train(image_recipe(tmp_path / "one", tmp_path / "data"))


def test_recipes_are_checked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="batch 0: expected at least 1"):
        train(image_recipe(tmp_path, batch=0))
    with pytest.raises(InputError, match=r"valid_share 1.0: expected from 0 to below 1"):
        train(image_recipe(tmp_path, valid_share=1.0))
    with pytest.raises(InputError, match="2 names for labels up to 9: expected 10"):
        train(image_recipe(tmp_path / "run", names=("a", "b")))
    with pytest.raises(InputError, match="'conv 4x29' does not fit: what comes from below is 1 x 28x28"):
        train(image_recipe(tmp_path / "run", plan="conv 4x29"))


@pytest.mark.realdata
def test_learning_to_read_handwriting(tmp_path: Path, data: Path) -> None:
    options = {"preset": "mlp", "learning_rate": 3e-3, "ema_decay": 0.998, "epochs": 1.0, "evaluations": 1}
    train(image_recipe(tmp_path / "run", data / "mnist", **options, shift=0, turn=0.0, batch=128))
    assert evaluate(ImageClassifier.load(tmp_path / "run"), read_set(data / "mnist", "test")).error < 0.04


# --- measuring


def test_evaluation_by_hand() -> None:
    data = digits(50)
    model = _classifier(data, ImageNetworkConfig("full 6"))
    measured = evaluate(model, data)
    said, probabilities = [NAMES.index(name) for name in model.predict(data.images)], model.probabilities(data.images)
    confusion = [[0] * 10 for _ in range(10)]
    loss = brier = 0.0
    for label, guess, row in zip(data.labels.tolist(), said, probabilities.tolist(), strict=True):
        confusion[label][guess] += 1
        loss -= math.log(row[label]) / 50
        brier += sum((p - (i == label)) ** 2 for i, p in enumerate(row)) / 50
    assert [list(row) for row in measured.confusion] == confusion
    right = sum(confusion[i][i] for i in range(10))
    assert (measured.accuracy, measured.error) == (right / 50, 1 - right / 50)
    assert (measured.loss, measured.brier) == (pytest.approx(loss, rel=1e-5), pytest.approx(brier, rel=1e-5))
    assert measured.images == 50
    written = json.loads(json.dumps(measured.to_json()))
    assert (written["confusion"], written["classes"]) == (confusion, list("0123456789"))
    with pytest.raises(InputError, match="expected an ImageSet, not a tuple"):
        evaluate(model, (data.images, data.labels))  # type: ignore[arg-type]


def test_images_and_labels_that_are_not_the_models() -> None:
    data = digits(50)
    model = ImageClassifier.over(data, "ab", ImageNetworkConfig("full 6"))
    with pytest.raises(InputError, match="generated digits: a label 9; the model knows 2 classes, from 0"):
        evaluate(model, data)
    with pytest.raises(InputError, match="images of 28x27 pixels; the model reads 28x28"):
        evaluate(_classifier(data), ImageSet(data.images[:, :, :27], data.labels))
    with pytest.raises(InputError, match="3 names for a network of 10 classes"):
        ImageClassifier("abc", _classifier(data).network)


def test_images_that_may_not_be_written_to_are_read_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    data = digits(20)
    model, expected = _classifier(data), _classifier(data).probabilities(data.images)
    data.images.flags.writeable = False
    assert np.array_equal(model.probabilities(data.images), expected)
    assert evaluate(model, data).images == 20
    assert not recwarn.list


def test_images_that_are_all_one_grey() -> None:
    model = _classifier(ImageSet(np.full((4, 28, 28), 9, np.uint8), np.arange(4, dtype=np.uint8)))
    assert np.isfinite(model.probabilities(digits(3).images)).all()


# --- model files


@pytest.mark.parametrize(
    "config",
    [
        PLAN,
        ImageNetworkConfig(cell="gru", hidden=5, bidirectional=True),
        ImageNetworkConfig("full 4 sigmoid", objective="squared"),
    ],
)
def test_a_saved_model_says_the_same(tmp_path: Path, config: ImageNetworkConfig) -> None:
    data = digits(30)
    model = ImageClassifier.over(data, [f"digit {i}" for i in range(10)], config)
    model.network.measure_norms(torch.from_numpy(data.images), 30)
    model.save(tmp_path / "model.safetensors")
    loaded = ImageClassifier.load(tmp_path)
    np.testing.assert_array_equal(loaded.probabilities(data.images), model.probabilities(data.images))
    assert loaded.predict(data.images) == model.predict(data.images)
    assert (loaded.classes, loaded.network.frame, loaded.network.config) == (model.classes, model.network.frame, config)
    loaded.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "model.safetensors").read_bytes()


def test_files_that_hold_no_classifier(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    with pytest.raises(InputError, match="no such model file"):
        ImageClassifier.load(tmp_path)
    language_model().save(path)
    with pytest.raises(ModelFileError, match=r"holds a language-model .for seqtree lm., expected an image"):
        ImageClassifier.load(path)
    model = _classifier(digits(5))
    model.save(path)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(ModelFileError, match="damaged"):
        ImageClassifier.load(path)
    contents = {"classes": ["a"], "network": PLAN.to_json(), "frame": model.network.frame.to_json()}
    modelfile.save(path, "image-classifier", contents, model.network.state_dict())
    with pytest.raises(ModelFileError, match="its parts do not fit together"):
        ImageClassifier.load(path)


# --- going on from another


def test_a_classifier_goes_on_with_new_images_and_classes(tmp_path: Path) -> None:
    """Its network, its classes and the brightness it expects are kept; pictures get its size."""
    start = _classifier(digits(20), replace(PLAN, plan=PLAN.plan.replace("drop 0.2", "drop 0.1")))
    start.network.measure_norms(torch.from_numpy(digits(20).images), 10)
    start.save(tmp_path / "start.safetensors")
    for name, offset in (("7", 0), ("cross", 20)):
        (tmp_path / "own" / name).mkdir(parents=True)
        for number, image in enumerate(digits(40).images[offset : offset + 20]):
            Image.fromarray(255 - image).resize((40, 40)).save(tmp_path / "own" / name / f"{number}.png")
    display = Messages()
    options = {"init_from": str(tmp_path / "start.safetensors"), "batch": 10, "epochs": 1, "out": str(tmp_path / "run")}
    options |= {"learning_rate": 1e-12, "weight_decay": 0.0, "averaging": "none"}
    fit(ImageTask, [str(tmp_path / "own")], options, display)
    made = ImageClassifier.load(tmp_path / "run")
    assert made.classes == (*NAMES, "cross") and made.network.frame == start.network.frame
    assert "start.safetensors: 10 classes known" in display.text and "before training" in display.text
    before, after = start.network.state_dict(), made.network.state_dict()
    for name, weight in before.items():
        if "running" not in name and "batches" not in name:  # what batch normalisation measures is of the new images
            torch.testing.assert_close(after[name][: len(weight)], weight, rtol=0, atol=1e-6)
    torch.testing.assert_close(after["output.weight"][-1], before["output.weight"].mean(dim=0), rtol=0, atol=1e-6)


def test_what_a_classifier_does_not_go_on_with(tmp_path: Path) -> None:
    _classifier(digits(20)).save(tmp_path / "start.safetensors")
    given = {"init_from": str(tmp_path / "start.safetensors"), "out": str(tmp_path / "run")}
    write_part(tmp_path / "small", "train", ImageSet(digits(20).images[:, 4:-4, 4:-4], digits(20).labels))
    for options, said in (
        ({"plan": "full 8"}, "plan full 8: with --init-from it is the image classifier's, conv"),
        ({"names": ("a", "b")}, "names a, b: with --init-from they are the model's"),
        ({}, "images of 20x20 pixels; the model reads 28x28"),
        ({"size": 20}, "images of 20x20 pixels; the model reads 28x28"),
    ):
        with pytest.raises(InputError, match=said):
            fit(ImageTask, [str(tmp_path / "small")], {**given, **options}, Messages())
