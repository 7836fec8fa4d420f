"""Files of safetensors: windrow's own, with counts and provenance, and a matrix of somebody else with its words."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.endings import DTYPES
from windrow.embeddings.formats.contract import ReadOptions, VectorData
from windrow.embeddings.formats.npy import check_words_beside, with_words_beside
from windrow.embeddings.formats.rows import chosen_of
from windrow.embeddings.formats.small_numbers import narrowed, widened
from windrow.embeddings.settings import WORD2VEC
from windrow.embeddings.subwords import NGRAM_SIZES, NgramVectors, Subwords
from windrow.errors import FormatError, OptionError
from windrow.estimator import check_settings
from windrow.files import model_file
from windrow.files.local import local_file
from windrow.files.sniff import kind_of

KIND = "word-vectors"
_WHOLE = ReadOptions()


def write_model(data: VectorData, path: str | os.PathLike[str]) -> None:
    """Write a model file, whatever its name."""
    arrays, config = model_parts(data)
    model_file.save(path, KIND, arrays, config, data.provenance)


def model_parts(data: VectorData) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The arrays of a model file, and its configuration."""
    arrays = {**_numbers("vectors", data.vectors, data.dtype), **model_file.pack_words(data.words)}
    if data.counts is not None:
        arrays["counts"] = data.counts
    config: dict[str, Any] = {"vector_size": data.vectors.shape[1], "words": len(data.words)}
    if data.ngrams is not None:
        subwords = data.ngrams.subwords
        arrays |= {"ngram_buckets": subwords.used, **_numbers("ngram_vectors", data.ngrams.vectors, data.dtype)}
        config["subwords"] = dict(zip(NGRAM_SIZES, subwords.sizes, strict=True))
    return arrays, config


def _numbers(name: str, vectors: NDArray[np.float32], dtype: str) -> dict[str, NDArray[Any]]:
    """Vectors in a type of ``DTYPES`` as arrays of a file; those of int8 have their scales beside them."""
    numbers, scales = narrowed(vectors, dtype, name)
    arrays: dict[str, NDArray[Any]] = {name: np.ascontiguousarray(numbers)}
    return arrays if scales is None else {**arrays, f"{name}_scales": scales}


def _widened(
    arrays: Mapping[str, NDArray[Any]], name: str, shape: tuple[int, int], path: str | os.PathLike[str]
) -> NDArray[np.float32]:
    """The inverse of ``_numbers``; FormatError unless there are vectors of this shape."""
    vectors, scales = arrays.get(name), arrays.get(f"{name}_scales")
    of_bytes = vectors is not None and vectors.dtype == np.int8
    if vectors is None or vectors.dtype not in DTYPES or vectors.shape != shape or of_bytes != (scales is not None):
        found = f"no {name}" if vectors is None else f"{name} {vectors.shape} of type {vectors.dtype}"
        expected = f"float32 {name} of shape {shape}, or float16, or int8 and scales"
        raise FormatError(f"{path}: expected {expected}, found {found}")
    with np.errstate(over="ignore", invalid="ignore"):
        wide = widened(vectors, scales, path)
    model_file.check_finite(wide, name, path)
    return wide


def read_safetensors(path: Path, options: ReadOptions) -> VectorData:
    """Read windrow's own file, or the one matrix of another with its words in ``X.words.txt``."""
    with local_file(path, unpack=True) as file:
        if kind_of(file) == "safetensors":
            return _read_matrix(file, path, options)
        with model_file.parts_of(file):
            return read_model(model_file.load(file, KIND), file, options)


def read_model(
    stored: model_file.StoredModel, path: str | os.PathLike[str], options: ReadOptions = _WHOLE
) -> VectorData:
    """The vectors of a model file that was opened; FormatError for parts that do not fit together."""
    words = model_file.unpack_words(stored.arrays, path)
    vectors = _widened(stored.arrays, "vectors", (len(words), stored.config.get("vector_size", 0)), path)
    counts = stored.arrays.get("counts")
    counts = None if counts is None else model_file.as_counts(counts, len(words), path)
    ngrams = _ngrams_of(stored, stored.config["vector_size"], path)
    return chosen_of(VectorData(words, vectors, counts, stored.provenance, ngrams), Path(path), options)


