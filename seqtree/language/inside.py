"""What the units of a recurrent language model do over a text: states and gates, step by step, and what units follow.

The values are those of the formulas of chapters 5 and 6: a simple network has h; an LSTM i, f, g, o, the state ``c'``
before and c after, and h; a GRU r, z, the candidate n, the state ``h'`` before, and h.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from seqtree.language.batches import shift_inputs
from seqtree.language.model import LanguageModel
from seqtree.language.network import RecurrentLanguageModel
from seqtree.language.prompts import known_tokens
from seqtree.nn.recurrent import State

Values = npt.NDArray[np.float32]
BRACKETS = {"(": ")", "[": "]", "{": "}", "-LRB-": "-RRB-", "-LSB-": "-RSB-", "-LCB-": "-RCB-"}
QUOTES = {'"': '"', "“": "”", "„": "“", "«": "»", "``": "''"}


def steps_of_layers(model: LanguageModel, text: str) -> tuple[list[str], list[dict[str, Values]]]:
    """The tokens of ``text``, and of every layer its values (T, H) after each of the T tokens was read.

    Unknown tokens are read as ``<unk>``. Raises InputError for a bidirectional model.
    """
    model.needs_forward("be looked into step by step")
    network, vocabulary = model.network.eval(), model.vocabulary
    tokens = model.part_tokens(text)
    ids = known_tokens(vocabulary, tokens, "map")
    if not ids:
        return [], [{} for _ in range(network.config.layers)]
    inputs = shift_inputs(torch.tensor([vocabulary.start, *ids]), vocabulary)
    begins = [0] + [t + 1 for t, token in enumerate(ids) if model.settings.lines and token == vocabulary.end]
    with torch.inference_mode():
        layers = list(_layers(network, inputs.to(model.device), begins, model.label))
    return tokens, [{name: part[1:].cpu().numpy() for name, part in one.items()} for one in layers]


def _layers(
    network: RecurrentLanguageModel, ids: Tensor, begins: Sequence[int], label: int | None
) -> Iterator[dict[str, Tensor]]:
    """The values of each layer, (T, H), for texts of this class; at the steps ``begins`` a text begins."""
    input, recurrent = network.embed(ids[:, None]), network.recurrent
    state: State | None = None
    if label is not None:
        input, state = network.condition(torch.tensor([label], device=ids.device), input, None)
    x, state = input[:, 0], state or recurrent.zero_state(1, input)
    step = {"lstm": _lstm, "gru": _gru, "rnn": _simple}[recurrent.cell]
    activation = torch.relu if recurrent.nonlinearity == "relu" else torch.tanh
    for layer in range(recurrent.layers):
        w_ih, w_hh, b_ih, b_hh = (
            getattr(recurrent, f"{name}_l{layer}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        found: list[dict[str, Tensor]] = []
        h, c = (part[layer, 0, : recurrent.sizes[layer]] for part in (state[0], state[-1]))
        for t, net in enumerate(F.linear(x, w_ih, b_ih)):
            before = {"h": h, "c": c} if t in begins else found[-1]
            found.append(step(net, F.linear(before["h"], w_hh, b_hh), before["h"], before.get("c", c), activation))
        yield {name: torch.stack([one[name] for one in found]) for name in found[0]}
        x = torch.stack([one["h"] for one in found])


Activation = Callable[[Tensor], Tensor]


def _lstm(x: Tensor, r: Tensor, h: Tensor, c: Tensor, activation: Activation) -> dict[str, Tensor]:
    i, f, g, o = (x + r).chunk(4)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    after = f * c + i * g
    return {"i": i, "f": f, "g": g, "o": o, "c'": c, "c": after, "h": o * after.tanh()}


def _gru(x: Tensor, r: Tensor, h: Tensor, c: Tensor, activation: Activation) -> dict[str, Tensor]:
    (x_r, x_z, x_n), (h_r, h_z, h_n) = x.chunk(3), r.chunk(3)
    reset, z = (x_r + h_r).sigmoid(), (x_z + h_z).sigmoid()
    n = (x_n + reset * h_n).tanh()
    return {"r": reset, "z": z, "n": n, "h'": h, "h": (1 - z) * n + z * h}


def _simple(x: Tensor, r: Tensor, h: Tensor, c: Tensor, activation: Activation) -> dict[str, Tensor]:
    return {"h'": h, "h": activation(x + r)}


def _between(tokens: Sequence[str], pairs: dict[str, str]) -> list[float]:
    """How deep each token lies between opening and closing ones, which count as within."""
    open_: list[str] = []
    depths = []
    for token in tokens:
        closing = bool(open_) and token == open_[-1]
        if not closing and token in pairs:
            open_.append(pairs[token])
        depths.append(float(len(open_)))
        if closing:
            open_.pop()
    return depths


def _since(tokens: Sequence[str], ends: Callable[[str], bool]) -> list[float]:
    """How many tokens each one comes after the last that ``ends``."""
    counts, count = [], 0
    for token in tokens:
        counts.append(float(count))
        count = 0 if ends(token) else count + 1
    return counts


FEATURES: dict[str, Callable[[Sequence[str]], list[float]]] = {
    "brackets": lambda tokens: _between(tokens, BRACKETS),
    "quotes": lambda tokens: _between(tokens, QUOTES),
    "line": lambda tokens: _since(tokens, lambda token: token in ("\n", "</s>")),
    "word": lambda tokens: _since(tokens, str.isspace),
    "capital": lambda tokens: [float(token[:1].isupper()) for token in tokens],
    "digit": lambda tokens: [float(token[:1].isdigit()) for token in tokens],
}


def following(tokens: Sequence[str], states: Values, feature: str, count: int) -> list[tuple[int, float]]:
    """The ``count`` units whose ``states`` (T, H) go with a feature of the text most closely: (unit, correlation).

    The correlation is Pearson's r over the tokens; a feature that is the same at every token goes with no unit, and
    neither does anything with a unit that is always the same.
    """
    wanted = np.array(FEATURES[feature](tokens))
    wanted, units = wanted - wanted.mean(), states.astype(np.float64) - states.mean(axis=0)
    lengths = np.sqrt((wanted**2).sum() * (units**2).sum(axis=0))
    r = np.divide(wanted @ units, lengths, out=np.zeros(len(lengths)), where=lengths > 1e-9)
    order = np.argsort(-np.abs(r), kind="stable")[:count]
    return [(int(unit), float(r[unit])) for unit in order if r[unit]]
