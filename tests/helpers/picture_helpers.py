"""What stands in a picture."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

SVG = "{http://www.w3.org/2000/svg}"


def texts_of(picture: str | bytes) -> list[str]:
    """The texts that are written in an SVG picture, in their order."""
    return ["".join(one.itertext()) for one in ElementTree.fromstring(picture).iter(f"{SVG}text")]


def titles_of(picture: str | bytes) -> list[str]:
    """The picture's title, and then what is said of its parts where they are pointed at."""
    return [one.text or "" for one in ElementTree.fromstring(picture).iter(f"{SVG}title")]
