"""The models that are served, by name."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import torch

from seqtree import __version__
from seqtree.errors import InputError, SeqtreeError
from seqtree.files import in_turn, scratch
from seqtree.language.memorisation import Ids, training_text_of_run
from seqtree.language.model import LanguageModel
from seqtree.model import Model, load
from seqtree.serve.operations import OPERATIONS
from seqtree.shipped import default_parser
from seqtree.text.cache import (
    OF_A_SAMPLE,
    SAMPLE as ENDING,
    instead,
    make_room,
    note_use,
    ready_folder,
    size_limit,
    temporary_folder,
)
from seqtree.training.fit import train
from seqtree.wording import a

MAX_TRAINING = 50_000_000  # bytes of training text that samples are compared with
SAMPLE = "lighthouse"  # the embedded text that a small language model is trained on
MODEL, CONFIG = OF_A_SAMPLE


def given(paths: Sequence[str], tell: Callable[[str], object]) -> dict[str, str]:
    """Where the models are by name: those of these paths, or else the parser and a small language model.

    The language model is trained on an embedded text the first time, which ``tell`` is told, and kept in the cache
    folder. Raises KeyboardInterrupt if that is interrupted, InputError for a wrong limit of the cache.
    """
    if not paths:
        return {default_parser().stem: str(default_parser()), SAMPLE: str(_sample_model(tell))}
    return _named(paths)


def runs(models: Sequence[str], folders: Sequence[str]) -> dict[str, str]:
    """The run folders whose curves are shown, by name: these, and those among the paths of models.

    Raises InputError for a folder that there is not.
    """
    for folder in folders:
        if not Path(folder).is_dir():
            raise InputError(f"--run {folder}: expected the folder of a run")
    return _named([*folders, *(path for path in models if (Path(path) / "metrics.jsonl").is_file())])


def opened(
    paths: dict[str, str], device: str = "cpu", precision: str | None = None, threads: int | None = None
) -> dict[str, Model[Any]]:
    """The models. Raises ModelFileError, and InputError for a kind that the page has no use for."""
    if threads is not None:
        torch.set_num_threads(threads)
    models = {name: load(path, device, precision) for name, path in paths.items()}
    kinds = dict.fromkeys(one.kind for one in OPERATIONS)
    for name, model in models.items():
        if model.kind not in kinds:
            raise InputError(
                f"{paths[name]} is {a(model.kind)}, which the page has no use for: expected {', '.join(kinds)}"
            )
    return models


def training_texts(paths: Mapping[str, str], models: Mapping[str, Model[Any]]) -> dict[str, Callable[[], Ids]]:
    """What reads the token indices (N,) of each language model's training text, if it is known and not too large.

    A run folder names its text; it is read as the model reads it.
    """
    found: dict[str, Callable[[], Ids]] = {}
    for name, model in models.items():
        if isinstance(model, LanguageModel):
            with suppress(SeqtreeError, OSError):
                text = training_text_of_run(Path(paths[name]), "--training-text")
                if sum(Path(file).stat().st_size for file in text.paths if Path(file).is_file()) <= MAX_TRAINING:
                    found[name] = partial(text.ids, model)
    return found


def _named(paths: Sequence[str]) -> dict[str, str]:
    """Each path by its last part, a run's model by that of its run, with a number where that is taken."""
    found: dict[str, str] = {}
    for path in dict.fromkeys(paths):
        whole = Path(path).resolve()
        name = stem = whole.parent.name if whole.name == "model.safetensors" else whole.stem
        number = 2
        while name in found:
            name, number = f"{stem}-{number}", number + 1
        found[name] = path
    return found


def _sample_model(tell: Callable[[str], object]) -> Path:
    """The small language model of the cache folder; of a temporary one where that cannot be used."""
    size_limit()  # in order
    name = f"{SAMPLE}-{__version__}{ENDING}"
    try:
        kept = ready_folder() / name
        if not (kept / MODEL).exists():
            waiting = f"another process is training a language model on {SAMPLE}: waiting for it"
            with in_turn(kept.with_suffix(".lock"), lambda: tell(waiting)):  # which fails before any training
                if not (kept / MODEL).exists():
                    _train_sample(kept, tell)
        note_use(kept, [SAMPLE])
        make_room(kept.parent, kept)
    except OSError as error:
        tell(f"warning: {instead(error)}")
        kept = temporary_folder() / name
        _train_sample(kept, tell)
    return kept / MODEL


def _train_sample(kept: Path, tell: Callable[[str], object]) -> None:
    """Train a small language model, and put it into a new folder; nothing is left of a training that is interrupted."""
    tell(f"training a small language model on the embedded text {SAMPLE!r}, once")
    with scratch() as folder:
        report = train("lm", preset="tiny", out=folder / SAMPLE, seed=0, progress=False)
        if report["interrupted"]:
            raise KeyboardInterrupt
        made = Path(report["model"])
        kept.mkdir(exist_ok=True)
        shutil.copy(made / CONFIG, kept)  # which says what it was trained on
        load(made).save(kept / MODEL)
