"""The network of Bengio et al. 2003: vectors of the words before, a hidden layer of tanh, an output layer.

It is trained on shuffled minibatches of positions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.lm.neural.kernels import gather_contexts
from windrow.lm.neural.network import SCORED_ROWS, LMTrainee, NeuralNetwork
from windrow.lm.stream import Ids
from windrow.lm.symbols import BOS
from windrow.nn.graph import Graph, Node
from windrow.nn.layers import Concatenate, Dense, Dropout, Embedding, Tanh
from windrow.nn.parameters import Array, Parameter, SparseParameter
from windrow.outputs.contract import OutputLayer

_SYMBOLS_AT_ONCE = 1 << 20  # whose positions are held


class WindowNetwork(NeuralNetwork):
    """Contexts (rows, window) of word ids to distributions over the words.

        ids -> Embedding -> Dropout -+-> Dense -> Tanh -> Dropout -+-> head
                                     +------ with ``direct`` ------+

    ``dense`` takes the vectors of the context words side by side, (rows, window * embedding_size).
    """

    def __init__(
        self,
        embeddings: Parameter | SparseParameter,
        dense: Dense,
        head: OutputLayer,
        *,
        direct: bool = False,
        dropout: float = 0.0,
        head_learns: bool = False,
    ) -> None:
        dropouts = [Dropout(dropout), Dropout(dropout)] if dropout else []
        ids = Node()
        x = Node(Embedding.of(embeddings), ids)
        if dropouts:
            x = Node(dropouts[0], x)
        hidden = Node(Tanh(), Node(dense, x))
        if dropouts:
            hidden = Node(dropouts[1], hidden)
        self.layers = Graph([ids], Node(Concatenate(), hidden, x) if direct else hidden)
        named = {f"hidden.{name}": parameter for name, parameter in dense.parameters.items()}
        super().__init__(embeddings, named, head, dropouts=dropouts, head_learns=head_learns)

    def hidden_rows(self, contexts: Ids) -> Array:
        """What the head sees, nothing dropped; (rows, hidden_size of the head)."""
        return self.layers.forward(contexts)[0]

    def loss_and_gradient(self, contexts: Ids, targets: Ids, rate: float = 0.0) -> float:
        """The summed loss of a batch; adds the gradient of its mean; ``rate`` is the head's, where ``head_learns``."""
        hidden, backward = self.layers.forward(contexts, training=True)
        loss, d_hidden = self.head_loss(hidden, targets, rate)
        backward(d_hidden, need_dx=False)
        return loss


def predicted_positions(stream: Ids, first: int = 0, last: int | None = None) -> NDArray[Any]:
    """Where from ``first`` to ``last`` a symbol is predicted: everywhere but at ``<s>``."""
    positions = first + np.flatnonzero(stream[first:last] != BOS)
    return positions.astype(np.int32) if len(stream) < 2**31 else positions


def score_positions(network: WindowNetwork, stream: Ids, window: int) -> NDArray[np.float64]:
    """The natural-log probability of each symbol of ``stream``, 0 at ``<s>``; (symbols,)."""
    log_probs = np.zeros(len(stream))
    for start in range(0, len(stream), _SYMBOLS_AT_ONCE):
        positions = predicted_positions(stream, start, start + _SYMBOLS_AT_ONCE)
        for first in range(0, len(positions), SCORED_ROWS):
            batch = positions[first : first + SCORED_ROWS]
            contexts = np.empty((len(batch), window), np.int32)
            gather_contexts(stream, batch, BOS, contexts)
            log_probs[batch] = network.head.target_log_probs(network.hidden_rows(contexts), stream[batch])
    return log_probs


class WindowTrainee(LMTrainee):
    """Each batch is ``batch_size`` positions of the text, whose order is new in each epoch."""

    checkpoint_kind = "window-lm-checkpoint"
    network: WindowNetwork

    def __init__(
        self,
        network: WindowNetwork,
        stream: Ids,
        valid: Ids | None,
        *,
        window: int,
        batch_size: int,
        seed: int,
        l2: float = 0.0,
    ) -> None:
        self.stream = stream
        self.window = window
        self.batch_size = batch_size
        self.positions = predicted_positions(stream)
        super().__init__(network, len(self.positions), valid, seed=seed, l2=l2)

    def batches(self, epoch: int) -> Iterator[tuple[int, NDArray[Any]]]:  # noqa: D102
        self.network.seed(self.seed, epoch)
        order = np.random.default_rng([self.seed, epoch, 0]).permutation(self.positions)
        for first in range(0, len(order), self.batch_size):
            batch = order[first : first + self.batch_size]
            yield len(batch), batch

    def learn(self, batch: NDArray[Any], rate: float) -> float:  # noqa: D102
        contexts = np.empty((len(batch), self.window), np.int32)
        gather_contexts(self.stream, batch, BOS, contexts)
        loss = self.network.loss_and_gradient(contexts, self.stream[batch], rate)
        if self.regularizer is not None:
            self.add_penalties()
        return loss

    def score(self, stream: Ids) -> NDArray[np.float64]:  # noqa: D102
        return score_positions(self.network, stream, self.window)
