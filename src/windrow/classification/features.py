"""What a text classifier sees of a text: its words, and the n-grams of words and of characters, as rows of a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from windrow.classification.kernels.rows import (
    Rows,
    Types,
    WordNgrams,
    count_rows,
    fill_ngram_rows,
    fill_rows,
    fill_type_rows,
    mark_ngrams,
    mean_rows,
    sum_rows,
)
from windrow.classification.numbered import Numbered
from windrow.corpus import Vocabulary
from windrow.corpus.subwords import SENTENCE_END, vocabulary_hashes, vocabulary_subwords
from windrow.numeric.threads import share

_LEAST_SHARED = 256  # texts whose vectors a thread averages


@dataclass(frozen=True)
class Ngrams:
    """Which n-grams are features: of ``min_n`` to ``max_n`` characters (0: none), of ``word_ngrams`` words (1: no)."""

    word_ngrams: int
    min_n: int
    max_n: int
    buckets: int

    @property
    def are_used(self) -> bool:
        """Whether there are any."""
        return self.word_ngrams > 1 or self.max_n > 0


class Features:
    """The rows of the features of any text: first those of ``words``, then those of the buckets that training has seen.

    Each text ends with ``</s>``, which is a word like others; so every text has a feature, which serves as a bias.
    """

    def __init__(self, words: Sequence[str], ngrams: Ngrams, seen_buckets: NDArray[np.int32]) -> None:
        self.words = list(words)
        self.ngrams = ngrams
        self.seen_buckets = seen_buckets
        # Zeros take memory only where they are replaced.
        self._after_rows = np.zeros(ngrams.buckets if ngrams.are_used else 0, np.int32)
        self._after_rows[seen_buckets] = np.arange(len(words), len(self), dtype=np.int32) + 1
        self.word_ngrams = WordNgrams(ngrams.word_ngrams, self._after_rows)
        self._row_of = {word: row for row, word in enumerate(self.words)}

    @classmethod
    def learn(cls, texts: Numbered, ngrams: Ngrams, min_count: int) -> Features:
        """Those of some texts: the words that occur so often, and all n-grams."""
        different, end = _with_end(texts.words)
        counts = np.bincount(texts.lists.ids, minlength=len(different))
        counts[end] += len(texts)
        words = Vocabulary.from_counts(different, counts, min_count=min_count).words
        seen = np.zeros(ngrams.buckets if ngrams.are_used else 0, np.uint8)
        if ngrams.max_n:
            seen[vocabulary_subwords(different, max(ngrams.min_n, 1), ngrams.max_n, ngrams.buckets)[0]] = 1
        if ngrams.word_ngrams > 1:
            mark_ngrams(texts.lists, end, vocabulary_hashes(different), ngrams.word_ngrams, seen)
        return cls(words, ngrams, np.flatnonzero(seen).astype(np.int32))

    def with_words(self, words: Sequence[str]) -> Features:
        """These, and a row for each other word, behind those of the words that are there."""
        more = dict.fromkeys([*self.words, *words])
        return Features(list(more), self.ngrams, self.seen_buckets)

    def __len__(self) -> int:
        return len(self.words) + len(self.seen_buckets)

    def read(self, texts: Numbered) -> Texts:
        """The texts, ready for their features to be looked up."""
        return Texts(texts.lists, self._types_of(*_with_end(texts.words)), self.word_ngrams)

    def are_known(self, texts: Numbered) -> NDArray[np.bool_]:
        """Whether a text has any feature but the ``</s>`` that each ends with."""
        is_known = np.fromiter((word in self._row_of for word in texts.words), bool, len(texts.words))
        known_before = np.concatenate(([0], np.cumsum(is_known[texts.lists.ids])))
        found: NDArray[np.bool_] = np.diff(known_before[texts.lists.starts]) > 0
        rest = np.flatnonzero(~found)
        if self.ngrams.are_used and len(rest):  # n-grams of words that are not known may be
            ready = self.read(texts)
            of_end = np.diff(ready.types.rows.starts)[ready.types.end]
            found[rest] = np.diff(ready.rows(rest).starts) > of_end
        return found

    def _types_of(self, words: Sequence[str], end: int) -> Types:
        """The features of words by themselves: the row of a word that is known, and those of its n-grams."""
        own = np.fromiter((self._row_of.get(word, -1) for word in words), np.int32, len(words))
        buckets, starts = np.zeros(0, np.int32), np.zeros(len(words) + 1, np.int64)
        if self.ngrams.max_n:
            n = max(self.ngrams.min_n, 1), self.ngrams.max_n
            buckets, starts = vocabulary_subwords(words, *n, self.ngrams.buckets)
        found = Rows(np.empty(len(words) + len(buckets), np.int32), np.empty(len(words) + 1, np.int64))
        fill_type_rows(own, Rows(buckets, starts), self._after_rows, found)
        hashes = vocabulary_hashes(words) if self.ngrams.word_ngrams > 1 else np.zeros(0, np.uint64)
        return Types(found, hashes, end)


@dataclass(frozen=True)
class Texts:
    """Some texts by the numbers of their words, and the features that each different word has."""

    words: Rows
    types: Types
    word_ngrams: WordNgrams

    def __len__(self) -> int:
        return len(self.words.starts) - 1

    def count_rows(self, order: NDArray[np.int64]) -> int:
        """At most how many features the texts of these numbers have together."""
        return count_rows(self.words, order, self.types, self.word_ngrams.longest)

    def rows(self, order: NDArray[np.int64]) -> Rows:
        """The features of the texts of these numbers."""
        found = Rows(np.empty(self.count_rows(order), np.int32), np.empty(len(order) + 1, np.int64))
        fill_rows(self.words, order, self.types, self.word_ngrams, found)
        return found

    def mean_vectors(self, vectors: NDArray[np.float32], at_a_time: int) -> Iterator[NDArray[np.float32]]:
        """The mean of the vectors of each text's features, zeros where it has none: blocks of (texts, dimensions).

        What a word has by itself is summed once, however often it comes.
        """
        width, table = vectors.shape[1], vectors.reshape(-1)
        sums = np.zeros(width * (len(self.types.rows.starts) - 1), np.float32)
        sum_rows(self.types.rows, table, width, sums)

        def average(order: NDArray[np.int64], means: NDArray[np.float32]) -> None:
            most = (self.words.starts[order[-1] + 1] - self.words.starts[order[0]]) * (self.word_ngrams.longest - 1)
            found = Rows(np.empty(most, np.int32), np.empty(len(order) + 1, np.int64))
            fill_ngram_rows(self.words, order, self.types, self.word_ngrams, found)
            mean_rows(self.words, order, self.types, sums, found, table, width, means.reshape(-1))

        for start in range(0, len(self), at_a_time):
            order = np.arange(start, min(start + at_a_time, len(self)))
            means = np.zeros((len(order), width), np.float32)
            share(len(order), lambda first, last: average(order[first:last], means[first:last]), _LEAST_SHARED)  # noqa: B023
            yield means


def _with_end(words: list[str]) -> tuple[list[str], int]:
    """The words and ``</s>``, which ends each text, and its place."""
    found = words if SENTENCE_END in words else [*words, SENTENCE_END]
    return found, found.index(SENTENCE_END)
