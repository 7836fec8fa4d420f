from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lm.ngram.models import random_model, random_stream, seeds
from windrow.lm.ngram.kernels import query as kernels
from windrow.lm.ngram.table import NGramTable


@settings(max_examples=10, deadline=None)
@given(seeds, st.integers(1, 4), st.booleans())
def test_positions_near_the_borders_of_blocks(seed, order, closed):
    dice = np.random.default_rng(seed)
    model, naive = random_model(dice, order, 5, closed=closed)
    table = NGramTable.pack(model)
    for symbols in (1, kernels.BLOCK - 1, kernels.BLOCK, kernels.BLOCK + 1, 2 * kernels.BLOCK + 2):
        stream = random_stream(dice, 5, symbols)
        expected, expected_orders = naive.score(stream.tolist())

        scores, orders = table.score_with_orders(stream)

        np.testing.assert_allclose(scores, expected, rtol=0, atol=2e-5)
        np.testing.assert_array_equal(orders, expected_orders)


def test_scratch_may_hold_anything_from_before():
    dice = np.random.default_rng(1)
    table = NGramTable.pack(random_model(dice, 4, 5)[0]).trie
    scratch = kernels.new_scratch(4)
    stream, other = random_stream(dice, 5, 200), random_stream(dice, 5, 300)
    results = []
    for text in (stream, other, stream):
        scores, orders = np.empty(text.size, np.float32), np.empty(text.size, np.int8)
        kernels.score(table, text, 0, scratch, scores, orders)
        results.append((scores, orders))

    for first, again in zip(results[0], results[2], strict=True):
        np.testing.assert_array_equal(first, again)


def test_probes_skipped_in_closed_models_change_nothing():
    dice = np.random.default_rng(2)
    table = NGramTable.pack(random_model(dice, 5, 5)[0]).trie
    stream = random_stream(dice, 5, 500)
    results = []
    for slack in (0, 5):
        scores, orders = np.empty(stream.size, np.float32), np.empty(stream.size, np.int8)
        kernels.score(table, stream, slack, kernels.new_scratch(5), scores, orders)
        results.append((scores, orders))

    for skipping, probing in zip(*results, strict=True):
        np.testing.assert_array_equal(skipping, probing)


@pytest.mark.parametrize("unseen_backoff", [-0.5, -1.0])
def test_unseen_contexts_are_counted_from_the_sentence_start(unseen_backoff):
    stream = np.array([3, 4, 1, 3, 3, 3, 3, 2, 1, 5], np.int32)
    scores = np.zeros(stream.size, np.float32)

    kernels.add_unseen(stream, 3, unseen_backoff, scores)

    assert (scores / np.float32(unseen_backoff)).tolist() == [0, 1, 0, 1, 2, 3, 3, 3, 0, 1]
