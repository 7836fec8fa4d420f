"""Completion: the most frequent words that begin with what was typed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

_AFTER_ALL = "\U0010ffff"  # no word goes on with it, so that prefix + _AFTER_ALL is behind all words with the prefix


class Completion:
    """Words, frequent ones first, sorted once so that each question is two bisections; letter case does not matter."""

    def __init__(self, words: Sequence[str]) -> None:
        folded = [word.casefold() for word in words]
        order = sorted(range(len(words)), key=folded.__getitem__)
        self._words = words
        self._rows = np.array(order, np.int64)  # (words,), in the order of the folded words
        self._folded = [folded[row] for row in order]

    def starting_with(self, prefix: str, most: int) -> list[str]:
        """Up to ``most`` words that begin with ``prefix``, the most frequent first."""
        folded = prefix.casefold()
        rows = self._rows[bisect_left(self._folded, folded) : bisect_left(self._folded, folded + _AFTER_ALL)]
        if len(rows) > most:
            rows = np.partition(rows, most - 1)[:most]
        return [self._words[row] for row in np.sort(rows).tolist()]
