"""The command line: ``seqtree COMMAND``. Here are only the table of commands, and what every command ends with.

A command's module is imported when the command is used, so that ``seqtree --help`` loads neither torch nor nltk. The
exit code is 0 when done, 1 when something failed while running, 2 when the usage or the input is at fault, 130 when
interrupted, 141 when the reader of the output has gone (as for any program in a pipe).
"""

from __future__ import annotations

import errno
import importlib
import io
import os
import re
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from seqtree import __version__, processes
from seqtree.cli.streams import PipeClosedError, abandon_stdout, flush_stdout, noticing_closed_pipe, prepare_streams
from seqtree.errors import InputError, SeqtreeError, SettingError
from seqtree.escapes import escaped, one_line

__all__ = ["COMMANDS", "cli", "main", "run"]

COMMANDS: dict[str, tuple[str, str, str]] = {
    # name: (module, the command in it, one line of help)
    "lm": ("seqtree.cli.lm", "lm", "Language models: train, evaluate, sample, score."),
    "parse": ("seqtree.cli.parse", "parse", "Parse sentences: drawings, brackets, JSON, SVG."),
    "parser": ("seqtree.cli.parser", "parser", "Parsers: train on a treebank, evaluate."),
    "tag": ("seqtree.cli.tag", "tag", "Tags for words: train a tagger, evaluate it, tag, segment."),
    "classify": ("seqtree.cli.classify", "classify", "Classes for texts: train a classifier, evaluate it, classify."),
    "tree": ("seqtree.cli.tree", "tree", "Labels at the nodes of trees: train, evaluate, predict."),
    "phrases": ("seqtree.cli.phrases", "phrases", "Vectors of phrases: near ones, similarity, maps, files."),
    "words": ("seqtree.cli.words", "words", "Words, learned from plain text, for others to start from."),
    "image": ("seqtree.cli.image", "image", "Images: train a classifier, evaluate it, classify pictures."),
    "scene": ("seqtree.cli.scene", "scene", "Scenes: a class for every pixel, and a tree of segments."),
    "translate": ("seqtree.cli.translate", "translate", "Sequence to sequence: train, evaluate, translate, score."),
    "plot": ("seqtree.cli.plot", "plot", "Pictures of what runs have measured."),
    "serve": ("seqtree.cli.serve", "serve", "A page in the browser, and a JSON service, for your models."),
    "gradcheck": ("seqtree.cli.gradcheck", "gradcheck", "Check every hand-derived gradient of the chapters."),
    "corpora": ("seqtree.cli.corpora", "corpora", "The embedded samples: list, show, generate."),
    "models": ("seqtree.cli.models", "models", "The models that come with seqtree: licence, size, accuracy."),
    "doctor": ("seqtree.cli.doctor", "doctor", "What is installed here, what works, how to get the rest."),
    "cache": ("seqtree.cli.cache", "cache", "Texts, images and a model kept between runs: list, clear."),
    "completion": ("seqtree.cli.completion", "completion", "Print a shell completion script."),
}

_UNUSABLE_NAME = (errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL, errno.ENOTDIR, errno.EISDIR)
_NO_ROOM = "failed to map segment from shared object"  # what the loader says of a library for lack of memory
_DONE, _FAILED, _USAGE, _INTERRUPTED, _PIPE_CLOSED = 0, 1, 2, 130, 141


