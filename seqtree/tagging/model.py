"""``Tagger``: a trained tagger with its lexicon; load it, tag with it, measure it. It is an NLTK tagger too."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from nltk.chunk.api import ChunkParserI
from nltk.tag.api import TaggerI
from nltk.tree import Tree
from torch import Tensor

from seqtree.errors import InputError, check_count
from seqtree.model import Model, untrained
from seqtree.modelfile import texts
from seqtree.nn.neighbours import hashes
from seqtree.nn.parallel import in_batches
from seqtree.tagging.config import TaggerNetworkConfig
from seqtree.tagging.network import TaggerNetwork
from seqtree.tagging.tagging import Tagging
from seqtree.text.batches import make_batch
from seqtree.text.chunks import SCHEMES, chunks, parts, rewritten
from seqtree.text.lexicon import Ids, LabelSet, Lexicon
from seqtree.text.ngrams import frequent
from seqtree.text.reading import several
from seqtree.text.sentences import Word, forms_for_model, given_words, sequence_of_words


def canonical_scheme(scheme: str | None) -> str | None:
    """The scheme in which a network chooses tags: BMES for BMES, BIOES for all others; None if they are no chunk tags.

    >>> canonical_scheme("iob2"), canonical_scheme("bmes"), canonical_scheme(None)
    ('bioes', 'bmes', None)
    """
    return scheme if scheme in ("bmes", None) else "bioes"


class Tagger(Model[TaggerNetwork], TaggerI):  # type: ignore[misc]  # NLTK is not typed
    """Words in, a tag for each out.

    ``scheme`` is that of its chunk tags (a key of ``text.chunks.SCHEMES``), None for other tags. ``intents`` are those
    of whole sentences, if it knows any. ``segments``: its words are characters, its chunks the words of a text.
    """

    kind = "tagger"

    def __init__(
        self,
        lexicon: Lexicon,
        tags: LabelSet[str],
        intents: LabelSet[str],
        scheme: str | None,
        network: TaggerNetwork,
    ) -> None:
        if scheme is not None and scheme not in SCHEMES:
            raise InputError(f"scheme {scheme!r}: expected one of {', '.join(SCHEMES)}")
        if not len(tags):
            raise InputError("a tagger needs a tag")
        if scheme and not all(map(parts, tags.names)):
            raise InputError("a tagger of chunks has chunk tags only")
        self.lexicon, self.tags, self.intents, self.scheme, self.network = lexicon, tags, intents, scheme, network
        words = lexicon.words.tokens
        self.segments = scheme == "bmes" and max(map(len, words[3:]), default=0) == 1

    @classmethod
    def over(
        cls,
        lexicon: Lexicon,
        tags: LabelSet[str],
        intents: LabelSet[str],
        scheme: str | None,
        config: TaggerNetworkConfig,
        seed: int = 0,
        sentences: Iterable[Sequence[str]] = (),
        more: Ids | Sequence[int] = (),
    ) -> Tagger:
        """A tagger with random weights over these words, tags (chunk tags in BIOES or BMES) and intents.

        The n-grams that have weights are found in ``sentences``; ``more`` are the hashes of others that have, too.
        """
        near = (_near(lexicon, sentence, config.ngrams) for sentence in sentences if config.ngrams)
        known = torch.from_numpy(frequent(near, config.max_ngrams, more)[0])
        make = partial(TaggerNetwork, lexicon, tags, len(intents), scheme is not None, len(known), config)
        network = untrained(make, seed)
        if config.ngrams:
            network.grams.known.copy_(known)
        return cls(lexicon, tags, intents, scheme, network)

    def contents(self) -> dict[str, Any]:
        return {
            "lexicon": self.lexicon.to_json(),
            "tags": list(self.tags.names),
            "intents": list(self.intents.names),
            "scheme": self.scheme or "",
            "ngrams": len(self.known_grams),
            "network": self.network.config.to_json(),
        }

    @classmethod
    def from_contents(cls, contents: dict[str, Any]) -> Tagger:
        lexicon, (scheme,) = Lexicon.from_json(contents["lexicon"]), texts([contents["scheme"]])
        tags, intents = LabelSet(texts(contents["tags"])), LabelSet(texts(contents["intents"]))
        config = TaggerNetworkConfig.from_json(contents["network"])
        grams = int(contents.get("ngrams", 0))  # files from before there were any do not have it
        network = TaggerNetwork(lexicon, tags, len(intents), scheme != "", grams, config)
        return cls(lexicon, tags, intents, scheme or None, network)

    @property
    def known_grams(self) -> Ids:
        """The hashes (G,) of the n-grams that have weights."""
        has_grams = self.network.config.ngrams > 0
        known: Ids = self.network.grams.known.numpy(force=True) if has_grams else np.zeros(0, np.int64)
        return known

    def tag(self, tokens: Iterable[str]) -> list[tuple[str, str]]:
        """Each word of a sentence with its tag. NLTK's ``TaggerI``."""
        (pairs,) = self.tag_sents([tokens])
        return pairs

    def tag_sents(self, sentences: Iterable[Iterable[str]]) -> list[list[tuple[str, str]]]:
        """Each word of each sentence with its tag, sentences in batches. NLTK's ``TaggerI``."""
        found = self.taggings(given_words(sentence, self.lexicon.words) for sentence in several(sentences, "sentences"))
        return [list(zip(one.words, one.tags, strict=True)) if one else [] for one in found]

    def taggings(
        self, sentences: Iterable[Sequence[Word]], probabilities: bool = False, scheme: str | None = None
    ) -> Iterator[Tagging | None]:
        """The best tags of each sentence in its order, None for an empty one.

        A word is (its form, its form for the model). ``scheme``: of chunk tags, by default the tagger's own.
        Sentences are taken some thousands at a time and tagged in batches of like length, on all of torch's threads.
        """
        written = self._scheme(scheme)

        def best(batch: Sequence[Sequence[Word]]) -> list[Tagging]:
            return [one for (one,) in self._n_best(batch, 1, probabilities, written)]

        return in_batches(best, several(sentences, "sentences"), self.device)

    def n_best(self, sentence: Sequence[Word], count: int, scheme: str | None = None) -> list[Tagging]:
        """The ``count`` most probable sequences of tags for a sentence, or all if there are fewer; best first."""
        check_count("count", count)
        written = self._scheme(scheme)
        return self._n_best([sentence], count, True, written)[0] if sentence else []

    def _scheme(self, asked: str | None) -> str | None:
        """The scheme in which chunks are written. Raises InputError where one is asked for, and there are no chunks."""
        if asked and self.scheme is None:
            raise InputError(f"scheme {asked}: this tagger's tags are no chunk tags")
        return asked or self.scheme

    @torch.inference_mode()
    def _n_best(
        self, sentences: Sequence[Sequence[Word]], count: int, probabilities: bool, scheme: str | None
    ) -> list[list[Tagging]]:
        self.network.eval()
        read = [forms_for_model(sentence) for sentence in sentences]
        batch = make_batch(read, [self.lexicon.encode(words) for words in read], self.lexicon)
        scores = self.network(batch)
        emissions, lengths = scores.emissions.float(), self.network.words.ids(batch.lengths)
        found = self.network.paths.best(emissions, lengths, count)
        numbers, totals = found.tags.tolist(), found.scores.tolist()
        chances, normal = [[None] * count] * len(sentences), [0.0] * len(sentences)
        if probabilities:
            every = self.network.paths.marginals(emissions, lengths).transpose(0, 1)  # (B, T, K)
            chances = every.gather(2, found.tags.transpose(1, 2)).transpose(1, 2).tolist()  # (B, count, T)
            normal = self.network.paths.log_partition(emissions, lengths).tolist()
        intents = self._intents(scores.intents, len(sentences))
        results = []
        for row, sentence in enumerate(sentences):
            taggings = []
            words = tuple(form for form, _ in sentence)
            for ids, total, each in zip(numbers[row], totals[row], chances[row], strict=True):
                if total == -math.inf:
                    break
                tags = self._written([self.tags.names[i] for i in ids[: len(words)]], scheme)
                log_probability = None if each is None else min(0.0, total - normal[row])
                single = None if each is None else tuple(each[: len(words)])
                taggings.append(Tagging(words, tags, log_probability, single, *intents[row]))
            results.append(taggings)
        return results

    def _intents(self, logits: Tensor | None, count: int) -> list[tuple[str | None, float | None]]:
        if logits is None:
            return [(None, None)] * count
        chances, numbers = logits.float().softmax(dim=1).max(dim=1)
        return [
            (self.intents.names[number], chance)
            for number, chance in zip(numbers.tolist(), chances.tolist(), strict=True)
        ]

    def _written(self, tags: list[str], scheme: str | None) -> tuple[str, ...]:
        return tuple(tags) if scheme in (None, canonical_scheme(self.scheme)) else rewritten(tags, scheme)


