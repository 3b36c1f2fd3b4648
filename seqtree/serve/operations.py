"""What the playground does with models: a table of operations, each with the fields of its request.

An operation answers several requests at once, so that what waits together is computed together. Adding one is a row
here: the JSON service, its OpenAPI document and the checks of requests come from it.
"""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from io import BytesIO
from itertools import chain
from typing import Any

import numpy as np

from seqtree.drawing.scatter import scatter
from seqtree.drawing.tree_svg import draw_svg
from seqtree.errors import InputError
from seqtree.language.inside import following, steps_of_layers
from seqtree.language.memorisation import Ids, in_long_copies
from seqtree.language.model import LanguageModel
from seqtree.parsing.formats import as_json
from seqtree.parsing.model import Parser
from seqtree.phrases import PhraseVectors, project
from seqtree.phrases.phrase import Phrase, constituents
from seqtree.phrases.vectors import of_length_1
from seqtree.scenes.pictures import read_image
from seqtree.serve.requests import (
    MAX_SCENE,
    ImageRequest,
    InsideRequest,
    ModelRequest,
    NextRequest,
    ParseRequest,
    SampleRequest,
    SentencesRequest,
    TextRequest,
    TranslateRequest,
)
from seqtree.shipped import default_parser
from seqtree.text.perplexity import perplexity
from seqtree.text.sentences import Sentence, read_sentences
from seqtree.treebank.labelled import unlabelled
from seqtree.trees.formats import as_json as labelling_as_json, format_labelling, with_words

MAX_WORDS = 2_000  # of a request, in sentences
MAX_PHRASES = 150  # on a map
FOLLOWING = 10  # units that go with a feature
NEAREST = 3  # phrases beside each
Json = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """One thing to do with a model of ``kind``: at ``/api/NAME``, for requests of the class ``request``.

    ``answer`` takes a model and several requests and gives as many answers; for an operation that ``streams``,
    ``pieces`` gives the parts of one answer's text, as they are made. With ``of_training``, the model is one with its
    training text.
    """

    name: str
    kind: str
    summary: str
    request: type[ModelRequest]
    answer: Callable[[Any, Sequence[Any]], list[Json]] | None = None
    pieces: Callable[[Any, Any], Iterator[str]] | None = None
    of_training: bool = False


class Trained:
    """A language model, and the token indices (N,) of its training text, which are read when they are first needed."""

    def __init__(self, model: LanguageModel, read: Callable[[], Ids]) -> None:
        self.model, self._read = model, read

    @cached_property
    def ids(self) -> Ids:
        return self._read()


def parse(model: Any, requests: Sequence[ParseRequest]) -> list[Json]:
    """Trees, best first, with the merges that made them, in brackets and as SVG."""
    read = [_sentences(request, model.lexicon.words) for request in requests]
    single = [s.words for r, sentences in zip(requests, read, strict=True) if r.k == 1 for s in sentences]
    greedy = iter(list(model.parses(single)))
    answers = []
    for request, sentences in zip(requests, read, strict=True):
        found = []
        for sentence in sentences:
            parses = [next(greedy)] if request.k == 1 else model.k_best(sentence.words, request.k)
            trees = [{**as_json(parse), "svg": draw_svg(parse.tree)} for parse in parses if parse]
            found.append({"line": sentence.line, "offsets": sentence.offsets, "trees": trees})
        answers.append({"sentences": found})
    return answers


def score(model: Any, requests: Sequence[TextRequest]) -> list[Json]:
    """The surprisal in bits of every token."""
    answers = []
    for request in requests:
        scored = model.score(request.text)
        tokens = [{"token": one.token, "surprisal": round(one.surprisal, 4), "unknown": one.unknown} for one in scored]
        bits = sum(one.surprisal for one in scored)
        mean = perplexity(math.log(2) * bits / len(scored)) if scored else math.inf
        finite = mean if math.isfinite(mean) else None  # JSON has no other numbers
        answers.append({"tokens": tokens, "bits": round(bits, 4), "perplexity": finite})
    return answers


def copies(trained: Trained, requests: Sequence[TextRequest]) -> list[Json]:
    """Which tokens of a text are in long passages of the training text, and these passages."""
    vocabulary, answers = trained.model.vocabulary, []
    for request in requests:
        ids = vocabulary.encode(trained.model.part_tokens(request.text))
        copied = in_long_copies(ids, trained.ids, vocabulary)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], copied, [0]])))
        passages = [vocabulary.join(vocabulary.decode(ids[i:j])) for i, j in zip(edges[::2], edges[1::2], strict=True)]
        answers.append({"copied": copied.tolist(), "passages": passages})
    return answers


