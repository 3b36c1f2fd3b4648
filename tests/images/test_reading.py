"""Pictures that are to be classified, and pictures of a classifier."""

from __future__ import annotations

import base64
import io
import re
import sys
import xml.etree.ElementTree as ET
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from image_helpers import idx_bytes
from PIL import Image

from seqtree.drawing.confusion import MAX_FILTERS, tiled
from seqtree.errors import InputError
from seqtree.images.config import ImageNetworkConfig
from seqtree.images.evaluation import evaluate
from seqtree.images.generated import digits
from seqtree.images.model import ImageClassifier
from seqtree.images.reading import Reading, centred, read_inputs

Bytes = npt.NDArray[np.uint8]
SIZE = (28, 28)
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def seven() -> Bytes:
    """A digit as the network reads it: light on dark."""
    data = digits(30)
    image: Bytes = data.images[data.labels.tolist().index(7)]
    return image


def _png() -> bytes:
    """A small black picture."""
    file = io.BytesIO()
    Image.new("RGB", (9, 9)).save(file, "PNG")
    return file.getvalue()


def _saved(folder: Path, image: Image.Image, name: str = "picture.png") -> str:
    image.save(folder / name)
    return str(folder / name)


def _only(path: str, size: tuple[int, int] = SIZE) -> Reading:
    (reading,) = read_inputs(path, size)
    return reading


# --- reading


def test_a_picture_of_the_right_size_is_taken_as_it_is(tmp_path: Path, seven: Bytes) -> None:
    path = _saved(tmp_path, Image.fromarray(seven))
    reading = _only(path)
    assert (reading.name, reading.changes) == (path, ())
    np.testing.assert_array_equal(reading.image, seven)


def test_dark_on_light_is_inverted(tmp_path: Path, seven: Bytes) -> None:
    reading = _only(_saved(tmp_path, Image.fromarray(255 - seven)))
    assert reading.changes == ("dark on light: inverted",)
    np.testing.assert_array_equal(reading.image, seven)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P", "I;16"])
def test_pictures_of_every_kind(tmp_path: Path, seven: Bytes, mode: str) -> None:
    if mode == "I;16":
        picture = Image.fromarray(seven.astype(np.uint16) * 257)
        assert picture.mode == "I;16"
    else:
        picture = Image.fromarray(seven).convert(mode)
    reading = _only(_saved(tmp_path, picture))
    assert reading.changes == ()
    np.testing.assert_allclose(reading.image.astype(int), seven, atol=1)


@pytest.mark.parametrize("top", [1, 1.0, 255.0, 4095, 65535])
def test_pictures_of_other_ranges(tmp_path: Path, seven: Bytes, top: float) -> None:
    """Fractions up to 1, and whole numbers of 1, 12 and 16 bits, as cameras and scanners write them."""
    shares = (seven > 60) if top == 1 and isinstance(top, int) else seven / 255
    values = (shares * top).astype(np.float32) if isinstance(top, float) else np.rint(shares * top).astype(np.uint16)
    reading = _only(_saved(tmp_path, Image.fromarray(values), "picture.tiff"))
    assert reading.changes == ()
    np.testing.assert_allclose(reading.image.astype(int), 255 * shares, atol=1)


def test_numbers_of_no_usual_range_are_stretched_over_what_is_there(tmp_path: Path, seven: Bytes) -> None:
    values = seven.astype(np.float32) * 1000 - 70000
    reading = _only(_saved(tmp_path, Image.fromarray(values), "picture.tiff"))
    np.testing.assert_allclose(reading.image.astype(int), seven * (255 / seven.max()), atol=1)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_pixels_that_are_no_numbers(tmp_path: Path, seven: Bytes, number: float) -> None:
    values = seven.astype(np.float32)
    values[3, 4] = number
    path = _saved(tmp_path, Image.fromarray(values), "picture.tiff")
    with pytest.raises(InputError, match="it has pixels that are not finite numbers"):
        _only(path)


@pytest.mark.parametrize("ink", ["yellow", "cyan", "red", "blue", "magenta", "black"])
def test_the_colour_of_the_ink_does_not_matter(tmp_path: Path, seven: Bytes, ink: str) -> None:
    page = Image.new("RGB", SIZE, "white")
    page.paste(Image.new("RGB", SIZE, ink), mask=Image.fromarray(seven))
    reading = _only(_saved(tmp_path, page))
    assert reading.changes == ("dark on light: inverted",)
    np.testing.assert_allclose(reading.image.astype(int), seven, atol=2)


