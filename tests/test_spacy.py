"""The component of spaCy's pipelines: trees, tags and surprisals are the models', whatever spaCy makes a token of."""

from __future__ import annotations

import doctest
import os
import pickle
import random
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from language_helpers import model
from nltk.tree import Tree
from parsing_helpers import random_sentences, small_parser

import seqtree.spacy
from seqtree import LanguageModel, Parser, Tagger
from seqtree.errors import InputError, ModelFileError
from seqtree.parsing.formats import as_bracket
from seqtree.parsing.parse import Parse
from seqtree.spacy.sentence_tree import SentenceTree, stored_tree, token_lengths
from seqtree.tagging.config import TaggerNetworkConfig
from seqtree.text.lexicon import LabelSet, Lexicon
from seqtree.text.sentences import words_as_given
from seqtree.treebank.binary import binarise

PAGE = Path(__file__).parent.parent / "docs" / "spacy.md"
TEXTS = ["The cat sat on the mat. A dog ran.", "", " \n", "It (can't) sit.\n\n  The   end. ", "A man saw a dog"]

spacy = pytest.importorskip("spacy", reason="spaCy is not installed: pip install 'seqtree[spacy]'")
Doc, DocBin, Span = spacy.tokens.Doc, spacy.tokens.DocBin, spacy.tokens.Span


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small models."""
    folder = tmp_path_factory.mktemp("models")
    small_parser().save(folder / "parser.safetensors")
    model(unit="char").save(folder / "characters.safetensors")
    model(unit="word").save(folder / "words.safetensors")
    for name, tags, scheme in (("tagger", "NN VB DT", None), ("chunker", "O B-NP I-NP E-NP S-NP", "iob2")):
        lexicon = Lexicon.build({"cat": 2, "the": 3, "sat": 1})
        shape = TaggerNetworkConfig(words=4, characters=4, hidden=4)
        Tagger.over(lexicon, LabelSet(tags.split()), LabelSet([]), scheme, shape).save(folder / f"{name}.safetensors")
    return folder


def _pipeline(files: Path, parser: str | None = "parser", **config: Any) -> Any:
    nlp = spacy.blank("en")
    named = {key: str(files / f"{config[key]}.safetensors") for key in ("tagger", "lm") if key in config}
    path = None if parser is None else str(files / f"{parser}.safetensors")
    nlp.add_pipe("seqtree", config={**config, "parser": path, **named})
    return nlp


def _trees(docs: Iterable[Doc]) -> list[list[str]]:
    return [[sentence._.parse_string for sentence in doc.sents] for doc in docs]


def _expected(parser: Parser, doc: Doc) -> list[str]:
    """The trees of a document, by the parser alone."""
    words = [[token.text for token in sentence if not token.is_space] for sentence in doc.sents]
    return [as_bracket(next(iter(parser.parses([words_as_given(some, parser.lexicon.words)])))) for some in words]


def _spaced(words: list[str], rng: random.Random) -> list[str]:
    """Words with white space among them as tokens."""
    made: list[str] = []
    for word in [*words, ""]:
        made += rng.choice([[], [], ["\n"], [" ", "\n\n"]])
        made += [word] if word else []
    return made


def _nodes(tree: Tree) -> Iterator[tuple[tuple[int, int], list[str]]]:
    """The constituents of a tree of tagged words in pre-order: their words and labels; chains are one."""

    def walk(node: Tree, first: int, above: list[str]) -> Iterator[tuple[tuple[int, int], list[str]]]:
        if isinstance(node[0], str):  # a word with its tag
            yield (first, first + 1), above
        elif len(node) == 1:
            yield from walk(node[0], first, [*above, node.label()])
        else:
            yield (first, first + len(node.leaves())), [*above, node.label()]
            for child in node:
                yield from walk(child, first, [])
                first += len(child.leaves())

    return walk(tree, 0, [])


def test_every_span_of_a_document_has_what_the_tree_says(files: Path) -> None:
    """Compared with every span of the tree, one by one."""
    nlp, parser, rng = _pipeline(files), Parser.load(files / "parser.safetensors"), random.Random(1)
    component = nlp.get_pipe("seqtree")
    for words in random_sentences(parser.lexicon, (1, 2, 3, 5, 9, 14), seed=3):
        given = _spaced(words, rng)
        doc = component(Doc(nlp.vocab, words=given, sent_starts=[True] + [False] * (len(given) - 1)))
        (sentence,) = doc.sents
        (parse,) = parser.parses([words_as_given(words, parser.lexicon.words)])
        assert parse is not None
        assert sentence._.parse_string == as_bracket(parse)
        labels = dict(_nodes(parse.tree))
        place = [i for i, word in enumerate(given) if not word.isspace()]
        assert [_words(span, place) for span in sentence._.constituents] == list(labels)
        for start in range(len(doc)):
            for end in range(start + 1, len(doc) + 1):
                _check(doc[start:end], _words(doc[start:end], place), labels, place)


def _words(span: Span, place: list[int]) -> tuple[int, int]:
    """Which words of the sentence a span has, [start, end)."""
    inside = [number for number, token in enumerate(place) if span.start <= token < span.end]
    return (inside[0], inside[-1] + 1) if inside else (0, 0)


def _check(span: Span, words: tuple[int, int], labels: dict[tuple[int, int], list[str]], place: list[int]) -> None:
    def within(inner: tuple[int, int], outer: tuple[int, int]) -> bool:
        return outer[0] <= inner[0] and inner[1] <= outer[1] and inner != outer

    if words == (0, 0):
        assert (span._.labels, span._.parse_string, [*span._.constituents], [*span._.children]) == ((), "", [], [])
        assert span._.parent.start <= span.start and span.end <= span._.parent.end
        return
    around = [other for other in labels if within(words, other)]
    parent = min(around, key=lambda other: other[1] - other[0], default=None)
    assert (None if span._.parent is None else _words(span._.parent, place)) == parent
    if words not in labels:
        for name in ("labels", "parse_string", "constituents", "children"):
            with pytest.raises(seqtree.spacy.NotAConstituent, match="is no constituent; the smallest"):
                span._.get(name)
        return
    assert span._.labels == tuple(labels[words])
    inner = [other for other in labels if within(other, words)]
    assert [_words(one, place) for one in span._.constituents] == [words, *inner]
    largest = [one for one in inner if not any(within(one, other) for other in inner)]
    assert [_words(one, place) for one in span._.children] == largest
    if len(span) == 1:
        token = span[0]
        assert (token._.labels, token._.parse_string, token._.parent) == (
            span._.labels,
            span._.parse_string,
            span._.parent,
        )
    assert Tree.fromstring(span._.parse_string).leaves() == [span.doc[i].text for i in place[slice(*words)]]


def test_constituents_are_the_tokens_that_they_have(files: Path) -> None:
    """The sentence is its own first constituent, with all its tokens; others do not end with white space."""
    doc = _pipeline(files)("\n The cat  sat on the mat .  ")
    (sentence,) = doc.sents
    first, *others = sentence._.constituents
    assert first == sentence == doc[:]
    assert all(not span[0].is_space and not span[-1].is_space for span in others)
    for child in sentence._.children:
        assert child._.parent == sentence
    assert doc[0]._.parent == sentence
    assert sentence._.parent is None


def test_a_document_that_was_not_parsed(files: Path) -> None:
    nlp = _pipeline(files)
    with pytest.raises(InputError, match=r"'cat' \(tokens 0 to 1\) has no tree: the document was not parsed"):
        _ = nlp.make_doc("cat sat")[0]._.labels
    doc = nlp("the cat sat on the mat")
    with pytest.raises(seqtree.spacy.NotAConstituent, match="is empty"):
        _ = doc[1:1]._.labels
    doc[3].is_sent_start = True
    with pytest.raises(InputError, match="or its sentences have been split anew since"):
        _ = doc[3:]._.labels
    doc[3].is_sent_start = False
    assert doc[:]._.labels
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2])
    with pytest.raises(InputError, match="the tokens of its sentence have changed"):
        _ = doc[1:]._.parse_string


def test_other_tokens_of_the_same_number_have_no_tree(files: Path) -> None:
    doc = _pipeline(files)("the cat sat on the mat")
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2])
        retokenizer.split(doc[5], ["m", "at"], [doc[4], doc[4]])
    assert len(doc) == 6
    with pytest.raises(InputError, match="the tokens of its sentence have changed"):
        _ = doc[:]._.parse_string


def test_errors_are_told_to_the_handler_of_the_pipeline(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = _pipeline(files)
    parses, told = Parser.parses, []

    def fails(self: Parser, sentences: Iterable[Any]) -> Iterator[Parse | None]:
        batch = list(sentences)
        if any(form == "dog" for words in batch for _, form in words):
            raise ValueError("no dogs")
        return parses(self, batch)

    monkeypatch.setattr(Parser, "parses", fails)
    texts = ["A cat sat.", "A dog ran.", "A man saw it."]
    with pytest.raises(ValueError, match="no dogs"):
        list(nlp.pipe(texts, batch_size=1))
    nlp.set_error_handler(lambda name, _, docs, error: told.append((name, [doc.text for doc in docs], str(error))))
    assert [doc.text for doc in nlp.pipe(texts, batch_size=1)] == [texts[0], texts[2]]
    assert told == [("seqtree", [texts[1]], "no dogs")]
    assert nlp.get_pipe("seqtree").get_error_handler() is nlp.default_error_handler


def test_a_span_of_two_sentences(files: Path) -> None:
    doc = _pipeline(files)("The cat sat. A dog ran.")
    with pytest.raises(seqtree.spacy.NotAConstituent, match="goes beyond its sentence"):
        _ = doc[2:6]._.labels
    assert doc[2:6]._.parent is None


def test_a_deep_tree() -> None:
    depth = 4000
    tree: Any = Tree("NN", ["x"])
    for _ in range(depth):
        tree = Tree("S", [Tree("DT", ["(a"]), tree])
    parse = Parse(binarise(tree), (), ())
    doc = Doc(spacy.blank("en").vocab, words=["(a"] * depth + ["x"])
    found = SentenceTree.of(doc[:], stored_tree(parse, range(depth + 1), token_lengths(doc)))
    assert found.brackets(0) == as_bracket(parse)
    assert found.brackets(0).startswith("(S (DT -LRB-a) (S")
    assert [*found.children(0)] == [1, 2]


def test_sentences_are_split_where_nothing_has_marked_them(files: Path) -> None:
    text = "\n Mr. Smith saw a cat.It ran.\n\nA mat\n"
    assert [sent.text.strip() for sent in _pipeline(files)(text).sents] == ["Mr. Smith saw a cat.It ran.", "A mat"]
    text = "\n Mr. Smith saw a cat. It ran.\n\nA mat\n"
    doc = _pipeline(files)(text)
    assert [sent.text.strip() for sent in doc.sents] == ["Mr. Smith saw a cat.", "It ran.", "A mat"]
    assert "".join(token.text_with_ws for sent in doc.sents for token in sent) == text
    assert [sent.text for sent in _pipeline(files, split_sentences=False)(text).sents] == [text]


def test_sentences_of_other_components_are_kept(files: Path) -> None:
    nlp = _pipeline(files)
    nlp.add_pipe("sentencizer", first=True, config={"punct_chars": [","]})
    doc = nlp("It ran. Off, it ran.")
    assert [sent.text for sent in doc.sents] == ["It ran. Off,", "it ran."]
    assert _trees([doc]) == [_expected(Parser.load(files / "parser.safetensors"), doc)]


@pytest.mark.parametrize(
    ("documents", "sentences", "calls"), [(1000, 2048, [6]), (1000, 2, [2, 3, 1]), (2, 9, [2, 3, 1])]
)
def test_sentences_are_parsed_together(
    documents: int, sentences: int, calls: list[int], files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[int] = []
    parses = Parser.parses

    def counted(self: Parser, sentences: Iterable[Any]) -> Iterator[Parse | None]:
        batch = list(sentences)
        given.append(len(batch))
        return parses(self, batch)

    monkeypatch.setattr(Parser, "parses", counted)
    nlp = _pipeline(files, batch_size=sentences)
    docs = list(nlp.pipe(TEXTS, batch_size=documents))
    assert [count for count in given if count] == calls
    assert [doc.text for doc in docs] == TEXTS
    parser = Parser.load(files / "parser.safetensors")
    assert _trees(docs) == [_expected(parser, doc) for doc in docs] == _trees(map(nlp, TEXTS))
    assert [len(trees) for trees in _trees(docs)] == [2, 0, 1, 2, 1]
    assert _trees(docs)[2] == [""]


def test_documents_keep_their_trees(files: Path, tmp_path: Path) -> None:
    nlp = _pipeline(files, lm="words")
    docs = list(nlp.pipe(TEXTS))
    expected = [(_trees([doc]), [token._.surprisal for token in doc]) for doc in docs]
    stored = DocBin(docs=docs, store_user_data=True).to_bytes()
    for again in (
        [Doc(nlp.vocab).from_bytes(doc.to_bytes()) for doc in docs],
        list(DocBin().from_bytes(stored).get_docs(spacy.blank("en").vocab)),
        [pickle.loads(pickle.dumps(doc)) for doc in docs],
    ):
        assert [(_trees([doc]), [token._.surprisal for token in doc]) for doc in again] == expected
    second = list(docs[0].sents)[1]
    alone, together = second.as_doc(copy_user_data=True), Doc.from_docs([docs[3], docs[0]])
    assert _trees([alone]) == [[second._.parse_string]]
    assert together is not None
    assert _trees([together]) == [_trees([docs[3]])[0] + _trees([docs[0]])[0]]
    assert docs[0][0:4]._.get("seqtree") is None
    known = docs[0][0:7]._.seqtree
    assert set(known) == {"lengths", "starts", "ends", "labels", "tags"}
    docs[0][0:7]._.set("seqtree", {"tokens": len(known.pop("lengths")), **known})  # as they were once stored
    with pytest.raises(InputError, match="has no tree any more"):
        _trees([docs[0]])


def test_pipelines_are_saved(files: Path, tmp_path: Path) -> None:
    nlp = _pipeline(files, batch_size=7, set_tags=False)
    expected = _trees(nlp.pipe(TEXTS))
    nlp.to_disk(tmp_path / "pipeline")
    loaded = [spacy.load(tmp_path / "pipeline"), spacy.blank("en", config=nlp.config).from_bytes(nlp.to_bytes())]
    for again in loaded:
        component = again.get_pipe("seqtree")
        assert (component.batch_size, component.set_tags) == (7, False)
        assert _trees(again.pipe(TEXTS)) == expected


def test_a_copy_has_no_weights(files: Path) -> None:
    component = _pipeline(files, lm="words").get_pipe("seqtree")
    doc = spacy.blank("en")(TEXTS[0])
    expected = _trees([component(doc)])
    pickled = pickle.dumps(component)
    assert len(pickled) < 2000
    assert _trees([pickle.loads(pickled)(doc)]) == expected


def test_another_process_has_one_thread(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fork, and a process that is given a copy; but no copy in the program itself."""
    numbers: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", numbers.append)
    component = _pipeline(files, parser=None).get_pipe("seqtree")
    doc = spacy.blank("en")("A cat")
    pickle.loads(pickle.dumps(component))(component(doc))
    assert numbers == []
    here = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: here + 1)
    component(component(doc))
    assert numbers == [1]
    pickled = pickle.dumps(component)
    monkeypatch.setattr(os, "getpid", lambda: here + 2)
    pickle.loads(pickled)(doc)
    assert numbers == [1]
    monkeypatch.setattr(seqtree.spacy.component, "parent_process", lambda: object())
    pickle.loads(pickled)(doc)
    assert numbers == [1, 1]


