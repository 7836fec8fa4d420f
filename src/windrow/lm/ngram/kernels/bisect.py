"""Find n-grams in sorted levels: the words that follow a context are adjacent and sorted, so they can be bisected."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel


@kernel
def lower_bound(words: NDArray[np.int32], low: Any, high: Any, wanted: Any) -> Any:
    """The first place of the sorted ``words[low:high]`` whose word is not less than ``wanted``; else ``high``."""
    while low < high:
        middle = (low + high) >> 1
        if words[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def find_child(starts: NDArray[np.int32], words: NDArray[np.int32], context: Any, wanted: Any) -> Any:
    """The place of the n-gram of a context and one more word; -1 if it is not stored or ``context`` is -1."""
    if context < 0:
        return np.int64(-1)
    end = np.int64(starts[context + 1])
    place = lower_bound(words, np.int64(starts[context]), end, wanted)
    return place if place < end and words[place] == wanted else np.int64(-1)


@kernel
def find_children(
    starts: NDArray[np.int32],
    words: NDArray[np.int32],
    contexts: NDArray[np.int32],
    wanted: NDArray[np.int32],
    places: NDArray[np.int32],
) -> None:
    """Write to ``places`` the result of ``find_child`` for each pair of ``contexts`` and ``wanted``; all (n,)."""
    for i in range(wanted.size):
        places[i] = find_child(starts, words, contexts[i], wanted[i])
