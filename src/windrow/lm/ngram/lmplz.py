"""A slip of KenLM's lmplz, repeated on demand, so that models can be compared to the last digit.

lmplz computes discounts from the number of n-grams that have each *adjusted* count: how many different words stand
before an n-gram, or how often it occurs if it begins with ``<s>``. For that it reads the n-grams of the highest order
in *suffix order*: sorted by the last word, then by the word before it, and so on, where words are numbered as they
first appear in the text. Whenever a suffix differs from the one before, the old suffix is complete and its adjusted
count is added to the statistics. After the last n-gram, one suffix of each order is still to be added; there lmplz
takes the *raw* count instead (``lm/builder/adjust_counts.cc``: ``stats.Add(.., lower_count, ..)`` in the last loop).

So in every order below the highest, the statistics have one n-gram with the wrong count. In a long text this changes
nothing that is visible; in a short one it changes the discounts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.errors import OptionError
from windrow.lm.ngram.levels import CountLevel
from windrow.lm.symbols import BOS, EOS, UNK


class Slip(NamedTuple):
    """An n-gram whose raw count lmplz takes for its adjusted count."""

    place: int
    raw_count: int


def first_appearances(stream: NDArray[np.int32], words: int) -> NDArray[np.int64]:
    """Where each word first occurs in a stream of ids, (words,); the length of the stream for those that do not."""
    places = np.full(words, stream.size, np.int64)
    places[stream[::-1]] = np.arange(stream.size - 1, -1, -1)  # of equal indices, the last assignment holds
    return places


def find_slips(levels: Sequence[CountLevel], first_seen: NDArray[Any]) -> list[Slip]:
    """The slip of each order below the highest, in the raw counts ``levels``; fewer when a suffix reaches ``<s>``.

    ``first_seen``: the result of ``first_appearances``. Raises OptionError when it is that of another vocabulary.
    """
    words = levels[0].words.size
    if first_seen.shape != (words,):
        raise OptionError(f"lmplz_compat has {first_seen.size} entries; the vocabulary has {words} words")
    if len(levels) == 1:
        return []
    numbers = np.asarray(first_seen, np.int64) + 3  # by which lmplz sorts
    numbers[[UNK, BOS, EOS]] = 0, 1, 2
    place = int(np.argmax(np.where(levels[0].counts > 0, numbers, -1)))  # the last word of the last n-gram
    slips = [Slip(place, int(levels[0].counts[place]))]
    for k in range(2, len(levels)):
        extended = np.flatnonzero(levels[k - 1].suffixes == place)  # the k-grams that end with the suffix found so far
        if not extended.size:
            break
        place = int(extended[np.argmax(numbers[_first_words(levels[:k], extended)])])
        slips.append(Slip(place, int(levels[k - 1].counts[place])))
    return slips


def _first_words(levels: Sequence[CountLevel], places: NDArray[np.intp]) -> NDArray[np.intp]:
    """The first word of n-grams of the highest of ``levels``: the context of the context, and so on."""
    for level in levels[:0:-1]:
        places = np.searchsorted(level.starts, places, "right") - 1
    return places


def repeat_slips(
    slips: Sequence[Slip], adjusted_counts: Sequence[NDArray[np.int32]], frequencies: Sequence[NDArray[np.int64]]
) -> None:
    """Change ``frequencies``, how many n-grams of each order have the adjusted count 0, 1, 2, .., to those of lmplz."""
    for slip, counts, frequency in zip(slips, adjusted_counts, frequencies, strict=False):
        for count, change in ((int(counts[slip.place]), -1), (slip.raw_count, 1)):
            if count < frequency.size:
                frequency[count] += change
