"""Several vocabularies as one: what the words of all models of a mixture are to each of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Vocabulary
from windrow.lm.symbols import SPECIALS, UNK

Ids = NDArray[np.int32]


def union_of(vocabularies: Sequence[Vocabulary]) -> Vocabulary:
    """The words of all: the first vocabulary if it has them, else with its symbols in front, by decreasing count."""
    first = vocabularies[0]
    counts: dict[str, int] = {}
    for vocabulary in vocabularies:
        for word, count in zip(vocabulary.words, np.asarray(vocabulary.counts).tolist(), strict=True):
            counts[word] = counts.get(word, 0) + count
    if len(counts) == len(first):
        return first
    words = list(counts)[len(SPECIALS) :]
    words.sort(key=counts.__getitem__, reverse=True)  # stable: equal counts are in the order of the models
    words = [*SPECIALS, *words]
    return Vocabulary(words, np.array([counts[word] for word in words], np.int64), SPECIALS)


def places_in(own: Vocabulary, union: Vocabulary) -> Ids | None:
    """The id in a model's ``own`` vocabulary of each word of the union, (words,); None where all ids are the same."""
    return None if own.words == union.words else own.encode(union.words)


def sharing(places: Ids) -> int:
    """How many words of the union share the probability of a model's ``<unk>``: those that it lacks, and ``<unk>``."""
    return int(np.count_nonzero(places == UNK))
