"""Moving as many points to as many others, each of equal mass: some best plan moves each to one, as pairings do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import permutations


def cheapest_pairing(sources: Sequence[Sequence[float]], targets: Sequence[Sequence[float]]) -> float:
    """The least mean distance over all pairings of equally many points."""
    least = math.inf
    for order in permutations(targets):
        total = sum(math.dist(source, target) for source, target in zip(sources, order, strict=True))
        least = min(least, total / len(sources))
    return least
