"""The parts of a text classifier's model file: its features, its labels, its vectors; and the model of such parts."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.classification.fasttext_model import Parts
from windrow.classification.features import Features, Ngrams
from windrow.classification.settings import OF_READER
from windrow.corpus import TextReader
from windrow.errors import FormatError, OptionError
from windrow.files import model_file
from windrow.files.model_file import StoredModel
from windrow.machine import check_memory
from windrow.nn.training.checkpoint import history_rows
from windrow.outputs.quantized import from_codes, to_codes

Model = Any  # a TextClassifier, whose module imports this one

_TREE = "tree"
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
    found = _array_in(arrays, name, shape, np.float32, path)
    model_file.check_finite(found, name, path)
    return found


def codes_in(arrays: Arrays, name: str, shape: tuple[int, int], path: str | os.PathLike[str]) -> NDArray[np.float32]:
    """A table of 8 bits and a scale for each row, as numbers in memory; FormatError for anything else."""
    codes = _array_in(arrays, name, shape, np.int8, path)
    scales = _array_in(arrays, f"{name}_scales", shape[:1], np.float32, path)
    model_file.check_finite(scales[:, None], f"{name}_scales", path)
    check_memory(4 * codes.size, f"the {len(codes):,} vectors of {path}", "cut the model off at fewer of them")
    return from_codes(codes, scales)


def _array_in(
    arrays: Arrays, name: str, shape: tuple[int, ...], kind: type[np.generic], path: str | os.PathLike[str]
) -> NDArray[Any]:
    found = arrays.get(name)
    if found is None or found.shape != shape or found.dtype != kind:
        told = "missing" if found is None else f"{found.dtype} {found.shape}"
        raise FormatError(f"{path}: {name} is {told}, but should be {np.dtype(kind)} {shape}")
    return found


# --- the whole model


def pack(model: Model) -> dict[str, NDArray[Any]]:
    """All arrays of a trained classifier."""
    return {
        **_pack_vectors(model, "vectors", model.vectors_),
        **_pack_vectors(model, "output_vectors", model.output_vectors_),
        "class_counts": model.class_counts_,
        **pack_labels(model.classes_),
        **pack_features(model.features_),
        **({} if model._children is None else {_TREE: model._children}),
    }


def _pack_vectors(model: Model, name: str, vectors: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    if model.quantize_bits is None:
        return {name: vectors}
    codes, scales = to_codes(vectors)
    return {name: codes, f"{name}_scales": scales}


def unpack(kind: type[Model], stored: StoredModel, path: str | os.PathLike[str]) -> Model:
    """The inverse of ``pack``; FormatError for parts that do not fit together."""
    model = _of_parameters(kind, stored.config["parameters"], path)
    model.reader = TextReader.remembered(stored.provenance)
    if not model.reader.asks:  # else the tokenizer is a user's own, which is not imported because a file names it
        model.set_params(**{name: getattr(model.reader, name) for name in OF_READER})
    model.history_ = history_rows(stored.config["history"])
    model.classes_ = unpack_labels(stored, path)
    model.class_counts_ = model_file.as_counts(stored.arrays.get("class_counts"), len(model.classes_), path)
    model.features_ = unpack_features(stored.arrays, model._ngrams(), path)
    outputs = len(model.classes_) - (model.loss == "hs")
    vectors = codes_in if model.quantize_bits is not None else vectors_in
    model.vectors_ = vectors(stored.arrays, "vectors", (len(model.features_), model.vector_size), path)
    model.output_vectors_ = vectors(stored.arrays, "output_vectors", (outputs, model.vector_size), path)
    model._use_tree(_tree_in(stored.arrays, len(model.classes_), path) if model.loss == "hs" else None)
    return model


def unpack_fasttext(kind: type[Model], parts: Parts, path: str | os.PathLike[str]) -> Model:
    """A classifier of the parts of one of fastText's."""
    model = _of_parameters(kind, parts.parameters, path)
    model.reader = TextReader()
    model.history_ = []
    model.classes_, model.class_counts_ = parts.classes, parts.class_counts
    model.features_, model.vectors_, model.output_vectors_ = parts.features, parts.vectors, parts.outputs
    model._use_tree(parts.tree)
    return model


def _of_parameters(kind: type[Model], parameters: Mapping[str, Any], path: str | os.PathLike[str]) -> Model:
    try:
        model = kind(**parameters)
        model.check_parameters()
    except (TypeError, OptionError) as error:
        raise FormatError(f"{path} has no sound configuration of a TextClassifier ({error})") from error
    return model


def _tree_in(arrays: Arrays, classes: int, path: str | os.PathLike[str]) -> NDArray[np.int32] | None:
    """The children of the nodes of a tree that is not the one of the counts of classes."""
    found = arrays.get(_TREE)
    if found is not None and (found.dtype != np.int32 or found.shape != (classes - 1, 2)):
        raise FormatError(f"{path}: the tree is {found.dtype} {found.shape}, but should be int32 {(classes - 1, 2)}")
    return None if found is None else np.array(found)
