"""How each kind of model reads a phrase: as a bag of word vectors, by its tree, or from left to right."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import ChainMap
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqtree.classification.batches import words_of
from seqtree.classification.model import Classifier
from seqtree.errors import InputError, ModelFileError
from seqtree.language.model import LanguageModel
from seqtree.masked.model import MaskedLanguageModel
from seqtree.model import Model, load
from seqtree.nn.padding import outside
from seqtree.nn.parallel import in_batches
from seqtree.nn.recursive import compose_forest
from seqtree.nn.words import WordEncoder
from seqtree.parsing.model import Parser
from seqtree.parsing.parse import Parse
from seqtree.phrases.phrase import Phrase
from seqtree.tagging.model import Tagger
from seqtree.text.config import SPECIALS
from seqtree.text.corpus import text_tokens
from seqtree.text.lexicon import Lexicon
from seqtree.text.sentences import Word, penn_tokens, words_as_given
from seqtree.text.vectors import VectorFile
from seqtree.text.vocabulary import Vocabulary
from seqtree.translation.model import Translator
from seqtree.treebank.labelled import LabelledTree, unlabelled
from seqtree.trees.batches import make_tree_batch
from seqtree.trees.model import TreeClassifier
from seqtree.trees.network import TreeNetwork

AT_ONCE = 1024  # phrases that are parsed together
VECTORS = (".txt", ".vec", ".gz")  # endings of files of vectors
Vector = npt.NDArray[np.float32]


def known_forms(words: Iterable[str], known: Container[str]) -> list[str]:
    """Words as they are looked up: as written, or in lower case if they are unknown as written."""
    return [word if word in known else word.lower() for word in words]


class WordVectors(NamedTuple):
    """The vectors (V, E) of words, the row of each word, and how a text is cut into words.

    Of a model these are the input embeddings of the words that it knows, without the special ones (``<unk>``, ...).
    """

    rows: dict[str, int]
    table: Vector
    cut: Callable[[str], list[str]]

    def forms(self, phrase: Phrase) -> list[str]:
        """The words of a phrase; one that is known only in lower case is read so."""
        return known_forms(self.cut(phrase.text) if phrase.tree is None else phrase.tree.words, self.rows)

    def ids(self, phrase: Phrase) -> list[int]:
        """The rows of a phrase's words; unknown ones are left out."""
        return [self.rows[word] for word in self.forms(phrase) if word in self.rows]


class Reader(ABC):
    """Reads phrases to vectors; ``size`` is the width of a vector."""

    size: int

    @abstractmethod
    def vectors(self, phrases: Iterable[Phrase]) -> Iterator[Vector | None]:
        """The vector (size,) of each phrase in its order; None for one that cannot be read."""

    def forms(self, phrase: Phrase) -> list[str]:
        """What is read of a phrase: its words as the model looks them up."""
        return phrase.text.split()

    def kinds(self, phrases: Sequence[Phrase]) -> list[str]:
        """What kind of phrase each is; by its number of words where the model cannot say more."""
        counts = [len(phrase.text.split()) for phrase in phrases]
        return [f"{count} words" if 1 < count < 4 else "1 word" if count < 2 else "4 words or more" for count in counts]


class WordReader(Reader):
    """The mean of the vectors of a phrase's words; unknown words do not count."""

    def __init__(self, words: WordVectors) -> None:
        self.words, self.size = words, words.table.shape[1]

    def vectors(self, phrases: Iterable[Phrase]) -> Iterator[Vector | None]:
        for phrase in phrases:
            ids = self.words.ids(phrase)
            yield self.words.table[ids].mean(axis=0) if ids else None

    def forms(self, phrase: Phrase) -> list[str]:
        return self.words.forms(phrase)


