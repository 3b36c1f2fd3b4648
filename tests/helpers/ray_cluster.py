"""A Ray cluster on this machine that parses and scores, for the tests: ``python ray_cluster.py FOLDER``.

Texts are parsed on the one node that has a core until the first results are there. It is killed, and another one takes
its place. Writes found.json into the folder.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import ray
from language_helpers import model
from parsing_helpers import small_parser
from ray.cluster_utils import Cluster

import seqtree.ray
from seqtree.cli import run

TEXTS = 240
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
    finally:
        ray.shutdown()
        cluster.shutdown()
    (folder / "found.json").write_text(json.dumps({"rows": rows, "nodes": nodes, "scores": scores}), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
