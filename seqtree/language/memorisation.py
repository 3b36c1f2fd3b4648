"""What a sample owes to its training text, and whether it goes in circles.

A long passage found word for word in the training text was remembered, not composed; a block said over and over is the
other way in which sampling fails. Passages are sought by their hashes: the text goes by in pieces, each window of L
tokens x gets sum_i x_i B^i mod 2^64 from differences of running sums (Karp and Rabin 1987), and every hit is compared
token by token before it counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqtree.errors import InputError
from seqtree.text.corpus import encode_paths, text_tokens
from seqtree.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from seqtree.language.model import LanguageModel

MIN_COPY = {"char": 32, "word": 6}  # tokens in a row that count as copied
MIN_LOOP = 12  # tokens of a loop in all
REPETITIONS = 3
MAX_BLOCK = 1000  # tokens of a block that is looked for in loops
CHUNK = 1 << 20  # tokens of training text at a time
_BASE = 0x9E3779B97F4A7C15  # odd
_FILTER_BITS = 18
_SHOWN = 60  # characters of a passage in a report's line

Ids = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class SampleReport:
    """longest_copy: tokens of the longest passage of the sample that is found word for word in the training text.

    longest_copy_text: that passage (the first of that length). copied_share: the share of the sample's tokens in
    passages of at least 32 characters or 6 words that are. loops: whether a block comes 3 times in a row or more, over
    12 tokens or more in all; loop_text: that block (the shortest; the first of that length), otherwise None.
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
    """A report for the ``text`` of each of ``samples``, read with the model's vocabulary.

    training_text: files or folders; without any, those that ``config.json`` beside the model names. Raises InputError
    where that leads to no text.
    """
    paths = list(training_text) or _named_in_run(Path(model_path))
    corpus = encode_paths(paths, model.vocabulary, model.settings).ids
    encoded = (model.vocabulary.encode(text_tokens(sample["text"], model.settings)) for sample in samples)
    return [sample_report(ids, corpus, model.vocabulary) for ids in encoded]


def sample_report(sample_ids: npt.ArrayLike, corpus_ids: npt.NDArray[Any], vocabulary: Vocabulary) -> SampleReport:
    """The report of a sample (n,) beside its training text (N,), an array or memory map of any size.

    ``<unk>`` in the sample is like no token of the text. Memory: some 80 MiB, besides a few numbers for each token of
    the sample. Time: a few passes over the text.
    """
    sample = np.asarray(sample_ids).astype(np.int64)
    sought = np.where(sample == vocabulary.unknown, len(vocabulary), sample)
    least = MIN_COPY[vocabulary.unit]
    copied = find_windows(sought, corpus_ids, least)
    length, place = _longest(lambda size: find_windows(sought, corpus_ids, size), copied, least, len(sample))
    covered = np.zeros(len(sample) + 1, dtype=np.int64)
    covered[: len(copied)] += copied
    covered[least : least + len(copied)] -= copied  # windows that end there
    share = float((covered.cumsum()[:-1] > 0).mean()) if len(sample) else 0.0
    copy = vocabulary.join(vocabulary.decode(sample[place : place + length]))
    block = find_loop(sample)
    loop = None if block is None else vocabulary.join(vocabulary.decode(block))
    return SampleReport(length, copy, share, loop is not None, loop)


