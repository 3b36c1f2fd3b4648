"""Training a classifier: its batches, what is kept, runs that are stopped and resumed; measuring; model files."""

from __future__ import annotations

import io
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
from language_helpers import metrics
from language_helpers import model as language_model

from seqtree import modelfile
from seqtree.errors import InputError, ModelFileError
from seqtree.images.augment import Augmentation
from seqtree.images.data import ImageSet, read_set
from seqtree.images.digits import digits
from seqtree.images.evaluation import evaluate
from seqtree.images.model import ImageClassifier
from seqtree.images.network import NetworkConfig
from seqtree.images.presets import preset
from seqtree.images.task import ImageTask
from seqtree.images.training import Recipe, _split, train_images
from seqtree.training.progress import Display
from seqtree.training.settings import TrainingSettings

NAMES = tuple("0123456789")
PLAN = NetworkConfig("conv 4x3 norm, pool 3, full 12 norm drop 0.2")


def _classifier(data: ImageSet, config: NetworkConfig = PLAN) -> ImageClassifier:
    return ImageClassifier.untrained(data, NAMES, config)


def _recipe(out: Path, **rest: Any) -> Recipe:
    training = TrainingSettings(epochs=1.5, learning_rate=1e-2, evaluations=4, ema_decay=0.9)
    return Recipe(
        **{
            "data": None,
            "out": out,
            "network": PLAN,
            "augmentation": Augmentation(shift=1, turn=5.0),
            "batch": 64,
            "training": training,
            "device": "cpu",
            "precision": "fp32",
            **rest,
        }
    )


def _train(out: Path, **rest: Any) -> dict[str, Any]:
    return train_images(_recipe(out, **rest), Display("images", stream=io.StringIO()))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run never broken."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    assert not _train(out)["interrupted"]
    return out


# --- batches


def test_every_image_once_an_epoch_in_batches_of_one_size() -> None:
    data = digits(103)
    task = ImageTask(_classifier(data), data, None, Augmentation(), 10, seed=4)
    assert task.steps_per_epoch == 11
    orders = []
    for epoch in range(2):
        steps = task._order(epoch)
        assert sorted(map(len, steps)) == [9] * 7 + [10] * 4
        orders.append(torch.cat(steps).tolist())
        assert sorted(orders[-1]) == list(range(103))
    assert orders[0] != orders[1]
    again = ImageTask(_classifier(data), data, None, Augmentation(), 10, seed=4)
    assert torch.cat(again._order(1)).tolist() == orders[1]


def test_the_loss_of_a_step_is_that_of_its_images() -> None:
    data = digits(20)
    classifier = _classifier(data, NetworkConfig("full 5"))
    task = ImageTask(classifier, data, None, Augmentation(), 6, seed=0)
    loss, count = task.loss(0, 1)
    numbers = task._order(0)[1].numpy()
    assert count == len(numbers) == 5
    probabilities = classifier.probabilities(data.images[numbers])
    expected = -np.log(probabilities[np.arange(5), data.labels[numbers]]).mean()
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_batch_normalisation_needs_two_images() -> None:
    data = digits(5)
    with pytest.raises(InputError, match="5 images in batches of 1: batch normalisation needs two in each"):
        ImageTask(_classifier(data), data, None, Augmentation(), 1, seed=0)
    ImageTask(_classifier(data, NetworkConfig("full 3")), data, None, Augmentation(), 1, seed=0).loss(0, 0)


