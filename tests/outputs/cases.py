"""Output layers with random parameters and blocks of rows that they are asked about."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.nn.parameters import Parameter
from windrow.outputs import output_layer
from windrow.outputs.contract import OutputLayer, OutputOptions

SIZES = [2, 3, 50, 700]  # words; the last is more than a tile, and no multiple of it


class Block(NamedTuple):
    hidden: NDArray[np.floating]
    targets: NDArray[np.int32]


def random_counts(dice: np.random.Generator, words: int) -> NDArray[np.int64]:
    """Falling counts, after a rare word and one that never occurs, like <unk> and <s>."""
    counts = np.sort(dice.zipf(1.3, words) % 10_000 + 1)[::-1].copy()
    counts[0], counts[1 : min(2, words - 1)] = 1, 0
    return counts.astype(np.int64)


def random_layer(
    name: str,
    words: int = 50,
    hidden_size: int = 7,
    *,
    dtype: type[np.floating] = np.float64,
    seed: int = 0,
    tied: Parameter | None = None,
    **options: object,
) -> OutputLayer:
    """A layer whose distributions are far from the unigram one."""
    dice = np.random.default_rng(seed)
    chosen = OutputOptions(**{"noise_words": 20, **options})
    layer = output_layer(name)(random_counts(dice, words), hidden_size, dice, dtype, chosen, tied=tied)
    for parameter in layer.parameters.values():
        parameter.value += (dice.standard_normal(parameter.value.shape) * 0.5).astype(dtype)
    if name == "hierarchical":
        layer.nodes.value[:, hidden_size + 1 :] = 0  # the pad of the rows
    return layer


def log_distributions(layer: OutputLayer, hidden: NDArray[np.floating]) -> NDArray[np.float64]:
    """The natural-log probabilities of all words, (rows, words)."""
    with np.errstate(divide="ignore"):
        return np.log(np.array([layer.distribution(row) for row in hidden]).reshape(len(hidden), layer.words))


def random_block(layer: OutputLayer, rows: int = 40, seed: int = 1) -> Block:
    """Targets as frequent as their counts say."""
    dice = np.random.default_rng(seed)
    targets = dice.choice(layer.words, rows, p=layer.counts / layer.counts.sum())
    return Block(dice.standard_normal((rows, layer.hidden_size)).astype(layer.dtype), targets.astype(np.int32))
