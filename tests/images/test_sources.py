"""Folders of pictures, a class each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from image_helpers import write_part, write_pictures
from PIL import Image

from seqtree.errors import InputError
from seqtree.images.data import ImageSet
from seqtree.images.evaluation import evaluate
from seqtree.images.generated import digits
from seqtree.images.model import ImageClassifier
from seqtree.images.sources import read_set
from seqtree.images.task import ImageTask
from seqtree.training.progress import Display

QUIET = Display(quiet=True)


def _read(folder: Path, **options: object) -> ImageSet:
    return ImageTask.read([str(folder)], ImageTask.resolve({"valid_share": 0, **options}), QUIET).training


def test_pictures_in_folders_are_the_images_that_were_written(tmp_path: Path) -> None:
    data = digits(40)
    data = ImageSet(np.where(data.images > 100, 255, 0).astype(np.uint8), data.labels)  # nothing of it is stretched
    write_pictures(tmp_path, data)
    (tmp_path / "3" / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden").mkdir()
    Image.new("L", (9, 9)).save(tmp_path / ".hidden" / "a.png")
    read = read_set(tmp_path, "train")
    assert read.names == tuple("0123456789")
    order = np.argsort(data.labels, kind="stable")
    assert (read.images == data.images[order]).all()
    assert (read.labels == data.labels[order]).all()


def test_classes_with_whole_numbers_for_names_stand_in_their_order(tmp_path: Path) -> None:
    """So that a model of them can be measured on IDX files, where classes have numbers only."""
    labels = np.array([0, 2, 10, 9], np.uint8)
    images = np.full((4, 28, 28), 200, np.uint8) * (np.arange(28) > 14)
    write_pictures(tmp_path, ImageSet(images.astype(np.uint8), labels))
    assert read_set(tmp_path, "train").names == ("0", "2", "9", "10")


def test_a_folder_for_each_part(tmp_path: Path) -> None:
    data = digits(30)
    write_pictures(tmp_path / "train", data[:20])
    write_pictures(tmp_path / "test", data[20:])
    assert [len(read_set(tmp_path, part)) for part in ("train", "test")] == [20, 10]
    write_part(tmp_path, "train", data[:5])
    assert len(read_set(tmp_path, "train")) == 5  # files of the usual names come first


@pytest.mark.parametrize("name", ["valid", "val", "validation", "dev"])
def test_pictures_to_validate_on_may_be_beside_those_to_learn_from(name: str, tmp_path: Path) -> None:
    """Of other sizes, and of some of the classes, which go by their names."""
    data = digits(60)
    write_pictures(tmp_path / "train", data[:40])
    later = data[40:]
    write_pictures(tmp_path / name, later[later.labels > 4])
    read = ImageTask.read([str(tmp_path)], ImageTask.resolve({"size": 20}), QUIET)
    assert (len(read.training), read.held_out, read.training.size) == (40, False, (20, 20))
    assert read.valid is not None and read.valid.size == (20, 20)
    named = [read.names[number] for number in read.valid.numbered(read.names)]
    assert sorted(named) == sorted(str(label) for label in later.labels if label > 4)


def test_a_share_is_held_out_where_it_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for part in ("train", "val"):
        write_pictures(tmp_path / part, digits(40))
    read = ImageTask.read([str(tmp_path)], ImageTask.resolve({"valid_share": 0.25}), Display())
    assert (len(read.training), read.held_out) == (30, True)
    assert f"{tmp_path / 'val'} is not read: --valid-share" in capsys.readouterr().err
    none = ImageTask.read([str(tmp_path)], ImageTask.resolve({"valid_share": 0}), QUIET)
    assert (len(none.training), none.valid, none.held_out) == (40, None, False)


def test_a_folder_to_validate_on_that_is_refused(tmp_path: Path) -> None:
    write_pictures(tmp_path / "train", digits(40))
    (tmp_path / "val").mkdir()
    with pytest.raises(InputError, match=r"val: holds no folder of pictures; expected one for each class, as train"):
        _read(tmp_path, valid_share=None)
    write_pictures(tmp_path / "val", digits(40))
    (tmp_path / "val" / "0").rename(tmp_path / "val" / "cat")
    with pytest.raises(InputError, match=r"val.cat: no such class is learned; expected 0, 1, 2"):
        _read(tmp_path, valid_share=None)


def test_pictures_get_a_size(tmp_path: Path) -> None:
    picture = Image.new("RGB", (60, 90), "white")
    picture.paste("black", (20, 20, 30, 80))
    for name in ("bar", "stroke"):
        (tmp_path / name).mkdir()
        picture.save(tmp_path / name / "a.JPG")
    assert _read(tmp_path).size == (28, 28)
    read = _read(tmp_path, size=16)
    assert (read.size, len(read)) == ((16, 16), 2)
    assert read.images[0].max() > 200  # light on dark
    assert read.images[0][0].max() == 0
    assert (read.images[0] == read.images[1]).all()


def test_labels_of_a_model_are_found_by_name(tmp_path: Path) -> None:
    data = digits(30)
    letters = ImageSet(data.images, data.labels, "letters", tuple("abcdefghij"))
    write_pictures(tmp_path, letters[data.labels > 4])
    classifier = ImageClassifier.untrained(data, "jihgfedcba", plan="full 4")
    read = read_set(tmp_path, "test")
    assert read.names == tuple("fghij")
    assert {classifier.classes[number] for number in read.numbered(classifier.classes)} == set("fghij")
    measured = evaluate(classifier, read)
    assert [sum(row) > 0 for row in measured.confusion] == [True] * 5 + [False] * 5
    with pytest.raises(InputError, match="does not know the class 'f'; expected a, b, c"):
        read.numbered("abc")


def test_numbers_for_labels_are_the_names_of_classes_that_are_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """IDX files have numbers, and folders may be named by them, not all of them from 0."""
    data = digits(60)
    some = data[(data.labels > 1) & (data.labels < 9)]
    classes = ("2", "3", "4", "5", "6", "7", "8", "9")
    assert [classes[number] for number in some.numbered(classes)] == [str(label) for label in some.labels]
    places = data[data.labels < 8]
    assert (places.numbered(classes, by_place=True) == places.labels).all()
    assert not capsys.readouterr().err
    assert (places.numbered(classes) == places.labels).all()  # as earlier files were, whose classes were named so
    assert "no class is named 0, so labels are places: 0 is the class '2'" in capsys.readouterr().err
    with pytest.raises(InputError, match="a label 1; the model knows the classes 2, 3, 4"):
        data.numbered(classes)
    assert (some.numbered("abcdefghij") == some.labels).all()  # places, where names are no numbers
    assert some.new_classes(("2", "3")) == ["4", "5", "6", "7", "8"]
    assert some.new_classes(("cat", "dog", "cow")) == ["3", "4", "5", "6", "7", "8"]
    named = ImageSet(data.images, data.labels, names=tuple("abcdefghij"))
    assert named.new_classes("jihgf") == list("abcde")


def test_classes_that_were_named_by_numbers_keep_their_places(tmp_path: Path) -> None:
    data = digits(60)
    names = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "0")
    write_part(tmp_path / "idx", "train", data)
    write_part(tmp_path / "idx", "t10k", data)
    recipe = ImageTask.resolve({"names": (",".join(names),), "preset": "mlp", "epochs": 0.1, "valid_share": 0.1})
    task = ImageTask.over(ImageTask.read([str(tmp_path / "idx")], recipe, QUIET), recipe, QUIET)
    assert (task.labels.numpy() == task.data.training.labels).all()
    task.model.save(tmp_path / "m.safetensors")
    model, test = ImageClassifier.load(tmp_path / "m.safetensors"), read_set(tmp_path / "idx", "test")
    assert (model.numbers(test) == test.labels).all()
    bare = ImageClassifier(model.classes, model.network)
    assert [names[number] for number in bare.numbers(test)] == [str(label) for label in test.labels]


def test_what_is_not_read_beside_the_parts_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for part in ("train", "test", "dev", "valid", ".git"):
        write_pictures(tmp_path / part, digits(20))
    read_set(tmp_path, "train")
    said = f"{tmp_path / 'dev'} is not read: pictures are those in train, valid and test"
    assert said in capsys.readouterr().err


def test_a_folder_without_parts_is_read_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pictures(tmp_path, digits(20))
    assert len(read_set(tmp_path, "train")) == 20 and not capsys.readouterr().err
    assert len(read_set(tmp_path, "test")) == 20
    assert f"{tmp_path}: has no folder test/, so all of its pictures are read" in capsys.readouterr().err


def test_pictures_further_down_make_no_class(tmp_path: Path) -> None:
    """A folder of such folders, given by mistake, has no classes; it is not taken for two."""
    for part in ("training", "testing"):
        write_pictures(tmp_path / part, digits(20))
    with pytest.raises(InputError, match="and no folder of pictures"):
        read_set(tmp_path, "train")


def test_what_is_no_class_and_what_shows_nothing_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pictures(tmp_path, digits(20))
    (tmp_path / "empty").mkdir()
    for name in "ab":
        Image.new("L", (40, 40), 255).save(tmp_path / "0" / f"{name}.png")
    (tmp_path / "0" / "deep").mkdir()
    for name in ("deep/c.png", "notes.md", ".hidden.md"):
        (tmp_path / "0" / name).write_text("")
    assert "empty" not in read_set(tmp_path, "train").names
    said = capsys.readouterr().err
    more = "is not read, nor is one more: it is no picture, or not directly in the folder of a class"
    assert f"{tmp_path / '0' / 'deep' / 'c.png'} {more}" in said
    assert f"{tmp_path / 'empty'}: no picture in it, so it is no class" in said
    assert f"{tmp_path / '0' / 'a.png'}: nothing is drawn on it, nor on 1 other" in said


def test_folders_that_are_refused(tmp_path: Path) -> None:
    write_pictures(tmp_path / "one", digits(20)[np.arange(20) == 0])
    write_pictures(tmp_path / "ten", digits(20))
    with pytest.raises(InputError, match=r"one: every picture is of class '.'; expected two classes or more"):
        _read(tmp_path / "one")
    with pytest.raises(InputError, match="labels some: a folder is a class in"):
        _read(tmp_path / "ten", labels="some")
    with pytest.raises(InputError, match="names a, b: a folder is a class in"):
        _read(tmp_path / "ten", names=("a,b",))
    write_part(tmp_path / "idx", "train", digits(20))
    with pytest.raises(InputError, match=r"size 32: .* have a size of their own; it is for pictures"):
        _read(tmp_path / "idx", size=32)
    (tmp_path / "ten" / "0" / "broken.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"broken.png: neither an IDX file nor a picture that can be read"):
        _read(tmp_path / "ten")
