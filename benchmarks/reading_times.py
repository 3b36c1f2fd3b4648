"""What surprisals say of reading times: the Natural Stories corpus, with models of characters and words, and n-grams.

    SEQTREE_DATA=data NLTK_DATA=data/nltk_data python benchmarks/reading_times.py --minutes 8 --out runs/reading

Reads ``reading/naturalstories.tsv`` in the folder that SEQTREE_DATA names, with the columns story, position, word and
mean_ms, and trains on NLTK's Brown corpus, its tokens put together to sentences, one a line. A model of characters and
one of words get ``--minutes`` each, on one thread; those that are in ``--out`` already are taken as they are. n-grams
with Kneser-Ney smoothing are counted in the same text over the same tokens. The stories are scored one by one, every
sentence a line, and ``--parser`` adds node counts of seqtree's parser ``default``.

The mean reading time of every word but the first of a story is predicted by linear regression. The base has the word's
length and Zipf frequency and those of the word before, the number of the word in the story, and a constant; a model
adds its surprisal of the word and of the word before (and node counts theirs). A row of the result: correlation with
the reading times (of the word's surprisal alone); the share of the variance, in percent, that the regression explains
beyond the base; and the gain in log likelihood over the base in thousandths of a nat a word, over all stories, and
over each story with the regression fitted to the other nine. Prints the rows as a table.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from nltk.corpus import brown
from nltk.tokenize.treebank import TreebankWordDetokenizer

Doubles = npt.NDArray[np.float64]
UNITS = {"char": ("--unit", "char", "--dropout", "0"), "word": ("--unit", "word", "--tokenizer", "treebank")}
COUNTS = ("opened", "announced", "closed", "depth")


def write_corpus(path: Path) -> None:
    """The Brown corpus as text, a sentence a line."""
    join = TreebankWordDetokenizer().detokenize
    with path.open("w", encoding="utf-8") as file:
        for sentence in brown.sents():
            text = join(sentence).replace("``", '"').replace("''", '"')
            text = re.sub(r" ([;:,.?!)])", r"\1", text)
            file.write(re.sub(r"([;:,?!])\1", r"\1", text).replace("( ", "(") + "\n")


def seqtree(*arguments: object, out: Path | None = None) -> None:
    """Run a command of seqtree on one thread."""
    command = [sys.executable, "-m", "seqtree", *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    if out is None:
        subprocess.run(command, check=True, env=environment)
        return
    with out.open("w", encoding="utf-8") as file:
        subprocess.run(command, check=True, env=environment, stdout=file)


def table(path: Path) -> dict[str, list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {name: [row[name] for row in rows] for name in rows[0]}


def column(scored: dict[str, list[str]], name: str) -> Doubles:
    return np.array([float(value) if value else np.nan for value in scored[name]])


def previous(values: Doubles) -> Doubles:
    return np.concatenate([[np.nan], values[:-1]])


class Regression:
    """Ordinary least squares of reading times on predictors (words, p), and its Gaussian log likelihood."""

    def __init__(self, times: Doubles, stories: npt.NDArray[np.int64], predictors: Sequence[Doubles]) -> None:
        matrix = np.column_stack([np.ones(len(times)), *predictors])
        self.times, self.stories = times, stories
        self.matrix = np.column_stack([matrix[:, :1], (matrix[:, 1:] - matrix[:, 1:].mean(0)) / matrix[:, 1:].std(0)])

    def explained(self) -> float:
        """The share of the variance that is explained."""
        residuals = self.times - self._fitted(np.ones(len(self.times), dtype=bool))
        return float(1 - residuals.var() / self.times.var())

    def likelihoods(self) -> Doubles:
        """The log likelihood of each word, fitted to all."""
        return self._likelihoods(np.ones(len(self.times), dtype=bool))

    def held_out(self) -> Doubles:
        """The log likelihood of each word, fitted to the other stories."""
        found = np.empty(len(self.times))
        for story in np.unique(self.stories):
            found[self.stories == story] = self._likelihoods(self.stories != story)[self.stories == story]
        return found

    def _fitted(self, where: npt.NDArray[np.bool_]) -> Doubles:
        weights, *_ = np.linalg.lstsq(self.matrix[where], self.times[where], rcond=None)
        fitted: Doubles = self.matrix @ weights
        return fitted

    def _likelihoods(self, where: npt.NDArray[np.bool_]) -> Doubles:
        residuals = self.times - self._fitted(where)
        variance = (residuals[where] ** 2).mean()
        likelihoods: Doubles = -0.5 * (np.log(2 * np.pi * variance) + residuals**2 / variance)
        return likelihoods


def train(unit: str, text: Path, out: Path, minutes: float) -> None:
    if (out / "model.safetensors").exists():
        return
    size = ("--max-vocabulary", 10_000) if unit == "word" else ()
    held_out = ("--valid-from", "spread", "--valid-share", 0.03)
    seqtree(
        *("lm", "train", text, *UNITS[unit], *size, *held_out, "--minutes", minutes),
        *("--threads", 1, "--seed", 0, "--out", out),
    )


def score(folder: Path, items: Path, spaces: str) -> dict[str, dict[str, list[str]]]:
    """The table with what every model says of its words, by the names of the models."""
    text, scored = folder / "brown.txt", {}
    for unit, name in (("char", "characters"), ("word", "words")):
        common: tuple[object, ...] = (
            "lm",
            "score",
            folder / unit,
            "--items",
            items,
            "--by-column",
            "story",
            "--sentences",
        )
        common += ("--columns", "length,frequency", "--frequencies", text, "--spaces", spaces)
        runs: dict[str, tuple[object, ...]] = {f"LSTM, {name}": ()}
        for order in (5, 9) if unit == "char" else (3,):
            runs[f"Kneser-Ney, {order}-grams of {name}"] = ("--ngram", text, "--ngram-order", order)
        for model, more in runs.items():
            out = folder / f"{model}-{spaces}.tsv"
            seqtree(*common, *more, out=out)
            scored[model] = table(out)
    out = folder / "counts.tsv"
    if not out.exists():
        seqtree(
            "lm", "score", folder / "char", "--items", items, "--by-column", "story", "--parser", "default", out=out
        )
    scored["node counts"] = table(out)
    return scored


def report(scored: dict[str, dict[str, list[str]]]) -> None:
    """Two tables: of all words, and of those that the models of words know, as well as the word before."""
    any_model = next(iter(scored.values()))
    later = column(any_model, "position") > 1
    known = column(scored["LSTM, words"], "unknown") == 0
    print_table(scored, later, "all words")
    print_table(scored, later & known & np.concatenate([[False], known[:-1]]), "known words after known words")


def print_table(scored: dict[str, dict[str, list[str]]], use: npt.NDArray[np.bool_], which: str) -> None:
    any_model = next(iter(scored.values()))
    times, stories = column(any_model, "mean_ms"), column(any_model, "story").astype(np.int64)
    length, frequency = (column(any_model, name) for name in ("length", "frequency"))
    base = [length, frequency, previous(length), previous(frequency), column(any_model, "position")]

    def regression(*more: Doubles) -> Regression:
        return Regression(times[use], stories[use], [values[use] for values in [*base, *more]])

    alone = regression()
    print(f"{which}: {use.sum():,}; the base explains {100 * alone.explained():.2f} % of the variance")
    bits = {name: column(table, "surprisal") for name, table in scored.items() if name != "node counts"}
    added = {name: [values, previous(values)] for name, values in bits.items()}
    added["node counts"] = [column(scored["node counts"], name) for name in COUNTS]
    added["both LSTMs"] = [*added["LSTM, characters"], *added["LSTM, words"]]
    added["both LSTMs, node counts"] = [*added["both LSTMs"], *added["node counts"]]
    print("| added to the base | bits a word | correlation | variance, % | log likelihood | held out |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, values in added.items():
        fitted = regression(*values)
        gains = [1000 * (fitted.likelihoods() - alone.likelihoods()).mean()]
        gains.append(1000 * (fitted.held_out() - alone.held_out()).mean())
        figures = [f"{100 * (fitted.explained() - alone.explained()):.2f}", *(f"{gain:.1f}" for gain in gains)]
        of_bits = ["", ""]
        if name in bits:
            own = bits[name][use]
            of_bits = [f"{own.mean():.2f}", f"{np.corrcoef(own, times[use])[0, 1]:.3f}"]
        print(f"| {' | '.join([name, *of_bits, *figures])} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--spaces", default="before", choices=["before", "after"])
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    text = arguments.out / "brown.txt"
    if not text.exists():
        write_corpus(text)
    for unit in UNITS:
        train(unit, text, arguments.out / unit, arguments.minutes)
    items = Path(os.environ["SEQTREE_DATA"]) / "reading" / "naturalstories.tsv"
    report(score(arguments.out, items, arguments.spaces))


if __name__ == "__main__":
    main()
