"""Texts read in pieces side by side have the surprisals of those read token by token, or are read so."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from language_helpers import TEXT, model, nats

from seqtree.errors import InputError
from seqtree.language import pieces, validation
from seqtree.language.model import LanguageModel
from seqtree.language.pieces import LEAST, MOST, ROWS, WARM_UP, WINDOW, Pieces, plan
from seqtree.language.surprisals import in_windows, streamed_surprisals, surprisals
from seqtree.text.corpus import encode_text
from seqtree.text.tokenfile import TokenStream

LONG = TEXT * 20  # 12,640 characters


@pytest.fixture
def joined(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the pieces were joined, each time that this was asked."""
    found: list[bool] = []
    asked = Pieces.joined.fget
    assert asked is not None

    def noted(self: Pieces) -> bool:
        found.append(asked(self))
        return found[-1]

    monkeypatch.setattr(Pieces, "joined", property(noted))
    return found


def one_by_one(made: LanguageModel, ids: np.ndarray, details: bool = False) -> np.ndarray:
    windows = in_windows(ids)
    return torch.cat(list(streamed_surprisals(made.network, made.vocabulary, windows, details))).numpy()


def remembering() -> LanguageModel:
    """A network whose first unit writes at the start of a text or line alone, and holds that for ever."""
    made = model()
    with torch.no_grad():
        inputs, recurrent = made.network.embedding.weight, made.network.recurrent
        inputs[:, 0] = 0.0
        inputs[made.vocabulary.start, 0] = 1.0
        for gate, bias in enumerate((-30.0, 30.0, 1.0, 30.0)):
            row = gate * made.network.config.hidden
            recurrent.bias_ih_l0[row] = bias
            recurrent.weight_ih_l0[row] = recurrent.weight_hh_l0[row] = recurrent.bias_hh_l0[row] = 0.0
        recurrent.weight_ih_l0[0, 0] = 60.0
    return made


@pytest.mark.parametrize(
    "shape", [{}, {"layers": 2}, {"layers": 2, "hidden": 9, "embedding": 6, "tied": True}], ids=str
)
@pytest.mark.parametrize("unit", ["char", "word"])
def test_pieces_have_the_surprisals_of_token_by_token(shape: dict[str, Any], unit: str, joined: list[bool]) -> None:
    made = model(unit=unit, **shape)
    text = LONG if unit == "char" else LONG * 5
    ids = encode_text(text, made.vocabulary, made.settings).ids
    np.testing.assert_allclose(nats(made, ids), one_by_one(made, ids), rtol=1e-5, atol=1e-5)
    assert joined == [True]
    assert made.evaluate(text).loss == pytest.approx(one_by_one(made, ids).mean(dtype=np.float64), rel=1e-7)


def test_entropies_and_ranks_are_those_of_token_by_token(joined: list[bool]) -> None:
    made = model()
    ids = encode_text(LONG, made.vocabulary, made.settings).ids
    found = torch.cat(list(surprisals(made.network, made.vocabulary, ids, details=True))).numpy()
    expected = one_by_one(made, ids, details=True)
    np.testing.assert_allclose(found[:, :2], expected[:, :2], rtol=1e-5, atol=1e-5)
    assert np.count_nonzero(found[:, 2] != expected[:, 2]) <= 2  # of two tokens that are as likely
    assert joined == [True]


def test_a_long_text_is_read_in_several_rounds_of_pieces(monkeypatch: pytest.MonkeyPatch, joined: list[bool]) -> None:
    monkeypatch.setattr(pieces, "ROWS", 2)
    made = model()
    ids = encode_text(LONG, made.vocabulary, made.settings).ids
    np.testing.assert_allclose(nats(made, ids), one_by_one(made, ids), rtol=1e-5, atol=1e-5)
    assert len(ids) > 2 * MOST + 2 * LEAST
    assert joined == [True, True]


def test_pieces_that_are_not_joined_are_read_again_token_by_token(joined: list[bool]) -> None:
    made = remembering()
    ids = encode_text(LONG.replace("\n", " "), made.vocabulary, made.settings).ids
    np.testing.assert_array_equal(nats(made, ids), one_by_one(made, ids))
    assert joined == [False]


def test_a_full_cell_is_joined_where_what_is_put_out_of_it_is_the_same(joined: list[bool]) -> None:
    """A unit that adds up all it reads has another sum in every piece, but puts the same out."""
    made = model()
    with torch.no_grad():
        bias, hidden = made.network.recurrent.bias_ih_l0, made.network.config.hidden
        for gate in range(4):
            bias[gate * hidden] = 30.0
    ids = encode_text(LONG, made.vocabulary, made.settings).ids
    np.testing.assert_allclose(nats(made, ids), one_by_one(made, ids), rtol=1e-5, atol=1e-5)
    assert joined == [True]


def test_the_time_to_measure_a_long_text_is_that_of_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that goes on by 10 for a token by itself, and by 1 for one of those read side by side."""
    clock = SimpleNamespace(now=0.0)

    def evaluate(network: object, vocabulary: object, stream: TokenStream, lines: bool) -> None:
        clock.now += 10 * len(stream)

    def validation_loss(
        network: object, vocabulary: object, stream: TokenStream, warm_up: int, lines: bool, rows: int = ROWS
    ) -> None:
        clock.now += len(stream) + rows * warm_up

    monkeypatch.setattr(validation, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    monkeypatch.setattr(validation, "evaluate", evaluate)
    monkeypatch.setattr(validation, "validation_loss", validation_loss)
    for shape, piece in ({"cell": "lstm"}, True), ({"cell": "gru"}, False):
        made = model(**shape)
        stream = encode_text(LONG, made.vocabulary, made.settings)
        found = validation.seconds_per_token(made.network, made.vocabulary, stream)[1]
        expected = 1 + WARM_UP / plan(made.network.config, len(stream))[1] if piece else 10
        assert found == pytest.approx(expected, rel=0.01)


def test_only_texts_of_several_long_pieces_and_lstms_are_planned_in_pieces() -> None:
    config = model().network.config
    assert plan(config, 2 * LEAST) == (2, LEAST)
    assert plan(config, 2 * LEAST - 1)[0] == 1
    rows, length = plan(config, 10**9)
    assert (rows, length) == (pieces.ROWS, MOST)
    assert WARM_UP <= LEAST  # a piece is read after tokens of the piece before it alone
    for shape in ({"cell": "gru"}, {"cell": "rnn"}, {"bidirectional": True}):
        assert plan(model(**shape).network.config, 10**9)[0] == 1


def test_a_text_that_comes_in_lines_is_scored_in_rounds_that_grow(joined: list[bool]) -> None:
    made = model()
    ids = encode_text(LONG, made.vocabulary, made.settings).ids
    scores = [score.surprisal for _, score in made.score_lines(iter(LONG.splitlines(keepends=True)))]
    np.testing.assert_allclose(scores, one_by_one(made, ids) / np.log(2), rtol=1e-5, atol=1e-5)
    assert joined == [True, True]


def test_what_precedes_an_input_error_is_scored_before_it() -> None:
    made = model()
    lines = LONG.splitlines(keepends=True)

    def broken() -> Iterator[str]:
        yield from lines
        raise InputError("line 481: no text")

    seen = 0
    with pytest.raises(InputError, match="line 481"):
        for _ in made.score_lines(broken()):
            seen += 1
    assert len(LONG) - WINDOW <= seen <= len(LONG)
