"""What every output layer offers, and the options they are built from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from windrow.embeddings.kernels.contexts import Block, Context
from windrow.embeddings.kernels.windows import Chunk
from windrow.numeric.rng import State


@dataclass(frozen=True)
class LayerOptions:
    """Options of the output layers; each layer reads its own."""

    negative: int = 5
    ns_exponent: float = 0.75
    shared_negatives: int = 16
    private_rows: int = 0  # room behind the parameters for copies of rows


@dataclass(frozen=True)
class LayerShare:
    """What a worker needs of an output layer to train apart: which rows to copy, and a layer that reads the copies."""

    rows: NDArray[np.int32]  # of the table, in the order of the copies
    touches: NDArray[np.float32]  # (rows,): how often a row will be updated, about
    layer: Any  # to be given the copies as its table; it knows words by their place among the share's words
    draws: NDArray[np.int32]  # like those given, in the share's numbers


class OutputLayer(Protocol):
    """From hidden rows to a distribution over the vocabulary, and the updates that improve it.

    ``parameters`` (rows, stride) is the layer's own table; training changes it in place. ``train_pairs`` goes update
    by update as word2vec.c does, the others work on blocks of center words; all walk a whole chunk.
    """

    words_are_rows: bool  # whether the block kernels look for a word's vector in the row of its number
    parameters: NDArray[Any]
    room: NDArray[Any]  # the parameters, and behind them what ``private_rows`` asks for

    @classmethod
    def build(
        cls, counts: NDArray[np.int64], vector_size: int, options: LayerOptions, dtype: DTypeLike = np.float32
    ) -> OutputLayer:
        """The layer of a vocabulary with these counts, its parameters zero."""
        ...

    def pair_layer(self) -> Any:
        """The layer as ``train_pairs`` takes it."""
        ...

    def block_layer(self, rows: int) -> Any:
        """The layer as the block kernels take it, with scratch for one worker's blocks of up to ``rows`` rows."""
        ...

    def hot_rows(self, number: int) -> int:
        """The first of the ``number`` rows in a row that are updated most."""
        ...

    def with_copies(self, block_layer: Any, number: int, place: int) -> Any:
        """The layer of a worker that has copies of these rows from row ``place`` on."""
        ...

    def share(
        self, block_layer: Any, words: NDArray[np.int32], visits: NDArray[np.float32], draws: NDArray[np.int32]
    ) -> LayerShare:
        """The part of the layer that some distinct words, visited so often, and these draws touch."""
        ...

    def log_distribution(self, hidden: NDArray[Any]) -> NDArray[Any]:
        """Log-probabilities of all words, (rows, words), given hidden rows (rows, vector_size)."""
        ...

    @staticmethod
    def train_pairs(
        chunk: Chunk, table: NDArray[Any], context: Context, rate: Any, layer: Any, state: State, /
    ) -> float:
        """Train on a chunk, pair by pair; returns the summed loss."""
        ...

    @staticmethod
    def draw(block_layer: Any, blocks: int, state: State, /) -> NDArray[np.int32]:
        """What a chunk of this many blocks draws at random; nothing else of a block step is random."""
        ...

    @staticmethod
    def train_skipgram(
        chunk: Chunk,
        table: NDArray[Any],
        context: Context,
        block: Block,
        rate: Any,
        layer: Any,
        draws: NDArray[np.int32],
        /,
    ) -> float:
        """Train skip-gram on a chunk, block by block; returns the summed loss."""
        ...

    @staticmethod
    def train_cbow(
        chunk: Chunk,
        table: NDArray[Any],
        context: Context,
        block: Block,
        rate: Any,
        layer: Any,
        draws: NDArray[np.int32],
        /,
    ) -> float:
        """The same for CBOW."""
        ...