class LazyGroup(click.Group):
    """A group whose commands stand in :data:`COMMANDS` and are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *(name for name in super().list_commands(ctx) if name not in COMMANDS)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            module, attribute, _ = COMMANDS[cmd_name]
            command = getattr(importlib.import_module(module), attribute)
            assert isinstance(command, click.Command)
            return command
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._short_help(name)) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        found = [n for n in self.list_commands(ctx) if n.startswith(incomplete)]
        commands = [CompletionItem(name, help=self._short_help(name)) for name in found]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        with noticing_closed_pipe():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with noticing_closed_pipe():
            return super().invoke(ctx)

    def _short_help(self, name: str) -> str:
        return COMMANDS[name][2] if name in COMMANDS else self.commands[name].get_short_help_str()


@click.group(
    cls=LazyGroup,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "show_default": True,
        "auto_envvar_prefix": "SEQTREE",
        "color": True,  # a text's own colour codes are part of it, in a pipe too
    },
    epilog="\b\nExamples:\n  seqtree lm train --out runs/first\n  seqtree lm sample runs/first --prompt 'The boat '\n"
    "\nResults go to standard output, progress to standard error. Exit codes: 0 done, 1 failed, 2 bad usage or input, "
    "130 interrupted. SEQTREE_DEBUG=1 shows where an error came from.",
)
@click.version_option(__version__, prog_name="seqtree", allow_from_autoenv=False)
def cli() -> None:
    """Sequence and tree language models to train, run and understand on your own machine."""


def main(args: Sequence[str] | None = None, command: click.Command = cli) -> NoReturn:
    """Run the command line with ``args`` (those of the process by default), and leave with its exit code.

    Whatever asks the process to end interrupts it as Ctrl+C does, so that its temporary files are deleted.
    """
    processes.alone = True
    for number in processes.ending_signals():
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    try:
        code = run(args, command)
    except KeyboardInterrupt:  # a second one, while the first was being told
        code = _INTERRUPTED
    if code == _INTERRUPTED:  # a third has nothing more to interrupt
        for number in processes.ending_signals():
            signal.signal(number, signal.SIG_IGN)
    sys.exit(code)


def run(args: Sequence[str] | None = None, command: click.Command = cli) -> int:
    """Run the command line with ``args`` and return its exit code; every expected error has been reported by then.

    An integer that a command returns is its exit code, as with ``ctx.exit`` and ``sys.exit``.
    """
    prepare_streams()
    try:
        code = _invoke(args, command)
        flush_stdout()
        return code
    except PipeClosedError:
        abandon_stdout()
        return _PIPE_CLOSED
    except (click.Abort, KeyboardInterrupt):  # click turns the second into the first, but not everywhere
        return _tell("interrupted", _INTERRUPTED)
    except click.ClickException as error:
        _name_variable(error)
        usage = io.StringIO()
        error.show(usage)
        click.echo(escaped(usage.getvalue()), nl=False, err=True)
        return error.exit_code
    except SettingError as error:
        return _tell(error.on_command_line, _USAGE)
    except InputError as error:
        return _tell(str(error), _USAGE)
    except SeqtreeError as error:
        return _tell(str(error), _FAILED)
    except OSError as error:
        return _tell(_where_and_what(error), _USAGE if error.errno in _UNUSABLE_NAME else _FAILED)
    except (MemoryError, RuntimeError, ImportError) as error:
        message = _memory_wanted(error)
        if message is None:
            raise
        return _tell(message, _FAILED)


def _invoke(args: Sequence[str] | None, command: click.Command) -> int:
    try:
        result = command.main(args=args, prog_name="seqtree", standalone_mode=False)
    except SystemExit as leaving:
        result = leaving.code
        if isinstance(result, str):  # sys.exit("message")
            return _tell(result, _FAILED)
    return result if type(result) is int else _DONE  # True is no exit code


def _name_variable(error: click.ClickException) -> None:
    """Have a wrong value that an environment variable gave be told with the name of that."""
    if not isinstance(error, click.BadParameter) or error.ctx is None or error.param is None:
        return
    context, name = error.ctx, error.param.name or ""
    if context.get_parameter_source(name) is click.core.ParameterSource.ENVIRONMENT:
        error.param_hint = f"{error.param.get_error_hint(context)}, in {context.auto_envvar_prefix}_{name.upper()}"


def _tell(message: str, code: int) -> int:
    """Say in one line what went wrong, or show the traceback to whoever set SEQTREE_DEBUG; returns ``code``."""
    if os.environ.get("SEQTREE_DEBUG", "0") not in ("", "0") and sys.exc_info()[0] is not None:
        traceback.print_exc()
    else:
        click.echo(f"seqtree: error: {one_line(message)}", err=True)
    return code


def _where_and_what(error: OSError) -> str:
    """``runs/a/model.safetensors: No space left on device``; the place may also be standard output."""
    where = error.filename
    try:
        sys.stdout.flush()
    except OSError:
        abandon_stdout()
    reason = error.strerror or str(error) or type(error).__name__
    return reason if where is None else f"{os.fsdecode(where) if isinstance(where, bytes) else where}: {reason}"


def _memory_wanted(error: Exception) -> str | None:
    """What to say if the error means that memory ran out, with what was asked for; None for another error."""
    reason = str(error)
    if isinstance(error, ImportError):
        limited = _NO_ROOM in reason
        return "out of memory: the libraries do not fit into what this process may use (ulimit -v)" if limited else None
    wanted = re.search(r"allocate (\d+) bytes|(?:allocate|Unable to allocate) ([\d.]+ \w?i?B)", reason)
    if not isinstance(error, MemoryError) and "memory" not in reason.lower():
        return None
    if wanted is None:
        return "out of memory; smaller settings or a smaller --batch need less"
    size = wanted[2] or f"{int(wanted[1]) / 1e9:,.1f} GB"
    return f"out of memory: {size} more were asked for; smaller settings or a smaller --batch need less"
