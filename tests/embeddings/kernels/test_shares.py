"""Numbering, copies of rows, and their way back, against dictionaries and loops over rows."""

from __future__ import annotations

import numpy as np
import pytest

from tests.naive import shares as naive
from windrow.embeddings.kernels.shares import (
    add_rows,
    add_run_difference,
    add_saturated_rows,
    copy_run,
    gather_rows,
    number_paths,
    number_rows,
    saturate,
    subtract_rows,
)
from windrow.outputs.kernels.paths import Paths

ROWS, STRIDE, MEMORY = 23, 32, 32.0

every_type = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def random_table(generator: np.random.Generator, rows: int, dtype: type[np.floating]) -> np.ndarray:
    return generator.standard_normal((rows, STRIDE)).astype(dtype)


def empty_slots() -> np.ndarray:
    return np.full(ROWS, -1, np.int32)


@pytest.mark.parametrize("size", [0, 1, 7, 200])
def test_number_rows_goes_on_where_it_stopped(size):
    generator = np.random.default_rng(size)
    slots, rows, touches = empty_slots(), np.full(ROWS + 1, -7, np.int32), np.zeros(ROWS + 1, np.float32)
    numbering, known = naive.Numbering(), 0
    for weight in (1.0, 0.25):  # such as words, then noise words
        ids, local = generator.integers(0, ROWS, size, dtype=np.int32), np.full(size, -7, np.int32)

        known = number_rows(ids, weight, slots, rows, touches, known, local)

        assert local.tolist() == [numbering.touch(row, weight) for row in ids.tolist()]
    assert known == len(numbering.slots)
    assert rows[:known].tolist() == list(numbering.slots)
    assert touches[:known].tolist() == [numbering.touches[row] for row in numbering.slots]
    assert {row: slot for row, slot in enumerate(slots.tolist()) if slot >= 0} == numbering.slots
    assert (rows[known:] == -7).all()
    assert not touches[known:].any()


@pytest.mark.parametrize("number", [0, 1, 9])
def test_number_paths(number):
    generator = np.random.default_rng(number)
    paths = [
        [(int(node), int(generator.integers(2))) for node in generator.permutation(ROWS)[:length]]
        for length in generator.integers(0, 8, 12)
    ]
    words = generator.permutation(12)[:number].astype(np.int32)
    visits = generator.integers(1, 9, number).astype(np.float32)
    starts = np.cumsum([0, *map(len, paths)])
    nodes = np.array([node for path in paths for node, _ in path], np.int32)
    signs = np.array([1 - 2 * code for path in paths for _, code in path], np.float32)
    slots, rows, touches = empty_slots(), np.full(ROWS, -7, np.int32), np.zeros(ROWS, np.float32)
    local = Paths(np.full(number + 1, -7), np.full_like(nodes, -7), np.full_like(signs, -7), STRIDE, 16, 0)

    known = number_paths(words, visits, Paths(starts, nodes, signs, STRIDE, 16, 0), slots, rows, touches, local)

    numbering, expected = naive.number_paths(words.tolist(), visits.tolist(), paths)
    assert known == len(numbering.slots)
    assert rows[:known].tolist() == list(numbering.slots)
    assert touches[:known].tolist() == [numbering.touches[node] for node in numbering.slots]
    assert local.starts.tolist() == np.cumsum([0, *map(len, expected)]).tolist()
    written = [(slot, 1 - 2 * code) for path in expected for slot, code in path]
    assert list(zip(local.nodes.tolist(), local.signs.tolist(), strict=True))[: len(written)] == written
    assert (local.nodes[len(written) :] == -7).all()
    assert (local.signs[len(written) :] == -7).all()


@every_type
@pytest.mark.parametrize("number", [0, 1, 8, 9, ROWS])
def test_what_is_gathered_and_not_changed_leaves_no_difference(number, dtype):
    generator = np.random.default_rng(number)
    table, rows = random_table(generator, ROWS, dtype), generator.permutation(ROWS)[:number].astype(np.int32)
    before, copies = table.copy(), np.full((number + 1) * STRIDE, 7, dtype)

    gather_rows(table.reshape(-1), rows, copies, STRIDE)

    np.testing.assert_array_equal(copies[:-STRIDE].reshape(-1, STRIDE), table[rows])
    changes = random_table(generator, number, dtype)
    copies[:-STRIDE] += changes.reshape(-1)
    trained = copies[:-STRIDE].reshape(-1, STRIDE).copy()

    subtract_rows(table.reshape(-1), rows, copies, STRIDE)

    np.testing.assert_array_equal(copies[:-STRIDE].reshape(-1, STRIDE), trained - table[rows])
    assert (copies[-STRIDE:] == 7).all()
    np.testing.assert_array_equal(table, before)


