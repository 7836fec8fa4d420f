"""A step of gradient descent per text, by the losses that fastText has.

The model and its steps are those of fastText's supervised mode (Joulin et al. 2017, arXiv:1607.01759): the hidden row
of a text is the mean of the vectors of its features, and each gets the gradient divided by their number.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.classification.kernels.rows import Rows, add_rows, fetch_rows
from windrow.numeric.jit import kernel
from windrow.numeric.rng import RngState, draw_alias, split_mix
from windrow.numeric.simd import (
    LANES,
    add,
    broadcast,
    exp,
    load,
    log,
    logistic,
    multiply,
    multiply_add,
    prefetch,
    store,
    total,
    zero,
)
from windrow.outputs.kernels.softmax import exponentiate_row, highest_score
from windrow.outputs.tree import HuffmanTree

SOFTMAX, TREE, NOISE, EACH = range(4)  # of Loss.code


class Loss(NamedTuple):
    """Which loss, and what it needs: the paths of a tree, or how classes are drawn."""

    code: int
    tree: HuffmanTree
    thresholds: NDArray[np.uint32]
    aliases: NDArray[np.int32]
    negative: int


class Tables(NamedTuple):
    """The vectors of features, and of the classes or the nodes of their tree: flat, in rows of ``stride`` numbers.

    ``stride`` is a multiple of 16; rows of zeros make up a multiple of 4 of the ``number`` output vectors.
    """

    inputs: NDArray[Any]
    outputs: NDArray[Any]
    stride: int
    number: int


class Batch(NamedTuple):
    """Texts to learn from: their numbers, the features of some texts, and the place of each text there."""

    texts: NDArray[np.int64]
    found: Rows
    places: NDArray[np.int64]


class Scratch(NamedTuple):
    """Of one thread: the hidden row, the gradient with respect to it, (stride,), and the scores of the outputs.

    There is room for the next multiple of 16 of scores.
    """

    hidden: NDArray[Any]
    gradient: NDArray[Any]
    scores: NDArray[Any]
    no_biases: NDArray[Any]  # as many zeros


# --- training


@kernel
def _fetch_ahead(batch: Batch, i: int, tables: Tables) -> None:
    """Start loading what the next texts need: the vectors of the next one, the numbers of the one after."""
    places, starts, ids = batch.places, batch.found.starts, batch.found.ids
    if i + 1 < places.size:
        fetch_rows(batch.found, places[i + 1], tables.inputs, tables.stride)
    if i + 2 < places.size:
        for place in range(starts[places[i + 2]], starts[places[i + 2] + 1], LANES):
            prefetch(ids, place)
    if i + 4 < places.size:
        prefetch(starts, places[i + 4])


@kernel
def _mean_row(ids: NDArray[np.int32], first: int, last: int, tables: Tables, hidden: NDArray[Any]) -> None:
    """The mean of the vectors of some features."""
    hidden[:] = 0
    add_rows(ids, first, last, tables.inputs, tables.stride, 1 / (last - first), hidden, 0)


@kernel
def _add_to_rows(ids: NDArray[np.int32], first: int, last: int, tables: Tables, gradient: NDArray[Any]) -> None:
    """Add the gradient, divided by the number of features, to the vector of each."""
    inputs, stride = tables.inputs, tables.stride
    share = broadcast(gradient.dtype.type(1) / gradient.dtype.type(last - first))
    whole = stride - stride % (4 * LANES)
    for k in range(0, whole, 4 * LANES):
        g0, g1 = multiply(load(gradient, k), share), multiply(load(gradient, k + LANES), share)
        g2, g3 = multiply(load(gradient, k + 2 * LANES), share), multiply(load(gradient, k + 3 * LANES), share)
        for place in range(first, last):
            row: Any = np.int64(ids[place]) * stride + k
            store(inputs, row, add(g0, load(inputs, row)))
            store(inputs, row + LANES, add(g1, load(inputs, row + LANES)))
            store(inputs, row + 2 * LANES, add(g2, load(inputs, row + 2 * LANES)))
            store(inputs, row + 3 * LANES, add(g3, load(inputs, row + 3 * LANES)))
    for k in range(whole, stride, LANES):
        g0 = multiply(load(gradient, k), share)
        for place in range(first, last):
            row = np.int64(ids[place]) * stride + k
            store(inputs, row, add(g0, load(inputs, row)))


@kernel
def _ask(is_true: bool, row: int, rate: Any, tables: Tables, scratch: Scratch) -> float:
    """One yes-or-no question: a step of logistic regression; returns its loss."""
    outputs, first = tables.outputs, row * tables.stride
    summed = zero(outputs)
    for k in range(0, tables.stride, LANES):
        summed = multiply_add(load(scratch.hidden, k), load(outputs, first + k), summed)
    score = total(summed)
    goal = 1.0 if is_true else 0.0
    error = broadcast(outputs.dtype.type(rate * (goal - 1 / (1 + np.exp(-score)))))
    for k in range(0, tables.stride, LANES):
        output = load(outputs, first + k)
        store(scratch.gradient, k, multiply_add(error, output, load(scratch.gradient, k)))
        store(outputs, first + k, multiply_add(error, load(scratch.hidden, k), output))
    signed = score if is_true else -score
    return float(np.log1p(np.exp(-abs(signed))) + max(-signed, 0))


@kernel
def _score_all(tables: Tables, scratch: Scratch) -> int:
    """The scores of all outputs, minus infinity after them; returns how many both are, a multiple of 16."""
    outputs, stride, scores = tables.outputs, tables.stride, scratch.scores
    for row in range(0, tables.number, 4):
        a, b, c, d = zero(outputs), zero(outputs), zero(outputs), zero(outputs)
        first = row * stride
        for k in range(0, stride, LANES):
            hidden = load(scratch.hidden, k)
            a = multiply_add(hidden, load(outputs, first + k), a)
            b = multiply_add(hidden, load(outputs, first + stride + k), b)
            c = multiply_add(hidden, load(outputs, first + 2 * stride + k), c)
            d = multiply_add(hidden, load(outputs, first + 3 * stride + k), d)
        scores[row], scores[row + 1], scores[row + 2], scores[row + 3] = total(a), total(b), total(c), total(d)
    padded = (tables.number + LANES - 1) // LANES * LANES
    for row in range(tables.number, padded):
        scores[row] = -np.inf
    return padded


@kernel
def _move_all(errors: NDArray[Any], tables: Tables, scratch: Scratch) -> None:
    """The gradient gets each error times its output vector, which gets it times the hidden row."""
    outputs, stride = tables.outputs, tables.stride
    for k in range(0, stride, LANES):
        hidden, gradient = load(scratch.hidden, k), load(scratch.gradient, k)
        for row in range(tables.number):
            error, output = broadcast(errors[row]), load(outputs, row * stride + k)
            gradient = multiply_add(error, output, gradient)
            store(outputs, row * stride + k, multiply_add(error, hidden, output))
        store(scratch.gradient, k, gradient)


@kernel
def _choose(target: int, rate: Any, tables: Tables, scratch: Scratch) -> float:
    """A step of a softmax over all classes; returns its loss."""
    scores = scratch.scores
    padded = _score_all(tables, scratch)
    of_target = scores[target]
    highest = highest_score(scores, 0, padded, scratch.no_biases)
    summed = scores.dtype.type(exponentiate_row(scores, 0, padded, scratch.no_biases, highest))
    factor = broadcast(scores.dtype.type(-rate) / summed)
    for row in range(0, padded, LANES):
        store(scores, row, multiply(load(scores, row), factor))
    scores[target] += scores.dtype.type(rate)
    _move_all(scores, tables, scratch)
    return float(np.log(summed) + highest - of_target)


@kernel
def _descend(target: int, rate: Any, tables: Tables, loss: Loss, scratch: Scratch) -> float:
    """A question at each node on the way to a class: does it turn right? word2vec asks whether it turns left."""
    summed, tree = 0.0, loss.tree
    for place in range(tree.starts[target], tree.starts[target + 1]):
        summed += _ask(tree.codes[place] == 1, tree.nodes[place], rate, tables, scratch)
    return summed


@kernel
def _distinguish(target: int, rate: Any, tables: Tables, loss: Loss, scratch: Scratch, state: RngState) -> float:
    """A question about the class, and one about each of some others that are drawn."""
    summed = _ask(True, target, rate, tables, scratch)
    for _ in range(loss.negative):
        other = draw_alias(loss.thresholds, loss.aliases, state)
        while other == target:
            other = draw_alias(loss.thresholds, loss.aliases, state)
        summed += _ask(False, other, rate, tables, scratch)
    return summed


@kernel
def _ask_all(labels: Rows, text: int, rate: Any, tables: Tables, scratch: Scratch) -> float:
    """A question about each class; returns their loss, that of a score beyond 80 as if it were 80."""
    scores, first, last = scratch.scores, labels.starts[text], labels.starts[text + 1]
    padded = _score_all(tables, scratch)
    summed = 0.0
    for place in range(first, last):
        summed -= scores[labels.ids[place]] if _comes_first(labels.ids, first, place) else 0.0
    losses, one = zero(scores), broadcast(scores.dtype.type(1))
    factor = broadcast(scores.dtype.type(-rate))
    for row in range(0, padded, LANES):
        score = load(scores, row)
        losses = add(losses, log(add(one, exp(score))))
        store(scores, row, multiply(factor, logistic(score)))
    for place in range(first, last):
        if _comes_first(labels.ids, first, place):
            scores[labels.ids[place]] += scores.dtype.type(rate)
    _move_all(scores, tables, scratch)
    return float(summed + total(losses))


@kernel
def _comes_first(ids: NDArray[np.int32], first: int, place: int) -> bool:
    """Whether a text has the label at ``place`` not before it."""
    while ids[first] != ids[place]:
        first += 1
    return first == place


@kernel
def train_texts(
    batch: Batch,
    labels: Rows,
    tables: Tables,
    loss: Loss,
    rates: tuple[float, float],
    scratch: Scratch,
    state: RngState,
) -> float:
    """A step for each text of the batch; returns the summed loss.

    ``rates``: that of the first text, and by how much it falls from one to the next. Of several labels one is drawn,
    but for ``EACH``. Texts without features or labels are left out.
    """
    summed = 0.0
    for i in range(batch.texts.size):
        text, place = batch.texts[i], batch.places[i]
        first, last = batch.found.starts[place], batch.found.starts[place + 1]
        number = labels.starts[text + 1] - labels.starts[text]
        _fetch_ahead(batch, i, tables)
        if first == last or number == 0:
            continue
        rate = rates[0] - i * rates[1]
        _mean_row(batch.found.ids, first, last, tables, scratch.hidden)
        scratch.gradient[:] = 0
        if loss.code == EACH:
            summed += _ask_all(labels, text, rate, tables, scratch)
        else:
            chosen = np.int64(split_mix(state) % np.uint64(number)) if number > 1 else 0
            target = labels.ids[labels.starts[text] + chosen]
            if loss.code == SOFTMAX:
                summed += _choose(target, rate, tables, scratch)
            elif loss.code == TREE:
                summed += _descend(target, rate, tables, loss, scratch)
            else:
                summed += _distinguish(target, rate, tables, loss, scratch, state)
        _add_to_rows(batch.found.ids, first, last, tables, scratch.gradient)
    return summed


# --- prediction


@kernel
def tree_probabilities(scores: NDArray[Any], tree: HuffmanTree, probabilities: NDArray[Any]) -> None:
    """From the scores of nodes (texts, nodes) to the probabilities of classes (texts, classes)."""
    for text in range(probabilities.shape[0]):
        for target in range(probabilities.shape[1]):
            product = 1.0
            for place in range(tree.starts[target], tree.starts[target + 1]):
                score = scores[text, tree.nodes[place]]
                product /= 1 + np.exp(-score if tree.codes[place] == 1 else score)
            probabilities[text, target] = product
