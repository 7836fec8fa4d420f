"""Paths through a tree of yes-no questions: the arithmetic of hierarchical softmax for a block of hidden rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel
from windrow.numeric.simd import (
    LANES,
    add,
    broadcast,
    first_lanes,
    load,
    log,
    logistic,
    multiply,
    multiply_add,
    prefetch,
    store,
    total,
    totals,
    zero,
)


class Paths(NamedTuple):
    """Word w has the places ``starts[w]`` to ``starts[w + 1]`` of ``nodes`` and ``signs``, which have 16 more."""

    starts: NDArray[np.int64]  # (words + 1,)
    nodes: NDArray[np.int32]
    signs: NDArray[Any]  # 1 for the left turn, -1 for the right one
    stride: int  # numbers a row of the table of nodes, and of the hidden rows


class Step(NamedTuple):
    """Where the gradient by node n goes, times ``factor``: to row ``slots[n]`` of the flat ``into``."""

    into: NDArray[Any]
    slots: NDArray[np.int32]  # (nodes,)
    factor: float


@kernel
def number_nodes(targets: NDArray[np.int32], paths: Paths, slots: NDArray[np.int32], touched: NDArray[np.int32]) -> int:
    """Number the distinct nodes on the paths of the targets: node ``touched[i]`` gets slot i; returns how many."""
    known = 0
    for row in range(targets.size):
        for place in range(paths.starts[targets[row]], paths.starts[targets[row] + 1]):
            if slots[paths.nodes[place]] < 0:
                slots[paths.nodes[place]] = known
                touched[known] = paths.nodes[place]
                known += 1
    return known


@kernel
def walk_paths(
    hidden: NDArray[Any],
    d_hidden: NDArray[Any],
    targets: NDArray[np.int32],
    table: NDArray[Any],
    paths: Paths,
    scores: NDArray[Any],
    step: Step,
) -> float:
    """The loss of each row's path, and its gradients; rows and table are flat.

    ``d_hidden`` is written, ``step.into`` added to; with a negative factor and the table itself there, every row learns
    before the next is looked at. ``scores`` is scratch for the longest path and 16 more.
    """
    loss, stride = 0.0, paths.stride
    for row in range(targets.size):
        first, last = paths.starts[targets[row]], paths.starts[targets[row] + 1]
        following = targets[min(row + 1, targets.size - 1)]
        for place in range(paths.starts[following], paths.starts[following + 1]):
            for k in range(0, stride, LANES):
                prefetch(table, paths.nodes[place] * stride + k)
        score_path(hidden, row * stride, table, paths, first, last, scores)
        log_likelihood = zero(scores)
        for node in range(0, last - first, LANES):
            signs = first_lanes(load(paths.signs, first + node), last - first - node)  # 0 beyond the path
            turn = logistic(multiply(signs, load(scores, node)))
            log_likelihood = multiply_add(multiply(signs, signs), log(turn), log_likelihood)
            store(scores, node, multiply(signs, add(turn, broadcast(scores.dtype.type(-1)))))
        loss -= total(log_likelihood)
        _spread_errors(hidden, d_hidden, row * stride, table, paths, (first, last), scores, step)
    return loss


@kernel(inline=True)
def score_path(
    hidden: NDArray[Any],
    row: int,
    table: NDArray[Any],
    paths: Paths,
    first: int,
    last: int,
    scores: NDArray[Any],
) -> None:
    """The scores of the row that starts at ``row`` at the nodes of a path, four at a time."""
    stride = paths.stride
    for node in range(0, last - first, 4):
        place = first + node
        n0, n1 = int(paths.nodes[place]) * stride, int(paths.nodes[place + 1]) * stride
        n2, n3 = int(paths.nodes[place + 2]) * stride, int(paths.nodes[place + 3]) * stride
        x0 = zero(table)
        x1 = zero(table)
        x2 = zero(table)
        x3 = zero(table)
        for k in range(0, stride, LANES):
            h = load(hidden, row + k)
            x0 = multiply_add(h, load(table, n0 + k), x0)
            x1 = multiply_add(h, load(table, n1 + k), x1)
            x2 = multiply_add(h, load(table, n2 + k), x2)
            x3 = multiply_add(h, load(table, n3 + k), x3)
        store(scores, node, totals(x0, x1, x2, x3))


@kernel(inline=True)
def _spread_errors(
    hidden: NDArray[Any],
    d_hidden: NDArray[Any],
    row: int,
    table: NDArray[Any],
    paths: Paths,
    span: tuple[int, int],
    errors: NDArray[Any],
    step: Step,
) -> None:
    """The errors of a path to the gradients by the row and by the nodes, 16 dimensions at a time."""
    first, stride, factor = span[0], paths.stride, errors.dtype.type(step.factor)
    for k in range(0, stride, LANES):
        h, g = load(hidden, row + k), zero(hidden)
        for node in range(span[1] - first):
            number = paths.nodes[first + node]
            place = int(step.slots[number]) * stride + k
            g = multiply_add(broadcast(errors[node]), load(table, int(number) * stride + k), g)
            change = broadcast(factor * errors[node])
            store(step.into, place, multiply_add(change, h, load(step.into, place)))
        store(d_hidden, row + k, g)


@kernel
def path_log_probs(
    hidden: NDArray[Any],
    targets: NDArray[np.int32],
    table: NDArray[Any],
    paths: Paths,
    scores: NDArray[Any],
    log_probs: NDArray[np.float64],
) -> None:
    """The natural-log probability of each row's target."""
    for row in range(targets.size):
        first, last = paths.starts[targets[row]], paths.starts[targets[row] + 1]
        score_path(hidden, row * paths.stride, table, paths, first, last, scores)
        log_probs[row] = 0.0
        for node in range(last - first):
            score = -np.float64(paths.signs[first + node] * scores[node])
            log_probs[row] -= np.log1p(np.exp(-abs(score))) + max(score, 0.0)


@kernel
def sum_paths(scores: NDArray[Any], paths: Paths, lefts: NDArray[Any], log_probs: NDArray[Any]) -> None:
    """``log_probs[w]`` = the log-probability of word w's path, given the scores of all nodes; ``lefts`` is scratch.

    scores, lefts (nodes,); log_probs (words,).
    """
    for node in range(scores.size):  # log p(left); that of right is by score less
        lefts[node] = -np.log1p(np.exp(-abs(scores[node]))) - max(-scores[node], scores.dtype.type(0))
    for word in range(log_probs.size):
        log_prob = 0.0
        for place in range(paths.starts[word], paths.starts[word + 1]):
            node = paths.nodes[place]
            log_prob += lefts[node] - (scores[node] if paths.signs[place] < 0 else scores.dtype.type(0))
        log_probs[word] = log_prob
