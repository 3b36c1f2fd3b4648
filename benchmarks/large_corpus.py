"""A text larger than memory: encoding it, training on it, and starting again once it is encoded.

Generates a text of ``--gigabytes`` (by a bigram model of the embedded sample's words, and numbers, all new), trains
``--steps`` steps on it with ``seqtree lm train``, and once more with the encoded text in the cache. Prints one JSON
object: the seconds until training begins both times, the peak of the resident memory of all processes together, and
the largest of one. The text and the cache are in a temporary folder (below TMPDIR), which takes twice the text's size:

    python benchmarks/large_corpus.py --gigabytes 10
    python benchmarks/large_corpus.py --gigabytes 1 --unit word
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

from seqtree import corpora

BATCH, WINDOW, PARAGRAPHS, VALID = 16, 32, 2000, 20_000  # the last: bytes of text
BEGUN = "validation tokens, vocabulary"  # in the line that is told when training begins


class Memory(threading.Thread):
    """Watches the resident memory of a process and of all that it has started, in MB."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.process, self.together, self.largest, self.most = process, 0.0, 0.0, 0

    def run(self) -> None:
        while Path(f"/proc/{self.process}").exists():
            sizes = [_resident(number) for number in _family(self.process)]
            self.together = max(self.together, sum(sizes))
            self.largest = max(self.largest, *sizes)
            self.most = max(self.most, len(sizes))
            time.sleep(0.2)


def _family(first: int) -> list[int]:
    children = defaultdict(list)
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            children[int((entry / "stat").read_text().rpartition(")")[2].split()[1])].append(int(entry.name))
        except OSError:  # it has ended meanwhile
            continue
    found = [first]
    for number in found:
        found += children[number]
    return found


def _resident(process: int) -> float:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def paragraphs(seed: int = 1) -> list[str]:
    """Lines of some hundred words each, from a bigram model of the sample's words."""
    words = corpora.path("lighthouse").read_text(encoding="utf-8").split()
    after = defaultdict(list)
    for one, other in zip(words, [*words[1:], words[0]], strict=True):
        after[one].append(other)
    chooser, found = random.Random(seed), []
    for _ in range(PARAGRAPHS):
        line = [chooser.choice(words)]
        while len(line) < 300:
            line.append(chooser.choice(after[line[-1]]))
        found.append(" ".join(line))
    return found


def make_text(target: Path, size: float, seed: int = 1) -> int:
    """Write a text of about ``size`` bytes; how many words and line ends it has."""
    chooser, lines, tokens, written, number = random.Random(seed), paragraphs(seed), 0, 0, 0
    with target.open("w", encoding="utf-8") as file:
        while written < size:
            chosen = [f"{number + i} {chooser.choice(lines)}\n" for i in range(1000)]
            written += file.write("".join(chosen))
            number, tokens = number + len(chosen), tokens + 302 * len(chosen)
    return tokens


def trained(path: Path, out: Path, options: list[str]) -> dict[str, float]:
    """Seconds until training began and until its end, and the memory it took, in MB."""
    command = [sys.executable, "-m", "seqtree", "lm", "train", str(path), "--out", str(out), *options]
    began = time.monotonic()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    memory = Memory(process.pid)
    memory.start()
    start, said = 0.0, []
    assert process.stderr is not None
    for line in process.stderr:
        said.append(line)
        if BEGUN in line:
            start = time.monotonic() - began
    if process.wait():
        sys.exit("".join(said))
    seconds = time.monotonic() - began
    memory.join()
    figures = {"seconds_until_training": start, "seconds": seconds, "peak_mb": memory.together}
    figures |= {"peak_mb_of_one_process": memory.largest, "processes": memory.most}
    return {name: round(value, 1) for name, value in figures.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--unit", choices=["char", "word"], default="char")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--processes", type=int, default=1, help="that train together")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="large-") as place:
        folder = Path(place)
        os.environ |= {"SEQTREE_CACHE": str(folder / "cache"), "SEQTREE_CACHE_LIMIT": "1000"}
        began = time.monotonic()
        tokens = make_text(folder / "text.txt", chosen.gigabytes * 1e9)
        generated, size = time.monotonic() - began, (folder / "text.txt").stat().st_size
        time.sleep(3.0)  # a file of a moment ago might still change, and is read again by the next run
        share = round(VALID / size, 9)
        training = (1 - share) * (size if chosen.unit == "char" else tokens)
        epochs = chosen.steps * BATCH * WINDOW / training
        options = ["--unit", chosen.unit, "--preset", "tiny", "--batch", str(BATCH), "--window", str(WINDOW)]
        options += [
            "--epochs",
            f"{epochs:.3g}",
            "--evaluations",
            "1",
            "--device",
            "cpu",
            "--valid-share",
            f"{share:.9f}",
        ]
        options += ["--max-vocabulary", "20000"] if chosen.unit == "word" else []
        options += ["--processes", str(chosen.processes)] if chosen.processes > 1 else []
        figures: dict[str, object] = {**vars(chosen), "bytes": size, "tokens": tokens, "generated_in": round(generated)}
        figures |= {name: trained(folder / "text.txt", folder / name, options) for name in ("first", "again")}
        figures["cache_bytes"] = sum(file.stat().st_size for file in (folder / "cache").iterdir())
        print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
