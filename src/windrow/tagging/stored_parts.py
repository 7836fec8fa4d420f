"""The parts of a tagger's model file: the words and features it knows, and the arrays of its network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.errors import FormatError
from windrow.files import model_file
from windrow.files.writing import shortened
from windrow.nn.training.checkpoint import count_of
from windrow.tagging.lexicon import SPECIALS, Lexicon, Reading
from windrow.tagging.network import WORD_VECTORS, TagNetwork, WordLookUp
from windrow.tagging.settings import SCHEME_NAMES

_VOCABULARIES = ("words", "features")

Arrays = dict[str, NDArray[Any]]


def pack_network(network: TagNetwork, lexicon: Lexicon) -> Arrays:
    """The arrays of a trained network, of its word table and of its words and features."""
    arrays = {name: parameter.value for name, parameter in network.parameters.named.items()}
    arrays[WORD_VECTORS] = network.words.all_vectors()
    vocabularies: dict[str, Sequence[str]] = {"words": lexicon.words, "features": lexicon.features}
    for name in _VOCABULARIES:
        arrays |= {f"{name}.{part}": array for part, array in model_file.pack_words(vocabularies[name]).items()}
    return arrays


def check_learned(types: Any, scheme: Any, path: str | os.PathLike[str]) -> None:
    """Raise FormatError for types of entities and a scheme that no tagger has."""
    if not isinstance(types, list) or not all(isinstance(name, str) for name in types) or len(set(types)) < len(types):
        raise FormatError(f"{path}: the types of entities are {shortened(repr(types))}, not a list of different names")
    if not isinstance(scheme, str) or scheme not in SCHEME_NAMES:
        known = ", ".join(SCHEME_NAMES)
        raise FormatError(f"{path}: the scheme of tags is {shortened(repr(scheme))}, which is none of {known}")


def unpack_lexicon(arrays: Arrays, reading: Reading, path: str | os.PathLike[str]) -> Lexicon:
    """The words and features that ``pack_network`` stored."""
    words, features = (_vocabulary(arrays, name, path) for name in _VOCABULARIES)
    return Lexicon(words, features, reading)


def unpack_word_vectors(arrays: Arrays, words: list[str], trained: Any, path: str | os.PathLike[str]) -> WordLookUp:
    """The word vectors, all but the specials' left in the file until they are read; ``trained``: as the header has."""
    if tuple(words[: len(SPECIALS)]) != SPECIALS or len(set(words)) < len(words):
        raise FormatError(f"{path}: the words do not begin with {' '.join(SPECIALS)}, or repeat")
    vectors = _array(arrays, WORD_VECTORS, (len(words), None), path)
    if trained is not None and not len(SPECIALS) <= count_of(trained) <= len(words):
        raise FormatError(f"{path}: {trained} of {len(words)} words are said to learn")
    return WordLookUp(np.array(vectors[: len(SPECIALS)]), vectors[len(SPECIALS) :], trained)


def fill_network(network: TagNetwork, arrays: Arrays, path: str | os.PathLike[str]) -> None:
    """Set the parameters of a network, its word vectors apart, to stored ones; FormatError where they do not fit."""
    for name, parameter in network.parameters.named.items():
        if name != WORD_VECTORS:
            parameter.value[:] = _array(arrays, name, parameter.value.shape, path)


def _vocabulary(arrays: dict[str, NDArray[Any]], name: str, path: str | os.PathLike[str]) -> list[str]:
    prefix = f"{name}."
    parts = {key.removeprefix(prefix): array for key, array in arrays.items() if key.startswith(prefix)}
    return model_file.unpack_words(parts, path)


def _array(
    arrays: dict[str, NDArray[Any]], name: str, shape: tuple[int | None, ...], path: str | os.PathLike[str]
) -> NDArray[Any]:
    """A finite float32 array of a shape, of which None may be any length."""
    array = arrays.get(name)
    wanted = ", ".join("any" if size is None else str(size) for size in shape)
    if array is None:
        raise FormatError(f"{path} holds no array {name!r}")
    fits = len(array.shape) == len(shape) and all(b in (None, a) for a, b in zip(array.shape, shape, strict=True))
    if array.dtype != np.float32 or not fits:
        raise FormatError(f"{path}: {name} is {array.dtype} {array.shape}, not float32 ({wanted})")
    model_file.check_finite(array, name, path)
    return array
