"""What the size of a text decides: how often it is read, and how much is dropped."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

import seqtree
from seqtree.errors import InputError
from seqtree.language.config import LanguageNetworkConfig
from seqtree.language.model import LanguageModel
from seqtree.language.task import LanguageModelTask as Task
from seqtree.text.config import TextSettings
from seqtree.text.vocabulary import Vocabulary
from seqtree.training.progress import Display

LINE = "the cat sat on the mat\n"  # 7 tokens with its end


def _dropouts(config: LanguageNetworkConfig) -> tuple[float, float, float]:
    return config.dropout_input, config.dropout_hidden, config.dropout_output


@pytest.mark.parametrize(
    ("words", "passes", "more"),
    [
        (10_000_000, 10, 0.0),
        (929_589, 10, 0.0),  # 0.0116: less than half a step
        (250_000, 10, 0.2),
        (250_000, 40, 0.2),
        (250_000, 6, 0.1),
        (250_000, 2, 0.0),
        (250_000, 0.5, 0.0),
        (1_000, 10, 1.0),
    ],
)
def test_a_short_text_that_is_read_often_has_more_dropped(words: int, passes: float, more: float) -> None:
    config = LanguageNetworkConfig(dropout_input=0.1, dropout_hidden=0.2, dropout_output=0.3, dropout_embedding=0.1)
    raised = config.with_dropout_for(words, passes)
    assert _dropouts(raised) == pytest.approx([min(0.6, was + more) for was in (0.1, 0.2, 0.3)])
    assert raised.dropout_embedding == 0.1
    much = LanguageNetworkConfig(dropout_output=0.8)
    assert much.with_dropout_for(words, passes).dropout_output == 0.8


def _fitted(text: Path, **options: Any) -> tuple[tuple[float, float, float], float | None, str]:
    """The dropout and the epochs of a run with these options, and what is said."""
    recipe, said = Task.resolve({"unit": "word", **options}), StringIO()
    fitted = Task.fitted(Task.read([str(text)], recipe, Display(StringIO())), recipe, Display(said))
    return _dropouts(fitted.network), fitted.training.epochs, said.getvalue()


@pytest.fixture
def text(tmp_path: Path) -> Path:
    file = tmp_path / "text.txt"
    file.write_text(LINE * 800, encoding="utf-8")  # 5,040 tokens to train on
    return file


def test_small_corpora_get_more_dropout_and_say_so(text: Path) -> None:
    dropouts, epochs, said = _fitted(text)
    assert epochs == 40
    assert dropouts == (0.6, 0.6, 0.6)
    assert "small corpus (5,040 tokens): dropout 0.2 -> 0.6" in said
    assert _fitted(text, minutes=1.0)[0] == (0.6, 0.6, 0.6)


def test_a_short_training_gets_less_of_it(text: Path) -> None:
    once = _fitted(text, epochs=1.0)
    assert once[0] == (0.2, 0.2, 0.2)
    assert "dropout" not in once[2]
    assert 0.2 < _fitted(text, epochs=4.0)[0][0] < 0.6


@pytest.mark.parametrize(
    ("options", "dropouts"),
    [
        ({"dropout": 0.1}, (0.1, 0.1, 0.1)),
        ({"dropout_output": 0.0}, (0.2, 0.2, 0.0)),
        ({"weight_drop": 0.1}, (0.2, 0.2, 0.2)),
        ({"preset": "tiny"}, (0.0, 0.0, 0.0)),
        ({"unit": "char"}, (0.0, 0.1, 0.1)),
    ],
)
def test_dropout_that_is_given_is_kept(
    text: Path, options: dict[str, Any], dropouts: tuple[float, float, float]
) -> None:
    assert _fitted(text, **options)[0] == dropouts


def test_a_model_that_goes_on_keeps_its_dropout(text: Path, tmp_path: Path) -> None:
    vocabulary = Vocabulary.build(dict.fromkeys(LINE.split(), 1), "word")
    config = LanguageNetworkConfig(hidden=4, embedding=4, dropout_output=0.15)
    LanguageModel.over(vocabulary, TextSettings(unit="word"), config, 0).save(tmp_path / "model.safetensors")
    assert _fitted(text, init_from=str(tmp_path / "model.safetensors"), unit=None)[0] == (0.0, 0.0, 0.15)


def test_a_run_that_goes_on_keeps_its_dropout(text: Path, tmp_path: Path) -> None:
    options = {"unit": "word", "hidden": 4, "embedding": 4, "valid_share": 0.1, "progress": False, "threads": 1}
    run = tmp_path / "run"
    seqtree.train("lm", text, **options, epochs=4.0, out=str(run))
    begun = json.loads((run / "config.json").read_text())["network"]
    assert 0.2 < begun["dropout_output"] < 0.6
    seqtree.train("lm", text, **options, epochs=6.0, out=str(run), resume=True)
    assert json.loads((run / "config.json").read_text())["network"] == begun
    assert seqtree.load(run).network.config.dropout_output == begun["dropout_output"]
    (run / "config.json").write_text(json.dumps({"preset": "small", "network": {**begun, "dropout_output": 2.0}}))
    with pytest.raises(InputError, match=r"dropout_output 2\.0: expected"):
        seqtree.train("lm", text, **options, epochs=8.0, out=str(run), resume=True)
