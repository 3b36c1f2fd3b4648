"""N-grams near a word, each with weights of its own."""

from __future__ import annotations

import numpy as np
import torch

from seqtree.nn.neighbours import Neighbours, hashes

START, END = 1, 2


def _batch(*sentences: list[int]) -> torch.Tensor:
    longest = max(map(len, sentences))
    return torch.tensor([[START, *one, *[END] * (longest + 1 - len(one))] for one in sentences]).t()


def test_a_sentence_alone_has_the_ngrams_it_has_in_a_batch() -> None:
    sentences = [[5, 6, 7, 8], [5, 9], [6]]
    together = hashes(_batch(*sentences), 3)
    for row, sentence in enumerate(sentences):
        alone = hashes(_batch(sentence), 3)
        assert together[: len(sentence), row].tolist() == alone[:, 0].tolist()
    assert together.shape == (4, 3, 5 + 4 + 3)


def test_an_ngram_is_known_by_its_words_and_its_distance() -> None:
    (near,) = hashes(_batch([5, 6, 5, 6, 5]), 2).transpose(0, 1).tolist()
    assert len(set(near[2])) == 9
    assert near[1][2] == near[3][2] and near[1][1] == near[3][1]  # the word itself is 6, and the one before it 5
    assert near[1][0] != near[3][0]  # two before: the start, and 6
    assert not set(near[1]) & set(near[2])  # nothing in its place is the same


def test_scores_are_sums_over_the_ngrams_that_are_known() -> None:
    words = _batch([5, 6, 7], [8])
    found = hashes(words, 2)
    network = Neighbours(2, 3, 4)
    network.known.copy_(torch.from_numpy(np.unique([found[0, 0, 2], found[0, 0, 3], found[2, 0, 8]])))
    torch.nn.init.normal_(network.weights.weight)
    scores, weights = network(words), network.weights.weight
    at = {int(hash): weights[i] for i, hash in enumerate(network.known)}
    torch.testing.assert_close(scores[0, 0], at[int(found[0, 0, 2])] + at[int(found[0, 0, 3])])
    torch.testing.assert_close(scores[2, 0], at[int(found[2, 0, 8])])
    torch.testing.assert_close(scores[0, 1], at[int(found[2, 0, 8])])  # the end follows it twice, too
    assert scores[1, 0].tolist() == [0.0] * 4
    assert Neighbours(2, 0, 4)(words).abs().sum().item() == 0.0
