"""Precision, recall and F1 from three numbers."""

from __future__ import annotations

from dataclasses import dataclass

from windrow.notebook import ResultTables


@dataclass(frozen=True)
class PrecisionRecall(ResultTables):
    """How many spans or labels are predicted, gold (true), and correct (both). A ratio with denominator 0 is 0."""

    correct: int
    predicted: int
    gold: int

    @property
    def precision(self) -> float:
        """The fraction of the predicted ones that are true."""
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """The fraction of the true ones that were predicted."""
        return self.correct / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.correct / (self.predicted + self.gold) if self.correct else 0.0

    def to_json(self) -> dict[str, float]:
        """The three ratios by name."""
        return {"f1": self.f1, "precision": self.precision, "recall": self.recall}


class WithOverall(ResultTables):
    """A result that has a PrecisionRecall over all spans or labels (micro average), and more of them by kind."""

    overall: PrecisionRecall

    @property
    def precision(self) -> float:
        """The micro-averaged precision, 0..1: the share of what was predicted that is true."""
        return self.overall.precision

    @property
    def recall(self) -> float:
        """The micro-averaged recall, 0..1: the share of what is true that was predicted."""
        return self.overall.recall
