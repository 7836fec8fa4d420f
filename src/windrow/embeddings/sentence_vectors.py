"""SentenceVectors: a vector for each sentence, of those of its words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from os import PathLike
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import TextReader
from windrow.corpus.known_words import FoundWords, KnownWords
from windrow.corpus.tables import cells_of
from windrow.embeddings.formats.contract import VectorData
from windrow.embeddings.formats.sentence_weights import (
    SentenceWeights,
    read_sentence_weights,
    write_sentence_weights,
)
from windrow.embeddings.kernels.sentences import WeightedRows, sum_sentences, weighted_rows
from windrow.embeddings.sentence_weights import (
    composed_rows,
    leading_directions,
    sif_weights,
    smooth_idf_of,
    without_directions,
    zipf_occurrences,
)
from windrow.embeddings.settings import SENTENCE_VECTORS
from windrow.embeddings.terms import nonzero
from windrow.embeddings.vectors import WordVectors, load_vectors
from windrow.errors import DataError, FormatError, NotFittedError, OptionError, warn
from windrow.estimator import Estimator
from windrow.evaluation.similarity import row_norms
from windrow.nn.training.fitting import all_or_nothing
from windrow.numeric.threads import one_blas_thread

Sentence = str | Iterable[str]
Floats = NDArray[np.float32]

_MANY = 10  # tokens, of which some should be known
_LONGEST = 256  # words that are summed in float32; such sums are added up in float64
_EXPECTED = "sentences must be a list or one column of texts"


class SentenceVectors(Estimator):
    """A vector for each sentence, or document: a weighted mean of the vectors of its words.

    Words that have no vector, also none of n-grams, are left out; a sentence without others becomes zeros. ``fit``
    learns what the weighting needs from sentences; "mean" and "unit" need none. After that the model only reads: any
    number of threads may share it.

    Parameters
    ----------
    vectors : WordVectors or path
        Word vectors, or a file of them.
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
        Whether text is lower-cased first. None: as the vectors were trained, if they say so, else it is not.
    normalize : bool, default False
        Whether each sentence's vector is scaled to length 1.

    Attributes
    ----------
    word_vectors_ : WordVectors
        The vectors of words.
    word_weights_ : array of float32, shape (words,)
        The weight that each word has.
    components_ : array of float32, shape (removed, dimensions)
        The singular vectors that are taken off.
    reader : TextReader or None
        How sentences become words, but for what the parameters say; None: as the text of the vectors was read, if they
        say so, else at white space. A file remembers it.
    idf_ : array of float32, shape (words,), or None
        The smooth inverse document frequency of each word in the sentences given to ``fit``; None where there were
        none, or the model is from a file.

    Raises
    ------
    OptionError
        For a bad parameter, or a word whose vector is not finite.
    DataError
        For what is no sentence.

    References
    ----------
    Arora, Liang & Ma 2017, "A simple but tough-to-beat baseline for sentence embeddings".

    Examples
    --------
    >>> from windrow import SentenceVectors, Word2Vec
    >>> texts = ["the king rules", "the queen rules", "a frog jumps", "the frog jumps"]
    >>> words = Word2Vec(vector_size=8, min_count=1, sample=0, workers=1).fit(texts).wv
    >>> model = SentenceVectors(words, weighting="sif", normalize=True).fit(texts)
    >>> model.transform(["the king jumps", "a queen"]).shape
    (2, 8)
    """

    settings = SENTENCE_VECTORS

    reader: TextReader | None = None

    def __init__(
        self,
        vectors: WordVectors | str | PathLike[str],
        *,
        weighting: str = "mean",
        sif_a: float = 1e-3,
        remove_components: int = 1,
        frequencies: str | None = None,
        tokenizer: str | Callable[[str], list[str]] | None = None,
        lowercase: bool | None = None,
        normalize: bool = False,
    ) -> None:
        self.vectors = vectors
        self.weighting = weighting
        self.sif_a = sif_a
        self.remove_components = remove_components
        self.frequencies = frequencies
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.normalize = normalize

    def check_parameters(self) -> None:
        """Raise OptionError unless every parameter is in its range; ``fit`` does so first."""
        super().check_parameters()
        if not isinstance(self.vectors, WordVectors | str | PathLike):
            raise OptionError(f"vectors must be WordVectors or a path, not {type(self.vectors).__name__}")

    def sizes(self) -> dict[str, object]:
        """``words`` and ``dimensions`` of the vectors; empty before ``fit``."""
        return self.word_vectors_.sizes() if hasattr(self, "word_vectors_") else {}

    # --- fit

    def fit(self, sentences: Iterable[Sentence] | None = None, y: object = None) -> Self:
        """Learn what the weighting needs from sentences.

        Parameters
        ----------
        sentences : iterable of str or of lists of str, or None, default None
            Some thousands are enough to find the components of "sif". None: there are none, which will do for "mean"
            and "unit", and for "sif" with ``remove_components`` 0.
        y : object, default None
            Not used; for pipelines.

        Returns
        -------
        SentenceVectors
            Itself.

        Raises
        ------
        OptionError
            A parameter is out of range, or needs sentences and there are none.
        DataError
            There is no sentence, or something is none.
        """
        self._fit(None if sentences is None else _listed(sentences))
        return self

    def fit_transform(self, sentences: Iterable[Sentence], y: object = None) -> Floats:
        """``fit``, and the vectors of the same sentences, whose words are looked up only once."""
        listed = _listed(sentences)
        return self._transformed(self._fit(listed), len(listed))

    def _fit(self, sentences: list[Sentence] | None) -> list[FoundWords]:
        """Learn all or nothing; returns the words of the sentences."""
        self.check_parameters()
        self.check_effects()
        if sentences == []:
            raise DataError("there is no document to fit on; give at least one")
        with all_or_nothing(self, "word_vectors_"):
            self.word_vectors_ = self.vectors if isinstance(self.vectors, WordVectors) else load_vectors(self.vectors)
            self._begin()
            found = list(self._finite(self._known.find(sentences or [], self._reader())))
            self._learn(found, has_texts=sentences is not None)
        return found

    def _begin(self) -> None:
        """Set what follows from the word vectors, which may change later."""
        for name in _MADE_AGAIN:
            vars(self).pop(name, None)
        self._rows = np.ascontiguousarray(self.word_vectors_.vectors)
        self._has_odd_rows = not np.isfinite(self.word_vectors_.norms).all()

    def _learn(self, found: list[FoundWords], has_texts: bool) -> None:
        removed = self.remove_components if self.weighting == "sif" else 0
        if not has_texts and (removed or self.weighting == "tfidf" or self.frequencies == "texts"):
            way_out = "remove_components = 0" if removed else "weighting = 'mean'"
            raise OptionError(
                f"weighting = {self.weighting!r} learns from sentences, and fit was given none; give some, or try "
                f"{way_out}"
            )
        is_known = any(some.ids.size or some.unknown for some in found)
        if not is_known and sum(some.tokens for some in found) >= _MANY:
            warn(
                "the vectors know no word of the texts, so that every document is zeros; are they of another language?"
            )
        documents = sum(len(some.ends) for some in found)
        self.idf_ = smooth_idf_of(documents, self._document_frequencies(found)) if has_texts else None
        unseen = np.log(1 + documents) + 1 if self.weighting == "tfidf" else 1
        self._set_weights(self._weights(found if has_texts else None), float(unseen))
        self.components_ = np.zeros((0, self._rows.shape[1]), np.float32)
        if removed:
            self.components_ = leading_directions(self._products(found), removed)

    def _weights(self, found: list[FoundWords] | None) -> Floats:
        """The weight of each word."""
        if self.weighting == "unit":
            norms = self.word_vectors_.norms
            return np.where(norms > 0, 1 / nonzero(norms), np.float32(0))
        if self.weighting == "sif":
            return sif_weights(self._occurrences(found), self.sif_a)
        if self.weighting == "tfidf" and self.idf_ is not None:
            return self.idf_
        return np.ones(len(self._rows), np.float32)

    def _set_weights(self, weights: Floats, unseen: float) -> None:
        """Set what each word weighs, and what one weighs that has no row of its own."""
        self.word_weights_, self._unseen = weights, unseen
        self._shares = np.ones(len(weights), np.float32)
        if self.weighting == "tfidf":  # a weighted mean is divided by its weights, SIF by the number of words
            self._shares = weights
        elif self.weighting == "unit":
            self._shares = (weights > 0).astype(np.float32)

    def _document_frequencies(self, found: Iterable[FoundWords]) -> NDArray[np.int64]:
        """In how many sentences each word occurs."""
        words = len(self._rows)
        frequencies = np.zeros(words, np.int64)
        for some in found:
            sentences = np.repeat(np.arange(len(some.ends)), np.diff(some.ends, prepend=0))
            pairs = np.unique(sentences * words + some.ids)
            frequencies += np.bincount(pairs % words, minlength=words)
        return frequencies

    def _occurrences(self, found: list[FoundWords] | None) -> NDArray[np.float64]:
        """How often each word occurs, or a number in proportion to that."""
        words, counts, asked = len(self._rows), self.word_vectors_.counts, self.frequencies
        if counts is not None and asked in (None, "vectors"):
            return counts.astype(np.float64)
        if asked == "vectors":
            raise OptionError("frequencies = 'vectors': the vectors have no counts; try frequencies = 'rank'")
        if found is not None and asked in (None, "texts"):
            occurrences = np.zeros(words)
            for some in found:
                occurrences += np.bincount(some.ids, minlength=words)
            return occurrences
        if asked is None:
            warn("the vectors have no counts: p(word) is by its rank among them, which Zipf's law relates to frequency")
        return zipf_occurrences(words)

    def _products(self, found: Iterable[FoundWords]) -> NDArray[np.float64]:
        """X.T @ X of the means X of sentences, (dimensions, dimensions)."""
        products = np.zeros((self._rows.shape[1],) * 2)
        for some in found:
            means = self._means(some, np.empty((len(some.ends), len(products)), np.float32)).astype(np.float64)
            products += means.T @ means
        return products

    def _reader(self) -> TextReader:
        """How sentences become words: as the text of the vectors was read, but for what the parameters say."""
        read, provenance = self.reader, self.word_vectors_.provenance
        if read is None:
            read = TextReader.remembered(provenance) if "tokenizer" in provenance else TextReader()
        asked = {"tokenizer": self.tokenizer, "lowercase": self.lowercase}
        return read.changed(**{name: value for name, value in asked.items() if value is not None})

    # --- from words to vectors

    def transform(self, sentences: Iterable[Sentence]) -> Floats:
        """The vectors of sentences.

        Parameters
        ----------
        sentences : iterable of str or of lists of str
            A string is cut into words as the text of the vectors was, unless the parameters say otherwise; a list of
            words is only lower-cased as strings are.

        Returns
        -------
        array of float32, shape (sentences, dimensions)
            Zeros for a sentence without a known word.

        Raises
        ------
        NotFittedError
            The model is not fitted.
        OptionError
            A single string was given, or a table; or the vector of a word is not finite.
        DataError
            A sentence is no text.

        Examples
        --------
        >>> import numpy as np
        >>> from windrow import SentenceVectors, WordVectors
        >>> words = WordVectors(["cat", "dog"], np.array([[2, 0], [0, 4]], np.float32))
        >>> SentenceVectors(words).fit().transform(["cat dog", ["dog", "dog"], "fish"]).tolist()
        [[1.0, 2.0], [0.0, 4.0], [0.0, 0.0]]
        """
        self._check_fitted()
        listed = _listed(sentences)
        return self._transformed(self._finite(self._known.find(listed, self._reader())), len(listed))

    def transform_text(self, text: bytes) -> Floats:
        """As ``transform``, of the lines of a text in UTF-8: no strings need be made of them.

        Parameters
        ----------
        text : bytes
            The lines, a newline after each but perhaps the last.

        Returns
        -------
        array of float32, shape (lines, dimensions)

        Raises
        ------
        OptionError
            The text is no bytes; or as of ``transform``.
        DataError
            The text is not UTF-8.

        Examples
        --------
        >>> import numpy as np
        >>> from windrow import SentenceVectors, WordVectors
        >>> words = WordVectors(["cat", "dog"], np.array([[2, 0], [0, 4]], np.float32))
        >>> SentenceVectors(words).fit().transform_text(b"cat dog\\n\\ndog\\n").tolist()
        [[1.0, 2.0], [0.0, 0.0], [0.0, 4.0]]
        """
        if not isinstance(text, bytes):
            raise OptionError(f"transform_text takes bytes, not {type(text).__name__}; use transform for strings")
        self._check_fitted()
        try:
            if not text.isascii():
                text.decode()
        except UnicodeDecodeError as error:
            raise DataError(
                f"byte 0x{text[error.start]:02x} at offset {error.start} of the text is not UTF-8; convert the text"
            ) from error
        ended = text if text.endswith(b"\n") or not text else text + b"\n"
        found = self._finite(self._known.find_in_lines(ended, self._reader()))
        return self._transformed(found, ended.count(b"\n"))

    def _finite(self, found: Iterable[FoundWords]) -> Iterator[FoundWords]:
        """The same; OptionError for a word whose vector is not finite."""
        for some in found:
            if self._has_odd_rows:
                self.word_vectors_.check_finite(np.unique(some.ids))
            yield some

    def _transformed(self, found: Iterable[FoundWords], number: int) -> Floats:
        """The vectors of so many sentences."""
        rows, first = np.empty((number, self._rows.shape[1]), np.float32), 0
        with one_blas_thread():
            for some in found:
                part = self._means(some, rows[first : first + len(some.ends)])
                without_directions(part, self.components_)
                if self.normalize:
                    part /= nonzero(row_norms(part))[:, None]
                first += len(part)
        return rows

    def _means(self, found: FoundWords, means: Floats) -> Floats:
        """Fill ``means`` with sum(weight * vector) / sum(share) of each sentence, zeros where the divisor is 0."""
        divisors, lengths = np.empty(len(found.ends)), np.diff(found.ends, prepend=0)
        if lengths.max(initial=0) > _LONGEST:
            self._sum_in_parts(found, lengths, means, divisors)
        else:
            sum_sentences(self._table, found.ids, found.ends, means.shape[1], means.reshape(-1), divisors)
        if found.unknown:
            self._add_unseen(found, means, divisors)
        means *= (1 / np.where(divisors > 0, divisors, 1)).astype(np.float32)[:, None]
        return means

    def _sum_in_parts(
        self, found: FoundWords, lengths: NDArray[np.int64], sums: Floats, divisors: NDArray[np.float64]
    ) -> None:
        """As the kernel, of sentences of any length: sums of their parts are added up in double precision."""
        parts = np.maximum(1, -(-lengths // _LONGEST))
        first = np.cumsum(parts) - parts
        places = np.arange(parts.sum()) - np.repeat(first, parts)  # of each part in its sentence
        stops = np.repeat(found.ends - lengths, parts) + _LONGEST * (places + 1)
        ends = np.minimum(stops, np.repeat(found.ends, parts))
        part_sums, shares = np.empty((len(ends), sums.shape[1]), np.float32), np.empty(len(ends))
        sum_sentences(self._table, found.ids, ends, sums.shape[1], part_sums.reshape(-1), shares)
        sums[:] = np.add.reduceat(part_sums, first, axis=0, dtype=np.float64)
        divisors[:] = np.add.reduceat(shares, first)

    def _add_unseen(self, found: FoundWords, sums: Floats, divisors: NDArray[np.float64]) -> None:
        """Add the words that have no row of their own, but n-grams that have vectors."""
        ngrams = self.word_vectors_.ngrams
        assert ngrams is not None
        numbers = {word: number for number, word in enumerate(dict.fromkeys(found.unknown))}
        rows, is_composed = composed_rows(ngrams, list(numbers))
        norms = row_norms(rows)
        is_unit = self.weighting == "unit"
        shares = (norms > 0 if is_unit else is_composed) * np.float32(self._unseen)
        rows *= (1 / nonzero(norms) if is_unit else shares)[:, None]
        of_word = np.fromiter(map(numbers.__getitem__, found.unknown), np.int64, len(found.unknown))
        np.add.at(sums, found.unknown_in, rows[of_word])
        np.add.at(divisors, found.unknown_in, shares[of_word])

    def _check_fitted(self) -> None:
        if not hasattr(self, "word_vectors_"):
            raise NotFittedError("this SentenceVectors is not fitted yet; call fit first")

    # --- files

    def save(self, path: str | PathLike[str]) -> None:
        """Write the word vectors with what ``fit`` has learned, in windrow's own format.

        ``windrow.load`` and all that takes word vectors open such a file as these; ``SentenceVectors.load``, and
        ``windrow vectors print``, with the rest.

        Parameters
        ----------
        path : str or os.PathLike
            The file.

        Raises
        ------
        NotFittedError
            The model is not fitted.
        DataError
            The file cannot be written.

        Examples
        --------
        >>> import numpy as np
        >>> from windrow import SentenceVectors, WordVectors
        >>> words = WordVectors(["cat", "dog"], np.array([[2, 0], [0, 4]], np.float32))
        >>> SentenceVectors(words, weighting="tfidf").fit(["cat dog", "dog"]).save("pets.safetensors")
        >>> SentenceVectors.load("pets.safetensors").transform(["cat"]).tolist()
        [[2.0, 0.0]]
        """
        self._check_fitted()
        wv, words = self.word_vectors_, len(self._rows)
        counts = None if wv.counts is None else wv.counts[:words]
        data = VectorData(wv.index_to_key[:words], self._rows, counts, wv.provenance, wv.ngrams)
        parameters = {name: getattr(self, name) for name in _STORED}
        reader = self._reader().stored()
        learned = SentenceWeights(parameters, reader, self.word_weights_, self._unseen, self.components_)
        write_sentence_weights(learned, data, path)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Open what ``save`` wrote.

        Parameters
        ----------
        path : str or os.PathLike
            The file.

        Returns
        -------
        SentenceVectors
            Fitted.

        Raises
        ------
        FormatError
            The file holds word vectors alone, is of another kind or damaged.
        DataError
            It cannot be read.
        """
        data, learned = read_sentence_weights(path)
        vectors = WordVectors._of(data, path)
        try:
            model = cls(vectors, **learned.parameters)
            model.check_parameters()
            model.reader = TextReader.remembered(learned.reader)
        except (OptionError, TypeError) as error:
            raise FormatError(f"{path} is damaged: {error}") from error
        model.word_vectors_, model.idf_ = vectors, None
        model._begin()
        model._set_weights(np.array(learned.weights), learned.unseen)
        model.components_ = np.array(learned.components)
        return model

    # --- what is made of the learned parts when it is needed

    @cached_property
    def _known(self) -> KnownWords:
        words = self.word_vectors_
        return KnownWords(words.index_to_key[: len(self._rows)], words.key_to_index, words.ngrams is not None)

    @cached_property
    def _table(self) -> WeightedRows:
        return weighted_rows(self._rows, self.word_weights_, self._shares)

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles: all but what is made again."""
        return {name: value for name, value in vars(self).items() if name not in _MADE_AGAIN}


_STORED = ("weighting", "sif_a", "remove_components", "frequencies", "normalize")
_MADE_AGAIN = ("_known", "_table")


def _listed(sentences: Iterable[Sentence]) -> list[Sentence]:
    return list(cells_of(sentences, expected=_EXPECTED))
