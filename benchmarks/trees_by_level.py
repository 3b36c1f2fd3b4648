"""Training speed of a tree classifier: all nodes of one height at once against one node after another.

Both compute the loss and the gradients of the same trees with the same weights, in float32 without dropout; that the
values are the same is checked in float64 first. Trees are random: sentences of 5 to 35 words, neighbours merged in
random order. Prints one JSON object::

    python benchmarks/trees_by_level.py --threads 1
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from seqtree.text.lexicon import LabelSet, Lexicon
from seqtree.treebank.labelled import LabelledTree
from seqtree.trees.config import TreeNetworkConfig
from seqtree.trees.model import GRADES, TreeClassifier

WORDS = [f"w{i}" for i in range(10_000)]
Loss = Callable[[TreeClassifier, list[LabelledTree]], Tensor]


def random_tree(rng: np.random.Generator) -> LabelledTree:
    """Neighbours merged in random order, with random labels."""
    count = int(rng.integers(5, 36))
    row, children = list(range(count)), []
    while len(row) > 1:
        k = int(rng.integers(len(row) - 1))
        children.append((row[k], row[k + 1]))
        row[k : k + 2] = [count - 1 + len(children)]
    labels = tuple(map(str, rng.integers(5, size=2 * count - 1)))
    return LabelledTree(tuple(rng.choice(WORDS, count).tolist()), tuple(children), labels)


def by_level(model: TreeClassifier, trees: list[LabelledTree]) -> Tensor:
    """The mean loss over all nodes, as in training."""
    labels = np.concatenate([model.classes.encode(tree.labels) for tree in trees])
    return model.network.loss(model.batch(trees), labels) / len(labels)


def node_by_node(model: TreeClassifier, trees: list[LabelledTree]) -> Tensor:
    """The same as it is written first: a vector for each word, and a call of the composition for each phrase."""
    network, losses = model.network, []
    for tree in trees:
        ids = torch.from_numpy(model.lexicon.encode(tree.words))
        nodes = [network.leaves(network.words.embedding(word)[None]) for word in ids]
        for left, right in tree.children:
            nodes.append(network.composition(nodes[left], nodes[right]))
        for node, label in zip(nodes, model.classes.encode(tree.labels).tolist(), strict=True):
            losses.append(F.cross_entropy(network.output(network.composition.output(node)), torch.tensor([label])))
    return torch.stack(losses).mean()


def seconds(loss: Loss, model: TreeClassifier, batches: list[list[LabelledTree]]) -> float:
    """The time of loss and gradients of all batches, after one that is not counted."""
    loss(model, batches[0]).backward()
    began = time.perf_counter()
    for batch in batches:
        model.network.zero_grad()
        loss(model, batch).backward()
    return time.perf_counter() - began


def difference(model: TreeClassifier, trees: list[LabelledTree]) -> float:
    """The largest difference of a gradient between both ways."""
    found = []
    for loss in (by_level, node_by_node):
        model.network.zero_grad()
        loss(model, trees).backward()
        found.append([p.grad for p in model.network.parameters() if p.grad is not None])
    return max(float((one - other).abs().max()) for one, other in zip(*found, strict=True))


def measured(kind: str, vector: int, batches: list[list[LabelledTree]]) -> dict[str, Any]:
    """The figures of one composition."""
    config = TreeNetworkConfig(
        "none", words=vector, characters=0, composition=kind, vector=vector, word_dropout=0.0, input_dropout=0.0,
        update_dropout=0.0, output_dropout=0.0,
    )  # fmt: skip
    model = TreeClassifier.over(Lexicon.build(dict.fromkeys(WORDS, 1)), LabelSet(GRADES), config)
    model.network.double().train()
    off = difference(model, batches[0])
    model.network.float()
    trees = sum(map(len, batches))
    fast, slow = (trees / seconds(loss, model, batches) for loss in (by_level, node_by_node))
    return {
        "vector": vector,
        "trees_per_second_by_level": round(fast, 1),
        "trees_per_second_node_by_node": round(slow, 1),
        "ratio": round(fast / slow, 2),
        "largest_difference_in_float64": off,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=25)
    parser.add_argument("--batches", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rng = np.random.default_rng(0)
    batches = [
        sorted((random_tree(rng) for _ in range(options.batch)), key=len, reverse=True) for _ in range(options.batches)
    ]
    sizes = {"tanh": 150, "lstm": 300, "rntn": 30}
    print(json.dumps({kind: measured(kind, vector, batches) for kind, vector in sizes.items()}, indent=1))


if __name__ == "__main__":
    main()
