"""The parser's network in NumPy, for one sentence at a time: what ``ParserNetwork`` computes, without torch.

It has the shipped parsers' kind of network: words and their characters, read by a bidirectional LSTM or not at all, and
any composition but ``rntn``, whose tensor takes NumPy too long.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from seqtree.nn.arrays import ArrayCharacters, ArrayComposition, ArrayLinear, ArrayLSTM, Arrays, Floats, part, wide
from seqtree.nn.config import CLIPPED
from seqtree.parsing.config import ParserNetworkConfig
from seqtree.parsing.decoding import Encoded
from seqtree.text.batches import SentenceBatch
from seqtree.text.lexicon import Ids

Shape = tuple[int, ...]
ZERO = np.array(0.0, np.float32)  # quicker than Python's


class ArraySpanScorer:
    """A ``SpanScorer``; its last layer is never rounded."""

    def __init__(self, arrays: Arrays, rounded: bool) -> None:
        self.hidden = ArrayLinear(part(arrays, "hidden"), rounded) if "hidden.weight" in arrays else None
        self.output = ArrayLinear(part(arrays, "output"))

    def __call__(
        self, vectors: Floats, fences: Floats | None, start: Sequence[int] | Ids, end: Sequence[int] | Ids
    ) -> Floats:
        """Scores (M, outputs) of spans with vectors (M, V) between fences (M,) and (M,) of ``fences`` (F, hidden)."""
        if self.hidden is not None and fences is not None:
            vectors = self.hidden(vectors)
            vectors += fences[end]
            vectors -= fences[start]
            np.maximum(vectors, ZERO, out=vectors)
        return self.output(vectors)


class ArrayNetwork:
    """A ``ParserNetwork`` in NumPy, from its weights by torch's names; ``rounded``: with products in bfloat16."""

    def __init__(self, arrays: Arrays, config: ParserNetworkConfig, rounded: bool) -> None:
        self.config = c = config
        self.vectors = arrays["words.embedding.weight"] if c.words else None
        self.spelling = ArrayCharacters(part(arrays, "words.spelling")) if c.characters else None
        self.encoder = self.fences = None
        if c.encoder != "none":
            self.encoder = ArrayLSTM(part(arrays, "words.encoder"), c.layers, rounded)
            self.fences = ArrayLinear(part(arrays, "fences"), rounded)
        self.leaf = ArrayLinear(part(arrays, "leaf"), rounded)
        self.tagger = ArrayLinear(part(arrays, "tagger"))
        nodes = rounded and c.composition in CLIPPED
        self.composition = ArrayComposition(c.composition, part(arrays, "composition"), nodes)
        self.merge_scorer = ArraySpanScorer(part(arrays, "merge_scorer"), nodes)
        self.label_scorer = ArraySpanScorer(part(arrays, "label_scorer"), nodes)

    def encode(self, batch: SentenceBatch) -> Encoded[Floats]:
        """Leaves, fences and tags of the batch of one sentence."""
        states, merges, labels = self._word_vectors(batch), None, None
        if self.encoder is not None and self.fences is not None:
            states, units = self.encoder(states), self.config.hidden
            seen = np.hstack([states[:-1, :units], states[1:, units:]])  # the word before a fence, and the one after it
            merges, labels = np.hsplit(self.fences(seen), 2)
        words = states[1:-1]
        leaves = self.leaf(wide(words, self.leaf.rounded))
        leaves = np.tanh(leaves) if self.config.composition in ("tanh", "lstm") else np.maximum(leaves, ZERO)
        return Encoded(leaves, merges, labels, self.tagger(words))

    def _word_vectors(self, batch: SentenceBatch) -> Floats:
        """The vectors (T + 2, words + characters) of words, and of the start and the end of the sentence."""
        parts = [] if self.vectors is None else [wide(self.vectors[batch.words[:, 0]])]
        if self.spelling is not None:
            spelled = self.spelling(batch.spellings)[batch.spelled]
            parts.append(np.pad(spelled, ((1, 1), (0, 0))))
        return np.hstack(parts)


def shapes(config: ParserNetworkConfig, words: int, characters: int, tags: int, labels: int) -> dict[str, Shape]:
    """The shapes of an ``ArrayNetwork``'s weights over so many words, characters, tags and labels, by torch's names."""
    c, size = config, config.vector
    found: dict[str, Shape] = {}

    def linear(name: str, outputs: int, inputs: int, bias: bool = True) -> None:
        found[f"{name}.weight"] = (outputs, inputs)
        if bias:
            found[f"{name}.bias"] = (outputs,)

    if c.words:
        found["words.embedding.weight"] = (words, c.words)
    if c.characters:
        found["words.spelling.embedding.weight"] = (characters + 1, c.character_embedding)
        found["words.spelling.convolution.weight"] = (c.characters, c.character_embedding, 3)
        found["words.spelling.convolution.bias"] = (c.characters,)
    if c.encoder != "none":
        linear("fences", 2 * c.scorer, c.output_size, bias=False)
        for layer, way in product(range(c.layers), ("", "_reverse")):
            inputs = c.output_size if layer else c.input_size
            for name, width in (("weight_ih", (inputs,)), ("weight_hh", (c.hidden,)), ("bias_ih", ()), ("bias_hh", ())):
                found[f"words.encoder.{name}_l{layer}{way}"] = (4 * c.hidden, *width)
    linear("leaf", size, c.output_size)
    linear("tagger", max(1, tags), c.output_size)
    lstm = c.composition == "lstm"
    seen = size // 2 if lstm else size
    linear("composition.linear", 5 * seen if lstm else size, size if lstm or c.composition == "max" else 2 * size)
    for name, outputs in (("merge_scorer", 1), ("label_scorer", labels)):
        if c.encoder != "none":
            linear(f"{name}.hidden", c.scorer, seen)
        linear(f"{name}.output", outputs, seen if c.encoder == "none" else c.scorer)
    return found
