"""RecurrentLM: the recurrent neural language model (Mikolov et al. 2010), of Elman, GRU or LSTM layers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings import WordVectors
from windrow.errors import OptionError, check_range
from windrow.estimator import takes_old_names
from windrow.evaluation.perplexity import Perplexity
from windrow.lm.neural.base import NeuralLM
from windrow.lm.neural.recurrent_network import (
    RecurrentNetwork,
    RecurrentState,
    RecurrentTrainee,
    first_state,
    score_and_learn,
    score_symbols,
)
from windrow.lm.neural.settings import LINEAR, RECURRENT_LM
from windrow.lm.next_word import as_id, as_ids, check_state
from windrow.lm.stream import Ids
from windrow.lm.symbols import BOS, EOS, UNK
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

    Parameters
    ----------
    cell : {"elman", "elman-sigmoid", "elman-relu", "gru", "lstm"}, default "lstm"
        Recurrent cell. lstm and gru remember longer; elman cells (of tanh, sigmoid or ReLU) are faster.
    hidden_size : int in [1, 100000], default 200
        Units per layer. Use more for a large text.
    embedding_size : int in [1, 100000], default 200
        Dimensions per word vector. It must be that of vectors, if they are given.
    layers : int in [1, 100], default 1
        Recurrent layers.
    state : {"carry", "reset"}, default "carry"
        What is remembered at the end of a sentence: all (carry), or nothing (reset). Use carry for running text,
        reset for sentences that do not follow each other.
    bptt : int >= 1, default 35
        Words that the gradient goes back: the length of truncated backpropagation through time.
    batch_size : int >= 1, default 20
        Streams of text that are read side by side. More are faster per epoch, and need more epochs.
    clip : float > 0 or None, default 0.25
        Greatest norm of the gradient of the mean loss per word; a longer gradient is scaled down. None: any length.
        Lower it when training diverges.
    output_layer : {"softmax", "hierarchical", "classes", "nce", "adaptive"}, default "softmax"
        Output layer, which predicts the word from the hidden layer. hierarchical and nce train many times faster on
        large vocabularies, at a cost in perplexity; classes and adaptive lie between.
    tied : bool, default False
        Whether the output layer uses the word vectors as its weights. It needs embedding_size = hidden_size, and
        saves memory; often better for small texts.
    vectors : WordVectors or path or None, default None
        Word vectors to begin with, or a file of them. None: random ones.
    dropout : float in [0, 1), default 0.0
        Fraction of the elements of word vectors and hidden layers that are 0 in each step. Try 0.2 to 0.5 when the
        validation perplexity rises while the loss falls.
    l2 : float >= 0, default 0.0
        Weight decay: strength of the penalty on half the sum of squared weights. It leaves out word vectors, and
        output layers that read few words per step (nce, hierarchical).
    optimizer : {"sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam"}, default "adam"
        Rule that turns a gradient into a step of the parameters.
    learning_rate : float > 0 or None, default None
        Learning rate: the steps along the gradient of the mean loss per word. None: the optimizer's own. The first
        parameter to tune.
    momentum : float in [0, 1), default 0.9
        Share of the last step that is added to the next. Only with optimizer "momentum" or "nesterov".
    schedule : str or callable, default "linear"
        How the learning rate falls: linear to 0 by the last epoch; plateau by half after an epoch without a better
        validation score, or loss if there is none; the others as in windrow.nn. A function of (epoch, scores so
        far) gives a factor.
    epochs : int in [1, 1000000], default 5
        Passes over the text, at most. Use more for a small text.
    patience : int >= 1 or None, default 3
        Epochs without a better validation perplexity before training stops. None: never. Only with valid.
    min_count : int >= 1, default 1
        Words that occur less often become <unk>.
    max_vocab : int >= 4 or None, default None
        Keep only this many words, <unk>, <s> and </s> among them; the others become <unk>. None: all. The time of a
        softmax grows with it.
    skip_symbols : bool, default False
        Leave out <s> and </s> where they occur in the text. They are refused otherwise.
    objective : {"nce", "sampled-softmax"}, default "nce"
        How the word is distinguished from noise words: by a yes or no for each (nce), or by a softmax over all of
        them. Only with output_layer "nce".
    noise_words : int in [1, 1000000], default 1024
        Noise words per step. Only with output_layer "nce". More are slower and better.
    noise_power : float in [0, 10], default 1.0
        Noise words are drawn from their counts to this power. Only with output_layer "nce".
    classes : int in [0, 1000000], default 0
        Number of classes of words; 0: the square root of the number of words. Only with output_layer "classes".
    cutoffs : sequence of int >= 1, default ()
        Ranks by frequency where the clusters of rare words begin, rising, such as 2000,10000; empty: chosen from
        their number. Only with output_layer "adaptive".
    shrink : float in [1, 1000], default 4.0
        How many times fewer dimensions each cluster has than the one before. Only with output_layer "adaptive".
    quantize_bits : int 8 or None, default None
        8 rounds the output weights of the trained model, which generates text about twice as fast. None: 32 bits.
        For softmax and nce.
    seed : int >= 0, default 1
        Seed of all random draws; equal seeds give equal models.
    workers : int in [1, 1024], default 1
        Threads; more are faster only on idle cores.
    callbacks : sequence of callable, default ()
        Functions of a Report, called after each epoch; training ends when one returns a true value.

    Attributes
    ----------
    network_ : NeuralNetwork
        The trained network.
    vocabulary : Vocabulary
        The words, with <unk>, <s> and </s> in front.
    history_ : list of dict
        One dict per epoch: loss, learning rate, words, seconds, validation perplexity.

    References
    ----------
    Mikolov et al. 2010, "Recurrent neural network based language model".

    Examples
    --------
    >>> from windrow import RecurrentLM
    >>> texts = ["the cat sat", "the dog sat"] * 20
    >>> model = RecurrentLM("gru", hidden_size=8, embedding_size=8, batch_size=2, epochs=20).fit(texts)
    >>> model.top_words("the cat", 1)[0][0]
    'sat'
    """

    kind = "rnn-lm"
    settings = RECURRENT_LM
    cell: str
    layers: int
    state: str
    bptt: int
    network_: RecurrentNetwork

    @takes_old_names
    def __init__(
        self,
        cell: str = "lstm",
        hidden_size: int = 200,
        embedding_size: int = 200,
        layers: int = 1,
        *,
        state: str = "carry",
        bptt: int = 35,
        batch_size: int = 20,
        clip: float | None = 0.25,
        output_layer: str = "softmax",
        tied: bool = False,
        vectors: WordVectors | str | os.PathLike[str] | None = None,
        dropout: float = 0.0,
        l2: float = 0.0,
        optimizer: str = "adam",
        learning_rate: float | None = None,
        momentum: float = 0.9,
        schedule: str | Schedule = LINEAR,
        epochs: int = 5,
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
        quantize_bits: int | None = None,
        seed: int = 1,
        workers: int = 1,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self._store(locals())

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
        return RecurrentNetwork(embeddings, layers, head, dropout=self.dropout, head_learns=self._head_learns(head))

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
            log_probs /= _LN_10
            yield log_probs

    def evaluate(
        self,
        source: Any,
        *,
        field: str | None = None,
        skip_symbols: bool = False,
        dynamic_rate: float | None = None,
    ) -> Perplexity:
        """How well the model predicts a text; raises as ``LanguageModel.evaluate``.

        ``dynamic_rate``: dynamic evaluation. A copy of the model goes on learning from the text at this rate, by steps
        of gradient descent on ``bptt`` words, each of which is scored before it is learned from. OptionError for output
        weights of 8 bits; DivergedError where the rate is too high.
        """
        if dynamic_rate is None:
            return super().evaluate(source, field=field, skip_symbols=skip_symbols)
        check_range("dynamic_rate", dynamic_rate, 0, low_open=True, high_open=True)
        if self._fitted().is_quantized:
            raise OptionError(f"dynamic_rate = {dynamic_rate:g}: weights of 8 bits cannot learn; use those of 32 bits")
        stream = np.concatenate(list(self.streams(source, field=field, skip_symbols=skip_symbols)))
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
        for word_id in as_ids(self.vocabulary, ids):
            state = self.advance(state, word_id)
        return state

    def advance(self, state: RecurrentState, word_id: str | int) -> RecurrentState:
        """The state after one more symbol; ``</s>`` changes nothing, as ``<s>`` is what a sentence begins with."""
        network: RecurrentNetwork = self._fitted()
        check_state(isinstance(state, RecurrentState) and state.hidden.shape == (self.hidden_size,))
        word_id = as_id(self.vocabulary, word_id)
        if word_id == EOS:
            return state
        layers = state.layers if self.carries_over or word_id != BOS else network.zero_states(1)
        with crew():
            hidden, layers = network.hidden_states(np.array([[word_id]], np.int32), layers)
        return RecurrentState(hidden[0, 0], layers)

    def distribution(self, state: RecurrentState) -> NDArray[np.float64]:
        """Probabilities of the next symbol, (words,); their sum is 1. The head gives ``<s>`` none, as it counts 0."""
        check_state(isinstance(state, RecurrentState) and state.hidden.shape == (self.hidden_size,))
        with crew():
            probabilities: NDArray[np.float64] = self._fitted().head.distribution(state.hidden)
        return probabilities
