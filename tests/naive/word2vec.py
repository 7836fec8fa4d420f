"""Skip-gram and CBOW over a text, whatever the output layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.naive.steps import Hidden, Table, Targets, Vector
from tests.naive.windows import Text

BlockStep = Callable[[Hidden, Targets, float], tuple[Hidden, float]]
PairStep = Callable[[Vector, int, float], tuple[Vector, float]]


@dataclass(frozen=True)
class Mode:
    """Skip-gram, or CBOW by the mean or the sum of the window."""

    skipgram: bool
    mean: bool = True


def window_weights(text: Text, center: int) -> dict[int, float]:
    return {position: text.weights[abs(position - center)] for position in text.windows[center]}


def combine_window(text: Text, center: int, inputs: Table, mean: bool) -> Vector:
    """The weighted mean or sum of the context's input vectors; zero for a word without context."""
    weights = window_weights(text, center)
    hidden = sum((w * inputs[text.words[j]] for j, w in weights.items()), start=0 * inputs[0])
    return hidden / sum(weights.values()) if mean and weights else hidden


def spread_gradient(text: Text, center: int, inputs: Table, gradient: Vector, mean: bool) -> None:
    """The mean's gradient times the number of context words, the sum's divided by it, as gensim does."""
    weights = window_weights(text, center)
    for position, weight in weights.items():
        scale = len(weights) / sum(weights.values()) if mean else 1 / len(weights)
        inputs[text.words[position]] += text.share(position) * scale * weight * gradient


def gather(
    text: Text, centers: range, inputs: Table, mode: Mode, window: int
) -> tuple[Hidden, list[tuple[int, list[tuple[int, float]]]]]:
    """The hidden vectors of a block, and which of them predict which word with what weight.

    Skip-gram: one hidden vector per position within ``window`` of the block. CBOW: one per center.
    """
    if mode.skipgram:
        around = range(max(0, centers.start - window), min(len(text.words), centers.stop + window))
        hidden = {position: inputs[text.words[position]].copy() for position in around}
        return hidden, [(text.words[c], list(window_weights(text, c).items())) for c in centers]
    hidden = {center: combine_window(text, center, inputs, mode.mean) for center in centers}
    return hidden, [(text.words[c], [(c, 1.0)] if text.windows[c] else []) for c in centers]


def scatter(text: Text, gradient: Hidden, inputs: Table, mode: Mode) -> None:
    """Add the gradient of each hidden vector to the input vectors that it was made of."""
    for position, change in gradient.items():
        if mode.skipgram:
            inputs[text.words[position]] += text.share(position) * change
        else:
            spread_gradient(text, position, inputs, change, mode.mean)


def train_blocks(
    text: Text, inputs: Table, rate: float, step: BlockStep, mode: Mode, window: int, block_size: int
) -> float:
    loss = 0.0
    for start in range(0, len(text.words), block_size):
        centers = range(start, min(len(text.words), start + block_size))
        hidden, targets = gather(text, centers, inputs, mode, window)
        gradient, block_loss = step(hidden, targets, rate)
        scatter(text, gradient, inputs, mode)
        loss += block_loss
    return loss


def train_pairs(text: Text, inputs: Table, rate: float, steps: list[PairStep], mode: Mode) -> float:
    """Example by example, and each through all steps; the second sees what the first has changed."""
    loss = 0.0
    for center, target_word in enumerate(text.words):
        if mode.skipgram:
            for position, weight in window_weights(text, center).items():
                for step in steps:
                    hidden = inputs[text.words[position]].copy()
                    gradient, example_loss = step(hidden, target_word, rate * weight)
                    inputs[text.words[position]] += text.share(position) * gradient
                    loss += example_loss
        else:
            for step in steps:
                hidden = combine_window(text, center, inputs, mode.mean)
                gradient, example_loss = step(hidden, target_word, rate)
                spread_gradient(text, center, inputs, gradient, mode.mean)
                loss += example_loss
    return loss
