"""A playground that listens on a free port of this machine, with small models."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from scene_helpers import SMALL, need_extra, scene_folder

pytest.importorskip("uvicorn", reason="the extra serve is not installed")

import uvicorn

from seqtree.cli.serve import QUIET
from seqtree.corpora.pairs import generate as pairs_of
from seqtree.language.model import LanguageModel
from seqtree.model import Model, load
from seqtree.serve.app import make_app
from seqtree.training.fit import train

TEXT = "the cat sat on the mat\na dog ran to the man\nthe man sat on a mat, and a cat ran\n" * 8


def models(folder: Path) -> dict[str, Model[Any]]:
    """One model of each kind, untrained or hardly trained; the parser is the shipped one."""
    need_extra()
    tagged, labelled = folder / "tagged.conll", folder / "labelled.tsv"
    tagged.write_text("the DT\ncat NN\nsat VBD\n\na DT\ndog NN\nran VBD\n\n" * 5, encoding="utf-8")
    labelled.write_text("good\ta fine day\nbad\ta poor day\n" * 10, encoding="utf-8")
    graded, pairs = folder / "graded.txt", folder / "pairs.tsv"
    graded.write_text("(3 (2 It) (3 works))\n(1 (2 It) (1 fails))\n" * 5, encoding="utf-8")
    pairs.write_text("".join(f"{s}\t{t}\n" for s, t in pairs_of("reverse", 40)), encoding="utf-8")
    small = {"preset": "tiny", "epochs": 1.0, "progress": False}
    made = {
        task: load(train(task, source, out=str(folder / task), **small)["model"])
        for task, source in (("tag", tagged), ("classify", labelled), ("tree", graded), ("translate", pairs))
    }
    cut: dict[str, Any] = {**SMALL, "threads": 1, "epochs": 1, "out": str(folder / "scene"), "progress": False}
    views = load(train("scene", scene_folder(folder / "scenes", 4, 1), preset="tiny", **cut)["model"])
    shape = {"hidden": 8, "embedding": 5, "layers": 1}
    return {
        "default": load("default"),
        "letters": LanguageModel.untrained(TEXT, **shape),
        "blanks": LanguageModel.untrained(TEXT, bidirectional=True, **shape),
        "tags": made["tag"],
        "moods": made["classify"],
        "grades": made["tree"],
        "mirror": made["translate"],
        "views": views,
    }


@contextmanager
def listening(served: dict[str, Model[Any]], **options: Any) -> Iterator[int]:
    """The port of a service for these models, while it runs."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        place.listen(256)
        server = uvicorn.Server(uvicorn.Config(make_app(served, **options), **{**QUIET, "log_level": "error"}))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield place.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


class Client:
    """Sends requests to a port."""

    def __init__(self, port: int) -> None:
        self.port = port

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """The status, the headers (by names in lower case) and the body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if content is not None:
            sent = {"Content-Type": "application/json", **sent}
        connection.request(method, path, content, sent)
        response = connection.getresponse()
        found = response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        connection.close()
        return found

    def ask(self, operation: str, **request: Any) -> Any:
        """The answer to a request that must succeed."""
        status, _, body = self.send("POST", f"/api/{operation}", request)
        assert status == 200, body
        return json.loads(body)

    def refused(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
        """The status and the reason of a refusal."""
        status, _, content = self.send(method, path, body, **headers)
        return status, json.loads(content)["error"]
