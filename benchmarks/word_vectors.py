"""Words to learn vectors from: PTB, tinyshakespeare and Brown as one text, in lower case and tokenised.

SEQTREE_DATA names the folder with ``ptb/ptb.train.txt`` and ``text/tinyshakespeare.txt``; Brown is NLTK's::

    python benchmarks/word_vectors.py words.txt
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from nltk.corpus import brown
from nltk.tokenize import TreebankWordTokenizer


def lines(data: Path) -> Iterator[str]:
    """The lines of the three texts, words between spaces."""
    yield from (data / "ptb" / "ptb.train.txt").read_text(encoding="utf-8").splitlines()
    split = TreebankWordTokenizer().tokenize
    for line in (data / "text" / "tinyshakespeare.txt").read_text(encoding="utf-8").splitlines():
        yield " ".join(split(line)).lower()
    for sentence in brown.sents():
        yield " ".join(sentence).lower()


def main() -> None:
    """Write the file that is named."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("out", type=Path)
    with options.parse_args().out.open("w", encoding="utf-8") as out:
        out.writelines(f"{line.strip()}\n" for line in lines(Path(os.environ["SEQTREE_DATA"])) if line.strip())


if __name__ == "__main__":
    main()
