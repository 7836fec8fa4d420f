"""Random number generators with an explicit state, and draws from any distribution over words in constant time.

Kernels draw from a state by ``split_mix`` or ``linear_congruential``; a worker of word2vec has one of the classes below
with all that a checkpoint needs.

The state is an array of one uint64, changed in place.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel

RngState = NDArray[np.uint64]  # (1,)

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_LCG_FACTOR = np.uint64(25214903917)
_LCG_INCREMENT = np.uint64(11)
_LCG_MASK = np.uint64(2**48 - 1)
_LOW_32 = np.uint64(2**32 - 1)
_HALF_WORD = 2**24
_TWISTER_NUMBERS = 624
_S16, _S27, _S30, _S31, _S32 = np.uint64(16), np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(32)


@kernel
def split_mix(state: RngState) -> Any:
    """The next 64 random bits: SplitMix64 (Steele, Lea & Flood 2014)."""
    state[0] += _GOLDEN
    bits = state[0]
    bits = (bits ^ (bits >> _S30)) * _MIX_1
    bits = (bits ^ (bits >> _S27)) * _MIX_2
    return bits ^ (bits >> _S31)


@kernel
def linear_congruential(state: RngState) -> Any:
    """The next 32 random bits of word2vec's 48-bit generator, as gensim uses it: the value before the step."""
    bits = state[0] >> _S16
    state[0] = (state[0] * _LCG_FACTOR + _LCG_INCREMENT) & _LCG_MASK
    return bits


@kernel
def fill_split_mix(state: RngState, draws: NDArray[np.uint32]) -> None:
    """Fill ``draws`` with uniform 32-bit integers from SplitMix64."""
    for i in range(draws.size):
        draws[i] = split_mix(state) >> _S32


@kernel
def fill_linear_congruential(state: RngState, draws: NDArray[np.uint32]) -> None:
    """Fill ``draws`` with uniform 32-bit integers from word2vec's generator."""
    for i in range(draws.size):
        draws[i] = linear_congruential(state)


@kernel
def scale_draws(draws: NDArray[np.uint32], most: int, numbers: NDArray[np.int32]) -> None:
    """Whole numbers, uniform from 1 to ``most``, each from 32 random bits: floor(bits * most / 2**32) + 1."""
    for i in range(numbers.size):
        numbers[i] = 1 + np.int32((np.uint64(draws[i]) * np.uint64(most)) >> _S32)


# --- draws from any distribution


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
def draw_alias(thresholds: NDArray[np.uint32], aliases: NDArray[np.int32], state: RngState) -> Any:
    """One word: the high bits of a draw choose the place, the low bits decide on the alias."""
    bits = split_mix(state)
    place = np.int64(((bits >> _S32) * np.uint64(aliases.size)) >> _S32)
    if (bits & _LOW_32) <= np.uint64(thresholds[place]):
        return place
    return np.int64(aliases[place])


@kernel
def draw_words(
    thresholds: NDArray[np.uint32], aliases: NDArray[np.int32], state: RngState, words: NDArray[np.int32]
) -> None:
    """Fill ``words`` with draws from an alias table."""
    for i in range(words.size):
        words[i] = draw_alias(thresholds, aliases, state)


# --- the generators of workers


class Randomness(Protocol):
    """A worker's random number generator; ``state`` is what kernels draw from."""

    state: RngState

    def start_job(self) -> None:
        """Called before the first draw of a job."""
        ...

    def draws(self, count: int) -> NDArray[np.uint32]:
        """``count`` uniform 32-bit integers."""
        ...

    def up_to(self, most: int, count: int) -> NDArray[np.int32]:
        """``count`` whole numbers, uniform from 1 to ``most``."""
        ...

    def save(self) -> NDArray[np.uint64]:
        """The whole state, for a checkpoint."""
        ...

    def restore(self, saved: NDArray[np.uint64]) -> None:
        """Continue from a state that ``save`` gave."""
        ...


class SplitMixRandomness:
    """SplitMix64 with one uint64 of state."""

    def __init__(self, seed: np.random.SeedSequence) -> None:
        self.state: RngState = seed.generate_state(2, np.uint32).view(np.uint64)

    def start_job(self) -> None:
        """Nothing to do: the state goes on from job to job."""

    def draws(self, count: int) -> NDArray[np.uint32]:
        """``count`` uniform 32-bit integers."""
        draws = np.empty(count, np.uint32)
        fill_split_mix(self.state, draws)
        return draws

    def up_to(self, most: int, count: int) -> NDArray[np.int32]:
        """``count`` whole numbers, uniform from 1 to ``most``."""
        numbers = np.empty(count, np.int32)
        scale_draws(self.draws(count), most, numbers)
        return numbers

    def save(self) -> NDArray[np.uint64]:
        """The state, shape (1,)."""
        return self.state.copy()

    def restore(self, saved: NDArray[np.uint64]) -> None:
        """Continue from a state that ``save`` gave."""
        self.state[:] = saved


class GensimRandomness:
    """gensim's draws: a Mersenne twister draws the windows, and seeds word2vec's 48-bit generator for each job."""

    def __init__(self, seed: int, reseeds_jobs: bool) -> None:
        self.state: RngState = np.zeros(1, np.uint64)
        self._twister = np.random.RandomState(seed)
        self._reseeds_jobs = reseeds_jobs  # gensim does so if it draws words to keep or noise words

    def start_job(self) -> None:
        """Seed the 48-bit generator."""
        if self._reseeds_jobs:
            self.state[0] = _HALF_WORD * self._twister.randint(0, _HALF_WORD) + self._twister.randint(0, _HALF_WORD)

    def draws(self, count: int) -> NDArray[np.uint32]:
        """``count`` uniform 32-bit integers."""
        draws = np.empty(count, np.uint32)
        fill_linear_congruential(self.state, draws)
        return draws

    def up_to(self, most: int, count: int) -> NDArray[np.int32]:
        """``count`` whole numbers, uniform from 1 to ``most``."""
        return (most - self._twister.randint(0, most, count)).astype(np.int32)

    def save(self) -> NDArray[np.uint64]:
        """Both generators, shape (626,)."""
        twister = self._twister.get_state(legacy=False)["state"]
        return np.concatenate([self.state, twister["key"].astype(np.uint64), [np.uint64(twister["pos"])]])

    def restore(self, saved: NDArray[np.uint64]) -> None:
        """Continue from a state that ``save`` gave."""
        if saved[-1] > _TWISTER_NUMBERS:  # NumPy would read there
            raise ValueError(f"place {saved[-1]} of a generator's {_TWISTER_NUMBERS} numbers")
        self.state[:] = saved[:1]
        twister = {"key": saved[1:-1].astype(np.uint32), "pos": int(saved[-1])}
        self._twister.set_state({"bit_generator": "MT19937", "state": twister})
