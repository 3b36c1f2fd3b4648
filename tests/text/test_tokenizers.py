"""Tokenizers against NLTK's and against slow, obvious ones."""

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from nltk.tokenize import TreebankWordTokenizer

from seqtree.errors import InputError
from seqtree.text import blocks, tokenizers
from seqtree.text.blocks import count_words
from seqtree.text.tokenizers import LineTokens, TreebankTokenizer, line_blocks

TREEBANK = TreebankTokenizer()
NLTK = TreebankWordTokenizer()
LINES = [
    "",
    "   ",
    '"Well," he said, "it\'s $3.88 (roughly 3,36 euros)."',
    "They'll save & invest more: can't you? I cannot; gimme lemme gonna wanna, Wanna",
    " the dogs' and cat's tails. ",
    "'Tis the U.S. 'twas more'n d'ye expect...",
    "``quoted'' text -- a well-known one's.",
    'end of it." ) ',
    "end of it. \t",
    'x\t"y" z\u00a0"w".',
    "x's'",
    "x's' ",
    '"',
    ".",
    "a,,",
    "[one] {two} <unk> e.g. 10:30, 1,000; Dr. No.')",
    "我 喜欢 「猫」 。",
]
# Everything the rules look at, in small pieces, so that random texts meet the rules' borders often.
PIECES = [*"\"'`.,:;?!()[]{}<>-@#$%&abBsS12 ", "\t", "\x85", "\xa0", "\x1c", "\u3000", "ſ", "İ", "٣"]
PIECES += [" "] * 4
PIECES += ["''", "``", "...", "--", "n't", "'s", "'S", "'ll", "'VE", "can", "not", "cannot", "gon", "na", "Gimme"]
PIECES += ["lemme", "got", "ta", "wan", "'tis", "'Twas", "more'n", "d'ye", "dog", "well-known"]
pieces = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
realdata = pytest.mark.skipif("SEQTREE_DATA" not in os.environ, reason="SEQTREE_DATA is not set")


@pytest.mark.parametrize("line", LINES)
def test_treebank_equals_nltk_on_hard_lines(line):
    assert TREEBANK.tokenize(line) == NLTK.tokenize(line)


@given(pieces | st.text())
def test_treebank_equals_nltk_on_any_text(text):
    assert TREEBANK.tokenize(text) == NLTK.tokenize(text)


@pytest.mark.realdata
@realdata
@pytest.mark.parametrize("name", ["text/tinyshakespeare.txt", "ptb/ptb.valid.txt"])
def test_treebank_equals_nltk_on_real_lines(name):
    lines = (Path(os.environ["SEQTREE_DATA"]) / name).read_text(encoding="utf-8").split("\n")[:3000]
    assert [TREEBANK.tokenize(line) for line in lines] == [NLTK.tokenize(line) for line in lines]


def test_treebank_stays_right_when_its_memory_overflows(monkeypatch):
    monkeypatch.setattr(tokenizers, "MAX_CACHED", 3)
    small = TreebankTokenizer()
    for line in LINES * 2:
        assert small.tokenize(line) == NLTK.tokenize(line)
        assert len(small._cache) <= 3


def naive_lines(text, tokenizer):
    """The words of every line that has any, each line followed by its end."""
    tokenize = str.split if tokenizer == "whitespace" else NLTK.tokenize
    rows = [tokenize(line) for line in text.split("\n")]
    return [token for row in rows if row for token in [*row, "</s>"]]


parts = st.lists(st.sampled_from(["a", "dog.", '"', "</s>", " ", "  ", "\n", "\n", "\t", "\xa0", "\x0b", "'s"]))
texts = parts.map("".join)


@pytest.mark.parametrize("tokenizer", ["whitespace", "treebank"])
@given(texts, st.integers(1, 9))
def test_lines_end_in_the_end_token_wherever_the_blocks_end(tokenizer, text, size):
    lines = LineTokens(tokenizer)
    blocks = line_blocks(text[i : i + size] for i in range(0, len(text), size))
    assert [t for block in blocks for t in lines.feed(block)] + lines.finish() == naive_lines(text, tokenizer)


@given(parts.map(" ".join), st.integers(1, 9))
def test_a_long_line_cut_at_whitespace_gives_the_same_words(text, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokenizers, "MAX_LINE", 12)
        blocks = list(line_blocks(text[i : i + size] for i in range(0, len(text), size)))
    assert "".join(blocks) == text
    assert all(block[-1].isspace() for block in blocks[:-1])
    lines = LineTokens("whitespace")
    assert [t for block in blocks for t in lines.feed(block)] + lines.finish() == naive_lines(text, "whitespace")


def test_one_endless_line_goes_through_in_bounded_blocks(monkeypatch):
    monkeypatch.setattr(tokenizers, "MAX_LINE", 100)
    blocks = list(line_blocks("word " * 10 for _ in range(100)))
    assert "".join(blocks) == "word " * 1000
    assert max(map(len, blocks)) <= 150


def test_an_endless_word_is_refused_with_advice(monkeypatch):
    monkeypatch.setattr(tokenizers, "MAX_LINE", 100)
    with pytest.raises(InputError, match=r"no whitespace in 110 characters.*--unit char"):
        list(line_blocks("我" * 10 for _ in range(100)))


def test_counting_is_exact_below_the_limit_and_forgets_the_rarest_above(monkeypatch):
    text = "a b a\n\nc\n"
    assert count_words([text], "whitespace") == Counter({"a": 2, "b": 1, "c": 1, "</s>": 2})
    monkeypatch.setattr(blocks, "MAX_DISTINCT_WORDS", 10)
    rare = " ".join(f"w{i}" for i in range(20))
    counts = count_words(["often often often\n", f"{rare}\n", "often end\n"], "whitespace")
    assert counts == Counter({"often": 4, "</s>": 3, "end": 1})
