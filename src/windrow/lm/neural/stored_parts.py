"""The parts of a neural language model's file: what must fit its configuration."""

from __future__ import annotations

import os

from windrow.errors import FormatError
from windrow.files import model_file
from windrow.files.model_file import StoredModel
from windrow.lm.neural.network import NeuralNetwork


def check_size(least: int, stored: StoredModel, path: str | os.PathLike[str]) -> None:
    """Refuse a header that speaks of a far larger network than the file holds, before memory is taken for it.

    ``least``: how many numbers such a network has.
    """
    held = sum(array.size for array in stored.arrays.values())
    if least > held:
        raise FormatError(f"{path} has {held:,} numbers, too few for its configuration ({least:,}); train it again")


def fill_network(network: NeuralNetwork, stored: StoredModel, path: str | os.PathLike[str]) -> None:
    """Set the arrays of a network to stored ones; FormatError where they do not fit."""
    for name, target in network.arrays.items():
        array = stored.arrays.get(name)
        if array is None or array.shape != target.shape or array.dtype != target.dtype:
            found = "missing" if array is None else f"{array.dtype} {array.shape}"
            raise FormatError(
                f"{path}: {name} is {found}, but should be {target.dtype} {target.shape}; train the model again"
            )
        model_file.check_finite(array.reshape(len(array), -1), name, path)
        target[:] = array
