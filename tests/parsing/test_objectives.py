"""What the parser minimises against plain re-computations, and its training: orders, resumption, learning."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nltk.tree import Tree
from parsing_helpers import Candidate, Node, SlowSentence, SlowWalk, batch_of, slow_greedy, small_parser, toy_trees
from runs import EXACT, Messages, Planned, metrics, parser_recipe, train
from torch import Tensor

from seqtree.errors import InputError
from seqtree.parsing import objectives, task
from seqtree.parsing.config import PRESETS, ObjectiveSettings, ParserRecipe
from seqtree.parsing.decoding import Decoding
from seqtree.parsing.gold import GoldTree, gold_tree
from seqtree.parsing.greedy import decode
from seqtree.parsing.model import Parser
from seqtree.parsing.objectives import parser_loss, tag_loss
from seqtree.parsing.task import ParserData, ParserTask
from seqtree.reference.max_margin import MaxMargin, TreeScorer, greedy
from seqtree.reference.recursive import Merge
from seqtree.text.batches import make_batch
from seqtree.text.columns import Tagged
from seqtree.training.settings import BatchSettings, TrainingSettings
from seqtree.treebank.binary import BinaryTree, Span, binarise

OBJECTIVES = ("stepwise", "softmax", "structured")

# --- the slow version of the loss: one sentence and one decision after another


def _crosses(one: Span, other: Span) -> bool:
    return one[0] < other[0] < one[1] < other[1] or other[0] < one[0] < other[1] < one[1]


@dataclass(frozen=True)
class SlowLoss:
    """The three parts of a sentence's loss."""

    margins: Tensor
    labels: Tensor
    tags: Tensor

    def total(self, settings: ObjectiveSettings) -> Tensor:
        return self.margins + settings.label_weight * self.labels + settings.tag_weight * self.tags


def slow_loss(sentence: SlowSentence, gold: BinaryTree, settings: ObjectiveSettings, own: Iterator[bool]) -> SlowLoss:
    """``own`` says at every decision of a walk whether the parser's own choice is followed."""
    if settings.objective == "structured":
        margins, nodes = _slow_structured(sentence, gold, settings.kappa)
    else:
        margins, nodes = _slow_stepwise(sentence, gold, settings.objective, own)
    words = [Node(i, i + 1, vector) for i, vector in enumerate(sentence.leaves)]
    return SlowLoss(margins, _slow_labels(sentence, gold, words + nodes), _slow_tags(sentence, gold))


def _slow_stepwise(
    sentence: SlowSentence, gold: BinaryTree, objective: str, own: Iterator[bool]
) -> tuple[Tensor, list[Node]]:
    """The loss of all decisions, and every node that was possible at some time, once."""
    walk, seen = SlowWalk(sentence), {}
    loss = torch.zeros((), dtype=torch.float64)
    while candidates := walk.candidates():
        seen |= {(c.node.start, c.split, c.node.end): c.node for c in candidates}
        there = [(node.start, node.end) for node in walk.nodes]
        live = [span for span in gold.labels if not any(_crosses(span, other) for other in there)]
        right = [c for c in candidates if not any(_crosses((c.node.start, c.node.end), span) for span in live)]
        wrong = [c for c in candidates if c not in right]
        best = max(right, key=lambda c: c.judged)
        if objective == "softmax":
            loss = loss - (_scores(right).exp().sum() / _scores(candidates).exp().sum()).log()
        elif wrong:
            loss = loss + max(0, 1 + max(c.score for c in wrong) - best.score)
        walk.merge(max(candidates, key=lambda c: c.judged) if next(own) else best)
    return loss, list(seen.values())


def _scores(candidates: Sequence[Candidate]) -> Tensor:
    return torch.stack([candidate.score for candidate in candidates])


