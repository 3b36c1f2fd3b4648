"""The parser's core against slow versions of it: one sentence, one pair, one word at a time."""

from __future__ import annotations

import copy
import functools
import itertools
import json
import pickle
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings, strategies as st
from nltk.tree import Tree
from parsing_helpers import SlowSentence, SlowWalk, batch_of, random_sentences, slow_greedy, small_parser, toy_trees
from torch import Tensor

from seqtree import modelfile
from seqtree.errors import InputError, ModelFileError
from seqtree.nn.config import CLIPPED, COMPOSITIONS
from seqtree.nn.parallel import AT_ONCE, BATCH_LENGTH
from seqtree.parsing.beam import beam_search
from seqtree.parsing.config import ParserNetworkConfig
from seqtree.parsing.decoding import Decoding
from seqtree.parsing.gold import EMPTY, gold_tree, names_in
from seqtree.parsing.greedy import Forests, decode
from seqtree.parsing.labelling import Labellings, best_labellings, best_trees
from seqtree.parsing.model import Parser, decode_with_arrays
from seqtree.parsing.oracle import Oracle
from seqtree.parsing.parse import Parse
from seqtree.parsing.spans import Pairs, Spans, SpanTable, fence_numbers, fence_spans, word_spans
from seqtree.text.batches import SentenceBatch
from seqtree.text.lexicon import MAX_WORD_LENGTH, LabelSet, Lexicon
from seqtree.treebank.binary import BinaryTree, Span, binarise
from seqtree.treebank.bracketed import write_tree
from seqtree.treebank.normalisation import normalise
from seqtree.treebank.sources import trees

# --- spans

spans_drawn = st.builds(lambda row, start, width: (row, start, start + width), *[st.integers(0, 4)] * 3)


def _spans(drawn: Sequence[tuple[int, int, int]]) -> Spans:
    columns = np.array(drawn, dtype=np.int64).reshape(-1, 3)
    return Spans(*columns.T)


@example({(0, 1, 2): 5}, [(0, 0, 5)])  # whose keys would be equal if ends had no bound
@given(st.dictionaries(spans_drawn, st.integers(-1, 50), max_size=12), st.lists(spans_drawn, max_size=30))
@settings(max_examples=100)
def test_a_table_of_spans_is_a_dictionary(known: dict[tuple[int, int, int], int], asked: list[Any]) -> None:
    table = SpanTable(_spans(list(known)), np.array(list(known.values()), dtype=np.int64))
    asked += list(known)
    assert table.look_up(_spans(asked)).tolist() == [known.get(span, 0) for span in asked]


def test_spans_add_up_and_are_chosen_from() -> None:
    one, other = _spans([(0, 1, 2), (3, 4, 5)]), _spans([(6, 7, 8)])
    both = one + other
    assert len(both) == 3
    assert [column.tolist() for column in both.columns] == [[0, 3, 6], [1, 4, 7], [2, 5, 8]]
    assert [column.tolist() for column in both[np.array([2, 0])].columns] == [[6, 0], [7, 1], [8, 2]]
    none = Pairs(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), _spans([]))
    pairs = Pairs.concatenated(
        [none, Pairs(np.array([10, 11]), np.array([12, 13]), one), Pairs(np.array([14]), np.array([15]), other)]
    )
    assert (len(none), len(pairs)) == (0, 3)
    assert (pairs.left.tolist(), pairs.right.tolist()) == ([10, 11, 14], [12, 13, 15])
    assert pairs.spans.start.tolist() == [1, 4, 7]


# --- lexicon and batches


def _tree(text: str) -> BinaryTree:
    return binarise(Tree.fromstring(text))


def _lexicon(text: str) -> Lexicon:
    return names_in([_tree(text)])[0]


def test_names_of_trees() -> None:
    trees = [_tree("(S (NP (DT the) (NN cat)) (VP (VBD sat)))"), _tree("(S (NP (NP (NN cat))) (VP (VBD sat)) .)")]
    lexicon, tags, labels = names_in(trees)
    assert labels.names == (EMPTY, ("NP",), ("NP", "NP"), ("S",), ("VP",))
    assert tags.names == ("DT", "NN", "VBD")
    assert dict(zip(lexicon.words, lexicon.counts, strict=True)) == {
        "<unk>": 0,
        "<s>": 0,
        "</s>": 0,
        "cat": 2,
        "sat": 2,
        "the": 1,
        ".": 1,
    }
    assert set(lexicon.characters.tokens[2:]) == set("thecasat.")
    assert set(names_in(trees, min_count=2)[0].words.tokens[3:]) == {"cat", "sat"}


def test_a_gold_tree_in_numbers() -> None:
    names = names_in([_tree("(S (NP (DT the) (NN cat)) (VP (VBD sat)))")])
    lexicon, tags, labels = names
    gold = gold_tree(_tree("(S (NP (DT The) (NN cat)) (X (VP (VBD sat) mat)))"), *names)
    assert lexicon.words.decode(gold.words) == ["the", "cat", "sat", "<unk>"]
    assert [tags.names[i] if i >= 0 else None for i in gold.tags] == ["DT", "NN", "VBD", None]
    found = {(start, end): label for start, end, label in zip(gold.starts, gold.ends, gold.labels, strict=True)}
    assert found == {(0, 2): labels.names.index(("NP",)), (2, 4): -1, (0, 4): labels.names.index(("S",))}
    assert len(gold) == 4


def test_unknown_words_are_read_in_lower_case_if_that_is_known() -> None:
    lexicon = _lexicon("(S (X the) (X Cat) (X May) (X may))")
    read = lexicon.words.decode(lexicon.encode(["The", "THE", "Cat", "cat", "May", "MAY", "zebra"]))
    assert read == ["the", "the", "Cat", "<unk>", "May", "may", "<unk>"]


