"""A packed trie as one number that kernels take, so that a step from word to word costs one short call.

The number is the address of a block of whole numbers: the addresses of the trie's arrays, their sizes, as float64 the
weight of unseen contexts, and the cells of a state (``steps``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from windrow.lm.ngram.kernels.packed_trie import COLUMNS, SIZE_BITS, PackedTrie
from windrow.numeric.addresses import array_at
from windrow.numeric.jit import kernel

_WORDS, _ORDER, _BYTES, _UNSEEN, _STATE, _ENTRIES = 6, 7, 8, 9, 10, 11
_BOOK = 256


def state_cells(order: int) -> int:
    """How many numbers of 8 bytes a state is: one and a half for each context, another half, rounded up."""
    return order - 1 + (order + 1) // 2


class LocatedTrie:
    """A trie that stays where it is.

    ``address``: the number for kernels, valid as long as this object lives. ``state_cells``: those of a state.
    """

    def __init__(self, trie: PackedTrie, unseen_backoff: float) -> None:
        self._trie, self._unseen_backoff = trie, unseen_backoff
        arrays = (trie.unigrams, trie.records, trie.fields, trie.books, trie.steps, trie.slot_counts)
        if not all(array.flags.c_contiguous for array in arrays):
            raise ValueError("kernels read the arrays of a trie as blocks without gaps")
        order = len(trie.fields) - 1
        self.state_cells = state_cells(order)
        sizes = (len(trie.unigrams), order, trie.records.size, 0, self.state_cells)
        self._block = np.array([*(array.ctypes.data for array in arrays), *sizes], np.int64)
        self._block[_UNSEEN : _UNSEEN + 1].view(np.float64)[0] = unseen_backoff
        self.address: int = self._block.ctypes.data

    def __reduce__(self) -> tuple[Any, ...]:
        return LocatedTrie, (self._trie, self._unseen_backoff)  # a copy, also in another process, lies elsewhere


@kernel(inline=True)  # what is compiled without reference counts returns no arrays
def trie_at(address: int) -> Any:
    """The trie at an address."""
    block = array_at(address, (_ENTRIES,), np.int64)
    words, order = block[_WORDS], block[_ORDER]
    return PackedTrie(
        array_at(block[0], (words, 4), np.uint32),
        array_at(block[0], (words, 4), np.float32),
        array_at(block[1], (block[_BYTES],), np.uint8),
        array_at(block[2], (order + 1, COLUMNS), np.int64),
        array_at(block[3], (order + 1, 2, _BOOK), np.float32),
        array_at(block[4], (order + 1, 2), np.float32),
        array_at(block[5], (1 << SIZE_BITS,), np.int64),
    )


@kernel
def unseen_backoff_at(address: int) -> Any:
    """The log10 weight of contexts that are not stored, of the trie at an address."""
    return array_at(address, (_ENTRIES,), np.float64)[_UNSEEN]


@kernel
def state_cells_at(address: int) -> Any:
    """How many cells the states of the trie at an address have."""
    return array_at(address, (_ENTRIES,), np.int64)[_STATE]


@kernel
def words_at(address: int) -> Any:
    """How many words the trie at an address has."""
    return array_at(address, (_ENTRIES,), np.int64)[_WORDS]
