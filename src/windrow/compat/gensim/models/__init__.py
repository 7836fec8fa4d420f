"""The names of ``gensim.models``, and its modules."""

from windrow.compat.gensim.models import callbacks, fasttext, keyedvectors, phrases, word2vec
from windrow.compat.gensim.models.fasttext import FastText
from windrow.compat.gensim.models.keyedvectors import KeyedVectors
from windrow.compat.gensim.models.phrases import FrozenPhrases, Phrases
from windrow.compat.gensim.models.word2vec import Word2Vec

__all__ = [
    "FastText",
    "FrozenPhrases",
    "KeyedVectors",
    "Phrases",
    "Word2Vec",
    "callbacks",
    "fasttext",
    "keyedvectors",
    "phrases",
    "word2vec",
]
