"""NumPy's masked arrays, whose masks are lost wherever an array is made of them."""

from __future__ import annotations

import numpy as np


def first_masked(values: object) -> str | None:
    """Where the first masked number is, as ``[row, column]`` from 0; None where nothing is masked.

    >>> first_masked(np.ma.masked_equal([[1, 2], [3, -9]], -9))
    '[1, 1]'
    """
    if not isinstance(values, np.ma.MaskedArray):
        return None
    masked = np.ma.getmaskarray(values)
    return str(np.argwhere(masked)[0].tolist()) if masked.any() else None
