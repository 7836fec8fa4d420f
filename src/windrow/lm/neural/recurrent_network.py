"""The network of a recurrent language model: word vectors, recurrent layers one upon another, an output layer.

Below it its training, by truncated backpropagation through time, and the scores of a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.lm.neural.network import SCORED_ROWS, LMTrainee, NeuralNetwork
from windrow.lm.next_word import compared_by_content
from windrow.lm.stream import Ids
from windrow.lm.symbols import BOS, EOS
from windrow.nn.layers import Dropout, Embedding
from windrow.nn.parameters import Array, Parameter, SparseParameter
from windrow.nn.recurrent.layer import RecurrentLayer
from windrow.nn.training.loop import Training
from windrow.nn.training.stopping import DivergedError
from windrow.outputs.contract import OutputLayer

States = tuple[Array, ...]  # of each layer (states of its cell, streams, hidden_size)
Begins = NDArray[np.bool_]
Backward = Callable[[Array], Array]

_LANES = 32  # sentences scored side by side, where none bears on another
_SYMBOLS_AT_ONCE = 1 << 21  # more than a block of sentences has


class RecurrentNetwork(NeuralNetwork):
    """Streams of word ids (steps, streams) to distributions over the words.

        ids -> Embedding -> Dropout -> RecurrentLayer -> Dropout -> RecurrentLayer -> Dropout -> head

    Nothing is dropped of what a layer hands on to its own next step (Zaremba, Sutskever & Vinyals 2014).
    """

    def __init__(
        self,
        embeddings: Parameter | SparseParameter,
        layers: Sequence[RecurrentLayer],
        head: OutputLayer,
        *,
        dropout: float = 0.0,
        head_learns: bool = False,
    ) -> None:
        self.look_up = Embedding.of(embeddings)
        self.layers = layers
        dropouts = [Dropout(dropout) for _ in range(len(layers) + 1)] if dropout else []
        named = {f"layer{n}.{name}": part for n, layer in enumerate(layers) for name, part in layer.parameters.items()}
        super().__init__(embeddings, named, head, dropouts=dropouts, head_learns=head_learns)

    def zero_states(self, streams: int) -> States:
        """The states before anything was read."""
        return tuple(layer.zero_state(streams) for layer in self.layers)

    def hidden_states(self, ids: Ids, states: States, begins: Begins | None = None) -> tuple[Array, States]:
        """What the head sees after each step, (steps, streams, hidden_size), nothing dropped, and the last states.

        ``begins`` (steps, streams): where a stream forgets everything, before the step.
        """
        x, last = self.look_up.forward(ids.reshape(-1, 1))[0].reshape(*ids.shape, -1), []
        for layer, state in zip(self.layers, states, strict=True):
            x, state_after, _ = layer.forward(x, state, begins)
            last.append(state_after)
        return x, tuple(last)

    def loss_and_gradient(
        self, ids: Ids, targets: Ids, states: States, begins: Begins | None = None, rate: float = 0.0
    ) -> tuple[float, States]:
        """The summed loss of some steps, and the states after them; adds the gradient of the mean.

        ``targets`` (steps, streams): what follows each id. Backpropagation ends at ``states``. ``rate`` is the head's,
        where the ``head_learns``.
        """
        x, look_up_backward = self.look_up.forward(ids.reshape(-1, 1))
        x = x.reshape(*ids.shape, -1)
        backwards: list[Backward] = []
        last = []
        if self.dropouts:
            x = self._drop(0, x, backwards)
        for number, (layer, state) in enumerate(zip(self.layers, states, strict=True), 1):
            x, state_after, backward = layer.forward(x, state, begins)
            last.append(state_after)
            backwards.append(backward)
            if self.dropouts:
                x = self._drop(number, x, backwards)
        rows = np.ascontiguousarray(x).reshape(ids.size, -1)
        loss, d_rows = self.head_loss(rows, targets.reshape(-1), rate)
        gradient = d_rows.reshape(x.shape)
        for backward in reversed(backwards):
            gradient = backward(gradient)
        look_up_backward(gradient.reshape(ids.size, -1))
        return loss, tuple(last)

    def _drop(self, number: int, x: Array, backwards: list[Backward]) -> Array:
        """What this dropout leaves of x; its backward pass becomes the last of ``backwards``."""
        x, backward = self.dropouts[number].forward(x, training=True)
        backwards.append(backward)
        return x


@compared_by_content
class RecurrentState(NamedTuple):
    """What a network knows after the words so far."""

    hidden: Array  # (hidden_size,) what the head sees
    layers: States  # of one stream


def first_state(network: RecurrentNetwork) -> RecurrentState:
    """Before anything was read."""
    layers = network.zero_states(1)
    return RecurrentState(layers[-1][0, 0], layers)


class RecurrentTrainee(LMTrainee):
    """The text is cut into ``batch_size`` streams that are read side by side, ``bptt`` words per step.

    A sentence enters as ``<s>`` w1 .. wm and is to predict w1 .. wm ``</s>``: every symbol is predicted once, and
    ``</s>``, after which ``<s>`` follows for certain, is not read. States go on from step to step; with ``resets`` they
    begin again at each ``<s>``.
    """

    checkpoint_kind = "rnn-lm-checkpoint"
    network: RecurrentNetwork

    def __init__(
        self,
        network: RecurrentNetwork,
        stream: Ids,
        valid: Ids | None,
        *,
        bptt: int,
        resets: bool,
        batch_size: int,
        seed: int,
        l2: float = 0.0,
    ) -> None:
        self.bptt = bptt
        self.resets = resets
        self.ids, self.targets = (side_by_side(stream[stream != mark], batch_size) for mark in (EOS, BOS))
        super().__init__(network, self.ids.size, valid, seed=seed, l2=l2)

    def batches(self, epoch: int) -> Iterator[tuple[int, slice]]:  # noqa: D102
        self.network.seed(self.seed, epoch)
        steps, streams = self.ids.shape
        self._states = self.network.zero_states(streams)
        for first in range(0, steps, self.bptt):
            last = min(first + self.bptt, steps)
            yield (last - first) * streams, slice(first, last)

    def learn(self, batch: slice, rate: float) -> float:  # noqa: D102
        ids = self.ids[batch]
        begins = ids == BOS if self.resets else None
        loss, self._states = self.network.loss_and_gradient(ids, self.targets[batch], self._states, begins, rate)
        if self.regularizer is not None:
            self.add_penalties()
        return loss

    def score_batch(self, batch: slice) -> NDArray[np.float64]:
        """The natural-log probability of each target of a batch, before it is learned from; (words,)."""
        ids, targets = self.ids[batch], self.targets[batch]
        hidden, _ = self.network.hidden_states(ids, self._states, ids == BOS if self.resets else None)
        return self.network.head.target_log_probs(hidden.reshape(ids.size, -1), targets.reshape(-1))

    def score(self, stream: Ids) -> NDArray[np.float64]:  # noqa: D102
        return score_symbols(self.network, stream, first_state(self.network), resets=self.resets)[0]


def score_and_learn(training: Training, trainee: RecurrentTrainee) -> NDArray[np.float64]:
    """The natural-log probability of each target, (words,), of one stream; what is scored is then learned from.

    Source: dynamic evaluation, Mikolov et al. 2010, Krause et al. 2018; here by steps of ``bptt`` words.
    """
    log_probs = []
    for _, batch in trainee.batches(1):
        log_probs.append(trainee.score_batch(batch))
        if not isfinite(training.step(batch, training.plan.learning_rate) + log_probs[-1].sum()):
            raise DivergedError("the loss is no finite number")
    return np.concatenate(log_probs)


def side_by_side(symbols: Ids, streams: int) -> Ids:
    """(steps, streams): the text in streams of one length, which overlap by a word where it cannot be divided."""
    streams = min(streams, len(symbols))
    steps = -(-len(symbols) // streams)
    text = np.empty((steps, streams), np.int32)
    for stream, first in enumerate(np.arange(streams) * len(symbols) // streams):
        text[:, stream] = symbols[first : first + steps]
    return text


def score_symbols(
    network: RecurrentNetwork, stream: Ids, state: RecurrentState, *, resets: bool
) -> tuple[NDArray[np.float64], RecurrentState]:
    """The natural-log probability of each symbol, 0 at ``<s>``, (symbols,), and the state after the last.

    With ``resets`` sentences are independent, so many are scored in parallel; but a very long stream, which may be a
    single sentence, in parts, one after another, so that memory stays small.
    """
    if len(stream) <= _SYMBOLS_AT_ONCE:
        return _score_at_once(network, stream, state, _LANES if resets else 1, resets)
    log_probs = np.empty(len(stream))
    for first in range(0, len(stream), _SYMBOLS_AT_ONCE):
        part = slice(first, first + _SYMBOLS_AT_ONCE)
        log_probs[part], state = _score_at_once(network, stream[part], state, 1, resets)
    return log_probs, state


def _score_at_once(
    network: RecurrentNetwork, stream: Ids, state: RecurrentState, lanes: int, resets: bool
) -> tuple[NDArray[np.float64], RecurrentState]:
    """``score_symbols`` with sentences in lanes; in more than one lane, each begins as if nothing was read before."""
    layout = _Layout.of(stream, lanes)
    log_probs = np.zeros(len(stream))
    if layout.ids.shape[1] > 1:
        state = first_state(network)
    states = network.zero_states(layout.ids.shape[1]) if layout.ids.shape[1] > 1 else state.layers
    # The hidden rows after the words of a chunk predict those symbols whose number of words before is in it.
    last_rows = np.tile(state.hidden, (layout.ids.shape[1], 1))
    steps = max(1, SCORED_ROWS // layout.ids.shape[1])
    for first in range(0, len(layout.ids) + 1, steps):
        ids = layout.ids[first : first + steps]
        rows = last_rows[None]
        if len(ids):
            hidden, states = network.hidden_states(ids, states, ids == BOS if resets else None)
            rows = np.concatenate([rows, hidden])
        chosen = layout.predicted_after(first, first + steps)
        wanted = rows[layout.words_before[chosen] - first, layout.lanes[chosen]]
        log_probs[chosen] = network.head.target_log_probs(np.ascontiguousarray(wanted), stream[chosen])
        last_rows = rows[-1]
    return log_probs, RecurrentState(last_rows[0], tuple(states))


class _Layout(NamedTuple):
    """A stream in lanes of whole sentences."""

    ids: Ids  # (steps, lanes), what is read; filled up with <s>
    lanes: NDArray[Any]  # (symbols,) the lane of each symbol of the stream
    words_before: NDArray[Any]  # (symbols,) how many steps of its lane come before it
    order: NDArray[Any]  # the predicted symbols, by the steps before them

    @classmethod
    def of(cls, stream: Ids, lanes: int) -> _Layout:
        cuts = np.zeros(1, np.int64)
        if lanes > 1:
            starts = np.flatnonzero(stream == BOS)
            wanted = np.searchsorted(starts, np.arange(lanes) * len(stream) // lanes)
            cuts = np.unique(np.append(starts[wanted[wanted < len(starts)]], 0))
        is_read = stream != EOS
        lane = np.searchsorted(cuts, np.arange(len(stream)), "right") - 1
        before = np.cumsum(is_read) - is_read
        before -= before[cuts][lane] if len(stream) else 0
        steps = int((before + is_read).max(initial=0))
        ids = np.full((steps, len(cuts)), BOS, np.int32)
        ids[before[is_read], lane[is_read]] = stream[is_read]
        predicted = np.flatnonzero(stream != BOS)
        return cls(ids, lane, before, predicted[np.argsort(before[predicted], kind="stable")])

    def predicted_after(self, first: int, last: int) -> NDArray[Any]:
        """The symbols that are predicted after ``first`` to ``last`` - 1 steps of their lane."""
        begin, end = np.searchsorted(self.words_before[self.order], [first, last])
        chosen: NDArray[Any] = self.order[begin:end]
        return chosen
