"""Each worker's copies of the rows that are updated most, so that threads need not wait for each other's cache lines.

A worker trains on its own copies of these rows during a job, and then adds its changes to the shared rows. The copies
lie behind the shared rows in the same array, so that kernels need not know of them::

    storage    shared rows | worker 0: copies to train on, copies as they were | worker 1: ...
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.kernels.shares import add_run_difference, copy_run
from windrow.embeddings.steps.contract import TrainingStep
from windrow.numeric.simd import LANES

WORKERS = 2  # more were not measured
_HOT_ROWS = 128
# With jobs of 20,000 words, or with the sum of the workers' changes in place of their mean, analogies lost a point.
JOB_WORDS = 4000


def number_of_hot_rows(vocabulary_size: int, workers: int) -> int:
    """How many rows of each table a worker copies: none unless there are two workers and other rows enough."""
    return _HOT_ROWS if workers == WORKERS and vocabulary_size > 4 * _HOT_ROWS else 0


def compile_copies() -> None:
    """Compile the kernels that copy rows, which training with a small vocabulary does not use."""
    storage = np.zeros((3, LANES), np.float32)
    copy_run(storage.reshape(-1), 0, 1, np.array([1, 2]), LANES)
    add_run_difference(storage.reshape(-1), 0, np.ones(1, np.float32), 1, 2, LANES)


class HotTable(NamedTuple):
    """A table, and which of its rows are hot."""

    storage: NDArray[Any]  # (rows + copies of all workers, stride)
    rows: int  # that are shared
    first: int  # the first hot row; the others follow it


class HotRows:
    """The copies of one worker: of each hot row one to train on, and one as it was."""

    lock = threading.Lock()  # changes would be lost if two workers merged at once

    def __init__(self, inputs: HotTable, layers: Sequence[TrainingStep], number: int, worker: int) -> None:
        self.number = number
        self._offset = 2 * number * worker
        outputs = [HotTable(layer.storage, len(layer.parameters), layer.first_hot_row(number)) for layer in layers]
        self._tables = [inputs, *outputs]

    def bind(self, layer: TrainingStep, block_arguments: Any) -> Any:
        """The output layer, bound to update this worker's copies."""
        return layer.with_copies(block_arguments, self.number, len(layer.parameters) + self._offset)

    def first_copy(self, table: HotTable) -> int:
        """The row of the first copy to train on; the copies as they were follow these."""
        return table.rows + self._offset

    def rows_of(self, ids: NDArray[np.int32]) -> NDArray[np.int32]:
        """The rows of these words' vectors: those of their copies, where there are."""
        rows: NDArray[np.int32] = np.where(ids < self.number, ids + np.int32(self.first_copy(self._tables[0])), ids)
        return rows

    def copy(self) -> None:
        """Copy the rows as they are now."""
        for table in self._tables:
            places = np.array([self.first_copy(table), self.first_copy(table) + self.number])
            copy_run(table.storage.reshape(-1), table.first, self.number, places, table.storage.shape[1])

    def merge(self) -> None:
        """Add half of each change to the shared row: ``row += (copy - copy as it was) / 2``.

        Hot rows are updated so often that either worker alone learns nearly all that a job can teach them. The sum of
        both changes would be twice that step, their mean is one.
        """
        scales = np.full(self.number, 1 / WORKERS, np.float32)
        with self.lock:
            for table in self._tables:
                flat, stride = table.storage.reshape(-1), table.storage.shape[1]
                copy = self.first_copy(table)
                add_run_difference(flat, table.first, scales, copy, copy + self.number, stride)
