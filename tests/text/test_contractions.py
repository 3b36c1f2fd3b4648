"""Contractions: one word or two, and without their apostrophe."""

import pytest

from seqtree.text import penn_tokens
from seqtree.text.contractions import is_one_word, without_apostrophe

PARTS = ("i I it he that you do Do DO is ca wo should", "know come Come all on", "n't N'T 'm 've 's 'll")
KNOWN = {word for line in PARTS for word in line.split()}


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("I dont know.", "I do/do nt/n't know ."),
        ("DONT go, he isnt it", "DO/DO NT/N'T go , he is/is nt/n't it"),
        ("Dont “cant” (wont)", "Do/Do nt/n't “/`` ca/ca nt/n't ”/'' (/-LRB- wo/wo nt/n't )/-RRB-"),
        ("im, Im and i'm", "i/i m/'m , I/I m/'m and i 'm"),
        ("hes it—thats it...youll", "he/he s/'s it —/-- that/that s/'s it ... you/you ll/'ll"),
        ("You shouldve.", "You should/should ve/'ve ."),
        ("I dunno", "I du/do n/n't no/know"),
        ("C'mon, c’mon y'all", "C'm/Come on/on , c’m/come on/on y'/you all/all"),
        ("i'm IM its lets were well id", "i 'm IM its lets were well id"),
        ("dont.com x.dont dont-know don'tt", "dont.com x.dont dont-know don'tt"),
        ("he 'dont go' *im*", "he '/` do/do nt/n't go ' * i/i m/'m *"),
        ("@dont #im http://x.org/dont", "@dont #im http://x.org/dont"),
    ],
)
def test_a_missing_apostrophe_is_made_up_for(sentence, words):
    pairs = [word.split("/", 1) if "/" in word and "x.org" not in word else (word, word) for word in words.split()]
    assert penn_tokens(sentence, KNOWN) == [(form, model) for form, model in pairs]


def test_only_where_the_model_knows_the_parts_and_not_the_whole():
    assert without_apostrophe("Im so sure I dont", KNOWN | {"dont", "Im"}) == {}
    assert without_apostrophe("Im so sure I dont", KNOWN - {"'m", "n't"}) == {}
    assert [form for form, _ in penn_tokens("Im so sure I dont")] == ["Im", "so", "sure", "I", "dont"]


@pytest.mark.parametrize("mark", "’`´ʹʼ′")
def test_other_marks_between_letters_are_apostrophes(mark):
    words = f"He/He ca/ca n{mark}t/n't see/see that/that {mark}s/'s why/why"
    wanted = [tuple(pair.split("/")) for pair in words.split()]
    assert penn_tokens(f"He can{mark}t see that{mark}s why", KNOWN) == wanted


def test_a_mark_within_a_word_that_the_model_knows_stays():
    assert penn_tokens("п`ять пʼять", {"пʼять"}) == [("п`ять", "п'ять"), ("пʼять", "пʼять")]
    assert [model for _, model in penn_tokens("a `quoted' 5′10″")] == ["a", "`", "quoted", "'", "5′10″"]


@pytest.mark.parametrize(
    ("word", "known", "whole"),
    [
        ("it's", {"it's", "it", "'s"}, False),
        ("it's", {"it's", "it"}, True),
        ("it’s", {"it’s", "it", "’s"}, False),
        ("don't", {"don't", "do", "n't"}, False),
        ("don't", {"don't", "do", "not"}, True),
        ("Gotta", {"Gotta", "Got", "ta"}, False),
        ("Gotta", {"Gotta", "got", "ta"}, True),
        ("cannot", {"cannot", "can", "not"}, True),
        ("ma'am", {"ma'am", "ma", "'am"}, True),
        ("o'clock", set(), False),
        ("'s", {"'s"}, True),
    ],
)
def test_a_contraction_of_known_words_is_two_even_if_it_is_known_itself(word, known, whole):
    assert is_one_word(word, known) is whole
