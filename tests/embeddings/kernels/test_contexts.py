"""Gathering hidden rows and scattering their gradient, against the naive twins."""

from __future__ import annotations

import numpy as np
import pytest

from tests.embeddings.steps.cases import MODES, Model, as_chunk, random_text
from tests.naive import word2vec as naive
from tests.naive.windows import Text, lay_windows
from windrow.embeddings.kernels.contexts import (
    Block,
    Context,
    gather_cbow,
    gather_skipgram,
    new_block,
    scatter_cbow,
    scatter_skipgram,
)
from windrow.embeddings.kernels.windows import distance_weights

WEIGHTINGS = ["shrink", "linear", "harmonic", "none"]
every_mode = pytest.mark.parametrize("mode", MODES)
every_size = pytest.mark.parametrize(
    ("vector_size", "window", "block_size"), [(1, 1, 1), (7, 2, 3), (16, 8, 64), (50, 5, 3), (100, 3, 64)]
)
LENGTHS = [4, 0, 1, 12, 2]
VOCABULARY_SIZE = 6


def weighted_text(weighting: str, window: int) -> Text:
    text = random_text(np.random.default_rng(window), VOCABULARY_SIZE, LENGTHS, window)
    text.weights = distance_weights(weighting, window, np.float64)[window : 2 * window + 1].tolist()
    return text


def dirty_block(model: Model) -> Block:
    """Scratch as an earlier and larger block may have left it."""
    block = new_block(model.context, model.dtype)
    for array in block[:-1]:  # all but the width
        array[:] = 3
    return block


def gather(model: Model, text: Text, centers: range, block: Block) -> int:
    kernel = gather_skipgram if model.mode.skipgram else gather_cbow
    chunk = as_chunk(text, model.dtype)
    return kernel(chunk, centers.start, centers.stop, model.table.reshape(-1), context_of(model, text), block)


def context_of(model: Model, text: Text) -> Context:
    return model.context._replace(uniform=all(weight == 1 for weight in text.weights[1:]))


def blocks_of(text: Text, block_size: int) -> list[range]:
    return [range(len(text.words))[start : start + block_size] for start in range(0, len(text.words), block_size)]


@every_mode
@every_size
@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_gather(mode, vector_size, window, block_size, weighting):
    model = Model(
        "ns",
        MODES[mode],
        counts=[1] * VOCABULARY_SIZE,
        vector_size=vector_size,
        window=window,
        block_size=block_size,
    )
    text = weighted_text(weighting, window)
    for centers in blocks_of(text, block_size):
        block = dirty_block(model)
        rows = gather(model, text, centers, block)

        hidden, targets = naive.gather(text, centers, model.inputs, model.mode, window)
        first, row_weights = min(hidden), np.zeros(rows + 3)
        assert rows == len(hidden)
        np.testing.assert_allclose(_rows(block.hidden, rows, model), list(hidden.values()), rtol=1e-14, atol=1e-15)
        assert not _rows(block.gradient, rows, model).any()
        for target, (word, pairs) in enumerate(targets):
            start, count = target * block.width, block.pair_counts[target]
            assert block.targets[target] == word
            assert count == len(pairs)
            assert pair_rows(block, target) == [key - first for key, _ in pairs]
            assert block.pair_weights[start : start + count].tolist() == [weight for _, weight in pairs]
            assert not block.pair_weights[start + count : start + block.width].any()
            for key, weight in pairs:
                row_weights[key - first] += weight
        if block.width == 1:  # the weights of 16 targets are read at a time
            assert not block.pair_weights[len(targets) : len(targets) + 16].any()
        np.testing.assert_allclose(block.row_weights[: rows + 3], row_weights, rtol=1e-14)


def pair_rows(block: Block, target: int) -> list[int]:
    """The rows that predict a target: so many in a row, but for the gap."""
    count, gap = int(block.pair_counts[target]), int(block.gaps[target])
    return [int(block.first_rows[target]) + place + (place >= gap) for place in range(count)]


@every_mode
@every_size
@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("shares", [{}, {0: 0.0, 2: 0.25}], ids=["all-learn", "some-frozen"])
def test_scatter(mode, vector_size, window, block_size, weighting, shares):
    model = Model(
        "ns",
        MODES[mode],
        counts=[1] * VOCABULARY_SIZE,
        vector_size=vector_size,
        window=window,
        block_size=block_size,
    )
    text = weighted_text(weighting, window)
    text.shares = shares
    generator, expected = np.random.default_rng(8), model.inputs.copy()
    for centers in blocks_of(text, block_size):
        block = dirty_block(model)
        rows = gather(model, text, centers, block)
        gradient = generator.standard_normal((rows, vector_size))
        _rows(block.gradient, rows, model)[:] = gradient
        kernel = scatter_skipgram if model.mode.skipgram else scatter_cbow
        chunk, flat = as_chunk(text, model.dtype), model.table.reshape(-1)
        kernel(chunk, centers.start, rows, flat, context_of(model, text), block)

        first = max(0, centers.start - window) if model.mode.skipgram else centers.start
        naive.scatter(text, {first + row: gradient[row] for row in range(rows)}, expected, model.mode)
    np.testing.assert_allclose(model.inputs, expected, rtol=1e-13, atol=1e-13)
    assert not model.table[:, vector_size:].any()


def test_a_block_holds_the_widest_windows_at_the_edges_of_its_scratch():
    """Every center of a full block with full windows: the last pair and row that ``new_block`` has room for."""
    window, block_size = 8, 16
    model = Model("ns", MODES["skipgram"], counts=[1] * 9, vector_size=16, window=window, block_size=block_size)
    words = [(3 * position + 1) % 9 for position in range(50)]
    text = lay_windows([words], [window] * 50, [0.0] + [1.0] * window)
    block = new_block(model.context, model.dtype)

    rows = gather(model, text, range(20, 36), block)

    assert rows == block_size + 2 * window
    assert len(block.hidden) == (rows + 16) * 16
    assert block.pair_counts.tolist() == [2 * window] * block_size
    assert block.row_weights[:rows].sum() == 2 * window * block_size


def _rows(flat: np.ndarray, rows: int, model: Model) -> np.ndarray:
    return flat.reshape(-1, model.context.stride)[:rows, : model.vector_size]
