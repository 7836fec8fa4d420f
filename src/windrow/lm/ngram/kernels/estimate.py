"""From counts of n-grams to probabilities, context by context.

One formula serves nearly every smoothing. For the words w after a context h, let a = count of (h w), D = its discount,
S = sum of a, T = number of different words w, and Z = S + per_type T + constant:

    alpha(w | h) = weight (a - D) / Z
    gamma(h) = 1 - sum of alpha(w | h), which goes to the shorter context h'

Interpolated, p(w | h) = alpha(w | h) + gamma(h) p(w | h'). In back-off form p = alpha for words seen after h, and the
other words share gamma(h) in proportion to p(w | h').
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel
from windrow.numeric.simd import prefetch

_AHEAD = 24  # n-grams between a prefetch and the use of what it fetches


class Rule(NamedTuple):
    """The parameters of the formula for one order; ``discounts[a]`` is D, the last one also for all higher counts."""

    discounts: NDArray[np.float64]
    weight: float = 1.0
    per_type: float = 0.0
    constant: float = 0.0
    spare: float = 0.0  # added to Z where gamma would be 0 although some words are unseen
    shared: float = 1.0  # the part of gamma that interpolation adds to words seen after h


class Successors(NamedTuple):
    """The k-grams of a text by context. One that is not ``kept`` leaves all its count to gamma; empty: all are kept."""

    starts: NDArray[np.int32]  # (contexts + 1,)
    suffixes: NDArray[np.int32]  # (n,)
    counts: NDArray[np.int32]  # (n,)
    kept: NDArray[np.bool_]  # (n,) or (0,)


@kernel
def add_left_neighbors(suffixes: NDArray[np.int32], counts: NDArray[np.int32]) -> None:
    """Add to each count in how many n-grams that entry is the suffix: one for each different word before it."""
    for i in range(suffixes.size):
        if i + _AHEAD < suffixes.size:
            prefetch(counts, int(suffixes[i + _AHEAD]))
        counts[suffixes[i]] += 1


@kernel
def count_counts(counts: NDArray[np.int32], frequencies: NDArray[np.int64]) -> None:
    """Add to ``frequencies[j]`` how many n-grams have the count j; counts above the last index are left out."""
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
def left_over(successors: Successors, begin: int, end: int, rule: Rule, words: int) -> Any:
    """``weight / Z`` and gamma; gamma as a sum of what discounts take, exact where 1 minus a sum would cancel."""
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
    if total + added == 0:  # no word was seen
        return 0.0, 1.0
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
    """p and gamma of the contexts ``first`` to ``last - 1``.

    ``lower``: p of the (k-1)-grams, to which the suffixes point; ``words``: how many words can be predicted.
    ``probs`` may be the memory of the counts: each is written after it was read.
    """
    suffixes, discounts, top = successors.suffixes, rule.discounts, rule.discounts.size - 1
    for context in range(first, last):
        begin, end = int(successors.starts[context]), int(successors.starts[context + 1])
        if begin == end:
            gammas[context] = 1
            continue
        scale, gamma = left_over(successors, begin, end, rule, words)
        gammas[context] = gamma
        share = gamma * rule.shared
        for i in range(begin, end):
            if i + _AHEAD < suffixes.size:
                prefetch(lower, int(suffixes[i + _AHEAD]))
            count = successors.counts[i]
            probs[i] = (count - discounts[min(count, top)]) * scale + share * lower[suffixes[i]]


@kernel
def _lower_mass(successors: Successors, begin: int, end: int, lower: NDArray[Any]) -> Any:
    """How many words are kept after a context, and the sum of their probabilities after the shorter one."""
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

    Where every word is kept, no other word could get it, and the context is interpolated.
    """
    suffixes, discounts, top = successors.suffixes, rule.discounts, rule.discounts.size - 1
    for context in range(first, last):
        begin, end = int(successors.starts[context]), int(successors.starts[context + 1])
        backoffs[context] = 1
        if begin == end:
            continue
        scale, gamma = left_over(successors, begin, end, rule, words)
        kept, mass = _lower_mass(successors, begin, end, lower)
        share = gamma
        if kept < words:
            backoffs[context] = gamma / max(1 - mass, 1e-12)  # not 0 by rounding
            share = 0.0
        for i in range(begin, end):
            count = successors.counts[i]
            probs[i] = (count - discounts[min(count, top)]) * scale + share * lower[suffixes[i]]


@kernel
def expect_orders(
    components: NDArray[np.float32],
    events: NDArray[np.int32],
    weights: NDArray[np.float64],
    mixtures: NDArray[np.float64],
    expected: NDArray[np.float64],
) -> None:
    """The E step of a mixture of orders: p_k = weight_k component_k + (1 - weight_k) p_(k-1), p_0 = component_0.

    A row is an event that occurs ``events`` times. A negative component is left out: its context was not seen.
    To ``expected[0, k]`` is added how often order k is expected to have given the word, to ``expected[1, k]`` how often
    order k or a lower one is.
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
