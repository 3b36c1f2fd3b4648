"""Many clients at once: what ``seqtree serve`` answers, and how soon.

    python benchmarks/serve_load.py --clients 50 --seconds 60

Starts the service with the parser that comes with seqtree and a small language model, and lets each client ask for a
parse, a score, a short sample in turn, as soon as it has the answer before. Every answer is compared with what its text
must give. Prints one JSON object; latencies in milliseconds.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import re
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np

NOUNS = ["cat", "dog", "man", "boat", "house", "river", "letter", "child", "doctor", "garden", "window", "teacher"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    options, rest = parser.parse_known_args()
    command = [sys.executable, "-m", "seqtree", "serve", "--port", "0", "--rate", "100000", *rest]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as service:
        try:
            print(json.dumps(load(port_of(service), options.clients, options.seconds)))
        finally:
            service.terminate()


def load(port: int, clients: int, seconds: float) -> dict[str, Any]:
    """What ``clients`` saw in so many seconds."""
    Client(port, 0).ask()
    end, askers = time.monotonic() + seconds, [Client(port, number) for number in range(clients)]
    threads = [threading.Thread(target=one.go_on, args=(end,)) for one in askers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = 1e3 * np.array([taken for one in askers for taken in one.seconds])
    middle, most = np.percentile(times, [50, 95])
    return {
        "clients": clients,
        "answers": len(times),
        "answers_per_second": round(len(times) / seconds, 1),
        "wrong": sum(one.wrong for one in askers),
        "failed": sum(one.failed for one in askers),
        "median": round(float(middle), 1),
        "p95": round(float(most), 1),
    }


class Client:
    """Asks one thing after another, and looks at the answers."""

    def __init__(self, port: int, number: int) -> None:
        self.port, self.random = port, random.Random(number)
        self.seconds: list[float] = []
        self.wrong = self.failed = 0

    def go_on(self, end: float) -> None:
        """Ask until then."""
        while time.monotonic() < end:
            began = time.perf_counter()
            try:
                self.wrong += not self.ask()
            except (OSError, ValueError, KeyError, http.client.HTTPException):
                self.failed += 1
            self.seconds.append(time.perf_counter() - began)

    def ask(self) -> bool:
        """Ask one thing; whether the answer is one to it."""
        words = [self.random.choice(NOUNS) for _ in range(self.random.randint(1, 6))]
        text = " and ".join(f"the {word}" for word in words) + " came home."
        what = self.random.choice(["parse", "score", "sample"])
        if what == "parse":
            (sentence,) = self._send(what, {"text": text})["sentences"]
            return bool(sentence["trees"][0]["words"] == text.replace(".", " .").split())
        if what == "score":
            return "".join(one["token"] for one in self._send(what, {"text": text})["tokens"]) == text
        lines = self._lines(what, {"text": text, "length": 50, "seed": 1})
        return lines[-1] == {"done": True} and len("".join(line["text"] for line in lines[:-1])) == 50

    def _send(self, operation: str, request: dict[str, Any]) -> Any:
        (answer,) = self._lines(operation, request)
        return answer

    def _lines(self, operation: str, request: dict[str, Any]) -> list[Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", f"/api/{operation}", json.dumps(request), {"Content-Type": "application/json"})
        response = connection.getresponse()
        body = response.read().decode()
        connection.close()
        if response.status == 429:  # too many samples at once: as a client should, wait and ask again
            time.sleep(0.1)
            return self._lines(operation, request)
        if response.status != 200:
            raise ValueError(body)
        return [json.loads(line) for line in body.splitlines()]


def port_of(service: subprocess.Popen[str]) -> int:
    """The port that ``seqtree serve`` says it listens at."""
    assert service.stderr is not None
    for line in service.stderr:
        if found := re.match(r"http://127\.0\.0\.1:(\d+)/", line):
            return int(found[1])
    raise SystemExit("the service did not start")


if __name__ == "__main__":
    main()
