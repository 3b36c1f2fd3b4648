"""``seqtree plot curves``: pictures of runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_helpers import Run, caller, refused

LINES = '{"step": 1, "epoch": 0.5, "loss": 3.0, "seconds": 1}\n{"step": 2, "epoch": 1, "loss": 2.0, "seconds": 2}\n'


@pytest.fixture
def plot(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "metrics.jsonl").write_text(LINES, encoding="utf-8")
    return caller(capsys, tmp_path, monkeypatch, "plot", "curves")


@pytest.mark.parametrize(("name", "begin"), [("c.svg", b"<?xml"), ("c.png", b"\x89PNG"), ("C.PDF", b"%PDF")])
def test_a_picture(plot: Run, tmp_path: Path, name: str, begin: bytes) -> None:
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    code, out, _ = plot("a", "b", "--out", name, "--over", "seconds", "--logarithmic")
    assert (code, out) == (0, f"{name}: loss of 2 runs\n")
    assert (tmp_path / name).read_bytes().startswith(begin)


def test_what_cannot_be_drawn(plot: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(plot("a", "--out", "c.gif"), "--out c.gif: expected a file that ends in .svg, .png or .pdf")
    refused(plot("a", "--out", "nowhere/c.svg"), "in a folder that is there")
    (tmp_path / "gone.svg").symlink_to("nothing")
    refused(plot("c", "--out", "gone.svg"), "gone.svg: a link to nothing; expected a file")  # before a run is read
    refused(plot("c", "--out", "c.svg"), "c: expected the folder of a run that has been evaluated")
    with monkeypatch.context() as patch:
        patch.setitem(__import__("sys").modules, "matplotlib.figure", None)
        refused(plot("a", "--out", "c.svg"), 'pip install "seqtree[plot]"')
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    refused(plot("a", "--out", "c.svg", "--figure", "lost"), "--figure lost: no run has measured it", "loss")
    assert not (tmp_path / "c.svg").exists()
