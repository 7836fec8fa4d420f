"""From UTF-8 text, one sentence per line, to a stream of ids: split at white space and look each word up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.kernels.eight_bytes import PAD, Bytes
from windrow.corpus.kernels.tokenize import LINES, WordBatch, split_words
from windrow.corpus.kernels.word_hash import WordHash, find_slot, word_in
from windrow.lm.symbols import BOS, EOS, UNK
from windrow.numeric.jit import kernel


@kernel
def look_up(
    text: Bytes,
    table: WordHash,
    marks: tuple[bool, bool, bool],
    batch: WordBatch,
    ids: NDArray[np.int32],
    ends: NDArray[np.int64],
) -> Any:
    """Write the ids of a text, and for each sentence where it ends among them; returns how many ids there are.

    The text ends with a newline and PAD spaces. ``ids`` is large enough for every word and two more symbols per line,
    ``ends`` for LINES more than there are.
    ``marks``: whether sentences begin with BOS, whether they end with EOS, and whether words spelled like these are
    left out. If not, the first such word ends the work: ``-(2 * line + word)`` is returned, lines counted from 0.
    """
    bos, eos, skips = marks
    at, written, lines, last = np.int64(0), 0, 0, ends.size - LINES
    if bos and last > 0:
        ids[0] = BOS
        written = 1
    while at < text.size - PAD:
        at, words, stop = split_words(text, at, table.slots, batch, 0, ends, lines)
        word = 0
        while True:
            line_end = ends[lines] if lines < stop else words
            while word < line_end:
                begin = batch.edges[2 * word]
                length = batch.edges[2 * word + 1] - begin
                slot = find_slot(text, begin, length, batch.keys[word], batch.rests[word], batch.slots[word], table)
                found = max(word_in(slot, table), UNK)
                ids[written] = found
                is_mark = found in (BOS, EOS)
                if is_mark and not skips:
                    return -(2 * lines + found)
                written += not is_mark
                word += 1
            if lines == stop:
                break
            if eos:
                ids[written] = EOS
                written += 1
            ends[lines] = written
            lines += 1
            if bos and lines < last:
                ids[written] = BOS
                written += 1
    return written
