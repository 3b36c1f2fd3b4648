"""The table of tasks: a new task is one row here. No torch: rows are names, imported when they are used."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from seqtree.wording import a


@dataclass(frozen=True)
class TaskEntry:
    """A task: the kind of its model files, and where its model, its task and its options are (``module:name``).

    ``use`` names the commands for a model of this kind.
    """

    kind: str
    model: str
    task: str
    options: str
    use: str


TASKS = {
    "lm": TaskEntry(
        kind="language-model",
        model="seqtree.language.model:LanguageModel",
        task="seqtree.language.task:LanguageModelTask",
        options="seqtree.language.config:OPTIONS",
        use="seqtree lm",
    ),
    "parser": TaskEntry(
        kind="parser",
        model="seqtree.parsing.model:Parser",
        task="seqtree.parsing.task:ParserTask",
        options="seqtree.parsing.config:OPTIONS",
        use="seqtree parse, or seqtree parser eval",
    ),
    "tag": TaskEntry(
        kind="tagger",
        model="seqtree.tagging.model:Tagger",
        task="seqtree.tagging.task:TagTask",
        options="seqtree.tagging.config:OPTIONS",
        use="seqtree tag",
    ),
    "classify": TaskEntry(
        kind="classifier",
        model="seqtree.classification.model:Classifier",
        task="seqtree.classification.task:ClassifyTask",
        options="seqtree.classification.config:OPTIONS",
        use="seqtree classify",
    ),
    "words": TaskEntry(
        kind="masked-language-model",
        model="seqtree.masked.model:MaskedLanguageModel",
        task="seqtree.masked.task:MaskedTask",
        options="seqtree.masked.config:OPTIONS",
        use="seqtree words",
    ),
    "image": TaskEntry(
        kind="image-classifier",
        model="seqtree.images.model:ImageClassifier",
        task="seqtree.images.task:ImageTask",
        options="seqtree.images.config:OPTIONS",
        use="seqtree image",
    ),
    "tree": TaskEntry(
        kind="tree-classifier",
        model="seqtree.trees.model:TreeClassifier",
        task="seqtree.trees.task:TreeTask",
        options="seqtree.trees.config:OPTIONS",
        use="seqtree tree",
    ),
    "scene": TaskEntry(
        kind="scene-parser",
        model="seqtree.scenes.model:SceneParser",
        task="seqtree.scenes.task:SceneTask",
        options="seqtree.scenes.config:OPTIONS",
        use="seqtree scene",
    ),
    "translate": TaskEntry(
        kind="translator",
        model="seqtree.translation.model:Translator",
        task="seqtree.translation.task:TranslationTask",
        options="seqtree.translation.config:OPTIONS",
        use="seqtree translate",
    ),
}


def named(place: str) -> Any:
    """What ``module:name`` stands for."""
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def holds(kind: str) -> str:
    """``holds a parser (for seqtree parse, or seqtree parser eval)``, of a model file."""
    uses = next((entry.use for entry in TASKS.values() if entry.kind == kind), "")
    if kind == "checkpoint":
        uses = "--resume in its run folder; the model is model.safetensors beside it"
    return f"holds {a(kind)}" + (f" (for {uses})" if uses else "")
