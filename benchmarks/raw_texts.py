"""Plain text to learn vectors of words from, a sentence of words a line; writes treebank.txt, default.txt and open.txt.

``treebank`` is for parsers that are measured on files 0161-0199 of the Penn Treebank sample: the words of its other
files, of the training trees of GUM and MASC, of UD English EWT, and the Brown corpus, CoNLL-2000 and Mikolov's PTB
text, without the part of it (the first 3,911 lines) that those files are from. ``default`` has, in addition, a third
of CRAFT, what people say of films (``movie_reviews``), addresses of presidents, and short sentences of Tatoeba;
``open`` only what any use is allowed of. The sentences of ``everyday_grammar.py`` are left out: they have no words in
new places.

``SEQTREE_DATA`` names the data::

    python benchmarks/raw_texts.py OUT
    seqtree phrases learn --tokenized OUT/treebank.txt --out treebank-vectors.txt
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path

from nltk.corpus import brown, conll2000, inaugural, movie_reviews, state_union

from seqtree.text.columns import read_tagged
from seqtree.text.sentences import read_sentences
from seqtree.treebank.bracketed import words_of
from seqtree.treebank.sources import normalised_trees

WSJ_BEFORE = 3911  # lines of the PTB text: files 0001-0199
Sentences = Iterator[list[str]]


def main() -> None:
    """Write the three texts to the folder that is named."""
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for name, parts in PARTS.items():
        with open(out / f"{name}.txt", "w", encoding="utf-8") as file:
            for part in parts:
                count = 0
                for words in chain.from_iterable(part()):
                    file.write(" ".join(words) + "\n")
                    count += len(words)
                print(f"{name}: {part.__name__.strip('_')} {count:,} words", flush=True)


def wsj() -> Iterator[Sentences]:
    yield of_trees("nltk:treebank/wsj_0001-wsj_0160")


def gum() -> Iterator[Sentences]:
    yield of_trees(data("gum/train.mrg"))


def open_gum() -> Iterator[Sentences]:
    yield of_trees(data("gum/open-train.mrg"))


def masc() -> Iterator[Sentences]:
    yield of_trees(data("masc/train.mrg"))


def craft() -> Iterator[Sentences]:
    yield (words for number, words in enumerate(of_trees(data("craft/train.mrg"))) if number % 3 == 0)


def ewt() -> Iterator[Sentences]:
    brackets = {"(": "-LRB-", ")": "-RRB-"}
    found = read_tagged([data("tag/ud-ewt/train.conll")], 1, 3)
    yield ([brackets.get(word, word).replace(" ", "") for word in one.words] for one in found)


def news() -> Iterator[Sentences]:
    lines = Path(data("ptb/ptb.train.txt")).read_text(encoding="utf-8").splitlines()[WSJ_BEFORE:]
    yield (line.split() for line in lines)
    yield map(list, conll2000.sents())


def brown_corpus() -> Iterator[Sentences]:
    yield plain(" ".join(words) for words in brown.sents())


def films() -> Iterator[Sentences]:
    yield plain(movie_reviews.raw().splitlines())


def addresses() -> Iterator[Sentences]:
    yield plain(inaugural.raw().splitlines() + state_union.raw().splitlines())


def tatoeba() -> Iterator[Sentences]:
    lines = Path(data("translate/tatoeba-en-zh/train.tsv")).read_text(encoding="utf-8").splitlines()
    yield plain(line.partition("\t")[0] for line in lines)


def plain(lines: Iterable[str]) -> Sentences:
    """The sentences of lines of plain text."""
    yield from ([form for _, form in one.words] for one in read_sentences(lines, tokenized=False) if one.words)


def of_trees(source: str) -> Sentences:
    """The words of trees."""
    yield from map(words_of, normalised_trees([source], "utf-8", print))


def data(name: str) -> str:
    """The path of a file of the data folder."""
    return f"{os.environ['SEQTREE_DATA']}/{name}"


Part = Callable[[], Iterator[Sentences]]
PARTS: dict[str, tuple[Part, ...]] = {
    "treebank": (wsj, gum, masc, ewt, news, brown_corpus),
    "default": (wsj, gum, masc, craft, ewt, news, brown_corpus, films, addresses, tatoeba),
    "open": (open_gum, masc, craft, ewt, addresses, tatoeba),
}

if __name__ == "__main__":
    main()
