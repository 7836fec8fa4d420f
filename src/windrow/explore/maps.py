"""Maps of words: computed beside the server, while the page asks how far they are."""

from __future__ import annotations

from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from windrow.embeddings.clusters import cluster_words
from windrow.embeddings.projections import METHODS, unit_rows
from windrow.errors import OptionError
from windrow.explore.asked import Asked
from windrow.explore.work import Work

if TYPE_CHECKING:
    from windrow.embeddings.vectors import WordVectors

MOST_WORDS = 5_000
_CLUSTERS = 12  # as many colors as people can tell apart
_SEED = 1


class Maps:
    """The maps of some vectors by method and number of words, each computed once."""

    def __init__(self, vectors: WordVectors) -> None:
        self._vectors = vectors
        self._works: dict[tuple[str, int], Work] = {}
        self._lock = Lock()

    def answer(self, asked: Asked) -> dict[str, Any]:
        """The map if it is ready, or else for how long it has been computed."""
        method = asked.choice("method", tuple(METHODS))
        most = min(MOST_WORDS, len(self._vectors))
        if most < 2:
            raise OptionError("a map needs at least two words")
        top = min(asked.whole("top", MOST_WORDS, 2, MOST_WORDS), most)
        with self._lock:
            work = self._works.get((method, top))
            if work is None:
                work = self._works[method, top] = Work(lambda: draw_map(self._vectors, method, top))
        return work.result()


def draw_map(vectors: WordVectors, method: str, top: int) -> dict[str, Any]:
    """The first ``top`` words in two dimensions: their coordinates, and the class of each, which decides its color."""
    words = vectors.index_to_key[:top]
    vectors.check_finite(np.arange(top))
    coordinates, axes = METHODS[method](unit_rows(vectors.vectors[:top]), _SEED)
    classes = [0] * top
    if find_spec("sklearn") is not None:
        classes = cluster_words(vectors.subset(words), min(_CLUSTERS, top), seed=_SEED).tolist()
    x, y = coordinates.astype(np.float32).T.tolist()
    return {"ready": True, "words": words, "x": x, "y": y, "classes": classes, "axes": axes}
