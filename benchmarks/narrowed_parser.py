"""A parser with fewer units in every layer, made from the weights of a trained one; further training makes up the rest.

As He, Zhang and Sun 2017 ("Channel pruning for accelerating very deep neural networks") do it: of each layer those
units stay whose output varies most, times the length of the weights that read it; what reads the others reads instead
what least squares over the sentences of TEXT, a line each, make of those that stay::

    python benchmarks/narrowed_parser.py parser.safetensors TEXT HIDDEN VECTOR SCORER narrow.safetensors
    seqtree parser train trees.mrg --init-from narrow.safetensors --out narrow

HIDDEN, VECTOR and SCORER are the widths that ``seqtree parser train`` calls so; for two LSTM layers and ``relu``.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seqtree.nn.recurrent import Recurrent
from seqtree.parsing.greedy import decode
from seqtree.parsing.model import Parser
from seqtree.parsing.network import ParserNetwork
from seqtree.text.batches import make_batch

SENTENCES, LONGEST, BATCH = 4000, 80, 40  # sentences, words of one, sentences at a time
RIDGE = 1e-3  # of least squares, times the mean square of the units that stay
GATES = 4
DIRECTIONS = ("", "_reverse")
SCORERS = ("merge_scorer", "label_scorer")
Weights = dict[str, Tensor]


class Moments:
    """The first two moments of the outputs of a layer's U units."""

    def __init__(self) -> None:
        self.count, self.total, self.products = 0, torch.zeros(()), torch.zeros(())

    def add(self, outputs: Tensor) -> None:
        """Outputs (N, U)."""
        self.count += len(outputs)
        self.total = self.total + outputs.double().sum(dim=0)
        self.products = self.products + outputs.double().T @ outputs.double()

    def cut(self, units: slice, readers: list[Tensor], count: int) -> tuple[Tensor, Tensor]:
        """The units to keep (K,) of some (U,), read by weights (..., U); and all outputs as sums of theirs (U, K)."""
        products, mean = self.products[units, units] / self.count, self.total[units] / self.count
        spread = (products.diagonal() - mean**2).clamp(min=0).sqrt()
        read = torch.cat(readers).norm(dim=0)
        kept = (spread * read).argsort(descending=True)[:count].sort().values
        square = products[kept][:, kept]
        square += RIDGE * square.diagonal().mean() * torch.eye(count)
        sums = torch.linalg.solve(square, products[kept]).T
        sums[kept] = torch.eye(count, dtype=sums.dtype)
        return kept, sums.float()


@torch.no_grad()
def main() -> None:
    """Write the model file, with 16 bits per weight."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("parser")
    options.add_argument("text", type=Path)
    for name in ("hidden", "vector", "scorer"):
        options.add_argument(name, type=int)
    options.add_argument("narrow", type=Path)
    given = options.parse_args()
    parser = Parser.load(given.parser, precision="fp32")
    lines = [line.split() for line in given.text.read_text(encoding="utf-8").splitlines()]
    random.seed(0)
    chosen = [line for line in random.sample(lines, min(SENTENCES, len(lines))) if 0 < len(line) < LONGEST]
    config = replace(parser.network.config, hidden=given.hidden, vector=given.vector, scorer=given.scorer)
    network = ParserNetwork(parser.lexicon, len(parser.tags), len(parser.labels), config)
    network.load_state_dict(narrowed(parser.network, measured(parser, chosen), config))
    Parser(parser.lexicon, parser.tags, parser.labels, network).save(given.narrow, half=True)


def measured(parser: Parser, sentences: list[list[str]]) -> dict[str, Moments]:
    """The moments of every layer's outputs while a parser reads sentences."""
    network = parser.network.eval()
    moments: dict[str, Moments] = defaultdict(Moments)
    config, encoder = network.config, network.words.encoder
    first = Recurrent("lstm", config.input_size, config.hidden, bidirectional=True).eval()
    first.load_state_dict({name: weight for name, weight in encoder.state_dict().items() if "_l0" in name})

    def watch(_: object, inputs: tuple[Tensor], options: dict[str, Tensor], output: tuple[Tensor, Any]) -> None:
        steps = torch.arange(len(inputs[0]))[:, None]
        inside = (steps > 0) & (steps < options["lengths"] - 1)
        moments["0"].add(first(inputs[0], **options)[0][inside])
        moments["1"].add(output[0][inside])

    encoder.register_forward_hook(watch, with_kwargs=True)
    for name in SCORERS:
        output = network.get_submodule(f"{name}.output")
        output.register_forward_pre_hook(lambda _, inputs, name=name: moments[name].add(*inputs))
    for start in range(0, len(sentences), BATCH):
        group = sorted(sentences[start : start + BATCH], key=len, reverse=True)
        read = [[word for _, word in parser.words(sentence)] for sentence in group]
        batch = make_batch(read, [parser.lexicon.encode(words) for words in read], parser.lexicon)
        encoded = network.encode(batch)
        decoding = decode(network, batch, encoded)  # scores the merges of all pairs
        moments["node"].add(decoding.vectors)
        network.score_labels(encoded, batch, decoding.vectors[len(encoded.leaves) :], decoding.pairs.spans)
    return moments


