"""Parsing and scoring whole corpora on the machines of a Ray cluster, by Ray Data.

Ray is an extra: ``pip install "seqtree[ray]"``. Each of Ray's actors loads the model once. Where a machine is lost, Ray
does again what was lost with it, and every row of the data is in the result once.
"""

from __future__ import annotations

import glob
import io
import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from seqtree.errors import InputError, ModelFileError, SeqtreeError, check_count
from seqtree.extras import needed
from seqtree.tasks import holds
from seqtree.text.config import check_encoding
from seqtree.wording import a

__all__ = ["parse", "score"]

ROWS = 256  # of a batch
LINES = 1 << 14  # of a file that are read at once
MOST, FEW = 0.9, 0.05  # of a core, for actors, and for tasks that read and write, which must not wait for all of them
FORMATS = ("parquet", "bracket", "json")


def parse(
    dataset: Any,
    model: str | Path | None = None,
    column: str = "text",
    tokenized: bool = False,
    actors: int | None = None,
    rows: int = ROWS,
) -> Any:
    """A Ray dataset with two columns more: what a parser finds in the texts of ``column``.

    ``trees`` are lists of trees in brackets, one for each sentence of a text, and ``offsets`` lists of lists of where
    each word begins and ends in the text, in characters. model: a parser's file, run folder or name; the default parser
    without. tokenized: each text is one sentence, its words between white space. actors: how many work at once, of one
    core each (all cores of the cluster by default). rows: of a batch. It is lazy, as all operations of Ray Data.
    Raises InputError without Ray, for what is no dataset, for a column that is not there and for one of a result that
    is, and for numbers below 1; ModelFileError for a model that is not there or no parser.
    """
    arguments = {"model": _model_file(model, "parser"), "column": column, "tokenized": tokenized}
    return _mapped(dataset, _Parsing, arguments, actors, rows)


def score(
    dataset: Any,
    model: str | Path,
    column: str = "text",
    actors: int | None = None,
    rows: int = ROWS,
) -> Any:
    """A Ray dataset with three columns more: how a language model predicts the texts of ``column``, each by itself.

    ``tokens`` are lists of tokens, ``surprisals`` their surprisals in bits, and ``unknown`` says of each whether it is
    scored as ``<unk>``. The rest is as for ``parse``.
    """
    return _mapped(dataset, _Scoring, {"model": _model_file(model, "language-model"), "column": column}, actors, rows)


def parse_files(
    paths: str, out: str, model: str | None, tokenized: bool, encoding: str, format: str, actors: int | None
) -> None:
    """Parse the lines of text files into the files of a folder.

    paths: a file, a folder, or a pattern such as ``texts/*.txt``; they and ``out`` are to be where all machines have
    them. format: "parquet" has a row for each line with path, text, trees and offsets; "bracket" a line for each
    sentence, with an empty one for a line without any; "json" has a JSON object for each line. Lines are in order, and
    files by name. Without a line, the folder is empty. Raises InputError for an unknown encoding, paths that are not
    there, an ``out`` that is, and bytes that are not in the encoding; ModelFileError for a model that is no parser;
    SeqtreeError if Ray fails.
    """
    check_encoding(encoding)
    file = _model_file(model, "parser")
    data = _data()
    found = _found(paths)
    if "://" not in out:
        if Path(out).exists() and not (Path(out).is_dir() and not any(Path(out).iterdir())):
            raise InputError(f"{out}: there is something already; name a new folder with --out")
        out = str(Path(out).resolve())
    _connect()
    context = data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    try:
        texts = data.read_datasource(_source()(found, encoding), ray_remote_args={"num_cpus": FEW})
        trees = parse(texts, file, tokenized=tokenized, actors=actors)
        if format == "parquet":
            trees.write_parquet(out, ray_remote_args={"num_cpus": FEW})
        else:
            trees.write_datasink(_sink(format)(out), ray_remote_args={"num_cpus": FEW})
    except Exception as error:  # Ray wraps what went wrong on a machine in errors of its own, many lines long
        if wrong := _input_error(error):
            raise wrong from None
        lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        raise SeqtreeError(f"Ray has failed: {lines[-1].strip()}") from error
    if "://" not in out:
        Path(out).mkdir(parents=True, exist_ok=True)  # Ray makes it with the first row


