"""Answers to the exercises on n-grams, and mistakes that their checks find."""

from __future__ import annotations

import math


def perplexity(probabilities):
    bits = [-math.log2(p) for p in probabilities]
    return 2 ** (sum(bits) / len(bits))


def mistaken_perplexity_arithmetic_mean(probabilities):
    return len(probabilities) / sum(probabilities)


def add_delta(count, total, delta, words):
    return (count + delta) / (total + delta * words)


def mistaken_add_delta(count, total, delta, words):
    return (count + delta) / (total + words)


def witten_bell(count, total, types, lower):
    return (count + types * lower) / (total + types)


def mistaken_witten_bell(count, total, types, lower):
    return count / (total + types) if count else types * lower / (total + types)


def backoff_weight(seen, shorter):
    return (1 - sum(seen)) / (1 - sum(shorter))


def mistaken_backoff_weight(seen, shorter):
    return 1 - sum(seen)


def continuation_counts(sentences):
    before = {}
    for sentence in sentences:
        tokens = ["<s>", *sentence.split(), "</s>"]
        for place in range(1, len(tokens)):
            before.setdefault(tokens[place], set()).add(tokens[place - 1])
    return {word: len(found) for word, found in before.items()}


def mistaken_continuation_counts(sentences):
    counts = {}
    for sentence in sentences:
        for word in [*sentence.split(), "</s>"]:
            counts[word] = counts.get(word, 0) + 1
    return counts
