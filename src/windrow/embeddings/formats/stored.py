"""Windrow's own file of word vectors: it keeps counts and provenance, and its vectors are memory-mapped."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.formats.contract import VectorData
from windrow.errors import FormatError
from windrow.files import model_file

KIND = "word-vectors"


def write_model(data: VectorData, path: str | os.PathLike[str]) -> None:
    """Write a model file, whatever its name."""
    arrays: dict[str, NDArray[Any]] = {"vectors": data.vectors, **model_file.pack_words(data.words)}
    if data.counts is not None:
        arrays["counts"] = data.counts
    config = {"vector_size": data.vectors.shape[1], "words": len(data.words)}
    model_file.save(path, KIND, arrays, config, data.provenance)


def read_model(path: str | os.PathLike[str]) -> VectorData:
    """Open a model file, whatever its name; FormatError for another kind, or parts that do not fit together."""
    stored = model_file.load(path, KIND)
    words = model_file.unpack_words(stored.arrays, path)
    vectors, counts = stored.arrays.get("vectors"), stored.arrays.get("counts")
    size = stored.config.get("vector_size")
    if vectors is None or vectors.dtype != np.float32 or vectors.shape != (len(words), size):
        found = "no vectors" if vectors is None else f"vectors {vectors.shape} of type {vectors.dtype}"
        raise FormatError(f"{path}: expected float32 vectors of shape ({len(words)}, {size}), found {found}")
    model_file.check_finite(vectors, "vectors", path)
    return VectorData(words, vectors, counts, stored.provenance)
