"""Word vectors: training, queries, files."""

from typing import TYPE_CHECKING

from windrow._lazy import lazy_names

if TYPE_CHECKING:
    from windrow.embeddings.blend import Blend
    from windrow.embeddings.count_vectors import CountVectors
    from windrow.embeddings.overlap import NeighborOverlap, neighbor_overlap
    from windrow.embeddings.sentence_vectors import SentenceVectors
    from windrow.embeddings.training.progress import Progress
    from windrow.embeddings.vectors import WordVectors
    from windrow.embeddings.word2vec import Word2Vec

__all__ = [
    "Blend",
    "CountVectors",
    "NeighborOverlap",
    "Progress",
    "SentenceVectors",
    "Word2Vec",
    "WordVectors",
    "neighbor_overlap",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Blend": "windrow.embeddings.blend",
        "CountVectors": "windrow.embeddings.count_vectors",
        "NeighborOverlap": "windrow.embeddings.overlap",
        "Progress": "windrow.embeddings.training.progress",
        "SentenceVectors": "windrow.embeddings.sentence_vectors",
        "Word2Vec": "windrow.embeddings.word2vec",
        "WordVectors": "windrow.embeddings.vectors",
        "neighbor_overlap": "windrow.embeddings.overlap",
    },
)
