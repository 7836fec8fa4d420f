"""From UTF-8 text to a stream of known words' ids: split at white space, find each word, a sentence a line."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.kernels.tokenize import (
    PAD,
    Bytes,
    WordTable,
    eight_at,
    first_bytes,
    home_slot,
    long_key,
    same_word,
    space_width,
    word_end,
)
from windrow.lm.symbols import BOS, EOS, UNK
from windrow.numeric.jit import kernel
from windrow.numeric.simd import prefetch

AHEAD = 64  # words whose slots are sent for before the first of them is looked at

_ZERO, _ONE, _TWO = np.uint64(0), np.uint64(1), np.uint64(2)
_S32, _LOW_32 = np.uint64(32), np.uint64(2**32 - 1)
_LONG = 9  # stands for every length above 8, as in ``tokenise``


class Pending(NamedTuple):
    """Words that were split off and wait to be looked up; length 0 is the end of a line."""

    keys: NDArray[np.uint64]  # (AHEAD + 1,)
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]


def new_pending() -> Pending:
    """Room for words that wait."""
    return Pending(np.empty(AHEAD + 1, np.uint64), np.empty(AHEAD + 1, np.int64), np.empty(AHEAD + 1, np.int64))


@kernel
def split_words(text: Bytes, start: Any, slots: NDArray[np.uint64], pending: Pending) -> Any:
    """Split off words from byte ``start`` on; the byte reached, and how many words and ends of lines wait."""
    mask, size = np.uint64(slots.size - 2), text.size - PAD
    at, waiting = start, 0
    while at < size and waiting < AHEAD:
        stop = word_end(text, at)
        length = stop - at
        if length > 0:
            key = first_bytes(eight_at(text, at), length) if length <= 8 else long_key(text, at, length)
            slot: Any = np.int64(home_slot(key) & mask)
            prefetch(slots, slot)
            pending.keys[waiting], pending.starts[waiting], pending.lengths[waiting] = key, at, length
            waiting += 1
        if text[stop] == 0x0A:
            pending.lengths[waiting] = 0
            waiting += 1
        at = stop + 1 if text[stop] <= 0x20 else stop + space_width(eight_at(text, stop))
    return at, waiting


@kernel
def find_word(text: Bytes, start: int, length: int, key: Any, table: WordTable) -> Any:
    """The id of a word of the text, that of unknown words if the table does not hold it."""
    slots = table.slots
    mask, kind = np.uint64(slots.size - 2), np.uint64(min(length, _LONG))
    slot = home_slot(key) & mask
    while slots[slot + _ONE] != _ZERO:
        label = slots[slot + _ONE]
        if slots[slot] == key and label >> _S32 == kind:
            word = np.int64(label & _LOW_32) - 1
            if length <= 8 or same_word(text, start, length, table.offsets, table.arena, word):
                return word
        slot = (slot + _TWO) & mask
    return np.int64(UNK)


@kernel
def look_up(
    text: Bytes,
    table: WordTable,
    marks: tuple[bool, bool, bool],
    pending: Pending,
    ids: NDArray[np.int32],
    ends: NDArray[np.int64],
) -> Any:
    """Write the ids of a text, a sentence a line, and how many come before the end of each; how many ids there are.

    The text ends with a newline and PAD spaces. ``ids`` has room for every word and two more symbols a line. ``marks``:
    whether sentences begin with BOS, whether they end with EOS, and whether words that spell one of these are left out;
    if not, the first such word is returned with its line, counted from 0: ``-(2 * line + word)``.
    """
    bos, eos, skips = marks
    at = written = lines = 0
    if bos and ends.size > 0:
        ids[0] = BOS
        written = 1
    while at < text.size - PAD:
        at, waiting = split_words(text, at, table.slots, pending)
        for i in range(waiting):
            length = pending.lengths[i]
            if length > 0:
                word = find_word(text, pending.starts[i], length, pending.keys[i], table)
                ids[written] = word
                is_mark = word in (BOS, EOS)
                if is_mark and not skips:
                    return -(2 * lines + word)
                written += not is_mark
                continue
            if eos:
                ids[written] = EOS
                written += 1
            ends[lines] = written
            lines += 1
            if bos and lines < ends.size:
                ids[written] = BOS
                written += 1
    return written


@kernel
def sum_sentences(scores: NDArray[Any], ends: NDArray[np.int64], sums: NDArray[np.float64]) -> None:
    """Add up the scores of each sentence, which ends before ``ends``."""
    start = 0
    for sentence in range(ends.size):
        total = 0.0
        for i in range(start, ends[sentence]):
            total += scores[i]
        sums[sentence] = total
        start = ends[sentence]
