"""Who may ask what: every request passes here first, and every answer leaves with the headers that keep it safe.

A page of another site may not use the service (its Origin is another), nor may a name of another site that is made to
point to this machine (DNS rebinding: its Host is another). Requests are JSON of bounded size, so many a second.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 256 * 1024  # bytes
BODY_SECONDS = 30.0  # in which a body must have arrived
ADDRESSES = 1024  # whose rates are remembered
METHODS = ("GET", "HEAD", "POST")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SAFE_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """ASGI middleware. ``hosts``: the names under which it may be asked, unless there is a ``token``, which a request
    must then know; ``rate``: requests a second from one address, on average over ten seconds.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], token: str | None = None, rate: float = 100.0) -> None:
        self.app, self.hosts, self.token, self.rate = app, frozenset(hosts), token, rate
        self._rates: OrderedDict[str, tuple[float, float]] = OrderedDict()  # address: (requests left, when)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SAFE_HEADERS)
            await send(message)

        refusal = self._refusal(scope)
        if refusal is None:
            await self.app(scope, _Bounded(receive), safe)
            return
        status, reason = refusal
        headers = {"Retry-After": "1"} if status == 429 else {"Connection": "close"}
        if status == 405:
            headers["Allow"] = ", ".join(METHODS)
        await JSONResponse({"error": reason}, status, headers)(scope, receive, safe)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """The status and the reason for which a request is not answered."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self.token is None and _name(host) not in self.hosts:
            return 403, f"this service is not called {host!r}; open it by the address that it printed"
        if not self._in_time(scope):
            return 429, "too many requests a second; try again in a moment"
        if scope["method"] not in METHODS:
            return 405, "expected GET or POST"
        if scope["method"] == "POST" or scope["query_string"]:
            origin = headers.get("origin")
            foreign = headers.get("sec-fetch-site") in ("cross-site", "same-site")
            if foreign or (origin is not None and origin.partition("://")[2] != host):
                return 403, "pages of other sites may not use this service"
        if scope["method"] == "POST":
            if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
                return 415, "expected a JSON object, with Content-Type: application/json"
            length = headers.get("content-length", "0")
            if not length.isdecimal() or int(length) > MAX_BODY:
                return 413, f"a request has at most {MAX_BODY // 1024} KiB"
        if self.token is not None and scope["path"].startswith("/api/"):
            given = headers.get("authorization", "").removeprefix("Bearer ")
            if not secrets.compare_digest(given.encode(), self.token.encode()):
                return 401, "expected the token that was printed at the start, as Authorization: Bearer TOKEN"
        return None

    def _in_time(self, scope: Scope) -> bool:
        address, now = (scope.get("client") or ("", 0))[0], time.monotonic()
        left, before = self._rates.pop(address, (10 * self.rate, now))
        left = min(10 * self.rate, left + (now - before) * self.rate)
        self._rates[address] = max(0.0, left - 1.0), now
        if len(self._rates) > ADDRESSES:
            self._rates.popitem(last=False)
        return left >= 1.0


class TooLargeError(Exception):
    """A request's body goes on beyond ``MAX_BODY``, whatever its Content-Length said."""


class LateError(Exception):
    """A request's body has not arrived in time."""


class _Bounded:
    """The messages of a request, counted, and timed until its body is whole: then comes only that its client left."""

    def __init__(self, receive: Receive) -> None:
        self.receive, self.size = receive, 0
        self.end: float | None = asyncio.get_running_loop().time() + BODY_SECONDS

    async def __call__(self) -> Message:
        try:
            async with asyncio.timeout_at(self.end):
                message = await self.receive()
        except TimeoutError:
            raise LateError from None
        if not message.get("more_body", False):
            self.end = None
        self.size += len(message.get("body", b""))
        if self.size > MAX_BODY:
            raise TooLargeError
        return message


def _name(host: str) -> str:
    """A Host header without its port, in lower case."""
    return host.rsplit(":", 1)[0].lower() if host.rpartition(":")[2].isdecimal() else host.lower()


def hosts_of(host: str) -> tuple[str, ...]:
    """The names by which a service may be asked that listens at this address."""
    return tuple(f"[{name}]" if ":" in name else name for name in (*LOOPBACK, host.lower()))
