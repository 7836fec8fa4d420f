"""From words to rows of the table of features, and the mean of the vectors of a text's features."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel
from windrow.numeric.simd import LANES, add, broadcast, load, multiply_add, prefetch, store, zero

_NGRAM_FACTOR = np.uint64(116049371)  # fastText's


class Rows(NamedTuple):
    """Numbers of one list after the other: those of item i are ``ids[starts[i] : starts[i + 1]]``."""

    ids: NDArray[np.int32]
    starts: NDArray[np.int64]


class Types(NamedTuple):
    """The features that each different word has by itself, and its hash as it goes into those of n-grams."""

    rows: Rows
    hashes: NDArray[np.uint64]  # (types,)
    end: int  # the word that follows each text


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
def replace_numbers(lists: Rows, by: Rows, found: Rows) -> None:
    """Replace each number by those of its list in ``by``."""
    filled = 0
    for one in range(lists.starts.size - 1):
        found.starts[one] = filled
        for place in range(lists.starts[one], lists.starts[one + 1]):
            number = lists.ids[place]
            for own in range(by.starts[number], by.starts[number + 1]):
                found.ids[filled] = by.ids[own]
                filled += 1
    found.starts[lists.starts.size - 1] = filled


@kernel
def _word_at(texts: Rows, place: int, last: int, end: int) -> Any:
    """The word at a place of a text, ``end`` after its last one."""
    return texts.ids[place] if place < last else end


@kernel
def mark_ngrams(texts: Rows, end: int, hashes: NDArray[np.uint64], longest: int, seen: NDArray[np.uint8]) -> None:
    """Set ``seen`` (buckets,) to 1 for the n-grams of two and more words, after each text the word ``end``."""
    buckets = np.uint64(seen.size)
    for text in range(texts.starts.size - 1):
        last = texts.starts[text + 1]
        for first in range(texts.starts[text], last):
            bits = hashes[texts.ids[first]]
            for place in range(first + 1, min(first + longest, last + 1)):
                bits = bits * _NGRAM_FACTOR + hashes[_word_at(texts, place, last, end)]
                seen[np.int64(bits % buckets)] = 1


@kernel
def fill_type_rows(own: NDArray[np.int32], ngrams: Rows, after_rows: NDArray[np.int32], found: Rows) -> None:
    """The rows of words by themselves: its own, unless it is negative, and those of its n-grams of characters.

    ``ngrams`` are buckets, ``after_rows`` as in ``WordNgrams``; ``found.ids`` may be filled in part.
    """
    filled = 0
    for word in range(own.size):
        found.starts[word] = filled
        if own[word] >= 0:
            found.ids[filled] = own[word]
            filled += 1
        for place in range(ngrams.starts[word], ngrams.starts[word + 1]):
            after_row = after_rows[ngrams.ids[place]]
            found.ids[filled] = after_row - 1
            filled += after_row > 0
    found.starts[own.size] = filled


@kernel
def count_rows(texts: Rows, order: NDArray[np.int64], types: Types, longest: int) -> int:
    """At most how many features some texts have together."""
    number, own = 0, types.rows.starts
    for i in range(order.size):
        first, last = texts.starts[order[i]], texts.starts[order[i] + 1]
        number += (last - first) * (longest - 1) + own[types.end + 1] - own[types.end]
        for place in range(first, last):
            number += own[texts.ids[place] + 1] - own[texts.ids[place]]
    return int(number)


@kernel
def fill_rows(texts: Rows, order: NDArray[np.int64], types: Types, ngrams: WordNgrams, found: Rows) -> None:
    """The features of the texts of these numbers, one text after the other: of its words, then of its n-grams."""
    filled, own = 0, types.rows
    for i in range(order.size):
        first, last = texts.starts[order[i]], texts.starts[order[i] + 1]
        found.starts[i] = filled
        for place in range(first, last + 1):
            word = _word_at(texts, place, last, types.end)
            for row in range(own.starts[word], own.starts[word + 1]):
                found.ids[filled] = own.ids[row]
                filled += 1
        filled = _fill_ngrams(texts, order[i], types, ngrams, found.ids, filled)
    found.starts[order.size] = filled


@kernel
def fill_ngram_rows(texts: Rows, order: NDArray[np.int64], types: Types, ngrams: WordNgrams, found: Rows) -> None:
    """As ``fill_rows``, but for the n-grams of words alone."""
    filled = 0
    for i in range(order.size):
        found.starts[i] = filled
        filled = _fill_ngrams(texts, order[i], types, ngrams, found.ids, filled)
    found.starts[order.size] = filled


@kernel
def _fill_ngrams(texts: Rows, text: int, types: Types, ngrams: WordNgrams, ids: NDArray[np.int32], filled: int) -> int:
    """Write the rows of a text's n-grams of words from ``filled`` on; returns where they end."""
    first, last, buckets = texts.starts[text], texts.starts[text + 1], np.uint64(max(ngrams.rows.size, 1))
    for begin in range(first, last if ngrams.longest > 1 else first):
        bits = types.hashes[texts.ids[begin]]
        for place in range(begin + 1, min(begin + ngrams.longest, last + 1)):
            bits = bits * _NGRAM_FACTOR + types.hashes[_word_at(texts, place, last, types.end)]
            after_row = ngrams.rows[np.int64(bits % buckets)]
            # Of half of those of a new text there is no row, which no processor predicts: written, but not counted.
            ids[filled] = after_row - 1
            filled += after_row > 0
    return filled


