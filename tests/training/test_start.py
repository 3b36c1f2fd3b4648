"""A parser that starts from a language model: words, vectors, layers, and what cannot serve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nltk.tree import Tree
from parsing_helpers import batch_of, toy_trees
from runs import Messages, parser_recipe, train

from seqtree.errors import InputError
from seqtree.language.model import LanguageModel
from seqtree.parsing.config import ParserNetworkConfig
from seqtree.parsing.gold import names_in
from seqtree.parsing.model import Parser
from seqtree.training.start import known_words, start_words
from seqtree.treebank.binary import binarise

TEXT = "the cat sat on a zebra\nevery zebra sat\n"
SHAPE = {"cell": "lstm", "hidden": 6, "embedding": 5, "layers": 2}


def _model(text: str = TEXT, **shape: Any) -> LanguageModel:
    return LanguageModel.untrained(text, unit="word", seed=3, **{**SHAPE, **shape})


def _parser(model: LanguageModel, **config: Any) -> Parser:
    trees = [*toy_trees()[:40], Tree.fromstring("(S (DT The) (NN cat))")]
    shape = ParserNetworkConfig(
        **{"words": 5, "characters": 4, "hidden": 6, "layers": 2, "vector": 4, "scorer": 4, **config}
    )
    return Parser.over(*names_in(map(binarise, trees), more=known_words(model)), shape)


def _start(parser: Parser, model: LanguageModel) -> str:
    return start_words(parser.network.words, parser.lexicon, model)


def test_words_of_the_model_are_known_and_have_its_vectors() -> None:
    model = _model()
    parser = _parser(model)
    before = parser.network.words.embedding.weight.detach().clone()
    said = _start(parser, model)
    words, theirs = parser.lexicon.words, model.vocabulary
    assert {"zebra", "every"} <= set(words)
    assert parser.lexicon.counts[words.index("zebra")] == 0
    known = 0
    for i, word in enumerate(words.tokens):
        row = parser.network.words.embedding.weight[i]
        source = word if word in theirs else word.lower()
        if source in theirs:
            assert torch.equal(row, model.network.embedding.weight[theirs.index(source)])
            known += 1
        else:
            assert torch.equal(row, before[i])
    assert torch.equal(
        parser.network.words.embedding.weight[words.index("The")], model.network.embedding.weight[theirs.index("the")]
    )
    assert 0 < known < len(words)
    assert said == f"{known} of {len(words)} words start from the language model, and forward layers"


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_the_encoder_begins_as_the_language_model(cell: str, bidirectional: bool) -> None:
    """Its states are those of the model, in each direction that the model has."""
    model = _model(cell=cell, bidirectional=bidirectional)
    parser = _parser(model, encoder=cell)
    said = _start(parser, model)
    assert said.endswith("forward and backward layers" if bidirectional else "and forward layers")
    sentence = ["the", "cat", "sat", "on", "a", "zebra"]
    batch = batch_of(parser, [sentence])
    vectors = parser.network.words.embedding(torch.from_numpy(batch.words))
    spelled = torch.randn(*vectors.shape[:2], 4)  # characters are not heard yet
    ids = torch.from_numpy(model.vocabulary.encode(["<s>", *sentence, "</s>"]))[:, None]
    network = model.network.eval()
    with torch.no_grad():
        states, _ = parser.network.words.encoder.eval()(torch.cat([vectors, spelled], dim=2))
        torch.testing.assert_close(states[..., :6], network.recurrent(network.embed(ids))[0])
        if bidirectional:
            after, _ = network.backward_recurrent(network.embed(ids).flip(0))
            torch.testing.assert_close(states[..., 6:], after.flip(0))


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"hidden": 7}, "its lstm of 6 units does not fit the encoder's lstm of 7"),
        ({"encoder": "gru"}, "its lstm of 6 units does not fit the encoder's gru of 6"),
        ({"encoder": "none"}, "there is no encoder"),
    ],
)
def test_layers_that_do_not_fit_stay_as_they_were(config: dict[str, Any], why: str) -> None:
    model = _model()
    parser = _parser(model, **config)
    before = {name: value.clone() for name, value in parser.network.state_dict().items()}
    assert _start(parser, model).endswith(f"no recurrent layer: {why}")
    changed = {name for name, value in parser.network.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"words.embedding.weight"}


def test_a_model_of_fewer_layers_starts_the_first() -> None:
    model = _model(layers=1)
    parser = _parser(model)
    second = parser.network.words.encoder.weight_ih_l1.detach().clone()
    _start(parser, model)
    assert torch.equal(parser.network.words.encoder.weight_ih_l1, second)
    assert torch.equal(parser.network.words.encoder.weight_hh_l0, model.network.recurrent.weight_hh_l0)


def test_models_without_word_vectors() -> None:
    with pytest.raises(InputError, match="over words, not over characters"):
        known_words(LanguageModel.untrained(TEXT, hidden=4, embedding=4))
    with pytest.raises(InputError, match="one-hot has no word vectors"):
        known_words(_model(one_hot=True))


def test_words_beyond_the_trees_do_not_disturb_the_others() -> None:
    trees = [binarise(tree) for tree in toy_trees()]
    plain, wider = (names_in(trees, more=more)[0] for more in ((), ["zebra", "the"]))
    assert wider.words.tokens == (*plain.words.tokens, "zebra")
    assert wider.counts == (*plain.counts, 0)
    assert np.array_equal(plain.encode(trees[0].words), wider.encode(trees[0].words))


def test_training_starts_from_a_model(tmp_path: Path) -> None:

    _model(hidden=8, embedding=11).save(tmp_path / "lm.safetensors")
    display = Messages()
    recipe = parser_recipe(tmp_path / "run", epochs=0.1, init_from=str(tmp_path / "lm.safetensors"))
    train(recipe, display)
    assert "words start from the language model, and forward layers" in display.text
    loaded = Parser.load(tmp_path / "run")
    assert loaded.network.config.words == 11
    assert "zebra" in loaded.lexicon.words
