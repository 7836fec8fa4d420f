"""A text in parts, each of which is counted alone: by this process, or by the workers of a cluster.

A pair of positions belongs to the part that has its first position, a part sees what follows it as far as a window
reaches, and whether subsampling keeps a position depends on nothing but the seed and the position. Weights of distances
are whole numbers. So the sums over all parts are the same numbers wherever the text is cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, pairwise
from math import lcm
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.kernels.cooccurrence import END, Rows, Text, count_rows, empty_sums, keep_words, sort_positions
from windrow.numeric.threads import share

LARGEST_BLOCK, SMALLEST_BLOCK = 1 << 22, 1 << 16  # entries of a matrix that are counted together
_IDS = 1 << 20  # ids handled at a time
_EXACT = 22  # the largest n for which the least common multiple of 1 to n is below 2**31
_STEP, _WORD = 0x9E3779B97F4A7C15, (1 << 64) - 1  # of SplitMix64: what its state grows by, and its 64 bits


@dataclass(frozen=True)
class Plan:
    """What is counted, and how."""

    thresholds: NDArray[np.uint32]  # (words,): see ``keep_thresholds``; words from there on are unknown
    contexts: int  # the first words, which have columns
    weights: NDArray[np.int64]  # (window + 1,): of a pair at each distance, as whole numbers; 0 for distance 0
    unit: int  # what stands for a weight of 1
    seed: int  # the state of SplitMix64 before the first position of the corpus
    block: int = LARGEST_BLOCK  # entries that are counted together, unless a single row has more

    @property
    def window(self) -> int:
        """The largest distance that counts."""
        return len(self.weights) - 1


def whole_weights(weighting: str, window: int) -> tuple[NDArray[np.int64], int]:
    """The weights of distances 0 to ``window`` as whole numbers, and the number that stands for 1.

    As ``distance_weights``: 1 (``none``), (window + 1 - d) / window (``linear``), 1 / d (``harmonic``: exact as far as
    distance 22, then rounded to nine digits).
    """
    distances = np.arange(1, window + 1)
    unit = {"none": 1, "linear": window, "harmonic": lcm(*range(1, min(window, _EXACT) + 1))}[weighting]
    weights = {
        "none": np.ones(window),
        "linear": window + 1 - distances,
        "harmonic": np.round(unit / distances),
    }[weighting]
    return np.concatenate([[0], weights]).astype(np.int64), unit


class Kept(NamedTuple):
    """The words of a part that subsampling keeps, and those after it that its windows reach."""

    ids: NDArray[np.int32]  # END between sentences
    own: int  # how many are of the part itself


def keep_part(ids: NDArray[np.int32], starts: NDArray[np.int64], first: int, last: int, plan: Plan) -> Kept:
    """The part of a corpus from position ``first`` to ``last - 1``."""
    beyond = 4 * plan.window
    while True:
        stop = min(last + beyond, ids.size)
        inner = starts[np.searchsorted(starts, first, "right") : np.searchsorted(starts, stop, "left")] - first
        breaks = np.append(inner, stop - first)
        kept = np.empty(stop - first + breaks.size, np.int32)
        state = np.array([(plan.seed + _STEP * first) & _WORD], np.uint64)
        own, count = keep_words(ids[first:stop], breaks, last - first, plan.thresholds, state, kept)
        reached = kept[own : min(count, own + plan.window)]
        if len(reached) == plan.window or END in reached or stop == ids.size:
            found = kept[: own + len(reached)].copy()
            found.setflags(write=False)
            return Kept(found, own)
        beyond *= 8


def count_part(kept: Kept, plan: Plan) -> list[Rows]:
    """All rows of a part, in blocks, one after the other."""
    text = _sorted(kept, len(plan.thresholds))
    cuts = cut_rows(np.minimum(2 * plan.window * np.diff(text.starts), plan.contexts), plan.block)

    def count(first: int, last: int) -> list[Rows]:
        sums, room = empty_sums(plan.contexts), Room()
        blocks = []
        for block in range(first, last):
            rows = room.rows(*cuts[block])
            count_rows(text, cuts[block].first, cuts[block].last, plan.weights, sums, rows)
            blocks.append(taken(rows))
        return blocks

    return list(chain.from_iterable(share(len(cuts), count)))


def _sorted(kept: Kept, words: int) -> Text:
    counts = np.zeros(words + 1, np.int64)  # of END first
    for first in range(0, kept.ids.size, _IDS):
        counts += np.bincount(kept.ids[first : first + _IDS] + 1, minlength=words + 1)
    starts = np.concatenate([[0], np.cumsum(counts[1:])])
    positions = np.empty(starts[-1], np.int32)
    sort_positions(kept.ids, starts[:-1].copy(), positions)
    return Text(kept.ids, kept.own, positions, starts)


class Cut(NamedTuple):
    """A block of rows, and how many entries it has at most."""

    first: int
    last: int
    entries: int


def cut_rows(entries: NDArray[np.int64], most: int) -> list[Cut]:
    """Blocks of rows of together at most ``most`` entries, by how many each row has at most; or of a single row."""
    before = np.concatenate([[0], np.cumsum(entries)])
    bounds = [0]
    while bounds[-1] < len(entries):
        first = bounds[-1]
        fitting = int(np.searchsorted(before, before[first] + most, "right")) - 1
        bounds.append(max(first + 1, fitting))
    return [Cut(first, last, int(before[last] - before[first])) for first, last in pairwise(bounds)]


class Room:
    """Memory for the rows of a block, which the next one takes again."""

    def __init__(self) -> None:
        self._columns, self._counts = np.empty(0, np.int32), np.empty(0, np.int64)

    def rows(self, first: int, last: int, entries: int) -> Rows:
        """Rows to be filled."""
        if entries > self._columns.size:
            self._columns, self._counts = np.empty(entries, np.int32), np.empty(entries, np.int64)
        return Rows(np.empty(last - first + 1, np.int64), self._columns, self._counts)


def taken(rows: Rows) -> Rows:
    """Copies of what was filled."""
    size = int(rows.starts[-1])
    return Rows(rows.starts, rows.columns[:size].copy(), rows.counts[:size].copy())
