"""Evaluation: analogies and similarity over arrays; no model is known here."""

from __future__ import annotations

from windrow.evaluation.analogy import AnalogyResult, evaluate_analogies, read_questions
from windrow.evaluation.similarity import SimilarityResult, evaluate_similarity, read_pairs

__all__ = [
    "AnalogyResult",
    "SimilarityResult",
    "evaluate_analogies",
    "evaluate_similarity",
    "read_pairs",
    "read_questions",
]
