"""Documents as averages of word vectors, for scikit-learn's pipelines."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from os import PathLike
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from windrow.corpus import TextReader
from windrow.corpus.tables import cells_of
from windrow.corpus.tokenizers import as_tokens
from windrow.embeddings.vectors import WordVectors, load_vectors
from windrow.embeddings.word2vec import Word2Vec
from windrow.errors import DataError, OptionError, needs_package, warn
from windrow.estimator import Setting, check_effects, check_settings
from windrow.nn.training.fitting import all_or_nothing

with needs_package("windrow.sklearn needs scikit-learn", "sklearn"):
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
    from sklearn.utils.validation import check_is_fitted

WEIGHTINGS = ("mean", "tfidf", "sif")
DOCUMENT_VECTORIZER = (
    Setting(
        "vectors", "WordVectors or path", None, "Word vectors, or a file of them.",
        none="trained on the texts given to fit",
    ),
    Setting(
        "weighting", str, "mean", "Weights of the words: all alike; by scikit-learn's smooth inverse document "
        "frequency; or by smooth inverse frequency, sif_a / (sif_a + p(word)), less the first singular vectors.",
        "tfidf and sif play down the words that are everywhere.", choices=WEIGHTINGS,
    ),
    Setting(
        "sif_a", float, 1e-3, "The smaller, the less frequent words weigh. p(word) is by the counts of the vectors or, "
        "without them, of the training texts.", low=0, low_open=True, only_with=("weighting", ("sif",)),
    ),
    Setting(
        "remove_components", int, 1, "How many singular vectors of the training texts are taken off.",
        low=0, only_with=("weighting", ("sif",)),
    ),
    Setting(
        "tokenizer", (str, Callable), None, "What cuts text into words: whitespace, word, char, or a function from a "
        "str to a list.", none="as the vectors were trained, if they say so, else whitespace",
    ),
    Setting(
        "lowercase", bool, None, "Whether text is lower-cased first.",
        none="as the vectors were trained, if they say so, else it is",
    ),
    Setting("normalize", bool, False, "Whether each document's vector is scaled to length 1."),
    Setting(
        "word2vec_params", "dict", None, "Parameters of Word2Vec, where vectors are trained; with one worker unless it "
        "says otherwise, so that training can be repeated.", none="the defaults", only_with=("vectors", (None,)),
    ),
)  # fmt: skip

Document = str | Iterable[str]
_MANY = 10  # tokens, of which some should be known
_DOCUMENTS = "X must be a list or one column of documents"


class DocumentVectorizer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A document, a str or a list of tokens, becomes an average of the vectors of its words: (documents, dim) float32.

    A document without a known word becomes zeros. Lists of tokens are not tokenized, but lower-cased like text; where
    given vectors know fewer words of the texts for it, ``fit`` warns.

    Parameters
    ----------
    vectors : WordVectors or path or None, default None
        Word vectors, or a file of them. None: trained on the texts given to fit.
    weighting : {"mean", "tfidf", "sif"}, default "mean"
        Weights of the words: all alike; by scikit-learn's smooth inverse document frequency; or by smooth inverse
        frequency, sif_a / (sif_a + p(word)), less the first singular vectors. tfidf and sif play down the words
        that are everywhere.
    sif_a : float > 0, default 0.001
        The smaller, the less frequent words weigh. p(word) is by the counts of the vectors or, without them, of the
        training texts. Only with weighting "sif".
    remove_components : int >= 0, default 1
        How many singular vectors of the training texts are taken off. Only with weighting "sif".
    tokenizer : str or callable or None, default None
        What cuts text into words: whitespace, word, char, or a function from a str to a list. None: as the vectors
        were trained, if they say so, else whitespace.
    lowercase : bool or None, default None
        Whether text is lower-cased first. None: as the vectors were trained, if they say so, else it is.
    normalize : bool, default False
        Whether each document's vector is scaled to length 1.
    word2vec_params : dict or None, default None
        Parameters of Word2Vec, where vectors are trained; with one worker unless it says otherwise, so that
        training can be repeated. None: the defaults. Only without vectors.

    Attributes
    ----------
    word_vectors_ : WordVectors
        The vectors of words, given or trained.
    idf_, word_weights_ : ndarray of shape (words,)
        The inverse document frequency of each word, and the weight that it has in the average.
    components_ : ndarray of shape (removed, dim)
        The singular vectors that are taken off.
    n_features_out_ : int
        Dimensions per document.

    Raises
    ------
    OptionError
        For a bad parameter, or a word of the texts whose vector is not finite.
    DataError
        For what is no document.

    References
    ----------
    Arora, Liang & Ma 2017, "A simple but tough-to-beat baseline for sentence embeddings".

    Examples
    --------
    >>> from windrow.sklearn import DocumentVectorizer
    >>> texts = ["the king rules", "the queen rules", "a frog jumps"]
    >>> training = {"vector_size": 8, "min_count": 1, "sample": 0}
    >>> vectorizer = DocumentVectorizer(weighting="tfidf", word2vec_params=training)
    >>> vectorizer.fit_transform(texts).shape
    (3, 8)
    """

    settings = DOCUMENT_VECTORIZER

    def __init__(
        self,
        vectors: WordVectors | str | PathLike[str] | None = None,
        *,
        weighting: str = "mean",
        sif_a: float = 1e-3,
        remove_components: int = 1,
        tokenizer: str | Callable[[str], list[str]] | None = None,
        lowercase: bool | None = None,
        normalize: bool = False,
        word2vec_params: dict[str, Any] | None = None,
    ) -> None:
        self.vectors = vectors
        self.weighting = weighting
        self.sif_a = sif_a
        self.remove_components = remove_components
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.normalize = normalize
        self.word2vec_params = word2vec_params

    def fit(self, X: Iterable[Document], y: object = None) -> Self:  # noqa: N803
        """Learn word vectors if none were given, and what the weighting needs, from the documents."""
        self._learn(X)
        return self

    def fit_transform(self, X: Iterable[Document], y: object = None) -> NDArray[np.float32]:  # noqa: N803
        """Fit and transform, tokenizing only once."""
        return self._vectors_of(self._learn(X))

    def transform(self, X: Iterable[Document]) -> NDArray[np.float32]:  # noqa: N803
        """The vectors of the documents, (documents, dim) float32."""
        check_is_fitted(self, "word_vectors_")
        reader = self._reader(None if self.vectors is None else self.word_vectors_)
        return self._vectors_of(self._count(_tokens(cells_of(X, expected=_DOCUMENTS), reader)))

    def _learn(self, documents: Iterable[Document]) -> csr_matrix[np.float32]:
        """Set everything that is learned, or nothing; gives the word counts of the documents, to be used again."""
        self._check_parameters()
        with all_or_nothing(self, "word_vectors_"):
            return self._learn_from(list(cells_of(documents, expected=_DOCUMENTS)))

    def _learn_from(self, documents: list[Document]) -> csr_matrix[np.float32]:
        given = self._given_vectors()
        reader = self._reader(given)
        tokens = list(_tokens(documents, reader))
        if not tokens:
            raise DataError("there is no document to fit on; give at least one")
        if given is None:
            given = Word2Vec(workers=1).set_params(**(self.word2vec_params or {})).fit(tokens).wv
        elif reader.lowercase:
            _warn_of_case(documents, tokens, reader, given)
        self.word_vectors_ = given
        self.n_features_out_ = self.word_vectors_.vector_size
        counts = self._count(tokens)
        if not counts.nnz and sum(map(len, tokens)) >= _MANY:
            warn(
                "the vectors know no word of the texts, so that every document is zeros; are they of another language?"
            )
        self.idf_ = smooth_idf(counts)
        self.word_weights_ = self._word_weights(counts)
        self.components_ = np.zeros((0, self.n_features_out_), np.float32)
        if self.weighting == "sif":
            self.components_ = singular_vectors(self._averages(counts), self.remove_components)
        return counts

    def _check_parameters(self) -> None:
        check_settings(self.settings, vars(self))
        check_effects(self.settings, vars(self))
        if not isinstance(self.word2vec_params, Mapping | None):
            raise OptionError(f"word2vec_params = {self.word2vec_params!r} must be a dict")
        if self.vectors is not None and not isinstance(self.vectors, WordVectors | str | PathLike):
            raise OptionError(f"vectors must be WordVectors, a path or None, not {type(self.vectors).__name__}")

    def _given_vectors(self) -> WordVectors | None:
        if self.vectors is None or isinstance(self.vectors, WordVectors):
            return self.vectors
        return load_vectors(self.vectors)

    def _reader(self, vectors: WordVectors | None) -> TextReader:
        """How documents become words: as the text of given vectors was read, but for what the parameters say."""
        reader = TextReader(lowercase=True)
        if vectors is not None and "tokenizer" in vectors.provenance:
            reader = TextReader.remembered(vectors.provenance)
        asked = {"tokenizer": self.tokenizer, "lowercase": self.lowercase}
        return reader.changed(**{name: value for name, value in asked.items() if value is not None})

    def _count(self, tokens: Iterable[list[str]]) -> csr_matrix[np.float32]:
        """How often each known word occurs in each document, (documents, words)."""
        row_of = self.word_vectors_.key_to_index
        words: list[int] = []
        ends = [0]
        for document in tokens:
            words += [row_of[word] for word in document if word in row_of]
            ends.append(len(words))
        shape = (len(ends) - 1, len(row_of))
        counts = csr_matrix((np.ones(len(words), np.float32), words, ends), shape, np.float32)
        counts.sum_duplicates()
        self.word_vectors_.check_finite(np.unique(counts.indices))
        return counts

    def _word_weights(self, counts: csr_matrix[np.float32]) -> NDArray[np.float32]:
        if self.weighting == "mean":
            return np.ones(counts.shape[1], np.float32)
        if self.weighting == "tfidf":
            return self.idf_
        occurrences = self.word_vectors_.counts
        if occurrences is None:
            occurrences = np.asarray(counts.sum(axis=0, dtype=np.float64)).ravel()
        probabilities = occurrences / max(1, occurrences.sum())
        weights: NDArray[np.float64] = self.sif_a / (self.sif_a + probabilities)
        return weights.astype(np.float32)

    def _vectors_of(self, counts: csr_matrix[np.float32]) -> NDArray[np.float32]:
        averages = self._averages(counts)
        averages -= averages @ self.components_.T @ self.components_
        if self.normalize:
            averages /= _nonzero(np.linalg.norm(averages, axis=1))[:, None]
        return averages

    def _averages(self, counts: csr_matrix[np.float32]) -> NDArray[np.float32]:
        weighted = counts.copy()
        weighted.data *= self.word_weights_[counts.indices]
        # SIF divides by the number of words (Arora et al. 2017, algorithm 1), a weighted mean by its weights.
        divisors = (counts if self.weighting == "sif" else weighted).sum(axis=1, dtype=np.float64)
        weighted.data /= np.repeat(_nonzero(np.asarray(divisors).ravel()), np.diff(weighted.indptr))
        return np.asarray(weighted @ self.word_vectors_.vectors)

    @property
    def _n_features_out(self) -> int:  # for get_feature_names_out
        return self.n_features_out_

    def __sklearn_clone__(self) -> Self:
        # A search clones for every candidate and fold; they share the given vectors, which may be large.
        bare = copy(self)
        bare.vectors = None
        twin: Self = super(DocumentVectorizer, bare).__sklearn_clone__()
        twin.vectors = self.vectors
        return twin

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _tokens(documents: Iterable[Document], reader: TextReader) -> Iterator[list[str]]:
    for number, document in enumerate(documents, 1):
        if isinstance(document, str):
            yield reader.tokens(document)
        else:
            yield reader.folded(as_tokens(document, f"document {number}"))


