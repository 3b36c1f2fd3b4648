"""A Ray cluster on this machine that parses and scores, for the tests: ``python ray_cluster.py FOLDER``.

Texts are parsed on the one node that has a core until the first results are there. It is killed, and another one takes
its place. Writes found.json into the folder.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import ray
from language_helpers import model
from parsing_helpers import small_parser
from ray.cluster_utils import Cluster

import seqtree.ray
from seqtree.cli import run
from seqtree.errors import InputError

TEXTS = 240
FILES = (b"", b"A cat\nA c\xe9t", b"\xef\xbb\xbfA\x0ccat\r\n\r\nA dog")
MEMORY = 100 << 20  # bytes of each node for objects


def text(number: int) -> str:
    """One of the texts: no sentence, one, or two."""
    return ("", f"The cat {number} sat.", f"A dog {number} ran. The man sat on the mat.")[number % 3]


def parsed_while_a_node_dies(cluster: Cluster, node: object, parser: str) -> list[dict[str, object]]:
    """All rows that come out."""
    rows = [{"id": number, "text": text(number)} for number in range(TEXTS)]
    data = ray.data.from_items(rows, override_num_blocks=24)
    found = []
    for row in seqtree.ray.parse(data, parser, actors=1, rows=10).iter_rows():
        if not found:
            cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
            cluster.remove_node(node, allow_graceful=False)
        found.append({**row, "offsets": [[[*map(int, span)] for span in one] for one in row["offsets"]]})
        found[-1]["trees"] = [*row["trees"]]
    return found


def living_nodes() -> int:
    """How many nodes there are, once it has been noticed that one has gone."""
    end = time.monotonic() + 60
    while (count := sum(one["Alive"] for one in ray.nodes())) > 2 and time.monotonic() < end:
        time.sleep(0.2)
    return count


def refusals(parser: Path, lm: Path) -> list[str]:
    """What is said of wrong arguments, all of it before anything is computed."""
    data = ray.data.from_items([{"text": "A cat", "offsets": 1, "unknown": 2}])
    plain = data.select_columns(["text"])
    said = []
    for call in (
        lambda: seqtree.ray.parse(data, parser),
        lambda: seqtree.ray.score(data, lm),
        lambda: seqtree.ray.parse(plain, lm),
        lambda: seqtree.ray.score(plain, parser),
        lambda: seqtree.ray.parse(plain, parser, actors=0),
        lambda: seqtree.ray.parse(plain, parser, rows=0),
        lambda: seqtree.ray.score(["A cat"], lm),
    ):
        try:
            call()
        except InputError as error:
            said.append(str(error))
    return said


def parsed(folder: Path, text: bytes) -> tuple[int, str, list[str]]:
    """The exit code of parsing a file with this text, what is said at the end, and the lines in its folder."""
    with (folder / "one.txt").open("wb") as file:
        file.write(text)
    out, said = folder / f"out{len(text)}", StringIO()
    words = ["parse", "--file", str(folder / "one.txt"), "--engine", "ray", "--format", "json"]
    with redirect_stderr(said):
        code = run([*words, "--model", str(folder / "parser.safetensors"), "--out", str(out)])
    lines = [line for file in sorted(out.iterdir()) for line in file.read_text(encoding="utf-8").splitlines()]
    return code, said.getvalue().splitlines()[-1], lines


def main(folder: Path) -> None:
    small_parser().save(folder / "parser.safetensors")
    model().save(folder / "lm.safetensors")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "object_store_memory": MEMORY})
    node = cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
    ray.init(address=cluster.address, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    try:
        rows = parsed_while_a_node_dies(cluster, node, str(folder / "parser.safetensors"))
        nodes = living_nodes()
        scored = seqtree.ray.score(
            ray.data.from_items([{"line": "the cat"}, {"line": ""}]), folder / "lm.safetensors", "line"
        )
        scores = [{name: [*row[name]] for name in ("tokens", "surprisals", "unknown")} for row in scored.take_all()]
        for format in ("bracket", "parquet"):
            words = ["parse", "--file", str(folder / "texts" / "*.txt"), "--engine", "ray", "--format", format]
            assert run([*words, "--model", str(folder / "parser.safetensors"), "--out", str(folder / format)]) == 0
        more = {
            "refusals": refusals(folder / "parser.safetensors", folder / "lm.safetensors"),
            "parsed": [parsed(folder, text) for text in FILES],
        }
    finally:
        ray.shutdown()
        cluster.shutdown()
    found = {"rows": rows, "nodes": nodes, "scores": scores, **more}
    (folder / "found.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
