"""Pictures: word vectors, learning curves, results, next words. They need ``windrow[viz]``."""

from windrow.viz.learning_curve import plot_learning_curve
from windrow.viz.next_words import plot_next_words
from windrow.viz.perplexities import plot_perplexities
from windrow.viz.results import plot_analogies, plot_confusion, plot_gradient_norms
from windrow.viz.word_map import plot_vectors

__all__ = [
    "plot_analogies",
    "plot_confusion",
    "plot_gradient_norms",
    "plot_learning_curve",
    "plot_next_words",
    "plot_perplexities",
    "plot_vectors",
]
