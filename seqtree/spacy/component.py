"""The component: it gives the sentences of documents to seqtree's models, many at once."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from itertools import islice
from multiprocessing import parent_process
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from seqtree.errors import InputError, ModelFileError
from seqtree.shipped import DEFAULT, located
from seqtree.spacy.attributes import STORED, add_attributes
from seqtree.spacy.sentence_tree import stored_tree, token_lengths

if TYPE_CHECKING:
    from spacy.tokens import Doc, Span, Token

    from seqtree.text.sentences import Word

SENTENCES = 2048  # that go to the parser at once
ErrorHandler = Callable[[str, Any, list[Any], Exception], object]
KINDS = {"parser": "parser", "tagger": "tagger", "lm": "language-model"}
SETTINGS = {
    "parser": DEFAULT,
    "tagger": None,
    "lm": None,
    "set_tags": True,
    "split_sentences": True,
    "batch_size": SENTENCES,
}
ASSIGNS = ["token.tag", "token.is_sent_start", "token._.surprisal", "span._.constituents", "span._.children"]
ASSIGNS += [f"{kind}._.{name}" for kind in ("span", "token") for name in ("parse_string", "labels", "parent")]


class _Sentence(NamedTuple):
    """A sentence of a document, and those of its tokens that are words, not white space."""

    span: Span
    words: list[Token]

    @classmethod
    def of(cls, span: Span) -> _Sentence:
        return cls(span, [token for token in span if not token.is_space])

    def forms(self, known: Container[str]) -> list[Word]:
        """The words as they are, with their forms for a model."""
        from seqtree.text.sentences import words_as_given

        return words_as_given((token.text for token in self.words), known)

    def set_tags(self, tags: Sequence[str | None]) -> None:
        """Give each word its tag, if it has none; ``tags`` may be empty."""
        for token, tag in zip(self.words, tags, strict=False):
            if tag is not None and not token.tag:
                token.tag_ = tag


class Component:
    """A component of spaCy's pipelines that gives documents trees, tags and surprisals; see ``docs/spacy.md``.

    parser, tagger, lm: model files, run folders or names of models that come with seqtree, or None. set_tags: whether
    tokens without a tag get one, from the tagger, or else from the parser. split_sentences: whether a document in which
    nothing has marked sentences is split by seqtree's rules, not taken as one sentence. batch_size: how many sentences
    are parsed at once. name: the component's in its pipeline, for a handler of errors. Models are opened on first use;
    a copy by ``pickle`` has none of their weights, and opens them itself. Raises InputError without spaCy, for models
    that are not there, and for a ``batch_size`` below 1.
    """

    def __init__(
        self,
        parser: str | None = DEFAULT,
        tagger: str | None = None,
        lm: str | None = None,
        *,
        set_tags: bool = True,
        split_sentences: bool = True,
        batch_size: int = SENTENCES,
        name: str = "seqtree",
    ) -> None:
        add_attributes(trees=parser is not None, surprisals=lm is not None)
        if batch_size < 1:
            raise InputError(f"batch_size {batch_size}: expected at least 1")
        named = {"parser": parser, "tagger": tagger, "lm": lm}
        self.files = {use: _file(name, KINDS[use]) for use, name in named.items() if name is not None}
        self.set_tags, self.split_sentences, self.batch_size = set_tags, split_sentences, batch_size
        self.name = name
        self._error_handler: ErrorHandler = _raise
        self._models: dict[str, Any] = {}
        self._process = os.getpid()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_models": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        add_attributes(trees="parser" in self.files, surprisals="lm" in self.files)
        if parent_process() is None:  # a copy in a program itself; in another process, it has one of many cores
            self._process = os.getpid()

    def __call__(self, doc: Doc) -> Doc:
        """The document, with all that the models find in it."""
        self._mark_sentences(doc)
        self._annotate([doc])
        return doc

    def pipe(self, stream: Iterable[Doc], batch_size: int | None = None) -> Iterator[Doc]:
        """The documents in their order, ``batch_size`` of them at once, or fewer that have enough sentences.

        What goes wrong is told to the handler of errors; if it goes on, the documents that were at work are left out.
        """
        docs: list[Doc] = []
        waiting = 0
        for doc in stream:
            self._mark_sentences(doc)
            docs.append(doc)
            waiting += sum(1 for _ in doc.sents)
            if waiting >= self.batch_size or len(docs) == batch_size:
                yield from self._annotated(docs)
                docs, waiting = [], 0
        yield from self._annotated(docs)

    def set_error_handler(self, error_handler: ErrorHandler) -> None:
        """Who is told of an error in ``pipe``: by this name, component and documents, as ``nlp.set_error_handler``."""
        self._error_handler = error_handler

    def get_error_handler(self) -> ErrorHandler:
        """Who is told of an error; by default it is raised."""
        return self._error_handler

    def _annotated(self, docs: list[Doc]) -> list[Doc]:
        """The documents, with all that the models find in them; none if that fails."""
        try:
            self._annotate(docs)
        except Exception as error:
            self._error_handler(self.name, self, docs, error)
            return []
        return docs

    def _annotate(self, docs: Sequence[Doc]) -> None:
        if not docs:
            return
        sentences = [_Sentence.of(span) for doc in docs for span in doc.sents]
        self._limit_threads()
        tags: Iterable[Sequence[str | None]] = [() for _ in sentences]
        if "parser" in self.files:
            tags = self._parse(sentences)
        if self.set_tags:
            if "tagger" in self.files:
                tags = self._tags(sentences)
            for sentence, found in zip(sentences, tags, strict=True):
                sentence.set_tags(found)
        if "lm" in self.files:
            self._score(docs, sentences)

    def _mark_sentences(self, doc: Doc) -> None:
        """Mark where sentences begin, unless something has."""
        if len(doc) == 0 or doc.has_annotation("SENT_START"):
            return
        starts = _sentence_starts(doc) if self.split_sentences else set()
        for token in doc:
            token.is_sent_start = token.i == 0 or token.i in starts

    def _parse(self, sentences: Sequence[_Sentence]) -> list[Sequence[str | None]]:
        """Store the tree of each sentence; returns the tags of its words there."""
        parser, tags = self._model("parser"), []
        parses = parser.parses(sentence.forms(parser.lexicon.words) for sentence in sentences)
        for sentence, parse in zip(sentences, parses, strict=True):
            first = sentence.span.start
            places = [token.i - first for token in sentence.words]
            sentence.span._.set(STORED, stored_tree(parse, places, token_lengths(sentence.span)))
            tags.append(parse.binary.tags if parse else ())
        return tags

    def _tags(self, sentences: Sequence[_Sentence]) -> Iterator[Sequence[str]]:
        tagger = self._model("tagger")
        taggings = tagger.taggings(sentence.forms(tagger.lexicon.words) for sentence in sentences)
        return (found.tags if found else () for found in taggings)

    def _score(self, docs: Sequence[Doc], sentences: Sequence[_Sentence]) -> None:
        from seqtree.spacy.surprisal import surprisals

        model, left = self._model("lm"), iter(sentences)
        for doc in docs:
            words = [sentence.words for sentence in islice(left, sum(1 for _ in doc.sents))]
            for token, bits in surprisals(model, doc, words):
                token._.surprisal = bits

    def _model(self, use: str) -> Any:
        """The model for a use, opened once. Raises ModelFileError for another kind, InputError for tags of chunks."""
        if use not in self._models:
            from seqtree.tasks import TASKS, named

            file, kind = self.files[use], KINDS[use]
            model = named(next(task.model for task in TASKS.values() if task.kind == kind)).load(file)
            if use == "tagger" and model.scheme is not None:
                raise InputError(f"{file}: its tags are of chunks ({model.scheme}), expected those of parts of speech")
            self._models[use] = model
        return self._models[use]

    def _limit_threads(self) -> None:
        """One thread in a process of ``nlp.pipe(n_process=...)``: cores are shared, and a fork waits for its others."""
        if self._process != os.getpid():
            import torch

            torch.set_num_threads(1)
            self._process = os.getpid()


def create(
    nlp: Any,
    name: str,
    parser: str | None,
    tagger: str | None,
    lm: str | None,
    set_tags: bool,
    split_sentences: bool,
    batch_size: int,
) -> Component:
    """The factory that spaCy calls for ``nlp.add_pipe("seqtree", config={...})``."""
    return Component(
        parser, tagger, lm, set_tags=set_tags, split_sentences=split_sentences, batch_size=batch_size, name=name
    )


def register() -> None:
    """Make the factory known to spaCy."""
    from spacy.language import Language

    Language.factory("seqtree", default_config=SETTINGS, assigns=ASSIGNS, func=create)


def _raise(name: str, component: Any, docs: list[Any], error: Exception) -> NoReturn:
    raise error


def _file(name: str, kind: str) -> Path:
    """The absolute path of a model's file. Raises ModelFileError if it is not there."""
    file = located(name, kind).resolve()
    if not file.exists():
        raise ModelFileError(f"{file}: no such model file; expected a {kind}")
    return file


def _sentence_starts(doc: Doc) -> set[int]:
    """Where sentences after the first begin, by seqtree's rules; one that begins within a token has the next token."""
    from seqtree.text.splitting import split_sentences

    text, tokens, place = doc.text, [token.idx for token in doc], 0
    starts = []
    for sentence in split_sentences(text):
        place = text.index(sentence, place)
        starts.append(bisect_left(tokens, place))
        place += len(sentence)
    return set(starts[1:])  # the first has white space before it
