"""``seqtree.train``: what it refuses, and its report, a dict that a notebook shows as a table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import seqtree
from seqtree.corpora import path
from seqtree.errors import InputError
from seqtree.training.report import Report


def test_a_notebook_shows_single_values_only() -> None:
    shown = Report(
        {"labelled_f1": 87.65432, "steps": 12345, "model": "<runs>", "interrupted": False, "by_label": {"NP": 1}}
    )
    assert shown._repr_html_() == (
        "<table><tr><th>labelled f1</th><td>87.65</td></tr><tr><th>steps</th><td>12,345</td></tr>"
        "<tr><th>model</th><td>&lt;runs&gt;</td></tr><tr><th>interrupted</th><td>no</td></tr></table>"
    )


def test_large_and_small_figures_are_rounded_alike() -> None:
    shown = Report({"rate": 39876.54, "loss": 0.0012345})._repr_html_()
    assert "<td>39,877</td>" in shown
    assert "<td>0.001234</td>" in shown or "<td>0.001235</td>" in shown


def test_training_returns_one(tmp_path: Path) -> None:
    report = seqtree.train("parser", path("toy"), preset="tiny", epochs=1, out=tmp_path / "run", progress=False)
    assert f"<td>{tmp_path / 'run'}</td>" in report._repr_html_()
    assert json.loads(json.dumps(report)) == report


def test_what_is_no_task_and_no_path_is_refused() -> None:
    with pytest.raises(InputError, match=r"^task 'parsers': expected one of lm, parser, "):
        seqtree.train("parsers", "trees.mrg")
    with pytest.raises(InputError, match=r"^task None: expected one of lm, parser"):
        seqtree.train(None)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^source \['a.mrg', 'b.mrg'\]: expected a path; several are arguments of"):
        seqtree.train("parser", ["a.mrg", "b.mrg"])
    with pytest.raises(InputError, match=r"^source '': expected a path"):  # it would be the working folder
        seqtree.train("lm", "")
    with pytest.raises(InputError, match=r"^out '': expected a folder"):
        seqtree.train("lm", path("lighthouse"), out="", progress=False)
