"""Count n-grams in partitions, which workers do on their own, to the same bits as in one piece.

A *shard* is a stretch of the text, a *partition* a range of n-grams by their first two words, see
``kernels.partitions``. Both cut the work into parts that a worker can hold::

    shard        deal              its windows, to the partitions
    partition    count_windows     sorted n-grams of every order from 2; the place of each, back to the shards
    shard        find_suffixes     the place of the n-gram that begins one word later, to the partitions
    partition    link              the suffix of each n-gram

One partition after another, the n-grams are those that ``count_ngrams`` gives, and counts are whole numbers, so that
neither the number of workers nor the cuts change a bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.bars import OnProgress
from windrow.corpus import Vocabulary
from windrow.distributed.workers import Workers
from windrow.errors import DataError, check_whole
from windrow.lm.ngram.counting import bits_of, check_stream, number_grams
from windrow.lm.ngram.kernels import partitions as kernels
from windrow.lm.ngram.kernels.counts import Ranks
from windrow.lm.ngram.kernels.partitions import NO_PART, Bounds, Int32s, Int64s, Parts
from windrow.lm.ngram.levels import CountLevel, NGramCounts
from windrow.lm.ngram.merging import MOST, read_only
from windrow.lm.symbols import BOS

_SAMPLES = 1 << 16  # windows that are looked at to cut partitions
_MOST_PARTITIONS = NO_PART
_STAGES = 4  # of counting
_FULL_WORKERS = 3  # parts per worker, at least, so that none is idle for long while the last ones end


class Windows(NamedTuple):
    """The windows of one shard in one partition, in the order of the text."""

    words: Int32s  # (order, windows): of each window the first word, the second, ..; BOS after the end of a sentence
    initial: NDArray[np.bool_]  # (windows,): which stand where a sentence begins; empty where nobody asks
    borrowed: int  # 1 if the last one belongs to the next shard, which counts it: only its places are wanted


class Partition(NamedTuple):
    """The sorted n-grams of a partition: of each order from 2 up."""

    first_word: int
    starts: list[Int32s]  # of order 2 (first words of the range + 1,), of the others (contexts + 1,)
    words: list[Int32s]
    counts: list[Int32s]
    initial: list[NDArray[np.bool_]]  # empty where <s> marks the beginning


@dataclass(frozen=True)
class Plan:
    """How a text is cut up."""

    order: int
    bos: bool
    word_bits: int
    cuts: list[int]  # (shards + 1,): positions of the stream
    bounds: Bounds
    words: int

    @property
    def shards(self) -> int:
        """How many shards there are."""
        return len(self.cuts) - 1

    @property
    def partitions(self) -> int:
        """How many partitions there are."""
        return self.bounds.keys.size + 1

    def shared_words(self) -> frozenset[int]:
        """The first words of which there are bigrams in several partitions."""
        ranges = [self.first_words(p) for p in range(self.partitions)]
        return frozenset(after[0] for before, after in pairwise(ranges) if before[1] == after[0])

    def first_words(self, partition: int) -> tuple[int, int]:
        """The first and the last first word that a partition may have."""
        keys = self.bounds.keys
        lowest = int(keys[partition - 1]) >> 32 if partition else 0
        highest = (int(keys[partition]) - 1) >> 32 if partition < keys.size else self.words - 1
        return lowest, highest


def plan(stream: Int32s, words: int, order: int, *, bos: bool, workers: Workers) -> Plan:
    """Cut a stream into shards and partitions that a worker can hold, and at least a few for each worker."""
    least = _FULL_WORKERS * workers.count
    shards = max(least, -(-stream.size * shard_bytes(order) // workers.memory))
    shards = max(1, min(shards, stream.size // 2))
    partitions = max(least, -(-stream.size * window_bytes(order) // workers.memory))
    cuts = np.linspace(0, stream.size, shards + 1).astype(np.int64).tolist()
    bounds = _bounds(stream, words, min(partitions, _MOST_PARTITIONS))
    return Plan(order, bos, bits_of(words), cuts, bounds, words)


def shard_bytes(order: int) -> int:
    """Bytes that a worker takes for each token of a shard: partition and windows, or places and suffixes."""
    return 2 + 8 * order


def window_bytes(order: int) -> int:
    """Bytes that a worker takes for each window of a partition, in the worst case: no n-gram occurs twice.

    The window itself and its key; and per order from 2 up its place, in three copies, and an n-gram.
    """
    return 8 + 4 * order + (order - 1) * (3 * 4 + 4 * 4)


def _bounds(stream: Int32s, words: int, partitions: int) -> Bounds:
    """Bounds between which there are about equally many windows, by a sample of the text."""
    sample = np.unique(np.linspace(0, max(stream.size - 2, 0), min(_SAMPLES, max(stream.size - 1, 0))).astype(np.int64))
    keys = np.sort(stream[sample].astype(np.int64) << 32 | stream[sample + 1]) if stream.size > 1 else sample
    quantiles = keys[(np.arange(1, partitions) * keys.size) // partitions] if keys.size else keys
    bounds = np.unique(quantiles) if quantiles.size else np.array([words], np.int64) << 32
    firsts = np.searchsorted(bounds, np.arange(words, dtype=np.int64) << 32, "right")
    return Bounds(bounds, firsts.astype(np.int32))


class CountedPartitions:
    """The n-grams of a text in partitions, which lie with the workers; handles of them."""

    def __init__(
        self, vocabulary: Vocabulary, unigrams: CountLevel, initial: NDArray[np.bool_] | None, plan: Plan,
        workers: Workers, parts: list[Any], suffixes: list[Any], sizes: NDArray[np.int64],
    ) -> None:  # fmt: skip
        self.vocabulary, self.unigrams, self.initial = vocabulary, unigrams, initial
        self.plan, self.workers = plan, workers
        self.parts, self.suffixes = parts, suffixes  # handles of Partition, of lists of suffixes by order from 2
        self.sizes = sizes  # (orders from 2, partitions)

    def offsets(self, order: int) -> Int64s:
        """Where the n-grams of each partition begin among all of an order, (partitions + 1,)."""
        return np.concatenate([[0], np.cumsum(self.sizes[order - 2])])

    def totals(self) -> list[int]:
        """How many n-grams each order has."""
        return [len(self.vocabulary), *(int(size) for size in self.sizes.sum(axis=1))]

    def collect(self, progress: OnProgress | None = None) -> NGramCounts:
        """All n-grams in this process."""
        report = progress or (lambda stage, done: None)
        levels = [
            _EmptyLevel(len(self.vocabulary) if k == 2 else int(self.sizes[k - 3].sum()), int(self.sizes[k - 2].sum()))
            for k in range(2, self.plan.order + 1)
        ]
        initial = [] if self.initial is None else [np.empty(level.words.size, np.bool_) for level in levels]
        for p, (part, suffixes) in enumerate(zip(self.parts, self.suffixes, strict=True)):
            own: Partition = self.workers.get(part)
            for k, (level, its_suffixes) in enumerate(zip(levels, self.workers.get(suffixes), strict=True), 2):
                place = self.offsets(k)[p]
                level.put(own, k, int(place), its_suffixes)
                if initial:
                    initial[k - 2][place : place + own.words[k - 2].size] = own.initial[k - 2]
            report("collecting counts", (p + 1) / len(self.parts))
        made = [self.unigrams, *(level.made() for level in levels)]
        return NGramCounts(self.vocabulary, made, None if self.initial is None else [self.initial, *initial])


class _EmptyLevel:
    """A level that partitions are put into."""

    def __init__(self, contexts: int, size: int) -> None:
        self._starts = np.zeros(contexts + 1, np.int64)
        self._contexts = 0  # that are filled
        self.words, self._suffixes, self._counts = (np.empty(size, np.int32) for _ in range(3))

    def put(self, part: Partition, order: int, place: int, suffixes: Int32s) -> None:
        words, counts, sizes = part.words[order - 2], part.counts[order - 2], np.diff(part.starts[order - 2])
        here = slice(place, place + words.size)
        self.words[here], self._suffixes[here], self._counts[here] = words, suffixes, counts
        first = part.first_word if order == 2 else self._contexts  # neighbors share a first word
        self._starts[first + 1 : first + 1 + sizes.size] += sizes
        self._contexts += sizes.size

    def made(self) -> CountLevel:
        starts = np.cumsum(self._starts).astype(np.int32)
        return CountLevel(starts, self.words, self._suffixes, self._counts)


def start_counting(
    stream: Int32s,
    vocabulary: Vocabulary,
    order: int,
    workers: Workers,
    *,
    bos: bool = True,
    progress: OnProgress | None = None,
) -> CountedPartitions:
    """Have the n-grams of a stream counted; the results stay with the workers.

    The parameters are those of ``count_ngrams``.
    """
    check_whole("order", order, 1)
    stream = read_only(np.asarray(stream, np.int32))
    check_stream(stream, len(vocabulary))
    made = plan(stream, len(vocabulary), order, bos=bos, workers=workers)
    unigrams, initial = _unigrams(stream, len(vocabulary), bos)
    if order == 1:
        return CountedPartitions(vocabulary, unigrams, initial, made, workers, [], [], np.zeros((0, 0), np.int64))
    shards, partitions = range(made.shards), range(made.partitions)

    def told(stage: int, parts: int) -> Callable[[int], object]:
        return lambda done: progress and progress("counting", (stage + done / parts) / _STAGES)

    shared = workers.put(made)
    dealt = workers.map(
        deal, ((shared, *_stretch(stream, made, s)) for s in shards), returns=len(partitions) + 1,
        on_done=told(0, len(shards)),
    )  # fmt: skip
    counted = workers.map(
        count_windows, ((shared, p, *(dealt[s][p] for s in shards)) for p in partitions), returns=len(shards) + 3,
        on_done=told(1, len(partitions)),
    )  # fmt: skip
    for of_shard in dealt:
        del of_shard[:-1]  # the windows are not needed any more
    sizes = np.array([workers.get(of_part[-1]) for of_part in counted], np.int64).T  # (orders, partitions)
    _check_sizes(sizes)
    offsets = workers.put(np.column_stack([np.zeros(order - 1, np.int64), np.cumsum(sizes, axis=1)[:, :-1]]))
    found = workers.map(
        find_suffixes, ((shared, dealt[s][-1], offsets, *(counted[p][s] for p in partitions)) for s in shards),
        returns=len(partitions), on_done=told(2, len(shards)),
    )  # fmt: skip
    parts, ranks = [of_part[-3] for of_part in counted], [of_part[-2] for of_part in counted]
    del counted
    suffixes = workers.map(
        link, ((parts[p], ranks[p], *(found[s][p] for s in shards)) for p in partitions),
        on_done=told(3, len(partitions)),
    )  # fmt: skip
    return CountedPartitions(vocabulary, unigrams, initial, made, workers, parts, suffixes, sizes)


def _check_sizes(sizes: NDArray[np.int64]) -> None:
    for k, size in enumerate(sizes.sum(axis=1).tolist(), 2):
        if size > MOST:
            raise DataError(f"the text has more than {MOST} different {k}-grams; lower the order")


def _unigrams(stream: Int32s, words: int, bos: bool) -> tuple[CountLevel, NDArray[np.bool_] | None]:
    """Order 1, all words of the vocabulary; and which begin sentences, where ``<s>`` does not tell."""
    counts = np.zeros(words, np.int64)
    initial = None if bos else np.zeros(words, np.bool_)
    block = 1 << 20
    for first in range(0, stream.size, block):
        counts += np.bincount(stream[first : first + block], minlength=words)
        if initial is not None:
            here = stream[first : first + block + 1]
            following = here[1:][here[:-1] == BOS]
            initial[following[following != BOS]] = True
    if words > BOS:
        counts[BOS] = 0
    starts, ids = np.array([0, words], np.int32), np.arange(words, dtype=np.int32)
    return CountLevel(starts, ids, np.zeros(words, np.int32), counts), initial


def _stretch(stream: Int32s, plan: Plan, shard: int) -> tuple[Int32s, int, int, bool]:
    """What a shard needs of the stream; where the shard begins in it; how many positions it has; if one is borrowed.

    This one, the last, is the first position of the next shard, for the suffix of its last n-grams, if a sentence goes
    on there.
    """
    begin, end = plan.cuts[shard], plan.cuts[shard + 1]
    first = max(begin - 1, 0)
    borrows = bool(end < stream.size and stream[end] != BOS)
    return stream[first : end + plan.order + 1], begin - first, end - begin + borrows, borrows


# --- what workers do


def deal(plan: Plan, stretch: Int32s, first: int, positions: int, borrows: bool) -> list[Any]:
    """The windows of a shard for each partition; and last, the partition of each position."""
    parts, sizes = np.empty(positions, np.uint16), np.zeros(plan.partitions, np.int64)
    stretch, bounds = read_only(stretch), Bounds(read_only(plan.bounds.keys), read_only(plan.bounds.firsts))
    kernels.find_parts(stretch, first, plan.bos, bounds, parts, sizes)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    windows = np.empty(plan.order * int(starts[-1]), np.int32)
    kernels.deal_windows(stretch, first, parts, starts, starts.copy(), plan.order, windows)
    flags = _NO_FLAGS if plan.bos else _in_parts(_after_bos(stretch, first, positions), parts)
    borrowed = int(parts[-1]) if borrows and positions else NO_PART
    dealt: list[Any] = []
    for p in range(plan.partitions):
        begin, end = int(starts[p]), int(starts[p + 1])
        words = windows[plan.order * begin : plan.order * end].reshape(plan.order, -1)
        dealt.append(Windows(words, flags[begin:end] if flags.size else flags, int(p == borrowed)))
    return [*dealt, parts]


_NO_FLAGS = np.empty(0, np.bool_)


def _after_bos(stretch: Int32s, first: int, positions: int) -> NDArray[np.bool_]:
    flags = np.zeros(positions, np.bool_)
    before = stretch[max(first - 1, 0) : first + positions - 1]
    flags[positions - before.size :] = before == BOS
    return flags


def _in_parts(values: NDArray[Any], parts: Parts) -> NDArray[Any]:
    """Values of positions in the order of the partitions, as the windows are."""
    order = np.argsort(parts, kind="stable")
    return values[order[: np.count_nonzero(parts != NO_PART)]]


def count_windows(plan: Plan, partition: int, *dealt: Windows) -> list[Any]:
    """The sorted n-grams of a partition, and the place of each n-gram that begins at a position.

    Gives, for each shard, the places of orders 2 to ``plan.order - 1`` at its positions, (orders, windows); then the
    Partition, all places of orders from 3, and how many n-grams each order has.
    """
    columns, flags, borrowed = _together(plan, dealt)
    positions = columns.shape[1]
    lowest, highest = plan.first_words(partition)
    below = read_only(columns[0, 1:] - np.int32(lowest))
    contexts, keys = max(highest - lowest + 1, 0), np.empty(positions, np.int64)
    part, places = Partition(lowest, [], [], [], []), np.empty((plan.order - 1, positions), np.int32)
    for k in range(2, plan.order + 1):
        ranks = places[k - 2]
        grams = number_grams(
            read_only(columns[k - 1]), Ranks(below, 1, 0), Ranks(ranks, 1, 0), keys, contexts, plan.word_bits,
            borrowed + 1, knows_suffixes=False,
        )  # fmt: skip
        part.starts.append(grams.starts)
        part.words.append(grams.words)
        part.counts.append(grams.counts)
        if not plan.bos:
            part.initial.append(_marked(grams.words.size, ranks[1:], flags))
        below, contexts = read_only(ranks[1:]), grams.words.size
    by_shard = _to_shards(places[:, 1:], dealt, borrowed)
    places = np.concatenate(by_shard, axis=1)
    sizes = [words.size for words in part.words]
    return [*(np.ascontiguousarray(its[:-1]) for its in by_shard), part, places[1:], sizes]


def _together(plan: Plan, dealt: Sequence[Windows]) -> tuple[Int32s, NDArray[np.bool_], int]:
    """The windows of all shards, (order, 1 + windows), the borrowed ones first, and how many those are.

    In front stands a column that is no window, as a kernel takes the position before an n-gram's last word for its
    context.
    """
    borrowed = [windows.words[:, -1:] for windows in dealt if windows.borrowed]
    own = [windows.words[:, : windows.words.shape[1] - windows.borrowed] for windows in dealt]
    columns = np.concatenate([np.full((plan.order, 1), BOS, np.int32), *borrowed, *own], axis=1)
    flags = [windows.initial[: windows.initial.size - windows.borrowed] for windows in dealt if windows.initial.size]
    return columns, np.concatenate([np.zeros(len(borrowed), np.bool_), *flags]), len(borrowed)


def _marked(size: int, ranks: Int32s, flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which n-grams are those of a flagged window."""
    marks = np.zeros(size, np.bool_)
    found = ranks[flags]
    marks[found[found >= 0]] = True
    return marks