def _slow_structured(sentence: SlowSentence, gold: BinaryTree, kappa: float) -> tuple[Tensor, list[Node]]:
    """By how much the decoder's merges, with the margin of wrong ones, are ahead of the correct ones where they are so
    by most; both trees' nodes."""
    correct = _chosen(SlowWalk(sentence), lambda c: not _is_wrong(c, gold))
    found = _chosen(SlowWalk(sentence, lambda start, end: kappa * _wrong_span((start, end), gold)), lambda c: True)
    ahead, most = torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    for right, other in zip(correct, found, strict=True):
        ahead = ahead + other.score + kappa * _is_wrong(other, gold) - right.score
        most = torch.maximum(most, ahead)
    return most, [candidate.node for candidate in correct + found]


def _chosen(walk: SlowWalk, allowed: Callable[[Candidate], bool]) -> list[Candidate]:
    """The merges of a walk that takes the best of those allowed."""
    chosen = []
    while candidates := list(filter(allowed, walk.candidates())):
        chosen.append(max(candidates, key=lambda c: c.judged))
        walk.merge(chosen[-1])
    return chosen


def _is_wrong(candidate: Candidate, gold: BinaryTree) -> bool:
    return _wrong_span((candidate.node.start, candidate.node.end), gold)


def _wrong_span(span: Span, gold: BinaryTree) -> bool:
    return any(_crosses(span, other) for other in gold.labels)


def _slow_labels(sentence: SlowSentence, gold: BinaryTree, nodes: Sequence[Node]) -> Tensor:
    loss = torch.zeros((), dtype=torch.float64)
    for node in nodes:
        label = gold.labels.get((node.start, node.end), ())
        if label in sentence.parser.labels.names:
            logits = sentence.label_logits(node.vector, node.start, node.end)
            loss = loss - logits.log_softmax(0)[sentence.parser.labels.names.index(label)]
    return loss


def _slow_tags(sentence: SlowSentence, gold: BinaryTree) -> Tensor:
    loss = torch.zeros((), dtype=torch.float64)
    for logits, tag in zip(sentence.tags, gold.tags, strict=True):
        if tag in sentence.parser.tags.names:
            loss = loss - logits.log_softmax(0)[sentence.parser.tags.names.index(tag)]
    return loss


# --- the objectives

STRANGE = "(S (NP (DT the) (XX Cat)) (QP (VBD sat) zebra) (ADVP (NP on)))"  # tags and labels that the parser lacks
WORDS = [
    "(S (NP (DT the) (NN cat)) (VP (VBD sat) (PP (IN on) (NP (DT the) (NN mat)))))",
    "(S (S (NP (PRP it)) (VP (VBD sat))) (CC and) (NP (DT a) (JJ small) (JJ cold) (NN tower)))",
    STRANGE,
    "(NP (NN cat) (NN dog))",
    "(NP (NN cat))",
]


def _gold() -> list[BinaryTree]:
    """Some trees, longest first."""
    return sorted((binarise(Tree.fromstring(text)) for text in WORDS), key=lambda tree: -len(tree.words))


def _loss(parser: Parser, trees: Sequence[BinaryTree], settings: ObjectiveSettings, seed: int = 0) -> Tensor:
    torch.manual_seed(seed)
    gold = [gold_tree(tree, parser.lexicon, parser.tags, parser.labels) for tree in trees]
    return parser_loss(parser.network, batch_of(parser, [tree.words for tree in trees]), gold, settings)


def _own_choices(trees: Sequence[BinaryTree], explore: float, seed: int) -> list[Iterator[bool]]:
    """For each sentence of a batch, at which decisions the parser follows itself: a random number for each, by step."""
    torch.manual_seed(seed)
    draws = [torch.rand(sum(len(tree.words) > step for tree in trees)) for step in range(1, len(trees[0].words))]
    return [iter([bool(draw[row] < explore) for draw in draws if row < len(draw)]) for row in range(len(trees))]


