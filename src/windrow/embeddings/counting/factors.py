"""Vectors from counts: positive pointwise mutual information, and its truncated singular value decomposition.

With counts n of word w near context c, the matrix has the entries (Levy, Goldberg & Dagan 2015, section 3)::

    max(0, log n(w, c) - log n(w) - log p(c) - log shift),   p(c) = n(c) ** exponent / sum over contexts

Context words are the first words, and near is mutual, so n(w, c) = n(c, w): the transposed matrix of the contexts
among themselves has the same counts, and is never made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.counting.matrix import CountMatrix
from windrow.errors import DataError, OptionError
from windrow.numeric.tables import padded_width

_MORE_COLUMNS = 40  # of the random matrix than there are dimensions (Halko, Martinsson & Tropp 2011, section 4.2)
_LEAST_SQUARE = 1e-11  # of a singular value, relative to the largest: less is what rounding leaves


class PPMI(NamedTuple):
    """The positive pointwise mutual information in a matrix of counts."""

    counts: CountMatrix
    row_shifts: NDArray[np.float32]  # (words,): log n(w) + log shift
    column_shifts: NDArray[np.float32]  # (contexts,): log p(c)

    @classmethod
    def of(cls, counts: CountMatrix, exponent: float, shift: float) -> PPMI:
        """Of contexts smoothed by ``exponent``; ``shift`` 1 takes nothing off."""
        sums = counts.row_sums
        if not sums[: counts.contexts].any():
            raise DataError(
                "no two words stand near each other: there is nothing to count; try sample = 0, a lower min_count, or "
                "longer sentences"
            )
        rows = np.log(np.where(sums > 0, sums, 1))  # a row without entries needs none
        smoothed = np.where(sums > 0, sums, 1)[: counts.contexts] ** exponent
        smoothed[sums[: counts.contexts] == 0] = 0
        columns = np.log(np.where(smoothed > 0, smoothed / smoothed.sum(), 1))
        return cls(counts, (rows + np.log(shift)).astype(np.float32), columns.astype(np.float32))

    def times(self, dense: NDArray[np.float32]) -> NDArray[np.float32]:
        """The rows of all words, multiplied; dense (contexts, width)."""
        return self.counts.multiply(self.row_shifts, self.column_shifts, dense)

    def contexts_times(self, dense: NDArray[np.float32]) -> NDArray[np.float32]:
        """The rows of the context words alone, multiplied."""
        return self.counts.multiply(self.row_shifts[: self.counts.contexts], self.column_shifts, dense)

    def transposed_times(self, dense: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same rows as columns, multiplied."""
        return self.counts.multiply(self.column_shifts, self.row_shifts[: self.counts.contexts], dense)


def word_factors(
    ppmi: PPMI, size: int, exponent: float, iterations: int, seed: int, report: Callable[[float], object]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Vectors of all words (words, size), and the largest singular values of the context words' matrix (size,).

    The matrix of the context words among themselves is U S V^T; a word with row x gets x V S^(exponent - 1), which for
    a context word is its row of U S^exponent. The subspace comes from a random one by ``iterations`` products with the
    matrix and its transpose (randomized subspace iteration, Halko et al. 2011, algorithm 4.4). Raises OptionError if
    the matrix has a lower rank than ``size``.
    """
    contexts = ppmi.counts.contexts
    width = min(padded_width(size + _MORE_COLUMNS), contexts)
    basis = np.random.default_rng(seed).standard_normal((contexts, width), dtype=np.float32)
    for iteration in range(iterations):
        basis = _orthonormal(ppmi.contexts_times(basis))
        basis = _orthonormal(ppmi.transposed_times(basis))
        report((iteration + 1) / (iterations + 1))
    product = ppmi.times(basis)  # (words, width)
    squares, axes = _spectrum(product[:contexts])
    if not len(squares):
        raise OptionError("no two words stand near each other more often than shift asks for; lower shift")
    if len(squares) < size:
        raise OptionError(
            f"vector_size = {size} is above the rank of the matrix of {contexts:,} context words, {len(squares)}; set "
            f"vector_size = {len(squares)} at most, or give more text"
        )
    values = np.sqrt(squares[:size])
    report(1.0)
    return product @ (axes[:, :size] * values ** (exponent - 1)).astype(np.float32), values


def _spectrum(rows: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Squares of the singular values, the largest first, and right singular vectors; without those that are 0.

    From the small matrix of products in float64, where the squares of float32 keep all their digits: a tenth of the
    time that a QR decomposition of the rows takes.
    """
    wide = rows.astype(np.float64)
    squares, axes = np.linalg.eigh(wide.T @ wide)
    squares, axes = squares[::-1], axes[:, ::-1]
    kept = squares > squares.max(initial=0) * _LEAST_SQUARE
    return squares[kept], axes[:, kept]


def _orthonormal(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Orthonormal columns that span what those of ``rows`` do."""
    squares, axes = _spectrum(rows)
    return rows @ (axes / np.sqrt(squares)).astype(np.float32)
