"""One command to better vectors: predict, count and blend from one encoded text."""

from __future__ import annotations

from typing import NamedTuple

from windrow.bars import OnProgress
from windrow.corpus import Corpus
from windrow.distributed.workers import Workers
from windrow.embeddings.blend import Blend
from windrow.embeddings.count_vectors import CountVectors
from windrow.embeddings.settings import FAVORS, RECIPES
from windrow.embeddings.vectors import WordVectors
from windrow.embeddings.word2vec import Word2Vec


class _Parts(NamedTuple):
    """How counted vectors are blended with those of a model."""

    size: float  # dimensions of the counted vectors, for each of the model's
    window: int  # and their window
    second_weight: float
    output_weight: float


# docs/explanations/counting.md says on what these were chosen, and has the scores.
_DEFAULT = _Parts(size=2, window=1, second_weight=0.8, output_weight=0.5)
_WIDEST = 1000  # window that there may be
_FAVORED = {FAVORS[0]: _Parts(size=1.25, window=2, second_weight=1.2, output_weight=1)}


def blend_with_counts(
    model: Word2Vec,
    corpus: Corpus,
    favor: str | None = None,
    progress: OnProgress | None = None,
    ray: Workers | None = None,
) -> WordVectors:
    """The vectors of a model blended with those that are counted in the text that it was trained on.

    ``favor``: one of ``FAVORS``, or None for a balance with strict similarity. Raises as ``CountVectors.fit`` and
    ``Blend.fit``.
    """
    parts = _DEFAULT if favor is None else _FAVORED[favor]
    of_model = ("min_count", "max_final_vocab", "sample", "seed", "workers")
    parameters = {name: getattr(model, name) for name in of_model}
    size, window = min(round(parts.size * model.vector_size), len(model.wv)), min(parts.window * model.window, _WIDEST)
    counted = CountVectors(vector_size=size, window=window, **parameters).fit(corpus, progress=progress, ray=ray)
    blend = Blend(
        vector_size=model.vector_size, second_weight=parts.second_weight, output_weight=parts.output_weight
    ).fit(model, counted)
    blend.wv.provenance |= {"recipe": RECIPES[0], **({} if favor is None else {"favor": favor})}
    return blend.wv
