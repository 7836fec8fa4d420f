"""WindowTagger: which tag a word has, told by the words around it (Collobert et al. 2011).

Here are its parameters and its training; ``predict``, ``evaluate`` and files are in trained.py.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from copy import copy
from hashlib import blake2b
from typing import Any, Self

import numpy as np

from windrow.bars import training_bar
from windrow.embeddings.vectors import WordVectors
from windrow.errors import DataError, OptionError, warn
from windrow.estimator import OldName, takes_old_names
from windrow.machine import check_memory
from windrow.nn.optimizers import find_optimizer, least_bytes
from windrow.nn.parameters import Array
from windrow.nn.schedules import Schedule, find_schedule
from windrow.nn.training.checkpoint import fingerprint
from windrow.nn.training.continuing import TrainingState, tell_unknown
from windrow.nn.training.fitting import all_or_nothing
from windrow.nn.training.loop import Plan, Training
from windrow.nn.training.report import Callback
from windrow.nn.training.stopping import EarlyStopping
from windrow.tagging.columns import Columns
from windrow.tagging.examples import Example, Source, check_known_types, check_types, name_of, read_examples, types_of
from windrow.tagging.lexicon import Lexicon, Reading, build_lexicon
from windrow.tagging.network import WORD_VECTORS, WordLookUp
from windrow.tagging.schemes import convert, detect_scheme
from windrow.tagging.settings import WINDOW_TAGGER
from windrow.tagging.trained import TrainedTagger, plain
from windrow.tagging.training import TagTrainee

_MANY_UNKNOWN = 0.5
_MAY_CHANGE = ("epochs", "patience", "callbacks", "vectors", "schedule")  # from a run to one that resumes it, or apart
_VECTOR_SPREAD = 0.5  # of a number of a word vector, the given ones too: what the other weights' spread expects


class WindowTagger(TrainedTagger):
    """Finds entities: scores of tags from a window of word vectors through one hidden layer.

    Beside its word vector a token has features: its shape (case, digits, signs), its prefixes and its suffixes.
    ``WindowTagger(output_layer="logistic", scheme="io", types=["LOC"])`` is the classifier of locations of Stanford's
    CS224N.

    Parameters
    ----------
    vectors : WordVectors or None, default None
        Word vectors to start from, best of much text of the same kind. None: random ones.
    tune : bool, default False
        Whether the given vectors are trained, too, or stay as they are. Only with vectors. Train them where the
        labelled text is large.
    vector_size : int in [1, 100000], default 50
        Dimensions per word vector. Only without vectors.
    window : int in [1, 99], default 5
        Words in a window, the center included: an odd number. Try 7 or 9 where tokens are characters.
    hidden_size : int in [1, 100000], default 128
        Hidden units. Try 300 for a large text.
    activation : {"tanh", "relu"}, default "relu"
        Activation function of the hidden units.
    output_layer : {"crf", "softmax", "logistic"}, default "crf"
        crf learns transitions between tags and takes the best path; softmax judges each token by itself; logistic
        asks yes or no for every tag.
    scheme : {"io", "iob1", "iob2", "iobes", "bilou", "bmes", "bmewo"}, default "iobes"
        How entities are written as tags in training, whatever the file has.
    types : sequence of str or None, default None
        Learn only these types of entities. None: all of the training file.
    min_count : int >= 1, default 2
        Words that occur less often have no vector of their own.
    lowercase : bool, default True
        Whether a word that is not known is looked up in lower case. False where case tells words apart.
    fold_digits : bool, default True
        Whether a word that is not known is looked up with each digit as 0.
    affixes : sequence of int in [1, 20], default (1, 2, 3, 4)
        Lengths in characters of the prefixes and suffixes that are features of a word. () for scripts without
        affixes.
    feature_size : int in [1, 10000], default 16
        Dimensions per vector of a feature.
    dropout : float in [0, 1), default 0.5
        Fraction of the inputs and hidden units that are 0 in each step. Use less for a large text.
    optimizer : {"sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam"}, default "adam"
        Rule that turns a gradient into a step of the parameters.
    learning_rate : float > 0 or None, default None
        Learning rate: the steps along the gradient of the mean loss per token. None: the optimizer's own.
    schedule : str or callable, default "constant"
        How the learning rate changes with the epochs: constant, step, exponential, inverse, plateau, or a function
        of (epoch, scores so far) that gives a factor.
    batch_size : int >= 1, default 16
        Sentences per step.
    epochs : int in [1, 1000000], default 30
        Passes over the sentences, at most.
    patience : int >= 1, default 5
        Epochs without a better F1 of the validation before training stops. Only with valid.
    clip_norm : float > 0 or None, default 5.0
        Greatest norm of the gradient of a step; a longer gradient is scaled down. None: any length.
    seed : int >= 0, default 1
        Seed of all random draws; equal seeds give equal taggers.
    callbacks : sequence of callable, default ()
        Functions of a Report, called after each epoch; training ends when one returns a true value.

    Attributes
    ----------
    types_ : list of str
        The types of entities that were learned.
    tags_ : list of str
        The tags of the network, in ``scheme``.
    scheme_ : str
        That of the training file, in which predictions are.
    lexicon_ : Lexicon
        Words and features that have vectors.
    network_ : TagNetwork
        The trained network.
    history_ : list of dict
        One dict per epoch: loss, F1 of the validation, learning rate, tokens, seconds.

    References
    ----------
    Collobert et al. 2011, "Natural language processing (almost) from scratch".

    Examples
    --------
    >>> from windrow import WindowTagger
    >>> sentences = [(["in", "Rome"], ["O", "B-LOC"]), (["we", "wait"], ["O", "O"])] * 20
    >>> tagger = WindowTagger(hidden_size=16, epochs=10).fit(sentences)
    >>> tagger.predict([["in", "Rome"]])
    [['O', 'B-LOC']]
    """

    settings = WINDOW_TAGGER
    output = OldName("output_layer")

    @takes_old_names
    def __init__(
        self,
        *,
        vectors: WordVectors | None = None,
        tune: bool = False,
        vector_size: int = 50,
        window: int = 5,
        hidden_size: int = 128,
        activation: str = "relu",
        output_layer: str = "crf",
        scheme: str = "iobes",
        types: Sequence[str] | None = None,
        min_count: int = 2,
        lowercase: bool = True,
        fold_digits: bool = True,
        affixes: Sequence[int] = (1, 2, 3, 4),
        feature_size: int = 16,
        dropout: float = 0.5,
        optimizer: str = "adam",
        learning_rate: float | None = None,
        schedule: str | Schedule = "constant",
        batch_size: int = 16,
        epochs: int = 30,
        patience: int = 5,
        clip_norm: float | None = 5.0,
        seed: int = 1,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self.vectors = vectors
        self.tune = tune
        self.vector_size = vector_size
        self.window = window
        self.hidden_size = hidden_size
        self.activation = activation
        self.output_layer = output_layer
        self.scheme = scheme
        self.types = types
        self.min_count = min_count
        self.lowercase = lowercase
        self.fold_digits = fold_digits
        self.affixes = affixes
        self.feature_size = feature_size
        self.dropout = dropout
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.batch_size = batch_size
        self.epochs = epochs
        self.patience = patience
        self.clip_norm = clip_norm
        self.seed = seed
        self.callbacks = callbacks

    # --- training

    def take_shape(self, model: Self, given: Collection[str] | None = None) -> None:  # noqa: D102
        model = copy(model)
        model.vector_size = model.network_.words.learning.value.shape[1]  # which may be that of given vectors
        super().take_shape(model, given)

    def fit(
        self,
        sentences: Source,
        y: object = None,
        *,
        valid: Source | None = None,
        continue_from: Self | str | os.PathLike[str] | None = None,
        keep_training_state: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: int = 1,
        resume: bool = False,
        progress: Callback | bool | None = None,
        token_column: int | None = None,
        tag_column: int = -1,
    ) -> Self:
        """Train on sentences, pairs (tokens, tags) or a CoNLL file; tags may be in any scheme.

        ``token_column`` and ``tag_column`` name columns of the files, as in ``read_conll``. With ``valid`` the best
        epoch by F1 there is kept, and training stops when it has not risen for ``patience`` epochs; without, the last
        of all ``epochs``. ``callbacks`` get a Report after each epoch, and stop training by returning something true;
        ``progress``: True for a bar, or a function that gets a Report several times a second.

        ``continue_from``, a trained tagger or its file, is trained further, by the rate, optimizer, epochs and other
        settings of this one. Its words, its features and its types of entities stay; another type is an error, unless
        ``types`` leave it out. The settings of words and shape are taken from it; one that is given must agree. Given
        word vectors that did not learn still do not. Words without a vector are ``<unk>``; a DataWarning says if these
        are most. The optimizer and the draws start again, unless the tagger was trained with ``keep_training_state``,
        which keeps them as they are after the last epoch, also in the file; the optimizer's only for one of its rule.

        ``checkpoint``: a file that keeps the state after every
        ``checkpoint_every`` epochs, and after the last one (0: it is only read); where it cannot be written training
        goes on, with a DataWarning. ``resume`` goes on from there to the same tagger as without the stop, if the file
        is there. Raises OptionError for parameters out of range and vectors that are not finite, DataError for
        sentences without entities, FormatError for a malformed file, DivergedError when training runs away. A tagger
        that was trained before stays as it was when this fails; a first fit that diverges, or that Ctrl-C ends, leaves
        the best parameters so far.
        """
        with all_or_nothing(self, "history_") as retrains:
            model, resume = self._check_fit(
                continue_from, checkpoint, checkpoint_every, resume, progress, retrains=retrains, valid=valid
            )
            columns = Columns(token_column, tag_column)
            train = read_examples(sentences, columns)
            self.scheme_ = detect_scheme(tags for _, tags in train) if model is None else model.scheme_
            check_types(types_of(train), sentences, self.types)
            train = [(tokens, self._kept(tags)) for tokens, tags in train]
            self.types_ = sorted(types_of(train)) if model is None else model.types_
            held_back = None if valid is None else self._gold(valid, columns)
            rng = np.random.default_rng(self.seed)
            if model is None:
                self._start([tokens for tokens, _ in train], rng)
            else:
                check_known_types(types_of(train), sentences, model.types_)
                self._start_from(model, [tokens for tokens, _ in train], name_of(sentences), rng)
            training = self._training(train, held_back, rng, retrains=retrains)
            self._begin_where_it_ended(training, model)
            described = {} if checkpoint is None else self._described(train, held_back)
            if checkpoint is not None and resume:
                training.restore(checkpoint, described)
            self.history_ = training.history
            with training_bar(progress, "tokens") as bar:
                callbacks = [*bar.callbacks, *self.callbacks]
                training.run(callbacks, bar.progress, checkpoint, described, checkpoint_every)
            if keep_training_state:
                self.training_state_ = TrainingState.of(training.plan.optimizer, training.trainee.state())
        return self

    def check_parameters(self) -> None:
        """Raise OptionError unless every parameter is in its range; ``fit`` does so first."""
        super().check_parameters()
        if self.window % 2 == 0:
            raise OptionError(f"window = {self.window} must be odd: as many words before the center as behind it")
        if self.vectors is not None and not isinstance(self.vectors, WordVectors):
            raise OptionError(f"vectors must be WordVectors, not {type(self.vectors).__name__}; open a file with load")

    def _start(self, texts: Sequence[Sequence[str]], rng: np.random.Generator) -> None:
        """Learn the words and features of the training text; the word table has the given vectors, if any."""
        given = {} if self.vectors is None else self.vectors.key_to_index
        reading = Reading(self.lowercase, self.fold_digits, tuple(self.affixes))
        if given and not any(form in given for text in texts for token in text for form in reading.spellings(token)):
            raise DataError("no word of the sentences is in vectors; are both of the same language, and cut alike?")
        lexicon, own = build_lexicon(texts, given, reading, self.min_count)
        dim = self.vector_size if self.vectors is None else self.vectors.vector_size
        self._check_memory(own, dim, lexicon)
        learning, frozen = rng.normal(0, _VECTOR_SPREAD, (own, dim)).astype(np.float32), None
        if self.vectors is not None:
            rows = np.array([given[word] for word in lexicon.words[own:]], np.intp)
            self.vectors.check_finite(rows)
            frozen = _spread(self.vectors.vectors[rows])
            if self.tune:
                learning, frozen = np.concatenate([learning, frozen]), None
        self._build(lexicon, WordLookUp(learning, frozen, len(learning)), rng)

    def _check_memory(self, words: int, dim: int, lexicon: Lexicon) -> None:
        """Raise OptionError if the network will not fit into memory together with what its training keeps."""
        inputs = dim + lexicon.reading.slots * self.feature_size
        numbers = words * dim + lexicon.feature_rows * self.feature_size + self.window * inputs * self.hidden_size
        remedy = f"lower {'' if self.vectors is not None else 'vector_size, '}window or hidden_size"
        check_memory(least_bytes(numbers, self.optimizer), f"{numbers:,} parameters", remedy)

    def _start_from(self, model: Self, texts: Sequence[Sequence[str]], where: str, rng: np.random.Generator) -> None:
        """The network of a trained tagger, whose words are to learn that have learned before."""
        ids = model.lexicon_.rows(token for text in texts for token in text)[:, 0]
        share = float(np.mean(ids == model.lexicon_.unknown))
        if share > _MANY_UNKNOWN:  # that a third is unknown is usual, and features say much of the others
            tell_unknown(share, where)
        words = model.network_.words
        if words.trained is None:
            warn(
                "the tagger to continue is of an older windrow, which did not say whose word vectors were trained: "
                "they stay as they are"
            )
        self._build(model.lexicon_, words.to_train(), rng)
        for name, parameter in self.network_.parameters.named.items():
            if name != WORD_VECTORS:
                parameter.value[:] = model.network_.parameters.named[name].value

    def _training(
        self, train: list[Example], held_back: list[Example] | None, rng: np.random.Generator, *, retrains: bool
    ) -> Training:
        numbers = {tag: number for number, tag in enumerate(self.tags_)}
        optimizer = find_optimizer(self.optimizer)
        trainee = TagTrainee(
            self.network_,
            self.lexicon_,
            [tokens for tokens, _ in train],
            [np.array([numbers[tag] for tag in convert(tags, self.scheme)], np.int32) for _, tags in train],
            batch_size=self.batch_size,
            rng=rng,
            score=None if held_back is None else lambda: float(self._judge(held_back).f1),
        )
        plan = Plan(
            optimizer=optimizer,
            learning_rate=optimizer.default_rate if self.learning_rate is None else self.learning_rate,
            schedule=find_schedule(self.schedule),
            epochs=self.epochs,
            clip_norm=self.clip_norm,
            stopping=None if held_back is None else EarlyStopping(self.patience),
        )
        return Training(trainee, plan, retrains=retrains)

    def _described(self, train: list[Example], held_back: list[Example] | None) -> dict[str, Any]:
        """What a checkpoint must agree on: parameters, vectors and sentences."""
        parameters = {name: plain(value) for name, value in self.get_params().items() if name not in _MAY_CHANGE}
        schedule = getattr(self.schedule, "__qualname__", str(self.schedule))
        vectors = None if self.vectors is None else fingerprint(self.vectors.vectors)
        valid = None if held_back is None else _fingerprint(held_back)
        return {
            **parameters,
            "schedule": schedule,
            "vectors": vectors,
            "text": _fingerprint(train),
            "valid": valid,
            **self._identity(),
        }


def _fingerprint(examples: list[Example]) -> str:
    digest = blake2b(digest_size=16)
    for tokens, tags in examples:
        digest.update(repr((list(tokens), list(tags))).encode())
    return digest.hexdigest()


def _spread(vectors: Array) -> Array:
    """Vectors scaled as a whole to the spread that the network starts with."""
    spread = float(np.sqrt(np.mean(np.square(vectors, dtype=np.float64)))) if vectors.size else 0.0
    return vectors * np.float32(_VECTOR_SPREAD / spread if spread > 0 else 1)
