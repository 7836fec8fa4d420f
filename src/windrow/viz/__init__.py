"""Pictures: a map of word vectors, the learning curve of a training. They need ``windrow[viz]``."""

from windrow.viz.learning_curve import plot_learning_curve
from windrow.viz.word_map import plot_vectors

__all__ = ["plot_learning_curve", "plot_vectors"]
