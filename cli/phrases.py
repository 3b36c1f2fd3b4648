"""``seqtree phrases``: vectors of words, phrases and sentences: neighbours, similarity, maps, files, readings."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seqtree.cli.learn import learn
from seqtree.cli.options import (
    FILE,
    TEXT_OR_FILE,
    device_option,
    encoding_option,
    json_option,
    note,
    open_parser,
    picture_option,
    precision_option,
    print_json,
    quick_imports,
    threads_option,
    with_options,
)
from seqtree.cli.texts import as_text, text_given
from seqtree.drawing.canvas import FORMATS
from seqtree.drawing.characters import columns, padded
from seqtree.errors import InputError

if TYPE_CHECKING:
    from seqtree.phrases import Phrase, PhraseVectors

SOME = 10  # unknown words that are named
as_option = click.option(
    "--as",
    "level",
    type=click.Choice(["auto", "words", "phrases"]),
    default="auto",
    show_default=True,
    help="How texts are read: as the mean of their word vectors (words), or as the model composes them (phrases); "
    "auto: words if all texts are single words.",
)
parser_option = click.option(
    "--parser",
    type=FILE,
    metavar="MODEL",
    help="The parser of phrases for a tree classifier.  [default: what the variable SEQTREE_PARSER names, or else "
    "default]",
)
opening_options = with_options([parser_option, precision_option, device_option, threads_option])
model_options = with_options([as_option, encoding_option, opening_options])
reading_options = with_options(
    [
        click.option(
            "--input",
            "kind",
            type=click.Choice(["auto", "trees", "lines"]),
            default="auto",
            show_default=True,
            help="What a file holds: trees, for their constituents, or a phrase a line (or label<TAB>phrase).",
        ),
        click.option(
            "--max-words",
            type=click.IntRange(min=2),
            default=10,
            show_default=True,
            help="Leave out longer constituents of trees.",
        ),
    ]
)


@click.group(
    epilog="\b\nExamples:\n  seqtree phrases near default 'the country of my birth' --among phrases.txt\n"
    "  seqtree phrases similarity runs/words ws-353.tsv\n"
    "  seqtree phrases map default nltk:treebank/wsj_0001 --out map.svg"
)
def phrases() -> None:
    """Vectors of words, phrases and sentences: what is near, how alike, a map, files, readings.

    MODEL is a parser, a tree classifier, a language model, or any other with word vectors; or a file of word vectors
    (learn). A phrase's vector is that of the root of its tree, for a language model the mean of its top layer's states;
    a word's is the input embedding, or what the file has.
    """


@phrases.command(
    epilog="\b\nExamples:\n  seqtree phrases near default 'the country of my birth' --among phrases.txt -n 5\n"
    "  seqtree phrases near runs/words river"
)
@click.argument("model", type=FILE)
@click.argument("text")
@click.option(
    "--among",
    type=FILE,
    metavar="FILE|TREEBANK",
    help="The phrases to look among.  [default: the words that the model knows]",
)
@click.option("-n", "count", type=click.IntRange(min=1), default=10, show_default=True, help="How many to show.")
@reading_options
@model_options
@json_option
def near(
    model: str,
    text: str,
    among: str | None,
    count: int,
    kind: str,
    max_words: int,
    level: str,
    encoding: str,
    as_json: bool,
    **opening: Any,
) -> None:
    """Print the phrases nearest to TEXT by the cosine of their vectors, nearest first, with it and their labels.

    FILE has a phrase, or label<TAB>phrase, in each line; of a TREEBANK (a file in brackets, a folder, nltk:NAME) the
    constituents are taken. Files are read in blocks, whatever their length.
    """
    from seqtree.text.reading import check_standard_input

    check_standard_input([text, among or ""])
    text = text_given(text)
    vectors = _open(model, level, **opening)
    from seqtree.phrases import Phrase, nearest

    if among is None:
        others: Iterator[Phrase] = (Phrase(word) for word in vectors.vocabulary)
        reader = vectors.reader([Phrase(text)])
    else:
        others = _read(among, kind, encoding, max_words)
        first = list(islice(others, 100))  # what the texts are is judged by
        reader = vectors.reader([Phrase(text), *first])
        others = (one for block in (first, others) for one in block)
    _tell_unknown(vectors, [text])
    found = nearest(reader, text, others, count)
    if as_json:
        near = [{"cosine": round(one.cosine, 6), "phrase": one.phrase.text, "label": one.phrase.label} for one in found]
        print_json({"phrase": text, "near": near})
        return
    for one in found:
        click.echo("\t".join(filter(None, (f"{one.cosine:.6f}", one.phrase.text, one.phrase.label))))


@phrases.command(
    epilog="\b\nExamples:\n  seqtree phrases similarity runs/words coast shore\n"
    "  seqtree phrases similarity default 'the old man' 'an old woman'\n"
    "  seqtree phrases similarity runs/words word-similarity/*.tsv --json"
)
@click.argument("model", type=FILE)
@click.argument("texts", nargs=-1, required=True, metavar="TEXT TEXT | FILE...", type=TEXT_OR_FILE)
@model_options
@json_option
def similarity(model: str, texts: tuple[str, ...], level: str, encoding: str, as_json: bool, **opening: Any) -> None:
    """Print the cosine of two TEXTs, or how well cosines agree with people's judgements in FILEs.

    A FILE has text<TAB>text<TAB>score in each line. Printed are Spearman's rank correlation, over the pairs of whose
    texts the model knows a word, and the share of these pairs (coverage).
    """
    from seqtree.text.lines import checked_argument

    files = [text for text in texts if _is_file(text)]
    if len(files) < len(texts) and (files or len(texts) != 2):
        missing = next(text for text in texts if text not in files)
        raise click.UsageError(f"expected two texts, or files of pairs with scores; there is no file {missing!r}")
    if len(files) < len(texts):
        for text in texts:
            checked_argument(text, "TEXT")
    vectors = _open(model, level, **opening)
    if len(files) == len(texts):
        _print_agreement(vectors, files, encoding, as_json)
        return
    from seqtree.phrases import cosine
    from seqtree.phrases.vectors import required

    _tell_unknown(vectors, texts)
    one, other = required(texts, vectors.vectors(texts))
    value = cosine(one, other)
    print_json({"texts": list(texts), "cosine": round(value, 6)}) if as_json else click.echo(f"{value:.6f}")


@phrases.command(
    "map",
    epilog="\b\nExamples:\n  seqtree phrases map default nltk:treebank/wsj_0001-wsj_0005 --out map.svg\n"
    "  seqtree phrases map runs/words words.txt --out map.png",
)
@click.argument("model", type=FILE)
@click.argument("source", type=FILE, metavar="FILE|TREEBANK")
@picture_option("--out", "The picture", FORMATS, required=True)
@click.option(
    "--method",
    type=click.Choice(["pca", "umap"]),
    default="pca",
    show_default=True,
    help="How vectors become points: by their two principal components, or by UMAP (needs umap-learn).",
)
@click.option(
    "--most",
    type=click.IntRange(min=3),
    default=150,
    show_default=True,
    help="How many phrases are shown at most, taken evenly from all.",
)
@reading_options
@model_options
def map_(
    model: str,
    source: str,
    out: Path,
    method: str,
    most: int,
    kind: str,
    max_words: int,
    level: str,
    encoding: str,
    **opening: Any,
) -> None:
    """Draw the phrases of FILE or TREEBANK as points of a plane: what is near on it has vectors that are alike.

    Points have the colour of their label. Without labels, that of the kind of phrase: what a parser calls it, the class
    that a tree classifier gives it, or its number of words.
    """
    vectors = _open(model, level, **opening)
    import numpy as np

    from seqtree.drawing.scatter import scatter
    from seqtree.files import write_atomically
    from seqtree.phrases import project

    found = _evenly(list(_read(source, kind, encoding, max_words)), most)
    kept, rows = _with_vectors(vectors, found)
    points, share = project(np.asarray(rows), method)
    reader = vectors.by_phrases
    kinds = [one.label or "" for one in kept] if any(one.label for one in kept) else reader.kinds(kept)
    drawn = scatter(points, [one.text for one in kept], kinds, f"{len(kept)} phrases by {method.upper()}")
    write_atomically(out, drawn.png() if out.suffix.lower() == ".png" else drawn.svg().encode() + b"\n")
    labels = sum(mark.label is not None for mark in drawn.marks)
    note(
        f"{out}: {len(kept):,} phrases, {labels:,} of them with their label"
        + (f"; the two axes keep {share:.0%} of the variance" if share is not None else "")
    )


@phrases.command(
    epilog="\b\nExamples:\n  seqtree phrases export runs/words --format word2vec --out words.txt\n"
    "  seqtree phrases export default phrases.txt --format tsv --out vectors.tsv"
)
@click.argument("model", type=FILE)
@click.argument("source", type=FILE, required=False, metavar="[FILE|TREEBANK]")
@click.option(
    "--format",
    type=click.Choice(["npy", "tsv", "word2vec"]),
    default="npy",
    show_default=True,
    help="A NumPy array and a list of phrases; two tables for the Embedding Projector; or word2vec's text form.",
)
@click.option("--out", type=FILE, required=True, metavar="FILE", help="The file to write; a second one lies beside it.")
@reading_options
@model_options
def export(
    model: str,
    source: str | None,
    format: str,
    out: str,
    kind: str,
    max_words: int,
    level: str,
    encoding: str,
    **opening: Any,
) -> None:
    """Write the vectors of the phrases of FILE or TREEBANK; without one, of all words that the model knows.

    Word vectors are written as they are in the model; what --format word2vec writes, --vectors of the training commands
    reads.
    """
    from seqtree.phrases import Phrase, export
    from seqtree.phrases.files import places

    if source is None and level == "phrases":
        raise click.UsageError("--as phrases expects a FILE of phrases")
    places(out, format, read := [model] if source is None else [model, source])
    vectors = _open(model, level, **opening, plain=True)
    if source is None:
        found = [Phrase(word) for word in vectors.vocabulary], list(vectors.words.table)
    else:
        lines = list(_read(source, kind, encoding, max_words, once=format == "word2vec"))
        found = _with_vectors(vectors, _each_once(lines) if format == "word2vec" else lines)
    for path in export(*found, format, out, read):
        click.echo(path)


@phrases.command(epilog="\b\nExample:\n  seqtree phrases trees default 'old men and women'")
@click.argument("model", type=FILE)
@click.argument("text", callback=as_text)
@click.option("-k", "count", type=click.IntRange(min=1), default=2, show_default=True, help="How many trees.")
@opening_options
@json_option
def trees(model: str, text: str, count: int, as_json: bool, **opening: Any) -> None:
    """Show the best trees of an ambiguous phrase, and how alike its vectors by these trees are.

    MODEL is a parser or a tree classifier. No two trees have the same constituents. Of each after the first, the cosine
    of its root's vector with that of the first tree is printed.
    """
    vectors = _open(model, "phrases", **opening)
    from seqtree.drawing.trees import draw
    from seqtree.phrases import cosine, readings
    from seqtree.treebank.bracketed import write_tree

    found = readings(vectors, text, count)
    cosines = [cosine(found[0].vector, one.vector) for one in found]
    if as_json:
        records = [
            {"tree": write_tree(one.tree), "log_probability": one.log_probability, "cosine": round(alike, 6)}
            for one, alike in zip(found, cosines, strict=True)
        ]
        print_json({"phrase": text, "trees": records})
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for number, (one, alike) in enumerate(zip(found, cosines, strict=True), 1):
        beside = f", cosine with the first {alike:.4f}" if number > 1 else ""
        click.echo(f"{number} of {len(found)}{beside}\n{draw(one.tree, width)}\n")


phrases.add_command(learn)


def _open(
    model: str,
    level: str,
    parser: str | None,
    precision: str,
    device: str,
    threads: int | None,
    plain: bool = False,
) -> PhraseVectors:
    """The vectors of a model of any kind, or of a file."""
    with quick_imports(tracing=False):
        import torch

        from seqtree.phrases import PhraseVectors

        if threads:
            torch.set_num_threads(threads)
        reads: Callable[[], Any] = lambda: open_parser(parser, threads, device, precision)  # noqa: E731
        return PhraseVectors.load(model, level, reads, plain, device, None if precision == "auto" else precision)


def _read(source: str, kind: str, encoding: str, max_words: int, once: bool = True) -> Iterator[Phrase]:
    from seqtree.phrases.phrase import read_phrases

    return read_phrases(source, kind, encoding, max_words, note, once)


def _with_vectors(vectors: PhraseVectors, found: list[Phrase]) -> tuple[list[Phrase], list[Any]]:
    """The phrases that have a vector, and their vectors; a note says which have none."""
    pairs = list(zip(found, vectors.vectors(found), strict=True))
    kept = [(one, vector) for one, vector in pairs if vector is not None]
    if left := [one.text for one, vector in pairs if vector is None]:
        note(f"left out, since the model knows none of their words: {_listed(left)}")
    if not kept:
        raise InputError("the model knows no word of any phrase")
    return [one for one, _ in kept], [vector for _, vector in kept]


def _each_once(found: list[Phrase]) -> list[Phrase]:
    """The first phrase of each text; a note says how many follow."""
    first = list({one.text: one for one in reversed(found)}.values())[::-1]
    if more := len(found) - len(first):
        left_out = f"stood there with another label before, and {'is' if more == 1 else 'are'} left out"
        note(f"{more:,} of {len(found):,} phrases {left_out}")
    return first


def _tell_unknown(vectors: PhraseVectors, texts: Any) -> None:
    if unknown := vectors.unknown(texts):
        note(f"unknown to the model: {_listed(unknown)}")


def _listed(names: list[str]) -> str:
    return ", ".join(names[:SOME]) + (f" and {len(names) - SOME:,} more" if len(names) > SOME else "")


def _evenly(found: list[Phrase], most: int) -> list[Phrase]:
    """At most that many phrases, taken evenly from all."""
    if len(found) <= most:
        return found
    note(f"showing {most:,} of {len(found):,} phrases (--most)")
    return [found[len(found) * i // most] for i in range(most)]


def _is_file(path: str) -> bool:
    try:
        return path == "-" or Path(path).is_file()
    except (OSError, ValueError):
        return False


def _print_agreement(vectors: PhraseVectors, files: list[str], encoding: str, as_json: bool) -> None:
    from seqtree.phrases import evaluate
    from seqtree.phrases.similarity import read_pairs

    found = [(name, evaluate(vectors, read_pairs(name, encoding))) for name in files]
    records = [{"file": name, **one.to_json()} for name, one in found]
    if as_json:
        print_json(records[0] if len(records) == 1 else {"files": records})
        return
    width = max(len("file"), *(columns(Path(name).name) for name in files))
    click.echo(f"{'file':<{width}} {'pairs':>7} {'coverage':>9} {'Spearman':>9}")
    for name, one in found:
        agreement = "-" if one.spearman is None else f"{one.spearman:.4f}"
        click.echo(f"{padded(Path(name).name, width)} {one.pairs:>7,} {one.coverage:>9.4f} {agreement:>9}")
