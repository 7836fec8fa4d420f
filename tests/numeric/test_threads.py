"""Threads that share a pass: every part once, the results in order, nothing left running."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from contextlib import ExitStack
from copy import deepcopy

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from tests.hammer import together
from tests.outputs.cases import random_block, random_layer
from windrow.nn.recurrent.layer import RecurrentLayer
from windrow.numeric import blas
from windrow.numeric.blas import add_product, set_product, set_row_product
from windrow.numeric.threads import Scratch, crew, one_blas_thread, share
from windrow.outputs import tiled_softmax


def runs(size: int, least: int = 1) -> list[tuple[int, int]]:
    return share(size, lambda first, last: (first, last), least)


def test_without_a_crew_there_is_one_run():
    assert runs(7) == [(0, 7)]
    with crew(1):
        assert runs(7) == [(0, 7)]


def test_a_crew_holds_libraries_that_nobody_has_loaded_yet_to_one_thread():
    """Numba loads SciPy's when it compiles a product: the first training of a process had other last bits."""
    program = """
from threadpoolctl import threadpool_info
from windrow.numeric.threads import crew
with crew(1):
    import scipy.linalg.blas
    print(*sorted({library["num_threads"] for library in threadpool_info()}))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["1"]


@pytest.mark.parametrize("workers", [2, 3])
@pytest.mark.parametrize(("size", "least"), [(7, 1), (7, 3), (7, 4), (1, 1), (0, 1)])
def test_runs_make_up_the_range(workers, size, least):
    with crew(workers):
        found = runs(size, least)

    assert len(found) == max(1, min(workers, size // least))
    assert [number for first, last in found for number in range(first, last)] == list(range(size))
    assert len(found) == 1 or min(last - first for first, last in found) >= least


def test_runs_go_side_by_side_and_do_not_share_again():
    both_are_there = threading.Barrier(2, timeout=20)

    def task(first: int, last: int) -> tuple[int, list[tuple[int, int]]]:
        both_are_there.wait()  # would never end one after the other
        return threading.get_ident(), runs(4)

    with crew(2):
        (mine, inner), (other, inner_of_other) = share(2, task)

        assert mine == threading.get_ident() != other
        assert inner == inner_of_other == [(0, 4)]
        assert len(runs(4)) == 2  # the crew is there again


@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_in_any_run_is_raised_when_all_have_ended(failing):
    ended = []

    def task(first: int, last: int) -> None:
        if first == failing:
            raise ValueError(f"run {first}")
        ended.append(first)

    with crew(2), pytest.raises(ValueError, match=f"run {failing}"):
        share(2, task)
    assert ended == [1 - failing]


def test_numpy_is_told_the_same_in_all_threads():
    with crew(2), np.errstate(divide="raise"):
        assert share(2, lambda first, last: np.geterr()["divide"]) == ["raise", "raise"]


def blas_threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_blas_has_one_thread_as_long_as_any_thread_is_within():
    """The first to leave must not change it for the others, nor the last put back what it found."""
    with threadpool_limits(2), ExitStack() as first:
        first.enter_context(crew(1))
        inside, told = threading.Event(), threading.Event()
        seen: list[set[int]] = []

        def second() -> None:
            with crew(1):
                inside.set()
                told.wait(20)
                seen.append(blas_threads())

        thread = threading.Thread(target=second)
        thread.start()
        inside.wait(20)
        first.close()
        seen.append(blas_threads())
        told.set()
        thread.join()

        assert seen == [{1}, {1}]
        assert blas_threads() == {2}


def test_blas_gets_its_threads_back_after_many_crews():
    def work() -> bool:
        for _ in range(50):
            with crew(2), one_blas_thread(), crew():
                alone = share(4, lambda first, last: (first, last)) == [(0, 2), (2, 4)] and blas_threads() == {1}
        return alone

    with threadpool_limits(2):
        assert all(together([work] * 8))
        assert blas_threads() == {2}


def test_a_crew_within_a_crew_is_the_same_one():
    with crew(2):
        with crew():
            assert len(runs(4)) == 2
        with crew(1):
            assert len(runs(4)) == 1
        assert len(runs(4)) == 2
        assert share(2, lambda first, last: _runs_of_a_crew()) == [1, 1]


def _runs_of_a_crew() -> int:
    with crew():
        return len(runs(4))


def test_scratch_belongs_to_a_thread():
    scratch = Scratch()
    scratch.kept["a"] = "of the first thread"

    def keep() -> list[str]:
        before = list(scratch.kept)
        scratch.kept["b"] = "of another"
        return before

    assert together([keep] * 3) == [[], [], []]
    assert scratch.kept == {"a": "of the first thread"}
    for copied in (deepcopy(scratch), pickle.loads(pickle.dumps(scratch))):
        assert copied.kept == {}


def test_blas_has_one_thread_within():
    before = [library["num_threads"] for library in threadpool_info()]
    with crew(2):
        assert {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"} == {1}
    assert [library["num_threads"] for library in threadpool_info()] == before


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_shared_products(workers):
    dice = np.random.default_rng(0)
    a, b, c = (dice.standard_normal(shape).astype(np.float32) for shape in ((601, 201), (301, 201), (601, 301)))
    scores, product = np.empty((601, 301), np.float32), np.empty((601, 201), np.float32)
    by_rows, by_columns = np.ones((601, 201), np.float32), np.ones((301, 201), np.float32)

    with crew(workers):
        set_product(scores, a, b.T)
        set_product(product, c, b)
        add_product(by_rows, c, b)
        add_product(by_columns, c.T, a)

    row = np.empty(301, np.float32)
    with pytest.MonkeyPatch.context() as patch, crew(workers):
        patch.setattr(blas, "LEAST_TERMS", 1)
        set_row_product(row, a[5], b)

    a, b, c = (array.astype(np.float64) for array in (a, b, c))
    assert np.abs(row - b @ a[5]).max() < 1e-3
    expected = (a @ b.T, c @ b, 1 + c @ b, 1 + c.T @ a)
    for found, wanted in zip((scores, product, by_rows, by_columns), expected, strict=True):
        assert np.abs(found - wanted).max() < 1e-3


@pytest.mark.parametrize("name", ["softmax", "adaptive", "nce"])
def test_a_head_shared_by_threads(name, monkeypatch):
    monkeypatch.setattr(blas, "LEAST_TERMS", 1)
    monkeypatch.setattr(blas, "_SMALL", 0)
    monkeypatch.setattr(tiled_softmax, "LEAST_TERMS", 1)
    head = random_layer(name, 1500, 32)
    block = random_block(head, rows=70)

    def passed(workers: int) -> list[np.ndarray]:
        head.rng, d_hidden = np.random.default_rng(5), np.empty_like(block.hidden)
        for parameter in head.parameters.values():
            parameter.clear_gradient()
        with crew(workers):
            loss = head.loss_and_gradient(*block, d_hidden)
            log_probs = head.target_log_probs(*block)
        return [np.array(loss), d_hidden, log_probs, *(p.gradient.copy() for p in head.parameters.values())]

    for found, expected in zip(passed(2), passed(1), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_a_layer_shared_by_threads(cell):
    dice = np.random.default_rng(0)
    x, d_hidden = dice.standard_normal((6, 13, 9)), dice.standard_normal((6, 13, 20))
    begins = dice.random((6, 13)) < 0.2

    def passed(workers: int) -> list[np.ndarray]:
        layer = RecurrentLayer(9, 20, cell, rng=1, dtype=np.float64)
        layer.forward(x[:5, :7], layer.zero_state(7))  # what it leaves must not matter
        with crew(workers):
            hidden, last, backward = layer.forward(x, layer.zero_state(13) + 0.1, begins)
            dx = backward(d_hidden)
        return [hidden, last, dx, *(parameter.gradient for parameter in layer.parameters.values())]

    for found, expected in zip(passed(3), passed(1), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
