"""Central differences, the judge of backward passes."""

from __future__ import annotations

import numpy as np
import pytest

from windrow.errors import OptionError
from windrow.nn import Dense, Embedding, GradientError, check_gradients, numeric_gradient
from windrow.nn.layers.layer import Layer


@pytest.mark.parametrize(("dtype", "error"), [(np.float64, 1e-8), (np.float32, 1e-3)])
def test_the_derivative_of_a_known_function(dtype, error):
    x = np.array([[1, 2], [3, -0.5]], dtype)
    before = x.copy()
    found = numeric_gradient(lambda: float(np.sin(x).sum() + (x**3).sum()), x)
    np.testing.assert_allclose(found, np.cos(before) + 3 * before.astype(float) ** 2, rtol=error)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("array", [np.array([1, 2]), np.array([True]), np.array([1j]), np.ones(2, np.float16), [1.0]])
def test_what_cannot_be_moved_a_little_is_refused(array):
    with pytest.raises(OptionError, match=r"array must be an ndarray of float64, got an? "):
        numeric_gradient(lambda: 0.0, array)


def test_an_array_that_is_read_only_is_refused():
    array = np.ones(2)
    array.flags.writeable = False
    with pytest.raises(OptionError, match=r"array is read-only"):
        numeric_gradient(lambda: 0.0, array)


class Wrong(Layer):
    """Says that its derivative is twice what it is."""

    def forward(self, x, training=False):
        return x * 1.0, lambda dy, need_dx=True: 2 * dy


def test_whole_numbers_that_a_layer_reads_as_real_ones_are_checked():
    assert check_gradients(Dense(2, 2, rng=1), np.array([[1, 2], [3, 4]])).keys() >= {"weights", "biases", "input0"}
    with pytest.raises(GradientError, match="input0"):
        check_gradients(Wrong(), np.array([[1, 2], [3, 4]]))
    assert "input0" not in check_gradients(Embedding(5, 2, rng=1), np.array([[1, 2], [3, 4]]))  # ids of words
