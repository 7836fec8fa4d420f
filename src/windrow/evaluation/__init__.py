"""Evaluation: analogies, similarity, categories, outliers, perplexity, entities, labels; no model is known here."""

from __future__ import annotations

from windrow.evaluation.analogy import AnalogyResult, evaluate_analogies, read_questions
from windrow.evaluation.categories import CategoryResult, evaluate_categories, read_categories
from windrow.evaluation.comparison import ScoreDifference, compare_results
from windrow.evaluation.labels import LabelResult, evaluate_labels
from windrow.evaluation.list_files import kind_of_list
from windrow.evaluation.outliers import OutlierResult, evaluate_outliers, read_outliers
from windrow.evaluation.pairs import read_pairs
from windrow.evaluation.perplexity import Perplexity
from windrow.evaluation.similarity import SimilarityResult, evaluate_similarity
from windrow.evaluation.spans import SpanResult, evaluate_spans, spans_of
from windrow.evaluation.word_lists import compare_models, evaluate_list

__all__ = [
    "AnalogyResult",
    "CategoryResult",
    "LabelResult",
    "OutlierResult",
    "Perplexity",
    "ScoreDifference",
    "SimilarityResult",
    "SpanResult",
    "compare_models",
    "compare_results",
    "evaluate_analogies",
    "evaluate_categories",
    "evaluate_labels",
    "evaluate_list",
    "evaluate_outliers",
    "evaluate_similarity",
    "evaluate_spans",
    "kind_of_list",
    "read_categories",
    "read_outliers",
    "read_pairs",
    "read_questions",
    "spans_of",
]
