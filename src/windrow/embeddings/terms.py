"""The terms of a query: words, row numbers or vectors, each with a weight; checked, and combined to one vector."""

from __future__ import annotations

from collections.abc import Iterable, KeysView, Sequence, Set
from numbers import Real
from typing import Any, NoReturn, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from windrow.errors import OptionError
from windrow.numeric.masks import first_masked

Key = str | int
Term = Key | NDArray[np.floating[Any]]
Terms = Term | Sequence[Term | tuple[Term, float]] | None
Number = TypeVar("Number", np.float32, np.int64)


def weighted(terms: Terms, default: float) -> list[tuple[Term, float]]:
    """Terms with their weights; a single word or vector is a list of one."""
    if terms is None:
        return []
    several = isinstance(terms, Iterable) and not isinstance(terms, str | bytes)
    if not several or (isinstance(terms, np.ndarray) and terms.ndim < 2):
        return [(cast(Term, terms), default)]
    return [
        _weighted_term(term) if isinstance(term, tuple) else (term, default) for term in cast(Iterable[Term], terms)
    ]


def _weighted_term(pair: tuple[Any, ...]) -> tuple[Term, float]:
    if len(pair) != 2:
        raise OptionError(f"a weighted term is a pair (term, weight); got a tuple of {len(pair)}")
    return pair[0], finite_weight(pair[1])


def finite_weight(value: object) -> float:
    """The weight of a term; OptionError for anything but a finite number."""
    if not isinstance(value, Real) or not np.isfinite(float(value)):
        raise OptionError(f"a weight must be a finite number, got {str(value)[:40]!r}")
    return float(value)


class Words(list[str]):
    """Words by row: a list, as gensim has it, that cannot be changed, since a table of rows belongs to it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Words, (list(self),)

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("the words of a table of vectors cannot be changed; add_vectors adds some, subset takes some")

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = extend = insert = remove = pop = clear = sort = reverse = _refuse


def texts(words: Iterable[str]) -> Words:
    """Words as a list; OptionError if one is not a str, or they come without an order."""
    if isinstance(words, str | bytes) or (isinstance(words, Set) and not isinstance(words, KeysView)):
        raise OptionError(f"words must be a list of str, not a {type(words).__name__}")
    texts = Words(words.tolist() if isinstance(words, np.ndarray) else words)  # NumPy has strings of its own
    for word in texts:
        if not isinstance(word, str):
            raise OptionError(f"a word must be a str, got {type(word).__name__}")
    return texts


def numbers(name: str, values: Any, dtype: type[Number]) -> NDArray[Number]:
    """An array of numbers; OptionError, which names it ``name``, for anything else."""
    place = first_masked(values)
    if place is not None:
        raise OptionError(f"{name} is masked at {place} (from 0); fill in what is masked, or leave out its rows")
    try:
        given = np.asarray(values)
        if given.dtype.kind == "c":
            raise OptionError(f"{name} must hold real numbers, not {given.dtype}")
        with np.errstate(over="ignore"):  # an infinity is found by the query that meets it
            array = np.asarray(given, dtype)
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, OptionError):
            raise
        raise OptionError(f"{name} must hold numbers only: {error}") from error
    if array.dtype.kind == "i" and given.dtype.kind == "f" and not (array == given).all():
        raise OptionError(f"{name} must hold whole numbers only")
    return array


def unchanging(array: NDArray[Number], given: object) -> NDArray[Number]:
    """An array that nobody writes to, read-only: itself, or a copy where whoever gave it could go on writing."""
    if array.flags.writeable and (array is given or array.base is not None):
        array = array.copy()
    array.setflags(write=False)
    return array


def weighted_mean(vectors: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.float32]:
    """sum(weight * vector) / sum(abs(weight)), shape (dimensions,)."""
    scaled = weights / (np.abs(weights).max() or 1)  # their sum is finite, however large they are
    return np.asarray(scaled @ vectors / (np.abs(scaled).sum() or 1), np.float32)


def unit_vector(vector: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """A vector scaled to length one; a zero vector stays zero."""
    wide = vector.astype(np.float64)
    length = np.sqrt(wide @ wide)
    return np.asarray(wide / length if length > 0 else wide, np.float32)


def nonzero(norms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Divisors that turn products into cosines: the norms, with 1 for 0, since products with a zero vector are 0."""
    return np.where(norms > 0, norms, np.float32(1))
