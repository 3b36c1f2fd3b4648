"""The picture of docs/architecture.md, drawn from the table of that page: ``python docs/make_architecture.py``."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from pathlib import Path

from seqtree.drawing.svg import INK, LINE_INK, SIZE, picture, text

FOLDER = Path(__file__).resolve().parent
EVERYWHERE = {"errors", "lazy", "escapes", "extras", "wording"}  # the rooms that every room may import
BOX, HEIGHT, STEP = 108, 28, 66  # pixels: the size of a box, and from the top of a row to that of the next
Rooms = dict[str, set[str]]


def rooms(page: str) -> Rooms:
    """The rooms of the page's table, in its order, and those that each of them may import."""
    rows = re.findall(r"^\| `(\w+)` \|[^|]+\|([^|]*)\|$", page, re.MULTILINE)
    allowed: Rooms = {}
    for room, may in rows:
        named = set(re.findall(r"`(\w+)`", may))
        if may.strip().startswith("all above"):
            allowed[room] = set(allowed) - named
        elif may.strip().startswith("everything"):
            allowed[room] = {name for name, _ in rows} - {room}
        else:
            allowed[room] = named
    allowed["training"] |= {"corpora"}  # the sample that is read where nothing is named
    return {room: others | EVERYWHERE for room, others in allowed.items()}


def direct(allowed: Rooms) -> Rooms:
    """For each room those that it may import, less ``EVERYWHERE`` and those that others of them may import as well."""
    kept = {room: others - EVERYWHERE for room, others in allowed.items() if room not in EVERYWHERE}
    return {
        room: {other for other in others if not any(other in kept[o] for o in others)} for room, others in kept.items()
    }


def heights(below: Rooms) -> dict[str, int]:
    """The row of each room, from 0 at the top: the one under the lowest of those that import it."""

    def height(room: str) -> int:
        return 1 + max((height(other) for other in below if room in below[other]), default=-1)

    return {room: height(room) for room in below}


def lines(below: Rooms, row: dict[str, int]) -> list[list[str]]:
    """The way of each import: its two rooms, and in each row between them a bend, which is added to ``row``."""
    found = []
    for room, others in below.items():
        for other in sorted(others, key=list(below).index):
            bends = {f"{room} {other} {at}": at for at in range(row[room] + 1, row[other])}
            row.update(bends)
            found.append([room, *bends, other])
    return found


def columns(row: dict[str, int], ways: list[list[str]]) -> dict[str, float]:
    """Where each room or bend stands, in pixels: near the middle of its neighbours above and below, boxes apart."""
    pairs = [pair for way in ways for pair in pairwise(way)]
    near = {room: [b if a == room else a for a, b in pairs if room in (a, b)] for room in row}
    x = {room: float(number) for number, room in enumerate(row)}
    for at in list(range(max(row.values()) + 1)) * 20:
        wanted = {room: sum(x[other] for other in near[room]) / len(near[room]) for room in row if row[room] == at}
        free = -math.inf
        for room in sorted(wanted, key=lambda room: wanted[room]):
            half = (SIZE if " " in room else BOX + SIZE) / 2
            x[room] = max(free + half, wanted[room])
            free = x[room] + half
        shift = sum(wanted[room] - x[room] for room in wanted) / len(wanted)
        x.update({room: x[room] + shift for room in wanted})
    left = min(x.values()) - BOX / 2 - SIZE
    return {room: x[room] - left for room in row}


def drawing(page: str) -> str:
    """The picture as SVG: a line leads from each room down to those that it imports."""
    below = direct(rooms(page))
    row = heights(below)
    ways = lines(below, row)
    x = columns(row, ways)
    place = {room: (round(x[room]), SIZE + STEP * row[room]) for room in row}
    parts = []
    for way in ways:
        bends = "".join(f"L{place[bend][0]} {place[bend][1]}v{HEIGHT}" for bend in way[1:-1])
        (x0, y0), (x1, y1) = place[way[0]], place[way[-1]]
        parts.append(f'<path d="M{x0} {y0 + HEIGHT}{bends}L{x1} {y1}" fill="none" stroke="{LINE_INK}"/>')
    for room in below:
        left, top = place[room]
        box = (
            f'<rect x="{left - BOX // 2}" y="{top}" width="{BOX}" height="{HEIGHT}" rx="6" fill="#fff" stroke="{INK}"/>'
        )
        parts.append(box + text(left, top + 19, room, INK))
    width, height = round(max(x.values())) + BOX // 2 + SIZE, STEP * (max(row.values()) + 1)
    return picture(width, height, "The rooms of seqtree; lines lead down to what a room may import", "".join(parts))


if __name__ == "__main__":
    (FOLDER / "architecture.svg").write_text(
        drawing((FOLDER / "architecture.md").read_text(encoding="utf-8")) + "\n", encoding="utf-8"
    )
