"""The models that come with seqtree, and what a path or a name of a model stands for. No torch: only files are named.

``models/NAME.safetensors`` is a model, and ``models/NAME.json`` its card; a new model is these two files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from seqtree.errors import InputError, ModelFileError

FOLDER = Path(__file__).parent / "models"
DEFAULT = "default"  # the name of the parser where none is named


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is known of a model: its kind, the licence of the trees it was trained on in a few words, its figures.

    ``f1`` is labelled F1 in percent by the name of the validation trees.
    """

    name: str
    kind: str
    licence: str
    parameters: int
    f1: Mapping[str, float]

    @property
    def file(self) -> Path:
        """The model file."""
        return FOLDER / f"{self.name}.safetensors"


def cards(kind: str | None = None) -> dict[str, Card]:
    """The cards of the models of a kind, or of all, by their names."""
    files = sorted(FOLDER.glob("*.json"))
    found = [Card(name=file.stem, **json.loads(file.read_text(encoding="utf-8"))) for file in files]
    return {card.name: card for card in found if kind in (None, card.kind)}


def located(path: str | Path, kind: str | None = None) -> Path:
    """The model file that is meant: a file itself, that of a run folder, or a model of ``kind`` that has this name.

    A string may be a name; a file or run in the current folder that is called the same comes first. A ``Path`` is never
    a name. Raises ModelFileError if there is nothing, where models of the kind come with seqtree, and InputError for
    what is no path, an empty string too.
    """
    if not isinstance(path, str | PathLike) or path == "":
        raise InputError(f"model {path!r}: expected a path or a name")
    known, place = cards(kind), Path(path)
    if _holds_run(place) and not (place / "model.safetensors").exists():
        raise ModelFileError(
            f"{place}: a run that has no model yet (its first evaluation saves one); go on with --resume"
        )
    file = place / "model.safetensors" if place.is_dir() else place
    if isinstance(path, str) and path in known and not file.exists():
        return known[path].file
    if known and not file.exists():
        names = f"the {kind or 'model'}s that come with seqtree: {', '.join(known)}"
        raise ModelFileError(f"{file}: no such model file; expected a model file, a run folder, or one of {names}")
    return file


def default_parser() -> Path:
    """The model file of the parser where none is named. Raises ModelFileError if there is none."""
    known = cards("parser")
    if DEFAULT not in known:
        raise ModelFileError(
            "no parser is shipped with this seqtree: name one with --model, a run folder or a model file "
            "such as 'seqtree parser train' writes"
        )
    return known[DEFAULT].file


def _holds_run(folder: Path) -> bool:
    """Whether a run has begun in a folder, with or without a model so far."""
    return (folder / "checkpoint.safetensors").exists()
