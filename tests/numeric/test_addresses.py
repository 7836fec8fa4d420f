"""Memory by its address: of arrays, of parts of them, and of bytes."""

from __future__ import annotations

from typing import Any

import numpy as np

from windrow.numeric.addresses import address_of, array_at
from windrow.numeric.jit import kernel


@kernel
def where(memory: Any) -> Any:
    return address_of(memory)


@kernel
def sum_at(address: int, columns: int) -> Any:
    """The sum of the second row of two rows."""
    rows = array_at(address, (2, columns), np.int64)
    return rows[1].sum()


def test_arrays_and_bytes_are_found_where_they_lie() -> None:
    array = np.array([[7, 5, 3], [20, 60, 40]])
    assert where(array) == array.ctypes.data
    assert where(array[1:]) == array.ctypes.data + 3 * 8
    copy = array.tobytes()
    assert where(copy) == np.frombuffer(copy, np.uint8).ctypes.data
    for memory in (array, copy, bytearray(copy)):
        assert sum_at(where(np.frombuffer(memory, np.int64)), 3) == 120