def test_pale_ink_is_as_strong_as_black(tmp_path: Path, seven: Bytes) -> None:
    page = 255 - seven // 3
    reading = _only(_saved(tmp_path, Image.fromarray(page)))
    assert reading.changes[-1] == f"background brightness 255, contrast {seven.max() // 3}: stretched to 0 and 255"
    np.testing.assert_allclose(reading.image.astype(int), seven * (255 / seven.max()), atol=4)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_the_camera_was_held(tmp_path: Path, seven: Bytes, orientation: int) -> None:
    """Turned by each of EXIF's eight orientations in turn, and back by what is read."""
    undo = {
        1: lambda page: page,
        2: lambda page: page[:, ::-1],
        3: lambda page: page[::-1, ::-1],
        4: lambda page: page[::-1],
        5: lambda page: page.T,
        6: lambda page: np.rot90(page),
        7: lambda page: page[::-1, ::-1].T,
        8: lambda page: np.rot90(page, -1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(undo[orientation](seven)))
    stored.save(tmp_path / "picture.png", exif=exif)
    np.testing.assert_array_equal(_only(str(tmp_path / "picture.png")).image, seven)


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    """The header says 8,000 x 8,000; the rest of the file is that of a small picture."""
    small = bytearray(_png())
    small[16:24] = (8_000).to_bytes(4, "big") * 2
    small[29:33] = zlib.crc32(small[12:29]).to_bytes(4, "big")
    (tmp_path / "large.png").write_bytes(small)
    with pytest.raises(InputError, match="8,000 x 8,000 pixels; a picture may have 50,000,000"):
        _only(str(tmp_path / "large.png"))


def test_black_on_nothing_is_black_on_white(tmp_path: Path, seven: Bytes) -> None:
    picture = Image.new("RGBA", SIZE, "black")
    picture.putalpha(Image.fromarray(seven))
    reading = _only(_saved(tmp_path, picture))
    assert reading.changes == ("dark on light: inverted",)
    np.testing.assert_allclose(reading.image.astype(int), seven, atol=1)


def test_light_on_nothing_is_light_on_black(tmp_path: Path, seven: Bytes) -> None:
    picture = Image.new("RGBA", SIZE, "white")
    picture.putalpha(Image.fromarray(seven))
    reading = _only(_saved(tmp_path, picture))
    assert reading.changes == ()
    np.testing.assert_allclose(reading.image.astype(int), seven, atol=1)


@pytest.mark.parametrize(("ground", "ink"), [(190, 30), (220, 20), (130, 60), (60, 255), (80, 200), (215, 0)])
def test_a_grey_page_is_taken_for_its_ground(tmp_path: Path, seven: Bytes, ground: int, ink: int) -> None:
    """Whatever the page and the ink, the same digit is read, as strong as it can be."""
    shares = np.where(seven > 60, seven, 0) / seven.max()
    page = np.rint(ground + (ink - ground) * shares).astype(np.uint8)
    reading = _only(_saved(tmp_path, Image.fromarray(page)))
    said = f"background brightness {ground}, contrast {abs(ground - ink)}: stretched to 0 and 255"
    assert reading.changes == (("dark on light: inverted",) if ink < ground else ()) + (said,)
    np.testing.assert_allclose(reading.image.astype(int), 255 * shares, atol=255 / abs(ground - ink) + 1)


@pytest.mark.parametrize("name", ["a.gif", "a.tiff", "a.png"])
def test_the_first_frame_of_several_is_read(tmp_path: Path, seven: Bytes, name: str) -> None:
    first, second = Image.fromarray(seven), Image.new("L", (28, 28))
    first.save(tmp_path / name, save_all=True, append_images=[second, Image.new("L", (28, 28), 9)])
    found = _only(str(tmp_path / name))
    assert found.changes == ("the first of 3 frames",)
    np.testing.assert_array_equal(found.image, seven)


@pytest.mark.parametrize("ground", [0, 128, 255])
def test_a_page_with_nothing_on_it(tmp_path: Path, ground: int) -> None:
    page = np.full((60, 50), ground, np.uint8)
    page[30, 20] = ground + 20 if ground < 200 else ground - 20  # dust
    reading = _only(_saved(tmp_path, Image.fromarray(page)))
    assert "nothing is drawn on it" in reading.changes
    assert not reading.image.any()


def test_other_sizes_are_cut_out_resized_and_centred(tmp_path: Path, seven: Bytes) -> None:
    """The digit somewhere on a large white page comes out where and as large as MNIST has it."""
    page = np.full((400, 300), 255, np.uint8)
    large = np.asarray(Image.fromarray(seven).resize((140, 140), Image.Resampling.BILINEAR))
    page[10:150, 150:290] -= np.where(large > 60, large, 0)
    reading = _only(_saved(tmp_path, Image.fromarray(page)))
    assert reading.changes == ("dark on light: inverted", "300 pixels wide, 400 high: resized and centred")
    image = reading.image.astype(float)
    assert image.shape == SIZE
    rows, columns = np.flatnonzero((image > 20).any(axis=1)), np.flatnonzero((image > 20).any(axis=0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in (19, 20)
    mass = image / image.sum()
    assert abs(mass.sum(axis=1) @ np.arange(28) - 13.5) < 0.6
    assert abs(mass.sum(axis=0) @ np.arange(28) - 13.5) < 0.6


def test_centring_keeps_what_is_drawn_inside_and_leaves_an_empty_page_empty() -> None:
    bar = np.zeros((100, 40), np.uint8)
    bar[:, 3] = 200  # all of its mass at the side
    bar[0, :] = 60
    result = centred(bar, (20, 30))
    assert result.shape == (20, 30)
    assert 0 < (result > 20).any(axis=1).sum() <= 15
    assert not centred(np.zeros((50, 40), np.uint8), SIZE).any()


def test_the_images_of_an_idx_file(tmp_path: Path) -> None:
    data = digits(3)
    (tmp_path / "some").write_bytes(idx_bytes(data.images))
    readings = list(read_inputs(str(tmp_path / "some"), SIZE))
    assert [reading.name for reading in readings] == [f"{tmp_path}/some[{i}]" for i in range(3)]
    np.testing.assert_array_equal([reading.image for reading in readings], data.images)
    with pytest.raises(InputError, match="some: images of 28x28 pixels; the model reads 28x32"):
        list(read_inputs(str(tmp_path / "some"), (28, 32)))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "neither an IDX file nor a picture"),
        (b"not a picture\n", "neither an IDX file nor a picture"),
        (_png()[:-30], "neither an IDX file nor a picture"),
        (idx_bytes(np.zeros((2, 28, 28), np.uint8))[:-1], "truncated: 1,567 bytes"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(InputError, match=said) as error:
        _only(str(tmp_path / "file"))
    assert str(error.value).startswith(f"{tmp_path}/file: ")


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none cannot be read: no such file"):
        _only(str(tmp_path / "none"))
    with pytest.raises(InputError, match="cannot be read: is a directory"):
        _only(str(tmp_path))


def test_pictures_without_pillow(tmp_path: Path, seven: Bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _saved(tmp_path, Image.fromarray(seven))
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(InputError, match=re.escape('pictures need Pillow: pip install "seqtree[images]"')):
        _only(path)
    (tmp_path / "some").write_bytes(idx_bytes(seven[None]))
    np.testing.assert_array_equal(_only(str(tmp_path / "some")).image, seven)


# --- drawing


def test_filters_side_by_side() -> None:
    filters = np.zeros((5, 2, 3), np.float32)
    filters[0, 0, 0], filters[1, 1, 2], filters[1, 0, 0] = 4.0, -2.0, 1.0
    tiles = tiled(filters)
    assert tiles.shape == (3 * 3 + 1, 2 * 4 + 1, 3)  # two in a row, a line around each
    red, blue, pale, white = [255, 0, 0], [0, 0, 255], [255, 128, 128], [255, 255, 255]
    assert tiles[1:3, 1:4].tolist() == [[red, white, white], [white, white, white]]
    assert tiles[1:3, 5:8].tolist() == [[pale, white, white], [white, white, blue]]
    assert (tiles[0] == tiles[3]).all()
    assert (tiles[7:9, 5:8] == tiles[0, 0]).all()  # no sixth one


@pytest.mark.parametrize(
    "config",
    [ImageNetworkConfig("conv 5x3, full 9"), ImageNetworkConfig("full 90"), ImageNetworkConfig(cell="rnn", hidden=4)],
)
def test_the_picture_of_a_classifier(config: ImageNetworkConfig) -> None:
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    data = digits(60)
    names = ["<&>", *"123456789"]
    model = ImageClassifier.over(data, names, config)
    with pytest.raises(InputError, match=r"^images of float64; expected uint8, from 0 for black to 255 for white$"):
        model.predict(data.images / 255)
    measured = evaluate(model, data)
    filters = model.network.filters().numpy()
    made, caption = measured.picture(filters=filters)
    drawn = ET.fromstring(made)
    texts = {element.text for element in drawn.iter(f"{SVG}text")}
    right = sum(row[i] for i, row in enumerate(measured.confusion))
    assert {f"60 images, {right / 60:.2%} right", "first weights: red above zero, blue below", *names} <= texts
    assert caption == f"confusion of 60 images, {right / 60:.2%} right"
    assert {f"{name}  ({sum(row)})" for name, row in zip(names, measured.confusion, strict=True)} <= texts
    images = [one.attrib["{http://www.w3.org/1999/xlink}href"] for one in drawn.iter(f"{SVG}image")]
    pixels = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(one.split(",")[1]))).convert("RGB")).reshape(-1, 3)
        for one in images
    ]
    colours = np.unique(tiled(filters[:MAX_FILTERS]).reshape(-1, 3), axis=0)
    assert any({*map(tuple, colours.tolist())} >= {*map(tuple, np.unique(one, axis=0).tolist())} for one in pixels)
