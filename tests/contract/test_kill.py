"""A run that is killed, stopped or started twice, as a process: it ends as the run never broken."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_helpers import ended
from language_helpers import TEXT
from runs import metrics

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")
OPTIONS = (
    "--preset",
    "tiny",
    "--hidden",
    "12",
    "--embedding",
    "6",
    "--epochs",
    "30",
    "--evaluations",
    "12",
    "--batch",
    "4",
    "--window",
    "8",
    "--dropout",
    "0.2",
    "--device",
    "cpu",
    "--precision",
    "fp32",
    "--threads",
    "1",
    "--checkpoint-seconds",
    "0.05",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a text and a run never broken."""
    path = tmp_path_factory.mktemp("kill")
    (path / "text.txt").write_text(TEXT, encoding="utf-8")
    code, said = ended(_start(path, "whole"))
    assert code == 0, said
    return path


def _start(folder: Path, out: str, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "seqtree", "lm", "train", "text.txt", "--out", out, *OPTIONS, *options]
    return subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def _wait_for(process: subprocess.Popen[str], file: Path) -> None:
    """Until the file is there, which the run writes before its first step."""
    end = time.monotonic() + 60
    while not file.exists():
        assert process.poll() is None, ended(process)
        assert time.monotonic() < end
        time.sleep(0.005)


def _whole(run: Path) -> tuple[bytes, list[dict[str, object]]]:
    return (run / "model.safetensors").read_bytes(), metrics(run)


def test_killed_at_any_moment_and_resumed(folder: Path) -> None:
    """One command line, repeated until it is done."""
    moments, kills, run = random.Random(5), 0, folder / "killed"
    began = time.monotonic()
    while True:
        process = _start(folder, "killed", "--resume")
        if kills < 4:
            before = (run / "checkpoint.safetensors").stat().st_mtime_ns if kills else 0
            _wait_for(process, run / "checkpoint.safetensors")
            wanted = moments.uniform(0.02, 0.3)
            end = time.monotonic() + 60  # let it get somewhere: the start takes longer than the steps
            while (run / "checkpoint.safetensors").stat().st_mtime_ns == before and process.poll() is None:
                assert time.monotonic() < end
                time.sleep(0.005)
            time.sleep(wanted)
            process.kill()
        code, text = ended(process)
        if code == 0:
            break
        assert code == -signal.SIGKILL, text
        kills += 1
        _is_sound(run)
    assert kills >= 3, f"the run was too short to be killed: {time.monotonic() - began:.1f} s"
    assert _whole(run) == _whole(folder / "whole")
    assert not list(run.glob(".*.tmp"))


def _is_sound(run: Path) -> None:
    """What a killed run leaves can be opened, every file of it."""
    from seqtree import LanguageModel, modelfile

    modelfile.load(run / "checkpoint.safetensors")[1:]
    if (run / "model.safetensors").exists():
        LanguageModel.load(run)
    if (run / "metrics.jsonl").exists():
        metrics(run)
    json.loads((run / "config.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_stopped_by_a_signal_and_resumed(folder: Path, number: signal.Signals) -> None:
    run = folder / number.name
    process = _start(folder, run.name, "--checkpoint-seconds", "1000")
    _wait_for(process, run / "metrics.jsonl")  # in the middle of training
    second = _start(folder, run.name, "--resume") if number is signal.SIGINT else None
    if second:  # started while the first one runs
        process.send_signal(signal.SIGSTOP)
        code, text = ended(second)
        assert code == 2
        assert "another run is writing here" in text
        process.send_signal(signal.SIGCONT)
    process.send_signal(number)
    code, text = ended(process)
    assert code == 130, text
    assert "interrupted and saved at step" in text
    assert "Traceback" not in text
    from seqtree import modelfile

    contents, _ = modelfile.load(run / "checkpoint.safetensors")[1:]
    step = contents["state"]["step"]
    assert f"saved at step {step:,}" in text
    assert 0 < step < metrics(folder / "whole")[-1]["step"]
    if number is signal.SIGTERM:  # what follows is the same
        return
    code, text = ended(_start(folder, run.name, "--resume"))
    assert code == 0
    assert f"resuming at step {step:,}" in text
    assert _whole(run) == _whole(folder / "whole")


def test_a_finished_run_is_not_written_over(folder: Path) -> None:
    before = _whole(folder / "whole")
    code, text = ended(_start(folder, "whole"))
    assert code == 2
    assert "already holds a run; go on with it by --resume" in text
    assert text.count("\n") == 1
    process = _start(folder, "whole", "--resume", "--json")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert json.loads(out)["steps"] == before[1][-1]["step"]
    assert _whole(folder / "whole") == before
