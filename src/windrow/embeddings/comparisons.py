"""How alike given words are: cosines, distances, ranks. The names are gensim's."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.table import KeyedTable, Missing
from windrow.embeddings.terms import Key, Term, nonzero, numbers, unit_vector
from windrow.errors import OptionError
from windrow.evaluation.similarity import row_norms


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
            return 1 - self._cosines(unit)
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
        return self.rank_by_centrality(words, missing=missing)[-1][1]

    def rank_by_centrality(
        self, words: Sequence[Key], use_norm: bool = True, *, missing: Missing = "skip"
    ) -> list[tuple[float, str]]:
        """Words by how near each is to the mean of all.

        Parameters
        ----------
        words : sequence of words or row numbers
            The words to compare; at least one is known.
        use_norm : bool, default True
            Scale each vector to length 1 first. False: the mean is that of the vectors as they are, and so is the
            product with it.
        missing : {"skip", "error"}, default "skip"
            What to do with unknown words: leave them out, or raise MissingWordError.

        Returns
        -------
        list of (float, str)
            The product of a vector and the mean, which is scaled to length 1, and the word; the highest first.

        Raises
        ------
        MissingWordError
            No word is known.

        Examples
        --------
        >>> import numpy as np
        >>> from windrow import WordVectors
        >>> wv = WordVectors(["cat", "dog", "car"], np.array([[3, 1], [3, 2], [-1, 3]], np.float32))
        >>> [word for _, word in wv.rank_by_centrality(["cat", "dog", "car"])]
        ['dog', 'cat', 'car']
        """
        query = self._words_query(words, missing)
        vectors = query.vectors if use_norm else self[query.words]
        scores = vectors @ unit_vector(vectors.mean(axis=0, dtype=np.float64))
        names = [key if isinstance(key, str) else self._words[key] for key in query.words]
        return sorted(zip(scores.tolist(), names, strict=True), reverse=True)

    def most_similar_to_given(self, key1: Key, keys_list: Sequence[Key]) -> Key:
        """Which of some words has the highest cosine with a word; of equal ones the first.

        Parameters
        ----------
        key1 : str or int
            A word, or a row number.
        keys_list : sequence of words or row numbers
            At least one.

        Returns
        -------
        str or int
            One of ``keys_list``, as it stands there.

        Raises
        ------
        MissingWordError
            A word is unknown.
        OptionError
            ``keys_list`` is empty.
        """
        if len(keys_list) == 0:
            raise OptionError("keys_list is empty; give the words among which to choose")
        return keys_list[int(np.argmin(self.distances(key1, keys_list)))]

    @staticmethod
    def cosine_similarities(
        vector_1: NDArray[np.floating[Any]], vectors_all: NDArray[np.floating[Any]]
    ) -> NDArray[np.float32]:
        """The cosines of a vector with others, which need not be those of words.

        Parameters
        ----------
        vector_1 : array, shape (dimensions,)
            A vector.
        vectors_all : array, shape (vectors, dimensions)
            The others. A zero vector has cosine 0 with everything.

        Returns
        -------
        array of float32, shape (vectors,)

        Raises
        ------
        OptionError
            The shapes do not fit together, or a number is not finite.

        Examples
        --------
        >>> import numpy as np
        >>> from windrow import WordVectors
        >>> WordVectors.cosine_similarities(np.array([1, 0]), np.array([[2, 0], [0, 5]])).tolist()
        [1.0, 0.0]
        """
        one, others = numbers("vector_1", vector_1, np.float32), numbers("vectors_all", vectors_all, np.float32)
        if one.ndim != 1 or others.shape[1:] != one.shape:
            shapes = f"{one.shape} and {others.shape}"
            raise OptionError(
                f"vector_1 and vectors_all need shapes (dimensions,) and (vectors, dimensions); got {shapes}"
            )
        if not (np.isfinite(one).all() and np.isfinite(others).all()):
            raise OptionError("vector_1 or vectors_all holds a number that is not finite")
        return np.asarray(others @ unit_vector(one) / nonzero(row_norms(others)), np.float32)

    def wmdistance(self, document1: Sequence[Key], document2: Sequence[Key], norm: bool = True) -> float:
        """Word Mover's Distance: the least that the words of one document must move to become those of another.

        Each word has as much mass as its share of its document, and mass moves along the Euclidean distance of vectors
        (Kusner et al. 2015, eq. 1). Unknown words are left out.

        Parameters
        ----------
        document1, document2 : sequence of words or row numbers
            The words of the documents, as often as they occur.
        norm : bool, default True
            Scale each vector to length 1 first.

        Returns
        -------
        float
            0 for equal documents; infinity if a document has no known word.

        Raises
        ------
        OptionError
            A document is a string: give its words.

        Examples
        --------
        >>> import numpy as np
        >>> from windrow import WordVectors
        >>> wv = WordVectors(["cat", "dog", "car"], np.array([[3, 4], [4, 3], [-4, 3]], np.float32))
        >>> round(wv.wmdistance(["cat", "dog"], ["dog", "car"]), 4)  # one half of the words goes from (3, 4) / 5
        0.7071
        """
        from windrow.embeddings.transport import transport_cost  # SciPy's solver loads slowly

        words, others = self._word_counts(document1), self._word_counts(document2)
        if not words or not others:
            return math.inf
        # In whole numbers: each word's share of its document, times the lengths of both.
        lengths = words.total(), others.total()
        masses = Counter({row: count * lengths[1] for row, count in words.items()})
        goals = Counter({row: count * lengths[0] for row, count in others.items()})
        # The distance is a metric, so some cheapest plan leaves in place what both documents have of a word.
        supply, demand = masses - goals, goals - masses
        if not supply:
            return 0.0
        shares = [np.array(list(side.values())) / (lengths[0] * lengths[1]) for side in (supply, demand)]
        points = [np.stack([self._vector(key, unit=norm) for key in side]) for side in (supply, demand)]
        return transport_cost(*shares, *points)

    def _word_counts(self, document: Sequence[Key]) -> Counter[Key]:
        """The known words of a document, those that have rows by these, and how often each occurs."""
        if isinstance(document, str):
            raise OptionError("a document is a list of words, not a string; give text.split()")
        rows = ((word, self._row(word)) for word in document if word in self)
        return Counter(word if row is None else row for word, row in rows)

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
