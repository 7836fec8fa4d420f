"""Documents as averages of word vectors, for scikit-learn's pipelines."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import replace
from os import PathLike
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from windrow.corpus import TextReader
from windrow.corpus.tables import cells_of
from windrow.corpus.tokenizers import as_tokens
from windrow.embeddings.sentence_vectors import SentenceVectors
from windrow.embeddings.sentence_weights import leading_directions, smooth_idf_of
from windrow.embeddings.settings import SENTENCE_VECTORS, SENTENCE_WEIGHTINGS
from windrow.embeddings.vectors import WordVectors, load_vectors
from windrow.embeddings.word2vec import Word2Vec
from windrow.errors import DataError, OptionError, needs_package
from windrow.estimator import Setting, check_effects, check_settings
from windrow.nn.training.fitting import all_or_nothing

with needs_package("windrow.sklearn needs scikit-learn", "sklearn"):
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
    from sklearn.utils.validation import check_is_fitted

WEIGHTINGS = SENTENCE_WEIGHTINGS
_ROWS = {setting.name: setting for setting in SENTENCE_VECTORS}
DOCUMENT_VECTORIZER = (
    replace(_ROWS["vectors"], default=None, none="trained on the texts given to fit"),
    *(_ROWS[name] for name in ("weighting", "sif_a", "remove_components", "frequencies", "tokenizer")),
    replace(_ROWS["lowercase"], none="as the vectors were trained, if they say so, else it is"),
    replace(_ROWS["normalize"], help="Whether each document's vector is scaled to length 1."),
    Setting(
        "word2vec_params", "dict", None, "Parameters of Word2Vec, where vectors are trained; with one worker unless it "
        "says otherwise, so that training can be repeated.", none="the defaults", only_with=("vectors", (None,)),
    ),
)  # fmt: skip

Document = str | Iterable[str]
_DOCUMENTS = "X must be a list or one column of documents"


class DocumentVectorizer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A document, a str or a list of tokens, becomes an average of the vectors of its words: (documents, dim) float32.

    The vectors are those of ``SentenceVectors``, in the form that scikit-learn's pipelines take. A document without a
    known word becomes zeros. Lists of tokens are not tokenized, but lower-cased like text; where given vectors know
    fewer words of the texts for it, ``fit`` warns.

    Parameters
    ----------
    vectors : WordVectors or path or None, default None
        Word vectors, or a file of them. None: trained on the texts given to fit.
    weighting : {"mean", "tfidf", "sif", "unit"}, default "mean"
        Weights of the words: all alike; by scikit-learn's smooth inverse document frequency; by smooth inverse
        frequency, sif_a / (sif_a + p(word)), less the first singular vectors; or all alike with vectors of length 1
        (unit). tfidf and sif play down the words that are everywhere.
    sif_a : float > 0, default 0.001
        The smaller, the less frequent words weigh. Only with weighting "sif".
    remove_components : int >= 0, default 1
        How many singular vectors of the training texts are taken off. Only with weighting "sif".
    frequencies : {"vectors", "texts", "rank"} or None, default None
        Where p(word) is from: the counts of the vectors; the training texts; or the rank of the word among the
        vectors, by Zipf's law. None: the first of these that there is. Only with weighting "sif".
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
        frequencies: str | None = None,
        tokenizer: str | Callable[[str], list[str]] | None = None,
        lowercase: bool | None = None,
        normalize: bool = False,
        word2vec_params: dict[str, Any] | None = None,
    ) -> None:
        self.vectors = vectors
        self.weighting = weighting
        self.sif_a = sif_a
        self.remove_components = remove_components
        self.frequencies = frequencies
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
        return self._learn(X, transforms=True)

    def transform(self, X: Iterable[Document]) -> NDArray[np.float32]:  # noqa: N803
        """The vectors of the documents, (documents, dim) float32."""
        check_is_fitted(self, "word_vectors_")
        return self._sentence_vectors.transform(list(cells_of(X, expected=_DOCUMENTS)))

    def _learn(self, documents: Iterable[Document], transforms: bool = False) -> NDArray[np.float32]:
        """Set everything that is learned, or nothing; gives the vectors of the documents, if wanted."""
        check_settings(self.settings, vars(self))
        check_effects(self.settings, vars(self))
        if not isinstance(self.word2vec_params, Mapping | None):
            raise OptionError(f"word2vec_params = {self.word2vec_params!r} must be a dict")
        if self.vectors is not None and not isinstance(self.vectors, WordVectors | str | PathLike):
            raise OptionError(f"vectors must be WordVectors, a path or None, not {type(self.vectors).__name__}")
        with all_or_nothing(self, "word_vectors_"):
            return self._learn_from(list(cells_of(documents, expected=_DOCUMENTS)), transforms)

    def _learn_from(self, documents: list[Document], transforms: bool) -> NDArray[np.float32]:
        if not documents:
            raise DataError("there is no document to fit on; give at least one")
        vectors, reading = self._vectors_for(documents)
        names = ("weighting", "sif_a", "remove_components", "frequencies", "normalize")
        model = SentenceVectors(vectors, **{name: getattr(self, name) for name in names}, **reading)
        found = np.zeros((0, 0), np.float32)
        if transforms:
            found = model.fit_transform(documents)
        else:
            model.fit(documents)
        self._sentence_vectors, self.word_vectors_ = model, model.word_vectors_
        self.idf_, self.word_weights_, self.components_ = model.idf_, model.word_weights_, model.components_
        self.n_features_out_ = self.word_vectors_.vector_size
        return found

    def _vectors_for(self, documents: list[Document]) -> tuple[WordVectors, dict[str, Any]]:
        """The vectors, given or trained, and how documents are read: as their text was, or in lower case."""
        reading: dict[str, Any] = {"tokenizer": self.tokenizer, "lowercase": self.lowercase}
        given = self.vectors
        if isinstance(given, str | PathLike):
            given = load_vectors(given)
        if given is None or "tokenizer" not in given.provenance:
            defaults = {"tokenizer": "whitespace", "lowercase": True}
            reading = {name: defaults[name] if value is None else value for name, value in reading.items()}
        if given is None:
            tokens = list(_tokens(documents, TextReader(**reading)))
            return Word2Vec(workers=1).set_params(**(self.word2vec_params or {})).fit(tokens).wv, reading
        _warn_of_case(documents, given, reading)
        return given, reading

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


def _warn_of_case(documents: list[Document], vectors: WordVectors, reading: Mapping[str, Any]) -> None:
    """Warn where vectors know more tokens of the texts as they stand than in lower case."""
    known = vectors.key_to_index
    read = TextReader.remembered(vectors.provenance) if "tokenizer" in vectors.provenance else TextReader()
    reader = read.changed(**{name: value for name, value in reading.items() if value is not None})
    if not reader.lowercase or all(word == word.lower() for word in known):
        return
    lowered = list(_tokens(documents, reader))
    as_they_stand = _tokens(documents, reader.changed(lowercase=False))
    found, as_given = (
        sum(token in known for document in tokens for token in document) for tokens in (lowered, as_they_stand)
    )
    if found < as_given:
        total = sum(map(len, lowered))
        told = f"lowercase = True: the vectors know {found:,} of {total:,} tokens, but {as_given:,} as they stand"
        warnings.warn(f"{told}; try lowercase = False", UserWarning, stacklevel=7)


def smooth_idf(counts: csr_matrix[np.float32]) -> NDArray[np.float32]:
    """ln((1 + documents) / (1 + documents with the word)) + 1, shape (words,), as scikit-learn's TfidfTransformer.

    Parameters
    ----------
    counts : sparse array of shape (documents, words)
        How often each word occurs in each document.
    """
    documents, words = counts.shape
    return smooth_idf_of(documents, np.bincount(counts.indices, minlength=words))


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
    return leading_directions(wide.T @ wide, number)
