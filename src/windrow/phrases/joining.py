"""Replace pairs of words by phrases: in lists of words, and in a corpus."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Corpus
from windrow.corpus.encoded import make_corpus
from windrow.corpus.numbering import Numbered
from windrow.corpus.writing import LeftOut, write_numbered
from windrow.phrases import kernels
from windrow.phrases.counting import BLOCK, Coding, occurrences
from windrow.phrases.kernels import Codes, Slots

_LIST_TOKENS = 1 << 16  # tokens of lists that are joined at a time


class _Tables(NamedTuple):
    """The phrases as the kernel reads them."""

    codes: dict[str, int]  # of words: first the connector words, then the first and last words of phrases
    connectors: int
    phrases: Slots
    sequences: Slots


class PhraseTable:
    """The phrases of one pass, each a tuple of its words: the first, connector words, the last."""

    def __init__(
        self,
        phrases: Sequence[tuple[str, ...]],
        scores: Sequence[float],
        delimiter: str,
        connector_words: Collection[str],
    ) -> None:
        self.phrases = phrases
        self.scores = scores
        self.names = [delimiter.join(words) for words in phrases]
        self._connector_words = connector_words

    def rows(self) -> list[tuple[str, float]]:
        """The phrases, joined, and their scores."""
        return list(zip(self.names, self.scores, strict=True))

    @cached_property
    def _tables(self) -> _Tables:
        codes = {word: code for code, word in enumerate(sorted({w for words in self.phrases for w in words[1:-1]}))}
        for word in sorted(set(self._connector_words) - codes.keys()):
            codes[word] = len(codes)
        connectors = len(codes)
        for words in self.phrases:
            for word in (words[0], words[-1]):
                codes.setdefault(word, len(codes))
        sequences: dict[tuple[int, ...], int] = {(): 0}
        steps = []
        betweens = []
        for words in self.phrases:
            between = tuple(codes[word] for word in words[1:-1])
            for length in range(1, len(between) + 1):
                if between[:length] not in sequences:
                    steps.append(sequences[between[: length - 1]] << 32 | between[length - 1])
                    sequences[between[:length]] = len(steps)
            betweens.append(sequences[between])
        pairs = [codes[words[0]] << 32 | codes[words[-1]] for words in self.phrases]
        return _Tables(codes, connectors, _entered(pairs, betweens), _entered(steps, [0] * len(steps)))

    def coding(self, corpus: Corpus) -> Coding:
        """What the words of a corpus are to the phrases."""
        code_of = self._tables.codes.get
        words = corpus.vocabulary.words
        codes = np.fromiter((code_of(word, -1) for word in words), np.int32, len(words))
        codes[: len(corpus.vocabulary.specials)] = -1
        return Coding(np.append(codes, np.int32(-1)), self._tables.connectors)

    def join_block(self, codes: Codes, begins: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int64], int]:
        """What ``kernels.join_pairs`` finds: positions of words and -n for phrase n; places; and where to go on."""
        joined, places = np.empty(len(codes), np.int32), np.empty(len(codes) + 1, np.int64)
        tables = self._tables
        size, rest = kernels.join_pairs(
            codes, begins, tables.connectors, tables.phrases, tables.sequences, joined, places
        )
        return joined[:size], places, rest

    def join_lists(self, sentences: Iterable[list[str]]) -> Iterator[list[str]]:
        """Sentences of words with phrases in the place of pairs, some thousand tokens at a time."""
        batch: list[list[str]] = []
        size = 0
        for sentence in sentences:
            batch.append(sentence)
            size += len(sentence) + 1
            if size >= _LIST_TOKENS:
                yield from self._join_batch(batch)
                batch, size = [], 0
        yield from self._join_batch(batch)

    def _join_batch(self, sentences: list[list[str]]) -> Iterator[list[str]]:
        # A token of no phrase ends each sentence, so that no pair goes over it, and empty sentences have their place.
        words = [word for sentence in sentences for word in (*sentence, "")]
        ends = np.cumsum([len(sentence) + 1 for sentence in sentences])
        if not words:
            return
        code_of = self._tables.codes.get
        codes = np.fromiter((code_of(word, -1) for word in words), np.int32, len(words))
        codes[ends - 1] = -1
        joined, places, _ = self.join_block(codes, np.zeros(len(words), np.bool_))
        names = self.names
        tokens = [words[place] if place >= 0 else names[-place - 1] for place in joined.tolist()]
        first = 0
        for last in places[ends - 1].tolist():
            yield tokens[first:last]
            first = last + 1


def _entered(pairs: list[int], betweens: list[int]) -> Slots:
    """A table of pairs, numbered from 1 on, at most half full."""
    slots = np.zeros(2 << (2 * len(pairs) + 1).bit_length(), np.int64)
    kernels.enter_pairs(slots, np.array(pairs, np.int64), np.array(betweens, np.int32))
    return slots


def join_corpus(corpus: Corpus, table: PhraseTable, path: str | os.PathLike[str] | None = None) -> tuple[Corpus, int]:
    """A corpus with phrases in the place of pairs, at ``path`` or in a temporary folder; and how many were joined.

    It is the one that ``Corpus.build`` would make of the joined text, but for what the earlier one left out, which
    stays so.
    """
    numbering = _Numbering(corpus, table)

    def write(folder: Path) -> None:
        info = corpus.info()
        types = int(np.count_nonzero(occurrences(corpus)))  # <unk> is one of them, but stays a word that is kept
        left_out = LeftOut(corpus.tokens - info["kept_tokens"], info["types"] - types)
        limits = {name: info[name] for name in ("min_count", "max_vocab")}
        settings = {**corpus.reader.stored(), **limits}
        specials = corpus.vocabulary.specials
        write_numbered(folder, numbering.batches(), numbering, settings, specials, corpus.name, left_out=left_out)

    return make_corpus(write, path, corpus.name, corpus.reader), numbering.joined


class _Numbering:
    """Numbers the words of a joined corpus as they first occur."""

    def __init__(self, corpus: Corpus, table: PhraseTable) -> None:
        self.joined = 0  # pairs
        self._corpus = corpus
        self._table = table
        vocabulary = corpus.vocabulary
        new_words = [name for name in dict.fromkeys(table.names) if name not in vocabulary]
        self._words = [*vocabulary.words, *new_words]
        new_ids = {word: len(vocabulary) + place for place, word in enumerate(new_words)}
        self._phrase_ids = np.array([new_ids.get(name, vocabulary.get(name)) for name in table.names], np.int32)
        self._numbers = np.full(len(self._words) + 1, -1, np.int32)  # by id in _words; the last is that of -1
        self._seen = np.empty(0, np.int64)  # ids in _words, as they first occur
        self._counts = np.zeros(len(self._words), np.int64)

    @property
    def counts(self) -> NDArray[np.int64]:
        """How often each word was seen."""
        return self._counts[self._seen]

    def words(self) -> list[str]:
        """The words by number."""
        return [self._words[word_id] for word_id in self._seen.tolist()]

    def batches(self) -> Iterator[Numbered]:
        """The numbers, block by block. A block ends before a first word whose phrase may end in the next one."""
        coding, starts, tokens = self._table.coding(self._corpus), self._corpus.starts, self._corpus.tokens
        first, ended, size = 0, 1, BLOCK
        while first < tokens:
            codes, begins = coding.block(self._corpus, first, size)
            joined, places, rest = self._table.join_block(codes, begins)
            is_last = first + len(codes) == tokens
            if rest == 0 and not is_last:  # nothing but connector words follows
                size *= 2
                continue
            rest = len(codes) if is_last else rest
            ending = len(starts) if is_last else int(np.searchsorted(starts, first + rest))
            ends = places[starts[ended:ending] - first]
            yield Numbered(self._numbered(self._ids(joined[: places[rest]], first)), ends)
            first, ended, size = first + rest, ending, BLOCK

    def _ids(self, joined: NDArray[np.int32], first: int) -> NDArray[np.int32]:
        """Ids in ``_words``, -1 for words left out, of positions after ``first`` and phrases."""
        is_phrase = joined < 0
        self.joined += int(np.count_nonzero(is_phrase))
        ids: NDArray[np.int32] = self._corpus.ids[first + np.maximum(joined, 0)]
        ids[is_phrase] = self._phrase_ids[-joined[is_phrase] - 1]
        return ids

    def _numbered(self, ids: NDArray[np.int32]) -> NDArray[np.int32]:
        known = ids[ids >= 0]
        self._counts += np.bincount(known, minlength=len(self._counts))
        fresh, places = np.unique(known[self._numbers[known] < 0], return_index=True)
        fresh = fresh[np.argsort(places)]
        self._numbers[fresh] = np.arange(len(self._seen), len(self._seen) + len(fresh))
        self._seen = np.append(self._seen, fresh)
        numbers: NDArray[np.int32] = self._numbers[ids]
        return numbers
