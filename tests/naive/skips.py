"""Skip n-grams by their definition: for each word, the words at the places before it, counted in a dictionary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from tests.naive.ngrams import BOS, EOS, Gram
from tests.naive.smoothing import Text


def kept(before: Sequence[int], places: Sequence[int]) -> Gram:
    """The words at the places before the next one of a sentence, the farthest first, of several ``<s>`` only one."""
    padded = [*[BOS] * max(places), *before]
    words = [padded[-place] for place in sorted(places, reverse=True)]
    while words[:2] == [BOS, BOS]:
        words.pop(0)
    return tuple(words)


@dataclass
class SkipText(Text):
    """``counts[k - 1]``: the last k symbols of each word with those at the places before it."""

    places: Sequence[int] = ()

    @cached_property
    def counts(self) -> list[Counter[Gram]]:
        counts: list[Counter[Gram]] = [Counter() for _ in range(len(self.places) + 1)]
        for sentence in self.sentences:
            symbols = [*sentence, EOS]
            for end, word in enumerate(symbols):
                gram = (*kept(symbols[:end], self.places), word)
                for k in range(1, len(gram) + 1):
                    counts[k - 1][gram[-k:]] += 1
        return counts
