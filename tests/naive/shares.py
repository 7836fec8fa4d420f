"""A worker's share of a round: rows numbered, copied and added back, one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.floating]  # (rows, columns)
Path = list[tuple[int, int]]  # (inner node, code) from the root


class Numbering:
    """Rows in the order of their first sight, and how often each was touched."""

    def __init__(self) -> None:
        self.slots: dict[int, int] = {}
        self.touches: dict[int, float] = {}

    def touch(self, row: int, weight: float) -> int:
        """The slot of a row."""
        self.touches[row] = self.touches.get(row, 0) + weight
        return self.slots.setdefault(row, len(self.slots))


def number_paths(words: Sequence[int], visits: Sequence[float], paths: Sequence[Path]) -> tuple[Numbering, list[Path]]:
    """The inner nodes on the words' paths numbered, and the paths in these numbers."""
    numbering = Numbering()
    local = [
        [(numbering.touch(node, visit), code) for node, code in paths[word]]
        for word, visit in zip(words, visits, strict=True)
    ]
    return numbering, local


def learned(touches: float, memory: float) -> float:
    """What is learned of what can be: each update moves a row by a fraction 1 / memory of what is left."""
    return 1 - exp(-touches / memory)


def saturated_sum(
    table: Table,
    workers: Sequence[tuple[Sequence[int], Sequence[float], Table]],
    memory: float,
    shard: int,
    shards: int,
) -> Table:
    """The table plus each worker's (rows, touches, changes), if one worker had made all touches.

    Then a row would have learned ``learned(all touches)``; the workers' changes together stand for the sum of what
    each learned apart. Only rows that are ``shard`` modulo ``shards`` change.
    """
    result = table.astype(np.float64)
    for row in range(shard, len(table), shards):
        own = [(touches[list(rows).index(row)], changes[list(rows).index(row)])
               for rows, touches, changes in workers if row in rows]  # fmt: skip
        if own:
            apart = sum(learned(touches, memory) for touches, _ in own)
            together = learned(sum(touches for touches, _ in own), memory)
            result[row] += together / apart * sum(change for _, change in own)
    return result
