"""Evaluation: analogies, similarity, perplexity, entities and labels of texts, over arrays; no model is known here."""

from __future__ import annotations

from windrow.evaluation.analogy import AnalogyResult, evaluate_analogies, read_questions
from windrow.evaluation.labels import LabelResult, evaluate_labels
from windrow.evaluation.pairs import read_pairs
from windrow.evaluation.perplexity import Perplexity
from windrow.evaluation.similarity import SimilarityResult, evaluate_similarity
from windrow.evaluation.spans import SpanResult, evaluate_spans, spans_of

__all__ = [
    "AnalogyResult",
    "LabelResult",
    "Perplexity",
    "SimilarityResult",
    "SpanResult",
    "evaluate_analogies",
    "evaluate_labels",
    "evaluate_similarity",
    "evaluate_spans",
    "read_pairs",
    "read_questions",
    "spans_of",
]
