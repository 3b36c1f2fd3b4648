"""``--processes``: the command is what it is without, whatever happens to the processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from command_helpers import ended, workers_of
from contract_rows import EXACT, ROWS, TEXT
from runs import Messages, metrics
from shared_steps import dying, parting

from seqtree.errors import InputError, SeqtreeError
from seqtree.training.fit import fit, train
from seqtree.training.launch import launch
from seqtree.training.progress import Display
from seqtree.training.ranks import Place

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found by /proc")
LM = ROWS["lm"]
EPOCHS = "6"
OFTEN = ("--checkpoint-seconds", "0.1", "--evaluations", "6")


class Run(NamedTuple):
    """A run of two processes that was never broken, and the records that its progress function was given."""

    folder: Path
    seen: list[dict[str, Any]]

    @property
    def text(self) -> str:
        return str(self.folder / "text.txt")

    def written(self, out: str) -> tuple[bytes, list[dict[str, Any]]]:
        """What a run has written that does not depend on the clock."""
        return (self.folder / out / "model.safetensors").read_bytes(), metrics(self.folder / out)

    def words(self, out: str, *more: str) -> list[str]:
        """The command line of the same training."""
        return ["lm", "train", self.text, "--out", out, *LM.small, *EXACT, "--epochs", EPOCHS, *OFTEN, *more]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder, seen = tmp_path_factory.mktemp("launch"), []
    (folder / "text.txt").write_text(TEXT, encoding="utf-8")
    given = {**LM.options, "device": "cpu", "precision": "fp32", "threads": 1, "epochs": float(EPOCHS)}
    options = {**given, "checkpoint_seconds": 0.1, "evaluations": 6, "processes": 2}
    report = train("lm", folder / "text.txt", out=folder / "whole", progress=seen.append, **options)
    assert report["model"] == str(folder / "whole")
    return Run(folder, seen)


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(whole: Run) -> Iterator[Start]:
    """Starts a command in the run's folder; with the test, it ends, and its processes with it."""
    started = []

    def start(words: list[str], *command: str) -> subprocess.Popen[str]:
        command, pipe = (sys.executable, *(command or ("-m", "seqtree"))), subprocess.PIPE
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [*command, *words], cwd=whole.folder, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()  # torchrun ends what it has started
            process.terminate()  # and seqtree does so at once when it is asked twice
        try:
            process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _wait_for(process: subprocess.Popen[str], file: Path) -> None:
    end = time.monotonic() + 200
    while process.poll() is None and not file.exists():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_python_sees_every_evaluation(whole: Run) -> None:
    assert len(whole.seen) == 6
    assert [record["loss"] for record in whole.seen] == [record["loss"] for record in metrics(whole.folder / "whole")]


def test_a_killed_process_is_started_again(whole: Run, start: Start) -> None:
    process = start(whole.words("killed", "--processes", "2"))
    _wait_for(process, whole.folder / "killed" / "metrics.jsonl")
    os.kill(workers_of(process)[1], signal.SIGKILL)
    code, said = ended(process)
    assert code == 0, said
    assert "was killed by SIGKILL (memory may have run out): all 2 begin again, from the last checkpoint" in said
    assert "resuming at step " in said
    assert said.splitlines()[0] == "killed"  # standard output comes first
    assert "Traceback" not in said
    assert whole.written("killed") == whole.written("whole")


def test_nothing_of_torch_distributed_is_left_behind(tmp_path: Path) -> None:
    """Its threads may end a process by an abort if they are still there when Python ends."""
    said = Messages()
    launch(parting, 2, said, tmp_path / "none")
    assert said.lines == ["left: []"]


def test_an_interrupt_saves_and_the_run_is_resumed_by_torchrun(whole: Run, start: Start) -> None:
    process = start(whole.words("stopped", "--processes", "2"))
    _wait_for(process, whole.folder / "stopped" / "metrics.jsonl")
    workers = workers_of(process)
    process.send_signal(signal.SIGINT)
    code, said = ended(process)
    assert code == 130, said
    assert "interrupted and saved at step " in said.splitlines()[-1]
    assert "Traceback" not in said
    assert not any(Path(f"/proc/{number}").exists() for number in workers)
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "seqtree")
    code, said = ended(start(whole.words("stopped", "--resume"), *torchrun))
    assert code == 0, said
    assert said.count("resuming at step ") == 1
    assert said.splitlines().count("stopped") == 1
    assert whole.written("stopped") == whole.written("whole")


