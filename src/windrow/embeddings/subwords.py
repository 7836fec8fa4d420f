"""Which character n-grams words have, and the rows of a table that their vectors are in.

fastText has a row for each of its buckets, used or not. Here only those buckets have rows that some word of the
vocabulary is hashed to, in the order in which the words come: a table is smaller by half for 100,000 words, and the
rows of frequent words lie close together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.subwords import subword_ids, vocabulary_subwords
from windrow.embeddings.kernels.inputs import WordRows, compose_vocabulary
from windrow.numeric.rows import number_by_first_sight
from windrow.numeric.tables import zero_table

NGRAM_SIZES = ("min_n", "max_n", "buckets")  # parameters, in the order of Subwords.sizes


@dataclass(frozen=True)
class Subwords:
    """The lengths of n-grams, and the bucket of each row of their table."""

    min_n: int
    max_n: int
    buckets: int  # how many n-grams are hashed to
    used: NDArray[np.int32]  # (rows,): distinct buckets

    @classmethod
    def of(cls, words: Sequence[str], min_n: int, max_n: int, buckets: int) -> tuple[Self, WordRows]:
        """The buckets of these words, and the rows of each word in a table of all words and then all n-grams."""
        ids, starts = vocabulary_subwords(words, min_n, max_n, buckets)
        rows, used = number_by_first_sight(ids)
        return cls(min_n, max_n, buckets, used), with_own_rows(rows, starts)

    def grown(self, words: Sequence[str]) -> Self:
        """With a row for each n-gram of these words; new rows are behind the others."""
        ids, _ = self.ids_of(words)
        new, first = np.unique(ids[~self.find(ids)[1]], return_index=True)
        return replace(self, used=np.concatenate([self.used, new[np.argsort(first)]]))

    @property
    def sizes(self) -> tuple[int, int, int]:
        """The lengths and the number of buckets: where these agree, equal n-grams have equal buckets."""
        return self.min_n, self.max_n, self.buckets

    def ids_of(self, words: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The buckets of the n-grams of each word, as ``vocabulary_subwords`` gives them."""
        return vocabulary_subwords(words, *self.sizes)

    def word_rows(self, words: Sequence[str]) -> WordRows:
        """As ``of`` gives them, for words whose n-grams need not all have a row: those that have none are left out."""
        ids, starts = self.ids_of(words)
        rows, is_used = self.find(ids)
        starts = np.concatenate([[0], np.cumsum(is_used)])[starts]
        return with_own_rows(rows[is_used], starts)

    def rows_of(self, word: str) -> tuple[NDArray[np.int64], int]:
        """The rows of a word's n-grams, those that have one; and how many n-grams it has."""
        ids = np.array(subword_ids(word, *self.sizes), np.int32)
        rows, is_used = self.find(ids)
        return rows[is_used], len(ids)

    def find(self, ids: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """By bucket: its row, and whether it has one."""
        if not len(self.used):
            return np.zeros(len(ids), np.int64), np.zeros(len(ids), bool)
        places = np.minimum(np.searchsorted(self.used, ids, sorter=self._order), len(self.used) - 1)
        rows = self._order[places]
        return rows, self.used[rows] == ids

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        return np.argsort(self.used)


@dataclass(frozen=True)
class NgramVectors:
    """The vectors of the n-grams that words of a vocabulary have, of which those of unseen words are made."""

    subwords: Subwords
    vectors: NDArray[np.float32]  # (rows, dimensions)

    def compose(self, word: str) -> NDArray[np.float32] | None:
        """The mean over the n-grams of an unseen word; None where none of them has a vector.

        An n-gram without a vector counts as zero.
        """
        rows, number = self.subwords.rows_of(word)
        return self.vectors[rows].sum(axis=0) / np.float32(number) if len(rows) else None

    def compose_known(self, words: Sequence[str], own: NDArray[np.float32]) -> NDArray[np.float32]:
        """The vectors of words that have rows of their own, (words, dimensions): the means with their n-grams' rows."""
        number, size = own.shape
        table: NDArray[np.float32] = zero_table(number + len(self.vectors), size)
        table[:number, :size], table[number:, :size] = own, self.vectors
        return compose(table, self.subwords.word_rows(words))[:, :size]

    def own_rows(self, words: Sequence[str], vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """The inverse of ``compose_known`` but for rounding: number of rows * vector - the sum of the n-grams' rows."""
        own = vectors.astype(np.float64)
        for place, word in enumerate(words):
            rows, number = self.subwords.rows_of(word)
            own[place] = own[place] * (number + 1) - self.vectors[rows].sum(axis=0, dtype=np.float64)
        return own


def with_own_rows(ngram_rows: NDArray[np.integer], starts: NDArray[np.int64]) -> WordRows:
    """The rows of each word where n-gram rows follow those of the words: word w's own first, then its n-grams'."""
    words = len(starts) - 1
    own = starts[:-1] + np.arange(words)
    rows = np.empty(len(ngram_rows) + words, np.int32)
    is_own = np.zeros(len(rows), bool)
    is_own[own] = True
    rows[own] = np.arange(words)
    rows[~is_own] = ngram_rows + words
    return WordRows(rows, starts + np.arange(words + 1))


def compose(table: NDArray[np.float32], word_rows: WordRows) -> NDArray[np.float32]:
    """The mean of the rows of each word, (words, columns); the table is padded, (rows, columns)."""
    composed: NDArray[np.float32] = zero_table(len(word_rows.starts) - 1, table.shape[1])
    compose_vocabulary(table.reshape(-1), word_rows, table.shape[1], composed.reshape(-1))
    return composed
