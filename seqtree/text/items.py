"""Labelled texts as a corpus: each is an item of its own, one line of the corpus, beside the number of its class."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from seqtree.errors import InputError
from seqtree.text.config import NEWLINE, TextSettings
from seqtree.text.corpus import PIECES, PreparedCorpus, encode_text, vocabulary_of
from seqtree.text.documents import line_bounds
from seqtree.text.labelled import Labelled
from seqtree.text.lexicon import LabelSet
from seqtree.text.reading import normalised
from seqtree.text.tokenfile import TokenStream
from seqtree.text.vocabulary import Vocabulary

BREAK = "\N{SYMBOL FOR NEWLINE}"  # a line end within an item, where the line end itself is the end of the item


def as_line(text: str, unit: str) -> str:
    """A text of any number of lines as one line, without its end.

    >>> as_line("two\\nlines\\n", "char"), as_line("two\\nlines", "word")
    ('two␤lines', 'two ␤ lines')
    """
    return part_of_line(normalised(text).strip(NEWLINE), unit)


def part_of_line(text: str, unit: str) -> str:
    """The beginning or another part of a text as a part of its line."""
    return normalised(text).replace(NEWLINE, f" {BREAK} " if unit == "word" else BREAK)


def prepare_items(
    training: Sequence[Labelled],
    valid: Sequence[Labelled],
    settings: TextSettings,
    grown: Vocabulary | None = None,
    known: Sequence[str] = (),
) -> PreparedCorpus:
    """Items to train and to validate on, under a vocabulary and classes that come from the training items alone.

    ``grown`` and ``known`` are a vocabulary and classes that are extended by them. Validation items are put into
    a random order, so that the beginning of them has all classes. Raises InputError for a validation item of an unknown
    class, and for an item whose tokens are not one line.
    """
    classes = LabelSet([*known, *sorted({item.label for item in training} - set(known))])
    vocabulary = vocabulary_of([_text(training, settings)], settings, grown)
    shuffled = random.Random(0).sample(valid, len(valid))
    return PreparedCorpus(
        encode_items(training, vocabulary, settings, classes),
        encode_items(shuffled, vocabulary, settings, classes) if valid else None,
        vocabulary,
        _fingerprint(training, valid, settings),
        classes=classes.names,
    )


def encode_items(
    items: Sequence[Labelled], vocabulary: Vocabulary, settings: TextSettings, classes: LabelSet[str]
) -> TokenStream:
    """One stream of items with their classes. Raises InputError as ``prepare_items`` does, naming the place."""
    labels = classes.encode(item.label for item in items)
    for item, label in zip(items, labels.tolist(), strict=True):
        if label < 0:
            raise InputError(f"{item.place}: unknown class {item.label!r}, expected {listed(classes.names)}")
    stream = encode_text(_text(items, settings), vocabulary, settings)
    if len(line_bounds(stream.ids, vocabulary.end)) != len(items) + 1:
        _raise_split(items, vocabulary, settings)
    texts = [normalised(item.text).strip(NEWLINE) + NEWLINE for item in items]
    return replace(stream, characters=sum(map(len, texts)), bytes=sum(len(t.encode()) for t in texts), labels=labels)


def held_out_items(items: Sequence[Labelled], share: float, valid_from: str) -> tuple[list[Labelled], list[Labelled]]:
    """The items to train on, and this share of them to validate on; the last one of a class is always trained on.

    valid_from: "ends", "spread" (the ends of ten equal parts, or of as many as there are items to hold out) or "lines"
    (every so many one, class by class).
    """
    exact, left = Fraction(str(share)), Counter(item.label for item in items)
    pieces = max(1, min(PIECES, int(exact * len(items)))) if valid_from == "spread" else 1
    part = Fraction(len(items), pieces)
    first = {label: number for number, label in enumerate(left)}
    by_class = sorted(range(len(items)), key=lambda index: first[items[index].label])
    place = {index: place for place, index in enumerate(by_class)}
    training, valid = [], []
    for index, item in enumerate(items):
        if valid_from == "lines":
            out = int((place[index] + 1) * exact) > int(place[index] * exact)
        else:
            out = index % part >= part * (1 - exact)
        if out and left[item.label] > 1:
            left[item.label] -= 1
            valid.append(item)
        else:
            training.append(item)
    return training, valid


def listed(names: Sequence[str], most: int = 10) -> str:
    """Some of the names, in words: ``one of a, b, ...``."""
    return f"one of {', '.join(names[:most])}" + (f", ... ({len(names):,} in all)" if len(names) > most else "")


def _text(items: Sequence[Labelled], settings: TextSettings) -> str:
    return "".join(as_line(item.text, settings.unit) + NEWLINE for item in items)


def _raise_split(items: Sequence[Labelled], vocabulary: Vocabulary, settings: TextSettings) -> None:
    end = vocabulary.tokens[vocabulary.end]
    for item in items:
        ids = encode_text(_text([item], settings), vocabulary, settings).ids
        if len(line_bounds(ids, vocabulary.end)) != 2:
            raise InputError(f"{item.place}: the text holds {end!r}, which is the model's own mark of a text's end")


def _fingerprint(training: Sequence[Labelled], valid: Sequence[Labelled], settings: TextSettings) -> str:
    digest = hashlib.sha256(json.dumps(settings.to_json(), sort_keys=True).encode("ascii"))
    for part in (training, valid):
        for item in part:
            digest.update(repr((item.label, item.text)).encode())
        digest.update(b"\0")
    return digest.hexdigest()
