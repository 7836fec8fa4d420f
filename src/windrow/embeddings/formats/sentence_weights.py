"""What SentenceVectors has learned, in the file of its word vectors."""

from __future__ import annotations

from os import PathLike
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.formats.contract import VectorData
from windrow.embeddings.formats.stored import KIND, model_parts, read_model
from windrow.errors import FormatError
from windrow.files import model_file
from windrow.files.local import as_path, local_file
from windrow.files.sniff import kind_of

_CONFIG, _WEIGHTS, _COMPONENTS = "sentences", "sentence_weights", "sentence_components"


class SentenceWeights(NamedTuple):
    """The parameters of the estimator, and what it has learned."""

    parameters: dict[str, Any]
    reader: dict[str, Any]  # how sentences become words, as plain data
    weights: NDArray[np.float32]  # (words,)
    unseen: float  # the weight of a word without a row
    components: NDArray[np.float32]  # (removed, dimensions)


def write_sentence_weights(learned: SentenceWeights, data: VectorData, path: str | PathLike[str]) -> None:
    """Write a model file of word vectors that holds the rest, too."""
    arrays, config = model_parts(data)
    arrays |= {_WEIGHTS: learned.weights, _COMPONENTS: learned.components}
    config[_CONFIG] = {"parameters": learned.parameters, "reader": learned.reader, "unseen": learned.unseen}
    model_file.save(path, KIND, arrays, config, data.provenance)


def holds_sentence_weights(path: str | PathLike[str]) -> bool:
    """Whether a file that can be read again is one that ``write_sentence_weights`` wrote."""
    file = as_path(path)
    return file.is_file() and kind_of(file) == "windrow" and _CONFIG in model_file.read_start(file).config


def read_sentence_weights(path: str | PathLike[str]) -> tuple[VectorData, SentenceWeights]:
    """Read what ``write_sentence_weights`` wrote; FormatError where the file holds no more than vectors."""
    with local_file(as_path(path), unpack=True) as file:
        if file.is_file() and kind_of(file) != "windrow":
            raise _vectors_alone(path)
        stored = model_file.load(file, KIND)
        learned = stored.config.get(_CONFIG)
        if learned is None:
            raise _vectors_alone(path)
        with model_file.parts_of(path):
            data = read_model(stored, path)
            arrays = stored.arrays
            found = SentenceWeights(
                dict(learned["parameters"]),
                dict(learned["reader"]),
                arrays[_WEIGHTS],
                float(learned["unseen"]),
                arrays[_COMPONENTS],
            )
    words, size = data.vectors.shape
    for name, array, is_sound in (
        (_WEIGHTS, found.weights, found.weights.shape == (words,)),
        (_COMPONENTS, found.components, found.components.shape[1:] == (size,)),
    ):
        if array.dtype != np.float32 or not is_sound:
            raise FormatError(f"{path} is damaged: {name} has the shape {array.shape} and the type {array.dtype}")
        model_file.check_finite(array, name, path)
    return data, found


def _vectors_alone(path: str | PathLike[str]) -> FormatError:
    return FormatError(f"{path} holds word vectors alone; give them to SentenceVectors, and fit that")
