"""What an output layer of word vectors predicts: the words of a gap, and how likely sentences are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.steps.hierarchical_softmax import HierarchicalSoftmaxStep
from windrow.nn.layers.activations import exponentials
from windrow.outputs.tree import HuffmanTree, signs_of

Table = NDArray[np.floating]


def word_log_probs(hidden: NDArray[np.float64], table: Table, tree: HuffmanTree | None) -> NDArray[np.float64]:
    """The log-probability of each word given a hidden vector: by the paths of a tree, or by a softmax of all scores."""
    scores = table @ hidden  # (rows,)
    if tree is None:
        _, _, sums = exponentials(scores)
        return np.asarray(scores - (scores.max() + np.log(sums)), np.float64)
    words = np.repeat(np.arange(len(tree.starts) - 1), np.diff(tree.starts))
    turns = _log_logistic(signs_of(tree.codes, np.float64) * scores[tree.nodes])
    return np.asarray(np.bincount(words, weights=turns, minlength=len(tree.starts) - 1), np.float64)


def sentence_log_likelihood(
    words: Sequence[int], inputs: Table, layer: HierarchicalSoftmaxStep, window: int, skipgram: bool, mean: bool
) -> float:
    """The summed log-probability of each word given its window; skip-gram: given each word of its window.

    All words of a window count in full, whatever the weights in training were. A word without any around it is not
    predicted.
    """
    size, tree, total = inputs.shape[1], layer.tree, 0.0
    for center, word in enumerate(words):
        around = [*words[max(0, center - window) : center], *words[center + 1 : center + 1 + window]]
        if not around:
            continue
        rows = inputs[around].astype(np.float64)
        hidden = rows if skipgram else (rows.mean(axis=0) if mean else rows.sum(axis=0))[None]
        path = slice(tree.starts[word], tree.starts[word + 1])
        scores = hidden @ layer.parameters[tree.nodes[path], :size].T.astype(np.float64)  # (rows, turns)
        total += float(_log_logistic(signs_of(tree.codes[path], np.float64) * scores).sum())
    return total


def _log_logistic(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return -np.logaddexp(0, -scores)