def narrowed(network: ParserNetwork, moments: dict[str, Moments], config: Any) -> Weights:
    """The weights of the narrower network."""
    given, made, old = network.state_dict(), dict(network.state_dict()), network.config
    below: Tensor | None = None  # the outputs of the layer below as sums of those that stay
    for layer in ("0", "1"):
        sums = []
        for number, direction in enumerate(DIRECTIONS):
            units = slice(number * old.hidden, (number + 1) * old.hidden)
            names = {part: f"words.encoder.{part}_l{layer}{direction}" for part in ("weight_hh", "weight_ih")}
            readers = [given[name][:, units] for name in above(layer)]
            kept, sum_ = moments[layer].cut(units, [given[names["weight_hh"]], *readers], config.hidden)
            rows = torch.cat([gate * old.hidden + kept for gate in range(GATES)])
            made[names["weight_hh"]] = given[names["weight_hh"]][rows] @ sum_
            read = given[names["weight_ih"]][rows]
            made[names["weight_ih"]] = read if below is None else read @ below
            for bias in ("bias_ih", "bias_hh"):
                name = f"words.encoder.{bias}_l{layer}{direction}"
                made[name] = given[name][rows]
            sums.append(sum_)
        below = torch.block_diag(*sums)
    assert below is not None
    made |= narrowed_tree(given, moments, config, below)
    return made


def above(layer: str) -> list[str]:
    """The weights that read an encoder's layer, besides its own."""
    if layer == "0":
        return [f"words.encoder.weight_ih_l1{direction}" for direction in DIRECTIONS]
    return ["fences.weight", "leaf.weight", "tagger.weight"]


def narrowed_tree(given: Weights, moments: dict[str, Moments], config: Any, below: Tensor) -> Weights:
    """The weights of what reads the encoder."""
    composition, size = given["composition.linear.weight"], len(given["leaf.bias"])
    read = [given[f"{name}.hidden.weight"] for name in SCORERS]
    kept, node = moments["node"].cut(slice(size), [composition[:, :size], composition[:, size:], *read], config.vector)
    made = {
        "leaf.weight": given["leaf.weight"][kept] @ below,
        "leaf.bias": given["leaf.bias"][kept],
        "composition.linear.weight": composition[kept] @ torch.block_diag(node, node),
        "composition.linear.bias": given["composition.linear.bias"][kept],
        "tagger.weight": given["tagger.weight"] @ below,
    }
    fences = []
    for name, part in zip(SCORERS, given["fences.weight"].chunk(2), strict=True):
        output = given[f"{name}.output.weight"]
        kept, sums = moments[name].cut(slice(output.shape[1]), [output], config.scorer)
        made[f"{name}.hidden.weight"] = given[f"{name}.hidden.weight"][kept] @ node
        made[f"{name}.hidden.bias"] = given[f"{name}.hidden.bias"][kept]
        made[f"{name}.output.weight"] = output @ sums
        fences.append(part[kept] @ below)
    return made | {"fences.weight": torch.cat(fences)}


if __name__ == "__main__":
    main()
