"""Options that several commands share, and those that come from settings; what commands print at their end."""

from __future__ import annotations

import gc
import math
import os
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from seqtree import processes
from seqtree.errors import InputError, ModelFileError, SeqtreeError
from seqtree.escapes import json_line, one_line
from seqtree.files import behind_links, write_atomically
from seqtree.lazy import without
from seqtree.settings import Field, Settings, fields_of
from seqtree.shipped import default_parser

if TYPE_CHECKING:
    from seqtree.drawing.charts import Chart
    from seqtree.model import Model
    from seqtree.parsing.array_parser import ArrayParser
    from seqtree.training.recipe import TrainingOptions

TRACING = "torch._meta_registrations"
PARSER_VARIABLE = "SEQTREE_PARSER"  # names the parser where no option does
Formats = Mapping[str, Callable[[], object]]
SVG: Formats = {".svg": lambda: None}
Command = TypeVar("Command", bound=Callable[..., Any])


class _File(click.Path):
    """A path, which shells complete and the library checks, but for an empty one: the working folder was not meant.

    empty: what is said of one.
    """

    def __init__(self, empty: str) -> None:
        super().__init__(readable=False, allow_dash=True)
        self.empty = empty

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        if value == "":
            self.fail(self.empty, parameter, context)
        return super().convert(value, parameter, context)


