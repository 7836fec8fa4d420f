"""Windows of a text: each symbol, and before it the words at chosen places to its left, the farthest first.

With the places 1 and 3::

    stream    <s> a b c d </s>
    windows   (<s> <s> a)  (<s> a b)  (<s> b c)  (a c d)  (b d </s>)     (<s> <s> <s>) of <s> itself

Beyond the beginning of a sentence all is ``<s>``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from windrow.lm.stream import Ids
from windrow.lm.symbols import BOS

_SYMBOLS_AT_ONCE = 1 << 16


def windows_of(stream: Ids, places: Sequence[int]) -> Ids:
    """The window of each symbol, (symbols, places + 1); ``places`` ascend.

    Where no ``<s>`` stands before a symbol, the first symbol of the stream stands for all beyond it.
    """
    positions = np.arange(len(stream))
    starts = np.maximum.accumulate(np.where(stream == BOS, positions, 0))
    columns = [stream[np.maximum(positions - place, starts)] for place in (*reversed(places), 0)]
    return np.stack(columns, axis=1)


def window_blocks(stream: Ids, places: Sequence[int]) -> Iterator[tuple[slice, Ids]]:
    """Ranges of the stream and their windows, in bounded memory."""
    for first in range(0, len(stream), _SYMBOLS_AT_ONCE):
        before = min(first, places[-1])
        last = min(first + _SYMBOLS_AT_ONCE, len(stream))
        yield slice(first, last), windows_of(stream[first - before : last], places)[before:]
