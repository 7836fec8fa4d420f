"""Lists of any kind: one model measured on them, or two models compared on what both can answer."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Protocol

from windrow.errors import DataError, OptionError
from windrow.evaluation.analogy import evaluate_analogies
from windrow.evaluation.categories import evaluate_categories, read_categories
from windrow.evaluation.comparison import Result, ScoreDifference, compare_results
from windrow.evaluation.list_files import LIST_KINDS, ListKind, kind_of_list
from windrow.evaluation.lookup import rows_of
from windrow.evaluation.outliers import Topic, evaluate_outliers, read_outliers
from windrow.evaluation.similarity import check_restriction, evaluate_similarity

_EVALUATORS: dict[ListKind, Any] = {
    "analogies": evaluate_analogies,
    "similarity": evaluate_similarity,
    "categories": evaluate_categories,
    "outliers": evaluate_outliers,
}


class Table(Protocol):
    """Words and their vectors, as ``WordVectors`` and gensim's ``KeyedVectors`` have them."""

    @property
    def index_to_key(self) -> Sequence[str]:
        """The words, most frequent first."""

    @property
    def vectors(self) -> Any:
        """The vector of each word, (words, dimensions)."""


def evaluate_list(
    path: str | os.PathLike[str],
    vectors: Table,
    *,
    kind: ListKind | None = None,
    restrict_vocab: int | None = 300_000,
    case_sensitive: bool = False,
    columns: str | Sequence[str | int] | None = None,
) -> Result:
    """Measure word vectors on a list of any kind.

    Parameters
    ----------
    path : str or os.PathLike
        A file, or a folder.
    vectors : WordVectors
        Or anything with ``index_to_key`` and ``vectors``.
    kind : {"analogies", "similarity", "categories", "outliers"} or None, default None
        What the list is; None: what ``kind_of_list`` finds.
    restrict_vocab : int or None, default 300,000
        Only the first ``restrict_vocab`` words are known; None: all.
    case_sensitive : bool, default False
        Words are known by their exact spelling only, as in ``evaluate_similarity``.
    columns : str, sequence of three str or int, or None, default None
        The columns of a file of word pairs, as in ``read_pairs``; other lists have none.

    Returns
    -------
    AnalogyResult, SimilarityResult, CategoryResult or OutlierResult

    Raises
    ------
    OptionError
        An option is out of range.
    DataError
        The list cannot be read, or too few of its words are known.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from windrow import WordVectors
    >>> from windrow.evaluation import evaluate_list
    >>> path = Path("pairs.tsv")
    >>> characters = path.write_text("tiger\\tcat\\t7.35\\nking\\tcabbage\\t0.23\\nking\\tcat\\t1\\n")
    >>> table = np.array([[2, 1], [2, 2], [1, 9], [-9, 1]], np.float32)
    >>> evaluate_list(path, WordVectors(["tiger", "cat", "king", "cabbage"], table)).pairs
    3
    """
    found = kind_of_list(path) if kind is None else kind
    if found not in LIST_KINDS:
        raise OptionError(f"kind = {kind!r} is not one of {', '.join(LIST_KINDS)}")
    more = {"columns": columns} if found == "similarity" else {}
    result: Result = _EVALUATORS[found](
        path,
        vectors.index_to_key,
        vectors.vectors,
        restrict_vocab=restrict_vocab,
        case_sensitive=case_sensitive,
        **more,
    )
    return result


def compare_models(
    path: str | os.PathLike[str],
    a: Table,
    b: Table,
    *,
    kind: ListKind | None = None,
    restrict_vocab: int | None = 300_000,
    case_sensitive: bool = False,
    columns: str | Sequence[str | int] | None = None,
) -> list[ScoreDifference]:
    """Compare two models on a list of any kind, by what both can answer.

    Words of categories and topics of outliers are left out unless both models know them, so that both get the same
    tasks. Analogies are answered by the whole vocabulary of each model.

    Parameters
    ----------
    path : str or os.PathLike
        A file, or a folder.
    a, b : WordVectors
        The models, or anything with ``index_to_key`` and ``vectors``.
    kind : {"analogies", "similarity", "categories", "outliers"} or None, default None
        What the list is; None: what ``kind_of_list`` finds.
    restrict_vocab : int or None, default 300,000
        Only the first ``restrict_vocab`` words of each model are known; None: all.
    case_sensitive : bool, default False
        Words are known by their exact spelling only, as in ``evaluate_similarity``.
    columns : str, sequence of three str or int, or None, default None
        The columns of a file of word pairs, as in ``read_pairs``.

    Returns
    -------
    list of ScoreDifference
        As ``compare_results`` gives them.

    Raises
    ------
    OptionError
        An option is out of range.
    DataError
        The list cannot be read, or too few of its words are known to both.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from windrow import WordVectors
    >>> from windrow.evaluation import compare_models
    >>> path = Path("pairs.tsv")
    >>> characters = path.write_text("tiger\\tcat\\t7.35\\nking\\tcabbage\\t0.23\\nking\\tcat\\t1\\n")
    >>> words = ["tiger", "cat", "king", "cabbage"]
    >>> a = WordVectors(words, np.array([[2, 1], [-2, 2], [1, 9], [2, 9]], np.float32))
    >>> b = WordVectors(words, np.array([[2, 1], [2, 2], [1, 9], [-9, 1]], np.float32))
    >>> [(found.score, round(found.difference, 2)) for found in compare_models(path, a, b)]
    [('spearman', 2.0)]
    """
    found = kind_of_list(path) if kind is None else kind
    asked: Any = path
    if found in ("categories", "outliers"):
        listed: Any = read_categories(path) if found == "categories" else read_outliers(path)
        words = [word for one in listed for word in (one.words if found == "outliers" else one[:1])]
        known = _shared(words, (a, b), restrict_vocab, case_sensitive)
        asked = _only(known, listed)
        if not known:
            raise DataError(f"{path}: no word of it is known to both models; are they of two languages?")
    results = [
        evaluate_list(
            asked,
            table,
            kind=found,
            restrict_vocab=restrict_vocab,
            case_sensitive=case_sensitive,
            columns=columns,
        )
        for table in (a, b)
    ]
    return compare_results(*results)


def _shared(
    words: Sequence[str], tables: Sequence[Table], restrict_vocab: int | None, case_sensitive: bool
) -> set[str]:
    """Those of the words that all tables know."""
    known = set(words)
    for table in tables:
        vocabulary = table.index_to_key
        some = vocabulary[: check_restriction(restrict_vocab, len(vocabulary))]
        known &= set(rows_of(words, some, case_sensitive))
    return known


def _only(known: set[str], listed: Sequence[Any]) -> list[Any]:
    """Words with categories, or topics, without the words that are not known."""
    if not isinstance(listed[0], Topic):
        return [one for one in listed if one.word in known]
    return [topic._replace(words=tuple(filter(known.__contains__, topic.words))) for topic in listed]
