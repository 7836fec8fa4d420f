"""gensim's ``FastText`` over ``windrow.Word2Vec`` with sub-words, and functions for files of Facebook's fastText."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

import windrow.embeddings.word2vec as ours
from windrow.compat.gensim.models._counting import TrimRule
from windrow.compat.gensim.models.callbacks import CallbackAny2Vec
from windrow.compat.gensim.models.keyedvectors import KeyedVectors
from windrow.compat.gensim.models.word2vec import Word2Vec
from windrow.embeddings.exchange import check_encoding
from windrow.embeddings.formats.contract import ReadOptions
from windrow.embeddings.formats.fasttext_bin import is_classifier, read_fasttext
from windrow.embeddings.training.fasttext_state import read_fasttext_state, write_state
from windrow.embeddings.training.state import TrainingState
from windrow.embeddings.vectors import save_vectors
from windrow.errors import FormatError, OptionError
from windrow.files.local import as_path

__all__ = [
    "FastText",
    "FastTextKeyedVectors",
    "load_facebook_model",
    "load_facebook_vectors",
    "save_facebook_model",
]

_FILE = "fasttext"


class ClassifierError(FormatError, NotImplementedError):
    """A file of a classifier, which is no model of word vectors. It is also a NotImplementedError, as in gensim."""


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
        if self.ngrams is None:
            return self.vectors
        return self.ngrams.own_rows(self.index_to_key, self.vectors).astype(np.float32)

    @property
    def vectors_ngrams(self) -> NDArray[np.float32]:
        """The vectors of all buckets, (bucket, dimensions): made at each call; those that no word has are zero."""
        table = np.zeros((self.bucket, self.vector_size), np.float32)
        if self.ngrams is not None:
            table[self.ngrams.subwords.used] = self.ngrams.vectors
        return table

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or (self.ngrams is not None and isinstance(key, str))

    def _composed(self, key: object) -> NDArray[np.float32] | None:
        """As gensim, a vector for every word: zeros where none of its n-grams is known."""
        found = super()._composed(key)
        if found is None and self.ngrams is not None and isinstance(key, str) and key not in self._rows:
            return np.zeros(self.vector_size, np.float32)
        return found

    def adjust_vectors(self) -> None:
        """Does nothing: vectors of words are always those of their parts."""


class FastText(Word2Vec):
    """Word vectors with character n-grams: gensim 4's constructor and methods over ``windrow.Word2Vec``.

    ``windrow.load`` opens what ``save`` writes as word vectors.

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

    _extra = (*Word2Vec._extra, "min_n", "max_n")

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
        super().__init__(
            sentences, corpus_file, vector_size, alpha, window, min_count, max_vocab_size, sample, seed, workers,
            min_alpha, sg, hs, negative, ns_exponent, cbow_mean, hashfxn, epochs, null_word, trim_rule, sorted_vocab,
            batch_words, callbacks=callbacks, max_final_vocab=max_final_vocab, shrink_windows=shrink_windows,
            kernel=kernel,
        )  # fmt: skip

    # --- what Word2Vec's methods do differently with n-grams

    def _estimator(self, epochs: int) -> ours.Word2Vec:
        estimator = super()._estimator(epochs)
        if self.bucket:
            estimator.set_params(subwords=True, min_n=self.min_n, max_n=self.max_n, buckets=self.bucket)
        return estimator

    @classmethod
    def _of_ours(cls, trained: ours.Word2Vec) -> dict[str, Any]:
        found = trained.get_params()
        return {**found, "bucket": found["buckets"] if trained.subwords else 0}

    def _new_table(self) -> KeyedVectors:
        return FastTextKeyedVectors(self.vector_size, self.min_n, self.max_n, self.bucket)

    def _frozen(self, state: TrainingState) -> dict[str, float]:
        for name in ("vectors_lockf", "vectors_vocab_lockf", "vectors_ngrams_lockf"):
            if self.bucket and (np.asarray(getattr(self.wv, name)) != 1).any():
                raise OptionError(f"{name}: vectors with n-grams cannot be frozen here; leave it at 1")
        return super()._frozen(state)


def load_facebook_vectors(path: str | os.PathLike[str], encoding: str = "utf-8") -> FastTextKeyedVectors:
    """The vectors of a ``.bin`` of Facebook's fastText, with its n-grams.

    Parameters
    ----------
    path : str or os.PathLike
        The file; it may be compressed.
    encoding : str, default "utf-8"
        Of the words. Bytes that are none of its characters are written with a backslash, as gensim does.

    Returns
    -------
    FastTextKeyedVectors

    Raises
    ------
    FormatError
        The file is damaged, quantized, or a classifier.
    """
    return FastTextKeyedVectors._of(read_fasttext(as_path(path), _as_gensim(encoding)), path)


def _as_gensim(encoding: str) -> ReadOptions:
    """How gensim reads words: bytes that are none of the encoding's are written with a backslash."""
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise OptionError(f"encoding = {encoding!r} is unknown; leave it out for UTF-8") from None
    return ReadOptions(errors="backslashreplace", encoding=encoding)


def load_facebook_model(path: str | os.PathLike[str], encoding: str = "utf-8") -> FastText:
    """A model of Facebook's fastText, from a ``.bin``, to train further.

    Parameters
    ----------
    path : str or os.PathLike
        The file; it may be compressed.
    encoding : str, default "utf-8"
        Of the words. Bytes that are none of its characters are written with a backslash, as gensim does.

    Returns
    -------
    FastText

    Raises
    ------
    FormatError
        The file is damaged or quantized.
    ClassifierError
        It is a classifier; it is also a NotImplementedError.
    """
    if is_classifier(as_path(path)):
        raise ClassifierError(f"{path} is a classifier of fastText; windrow.TextClassifier is for such")
    state = read_fasttext_state(as_path(path), _as_gensim(encoding))
    parameters, negative = {**state.parameters, "ns_exponent": 0.75}, state.provenance["neg"]  # gensim's exponent
    if "hs" in state.outputs and negative:  # as gensim, which trains both; of noise words nothing was learned
        state = replace(state, outputs={**state.outputs, "ns": np.zeros_like(state.vectors)})
        parameters |= {"loss": "hs+ns", "negative": negative}
    state = replace(state, parameters=parameters)
    return FastText._from_state(state, path)


def save_facebook_model(
    model: FastText,
    path: str | os.PathLike[str],
    encoding: str = "utf-8",
    lr_update_rate: int = 100,
    word_ngrams: int = 1,
) -> None:
    """Write a ``.bin`` that fastText and gensim read.

    It holds one output layer, that of ``hs`` where there are two. Without n-grams the tree is gensim's, not fastText's,
    so that with ``hs`` the file is for its vectors: the output layer in it is zero.

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
    state = model._to_store()
    if "hs" in state.outputs:
        state = replace(state, outputs={"hs": state.outputs["hs"]})
        if state.ties != "fasttext":
            save_vectors(model.wv, path, "fasttext")
            return
    write_state(state, path, "fasttext")
