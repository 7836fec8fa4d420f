"""Word similarity: how well cosines agree with human judgement (WordSim-353, SimLex-999, MEN)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.errors import DataError, OptionError, check_whole
from windrow.evaluation.bootstrap import Interval, Statistic, as_list, interval_of, pearson_of, resampled, spearman_of
from windrow.evaluation.lookup import check_table, rows_of, takes_gensims_name
from windrow.evaluation.pairs import WordPair, read_pairs
from windrow.notebook import ResultTables

__all__ = ["SimilarityResult", "WordPair", "check_restriction", "evaluate_similarity", "read_pairs", "row_norms"]

_NORM_ROWS = 65536  # rows whose norms are computed at a time


class JudgedPair(NamedTuple):
    """A pair of words, how alike people find them, and their cosine."""

    first: str
    second: str
    score: float
    cosine: float


@dataclass(frozen=True)
class SimilarityResult(ResultTables):
    """The result of ``evaluate_similarity``: correlations of cosines with human scores.

    Attributes
    ----------
    spearman, pearson : float
        The correlation coefficients, -1..1.
    spearman_pvalue, pearson_pvalue : float
        Their two-sided p-values.
    pairs : int
        The number of pairs that were compared.
    oov : float
        The fraction of all pairs, 0..1, with a word that is not in the vocabulary.
    judged : tuple of JudgedPair
        The pairs that were compared: ``first``, ``second``, ``score`` (of people) and ``cosine``.
    spearman_interval, pearson_interval : (float, float) or None
        Bounds of the correlations, 95 % percentile bootstrap over the pairs.
    """

    spearman: float
    spearman_pvalue: float
    pearson: float
    pearson_pvalue: float
    pairs: int
    oov: float
    judged: tuple[JudgedPair, ...] = field(default=(), repr=False)

    @property
    def spearman_interval(self) -> Interval | None:
        """Bounds of Spearman's correlation."""
        return self._interval(spearman_of)

    @property
    def pearson_interval(self) -> Interval | None:
        """Bounds of Pearson's correlation."""
        return self._interval(pearson_of)

    def _interval(self, correlation: Callable[..., Statistic]) -> Interval | None:
        if not self.judged:
            return None
        columns = np.array([pair[2:] for pair in self.judged]).T
        return interval_of(resampled(correlation(*columns), len(self.judged)))

    def to_json(self) -> dict[str, Any]:
        """The result under the names that the command line prints."""
        return {
            "spearman": self.spearman,
            "spearman_interval": as_list(self.spearman_interval),
            "pearson": self.pearson,
            "pearson_interval": as_list(self.pearson_interval),
            "pairs": self.pairs,
            "oov": self.oov,
        }


