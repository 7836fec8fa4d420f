"""Adjusting, counting counts, marking, the formula of smoothing and the E step, against plain Python."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from windrow.lm.ngram.kernels.estimate import (
    Rule,
    Successors,
    add_left_neighbors,
    back_off,
    count_counts,
    expect_orders,
    interpolate,
    mark_kept,
)

WORDS = 9


def random_level(dice: np.random.Generator, contexts: int) -> tuple[np.ndarray, np.ndarray]:
    """Starts and words of the successors of some contexts, from none to all words."""
    chosen = [sorted(dice.permutation(WORDS)[: dice.integers(0, WORDS + 1)]) for _ in range(contexts)]
    starts = np.cumsum([0, *map(len, chosen)])
    return starts.astype(np.int32), np.array([word for words in chosen for word in words], np.int32)


@pytest.mark.parametrize("number", [0, 1, 23, 24, 25, 100])
def test_left_neighbors_and_counts_of_counts(number):
    dice = np.random.default_rng(number)
    suffixes = dice.integers(0, 13, number, dtype=np.int32)
    counts = dice.integers(0, 3, 13, dtype=np.int32)
    expected = Counter(dict(enumerate(counts.tolist())))
    expected.update(suffixes.tolist())

    add_left_neighbors(suffixes, counts)

    assert counts.tolist() == [expected[place] for place in range(13)]
    frequencies = np.array([10, 0, 0, 0])
    count_counts(counts, frequencies)
    assert (frequencies - [10, 0, 0, 0]).tolist() == [list(expected.values()).count(j) for j in range(4)]


def test_kept_are_frequent_ngrams_of_kept_words_after_kept_contexts():
    dice = np.random.default_rng(3)
    starts, words = random_level(dice, 20)
    counts = dice.integers(1, 5, words.size, dtype=np.int32)
    kept_words, kept_contexts = dice.random(WORDS) < 0.7, dice.random(20) < 0.7
    kept = np.zeros(words.size, np.bool_)

    mark_kept(starts, words, counts, 2, kept_words, kept_contexts, kept)

    contexts = np.repeat(np.arange(20), np.diff(starts))
    grams = zip(contexts, words, counts, strict=True)
    assert kept.tolist() == [kept_contexts[h] and kept_words[w] and c > 2 for h, w, c in grams]
    assert 0 < kept.sum() < kept.size


RULES = [
    Rule(np.array([0, 0.5, 1.0, 1.5])),
    Rule(np.zeros(1), weight=0.3),
    Rule(np.zeros(1), per_type=1.0),
    Rule(np.zeros(1), constant=2.5),
    Rule(np.array([0, 0.25, 0.0]), spare=1.0),
    Rule(np.zeros(1), shared=0.0),
]


def by_the_law(counts, kept, rule, lower, backs_off):
    """p of the words after a context, and gamma: sums to one with the words that are not kept, or not seen."""
    taken = [rule.discounts[min(c, rule.discounts.size - 1)] for c in counts]
    z = sum(counts) + rule.per_type * sum(c > 0 for c in counts) + rule.constant
    nothing_left = z == sum(counts) and all(kept) and not any(taken)
    z += rule.spare if nothing_left and sum(c > 0 for c in counts) < WORDS else 0
    alphas = [rule.weight * (c - t) / z for c, t in zip(counts, taken, strict=True)]
    gamma = 1 - sum(a for a, k in zip(alphas, kept, strict=True) if k)
    if backs_off and sum(kept) < WORDS:
        return alphas, gamma / (1 - sum(p for p, k in zip(lower, kept, strict=True) if k))
    share = gamma if backs_off else gamma * rule.shared
    return [a + share * p for a, p in zip(alphas, lower, strict=True)], 1 if backs_off else gamma


@pytest.mark.parametrize("rule", RULES, ids=range(len(RULES)))
@pytest.mark.parametrize("backs_off", [False, True])
@pytest.mark.parametrize("prunes", [False, True])
def test_the_law_of_smoothing(rule, backs_off, prunes):
    dice = np.random.default_rng(7)
    contexts = 40
    starts, suffixes = random_level(dice, contexts)
    counts = dice.integers(1, 6, suffixes.size, dtype=np.int32)
    kept = dice.random(suffixes.size) < 0.6 if prunes else np.ones(suffixes.size, np.bool_)
    lower = dice.dirichlet(np.ones(WORDS))
    apply = back_off if backs_off else interpolate
    # In single precision the probabilities may lie where the counts are.
    probs, gammas = np.full(suffixes.size, 7.0), np.full(contexts, 7.0)
    in_place, gammas32 = counts.copy(), np.full(contexts, 7, np.float32)
    given = kept if prunes else kept[:0]

    for first, last in ((0, 11), (11, contexts)):
        apply(Successors(starts, suffixes, counts, given), first, last, rule, WORDS, lower, probs, gammas)
        level = Successors(starts, suffixes, in_place, given)
        apply(level, first, last, rule, WORDS, lower.astype(np.float32), in_place.view(np.float32), gammas32)

    for context in range(contexts):
        here = slice(starts[context], starts[context + 1])
        if here.start == here.stop:
            assert gammas[context] == 1
            continue
        expected, gamma = by_the_law(counts[here].tolist(), kept[here], rule, lower[suffixes[here]], backs_off)
        np.testing.assert_allclose(probs[here][kept[here]], np.array(expected)[kept[here]], rtol=1e-12)
        np.testing.assert_allclose(gammas[context], gamma, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(in_place.view(np.float32)[kept], probs[kept], rtol=1e-6)
    np.testing.assert_allclose(gammas32, gammas, rtol=1e-4, atol=1e-7)


def test_expected_orders_are_posteriors_of_the_flat_mixture():
    """Weight k of the chain, times one minus the weights above it, is what order k has in a plain mixture."""
    dice = np.random.default_rng(13)
    orders, events = 3, 50
    components = dice.random((events, orders + 1)).astype(np.float32)
    seen = dice.integers(0, orders + 1, events)  # the longest context that was seen
    components[np.arange(orders + 1) > seen[:, None]] = -1
    numbers = dice.integers(0, 4, events, dtype=np.int32)
    weights = np.array([np.nan, 0.2, 0.5, 0.9])
    expected = np.zeros((2, orders + 1))

    expect_orders(components, numbers, weights, np.empty(orders + 1), expected)

    gave, reached = np.zeros(orders + 1), np.zeros(orders + 1)
    for row, number, top in zip(components, numbers, seen, strict=True):
        flat = np.array([(1 if k == 0 else weights[k]) * np.prod(1 - weights[k + 1 : top + 1]) for k in range(top + 1)])
        posterior = flat * row[: top + 1] / (flat @ row[: top + 1])
        gave[: top + 1] += number * posterior
        reached[: top + 1] += number * np.cumsum(posterior)
    np.testing.assert_allclose(expected[0, 1:], gave[1:], rtol=1e-6)
    np.testing.assert_allclose(expected[1, 1:], reached[1:], rtol=1e-6)
