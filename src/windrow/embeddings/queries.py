"""Queries over a table of vectors: neighbours, analogies, similarities. The names are gensim's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.nearest import best_rows, nearest
from windrow.embeddings.table import Missing, WordTable
from windrow.embeddings.terms import Key, Term, Terms, nonzero, unit_vector, weighted, weighted_mean
from windrow.errors import OptionError, check_whole
from windrow.evaluation.analogy import Method, check_method
from windrow.evaluation.similarity import check_restriction, row_norms

Neighbours = list[tuple[str, float]]
Scores = NDArray[np.float32]

# Queries that are answered by one pass over the table, and answers that are held at a time (200 MB).
_BLOCK_QUERIES = 4096
_BLOCK_ANSWERS = 1 << 24


class _Query(NamedTuple):
    """The terms of a query: vectors (words have unit length), weights, and the rows that may not answer."""

    vectors: NDArray[np.float32]  # (terms, dim)
    weights: NDArray[np.float64]  # (terms,)
    rows: list[int]


class VectorQueries(WordTable):
    """gensim's ``KeyedVectors`` queries over a table of words and vectors; ``WordVectors`` adds files and evaluation.

    No query copies the table: scores are divided by the cached norms instead.
    """

    # --- neighbours

    @overload
    def most_similar(
        self,
        positive: Terms = ...,
        negative: Terms = ...,
        topn: int = ...,
        restrict_vocab: int | None = ...,
        *,
        missing: Missing = ...,
    ) -> Neighbours: ...

    @overload
    def most_similar(
        self,
        positive: Terms = ...,
        negative: Terms = ...,
        *,
        topn: None,
        restrict_vocab: int | None = ...,
        missing: Missing = ...,
    ) -> Scores: ...

    def most_similar(
        self,
        positive: Terms = None,
        negative: Terms = None,
        topn: int | None = 10,
        restrict_vocab: int | None = None,
        *,
        missing: Missing = "error",
    ) -> Neighbours | Scores:
        """The ``topn`` words of highest cosine with the mean of ``positive`` minus ``negative`` (3CosAdd).

        A term is a word, a vector (which counts with its length), or a pair (term, weight); the given words
        are no answers. Only the first ``restrict_vocab`` words are searched. ``topn=None`` gives the
        cosines of all words. ``missing="skip"`` leaves unknown words out. Raises OptionError when the terms
        cancel out.
        """
        if topn is not None and check_whole("topn", topn) < 1:
            return []
        query = self._query(positive, negative, missing)
        scores = self._cosines(_direction(query), restrict_vocab)
        return scores if topn is None else self._best(scores, topn, query.rows)

    @overload
    def most_similar_cosmul(
        self,
        positive: Terms = ...,
        negative: Terms = ...,
        topn: int = ...,
        restrict_vocab: int | None = ...,
        *,
        missing: Missing = ...,
    ) -> Neighbours: ...

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
    ) -> Neighbours | Scores:
        """As ``most_similar``, but cosines are multiplied and divided (3CosMul; Levy & Goldberg 2014, eq. 4).

        Cosines are shifted to 0..1 first. Terms have no weights, and vectors count by direction only.
        """
        if topn is not None and check_whole("topn", topn) < 1:
            return []
        query = self._query(positive, negative, missing)
        if not set(query.weights.tolist()) <= {1.0, -1.0} or not (query.weights > 0).any():
            raise OptionError("3CosMul takes at least one positive term, and terms without weights")
        numerator: Any = 1.0
        denominator: Any = 1.0
        for vector, weight in zip(query.vectors, query.weights, strict=True):
            shifted = (1 + self._cosines(unit_vector(vector), restrict_vocab)) / 2  # footnote 7 of the paper
            if weight > 0:
                numerator = numerator * shifted
            else:
                denominator = denominator * shifted
        scores: Scores = (numerator / (denominator + 1e-6)).astype(np.float32)
        return scores if topn is None else self._best(scores, topn, query.rows)

    def similar_by_word(self, word: Key, topn: int = 10, restrict_vocab: int | None = None) -> Neighbours:
        """The words nearest to a word."""
        return self.most_similar([word], topn=topn, restrict_vocab=restrict_vocab)

    def similar_by_vector(
        self, vector: NDArray[np.floating[Any]], topn: int = 10, restrict_vocab: int | None = None
    ) -> Neighbours:
        """The words nearest to a vector, (dimensions,)."""
        return self.most_similar([vector], topn=topn, restrict_vocab=restrict_vocab)

    def most_similar_batch(
        self,
        queries: Sequence[Key] | NDArray[np.floating[Any]],
        topn: int = 10,
        restrict_vocab: int | None = None,
    ) -> list[Neighbours]:
        """The nearest words of many words, or of many vectors (queries, dimensions), a list for each.

        The same answers as ``most_similar`` one by one, from matrix products over blocks of queries.
        """
        topn, searched = check_whole("topn", topn), check_restriction(restrict_vocab, len(self))
        given = self._finite(np.atleast_2d(queries)) if isinstance(queries, np.ndarray) else None
        own_rows = [self.get_index(key) for key in queries] if given is None else [-1] * len(given)
        if topn < 1:
            return [[] for _ in own_rows]
        count = min(topn + 1, searched)  # a word is nearest to itself, and no answer
        block = min(_BLOCK_QUERIES, max(1, _BLOCK_ANSWERS // count))
        answers: list[Neighbours] = []
        for start in range(0, len(own_rows), block):
            rows = own_rows[start : start + block]
            asked = self.vectors[rows] if given is None else given[start : start + block]
            if not np.isfinite(asked).all():
                raise OptionError("a query vector holds a number that is not finite")
            units = asked / nonzero(row_norms(asked))[:, None]
            found = nearest(units, self.vectors[:searched], self._divisors[:searched], count)
            answers += [self._named(*ranked, topn, [row]) for ranked, row in zip(found, rows, strict=True)]
        return answers

    def analogy(self, a: Key, b: Key, c: Key, topn: int = 10, method: Method = "3cosadd") -> Neighbours:
        """Answers to "``a`` is to ``b`` as ``c`` is to ?", best first; by ``3cosadd`` or ``3cosmul``."""
        check_method(method)
        search = self.most_similar if method == "3cosadd" else self.most_similar_cosmul
        return search(positive=[b, c], negative=[a], topn=topn)

    # --- comparisons

    def similarity(self, w1: Key, w2: Key) -> float:
        """The cosine of two words, -1..1."""
        return float(self._vector(w1, unit=True) @ self._vector(w2, unit=True))

    def distance(self, w1: Key, w2: Key) -> float:
        """One minus the cosine of two words."""
        return 1 - self.similarity(w1, w2)

    def distances(self, word_or_vector: Term, other_words: Sequence[Key] = ()) -> NDArray[np.float32]:
        """One minus the cosine of a word or vector with ``other_words``; with all words if there are none."""
        unit = unit_vector(self._vector(word_or_vector, unit=False))
        if len(other_words) == 0:
            return 1 - self._cosines(unit, None)
        rows = np.array([self.get_index(word) for word in other_words], np.intp)
        return 1 - (self.vectors[rows] @ unit) / self._divisors[rows]

    def n_similarity(self, ws1: Sequence[Key], ws2: Sequence[Key], *, missing: Missing = "skip") -> float:
        """The cosine of the mean vectors of two groups of words; each needs a known word."""
        means = []
        for words in (ws1, ws2):
            rows = np.array(self._words_query(words, missing).rows, np.intp)
            means.append(unit_vector(self.vectors[rows].mean(axis=0, dtype=np.float64)))
        return float(means[0] @ means[1])

    def doesnt_match(self, words: Sequence[Key], *, missing: Missing = "skip") -> str:
        """The word farthest, by cosine, from the mean of the unit vectors of all."""
        query = self._words_query(words, missing)
        scores = query.vectors @ unit_vector(query.vectors.mean(axis=0))
        return min(zip(scores.tolist(), map(self.index_to_key.__getitem__, query.rows), strict=True))[1]

    def closer_than(self, key1: Key, key2: Key) -> list[str]:
        """The words that are closer to ``key1`` than ``key2`` is."""
        distances, own_row = self.distances(key1), self.get_index(key1)
        closer = np.flatnonzero(distances < distances[self.get_index(key2)])
        return [self.index_to_key[row] for row in closer.tolist() if row != own_row]

    def rank(self, key1: Key, key2: Key) -> int:
        """The place of ``key2`` among the neighbours of ``key1``, from 1."""
        return len(self.closer_than(key1, key2)) + 1

    # --- how queries are answered

    def _query(self, positive: Terms, negative: Terms, missing: Missing) -> _Query:
        terms = [*weighted(positive, 1.0), *weighted(negative, -1.0)]
        if not terms:
            raise OptionError("nothing to compare with; give at least one word or vector")
        # When every word is unknown, skipping them would leave no question: the first is the error then.
        kept = self._known(terms, missing) or self._known(terms, "error")
        return _Query(
            np.stack([self._vector(term, unit=True) for term, _ in kept]),
            np.array([weight for _, weight in kept]),
            [self.get_index(term) for term, _ in kept if not isinstance(term, np.ndarray)],
        )

    def _words_query(self, words: Sequence[Key], missing: Missing) -> _Query:
        query = self._query(words, None, missing)
        if len(query.rows) != len(query.vectors):
            raise OptionError("this compares words; a vector was given for one")
        return query

    def _cosines(self, unit: NDArray[np.float32], restrict_vocab: int | None) -> Scores:
        """Cosines of the first words with a vector of length one, (words,)."""
        searched = check_restriction(restrict_vocab, len(self))
        scores: Scores = self.vectors[:searched] @ unit
        scores /= self._divisors[:searched]
        return scores

    def _best(self, scores: Scores, topn: int, excluded: Sequence[int]) -> Neighbours:
        """The ``topn`` words with the highest scores, ties in vocabulary order."""
        rows = best_rows(scores, min(topn + len(excluded), len(scores)))
        return self._named(rows, scores[rows], topn, excluded)

    def _named(self, rows: NDArray[np.int64], scores: Scores, topn: int, excluded: Sequence[int]) -> Neighbours:
        ranked = zip(rows.tolist(), scores.tolist(), strict=True)
        return [(self.index_to_key[row], score) for row, score in ranked if row not in excluded][:topn]


def _direction(query: _Query) -> NDArray[np.float32]:
    """The mean of the terms, of length one (zero if all are zero vectors)."""
    mean = weighted_mean(query.vectors, query.weights)
    # Weights such as 0.1 + 0.2 - 0.3 leave a rounding error, whose direction means nothing.
    if np.abs(mean).max() <= 1e-12 * np.abs(query.vectors).max() > 0:
        raise OptionError("the terms cancel out, so that nothing is left to compare with; change one or its weight")
    return unit_vector(mean)
