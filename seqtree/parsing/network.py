"""The parser's network: leaves that see their sentence, the recursive composition, scores of merges and labels.

The chapters' parser (chapter 7; Socher, Lin, Ng and Manning 2011) is ``encoder="none"``: a leaf is its word's vector
and a merge scores s = u . p. With a recurrent encoder each leaf sees its whole sentence, and a merge is scored from its
composed vector and its span's difference of encoder states (Stern, Andreas and Klein 2017) together.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqtree.nn.arrays import ArrayComposition, Arrays
from seqtree.nn.casting import kept, product
from seqtree.nn.config import CLIPPED
from seqtree.nn.dropout import dropout_mask
from seqtree.nn.network import Network
from seqtree.nn.recursive import Composition
from seqtree.nn.words import WordEncoder, rows
from seqtree.parsing.arrays import ArraySpanScorer
from seqtree.parsing.config import ParserNetworkConfig
from seqtree.parsing.decoding import Encoded
from seqtree.parsing.spans import Spans, fence_numbers, fence_spans
from seqtree.text.batches import SentenceBatch
from seqtree.text.lexicon import Ids, Lexicon


class SpanScorer(nn.Module):
    """Scores of spans from their vectors (M, V) and their fences: (M, outputs).

    With a hidden layer: U relu(W p + F[end] - F[start] + b) + c, where F are the fences' parts; without, U p + c. All
    spans of a sentence have the same hidden units dropped, so that their scores compare.
    """

    def __init__(self, vector: int, hidden: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.hidden = nn.Linear(vector, hidden) if hidden else None
        self.output = nn.Linear(hidden or vector, outputs)

    def forward(
        self,
        vectors: Tensor,
        fences: Tensor | None,
        start: Tensor,
        end: Tensor,
        sentence: Tensor,
        sentences: int,
        dtype: torch.dtype | None,
    ) -> Tensor:
        if self.hidden is not None and fences is not None:
            units = product(self.hidden, vectors, dtype).to(fences.dtype)
            vectors = units.add_(rows(fences, end)).sub_(rows(fences, start)).relu_()
            if self.training and self.dropout:
                masks = dropout_mask((sentences, vectors.shape[1]), self.dropout, vectors)
                vectors = vectors * rows(masks, sentence)
        scores: Tensor = self.output(vectors.to(self.output.weight.dtype))  # (M, outputs)
        return scores


class ParserNetwork(Network):
    """Encodes sentences; composes and scores spans. The decoders and the objectives decide which.

    ``products`` is the type in which the encoder and the larger products compute (None: that of the weights).
    """

    config: ParserNetworkConfig

    def __init__(self, lexicon: Lexicon, tags: int, labels: int, config: ParserNetworkConfig) -> None:
        super().__init__()
        self.config = c = config
        self.words = WordEncoder(lexicon, config)
        hidden = 0
        if c.encoder != "none":
            hidden = c.scorer
            self.fences = nn.Linear(c.output_size, 2 * c.scorer, bias=False)
        self.leaf = nn.Linear(c.output_size, c.vector)
        self.composition = Composition(c.composition, c.vector)
        seen = self.composition.output_size
        self.merge_scorer = SpanScorer(seen, hidden, 1, c.dropout)
        self.label_scorer = SpanScorer(seen, hidden, labels, c.dropout)
        self.tagger = nn.Linear(c.output_size, max(1, tags))

    def encode(self, batch: SentenceBatch) -> Encoded[Tensor]:
        """Leaves, fences and tags of a batch."""
        words, states = self.words(batch, self.products)
        merges, labels = (None, None) if states is None else self._fence_parts(batch, states)
        return Encoded(self._leaves(words), merges, labels, self.tagger(words))

    def score_merges(self, encoded: Encoded[Tensor], batch: SentenceBatch, vectors: Tensor, spans: Spans) -> Tensor:
        """The scores (k,) of making nodes of these spans, whose vectors (k, V) are composed."""
        return self._score(self.merge_scorer, encoded.merges, batch, vectors, spans)[:, 0]

    def score_labels(self, encoded: Encoded[Tensor], batch: SentenceBatch, vectors: Tensor, spans: Spans) -> Tensor:
        """The logits (k, labels) of the labels of spans with vectors (k, V)."""
        return self._score(self.label_scorer, encoded.labels, batch, vectors, spans)

    def merging(self, dtype: torch.dtype) -> tuple[ArrayComposition, ArraySpanScorer]:
        """Composition and scores of merges in NumPy, as for nodes of that type: on the memory of weights, or a copy."""
        parts = self.composition, self.merge_scorer

        def make() -> tuple[ArrayComposition, ArraySpanScorer]:
            (composition, scorer), rounded = map(_arrays, parts), dtype == torch.bfloat16
            return ArrayComposition(self.config.composition, composition, rounded), ArraySpanScorer(scorer, rounded)

        return kept(tuple(weight for part in parts for weight in part.parameters()), ("merging", dtype), make)

    def ids(self, numbers: Ids) -> Tensor:
        """Numbers as a tensor on the network's device."""
        return self.words.ids(numbers)

    def _score(
        self, scorer: SpanScorer, fences: Tensor | None, batch: SentenceBatch, vectors: Tensor, spans: Spans
    ) -> Tensor:
        start, end = (self.ids(fence_numbers(batch, spans.sentence, place)) for place in (spans.start, spans.end))
        dtype = self.products if self.training else None
        seen = self.composition.output(vectors)
        sentence = self.ids(spans.sentence)
        scores: Tensor = scorer(seen, fences, start, end, sentence, len(batch.lengths), dtype)
        return scores

    def _fence_parts(self, batch: SentenceBatch, states: Tensor) -> tuple[Tensor, Tensor]:
        """What each fence adds to the scores of merges and of labels, (N + B, scorer) each."""
        units, sentences, fences = self.config.hidden, len(batch.lengths), fence_spans(batch)
        before = self.ids(fences.start * sentences + fences.sentence)  # the word before; a row on is the one after
        seen = torch.cat([rows(states[:, :units], before), rows(states[:, units:], before + sentences)], dim=1)
        parts = product(self.fences, seen, self.products).to(self.fences.weight.dtype)
        merges, labels = parts.split(self.config.scorer, dim=1)
        return merges, labels

    def _leaves(self, inner: Tensor) -> Tensor:
        leaves = product(self.leaf, inner, self.products)
        if self.config.composition in ("tanh", "lstm"):
            return leaves.tanh()
        rounded = self.products if self.config.composition in CLIPPED and not self.training else None
        return leaves.relu().to(rounded or leaves.dtype)


def _arrays(module: nn.Module) -> Arrays:
    """The weights of a module as arrays on the same memory."""
    return {name: weight.detach().numpy() for name, weight in module.named_parameters()}
