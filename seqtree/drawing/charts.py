"""What the charts by matplotlib (the extra ``plot``) share: endings, fonts, names as labels, and how files are made."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from seqtree.drawing.characters import shortened, visible_words
from seqtree.errors import SeqtreeError
from seqtree.extras import needed

LONGEST = 32  # columns of a label, as on a terminal
# Fonts with more scripts, where they are installed, after the one that comes with matplotlib.
_FONTS = ("DejaVu Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Zen Hei", "PingFang SC", "Microsoft YaHei")


class Chart(NamedTuple):
    """The bytes of a picture, and in a few words what it shows."""

    data: bytes
    caption: str


def matplotlib() -> ModuleType:
    """matplotlib, by which charts are drawn. Raises as ``needed`` does."""
    needed("matplotlib.figure", "plot", "plots need matplotlib")
    return needed("matplotlib", "plot", "plots need matplotlib")


FORMATS: dict[str, Callable[[], object]] = {".svg": matplotlib, ".png": matplotlib, ".pdf": matplotlib}


def chart(size: tuple[float, float], draw: Callable[[Any], object], format: str) -> bytes:
    """A file, of the same bytes each time, with the figure of that size in inches that ``draw`` fills.

    ``format`` is one of ``FORMATS``. In SVG, letters are text. Raises as ``needed`` does.
    """
    style = {
        "font.family": _fonts(),
        "text.parse_math": False,  # a dollar is a tag of the Penn Treebank
        "svg.fonttype": "none",
        "svg.hashsalt": "seqtree",
    }
    dates = {".svg": "Date", ".pdf": "CreationDate"}
    made = io.BytesIO()
    with matplotlib().rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph .* missing from")  # readers of an SVG file have fonts of their own
        figure = needed("matplotlib.figure", "plot", "plots need matplotlib").Figure(figsize=size, layout="constrained")
        draw(figure)
        dated = {dates[format]: None} if format in dates else {}
        figure.savefig(made, format=format.removeprefix("."), dpi=150, metadata=dated, bbox_inches="tight")
    return made.getvalue()


def label(name: str) -> str:
    """A name as it stands in a chart: without control characters, shortened."""
    return shortened(visible_words(name), LONGEST)


def in_notebook(draw: Callable[[str], Chart]) -> str | None:
    """What a notebook shows of a chart: the SVG picture, or None where matplotlib cannot be used."""
    try:
        return draw(".svg").data.decode()
    except SeqtreeError:
        return None


def _fonts() -> list[str]:
    known = set(needed("matplotlib.font_manager", "plot", "plots need matplotlib").get_font_names())
    return [name for name in _FONTS if name in known]
