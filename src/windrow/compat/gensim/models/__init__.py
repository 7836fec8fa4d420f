"""The names of ``gensim.models``, and its modules."""

from windrow.compat.gensim.models import callbacks, keyedvectors, phrases, word2vec
from windrow.compat.gensim.models.keyedvectors import KeyedVectors
from windrow.compat.gensim.models.phrases import FrozenPhrases, Phrases
from windrow.compat.gensim.models.word2vec import Word2Vec

__all__ = [
    "FrozenPhrases",
    "KeyedVectors",
    "Phrases",
    "Word2Vec",
    "callbacks",
    "keyedvectors",
    "phrases",
    "word2vec",
]
