"""A softmax over many words, tile by tile: loss and gradient at the price of three matrix products.

With the score of the target as the reference, powers e = exp(score - reference) need no second look at the scores:
their sum Z is at least 1, the loss is log Z, and e / Z are the probabilities. So a tile of words is multiplied,
exponentiated and multiplied back while it is in the cache, before Z is known; Z enters through the short hidden rows
afterwards: dH = (e @ W) / Z - W[target], dW = e.T @ (H / Z) - H at the target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import exp
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.blas import LEAST_TERMS, add_product, add_weighted_sum, set_product, set_row_product
from windrow.numeric.threads import Result, Scratch, share
from windrow.outputs.kernels.softmax import (
    add_at_targets,
    exponentiate,
    fill_probabilities,
    finish_gradient,
    raise_to_highest,
    scale_rows,
    score_targets,
)

TILE = 256  # words: with 700 rows a tile is 0.7 MB and stays in a second-level cache
_POWERS_HELD = 2**25  # numbers: what a group of rows keeps until Z is known stays below 128 MB in float32
_LARGE_SUM = exp(40)  # of powers: a target so unlikely is a bad reference in float32


class Scores(NamedTuple):
    """The parameters of the scores, or their gradients: weights (words, dim), biases (words,)."""

    weights: NDArray[Any]
    biases: NDArray[Any]


class _Tile(NamedTuple):
    """Some words, and where their powers are while Z is not known."""

    words: slice
    powers: NDArray[Any]  # (rows, words of the tile), contiguous


class TiledSoftmax:
    """The softmax of ``hidden @ weights.T + biases``; each thread keeps its scratch from call to call.

    Hidden rows are (rows, dim), contiguous and of the parameters' type; targets (rows,) int32.
    """

    def __init__(self, tile: int = TILE, powers_held: int = _POWERS_HELD) -> None:
        self.tile = tile
        self.powers_held = powers_held
        self._scratch = Scratch()

    def loss_and_gradient(
        self,
        scores: Scores,
        hidden: NDArray[Any],
        targets: NDArray[np.int32],
        d_hidden: NDArray[Any],
        into: Scores,
        *,
        scale: float = 1.0,
        factor: float = 1.0,
    ) -> float:
        """The summed loss and its gradients.

        Writes ``scale`` times the gradient with respect to the hidden rows to ``d_hidden``, and adds ``scale * factor``
        times that with respect to the parameters to ``into``. With a negative factor, ``into`` may be ``scores``
        themselves: a step of gradient descent. Then groups of rows see what the groups before them have changed.
        """
        groups = -(-len(hidden) * len(scores.weights) // self.powers_held)
        size = max(1, -(-len(hidden) // groups)) if groups else 1
        loss = 0.0
        for first in range(0, len(hidden), size):
            rows = slice(first, first + size)
            loss += self._group(scores, hidden[rows], targets[rows], d_hidden[rows], into, scale, factor)
        return loss

    def _group(
        self,
        scores: Scores,
        hidden: NDArray[Any],
        targets: NDArray[np.int32],
        d_hidden: NDArray[Any],
        into: Scores,
        scale: float,
        factor: float,
    ) -> float:
        references = self._array("references", len(hidden), hidden.dtype)
        tiles = self._tiles(len(scores.weights), hidden)
        shares = self._array("shares", hidden.size, hidden.dtype).reshape(hidden.shape)
        score_targets(hidden, *scores, targets, references)
        sums, shift = self._powers(scores, hidden, references, tiles, d_hidden), 0.0
        if not sums.max() < _LARGE_SUM:
            highest = self._highest(scores, hidden)
            shift = float((highest.astype(np.float64) - references).sum())
            sums = self._powers(scores, hidden, highest, tiles, d_hidden)
        finish_gradient(d_hidden, scores.weights, targets, sums, scale)
        scale_rows(hidden, sums, scale * factor, shares)
        row_shares = (scale * factor / sums).astype(hidden.dtype)

        def add_tiles(first: int, last: int) -> None:
            for words, powers in tiles[first:last]:
                add_product(into.weights[words], powers.T, shares)
                add_weighted_sum(into.biases[words], row_shares, powers)

        self._share_tiles(tiles, hidden, add_tiles)
        add_at_targets(*into, targets, hidden, -scale * factor)
        return float(np.log(sums).sum()) + shift

    def _powers(
        self,
        scores: Scores,
        hidden: NDArray[Any],
        references: NDArray[Any],
        tiles: list[_Tile],
        d_hidden: NDArray[Any],
    ) -> NDArray[np.float64]:
        """Fill ``tiles`` with powers, set ``d_hidden`` to powers @ weights; returns the sums of the rows."""

        def fill_tiles(first: int, last: int) -> tuple[NDArray[np.float64], NDArray[Any]]:
            sums, products = np.zeros(len(hidden)), np.zeros_like(hidden)
            for words, powers in tiles[first:last]:
                set_product(powers, hidden, scores.weights[words].T)
                exponentiate(powers.reshape(-1), powers.shape[1], scores.biases[words], references, sums)
                add_product(products, powers, scores.weights[words])
            return sums, products

        sums, products = zip(*self._share_tiles(tiles, hidden, fill_tiles), strict=True)
        d_hidden[:] = sum(products)
        total: NDArray[np.float64] = np.sum(sums, axis=0)
        return total

    def target_log_probs(self, scores: Scores, hidden: NDArray[Any], targets: NDArray[np.int32]) -> NDArray[np.float64]:
        """The natural-log probability of each row's target, (rows,)."""
        return np.concatenate(
            share(
                len(hidden),
                lambda first, last: self._log_probs(scores, hidden[first:last], targets[first:last]),
                least=1 + LEAST_TERMS // max(1, scores.weights.size),
            )
        )

    def _log_probs(self, scores: Scores, hidden: NDArray[Any], targets: NDArray[np.int32]) -> NDArray[np.float64]:
        references = np.empty(len(hidden), hidden.dtype)
        score_targets(hidden, *scores, targets, references)
        log_probs = -np.log(self._sums(scores, hidden, references))
        if len(hidden) and not log_probs.min() > -np.log(_LARGE_SUM):
            highest = self._highest(scores, hidden)
            log_probs = references.astype(np.float64) - highest - np.log(self._sums(scores, hidden, highest))
        return log_probs

    def _sums(self, scores: Scores, hidden: NDArray[Any], references: NDArray[Any]) -> NDArray[np.float64]:
        """Of exp(score - reference) over the words, (rows,)."""
        sums = np.zeros(len(hidden))
        for biases, tile in self._scored_tiles(scores, hidden):
            exponentiate(tile.reshape(-1), tile.shape[1], biases, references, sums)
        return sums

    def _highest(self, scores: Scores, hidden: NDArray[Any]) -> NDArray[Any]:
        """The highest score of each row, (rows,)."""
        highest = np.full(len(hidden), -np.inf, hidden.dtype)
        for biases, tile in self._scored_tiles(scores, hidden):
            raise_to_highest(tile.reshape(-1), tile.shape[1], biases, highest)
        return highest

    def _scored_tiles(self, scores: Scores, hidden: NDArray[Any]) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """The biases of some words, and the scores of all rows without them; every tile is in the same scratch."""
        scratch = np.empty(len(hidden) * self.tile, hidden.dtype)
        for first in range(0, len(scores.weights), self.tile):
            weights = scores.weights[first : first + self.tile]
            tile = scratch[: len(hidden) * len(weights)].reshape(len(hidden), len(weights))
            set_product(tile, hidden, weights.T)
            yield scores.biases[first : first + self.tile], tile

    def distribution(self, scores: Scores, hidden: NDArray[Any]) -> NDArray[np.float64]:
        """The probabilities of all words after one row (dim,), (words,)."""
        row = np.empty(len(scores.weights), hidden.dtype)
        set_row_product(row, hidden, scores.weights)
        row += scores.biases
        return probabilities_of(row)

    def _share_tiles(
        self, tiles: list[_Tile], hidden: NDArray[Any], task: Callable[[int, int], Result]
    ) -> list[Result]:
        """``share`` of the tiles, numbered from 0."""
        least = 1 + LEAST_TERMS // max(1, hidden.size * self.tile)
        return [task(0, len(tiles))] if len(tiles) < 2 * least else share(len(tiles), task, least)

    def _tiles(self, words: int, hidden: NDArray[Any]) -> list[_Tile]:
        """Those of all words, in this thread's scratch."""
        rows, tiles = len(hidden), []
        powers = self._array("powers", rows * words, hidden.dtype)
        for first in range(0, words, self.tile):
            last = min(words, first + self.tile)
            tiles.append(_Tile(slice(first, last), powers[rows * first : rows * last].reshape(rows, last - first)))
        return tiles

    def _array(self, name: str, size: int, dtype: Any) -> NDArray[Any]:
        """This thread's scratch of this size, allocated again only when it has to grow."""
        kept = self._scratch.kept.get(name)
        if kept is None or kept.size < size or kept.dtype != dtype:
            kept = self._scratch.kept[name] = np.empty(size, dtype)
        return kept[:size]


def probabilities_of(scores: NDArray[Any]) -> NDArray[np.float64]:
    """The softmax of scores (words,), which are used up."""
    probabilities = np.empty(len(scores))
    fill_probabilities(scores, np.zeros_like(scores), probabilities)
    return probabilities
