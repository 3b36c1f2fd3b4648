"""Beam search and forced decoding beside slow, obvious ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from translation_helpers import LETTERS, PAIRS, SHAPES, exhaustive, greedy, probability, translator

from seqtree.errors import InputError
from seqtree.translation.decoding import beam_search, forced
from seqtree.translation.model import padded
from seqtree.translation.network import END, UNKNOWN

SOURCES = [list(source) for source, _ in LETTERS]
shapes = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "-".join(map(str, shape.values())))


@shapes
@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_a_beam_as_wide_as_all_targets_finds_the_best(shape: dict[str, Any], penalty: float) -> None:
    """Of the six tokens four may stand in a target, of up to two tokens: 1 + 4 + 16 targets."""
    made, limit = translator(**shape), 3
    width = len(made.target) ** limit
    found = beam_search(made.network, made.encoded(SOURCES[:3]), torch.full((3,), limit), width, penalty, 12)
    for source, hypotheses in zip(SOURCES[:3], found, strict=True):
        expected = exhaustive(made, source, limit, penalty)[:12]
        assert [one.tokens for one in hypotheses] == [one.tokens for one in expected]
        assert [one.score for one in hypotheses] == pytest.approx([one.score for one in expected], rel=1e-5)


@shapes
def test_a_beam_of_one_is_greedy(shape: dict[str, Any]) -> None:
    limits = torch.tensor([3, 9, 1, 6, 12])
    kinds = set()
    for seed in range(4):
        made = translator(seed=seed, **shape)
        with torch.no_grad():
            made.network.output.bias[END] = 1.0
        found = beam_search(made.network, made.encoded(SOURCES), limits, 1, 1.0)
        for source, limit, hypotheses in zip(SOURCES, limits.tolist(), found, strict=True):
            (one,) = hypotheses
            assert one.tokens == greedy(made, source, limit)
            kinds.add(len(one.tokens) + 1 == limit)
    assert kinds == {True, False}, "some should end by themselves, others at the limit"


@shapes
@pytest.mark.parametrize("beam", [1, 4])
def test_what_the_beam_says_of_a_target_is_what_forced_decoding_says(shape: dict[str, Any], beam: int) -> None:
    made = translator(PAIRS, **shape)
    with torch.no_grad():
        made.network.output.bias[UNKNOWN] = -50.0  # it would be shown as another token, which is copied
    texts = [source for source, _ in PAIRS[:8]]
    found = list(
        made.translations(texts, beam=beam, best=beam, log_probabilities=True, alignments=made.network.config.attends)
    )
    for text, translations in zip(texts, found, strict=True):
        assert [one.score for one in translations] == sorted((one.score for one in translations), reverse=True)
        assert len({one.tokens for one in translations}) == len(translations) == beam
        for one in translations:
            ids = [made.target.vocabulary.index(token) for token in one.tokens]
            log = probability(made, list(text), ids)
            assert sum(one.log_probabilities) == pytest.approx(log, rel=1e-5)
            assert one.score == pytest.approx(log / (len(ids) + 1), rel=1e-5)
            if one.alignment is not None:
                assert one.alignment.shape == (len(ids) + 1, len(text))
                np.testing.assert_allclose(one.alignment.sum(axis=1), 1.0, rtol=1e-5)


@shapes
def test_given_targets_are_scored_in_their_order(shape: dict[str, Any]) -> None:
    made = translator(PAIRS, **shape)
    scored = list(made.score(PAIRS[:12]))
    for (source, target), one in zip(PAIRS, scored, strict=False):
        ids = made.target.encode(made.target.tokens(target)).tolist()
        assert one.text == target
        assert sum(one.log_probabilities) == pytest.approx(probability(made, list(source), ids), rel=1e-5)


@shapes
def test_other_rows_of_a_batch_change_nothing(shape: dict[str, Any]) -> None:
    """Neither their padding in the source, nor in the target, nor that they are done earlier."""
    made = translator(PAIRS, **shape)
    texts = [source[: 3 + number] for number, (source, _) in enumerate(PAIRS[:12])]
    together = list(made.translations(texts, beam=3, best=3))
    for text, translations in zip(texts, together, strict=True):
        (alone,) = made.translations([text], beam=3, best=3)
        assert [one.tokens for one in alone] == [one.tokens for one in translations]
        assert [one.score for one in alone] == pytest.approx([one.score for one in translations], rel=1e-6)


@shapes
def test_what_stands_in_the_padding_changes_nothing(shape: dict[str, Any]) -> None:
    made = translator(**shape)
    lengths = torch.tensor([2, 5, 1])
    sources = torch.randint(3, len(made.source), (5, 3))
    targets = padded([np.array([3]), np.array([4, 3, 3]), np.array([3, 4])], end=True)
    ends = torch.tensor([2, 4, 3])
    found = []
    for filled in (END, 3):
        outside = torch.arange(5)[:, None] >= lengths
        memory = made.network.encode(sources.masked_fill(outside, filled), lengths)
        beyond = torch.arange(4)[:, None] >= ends
        loss = made.network.loss(memory, targets.masked_fill(beyond, filled), ends)
        found.append((loss.item(), forced(made.network, memory, targets).log_probabilities[0].tolist()))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-12)
    assert found[0][1] == pytest.approx(found[1][1], rel=1e-12)


def test_a_source_ends_at_its_own_limit() -> None:
    made = translator()
    with torch.no_grad():
        made.network.output.bias[END] = -50.0  # it never ends by itself
    limits = torch.tensor([2, 7, 1, 4, 5])
    found = beam_search(made.network, made.encoded(SOURCES), limits, 3, 1.0, 3)
    for limit, hypotheses in zip(limits.tolist(), found, strict=True):
        assert {len(one.tokens) + 1 for one in hypotheses} == {limit}


def test_more_best_ones_than_the_beam_has() -> None:
    with pytest.raises(InputError, match="the 3 best of a beam of 2"):
        list(translator().translations(["ab"], beam=2, best=3))
    with pytest.raises(InputError, match=r"beam 1\.5: expected a whole number"):
        translator().translate("ab", beam=1.5)  # type: ignore[arg-type]


def test_a_sure_target_is_found_though_many_others_end_before() -> None:
    """After the start, x with certainty six times, then the end; anything else ends at once."""
    made = translator([("a", "x y")], seed=1, context="first", cell="rnn", embedding=3, hidden=8)
    x, steps = made.target.vocabulary.index("x"), 6

    def decode(memory: Any, tokens: torch.Tensor, state: Any) -> Any:
        count = state[0][0, :, :1] + 1  # tokens so far
        sure = torch.full((tokens.shape[1], len(made.target)), -6.0, dtype=torch.float64)
        wrong = state[0][0, :, 1:2] + ((tokens[0, :, None] != x) & (count > 1))
        right = torch.where(count > steps, END, x)
        sure.scatter_(1, torch.where(wrong > 0, END, right).long(), 0.0)
        return sure[None], (torch.cat([count, wrong], dim=1)[None],), None

    network, memory = made.network, made.encoded([["a"]])
    memory = replace(memory, first=(torch.zeros(1, 1, 2, dtype=torch.float64),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "decode", decode)
        patch.setattr(network, "output", torch.nn.Identity())
        for beam in (1, 2, 5):
            ((best,),) = beam_search(network, memory, torch.tensor([20]), beam, 1.0)
            assert best.tokens == [x] * steps
