"""Small translators, and slow, obvious decoders beside the fast one."""

from __future__ import annotations

from itertools import product

import torch

from seqtree.corpora import pairs
from seqtree.translation import Translator
from seqtree.translation.decoding import Hypothesis
from seqtree.translation.network import END, START

PAIRS = pairs.generate("dates", 60)
LETTERS = [("ab", "x"), ("b a", "xy"), ("abba", "yx"), ("a", "yy"), ("cab b", "x y")]
SHAPES = (
    {"cell": "gru", "attention": "multiplicative"},
    {"cell": "lstm", "attention": "additive", "decoder_layers": 2, "layers": 2, "tied": True},
    {"cell": "rnn", "context": "every", "bidirectional": False, "decoder_layers": 2},
    {"cell": "gru", "context": "first"},
)


def translator(given: object = LETTERS, *, unit: str = "char", seed: int = 3, **shape: object) -> Translator:
    """A random translator, in double precision, whose choices are not all alike."""
    small = {"embedding": 5, "hidden": 6, "decoder_layers": 1, "dropout": 0.0, **shape}
    made = Translator.untrained(given, unit=unit, pieces=20, seed=seed, **small)  # type: ignore[arg-type]
    made.network.double()
    made.network.products = None
    with torch.no_grad():
        made.network.output.weight.mul_(4.0)
    return made


@torch.no_grad()
def chances(made: Translator, source: list[str], target: list[int]) -> torch.Tensor:
    """log p (tokens,) of what follows the beginning ``target`` of a target: the whole of it decoded, for one source."""
    memory = made.encoded([source])
    output, _, _ = made.network.decode(memory, torch.tensor([[START], *([token] for token in target)]), memory.first)
    return made.network.output(output[-1, 0]).log_softmax(dim=0)


def probability(made: Translator, source: list[str], target: list[int]) -> float:
    """log p of a target and its end, a step at a time."""
    whole = [*target, END]
    return sum(float(chances(made, source, whole[:n])[token]) for n, token in enumerate(whole))


def greedy(made: Translator, source: list[str], limit: int) -> list[int]:
    """The most probable token at every step, until the end or the limit."""
    found: list[int] = []
    while len(found) + 1 < limit:
        ahead = chances(made, source, found)
        ahead[START] = -torch.inf
        token = int(ahead.argmax())
        if token == END:
            break
        found.append(token)
    return found


def exhaustive(made: Translator, source: list[str], limit: int, penalty: float) -> list[Hypothesis]:
    """Every target of fewer tokens than the limit, best first."""
    tokens = [token for token in range(len(made.target)) if token not in (START, END)]
    targets = [list(one) for length in range(limit) for one in product(tokens, repeat=length)]
    scored = [Hypothesis(one, probability(made, source, one) / (len(one) + 1) ** penalty) for one in targets]
    return sorted(scored, key=lambda one: -one.score)
