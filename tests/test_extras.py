"""What is said where an extra is not installed, or is broken."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from seqtree.errors import InputError, SeqtreeError
from seqtree.extras import needed


@pytest.mark.parametrize("module", ["nowhere_x", "nowhere_x.part"])
def test_what_is_not_installed(module: str) -> None:
    with pytest.raises(InputError) as raised:
        needed(module, "plot", "plots need it")
    assert str(raised.value) == 'plots need it: pip install "seqtree[plot]"'


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("raise ImportError('libfoo.so: cannot open shared object file')", "libfoo.so: cannot open shared object file"),
        ("raise RuntimeError('compiled for another NumPy')", "compiled for another NumPy"),
        ("import nowhere_x", "No module named 'nowhere_x'"),
        ("assert False", "AssertionError"),
    ],
)
def test_what_is_installed_but_broken(line: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_x.py").write_text(line)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SeqtreeError) as raised:
        needed("broken_x", "plot", "plots need it")
    assert not isinstance(raised.value, InputError)
    assert str(raised.value) == f"plots need it; broken_x is installed, but cannot be imported: {reason}"
    assert "broken_x" not in sys.modules