def _gradients(loss: Tensor, parser: Parser) -> dict[str, Tensor | None]:
    parameters = dict(parser.network.named_parameters())
    return dict(zip(parameters, torch.autograd.grad(loss, list(parameters.values()), allow_unused=True), strict=True))


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"encoder": "gru", "composition": "lstm", "layers": 1},
        {"encoder": "none", "composition": "tanh"},
        {"encoder": "none", "composition": "max", "characters": 0},
    ],
    ids=["lstm-relu", "gru-lstm", "none-tanh", "none-max"],
)
@pytest.mark.parametrize(
    "settings",
    [
        ObjectiveSettings("stepwise", explore=0.0),
        ObjectiveSettings("stepwise", explore=0.5, label_weight=0.25),
        ObjectiveSettings("stepwise", explore=1.0),
        ObjectiveSettings("softmax", explore=0.5, tag_weight=2.0),
        ObjectiveSettings("structured", kappa=0.25),
        ObjectiveSettings("structured", kappa=8.0, label_weight=0.0),
    ],
    ids=["stepwise-0", "stepwise-0.5", "stepwise-1", "softmax-0.5", "structured-0.25", "structured-8"],
)
def test_the_loss_and_its_gradient_equal_the_slow_ones(config: dict[str, Any], settings: ObjectiveSettings) -> None:
    parser, trees = small_parser(**config), _gold()
    fast = _loss(parser, trees, settings, seed=5)
    own = _own_choices(trees, settings.explore, seed=5)
    parts = [
        slow_loss(SlowSentence(parser, tree.words), tree, settings, choices)
        for tree, choices in zip(trees, own, strict=True)
    ]
    slow = torch.stack([part.total(settings) for part in parts]).sum()
    assert sum(part.margins.item() for part in parts) > 0.1
    torch.testing.assert_close(fast, slow, rtol=1e-9, atol=1e-9)
    wanted = _gradients(slow, parser)
    for name, gradient in _gradients(fast, parser).items():
        other = wanted[name]
        if gradient is None or other is None:
            assert all(one is None or one.abs().max() < 1e-9 for one in (gradient, other)), name
        else:
            torch.testing.assert_close(gradient, other, rtol=1e-7, atol=1e-9, msg=name)


