"""Paths through a tree of yes-no questions: the arithmetic of hierarchical softmax for rows that predict a word each.

At a node of the path of a word, the probability of the right turn is logistic(sign * score), where the score is the
product of the hidden row and the node's vector; the log-probability of the word is the sum of their logarithms.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel
from windrow.numeric.rows import give_slot
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
    """Word w has the places ``starts[w]`` to ``starts[w + 1]`` of ``nodes`` and ``signs``; 16 places follow the last.

    ``nodes`` are rows of a flat table of node vectors.
    """

    starts: NDArray[np.int64]  # (words + 1,)
    nodes: NDArray[np.int32]
    signs: NDArray[Any]  # 1 for the left turn, -1 for the right one
    stride: int  # of the table of nodes, and of the hidden rows
    width: int  # the longest path, rounded up to whole vectors
    near: int  # the nodes from here on are in the second-level cache


class PathRows(NamedTuple):
    """Target t is predicted by the row ``first_rows[t]`` of ``hidden``, and counts ``weights[t]`` times."""

    targets: NDArray[np.int32]
    first_rows: NDArray[np.int32]
    weights: NDArray[Any]
    hidden: NDArray[Any]  # flat (rows * stride,)
    gradient: NDArray[Any]  # flat; walks add to it


class NodeGradients(NamedTuple):
    """Where ``factor`` times the gradients with respect to nodes are summed.

    That of the node at ``place`` of the paths is in row ``slots[place]`` of ``sums``.
    """

    sums: NDArray[Any]  # flat
    slots: NDArray[np.int32]  # only the places on the targets' paths matter
    factor: float


@kernel
def number_nodes(
    targets: NDArray[np.int32],
    paths: Paths,
    slots: NDArray[np.int32],
    touched: NDArray[np.int32],
    numbered: NDArray[np.int32],
) -> int:
    """Number the distinct nodes on the paths of the targets: node ``touched[i]`` gets slot i; returns how many.

    ``numbered[place]`` is set to the slot of ``paths.nodes[place]`` on these paths.
    """
    known = 0
    for row in range(targets.size):
        for place in range(paths.starts[targets[row]], paths.starts[targets[row] + 1]):
            known = give_slot(paths.nodes[place], slots, touched, known)
            numbered[place] = slots[paths.nodes[place]]
    return known


@kernel
def learn_along_paths(
    rows: PathRows,
    targets: int,
    group: int,
    rate: float,
    factor: float,
    table: NDArray[Any],
    paths: Paths,
    errors: NDArray[Any],
) -> float:
    """The weighted loss of the first ``targets`` targets, from which rows and nodes learn, ``group`` targets at a time.

    ``rate`` times the gradient of the log-probability is added to the gradient of each row; ``factor`` times that with
    respect to the nodes is added to these. All targets of a group are scored before any of them learns. ``errors``:
    scratch, (group * width + 16,).
    """
    return _walk_rows(rows, targets, group, rate, table, paths, errors, _learn_path, factor)


@kernel
def collect_along_paths(
    rows: PathRows, targets: int, table: NDArray[Any], paths: Paths, errors: NDArray[Any], gradients: NodeGradients
) -> float:
    """As ``learn_along_paths`` one by one with a rate of 1, but the nodes stay, and their gradients are collected."""
    return _walk_rows(rows, targets, 1, 1.0, table, paths, errors, _collect_path, gradients)


@kernel(inline=True)
def _walk_rows(
    rows: PathRows,
    targets: int,
    group: int,
    rate: float,
    table: NDArray[Any],
    paths: Paths,
    errors: NDArray[Any],
    learn: Callable[..., None],
    how: Any,
) -> float:
    loss = 0.0
    for first in range(0, targets, group):
        last = min(targets, first + group)
        for target in range(last, min(targets, last + group)):
            prefetch_path(table, paths, rows.targets[target])
        for target in range(first, last):
            row, place = int(rows.first_rows[target]) * paths.stride, (target - first) * paths.width
            score_path(rows.hidden, row, table, paths, rows.targets[target], errors, place)
        log_likelihood = zero(errors)
        for target in range(first, last):
            weight, place = rows.weights[target], (target - first) * paths.width
            turns = scores_to_errors(paths, rows.targets[target], errors, place, errors.dtype.type(rate * weight))
            log_likelihood = add(log_likelihood, multiply(broadcast(weight), turns))
        for target in range(first, last):
            if rows.weights[target] > 0:
                learn(rows, target, table, paths, errors, (target - first) * paths.width, how)
        loss -= total(log_likelihood)
    return loss


@kernel(inline=True)
def prefetch_path(table: NDArray[Any], paths: Paths, word: int) -> None:
    """The nodes far from the root: the last and most frequent ones of the table are always near."""
    first, place = paths.starts[word], paths.starts[word + 1] - 1
    while place >= first and paths.nodes[place] < paths.near:
        node = int(paths.nodes[place]) * paths.stride
        for k in range(0, paths.stride, LANES):
            prefetch(table, node + k)
        place -= 1


@kernel(inline=True)
def score_path(
    hidden: NDArray[Any], row: int, table: NDArray[Any], paths: Paths, word: int, scores: NDArray[Any], score: int
) -> None:
    """The scores of the row that starts at ``row`` at the nodes of a path, four at a time, from ``score`` on."""
    stride, first = paths.stride, paths.starts[word]
    for node in range(0, paths.starts[word + 1] - first, 4):
        n0, n1 = int(paths.nodes[first + node]) * stride, int(paths.nodes[first + node + 1]) * stride
        n2, n3 = int(paths.nodes[first + node + 2]) * stride, int(paths.nodes[first + node + 3]) * stride
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
        store(scores, score + node, totals(x0, x1, x2, x3))


@kernel(inline=True)
def scores_to_errors(paths: Paths, word: int, scores: NDArray[Any], score: int, step: Any) -> Any:
    """Replace a row's scores along a path by step * sign * (1 - p(turn)); returns the sums of log p(turn), by lane."""
    one, log_likelihood = broadcast(scores.dtype.type(1)), zero(scores)
    first, nodes = paths.starts[word], paths.starts[word + 1] - paths.starts[word]
    for node in range(0, nodes, LANES):
        signs = first_lanes(load(paths.signs, first + node), nodes - node)  # 0 beyond the path
        probability = logistic(multiply(signs, load(scores, score + node)))
        log_likelihood = multiply_add(multiply(signs, signs), log(probability), log_likelihood)
        error = multiply_add(broadcast(scores.dtype.type(-1)), probability, one)
        store(scores, score + node, multiply(multiply(broadcast(step), signs), error))
    return log_likelihood


