"""The network: vectors of words and features, a hidden layer over the window, scores of tags."""

from __future__ import annotations

import numpy as np

from windrow.errors import OptionError
from windrow.nn.initialisers import initial_weights
from windrow.nn.layers import ACTIVATIONS, Dense, Dropout, Embedding
from windrow.nn.layers.layer import Backward
from windrow.nn.parameters import Array, Parameter, ParameterVector, Table
from windrow.tagging.kernels.windows import add_windows, scatter_windows
from windrow.tagging.outputs import TagOutput, Tags
from windrow.tagging.settings import HIDDEN_ACTIVATIONS
from windrow.tagging.windows import Windows


class WordTable:
    """The vectors of words, of which the first learn and the others, ``frozen`` (or None), stay as they are."""

    def __init__(self, learning: Array, frozen: Array | None) -> None:
        self.learning = Table(learning)
        self.frozen = frozen

    @property
    def parameters(self) -> dict[str, Parameter | Table]:
        """``vectors``, those that learn."""
        return {"vectors": self.learning}

    def forward(self, ids: Array, training: bool = False) -> tuple[Array, Backward]:
        """The vectors of some words, (words, dim)."""
        table, frozen = self.learning, self.frozen
        learns = ids < len(table.value)
        if frozen is None:
            vectors = table.value[ids]
        else:
            vectors = np.empty((len(ids), table.value.shape[1]), table.value.dtype)
            vectors[learns] = table.value[ids[learns]]
            vectors[~learns] = frozen[ids[~learns] - len(table.value)]

        def backward(dy: Array, need_dx: bool = True) -> None:
            table.add_rows(ids[learns], dy[learns])

        return vectors, backward


class WindowLayer:
    """y = the vectors of the window, side by side, @ weights + biases; each distinct token is multiplied once.

    ``weights`` is (dim, window * hidden): a block of columns a place in the window.
    """

    def __init__(self, dim: int, window: int, hidden: int, rng: np.random.Generator, dtype: type) -> None:
        self.window = window
        stacked = initial_weights("glorot", window * dim, hidden, rng).reshape(window, dim, hidden)
        self.weights = Parameter(stacked.transpose(1, 0, 2).reshape(dim, -1).astype(dtype), is_weight=True)
        self.biases = Parameter(np.zeros(hidden, dtype))

    @property
    def parameters(self) -> dict[str, Parameter | Table]:
        """``weights`` and ``biases``."""
        return {"weights": self.weights, "biases": self.biases}

    def forward(self, x: Array, places: Array, centers: Array, training: bool = False) -> tuple[Array, Backward]:
        """From the vectors of distinct tokens (distinct, dim) to sums (tokens, hidden); see Windows."""
        sums = np.empty((len(centers), len(self.biases.value)), x.dtype)
        sums[:] = self.biases.value
        add_windows(np.dot(x, self.weights.value), places, centers, self.window, sums)

        def backward(dy: Array, need_dx: bool = True) -> Array:
            products = np.zeros((len(x), self.weights.value.shape[1]), x.dtype)
            scatter_windows(dy, places, centers, self.window, products)
            self.weights.add_product(x, products)
            self.biases.add(dy.sum(axis=0))
            dx: Array = np.dot(products, self.weights.value.T)
            return dx

        return sums, backward


class TagNetwork:
    """Scores of tags for the tokens of Windows; all that learns is one vector, ``parameters.values``.

    Dropout silences parts of the vectors of a distinct token, everywhere in the batch alike, and hidden units.
    """

    def __init__(
        self,
        words: WordTable,
        feature_rows: int,
        slots: int,
        output: TagOutput,
        *,
        feature_size: int,
        window: int,
        hidden_size: int,
        activation: str,
        dropout: float,
        rng: np.random.Generator,
    ) -> None:
        if activation not in HIDDEN_ACTIVATIONS:
            raise OptionError(f"activation = {activation!r} is not one of {', '.join(HIDDEN_ACTIVATIONS)}")
        dim = words.learning.value.shape[1]
        dtype = words.learning.value.dtype.type
        self.words = words
        self.features = Embedding(feature_rows, feature_size, scale=0.1, rng=rng, dtype=dtype)
        self.hidden = WindowLayer(dim + slots * feature_size, window, hidden_size, rng, dtype)
        self.activation = ACTIVATIONS[activation]()
        self.scores = Dense(hidden_size, output.columns, initializer="glorot", rng=rng, dtype=dtype)
        self.input_dropout, self.hidden_dropout = Dropout(dropout, rng=rng), Dropout(dropout, rng=rng)
        self.output = output
        named: dict[str, Parameter | Table] = {
            "words.vectors": words.learning,
            "features.vectors": self.features.vectors,
            "hidden.weights": self.hidden.weights,
            "hidden.biases": self.hidden.biases,
            "scores.weights": self.scores.weights,
            "scores.biases": self.scores.biases,
        }
        self.parameters = ParameterVector(
            named | {f"output.{name}": parameter for name, parameter in output.parameters.items()}
        )

    def forward(self, windows: Windows, training: bool = False) -> tuple[Array, Backward]:
        """Scores (tokens, columns of the output), and the way back."""
        words, words_back = self.words.forward(windows.words)
        features, features_back = self.features.forward(windows.features)
        vectors, vectors_back = self.input_dropout.forward(np.hstack([words, features]), training=training)
        sums, sums_back = self.hidden.forward(vectors, windows.places, windows.centers)
        units, units_back = self.activation.forward(sums)
        kept, kept_back = self.hidden_dropout.forward(units, training=training)
        scores, scores_back = self.scores.forward(kept)

        def backward(dy: Array, need_dx: bool = True) -> None:
            dx = vectors_back(sums_back(units_back(kept_back(scores_back(dy)))))
            words_back(dx[:, : words.shape[1]])
            features_back(np.ascontiguousarray(dx[:, words.shape[1] :]))

        return scores, backward

    def add_gradient(self, windows: Windows, tags: Tags, *, training: bool = True) -> float:
        """Add the gradient of the mean loss of a token; returns that loss."""
        scores, backward = self.forward(windows, training=training)
        loss, d_scores = self.output.loss(scores, tags, windows.starts)
        backward(d_scores)
        return loss

    def decode(self, windows: Windows) -> Tags:
        """The tags of all tokens, (tokens,)."""
        return self.output.decode(self.forward(windows)[0], windows.starts)
