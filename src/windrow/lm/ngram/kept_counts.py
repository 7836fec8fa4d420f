"""The counts that a model keeps, packed as they lie in its file: four to six bytes per n-gram.

Of each order from 2 up there are, one n-gram after another, the last words, the counts, and for each context how many
n-grams it has. Numbers below 255 are one byte; 255 stands for the next of the larger numbers, which lie elsewhere. What
follows from these, as the suffixes do, is not kept.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Vocabulary
from windrow.errors import FormatError, check_whole
from windrow.lm.ngram.adding import TextCounts
from windrow.lm.ngram.backing_off import contexts_of
from windrow.lm.ngram.kernels.bisect import find_children
from windrow.lm.ngram.levels import CountLevel, Int32s, NGramCounts
from windrow.lm.ngram.merging import MOST
from windrow.lm.symbols import EOS, SPECIALS

_LARGE = 255
_VOCABULARY = ("word_bytes", "word_offsets", "counts")
_PREFIX = "counted_"


class KeptCounts(NamedTuple):
    """The arrays of a model file, and what its configuration says of them."""

    arrays: dict[str, NDArray[Any]]
    config: dict[str, Any]
    name: str = "the counts of the model"  # for messages: that of the file

    @classmethod
    def pack(cls, text: TextCounts, **given: bool) -> KeptCounts:
        """The counts of a text. ``given``: by parameter of ``fit``, whether it was given, and is needed again."""
        counts, levels = text.counts, text.counts.levels
        words = counts.vocabulary.to_arrays()
        kind = np.uint16 if len(counts.vocabulary) <= 1 << 16 else np.int32
        arrays = {
            **{name: words[name] for name in _VOCABULARY},
            "first_seen": text.first_seen,
            "words": _concatenated([level.words for level in levels[1:]]).astype(kind),
            **_pack("counts", [level.counts for level in levels[1:]]),
            **_pack("successors", [np.diff(level.starts) for level in levels[1:]]),
        }
        if counts.initial is not None:
            arrays["initial"] = np.packbits(np.concatenate(counts.initial))
        config = {"sizes": [level.words.size for level in levels], "symbols": text.symbols, "given": given}
        config["predicts_end"] = bool(levels[0].counts[EOS])
        return cls({f"{_PREFIX}{name}": array for name, array in arrays.items()}, config)

    @classmethod
    def stored(
        cls, arrays: Mapping[str, NDArray[Any]], config: Mapping[str, Any], path: str | os.PathLike[str]
    ) -> KeptCounts | None:
        """Those in a model file, which are looked at when they are needed; None where there are none."""
        found = config.get("counts")
        if found is None:
            return None
        if not isinstance(found, dict):
            raise FormatError(f"{path}: the counts are not described ({found!r})")
        return cls({name: array for name, array in arrays.items() if name.startswith(_PREFIX)}, found, os.fspath(path))

    def unpack(self) -> TextCounts:
        """The counts; FormatError, which names the file, for parts that do not fit."""
        try:
            return self._unpacked()
        except (KeyError, TypeError, ValueError, IndexError) as error:
            if isinstance(error, FormatError):
                raise
            raise self._damage(repr(error)) from error

    def given(self) -> list[str]:
        """The parameters of ``fit`` that were given, and are needed again."""
        given = self.config.get("given")
        return [name for name, is_given in given.items() if is_given] if isinstance(given, dict) else []

    def _damage(self, what: str) -> FormatError:
        return FormatError(f"{self.name} is damaged: counts ({what}); take it from a copy, or train again")

    def _unpacked(self) -> TextCounts:
        parts = {name.removeprefix(_PREFIX): array for name, array in self.arrays.items()}
        vocabulary = Vocabulary.from_arrays({name: parts[name] for name in _VOCABULARY}, SPECIALS, self.name)
        sizes = [check_whole("size", size, 0) for size in self.config["sizes"]]
        symbols = check_whole("symbols", self.config["symbols"], 0)
        words = parts["words"].astype(np.int32)
        counts, successors = _unpack(parts, "counts"), _unpack(parts, "successors")
        first_seen = np.array(parts["first_seen"], np.int64)
        fits = bool(sizes) and sizes[0] == len(vocabulary) == first_seen.size
        fits = fits and sum(sizes[1:]) == words.size == counts.size and sum(sizes[:-1]) == successors.size
        if not fits:
            raise self._damage("sizes do not agree")
        in_range = 0 <= words.min(initial=0) <= words.max(initial=0) < sizes[0] and successors.min(initial=0) >= 0
        if not in_range or not 1 <= counts.min(initial=1) <= counts.max(initial=1) <= MOST:
            raise self._damage("numbers are out of range")
        unigrams = vocabulary.counts.copy()
        unigrams[EOS] *= bool(self.config["predicts_end"])
        ids = np.arange(sizes[0], dtype=np.int32)
        levels = [CountLevel(np.array([0, sizes[0]], np.int32), ids, np.zeros(sizes[0], np.int32), unigrams)]
        lists = np.split(successors, np.cumsum(sizes[:-1])[:-1]) if len(sizes) > 1 else []
        ends = np.cumsum(sizes[1:])[:-1]
        for part, part_counts, lengths in zip(np.split(words, ends), np.split(counts, ends), lists, strict=False):
            levels.append(self._level(levels, part.copy(), part_counts.astype(np.int32), lengths))
        initial = None
        if "initial" in parts:
            marks = np.unpackbits(parts["initial"], count=sum(sizes)).astype(np.bool_)
            initial = np.split(marks, np.cumsum(sizes)[:-1])
        return TextCounts(NGramCounts(vocabulary, levels, initial), first_seen, symbols)

    def _level(
        self, levels: Sequence[CountLevel], words: Int32s, counts: Int32s, successors: NDArray[np.int64]
    ) -> CountLevel:
        """The next level, with the suffixes of its n-grams found."""
        if int(successors.sum()) != words.size:
            raise self._damage("lists of successors do not agree")
        starts = np.zeros(successors.size + 1, np.int32)
        np.cumsum(successors, out=starts[1:])
        contexts = contexts_of(starts)
        rises = (np.diff(contexts) > 0) | (np.diff(words) > 0)
        suffixes = words.copy()
        if len(levels) > 1:  # else the suffix is the word itself
            below = levels[-1]
            find_children(below.starts, below.words, below.suffixes[contexts], words, suffixes)
        if not rises.all() or suffixes.min(initial=0) < 0:
            raise self._damage("n-grams are not sorted, or lack their suffix")
        return CountLevel(starts, words, suffixes, counts)


def _concatenated(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate([np.empty(0, np.int32), *map(np.asarray, arrays)])


def _pack(name: str, arrays: Sequence[NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Numbers, most of which are small."""
    values = _concatenated(arrays)
    return {
        f"small_{name}": np.minimum(values, _LARGE).astype(np.uint8),
        f"large_{name}": values[values >= _LARGE].astype(np.int32),
    }


def _unpack(parts: Mapping[str, NDArray[Any]], name: str) -> NDArray[np.int64]:
    """The inverse of ``_pack``; ValueError for parts that do not fit."""
    values, large = (parts[f"{size}_{name}"].astype(np.int64) for size in ("small", "large"))
    if large.size != np.count_nonzero(values == _LARGE):
        raise ValueError(f"{large.size} large {name}")
    values[values == _LARGE] = large
    return values
