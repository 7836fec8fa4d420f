"""Word vectors that a neural language model begins with."""

from __future__ import annotations

import os

import numpy as np

from windrow.corpus import Vocabulary
from windrow.embeddings import WordVectors
from windrow.embeddings.vectors import load_vectors
from windrow.errors import DataError, OptionError
from windrow.lm.symbols import SPECIALS
from windrow.nn.parameters import Array


def open_given(vectors: WordVectors | str | os.PathLike[str], embedding_size: int) -> WordVectors:
    """Vectors, or those of a file; OptionError when they are of another size."""
    given = vectors if isinstance(vectors, WordVectors) else load_vectors(vectors)
    if given.vector_size != embedding_size:
        raise OptionError(
            f"vectors have {given.vector_size} dimensions, but embedding_size = {embedding_size}; "
            f"try embedding_size = {given.vector_size}"
        )
    return given


def take_given(vectors: Array, vocabulary: Vocabulary, given: WordVectors, where: str | os.PathLike[str] | None) -> int:
    """Write the given vectors to the rows of their words; returns how many words have one, the symbols apart.

    Raises DataError, which says ``where`` they are from, if none has.
    """
    known = [row for row, word in enumerate(vocabulary.words) if word in given.key_to_index]
    found = sum(row >= len(SPECIALS) for row in known)
    if not found:
        words = len(vocabulary) - len(SPECIALS)
        raise DataError(f"none of the {words:,} words is in {where}; are both cut into words alike?")
    rows = np.array([given.key_to_index[vocabulary.words[row]] for row in known])
    given.check_finite(rows)
    vectors[known] = given.vectors[rows]
    return found