@every_type
@pytest.mark.parametrize("shards", [1, 2, 3])
def test_shards_add_each_row_once(shards, dtype):
    generator = np.random.default_rng(shards)
    table, rows = random_table(generator, ROWS, dtype), generator.permutation(ROWS)[:15].astype(np.int32)
    changes, before = random_table(generator, 15, dtype), table.copy()
    for shard in range(shards):
        others = [slot for slot, row in enumerate(rows) if row % shards != shard]
        earlier = table.copy()

        add_rows(table.reshape(-1), rows, changes.reshape(-1), STRIDE, shard, shards)

        np.testing.assert_array_equal(table[rows[others]], earlier[rows[others]])
    expected = before.copy()
    expected[rows] += changes
    np.testing.assert_array_equal(table, expected)


@every_type
@pytest.mark.parametrize(("shard", "shards"), [(0, 1), (0, 3), (2, 3), (15, 16)])
def test_saturated_sums(shard, shards, dtype):
    generator = np.random.default_rng(shards)
    table = random_table(generator, ROWS, dtype)
    workers = []
    for number in (0, 1, 12, 12, ROWS):
        rows = generator.permutation(ROWS)[:number].astype(np.int32)
        touches = np.exp(generator.uniform(-1, 7, number)).astype(np.float32)  # from rarely to far beyond MEMORY
        workers.append((rows, touches, random_table(generator, number, dtype)))
    expected = naive.saturated_sum(table, workers, MEMORY, shard, shards)
    all_touches, learned = np.zeros(ROWS, np.float32), np.zeros(ROWS, np.float32)

    for rows, touches, _ in workers:
        saturate(rows, touches, MEMORY, shard, shards, all_touches, learned)
    for rows, _, changes in workers:
        flat = table.reshape(-1), rows, changes.reshape(-1), STRIDE
        add_saturated_rows(*flat, MEMORY, shard, shards, all_touches, learned)

    np.testing.assert_allclose(table, expected, rtol=0, atol=5e-6)  # touches are float32
    others = np.arange(ROWS) % shards != shard
    np.testing.assert_array_equal(table[others], expected[others].astype(dtype))
    assert not all_touches[others].any()
    assert not learned[others].any()


@pytest.mark.parametrize(("touches", "share"), [(0.01, 1.0), (1e4, 0.25)])
def test_four_workers_sum_rare_rows_and_average_frequent_ones(touches, share):
    table, rows = np.zeros((1, STRIDE)), np.zeros(1, np.int32)
    counts, all_touches, learned = np.full(1, touches, np.float32), np.zeros(1, np.float32), np.zeros(1, np.float32)
    for _ in range(4):
        saturate(rows, counts, MEMORY, 0, 1, all_touches, learned)
    for worker in range(4):
        changes = np.full(STRIDE, 1.0 + worker)
        add_saturated_rows(table.reshape(-1), rows, changes, STRIDE, MEMORY, 0, 1, all_touches, learned)

    np.testing.assert_allclose(table, share * (1 + 2 + 3 + 4), rtol=1e-2)


@every_type
def test_copy_run(dtype):
    table = random_table(np.random.default_rng(1), 14, dtype)
    expected = table.copy()
    for place in (4, 11):
        expected[place : place + 3] = table[:3]

    copy_run(table.reshape(-1), 0, 3, np.array([4, 11]), STRIDE)

    np.testing.assert_array_equal(table, expected)


@every_type
def test_add_run_difference(dtype):
    table = random_table(np.random.default_rng(1), 14, dtype)
    scales = np.array([0.25, 1, 2], np.float32)
    expected = table.astype(np.float64)
    expected[1:4] += scales[:, None] * (expected[5:8] - expected[10:13])

    add_run_difference(table.reshape(-1), 1, scales, 5, 10, STRIDE)

    np.testing.assert_allclose(table, expected, rtol=0, atol=10 * np.finfo(dtype).eps)
