"""The vocabulary: words in order of falling count, and their counts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from windrow.errors import FormatError, MissingWordError, OptionError, check_range
from windrow.files import model_file

UNKNOWN = "<unk>"
_KIND = "vocabulary"


class Vocabulary:
    """The words of a corpus; the id of a word is its place.

    Specials come first. The other words follow by falling count; of two with the same count, the one that
    appears later in the text comes first, as in gensim. The words with count >= m are thus a prefix.

    ``words``: (words,); ``counts``: (words,) int64, how often each id occurs in the text. When ``<unk>`` is a
    special, its count includes every word that the vocabulary leaves out.
    """

    def __init__(self, words: list[str], counts: NDArray[np.int64], specials: Sequence[str] = ()) -> None:
        self.words = words
        self.counts = counts
        self.specials = tuple(specials)

    @classmethod
    def from_counts(
        cls,
        words: Sequence[str],
        counts: Sequence[int] | NDArray[np.int64],
        *,
        min_count: int = 1,
        max_size: int | None = None,
        specials: Sequence[str] = (),
    ) -> Vocabulary:
        """Order distinct ``words`` (given as first seen) by count, and keep the frequent ones.

        ``min_count`` is the least count a word is kept with; ``max_size`` the most words, specials included.
        Specials are kept whatever their count. Raises OptionError for an option out of range.
        """
        return cls.renumbering(words, counts, min_count=min_count, max_size=max_size, specials=specials)[0]

    @classmethod
    def renumbering(
        cls,
        words: Sequence[str],
        counts: Sequence[int] | NDArray[np.int64],
        *,
        min_count: int = 1,
        max_size: int | None = None,
        specials: Sequence[str] = (),
    ) -> tuple[Vocabulary, NDArray[np.int32]]:
        """The vocabulary of ``from_counts``, and the id in it of each of ``words``, -1 for one left out."""
        check_specials(specials)
        counts = np.asarray(counts, np.int64)
        # Stable and reversed: falling counts, and among ties the last seen first.
        order = np.argsort(counts, kind="stable")[::-1]
        special_ids = {special: special_id for special_id, special in enumerate(specials)}
        special_counts = np.zeros(len(specials), np.int64)
        new_ids = np.full(len(words), -1, np.int32)
        if specials:
            found = [(place, special_ids[word]) for place, word in enumerate(words) if word in special_ids]
            places, ids = np.array(found, np.int64).reshape(-1, 2).T
            special_counts[ids] = counts[places]
            new_ids[places] = ids
            order = order[new_ids[order] < 0]
        everything = cls(
            [*specials, *map(words.__getitem__, order.tolist())],
            np.concatenate([special_counts, counts[order]]),
            specials,
        )
        vocabulary = everything.head(everything.prefix_size(min_count, max_size))
        kept = order[: len(vocabulary) - len(specials)]
        new_ids[kept] = np.arange(len(specials), len(vocabulary))
        return vocabulary, new_ids

    def __len__(self) -> int:
        return len(self.words)

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self._ids

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} words, specials={self.specials})"

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {word: word_id for word_id, word in enumerate(self.words)}

    def id_of(self, word: str) -> int:
        """The id of ``word``; raises MissingWordError, which suggests near spellings."""
        try:
            return self._ids[word]
        except KeyError:
            raise MissingWordError(word, self.words) from None

    def get(self, word: str, default: int = -1) -> int:
        """The id of ``word``, or ``default``."""
        return self._ids.get(word, default)

    @property
    def unknown_id(self) -> int:
        """The id that stands for words left out: that of ``<unk>`` when it is a special, else -1."""
        return self.specials.index(UNKNOWN) if UNKNOWN in self.specials else -1

    def encode(self, tokens: Iterable[str]) -> NDArray[np.int32]:
        """The ids of ``tokens``, shape (tokens,); ``unknown_id`` for a word left out."""
        unknown, get = self.unknown_id, self._ids.get
        return np.fromiter((get(token, unknown) for token in tokens), np.int32)

    def decode(self, ids: Iterable[int] | NDArray[np.integer]) -> list[str]:
        """The words of ``ids``; -1, an unknown word, is left out. OptionError for an id out of range."""
        array = np.asarray(ids if isinstance(ids, np.ndarray) else list(ids), np.int64)
        known = array[array != -1]
        if known.size and not 0 <= known.min() <= known.max() < len(self):
            raise OptionError(f"ids must be from -1 to {len(self) - 1}, not {known.min()} to {known.max()}")
        return list(map(self.words.__getitem__, known.tolist()))

    def prefix_size(self, min_count: int = 1, max_size: int | None = None) -> int:
        """How many words, specials included, are kept by a least count and a largest size."""
        check_range("min_count", min_count, 1)
        first = len(self.specials)
        if max_size is not None:
            check_range("max_size", max_size, first + 1)
        rising = self.counts[first:][::-1]
        frequent = len(self) - int(np.searchsorted(rising, min_count))
        return frequent if max_size is None else min(frequent, max_size)

    def head(self, size: int) -> Vocabulary:
        """The first ``size`` words as a vocabulary; the others count as unknown from then on."""
        check_range("size", size, len(self.specials), len(self))
        counts = np.array(self.counts[:size])
        if self.unknown_id >= 0:
            counts[self.unknown_id] += self.counts[size:].sum()
        return Vocabulary(self.words[:size], counts, self.specials)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the vocabulary as a model file of kind "vocabulary"."""
        arrays = {**model_file.pack_words(self.words), "counts": self.counts}
        model_file.save(path, _KIND, arrays, {"specials": list(self.specials)})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Vocabulary:
        """Read what ``save`` wrote; raises FormatError for another kind of file or one that is damaged."""
        stored = model_file.load(path, _KIND)
        words = model_file.unpack_words(stored.arrays, path)
        specials = stored.config.get("specials", [])
        counts = np.array(stored.arrays.get("counts", ()), np.int64)
        agree = isinstance(specials, list) and words[: len(specials)] == specials
        if counts.shape != (len(words),) or not agree:
            raise FormatError(f"{path}: words, counts and specials of the vocabulary do not agree")
        return cls(words, counts, specials)


def check_specials(specials: Sequence[str]) -> None:
    """Raise OptionError unless the specials are distinct words."""
    if isinstance(specials, str) or not all(map(_is_word, specials)):
        raise OptionError(f"specials = {specials!r} must be words without white space, such as ('<unk>', '<s>')")
    if len(set(specials)) < len(specials):
        raise OptionError(f"specials = {specials!r} names a word twice")


def _is_word(word: object) -> bool:
    """A string without white space that UTF-8 can hold."""
    return isinstance(word, str) and word.split() == [word] and word == word.encode(errors="ignore").decode()
