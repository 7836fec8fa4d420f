"""Queries over a table of vectors: neighbours, analogies, similarities. The names are gensim's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple, cast, overload

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.terms import (
    Key,
    Term,
    Terms,
    finite_weight,
    nonzero,
    numbers,
    texts,
    unit_vector,
    weighted,
    weighted_mean,
)
from windrow.errors import MissingWordError, OptionError, check_whole
from windrow.evaluation.analogy import Method, check_method
from windrow.evaluation.similarity import check_restriction, row_norms

Missing = Literal["error", "skip"]
Neighbours = list[tuple[str, float]]
Scores = NDArray[np.float32]

_BLOCK_SCORES = 1 << 24  # scores that a batch of queries holds at a time: 64 MB


class _Query(NamedTuple):
    """The terms of a query: vectors (words have unit length), weights, and the rows that may not answer."""

    vectors: NDArray[np.float32]  # (terms, dim)
    weights: NDArray[np.float64]  # (terms,)
    rows: list[int]


class VectorQueries:
    """Words, their vectors, and gensim's ``KeyedVectors`` queries; ``WordVectors`` adds files and evaluation.

    ``words``: distinct, in the order of the rows (usually by falling count); ``vectors``: (words,
    dimensions), kept as they are when float32, so a memory map stays one; ``counts``: (words,) or None when
    unknown. No query copies the table: scores are divided by the cached norms instead. A zero vector has
    cosine 0 with everything. A key is a word or a row number; an unknown one raises MissingWordError (a
    KeyError), which suggests spellings.

    Raises OptionError when words repeat or are no text, or shapes disagree; numbers that are not finite are
    found by the query that meets them, since a look at all would read a whole memory map.
    """

    def __init__(
        self,
        words: Sequence[str],
        vectors: NDArray[np.float32],
        counts: NDArray[np.int64] | None = None,
    ) -> None:
        self.index_to_key = texts(words)
        self.key_to_index = {word: row for row, word in enumerate(self.index_to_key)}
        self.vectors = numbers("vectors", vectors, np.float32)
        self.counts = None if counts is None else numbers("counts", counts, np.int64)
        self._check_shapes()

    def _check_shapes(self) -> None:
        if self.vectors.ndim != 2 or 0 in self.vectors.shape:
            raise OptionError(f"vectors must be (words, dimensions), neither 0; got {self.vectors.shape}")
        if len(self.index_to_key) != len(self.vectors):
            raise OptionError(f"{len(self.index_to_key)} words, {len(self.vectors)} vectors; give one a word")
        if self.counts is not None and self.counts.shape != (len(self.vectors),):
            raise OptionError(f"counts must have shape ({len(self.vectors)},), got {self.counts.shape}")
        if len(self.key_to_index) != len(self.index_to_key):
            # The last row of a repeated word has overwritten the first.
            rows = enumerate(self.index_to_key)
            repeated = next(word for row, word in rows if self.key_to_index[word] != row)
            raise OptionError(f"the word {repeated!r} occurs twice; words must be distinct")

    @property
    def vector_size(self) -> int:
        """Number of dimensions."""
        return int(self.vectors.shape[1])

    @cached_property
    def norms(self) -> NDArray[np.float32]:
        """Euclidean lengths of the vectors, (words,)."""
        return row_norms(self.vectors)

    @cached_property
    def _divisors(self) -> NDArray[np.float32]:
        return nonzero(self.norms)

    def __len__(self) -> int:
        return len(self.index_to_key)

    def __iter__(self) -> Iterator[str]:
        return iter(self.index_to_key)

    def __contains__(self, key: object) -> bool:
        return self._row(key) is not None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} words, {self.vector_size} dimensions)"

    def __getitem__(self, key: Key | Iterable[Key]) -> NDArray[np.float32]:
        """The vector of a word, (dimensions,), read-only; or of several, (keys, dimensions), a copy."""
        if isinstance(key, str | bytes) or not isinstance(key, Iterable):
            return self.get_vector(cast(Key, key))
        return self.vectors[np.array([self.get_index(one) for one in key], np.intp)]

    def _row(self, key: object) -> int | None:
        if isinstance(key, str):
            return self.key_to_index.get(key)
        if isinstance(key, int | np.integer) and 0 <= key < len(self):
            return int(key)
        return None

    def get_index(self, key: Key, default: int | None = None) -> int:
        """The row of a word; ``default`` (or MissingWordError) when it is unknown."""
        row = self._row(key)
        if row is not None:
            return row
        if default is not None:
            return default
        if not isinstance(key, str | int | np.integer):
            raise OptionError(f"a key must be a word or a row number, got {type(key).__name__}")
        raise MissingWordError(str(key), self.index_to_key)

    def get_vector(self, key: Key, norm: bool = False) -> NDArray[np.float32]:
        """The vector of a word, (dimensions,), read-only; scaled to unit length with ``norm``."""
        row = self.get_index(key)
        vector: NDArray[np.float32] = self.vectors[row]
        if norm:
            vector = vector / self._divisors[row]
        vector.setflags(write=False)  # a change would leave the cached norms wrong
        return vector

    def get_mean_vector(
        self,
        keys: Sequence[Term],
        weights: Sequence[float] | NDArray[np.floating[Any]] | None = None,
        pre_normalize: bool = True,
        post_normalize: bool = False,
        ignore_missing: bool = True,
    ) -> NDArray[np.float32]:
        """The weighted mean of words and vectors, (dimensions,); divided by the sum of absolute weights.

        Words are scaled to unit length first with ``pre_normalize``, given vectors never; the mean is with
        ``post_normalize``. Unknown words are left out unless ``ignore_missing`` is off; if none is left,
        zeros.
        """
        given = [1.0] * len(keys) if weights is None else list(map(finite_weight, weights))
        if len(keys) == 0 or len(given) != len(keys):
            raise OptionError(f"a mean needs one weight a key and at least one key; got {len(keys)} keys")
        missing: Missing = "skip" if ignore_missing else "error"
        kept = self._known(zip(keys, given, strict=True), missing)
        if not kept:
            return np.zeros(self.vector_size, np.float32)
        vectors = np.stack([self._vector(key, unit=pre_normalize) for key, _ in kept])
        mean = weighted_mean(vectors, np.array([weight for _, weight in kept]))
        return unit_vector(mean) if post_normalize else mean

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
        block = max(1, _BLOCK_SCORES // searched)
        answers: list[Neighbours] = []
        for start in range(0, len(own_rows), block):
            rows = own_rows[start : start + block]
            asked = self.vectors[rows] if given is None else given[start : start + block]
            if not np.isfinite(asked).all():
                raise OptionError("a query vector holds a number that is not finite")
            units = asked / nonzero(row_norms(asked))[:, None]
            scores = units @ self.vectors[:searched].T  # (block, searched)
            scores /= self._divisors[:searched]
            answers += [self._best(one, topn, [row]) for one, row in zip(scores, rows, strict=True)]
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

    def _known(self, terms: Iterable[tuple[Term, float]], missing: Missing) -> list[tuple[Term, float]]:
        """The terms without the unknown words, or MissingWordError."""
        if missing not in ("error", "skip"):
            raise OptionError(f"missing = {missing!r}; choose 'error' or 'skip'")
        kept = []
        for term, weight in terms:
            if isinstance(term, np.ndarray) or term in self:
                kept.append((term, weight))
            elif missing == "error" or not isinstance(term, str | int | np.integer):
                self.get_index(term)  # raises, with a suggestion
        return kept

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

    def _vector(self, term: Term, unit: bool) -> NDArray[np.float32]:
        if not isinstance(term, np.ndarray):
            if not np.isfinite(self.get_vector(term)).all():
                raise OptionError(f"the vector of {term!r} holds a number that is not finite; train it again")
            return self.get_vector(term, norm=unit)
        if term.ndim != 1:
            raise OptionError(f"a query vector has one axis, got shape {term.shape}")
        return self._finite(term)

    def _finite(self, vectors: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        if vectors.shape[-1] != self.vector_size:
            raise OptionError(
                f"a query vector needs {self.vector_size} numbers, as the table has, got {vectors.shape[-1]}"
            )
        with np.errstate(over="ignore"):  # an infinity is found next
            narrow = numbers("a query vector", vectors, np.float32)
        if not np.isfinite(narrow).all():
            raise OptionError("a query vector holds a number that is not finite")
        return narrow

    def _cosines(self, unit: NDArray[np.float32], restrict_vocab: int | None) -> Scores:
        """Cosines of the first words with a vector of length one, (words,)."""
        searched = check_restriction(restrict_vocab, len(self))
        scores: Scores = self.vectors[:searched] @ unit
        scores /= self._divisors[:searched]
        return scores

    def _best(self, scores: Scores, topn: int, excluded: Iterable[int]) -> Neighbours:
        """The ``topn`` words with the highest scores, ties in vocabulary order; ``scores`` is changed."""
        if topn < 1:
            return []
        for row in excluded:
            if 0 <= row < len(scores):
                scores[row] = -np.inf
        count = min(topn, len(scores))
        rows = np.sort(np.argpartition(scores, -count)[-count:])
        ranked = rows[np.argsort(-scores[rows], kind="stable")].tolist()
        return [(self.index_to_key[row], float(scores[row])) for row in ranked if scores[row] > -np.inf]


def _direction(query: _Query) -> NDArray[np.float32]:
    """The mean of the terms, of length one (zero if all are zero vectors)."""
    mean = weighted_mean(query.vectors, query.weights)
    # Weights such as 0.1 + 0.2 - 0.3 leave a rounding error, whose direction means nothing.
    if np.abs(mean).max() <= 1e-12 * np.abs(query.vectors).max() > 0:
        raise OptionError("the terms cancel out, so that nothing is left to compare with; change one or its weight")
    return unit_vector(mean)
