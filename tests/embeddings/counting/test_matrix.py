"""Counts of what stands near what: the definition's, wherever the text is cut and whoever counts the parts."""

from __future__ import annotations

import gc
import tempfile
from itertools import pairwise
from math import isclose
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.embeddings.counting.cases import FRACTIONS, as_text, dense, dense_rows, expected, parts_of, plan_of
from windrow.distributed import InProcess
from windrow.embeddings.counting import matrix as matrices
from windrow.embeddings.counting.matrix import count_cooccurrences
from windrow.embeddings.counting.parts import count_part, cut_rows, keep_part, whole_weights
from windrow.errors import DataError
from windrow.numeric.threads import crew

WORDS, UNKNOWN = 20, -1
sentences_of = st.lists(st.lists(st.integers(UNKNOWN, WORDS + 1), max_size=12), max_size=8)
plans = st.tuples(
    st.lists(st.integers(0, 2**32 - 1), min_size=WORDS, max_size=WORDS),
    st.integers(1, WORDS),
    st.sampled_from(sorted(FRACTIONS)),
    st.integers(1, 6),
)


def text_of(seed: int, sentences: int = 60) -> list[list[int]]:
    dice = np.random.default_rng(seed)
    return [(dice.zipf(1.4, dice.integers(0, 25)) % (WORDS + 2) - 1).tolist() for _ in range(sentences)]


def count(text: Any, plan: Any, memory: int | None = None, workers: Any = None) -> Any:
    return count_cooccurrences(text, plan, memory, workers, lambda done: None)


@settings(max_examples=60, deadline=None)
@given(sentences_of, plans, st.integers(1, 40))
def test_a_part_is_counted_as_defined(sentences, plan, block):
    plan, weighting = plan_of(*plan, block=block), plan[2]
    text = as_text(sentences)

    blocks = count_part(keep_part(text.ids, text.starts, 0, text.tokens, plan), plan)

    np.testing.assert_allclose(dense_rows(blocks, plan), expected(sentences, plan, weighting), rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(sentences_of, plans, st.lists(st.integers(0, 90), max_size=5))
def test_parts_add_up_to_the_whole_wherever_a_text_is_cut(sentences, plan, cuts):
    """To the same whole numbers; also where subsampling drops nearly all that follows a cut."""
    text, plan = as_text(sentences), plan_of(*plan)
    bounds = sorted({0, text.tokens, *(cut for cut in cuts if cut < text.tokens)})

    parts = [count_part(keep_part(text.ids, text.starts, *bound, plan), plan) for bound in pairwise(bounds)]

    whole = count_part(keep_part(text.ids, text.starts, 0, text.tokens, plan), plan)
    added = sum((dense_rows(part, plan) * plan.unit for part in parts), np.zeros((WORDS, plan.contexts)))
    np.testing.assert_array_equal(added, dense_rows(whole, plan) * plan.unit)


def test_what_follows_a_cut_is_read_until_the_window_is_full():
    """One word in a thousand is kept after the cut, and the first of them is in the window of the last before it."""
    words = [0] * 4 + [1] * 3000 + [2]
    text, plan = as_text([words]), plan_of([2**32 - 1, 0, 2**32 - 1], 3, "none", 2)
    kept = keep_part(text.ids, text.starts, 0, 4, plan)
    assert (kept.ids.tolist(), kept.own) == ([0, 0, 0, 0, 2], 4)


@pytest.mark.parametrize("count_of_workers", [1, 2, 7])
@pytest.mark.parametrize("weighting", FRACTIONS)
def test_a_matrix_is_the_same_in_memory_over_files_and_by_workers(weighting, count_of_workers, monkeypatch):
    sentences = text_of(3)
    text, plan = as_text(sentences), plan_of([2**31] * 3 + [2**32 - 1] * (WORDS - 3), 12, weighting, 4)
    whole = count(text, plan)
    np.testing.assert_allclose(dense(whole), expected(sentences, plan, weighting), rtol=1e-6)
    np.testing.assert_allclose(whole.row_sums, expected(sentences, plan, weighting).sum(axis=1), rtol=1e-12)
    for name, value in {"_LEAST_PART": 50, "LARGEST_BLOCK": 9, "SMALLEST_BLOCK": 9}.items():
        monkeypatch.setattr(matrices, name, value)

    found = [count(text, plan, memory=1), count(text, plan, workers=InProcess(count_of_workers))]
    with crew(count_of_workers):
        found.append(count(text, plan))

    for other in found:
        assert len(other.blocks) > 5
        assert other.entries == whole.entries
        for ours, theirs in zip(parts_of(other), parts_of(whole), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_files_go_with_the_matrix(monkeypatch, tmp_path):
    monkeypatch.setattr(matrices, "_LEAST_PART", 50)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    matrix = count(as_text(text_of(4)), plan_of([2**32 - 1] * WORDS, WORDS, "none", 2), memory=1)
    assert len(list(tmp_path.glob("windrow-*"))) == 1
    del matrix
    gc.collect()
    assert not list(tmp_path.iterdir())


def test_a_disk_that_is_full(monkeypatch):
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(matrices, "_LEAST_PART", 50)
    monkeypatch.setattr(matrices, "_Run", fail)
    with pytest.raises(DataError, match=r"cannot write the counts of parts of the text: No space left .*temp_dir="):
        count(as_text(text_of(4)), plan_of([2**32 - 1] * WORDS, WORDS, "none", 2), memory=1)


@pytest.mark.parametrize("window", [1, 5, 22, 30, 1000])
@pytest.mark.parametrize("weighting", FRACTIONS)
def test_whole_weights(weighting, window):
    weights, unit = whole_weights(weighting, window)
    assert (weights[0], len(weights)) == (0, window + 1)
    assert unit < 2**31
    for distance in range(1, window + 1):
        weight = FRACTIONS[weighting](window, distance)
        if weighting != "harmonic" or distance <= 22:
            assert weights[distance] == weight * unit
        assert isclose(weights[distance] / unit, weight, rel_tol=1e-5)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=30), st.integers(1, 50))
def test_cut_rows(entries, most):
    cuts = cut_rows(np.array(entries), most)
    assert [row for cut in cuts for row in range(cut.first, cut.last)] == list(range(len(entries)))
    for cut in cuts:
        assert cut.entries == sum(entries[cut.first : cut.last])
        assert cut.entries <= most or cut.last == cut.first + 1
