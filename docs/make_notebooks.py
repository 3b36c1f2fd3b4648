"""Runs the notebooks and keeps what they show: ``python docs/make_notebooks.py [NOTEBOOK...]``; needs nbclient."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent / "notebooks"


def main() -> None:
    for place in map(Path, sys.argv[1:] or sorted(FOLDER.glob("*.ipynb"))):
        notebook = nbformat.read(place, as_version=4)
        with tempfile.TemporaryDirectory() as folder:  # where it writes its runs
            NotebookClient(
                notebook, timeout=600, record_timing=False, resources={"metadata": {"path": folder}}
            ).execute()
        notebook.metadata.pop("language_info", None)  # which differs from machine to machine
        nbformat.write(notebook, place)


if __name__ == "__main__":
    main()
