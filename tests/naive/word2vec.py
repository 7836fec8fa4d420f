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
    """Skip-gram, or CBOW by the mean or the sum of the window.

    ``word_rows``: the input rows of each word, with fastText's sub-words; None: word w has row w.
    """

    skipgram: bool
    mean: bool = True
    word_rows: list[list[int]] | None = None

    def rows_of(self, word: int) -> list[int]:
        return [word] if self.word_rows is None else self.word_rows[word]


def window_weights(text: Text, center: int) -> dict[int, float]:
    return {position: text.weights[abs(position - center)] for position in text.windows[center]}


def window_rows(text: Text, center: int, mode: Mode) -> list[tuple[int, int, float]]:
    """The input rows of all words of a window, each with the position and the weight of its word."""
    weights = window_weights(text, center)
    return [(row, place, weight) for place, weight in weights.items() for row in mode.rows_of(text.words[place])]


def combine_window(text: Text, center: int, inputs: Table, mode: Mode) -> Vector:
    """The weighted mean or sum of the context's input rows; zero for a word without context."""
    rows = window_rows(text, center, mode)
    hidden = sum((weight * inputs[row] for row, _, weight in rows), start=0 * inputs[0])
    return hidden / sum(weight for *_, weight in rows) if mode.mean and rows else hidden


def spread_gradient(text: Text, center: int, inputs: Table, gradient: Vector, mode: Mode) -> None:
    """The mean's gradient times the number of context rows, the sum's divided by it, as gensim does."""
    rows = window_rows(text, center, mode)
    for row, position, weight in rows:
        scale = len(rows) / sum(weight for *_, weight in rows) if mode.mean else 1 / len(rows)
        inputs[row] += text.share(position) * scale * weight * gradient


def word_vector(word: int, inputs: Table, mode: Mode) -> Vector:
    """The mean of a word's rows."""
    return inputs[mode.rows_of(word)].mean(axis=0)


def add_to_word(word: int, inputs: Table, change: Vector, mode: Mode) -> None:
    """Each row of the word gets the whole change, as in fastText."""
    for row in mode.rows_of(word):
        inputs[row] += change


def gather(
    text: Text, centers: range, inputs: Table, mode: Mode, window: int
) -> tuple[Hidden, list[tuple[int, list[tuple[int, float]]]]]:
    """The hidden vectors of a block, and which of them predict which word with what weight.

    Skip-gram: one hidden vector per position within ``window`` of the block. CBOW: one per center.
    """
    if mode.skipgram:
        around = range(max(0, centers.start - window), min(len(text.words), centers.stop + window))
        hidden = {position: word_vector(text.words[position], inputs, mode) for position in around}
        return hidden, [(text.words[c], list(window_weights(text, c).items())) for c in centers]
    hidden = {center: combine_window(text, center, inputs, mode) for center in centers}
    return hidden, [(text.words[c], [(c, 1.0)] if text.windows[c] else []) for c in centers]


def scatter(text: Text, gradient: Hidden, inputs: Table, mode: Mode) -> None:
    """Add the gradient of each hidden vector to the input vectors that it was made of."""
    for position, change in gradient.items():
        if mode.skipgram:
            add_to_word(text.words[position], inputs, text.share(position) * change, mode)
        else:
            spread_gradient(text, position, inputs, change, mode)


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
                    hidden = word_vector(text.words[position], inputs, mode)
                    gradient, example_loss = step(hidden, target_word, rate * weight)
                    add_to_word(text.words[position], inputs, text.share(position) * gradient, mode)
                    loss += example_loss
        else:
            for step in steps:
                hidden = combine_window(text, center, inputs, mode)
                gradient, example_loss = step(hidden, target_word, rate)
                spread_gradient(text, center, inputs, gradient, mode)
                loss += example_loss
    return loss
