"""Outlier detection: which word of a group does not belong to it (Camacho-Collados & Navigli 2016)."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.errors import DataError, OptionError
from windrow.evaluation.bootstrap import Interval, as_list, mean_interval
from windrow.evaluation.list_files import read_blocks, text_files
from windrow.evaluation.lookup import check_table, rows_of, units_of
from windrow.evaluation.similarity import check_restriction
from windrow.notebook import ResultTables


class Topic(NamedTuple):
    """Words that belong together, and outliers, of which one at a time is put among them."""

    name: str
    words: tuple[str, ...]
    outliers: tuple[str, ...]


class JudgedOutlier(NamedTuple):
    """An outlier among the known words of a topic, and how many of these fit worse into the group."""

    topic: str
    outlier: str
    misfits: int  # words of the topic that seem to belong to the group less than the outlier or as little
    words: int

    @property
    def is_right(self) -> bool:
        """Whether the outlier was found: no word of the topic fits as badly."""
        return self.misfits == 0

    @property
    def position(self) -> float:
        """The place of the outlier among the words by their fit, 0..1; 1: it was found."""
        return 1 - self.misfits / self.words


@dataclass(frozen=True)
class OutlierResult(ResultTables):
    """The result of ``evaluate_outliers``: how often the outlier is found, and how near to its place it stands.

    Attributes
    ----------
    judged : tuple of JudgedOutlier
        Each ``outlier`` with its ``topic``, the number of known ``words`` of the topic, ``misfits`` (how many of them
        fit no better), ``is_right`` and ``position``.
    skipped : int
        Outliers that were not judged: they are unknown, or fewer than two words of the topic are known.
    oov : float
        The fraction of all words of the topics, 0..1, that are not in the vocabulary; groups do without them.
    accuracy : float
        The fraction of judged outliers, 0..1, that are the word that fits worst.
    opp : float
        The outlier position percentage, 0..1: the mean ``position``.
    accuracy_interval, opp_interval : (float, float) or None
        Their bounds, 95 % percentile bootstrap over topics.
    """

    judged: tuple[JudgedOutlier, ...] = field(repr=False)
    skipped: int
    oov: float

    @property
    def accuracy(self) -> float:
        """The fraction of judged outliers that are the word that fits worst."""
        return sum(one.is_right for one in self.judged) / len(self.judged)

    @property
    def opp(self) -> float:
        """The mean place of the outliers, 0..1."""
        return sum(one.position for one in self.judged) / len(self.judged)

    @property
    def accuracy_interval(self) -> Interval | None:
        """Bounds of the accuracy."""
        return mean_interval([one.is_right for one in self.judged], [one.topic for one in self.judged])

    @property
    def opp_interval(self) -> Interval | None:
        """Bounds of the outlier position percentage."""
        return mean_interval([one.position for one in self.judged], [one.topic for one in self.judged])

    def to_json(self) -> dict[str, Any]:
        """The result under the names that the command line prints."""
        by_topic: dict[str, list[JudgedOutlier]] = defaultdict(list)
        for one in self.judged:
            by_topic[one.topic].append(one)
        return {
            "accuracy": self.accuracy,
            "accuracy_interval": as_list(self.accuracy_interval),
            "opp": self.opp,
            "opp_interval": as_list(self.opp_interval),
            "total": len(self.judged),
            "skipped": self.skipped,
            "oov": self.oov,
            "topics": {
                name: {
                    "accuracy": sum(one.is_right for one in found) / len(found),
                    "opp": sum(one.position for one in found) / len(found),
                    "total": len(found),
                }
                for name, found in by_topic.items()
            },
        }


def read_outliers(path: str | os.PathLike[str]) -> list[Topic]:
    """Read topics: the words that belong together, one per line, an empty line, and outliers, one per line.

    Parameters
    ----------
    path : str or os.PathLike
        A UTF-8 file with one topic, or a folder of such .txt or .tsv files, as the data set 8-8-8 has them.

    Returns
    -------
    list of Topic
        Each has a ``name``, that of its file, ``words`` and ``outliers``.

    Raises
    ------
    DataError
        It cannot be read, or a file has not two blocks of words, or only one word before the outliers.

    Examples
    --------
    >>> from pathlib import Path
    >>> from windrow.evaluation import read_outliers
    >>> path = Path("pets.txt")
    >>> characters = path.write_text("cat\\ndog\\n\\noak\\n")
    >>> read_outliers(path)
    [Topic(name='pets', words=('cat', 'dog'), outliers=('oak',))]
    """
    return [_topic(file) for file in (text_files(path) if Path(path).is_dir() else [Path(path)])]


def _topic(file: Path) -> Topic:
    blocks = read_blocks(file)
    if len(blocks) != 2 or len(blocks[0]) < 2:
        sizes = " and ".join(str(len(block)) for block in blocks) or "no"
        raise DataError(
            f"{file} has {len(blocks)} blocks of lines ({sizes} lines); a topic is two or more words, one per line, an "
            "empty line, and outliers"
        )
    return Topic(file.stem, tuple(blocks[0]), tuple(blocks[1]))


def evaluate_outliers(
    topics: Sequence[Topic] | str | os.PathLike[str],
    words: Sequence[str],
    vectors: NDArray[np.float32],
    *,
    restrict_vocab: int | None = 300_000,
    case_sensitive: bool = False,
) -> OutlierResult:
    """Put outliers among the words of a topic, one at a time, and see which word fits the group worst.

    A word fits the worse, the more compact the others are without it, which is the mean cosine of their pairs. The
    outlier is found if the group is most compact without it; where a word of the topic does as well, it is not.

    Parameters
    ----------
    topics : sequence of Topic, or path
        What ``read_outliers`` returns, or a file or folder that it can read.
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
    OutlierResult

    Raises
    ------
    OptionError
        ``restrict_vocab`` is out of range, or a vector holds a number that is not finite.
    DataError
        It cannot be read, or no outlier is known together with two words of its topic.

    References
    ----------
    Camacho-Collados & Navigli 2016, "Find the word that does not belong", eq. 1 to 4.

    Examples
    --------
    >>> import numpy as np
    >>> from windrow.evaluation import evaluate_outliers
    >>> vectors = np.array([[9, 1], [8, 2], [1, 9]], np.float32)
    >>> result = evaluate_outliers([("pets", ("cat", "dog"), ("oak",))], ["cat", "dog", "oak"], vectors)
    >>> result.accuracy, result.opp
    (1.0, 1.0)
    """
    if isinstance(topics, str | os.PathLike):
        source, listed = str(topics), read_outliers(topics)
    else:
        source, listed = "the topics", _as_topics(topics)
    check_table(words, vectors)
    wanted = (word for topic in listed for word in (*topic.words, *topic.outliers))
    rows = rows_of(wanted, words[: check_restriction(restrict_vocab, len(words))], case_sensitive)
    judged: list[JudgedOutlier] = []
    for name, members, outliers in listed:
        group = [rows[word] for word in members if word in rows]
        if len(group) >= 2:
            for outlier in filter(rows.__contains__, outliers):
                units = units_of(vectors, [*group, rows[outlier]], words)
                judged.append(JudgedOutlier(name, outlier, _misfits(units), len(group)))
    members_in_all = [word for topic in listed for word in topic.words]
    if not judged:
        known = sum(word in rows for word in members_in_all)
        raise DataError(
            f"{source}: {known} of {len(members_in_all)} words of topics are known, and no outlier beside two words of "
            "its topic; are they of another language, or differ in case?"
        )
    return OutlierResult(
        tuple(judged),
        skipped=sum(len(topic.outliers) for topic in listed) - len(judged),
        oov=sum(word not in rows for word in members_in_all) / len(members_in_all),
    )


def _misfits(units: NDArray[np.float64]) -> int:
    """How many words of a group fit it no better than the outlier, whose vector is the last.

    Without a word the sum of cosines is that of all pairs less that of the word with all others: the group is the more
    compact without it, the smaller its own sum is.
    """
    cosines = units @ units.T  # (words, words)
    sums = cosines.sum(axis=1) - np.diag(cosines)
    return int(np.count_nonzero(sums[:-1] <= sums[-1]))


def _as_topics(topics: object) -> list[Topic]:
    """Topics; OptionError for anything else."""
    expected = "topics must be a file, a folder, or a list of (name, words, outliers)"
    if not isinstance(topics, list | tuple):
        raise OptionError(f"{expected}, not {type(topics).__name__}")
    for number, one in enumerate(topics, 1):
        is_topic = isinstance(one, list | tuple) and len(one) == 3 and isinstance(one[0], str)
        if not is_topic or not all(_are_words(part) for part in one[1:]):
            raise OptionError(f"{expected}; number {number} is {str(one)[:60]!r}")
    return [Topic(name, tuple(words), tuple(outliers)) for name, words, outliers in topics]


def _are_words(part: object) -> bool:
    return isinstance(part, list | tuple) and all(isinstance(word, str) for word in part)
