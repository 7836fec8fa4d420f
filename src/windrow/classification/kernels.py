"""From words to rows of the table of features; a step of gradient descent per text; the hidden rows of many texts.

The model and its steps are those of fastText's supervised mode (Joulin et al. 2017, arXiv:1607.01759): the hidden row
of a text is the mean of the vectors of its features, and each gets the gradient divided by their number.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel
from windrow.numeric.rng import RngState, draw_alias, split_mix

SOFTMAX, TREE, NOISE, EACH = range(4)  # of Loss.code
_NGRAM_FACTOR = np.uint64(116049371)  # fastText's


class Rows(NamedTuple):
    """Numbers of one list after the other: those of item i are ``ids[starts[i] : starts[i + 1]]``."""

    ids: NDArray[np.int32]
    starts: NDArray[np.int64]


class Types(NamedTuple):
    """The features that each different word has by itself, and its hash."""

    rows: Rows
    hashes: NDArray[np.uint64]  # (types,)


class WordNgrams(NamedTuple):
    """``longest``: words in one; ``rows`` (buckets,): 1 + the row of each hash, 0 where training had no such n-gram."""

    longest: int
    rows: NDArray[np.int32]


class Loss(NamedTuple):
    """Which loss, and what it needs: the paths of a tree, or how classes are drawn."""

    code: int
    path_starts: NDArray[np.int64]
    path_nodes: NDArray[np.int32]
    path_codes: NDArray[np.uint8]
    thresholds: NDArray[np.uint32]
    aliases: NDArray[np.int32]
    negative: int


class Tables(NamedTuple):
    """The vectors of features, (rows, dim), and those of the classes or the nodes of their tree."""

    inputs: NDArray[Any]
    outputs: NDArray[Any]


class Scratch(NamedTuple):
    """Of one thread: the hidden row, the gradient with respect to it, (dim,), and the scores of the classes."""

    hidden: NDArray[Any]
    gradient: NDArray[Any]
    scores: NDArray[Any]


# --- features


@kernel
def mark_ngrams(texts: Rows, hashes: NDArray[np.uint64], longest: int, seen: NDArray[np.uint8]) -> None:
    """Set ``seen`` (buckets,) to 1 for the n-grams of two and more words."""
    for text in range(texts.starts.size - 1):
        last = texts.starts[text + 1]
        for first in range(texts.starts[text], last):
            bits = hashes[texts.ids[first]]
            for place in range(first + 1, min(first + longest, last)):
                bits = bits * _NGRAM_FACTOR + hashes[texts.ids[place]]
                seen[np.int64(bits % np.uint64(seen.size))] = 1


@kernel
def count_rows(texts: Rows, order: NDArray[np.int64], known: Types, others: Types, longest: int) -> int:
    """At most how many features some texts have together."""
    number, types = 0, known.hashes.size
    for i in range(order.size):
        first, last = texts.starts[order[i]], texts.starts[order[i] + 1]
        number += (last - first) * (longest - 1)
        for place in range(first, last):
            word = texts.ids[place]
            if word < types:
                number += known.rows.starts[word + 1] - known.rows.starts[word]
            else:
                number += others.rows.starts[word - types + 1] - others.rows.starts[word - types]
    return int(number)


@kernel
def _hash_of(word: int, known: Types, others: Types) -> Any:
    return known.hashes[word] if word < known.hashes.size else others.hashes[word - known.hashes.size]


@kernel
def fill_rows(
    texts: Rows, order: NDArray[np.int64], known: Types, others: Types, ngrams: WordNgrams, found: Rows
) -> None:
    """The features of the texts of these numbers, one text after the other: of its words, then of its n-grams."""
    filled, types, buckets = 0, known.hashes.size, np.uint64(max(ngrams.rows.size, 1))
    for i in range(order.size):
        first, last = texts.starts[order[i]], texts.starts[order[i] + 1]
        found.starts[i] = filled
        for place in range(first, last):
            word = texts.ids[place]
            own, number = (known.rows, word) if word < types else (others.rows, word - types)
            for row in range(own.starts[number], own.starts[number + 1]):
                found.ids[filled] = own.ids[row]
                filled += 1
        for begin in range(first, last if ngrams.longest > 1 else first):
            bits = _hash_of(texts.ids[begin], known, others)
            for place in range(begin + 1, min(begin + ngrams.longest, last)):
                bits = bits * _NGRAM_FACTOR + _hash_of(texts.ids[place], known, others)
                after_row = ngrams.rows[np.int64(bits % buckets)]
                if after_row > 0:
                    found.ids[filled] = after_row - 1
                    filled += 1
    found.starts[order.size] = filled


# --- training


@kernel
def _dot(a: NDArray[Any], b: NDArray[Any], row: int) -> Any:
    found = a[0] * b[row, 0]
    for d in range(1, a.size):
        found += a[d] * b[row, d]
    return found


@kernel
def _mean_row(ids: NDArray[np.int32], first: int, last: int, inputs: NDArray[Any], hidden: NDArray[Any]) -> None:
    """The mean of some vectors; zeros where there are none."""
    hidden[:] = 0
    for place in range(first, last):
        row = ids[place]
        for d in range(hidden.size):
            hidden[d] += inputs[row, d]
    share = hidden.dtype.type(1) / hidden.dtype.type(max(last - first, 1))
    for d in range(hidden.size):
        hidden[d] *= share


@kernel
def _move(error: Any, row: int, outputs: NDArray[Any], scratch: Scratch) -> None:
    """Add ``error`` times an output vector to the gradient, then ``error`` times the hidden row to the vector."""
    for d in range(scratch.hidden.size):
        scratch.gradient[d] += error * outputs[row, d]
        outputs[row, d] += error * scratch.hidden[d]


@kernel
def _ask(is_true: bool, row: int, rate: Any, outputs: NDArray[Any], scratch: Scratch) -> float:
    """One yes-or-no question: a step of logistic regression; returns its loss."""
    score = _dot(scratch.hidden, outputs, row)
    probability = 1 / (1 + np.exp(-score))
    goal = 1.0 if is_true else 0.0
    _move(scratch.hidden.dtype.type(rate * (goal - probability)), row, outputs, scratch)
    signed = score if is_true else -score
    return float(np.log1p(np.exp(-abs(signed))) + max(-signed, 0))


@kernel
def _choose(target: int, rate: Any, outputs: NDArray[Any], scratch: Scratch) -> float:
    """A step of a softmax over all classes; returns its loss."""
    scores, largest = scratch.scores, -np.inf
    for row in range(scores.size):
        scores[row] = _dot(scratch.hidden, outputs, row)
        largest = max(largest, scores[row])
    total = 0.0
    for row in range(scores.size):
        total += np.exp(scores[row] - largest)
    loss = np.log(total) + largest - scores[target]
    for row in range(scores.size):
        probability = np.exp(scores[row] - largest) / total
        goal = 1.0 if row == target else 0.0
        _move(scratch.hidden.dtype.type(rate * (goal - probability)), row, outputs, scratch)
    return float(loss)


@kernel
def _descend(target: int, rate: Any, outputs: NDArray[Any], loss: Loss, scratch: Scratch) -> float:
    """A question at each node on the way to a class."""
    summed = 0.0
    for place in range(loss.path_starts[target], loss.path_starts[target + 1]):
        summed += _ask(loss.path_codes[place] == 1, loss.path_nodes[place], rate, outputs, scratch)
    return summed


@kernel
def _distinguish(target: int, rate: Any, outputs: NDArray[Any], loss: Loss, scratch: Scratch, state: RngState) -> float:
    """A question about the class, and one about each of some others that are drawn."""
    summed = _ask(True, target, rate, outputs, scratch)
    for _ in range(loss.negative):
        other = draw_alias(loss.thresholds, loss.aliases, state)
        while other == target:
            other = draw_alias(loss.thresholds, loss.aliases, state)
        summed += _ask(False, other, rate, outputs, scratch)
    return summed


@kernel
def _ask_all(labels: Rows, text: int, rate: Any, outputs: NDArray[Any], scratch: Scratch) -> float:
    """A question about each class."""
    summed = 0.0
    for row in range(outputs.shape[0]):
        is_true = False
        for place in range(labels.starts[text], labels.starts[text + 1]):
            is_true = is_true or labels.ids[place] == row
        summed += _ask(is_true, row, rate, outputs, scratch)
    return summed


@kernel
def train_texts(
    found: Rows,
    order: NDArray[np.int64],
    labels: Rows,
    tables: Tables,
    loss: Loss,
    rates: tuple[float, float],
    scratch: Scratch,
    state: RngState,
) -> float:
    """A step for each text, whose features are ``found``; returns the summed loss.

    ``rates``: that of the first text, and by how much it falls from one to the next. Of several labels one is drawn,
    but for ``EACH``. Texts without features or labels are left out.
    """
    summed = 0.0
    for i in range(order.size):
        text, first, last = order[i], found.starts[i], found.starts[i + 1]
        number = labels.starts[text + 1] - labels.starts[text]
        if first == last or number == 0:
            continue
        rate = rates[0] - i * rates[1]
        _mean_row(found.ids, first, last, tables.inputs, scratch.hidden)
        scratch.gradient[:] = 0
        if loss.code == EACH:
            summed += _ask_all(labels, text, rate, tables.outputs, scratch)
        else:
            chosen = np.int64(split_mix(state) % np.uint64(number)) if number > 1 else 0
            target = labels.ids[labels.starts[text] + chosen]
            if loss.code == SOFTMAX:
                summed += _choose(target, rate, tables.outputs, scratch)
            elif loss.code == TREE:
                summed += _descend(target, rate, tables.outputs, loss, scratch)
            else:
                summed += _distinguish(target, rate, tables.outputs, loss, scratch, state)
        share = scratch.gradient.dtype.type(1) / scratch.gradient.dtype.type(last - first)
        for d in range(scratch.gradient.size):
            scratch.gradient[d] *= share
        for place in range(first, last):
            row = found.ids[place]
            for d in range(scratch.gradient.size):
                tables.inputs[row, d] += scratch.gradient[d]
    return summed


# --- prediction


@kernel
def hidden_rows(found: Rows, inputs: NDArray[Any], hidden: NDArray[Any]) -> None:
    """The mean of the vectors of each text's features, (texts, dim)."""
    for text in range(hidden.shape[0]):
        _mean_row(found.ids, found.starts[text], found.starts[text + 1], inputs, hidden[text])


@kernel
def tree_probabilities(scores: NDArray[Any], loss: Loss, probabilities: NDArray[Any]) -> None:
    """From the scores of nodes (texts, nodes) to the probabilities of classes (texts, classes)."""
    for text in range(probabilities.shape[0]):
        for target in range(probabilities.shape[1]):
            product = 1.0
            for place in range(loss.path_starts[target], loss.path_starts[target + 1]):
                score = scores[text, loss.path_nodes[place]]
                product /= 1 + np.exp(-score if loss.path_codes[place] == 1 else score)
            probabilities[text, target] = product
