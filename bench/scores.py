"""How good vectors are: analogies, and correlations with people's judgement of similarity."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from data import QUESTIONS, SIMILARITIES

if TYPE_CHECKING:
    from windrow import WordVectors

HEADINGS = {"analogies": "analogies %", "ws353": "WS-353", "simlex999": "SimLex", "men3000_natural": "MEN"}

Scores = dict[str, float]


def evaluate(vectors: WordVectors, data: Path) -> Scores:
    """Accuracy (0..1) on Google's analogies, restricted to 30,000 words, and Spearman's correlations."""
    from windrow.evaluation import evaluate_analogies, evaluate_similarity

    words, table = vectors.index_to_key, vectors.vectors
    scores = {"analogies": evaluate_analogies(data / QUESTIONS, words, table, restrict_vocab=30_000).accuracy}
    for name in SIMILARITIES:
        scores[name] = evaluate_similarity(data / "wordsim" / f"{name}.tsv", words, table).spearman
    return scores
