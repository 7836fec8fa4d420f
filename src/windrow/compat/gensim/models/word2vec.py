"""The names of ``gensim.models.word2vec``."""

from windrow.compat.gensim.models.keyedvectors import KeyedVectors
from windrow.compat.gensim.models.sentences import LineSentence, PathLineSentences

__all__ = ["KeyedVectors", "LineSentence", "PathLineSentences"]
