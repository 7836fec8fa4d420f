"""gensim's ``Word2Vec``: vocabulary and training in steps, over ``windrow.Word2Vec``, which does the work."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any, NoReturn, Self

import numpy as np
from numpy.typing import NDArray

import windrow.embeddings.word2vec as ours
from windrow.compat.gensim.models.callbacks import CallbackAny2Vec
from windrow.compat.gensim.models.keyedvectors import KeyedVectors
from windrow.compat.gensim.models.sentences import LineSentence, PathLineSentences
from windrow.corpus import Corpus, Vocabulary
from windrow.corpus.opening import as_corpus
from windrow.embeddings.steps import step_type
from windrow.embeddings.steps.contract import StepOptions
from windrow.embeddings.subwords import NgramVectors
from windrow.embeddings.training.fasttext_state import read_state
from windrow.embeddings.training.progress import Progress
from windrow.embeddings.training.start import Start, choose_subwords, choose_ties, initial_table
from windrow.embeddings.training.state import TrainingState
from windrow.embeddings.vectors import WordVectors
from windrow.errors import DataError, OptionError, WindrowError, warn
from windrow.files.compression import COMPRESSED
from windrow.files.model_file import parts_of
from windrow.nn.training.stopping import DivergedError

__all__ = ["KeyedVectors", "LineSentence", "PathLineSentences", "Word2Vec"]

_DISCARD, _KEEP = 1, 2  # what a trim_rule answers, as gensim.utils.RULE_DISCARD and RULE_KEEP
_OF_GENSIM = "gensim"  # in the provenance of a file: attributes that windrow.Word2Vec lacks
# Names that gensim 4 has given up or that are about its own insides -> what to write instead.
_GONE = {
    "init_sims": "wv.get_normed_vectors()",
    "scan_vocab": "build_vocab",
    "prepare_vocab": "build_vocab",
    "prepare_weights": "build_vocab",
    "init_weights": "build_vocab",
    "update_weights": "build_vocab(update=True)",
    "make_cum_table": "build_vocab",
    "create_binary_tree": "build_vocab",
    "cum_table": "build_vocab, which makes it for the training",
    "estimate_memory": "len(model.wv) * vector_size * 4 bytes, twice for one output layer",
    "seeded_vector": "wv[word] = vector",
    "raw_vocab": "windrow.Corpus.build(sentences).vocabulary",
    "random": "seed",
    "add_lifecycle_event": "wv.provenance, a dict that is kept in the file",
    "lifecycle_events": "wv.provenance, a dict that is kept in the file",
    "most_similar": "wv.most_similar",
    "similarity": "wv.similarity",
    "doesnt_match": "wv.doesnt_match",
    "wmdistance": "wv.wmdistance",
    "iter": "epochs",
    "size": "vector_size",
    "syn0": "wv.vectors",
    "syn1": "hs=1 in the constructor, and build_vocab",
    "syn1neg": "negative=5 in the constructor, and build_vocab",
    "vocabulary": "wv.key_to_index",
    "trainables": "syn1neg or syn1",
}
TrimRule = Callable[[str, int, int], int]


class NotBuiltError(WindrowError, RuntimeError):
    """The model has no vocabulary yet, or lacks what was asked of it. It is also a RuntimeError, as in gensim."""


class CorpusError(DataError, RuntimeError, TypeError):
    """A text that cannot be trained on. As in gensim it is also a RuntimeError, or where it is no text a TypeError."""


class Word2Vec:
    """Word vectors with gensim 4's constructor, methods and attributes; training is that of ``windrow.Word2Vec``.

    It is several times as fast as gensim. With ``kernel="pair"`` and one worker the vectors are gensim's, too.

    Parameters
    ----------
    sentences : iterable of list of str, or what ``windrow.Corpus.build`` takes
        The training text; None: no training yet, see ``build_vocab`` and ``train``. Generators will do.
    corpus_file : str or os.PathLike
        A file of a sentence per line, in its place; a compressed one is refused as in gensim (``sentences`` takes it).
    vector_size, alpha, window, min_count, sample, seed, workers, min_alpha : number
        As of ``windrow.Word2Vec``; ``min_count`` 0 is 1.
    max_vocab_size : int
        Without effect: words are counted on disk.
    sg, hs, negative, ns_exponent, cbow_mean, epochs, shrink_windows : number
        As of ``windrow.Word2Vec``.
    hashfxn, batch_words, comment : object
        Without effect. In gensim 4 ``hashfxn`` has none either.
    null_word : 0
        Another is refused.
    trim_rule : callable
        Of a word, its count and min_count, to ``gensim.utils.RULE_DISCARD``, ``RULE_KEEP`` or ``RULE_DEFAULT``.
    sorted_vocab : {0, 1}
        Whether words are in the order of their counts, or of the text.
    compute_loss : bool
        Without effect: ``get_latest_training_loss`` always knows.
    callbacks : iterable of CallbackAny2Vec
        What is called before and after training and epochs. ``model.wv`` is a copy of the vectors of that moment.
    max_final_vocab : int
        No more words than these: words of the count at which it stops are left out together, as in gensim.
    kernel : {"block", "pair"} or None
        Not in gensim: "pair" is slower, and with one worker gives what gensim gives. None: block, and pair where the
        learning rate is so high that block diverges, with a warning.

    Raises
    ------
    OptionError
        A parameter is out of range, which is also a ValueError.
    CorpusError
        There is no text, or no word in it is frequent enough.

    Examples
    --------
    >>> from windrow.compat.gensim.models import Word2Vec
    >>> sentences = [["cat", "say", "meow"], ["dog", "say", "woof"]] * 9
    >>> model = Word2Vec(sentences, min_count=1, sample=0, vector_size=10, workers=1)
    >>> model.wv.vectors.shape
    (5, 10)
    >>> model.build_vocab([["cow", "say", "moo"]] * 9, update=True)
    >>> model.train([["cow", "say", "moo"]] * 9, total_examples=model.corpus_count, epochs=2)[1]
    54
    >>> model.wv.index_to_key
    ['say', 'woof', 'dog', 'meow', 'cat', 'cow', 'moo']
    """

    # What a file holds beside the parameters of windrow.Word2Vec.
    _extra: tuple[str, ...] = ("corpus_count", "corpus_total_words", "min_count", "train_count")

    def __init__(
        self,
        sentences: Any = None,
        corpus_file: str | os.PathLike[str] | None = None,
        vector_size: int = 100,
        alpha: float = 0.025,
        window: int = 5,
        min_count: int = 5,
        max_vocab_size: int | None = None,
        sample: float = 1e-3,
        seed: int = 1,
        workers: int = 3,
        min_alpha: float = 0.0001,
        sg: int = 0,
        hs: int = 0,
        negative: int = 5,
        ns_exponent: float = 0.75,
        cbow_mean: int = 1,
        hashfxn: object = hash,
        epochs: int = 5,
        null_word: int = 0,
        trim_rule: TrimRule | None = None,
        sorted_vocab: int = 1,
        batch_words: int = 10_000,
        compute_loss: bool = False,
        callbacks: Iterable[CallbackAny2Vec] = (),
        comment: object = None,
        max_final_vocab: int | None = None,
        shrink_windows: bool = True,
        *,
        kernel: str | None = None,
    ) -> None:
        if null_word:
            raise OptionError("null_word: there is no such word here; leave it out")
        self.vector_size = self.layer1_size = vector_size
        self.alpha, self.min_alpha, self.min_alpha_yet_reached = alpha, min_alpha, alpha
        self.window, self.min_count, self.max_final_vocab = window, min_count, max_final_vocab
        self.sample, self.seed, self.workers, self.epochs = sample, seed, workers, epochs
        self.sg, self.hs, self.negative, self.ns_exponent = sg, hs, negative, ns_exponent
        self.cbow_mean, self.shrink_windows, self.kernel = cbow_mean, shrink_windows, kernel
        self.max_vocab_size, self.hashfxn, self.batch_words, self.comment = (
            max_vocab_size,
            hashfxn,
            batch_words,
            comment,
        )
        self.null_word, self.sorted_vocab, self.compute_loss = null_word, sorted_vocab, compute_loss
        self.corpus_count: int | None = 0
        self.corpus_total_words: int | None = 0
        self.train_count, self.total_train_time, self.running_training_loss = 0, 0.0, 0.0
        self._state: TrainingState | None = None
        self._shown: NDArray[np.float32] | None = None  # the vectors that ``wv`` was given
        self._asked: tuple[tuple[Any, ...], ours.Word2Vec] | None = None
        self._estimator(epochs).check_parameters()
        self.wv = self._new_table()
        if sentences is not None or corpus_file is not None:
            corpus = _as_corpus(sentences, corpus_file)
            self.build_vocab(corpus, trim_rule=trim_rule)
            self.train(corpus, total_examples=self.corpus_count, epochs=epochs, callbacks=callbacks)

    # --- vocabulary

    def build_vocab(
        self,
        corpus_iterable: Any = None,
        corpus_file: str | os.PathLike[str] | None = None,
        update: bool = False,
        progress_per: int = 10_000,
        keep_raw_vocab: bool = False,
        trim_rule: TrimRule | None = None,
        **kwargs: Any,
    ) -> None:
        """Count words, choose the vocabulary, and make tables that are not trained yet.

        Parameters
        ----------
        corpus_iterable, corpus_file
            The text, as in the constructor.
        update : bool, default False
            Add the new words of this text to those that the model has, and the counts.
        progress_per, keep_raw_vocab
            Without effect.
        trim_rule : callable, default None
            As in the constructor.
        **kwargs
            ``min_count`` for this once; others are refused.

        Raises
        ------
        CorpusError
            No word is frequent enough.
        """
        min_count = kwargs.pop("min_count", self.min_count)
        if kwargs:
            raise OptionError(f"{', '.join(kwargs)}: build_vocab takes min_count alone; set the model's attributes")
        corpus = _as_corpus(corpus_iterable, corpus_file)
        self.corpus_count, self.corpus_total_words = len(corpus), corpus.tokens
        in_order = bool(self.sorted_vocab) and not update
        self._build(_counts_of(corpus, in_order), in_order, min_count, trim_rule, update)

    def build_vocab_from_freq(
        self,
        word_freq: Mapping[str, int],
        keep_raw_vocab: bool = False,
        corpus_count: int | None = None,
        trim_rule: TrimRule | None = None,
        update: bool = False,
    ) -> None:
        """As ``build_vocab``, from counts.

        Parameters
        ----------
        word_freq : mapping of str to int
            How often each word occurs.
        keep_raw_vocab
            Without effect.
        corpus_count : int, default None
            How many sentences there are, if known.
        trim_rule, update
            As of ``build_vocab``.
        """
        self.corpus_count = corpus_count or 0
        self._build(dict(word_freq), False, self.min_count, trim_rule, update)

    def _build(
        self, counts: dict[str, int], in_order: bool, min_count: int, trim_rule: TrimRule | None, update: bool
    ) -> None:
        kept = _kept(counts, min_count, self.max_final_vocab, trim_rule)
        if not update:
            found = Vocabulary(list(kept), np.fromiter(kept.values(), np.int64))
            if self.sorted_vocab and not in_order:
                found = Vocabulary.from_counts(found.words, found.counts)
            if not kept:
                raise CorpusError(f"no word is frequent enough: lower min_count = {min_count}, or give more text")
            self._make_tables(found.words, found.counts, None)
            return
        known = self._known("add words to")
        words = list(dict.fromkeys([*known.words, *kept]))
        old = np.concatenate([known.counts, np.zeros(len(words) - len(known.words), np.int64)])
        self._make_tables(words, old + np.array([counts.get(word, 0) for word in words], np.int64), known)

    def _make_tables(self, words: list[str], counts: NDArray[np.int64], known: TrainingState | None) -> None:
        """Initial tables for these words; those that are known keep what they have learned."""
        size = self.vector_size
        estimator = self._estimator(self.epochs)
        parameters = estimator.get_params()
        ties = choose_ties(parameters, known)
        options = StepOptions(self.negative, self.ns_exponent, ties=ties)
        layers = {name: step_type(name)(counts, size, options) for name in estimator.layer_names()}
        subwords, _ = choose_subwords(parameters, words, known)
        start = Start(Vocabulary(words, counts), counts, (), state=known, ties=ties, subwords=subwords)
        table = initial_table(start.rows(), size, self.seed)
        start.fill(table, layers)
        self._state = TrainingState(
            words,
            counts,
            table[: len(words), :size],
            {name: layer.parameters[:, :size] for name, layer in layers.items()},
            None if known is None else known.randomness,
            parameters,
            (),
            ngrams=None if subwords is None else NgramVectors(subwords, table[len(words) :, :size]),
            ties=ties,
        )
        self._show(self._state)

    def _new_table(self) -> KeyedVectors:
        """An empty table of the kind that ``wv`` is."""
        return KeyedVectors(self.vector_size)

    def _show(self, state: TrainingState) -> None:
        """Let ``wv`` have the vectors of a state."""
        factors = self.wv.vectors_lockf
        self.wv = self._new_table()
        WordVectors.__init__(self.wv, state.words, np.array(state.composed()), np.array(state.counts), state.ngrams)
        self.wv.provenance = dict(state.provenance)
        self.wv.vectors_lockf, self._shown = factors, self.wv.vectors

    def reset_from(self, other_model: Word2Vec) -> None:
        """Take the vocabulary of another model, with tables that are not trained.

        Parameters
        ----------
        other_model : Word2Vec
            That model.
        """
        other = other_model._known("take the vocabulary of")
        self.corpus_count, self.corpus_total_words = other_model.corpus_count, other_model.corpus_total_words
        self._make_tables(list(other.words), other.counts, None)

    # --- training

    def train(
        self,
        corpus_iterable: Any = None,
        corpus_file: str | os.PathLike[str] | None = None,
        total_examples: int | None = None,
        total_words: int | None = None,
        epochs: int | None = None,
        start_alpha: float | None = None,
        end_alpha: float | None = None,
        word_count: int = 0,
        queue_factor: int = 2,
        report_delay: float = 1.0,
        compute_loss: bool = False,
        callbacks: Iterable[CallbackAny2Vec] = (),
        **kwargs: Any,
    ) -> tuple[int, int]:
        """Train further on a text; words that the vocabulary lacks are left out.

        Parameters
        ----------
        corpus_iterable, corpus_file
            The text, as in the constructor.
        total_examples, total_words : int
            One of them must be given, as in gensim; the learning rate follows the text itself.
        epochs : int
            Must be given, as in gensim.
        start_alpha, end_alpha : float, default None
            Learning rates of this training, and from now on; None: ``alpha`` and ``min_alpha`` of the model.
        word_count, queue_factor, report_delay, compute_loss
            Without effect.
        callbacks : iterable of CallbackAny2Vec
            As in the constructor.
        **kwargs
            Refused.

        Returns
        -------
        (int, int)
            Words that were trained on, and words of the text, over all epochs.

        Raises
        ------
        OptionError
            Epochs, or both totals, are missing; or a parameter is out of range. It is also a ValueError.
        NotBuiltError
            There is no vocabulary yet; it is also a RuntimeError.
        """
        if kwargs:
            raise OptionError(f"train has no argument {', '.join(kwargs)}; leave it out")
        if total_examples is None and total_words is None:
            raise OptionError("give total_examples=model.corpus_count, or total_words")
        if not epochs or epochs < 0:
            raise OptionError("give epochs, usually epochs=model.epochs")
        if not (self.hs or self.negative):
            raise OptionError("negative = 0 and hs = 0 leave nothing to train; set one of them")
        state = self._known("train")
        self.alpha, self.min_alpha, self.epochs = start_alpha or self.alpha, end_alpha or self.min_alpha, epochs
        corpus = _as_corpus(corpus_iterable, corpus_file)
        try:
            return self._train(corpus, state, tuple(callbacks))
        except DivergedError as error:
            if self.kernel is not None:
                raise
            warn(f"training starts again with kernel='pair', which bears a higher alpha: {error}")
            self.kernel = "pair"
            return self._train(corpus, state, tuple(callbacks))

    def _train(self, corpus: Corpus, state: TrainingState, hooks: tuple[CallbackAny2Vec, ...]) -> tuple[int, int]:
        estimator = self._estimator(self.epochs).set_params(max_final_vocab=len(state.words))  # so none is new
        trained, self.running_training_loss = 0, 0.0

        def after_epoch(report: Progress) -> None:
            nonlocal trained
            position = estimator._training.run.position
            trained += position.kept_words
            self.running_training_loss += position.loss
            if hooks:
                self._show(estimator._state())
                _call(hooks, "on_epoch_end", self)
                if report.epoch < self.epochs:
                    _call(hooks, "on_epoch_begin", self)

        _call(hooks, "on_train_begin", self)
        _call(hooks, "on_epoch_begin", self)
        # A text that is among those counted is not counted again: build_vocab alone counts.
        counted = replace(state, texts=(corpus.fingerprint,))
        estimator.set_params(callbacks=[after_epoch]).fit(corpus, continue_from=counted, frozen=self._frozen(state))
        self._state = estimator._state()
        self._show(self._state)
        self.min_alpha_yet_reached = min(self.alpha, estimator.history_[-1]["learning_rate"])
        self.total_train_time += estimator.history_[-1]["seconds"]
        self.train_count += 1
        _call(hooks, "on_train_end", self)
        return trained, corpus.tokens * self.epochs

    def _frozen(self, state: TrainingState) -> dict[str, float]:
        """gensim's ``vectors_lockf``, by word."""
        factors = np.asarray(self.wv.vectors_lockf, np.float64).reshape(-1)
        if (factors == 1).all():
            return {}
        parts = 1 - factors[np.arange(len(state.words)) % len(factors)]
        return dict(zip(state.words, parts.tolist(), strict=True))

    def _estimator(self, epochs: int) -> ours.Word2Vec:
        """What trains; parameters that have no effect with others are left at their defaults."""
        exponent = self.ns_exponent if self.negative else 0.75
        return ours.Word2Vec(
            vector_size=self.vector_size, alpha=self.alpha, window=self.window, min_count=max(1, self.min_count),
            sample=self.sample, seed=self.seed, workers=self.workers, min_alpha=self.min_alpha, sg=self.sg, hs=self.hs,
            negative=self.negative, cbow_mean=1 if self.sg else self.cbow_mean, epochs=epochs,
            shrink_windows=self.shrink_windows, kernel=self.kernel or "block", ns_exponent=exponent,
        )  # fmt: skip

    def _known(self, what: str) -> TrainingState:
        """What is learned so far, with the vectors that ``wv`` has now."""
        if self._state is None or list(self.wv.index_to_key) != list(self._state.words):
            raise NotBuiltError(f"there is no vocabulary to {what}: call build_vocab first")
        vectors, ngrams = self.wv.vectors, self._state.ngrams
        if ngrams is not None and vectors is self._shown:
            vectors = self._state.vectors
        elif ngrams is not None:
            vectors = ngrams.own_rows(self._state.words, vectors).astype(np.float32)
        return replace(self._state, vectors=vectors, counts=np.asarray(self.wv.counts))

    # --- what was learned

    @property
    def syn1neg(self) -> NDArray[np.float32]:
        """The output vectors of negative sampling, (words, dimensions)."""
        return self._output("ns")

    @property
    def syn1(self) -> NDArray[np.float32]:
        """Those of the inner nodes of the Huffman tree; as in gensim, the last of as many rows as words has no node."""
        table = self._output("hs")
        return np.vstack([table, np.zeros((len(self.wv) - len(table), self.vector_size), np.float32)])

    def _output(self, name: str) -> NDArray[np.float32]:
        if self._state is None or name not in self._state.outputs:
            raise AttributeError(f"the model has no output layer {name}")
        return self._state.outputs[name]

    def get_latest_training_loss(self) -> float:
        """The loss of the last training, summed over all words that were trained on.

        Returns
        -------
        float
        """
        return self.running_training_loss

    def predict_output_word(
        self, context_words_list: Sequence[str | int], topn: int = 10
    ) -> list[tuple[str, float]] | None:
        """As ``windrow.Word2Vec.predict_output_word``, for negative sampling.

        Parameters
        ----------
        context_words_list : list of str or int
            Words, or their rows.
        topn : int, default 10
            How many words.

        Returns
        -------
        list of (str, float), or None
            None where no word of the context is known.

        Raises
        ------
        NotBuiltError
            The model has no negative sampling.
        """
        if not self.negative:
            raise NotBuiltError("predict_output_word is for negative sampling; train with negative above 0")
        self._known("predict with")
        if not any(word in self.wv for word in context_words_list):
            warn("no word of the context is in the vocabulary")
            return None
        return self._restored().predict_output_word(context_words_list, topn)

    def score(
        self,
        sentences: Iterable[Sequence[str]],
        total_sentences: int = 1_000_000,
        chunksize: int = 100,
        queue_factor: int = 2,
        report_delay: float = 1,
    ) -> NDArray[np.float64]:
        """As ``windrow.Word2Vec.score``.

        Parameters
        ----------
        sentences : iterable of list of str
            Sentences.
        total_sentences, chunksize, queue_factor, report_delay
            Without effect.

        Returns
        -------
        array of float64, shape (sentences,)

        Raises
        ------
        NotBuiltError
            The model has no hierarchical softmax.
        """
        if not self.hs:
            raise NotBuiltError("score is for hierarchical softmax; train with hs=1 and negative=0")
        return self._restored().score(sentences)

    def _restored(self) -> ours.Word2Vec:
        """A trained model with what is learned so far; the last one, if nothing has changed."""
        now = (self._state, self.wv.vectors, self.window, self.cbow_mean)
        if self._asked is None or any(one is not other for one, other in zip(self._asked[0], now, strict=True)):
            self._asked = now, ours.Word2Vec._restored(self._to_store())
        return self._asked[1]

    # --- files

    def save(self, fname: str | os.PathLike[str], *args: Any, **kwargs: Any) -> None:
        """Write one file of windrow's, which ``load`` and ``windrow.Word2Vec.load`` open; ``windrow.load`` its vectors.

        Parameters
        ----------
        fname : str or os.PathLike
            The file.
        *args, **kwargs
            gensim's ``separately``, ``sep_limit``, ``ignore`` and ``pickle_protocol``: without effect.

        Raises
        ------
        NotBuiltError
            There is no vocabulary yet.
        """
        self._to_store().write(fname)

    def _to_store(self) -> TrainingState:
        state = self._known("save")
        extra = {name: getattr(self, name) for name in self._extra}
        parameters = {
            name: value
            for name, value in self._estimator(self.epochs).get_params().items()
            if name not in ("callbacks", "report_words")
        }
        return replace(
            state,
            parameters=parameters,
            texts=state.texts or ("",),
            provenance={**state.provenance, _OF_GENSIM: extra},
        )

    @classmethod
    def load(cls, fname: str | os.PathLike[str], *args: Any, **kwargs: Any) -> Self:
        """Read what ``save`` or ``windrow.Word2Vec.save`` wrote, to train further.

        Parameters
        ----------
        fname : str or os.PathLike
            The file. Of gensim's own ``.model`` files the vectors can be read: ``KeyedVectors.load``.
        *args, **kwargs
            gensim's ``mmap`` and ``rethrow``: without effect.

        Returns
        -------
        Word2Vec

        Raises
        ------
        FormatError
            The file holds vectors alone, is of another kind or damaged.
        """
        return cls._from_state(read_state(fname), fname)

    @classmethod
    def _from_state(cls, state: TrainingState, fname: object) -> Self:
        with parts_of(str(fname)):
            trained = ours.Word2Vec(**state.parameters)
            trained._check_fits(state)
        extra = state.provenance.get(_OF_GENSIM)
        names = signature(cls).parameters.keys() - {"callbacks"}
        parameters = {name: value for name, value in cls._of_ours(trained).items() if name in names}
        layers, weighting = trained.layer_names(), trained.weighting()
        if "softmax" in layers or weighting not in ("shrink", "none"):
            raise OptionError(f"{fname}: gensim has no such training; open it by windrow.Word2Vec.load")
        model = cls(**parameters)
        model.hs, model.shrink_windows = int("hs" in layers), weighting == "shrink"
        model.negative = model.negative if "ns" in layers else 0
        known = extra if isinstance(extra, dict) else {}
        given = {"corpus_count": None, "corpus_total_words": None, "train_count": 1, **known}
        for name in cls._extra:
            setattr(model, name, given.get(name, getattr(model, name)))
        model._state = state
        model._show(state)
        return model

    @classmethod
    def _of_ours(cls, trained: ours.Word2Vec) -> dict[str, Any]:
        """The parameters of a trained model; OptionError where it is of another kind."""
        if trained.subwords:
            raise OptionError("the model has n-grams; load it as FastText")
        return trained.get_params()

    def __repr__(self) -> str:
        return f"{type(self).__name__}<vocab={len(self.wv)}, vector_size={self.vector_size}, alpha={self.alpha}>"

    def __getattr__(self, name: str) -> NoReturn:
        if name in _GONE:
            raise AttributeError(f"{name} is not there; write {_GONE[name]}")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def _call(hooks: Iterable[CallbackAny2Vec], name: str, model: Word2Vec) -> None:
    for hook in hooks:
        getattr(hook, name)(model)


