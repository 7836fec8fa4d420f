"""Blend: one table of word vectors from two, such as predicted and counted ones."""

from __future__ import annotations

from os import PathLike
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import TextReader
from windrow.embeddings.settings import BLEND
from windrow.embeddings.terms import nonzero
from windrow.embeddings.trained import TrainedModel
from windrow.embeddings.training.fasttext_state import holds_state
from windrow.embeddings.vectors import WordVectors
from windrow.embeddings.word2vec import Word2Vec
from windrow.errors import DataError, NotFittedError, OptionError
from windrow.estimator import Estimator
from windrow.evaluation.similarity import row_norms
from windrow.numeric.threads import one_blas_thread

_FREQUENT = 30_000  # words, the first ones, whose vectors fix the axes: those of rare words are mostly noise
_LEAST_VARIANCE = 1e-12  # relative to the largest: less is what rounding leaves
_ROW_LAYERS = ("ns", "softmax")  # output layers with a row per word
Floats = NDArray[np.float32]


class Blend(Estimator):
    """One table of word vectors from two: what one sees in a text, the other need not see.

    Counted and trained vectors together (see ``CountVectors``) are better than either. Each word's two vectors, scaled
    to length 1, stand side by side, and principal components bring them back to ``vector_size`` dimensions, in the
    order of their variance: the first n dimensions are the best blend of size n. Words that both tables have are
    blended, in the order of the first.

    Parameters
    ----------
    vector_size : int in [1, 100000], default 100
        Dimensions per blended vector, those of the largest variance first. At most those of both together, which
        keep everything.
    second_weight : float in (0, 100], default 0.5
        How much the second vectors weigh beside the first. Counted vectors at 1 are best for relatedness, at 0.5
        nothing is lost for strict similarity.
    output_weight : float in [0, 100], default 0.5
        How much of a word's row in the output layer is added to its vector, where a model has such rows. 0 takes
        input vectors alone; 1 favors relatedness.
    spectrum_exponent : float in [0, 1], default 0.3
        Vectors are divided along each principal axis by its standard deviation to this power first. 1 whitens them,
        0 leaves them as they are.

    Attributes
    ----------
    wv : WordVectors
        The blended vectors.
    variances_ : array of float64, shape (vector_size,)
        The variance along each dimension over the 30,000 first words, the largest first.

    References
    ----------
    Yin & Schütze 2016, "Learning word meta-embeddings"; for output vectors, Nalisnick et al. 2016, arXiv:1602.01137;
    for the exponent of the spectrum, Mu & Viswanath 2018, arXiv:1702.01417, and Levy et al. 2015.

    Examples
    --------
    >>> from windrow import Blend, CountVectors, Word2Vec
    >>> sentences = ["the king rules a land", "the queen rules a land", "the dog barks at a cat"] * 20
    >>> predicted = Word2Vec(vector_size=4, window=2, min_count=1, sample=0, workers=1).fit(sentences)
    >>> counted = CountVectors(vector_size=4, window=2, min_count=1, sample=0).fit(sentences)
    >>> Blend(vector_size=6).fit(predicted, counted).wv.vectors.shape
    (10, 6)
    """

    settings = BLEND

    def __init__(
        self,
        *,
        vector_size: int = 100,
        second_weight: float = 0.5,
        output_weight: float = 0.5,
        spectrum_exponent: float = 0.3,
    ) -> None:
        self.vector_size = vector_size
        self.second_weight = second_weight
        self.output_weight = output_weight
        self.spectrum_exponent = spectrum_exponent

    def fit(self, first: Any, second: Any) -> Self:
        """Blend two tables.

        Parameters
        ----------
        first : WordVectors, Word2Vec, CountVectors or path
            A model, word vectors, or a file of either. A Word2Vec model, or its file with the state of the training,
            has rows of an output layer, too.
        second : WordVectors, Word2Vec, CountVectors or path
            As ``first``.

        Returns
        -------
        Blend
            Itself.

        Raises
        ------
        OptionError
            A parameter is out of range, or a number of the vectors is not finite.
        DataError
            The two have no word in common, or too few.
        FormatError
            A file is damaged, or of another kind.

        Examples
        --------
        >>> import numpy as np
        >>> from windrow import Blend, WordVectors
        >>> dice = np.random.default_rng(1)
        >>> tables = [WordVectors(list("abcdef"), dice.normal(size=(6, 3)).astype(np.float32)) for _ in range(2)]
        >>> blend = Blend(vector_size=4).fit(*tables)
        >>> bool((np.diff(blend.variances_) <= 0).all())
        True
        """
        self.check_parameters()
        tables = [_opened(first), _opened(second)]
        words = [word for word in tables[0][0].index_to_key if tables[1][0].has_index_for(word)]
        if not words:
            raise DataError("the two tables have no word in common; are both of the same language, and cut alike?")
        dimensions = sum(wv.vector_size for wv, _ in tables)
        if self.vector_size > dimensions:
            raise OptionError(
                f"vector_size = {self.vector_size} is more than the two tables have dimensions together, {dimensions}; "
                f"set vector_size = {dimensions} at most"
            )
        with one_blas_thread():  # whose number would change the last bits
            vectors, variances = self._blended([self._prepared(*table, words) for table in tables])
        vectors.setflags(write=False)
        wv = tables[0][0]
        counts = None if wv.counts is None else wv.counts[[wv.get_index(word) for word in words]]
        self._wv, self.variances_ = WordVectors(words, vectors, counts), variances
        read = TextReader.remembered(wv.provenance).stored() if "tokenizer" in wv.provenance else {}
        made_of = {name: table.provenance for name, (table, _) in zip(("first", "second"), tables, strict=True)}
        self._wv.provenance = {"model": "Blend", **self.get_params(), **read, **made_of}
        return self

    def _prepared(self, wv: WordVectors, outputs: Floats | None, words: list[str]) -> Floats:
        """The vectors of the words of one table, flattened and scaled to length 1; (words, dimensions)."""
        wv.check_finite()
        rows = np.array([wv.get_index(word) for word in words], np.intp)
        vectors: Floats = wv.vectors[rows]
        if outputs is not None and self.output_weight:
            vectors += np.float32(self.output_weight) * outputs[rows]
        vectors = flattened(vectors, self.spectrum_exponent)
        scaled: Floats = vectors / nonzero(row_norms(vectors))[:, None]
        return scaled

    def _blended(self, parts: list[Floats]) -> tuple[Floats, NDArray[np.float64]]:
        """The principal components of two tables side by side."""
        both = np.hstack([parts[0], np.float32(self.second_weight) * parts[1]])
        mean, variances, axes = _spectrum(both)
        chosen = axes[:, : self.vector_size].astype(np.float32)
        return (both - mean) @ chosen, variances[: self.vector_size]

    @property
    def wv(self) -> WordVectors:
        """The blended vectors."""
        if not hasattr(self, "_wv"):
            raise NotFittedError("this Blend is not fitted yet; call fit first")
        return self._wv

    def sizes(self) -> dict[str, object]:
        """``words`` and ``dimensions`` of the vectors; empty before ``fit``."""
        return self._wv.sizes() if hasattr(self, "_wv") else {}


