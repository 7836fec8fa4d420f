"""What a text classifier sees of a text: its words, and the n-grams of words and of characters, as rows of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from windrow.classification.kernels import Rows, Types, WordNgrams, count_rows, fill_rows, mark_ngrams
from windrow.corpus import Vocabulary
from windrow.corpus.subwords import SENTENCE_END, hash_ngram, vocabulary_subwords

_NONE = np.zeros(0, np.int32)


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
        self._ids = _Ids((word, number) for number, word in enumerate(self.words))
        self._known = self._types_of(self.words, has_rows=True)

    @classmethod
    def learn(cls, texts: Iterable[Sequence[str]], ngrams: Ngrams, min_count: int) -> Features:
        """Those of some texts: the words that occur so often, and all n-grams."""
        texts = list(texts)
        counts = Counter(chain.from_iterable(texts))
        counts[SENTENCE_END] += len(texts)
        words = Vocabulary.from_counts(list(counts), list(counts.values()), min_count=min_count).words
        seen = np.zeros(ngrams.buckets if ngrams.are_used else 0, np.uint8)
        if ngrams.max_n:
            seen[vocabulary_subwords(list(counts), max(ngrams.min_n, 1), ngrams.max_n, ngrams.buckets)[0]] = 1
        if ngrams.word_ngrams > 1:
            numbered, found = _numbered(texts, _Ids())
            mark_ngrams(numbered, _hashes(found), ngrams.word_ngrams, seen)
        return cls(words, ngrams, np.flatnonzero(seen).astype(np.int32))

    def with_words(self, words: Iterable[str]) -> Features:
        """These, and a row for each other word, behind those of the words that are there."""
        more = dict.fromkeys([*self.words, *words])
        return Features(list(more), self.ngrams, self.seen_buckets)

    def __len__(self) -> int:
        return len(self.words) + len(self.seen_buckets)

    def read(self, texts: Iterable[Sequence[str]]) -> Texts:
        """The texts as numbers of words; those that are new get numbers of their own."""
        numbered, new = _numbered(texts, self._ids)
        return Texts(self, numbered, self._types_of(new, has_rows=False))

    def _types_of(self, words: Sequence[str], *, has_rows: bool) -> Types:
        """The features of words by themselves: the row of a word, and those of its n-grams of characters."""
        starts, rows = np.zeros(len(words) + 1, np.int64), _NONE
        if self.ngrams.max_n:
            n = max(self.ngrams.min_n, 1), self.ngrams.max_n
            buckets, starts = vocabulary_subwords(words, *n, self.ngrams.buckets)
            rows = self._after_rows[buckets] - 1
            kept = np.concatenate([[0], np.cumsum(rows >= 0)])
            rows, starts = rows[rows >= 0], kept[starts]
        if has_rows:
            rows = np.insert(rows, starts[:-1], np.arange(len(words), dtype=np.int32))
            starts = starts + np.arange(len(words) + 1)
        return Types(Rows(rows, starts), _hashes(words))


@dataclass(frozen=True)
class Texts:
    """Some texts, whose features can be looked up."""

    features: Features
    numbered: Rows
    others: Types

    def __len__(self) -> int:
        return len(self.numbered.starts) - 1

    def rows(self, order: NDArray[np.int64]) -> Rows:
        """The features of the texts of these numbers."""
        known, ngrams = self.features._known, self.features.word_ngrams
        most = count_rows(self.numbered, order, known, self.others, ngrams.longest)
        found = Rows(np.empty(most, np.int32), np.empty(len(order) + 1, np.int64))
        fill_rows(self.numbered, order, known, self.others, ngrams, found)
        return found


class _Ids(dict[str, int]):
    """The numbers of words; -1 for one that is not known."""

    def __missing__(self, word: str) -> int:
        return -1


def _numbered(texts: Iterable[Sequence[str]], ids: _Ids) -> tuple[Rows, list[str]]:
    """The number of each word of each text, with ``</s>`` at its end; and the new words, which get the next numbers."""
    tokens: list[str] = []
    starts = [0]
    for text in texts:
        tokens += text
        tokens.append(SENTENCE_END)
        starts.append(len(tokens))
    numbers = np.fromiter(map(ids.__getitem__, tokens), np.int32, len(tokens))
    new: dict[str, int] = {}
    for place in np.flatnonzero(numbers < 0).tolist():
        numbers[place] = new.setdefault(tokens[place], len(ids) + len(new))
    return Rows(numbers, np.array(starts, np.int64)), list(new)


def _hashes(words: Iterable[str]) -> NDArray[np.uint64]:
    """fastText's hash of each word as it goes into those of n-grams: 32 bits with the sign spread to 64."""
    hashes = np.fromiter(map(hash_ngram, words), np.uint32)
    return hashes.view(np.int32).astype(np.int64).view(np.uint64)
