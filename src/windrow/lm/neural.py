"""What the neural language models share: parameters of training, fit, checkpoints, files."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from windrow import storage
from windrow.corpus import Corpus
from windrow.embeddings import WordVectors
from windrow.embeddings.formats import load_vectors
from windrow.errors import FormatError, NotFittedError, OptionError, check_range, check_whole
from windrow.estimator import Estimator
from windrow.lm.base import LanguageModel, pack_vocabulary, provenance_of, unpack_vocabulary
from windrow.lm.heads import head_type
from windrow.lm.heads.head import Head, HeadOptions
from windrow.lm.neural_network import NeuralNetwork
from windrow.lm.neural_training import Callback, NeuralTraining, Plan
from windrow.lm.stream import BOS, EOS, SPECIALS, UNK, Ids, lm_vocabulary, training_stream, word_mapping
from windrow.lm.word_table import WordTable
from windrow.nn.optimizers import find_optimizer
from windrow.nn.parameters import Parameter, Table
from windrow.nn.schedules import SCHEDULES, Plateau, Schedule, find_schedule

LINEAR = "linear"  # a schedule besides those of windrow.nn: falls to 0 at the end of the last epoch
_PLATEAU = Plateau(patience=1)  # an epoch of text is long: an epoch without a better validation is enough
_EMBEDDING_SCALE = 0.1
_MAY_CHANGE = ("epochs", "patience", "workers", "callbacks", "vectors")  # from a run to the one that resumes it
_NOT_STORED = ("vectors", "callbacks")


class NeuralLM(Estimator, LanguageModel):
    """A language model that is a network, trained in minibatches.

    A subclass has the parameters named below in its constructor; it makes its network and says how to train it.
    """

    kind: ClassVar[str]  # what its files are called
    embedding_size: int
    hidden_size: int
    output: str
    tied: bool
    vectors: WordVectors | str | os.PathLike[str] | None
    dropout: float
    l2: float
    optimizer: str
    learning_rate: float | None
    momentum: float
    schedule: str | Schedule
    epochs: int
    batch_size: int
    clip: float | None
    patience: int | None
    min_count: int
    max_vocab: int | None
    skip_symbols: bool
    objective: str
    noise_words: int
    noise_power: float
    classes: int
    cutoffs: Sequence[int]
    shrink: float
    seed: int
    workers: int
    callbacks: Sequence[Callback]

    network_: NeuralNetwork
    history_: list[dict[str, Any]]

    # --- what a subclass adds

    @abstractmethod
    def _new_network(self, rng: np.random.Generator, given: WordVectors | None = None) -> NeuralNetwork:
        """The untrained network for the vocabulary; words that are in ``given`` begin with the vectors there."""

    @abstractmethod
    def _training(self, stream: Ids, valid: Ids | None) -> NeuralTraining:
        """The training of ``network_`` on a stream."""

    @abstractmethod
    def _hidden_numbers(self) -> int:
        """How many parameters the layers between word vectors and output have, biases apart."""

    @property
    def _head_size(self) -> int:
        """Of the rows that the output layer sees."""
        return self.hidden_size

    # --- training

    def check_parameters(self) -> None:
        """Raise OptionError for a parameter out of range, before any work."""
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
        if self.tied and self.embedding_size != self._head_size:
            raise OptionError(
                f"tied = True needs embedding_size = {self._head_size}, as large as the rows that the output layer "
                f"sees, not {self.embedding_size}"
            )
        if self.tied and not head_type(self.output).can_tie:
            raise OptionError(f"tied = True does not go with output = {self.output!r}; try 'softmax' or 'nce'")
        head_type(self.output)
        self._head_options().check()
        find_optimizer(self.optimizer, self.momentum)
        self._find_schedule()

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
        self.vocabulary, self.provenance_ = vocabulary, provenance_of(corpus)
        held_back = self._held_back(valid)
        self.network_ = self._new_network(np.random.default_rng(self.seed), given)
        training = self._training(training_stream(corpus, mapping), self._valid_stream(held_back))
        described = self._described(corpus, held_back)
        self.history_ = training.history
        if checkpoint is not None and resume and Path(checkpoint).exists():
            training.restore(checkpoint, described)
            self.history_ = training.history
        training.run(self.callbacks, progress, checkpoint, described)
        return self

    def _held_back(self, valid: Any) -> Corpus | None:
        return valid if valid is None or isinstance(valid, Corpus) else Corpus.build(valid, **self.text_settings)

    def _valid_stream(self, corpus: Corpus | None) -> Ids | None:
        if corpus is None:
            return None
        return training_stream(corpus, word_mapping(corpus, self.vocabulary, skip_symbols=self.skip_symbols))

    def _plain_parameters(self) -> dict[str, Any]:
        """The parameters as data that a file's header can hold."""
        parameters = {name: value for name, value in self.get_params().items() if name not in _NOT_STORED}
        # A schedule of one's own goes by its name: what else it prints may be another in each process.
        schedule = getattr(self.schedule, "__qualname__", str(self.schedule))
        return {**parameters, "schedule": schedule, "cutoffs": list(self.cutoffs)}

    def _described(self, corpus: Corpus, valid: Corpus | None) -> dict[str, Any]:
        """What a checkpoint must agree on: parameters and texts."""
        parameters = {name: value for name, value in self._plain_parameters().items() if name not in _MAY_CHANGE}
        if self.schedule == LINEAR:
            parameters["epochs"] = self.epochs  # the rate of every step depends on them
        text = {"corpus": corpus.fingerprint, "words": len(self.vocabulary)}
        return {**parameters, "text": text, "valid": valid and valid.fingerprint}

    def _plan(self) -> Plan:
        optimizer = find_optimizer(self.optimizer, self.momentum)
        return Plan(
            optimizer=optimizer,
            learning_rate=optimizer.default_rate if self.learning_rate is None else self.learning_rate,
            schedule=self._find_schedule(),
            epochs=self.epochs,
            batch_size=self.batch_size,
            clip=self.clip,
            l2=self.l2,
            patience=self.patience,
            seed=self.seed,
            workers=self.workers,
        )

    def _find_schedule(self) -> Schedule | None:
        if self.schedule == LINEAR:
            return None
        return _PLATEAU if self.schedule == "plateau" else find_schedule(self.schedule)

    # --- parts of the network

    def _head_options(self) -> HeadOptions:
        return HeadOptions(
            classes=self.classes,
            objective=self.objective,
            noise_words=self.noise_words,
            noise_power=self.noise_power,
            cutoffs=tuple(self.cutoffs),
            shrink=self.shrink,
        )

    def _new_embeddings(self, rng: np.random.Generator, given: WordVectors | None) -> Parameter | Table:
        """The first word vectors: those of ``given`` where it has the word."""
        vectors = rng.normal(0, _EMBEDDING_SCALE, (len(self.vocabulary), self.embedding_size)).astype(np.float32)
        if given is not None:
            known = [row for row, word in enumerate(self.vocabulary.words) if word in given.key_to_index]
            vectors[known] = given.vectors[[given.key_to_index[self.vocabulary.words[row]] for row in known]]
        is_dense = self.tied and not head_type(self.output).is_sparse
        return Parameter(vectors) if is_dense else WordTable(vectors)

    def _new_head(self, rng: np.random.Generator, embeddings: Parameter | Table) -> Head:
        counts = np.array(self.vocabulary.counts, np.int64)
        counts[BOS] = 0
        counts[UNK] = max(counts[UNK], 1)  # a text may hold unknown words where this one did not
        counts[EOS] = max(counts[EOS], 1)
        tied = embeddings if self.tied else None
        return head_type(self.output)(counts, self._head_size, rng, np.float32, self._head_options(), tied=tied)

    def _steps_apart(self, head: Head) -> bool:
        """Whether the head can take its steps by itself, without an array of gradients."""
        return self.optimizer == "sgd" and head.has_sgd_step and not (self.tied or self.l2 or self.clip)

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

    def _fitted(self) -> Any:
        """The trained network, of the subclass's own type."""
        if not hasattr(self, "network_"):
            raise NotFittedError(f"this {type(self).__name__} is not trained; call fit first")
        return self.network_

    # --- files

    def to_stored(self) -> storage.StoredModel:
        """The model as named arrays and plain data."""
        arrays = {name: parameter.value for name, parameter in self._fitted().named.items()}
        arrays |= pack_vocabulary(self.vocabulary)
        provenance = {**self.provenance_, "history": self.history_}
        return storage.StoredModel(self.kind, self._plain_parameters(), provenance, arrays)

    @classmethod
    def from_stored(cls, stored: storage.StoredModel, path: str | os.PathLike[str]) -> Self:
        """The inverse of ``to_stored``; FormatError names ``path`` when the arrays do not fit the configuration."""
        vocabulary = unpack_vocabulary(stored, path)
        try:
            known = cls().get_params()
            model = cls(**{name: value for name, value in stored.config.items() if name in known})
            if model.schedule not in SCHEDULES:  # a schedule of one's own, which a file cannot hold
                model.schedule = LINEAR
            model.check_parameters()
        except (TypeError, OptionError) as error:
            raise FormatError(
                f"{path} has no sound configuration of a {cls.__name__} ({error}); train it again"
            ) from error
        model.vocabulary = vocabulary
        _check_size(model, stored, path)
        model.network_ = model._new_network(np.random.default_rng(model.seed))
        model.provenance_ = {name: value for name, value in stored.provenance.items() if name != "history"}
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
        return cls.from_stored(storage.load(path, cls.kind), path)


def _check_size(model: NeuralLM, stored: storage.StoredModel, path: str | os.PathLike[str]) -> None:
    """Refuse a header that speaks of a far larger network than the file holds, before memory is taken for it."""
    held = sum(array.size for array in stored.arrays.values())
    words = len(model.vocabulary)
    # Output layers with clusters hold less than a row of full length a word, though never 64 times less.
    least = max(words * model.embedding_size, words * model._head_size // 64, model._hidden_numbers())
    if least > held:
        raise FormatError(f"{path} has {held:,} numbers, too few for its configuration ({least:,}); train it again")
