"""What importing seqtree costs: nothing heavy until it is used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "nltk", "numpy", "rich", "safetensors")


@pytest.mark.parametrize(
    "module", ["seqtree", "seqtree.errors", "seqtree.shipped", "seqtree.cli", "seqtree.cli.models", "seqtree.corpora"]
)
def test_import_loads_nothing_heavy(module: str, tmp_path: Path) -> None:
    script = f"import sys, {module}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    command = [sys.executable, "-c", script]  # away from the source folder, which has no seqtree.cli below seqtree
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []
