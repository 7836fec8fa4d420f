"""Count n-grams order by order: each k-gram of the text becomes a key of 63 bits, and keys are sorted.

The *rank* of a position is the place, among the sorted k-grams, of the k-gram that ends there, -1 where none does; for
order 1 it is the word. So the (k+1)-gram that ends at a position has the rank of the position before as its context,
and the rank of the position itself as its suffix (the k-gram without its first word). The ranks of two orders
alternate in memory, so that what is read and written for a position lies in one cache line.

Keys are distributed to partitions, each for a range of contexts, and then each partition is sorted:

    key   | context, counted from the first of its partition | last word | position |

Partitions are small enough for the cache, and their keys come in the order of positions, so that they are sorted digit
by digit, the lowest first, by context and word only: as fast on every processor, unlike NumPy's sort.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.lm.symbols import BOS
from windrow.numeric.jit import kernel
from windrow.numeric.simd import prefetch

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]

LINE_END = 24  # the most bytes of a count, a mark and a newline
_AHEAD = 32  # keys between a prefetch and the use of what it fetches


class KeyLayout(NamedTuple):
    """Bits of the fields of a key, and which partition a context belongs to.

    A run of ``2**run_bits`` contexts lies in one partition, and a partition has one or more runs, side by side.
    """

    run_bits: int
    word_bits: int
    position_bits: int
    partitions: Int32s  # (runs,) the partition of each
    firsts: Int64s  # (partitions,) their first contexts


class Grams(NamedTuple):
    """The distinct k-grams, sorted by context and word."""

    starts: Int32s  # (contexts + 1,)
    words: Int32s  # (n,)
    suffixes: Int32s  # (n,)
    counts: Int32s  # (n,)


class Ranks(NamedTuple):
    """The rank of a position is ``data[step * position + side]``; empty data where ranks are not needed."""

    data: Int32s
    step: int
    side: int


@kernel
def run_sizes(stream: Int32s, below: Ranks, run_bits: int, sizes: Int64s) -> None:
    """Add to ``sizes``, (runs,), how many keys each run of contexts will have."""
    for position in range(1, stream.size):
        context = below.data[below.step * (position - 1) + below.side]
        if context >= 0 and stream[position] != BOS:
            sizes[context >> run_bits] += 1


@kernel
def distribute_keys(stream: Int32s, below: Ranks, layout: KeyLayout, ends: Int64s, keys: Int64s, ranks: Ranks) -> None:
    """Write the key of every k-gram to its partition; where none ends, the rank becomes -1.

    ``below``: the ranks of order k - 1. ``ends``, (partitions,): where each partition begins, and after the call, where
    it ends.
    """
    context_shift = layout.word_bits + layout.position_bits
    is_needed = ranks.data.size > 0
    if is_needed:
        ranks.data[ranks.side] = -1
    for position in range(1, stream.size):
        context = np.int64(below.data[below.step * (position - 1) + below.side])
        word = np.int64(stream[position])
        if context >= 0 and word != BOS:
            partition = layout.partitions[context >> layout.run_bits]
            local = context - layout.firsts[partition]
            keys[ends[partition]] = (local << context_shift) | (word << layout.position_bits) | position
            ends[partition] += 1
        elif is_needed:
            ranks.data[ranks.step * position + ranks.side] = -1


@kernel
def sort_keys(keys: Int64s, bounds: Int64s, shift: int, digit_bits: int, scratch: Int64s, sizes: Int64s) -> Any:
    """Sort the keys of each partition by the digits from bit ``shift`` up; returns how many differ in these.

    ``scratch``: memory for the largest partition. ``sizes``, (digits, 2**digit_bits): memory.
    """
    distinct, digits, mask = 0, sizes.shape[0], (1 << digit_bits) - 1
    for partition in range(bounds.size - 1):
        first, size = bounds[partition], bounds[partition + 1] - bounds[partition]
        for digit in range(digits):
            for value in range(mask + 1):
                sizes[digit, value] = 0
        for i in range(size):
            gram = keys[first + i] >> shift
            scratch[i] = keys[first + i]
            for digit in range(digits):
                sizes[digit, (gram >> (digit * digit_bits)) & mask] += 1
        for digit in range(digits):  # from one memory to the other: the keys have to end where they were
            is_back = (digits - digit) % 2 == 1
            by = shift + digit * digit_bits
            starts = sizes[digit]
            total = np.int64(0)
            for value in range(mask + 1):
                here = starts[value]
                starts[value] = total
                total += here
            if is_back:
                deal_keys(scratch, 0, size, by, mask, starts, keys, first)
            else:
                deal_keys(keys, first, size, by, mask, starts, scratch, 0)
        before = np.int64(-1)
        for i in range(first, first + size):
            distinct += keys[i] >> shift != before
            before = keys[i] >> shift
    return distinct


@kernel
def deal_keys(
    source: Int64s, first: int, size: int, shift: int, mask: int, starts: Int64s, target: Int64s, target_first: int
) -> None:
    """Move keys to where those of their digit, which begins at bit ``shift``, go on; ``starts`` move on."""
    for i in range(first, first + size):
        key = source[i]
        value = (key >> shift) & mask
        target[target_first + starts[value]] = key
        starts[value] += 1


@kernel
def rank_grams(
    keys: Int64s, bounds: Int64s, layout: KeyLayout, counted_from: int, below: Ranks, ranks: Ranks, level: Grams
) -> None:
    """Number the k-grams of sorted keys: fill ``level`` and, where they are needed, ``ranks``.

    ``below``: the ranks of order k - 1; empty for k = 2, where they are the words. k-grams that end before position
    ``counted_from`` are numbered with a count of 0.
    """
    position_mask = (np.int64(1) << layout.position_bits) - 1
    word_mask = (np.int64(1) << layout.word_bits) - 1
    is_needed, is_second = ranks.data.size > 0, below.data.size == 0
    place = context = np.int64(-1)
    for partition in range(bounds.size - 1):
        first_context, last = layout.firsts[partition], bounds[partition + 1]
        before = np.int64(-1)
        for i in range(bounds[partition], last):
            if i + _AHEAD < last:
                ahead = keys[i + _AHEAD] & position_mask
                if is_needed:
                    prefetch(ranks.data, ranks.step * ahead)  # the ranks below lie beside them
                else:
                    prefetch(below.data, below.step * ahead)
            position = keys[i] & position_mask
            gram = keys[i] >> layout.position_bits
            if gram != before:
                before = gram
                place += 1
                while context < first_context + (gram >> layout.word_bits):
                    context += 1
                    level.starts[context] = place
                word = gram & word_mask
                level.words[place] = word
                level.suffixes[place] = word if is_second else below.data[below.step * position + below.side]
                level.counts[place] = 0
            level.counts[place] += position >= counted_from
            if is_needed:
                ranks.data[ranks.step * position + ranks.side] = place
    for rest in range(context + 1, level.starts.size):
        level.starts[rest] = place + 1


@kernel
def mark_initial(stream: Int32s, ranks: Ranks, order: int, counted_from: int, initial: NDArray[np.bool_]) -> None:
    """Set ``initial`` of the k-grams that stand where a sentence begins and end at ``counted_from`` or later."""
    for position in range(max(order, counted_from), stream.size):
        rank = ranks.data[ranks.step * position + ranks.side]
        if stream[position - order] == BOS and rank >= 0:
            initial[rank] = True


# --- the union of two counts


class Input(NamedTuple):
    """A level of one of the two counts to be merged, and the places of its n-grams in the merged level."""

    level: Grams
    suffix_places: Int32s  # merged places of the n-grams of the order below
    places: Int32s  # (n,) merged places of this order, filled here


class Output(NamedTuple):
    """A part of the merged level; ``origins``: bit 0 for an n-gram of the first count, bit 1 for one of the second."""

    level: Grams
    origins: NDArray[np.uint8]


class Cursor(NamedTuple):
    """How far merging has come."""

    context: int = 0  # merged
    context_a: int = 0
    context_b: int = 0
    a: int = 0  # the next k-gram of the first count
    b: int = 0
    place: int = 0  # of the next merged k-gram


@kernel
def merge_levels(a: Input, b: Input, origins: NDArray[np.uint8], cursor: Cursor, out: Output) -> Any:
    """Merge the k-grams context by context until ``out`` is full or all is done.

    ``origins``, (contexts,): which of the counts hold each merged context. Returns the numbers of the cursor after, how
    many contexts were finished (``out.level.starts`` holds the place after each) and how many k-grams were written.
    """
    context, context_a, context_b, i, j, place = cursor
    finished = written = 0
    while context < origins.size and finished < out.level.starts.size:
        origin = int(origins[context])
        in_a, in_b = origin & 1, origin >> 1
        last_a = np.int64(a.level.starts[context_a + 1]) if in_a else i
        last_b = np.int64(b.level.starts[context_b + 1]) if in_b else j
        while (i < last_a or j < last_b) and written < out.origins.size:
            take_a = i < last_a and (j == last_b or a.level.words[i] <= b.level.words[j])
            take_b = j < last_b and (i == last_a or b.level.words[j] <= a.level.words[i])
            count = np.int64(0)
            if take_a:
                out.level.words[written] = a.level.words[i]
                out.level.suffixes[written] = a.suffix_places[a.level.suffixes[i]]
                count += a.level.counts[i]
                a.places[i] = place
                i += 1
            if take_b:
                out.level.words[written] = b.level.words[j]
                out.level.suffixes[written] = b.suffix_places[b.level.suffixes[j]]
                count += b.level.counts[j]
                b.places[j] = place
                j += 1
            out.level.counts[written] = count
            out.origins[written] = take_a + 2 * take_b
            written += 1
            place += 1
        if i < last_a or j < last_b:
            break
        context += 1
        context_a += in_a
        context_b += in_b
        out.level.starts[finished] = place
        finished += 1
    return (context, context_a, context_b, i, j, place), finished, written


# --- counts as text


class Spelling(NamedTuple):
    """Words as UTF-8: word i is ``letters[offsets[i] : offsets[i + 1]]``."""

    letters: NDArray[np.uint8]
    offsets: Int64s


@kernel
def write_count(number: int, out: NDArray[np.uint8], at: int) -> int:
    """Write a number that is not negative as decimal digits; returns the position after it."""
    digits = 1
    rest = number // 10
    while rest > 0:
        digits += 1
        rest //= 10
    for i in range(at + digits - 1, at - 1, -1):
        out[i] = 48 + number % 10
        number //= 10
    return at + digits


@kernel
def format_grams(
    grams: Int32s, first: int, counts: Int64s, marks: NDArray[np.bool_], spelling: Spelling, out: NDArray[np.uint8]
) -> Any:
    """Write lines ``w1 .. wk<TAB>count``, with ``<TAB>^`` where marked, from row ``first`` of grams, (n, k), on.

    Returns the row and the byte reached when all rows are written, or when the next might not fit ``out``.
    """
    letters, offsets = spelling.letters, spelling.offsets
    row, at = first, 0
    while row < counts.size:
        size = 0
        for column in range(grams.shape[1]):
            word = grams[row, column]
            size += offsets[word + 1] - offsets[word] + 1
        if at + size + LINE_END > out.size:
            break
        for column in range(grams.shape[1]):
            word = grams[row, column]
            for letter in range(offsets[word], offsets[word + 1]):
                out[at] = letters[letter]
                at += 1
            out[at] = 0x20
            at += 1
        out[at - 1] = 0x09
        at = write_count(counts[row], out, at)
        if marks[row]:
            out[at] = 0x09
            out[at + 1] = 0x5E
            at += 2
        out[at] = 0x0A
        at += 1
        row += 1
    return row, at
