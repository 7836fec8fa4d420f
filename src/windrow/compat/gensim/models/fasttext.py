"""gensim's ``FastText`` over ``windrow.Word2Vec`` with sub-words, and functions for files of Facebook's fastText."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

import windrow.embeddings.word2vec as ours
from windrow.compat.gensim.models.callbacks import CallbackAny2Vec
from windrow.compat.gensim.models.keyedvectors import KeyedVectors
from windrow.compat.gensim.models.word2vec import NotBuiltError, TrimRule, Word2Vec
from windrow.corpus import Corpus
from windrow.embeddings.exchange import check_encoding
from windrow.embeddings.formats.contract import VectorData
from windrow.embeddings.formats.fasttext_bin import own_rows
from windrow.embeddings.subwords import NgramVectors, Subwords, compose
from windrow.embeddings.training.loop import VectorTraining
from windrow.embeddings.training.start import Start, initial_table
from windrow.embeddings.training.state import TrainingState
from windrow.embeddings.vectors import WordVectors, save_vectors
from windrow.errors import FormatError, OptionError
from windrow.numeric.tables import zero_table

__all__ = [
    "FastText",
    "FastTextKeyedVectors",
    "load_facebook_model",
    "load_facebook_vectors",
    "save_facebook_model",
]

_OF_GENSIM = "gensim_fasttext"  # in the provenance of a file: the parameters of FastText
_STORED = (
    "sg", "hs", "vector_size", "alpha", "window", "min_count", "sample", "seed", "workers", "min_alpha", "negative",
    "ns_exponent", "cbow_mean", "epochs", "min_n", "max_n", "sorted_vocab", "bucket", "max_final_vocab",
    "shrink_windows", "kernel",
)  # fmt: skip
_FILE = "fasttext"


class FastTextKeyedVectors(KeyedVectors):
    """Words, their vectors, and those of character n-grams, of which the vectors of unseen words are made.

    Parameters
    ----------
    vector_size : int, 1 to 100,000,000
        The number of dimensions per vector.
    min_n, max_n : int
        Characters per n-gram.
    bucket : int
        How many vectors n-grams share.
    count, dtype
        As of ``KeyedVectors``.

    Examples
    --------
    >>> from windrow.compat.gensim.models.fasttext import FastTextKeyedVectors
    >>> wv = FastTextKeyedVectors(2, min_n=3, max_n=6, bucket=100)
    >>> wv.add_vector("cat", [1, 2])
    0
    >>> wv["cat"].tolist()
    [1.0, 2.0]
    """

    compatible_hash = True  # n-grams have the hash of fastText

    def __init__(
        self,
        vector_size: int,
        min_n: int = 3,
        max_n: int = 6,
        bucket: int = 2_000_000,
        count: int = 0,
        dtype: Any = np.float32,
    ) -> None:
        super().__init__(vector_size, count, dtype)
        self._lengths = min_n, max_n, bucket
        self.vectors_vocab_lockf = np.ones(1, np.float32)
        self.vectors_ngrams_lockf = np.ones(1, np.float32)

    @classmethod
    def _made(cls, words: Any, vectors: NDArray[np.float32], counts: NDArray[np.int64] | None) -> Self:
        made = super()._made(words, vectors, counts)
        made._lengths = *made._lengths[:2], 0  # where a file has n-grams, these say more
        return made

    @property
    def min_n(self) -> int:
        """Characters of the shortest n-grams."""
        return self._lengths[0] if self.ngrams is None else self.ngrams.subwords.min_n

    @property
    def max_n(self) -> int:
        """Characters of the longest n-grams."""
        return self._lengths[1] if self.ngrams is None else self.ngrams.subwords.max_n

    @property
    def bucket(self) -> int:
        """How many vectors n-grams share; 0: there are no n-grams."""
        return self._lengths[2] if self.ngrams is None else self.ngrams.subwords.buckets

    @property
    def vectors_vocab(self) -> NDArray[np.float32]:
        """The words' own vectors without their n-grams', (words, dimensions): computed at each call."""
        return own_rows(VectorData(self.index_to_key, self.vectors, None, {}, self.ngrams), 0, len(self)).astype(
            np.float32
        )

    @property
    def vectors_ngrams(self) -> NDArray[np.float32]:
        """The vectors of all buckets, (bucket, dimensions): made at each call; those that no word has are zero."""
        table = np.zeros((self.bucket, self.vector_size), np.float32)
        if self.ngrams is not None:
            table[self.ngrams.subwords.used] = self.ngrams.vectors
        return table

    def adjust_vectors(self) -> None:
        """Does nothing: vectors of words are always those of their parts."""


class _Trainer(ours.Word2Vec):
    """Training with n-grams from given tables, for which ``windrow.Word2Vec`` has no files and so no parameters."""

    ngrams: NgramVectors | None = None  # those that the training goes on from

    def _check_start(self, state: TrainingState | None, vectors: WordVectors | None) -> None:
        if state is not None:
            state.check_fits(self.vector_size, self.layer_names())

    def _new_training(self, corpus: Corpus, fits: bool, start: Start) -> VectorTraining:
        training = super()._new_training(corpus, fits, start)
        if self.ngrams is not None:
            training.table[len(start.vocabulary) :, : self.vector_size] = self.ngrams.vectors
        return training

    def _state(self) -> TrainingState:
        return self._learned()


class FastText(Word2Vec):
    """Word vectors with character n-grams: gensim 4's constructor and methods over ``windrow.Word2Vec``.

    A model that was read from a file has vectors alone, so that it cannot be trained further; one that was trained
    here can. ``windrow.load`` opens what ``save`` writes as word vectors.

    Parameters
    ----------
    sentences, corpus_file, sg, hs, vector_size, alpha, window, min_count, max_vocab_size
        As of ``Word2Vec``.
    word_ngrams : 1
        Another is refused.
    sample, seed, workers, min_alpha, negative, ns_exponent, cbow_mean, hashfxn, epochs, null_word
        As of ``Word2Vec``.
    min_n, max_n : int, at most 100
        Characters of the shortest and longest n-grams. Where ``max_n`` is 0 or below ``min_n``, there are none.
    sorted_vocab, trim_rule, batch_words, callbacks, max_final_vocab, shrink_windows
        As of ``Word2Vec``.
    bucket : int, at least 0
        How many vectors n-grams share; 0: there are no n-grams.
    kernel : {"block", "pair"} or None
        As of ``Word2Vec``.

    Raises
    ------
    OptionError
        A parameter is out of range, which is also a ValueError.
    CorpusError
        There is no text, or no word in it is frequent enough.

    Examples
    --------
    >>> from windrow.compat.gensim.models import FastText
    >>> sentences = [["walking", "and", "talking"], ["walked", "and", "talked"]] * 9
    >>> model = FastText(sentences, vector_size=10, min_count=1, sample=0, workers=1)
    >>> "walks" in model.wv.key_to_index, "walks" in model.wv
    (False, True)
    >>> model.wv["walks"].shape
    (10,)
    """

    def __init__(
        self,
        sentences: Any = None,
        corpus_file: str | os.PathLike[str] | None = None,
        sg: int = 0,
        hs: int = 0,
        vector_size: int = 100,
        alpha: float = 0.025,
        window: int = 5,
        min_count: int = 5,
        max_vocab_size: int | None = None,
        word_ngrams: int = 1,
        sample: float = 1e-3,
        seed: int = 1,
        workers: int = 3,
        min_alpha: float = 0.0001,
        negative: int = 5,
        ns_exponent: float = 0.75,
        cbow_mean: int = 1,
        hashfxn: object = hash,
        epochs: int = 5,
        null_word: int = 0,
        min_n: int = 3,
        max_n: int = 6,
        sorted_vocab: int = 1,
        bucket: int = 2_000_000,
        trim_rule: TrimRule | None = None,
        batch_words: int = 10_000,
        callbacks: Iterable[CallbackAny2Vec] = (),
        max_final_vocab: int | None = None,
        shrink_windows: bool = True,
        *,
        kernel: str | None = None,
    ) -> None:
        if word_ngrams != 1:
            raise OptionError("word_ngrams: n-grams of words are for classifiers; windrow.TextClassifier has them")
        self.min_n, self.max_n, self.word_ngrams = min_n, max_n, word_ngrams
        self.bucket = bucket if max_n >= max(1, min_n) else 0
        self._ngrams: NgramVectors | None = None
        self._shown: NDArray[np.float32] | None = None  # the vectors that ``wv`` was given
        super().__init__(
            sentences, corpus_file, vector_size, alpha, window, min_count, max_vocab_size, sample, seed, workers,
            min_alpha, sg, hs, negative, ns_exponent, cbow_mean, hashfxn, epochs, null_word, trim_rule, sorted_vocab,
            batch_words, callbacks=callbacks, max_final_vocab=max_final_vocab, shrink_windows=shrink_windows,
            kernel=kernel,
        )  # fmt: skip

    # --- what Word2Vec's methods do differently with n-grams

    def _estimator(self, epochs: int) -> ours.Word2Vec:
        estimator = super()._estimator(epochs)
        if not self.bucket:
            return estimator
        trainer = _Trainer(**estimator.get_params()).set_params(
            subwords=True, min_n=self.min_n, max_n=self.max_n, buckets=self.bucket
        )
        trainer.ngrams = self._ngrams
        return trainer

    def _new_table(self) -> KeyedVectors:
        return FastTextKeyedVectors(self.vector_size, self.min_n, self.max_n, self.bucket)

    def _make_tables(self, words: list[str], counts: NDArray[np.int64], known: TrainingState | None) -> None:
        if self.bucket:
            subwords, _ = Subwords.of(words, self.min_n, self.max_n, self.bucket)
            table = initial_table(len(words) + len(subwords.used), self.vector_size, self.seed)
            rows = table[len(words) :, : self.vector_size].copy()
            if known is not None and self._ngrams is not None:
                old, is_known = self._ngrams.subwords._rows_of(subwords.used)
                rows[is_known] = self._ngrams.vectors[old[is_known]]
            self._ngrams = NgramVectors(subwords, rows)
        super()._make_tables(words, counts, known)

    def _show(self, state: TrainingState) -> None:
        if self._ngrams is None:
            super()._show(state)
            return
        words, size = len(state.words), self.vector_size
        table = zero_table(words + len(self._ngrams.vectors), size)
        table[:words, :size], table[words:, :size] = state.vectors, self._ngrams.vectors
        composed = compose(table, self._ngrams.subwords.word_rows(state.words))[:, :size]
        self._show_composed(replace(state, vectors=composed), self._ngrams)

    def _show_composed(self, state: TrainingState, ngrams: NgramVectors | None) -> None:
        super()._show(state)
        self.wv.ngrams, self._shown = ngrams, self.wv.vectors

    def _show_now(self, estimator: ours.Word2Vec, state: TrainingState) -> None:
        wv = estimator.wv
        self._show_composed(replace(state, vectors=wv.vectors), wv.ngrams)

    def _keep(self, estimator: ours.Word2Vec) -> None:
        self._ngrams = estimator.wv.ngrams
        super()._keep(estimator)

    def _known(self, what: str) -> TrainingState:
        if self._state is None and len(self.wv):
            raise NotBuiltError(
                f"there is nothing to {what}: files of FastText hold vectors and no output layer; train a new FastText"
            )
        state = super()._known(what)
        if self._ngrams is None or self._state is None:
            return state
        if self.wv.vectors is not self._shown:
            raise OptionError(
                "wv was changed, and training cannot go on from that with n-grams; change it after training"
            )
        return replace(state, vectors=self._state.vectors)

    def _frozen(self, state: TrainingState) -> dict[str, float]:
        for name in ("vectors_lockf", "vectors_vocab_lockf", "vectors_ngrams_lockf"):
            if self.bucket and (np.asarray(getattr(self.wv, name)) != 1).any():
                raise OptionError(f"{name}: vectors with n-grams cannot be frozen; leave it at 1")
        return super()._frozen(state)

    def _to_store(self) -> TrainingState:
        """For questions about words, to which n-grams add nothing."""
        state, plain = super()._to_store(), Word2Vec._estimator(self, self.epochs).get_params()
        return replace(state, vectors=self.wv.vectors, parameters={name: plain[name] for name in state.parameters})

    # --- files

    def save(self, fname: str | os.PathLike[str], *args: Any, **kwargs: Any) -> None:
        """Write the vectors of words and n-grams, and the parameters, to a file of windrow's.

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
        if not len(self.wv):
            raise NotBuiltError("there is no vocabulary to save: call build_vocab first")
        counted = {"corpus_count": self.corpus_count, "corpus_total_words": self.corpus_total_words}
        given = {name: getattr(self, name) for name in _STORED}
        before, self.wv.provenance = self.wv.provenance, {
            **self.wv.provenance, _OF_GENSIM: {"parameters": given, "counted": counted}
        }  # fmt: skip
        try:
            self.wv.save(fname)
        finally:
            self.wv.provenance = before

    @classmethod
    def load(cls, fname: str | os.PathLike[str], *args: Any, **kwargs: Any) -> Self:
        """Read what ``save`` wrote; the vectors are there, and what training would go on from is not.

        Parameters
        ----------
        fname : str or os.PathLike
            The file.
        *args, **kwargs
            gensim's ``mmap`` and ``rethrow``: without effect.

        Returns
        -------
        FastText

        Raises
        ------
        FormatError
            The file is of another kind or damaged.
        """
        wv = FastTextKeyedVectors.load(fname)
        found = wv.provenance.pop(_OF_GENSIM, None)
        try:
            parameters, counted = found["parameters"], found["counted"]
            model = cls(**{name: parameters[name] for name in _STORED})
        except (TypeError, KeyError, OptionError) as error:
            raise FormatError(f"{fname} is no FastText of ours; open its vectors by windrow.load") from error
        model.wv = wv
        model.corpus_count, model.corpus_total_words = counted.get("corpus_count"), counted.get("corpus_total_words")
        return model


