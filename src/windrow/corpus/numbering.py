"""The one pass over a text: each word gets an id when it is first seen, and is counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.tokenizers import Batch, Tokenizer, batches, split_lines, whole_words

# A text of fewer bytes is numbered in Python before Numba would have been imported.
KERNEL_FROM = 1 << 20
_FIRST_WORDS, _FIRST_BYTES = 1 << 16, 1 << 20  # that a new hash table can hold
_MOST_IDS, _MOST_ENDS = 1 << 18, 1 << 16  # given out at a time


Piece = str | bytes | list[str]  # of a text; bytes are UTF-8


class Numbered(NamedTuple):
    """The ids of consecutive words, and how many come before each end of a sentence; overwritten by the next."""

    ids: NDArray[np.int32]
    ends: NDArray[np.int64]


class SeenWords:
    """The words of a text in the order in which they first occur; the id of a word is its place.

    Words between white space are numbered by a kernel, once ``kernel_from`` bytes (None: KERNEL_FROM) have come.
    """

    def __init__(self, kernel_from: int | None = None) -> None:
        self._kernel_from = KERNEL_FROM if kernel_from is None else kernel_from
        self._in_python = _WordsInDict()
        self._in_kernel: _WordsInHash | None = None

    @property
    def counts(self) -> NDArray[np.int64]:
        """How often each word was seen, shape (words,)."""
        return (self._in_kernel or self._in_python).counts

    def words(self) -> list[str]:
        """The words by id."""
        return (self._in_kernel or self._in_python).words()

    def number(
        self, pieces: Iterable[Piece], tokenizer: Tokenizer, folds: bool, fold_lists: bool = True
    ) -> Iterator[Numbered]:
        """Tokenize a stream, as ``tokenizers.batches`` does, to ids.

        It may have UTF-8 in place of strings where the tokenizer is "whitespace" and nothing is folded.
        """
        # Which is what the kernel does; and to it, lists are text like any other.
        if tokenizer.split is not str.split or (folds and not fold_lists):
            decoded = cast(Iterable[str | list[str]], pieces)
            yield from map(self._in_python.number, batches(decoded, tokenizer, folds, fold_lists))
            return
        size = 0
        for text in whole_words(pieces, tokenizer, folds):
            size += len(text)
            if size < self._kernel_from:
                yield self._in_python.number(split_lines(text.decode("utf-8", "surrogatepass"), str.split))
                continue
            if self._in_kernel is None:
                self._in_kernel = _WordsInHash(self._in_python.words(), self._in_python.counts)
            yield from self._in_kernel.number(text)


class MergedWords:
    """The words of texts that were numbered one by one, as if they had been one text."""

    def __init__(self) -> None:
        self.counts = np.zeros(0, np.int64)
        self._ids = _Ids()

    def words(self) -> list[str]:
        """The words by id."""
        return list(self._ids)

    def add(self, words: list[str], counts: NDArray[np.int64]) -> NDArray[np.int32]:
        """Count the words of the next text, in the order in which they first occur there; returns their ids."""
        ids = np.fromiter(map(self._ids.__getitem__, words), np.int32, len(words))
        self.counts = np.append(self.counts, np.zeros(len(self._ids) - len(self.counts), np.int64))
        self.counts[ids] += counts
        return ids


class _WordsInDict:
    """Words and their counts, by Python alone."""

    def __init__(self) -> None:
        self.counts = np.zeros(0, np.int64)
        self._ids = _Ids()

    def words(self) -> list[str]:
        return list(self._ids)

    def number(self, batch: Batch) -> Numbered:
        ids = np.fromiter(map(self._ids.__getitem__, batch.words), np.int32, len(batch.words))
        counts = np.bincount(ids, minlength=len(self._ids))
        counts[: len(self.counts)] += self.counts
        self.counts = counts
        return Numbered(ids, np.array(batch.ends, np.int64))


class _Ids(dict[str, int]):
    def __missing__(self, word: str) -> int:
        new_id = self[word] = len(self)
        return new_id


class _WordsInHash:
    """Words and their counts in a hash table of arrays, which grow between calls of the kernel."""

    def __init__(self, words: list[str], counts: NDArray[np.int64]) -> None:
        from windrow.corpus.kernels.tokenize import AHEAD, LINES, new_batch  # loads Numba
        from windrow.corpus.kernels.word_hash import new_word_hash

        self._known = 0
        self._table = new_word_hash(_FIRST_WORDS, _FIRST_BYTES)
        self._batch = new_batch()
        self._ids = np.empty(_MOST_IDS + AHEAD, np.int32)
        self._ends = np.empty(_MOST_ENDS + LINES, np.int64)
        for _ in self.number("\n".join(words).encode("utf-8", "surrogatepass")):
            pass
        self.counts[:] = counts

    @property
    def counts(self) -> NDArray[np.int64]:
        return self._table.counts[: self._known]

    def words(self) -> list[str]:
        used = self._table.offsets[self._known]
        return self._table.arena[:used].tobytes().decode("utf-8", "surrogatepass").split("\n")[:-1]

    def number(self, text: bytes) -> Iterator[Numbered]:
        from windrow.corpus.kernels.eight_bytes import padded
        from windrow.corpus.kernels.tokenize import AHEAD, tokenize
        from windrow.corpus.kernels.word_hash import for_more_text, for_twice_the_words

        data, at, memory = padded(text), 0, (self._batch, self._ids, self._ends)
        self._table = for_more_text(self._table, self._known, data.size)
        while at < len(text):
            while self._known + AHEAD > self._table.counts.size:
                self._table = for_twice_the_words(self._table)
            at, tokens, lines, self._known = tokenize(data, at, self._known, self._table, *memory)
            yield Numbered(self._ids[:tokens], self._ends[:lines])
