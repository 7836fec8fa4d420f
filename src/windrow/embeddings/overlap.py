"""How far two models agree on which words are near each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from windrow.embeddings.nearest import nearest
from windrow.embeddings.vectors import WordVectors
from windrow.errors import DataError, check_whole
from windrow.evaluation.bootstrap import Interval, as_list, mean_interval
from windrow.notebook import ResultTables

_SHOWN = 20  # words with the greatest change


class ChangedWord(NamedTuple):
    """A word, the fraction of its neighbors that two models share, and its neighbors in each, nearest first."""

    word: str
    overlap: float
    a: tuple[str, ...]
    b: tuple[str, ...]


@dataclass(frozen=True)
class NeighborOverlap(ResultTables):
    """The result of ``neighbor_overlap``: how many of the nearest neighbors of words two models have in common.

    Attributes
    ----------
    words : tuple of ChangedWord
        Each ``word`` with its ``overlap``, 0..1, and its neighbors in ``a`` and ``b``; in the order of A.
    k : int
        How many neighbors of a word were compared.
    overlap : float
        The fraction of neighbors that both models have, the mean over words, 0..1.
    jaccard : float
        Common neighbors by those that either model has, the mean over words, 0..1.
    overlap_interval, jaccard_interval : (float, float) or None
        Their bounds, 95 % percentile bootstrap over words.
    changed : tuple of ChangedWord
        All words, those that changed most first; of equal ones the more frequent.
    """

    words: tuple[ChangedWord, ...] = field(repr=False)
    k: int

    @property
    def _overlaps(self) -> list[float]:
        return [one.overlap for one in self.words]

    @property
    def _jaccards(self) -> list[float]:
        return [one.overlap / (2 - one.overlap) for one in self.words]  # of two sets of one size

    @property
    def overlap(self) -> float:
        """The mean fraction of common neighbors."""
        return float(np.mean(self._overlaps))

    @property
    def jaccard(self) -> float:
        """The mean Jaccard index."""
        return float(np.mean(self._jaccards))

    @property
    def overlap_interval(self) -> Interval | None:
        """Bounds of the mean fraction of common neighbors."""
        return mean_interval(self._overlaps, range(len(self.words)))

    @property
    def jaccard_interval(self) -> Interval | None:
        """Bounds of the mean Jaccard index."""
        return mean_interval(self._jaccards, range(len(self.words)))

    @property
    def changed(self) -> tuple[ChangedWord, ...]:
        """All words, those with the fewest common neighbors first."""
        return tuple(sorted(self.words, key=lambda one: one.overlap))

    def to_json(self) -> dict[str, Any]:
        """The numbers under the names that the command line prints, and the words that changed most."""
        return {
            "overlap": self.overlap,
            "overlap_interval": as_list(self.overlap_interval),
            "jaccard": self.jaccard,
            "jaccard_interval": as_list(self.jaccard_interval),
            "k": self.k,
            "words": len(self.words),
            "changed": {
                one.word: {"overlap": one.overlap, "a": list(one.a), "b": list(one.b)} for one in self.changed[:_SHOWN]
            },
        }


def neighbor_overlap(a: WordVectors, b: WordVectors, *, k: int = 10, top: int = 10_000) -> NeighborOverlap:
    """Compare the nearest neighbors of words in two models.

    Neighbors are looked for among the words that both models have, so that different vocabularies are no difference.

    Parameters
    ----------
    a, b : WordVectors
        The models; they may have different dimensions.
    k : int, at least 1, default 10
        How many neighbors of each word to compare.
    top : int, at least 2, default 10,000
        How many common words to compare, the most frequent ones of ``a``, and to look for neighbors among.

    Returns
    -------
    NeighborOverlap

    Raises
    ------
    OptionError
        An option is out of range, or a vector holds a number that is not finite.
    DataError
        The models share no more than ``k`` words.

    Examples
    --------
    >>> import numpy as np
    >>> from windrow import WordVectors
    >>> from windrow.embeddings import neighbor_overlap
    >>> words = ["cat", "dog", "oak", "elm"]
    >>> a = WordVectors(words, np.array([[9, 1], [8, 2], [1, 9], [2, 8]], np.float32))
    >>> b = WordVectors(words, np.array([[9, 1], [8, 3], [7, 4], [1, 9]], np.float32))
    >>> found = neighbor_overlap(a, b, k=1)
    >>> found.overlap, found.changed[0]
    (0.5, ChangedWord(word='dog', overlap=0.0, a=('cat',), b=('oak',)))
    """
    check_whole("k", k, 1)
    check_whole("top", top, 2)
    common = [word for word in a.index_to_key if b.has_index_for(word)][:top]
    if len(common) <= k:
        raise DataError(f"the models have {len(common)} words in common; lists of {k} neighbors need more than {k}")
    lists = [_neighbors(table.subset(common), k) for table in (a, b)]
    words = []
    for row, (one, other) in enumerate(zip(*lists, strict=True)):
        shared = len(set(one) & set(other)) / k
        words.append(ChangedWord(common[row], shared, *(tuple(common[near] for near in side) for side in (one, other))))
    return NeighborOverlap(tuple(words), k)


def _neighbors(table: WordVectors, k: int) -> list[list[int]]:
    """The rows of the ``k`` nearest words of each word, without itself."""
    table.check_finite()
    units = table.get_normed_vectors()
    norms = np.ones(len(units), np.float32)
    found = (rows.tolist() for rows, _ in nearest(units, units, norms, k + 1))
    return [[near for near in rows if near != row][:k] for row, rows in enumerate(found)]
