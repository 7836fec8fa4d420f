"""What training changes: named arrays with their gradients, and all of them together as one flat vector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.errors import DataError
from windrow.numeric.blas import add_product, set_product

Array = NDArray[Any]


class Parameter:
    """An array that training changes, and its gradient, to which each backward pass adds.

    Parameters
    ----------
    value : ndarray
        The array, of float32 or float64.
    is_weight : bool, default False
        Whether regularizers keep it small: weights are, biases and word vectors are not.
    """

    def __init__(self, value: Array, *, is_weight: bool = False) -> None:
        self.value = value
        self.is_weight = is_weight
        self._gradient = np.empty_like(value)
        self._is_clear = True  # the gradient is zero, whatever the array holds

    @property
    def gradient(self) -> Array:
        """The sum of what was added since it was cleared, of the shape of the value; change it in place."""
        if self._is_clear:
            self._gradient.fill(0)
            self._is_clear = False
        return self._gradient

    def add(self, gradient: Array) -> None:
        """Add to the gradient."""
        total = self.gradient
        total += gradient

    def add_product(self, a: Array, b: Array) -> None:
        """Add a.T @ b to the gradient. The first product since it was cleared need not read zeros, nor write them."""
        (set_product if self._is_clear else add_product)(self._gradient, a.T, b)
        self._is_clear = False

    def add_rows(self, rows: Array, gradients: Array) -> None:
        """Add ``gradients`` (n, dim) to the rows of the gradient with these numbers (n,), which may repeat."""
        from windrow.numeric.rows import add_to_rows  # compiled: what looks no words up need not wait for it

        add_to_rows(self.gradient, rows, np.ascontiguousarray(gradients), 1.0)

    def clear_gradient(self) -> None:
        """Forget what the passes so far have added."""
        self._is_clear = True

    def move(self, value: Array, gradient: Array) -> None:
        """Use these arrays for value and gradient from now on; clears the gradient."""
        value[:] = self.value
        self.value, self._gradient, self._is_clear = value, gradient, True


class SparseParameter:
    """A parameter (rows, dim) of which a pass reads few rows, such as word vectors: its gradient is sparse.

    Backward passes leave row numbers and a gradient for each; a row may come many times.

    Parameters
    ----------
    value : ndarray of shape (rows, dim)
        The table, of float32 or float64.
    """

    is_weight = False

    def __init__(self, value: Array) -> None:
        self.value = value
        self._parts: list[tuple[Array, Array]] = []
        self._is_summed = False  # there is one part, whose rows are distinct

    def add_rows(self, rows: Array, gradients: Array) -> None:
        """Add ``gradients`` (n, dim) to the rows with these numbers (n,)."""
        self._parts.append((rows, gradients))
        self._is_summed = False

    def sparse_gradient(self) -> tuple[Array, Array]:
        """The distinct rows that were read (n,) and the summed gradient of each (n, dim); change it in place."""
        if not self._parts:
            return np.zeros(0, np.int64), np.zeros((0, self.value.shape[1]), self.value.dtype)
        if not self._is_summed:
            rows, gradients = (np.concatenate(arrays) for arrays in zip(*self._parts, strict=True))
            self._parts, self._is_summed = [self._sum_equal(rows, gradients)], True
        return self._parts[0]

    def _sum_equal(self, rows: Array, gradients: Array) -> tuple[Array, Array]:
        """The distinct rows, rising, and the sum of the gradients of each."""
        order = np.argsort(rows, kind="stable")
        distinct, starts = np.unique(rows[order], return_index=True)
        return distinct, np.add.reduceat(gradients[order], starts, axis=0)

    @property
    def gradient(self) -> Array:
        """The same as an array of the table's shape, zero where no pass has read."""
        rows, gradients = self.sparse_gradient()
        dense = np.zeros_like(self.value)
        dense[rows] = gradients
        return dense

    def clear_gradient(self) -> None:
        """Forget what the passes so far have added."""
        self._parts = []

    def move(self, value: Array) -> None:
        """Use this array for the value from now on; clears the gradient."""
        value[:] = self.value
        self.value, self._parts = value, []


