"""From UTF-8 text, one sentence per line, to a stream of ids: split at white space and look each word up."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.kernels.eight_bytes import PAD, Bytes
from windrow.corpus.kernels.tokenize import after_space, word_end
from windrow.corpus.kernels.word_hash import WordHash, find_slot, home_slot, word_in, word_key
from windrow.lm.symbols import BOS, EOS, UNK
from windrow.numeric.jit import kernel
from windrow.numeric.simd import prefetch

AHEAD = 64  # words whose slots are prefetched before the first of them is read


class Pending(NamedTuple):
    """Words that are split off and to be looked up; length 0 is the end of a line."""

    keys: NDArray[np.uint64]  # (AHEAD + 1,)
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]


def new_pending() -> Pending:
    """Memory for the words between splitting and look-up."""
    return Pending(np.empty(AHEAD + 1, np.uint64), np.empty(AHEAD + 1, np.int64), np.empty(AHEAD + 1, np.int64))


@kernel
def split_words(text: Bytes, start: Any, slots: NDArray[np.uint64], pending: Pending) -> Any:
    """Split off words from byte ``start`` on; returns the byte reached, and how many words and line ends it found."""
    mask, size = np.uint64(slots.size - 2), text.size - PAD
    at, waiting = start, 0
    while at < size and waiting < AHEAD:
        stop = word_end(text, at)
        length = stop - at
        if length > 0:
            key = word_key(text, at, length)
            slot: Any = np.int64(home_slot(key) & mask)
            prefetch(slots, slot)
            pending.keys[waiting], pending.starts[waiting], pending.lengths[waiting] = key, at, length
            waiting += 1
        if text[stop] == 0x0A:
            pending.lengths[waiting] = 0
            waiting += 1
        at = after_space(text, stop)
    return at, waiting


@kernel
def find_word(text: Bytes, start: int, length: int, key: Any, table: WordHash) -> Any:
    """The id of a word of the text, that of ``<unk>`` if the table does not hold it."""
    word = word_in(find_slot(text, start, length, key, table), table)
    return word if word >= 0 else UNK


@kernel
def look_up(
    text: Bytes,
    table: WordHash,
    marks: tuple[bool, bool, bool],
    pending: Pending,
    ids: NDArray[np.int32],
    ends: NDArray[np.int64],
) -> Any:
    """Write the ids of a text, and for each sentence where it ends among them; returns how many ids there are.

    The text ends with a newline and PAD spaces. ``ids`` is large enough for every word and two more symbols per line.
    ``marks``: whether sentences begin with BOS, whether they end with EOS, and whether words spelled like these are
    left out. If not, the first such word ends the work: ``-(2 * line + word)`` is returned, lines counted from 0.
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
