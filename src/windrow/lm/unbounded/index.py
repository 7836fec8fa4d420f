"""The index that models of unbounded order answer from: a text and its sorted contexts, in five or six bytes a word."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.bars import OnProgress
from windrow.errors import FormatError, check_whole
from windrow.lm.ngram.counting import bits_of
from windrow.lm.ngram.smoothing import COUNTS_OF_COUNTS
from windrow.lm.symbols import BOS
from windrow.lm.unbounded.discounting import (
    Discounts,
    estimate_discounts,
    frequencies_of_words,
    orders_of,
    smooth_words,
)
from windrow.lm.unbounded.kernels import counting, sorting
from windrow.lm.unbounded.kernels.contexts import (
    BRANCHES,
    COLUMNS,
    COUNT_CLASSES,
    FOLLOWERS,
    FREQUENT,
    ONES,
    TOTAL,
    TWOS,
    Float64s,
    Index,
    Int32s,
)
from windrow.lm.unbounded.kernels.packed_numbers import MOST_BITS, bytes_of, pack_numbers
from windrow.lm.unbounded.suffix_array import LONGEST, sort_contexts

_ARRAYS = {
    "text": np.dtype(np.uint8),
    "suffixes": np.dtype(np.uint8),
    "starts": np.dtype(np.int64),
    "ranges": np.dtype(np.int64),
    "tallies": np.dtype(np.int32),
    "unigrams": np.dtype(np.float64),
    "discounts": np.dtype(np.float64),
}
_PROBABILITIES = ("unigrams", "discounts")
_SIZES = ("size", "word_bits", "position_bits", "frequent")
_ROOM = 16  # symbols for each row of the table of frequent ranges, at first
_SUM_TOLERANCE = 1e-6


@dataclass(frozen=True)
class ContextIndex:
    """An index of contexts, and how probabilities follow from its counts; see ``kernels.scoring``."""

    index: Index
    unigrams: Float64s  # (words,)
    discounts: Float64s  # (orders, COUNT_CLASSES)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays of a model file."""
        return {name: getattr(self if name in _PROBABILITIES else self.index, name) for name in _ARRAYS}

    def config(self) -> dict[str, int]:
        """What a model file holds beside the arrays."""
        index = self.index
        return dict(zip(_SIZES, (index.size, index.word_bits, index.position_bits, FREQUENT), strict=True))


def build_index(
    stream: Int32s, words: int, discounts: Discounts | None, fallback: bool, progress: OnProgress | None = None
) -> ContextIndex:
    """Index a text.

    Parameters
    ----------
    stream : array of int32, shape (symbols,)
        Sentences, each from ``<s>`` to ``</s>``; ids below ``words``.
    words : int
        How many words the vocabulary has.
    discounts, fallback
        As of ``estimate_discounts``.
    progress : callable or None, default None
        Called with a stage, and how much of it is done, 0 to 1.

    Raises
    ------
    DataError
        The text is too small to estimate discounts.
    """
    suffixes = sort_contexts(stream, words, progress)
    starts = np.zeros(words + 1, np.int64)
    np.cumsum(np.bincount(stream, minlength=words), out=starts[1:])
    word_counts, frequencies = _counts(stream, suffixes, starts, orders_of(discounts))
    found = estimate_discounts(frequencies, discounts, fallback)
    index = Index(
        text=_packed(stream, bits_of(words)),
        word_bits=bits_of(words),
        suffixes=_packed(suffixes, bits_of(stream.size)),
        position_bits=bits_of(stream.size),
        size=stream.size,
        starts=starts,
        ranges=np.empty(0, np.int64),
        tallies=np.empty((0, COLUMNS), np.int32),
    )
    del suffixes
    return ContextIndex(_with_frequent(index), smooth_words(word_counts, found[0]), found)


def _counts(
    stream: Int32s, suffixes: Int32s, starts: NDArray[np.int64], orders: int
) -> tuple[Int32s, NDArray[np.int64]]:
    """The counts of words, and the counts of counts of each order."""
    common = np.empty(stream.size, np.uint8)
    sorting.common_words(stream, suffixes, orders + 1, common)
    lengths = np.empty(stream.size, np.uint16)
    sorting.measure_contexts(stream, LONGEST, lengths)
    word_counts = np.empty(starts.size - 1, np.int32)
    counting.count_words(common, starts, word_counts)
    frequencies = np.zeros((orders, COUNTS_OF_COUNTS), np.int64)
    counting.count_counts(common, lengths, suffixes, np.zeros(orders, np.int64), frequencies)
    frequencies[0] = frequencies_of_words(word_counts)
    return word_counts, frequencies


