"""One epoch as jobs, sentence by sentence."""

from __future__ import annotations

from collections.abc import Sequence


def plan_jobs(lengths: Sequence[int], limit: int) -> list[tuple[list[int], int]]:
    """The sentences of each job and its words: whole sentences while they fit, a longer one in pieces of its own."""
    jobs: list[tuple[list[int], int]] = []
    batch: list[int] = []
    words = 0
    for sentence, length in enumerate(lengths):
        if batch and words + length > limit:
            jobs.append((batch, words))
            batch, words = [], 0
        if length > limit:
            whole, rest = divmod(length, limit)
            jobs += [([sentence], piece) for piece in [limit] * whole + [rest] * (rest > 0)]
        else:
            batch.append(sentence)
            words += length
    return [*jobs, (batch, words)] if batch else jobs