def test_processes_end_with_a_command_that_is_killed(whole: Run, start: Start) -> None:
    process = start(whole.words("alone", "--processes", "2"))
    _wait_for(process, whole.folder / "alone" / "checkpoint.safetensors")
    workers = workers_of(process)
    assert len(workers) == 2
    process.kill()
    ended(process)
    end = time.monotonic() + 30
    while any(Path(f"/proc/{number}").exists() for number in workers):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_standard_input_is_read_by_all(whole: Run, start: Start) -> None:
    words = ["lm", "train", "-", "--out", "piped", *LM.small, *EXACT, "--epochs", "1", "--processes", "2", "--json"]
    process = start(words)
    out, said = process.communicate(TEXT, timeout=200)
    assert process.returncode == 0, said
    assert out.startswith("{")
    assert (whole.folder / "piped" / "model.safetensors").exists()


def test_bad_input_is_told_once(whole: Run, start: Start) -> None:
    process = start(whole.words("bad", "--processes", "2", "--valid", "nowhere.txt"))
    out, said = process.communicate(timeout=200)
    assert (process.returncode, out) == (2, "")
    assert said == "seqtree: error: nowhere.txt: no such file or folder; expected a text\n"
    assert not (whole.folder / "bad").exists()


def test_a_batch_has_a_row_for_each(whole: Run) -> None:
    options = {**LM.options, "device": "cpu", "batch": 2, "processes": 3, "out": str(whole.folder / "few")}
    with pytest.raises(InputError, match="3 processes, but a batch has 2 rows: expected one at least for each process"):
        fit(LM.kind, [whole.text], options, Messages())
    assert not (whole.folder / "few").exists()


def test_a_process_that_always_dies_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqtree.training.launch.MAX_FAILURES", 1)
    display = Messages()
    with pytest.raises(SeqtreeError, match=f"^process 1 ended with exit code 7 again and again; .* is in {tmp_path}"):
        launch(dying, 2, display, tmp_path / "checkpoint.safetensors")
    warning = "warning: process 1 ended with exit code 7: all 2 begin again, from the last checkpoint"
    assert [line for line in display.lines if not line.startswith("began")] == [warning]
    assert set(display.lines[: display.lines.index(warning)]) <= {"began again: False"}
    assert set(display.lines[display.lines.index(warning) + 1 :]) <= {"began again: True"}


def _not_there(place: Place, display: Display, again: bool) -> None:
    """Of this module, which other processes cannot import."""


def test_processes_that_cannot_start_end_the_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    display = Messages()
    with pytest.raises(SeqtreeError, match=r"^process [01] cannot be started: it ended with exit code 1$"):
        launch(_not_there, 2, display, tmp_path / "checkpoint.safetensors")
    assert display.lines == []
    assert "ModuleNotFoundError" in capfd.readouterr().err


@pytest.fixture
def torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    """What torchrun tells the first of two processes."""
    for name, value in {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)


def test_torchrun_and_processes_exclude_each_other(torchrun: None, whole: Run) -> None:
    with pytest.raises(InputError, match="processes 2: torchrun has started 2 already; leave it out"):
        fit(LM.kind, [whole.text], {**LM.options, "processes": 2}, Messages())


def test_a_port_in_use_is_told(torchrun: None, whole: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv("MASTER_PORT", str(port))
        with pytest.raises(InputError, match=f"the 2 processes cannot meet at 127.0.0.1:{port} .*") as caught:
            fit(LM.kind, [whole.text], {**LM.options, "device": "cpu"}, Messages())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("device", "said"), [("cuda:0", "cuda:0"), ("nothing", "expected auto, cpu, cuda"), ("mps", "not available here")]
)
def test_devices_of_several(device: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Place(0, 2).device(device)
    assert Place(1, 2, 1).device("cpu") == "cpu"
    assert Place().device("auto") == "auto"
