"""Blocks of a text, each by itself: the same counts and indices as of the whole, by one process or by several."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st

from seqtree import processes
from seqtree.text import blocks
from seqtree.text.blocks import count_words, encoded, encoding_processes
from seqtree.text.config import TextSettings
from seqtree.text.documents import leaves_open, token_reader
from seqtree.text.tokenizers import line_blocks
from seqtree.text.vocabulary import Vocabulary

SETTINGS = [
    TextSettings(),
    TextSettings(documents="lines"),
    TextSettings(unit="word"),
    TextSettings(unit="word", tokenizer="treebank"),
]
TEXT = '\n\nthe cat sat, on the mat.\n  \na "dog" ran\n\n' * 20 + "no end"
WORDS = Vocabulary.build({"the": 4, "cat": 3, "a": 2, "dog": 1}, "word")


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@given(text=st.text('a b\n\t\x1c."', min_size=1), cuts=st.lists(st.integers(0, 40)))
def test_how_a_block_ends_is_known_without_its_tokens(settings: TextSettings, text: str, cuts: list[int]) -> None:
    bounds = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[first:last] for first, last in pairwise(bounds)]
    if settings.unit == "word":
        pieces = [*line_blocks(pieces)]
    reader, opened = token_reader(settings), False
    for piece in pieces:
        assert [*token_reader(settings, opened).feed(piece)] == [*reader.feed(piece)]
        opened = leaves_open(piece, opened, settings)
    assert [*token_reader(settings, opened).finish()] == [*reader.finish()]


@pytest.mark.parametrize("settings", SETTINGS[2:], ids=str)
def test_several_processes_make_the_same(settings: TextSettings) -> None:
    pieces = [*line_blocks(TEXT[i : i + 50] for i in range(0, len(TEXT), 50))]
    parts = [(number // 8, piece) for number, piece in enumerate(pieces)]
    alone, shared = ([*encoded(parts, WORDS, settings, count)] for count in (1, 2))
    assert [(one.part, one.unknown, one.characters, one.bytes) for one in shared] == [
        (one.part, one.unknown, one.characters, one.bytes) for one in alone
    ]
    assert all(np.array_equal(one.ids, other.ids) for one, other in zip(alone, shared, strict=True))
    assert sum(one.characters for one in alone) == len(TEXT)
    expected = Counter([*token_reader(settings).feed(TEXT), "</s>"])
    assert count_words(pieces, settings.tokenizer) == count_words(pieces, settings.tokenizer, 2) == expected


def test_processes_are_started_for_much_text_by_a_command_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "cores", lambda: 64)
    monkeypatch.setattr(processes, "alone", True)
    assert encoding_processes(SETTINGS[2], blocks.SHARED) == blocks.MOST
    assert encoding_processes(SETTINGS[2], blocks.SHARED - 1) == 1
    assert encoding_processes(SETTINGS[0], blocks.SHARED) == 1
    monkeypatch.setattr(processes, "alone", False)
    assert encoding_processes(SETTINGS[2], blocks.SHARED) == 1
