"""Warm starts: the model or file of vectors that a run starts from, and what its recipe takes over from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from seqtree.errors import InputError, SettingError
from seqtree.model import Model, load
from seqtree.tasks import TASKS, holds
from seqtree.text.lexicon import NOTHING, Known
from seqtree.text.vectors import VectorFile
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

    Raises SettingError if the options ask for others.
    """
    recipe = replace(recipe, start=start)
    for group, values in groups.items():
        for name, value in values.items():
            if options.get(name) not in (None, value):
                raise SettingError(name, f"with --init-from it is the {spoken(start)}'s, {value}", options[name])
        recipe = _changed(recipe, group, values)
    return recipe


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
    path = recipe.run.init_from
    if model.vocabulary.unit != "word":
        raise InputError(f"{path}: expected a language model over words, not over characters (train: --unit word)")
    if model.network.config.one_hot:
        raise InputError(f"{path}: a language model with --one-hot has no word vectors to start from")
    return Known(model.vocabulary.tokens)


def _changed(recipe: R, group: str, values: Mapping[str, Any]) -> R:
    """A recipe with these settings in one of its groups."""
    changes: Any = {group: replace(recipe.groups[group], **values)}
    return replace(recipe, **changes)


def spoken(start: Model[Any]) -> str:
    """What kind of a model a start is, in words."""
    return start.kind.replace("-", " ")


def _shape(start: Start) -> dict[str, Any]:
    """The settings of a word encoder that are those of the model from which it starts."""
    config: Any = start.network.config
    return {"words": config.embedding} if start.kind == PLAIN else {name: getattr(config, name) for name in SHAPE}
