"""Whole numbers of equally many bits, one directly after the other: number i has the bits from ``i * bits`` on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.kernels.eight_bytes import eight_at, set_eight
from windrow.numeric.jit import kernel

Bytes = NDArray[np.uint8]

MOST_BITS = 32
PAD = 8  # bytes after the last number, so that it can be read as one of eight

_ONE = np.uint64(1)


def bytes_of(size: int, bits: int) -> int:
    """Bytes of ``size`` numbers, PAD included."""
    return (size * bits + 7) // 8 + PAD


@kernel
def pack_numbers(numbers: NDArray[np.int32], bits: int, packed: Bytes) -> None:
    """Write numbers below ``2**bits``; ``packed`` is all zeros."""
    for i in range(numbers.size):
        first = i * bits
        byte = first >> 3
        set_eight(packed, byte, eight_at(packed, byte) | (np.uint64(numbers[i]) << np.uint64(first & 7)))


@kernel
def number_at(packed: Bytes, bits: int, i: int) -> Any:
    """Number ``i``."""
    first = i * bits
    eight = eight_at(packed, first >> 3) >> np.uint64(first & 7)
    return np.int64(eight & ((_ONE << np.uint64(bits)) - _ONE))
