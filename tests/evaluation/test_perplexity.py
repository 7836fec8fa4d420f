from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.evaluation.perplexity import Perplexity

probabilities = st.lists(st.tuples(st.floats(1e-12, 1), st.booleans()), min_size=1, max_size=30)


def of(values: list[float], oov: list[bool], dtype: type = np.float64) -> Perplexity:
    with np.errstate(divide="ignore"):
        return Perplexity.of(np.log10(np.array(values, dtype)), np.array(oov, np.bool_))


def test_by_hand() -> None:
    result = of([0.5, 0.25, 0.125, 0.01], [False, False, False, True])

    assert result.perplexity == pytest.approx((2 * 4 * 8 * 100) ** (1 / 4))
    assert result.perplexity_excluding_oov == pytest.approx(4)
    assert result.log10_prob == pytest.approx(-math.log10(6400))
    assert (result.tokens, result.oov) == (4, 1)


@given(probabilities, probabilities)
def test_the_parts_of_a_text_add_up(first: list[tuple[float, bool]], second: list[tuple[float, bool]]) -> None:
    whole = of(*map(list, zip(*first, *second, strict=True)))
    sum_of_parts = of(*map(list, zip(*first, strict=True))) + of(*map(list, zip(*second, strict=True)))

    assert (sum_of_parts.tokens, sum_of_parts.oov) == (whole.tokens, whole.oov)
    assert sum_of_parts.log10_prob == pytest.approx(whole.log10_prob)
    # The perplexity is the inverse of the geometric mean.
    everything = [p for p, _ in [*first, *second]]
    assert whole.perplexity == pytest.approx(math.prod(p ** (-1 / len(everything)) for p in everything))


def test_single_precision_is_summed_in_double() -> None:
    log10_probs = np.full(3_000_000, -3.1, np.float32)

    result = Perplexity.of(log10_probs, np.zeros(3_000_000, np.bool_))

    assert result.log10_prob == pytest.approx(3_000_000 * float(np.float32(-3.1)), rel=1e-12)


def test_a_token_of_probability_zero() -> None:
    unknown = of([0.5, 0.0], [False, True])
    known = of([0.0, 0.5], [False, True])

    assert unknown.perplexity == math.inf
    assert unknown.perplexity_excluding_oov == pytest.approx(2)
    assert known.perplexity == known.perplexity_excluding_oov == math.inf
    assert (unknown + known).perplexity_excluding_oov == math.inf


def test_nothing_to_predict() -> None:
    assert math.isnan(Perplexity().perplexity)
    assert math.isnan(of([0.1], [True]).perplexity_excluding_oov)
    assert of([0.1], [True]).perplexity == pytest.approx(10)


def test_a_perplexity_beyond_double_precision() -> None:
    assert Perplexity(-700.0, 0.0, 2, 0).perplexity == math.inf
    assert Perplexity(-600.0, 0.0, 2, 0).perplexity == pytest.approx(1e300)


def test_json_has_the_keys_of_the_command_line() -> None:
    assert of([0.1, 0.001], [False, True]).to_json() == {
        "perplexity": pytest.approx(100),
        "perplexity_excluding_oov": pytest.approx(10),
        "log10_prob": pytest.approx(-4),
        "tokens": 2,
        "oov": 1,
    }


def test_numbers_that_json_has_not_are_null() -> None:
    strict = json.dumps(of([0.0], [True]).to_json(), allow_nan=False)

    assert json.loads(strict) == {
        "perplexity": None,
        "perplexity_excluding_oov": None,
        "log10_prob": None,
        "tokens": 1,
        "oov": 1,
    }
