"""Files of an earlier seqtree: models open and compute the same, and a run says that it cannot be continued."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runs import Planned, train

import seqtree
from seqtree import ImageClassifier, LanguageModel, Parser
from seqtree.errors import InputError
from seqtree.images import digits
from seqtree.text import penn_tokens

EARLIER = Path(__file__).resolve().parent / "data" / "earlier"
EXPECTED: dict[str, Any] = json.loads((EARLIER / "expected.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["lm-tied", "lm-free"])
def test_language_models(name: str) -> None:
    model = seqtree.load(EARLIER / f"{name}.safetensors")
    assert isinstance(model, LanguageModel)
    scores = [score.surprisal for score in model.score("the cat sat\na zebra ran\n")]
    np.testing.assert_allclose(scores, EXPECTED["values"][name], atol=1e-3)


def test_a_parser_of_16_bits() -> None:
    parser = seqtree.load(EARLIER / "parser.safetensors", precision="fp32")
    assert isinstance(parser, Parser)
    (parse,) = parser.parses([parser.words(["the", "cat", "sat", "on", "the", "mat"])])
    assert parse is not None
    assert " ".join(str(parse.tree).split()) == EXPECTED["values"]["parser"]["tree"]
    np.testing.assert_allclose(parse.scores, EXPECTED["values"]["parser"]["scores"], atol=1e-3)


def test_an_image_classifier() -> None:
    classifier = seqtree.load(EARLIER / "image.safetensors")
    assert isinstance(classifier, ImageClassifier)
    np.testing.assert_allclose(classifier.probabilities(digits(3, 5).images), EXPECTED["values"]["image"], atol=1e-3)


def test_the_default_parser_gives_the_same_trees() -> None:
    """One hundred sentences, their trees with tags, and the sums of their scores."""
    parser = Parser.load("default", precision="fp32")
    rows = EXPECTED["shipped"]
    assert len(rows) == 100
    parses = parser.parses([penn_tokens(row["text"], parser.lexicon.words) for row in rows])
    for row, parse in zip(rows, parses, strict=True):
        assert parse is not None
        assert " ".join(str(parse.tree).split()) == row["tree"]
        assert parse.score == pytest.approx(row["score"], abs=0.01)


def test_a_run_begun_by_an_earlier_version_is_not_continued(tmp_path: Path) -> None:
    """One line says so, nothing is written, and its model can be used."""
    run = tmp_path / "run"
    shutil.copytree(EARLIER / "run", run)
    (tmp_path / "text.txt").write_text("the cat sat on the mat\n" * 20, encoding="utf-8")
    before = {file.name: file.read_bytes() for file in run.iterdir()}
    options = {"out": str(run), "resume": True, "preset": "tiny", "hidden": 6, "embedding": 6, "device": "cpu"}
    with pytest.raises(InputError, match="was begun by an earlier seqtree and cannot be continued exactly"):
        train(Planned("lm", (str(tmp_path / "text.txt"),), options))
    assert {file.name: file.read_bytes() for file in run.iterdir() if file.name != ".lock"} == before
    assert LanguageModel.load(run).perplexity("the cat\n") > 1
