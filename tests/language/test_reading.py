"""Words as they stand in a text: sums, offsets, white space, items; and the rows of reading studies."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from language_helpers import TEXT, model

from seqtree import LanguageModel
from seqtree.errors import InputError
from seqtree.language import surprisals
from seqtree.language.condition import Classes
from seqtree.language.config import ConditionSettings
from seqtree.language.items import Document, documents
from seqtree.language.ngram import KneserNey
from seqtree.language.reading import WordScore, score_words, text_line
from seqtree.language.scoring import Scorer
from seqtree.language.study import COLUMNS, ReadingStudy
from seqtree.text.config import TextSettings
from seqtree.text.corpus import encode_text
from seqtree.text.lexicon import LabelSet
from seqtree.text.reading import normalised
from seqtree.text.tables import open_table

AWKWARD = {
    "line ends of Windows": "the cat sat\r\non the mat\r\n",
    "tabs": "\tthe\tcat\t\tsat\non the mat\t\n",
    "several spaces": "  the   cat sat  \n   on  the mat",
    "no end": "the cat sat\non the mat",
    "a no-break space": "the\u00a0cat sat\u2003on\u3000the mat\n",
    "empty lines": "\n\nthe cat\n\n   \n\nsat on\n\n",
    "unspaced text": "花园里有 一棵树。\n树上有三只鸟。\n",
    "emoji": "the 🐈 sat 👩\u200d👩\u200d👧 on\n🐈🐈\n",
    "quotes": 'the "cat" (\'\'sat\'\') on "the mat."\n"on," the "cat" sat. "the"\n``the cat\'\'\n',
    "marks of order in the middle": "the cat\n\ufeffsat on\ufeff\n",
    "marks": "the cat </s> sat <unk> <s>\n</s>\n",
    "separators": "the\x1ccat\x85sat\u2028on\x0bthe\x0cmat\n",
    "one word": "cat",
    "contractions": "cannot don't the cat's, mat...\nU.S. the cats. a\n",
}
MODELS = [
    {"unit": "char"},
    {"unit": "word"},
    {"unit": "word", "tokenizer": "treebank"},
    {"unit": "char", "documents": "lines"},
    {"unit": "word", "documents": "lines"},
    {"unit": "char", "bidirectional": True},
    {"unit": "word", "bidirectional": True},
]


def _model(unit: str, tokenizer: str = "whitespace", documents: str = "text", **shape: Any) -> LanguageModel:
    made = model(TEXT + '"the" cat\'s , .\n', unit=unit, **shape)
    made.settings = TextSettings(unit, tokenizer=tokenizer, documents=documents)
    return made


def _bits(made: LanguageModel, text: str) -> float:
    measured = made.evaluate(text)
    return measured.loss * measured.tokens / math.log(2)


@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.parametrize("settings", MODELS, ids=str)
@pytest.mark.parametrize("spaces", ["before", "after"])
def test_words_add_up_to_the_bits_of_an_evaluation(name: str, settings: dict[str, Any], spaces: str) -> None:
    made, text = _model(**settings), AWKWARD[name]
    words = list(made.score_words(text, spaces=spaces))
    assert sum(word.surprisal for word in words) == pytest.approx(_bits(made, text), rel=1e-5)
    assert sum(word.tokens for word in words) == made.evaluate(text).tokens
    assert sum(word.unknown for word in words) == made.evaluate(text).unknown_tokens
    lines = normalised(text).split("\n")
    assert [(word.line, word.word) for word in words] == [
        (number, word) for number, line in enumerate(lines, 1) for word in line.split()
    ]
    assert all(lines[word.line - 1][word.start : word.end] == word.word for word in words)
    assert [(word.line, word.start) for word in words] == sorted({(word.line, word.start) for word in words})


@pytest.mark.parametrize("independent", [False, True])
def test_long_texts_come_in_blocks(independent: bool) -> None:
    made, text = _model("char"), TEXT.replace("\n", "  \n\n")
    whole = list(made.score_words(text, independent))
    assert list(made.score_words(iter([text[:301], text[301:302], text[302:]]), independent)) == whole
    assert [word.word for word in whole] == text.split()
    if not independent:
        assert sum(word.surprisal for word in whole) == pytest.approx(_bits(made, text), rel=1e-5)


def test_a_word_comes_before_the_text_is_read_to_its_end() -> None:
    def blocks() -> Any:
        yield TEXT
        pytest.fail("read too far")

    words = _model("char").score_words(blocks())
    assert [next(words).word for _ in range(50)] == TEXT.split()[:50]


@pytest.mark.parametrize(
    ("spaces", "expected"),
    [
        ("before", [[0, 1, 2, 3], [4, 5, 6, 7, 8, 9], [10, 11, 12, 13]]),
        ("after", [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10], [11, 12, 13]]),
    ],
)
def test_which_word_white_space_belongs_to(spaces: str, expected: list[list[int]]) -> None:
    """By hand. Before: an indent counts for the first word, blank lines for the word before them."""
    made, text = _model("char"), " the  at\n\n ca\n"
    scores = [score.surprisal for score in made.score(text)]
    assert len(scores) == 14
    found = [word.surprisal for word in made.score_words(text, spaces=spaces)]
    assert found == pytest.approx([sum(scores[i] for i in one) for one in expected])


def test_line_ends_of_words_belong_to_the_last_word() -> None:
    made = _model("word", "treebank")
    scores = [score.surprisal for score in made.score('"the cat" ran\n')]
    assert len(scores) == 6  # `` the cat '' ran </s>
    found = list(made.score_words('"the cat" ran\n'))
    assert [word.surprisal for word in found] == pytest.approx(
        [scores[0] + scores[1], scores[2] + scores[3], scores[4] + scores[5]]
    )
    assert [word.tokens for word in found] == [2, 2, 2]


@pytest.mark.parametrize("text", ["", "\n", " \n\t\n"])
def test_a_text_without_words(text: str) -> None:
    made = _model("char")
    words = list(made.score_words(text))
    assert len(words) == bool(text)
    if text:
        assert words == [WordScore(1, "", 0, 0, pytest.approx(_bits(made, text)), len(text), words[0].unknown)]
    assert list(_model("word").score_words(text)) == []


def test_unknown_rules_are_refused() -> None:
    with pytest.raises(InputError, match="before or after it, not 'between'"):
        list(_model("char").score_words("a", spaces="between"))


@pytest.mark.parametrize("settings", MODELS, ids=str)
def test_entropy_and_rank_are_those_of_the_distribution(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against the distribution after the tokens before, or in its place for a bidirectional model, one by one."""
    monkeypatch.setattr(surprisals, "MAX_LOGITS", 64)  # several blocks
    made, text = _model(**settings), "the cat sat\non the zzz\n"
    ids = encode_text(text, made.vocabulary, made.settings).ids.astype(np.int64)
    details = torch.cat(
        list(surprisals.surprisals(made.network, made.vocabulary, ids, made.settings.lines, details=True))
    )
    nats = torch.cat(list(surprisals.surprisals(made.network, made.vocabulary, ids, made.settings.lines)))
    torch.testing.assert_close(details[:, 0], nats)
    for place, (found, token) in enumerate(zip(details.tolist(), ids.tolist(), strict=True)):
        p = _distribution(made, ids, place)
        assert found[1] == pytest.approx(-(p * np.log(p)).sum(), rel=1e-4)
        assert found[2] == 1 + (p > p[token]).sum()
    plain = next(made.score_words(text, details=True))
    assert (plain.entropy, plain.rank) == (pytest.approx(float(details[0, 1]) / math.log(2)), int(details[0, 2]))


