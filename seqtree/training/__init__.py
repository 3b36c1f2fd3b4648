"""Training: one run for every task, the loop, its settings, checkpoints and progress."""

from typing import TYPE_CHECKING

from seqtree.lazy import lazy

if TYPE_CHECKING:
    from seqtree.training.fit import train as train
    from seqtree.training.loop import Trainer as Trainer
    from seqtree.training.progress import Display as Display
    from seqtree.training.recipe import Preset as Preset, Recipe as Recipe, TrainingOptions as TrainingOptions
    from seqtree.training.settings import (
        BatchSettings as BatchSettings,
        RunSettings as RunSettings,
        TrainingSettings as TrainingSettings,
        ValidationSettings as ValidationSettings,
    )
    from seqtree.training.task import Task as Task
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "fit": "train",
            "loop": "Trainer",
            "progress": "Display",
            "recipe": "Preset Recipe TrainingOptions",
            "settings": "BatchSettings RunSettings TrainingSettings ValidationSettings",
            "task": "Task",
        },
    )