def _input_error(error: BaseException | None) -> InputError | None:
    """The error that seqtree raised on a machine, in those that Ray has made of it, without what Ray has added."""
    while error is not None:
        if isinstance(error, InputError) and not hasattr(error, "cause"):
            return type(error)(str(error).partition("\n")[0])
        error = getattr(error, "cause", None) or error.__cause__
    return None


def _model_file(model: str | Path | None, kind: str) -> str:
    """The absolute path of a model's file, the default parser's for None. Raises ModelFileError for another kind."""
    from seqtree import modelfile
    from seqtree.shipped import default_parser, located

    file = default_parser() if model is None else located(model, kind)
    found = str(modelfile.header(file).get("kind"))
    if found != kind:
        raise ModelFileError(f"{file}: {holds(found)}, expected {a(kind)}")
    return str(file.absolute())  # for processes that are in other folders


def _found(paths: str) -> list[str]:
    """The files or the folder that a pattern or path means, or an address as it is. Raises InputError for none."""
    if "://" in paths:
        return [paths]
    found = sorted(glob.glob(paths)) if glob.has_magic(paths) else [paths]
    if not found or not Path(found[0]).exists():
        raise InputError(f"{paths}: no such file or folder; expected texts")
    return [str(Path(path).resolve()) for path in found]  # for processes that are in other folders


def _connect() -> None:
    """Join the cluster that RAY_ADDRESS names, or start one on this machine, unless that has been done."""
    import ray

    if not ray.is_initialized():
        ray.init(log_to_driver=False, logging_level=logging.ERROR)


def _data() -> Any:
    """Ray Data. Raises InputError if it is not installed."""
    return needed("ray.data", "ray", "a Ray cluster needs Ray")


def _mapped(dataset: Any, actor: type[Any], arguments: dict[str, Any], actors: int | None, rows: int) -> Any:
    data = _data()
    if not isinstance(dataset, data.Dataset):
        raise InputError(f"dataset: expected a Ray dataset, not {type(dataset).__name__}")
    check_count("rows", rows)
    names = dataset.columns(fetch_if_missing=False)
    if names is not None:  # they are known already
        _check_columns(names, arguments["column"], actor.made)
    if actors is None:
        import ray

        actors = max(1, int(ray.cluster_resources().get("CPU", 1)))
    check_count("actors", actors)
    return dataset.map_batches(
        actor,
        fn_constructor_kwargs=arguments,
        batch_size=rows,
        batch_format="pyarrow",
        compute=data.ActorPoolStrategy(min_size=1, max_size=actors),
        num_cpus=MOST,
        zero_copy_batch=True,
    )


class _Parsing:
    """An actor of ``parse``."""

    made = ("trees", "offsets")

    def __init__(self, model: str, column: str, tokenized: bool) -> None:
        import torch

        from seqtree.parsing.model import Parser

        torch.set_num_threads(1)
        self.parser, self.column, self.tokenized = Parser.load(model), column, tokenized

    def __call__(self, table: Any) -> Any:
        import pyarrow as pa

        from seqtree.parsing.formats import as_bracket
        from seqtree.text.sentences import read_sentences

        texts = _texts(table, self.column, self.made)
        sentences = [one for one in read_sentences(texts, self.tokenized, self.parser.lexicon.words) if one.words]
        parses = self.parser.parses([one.words for one in sentences])
        trees: list[list[str]] = [[] for _ in texts]
        offsets: list[list[list[tuple[int, int]]]] = [[] for _ in texts]
        for sentence, found in zip(sentences, parses, strict=True):
            trees[sentence.line - 1].append(as_bracket(found))
            offsets[sentence.line - 1].append(sentence.offsets)
        span = pa.list_(pa.list_(pa.list_(pa.int64())))
        table = table.append_column("trees", pa.array(trees, pa.list_(pa.string())))
        return table.append_column("offsets", pa.array(offsets, span))


