"""WindowLM: the neural probabilistic language model of Bengio et al. 2003."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from windrow import storage
from windrow.corpus import Corpus, Vocabulary
from windrow.embeddings import WordVectors
from windrow.embeddings.formats import load_vectors
from windrow.errors import FormatError, NotFittedError, OptionError, check_range, check_whole
from windrow.estimator import Estimator
from windrow.lm.base import LanguageModel, pack_vocabulary, unpack_vocabulary
from windrow.lm.heads import head_type
from windrow.lm.heads.head import Head, HeadOptions
from windrow.lm.stream import BOS, EOS, SPECIALS, UNK, Ids, lm_vocabulary, training_stream, word_mapping
from windrow.lm.window_network import WindowNetwork
from windrow.lm.window_training import Callback, Plan, WindowTraining, score_positions
from windrow.nn.initialisers import initial_weights
from windrow.nn.optimizers import find_optimizer
from windrow.nn.parameters import Parameter, Table
from windrow.nn.schedules import Schedule, find_schedule

KIND = "window-lm"
SCHEDULE = "linear"  # to 0 at the end of the last epoch; besides those of windrow.nn
_EMBEDDING_SCALE = 0.1
_MAY_CHANGE = ("epochs", "patience", "workers", "callbacks", "vectors")  # from a run to the one that resumes it
_LN_10 = np.log(10)

State = tuple[int, ...]  # the last order - 1 ids


class WindowLM(Estimator, LanguageModel):
    """p(word | the ``order`` - 1 words before it), by a network with one hidden layer of tanh.

    The context never crosses the start of a sentence: what lies before it reads as ``<s>``. ``output``: a name of
    ``windrow.lm.heads.HEADS``; ``direct``: the output also sees the word vectors; ``tied``: it shares them as weights
    (``embedding_size`` = ``hidden_size``); ``vectors``: WordVectors, or a file of them, to begin with. ``dropout`` of
    hidden numbers and word vectors; ``l2`` on weights. Training: ``optimizer`` and ``schedule`` by the names of
    ``windrow.nn`` ("linear" falls to 0 by the last epoch), ``learning_rate`` (None: the optimiser's own) of the mean
    loss, ``clip`` its gradient's length, ``patience`` epochs without a better validation until it stops. ``objective``,
    ``noise_words``, ``noise_power``, ``classes``, ``cutoffs``, ``shrink``: see HeadOptions. ``workers``: BLAS threads.

    After ``fit``: ``network_``, ``vocabulary``, ``history_`` (a dict an epoch).
    """

    vocabulary: Vocabulary

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
        schedule: str | Schedule = SCHEDULE,
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
        seed: int = 1,
        workers: int = 1,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self.order = order
        self.embedding_size = embedding_size
        self.hidden_size = hidden_size
        self.output = output
        self.direct = direct
        self.tied = tied
        self.vectors = vectors
        self.dropout = dropout
        self.l2 = l2
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.schedule = schedule
        self.epochs = epochs
        self.batch_size = batch_size
        self.clip = clip
        self.patience = patience
        self.min_count = min_count
        self.max_vocab = max_vocab
        self.skip_symbols = skip_symbols
        self.objective = objective
        self.noise_words = noise_words
        self.noise_power = noise_power
        self.classes = classes
        self.cutoffs = cutoffs
        self.shrink = shrink
        self.seed = seed
        self.workers = workers
        self.callbacks = callbacks

    # --- training

    def check_parameters(self) -> None:
        """Raise OptionError for a parameter out of range, before any work."""
        check_range("order", check_whole("order", self.order), 2, 255)
        for name in ("embedding_size", "hidden_size", "epochs", "batch_size", "min_count", "workers"):
            check_range(name, check_whole(name, getattr(self, name)), 1)
        check_range("seed", check_whole("seed", self.seed), 0)
        check_range("dropout", self.dropout, 0, 1, high_open=True)
        check_range("l2", self.l2, 0)
        for name in ("learning_rate", "clip"):
            if getattr(self, name) is not None:
                check_range(name, getattr(self, name), 0, low_open=True)
        if self.patience is not None:
            check_range("patience", check_whole("patience", self.patience), 1)
        if self.max_vocab is not None:
            check_range("max_vocab", check_whole("max_vocab", self.max_vocab), len(SPECIALS) + 1)
        if self.tied and self.embedding_size != self.hidden_size + self._direct_size():
            raise OptionError(
                f"tied = True needs embedding_size = hidden_size and direct = False, not {self.embedding_size} and "
                f"{self.hidden_size}"
            )
        if self.tied and not head_type(self.output).can_tie:
            raise OptionError(f"tied = True does not go with output = {self.output!r}; try 'softmax' or 'nce'")
        head_type(self.output)
        self._head_options().check()
        find_optimizer(self.optimizer, self.momentum)
        if self.schedule != SCHEDULE:
            find_schedule(self.schedule)

    def fit(
        self,
        source: Any,
        *,
        valid: Any = None,
        checkpoint: str | os.PathLike[str] | None = None,
        resume: bool = False,
        progress: Callback | None = None,
    ) -> Self:
        """Train on ``source``, a Corpus or what ``Corpus.build`` takes; ``callbacks`` get a Report after each epoch.

        With ``valid``, text held back, the parameters of its best epoch are kept, and training ends after ``patience``
        epochs without a better one. ``checkpoint``: a file that keeps the state after each epoch; ``resume`` goes on
        from there to the same model as without the stop. ``progress`` gets a Report several times a second.
        Raises OptionError, DataError for text that cannot be used, DivergedError (the last good parameters are kept).
        """
        self.check_parameters()
        if checkpoint is not None:
            storage.check_writable(checkpoint)
        given = self._given_vectors()
        corpus = source if isinstance(source, Corpus) else Corpus.build(source)
        vocabulary, mapping = lm_vocabulary(corpus, self.min_count, self.max_vocab, skip_symbols=self.skip_symbols)
        self.vocabulary = vocabulary
        self.network_ = self._new_network(np.random.default_rng(self.seed), given)
        training = WindowTraining(
            self.network_, self._plan(), training_stream(corpus, mapping), self._valid_stream(valid), self.order - 1
        )
        described = self._described(corpus)
        self.history_: list[dict[str, Any]] = training.history
        if checkpoint is not None and resume and Path(checkpoint).exists():
            training.restore(checkpoint, described)
            self.history_ = training.history
        training.run(self.callbacks, progress, checkpoint, described)
        return self

    def _valid_stream(self, valid: Any) -> Ids | None:
        if valid is None:
            return None
        corpus = valid if isinstance(valid, Corpus) else Corpus.build(valid)
        return training_stream(corpus, word_mapping(corpus, self.vocabulary, skip_symbols=self.skip_symbols))

    def _described(self, corpus: Corpus) -> dict[str, Any]:
        """What a checkpoint must agree on: parameters and text."""
        parameters = {name: value for name, value in self.get_params().items() if name not in _MAY_CHANGE}
        parameters |= {"schedule": str(self.schedule), "cutoffs": list(self.cutoffs)}
        if self.schedule == SCHEDULE:
            parameters["epochs"] = self.epochs  # the rate of every step depends on them
        text = {"tokens": corpus.tokens, "sentences": len(corpus), "words": len(self.vocabulary)}
        return {**parameters, "text": text}

    def _plan(self) -> Plan:
        optimizer = find_optimizer(self.optimizer, self.momentum)
        return Plan(
            optimizer=optimizer,
            learning_rate=optimizer.default_rate if self.learning_rate is None else self.learning_rate,
            schedule=None if self.schedule == SCHEDULE else find_schedule(self.schedule),
            epochs=self.epochs,
            batch_size=self.batch_size,
            clip=self.clip,
            l2=self.l2,
            patience=self.patience,
            seed=self.seed,
            workers=self.workers,
        )

    # --- the network

    def _direct_size(self) -> int:
        return (self.order - 1) * self.embedding_size if self.direct else 0

    def _head_options(self) -> HeadOptions:
        return HeadOptions(
            classes=self.classes,
            objective=self.objective,
            noise_words=self.noise_words,
            noise_power=self.noise_power,
            cutoffs=tuple(self.cutoffs),
            shrink=self.shrink,
        )

    def _new_network(self, rng: np.random.Generator, given: WordVectors | None = None) -> WindowNetwork:
        """The untrained network for the vocabulary; words that are in ``given`` begin with the vectors there."""
        inputs = (self.order - 1) * self.embedding_size
        vectors = rng.normal(0, _EMBEDDING_SCALE, (len(self.vocabulary), self.embedding_size)).astype(np.float32)
        if given is not None:
            known = [row for row, word in enumerate(self.vocabulary.words) if word in given.key_to_index]
            vectors[known] = given.vectors[[given.key_to_index[self.vocabulary.words[row]] for row in known]]
        embeddings = Parameter(vectors) if self.tied else Table(vectors)
        weights = initial_weights("scaled", inputs, self.hidden_size, rng).astype(np.float32)
        head = self._new_head(rng, embeddings)
        apart = self.optimizer == "sgd" and head.has_sgd_step and not (self.tied or self.l2 or self.clip)
        return WindowNetwork(embeddings, weights, head, direct=self.direct, dropout=self.dropout, apart=apart)

    def _new_head(self, rng: np.random.Generator, embeddings: Parameter | Table) -> Head:
        counts = np.array(self.vocabulary.counts, np.int64)
        counts[BOS] = 0
        counts[UNK] = max(counts[UNK], 1)  # a text may hold unknown words where this one did not
        counts[EOS] = max(counts[EOS], 1)
        tied = embeddings if isinstance(embeddings, Parameter) else None
        size = self.hidden_size + self._direct_size()
        return head_type(self.output)(counts, size, rng, np.float32, self._head_options(), tied=tied)

    def _given_vectors(self) -> WordVectors | None:
        """The word vectors to begin with; OptionError when they are of another size."""
        if self.vectors is None:
            return None
        given = self.vectors if isinstance(self.vectors, WordVectors) else load_vectors(self.vectors)
        if given.vector_size != self.embedding_size:
            raise OptionError(
                f"vectors have {given.vector_size} dimensions, but embedding_size = {self.embedding_size}; "
                f"try embedding_size = {given.vector_size}"
            )
        return given

    # --- the language model

    def score_stream(self, stream: Ids) -> NDArray[np.float64]:
        """log10 probability of each symbol given those before it in its sentence, 0 at ``<s>``; (symbols,)."""
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
        hidden = network.hidden_rows(np.array([state], np.int32))
        probabilities: NDArray[np.float64] = np.exp(network.head.log_distribution(hidden)[0].astype(np.float64))
        probabilities /= probabilities.sum()
        return probabilities

    def _fitted(self) -> WindowNetwork:
        if not hasattr(self, "network_"):
            raise NotFittedError("this WindowLM is not trained; call fit first")
        return self.network_

    # --- files

    def to_stored(self) -> storage.StoredModel:
        """The model as named arrays and plain data."""
        network = self._fitted()
        left_out = {"vectors", "callbacks"}
        config = {name: value for name, value in self.get_params().items() if name not in left_out}
        config |= {"schedule": str(self.schedule), "cutoffs": list(self.cutoffs)}
        arrays = {name: parameter.value for name, parameter in network.named.items()}
        arrays |= pack_vocabulary(self.vocabulary)
        return storage.StoredModel(KIND, config, {"history": self.history_}, arrays)

    @classmethod
    def from_stored(cls, stored: storage.StoredModel, path: str | os.PathLike[str]) -> Self:
        """The inverse of ``to_stored``; FormatError names ``path`` when the arrays do not fit the configuration."""
        vocabulary = unpack_vocabulary(stored, path)
        try:
            config = {name: value for name, value in stored.config.items() if name in cls().get_params()}
            model = cls(**config)
            if isinstance(model.schedule, str) and model.schedule != SCHEDULE:
                model.schedule = SCHEDULE if "(" in model.schedule else model.schedule
            model.check_parameters()
        except (TypeError, OptionError) as error:
            raise FormatError(f"{path} has no sound configuration of a WindowLM ({error}); train it again") from error
        model.vocabulary = vocabulary
        model.network_ = model._new_network(np.random.default_rng(model.seed))
        model.history_ = stored.provenance.get("history", [])
        for name, parameter in model.network_.named.items():
            array = stored.arrays.get(name)
            if array is None or array.shape != parameter.value.shape or array.dtype != parameter.value.dtype:
                found = "missing" if array is None else f"{array.dtype} {array.shape}"
                raise FormatError(
                    f"{path}: {name} is {found}, but should be {parameter.value.dtype} {parameter.value.shape}; "
                    "train the model again"
                )
            storage.check_finite(array.reshape(len(array), -1), name, path)
            parameter.value[:] = array
        return model

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Open a model file; FormatError when it is damaged or of another kind."""
        return cls.from_stored(storage.load(path, KIND), path)
