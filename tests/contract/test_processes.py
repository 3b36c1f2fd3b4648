"""A run as a process: killed, stopped, started twice or with a full disk, it ends as the run never broken."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path

import pytest
from command_helpers import ended
from contract_rows import EXACT, ROWS, Row
from forked import Forked
from full_disk import full_disk
from runs import metrics

from seqtree import modelfile
from seqtree.cli import run as run_command

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")
OFTEN = ("--checkpoint-seconds", "0.05", "--evaluations", "12")


class Runs:
    """Processes that train one task in a folder with its source."""

    def __init__(self, row: Row, folder: Path) -> None:
        self.row, self.folder, self.count = row, folder, 0
        self.sources = [str(source) for source in row.source(folder)]
        code, said = ended(self.start("whole"))
        assert code == 0, said

    def words(self, out: str, *options: str) -> list[str]:
        """What follows the command."""
        return [
            *self.sources,
            "--out",
            out,
            *self.row.small,
            *EXACT,
            "--epochs",
            str(self.row.epochs),
            *OFTEN,
            *options,
        ]

    def start(self, out: str, *options: str) -> Forked:
        self.count += 1
        return Forked([*self.row.process, *self.words(out, *options)], self.folder, self.folder / f"{self.count}.out")

    def whole(self, out: str) -> tuple[bytes, list[dict[str, object]]]:
        """What a run has written that does not depend on the clock."""
        return (self.folder / out / "model.safetensors").read_bytes(), metrics(self.folder / out)


@pytest.fixture(scope="module", params=[name for name, row in ROWS.items() if not row.variant], ids=str)
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """A folder with a run never broken."""
    return Runs(ROWS[request.param], tmp_path_factory.mktemp(request.param))


def _wait_for(process: Forked, file: Path, newer_than: int = 0) -> None:
    end = time.monotonic() + 60
    while process.poll() is None and (not file.exists() or file.stat().st_mtime_ns <= newer_than):
        assert time.monotonic() < end
        time.sleep(0.005)


def test_killed_at_any_moment_and_resumed(runs: Runs) -> None:
    """One command line, repeated until it is done."""
    moments, kills, checkpoint = random.Random(5), 0, runs.folder / "killed" / "checkpoint.safetensors"
    while True:
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        process = runs.start("killed", "--resume")
        if kills < 2:
            _wait_for(process, checkpoint, before)  # let it get somewhere: the start takes longer than the steps
            time.sleep(moments.uniform(0.0, 0.2))
            process.kill()
        code, text = ended(process)
        if code == 0:
            break
        assert code == -signal.SIGKILL, text
        kills += 1
        _is_sound(runs, runs.folder / "killed")
    assert kills, "the run was too short to be killed"
    assert runs.whole("killed") == runs.whole("whole")
    assert not list((runs.folder / "killed").glob(".*.tmp"))


def _is_sound(runs: Runs, run: Path) -> None:
    """What a killed run leaves can be opened, every file of it."""
    assert modelfile.load(run / "checkpoint.safetensors")[0] == "checkpoint"
    if (run / "model.safetensors").exists():
        runs.row.model.load(run)
    metrics(run)
    json.loads((run / "config.json").read_text(encoding="utf-8"))


def test_interrupted_and_resumed(runs: Runs) -> None:
    """Meanwhile a second one is started while the first one runs."""
    run = runs.folder / "interrupted"
    process = _halted(runs, run)
    code, text = ended(runs.start(run.name, "--resume"))
    assert code == 2
    assert "another run is writing here" in text
    step = _stopped(runs, process, run, signal.SIGINT)
    code, text = ended(runs.start(run.name, "--resume"))
    assert code == 0
    assert f"resuming at step {step:,}" in text
    assert runs.whole(run.name) == runs.whole("whole")


def test_terminated(tmp_path: Path) -> None:
    """What takes both signals is the same for every task."""
    runs = Runs(ROWS["parser"], tmp_path)
    run = tmp_path / "terminated"
    _stopped(runs, _halted(runs, run), run, signal.SIGTERM)


def _halted(runs: Runs, run: Path) -> Forked:
    """A process that stands still in the middle of training."""
    process = runs.start(run.name, "--checkpoint-seconds", "1000")
    _wait_for(process, run / "metrics.jsonl")
    process.send_signal(signal.SIGSTOP)
    return process


def _stopped(runs: Runs, process: Forked, run: Path, number: signal.Signals) -> int:
    """Sends a signal to a process that stands still; the step at which it has saved and ended."""
    process.send_signal(number)
    process.send_signal(signal.SIGCONT)
    code, text = ended(process)
    assert code == 130, text
    assert "Traceback" not in text
    step: int = modelfile.load(run / "checkpoint.safetensors")[1]["state"]["step"]
    assert f"interrupted and saved at step {step:,}" in text
    assert 0 < step < runs.whole("whole")[1][-1]["step"]  # type: ignore[operator]
    return step


def test_a_finished_run_is_not_written_over(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    before = runs.whole("whole")
    command, first = runs.row.command
    words = [*first, *runs.words(str(runs.folder / "whole"))]
    assert run_command(words, command) == 2
    assert "whole: already holds a run; go on with it by --resume" in capsys.readouterr().err.splitlines()[-1]
    assert run_command([*words, "--resume", "--json"], command) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == before[1][-1]["step"]
    assert runs.whole("whole") == before


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors have no names here")
@pytest.mark.parametrize(
    ("name", "where"),
    [("checkpoint.safetensors", "fsync"), ("model.safetensors", "rename"), ("metrics.jsonl", "write")],
)
def test_a_full_disk_ends_the_run_and_it_can_be_continued(
    runs: Runs, capsys: pytest.CaptureFixture[str], name: str, where: str
) -> None:
    command, first = runs.row.command
    out = runs.folder / f"full-{name}"
    words = [*first, *runs.words(str(out), "--quiet")]
    with full_disk(name, where, after=1) as failed:
        assert run_command(words, command) == 1
    assert len(failed) == 1
    *warnings, said = capsys.readouterr().err.splitlines()
    assert all(line.startswith("warning: ") for line in warnings)
    assert said == f"seqtree: error: {out / name}: No space left on device"
    assert not list(out.glob(".*.tmp"))
    assert modelfile.load(out / "checkpoint.safetensors")[0] == "checkpoint"
    assert run_command([*words, "--resume"], command) == 0
    assert runs.whole(out.name) == runs.whole("whole")
