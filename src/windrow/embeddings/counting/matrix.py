"""The matrix of weighted counts: a row for every word, a column for each of the most frequent ones.

::

    a text that fits     counted in one piece, in memory
    a larger one         part by part; rows of parts go to files, and are added up row by row
    a cluster            its workers count the parts; this process adds them up
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow import interrupts
from windrow.corpus import Corpus
from windrow.distributed.workers import Workers
from windrow.embeddings.counting.parts import (
    LARGEST_BLOCK,
    SMALLEST_BLOCK,
    Cut,
    Plan,
    Room,
    count_part,
    cut_rows,
    keep_part,
    taken,
)
from windrow.embeddings.kernels.cooccurrence import LogCounts, Rows, Sums, empty_sums, merge_rows, multiply_ppmi
from windrow.files.tempfolder import disk_errors, made_in_temporary_folder
from windrow.machine import counting_memory
from windrow.numeric.threads import share

_TOKEN_BYTES = 12  # per token of a part: its id twice, and its place among the positions of its word
_ENTRY_BYTES = 12  # per context of a row
_BLOCK_BYTES = 128  # of the budget, per entry that is counted together with others
_LEAST_PART = 1 << 16  # tokens
_MOST_PART = 2**31 - 1  # tokens, whose positions are int32
_PARTS_EACH = 3  # for each worker of a cluster, so that none is idle for long while the last ones end


class CountMatrix:
    """Weighted counts, as logarithms, in blocks of rows.

    ``row_sums`` (words,): the counts of each row together. A row is read as often as the matrix is multiplied; blocks
    may lie in files, which are removed with this object.
    """

    def __init__(self, blocks: list[LogCounts], row_sums: NDArray[np.float64], contexts: int) -> None:
        self.blocks, self.row_sums, self.contexts = blocks, row_sums, contexts
        self._first_rows = np.concatenate([[0], np.cumsum([block.starts.size - 1 for block in blocks])]).tolist()

    @property
    def words(self) -> int:
        """The number of rows."""
        return len(self.row_sums)

    @property
    def entries(self) -> int:
        """How many counts are not 0."""
        return sum(block.columns.size for block in self.blocks)

    def multiply(
        self, row_shifts: NDArray[np.float32], column_shifts: NDArray[np.float32], dense: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """The product of the first rows, as many as there are shifts, with ``dense`` (contexts, width).

        The matrix is max(0, log count - row shift - column shift), 0 where the count is 0.
        """
        product = np.empty((len(row_shifts), dense.shape[1]), np.float32)

        def multiply(first: int, last: int) -> None:
            for block in range(first, last):
                top, bottom = (min(row, len(product)) for row in self._first_rows[block : block + 2])
                rows = product[top:bottom]
                multiply_ppmi(self.blocks[block], row_shifts[top:bottom], column_shifts, dense, rows)

        share(len(self.blocks), multiply)
        return product


def count_cooccurrences(
    corpus: Corpus, plan: Plan, memory: int | None, cluster: Workers | None, report: Callable[[float], object]
) -> CountMatrix:
    """Count what stands near what in a corpus.

    ``memory``: bytes that counting may take in this process; None: most of what is free. ``report``: called with how
    much is done, 0 to 1. Raises DataError when files cannot be written.
    """
    budget = counting_memory() if memory is None else memory
    if budget is not None:
        plan = replace(plan, block=min(max(budget // _BLOCK_BYTES, SMALLEST_BLOCK), LARGEST_BLOCK))
    size = _part_size(corpus.tokens, plan, budget) if cluster is None else _shard_size(corpus.tokens, plan, cluster)
    if size >= corpus.tokens and cluster is None:
        blocks = count_part(keep_part(corpus.ids, corpus.starts, 0, corpus.tokens, plan), plan)
        report(1.0)
        return _in_memory(blocks, plan)
    bounds = [*range(0, corpus.tokens, size), corpus.tokens]

    def counted() -> Iterator[list[Rows]]:
        kept = (keep_part(corpus.ids, corpus.starts, first, last, plan) for first, last in pairwise(bounds))
        if cluster is None:
            yield from (count_part(one, plan) for one in kept)
        else:
            sent = cluster.put(plan)
            yield from cluster.stream(count_part, ((one, sent) for one in kept))

    def in_folder(folder: Path) -> CountMatrix:
        runs = []
        for number, blocks in enumerate(counted(), 1):
            interrupts.check()
            runs.append(_Run(blocks, folder / str(number)))
            report(number / len(bounds))
        return _merged(runs, plan, folder)

    with disk_errors():
        return made_in_temporary_folder(in_folder)


def _bytes_per_token(plan: Plan) -> int:
    """In the worst case: no pair of words occurs twice."""
    return _TOKEN_BYTES + 2 * plan.window * _ENTRY_BYTES


def _part_size(tokens: int, plan: Plan, budget: int | None) -> int:
    """How many tokens to count at a time; all of them if they fit."""
    if budget is None or tokens * _bytes_per_token(plan) <= budget:
        return min(tokens, _MOST_PART)
    # The other half is for merging, and for the program.
    return min(max(budget // 2 // _bytes_per_token(plan), _LEAST_PART), _MOST_PART)


def _shard_size(tokens: int, plan: Plan, cluster: Workers) -> int:
    """How many tokens a worker counts at a time."""
    fair = -(-tokens // (_PARTS_EACH * cluster.count))
    return max(1, min(cluster.memory // _bytes_per_token(plan), fair))


def _as_logs(rows: Rows, plan: Plan) -> LogCounts:
    logs = np.log((rows.counts / plan.unit).astype(np.float32))
    for array in (rows.columns, logs):
        array.setflags(write=False)
    return LogCounts(rows.starts, rows.columns, logs)


def _row_sums(rows: Rows, plan: Plan) -> NDArray[np.float64]:
    """The counts of each row together: whole numbers, exactly added, so that no cut of the text changes them."""
    before = np.concatenate([[0], np.cumsum(rows.counts)])
    return np.diff(before[rows.starts]) / plan.unit


def _in_memory(blocks: list[Rows], plan: Plan) -> CountMatrix:
    sums, logs = [], []
    while blocks:
        rows = blocks.pop(0)  # whose memory is given back, one by one
        sums.append(_row_sums(rows, plan))
        logs.append(_as_logs(rows, plan))
    return CountMatrix(logs, np.concatenate(sums), plan.contexts)


class _Run:
    """The rows of one part, in files. They are read piece by piece: what is mapped would count as memory."""

    def __init__(self, blocks: Iterable[Rows], place: Path) -> None:
        self._starts, self._columns, self._counts = (
            place.with_suffix(f".{name}") for name in ("starts", "columns", "counts")
        )
        starts, size = [np.zeros(1, np.int64)], 0
        with self._columns.open("wb") as columns, self._counts.open("wb") as counts:
            for rows in blocks:
                starts.append(rows.starts[1:] + size)
                size += rows.columns.size
                rows.columns.tofile(columns)
                rows.counts.tofile(counts)
        np.concatenate(starts).tofile(self._starts)

    def sizes(self) -> NDArray[np.int64]:
        """How many entries each row has."""
        starts = np.fromfile(self._starts, np.int64)
        return starts[1:] - starts[:-1]

    def read(self, first: int, last: int) -> Rows:
        """The rows from ``first`` to ``last - 1``."""
        starts = _piece(self._starts, np.int64, first, last + 1)
        bounds = int(starts[0]), int(starts[-1])
        columns, counts = _piece(self._columns, np.int32, *bounds), _piece(self._counts, np.int64, *bounds)
        return Rows(starts - starts[0], columns, counts)


def _piece(path: Path, dtype: Any, first: int, last: int) -> NDArray[Any]:
    return np.fromfile(path, dtype, last - first, offset=first * np.dtype(dtype).itemsize)


def _mapped(path: Path, dtype: Any) -> NDArray[Any]:
    """A file as a read-only array; an empty one cannot be mapped."""
    return np.memmap(path, dtype, "r") if path.stat().st_size else np.empty(0, dtype)


def _merged(runs: Sequence[_Run], plan: Plan, folder: Path) -> CountMatrix:
    """The sums of the rows of all parts, in files of the folder."""
    entries: Any = sum(run.sizes() for run in runs)
    sums, room, row_sums, sizes = empty_sums(plan.contexts), Room(), [], []
    with (folder / "columns").open("wb") as columns, (folder / "logs").open("wb") as logs:
        for cut in cut_rows(entries, plan.block):
            interrupts.check()
            rows = room.rows(*cut)
            _add_up(runs, cut, sums, rows)
            found = taken(rows)
            row_sums.append(_row_sums(found, plan))
            sizes.append(found.starts)
            block = _as_logs(found, plan)
            block.columns.tofile(columns)
            block.logs.tofile(logs)
    all_columns, all_logs = _mapped(folder / "columns", np.int32), _mapped(folder / "logs", np.float32)
    blocks, first = [], 0
    for starts in sizes:
        last = first + int(starts[-1])
        blocks.append(LogCounts(starts, all_columns[first:last], all_logs[first:last]))
        first = last
    return CountMatrix(blocks, np.concatenate(row_sums), plan.contexts)


def _add_up(runs: Sequence[_Run], cut: Cut, sums: Sums, rows: Rows) -> None:
    """Fill ``rows`` with the sums of the rows of a cut."""
    found = [run.read(cut.first, cut.last) for run in runs]
    before = np.cumsum([0, *(one.columns.size for one in found[:-1])])
    starts = np.array([one.starts + place for one, place in zip(found, before, strict=True)])  # (runs, rows + 1)
    columns = np.concatenate([one.columns for one in found])
    merge_rows(starts, columns, np.concatenate([one.counts for one in found]), sums, rows)
