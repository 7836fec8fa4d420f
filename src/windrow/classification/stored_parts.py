"""The parts of a text classifier's model file: its features, its labels, its vectors."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.classification.features import Features, Ngrams
from windrow.errors import FormatError
from windrow.files import model_file
from windrow.files.model_file import StoredModel

_LABELS = "labels."
_SEEN = "seen_buckets"
_KINDS: dict[str, Callable[[str], Any]] = {"str": str, "int": int, "bool": "True".__eq__}  # from the words of a file

Arrays = Mapping[str, NDArray[Any]]


def pack_features(features: Features) -> dict[str, NDArray[Any]]:
    """The words, and the buckets of n-grams that have a vector."""
    return {**model_file.pack_words(features.words), _SEEN: features.seen_buckets}


def unpack_features(arrays: Arrays, ngrams: Ngrams, path: str | os.PathLike[str]) -> Features:
    """The inverse of ``pack_features``; FormatError names ``path`` where words repeat, or buckets are out of range."""
    words, seen = model_file.unpack_words(arrays, path), arrays[_SEEN]
    if len(set(words)) < len(words):
        raise FormatError(f"{path}: a word is there twice")
    last = ngrams.buckets if ngrams.are_used else 0
    if seen.dtype != np.int32 or seen.ndim != 1 or (np.diff(seen, prepend=-1, append=last) < 1).any():
        raise FormatError(f"{path}: the buckets of n-grams do not rise from 0 to below {last}")
    return Features(words, ngrams, np.array(seen))


def label_kind(classes: NDArray[Any]) -> str:
    """What labels are: "str", "int" or "bool"."""
    return {"b": "bool", "i": "int", "u": "int"}.get(classes.dtype.kind, "str")


def pack_labels(classes: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """The labels as words."""
    return {f"{_LABELS}{name}": array for name, array in model_file.pack_words([str(c) for c in classes]).items()}


def unpack_labels(stored: StoredModel, path: str | os.PathLike[str]) -> NDArray[Any]:
    """The inverse of ``pack_labels``; FormatError for fewer than two, and unless they rise."""
    parts = {n.removeprefix(_LABELS): array for n, array in stored.arrays.items() if n.startswith(_LABELS)}
    classes = np.array([_KINDS[stored.config["labels"]](word) for word in model_file.unpack_words(parts, path)])
    if len(classes) < 2 or not (classes[:-1] < classes[1:]).all():
        raise FormatError(f"{path}: the labels are not two or more in order")
    return classes


def vectors_in(arrays: Arrays, name: str, shape: tuple[int, int], path: str | os.PathLike[str]) -> NDArray[np.float32]:
    """A finite float32 table of this shape, left in the file; FormatError for anything else."""
    found = arrays.get(name)
    if found is None or found.shape != shape or found.dtype != np.float32:
        told = "missing" if found is None else f"{found.dtype} {found.shape}"
        raise FormatError(f"{path}: {name} is {told}, but should be float32 {shape}")
    model_file.check_finite(found, name, path)
    return found
