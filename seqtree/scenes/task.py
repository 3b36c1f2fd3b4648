"""Parsing scenes as a task: learning from images whose pixels are labelled."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from seqtree.errors import InputError
from seqtree.scenes.batches import labelled
from seqtree.scenes.config import OPTIONS, SceneReading, SceneRecipe
from seqtree.scenes.data import LabelledImage, SceneFolder, in_folds
from seqtree.scenes.evaluation import evaluate
from seqtree.scenes.features import Textons
from seqtree.scenes.model import SceneParser
from seqtree.scenes.objectives import SceneLoss, Weights
from seqtree.scenes.preparing import Prepared, prepared_scene, textons_of
from seqtree.training.batches import SentenceTask, spread_out
from seqtree.training.copying import start_rest
from seqtree.training.progress import Display
from seqtree.training.start import taken_over
from seqtree.training.task import Batch, Inputs
from seqtree.wording import counted

PAIRS, TREES = 0, 1  # the stages of training
SHAPE = ("leaves_only", "hidden", "composition", "vector")  # of the network, with --init-from


class SceneData(NamedTuple):
    """Scenes to train and to validate on, the names of their classes, the textons, and a hash of the files.

    ``shared``: whether what is validated on is a share of the scenes to train on.
    """

    training: list[Prepared]
    valid: list[Prepared]
    classes: tuple[str, ...]
    textons: Textons
    fingerprint: str
    shared: bool


class SceneTask(SentenceTask[SceneRecipe, SceneParser, SceneData]):
    """Learning to parse scenes; the best model is the one with the most pixels right.

    A batch's loss is the mean per segment. Its rows are (number of the scene, stage).
    """

    options = OPTIONS
    items = "segments"
    best = "+pixel_accuracy"

    def __init__(self, model: SceneParser, data: SceneData, recipe: SceneRecipe) -> None:
        super().__init__(model, data, recipe, np.array([len(scene.features) for scene in data.training]))
        self.weights = _weights(data, recipe.objective.rarity, model.device)

    @classmethod
    def resolve(cls, options: Mapping[str, Any]) -> SceneRecipe:
        recipe = OPTIONS.resolved(options)
        if recipe.run.init_from is None:
            return recipe
        start = SceneParser.load(recipe.run.init_from)
        shape = {name: getattr(start.network.config, name) for name in SHAPE}
        return taken_over(recipe, start, options, {"network": shape, "segments": start.segments.to_json()})

    @classmethod
    def read(cls, sources: Sequence[str], recipe: SceneRecipe, display: Display) -> SceneData:
        if len(sources) != 1:
            raise InputError("expected one FOLDER with images/, labels/, classes.txt and train.txt")
        folder = SceneFolder.open(sources[0])
        digest = hashlib.sha256(repr(folder.classes).encode())
        start: SceneParser | None = recipe.start
        if start:
            folder = folder.among(tuple(dict.fromkeys((*start.classes, *folder.classes))))
        training, valid = _split(folder, recipe.reading)
        for part in (training, valid):
            for one in part:
                digest.update(f"{one.fingerprint} {one.label_fingerprint}\n".encode())
            digest.update(b"\0")
        textons = start.network.textons.arrays if start else textons_of(training, recipe.segments)
        read = [[prepared_scene(one, recipe.segments, textons) for one in part] for part in (training, valid)]
        if not any(labelled(scene.pixels)[:, 1:].any() for scene in read[0]):
            raise InputError(f"{folder.path}: no image has a labelled pixel to train on")
        shared = _shared(folder, recipe.reading) and recipe.reading.valid_share > 0
        return SceneData(read[0], read[1], folder.classes, textons, digest.hexdigest(), shared)

    @classmethod
    def build(cls, data: SceneData, recipe: SceneRecipe, display: Display) -> SceneParser:
        made = SceneParser.over(data.classes, recipe.segments, recipe.network, recipe.training.seed)
        start: SceneParser | None = recipe.start
        if start:
            start_rest(made.network, start.network)
            display.message(f"starting from {recipe.run.init_from}: {counted(len(start.classes), 'class')} known")
        else:
            made.network.textons.take(data.textons)
            made.network.whiten(scene.graph.features for scene in data.training)
        return made

    def inputs(self) -> Inputs:
        training, valid = self.data.training, self.data.valid
        return (scene.features.tobytes() for scene in training), (scene.features.tobytes() for scene in valid)

    def fingerprint(self) -> str:
        return self.data.fingerprint

    def identity(self) -> dict[str, Any]:
        recipe = self.recipe
        return {
            **super().identity(),
            "segments": recipe.segments.to_json(),
            "objective": recipe.objective.to_json(),
            "classes": list(self.model.classes),
        }

    def batch(self, epoch: int, step: int) -> Batch:
        scenes = super().batch(epoch, step)
        stage = PAIRS if epoch < self.recipe.objective.pair_epochs else TREES
        return np.stack([scenes, np.full_like(scenes, stage)], axis=1)

    def loss(self, batch: Batch) -> tuple[Tensor, int]:
        network = self.model.network
        scenes = [self.data.training[i].graph for i in self.longest_first(batch[:, 0])]
        loss = SceneLoss(network, scenes, self.recipe.objective, self.weights)
        if network.config.leaves_only:
            total = loss.of_leaves()
        else:
            total = loss.of_pairs() if batch[0, 1] == PAIRS else loss.of_trees()
        count = int(self.lengths[batch[:, 0]].sum())
        return total / count, count

    @property
    def validation_items(self) -> int:
        return len(self.data.valid)

    @property
    def holds_out(self) -> bool:
        return self.data.shared

    def evaluate(self) -> dict[str, float] | None:
        if not self.data.valid:
            return None
        measured = evaluate(self.model, self.data.valid)
        return {"pixel_accuracy": measured.pixel_accuracy, "class_accuracy": measured.class_accuracy}

    def measure(self, model: SceneParser) -> tuple[dict[str, Any], str]:
        measured = evaluate(model, self.data.valid or self.data.training)
        pixels, classes = 100 * measured.pixel_accuracy, 100 * measured.class_accuracy
        summary = f"{pixels:.2f} % of pixels right, {classes:.2f} % as the mean of classes"
        return measured.to_json(), f"{summary}; {counted(measured.images, 'image')}"

    def describe(self) -> str:
        config, recipe = self.model.network.config, self.recipe
        tree = "no tree" if config.leaves_only else f"composition {config.composition} of width {config.vector}"
        return (
            f"{counted(len(self.data.training), 'training image')} of {counted(int(self.lengths.sum()), 'segment')} "
            f"({recipe.segments.method}), {counted(len(self.data.valid), 'validation image')}; "
            f"{counted(len(self.model.classes), 'class')}; {counted(config.hidden, 'unit')}, {tree}; "
            f"batch {recipe.batch.batch}"
        )


def _split(folder: SceneFolder, reading: SceneReading) -> tuple[list[LabelledImage], list[LabelledImage]]:
    """The images to train and to validate on."""
    images = folder.part(reading.part)
    if reading.fold is not None:
        return in_folds(images, reading.fold)
    if _shared(folder, reading):
        return spread_out(images, reading.valid_share, len(images), lambda image: None)
    return images, folder.part(reading.valid_part or "dev")


def _shared(folder: SceneFolder, reading: SceneReading) -> bool:
    """Whether there are no images to validate on but a share of those to train on."""
    return reading.fold is None and reading.valid_part is None and not folder.has("dev")


def _weights(data: SceneData, power: float, device: torch.device) -> Weights:
    """A class counts as its share of the pixels to the power of minus ``power``; 1 in the mean of all pixels."""
    pixels = np.concatenate([labelled(scene.pixels)[:, 1:] for scene in data.training])
    share = pixels.sum(axis=0) / pixels.sum()
    weights = np.where(share > 0, np.maximum(share, 1e-6) ** -power, 1.0)
    rarity = torch.as_tensor(weights / (weights * share).sum(), dtype=torch.float32, device=device)
    return Weights(rarity, float(pixels.sum() / max(1, np.count_nonzero(pixels.sum(axis=1)))))
