"""What a worker draws at random for a job: which words subsampling keeps, and how far each window reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.kernels.windows import Chunk, draw_reaches, keep_known, lay_windows, subsample
from windrow.numeric.rng import RngState, fill_linear_congruential, fill_split_mix
from windrow.numeric.simd import LANES

_ALL_BITS = 2**32 - 1
_HALF_WORD = 2**24
_TWISTER_NUMBERS = 624
_STRETCHES = 256  # of a text that are looked at, to see how often words are repeated nearby
_ALL_TAKE_ALL = np.empty(0, np.float32)
_LEAST_COUNT = 1e-280  # below which a division by it overflows; no word would be kept


def keep_thresholds(counts: NDArray[np.int64], sample: float) -> NDArray[np.uint32]:
    """Subsampling thresholds, shape (words,): a word is kept when 32 random bits are at most its threshold.

    A word with count c is kept with probability min(1, (sqrt(c / t) + 1) * t / c), where t = sample * sum of counts.
    This is the formula of word2vec.c, which keeps more than the one printed in Mikolov et al. 2013.
    """
    threshold_count = max(sample * counts.sum(), _LEAST_COUNT)
    seen = np.maximum(counts, 1)  # a special word may have no count
    probabilities = (np.sqrt(seen / threshold_count) + 1) * (threshold_count / seen)
    thresholds: NDArray[np.uint32] = (np.minimum(probabilities, 1.0) * _ALL_BITS).astype(np.uint32)
    return thresholds


def distance_weights(weighting: str, window: int, dtype: Any = np.float32) -> NDArray[Any]:
    """The weights of a window's words from left to right: entry ``window + offset``, 0 for the center (offset 0).

    A context word at distance d has the weight 1 (``none``), (window + 1 - d) / window (``linear``) or 1 / d
    (``harmonic``, Pennington et al. 2014). ``shrink`` is 1 too: it draws a window size for each center instead, so that
    on average a word counts as with ``linear``.
    """
    distances = np.arange(1, window + 1)
    weights = {
        "shrink": np.ones(window),
        "none": np.ones(window),
        "linear": (window + 1 - distances) / window,
        "harmonic": 1 / distances,
    }[weighting]
    # Zeros at the end, because kernels read 16 numbers at a time.
    return np.concatenate([weights[::-1], [0], weights, np.zeros(LANES)]).astype(dtype)


class Randomness(Protocol):
    """A worker's random number generator; ``state`` is what kernels draw from."""

    state: RngState

    def start_job(self) -> None:
        """Called before the first draw of a job."""
        ...

    def draws(self, count: int) -> NDArray[np.uint32]:
        """``count`` uniform 32-bit integers."""
        ...

    def reaches(self, count: int, window: int) -> NDArray[np.int32]:
        """``count`` window sizes, uniform in 1 to ``window``."""
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

    def reaches(self, count: int, window: int) -> NDArray[np.int32]:
        """``count`` window sizes, uniform in 1 to ``window``."""
        reaches = np.empty(count, np.int32)
        draw_reaches(self.draws(count), window, reaches)
        return reaches

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

    def reaches(self, count: int, window: int) -> NDArray[np.int32]:
        """``count`` window sizes, uniform in 1 to ``window``."""
        return (window - self._twister.randint(0, window, count)).astype(np.int32)

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


@dataclass(frozen=True)
class ChunkDrawer:
    """Turns the raw ids of a job into the chunk that kernels train on."""

    vocabulary_size: int
    thresholds: NDArray[np.uint32] | None  # of subsampling; None: keep all words
    window: int
    shrink: bool  # draw a window size from 1 to ``window`` for each center
    weights: NDArray[Any]  # from distance_weights
    rows_of_ids: NDArray[np.int32] | None = None  # the row of each id of the text, and -1 for id -1; None: the id
    shares: NDArray[np.float32] | None = None  # (words,), see Chunk; None: all vectors take all updates

    @classmethod
    def of(
        cls,
        counts: NDArray[np.int64],
        sample: float,
        window: int,
        weighting: str,
        rows_of_ids: NDArray[np.int32] | None = None,
        shares: NDArray[np.float32] | None = None,
    ) -> ChunkDrawer:
        """A drawer for words with these counts in the text; ``weighting``: see ``distance_weights``."""
        thresholds = keep_thresholds(counts, sample) if sample > 0 else None
        weights = distance_weights(weighting, window)
        return cls(len(counts), thresholds, window, weighting == "shrink", weights, rows_of_ids, shares)

    def kept_counts(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """How many of each word subsampling keeps, on average."""
        kept: Any = 1.0 if self.thresholds is None else (self.thresholds + 1.0) / 2**32
        return np.asarray(counts * kept, np.float64)

    def repetition(self, ids: NDArray[np.int32], counts: NDArray[np.int64], words: int) -> float:
        """The chance that two of so many words in a row, after subsampling, are equal: over places all through it."""
        kept = self.kept_counts(np.ones(len(counts), np.int64))
        stretch = min(len(ids), int(words * max(counts.sum(), 1) / max(self.kept_counts(counts).sum(), 1)))
        equal = pairs = 0.0
        for place in np.linspace(0, len(ids) - stretch, _STRETCHES).astype(np.int64):
            rows = ids[place : place + stretch]
            rows = rows if self.rows_of_ids is None else self.rows_of_ids[rows]
            rows = rows[(rows >= 0) & (rows < len(counts))]
            weights = kept[rows]
            of_words, own = np.bincount(np.unique(rows, return_inverse=True)[1], weights), weights @ weights
            equal += float(of_words @ of_words - own)
            pairs += float(weights.sum() ** 2 - own)
        return equal / pairs if pairs > 0 else 0.0

    def pairs_per_center(self) -> float:
        """The weights of a window together, on average over window sizes, within a long sentence."""
        mean_size = (self.window + 1) / 2 if self.shrink else self.window
        return float(self.weights.sum()) * mean_size / self.window

    def draw(self, ids: NDArray[np.int32], starts: NDArray[np.int64], randomness: Randomness) -> Chunk:
        """Known words, subsampled, each with its window; ``starts`` (sentences + 1,) are positions in ``ids``."""
        randomness.start_job()
        if self.rows_of_ids is not None:
            ids = self.rows_of_ids[ids]
            ids.setflags(write=False)  # as a corpus has them: kernels are compiled for that
        words, word_starts = np.empty(ids.size, np.int32), np.empty(starts.size, np.int32)
        count = keep_known(ids, starts, self.vocabulary_size, words, word_starts)
        if self.thresholds is not None:
            count = subsample(words, word_starts, self.thresholds, randomness.draws(count))
        reaches = randomness.reaches(count, self.window) if self.shrink else np.full(count, self.window, np.int32)
        left, right = np.empty(count, np.int32), np.empty(count, np.int32)
        lay_windows(word_starts, reaches, left, right)
        shares = _ALL_TAKE_ALL if self.shares is None else self.shares[words[:count]]
        return Chunk(words[:count], words[:count], np.arange(count + 1), left, right, self.weights, shares)
