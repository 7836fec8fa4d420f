"""Merge the counts of parts of a text, level by level: files are read and written from beginning to end."""

from __future__ import annotations

import mmap
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from windrow.errors import DataError
from windrow.lm.ngram.kernels import counts as kernels
from windrow.lm.ngram.kernels.counts import Cursor, Grams, Input, Int32s, Output
from windrow.lm.ngram.levels import CountLevel

MOST = 2**31 - 1  # tokens, n-grams of an order
_BLOCK = 1 << 18  # n-grams written at a time


class Counted(NamedTuple):
    """A level, and which of its k-grams begin a sentence: None where <s> marks it."""

    level: CountLevel
    initial: NDArray[np.bool_] | None


class Merger:
    """Keeps counts of parts of a text in files, and merges two of them whenever they are of equally many parts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0  # folders
        self._counts: list[tuple[int, Path, list[Counted]]] = []  # how many parts, where, the levels

    def add(self, levels: Iterable[Counted]) -> None:
        """Take the counts of one more part, level by level."""
        folder = self._new_folder()
        stored: list[Counted] = []
        for counted in levels:
            stored.append(_in_files(counted, folder / str(len(stored) + 1)))
            del counted  # before the next level takes its memory
        self._counts.append((1, folder, stored))
        while len(self._counts) > 1 and self._counts[-2][0] == self._counts[-1][0]:
            self._merge_last_two()

    def result(self, report: Callable[[str, float], object]) -> list[Counted]:
        """The counts of all parts together."""
        remaining = len(self._counts)
        while len(self._counts) > 1:
            self._merge_last_two()
            report("merging counts", (remaining - len(self._counts)) / (remaining - 1))
        return self._counts[0][2]

    def _merge_last_two(self) -> None:
        parts_b, folder_b, b = self._counts.pop()
        parts_a, folder_a, a = self._counts.pop()
        folder = self._new_folder()
        merged = list(_merged(a, b, folder))
        del a, b  # Windows keeps a file as long as it is mapped
        shutil.rmtree(folder_a, ignore_errors=True)
        shutil.rmtree(folder_b, ignore_errors=True)
        self._counts.append((parts_a + parts_b, folder, merged))

    def _new_folder(self) -> Path:
        folder = self._folder / str(self._made)
        folder.mkdir()
        self._made += 1
        return folder


class _Places(NamedTuple):
    """Places of one order's n-grams in the merged counts, and which of the two counts each merged one comes from."""

    a: Int32s  # merged places of the n-grams of the first count
    b: Int32s
    origins: NDArray[np.uint8]  # of the merged n-grams: 1 the first count, 2 the second, 3 both


def _merged(all_a: list[Counted], all_b: list[Counted], folder: Path) -> Iterator[Counted]:
    """The sums of two counts, level by level, in files of a folder."""
    (a, initial_a), (b, initial_b) = all_a[0], all_b[0]
    same = a.words
    yield Counted(
        CountLevel(a.starts, same, a.suffixes, a.counts + b.counts),
        None if initial_a is None or initial_b is None else initial_a | initial_b,
    )
    below = _Places(same, same, np.full(same.size, 3, np.uint8))
    for k, ((a, initial_a), (b, initial_b)) in enumerate(zip(all_a[1:], all_b[1:], strict=True), 2):
        path = folder / str(k)
        level, below = _merge_levels(a, b, below, path, k)
        initial = None
        if initial_a is not None and initial_b is not None:
            initial = _new_map(path.with_suffix(".initial"), np.bool_, level.words.size)
            _mark(initial, initial_a, below.a)
            _mark(initial, initial_b, below.b)
        yield Counted(level, initial)


