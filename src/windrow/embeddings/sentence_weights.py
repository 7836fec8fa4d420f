"""What each word weighs in the vector of its sentence, and the directions that sentences have in common."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.kernels.sentences import sum_sentences, weighted_rows
from windrow.embeddings.subwords import NgramVectors

Floats = NDArray[np.float32]
_LEAST_SQUARE = 1e-12  # relative to the largest: less is what rounding leaves


def smooth_idf_of(documents: int, frequencies: NDArray[np.int64]) -> Floats:
    """ln((1 + documents) / (1 + documents with the word)) + 1 by word, as scikit-learn's TfidfTransformer."""
    return (np.log((1 + documents) / (1 + frequencies)) + 1).astype(np.float32)


def sif_weights(occurrences: NDArray[np.float64], a: float) -> Floats:
    """a / (a + p(word)) by word, with p(word) in proportion to ``occurrences`` (Arora, Liang & Ma 2017)."""
    probabilities = occurrences / max(1, occurrences.sum())
    weights: NDArray[np.float64] = a / (a + probabilities)
    return weights.astype(np.float32)


def zipf_occurrences(words: int) -> NDArray[np.float64]:
    """By word, in proportion to 1 / rank: Zipf's law, for words in the order of their frequency."""
    return float(words) / np.arange(1, words + 1)


def leading_directions(products: NDArray[np.float64], number: int) -> Floats:
    """The first right singular vectors of a matrix X from X.T @ X, (number or fewer, dim): fewer where the rank is."""
    squares, directions = np.linalg.eigh(products)  # rising
    rank = int((squares > _LEAST_SQUARE * squares[-1]).sum()) if squares[-1] > 0 else 0
    return directions[:, ::-1][:, : min(number, rank)].T.astype(np.float32)


def without_directions(rows: Floats, directions: Floats) -> None:
    """Take the part along some orthonormal directions, (removed, dim), off each row."""
    if len(directions):
        rows -= rows @ directions.T @ directions


def composed_rows(ngrams: NgramVectors, words: list[str]) -> tuple[Floats, NDArray[np.bool_]]:
    """``NgramVectors.compose`` of many words: (words, dim), and which of them have a vector; the others get zeros."""
    ids, starts = ngrams.subwords.ids_of(words)
    rows, is_used = ngrams.subwords.find(ids)
    ends = np.concatenate([[0], np.cumsum(is_used)])[starts]
    size, ones = ngrams.vectors.shape[1], np.ones(len(ngrams.vectors), np.float32)
    table = weighted_rows(np.ascontiguousarray(ngrams.vectors), ones, ones)
    sums, used = np.empty((len(words), size), np.float32), np.empty(len(words))
    sum_sentences(table, rows[is_used].astype(np.int32), ends[1:], size, sums.reshape(-1), used)
    sums /= np.maximum(np.diff(starts), 1).astype(np.float32)[:, None]
    return sums, used > 0
