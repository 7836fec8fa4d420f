"""The n-grams of a text or a model, order by order: a trie in sorted arrays.

The n-grams of every order are sorted by their words, so those that share a context stand side by side, in the order of
the contexts: ``starts[c]:starts[c + 1]`` are the k-grams whose context is the c-th (k-1)-gram. Order 1 has the empty
context, and its place is the word's id.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Vocabulary

Int32s = NDArray[np.int32]
Floats = NDArray[Any]  # float32, or float64 where models are checked


class CountLevel(NamedTuple):
    """The distinct k-grams of a text, sorted, and how often each occurs."""

    starts: Int32s  # (contexts + 1,)
    words: Int32s  # (n,) the last word
    suffixes: Int32s  # (n,) the place, among the (k-1)-grams, of the k-gram without its first word; order 1: zeros
    counts: NDArray[Any]  # (n,) int32; order 1: int64


class Level(NamedTuple):
    """The k-grams of a back-off model, sorted, with log10 probabilities and back-off weights."""

    starts: Int32s  # (contexts + 1,)
    words: Int32s  # (n,) the last word
    log10_probs: Floats  # (n,)
    log10_backoffs: Floats | None  # (n,); None at the highest order


@dataclass
class NGramCounts:
    """Raw counts of every order; ``levels[k - 1]`` holds the k-grams.

    ``initial[k - 1]``: (n,) bool, whether a k-gram occurs where a sentence begins, only when sentence starts are not
    marked by ``<s>``: there it has no word before it, which counts as one more; else None.
    """

    vocabulary: Vocabulary
    levels: list[CountLevel]
    initial: list[NDArray[np.bool_]] | None = None

    @property
    def order(self) -> int:
        """The highest order."""
        return len(self.levels)


@dataclass
class BackoffModel:
    """A back-off model: p(w | h) is stored, or is backoff(h) p(w | h') with h' the context without its first word.

    Whenever an n-gram is stored, so is its context. ``unseen_backoff`` is the log10 weight of a context that is not
    stored.
    """

    vocabulary: Vocabulary
    levels: list[Level]
    unseen_backoff: float = 0.0

    @property
    def order(self) -> int:
        """The highest order."""
        return len(self.levels)

    @property
    def sizes(self) -> list[int]:
        """How many n-grams each order has."""
        return [level.words.size for level in self.levels]
