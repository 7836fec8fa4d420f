"""Count the pairs of words of a corpus, exactly and in bounded memory.

Where a table of all pairs would not fit into memory, only those of a part are counted, by their hash; the text is then
read once more for each of the other parts. Nothing is pruned, unlike in word2phrase and gensim.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow import interrupts
from windrow.corpus import Corpus, Vocabulary
from windrow.errors import DataError
from windrow.machine import available_memory
from windrow.phrases import kernels
from windrow.phrases.kernels import MOST_SEQUENCES, VALUE_BITS, Codes, Slots

BLOCK = 1 << 20  # tokens looked at together
_SLOT_BYTES = 16
_FIRST_SLOTS = 1 << 14
_SHARE_OF_FREE = 0.5  # of the free memory, that the table may take where nobody says how much


class PairCounts(NamedTuple):
    """The pairs that occur often enough, as ids of the corpus; arrays of shape (pairs,)."""

    firsts: NDArray[np.int64]
    lasts: NDArray[np.int64]
    betweens: list[tuple[int, ...]]  # the connector words between the two
    counts: NDArray[np.int64]
    word_counts: NDArray[np.int64]  # by id: how often each word occurs, which a given vocabulary does not say
    types: int  # distinct words, without connector words, and distinct pairs, however rare


class Coding(NamedTuple):
    """What the words of a vocabulary are to the kernels."""

    codes: Codes  # by id, and the last for -1
    connectors: int  # how many codes are those of connector words

    def blocks(self, corpus: Corpus) -> Iterator[tuple[Codes, NDArray[np.bool_]]]:
        """The codes of a corpus, and where sentences begin."""
        for first in range(0, corpus.tokens, BLOCK):
            yield self.block(corpus, first, BLOCK)

    def block(self, corpus: Corpus, first: int, size: int) -> tuple[Codes, NDArray[np.bool_]]:
        """The codes of tokens from ``first`` on, and whether sentences begin there."""
        interrupts.check()
        codes = self.codes[corpus.ids[first : first + size]]
        begins = np.zeros(len(codes), np.bool_)
        starts = slice(*np.searchsorted(corpus.starts, [first, first + len(codes)]))
        begins[corpus.starts[starts] - first] = True
        return codes, begins


def occurrences(corpus: Corpus) -> NDArray[np.int64]:
    """How often each word of the vocabulary occurs in the text, whatever the counts of the vocabulary are."""
    counts = np.zeros(len(corpus.vocabulary), np.int64)
    for first in range(0, corpus.tokens, BLOCK):
        block = corpus.ids[first : first + BLOCK]
        counts += np.bincount(block[block >= 0], minlength=len(counts))
    return counts


def coding_of(vocabulary: Vocabulary, connector_words: Collection[str]) -> Coding:
    """Connector words first, then the others; what is left out of the vocabulary, and specials, belong to no pair."""
    connector_ids = [word_id for word in sorted(connector_words) if (word_id := vocabulary.get(word)) >= 0]
    is_other = np.ones(len(vocabulary), np.bool_)
    is_other[connector_ids] = False
    codes = np.full(len(vocabulary) + 1, -1, np.int32)
    codes[connector_ids] = np.arange(len(connector_ids))
    codes[:-1][is_other] = np.arange(len(connector_ids), len(vocabulary))
    codes[: len(vocabulary.specials)] = -1
    return Coding(codes, len(connector_ids))


def count_pairs(
    corpus: Corpus,
    connector_words: Collection[str],
    min_count: int,
    memory: int | None,
    report: Callable[[float], object] = lambda done: None,
) -> PairCounts:
    """Count what may become a phrase: two words of a sentence with nothing but connector words between them.

    Words of the corpus that are left out of its vocabulary part their neighbors.

    Parameters
    ----------
    corpus : Corpus
        The text.
    connector_words : collection of str
        Words that may stand in a phrase, but not at its ends.
    min_count : int, at least 1
        Pairs that occur less often are left out, but not of ``types``.
    memory : int or None
        Bytes that the table of pairs may take; None: half of what is free.
    report : callable
        Called with how much of the text is counted, 0 to 1, a million tokens at a time.

    Raises
    ------
    DataError
        There are more than 4 million different sequences of connector words.
    """
    coding = coding_of(corpus.vocabulary, connector_words)
    counter = _Counter(corpus, coding, _most_slots(memory), report)
    kept, distinct = [], 0
    for slots, pairs in counter.parts():
        distinct += pairs
        labels = slots[1::2]
        frequent = (labels & ((1 << VALUE_BITS) - 1)) >= min_count
        kept.append(np.stack([slots[::2][frequent], labels[frequent]]))
    words, labels = np.concatenate(kept, axis=1)
    ids = np.zeros(len(corpus.vocabulary), np.int64)  # by code
    known = coding.codes[:-1] >= 0
    ids[coding.codes[:-1][known]] = np.flatnonzero(known)
    sequences = [tuple(ids[list(sequence)].tolist()) for sequence in counter.sequences()]
    is_word = coding.codes[:-1] >= coding.connectors
    word_counts = occurrences(corpus)
    return PairCounts(
        ids[words >> 32],
        ids[words & 0xFFFFFFFF],
        [sequences[number] for number in (labels >> VALUE_BITS).tolist()],
        labels & ((1 << VALUE_BITS) - 1),
        word_counts,
        distinct + int(np.count_nonzero(word_counts[is_word])),
    )


def _most_slots(memory: int | None) -> int:
    """The largest table, a power of two, of which there may be two at a time while pairs are moved."""
    if memory is None:
        free = available_memory()
        memory = 1 << 40 if free is None else int(free * _SHARE_OF_FREE)
    return int(max(1 << (memory // (2 * _SLOT_BYTES)).bit_length() - 1, _FIRST_SLOTS))


class _Counter:
    """Goes over a corpus until the pairs of all parts are counted."""

    def __init__(self, corpus: Corpus, coding: Coding, most_slots: int, report: Callable[[float], object]) -> None:
        self._corpus = corpus
        self._coding = coding
        self._most_slots = most_slots
        self._report = report
        # In natural text about one token in four is the end of a new pair.
        self._first_slots = min(most_slots, max(1 << (corpus.tokens // 4).bit_length(), _FIRST_SLOTS))
        self._bits, self._part = 0, 0  # the pairs that are counted: those of whose hashes the first bits are this part
        self._sequences: Slots = _table(_FIRST_SLOTS)
        self._known = (0, 0)  # pairs in the table, and sequences

    def parts(self) -> Iterator[tuple[Slots, int]]:
        """The tables of all parts, and how many pairs each holds."""
        while self._part < 1 << self._bits:
            yield self._count_part(), self._known[0]
            self._part += 1

    def sequences(self) -> list[tuple[int, ...]]:
        """The sequences of connector words by their numbers, as codes."""
        found: list[tuple[int, ...]] = [()]
        numbers, words = self._sequences[1::2], self._sequences[::2]
        used = np.flatnonzero(numbers)
        for word in words[used[np.argsort(numbers[used])]].tolist():  # what a sequence goes on from is known before it
            found.append((*found[word >> 32], word & 0xFFFFFFFF))
        return found

    def _count_part(self) -> Slots:
        """Count the pairs of a part, and make it half as large whenever its table is full and cannot grow."""
        pairs = _table(self._first_slots)
        self._known = (0, self._known[1])
        first, sequence = -1, 0
        for number, (codes, begins) in enumerate(self._coding.blocks(self._corpus), 1):
            at = 0
            while at < len(codes):
                at, first, sequence, *known = kernels.count_pairs(
                    codes,
                    begins,
                    self._coding.connectors,
                    (at, first, sequence),
                    pairs,
                    self._sequences,
                    self._known,
                    self._bits,
                    self._part,
                )
                self._known = (known[0], known[1])
                if at < len(codes):
                    pairs = self._with_room(pairs)
            read = min(number * BLOCK / self._corpus.tokens, 1)
            self._report((self._part + read) / (1 << self._bits))
        return pairs

    def _with_room(self, pairs: Slots) -> Slots:
        """The table of pairs, with room for more; or that of sequences gets more."""
        if self._known[1] >= _room(self._sequences):
            if 2 * self._known[1] >= MOST_SEQUENCES:
                raise DataError(
                    f"{self._corpus.name}: connector words stand in more than {self._known[1]:,} different sequences; "
                    "choose fewer connector_words"
                )
            self._sequences = _moved(self._sequences, 2)[0]
            return pairs
        if pairs.size // 2 < self._most_slots:
            return _moved(pairs, 2)[0]
        self._bits, self._part = self._bits + 1, 2 * self._part
        pairs, left = _moved(pairs, 1, self._bits, self._part)
        self._known = (left, self._known[1])
        return pairs


def _table(slots: int) -> Slots:
    return np.zeros(2 * slots, np.int64)


def _room(slots: Slots) -> int:
    """How many entries a table takes before the kernel asks for more room."""
    return 5 * (slots.size // 16)


def _moved(old: Slots, times: int, bits: int = 0, part: int = 0) -> tuple[Slots, int]:
    """The pairs of a part in a table so many times as large, and how many there are."""
    new = _table(times * old.size // 2)
    return new, int(kernels.move_pairs(old, new, bits, part))
