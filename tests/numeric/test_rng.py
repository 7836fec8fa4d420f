from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from scipy.stats import chisquare

from tests.naive import rng as naive
from windrow.numeric.rng import fill_linear_congruential, fill_split_mix, linear_congruential, split_mix


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
