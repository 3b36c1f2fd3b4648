"""Vectors in files: NumPy, the two tables of the Embedding Projector, or the text form of word2vec."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from seqtree.errors import InputError
from seqtree.files import atomic_file, behind_links
from seqtree.phrases.phrase import Phrase
from seqtree.phrases.readers import Vector
from seqtree.text.vectors import write_vectors

FORMATS = ("npy", "tsv", "word2vec")
SECOND = {"npy": ".txt", "tsv": ".metadata.tsv"}  # the ending of the file beside


def export(
    phrases: Sequence[Phrase],
    vectors: Sequence[Vector],
    format: str,
    out: str | Path,
    sources: Sequence[str | Path] = (),
) -> list[Path]:
    """Write the vectors (N, D) of phrases, whole or not at all; the files that were written.

    npy: a NumPy array, and beside it the phrases as lines, in ``OUT.txt``. tsv: a line of numbers for each phrase, and
    ``OUT.metadata.tsv`` with the phrases, and their labels under a head if they have some: what the Embedding Projector
    of TensorFlow loads. word2vec: the number of words and the width, then a word and its numbers in each line, with
    ``_`` for a space within a phrase. Raises InputError for an unknown format, an empty phrase, vectors that are not
    one finite row for each phrase, where one of ``sources`` would be replaced, or a second file that is there without
    the first one, and for two phrases that word2vec's form writes alike; OSError.
    """
    names = _names(phrases)
    (path, *beside), rows = places(out, format, sources), _rows(vectors, names)
    if format == "word2vec":
        _check_apart(names)
        return [_written(path, lambda file: write_vectors(file, names, [rows], len(rows)))]
    if format == "npy":
        listed = _lines(names)
        return [_written(path, lambda file: np.save(file, rows)), _written(beside[0], listed)]
    if any(phrase.label is not None for phrase in phrases):
        pairs = zip(names, phrases, strict=True)
        names = ["phrase\tlabel", *(f"{name}\t{_flat(phrase.label or '')}" for name, phrase in pairs)]
    table = (("\t".join(f"{number:.9g}" for number in row)) for row in rows.tolist())
    return [_written(path, _lines(list(table))), _written(beside[0], _lines(names))]


def places(out: str | Path, format: str, sources: Sequence[str | Path] = ()) -> list[Path]:
    """The files that ``export`` writes. Raises InputError as it does, before anything is computed."""
    if format not in FORMATS:
        raise InputError(f"format {format!r}: expected one of {', '.join(FORMATS)}")
    path = Path(out)
    found = [path, *([_beside(path, SECOND[format])] if format in SECOND else [])]
    read = {Path(source).resolve() for source in sources}
    for place in found:
        if place.is_dir() or not place.parent.is_dir():
            raise InputError(f"{place}: expected the name of a file in a folder that is there")
        if behind_links(place) in read:
            raise InputError(f"{place}: is read, and would be replaced; expected another --out")
        if place.exists() and not path.exists():
            raise InputError(f"{place}: is there, and would be replaced beside {path}; expected another name for it")
    return found


def _names(phrases: Sequence[Phrase]) -> list[str]:
    """The phrases, each on one line. Raises InputError if there is none, or one is empty or no Phrase."""
    if not phrases:
        raise InputError("there is nothing to export")
    for phrase in phrases:
        if not isinstance(phrase, Phrase):
            raise InputError(f"expected Phrases to export, not {phrase!r:.60}")
    names = [_flat(phrase.text) for phrase in phrases]
    if "" in names:
        raise InputError(f"phrase {names.index('') + 1} of {len(names):,} is empty; expected a word or more")
    return names


def _rows(vectors: Sequence[Vector], names: Sequence[str]) -> Vector:
    """The vectors (N, D) as an array, one for each name. Raises InputError."""
    try:
        rows: Vector = np.asarray(vectors, dtype=np.float32)
    except (TypeError, ValueError):
        raise InputError("expected vectors of numbers, all of one width") from None
    if rows.ndim != 2 or len(rows) != len(names):
        raise InputError(f"vectors of shape {rows.shape}; expected (N, D), one for each of {len(names):,} phrases")
    if not (finite := np.isfinite(rows).all(axis=1)).all():
        raise InputError(f"{names[int(finite.argmin())]!r}: a number of its vector is not finite")
    return rows


def _check_apart(names: Sequence[str]) -> None:
    """Raises InputError for two phrases that word2vec's form, with _ for a space, writes alike."""
    written: dict[str, str] = {}
    for name in names:
        if (form := "_".join(name.split())) in written:
            if written[form] == name:
                raise InputError(f"{name!r} is there twice; expected each phrase once in word2vec's form")
            raise InputError(
                f"{written[form]!r} and {name!r} would both be {form} in word2vec's form; expected another --format"
            )
        written[form] = name


def _written(path: Path, write: Callable[[BinaryIO], object]) -> Path:
    with atomic_file(path) as file:
        write(file)
    return path


def _lines(lines: Sequence[str]) -> Callable[[BinaryIO], object]:
    return lambda file: file.writelines(f"{line}\n".encode(errors="replace") for line in lines)


def _beside(path: Path, suffix: str) -> Path:
    """``a.npy`` or ``a.tsv`` with another ending; of any other name, the name with it."""
    return path.with_suffix(suffix) if path.suffix in (".npy", ".tsv") else path.with_name(path.name + suffix)


def _flat(text: str) -> str:
    return " ".join(text.split())
