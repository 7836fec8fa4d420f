"""What the workers of word2vec ask of an output layer: its table, and kernels that train it on a chunk of text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from windrow.embeddings.kernels.contexts import Block, Context
from windrow.embeddings.kernels.inputs import Inputs
from windrow.embeddings.kernels.windows import Chunk
from windrow.numeric.rng import RngState
from windrow.numeric.tables import zero_table

# Blocks are smaller where words repeat as often as fewer than 96 equally frequent ones would; smaller still where
# windows are wider than three usual ones. Twice this diverges on some small corpora at a learning rate of 0.1
# (bench/small_corpora.py).
_DIVERSE = 96
_WIDE = 3.0


@dataclass(frozen=True)
class StepOptions:
    """Options of the training steps; each reads its own."""

    negative: int = 5
    ns_exponent: float = 0.75
    shared_negatives: int = 16
    private_rows: int = 0  # rows behind the parameters for workers' copies
    ties: str = "heap"  # of the Huffman tree, see huffman_tree
    skips_targets: bool = True  # whether noise words leave out a row's own targets where they are few


@dataclass(frozen=True)
class TouchedRows:
    """The rows of a table that one worker will update in a round, and the layer as it works on copies of them.

    Copy i is a copy of row ``rows[i]``. In the layer and in ``draws``, words and rows are numbers of copies.
    """

    rows: NDArray[np.int32]
    touches: NDArray[np.float32]  # (rows,): about how often a row will be updated
    layer: Any  # still with the shared table, which the worker replaces by its copies
    draws: NDArray[np.int32]


class TrainingStep(ABC):
    """An output layer of word vectors, and the updates that improve it and the rows that predict a word.

    ``parameters`` (rows, stride) is its table, zero at first; training changes it in place. ``storage`` is the
    same memory with the ``private_rows`` behind. ``train_pairs`` goes update by update as word2vec.c does,
    ``train_blocks`` a block of center words at a time; both walk a whole chunk and return the summed loss.
    """

    words_are_rows = True  # whether the vector of word w is row w of the table
    most_updates = inf  # of a word by pairs with itself that a block may make, on average

    def __init__(
        self,
        counts: NDArray[np.int64],
        vector_size: int,
        options: StepOptions = StepOptions(),
        dtype: DTypeLike = np.float32,
    ) -> None:
        rows = self.prepare(counts, options)
        self.storage = zero_table(rows + options.private_rows, vector_size, dtype)
        self.parameters = self.storage[:rows]

    def prepare(self, counts: NDArray[np.int64], options: StepOptions) -> int:
        """Make what depends on the counts of the words; returns the number of rows of the table."""
        return len(counts)

    def block_share(self, repetition: float, windows: float) -> float:
        """How large a block may be, as a share of the usual one; 1 or more: as large as that.

        ``repetition``: the sum of the squared shares of the words. ``windows``: the pairs of a center, as a multiple of
        those of a window of usual width.
        """
        return 1 / max(_DIVERSE * repetition * max(1.0, windows / _WIDE), 1e-9)

    @abstractmethod
    def pair_arguments(self) -> Any:
        """The layer as ``train_pairs`` takes it."""

    @abstractmethod
    def block_arguments(self, rows: int) -> Any:
        """The layer as ``train_blocks`` takes it, with scratch for one worker's blocks of up to ``rows`` rows."""

    @abstractmethod
    def touched(
        self, block_arguments: Any, words: NDArray[np.int32], visits: NDArray[np.float32], draws: NDArray[np.int32]
    ) -> TouchedRows:
        """The rows that a round updates, from its distinct words, how often each occurs (``visits``), and draws."""

    def first_hot_row(self, number: int) -> int:
        """The first of the ``number`` consecutive rows that are updated most."""
        return 0

    def with_copies(self, block_arguments: Any, number: int, place: int) -> Any:
        """The layer of a worker that has copies of these hot rows from row ``place`` on."""
        return block_arguments

    @staticmethod
    def draw(block_arguments: Any, blocks: int, state: RngState, /) -> NDArray[np.int32]:
        """What a chunk of this many blocks draws at random; nothing else of a block step is random."""
        return np.empty(0, np.int32)

    @staticmethod
    @abstractmethod
    def train_pairs(chunk: Chunk, inputs: Inputs, context: Context, rate: Any, layer: Any, state: RngState, /) -> float:
        """Train on a chunk, pair by pair."""

    @staticmethod
    @abstractmethod
    def train_blocks(
        chunk: Chunk,
        inputs: Inputs,
        context: Context,
        block: Block,
        rate: Any,
        layer: Any,
        draws: NDArray[np.int32],
        /,
    ) -> float:
        """Train on a chunk, block by block."""
