"""Items held out of training: as many from each class as it has of all, in whatever order they come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import seqtree
from seqtree.classification.task import ClassifyTask
from seqtree.images.data import ImageSet
from seqtree.images.task import _split
from seqtree.training.batches import at_most, evenly_by_class, spread_out
from seqtree.training.progress import Display

SIZES: dict[str, Any] = {"hidden": 4, "words": 4, "characters": 4, "ngrams": 0, "character_ngrams": 0, "epochs": 0.1}
ORDERS: list[Callable[[int], int]] = [lambda i: i % 10, lambda i: i // 60, lambda i: i * 7 % 10]


@given(st.lists(st.sampled_from("abcd"), max_size=60), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9]), st.integers(1, 70))
def test_every_class_is_left_to_learn(classes: list[str], share: float, most: int) -> None:
    chosen = evenly_by_class(classes, share, most)
    assert chosen == sorted(set(chosen))
    assert {label for i, label in enumerate(classes) if i not in chosen} == set(classes)
    assert len(chosen) == min(most, round(share * len(classes)), len(classes) - len(set(classes)))
    for label, count in Counter(classes[i] for i in chosen).items():
        others = len(classes) - len(set(classes))
        assert abs(count - len(chosen) * (classes.count(label) - 1) / others) < 1


@pytest.mark.parametrize("order", ORDERS)
def test_classes_in_turn_sorted_or_mixed(order: Callable[[int], int]) -> None:
    items = [(order(i), i) for i in range(600)]
    training, valid = spread_out(items, 0.1, 1000, lambda item: item[0])
    assert sorted([*training, *valid], key=lambda item: item[1]) == items
    assert set(Counter(label for label, _ in valid).values()) == {6}


def test_too_many_items_to_validate_on_are_thinned_out_evenly() -> None:
    """Also the first of a class, which nothing has to be left of."""
    said: list[str] = []
    items = ["rare", *"ab" * 50]
    assert at_most(items, 200, "texts", said.append) == items and not said
    chosen = at_most(items, 11, "texts", said.append)
    assert chosen[0] == "rare" and len(chosen) == 11 and said == ["validating on 11 of 101 texts set apart"]
    assert at_most(list(range(10)), 5, "texts", said.append) == [0, 2, 4, 6, 8]


def test_a_class_of_one_item_is_learned_and_named(tmp_path: Path) -> None:
    lines = [f"{'ab'[i % 2]}\tword {i}\n" for i in range(20)]
    (tmp_path / "texts.tsv").write_text("".join(["rare\tonly one\n", *lines]))
    said: list[str] = []

    class Noted(Display):
        def warning(self, message: str) -> None:
            said.append(message)

    data = ClassifyTask.read([str(tmp_path / "texts.tsv")], ClassifyTask.resolve({}), Noted(quiet=True))
    assert Counter(item.label for item in data.training) == {"a": 9, "b": 9, "rare": 1}
    assert sorted(item.label for item in data.valid) == ["a", "b"]
    assert said == ["of 3 classes, 1 has one text only: rare"]


@pytest.mark.parametrize(
    ("texts", "options", "told"), [(40, {}, True), (400, {}, False), (40, {"valid_share": 0}, False)]
)
def test_that_few_were_held_out_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], texts: int, options: dict[str, float], told: bool
) -> None:
    (tmp_path / "texts.tsv").write_text("".join(f"{'ab'[i % 2]}\tword {i}\n" for i in range(texts)))
    seqtree.train("classify", tmp_path / "texts.tsv", out=tmp_path / "run", **SIZES, **options)
    said = "figures of 4 held-out items say little; --valid-share 0 learns from all of them"
    assert (said in capsys.readouterr().err) == told


@pytest.mark.parametrize(
    ("share", "told"),
    [(0.3, ""), (0.5, "warning: 5 of 10 validation items are in the training data, too: figures will look better")],
)
def test_items_that_are_in_both_parts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], share: float, told: str
) -> None:
    """More than a third of them: some short texts are in both parts of any data."""
    training = [f"{'ab'[i % 2]}\tword {i}\n" for i in range(20)]
    new = [f"{'ab'[i % 2]}\tnew {i}\n" for i in range(10)]
    (tmp_path / "train.tsv").write_text("".join(training))
    (tmp_path / "valid.tsv").write_text("".join([*training[: round(share * 10)], *new[round(share * 10) :]]))
    seqtree.train(
        "classify", tmp_path / "train.tsv", valid=[str(tmp_path / "valid.tsv")], **SIZES, out=tmp_path / "run"
    )
    said = capsys.readouterr().err
    assert told in said
    assert ("validation items" in said) == bool(told)


def test_pictures_that_are_copies_of_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("PIL", reason="the extra 'scenes' is not installed: pip install 'seqtree[scenes]'")
    from PIL import Image

    for name, shade in (("a", 0), ("b", 255)):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(10):
            Image.new("L", (8, 8), shade).save(tmp_path / "pictures" / name / f"{number}.png")
    seqtree.train("image", tmp_path / "pictures", valid_share=0.5, plan="full 4", epochs=0.1, out=tmp_path / "run")
    assert "validation items are in the training data, too" in capsys.readouterr().err


def test_texts_by_other_paths_to_the_same_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "text.txt").write_text("the cat sat on the mat\n" * 20)
    valid = tmp_path / "texts" / ".." / "text.txt"
    seqtree.train("lm", tmp_path / "text.txt", valid=[str(valid)], preset="tiny", epochs=0.1, out=tmp_path / "run")
    assert f"warning: {valid} is trained on, too" in capsys.readouterr().err
    inside = tmp_path / "texts" / "a.txt"
    inside.write_text("a dog ran to the man\n" * 20)
    for folder, told in ((tmp_path, True), (tmp_path / "other", False)):
        folder.mkdir(exist_ok=True)
        (folder / "b.txt").write_text("the man sat on a mat\n" * 20)
        seqtree.train("lm", folder, valid=(inside,), preset="tiny", epochs=0.1, out=tmp_path / folder.name / "run")
        assert (f"warning: {inside} is trained on, too" in capsys.readouterr().err) == told


@pytest.mark.parametrize("documents", ["text", "lines"])
@pytest.mark.parametrize("copied", [4, 12])
def test_lines_of_texts_that_are_copies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], documents: str, copied: int
) -> None:
    """Long ones; where lines are texts by themselves, any."""
    lines = [f"line {i} of a text that is long enough to be told from others\n" for i in range(60)]
    (tmp_path / "train.txt").write_text("".join(lines[:40]) + "short\n" * 5)
    (tmp_path / "valid.txt").write_text("".join(lines[40 - copied : 60 - copied]) + "short\n" * 5)
    given = {"valid": tmp_path / "valid.txt", "documents": documents, "preset": "tiny", "epochs": 0.1}
    seqtree.train("lm", tmp_path / "train.txt", out=tmp_path / "run", **given)
    all_lines = documents == "lines"
    told = f"warning: {copied + 5 * all_lines} of {20 + 5 * all_lines} validation items are in the training data, too"
    assert (told in capsys.readouterr().err) == (copied + 5 * all_lines > (20 + 5 * all_lines) / 3)


def test_images_that_come_class_by_class_in_turn() -> None:
    labels = np.arange(200) % 10
    training, valid = _split(ImageSet(np.zeros((200, 28, 28), np.uint8), labels), 0.1)
    assert valid is not None
    assert Counter(valid.labels.tolist()) == dict.fromkeys(range(10), 2)
    assert Counter(training.labels.tolist()) == dict.fromkeys(range(10), 18)
