"""Word vectors that a model begins with: given as an object, or by the name of a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.vectors import WordVectors, load_vectors
from windrow.errors import DataError, OptionError, shown

Given = WordVectors | str | os.PathLike[str]


def check_given(vectors: Any) -> None:
    """Raise OptionError for what is neither vectors, nor a name, nor None."""
    if vectors is not None and not isinstance(vectors, WordVectors | str | os.PathLike):
        raise OptionError(f"vectors = {shown(vectors)} must be WordVectors, the name of a file of them, or None")


def open_given(vectors: Given, size: int, name: str) -> WordVectors:
    """Vectors, or those of a file; OptionError when they are of another size than the setting ``name`` says."""
    given = vectors if isinstance(vectors, WordVectors) else load_vectors(vectors)
    if given.vector_size != size:
        raise OptionError(
            f"vectors have {given.vector_size} dimensions, but {name} = {size}; try {name} = {given.vector_size}"
        )
    return given


def take_given(table: NDArray[np.float32], words: Sequence[str], given: WordVectors, own: range, where: object) -> int:
    """Write the given vectors to the rows of ``words`` that have one; returns for how many rows of ``own`` that is so.

    Raises DataError, which says ``where`` they are from, if there is none among ``own``: the words of the text.
    """
    known = [row for row, word in enumerate(words) if word in given.key_to_index]
    found = sum(row in own for row in known)
    if not found:
        told = "vectors" if isinstance(where, WordVectors) else where
        raise DataError(f"none of the {len(own):,} words is in {told}; are both cut into words alike?")
    rows = np.array([given.key_to_index[words[row]] for row in known])
    given.check_finite(rows)
    table[known] = given.vectors[rows]
    return found
