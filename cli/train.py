"""``seqtree TASK train``: one command for every task."""

from __future__ import annotations

from typing import Any

import click

from seqtree.cli.options import FILE, given, print_json, quick_imports, training_options
from seqtree.tasks import TASKS, named

INTERRUPTED = 130


def train_command(task: str | type[Any], help: str, epilog: str = "") -> click.Command:
    """The command that trains a task: one of ``TASKS`` by name, or a ``Task`` of your own.

    It prints the report as JSON, or the run folder; its exit code is 130 when it was interrupted, after saving.
    """
    options = named(TASKS[task].options) if isinstance(task, str) else task.options

    @click.command("train", help=help, epilog=epilog)
    @click.argument("sources", type=FILE, nargs=-1, metavar=f"[{options.argument.upper()}]...")
    @training_options(options)
    def train(sources: tuple[str, ...], as_json: bool, quiet: bool, **chosen: Any) -> int:
        with quick_imports():
            from seqtree.training.fit import fit
            from seqtree.training.progress import Display
            from seqtree.training.ranks import Place

            kind = named(TASKS[task].task) if isinstance(task, str) else task
        report = fit(kind, sources, given(chosen), Display(quiet=quiet))
        if Place.of_environment().rank:
            pass  # the first process prints it
        elif as_json:
            print_json(report)
        elif not report["interrupted"]:
            click.echo(report["model"])
        return INTERRUPTED if report["interrupted"] else 0

    return train