def flattened(vectors: Floats, exponent: float) -> Floats:
    """Centered vectors, divided along each principal axis by its standard deviation to the power ``exponent``."""
    if exponent == 0:
        return vectors
    mean, variances, axes = _spectrum(vectors)
    kept = variances > variances[0] * _LEAST_VARIANCE
    scales = np.where(kept, variances, 1) ** (-exponent / 2) * kept  # what has no variance has none afterwards
    turned: Floats = (vectors - mean) @ (axes * scales).astype(np.float32)
    return turned


def _spectrum(vectors: Floats) -> tuple[Floats, NDArray[np.float64], NDArray[np.float64]]:
    """Mean, variances, the largest first, and principal axes as columns, over the frequent words."""
    frequent = vectors[:_FREQUENT].astype(np.float64)
    mean = frequent.mean(axis=0)
    frequent -= mean
    variances, axes = np.linalg.eigh(frequent.T @ frequent / len(frequent))
    return mean.astype(np.float32), np.maximum(variances[::-1], 0), axes[:, ::-1]


def _opened(source: Any) -> tuple[WordVectors, Floats | None]:
    """Word vectors, and the rows of an output layer where there are any."""
    if isinstance(source, str | PathLike):
        source = Word2Vec.load(source) if holds_state(source) else WordVectors.load(source)
    if isinstance(source, TrainedModel):
        tables = source.output_tables_
        return source.wv, next((tables[name] for name in _ROW_LAYERS if name in tables), None)
    wv = getattr(source, "wv", source)
    if not isinstance(wv, WordVectors):
        raise OptionError(f"only word vectors, or models that have them, can be blended, not {type(source).__name__}")
    return wv, None
