"""What a budget buys: trains by the command line on real text, beside a Kneser-Ney model of the same tokens.

    python benchmarks/quality.py shakespeare --minutes 1.8333 --threads 1
    python benchmarks/quality.py ptb --minutes 30 --threads 2

tinyshakespeare is split at 90 % of its characters; PTB has its own validation file. Needs SEQTREE_DATA. Options that
this script does not know go to ``seqtree lm train``. Prints one JSON object; training's own messages go to stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SEQTREE = [sys.executable, "-m", "seqtree", "lm"]
TASKS = {"shakespeare": (["--preset", "small"], "6"), "ptb": (["--unit", "word", "--preset", "medium"], "5")}


def texts(name: str, data: Path, scratch: Path) -> tuple[Path, Path]:
    """Training and validation text."""
    if name == "ptb":
        return data / "ptb" / "ptb.train.txt", data / "ptb" / "ptb.valid.txt"
    whole = (data / "text" / "tinyshakespeare.txt").read_text(encoding="utf-8")
    cut = int(len(whole) * 0.9)
    train, valid = scratch / "train.txt", scratch / "valid.txt"
    train.write_text(whole[:cut], encoding="utf-8")
    valid.write_text(whole[cut:], encoding="utf-8")
    return train, valid


def run(arguments: list[str]) -> dict[str, Any]:
    """What a seqtree command prints with --json."""
    done = subprocess.run([*SEQTREE, *arguments, "--json"], check=True, stdout=subprocess.PIPE, text=True)
    record: dict[str, Any] = json.loads(done.stdout)
    return record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--minutes", default="1.8333")
    parser.add_argument("--threads", default="1")
    options, rest = parser.parse_known_args()
    preset, order = TASKS[options.task]
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        train, valid = texts(options.task, Path(os.environ["SEQTREE_DATA"]), scratch)
        out = str(scratch / "run")
        budget = ["--minutes", options.minutes, "--threads", options.threads]
        trained = run(["train", str(train), "--valid", str(valid), "--out", out, *preset, *budget, *rest])
        measured = run(["eval", out, str(valid), "--ngram", str(train), "--ngram-order", order])
    figures = {key: measured[key] for key in ("loss", "perplexity", "bits_per_character", "ngram")}
    print(
        json.dumps(
            {
                "benchmark": "quality",
                "task": options.task,
                "minutes": float(options.minutes),
                "threads": int(options.threads),
                "options": rest,
                "steps": trained["steps"],
                "seconds": trained["seconds"],
                "tokens_per_second": trained["tokens_per_second"],
                **figures,
            }
        )
    )


if __name__ == "__main__":
    main()
