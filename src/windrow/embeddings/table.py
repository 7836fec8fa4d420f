"""Words, their vectors, and how a vector is looked up by its key. The names are gensim's."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Self, cast

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.subwords import NgramVectors
from windrow.embeddings.terms import (
    Key,
    Term,
    Terms,
    finite_weight,
    nonzero,
    numbers,
    texts,
    unchanging,
    unit_vector,
    weighted,
    weighted_mean,
)
from windrow.errors import MissingWordError, OptionError
from windrow.evaluation.similarity import row_norms
from windrow.notebook import html_table, sizes_told

Missing = Literal["error", "skip"]
Rows = slice | NDArray[np.integer]

_ALL = slice(None)
_SHOWN_ROWS, _SHOWN_NUMBERS = 10, 5  # in a notebook


class Query(NamedTuple):
    """The terms of a query."""

    vectors: NDArray[np.float32]  # (terms, dimensions); those of words have length 1
    weights: NDArray[np.float64]  # (terms,)
    rows: list[int]  # of the terms that are words, which may not answer; those of sub-words have none
    words: list[Key]  # the terms that are words


class KeyedTable:
    """Words and their vectors; the parameters are those of ``WordVectors``.

    A key is a word or a row number; where all words are whole numbers, as those of items, a number is the word. An
    unknown key raises MissingWordError, which is a KeyError and suggests similar words. Numbers that are not finite
    raise OptionError in the query that meets them, not earlier, because a check of all numbers would read the whole of
    a memory map. What it gives out is read-only: words and vectors are changed by ``add_vectors`` and by assignment to
    a key, which know of the norms that are kept.
    """

    _may_be_empty = False  # words may be added later

    def __init__(
        self,
        words: Sequence[str],
        vectors: NDArray[np.float32],
        counts: NDArray[np.int64] | None = None,
        ngrams: NgramVectors | None = None,
    ) -> None:
        self._words = texts(words)
        self._rows = {word: row for row, word in enumerate(self._words)}
        self._vectors = unchanging(numbers("vectors", vectors, np.float32), vectors)
        self._room: NDArray[np.float32] | None = None  # what ``_vectors`` is the first rows of, once they were changed
        self._is_shared = False  # somebody may see those rows
        self._items: tuple[int, bool] | None = None  # of so many words: whether all are numbers
        self._attributes: dict[str, dict[str, Any]] = {}  # of words, by the attribute's name; counts apart
        self.counts = None if counts is None else unchanging(numbers("counts", counts, np.int64), counts)
        self.ngrams = ngrams
        self.provenance: dict[str, Any] = {}
        self._check_shapes()

    def _check_shapes(self) -> None:
        sizes = self._vectors.shape[1:] if self._may_be_empty else self._vectors.shape
        if self._vectors.ndim != 2 or 0 in sizes:
            raise OptionError(f"vectors must have shape (words, dimensions), neither 0; got {self._vectors.shape}")
        if len(self) != len(self._vectors):
            raise OptionError(f"{len(self)} words, {len(self._vectors)} vectors; give one vector per word")
        if self.counts is not None and self.counts.shape != (len(self),):
            raise OptionError(f"counts must have shape ({len(self)},), got {self.counts.shape}")
        if self.counts is not None and self.counts.min(initial=0) < 0:
            raise OptionError(f"counts must not be negative, got {self.counts.min()}")
        if self.ngrams is not None and self.ngrams.vectors.shape[1] != self.vector_size:
            raise OptionError(
                f"the n-grams have vectors of {self.ngrams.vectors.shape[1]} dimensions, the words of "
                f"{self.vector_size}; give them the same"
            )
        check_distinct(self._words, self._rows)

    @classmethod
    def _made(cls, words: Sequence[str], vectors: NDArray[np.float32], counts: NDArray[np.int64] | None) -> Self:
        """A new table; the place where subclasses whose constructors take something else differ."""
        return cls(words, vectors, counts)

    @property
    def index_to_key(self) -> list[str]:
        """The words by row, read-only."""
        return self._words

    @property
    def key_to_index(self) -> Mapping[str, int]:
        """The row of each word, read-only."""
        return MappingProxyType(self._rows)

    @property
    def vectors(self) -> NDArray[np.float32]:
        """The vectors by row, (words, dimensions), read-only; what was given out stays as it is after a change."""
        self._is_shared = True
        return self._vectors

    @property
    def vector_size(self) -> int:
        """The number of dimensions per vector."""
        return int(self._vectors.shape[1])

    @cached_property
    def norms(self) -> NDArray[np.float32]:
        """Euclidean lengths of the vectors, shape (words,), read-only."""
        return unchanging(row_norms(self._vectors), None)

    @cached_property
    def _nonzero_norms(self) -> NDArray[np.float32]:
        return nonzero(self.norms)

    def check_finite(self, rows: Rows = _ALL) -> None:
        """Raise OptionError if a vector holds NaN or an infinity.

        Parameters
        ----------
        rows : slice or array of int, default all
            The rows to look at.

        Raises
        ------
        OptionError
            It names the word of the first such vector.
        """
        is_finite = np.isfinite(self.norms[rows])
        if not is_finite.all():
            place = np.flatnonzero(~is_finite)[0]
            word = self._words[np.arange(len(self))[rows][place]]
            raise OptionError(
                f"the vector of {word!r} holds a number that is not finite; train it again, or leave the word out, "
                "with subset"
            )

    def _divisors(self, rows: Rows) -> NDArray[np.float32]:
        """What products with these rows are divided by to become cosines; OptionError for a row that is not finite."""
        self.check_finite(rows)
        return self._nonzero_norms[rows]

    def __len__(self) -> int:
        return len(self._words)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._words))  # words may be added meanwhile

    def __contains__(self, key: object) -> bool:
        return self._row(key) is not None or self._composed(key) is not None

    def has_index_for(self, key: Key) -> bool:
        """Whether there is a row for a key.

        Parameters
        ----------
        key : str or int
            A word, or a row number.

        Returns
        -------
        bool
        """
        return self._row(key) is not None

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles: what is changed in place is copied, but for the vectors, of which see ``_room``."""
        self._is_shared = True
        attributes = {name: dict(values) for name, values in self._attributes.items()}
        own = {"_words": texts(self._words), "_rows": dict(self._rows), "_attributes": attributes}
        return {**vars(self), **own, "_room": None}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({sizes_told(self.sizes())})"

    def sizes(self) -> dict[str, object]:
        """``words`` and ``dimensions``."""
        return {"words": len(self), "dimensions": self.vector_size}

    def _repr_html_(self) -> str:
        """The first words, and the first numbers of their vectors, as a table for notebooks."""
        first = self.vectors[:_SHOWN_ROWS, :_SHOWN_NUMBERS].tolist()
        rows = [[word, *numbers] for word, numbers in zip(self.index_to_key[:_SHOWN_ROWS], first, strict=True)]
        head = ["word", *map(str, range(min(self.vector_size, _SHOWN_NUMBERS)))]
        return html_table(repr(self), rows, head, len(self))

    def __getitem__(self, key: Key | Iterable[Key]) -> NDArray[np.float32]:
        """The vector of a key, (dimensions,), read-only; or of several keys, (keys, dimensions), a copy."""
        if isinstance(key, str | bytes) or not isinstance(key, Iterable):
            return self.get_vector(cast(Key, key))
        keys = list(key)
        if self.ngrams is not None:
            return np.array([self.get_vector(one) for one in keys], np.float32).reshape(-1, self.vector_size)
        return self._vectors[np.array([self.get_index(one) for one in keys], np.intp)]

    def _row(self, key: object) -> int | None:
        if isinstance(key, str):
            return self._rows.get(key)
        if not isinstance(key, int | np.integer) or isinstance(key, bool):
            return None
        if self._holds_items():
            return self._rows.get(str(int(key)))
        return int(key) if 0 <= key < len(self) else None

    def _holds_items(self) -> bool:
        """Whether all words are whole numbers, as of corpora of items: then a number is an item, and not a row."""
        if not (self._words and self._words[0].isdecimal()):
            return False
        if self._items is None or self._items[0] != len(self):
            self._items = len(self), all(word.isdecimal() for word in self._words)
        return self._items[1]

    def _composed(self, key: object) -> NDArray[np.float32] | None:
        """The vector of a word that has no row but n-grams that have vectors."""
        if self.ngrams is None or not isinstance(key, str) or key in self._rows:
            return None
        return self.ngrams.compose(key)

    def get_index(self, key: Key, default: int | None = None) -> int:
        """The row of a word.

        Parameters
        ----------
        key : str or int
            A word, or a row number.
        default : int, default None
            What to return for an unknown key; None: raise MissingWordError.

        Returns
        -------
        int

        Raises
        ------
        MissingWordError
            The key is unknown and there is no ``default``.
        OptionError
            The key is neither a word nor a number.
        """
        row = self._row(key)
        if row is not None:
            return row
        if default is not None:
            return default
        if not isinstance(key, str | int | np.integer) or isinstance(key, bool):
            raise OptionError(f"a key must be a word or a row number, got {type(key).__name__}")
        raise MissingWordError(str(key), self._words)

    def get_vector(self, key: Key, norm: bool = False) -> NDArray[np.float32]:
        """The vector of a word.

        Parameters
        ----------
        key : str or int
            A word, or a row number.
        norm : bool, default False
            Scale the vector to length 1.

        Returns
        -------
        array of float32, shape (dimensions,)
            Read-only.

        Raises
        ------
        MissingWordError
            The key is unknown.
        OptionError
            With ``norm``: a number of the vector is not finite.
        """
        vector = self._composed(key)
        if vector is not None and norm:
            vector = unit_vector(vector)
        if vector is None:
            row = self.get_index(key)
            vector = self._vectors[row].copy()  # a view would change with the table
            if norm:
                vector /= self._divisors(slice(row, row + 1))
        vector.setflags(write=False)
        return vector

    def get_normed_vectors(self) -> NDArray[np.float32]:
        """All vectors scaled to length 1, except zero vectors, as a new array.

        Returns
        -------
        array of float32, shape (words, dimensions)

        Raises
        ------
        OptionError
            A number is not finite.
        """
        return np.asarray(self._vectors / self._divisors(_ALL)[:, None], np.float32)

    def get_mean_vector(
        self,
        keys: Sequence[Term],
        weights: Sequence[float] | NDArray[np.floating[Any]] | None = None,
        pre_normalize: bool = True,
        post_normalize: bool = False,
        ignore_missing: bool = True,
    ) -> NDArray[np.float32]:
        """The weighted mean of the vectors of words: sum(weight * vector) / sum(abs(weight)).

        Parameters
        ----------
        keys : sequence of words, row numbers or vectors
            At least one.
        weights : sequence of float, default None
            One weight per key; None: all 1.
        pre_normalize : bool, default True
            Scale the vectors of words to length 1 first; vectors that are given are never scaled.
        post_normalize : bool, default False
            Scale the mean to length 1.
        ignore_missing : bool, default True
            Leave unknown words out; if False, they raise MissingWordError.

        Returns
        -------
        array of float32, shape (dimensions,)
            Zeros if all words are unknown.

        Raises
        ------
        OptionError
            There are no keys, or as many weights as keys are not given.
        MissingWordError
            A word is unknown and ``ignore_missing`` is False.

        Examples
        --------
        >>> import numpy as np
        >>> from windrow import WordVectors
        >>> wv = WordVectors(["cat", "dog"], np.array([[2, 0], [0, 4]], np.float32))
        >>> wv.get_mean_vector(["cat", "dog"]).tolist()
        [0.5, 0.5]
        """
        given = [1.0] * len(keys) if weights is None else list(map(finite_weight, weights))
        if len(keys) == 0 or len(given) != len(keys):
            raise OptionError(
                f"a mean needs at least one key, and one weight per key; got {len(keys)} keys, {len(given)} weights"
            )
        missing: Missing = "skip" if ignore_missing else "error"
        kept = self._known(zip(keys, given, strict=True), missing)
        if not kept:
            return np.zeros(self.vector_size, np.float32)
        vectors = np.stack([self._vector(key, unit=pre_normalize) for key, _ in kept])
        mean = weighted_mean(vectors, np.array([weight for _, weight in kept]))
        return unit_vector(mean) if post_normalize else mean

    # --- queries

    def _query(self, positive: Terms, negative: Terms, missing: Missing) -> Query:
        terms = [*weighted(positive, 1.0), *weighted(negative, -1.0)]
        if not terms:
            raise OptionError("there is nothing to compare with; give at least one word or vector")
        # If all words are unknown, skipping them would leave nothing: then the first one is the error.
        kept = self._known(terms, missing) or self._known(terms, "error")
        return Query(
            np.stack([self._vector(term, unit=True) for term, _ in kept]),
            np.array([weight for _, weight in kept]),
            [row for term, _ in kept if (row := self._row(term)) is not None],
            [term for term, _ in kept if not isinstance(term, np.ndarray)],
        )

    def _words_query(self, words: Sequence[Key], missing: Missing) -> Query:
        query = self._query(words, None, missing)
        if len(query.words) != len(query.vectors):
            raise OptionError("only words can be compared here, but a vector was given")
        return query

    def _cosines(self, unit: NDArray[np.float32], rows: slice = _ALL) -> NDArray[np.float32]:
        """Cosines of these rows with a vector of length 1, shape (rows,)."""
        divisors = self._divisors(rows)
        scores: NDArray[np.float32] = self._vectors[rows] @ unit
        scores /= divisors
        return scores

    def _known(self, terms: Iterable[tuple[Term, float]], missing: Missing) -> list[tuple[Term, float]]:
        """The terms without unknown words, with ``missing="skip"``; else MissingWordError for the first."""
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
            if (row := self._row(term)) is not None:
                self.check_finite(np.array([row]))
            return self.get_vector(term, norm=unit)
        if term.ndim != 1:
            raise OptionError(f"a query vector has one axis, got shape {term.shape}")
        return self._finite(term)

    def _units(self, keys: Sequence[Key]) -> NDArray[np.float32]:
        """The vectors of words, scaled to length 1, (keys, dimensions)."""
        if self.ngrams is not None:
            return np.array([self._vector(key, unit=True) for key in keys])
        rows = np.array([self.get_index(key) for key in keys], np.intp)
        units: NDArray[np.float32] = self._vectors[rows] / self._divisors(rows)[:, None]
        return units

    def _finite(self, vectors: NDArray[np.floating[Any]], name: str = "a query vector") -> NDArray[np.float32]:
        if vectors.shape[-1] != self.vector_size:
            raise OptionError(
                f"{name} needs {self.vector_size} dimensions, as the vectors here have, got {vectors.shape[-1]}"
            )
        narrow = numbers(name, vectors, np.float32)
        if not np.isfinite(narrow).all():
            raise OptionError(f"{name} holds a number that is not finite")
        return narrow


def check_distinct(keys: Sequence[Hashable], rows: Mapping[Any, int]) -> None:
    """Raise OptionError for a key that occurs twice; ``rows`` has the last row of each."""
    if len(rows) != len(keys):
        repeated = next(key for row, key in enumerate(keys) if rows[key] != row)
        raise OptionError(f"the word {repeated!r} occurs twice; words must be distinct")