@pytest.mark.parametrize("images", [129, 127, 257])
def test_batch_normalisation_measures_any_number_of_images(images: int) -> None:
    """None is left for a batch of its own, from which no variance could be had."""
    data = digits(images)
    task = ImageTask(_classifier(data), data, data, Augmentation(), 128, seed=0)
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
    usual, steps = ImageTask.loss, iter(range(1000))

    def loss(task: ImageTask, epoch: int, step_in_epoch: int) -> Any:
        if next(steps) == step:
            signal.raise_signal(signal.SIGINT)
        return usual(task, epoch, step_in_epoch)

    monkeypatch.setattr(ImageTask, "loss", loss)
    stopped = _train(tmp_path / "run")
    assert (stopped["interrupted"], stopped["steps"]) == (True, step + 1)
    done = _train(tmp_path / "run", resume=True)
    assert not done["interrupted"]
    assert (tmp_path / "run/model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert metrics(tmp_path / "run") == metrics(whole)


def test_what_cannot_be_resumed(tmp_path: Path, whole: Path) -> None:
    with pytest.raises(InputError, match="already holds a run"):
        _train(whole)
    with pytest.raises(InputError, match=r"network\.plan was conv 4x3 norm.*, is full 3"):
        _train(whole, resume=True, network=NetworkConfig("full 3"))
    with pytest.raises(InputError, match=r"augmentation\.shift was 1, is 2"):
        _train(whole, resume=True, augmentation=Augmentation(shift=2, turn=5.0))
    with pytest.raises(InputError, match="images was "):
        _train(whole, resume=True, valid_share=0.2)


def test_a_run_without_validation_keeps_the_last_model(tmp_path: Path) -> None:
    report = _train(tmp_path / "run", valid_share=0.0, network=NetworkConfig("full 20"))
    assert (report["measured_on"], report["images"]) == ("training images", 2000)
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
    said = io.StringIO()
    train_images(_recipe(tmp_path / "run", data=str(tmp_path / "data")), Display("images", stream=said))
    assert "warning: 9 of 19 classes have no training image: 1, 3, 5, 7, 9, 11, 13, 15, 17\n" in said.getvalue()
    write_part(tmp_path / "data", "train", ImageSet(data.images, data.labels * 0 + 3))
    with pytest.raises(InputError, match="every label is 3; expected two classes or more"):
        _train(tmp_path / "one", data=str(tmp_path / "data"))


def test_recipes_are_checked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="batch 0: expected at least 1"):
        _recipe(tmp_path, batch=0)
    with pytest.raises(InputError, match=r"valid_share 1.0: expected a share from 0 to below 1"):
        _recipe(tmp_path, valid_share=1.0)
    with pytest.raises(InputError, match="2 names for labels up to 9: expected 10"):
        _train(tmp_path / "run", names=("a", "b"))
    with pytest.raises(InputError, match="'conv 4x29' does not fit: what comes from below is 1 x 28x28"):
        _train(tmp_path / "run", network=NetworkConfig("conv 4x29"))


@pytest.mark.realdata
def test_learning_to_read_handwriting(tmp_path: Path, data: Path) -> None:
    chosen = preset("mlp")
    training = replace(chosen.training, epochs=1.0, evaluations=1)
    _train(
        tmp_path / "run",
        data=str(data / "mnist"),
        network=chosen.network,
        augmentation=Augmentation(),
        training=training,
    )
    assert evaluate(ImageClassifier.load(tmp_path / "run"), read_set(data / "mnist", "test")).error < 0.04


# --- measuring


def test_evaluation_by_hand() -> None:
    data = digits(50)
    model = _classifier(data, NetworkConfig("full 6"))
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
    assert json.loads(json.dumps(measured.to_json()))["confusion"] == confusion


def test_images_and_labels_that_are_not_the_models() -> None:
    data = digits(50)
    model = ImageClassifier.untrained(data, "ab", NetworkConfig("full 6"))
    with pytest.raises(InputError, match="generated digits: a label 9; the model knows 2 classes, from 0"):
        evaluate(model, data)
    with pytest.raises(InputError, match="images of 28x27 pixels; the model reads 28x28"):
        evaluate(_classifier(data), ImageSet(data.images[:, :, :27], data.labels))
    with pytest.raises(InputError, match="3 names for a network of 10 classes"):
        ImageClassifier("abc", _classifier(data).network)


def test_images_that_are_all_one_grey() -> None:
    model = _classifier(ImageSet(np.full((4, 28, 28), 9, np.uint8), np.arange(4, dtype=np.uint8)))
    assert np.isfinite(model.probabilities(digits(3).images)).all()


# --- model files


@pytest.mark.parametrize(
    "config",
    [
        PLAN,
        NetworkConfig(cell="gru", hidden=5, bidirectional=True),
        NetworkConfig("full 4 sigmoid", objective="squared"),
    ],
)
def test_a_saved_model_says_the_same(tmp_path: Path, config: NetworkConfig) -> None:
    data = digits(30)
    model = ImageClassifier.untrained(data, [f"digit {i}" for i in range(10)], config)
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
    with pytest.raises(ModelFileError, match="holds a language-model, expected an image-classifier"):
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
