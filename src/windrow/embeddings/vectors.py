"""Word vectors: queries, other tables made from one, evaluation, and files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

from windrow.embeddings import formats
from windrow.embeddings.derived import DerivedTables
from windrow.embeddings.exchange import VectorExchange
from windrow.embeddings.named_queries import NamedQueries
from windrow.errors import DataError, OptionError
from windrow.evaluation.analogy import Question, Section, evaluate_analogies
from windrow.evaluation.similarity import WordPair, check_restriction, evaluate_similarity


class WordVectors(NamedQueries, DerivedTables, VectorExchange):
    """Words and their vectors, with gensim's ``KeyedVectors`` queries.

    A word can also be given by its row number; where all words are whole numbers, as those of items, a number is the
    word. A zero vector has cosine 0 with everything, itself too; most similar to it are the first words of the
    vocabulary, with 0. A vector with NaN or an infinity is an OptionError in every query that meets it. What is given
    out is read-only: vectors change by ``wv[word] = vector`` and ``add_vectors``.

    Parameters
    ----------
    words : sequence of str
        Distinct words, in the order of the rows; usually by decreasing count.
    vectors : array of float32, shape (words, dimensions)
        The vector of each word. A float32 array that is read-only is not copied, so a memory map stays one.
    counts : array of int64, shape (words,), default None
        How often each word occurs in the text, if known.
    ngrams : NgramVectors, default None
        The vectors of character n-grams, of which those of unseen words are made: see ``Word2Vec`` with ``subwords``.
        Such a word has no row: ``get_index`` and ``has_index_for`` do not know it, all that takes vectors does.

    Attributes
    ----------
    index_to_key : list of str
        The words by row, read-only.
    key_to_index : mapping of str to int
        The row of each word, read-only.
    vectors, counts, ngrams
        The parameters; arrays are read-only.
    vector_size : int
        The number of dimensions per vector.
    norms : array of float32, shape (words,)
        Euclidean lengths of the vectors.
    provenance : dict
        Where the vectors come from (options, corpus, versions), as plain data; kept in the model file.

    Raises
    ------
    OptionError
        Words repeat or are not str, or shapes disagree.

    Examples
    --------
    >>> import numpy as np
    >>> from windrow import WordVectors
    >>> wv = WordVectors(["cat", "kitten", "dog"], np.array([[1, 0], [3, 4], [0, 1]], np.float32))
    >>> wv["kitten"].tolist()
    [3.0, 4.0]
    >>> round(wv.similarity("cat", "kitten"), 2)
    0.6
    """

    # --- evaluation, with the return values of gensim; windrow.evaluation gives more

    def evaluate_word_analogies(
        self,
        analogies: str | os.PathLike[str] | Sequence[Section],
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
    ) -> tuple[float, list[dict[str, Any]]]:
        """Answer analogy questions, with gensim's return values; ``windrow.evaluation.evaluate_analogies`` says more.

        Parameters
        ----------
        analogies : path, or sequence of Section
            A file of questions in Google's format, or what ``windrow.evaluation.read_questions`` returns.
        restrict_vocab : int or None, default 300,000
            Only the first ``restrict_vocab`` words are known and may answer; None: all.
        case_insensitive : bool, default True
            Take another spelling in upper and lower case for a word that is not known as it is written.
        dummy4unknown : bool, default False
            Count a question with an unknown word as wrong instead of skipping it.

        Returns
        -------
        (float, list of dict)
            The accuracy, 0..1; and for each section and for the total ``section`` (its name), ``correct`` and
            ``incorrect`` (lists of questions).

        Raises
        ------
        DataError
            The file cannot be read or holds no questions.
        OptionError
            A number of the vectors is not finite.
        """
        self.check_finite(slice(check_restriction(restrict_vocab, len(self))))
        result = evaluate_analogies(
            analogies,
            self.index_to_key,
            self.vectors,
            norms=self.norms,
            restrict_vocab=restrict_vocab,
            case_sensitive=not case_insensitive,
            dummy4unknown=dummy4unknown,
        )
        sections: list[dict[str, Any]] = [
            {
                "section": section.name,
                "correct": [_folded(question, case_insensitive) for question in section.correct],
                "incorrect": [_folded(question, case_insensitive) for question in section.incorrect],
            }
            for section in result.sections
        ]
        total = {key: [question for part in sections for question in part[key]] for key in ("correct", "incorrect")}
        return result.accuracy, [*sections, {"section": "Total accuracy", **total}]

    def evaluate_word_pairs(
        self,
        pairs: str | os.PathLike[str] | Sequence[WordPair],
        *,
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
    ) -> tuple[tuple[float, float], tuple[float, float], float]:
        """Correlate cosines with human scores, with gensim's return values.

        Parameters
        ----------
        pairs : path, or sequence of WordPair
            A file with two words and a score per line, or what ``windrow.evaluation.read_pairs`` returns.
        restrict_vocab : int or None, default 300,000
            Only the first ``restrict_vocab`` words are known; None: all.
        case_insensitive : bool, default True
            Take another spelling in upper and lower case for a word that is not known as it is written.
        dummy4unknown : bool, default False
            Give pairs with an unknown word a cosine of 0 instead of leaving them out.

        Returns
        -------
        ((float, float), (float, float), float)
            Pearson's correlation and its p-value, Spearman's and its p-value, and the percentage of pairs with an
            unknown word.

        Raises
        ------
        DataError
            The file cannot be read, or a correlation is not defined.
        OptionError
            A number of the vectors is not finite.
        """
        self.check_finite(slice(check_restriction(restrict_vocab, len(self))))
        result = evaluate_similarity(
            pairs,
            self.index_to_key,
            self.vectors,
            restrict_vocab=restrict_vocab,
            case_sensitive=not case_insensitive,
            dummy4unknown=dummy4unknown,
        )
        pearson = result.pearson, result.pearson_pvalue
        return pearson, (result.spearman, result.spearman_pvalue), 100 * result.oov

    # --- files; those of word2vec and gensim are in ``VectorExchange``

    def save(self, path: str | os.PathLike[str], format: str | None = None, *, dtype: str = "float32") -> None:
        """Write the vectors to a file, or to a folder of static embeddings for Model2Vec and sentence-transformers.

        Only windrow's own format and Model2Vec's folders keep counts and provenance; the first and fastText's keep
        n-grams.

        Parameters
        ----------
        path : str or os.PathLike
            The extension names the format: .safetensors (windrow's own), .txt and .bin (word2vec), .vec (fastText),
            .glove, .tsv, .npy, .parquet, .arrow, .jsonl (an object per word), .model2vec (a folder); any other name
            means windrow's own. ``.gz`` may follow the extension of a text or .bin.
        format : str or None, default None
            One of txt, vec, bin, fasttext, glove, tsv, npy, parquet, arrow, jsonl, model2vec and safetensors, whatever
            the name is. "fasttext" is fastText's own binary, which its programs take with the name .bin; None: what
            the extension says.
        dtype : {"float32", "float16", "int8"}, default "float32"
            The type of numbers in the file, of safetensors and model2vec only. float16 halves a file, and keeps 3
            digits; int8 quarters it, with a scale for each word: no number is off by more than 1/254 of the word's
            largest. They are float32 again once they are loaded.

        Raises
        ------
        OptionError
            A number is not finite, or there is no such format.
        FormatError
            The format cannot hold one of the words.
        DataError
            The file cannot be written.
        """
        self._check_attributes(path)
        save_vectors(self, path, format or formats.format_of(path), dtype)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        format: str | None = None,
        *,
        limit: int | None = None,
        only_words: Iterable[str] | str | os.PathLike[str] | None = None,
        errors: str = "strict",
        duplicates: str = "error",
        nbsp: str = "keep",
    ) -> Self:
        """Read a file of word vectors, compressed or not. Those in windrow's own format are a read-only memory map.

        The content says what format a file has, whatever its name: windrow's own, word2vec's text and binary,
        fastText's text, GloVe's text with and without header, tab-separated text, NumPy or safetensors (with the words
        in X.words.txt, one per line), Parquet, a folder of static embeddings of Model2Vec or sentence-transformers
        (whose tokens become words), or gensim's ``KeyedVectors`` and ``Word2Vec`` (``.kv``, ``.model``), which are
        pickles: their words, vectors and counts are read, and nothing in them is run.

        Parameters
        ----------
        path : str or os.PathLike
            The file; a pipe or ``-`` for standard input is read whole into a temporary file first.
        format : str or None, default None
            One of txt, vec, bin, fasttext, glove, tsv, npy, parquet, arrow, jsonl and safetensors where the content
            misleads; None: what the content shows.
        limit : int, at least 1, or None, default None
            Read at most so many words: most files begin with the most frequent ones. None: all.
        only_words : iterable of str, or path, or None, default None
            Read no other words than these, or those in a file, one per line. Words that the vectors lack are no error.
        errors : {"strict", "replace", "ignore"}, default "strict"
            Bytes of words that are not UTF-8: refused, replaced by U+FFFD, or left out.
        duplicates : {"error", "first", "last"}, default "error"
            A word that repeats: refused, or its first or its last vector is taken.
        nbsp : {"keep", "split"}, default "keep"
            In texts: whether a no-break space, U+00A0, is part of a word or a space like others.

        Returns
        -------
        WordVectors

        Raises
        ------
        FormatError
            The file is truncated or of another kind, words repeat, shapes disagree, or a number is not finite.
        DataError
            It cannot be read.
        OptionError
            An option is not allowed.

        Examples
        --------
        >>> import numpy as np
        >>> from windrow import WordVectors
        >>> WordVectors(["cat", "dog"], np.eye(2, dtype=np.float32)).save("animals.txt")
        >>> WordVectors.load("animals.txt")
        WordVectors(2 words, 2 dimensions)
        >>> WordVectors.load("animals.txt", only_words=["dog", "bird"]).index_to_key
        ['dog']
        """
        wanted = None if only_words is None else _wanted_words(only_words)
        options = formats.ReadOptions(limit, wanted, errors, duplicates, nbsp)
        return cls._of(formats.read_vectors(path, format, options), path)


def _folded(question: Question, case_insensitive: bool) -> tuple[str, ...]:
    return tuple(word.upper() if case_insensitive else word for word in question)  # as gensim shows them


def load_vectors(path: str | os.PathLike[str], format: str | None = None, **options: Any) -> WordVectors:
    """As ``WordVectors.load``."""
    return WordVectors.load(path, format, **options)


def _wanted_words(words: Iterable[str] | str | os.PathLike[str]) -> frozenset[str]:
    """Words that are given one by one, or in a file, one per line."""
    if isinstance(words, str | os.PathLike):
        try:
            words = [line.decode().strip(" \t") for line in formats.listed_words(Path(words))]
        except UnicodeDecodeError as error:
            raise DataError(f"{words}: a word is not UTF-8; convert the file") from error
    elif not isinstance(words, Iterable):
        raise OptionError(f"only_words = {words!r} must be words, or a file of them")
    wanted = frozenset(words) - {""}
    if not wanted or not all(isinstance(word, str) for word in wanted):
        raise OptionError(f"only_words = {words!r} must be words, at least one")
    return wanted


def save_vectors(
    vectors: WordVectors, path: str | os.PathLike[str], format: str | None = None, dtype: str = "float32"
) -> None:
    """Write word vectors; ``format`` as for ``load_vectors``; raises as ``formats.write_vectors``."""
    data = formats.VectorData(
        vectors.index_to_key, vectors.vectors, vectors.counts, vectors.provenance, vectors.ngrams, dtype
    )
    formats.write_vectors(data, path, format)
