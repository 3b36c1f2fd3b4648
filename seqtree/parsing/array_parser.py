"""A parser without torch, for a few short texts: importing torch takes longer than parsing some hundred sentences."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seqtree import modelfile, shipped
from seqtree.errors import SeqtreeError
from seqtree.nn.arrays import Arrays
from seqtree.parsing.arrays import ArrayNetwork, shapes
from seqtree.parsing.config import ParserNetworkConfig
from seqtree.parsing.gold import EMPTY
from seqtree.parsing.one_by_one import decode_few
from seqtree.parsing.parse import Parse
from seqtree.parsing.results import Names, labelled_spans
from seqtree.text.sentences import Word

SHORT = 2_000  # words, of a parser such as those that come with seqtree
WORK = 3_000_000_000  # words times weights, of a larger one


class ArrayParser:
    """What ``Parser`` finds for sentences one at a time on a CPU.

    ``most_words``: how many words it parses sooner than torch is imported. ``file``: what it was made of, its path, the
    contents and the weights, for ``Parser.from_arrays``.
    """

    def __init__(self, file: tuple[Path, dict[str, Any], Arrays], names: Names, network: ArrayNetwork) -> None:
        self.file, self.lexicon, self.names, self.network = file, names.lexicon, names, network
        weights = sum(array.size for name, array in file[2].items() if "embedding" not in name)
        self.most_words = min(SHORT, WORK // weights)

    @classmethod
    def load(cls, path: str | Path, precision: str = "auto") -> ArrayParser | None:
        """The parser in that model file or run folder, or of that name; None if torch is needed to open it.

        That is so for other kinds of networks, where only torch can tell whether ``auto`` means bfloat16, and where
        something is wrong with the file, which ``Parser.load`` then tells.
        """
        rounded = precision == "bf16" if precision != "auto" else has_bfloat16()
        if rounded is None:
            return None
        try:
            place = shipped.located(path, "parser")
            kind, contents, arrays = modelfile.load_arrays(place)
            names, config = Names.from_contents(contents), ParserNetworkConfig.from_json(contents["network"])
        except (SeqtreeError, KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError):
            return None
        if kind != "parser" or not _fit(arrays, config, names):
            return None
        return cls((place, contents, arrays), names, ArrayNetwork(arrays, config, rounded))

    def parses(self, sentences: Iterable[Sequence[Word]]) -> Iterator[Parse | None]:
        """The parse of each sentence in its order, None for an empty one; a word is as in ``Parser.parses``."""
        for sentence in sentences:
            with np.errstate(over="ignore", invalid="ignore"):  # as torch
                parse = self._parse(sentence) if sentence else None
            yield parse

    def _parse(self, sentence: Sequence[Word]) -> Parse:
        network, batch = self.network, self.names.batch([sentence])
        encoded = network.encode(batch)
        decoding = decode_few(network.composition, network.merge_scorer, batch, encoded.leaves, encoded.merges)
        chosen = decoding.merges.pair
        spans, whole = labelled_spans(batch, decoding.pairs, chosen)
        words = len(sentence)
        vectors = decoding.vectors[np.concatenate([np.arange(words), words + chosen])]
        seen = network.composition.output(vectors)
        logits = network.label_scorer(seen, encoded.labels, spans.start, spans.end)
        if logits.shape[1] > 1:
            logits[whole, 0] = -np.inf
        tags, labels = (found.argmax(axis=1).tolist() for found in (encoded.tags, logits))
        return self.names.parses([sentence], tags, decoding.merges, spans, labels)[0]


def _fit(arrays: Arrays, config: ParserNetworkConfig, names: Names) -> bool:
    """Whether these are the weights, all finite, of a network that there is in NumPy."""
    lexicon, tags, labels = names
    expected = shapes(config, len(lexicon.words), len(lexicon.characters), len(tags), len(labels))
    return (
        labels.names[:1] == (EMPTY,)
        and {name: array.shape for name, array in arrays.items()} == expected
        and all(array.dtype in (np.float16, np.float32) and np.isfinite(array).all() for array in arrays.values())
    )


def has_bfloat16() -> bool | None:
    """Whether torch takes bfloat16 on this processor by itself, said without torch; None if only torch can say it."""
    if sys.platform == "darwin":
        return False
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(text.split())
