"""The merger over a graph and its oracle: against the ones by hand, and against sets of segments."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from seqtree.nn.margins import merged_alone
from seqtree.nn.recursive import Composition
from seqtree.reference.graph_margin import GraphMargin, Pair, crosses, merge_greedily
from seqtree.reference.max_margin import TreeScorer, greedy
from seqtree.scenes.batches import Ids, SceneGraph, make_scene_batch
from seqtree.scenes.merging import Graphs, Merging, best, merge_scenes
from seqtree.scenes.regions import RegionOracle, Walk, regions_of

WIDTH = 4


class ByWeights:
    """A merger with the weights of one by hand."""

    def __init__(self, scorer: TreeScorer) -> None:
        self.composition = Composition("tanh", WIDTH).double()
        with torch.no_grad():
            self.composition.linear.weight.copy_(torch.from_numpy(scorer.parameters["W"]))
            self.composition.linear.bias.copy_(torch.from_numpy(scorer.parameters["b"]))
        self.u = torch.from_numpy(scorer.parameters["u"])

    def compose(self, left: Tensor, right: Tensor) -> Tensor:
        composed: Tensor = self.composition(left, right)
        return composed

    def score_merges(self, vectors: Tensor) -> Tensor:
        return vectors @ self.u


def scorer(seed: int) -> TreeScorer:
    random = np.random.default_rng(seed)
    made = TreeScorer(WIDTH, random)
    for values in made.parameters.values():
        values[...] = random.normal(size=values.shape)
    return made


def graph(count: int, random: np.random.Generator, classes: int = 3) -> SceneGraph:
    """Connected segments with random features, neighbours and labels, a few of them void."""
    pairs = {(int(random.integers(i)), i) for i in range(1, count)}
    for _ in range(count):
        one, other = sorted(random.integers(count, size=2).tolist())
        if one != other:
            pairs.add((one, other))
    neighbours = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    pixels = np.eye(classes + 1, dtype=np.int64)[random.integers(classes + 1, size=count)] * 9
    return SceneGraph(random.normal(size=(count, WIDTH)), neighbours, pixels)


def trees_of(merging: Merging, lengths: Ids) -> list[list[Pair]]:
    """The tree of each scene in the numbers of the one by hand: segments, then nodes in the order of the merges."""
    left, right, _, made = merged_alone(int(lengths.sum()), merging.pairs.left, merging.pairs.right, merging.made)
    found, first, start = [], 0, 0
    for length in lengths.tolist():
        own = made[start : start + length - 1].tolist()
        number = {first + i: i for i in range(length)}
        number |= {int(lengths.sum()) + k: length + i for i, k in enumerate(own)}
        found.append([(number[int(left[k])], number[int(right[k])]) for k in own])
        first, start = first + length, start + length - 1
    return found


@pytest.mark.parametrize("seed", range(4))
def test_a_batch_is_merged_as_each_scene_by_hand(seed: int) -> None:
    random = np.random.default_rng(seed)
    scenes = [graph(count, random) for count in (14, 9, 9, 2, 1)]
    batch, by_hand = make_scene_batch(scenes), scorer(seed)
    merging = merge_scenes(ByWeights(by_hand), batch, torch.from_numpy(batch.features))
    for scene, tree in zip(scenes, trees_of(merging, batch.lengths), strict=True):
        neighbours = [(int(one), int(other)) for one, other in scene.neighbours]
        assert tree == merge_greedily(by_hand, np.asarray(scene.features, np.float64), neighbours)


def test_nodes_are_copied_a_few_times_however_many_are_merged() -> None:
    random = np.random.default_rng(0)
    batch, arrays = make_scene_batch([graph(60, random) for _ in range(2)]), []

    def noting(graphs: Graphs, active: int) -> Ids:
        if not arrays or arrays[-1] is not graphs.first:
            arrays.append(graphs.first)
        assert (graphs.first[: batch.lengths.sum()] == np.arange(batch.lengths.sum())).all()
        return best(graphs, active)

    merging = merge_scenes(ByWeights(scorer(0)), batch, torch.from_numpy(batch.features), noting)
    assert len(merging.made) == 118
    assert len(arrays) < 10


def test_in_a_row_it_is_the_parser() -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=(9, WIDTH))
    row = SceneGraph(x, np.stack([np.arange(8), np.arange(1, 9)], axis=1))
    batch, by_hand = make_scene_batch([row]), scorer(3)
    (tree,) = trees_of(merge_scenes(ByWeights(by_hand), batch, torch.from_numpy(x)), batch.lengths)
    spans = [(i, i + 1) for i in range(9)]
    for left, right in tree:
        spans.append((spans[left][0], spans[right][1]))
    merges = [(spans[left][0], spans[left][1], spans[right][1]) for left, right in tree]
    assert merges == greedy(by_hand, x)


@pytest.mark.parametrize("seed", range(4))
def test_the_correct_tree_and_the_found_one_are_those_by_hand(seed: int) -> None:
    random = np.random.default_rng(seed + 10)
    scene = graph(12, random)
    assert scene.pixels is not None
    scene.pixels[:, 1] += scene.pixels[:, 0]  # nothing is void by hand
    scene.pixels[:, 0] = 0
    batch, by_hand = make_scene_batch([scene]), scorer(seed)
    classes = scene.pixels[:, 1:].argmax(axis=1)
    regions = regions_of(classes, batch.first, batch.second)
    sets = [np.flatnonzero(regions == one).tolist() for one in np.unique(regions)]
    margin = GraphMargin(by_hand, kappa=0.0)
    x = np.asarray(scene.features, np.float64)
    risk = float(margin.forward(x, [(int(a), int(b)) for a, b in scene.neighbours], sets))
    merger, totals = ByWeights(by_hand), []
    for walk in (Walk(RegionOracle(batch, [scene]), kappa=0.0), Walk(RegionOracle(batch, [scene]))):
        merging = merge_scenes(merger, batch, torch.from_numpy(x), walk)
        totals.append(merging.scores.sum())
    assert not walk.wrong().any()
    assert totals[0] - totals[1] == pytest.approx(risk, abs=1e-5)


class Checked(Walk):
    """Walks by chance, and compares the oracle with sets of segments at every step."""

    def __init__(self, oracle: RegionOracle, regions: list[frozenset[int]], void: frozenset[int], seed: int) -> None:
        super().__init__(oracle)
        self.regions, self.void, self.random = regions, void, np.random.default_rng(seed)
        self.inside: dict[int, frozenset[int]] = {}
        self.seen = 0

    def __call__(self, graphs: Graphs, active: int) -> Ids:
        correct = self.oracle.correct(graphs, active)
        live = np.flatnonzero(np.isfinite(graphs.score[0]))
        for place in live.tolist():
            pair = frozenset(self._segments(graphs, place))
            assert correct[0, place] != crosses(pair - self.void, self.regions) or self._void_alone(graphs, place)
        place = int(self.random.choice(live))
        made = frozenset(self._segments(graphs, place))
        self.inside[graphs.segments + int(graphs.pair[0, place])] = made
        if not correct[0, place]:
            parts = [self._of(int(side[0, place])) - self.void for side in (graphs.left, graphs.right)]
            self.regions = [region for region in self.regions if not any(part < region and part for part in parts)]
            self.seen += 1
        self.oracle.merged(graphs, np.array([place]))
        return np.array([place])

    def _of(self, node: int) -> frozenset[int]:
        return self.inside.get(node, frozenset([node]))

    def _segments(self, graphs: Graphs, place: int) -> frozenset[int]:
        return self._of(int(graphs.left[0, place])) | self._of(int(graphs.right[0, place]))

    def _void_alone(self, graphs: Graphs, place: int) -> bool:
        return any(self._of(int(side[0, place])) <= self.void for side in (graphs.left, graphs.right))


@pytest.mark.parametrize("seed", range(12))
def test_the_oracle_judges_as_sets_do(seed: int) -> None:
    random = np.random.default_rng(seed)
    scene = graph(15, random)
    assert scene.pixels is not None
    batch = make_scene_batch([scene])
    classes = np.where(scene.pixels[:, 0] > 0, -1, scene.pixels[:, 1:].argmax(axis=1))
    regions = regions_of(classes, batch.first, batch.second)
    sets = [frozenset(np.flatnonzero(regions == one).tolist()) for one in np.unique(regions[regions >= 0])]
    void = frozenset(np.flatnonzero(classes < 0).tolist())
    walk = Checked(RegionOracle(batch, [scene]), sets, void, seed)
    merge_scenes(ByWeights(scorer(seed)), batch, torch.from_numpy(batch.features), walk)
    assert walk.seen  # wrong merges, after which regions are lost


def test_a_scene_that_is_not_connected() -> None:
    apart = SceneGraph(np.zeros((4, WIDTH)), np.array([[0, 1], [2, 3]]))
    batch = make_scene_batch([apart])
    with pytest.raises(ValueError, match="not all connected"):
        merge_scenes(ByWeights(scorer(0)), batch, torch.from_numpy(batch.features))
