"""``seqtree serve``: a page in the browser, and a JSON service, for models on this machine."""

from __future__ import annotations

import errno
import json
import os
import secrets
import signal
import socket
from typing import TYPE_CHECKING, Any

import click

from seqtree.cli.options import FILE, NumberRange, device_option, note, precision_option, threads_option
from seqtree.errors import InputError
from seqtree.extras import needed
from seqtree.processes import ending_signals

if TYPE_CHECKING:
    import uvicorn

PORTS = 20  # that are tried, from the one asked for on
EVERYWHERE = ("0.0.0.0", "::")  # all addresses of this machine
QUIET: dict[str, Any] = {
    "http": "seqtree.serve.connections:Connection",
    "h11_max_incomplete_event_size": 1 << 18,  # an address on /plain may hold a text of 20,000 characters
    "log_level": "warning",
    "access_log": False,
    "server_header": False,
    "timeout_graceful_shutdown": 5,
}


@click.command(
    epilog="\b\nExamples:\n  seqtree serve\n  seqtree serve runs/novel default runs/tagger --port 9000\n"
    '  curl http://127.0.0.1:8000/api/parse -H "Content-Type: application/json" -d \'{"text": "The cat sat."}\''
)
@click.argument("models", nargs=-1, type=FILE, metavar="[MODEL]...")
@click.option(
    "--run",
    "runs",
    multiple=True,
    type=FILE,
    metavar="FOLDER",
    help="Show the curves of a run as well, while it trains.",
)
@click.option("--host", default="127.0.0.1", help="Address to listen at; one that others can reach needs a token.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, help="Port to listen at, or the next free one.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, help="Processes, each with the models in its memory.")
@click.option("--rate", type=NumberRange(min=0, min_open=True), default=100, help="Requests a second, by address.")
@threads_option
@precision_option
@device_option
def serve(
    models: tuple[str, ...],
    runs: tuple[str, ...],
    host: str,
    port: int,
    workers: int,
    rate: float,
    threads: int | None,
    precision: str,
    device: str,
) -> None:
    """Open a page on which to parse, score, sample, tag and classify with each MODEL.

    Without any MODEL it has the parser that comes with seqtree, and a small language model that is trained on an
    embedded text the first time. Nothing is fetched from elsewhere, and nothing that is typed leaves this machine.
    """
    uvicorn, _ = (
        needed(name, "serve", "seqtree serve needs Starlette and uvicorn") for name in ("uvicorn", "starlette")
    )
    from seqtree.serve import models as served
    from seqtree.serve.app import VARIABLE, make_app
    from seqtree.serve.guard import LOOPBACK

    token = None if host in LOOPBACK else secrets.token_urlsafe(24)
    with _listening(host, port) as listening:
        curves = served.runs(models, runs)  # before a model is opened or trained
        opening: dict[str, Any] = {"paths": served.given(models, note), "device": device, "precision": precision}
        opening["threads"] = threads
        opened = served.opened(**opening)  # what is wrong with a model is told before anything is served
        about: dict[str, Any] = {"runs": curves, "host": host, "token": token, "rate": rate}
        if workers == 1:
            texts = served.training_texts(opening["paths"], opened)
            server = uvicorn.Server(uvicorn.Config(make_app(opened, texts=texts, **about), **QUIET))
            _hear(server)  # before anybody is told that it is there to be ended
            _tell(listening, host, token)
            server.run(sockets=[listening])
            return
        _tell(listening, host, token)
        os.environ[VARIABLE] = json.dumps({"models": opening, "app": about})
        uvicorn.run("seqtree.serve.app:from_environment", factory=True, fd=listening.fileno(), workers=workers, **QUIET)


def _hear(server: uvicorn.Server) -> None:
    """Have what asks this process to end end the server."""
    for number in ending_signals():
        signal.signal(number, server.handle_exit)


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens there, or at one of the next ports if that one is taken, which is then said.

    Raises InputError if that is not possible.
    """
    for number in range(port, min(port + PORTS, 65536)) if port else [0]:
        try:
            family = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0][0]
            made = socket.create_server((host, number), family=family, backlog=1024)
        except (OSError, UnicodeError) as error:  # the second for what can be no name
            reason = error
            if getattr(error, "errno", None) != errno.EADDRINUSE:
                break
            continue
        if number != port:
            note(f"port {port} is taken: listening at port {number}")
        made.set_inheritable(True)
        # asyncio does not know a listening socket that is handed over for one of TCP, and would let answers wait 40 ms
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made
    raise _refusal(host, port, reason)


def _refusal(host: str, port: int, error: OSError | UnicodeError) -> InputError:
    """Why it cannot listen there, without the address that ``create_server`` adds, and what else to try."""
    found = isinstance(error, OSError) and not isinstance(error, socket.gaierror)
    number = getattr(error, "errno", None) if found else None
    reason = os.strerror(number) if number else getattr(error, "strerror", None) or str(error)
    other = "--port" if number in (errno.EADDRINUSE, errno.EACCES) else "--host"
    return InputError(f"cannot listen at {host or repr(host)}, port {port} ({reason}); try another {other}")


def _tell(listening: socket.socket, host: str, token: str | None) -> None:
    name = socket.gethostname() if host in EVERYWHERE else host  # an address at which others find it
    shown, port = f"[{name}]" if ":" in name else name, listening.getsockname()[1]
    click.echo(f"http://{shown}:{port}/{f'#token={token}' if token else ''}  (Ctrl+C ends it)", err=True)
    if token:
        click.echo("whoever has this address can use these models; the connection is not encrypted", err=True)
