"""RecurrentLM: the recurrent neural language model (Mikolov et al. 2010), of Elman, GRU or LSTM layers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings import WordVectors
from windrow.errors import OptionError, check_range, check_whole
from windrow.evaluation.perplexity import Perplexity
from windrow.lm import CELL_NAMES, STATE_NAMES
from windrow.lm.neural.estimator import LINEAR, NeuralLM
from windrow.lm.neural.recurrent_network import RecurrentNetwork
from windrow.lm.neural.recurrent_training import (
    RecurrentState,
    RecurrentTrainee,
    first_state,
    score_and_learn,
    score_symbols,
)
from windrow.lm.stream import BOS, EOS, UNK, Ids
from windrow.nn.recurrent.cells import CELLS
from windrow.nn.recurrent.layer import RecurrentLayer
from windrow.nn.schedules import Schedule
from windrow.nn.training.loop import Training
from windrow.nn.training.report import Callback
from windrow.nn.training.stopping import DivergedError
from windrow.numeric.threads import crew

_LN_10 = np.log(10)


class RecurrentLM(NeuralLM):
    """p(word | all words before it), by layers that hand a state from word to word.

    ``cell``: "elman" (tanh; "elman-sigmoid", "elman-relu"), "gru" or "lstm", ``layers`` of them. ``state``: "carry"
    takes the state over from sentence to sentence, in training as in scoring, so that a text is one stream; "reset"
    begins anew at each. ``bptt``: words that a step goes back; ``batch_size``: streams read side by side. ``output``: a
    name of ``windrow.outputs.HEADS``; ``tied``: it shares the word vectors as weights (``embedding_size`` =
    ``hidden_size``); ``vectors``: WordVectors, or a file of them, to begin with. ``dropout`` of word vectors and of
    what layers hand up; ``l2`` on weights, but for those of word vectors and of outputs that read few words a step
    ("nce", "hierarchical"). Training: ``optimizer`` and ``schedule`` by the names of ``windrow.nn`` ("linear" falls to
    0 by the last epoch, "plateau" halves after an epoch without a better validation), ``learning_rate`` (None: the
    optimiser's own) of the mean loss, ``clip`` its gradient's length, ``patience`` epochs without a better validation
    until it stops. ``objective``, ``noise_words``, ``noise_power``, ``classes``, ``cutoffs``, ``shrink``: see
    HeadOptions. ``quantise_bits``: 8 rounds the output weights of the trained model, which makes text faster.
    ``workers``: threads.

    After ``fit``: ``network_``, ``vocabulary``, ``history_`` (a dict an epoch).
    """

    kind = "rnn-lm"
    cell: str
    layers: int
    state: str
    bptt: int
    network_: RecurrentNetwork

    def __init__(
        self,
        cell: str = "lstm",
        hidden_size: int = 200,
        embedding_size: int = 200,
        layers: int = 1,
        *,
        output: str = "softmax",
        tied: bool = False,
        vectors: WordVectors | str | os.PathLike[str] | None = None,
        dropout: float = 0.0,
        state: str = "carry",
        bptt: int = 35,
        batch_size: int = 20,
        l2: float = 0.0,
        optimizer: str = "adam",
        learning_rate: float | None = None,
        momentum: float = 0.9,
        schedule: str | Schedule = LINEAR,
        epochs: int = 5,
        clip: float | None = 0.25,
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
        for name, value, known in (("cell", self.cell, CELL_NAMES), ("state", self.state, STATE_NAMES)):
            if value not in known:
                raise OptionError(f"{name} = {value!r} is unknown; choose from {', '.join(known)}")
        check_range("layers", check_whole("layers", self.layers), 1, 100)
        check_range("bptt", check_whole("bptt", self.bptt), 1)
        super().check_parameters()

    @property
    def carries_over(self) -> bool:  # type: ignore[override]  # here it is a choice
        """Whether a sentence bears on those after it."""
        return self.state == "carry"

    def _hidden_numbers(self) -> int:
        inputs = self.embedding_size + (self.layers - 1) * self.hidden_size
        gates = CELLS[self.cell].gates
        return gates * self.hidden_size * (inputs + self.layers * self.hidden_size)

    def _new_network(self, rng: np.random.Generator, given: WordVectors | None = None) -> RecurrentNetwork:
        embeddings = self._new_embeddings(rng, given)
        sizes = [self.embedding_size] + [self.hidden_size] * (self.layers - 1)
        layers = [RecurrentLayer(size, self.hidden_size, self.cell, rng=rng) for size in sizes]
        head = self._new_head(rng, embeddings)
        return RecurrentNetwork(embeddings, layers, head, dropout=self.dropout, head_steps=self._head_steps(head))

    def _trainee(self, stream: Ids, valid: Ids | None) -> RecurrentTrainee:
        sizes = {"bptt": self.bptt, "batch_size": self.batch_size}
        resets = not self.carries_over
        return RecurrentTrainee(self.network_, stream, valid, **sizes, resets=resets, seed=self.seed, l2=self.l2)

    # --- the language model

    def score_stream(self, stream: Ids) -> NDArray[np.float64]:
        """log10 probability of each symbol given those before it, 0 at ``<s>``; (symbols,)."""
        return next(self.score_blocks([stream]))

    def score_blocks(self, blocks: Iterable[Ids]) -> Iterator[NDArray[Any]]:
        """As ``score_stream`` of one long text; with state "carry" each block goes on from the one before."""
        network: RecurrentNetwork = self._fitted()
        state = first_state(network)
        for stream in blocks:
            with crew():
                log_probs, after = score_symbols(network, stream, state, resets=not self.carries_over)
            if self.carries_over:
                state = after
            yield log_probs / _LN_10

    def evaluate(self, source: Any, *, skip_symbols: bool = False, dynamic_rate: float | None = None) -> Perplexity:
        """How well the model predicts a text; raises as ``LanguageModel.evaluate``.

        ``dynamic_rate``: dynamic evaluation. A copy of the model goes on learning from the text at this rate, by steps
        of gradient descent on ``bptt`` words, each of which is scored before it is learned from. OptionError for output
        weights of 8 bits; DivergedError where the rate is too high.
        """
        if dynamic_rate is None:
            return super().evaluate(source, skip_symbols=skip_symbols)
        check_range("dynamic_rate", dynamic_rate, 0, low_open=True, high_open=True)
        if self._fitted().is_quantised:
            raise OptionError(f"dynamic_rate = {dynamic_rate:g}: weights of 8 bits cannot learn; use those of 32 bits")
        stream = np.concatenate(list(self.streams(source, skip_symbols=skip_symbols)))
        learning = type(self).from_stored(self.to_stored(), "the model")
        learning.set_params(optimizer="sgd", learning_rate=dynamic_rate, batch_size=1, l2=0.0)
        learning.network_.dropouts = []
        trainee = learning._trainee(stream, None)
        training = Training(trainee, learning._plan(None))
        try:
            with crew(), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                log_probs = score_and_learn(training, trainee)
        except DivergedError as error:
            rate = f"dynamic_rate = {dynamic_rate:g}"
            raise DivergedError(f"{rate}: {error}; try dynamic_rate = {dynamic_rate / 10:g}") from None
        return Perplexity.of(log_probs / _LN_10, stream[stream != BOS] == UNK)

    def start(self, ids: Sequence[int] | Ids = (BOS,)) -> RecurrentState:
        """The state after these ids."""
        state = first_state(self._fitted())
        for word_id in ids:
            state = self.advance(state, int(word_id))
        return state

    def advance(self, state: RecurrentState, word_id: int) -> RecurrentState:
        """The state after one more symbol; ``</s>`` changes nothing, as ``<s>`` is what a sentence begins with."""
        if word_id == EOS:
            return state
        network: RecurrentNetwork = self._fitted()
        layers = state.layers if self.carries_over or word_id != BOS else network.zero_states(1)
        hidden, layers = network.hidden_states(np.array([[word_id]], np.int32), layers)
        return RecurrentState(hidden[0, 0], layers)

    def distribution(self, state: RecurrentState) -> NDArray[np.float64]:
        """Probabilities of the next symbol, (words,); their sum is 1. The head gives ``<s>`` none, as it counts 0."""
        probabilities: NDArray[np.float64] = self._fitted().head.distribution(state.hidden)
        return probabilities