def next_tokens(model: Any, requests: Sequence[NextRequest]) -> list[Json]:
    """The most probable next tokens."""
    return [_tokens(model.next(request.text, request.k, "map")) for request in requests]


def fill(model: Any, requests: Sequence[NextRequest]) -> list[Json]:
    """The most probable tokens for the blank ``____``, from both its sides."""
    return [_tokens(model.fill(request.text, request.k)) for request in requests]


def phrases(model: Any, requests: Sequence[SentencesRequest]) -> list[Json]:
    """The phrases of sentences as points of a map, and the nearest of each, by their vectors from the mean of all."""
    return [_phrases(model, request) for request in requests]


def _phrases(model: Any, request: SentencesRequest) -> Json:
    words = [sentence.words for sentence in _sentences(request, model.lexicon.words)]
    every = chain.from_iterable(constituents(parse.tree) for parse in model.parses(words) if parse)
    found = list({(one.text, one.label): one for one in every}.values())
    if not 3 <= len(found) <= MAX_PHRASES:
        raise InputError(f"{len(found):,} phrases of two to ten words: expected from 3 to {MAX_PHRASES:,} for a map")
    vectors = np.array(PhraseVectors(model, "phrases").vectors(found))
    points, share = project(vectors)
    cosines = _alike(vectors)
    np.fill_diagonal(cosines, -np.inf)
    near = np.argsort(-cosines, axis=1, kind="stable")[:, :NEAREST]
    return {
        "phrases": [
            {"text": one.text, "label": one.label, "near": [_near(found[j], cosines[i, j]) for j in near[i]]}
            for i, one in enumerate(found)
        ],
        "variance": share,
        "svg": scatter(points, [one.text for one in found], [one.label or "" for one in found], "Phrases").svg(),
    }


def _alike(vectors: np.ndarray) -> np.ndarray:
    """The cosines (N, N) of vectors (N, D) of which each has length 1 at first, and is then taken from their mean.

    What all of them have in common, which is much in a network of ReLUs, would make all of them alike.
    """
    rows = of_length_1(vectors)
    rows = of_length_1(rows - rows.mean(axis=0))
    cosines: np.ndarray = rows @ rows.T
    return cosines


def _near(phrase: Phrase, cosine: float) -> Json:
    return {"text": phrase.text, "cosine": round(float(cosine), 4)}


def inside(model: Any, requests: Sequence[InsideRequest]) -> list[Json]:
    """What one unit of a layer computes after every token, and which units go with a feature of the text."""
    return [_inside(model, request) for request in requests]


def _inside(model: Any, request: InsideRequest) -> Json:
    config = model.network.config
    layer = _at_most("layer", request.layer or config.layers, config.layers)
    tokens, layers = steps_of_layers(model, request.text)
    if not tokens:
        raise InputError("a text without a token: expected some text")
    values = layers[layer - 1]
    found = following(tokens, values["h"], request.feature, FOLLOWING)
    unit = found[0][0] if found else int(values["h"].var(axis=0).argmax())
    if request.unit is not None:
        unit = _at_most("unit", request.unit, values["h"].shape[1] - 1)
    return {
        "cell": config.cell,
        "layers": config.layers,
        "units": values["h"].shape[1],
        "layer": layer,
        "unit": unit,
        "tokens": tokens,
        "values": {name: [round(float(value), 4) for value in part[:, unit]] for name, part in values.items()},
        "following": [{"unit": one, "correlation": round(r, 4)} for one, r in found],
    }


def _at_most(name: str, number: int, most: int) -> int:
    if number > most:
        raise InputError(f"{name} {number}: expected at most {most}")
    return number


def sample(model: Any, request: SampleRequest) -> Iterator[str]:
    """Text that goes on from the given one, piece by piece."""
    pieces: Iterator[str] = model.sample_pieces(request.text, request, "map")
    return pieces


def tag(model: Any, requests: Sequence[SentencesRequest]) -> list[Json]:
    """The tags of every word with their probabilities, and the intent of each sentence where the tagger has any."""
    read = [_sentences(request, model.lexicon.words) for request in requests]
    found = iter(list(model.taggings([s.words for sentences in read for s in sentences], probabilities=True)))
    answers = []
    for sentences in read:
        tagged = [next(found) for _ in sentences]
        answers.append({"sentences": [_tagging(one) for one in tagged if one]})
    return answers


def classify(model: Any, requests: Sequence[TextRequest]) -> list[Json]:
    """The probability of every class, and how much each word was attended to, where there is attention."""
    answers = []
    for found in model.classifications([request.text for request in requests]):
        if found is None:
            raise InputError("a text without a word has no class")
        chances = sorted(zip(model.classes.names, found.probabilities.tolist(), strict=True), key=lambda pair: -pair[1])
        classes = [{"label": name, "probability": round(chance, 6)} for name, chance in chances]
        answers.append({"classes": classes, "words": found.words, "attention": found.attention})
    return answers


