"""WindowLM: the neural probabilistic language model of Bengio et al. 2003."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings import WordVectors
from windrow.errors import OptionError, check_range, check_whole
from windrow.lm.neural.estimator import LINEAR, NeuralLM
from windrow.lm.neural.window_network import WindowNetwork
from windrow.lm.neural.window_training import WindowTrainee, score_positions
from windrow.lm.stream import BOS, Ids
from windrow.nn.layers import Dense
from windrow.nn.schedules import Schedule
from windrow.nn.training.report import Callback
from windrow.numeric.threads import crew

_LN_10 = np.log(10)

State = tuple[int, ...]  # the last order - 1 ids


class WindowLM(NeuralLM):
    """p(word | the ``order`` - 1 words before it), by a network with one hidden layer of tanh.

    The context never crosses the start of a sentence: what lies before it reads as ``<s>``. ``output``: a name of
    ``windrow.outputs.HEADS``; ``direct``: the output also sees the word vectors; ``tied``: it shares them as weights
    (``embedding_size`` = ``hidden_size``); ``vectors``: WordVectors, or a file of them, to begin with. ``dropout`` of
    hidden numbers and word vectors; ``l2`` on weights, but for those of word vectors and of outputs that read few words
    a step ("nce", "hierarchical"). Training: ``optimizer`` and ``schedule`` by the names of ``windrow.nn`` ("linear"
    falls to 0 by the last epoch), ``learning_rate`` (None: the optimiser's own) of the mean loss, ``clip`` its
    gradient's length, ``patience`` epochs without a better validation until it stops. ``objective``, ``noise_words``,
    ``noise_power``, ``classes``, ``cutoffs``, ``shrink``: see HeadOptions. ``quantise_bits``: 8 rounds the output
    weights of the trained model, which makes text faster. ``workers``: threads.

    After ``fit``: ``network_``, ``vocabulary``, ``history_`` (a dict an epoch).
    """

    kind = "window-lm"
    order: int
    direct: bool
    network_: WindowNetwork

    def __init__(
        self,
        order: int = 5,
        embedding_size: int = 60,
        hidden_size: int = 100,
        *,
        output: str = "softmax",
        direct: bool = False,
        tied: bool = False,
        vectors: WordVectors | str | os.PathLike[str] | None = None,
        dropout: float = 0.0,
        l2: float = 0.0,
        optimizer: str = "adam",
        learning_rate: float | None = None,
        momentum: float = 0.9,
        schedule: str | Schedule = LINEAR,
        epochs: int = 5,
        batch_size: int = 512,
        clip: float | None = None,
        patience: int | None = 3,
        min_count: int = 1,
        max_vocab: int | None = None,
        skip_symbols: bool = False,
        objective: str = "nce",
        noise_words: int = 1024,
        noise_power: float = 1.0,
        classes: int = 0,
        cutoffs: Sequence[int] = (),
        shrink: float = 4.0,
        quantise_bits: int | None = None,
        seed: int = 1,
        workers: int = 1,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self._store(locals())

    def check_parameters(self) -> None:
        """Raise OptionError for a parameter out of range, before any work."""
        check_range("order", check_whole("order", self.order), 2, 255)
        if self.tied and self.direct:
            raise OptionError("tied = True does not go with direct = True: the rows would be longer than the vectors")
        super().check_parameters()

    @property
    def _head_size(self) -> int:
        return self.hidden_size + ((self.order - 1) * self.embedding_size if self.direct else 0)

    def _hidden_numbers(self) -> int:
        return (self.order - 1) * self.embedding_size * self.hidden_size

    def _new_network(self, rng: np.random.Generator, given: WordVectors | None = None) -> WindowNetwork:
        inputs = (self.order - 1) * self.embedding_size
        embeddings = self._new_embeddings(rng, given)
        dense = Dense(inputs, self.hidden_size, rng=rng)
        head = self._new_head(rng, embeddings)
        steps = self._head_steps(head)
        return WindowNetwork(embeddings, dense, head, direct=self.direct, dropout=self.dropout, head_steps=steps)

    def _trainee(self, stream: Ids, valid: Ids | None) -> WindowTrainee:
        sizes = {"window": self.order - 1, "batch_size": self.batch_size}
        return WindowTrainee(self.network_, stream, valid, **sizes, seed=self.seed, l2=self.l2)

    # --- the language model

    def score_stream(self, stream: Ids) -> NDArray[np.float64]:
        """log10 probability of each symbol given those before it in its sentence, 0 at ``<s>``; (symbols,)."""
        with crew():
            log_probs: NDArray[np.float64] = score_positions(self._fitted(), stream, self.order - 1) / _LN_10
        return log_probs

    def start(self, ids: Sequence[int] | Ids = (BOS,)) -> State:
        """The state after these ids: the last ``order`` - 1 of them."""
        state: State = (BOS,) * (self.order - 1)
        for word_id in ids:
            state = self.advance(state, int(word_id))
        return state

    def advance(self, state: State, word_id: int) -> State:
        """The state after one more word; ``<s>`` begins anew."""
        return (BOS,) * len(state) if word_id == BOS else (*state[1:], word_id)

    def distribution(self, state: State) -> NDArray[np.float64]:
        """Probabilities of the next symbol, (words,); their sum is 1. The head gives ``<s>`` none, as it counts 0."""
        network = self._fitted()
        (hidden,) = network.hidden_rows(np.array([state], np.int32))
        probabilities: NDArray[np.float64] = network.head.distribution(hidden)
        return probabilities
