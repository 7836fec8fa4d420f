"""The table that n-gram models answer from: about ten bytes per n-gram, mapped from its file, fast to query.

Log10 probabilities and back-offs are rounded to about 1e-6 (those of single words are float32). The module
``kernels.packed_trie`` shows how the table lies in memory.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from math import isnan, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Vocabulary
from windrow.errors import FormatError, OptionError, check_range, check_whole
from windrow.lm.next_word import check_state
from windrow.lm.ngram.codebooks import BOOK_BITS
from windrow.lm.ngram.kernels import packed_trie, query, steps, walk
from windrow.lm.ngram.kernels.arpa import Rows
from windrow.lm.ngram.kernels.located import LocatedTrie
from windrow.lm.ngram.levels import BackoffModel, Int32s
from windrow.lm.ngram.listing import blocks_of
from windrow.lm.ngram.packing import Packed, pack, unpack
from windrow.lm.ngram.record_layout import RecordLayout, TrieLayout, most_slots, word_bits
from windrow.lm.ngram.states import NGramState, NGramStates
from windrow.lm.symbols import BOS, EOS, UNK

_ARRAYS = {
    "unigrams": np.dtype(np.uint32),
    "records": np.dtype(np.uint8),
    "books": np.dtype(np.float32),
    "steps": np.dtype(np.float32),
    "slot_counts": np.dtype(np.int64),
}


_NO_BITS = (0, 0)
_MOST_BITS = ((1, 24), (1, 24), (1 + packed_trie.SIZE_BITS, 57))  # of log10 p, back-off, successors


class NGramTable:
    """A packed back-off model, which scores ids; all scores are log10 probabilities.

    ``score`` answers whole streams (``kernels.query``), ``score_next`` word by word (``kernels.steps``); both give the
    same numbers up to rounding. Make a table with ``pack`` or ``from_arrays``.
    """

    def __init__(
        self, vocabulary: Vocabulary, packed: Packed, unseen_backoff: float = 0.0, name: str = "the n-gram table"
    ) -> None:
        self.vocabulary = vocabulary
        self.unseen_backoff = unseen_backoff
        self._packed = packed
        self.name = name  # for messages: that of its file
        self.trie = packed.trie
        self.located = LocatedTrie(self.trie, unseen_backoff)
        self.blank = NGramState(8 * self.located.state_cells)  # the state in which nothing is known

    def __repr__(self) -> str:
        return f"NGramTable(order={self.order}, sizes={self.sizes})"

    @property
    def order(self) -> int:
        """The highest order."""
        return len(self.sizes)

    @property
    def sizes(self) -> list[int]:
        """How many n-grams each order has."""
        return self._packed.sizes

    @property
    def suffix_closed(self) -> bool:
        """Whether every stored n-gram without its first word is stored, too."""
        return self._packed.suffix_closed

    @property
    def bytes_per_ngram(self) -> float:
        """Bytes of all arrays over the number of n-grams."""
        return sum(array.nbytes for array in self.arrays().values()) / max(1, sum(self.sizes))

    # --- packing and storing

    @classmethod
    def pack(
        cls,
        model: BackoffModel,
        *,
        quantize_bits: int | None = None,
        suffix_closed: bool | None = None,
        consume: bool = False,
    ) -> NGramTable:
        """Pack a model.

        Parameters
        ----------
        model : BackoffModel
            The sorted levels.
        quantize_bits : int from 2 to 8, or None, default None
            Bits of each log10 probability and back-off, for a smaller and less exact table. None: as many as about 1e-6
            needs.
        suffix_closed : bool or None, default None
            Whether every stored n-gram without its first word is stored, too, so that scoring may skip probes. None:
            find out.
        consume : bool, default False
            Drop each order from ``model.levels`` once it is packed, to save memory.
        """
        if quantize_bits is not None:
            quantize_bits = check_whole("quantize_bits", quantize_bits, 2, BOOK_BITS)
        return cls(model.vocabulary, pack(model, quantize_bits, suffix_closed, consume), model.unseen_backoff)

    def unpack(self) -> BackoffModel:
        """The model, its numbers as they were rounded; FormatError if the table is damaged."""
        with self._telling_damage():
            return unpack(self._packed, self.vocabulary, self.unseen_backoff)

    def ngrams(self, order: int, prefix: Sequence[int] = ()) -> Iterator[Rows]:
        """The n-grams of an order that begin with the ids of ``prefix``, sorted by their ids, in blocks.

        Of the highest order all back-offs are 0. FormatError if the table is damaged.
        """
        with self._telling_damage():
            for grams in blocks_of(self._packed, order, prefix):
                backoffs = np.zeros(len(grams.ids), np.float32)
                if order < self.order:
                    walk.stored_backoffs(self.trie, order, grams.addresses, backoffs)
                    backoffs += self.unseen_backoff
                yield Rows(grams.ids, grams.log10_probs + (order - 1) * self.unseen_backoff, backoffs)

    @contextmanager
    def _telling_damage(self) -> Iterator[None]:
        """Within, a FormatError says which table is damaged, and what helps."""
        try:
            yield
        except FormatError as error:
            raise FormatError(f"{self.name} is damaged: {error}; take it from a copy, or make it again") from error

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays of a model file."""
        return {name: getattr(self.trie, name) for name in _ARRAYS}

    def config(self) -> dict[str, Any]:
        """What a model file holds beside the arrays, as plain JSON data."""
        layout = self._packed.layout
        return {
            "sizes": self.sizes,
            "inner_slots": layout.inner_slots,
            "outer_slots": layout.outer_slots,
            "layouts": [list(records) for records in layout.orders],
            "suffix_closed": self._packed.suffix_closed,
            "unseen_backoff": self.unseen_backoff,
        }

    @classmethod
    def from_arrays(
        cls,
        arrays: Mapping[str, NDArray[Any]],
        config: Mapping[str, Any],
        vocabulary: Vocabulary,
        path: str | os.PathLike[str],
    ) -> NGramTable:
        """The inverse of ``arrays`` and ``config``, without a copy; FormatError names ``path``."""
        try:
            sizes = [check_whole("size", size) for size in config["sizes"]]
            slots = [check_whole(name, config[name]) for name in ("inner_slots", "outer_slots")]
            orders = [RecordLayout(*(check_whole("bits", number) for number in fields)) for fields in config["layouts"]]
            unseen_backoff, suffix_closed = float(config["unseen_backoff"]), bool(config["suffix_closed"])
            parts = {name: np.ascontiguousarray(arrays[name]) for name in _ARRAYS}
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"{path}: the n-gram table is not fully described ({error!r})") from error
        layout = TrieLayout(len(vocabulary), slots[0], slots[1], orders)
        if not -np.inf < unseen_backoff <= 0:
            raise FormatError(f"{path}: unseen_backoff = {unseen_backoff} is no log10 of a weight up to 1")
        _check(sizes, layout, parts, path)
        trie = packed_trie.PackedTrie(**parts, floats=parts["unigrams"].view(np.float32), fields=layout.fields())
        return cls(vocabulary, Packed(trie, layout, sizes, suffix_closed), unseen_backoff, os.fspath(path))

    # --- scoring

    def score(self, stream: Int32s) -> NDArray[np.float32]:
        """log10 p of each symbol of a stream given those before it in its sentence, 0 at BOS; shape (symbols,)."""
        return self._score(stream, np.zeros(0, np.int8))

    def score_with_orders(self, stream: Int32s) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
        """The result of ``score``, and the order of the longest n-gram found at each symbol, 0 at BOS."""
        orders = np.empty(len(stream), np.int8)
        return self._score(stream, orders), orders

    def _score(self, stream: Int32s, orders: NDArray[np.int8]) -> NDArray[np.float32]:
        stream = np.ascontiguousarray(stream, np.int32)
        self._check_ids(stream)
        scores = np.empty(stream.size, np.float32)
        slack = 0 if self._packed.suffix_closed else self.order
        query.score(self.trie, stream, slack, query.new_scratch(self.order), scores, orders)
        if self.unseen_backoff:
            query.add_unseen(stream, self.order - 1, self.unseen_backoff, scores)
        return scores

    def _check_ids(self, stream: NDArray[np.integer]) -> None:
        words = len(self.trie.unigrams)
        if stream.size and not 0 <= stream.min() <= stream.max() < words:
            raise OptionError(f"ids must be from 0 to {words - 1}, not {stream.min()} to {stream.max()}")

    def with_zeros(self, log10_of_zero: float, of_unknown: float) -> NGramTable:
        """A table that answers these finite numbers where log10 p is minus infinity, the second for ``<unk>``."""
        unigrams, books = self.trie.unigrams.copy(), self.trie.books.copy()
        floats = unigrams.view(np.float32)
        if np.isneginf(floats[UNK, packed_trie.UNIGRAM_PROB]):
            floats[UNK, packed_trie.UNIGRAM_PROB] = of_unknown
        for probs in (floats[:, packed_trie.UNIGRAM_PROB], books[:, 0]):
            probs[np.isneginf(probs)] = log10_of_zero
        trie = self.trie._replace(unigrams=unigrams, floats=floats, books=books)
        return NGramTable(self.vocabulary, self._packed._replace(trie=trie), self.unseen_backoff, self.name)

    # --- from left to right

    def start(self, ids: Sequence[int] | Int32s = ()) -> NGramState:
        """The state after these ids, of which the first is usually BOS."""
        state = self.blank
        for word_id in ids:
            _, state = self.score_next(state, int(word_id))
        return state

    @cached_property
    def begun(self) -> NGramState:
        """The state at the beginning of a sentence."""
        return self.start([BOS])

    @cached_property
    def stepping(self) -> tuple[Callable[..., float], int, int, Mapping[str, int]]:
        """What a step in Python needs: ``steps.step``, its first argument, the bytes of a state, the ids of words."""
        return steps.direct_step(), self.located.address, len(self.blank), self.vocabulary.ids

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "stepping"}  # a copy lies elsewhere

    def score_next(self, state: NGramState, word_id: int) -> tuple[float, NGramState]:
        """log10 p of one more word, and the state after it; at BOS log10 p is 0 and all before it is forgotten."""
        score, _, new_state = self.full_score_next(state, word_id)
        return score, new_state

    def full_score_next(self, state: NGramState, word_id: int) -> tuple[float, int, NGramState]:
        """``score_next``, and before the new state the order of the longest n-gram found, 0 at BOS."""
        new_state = NGramState(len(self.blank))  # filled by the kernel, before anybody else sees it
        try:
            score, order = steps.direct_full_step()(self.located.address, state, word_id, new_state)
        except (BufferError, OverflowError, TypeError):
            score, order = nan, 0
        if isnan(score):  # to check each time beforehand would take as long as the step
            self._check_ids(np.array([word_id]))
            check_state(False)
        return score, order, new_state

    def score_next_each(
        self, states: NGramStates, word_ids: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NGramStates]:
        """``score_next`` from several states by a word each, (n,)."""
        cells = np.ascontiguousarray(states.cells)
        new_cells = np.empty((word_ids.size, self.located.state_cells), np.int64)
        scores = np.empty(word_ids.size)
        total = steps.step_each(self.located.address, cells.reshape(-1), word_ids, new_cells.reshape(-1), scores)
        if isnan(total):
            self._check_ids(word_ids)
            check_state(False)
        return scores, NGramStates(new_cells)

    def score_after(
        self, state: NGramState, word_ids: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], float]:
        """log10 p of words one after another, the orders of the longest n-grams, 0 at BOS, and the sum of the first."""
        scores, orders = np.empty(word_ids.size), np.empty(word_ids.size, np.int64)
        cells = np.frombuffer(bytearray(state) * 2, np.int64)
        total = steps.step_through(self.located.address, cells, word_ids, scores, orders)
        if isnan(total):
            self._check_ids(word_ids)
            check_state(False)
        return scores, orders, total

    def distribution(self, state: NGramState) -> NDArray[np.float64]:
        """Probabilities of the next word, shape (words,), 0 for BOS: 10 ** log10 p of ``score_next``.

        Their sum is 1 within 1e-5, as numbers are rounded, unless the smoothing is one whose scores do not sum to 1.
        """
        weights = self.context_weights(state)
        with np.errstate(over="ignore", invalid="ignore"):  # a file from elsewhere may have any back-off
            probs: NDArray[np.float64] = self._unigram_probs * 10.0 ** weights[0]
            for length in range(1, self.order):
                words, log10_probs = self._stored(state, length)
                probs[words] = 10.0 ** (log10_probs + weights[length])
        probs[BOS : BOS + 1] = 0.0
        return probs

    def successors(self, state: NGramState, length: int) -> tuple[Int32s, NDArray[np.float64]]:
        """The words stored after the last ``length`` words, and their log10 p after exactly that context.

        Empty where the context is not stored. Length 0 is the empty context, after which every word is stored.
        """
        check_range("length", length, 0, self.order - 1)
        if length == 0:
            return np.arange(len(self.trie.unigrams), dtype=np.int32), self.trie.floats[:, 0].astype(np.float64)
        words, log10_probs = self._stored(state, length)
        return words, log10_probs + length * self.unseen_backoff

    @cached_property
    def _unigram_probs(self) -> NDArray[np.float64]:
        return 10.0 ** self.trie.floats[:, 0].astype(np.float64)

    def context_weights(self, state: NGramState) -> NDArray[np.float64]:
        """By length of a context: the sum of the log10 back-offs of all longer ones; shape (order,)."""
        check_state(isinstance(state, NGramState) and len(state) == len(self.blank))
        *backoffs, contexts = np.frombuffer(state, np.float32)[2 * (self.order - 1) :][: self.order].tolist()
        weights: NDArray[np.float64] = np.cumsum([0.0, *reversed(backoffs)])[::-1] + self.unseen_backoff * contexts
        return weights

    def _stored(self, state: NGramState, length: int) -> tuple[Int32s, NDArray[np.float64]]:
        """The successors of a context of that length, with log10 p as stored; sorted by word."""
        lie_in, size = np.frombuffer(state, np.uint64)[length - 1], 0
        while lie_in:  # once to learn how many there are, then to read them
            words, probs, addresses = np.empty(size, np.int32), np.empty(size, np.float32), np.empty(size, np.int64)
            found = walk.successors(self.trie, length, lie_in, words, probs, addresses)
            if found <= size:
                order = np.argsort(words[:found])
                return words[order], probs[order].astype(np.float64)
            size = found
        return np.zeros(0, np.int32), np.zeros(0)


