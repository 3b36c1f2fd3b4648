"""Options that several commands share, and what they print at their end."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else on stdout.")
device_option = click.option("--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps.")
precision_option = click.option(
    "--precision",
    type=click.Choice(["auto", "fp32", "bf16"]),
    default="auto",
    help="auto: the larger products in bfloat16 where the processor has it.",
)
threads_option = click.option("--threads", type=click.IntRange(min=1), help="CPU threads.  [default: all cores]")
encoding_option = click.option("--encoding", default="utf-8", help="How the text files are encoded.")
quiet_option = click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")

_TRAINING = [
    click.option(
        "--out",
        type=click.Path(path_type=Path),
        help="The run folder to write.  [default: runs/ and the name of the first file]",
    ),
    click.option("--resume", is_flag=True, help="Go on with the run in --out; start it if there is none."),
    click.option(
        "--epochs", type=float, help="Budget: passes over the data.  [default: the preset's; for texts by their size]"
    ),
    click.option("--minutes", type=float, help="Budget: minutes; the schedule fits itself to them."),
    click.option("--optimizer", type=click.Choice(["adamw", "sgd"]), help="[default: adamw]"),
    click.option("--learning-rate", type=float, help="Its peak.  [default: the preset's]"),
    click.option("--weight-decay", type=float, help="Decoupled, on matrices only.  [default: the preset's]"),
    click.option("--clip", type=float, help="Largest norm of the gradient.  [default: the preset's]"),
    click.option(
        "--schedule", type=click.Choice(["cosine", "linear", "plateau", "constant"]), help="[default: the preset's]"
    ),
    click.option("--warmup", type=float, help="Share of the budget in which the rate rises.  [default: 0.03]"),
    click.option(
        "--averaging",
        type=click.Choice(["none", "ema", "asgd"]),
        help="Weight average that is evaluated and kept; asgd starts when validation stalls.  [default: ema]",
    ),
    click.option("--ema-decay", type=float, help="[default: the preset's]"),
    click.option("--patience", type=int, help="Evaluations without progress that count as a stall.  [default: 3]"),
    click.option("--early-stopping", is_flag=True, default=None, help="Stop when validation stalls."),
    click.option("--evaluations", type=int, help="Evaluations in the whole run.  [default: the preset's]"),
    click.option("--checkpoint-seconds", type=float, help="Time between checkpoints.  [default: 60]"),
    click.option("--seed", type=int, help="Another seed is another run.  [default: 0]"),
    precision_option,
    device_option,
    threads_option,
    quiet_option,
    json_option,
]


def with_options(options: Sequence[Callable[[Command], Command]]) -> Callable[[Command], Command]:
    """What gives a command these options, in their order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


training_options = with_options(_TRAINING)  # of every command that trains


def default_out(first: str) -> Path:
    """``runs/`` and the name of the first file or folder read, without its ending.

    >>> str(default_out("texts/novel.txt")), str(default_out("-"))
    ('runs/novel', 'runs/stdin')
    """
    return Path("runs") / ("stdin" if first == "-" else Path(first).resolve().stem)


def print_json(record: Mapping[str, Any]) -> None:
    """One JSON object on stdout; infinite numbers become null."""
    click.echo(json.dumps(_finite(record), ensure_ascii=False, allow_nan=False))


def report_training(report: Mapping[str, Any], as_json: bool) -> int:
    """What a command that trains prints at its end, its report or the model's place, and its exit code."""
    if as_json:
        print_json(report)
    elif not report["interrupted"]:
        click.echo(str(report["model"]))
    return 130 if report["interrupted"] else 0


@contextmanager
def quick_imports() -> Iterator[None]:
    """What a process imports here is never looked at for garbage, which would be a third of a short command's time."""
    first = "torch" not in sys.modules
    if first:
        gc.disable()
    try:
        yield
    finally:
        if first:
            gc.freeze()
            gc.enable()


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not abs(value) < float("inf") else value