def test_tags_are_set_where_there_are_none(files: Path) -> None:
    nlp = spacy.blank("en")
    doc = nlp("the cat \n sat")
    doc[1].tag_ = "XX"
    tagger = Tagger.load(files / "tagger.safetensors")
    tags = [tag for _, tag in tagger.tag(["the", "cat", "sat"])]
    tagged = _pipeline(files, tagger="tagger").get_pipe("seqtree")(doc)
    assert [token.tag_ for token in tagged] == [tags[0], "XX", "", tags[2]]
    (tree,) = (Tree.fromstring(sent._.parse_string) for sent in tagged.sents)
    parsed = [token.tag_ for token in _pipeline(files)("the cat \n sat") if not token.is_space]
    assert parsed == [tag for _, tag in tree.pos()]
    assert [token.tag_ for token in _pipeline(files, tagger="tagger", parser=None)("the cat sat")] == tags
    assert {token.tag_ for token in _pipeline(files, tagger="tagger", set_tags=False)("the cat sat")} == {""}


def test_surprisal_of_words(files: Path) -> None:
    doc = _pipeline(files, lm="words")('The cat  sat on "the" mat. A zebra ran.')
    lm = LanguageModel.load(files / "words.safetensors")
    tokens = [token.text for token in doc if not token.is_space]
    first = tokens.index(".") + 1
    scores = lm.score(" ".join(tokens[:first]) + "\n" + " ".join(tokens[first:]) + "\n")
    expected = [score.surprisal for score in scores if score.token != "</s>"]
    assert [token._.surprisal for token in doc if not token.is_space] == pytest.approx(expected, rel=1e-5)
    assert [token._.surprisal for token in doc if token.is_space] == [None]


