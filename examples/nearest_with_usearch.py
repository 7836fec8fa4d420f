"""Nearest words of a large vocabulary by an approximate index (HNSW), in place of a search through all vectors.

windrow compares a question with every word, which is exact. Where milliseconds count and a few neighbors may be missed,
an index of another library answers; this one is usearch's. The words, vectors and questions stay windrow's.

    pip install usearch
    python examples/nearest_with_usearch.py vectors.safetensors king queen
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from usearch.index import Index

import windrow


class IndexedVectors:
    """Word vectors with an index of their directions; ``most_similar`` is asked as that of ``WordVectors``."""

    def __init__(self, vectors: windrow.WordVectors) -> None:
        self.vectors = vectors
        self.index = Index(ndim=vectors.vector_size, metric="cos", dtype="f32")
        self.index.add(np.arange(len(vectors)), vectors.vectors)

    def most_similar(
        self, positive: Sequence[str], negative: Sequence[str] = (), topn: int = 10
    ) -> list[tuple[str, float]]:
        """The words nearest to sum(positive) - sum(negative), with their cosines."""
        given = [*positive, *negative]
        weights = [1.0] * len(positive) + [-1.0] * len(negative)
        query = self.vectors.get_mean_vector(given, weights, ignore_missing=False)
        found = self.index.search(query, topn + len(given))  # the given words may be among them
        words = [self.vectors.index_to_key[row] for row in found.keys.tolist()]
        answers = zip(words, (1 - found.distances).tolist(), strict=True)
        return [(word, cosine) for word, cosine in answers if word not in given][:topn]


def main() -> None:
    """Print the words nearest to those on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("vectors", help="a file of word vectors")
    parser.add_argument("words", nargs="+", metavar="WORD")
    options = parser.parse_args()
    vectors = windrow.load(options.vectors)
    if not isinstance(vectors, windrow.WordVectors):
        raise SystemExit(f"{options.vectors} holds no word vectors")
    for word, cosine in IndexedVectors(vectors).most_similar(options.words):
        print(f"{word}\t{cosine:.4f}")


if __name__ == "__main__":
    main()
