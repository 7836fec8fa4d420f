"""Queries that ``most_similar`` answers: of one word, of one vector, analogies. The names are gensim's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.queries import Neighbors, VectorQueries
from windrow.embeddings.terms import Key
from windrow.errors import OptionError, check_whole
from windrow.evaluation.analogy import Method, check_method


class NamedQueries(VectorQueries):
    """Kinds of neighbors that have names of their own."""

    def similar_by_key(self, key: Key, topn: int = 10, restrict_vocab: int | None = None) -> Neighbors:
        """The words nearest to a word: ``most_similar([key])``.

        Parameters
        ----------
        key : str or int
            A word, or a row number.
        topn : int, default 10
            How many words to return.
        restrict_vocab : int or None, default None
            Search only the first ``restrict_vocab`` words; None: all.

        Returns
        -------
        list of (str, float)
            Words and cosines, best first.

        Raises
        ------
        MissingWordError
            The word is unknown.
        """
        return self.most_similar([key], topn=topn, restrict_vocab=restrict_vocab)

    def similar_by_word(self, word: Key, topn: int = 10, restrict_vocab: int | None = None) -> Neighbors:
        """As ``similar_by_key``."""
        return self.similar_by_key(word, topn, restrict_vocab)

    def similar_by_vector(
        self, vector: NDArray[np.floating[Any]], topn: int = 10, restrict_vocab: int | None = None
    ) -> Neighbors:
        """The words nearest to a vector: ``most_similar([vector])``.

        Parameters
        ----------
        vector : array, shape (dimensions,)
            Any vector.
        topn : int, default 10
            How many words to return.
        restrict_vocab : int or None, default None
            Search only the first ``restrict_vocab`` words; None: all.

        Returns
        -------
        list of (str, float)
            Words and cosines, best first.

        Raises
        ------
        OptionError
            The vector has another shape or a number that is not finite.
        """
        return self.most_similar([vector], topn=topn, restrict_vocab=restrict_vocab)

    def relative_cosine_similarity(self, wa: Key, wb: Key, topn: int = 10) -> float:
        """The cosine of two words, as a share of the cosines of ``wa`` with its nearest words.

        Among the ``topn`` nearest words the mean is 1 / topn; synonyms are above it (Leeuwenberg et al. 2016, eq. 1).

        Parameters
        ----------
        wa, wb : str or int
            Words, or row numbers.
        topn : int, at least 1, default 10
            How many words nearest to ``wa`` count.

        Returns
        -------
        float

        Raises
        ------
        MissingWordError
            A word is unknown.
        OptionError
            ``topn`` is out of range, or ``wa`` has no neighbors whose cosines have a sum.

        Examples
        --------
        >>> import numpy as np
        >>> from windrow import WordVectors
        >>> wv = WordVectors(["cat", "kitten", "dog"], np.array([[1, 0], [4, 3], [3, 4]], np.float32))
        >>> round(wv.relative_cosine_similarity("cat", "kitten", topn=2), 2)  # 0.8 / (0.8 + 0.6)
        0.57
        """
        total = sum(score for _, score in self.similar_by_key(wa, check_whole("topn", topn, 1)))
        if not total:
            raise OptionError(f"the cosines of {wa!r} with its nearest words have no sum; take another word")
        return self.similarity(wa, wb) / total

    def analogy(self, a: Key, b: Key, c: Key, topn: int = 10, method: Method = "3cosadd") -> Neighbors:
        """Answers to "``a`` is to ``b`` as ``c`` is to ?".

        Parameters
        ----------
        a, b, c : str or int
            Words, or row numbers.
        topn : int, default 10
            How many words to return.
        method : {"3cosadd", "3cosmul"}, default "3cosadd"
            ``most_similar`` or ``most_similar_cosmul``, with b and c positive and a negative.

        Returns
        -------
        list of (str, float)
            Words and scores, best first.

        Raises
        ------
        MissingWordError
            A word is unknown.
        OptionError
            ``method`` is none of these.

        Examples
        --------
        >>> import numpy as np
        >>> from windrow import WordVectors
        >>> vectors = np.array([[1, 0], [1, 1], [3, 0], [3, 2]], np.float32)
        >>> WordVectors(["Athens", "Greece", "Oslo", "Norway"], vectors).analogy("Athens", "Greece", "Oslo")[0][0]
        'Norway'
        """
        check_method(method)
        search = self.most_similar if method == "3cosadd" else self.most_similar_cosmul
        return search(positive=[b, c], negative=[a], topn=topn)
