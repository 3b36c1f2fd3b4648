"""The attributes of spans and tokens that show a document's trees, by the names that benepar gave them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from seqtree.errors import InputError
from seqtree.extras import needed
from seqtree.spacy.sentence_tree import SentenceTree, token_lengths

if TYPE_CHECKING:
    from spacy.tokens import Span, Token

STORED = "seqtree"  # the attribute of a sentence that has its tree


class NotAConstituent(InputError):
    """A span that is no constituent of its sentence was asked for its labels or its tree."""


def add_attributes(trees: bool = True, surprisals: bool = True) -> None:
    """Make the attributes known to spaCy, for documents that were parsed elsewhere; a pipeline with seqtree does it.

    trees: ``parse_string``, ``labels`` and ``parent`` of spans and tokens, ``constituents`` and ``children`` of spans.
    surprisals: ``surprisal`` of tokens. Raises InputError without spaCy, and if another package has such an attribute.
    """
    span, token = _tokens()
    if trees:
        _add(span, STORED, default=None)
        for name, getter in _OF_SPANS.items():
            _add(span, name, getter=getter)
        for name, of_token in _OF_TOKENS.items():
            _add(token, name, getter=of_token)
    if surprisals:
        _add(token, "surprisal", default=None)


def _tokens() -> tuple[Any, Any]:
    """spaCy's classes of spans and tokens. Raises InputError if it is not installed."""
    tokens = needed("spacy.tokens", "spacy", "a component of spaCy needs spaCy")
    return tokens.Span, tokens.Token


def _add(kind: Any, name: str, **what: Any) -> None:
    if not kind.has_extension(name):
        kind.set_extension(name, **what)
        return
    _, method, getter, _ = kind.get_extension(name)
    if method is not None or getter is not what.get("getter"):
        raise InputError(
            f"{kind.__name__}._.{name} is another's already (benepar has the same names); expected a free name: "
            f"call {kind.__name__}.remove_extension({name!r}) first, or leave the other out"
        )


def _tree(span: Span) -> SentenceTree:
    """The tree of the sentence that a span begins in. Raises InputError if there is none."""
    sentence: Any = span.sent if span.doc.has_annotation("SENT_START") else None
    stored = None if sentence is None else sentence._.get(STORED)
    if stored is None:
        raise InputError(
            f"{_named(span)} has no tree: the document was not parsed (nlp.add_pipe('seqtree')), "
            "or its sentences have been split anew since"
        )
    if tuple(stored.get("lengths", ())) != token_lengths(sentence):
        raise InputError(
            f"{_named(span)} has no tree any more: the tokens of its sentence have changed since it was parsed"
        )
    return SentenceTree.of(sentence, stored)


def _place(span: Span, tree: SentenceTree) -> tuple[int, int]:
    """A span's tokens [start, end) in its sentence, without white space at its ends; end is start if that is all."""
    start, end, doc = span.start, span.end, span.doc
    while start < end and doc[end - 1].is_space:
        end -= 1
    while start < end and doc[start].is_space:
        start += 1
    return start - tree.sentence.start, end - tree.sentence.start


def _found(span: Span) -> tuple[SentenceTree, int | None]:
    """The tree of a span and its number there, None for white space.

    Raises NotAConstituent if it is no constituent, InputError without a tree.
    """
    _check_not_empty(span)
    tree = _tree(span)
    start, end = _place(span, tree)
    if start == end:
        return tree, None
    number = tree.find(start, end)
    if number is None:
        around = tree.around(start, end)
        if around is None:
            raise NotAConstituent(f"{_named(span)} goes beyond its sentence, so it is no constituent")
        near = _named(tree.span(around))
        raise NotAConstituent(f"{_named(span)} is no constituent; the smallest that it is in is {near}")
    return tree, number


def _check_not_empty(span: Span) -> None:
    if span.start == span.end:
        raise NotAConstituent(f"the span at token {span.start} is empty; expected a constituent")


def _named(span: Span) -> str:
    return f"{span.text!r} (tokens {span.start} to {span.end})"


def _labels(span: Span) -> tuple[str, ...]:
    tree, number = _found(span)
    return () if number is None else tuple(tree.labels[number])


def _parse_string(span: Span) -> str:
    tree, number = _found(span)
    return "" if number is None else tree.brackets(number)


def _constituents(span: Span) -> Iterator[Span]:
    tree, number = _found(span)
    return map(tree.span, () if number is None else tree.inside(number))


def _children(span: Span) -> Iterator[Span]:
    tree, number = _found(span)
    return map(tree.span, () if number is None else tree.children(number))


def _parent(span: Span) -> Span | None:
    _check_not_empty(span)
    tree = _tree(span)
    start, end = _place(span, tree)
    if start == end:  # white space
        start, end = span.start - tree.sentence.start, span.end - tree.sentence.start
    number = tree.around(start, end)
    return None if number is None else tree.span(number)


def _span(token: Token) -> Span:
    return token.doc[token.i : token.i + 1]


def _labels_of_token(token: Token) -> tuple[str, ...]:
    return _labels(_span(token))


def _parse_string_of_token(token: Token) -> str:
    return _parse_string(_span(token))


def _parent_of_token(token: Token) -> Span | None:
    return _parent(_span(token))


_OF_SPANS = {
    "parse_string": _parse_string,
    "labels": _labels,
    "constituents": _constituents,
    "children": _children,
    "parent": _parent,
}
_OF_TOKENS = {"parse_string": _parse_string_of_token, "labels": _labels_of_token, "parent": _parent_of_token}
