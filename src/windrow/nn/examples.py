"""Examples and labels as users give them, checked and turned into arrays."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from windrow.errors import DataError
from windrow.nn.parameters import Array
from windrow.numeric.masks import first_masked

_NAMES_TOLD = 5


class ExampleError(DataError, ValueError):
    """Examples or labels that cannot be learned from. A ValueError too, as scikit-learn's tools expect."""


class _NamesError(ExampleError):
    """Columns of other names; in scikit-learn's words, which its tests compare, and its lines."""

    def __str__(self) -> str:
        return Exception.__str__(self)


def check_finite(name: str, values: Array) -> None:
    """Raise ExampleError that names the first place where a number is NaN or infinite."""
    if np.issubdtype(values.dtype, np.floating) and not _is_finite(values):
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        where = f"row {place[0]}" + (f", column {place[1]}" if len(place) > 1 else "")
        raise ExampleError(
            f"{name}: {values[place]} at {where} (from 0); replace or leave out what is NaN or infinite (inf)"
        )


def _is_finite(values: Array) -> bool:
    """Whether all numbers are finite; of a finite sum they all are, and a sum needs no array of answers."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(values.sum()) or np.isfinite(values).all())


def check_unmasked(name: str, values: object) -> None:
    """Raise ExampleError where numbers are masked: NumPy gives what lies under the mask as if it were data."""
    place = first_masked(values)
    if place is not None:
        raise ExampleError(f"{name} is masked at {place} (from 0); fill in what is masked, or leave out its rows")


def as_numbers(name: str, values: ArrayLike) -> NDArray[np.float32]:
    """Finite float32, contiguous; no copy of what is so already."""
    check_unmasked(name, values)
    try:
        given = np.asarray(values)
        with np.errstate(over="ignore"):  # becomes infinite, and is told so
            numbers = np.ascontiguousarray(given.real, np.float32)
    except (TypeError, ValueError) as error:  # of text, or of rows of different lengths
        raise ExampleError(f"{name} cannot be read as numbers: {error}") from None
    if np.iscomplexobj(given):
        raise ExampleError(f"{name}: Complex data not supported; give both parts as numbers of their own")
    check_finite(name, numbers)
    return numbers


def feature_names(X: object) -> Array | None:  # noqa: N803
    """The names of the columns of a data frame, (features,); None where they have none."""
    columns = getattr(X, "columns", None)
    names = [] if columns is None or callable(columns) else list(columns)
    are_texts = [isinstance(name, str) for name in names]
    if any(are_texts) and not all(are_texts):
        raise ExampleError("X has column names of which some are text and some are not; make them all text")
    return np.array(names, object) if any(are_texts) else None


def check_feature_names(X: object, model: object) -> None:  # noqa: N803
    """Refuse columns of other names than ``model`` was trained on, or in another order, in scikit-learn's words.

    Names on one side only are a warning, as there: a table without names may have the same columns.
    """
    names, known = feature_names(X), getattr(model, "feature_names_in_", None)
    kind = type(model).__name__
    if known is None or names is None:
        if (known is None) != (names is None):
            without = "X has feature names, but {} was fitted without feature names"
            told = (
                without
                if known is None
                else "X does not have valid feature names, but {} was fitted with feature names"
            )
            warnings.warn(told.format(kind), UserWarning, stacklevel=5)
        return
    if names.tolist() == known.tolist():
        return
    told = "The feature names should match those that were passed during fit.\n"
    unseen, missing = sorted({*names} - {*known}), sorted({*known} - {*names})
    for title, some in (("unseen at fit time", unseen), ("seen at fit time, yet now missing", missing)):
        if some:
            told += f"Feature names {title}:\n" + "".join(f"- {name}\n" for name in some[:_NAMES_TOLD])
            told += "- ...\n" * (len(some) > _NAMES_TOLD)
    if not unseen and not missing:
        told += "Feature names must be in the same order as they were in fit.\n"
    raise _NamesError(told)


def as_examples(X: ArrayLike, model: object = None) -> NDArray[np.float32]:  # noqa: N803
    """X as numbers (rows, features); with the features, by number and names, that a trained ``model`` has seen."""
    if hasattr(model, "n_features_in_"):
        check_feature_names(X, model)
    if hasattr(X, "toarray"):
        raise ExampleError("X is a sparse matrix; give X.toarray()")
    x = as_numbers("X", X)
    if x.ndim != 2:
        raise ExampleError(
            f"X has the shape {np.shape(x)}; give a table (rows, features). Reshape your data: X.reshape(1, -1) is one "
            "example, X.reshape(-1, 1) one feature"
        )
    if x.size == 0:
        raise ExampleError(
            f"X holds {len(x)} sample(s) and {x.shape[1]} feature(s) (shape={x.shape}) while a minimum of 1 is "
            "required; give at least one of each"
        )
    features = getattr(model, "n_features_in_", x.shape[1])
    if x.shape[1] != features:
        raise ExampleError(
            f"X has {x.shape[1]} features, but {type(model).__name__} is expecting {features} features as input"
        )
    return x


def as_labels(y: ArrayLike | None) -> Array:
    """y as an array, a column (rows, 1) as (rows,)."""
    if y is None:
        raise ExampleError("training requires y to be passed, but the target y is None")
    check_unmasked("y", y)
    labels = np.asarray(y)
    return labels.reshape(-1) if labels.ndim == 2 and labels.shape[1] == 1 else labels


def find_classes(y: Array) -> Array:
    """The distinct labels, sorted. There must be one for each example, and no fractions."""
    if y.ndim != 1:
        raise ExampleError(f"y has the shape {y.shape}; a classifier takes one class for each example, (rows,)")
    if np.issubdtype(y.dtype, np.floating):
        check_finite("y", y)
        if (y != np.round(y)).any():
            raise ExampleError("Unknown label type: y holds continuous numbers; give classes, or take MLPRegressor")
    try:
        classes: Array = np.unique(y)
    except TypeError as error:
        raise ExampleError(f"y mixes labels that have no order: {error}; make them all words or all numbers") from None
    return classes


def check_lengths(x: Array, y: Array) -> None:
    """Raise ExampleError unless there is a label for each example."""
    if y.ndim == 0 or len(x) != len(y):
        raise ExampleError(f"X has {len(x)} rows, but y has the shape {y.shape}; give one label for each row")
