"""Folders of small scenes and how to cut them, and the extra that they need."""

from __future__ import annotations

from pathlib import Path

import pytest

SIZE = (24, 32)  # height and width
SMALL = {"textons": 4, "colours": 4, "min_size": 8}


def need_extra() -> None:
    """Skip what needs scikit-image and Pillow where they are not installed."""
    for name in ("skimage", "PIL"):
        pytest.importorskip(name, reason="the extra 'scenes' is not installed: pip install 'seqtree[scenes]'")


def scene_folder(folder: Path, count: int = 10, dev: int = 2) -> Path:
    """A folder of ``count`` drawn scenes to train on, and ``dev`` others."""
    from seqtree.scenes.generated import write_drawn

    return write_drawn(folder, count, dev, dev, size=SIZE)
