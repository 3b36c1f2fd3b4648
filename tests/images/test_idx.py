"""IDX files, where they are looked for, and the digits that seqtree draws."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from image_helpers import idx_bytes, write_part

from seqtree.errors import InputError
from seqtree.images.data import ImageSet
from seqtree.images.generated import BITMAPS, digits
from seqtree.images.idx import is_idx, read_images, read_labels
from seqtree.images.sources import read_set

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
LABELS = np.array([7, 0], np.uint8)


@pytest.mark.parametrize("zipped", [False, True])
def test_what_is_written_is_read(tmp_path: Path, zipped: bool) -> None:
    path = write_part(tmp_path, "train", ImageSet(IMAGES, LABELS), zipped)
    assert is_idx(path)
    np.testing.assert_array_equal(read_images(path), IMAGES)
    np.testing.assert_array_equal(read_labels(str(path).replace("images-idx3", "labels-idx1")), LABELS)
    read = read_set(tmp_path, "train")
    np.testing.assert_array_equal(read.images, IMAGES)
    np.testing.assert_array_equal(read.labels, LABELS)
    assert (read.size, len(read)) == ((3, 4), 2)


WHOLE = idx_bytes(IMAGES)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty; expected IDX images"),
        (b"\x00\x00", "it begins with 00 00, expected 00 00 08 03"),
        (b"\x89PNG" + WHOLE[4:], "it begins with 89 50 4e 47, expected 00 00 08 03"),
        (b"\x00\x00\x0d\x03" + WHOLE[4:], "it begins with 00 00 0d 03"),  # floats
        (idx_bytes(LABELS), "1 dimensions; IDX images have 3 (images, rows, columns)"),
        (WHOLE[:10], "ends after 10 bytes, within its header of 16"),
        (WHOLE[:-1], "truncated: 23 bytes for 2 images x 3 rows x 4 columns, which are 24"),
        (WHOLE + b"\0", "too long: 25 bytes for"),
        (WHOLE[:4] + b"\xff" * 12 + WHOLE[16:], "truncated: 24 bytes for 4,294,967,295 images"),
        (idx_bytes(IMAGES[:0]), "contains no images"),
        (idx_bytes(IMAGES[:, :0]), "images of 0x4 pixels"),
        (gzip.compress(WHOLE, mtime=0)[:-9], "a damaged or truncated gzip file"),
        (gzip.compress(WHOLE, mtime=0)[:20] + b"\xff" * 20, "a damaged or truncated gzip file"),
        (gzip.compress(WHOLE[:-1], mtime=0), "truncated: 23 bytes"),
    ],
)
def test_files_that_are_not_idx_images(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(data)
    with pytest.raises(InputError) as error:
        read_images(path)
    assert str(error.value).startswith(str(path))
    assert said in str(error.value)


def test_labels_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "labels").write_bytes(idx_bytes(LABELS)[:-1])
    with pytest.raises(InputError, match="labels: truncated: 1 bytes for 2 labels, which are 2"):
        read_labels(tmp_path / "labels")
    (tmp_path / "labels").write_bytes(WHOLE)
    with pytest.raises(InputError, match=r"labels: 3 dimensions; IDX labels have 1 \(labels\)"):
        read_labels(tmp_path / "labels")
    with pytest.raises(InputError, match="none cannot be read: no such file"):
        read_labels(tmp_path / "none")


def test_parts_and_labels_are_found_by_name(tmp_path: Path) -> None:
    test = write_part(tmp_path, "t10k", ImageSet(IMAGES[:1], LABELS[:1]), zipped=True)
    write_part(tmp_path, "train", ImageSet(IMAGES, LABELS))
    assert len(read_set(tmp_path, "train")) == 2
    assert len(read_set(tmp_path, "test")) == len(read_set(test, "train")) == 1
    other = tmp_path / "mine"
    other.write_bytes(idx_bytes(IMAGES))
    with pytest.raises(InputError, match=r"mine: no labels found; expected their file as --labels"):
        read_set(other, "train")
    assert len(read_set(other, "train", tmp_path / "train-labels-idx1-ubyte")) == 2
    dotted = tmp_path / "dotted"
    dotted.mkdir()
    (dotted / "train-images.idx3-ubyte").write_bytes(idx_bytes(IMAGES))
    with pytest.raises(
        InputError, match=r"no labels found; expected train-labels.idx1-ubyte, plain or .gz, in the same folder"
    ):
        read_set(dotted, "train")
    (dotted / "train-labels.idx1-ubyte").write_bytes(idx_bytes(LABELS))
    assert len(read_set(dotted, "train")) == 2


def test_data_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no t10k-images-idx3-ubyte or t10k-images.idx3-ubyte, plain or .gz"):
        read_set(tmp_path, "test")
    with pytest.raises(InputError, match="none: no such file or folder"):
        read_set(tmp_path / "none", "test")


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (IMAGES / 255, LABELS, "images of float64; expected uint8, from 0 for black to 255 for white"),
        (IMAGES.tolist(), LABELS, "expected images as one array (N, height, width), not a list"),
        (IMAGES[0], LABELS, "images of shape (3, 4); expected (N, height, width)"),
        (IMAGES, LABELS.tolist(), "labels as a list; expected one array (N,) of whole numbers"),
        (IMAGES, np.array([0, 1.5]), "labels as an array of float64, shape (2,); expected one array"),
        (IMAGES, np.array([0, -1]), "a label -1; expected from 0 to 255"),
        (IMAGES, np.array([0, 256]), "a label 256; expected from 0 to 255"),
        (IMAGES[:0], LABELS[:0], "no images in it"),
    ],
)
def test_arrays_that_are_no_images_or_labels(images: Any, labels: Any, said: str) -> None:
    with pytest.raises(InputError) as error:
        ImageSet(images, labels)
    assert str(error.value).startswith(f"images: {said}")


def test_labels_may_be_whole_numbers_of_any_width() -> None:
    assert ImageSet(IMAGES, LABELS.astype(np.int64)).fingerprint == ImageSet(IMAGES, LABELS).fingerprint


def test_parts_and_sizes_that_there_are_not(tmp_path: Path) -> None:
    write_part(tmp_path, "train", ImageSet(IMAGES, LABELS))
    with pytest.raises(InputError, match="part 'valid': expected train or test"):
        read_set(tmp_path, "valid")
    for size in (28, "28", (28,), (28, 0), (2.5, 28)):
        with pytest.raises(InputError, match=r"^size "):
            read_set(tmp_path, "train", size=size)  # type: ignore[arg-type]


def test_files_that_are_no_images_are_told_what_data_may_be(tmp_path: Path) -> None:
    for name, content in (("a.csv", b"label,pixel\n1,2\n"), ("a.png", b"\x89PNG...")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=f"{name}: no IDX file of images; expected a folder with IDX files"):
            read_set(tmp_path / name, "train")


def test_counts_that_disagree(tmp_path: Path) -> None:
    images = write_part(tmp_path, "train", ImageSet(IMAGES, LABELS))
    labels = tmp_path / "train-labels-idx1-ubyte"
    labels.write_bytes(idx_bytes(LABELS[:1]))
    with pytest.raises(InputError, match="2 images but 1 label") as error:
        read_set(tmp_path, "train")
    assert f"{images} and {labels}" in str(error.value)


def test_fingerprints_tell_sets_apart() -> None:
    whole = ImageSet(IMAGES, LABELS)
    turned = ImageSet(IMAGES.reshape(2, 4, 3), LABELS)
    others = [whole[:1], turned, ImageSet(IMAGES, LABELS[::-1]), ImageSet(IMAGES[::-1], LABELS)]
    assert len({data.fingerprint for data in (whole, *others)}) == 5
    assert ImageSet(IMAGES.copy(), LABELS.copy(), "elsewhere").fingerprint == whole.fingerprint


def test_generated_digits() -> None:
    data = digits(300, seed=3)
    assert data.images.shape == (300, 28, 28)
    assert data.images.dtype == data.labels.dtype == np.uint8
    assert set(data.labels.tolist()) == set(range(10))
    assert digits(300, seed=3).fingerprint == data.fingerprint != digits(300, seed=4).fingerprint
    assert data.images[:, 0].mean() < 20 < 200 < data.images.max(axis=(1, 2)).min() + 60  # light on dark
    assert BITMAPS.shape == (10, 7, 5)
    assert len({bitmap.tobytes() for bitmap in BITMAPS}) == 10
    for wrong in (0, 2.5, "3"):
        with pytest.raises(InputError, match=r"^count "):
            digits(wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="seed -1"):
        digits(1, -1)


def test_generated_digits_are_what_their_labels_say() -> None:
    """Cut out and shrunk to its bitmap's size, a digit is nearest to its own."""
    data = digits(200)
    right = 0
    for image, label in zip(data.images, data.labels, strict=True):
        drawn = image > 80
        rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
        y = np.linspace(rows[0], rows[-1], 15)[1::2].round().astype(int)
        x = np.linspace(columns[0], columns[-1], 11)[1::2].round().astype(int)
        apart = (drawn[np.ix_(y, x)] != BITMAPS).sum(axis=(1, 2))
        right += int(apart.argmin() == label)
    assert right > 120


@pytest.mark.realdata
def test_mnist(data: Path) -> None:
    train, test = read_set(data / "mnist", "train"), read_set(data / "mnist", "test")
    assert (len(train), len(test), train.size) == (60_000, 10_000, (28, 28))
    assert np.bincount(test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert round(float(train.images.mean()) / 255, 4) == 0.1307
    assert train.labels[:5].tolist() == [5, 0, 4, 1, 9]