def find_windows(sample: Ids, corpus: npt.NDArray[Any], length: int) -> npt.NDArray[np.bool_]:
    """Which windows of ``length`` tokens of a sample (n,) are in a corpus (N,); (n - length + 1,), (0,) if n is less.

    No window is said to be there that is not; one that is could only be missed if its hash were that of another window
    of the sample.
    """
    windows = np.lib.stride_tricks.sliding_window_view(sample, length) if len(sample) >= length else np.empty((0, 1))
    wanted, first, inverse = np.unique(_Hasher(len(sample), length)(sample), return_index=True, return_inverse=True)
    found = np.zeros(len(wanted), dtype=bool)
    for piece, hashes in _pieces(corpus, length):
        if found.all():
            break
        places = _candidates(hashes, wanted[~found])
        which = np.searchsorted(wanted, hashes[places])
        while len(places):  # one hit for each hash at a time: the others only matter if it is not the window itself
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
    """The shortest block that ``sample`` (n,) repeats at once, 3 times or more and over 12 tokens or more in all.

    Of equally short ones the first. Blocks are sought up to 1000 tokens long.
    """
    for period in range(1, min(len(sample) // REPETITIONS, MAX_BLOCK) + 1):
        times = max(REPETITIONS, -(-MIN_LOOP // period))
        same = np.concatenate([[False], sample[period:] == sample[:-period], [False]])
        begins, ends = np.flatnonzero(same[1:] & ~same[:-1]), np.flatnonzero(same[:-1] & ~same[1:])
        loops = begins[ends - begins >= (times - 1) * period]
        if len(loops):
            return sample[loops[0] : loops[0] + period]
    return None


def _longest(
    windows_of: Callable[[int], npt.NDArray[np.bool_]], copied: npt.NDArray[np.bool_], least: int, size: int
) -> tuple[int, int]:
    """Length and place of the first longest window that is found; ``copied`` are those of ``least`` tokens.

    A window is only there if all shorter ones in it are: the search is binary, from what ``copied`` leaves possible.
    """
    if copied.any():
        edges = np.flatnonzero(np.diff(np.concatenate([[0], copied.astype(np.int8), [0]])))
        low, place = least, int(copied.argmax())
        high = least - 1 + int((edges[1::2] - edges[::2]).max())
        middle = high  # most often one passage is copied in one piece
    else:
        low, place, high = 0, 0, min(least - 1, size)
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
    """Hashes of all windows of ``length`` tokens of pieces of at most ``size`` tokens; equal windows, equal hashes."""

    def __init__(self, size: int, length: int) -> None:
        self.length = length
        self.powers, self.inverses = _powers(_BASE, size), _powers(pow(_BASE, -1, 1 << 64), size)

    def __call__(self, piece: npt.NDArray[Any]) -> Hashes:
        count = max(len(piece) - self.length + 1, 0)
        sums = np.zeros(len(piece) + 1, dtype=np.uint64)
        terms = piece.astype(np.uint64)
        terms += np.uint64(1)
        terms *= self.powers[: len(piece)]  # modulo 2^64, as all that follows
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
    """The corpus in pieces that together hold each of its windows once, with the hashes of these."""
    size = min(CHUNK + length - 1, len(corpus))
    if size < length:
        return
    hasher = _Hasher(size, length)
    for start in range(0, len(corpus) - length + 1, CHUNK):
        piece = np.asarray(corpus[start : start + size])
        yield piece, hasher(piece)


def _candidates(hashes: Hashes, wanted: Hashes) -> Ids:
    """The places of those ``hashes`` that are among ``wanted``; most are ruled out by their first bits."""
    shift = np.uint64(64 - _FILTER_BITS)
    possible = np.zeros(1 << _FILTER_BITS, dtype=bool)
    possible[wanted >> shift] = True
    places = np.flatnonzero(possible[hashes >> shift])
    return places[np.isin(hashes[places], wanted)]


def _named_in_run(model_path: Path) -> list[str]:
    """The text that the run of a model learned from, by its ``config.json``. Raises InputError if it is not there."""
    advice = "give the training text with --training-text"
    config = (model_path if model_path.is_dir() else model_path.parent) / "config.json"
    try:
        paths = json.loads(config.read_text(encoding="utf-8"))["corpus"]
    except FileNotFoundError:
        raise InputError(f"{config}: not there, so what the model learned from is not known: {advice}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{config}: does not say what the model learned from ({error!r}): {advice}") from None
    if not isinstance(paths, list) or not paths or not all(isinstance(path, str) for path in paths):
        raise InputError(f'{config}: expected a list of files under "corpus": {advice}')
    for path in paths:
        if path == "-":
            raise InputError(f"{config}: the model learned from standard input, which was not kept: {advice}")
        if not Path(path).exists():
            raise InputError(f"{path}: the text that the model learned from is no longer there: {advice}")
    return paths


def _shown(text: str) -> str:
    """A passage in quotes on one line, a long one by its beginning."""
    return json.dumps(text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "...", ensure_ascii=False)
