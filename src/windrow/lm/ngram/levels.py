"""The n-grams of a text or a model, order by order: a trie in sorted arrays.

The *context* of an n-gram is what stands before its last word; its *suffix* is the n-gram without its first word; its
*place* is its index in the arrays of its order (in a packed table it has an *address* instead). The n-grams of every
order are sorted by their words, so those that share a context stand side by side: ``starts[c]:starts[c + 1]`` are the
k-grams whose context is the (k-1)-gram at place c. In order 1 the only context is the empty one, and the place of a
word is its id::

    order 1   words   <unk> <s> </s> a b        order 2   words   a | b </s> | a
              starts  0 5                                 starts  0 0 1 1 3 4    (<s> a), (a b), (a </s>), (b a)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Vocabulary
from windrow.errors import OptionError

Int32s = NDArray[np.int32]
Floats = NDArray[Any]  # float32, or float64 where models are checked


class CountLevel(NamedTuple):
    """The different k-grams of a text, sorted, and how often each occurs."""

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

    ``initial[k - 1]``, (n,) bool: which k-grams occur at the beginning of a sentence. Kneser-Ney counts the different
    words before a k-gram, and "no word" is one of them. None where ``<s>`` marks the beginning, which is such a word.

    ``has_unseen``: some k-grams of orders above 1 have the count 0; they are there as contexts or suffixes of others.
    """

    vocabulary: Vocabulary
    levels: list[CountLevel]
    initial: list[NDArray[np.bool_]] | None = None
    has_unseen: bool = False

    @property
    def order(self) -> int:
        """The highest order."""
        return len(self.levels)

    def count(self, words: str | Sequence[str]) -> int:
        """How often an n-gram occurs, given as words or as a string with white space between them.

        0 for one that does not occur, and for ``<s>`` alone, which is never predicted. OptionError for no word, or for
        more than the order.
        """
        gram = words.split() if isinstance(words, str) else words
        if not 1 <= len(gram) <= self.order:
            raise OptionError(f"the counts are of n-grams of 1 to {self.order} words, not of {len(gram)}")
        place = 0
        for level, word in zip(self.levels, map(self.vocabulary.get, gram), strict=False):
            first, last = level.starts[place : place + 2].tolist()
            place = first + int(np.searchsorted(level.words[first:last], word))
            if place == last or level.words[place] != word:
                return 0
        return int(self.levels[len(gram) - 1].counts[place])


@dataclass
class BackoffModel:
    """A back-off model: p(w | h) is stored, else it is backoff(h) p(w | h'), where h' is h without its first word.

    The context of every stored n-gram is stored, too. ``unseen_backoff``: log10 backoff(h) of every h that is not.
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


def gram_keys(contexts: Int32s, words: Int32s) -> NDArray[np.int64]:
    """One number per n-gram, by which they are sorted: the place of its context, and its last word."""
    return contexts.astype(np.int64) << 32 | words
