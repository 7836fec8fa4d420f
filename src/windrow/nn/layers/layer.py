"""What every layer offers, and how the parameters of several layers get their names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from windrow.nn.parameters import Array, Parameter, SparseParameter


class Backward(Protocol):
    """Maps the gradient with respect to a layer's output to that with respect to its input (a tuple for several).

    On the way it adds to the gradients of the parameters. Without ``need_dx`` the result is not used, because the
    input is data: a layer may then leave the work out and return None.
    """

    def __call__(self, dy: Array, need_dx: bool = True) -> Any:
        """The gradient by the input, of the input's shape."""
        ...


class Layer:
    """A function with parameters: what layers, chains and graphs of them derive from."""

    @property
    def parameters(self) -> Mapping[str, Parameter | SparseParameter]:
        """By name; empty for a layer that learns nothing."""
        return {}

    def forward(self, *inputs: Any, **training: Any) -> tuple[Array, Backward]:
        """The output, and the way back. Inputs and outputs have a row an example.

        ``training`` (a bool, False by default) tells those layers that behave otherwise then, as Dropout does.
        """
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def named_parameters(layers: Iterable[Layer]) -> dict[str, Parameter | SparseParameter]:
    """The parameters of several layers as ``dense1.weights``: the kind of the layer, its number among these."""
    numbers: Counter[str] = Counter()
    named = {}
    for layer in layers:
        kind = type(layer).__name__.lower()
        numbers[kind] += 1
        for name, parameter in layer.parameters.items():
            named[f"{kind}{numbers[kind]}.{name}"] = parameter
    return named
