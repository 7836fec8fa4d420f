"""gensim's ``KeyedVectors`` over ``windrow.WordVectors``: a table that may be empty, with gensim's signatures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NoReturn, Self

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.exchange import check_encoding
from windrow.embeddings.terms import numbers, texts
from windrow.embeddings.vectors import WordVectors, save_vectors
from windrow.errors import OptionError, check_whole
from windrow.evaluation.pairs import read_pairs

_MOST_DIMENSIONS = 10**8
# Names that gensim 4 has given up or that are about its own insides -> what to write instead.
_GONE = {
    "vocab": "key_to_index, index_to_key and get_vecattr(word, 'count')",
    "index2word": "index_to_key",
    "index2entity": "index_to_key",
    "syn0": "vectors",
    "syn0norm": "get_normed_vectors()",
    "vectors_norm": "get_normed_vectors()",
    "word_vec": "get_vector",
    "wv": "the table itself",
    "words_closer_than": "closer_than",
    "init_sims": "get_normed_vectors(), or unit_normalize_all() to change the vectors",
    "accuracy": "evaluate_word_analogies",
    "log_accuracy": "what evaluate_word_analogies returns",
    "log_evaluate_word_pairs": "what evaluate_word_pairs returns",
    "similarity_unseen_docs": "n_similarity",
    "allocate_vecattrs": "set_vecattr, which needs no preparation",
    "resize_vectors": "add_vectors",
    "add_lifecycle_event": "provenance, a dict that is kept in the file",
    "lifecycle_events": "provenance, a dict that is kept in the file",
}


class KeyedVectors(WordVectors):
    """Words and their vectors, with the constructor and the signatures of gensim 4.

    All that ``windrow.WordVectors`` has is there, too. ``vectors`` and its rows are read-only: change them by
    ``kv[word] = vector`` or ``kv.vectors = matrix``, so that kept norms are never out of date.

    Parameters
    ----------
    vector_size : int, 1 to 100,000,000
        The number of dimensions per vector.
    count : int, at least 0, default 0
        How many words will be added. There is room for words that are added one by one anyway, and none before.
    dtype : type, default numpy.float32
        That of the numbers: there is none other here.
    mapfile_path : object, default None
        Unused, as in gensim.

    Raises
    ------
    OptionError
        A number is out of range, or ``dtype`` is another.

    Examples
    --------
    >>> from windrow.compat.gensim.models import KeyedVectors
    >>> kv = KeyedVectors(2)
    >>> kv.add_vectors(["cat", "kitten", "dog"], [[1, 0], [4, 3], [0, 1]])
    >>> kv.most_similar("cat", topn=1)[0][0]
    'kitten'
    """

    _may_be_empty = True

    def __init__(self, vector_size: int, count: int = 0, dtype: Any = np.float32, mapfile_path: object = None) -> None:
        check_whole("count", count, 0)
        if np.dtype(dtype) != np.float32:
            raise OptionError(f"dtype = {np.dtype(dtype)}: numbers are float32 here; leave it out")
        super().__init__([], np.empty((0, check_whole("vector_size", vector_size, 1, _MOST_DIMENSIONS)), np.float32))
        self.vectors_lockf = np.ones(1, np.float32)  # of a training: the part of each update that a vector takes

    @property
    def vectors(self) -> NDArray[np.float32]:
        """The vectors by row, (words, dimensions), read-only; another matrix may be assigned."""
        return super().vectors

    @vectors.setter
    def vectors(self, matrix: NDArray[np.floating[Any]]) -> None:
        given = numbers("vectors", matrix, np.float32)
        if given.ndim != 2 or len(given) != len(self) or 0 in given.shape[1:]:
            raise OptionError(
                f"vectors must have shape ({len(self)}, dimensions), got {given.shape}; add_vectors adds words"
            )
        self._replace_all(given.copy())

    @property
    def expandos(self) -> dict[str, NDArray[np.int64]]:
        """The counts of words, if there are any; ``get_vecattr`` and ``set_vecattr`` are for all attributes."""
        return {} if self.counts is None else {"count": self.counts}

    def add_vectors(  # type: ignore[override]  # gensim's order
        self, keys: str | Sequence[str], weights: Any, extras: None = None, replace: bool = False
    ) -> None:
        """As ``WordVectors.add_vectors``; one word and one vector may be given, too.

        Parameters
        ----------
        keys : str, or sequence of str
            Distinct words. gensim's keys that are no str are refused.
        weights : array, shape (words, dimensions), or (dimensions,) for one word
            The vectors.
        extras : None
            Refused: ``set_vecattr`` gives words attributes.
        replace : bool, default False
            Whether a word that is there already gets the new vector or keeps its own.

        Raises
        ------
        OptionError
            Words repeat or are not str, the vectors have another shape or a number that is not finite, or ``extras``.
        """
        if extras:
            raise OptionError("extras: give each word its attributes by set_vecattr")
        if isinstance(keys, str):
            keys, weights = [keys], np.reshape(weights, (1, -1))
        super().add_vectors(keys, weights, replace)

    def fill_norms(self, force: bool = False) -> None:
        """Does nothing: norms are computed when they are needed, and again after every change.

        Parameters
        ----------
        force : bool, default False
            Without effect.
        """

    def sort_by_descending_frequency(self) -> None:
        """Bring the most frequent words to the first rows; of equal counts the later word comes first, as in gensim.

        Raises
        ------
        OptionError
            The words have no counts.
        """
        if self.counts is None:
            raise OptionError("the words have no counts to sort by; set_vecattr(word, 'count', number) sets them")
        order = np.lexsort((-np.arange(len(self)), -self.counts))
        vectors, counts = self._vectors[order], self.counts[order]
        self._words = texts(map(self._words.__getitem__, order))
        self._rows = {word: row for row, word in enumerate(self._words)}
        counts.setflags(write=False)
        self.counts = counts
        self._replace_all(vectors)

    # --- evaluation, with gensim's parameters

    def evaluate_word_analogies(
        self,
        analogies: Any,
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
        similarity_function: str = "most_similar",
    ) -> tuple[float, list[dict[str, Any]]]:
        """As ``WordVectors.evaluate_word_analogies``.

        Parameters
        ----------
        analogies, restrict_vocab, case_insensitive, dummy4unknown
            As there.
        similarity_function : "most_similar"
            Another is refused: ``windrow.evaluation.evaluate_analogies`` has ``method="3cosmul"``.
        """
        if similarity_function != "most_similar":
            raise OptionError(
                f"similarity_function = {similarity_function!r}: windrow.evaluation.evaluate_analogies has "
                "method='3cosmul' for most_similar_cosmul"
            )
        return super().evaluate_word_analogies(analogies, restrict_vocab, case_insensitive, dummy4unknown)

    def evaluate_word_pairs(
        self,
        pairs: Any,
        delimiter: str = "\t",
        encoding: str = "utf8",
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
    ) -> tuple[tuple[float, float], tuple[float, float], float]:
        """As ``WordVectors.evaluate_word_pairs``.

        Parameters
        ----------
        pairs, restrict_vocab, case_insensitive, dummy4unknown
            As there.
        delimiter : str, default a tab
            What separates the fields of the file.
        encoding : str, default "utf8"
            That of the file: none other is read.
        """
        check_encoding(encoding)
        given = read_pairs(pairs, delimiter) if isinstance(pairs, str | os.PathLike) else pairs
        return super().evaluate_word_pairs(
            given, restrict_vocab=restrict_vocab, case_insensitive=case_insensitive, dummy4unknown=dummy4unknown
        )

    # --- files

    def save(self, fname: str | os.PathLike[str], *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Write a file of windrow's, whatever its name; ``save_word2vec_format`` writes what gensim reads.

        Parameters
        ----------
        fname : str or os.PathLike
            The file.
        *args, **kwargs
            gensim's ``separately``, ``sep_limit``, ``ignore`` and ``pickle_protocol``: without effect, since there is
            one file and no pickle.

        Raises
        ------
        DataError
            The file cannot be written.
        OptionError
            A number is not finite, or there are no words.
        """
        self._check_attributes(fname)
        save_vectors(self, fname, "safetensors")

    @classmethod
    def load(cls, fname: str | os.PathLike[str], mmap: object = None, **reading: Any) -> Self:  # type: ignore[override]
        """Read vectors: windrow's own, gensim's ``.kv`` and ``.model``, and the other formats of ``WordVectors.load``.

        Parameters
        ----------
        fname : str or os.PathLike
            The file.
        mmap : object, default None
            Without effect: windrow's own files are mapped into memory anyway.
        **reading
            The options of ``WordVectors.load``.

        Returns
        -------
        KeyedVectors

        Raises
        ------
        FormatError
            The file is damaged or of another kind.
        DataError
            It cannot be read.
        """
        return super().load(fname, **reading)

    @classmethod
    def _made(cls, words: Sequence[str], vectors: NDArray[np.float32], counts: NDArray[np.int64] | None) -> Self:
        made = cls(np.shape(vectors)[1])
        WordVectors.__init__(made, words, vectors, counts)
        return made

    def __getattr__(self, name: str) -> NoReturn:
        if name in _GONE:
            raise AttributeError(f"{name} is not there; write {_GONE[name]}")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


Word2VecKeyedVectors = EuclideanKeyedVectors = KeyedVectors  # as in gensim, whose older files name them


def load_word2vec_format(*args: Any, **kwargs: Any) -> KeyedVectors:
    """As ``KeyedVectors.load_word2vec_format``."""
    return KeyedVectors.load_word2vec_format(*args, **kwargs)
