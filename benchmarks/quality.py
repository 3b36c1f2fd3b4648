"""What a budget buys: trains by the command line on four real texts, beside a Kneser-Ney model of the same tokens.

    python benchmarks/quality.py shakespeare --minutes 1.8333 --preset small
    python benchmarks/quality.py shakespeare ptb poems code --minutes 2 --minutes 10 --minutes 30

The network is what ``seqtree lm train`` chooses, if no preset is named. shakespeare (tinyshakespeare), poems (of the
Tang period) and code (the modules of Python's standard library that are in no package) are read as characters, and the
last tenth of each is held out; ptb, Mikolov's, is read as words, and has a validation file. All but code need
SEQTREE_DATA. Options that this script does not know go to ``seqtree lm train``. Prints a JSON object for each run;
training's own messages go to stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

TEXTS = {"shakespeare": 6, "ptb": 5, "poems": 3, "code": 6}  # each with the order of the n-grams beside it
KEPT = ("loss", "perplexity", "bits_per_character", "ngram")


def main() -> None:
    """Train on every text for every budget, and print what each came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", choices=TEXTS, nargs="+")
    parser.add_argument("--minutes", action="append", required=True)
    parser.add_argument("--threads", default="1")
    given, rest = parser.parse_known_args()
    for text in given.text:
        for minutes in given.minutes:
            with tempfile.TemporaryDirectory() as folder:
                budget = ["--minutes", minutes, "--threads", given.threads]
                figures = measured(text, Path(folder), [*budget, *rest])
            about = {"text": text, "minutes": float(minutes), "threads": int(given.threads), "options": rest}
            print(json.dumps({**about, **figures}), flush=True)


def measured(text: str, scratch: Path, options: list[str]) -> dict[str, Any]:
    """What a training with these options comes to on what is held out of a text."""
    train, valid = (str(part) for part in parts(text, scratch))
    out = str(scratch / "run")
    unit = ["--unit", "word"] if text == "ptb" else []
    trained = run(["lm", "train", train, "--valid", valid, "--out", out, *unit, *options])
    figures = run(["lm", "eval", out, valid, "--ngram", train, "--ngram-order", str(TEXTS[text])])
    made = json.loads((Path(out) / "config.json").read_text(encoding="utf-8"))
    return {
        "preset": made["preset"],
        "epochs": json.loads((Path(out) / "metrics.jsonl").read_text().splitlines()[-1])["epoch"],
        **{key: trained[key] for key in ("steps", "seconds", "tokens_per_second")},
        **{key: figures[key] for key in KEPT},
    }


def parts(text: str, scratch: Path) -> tuple[Path, Path]:
    """Files of a text: to train on, and held out."""
    if text == "ptb":
        folder = Path(os.environ["SEQTREE_DATA"]) / "ptb"
        return folder / "ptb.train.txt", folder / "ptb.valid.txt"
    whole = read(text)
    cut = int(len(whole) * 0.9)
    train, valid = scratch / "train.txt", scratch / "valid.txt"
    train.write_text(whole[:cut], encoding="utf-8")
    valid.write_text(whole[cut:], encoding="utf-8")
    return train, valid


def read(text: str) -> str:
    """All of a text."""
    if text == "code":
        modules = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
        return "\n".join(path.read_text(encoding="utf-8") for path in modules)
    name = {"shakespeare": "text/tinyshakespeare.txt", "poems": "poems/train.txt"}[text]
    return (Path(os.environ["SEQTREE_DATA"]) / name).read_text(encoding="utf-8")


def run(arguments: list[str]) -> dict[str, Any]:
    """What a seqtree command prints with --json."""
    command = [sys.executable, "-m", "seqtree", *arguments, "--json"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    record: dict[str, Any] = json.loads(done.stdout)
    return record


if __name__ == "__main__":
    main()
