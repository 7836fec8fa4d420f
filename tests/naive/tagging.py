"""What the kernels of the tagger do, as nested loops over the definition."""

from __future__ import annotations

from itertools import product
from math import exp, log
from typing import Any

import numpy as np
from numpy.typing import NDArray


def window_sums(
    vectors: NDArray[Any], sentences: list[list[int]], weights: NDArray[Any], window: int, begin: int, end: int
) -> NDArray[Any]:
    """Concatenate the vectors of each token's window, padded with the words ``begin`` and ``end``; times weights.

    ``weights`` is (window * dim, hidden), the usual layout of a layer on a concatenation.
    """
    half = window // 2
    rows = []
    for sentence in sentences:
        padded = [begin] * half + sentence + [end] * half
        windows = [padded[place : place + window] for place in range(len(sentence))]
        rows += [np.concatenate([vectors[word] for word in words]) @ weights for words in windows]
    return np.array(rows)


def path_score(scores: NDArray[Any], transitions: NDArray[Any], path: tuple[int, ...]) -> float:
    tags = scores.shape[1]
    total = transitions[tags, path[0]] + transitions[tags + 1, path[-1]]
    for token, tag in enumerate(path):
        total += scores[token, tag]
        if token:
            total += transitions[path[token - 1], tag]
    return float(total)


def all_paths(scores: NDArray[Any], transitions: NDArray[Any]) -> dict[tuple[int, ...], float]:
    """Every path through one sentence, and its score."""
    tokens, tags = scores.shape
    return {path: path_score(scores, transitions, path) for path in product(range(tags), repeat=tokens)}


def log_normaliser(scores: NDArray[Any], transitions: NDArray[Any]) -> float:
    return log(sum(exp(score) for score in all_paths(scores, transitions).values()))


def spans_of(tags: list[str]) -> list[tuple[str, int, int]]:
    """Entities as conlleval.pl parts them: its two tables of endOfChunk and startOfChunk, one question at a time."""

    def parts(tag: str) -> tuple[str, str]:
        return ("O", "") if tag == "O" else (tag[0], tag[2:])

    def ends(before: tuple[str, str], after: tuple[str, str]) -> bool:
        pairs = {("B", "B"), ("B", "O"), ("I", "B"), ("I", "O"), ("B", "S"), ("I", "S")}
        return (before[0], after[0]) in pairs or before[0] in ("E", "S") or (before[0] != "O" and before[1] != after[1])

    def begins(before: tuple[str, str], after: tuple[str, str]) -> bool:
        pairs = {("E", "E"), ("E", "I"), ("S", "E"), ("S", "I"), ("O", "E"), ("O", "I")}
        return (before[0], after[0]) in pairs or after[0] in ("B", "S") or (after[0] != "O" and before[1] != after[1])

    spans, start = [], 0
    before = ("O", "")
    for place, tag in enumerate([*tags, "O"]):
        after = parts(tag)
        if ends(before, after):
            spans.append((before[1], start, place))
        if begins(before, after):
            start = place
        before = after
    return spans
