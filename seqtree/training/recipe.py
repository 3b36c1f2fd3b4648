"""A recipe: all settings of one training run; and what the options of a command can choose of it. No torch."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Generic, TypeVar

from seqtree.errors import InputError, SettingError
from seqtree.settings import Settings, check_effect, fields_of, overridden
from seqtree.training.settings import BatchSettings, RunSettings, TrainingSettings

R = TypeVar("R", bound="Recipe")
SGD_RATE = 1.0  # without momentum: the highest with which all tasks learn (parsers no more with 3, others best with 10)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The settings of one run, in groups; a task adds groups of its own. ``start`` is the model of --init-from.

    ``passes``: how many times a budget in minutes must have time to see the data before this recipe, a preset, is taken
    without being named; None: never. ``least_steps``, of the default preset: with fewer steps, the preset before it
    learns more. ``fits_epochs``: no budget was given, so few data are read more often, until there are
    ``enough_steps``, but at most ``most_times`` as often as others.
    """

    batch: BatchSettings = field(default_factory=BatchSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    run: RunSettings = field(default_factory=RunSettings)
    start: Any = None
    passes: float | None = None
    least_steps: int = 0
    fits_epochs: bool = False
    enough_steps: int = 2000
    most_times: int = 10

    def start_of(self, kind: str) -> Any:
        """The model of --init-from if it is of this kind, else None."""
        return self.start if self.start is not None and self.start.kind == kind else None

    @property
    def groups(self) -> dict[str, Settings]:
        """The groups of settings by name."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, Settings)}

    def overridden(self: R, options: Mapping[str, Any]) -> R:
        """The recipe with the options that were given (are not None) in the place of its own settings."""
        groups: dict[str, Any] = {name: overridden(group, options) for name, group in self.groups.items()}
        return replace(self, **groups)

    def with_enough_epochs(self: R, steps_per_epoch: int, tell: Callable[[str], object]) -> R:
        """The recipe with as many epochs as few data need, unless a budget was given; ``tell`` is told of more."""
        if not self.fits_epochs:
            return self
        usual = self.training.epochs
        times = min(self.most_times, max(1.0, self.enough_steps / (usual * steps_per_epoch)))
        epochs = math.ceil(usual * times)
        if epochs > usual:
            tell(f"few data ({steps_per_epoch:,} steps a pass): {usual:g} -> {epochs} epochs")
        return replace(self, training=replace(self.training, epochs=float(epochs)), fits_epochs=False)


@dataclass(frozen=True)
class Preset(Generic[R]):
    """A recipe under a name, and when to choose it."""

    reason: str
    recipe: R


@dataclass(frozen=True)
class TrainingOptions(Generic[R]):
    """What ``seqtree TASK train`` can be told: a preset, and every setting of its recipe.

    ``presets`` are given for each variant of the task (the unit of a language model), the default one first.
    ``argument`` names the sources on the command line and in config.json, ``sample`` the embedded corpus that is read
    without any ("": the task has data of its own). ``hidden`` names settings that this task does not have.
    ``shorthands``: options that set several settings at once.
    """

    argument: str
    sample: str
    presets: Mapping[str, Mapping[str, Preset[R]]]
    default: str
    preset_flags: tuple[str, ...] = ("--preset",)
    hidden: tuple[str, ...] = ()
    shorthands: Settings | None = None

    @property
    def names(self) -> set[str]:
        """The names of all options."""
        groups = [*self.variant("").recipe.groups.values(), *([self.shorthands] if self.shorthands else [])]
        return {"preset", *(name for group in groups for name in fields_of(type(group)))} - set(self.hidden)

    def variant(self, variant: str, preset: str | None = None) -> Preset[R]:
        """The preset called so (None: the default one) of a variant ("": the first). Raises InputError."""
        presets = self.presets.get(variant) or next(iter(self.presets.values()))
        try:
            return presets[preset or self.default]
        except KeyError:
            listed = "; ".join(f"{name} ({one.reason})" for name, one in presets.items())
            raise SettingError("preset", f"expected one of {listed}", repr(preset)) from None

    def with_preset(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options, with ``preset`` for another name of it (``model``). Raises InputError if both are given."""
        others = {flag.removeprefix("--") for flag in self.preset_flags} - {"preset"}
        named = {"preset" if name in others else name: value for name, value in options.items()}
        if len(named) < len(options):
            raise InputError(f"{' and '.join(self.preset_flags)} are one option: give one of them")
        return named

    def resolved(self, options: Mapping[str, Any], variant: str = "") -> R:
        """The recipe that the given options choose.

        Raises InputError for a name that is no option, two budgets, and an option without effect beside the others.
        """
        for name in options.keys() - self.names:
            near = difflib.get_close_matches(name, self.names, 1)
            raise InputError(f"there is no option {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        recipe = self.variant(variant, options.get("preset")).recipe.overridden(options)
        if recipe.training.optimizer == "sgd":  # what presets have is for AdamW
            own = {"learning_rate": SGD_RATE * (1 - recipe.training.momentum), "weight_decay": 0.0}
            recipe = replace(recipe, training=overridden(overridden(recipe.training, own), options))
        budgets = [name for name in ("epochs", "minutes") if options.get(name) is not None]
        if len(budgets) > 1:
            raise InputError("--epochs and --minutes are each the whole budget: give one of them")
        given = {name for name, value in options.items() if value}
        if recipe.run.init_from:  # whose shape the network will have
            given -= fields_of(type(recipe.groups["network"])).keys()
        if not recipe.run.resume:  # a run goes on by the command that began it
            check_effect(recipe.groups.values(), given)
        return replace(recipe, fits_epochs=not budgets)
