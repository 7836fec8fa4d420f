"""What the neural language models share: parameters of training, fit, checkpoints, files."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from math import inf
from typing import Any, ClassVar, Self, Unpack

import numpy as np

from windrow.bars import training_bar
from windrow.corpus import Corpus
from windrow.corpus.opening import as_corpus
from windrow.embeddings import WordVectors
from windrow.embeddings.given_vectors import check_given, open_given, take_given
from windrow.errors import DataError, FormatError, NotFittedError, OptionError, shown
from windrow.estimator import OldName, current_names
from windrow.files import model_file
from windrow.files.model_file import StoredModel
from windrow.lm.base import LanguageModel, WordScore
from windrow.lm.generation import Generation, GenerationOptions
from windrow.lm.neural.network import LMTrainee, NeuralNetwork
from windrow.lm.neural.settings import LINEAR
from windrow.lm.neural.stored_parts import check_size, fill_network
from windrow.lm.next_word import Tokens
from windrow.lm.storing import from_plain, pack_vocabulary, plain, provenance_of, unpack_vocabulary
from windrow.lm.stream import Ids, lm_vocabulary, training_stream, unknown_share, word_mapping
from windrow.lm.symbols import BOS, EOS, SPECIALS, UNK
from windrow.machine import check_memory
from windrow.nn.optimizers import find_optimizer, least_bytes
from windrow.nn.parameters import Array, Parameter, SparseParameter, WordParameter
from windrow.nn.schedules import SCHEDULES, Plateau, Schedule, find_schedule
from windrow.nn.training.checkpoint import with_new_names
from windrow.nn.training.continuing import RECORD, ContinuingEstimator, TrainingState, tell_unknown
from windrow.nn.training.fitting import all_or_nothing
from windrow.nn.training.loop import Plan, Training
from windrow.nn.training.report import Callback, facts_of
from windrow.nn.training.stopping import EarlyStopping
from windrow.numeric.threads import crew
from windrow.outputs import output_layer
from windrow.outputs.contract import OutputLayer, OutputOptions
from windrow.outputs.quantized import BITS

_PLATEAU = Plateau(patience=1)  # an epoch of text is long: an epoch without a better validation is enough
_EMBEDDING_SCALE = 0.1
# From a run to the one that resumes it.
_MAY_CHANGE = ("epochs", "patience", "quantize_bits", "workers")
_NOT_STORED = ("vectors", "callbacks")
_OWN_ATTRIBUTES = ("history", RECORD)  # of what the provenance in a file has


class NeuralLM(ContinuingEstimator, LanguageModel):
    """A language model that is a network, trained in minibatches.

    A subclass has the parameters named below in its constructor; it makes its network and says how to train it.
    """

    kind: ClassVar[str]  # what its files are called
    output = OldName("output_layer")
    quantise_bits = OldName("quantize_bits")

    embedding_size: int
    hidden_size: int
    output_layer: str
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
    quantize_bits: int | None
    workers: int
    callbacks: Sequence[Callback]

    network_: NeuralNetwork
    history_: list[dict[str, Any]]
    given_words_ = 0  # how many words of the vocabulary began with a vector of ``vectors``

    # --- what a subclass adds

    @abstractmethod
    def _new_network(self, rng: np.random.Generator, given: WordVectors | None = None) -> NeuralNetwork:
        """The untrained network for the vocabulary; words that are in ``given`` begin with the vectors there."""

    @abstractmethod
    def _trainee(self, stream: Ids, valid: Ids | None) -> LMTrainee:
        """What learns from a stream: ``network_``."""

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
        super().check_parameters()
        self._check_objects()
        self._check_together()

    def _check_together(self) -> None:
        """Raise OptionError for combinations of parameters that are not allowed."""
        if self.tied and self.embedding_size != self._head_size:
            raise OptionError(
                f"tied = True needs embedding_size = {self._head_size}, as large as the rows that the output layer "
                f"sees, not {self.embedding_size}"
            )
        head = output_layer(self.output_layer)
        if self.tied and not head.can_tie:
            told = f"tied = True does not go with output_layer = {self.output_layer!r}"
            raise OptionError(f"{told}; try 'softmax' or 'nce'")
        if self.quantize_bits is not None and not head.can_tie:
            told = f"quantize_bits = {self.quantize_bits} does not go with output_layer = {self.output_layer!r}"
            raise OptionError(f"{told}; try 'softmax' or 'nce'")
        self._head_options().check()

    def _check_objects(self) -> None:
        """Raise OptionError for a list or an object of another kind than it must be."""
        if len(self.cutoffs) > 100:
            raise OptionError(f"cutoffs = {shown(self.cutoffs)} must be at most 100 ranks")
        check_given(self.vectors)

    def fit(
        self,
        source: Any,
        *,
        field: str | None = None,
        valid: Any = None,
        continue_from: Self | str | os.PathLike[str] | None = None,
        keep_training_state: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: int = 1,
        resume: bool = False,
        progress: Callback | bool | None = None,
    ) -> Self:
        """Train on ``source``, a Corpus or what ``Corpus.build`` takes; ``callbacks`` get a Report after each epoch.

        ``field``: the column or field of the text, where ``source`` and ``valid`` are tables or name files of records.
        With ``valid``, text held back, the parameters of its best epoch are kept, and training ends after ``patience``
        epochs without a better one.

        ``continue_from``, a trained model or its file, is trained further, by the rate, optimizer, epochs and other
        settings of this estimator. Its vocabulary stays, and the settings of vocabulary and shape are taken from it;
        one that is given must agree. Words that it does not know are ``<unk>``; a DataWarning says how many, if more
        than in its own text.
        The optimizer starts again, unless it is of the same rule and the model was trained with
        ``keep_training_state``, which keeps that of the last epoch, also in the file. The order of the text and what is
        dropped are those of the epochs that follow.

        ``checkpoint``: a file that keeps the state after every ``checkpoint_every``
        epochs, and after the last one (0: it is only read); where it cannot be written training goes on, with a
        DataWarning. ``resume`` goes on from there to the same model as without the stop, if the file is there.
        ``progress``: True for a bar, or a function that gets a Report several times a second. A model that was trained
        before stays as it was when this fails. Raises OptionError, DataError for text that cannot be used,
        DivergedError (a first fit keeps the last good parameters).
        """
        with all_or_nothing(self, "history_") as retrains:
            model, resume = self._check_fit(
                continue_from, checkpoint, checkpoint_every, resume, progress, retrains=retrains, valid=valid
            )
            self._check_state(keep_training_state)
            given = None if model is not None else self._given_vectors()
            reader = None if model is None else model.reader
            corpus = as_corpus(source, field, reader, shows_bar=progress is True)
            mapping = self._learn_words(corpus) if model is None else self._take_words(corpus, model)
            self.given_words_, self.provenance_ = 0, provenance_of(corpus)
            self.reader = corpus.reader
            held_back = None if valid is None else as_corpus(valid, field, self.reader)
            stream, valid_stream = training_stream(corpus, mapping), self._valid_stream(held_back)
            self._check_memory()
            self.network_ = self._new_network(np.random.default_rng(self.seed), given)
            if model is not None:
                self.network_.take(model.network_)
            training = Training(self._trainee(stream, valid_stream), self._plan(valid_stream), retrains=retrains)
            self._begin_where_it_ended(training, model)
            described = self._described(corpus, held_back)
            if checkpoint is not None and resume:
                training.restore(checkpoint, {**described, "output": self.output_layer})  # its name of before
            self.history_ = training.history
            with training_bar(progress, "words") as bar:
                callbacks = [*bar.callbacks, *self.callbacks]
                training.run(callbacks, bar.progress, checkpoint, described, checkpoint_every)
            if keep_training_state:
                self.training_state_ = TrainingState.of(training.plan.optimizer, training.trainee.state())
            if self.quantize_bits is not None:
                self.network_.quantize()
        return self

    def sizes(self) -> dict[str, object]:
        """``words``, special symbols such as ``<s>`` not counted; empty before ``fit``."""
        return self.vocabulary.sizes() if hasattr(self, "network_") else {}

    def _facts(self) -> dict[str, object]:
        return {**self.sizes(), **facts_of(getattr(self, "history_", ()))}

    def _check_state(self, is_kept: bool) -> None:
        if is_kept and self.quantize_bits is not None:
            raise OptionError(
                f"keep_training_state = True has no effect with quantize_bits = {self.quantize_bits}: weights of 8 "
                "bits cannot learn; leave one of them out"
            )

    def _learn_words(self, corpus: Corpus) -> Ids:
        """Set the vocabulary to the words of a text; returns the id of each word of the corpus."""
        self.vocabulary, mapping = lm_vocabulary(corpus, self.min_count, self.max_vocab, skip_symbols=self.skip_symbols)
        return mapping

    def _take_words(self, corpus: Corpus, model: Self) -> Ids:
        """Set the vocabulary to that of the model to continue; returns the id of each word of the corpus."""
        if model.network_.is_quantized:
            raise DataError(
                "the model to continue has output weights of 8 bits, which cannot learn; take it as it was before "
                "they were rounded"
            )
        self.vocabulary = model.vocabulary
        mapping = word_mapping(corpus, self.vocabulary, skip_symbols=self.skip_symbols)
        share = unknown_share(corpus, mapping)
        if share == 1:
            raise DataError(f"the model to continue knows no word of {corpus.name}; are both cut into words alike?")
        counts = self.vocabulary.counts
        before = int(counts[UNK]) / max(int(counts.sum() - counts[EOS]), 1)
        if share > before:
            tell_unknown(share, corpus.name, f" ({before:.2%} in its training text)" if before else "")
        return mapping

    def _trained_parameters(self) -> Iterable[Array]:
        return [self.network_.values()]

    def quantized(self, bits: int = BITS) -> Self:
        """The model with output weights of 8 bits: text comes about twice as fast.

        The file is smaller, too, unless they were tied to the word vectors.
        """
        other = type(self).from_stored(self.to_stored(), "the model")
        other.reader, other.training_state_ = self.reader, None
        is_quantized, other.quantize_bits = other.network_.is_quantized, bits
        other.check_parameters()
        if not is_quantized:
            other.network_.quantize()
        return other

    quantised = quantized

    def _valid_stream(self, corpus: Corpus | None) -> Ids | None:
        if corpus is None:
            return None
        return training_stream(corpus, word_mapping(corpus, self.vocabulary, skip_symbols=self.skip_symbols))

    def _plain_parameters(self) -> dict[str, Any]:
        """The parameters as data that a file's header can hold."""
        parameters = {name: plain(value) for name, value in self.get_params().items() if name not in _NOT_STORED}
        # A schedule of one's own goes by its name: what else it prints may be another in each process.
        schedule = getattr(self.schedule, "__qualname__", str(self.schedule))
        return {**parameters, "schedule": schedule}

    def _described(self, corpus: Corpus, valid: Corpus | None) -> dict[str, Any]:
        """What a checkpoint must agree on: parameters and texts."""
        parameters = {name: value for name, value in self._plain_parameters().items() if name not in _MAY_CHANGE}
        if self.schedule == LINEAR:
            parameters["epochs"] = self.epochs  # the rate of every step depends on them
        return {**parameters, "text": corpus.fingerprint, "valid": valid and valid.fingerprint, **self._identity()}

    def _plan(self, valid: Ids | None) -> Plan:
        optimizer = find_optimizer(self.optimizer, self.momentum)
        return Plan(
            optimizer=optimizer,
            learning_rate=optimizer.default_rate if self.learning_rate is None else self.learning_rate,
            schedule=self._find_schedule(),
            epochs=self.epochs,
            clip_norm=self.clip,
            stopping=None if valid is None else EarlyStopping(inf if self.patience is None else self.patience),
            workers=self.workers,
            clip_name="clip",
        )

    def _find_schedule(self) -> Schedule | None:
        if self.schedule == LINEAR:
            return None
        return _PLATEAU if self.schedule == "plateau" else find_schedule(self.schedule)

    # --- parts of the network

    def _check_memory(self) -> None:
        """Raise OptionError if the network will not fit into memory together with what its training keeps."""
        words = len(self.vocabulary)
        numbers = words * (self.embedding_size + (0 if self.tied else self._head_size)) + self._hidden_numbers()
        check_memory(
            least_bytes(numbers, self.optimizer),
            f"{numbers:,} parameters for {words:,} words",
            "lower embedding_size or hidden_size, or raise min_count",
        )

    def _head_options(self) -> OutputOptions:
        return OutputOptions(
            classes=self.classes,
            objective=self.objective,
            noise_words=self.noise_words,
            noise_power=self.noise_power,
            cutoffs=tuple(self.cutoffs),
            shrink=self.shrink,
        )

    def _new_embeddings(self, rng: np.random.Generator, given: WordVectors | None) -> Parameter | SparseParameter:
        """The first word vectors: those of ``given`` where it has the word."""
        vectors = rng.normal(0, _EMBEDDING_SCALE, (len(self.vocabulary), self.embedding_size)).astype(np.float32)
        if given is not None:
            own = range(len(SPECIALS), len(self.vocabulary))
            self.given_words_ = take_given(vectors, self.vocabulary.words, given, own, self.vectors)
        is_dense = self.tied and not output_layer(self.output_layer).is_sparse
        return Parameter(vectors) if is_dense else WordParameter(vectors)

    def _new_head(self, rng: np.random.Generator, embeddings: Parameter | SparseParameter) -> OutputLayer:
        counts = np.array(self.vocabulary.counts, np.int64)
        counts[BOS] = 0
        counts[UNK] = max(counts[UNK], 1)  # a text may hold unknown words where this one did not
        counts[EOS] = max(counts[EOS], 1)
        tied = embeddings if self.tied else None
        return output_layer(self.output_layer)(
            counts, self._head_size, rng, np.float32, self._head_options(), tied=tied
        )

    def _head_learns(self, head: OutputLayer) -> bool:
        """Whether the head can take its steps by itself, without an array of gradients."""
        return self.optimizer == "sgd" and head.has_sgd_step and not (self.tied or self.l2 or self.clip)

    def _given_vectors(self) -> WordVectors | None:
        """The word vectors to begin with; OptionError when they are of another size."""
        return None if self.vectors is None else open_given(self.vectors, self.embedding_size, "embedding_size")

    def streams(self, source: Any, *, field: str | None = None, skip_symbols: bool = False) -> Iterator[Ids]:
        """A text as streams of whole sentences in the model's ids; raises as ``evaluate``."""
        self._fitted()
        return super().streams(source, field=field, skip_symbols=skip_symbols)

    def encode(self, tokens: Tokens, *, bos: bool = True, eos: bool = False) -> Ids:
        """The ids of a sentence, or the beginning of one; see LanguageModel."""
        self._fitted()
        return super().encode(tokens, bos=bos, eos=eos)

    def iter_word_scores(self, tokens: Tokens, *, bos: bool = True, eos: bool = True) -> Iterator[WordScore]:
        """The scores of the words of a sentence, one after another; see LanguageModel."""
        self._fitted()
        return super().iter_word_scores(tokens, bos=bos, eos=eos)

    def generate(self, prompt: Tokens = "", **options: Unpack[GenerationOptions]) -> list[Generation]:
        """Texts that go on from a prompt; see LanguageModel."""
        with crew():  # once, not at each word
            return super().generate(prompt, **options)

    def _fitted(self) -> Any:
        """The trained network, of the subclass's own type."""
        if not hasattr(self, "network_"):
            raise NotFittedError(f"this {type(self).__name__} is not trained; call fit first")
        return self.network_

    # --- files

    def to_stored(self) -> StoredModel:
        """The model as named arrays and plain data."""
        network: NeuralNetwork = self._fitted()
        config, provenance, state = self._packed()
        arrays = {**network.arrays, **pack_vocabulary(self.vocabulary), **state}
        # While it is trained, and where training diverged, weights are not rounded yet.
        parameters = {**self._plain_parameters(), "quantize_bits": BITS if network.is_quantized else None}
        provenance = {**self.provenance_, **provenance, "history": self.history_}
        return StoredModel(self.kind, {**parameters, **config}, provenance, arrays)

    @classmethod
    def from_stored(cls, stored: StoredModel, path: str | os.PathLike[str]) -> Self:
        """The inverse of ``to_stored``; FormatError names ``path`` when the arrays do not fit the configuration."""
        vocabulary = unpack_vocabulary(stored, path)
        try:
            known = cls().get_params()
            config = current_names(cls, stored.config)
            model = cls(**{name: from_plain(value) for name, value in config.items() if name in known})
            if model.schedule not in SCHEDULES:  # a schedule of one's own, which a file cannot hold
                model.schedule = LINEAR
            model.check_parameters()
        except (TypeError, OptionError) as error:
            raise FormatError(
                f"{path} has no sound configuration of a {cls.__name__} ({error}); train it again"
            ) from error
        model.vocabulary = vocabulary
        words = len(vocabulary)
        # Output layers with clusters hold less than a row of full length a word, though never 64 times less.
        least = max(words * model.embedding_size, words * model._head_size // 64, model._hidden_numbers())
        check_size(least, stored, path)
        model.network_ = model._new_network(np.random.default_rng(model.seed))
        model.provenance_ = {name: value for name, value in stored.provenance.items() if name not in _OWN_ATTRIBUTES}
        model.history_ = [with_new_names(row) for row in stored.provenance.get("history", [])]
        model._unpack(stored, path)
        if model.quantize_bits is not None:
            model.network_.quantize()
        fill_network(model.network_, stored, path)
        return model

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Open a model file; FormatError when it is damaged or of another kind."""
        stored = model_file.load(path, cls.kind)
        with model_file.parts_of(path):
            return cls.from_stored(stored, path)
