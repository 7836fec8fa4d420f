"""Vectors in fewer bytes: as float16, or as int8 with a scale for each row.

A row of int8 is ``round(vector / scale)``, where ``scale`` is its largest absolute number / 127, so that no number is
off by more than half a scale.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.endings import DTYPES
from windrow.errors import FormatError, OptionError, shown

_LARGEST = 127
_ROWS_AT_ONCE = 1 << 14


def check_dtype(dtype: object, allowed: tuple[str, ...] = DTYPES) -> None:
    """Raise OptionError for a type of numbers that is not allowed."""
    if dtype not in allowed:
        raise OptionError(f"dtype = {shown(dtype)} is not one of {', '.join(allowed)}")


def narrowed(
    vectors: NDArray[np.float32], dtype: str, path: str | os.PathLike[str]
) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
    """Finite vectors (rows, dimensions) in a type of ``DTYPES``, and the scales (rows,) of int8, else None."""
    if dtype == "float32":
        return vectors, None
    if dtype == "float16":
        with np.errstate(over="ignore"):
            halves = vectors.astype(np.float16)
        if not np.isfinite(halves).all():
            raise OptionError(f"{path}: a number is above 65504, the largest of float16; try dtype = 'int8'")
        return halves, None
    scales = np.abs(vectors).max(axis=1) / np.float32(_LARGEST)
    scales[scales < np.finfo(np.float32).tiny] = 1  # a row of zeros, or of numbers that are as good as that
    small = np.empty(vectors.shape, np.int8)
    for first in range(0, len(vectors), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        small[rows] = np.rint(vectors[rows] / scales[rows, None])
    return small, scales


def widened(stored: NDArray[Any], scales: NDArray[Any] | None, path: str | os.PathLike[str]) -> NDArray[np.float32]:
    """The inverse of ``narrowed``, as new float32; a memory map of float32 stays one."""
    if scales is not None and scales.shape != (len(stored),):
        raise FormatError(f"{path}: expected {len(stored)} scales, one for each row, found the shape {scales.shape}")
    wide = np.asarray(stored, np.float32)
    return wide if scales is None else wide * np.asarray(scales, np.float32)[:, None]