def _as_corpus(sentences: Any, corpus_file: str | os.PathLike[str] | None) -> Corpus:
    """A text that is given in one of gensim's two ways."""
    if (sentences is None) == (corpus_file is None):
        raise CorpusError("give sentences or corpus_file, one of them")
    if corpus_file is not None:
        if not isinstance(corpus_file, str | os.PathLike) or not Path(corpus_file).is_file():
            raise CorpusError(f"corpus_file = {corpus_file!r} is no file")
        if Path(corpus_file).suffix.lower() in COMPRESSED:
            raise CorpusError(f"corpus_file = {corpus_file!r} is compressed; give it as sentences instead")
        sentences = Path(corpus_file)
    elif not isinstance(sentences, Iterable | os.PathLike | Corpus):
        raise CorpusError(f"sentences = {sentences!r} must be an iterable of lists of words")
    try:
        return as_corpus(sentences)
    except (DataError, OptionError) as error:
        raise CorpusError(str(error)) from error


def _counts_of(corpus: Corpus, by_count: bool) -> dict[str, int]:
    """The counts of words, by decreasing count, or in the order in which they first occur."""
    words, counts = corpus.vocabulary.words, corpus.vocabulary.counts.tolist()
    if by_count:
        return dict(zip(words, counts, strict=True))
    ids, first = np.unique(corpus.ids, return_index=True)
    order = ids[np.argsort(first)]
    return {words[word_id]: counts[word_id] for word_id in order.tolist() if word_id >= 0}


def _kept(
    counts: Mapping[str, int], min_count: int, max_final_vocab: int | None, trim_rule: TrimRule | None
) -> dict[str, int]:
    """The words that a vocabulary keeps, and their counts."""
    if max_final_vocab is not None and max_final_vocab < len(counts):
        min_count = max(min_count, sorted(counts.values(), reverse=True)[max_final_vocab] + 1)
    return {word: count for word, count in counts.items() if _is_kept(word, count, min_count, trim_rule)}


def _is_kept(word: str, count: int, min_count: int, trim_rule: TrimRule | None) -> bool:
    answer = None if trim_rule is None else trim_rule(word, count, min_count)
    return count >= min_count if answer not in (_DISCARD, _KEEP) else answer == _KEEP
