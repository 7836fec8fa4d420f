from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from windrow.nn.examples import ExampleError, check_finite

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
