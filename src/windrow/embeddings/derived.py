"""Tables of word vectors made from others: scaled, cut, turned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.table import KeyedTable
from windrow.embeddings.terms import texts
from windrow.errors import DataError, OptionError, check_whole, warn

_WORDS_AT_ONCE = 1 << 14


class DerivedTables(KeyedTable):
    """Copies of a table of words and vectors; ``WordVectors`` adds queries, files and evaluation."""

    def normalize(self) -> Self:
        """A copy in which all vectors have length 1, except zero vectors; it has no n-grams.

        Returns
        -------
        WordVectors

        Examples
        --------
        >>> import numpy as np
        >>> from windrow import WordVectors
        >>> WordVectors(["cat", "dog"], np.array([[0, 2], [5, 0]], np.float32)).normalize().vectors.tolist()
        [[0.0, 1.0], [1.0, 0.0]]
        """
        normal = self._derived(self._words, self.get_normed_vectors(), self.counts)
        normal.ngrams = None  # as they are, they do not fit these
        return normal

    normalise = normalize

    def subset(self, words: Sequence[str]) -> Self:
        """A copy with only the given words.

        Parameters
        ----------
        words : sequence of str
            Distinct words, in the order of the new rows.

        Returns
        -------
        WordVectors

        Raises
        ------
        MissingWordError
            A word is unknown.
        """
        words = texts(words)
        rows = np.array([self.get_index(word) for word in words], np.intp)
        return self._derived(words, self._vectors[rows], None if self.counts is None else self.counts[rows])

    def head(self, n: int) -> Self:
        """The first ``n`` words; the vectors are shared, not copied.

        Parameters
        ----------
        n : int, at least 1
            How many words; more than there are give all.

        Returns
        -------
        WordVectors

        Raises
        ------
        OptionError
            ``n`` is out of range.
        """
        n = check_whole("n", n, 1)
        counts = None if self.counts is None else self.counts[:n]
        return self._derived(self._words[:n], self.vectors[:n], counts)

    def truncated(self, size: int) -> Self:
        """A copy with only the first dimensions of each vector, scaled to length 1, except zero vectors.

        Cosines of such vectors are near those of the whole ones where dimensions come in the order of their variance,
        as ``Blend`` and ``CountVectors`` give them, or where a model was trained for it (Kusupati et al. 2022,
        "Matryoshka representation learning"). Those of ``Word2Vec`` have no order: they lose more.

        Parameters
        ----------
        size : int, from 1 to the number of dimensions
            How many dimensions are kept.

        Returns
        -------
        WordVectors
            Without n-grams, which would not fit the scaled vectors.

        Raises
        ------
        OptionError
            ``size`` is out of range, or a number is not finite.

        Examples
        --------
        >>> import numpy as np
        >>> from windrow import WordVectors
        >>> WordVectors(["cat", "dog"], np.array([[3, 4, 1], [0, 5, 2]], np.float32)).truncated(2).vectors.tolist()
        [[0.6000000238418579, 0.800000011920929], [0.0, 1.0]]
        """
        size = check_whole("size", size, 1)
        if size > self.vector_size:
            raise OptionError(f"size = {size}, but vectors have {self.vector_size} dimensions; choose one up to that")
        self.check_finite()
        return self._derived(self._words, self._vectors[:, :size].copy(), self.counts).normalize()

    def vectors_for_all(self, keys: Iterable[str], allow_inference: bool = True, copy_vecattrs: bool = False) -> Self:
        """A table of those of some words that are known; ``subset`` raises an error for the others.

        Parameters
        ----------
        keys : iterable of str
            Words; those that repeat count once.
        allow_inference : bool, default True
            Whether words without a row of their own may have a vector, made of their n-grams; then nothing is copied
            but vectors.
        copy_vecattrs : bool, default False
            Keep the counts of the words, and what ``set_vecattr`` gave them.

        Returns
        -------
        WordVectors

        Raises
        ------
        OptionError
            None of the words is known.

        Examples
        --------
        >>> import numpy as np
        >>> from windrow import WordVectors
        >>> wv = WordVectors(["cat", "dog"], np.eye(2, dtype=np.float32))
        >>> wv.vectors_for_all(["dog", "unicorn", "dog"]).index_to_key
        ['dog']
        """
        if isinstance(keys, str):
            raise OptionError(f"keys = {keys!r} must be a list of words")
        wanted = [key for key in dict.fromkeys(keys) if key in self]
        if allow_inference and not all(map(self.has_index_for, wanted)):
            return self._derived(wanted, self[wanted], None)
        chosen = self.subset([key for key in wanted if self.has_index_for(key)])
        if not copy_vecattrs:
            chosen.counts, chosen._attributes = None, {}
        return chosen

    def align_to(self, other: KeyedTable, words: Sequence[str] | None = None) -> Self:
        """A copy turned so that its words lie as near as possible to the same words of another table.

        All vectors are multiplied by one orthogonal matrix: lengths and cosines among them stay as they are. The matrix
        is the one with which the vectors of the common words, each scaled to length 1, have the least sum of squared
        distances. Use it to compare models of different times or languages, or runs with different seeds.

        Parameters
        ----------
        other : WordVectors
            The table to turn to, of as many dimensions.
        words : sequence of str, default None
            Words by which the matrix is found; both tables have each. None: all that both have.

        Returns
        -------
        WordVectors
            Only the provenance of this table goes on.

        Raises
        ------
        OptionError
            The dimensions differ, or a number is not finite.
        DataError
            There is no common word.
        MissingWordError
            One of ``words`` is unknown.

        References
        ----------
        Schoenemann 1966, "A generalized solution of the orthogonal Procrustes problem"; for word vectors, Hamilton et
        al. 2016, "Diachronic word embeddings reveal statistical laws of semantic change".

        Examples
        --------
        >>> import numpy as np
        >>> from windrow import WordVectors
        >>> wv = WordVectors(["cat", "dog"], np.array([[1, 0], [0, 1]], np.float32))
        >>> turned = WordVectors(["dog", "cat"], np.array([[-1, 0], [0, 1]], np.float32))  # by a right angle
        >>> turned.align_to(wv)["cat"].round(6).tolist()
        [1.0, 0.0]
        """
        if not isinstance(other, KeyedTable):
            raise OptionError(f"other must be WordVectors, not {type(other).__name__}")
        if self.vector_size != other.vector_size:
            raise OptionError(f"tables of {self.vector_size} and {other.vector_size} dimensions cannot be aligned")
        common = [word for word in self._words if other.has_index_for(word)] if words is None else texts(words)
        if not common:
            raise DataError("the two tables have no word in common; are both of the same language, and cut alike?")
        cross = _cross_product(self, other, common)
        if len(common) < self.vector_size:
            few = f"{len(common):,} common words do not say how to turn {self.vector_size} dimensions"
            warn(f"{few}: what they leave open is arbitrary; take tables with more words in common")
        matrix = _orthogonal(cross).astype(np.float32)
        turned = self._derived(self._words, self._vectors @ matrix, self.counts)
        if self.ngrams is not None:
            turned.ngrams = replace(self.ngrams, vectors=self.ngrams.vectors @ matrix)
        return turned

    def _derived(self, words: Sequence[str], vectors: NDArray[np.float32], counts: NDArray[np.int64] | None) -> Self:
        derived = self._made(words, vectors, counts)
        derived.provenance, derived.ngrams = dict(self.provenance), self.ngrams
        for name, values in self._attributes.items():
            derived._attributes[name] = {word: value for word, value in values.items() if derived.has_index_for(word)}
        return derived


def _cross_product(table: KeyedTable, other: KeyedTable, words: Sequence[str]) -> NDArray[np.float64]:
    """X^T Y, (dimensions, dimensions), of the vectors of the words in both tables, each scaled to length 1."""
    total = np.zeros((table.vector_size, other.vector_size))
    for first in range(0, len(words), _WORDS_AT_ONCE):
        x, y = (_units(one, words[first : first + _WORDS_AT_ONCE]) for one in (table, other))
        total += x.T @ y
    return total


def _units(table: KeyedTable, words: Sequence[str]) -> NDArray[np.float64]:
    rows = np.array([table.get_index(word) for word in words], np.intp)
    units: NDArray[np.float64] = table._vectors[rows].astype(np.float64) / table._divisors(rows)[:, None]
    return units


def _orthogonal(cross: NDArray[np.float64]) -> NDArray[np.float64]:
    """The orthogonal R with the least ||X R - Y||, from X^T Y: U V^T of its singular value decomposition U S V^T."""
    left, _, right = np.linalg.svd(cross)
    product: NDArray[np.float64] = left @ right
    return product