def test_long_words_are_spelled_by_their_two_ends() -> None:
    lexicon = _lexicon("(S (X abc))")
    for word in ("abc" * 10, "a" * MAX_WORD_LENGTH, "ab" + "c" * 100 + "ba"):
        read = word if len(word) <= MAX_WORD_LENGTH else word[: MAX_WORD_LENGTH // 2] + word[-(MAX_WORD_LENGTH // 2) :]
        assert lexicon.spelling(word).tolist() == lexicon.characters.encode(read).tolist()
        assert lexicon.spelling(word) is lexicon.spelling(word)


def test_what_is_remembered_of_a_word_is_what_is_read_of_it() -> None:
    """However long words are; and copies do not carry it along."""
    lexicon = _lexicon("(S (X abc))")
    long = "abc" * 100_000
    lexicon.spelling(long)
    assert lexicon.spelling(long[:100] + long[-100:]) is lexicon.spelling(long)
    assert len(pickle.dumps(lexicon)) == len(pickle.dumps(_lexicon("(S (X abc))")))
    assert copy.deepcopy(lexicon).spelling(long).tolist() == lexicon.spelling(long).tolist()


def test_a_lexicon_goes_through_json() -> None:
    lexicon, _, _ = names_in([binarise(tree) for tree in toy_trees()])
    again = Lexicon.from_json(json.loads(json.dumps(lexicon.to_json())))
    for name in ("words", "characters", "counts"):
        assert getattr(again, name) == getattr(lexicon, name)


def test_a_parsers_parts_are_checked() -> None:
    lexicon, tags, labels = names_in([_tree("(S (X abc))")])
    with pytest.raises(InputError, match="1 counts do not fit 4 words"):
        Lexicon(lexicon.words, lexicon.characters, [1])
    with pytest.raises(InputError, match="first label"):
        Parser.over(lexicon, tags, LabelSet(labels.names[1:]), ParserNetworkConfig(hidden=4))
    with pytest.raises(InputError, match="listed twice"):
        LabelSet(["NN", "DT", "NN"])


def test_a_batch_lies_flat() -> None:
    parser = small_parser([_tree("(S (X ab) (X c))")])
    sentences = [["ab", "zz", "c"], ["c", "ab"], ["ab"]]
    batch, lexicon = batch_of(parser, sentences), parser.lexicon
    assert (batch.lengths.tolist(), batch.offsets.tolist()) == ([3, 2, 1], [0, 3, 5])
    padded = ["<s> ab <unk> c </s>", "<s> c ab </s> </s>", "<s> ab </s> </s> </s>"]
    assert [lexicon.words.decode(row) for row in batch.words.T] == [row.split() for row in padded]
    assert [batch.distinct[number] for number in batch.spelled] == [*itertools.chain(*sentences)]
    assert batch.distinct == ("ab", "zz", "c")
    ab, zz, c = (lexicon.spelling(word).tolist() for word in batch.distinct)
    assert batch.spellings.tolist() == [-1, *ab, -1, *zz, -1, *c, -1]
    words = [(row, i, i + 1) for row, sentence in enumerate(sentences) for i in range(len(sentence))]
    assert np.transpose(word_spans(batch).columns).tolist() == [list(span) for span in words]
    fences = [(row, i, i) for row, sentence in enumerate(sentences) for i in range(len(sentence) + 1)]
    assert np.transpose(fence_spans(batch).columns).tolist() == [list(span) for span in fences]
    rows, places, _ = np.array(fences).T
    assert fence_numbers(batch, rows, places).tolist() == list(range(9))


# --- the network

MIXED = [13, 8, 5, 5, 3, 2, 1, 1]
ENCODERS = ("none", "rnn", "lstm", "gru")
VARIANTS: list[dict[str, Any]] = [
    *({"encoder": encoder, "composition": kind} for encoder in ENCODERS for kind in COMPOSITIONS),
    {"layers": 1, "characters": 0},
    {"words": 0},
    {"encoder": "none", "words": 0},
    {"encoder": "none", "characters": 0},
]


@pytest.mark.parametrize("config", VARIANTS, ids=lambda config: "-".join(map(str, config.values())))
def test_the_network_equals_the_formulas(config: dict[str, Any]) -> None:
    parser = small_parser(**config)
    sentences = random_sentences(parser.lexicon, MIXED)
    batch = batch_of(parser, sentences)
    encoded = parser.network.encode(batch)
    vectors = torch.randn(len(sentences), 6, dtype=torch.float64)
    whole = Spans(np.arange(len(sentences)), np.zeros_like(batch.lengths), batch.lengths)
    labels = parser.network.score_labels(encoded, batch, vectors, whole)
    merges = parser.network.score_merges(encoded, batch, vectors, whole)
    for row, words in enumerate(sentences):
        slow, first, n = SlowSentence(parser, words), batch.offsets[row], len(words)
        pairs = [(encoded.leaves[first : first + n], slow.leaves), (encoded.tags[first : first + n], slow.tags)]
        if encoded.merges is not None and encoded.labels is not None:
            own = slice(first + row, first + row + n + 1)
            pairs += [(encoded.merges[own], slow.fences[0]), (encoded.labels[own], slow.fences[1])]
        pairs.append((labels[row], slow.label_logits(vectors[row], 0, n)))
        pairs.append((merges[row], slow.merge_score(vectors[row], 0, n)))
        for mine, other in pairs:
            torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-9)
    assert (encoded.merges is None) == (encoded.labels is None) == (parser.network.config.encoder == "none")


def test_words_are_lost_in_training_by_their_counts() -> None:
    """A word of n occurrences becomes <unk> with the probability 2 / (2 + n); the sentence's ends never do."""
    parser = small_parser(
        [_tree(f"(S {'(X a) ' * 8} {'(X b) ' * 2})")], words=1, characters=0, encoder="none", word_dropout=2.0
    )
    network, seen = parser.network.train(), []
    network.words.embedding.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    for _ in range(40):
        network.encode(batch_of(parser, [["a", "b"] * 50]))
    ids = torch.stack(seen)[:, :, 0]
    assert ids[:, 0].eq(parser.lexicon.words.start).all()
    assert ids[:, -1].eq(parser.lexicon.words.end).all()
    assert ids[:, 1:-1:2].eq(0).double().mean().item() == pytest.approx(0.2, abs=0.04)
    assert ids[:, 2:-1:2].eq(0).double().mean().item() == pytest.approx(0.5, abs=0.05)
    network.eval().encode(batch_of(parser, [["a", "b"]]))
    assert not seen[-1].eq(0).any()


