"""Pictures of our own as PNG files, by Pillow (the extra ``images``); as SVG they need nothing."""

from __future__ import annotations

import io
from collections.abc import Callable
from types import ModuleType
from typing import Any

from seqtree.extras import needed

SHARPNESS = 2  # pixels of a PNG for one of the picture
_ANCHORS = {"start": "l", "middle": "m", "end": "r"}  # as SVG has them, and as Pillow does
_FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial.ttf")
_EUROPEAN = 0x530  # the code points before it are Latin, Greek and Cyrillic
_EVEN_FONTS = ("DejaVuSansMono.ttf", "NotoSansMono-Regular.ttf", "Courier New.ttf")  # letters of one width


def pillow() -> ModuleType:
    """What makes PNG files. Raises InputError if Pillow is not installed."""
    return needed("PIL.Image", "images", "a PNG file needs Pillow (an SVG file does not)")


FORMATS: dict[str, Callable[[], object]] = {".svg": lambda: None, ".png": pillow}


class Canvas:
    """A white picture to draw on, in pixels of the picture; its PNG file is ``SHARPNESS`` times as sharp.

    Raises InputError if Pillow is not installed.
    """

    def __init__(self, width: int, height: int) -> None:
        self._image = pillow().new("RGB", (SHARPNESS * width, SHARPNESS * height), "#ffffff")
        self._draw = needed("PIL.ImageDraw", "images", "a PNG file needs Pillow").Draw(self._image)
        self._fonts: dict[tuple[int, bool], Any] = {}

    def dot(self, x: int, y: int, radius: int, fill: str) -> None:
        """A disc around (x, y)."""
        x, y, radius = SHARPNESS * x, SHARPNESS * y, SHARPNESS * radius
        self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)

    def rectangle(self, x: int, y: int, width: int, height: int, fill: str) -> None:
        """A rectangle whose upper left corner is (x, y)."""
        x, y = SHARPNESS * x, SHARPNESS * y
        self._draw.rectangle((x, y, x + SHARPNESS * width - 1, y + SHARPNESS * height - 1), fill=fill)

    def text(
        self, x: int, y: int, content: str, fill: str, size: int, anchor: str = "middle", even: bool = False
    ) -> None:
        """A text with its baseline at y; what of it is at x says ``anchor``.

        even: with letters of one width, where the text is in European scripts, which such fonts have.
        """
        even = even and max(map(ord, content), default=0) < _EUROPEAN
        if (size, even) not in self._fonts:
            self._fonts[size, even] = system_font(SHARPNESS * size, _EVEN_FONTS if even else _FONTS)
        at, place = (SHARPNESS * x, SHARPNESS * y), f"{_ANCHORS[anchor]}s"
        self._draw.text(at, content, fill=fill, font=self._fonts[size, even], anchor=place)

    def png(self) -> bytes:
        """The file."""
        file = io.BytesIO()
        self._image.save(file, "PNG")
        return file.getvalue()


def system_font(size: int, names: tuple[str, ...] = _FONTS) -> Any:
    """A font of the system with many scripts, or else Pillow's own."""
    from PIL import ImageFont

    for name in names:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)