def _distribution(made: LanguageModel, ids: np.ndarray, place: int) -> np.ndarray:
    if not made.network.config.bidirectional:
        return made.next_distribution(ids[:place].tolist())
    window = surprisals.surrounded(ids, made.vocabulary)[:, None]
    with torch.inference_mode():
        output = made.network.eval().surrounded_states(window)[place, 0]
        found: np.ndarray = made.network.decoder(output).double().softmax(0).numpy()
    return found


def test_details_are_of_the_first_token_of_the_word_itself() -> None:
    made = _model("char")
    words = list(made.score_words("the  cat", details=True))
    p = made.next_distribution(made.vocabulary.encode("the  ").tolist())
    assert words[1].entropy == pytest.approx(-(p * np.log2(p)).sum(), rel=1e-4)
    assert words[1].rank == 1 + (p > p[made.vocabulary.index("c")]).sum()
    assert next(made.score_words("the")).entropy is None


def test_a_distribution_with_zeros_has_an_entropy() -> None:
    made = _model("char")
    with torch.no_grad():
        made.network.decoder.bias[made.vocabulary.index("z")] = -math.inf
        made.network.decoder.bias[5] = -1e38
    assert all(math.isfinite(word.entropy or 0.0) for word in made.score_words("the cat", details=True))


