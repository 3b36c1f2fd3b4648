"""A run folder: ``config.json``, ``metrics.jsonl``, ``model.safetensors`` (the best), ``checkpoint.safetensors``."""

from __future__ import annotations

import glob
import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from torch import Tensor

from seqtree import modelfile
from seqtree.errors import InputError, ModelFileError
from seqtree.files import LOCK, behind_links, locked, sync_folder, temporary_name, write_atomically
from seqtree.wording import a

CHECKPOINT = "checkpoint"  # the kind of its file


class RunFolder:
    """The files of one run, each written whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.model, self.checkpoint = path / "model.safetensors", path / "checkpoint.safetensors"
        self.metrics, self.config = path / "metrics.jsonl", path / "config.json"

    @contextmanager
    def opened(self, resume: bool) -> Iterator[None]:
        """Make the folder and hold it for this process; a start that fails takes a new folder away again.

        Raises InputError if it cannot be written, is held by another process, or holds a run and ``resume`` is false.
        """
        made = self._create(resume)
        try:
            with locked(self.path):
                self._remove_leftovers()
                yield
        except BaseException:
            self._remove(made)
            raise

    def _create(self, resume: bool) -> list[Path]:
        """The folders that were made, the innermost first."""
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"{self.path}: a file; --out expects a folder")
        if not resume and (self.checkpoint.exists() or self.model.exists()):
            raise InputError(f"{self.path}: already holds a run; go on with it by --resume, or choose another --out")
        if self.model.exists() and not self.checkpoint.exists():
            raise InputError(
                f"{self.path}: holds a model but no {self.checkpoint.name} to resume from, and training would replace "
                f"the model; choose another --out (with --init-from {self.path} to go on from it)"
            )
        made = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
        if link := next((folder for folder in made if folder.is_symlink()), None):
            raise InputError(f"{link}: a link to nothing; --out expects a folder, or a name that is not there yet")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            (self.path / LOCK).touch()
        except OSError as error:
            raise InputError(f"{self.path}: cannot write there ({error.strerror}); choose another --out") from error
        for folder in made:
            sync_folder(folder.parent)
        return made

    def _remove(self, made: list[Path]) -> None:
        """Take away what a start that failed has made, unless something else is in it by now."""
        if made and all(file.name == LOCK for file in self.path.iterdir()):
            (self.path / LOCK).unlink(missing_ok=True)
            for folder in made:
                try:
                    folder.rmdir()
                except OSError:  # somebody else uses it
                    return

    def _remove_leftovers(self) -> None:
        """Remove the temporary files of a process that was killed while it wrote."""
        for path in map(behind_links, (self.model, self.checkpoint, self.metrics, self.config)):
            for leftover in path.parent.glob(temporary_name(glob.escape(path.name), "*")):
                leftover.unlink(missing_ok=True)

    @property
    def begun_with(self) -> dict[str, Any]:
        """What config.json says of the run; nothing if it is not there or says nothing."""
        try:
            config = json.loads(self.config.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return config if isinstance(config, dict) else {}

    def write_config(self, config: dict[str, Any]) -> None:
        """Write config.json. Raises OSError."""
        text = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
        write_atomically(self.config, text.encode(errors="backslashreplace"))  # file names need not be UTF-8

    def write_model(self, save: Callable[[Path], None]) -> None:
        """Have the model file written by ``save(path)``."""
        save(self.model)

    def write_checkpoint(self, contents: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        """Write the checkpoint. Raises OSError; the last one then survives."""
        modelfile.save(self.checkpoint, CHECKPOINT, contents, tensors)

    def read_checkpoint(self) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
        """Contents and tensors of the checkpoint; None if the run has none yet. Raises ModelFileError."""
        if not self.checkpoint.exists():
            return None
        kind, contents, tensors = modelfile.load(self.checkpoint)
        if kind != CHECKPOINT:
            raise ModelFileError(f"{self.checkpoint}: holds {a(kind)}, expected {a(CHECKPOINT)}")
        return contents, tensors

    def add_metrics(self, record: dict[str, Any]) -> None:
        """Append one evaluation."""
        lines = self._lines()
        lines.append(json.dumps(record))
        self._write_lines(lines)

    def records(self, most: int) -> list[dict[str, float]]:
        """The figures of the last evaluations, at most so many, without what is no finite number or cannot be read."""
        found = []
        for line in self._lines()[-most:]:
            with suppress(ValueError, AttributeError, RecursionError):
                figures = json.loads(line).items()
                found.append({name: value for name, value in figures if _is_figure(value)})
        return found

    def cut_metrics(self, step: int) -> int:
        """Forget evaluations after ``step``: the run goes back to its checkpoint. How many lines were unreadable."""
        lines = self._lines()
        steps = [_step_of(line) for line in lines]
        if lines:
            self._write_lines([line for line, at in zip(lines, steps, strict=True) if at is not None and at <= step])
        return steps.count(None)

    def _lines(self) -> list[str]:
        if not self.metrics.exists():
            return []
        return self.metrics.read_text(encoding="utf-8", errors="replace").splitlines()

    def _write_lines(self, lines: list[str]) -> None:
        write_atomically(self.metrics, "".join(line + "\n" for line in lines).encode())


def _is_figure(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


class OthersRunFolder(RunFolder):
    """The folder of a run that another process writes: here nothing is written, and no checkpoint is read."""

    @contextmanager
    def opened(self, resume: bool) -> Iterator[None]:
        yield

    def write_config(self, config: dict[str, Any]) -> None:
        """Nothing."""

    def write_model(self, save: Callable[[Path], None]) -> None:
        """Nothing."""

    def write_checkpoint(self, contents: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        """Nothing."""

    def add_metrics(self, record: dict[str, Any]) -> None:
        """Nothing."""

    def cut_metrics(self, step: int) -> int:
        return 0


def _step_of(line: str) -> int | None:
    """The step of a line of metrics.jsonl; None if the line is damaged."""
    try:
        step = json.loads(line)["step"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return step if isinstance(step, int) else None


def whole_path(source: str) -> str:
    """A source as config.json names it: with its whole path, unless it is standard input or a corpus of NLTK's."""
    return source if source == "-" or source.startswith("nltk:") else str(Path(source).resolve())
