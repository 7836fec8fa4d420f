"""Count the n-grams of a stream: in memory if there is enough, else part by part in files that are then merged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from windrow.bars import OnProgress
from windrow.corpus import Vocabulary
from windrow.errors import DataError, OptionError, check_range, check_whole
from windrow.files.tempfolder import disk_errors, made_in_temporary_folder
from windrow.lm.ngram.kernels import counts as kernels
from windrow.lm.ngram.kernels.counts import Grams, Int32s, Int64s, KeyLayout, Ranks
from windrow.lm.ngram.levels import CountLevel, NGramCounts
from windrow.lm.ngram.merging import MOST, Counted, Merger, forget, read_only
from windrow.lm.symbols import BOS

_GRAM_BYTES = 16  # per n-gram of a level: start, word, suffix, count
# Per token while counting: a key, two ranks, and without bos a copy of the stream. Memory to sort a partition is free
# again before a level takes more.
_TOKEN_BYTES = 20
_WORD_BYTES = 24  # per word of the vocabulary
_KEY_BITS = 63
_PARTITION_KEYS = 1 << 16  # that are sorted together: with memory to sort, 1 MB
_MOST_DIGIT_BITS = 11
_RUN_BITS = 15  # of the numbers of runs of contexts
_MOST_PARTITION_BITS = 12
_LEAST_PART = 1 << 16  # tokens
_BLOCK = 1 << 20  # tokens looked at together
_NO_RANKS = Ranks(np.empty(0, np.int32), 1, 0)


def count_ngrams(
    stream: Int32s,
    vocabulary: Vocabulary,
    order: int,
    *,
    bos: bool = True,
    memory_budget: int | None = None,
    progress: OnProgress | None = None,
) -> NGramCounts:
    """Count the k-grams, k = 1 to ``order``, of a stream of ids in which ``<s>`` stands before every sentence.

    An n-gram may begin with ``<s>``, but ``<s>`` stands nowhere else in it. Order 1 has every word of the vocabulary;
    an order above the longest sentence has no n-grams.

    Parameters
    ----------
    stream : array of int32, shape (symbols,)
        Ids; the first is that of ``<s>``.
    vocabulary : Vocabulary
        The words of these ids.
    order : int, at least 1
        Words of the longest n-grams.
    bos : bool, default True
        Count n-grams that begin with ``<s>``. Without, ``initial`` of the result marks those at the beginning of a
        sentence.
    memory_budget : int or None, default None
        Bytes. If ``memory_needed`` is more, parts of the stream are counted one by one and merged in a temporary
        folder; the arrays are memory maps then, and the folder is removed with the returned object. None: no limit.
    progress : callable or None, default None
        Called with the stage, and how much of it is done, 0 to 1.

    Raises
    ------
    OptionError
        For ids outside the vocabulary.
    DataError
        For more than 2**31 - 1 tokens or n-grams of an order, or when the temporary folder cannot be written.
    """
    check_whole("order", order, 1)
    if memory_budget is not None:
        check_range("memory_budget", memory_budget, 1)
    stream = read_only(np.asarray(stream, np.int32))
    check_stream(stream, len(vocabulary))
    report: OnProgress = progress or (lambda stage, done: None)
    part = part_size(stream.size, len(vocabulary), order, memory_budget)
    if part is not None:
        return _count_parts(stream, vocabulary, order, bos, part, report)
    counted = []
    for k, level in enumerate(_levels(stream, 0, len(vocabulary), order, bos), 1):
        counted.append(level)
        report("counting", k / order)
    return _as_counts(vocabulary, counted)


def memory_needed(tokens: int, words: int, order: int) -> int:
    """Bytes that counting takes, beside the stream, in the worst case: no n-gram above order 1 occurs twice."""
    return tokens * (_TOKEN_BYTES + _GRAM_BYTES * (order - 1)) + _WORD_BYTES * words


def part_size(tokens: int, words: int, order: int, memory_budget: int | None) -> int | None:
    """How many tokens to count at a time; None for all of them, in memory."""
    # A key holds a position, a word and a context, without the bits of the context that the partition stands for. A
    # context is one of at most max(words, positions).
    bits = _KEY_BITS + _MOST_PARTITION_BITS - bits_of(words)  # for position and context
    most = (1 << min(bits // 2, bits - bits_of(words))) - order
    if memory_budget is not None and memory_needed(tokens, words, order) > memory_budget:
        # Only one level of a part is in memory at a time. The other half of the budget is for merging and the program.
        return min(max(memory_budget // 2 // (_TOKEN_BYTES + _GRAM_BYTES), _LEAST_PART), most)
    return most if tokens > most else None


def bits_of(number: int) -> int:
    """Bits of the numbers below ``number``, at least 1."""
    return max(number - 1, 1).bit_length()


def check_size(tokens: int) -> None:
    """Raise DataError for a text that is too long to be counted, before it is read as a stream."""
    if tokens > MOST:
        raise DataError(f"the text has {tokens:,} tokens; n-grams are counted in at most {MOST:,}: use a part of it")


def check_stream(stream: Int32s, words: int) -> None:
    """Raise OptionError for a stream that does not begin with ``<s>``, or ids outside the vocabulary."""
    check_size(stream.size)
    if stream.size and stream[0] != BOS:
        raise OptionError(f"stream must begin with the id of <s>, which is {BOS}, not with {stream[0]}")
    for first in range(0, stream.size, _BLOCK):
        block = stream[first : first + _BLOCK]
        if block.min() < 0 or block.max() >= words:
            raise OptionError(f"stream holds ids from {block.min()} to {block.max()}; the vocabulary has {words} words")


def _as_counts(vocabulary: Vocabulary, counted: list[Counted]) -> NGramCounts:
    initial = [marks for _, marks in counted if marks is not None]
    return NGramCounts(vocabulary, [level for level, _ in counted], initial or None)


# --- in memory


def _levels(stream: Int32s, counted_from: int, words: int, order: int, bos: bool) -> Iterator[Counted]:
    """The levels of a stretch of the stream, one by one; the caller need not keep the earlier ones."""
    counter = _Counter(stream, counted_from, words, order, bos)
    yield counter.words()
    for _ in range(1, order):
        yield counter.next_level()


class _Counter:
    """Counts order after order in the same memory.

    N-grams that end before position ``counted_from`` get an entry with a count of 0: they belong to the part of the
    text before, but may be the contexts of n-grams that are counted.
    """

    def __init__(self, stream: Int32s, counted_from: int, words: int, highest: int, bos: bool) -> None:
        self._stream = stream
        self._counted_from = counted_from
        self._highest = highest
        self._bos = bos
        self._word_bits = bits_of(words)
        self._order = 1
        self._size = words  # of the last level
        # New memory costs more than a pass over it, so there are no more ranks than are read: those of orders 2 to
        # highest - 1, and without bos of all, of which two at a time are needed.
        self._step = 1 if highest <= (3 if bos else 2) else 2
        self._rank_data = np.empty(self._step * stream.size if highest > (2 if bos else 1) else 0, np.int32)
        self._ranks = Ranks(stream if bos else np.where(stream == BOS, np.int32(-1), stream), 1, 0)
        self._keys = np.empty(stream.size if highest > 1 else 0, np.int64)

    def words(self) -> Counted:
        """Order 1, all words of the vocabulary."""
        counts = np.zeros(self._size, np.int64)
        for first in range(self._counted_from, self._stream.size, _BLOCK):
            counts += np.bincount(self._stream[first : first + _BLOCK], minlength=self._size)
        if self._size > BOS:
            counts[BOS] = 0
        starts, words = np.array([0, self._size], np.int32), np.arange(self._size, dtype=np.int32)
        return self._counted(CountLevel(starts, words, np.zeros(self._size, np.int32), counts))

    def next_level(self) -> Counted:
        """The next order."""
        self._order += 1
        below = self._ranks._replace(data=read_only(self._ranks.data))
        self._ranks = self._next_ranks()
        grams = number_grams(
            self._stream, below, self._ranks, self._keys, self._size, self._word_bits, self._counted_from,
            knows_suffixes=self._order > 2,  # below are words then, as they stand in the keys
        )  # fmt: skip
        self._size = grams.words.size
        return self._counted(CountLevel(*grams))

    def _next_ranks(self) -> Ranks:
        """Memory for the ranks of this order, interleaved with those of the last; none if nothing will read them."""
        if self._order == self._highest and self._bos:
            return _NO_RANKS
        return Ranks(self._rank_data, self._step, self._order % self._step)

    def _counted(self, level: CountLevel) -> Counted:
        if self._bos:
            return Counted(level, None)
        initial = np.zeros(self._size, np.bool_)
        kernels.mark_initial(self._stream, self._ranks, self._order, self._counted_from, initial)
        return Counted(level, initial)


def number_grams(
    stream: Int32s,
    below: Ranks,
    ranks: Ranks,
    keys: Int64s,
    contexts: int,
    word_bits: int,
    counted_from: int,
    *,
    knows_suffixes: bool = True,
) -> Grams:
    """The distinct k-grams of a stream, and the rank of each position, written to ``ranks`` if that holds memory.

    Parameters
    ----------
    stream : array of int32, shape (positions,)
        The last words of k-grams.
    below, ranks : Ranks
        The ranks of order k - 1, those of the position before being contexts; and of order k.
    keys : array of int64, shape (positions,)
        Memory to work in.
    contexts : int
        How many different (k-1)-grams there are.
    word_bits : int
        Bits of the ids of words.
    counted_from : int
        The first position that counts.
    knows_suffixes : bool, default True
        Whether ``below`` has the rank of each position itself, too, which is the place of its suffix. False: suffixes
        are words.
    """
    position_bits = bits_of(stream.size)
    context_bits = _KEY_BITS - position_bits - word_bits
    run_bits = min(max(bits_of(contexts) - _RUN_BITS, 0), context_bits)
    sizes = np.zeros((max(contexts - 1, 0) >> run_bits) + 1, np.int64)
    kernels.run_sizes(stream, below, run_bits, sizes)
    partitions, firsts, bounds = _partitions(sizes, run_bits, context_bits)
    layout = KeyLayout(run_bits, word_bits, position_bits, partitions, firsts)
    kernels.distribute_keys(stream, below, layout, bounds[:-1].copy(), keys, ranks)
    keys = keys[: bounds[-1]]
    most_contexts = int(np.diff(firsts, append=contexts).max(initial=1))
    distinct = _sort(keys, bounds, position_bits, bits_of(most_contexts) + word_bits)
    grams = Grams(np.empty(contexts + 1, np.int32), *(np.empty(distinct, np.int32) for _ in range(3)))
    if not knows_suffixes:
        below = below._replace(data=below.data[:0])
    kernels.rank_grams(keys, bounds, layout, counted_from, below, ranks, grams)
    return grams


def _partitions(sizes: Int64s, run_bits: int, context_bits: int) -> tuple[Int32s, Int64s, Int64s]:
    """The partition of each run of contexts; the first context of each partition; and where its keys begin, and end.

    ``sizes``: keys of each run. A partition is as many runs as have ``_PARTITION_KEYS``, with at most
    ``2**context_bits`` contexts.
    """
    ends = np.cumsum(sizes)
    begins = ends - sizes
    is_first = np.diff(begins // _PARTITION_KEYS, prepend=-1) > 0
    is_first[:: 1 << (context_bits - run_bits)] = True
    (firsts,) = np.nonzero(is_first)
    return np.cumsum(is_first, dtype=np.int32) - np.int32(1), firsts << run_bits, np.append(begins[firsts], ends[-1])


def _sort(keys: Int64s, bounds: Int64s, position_bits: int, gram_bits: int) -> int:
    """Sort the keys of each partition; returns how many n-grams there are."""
    digits = -(-gram_bits // _MOST_DIGIT_BITS)
    digit_bits = -(-gram_bits // digits)
    scratch, sizes = np.empty(int(np.diff(bounds).max()), np.int64), np.empty((digits, 1 << digit_bits), np.int64)
    return int(kernels.sort_keys(keys, bounds, position_bits, digit_bits, scratch, sizes))


# --- part by part


def _count_parts(
    stream: Int32s, vocabulary: Vocabulary, order: int, bos: bool, part: int, report: OnProgress
) -> NGramCounts:
    """Count ``part`` tokens at a time, write the levels of each part to files, and merge them two by two."""

    def count_in(folder: Path) -> NGramCounts:
        merger = Merger(folder)
        for start in range(0, max(stream.size, 1), part):
            # An n-gram that ends in this part may begin before it; one symbol more shows whether a sentence does.
            first = max(start - order, 0)
            stretch = stream[first : start + part]
            merger.add(_levels(stretch, start - first, len(vocabulary), order, bos))
            forget([stream])
            report("counting", min(start + part, stream.size) / max(stream.size, 1))
        return _as_counts(vocabulary, merger.result(report))

    with disk_errors():
        return made_in_temporary_folder(count_in)
