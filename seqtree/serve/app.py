"""The service as an ASGI application: the page, its files, and the operations as JSON."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, cast

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from seqtree.errors import InputError, SeqtreeError
from seqtree.language.memorisation import Ids
from seqtree.language.model import LanguageModel
from seqtree.model import Model
from seqtree.serve.guard import BODY_SECONDS, MAX_BODY, Guard, LateError, TooLargeError, hosts_of
from seqtree.serve.jobs import BusyError, Worker
from seqtree.serve.openapi import document
from seqtree.serve.operations import OPERATIONS, Json, Operation, Trained
from seqtree.serve.plain import page
from seqtree.serve.requests import ModelRequest
from seqtree.settings import fields_of
from seqtree.training.run_folder import RunFolder

STATIC = Path(__file__).parent / "static"
VARIABLE = "SEQTREE_SERVE"  # what a process of its own is told: the arguments of ``create``, as JSON
STREAMS = 16  # at a time
FLUSH = 0.03  # seconds between two parts of a stream
MAX_RECORDS = 2_000  # of a run
ANSWERED = (SeqtreeError, BusyError, LateError, TooLargeError)
Models = Mapping[str, Model[Any]]


def make_app(
    models: Models,
    runs: Mapping[str, str | Path] | None = None,
    texts: Mapping[str, Callable[[], Ids]] | None = None,
    host: str = "127.0.0.1",
    token: str | None = None,
    rate: float = 100.0,
) -> Starlette:
    """The application for models, run folders to show the curves of, and training texts of models, by name.

    ``host``, ``token``, ``rate``: see ``Guard``.
    """
    kinds = {model.kind for model in models.values()}
    offered = [one for one in OPERATIONS if one.kind in kinds and (texts or not one.of_training)]
    service = _Service(models, {name: Path(path) for name, path in (runs or {}).items()}, texts or {}, offered)
    routes = [
        Route("/", lambda request: FileResponse(STATIC / "index.html")),
        Route("/api/models", service.listed),
        Route("/api/runs", service.curves),
        Route("/openapi.json", lambda request: JSONResponse(document(offered))),
        *(Route(f"/api/{one.name}", partial(service.asked, one), methods=["POST"]) for one in offered),
        *([] if token else [Route("/plain", service.plain)]),  # which could not show a token
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    guard = Middleware(Guard, hosts=hosts_of(host), token=token, rate=rate)
    errors: dict[Any, Callable[..., Coroutine[Any, Any, Response]]] = {404: _not_found, 405: _wrong_method}
    return Starlette(routes=routes, middleware=[guard], lifespan=service.lifespan, exception_handlers=errors)


def from_environment() -> Starlette:
    """The application that the variable ``SEQTREE_SERVE`` describes: what every worker process runs."""
    from seqtree.serve.models import opened, training_texts

    told = json.loads(os.environ[VARIABLE])
    models = opened(**told["models"])
    return make_app(models, texts=training_texts(told["models"]["paths"], models), **told["app"])


class _Service:
    def __init__(
        self,
        models: Models,
        runs: Mapping[str, Path],
        texts: Mapping[str, Callable[[], Ids]],
        offered: Sequence[Operation],
    ) -> None:
        self.models, self.runs, self.offered, self.streams = models, runs, offered, 0
        self.trained = {name: Trained(cast(LanguageModel, models[name]), read) for name, read in texts.items()}
        self.worker: Worker | None = None

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        self.worker = Worker()
        yield
        await asyncio.to_thread(self.worker.close)

    async def listed(self, request: Request) -> Response:
        """The models by name: their kind, and what can be done with them."""
        found = []
        for name, model in self.models.items():
            does = [one.name for one in self.offered if name in self._of_kind(one) and _goes(one, model)]
            found.append({"name": name, "kind": model.kind, "operations": does, **_facts(model)})
        return JSONResponse({"models": found})

    async def curves(self, request: Request) -> Response:
        """What every run has measured until now, evaluation by evaluation."""
        found = await asyncio.to_thread(
            lambda: [{"name": name, "records": RunFolder(run).records(MAX_RECORDS)} for name, run in self.runs.items()]
        )
        return JSONResponse({"runs": found})

    async def asked(self, operation: Operation, request: Request) -> Response:
        """The answer of an operation to a request."""
        try:
            asked = await _read(request, operation)
            model = self._model(operation, asked)
            if operation.pieces is not None:
                return await self._stream(partial(operation.pieces, model, asked))
            return JSONResponse(await self._answer(operation, model, asked, request))
        except ClientDisconnect:
            return Response(status_code=499)
        except ANSWERED as error:
            status, reason, headers = _refusal(error)
            return _error(status, reason, headers)

    async def plain(self, request: Request) -> Response:
        """The page for browsers without scripts, with the answer to the form that it was sent with."""
        choices = {
            f"{one.name} {name}": (one, name)
            for one in self.offered
            for name in self._of_kind(one)
            if one.pieces is None and one.request.subject == "text" and _goes(one, self.models[name])
        }
        text, chosen = request.query_params.get("text", ""), request.query_params.get("do", next(iter(choices), ""))
        answer, status, reason, headers = None, 200, None, dict[str, str]()
        try:
            await request.body()  # there is none; after it, only that the client has gone
            if choices and chosen not in choices:
                raise InputError(f"{chosen!r}: expected one of {', '.join(choices)}")
            if choices and text.strip():
                operation, name = choices[chosen]
                asked = operation.request.from_json({"text": text.replace("\r\n", "\n"), "model": name})
                answer = await self._answer(operation, self._model(operation, asked), asked, request)
        except ClientDisconnect:
            return Response(status_code=499)
        except ANSWERED as error:
            status, reason, headers = _refusal(error)
        called = [(value, f"{one.summary} ({name})") for value, (one, name) in choices.items()]
        return HTMLResponse(page(called, chosen, text, answer, reason), status, headers)

    async def _answer(self, operation: Operation, model: Any, asked: ModelRequest, request: Request) -> Json:
        assert self.worker is not None
        answer: asyncio.Future[Json] = asyncio.ensure_future(self.worker.ask(operation, model, asked))
        gone: asyncio.Future[Any] = asyncio.ensure_future(
            request.receive()
        )  # after the body, only that the client has gone
        await asyncio.wait([answer, gone], return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        if not answer.done():
            answer.cancel()
            raise ClientDisconnect
        return answer.result()

    async def _stream(self, pieces: Callable[[], Iterator[str]]) -> Response:
        if self.streams >= STREAMS:
            return _error(429, "too many texts are being sampled; try again in a moment", {"Retry-After": "1"})
        self.streams += 1
        try:
            lines = await asyncio.to_thread(_begun, pieces)
        except BaseException:
            self._stream_ended()
            raise
        return _Streaming(lines, self._stream_ended)

    def _stream_ended(self) -> None:
        self.streams -= 1

    def _of_kind(self, operation: Operation) -> Mapping[str, Any]:
        """What an operation takes, by name."""
        if operation.of_training:
            return self.trained
        return {name: model for name, model in self.models.items() if model.kind == operation.kind}

    def _model(self, operation: Operation, asked: ModelRequest) -> Any:
        of_kind = self._of_kind(operation)
        if asked.model is None:
            able = (model for name, model in of_kind.items() if _goes(operation, self.models[name]))
            return next(able, next(iter(of_kind.values())))
        if asked.model not in of_kind:
            raise InputError(f"model {asked.model!r}: expected one of {', '.join(of_kind)}")
        return of_kind[asked.model]


class _Streaming(StreamingResponse):
    """Lines as they come; that it has ended is told whether they were all sent, some, or none."""

    def __init__(self, lines: Iterator[str], ended: Callable[[], None]) -> None:
        super().__init__(lines, media_type="application/x-ndjson")
        self.ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.ended()


async def _read(request: Request, operation: Operation) -> ModelRequest:
    subject = operation.request.subject
    try:
        values = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise InputError(f'expected a JSON object such as {{"{subject}": "..."}}') from None
    if not isinstance(values, dict) or subject not in values:
        raise InputError(f'expected a JSON object with "{subject}"')
    known = fields_of(operation.request)
    if unknown := [name for name in values if name not in known]:
        raise InputError(f"there is no field {unknown[0]!r:.60}; expected some of {', '.join(known)}")
    return operation.request.from_json(values)


def _begun(pieces: Callable[[], Iterator[str]]) -> Iterator[str]:
    """The lines of what is sampled, the first piece of which is there: what keeps it from being made is raised."""
    sampled = pieces()
    return _lines(chain(list(islice(sampled, 1)), sampled))


def _lines(pieces: Iterator[str]) -> Iterator[str]:
    """What is sampled, as lines of JSON: parts as they come, and at the end ``{"done": true}``, or an error."""
    held, told = "", time.monotonic()
    try:
        for piece in pieces:
            held += piece
            if time.monotonic() - told >= FLUSH:
                yield json.dumps({"text": held}) + "\n"
                held, told = "", time.monotonic()
    except SeqtreeError as error:
        yield json.dumps({"error": str(error)}) + "\n"
        return
    yield json.dumps({"text": held}) + "\n"
    yield json.dumps({"done": True}) + "\n"


def _goes(operation: Operation, model: Model[Any]) -> bool:
    """Whether a model of its kind has the operation: blanks are filled by bidirectional language models only."""
    both_sides = getattr(model.network.config, "bidirectional", False) if model.kind == "language-model" else None
    return both_sides is None or operation.name in ("score", "copies") or (operation.name == "fill") == both_sides


def _facts(model: Model[Any]) -> Json:
    vocabulary = getattr(model, "vocabulary", None)
    return {
        "parameters": model.network.parameter_count,
        "unit": getattr(vocabulary, "unit", None),
    }


def _refusal(error: Exception) -> tuple[int, str, dict[str, str]]:
    """What a request is told that cannot be answered: the status, the reason, and headers."""
    if isinstance(error, TooLargeError):
        return 413, f"a request has at most {MAX_BODY // 1024} KiB", {"Connection": "close"}
    if isinstance(error, LateError):
        return 408, f"the request did not arrive within {BODY_SECONDS:g} seconds", {"Connection": "close"}
    if isinstance(error, BusyError):
        return 503, str(error), {"Retry-After": "1"}
    return 400 if isinstance(error, InputError) else 500, str(error), {}


def _error(status: int, reason: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": reason}, status, headers)


async def _not_found(request: Request, error: Exception) -> Response:
    return _error(404, "there is nothing here; the operations are listed at /openapi.json")


async def _wrong_method(request: Request, error: Exception) -> Response:
    headers: Mapping[str, str] = getattr(error, "headers", None) or {}
    expected = "GET" if "GET" in headers.get("Allow", "") else "POST with a JSON object"
    return _error(405, f"expected {expected}", headers)
