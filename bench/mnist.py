"""The digits of MNIST, read without more than NumPy, and that only when they are asked for."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness import BenchError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Examples = tuple[NDArray[np.float32], NDArray[np.uint8]]  # pixels from 0 to 1 (images, side * side), labels

FILES = tuple(
    f"mnist/{name}-ubyte.gz"
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
)
HELD_BACK = 10_000  # of the training images, the last, to choose recipes by


@dataclass(frozen=True)
class Digits:
    """Examples to train on, to choose recipes by, and to judge the network by."""

    train: Examples
    held_back: Examples
    test: Examples

    def head(self, images: int) -> Digits:
        """The first images of each, for a quick try."""
        return Digits(*((x[:images], y[:images]) for x, y in (self.train, self.held_back, self.test)))


def read_mnist(folder: Path) -> Digits:
    """The digits of MNIST's four files in ``folder``; BenchError for a file that is something else."""
    import numpy as np

    train_x, train_y, test_x, test_y = (read_idx(folder / name) for name in FILES)
    x, test = (images.reshape(len(images), -1).astype(np.float32) / 255 for images in (train_x, test_x))
    return Digits((x[:-HELD_BACK], train_y[:-HELD_BACK]), (x[-HELD_BACK:], train_y[-HELD_BACK:]), (test, test_y))


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The array in a compressed IDX file of bytes: two zeros, the type 8, the number of axes, their lengths, data."""
    import numpy as np

    try:
        data = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise BenchError(f"{path} is no sound gzip file: {error}; fetch MNIST again") from error
    if data[:3] != b"\0\0\x08" or len(data) < 4 + 4 * data[3]:
        raise BenchError(f"{path} is no IDX file of bytes; fetch MNIST again")
    start = 4 + 4 * data[3]
    shape = struct.unpack(f">{data[3]}I", data[4:start])
    if len(data) - start != math.prod(shape):
        raise BenchError(f"{path} says {shape} and holds {len(data) - start} bytes; fetch MNIST again")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)
