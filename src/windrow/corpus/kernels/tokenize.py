"""From UTF-8 text to ids: split at white space, find each word in a hash table, count it.

Words are split off a batch at a time, and looked up when all their slots are on the way to the processor.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.kernels.eight_bytes import PAD, Bytes
from windrow.corpus.kernels.white_space import BLOCK, ascii_spaces, count_bits, longer_spaces, lowest_bit
from windrow.corpus.kernels.word_hash import WordHash, enter_word, find_slot, first_slot, word_in, word_key
from windrow.numeric.jit import kernel
from windrow.numeric.simd import prefetch

AHEAD = 128  # words of a batch, at most
LINES = BLOCK  # ends of lines for which there must be room

_AT_ONCE = 8  # edges that are written without a look at how many there are
_NONE, _ONE, _TWO = np.uint64(0), np.uint64(1), np.uint64(2)
_S62, _S63 = np.uint64(62), np.uint64(63)


class WordBatch(NamedTuple):
    """Words that are split off and to be looked up."""

    edges: NDArray[np.int64]  # (2 * AHEAD and some,): the start of a word, where it stops, the start of the next one
    keys: NDArray[np.uint64]  # (AHEAD,)
    rests: NDArray[np.uint64]
    slots: NDArray[np.uint64]  # where the search for each begins


def new_batch() -> WordBatch:
    """Memory for the words between splitting and look-up."""
    return WordBatch(np.empty(2 * AHEAD + _AT_ONCE, np.int64), *(np.empty(AHEAD, np.uint64) for _ in range(3)))


@kernel
def write_places(bits: Any, at: Any, places: NDArray[np.int64], written: Any) -> Any:
    """Append ``at`` and more for each bit that is set; returns how many are written now."""
    stop = written + count_bits(bits)
    while written < stop:
        # Always so many, of which the last may be none: a loop that ends as it likes would cost a wrong guess a block.
        for i in range(_AT_ONCE):
            places[written + i] = at + lowest_bit(bits)
            bits &= bits - _ONE
        written += _AT_ONCE
    return stop


@kernel
def split_words(
    text: Bytes,
    start: Any,
    slots: NDArray[np.uint64],
    batch: WordBatch,
    before: Any,
    ends: NDArray[np.int64],
    lines: Any,
) -> Any:
    """Split off up to AHEAD words from byte ``start`` on, and stop where ``ends`` lacks room for the LINES of a block.

    ``ends`` gets, from ``lines`` on, for each newline the number of words before it; ``before``: of those before
    ``start``. Returns the byte reached, the numbers of words found and of all ends. The text has PAD spaces at its end.
    """
    edges, size = batch.edges, text.size - PAD
    at: Any = np.int64(start)
    found = 0
    carried, last = _NONE, _ONE  # bytes of white space that began in the block before; whether its last byte was one
    while at < size and found <= 2 * AHEAD - BLOCK and lines + LINES <= ends.size:
        spaces, newlines, leads = ascii_spaces(text, at)
        spaces |= carried
        carried = _NONE
        if leads != _NONE:
            twos, threes = longer_spaces(text, at)
            spaces |= twos | twos << _ONE | threes | threes << _ONE | threes << _TWO
            carried = twos >> _S63 | threes >> _S63 | threes >> _S62
        turns = spaces ^ (spaces << _ONE | last)
        last = spaces >> _S63
        while newlines != _NONE:
            up_to = newlines ^ (newlines - _ONE)  # all bits up to the newline
            ends[lines] = before + (found + count_bits(turns & up_to)) // 2
            lines += 1
            newlines &= newlines - _ONE
        found = write_places(turns, at, edges, found)
        at += BLOCK
    if found % 2 == 0:
        at += count_bits(carried)
    elif at < size:  # within a word
        found -= 1
        at = edges[found]
    else:
        edges[found] = at
        found += 1
    for word in range(found // 2):
        begin = edges[2 * word]
        key, rest = word_key(text, begin, edges[2 * word + 1] - begin)
        slot: Any = np.int64(first_slot(key, rest, slots))
        prefetch(slots, slot)
        batch.keys[word], batch.rests[word], batch.slots[word] = key, rest, slot
    return at, found // 2, lines


@kernel
def tokenize(
    text: Bytes,
    start: int,
    known: int,
    table: WordHash,
    batch: WordBatch,
    ids: NDArray[np.int32],
    ends: NDArray[np.int64],
) -> Any:
    """Write the ids of the words from byte ``start`` on, and count the words; new words enter the table.

    ``ends`` gets the number of ids before each newline. The text is UTF-8 with PAD spaces at its end; the table holds
    ``known`` words and has room in its arena for those of the text. Stops early where ``ids`` or the table lacks room
    for AHEAD more, or ``ends`` for LINES. Returns the byte reached, the numbers of ids and of ends written, and the
    number of words known now.
    """
    size = text.size - PAD
    at, tokens, lines = np.int64(start), 0, 0
    while (
        at < size and tokens + AHEAD <= ids.size and lines + LINES <= ends.size and known + AHEAD <= table.counts.size
    ):
        at, words, lines = split_words(text, at, table.slots, batch, tokens, ends, lines)
        for i in range(words):
            begin, key, rest = batch.edges[2 * i], batch.keys[i], batch.rests[i]
            length = batch.edges[2 * i + 1] - begin
            slot = find_slot(text, begin, length, key, rest, batch.slots[i], table)
            word = word_in(slot, table)
            if word < 0:
                enter_word(text, begin, length, key, rest, slot, known, table)
                word = known
                known += 1
            table.counts[word] += 1
            ids[tokens] = word
            tokens += 1
    return at, tokens, lines, known
