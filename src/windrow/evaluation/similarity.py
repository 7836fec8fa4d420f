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
    """Correlations of cosines with human scores, their two-sided p-values, and what they rest on.

    ``pairs`` is the number of pairs that were compared, ``oov`` the share (0..1) of the file's pairs with a
    word that the vocabulary lacks.
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
    """Read word pairs: two words and a score a line, ``#`` before a comment.

    Fields are parted by ``delimiter``; without one by tabs if the line has any, else commas, else white
    space. A first line without a number is a header. Raises DataError, naming the line, for any other line
    that is no pair.
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
                "part the fields by tabs, commas or spaces"
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
    """Correlate the cosines of word pairs with their human scores.

    ``vectors`` is (words, dimensions). Only the first ``restrict_vocab`` words are known. ``case_insensitive``
    compares upper-cased words, and of several spellings the first in the vocabulary counts. Pairs with an
    unknown word are left out, or, with ``dummy4unknown``, given a cosine of 0. The rules are gensim's.

    Raises DataError when fewer than two pairs are left or either side is constant.
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
    # Scaled by a power of two, which changes no digit, so that the squares of huge scores stay finite.
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
    """The form in which words are compared: upper case, as in gensim and word2vec's compute-accuracy."""
    return word.upper() if case_insensitive else word


def spellings(words: Sequence[str], wanted: set[str], case_insensitive: bool) -> dict[str, list[int]]:
    """For each folded word that is ``wanted`` and known, the rows of its spellings, in vocabulary order."""
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
    """Cosines of pairs of rows: unit vectors and products in single precision, lengths in double.

    gensim computes them so. Where all cosines are close, as when vectors were trained for too short a time, more
    precision would show in the sixth digit of the correlation.
    """
    rows = vectors[ids].astype(np.float64)  # (pairs, 2, dim)
    lengths = np.sqrt(np.einsum("ijk,ijk->ij", rows, rows))[:, :, None]
    inverse = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return [float(first @ second) for first, second in (rows * inverse).astype(np.float32)]


def _check_correlation(human: NDArray[np.float64], cosines: NDArray[np.float64], pairs: int, source: str) -> None:
    if len(human) < 2:
        raise DataError(
            f"{source}: both words are known in {len(human)} of {pairs} pairs, a correlation needs two; "
            "is the language another, or the case?"
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
