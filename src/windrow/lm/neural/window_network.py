"""The network of Bengio et al. 2003: vectors of the words before, a hidden layer of tanh, an output layer."""

from __future__ import annotations

from windrow.lm.neural.network import Ids, NeuralNetwork
from windrow.nn.graph import Graph, Node
from windrow.nn.layers import Concatenate, Dense, Dropout, Embedding, Tanh
from windrow.nn.parameters import Array, Parameter, SparseParameter
from windrow.outputs.contract import OutputLayer


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
