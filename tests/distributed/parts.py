"""What the workers of the tests are asked to do."""

from __future__ import annotations

import os
import time

import numpy as np
from numpy.typing import NDArray

from windrow.errors import DataError


def slowly(line: str) -> list[str]:
    """A tokenizer that takes its time."""
    time.sleep(0.01)
    return line.split()


def process_of(number: int, seconds: float) -> tuple[int, int]:
    """The number, and the process that was given it."""
    time.sleep(seconds)
    return number, os.getpid()


def many_numbers(number: int) -> NDArray[np.int64]:
    """8 MiB of a number."""
    return np.full(1 << 20, number)


def refused(number: int) -> int:
    """Raises for most numbers, after a while that is shorter the larger they are."""
    if number < 2:
        return number
    time.sleep(0.5 / number)
    raise DataError(f"{number} is bad; try another")
