"""What is installed here and what works: packages, processor, devices, caches, models, data.

What the base install needs is imported, for only that shows that it works (torch takes a second); of what the extras
install, only versions are looked up.
"""

from __future__ import annotations

import importlib
import os
import platform
import re
from collections.abc import Iterator
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from seqtree import __version__, shipped
from seqtree.errors import SeqtreeError
from seqtree.extras import install_line
from seqtree.processes import cores
from seqtree.text.cache import cache_folder, entries, size_limit

NOT_FOR_USERS = ("dev", "docs", "test")  # extras
TREEBANK = ("corpora/treebank", "corpora/treebank.zip")  # where NLTK looks for it
_REQUIREMENT = re.compile(r"([\w.-]+)(?:\[[^]]*\])?\s*(?:>=\s*([\w.]+))?[^;]*(?:;\s*extra\s*==\s*['\"](\w+)['\"])?")


def examine() -> dict[str, Any]:
    """All that was found, as JSON; ``troubles`` say, a line each, what the base install needs that is broken."""
    troubles: list[str] = []
    needs = list(_requirements())
    packages = {name: _package(name, least, troubles) for name, least, extra in needs if not extra}
    found: dict[str, Any] = {
        "seqtree": {"version": __version__, "folder": str(Path(__file__).parent)},
        "python": {"version": platform.python_version(), "platform": platform.platform()},
        "packages": packages,
        "computing": _computing(troubles),
        "cache": _cache(troubles),
        "models": _models(troubles),
        "nltk_data": _nltk_data(),
        "extras": _extras(needs),
    }
    if not needs:
        troubles.append("seqtree is not installed as a package, so that what it needs is not known: pip install .")
    return {**found, "troubles": troubles}


def _requirements() -> Iterator[tuple[str, str, str]]:
    """What seqtree needs: the name of a package, its least version, and the extra (empty: the base install)."""
    try:
        lines = metadata.requires("seqtree") or []
    except metadata.PackageNotFoundError:
        lines = []
    for line in lines:
        match = _REQUIREMENT.match(line)
        if match and match[3] not in NOT_FOR_USERS:
            yield match[1], match[2] or "0", match[3] or ""


def _package(name: str, least: str, troubles: list[str]) -> dict[str, Any]:
    """The version of a package of the base install, and whether it can be imported."""
    version = _version(name)
    trouble = ""
    if version is None:
        trouble = f"{name} is not installed: pip install '{name}>={least}'"
    elif _numbers(version) < _numbers(least):
        trouble = f"{name} {version} is too old, expected {least} or later: pip install '{name}>={least}'"
    else:
        try:
            importlib.import_module(name)
        except Exception as error:  # whatever a broken package raises
            trouble = f"{name} {version} cannot be imported ({_reason(error)}): pip install --force-reinstall {name}"
    if trouble:
        troubles.append(trouble)
    return {"version": version, "needed": least, "works": not trouble}


def _computing(troubles: list[str]) -> dict[str, Any]:
    """The processor, and what torch will compute with here: threads, device and number format of --precision auto.

    The processor alone where a package is in trouble already.
    """
    found: dict[str, Any] = {"processor": _processor(), "cores": cores()}
    if troubles:
        return found
    try:
        import numpy as np
        import torch

        from seqtree.nn.device import choose_device, choose_dtype

        torch.from_numpy(np.zeros(1)).sum().item()  # fails where torch was built for another NumPy
        device = choose_device("auto")
        gpus = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
        found |= {
            "threads": torch.get_num_threads(),
            "device": device.type,
            "gpus": [*gpus, *(["Apple (mps)"] if torch.backends.mps.is_available() else [])],
            "precision": "fp32" if choose_dtype("auto", device) is None else "bf16",
        }
    except Exception as error:  # whatever a broken package raises
        troubles.append(f"torch and NumPy do not compute here ({_reason(error)})")
    return found


def _cache(troubles: list[str]) -> dict[str, Any]:
    """Where what is kept lies, how much there is (None: it cannot be read), and how much there may be."""
    folder, limit, kept, writable = cache_folder(), None, None, False
    try:
        limit = size_limit()
    except SeqtreeError as error:
        troubles.append(str(error))
    with suppress(OSError):
        kept = entries(folder)
        there = next((path for path in (folder, *folder.parents) if path.exists()), None) if folder else None
        writable = bool(there and there.is_dir() and os.access(there, os.W_OK))
    return {
        "folder": str(folder) if folder else None,
        "readable": kept is not None,
        "writable": writable,
        "files": None if kept is None else len(kept),
        "bytes": None if kept is None else sum(one.size for one in kept),
        "limit_bytes": limit,
    }


def _models(troubles: list[str]) -> list[dict[str, Any]]:
    """The models that come with seqtree; each is opened, unless something is in trouble already."""
    found: list[dict[str, Any]] = []
    works = not troubles
    try:
        for card in shipped.cards().values():
            found.append({"name": card.name, "kind": card.kind, "bytes": card.file.stat().st_size})
            if works:
                importlib.import_module("seqtree.modelfile").load(card.file)
        shipped.default_parser()
    except Exception as error:  # whatever a damaged file or a broken package raises
        troubles.append(f"the models that come with seqtree cannot be opened ({_reason(error)})")
    return found


def _nltk_data() -> dict[str, Any]:
    """The folders in which NLTK looks for its corpora that are there, and where its treebank is (None: nowhere)."""
    try:
        from nltk import data
    except Exception:  # its own trouble is told already
        return {"folders": [], "treebank": None}
    treebank = None
    for place in TREEBANK:
        try:
            treebank = treebank or str(data.find(place))
        except (LookupError, OSError):
            continue
    return {"folders": [path for path in data.path if path and os.path.isdir(path)], "treebank": treebank}


def _extras(needs: list[tuple[str, str, str]]) -> dict[str, Any]:
    """For each extra the versions of what it installs (None: not there), whether all are enough, and how to get it."""
    found: dict[str, Any] = {}
    for name, least, extra in needs:
        if extra:
            version = _version(name)
            enough = version is not None and _numbers(version) >= _numbers(least)
            one = found.setdefault(extra, {"packages": {}, "installed": True, "install": install_line(extra)})
            one["packages"][name] = {"version": version, "needed": least, "enough": enough}
            one["installed"] &= enough
    return found


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> list[int]:
    """The release numbers of a version, without zeros at their end: 2.10.0+cpu is [2, 10]."""
    release = re.match(r"[\d.]*", version)
    numbers = [int(part) for part in (release[0] if release else "").split(".") if part]
    while numbers and not numbers[-1]:
        numbers.pop()
    return numbers


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _reason(error: Exception) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
