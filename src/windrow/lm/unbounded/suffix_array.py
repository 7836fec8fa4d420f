"""The sorted contexts of a text: at each place, the position at which a context ends."""

from __future__ import annotations

import numpy as np

from windrow.bars import OnProgress
from windrow.lm.ngram.counting import bits_of
from windrow.lm.unbounded.kernels import sorting
from windrow.lm.unbounded.kernels.sorting import Int32s

LONGEST = 1000  # the most words of an n-gram; contexts that agree in more are not sorted further
BYTES_PER_SYMBOL = 24  # of memory while sorting, the text included
_KEY_BITS = 63
_MOST_FIRST = 4  # words by which contexts are sorted at once


def sort_contexts(stream: Int32s, words: int, progress: OnProgress | None = None) -> Int32s:
    """The positions of a stream, (symbols,), by their contexts: see ``kernels.sorting``.

    Parameters
    ----------
    stream : array of int32, shape (symbols,)
        Ids below ``words``; the first is that of ``<s>``.
    words : int
        How many different ids there are.
    progress : callable or None, default None
        Called with "sorting", and how much of it is done, 0 to 1.

    Returns
    -------
    array of int32, shape (symbols,)
        Positions. Contexts that are equal, or agree in more than ``LONGEST`` words, are in the order of the text.
    """
    size = stream.size
    suffixes, ranks, runs = (np.empty(size, np.int32) for _ in range(3))
    position_bits, word_bits = bits_of(size), bits_of(words)
    sorted_words = max(1, min((_KEY_BITS - position_bits) // word_bits, _MOST_FIRST))
    keys = np.empty(size, np.int64)
    sorting.first_keys(stream, sorted_words, word_bits, position_bits, keys)
    keys.sort()
    largest = int(sorting.first_groups(keys, position_bits, suffixes, ranks, runs))
    keys = keys[:largest].copy()  # and the memory of the others is free
    lengths = np.empty(size, np.uint16)
    sorting.measure_contexts(stream, 2 * LONGEST, lengths)
    stack = np.empty(sorting.STACK, np.int64)
    remaining = size
    while remaining and sorted_words <= LONGEST:  # the word before an n-gram counts, too
        remaining = int(sorting.refine_groups(suffixes, ranks, runs, lengths, sorted_words, keys, stack))
        sorted_words *= 2
        if progress is not None:
            progress("sorting", 1 - remaining / size)
    return suffixes
