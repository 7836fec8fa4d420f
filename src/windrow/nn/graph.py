"""The general network: a directed acyclic graph of layers.

The chain rule sums over paths: what a node's gradient is, all nodes that read it decide together. So backward visits a
node after all its readers, the reverse of a topological order, and adds up what they hand back.
"""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

import numpy as np

from windrow.errors import OptionError
from windrow.nn.layers.layer import Backward, Layer, named_parameters
from windrow.nn.parameters import Array, Parameter, SparseParameter


class Node:
    """A place in a graph.

    Parameters
    ----------
    layer : Layer, default None
        What is computed there; None: an input of the graph.
    *inputs : Node
        The nodes whose values the layer reads.
    """

    def __init__(self, layer: Layer | None = None, *inputs: Node) -> None:
        self.layer = layer
        self.inputs = list(inputs)

    def __repr__(self) -> str:
        return "Node()" if self.layer is None else f"Node({self.layer!r})"


class Graph(Layer):
    """The nodes from ``inputs`` to ``output``; itself a layer, of one input or several.

    A layer may stand in several nodes, which then share its parameters.

    Parameters
    ----------
    inputs : sequence of Node
        The nodes that get the inputs of ``forward``, in this order.
    output : Node
        The node whose value ``forward`` gives.

    Raises
    ------
    OptionError
        For a cycle, or for a node without a layer that is not among ``inputs``.

    Examples
    --------
    >>> import numpy as np
    >>> from windrow.nn import Add, Dense, Graph, Node
    >>> x = Node()
    >>> hidden = Node(Dense(4, 4, rng=1), x)
    >>> graph = Graph([x], Node(Add(), hidden, x))
    >>> graph.forward(np.ones((2, 4), np.float32))[0].shape
    (2, 4)
    """

    def __init__(self, inputs: Sequence[Node], output: Node) -> None:
        self.inputs = list(inputs)
        self.output = output
        self.order = _topological_order(output)
        self._learning = _learning_nodes(self.order)
        missing = [node for node in self.order if node.layer is None and node not in self.inputs]
        if missing:
            raise OptionError("the graph reads a node without a layer that is not among its inputs; list it there")

    @property
    def parameters(self) -> dict[str, Parameter | SparseParameter]:
        """Those of all layers, named as ``dense1.weights``, in topological order; of a shared layer once."""
        return named_parameters(dict.fromkeys(node.layer for node in self.order if node.layer is not None))

    def forward(self, *inputs: Array, training: bool = False) -> tuple[Array, Backward]:
        """The value of the output node, given those of the inputs."""
        if len(inputs) != len(self.inputs):
            raise OptionError(f"the graph has {len(self.inputs)} inputs, but got {len(inputs)}")
        values = dict(zip(self.inputs, inputs, strict=True))
        backwards: dict[Node, Backward] = {}
        for node in self.order:
            if node.layer is not None:
                arguments = map(values.__getitem__, node.inputs)
                values[node], backwards[node] = node.layer.forward(*arguments, training=training)

        def backward(dy: Array, need_dx: bool = True) -> Array | tuple[Array, ...] | None:
            gradients = self._pull_back(dy, backwards, need_dx)
            if not need_dx:
                return None
            found = tuple(gradients[node] if node in gradients else np.zeros_like(values[node]) for node in self.inputs)
            return found[0] if len(found) == 1 else found

        return values[self.output], backward

    def _pull_back(self, dy: Array, backwards: dict[Node, Backward], need_dx: bool) -> dict[Node, Array]:
        """The gradient of every node, given that of the output."""
        gradients = {self.output: dy}
        for node in reversed(self.order):
            if node not in backwards or not (need_dx or node in self._learning):
                continue
            is_asked = need_dx or not self._learning.isdisjoint(node.inputs)
            given = backwards[node](gradients[node], is_asked)
            if given is None:
                continue
            for parent, gradient in zip(node.inputs, given if isinstance(given, tuple) else (given,), strict=True):
                # A sum is a new array: a layer may have handed the same one to several parents, or kept it.
                if gradient is not None:
                    gradients[parent] = gradients[parent] + gradient if parent in gradients else gradient
        return gradients


def _topological_order(output: Node) -> list[Node]:
    """All nodes that ``output`` depends on, itself included, each after those it reads."""
    reads: dict[Node, list[Node]] = {}
    waiting = [output]
    while waiting:
        node = waiting.pop()
        if node not in reads:
            reads[node] = node.inputs
            waiting += node.inputs
    try:
        return list(TopologicalSorter(reads).static_order())
    except CycleError as error:
        raise OptionError(f"the graph has a cycle through {error.args[1][0]}; a node may not read itself") from error


def _learning_nodes(order: Sequence[Node]) -> set[Node]:
    """The nodes whose gradient is needed in training: their layer has parameters, or one below them has."""
    learning: set[Node] = set()
    for node in order:
        if (node.layer is not None and node.layer.parameters) or not learning.isdisjoint(node.inputs):
            learning.add(node)
    return learning
