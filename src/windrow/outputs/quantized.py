"""The full softmax with weights of 8 bits: a quarter of the bytes to read for each word of generated text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from windrow.errors import OptionError
from windrow.nn.parameters import Array, Parameter, SparseParameter
from windrow.numeric.simd import LANES
from windrow.numeric.tables import padded_width
from windrow.outputs.contract import OutputLayer, Targets
from windrow.outputs.kernels.quantized import score_codes
from windrow.outputs.tiled_softmax import Scores, TiledSoftmax, probabilities_of

BITS = 8
_HIGHEST = 2 ** (BITS - 1) - 1
_LEAST = 1e-30  # so that weights which are all 0 can be divided by the largest


def to_codes(rows: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Rows as int8 codes (rows, columns) and a float32 scale for each; the largest number of a row is 127 or -127."""
    largest = np.maximum(rows.max(axis=1, initial=0), -rows.min(axis=1, initial=0))
    scales = (np.maximum(largest, _LEAST) / _HIGHEST).astype(np.float32)
    return np.rint(rows / scales[:, None]).astype(np.int8), scales


def from_codes(codes: NDArray[np.int8], scales: NDArray[np.float32]) -> NDArray[np.float32]:
    """The inverse of ``to_codes``, to half a step."""
    return codes * scales[:, None]


class QuantizedSoftmax(OutputLayer):
    """p(w | h) = exp(scales[w] * (codes[w] @ h) + biases[w]) / Z; a softmax that is asked, not trained.

    ``arrays``: ``codes`` int8 (words, hidden_size), ``scales`` and ``biases`` float32 (words,); the largest weight of a
    word has the code 127 or -127. Make one with ``of``.
    """

    @classmethod
    def of(cls, layer: OutputLayer) -> QuantizedSoftmax:
        """The 8-bit form of a trained layer; OptionError for one that is no full softmax."""
        scores = layer.scores
        if scores is None:
            raise OptionError(
                f"{type(layer).__name__} has no weights per word for 8 bits; try output_layer='softmax' or 'nce'"
            )
        quantized = cls(layer.counts, layer.hidden_size, layer.rng, np.float32, layer.options)
        quantized.arrays["codes"][:], quantized.arrays["scales"][:] = to_codes(scores.weights)
        quantized.arrays["biases"][:] = scores.biases
        return quantized

    def build(self, tied: Parameter | SparseParameter | None) -> None:
        """Room for the arrays, which are views of rows and tables that are filled up to whole vectors."""
        assert tied is None
        rows = padded_width(self.words)
        self._codes = np.zeros((rows, padded_width(self.hidden_size)), np.int8)
        self._scales, self._biases = np.zeros((2, rows), np.float32)
        self.arrays = {
            "codes": self._codes[: self.words, : self.hidden_size],
            "scales": self._scales[: self.words],
            "biases": self._biases[: self.words],
        }
        self._softmax = TiledSoftmax()

    @property
    def parameters(self) -> dict[str, Parameter | SparseParameter]:
        """None: it cannot be trained."""
        return {}

    def loss_and_gradient(self, hidden: Array, targets: Targets, d_hidden: Array, scale: float = 1.0) -> float:  # noqa: D102
        raise OptionError("an output layer of 8-bit weights cannot be trained; train the model that it was made from")

    def target_log_probs(self, hidden: Array, targets: Targets) -> NDArray[np.float64]:  # noqa: D102
        return self._softmax.target_log_probs(self._dequantized(), hidden, targets)

    def distribution(self, hidden: Array) -> NDArray[np.float64]:  # noqa: D102
        row = np.zeros(self._codes.shape[1], np.float32)
        row[: len(hidden)] = hidden
        scores = np.empty(len(self._codes) + LANES, np.float32)
        score_codes(row, self._codes.reshape(-1), self._scales, self._biases, scores)
        return probabilities_of(scores[: self.words])

    def _dequantized(self) -> Scores:
        """As float32, for many rows at once, where the products take longer than this does."""
        return Scores(from_codes(self.arrays["codes"], self.arrays["scales"]), self.arrays["biases"])
