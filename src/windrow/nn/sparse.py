"""A SparseParameter with one row per word of a large vocabulary: its gradients are summed by kernels, not by NumPy."""

from __future__ import annotations

import numpy as np

from windrow.nn.parameters import Array, SparseParameter
from windrow.numeric.rows import sum_equal_rows


class WordParameter(SparseParameter):
    """A SparseParameter that sums the gradients of equal rows without sorting them."""

    def __init__(self, value: Array) -> None:
        super().__init__(value)
        self._slots = np.full(len(value), -1, np.int32)

    def _sum_equal(self, rows: Array, gradients: Array) -> tuple[Array, Array]:
        """The distinct rows, in the order in which they came, and the sum of the gradients of each."""
        distinct, sums = np.empty_like(rows), np.empty_like(gradients)
        known = sum_equal_rows(rows, gradients, self._slots, distinct, sums)
        return distinct[:known], sums[:known]