def _merge_levels(a: CountLevel, b: CountLevel, below: _Places, path: Path, k: int) -> tuple[CountLevel, _Places]:
    """Merge the k-grams of two counts into files beside ``path``."""
    places_a = _new_map(path.with_suffix(".a"), np.int32, a.words.size)
    places_b = _new_map(path.with_suffix(".b"), np.int32, b.words.size)
    input_a = Input(Grams(*map(read_only, a)), read_only(below.a), places_a.view(np.ndarray))
    input_b = Input(Grams(*map(read_only, b)), read_only(below.b), places_b.view(np.ndarray))
    origins = read_only(below.origins)
    out = Output(Grams(*(np.empty(_BLOCK, np.int32) for _ in range(4))), np.empty(_BLOCK, np.uint8))
    cursor, contexts = Cursor(*[0] * 6), below.origins.size
    names = [*Grams._fields, "origins"]
    with ExitStack() as stack:
        files = [stack.enter_context(path.with_suffix(f".{name}").open("wb", buffering=0)) for name in names]
        np.zeros(1, np.int32).tofile(files[0])
        while cursor.context < contexts:
            after, finished, written = kernels.merge_levels(input_a, input_b, origins, cursor, out)
            cursor = Cursor(*after)
            if cursor.place > MOST:
                raise DataError(f"the text has more than {MOST} different {k}-grams; lower the order")
            sizes = [finished, *[written] * 4]
            arrays: list[NDArray[Any]] = [*out.level, out.origins]
            for file, array, size in zip(files, arrays, sizes, strict=True):
                array[:size].tofile(file)
            forget([*a, *b, places_a, places_b, below.origins])
    merged = [_map(path.with_suffix(f".{name}"), np.int32) for name in Grams._fields]
    return CountLevel(*merged), _Places(places_a, places_b, _map(path.with_suffix(".origins"), np.uint8))


def _mark(initial: NDArray[np.bool_], marks: NDArray[np.bool_], places: Int32s) -> None:
    for first in range(0, marks.size, _BLOCK):
        block = slice(first, first + _BLOCK)
        initial[places[block][marks[block]]] = True


# --- files


def _in_files(counted: Counted, path: Path) -> Counted:
    """The same arrays, in files beside ``path``."""
    level, initial = counted
    arrays = [_in_file(array, path.with_suffix(f".{name}")) for name, array in level._asdict().items()]
    return Counted(CountLevel(*arrays), None if initial is None else _in_file(initial, path.with_suffix(".initial")))


def _in_file(array: NDArray[Any], path: Path) -> NDArray[Any]:
    array.tofile(path)
    return _map(path, array.dtype)


def _map(path: Path, dtype: DTypeLike) -> NDArray[Any]:
    """The array in a file, as a memory map; an empty file cannot be mapped."""
    return np.memmap(path, dtype, "r+") if path.stat().st_size else np.empty(0, dtype)


def _new_map(path: Path, dtype: DTypeLike, size: int) -> NDArray[Any]:
    """An array of zeros in a new file, with its disk space: a write to a map on a full disk would kill the program."""
    size_bytes = size * np.dtype(dtype).itemsize
    with path.open("wb") as file:
        if size and hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size_bytes)
        else:
            file.truncate(size_bytes)
    return _map(path, dtype)


def forget(arrays: Iterable[NDArray[Any]]) -> None:
    """Release the memory of what was read or written through maps; the files keep it."""
    if not hasattr(mmap, "MADV_DONTNEED"):
        return
    for array in arrays:
        if (mapping := _mapping_under(array)) is not None:
            mapping.madvise(mmap.MADV_DONTNEED)


def _mapping_under(array: NDArray[Any]) -> mmap.mmap | None:
    """The map that an array is a view of, if any; None for one whose changes exist in memory only."""
    under: Any = array
    while isinstance(under, np.ndarray):
        if isinstance(under, np.memmap) and under.mode == "c":
            return None
        under = under.base
    return under if isinstance(under, mmap.mmap) else None


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only plain view, so that kernels are compiled for one type of array."""
    view = np.ascontiguousarray(array).view(np.ndarray)
    view.flags.writeable = False
    return view
