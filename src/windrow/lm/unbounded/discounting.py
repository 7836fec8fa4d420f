"""Discounts of each order, and the distribution of words without context, from the counts of all n-grams."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from windrow.errors import DataError, OptionError
from windrow.lm.ngram.smoothing import COUNTS_OF_COUNTS, Evidence, Options, modified_kneser_ney
from windrow.lm.symbols import BOS
from windrow.lm.unbounded.kernels.contexts import COUNT_CLASSES, Float64s, Int32s, Int64s

ORDERS = 8  # whose discounts are estimated; above they change little, and those of the last one are taken
MOST_ORDERS = 100
_NEEDED = 2  # orders without whose discounts there is no model

Discounts = Sequence[Sequence[float] | None]


def orders_of(given: Discounts | None) -> int:
    """How many orders have discounts of their own; OptionError for discounts that cannot be."""
    orders = ORDERS if given is None else len(given)
    if not 1 <= orders <= MOST_ORDERS:
        raise OptionError(f"discounts are for {orders} orders; give them for 1 to {MOST_ORDERS}")
    Options(discounts=given).check(orders)
    return orders


def estimate_discounts(frequencies: Int64s, given: Discounts | None, fallback: bool) -> Float64s:
    """The discounts of the counts 0, 1, 2, 3 and above, a row per order.

    Where n-grams of an order are too few to estimate them, those of the order below are taken.

    Parameters
    ----------
    frequencies : array of int64, shape (orders, COUNTS_OF_COUNTS)
        How many n-grams of each order have the count 0, 1, 2, ...; those of ``orders_of(given)``.
    given : sequence of sequences of float, or None
        As the parameter ``discounts`` of the model.
    fallback : bool
        Whether to take 0.5, 1, 1.5 where they cannot be estimated.

    Raises
    ------
    DataError
        The text is too small to estimate those of orders 1 and 2.
    """
    options = Options(discounts=given, discount_fallback=fallback)
    discounts = np.zeros((len(frequencies), COUNT_CLASSES))
    for k, counted in enumerate(frequencies, 1):
        try:
            found = modified_kneser_ney(Evidence(k, counted, 0, options)).discounts
        except DataError as error:
            if k <= _NEEDED:
                raise DataError(f"{str(error).partition(';')[0]}; try discount_fallback = True") from None
            found = discounts[k - 2]
        discounts[k - 1] = found[np.minimum(np.arange(COUNT_CLASSES), found.size - 1)]
    return discounts


def frequencies_of_words(counts: Int32s) -> Int64s:
    """How many words have the count 0, 1, 2, ..."""
    return np.bincount(np.minimum(counts, COUNTS_OF_COUNTS - 1), minlength=COUNTS_OF_COUNTS)


def smooth_words(counts: Int32s, discounts: Float64s) -> Float64s:
    """The distribution of words without context, (words,): discounted counts, and the rest shared evenly.

    ``discounts``: of the counts 0, 1, 2, 3 and above. ``<s>`` has the probability 0.
    """
    taken = np.minimum(discounts[np.minimum(counts, COUNT_CLASSES - 1)], counts)
    total = counts.sum(dtype=np.int64)
    probs: Float64s = (counts - taken) / total + taken.sum() / total / (counts.size - 1)
    probs[BOS] = 0
    return probs
