"""The output layers of minibatch language models as their papers define them: one hidden vector, one word at a time."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.floating]


def log_sum_exp(scores: Sequence[float]) -> float:
    highest = max(scores)
    return highest + log(sum(exp(score - highest) for score in scores))


def softmax_log_probs(hidden: Vector, weights: NDArray[np.floating], biases: Vector) -> list[float]:
    scores = [float(row @ hidden) + float(bias) for row, bias in zip(weights, biases, strict=True)]
    return [score - log_sum_exp(scores) for score in scores]


def path_log_prob(hidden: Vector, nodes: NDArray[np.floating], path: Sequence[tuple[int, int]]) -> float:
    """Of a word whose path has these (inner node, code); code 0 is the left turn, the last used column the bias."""
    log_prob = 0.0
    for node, code in path:
        score = float(nodes[node, : len(hidden)] @ hidden) + float(nodes[node, len(hidden)])
        log_prob -= log_sum_exp([0.0, -score if code == 0 else score])
    return log_prob


def clustered_log_probs(
    hidden: Vector,
    root: tuple[NDArray[np.floating], Vector],
    clusters: Sequence[tuple[NDArray[np.floating] | None, NDArray[np.floating], Vector]],
) -> list[float]:
    """By rank: the root's own words, then those of each cluster (projection, weights, biases)."""
    at_root = softmax_log_probs(hidden, *root)
    own = len(at_root) - len(clusters)
    log_probs = at_root[:own]
    for (projection, weights, biases), log_prob in zip(clusters, at_root[own:], strict=True):
        inputs = hidden if projection is None else projection @ hidden
        log_probs += [log_prob + within for within in softmax_log_probs(inputs, weights, biases)]
    return log_probs


def noise_contrastive_loss(
    score_of: Vector, target: int, noise_words: Sequence[int], noise_probs: Vector, draws: int
) -> float:
    """Is it the target or one of the draws? ``score_of`` every word; ``noise_words`` with repetitions."""
    loss = 0.0
    for word, is_target in [(target, True), *((word, False) for word in noise_words)]:
        logit = float(score_of[word]) - log(draws * noise_probs[word])
        loss += log_sum_exp([0.0, -logit if is_target else logit])
    return loss


def sampled_softmax_loss(
    score_of: Vector, target: int, noise_words: Sequence[int], noise_probs: Vector, draws: int
) -> float:
    """The normalizer: the target's power, and what the draws that are not the target say about all other words."""
    others = [float(score_of[word]) - log(draws * noise_probs[word]) for word in noise_words if word != target]
    return log_sum_exp([float(score_of[target]), *others]) - float(score_of[target])


def contexts(stream: Sequence[int], positions: Sequence[int], window: int, first_symbol: int) -> list[list[int]]:
    """The words before each position within its sentence, filled up with ``first_symbol`` on the left."""
    found = []
    for position in positions:
        words: list[int] = []
        place = position - 1
        while place >= 0 and stream[place] != first_symbol and len(words) < window:
            words.insert(0, stream[place])
            place -= 1
        found.append([first_symbol] * (window - len(words)) + words)
    return found
