"""Answers to the exercises on word vectors, and mistakes that their checks find."""

from __future__ import annotations

import numpy as np


def number_of_pairs(n, s):
    # Each end lacks 1 + 2 + ... + s of the 2 * s * n pairs.
    return 2 * s * n - s * (s + 1)


def mistaken_number_of_pairs(n, s):
    return 2 * s * n


def keep_probability(f, t):
    return min(1.0, (t / f) ** 0.5)


def mistaken_keep_probability_above_one(f, t):
    return (t / f) ** 0.5


def mistaken_keep_probability_to_drop(f, t):
    return 1 - min(1.0, (t / f) ** 0.5)


def negative_sampling_errors(right_score, noise_scores):
    outputs = 1 / (1 + np.exp(-np.array([right_score, *noise_scores])))
    targets = np.array([1, *[0] * len(noise_scores)])
    return outputs - targets


def mistaken_negative_sampling_errors(right_score, noise_scores):
    outputs = 1 / (1 + np.exp(-np.array([right_score, *noise_scores])))
    targets = np.array([1, *[0] * len(noise_scores)])
    return targets - outputs


def mean_scores(counts, lengths):
    return sum(c * length for c, length in zip(counts, lengths, strict=True)) / sum(counts)


def mistaken_mean_scores(counts, lengths):
    return sum(lengths) / len(lengths)


def analogy_row(vectors, a, b, c):
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = units @ (units[b] - units[a] + units[c])
    cosines[[a, b, c]] = -np.inf
    return int(cosines.argmax())


def mistaken_analogy_row_of_the_question(vectors, a, b, c):
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return int((units @ (units[b] - units[a] + units[c])).argmax())


def mistaken_analogy_row_lengths(vectors, a, b, c):
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = units @ (vectors[b] - vectors[a] + vectors[c])
    cosines[[a, b, c]] = -np.inf
    return int(cosines.argmax())