class TreeReader(Reader):
    """The vector of the root of a phrase's tree, composed by a parser or a tree classifier.

    A phrase without a tree is parsed: by the parser itself, or by ``parser`` for a tree classifier. Of a tree LSTM's
    node [h; c], the vector is h.
    """

    def __init__(self, model: Parser | TreeClassifier, parser: Callable[[], Parser]) -> None:
        self.model, self._parser = model, parser
        self.size = model.network.composition.output_size

    @cached_property
    def parser(self) -> Parser:
        """The parser of phrases without a tree."""
        return self.model if isinstance(self.model, Parser) else self._parser()

    def vectors(self, phrases: Iterable[Phrase]) -> Iterator[Vector | None]:
        yield from in_batches(self._roots, self.trees(phrases), self.model.device, _size)

    def forms(self, phrase: Phrase) -> list[str]:
        words = phrase.tree.words if phrase.tree else [form for _, form in self.words(phrase.text)]
        return known_forms(words, self.model.lexicon.words)

    def words(self, text: str) -> list[Word]:
        """The words of a text, each with its form for the parser."""
        return penn_tokens(text, self.parser.lexicon.words)

    def trees(self, phrases: Iterable[Phrase]) -> Iterator[LabelledTree | None]:
        """The tree of each phrase, parsed if it has none; None for a phrase without words."""
        source = iter(phrases)
        while chunk := list(islice(source, AT_ONCE)):
            bare = [self.words(phrase.text) for phrase in chunk if phrase.tree is None]
            parses = self.parser.parses(bare) if bare else iter(())
            words = iter(bare)
            for phrase in chunk:
                yield self._read(phrase.tree) if phrase.tree else parsed(next(parses), next(words))

    def kinds(self, phrases: Sequence[Phrase]) -> list[str]:
        if isinstance(self.model, TreeClassifier):
            trees = list(self.trees(phrases))
            labels = (one.label for one in self.model.labellings([tree for tree in trees if tree]))
            return ["" if tree is None else next(labels) for tree in trees]
        parses = self.model.parses(self.words(phrase.text) for phrase in phrases)
        return ["" if parse is None else str(parse.tree.label()) for parse in parses]

    def _read(self, tree: LabelledTree) -> LabelledTree:
        forms = words_as_given(tree.words, self.model.lexicon.words)
        return replace(tree, words=tuple(form for _, form in forms))

    @torch.inference_mode()
    def _roots(self, trees: Sequence[LabelledTree | None]) -> list[Vector]:
        whole, model = [tree for tree in trees if tree is not None], self.model
        batch = make_tree_batch(whole, [model.lexicon.encode(tree.words) for tree in whole], model.lexicon)
        network = model.network.eval()
        if isinstance(network, TreeNetwork):
            leaves = network.leaves(network.words(batch.sentences, network.products).words)
        else:
            leaves = network.encode(batch.sentences).leaves.float()
        nodes = compose_forest(network.composition, leaves, batch.left, batch.right)
        roots = network.composition.output(nodes[network.words.ids(batch.nodes[batch.ends - 1])])
        return list(roots.float().cpu().numpy())


class RecurrentReader(Reader):
    """What a language model has read of a phrase: the mean of its top layer's states after each token.

    A bidirectional model reads it from the end, too, and both means stand side by side.
    """

    def __init__(self, model: LanguageModel) -> None:
        self.model = model
        config = model.network.config
        self.size = config.output_size * (1 + config.bidirectional)

    def vectors(self, phrases: Iterable[Phrase]) -> Iterator[Vector | None]:
        yield from in_batches(self._means, map(self.ids, phrases), self.model.device)

    def forms(self, phrase: Phrase) -> list[str]:
        return known_forms(text_tokens(phrase.text, self.model.settings), self.model.vocabulary)

    def ids(self, phrase: Phrase) -> list[int]:
        """The tokens of a phrase; words that are known only in lower case are read so."""
        ids: list[int] = self.model.vocabulary.encode(self.forms(phrase)).tolist()
        return ids

    @torch.inference_mode()
    def _means(self, phrases: Sequence[Sequence[int]]) -> list[Vector]:
        network, known = self.model.network.eval(), self.model.vocabulary
        lengths = torch.tensor([len(ids) for ids in phrases], device=self.model.device)
        ids = np.full((1 + len(phrases[0]), len(phrases)), known.end, dtype=np.int64)
        ids[0] = known.start
        for column, tokens in enumerate(phrases):
            ids[1 : len(tokens) + 1, column] = tokens
        found = [_mean(network.recurrent, network.embed(torch.from_numpy(ids).to(lengths.device)), lengths)]
        if network.config.bidirectional:
            for column, tokens in enumerate(phrases):
                ids[1 : len(tokens) + 1, column] = tokens[::-1]
            back = network.embed(torch.from_numpy(ids).to(lengths.device))
            found.append(_mean(network.backward_recurrent, back, lengths))
        return list(torch.cat(found, dim=1).float().cpu().numpy())


def opened(path: str | Path, device: str = "cpu", precision: str | None = None) -> Model[Any] | WordVectors:
    """A model of any kind, as ``seqtree.load`` opens it, or the vectors of a file. Raises InputError."""
    file = Path(path)
    if not file.is_file():
        return load(path, device, precision)
    if file.suffix.lower() in VECTORS:
        return words_of_file(file)
    try:
        return load(path, device, precision)
    except ModelFileError as error:
        if file.suffix.lower() == ".safetensors":
            raise
        form = "word vectors are text (not word2vec's binary form), in files that end in .txt, .vec or .gz"
        raise ModelFileError(f"{error}; {form}") from error