@pytest.mark.parametrize("unit", ["char", "word"])
@pytest.mark.parametrize("documents", ["text", "lines"])
@pytest.mark.parametrize("order", [1, 3, 6])
def test_ngrams_in_windows_are_those_of_the_whole_text(unit: str, documents: str, order: int) -> None:
    made = _model(unit, documents=documents)
    ids = encode_text(TEXT, made.vocabulary, made.settings).ids
    ngrams = KneserNey(ids, made.vocabulary, order, lines=made.settings.lines)
    text = "the man ran on\na cat sat on the zebra\n" * 9
    expected = -np.log2(ngrams.probabilities(encode_text(text, made.vocabulary, made.settings).ids))
    lines = text.splitlines(keepends=True)
    scorer = Scorer(made.settings, made.vocabulary, ngrams.surprisals)
    found = [token.surprisal for _, token in scorer.scores(lines)]
    np.testing.assert_allclose(found, expected)
    words = score_words(scorer, map(text_line, lines))
    assert sum(word.surprisal for word in words) == pytest.approx(expected.sum())


# --- items


def _documents(tmp_path: Path, data: str, name: str = "items.csv", **options: Any) -> list[Document]:
    (tmp_path / name).write_text(data, encoding="utf-8")
    with open_table(str(tmp_path / name), "utf-8") as table:
        return list(documents(table, **{"word": "word", "by": ["story"], **options}))


def test_documents_of_a_table(tmp_path: Path) -> None:
    data = 'story,word\n1,the\n1,"cat, "\n1,a  lot\n2,"on ""the"""\n1b,mat\n'
    found = _documents(tmp_path, data)
    assert [document.name for document in found] == [("1",), ("2",), ("1b",)]
    assert [[line.text for line in document.lines] for document in found] == [["the cat, a lot"], ['on "the"'], ["mat"]]
    assert found[0].lines[0].spans == [(0, 3), (4, 8), (9, 14)]
    assert [row.fields for row in found[0].rows] == [["1", "the"], ["1", "cat, "], ["1", "a  lot"]]
    (whole,) = _documents(tmp_path, data, by=[], join="")
    assert whole.lines[0].text == 'thecat,a loton "the"mat'


