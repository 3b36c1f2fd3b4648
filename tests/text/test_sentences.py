"""Raw text to sentences and words: exact results, and that no character is lost or moved."""

from __future__ import annotations

import os
from itertools import chain, islice

import pytest
from hypothesis import given, settings, strategies as st

from seqtree.errors import InputError
from seqtree.text import sentences
from seqtree.text.sentences import (
    ParagraphReader,
    Sentence,
    forms_for_model,
    penn_tokens,
    read_sentences,
    split_sentences,
    words_as_given,
)

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
    "http://a.b/c?d=(e)",
    "d.e@f.org",
    "#tag",
    "@name",
    "AT&T",
    "US$",
    "$",
    "£",
    "€5",
    "😀",
    "👍🏽",
    "👩‍👩‍👧",
    "🇫🇷",
    "🇫",
    "\u200d",
    ":)",
    "<3",
    ":-(",
    "xD",
    "[17]",
    "'tis",
    "'n'",
    "`",
    "1.",
    "cannot",
    ",",
    "said",
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
        ("left. :-)", "left . :-)/:--RRB-"),
        ("at 5 p.m. )", "at 5 p.m. )/-RRB-"),
        ("(etc. ) No. 5", "(/-LRB- etc. )/-RRB- No. 5"),
        ("He left.[17]", "He left . [/-LSB- 17 ]/-RSB-"),
        ("It costs €5.00, £20, 5€ or ¥1,000.", "It costs € 5.00 , £ 20 , 5 € or ¥ 1,000 ."),
        ("$5, US$6 and C$3.20 (HK$7.8bn).", "$ 5 , US$ 6 and C$ 3.20 (/-LRB- HK$ 7.8bn )/-RRB- ."),
        ("A$AP and US $ 5", "A $ AP and US $ 5"),
        ("The S&P 500, AT&T's R&D; a & b, x&y.", "The S&P 500 , AT&T 's R&D ; a & b , x & y ."),
        ("A 62%-owned unit is 10% off.", "A 62%-owned unit is 10 % off ."),
        ("Write to jane.doe+x@mail.org, please.", "Write to jane.doe+x@mail.org , please ."),
        ("See #parsing, @some_one's and C#1.", "See #parsing , @some_one 's and C # 1 ."),
        ("So #1 met us @ noon.", "So # 1 met us @ noon ."),
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


@pytest.mark.parametrize(
    ("sentence", "forms"),
    [
        ("See http://ex.org/a.html?x=1&y=2#top.", ["See", "http://ex.org/a.html?x=1&y=2#top", "."]),
        ("(see www.ex.org/b_(c), ex.org/d?e!)", ["(", "see", "www.ex.org/b_(c)", ",", "ex.org/d?e", "!", ")"]),
        ('"https://ex.org/a;b"', ['"', "https://ex.org/a;b", '"']),
        ("http://ex.org/('b') 'c'", ["http://ex.org/('b')", "'", "c", "'"]),
        ("job🎉🎉 is😊 so", ["job", "🎉", "🎉", "is", "😊", "so"]),
        ("👨‍👩‍👧‍👦👍🏽❤️🇫🇷🇩🇪1️⃣.", ["👨‍👩‍👧‍👦", "👍🏽", "❤️", "🇫🇷", "🇩🇪", "1️⃣", "."]),
        ("don't🎉 🏴󠁧󠁢󠁿", ["do", "n't", "🎉", "🏴󠁧󠁢󠁿"]),
        ("I like it :) <3 :-( xD", ["I", "like", "it", ":)", "<3", ":-(", "xD"]),
        ("I like it:)", ["I", "like", "it", ":)"]),
        ("(in a note:) at 10:30 (a :b)", ["(", "in", "a", "note", ":", ")", "at", "10:30", "(", "a", ":", "b", ")"]),
        ("We can rock 'n' roll.", ["We", "can", "rock", "'n'", "roll", "."]),
        ("the '90s, get 'em", ["the", "'90s", ",", "get", "'em"]),
    ],
)
def test_words_with_marks_are_whole(sentence, forms):
    assert [form for form, _ in penn_tokens(sentence)] == forms


@pytest.mark.parametrize(
    ("sentence", "forms"),
    [
        ("An 'email' is sent.", "An ` email ' is sent ."),
        ("'So am I,' he said.", "` So am I , ' he said ."),
        ("('yes') \"'What?' he said.\"", "-LRB- ` yes ' -RRB- `` ` What ? ' he said . ''"),
        ("''The Courier,'' he said.", "`` The Courier , '' he said ."),
        ("It is '' so '' and \" so \" .", "It is `` so '' and `` so '' ."),
        ("`email' and ``quoted''", "` email ' and `` quoted ''"),
        ("The dogs' tails, 'tis true.", "The dogs ' tails , 't is true ."),
    ],
)
def test_straight_quotes_open_and_close(sentence, forms):
    for known in (set(), {"''", "``", "'", "`"}):
        assert " ".join(model for _, model in penn_tokens(sentence, known)) == forms


