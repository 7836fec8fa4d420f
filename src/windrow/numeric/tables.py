"""Parameter tables: rows padded with zeros to whole vectors of 16 numbers, and aligned to cache lines."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from windrow.numeric.simd import LANES

_CACHE_LINE = 64
_PAGE = 4096


def padded_width(columns: int) -> int:
    """``columns`` rounded up to a multiple of 16."""
    return (columns + LANES - 1) // LANES * LANES


def zero_table(rows: int, columns: int, dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """A table of zeros, shape (rows, padded_width(columns)), whose address is a multiple of 64 bytes."""
    width = padded_width(columns)
    itemsize = np.dtype(dtype).itemsize
    raw = np.zeros(rows * width + _CACHE_LINE // itemsize, dtype)
    skip = -raw.ctypes.data % _CACHE_LINE // itemsize
    return raw[skip : skip + rows * width].reshape(rows, width)


def zero_tables_apart(rows: int, columns: int, dtype: DTypeLike = np.float32) -> tuple[NDArray[Any], NDArray[Any]]:
    """Two zero tables, half a page apart modulo the page of 4096 bytes, for a loop that reads one and writes the other.

    A processor that sees a load and an earlier store at the same place of two pages takes them for the same address at
    first, and lets the load wait. With tables one row apart in their pages, hierarchical softmax was 5 % slower.
    """
    table_bytes = rows * padded_width(columns) * np.dtype(dtype).itemsize
    row_bytes = padded_width(columns) * np.dtype(dtype).itemsize
    between = round((_PAGE // 2 - table_bytes) % _PAGE / row_bytes)
    both = zero_table(2 * rows + between, columns, dtype)
    return both[:rows], both[rows + between :]
