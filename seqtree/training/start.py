"""Warm starts: what a new network takes over from a trained model or a file of vectors, by the names of tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn

from seqtree.errors import InputError
from seqtree.model import Model, load
from seqtree.nn.network import Network
from seqtree.nn.recurrent import Recurrent
from seqtree.nn.words import WordEncoder
from seqtree.tasks import TASKS, holds
from seqtree.text.lexicon import NOTHING, Known, Lexicon
from seqtree.text.vectors import VectorFile
from seqtree.text.vocabulary import Vocabulary
from seqtree.training.recipe import Recipe
from seqtree.wording import a

if TYPE_CHECKING:
    from seqtree.classification.model import Classifier
    from seqtree.language.model import LanguageModel
    from seqtree.masked.model import MaskedLanguageModel
    from seqtree.parsing.model import Parser
    from seqtree.tagging.model import Tagger
    from seqtree.trees.model import TreeClassifier

R = TypeVar("R", bound=Recipe)
WithEncoder: TypeAlias = "MaskedLanguageModel | Parser | Tagger | Classifier | TreeClassifier"
Start: TypeAlias = "LanguageModel | WithEncoder"
PLAIN = TASKS["lm"].kind  # the only kind of a start without a word encoder
KINDS = (PLAIN, TASKS["words"].kind, TASKS["parser"].kind)  # of what any task may start from, besides its own kind
SHAPE = ("encoder", "words", "characters", "character_embedding", "subwords", "pairs", "layers", "hidden")
NOISE = 0.1  # of a new token's initial vector, added to that of <unk>


@torch.no_grad()
def grow(network: Network, given: Network, unknown: int, tables: tuple[str, ...], bias: str) -> None:
    """Copy the weights of ``given`` into a network of the same shape whose vocabularies begin with its tokens.

    tables, bias: the modules with a row for each token, and the name of the output bias. New rows start as that of the
    token ``unknown`` plus a little noise, and with the lowest output bias there is: what the network knew of unseen
    tokens. Its classes come first, too; what there is of classes that it does not have stays as it is.
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
        elif name.startswith(tables):
            _copy_rows(tensor, known, unknown)
        else:  # one-hot input: a column of weight_ih for every token
            _copy_rows(tensor.t(), known.t(), unknown)


def start_model(path: str, kind: str) -> Start:
    """The model that --init-from names, of ``kind`` or of ``KINDS``. Raises InputError for another, ModelFileError."""
    model, kinds = load(path), tuple(dict.fromkeys((*KINDS, kind)))
    if model.kind not in kinds:
        expected = " or ".join((", ".join(map(a, kinds[:-1])), a(kinds[-1])))
        raise InputError(f"{path}: {holds(model.kind)}, expected {expected}")
    return cast(Start, model)


def vector_width(options: Mapping[str, Any], name: str) -> int:
    """How wide the vectors of the option ``vectors`` are; ``name``: the option of the width of the network's own.

    Raises InputError if that is another, if there is another start, and as ``VectorFile`` does.
    """
    if options.get("init_from") is not None:
        raise InputError("a run starts from --init-from or from --vectors, not from both")
    path, asked = options["vectors"], options.get(name)
    width = VectorFile.opened(path).width
    if asked not in (None, width):
        raise InputError(f"{path}: its vectors have {width:,} numbers; expected {asked:,}, as --{name} says")
    return width


def with_start(recipe: R, options: Mapping[str, Any], kind: str, **own: Sequence[str]) -> R:
    """A recipe with a word encoder, its shape that of the model from which it starts, if any.

    kind: of the model that is trained. own: settings, besides those of the word encoder, that are the start's if it is
    of this kind, by the name of their group: those of the network, and others that are the model's own attributes.
    Raises InputError if another shape was asked for, and as ``start_model`` and ``VectorFile`` do.
    """
    if recipe.run.vectors is not None:
        return _changed(recipe, "network", {"words": vector_width(options, "words")})
    if recipe.run.init_from is None:
        return recipe
    start = start_model(recipe.run.init_from, kind)
    groups = {"network": _shape(start)}
    for group, names in own.items() if start.kind == kind else ():
        holder = start.network.config if group == "network" else start
        groups.setdefault(group, {}).update({name: getattr(holder, name) for name in names})
    return taken_over(recipe, start, options, groups)