def test_training_mode_without_dropout_changes_nothing() -> None:
    parser, trees = small_parser(), _gold()
    for objective in OBJECTIVES:
        settings = ObjectiveSettings(objective, explore=0.0)
        quiet = _loss(parser, trees, settings)
        parser.network.train()
        torch.testing.assert_close(_loss(parser, trees, settings), quiet)
        assert parser.network.training
        parser.network.eval()


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_dropout_is_drawn_anew_and_by_the_seed(objective: str) -> None:
    parser, trees = small_parser(dropout=0.4, word_dropout=1.0), _gold()
    parser.network.train()
    losses = [_loss(parser, trees, ObjectiveSettings(objective), seed).item() for seed in (1, 1, 2)]
    assert losses[0] == losses[1] != losses[2]
    assert np.isfinite(losses).all()


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_decoder_walks_without_dropout(objective: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parser, modes, broken = small_parser(dropout=0.4), [], False

    def watched(network: Any, *arguments: Any, **options: Any) -> Decoding[Tensor]:
        modes.append(network.training or network.merge_scorer.training)
        if broken:
            raise _Killed
        return decode(network, *arguments, **options)

    monkeypatch.setattr(objectives, "decode", watched)
    parser.network.train()
    _loss(parser, _gold(), ObjectiveSettings(objective))
    broken = True
    with pytest.raises(_Killed):
        _loss(parser, _gold(), ObjectiveSettings(objective))
    assert len(modes) > 1
    assert not any(modes)
    assert parser.network.training
    assert parser.network.merge_scorer.training


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_batch_of_single_words_has_a_loss_too(objective: str, dropout: float) -> None:
    """There is nothing to merge, but labels and tags."""
    parser, tree = small_parser(dropout=dropout), binarise(Tree.fromstring("(NP (NN cat))"))
    parser.network.train()
    loss = _loss(parser, [tree, tree], ObjectiveSettings(objective))
    assert loss.item() > 0
    loss.backward()
    if not dropout:
        part = slow_loss(SlowSentence(parser, tree.words), tree, ObjectiveSettings(objective), iter(()))
        torch.testing.assert_close(loss, 2 * part.total(ObjectiveSettings(objective)))


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("config", [{}, {"encoder": "none", "composition": "tanh"}], ids=["lstm", "none"])
def test_every_parameter_has_a_gradient_but_one(objective: str, config: dict[str, Any]) -> None:
    """A constant on the score of every merge decides nothing: trees of a sentence have as many merges as each other."""
    parser = small_parser(dropout=0.2, word_dropout=0.5, **config)
    parser.network.train()
    trees = sorted((binarise(tree) for tree in toy_trees()[:40]), key=lambda tree: -len(tree.words))
    gradients = _gradients(_loss(parser, trees, ObjectiveSettings(objective)), parser)
    still = {name for name, value in gradients.items() if value is None or value.abs().max() < 1e-9}
    assert still == {"merge_scorer.output.bias"}
    counted = gradients["words.embedding.weight"]
    assert counted is not None
    rows = counted.abs().sum(dim=1)
    seen = {word if word in parser.lexicon.words else word.lower() for tree in trees for word in tree.words}
    ends = {"<s>", "</s>"} if config.get("encoder") != "none" else set()
    moved = {parser.lexicon.words.tokens[i] for i in np.flatnonzero(rows.numpy())}
    assert moved <= seen | ends | {"<unk>"}
    assert "<unk>" in moved  # by word dropout
    assert gradients["words.spelling.embedding.weight"][-1].eq(0).all()  # the padding


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_gradients_by_finite_differences(objective: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In float64, for some entries of every parameter; the decoder's choices, which have no slope, stay the same."""
    parser, trees, settings = small_parser(), _gold(), ObjectiveSettings(objective)
    decodings: list[Decoding[Tensor]] = []
    each = 2 if objective == "structured" else 1  # decodings of a loss

    def recorded(*arguments: Any, **options: Any) -> Decoding[Tensor]:
        decodings.append(decode(*arguments, **options))
        return decodings[-1]

    monkeypatch.setattr(objectives, "decode", recorded)
    gradients, rng, step = _gradients(_loss(parser, trees, settings), parser), np.random.default_rng(0), 1e-6
    for name, parameter in parser.network.named_parameters():
        entry = np.unravel_index(rng.integers(parameter.numel()), parameter.shape)
        if name == "words.embedding.weight":
            entry = (parser.lexicon.words.index("cat"), 2)
        if name == "words.spelling.embedding.weight":
            entry = (parser.lexicon.characters.index("a"), 1)
        losses = []
        for change in (step, -step):
            with torch.no_grad():
                parameter[entry] += change
                losses.append(_loss(parser, trees, settings).item())
                parameter[entry] -= change
        assert all(np.array_equal(one.pairs.left, decodings[i % each].pairs.left) for i, one in enumerate(decodings))
        gradient = gradients[name]
        slope = 0.0 if gradient is None else gradient[entry].item()
        assert (losses[0] - losses[1]) / (2 * step) == pytest.approx(slope, rel=1e-4, abs=1e-6), name


# --- margins between whole trees


def _all_trees(start: int, end: int) -> list[list[Merge]]:
    """Every binary tree over words[start:end], as merges, children before parents."""
    if end - start == 1:
        return [[]]
    return [
        [*left, *right, (start, split, end)]
        for split in range(start + 1, end)
        for left, right in itertools.product(_all_trees(start, split), _all_trees(split, end))
    ]


STRUCTURED = ObjectiveSettings("structured", label_weight=0.0, tag_weight=0.0)


def _fully_labelled(words: tuple[str, ...], merges: Sequence[Merge]) -> BinaryTree:
    """A tree whose every span has a label, so that no other binary tree is correct."""
    return BinaryTree(words, (None,) * len(words), tuple(merges), {(start, end): ("S",) for start, _, end in merges})


@pytest.mark.parametrize("kappa", [0.0, 0.25, 2.0])
@pytest.mark.parametrize("encoder", ["none", "lstm"])
def test_a_mistake_of_the_decoder_is_never_missed(kappa: float, encoder: str) -> None:
    """There is a loss exactly where greedy decoding with the margin added leaves the gold tree; at least what the
    decoder's whole tree is ahead by."""
    settings, missed = replace(STRUCTURED, kappa=kappa), 0
    words = ("the", "cat", "sat", "near", "it")
    for seed in range(4):
        parser = small_parser(seed=seed, encoder=encoder, vector=3)
        sentence = SlowSentence(parser, words)
        with torch.no_grad():
            every = {tuple(tree): sum(map(float, _tree_scores(sentence, tree))) for tree in _all_trees(0, 5)}
        assert len(every) == 14
        for merges in every:
            gold = _fully_labelled(words, merges)
            found = slow_greedy(sentence, lambda start, end: kappa * _wrong_span((start, end), gold))  # noqa: B023
            wrong = sum(_wrong_span((merge.span[0], merge.span[2]), gold) for merge in found)
            loss = _loss(parser, [gold], settings).item()
            assert (loss > 0) == (wrong > 0)
            with torch.no_grad():
                whole = sum(map(float, _tree_scores(sentence, [merge.span for merge in found])))
            ahead = whole + kappa * wrong - every[merges]
            assert loss >= ahead - 1e-9
            missed += wrong > 0 and ahead <= 0
    assert missed > 0 or kappa > 0.5  # there a margin between whole trees alone would see nothing


def _tree_scores(sentence: SlowSentence, merges: Sequence[Merge]) -> list[Tensor]:
    """The score of every merge of a tree."""
    vectors = {(i, i + 1): vector for i, vector in enumerate(sentence.leaves)}
    scores = []
    for start, split, end in merges:
        vectors[start, end] = sentence.compose(vectors[start, split], vectors[split, end])
        scores.append(sentence.merge_score(vectors[start, end], start, end))
    return scores


def test_no_loss_where_the_gold_tree_wins_by_the_margin() -> None:
    parser = small_parser()
    words = ("the", "cat", "sat", "near", "it", ".")
    found = slow_greedy(SlowSentence(parser, words))
    closest = min(merge.margin for merge in found)
    gold = _fully_labelled(words, [merge.span for merge in found])
    won = _loss(parser, [gold], replace(STRUCTURED, kappa=closest / 2))
    assert won.item() == 0
    assert all(value is None or value.eq(0).all() for value in _gradients(won, parser).values())
    assert _loss(parser, [gold], replace(STRUCTURED, kappa=1e3)).item() > 900


def test_margins_equal_the_chapters_version_by_hand() -> None:
    """Max-margin training by hand, u being the scorer's weights: never a lower loss, and where the decoder's tree is
    furthest ahead at its end, the same loss and gradients."""
    parser = small_parser(encoder="none", composition="tanh", characters=0, words=6)
    network, kappa, compared = parser.network, 0.25, 0
    by_hand = MaxMargin(TreeScorer(6, np.random.default_rng(0)), kappa, search=greedy)
    weight, bias = network.composition.linear.weight, network.composition.linear.bias
    values = {"W": weight, "b": bias, "u": network.merge_scorer.output.weight[0]}
    for name, value in values.items():
        by_hand.parameters[name][...] = value.detach().numpy()
    for tree in map(binarise, toy_trees()[:40]):
        loss = _loss(parser, [_fully_labelled(tree.words, tree.merges)], replace(STRUCTURED, kappa=kappa))
        leaves = SlowSentence(parser, tree.words).leaves.detach().numpy()
        risk = float(by_hand.forward(leaves, [tree.merges]))
        assert loss.item() >= risk - 1e-9
        if risk > 0 and loss.item() == pytest.approx(risk, abs=1e-9):
            by_hand.backward()
            slopes = torch.autograd.grad(loss, (weight, bias, network.merge_scorer.output.weight))
            for name, slope in zip(values, slopes, strict=True):
                wanted = by_hand.gradients[name]
                np.testing.assert_allclose(slope.numpy().reshape(wanted.shape), wanted, rtol=1e-7, atol=1e-9)
            compared += 1
    assert compared > 10


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"objective": "guess"}, "objective 'guess': expected one of stepwise, softmax, structured"),
        ({"explore": 1.5}, "from 0 to 1"),
        ({"kappa": -1.0}, "kappa -1.0: expected at least 0"),
        ({"label_weight": -1.0}, "label_weight"),
        ({"tag_weight": -0.5}, "tag_weight"),
    ],
)
def test_objectives_are_checked(values: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        ObjectiveSettings(**values)


# --- the task: which sentences when


def _task(
    trees: Sequence[BinaryTree],
    size: int,
    seed: int = 0,
    parser: Parser | None = None,
    valid: Sequence[Tree] = (),
    objective: str = "stepwise",
    **config: Any,
) -> ParserTask:
    recipe = ParserRecipe(
        objective=ObjectiveSettings(objective), batch=BatchSettings(size), training=TrainingSettings(seed=seed)
    )
    return ParserTask(parser or small_parser(trees, **config), ParserData(list(trees), list(valid)), recipe)


def _loss_of(made: ParserTask, epoch: int, step: int) -> tuple[Tensor, int]:
    return made.loss(made.batch(epoch, step))


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[list[GoldTree]]:
    """The gold trees of every step that is taken; each tree has its number of words as its loss."""
    taken: list[list[GoldTree]] = []

    def loss(network: Any, batch: Any, trees: list[GoldTree], settings: ObjectiveSettings) -> Tensor:
        assert batch.lengths.tolist() == [len(tree) for tree in trees]
        taken.append(trees)
        return torch.tensor(float(sum(map(len, trees))))

    monkeypatch.setattr(task, "parser_loss", loss)
    return taken


def _with_tagged(trees: Sequence[BinaryTree], tagged: Sequence[tuple[str, str]]) -> ParserTask:
    sentences = [Tagged(tuple(words.split()), tuple(tags.split()), "", None) for words, tags in tagged]
    made = _task(trees, 4)
    return ParserTask(made.model, ParserData(list(trees), [], sentences), made.recipe)


def test_tagged_sentences_are_learned_from_beside_the_trees() -> None:
    trees = [binarise(tree) for tree in toy_trees()[:10]]
    made = _with_tagged(trees, [(" ".join(trees[0].words), " ".join(map(str, trees[0].tags)))] * 3)
    made.model.network.eval()  # no dropout
    assert made.steps_per_epoch == 4  # 13 rows
    settings = made.recipe.objective
    tree, tagged = made.gold[0], made.tagged[0]
    batch = make_batch([tagged[0]], [tagged[1]], made.model.lexicon)
    alone = tag_loss(made.model.network, batch, [tagged[2]], settings)
    torch.manual_seed(0)  # of exploration
    whole = parser_loss(made.model.network, batch, [tree], replace(settings, tag_weight=0.0))
    torch.manual_seed(0)
    loss, count = made.loss(np.array([0, 10]))
    assert count == 2 * len(tree)
    torch.testing.assert_close(loss * count, whole + 2 * alone)
    assert made.loss(np.array([11]))[0].item() == pytest.approx(alone.item() / len(tree))


def test_tags_of_tagged_sentences_that_no_tree_has_do_not_count() -> None:
    made = _with_tagged([binarise(tree) for tree in toy_trees()[:10]], [("the cat", "ODD ODD"), ("the", "DT")])
    assert made.loss(np.array([10]))[0].item() == 0.0
    assert made.loss(np.array([11]))[0].item() > 0.0


@pytest.mark.parametrize(("count", "size"), [(200, 16), (40, 1), (7, 16), (33, 4)])
def test_an_epoch_takes_every_sentence_once(steps: list[list[GoldTree]], count: int, size: int) -> None:
    trees = [binarise(tree) for tree in toy_trees()[:count]]
    made, orders = _task(trees, size), []
    assert made.steps_per_epoch == -(-count // size)
    for epoch in range(2):
        steps.clear()
        words = sum(_loss_of(made, epoch, step)[1] for step in range(made.steps_per_epoch))
        assert words == sum(len(tree.words) for tree in trees)
        number = {id(tree): i for i, tree in enumerate(made.gold)}
        orders.append([number[id(tree)] for batch in steps for tree in batch])
        assert sorted(orders[-1]) == list(range(count))
        assert all(batch == sorted(batch, key=len, reverse=True) for batch in steps)
    assert count == 7 or orders[0] != orders[1]


def test_batches_have_as_many_words_and_sentences_of_like_length(steps: list[list[GoldTree]]) -> None:
    made = _task([binarise(tree) for tree in toy_trees()], 8)
    for step in range(made.steps_per_epoch):
        _loss_of(made, 0, step)
    words = [sum(map(len, batch)) for batch in steps]
    longest = max(len(tree) for tree in made.gold)
    assert max(words) <= np.mean(words) + longest
    assert min(words) >= np.mean(words) - longest
    assert np.mean([len(batch[0]) - len(batch[-1]) for batch in steps]) < 4
    means = [np.mean([len(tree) for tree in batch]) for batch in steps]
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.5


@pytest.mark.parametrize("lengths", [[200, *[1] * 30], [1] * 31, [50, 50, 50, 1], [3, 90, 4, 80, 2]])
@pytest.mark.parametrize("size", [1, 2, 3, 16, 100])
def test_no_batch_is_empty_whatever_the_lengths(steps: list[list[GoldTree]], lengths: list[int], size: int) -> None:
    trees = [BinaryTree(("a",) * n, ("T",) * n, (), {(0, n): ("X",)}) for n in lengths]
    made = _task(trees, size, encoder="none", vector=2)
    for step in range(made.steps_per_epoch):
        assert _loss_of(made, 0, step)[1] > 0
    assert sorted(len(tree) for batch in steps for tree in batch) == sorted(lengths)
    assert len(steps) == -(-len(lengths) // size)


def test_the_order_is_made_by_the_seed_and_the_epoch_alone(steps: list[list[GoldTree]]) -> None:
    trees = [binarise(tree) for tree in toy_trees()]
    taken = []
    for seed, visited in ((1, [0, 1]), (1, [1]), (2, [1])):
        made = _task(trees, 16, seed)
        for epoch in visited:
            steps.clear()
            for step in range(made.steps_per_epoch):
                _loss_of(made, epoch, step)
        taken.append([tree.binary.words for batch in steps for tree in batch])
    assert taken[0] == taken[1] != taken[2]


def test_the_loss_of_a_step_is_the_mean_per_word(steps: list[list[GoldTree]]) -> None:
    made = _task([binarise(tree) for tree in toy_trees()], 16)  # where the loss of a word is 1
    for step in range(made.steps_per_epoch):
        loss, words = _loss_of(made, 0, step)
        assert words == sum(map(len, steps[-1]))
        assert loss.item() == pytest.approx(1.0)


def test_batches_of_long_sentences_are_no_explosion() -> None:
    """The loop takes three times the usual loss for divergence, and batches are of like length."""
    made = _task([binarise(tree) for tree in toy_trees()], 16)
    made.model.network.train()
    losses = [_loss_of(made, 0, step)[0].item() for step in range(made.steps_per_epoch)]
    assert max(losses) < 3 * min(losses)


def test_a_task_says_what_must_not_change() -> None:
    trees = [binarise(tree) for tree in toy_trees()[:30]]
    same = _task(trees, 4).identity()
    assert _task(trees, 4).identity() == same
    others = [
        _task(trees, 5),
        _task(trees[1:], 4),
        _task(trees, 4, hidden=7),
        _task(trees, 4, valid=toy_trees()[:2]),
        _task(trees, 4, parser=small_parser(trees[:20])),
        _task(trees, 4, objective="softmax"),
    ]
    assert all(other.identity() != same for other in others)


# --- training


class _Killed(Exception):
    """Stands for the end of the process: nothing is saved after it."""


def _broken_run(recipe: Planned, steps: list[int], monkeypatch: pytest.MonkeyPatch) -> int:
    """Run with --resume until it ends; broken off before these steps. Gives how often it was broken off."""
    plain, waiting, broken = ParserTask.batch, list(steps), 0

    def batch(self: ParserTask, epoch: int, step: int) -> Any:
        if waiting and epoch * self.steps_per_epoch + step == waiting[0]:
            del waiting[0]
            raise _Killed
        return plain(self, epoch, step)

    with monkeypatch.context() as patch:
        patch.setattr(ParserTask, "batch", batch)
        while True:
            try:
                train(recipe, Messages())
                return broken
            except _Killed:
                broken += 1


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_broken_run_ends_as_the_unbroken_one(tmp_path: Path, objective: str, monkeypatch: pytest.MonkeyPatch) -> None:
    train(parser_recipe(tmp_path / "whole", objective=objective), Messages())
    assert _broken_run(parser_recipe(tmp_path / "broken", True, objective), [3, 10, 16], monkeypatch) == 3
    files = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "broken")]
    assert files[0] == files[1]
    assert metrics(tmp_path / "whole") == metrics(tmp_path / "broken")
    assert [record["step"] for record in metrics(tmp_path / "whole")] == [5, 10, 15, 20]


@pytest.mark.parametrize(
    "change",
    [{"batch": 8}, {"objective": "softmax"}, {"min_count": 3}, {"valid_share": 0.3}],
    ids=lambda change: next(iter(change)),
)
def test_resume_of_other_data_or_another_network_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    train(parser_recipe(tmp_path, epochs=0.2), Messages())
    with pytest.raises(InputError, match="cannot resume a run of other data or another network"):
        train(parser_recipe(tmp_path, resume=True, epochs=0.4, **change), Messages())


def test_the_last_share_of_the_trees_is_for_validation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[list[Tree]] = []
    plain = task.evaluate

    def evaluate(parser: Parser, trees: list[Tree]) -> Any:
        measured.append(trees)
        return plain(parser, trees)

    monkeypatch.setattr(task, "evaluate", evaluate)
    for share, cut, where in ((0.25, 150, "validation"), (0.0, 0, "training data")):
        display = Messages()
        report = train(parser_recipe(tmp_path / str(share), epochs=0.1, valid_share=share), display)
        assert measured.pop() == list(toy_trees()[cut:])
        assert report["measured_on"] == where
    assert display.text.startswith("200 training trees of 1,856 words, 0 validation trees; ")
    with pytest.raises(InputError, match="no tree is left to train on"):
        one = tmp_path / "one.mrg"
        one.write_text("(S (NN a))", encoding="utf-8")
        train(parser_recipe(tmp_path / "none", trees=(str(one),), valid_share=0.9), Messages())


def test_validation_trees_of_their_own(tmp_path: Path) -> None:
    own = tmp_path / "own.mrg"
    own.write_text("(S (NP (DT the) (NN cat)) (VP (VBD sat)))\n" * 3, encoding="utf-8")
    display = Messages()
    report = train(parser_recipe(tmp_path / "run", epochs=0.1, valid=(str(own),), valid_share=None), display)
    assert display.text.startswith("200 training trees of 1,856 words, 3 validation trees")
    assert (report["sentences"], report["measured_on"]) == (3, "validation")


def test_recipes_are_checked(tmp_path: Path) -> None:
    wrong = {"batch 0": {"batch": 0}, "valid_share 1.0": {"valid_share": 1.0}, "option 'bach'": {"bach": 3}}
    for said, values in wrong.items():
        with pytest.raises(InputError, match=said):
            train(parser_recipe(tmp_path, **values))
    with pytest.raises(InputError, match="preset 'huge': expected one of tiny"):
        train(parser_recipe(tmp_path, preset="huge"))
    assert all(preset.reason for preset in PRESETS.values())


@pytest.mark.parametrize(("objective", "least"), [("stepwise", 95), ("softmax", 95), ("structured", 95)])
def test_the_toy_trees_are_learned(tmp_path: Path, objective: str, least: float) -> None:
    """By the preset of some seconds, in some of them."""
    budget = {"epochs": 18.0, "evaluations": 1, "valid_share": 0.0, "objective": objective}
    report = train(Planned("parser", (), {"out": str(tmp_path), "preset": "tiny", **EXACT, **budget}))
    assert report["labelled"]["f1"] > least
    assert report["unlabelled"]["f1"] > least
    assert report["tag_accuracy"] > 95
    loaded = Parser.load(tmp_path)
    [tree] = loaded.parse(["the", "cat", "sat", "on", "the", "mat"])
    assert tree == toy_trees()[0]
