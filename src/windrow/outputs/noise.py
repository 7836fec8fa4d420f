"""The noise distribution of negative sampling: word counts to a power (0.75 in Mikolov et al. 2013)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.kernels._jit import kernel
from windrow.kernels.rng import State, linear_congruential, split_mix

_CUMULATIVE_END = 2**31 - 1  # gensim's scale of its cumulative table
_S32 = np.uint64(32)
_LOW_32 = np.uint64(2**32 - 1)


def noise_probabilities(counts: NDArray[np.int64], exponent: float) -> NDArray[np.float64]:
    """``counts ** exponent``, normalised; shape (words,)."""
    weights = _weights(counts, exponent)
    probabilities: NDArray[np.float64] = weights / weights.sum()
    return probabilities


def _weights(counts: NDArray[np.int64], exponent: float) -> NDArray[np.float64]:
    """Of noise words before normalising; a word that does not occur weighs nothing, whatever the exponent."""
    weights: NDArray[np.float64] = np.maximum(counts, 1).astype(np.float64) ** exponent
    return np.where(counts > 0, weights, 0.0)


def cumulative_table(counts: NDArray[np.int64], exponent: float) -> NDArray[np.uint32]:
    """gensim's table: the cumulative noise distribution scaled to 2**31 - 1, summed word by word; shape (words,)."""
    weights = _weights(counts, exponent)
    # Sums in gensim's order, one word at a time, so that the rounded entries are the same.
    cumulative = np.cumsum(weights)
    table: NDArray[np.uint32] = np.round(cumulative / cumulative[-1] * _CUMULATIVE_END).astype(np.uint32)
    return table


def alias_table(probabilities: NDArray[np.float64]) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
    """Walker's alias table (Vose 1991): one draw picks a place, a second keeps it or takes its alias.

    Returns thresholds and aliases, each of shape (words,): a place is kept when 32 random bits are at most its
    threshold, so that probabilities hold to 2**-32.
    """
    shares = np.ascontiguousarray(probabilities * probabilities.size)
    aliases = np.arange(shares.size, dtype=np.int32)
    _fill_aliases(shares, aliases, np.empty(shares.size, np.int32), np.empty(shares.size, np.int32))
    return np.minimum(np.round(shares * 2.0**32), 2.0**32 - 1).astype(np.uint32), aliases


@kernel
def _fill_aliases(
    shares: NDArray[np.float64],
    aliases: NDArray[np.int32],
    small: NDArray[np.int32],
    large: NDArray[np.int32],
) -> None:
    """Cut each place to one word's share and one alias, in place. ``small`` and ``large`` are scratch stacks."""
    small_count, large_count = 0, 0
    for word in range(shares.size):
        if shares[word] < 1:
            small[small_count] = word
            small_count += 1
        else:
            large[large_count] = word
            large_count += 1
    while small_count > 0 and large_count > 0:
        small_count -= 1
        receiver, giver = small[small_count], large[large_count - 1]
        aliases[receiver] = giver
        shares[giver] -= 1 - shares[receiver]
        if shares[giver] < 1:
            large_count -= 1
            small[small_count] = giver
            small_count += 1
    # What is left differs from 1 by rounding alone.
    for i in range(small_count):
        shares[small[i]] = 1
    for i in range(large_count):
        shares[large[i]] = 1


@kernel
def draw_alias(thresholds: NDArray[np.uint32], aliases: NDArray[np.int32], state: State) -> Any:
    """One noise word: the high bits of a draw choose the place, the low bits decide on the alias."""
    bits = split_mix(state)
    place = np.int64(((bits >> _S32) * np.uint64(aliases.size)) >> _S32)
    if (bits & _LOW_32) <= np.uint64(thresholds[place]):
        return place
    return np.int64(aliases[place])


@kernel
def draw_cumulative(table: NDArray[np.uint32], state: State) -> Any:
    """One noise word as gensim draws it: the first whose cumulative count reaches 32 random bits, modulo the end."""
    sought = np.uint32(linear_congruential(state) % np.uint64(table[-1]))
    low, high = 0, table.size
    while low < high:
        middle = (low + high) // 2
        if table[middle] < sought:
            low = middle + 1
        else:
            high = middle
    return low
