"""Word vectors: training them, asking them, reading and writing them."""

from windrow.embeddings.training import Progress
from windrow.embeddings.vectors import WordVectors
from windrow.embeddings.word2vec import Word2Vec

__all__ = ["Progress", "Word2Vec", "WordVectors"]
