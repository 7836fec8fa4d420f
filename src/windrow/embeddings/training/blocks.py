"""How many center words the block kernels train at a time."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.steps.contract import TrainingStep

# Centers per block. Larger blocks are a little faster, until quality falls (bench/README.md). A center of CBOW is one
# update of its target word, a center of skip-gram several, one from each word of its window.
SKIPGRAM_BLOCK, CBOW_BLOCK = 64, 256
# With fewer words than this (counted as below) blocks are smaller: bench/small_corpora.py.
_DIVERSE = 64
_USUAL_PAIRS = 6.0  # of a center of skip-gram: windows of 1 to 5 words to each side


def choose_block_size(
    skipgram: bool, pairs: float, kept_counts: NDArray[np.float64], layers: Iterable[TrainingStep]
) -> int:
    """Centers per block, from how often each word is left by sub-sampling, and the pairs of a center on average.

    All updates of a row within a block are computed from the row as it was before the block, and summed. A few such
    stale updates do what they would do one after the other; dozens are a step far beyond the goal, the next block
    steps back even farther, and vectors grow without bound. In a block of B centers a word that stands somewhere in it
    is met B * sum(p ** 2) times on average, where p are the shares of the words. That is B / 650 for Wikipedia after
    sub-sampling and B / 100 without it, but B / 4 for the letters of DNA: 16 times in 64 centers, and each time it is
    updated from all words of a window. So 1 / sum(p ** 2), as many equally frequent words as would repeat as often,
    bounds B, or four times as many where a center is one pair, as with CBOW. Wide windows, which make many pairs of a
    center, lower that bound.
    """
    usual = SKIPGRAM_BLOCK if skipgram else CBOW_BLOCK
    share = 1.0
    for layer in layers:
        repetition = max(float(np.square(kept_counts / kept_counts.sum()).sum()), layer.repetition())
        crowding = max(1.0, (pairs if skipgram else _USUAL_PAIRS) / layer.stale_pairs)
        share = min(share, 1 / (_DIVERSE * repetition * crowding))
    return max(1, int(usual * share))
