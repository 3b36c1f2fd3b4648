"""Parsing and scoring on a Ray cluster, of which a node is killed midway: every row is there once."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from command_helpers import caller, refused
from language_helpers import model
from parsing_helpers import small_parser

import seqtree.ray
from seqtree import Parser
from seqtree.errors import InputError
from seqtree.parsing.formats import as_bracket
from seqtree.text.sentences import read_sentences

HELPER = Path(__file__).parent / "helpers" / "ray_cluster.py"
with_ray = pytest.mark.skipif(
    not (find_spec("ray") and find_spec("pyarrow")), reason="Ray is not installed: pip install 'seqtree[ray]'"
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a cluster has made of the texts there."""
    folder = tmp_path_factory.mktemp("ray")
    (folder / "texts").mkdir()
    for name in "ba":
        lines = [f"The cat {name} sat. A dog ran.\n", "\n", "A mat\n"]
        (folder / "texts" / f"{name}.txt").write_text("".join(lines * 3), encoding="utf-8")
    command = [sys.executable, str(HELPER), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def _expected(parser: Parser, text: str) -> tuple[list[str], list[list[list[int]]]]:
    sentences = [one for one in read_sentences([text], False, parser.lexicon.words) if one.words]
    trees = [as_bracket(parse) for parse in parser.parses([one.words for one in sentences])]
    return trees, [[[*span] for span in one.offsets] for one in sentences]


@with_ray
def test_every_row_is_there_once_though_a_node_is_killed(cluster: Path) -> None:
    found = json.loads((cluster / "found.json").read_text(encoding="utf-8"))
    assert found["nodes"] == 2
    rows = sorted(found["rows"], key=lambda row: row["id"])
    assert [row["id"] for row in rows] == list(range(240))
    parser = Parser.load(cluster / "parser.safetensors")
    assert [len(row["trees"]) for row in rows[:3]] == [0, 1, 2]
    for row in rows[:12]:
        assert (row["trees"], row["offsets"]) == _expected(parser, row["text"])


@with_ray
def test_scores_are_those_of_the_model(cluster: Path) -> None:
    found: list[dict[str, Any]] = json.loads((cluster / "found.json").read_text(encoding="utf-8"))["scores"]
    scores = [score for _, score in model().score_lines("the cat", independent=True)]
    full, empty = sorted(found, key=lambda row: -len(row["tokens"]))
    assert empty == {"tokens": [], "surprisals": [], "unknown": []}
    assert full["tokens"] == [score.token for score in scores]
    assert full["surprisals"] == pytest.approx([score.surprisal for score in scores], rel=1e-5)
    assert full["unknown"] == [score.unknown for score in scores]


@with_ray
def test_files_keep_their_order(cluster: Path) -> None:
    files = sorted((cluster / "texts").iterdir())
    lines = [(file, line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    parser = Parser.load(cluster / "parser.safetensors")
    expected = [_expected(parser, line)[0] for _, line in lines]
    found = "".join(file.read_text(encoding="utf-8") for file in sorted((cluster / "bracket").iterdir()))
    assert found.splitlines() == [tree for trees in expected for tree in trees or [""]]

    from pyarrow.parquet import read_table

    rows = read_table(cluster / "parquet").to_pylist()
    assert sorted(row["text"] for row in rows) == sorted(text for _, text in lines)
    assert {name for row in rows for name in row} == {"path", "text", "trees", "offsets"}


@with_ray
def test_wrong_arguments_are_refused_before_anything_is_computed(cluster: Path) -> None:
    found = json.loads((cluster / "found.json").read_text(encoding="utf-8"))["refusals"]
    parser, lm = (cluster / f"{name}.safetensors" for name in ("parser", "lm"))
    assert found == [
        "the dataset has a column 'offsets', as a result is called; drop or rename it first",
        "the dataset has a column 'unknown', as a result is called; drop or rename it first",
        f"{lm}: holds a language-model (for seqtree lm), expected a parser",
        f"{parser}: holds a parser (for seqtree parse, or seqtree parser eval), expected a language-model",
        "actors 0: expected at least 1",
        "rows 0: expected at least 1",
        "dataset: expected a Ray dataset, not list",
    ]


@with_ray
def test_files_are_read_as_elsewhere(cluster: Path) -> None:
    """An empty one leaves an empty folder; wrong bytes name their file; lines end where they do without Ray."""
    empty, wrong, ends = json.loads((cluster / "found.json").read_text(encoding="utf-8"))["parsed"]
    assert (empty[0], empty[2]) == (0, [])
    assert (wrong[0], wrong[2]) == (2, [])
    said = "byte 0xE9 after 3 characters is not utf-8; name the text's own encoding with --encoding"
    assert wrong[1] == f"seqtree: error: {cluster}/one.txt:2: {said}"
    assert [json.loads(line)["text"] for line in ends[2]] == ["A\x0ccat", "", "A dog"]


def test_a_line_of_json_or_of_brackets() -> None:
    row = {"path": "a.txt", "text": "A cat", "trees": ["(S A cat)"], "offsets": [[[0, 1], [2, 5]]]}
    (line,) = seqtree.ray._lines(row, "json")
    assert json.loads(line) == row
    assert [*seqtree.ray._lines({**row, "trees": []}, "bracket")] == [""]


def test_without_ray_it_is_told_how_to_install_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ray", "ray.data"):
        monkeypatch.setitem(sys.modules, name, None)
    small_parser().save(tmp_path / "p.safetensors")
    (tmp_path / "a.txt").write_text("A cat sat.\n", encoding="utf-8")
    parse = caller(capsys, tmp_path, monkeypatch, "parse", "--engine", "ray", "--model", "p.safetensors")
    refused(parse("--file", "a.txt", "--out", "trees"), "a Ray cluster needs Ray", 'pip install "seqtree[ray]"')
    refused(parse("--file", "a.txt", "--out", "trees", "--encoding", "nope"), "'nope' is not a text encoding")
    model().save(tmp_path / "lm.safetensors")
    refused(parse("--file", "a.txt", "--out", "trees", "--model", "lm.safetensors"), "language-model", "a parser")
    with pytest.raises(InputError, match="a Ray cluster needs Ray"):
        seqtree.ray.score(None, tmp_path / "lm.safetensors")


@pytest.mark.parametrize(
    "words", [("--file", "a.txt"), ("--out", "b"), ("--file", "-", "--out", "b"), ("a cat", "--out", "b")], ids=" ".join
)
def test_what_does_not_go_with_ray(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse = caller(capsys, tmp_path, monkeypatch, "parse")
    refused(parse(*words, "--engine", "ray"), "--engine ray goes with --file and --out")
    refused(parse("a cat", "--out", "b"), "--out and --format parquet go with --engine ray")