@pytest.mark.parametrize("text", ["the cat  sat\non \n\n the mat \n", "\n\n the cat", "the man\n a mat  "])
@pytest.mark.parametrize("documents", ["text", "lines"])
def test_surprisal_of_words_by_their_characters(documents: str, text: str, tmp_path: Path) -> None:
    """As ``score_words`` has them, whose words are what white space separates."""
    lm = model(unit="char")
    if documents == "lines":
        lm = LanguageModel.untrained("the cat sat\non the mat\n", documents="lines", hidden=8, embedding=5)
    lm.save(tmp_path / "lm.safetensors")
    doc = _pipeline(tmp_path, parser=None, lm="lm")(text)
    scores = list(lm.score_words(text))
    found = [token for token in doc if not token.is_space]
    assert [token.text for token in found] == [score.word for score in scores]
    expected = [score.surprisal for score in scores]
    if documents == "lines" and not text.endswith("\n"):  # the end that the last line lacks is no character of the text
        expected[-1] -= [score.surprisal for _, score in lm.score_lines(text)][-1]
    assert [token._.surprisal for token in found] == pytest.approx(expected, rel=1e-5)


def test_surprisal_of_tokens_by_their_characters(files: Path) -> None:
    """Each character counts once: those of a token, and the white space before it."""
    text = "The cat can't sit. (A man)"
    doc = _pipeline(files, parser=None, lm="characters")(text)
    bits = [score.surprisal for score in LanguageModel.load(files / "characters.safetensors").score(text)]
    ends = [token.idx + len(token) for token in doc]
    starts = [0, *ends[:-1]]
    expected = [sum(bits[start:end]) for start, end in zip(starts, ends, strict=True)]
    assert len(doc) == 10
    assert [token._.surprisal for token in doc] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        ({"parser": "missing"}, ModelFileError, "missing.safetensors: no such model file"),
        ({"tagger": "missing"}, ModelFileError, "missing.safetensors: no such model file; expected a tagger"),
        ({"batch_size": 0}, InputError, "batch_size 0: expected at least 1"),
        ({"parser": "words"}, ModelFileError, "holds a language-model .*expected a parser"),
        ({"lm": "parser"}, ModelFileError, "holds a parser .*expected a language-model"),
        ({"tagger": "chunker"}, InputError, "its tags are of chunks"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_what_is_refused(config: dict[str, Any], error: type[Exception], message: str, files: Path) -> None:
    with pytest.raises(error, match=message) as raised:
        _pipeline(files, **config)("the cat sat")
    assert "\n" not in str(raised.value)


def test_names_of_other_packages_are_not_taken(files: Path) -> None:
    _pipeline(files)
    ours = Span.remove_extension("labels")
    try:
        Span.set_extension("labels", default=())
        with pytest.raises(InputError, match=r"Span\._\.labels is another's already \(benepar"):
            seqtree.spacy.add_attributes()
        _pipeline(files, parser=None, tagger="tagger")  # it has no trees
    finally:
        Span.set_extension("labels", getter=ours[2], force=True)
    seqtree.spacy.add_attributes()


def test_without_spacy_it_is_told_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spacy.tokens", None)
    with pytest.raises(InputError, match=r'needs spaCy: pip install "seqtree\[spacy\]"'):
        seqtree.spacy.Component()


def test_spacy_finds_the_component_by_itself_and_in_several_processes(files: Path, tmp_path: Path) -> None:
    """A pipeline without it loads nothing of seqtree's models, and seqtree nothing of spaCy."""
    script = f"""
import sys
import seqtree
print("spacy" in sys.modules)
import spacy
nlp = spacy.blank("en")
print("nltk" in sys.modules, "seqtree.model" in sys.modules)
import torch
torch.set_num_threads(2)
torch.ones(1 << 20).exp()  # with threads that a fork does not have
nlp.add_pipe("seqtree", config={{"parser": {str(files / "parser.safetensors")!r}}})
texts = {TEXTS!r} * 3
for processes in (1, 2):
    print([sent._.parse_string for doc in nlp.pipe(texts, n_process=processes, batch_size=4) for sent in doc.sents])
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    spacy_there, others, *trees = done.stdout.splitlines()
    assert (spacy_there, others) == ("False", "False False")
    nlp = _pipeline(files)
    expected = [tree for trees in _trees(nlp.pipe(TEXTS * 3)) for tree in trees]
    assert trees == [str(expected)] * 2


def test_the_examples_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    examples = doctest.DocTestParser().get_doctest(PAGE.read_text(encoding="utf-8").replace("```", ""), {}, "", "", 0)
    report: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(examples, out=report.append)
    assert result.failed == 0, "".join(report)
    assert result.attempted > 10
