"""From words to rows of the table of features, and the mean of the vectors of a text's features."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel
from windrow.numeric.simd import LANES, add, broadcast, load, multiply, prefetch, store, zero

_NGRAM_FACTOR = np.uint64(116049371)  # fastText's


class Rows(NamedTuple):
    """Numbers of one list after the other: those of item i are ``ids[starts[i] : starts[i + 1]]``."""

    ids: NDArray[np.int32]
    starts: NDArray[np.int64]


class Types(NamedTuple):
    """The features that each different word has by itself, and its hash as it goes into those of n-grams."""

    rows: Rows
    hashes: NDArray[np.uint64]  # (types,)


class WordNgrams(NamedTuple):
    """``longest``: words in one; ``rows`` (buckets,): 1 + the row of each hash, 0 where training had no such n-gram."""

    longest: int
    rows: NDArray[np.int32]


@kernel
def count_replaced(ids: NDArray[np.int32], by: Rows) -> int:
    """How many numbers there are once each is replaced by those of its list in ``by``."""
    number = 0
    for place in range(ids.size):
        number += by.starts[ids[place] + 1] - by.starts[ids[place]]
    return number


@kernel
def replace_numbers(lists: Rows, by: Rows, end: int, found: Rows) -> None:
    """Replace each number by those of its list in ``by``; ``end``, unless it is negative, follows each list."""
    filled = 0
    for one in range(lists.starts.size - 1):
        found.starts[one] = filled
        for place in range(lists.starts[one], lists.starts[one + 1]):
            number = lists.ids[place]
            for own in range(by.starts[number], by.starts[number + 1]):
                found.ids[filled] = by.ids[own]
                filled += 1
        if end >= 0:
            found.ids[filled] = end
            filled += 1
    found.starts[lists.starts.size - 1] = filled


@kernel
def mark_ngrams(texts: Rows, hashes: NDArray[np.uint64], longest: int, seen: NDArray[np.uint8]) -> None:
    """Set ``seen`` (buckets,) to 1 for the n-grams of two and more words."""
    for text in range(texts.starts.size - 1):
        last = texts.starts[text + 1]
        for first in range(texts.starts[text], last):
            bits = hashes[texts.ids[first]]
            for place in range(first + 1, min(first + longest, last)):
                bits = bits * _NGRAM_FACTOR + hashes[texts.ids[place]]
                seen[np.int64(bits % np.uint64(seen.size))] = 1


@kernel
def count_rows(texts: Rows, order: NDArray[np.int64], types: Types, longest: int) -> int:
    """At most how many features some texts have together."""
    number = 0
    for i in range(order.size):
        first, last = texts.starts[order[i]], texts.starts[order[i] + 1]
        number += (last - first) * (longest - 1)
        for place in range(first, last):
            word = texts.ids[place]
            number += types.rows.starts[word + 1] - types.rows.starts[word]
    return int(number)


@kernel
def fill_rows(texts: Rows, order: NDArray[np.int64], types: Types, ngrams: WordNgrams, found: Rows) -> None:
    """The features of the texts of these numbers, one text after the other: of its words, then of its n-grams."""
    filled, buckets = 0, np.uint64(max(ngrams.rows.size, 1))
    own = types.rows
    for i in range(order.size):
        first, last = texts.starts[order[i]], texts.starts[order[i] + 1]
        found.starts[i] = filled
        for place in range(first, last):
            word = texts.ids[place]
            for row in range(own.starts[word], own.starts[word + 1]):
                found.ids[filled] = own.ids[row]
                filled += 1
        for begin in range(first, last if ngrams.longest > 1 else first):
            bits = types.hashes[texts.ids[begin]]
            for place in range(begin + 1, min(begin + ngrams.longest, last)):
                bits = bits * _NGRAM_FACTOR + types.hashes[texts.ids[place]]
                after_row = ngrams.rows[np.int64(bits % buckets)]
                if after_row > 0:
                    found.ids[filled] = after_row - 1
                    filled += 1
    found.starts[order.size] = filled


@kernel
def fetch_rows(found: Rows, item: int, table: NDArray[Any], width: int) -> None:
    """Start loading the vectors of an item's features."""
    for place in range(found.starts[item], found.starts[item + 1]):
        row: Any = np.int64(found.ids[place]) * width
        for k in range(0, width, LANES):
            prefetch(table, row + k)


@kernel
def mean_row(found: Rows, item: int, table: NDArray[Any], width: int, means: NDArray[Any], start: int) -> None:
    """``means[start : start + width]`` = the mean of the vectors of an item's features, which has some.

    ``table`` is flat, its rows at least 16 numbers wide. Four vectors of 16 numbers are in registers at a time; where a
    row ends before them, the last ones are its last 16 numbers, once more.
    """
    first, last = found.starts[item], found.starts[item + 1]
    share = broadcast(means.dtype.type(1) / means.dtype.type(last - first))
    for k in range(0, width, 4 * LANES):
        c0, c1 = min(k, width - LANES), min(k + LANES, width - LANES)
        c2, c3 = min(k + 2 * LANES, width - LANES), min(k + 3 * LANES, width - LANES)
        s0, s1, s2, s3 = zero(table), zero(table), zero(table), zero(table)
        for place in range(first, last):
            row: Any = np.int64(found.ids[place]) * width
            s0, s1 = add(s0, load(table, row + c0)), add(s1, load(table, row + c1))
            s2, s3 = add(s2, load(table, row + c2)), add(s3, load(table, row + c3))
        store(means, start + c0, multiply(s0, share))
        store(means, start + c1, multiply(s1, share))
        store(means, start + c2, multiply(s2, share))
        store(means, start + c3, multiply(s3, share))


@kernel
def mean_rows(found: Rows, table: NDArray[Any], width: int, means: NDArray[Any]) -> None:
    """The mean of the vectors of each item's features, zeros where it has none; ``means`` (items, width) is flat."""
    items = found.starts.size - 1
    for item in range(items):
        if item + 1 < items:
            fetch_rows(found, item + 1, table, width)
        start, first, last = item * width, found.starts[item], found.starts[item + 1]
        if first < last and width >= LANES:
            mean_row(found, item, table, width, means, start)
            continue
        for k in range(width):
            summed = means.dtype.type(0)
            for place in range(first, last):
                summed += table[np.int64(found.ids[place]) * width + k]
            means[start + k] = summed / means.dtype.type(max(last - first, 1))