def _near(lexicon: Lexicon, sentence: Sequence[str], most: int) -> Ids:
    """The hashes of the n-grams near every word of a sentence."""
    words = np.concatenate([[lexicon.words.start], lexicon.encode(sentence), [lexicon.words.end]])
    found: Ids = hashes(torch.from_numpy(words)[:, None], most).flatten().numpy()
    return found


class Chunker(ChunkParserI):  # type: ignore[misc]  # NLTK is not typed
    """A tagger of chunks as NLTK's chunk parser, whose trees have depth 1. Raises InputError for other tags."""

    def __init__(self, tagger: Tagger, root: str = "S") -> None:
        if tagger.scheme is None:
            raise InputError("this tagger's tags are no chunk tags")
        self.tagger, self.root = tagger, root

    def parse(self, tokens: Iterable[Any]) -> Tree:
        """The chunks of a sentence, given as words or as (word, tag) pairs, which become the leaves."""
        leaves = list(sequence_of_words(tokens))
        words = [leaf if isinstance(leaf, str) else leaf[0] for leaf in leaves]
        tree, place = Tree(self.root, []), 0
        for chunk in chunks([tag for _, tag in self.tagger.tag(words)]):
            tree.extend(leaves[place : chunk.start])
            tree.append(Tree(chunk.kind, leaves[chunk.start : chunk.end]))
            place = chunk.end
        tree.extend(leaves[place:])
        return tree
