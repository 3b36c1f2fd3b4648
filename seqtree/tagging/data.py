"""Tagged sentences to train and validate on, and the names in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from seqtree.errors import InputError
from seqtree.tagging.config import ColumnSettings
from seqtree.tagging.model import canonical_scheme
from seqtree.text.chunks import OUTSIDE, rewritten, scheme_of
from seqtree.text.columns import Tagged, read_tagged
from seqtree.text.lexicon import NOTHING, Known, LabelSet, Lexicon
from seqtree.text.reading import numbered_lines, sources

MANY, MANY_SHARE = 100, 0.1  # tags, and of the words, of which so many tags are hardly tags


class TagData(NamedTuple):
    """Training sentences, sentences to validate on, and the scheme of their chunk tags, if they are any."""

    training: list[Tagged]
    valid: list[Tagged]
    scheme: str | None


def read_sentences(
    specs: Sequence[str],
    columns: ColumnSettings,
    say: Callable[[str], object],
    intents: Sequence[str] = (),
    known: Collection[str] = (),
) -> list[Tagged]:
    """The sentences that ``specs`` name, with the intents of files of intent<TAB>text, if there are any.

    ``known``: tags by which their column is found. Raises InputError, naming file and line, for rows and lines that do
    not fit.
    """
    found = read_tagged(specs, columns.word_column, columns.tag_column, columns.encoding, say, known)
    return _with_intents(found, intents, columns.encoding) if intents else found


def canonical(tags: Sequence[str], scheme: str | None) -> tuple[str, ...]:
    """A sentence's tags as a network learns them: chunk tags in BIOES or BMES, whatever was wrong with them mended."""
    chosen = canonical_scheme(scheme)
    return tuple(tags) if chosen is None else rewritten(tags, chosen)


def names_in(
    sentences: Iterable[Tagged], scheme: str | None, min_count: int, more: Known = NOTHING
) -> tuple[Lexicon, LabelSet[str], LabelSet[str]]:
    """The words, tags and intents of sentences, and ``more`` words; words below ``min_count`` are left to ``<unk>``.

    Chunk tags always have one that can stand alone.
    """
    words: Counter[str] = Counter()
    tags = set() if scheme is None else {"S" if scheme == "bmes" else OUTSIDE}
    intents = set()
    for sentence in sentences:
        words.update(sentence.words)
        tags.update(canonical(sentence.tags, scheme))
        intents.update({sentence.intent} - {None})
    return Lexicon.build(words, min_count, more), LabelSet(sorted(tags)), LabelSet(sorted(map(str, intents)))


def check_tags(sentences: Sequence[Tagged], say: Callable[[str], object]) -> str | None:
    """The scheme of training tags; ``say`` is told if some break it. Raises InputError if there is one tag only."""
    scheme = scheme_of(sentence.tags for sentence in sentences)
    tags, words = {tag for one in sentences for tag in one.tags}, sum(len(one.words) for one in sentences)
    if len(tags) < 2:
        raise InputError(f"{sentences[0].place}: every tag is {sentences[0].tags[0]}; expected several to tell apart")
    if len(tags) > max(MANY, MANY_SHARE * words):
        say(f"{len(tags):,} different tags of {words:,} words: are these the tags? See --tag-column")
    tell_of_broken(sentences, scheme, say)
    return scheme


def tell_of_broken(sentences: Sequence[Tagged], scheme: str | None, say: Callable[[str], object]) -> None:
    """``say`` how many sentences have tags that break the scheme, if any do."""
    if scheme is None or not (broken := [one for one in sentences if rewritten(one.tags, scheme) != one.tags]):
        return
    first = broken[0].tags
    tag = next(tag for tag, allowed in zip(first, rewritten(first, scheme), strict=True) if tag != allowed)
    some = f"{len(broken):,} sentences, the first at {broken[0].place} ({tag}), have"
    which = some if len(broken) > 1 else f"the sentence at {broken[0].place} ({tag}) has"
    say(f"{which} tags that {scheme.upper()} does not allow; read as conlleval reads them")


def _with_intents(sentences: Sequence[Tagged], files: Sequence[str], encoding: str) -> list[Tagged]:
    said: list[tuple[str, str, str]] = []
    with sources(files) as (found,):
        for source in found:
            for number, line in numbered_lines([source], encoding):
                intent, tab, text = line.partition("\t")
                if not tab or not intent.strip():
                    raise InputError(f"{source.name}:{number}: expected intent<TAB>text")
                said.append((intent.strip(), text, f"{source.name}:{number}"))
    if len(said) != len(sentences):
        raise InputError(f"{', '.join(files)}: {len(said):,} intents for {len(sentences):,} sentences")
    for (_, text, place), sentence in zip(said, sentences, strict=True):
        if tuple(text.split()) != sentence.words:
            raise InputError(f"{place}: its words are not those of the sentence at {sentence.place}")
    return [one._replace(intent=intent) for one, (intent, _, _) in zip(sentences, said, strict=True)]
