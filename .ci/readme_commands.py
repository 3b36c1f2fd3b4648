"""Prints the N-th ``sh`` block of README.md (N from 1), so that what CI runs is what the page tells a reader to run."""

from __future__ import annotations

import re
import sys
from pathlib import Path


def main() -> None:
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        sys.exit("usage: readme_commands.py N")
    number = int(sys.argv[1])
    readme = Path(__file__).resolve().parent.parent / "README.md"
    found = re.findall(r"^```sh[ ]*\n(.*?)^```[ ]*$", readme.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    if not 1 <= number <= len(found):
        sys.exit(f"{readme.name}: there is no sh block number {number}, only {len(found)}")
    print(found[number - 1], end="")


if __name__ == "__main__":
    main()
