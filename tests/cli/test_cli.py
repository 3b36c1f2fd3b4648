"""The root of the command line: what it loads, and how it ends."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

import seqtree
from seqtree.cli import COMMANDS, cli, main, run
from seqtree.errors import DivergenceError, InputError, ModelFileError, SeqtreeError


@pytest.fixture(autouse=True)
def _away_from_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``python -m`` looks in the working folder first, and the source folder has no ``seqtree.cli`` at that place."""
    monkeypatch.chdir(tmp_path)


def _seqtree(*args: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "seqtree", *args]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False, **options)


@pytest.mark.parametrize(
    "args",
    [
        ("lm", "train", ""),
        ("image", "train", "", "--model", "mlp"),
        ("classify", "eval", "model", ""),
        ("words", "train", "text.txt", "--valid", ""),
        ("parse", "--file", ""),
        ("parse", "--model", "", "It works."),
        ("phrases", "map", "default", "", "--out", "a.svg"),
    ],
)
def test_an_empty_name_is_not_the_working_folder(args: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    Path("text.txt").write_text("a text that was not meant\n" * 50)
    assert run(list(args)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "an empty name; expected a file or a folder" in err.splitlines()[-1]
    assert not Path("runs").exists()


@pytest.fixture
def ending() -> Iterator[Callable[[Callable[[], Any]], int]]:
    """Runs a function as the command ``seqtree ending`` and gives the exit code."""

    def as_command(body: Callable[[], Any]) -> int:
        cli.add_command(click.Command("ending", callback=body), "ending")
        return run(["ending"])

    yield as_command
    cli.commands.pop("ending", None)


def _raise(error: BaseException) -> Callable[..., None]:
    def body(*args: Any) -> None:
        raise error

    return body


# --- how it ends


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (InputError("a.txt, byte 3: not UTF-8"), 2, "seqtree: error: a.txt, byte 3: not UTF-8\n"),
        (ModelFileError("m.safetensors is cut short"), 2, "seqtree: error: m.safetensors is cut short\n"),
        (SeqtreeError("two\nlines"), 1, "seqtree: error: two lines\n"),
        (DivergenceError("the loss is infinite"), 1, "seqtree: error: the loss is infinite\n"),
        (OSError(errno.ENOSPC, "disk full", "runs/a"), 1, "seqtree: error: runs/a: disk full\n"),
        (PermissionError(errno.EACCES, "Permission denied", b"b"), 1, "seqtree: error: b: Permission denied\n"),
        (OSError("odd"), 1, "seqtree: error: odd\n"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "aaa"), 2, "seqtree: error: aaa: File name too long\n"),
        (OSError(errno.ENOTDIR, "Not a directory", "a/b"), 2, "seqtree: error: a/b: Not a directory\n"),
        (InputError("no \x1b[31mred\x07\x9b.txt"), 2, "seqtree: error: no \\x1b[31mred\\x07\\x9b.txt\n"),
        (click.UsageError("no \x1b[31mred"), 2, "Error: no \\x1b[31mred\n"),
        (MemoryError(), 1, "seqtree: error: out of memory; smaller settings or a smaller --batch need less\n"),
        (
            ImportError("libtorch_cpu.so: failed to map segment from shared object"),
            1,
            "seqtree: error: out of memory: the libraries do not fit into what this process may use (ulimit -v)\n",
        ),
        (
            MemoryError("Unable to allocate 7.45 GiB for an array with shape (1000000000,) and data type float64"),
            1,
            "seqtree: error: out of memory: 7.45 GiB more were asked for; smaller settings or a smaller --batch need "
            "less\n",
        ),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 57600000000 bytes."),
            1,
            "seqtree: error: out of memory: 57.6 GB more were asked for; smaller settings or a smaller --batch need "
            "less\n",
        ),
        (click.UsageError("no such thing"), 2, "Error: no such thing\n"),
        (click.ClickException("click failed"), 1, "Error: click failed\n"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_errors_are_told_and_have_their_code(
    ending: Callable[..., int], capsys: pytest.CaptureFixture[str], error: Exception, code: int, said: str
) -> None:
    assert ending(_raise(error)) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith(said)
    assert "Traceback" not in err


def test_python_s_own_warnings_are_messages_on_one_line() -> None:
    """Without the place in the program, and with the control characters of the names in them escaped."""
    program = (
        "import warnings, click; from seqtree.cli import cli, main\n"
        r"cli.add_command(click.Command('ending', callback=lambda: warnings.warn('no \x1b[31mred\nnames\x9b')))" + "\n"
        "main(['ending'])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, encoding="utf-8", check=True)
    assert (done.stdout, done.stderr) == ("", "warning: no \\x1b[31mred names\\x9b\n")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_interrupted(ending: Callable[..., int], capsys: pytest.CaptureFixture[str], error: BaseException) -> None:
    assert ending(_raise(error)) == 130
    assert capsys.readouterr().err.strip() == "seqtree: error: interrupted"


ENDING = """import signal, sys, click
from seqtree.cli import cli, main
from seqtree.files import scratch
from seqtree.text.cache import temporary_folder

def ending():
    temporary_folder()
    with scratch():
        signal.raise_signal(getattr(signal, sys.argv[1]))
        click.echo("went on")

cli.add_command(click.Command("ending", callback=ending))
signal.signal(signal.SIGHUP, signal.SIG_IGN if sys.argv[2:] else signal.SIG_DFL)  # the first as nohup does
signal.signal(signal.SIGINT, signal.default_int_handler)  # which is ignored behind a shell's &
main(["ending"])
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")
@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [(["SIGTERM"], 130, ""), (["SIGHUP"], 130, ""), (["SIGINT"], 130, ""), (["SIGHUP", "nohup"], 0, "went on\n")],
)
def test_whatever_asks_a_command_to_end_leaves_no_temporary_folder(
    asked: list[str], code: int, said: str, tmp_path: Path
) -> None:
    command, environment = [sys.executable, "-c", ENDING, *asked], {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (code, said), done.stderr
    assert done.stderr.strip() == ("seqtree: error: interrupted" if code else "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (lambda: None, 0),
        (lambda: {"loss": 1.0}, 0),
        (lambda: True, 0),
        (lambda: 3, 3),
        (lambda: sys.exit(4), 4),
        (lambda: sys.exit(), 0),
        (lambda: click.get_current_context().exit(5), 5),
        (lambda: sys.exit("stopped here"), 1),
    ],
)
def test_exit_codes_pass_through(ending: Callable[..., int], body: Callable[[], Any], code: int) -> None:
    assert ending(body) == code


@pytest.mark.parametrize(
    "error", [ZeroDivisionError(), RuntimeError("sizes do not match"), ImportError("no memory of it")]
)
def test_an_unforeseen_error_is_not_hidden(ending: Callable[..., int], error: Exception) -> None:
    with pytest.raises(type(error)):
        ending(_raise(error))


def test_what_torch_says_without_memory_is_told(ending: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    assert ending(lambda: torch.empty(1 << 55, dtype=torch.uint8)) == 1
    assert capsys.readouterr().err.startswith("seqtree: error: out of memory: 36,028,797.0 GB more were asked for")


def test_ctrl_c_again_while_the_first_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr("seqtree.cli.run", _raise(KeyboardInterrupt()))
    try:
        with pytest.raises(SystemExit) as left:
            main([])
        assert left.value.code == 130
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name != "posix", reason="a shell of POSIX systems")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_lead_nowhere(closed: str) -> None:
    """Neither an error, nor a file of ours in the place of a stream."""
    words = f"'{sys.executable}' -m seqtree corpora generate --count 3 {closed}"
    done = subprocess.run(["sh", "-c", words], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a disk that is always full")
@pytest.mark.parametrize("messages", ["2>/dev/full", "2> >(head -n 1 >/dev/null)"])
def test_a_training_whose_messages_nobody_takes_goes_on(messages: str, tmp_path: Path) -> None:
    words = f"'{sys.executable}' -m seqtree lm train --preset tiny --epochs 0.2 --evaluations 9 --threads 1 --out run"
    shell = ["bash", "-c", f"{words} {messages}"]
    done = subprocess.run(shell, capture_output=True, cwd=tmp_path, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, b"run\n")
    assert len((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()) == 9


@pytest.mark.skipif(os.name != "posix", reason="terminals of POSIX systems")
@pytest.mark.parametrize("terminal", [True, False])
def test_a_text_cannot_command_a_terminal(terminal: bool) -> None:
    """Into a file or a pipe it goes as it is."""
    script = (
        "import click\nfrom seqtree.cli import cli, run\n"
        r"cli.add_command(click.Command('ending', callback=lambda: click.echo('a\x1b[31mb\x07\x9bc\td')))" + "\n"
        "raise SystemExit(run(['ending']))\n"
    )
    reader, writer = os.openpty() if terminal else os.pipe()
    with os.fdopen(reader, "rb") as output:
        with os.fdopen(writer, "wb") as stdout:
            subprocess.run([sys.executable, "-c", script], stdout=stdout, timeout=60, check=True)
            if terminal:
                tty = os.read(output.fileno(), 100)
        said = tty if terminal else output.read()
    text = "a\x1b[31mb\x07\x9bc\td\n".encode()
    assert said.replace(b"\r\n", b"\n") == (b"a\\x1b[31mb\\x07\\x9bc\td\n" if terminal else text)


def test_debug_shows_the_traceback(
    ending: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQTREE_DEBUG", "1")
    assert ending(_raise(InputError("here"))) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err and "InputError: here" in err


def test_main_leaves_with_the_code() -> None:
    with pytest.raises(SystemExit) as left:
        main(["corpora", "show", "nothing"])
    assert left.value.code == 2


@pytest.mark.parametrize("args", [["nonsense"], ["--nonsense"], ["corpora", "nonsense"], []])
def test_bad_usage(capsys: pytest.CaptureFixture[str], args: list[str]) -> None:
    assert run(args) == 2
    out, err = capsys.readouterr()
    assert out == "" and "Usage: seqtree" in err


def test_closed_pipe_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as stdout:
        command = [sys.executable, "-m", "seqtree", "corpora", "generate", "--count", "50"]
        done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("args", [["show", "toy"], ["path", "toy"]], ids=["long output", "short output"])
def test_full_disk_is_told_in_one_line(args: list[str], unbuffered: str) -> None:
    with open("/dev/full", "wb") as stdout:
        command = [sys.executable, "-m", "seqtree", "corpora", *args]
        environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
        done = subprocess.run(
            command, stdout=stdout, stderr=subprocess.PIPE, timeout=60, check=False, env=environment, text=True
        )
    assert done.returncode == 1
    assert done.stderr == f"seqtree: error: standard output: {os.strerror(errno.ENOSPC)}\n"


def test_output_is_utf8_in_any_locale() -> None:
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    done = _seqtree("corpora", "show", "garden_zh", "--lines", "1", env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "外婆的院子里有一座小花园。\n"


# --- what it loads and shows


def test_help_loads_no_heavy_package() -> None:
    script = (
        "import sys\n"
        "from seqtree.cli import run\n"
        "assert run(['--help']) == run(['corpora', '--help']) == run(['completion', '-h']) == run(['models']) == 0\n"
        "print(sorted({'torch', 'nltk', 'numpy', 'rich', 'safetensors'} & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == "[]\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_loads_no_heavy_package(name: str) -> None:
    script = (
        "import sys\n"
        "from seqtree.cli import run\n"
        f"assert run([{name!r}, '--help']) == 0\n"
        "print(sorted({'torch', 'nltk', 'numpy'} & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "[]\n")


def test_root_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-h"]) == 0
    out = capsys.readouterr().out
    for name, (_, _, line) in COMMANDS.items():
        assert name in out and line in out


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command_and_subcommand(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    below = list(command.commands) if isinstance(command, click.Group) else []
    for path in ([name], *([name, sub] for sub in below)):
        for flag in ("-h", "--help"):
            assert run([*path, flag]) == 0
            out, err = capsys.readouterr()
            assert f"Usage: seqtree {' '.join(path)}" in out
            assert err == ""


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"seqtree, version {seqtree.__version__}\n"


def test_options_come_from_the_environment(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQTREE_CORPORA_GENERATE_COUNT", "2")
    assert run(["corpora", "generate"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    monkeypatch.setenv("SEQTREE_CORPORA_GENERATE_COUNT", "two")
    assert run(["corpora", "generate"]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("Error: Invalid value for '--count', in SEQTREE_CORPORA_GENERATE_COUNT: 'two' is not")
    assert run(["corpora", "generate", "--count", "three"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("Error: Invalid value for '--count': 'three' is not")


@pytest.mark.parametrize(
    ("words", "expected"),
    [("seqtree cor", ["corpora"]), ("seqtree corpora sh", ["show"]), ("seqtree corpora list --j", ["--json"])],
)
def test_completion_at_work(words: str, expected: list[str]) -> None:
    environment = {
        **os.environ,
        "_SEQTREE_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    done = _seqtree(env=environment)
    assert done.returncode == 0
    assert [line.partition(",")[2] for line in done.stdout.splitlines()] == expected
