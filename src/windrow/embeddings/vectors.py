"""Word vectors: the queries, other tables made from one, evaluation, and the model file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings import formats
from windrow.embeddings.queries import VectorQueries
from windrow.errors import FormatError, OptionError, check_range, check_whole
from windrow.evaluation.analogy import Question, Section, evaluate_analogies
from windrow.evaluation.similarity import WordPair, evaluate_similarity, fold
from windrow.files.sniff import looks_stored


class WordVectors(VectorQueries):
    """Words and their vectors, with gensim's ``KeyedVectors`` queries.

    ``words``: distinct, in the order of the rows (usually by falling count); ``vectors``: (words,
    dimensions), kept as they are when float32, so that a memory map stays one; ``counts``: (words,), None
    when unknown. ``provenance`` is plain data about where the vectors come from; it is kept in the model
    file.

    Raises OptionError when words repeat or shapes disagree.
    """

    def __init__(
        self,
        words: Sequence[str],
        vectors: NDArray[np.float32],
        counts: NDArray[np.int64] | None = None,
    ) -> None:
        super().__init__(words, vectors, counts)
        self.provenance: dict[str, Any] = {}

    # --- other tables

    def normalise(self) -> Self:
        """New word vectors, of unit length; zero vectors stay."""
        return self._derived(self.index_to_key, self.vectors / self._divisors[:, None], self.counts)

    def subset(self, words: Sequence[str]) -> Self:
        """New word vectors that hold only ``words``, in their order."""
        rows = np.array([self.get_index(word) for word in words], np.intp)
        return self._derived(words, self.vectors[rows], None if self.counts is None else self.counts[rows])

    def head(self, n: int) -> Self:
        """The first ``n`` words; the vectors are shared, not copied."""
        check_range("n", check_whole("n", n), 1)
        counts = None if self.counts is None else self.counts[:n]
        return self._derived(self.index_to_key[:n], self.vectors[:n], counts)

    def _derived(self, words: Sequence[str], vectors: NDArray[np.float32], counts: NDArray[np.int64] | None) -> Self:
        derived = type(self)(words, vectors, counts)
        derived.provenance = dict(self.provenance)
        return derived

    # --- evaluation, in the shapes that gensim returns; windrow.evaluation gives more

    def evaluate_word_analogies(
        self,
        analogies: str | os.PathLike[str] | Sequence[Section],
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
    ) -> tuple[float, list[dict[str, Any]]]:
        """The accuracy (0..1), and the questions answered rightly and wrongly by section and in total."""
        result = evaluate_analogies(
            analogies,
            self.index_to_key,
            self.vectors,
            norms=self.norms,
            restrict_vocab=restrict_vocab,
            case_insensitive=case_insensitive,
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
        """Pearson's and Spearman's correlation, each with its p-value; the per cent of unknown pairs."""
        result = evaluate_similarity(
            pairs,
            self.index_to_key,
            self.vectors,
            restrict_vocab=restrict_vocab,
            case_insensitive=case_insensitive,
            dummy4unknown=dummy4unknown,
        )
        pearson = result.pearson, result.pearson_pvalue
        return pearson, (result.spearman, result.spearman_pvalue), 100 * result.oov

    # --- files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the format that the extension names; under any other name windrow's own, as ``.safetensors``.

        Only windrow's own format keeps counts and provenance. Raises OptionError when a number is not finite,
        FormatError for a word that the format cannot hold, DataError when the file cannot be written.
        """
        save_vectors(self, path, formats.format_of(path))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Open what ``save`` wrote; in windrow's own format the vectors are a read-only memory map.

        Raises FormatError when the file is truncated or of another kind, when words repeat, when shapes
        disagree or a number is not finite.
        """
        # The first version of ``save`` wrote windrow's own format whatever the extension.
        name = "safetensors" if looks_stored(path) else formats.format_of(path)
        return cls._of(formats.read_vectors(path, name), path)

    @classmethod
    def _of(cls, data: formats.VectorData, path: str | os.PathLike[str]) -> Self:
        """What was read from ``path``."""
        try:
            loaded = cls(data.words, data.vectors, data.counts)
        except OptionError as error:
            raise FormatError(f"{path}: {error}") from error
        loaded.provenance = data.provenance
        return loaded


def _folded(question: Question, case_insensitive: bool) -> tuple[str, ...]:
    return tuple(fold(word, case_insensitive) for word in question)


def load_vectors(path: str | os.PathLike[str], format: str | None = None) -> WordVectors:
    """Read word vectors; ``format`` is an extension without its dot, by default that of ``path``.

    Raises as ``windrow.embeddings.formats.read_vectors``.
    """
    return WordVectors._of(formats.read_vectors(path, format), path)


def save_vectors(vectors: WordVectors, path: str | os.PathLike[str], format: str | None = None) -> None:
    """Write word vectors; ``format`` as for ``load_vectors``; raises as ``formats.write_vectors``."""
    data = formats.VectorData(vectors.index_to_key, vectors.vectors, vectors.counts, vectors.provenance)
    formats.write_vectors(data, path, format)
