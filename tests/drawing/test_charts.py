"""Charts by matplotlib: confusion matrices, F1 by length and label; labels, numbers and colours."""

from __future__ import annotations

import re
import sys

import pytest
from picture_helpers import texts_of

from seqtree.confusion import by_frequency, mistakes, most_confused, pairs_of
from seqtree.drawing.brackets import f1_chart
from seqtree.drawing.charts import FORMATS, LONGEST, Chart, in_notebook, label
from seqtree.drawing.confusion import MOST, OTHERS, RIGHT, WRONG, confusion_chart
from seqtree.drawing.curves import curves
from seqtree.errors import InputError
from seqtree.treebank.parseval import Brackets

pytest.importorskip("matplotlib", reason="the extra plot is not installed")
PAIRS = {("a", "a"): 3, ("a", "b"): 1, ("b", "b"): 1, ("c", "a"): 1000, ("c", "c"): 1}


def _fills(data: bytes) -> list[str]:
    return re.findall(r"fill: (#[0-9a-f]{6})", data.decode())


def test_labels_are_shortened_between_what_readers_take_for_characters() -> None:
    assert label("é" * LONGEST) == "é" * LONGEST
    assert label("e\u0301" * LONGEST) == "e\u0301" * LONGEST  # as wide as if it were composed
    assert label("x" * (LONGEST - 2) + "हिन्दी") == "x" * (LONGEST - 2) + "…"
    assert label("中" * LONGEST) == "中" * ((LONGEST - 1) // 2) + "…"


def test_pairs() -> None:
    table = [[3, 1, 0], [0, 1, 0], [1000, 0, 1]]
    assert pairs_of(table, "abc") == PAIRS
    assert mistakes(PAIRS) == [(1000, "c", "a"), (1, "a", "b")]
    assert by_frequency({**PAIRS, ("a", "z"): 0}) == ["c", "a", "b", "z"]
    assert most_confused(PAIRS, "bca", 2) == ["c", "a"]
    assert most_confused({("x", "x"): 2}, "yx", 1) == ["y"]
    assert most_confused(PAIRS, "abc", 3) == ["a", "b", "c"]


def test_a_confusion_matrix_has_counts_shares_and_both_axes() -> None:
    made, caption = confusion_chart(PAIRS, "abc", "texts")
    texts = texts_of(made)
    assert caption == "confusion of 1,006 texts, 0.50% right"
    for said in ("1,006 texts, 0.50% right", "true class (its number of texts)", "taken for"):
        assert said in texts
    for cell in ("3", "75%", "1", "25%", "100%", "1,000", "<1%", "a  (4)", "b  (1)", "c  (1,001)", "a", "b", "c"):
        assert cell in texts
    assert "0" not in texts  # what never happened stays empty
    fills = _fills(made)
    assert RIGHT[1] in fills and fills.count(RIGHT[1]) == 1  # b, always right
    assert any(fill in fills for fill in (WRONG[1], "#b35d01", "#b35c01", "#b35d00"))  # c, nearly always wrong


def test_of_many_classes_the_most_confused_are_shown() -> None:
    names = [f"class{number:02}" for number in range(77)]
    pairs = {(name, name): 10 for name in names}
    for number in range(30):
        pairs[names[2 * number], names[2 * number + 1]] = 1 + number  # the later, the more often
    pairs[names[59], names[0]] = 2
    made, caption = confusion_chart(pairs, names, "texts")
    texts = texts_of(made)
    assert caption.endswith(", the 20 most confused of 77 classes")
    assert "the 20 most confused of 77 classes" in texts
    shown = [text for text in texts if re.fullmatch(r"class\d\d", text)]
    assert shown == names[40:60] and len(shown) == MOST
    assert texts.count(OTHERS) == 1
    assert "class59  (12)" in texts and "17%" in texts  # of all its texts, 2 of 12 were taken for a class not shown


def test_names_are_text_whatever_they_are() -> None:
    names = ["a\x00b", "<&\"'>", "\ud800", "$x^2$", "_under", "中文", "x" * 99, "two words"]
    made = confusion_chart({(name, name): 1 for name in names}, names, "texts").data
    texts = texts_of(made)
    assert {"a\ufffdb", names[1], "$x^2$", "_under", "中文", "x" * 31 + "…", "two words"} <= {*texts}
    run = curves({"_a $x$": [{"step": 1, "loss": 2.0}], "b": [{"step": 1, "loss": 3.0}]}, ["loss"], "step", ".svg")
    assert {"_a $x$", "b", "loss", "step"} <= {*texts_of(run)}


def test_there_is_no_step_between_two() -> None:
    drawn = curves({"a": [{"step": n, "loss": 2.0} for n in (1, 2)]}, ["loss"], "step", ".svg")
    texts = texts_of(drawn)
    assert {"1", "2"} <= {*texts} and "1.2" not in texts


def test_f1_by_length_and_by_label() -> None:
    lengths = {
        3: Brackets(2, 2, 2, 1),
        10: Brackets(1, 3, 3, 2),
        11: Brackets(0, 4, 4, 5),
        35: Brackets(9, 10, 10, 1000),
    }
    labels = {"NP": Brackets(1, 2, 2, 1), "VP": Brackets(3, 1234, 6, 9), "-x": Brackets(0, 0, 1, 1)}
    made, caption = f1_chart(lengths, labels)
    texts = texts_of(made)
    assert caption == "labelled F1 of 1,008 sentences by length and of 3 labels"
    for said in ("Labelled F1, 1,008 sentences", "words of the sentence", "labelled F1 in percent"):
        assert said in texts
    for said in ("1–10", "(3)", "60.0", "11–20", "(5)", "0.0", "31–40", "(1,000)", "90.0"):
        assert said in texts
    assert "21–30" not in texts
    order = [text for text in texts if re.match(r"(NP|VP|-x) ", text)]
    assert order == ["VP  (1,234)", "NP  (2)", "-x  (0)"] and "50.0" in texts
    many = f1_chart(lengths, {f"L{i}": Brackets(1, i, 1, 1) for i in range(50)})
    assert many.caption.endswith("of 20 of 50 labels")
    assert "by label, the 20 most frequent of 50" in texts_of(many.data)
    assert [text.split()[0] for text in texts_of(many.data) if text.startswith("L") and "(" in text][:2] == [
        "L49",
        "L48",
    ]
    assert f1_chart({}, {}).caption == "labelled F1 of 0 sentences by length and of 0 labels"


@pytest.mark.parametrize(("format", "begin"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF")])
def test_the_same_file_each_time(format: str, begin: bytes) -> None:
    first, second = (confusion_chart(PAIRS, "abc", "texts", format).data for _ in range(2))
    assert first.startswith(begin) and first == second
    assert format in FORMATS


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(format: str) -> Chart:
        return confusion_chart(PAIRS, "abc", "texts", format)

    assert (in_notebook(draw) or "").startswith("<?xml")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(InputError, match=r'plots need matplotlib: pip install "seqtree\[plot\]"'):
        draw(".svg")
    assert in_notebook(draw) is None
