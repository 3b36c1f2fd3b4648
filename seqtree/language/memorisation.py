"""Checks generated samples for passages copied from the training text and for repetition loops.

Passages are found by rolling hashes: the training text is read in pieces, each window of L tokens x gets the hash
sum_i x_i B^i mod 2^64 from differences of running sums (Karp and Rabin 1987), and every hit is compared token by token
before it counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from seqtree.drawing.characters import columns, cut
from seqtree.errors import InputError
from seqtree.escapes import json_line
from seqtree.text.labelled import COLUMNS
from seqtree.text.nltk_corpora import PREFIX
from seqtree.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from seqtree.language.model import LanguageModel

MIN_COPY = {"char": 32, "word": 6}  # consecutive tokens that count as copied
MIN_LOOP = 12  # tokens of a loop in total
MIN_REPETITIONS = 3  # of the block of a loop
MAX_BLOCK = 1000  # tokens of the block of a loop
CHUNK = 1 << 20  # tokens of training text at a time
_BASE = 0x9E3779B97F4A7C15  # odd
_FILTER_BITS = 18
_SHOWN = 60  # terminal columns of a passage in a line of a report

Ids = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class SampleReport:
    """longest_copy: length in tokens of the longest passage of the sample that occurs verbatim in the training text.

    longest_copy_text: that passage (the first of that length). copied_share: the share of the sample's tokens in copied
    passages of at least 32 characters or 6 words. loops: whether a block is repeated at least 3 times in a row, over at
    least 12 tokens in total; loop_text: that block (the shortest; the first of that length), otherwise None.
    """

    longest_copy: int
    longest_copy_text: str
    copied_share: float
    loops: bool
    loop_text: str | None

    to_json = asdict

    def __str__(self) -> str:
        copy = f"longest copy from the training text {self.longest_copy} tokens"
        if self.longest_copy:
            copy += f" ({_shown(self.longest_copy_text)})"
        loop = "no loop" if self.loop_text is None else f"loops on {_shown(self.loop_text)}"
        return f"{copy}; {self.copied_share:.1%} in long copies; {loop}"


def report_samples(
    model: LanguageModel, model_path: str | Path, samples: Sequence[dict[str, Any]], training_text: Sequence[str] = ()
) -> list[SampleReport]:
    """A report for the ``text`` of each of ``samples``, encoded with the model's vocabulary.

    training_text: files or folders; if empty, those named by ``config.json`` in the folder of the model. Raises
    InputError if no training text is found.
    """
    if training_text:
        corpus = model.encode_files(training_text, model.settings.encoding).ids
    else:
        corpus = training_text_of_run(Path(model_path), "--training-text").ids(model)
    encoded = (model.vocabulary.encode(model.part_tokens(sample["text"])) for sample in samples)
    return [sample_report(ids, corpus, model.vocabulary) for ids in encoded]


def sample_report(sample_ids: npt.ArrayLike, corpus_ids: npt.NDArray[Any], vocabulary: Vocabulary) -> SampleReport:
    """The report on a sample (n,) given its training text (N,), an array or memory map of any size.

    ``<unk>`` in the sample never matches the text. Memory: about 80 MiB, plus a few numbers per token of the sample.
    Time: a few passes over the text.
    """
    sample = np.asarray(sample_ids).astype(np.int64)
    sought = np.where(sample == vocabulary.unknown, len(vocabulary), sample)
    shortest = MIN_COPY[vocabulary.unit]
    copied = find_windows(sought, corpus_ids, shortest)
    length, place = _longest(lambda size: find_windows(sought, corpus_ids, size), copied, shortest, len(sample))
    share = float(_covered(copied, shortest, len(sample)).mean()) if len(sample) else 0.0
    copy = vocabulary.join(vocabulary.decode(sample[place : place + length]))
    block = find_loop(sample)
    loop = None if block is None else vocabulary.join(vocabulary.decode(block))
    return SampleReport(length, copy, share, loop is not None, loop)


def in_long_copies(ids: Ids, corpus_ids: npt.NDArray[Any], vocabulary: Vocabulary) -> npt.NDArray[np.bool_]:
    """Which tokens of a text (n,) are in passages of at least 32 characters or 6 words of its training text; (n,)."""
    shortest, sought = MIN_COPY[vocabulary.unit], np.where(ids == vocabulary.unknown, len(vocabulary), ids)
    return _covered(find_windows(sought, corpus_ids, shortest), shortest, len(ids))


def _covered(windows: npt.NDArray[np.bool_], length: int, size: int) -> npt.NDArray[np.bool_]:
    """Which of ``size`` tokens are in one of these windows of ``length`` tokens; (size,)."""
    counts = np.zeros(size + 1, dtype=np.int64)
    counts[: len(windows)] += windows
    counts[length : length + len(windows)] -= windows  # those that end there
    covered: npt.NDArray[np.bool_] = counts.cumsum()[:-1] > 0
    return covered


def find_windows(sample: Ids, corpus: npt.NDArray[Any], length: int) -> npt.NDArray[np.bool_]:
    """Which windows of ``length`` tokens of a sample (n,) occur in a corpus (N,); (max(0, n - length + 1),).

    There are no false positives; a window could be missed only if another window of the sample had the same hash.
    """
    windows = np.lib.stride_tricks.sliding_window_view(sample, length) if len(sample) >= length else np.empty((0, 1))
    wanted, first, inverse = np.unique(_Hasher(len(sample), length)(sample), return_index=True, return_inverse=True)
    found = np.zeros(len(wanted), dtype=bool)
    for piece, hashes in _pieces(corpus, length):
        if found.all():
            break
        places = _candidates(hashes, wanted[~found])
        which = np.searchsorted(wanted, hashes[places])
        while len(places):  # one hit per hash at a time: further hits matter only if this is not the window itself
            which_now, now = np.unique(which, return_index=True)
            pairs = zip(first[which_now], places[now], strict=True)
            found[which_now] = [np.array_equal(windows[i], piece[j : j + length]) for i, j in pairs]
            left = ~found[which]
            left[now] = False
            places, which = places[left], which[left]
    present = found[inverse]
    for place in np.flatnonzero(present):
        present[place] = np.array_equal(windows[place], windows[first[inverse[place]]])
    return present


def find_loop(sample: Ids) -> Ids | None:
    """The shortest block that ``sample`` (n,) repeats at least 3 times in a row, over at least 12 tokens in total.

    If there are several, the first. Blocks of up to 1000 tokens are considered.
    """
    for period in range(1, min(len(sample) // MIN_REPETITIONS, MAX_BLOCK) + 1):
        times = max(MIN_REPETITIONS, -(-MIN_LOOP // period))
        same = np.concatenate([[False], sample[period:] == sample[:-period], [False]])
        begins, ends = np.flatnonzero(same[1:] & ~same[:-1]), np.flatnonzero(same[:-1] & ~same[1:])
        loops = begins[ends - begins >= (times - 1) * period]
        if len(loops):
            return sample[loops[0] : loops[0] + period]
    return None


def _longest(
    windows_of: Callable[[int], npt.NDArray[np.bool_]], copied: npt.NDArray[np.bool_], shortest: int, size: int
) -> tuple[int, int]:
    """Length and position of the first longest copied window; ``copied`` has the windows of ``shortest`` tokens.

    A window can only be copied if all shorter ones within it are, which allows a binary search, in the range left by
    ``copied``.
    """
    if copied.any():
        edges = np.flatnonzero(np.diff(np.concatenate([[0], copied.astype(np.int8), [0]])))
        low, place = shortest, int(copied.argmax())
        high = shortest - 1 + int((edges[1::2] - edges[::2]).max())
        middle = high  # usually the passage is copied as a whole
    else:
        low, place, high = 0, 0, min(shortest - 1, size)
        middle = (low + high + 1) // 2
    while low < high:
        found = windows_of(middle)
        if found.any():
            low, place = middle, int(found.argmax())
        else:
            high = middle - 1
        middle = (low + high + 1) // 2
    return low, place


class _Hasher:
    """Hashes of all windows of ``length`` tokens in pieces of at most ``size`` tokens; equal windows, equal hashes."""

    def __init__(self, size: int, length: int) -> None:
        self.length = length
        self.powers, self.inverses = _powers(_BASE, size), _powers(pow(_BASE, -1, 1 << 64), size)

    def __call__(self, piece: npt.NDArray[Any]) -> Hashes:
        count = max(len(piece) - self.length + 1, 0)
        sums = np.zeros(len(piece) + 1, dtype=np.uint64)
        terms = piece.astype(np.uint64)
        terms += np.uint64(1)
        terms *= self.powers[: len(piece)]  # modulo 2^64, like all of the following
        np.cumsum(terms, out=sums[1:])
        windows: Hashes = sums[self.length :] - sums[:count]
        windows *= self.inverses[:count]
        return windows


def _powers(base: int, count: int) -> Hashes:
    """base^0, base^1, ... modulo 2^64; (count,)."""
    factors = np.full(count, base, dtype=np.uint64)
    factors[:1] = 1
    return np.cumprod(factors)


def _pieces(corpus: npt.NDArray[Any], length: int) -> Iterator[tuple[npt.NDArray[Any], Hashes]]:
    """The corpus in pieces that together contain each window once, with the hashes of the windows."""
    size = min(CHUNK + length - 1, len(corpus))
    if size < length:
        return
    hasher = _Hasher(size, length)
    for start in range(0, len(corpus) - length + 1, CHUNK):
        piece = np.asarray(corpus[start : start + size])
        yield piece, hasher(piece)


def _candidates(hashes: Hashes, wanted: Hashes) -> Ids:
    """The positions of those ``hashes`` that are in ``wanted``; most are excluded by their first bits."""
    shift = np.uint64(64 - _FILTER_BITS)
    possible = np.zeros(1 << _FILTER_BITS, dtype=bool)
    possible[wanted >> shift] = True
    places = np.flatnonzero(possible[hashes >> shift])
    return places[np.isin(hashes[places], wanted)]


class TrainingText(NamedTuple):
    """The files that a run was trained on; ``columns``: those of the labels and of the texts, if texts have classes."""

    paths: list[str]
    columns: tuple[str, str]

    def ids(self, model: LanguageModel) -> Ids:
        """The token indices (N,) of the text, read as the model of the run did."""
        return model.given(None).encode_files(self.paths, model.settings.encoding, self.columns).ids


def training_text_of_run(model_path: Path, option: str) -> TrainingText:
    """The training text of a model's run, from its ``config.json``.

    Raises InputError if it is missing, which names the ``option`` that gives the text.
    """
    advice = f"give the training text with {option}"
    config = (model_path if model_path.is_dir() else model_path.parent) / "config.json"
    try:
        settings = json.loads(config.read_text(encoding="utf-8"))
        paths, named = settings["corpus"], settings.get("condition") or {}
        columns = (str(named.get("label_column", COLUMNS[0])), str(named.get("text_column", COLUMNS[1])))
    except FileNotFoundError:
        raise InputError(f"{config}: missing, so the model's training text is not known: {advice}") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{config}: does not name the model's training text ({error!r}): {advice}") from None
    if not isinstance(paths, list) or not paths or not all(isinstance(path, str) for path in paths):
        raise InputError(f'{config}: expected a list of files under "corpus": {advice}')
    for path in paths:
        if path == "-":
            raise InputError(f"{config}: the training text came from standard input and was not kept: {advice}")
        if not path.startswith(PREFIX) and not Path(path).exists():
            raise InputError(f"{path}: the model's training text no longer exists: {advice}")
    return TrainingText(paths, columns)


def _shown(text: str) -> str:
    """A passage in quotes on one line; a long one is truncated."""
    return json_line(text if columns(text) <= _SHOWN else cut(text, _SHOWN - 3) + "...")
