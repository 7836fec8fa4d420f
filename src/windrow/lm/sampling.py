"""Change a next-word distribution and draw from it: penalties, then temperature, top-k and top-p, in this order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

_FIRST_NUCLEUS = 256  # words looked at for top-p; more if their sum is too small
_NUCLEUS_GROWTH = 8


def penalize(
    model_probs: Floats,
    ids: Sequence[int],
    *,
    repetition_penalty: float = 1.0,
    no_repeat_ngram_size: int = 0,
    never: Sequence[int] = (),
) -> Floats:
    """A copy of the probabilities after the text ``ids``, lower for words that it holds; they no longer sum to 1.

    ``repetition_penalty`` multiplies the log-probabilities of words of the text (Keskar et al. 2019). Words that would
    repeat an n-gram of ``no_repeat_ngram_size`` words (0: none), and those of ``never``, get 0.
    """
    probs = np.array(model_probs)
    if repetition_penalty != 1:
        seen = list(set(ids))
        probs[seen] **= repetition_penalty
    if no_repeat_ngram_size:
        probs[repeating_words(ids, no_repeat_ngram_size)] = 0
    probs[list(never)] = 0
    return probs


def repeating_words(ids: Sequence[int], size: int) -> list[int]:
    """The words that, put after ``ids``, would complete an n-gram of ``size`` words that is there already."""
    context = ids[len(ids) - size + 1 :]
    return [ids[end] for end in range(size - 1, len(ids)) if ids[end - size + 1 : end] == context]


def draw_word(
    probs: Floats, rng: np.random.Generator, *, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0
) -> int:
    """Draw a word in proportion to ``probs``, (words,), which need not sum to 1; any word where all are 0.

    ``temperature``: p becomes p ** (1 / temperature). ``top_k``: only the k likeliest words (0: all). ``top_p``: only
    the fewest likeliest words that hold this part of the sum.
    """
    words: Places | None = None  # None: all, in the order of their ids
    if 0 < top_k < len(probs):
        words = largest(probs, top_k)  # the temperature does not change their order
    weights = probs if words is None else probs[words]
    if temperature != 1:
        highest = weights.max()
        weights = (weights / (highest if highest > 0 else 1)) ** (1 / temperature)  # the largest does not underflow
    if top_p < 1:
        chosen = nucleus(weights, top_p)
        words, weights = chosen if words is None else words[chosen], weights[chosen]
    cumulative = np.cumsum(weights)
    place = np.searchsorted(cumulative, rng.random() * cumulative[-1], "right")
    # The product may be rounded up to the sum itself: then it is the last word that has a weight.
    place = min(place, np.searchsorted(cumulative, cumulative[-1]))
    return int(place if words is None else words[place])


def nucleus(weights: Floats, mass: float) -> Places:
    """The places of the fewest largest weights that hold ``mass`` of their sum, at least one (Holtzman et al. 2020)."""
    enough, size = mass * weights.sum(), _FIRST_NUCLEUS
    while True:
        places = largest(weights, size)
        count = np.searchsorted(np.cumsum(weights[places]), enough) + 1
        if count <= len(places) or len(places) == len(weights):
            return places[:count]
        size *= _NUCLEUS_GROWTH


def largest(values: Floats, count: int) -> Places:
    """The places of the ``count`` largest values, largest first, of equal ones the first. Sorts only these."""
    places: Places = np.arange(len(values))
    if count < len(values):
        least = np.partition(values, len(values) - count)[len(values) - count]
        above = np.flatnonzero(values > least)
        places = np.concatenate([above, np.flatnonzero(values == least)[: count - len(above)]])
    return places[np.argsort(-values[places], kind="stable")]
