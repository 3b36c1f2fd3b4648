"""Raw text to sentences and words: exact results, and that no character is lost or moved."""

from __future__ import annotations

import os
from itertools import chain, islice

import pytest
from hypothesis import given, settings, strategies as st

from seqtree.text.sentences import Sentence, penn_tokens, read_sentences, split_sentences, words_as_given

realdata = pytest.mark.skipif("SEQTREE_DATA" not in os.environ, reason="SEQTREE_DATA is not set")
PIECES = [
    "“",
    "”",
    "„",
    "‘",
    "’",
    "«",
    "»",
    '"',
    "``",
    "''",
    "'",
    "—",
    "–",
    "…",
    "...",
    ".",
    "?",
    "!",
    "。",
    "！",
    "؟",
    "」",
    "「",
]
PIECES += [
    "「",
    "」",
    "(",
    ")",
    "[",
    "]",
    "-LRB-",
    "Mr.",
    "U.S.",
    "n't",
    "n’t",
    "don’t",
    "’s",
    "can",
    "a",
    "B",
    "the",
    "He",
    "5",
]
PIECES += [
    "我",
    "喜欢",
    "タワー",
    "안녕",
    "שלום",
    'צה"ל',
    "لا",
    "e\u0301",
    " ",
    " ",
    " ",
    "\n\n",
    "\t",
    "\u3000",
    "\u00a0",
]
texts = st.lists(st.sampled_from(PIECES), max_size=14).map("".join) | st.text(max_size=20)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", []),
        (" \n\t ", []),
        ("hello", ["hello"]),
        ("It rains. It pours! Why?", ["It rains.", "It pours!", "Why?"]),
        (
            "Mr. Smith of Smith & Co. met Dr. J. R. Jones, e.g. at 5 p.m. They talked.",
            ["Mr. Smith of Smith & Co. met Dr. J. R. Jones, e.g. at 5 p.m.", "They talked."],
        ),
        (
            "The U.S. team won 3.5 points. In the U.S. The end.",
            ["The U.S. team won 3.5 points.", "In the U.S.", "The end."],
        ),
        ("He said no. Then he left... and came back.", ["He said no.", "Then he left... and came back."]),
        ("“Why?” she asked. “No.” He left.", ["“Why?” she asked.", "“No.”", "He left."]),
        ('"Why?" she asked. "No." He left.', ['"Why?" she asked.', '"No."', "He left."]),
        (
            "«Pourquoi?» dit-elle. »Warum?« fragte er. „Wer?“ fragte sie. «No.» So.",
            ["«Pourquoi?» dit-elle.", "»Warum?« fragte er.", "„Wer?“ fragte sie.", "«No.»", "So."],
        ),
        ("« Pourquoi ? » dit-elle. ‚Wer?‘ fragte sie. So.", ["« Pourquoi ? » dit-elle.", "‚Wer?‘ fragte sie.", "So."]),
        ("«لماذا؟» قال الرجل. «क्यों।» नहीं।", ["«لماذا؟»", "قال الرجل.", "«क्यों।»", "नहीं।"]),
        (
            "W. R. Grace and W.R. Lee are No. 1 (or 2?) here. So.",
            ["W. R. Grace and W.R. Lee are No. 1 (or 2?) here.", "So."],
        ),
        ("Mr. He and Mrs. She, e.g. The Who. They.", ["Mr. He and Mrs. She, e.g. The Who.", "They."]),
        ("who? me. no way", ["who?", "me.", "no way"]),
        ("A heading\n\nA line\nand the next.", ["A heading", "A line\nand the next."]),
        ("我喜欢猫。你呢？！「好！」他说。", ["我喜欢猫。", "你呢？！", "「好！」他说。"]),
        ("「好。」「不好。」", ["「好。」", "「不好。」"]),
        ("What?!", ["What?!"]),
        ("Hello!! Really?! Yes.", ["Hello!!", "Really?!", "Yes."]),
        ("It ended. . . .", ["It ended. . . ."]),
        ("It ended.  .\n. . So.", ["It ended.  .\n. .", "So."]),
        ("Wait . . . what? . . . What?", ["Wait . . . what? . . .", "What?"]),
        ("! ! He left.” ”", ["! !", "He left.” ”"]),
        ("Go! 5! ½", ["Go!", "5!", "½"]),
        ("你好！ ！ 他『", ["你好！ ！", "他『"]),
        ("A heading\n\n***\n\nA line. ***", ["A heading", "***", "A line. ***"]),
        ("ماذا تريد؟ أريد كتابا. نعم", ["ماذا تريد؟", "أريد كتابا.", "نعم"]),
        ("שלום. מה שלומך?", ["שלום.", "מה שלומך?"]),
    ],
)
def test_sentences(text, sentences):
    assert split_sentences(text) == sentences


