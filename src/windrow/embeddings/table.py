"""Words, their vectors and how one is looked up: what every query starts from. The names are gensim's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.terms import Key, Term, finite_weight, nonzero, numbers, texts, unit_vector, weighted_mean
from windrow.errors import MissingWordError, OptionError
from windrow.evaluation.similarity import row_norms

Missing = Literal["error", "skip"]


class WordTable:
    """Words and their vectors.

    ``words``: distinct, in the order of the rows (usually by falling count); ``vectors``: (words,
    dimensions), kept as they are when float32, so a memory map stays one; ``counts``: (words,) or None when
    unknown. A zero vector has cosine 0 with everything. A key is a word or a row number; an unknown one raises
    MissingWordError (a KeyError), which suggests spellings.

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

    # --- the terms of a query

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
