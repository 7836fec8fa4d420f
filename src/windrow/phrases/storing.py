"""The phrases of all passes as the arrays of a model file.

::

    words           all words of phrases, by number, as ``model_file.pack_words`` has them
    parts           the numbers of the words of all phrases, one phrase after another
    phrase_offsets  phrase i is parts[phrase_offsets[i] : phrase_offsets[i + 1]]
    scores          of each phrase
    pass_offsets    pass p found the phrases from pass_offsets[p] to pass_offsets[p + 1] - 1
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.errors import FormatError
from windrow.files.model_file import pack_words, unpack_words
from windrow.phrases.joining import PhraseTable

_TYPES = {"parts": np.int32, "phrase_offsets": np.int64, "scores": np.float64, "pass_offsets": np.int64}


def pack_tables(tables: Sequence[PhraseTable]) -> dict[str, NDArray[Any]]:
    """The arrays of a model file."""
    phrases = [phrase for table in tables for phrase in table.phrases]
    numbers: dict[str, int] = {}
    parts = [numbers.setdefault(word, len(numbers)) for word in chain.from_iterable(phrases)]
    return {
        **pack_words(list(numbers)),
        "parts": np.array(parts, np.int32),
        "phrase_offsets": _offsets(map(len, phrases), len(phrases)),
        "scores": np.array([score for table in tables for score in table.scores], np.float64),
        "pass_offsets": _offsets((len(table.phrases) for table in tables), len(tables)),
    }


def _offsets(sizes: Any, number: int) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.fromiter(sizes, np.int64, number))]).astype(np.int64)


def unpack_tables(
    arrays: Mapping[str, NDArray[Any]],
    delimiter: str,
    connector_words: frozenset[str],
    path: str | os.PathLike[str],
) -> tuple[PhraseTable, ...]:
    """The inverse of ``pack_tables``; FormatError names ``path`` where the arrays do not fit each other."""
    words = unpack_words(arrays, path)
    parts, offsets, scores, passes = (_checked(arrays, name, path) for name in _TYPES)
    _check_offsets("phrase_offsets", offsets, len(parts), 2, path)
    _check_offsets("pass_offsets", passes, len(offsets) - 1, 1, path)
    if len(scores) != len(offsets) - 1 or not np.isfinite(scores).all():
        raise FormatError(f"{path} is damaged: scores must be {len(offsets) - 1} finite numbers")
    if parts.size and not 0 <= parts.min() <= parts.max() < len(words):
        raise FormatError(f"{path} is damaged: parts has numbers beside those of its {len(words)} words")
    phrases = [tuple(words[part] for part in parts[first:last].tolist()) for first, last in pairwise(offsets.tolist())]
    bounds = list(pairwise(passes.tolist()))
    for first, last in bounds:
        _check_phrases(phrases[first:last], connector_words, path)
    return tuple(
        PhraseTable(phrases[first:last], scores[first:last].tolist(), delimiter, connector_words)
        for first, last in bounds
    )


def _checked(arrays: Mapping[str, NDArray[Any]], name: str, path: str | os.PathLike[str]) -> NDArray[Any]:
    array = arrays.get(name)
    if array is None or array.ndim != 1 or array.dtype != _TYPES[name]:
        found = "missing" if array is None else f"{array.dtype} {array.shape}"
        raise FormatError(f"{path} is damaged: {name} is {found}, not one row of {np.dtype(_TYPES[name])}")
    return array


def _check_offsets(name: str, offsets: NDArray[np.int64], end: int, least: int, path: str | os.PathLike[str]) -> None:
    in_order = offsets.size and offsets[0] == 0 and offsets[-1] == end and bool((np.diff(offsets) >= least).all())
    if not in_order:
        raise FormatError(f"{path} is damaged: {name} is not in order, or does not end at {end}")


def _check_phrases(
    phrases: Sequence[tuple[str, ...]], connector_words: frozenset[str], path: str | os.PathLike[str]
) -> None:
    if len(set(phrases)) < len(phrases):
        raise FormatError(f"{path} is damaged: a pass has a phrase twice")
    for first, *between, last in phrases:
        if first in connector_words or last in connector_words or not connector_words.issuperset(between):
            raise FormatError(f"{path} is damaged: the connector words of a phrase are not between its ends")
