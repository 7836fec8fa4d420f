"""The tables of a text classifier while it learns, and the passes over its texts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from windrow.classification.features import Texts
from windrow.classification.kernels.rows import Rows
from windrow.classification.kernels.steps import Batch, Loss, Scratch, Tables, train_texts
from windrow.machine import check_memory
from windrow.numeric.rng import RngState
from windrow.numeric.tables import padded_width, zero_table

_MOST_KEPT = 1 << 25  # numbers of features that are kept from epoch to epoch: 128 MiB
_ROWS_AT_A_TIME = 1 << 14


class Learning:
    """Vectors as fastText begins with, small random ones of features and zeros above them, which learn from texts."""

    def __init__(self, texts: Texts, labels: Rows, loss: Loss, shape: tuple[int, int, int], seed: int) -> None:
        """``shape``: the numbers of features and of output vectors, and their dimensions."""
        rows, self._outputs, self._size = shape
        needed = 4 * padded_width(self._size) * (rows + self._outputs)
        check_memory(needed, f"vectors of {rows:,} features", "lower vector_size or buckets")
        self.texts, self.labels, self._loss = texts, labels, loss
        self._table, rng = zero_table(rows, self._size), np.random.default_rng(seed)
        for first in range(0, rows, _ROWS_AT_A_TIME):
            part = self._table[first : first + _ROWS_AT_A_TIME, : self._size]
            part[:] = rng.random(part.shape, np.float32)
            part *= np.float32(2 / self._size)
            part -= np.float32(1 / self._size)
        self._output_table = zero_table(-(-self._outputs // 4) * 4, self._size)
        everything = np.arange(len(texts))
        self._kept = texts.rows(everything) if texts.count_rows(everything) <= _MOST_KEPT else None

    def learn(self, numbers: NDArray[np.int64], rates: tuple[float, float], state: RngState) -> float:
        """A step for each text of these numbers, see ``train_texts``; returns the summed loss."""
        if self._kept is None:
            batch = Batch(numbers, self.texts.rows(numbers), np.arange(len(numbers)))
        else:
            batch = Batch(numbers, self._kept, numbers)
        width = self._table.shape[1]
        tables = Tables(self._table.reshape(-1), self._output_table.reshape(-1), width, self._outputs)
        hidden, gradient = np.empty((2, width), np.float32)
        scores, no_biases = np.zeros((2, padded_width(self._outputs)), np.float32)
        scratch = Scratch(hidden, gradient, scores, no_biases)
        return train_texts(batch, self.labels, tables, self._loss, rates, scratch, state)

    @property
    def vectors(self) -> NDArray[np.float32]:
        """The vectors of features, (features, dim), to be written to before they learn."""
        return self._table[:, : self._size]

    def go_on_from(self, vectors: NDArray[np.float32], outputs: NDArray[np.float32]) -> None:
        """Begin with what was learned before."""
        self.vectors[:] = vectors
        self._output_table[: self._outputs, : self._size] = outputs

    @property
    def outputs(self) -> NDArray[np.float32]:
        """The output vectors, a copy."""
        return self._output_table[: self._outputs, : self._size].copy()

    def inputs(self) -> NDArray[np.float32]:
        """The vectors of features, in the memory in which they were learned, which ends with this."""
        rows, width = self._table.shape
        flat = self._table.reshape(-1)
        if self._size < width:
            for first in range(0, rows, _ROWS_AT_A_TIME):
                part = self._table[first : first + _ROWS_AT_A_TIME, : self._size].flatten()
                flat[first * self._size : first * self._size + part.size] = part
        return flat[: rows * self._size].reshape(rows, self._size)
