"""From UTF-8 text, one sentence per line, to the ids of those of its words that a table holds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.kernels.eight_bytes import PAD, Bytes
from windrow.corpus.kernels.tokenize import WordBatch, split_words
from windrow.corpus.kernels.word_hash import WordHash, find_slot, word_in
from windrow.numeric.jit import kernel


@kernel
def find_words(
    text: Bytes,
    table: WordHash,
    batch: WordBatch,
    ids: NDArray[np.int32],
    ends: NDArray[np.int64],
    unknown: NDArray[np.int64],
) -> Any:
    """Write the id of each word that the table holds, and how many come before the end of each line.

    Where ``unknown``, (words or none, 3), has rows, all other words have an id, too, -1, and a row there each: its
    place among the ids, and where it begins and stops in the text. Returns the numbers of ids, of unknown words
    that are kept, and of all words.
    The text ends with a newline and PAD spaces; ``ids`` has room for every word, ``ends`` for LINES more than there
    are.
    """
    at, written, others, tokens, lines = np.int64(0), 0, 0, 0, 0
    keeps = unknown.shape[0] > 0
    while at < text.size - PAD:
        at, words, stop = split_words(text, at, table.slots, batch, 0, ends, lines)
        tokens += words
        word = 0
        while True:
            line_end = ends[lines] if lines < stop else words
            while word < line_end:
                begin = batch.edges[2 * word]
                after = batch.edges[2 * word + 1]
                key, rest, home = batch.keys[word], batch.rests[word], batch.slots[word]
                found = word_in(find_slot(text, begin, after - begin, key, rest, home, table), table)
                if found < 0 and keeps:
                    unknown[others, 0] = written
                    unknown[others, 1] = begin
                    unknown[others, 2] = after
                    others += 1
                ids[written] = found
                written += keeps or found >= 0
                word += 1
            if lines == stop:
                break
            ends[lines] = written
            lines += 1
    return written, others, tokens
