"""Text classification: labels of texts from the average of the vectors of their words and n-grams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windrow._lazy import lazy_names

if TYPE_CHECKING:
    from windrow.classification.classifier import TextClassifier
    from windrow.classification.tuning import autotune

__all__ = ["TextClassifier", "autotune"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "TextClassifier": "windrow.classification.classifier",
        "autotune": "windrow.classification.tuning",
    },
)