@pytest.mark.parametrize(
    ("sentence", "pairs"),
    [
        ("", ""),
        ("The cat can't sleep.", "The cat ca n't sleep ."),
        ('"Hello," he said, "you."', "\"/`` Hello , \"/'' he said , \"/`` you . \"/''"),
        ("“Hello,” he said.", "“/`` Hello , ”/'' he said ."),
        ("``Hello,'' he said.", "`` Hello , '' he said ."),
        ("„Wort“ « oui »", "„/`` Wort “/'' «/`` oui »/''"),
        ("I don’t—really…", "I do n’t/n't —/-- really …/..."),
        ("the dogs’ ‘tails’ – 10–20", "the dogs ’/' ‘/` tails ’/' –/-- 10–20/10-20"),
        ("f(x) [sic] {a}", "f (/-LRB- x )/-RRB- [/-LSB- sic ]/-RSB- {/-LCB- a }/-RCB-"),
        ("-LRB- so -RRB-", "-LRB- so -RRB-"),
        ('צה"ל כאן.', 'צה"ל כאן .'),
        ("我喜欢Python，东京タワー。", "我 喜 欢 Python ， 东 京 タワー 。"),
        ("안녕 세상.", "안녕 세상 ."),
        ("ماذا تريد؟", "ماذا تريد ؟"),
        ("نعم، أريد؛ ١،٥ لا؟!", "نعم ، أريد ؛ ١،٥ لا ؟ !"),
        ("یہ کتاب ہے۔", "یہ کتاب ہے ۔"),
        ("मैं घर जाता हूँ। अच्छा॥", "मैं घर जाता हूँ । अच्छा ॥"),
        ("It ended. . . .", "It ended . . . ."),
        ("He left.” ”", "He left . ”/'' ”/''"),
        ("left. :-)", "left . : - )/-RRB-"),
        ("at 5 p.m. )", "at 5 p.m. )/-RRB-"),
        ("(etc. ) No. 5", "(/-LRB- etc. )/-RRB- No. 5"),
    ],
)
def test_tokens_in_the_form_of_the_text_and_of_the_penn_treebank(sentence, pairs):
    expected = [(pair, pair) if "/" not in pair else tuple(pair.split("/")) for pair in pairs.split()]
    assert penn_tokens(sentence) == expected


def test_forms_that_the_model_knows_stay():
    known = {"“", "’s", "(", "喜欢", "我喜"}
    assert penn_tokens("“it’s” (", known) == [("“", "“"), ("it", "it"), ("’s", "’s"), ("”", "''"), ("(", "(")]
    assert [form for form, _ in penn_tokens("我喜欢喜欢。", known)] == ["我喜", "欢", "喜欢", "。"]
    assert [form for form, _ in penn_tokens("他喜欢", known)] == ["他", "喜欢"]


@settings(max_examples=150, deadline=None)
@given(texts)
def test_no_character_is_lost(text):
    sentences = split_sentences(text)
    assert "".join("".join(sentences).split()) == "".join(text.split())
    assert all(sentence and sentence == sentence.strip() for sentence in sentences)
    for sentence in [text, *sentences]:
        pairs = penn_tokens(sentence)
        assert "".join(form for form, _ in pairs) == "".join(sentence.split())
        assert all(form and model and not set(model) & set("()[]{}") for form, model in pairs)


def test_lines_of_raw_text():
    lines = ["It rains. It pours.\n", "\n", "  \r\n", "ok"]
    assert [(s.line, [form for form, _ in s.words], s.offsets) for s in read_sentences(lines, tokenized=False)] == [
        (1, ["It", "rains", "."], [(0, 2), (3, 8), (8, 9)]),
        (1, ["It", "pours", "."], [(10, 12), (13, 18), (18, 19)]),
        (2, [], []),
        (3, [], []),
        (4, ["ok"], [(0, 2)]),
    ]


def test_lines_of_words():
    lines = ['Mr. Smith ( " can\'t " ) . It\t“ is ” it’s\n', "\n", "我 喜欢 -LRB- 猫"]
    first, second, third = read_sentences(lines, True, numbers=iter(range(7, 100)))
    assert [form for form, _ in first.words] == lines[0].split()
    assert " ".join(model for _, model in first.words) == "Mr. Smith -LRB- `` can't '' -RRB- . It `` is '' it's"
    assert second == Sentence([], 8, [])
    assert third.words == [(word, word) for word in ["我", "喜欢", "-LRB-", "猫"]]
    assert (third.line, third.offsets) == (9, [(0, 1), (2, 4), (5, 10), (11, 12)])


@settings(max_examples=150, deadline=None)
@given(texts, st.booleans())
def test_words_stand_at_their_offsets(text, tokenized):
    place = 0
    for sentence in read_sentences([text], tokenized):
        for (form, _), (start, end) in zip(sentence.words, sentence.offsets, strict=True):
            assert text[start:end] == form
            assert not text[place:start].strip()
            place = end
    assert not text[place:].strip()


def test_words_of_a_line_stand_between_ascii_white_space():
    [sentence] = read_sentences([" a\u00a0b\tc\x1cd \u3000\x0b\x0ce\x85f\r\n"], tokenized=True)
    assert [form for form, _ in sentence.words] == ["a\u00a0b", "c\x1cd", "\u3000", "e\x85f"]


def test_words_that_are_given_may_be_any_strings():
    assert words_as_given(["", "a b", "’", '"', "("], {"("}) == [
        ("", ""),
        ("a b", "a b"),
        ("’", "'"),
        ('"', "``"),
        ("(", "("),
    ]


@pytest.mark.parametrize("tokenized", [True, False])
def test_lines_are_read_one_at_a_time(tokenized):
    taken = []
    lines = (taken.append(number) or f"line {number}" for number in range(1_000_000))
    results = list(islice(read_sentences(lines, tokenized), 3))
    assert taken == [0, 1, 2]
    assert results[2].words == [("line", "line"), ("2", "2")]


@realdata
def test_words_of_the_penn_treebank_come_back_from_plain_text():
    from nltk.corpus import treebank
    from nltk.tokenize.treebank import TreebankWordDetokenizer

    total = right = 0
    for tagged in islice(treebank.tagged_sents(), 300):
        words = [word for word, tag in tagged if tag != "-NONE-"]
        text = TreebankWordDetokenizer().detokenize(words)
        pairs = list(chain.from_iterable(penn_tokens(sentence) for sentence in split_sentences(text)))
        total += 1
        right += [model for _, model in pairs] == [word.replace("\\/", "/") for word in words]
    assert right / total > 0.8
