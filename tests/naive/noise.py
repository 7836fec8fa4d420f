"""Draws from a noise distribution."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from fractions import Fraction

from tests.naive.rng import below


def alias_draw(thresholds: Sequence[int], aliases: Sequence[int], bits: Iterator[int]) -> int:
    """The upper half of 64 bits chooses a place, the lower half whether its alias is taken (Vose 1991)."""
    upper, lower = divmod(next(bits), 2**32)
    place = below(upper, len(aliases))
    return place if lower <= thresholds[place] else aliases[place]


def alias_probabilities(thresholds: Sequence[int], aliases: Sequence[int]) -> list[Fraction]:
    """The distribution that an alias table stands for, exactly."""
    size = len(aliases)
    probabilities = [Fraction(0)] * size
    for place in range(size):
        kept = Fraction(thresholds[place] + 1, 2**32)
        probabilities[place] += kept / size
        probabilities[aliases[place]] += (1 - kept) / size
    return probabilities


def cumulative_draw(table: Sequence[int], draws: Iterator[int]) -> int:
    """The first word whose cumulative count reaches the draw, modulo the last."""
    return bisect_left(table, next(draws) % table[-1])
