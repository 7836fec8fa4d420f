"""The layer that looks words up: a Dense layer on one-hot rows, without the zeros."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import DTypeLike

from windrow.errors import DataError, check_whole
from windrow.machine import check_memory
from windrow.nn.layers.layer import Backward, Layer
from windrow.nn.parameters import Array, Parameter, SparseParameter


class Embedding(Layer):
    """Word ids (rows, window) become the vectors of these words side by side, (rows, window * dim).

    The gradient of the table (words, dim) is sparse: only the vectors of words that occur change.
    Source: Bengio et al. 2003, "A neural probabilistic language model".

    Parameters
    ----------
    words : int >= 1
        Rows of the table: ids are below it.
    dim : int >= 1
        Dimensions per word vector.
    vectors : ndarray of shape (words, dim), default None
        The first vectors, which are copied; None: random ones.
    scale : float, default 0.1
        Standard deviation of random vectors.
    rng : Generator or int, default None
        Draws the vectors.
    dtype : float32 or float64
        Of the vectors.
    """

    def __init__(
        self,
        words: int,
        dim: int,
        *,
        vectors: Array | None = None,
        scale: float = 0.1,
        rng: np.random.Generator | int | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        for name, value in (("words", words), ("dim", dim)):
            check_whole(name, value, 1)
        if vectors is None:
            check_memory(8 * words * dim, f"{words:,} x {dim:,} vectors", "make the layer smaller")
            vectors = np.random.default_rng(rng).normal(0, scale, (words, dim))
        if vectors.shape != (words, dim):
            raise DataError(f"vectors have the shape {vectors.shape}, not ({words}, {dim}) as the layer")
        self.vectors: Parameter | SparseParameter = SparseParameter(vectors.astype(dtype))  # a copy

    @classmethod
    def of(cls, vectors: Parameter | SparseParameter) -> Self:
        """A layer that looks words up in these vectors (words, dim), which other layers may share."""
        layer = cls.__new__(cls)
        layer.vectors = vectors
        return layer

    @property
    def parameters(self) -> dict[str, Parameter | SparseParameter]:
        """``vectors``, a SparseParameter unless the layer was made ``of`` a Parameter."""
        return {"vectors": self.vectors}

    def forward(self, ids: Array, training: bool = False) -> tuple[Array, Backward]:
        """The vectors, (rows, window * dim); DataError where ids are no ids of words in the table."""
        table = self.vectors
        words, dim = table.value.shape
        if ids.ndim != 2 or not np.issubdtype(ids.dtype, np.integer):
            raise DataError(f"{self} takes word ids (rows, window), but got {ids.dtype} of the shape {ids.shape}")
        if ids.size and not (ids.min() >= 0 and ids.max() < words):
            raise DataError(f"{self} got word ids from {ids.min()} to {ids.max()}; map unknown words to an id first")
        flat_ids = ids.reshape(-1)
        y = table.value.take(flat_ids, axis=0).reshape(len(ids), -1)

        def backward(dy: Array, need_dx: bool = True) -> None:
            table.add_rows(flat_ids, dy.reshape(-1, dim))  # ids have no gradient to hand on

        return y, backward

    def __repr__(self) -> str:
        words, dim = self.vectors.value.shape
        return f"Embedding({words}, {dim})"
