"""The tagger: what it learns, how it tags, how it is measured."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from nltk.tree import Tree

from seqtree import corpora
from seqtree.errors import InputError
from seqtree.tagging.config import TaggerNetworkConfig
from seqtree.tagging.data import canonical, check_tags, names_in, tell_of_broken
from seqtree.tagging.evaluation import evaluate
from seqtree.tagging.formats import format_tagging
from seqtree.tagging.model import Chunker, Tagger
from seqtree.tagging.tagging import Tagging
from seqtree.text.batches import make_batch
from seqtree.text.chunks import may_follow, scheme_of
from seqtree.text.columns import Tagged, read_tagged
from seqtree.text.sentences import character_sentences, read_sentences, words_as_given
from seqtree.training.fit import train

SMALL = {"words": 8, "characters": 6, "hidden": 8, "layers": 1, "dropout": 0.0}
LINES = [  # a city is the destination after "to" only
    (["fly", "to", "new", "york"], ["O", "O", "B-to", "I-to"], "flight"),
    (["fly", "from", "new", "york"], ["O", "O", "B-from", "I-from"], "flight"),
    (["a", "train", "to", "cork"], ["O", "O", "O", "B-to"], "train"),
    (["a", "train", "from", "cork"], ["O", "O", "O", "B-from"], "train"),
]
CHINESE = "我们喜欢猫\n猫喜欢我们\n我喜欢我们\n"
SEGMENTED = "我们 喜欢 猫\n猫 喜欢 我们\n我 喜欢 我们\n"


def sentences(scheme_tags: bool = True) -> list[Tagged]:
    return [Tagged(tuple(words), tuple(tags), f"line {i}", intent) for i, (words, tags, intent) in enumerate(LINES)]


def untrained(data: list[Tagged], **options: object) -> Tagger:
    scheme = scheme_of(one.tags for one in data)
    config = TaggerNetworkConfig(**{**SMALL, **options})  # type: ignore[arg-type]
    words = [one.words for one in data]
    tagger = Tagger.over(*names_in(data, scheme, 1), scheme, config, 1, words).to(precision="fp32")
    for parameter in tagger.network.parameters():  # sure of itself, and of what is not allowed
        torch.nn.init.normal_(parameter, std=0.7)
    tagger.network.words.spelling.embedding.weight.data[-1] = 0.0  # that of padding
    return tagger


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Tagger:
    folder = tmp_path_factory.mktemp("learned")
    text = "".join(
        f"# intent: {intent}\n" + "".join(f"{w}\t{t}\n" for w, t in zip(words, tags, strict=True)) + "\n"
        for words, tags, intent in LINES * 4
    )
    (folder / "a.conll").write_text(text, encoding="utf-8")
    train(
        "tag",
        folder / "a.conll",
        out=folder / "run",
        preset="tiny",
        intent=True,
        epochs=60,
        batch=4,
        valid_share=0.0,
        progress=False,
        device="cpu",
        **SMALL,
    )
    return Tagger.load(folder / "run")


def test_what_is_learned(learned: Tagger) -> None:
    measured = evaluate(learned, sentences())
    assert (measured.accuracy, measured.sentence_accuracy, measured.intent_accuracy) == (1.0, 1.0, 1.0)
    assert measured.chunk is not None
    assert measured.chunk.to_json() == {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert learned.tag(["a", "train", "to", "cork"])[-1] == ("cork", "B-to")
    assert learned.tag_sents([["fly"], []]) == [[("fly", "O")], []]


def test_nltks_chunk_parser(learned: Tagger) -> None:
    leaves = [("fly", "VB"), ("to", "TO"), ("new", "NNP"), ("york", "NNP")]
    assert Chunker(learned).parse(leaves) == Tree("S", [*leaves[:2], Tree("to", leaves[2:])])
    assert learned.accuracy([list(zip(words, tags, strict=True)) for words, tags, _ in LINES]) == 1.0


@pytest.mark.parametrize("crf", [True, False])
@pytest.mark.parametrize("scheme", ["iob1", "iob2", "bioes", "bilou"])
def test_no_sequence_that_its_scheme_forbids(crf: bool, scheme: str) -> None:
    """Whatever the weights: here they are random."""
    tagger = untrained(sentences(), crf=crf)
    generator = random.Random(0)
    words = [word for one in LINES for word in one[0]]
    read = [words_as_given(generator.choices(words, k=generator.randint(1, 9))) for _ in range(60)]
    for one in tagger.taggings(read, scheme=scheme):
        assert one is not None
        bioes = [None, *canonical(one.tags, "bioes"), None]
        assert all(may_follow(a, b) for a, b in itertools.pairwise(bioes))
        again = tuple(tagger._written(list(canonical(one.tags, "bioes")), scheme))
        assert again == one.tags


def test_probabilities_agree_with_the_sequences() -> None:
    """The marginal of a tag is the sum of the probabilities of all sequences that have it."""
    tagger = untrained(sentences())
    words = words_as_given(["fly", "to", "cork"])
    every = tagger.n_best(words, 10_000, "bioes")
    chances = torch.tensor([one.log_probability for one in every], dtype=torch.float64).exp()
    assert float(chances.sum()) == pytest.approx(1.0, abs=1e-5)
    assert len({one.tags for one in every}) == len(every)
    assert chances.tolist() == sorted(chances.tolist(), reverse=True)
    (best,) = tagger.taggings([words], True, "bioes")
    assert best is not None and best.probabilities is not None
    assert best.tags == every[0].tags
    for place, tag in enumerate(best.tags):
        expected = sum(chance for one, chance in zip(every, chances.tolist(), strict=True) if one.tags[place] == tag)
        assert best.probabilities[place] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("crf", [True, False])
def test_words_and_ngrams_each_learn_by_themselves(tmp_path: Path, crf: bool) -> None:
    tagger = untrained(sentences(), ngrams=2, crf=crf)
    data, network = sentences(), tagger.network
    assert len(network.grams.known) > 20  # those that two sentences have
    batch = make_batch([data[0].words], [tagger.lexicon.encode(data[0].words)], tagger.lexicon)
    tags = tagger.tags.encode(canonical(data[0].tags, tagger.scheme))
    both = network.loss(batch, tags, np.array([-1]))
    both.backward()
    assert all(network.get_parameter(name).grad.abs().sum() > 0 for name in ("output.bias", "grams.weights.weight"))
    network.grams.weights.weight.data.zero_()
    scores = network(batch)
    torch.testing.assert_close(scores.emissions, scores.words / 2)
    tagger.save(tmp_path / "a.safetensors")
    again = Tagger.load(tmp_path / "a.safetensors")
    assert torch.equal(again.network.grams.known, network.grams.known)


@pytest.mark.parametrize("options", [{"subwords": 4}, {"ngrams": 3}, {"ngrams": 1, "crf": False}])
def test_a_sentence_alone_is_tagged_as_in_a_batch(options: dict[str, object]) -> None:
    tagger = untrained(sentences(), **options)
    read = [words_as_given(words) for words, _, _ in LINES] + [[]]
    together = list(tagger.taggings(read, True))
    assert together[-1] is None
    for words, one in zip(read[:-1], together, strict=False):
        (alone,) = tagger.taggings([words], True)
        assert alone is not None and one is not None
        assert alone.tags == one.tags
        assert alone.probabilities == pytest.approx(one.probabilities, abs=1e-5)


def test_segmentation(tmp_path: Path) -> None:
    marks = {1: "S", 2: "BE"}
    text = "".join(
        "".join(f"{c}\t{m}\n" for word in line.split() for c, m in zip(word, marks[len(word)], strict=True)) + "\n"
        for line in SEGMENTED.splitlines() * 6
    )
    (tmp_path / "a.conll").write_text(text, encoding="utf-8")
    options = {**SMALL, "characters": 0}
    train("tag", tmp_path / "a.conll", out=tmp_path / "run", preset="tiny", epochs=60, progress=False, **options)
    tagger = Tagger.load(tmp_path / "run")
    assert tagger.segments
    read = list(character_sentences([*CHINESE.splitlines(), "", "我 们"]))
    taggings = list(tagger.taggings(one.words for one in read))
    shown = [format_tagging(one, "words", sentence) for one, sentence in zip(taggings, read, strict=True)]
    assert shown == [*SEGMENTED.splitlines(), "", "我 们"]  # a space in the text parts words
    objects = [
        json.loads(format_tagging(one, "json", sentence, segments=True))
        for one, sentence in zip(taggings, read, strict=True)
    ]
    words = [["".join(one["words"][chunk["start"] : chunk["end"]]) for chunk in one["chunks"]] for one in objects]
    assert words == [line.split() for line in shown]


def test_what_is_measured() -> None:
    data = sentences()
    tagger = untrained(data)
    gold = [*data[:3], data[3]._replace(tags=("O", "O", "O", "B-strange"))]
    warned: list[str] = []
    measured = evaluate(tagger, gold, warned.append)
    assert len(warned) == 1 and "line 3" in warned[0] and "strange" in warned[0]
    assert sum(measured.confusion.values()) == measured.tokens == 16
    said = [tagger.tag(one.words) for one in gold]
    right = [a == b for one, tags in zip(gold, said, strict=True) for a, (_, b) in zip(one.tags, tags, strict=True)]
    assert measured.accuracy == pytest.approx(sum(right) / 16)
    with pytest.raises(InputError, match="line 3: the tag 'X' is not one of the tagger's, nor is any other: from, to"):
        evaluate(tagger, [gold[3]._replace(tags=("X",) * 4)])
    with pytest.raises(InputError, match="line 3: the tag 'I' is not one of the tagger's, nor is any other: from, to"):
        evaluate(tagger, [gold[3]._replace(tags=("I", "fly", "so", "far"))])  # lemmas: I is one of chunks of no kind
    with pytest.raises(InputError, match="line 1: a sentence without an intent, which others have"):
        evaluate(tagger, [data[0], data[1]._replace(intent=None)])
    with pytest.warns(UserWarning, match="only tags are measured"):
        tags = evaluate(tagger, [one._replace(intent=None) for one in data])
    assert tags.intent_accuracy is None
    assert tags.accuracy == evaluate(tagger, data).accuracy
    warned.clear()
    evaluate(tagger, [data[0]._replace(tags=("O", "O", "B-to", "I-from")), *data[1:]], warned.append)
    assert warned == ["the sentence at line 0 (I-from) has tags that IOB2 does not allow; read as conlleval reads them"]


def test_other_schemes_are_measured_in_their_own(learned: Tagger) -> None:
    other = [
        one._replace(tags=tuple(learned._written(list(canonical(one.tags, "iob2")), "bilou"))) for one in sentences()
    ]
    assert other[0].tags == ("O", "O", "B-to", "L-to")
    assert evaluate(learned, other).accuracy == 1.0


def test_tags_that_are_no_chunks() -> None:
    data = [Tagged(("a", "b"), ("X", "Y"), "here", None)]
    tagger = untrained(data)
    assert tagger.scheme is None
    with pytest.raises(InputError, match="no chunk tags"):
        Chunker(tagger)
    with pytest.raises(InputError, match="no chunk tags"):
        list(tagger.taggings([words_as_given(["a"])], scheme="iob2"))
    with pytest.raises(InputError, match="one string"):
        tagger.tag("a b")
    with pytest.raises(InputError, match="at least 1"):
        tagger.n_best(words_as_given(["a"]), 0)


def test_formats() -> None:
    tagger = untrained(sentences())
    (sentence,) = read_sentences(["fly to  cork"], True)
    (one,) = tagger.taggings([sentence.words], True)
    assert one is not None and one.probabilities is not None
    rows = format_tagging(one, "columns", sentence, True).split("\n")
    assert rows[0] == f"# intent: {one.intent}"
    assert rows[1:-1] == [f"{w}\t{t}\t{p:.4f}" for w, t, p in zip(one.words, one.tags, one.probabilities, strict=True)]
    assert rows[-1] == ""
    assert format_tagging(one, "inline", sentence).split() == [
        f"{w}/{t}" for w, t in zip(one.words, one.tags, strict=True)
    ]


def test_the_sample_is_learned(tmp_path: Path) -> None:
    report = train("tag", out=tmp_path / "run", preset="tiny", epochs=5, progress=False)
    assert report["chunk"]["f1"] > 0.9
    assert len(read_tagged([str(corpora.path("toy_chunks"))], say=lambda message: None)) == 200


def test_a_notebook_shows_the_words_with_their_tags() -> None:
    shown = Tagging(("a", "<b>"), ("DT", "N&N"))._repr_html_()
    assert shown == "<table><tr><td>a</td><td>&lt;b&gt;</td></tr><tr><td>DT</td><td>N&amp;N</td></tr></table>"
    assert "<caption>ask</caption>" in Tagging(("a",), ("DT",), intent="ask")._repr_html_()


def test_odd_tags_are_told_of() -> None:
    said: list[str] = []
    mixed = [Tagged(("a", "b"), ("B-X", "E-X"), "t:1", None), Tagged(("c", "d"), ("U-Y", "S-Y"), "t:4", None)]
    assert check_tags(mixed, said.append) == "bilou"
    rule = "tags that BILOU does not allow; read as conlleval reads them"
    assert said == [f"2 sentences, the first at t:1 (E-X), have {rule}"]
    said.clear()
    tell_of_broken(mixed[1:], "bilou", said.append)  # as those to validate on are
    assert said == [f"the sentence at t:4 (S-Y) has {rule}"]
    said.clear()
    tell_of_broken(mixed, None, said.append)
    assert said == []
    check_tags([Tagged((str(n),), (f"t{n % 101}",), "t:1", None) for n in range(1000)], said.append)
    assert said == ["101 different tags of 1,000 words: are these the tags? See --tag-column"]
    said.clear()
    check_tags([Tagged((str(n),), (f"t{n % 101}",), "t:1", None) for n in range(1100)], said.append)
    check_tags([Tagged((str(n),), (f"t{n}",), "t:1", None) for n in range(100)], said.append)
    assert said == []
