from __future__ import annotations

import numpy as np
import pytest

from windrow.numeric.tables import padded_width, zero_table


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
