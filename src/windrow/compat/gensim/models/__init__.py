"""The names of ``gensim.models``, and its modules."""

from windrow.compat.gensim.models import callbacks, keyedvectors, word2vec
from windrow.compat.gensim.models.keyedvectors import KeyedVectors

__all__ = ["KeyedVectors", "callbacks", "keyedvectors", "word2vec"]
