"""A parsed scene as a picture."""

from __future__ import annotations

import numpy as np
import pytest
from scene_helpers import need_extra

from seqtree.drawing.scenes import draw_scene, scene_colours

CLASSES = ("sky", "grass", "tree", "ball")


def test_a_drawing_has_the_classes_colours() -> None:
    need_extra()
    image = np.zeros((4, 6, 3), dtype=np.uint8)
    segments = np.repeat([[0, 0, 0, 1, 1, 1]], 4, axis=0)
    colours = scene_colours(CLASSES)
    drawn = draw_scene(image, segments, np.array([1, 3]), CLASSES, np.array([[0, 1]]), np.array([2]))
    assert drawn.shape[0] > 480
    np.testing.assert_allclose(drawn[100, 100], colours[0] * 0.55, atol=1)
    np.testing.assert_allclose(drawn[100, 600], colours[2] * 0.55, atol=1)
    for colour in colours[:3]:  # of the segments in the legend and the tree, of the node in the tree
        assert (drawn == colour).all(axis=2).any()
    bare = draw_scene(image, segments, np.array([1, 3]), CLASSES, np.zeros((0, 2), int), np.zeros(0, int))
    assert bare.shape[1] < drawn.shape[1]


@pytest.mark.parametrize(("height", "width"), [(3, 3000), (3000, 3), (1, 1)])
def test_a_drawing_of_any_shape_is_neither_huge_nor_flat(height: int, width: int) -> None:
    need_extra()
    image, segments = np.zeros((height, width, 3), dtype=np.uint8), np.zeros((height, width), dtype=np.int64)
    segments[:, width // 2 :] = 1
    drawn = draw_scene(image, segments, np.array([1, 3]), CLASSES, np.array([[0, 1]]), np.array([2]))
    assert 160 < drawn.shape[0] < 3200 and drawn.shape[1] < 6200


def test_the_legend_has_classes_that_only_nodes_have(monkeypatch: pytest.MonkeyPatch) -> None:
    need_extra()
    from PIL import ImageDraw

    written: list[str] = []
    monkeypatch.setattr(ImageDraw.ImageDraw, "text", lambda draw, place, content, **_: written.append(content))
    draw_scene(
        np.zeros((4, 4, 3), dtype=np.uint8), np.eye(4, dtype=int), np.array([1, 3]), CLASSES, np.array([[0, 1]]), [2]
    )
    assert written == ["sky", "grass", "tree"]


@pytest.mark.parametrize("count", [2, 8, 23, 60])
def test_no_two_classes_have_the_same_colour(count: int) -> None:
    assert len(np.unique(scene_colours([f"c{i}" for i in range(count)]), axis=0)) == count
