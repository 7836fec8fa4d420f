"""Chains of tags: the best one, and the probability of all of them together (a linear-chain CRF).

A sentence's tags y score sum_t scores[t, y_t] + transitions[y_t-1, y_t]. ``transitions`` is (tags + 2, tags): a row a
tag before, then a row of scores to begin with and one to end with. Sums of exponentials stay in the log domain.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel


@kernel
def best_paths(
    scores: NDArray[Any],
    starts: NDArray[np.int64],
    transitions: NDArray[Any],
    best: NDArray[np.float64],
    previous: NDArray[np.int32],
    path: NDArray[np.int32],
) -> None:
    """Viterbi's algorithm: write the tags of the highest score to ``path`` (tokens,).

    ``scores`` (tokens, tags) are of sentences that begin at ``starts`` (sentences + 1,); ``best`` and ``previous``
    (tokens, tags) are scratch: the score of the best path that ends there, and the tag it came from.
    """
    tags = scores.shape[1]
    for sentence in range(starts.size - 1):
        start, stop = starts[sentence], starts[sentence + 1]
        if start == stop:
            continue
        for tag in range(tags):
            best[start, tag] = transitions[tags, tag] + scores[start, tag]
        for token in range(start + 1, stop):
            for tag in range(tags):
                highest, origin = -np.inf, 0
                for before in range(tags):
                    score = best[token - 1, before] + transitions[before, tag]
                    if score > highest:
                        highest, origin = score, before
                best[token, tag] = highest + scores[token, tag]
                previous[token, tag] = origin
        last = 0
        for tag in range(tags):
            if best[stop - 1, tag] + transitions[tags + 1, tag] > best[stop - 1, last] + transitions[tags + 1, last]:
                last = tag
        path[stop - 1] = last
        for token in range(stop - 1, start, -1):
            path[token - 1] = previous[token, path[token]]


@kernel
def log_normalizers(
    scores: NDArray[Any],
    starts: NDArray[np.int64],
    transitions: NDArray[Any],
    alpha: NDArray[np.float64],
    normalizers: NDArray[np.float64],
) -> None:
    """The forward algorithm: the log of the summed exp(score) of all paths, for each sentence.

    ``alpha`` (tokens, tags) becomes the same for the paths that end at a token with a tag.
    """
    tags = scores.shape[1]
    for sentence in range(starts.size - 1):
        start, stop = starts[sentence], starts[sentence + 1]
        normalizers[sentence] = 0.0
        if start == stop:
            continue
        for tag in range(tags):
            alpha[start, tag] = transitions[tags, tag] + scores[start, tag]
        for token in range(start + 1, stop):
            for tag in range(tags):
                highest = -np.inf
                for before in range(tags):
                    highest = max(highest, alpha[token - 1, before] + transitions[before, tag])
                total = 0.0
                for before in range(tags):
                    total += np.exp(alpha[token - 1, before] + transitions[before, tag] - highest)
                alpha[token, tag] = highest + np.log(total) + scores[token, tag]
        highest = -np.inf
        for tag in range(tags):
            highest = max(highest, alpha[stop - 1, tag] + transitions[tags + 1, tag])
        total = 0.0
        for tag in range(tags):
            total += np.exp(alpha[stop - 1, tag] + transitions[tags + 1, tag] - highest)
        normalizers[sentence] = highest + np.log(total)


@kernel
def add_marginals(
    scores: NDArray[Any],
    starts: NDArray[np.int64],
    transitions: NDArray[Any],
    alpha: NDArray[np.float64],
    normalizers: NDArray[np.float64],
    marginals: NDArray[np.float64],
    pairs: NDArray[np.float64],
) -> None:
    """The backward algorithm, after ``log_normalizers``: how probable each tag and each transition is.

    ``marginals`` (tokens, tags) is overwritten with P(tag of a token); ``pairs``, shaped as ``transitions``, gets the
    expected number of each transition added.
    """
    tags = scores.shape[1]
    for sentence in range(starts.size - 1):
        start, stop = starts[sentence], starts[sentence + 1]
        if start == stop:
            continue
        normalizer = normalizers[sentence]
        for tag in range(tags):
            marginals[stop - 1, tag] = transitions[tags + 1, tag]  # log of what follows, until made a probability
        for token in range(stop - 2, start - 1, -1):
            after = token + 1
            for tag in range(tags):
                highest = -np.inf
                for following in range(tags):
                    beyond = marginals[after, following] + scores[after, following]
                    highest = max(highest, transitions[tag, following] + beyond)
                total = 0.0
                before = np.exp(alpha[token, tag] + highest - normalizer)
                for following in range(tags):
                    beyond = marginals[after, following] + scores[after, following]
                    power = np.exp(transitions[tag, following] + beyond - highest)
                    total += power
                    pairs[tag, following] += before * power
                marginals[token, tag] = highest + np.log(total)
        for token in range(start, stop):
            for tag in range(tags):
                marginals[token, tag] = np.exp(alpha[token, tag] + marginals[token, tag] - normalizer)
        for tag in range(tags):
            pairs[tags, tag] += marginals[start, tag]
            pairs[tags + 1, tag] += marginals[stop - 1, tag]


@kernel
def add_path(
    scores: NDArray[Any],
    starts: NDArray[np.int64],
    transitions: NDArray[Any],
    path: NDArray[np.int32],
    sign: float,
    marginals: NDArray[np.float64],
    pairs: NDArray[np.float64],
) -> float:
    """Add ``sign`` to ``marginals`` and ``pairs`` wherever the path goes; returns the summed score of the path."""
    tags = scores.shape[1]
    total = 0.0
    for sentence in range(starts.size - 1):
        start, stop = starts[sentence], starts[sentence + 1]
        before = tags
        for token in range(start, stop):
            tag = path[token]
            total += scores[token, tag] + transitions[before, tag]
            marginals[token, tag] += sign
            pairs[before, tag] += sign
            before = tag
        if start < stop:
            total += transitions[tags + 1, before]
            pairs[tags + 1, before] += sign
    return total
