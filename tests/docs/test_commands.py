"""Commands that the pages name but do not run are commands: in code spans, in ``sh`` and ``console`` blocks."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from seqtree.cli import cli

ROOT = Path(__file__).resolve().parents[2]
PAGES = [page for page in (*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))) if page.name != "CHANGELOG.md"]
BLOCK = re.compile(r"^[ ]*```(?:sh|bash|console)[^\n]*\n(.*?)^[ ]*```[ ]*$", re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^[ ]*```.*?^[ ]*```[ ]*$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
OTHERS = {"--help", "--show", "--exact", "--requeue"}  # of benchmarks, of Slurm
END = {"|", "||", "&", "&&", ";", ">", ">>", "<", "(", ")"}


def commands(page: str) -> Iterator[list[str]]:
    """The words after ``seqtree`` of every command of a page."""
    for span in SPAN.findall(FENCED.sub("", page)):
        if re.match(r"seqtree\s+(?!TASK|COMMAND)", span):
            yield shlex.split(span.replace("\\|", "|"))[1:]
    for block in BLOCK.findall(page):
        for line in block.replace("\\\n", " ").splitlines():
            yield from _in_shell(line)


def _in_shell(line: str) -> Iterator[list[str]]:
    """The same of a line for a shell, which may be a pipe and may begin with a prompt or variables."""
    if not re.search(r"\bseqtree ", line):
        return
    words = shlex.shlex(line.strip().removeprefix("$ "), posix=True, punctuation_chars=True)
    words.whitespace_split = True
    command: list[str] = []
    for word in [*words, ";"]:
        if word not in END:
            command.append(word)
            continue
        while command and re.match(r"\w+=", command[0]):
            del command[0]
        if command[:1] == ["seqtree"]:
            yield command[1:]
        command = []


def check(words: list[str]) -> None:
    """Raises click's errors for a command or an option that there is not, or a value that it does not take."""
    command: click.Command = cli
    context = click.Context(command, **cli.context_settings)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        if found is None:
            raise click.UsageError(f"no command {words[0]!r}")
        command, words = found, words[1:]
    inner = click.Context(command, parent=context)  # a command keeps the names of its help option from its first parser
    values, _, _ = command.make_parser(inner).parse_args(list(words))
    for option in command.params:
        given = values.get(option.name)
        given = given if isinstance(given, list) else [given]
        for value in given if isinstance(option, click.Option) else []:
            if (
                isinstance(value, str)
                and not re.search(r"\||^[A-Z.]+$", value)
                and not isinstance(option.type, click.Path)
            ):
                option.type.convert(value, option, context)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist(page: Path) -> None:
    for words in commands(page.read_text(encoding="utf-8")):
        try:
            check(words)
        except click.ClickException as error:
            pytest.fail(f"seqtree {shlex.join(words)}: {error.format_message()}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_options_exist(page: Path) -> None:
    """An option that a code span names alone belongs to some command."""
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    if page.name == "coming-from.md":  # other tools' commands are in the first column of its tables
        text, rows = re.subn(r"^\| .+? \| (.+) \|$", r"\1", text, flags=re.MULTILINE)
        assert rows > 50
    alone = " ".join(span for span in SPAN.findall(text) if span.startswith("-"))
    named = set(re.findall(r"(?<![\w-])--[a-z0-9-]+", alone))
    known = {option for command in _leaves(cli) for param in command.params for option in _spellings(param)}
    assert named <= known | OTHERS, named - known


def _spellings(param: click.Parameter) -> list[str]:
    return [*param.opts, *param.secondary_opts]


def _leaves(command: click.Command) -> Iterator[click.Command]:
    if not isinstance(command, click.Group):
        yield command
        return
    for name in command.list_commands(click.Context(command)):
        found = command.get_command(click.Context(command), name)
        assert found is not None
        yield from _leaves(found)


def test_commands_are_found() -> None:
    page = '`seqtree parse "a b"` `seqtree TASK train`\n```sh\nA=1 seqtree lm eval x > y  # seqtree z\n'
    page += "ls | seqtree lm next \\\n  x -k 3\n```\n"
    assert list(commands(page)) == [["parse", "a b"], ["lm", "eval", "x"], ["lm", "next", "x", "-k", "3"]]


@pytest.mark.parametrize(
    "words", ["lm trian", "lm train --widow 3", "lm train --cell lsmt", "lm next x -k 0.5", "nothing"]
)
def test_what_is_no_command_is_found(words: str) -> None:
    with pytest.raises(click.ClickException):
        check(words.split())
