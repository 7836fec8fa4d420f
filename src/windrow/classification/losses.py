"""The losses by name: what training needs of each, and the probabilities that the scores of each stand for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from windrow.classification.kernels.steps import EACH, NOISE, SOFTMAX, TREE, Loss, tree_probabilities
from windrow.nn.layers.activations import softmax
from windrow.numeric.rng import alias_table
from windrow.outputs.noise import noise_probabilities
from windrow.outputs.tree import huffman_tree, tree_of_children

_CODES = {"softmax": SOFTMAX, "hs": TREE, "ns": NOISE, "ova": EACH}
_NOISE_POWER = 0.5  # fastText's, of classes


def loss_of(name: str, counts: NDArray[np.int64], negative: int, children: NDArray[np.integer] | None = None) -> Loss:
    """A loss for classes that occur so often; ``children``: those of the nodes of another tree than ours."""
    tree = huffman_tree(counts if name == "hs" else counts[:1]) if children is None else tree_of_children(children)
    return Loss(_CODES[name], tree, *alias_table(noise_probabilities(counts, _NOISE_POWER)), negative)


def probabilities_of(name: str, scores: NDArray[np.float32], loss: Loss, classes: int) -> NDArray[np.float32]:
    """The probability of each class, (texts, classes), by scores of (texts, output vectors), which are used up."""
    if name == "softmax":
        return softmax(scores)
    if name == "hs":
        probabilities = np.empty((len(scores), classes), np.float32)
        tree_probabilities(scores, loss.tree, probabilities)
        return probabilities
    with np.errstate(over="ignore"):
        np.exp(-scores, out=scores)
    scores += 1
    return np.reciprocal(scores, out=scores)
