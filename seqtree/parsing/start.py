"""Starting a parser from a language model over words: its words, their vectors, and those recurrent layers that fit."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch

from seqtree.errors import InputError
from seqtree.language.model import LanguageModel
from seqtree.nn.recurrent import Recurrent
from seqtree.parsing.model import Parser


def checked_words(model: LanguageModel) -> Iterable[str]:
    """The words of a language model from which a parser can start; raises InputError if it has none, or no vectors."""
    if model.vocabulary.unit != "word":
        raise InputError(
            "a parser starts from a language model over words, not over characters: train one with --unit word"
        )
    if model.network.config.one_hot:
        raise InputError("a language model with --one-hot has no word vectors for a parser to start from")
    return model.vocabulary.tokens


@torch.no_grad()
def start_from(parser: Parser, model: LanguageModel) -> str:
    """Copy what fits of a language model into an untrained parser, whose word vectors are as wide; says what was.

    A word that the model knows only in lower case takes that vector. Recurrent layers fit if kind and units are the
    same: the parser's forward direction then begins as the model, and the backward one as a bidirectional model's. What
    is new to them, characters and the other direction, has no weight at first.
    """
    words, theirs = parser.lexicon.words.tokens, model.vocabulary
    ids = theirs.encode([word if word in theirs else word.lower() for word in words])
    known = np.flatnonzero((ids != theirs.unknown) | (np.arange(len(words)) == parser.lexicon.words.unknown))
    weight = parser.network.embedding.weight
    weight[torch.from_numpy(known)] = model.network.embedding.weight[torch.from_numpy(ids[known])]
    return f"{len(known):,} of {len(words):,} words start from the language model, and {_start_layers(parser, model)}"


def _start_layers(parser: Parser, model: LanguageModel) -> str:
    mine, theirs = parser.network.config, model.network.config
    if mine.encoder == "none":
        return "no recurrent layer: the parser has none"
    if (mine.encoder, mine.hidden) != (theirs.cell, theirs.hidden):
        return (
            f"no recurrent layer: its {theirs.cell} of {theirs.hidden} units does not fit "
            f"the parser's {mine.encoder} of {mine.hidden}"
        )
    sources = {"": model.network.recurrent}
    if theirs.bidirectional:
        sources["_reverse"] = model.network.backward_recurrent
    for direction, source in sources.items():
        for layer in range(min(mine.layers, theirs.layers)):
            _start_layer(parser.network.encoder, source, layer, direction)
    return " and ".join({"": "forward", "_reverse": "backward"}[direction] for direction in sources) + " layers"


def _start_layer(encoder: Recurrent, source: Recurrent, layer: int, direction: str) -> None:
    for name in ("weight_hh", "bias_ih", "bias_hh"):
        getattr(encoder, f"{name}_l{layer}{direction}").copy_(getattr(source, f"{name}_l{layer}"))
    weight, begun = (getattr(net, f"weight_ih_l{layer}{end}") for net, end in ((encoder, direction), (source, "")))
    first = encoder.hidden_size if layer and direction else 0  # where its own direction's columns begin
    weight.zero_()
    weight[:, first : first + begun.shape[1]] = begun
