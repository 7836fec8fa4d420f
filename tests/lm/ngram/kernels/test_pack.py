from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lm.ngram.models import random_model, seeds
from windrow.lm.ngram.kernels import pack as kernels
from windrow.lm.ngram.packing import is_suffix_closed

HALF = 2**64


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 16), st.data())
def test_fields_are_put_where_their_bits_are(width, data):
    """Fields that fill a record, beside bytes that stay as they are."""
    free, whole, parts = 8 * width, 0, []
    while free:
        bits = data.draw(st.integers(1, min(free, 57)))
        parts.append((8 * width - free, data.draw(st.integers(0, 2**bits - 1))))
        free -= bits
    records = np.frombuffer(data.draw(st.binary(min_size=48, max_size=48)), np.uint8).copy()
    before = records.tobytes()
    low = high = np.uint64(0)
    for offset, value in parts:
        whole |= value << offset
        low, high = map(np.uint64, kernels.join(low, high, offset, np.uint64(value)))

    kernels.put(records, 16, width, low, high)

    assert int(low) + HALF * int(high) == whole
    assert records.tobytes() == before[:16] + whole.to_bytes(width, "little") + before[16 + width :]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_range_of_finite_numbers(dtype):
    values = np.array([0.5, -np.inf, -2, 1], dtype)

    assert kernels.finite_range(values) == (-2, 1, True)
    assert kernels.finite_range(values[2:]) == (-2, 1, False)
    assert kernels.finite_range(values[:0]) == (np.inf, -np.inf, False)


def test_codes_are_the_nearest_cells():
    no_cells = np.zeros(0, np.uint8)
    codes = kernels.Codes(-2.0, 10.0, 20, 99, no_cells)  # -2, -1.9, ..., 0

    numbers = [-2.0, -1.96, -1.94, -0.01, 0.0, 7.0, -9.0, -np.inf]
    assert [kernels.encode(number, codes) for number in numbers] == [0, 0, 1, 20, 20, 20, 0, 99]
    by_cells = codes._replace(cells=np.arange(20, -1, -1).astype(np.uint8))
    assert [kernels.encode(number, by_cells) for number in numbers] == [20, 20, 19, 0, 0, 0, 20, 99]


def test_lists_get_the_least_size_with_room():
    slot_counts = np.concatenate([np.arange(9), np.arange(12, 12 + 119 * 3, 3)])
    for successors in range(200):
        size = slot_counts[kernels.size_code(successors, slot_counts)]
        wanted = successors if successors <= 8 else 4 * successors / 3
        assert size == min(slots for slots in slot_counts.tolist() if slots >= wanted)


def test_slots_of_lists_and_of_all_that_they_begin():
    slot_counts = np.arange(128)
    followers = np.array([0, 2, 3, 3], np.int32)
    below = np.array([5, 0, 7], np.uint32)
    subtrees = np.empty(3, np.uint32)

    kernels.subtree_slots(followers, below, slot_counts, subtrees)
    assert subtrees.tolist() == [2 + 5 + 0, 1 + 7, 0]
    kernels.subtree_slots(followers, below[:0], slot_counts, subtrees)
    assert subtrees.tolist() == [2, 1, 0]
    assert kernels.count_slots(followers, slot_counts, False) == 3
    assert kernels.count_slots(followers, slot_counts, True) == 2


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(1, 4), st.booleans())
def test_suffixes_are_looked_for(seed, order, closed):
    model, naive = random_model(np.random.default_rng(seed), order, 5, closed=closed)

    assert is_suffix_closed(model.levels) == all(ngram[1:] in naive.probs for ngram in naive.probs if len(ngram) > 1)
