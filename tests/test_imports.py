"""What importing seqtree costs: nothing heavy until it is used."""

from __future__ import annotations

import os
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


def test_who_has_others_parse_needs_no_torch(tmp_path: Path) -> None:
    script = """
import sys
from seqtree.cli import main
if __name__ == "__main__":
    try:
        main(["parse", "a cat sat", "--format", "bracket", "--processes", "2"])
    except SystemExit as leaving:
        print(leaving.code, "torch" in sys.modules)
"""
    (tmp_path / "parsing.py").write_text(script)
    command = [sys.executable, str(tmp_path / "parsing.py")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    tree, end = done.stdout.splitlines()
    assert tree.startswith("(S (NP (DT a) (NN cat))")
    assert end == "0 False"


@pytest.mark.parametrize("first", ["parse", "lm"])
def test_a_command_imports_only_what_it_needs(first: str, tmp_path: Path) -> None:
    """A process of a command leaves out a part of torch and, where NLTK would take it, SciPy; a library's does not."""
    commands = {"parse": ["parse", "a cat", "--k", "2"], "lm": ["lm", "next", "-h"]}
    script = f"""
import sys
from seqtree.cli import main, options
try:
    main({commands[first]!r})
except SystemExit as leaving:
    stub = sys.modules.get(options.TRACING)
    print(leaving.code, hasattr(stub, "__file__"), "scipy" in sys.modules, "torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == ("0 False False True" if first == "parse" else "0 False False False")


@pytest.mark.skipif(os.name != "posix", reason="users of POSIX systems")
def test_a_user_whom_the_system_does_not_know(tmp_path: Path) -> None:
    """NLTK is not imported without a home folder, which many a container lacks; with one, HOME stays as it is."""
    script = """
import os, sys
if sys.argv[1:]:
    import pwd
    del os.environ["HOME"]
    pwd.getpwuid = {}.__getitem__  # raises KeyError, as for a user without an entry
import seqtree, nltk
from seqtree.text.cache import cache_folder
print(os.environ["HOME"], cache_folder())
"""
    surroundings = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH")}
    for words, said in (([], f"{tmp_path} {tmp_path / '.cache' / 'seqtree'}\n"), (["unknown"], " None\n")):
        command = [sys.executable, "-c", script, *words]
        done = subprocess.run(
            command,
            env={**surroundings, "HOME": str(tmp_path)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stdout) == (0, said), done.stderr
