"""How many ends of sentences and of tokens are found in plain text, judged by a treebank.

    python benchmarks/sentence_ends.py nltk:treebank
    python benchmarks/sentence_ends.py gum/dev.mrg gum/train.mrg

The trees' words are written as plain text: brackets and slashes unescaped, `` and '' as ", words and marks joined as
they are in print, no space between the end of a sentence and its ``[17]``, and a full stop after an abbreviation that
ends in one left out. Up to ``--together`` sentences (5) make a paragraph, with a space between them; a sentence that
ends in no full stop, question mark, exclamation mark or ellipsis (a heading, say) is the last of its paragraph.

An end is a number of characters other than white space, counted from the beginning of the paragraph. ``of`` says how
many ends the treebank has, ``found`` how many of them were found, ``wrong`` how many were found that it does not have.
The last end of a paragraph, which nobody misses, does not count as a sentence end. Treebanks differ in what a token is:
GUM, unlike the Penn Treebank, splits ``well-known`` into three. Also prints paragraphs per second, split and
tokenised, of one process. Prints one JSON object; ``--show N`` first lists N of the differing sentence ends.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from nltk.tree import Tree

from seqtree.text.brackets import unescape_word
from seqtree.text.sentences import penn_tokens, split_sentences
from seqtree.treebank.sources import normalised_trees

_ALONE_AFTER = re.compile(r"""[,;:?!%.)\]}»”]|''|[.…]+|['’](?:s|m|re|ve|ll|d)?|n['’]t|na|ta""", re.IGNORECASE)
_ALONE_BEFORE = re.compile(r"``|[(\[{«“‘`$£€¥#]|(?:US|C|A|HK)\$")
_ENDED = re.compile(r"""[.?!…]['"”’)\]]*$""")
_JOINS_BOTH = {("-", "HYPH"), ("--", "HYPH"), ("–", "SYM"), ("-", "SYM"), ("/", "SYM")}


@dataclass
class Paragraph:
    """A text, and the ends of its sentences and tokens in characters other than white space."""

    text: str
    sentences: set[int]
    tokens: set[int]


def words(tree: Tree) -> list[tuple[str, str]]:
    """The words as in print and their tags; a sentence ends in one full stop, not in two as in ``U.S..``."""
    found = [(unescape_word(word), tag) for word, tag in tree.pos()]
    stops = [i for i, (word, tag) in enumerate(found) if word == tag == "."]
    if stops and stops[-1] and found[stops[-1] - 1][0].endswith("."):
        del found[stops[-1]]
    return found


def plain(found: list[tuple[str, str]]) -> tuple[str, list[str]]:
    """The plain text of a sentence, and its words in it."""
    text, printed = "", []
    joined = True
    for word, tag in found:
        reference = word == "[" and _ENDED.search(text)
        both = (word, tag) in _JOINS_BOTH
        opening = tag == "``" or (tag != "''" and _ALONE_BEFORE.fullmatch(word))
        after = tag == "''" or (_ALONE_AFTER.fullmatch(word) and tag not in ("``", "SYM"))
        form = '"' if word in ("``", "''") else word
        text += form if joined or both or after or reference else f" {form}"
        printed.append(form)
        joined = bool(both or opening)
    return text, printed


def solid(text: str) -> int:
    """How many characters other than white space a text has."""
    return sum(map(len, text.split()))


def paragraphs(trees: Iterable[Tree], together: int) -> Iterator[Paragraph]:
    texts: list[str] = []
    tokens: list[str] = []
    for tree in trees:
        text, printed = plain(words(tree))
        texts.append(text)
        tokens += printed
        if len(texts) == together or not _ENDED.search(text):
            yield Paragraph(" ".join(texts), set(accumulate(map(solid, texts))), set(accumulate(map(solid, tokens))))
            texts, tokens = [], []
    if texts:
        yield Paragraph(" ".join(texts), set(accumulate(map(solid, texts))), set(accumulate(map(solid, tokens))))


def found_in(text: str) -> Paragraph:
    """The same of a paragraph, as seqtree finds it."""
    sentences = split_sentences(text)
    tokens = [form for sentence in sentences for form, _ in penn_tokens(sentence)]
    return Paragraph(text, set(accumulate(map(solid, sentences))), set(accumulate(map(solid, tokens))))


def around(text: str, end: int) -> str:
    """What stands before and after an end."""
    place = [i for i, character in enumerate(text) if not character.isspace()][end - 1] + 1
    return f"{text[max(0, place - 50) : place]} | {text[place : place + 30].strip()}"


def compared(pairs: Iterable[tuple[set[int], set[int]]]) -> dict[str, int]:
    rows = [(len(gold), len(gold & ours), len(ours - gold)) for gold, ours in pairs]
    return dict(zip(("of", "found", "wrong"), map(sum, zip(*rows, strict=True)), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trees", nargs="+")
    parser.add_argument("--together", type=int, default=5)
    parser.add_argument("--show", type=int, default=0)
    options = parser.parse_args()
    gold = list(paragraphs(normalised_trees(options.trees), options.together))
    for paragraph in gold:
        found_in(paragraph.text)  # warm
    began = time.perf_counter()
    ours = [found_in(paragraph.text) for paragraph in gold]
    seconds = time.perf_counter() - began
    inner = [
        (a.sentences - {max(a.sentences)}, b.sentences - {max(b.sentences)}) for a, b in zip(gold, ours, strict=True)
    ]
    shown = (
        f"{'missed' if end in ends else 'wrong '} {around(paragraph.text, end)}"
        for paragraph, (ends, found) in zip(gold, inner, strict=True)
        for end in sorted(ends ^ found)
    )
    for _, line in zip(range(options.show), shown, strict=False):
        print(line)
    print(
        json.dumps(
            {
                "benchmark": "sentence_ends",
                "trees": options.trees,
                "paragraphs": len(gold),
                "sentences": compared(inner),
                "tokens": compared((a.tokens, b.tokens) for a, b in zip(gold, ours, strict=True)),
                "paragraphs_per_second": round(len(gold) / seconds, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
