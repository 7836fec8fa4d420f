"""gensim's names over windrow's: ``from windrow.compat import gensim``, and the script goes on as it is.

What changes, and what cannot be had, is in docs/coming_from_gensim.md.
"""

from windrow.compat.gensim import models, utils
from windrow.compat.gensim.models.callbacks import CallbackAny2Vec
from windrow.compat.gensim.models.fasttext import FastText
from windrow.compat.gensim.models.keyedvectors import KeyedVectors
from windrow.compat.gensim.models.phrases import FrozenPhrases, Phrases
from windrow.compat.gensim.models.sentences import LineSentence, PathLineSentences
from windrow.compat.gensim.models.word2vec import Word2Vec

__all__ = [
    "CallbackAny2Vec",
    "FastText",
    "FrozenPhrases",
    "KeyedVectors",
    "LineSentence",
    "PathLineSentences",
    "Phrases",
    "Word2Vec",
    "models",
    "utils",
]