@kernel(inline=True)
def _learn_path(
    rows: PathRows, target: int, table: NDArray[Any], paths: Paths, errors: NDArray[Any], error: int, factor: float
) -> None:
    """One row and the nodes of a path learn from each other, 32 dimensions at a time."""
    word, stride, scale = rows.targets[target], paths.stride, errors.dtype.type(factor)
    row, first = int(rows.first_rows[target]) * stride, paths.starts[word]
    nodes = paths.starts[word + 1] - first
    k = 0
    while k + 2 * LANES <= stride:
        h0, h1 = load(rows.hidden, row + k), load(rows.hidden, row + k + LANES)
        g0, g1 = load(rows.gradient, row + k), load(rows.gradient, row + k + LANES)
        for node in range(nodes):
            place, step = int(paths.nodes[first + node]) * stride + k, errors[error + node]
            n0, n1 = load(table, place), load(table, place + LANES)
            g0 = multiply_add(broadcast(step), n0, g0)
            g1 = multiply_add(broadcast(step), n1, g1)
            store(table, place, multiply_add(broadcast(scale * step), h0, n0))
            store(table, place + LANES, multiply_add(broadcast(scale * step), h1, n1))
        store(rows.gradient, row + k, g0)
        store(rows.gradient, row + k + LANES, g1)
        k += 2 * LANES
    if k < stride:
        h0, g0 = load(rows.hidden, row + k), load(rows.gradient, row + k)
        for node in range(nodes):
            place, step = int(paths.nodes[first + node]) * stride + k, errors[error + node]
            n0 = load(table, place)
            g0 = multiply_add(broadcast(step), n0, g0)
            store(table, place, multiply_add(broadcast(scale * step), h0, n0))
        store(rows.gradient, row + k, g0)


@kernel(inline=True)
def _collect_path(
    rows: PathRows,
    target: int,
    table: NDArray[Any],
    paths: Paths,
    errors: NDArray[Any],
    error: int,
    gradients: NodeGradients,
) -> None:
    """As ``_learn_path``, but into other rows than the nodes; their loads would slow that one down by a tenth."""
    word, stride, scale = rows.targets[target], paths.stride, errors.dtype.type(gradients.factor)
    row, first = int(rows.first_rows[target]) * stride, paths.starts[word]
    for k in range(0, stride, LANES):
        h, g = load(rows.hidden, row + k), load(rows.gradient, row + k)
        for node in range(paths.starts[word + 1] - first):
            place, slot = int(paths.nodes[first + node]) * stride + k, int(gradients.slots[first + node]) * stride + k
            step = errors[error + node]
            g = multiply_add(broadcast(step), load(table, place), g)
            store(gradients.sums, slot, multiply_add(broadcast(scale * step), h, load(gradients.sums, slot)))
        store(rows.gradient, row + k, g)


@kernel
def path_log_probs(
    hidden: NDArray[Any],
    targets: NDArray[np.int32],
    table: NDArray[Any],
    paths: Paths,
    scores: NDArray[Any],
    log_probs: NDArray[np.float64],
) -> None:
    """The natural-log probability of each row's target; ``scores``: scratch, (width + 16,)."""
    for row in range(targets.size):
        first, last = paths.starts[targets[row]], paths.starts[targets[row] + 1]
        score_path(hidden, row * paths.stride, table, paths, targets[row], scores, 0)
        log_probs[row] = 0.0
        for node in range(last - first):
            score = -np.float64(paths.signs[first + node] * scores[node])
            log_probs[row] -= np.log1p(np.exp(-abs(score))) + max(score, 0.0)


@kernel
def sum_paths(scores: NDArray[Any], paths: Paths, lefts: NDArray[Any], log_probs: NDArray[Any]) -> None:
    """``log_probs[w]`` = the log-probability of word w's path, given the scores of all nodes; ``lefts`` is scratch.

    scores, lefts (nodes,); log_probs (words,).
    """
    for node in range(scores.size):  # log p(left); log p(right) is less by the score
        lefts[node] = -np.log1p(np.exp(-abs(scores[node]))) - max(-scores[node], scores.dtype.type(0))
    for word in range(log_probs.size):
        log_prob = 0.0
        for place in range(paths.starts[word], paths.starts[word + 1]):
            node = paths.nodes[place]
            log_prob += lefts[node] - (scores[node] if paths.signs[place] < 0 else scores.dtype.type(0))
        log_probs[word] = log_prob
