"""Vocabularies: order, look-ups, growth, JSON, and what they refuse."""

import copy
import json
import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st

from seqtree.errors import InputError
from seqtree.text.vocabulary import Vocabulary

WORDS = Vocabulary.build({"the": 3, "cat": 1, "dog": 3, "<unk>": 9, "</s>": 2, "<s>": 1}, "word")
CHARACTERS = Vocabulary.build({"b": 2, "a": 2, "é": 5, "\n": 1}, "char")
characters = st.characters(exclude_categories=["Cs"])


def test_the_order_is_special_tokens_then_falling_count_then_code_point():
    assert WORDS.tokens == ("<unk>", "<s>", "</s>", "dog", "the", "cat")
    assert CHARACTERS.tokens == ("<unk>", "\n", "é", "a", "b")
    assert (WORDS.unknown, WORDS.start, WORDS.end) == (0, 1, 2)
    assert (CHARACTERS.unknown, CHARACTERS.start, CHARACTERS.end) == (0, 1, 1)
    assert "\n" in Vocabulary.build({"a": 1}, "char")


def test_rare_tokens_and_those_beyond_the_size_become_unknown():
    counts = {"a": 5, "b": 4, "c": 1}
    assert Vocabulary.build(counts, "word", min_count=2).tokens[3:] == ("a", "b")
    small = Vocabulary.build(counts, "word", max_size=4)
    assert small.tokens[3:] == ("a",)
    assert small.encode(["a", "b", "never"]).tolist() == [3, 0, 0]


@pytest.mark.parametrize(("minimum", "size"), [(0, None), (1.5, None), (True, None), (1, 3), (1, "9")])
def test_limits_out_of_range_are_refused(minimum, size):
    with pytest.raises(InputError):
        Vocabulary.build({"a": 1}, "word", min_count=minimum, max_size=size)


@given(st.text(characters))
def test_characters_come_back_from_their_indices(text):
    vocabulary = Vocabulary.build({c: text.count(c) for c in text}, "char")
    ids = vocabulary.encode(text)
    assert ids.dtype == np.int64
    assert vocabulary.join(vocabulary.decode(ids)) == text
    assert ids.tolist() == vocabulary.encode(list(text)).tolist() == [vocabulary.index(c) for c in text]


@given(st.text(characters))
def test_characters_that_are_not_known_encode_as_unknown(text):
    assert CHARACTERS.encode(text).tolist() == [CHARACTERS.tokens.index(c) if c in "\néab" else 0 for c in text]


def test_lookups_change_nothing():
    before = WORDS.tokens
    WORDS.index("bird"), WORDS.encode(["bird"]), WORDS.unknown_tokens(["bird"])
    assert "bird" not in WORDS
    assert WORDS.tokens == before
    for change in (lambda: setattr(WORDS, "_unit", "char"), lambda: delattr(WORDS, "_tokens")):
        with pytest.raises(AttributeError, match="cannot be changed"):
            change()


def test_equality_and_hash_are_by_content():
    twin = Vocabulary("word", list(WORDS))
    assert twin == WORDS
    assert hash(twin) == hash(WORDS)
    assert len({twin, WORDS, CHARACTERS}) == 2
    assert twin != CHARACTERS
    assert WORDS != "word"
    assert Vocabulary("word", [*WORDS.tokens[:3], "the", "dog", "cat"]) != WORDS
    assert pickle.loads(pickle.dumps(WORDS)) == copy.deepcopy(WORDS) == WORDS


def test_joining_words_puts_sentence_ends_at_line_ends():
    assert WORDS.join(["a", "b", "</s>", "c", "</s>"]) == "a b\nc\n"
    assert WORDS.join([]) == ""
    assert WORDS.join(["</s>", "</s>", "a"]) == "\n\na"


@pytest.mark.parametrize("wrong", [[6], [-1], [0.5], [[1]], [True]])
def test_decode_refuses_what_is_no_row_of_indices(wrong):
    with pytest.raises(InputError):
        WORDS.decode(wrong)


def test_the_message_for_an_index_out_of_range_says_the_range():
    with pytest.raises(InputError, match="index 6 is outside the vocabulary, whose indices are 0 to 5"):
        WORDS.decode([1, 6])


def test_unknown_tokens_are_distinct_and_in_order():
    assert WORDS.unknown_tokens(["x", "the", "y", "x", "<unk>"]) == ["x", "y"]


@given(st.lists(st.text(characters, min_size=1), unique=True))
def test_json_round_trip(words):
    vocabulary = Vocabulary.build(dict.fromkeys(words, 1), "word")
    assert Vocabulary.from_json(json.loads(json.dumps(vocabulary.to_json()))) == vocabulary


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "an object with the keys"),
        ({"unit": "char"}, "an object with the keys"),
        ({"unit": "byte", "tokens": []}, "'char' or 'word'"),
        ({"unit": ["char"], "tokens": []}, "'char' or 'word'"),
        ({"unit": "char", "tokens": "abc"}, "must be a list"),
        ({"unit": "char", "tokens": ["<unk>", "a"]}, "must begin with"),
        ({"unit": "word", "tokens": ["<unk>", "</s>", "<s>"]}, "must begin with"),
        ({"unit": "char", "tokens": ["<unk>", "\n", "a", "b", "a"]}, "'a' twice, at indices 2 and 4"),
        ({"unit": "char", "tokens": ["<unk>", "\n", "ab"]}, "token 2 .* one character"),
        ({"unit": "word", "tokens": ["<unk>", "<s>", "</s>", ""]}, "token 3"),
        ({"unit": "word", "tokens": ["<unk>", "<s>", "</s>", 7]}, "token 3 .* must be a string, not int"),
        ({"unit": "char", "tokens": ["<unk>", "\n", "\ud800"]}, "surrogate"),
    ],
)
def test_faulty_json_is_refused_with_the_reason(data, message):
    with pytest.raises(InputError, match=message):
        Vocabulary.from_json(data)


def test_strings_and_surrogates_are_refused():
    with pytest.raises(InputError, match="tokenise the text first"):
        WORDS.encode("the cat")
    with pytest.raises(InputError, match=r"character 1 .* U\+D800"):
        CHARACTERS.encode("a\ud800")
    with pytest.raises(InputError, match="not one string"):
        Vocabulary("char", "abc")


def test_growth_keeps_every_index():
    grown = WORDS.extended({"cat": 50, "emu": 2, "ant": 2, "bee": 7, "rare": 1}, min_count=2)
    assert grown.tokens == (*WORDS.tokens, "bee", "ant", "emu")
    assert WORDS.extended({"bee": 7, "ant": 2}, max_size=7).tokens == (*WORDS.tokens, "bee")
    with pytest.raises(InputError, match="at most 5 tokens has no room for the 6 that are known"):
        WORDS.extended({}, max_size=5)
