from __future__ import annotations

import numpy as np
import pytest

from windrow.errors import OptionError
from windrow.nn import (
    Add,
    Chain,
    Concatenate,
    CrossEntropy,
    Dense,
    Dropout,
    Embedding,
    Graph,
    Multiply,
    Network,
    Node,
    Quadratic,
    Sigmoid,
    Tanh,
    check_gradients,
)

RNG = np.random.default_rng(3)
X = RNG.normal(size=(5, 4))


def diamond() -> Graph:
    """x is read by two paths that join: a gate times a value, plus x itself."""
    x = Node()
    gate = Node(Sigmoid(), Node(Dense(4, 4, rng=1), x))
    value = Node(Tanh(), Node(Dense(4, 4, rng=2), x))
    return Graph([x], Node(Add(), Node(Multiply(), gate, value), x))


def test_gradients_of_a_diamond_add_up_where_paths_join():
    errors = check_gradients(diamond(), X)
    assert set(errors) == {"dense1.weights", "dense1.biases", "dense2.weights", "dense2.biases", "input0"}


def test_a_diamond_by_hand():
    """f = sigmoid(x) * x + x, with dx taken by the product rule."""
    x = Node()
    graph = Graph([x], Node(Add(), Node(Multiply(), Node(Sigmoid(), x), x), x))
    y, backward = graph.forward(X)
    s = 1 / (1 + np.exp(-X))
    np.testing.assert_allclose(y, s * X + X)
    np.testing.assert_allclose(backward(np.ones_like(X)), s + X * s * (1 - s) + 1)


def test_a_node_is_visited_after_all_its_readers():
    """A path of one step joins one of three: going back depth first would pass on half a gradient."""
    x = Node()
    short = Node(Tanh(), x)
    long = Node(Tanh(), Node(Tanh(), Node(Tanh(), short)))
    graph = Graph([x], Node(Add(), short, long))
    assert graph.order.index(short) < graph.order.index(long)
    check_gradients(graph, X)


def test_a_node_may_read_another_twice():
    x = Node()
    y, backward = Graph([x], Node(Multiply(), x, x)).forward(X)
    np.testing.assert_allclose(y, X**2)
    np.testing.assert_allclose(backward(np.ones_like(X)), 2 * X)


def test_a_graph_on_one_path_is_a_chain():
    layers = [Dense(4, 3, rng=1, dtype=np.float64), Tanh(), Dense(3, 2, rng=2, dtype=np.float64)]
    node = x = Node()
    for layer in layers:
        node = Node(layer, node)
    graph, chain = Graph([x], node), Chain(layers)
    assert list(graph.parameters) == list(chain.parameters)
    (y, backward), (expected, expected_backward) = graph.forward(X), chain.forward(X)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(backward(y), expected_backward(y))


def test_a_layer_in_two_nodes_gets_the_sum_of_both_gradients():
    shared = Dense(4, 4, rng=1, dtype=np.float64)
    x = Node()
    graph = Graph([x], Node(shared, Node(Tanh(), Node(shared, x))))
    assert list(graph.parameters) == ["dense1.weights", "dense1.biases"]
    check_gradients(graph, X)


def test_several_inputs_words_and_features():
    words, features = Node(), Node()
    both = Node(Concatenate(), Node(Embedding(7, 2, rng=1), words), features)
    graph = Graph([words, features], Node(Dense(8, 1, rng=2), Node(Dropout(0.2, rng=3), both)))
    ids = np.array([[6, 2], [2, 2], [0, 5], [1, 6], [4, 4]])
    targets = np.array([[0.0], [1], [1], [0], [1]])
    errors = check_gradients(graph, ids, X, loss=CrossEntropy(), targets=targets)
    assert set(errors) == {"dense1.weights", "dense1.biases", "embedding1.vectors", "input1"}


def test_a_graph_may_stand_in_a_graph_and_a_chain_in_both():
    a, b = Node(), Node()
    inner = Graph([a, b], Node(Multiply(), Node(Chain([Dense(4, 4, rng=1), Tanh()]), a), b))
    x = Node()
    outer = Graph([x], Node(inner, x, Node(Sigmoid(), x)))
    assert list(outer.parameters) == ["graph1.chain1.dense1.weights", "graph1.chain1.dense1.biases"]
    check_gradients(outer, X)
    network = Network(outer, Quadratic())
    network.add_gradient(X.astype(np.float32), np.zeros((5, 4), np.float32))  # nobody asks for the inputs' gradients
    assert network.parameters.norms().keys() == {"graph1.chain1.dense1"}
    assert all(network.parameters.norms().values())


def test_an_input_that_nothing_reads_has_gradient_zero():
    x, unread = Node(), Node()
    _, backward = Graph([x, unread], Node(Tanh(), x)).forward(X, X)
    assert not backward(np.ones_like(X))[1].any()


def test_a_first_layer_is_not_asked_for_a_gradient_by_data():
    asked = []

    class Spy(Dense):
        def forward(self, x, training=False):
            y, backward = super().forward(x)

            def spied(dy, need_dx=True):
                asked.append(need_dx)
                return backward(dy, need_dx)

            return y, spied

    x = Node()
    spies = [Dropout(0.1, rng=1), Spy(4, 4), Tanh(), Spy(4, 4)]
    node = x
    for layer in spies:
        node = Node(layer, node)
    for network in (Graph([x], node), Chain(spies)):
        asked.clear()
        y, backward = network.forward(X.astype(np.float32))
        backward(y, need_dx=False)
        assert asked == [True, False]
        backward(y)
        assert asked[2:] == [True, True]


def test_a_cycle_is_refused():
    x = Node()
    a = Node(Add(), x)
    b = Node(Tanh(), a)
    a.inputs.append(b)
    with pytest.raises(OptionError, match="cycle"):
        Graph([x], b)


def test_an_input_that_is_not_listed_is_refused():
    with pytest.raises(OptionError, match="not among its inputs"):
        Graph([Node()], Node(Add(), Node(), Node()))


def test_a_wrong_number_of_inputs_is_refused():
    with pytest.raises(OptionError, match="has 1 inputs, but got 2"):
        diamond().forward(X, X)
