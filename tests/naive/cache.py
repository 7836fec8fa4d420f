"""The probability of a word in a cache of n-grams, by the definition."""

from __future__ import annotations

from math import exp


def cache_prob(memory: list[int], word_id: int, order: int, decay: float, pseudo_count: float, symbols: int) -> float:
    """The n-grams of a cache by their definition: each order takes its equal shares from the order below."""
    if order == 0:
        return 1 / symbols
    below = cache_prob(memory, word_id, order - 1, decay, pseudo_count, symbols)
    if len(memory) < order - 1:
        return below
    context = memory[len(memory) - order + 1 :]
    seen = of_context = 0.0
    for end in range(order - 1, len(memory)):
        if memory[end - order + 1 : end] == context:
            weight = exp(-decay * (len(memory) - end))
            of_context += weight
            seen += weight * (memory[end] == word_id)
    return (seen + pseudo_count * below) / (of_context + pseudo_count)