def test_all_spans_of_a_sentence_have_the_same_hidden_units_dropped() -> None:
    parser = small_parser(dropout=0.5, scorer=60)
    scorer, dropped = parser.network.train().label_scorer, []
    scorer.output.register_forward_hook(lambda module, inputs, output: dropped.append(inputs[0] == 0))
    with torch.no_grad():
        scorer.hidden.bias.fill_(1e3)  # so that no unit is 0 by itself
    batch = batch_of(parser, [["the", "cat", "sat"], ["the", "cat"]])
    spans = _spans([(0, 0, 1), (1, 0, 2), (0, 0, 3), (1, 1, 2)])
    parser.network.score_labels(parser.network.encode(batch), batch, torch.randn(4, 6, dtype=torch.float64), spans)
    masks = dropped[0]
    assert torch.equal(masks[0], masks[2])
    assert torch.equal(masks[1], masks[3])
    assert not torch.equal(masks[0], masks[1])
    assert 0.25 < masks.double().mean().item() < 0.75


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"encoder": "gpt"}, "encoder 'gpt': expected one of none, rnn, lstm, gru"),
        ({"composition": "sum"}, "composition 'sum': expected one of"),
        ({"hidden": 0}, "hidden 0: expected from 1 to 65536"),
        ({"words": 0, "characters": 0}, "expected more than 0, unless --characters is"),
        ({"composition": "lstm", "vector": 5}, "needs an even width"),
        ({"dropout": 1.0}, "from 0 to below 1"),
        ({"word_dropout": -0.1}, "expected at least 0"),
    ],
)
def test_configs_are_checked(values: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        ParserNetworkConfig(**values)
    assert ParserNetworkConfig.from_json(ParserNetworkConfig(hidden=7).to_json()) == ParserNetworkConfig(hidden=7)
    with pytest.raises(InputError, match="unknown settings 'colour'"):
        ParserNetworkConfig.from_json({"colour": "red"})


# --- the greedy decoder


Decoder = Callable[..., Decoding[Tensor]]
DECODERS = pytest.mark.parametrize("decoder", [decode, decode_with_arrays])


def _decoded(
    parser: Parser, sentences: Sequence[Sequence[str]], decoder: Decoder = decode, **options: Any
) -> tuple[SentenceBatch, Decoding[Tensor]]:
    batch = batch_of(parser, sentences)
    with torch.no_grad():
        return batch, decoder(parser.network, batch, parser.network.encode(batch), **options)


def _merges_of(decoding: Decoding[Tensor], row: int) -> Iterator[tuple[tuple[int, int, int], float, float, int]]:
    merges = decoding.merges
    for i in np.flatnonzero(merges.row == row):
        span = (int(merges.start[i]), int(merges.middle[i]), int(merges.end[i]))
        yield span, float(merges.score[i]), float(merges.margin[i]), int(merges.pair[i])


def _check_decoding(
    parser: Parser, sentences: Sequence[Sequence[str]], decoder: Decoder = decode, bonus: float = 0.0
) -> None:
    """``bonus`` is for spans of an even width."""

    def of(start: int, end: int) -> float:
        return bonus * ((end - start) % 2 == 0)

    def of_all(spans: Spans) -> Any:
        return np.float32([of(start, end) for start, end in zip(spans.start, spans.end, strict=True)])

    batch, decoding = _decoded(parser, sentences, decoder, **({"bonus": of_all} if bonus else {}))
    assert (np.diff(decoding.merges.row) >= 0).all()
    for row, words in enumerate(sentences):
        with torch.no_grad():
            slow = slow_greedy(SlowSentence(parser, words), of)
        fast = list(_merges_of(decoding, row))
        assert [span for span, *_ in fast] == [merge.span for merge in slow]
        for (_, score, margin, pair), merge in zip(fast, slow, strict=True):
            assert score == pytest.approx(merge.score, rel=1e-5, abs=1e-5)
            assert margin == pytest.approx(merge.margin, rel=1e-4, abs=1e-4)
            vector = decoding.vectors[batch.lengths.sum() + pair]
            torch.testing.assert_close(vector, merge.vector, rtol=1e-9, atol=1e-9)


@DECODERS
@pytest.mark.parametrize("config", VARIANTS, ids=lambda config: "-".join(map(str, config.values())))
def test_the_decoder_equals_the_slowest_one(config: dict[str, Any], decoder: Decoder) -> None:
    for seed in range(2):
        parser = small_parser(seed=seed, **config)
        _check_decoding(parser, random_sentences(parser.lexicon, MIXED, seed), decoder)


@DECODERS
@pytest.mark.parametrize("lengths", [[1], [1, 1, 1], [2], [2, 1], [30], [9, 9, 9]])
def test_the_decoder_takes_any_lengths(lengths: list[int], decoder: Decoder) -> None:
    parser = small_parser()
    _check_decoding(parser, random_sentences(parser.lexicon, lengths), decoder)


@pytest.mark.parametrize("bonus", [0.3, 100.0])
def test_a_bonus_is_part_of_the_score(bonus: float) -> None:
    parser = small_parser()
    sentences = random_sentences(parser.lexicon, MIXED)
    _check_decoding(parser, sentences, bonus=bonus)
    _, decoding = _decoded(parser, sentences, bonus=lambda spans: np.float32(100.0 * (spans.start == 0)))
    for row, words in enumerate(sentences):  # which makes everything hang on the first word
        spans = [span for span, *_ in _merges_of(decoding, row)]
        assert spans == [(0, end - 1, end) for end in range(2, len(words) + 1)]


@DECODERS
def test_of_equal_merges_the_leftmost_is_made(decoder: Decoder) -> None:
    parser = small_parser()
    with torch.no_grad():
        parser.network.merge_scorer.output.weight.zero_()
    _, decoding = _decoded(parser, [["the", "cat", "sat", "."]], decoder)
    assert [merge[:3] for merge in _merges_of(decoding, 0)] == [
        ((0, 1, 2), decoding.merges.score[0], 0.0),
        ((0, 2, 3), decoding.merges.score[0], 0.0),
        ((0, 3, 4), decoding.merges.score[0], float("inf")),
    ]


def test_one_sentence_is_decoded_alike_to_the_number_of_each_pair() -> None:
    parser = small_parser()
    for sentence in random_sentences(parser.lexicon, [30, *MIXED]):
        (_, one), (_, other) = _decoded(parser, [sentence]), _decoded(parser, [sentence], decode_with_arrays)
        for mine, theirs in zip(vars(one.merges).values(), vars(other.merges).values(), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(one.pairs.left, other.pairs.left)
        np.testing.assert_array_equal(one.pairs.right, other.pairs.right)
        np.testing.assert_array_equal(one.pairs.spans.columns, other.pairs.spans.columns)
        torch.testing.assert_close(one.vectors, other.vectors)


def test_fewer_than_three_compositions_a_word() -> None:
    parser = small_parser()
    composed: list[int] = []
    parser.network.composition.register_forward_hook(lambda module, inputs, output: composed.append(len(output)))
    sentences = random_sentences(parser.lexicon, [60, *MIXED])
    batch, decoding = _decoded(parser, sentences)
    assert sum(composed) == len(decoding.pairs) < 3 * batch.lengths.sum()
    assert (np.bincount(decoding.pairs.spans.sentence, minlength=len(sentences)) < 3 * batch.lengths).all()
    assert len(decoding.vectors) == batch.lengths.sum() + len(decoding.pairs)
    left, right = (decoding.vectors[side] for side in (decoding.pairs.left, decoding.pairs.right))
    torch.testing.assert_close(parser.network.composition(left, right), decoding.vectors[batch.lengths.sum() :])


def test_a_sentence_is_decoded_as_if_it_were_alone() -> None:
    """In single precision, as parsers compute; but for decisions as close as its rounding errors."""
    parser = small_parser(noise=0.1, hidden=32, vector=32, scorer=32)
    parser.network.float()
    sentences = random_sentences(parser.lexicon, sorted([*range(1, 30), 7, 7, 12], reverse=True))
    _, together = _decoded(parser, sentences)
    same = 0
    for row, words in enumerate(sentences):
        _, alone = _decoded(parser, [words])
        for mine, other in zip(_merges_of(together, row), _merges_of(alone, 0), strict=True):
            if min(mine[2], other[2]) < 1e-4:
                break
            assert mine[0] == other[0]
            assert mine[1] == pytest.approx(other[1], rel=1e-5, abs=1e-5)
            same += 1
    assert same > 0.8 * sum(len(words) - 1 for words in sentences)


@pytest.mark.parametrize("kind", COMPOSITIONS)
@pytest.mark.parametrize("encoder", ["none", "lstm"])
def test_few_and_many_sentences_are_rounded_alike(kind: str, encoder: str) -> None:
    """Where products are in bfloat16: the numbers are those of both decoders, but for the order of a sum's terms."""
    noise = 0.1 if kind == "rntn" else 0.4  # with a large tensor every level of a tree doubles what sums differ by
    parser = small_parser(encoder=encoder, composition=kind, hidden=32, vector=32, scorer=32, noise=noise)
    parser.network.float().products = torch.bfloat16
    sentences = random_sentences(parser.lexicon, [20, *MIXED])
    (batch, many), (_, few) = _decoded(parser, sentences), _decoded(parser, sentences, decode_with_arrays)
    assert many.vectors.dtype == few.vectors.dtype == (torch.bfloat16 if kind in CLIPPED else torch.float32)
    same = 0
    for row in range(len(sentences)):
        for mine, other in zip(_merges_of(many, row), _merges_of(few, row), strict=True):
            if min(mine[2], other[2]) < (0.02 if kind in CLIPPED else 1e-4):
                break
            assert mine[0] == other[0]
            assert mine[1] == pytest.approx(other[1], rel=0.01, abs=0.01 if kind in CLIPPED else 1e-5)
            same += 1
    assert same > 0.5 * (batch.lengths - 1).sum()


# --- the beam


def slow_trees(walk: SlowWalk, whole: bool) -> dict[frozenset[Span], float]:
    """Every tree that can be built, by its spans, with its score: every order of merges is tried.

    ``whole``: a tree's score is the sum over its merges; otherwise the logarithm of the sum, over the orders in which
    it can be built, of the product of the merges' probabilities among those that are possible.
    """
    candidates = walk.candidates()
    if not candidates:
        return {frozenset(): 0.0}
    scores = np.array([candidate.score.item() for candidate in candidates])
    gains = scores if whole else np.log(np.exp(scores) / np.exp(scores).sum())
    found: dict[frozenset[Span], list[float]] = {}
    for candidate, gain in zip(candidates, gains, strict=True):
        after = copy.copy(walk)
        after.nodes = list(walk.nodes)
        after.merge(candidate)
        for spans, rest in slow_trees(after, whole).items():
            found.setdefault(spans | {(candidate.node.start, candidate.node.end)}, []).append(float(gain + rest))
    if whole:
        return {spans: totals[0] for spans, totals in found.items()}
    return {spans: float(np.log(np.exp(totals).sum())) for spans, totals in found.items()}


def _forests(
    parser: Parser, words: Sequence[str], whole: bool, width: int = 10_000
) -> list[tuple[float, Decoding[Tensor]]]:
    batch = batch_of(parser, [words])
    with torch.no_grad():
        return beam_search(parser.network, batch, parser.network.encode(batch), width, whole)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("encoder", ["none", "lstm"])
def test_a_wide_beam_finds_every_tree_and_its_score(encoder: str, whole: bool) -> None:
    for seed, length in enumerate((1, 2, 3, 5, 6)):
        parser = small_parser(seed=seed, encoder=encoder)
        [words] = random_sentences(parser.lexicon, [length], seed)
        with torch.no_grad():
            every = slow_trees(SlowWalk(SlowSentence(parser, words)), whole)
        forests = _forests(parser, words, whole)
        found = {
            frozenset((start, end) for (start, _, end), *_ in _merges_of(decoding, 0)): score
            for score, decoding in forests
        }
        assert len(forests) == len(found) == len(every) == [1, 1, 2, 5, 14, 42][length - 1]
        assert found == pytest.approx(every, rel=1e-6, abs=1e-6)
        assert [score for score, _ in forests] == sorted(found.values(), reverse=True)
        if not whole:
            assert sum(np.exp(list(found.values()))) == pytest.approx(1.0)


@pytest.mark.parametrize("whole", [False, True])
def test_scores_and_margins_of_a_beam_are_those_of_its_decisions(whole: bool) -> None:
    parser = small_parser()
    [words] = random_sentences(parser.lexicon, [5], seed=5)
    margins = []
    for _, decoding in _forests(parser, words, whole):
        walk = SlowWalk(SlowSentence(parser, words))
        for span, score, margin, _ in _merges_of(decoding, 0):
            with torch.no_grad():
                candidates = walk.candidates()
            [chosen] = [c for c in candidates if (c.node.start, c.split, c.node.end) == span]
            others = [c.score.item() for c in candidates if c is not chosen]
            assert score == pytest.approx(chosen.score.item(), rel=1e-4, abs=1e-4)
            assert margin == pytest.approx(score - max(others, default=-np.inf), rel=1e-4, abs=1e-4)
            margins.append(margin)
            walk.merge(chosen)
    assert min(margins) < 0 < max(margins)


def test_a_forest_shows_its_most_probable_order() -> None:
    """Of four words, only two pairs can be made in either order."""
    firsts = set()
    for seed in range(8):
        parser = small_parser(seed=seed)
        [words] = random_sentences(parser.lexicon, [4], seed)
        merges = [[span for span, *_ in _merges_of(decoding, 0)] for _, decoding in _forests(parser, words, False)]
        [shown] = [order for order in merges if {(0, 1, 2), (2, 3, 4)} <= set(order)]
        chances = {}
        for place in (0, 2):  # of the pair that is made first
            walk, total = SlowWalk(SlowSentence(parser, words)), 0.0
            for at in (place, 2 - place):
                with torch.no_grad():
                    candidates = walk.candidates()
                [chosen] = [c for c in candidates if (c.node.start, c.node.end) == (at, at + 2)]
                total += chosen.score.item() - np.logaddexp.reduce([c.score.item() for c in candidates])
                walk.merge(chosen)
            chances[place] = total
        assert shown[0][0] == max(chances, key=chances.__getitem__)
        firsts.add(shown[0][0])
    assert firsts == {0, 2}


@pytest.mark.parametrize("whole", [False, True])
def test_a_beam_of_one_is_the_greedy_decoder(whole: bool) -> None:
    parser = small_parser()
    for words in random_sentences(parser.lexicon, MIXED):
        [(_, decoding)] = _forests(parser, words, whole, width=1)
        _, greedy = _decoded(parser, [words])
        for mine, other in zip(_merges_of(decoding, 0), _merges_of(greedy, 0), strict=True):
            assert mine[0] == other[0]
            assert mine[1:3] == pytest.approx(other[1:3], rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("whole", [False, True])
def test_the_best_trees_of_a_sentence(whole: bool) -> None:
    """All forests and all their labellings, one by one."""
    parser = small_parser(_few_labels(), whole_trees=whole)
    assert len(parser.labels.names) == 4
    [words] = random_sentences(parser.lexicon, [3], seed=3)
    expected, ways = every_labelled_tree(parser, words, whole)
    [sentence] = _doubled([words])
    many = parser.k_best(sentence, 10_000)
    assert len(many) == len(expected)
    found = [
        frozenset((*span, parser.labels.names.index(labels)) for span, labels in parse.binary.labels.items())
        for parse in many
    ]
    totals = [expected[tree] for tree in found]
    assert totals == pytest.approx(sorted(expected.values(), reverse=True), rel=1e-6, abs=1e-6)
    if whole:
        assert all(parse.log_probability is None for parse in many)
    else:
        assert [parse.log_probability for parse in many] == pytest.approx(totals, rel=1e-6, abs=1e-6)
        assert sum(np.exp(totals)) == pytest.approx(1.0, abs=1e-6)
    assert [parse.binary.merges for parse in many] == [ways[tree][1] for tree in found]
    assert [parse.binary for parse in parser.k_best(sentence, 3)] == [parse.binary for parse in many[:3]]


def _few_labels() -> list[BinaryTree]:
    labels = (("S",), ("NP",), ("X", "S"))
    return [BinaryTree(("a", "b"), ("A", "B"), ((0, 1, 2),), {(0, 2): chain}) for chain in labels]


def every_labelled_tree(
    parser: Parser, words: Sequence[str], whole: bool
) -> tuple[dict[frozenset[Any], float], dict[frozenset[Any], tuple[float, Any]]]:
    """By their labelled spans: the best score, or the logarithm of the probability, over all forests and labellings;
    and the score and the merges of the best forest."""
    batch = batch_of(parser, [words])
    found: dict[frozenset[Any], float] = {}
    ways: dict[frozenset[Any], tuple[float, Any]] = {}
    with torch.no_grad():
        encoded = parser.network.encode(batch)
        for merged, decoding in beam_search(parser.network, batch, encoded, 10_000, whole):
            spans, logits = parser._labels(batch, encoded, decoding, decoding.merges.pair)
            chances = logits.float().log_softmax(dim=1).tolist()
            places = list(zip(spans.start.tolist(), spans.end.tolist(), strict=True))
            for labels in itertools.product(range(logits.shape[1]), repeat=len(places)):
                score = merged + sum(row[label] for row, label in zip(chances, labels, strict=True))
                if np.isfinite(score):
                    tree = frozenset((*span, label) for span, label in zip(places, labels, strict=True) if label)
                    others = found.get(tree, -np.inf)
                    found[tree] = max(score, others) if whole else float(np.logaddexp(score, others))
                    way = score, tuple(span for span, *_ in _merges_of(decoding, 0))
                    ways[tree] = max(ways.get(tree, way), way)
    return found, ways


@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 30), st.integers(0, 100))
def test_the_best_labellings(spans: int, labels: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(spans, labels)).astype(np.float32)
    scores[rng.random(scores.shape) < 0.2] = -np.inf
    every = [
        (sum(float(row[label]) for row, label in zip(scores, chosen, strict=True)), chosen)
        for chosen in itertools.product(range(labels), repeat=spans)
    ]
    expected = sorted((both for both in every if np.isfinite(both[0])), key=lambda both: -both[0])[:k]
    keys = rng.integers(2**64, size=scores.shape, dtype=np.uint64)
    found = best_labellings(scores, k, keys)
    chosen = [tuple(found.labels(number).tolist()) for number in range(len(found.scores))]
    assert found.scores.tolist() == pytest.approx([score for score, _ in expected])
    assert set(chosen) == {labels for _, labels in expected}
    assert found.keys.tolist() == [np.bitwise_xor.reduce(keys[range(len(keys)), labels]) for labels in chosen]


@pytest.mark.parametrize("whole", [False, True])
def test_equal_trees_of_several_forests_are_one(whole: bool) -> None:
    """By their keys; its rank is all their probability, or the best score."""
    none, empty = np.zeros(0, dtype=np.int64), np.zeros((3, 0), dtype=np.int32)
    forests = [
        Labellings(np.array(scores), np.array(keys, dtype=np.uint64), none, none, empty)
        for scores, keys in (([-1.0, -2.0, -9.0], [5, 3, 8]), ([], []), ([-0.5, -3.0], [3, 7]))
    ]
    found = best_trees([-0.25, 0.0, -1.5], forests, whole)
    three = max(-2.25, -2.0) if whole else float(np.logaddexp(-2.25, -2.0))
    expected = sorted([(-1.25, 0, 0), (three, 2, 0), (-9.25, 0, 2), (-4.5, 2, 1)], reverse=True)
    assert [way for _, *way in found] == [way for _, *way in expected]
    assert [rank for rank, *_ in found] == pytest.approx([rank for rank, *_ in expected])


def test_many_trees_take_little_time_and_the_first_are_the_same() -> None:
    parser = small_parser()
    [sentence] = _doubled(random_sentences(parser.lexicon, [11], seed=1))
    few, start = parser.k_best(sentence, 20), time.process_time()
    many = parser.k_best(sentence, 400, width=80)
    assert time.process_time() - start < 20  # it took minutes when every tree was a set
    assert [parse.binary for parse in many[:20]] == [parse.binary for parse in few]
    assert len({str(parse.tree) for parse in many}) == len(many) == 400


def test_as_many_trees_as_are_asked_for() -> None:
    parser = small_parser()
    for words in _doubled(random_sentences(parser.lexicon, [1, 2, 9], seed=3)):
        parses = parser.k_best(words, 5)
        assert len({str(parse.tree) for parse in parses}) == 5
        assert all(parse.tree.leaves() == [form for form, _ in words] for parse in parses)
        assert list(parser.parse([form for form, _ in words], k=5)) == [parse.tree for parse in parses]
    assert parser.k_best([], 3) == []
    with pytest.raises(InputError, match="k 0: expected at least 1"):
        parser.k_best(words, 0)
    for width, said in ((-1, "at least 1"), (0, "at least 1"), (2.5, "a whole number")):
        with pytest.raises(InputError, match=f"^width {width}: expected {said}$"):
            parser.k_best(words, 2, width)  # type: ignore[arg-type]


def test_the_best_trees_of_a_long_sentence() -> None:
    """Neither nodes nor merges are copied for what a beam does not keep."""
    parser = small_parser()
    [words] = _doubled(random_sentences(parser.lexicon, [1500]))
    tracemalloc.start()
    assert len(parser.k_best(words, 2)) == 2
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 300e6


# --- the oracle


def random_tree(words: int, rng: np.random.Generator) -> BinaryTree:
    """Any binary tree, some of whose spans are constituents; so are some words."""
    bounds, merges = list(range(words + 1)), []
    while len(bounds) > 2:
        place = int(rng.integers(1, len(bounds) - 1))
        merges.append((bounds[place - 1], bounds[place], bounds[place + 1]))
        del bounds[place]
    spans = [(i, i + 1) for i in range(words)] + [(start, end) for start, _, end in merges]
    labels = {span: ("X",) for span in spans if rng.random() < 0.6}
    return BinaryTree(tuple("ab"[i] for i in rng.integers(0, 2, words)), ("T",) * words, tuple(merges), labels)


def attainable(bounds: tuple[int, ...], gold: frozenset[Span]) -> int:
    """The most gold brackets that any way to go on builds, from nodes between these bounds: every way is tried."""
    if len(bounds) == 2:
        return 0
    return max(
        (((bounds[i - 1], bounds[i + 1]) in gold) + _attainable(bounds[:i] + bounds[i + 1 :], gold))
        for i in range(1, len(bounds) - 1)
    )


_attainable = functools.lru_cache(maxsize=None)(attainable)


def _bounds(forests: Forests, row: int) -> tuple[int, ...]:
    bounds = [0]
    while bounds[-1] < forests.lengths[row]:
        bounds.append(int(forests.end[row, bounds[-1]]))
    return tuple(bounds)


class _OracleCheck:
    """Merges at random (only what is correct, if so told), comparing the oracle with the brute force at each step."""

    def __init__(self, trees: Sequence[BinaryTree], parser: Parser, rng: np.random.Generator, obedient: bool) -> None:
        names = parser.lexicon, parser.tags, parser.labels
        self.oracle = Oracle([gold_tree(tree, *names) for tree in trees])
        self.gold = [frozenset(span for span in tree.labels if span[1] - span[0] > 1) for tree in trees]
        self.rng, self.obedient, self.judged = rng, obedient, 0

    def __call__(self, forests: Forests, active: int) -> np.ndarray:
        correct = self.oracle.correct(forests, active)
        assert correct.shape == forests.score[:active].shape
        chosen = []
        for row in range(active):
            bounds, gold = _bounds(forests, row), self.gold[row]
            before = _attainable(bounds, gold)
            right = []
            for i in range(1, len(bounds) - 1):
                built = (bounds[i - 1], bounds[i + 1]) in gold
                if built + _attainable(bounds[:i] + bounds[i + 1 :], gold) == before:
                    right.append(bounds[i - 1])
            assert np.flatnonzero(correct[row]).tolist() == right
            assert right
            chosen.append(self.rng.choice(right if self.obedient else bounds[:-2]))
        self.judged += active
        start = np.array(chosen, dtype=np.int64)
        self.oracle.merged(start, forests.pair_end[np.arange(active), start])
        return start


@pytest.mark.parametrize("obedient", [True, False])
def test_the_oracle_equals_its_definition(obedient: bool) -> None:
    """A merge is correct if and only if the most gold brackets that can still be had do not become fewer by it."""
    rng, judged = np.random.default_rng(1), 0
    for _ in range(25):
        trees = [random_tree(n, rng) for n in sorted(rng.integers(1, 7, 8), reverse=True)]
        parser = small_parser(trees, encoder="none", vector=2)
        check = _OracleCheck(trees, parser, rng, obedient)
        _, decoding = _decoded(parser, [tree.words for tree in trees], choose=check)
        judged += check.judged
        if obedient:
            for row, gold in enumerate(check.gold):
                assert gold <= {(start, end) for (start, _, end), *_ in _merges_of(decoding, row)}
    assert judged > 300


@pytest.mark.realdata
def test_the_oracle_leads_to_all_brackets_of_real_trees(data: Path) -> None:
    """Whichever of the correct merges are made; and a walk at random always has a correct merge to go on with."""
    found = (normalise(tree) for tree, _ in trees(["nltk:treebank[0:400]"]))
    gold = sorted((binarise(tree) for tree in found if tree), key=lambda tree: -len(tree.words))
    parser, rng = small_parser(gold, encoder="none", vector=2, words=2, characters=0), np.random.default_rng(0)
    for share in (0.0, 0.3):
        oracle = Oracle([gold_tree(tree, parser.lexicon, parser.tags, parser.labels) for tree in gold])

        def choose(forests: Forests, active: int, share: float = share, oracle: Oracle = oracle) -> np.ndarray:
            correct, possible = oracle.correct(forests, active), np.isfinite(forests.score[:active])
            assert correct.any(axis=1).all()
            assert not (correct & ~possible).any()
            allowed = np.where(rng.random((active, 1)) < share, possible, correct)
            start = (rng.random(allowed.shape) * allowed).argmax(axis=1)
            oracle.merged(start, forests.pair_end[np.arange(active), start])
            return start

        _, decoding = _decoded(parser, [tree.words for tree in gold], choose=choose)
        built = set(
            zip(*(c.tolist() for c in (decoding.merges.row, decoding.merges.start, decoding.merges.end)), strict=True)
        )
        wanted = {(row, *span) for row, tree in enumerate(gold) for span in tree.labels if span[1] - span[0] > 1}
        assert (wanted <= built) == (share == 0)


# --- parsers


def slow_parse(parser: Parser, words: Sequence[str]) -> BinaryTree:
    """The tree of the greedy parser, with the labels and tags of the highest logits."""
    sentence = SlowSentence(parser, words)
    with torch.no_grad():
        merges = slow_greedy(sentence)
        vectors = {(i, i + 1): vector for i, vector in enumerate(sentence.leaves)}
        vectors |= {(merge.span[0], merge.span[2]): merge.vector for merge in merges}
        labels = {}
        for span, vector in vectors.items():
            logits = sentence.label_logits(vector, *span).tolist()
            if span == (0, len(words)):
                logits[0] = -np.inf
            label = parser.labels.names[int(np.argmax(logits))]
            if label:
                labels[span] = label
        tags = tuple(parser.tags.names[int(row.argmax())] for row in sentence.tags)
    return BinaryTree(tuple(words), tags, tuple(merge.span for merge in merges), labels)


def _doubled(sentences: Sequence[Sequence[str]]) -> list[list[tuple[str, str]]]:
    return [[(word, word) for word in words] for words in sentences]


def _parses(parser: Parser, sentences: Sequence[Sequence[str]]) -> list[Parse]:
    return [parse for parse in parser.parses(_doubled(sentences)) if parse]


def test_every_sentence_gets_its_own_parse() -> None:
    parser = small_parser()
    lengths = np.random.default_rng(3).permutation([*range(15), 0, 1, 1, 4, 9])
    sentences = random_sentences(parser.lexicon, lengths.tolist())
    for words, parse in zip(sentences, parser.parses(_doubled(sentences)), strict=True):
        if not words:
            assert parse is None
            continue
        assert parse is not None
        slow = slow_greedy(SlowSentence(parser, words))
        assert parse.binary == slow_parse(parser, words)
        assert parse.scores == pytest.approx([merge.score for merge in slow], rel=1e-5, abs=1e-5)
        assert parse.margins == pytest.approx([merge.margin for merge in slow], rel=1e-4, abs=1e-4)
        assert parse.score == pytest.approx(sum(merge.score for merge in slow), rel=1e-4, abs=1e-4)
        assert parse.tree.leaves() == words
        assert not parse.tree.label().startswith("ROOT")


def test_more_sentences_than_are_parsed_at_once() -> None:
    parser = small_parser(encoder="none", vector=2, words=2, characters=0)
    distinct = random_sentences(parser.lexicon, [3, 1, 0, 5])
    sentences = [distinct[i % 4] for i in range(AT_ONCE + 5)]
    wanted = list(parser.parses(_doubled(distinct)))
    taken = 0

    def source() -> Iterator[list[tuple[str, str]]]:
        nonlocal taken
        for sentence in _doubled(sentences):
            taken += 1
            yield sentence

    found = parser.parses(source())
    first = next(found)
    assert taken == AT_ONCE  # and not the whole stream
    binaries = [parse.binary if parse else None for parse in (first, *found)]
    assert binaries == [wanted[i % 4].binary if wanted[i % 4] else None for i in range(len(sentences))]


def test_a_sentence_longer_than_a_batch() -> None:
    parser = small_parser(encoder="none", vector=2, words=2, characters=0)
    [parse] = _parses(parser, random_sentences(parser.lexicon, [BATCH_LENGTH + 10]))
    assert len(parse.binary.merges) == BATCH_LENGTH + 9
    assert parse.tree.label()


def test_the_root_always_has_a_label_and_nothing_else_need_have_one() -> None:
    parser = small_parser()
    with torch.no_grad():
        parser.network.label_scorer.output.bias[0] = 1e6
    for words in random_sentences(parser.lexicon, [1, 2, 7]):
        [parse] = _parses(parser, [words])
        assert list(parse.binary.labels) == [(0, len(words))]
        assert parse.tree.label() in {label[0] for label in parser.labels.names[1:]}


def test_treebanks_without_tags_or_labels_can_be_parsed_too() -> None:
    untagged = small_parser([_tree("(S (NP a b) (VP c d))")])
    assert all(parse.binary.tags == (None,) * 3 for parse in _parses(untagged, [["a", "b", "c"]]))
    unlabelled = small_parser([_tree("(NN a)")])
    [one, two] = _parses(unlabelled, [["a"], ["a", "b"]])
    assert (str(one.tree), str(two.tree)) == ("(NN a)", "(ROOT (NN a) (NN b))")


def test_nltk_s_interface() -> None:
    parser = small_parser()
    sentences = [["the", "cat", "sat"], [], ["the", "(", "zebra", "''", "Cat", ")"]]
    trees = [list(found) for found in parser.parse_sents(sentences)]
    assert [len(found) for found in trees] == [1, 0, 1]
    for words, found in zip(sentences, trees, strict=True):
        assert list(parser.parse(words)) == found
        assert parser.parse_one(words) == (found[0] if found else None)
        assert not found or found[0].leaves() == [{"(": "-LRB-", ")": "-RRB-"}.get(word, word) for word in words]
        assert not found or [form for form, _ in parser.words(words)] == words
    assert isinstance(parser.parse(sentences[0]), Iterator)


def test_a_tree_that_is_printed_is_read_again_by_nltk() -> None:
    parser = small_parser()
    words = ["f(x)", "[", "a}", "C:\\temp\\", "\\", "a b", "", "\u00a0", "'", '"', "-RRB-", "1\\/2", "cat"]
    for k in (1, 2):
        for tree in parser.parse(words, k=k):
            assert Tree.fromstring(str(tree)) == tree
            assert tree.leaves() == ["f-LRB-x-RRB-", "[", "a}", "C:\\temp-BSL-", "-BSL-", "a_b", "_", "_", *words[8:]]
    [parse] = parser.parses([parser.words(words)])
    assert parse is not None
    assert parse.tree.leaves() == words
    assert Tree.fromstring(write_tree(parse.tree)).leaves()[:6] == ["f-LRB-x-RRB-", "[", "a}", words[3], "\\", "a_b"]


def test_words_may_come_from_an_iterator() -> None:
    parser = small_parser()
    words = ["the", "cat", "sat"]
    assert parser.parse_one(iter(words)) == parser.parse_one(words) is not None
    assert list(parser.parse((word for word in words), k=3)) == list(parser.parse(words, k=3))
    assert [list(found) for found in parser.parse_sents(iter([iter(words)]))] == [list(parser.parse(words))]
    with pytest.raises(InputError, match="words are strings, not 3"):
        parser.parse(iter(["a", 3]))


def test_a_string_is_no_sequence_of_words_and_no_word_with_a_form() -> None:
    """It would be parsed letter by letter."""
    parser = small_parser()
    with pytest.raises(InputError):
        list(parser.parse("the cat sat"))
    with pytest.raises(InputError):
        [list(found) for found in parser.parse_sents(["the cat sat"])]
    for words in ([""], ["", ""]):
        with pytest.raises(InputError, match="a sentence has only empty words"):
            list(parser.parse(words))
    for sentence in (["the", "cat"], ["we", "do"]):  # words of two letters look like a form and its form for the model
        with pytest.raises(InputError, match="expected a word with its form for the model"):
            list(parser.parses([sentence]))


# --- model files


@pytest.mark.parametrize("config", [{}, {"encoder": "none", "composition": "lstm"}, {"words": 0}, {"characters": 0}])
def test_a_loaded_parser_says_the_same(tmp_path: Path, config: dict[str, Any]) -> None:
    parser = small_parser(**config)
    parser.network.float()
    parser.save(tmp_path / "model.safetensors")
    sentences = random_sentences(parser.lexicon, MIXED)
    for place in (tmp_path, tmp_path / "model.safetensors"):
        loaded = Parser.load(place)
        loaded.network.products = None
        assert not loaded.network.training
        assert loaded.network.config == parser.network.config
        assert _parses(loaded, sentences) == _parses(parser, sentences)
    parser.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "model.safetensors").read_bytes()