def taken_over(recipe: R, start: Model[Any], options: Mapping[str, Any], groups: Mapping[str, Mapping[str, Any]]) -> R:
    """A recipe that starts from a model and has these of its settings, by their groups.

    Raises InputError if the options ask for others.
    """
    recipe = replace(recipe, start=start)
    for group, values in groups.items():
        for name, value in values.items():
            if options.get(name) not in (None, value):
                raise InputError(f"{name} {options[name]}: with init_from it is the {_spoken(start)}'s, {value}")
        recipe = _changed(recipe, group, values)
    return recipe


def _changed(recipe: R, group: str, values: Mapping[str, Any]) -> R:
    """A recipe with these settings in one of its groups."""
    changes: Any = {group: replace(recipe.groups[group], **values)}
    return replace(recipe, **changes)


def _spoken(start: Model[Any]) -> str:
    """What kind of a model a start is, in words."""
    return start.kind.replace("-", " ")


def _shape(start: Start) -> dict[str, Any]:
    """The settings of a word encoder that are those of the model from which it starts."""
    config: Any = start.network.config
    return {"words": config.embedding} if start.kind == PLAIN else {name: getattr(config, name) for name in SHAPE}


def known_before(recipe: Recipe) -> Known:
    """What a word encoder knows from its start, whether the training data has it or not.

    These are the words of the model, with the characters of one that has a word encoder, or the first words of the file
    of vectors. Raises InputError for a language model that has no words, or no vectors of them.
    """
    if recipe.run.vectors is not None:
        return Known(VectorFile.opened(recipe.run.vectors).first(recipe.run.vector_words))
    if recipe.start is None:
        return NOTHING
    if recipe.start.kind != PLAIN:
        return Known(recipe.start.lexicon.words.tokens, recipe.start.lexicon.characters.tokens, first=True)
    model: LanguageModel = recipe.start
    if model.vocabulary.unit != "word":
        raise InputError(
            "a word encoder starts from a language model over words, not over characters: train one with --unit word"
        )
    if model.network.config.one_hot:
        raise InputError("a language model with --one-hot has no word vectors to start from")
    return Known(model.vocabulary.tokens)


def start_encoder(words: WordEncoder, lexicon: Lexicon, recipe: Recipe, tell: Callable[[str], object]) -> None:
    """Start a word encoder from what the recipe names, if anything, and ``tell`` what was copied."""
    if recipe.run.vectors is not None:
        tell(start_vectors(words.embedding.weight, lexicon.words, recipe.run.vectors, lexicon.counts))
    elif recipe.start:
        start = start_words if recipe.start.kind == PLAIN else start_whole_encoder
        tell(start(words, lexicon, recipe.start))


@torch.no_grad()
def start_rest(network: Network, given: Network, apart: tuple[str, ...] = ()) -> None:
    """Copy all weights but those of the word encoder, and of modules ``apart``, from a network of the same shape.

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


def _enlarged(known: Tensor, shape: torch.Size) -> Tensor:
    """A tensor of a larger shape that begins with ``known``; beyond it is the mean along each axis."""
    for axis, size in enumerate(shape):
        if more := size - known.shape[axis]:
            mean = known.mean(dim=axis, keepdim=True)
            known = torch.cat([known, mean.repeat_interleave(more, dim=axis)], dim=axis)
    return known


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
    narrower last layer does not fit.
    Inputs that the model does not have, characters and the other direction, start with zero weights.
    """
    known = _copy_known(words.embedding, lexicon.words, model.network.embedding, model.vocabulary)
    return f"{known} words start from the language model, and {_start_layers(words, model)}"


@torch.no_grad()
def start_whole_encoder(words: WordEncoder, lexicon: Lexicon, model: WithEncoder) -> str:
    """Copy the word encoder of a model into one of the same shape; says what was copied.

    Words and characters go by their names; a word that the model knows only in lower case takes that vector. Raises
    InputError if the encoder reads in one direction only.
    """
    theirs, kind = model.network.words, _spoken(model)
    if words.config.output_size != theirs.config.output_size:
        raise InputError(f"a {kind} reads a sentence from both sides; so must what starts from it")
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