def words_of_file(path: Path) -> WordVectors:
    """The word vectors of a file in word2vec's or GloVe's text form. Raises InputError as ``VectorFile`` does."""
    file, rows = VectorFile.opened(path), dict[str, int]()

    def vectors() -> Iterator[Vector]:
        for word, vector in file.vectors():
            rows[word] = len(rows)
            yield vector

    form: Any = np.dtype((np.float32, file.width))
    table: Vector = np.fromiter(vectors(), form)  # one array that grows: files may have millions of words
    if not rows:
        raise InputError(f"{path}: no word in it that can be read")
    whole = ChainMap(rows, dict.fromkeys(SPECIALS["word"], -1))  # <s> is one word, even of a file without it
    return WordVectors(rows, table, lambda text: _words_of_file(text, whole))


def _words_of_file(text: str, known: Container[str]) -> list[str]:
    """The words of a text: one, if the file has the whole of it, with spaces or, as in word2vec's form, with _.

    Like any word, the whole is looked up as written and then in lower case.
    """
    parts = text.split()
    forms = (text, " ".join(parts), "_".join(parts))
    whole = next((form for form in (*forms, *map(str.lower, forms)) if form in known), None)
    return [form for _, form in penn_tokens(text, known)] if whole is None else [whole]


def composer(model: Model[Any] | WordVectors, parser: Callable[[], Parser]) -> Reader | None:
    """What reads whole phrases by a model that composes them; None for any other."""
    if isinstance(model, (Parser, TreeClassifier)):
        return TreeReader(model, parser)
    return RecurrentReader(model) if isinstance(model, LanguageModel) else None


def words_of_model(model: Model[Any] | WordVectors) -> WordVectors:
    """A model's word vectors. Raises InputError if it has none."""
    if isinstance(model, WordVectors):
        return model
    if isinstance(model, LanguageModel) and model.vocabulary.unit == "word" and not model.network.config.one_hot:
        settings = model.settings
        return _vectors(model.vocabulary, model.network.embedding.weight, lambda text: text_tokens(text, settings))
    if isinstance(model, Translator):
        return _vectors(model.source.vocabulary, model.network.source.weight, model.source.tokens)
    if isinstance(model, Classifier):
        unit, lower = model.unit, model.lower
        return _encoded(model.lexicon, model.network.words, lambda text: words_of(text, unit, lower))
    if isinstance(model, (Parser, TreeClassifier, Tagger, MaskedLanguageModel)):
        known = model.lexicon.words
        return _encoded(model.lexicon, model.network.words, lambda text: [form for _, form in penn_tokens(text, known)])
    if isinstance(model, LanguageModel):
        what = "with --one-hot" if model.network.config.one_hot else "over characters"
        raise InputError(
            f"a language model {what} has no word vectors; expected one over words, or phrases from a FILE (near: "
            "--among FILE) and --as phrases"
        )
    raise InputError(f"expected a model that reads words, not one of the kind {model.kind}")


def parsed(parse: Parse | None, words: Sequence[Word]) -> LabelledTree | None:
    """A parse as a binary tree over the forms that the model knows; None for None."""
    return None if parse is None else unlabelled(parse.binary, words)


def _encoded(lexicon: Lexicon, words: WordEncoder, cut: Callable[[str], list[str]]) -> WordVectors:
    if not words.config.words:
        raise InputError("a model with --words 0 has no word vectors; expected --as phrases")
    return _vectors(lexicon.words, words.embedding.weight, cut)


def _vectors(vocabulary: Vocabulary, weight: Tensor, cut: Callable[[str], list[str]]) -> WordVectors:
    specials = len(SPECIALS["word"])
    table = weight.detach().float().cpu().numpy()[specials:]
    table.flags.writeable = False  # it may be the model's own
    return WordVectors({word: row for row, word in enumerate(vocabulary.tokens[specials:])}, table, cut)


def _mean(recurrent: torch.nn.Module, input: Tensor, lengths: Tensor) -> Tensor:
    """The mean (B, H) of the states after the first ``lengths`` (B,) tokens of ``input`` (1 + T, B, E)."""
    states, _ = recurrent(input)
    inside = ~outside(len(states) - 1, lengths)[:, :, None]  # (T, B, 1)
    mean: Tensor = (states[1:] * inside).sum(dim=0) / lengths[:, None]
    return mean


def _size(tree: LabelledTree | None) -> int:
    return 0 if tree is None else len(tree)
