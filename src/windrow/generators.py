"""Random generators from what a caller gives as a seed."""

from __future__ import annotations

from typing import Any

import numpy as np

from windrow.errors import OptionError, check_whole, shown

Seed = int | np.random.Generator | None
_LARGEST_SEED = 2**128 - 1  # the bits of NumPy's own entropy
_SOURCES = (np.random.Generator, np.random.BitGenerator, np.random.SeedSequence, np.random.RandomState)


def random_generator(seed: Any, name: str = "seed") -> np.random.Generator:
    """The generator of a seed; one that is given is used as it is. OptionError, which has ``name``, for no seed."""
    if seed is None or isinstance(seed, _SOURCES):
        try:
            return np.random.default_rng(seed)
        except TypeError as error:  # a RandomState, before NumPy 2.2
            raise OptionError(f"{name} = {shown(seed)} must be a whole number or a numpy.random.Generator") from error
    return np.random.default_rng(check_whole(name, seed, 0, _LARGEST_SEED))
