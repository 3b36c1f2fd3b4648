"""``seqtree gradcheck``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seqtree.cli import run
from seqtree.reference.examples import EXAMPLES, Example
from seqtree.reference.network import Array
from seqtree.reference.squared_error import ONE, SquaredError


class _Wrong(SquaredError):
    def backward(self, dE: Array = ONE) -> Array:
        return -super().backward(dE)


@pytest.fixture
def _one_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EXAMPLES, "wrong", lambda: Example(_Wrong(), np.ones(2), (np.zeros(2),)))


def test_the_table_shows_every_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gradcheck"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    head, *rows = out.splitlines()
    assert head.split() == ["network", "parameter", "largest", "relative", "error", "passed"]
    assert list(dict.fromkeys(row.split()[0] for row in rows)) == list(EXAMPLES)
    assert all(row.endswith("  yes") and float(row.split()[2]) < 1e-7 for row in rows)


def test_some_networks_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gradcheck", "recursive", "gru"]) == 0
    rows = [row.split()[:2] for row in capsys.readouterr().out.splitlines()[1:]]
    assert rows == [
        *(["recursive", name] for name in ("W", "b", "input")),
        *(["gru", name] for name in ("W_z", "b_z", "W_r", "b_r", "W", "b", "input")),
    ]


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gradcheck", "--json"]) == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert err == "" and out.count("\n") == 1
    assert list(report) == ["checks", "passed"] and report["passed"] is True
    assert {check["network"] for check in report["checks"]} == set(EXAMPLES)
    for check in report["checks"]:
        assert list(check) == ["network", "parameter", "error", "passed"]
        assert check["passed"] is True and 0 <= check["error"] < 1e-7


@pytest.mark.usefixtures("_one_wrong")
def test_a_wrong_gradient_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gradcheck", "lstm", "wrong"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[-1].split() == ["wrong", "input", "2.0e+00", "NO"]
    assert err == "seqtree: error: 1 of 10 gradients are wrong: wrong input\n"


@pytest.mark.usefixtures("_one_wrong")
def test_a_wrong_gradient_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gradcheck", "wrong", "--json"]) == 1
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert report["passed"] is False
    assert report["checks"] == [
        {"network": "wrong", "parameter": "input", "error": pytest.approx(2.0), "passed": False}
    ]
    assert err.count("\n") == 1


def test_an_unknown_name_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gradcheck", "perceptron"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert all(name in err for name in ("'perceptron'", *EXAMPLES))


@pytest.mark.parametrize(
    ("args", "absent"), [(["--help"], ["torch", "nltk", "numpy"]), (["lstm"], ["torch", "nltk"])], ids=["help", "check"]
)
def test_neither_help_nor_check_loads_torch(args: list[str], absent: list[str], tmp_path: Path) -> None:
    script = (
        "import sys; from seqtree.cli import run\n"
        f"code = run(['gradcheck', *{args!r}])\n"
        f"sys.exit(code or ' '.join(name for name in {absent!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("Usage: seqtree gradcheck" if args == ["--help"] else "network")
    assert done.stderr.strip() == ""
