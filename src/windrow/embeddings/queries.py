"""Queries over a table of vectors: neighbors, analogies, similarities. The names are gensim's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, overload

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.comparisons import Comparisons
from windrow.embeddings.nearest import best_rows, nearest
from windrow.embeddings.table import Missing, Query
from windrow.embeddings.terms import Key, Terms, nonzero, unit_vector, weighted_mean
from windrow.errors import OptionError, check_whole
from windrow.evaluation.similarity import check_restriction, row_norms

Neighbors = list[tuple[str, float]]
Scores = NDArray[np.float32]

_BLOCK_QUERIES = 4096  # queries that are answered by one pass over the table
_BLOCK_ANSWERS = 1 << 24  # answers in memory at a time: 200 MB


class Indexer(Protocol):
    """An index of vectors that is asked in place of the table, as gensim's for Annoy are."""

    def most_similar(self, vector: NDArray[np.float32], num_neighbors: int, /) -> Neighbors:
        """Words and their scores."""


class VectorQueries(Comparisons):
    """gensim's ``KeyedVectors`` queries over a table of words and vectors; ``WordVectors`` adds files and evaluation.

    No query copies the table: products are divided by cached norms instead.
    """

    # --- neighbors

    @overload
    def most_similar(
        self,
        positive: Terms = ...,
        negative: Terms = ...,
        topn: int = ...,
        clip_start: int = ...,
        clip_end: int | None = ...,
        restrict_vocab: int | None = ...,
        indexer: Indexer | None = ...,
        *,
        missing: Missing = ...,
    ) -> Neighbors: ...

    @overload
    def most_similar(
        self,
        positive: Terms = ...,
        negative: Terms = ...,
        *,
        topn: None,
        clip_start: int = ...,
        clip_end: int | None = ...,
        restrict_vocab: int | None = ...,
        indexer: Indexer | None = ...,
        missing: Missing = ...,
    ) -> Scores: ...

    def most_similar(
        self,
        positive: Terms = None,
        negative: Terms = None,
        topn: int | None = 10,
        clip_start: int = 0,
        clip_end: int | None = None,
        restrict_vocab: int | None = None,
        indexer: Indexer | None = None,
        *,
        missing: Missing = "error",
    ) -> Neighbors | Scores:
        """The words nearest to a combination of words and vectors (3CosAdd).

        The score is the cosine with sum(positive) - sum(negative), in which words have vectors of length 1. The given
        words are never answers.

        Parameters
        ----------
        positive, negative : word, row number, vector, or a list of these, default None
            The terms to add and to subtract. A term may be a pair (term, weight). A vector counts with its own length.
        topn : int or None, default 10
            How many words to return; None: the scores of all words, as an array.
        clip_start : int, at least 0, default 0
            Search from this row on.
        clip_end : int, at least 1, or None, default None
            Search the rows before this one; None: to the last.
        restrict_vocab : int or None, default None
            Search only the first ``restrict_vocab`` words (the most frequent), whatever ``clip_start`` and
            ``clip_end`` say; None: as they say.
        indexer : object or None, default None
            An index of your own that finds neighbors in less time: ``indexer.most_similar(vector, topn)`` is returned.
        missing : {"error", "skip"}, default "error"
            What to do with unknown words: raise MissingWordError, or leave them out while others remain.

        Returns
        -------
        list of (str, float), or array of float32, shape (words,)
            Words and their scores, best first.

        Raises
        ------
        MissingWordError
            A word is unknown.
        OptionError
            There are no terms, they cancel out, or one is of another kind; or there are no rows to search.

        Examples
        --------
        >>> import numpy as np
        >>> from windrow import WordVectors
        >>> wv = WordVectors(["cat", "kitten", "dog"], np.array([[1, 0], [3, 4], [0, 1]], np.float32))
        >>> [(word, round(score, 2)) for word, score in wv.most_similar("cat")]
        [('kitten', 0.6), ('dog', 0.0)]
        """
        if topn is not None and (topn := check_whole("topn", topn)) < 1:
            return []
        query = self._query(positive, negative, missing)
        direction = _direction(query)
        if indexer is not None and topn is not None:
            return indexer.most_similar(direction, topn)
        rows = self._searched(clip_start, clip_end, restrict_vocab)
        scores = self._cosines(direction, rows)
        return scores if topn is None else self._best(scores, topn, query.rows, rows.start)

    @overload
    def most_similar_cosmul(
        self,
        positive: Terms = ...,
        negative: Terms = ...,
        topn: int = ...,
        restrict_vocab: int | None = ...,
        *,
        missing: Missing = ...,
    ) -> Neighbors: ...

    @overload
    def most_similar_cosmul(
        self,
        positive: Terms = ...,
        negative: Terms = ...,
        *,
        topn: None,
        restrict_vocab: int | None = ...,
        missing: Missing = ...,
    ) -> Scores: ...

    def most_similar_cosmul(
        self,
        positive: Terms = None,
        negative: Terms = None,
        topn: int | None = 10,
        restrict_vocab: int | None = None,
        *,
        missing: Missing = "error",
    ) -> Neighbors | Scores:
        """As ``most_similar``, with products of cosines in place of sums (3CosMul; Levy & Goldberg 2014, eq. 4).

        The score is product(cosines with positive) / (product(cosines with negative) + 1e-6), cosines shifted to 0..1.

        Parameters
        ----------
        positive, negative : word, row number, vector, or a list of these, default None
            The terms; at least one is positive. They cannot have weights, and vectors count by direction only.
        topn, restrict_vocab, missing
            As in ``most_similar``.

        Returns
        -------
        list of (str, float), or array of float32, shape (words,)
            As ``most_similar``.

        Raises
        ------
        MissingWordError
            A word is unknown.
        OptionError
            There is no positive term, or a term has a weight or is of another kind.
        """
        if topn is not None and (topn := check_whole("topn", topn)) < 1:
            return []
        query = self._query(positive, negative, missing)
        if not set(query.weights.tolist()) <= {1.0, -1.0} or not (query.weights > 0).any():
            raise OptionError("3CosMul takes at least one positive term, and terms without weights")
        rows = self._searched(0, None, restrict_vocab)
        numerator: Any = 1.0
        denominator: Any = 1.0
        for vector, weight in zip(query.vectors, query.weights, strict=True):
            shifted = (1 + self._cosines(unit_vector(vector), rows)) / 2  # footnote 7 of the paper
            if weight > 0:
                numerator = numerator * shifted
            else:
                denominator = denominator * shifted
        scores: Scores = (numerator / (denominator + 1e-6)).astype(np.float32)
        return scores if topn is None else self._best(scores, topn, query.rows)

    def most_similar_batch(
        self,
        queries: Sequence[Key] | NDArray[np.floating[Any]],
        topn: int = 10,
        restrict_vocab: int | None = None,
    ) -> list[Neighbors]:
        """``most_similar`` of many words or vectors at once: the same answers, many times as fast.

        Parameters
        ----------
        queries : sequence of words or row numbers, or array, shape (queries, dimensions)
            What to look for; a word never answers its own query.
        topn : int, default 10
            How many words to return for each.
        restrict_vocab : int or None, default None
            Search only the first ``restrict_vocab`` words; None: all.

        Returns
        -------
        list of lists of (str, float)
            Words and cosines, best first, one list per query.

        Raises
        ------
        MissingWordError
            A word is unknown.
        OptionError
            A vector has another shape or a number that is not finite.

        Examples
        --------
        >>> import numpy as np
        >>> from windrow import WordVectors
        >>> wv = WordVectors(["cat", "kitten", "dog"], np.array([[1, 0], [3, 4], [0, 1]], np.float32))
        >>> [found[0][0] for found in wv.most_similar_batch(["cat", "dog"], topn=1)]
        ['kitten', 'kitten']
        """
        topn, searched = check_whole("topn", topn), check_restriction(restrict_vocab, len(self))
        if isinstance(queries, str | bytes):
            raise OptionError(f"queries = {queries!r} must be a list of words, or an array of vectors")
        if isinstance(queries, np.ndarray) and queries.ndim == 1 and queries.dtype.kind not in "fc":
            queries = queries.tolist()  # words or row numbers
        given = self._finite(np.atleast_2d(queries)) if isinstance(queries, np.ndarray) else None
        if given is None and self.ngrams is not None:
            given, own_rows = self[list(queries)], [self.get_index(key, -1) for key in queries]
        else:
            own_rows = [self.get_index(key) for key in queries] if given is None else [-1] * len(given)
        if topn < 1:
            return [[] for _ in own_rows]
        divisors = self._divisors(slice(searched))
        count = min(topn + 1, searched)  # one more, since a word is nearest to itself
        block = min(_BLOCK_QUERIES, max(1, _BLOCK_ANSWERS // count))
        answers: list[Neighbors] = []
        for start in range(0, len(own_rows), block):
            rows = own_rows[start : start + block]
            asked = self._vectors[rows] if given is None else given[start : start + block]
            if given is None:
                self.check_finite(np.array(rows, np.intp))
            units = asked / nonzero(row_norms(asked))[:, None]
            found = nearest(units, self._vectors[:searched], divisors, count)
            answers += [self._named(*ranked, topn, [row]) for ranked, row in zip(found, rows, strict=True)]
        return answers

    # --- how queries are answered

    def _searched(self, clip_start: int, clip_end: int | None, restrict_vocab: int | None) -> slice:
        """The rows that may answer."""
        if restrict_vocab is not None:
            return slice(0, check_restriction(restrict_vocab, len(self)))
        start = check_whole("clip_start", clip_start, 0)
        end = len(self) if clip_end is None else min(check_whole("clip_end", clip_end, 1), len(self))
        if start >= end:
            raise OptionError(f"clip_start = {start} leaves no rows before row {end}; lower it")
        return slice(start, end)

    def _best(self, scores: Scores, topn: int, excluded: Sequence[int], start: int = 0) -> Neighbors:
        """The ``topn`` words with the highest scores, equal ones in vocabulary order; the scores are from ``start``."""
        rows = best_rows(scores, min(topn + len(excluded), len(scores)))
        return self._named(rows + start, scores[rows], topn, excluded)

    def _named(self, rows: NDArray[np.int64], scores: Scores, topn: int, excluded: Sequence[int]) -> Neighbors:
        ranked = zip(rows.tolist(), scores.tolist(), strict=True)
        return [(self._words[row], score) for row, score in ranked if row not in excluded][:topn]


def _direction(query: Query) -> NDArray[np.float32]:
    """The mean of the terms, scaled to length 1; zero if all are zero vectors."""
    mean = weighted_mean(query.vectors, query.weights)
    # Weights such as 0.1 + 0.2 - 0.3 leave a rounding error, whose direction means nothing.
    if np.abs(mean).max() <= 1e-12 * np.abs(query.vectors).max() > 0:
        raise OptionError("the terms cancel out, so there is nothing to compare with; change a term or its weight")
    return unit_vector(mean)
