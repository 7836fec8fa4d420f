"""List the n-grams of a packed table order by order, in blocks, so that memory stays small whatever their number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Vocabulary
from windrow.errors import FormatError
from windrow.lm.ngram.kernels import walk
from windrow.lm.ngram.kernels.arpa import Rows
from windrow.lm.ngram.kernels.packed_trie import PackedTrie
from windrow.lm.ngram.levels import Int32s
from windrow.lm.ngram.packing import Packed

_SLOTS = 1 << 16  # about as many n-grams are in a block


class NGram(NamedTuple):
    """One n-gram of a model, as a line of an ARPA file.

    Attributes
    ----------
    words : tuple of str
        Its words; the first may be ``<s>``, the last ``</s>``.
    log10_prob : float
        log10 of the probability of the last word after the others; minus infinity for 0, as of ``<s>``.
    log10_backoff : float
        log10 of the weight of shorter contexts after these words; 0 in the highest order, which has none.
    """

    words: tuple[str, ...]
    log10_prob: float
    log10_backoff: float


class GramBlock(NamedTuple):
    """Some n-grams of one order, sorted by their ids; numbers are as they are stored."""

    ids: Int32s  # (n, order)
    log10_probs: NDArray[np.float32]  # (n,)
    addresses: NDArray[np.int64]  # (n,) -1 for those of the highest order that have none, see ``packed_trie``

    def part(self, rows: slice | NDArray[np.bool_]) -> GramBlock:
        """Some of them."""
        return GramBlock(self.ids[rows], self.log10_probs[rows], self.addresses[rows])


def blocks_of(packed: Packed, order: int, prefix: Sequence[int] = ()) -> Iterator[GramBlock]:
    """The n-grams of an order that begin with the words of ``prefix``, sorted by their ids.

    Each order is read from the one below, block by block. FormatError for a table that does not fit its sizes.
    """
    if len(prefix) > order:
        return iter(())
    blocks = iter([_unigrams(packed, prefix)])
    for below in range(1, order):
        blocks = _longer(packed, below, blocks, prefix)
    return blocks


def _unigrams(packed: Packed, prefix: Sequence[int]) -> GramBlock:
    ids = np.array(prefix[:1] if prefix else np.arange(packed.layout.words), np.int32)
    return GramBlock(ids[:, None], packed.trie.floats[ids, 0], ids.astype(np.int64))


def _longer(packed: Packed, order: int, blocks: Iterator[GramBlock], prefix: Sequence[int]) -> Iterator[GramBlock]:
    """The n-grams of ``order + 1`` whose contexts are in blocks of ``order``."""
    left = packed.sizes[order]
    for contexts in blocks:
        for part in _parts(packed.trie, order, contexts):
            grams = _successors(packed, order, part)
            left -= len(grams.ids)
            if left < 0:  # of lists that overlap there may be any number
                raise FormatError(f"it does not hold {packed.sizes[order]} n-grams of order {order + 1}")
            if order < len(prefix):
                grams = grams.part(grams.ids[:, order] == prefix[order])
            if len(grams.ids):
                yield grams
    if left and not prefix:
        raise FormatError(f"it does not hold {packed.sizes[order]} n-grams of order {order + 1}")


def _parts(trie: PackedTrie, order: int, contexts: GramBlock) -> Iterator[tuple[GramBlock, int]]:
    """Contexts, as many at a time as have about ``_SLOTS`` successors, or one; and how many these can have."""
    slots = np.empty(len(contexts.addresses), np.int64)
    walk.successor_slots(trie, order, contexts.addresses, slots)
    ends, first, before = np.cumsum(slots), 0, 0
    while first < len(slots):
        last = max(first + 1, int(np.searchsorted(ends, before + _SLOTS, "right")))
        yield contexts.part(slice(first, last)), int(ends[last - 1]) - before
        first, before = last, int(ends[last - 1])


def _successors(packed: Packed, order: int, part: tuple[GramBlock, int]) -> GramBlock:
    """The n-grams that go on from contexts."""
    contexts, most = part
    starts = np.empty(len(contexts.ids) + 1, np.int32)
    words, probs, addresses = np.empty(most, np.int32), np.empty(most, np.float32), np.empty(most, np.int64)
    found = walk.unpack_level(packed.trie, order, contexts.addresses, starts, words, probs, addresses)
    if found < 0:
        raise FormatError(f"it does not hold {packed.sizes[order]} n-grams of order {order + 1}")
    addresses = addresses[:found]
    if order + 1 < len(packed.sizes) and addresses.min(initial=0) < 0:  # of the highest order alone some have none
        raise FormatError(f"an n-gram of order {order + 1} has no address")
    ids = np.column_stack([np.repeat(contexts.ids, np.diff(starts), axis=0), words[:found]])
    return GramBlock(ids, probs[:found], addresses)


def as_ngrams(rows: Rows, vocabulary: Vocabulary) -> Iterator[NGram]:
    """N-grams of one order with words in the place of ids."""
    columns = [map(vocabulary.words.__getitem__, column) for column in rows.ids.T.tolist()]
    return map(NGram, zip(*columns, strict=True), rows.log10_probs.tolist(), rows.log10_backoffs.tolist())
