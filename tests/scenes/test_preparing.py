"""From files to features: pictures of all kinds, folders with faults, segments, features, and what is kept of them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scene_helpers import SIZE, need_extra, scene_folder

need_extra()
from PIL import Image  # noqa: E402

from seqtree.errors import InputError  # noqa: E402
from seqtree.scenes import preparing  # noqa: E402
from seqtree.scenes.config import SegmentSettings  # noqa: E402
from seqtree.scenes.data import SceneFolder  # noqa: E402
from seqtree.scenes.features import (  # noqa: E402
    COLOUR_CHANNELS,
    GRID,
    RESPONSES,
    SHAPES,
    Pixels,
    Textons,
    feature_count,
    learn_textons,
    nearest,
    segment_features,
    with_neighbours,
)
from seqtree.scenes.generated import CLASSES, COLOURS, draw_scene  # noqa: E402
from seqtree.scenes.pictures import read_image, read_labels  # noqa: E402
from seqtree.scenes.preparing import prepared, prepared_scene, textons_of  # noqa: E402
from seqtree.scenes.segments import segments_of  # noqa: E402
from seqtree.text.cache import FEATURES  # noqa: E402


def scene(seed: int, size: tuple[int, int] = SIZE) -> tuple[np.ndarray, np.ndarray]:
    """A drawn image and its labels, in bytes."""
    image, labels = draw_scene(seed, size)
    return image, labels.astype(np.uint8)


SETTINGS = SegmentSettings(min_size=8, colours=4, textons=5)


def textons(count: int = 3) -> Textons:
    random = np.random.default_rng(0)
    return learn_textons([Pixels(scene(i)[0]).samples(random) for i in range(count)], 4, 5)


# --- pictures


def test_pictures_of_all_kinds_become_rgb(tmp_path: Path) -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    colours = np.stack([grey, grey[::-1], grey + 10], axis=2)
    palette = Image.fromarray(colours).quantize(64)
    given = {
        "grey.png": Image.fromarray(grey),
        "rgb.png": Image.fromarray(colours),
        "alpha.png": Image.fromarray(np.dstack([colours, np.full_like(grey, 90)])),
        "grey-alpha.png": Image.fromarray(np.dstack([grey, np.full_like(grey, 90)]), "LA"),
        "deep.png": Image.fromarray(grey.astype(np.uint16) * 257),
        "palette.png": palette,
        "bits.png": Image.fromarray(grey > 100),
    }
    for name, picture in given.items():
        picture.save(tmp_path / name)
    three = np.repeat(grey[:, :, None], 3, axis=2)
    expected = {"grey.png": three, "grey-alpha.png": three, "deep.png": three, "rgb.png": colours}
    expected |= {"alpha.png": colours, "palette.png": np.asarray(palette.convert("RGB"))}
    expected["bits.png"] = np.repeat(np.where(grey > 100, 255, 0)[:, :, None], 3, axis=2)
    for name, wanted in expected.items():
        found = read_image(tmp_path / name)
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, wanted, err_msg=name)


def test_a_picture_is_turned_as_the_camera_was_held(tmp_path: Path) -> None:
    picture = Image.fromarray(scene(0)[0])
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "turned.jpg", exif=exif)
    assert read_image(tmp_path / "turned.jpg").shape == (*SIZE[::-1], 3)


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_a_picture_that_is_cut_off(tmp_path: Path, ending: str, share: float) -> None:
    file = tmp_path / f"whole.{ending}"
    Image.fromarray(scene(0, (80, 100))[0]).save(file)
    data = file.read_bytes()
    file.write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError, match=rf"whole.{ending}: not an image that can be read, or cut off"):
        read_image(file)


def test_labels_of_several_depths(tmp_path: Path) -> None:
    labels = scene(0)[1]
    Image.fromarray(labels).save(tmp_path / "l.png")
    palette = Image.fromarray(labels)
    palette.putpalette([0, 0, 0, 9, 9, 9, 30, 200, 10, 90, 90, 90, 7, 7, 7])
    palette.save(tmp_path / "p.png")
    Image.fromarray(labels.astype(np.uint16)).save(tmp_path / "deep.png")
    for name in ("l.png", "p.png", "deep.png"):
        np.testing.assert_array_equal(read_labels(tmp_path / name, 4, SIZE), labels)


def _label(folder: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    file = folder / "labels" / "scene1.png"
    Image.fromarray(change(np.asarray(Image.open(file)))).save(file)


def _outside(labels: np.ndarray) -> np.ndarray:
    labels = labels.copy()
    labels[4, 7] = 9
    return labels


def _cut_off(folder: Path) -> None:
    file = folder / "labels" / "scene1.png"
    file.write_bytes(file.read_bytes()[:60])


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no folder": (lambda f: f.rename(f.parent / "elsewhere"), "expected a folder with images/, labels/, classes.txt"),
    "no images": (lambda f: (f / "images").rename(f / "pictures"), "has no folder images/"),
    "no labels": (lambda f: (f / "labels").rename(f / "masks"), "has no folder labels/"),
    "no classes": (lambda f: (f / "classes.txt").unlink(), "classes.txt: expected in a folder of scenes; no such file"),
    "no list": (
        lambda f: (f / "train.txt").unlink(),
        "train.txt: there is no such list; expected the names of images, one a line; it has",
    ),
    "empty list": (
        lambda f: (f / "train.txt").write_text("\n"),
        "train.txt: it is empty; expected the names of images",
    ),
    "list not text": (
        lambda f: (f / "train.txt").write_bytes(b"scene0\n\xff\n"),
        "train.txt: not text in UTF-8",
    ),
    "unknown image": (
        lambda f: (f / "train.txt").write_text("scene0\nnone\n"),
        "train.txt:2: images/ has no none.jpg, .png or other image",
    ),
    "path in list": (
        lambda f: (f / "train.txt").write_text("../scene0\n"),
        "train.txt:1: '../scene0'; expected the name of an image",
    ),
    "no label": (lambda f: (f / "labels" / "scene1.png").unlink(), "train.txt:2: there is no"),
    "label outside": (
        lambda f: _label(f, _outside),
        "the label 9 at row 5, column 8; expected 0 (void) to 4",
    ),
    "other size": (lambda f: _label(f, lambda a: a[:, :-2]), "scene1.png: labels for 30x24 pixels; expected 32x24"),
    "labels in colour": (
        lambda f: _label(f, lambda a: np.dstack([a] * 3)),
        "scene1.png: a picture of kind RGB; expected numbers",
    ),
    "label cut off": (_cut_off, "scene1.png: not a picture of labels that can be read"),
    "no picture": (
        lambda f: (f / "images" / "scene1.png").write_text("hello"),
        "scene1.png: not an image",
    ),
    "empty picture": (
        lambda f: (f / "images" / "scene1.png").write_bytes(b""),
        "scene1.png: not an image",
    ),
    "class number": (
        lambda f: (f / "classes.txt").write_text("0\tvoid\n2\tsky\n"),
        "classes.txt:2: '2\\tsky'; expected the number 1",
    ),
    "class twice": (
        lambda f: (f / "classes.txt").write_text("0 void\n1 sky\n2 sky\n"),
        "classes.txt:3: the name 'sky' a second time",
    ),
    "one class": (
        lambda f: (f / "classes.txt").write_text("0 void\n1 sky\n"),
        "2 classes; expected 0 for void, and from 2",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_folders_with_faults(tmp_path: Path, fault: str) -> None:
    folder = scene_folder(tmp_path / "scenes", 3)
    change, said = FAULTS[fault]
    change(folder)
    with pytest.raises(InputError) as raised:
        for one in SceneFolder.open(folder).part("train"):
            prepared_scene(one, SETTINGS, textons(1))
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_images_that_are_named_twice_count_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = scene_folder(tmp_path / "scenes", 3)
    (folder / "train.txt").write_text("scene1\nscene0\nscene0\nscene2\nscene1.png\n")
    assert [one.name for one in SceneFolder.open(folder).part("train")] == ["scene1", "scene0", "scene2"]
    said = f"{folder}/train.txt:3: scene0 a second time, which counts once, as is one more"
    assert said in capsys.readouterr().err


def test_a_message_of_ours_is_not_told_as_a_fault_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"a.png: 9 x 9 pixels; an image may have 80$"):
        read_image(tmp_path / "a.png", most=80)
    monkeypatch.setitem(sys.modules, "PIL.ImageOps", None)
    with pytest.raises(InputError, match=r"^scenes need scikit-image and Pillow"):
        read_image(tmp_path / "a.png")


def test_lists_may_have_endings_and_empty_lines(tmp_path: Path) -> None:
    folder = scene_folder(tmp_path / "scenes", 3)
    (folder / "mine.txt").write_text("scene0.png\n\n  scene2  \n", encoding="utf-8-sig")
    opened = SceneFolder.open(folder)
    assert opened.classes == CLASSES
    assert [one.name for one in opened.part("mine")] == ["scene0", "scene2"]


# --- segments and features


@pytest.mark.parametrize("method", ["felzenszwalb", "slic"])
def test_segments_are_numbered_from_the_top(method: str) -> None:
    found = segments_of(scene(1)[0], replace(SETTINGS, method=method, segments=20))
    rows = np.indices(found.shape)[0]
    middles = np.bincount(found.ravel(), rows.ravel()) / np.bincount(found.ravel())
    assert len(middles) > 3
    assert (np.diff(middles) >= 0).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 2), (9, 1), (3, 40)])
@pytest.mark.parametrize("method", ["felzenszwalb", "slic"])
def test_images_of_a_few_pixels(size: tuple[int, int], method: str) -> None:
    image = np.full((*size, 3), 128, dtype=np.uint8)
    found = prepared(image, replace(SETTINGS, method=method), textons(1))
    assert found.segments.shape == size
    assert np.isfinite(found.graph.features).all()
    assert found.features.shape[1] == feature_count(4, 5)


def test_what_the_network_reads_of_a_scene_is_made_once() -> None:
    found = prepared(scene(1)[0], SETTINGS, textons(1))
    assert found.graph is found.graph
    assert (found.graph.features == with_neighbours(found.features, found.neighbours)).all()


def test_features_of_two_halves() -> None:
    """Left is one colour, right another: means, deviations, histograms and shapes are known."""
    image = np.empty((20, 30, 3), dtype=np.uint8)
    image[:, :12], image[:, 12:] = COLOURS[0], COLOURS[3]
    segments = np.zeros((20, 30), dtype=np.int64)
    segments[:, 12:] = 1
    pixels, known = Pixels(image), textons()
    features = segment_features(pixels, segments, known)
    np.testing.assert_allclose(features[:, :3] * 255, [COLOURS[0], COLOURS[3]], rtol=1e-5)
    spread = COLOUR_CHANNELS + RESPONSES
    np.testing.assert_allclose(features[:, spread : spread + COLOUR_CHANNELS], 0, atol=2e-3)
    start = 2 * COLOUR_CHANNELS + 2 * RESPONSES
    for half, column in ((0, 0), (1, 29)):
        nearest_colour = int(np.square(known.colours - pixels.lab[0, column]).sum(axis=1).argmin())
        np.testing.assert_allclose(features[half, start : start + 4], np.eye(4)[nearest_colour])
    shapes = features[:, -SHAPES - GRID**2 : -(GRID**2)]
    np.testing.assert_allclose(shapes[:, 0], np.log([0.4, 0.6]), rtol=1e-5)
    np.testing.assert_allclose(shapes[:, 1], 20 / np.sqrt([240, 360]), rtol=1e-5)
    np.testing.assert_allclose(shapes[:, 2:4], [[0.2, 0.5], [0.7, 0.5]], rtol=1e-5)
    np.testing.assert_allclose(shapes[:, -4:], [[0.4, 0.4, 1, 0], [0.6, 0.6, 0, 1]], rtol=1e-5)
    np.testing.assert_allclose(features[:, -(GRID**2) :].sum(axis=1), 1, rtol=1e-5)


def test_each_histogram_is_of_shares() -> None:
    found = prepared(scene(3)[0], SETTINGS, textons())
    start = 2 * COLOUR_CHANNELS + 2 * RESPONSES
    for first, count in ((start, 4), (start + 4, 5), (start + 9, 5)):
        sums = np.square(found.features[:, first : first + count]).sum(axis=1)
        assert np.all(np.isclose(sums, 1, atol=1e-5) | (sums == 0))
        assert np.isclose(sums, 1, atol=1e-5).mean() > 0.7


def test_nearest_is_the_least_distance() -> None:
    random = np.random.default_rng(0)
    rows, centres = (random.normal(size=(n, 6)).astype(np.float32) for n in (50, 7))
    slow = np.square(rows[:, None] - centres).sum(axis=2).argmin(axis=1)
    np.testing.assert_array_equal(nearest(rows, centres), slow)


def test_means_of_neighbours_and_of_theirs() -> None:
    """0 - 1 - 2 - 3, and 4 beside 1 only."""
    features = np.array([[1.0], [2.0], [4.0], [8.0], [16.0]], dtype=np.float32)
    found = with_neighbours(features, np.array([[0, 1], [1, 2], [2, 3], [1, 4]]))
    np.testing.assert_allclose(found[:, 1], [2, (1 + 4 + 16) / 3, (2 + 8) / 2, 4, 2])
    np.testing.assert_allclose(found[:, 2], [(4 + 16) / 2, 8, (1 + 16) / 2, 2, (1 + 4) / 2])
    alone = with_neighbours(features[:1], np.zeros((0, 2), dtype=np.int64))
    np.testing.assert_allclose(alone, [[1, 0, 0]])


def test_labels_are_counted_in_the_image_s_own_size(tmp_path: Path) -> None:
    folder = scene_folder(tmp_path / "scenes", 1, 1)
    (one,) = SceneFolder.open(folder).part("train")
    found = prepared_scene(one, replace(SETTINGS, side=16), textons())
    assert max(found.segments.shape) == 16
    assert found.pixels is not None
    np.testing.assert_array_equal(found.pixels.sum(axis=0), np.bincount(scene(0)[1].ravel(), minlength=5))


# --- what is kept


def test_features_are_kept_and_made_again_where_they_are_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQTREE_CACHE", str(tmp_path / "cache"))
    (one,) = SceneFolder.open(scene_folder(tmp_path / "scenes", 1, 1)).part("train")
    known = textons_of([one], SETTINGS)
    first = prepared_scene(one, SETTINGS, known)
    files = sorted((tmp_path / "cache").glob(f"*{FEATURES}"))
    assert len(files) == 2

    made = []
    monkeypatch.setattr(preparing, "prepared", lambda *given: made.append(given) or prepared(*given))
    again = prepared_scene(one, SETTINGS, textons_of([one], SETTINGS))
    np.testing.assert_array_equal(again.features, first.features)
    np.testing.assert_array_equal(again.segments, first.segments)
    assert not made
    prepared_scene(one, replace(SETTINGS, scale=50.0), known)
    assert len(made) == 1
    for file in files:
        data = file.read_bytes()
        file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    np.testing.assert_array_equal(prepared_scene(one, SETTINGS, known).features, first.features)
    assert len(made) == 2


def test_without_a_cache_folder_that_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SEQTREE_CACHE", str(tmp_path / "file" / "cache"))
    (one,) = SceneFolder.open(scene_folder(tmp_path / "scenes", 1, 1)).part("train")
    assert len(prepared_scene(one, SETTINGS, textons_of([one], SETTINGS)).features) > 2


@pytest.mark.parametrize("missing", ["skimage.segmentation", "PIL.Image"])
def test_the_extra_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    (one,) = SceneFolder.open(scene_folder(tmp_path / "scenes", 1, 1)).part("train")
    known = textons(1)
    monkeypatch.setenv("SEQTREE_CACHE", str(tmp_path / "empty"))
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(InputError, match=r'scenes need scikit-image and Pillow: pip install "seqtree\[scenes\]"'):
        prepared_scene(one, SETTINGS, known)
