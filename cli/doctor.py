"""``seqtree doctor``: what is here, what works, and how to get the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from seqtree.cli.options import json_option, print_json, quick_imports
from seqtree.errors import SeqtreeError
from seqtree.wording import counted

WIDTH = 20


@click.command(epilog="\b\nExamples:\n  seqtree doctor\n  seqtree doctor --json > here.json")
@json_option
def doctor(as_json: bool) -> None:
    """Say what is here and how to get the rest: versions, processor, GPUs, caches, models, data, extras.

    The exit code is 1 if something that the base install needs is broken, and 0 otherwise, whatever extras there are.
    """
    from seqtree.doctor import examine

    with quick_imports(tracing=False):
        found = examine()
    if as_json:
        print_json(found)
    else:
        for name, value in _rows(found):
            click.echo(f"{name:<{WIDTH}} {value}")
    if found["troubles"]:
        raise SeqtreeError("; ".join(found["troubles"]))


def _rows(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is printed: a name and what is said of it."""
    yield "seqtree", f"{found['seqtree']['version']}, in {found['seqtree']['folder']}"
    yield "Python", f"{found['python']['version']}, {found['python']['platform']}"
    for name, one in found["packages"].items():
        yield name, (one["version"] or "not installed") + ("" if one["works"] else "  (does not work: see below)")
    yield from _computing(found["computing"])
    yield from _places(found)
    for extra, one in found["extras"].items():
        versions = ", ".join(_version(name, package) for name, package in one["packages"].items())
        yield f"extra {extra}", versions if one["installed"] else f"{versions}: {one['install']}"


def _version(name: str, package: dict[str, Any]) -> str:
    if package["version"] is None:
        return f"{name} not installed"
    return f"{name} {package['version']}" + ("" if package["enough"] else ", too old")


def _computing(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "processor", f"{found['processor']}, cores for this process: {found['cores']}"
    if "device" not in found:
        return
    yield "threads", f"{found['threads']} (--threads or OMP_NUM_THREADS for another number)"
    yield "GPUs", ", ".join(found["gpus"]) or "none that torch can use"
    yield "--device auto", found["device"]
    formats = {"bf16": "bfloat16 for the larger products", "fp32": "float32: no fast bfloat16 here"}
    yield "--precision auto", formats[found["precision"]]


def _places(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    data = found["nltk_data"]
    yield "cache", _cache(found["cache"])
    yield "models", ", ".join(f"{one['name']} ({one['kind']}, {one['bytes'] / 1e6:.1f} MB)" for one in found["models"])
    yield "NLTK data", ", ".join(data["folders"]) or "no folder of it is there"
    yield "NLTK's treebank", data["treebank"] or "not found: python -m nltk.downloader treebank"


def _cache(found: dict[str, Any]) -> str:
    from seqtree.text.cache import NO_FOLDER

    if found["folder"] is None:
        return NO_FOLDER
    if not found["readable"]:
        return f"{found['folder']}  (cannot be read: SEQTREE_CACHE names another one)"
    most = "?" if found["limit_bytes"] is None else f"{found['limit_bytes'] / 1e6:,.0f}"
    size = f"{found['bytes'] / 1e6:,.1f} MB of at most {most} MB, {counted(found['files'], 'file')}"
    return f"{size}, in {found['folder']}" + ("" if found["writable"] else "  (cannot be written to)")