def _warn_of_case(
    documents: list[Document], lowered: list[list[str]], reader: TextReader, vectors: WordVectors
) -> None:
    """Warn where vectors know more tokens of the texts as they stand than in lower case."""
    known = vectors.key_to_index
    if all(word == word.lower() for word in known):
        return
    as_they_stand = _tokens(documents, reader.changed(lowercase=False))
    found, as_given = (
        sum(token in known for document in tokens for token in document) for tokens in (lowered, as_they_stand)
    )
    if found < as_given:
        total = sum(map(len, lowered))
        told = f"lowercase = True: the vectors know {found:,} of {total:,} tokens, but {as_given:,} as they stand"
        warnings.warn(f"{told}; try lowercase = False", UserWarning, stacklevel=6)


def smooth_idf(counts: csr_matrix[np.float32]) -> NDArray[np.float32]:
    """ln((1 + documents) / (1 + documents with the word)) + 1, shape (words,), as scikit-learn's TfidfTransformer.

    Parameters
    ----------
    counts : sparse array of shape (documents, words)
        How often each word occurs in each document.
    """
    documents, words = counts.shape
    document_frequencies = np.bincount(counts.indices, minlength=words)
    return (np.log((1 + documents) / (1 + document_frequencies)) + 1).astype(np.float32)


def singular_vectors(rows: NDArray[np.float32], number: int) -> NDArray[np.float32]:
    """The first right singular vectors, shape (number or fewer, dim).

    Parameters
    ----------
    rows : ndarray of shape (documents, dim)
        The matrix.
    number : int
        How many vectors; fewer where the rank is less.
    """
    wide = rows.astype(np.float64)
    squares, directions = np.linalg.eigh(wide.T @ wide)  # rising
    rank = int((squares > 1e-12 * squares[-1]).sum()) if squares[-1] > 0 else 0
    return directions[:, ::-1][:, : min(number, rank)].T.astype(np.float32)


def _nonzero(divisors: NDArray[Any]) -> NDArray[Any]:
    return np.where(divisors > 0, divisors, 1)