def test_sentences_of_a_document_are_its_lines(tmp_path: Path) -> None:
    data = "word\nDr.\nWho\nsat.\nThe\ncat ran. A\ndog\nslept.\n"
    (found,) = _documents(tmp_path, data, by=[], sentences=True)
    assert [line.text for line in found.lines] == ["Dr. Who sat.\n", "The cat ran.\n", "A dog slept."]
    parts = ["Dr.", "Who", "sat.", "The", "cat ran.", "A", "dog", "slept."]
    assert [line.text[a:b] for line in found.lines for a, b in line.spans] == parts
    assert found.words == [(word, 1 + (word == "cat ran. A")) for word in data.split("\n")[1:-1]]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("story,word\n1,the\n1\n", "items.csv:3: 1 column, expected 2 as in the header"),
        (
            "story,token\n1,the\n",
            "items.csv:1: no column 'word' among 'story', 'token', its header (see --word-column)",
        ),
        ("word,text\nthe,a\n", "items.csv:1: no column 'story'"),
        ("story,word,word\n1,the,a\n", "items.csv:1: more than one column 'word'"),
        ("story,word\n1,the\n1, \n", "items.csv:3: no word in column 'word', expected one in every row"),
        ("story,word\n1,a\n2,b\n1,c\n", "items.csv:4: '1' begins again, expected its rows to stand together"),
        ('story,word\n1,"a\n2,b\n', "items.csv:3: not CSV"),
    ],
)
def test_tables_that_are_none(tmp_path: Path, data: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        _documents(tmp_path, data)
    assert said in str(error.value)


@pytest.mark.parametrize("settings", MODELS, ids=str)
@pytest.mark.parametrize("join", [" ", ""])
def test_items_have_a_row_each_and_add_up(tmp_path: Path, settings: dict[str, Any], join: str) -> None:
    """Whatever the tokens are: without spaces, a token of several rows counts for the one in which it begins."""
    made = _model(**settings)
    data = "story\tword\n" + "".join(f"{i // 9}\t{word}\n" for i, word in enumerate(TEXT.split()[:40]))
    study = ReadingStudy(made)
    for document in _documents(tmp_path, data, "items.tsv", join=join):
        rows = list(study.items(document))
        assert [row[:2] for row in rows] == [row.fields for row in document.rows]
        assert sum(row[2] for row in rows) == pytest.approx(_bits(made, document.lines[0].text), rel=1e-5)
        assert study.document(document)[1] == pytest.approx(sum(row[2] for row in rows))


@pytest.mark.parametrize("settings", MODELS, ids=str)
@pytest.mark.parametrize("spaces", ["before", "after"])
def test_a_region_has_what_its_words_have(tmp_path: Path, settings: dict[str, Any], spaces: str) -> None:
    """White space inside it is its own."""
    study, words = ReadingStudy(_model(**settings), spaces=spaces), TEXT.split()[:24]

    def rows(length: int) -> np.ndarray:
        regions = (" ".join(words[i : i + length]) for i in range(0, len(words), length))
        (document,) = _documents(tmp_path, "word\n" + "".join(f"{region}\n" for region in regions), "w.tsv", by=[])
        return np.array([row[1:] for row in study.items(document)])

    np.testing.assert_allclose(rows(4), rows(1).reshape(6, 4, -1).sum(axis=1), rtol=1e-5)


# --- rows


def test_columns_and_spillover() -> None:
    made = _model("char")
    study = ReadingStudy(made, COLUMNS, spillover=2, frequency=lambda word: float(len(word) * 10))
    rows = [dict(zip(study.names("word"), row, strict=True)) for row in study.words(["the cat\n", "ran\n"])]
    words = list(made.score_words("the cat\nran\n", details=True))
    assert [row["surprisal"] for row in rows] == [word.surprisal for word in words]
    assert [row["entropy"] for row in rows] == [word.entropy for word in words]
    assert [row["rank"] for row in rows] == [word.rank for word in words]
    assert [row["frequency_1"] for row in rows] == [None, 30.0, 30.0]
    assert [row["surprisal_2"] for row in rows] == [None, None, words[0].surprisal]
    assert [row["length_2"] for row in rows] == [None, None, 3]
    alone = [row[-1] for row in replace(study, independent=True, spillover=1).words(["the cat\n", "ran\n"])]
    assert alone == [None, 30.0, None]


def test_lines_and_whole_texts() -> None:
    made, lines = _model("char"), TEXT.splitlines(keepends=True)[:4]
    study, bits = ReadingStudy(made), _bits(made, "".join(lines))
    rows = list(study.sums(lines))
    assert [row[:2] for row in rows] == [[number, len(line)] for number, line in enumerate(lines, 1)]
    assert sum(row[2] for row in rows) == pytest.approx(bits, rel=1e-6)
    ((name, tokens, surprisal, unknown),) = study.sums(lines, "a.txt")
    assert (name, tokens, surprisal, unknown) == ("a.txt", sum(map(len, lines)), pytest.approx(bits, rel=1e-6), 0)
    alone = list(replace(study, independent=True).sums(lines, "a.txt"))
    assert [row[0] for row in alone] == [1, 2, 3, 4]
    assert alone[1][2] == pytest.approx(_bits(made, lines[1]), rel=1e-6)


def test_what_else_is_said_of_words() -> None:
    """They are given in their lines, with spaces for white space."""
    given: list[Any] = []

    def more(lines: Any) -> Any:
        given.extend(lines)
        return [[(float(start), float(end)) for start, end in spans] for _, spans in lines]

    study = ReadingStudy(_model("char"), more=more, more_names=["a", "b"])
    rows = list(study.words(["\tthe\u00a0cat\n", "\n", "ran\n"]))
    assert given == [(" the cat", [(1, 4), (5, 8)]), ("ran", [(0, 3)])]
    assert [row[-2:] for row in rows] == [row[2:4] for row in rows] == [[1, 4], [5, 8], [0, 3]]
    assert study.names("word")[-2:] == ["a", "b"]


def test_unknown_columns() -> None:
    with pytest.raises(InputError, match="no column 'size', expected some of entropy"):
        ReadingStudy(_model("char"), ["size"])
    with pytest.raises(InputError, match="frequencies are needed"):
        ReadingStudy(_model("char"), ["frequency"])


def test_words_of_a_class() -> None:
    classes = Classes(LabelSet(["a", "b"]), (1, 1), ConditionSettings(condition=True))
    made = LanguageModel.untrained("the cat\nsat on\n", documents="lines", hidden=6, embedding=4, classes=classes)
    with torch.no_grad():
        for parameter in made.network.parameters():
            parameter.add_(torch.linspace(-1, 1, parameter.numel()).reshape(parameter.shape))
    sums = []
    for label in ("a", "b"):
        given = made.given(label)
        sums.append(sum(word.surprisal for word in given.score_words("the cat\nsat on\n", details=True)))
        assert sums[-1] == pytest.approx(_bits(given, "the cat\nsat on\n"), rel=1e-5)
    assert sums[0] != pytest.approx(sums[1], rel=1e-3)
