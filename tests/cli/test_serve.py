"""``seqtree serve``: what it refuses before it listens; what it does then is in ``tests/serve``."""

from __future__ import annotations

import errno
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_helpers import Run, caller, refused

pytest.importorskip("uvicorn", reason="the extra serve is not installed")

from seqtree.cli.serve import _listening
from seqtree.training.fit import train


@pytest.fixture
def serve(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return caller(capsys, tmp_path, monkeypatch, "serve")


def _taken(port: int = 0) -> socket.socket:
    other = socket.socket()
    other.bind(("127.0.0.1", port))
    other.listen()
    return other


def test_a_port_that_is_taken(serve: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one that is free is said and used; with none of them free, it is refused."""
    with _taken() as other:
        port = other.getsockname()[1]
        code, _, err = serve("--port", port, "nothing-here")  # which is told after the port
        assert (code, f"port {port} is taken: listening at port {port + 1}" in err) == (2, True), err
        monkeypatch.setattr("seqtree.cli.serve.PORTS", 1)
        refused(serve("--port", port, "default"), f"cannot listen at 127.0.0.1, port {port} (", "try another --port")


def test_answers_do_not_wait_for_one_another() -> None:
    """The second packet of an answer is sent at once: with Nagle's algorithm it took 40 ms."""
    with _listening("127.0.0.1", 0) as made, socket.create_connection(made.getsockname()):
        accepted, _ = made.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(
    ("host", "shown", "reason"),
    [
        ("192.0.2.1", "192.0.2.1", os.strerror(errno.EADDRNOTAVAIL)),
        ("[::1]", "[::1]", ""),
        ("", "''", ""),
        ("two..dots", "two..dots", ""),
    ],
)
def test_a_host_that_there_is_not(serve: Run, host: str, shown: str, reason: str) -> None:
    result = serve("--host", host, "default")
    refused(result, f"cannot listen at {shown}, port 8000 ({reason}", "); try another --host")
    assert "attempting" not in result[2]


def test_a_rate_that_is_no_number(serve: Run) -> None:
    refused(serve("--rate", "nan"), "'--rate': nan is in no range")


def test_a_model_that_there_is_not(serve: Run, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("no model", encoding="utf-8")
    for model in ("nothing-here", "note.txt"):
        assert serve("--port", 0, model)[0] == 2


@pytest.mark.parametrize("package", ["uvicorn", "starlette"])
def test_without_the_extra_it_says_how_to_get_it(serve: Run, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    refused(serve(), 'pip install "seqtree[serve]"')


def test_nothing_is_kept_of_a_training_that_is_interrupted(
    serve: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(task: str, progress: bool, **options: Any) -> Any:
        def stop(record: dict[str, Any]) -> None:
            signal.raise_signal(signal.SIGTERM)

        return train(task, progress=stop, **{**options, "epochs": 1.0, "threads": 1})

    monkeypatch.setattr("seqtree.serve.models.train", stopped)
    monkeypatch.setenv("SEQTREE_CACHE", str(tmp_path / "cache"))
    code, out, said = serve("--port", 0)
    assert (code, out) == (130, "")
    assert said.splitlines()[-1] == "seqtree: error: interrupted"
    assert "--resume" not in said
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.parametrize(("workers", "how"), [(1, "SIGINT"), (1, "SIGTERM"), (2, "SIGINT"), (2, "SIGTERM")])
def test_it_serves_until_it_is_interrupted(workers: int, how: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "seqtree", "serve", "default", "--port", "0", "--workers", str(workers)]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env={**os.environ, "OMP_NUM_THREADS": "1"}
    ) as one:
        assert one.stderr is not None
        address = one.stderr.readline()
        port = re.match(r"http://127\.0\.0\.1:(\d+)/  \(Ctrl\+C ends it\)$", address)
        assert port, address
        connection = http.client.HTTPConnection("127.0.0.1", int(port[1]), timeout=120)
        connection.request("POST", "/api/parse", json.dumps({"text": "Go."}), {"Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read())
        assert answer["sentences"][0]["trees"][0]["words"] == ["Go", "."]
        connection.close()
        one.send_signal(getattr(signal, how))
        _, rest = one.communicate(timeout=60)
    assert (one.returncode, rest) == (0, "")


def test_an_address_that_others_can_reach_has_a_token(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "seqtree", "serve", "default", "--port", "0", "--host", "0.0.0.0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as one:
        assert one.stderr is not None
        address, warning = one.stderr.readline(), one.stderr.readline()
        one.terminate()
        assert one.wait(60) == 0
    assert re.match(rf"http://{re.escape(socket.gethostname())}:\d+/#token=[\w-]{{32}}  ", address), address
    assert "not encrypted" in warning
