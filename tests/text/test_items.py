"""Labelled texts as a corpus of items: their lines, classes and sizes, what is held out, and what is refused."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, strategies as st

from seqtree.errors import InputError
from seqtree.text.config import TextSettings
from seqtree.text.corpus import beginning
from seqtree.text.documents import line_bounds
from seqtree.text.items import BREAK, as_line, encode_items, held_out_items, part_of_line, prepare_items
from seqtree.text.labelled import Labelled
from seqtree.text.lexicon import LabelSet
from seqtree.text.vocabulary import Vocabulary

CHAR, WORD = TextSettings(documents="lines"), TextSettings(unit="word", documents="lines")


def _items(*pairs: tuple[str, str]) -> list[Labelled]:
    return [Labelled(label, text, f"f.tsv:{i}") for i, (label, text) in enumerate(pairs, 1)]


SOME = _items(("x", "a b\nc"), ("y", "b b"), ("x", "\na\r\n\r\nb\n"))


@pytest.mark.parametrize(("settings", "gap"), [(CHAR, BREAK), (WORD, f" {BREAK} ")])
def test_every_text_is_one_line_beside_its_class(settings: TextSettings, gap: str) -> None:
    corpus = prepare_items(SOME, [], settings)
    assert corpus.classes == ("x", "y")
    assert corpus.train.labels is not None
    assert corpus.train.labels.tolist() == [0, 1, 0]
    assert corpus.valid is None
    text = corpus.vocabulary.join(corpus.vocabulary.decode(corpus.train.ids))
    gap = gap if settings.unit == "char" else gap.replace("  ", " ")
    lines = [f"a b{gap}c", "b b", f"a{gap}{gap}b"]
    assert text.split("\n") == [*(" ".join(line.split()) if settings.unit == "word" else line for line in lines), ""]
    sizes = [len("a b\nc\n"), len("b b\n"), len("a\n\nb\n")]  # as written, not as encoded
    assert (corpus.train.characters, corpus.train.bytes) == (sum(sizes), sum(sizes))


def test_parts_of_a_text_keep_their_line_ends() -> None:
    assert part_of_line("a\r\n", "char") == f"a{BREAK}"
    assert as_line("a\r\n", "char") == "a"


@given(
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=60),
    st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9]),
    st.sampled_from(["ends", "spread", "lines"]),
)
def test_what_is_held_out_leaves_every_class_to_learn(labels: list[str], share: float, valid_from: str) -> None:
    items = _items(*((label, str(i)) for i, label in enumerate(labels)))
    training, valid = held_out_items(items, share, valid_from)
    assert sorted([*training, *valid], key=lambda item: int(item.text)) == items  # none lost, none twice
    assert {item.label for item in training} == set(labels)
    rounding = 10 if valid_from == "spread" else 1  # in each of ten parts
    assert len(valid) <= share * len(items) + rounding
    if min(Counter(labels).values()) > len(items) // 2:
        assert len(valid) >= int(share * len(items)) - rounding


def test_held_out_lines_are_those_of_a_text() -> None:
    items = _items(*(("a", str(i)) for i in range(20)))
    assert [item.text for item in held_out_items(items, 0.1, "lines")[1]] == ["9", "19"]
    assert [item.text for item in held_out_items(items, 0.1, "ends")[1]] == ["18", "19"]
    assert [item.text for item in held_out_items(items, 0.5, "spread")[1]] == [str(i) for i in range(1, 20, 2)]
    assert [item.text for item in held_out_items(items, 0.1, "spread")[1]] == ["9", "19"]
    assert [item.text for item in held_out_items(items[:15], 0.1, "spread")[1]] == ["14"]
    in_turn = _items(*((str(i % 10), str(i)) for i in range(200)))
    assert Counter(item.label for item in held_out_items(in_turn, 0.1, "lines")[1]) == Counter("0123456789" * 2)


def test_validation_items_come_in_a_random_order_with_their_own_classes() -> None:
    valid = _items(*(("a" if i < 50 else "b", "ab"[i >= 50] * 3) for i in range(100)))
    corpus = prepare_items(valid, valid, CHAR)
    assert corpus.valid is not None
    assert corpus.valid.labels is not None
    first = beginning(corpus.valid, 40, corpus.vocabulary)
    assert first.labels is not None
    assert sorted(set(first.labels.tolist())) == [0, 1]
    bounds = line_bounds(first.ids, corpus.vocabulary.end)
    assert len(first.labels) == len(bounds) - 1
    letters = [corpus.vocabulary.tokens[first.ids[begin]] for begin in bounds[:-1].tolist()]
    assert letters == ["ab"[label] for label in first.labels.tolist()]


def test_classes_and_words_are_those_of_training_or_known_before() -> None:
    grown = Vocabulary.build(Counter("zz"), "char")
    corpus = prepare_items(SOME, [], CHAR, grown, ("w", "y"))
    assert corpus.classes == ("w", "y", "x")
    assert corpus.vocabulary.tokens[: len(grown)] == grown.tokens
    with pytest.raises(InputError, match=r"^f\.tsv:1: unknown class 'q', expected one of x, y$"):
        prepare_items(SOME, _items(("q", "a")), CHAR)
    other = prepare_items(SOME, [], CHAR).fingerprint, prepare_items(SOME[:2], SOME[2:], CHAR).fingerprint
    assert len({*other, corpus.fingerprint, prepare_items(SOME, [], WORD).fingerprint}) == 3


def test_a_text_with_the_mark_of_its_end_is_named() -> None:
    items = _items(("x", "a b"), ("y", "a </s> b"))
    corpus = prepare_items(items, [], CHAR)  # to characters it is no mark
    assert len(corpus.train) == len("a b\na </s> b\n")
    with pytest.raises(InputError, match=r"^f\.tsv:2: the text holds '</s>', which is the model's own mark"):
        encode_items(items, Vocabulary.build(Counter("ab"), "word"), WORD, LabelSet(["x", "y"]))
