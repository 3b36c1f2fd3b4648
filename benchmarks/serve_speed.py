"""How soon ``seqtree serve`` is up on one core, answers a sentence of 20 words, and is seen in a browser.

    python benchmarks/serve_speed.py

Starts the service on the first core, with one thread, the parser that comes with seqtree and a small language model.
Prints one JSON object: the seconds until the service answers, the median and the 95th percentile in milliseconds of
sentences that are asked for one after the other, and the seconds from opening the page to its first tree (Chromium).
"""

from __future__ import annotations

import argparse
import http.client
import json
import shutil
import subprocess
import sys
import time

import numpy as np
from playwright.sync_api import sync_playwright
from serve_load import port_of

TEXT = "the old man who lived near the river told the children that the boat had been built by his father"
SENTENCES, FIRST = 200, 5  # the first are not counted


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    began = time.perf_counter()
    command = [sys.executable, "-m", "seqtree", "serve", "--port", "0", "--threads", "1"]
    if taskset := shutil.which("taskset"):
        command = [taskset, "-c", "0", *command]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as service:
        try:
            port = port_of(service)
            _ask(http.client.HTTPConnection("127.0.0.1", port), "GET", "/api/models")
            up = time.perf_counter() - began
            median, most = np.percentile(_sentences(port), [50, 95])
            print(
                json.dumps(
                    {
                        "up_seconds": round(up, 2),
                        "median_ms": round(1e3 * float(median), 1),
                        "p95_ms": round(1e3 * float(most), 1),
                        "first_tree_seconds": round(_first_tree(port), 2),
                    }
                )
            )
        finally:
            service.terminate()


def _ask(connection: http.client.HTTPConnection, method: str, path: str, body: str | None = None) -> None:
    connection.request(method, path, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = response.read()
    if response.status != 200:
        raise SystemExit(answer.decode())


def _sentences(port: int) -> list[float]:
    """The seconds that each of some sentences took: the same words, each time begun at another."""
    words = TEXT.split()
    connection, taken = http.client.HTTPConnection("127.0.0.1", port), []
    for number in range(SENTENCES):
        turn = number % len(words)
        body = json.dumps({"text": " ".join(words[turn:] + words[:turn]), "tokenized": True})
        began = time.perf_counter()
        _ask(connection, "POST", "/api/parse", body)
        taken.append(time.perf_counter() - began)
    return taken[FIRST:]


def _first_tree(port: int) -> float:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        began = time.perf_counter()
        page.goto(f"http://127.0.0.1:{port}/")
        page.wait_for_selector("#view-parse .paper svg")
        seconds = time.perf_counter() - began
        browser.close()
        return seconds


if __name__ == "__main__":
    main()
