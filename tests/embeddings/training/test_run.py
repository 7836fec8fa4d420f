from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.naive import jobs as naive
from windrow.embeddings.training.run import Schedule, plan_jobs

lengths_of_sentences = st.lists(st.integers(0, 25), max_size=30)
limits = st.integers(1, 12)
offsets = st.sampled_from([0, 7])  # the ids of a part of a corpus do not begin at 0


def starts_of(lengths: list[int], offset: int = 0) -> np.ndarray:
    return np.cumsum([offset, *lengths])


@settings(max_examples=150, deadline=None)
@given(lengths_of_sentences, limits, offsets)
def test_jobs_are_the_naive_ones(lengths, limit, offset):
    jobs = plan_jobs(starts_of(lengths, offset), limit)

    expected = naive.plan_jobs(lengths, limit)
    spans = zip(jobs.sentences.astype(int), jobs.sentence_ends.astype(int), strict=True)
    assert [list(range(first, end)) for first, end in spans] == [sentences for sentences, _ in expected]
    assert np.diff(jobs.bounds).tolist() == [words for _, words in expected]
    assert len(jobs) == len(expected)


@settings(max_examples=150, deadline=None)
@given(lengths_of_sentences, limits, offsets)
def test_jobs_cover_all_tokens_in_order(lengths, limit, offset):
    starts = starts_of(lengths, offset)
    jobs = plan_jobs(starts, limit)

    assert jobs.bounds[0] == offset
    assert jobs.bounds[-1] == starts[-1]
    assert jobs.words() == sum(lengths)
    sizes = np.diff(jobs.bounds)
    assert ((sizes >= 0) & (sizes <= limit)).all()
    for job in range(len(jobs)):
        first, end = jobs.sentences[job], jobs.sentence_ends[job]
        assert starts[first] <= jobs.bounds[job] <= jobs.bounds[job + 1] <= starts[end]
        whole = starts[first] == jobs.bounds[job] and jobs.bounds[job + 1] == starts[end]
        assert whole or (end == first + 1 and lengths[first] > limit)


@settings(max_examples=150, deadline=None)
@given(lengths_of_sentences, limits, offsets)
def test_progress_never_goes_back(lengths, limit, offset):
    jobs = plan_jobs(starts_of(lengths, offset), limit)

    assert (np.diff(jobs.fractions) > 0).all()
    assert ((jobs.fractions >= 0) & (jobs.fractions < 1)).all()
    begun = jobs.sentences / max(1, len(lengths))
    assert (jobs.fractions >= begun).all()
    assert (jobs.fractions < begun + 1 / max(1, len(lengths))).all()
    assert [jobs.fraction_before(job) for job in range(len(jobs) + 1)] == [*jobs.fractions, 1.0]


@pytest.mark.parametrize("lengths", [[], [0], [5, 30]], ids=str)
def test_arrays_have_their_types_whatever_the_corpus(lengths):
    jobs = plan_jobs(starts_of(lengths), 10)

    assert [array.dtype for array in (jobs.bounds, jobs.sentences, jobs.sentence_ends)] == [np.int64] * 3
    assert jobs.fractions.dtype == np.float64


def test_pieces_of_one_sentence_by_hand():
    jobs = plan_jobs(starts_of([3, 25, 4, 4]), limit=10)

    assert jobs.bounds.tolist() == [0, 3, 13, 23, 28, 36]
    assert jobs.sentences.tolist() == [0, 1, 1, 1, 2]
    assert jobs.sentence_ends.tolist() == [1, 2, 2, 2, 4]
    np.testing.assert_allclose(jobs.fractions, [0, 1 / 4, (1 + 10 / 25) / 4, (1 + 20 / 25) / 4, 2 / 4])


def test_learning_rate_falls_on_a_line():
    schedule = Schedule(alpha=0.025, min_alpha=0.005, epochs=4)

    assert schedule.rate(0, 0) == 0.025
    assert schedule.rate(1, 0.5) == pytest.approx(0.025 - 0.02 * 1.5 / 4)
    assert schedule.rate(2, 0) == schedule.rate(1, 1) == pytest.approx(0.015)
    assert schedule.rate(3, 1) == pytest.approx(0.005)
    assert schedule.rate(4, 0.5) == 0.005  # the floor
