"""Folders of small scenes, made by chance: sky over grass with a red ball, and their labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

CLASSES = ("sky", "grass", "ball")
SIZE = (24, 32)  # height and width
COLOURS = ((90, 150, 230), (60, 140, 50), (200, 40, 40))
SMALL = {"textons": 4, "colours": 4, "min_size": 8}


def need_extra() -> None:
    """Skip what needs scikit-image and Pillow where they are not installed."""
    for name in ("skimage", "PIL"):
        pytest.importorskip(name, reason="the extra 'scenes' is not installed: pip install 'seqtree[scenes]'")


def scene(seed: int, size: tuple[int, int] = SIZE) -> tuple[np.ndarray, np.ndarray]:
    """An image (H, W, 3) and its labels (H, W): 1 sky, 2 grass, 3 ball, and a row of void at the horizon."""
    random = np.random.default_rng(seed)
    height, width = size
    labels = np.ones(size, dtype=np.uint8)
    horizon = int(random.integers(height // 3, 2 * height // 3))
    labels[horizon:] = 2
    row, column = np.indices(size)
    middle = random.integers(height // 4, 3 * height // 4), random.integers(width // 4, 3 * width // 4)
    labels[np.hypot(row - middle[0], column - middle[1]) < height / 5] = 3
    image = np.array(COLOURS)[labels - 1] + random.normal(0, 6, (*size, 3))
    labels[horizon][labels[horizon] != 3] = 0
    return image.clip(0, 255).astype(np.uint8), labels


def scene_folder(folder: Path, count: int = 10, dev: int = 2) -> Path:
    """A folder of ``count`` scenes to train on, ``dev`` of them also in dev.txt and test.txt."""
    from PIL import Image

    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    for i in range(count):
        image, labels = scene(i)
        Image.fromarray(image).save(folder / "images" / f"s{i}.png")
        Image.fromarray(labels).save(folder / "labels" / f"s{i}.png")
    names = [f"s{i}\n" for i in range(count)]
    lines = [f"{i}\t{name}\n" for i, name in enumerate(("void", *CLASSES))]
    for file, text in (("train", names), ("dev", names[:dev]), ("test", names[:dev]), ("classes", lines)):
        (folder / f"{file}.txt").write_text("".join(text), encoding="utf-8")
    return folder