def _check(
    sizes: Sequence[int],
    layout: TrieLayout,
    arrays: Mapping[str, NDArray[Any]],
    path: str | os.PathLike[str],
) -> None:
    """Raise FormatError unless kernels can read the arrays without leaving them; reads none of the long ones."""
    order, words = len(layout.orders) + 1, layout.words
    fits = len(sizes) == order and min(sizes) >= 0 and sizes[0] == words > EOS
    fits = fits and 0 <= layout.inner_slots < 2**32 and 0 <= layout.outer_slots < 2**40
    fits = fits and len({records.width for records in layout.orders[:-1]}) <= 1
    for k, records in enumerate(layout.orders, 2):
        fields = _MOST_BITS if k < order else (_MOST_BITS[0], _NO_BITS, _NO_BITS)
        in_range = all(low <= bits <= high for bits, (low, high) in zip(records[1:], fields, strict=True))
        fits = fits and in_range and word_bits(words) + sum(records[1:]) <= 8 * records.width <= 128
    if not fits:
        raise FormatError(f"{path}: the sizes and fields of the n-gram table do not agree with its {words} words")
    if sum(sizes[1:]) > layout.record_bytes:  # what is made to hold them is bounded by the file
        raise FormatError(f"{path}: {layout.record_bytes:,} bytes do not hold {sum(sizes[1:]):,} n-grams")
    shapes = {
        "unigrams": (words, 4),
        "records": (layout.record_bytes,),
        "books": (order + 1, 2, 1 << BOOK_BITS),
        "steps": (order + 1, 2),
        "slot_counts": (1 << packed_trie.SIZE_BITS,),
    }
    for name, array in arrays.items():
        if array.shape != shapes[name] or array.dtype != _ARRAYS[name]:
            raise FormatError(f"{path}: {name} is {array.dtype} {array.shape}, not {_ARRAYS[name]} {shapes[name]}")
    longest = int(arrays["slot_counts"].max())  # the most slots that one probe looks at
    bounded = arrays["slot_counts"].min() >= 0 and arrays["unigrams"][:, 3].max() <= longest <= most_slots(words)
    numbers = arrays["unigrams"][:, :2].view(np.float32)
    sound = numbers.max() < np.inf and arrays["books"].max() < np.inf  # nor NaN: no comparison with it holds
    if not bounded or not sound or not np.isfinite(arrays["steps"]).all():
        raise FormatError(f"{path}: the n-gram table holds slot counts or numbers that are out of range")
