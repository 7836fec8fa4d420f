"""How log10 numbers become codes of a few bits: evenly spaced, or the means of equally frequent values."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.lm.ngram.kernels import pack as kernels
from windrow.lm.ngram.levels import Floats

BOOK_BITS = 8
STEP = 2e-6  # between codes, where the vocabulary leaves enough bits for it
_SAMPLE = 1 << 20  # values from which a book of means is made
_CELLS = 1 << 16  # in which the code of a value is looked up

_NO_CELLS = np.zeros(0, np.uint8)


class Range(NamedTuple):
    """The finite values of an order, and whether there are infinite ones."""

    low: float
    high: float
    has_infinity: bool


class Book(NamedTuple):
    """How numbers become codes (for kernels), and codes become numbers: see ``kernels.packed_trie``."""

    codes: kernels.Codes
    values: NDArray[np.float32]  # (at most 256,)
    step: float


def range_of(values: Floats | None) -> Range:
    """The range of an order's values; None where an order has none."""
    if values is None:
        return Range(0.0, 0.0, False)
    low, high, has_infinity = kernels.finite_range(values)
    return Range(low, high, has_infinity) if low <= high else Range(0.0, 0.0, has_infinity)


def bits_for(values: Range, most: int) -> int:
    """Bits with which codes lie at most ``STEP`` apart; ``most`` bits, where these are not enough for that."""
    cells = (values.high - values.low) / STEP + 2
    return min(max(BOOK_BITS, int(np.ceil(np.log2(cells)))), most)


def book_of(values: Floats | None, found: Range, bits: int, quantize_bits: int | None) -> Book:
    """The book for values in a range, with codes of ``bits`` bits; ``quantize_bits``: one of means instead.

    Its last entry is -inf if that is among the values.
    """
    if values is None:
        return Book(kernels.Codes(0.0, 0.0, 0, 0, _NO_CELLS), np.zeros(0, np.float32), 0.0)
    return _even_book(found, bits) if quantize_bits is None else _book_of_means(values, found, bits)


def _even_book(found: Range, bits: int) -> Book:
    low_bits = bits - BOOK_BITS
    entries = (1 << BOOK_BITS) - found.has_infinity
    highest = (entries << low_bits) - 1
    span = found.high - found.low
    step = span / highest
    book = np.full(1 << BOOK_BITS, -np.inf)
    book[:entries] = found.low + step * (np.arange(entries) << low_bits)
    scale = highest / span if span > 0 else 0.0
    codes = kernels.Codes(found.low, scale, highest, entries << low_bits, _NO_CELLS)
    return Book(codes, book.astype(np.float32), step)


def _book_of_means(values: Floats, found: Range, bits: int) -> Book:
    """The sorted values are cut into runs of equal length, and each run is represented by its mean."""
    entries = (1 << bits) - found.has_infinity
    sample = values[:: max(1, values.size // _SAMPLE)].astype(np.float64)
    sample = np.sort(sample[np.isfinite(sample)])
    if sample.size == 0:
        sample = np.zeros(1)
    bounds = np.unique(np.arange(entries) * sample.size // entries)
    means = np.unique(np.add.reduceat(sample, bounds) / np.diff(np.append(bounds, sample.size)))
    span = found.high - found.low
    scale = (_CELLS - 1) / span if span > 0 else 0.0
    centers = found.low + (np.arange(_CELLS) / scale if scale else np.zeros(_CELLS))
    cells = np.searchsorted((means[1:] + means[:-1]) / 2, centers).astype(np.uint8)
    book = np.full(1 << bits, -np.inf)
    book[: means.size] = means
    return Book(kernels.Codes(found.low, scale, _CELLS - 1, entries, cells), book.astype(np.float32), 0.0)
