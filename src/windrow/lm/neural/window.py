"""WindowLM: the neural probabilistic language model of Bengio et al. 2003."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings import WordVectors
from windrow.errors import OptionError
from windrow.estimator import takes_old_names
from windrow.lm.neural.base import NeuralLM
from windrow.lm.neural.settings import LINEAR, WINDOW_LM
from windrow.lm.neural.window_network import WindowNetwork, WindowTrainee, score_positions
from windrow.lm.next_word import as_id, as_ids, check_state
from windrow.lm.stream import Ids
from windrow.lm.symbols import BOS
from windrow.nn.layers import Dense
from windrow.nn.schedules import Schedule
from windrow.nn.training.report import Callback
from windrow.numeric.threads import crew

_LN_10 = np.log(10)

WindowState = tuple[int, ...]  # the last order - 1 ids


class WindowLM(NeuralLM):
    """p(word | the ``order`` - 1 words before it), by a network with one hidden layer of tanh.

    The context never crosses the start of a sentence: what lies before it reads as ``<s>``.

    Parameters
    ----------
    order : int in [2, 255], default 5
        Words in the window, the predicted one included. A longer one takes more time.
    embedding_size : int in [1, 100000], default 60
        Dimensions per word vector. It must be that of vectors, if they are given.
    hidden_size : int in [1, 100000], default 100
        Units in the hidden layer. Use more for a large text.
    direct : bool, default False
        Let the output layer see the word vectors, too, beside the hidden layer.
    batch_size : int >= 1, default 512
        Words per step. Larger ones are faster per epoch and need more epochs.
    clip : float > 0 or None, default None
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
    Bengio et al. 2003, "A neural probabilistic language model".

    Examples
    --------
    >>> from windrow import WindowLM
    >>> model = WindowLM(3, embedding_size=8, hidden_size=8, epochs=20).fit(["the cat sat", "the dog sat"] * 20)
    >>> model.top_words("the cat", 1)[0][0]
    'sat'
    """

    kind = "window-lm"
    settings = WINDOW_LM
    order: int
    direct: bool
    network_: WindowNetwork

    @takes_old_names
    def __init__(
        self,
        order: int = 5,
        embedding_size: int = 60,
        hidden_size: int = 100,
        *,
        direct: bool = False,
        batch_size: int = 512,
        clip: float | None = None,
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

    def _check_together(self) -> None:
        if self.tied and self.direct:
            raise OptionError("tied = True does not go with direct = True: the rows would be longer than the vectors")
        super()._check_together()

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
        steps = self._head_learns(head)
        return WindowNetwork(embeddings, dense, head, direct=self.direct, dropout=self.dropout, head_learns=steps)

    def _trainee(self, stream: Ids, valid: Ids | None) -> WindowTrainee:
        sizes = {"window": self.order - 1, "batch_size": self.batch_size}
        return WindowTrainee(self.network_, stream, valid, **sizes, seed=self.seed, l2=self.l2)

    # --- the language model

    def score_stream(self, stream: Ids) -> NDArray[np.float64]:
        """log10 probability of each symbol given those before it in its sentence, 0 at ``<s>``; (symbols,)."""
        with crew():
            log_probs = score_positions(self._fitted(), stream, self.order - 1)
        log_probs /= _LN_10
        return log_probs

    def start(self, ids: Sequence[int] | Ids = (BOS,)) -> WindowState:
        """The state after these ids: the last ``order`` - 1 of them."""
        state: WindowState = (BOS,) * (self.order - 1)
        self._fitted()
        for word_id in as_ids(self.vocabulary, ids):
            state = self.advance(state, word_id)
        return state

    def advance(self, state: WindowState, word_id: str | int) -> WindowState:
        """The state after one more word; ``<s>`` begins a sentence."""
        self._fitted()
        check_state(type(state) is tuple and len(state) == self.order - 1)
        word_id = as_id(self.vocabulary, word_id)
        return (BOS,) * len(state) if word_id == BOS else (*state[1:], word_id)

    def distribution(self, state: WindowState) -> NDArray[np.float64]:
        """Probabilities of the next symbol, (words,); their sum is 1. The head gives ``<s>`` none, as it counts 0."""
        network = self._fitted()
        check_state(type(state) is tuple and len(state) == self.order - 1)
        with crew():
            (hidden,) = network.hidden_rows(np.array([state], np.int32))
            probabilities: NDArray[np.float64] = network.head.distribution(hidden)
        return probabilities
