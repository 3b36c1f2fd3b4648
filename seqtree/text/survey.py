"""The first reading of a corpus, which finds every fault of its files; large ones that are unchanged need it once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, suppress

from seqtree.errors import InputError
from seqtree.files import in_turn
from seqtree.text.cache import cache_folder, name_of, remember, remembered, state_of_files
from seqtree.text.reading import Source, read_text


def first_reading(
    train: Sequence[Source], valid: Sequence[Source], encoding: str, large: bool
) -> tuple[int, list[str]]:
    """The training text's length in characters, and the SHA-256 of each file, in hex. Raises InputError for any fault.

    What is known of large files that have not changed is taken from the cache; of several processes that want to
    know it, one reads them and the others wait.
    """
    files, folder = [*train, *valid], cache_folder()
    states, settled = state_of_files([source.path for source in files])
    if not (large and folder and settled and all(str(source.path) == source.name for source in files)):
        return _read_through(train, valid, encoding)
    name = name_of([encoding, len(train), states, [source.named for source in files]])
    with ExitStack() as held:
        with suppress(OSError):  # a folder that cannot be written to
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(in_turn(folder / f"{name}.lock", lambda: None))
        known = remembered(folder, name)
        if not (isinstance(known, list) and len(known) == 2):
            known = _read_through(train, valid, encoding)
            if state_of_files([source.path for source in files])[0] == states:
                remember(folder, name, known)
        characters, hashes = known
        return characters, hashes


def _read_through(train: Sequence[Source], valid: Sequence[Source], encoding: str) -> tuple[int, list[str]]:
    hashes: list[str] = []
    characters = sum(map(len, read_text(train, encoding, hashes)))
    if not characters:
        raise InputError(f"{train[0].path.parent}: all its .txt files are empty; text was expected")
    for _ in read_text(valid, encoding, hashes):
        pass
    return characters, hashes
