"""Maps of words: computed beside the server, while the page asks how far they are."""

from __future__ import annotations

from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from windrow.embeddings.clusters import cluster_words
from windrow.embeddings.map_words import ENGLISH, map_words
from windrow.embeddings.projections import METHODS, NAMES, unit_rows
from windrow.errors import OptionError
from windrow.explore.asked import Asked
from windrow.explore.work import Work

if TYPE_CHECKING:
    from windrow.embeddings.vectors import WordVectors

MOST_WORDS = 5_000
_CLUSTERS = 8  # as many as there are colors and shapes for, the same as in ``windrow vectors plot``
_SEED = 1


class Maps:
    """The maps of some vectors, each computed once: by method, number of words, and whether stop words are shown."""

    def __init__(self, vectors: WordVectors) -> None:
        self._vectors = vectors
        self._works: dict[tuple[str, int, bool], Work] = {}
        self._lock = Lock()

    def answer(self, asked: Asked) -> dict[str, Any]:
        """The map if it is ready, or else for how long it has been computed."""
        method = asked.choice("method", tuple(METHODS))
        most = min(MOST_WORDS, len(self._vectors))
        if most < 2:
            raise OptionError("a map needs at least two words")
        top = min(asked.whole("top", MOST_WORDS, 2, MOST_WORDS), most)
        all_words = asked.yes_or_no("all_words")
        with self._lock:
            work = self._works.get((method, top, all_words))
            if work is None:
                work = Work(lambda: draw_map(self._vectors, method, top, all_words))
                self._works[method, top, all_words] = work
        return work.result()


def draw_map(vectors: WordVectors, method: str, top: int, all_words: bool = False) -> dict[str, Any]:
    """The first ``top`` words in two dimensions: their coordinates, and the class of each, which decides its color.

    Stop words, which say little, are not among them unless ``all_words`` is true.
    """
    words = map_words(vectors, None, top, None if all_words else ENGLISH, 0, ())
    rows = np.array([vectors.get_index(word) for word in words])
    vectors.check_finite(rows)
    coordinates, axes = METHODS[method](unit_rows(vectors.vectors[rows]), _SEED)
    classes = [0] * len(words)
    if find_spec("sklearn") is not None:
        classes = cluster_words(vectors.subset(words), min(_CLUSTERS, len(words)), seed=_SEED).tolist()
    x, y = coordinates.astype(np.float32).T.tolist()
    named = {"method": NAMES[method], "axes": axes}
    return {"ready": True, "words": words, "x": x, "y": y, "classes": classes, **named}