def load_facebook_vectors(path: str | os.PathLike[str], encoding: str = "utf-8") -> FastTextKeyedVectors:
    """The vectors of a ``.bin`` of Facebook's fastText, with its n-grams.

    Parameters
    ----------
    path : str or os.PathLike
        The file; it may be compressed.
    encoding : "utf-8"
        Another is refused.

    Returns
    -------
    FastTextKeyedVectors

    Raises
    ------
    FormatError
        The file is damaged, quantized, or a classifier.
    """
    check_encoding(encoding)
    return FastTextKeyedVectors.load(path, format=_FILE)


def load_facebook_model(path: str | os.PathLike[str], encoding: str = "utf-8") -> FastText:
    """As ``load_facebook_vectors``, in a model with the parameters of its training, which cannot be trained further.

    Parameters
    ----------
    path, encoding
        As there.

    Returns
    -------
    FastText
    """
    wv = load_facebook_vectors(path, encoding)
    asked = wv.provenance
    hs = int(asked["loss"] == 1)
    model = FastText(
        sg=asked["sg"], hs=hs, vector_size=wv.vector_size, window=max(1, asked["ws"]), epochs=max(1, asked["epoch"]),
        min_count=asked["min_count"], negative=0 if hs else max(1, asked["neg"]), sample=asked["t"],
        min_n=max(1, asked["minn"]), max_n=asked["maxn"], bucket=asked["bucket"],
    )  # fmt: skip
    model.wv = wv
    return model


def save_facebook_model(
    model: FastText,
    path: str | os.PathLike[str],
    encoding: str = "utf-8",
    lr_update_rate: int = 100,
    word_ngrams: int = 1,
) -> None:
    """Write a ``.bin`` that fastText and gensim read; the output layer in it is zero, so that it is for its vectors.

    Parameters
    ----------
    model : FastText
        The model.
    path : str or os.PathLike
        The file.
    encoding : "utf-8"
        Another is refused.
    lr_update_rate, word_ngrams
        Without effect: the file has fastText's own defaults.

    Raises
    ------
    NotBuiltError
        There is no vocabulary yet.
    """
    check_encoding(encoding)
    if not len(model.wv):
        raise NotBuiltError("there is no vocabulary to save: call build_vocab first")
    save_vectors(model.wv, path, _FILE)
