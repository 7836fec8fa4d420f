"""Word similarity: how well cosines agree with human judgement (WordSim-353, SimLex-999, MEN)."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.errors import DataError, check_range, check_whole

_NORM_ROWS = 65536  # rows whose norms are computed at a time


class WordPair(NamedTuple):
    """Two words, and how alike people find them."""

    first: str
    second: str
    score: float


@dataclass(frozen=True)
class SimilarityResult:
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
    """

    spearman: float
    spearman_pvalue: float
    pearson: float
    pearson_pvalue: float
    pairs: int
    oov: float

    def to_json(self) -> dict[str, Any]:
        """The result under the names that the command line prints."""
        return {"spearman": self.spearman, "pearson": self.pearson, "pairs": self.pairs, "oov": self.oov}


def read_pairs(path: str | os.PathLike[str], delimiter: str | None = None) -> list[WordPair]:
    """Read word pairs: two words and a score per line.

    Empty lines and lines that start with ``#`` are skipped. A first line without a number is a header.

    Parameters
    ----------
    path : str or os.PathLike
        A UTF-8 file.
    delimiter : str or None, default None
        What separates the fields; None: tabs if the line has any, else commas, else white space.

    Returns
    -------
    list of WordPair
        Each has ``first``, ``second`` and ``score``.

    Raises
    ------
    DataError
        The file cannot be read, holds no pair, or has a line of another kind, which the message names.

    Examples
    --------
    >>> from pathlib import Path
    >>> from windrow.evaluation import read_pairs
    >>> path = Path("pairs.tsv")
    >>> characters = path.write_text("tiger\\tcat\\t7.35\\n")
    >>> read_pairs(path)
    [WordPair(first='tiger', second='cat', score=7.35)]
    """
    pairs: list[WordPair] = []
    header_may_come = True
    for number, line in numbered_lines(path):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip() for field in _split(line, delimiter)]
        if header_may_come and not any(map(_is_number, fields)):
            header_may_come = False
            continue
        header_may_come = False
        if len(fields) != 3 or not _is_number(fields[2]):
            raise DataError(
                f"{path}, line {number}: expected two words and a number, got {line.strip()[:60]!r}; "
                "separate the fields by tabs, commas or spaces"
            )
        pairs.append(WordPair(fields[0], fields[1], float(fields[2])))
    if not pairs:
        raise DataError(f"{path} holds no word pairs; expected lines such as 'tiger<TAB>cat<TAB>7.35'")
    return pairs


def evaluate_similarity(
    pairs: Sequence[WordPair] | str | os.PathLike[str],
    words: Sequence[str],
    vectors: NDArray[np.float32],
    *,
    restrict_vocab: int | None = 300_000,
    case_insensitive: bool = True,
    dummy4unknown: bool = False,
) -> SimilarityResult:
    """Correlate the cosines of word pairs with human scores. The rules are those of gensim's ``evaluate_word_pairs``.

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
    case_insensitive : bool, default True
        Compare upper-cased words; of several spellings the most frequent one counts.
    dummy4unknown : bool, default False
        Give pairs with an unknown word a cosine of 0 instead of leaving them out.

    Returns
    -------
    SimilarityResult

    Raises
    ------
    OptionError
        ``restrict_vocab`` is out of range.
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
    if isinstance(pairs, str | os.PathLike):
        pairs = read_pairs(pairs)
    known = check_restriction(restrict_vocab, len(words))
    folded = [(fold(p.first, case_insensitive), fold(p.second, case_insensitive)) for p in pairs]
    rows = spellings(words[:known], {word for pair in folded for word in pair}, case_insensitive)
    is_known = np.array([first in rows and second in rows for first, second in folded], np.bool_)
    human = np.array([pair.score for pair in pairs])  # (pairs,)
    cosines = np.zeros(len(pairs))
    if is_known.any():
        kept = [pair for pair, usable in zip(folded, is_known, strict=True) if usable]
        ids = np.array([(rows[first][0], rows[second][0]) for first, second in kept])  # (known pairs, 2)
        cosines[is_known] = _pair_cosines(vectors, ids)
    if not dummy4unknown:
        human, cosines = human[is_known], cosines[is_known]
    _check_correlation(human, cosines, len(pairs), source)
    # Scaled by a power of two, which is exact, so that the squares of huge scores stay finite.
    scaled = np.ldexp(human, -np.frexp(np.abs(human).max())[1])
    spearman, pearson = stats.spearmanr(human, cosines), stats.pearsonr(scaled, cosines)
    return SimilarityResult(
        spearman=float(spearman.statistic),
        spearman_pvalue=float(spearman.pvalue),
        pearson=float(pearson.statistic),
        pearson_pvalue=float(pearson.pvalue),
        pairs=len(human),
        oov=np.count_nonzero(~is_known) / len(pairs),
    )


def row_norms(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Euclidean norms of the rows, (rows,); summed in double precision, slice by slice."""
    norms = np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), _NORM_ROWS):
        part = vectors[start : start + _NORM_ROWS]
        norms[start : start + _NORM_ROWS] = np.sqrt(np.einsum("ij,ij->i", part, part, dtype=np.float64))
    return norms


def fold(word: str, case_insensitive: bool) -> str:
    """The form in which words are compared: upper case, as in gensim and in word2vec's compute-accuracy."""
    return word.upper() if case_insensitive else word


def spellings(words: Sequence[str], wanted: set[str], case_insensitive: bool) -> dict[str, list[int]]:
    """For each form that is ``wanted`` and that some word has, the rows of these words, in vocabulary order."""
    rows: dict[str, list[int]] = {}
    for row, word in enumerate(words):
        key = fold(word, case_insensitive)
        if key in wanted:
            rows.setdefault(key, []).append(row)
    return rows


def check_restriction(restrict_vocab: int | None, words: int) -> int:
    """How many of the first words take part; OptionError for a restriction below one."""
    if restrict_vocab is None:
        return words
    check_range("restrict_vocab", check_whole("restrict_vocab", restrict_vocab), 1)
    return min(restrict_vocab, words)


def numbered_lines(path: str | os.PathLike[str]) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 file, counted from 1; DataError when it cannot be read or a line is not UTF-8."""
    try:
        with Path(path).open("rb") as stream:
            for number, line in enumerate(stream, 1):
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}, line {number}: not UTF-8; convert the file, for example with iconv") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


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


def _split(line: str, delimiter: str | None) -> list[str]:
    if delimiter is None:
        delimiter = next((mark for mark in "\t," if mark in line), None)
    return line.split(delimiter)


def _is_number(field: str) -> bool:
    try:
        return math.isfinite(float(field)) and "_" not in field  # float() takes '1_0'
    except ValueError:
        return False
