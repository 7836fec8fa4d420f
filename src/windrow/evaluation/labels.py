"""How well the predicted labels of texts agree with the true ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from windrow.errors import DataError
from windrow.evaluation.precision_recall import PrecisionRecall, WithOverall


@dataclass(frozen=True)
class LabelResult(WithOverall):
    """The result of ``evaluate_labels``.

    Attributes
    ----------
    accuracy : float
        The share of texts whose likeliest label is among the true ones, 0..1.
    examples : int
        How many texts have a label.
    overall : PrecisionRecall
        ``correct``, ``predicted``, ``gold``, ``precision``, ``recall`` and ``f1`` over all labels (micro average).
    labels : dict of label to PrecisionRecall
        The same by label.
    precision, recall : float
        Those of ``overall``, 0..1.
    """

    accuracy: float
    examples: int
    overall: PrecisionRecall
    labels: dict[Any, PrecisionRecall]

    def to_json(self) -> dict[str, Any]:
        """The result under the names that the command line prints."""
        labels = {str(label): {**score.to_json(), "examples": score.gold} for label, score in self.labels.items()}
        whole = {"accuracy": self.accuracy, "precision": self.precision, "recall": self.recall}
        return {**whole, "examples": self.examples, "labels": labels}


def evaluate_labels(gold: Iterable[Sequence[Hashable]], predicted: Iterable[Sequence[Hashable]]) -> LabelResult:
    """Compare predicted labels of texts with the true ones, as fastText's ``test`` does.

    With k labels predicted for each text, precision and recall are those at k. Texts without a true label are left out.

    Parameters
    ----------
    gold : iterable of sequences of labels
        The true labels of each text.
    predicted : iterable of sequences of labels
        The predicted labels of the same texts, the likeliest first.

    Returns
    -------
    LabelResult

    Raises
    ------
    DataError
        The numbers of texts differ, or no text has a true label.

    Examples
    --------
    >>> from windrow.evaluation import evaluate_labels
    >>> result = evaluate_labels([["wine", "food"], ["car"]], [["wine"], ["wine"]])
    >>> result.accuracy, result.precision, round(result.recall, 3)
    (0.5, 0.5, 0.333)
    """
    counts: tuple[Counter[Any], ...] = (Counter(), Counter(), Counter())  # correct, predicted, gold
    examples = right = 0
    for true, found in zip_longest(gold, predicted):
        if true is None or found is None:
            raise DataError("there must be as many lists of predicted labels as of true ones, one for each text")
        if not true:
            continue
        examples += 1
        right += bool(found) and found[0] in true
        for counter, seen in zip(counts, (set(true) & set(found), set(found), set(true)), strict=True):
            counter.update(seen)
    if not examples:
        raise DataError("no text has a true label; give at least one")
    labels = {one: PrecisionRecall(*(n[one] for n in counts)) for one in sorted(counts[1] | counts[2], key=str)}
    return LabelResult(right / examples, examples, PrecisionRecall(*(n.total() for n in counts)), labels)
