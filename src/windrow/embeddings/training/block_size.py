"""How many center words the block kernels train at a time."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.kernels.inputs import WordRows
from windrow.embeddings.kernels.windows import ChunkDrawer
from windrow.embeddings.steps.contract import TrainingStep

# Centers per block. Larger blocks are a little faster, until quality falls (bench/README.md). A center of CBOW is one
# update of its target word, a center of skip-gram several, one from each word of its window.
SKIPGRAM_BLOCK, CBOW_BLOCK = 64, 256
_USUAL_RATE = 0.07  # up to it blocks do not depend on the learning rate; beyond, they were seen to diverge from 0.1 on
_BURST = 2.0  # ordinary text repeats words nearby, too; half of it leaves its blocks as large as ever
_USUAL_PAIRS = 6.0  # of a center of skip-gram: windows of 1 to 5 words to each side


def choose_block_size(
    skipgram: bool,
    drawer: ChunkDrawer,
    counts: NDArray[np.int64],
    layers: Sequence[TrainingStep],
    alpha: float,
    ids: NDArray[np.int32],
    word_rows: WordRows | None = None,
) -> int:
    """Centers per block, from how often each word is left by sub-sampling, the pairs of a center on average, and alpha.

    ``ids``: the text that is to be trained on.

    All updates of a row within a block are computed from the row as it was before the block, and summed. A few such
    stale updates do what they would do one after the other; dozens are a step far beyond the goal, the next block
    steps back even farther, and vectors grow without bound. In a block of B centers a word that stands somewhere in it
    is met B * sum(p ** 2) times on average, where p are the shares of the words. That is B / 650 for Wikipedia after
    sub-sampling and B / 100 without it, but B / 4 for the letters of DNA: 16 times in 64 centers, and each time it is
    updated from all words of a window. What each output layer can take of that is in its ``block_share``. The higher
    the learning rate, the fewer: steps are longer, and so are the vectors that they make.

    Words that are rare in the whole text may be repeated nearby, as in logs and sorted lists: that counts, too. Where
    a word is repeated several times in a row, it fills a larger part of a small block than of a large one. So a layer's
    limit for one word, ``most_updates``, is checked against blocks of the chosen size.
    """
    kept = drawer.kept_counts(counts)
    shares = kept / max(kept.sum(), 1e-300)
    nearby = drawer.repetition(ids, counts, SKIPGRAM_BLOCK)
    repetition = max(float(shares @ _met_again(shares, word_rows)), nearby / _BURST)
    windows = drawer.pairs_per_center() / _USUAL_PAIRS if skipgram else 1.0
    share = min(1.0, *(layer.block_share(repetition, windows) for layer in layers))
    share *= min(1.0, _USUAL_RATE / max(alpha, 1e-300)) ** 2
    size = max(1, int(usual_block_size(skipgram) * share))
    pairs = drawer.pairs_per_center() if skipgram else 1.0
    most = min(layer.most_updates for layer in layers)
    while size > 1 and most < inf and size * pairs * drawer.repetition(ids, counts, size) > most:
        size = size * 3 // 4
    return size


def usual_block_size(skipgram: bool) -> int:
    """Centers per block where words are diverse."""
    return SKIPGRAM_BLOCK if skipgram else CBOW_BLOCK


def _met_again(shares: NDArray[np.float64], word_rows: WordRows | None) -> NDArray[np.float64]:
    """How much of each word's vector the next word of a text updates, on average: its own share of the words.

    With sub-words, the mean over its rows of the share of words that have the row: an update of one row of n moves
    the vector by 1 / n of it.
    """
    if word_rows is None:
        return shares
    lengths = np.diff(word_rows.starts)
    row_shares = np.bincount(word_rows.rows, np.repeat(shares, lengths))
    means: NDArray[np.float64] = np.add.reduceat(row_shares[word_rows.rows], word_rows.starts[:-1]) / lengths
    return means
