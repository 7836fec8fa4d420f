"""The network: vectors of words and features, a hidden layer over the window, scores of tags."""

from __future__ import annotations

import numpy as np

from windrow.errors import OptionError
from windrow.nn.graph import Graph, Node
from windrow.nn.initializers import initial_weights
from windrow.nn.layers import ACTIVATIONS, Concatenate, Dense, Dropout, Embedding
from windrow.nn.layers.layer import Backward, Layer
from windrow.nn.parameters import Array, Parameter, ParameterVector, SparseParameter
from windrow.numeric.blas import set_product
from windrow.tagging.kernels.windows import add_windows, scatter_windows
from windrow.tagging.settings import HIDDEN_ACTIVATIONS
from windrow.tagging.tag_outputs import TagOutput, Tags
from windrow.tagging.windows import Windows

WORD_VECTORS = "words.vectors"  # what files call them


class WordLookUp(Layer):
    """The vectors of words, of which the first learn and the others, ``frozen`` (or None), stay as they are.

    ``trained``: how many words learn in training, where that is more than do here, since the rest is still in a file;
    None if the file does not say.
    """

    def __init__(self, learning: Array, frozen: Array | None, trained: int | None = None) -> None:
        self.learning = SparseParameter(learning)
        self.frozen = frozen
        self.trained = trained

    @property
    def parameters(self) -> dict[str, Parameter | SparseParameter]:
        """``vectors``, those that learn."""
        return {"vectors": self.learning}

    def all_vectors(self) -> Array:
        """The vectors of all words, (words, dim)."""
        learning = self.learning.value
        return learning if self.frozen is None else np.concatenate([learning, self.frozen])

    def to_train(self) -> WordLookUp:
        """A copy of which the words learn that did in training; of an older file none but those that do here."""
        vectors = self.all_vectors()
        trained = len(self.learning.value) if self.trained is None else self.trained
        frozen = vectors[trained:]
        return WordLookUp(vectors[:trained].copy(), frozen if len(frozen) else None, self.trained)

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


class WindowLayer(Layer):
    """y = the vectors of the window, side by side, @ weights + biases; each distinct token is multiplied once.

    ``weights`` is (dim, window * hidden): a block of columns a place in the window.
    """

    def __init__(self, dim: int, window: int, hidden: int, rng: np.random.Generator, dtype: type) -> None:
        self.window = window
        stacked = initial_weights("glorot", window * dim, hidden, rng).reshape(window, dim, hidden)
        self.weights = Parameter(stacked.transpose(1, 0, 2).reshape(dim, -1).astype(dtype), is_weight=True)
        self.biases = Parameter(np.zeros(hidden, dtype))

    @property
    def parameters(self) -> dict[str, Parameter | SparseParameter]:
        """``weights`` and ``biases``."""
        return {"weights": self.weights, "biases": self.biases}

    def forward(self, x: Array, places: Array, centers: Array, training: bool = False) -> tuple[Array, Backward]:
        """From the vectors of distinct tokens (distinct, dim) to sums (tokens, hidden); see Windows."""
        sums = np.empty((len(centers), len(self.biases.value)), x.dtype)
        sums[:] = self.biases.value
        products = np.empty((len(x), self.weights.value.shape[1]), x.dtype)
        set_product(products, x, self.weights.value)
        add_windows(products, places, centers, self.window, sums)

        def backward(dy: Array, need_dx: bool = True) -> tuple[Array, None, None]:
            d_products = np.zeros_like(products)
            scatter_windows(dy, places, centers, self.window, d_products)
            self.weights.add_product(x, d_products)
            self.biases.add(dy.sum(axis=0))
            dx = np.empty_like(x)
            set_product(dx, d_products, self.weights.value.T)
            return dx, None, None  # places and centers are data

        return sums, backward


class TagNetwork:
    """Scores of tags for the tokens of Windows; all that learns is one vector, ``parameters.values``.

        words    -> WordLookUp -+
        features -> Embedding  -+-> Concatenate -> Dropout -> WindowLayer -> activation -> Dropout -> Dense -> output

    Dropout silences parts of the vectors of a distinct token, everywhere in the batch alike, and hidden units.
    """

    def __init__(
        self,
        words: WordLookUp,
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
        self.scores = Dense(hidden_size, output.columns, initializer="glorot", rng=rng, dtype=dtype)
        self.dropouts = [Dropout(dropout, rng=rng), Dropout(dropout, rng=rng)]
        self._layers = self._graph(ACTIVATIONS[activation]())
        self.output = output
        named: dict[str, Parameter | SparseParameter] = {
            WORD_VECTORS: words.learning,
            "features.vectors": self.features.vectors,
            "hidden.weights": self.hidden.weights,
            "hidden.biases": self.hidden.biases,
            "scores.weights": self.scores.weights,
            "scores.biases": self.scores.biases,
        }
        self.parameters = ParameterVector(
            named | {f"output.{name}": parameter for name, parameter in output.parameters.items()}
        )

    def _graph(self, activation: Layer) -> Graph:
        inputs = words, features, places, centers = Node(), Node(), Node(), Node()
        vectors = Node(Concatenate(), Node(self.words, words), Node(self.features, features))
        sums = Node(self.hidden, Node(self.dropouts[0], vectors), places, centers)
        return Graph(inputs, Node(self.scores, Node(self.dropouts[1], Node(activation, sums))))

    def forward(self, windows: Windows, training: bool = False) -> tuple[Array, Backward]:
        """Scores (tokens, columns of the output), and the backward pass."""
        inputs = windows.words, windows.features, windows.places, windows.centers
        return self._layers.forward(*inputs, training=training)

    def add_gradient(self, windows: Windows, tags: Tags, *, training: bool = True) -> float:
        """Add the gradient of the mean loss of a token; returns that loss."""
        scores, backward = self.forward(windows, training=training)
        loss, d_scores = self.output.loss(scores, tags, windows.starts)
        backward(d_scores, need_dx=False)
        return loss

    def decode(self, windows: Windows) -> Tags:
        """The tags of all tokens, (tokens,)."""
        return self.output.decode(self.forward(windows)[0], windows.starts)
