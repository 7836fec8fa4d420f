"""Categorization: whether words of one category lie together (AP, BLESS, Battig and others)."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.errors import DataError, OptionError
from windrow.evaluation.bootstrap import Interval, as_list, mean_interval
from windrow.evaluation.grouping import k_means
from windrow.evaluation.list_files import numbered_lines, text_files
from windrow.evaluation.lookup import check_table, rows_of, units_of
from windrow.evaluation.similarity import check_restriction
from windrow.notebook import ResultTables

_HEADER = ({"word", "noun", "concept", "term"}, {"category", "class", "label", "cluster"})


class WordCategory(NamedTuple):
    """A word, and the category that it belongs to."""

    word: str
    category: str


class ClusteredWord(NamedTuple):
    """A word, its category, its cluster (from 0), and the category that most words of this cluster have."""

    word: str
    category: str
    cluster: int
    majority: str

    @property
    def is_right(self) -> bool:
        """Whether the word has the category of most words of its cluster."""
        return self.category == self.majority


@dataclass(frozen=True)
class CategoryResult(ResultTables):
    """The result of ``evaluate_categories``: which words lie together, and how pure the clusters are.

    Attributes
    ----------
    judged : tuple of ClusteredWord
        The known words: ``word``, ``category``, ``cluster``, ``majority`` (the category of most words of the cluster)
        and ``is_right`` (whether it is the word's own).
    oov : float
        The fraction of all words, 0..1, that are not in the vocabulary.
    purity : float
        The fraction of known words, 0..1, that have the category of most words of their cluster.
    purity_interval : (float, float) or None
        Bounds of the purity, 95 % percentile bootstrap over the words, in the same clusters.
    categories : dict of str to float
        The purity over the words of each category.
    """

    judged: tuple[ClusteredWord, ...] = field(repr=False)
    oov: float

    @property
    def purity(self) -> float:
        """The fraction of words that have the category of most words of their cluster."""
        return sum(one.is_right for one in self.judged) / len(self.judged)

    @property
    def purity_interval(self) -> Interval | None:
        """Bounds of the purity."""
        return mean_interval([one.is_right for one in self.judged], range(len(self.judged)))

    @property
    def categories(self) -> dict[str, float]:
        """The purity over the words of each category."""
        return {name: sum(found) / len(found) for name, found in self._by_category().items()}

    def _by_category(self) -> dict[str, list[bool]]:
        found: dict[str, list[bool]] = defaultdict(list)
        for one in self.judged:
            found[one.category].append(one.is_right)
        return found

    def to_json(self) -> dict[str, Any]:
        """The result under the names that the command line prints."""
        return {
            "purity": self.purity,
            "purity_interval": as_list(self.purity_interval),
            "words": len(self.judged),
            "oov": self.oov,
            "categories": {
                name: {"purity": sum(found) / len(found), "words": len(found)}
                for name, found in self._by_category().items()
            },
        }


def read_categories(path: str | os.PathLike[str]) -> list[WordCategory]:
    """Read words and their categories: a file of two columns, or a folder with a file of words per category.

    Lines that are empty or start with ``#`` are skipped.

    Parameters
    ----------
    path : str or os.PathLike
        A UTF-8 file with a word and its category per line, between them a tab, semicolon, comma or space; or a folder
        of .txt or .tsv files, each named after its category, with one word per line.

    Returns
    -------
    list of WordCategory
        Each has ``word`` and ``category``.

    Raises
    ------
    DataError
        It cannot be read, or a line is of another kind, which the message names.

    Examples
    --------
    >>> from pathlib import Path
    >>> from windrow.evaluation import read_categories
    >>> path = Path("things.tsv")
    >>> characters = path.write_text("cat\\tanimal\\noak\\tplant\\n")
    >>> read_categories(path)
    [WordCategory(word='cat', category='animal'), WordCategory(word='oak', category='plant')]
    """
    if Path(path).is_dir():
        return [WordCategory(word, file.stem) for file in text_files(path) for _, word in _lines(file)]
    lines = list(_lines(path))
    mark = next((mark for mark in "\t;," if lines and mark in lines[0][1]), None)
    found = []
    for number, line in lines:
        fields = [part.strip() for part in line.split(mark)]
        if len(fields) != 2 or not all(fields):
            raise DataError(f"{path}, line {number}: expected a word and its category, got {line[:60]!r}")
        found.append(WordCategory(*fields))
    if found and all(name.lower() in known for name, known in zip(found[0], _HEADER, strict=True)):
        del found[0]
    if not found:
        raise DataError(f"{path} holds no words with categories; expected lines such as 'cat<TAB>animal'")
    return found


def _lines(path: str | os.PathLike[str]) -> Iterable[tuple[int, str]]:
    """The lines of a file that say something, without white space around them."""
    stripped = ((number, line.strip()) for number, line in numbered_lines(path))
    return ((number, line) for number, line in stripped if line and not line.startswith("#"))


def evaluate_categories(
    categories: Sequence[WordCategory] | str | os.PathLike[str],
    words: Sequence[str],
    vectors: NDArray[np.float32],
    *,
    restrict_vocab: int | None = 300_000,
    case_sensitive: bool = False,
) -> CategoryResult:
    """Cluster words by their vectors, and measure how well the clusters agree with their categories.

    k-means of the vectors, each scaled to length 1, makes as many clusters as the known words have categories; the best
    of ten starts counts. The purity is the fraction of words that have the category of most words of their cluster.

    Parameters
    ----------
    categories : sequence of WordCategory, or path
        What ``read_categories`` returns, or a file or folder that it can read.
    words : sequence of str
        The vocabulary, most frequent words first.
    vectors : array of float32, shape (words, dimensions)
        The vector of each word.
    restrict_vocab : int or None, default 300,000
        Only the first ``restrict_vocab`` words are known; None: all.
    case_sensitive : bool, default False
        Words are known by their exact spelling only, as in ``evaluate_similarity``.

    Returns
    -------
    CategoryResult

    Raises
    ------
    OptionError
        ``restrict_vocab`` is out of range, or a vector holds a number that is not finite.
    DataError
        It cannot be read, or the known words have fewer than two categories.

    References
    ----------
    Almuhareb & Poesio 2004 (AP); Baroni & Lenci 2011 (BLESS); Baroni, Dinu & Kruszewski 2014 (purity of vectors).

    Examples
    --------
    >>> import numpy as np
    >>> from windrow.evaluation import evaluate_categories
    >>> listed = [("cat", "animal"), ("dog", "animal"), ("oak", "plant"), ("elm", "plant")]
    >>> vectors = np.array([[9, 1], [8, 2], [1, 9], [2, 8]], np.float32)
    >>> evaluate_categories(listed, ["cat", "dog", "oak", "elm"], vectors).purity
    1.0
    """
    if isinstance(categories, str | os.PathLike):
        source, listed = str(categories), read_categories(categories)
    else:
        source, listed = "the list of categories", _as_categories(categories)
    check_table(words, vectors)
    rows = rows_of((one.word for one in listed), words[: check_restriction(restrict_vocab, len(words))], case_sensitive)
    known = [one for one in listed if one.word in rows]
    names = {one.category for one in known}
    if len(names) < 2:
        raise DataError(
            f"{source}: {len(known)} of {len(listed)} words are known, of {len(names)} categories; purity needs two "
            "categories or more (are they of another language, or differ in case?)"
        )
    clusters = k_means(units_of(vectors, [rows[one.word] for one in known], words), len(names)).tolist()
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for (_, category), cluster in zip(known, clusters, strict=True):
        counts[cluster][category] += 1
    judged = (
        ClusteredWord(*one, cluster, counts[cluster].most_common(1)[0][0])
        for one, cluster in zip(known, clusters, strict=True)
    )
    return CategoryResult(tuple(judged), oov=1 - len(known) / len(listed))


def _as_categories(categories: object) -> list[WordCategory]:
    """Words with categories; OptionError for anything else."""
    expected = "categories must be a file, a folder, or a list of (word, category)"
    if isinstance(categories, Mapping) or not isinstance(categories, Sequence):
        raise OptionError(f"{expected}, not {type(categories).__name__}")
    for number, one in enumerate(categories, 1):
        if not isinstance(one, list | tuple) or [isinstance(part, str) for part in one] != [True, True]:
            raise OptionError(f"{expected}; number {number} is {str(one)[:60]!r}")
    return [WordCategory(*one) for one in categories]
