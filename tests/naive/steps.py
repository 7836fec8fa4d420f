"""The output layers of word vectors: loss and gradient as their papers define them, one score at a time.

A block step is given ``hidden``, the vectors that predict, by their key; ``targets``, a list of target word and
the (key, weight) of each hidden vector that is to predict it; and ``outputs``, which it changes in place. It returns
what is to be added to each hidden vector, and the loss. A pair step does the same for one hidden vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, log1p

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.floating]
Table = NDArray[np.floating]  # (words or inner nodes, vector_size)
Hidden = dict[int, Vector]
Targets = list[tuple[int, list[tuple[int, float]]]]
Path = list[tuple[int, int]]  # (inner node, code) from the root


def logistic(x: float) -> float:
    """The block kernels' logistic: beyond +-30 it stays what it is there, 1e-13 from its limit."""
    return 1 / (1 + exp(-min(max(x, -30), 30)))


def _learn(
    hidden: Hidden,
    targets: list[tuple[int, int, list[tuple[int, float]]]],
    rate: float,
    outputs: Table,
    gradient: Hidden,
) -> float:
    """Logistic regressions: rows of ``outputs``, each with a label and the hidden vectors that are to score so with it.

    All errors are computed first. Then target by target learns, from twelve hidden vectors at a time; a hidden vector's
    gradient sees the output as it stands then.
    """
    loss, errors = 0.0, []
    for output, label, pairs in targets:
        for key, weight in pairs:
            probability = logistic(hidden[key] @ outputs[output])
            loss -= weight * (log(probability) if label else log(1 - probability))
            errors.append(rate * weight * (label - probability))
    remaining = iter(errors)
    for output, _, pairs in targets:
        for start in range(0, len(pairs), 12):
            before = outputs[output].copy()
            for key, _ in pairs[start : start + 12]:
                error = next(remaining)
                gradient[key] += error * before
                outputs[output] += error * hidden[key]
    return loss


def negative_sampling_block(
    hidden: Hidden,
    targets: Targets,
    rate: float,
    outputs: Table,
    noise_sets: Sequence[Sequence[int]],
    negative: int,
    group: int,
    chances: Sequence[float] = (),
) -> tuple[Hidden, float]:
    """Each set of noise words in turn, all its words at once, against every so many rows; then the targets in groups.

    A pair counts as if it had drawn ``negative`` noise words. With the ``chances`` of the words, one that is its own
    target is left out; the loss has log 2 for it, and log 2 for the expected number of those taken off.
    """
    gradient = {key: np.zeros_like(vector) for key, vector in hidden.items()}
    loss = 0.0
    for number, noise_words in enumerate(noise_sets):
        members, before = list(hidden)[number :: len(noise_sets)], outputs.copy()
        for target_word, pairs in targets:
            for key, weight in pairs:
                share = weight * negative / len(noise_words)
                for word in noise_words if key in members else []:
                    if chances and word == target_word:
                        loss += share * log(2)
                        continue
                    probability = logistic(hidden[key] @ before[word])
                    loss -= share * log(1 - probability)
                    gradient[key] -= rate * share * probability * before[word]
                    outputs[word] -= rate * share * probability * hidden[key]
    for target_word, pairs in targets if chances else []:
        loss -= chances[target_word] * negative * sum(weight for _, weight in pairs) * log(2)
    for start in range(0, len(targets), group):
        members = [(word, 1, pairs) for word, pairs in targets[start : start + group]]
        loss += _learn(hidden, members, rate, outputs, gradient)
    return gradient, loss


def hierarchical_softmax_block(
    hidden: Hidden, targets: Targets, rate: float, outputs: Table, paths: Sequence[Path], group: int
) -> tuple[Hidden, float]:
    """``group`` targets at a time, all inner nodes of their paths; code 0 is the label 1."""
    gradient = {key: np.zeros_like(vector) for key, vector in hidden.items()}
    loss = 0.0
    for start in range(0, len(targets), group):
        members = targets[start : start + group]
        turns = [(node, 1 - code, pairs) for word, pairs in members for node, code in paths[word]]
        loss += _learn(hidden, turns, rate, outputs, gradient)
    return gradient, loss