# --- vectors


@kernel
def fetch_rows(found: Rows, item: int, table: NDArray[Any], width: int) -> None:
    """Start loading the vectors of an item's features."""
    for place in range(found.starts[item], found.starts[item + 1]):
        row: Any = np.int64(found.ids[place]) * width
        for k in range(0, width, LANES):
            prefetch(table, row + k)


@kernel
def add_rows(
    ids: NDArray[np.int32],
    first: int,
    last: int,
    table: NDArray[Any],
    width: int,
    factor: float,
    sums: NDArray[Any],
    start: int,
) -> None:
    """Add ``factor`` times the rows ``ids[first : last]`` of a flat table to ``sums[start : start + width]``.

    Four vectors of 16 numbers are in registers at a time. Where a row ends before them, the last ones are its last 16
    numbers, once more.
    """
    share = sums.dtype.type(factor)
    if width < LANES:
        for k in range(width):
            for place in range(first, last):
                sums[start + k] += share * table[np.int64(ids[place]) * width + k]
        return
    shares = broadcast(share)
    for k in range(0, width, 4 * LANES):
        c0, c1 = min(k, width - LANES), min(k + LANES, width - LANES)
        c2, c3 = min(k + 2 * LANES, width - LANES), min(k + 3 * LANES, width - LANES)
        s0, s1, s2, s3 = zero(table), zero(table), zero(table), zero(table)
        for place in range(first, last):
            row: Any = np.int64(ids[place]) * width
            s0, s1 = add(s0, load(table, row + c0)), add(s1, load(table, row + c1))
            s2, s3 = add(s2, load(table, row + c2)), add(s3, load(table, row + c3))
        # All are loaded before one is stored, so that numbers which two of them have are added to once.
        b0, b1, b2, b3 = load(sums, start + c0), load(sums, start + c1), load(sums, start + c2), load(sums, start + c3)
        store(sums, start + c0, multiply_add(s0, shares, b0))
        store(sums, start + c1, multiply_add(s1, shares, b1))
        store(sums, start + c2, multiply_add(s2, shares, b2))
        store(sums, start + c3, multiply_add(s3, shares, b3))


@kernel
def sum_rows(found: Rows, table: NDArray[Any], width: int, sums: NDArray[Any]) -> None:
    """The sum of the vectors of each item's features; ``sums`` (items, width) is flat and zero before."""
    items = found.starts.size - 1
    for item in range(items):
        if item + 1 < items:
            fetch_rows(found, item + 1, table, width)
        add_rows(found.ids, found.starts[item], found.starts[item + 1], table, width, 1.0, sums, item * width)


@kernel
def mean_rows(
    texts: Rows,
    order: NDArray[np.int64],
    types: Types,
    sums: NDArray[Any],
    found: Rows,
    table: NDArray[Any],
    width: int,
    means: NDArray[Any],
) -> None:
    """The mean of the vectors of the features of each text of these numbers; zeros where it has none.

    ``sums`` (types, width) is of those that words have by themselves, ``found`` the rows of n-grams of words. Both
    tables and ``means`` (order, width), which is zero before, are flat.
    """
    ends, own = np.int64(types.end) * width, types.rows.starts
    for i in range(order.size):
        if i + 1 < order.size:
            fetch_rows(found, i + 1, table, width)
        first, last, start = texts.starts[order[i]], texts.starts[order[i] + 1], i * width
        number = found.starts[i + 1] - found.starts[i] + own[types.end + 1] - own[types.end]
        for place in range(first, last):
            number += own[texts.ids[place] + 1] - own[texts.ids[place]]
        share = 1 / max(number, 1)
        for k in range(width):
            means[start + k] = sums.dtype.type(share) * sums[ends + k]
        add_rows(texts.ids, first, last, sums, width, share, means, start)
        add_rows(found.ids, found.starts[i], found.starts[i + 1], table, width, share, means, start)
