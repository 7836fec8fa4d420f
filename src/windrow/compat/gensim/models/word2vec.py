"""gensim's ``Word2Vec``: vocabulary and training in steps, over ``windrow.Word2Vec``, which does the work."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import windrow.embeddings.word2vec as ours
from windrow.compat.gensim.models._counting import CorpusError, TrimRule, corpus_of, counts_of, kept_words
from windrow.compat.gensim.models._learned import Learned, NotBuiltError
from windrow.compat.gensim.models.callbacks import CallbackAny2Vec
from windrow.compat.gensim.models.keyedvectors import KeyedVectors
from windrow.compat.gensim.models.sentences import LineSentence, PathLineSentences
from windrow.corpus import Corpus, Vocabulary
from windrow.embeddings.training.progress import Progress
from windrow.embeddings.training.state import TrainingState
from windrow.errors import OptionError, warn
from windrow.nn.training.stopping import DivergedError

__all__ = ["CorpusError", "KeyedVectors", "LineSentence", "NotBuiltError", "PathLineSentences", "Word2Vec"]


class Word2Vec(Learned):
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
        self._shown: NDArray[np.float32] | None = None
        self._asked: tuple[tuple[Any, ...], ours.Word2Vec] | None = None
        self._estimator(epochs).check_parameters()
        self.wv = self._new_table()
        if sentences is not None or corpus_file is not None:
            corpus = corpus_of(sentences, corpus_file)
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
        corpus = corpus_of(corpus_iterable, corpus_file)
        self.corpus_count, self.corpus_total_words = len(corpus), corpus.tokens
        in_order = bool(self.sorted_vocab) and not update
        self._build(counts_of(corpus, in_order), in_order, min_count, trim_rule, update)

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
        kept = kept_words(counts, min_count, self.max_final_vocab, trim_rule)
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
        corpus = corpus_of(corpus_iterable, corpus_file)
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


def _call(hooks: Iterable[CallbackAny2Vec], name: str, model: Word2Vec) -> None:
    for hook in hooks:
        getattr(hook, name)(model)
