from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.nn.examples import ExampleError, as_examples, as_labels, check_finite

HUGE = float(np.finfo(np.float32).max)  # two of them sum to infinity


@given(st.lists(st.sampled_from([0.0, 1.5, HUGE, -HUGE, np.inf, -np.inf, np.nan]), min_size=1, max_size=6))
def test_only_what_is_not_finite_is_refused_and_its_first_place_named(numbers):
    values = np.array(numbers, np.float32)
    bad = [i for i, number in enumerate(numbers) if not np.isfinite(number)]
    try:
        check_finite("x", values)
    except ExampleError as error:
        assert f"row {bad[0]} " in str(error)
    else:
        assert not bad


def test_what_is_masked_is_refused_and_its_first_place_named():
    masked = np.ma.masked_equal([[1.0, 2.0], [3.0, -9.0]], -9)
    with pytest.raises(ExampleError, match=r"^X is masked at \[1, 1\] \(from 0\); fill in"):
        as_examples(masked)
    with pytest.raises(ExampleError, match=r"^y is masked at \[0\]"):
        as_labels(np.ma.array([1, 0], mask=[True, False]))
    np.testing.assert_array_equal(as_examples(np.ma.array([[1.0, 2.0]], mask=False)), [[1, 2]])