def _ngrams_of(stored: model_file.StoredModel, size: int, path: str | os.PathLike[str]) -> NgramVectors | None:
    """The n-grams of a model file; None where it has none."""
    asked, arrays = stored.config.get("subwords"), stored.arrays
    used = arrays.get("ngram_buckets")
    if asked is None and used is None and "ngram_vectors" not in arrays:
        return None
    if not isinstance(asked, dict) or used is None or "ngram_vectors" not in arrays:
        raise FormatError(f"{path}: n-grams need their lengths, buckets and vectors, and one of these is missing")
    try:
        lengths = {name: asked[name] for name in NGRAM_SIZES}
        check_settings((setting for setting in WORD2VEC if setting.name in lengths), lengths)
    except (KeyError, OptionError) as error:
        raise FormatError(f"{path}: the n-grams are described as {str(asked)[:100]} ({error})") from error
    if used.dtype != np.int32 or used.ndim != 1:
        raise FormatError(f"{path}: expected int32 buckets of n-grams, found {used.dtype} {used.shape}")
    vectors = _widened(arrays, "ngram_vectors", (len(used), size), path)
    if len(used) and (used.min() < 0 or used.max() >= lengths["buckets"] or len(np.unique(used)) < len(used)):
        raise FormatError(f"{path}: the n-grams' buckets are not distinct numbers below {lengths['buckets']}")
    return NgramVectors(Subwords(**lengths, used=used), vectors)


def _read_matrix(file: Path, path: Path, options: ReadOptions) -> VectorData:
    """The only matrix of floating point in a file of safetensors."""
    from safetensors import SafetensorError, safe_open

    check_words_beside(path)
    try:
        with safe_open(file, framework="numpy") as tensors:
            matrices = {name: tensors.get_slice(name).get_shape() for name in tensors.keys()}  # noqa: SIM118
            matrices = {name: shape for name, shape in matrices.items() if len(shape) == 2 and 0 not in shape}
            if len(matrices) != 1:
                found = f"{len(matrices)} of them{': ' * bool(matrices)}{', '.join(sorted(matrices)[:5])}"
                raise FormatError(
                    f"{path}: expected one matrix (words, dimensions), found {found}; save that of the words alone"
                )
            matrix = read_tensor(tensors, file, next(iter(matrices)))
    except (SafetensorError, TypeError) as error:  # TypeError: another type that NumPy lacks
        raise FormatError(f"{path} cannot be read ({error}); save its matrix as float32") from error
    if matrix.dtype.kind != "f":
        raise FormatError(f"{path}: expected numbers of floating point, found {matrix.dtype}")
    vectors = matrix.astype(np.float32, copy=False)
    model_file.check_finite(vectors, "the matrix", path)
    return with_words_beside(vectors, path, options)


def read_tensor(tensors: Any, file: Path, name: str) -> NDArray[Any]:
    """A tensor of a file that ``safe_open`` has opened; bfloat16, a type that NumPy lacks, becomes float32."""
    found = tensors.get_slice(name)
    matrix: NDArray[Any] = (
        _read_bfloat16(file, name, found.get_shape()) if found.get_dtype() == "BF16" else tensors.get_tensor(name)
    )
    return matrix


def _read_bfloat16(file: Path, name: str, shape: list[int]) -> NDArray[np.float32]:
    """A matrix of a file whose header is known to be sound: bfloat16 is the upper half of float32."""
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        first, _ = json.loads(stream.read(length))[name]["data_offsets"]
    halves = np.memmap(file, "<u2", "r", 8 + length + first, tuple(shape))
    return (halves.astype(np.uint32) << 16).view(np.float32)
