"""How fast a corpus becomes token indices, pass by pass: prints one JSON object, speeds in MB (10^6 bytes) per second.

    python benchmarks/encoding.py [--megabytes 32] [--new-words 0.01] [--processes 1] [FILE...]

The text is the lines of the files (by default the PTB and Shakespeare texts under $SEQTREE_DATA), repeated in random
order, with a share of words made new so that the vocabulary goes on growing as in real text. Words are shared by
``--processes``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from seqtree import processes
from seqtree.text.config import TextSettings
from seqtree.text.corpus import CorpusReading, prepare
from seqtree.text.reading import Source

SETTINGS = {
    "characters": TextSettings(),
    "whitespace_words": TextSettings(unit="word", max_vocabulary=65_536),
    "treebank_words": TextSettings(unit="word", tokenizer="treebank", max_vocabulary=65_536),
}


class _Discard:
    def write(self, ids: np.ndarray) -> None:
        """Take the ids and do nothing, to time encoding without the disk."""


def make_text(files: list[Path], target: Path, megabytes: float, new_words: float, seed: int = 1) -> None:
    """Write about ``megabytes`` of mixed lines of the files to ``target``."""
    chooser = random.Random(seed)
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines(keepends=True)]
    size, made = 0, 0
    with target.open("w", encoding="utf-8") as out:
        while size < megabytes * 1e6:
            line = chooser.choice(lines)
            words = line.split(" ")
            if chooser.random() < new_words * len(words):
                place = chooser.randrange(len(words))
                words[place] = f"new{made}" + words[place]
                line = " ".join(words)
                made += 1
            size += out.write(line)


def measure(path: Path, settings: TextSettings) -> dict[str, float]:
    """Speeds of the three readings and of the whole, MB/s, and of opening the cached result."""
    size = path.stat().st_size / 1e6

    def timed(action: Callable[[], object]) -> tuple[object, float]:
        start = time.perf_counter()
        result = action()
        return result, size / (time.perf_counter() - start)

    speeds = {}
    reading, speeds["check_and_hash"] = timed(lambda: CorpusReading([Source(path, str(path))], [], settings, 0.1))
    assert isinstance(reading, CorpusReading)
    vocabulary, speeds["count"] = timed(reading.vocabulary)
    speeds["encode"] = timed(lambda: reading.encode(vocabulary, _Discard()))[1]  # type: ignore[arg-type]
    speeds["prepare"] = timed(lambda: prepare([path], settings))[1]
    speeds["prepare_from_cache"] = timed(lambda: prepare([path], settings))[1]
    return {name: round(speed, 1) for name, speed in speeds.items()}


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--megabytes", type=float, default=32.0)
    parser.add_argument("--new-words", type=float, default=0.01)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    processes.alone, processes.cores = options.processes > 1, lambda: options.processes  # as a command has them
    files = options.files
    if not files and "SEQTREE_DATA" in os.environ:
        data = Path(os.environ["SEQTREE_DATA"])
        files = [data / "ptb" / "ptb.train.txt", data / "text" / "tinyshakespeare.txt"]
    if not files:
        parser.error("name a text file, or set SEQTREE_DATA")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SEQTREE_CACHE"] = str(Path(folder) / "cache")
        path = Path(folder) / "text.txt"
        make_text(files, path, options.megabytes, options.new_words)
        result: dict[str, object] = {"megabytes": round(path.stat().st_size / 1e6, 1), "new_words": options.new_words}
        result["processes"] = options.processes
        result["mb_per_second"] = {name: measure(path, settings) for name, settings in SETTINGS.items()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result["peak_resident_mb"] = round(peak / (1e6 if sys.platform == "darwin" else 1e3))
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
