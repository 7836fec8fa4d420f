from __future__ import annotations

import numpy as np
import pytest

from windrow.numeric.tables import padded_width, zero_table, zero_tables_apart


@pytest.mark.parametrize(("columns", "width"), [(1, 16), (15, 16), (16, 16), (17, 32), (100, 112), (300, 304)])
def test_padded_width(columns, width):
    assert padded_width(columns) == width


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rows", [1, 3, 50])
@pytest.mark.parametrize("columns", [1, 16, 100])
def test_zero_table_is_aligned_and_contiguous(rows, columns, dtype):
    for _ in range(5):  # malloc gives other places
        table = zero_table(rows, columns, dtype)
        assert table.shape == (rows, padded_width(columns))
        assert table.dtype == dtype
        assert table.ctypes.data % 64 == 0
        assert np.shares_memory(table.reshape(-1), table)
        assert not table.any()
        table[:] = 1


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (90, 100), (272, 300), (7, 16)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tables_apart_do_not_meet_in_their_pages(rows, columns, dtype):
    first, second = zero_tables_apart(rows, columns, dtype)

    assert first.shape == second.shape == (rows, padded_width(columns))
    assert first.flags["C_CONTIGUOUS"] and second.flags["C_CONTIGUOUS"]
    assert not first.any() and not second.any()
    distance = second.ctypes.data - first.ctypes.data
    assert distance >= first.nbytes
    assert abs(distance % 4096 - 2048) <= first.strides[0] // 2
    assert first.ctypes.data % 64 == second.ctypes.data % 64 == 0
