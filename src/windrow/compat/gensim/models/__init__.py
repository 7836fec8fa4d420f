"""The names of ``gensim.models``, and its modules."""

from windrow.compat.gensim.models import callbacks, keyedvectors, word2vec
from windrow.compat.gensim.models.keyedvectors import KeyedVectors
from windrow.compat.gensim.models.word2vec import Word2Vec

__all__ = ["KeyedVectors", "Word2Vec", "callbacks", "keyedvectors", "word2vec"]
