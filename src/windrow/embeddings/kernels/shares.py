"""A worker's part of a round: copies of the rows that it will touch, and the way of its changes into the shared tables.

Rows are ``stride`` numbers long in flat tables. ``slots`` maps a row of a shared table to its place among the copies,
-1 where it has none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel
from windrow.numeric.rows import give_slot
from windrow.numeric.simd import LANES, add, broadcast, load, multiply_add, prefetch, store, subtract
from windrow.outputs.kernels.paths import Paths

_AHEAD = 8  # rows fetched before they are needed


@kernel
def number_rows(
    ids: NDArray[np.int32],
    weight: float,
    slots: NDArray[np.int32],
    rows: NDArray[np.int32],
    touches: NDArray[np.float32],
    known: int,
    local: NDArray[np.int32],
) -> Any:
    """Number the ids by first sight, going on at ``known``; returns how many rows are known then.

    ``rows[slot]`` is the id, ``touches[slot]`` grows by ``weight`` at each sight, ``local`` gets the slots of the ids.
    """
    for i in range(ids.size):
        known = give_slot(ids[i], slots, rows, known)
        local[i] = slots[ids[i]]
        touches[local[i]] += weight
    return known


@kernel
def number_lists(
    words: NDArray[np.int32],
    visits: NDArray[np.float32],
    starts: NDArray[np.int64],
    members: NDArray[np.int32],
    slots: NDArray[np.int32],
    rows: NDArray[np.int32],
    touches: NDArray[np.float32],
    local_starts: NDArray[np.int64],
    local_members: NDArray[np.int32],
) -> Any:
    """Copy the lists of ``words``, their members numbered as by ``number_rows``; returns how many members are distinct.

    The list of word w is ``members[starts[w] : starts[w + 1]]``. A member is touched by every visit to a word that has
    it.
    """
    known, place = 0, 0
    for i in range(words.size):
        local_starts[i] = place
        for turn in range(starts[words[i]], starts[words[i] + 1]):
            known = give_slot(members[turn], slots, rows, known)
            local_members[place] = slots[members[turn]]
            touches[local_members[place]] += visits[i]
            place += 1
    local_starts[words.size] = place
    return known


@kernel
def number_paths(
    words: NDArray[np.int32],
    visits: NDArray[np.float32],
    paths: Paths,
    slots: NDArray[np.int32],
    rows: NDArray[np.int32],
    touches: NDArray[np.float32],
    local: Paths,
) -> Any:
    """``number_lists`` for paths: their nodes are numbered; returns how many there are."""
    known = number_lists(words, visits, paths.starts, paths.nodes, slots, rows, touches, local.starts, local.nodes)
    place = 0
    for word in words:
        for turn in range(paths.starts[word], paths.starts[word + 1]):
            local.signs[place] = paths.signs[turn]
            place += 1
    return known


@kernel
def _prefetch_row(table: NDArray[Any], rows: NDArray[np.int32], slot: int, stride: int) -> None:
    if slot < rows.size:
        for k in range(0, stride, LANES):
            prefetch(table, int(rows[slot]) * stride + k)


@kernel
def gather_rows(table: NDArray[Any], rows: NDArray[np.int32], copies: NDArray[Any], stride: int) -> None:
    """``copies[slot] = table[rows[slot]]``."""
    for slot in range(rows.size):
        _prefetch_row(table, rows, slot + _AHEAD, stride)
        source, place = int(rows[slot]) * stride, slot * stride
        for k in range(0, stride, LANES):
            store(copies, place + k, load(table, source + k))


@kernel
def subtract_rows(table: NDArray[Any], rows: NDArray[np.int32], copies: NDArray[Any], stride: int) -> None:
    """``copies[slot] -= table[rows[slot]]``: what training has changed."""
    for slot in range(rows.size):
        _prefetch_row(table, rows, slot + _AHEAD, stride)
        source, place = int(rows[slot]) * stride, slot * stride
        for k in range(0, stride, LANES):
            store(copies, place + k, subtract(load(copies, place + k), load(table, source + k)))


@kernel
def add_rows(
    table: NDArray[Any], rows: NDArray[np.int32], changes: NDArray[Any], stride: int, shard: int, shards: int
) -> None:
    """``table[rows[slot]] += changes[slot]`` for one shard: the rows whose number is ``shard`` modulo ``shards``."""
    for slot in range(rows.size):
        row = int(rows[slot])
        if row % shards == shard:
            for k in range(0, stride, LANES):
                place = row * stride + k
                store(table, place, add(load(table, place), load(changes, slot * stride + k)))


@kernel
def copy_run(table: NDArray[Any], first: int, number: int, places: NDArray[np.int64], stride: int) -> None:
    """Copy ``number`` rows from row ``first`` on to each of the rows ``places`` and those after it."""
    for i in range(number * stride // LANES):
        vector = load(table, first * stride + i * LANES)
        for place in places:
            store(table, place * stride + i * LANES, vector)


@kernel
def add_run_difference(
    table: NDArray[Any], first: int, scales: NDArray[np.float32], changed: int, before: int, stride: int
) -> None:
    """Add (row ``changed`` - row ``before``) * scale to row ``first``, and so on, one row per scale."""
    for row in range(scales.size):
        scale = broadcast(table.dtype.type(scales[row]))
        for k in range(row * stride, (row + 1) * stride, LANES):
            change = subtract(load(table, changed * stride + k), load(table, before * stride + k))
            store(table, first * stride + k, multiply_add(scale, change, load(table, first * stride + k)))


@kernel
def saturate(
    rows: NDArray[np.int32],
    touches: NDArray[np.float32],
    memory: float,
    shard: int,
    shards: int,
    all_touches: NDArray[np.float32],
    learned: NDArray[np.float32],
) -> None:
    """Sum a shard's touches c over the workers, and what each alone may have learned: 1 - e^(-c / memory)."""
    for slot in range(rows.size):
        row = rows[slot]
        if row % shards == shard:
            all_touches[row] += touches[slot]
            learned[row] += 1 - np.exp(-touches[slot] / memory)


@kernel
def add_saturated_rows(
    table: NDArray[Any],
    rows: NDArray[np.int32],
    changes: NDArray[Any],
    stride: int,
    memory: float,
    shard: int,
    shards: int,
    all_touches: NDArray[np.float32],
    learned: NDArray[np.float32],
) -> None:
    """``add_rows``, scaled to what one worker would have learned from all touches of a row."""
    for slot in range(rows.size):
        row = int(rows[slot])
        if row % shards == shard and learned[row] > 0:
            share = table.dtype.type((1 - np.exp(-all_touches[row] / memory)) / learned[row])
            for k in range(0, stride, LANES):
                place = row * stride + k
                change = load(changes, slot * stride + k)
                store(table, place, multiply_add(broadcast(share), change, load(table, place)))
