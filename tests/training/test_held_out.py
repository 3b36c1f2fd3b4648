"""Items held out of training: as many from each class as it has of all, in whatever order they come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

import seqtree
from seqtree.classification.task import ClassifyTask
from seqtree.images.data import ImageSet
from seqtree.images.task import _split
from seqtree.training.batches import evenly_by_class, spread_out
from seqtree.training.progress import Display

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
    assert said == ["1 of 3 classes have one text only: rare"]


@pytest.mark.parametrize(
    ("texts", "options", "told"), [(40, {}, True), (400, {}, False), (40, {"valid_share": 0}, False)]
)
def test_that_few_were_held_out_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], texts: int, options: dict[str, float], told: bool
) -> None:
    (tmp_path / "texts.tsv").write_text("".join(f"{'ab'[i % 2]}\tword {i}\n" for i in range(texts)))
    sizes = {"hidden": 4, "words": 4, "characters": 4, "ngrams": 0, "character_ngrams": 0}
    seqtree.train("classify", tmp_path / "texts.tsv", out=tmp_path / "run", epochs=0.1, **sizes, **options)
    said = "figures of 4 held-out items say little; --valid-share 0 learns from all of them"
    assert (said in capsys.readouterr().err) == told


def test_images_that_come_class_by_class_in_turn() -> None:
    labels = np.arange(200) % 10
    training, valid = _split(ImageSet(np.zeros((200, 28, 28), np.uint8), labels), 0.1)
    assert valid is not None
    assert Counter(valid.labels.tolist()) == dict.fromkeys(range(10), 2)
    assert Counter(training.labels.tolist()) == dict.fromkeys(range(10), 18)
