from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from tests.naive import rng as naive
from windrow.numeric.rng import (
    GensimRandomness,
    SplitMixRandomness,
    fill_linear_congruential,
    fill_split_mix,
    linear_congruential,
    scale_draws,
    split_mix,
)

SEED = np.random.SeedSequence(77)


def state_of(seed: int) -> np.ndarray:
    return np.array([seed], np.uint64)


def test_split_mix_gives_the_published_numbers():
    """The first outputs for the seed 1234567 of Vigna's splitmix64.c, as listed by Rosetta Code."""
    state = state_of(1234567)
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]

    assert [int(split_mix(state)) for _ in published] == published


@pytest.mark.parametrize("seed", [0, 1, 2**63, 2**64 - 1, 0x123456789ABCDEF0])
def test_generators_equal_python_integers(seed):
    state = state_of(seed)
    assert [int(split_mix(state)) for _ in range(50)] == list(islice(naive.split_mix(seed), 50))

    seed %= 2**48  # word2vec's generator has 48 bits of state
    state = state_of(seed)
    assert [int(linear_congruential(state)) for _ in range(50)] == list(islice(naive.linear_congruential(seed), 50))


def test_filled_arrays_go_on_where_the_state_was():
    state, first, rest = state_of(99), np.empty(20, np.uint32), np.empty(31, np.uint32)
    fill_split_mix(state, first)
    fill_split_mix(state, rest)
    assert [*first.tolist(), *rest.tolist()] == list(islice(naive.high_half(naive.split_mix(99)), 51))

    state = state_of(99)
    fill_linear_congruential(state, first)
    fill_linear_congruential(state, rest)
    assert [*first.tolist(), *rest.tolist()] == list(islice(naive.linear_congruential(99), 51))


def test_bytes_of_split_mix_are_uniform():
    draws = np.empty(100_000, np.uint32)
    fill_split_mix(state_of(2024), draws)
    by_place = draws.view(np.uint8).reshape(-1, 4)

    for place in range(4):
        assert chisquare(np.bincount(by_place[:, place], minlength=256)).pvalue > 1e-4
    biased = np.where(by_place[:, 0] == 0, 1, by_place[:, 0])  # the test would see one value missing
    assert chisquare(np.bincount(biased, minlength=256)).pvalue < 1e-6


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.integers(0, 2**32 - 1), st.sampled_from([0, 2**32 - 1])), max_size=20), st.integers(1, 1000)
)
def test_scale_draws(draws, most):
    numbers = np.empty(len(draws), np.int32)
    scale_draws(np.array(draws, np.uint32), most, numbers)

    assert numbers.tolist() == naive.scale_draws(draws, most)
    assert all(1 <= number <= most for number in numbers)


def randomness(kind: str) -> SplitMixRandomness | GensimRandomness:
    return SplitMixRandomness(SEED) if kind == "split-mix" else GensimRandomness(77, reseeds_jobs=True)


both_kinds = pytest.mark.parametrize("kind", ["split-mix", "gensim"])


@both_kinds
@pytest.mark.parametrize("most", [1, 2, 5, 8])
def test_whole_numbers_are_uniform(kind, most):
    numbers = randomness(kind).up_to(most, 40_000)
    seen = np.bincount(numbers, minlength=most + 2)

    assert seen[0] == seen[most + 1] == 0
    assert chisquare(seen[1 : most + 1]).pvalue > 1e-4 or most == 1
    if most > 1:  # numbers from 0 to most would be seen
        assert chisquare(seen[:-1]).pvalue < 1e-6


@both_kinds
def test_saved_randomness_goes_on_with_the_same_draws(kind):
    first, second = randomness(kind), randomness(kind)
    first.start_job()
    first.draws(5)
    first.up_to(5, 3)
    saved = first.save()
    expected = [first.draws(4).tolist(), first.up_to(9, 700).tolist(), first.save().tolist()]
    second.restore(saved)

    assert saved.dtype == np.uint64
    assert [second.draws(4).tolist(), second.up_to(9, 700).tolist(), second.save().tolist()] == expected
    assert first.draws(4).tolist() != expected[0]


def test_split_mix_runs_on_from_job_to_job():
    source = SplitMixRandomness(SEED)
    stream = naive.high_half(naive.split_mix(int(SEED.generate_state(1, np.uint64)[0])))

    for _ in range(3):
        source.start_job()
        assert source.draws(10).tolist() == list(islice(stream, 10))


def test_gensim_seeds_every_job_from_its_twister():
    source, twister = GensimRandomness(77, reseeds_jobs=True), np.random.RandomState(77)
    for _ in range(3):
        source.start_job()
        seed = 2**24 * twister.randint(0, 2**24) + twister.randint(0, 2**24)
        assert source.draws(10).tolist() == list(islice(naive.linear_congruential(seed), 10))
        assert source.up_to(5, 10).tolist() == (5 - twister.randint(0, 5, 10)).tolist()


def test_gensim_without_sampling_draws_windows_only():
    source, twister = GensimRandomness(77, reseeds_jobs=False), np.random.RandomState(77)
    source.start_job()

    assert source.up_to(5, 10).tolist() == (5 - twister.randint(0, 5, 10)).tolist()
