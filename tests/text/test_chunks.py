"""Chunks and the schemes in which tags write them."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, strategies as st

from seqtree.errors import InputError
from seqtree.text.chunks import SCHEMES, Chunk, chunks, may_follow, parts, scheme_of, tags_of


@st.composite
def sentences(draw: st.DrawFn) -> tuple[int, list[Chunk]]:
    """A length, and chunks in order and apart."""
    found, place = [], 0
    for _ in range(draw(st.integers(0, 5))):
        start = place + draw(st.integers(0, 2))
        place = start + draw(st.integers(1, 4))
        found.append(Chunk(start, place, draw(st.sampled_from(["X", "Y-Z", "né"]))))
    return place + draw(st.integers(0, 2)), found


@given(sentences(), st.sampled_from(list(SCHEMES)))
def test_chunks_come_back_from_every_scheme(sentence: tuple[int, list[Chunk]], scheme: str) -> None:
    length, found = sentence
    assert chunks(tags_of(found, length, scheme)) == found


@given(sentences())
def test_what_is_written_in_bioes_may_stand_there(sentence: tuple[int, list[Chunk]]) -> None:
    length, found = sentence
    tags = [None, *tags_of(found, length, "bioes"), None]
    assert all(may_follow(a, b) for a, b in itertools.pairwise(tags))


@pytest.mark.parametrize(
    ("before", "tag"),
    [(None, "I-X"), ("O", "E-X"), ("B-X", "O"), ("B-X", "I-Y"), ("I-X", None), ("E-X", "I-X"), ("S-X", "E-X")],
)
def test_what_may_not_follow(before: str | None, tag: str | None) -> None:
    assert not may_follow(before, tag)


@pytest.mark.parametrize(
    ("sentences", "scheme"),
    [
        ([["B-X", "I-X", "O"], ["O", "I-X"]], "iob2"),  # one mistake does not make it IOB1
        ([["I-X", "I-X", "B-X", "O"]], "iob1"),
        ([["B-X", "E-X", "O"]], "bioes"),
        ([["B-X", "I-X", "L-X", "U-Y"]], "bilou"),
        ([["B", "E", "S"], ["B", "M", "E"]], "bmes"),
        ([["B-X"]], "iob2"),
        ([["B", "I", "O"]], "iob2"),
        ([["O", "O"]], None),
        ([["NN", "O"]], None),
        ([["B", "B-X"]], None),
        ([], None),
    ],
)
def test_schemes_are_found(sentences: list[list[str]], scheme: str | None) -> None:
    assert scheme_of(sentences) == scheme


def test_sequences_that_no_scheme_allows_are_read() -> None:
    assert chunks(["I-X", "I-Y", "E-Y", "I-Y", "O", "E-X"]) == [
        Chunk(0, 1, "X"),
        Chunk(1, 3, "Y"),
        Chunk(3, 4, "Y"),
        Chunk(5, 6, "X"),
    ]


def test_parts_of_a_tag() -> None:
    assert parts("B-a-b") == ("B", "a-b")
    assert parts("B-") is None
    assert parts("BX") is None


def test_an_unknown_scheme() -> None:
    with pytest.raises(InputError, match="expected one of iob1, iob2, bioes"):
        tags_of([], 1, "iob3")


def test_chunks_are_those_of_seqeval() -> None:
    entities = pytest.importorskip("seqeval.metrics.sequence_labeling", exc_type=ImportError).get_entities
    generator = random.Random(0)
    for prefixes in ("BI", "BIES"):
        tags = ["O", *(f"{prefix}-{kind}" for prefix in prefixes for kind in "XY")]
        for _ in range(3000):
            sentence = generator.choices(tags, k=generator.randint(1, 8))
            assert {(c.kind, c.start, c.end - 1) for c in chunks(sentence)} == set(entities(sentence)), sentence