@takes_gensims_name
def evaluate_similarity(
    pairs: Sequence[WordPair] | str | os.PathLike[str],
    words: Sequence[str],
    vectors: NDArray[np.float32],
    *,
    restrict_vocab: int | None = 300_000,
    case_sensitive: bool = False,
    dummy4unknown: bool = False,
    columns: str | Sequence[str | int] | None = None,
) -> SimilarityResult:
    """Correlate the cosines of word pairs with human scores.

    The rules are those of gensim's ``evaluate_word_pairs``, except that the exact spelling of a word comes before more
    frequent ones.

    Parameters
    ----------
    pairs : sequence of WordPair, or path
        What ``read_pairs`` returns, or a file that it can read.
    words : sequence of str
        The vocabulary, most frequent words first.
    vectors : array of float32, shape (words, dimensions)
        The vector of each word.
    restrict_vocab : int or None, default 300,000
        Only the first ``restrict_vocab`` words are known; None: all.
    case_sensitive : bool, default False
        Words are known by their exact spelling only. Otherwise the exact spelling counts if it is known, else the most
        frequent one that differs in case.
    dummy4unknown : bool, default False
        Give pairs with an unknown word a cosine of 0 instead of leaving them out.
    columns : str, sequence of three str or int, or None, default None
        The columns of a file, as in ``read_pairs``.

    Returns
    -------
    SimilarityResult

    Raises
    ------
    OptionError
        ``restrict_vocab`` is out of range, or ``columns`` names a column that the file lacks.
    DataError
        The file cannot be read, or a correlation is not defined: fewer than two pairs are known, or all scores or all
        cosines are equal.

    Examples
    --------
    >>> import numpy as np
    >>> from windrow.evaluation import evaluate_similarity
    >>> from windrow.evaluation.similarity import WordPair
    >>> pairs = [WordPair("tiger", "cat", 7.35), WordPair("king", "cabbage", 0.23), WordPair("king", "cat", 1.0)]
    >>> vectors = np.array([[2, 1], [2, 2], [1, 9], [-9, 1]], np.float32)
    >>> round(evaluate_similarity(pairs, ["tiger", "cat", "king", "cabbage"], vectors).spearman, 3)
    1.0
    """
    from scipy import stats

    source = "the word pairs" if isinstance(pairs, Sequence) and not isinstance(pairs, str) else str(pairs)
    pairs = read_pairs(pairs, columns=columns) if isinstance(pairs, str | os.PathLike) else _as_pairs(pairs)
    check_table(words, vectors)
    known = check_restriction(restrict_vocab, len(words))
    rows = rows_of((word for pair in pairs for word in pair[:2]), words[:known], case_sensitive)
    is_known = np.array([first in rows and second in rows for first, second, _ in pairs], np.bool_)
    human = np.array([pair.score for pair in pairs])  # (pairs,)
    cosines = np.zeros(len(pairs))
    if is_known.any():
        kept = [pair for pair, usable in zip(pairs, is_known, strict=True) if usable]
        ids = np.array([(rows[first], rows[second]) for first, second, _ in kept])  # (known pairs, 2)
        cosines[is_known] = _pair_cosines(vectors, ids)
    if not np.isfinite(cosines).all():
        pair = pairs[int(np.flatnonzero(~np.isfinite(cosines))[0])]
        raise OptionError(f"the vector of {pair.first!r} or {pair.second!r} holds a number that is not finite")
    takes_part = is_known | dummy4unknown
    human, cosines = human[takes_part], cosines[takes_part]
    _check_correlation(human, cosines, len(pairs), source)
    # Scaled by a power of two, which is exact, so that the squares of huge scores stay finite.
    scaled = np.ldexp(human, -np.frexp(np.abs(human).max())[1])
    spearman, pearson = stats.spearmanr(human, cosines), stats.pearsonr(scaled, cosines)
    compared = zip(compress(pairs, takes_part), cosines.tolist(), strict=True)
    return SimilarityResult(
        spearman=float(spearman.statistic),
        spearman_pvalue=float(spearman.pvalue),
        pearson=float(pearson.statistic),
        pearson_pvalue=float(pearson.pvalue),
        pairs=len(human),
        oov=np.count_nonzero(~is_known) / len(pairs),
        judged=tuple(JudgedPair(*pair, cosine) for pair, cosine in compared),
    )


def _as_pairs(pairs: object) -> list[WordPair]:
    """Word pairs with scores; OptionError for anything else."""
    expected = "pairs must be a file, or a list of (word, word, score)"
    if isinstance(pairs, Mapping) or not isinstance(pairs, Sequence):
        raise OptionError(f"{expected}, not {type(pairs).__name__}")
    for number, pair in enumerate(pairs, 1):
        is_pair = isinstance(pair, list | tuple) and [isinstance(part, str) for part in pair] == [True, True, False]
        if not is_pair or not isinstance(pair[2], Real) or not np.isfinite(float(pair[2])):
            raise OptionError(f"{expected}; pair {number} is {str(pair)[:60]!r}")
    return [WordPair(*pair) for pair in pairs]


def row_norms(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Euclidean norms of the rows, (rows,); summed in double precision, slice by slice."""
    norms = np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), _NORM_ROWS):
        part = vectors[start : start + _NORM_ROWS]
        norms[start : start + _NORM_ROWS] = np.sqrt(np.einsum("ij,ij->i", part, part, dtype=np.float64))
    return norms


def check_restriction(restrict_vocab: int | None, words: int) -> int:
    """How many of the first words take part; OptionError for a restriction below one."""
    if restrict_vocab is None:
        return words
    return min(check_whole("restrict_vocab", restrict_vocab, 1), words)


def _pair_cosines(vectors: NDArray[np.float32], ids: NDArray[np.int64]) -> list[float]:
    """Cosines of pairs of rows: unit vectors and products in single precision, lengths in double, as in gensim.

    Where all cosines are close, as after too short a training, more precision would change the sixth digit of the
    correlation.
    """
    rows = vectors[ids].astype(np.float64)  # (pairs, 2, dim)
    lengths = np.sqrt(np.einsum("ijk,ijk->ij", rows, rows))[:, :, None]
    inverse = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return [float(first @ second) for first, second in (rows * inverse).astype(np.float32)]


def _check_correlation(human: NDArray[np.float64], cosines: NDArray[np.float64], pairs: int, source: str) -> None:
    if len(human) < 2:
        raise DataError(
            f"{source}: both words are known in {len(human)} of {pairs} pairs, a correlation needs two; "
            "are they of another language, or differ in case?"
        )
    for name, values in (("human score", human), ("cosine", cosines)):
        if values.min() == values.max():
            raise DataError(f"{source}: every pair has the same {name}, so that no correlation is defined")
