"""Walker's alias tables: draws from any distribution over words in constant time, two memory reads a draw."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel
from windrow.numeric.rng import State, split_mix

_S32 = np.uint64(32)
_LOW_32 = np.uint64(2**32 - 1)


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
def draw_words(
    thresholds: NDArray[np.uint32], aliases: NDArray[np.int32], state: State, words: NDArray[np.int32]
) -> None:
    """Fill ``words`` with draws from an alias table (see outputs.noise)."""
    for i in range(words.size):
        bits = split_mix(state)
        place = np.int64(((bits >> _S32) * np.uint64(aliases.size)) >> _S32)
        words[i] = place if (bits & _LOW_32) <= np.uint64(thresholds[place]) else aliases[place]
