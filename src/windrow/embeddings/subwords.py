"""Which character n-grams words have, and the rows of a table that their vectors are in.

fastText has a row for each of its buckets, used or not. Here only those buckets have rows that some word of the
vocabulary is hashed to, in the order in which the words come: a table is smaller by half for 100,000 words, and the
rows of frequent words lie close together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.subwords import subword_ids, vocabulary_subwords
from windrow.embeddings.kernels.inputs import WordRows

MOST_BUCKETS = 2**31 - 1  # as fastText counts them


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
        distinct, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
        order = np.argsort(first)
        row_of = np.empty(len(order), np.int32)
        row_of[order] = np.arange(len(order))
        subwords = cls(min_n, max_n, buckets, distinct[order])
        return subwords, with_own_rows(row_of[inverse], starts)

    def word_rows(self, words: Sequence[str]) -> WordRows:
        """As ``of`` gives them, for words whose n-grams need not all have a row: those that have none are left out."""
        ids, starts = vocabulary_subwords(words, self.min_n, self.max_n, self.buckets)
        rows, is_used = self._rows_of(ids)
        starts = np.concatenate([[0], np.cumsum(is_used)])[starts]
        return with_own_rows(rows[is_used], starts)

    def rows_of(self, word: str) -> tuple[NDArray[np.int64], int]:
        """The rows of a word's n-grams, those that have one; and how many n-grams it has."""
        ids = np.array(subword_ids(word, self.min_n, self.max_n, self.buckets), np.int32)
        rows, is_used = self._rows_of(ids)
        return rows[is_used], len(ids)

    def _rows_of(self, ids: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """By bucket: its row, and whether it has one."""
        if not len(self.used):
            return np.zeros(len(ids), np.int64), np.zeros(len(ids), bool)
        places = np.minimum(np.searchsorted(self.used, ids, sorter=self._order), len(self.used) - 1)
        rows = self._order[places]
        return rows, self.used[rows] == ids

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        return np.argsort(self.used)


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


def row_sums(table: NDArray[np.float32], word_rows: WordRows) -> NDArray[np.float64]:
    """The sum of the rows of each word, (words, columns)."""