def softmax(scores: Vector) -> Vector:
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def softmax_log_prob(hidden: Vector, outputs: Table, word: int) -> float:
    """Of one word among all words; for negative sampling, of the scores as if they were those of a softmax."""
    return softmax_log_probs(hidden, outputs)[word]


def softmax_log_probs(hidden: Vector, outputs: Table) -> list[float]:
    """Of every word."""
    scores = [float(hidden @ row) for row in outputs]
    highest = max(scores)
    log_total = highest + log(sum(exp(score - highest) for score in scores))
    return [score - log_total for score in scores]


def path_log_prob(hidden: Vector, outputs: Table, path: Path) -> float:
    """Of the word at the end of a path: at each inner node, code 0 is the left turn."""
    log_prob = 0.0
    for node, code in path:
        score = float(hidden @ outputs[node])
        log_prob -= log1p(exp(-score if code == 0 else score))
    return log_prob


def full_softmax_block(
    hidden: Hidden, targets: Targets, rate: float, outputs: Table, group_size: int
) -> tuple[Hidden, float]:
    """``group_size`` hidden vectors at once, then the next ones, which see the changed outputs."""
    gradient = {key: np.zeros_like(vector) for key, vector in hidden.items()}
    keys, loss = list(hidden), 0.0
    for start in range(0, len(keys), group_size):
        group, before = keys[start : start + group_size], outputs.copy()
        for target_word, pairs in targets:
            for key, weight in pairs:
                if key in group:
                    probabilities = softmax(before @ hidden[key])
                    loss -= weight * log(probabilities[target_word])
                    for word, probability in enumerate(probabilities):
                        step = rate * weight * ((word == target_word) - probability)
                        gradient[key] += step * before[word]
                        outputs[word] += step * hidden[key]
    return gradient, loss


def word2vec_logistic(score: float, dtype: type[np.floating]) -> float | None:
    """The table look-up of word2vec.c, its index in the arithmetic of ``dtype``; None beyond +-6: no update.

    Entry i of 1,000 is the logistic at (i / 1000 * 2 - 1) * 6, in C's floats; the index factor is 1000 / 6 / 2 in
    integers, that is 83.
    """
    if abs(score) >= 6:
        return None
    entry = int((dtype(score) + dtype(6)) * dtype(1000 // 6 // 2))
    power = np.float32(exp((np.float32(entry) / np.float32(1000) * 2 - 1) * 6))
    return float(power / (power + np.float32(1)))


def _update_pair(hidden: Vector, gradient: Vector, output: Vector, label: int, rate: float) -> float:
    score = hidden.dtype.type(hidden.astype(np.float64) @ output.astype(np.float64))
    probability = word2vec_logistic(score, hidden.dtype.type)
    if probability is not None:
        before = output.copy()
        output += rate * (label - probability) * hidden
        gradient += rate * (label - probability) * before
    return log1p(exp(-score if label else score))


def negative_sampling_pair(
    hidden: Vector, target_word: int, rate: float, outputs: Table, noise_words: Sequence[int]
) -> tuple[Vector, float]:
    """The target, then the noise words; one that is the target is passed over."""
    gradient = np.zeros_like(hidden)
    loss = _update_pair(hidden, gradient, outputs[target_word], 1, rate)
    for word in noise_words:
        if word != target_word:
            loss += _update_pair(hidden, gradient, outputs[word], 0, rate)
    return gradient, loss


def hierarchical_softmax_pair(hidden: Vector, rate: float, outputs: Table, path: Path) -> tuple[Vector, float]:
    gradient = np.zeros_like(hidden)
    loss = 0.0
    for node, code in path:
        loss += _update_pair(hidden, gradient, outputs[node], 1 - code, rate)
    return gradient, loss


def full_softmax_pair(hidden: Vector, target_word: int, rate: float, outputs: Table) -> tuple[Vector, float]:
    probabilities = softmax(outputs @ hidden)
    errors = -probabilities
    errors[target_word] += 1
    gradient = rate * (errors @ outputs)
    outputs += rate * np.outer(errors, hidden)
    return gradient, -log(probabilities[target_word])