class NumberRange(click.FloatRange):
    """A number in a range. Unlike click's, no range has nan in it."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        number = super().convert(value, parameter, context)
        if math.isnan(number):
            self.fail("nan is in no range.", parameter, context)
        return number


FILE = _File("an empty name; expected a file or a folder")
TEXT_OR_FILE = _File("an empty text; expected a text or a file")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else on stdout.")
json_lines_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a text.")
device_option = click.option("--device", default="auto", help="Where to compute: auto, cpu, cuda, cuda:1 or mps.")
precision_option = click.option(
    "--precision",
    type=click.Choice(["auto", "fp32", "bf16"]),
    default="auto",
    help="Number format of the larger products; auto takes bfloat16 where the processor has it.",
)
threads_option = click.option("--threads", type=click.IntRange(1, 4096), help="CPU threads.  [default: all cores]")
encoding_option = click.option("--encoding", default="utf-8", help="Encoding of the text files.")
condition_option = click.option(
    "--condition", metavar="LABEL", help="The class of every text, for a model that was trained with --condition."
)
quiet_option = click.option("--quiet", "-q", is_flag=True, help="Show no progress on stderr.")


def was_given(name: str) -> bool:
    """Whether the running command was given a value of this option."""
    return click.get_current_context().get_parameter_source(name) is not click.core.ParameterSource.DEFAULT


class TextCommand(click.Command):
    """A command whose last argument is a text: an error says how to write one that begins with a dash.

    Such a text is read as an option: ``- yes`` as one that does not exist, ``-more words`` as ``-m`` with a value. An
    error of any kind may come of that.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given = args[: args.index("--")] if "--" in args else args
        options = [one for one in self.get_params(ctx) if isinstance(one, click.Option)]
        known = {name for one in options for name in one.opts + one.secondary_opts}
        valued = {name for one in options for name in one.opts if not one.is_flag}
        free = [arg for arg, before in zip(given, ["", *given], strict=False) if before not in valued]
        ctx.meta[__name__] = any(arg.startswith("-") and arg != "-" and arg.split("=")[0] not in known for arg in free)
        with self._hinting(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        with self._hinting(ctx):
            return super().invoke(ctx)

    @contextmanager
    def _hinting(self, ctx: click.Context) -> Iterator[None]:
        try:
            yield
        except (click.UsageError, InputError) as error:
            if not ctx.meta[__name__]:
                raise
            *others, text = [one for one in self.params if isinstance(one, click.Argument)]
            names = [(one.metavar or one.name or "").strip("[].").upper() for one in (*others, text)]
            example = " ".join([ctx.command_path, *names[:-1], "-- '- yes'"])
            hint = f"For a {names[-1]} that begins with a dash, write -- before it: {example}"
            if isinstance(error, InputError):
                raise InputError(f"{error}. {hint}") from error
            raise click.UsageError(f"{error.format_message().removesuffix('.')}. {hint}", ctx) from None


def training_options(options: TrainingOptions[Any]) -> Callable[[Command], Command]:
    """What gives a command every option of a task: presets, settings, and what it prints."""
    groups = options.variant("").recipe.groups
    last = ["batch", "training", "run"]
    found = [_preset_option(options)]
    for group in [*(name for name in groups if name not in last), *last]:
        for field in fields_of(type(groups[group])).values():
            if field.about.help and field.name not in options.hidden:
                found.append(settings_option(field, _default(options, group, field)))
    if options.shorthands:
        found += [settings_option(field, "") for field in fields_of(type(options.shorthands)).values()]
    return with_options([*found, quiet_option, json_option])


def picture_option(
    option: str, shows: str, formats: Formats = SVG, required: bool = False
) -> Callable[[Command], Command]:
    """The option that names a picture to write; before anything else is done, it is checked that it can be.

    shows: what is in the picture, with which the option's help begins. formats: by the endings of its files, what they
    need: a function that raises InputError if it is not there.
    """

    def checked(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
        if path is not None:
            check_picture(option, path, formats)
        return path

    return click.option(
        option,
        type=click.Path(path_type=Path),
        metavar="FILE",
        callback=checked,
        required=required,
        help=f"{shows}: {_either(formats)}.",
    )


def check_picture(option: str, path: Path, formats: Formats = SVG) -> None:
    """Raises InputError unless a picture with one of these endings can be written to the path that an option names."""
    ending = path.suffix.lower()
    if ending not in formats or not path.parent.is_dir() or path.is_dir():
        raise InputError(f"{option} {path}: expected a file that ends in {_either(formats)}, in a folder that is there")
    behind_links(path)
    formats[ending]()


def write_picture(path: Path, picture: Chart) -> None:
    """Write a picture, whole or not at all, and say on stderr what it shows."""
    write_atomically(path, picture.data)
    note(f"{path}: {picture.caption}")


def _either(endings: Iterable[str]) -> str:
    *others, last = endings
    return f"{', '.join(others)} or {last}" if others else last


def settings_options(settings: Settings) -> Callable[[Command], Command]:
    """What gives a command an option for every field of ``settings``, whose values are the defaults."""
    fields = fields_of(type(settings)).values()
    return with_options(
        [settings_option(f, _shown(f, getattr(settings, f.name)), getattr(settings, f.name)) for f in fields]
    )


def settings_option(field: Field, default: str, value: Any = None) -> Callable[[Command], Command]:
    """The option for one field. ``default`` is shown in its help, ``value`` taken when it is not given."""
    about, name = field.about, "--" + field.name.replace("_", "-")
    help = about.help + (f"  [default: {default}]" if default else "")
    if field.type is bool:
        return click.option(about.flags or name, field.name, is_flag=True, default=value, help=help, show_default=False)
    names = [name] if not about.flags else [*about.flags.split("/"), name]
    many = field.type is tuple
    return click.option(
        *names,
        field.name,
        type=_type(field),
        default=value,
        multiple=many,
        metavar=about.metavar,
        help=help,
        show_default=False,
    )


def _type(field: Field) -> Any:
    if field.about.choices:
        return click.Choice([choice for choice in field.about.choices if choice])
    kinds: dict[Any, Any] = {int: click.INT, float: click.FLOAT}
    return kinds.get(field.type, FILE if field.about.metavar in ("FILE", "PATH", "MODEL", "FOLDER") else click.STRING)


def with_options(options: Sequence[Callable[[Command], Command]]) -> Callable[[Command], Command]:
    """What gives a command these options, in their order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


columns_options = with_options(
    [
        click.option(f"--{name}-column", default=name, help=f"Name of the {name}'s column in tables and JSON.")
        for name in ("label", "text")
    ]
)


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a command line that were given: those with a value."""
    return {name: value for name, value in options.items() if value is not None and value != ()}


def open_model(task: str, path: Any, threads: int | None = None, device: str = "cpu", precision: str = "") -> Any:
    """The model of a task in a model file or run folder, or by its name, to compute with that many CPU threads."""
    return _model_class(task, threads).load(path, device, precision or None)


def _model_class(task: str, threads: int | None) -> type[Model[Any]]:
    """The class of a task's models, to compute with that many CPU threads."""
    with quick_imports(tracing=False):
        import torch

        from seqtree.tasks import TASKS, named

        model: type[Model[Any]] = named(TASKS[task].model)
    if threads:
        torch.set_num_threads(threads)
    return model


def open_parser(named: str | None, threads: int | None = None, device: str = "cpu", precision: str = "") -> Any:
    """The parser of that path or name; for None, that of SEQTREE_PARSER, or else the default one."""
    try:
        return open_model("parser", _parser_path(named), threads, device, precision)
    except ModelFileError as error:
        if named is not None or not os.environ.get(PARSER_VARIABLE):
            raise
        raise ModelFileError(f"{PARSER_VARIABLE}: {error}") from error


def quick_parser(named: str | None, device: str, precision: str) -> ArrayParser | None:
    """The parser of that path or name (None: as for ``open_parser``) without torch; None if torch is needed for it."""
    if device not in ("auto", "cpu"):
        return None
    with quick_imports():
        from seqtree.parsing.array_parser import ArrayParser

    return ArrayParser.load(_parser_path(named), precision)


def with_torch(parser: ArrayParser, threads: int | None, device: str, precision: str) -> Any:
    """The same parser in torch, of the same file, even if another has taken its place."""
    return _model_class("parser", threads).from_arrays(*parser.file, device, precision)


def parser_words(named: str | None) -> Container[str]:
    """The words that this parser knows, read without torch, or, from a file that has none, by opening all of it.

    What is wrong with a file is then said as for any parser.
    """
    from seqtree import modelfile
    from seqtree.shipped import located

    with quick_imports():
        from seqtree.text.lexicon import Lexicon

    try:
        return Lexicon.from_json(modelfile.header(located(_parser_path(named), "parser"))["contents"]["lexicon"]).words
    except (SeqtreeError, KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError):
        return cast(Container[str], open_parser(named).lexicon.words)


def _parser_path(named: str | None) -> str | Path:
    return named if named is not None else os.environ.get(PARSER_VARIABLE) or default_parser()


def given_class(model: Any, condition: str | None) -> Any:
    """A language model, for texts of that class if one is given. Raises InputError."""
    return model if condition is None else model.given(condition)


def note(message: str) -> None:
    """One line on stderr."""
    click.echo(one_line(message), err=True)


def print_json(record: Mapping[str, Any]) -> None:
    """One JSON object on stdout; infinite numbers become null."""
    click.echo(json_line(finite(record)))


def print_tokens(tokens: list[tuple[str, float]], as_json: bool) -> None:
    """Tokens with their probabilities, a line each, or one JSON object."""
    if as_json:
        print_json({"tokens": [{"token": token, "probability": p} for token, p in tokens]})
        return
    for token, probability in tokens:
        click.echo(f"{probability:.4f}  {json_line(token)[1:-1]}")


@contextmanager
def quick_imports(tracing: bool = True) -> Iterator[None]:
    """Leave what a process imports here out of garbage collection, which would be a third of a short command's time.

    And without scikit-learn and SciPy, which NLTK would import where they are installed, though nothing here uses
    NLTK's parts of them. tracing: False leaves out what torch needs to trace programs only (compile, export), a quarter
    of its import, if this process just runs a command.
    """
    first = "torch" not in sys.modules
    if first:
        gc.disable()
        if processes.alone and not tracing:
            sys.modules[TRACING] = ModuleType(TRACING)
    try:
        with without("sklearn", "scipy"):
            yield
    finally:
        if first:
            gc.freeze()
            gc.enable()


def _preset_option(options: TrainingOptions[Any]) -> Callable[[Command], Command]:
    presets = next(iter(options.presets.values()))
    reasons = "; ".join(f"{name}: {preset.reason}" for name, preset in presets.items())
    return click.option(
        *options.preset_flags,
        "preset",
        type=click.Choice(list(presets)),
        help=f"Network and way of training, by name; every option can be set besides. {reasons}.  "
        f"[default: {options.default}]",
    )


def _default(options: TrainingOptions[Any], group: str, field: Field) -> str:
    """The default of a setting: that of the default preset, for each variant, and whether presets differ in it."""
    variants = {}
    for variant, presets in options.presets.items():
        values = {name: getattr(preset.recipe.groups[group], field.name) for name, preset in presets.items()}
        variants[variant] = _shown(field, values[options.default]), len(set(values.values())) > 1
    first, *others = variants.items()
    text = first[1][0]
    text += "".join(f"; {name}: {shown}" for name, (shown, _) in others if shown not in (text, name))
    return text + ("; differs by preset" if any(differs for _, differs in variants.values()) else "")


def _shown(field: Field, value: Any) -> str:
    if value is None or value in ((), ""):
        return field.about.unset
    if isinstance(value, bool):  # a flag without a negative form is off by default, which needs no words
        on, _, off = field.about.flags.partition("/")
        return (on if value else off).removeprefix("--")
    return f"{value:g}" if isinstance(value, float) else str(value)


def finite(value: Any) -> Any:
    """The value with None for its infinite numbers, which JSON does not have."""
    if isinstance(value, Mapping):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    return None if isinstance(value, float) and not abs(value) < float("inf") else value


compute_options = with_options([encoding_option, precision_option, device_option, threads_option])
