"""The vocabulary: words in order of decreasing count, and their counts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.errors import FormatError, MissingWordError, OptionError, check_whole
from windrow.files import model_file
from windrow.notebook import html_table

UNKNOWN = "<unk>"
_KIND = "vocabulary"
_SHOWN = 10  # words, in a notebook


class Vocabulary:
    """The words of a corpus; the id of a word is its position in ``words``.

    Specials come first, then the other words by decreasing count, so that the words with a count of at least m are a
    prefix. Of two words with equal counts the one that first occurs later in the text comes first, as in gensim.

    Parameters
    ----------
    words : list of str
        Distinct words in this order.
    counts : array of int64, shape (words,)
        How often each word occurs in the text. The count of a special ``<unk>`` includes all words that are left out.
    specials : sequence of str, default ()
        The first of ``words``, which are kept whatever their counts.

    Attributes
    ----------
    words, counts, specials
        The parameters, ``specials`` as a tuple.
    unknown_id : int
        The id of words left out: that of ``<unk>`` if it is a special, else -1.

    Examples
    --------
    >>> from windrow import Vocabulary
    >>> vocabulary = Vocabulary.from_counts(["a", "cat", "sat"], [5, 2, 1], min_count=2, specials=["<unk>"])
    >>> vocabulary.words, vocabulary.counts.tolist()
    (['<unk>', 'a', 'cat'], [1, 5, 2])
    >>> vocabulary.encode(["a", "dog"]).tolist()
    [1, 0]
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
        """Order words by count, and keep the frequent ones.

        Parameters
        ----------
        words : sequence of str
            Distinct words in the order in which they first occur.
        counts : sequence of int
            How often each of them occurs.
        min_count : int, at least 1, default 1
            Words that occur less often are left out.
        max_size : int or None, default None
            The largest number of words to keep, specials included; None: all.
        specials : sequence of str, default ()
            Words that come first and are kept whatever their counts.

        Returns
        -------
        Vocabulary

        Raises
        ------
        OptionError
            An option is out of range, or ``specials`` are not distinct words.
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
        """The vocabulary of ``from_counts``, and the id of each of ``words``, -1 for those left out."""
        check_specials(specials)
        counts = np.asarray(counts, np.int64)
        # Stable and reversed: decreasing counts, and among equal ones the last seen first.
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
        return word in self.ids

    def sizes(self) -> dict[str, object]:
        """``words``, special symbols such as ``<s>`` not counted."""
        return {"words": len(self) - len(self.specials)}

    def __repr__(self) -> str:
        return f"Vocabulary({len(self):,} words, specials={self.specials})"

    def _repr_html_(self) -> str:
        rows = zip(self.words[:_SHOWN], self.counts[:_SHOWN].tolist(), strict=True)
        return html_table(f"Vocabulary of {len(self):,} words", rows, ("word", "count"), len(self))

    @cached_property
    def ids(self) -> dict[str, int]:
        """The id of each word; not to be changed."""
        return {word: word_id for word_id, word in enumerate(self.words)}

    def id_of(self, word: str) -> int:
        """The id of a word.

        Parameters
        ----------
        word : str
            A word of the vocabulary.

        Returns
        -------
        int

        Raises
        ------
        MissingWordError
            The word is not in the vocabulary; the message suggests similar words.
        """
        try:
            return self.ids[word]
        except KeyError:
            raise MissingWordError(word, self.words) from None

    def get(self, word: str, default: int = -1) -> int:
        """The id of a word, or a default.

        Parameters
        ----------
        word : str
            Any word.
        default : int, default -1
            What to return if the word is not in the vocabulary.

        Returns
        -------
        int
        """
        return self.ids.get(word, default)

    def count_of(self, word: str) -> int:
        """How often a word occurs in the text; 0 for one that is not in the vocabulary.

        Parameters
        ----------
        word : str
            Any word.

        Returns
        -------
        int
            0 for all words, where the counts are not known: ARPA files do not hold them.

        Examples
        --------
        >>> from windrow import Vocabulary
        >>> vocabulary = Vocabulary.from_counts(["a", "cat"], [5, 2])
        >>> vocabulary.count_of("cat"), vocabulary.count_of("dog")
        (2, 0)
        """
        word_id = self.get(word)
        return int(self.counts[word_id]) if word_id >= 0 else 0

    @property
    def unknown_id(self) -> int:
        """The id of words left out: that of ``<unk>`` if it is a special, else -1."""
        return self.specials.index(UNKNOWN) if UNKNOWN in self.specials else -1

    def encode(self, tokens: Iterable[str]) -> NDArray[np.int32]:
        """The ids of tokens.

        Parameters
        ----------
        tokens : iterable of str
            Any words.

        Returns
        -------
        array of int32, shape (tokens,)
            ``unknown_id`` for words that are not in the vocabulary.

        Raises
        ------
        OptionError
            A single string was given.
        """
        if isinstance(tokens, str):
            raise OptionError("encode takes several words, not a string; give its words: text.split()")
        unknown, get = self.unknown_id, self.ids.get
        return np.fromiter((get(token, unknown) for token in tokens), np.int32)

    def decode(self, ids: Iterable[int] | NDArray[np.integer]) -> list[str]:
        """The words of ids.

        Parameters
        ----------
        ids : iterable of int
            Ids of the vocabulary; -1, an unknown word, is skipped.

        Returns
        -------
        list of str

        Raises
        ------
        OptionError
            An id is out of range.
        """
        array = np.asarray(ids if isinstance(ids, np.ndarray) else list(ids), np.int64)
        known = array[array != -1]
        if known.size and not 0 <= known.min() <= known.max() < len(self):
            raise OptionError(f"ids must be from -1 to {len(self) - 1}, not {known.min()} to {known.max()}")
        return list(map(self.words.__getitem__, known.tolist()))

    def prefix_size(self, min_count: int = 1, max_size: int | None = None) -> int:
        """How many words are kept with these limits; they are the first ones.

        Parameters
        ----------
        min_count : int, at least 1, default 1
            Words that occur less often are left out.
        max_size : int or None, default None
            The largest number of words to keep, specials included; None: all.

        Returns
        -------
        int
            Specials included.

        Raises
        ------
        OptionError
            A limit is out of range.
        """
        check_whole("min_count", min_count, 1)
        first = len(self.specials)
        if max_size is not None:
            check_whole("max_size", max_size, first + 1)
        rising = self.counts[first:][::-1]
        frequent = len(self) - int(np.searchsorted(rising, min_count))
        return frequent if max_size is None else min(frequent, max_size)

    def head(self, size: int) -> Vocabulary:
        """A vocabulary of the first words; the counts of the others are added to that of a special ``<unk>``.

        Parameters
        ----------
        size : int
            How many words, specials included; at most all.

        Returns
        -------
        Vocabulary

        Raises
        ------
        OptionError
            ``size`` is out of range.
        """
        check_whole("size", size, len(self.specials), len(self))
        counts = np.array(self.counts[:size])
        if self.unknown_id >= 0:
            counts[self.unknown_id] += self.counts[size:].sum()
        return Vocabulary(self.words[:size], counts, self.specials)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the vocabulary to a model file of kind "vocabulary".

        Parameters
        ----------
        path : str or os.PathLike
            The file, whatever its name.

        Raises
        ------
        DataError
            The file cannot be written.
        """
        model_file.save(path, _KIND, self.to_arrays(), {"specials": list(self.specials)})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Vocabulary:
        """Read what ``save`` wrote.

        Parameters
        ----------
        path : str or os.PathLike
            The file.

        Returns
        -------
        Vocabulary

        Raises
        ------
        FormatError
            The file is of another kind or damaged.
        DataError
            It cannot be read.
        """
        stored = model_file.load(path, _KIND)
        return cls.from_arrays(stored.arrays, stored.config.get("specials", []), path)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The words and counts as the arrays of a model file; the specials are not among them."""
        return {**model_file.pack_words(self.words), "counts": self.counts}

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, NDArray[Any]], specials: Sequence[str], path: str | os.PathLike[str]
    ) -> Vocabulary:
        """The inverse of ``to_arrays``; FormatError, which names ``path``, if the arrays or ``specials`` disagree."""
        words = model_file.unpack_words(arrays, path)
        counts = model_file.as_counts(arrays.get("counts"), len(words), path)
        if not isinstance(specials, list | tuple) or words[: len(specials)] != list(specials):
            raise FormatError(f"{path}: the vocabulary is damaged (words and specials do not agree)")
        return cls(words, counts, specials)


def check_specials(specials: Sequence[str]) -> None:
    """Raise OptionError unless the specials are distinct words."""
    if isinstance(specials, str) or not isinstance(specials, Iterable) or not all(map(is_word, specials)):
        raise OptionError(f"specials = {specials!r} must be words without white space, such as ('<unk>', '<s>')")
    if len(set(specials)) < len(specials):
        raise OptionError(f"specials = {specials!r} names a word twice")


def is_word(word: object) -> bool:
    """A string without white space that UTF-8 can hold."""
    return isinstance(word, str) and word.split() == [word] and word == word.encode(errors="ignore").decode()
