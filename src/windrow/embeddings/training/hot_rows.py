"""Copies of the rows that are updated most, so that two threads do not pull the same cache lines back and forth.

A worker trains on its own copies of these rows during a job, and then adds to the shared rows what it has changed. The
copies lie behind the rows that all share, in the same array, so that a kernel knows nothing of them.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.kernels.shares import add_run_difference, copy_run
from windrow.embeddings.steps.contract import Step
from windrow.numeric.simd import LANES

WORKERS = 2  # more were not measured
_HOT_ROWS = 128
# Of a job: with 20,000 words, or with the sum of the workers' changes in place of their mean, analogies lost a point.
JOB_WORDS = 4000


def number_of_hot_rows(vocabulary_size: int, workers: int) -> int:
    """How many rows of each table a worker copies: none unless there are two workers and rows that are not hot."""
    return _HOT_ROWS if workers == WORKERS and vocabulary_size > 4 * _HOT_ROWS else 0


def compile_copies() -> None:
    """Compile what copying needs, which a small vocabulary does not use."""
    room = np.zeros((3, LANES), np.float32)
    copy_run(room.reshape(-1), 0, 1, np.array([1, 2]), LANES)
    add_run_difference(room.reshape(-1), 0, np.ones(1, np.float32), 1, 2, LANES)


class HotTable(NamedTuple):
    """A table with its hot rows, and room for copies behind its rows."""

    room: NDArray[Any]  # (rows + copies of all workers, stride)
    rows: int
    first: int  # hot row


class HotRows:
    """The copies of one worker: of each hot row one to train on, and one as it was."""

    lock = threading.Lock()  # a job's change would be lost if two workers gave back at once

    def __init__(self, inputs: HotTable, layers: Sequence[Step], number: int, worker: int) -> None:
        self.number = number
        self._offset = 2 * number * worker
        outputs = [HotTable(layer.room, len(layer.parameters), layer.hot_rows(number)) for layer in layers]
        self._tables = [inputs, *outputs]

    def bind(self, layer: Step, block_layer: Any) -> Any:
        """A layer that updates the copies."""
        return layer.with_copies(block_layer, self.number, len(layer.parameters) + self._offset)

    def place(self, table: HotTable) -> int:
        """The row where the copies of a table start."""
        return table.rows + self._offset

    def move(self, ids: NDArray[np.int32]) -> NDArray[np.int32]:
        """The rows of these words, their copies where there are."""
        moved: NDArray[np.int32] = np.where(ids < self.number, ids + np.int32(self.place(self._tables[0])), ids)
        return moved

    def fetch(self) -> None:
        """Copy the rows as they are now."""
        for table in self._tables:
            places = np.array([self.place(table), self.place(table) + self.number])
            copy_run(table.room.reshape(-1), table.first, self.number, places, table.room.shape[1])

    def give_back(self) -> None:
        """Add half of what has changed to the rows: they learn what there is to learn in a job from either worker."""
        scales = np.full(self.number, 1 / WORKERS, np.float32)
        with self.lock:
            for table in self._tables:
                changed = self.place(table)
                add_run_difference(
                    table.room.reshape(-1), table.first, scales, changed, changed + self.number, table.room.shape[1]
                )
