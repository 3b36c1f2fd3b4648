"""How cost grows: measures it, draws it against a straight line, and writes the tables and pictures of docs/scaling.md.

    python benchmarks/scaling.py --docs docs            # all of it, some two minutes on two idle cores
    python benchmarks/scaling.py --only beam window     # some of it, printed as JSON only

Every measurement but those of several processes is of one thread, the median of ``REPEAT``. A picture has both scales
logarithmic, so that a cost that grows as a power is a straight line; the grey one has the ideal power, through the last
point. Needs no data: texts are made by a bigram model of the embedded sample, trees by the parser that comes with
seqtree.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from seqtree import corpora
from seqtree.drawing.svg import LINE_INK, TAG_INK, group, picture, text
from seqtree.language.config import LanguageNetworkConfig
from seqtree.language.network import RecurrentLanguageModel
from seqtree.parsing.model import Parser
from seqtree.shipped import default_parser
from seqtree.text.config import TextSettings
from seqtree.text.corpus import prepare

REPEAT = 3
BEGIN, END = "<!-- measured by benchmarks/scaling.py -->", "<!-- end -->"
Points = dict[int, float]


@dataclass(frozen=True)
class Curve:
    """What is measured: a name, what grows, what is measured of it, and the ideal power of growth."""

    name: str
    across: str
    up: str
    power: float
    measure: Callable[[], Points]


def timed(run: Callable[[], object]) -> float:
    """Seconds, the median of some runs after one that does not count."""
    run()
    seconds = []
    for _ in range(REPEAT):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def step_seconds(vocabulary: int = 2000, hidden: int = 256, window: int = 32, batch: int = 16) -> float:
    """Seconds of the gradients of a training step of a language model."""
    config = LanguageNetworkConfig(hidden=hidden, embedding=hidden, layers=1)
    network = RecurrentLanguageModel(vocabulary, config).train()
    ids = torch.randint(3, vocabulary, (window + 1, batch))

    def step() -> None:
        network.zero_grad(set_to_none=True)
        network.loss(ids[:-1], ids[1:], None, None)[0].backward()

    return timed(step)


def words_of_sample() -> list[str]:
    return corpora.path("lighthouse").read_text(encoding="utf-8").split()


def made_text(words: int, line: int, seed: int = 1) -> str:
    """So many words in lines of ``line`` words, by a bigram model of the sample."""
    sample, chooser, after = words_of_sample(), random.Random(seed), defaultdict(list)
    for one, other in zip(sample, [*sample[1:], sample[0]], strict=True):
        after[one].append(other)
    found = [chooser.choice(sample)]
    while len(found) < words:
        found.append(chooser.choice(after[found[-1]]))
    return "".join(" ".join(found[i : i + line]) + "\n" for i in range(0, words, line))


def sentence_seconds() -> Points:
    """Seconds a sentence of n words takes, parsed in batches of 32."""
    parser, found = Parser.load(default_parser()), {}
    for length in (5, 10, 20, 40, 80):
        lines = made_text(32 * length, length, length).splitlines()
        sentences = [parser.words(line.split()) for line in lines]
        found[length] = timed(lambda sentences=sentences: list(parser.parses(sentences))) / len(sentences)  # type: ignore[misc]
    return found


def beam_seconds() -> Points:
    """Seconds a sentence of 20 words takes with a beam of so many forests."""
    parser = Parser.load(default_parser())
    sentences = [parser.words(line.split()) for line in made_text(200, 20).splitlines()]

    def run(width: int) -> Callable[[], object]:
        return lambda: [parser.k_best(sentence, 1, width) for sentence in sentences]

    return {width: timed(run(width)) / len(sentences) for width in (1, 2, 4, 8, 16, 32, 64)}


def encoding_seconds(unit: str) -> Points:
    """Seconds until so many kB of text are read, counted and encoded, by one process."""
    found = {}
    with tempfile.TemporaryDirectory() as place:
        for size in (1000, 4000, 16_000):
            path = Path(place) / f"{size}.txt"
            block = made_text(180_000, 20)
            path.write_text((block * (1 + size * 1000 // len(block)))[: size * 1000], encoding="utf-8")

            def run(path: Path = path, size: int = size) -> None:
                os.environ["SEQTREE_CACHE"] = tempfile.mkdtemp(dir=place)
                prepare([path], TextSettings(unit=unit))

            found[size] = timed(run)
    return found


def command(*words: object) -> tuple[str, float]:
    """What a command of seqtree prints, and how many seconds it took."""
    began = time.perf_counter()
    told = subprocess.run(
        [sys.executable, "-m", "seqtree", *map(str, words)], capture_output=True, text=True, check=False
    )
    if told.returncode:
        sys.exit(told.stderr)
    return told.stdout, time.perf_counter() - began


def training_speeds(task: str) -> Points:
    """Items a second that the preset medium reads while it trains, by so many processes of one thread."""
    found = {}
    with tempfile.TemporaryDirectory() as place:
        lines = made_text(30_000, 20)
        (Path(place) / "text.txt").write_text(lines, encoding="utf-8")
        sources = ["text.txt"]
        if task == "parser":
            trees, _ = command("parse", "--file", Path(place) / "text.txt", "--tokenized", "--format", "bracket")
            (Path(place) / "trees.mrg").write_text(trees, encoding="utf-8")
            sources = ["trees.mrg"]
        for count in (1, 2):
            options = [
                "--preset",
                "medium",
                "--evaluations",
                1,
                "--valid-share",
                0.01,
                "--device",
                "cpu",
                "--threads",
                1,
            ]
            options += ["--epochs", 0.5 if task == "lm" else 0.3, "--processes", count, "--quiet"]
            out = Path(place) / f"{task}-{count}"
            command(task, "train", Path(place) / sources[0], "--out", out, *options)
            last = json.loads((out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[-1])
            found[count] = last["tokens_per_second" if task == "lm" else "words_per_second"]
    return found


def parsing_speeds() -> Points:
    """Sentences a second of ``seqtree parse``, by so many processes of one thread, the start left out."""
    found = {}
    with tempfile.TemporaryDirectory() as place:
        files = {}
        for count in (20, 6000):
            files[count] = Path(place) / f"{count}.txt"
            files[count].write_text(made_text(18 * count, 18, count), encoding="utf-8")
        for processes in (1, 2):
            options = ["--tokenized", "--format", "bracket", "--threads", 1, "--processes", processes]
            start, whole = (command("parse", "--file", files[count], *options)[1] for count in (20, 6000))
            found[processes] = 5980 / (whole - start)
    return found


CURVES = (
    Curve("vocabulary", "words in the vocabulary", "ms a step", 1, lambda: _steps("vocabulary", 1000, 6)),
    Curve("hidden", "hidden units", "ms a step", 2, lambda: _steps("hidden", 64, 5)),
    Curve("window", "tokens in a window", "ms a step", 1, lambda: _steps("window", 8, 6)),
    Curve("sentence", "words in a sentence", "ms a sentence", 1, lambda: _thousandfold(sentence_seconds())),
    Curve("beam", "forests in the beam", "ms a sentence", 1, lambda: _thousandfold(beam_seconds())),
    Curve("characters", "kB of text", "ms to encode characters", 1, lambda: _thousandfold(encoding_seconds("char"))),
    Curve("words", "kB of text", "ms to encode words", 1, lambda: _thousandfold(encoding_seconds("word"))),
    Curve("lm-processes", "processes", "tokens/s, language model", 1, lambda: training_speeds("lm")),
    Curve("parser-processes", "processes", "words/s, parser", 1, lambda: training_speeds("parser")),
    Curve("parse-processes", "processes", "sentences/s, parsing", 1, parsing_speeds),
)


def _steps(name: str, first: int, count: int) -> Points:
    sizes = [first << i for i in range(count)]
    return {size: 1000 * step_seconds(**{name: size}) for size in sizes}


def _thousandfold(points: Points) -> Points:
    return {x: 1000 * y for x, y in points.items()}


def plot(curve: Curve, points: Points) -> str:
    """An SVG picture of the points and of the straight line of the ideal power, both scales logarithmic."""
    width, height, left, low = 480, 320, 80, 250
    xs, ys = list(points), list(points.values())
    anchor = 0 if curve.name.endswith("processes") else -1
    ideal = [ys[anchor] * (x / xs[anchor]) ** curve.power for x in (xs[0], xs[-1])]
    bottom, top = min(ys + ideal) / 1.2, max(ys + ideal) * 1.2

    def place(x: float, y: float) -> tuple[int, int]:
        across = (math.log(x) - math.log(xs[0])) / (math.log(xs[-1]) - math.log(xs[0]))
        up = (math.log(y) - math.log(bottom)) / (math.log(top) - math.log(bottom))
        return round(left + across * (width - left - 50)), round(low - up * (low - 40))

    def line(ends: Sequence[tuple[int, int]], colour: str) -> str:
        route = " ".join(f"{x},{y}" for x, y in ends)
        return f'<polyline points="{route}" fill="none" stroke="{colour}" stroke-width="2"/>'

    measured = [place(x, y) for x, y in points.items()]
    marks = "".join(f'<circle cx="{x}" cy="{y}" r="4" fill="{TAG_INK}"/>' for x, y in measured)
    labels = [text(x, low + 24, f"{value:,}") for value, (x, _) in zip(xs, measured, strict=True)]
    labels += [text(x, y - 10, figure(value)) for value, (x, y) in zip(ys, measured, strict=True)]
    labels += [text(width // 2, low + 52, curve.across), text(width // 2, 20, curve.up)]
    drawn = line([place(x, y) for x, y in zip((xs[0], xs[-1]), ideal, strict=True)], LINE_INK) + line(measured, TAG_INK)
    title = f"{curve.up} by {curve.across}; grey: the ideal, a power of {curve.power:g}"
    return picture(width, height, title, drawn + marks + group("labels", labels))


def figure(value: float) -> str:
    """A number with three figures."""
    digits = max(0, 2 - math.floor(math.log10(value))) if value > 0 else 0
    return f"{value:,.{digits}f}"


def page(found: dict[str, Points]) -> str:
    """The part of the page: a table of growth, the pictures, and what large jobs would need."""
    rows = ["| what grows | from | to | what it costs | grows by | ideal |", "| --- | --- | --- | --- | --- | --- |"]
    for curve in (curve for curve in CURVES if curve.name in found):
        points = found[curve.name]
        (first, before), *_, (last, after) = points.items()
        ideal = (last / first) ** curve.power
        rows.append(
            f"| {curve.across} | {first:,} | {last:,} | {figure(before)} to {figure(after)} {curve.up} | "
            f"{after / before:.2f} x | {ideal:,.0f} x |"
        )
    pictures = [f"![{curve.up} by {curve.across}](scaling/{curve.name}.svg)" for curve in CURVES if curve.name in found]
    return "\n".join([*rows, "", *pictures, "", *large_jobs(found)])


def large_jobs(found: dict[str, Points]) -> list[str]:
    """What 100 GB of text and a billion sentences would need, by the figures measured here."""
    needed = {"characters", "words", "lm-processes", "parse-processes"}
    if not needed <= found.keys():
        return []
    kilobytes = {name: max(found[name]) / found[name][max(found[name])] for name in ("characters", "words")}  # each ms
    speed, sentences = found["lm-processes"][1], found["parse-processes"][1]
    hours = {name: 1e8 / rate / 3.6e6 for name, rate in kilobytes.items()}
    days, cores = 1e11 / speed / 86400, 1e9 / sentences / 86400
    return [
        "By these figures, of one core each:",
        "",
        f"- **100 GB of text**: encoding takes {figure(hours['characters'])} hours for characters and "
        f"{figure(hours['words'])} hours for words, which all cores share, and 100 GB (characters) of disk for the "
        f"cache. Reading all of it once with the language model `medium` takes {figure(days)} days of one core; on C "
        "cores of one machine or many, that divided by C, times what processes lose to one another (the last rows of "
        "the table). Memory does not grow with it.",
        f"- **A billion sentences to parse**: {figure(cores)} days of one core, or {figure(cores / 1000)} days of a "
        "thousand, as sentences do not wait for one another. The trees in brackets take some 250 bytes each, 250 GB.",
    ]


def write_page(docs: Path, found: dict[str, Points]) -> None:
    """Put the pictures and the measured part into the page."""
    (docs / "scaling").mkdir(exist_ok=True)
    for curve in (curve for curve in CURVES if curve.name in found):
        (docs / "scaling" / f"{curve.name}.svg").write_text(plot(curve, found[curve.name]) + "\n", encoding="utf-8")
    before, _, rest = (docs / "scaling.md").read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    (docs / "scaling.md").write_text(f"{before}{BEGIN}\n{page(found)}\n{END}{after}", encoding="utf-8")


def main() -> None:
    names = [curve.name for curve in CURVES]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--docs", type=Path, help="the folder of scaling.md, to write the page")
    chosen: Any = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    found = {}
    for curve in CURVES:
        if curve.name in chosen.only:
            began = time.perf_counter()
            found[curve.name] = curve.measure()
            print(f"{curve.name}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    print(json.dumps(found, indent=2))
    if chosen.docs:
        write_page(chosen.docs, found)


if __name__ == "__main__":
    main()
