"""Plain text to learn vectors of words from, a sentence of words a line; writes treebank.txt, default.txt and open.txt.

``treebank`` is for parsers that are measured on files 0161-0199 of the Penn Treebank sample: the words of its other
files, of the training trees of GUM and MASC, of UD English EWT, and the Brown corpus, CoNLL-2000 and Mikolov's PTB
text, without the part of it (the first 3,911 lines) that those files are from. ``default`` has, in addition, a third
of CRAFT, addresses of presidents, and short sentences of Tatoeba; ``open`` only what any use is allowed of. The
sentences of ``everyday_grammar.py`` are left out: they have no words in new places.

``SEQTREE_DATA`` names the data::

    python benchmarks/raw_texts.py OUT
    seqtree phrases learn --tokenized OUT/treebank.txt --out treebank-vectors.txt
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

from nltk.corpus import brown, conll2000, inaugural, state_union
from shipped_parsers import ewt_sentences

from seqtree.text.sentences import read_sentences
from seqtree.treebank.plain import read_words

WSJ_BEFORE = 3911  # lines of the PTB text: files 0001-0199
Sentences = Iterator[list[str]]


def main() -> None:
    """Write the three texts to the folder that is named."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("out", type=Path)
    out = options.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for name, parts in PARTS.items():
        with open(out / f"{name}.txt", "w", encoding="utf-8") as file:
            for part in parts:
                count = 0
                for words in part():
                    file.write(" ".join(words) + "\n")
                    count += len(words)
                print(f"{name}: {part.__name__} {count:,} words", flush=True)


def wsj() -> Sentences:
    return read_words(["nltk:treebank/wsj_0001-wsj_0160"], warn=print)


def gum() -> Sentences:
    return read_words([data("gum/train.mrg")], warn=print)


def open_gum() -> Sentences:
    return read_words([data("gum/open-train.mrg")], warn=print)


def masc() -> Sentences:
    return read_words([data("masc/train.mrg")], warn=print)


def craft() -> Sentences:
    return islice(read_words([data("craft/train.mrg")], warn=print), 0, None, 3)


def ewt() -> Sentences:
    return ([word.replace(" ", "") for word, _ in one] for one in ewt_sentences(data("tag/ud-ewt/train.conll")))


def news() -> Sentences:
    lines = Path(data("ptb/ptb.train.txt")).read_text(encoding="utf-8").splitlines()[WSJ_BEFORE:]
    return chain((line.split() for line in lines), map(list, conll2000.sents()))


def brown_corpus() -> Sentences:
    return plain(" ".join(words) for words in brown.sents())


def addresses() -> Sentences:
    return plain(inaugural.raw().splitlines() + state_union.raw().splitlines())


def tatoeba() -> Sentences:
    lines = Path(data("translate/tatoeba-en-zh/train.tsv")).read_text(encoding="utf-8").splitlines()
    return plain(line.partition("\t")[0] for line in lines)


def plain(lines: Iterable[str]) -> Sentences:
    """The sentences of lines of plain text."""
    return ([form for _, form in one.words] for one in read_sentences(lines, tokenized=False) if one.words)


def data(name: str) -> str:
    """The path of a file of the data folder."""
    return f"{os.environ['SEQTREE_DATA']}/{name}"


PARTS: dict[str, tuple[Callable[[], Sentences], ...]] = {
    "treebank": (wsj, gum, masc, ewt, news, brown_corpus),
    "default": (wsj, gum, masc, craft, ewt, news, brown_corpus, addresses, tatoeba),
    "open": (open_gum, masc, craft, ewt, addresses, tatoeba),
}

if __name__ == "__main__":
    main()
