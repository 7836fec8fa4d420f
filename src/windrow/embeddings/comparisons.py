"""How alike given words are: cosines, distances, ranks. The names are gensim's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.table import KeyedTable, Missing
from windrow.embeddings.terms import Key, Term, unit_vector


class Comparisons(KeyedTable):
    """Comparisons of given words with each other."""

    def similarity(self, w1: Key, w2: Key) -> float:
        """The cosine of the vectors of two words.

        Parameters
        ----------
        w1, w2 : str or int
            Words, or row numbers.

        Returns
        -------
        float
            -1..1.

        Raises
        ------
        MissingWordError
            A word is unknown.
        """
        return float(self._vector(w1, unit=True) @ self._vector(w2, unit=True))

    def distance(self, w1: Key, w2: Key) -> float:
        """One minus the cosine of the vectors of two words.

        Parameters
        ----------
        w1, w2 : str or int
            Words, or row numbers.

        Returns
        -------
        float
            0..2.

        Raises
        ------
        MissingWordError
            A word is unknown.
        """
        return 1 - self.similarity(w1, w2)

    def distances(self, word_or_vector: Term, other_words: Sequence[Key] = ()) -> NDArray[np.float32]:
        """One minus the cosine of a word or vector with others.

        Parameters
        ----------
        word_or_vector : str, int or array, shape (dimensions,)
            A word, a row number, or a vector.
        other_words : sequence of words or row numbers, default ()
            The others; none: all words of the vocabulary.

        Returns
        -------
        array of float32, shape (others,)

        Raises
        ------
        MissingWordError
            A word is unknown.
        """
        unit = unit_vector(self._vector(word_or_vector, unit=False))
        if len(other_words) == 0:
            return 1 - self._cosines(unit, None)
        return 1 - self._units(other_words) @ unit

    def n_similarity(self, ws1: Sequence[Key], ws2: Sequence[Key], *, missing: Missing = "skip") -> float:
        """The cosine of the mean vectors of two groups of words.

        Parameters
        ----------
        ws1, ws2 : sequence of words or row numbers
            The groups; each needs a known word.
        missing : {"skip", "error"}, default "skip"
            What to do with unknown words: leave them out, or raise MissingWordError.

        Returns
        -------
        float
            -1..1.

        Raises
        ------
        MissingWordError
            A group has no known word.
        """
        means = []
        for words in (ws1, ws2):
            known = self._words_query(words, missing).words
            means.append(unit_vector(self[known].mean(axis=0, dtype=np.float64)))
        return float(means[0] @ means[1])

    def doesnt_match(self, words: Sequence[Key], *, missing: Missing = "skip") -> str:
        """The word whose vector has the lowest cosine with the mean of all, in which every word has length 1.

        Parameters
        ----------
        words : sequence of words or row numbers
            The words to compare; at least one is known.
        missing : {"skip", "error"}, default "skip"
            What to do with unknown words: leave them out, or raise MissingWordError.

        Returns
        -------
        str

        Raises
        ------
        MissingWordError
            No word is known.

        Examples
        --------
        >>> import numpy as np
        >>> from windrow import WordVectors
        >>> wv = WordVectors(["cat", "dog", "car"], np.array([[3, 1], [3, 2], [-1, 3]], np.float32))
        >>> wv.doesnt_match(["cat", "dog", "car"])
        'car'
        """
        query = self._words_query(words, missing)
        scores = query.vectors @ unit_vector(query.vectors.mean(axis=0))
        names = [key if isinstance(key, str) else self._words[key] for key in query.words]
        return min(zip(scores.tolist(), names, strict=True))[1]

    def closer_than(self, key1: Key, key2: Key) -> list[str]:
        """The words that have a higher cosine with ``key1`` than ``key2`` has.

        Parameters
        ----------
        key1, key2 : str or int
            Words, or row numbers.

        Returns
        -------
        list of str
            In vocabulary order.

        Raises
        ------
        MissingWordError
            A word is unknown.
        """
        distances, own_row = self.distances(key1), self._row(key1)
        closer = np.flatnonzero(distances < distances[self.get_index(key2)])
        return [self._words[row] for row in closer.tolist() if row != own_row]

    def rank(self, key1: Key, key2: Key) -> int:
        """The rank of ``key2`` among the neighbors of ``key1``; the nearest word has rank 1.

        Parameters
        ----------
        key1, key2 : str or int
            Words, or row numbers.

        Returns
        -------
        int

        Raises
        ------
        MissingWordError
            A word is unknown.
        """
        return len(self.closer_than(key1, key2)) + 1
