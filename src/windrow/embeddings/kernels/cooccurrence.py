"""Which words stand near which, and how often: rows of a sparse matrix, and their products with a dense one.

A *text* here is a stretch of ids after subsampling. Rows are counted one by one: an array with a place for each context
word adds up what stands around all occurrences of the row's word, and is emptied into the row. It fits into a core's
cache, so that nothing has to be sorted or looked up by hash.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel
from windrow.numeric.rng import RngState, split_mix

END = -1  # in a text, between two sentences
_MARKED = 16  # contexts that share a mark
_S32 = np.uint64(32)


class Text(NamedTuple):
    """A stretch of a text, and what follows it as far as a window of its last word reaches."""

    ids: NDArray[np.int32]  # (positions,): words that subsampling keeps, and END between sentences
    own: int  # how many of them are the stretch itself: pairs belong to the stretch that has their first word
    positions: NDArray[np.int32]  # (kept words,): sorted by the word that stands there
    starts: NDArray[np.int64]  # (words + 1,): where each word's positions begin


class Sums(NamedTuple):
    """A row while it is added up; all zeros between two rows."""

    sums: NDArray[np.int64]  # (contexts,)
    marks: NDArray[np.uint8]  # (contexts / 16, rounded up,): of which sixteens some sum is not 0


class Rows(NamedTuple):
    """Rows of a sparse matrix, to be filled: ``columns[starts[r]:starts[r + 1]]`` are the contexts of row r."""

    starts: NDArray[np.int64]  # (rows + 1,)
    columns: NDArray[np.int32]
    counts: NDArray[np.int64]


class LogCounts(NamedTuple):
    """Rows of the logarithms of counts; a context that is missing has count 0."""

    starts: NDArray[np.int64]  # (rows + 1,)
    columns: NDArray[np.int32]
    logs: NDArray[np.float32]


def empty_sums(contexts: int) -> Sums:
    """Sums of zeros."""
    return Sums(np.zeros(contexts, np.int64), np.zeros(-(-contexts // _MARKED), np.uint8))


@kernel
def keep_words(
    ids: NDArray[np.int32],
    breaks: NDArray[np.int64],
    own: int,
    thresholds: NDArray[np.uint32],
    state: RngState,
    kept: NDArray[np.int32],
) -> Any:
    """Copy known words that subsampling keeps to ``kept``, END between sentences; one draw for each of ``ids``.

    ``breaks``: where sentences begin, rising, and ``ids.size`` at the end. ``kept`` has room for ``ids.size +
    breaks.size`` numbers. Returns how many come from the first ``own`` ids, and how many in all.
    """
    count, of_own, sentence = 0, 0, 0
    for position in range(ids.size):
        if position == own:
            of_own = count
        if breaks[sentence] == position:
            while breaks[sentence] == position:
                sentence += 1
            if position > 0:
                kept[count] = END
                count += 1
        word = ids[position]
        draw = split_mix(state) >> _S32
        if 0 <= word < thresholds.size and np.uint64(thresholds[word]) >= draw:
            kept[count] = word
            count += 1
    return (of_own if own < ids.size else count), count


@kernel
def sort_positions(ids: NDArray[np.int32], following: NDArray[np.int64], positions: NDArray[np.int32]) -> None:
    """Fill ``positions`` word by word; ``following`` (words,) has the place of each word's next one."""
    for position in range(ids.size):
        word = ids[position]
        if word != END:
            positions[following[word]] = position
            following[word] += 1


@kernel
def count_rows(text: Text, first: int, last: int, weights: NDArray[np.int64], sums: Sums, rows: Rows) -> None:
    """Rows of the words from ``first`` to ``last - 1``: what stands around them, by ``weights`` (window + 1,) of
    distances 0 to window. Each pair of positions counts for both of its words.
    """
    filled, contexts = 0, sums.sums.size
    rows.starts[0] = 0
    for word in range(first, last):
        for place in range(text.starts[word], text.starts[word + 1]):
            center = text.positions[place]
            for distance in range(1, min(weights.size - 1, center) + 1):  # to the left
                context = text.ids[center - distance]
                if context == END:
                    break
                if context < contexts and center - distance < text.own:
                    sums.sums[context] += weights[distance]
                    sums.marks[context // _MARKED] = 1
            if center >= text.own:
                continue
            for distance in range(1, min(weights.size, text.ids.size - center)):  # to the right
                context = text.ids[center + distance]
                if context == END:
                    break
                if context < contexts:
                    sums.sums[context] += weights[distance]
                    sums.marks[context // _MARKED] = 1
        filled = _take_row(sums, rows, filled)
        rows.starts[word - first + 1] = filled


@kernel
def merge_rows(
    starts: NDArray[np.int64], columns: NDArray[np.int32], counts: NDArray[np.int64], sums: Sums, rows: Rows
) -> None:
    """Add rows of several matrices: row r of matrix m is ``columns[starts[m, r]:starts[m, r + 1]]``."""
    filled = 0
    rows.starts[0] = 0
    for row in range(starts.shape[1] - 1):
        for matrix in range(starts.shape[0]):
            for place in range(starts[matrix, row], starts[matrix, row + 1]):
                sums.sums[columns[place]] += counts[place]
                sums.marks[columns[place] // _MARKED] = 1
        filled = _take_row(sums, rows, filled)
        rows.starts[row + 1] = filled


@kernel
def _take_row(sums: Sums, rows: Rows, filled: int) -> int:
    """Append what was added up to the rows, by rising context, and set it to zero; returns how much is filled now."""
    for block in range(sums.marks.size):
        if sums.marks[block] == 0:
            continue
        sums.marks[block] = 0
        for context in range(block * _MARKED, min((block + 1) * _MARKED, sums.sums.size)):
            if sums.sums[context] != 0:
                rows.columns[filled] = context
                rows.counts[filled] = sums.sums[context]
                sums.sums[context] = 0
                filled += 1
    return filled


@kernel
def multiply_ppmi(
    matrix: LogCounts,
    row_shifts: NDArray[np.float32],
    column_shifts: NDArray[np.float32],
    dense: NDArray[np.float32],
    product: NDArray[np.float32],
) -> None:
    """``product = ppmi @ dense``, where ppmi is max(0, log count - row shift - column shift).

    matrix (rows, contexts), row_shifts (rows,), column_shifts (contexts,), dense (contexts, width), product
    (rows, width).
    """
    for row in range(product.shape[0]):
        for j in range(product.shape[1]):
            product[row, j] = 0
        for place in range(matrix.starts[row], matrix.starts[row + 1]):
            context = matrix.columns[place]
            value = matrix.logs[place] - row_shifts[row] - column_shifts[context]
            if value > 0:
                for j in range(product.shape[1]):
                    product[row, j] += value * dense[context, j]