def _to_shards(places: Int32s, dealt: Sequence[Windows], borrowed: int) -> list[Int32s]:
    """What belongs to the windows of each shard, in its order: the borrowed one, which stood in front, is its last."""
    at, lent, by_shard = borrowed, 0, []
    for windows in dealt:
        own = windows.words.shape[1] - windows.borrowed
        by_shard.append(np.concatenate([places[:, at : at + own], places[:, lent : lent + windows.borrowed]], axis=1))
        at, lent = at + own, lent + windows.borrowed
    return by_shard


def find_suffixes(plan: Plan, parts: Parts, offsets: Int64s, *ranks: Int32s) -> list[Int32s]:
    """The places of the suffixes of a shard's n-grams, for each partition, (orders from 3, windows).

    The borrowed window has none: it is the last position that its shard knows.
    """
    parts = read_only(parts)
    starts = np.concatenate([[0], np.cumsum([of_part.shape[1] for of_part in ranks])])
    suffixes = np.empty((plan.order - 2, int(starts[-1])), np.int32)
    places = np.empty(parts.size, np.int32)
    for row, its in enumerate(suffixes):
        flat = np.concatenate([of_part[row] for of_part in ranks])
        kernels.places_in_text(parts, starts.copy(), flat, read_only(offsets[row]), places)
        kernels.places_after(parts, starts.copy(), places, its)
    return [suffixes[:, starts[p] : starts[p + 1]].copy() for p in range(len(ranks))]


def link(part: Partition, places: Int32s, *found: Int32s) -> list[Int32s]:
    """The place of the suffix of each n-gram, order by order from 2 up, where it is the last word."""
    suffixes = [part.words[0]]
    for row, words in enumerate(part.words[1:]):
        own = np.empty(words.size, np.int32)
        kernels.scatter(read_only(places[row]), np.concatenate([of_shard[row] for of_shard in found]), own)
        suffixes.append(own)
    return suffixes
