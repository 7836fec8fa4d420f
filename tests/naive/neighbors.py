"""The nearest rows by a full sort."""

from __future__ import annotations

import math
from collections.abc import Sequence


def best_answers(scores: Sequence[float], count: int) -> list[tuple[int, float]]:
    """The rows of the highest scores and the scores, ties by row; NaN and -inf are no answers."""
    answers = [(row, score) for row, score in enumerate(scores) if not math.isnan(score) and score > -math.inf]
    return sorted(answers, key=lambda answer: (-answer[1], answer[0]))[:count]
