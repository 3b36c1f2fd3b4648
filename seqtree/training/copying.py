"""Warm starts: what a new network copies from a trained model or a file of vectors, by the names of tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from seqtree.errors import InputError
from seqtree.nn.network import Network
from seqtree.nn.recurrent import Recurrent
from seqtree.nn.words import WordEncoder
from seqtree.text.lexicon import Lexicon
from seqtree.text.vectors import VectorFile
from seqtree.text.vocabulary import Vocabulary
from seqtree.training.recipe import Recipe
from seqtree.training.start import PLAIN, WithEncoder, spoken

if TYPE_CHECKING:
    from seqtree.language.model import LanguageModel

NOISE = 0.1  # of a new token's initial vector, added to that of <unk>


def start_encoder(words: WordEncoder, lexicon: Lexicon, recipe: Recipe, tell: Callable[[str], object]) -> None:
    """Start a word encoder from what the recipe names, if anything, and ``tell`` what was copied."""
    if recipe.run.vectors is not None:
        tell(start_vectors(words.embedding.weight, lexicon.words, recipe.run.vectors, lexicon.counts))
    elif recipe.start:
        start = start_words if recipe.start.kind == PLAIN else start_whole_encoder
        tell(start(words, lexicon, recipe.start))


@torch.no_grad()
def grow(network: Network, given: Network, unknown: int, bias: str) -> None:
    """Copy the weights of ``given`` into a network of the same shape whose vocabularies begin with its tokens.

    bias: the name of the output bias. New rows, or columns of weights of a one-hot input, start as that of the token
    ``unknown`` plus a little noise, and with the lowest output bias there is: what the network knew of unseen tokens.
    Its classes come first, too; what there is of classes that it does not have stays as it is.
    """
    before = given.state_dict()
    for name, tensor in network.state_dict().items():
        known = before.get(name)
        if known is None:
            continue
        if tensor.shape == known.shape or name == "condition.vectors.weight":
            tensor[: len(known)] = known
        elif name == bias:
            tensor[: len(known)] = known
            tensor[len(known) :] = known.min()
        else:
            rows = tensor.shape[1:] == known.shape[1:]
            _copy_rows(*((tensor, known) if rows else (tensor.t(), known.t())), unknown)


@torch.no_grad()
def start_rest(network: Network, given: Network, apart: tuple[str, ...] = ()) -> None:
    """Copy all weights from a network of the same shape, but for the word encoder and what has a name in ``apart``.

    What it predicts comes first among what ``network`` predicts. All else starts as the mean of that, whose score is
    never the best: random weights, multiplied by what a trained network computes, would outdo what it has learned.
    """
    mine = network.state_dict()
    for name, known in given.state_dict().items():
        if not name.startswith(("words.", *apart)):
            mine[name].copy_(_enlarged(known, mine[name].shape))


@torch.no_grad()
def start_grams(weights: Tensor, known: Tensor, given: Tensor, given_known: Tensor) -> Tensor:
    """Copy the weights (G, K) of a network's n-grams to their rows in ``weights``; returns the numbers (G,) of these.

    known, given_known: the hashes of both networks' n-grams, in order; the former have all of the latter.
    """
    places = torch.searchsorted(known, given_known)
    weights[places] = _enlarged(given, torch.Size((len(places), weights.shape[1])))
    return places


@torch.no_grad()
def start_vectors(weight: Tensor, vocabulary: Vocabulary, path: str, counts: Sequence[int] = ()) -> str:
    """Copy the vectors of a file into the rows (V, E) of a vocabulary's words; says how many were found.

    counts: how often the training data has each word; those that it does not have are told apart. A word that the file
    has only in lower case takes that vector. Raises InputError if the file has none of the training data's words, and
    as ``VectorFile`` does.
    """
    lower: dict[str, list[int]] = {}
    for number, word in enumerate(vocabulary):
        lower.setdefault(word.lower(), []).append(number)
    as_written: set[int] = set()
    found: set[int] = set()
    for word, vector in VectorFile.opened(path).vectors({*vocabulary, *lower}):
        same = {vocabulary.index(word)} if word in vocabulary else set()
        rows = same.union(number for number in lower.get(word, ()) if number not in as_written)
        weight[sorted(rows)] = torch.from_numpy(vector).to(weight)
        as_written |= same
        found |= rows
    more = {row for row in found if counts and not counts[row]}
    own = len(vocabulary) - len(more)
    if found == more:
        raise InputError(f"{path}: none of the {own:,} words of the vocabulary is in it")
    return (
        f"{len(found - more):,} of {own:,} words of the vocabulary start from {path}, "
        f"{len(found - more - as_written):,} of them from the vector in lower case"
        + (f"; {len(more):,} words more are known by it" if more else "")
    )


@torch.no_grad()
def start_words(words: WordEncoder, lexicon: Lexicon, model: LanguageModel) -> str:
    """Copy what fits of a language model into a word encoder whose word vectors are as wide; says what was copied.

    A word that the model knows only in lower case takes that vector. Recurrent layers fit if cell and units are the
    same: the encoder's forward direction then starts as the model, and the backward one as a bidirectional model's. A
    narrower last layer does not fit. Inputs that the model does not have, characters and the other direction, start
    with zero weights.
    """
    known = _copy_known(words.embedding, lexicon.words, model.network.embedding, model.vocabulary)
    return f"{known} words start from the language model, and {_start_layers(words, model)}"


@torch.no_grad()
def start_whole_encoder(words: WordEncoder, lexicon: Lexicon, model: WithEncoder) -> str:
    """Copy the word encoder of a model into one of the same shape; says what was copied.

    Words and characters go by their names; a word that the model knows only in lower case takes that vector. Raises
    InputError if the encoder reads in one direction only.
    """
    theirs, kind = model.network.words, spoken(model)
    if words.config.output_size != theirs.config.output_size:
        what = f"a {kind} reads a sentence from both sides, and so must what starts from it"
        raise InputError(f"--forward: {what}; leave it out")
    mine, given = words.state_dict(), theirs.state_dict()
    for name in given.keys() - {"embedding.weight", "spelling.embedding.weight"}:
        mine[name].copy_(given[name])
    copied = []
    if words.config.words:
        copied.append(f"{_copy_known(words.embedding, lexicon.words, theirs.embedding, model.lexicon.words)} words")
    if words.config.characters:
        found = _copy_known(
            words.spelling.embedding, lexicon.characters, theirs.spelling.embedding, model.lexicon.characters
        )
        copied.append(f"{found} characters")
    return f"{' and '.join(copied)} start from the {kind}, and its whole encoder"


def _enlarged(known: Tensor, shape: torch.Size) -> Tensor:
    """A tensor of a larger shape that begins with ``known``; beyond it is the mean along each axis."""
    for axis, size in enumerate(shape):
        if more := size - known.shape[axis]:
            mean = known.mean(dim=axis, keepdim=True)
            known = torch.cat([known, mean.repeat_interleave(more, dim=axis)], dim=axis)
    return known


def _copy_known(mine: nn.Embedding, tokens: Vocabulary, theirs: nn.Embedding, known: Vocabulary) -> str:
    """Copy the vectors of tokens that both vocabularies have, of words in lower case too; says how many of how many.

    The others start as the vector of ``<unk>`` plus a little noise: as what the network has learned to make of them.
    """
    words = tokens.unit == "word"
    ids = known.encode([token.lower() if words and token not in known else token for token in tokens.tokens])
    new = np.flatnonzero((ids == known.unknown) & (np.arange(len(tokens)) != tokens.unknown))
    noise = NOISE * mine.weight[torch.from_numpy(new)]
    mine.weight[: len(ids)] = theirs.weight[torch.from_numpy(ids)]
    mine.weight[torch.from_numpy(new)] += noise
    return f"{len(tokens) - len(new):,} of {len(tokens):,}"


def _start_layers(words: WordEncoder, model: LanguageModel) -> str:
    mine, theirs = words.config, model.network.config
    if mine.encoder == "none":
        return "no recurrent layer: there is no encoder"
    if (mine.encoder, mine.hidden) != (theirs.cell, theirs.hidden):
        return (
            f"no recurrent layer: its {theirs.cell} of {theirs.hidden} units does not fit "
            f"the encoder's {mine.encoder} of {mine.hidden}"
        )
    sources = {"": model.network.recurrent}
    if theirs.bidirectional:
        sources["_reverse"] = model.network.backward_recurrent
    assert isinstance(words.encoder, Recurrent)
    for direction, source in sources.items():
        for layer in range(min(mine.layers, source.sizes.count(mine.hidden))):
            _start_layer(words.encoder, source, layer, direction)
    return " and ".join({"": "forward", "_reverse": "backward"}[direction] for direction in sources) + " layers"


def _start_layer(encoder: Recurrent, source: Recurrent, layer: int, direction: str) -> None:
    for name in ("weight_hh", "bias_ih", "bias_hh"):
        getattr(encoder, f"{name}_l{layer}{direction}").copy_(getattr(source, f"{name}_l{layer}"))
    weight, begun = (getattr(net, f"weight_ih_l{layer}{end}") for net, end in ((encoder, direction), (source, "")))
    first = encoder.hidden_size if layer and direction else 0  # where its own direction's columns begin
    weight.zero_()
    weight[:, first : first + begun.shape[1]] = begun


def _copy_rows(new: Tensor, known: Tensor, unknown: int) -> None:
    old = len(known)
    new[:old] = known
    new[old:] = known[unknown] + NOISE * new[old:]