def _packed(numbers: Int32s, bits: int) -> NDArray[np.uint8]:
    packed = np.zeros(bytes_of(numbers.size, bits), np.uint8)
    pack_numbers(numbers, bits, packed)
    return packed


def _with_frequent(index: Index) -> Index:
    """The index with its table of frequent ranges."""
    words = index.starts.size - 1
    stack = np.empty((index.size // FREQUENT + 1, 3), np.int64)
    last_run, found = np.full(words, -1, np.int32), np.zeros(words, np.int32)
    room = rows = index.size // _ROOM + 1
    while True:
        keys, counts = np.empty(room, np.int64), np.empty((room, COLUMNS), np.int32)
        rows = int(counting.tally_frequent(index, LONGEST, stack, last_run, found, keys, counts))
        if rows <= room:
            break
        room = rows
    order = np.argsort(keys[:rows])
    return index._replace(ranges=keys[order], tallies=counts[order])


def index_from_arrays(
    arrays: Mapping[str, NDArray[Any]], config: Mapping[str, Any], words: int, path: str | os.PathLike[str]
) -> ContextIndex:
    """The inverse of ``ContextIndex.arrays`` and ``config``, without copies; FormatError names ``path``."""
    try:
        size, word_bits, position_bits, frequent = (check_whole(name, config[name], 1) for name in _SIZES)
        parts = {name: np.ascontiguousarray(arrays[name]) for name in _ARRAYS}
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"{path}: the index of contexts is not fully described ({error!r})") from error
    fits = max(word_bits, position_bits) <= MOST_BITS and words <= 1 << word_bits and size <= 1 << position_bits
    if not fits or frequent != FREQUENT:
        raise FormatError(f"{path}: the sizes of the index of contexts do not agree with its {words} words")
    rows, orders = parts["ranges"].size, len(parts["discounts"]) if parts["discounts"].ndim else 0
    shapes = {
        "text": (bytes_of(size, word_bits),),
        "suffixes": (bytes_of(size, position_bits),),
        "starts": (words + 1,),
        "ranges": (rows,),
        "tallies": (rows, COLUMNS),
        "unigrams": (words,),
        "discounts": (max(orders, 1), COUNT_CLASSES),
    }
    for name, array in parts.items():
        if array.shape != shapes[name] or array.dtype != _ARRAYS[name]:
            raise FormatError(f"{path}: {name} is {array.dtype} {array.shape}, not {_ARRAYS[name]} {shapes[name]}")
    if not _is_sound(parts, size):
        raise FormatError(f"{path}: the index of contexts holds numbers that are out of range")
    unigrams, discounts = (parts.pop(name) for name in _PROBABILITIES)
    index = Index(word_bits=word_bits, position_bits=position_bits, size=size, **parts)
    return ContextIndex(index, unigrams, discounts)


def _is_sound(parts: Mapping[str, NDArray[Any]], size: int) -> bool:
    """Whether the numbers of the smaller arrays can be."""
    starts, ranges, tallies, unigrams = (parts[name] for name in ("starts", "ranges", "tallies", "unigrams"))
    left, right = ranges >> 32, ranges & 0xFFFFFFFF
    more = tallies[:, FOLLOWERS] - tallies[:, ONES].astype(np.int64) - tallies[:, TWOS]
    return bool(
        starts[0] == 0
        and starts[-1] == size
        and (np.diff(starts) >= 0).all()
        and (np.diff(ranges) > 0).all()
        and (left >= 0).all()
        and (left < right).all()
        and (right <= size).all()
        and (tallies >= 0).all()
        and (more >= 0).all()
        and (tallies[:, FOLLOWERS] <= tallies[:, TOTAL]).all()
        and (tallies[:, BRANCHES] >= 1).all()
        and unigrams[BOS] == 0
        and (unigrams >= 0).all()
        and abs(unigrams.sum() - 1) < _SUM_TOLERANCE
        and (parts["discounts"] >= 0).all()
        and (parts["discounts"] <= np.arange(COUNT_CLASSES)).all()
    )
