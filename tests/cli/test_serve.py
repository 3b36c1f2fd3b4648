"""``seqtree serve``: what it refuses before it listens; what it does then is in ``tests/serve``."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from command_helpers import Run, caller, refused

from seqtree.cli.serve import _listening

pytest.importorskip("uvicorn", reason="the extra serve is not installed")


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


def test_a_host_that_there_is_not(serve: Run) -> None:
    refused(serve("--host", "192.0.2.1", "default"), "cannot listen at 192.0.2.1, port 8000 (")


def test_a_model_that_there_is_not(serve: Run, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("no model", encoding="utf-8")
    for model in ("nothing-here", "note.txt"):
        assert serve("--port", 0, model)[0] == 2


def test_without_the_extra_it_says_how_to_get_it(serve: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    refused(serve(), 'pip install "seqtree[serve]"')


@pytest.mark.parametrize("workers", [1, 2])
def test_it_serves_until_it_is_interrupted(workers: int, tmp_path: Path) -> None:
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
        one.send_signal(signal.SIGINT)
        _, rest = one.communicate(timeout=60)
    assert "Traceback" not in rest


def test_an_address_that_others_can_reach_has_a_token(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "seqtree", "serve", "default", "--port", "0", "--host", "0.0.0.0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as one:
        assert one.stderr is not None
        address, warning = one.stderr.readline(), one.stderr.readline()
        one.terminate()
    assert re.match(r"http://0\.0\.0\.0:\d+/#token=[\w-]{32}  ", address)
    assert "not encrypted" in warning
