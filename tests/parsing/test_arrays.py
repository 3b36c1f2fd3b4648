"""The parser in NumPy finds what the one in torch finds; what it does not open is left to torch."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from parsing_helpers import batch_of, random_sentences, small_parser

from seqtree import modelfile
from seqtree.nn.config import COMPOSITIONS
from seqtree.nn.network import state_of
from seqtree.parsing import array_parser
from seqtree.parsing.array_parser import ArrayParser, has_bfloat16
from seqtree.parsing.arrays import shapes
from seqtree.parsing.model import Parser
from seqtree.parsing.parse import Parse

SHAPES: list[dict[str, Any]] = [
    *({"composition": kind, "encoder": encoder} for kind in COMPOSITIONS[:-1] for encoder in ("lstm", "none")),
    {"characters": 0, "layers": 1},
    {"words": 0, "layers": 3},
]
LENGTHS = [12, 9, 5, 2, 1]


def _saved(path: Path, **config: Any) -> Path:
    parser = small_parser(**config)
    parser.network.float()
    parser.save(path)
    return path


def _both(path: Path, precision: str, seed: int = 0) -> list[tuple[Parse, Parse]]:
    """The parses of a few sentences by torch and by NumPy."""
    parser, arrays = Parser.load(path, precision=precision), ArrayParser.load(path, precision)
    assert arrays is not None
    sentences = [parser.words(words) for words in random_sentences(parser.lexicon, LENGTHS, seed)]
    return [
        (one, other)
        for one, other in zip(parser.parses(sentences), arrays.parses(sentences), strict=True)
        if one is not None and other is not None
    ]


@pytest.mark.parametrize("config", SHAPES, ids=lambda config: "-".join(map(str, config.values())))
def test_every_kind_of_network(config: dict[str, Any], tmp_path: Path) -> None:
    pairs = _both(_saved(tmp_path / "parser", **config), "fp32")
    assert len(pairs) == len(LENGTHS)
    parser = small_parser(**config)
    sizes = map(len, (parser.lexicon.words, parser.lexicon.characters, parser.tags, parser.labels))
    expected = {name: tuple(tensor.shape) for name, tensor in state_of(parser.network).items()}
    assert shapes(parser.network.config, *sizes) == expected
    for one, other in pairs:
        assert other.binary == one.binary
        np.testing.assert_allclose(other.scores, one.scores, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(other.margins, one.margins, rtol=1e-3, atol=1e-4)


@pytest.mark.skipif(not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="no bfloat16 on this processor")
@pytest.mark.parametrize("config", SHAPES, ids=lambda config: "-".join(map(str, config.values())))
def test_where_products_are_in_bfloat16(config: dict[str, Any], tmp_path: Path) -> None:
    """Numbers are rounded where torch rounds them: nearly all scores are those of torch."""
    pairs = _both(_saved(tmp_path / "parser", **config), "bf16")
    assert (
        sum(one.binary == other.binary for one, other in pairs) >= len(LENGTHS) - 1
    )  # a sum on the edge of two numbers
    near = [
        np.isclose(a, b, rtol=1e-5, atol=1e-5)
        for one, other in pairs
        for a, b in zip(one.scores, other.scores, strict=True)
    ]
    assert np.mean(near) > 0.8


def test_a_large_network_is_given_fewer_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _saved(tmp_path / "parser")
    found = ArrayParser.load(path, "fp32")
    assert found is not None
    assert found.most_words == array_parser.SHORT == 2000
    _, _, arrays = modelfile.load_arrays(path)
    weights = sum(array.size for name, array in arrays.items() if "embedding" not in name)
    monkeypatch.setattr(array_parser, "WORK", 7 * weights)
    found = ArrayParser.load(path, "fp32")
    assert found is not None
    assert found.most_words == 7


def test_files_with_16_bits_a_weight_and_empty_sentences(tmp_path: Path) -> None:
    parser = small_parser()
    parser.network.float()
    parser.save(tmp_path / "half", half=True)
    for one, other in _both(tmp_path / "half", "fp32"):
        assert other.binary == one.binary
    arrays = ArrayParser.load(tmp_path / "half", "fp32")
    assert arrays is not None
    first, none, last = arrays.parses([parser.words(["the", "cat"]), [], parser.words(["a", "dog"])])
    assert first is not None and none is None and last is not None
    assert [first.tree.leaves(), last.tree.leaves()] == [["the", "cat"], ["a", "dog"]]


def test_overflow_is_nothing_to_be_warned_of(tmp_path: Path) -> None:
    kind, contents, tensors = modelfile.load(_saved(tmp_path / "parser", composition="tanh"))
    tensors["leaf.weight"].fill_(3e38)
    modelfile.save(tmp_path / "huge", kind, contents, tensors)
    arrays = ArrayParser.load(tmp_path / "huge", "fp32")
    assert arrays is not None
    assert list(arrays.parses([[("the", "the"), ("cat", "cat")]]))


def test_one_parser_in_two_precisions(tmp_path: Path) -> None:
    """What the decoder for a few sentences keeps of the weights is kept by number format."""
    path = _saved(tmp_path / "parser", hidden=32, vector=32, scorer=32)
    parser = Parser.load(path, precision="fp32")
    (words,) = (parser.words(sentence) for sentence in random_sentences(parser.lexicon, [9]))
    scores = []
    for precision in ("fp32", "bf16", "fp32"):
        (parse,) = parser.to(precision=precision).parses([words])
        (alone,) = Parser.load(path, precision=precision).parses([words])
        assert parse is not None and alone is not None
        assert parse.scores == alone.scores
        scores.append(parse.scores)
    assert scores[0] == scores[2] != scores[1]


def test_what_the_encoder_gives(tmp_path: Path) -> None:
    parser, path = Parser.load(_saved(tmp_path / "parser")), tmp_path / "parser"
    parser.to(precision="fp32")
    arrays = ArrayParser.load(path, "fp32")
    assert arrays is not None
    batch = batch_of(parser, [["the", "cat", "Zebra", "."]])
    with torch.no_grad():
        expected = parser.network.encode(batch)
    for mine, other in zip(vars(arrays.network.encode(batch)).values(), vars(expected).values(), strict=True):
        np.testing.assert_allclose(mine, other.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "config", [{"encoder": "gru"}, {"encoder": "cnn"}, {"composition": "rntn"}, {"subwords": 3}, {"pairs": 3}]
)
def test_networks_that_only_torch_has(config: dict[str, Any], tmp_path: Path) -> None:
    assert ArrayParser.load(_saved(tmp_path / "parser", **config), "fp32") is None


def _no_weight(contents: dict[str, Any], tensors: dict[str, Any]) -> None:
    del tensors["leaf.weight"]


def _no_labels(contents: dict[str, Any], tensors: dict[str, Any]) -> None:
    del contents["labels"]


def _another_first_label(contents: dict[str, Any], tensors: dict[str, Any]) -> None:
    contents["labels"] = contents["labels"][::-1]


def _other_width(contents: dict[str, Any], tensors: dict[str, Any]) -> None:
    tensors["leaf.weight"] = tensors["leaf.weight"][:, :-1]


def _fewer_words(contents: dict[str, Any], tensors: dict[str, Any]) -> None:
    tensors["words.embedding.weight"] = tensors["words.embedding.weight"][:-1]


def _fewer_characters(contents: dict[str, Any], tensors: dict[str, Any]) -> None:
    tensors["words.spelling.embedding.weight"] = tensors["words.spelling.embedding.weight"][:-1]


def _more_tags(contents: dict[str, Any], tensors: dict[str, Any]) -> None:
    for name in ("tagger.weight", "tagger.bias"):
        tensors[name] = torch.cat([tensors[name], tensors[name]])


def _more_labels(contents: dict[str, Any], tensors: dict[str, Any]) -> None:
    for name in ("label_scorer.output.weight", "label_scorer.output.bias"):
        tensors[name] = torch.cat([tensors[name], tensors[name]])


def _one_bias(contents: dict[str, Any], tensors: dict[str, Any]) -> None:
    tensors["leaf.bias"] = tensors["leaf.bias"][:1]


def _not_finite(contents: dict[str, Any], tensors: dict[str, Any]) -> None:
    tensors["words.embedding.weight"][0, 0] = torch.nan


def _whole_numbers(contents: dict[str, Any], tensors: dict[str, Any]) -> None:
    tensors["leaf.weight"] = tensors["leaf.weight"].int()


def _other_settings(contents: dict[str, Any], tensors: dict[str, Any]) -> None:
    contents["network"]["hidden"] = 0


def _more_bits(contents: dict[str, Any], tensors: dict[str, Any]) -> None:
    tensors["leaf.weight"] = tensors["leaf.weight"].double()


def _sixteen_bits_of_another_kind(contents: dict[str, Any], tensors: dict[str, Any]) -> None:
    tensors["leaf.weight"] = tensors["leaf.weight"].bfloat16()


CHANGES = [
    _no_weight,
    _no_labels,
    _another_first_label,
    _other_width,
    _fewer_words,
    _fewer_characters,
    _more_tags,
    _more_labels,
    _one_bias,
    _not_finite,
    _whole_numbers,
    _other_settings,
    _more_bits,
    _sixteen_bits_of_another_kind,
]


@pytest.mark.parametrize("change", CHANGES)
def test_files_whose_parts_do_not_fit_together(change: Callable[[Any, Any], None], tmp_path: Path) -> None:
    kind, contents, tensors = modelfile.load(_saved(tmp_path / "parser"))
    modelfile.save(tmp_path / "same", kind, contents, tensors)
    assert ArrayParser.load(tmp_path / "same", "fp32") is not None
    change(contents, tensors)
    modelfile.save(tmp_path / "changed", kind, contents, tensors)
    assert ArrayParser.load(tmp_path / "changed", "fp32") is None


def test_files_that_are_no_parsers(tmp_path: Path) -> None:
    kind, contents, tensors = modelfile.load(_saved(tmp_path / "parser"))
    modelfile.save(tmp_path / "tagger", "tagger", contents, tensors)
    (tmp_path / "damaged").write_bytes((tmp_path / "parser").read_bytes()[:-1])
    for name in ("tagger", "damaged", "none", "."):
        assert ArrayParser.load(tmp_path / name, "fp32") is None
    assert kind == "parser"


def test_bfloat16_is_taken_where_torch_takes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _saved(tmp_path / "parser")
    if sys.platform in ("linux", "darwin"):
        assert has_bfloat16() == (Parser.load(path, precision="auto").network.products == torch.bfloat16)
    for answer in (True, False):
        monkeypatch.setattr(array_parser, "has_bfloat16", lambda answer=answer: answer)
        found = ArrayParser.load(path)
        assert found is not None
        assert found.network.leaf.rounded == answer
    monkeypatch.setattr(array_parser, "has_bfloat16", lambda: None)
    assert ArrayParser.load(path) is None
    assert ArrayParser.load(path, "fp32") is not None