def test_half_a_parser_is_nearly_the_same(tmp_path: Path) -> None:
    parser = small_parser(hidden=30, vector=30, scorer=30)
    parser.network.float()
    parser.save(tmp_path / "whole")
    parser.save(tmp_path / "half", half=True)
    whole, half = (modelfile.load(tmp_path / name)[2] for name in ("whole", "half"))
    assert {name: tensor.shape for name, tensor in half.items()} == {name: t.shape for name, t in whole.items()}
    assert all(tensor.dtype == torch.float16 for tensor in half.values())
    assert sum(t.nbytes for t in half.values()) == sum(t.nbytes for t in whole.values()) / 2
    loaded = Parser.load(tmp_path / "half")
    loaded.network.products = None
    assert all(parameter.dtype == torch.float32 for parameter in loaded.network.parameters())
    sentences = random_sentences(parser.lexicon, MIXED)
    batch = batch_of(parser, sentences)
    with torch.no_grad():
        one, other = (made.network.encode(batch) for made in (parser, loaded))
        for mine, theirs in zip(
            (one.leaves, one.merges, one.tags), (other.leaves, other.merges, other.tags), strict=True
        ):
            torch.testing.assert_close(mine, theirs, rtol=0.01, atol=0.02)


def _changed(contents: dict[str, Any], tensors: dict[str, Tensor], change: str) -> None:
    if change == "no lexicon":
        del contents["lexicon"]
    elif change == "no counts":
        contents["lexicon"]["counts"] = contents["lexicon"]["counts"][:-1]
    elif change == "unknown field":
        contents["network"]["colour"] = "red"
    elif change == "other width":
        contents["network"]["hidden"] += 1
    elif change == "other encoder":
        contents["network"]["encoder"] = "none"
    elif change == "a tensor missing":
        del tensors["leaf.weight"]
    elif change == "words that are no list":
        contents["lexicon"]["words"] = 7
    elif change == "labels that are no lists":
        contents["labels"] = [[], 7]


