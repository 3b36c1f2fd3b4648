"""Batches on several threads at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from language_helpers import threads

from seqtree import corpora
from seqtree.errors import InputError
from seqtree.nn.parallel import BATCH_LENGTH, in_parallel
from seqtree.parsing.model import Parser
from seqtree.treebank.bracketed import parse_trees

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def three_threads() -> Iterator[None]:
    with threads(3):
        yield


def _threads_of_a_new_thread() -> int:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(torch.get_num_threads).result()


def test_as_many_at_once_as_torch_has_threads_each_alone_and_in_order() -> None:
    barrier = threading.Barrier(3)
    seen = set()

    def work(value: int) -> tuple[int, int]:
        barrier.wait(timeout=60)  # for two others at the same time
        seen.add(threading.get_ident())
        return value, torch.get_num_threads()

    assert in_parallel(work, range(30), CPU) == [(value, 1) for value in range(30)]
    assert len(seen) == 3
    assert torch.get_num_threads() == _threads_of_a_new_thread() == 3


@pytest.mark.parametrize(("values", "device", "count"), [(1, "cpu", 3), (4, "cpu", 1), (4, "meta", 3)])
def test_nothing_is_gained_for_one_value_or_thread_or_on_another_device(values: int, device: str, count: int) -> None:
    with threads(count):
        found = in_parallel(lambda value: (value, threading.get_ident()), range(values), torch.device(device))
    assert found == [(value, threading.get_ident()) for value in range(values)]


def test_an_error_ends_the_work() -> None:
    done = []

    def work(value: int) -> None:
        if value == 0:
            raise InputError("no")
        time.sleep(0.001)
        done.append(value)

    with pytest.raises(InputError, match="no"):
        in_parallel(work, range(10_000), CPU)
    assert len(done) < 9_999
    assert torch.get_num_threads() == _threads_of_a_new_thread() == 3


def test_parses_do_not_depend_on_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    trees = [tree for tree, _ in parse_trees(corpora.load("toy").splitlines(), "toy.mrg")]
    parser = Parser.untrained(trees, words=8, characters=8, hidden=16, vector=16, scorer=16)
    sentences = [[], *(parser.words(tree.leaves()) for tree in 3 * trees), []]
    assert sum(map(len, sentences)) > BATCH_LENGTH  # several batches
    batch, seen = parser._parse_batch, set()
    monkeypatch.setattr(parser, "_parse_batch", lambda read: seen.add(threading.get_ident()) or batch(read))
    several = list(parser.parses(sentences))
    assert seen
    assert threading.get_ident() not in seen
    with threads(1):
        assert several == list(parser.parses(sentences))
    assert threading.get_ident() in seen
    assert several[0] is several[-1] is None
