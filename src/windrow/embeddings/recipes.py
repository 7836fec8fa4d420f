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

    trained: int  # dimensions of the model, for each of the blended ones
    counted: float  # those of the counted vectors
    window: int  # and their window, for each word of the model's
    second_weight: float
    output_weight: float
    spectrum_exponent: float


# docs/explanations/counting.md says on what these were chosen, and has the scores.
_SMALL_TEXT = 3_000_000  # words up to which a text is small: two million and five were tried
_DEFAULT = _Parts(trained=2, counted=2, window=1, second_weight=0.8, output_weight=0.5, spectrum_exponent=0.3)
_OF_SMALL = _DEFAULT._replace(trained=1, output_weight=0, spectrum_exponent=0.15)
_FAVORED = {FAVORS[0]: _DEFAULT._replace(counted=1.25, window=2, second_weight=1, output_weight=1)}
_WIDEST, _LARGEST = 1000, 100_000  # window and dimensions that there may be


def _parts(corpus: Corpus, favor: str | None) -> _Parts:
    is_small = corpus.tokens <= _SMALL_TEXT
    if favor is None:
        return _OF_SMALL if is_small else _DEFAULT
    return _FAVORED[favor]._replace(trained=1) if is_small else _FAVORED[favor]


def trained_size(vector_size: int, corpus: Corpus) -> int:
    """Dimensions with which to train a model on a text, to blend it to ``vector_size`` of them."""
    return min(_parts(corpus, None).trained * vector_size, _LARGEST)


def blend_with_counts(
    model: Word2Vec,
    corpus: Corpus,
    vector_size: int,
    favor: str | None = None,
    progress: OnProgress | None = None,
    ray: Workers | None = None,
) -> WordVectors:
    """The vectors of a model blended with those that are counted in the text that it was trained on.

    ``vector_size``: dimensions of the blended vectors; ``trained_size`` tells how many the model should have.
    ``favor``: one of ``FAVORS``, or None for a balance with strict similarity. Raises as ``CountVectors.fit`` and
    ``Blend.fit``.
    """
    parts = _parts(corpus, favor)
    of_model = ("min_count", "max_final_vocab", "sample", "seed", "workers")
    parameters = {name: getattr(model, name) for name in of_model}
    size, window = min(round(parts.counted * vector_size), len(model.wv)), min(parts.window * model.window, _WIDEST)
    counted = CountVectors(vector_size=size, window=window, **parameters).fit(corpus, progress=progress, ray=ray)
    weights = {name: getattr(parts, name) for name in ("second_weight", "output_weight", "spectrum_exponent")}
    wv = Blend(vector_size=vector_size, **weights).fit(model, counted).wv
    wv.provenance |= {"recipe": RECIPES[0], **({} if favor is None else {"favor": favor})}
    return wv