class _Scoring:
    """An actor of ``score``."""

    made = ("tokens", "surprisals", "unknown")

    def __init__(self, model: str, column: str) -> None:
        import torch

        from seqtree.language.model import LanguageModel

        torch.set_num_threads(1)
        self.model, self.column = LanguageModel.load(model), column

    def __call__(self, table: Any) -> Any:
        import pyarrow as pa

        texts = _texts(table, self.column, self.made)
        found: list[list[Any]] = [[] for _ in texts]
        for number, group in groupby(self.model.scorer().scores(texts, independent=True), lambda pair: pair[0]):
            found[number - 1] = [score for _, score in group]
        columns: tuple[tuple[str, str, Callable[[], Any]], ...] = (
            ("tokens", "token", pa.string),
            ("surprisals", "surprisal", pa.float64),
            ("unknown", "unknown", pa.bool_),
        )
        for name, field, kind in columns:
            values = [[getattr(score, field) for score in scores] for scores in found]
            table = table.append_column(name, pa.array(values, pa.list_(kind())))
        return table


def _check_columns(names: Sequence[str], column: str, made: Sequence[str]) -> None:
    """Raises InputError if the column of texts is not among the names, or one that is to be made is."""
    if column not in names:
        raise InputError(f"the dataset has no column {column!r}; expected one of {', '.join(names)}")
    for name in made:
        if name in names:
            raise InputError(f"the dataset has a column {name!r}, as a result is called; drop or rename it first")


def _texts(table: Any, column: str, made: Sequence[str]) -> list[str]:
    """The texts of a column. Raises InputError as ``_check_columns``, and if they are none."""
    _check_columns(table.column_names, column, made)
    texts: list[Any] = table[column].to_pylist()
    for text in texts:
        if not isinstance(text, str):
            raise InputError(f"column {column!r} has {text!r}, expected texts")
    return texts


def _source() -> Any:
    """What reads the lines of text files as seqtree does, with their paths."""
    from ray.data.datasource import FileBasedDatasource

    class Lines(FileBasedDatasource):  # type: ignore[misc]
        def __init__(self, paths: list[str], encoding: str) -> None:
            super().__init__(paths, include_paths=True)
            self.encoding = encoding

        def _read_stream(self, file: Any, path: str) -> Iterator[Any]:
            import pyarrow as pa

            from seqtree.text.lines import stream_lines

            lines = stream_lines(io.BufferedReader(file), path, self.encoding)
            while some := [line.removesuffix("\n") for line in islice(lines, LINES)]:
                yield pa.table({"text": some})

    return Lines


def _sink(format: str) -> Any:
    """What writes rows as lines of text files."""
    from ray.data.datasource import BlockBasedFileDatasink

    class Lines(BlockBasedFileDatasink):  # type: ignore[misc]
        def __init__(self, path: str) -> None:
            super().__init__(path, file_format="jsonl" if format == "json" else "mrg")

        def write_block_to_file(self, block: Any, file: Any) -> None:
            for row in block.iter_rows(public_row_format=False):
                file.write("".join(f"{line}\n" for line in _lines(row, format)).encode())

    return Lines


def _lines(row: Any, format: str) -> Iterator[str]:
    from seqtree.escapes import json_line

    if format == "bracket":
        yield from row["trees"] or [""]
    else:
        offsets = [[list(map(int, span)) for span in sentence] for sentence in row["offsets"]]
        whole = {"path": row["path"], "text": row["text"], "trees": [*row["trees"]], "offsets": offsets}
        yield json_line(whole)
