"""Streams of samples: so many at a time and no more, each counted from its request to its end, however it ends."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from serve_helpers import TEXT

from seqtree.errors import InputError, SeqtreeError
from seqtree.language.model import LanguageModel
from seqtree.serve import app as served
from seqtree.serve.app import make_app


class App:
    """The application of one language model, asked without a network."""

    def __init__(self) -> None:
        model = LanguageModel.untrained(TEXT, hidden=8, embedding=5, layers=1)
        self.app = make_app({"letters": model}, rate=1e6)

    async def sample(self, sends: int | None = None) -> tuple[int, list[dict[str, Any]]]:
        """The status and the lines of a sample; its client leaves after so many messages, if any number is given."""
        body = json.dumps({"text": "the ", "length": 5}).encode()
        scope = {
            "type": "http",
            "asgi": {"spec_version": "2.4"},
            "method": "POST",
            "path": "/api/sample",
            "query_string": b"",
            "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            if len(sent) == sends:
                raise OSError("the client has gone")
            sent.append(message)

        await self.app(scope, receive, send)
        lines = b"".join(message.get("body", b"") for message in sent).decode().splitlines()
        return sent[0]["status"], [json.loads(line) for line in lines]


def _statuses(app: App, count: int) -> list[int]:
    async def together() -> list[int]:
        return sorted(status for status, _ in await asyncio.gather(*(app.sample() for _ in range(count))))

    return asyncio.run(together())


def test_no_more_go_on_at_once_than_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "STREAMS", 2)
    app = App()
    for _ in range(2):
        assert _statuses(app, 6) == [200, 200, 429, 429, 429, 429]


@pytest.mark.parametrize("sends", [0, 1])
def test_a_client_that_leaves_makes_room_for_another(sends: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a line of the text was sent, or after some."""
    monkeypatch.setattr(served, "STREAMS", 1)
    app = App()
    for _ in range(3):
        with suppress(OSError, served.ClientDisconnect):
            asyncio.run(app.sample(sends))
    assert _statuses(app, 1) == [200]


@pytest.mark.parametrize("at", ["asked", "first", "later"])
@pytest.mark.parametrize(("error", "status"), [(InputError, 400), (SeqtreeError, 500)])
def test_an_error_is_told_by_the_status_until_there_is_text(
    error: type[SeqtreeError], status: int, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*arguments: Any) -> Iterator[str]:
        if at == "asked":
            raise error("it cannot be")
        return pieces()

    def pieces() -> Iterator[str]:
        if at == "later":
            yield "a"
        raise error("it cannot be")

    monkeypatch.setattr(served, "STREAMS", 1)
    app = App()
    with monkeypatch.context() as patched:
        patched.setattr(LanguageModel, "sample_pieces", failing)
        for _ in range(2):
            found, lines = asyncio.run(app.sample())
            assert (found, lines[-1]) == (200 if at == "later" else status, {"error": "it cannot be"})
    assert _statuses(app, 1) == [200]


def test_a_sample_is_begun_beside_the_thread_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    threads, sampled = [], LanguageModel.sample_pieces

    def noted(*arguments: Any) -> Iterator[str]:
        threads.append(threading.current_thread())
        return sampled(*arguments)

    monkeypatch.setattr(LanguageModel, "sample_pieces", noted)
    assert _statuses(App(), 1) == [200]
    assert len(threads) == 1 and threads[0] is not threading.current_thread()


def test_a_sample_may_be_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LanguageModel, "sample_pieces", lambda *arguments: iter(()))
    assert asyncio.run(App().sample()) == (200, [{"text": ""}, {"done": True}])
