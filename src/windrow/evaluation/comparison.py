"""Which differences between two models' scores are more than noise of the questions: a paired bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.errors import DataError, OptionError
from windrow.evaluation.analogy import AnalogyResult, SectionResult, asked_pair
from windrow.evaluation.bootstrap import Interval, Statistic, interval_of, means_of_groups, resampled, spearman_of
from windrow.evaluation.categories import CategoryResult
from windrow.evaluation.outliers import JudgedOutlier, OutlierResult
from windrow.evaluation.similarity import SimilarityResult
from windrow.notebook import ResultTables

Result = AnalogyResult | SimilarityResult | CategoryResult | OutlierResult


class Outcome(NamedTuple):
    """How one model did on one item; the outcomes of a group are drawn together."""

    item: Hashable
    value: float
    group: Hashable


@dataclass(frozen=True)
class ScoreDifference(ResultTables):
    """A score of two models on the items that both can answer, and how sure their difference is.

    Attributes
    ----------
    score : str
        What is compared: "accuracy", "spearman", "purity" or "opp".
    a, b : float
        The scores of the two models on the common items.
    difference : float
        ``b - a``: above 0, B is better.
    standard_error : float
        That of the difference: its standard deviation over resamples of the items, of which both models get the same.
    interval : (float, float)
        Bounds of the difference, 95 % percentile bootstrap.
    items : int
        How many items both models can answer.
    more_than_noise : bool
        Whether the interval leaves out 0. With other questions of the same kind such a difference would most likely
        have the same sign; it says nothing of other seeds of a training.
    sections : dict of str to ScoreDifference
        The same for the parts of a list that has some.
    """

    score: str
    a: float
    b: float
    standard_error: float
    interval: Interval
    items: int
    sections: dict[str, ScoreDifference]

    @property
    def difference(self) -> float:
        """How much better B is."""
        return self.b - self.a

    @property
    def more_than_noise(self) -> bool:
        """Whether the interval of the difference leaves out 0."""
        low, high = self.interval
        return low > 0 or high < 0

    def to_json(self) -> dict[str, Any]:
        """The numbers under the names that the command line prints."""
        found = {
            "score": self.score,
            "a": self.a,
            "b": self.b,
            "difference": self.difference,
            "standard_error": self.standard_error,
            "interval": list(self.interval),
            "items": self.items,
            "more_than_noise": self.more_than_noise,
        }
        sections = {name: one.to_json() for name, one in self.sections.items()}
        return {**found, "sections": sections} if sections else found


def compare_results(a: Result, b: Result) -> list[ScoreDifference]:
    """Compare the results of two models on one list: by the items that both could answer.

    The same resamples are drawn for both models, so that items which are hard for both cancel out: differences are
    far surer than a look at the intervals of both scores suggests.

    Parameters
    ----------
    a, b : AnalogyResult, SimilarityResult, CategoryResult or OutlierResult
        Results of one list and one kind. Those of categories and outliers depend on which words of a list are known:
        ``compare_models`` gives both models the words that both know.

    Returns
    -------
    list of ScoreDifference
        One, or two for outliers: their accuracy and position (OPP). That of analogies has ``sections``.

    Raises
    ------
    OptionError
        The results are not of one kind.
    DataError
        Both answered fewer than two items in common.

    Examples
    --------
    >>> import numpy as np
    >>> from windrow.evaluation import compare_results, evaluate_similarity
    >>> pairs = [("tiger", "cat", 7.35), ("king", "cabbage", 0.23), ("king", "cat", 1.0)]
    >>> words = ["tiger", "cat", "king", "cabbage"]
    >>> good = evaluate_similarity(pairs, words, np.array([[2, 1], [2, 2], [1, 9], [-9, 1]], np.float32))
    >>> bad = evaluate_similarity(pairs, words, np.array([[2, 1], [-2, 2], [1, 9], [2, 9]], np.float32))
    >>> [found] = compare_results(bad, good)
    >>> round(found.a, 2), round(found.b, 2), found.more_than_noise
    (-1.0, 1.0, True)
    """
    match a, b:
        case AnalogyResult(), AnalogyResult():
            return [_analogies(a, b)]
        case SimilarityResult(), SimilarityResult():
            return [_correlations(a, b)]
        case CategoryResult(), CategoryResult():
            return [_means("purity", _words(a), _words(b))]
        case OutlierResult(), OutlierResult():
            return [
                _means("accuracy", _tests(a, lambda one: one.is_right), _tests(b, lambda one: one.is_right)),
                _means("opp", _tests(a, lambda one: one.position), _tests(b, lambda one: one.position)),
            ]
    raise OptionError(
        f"results of two kinds, {type(a).__name__} and {type(b).__name__}; give two results of the same list"
    )


def _analogies(a: AnalogyResult, b: AnalogyResult) -> ScoreDifference:
    """The difference of all sections, and of each one of which both could answer two questions."""
    ours, theirs = _by_section(a), _by_section(b)
    sections = {}
    for name in ours:
        if len({one.item for one in ours[name]} & {one.item for one in theirs.get(name, [])}) > 1:
            sections[name] = _means("accuracy", ours[name], theirs[name])
    return _means("accuracy", list(chain(*ours.values())), list(chain(*theirs.values())), sections)


def _by_section(result: AnalogyResult) -> dict[str, list[Outcome]]:
    found: dict[str, list[Outcome]] = {}
    for part in result.sections:
        found.setdefault(part.name, []).extend(_answers(part))
    return found


def _answers(part: SectionResult) -> Iterator[Outcome]:
    for value, questions in ((1.0, part.correct), (0.0, part.incorrect)):
        yield from (Outcome((part.name, question), value, asked_pair(question)) for question in questions)


def _tests(result: OutlierResult, value: Callable[[JudgedOutlier], float]) -> list[Outcome]:
    return [Outcome(one[:2], value(one), one.topic) for one in result.judged]


def _words(result: CategoryResult) -> list[Outcome]:
    return [Outcome(one[:2], one.is_right, number) for number, one in enumerate(result.judged)]


def _correlations(a: SimilarityResult, b: SimilarityResult) -> ScoreDifference:
    theirs = {pair[:3]: pair.cosine for pair in b.judged}
    common = [(pair.score, pair.cosine, theirs[pair[:3]]) for pair in a.judged if pair[:3] in theirs]
    _check_items(len(common))
    human, *cosines = np.array(common).T
    one, other = (spearman_of(human, column) for column in cosines)
    return _difference("spearman", one, other, len(common), len(common), {})


def _means(
    score: str, ours: Sequence[Outcome], theirs: Sequence[Outcome], sections: dict[str, ScoreDifference] | None = None
) -> ScoreDifference:
    """The difference of two means over the items that both have."""
    by_item = {outcome.item: outcome.value for outcome in theirs}
    common = [outcome for outcome in ours if outcome.item in by_item]
    _check_items(len(common))
    groups = [outcome.group for outcome in common]
    one, drawn = means_of_groups([outcome.value for outcome in common], groups)
    other, _ = means_of_groups([by_item[outcome.item] for outcome in common], groups)
    return _difference(score, one, other, drawn, len(common), sections or {})


def _check_items(common: int) -> None:
    if common < 2:
        raise DataError(
            f"both models can answer {common} items of the list; a comparison needs two "
            "(are they of two languages, or does one have few words?)"
        )


def _difference(
    score: str, one: Statistic, other: Statistic, drawn: int, items: int, sections: dict[str, ScoreDifference]
) -> ScoreDifference:
    """The difference of two statistics over ``drawn`` things, each resample the same for both."""

    def both(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        difference: NDArray[np.float64] = other(weights) - one(weights)
        return difference

    whole = np.ones((1, drawn))
    a, b = float(one(whole)[0]), float(other(whole)[0])
    if not np.isfinite(a) or not np.isfinite(b):
        raise DataError("a correlation of the common pairs is not defined: all their scores or all cosines are equal")
    scores = resampled(both, drawn)
    interval = interval_of(scores)
    assert interval is not None  # a resample in which nothing differs is far from all of them
    error = float(np.nanstd(scores, ddof=1))
    return ScoreDifference(score, a, b, error, interval, items, sections)
