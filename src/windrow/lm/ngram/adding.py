"""Counts of several texts as those of one: words get new ids, and n-grams that become the same are added up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Vocabulary
from windrow.errors import DataError
from windrow.lm.ngram.backing_off import contexts_of
from windrow.lm.ngram.counting import check_size
from windrow.lm.ngram.levels import CountLevel, Int32s, NGramCounts, gram_keys
from windrow.lm.ngram.merging import MOST
from windrow.lm.symbols import SPECIALS, UNK

Int64s = NDArray[np.int64]


class TextCounts(NamedTuple):
    """Counts of a text over all its words, and what decides the order of words that occur equally often."""

    counts: NGramCounts
    first_seen: Int64s  # (words,) where each word first occurs in the stream; ``symbols`` for those that do not
    symbols: int  # of the stream

    def of_frequent_words(self, min_count: int, max_vocab: int | None) -> TextCounts:
        """The counts of the same text where rare words are ``<unk>``, with limits as of ``lm_vocabulary``."""
        everything = self.counts.vocabulary
        vocabulary = everything.head(everything.prefix_size(min_count, max_vocab))
        if len(vocabulary) == len(SPECIALS):
            raise DataError(f"min_count = {min_count}: no word of the text occurs so often; try a lower one")
        if len(vocabulary) == len(everything):
            return self
        new_ids = np.arange(len(everything), dtype=np.int32)
        new_ids[len(vocabulary) :] = UNK
        first_seen = np.full(len(vocabulary), self.symbols, np.int64)
        np.minimum.at(first_seen, new_ids, self.first_seen)
        return TextCounts(summed([(self.counts, new_ids)], vocabulary), first_seen, self.symbols)


def joined(a: TextCounts, b: TextCounts) -> TextCounts:
    """The counts of text a and, after it, text b, with the same ids as if they had been one text."""
    symbols = a.symbols + b.symbols
    check_size(symbols)
    first = a.counts.vocabulary
    words = [*first.words, *(word for word in b.counts.vocabulary.words if word not in first)]
    everything = Vocabulary(words, np.zeros(len(words), np.int64), SPECIALS)
    first_seen = np.full(len(words), symbols, np.int64)
    for text, begin in ((a, 0), (b, a.symbols)):
        ids = everything.encode(text.counts.vocabulary.words)
        everything.counts[ids] += text.counts.vocabulary.counts
        occurs = text.first_seen < text.symbols
        first_seen[ids[occurs]] = np.minimum(first_seen[ids[occurs]], begin + text.first_seen[occurs])
    # As a corpus orders its words: of those that occur equally often, the one that first occurs later comes first.
    order = np.lexsort((-first_seen, -everything.counts))
    order = np.concatenate([np.arange(len(SPECIALS)), order[order >= len(SPECIALS)]])
    vocabulary = Vocabulary(list(map(words.__getitem__, order.tolist())), everything.counts[order], SPECIALS)
    parts = [(text.counts, vocabulary.encode(text.counts.vocabulary.words)) for text in (a, b)]
    return TextCounts(summed(parts, vocabulary), first_seen[order], symbols)


def summed(parts: Sequence[tuple[NGramCounts, Int32s]], vocabulary: Vocabulary) -> NGramCounts:
    """The sum of counts whose words get these ids in a vocabulary; they are all of one order."""
    size = len(vocabulary)
    unigrams = np.zeros(size, np.int64)
    for counts, ids in parts:
        np.add.at(unigrams, ids, counts.levels[0].counts)
    every_word = np.arange(size, dtype=np.int32)
    levels = [CountLevel(np.array([0, size], np.int32), every_word, np.zeros(size, np.int32), unigrams)]
    has_marks = all(counts.initial is not None for counts, _ in parts)
    initial = [_marks(parts, 0, size)] if has_marks else []
    places = [ids for _, ids in parts]  # of the n-grams of the order below, in the sum
    for k in range(1, parts[0][0].order):
        of_parts = [counts.levels[k] for counts, _ in parts]
        keys = [
            gram_keys(below[contexts_of(level.starts)], ids[level.words])
            for level, below, (_, ids) in zip(of_parts, places, parts, strict=True)
        ]
        union, found = np.unique(np.concatenate(keys), return_inverse=True)
        total = np.bincount(
            found, np.concatenate([level.counts for level in of_parts]), union.size
        )  # exact up to 2**53
        _check(union.size, total, k + 1)
        suffixes = np.empty(union.size, np.int32)
        suffixes[found] = np.concatenate([b[level.suffixes] for level, b in zip(of_parts, places, strict=True)])
        starts = np.searchsorted(union, np.arange(levels[-1].words.size + 1, dtype=np.int64) << 32).astype(np.int32)
        levels.append(CountLevel(starts, union.astype(np.int32), suffixes, total.astype(np.int32)))
        ends = np.cumsum([level.words.size for level in of_parts])[:-1]
        places = [part.astype(np.int32) for part in np.split(found, ends)]
        if has_marks:
            initial.append(_marks([(c, p) for (c, _), p in zip(parts, places, strict=True)], k, union.size))
    return NGramCounts(vocabulary, levels, initial or None)


def _marks(parts: Sequence[tuple[NGramCounts, Int32s]], level: int, size: int) -> NDArray[np.bool_]:
    """Which n-grams of the sum begin a sentence in any of the parts."""
    marks = np.zeros(size, np.bool_)
    for counts, places in parts:
        assert counts.initial is not None
        marks[places[np.asarray(counts.initial[level])]] = True
    return marks


def _check(ngrams: int, counts: NDArray[Any], order: int) -> None:
    if max(ngrams, counts.max(initial=0)) > MOST:
        raise DataError(f"the texts have more than {MOST:,} {order}-grams together; lower the order")
