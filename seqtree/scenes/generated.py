"""A folder of small drawn scenes, to try things on: sky over grass, with a tree or two and a red ball."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from seqtree.errors import InputError, check_count
from seqtree.scenes.batches import Ids
from seqtree.scenes.segments import Image, scene_library

CLASSES = ("sky", "grass", "tree", "ball")
COLOURS = ((120, 170, 235), (110, 175, 75), (35, 85, 40), (200, 40, 45))
SIZE = (48, 64)  # height and width


def draw_scene(seed: int, size: tuple[int, int] = SIZE) -> tuple[Image, Ids]:
    """An image (H, W, 3) and its labels (H, W), 1 to 4 and 0 (void) along the horizon; the same for the same seed."""
    random = np.random.default_rng(seed)
    height, width = size
    row, column = np.indices(size)
    horizon = int(random.integers(height // 3, height // 2))
    labels = np.where(row < horizon, 1, 2)
    labels[horizon] = 0
    for _ in range(random.integers(1, 3)):
        across, tall = random.integers(width), random.uniform(0.15, 0.25) * height
        labels[np.hypot(row - horizon + tall / 2, column - across) < tall] = 3
    down, across = random.integers(horizon, height), random.integers(width)
    labels[np.hypot(row - down, column - across) < random.uniform(0.08, 0.15) * height] = 4
    colours = np.array([COLOURS[1], *COLOURS])[labels]
    noise = random.normal(size=(*size, 1)) * np.array([6, 3, 10, 25, 4])[labels][:, :, None]
    light = random.uniform(0.85, 1.1)
    return (light * colours + noise).clip(0, 255).astype(np.uint8), labels.astype(np.int64)


def write_drawn(
    folder: str | Path, train: int = 24, dev: int = 8, test: int = 8, seed: int = 0, size: tuple[int, int] = SIZE
) -> Path:
    """Write a new folder of drawn scenes, so many of each list: train.txt, dev.txt and test.txt, and all.txt of all.

    Raises InputError if there is something in its place, for numbers below 0, or if Pillow is not installed.
    """
    for name, count in (("train", train), ("dev", dev), ("test", test)):
        check_count(name, count, 0)
    pillow = scene_library("PIL.Image")
    path = Path(folder)
    if path.exists():
        raise InputError(f"{path}: there is something there already; expected the name of a new folder")
    for name in ("images", "labels"):
        (path / name).mkdir(parents=True)
    names = [f"scene{i}" for i in range(train + dev + test)]
    for i, name in enumerate(names):
        image, labels = draw_scene(seed + i, size)
        pillow.fromarray(image).save(path / "images" / f"{name}.png")
        pillow.fromarray(labels.astype(np.uint8)).save(path / "labels" / f"{name}.png")
    lists = {"train": names[:train], "dev": names[train : train + dev], "test": names[train + dev :], "all": names}
    lists["classes"] = [f"{i}\t{name}" for i, name in enumerate(("void", *CLASSES))]
    for name, lines in lists.items():
        (path / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