@pytest.mark.parametrize(
    "change",
    [
        "no lexicon",
        "no counts",
        "unknown field",
        "other width",
        "other encoder",
        "a tensor missing",
        "words that are no list",
        "labels that are no lists",
    ],
)
def test_parts_that_do_not_fit_together_are_refused(tmp_path: Path, change: str) -> None:
    small_parser().save(tmp_path / "model")
    contents, tensors = modelfile.load(tmp_path / "model")[1:]
    _changed(contents, tensors, change)
    modelfile.save(tmp_path / "model", Parser.kind, contents, tensors)
    with pytest.raises(ModelFileError, match="do not fit together"):
        Parser.load(tmp_path / "model")


def test_damaged_and_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    small_parser().save(path)
    whole = path.read_bytes()
    for damaged in (whole[:-100], whole[: len(whole) // 2] + b"\x01" + whole[len(whole) // 2 + 1 :], b"", b"{}"):
        path.write_bytes(damaged)
        with pytest.raises(ModelFileError, match=r"model\.safetensors"):
            Parser.load(path)
    modelfile.save(path, "language-model", {}, {})
    with pytest.raises(ModelFileError, match=r"holds a language-model \(for seqtree lm\), expected a parser"):
        Parser.load(tmp_path)
    with pytest.raises(InputError, match="no such model file"):
        Parser.load(tmp_path / "nothing")


def test_untrained_parsers_are_made_by_the_seed_alone() -> None:
    trees, state = [Tree.fromstring("(S (X a) (X b))")], torch.get_rng_state()
    weights = [Parser.untrained(trees, hidden=4, seed=seed).network.leaf.weight for seed in (1, 1, 2)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert torch.equal(torch.get_rng_state(), state)