class WordParameter(SparseParameter):
    """A SparseParameter with a row per word of a large vocabulary: a kernel sums equal rows, without sorting them."""

    def __init__(self, value: Array) -> None:
        super().__init__(value)
        self._slots = np.full(len(value), -1, np.int32)

    def _sum_equal(self, rows: Array, gradients: Array) -> tuple[Array, Array]:
        """The distinct rows, in the order in which they came, and the sum of the gradients of each."""
        from windrow.numeric.rows import sum_equal_rows  # compiled, as in ``Parameter.add_rows``

        distinct, sums = np.empty_like(rows), np.empty_like(gradients)
        known = sum_equal_rows(rows, gradients, self._slots, distinct, sums)
        return distinct[:known], sums[:known]


class Gradient(NamedTuple):
    """The gradient of a ParameterVector where it lies: changed in place by limits, used up by an optimizer."""

    dense: Array  # (n,): of all but the tables, in the order of ``dense_values``
    rows: list[Array]  # of each table, the numbers of the rows that were read (n,), all different
    tables: list[Array]  # of each table, the gradient of these rows (n, dim)


class ParameterVector:
    """All parameters of a network in one vector ``values`` (n,), of which each parameter's value becomes a view.

    So an optimizer steps, a norm is taken and a copy is kept with one call, and what trains flat vectors
    (scipy.optimize) trains a network. Tables come last: ``dense_values`` and ``dense_gradient`` leave them out.

    Parameters
    ----------
    named : mapping of str to Parameter or SparseParameter
        The parameters by name, as layers have them; all of one dtype.

    Raises
    ------
    DataError
        Where there are none, or their dtypes differ.
    """

    def __init__(self, named: Mapping[str, Parameter | SparseParameter]) -> None:
        if not named:
            raise DataError("the network has no parameters to train; give it a layer such as Dense")
        dtypes = {parameter.value.dtype for parameter in named.values()}
        if len(dtypes) > 1:
            raise DataError(
                f"the parameters mix {' and '.join(sorted(map(str, dtypes)))}; build all layers with one dtype"
            )
        self.named = dict(named)
        self.dense = [p for p in named.values() if isinstance(p, Parameter)]
        self.tables = [p for p in named.values() if isinstance(p, SparseParameter)]
        self.ordered: list[Parameter | SparseParameter] = [*self.dense, *self.tables]
        self.weights = [p for p in self.dense if p.is_weight]
        self.dtype = dtypes.pop()
        self.values = np.empty(sum(p.value.size for p in self.ordered), self.dtype)
        dense_size = sum(p.value.size for p in self.dense)
        self.dense_values = self.values[:dense_size]
        self._dense_gradient = np.empty(dense_size, self.dtype)
        self._make_views()

    def _make_views(self) -> None:
        start = 0
        for parameter in self.ordered:
            end = start + parameter.value.size
            shape = parameter.value.shape
            value = self.values[start:end].reshape(shape)
            if isinstance(parameter, Parameter):
                parameter.move(value, self._dense_gradient[start:end].reshape(shape))
            else:
                parameter.move(value)
            start = end

    @property
    def dense_gradient(self) -> Array:
        """The gradient of all but the tables, in the order of ``dense_values``; change it in place."""
        for parameter in self.dense:
            _ = parameter.gradient  # zero what no pass has reached
        return self._dense_gradient

    def gather_gradient(self) -> Gradient:
        """The arrays that hold the gradient: ``dense_gradient``, and the rows of each table that were read."""
        gradient = Gradient(self.dense_gradient, [], [])
        for table in self.tables:
            rows, sums = table.sparse_gradient()
            gradient.rows.append(rows)
            gradient.tables.append(sums)
        return gradient

    def clear_gradients(self) -> None:
        """Forget what the passes so far have added."""
        for parameter in self.ordered:
            parameter.clear_gradient()

    def gradient(self) -> Array:
        """The gradient as one vector (n,) in the order of ``values``, tables included; a copy."""
        return np.concatenate([self.dense_gradient, *(table.gradient.reshape(-1) for table in self.tables)])

    def norms(self) -> dict[str, float]:
        """The norm of the gradient of each layer: what stands before the last point of a parameter's name."""
        squares: dict[str, float] = {}
        for name, parameter in self.named.items():
            gradient = parameter.sparse_gradient()[1] if isinstance(parameter, SparseParameter) else parameter.gradient
            layer = name.rpartition(".")[0]
            squares[layer] = squares.get(layer, 0.0) + float(np.vdot(gradient, gradient))
        return {layer: square**0.5 for layer, square in squares.items()}