def test_a_quote_that_opens_is_what_the_model_knows():
    assert [model for _, model in penn_tokens("''a'' 'b'", {"''", "'"})] == ["''", "a", "''", "'", "b", "'"]


def test_words_with_marks_that_the_model_knows_are_whole():
    known = {"Yahoo!Mail", "M&Ms", "cannot", "Dunkin'Go"}
    text = "I cannot eat M&Ms's, (Yahoo!Mail) or Dunkin'Go. Cannot x&y?"
    forms = "I cannot eat M&Ms 's , ( Yahoo!Mail ) or Dunkin'Go . Can not x & y ?"
    assert [form for s in split_sentences(text) for form, _ in penn_tokens(s, known)] == forms.split()


def test_the_stop_of_an_abbreviation_before_a_comma_belongs_to_it() -> None:
    for known in (set(), {"p.m", "p.m."}):
        found = [form for form, _ in penn_tokens("At 7:30 p.m., and so on.", known)]
        assert found == ["At", "7:30", "p.m.", ",", "and", "so", "on", "."]


@settings(max_examples=150)
@given(texts)
def test_no_character_is_lost(text):
    parts = split_sentences(text)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(sentence and sentence == sentence.strip() for sentence in parts)
    for sentence in [text, *parts]:
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


@settings(max_examples=150)
@given(texts, st.booleans())
def test_words_stand_at_their_offsets(text, tokenized):
    place = 0
    for sentence in read_sentences([text], tokenized):
        for (form, _), (start, end) in zip(sentence.words, sentence.offsets, strict=True):
            assert text[start:end] == form
            assert not text[place:start].strip()
            place = end
    assert not text[place:].strip()


def _read_wrapped(lines, sizes):
    """What the reader makes of the lines in blocks of these sizes, and then one."""
    lines, reader, found = iter(lines), ParagraphReader(), []
    for size in sizes:
        found += reader.feed(islice(lines, size))
    return found + list(reader.feed(lines)) + list(reader.finish())


def test_lines_of_wrapped_text():
    lines = ["It was cold, and the\n", "  clocks struck. He\n", "left.\n", " \n", "\n", "One. Two\n", "three"]
    found = _read_wrapped(lines, [])
    assert [(s.line, " ".join(form for form, _ in s.words)) for s in found] == [
        (1, "It was cold , and the clocks struck ."),
        (2, "He left ."),
        (6, "One ."),
        (6, "Two three"),
    ]
    assert found[0].offsets[5:8] == [(17, 20), (23, 29), (30, 36)]
    assert found[1].offsets == [(17, 19), (20, 24), (24, 25)]
    assert found[3].offsets == [(5, 8), (9, 14)]
    assert _read_wrapped([], []) == _read_wrapped(["\n", "  \n"], []) == []


@settings(max_examples=150)
@given(st.lists(texts.map(lambda text: text.replace("\n", " ")), max_size=6), st.lists(st.integers(0, 2), max_size=4))
def test_words_of_wrapped_text_stand_at_their_offsets(lines, sizes):
    """However the lines come and however long a paragraph may be, nothing is lost."""
    whole = [f"{line}\n" for line in lines]
    for limit in (5, 20, 1 << 16):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sentences, "MAX_PARAGRAPH", limit)
            found = _read_wrapped(whole, sizes)
        for sentence in found:
            rest = "\n".join(lines[sentence.line - 1 :])
            assert [rest[start:end] for start, end in sentence.offsets] == [form for form, _ in sentence.words]
            assert sentence.offsets[0][0] < len(lines[sentence.line - 1])
        assert "".join(form for s in found for form, _ in s.words) == "".join("".join(lines).split())


def test_a_paragraph_without_end_is_read_in_bounded_memory(monkeypatch):
    monkeypatch.setattr(sentences, "MAX_PARAGRAPH", 200)
    taken = []
    lines = (taken.append(n) or f"in line {n} it\nrains. Then" for n in range(1_000_000))
    found = list(islice(ParagraphReader().feed(part for line in lines for part in line.split("\n")), 50))
    assert [(s.line, len(s.words)) for s in found[1:]] == [(2 * n, 7) for n in range(1, 50)]
    assert len(taken) < 70


def test_what_precedes_an_error_in_wrapped_text_is_read():
    def lines():
        yield from ["One\n", "two. Three\n"]
        raise InputError("no more")

    reader, found = ParagraphReader(), []
    with pytest.raises(InputError, match="no more"):
        found.extend(reader.feed(lines()))  # extend keeps what came before the error
    assert [len(s.words) for s in found] == [3, 1]


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


def test_forms_for_the_model():
    assert forms_for_model([("(", "-LRB-"), ("it", "it")]) == ["-LRB-", "it"]
    for wrong in (["we", "do"], ["cats"], "we do"):  # of two letters, they look like pairs
        with pytest.raises(InputError, match="expected a word with its form for the model"):
            forms_for_model(wrong)


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
