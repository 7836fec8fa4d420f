"""What replicas of the tables exchange: which rows after which round, and how the changes of all become one.

Frequent words are updated by every replica all the time, rare ones now and then. So the rows of frequent words are
exchanged after every round, others seldom (Ji et al. 2016, arXiv:1604.04661)::

    round            1      2      3      4      5      6      7      8
    hottest rows  1024   2048   1024   4096   1024   2048   1024   8192    1024 * 2 ** (trailing zeros of the round)

All rows are exchanged after the last round of an epoch, and earlier where that number covers them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.kernels.inputs import WordRows
from windrow.embeddings.steps.contract import TrainingStep

FIRST_ROWS = 1024
UPDATES_REMEMBERED = 32.0


def rows_exchanged(number: int, rounds: int, rows: int) -> int:
    """How many rows of a table travel after round ``number`` (from 1) of ``rounds``: the hottest of its ``rows``."""
    return rows if number == rounds else min(rows, FIRST_ROWS * (number & -number))


def rounds_since(number: int, rows: int) -> NDArray[np.int64]:
    """For each of the hottest rows: the rounds since it was last exchanged, if it is exchanged after this one."""
    levels = np.ceil(np.log2(np.maximum(np.arange(1, rows + 1), FIRST_ROWS) / FIRST_ROWS)).astype(np.int64)
    since: NDArray[np.int64] = (number - 1) % (1 << levels) + 1
    return since


@dataclass(frozen=True)
class HotOrder:
    """The rows of a table in the order of how often they are updated."""

    rows: NDArray[np.int32]  # the most frequent first
    updates: NDArray[np.float32]  # (rows,): of each of these per word of the text

    @classmethod
    def of(cls, updates: NDArray[np.float32]) -> HotOrder:
        """From the updates of each row."""
        rows = np.argsort(-updates, kind="stable").astype(np.int32)
        return cls(rows, updates[rows])

    def shares(self, number: int, count: int, round_words: float, replicas: int) -> NDArray[np.float32]:
        """What is kept of the sum of all replicas' changes of the ``count`` hottest rows, after round ``number``.

        A row that each replica has updated ``c`` times since the last exchange has learned 1 - e^(-c / memory) of what
        it can there, and would have learned 1 - e^(-replicas * c / memory) if one replica had made all updates. So the
        changes of rare rows are summed, as they would be one after the other; of frequent ones, which every replica has
        brought to the same place, about the mean is taken.
        """
        updates = self.updates[:count] * round_words * rounds_since(number, count) / UPDATES_REMEMBERED
        updates = np.maximum(updates, 1e-6)  # a quotient of zeros otherwise
        shares: NDArray[np.float32] = np.expm1(-replicas * updates) / (replicas * np.expm1(-updates))
        return shares.astype(np.float32)


def hot_orders(
    word_updates: NDArray[np.float32], layers: Sequence[TrainingStep], word_rows: WordRows | None
) -> list[HotOrder]:
    """The orders of the input table and of the layers' tables; ``word_updates``: of each word, per word of the text."""
    words = np.arange(len(word_updates), dtype=np.int32)
    inputs = word_updates
    if word_rows is not None:
        inputs = np.bincount(word_rows.rows, np.repeat(word_updates, np.diff(word_rows.starts))).astype(np.float32)
    orders = [HotOrder.of(inputs)]
    for layer in layers:
        touched = layer.touched(layer.block_arguments(1), words, word_updates, np.empty(0, np.int32))
        updates = np.zeros(len(layer.parameters), np.float32)
        updates[touched.rows] = touched.touches
        orders.append(HotOrder.of(updates))
    return orders
