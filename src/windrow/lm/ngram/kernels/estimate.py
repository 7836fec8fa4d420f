"""From counts of n-grams to probabilities, context by context.

One law serves nearly every smoothing. With a = count of (h w), D = what its discount takes, S = sum of a and T = number
of words after the context h, Z = S + per_type T + constant:

    alpha(w | h) = weight (a - D) / Z        and what is left of 1 is gamma(h), for the shorter context h'.

Interpolated, p(w | h) = alpha + gamma p(w | h'). In back-off form p = alpha for words seen after h, and the others
share gamma in proportion to p(w | h').
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel
from windrow.numeric.simd import prefetch

_AHEAD = 24  # n-grams whose suffix is fetched before it is needed


class Rule(NamedTuple):
    """How the counts after a context become probabilities; a count above the last discount has the last."""

    discounts: NDArray[np.float64]
    weight: float = 1.0
    per_type: float = 0.0
    constant: float = 0.0
    spare: float = 0.0  # added to Z where words are unseen and no discount has left them anything
    shared: float = 1.0  # of gamma, what interpolation adds to words that were seen


class Successors(NamedTuple):
    """The k-grams of a text by context. What is not ``kept`` leaves its count to gamma; empty: all are kept."""

    starts: NDArray[np.int32]  # (contexts + 1,)
    suffixes: NDArray[np.int32]  # (n,)
    counts: NDArray[np.int32]  # (n,)
    kept: NDArray[np.bool_]  # (n,) or (0,)


@kernel
def add_left_neighbours(suffixes: NDArray[np.int32], counts: NDArray[np.int32]) -> None:
    """Count each n-gram for its suffix, as one of the different words that stand before it."""
    for i in range(suffixes.size):
        if i + _AHEAD < suffixes.size:
            prefetch(counts, int(suffixes[i + _AHEAD]))
        counts[suffixes[i]] += 1


@kernel
def count_counts(counts: NDArray[np.int32], frequencies: NDArray[np.int64]) -> None:
    """``frequencies[j]``: how many n-grams have the count j; higher counts are left out."""
    for i in range(counts.size):
        if counts[i] < frequencies.size:
            frequencies[counts[i]] += 1


@kernel
def mark_kept(
    starts: NDArray[np.int32],
    words: NDArray[np.int32],
    counts: NDArray[np.int32],
    threshold: int,
    kept_words: NDArray[np.bool_],
    kept_contexts: NDArray[np.bool_],
    kept: NDArray[np.bool_],
) -> None:
    """Keep the n-grams that occur more than ``threshold`` times and hold kept words only."""
    for context in range(starts.size - 1):
        for i in range(starts[context], starts[context + 1]):
            kept[i] = kept_contexts[context] and counts[i] > threshold and kept_words[words[i]]


@kernel
def _left_over(successors: Successors, begin: int, end: int, rule: Rule, words: int) -> Any:
    """What a discounted count is multiplied with, and gamma; computed from what is taken, without a difference."""
    total, types, taken = 0, 0, 0.0
    discounts, last, all_kept = rule.discounts, rule.discounts.size - 1, successors.kept.size == 0
    for i in range(begin, end):
        count = successors.counts[i]
        total += count
        types += count > 0
        taken += discounts[min(count, last)] if all_kept or successors.kept[i] else count
    added = rule.per_type * types + rule.constant
    if taken == 0 and types < words:
        added += rule.spare
    scale = rule.weight / (total + added)
    return scale, scale * (taken + added) + (1 - rule.weight)


@kernel
def interpolate(
    successors: Successors,
    first: int,
    last: int,
    rule: Rule,
    words: int,
    lower: NDArray[Any],
    probs: NDArray[Any],
    gammas: NDArray[Any],
) -> None:
    """p and gamma of the contexts ``first`` to ``last``.

    ``lower``: p of the (k-1)-grams, to which the suffixes point; ``words``: how many words can be predicted.
    ``probs`` may be the memory of the counts: each is written after it was read.
    """
    suffixes, discounts, top = successors.suffixes, rule.discounts, rule.discounts.size - 1
    for context in range(first, last):
        begin, end = int(successors.starts[context]), int(successors.starts[context + 1])
        if begin == end:
            gammas[context] = 1
            continue
        scale, gamma = _left_over(successors, begin, end, rule, words)
        gammas[context] = gamma
        share = gamma * rule.shared
        for i in range(begin, end):
            if i + _AHEAD < suffixes.size:
                prefetch(lower, int(suffixes[i + _AHEAD]))
            count = successors.counts[i]
            probs[i] = (count - discounts[min(count, top)]) * scale + share * lower[suffixes[i]]


@kernel
def _lower_mass(successors: Successors, begin: int, end: int, lower: NDArray[Any]) -> Any:
    """How many words are kept after a context, and what they have after the shorter one."""
    kept, mass, suffixes = 0, 0.0, successors.suffixes
    for i in range(begin, end):
        if i + _AHEAD < suffixes.size:
            prefetch(lower, int(suffixes[i + _AHEAD]))
        if successors.kept.size == 0 or successors.kept[i]:
            kept += 1
            mass += lower[suffixes[i]]
    return kept, mass


@kernel
def back_off(
    successors: Successors,
    first: int,
    last: int,
    rule: Rule,
    words: int,
    lower: NDArray[Any],
    probs: NDArray[Any],
    backoffs: NDArray[Any],
) -> None:
    """``interpolate`` in back-off form: gamma goes to the words that are not kept after the context.

    Where every word is kept there is nobody to give it to, and the context is interpolated.
    """
    suffixes, discounts, top = successors.suffixes, rule.discounts, rule.discounts.size - 1
    for context in range(first, last):
        begin, end = int(successors.starts[context]), int(successors.starts[context + 1])
        backoffs[context] = 1
        if begin == end:
            continue
        scale, gamma = _left_over(successors, begin, end, rule, words)
        kept, mass = _lower_mass(successors, begin, end, lower)
        share = gamma
        if kept < words:
            backoffs[context] = gamma / max(1 - mass, 1e-12)  # rounding may leave nothing of next to nothing
            share = 0.0
        for i in range(begin, end):
            count = successors.counts[i]
            probs[i] = (count - discounts[min(count, top)]) * scale + share * lower[suffixes[i]]


@kernel
def find_words(
    starts: NDArray[np.int32],
    words: NDArray[np.int32],
    contexts: NDArray[np.int32],
    wanted: NDArray[np.int32],
    places: NDArray[np.int32],
) -> None:
    """The places of n-grams given the places of their contexts, by bisection; -1 for what is not there."""
    for i in range(wanted.size):
        places[i] = -1
        if contexts[i] < 0:
            continue
        low, high = int(starts[contexts[i]]), int(starts[contexts[i] + 1])
        end = high
        while low < high:
            middle = (low + high) >> 1
            if words[middle] < wanted[i]:
                low = middle + 1
            else:
                high = middle
        if low < end and words[low] == wanted[i]:
            places[i] = low


@kernel
def expect_orders(
    components: NDArray[np.float32],
    events: NDArray[np.int32],
    weights: NDArray[np.float64],
    mixtures: NDArray[np.float64],
    expected: NDArray[np.float64],
) -> None:
    """The E step of a mixture of orders: p_k = weight_k component_k + (1 - weight_k) p_(k-1), p_0 = component_0.

    A row is an event, seen ``events`` times; a negative component has no say there: its context was not seen.
    ``expected[0, k]`` grows by how often order k gave the word, ``expected[1, k]`` by how often it or a lower one did.
    """
    for event in range(components.shape[0]):
        mixtures[0] = components[event, 0]
        for k in range(1, weights.size):
            component, weight = components[event, k], weights[k] if components[event, k] >= 0 else 0.0
            mixtures[k] = weight * component + (1 - weight) * mixtures[k - 1]
        reached = float(events[event])
        for k in range(weights.size - 1, 0, -1):
            if components[event, k] >= 0:
                expected[1, k] += reached
                if mixtures[k] > 0:
                    taken = reached * weights[k] * components[event, k] / mixtures[k]
                    expected[0, k] += taken
                    reached -= taken