def label_trees(model: Any, requests: Sequence[SentencesRequest]) -> list[Json]:
    """The class of every phrase of sentences, which the parser that is used by default parses first."""
    parser = _parser()
    read = [_sentences(request, parser.lexicon.words) for request in requests]
    every = [sentence.words for sentences in read for sentence in sentences]
    trees = [unlabelled(parse.binary, words) for words, parse in zip(every, parser.parses(every), strict=True) if parse]
    found = (
        with_words(one, tuple(word for word, _ in words))
        for one, words in zip(model.labellings(trees), every, strict=True)
    )
    labelled = iter([{**labelling_as_json(one), "svg": format_labelling(one, "svg")} for one in found])
    return [{"sentences": [next(labelled) for _ in sentences]} for sentences in read]


def translate(model: Any, requests: Sequence[TranslateRequest]) -> list[Json]:
    """The best translations of every line, none of an empty one, with their alignments where the model attends."""
    attends = model.network.config.attends
    answers = []
    for request in requests:
        lines = request.text.removesuffix("\n").split("\n")
        if (words := sum(map(len, map(str.split, lines)))) > MAX_WORDS // request.beam:
            raise InputError(f"a text of {words:,} words: expected at most {MAX_WORDS // request.beam:,} at a time")
        some = [line for line in lines if line.strip()]
        found = iter(model.translations(some, beam=request.beam, best=request.best, alignments=attends))
        each = (next(found) if line.strip() else () for line in lines)
        records = [[{**one.to_json(), "svg": one.picture()} for one in translations] for translations in each]
        answers.append({"lines": records})
    return answers


def scene(model: Any, requests: Sequence[ImageRequest]) -> list[Json]:
    """The segments of an image with their classes, the tree over them, and both as a picture."""
    answers = []
    for found in model.parses(map(_image, requests)):
        named = [{"label": name, "share": round(share, 4)} for name, share in found.shares.items()]
        answers.append({"classes": named, **found.to_json(), "png": b64encode(found.picture()).decode()})
    return answers


def _image(request: ImageRequest) -> np.ndarray:
    try:
        data = b64decode(request.image, validate=True)
    except ValueError:
        raise InputError("the image: expected a PNG or JPEG file in base64") from None
    image: np.ndarray = read_image(BytesIO(data), "the image", MAX_SCENE)
    return image


OPERATIONS = (
    Operation("parse", "parser", "Parse sentences.", ParseRequest, parse),
    Operation("phrases", "parser", "A map of the phrases of sentences.", SentencesRequest, phrases),
    Operation("score", "language-model", "Surprisals of a text.", TextRequest, score),
    Operation("next", "language-model", "The most probable next tokens.", NextRequest, next_tokens),
    Operation("fill", "language-model", "Fill the blank ____ (bidirectional models).", NextRequest, fill),
    Operation("inside", "language-model", "What a unit computes over a text.", InsideRequest, inside),
    Operation(
        "copies",
        "language-model",
        "Passages that stand word for word in the training text.",
        TextRequest,
        copies,
        of_training=True,
    ),
    Operation("sample", "language-model", "Sample text, streamed.", SampleRequest, pieces=sample),
    Operation("tag", "tagger", "Tags for words.", SentencesRequest, tag),
    Operation("classify", "classifier", "Classes for a text.", TextRequest, classify),
    Operation("tree", "tree-classifier", "A class at every node of sentences' trees.", SentencesRequest, label_trees),
    Operation("scene", "scene-parser", "The segments of an image and the tree over them.", ImageRequest, scene),
    Operation("translate", "translator", "Translate lines.", TranslateRequest, translate),
)


def _sentences(request: SentencesRequest, known: Any) -> list[Sentence]:
    read = [one for one in read_sentences(request.text.split("\n"), request.tokenized, known) if one.words]
    words = sum(len(one.words) for one in read)
    most = MAX_WORDS // max(1, getattr(request, "k", 1) // 4)  # a beam is as wide as four times its trees
    if words > most:
        raise InputError(f"a text of {words:,} words: expected at most {most:,} at a time")
    return read


def _tokens(found: Sequence[tuple[str, float]]) -> Json:
    return {"tokens": [{"token": token, "probability": round(chance, 6)} for token, chance in found]}


def _tagging(one: Any) -> Json:
    return {
        "words": one.words,
        "tags": one.tags,
        "probabilities": [round(chance, 4) for chance in one.probabilities],
        "intent": one.intent,
    }


@cache
def _parser() -> Parser:
    return Parser.load(default_parser())
