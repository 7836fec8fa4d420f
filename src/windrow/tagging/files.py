"""The model file of a tagger."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from windrow import storage
from windrow.errors import FormatError, WindrowError
from windrow.tagging.lexicon import SPECIALS, Lexicon, Reading
from windrow.tagging.network import WordTable

if TYPE_CHECKING:
    from windrow.tagging.tagger import WindowTagger

KIND = "window-tagger"
_LEARNED = ("types_", "scheme_", "history_")
_NOT_STORED = ("vectors", "callbacks", "schedule")  # the first is in the word table, the others are for training
_VOCABULARIES = ("words", "features")

T = TypeVar("T", bound="WindowTagger")


def write_tagger(tagger: WindowTagger, path: str | os.PathLike[str]) -> None:
    """Write the arrays, words and features of a trained tagger; DataError when that fails."""
    network, lexicon = tagger.network_, tagger.lexicon_
    arrays = {name: parameter.value for name, parameter in network.parameters.named.items()}
    if network.words.frozen is not None:
        arrays["words.vectors"] = np.concatenate([network.words.learning.value, network.words.frozen])
    vocabularies: dict[str, Sequence[str]] = {"words": lexicon.words, "features": lexicon.features}
    for name in _VOCABULARIES:
        arrays |= {f"{name}.{part}": array for part, array in storage.pack_words(vocabularies[name]).items()}
    parameters = {name: value for name, value in tagger.get_params().items() if name not in _NOT_STORED}
    config = {
        "parameters": {name: _plain(value) for name, value in parameters.items()},
        **{name: getattr(tagger, name) for name in _LEARNED},
    }
    storage.save(path, KIND, arrays, config)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return list(value) if isinstance(value, tuple | list) else value


def read_tagger(kind: type[T], path: str | os.PathLike[str]) -> T:
    """Open a tagger; FormatError when its parts are missing, or do not fit each other, or are not finite."""
    stored = storage.load(path, KIND)
    try:
        tagger = kind(**stored.config["parameters"])
        tagger.check_parameters()
        for name in _LEARNED:
            setattr(tagger, name, stored.config[name])
        words, features = (_vocabulary(stored.arrays, name, path) for name in _VOCABULARIES)
        reading = Reading(tagger.lowercase, tagger.fold_digits, tuple(tagger.affixes))
        tagger.restore(Lexicon(words, features, reading), _word_table(stored.arrays, words, path))
    except (KeyError, TypeError, AttributeError, WindrowError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{path}: the tagger's header is damaged ({' '.join(str(error).split())})") from error
    for name, parameter in tagger.network_.parameters.named.items():
        if name != "words.vectors":
            parameter.value[:] = _array(stored.arrays, name, parameter.value.shape, path)
    return tagger


def _vocabulary(arrays: dict[str, NDArray[Any]], name: str, path: str | os.PathLike[str]) -> list[str]:
    prefix = f"{name}."
    parts = {key.removeprefix(prefix): array for key, array in arrays.items() if key.startswith(prefix)}
    return storage.unpack_words(parts, path)


def _word_table(arrays: dict[str, NDArray[Any]], words: list[str], path: str | os.PathLike[str]) -> WordTable:
    """The word vectors, all but the specials' left in the file until they are read."""
    if tuple(words[: len(SPECIALS)]) != SPECIALS or len(set(words)) < len(words):
        raise FormatError(f"{path}: the words do not begin with {' '.join(SPECIALS)}, or repeat")
    vectors = _array(arrays, "words.vectors", (len(words), None), path)
    return WordTable(np.array(vectors[: len(SPECIALS)]), vectors[len(SPECIALS) :])


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
    storage.check_finite(array, name, path)
    return array
