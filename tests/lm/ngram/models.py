"""Small random back-off models, as sorted levels and as the dictionaries that say the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.naive.backoff import BOS, Backoff
from windrow.corpus import Vocabulary
from windrow.lm.ngram.levels import BackoffModel, Level

SPECIALS = ("<unk>", "<s>", "</s>")
seeds = st.integers(0, 2**32 - 1)


def random_model(
    dice: np.random.Generator, order: int, words: int, *, closed: bool = True, unseen_backoff: float = 0.0
) -> tuple[BackoffModel, Backoff]:
    """A model of the n-grams of a random text; not ``closed``: some are left out with all that they begin."""
    ngrams: list[set[tuple[int, ...]]] = [{(word,) for word in range(words)}, *(set() for _ in range(order - 1))]
    for _ in range(dice.integers(1, 9)):
        sentence = [BOS, *(dice.zipf(1.5, dice.integers(0, 12)) % words), 2]
        sentence = [int(word) for place, word in enumerate(sentence) if place == 0 or word != BOS]
        for k in range(2, order + 1):
            ngrams[k - 1] |= {tuple(sentence[i : i + k]) for i in range(len(sentence) - k + 1)}
    if not closed:
        for k in range(2, order + 1):
            ngrams[k - 1] = {
                ngram for ngram in sorted(ngrams[k - 1]) if ngram[:-1] in ngrams[k - 2] and dice.random() < 0.7
            }
    probs = {ngram: -float(dice.exponential(2)) for level in ngrams for ngram in sorted(level)}
    backoffs = {ngram: float(dice.normal()) for level in ngrams[:-1] for ngram in sorted(level)}
    naive = Backoff(order, probs, backoffs, unseen_backoff)
    return as_levels(naive, words), naive


def as_levels(naive: Backoff, words: int) -> BackoffModel:
    """The dictionaries as sorted arrays."""
    levels = []
    contexts: list[tuple[int, ...]] = [()]
    for k in range(1, naive.order + 1):
        ngrams = sorted(ngram for ngram in naive.probs if len(ngram) == k)
        places = {context: place for place, context in enumerate(contexts)}
        sizes = np.bincount([places[ngram[:-1]] for ngram in ngrams], minlength=len(contexts))
        levels.append(
            Level(
                np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32),
                np.array([ngram[-1] for ngram in ngrams], np.int32),
                np.array([naive.probs[ngram] for ngram in ngrams], np.float32),
                np.array([naive.backoffs[ngram] for ngram in ngrams], np.float32) if k < naive.order else None,
            )
        )
        contexts = ngrams
    vocabulary = Vocabulary([*SPECIALS, *(f"w{i}" for i in range(3, words))], np.zeros(words, np.int64), SPECIALS)
    return BackoffModel(vocabulary, levels, naive.unseen_backoff)


def as_naive(model: BackoffModel) -> Backoff:
    """The inverse of ``as_levels``."""
    probs, backoffs = {}, {}
    contexts: list[tuple[int, ...]] = [()]
    for level in model.levels:
        whole = [contexts[place] for place in np.repeat(np.arange(len(contexts)), np.diff(level.starts))]
        contexts = [(*context, word) for context, word in zip(whole, level.words.tolist(), strict=True)]
        probs |= dict(zip(contexts, level.log10_probs.tolist(), strict=True))
        if level.log10_backoffs is not None:
            backoffs |= dict(zip(contexts, level.log10_backoffs.tolist(), strict=True))
    return Backoff(model.order, probs, backoffs, model.unseen_backoff)


def random_stream(dice: np.random.Generator, words: int, symbols: int) -> np.ndarray:
    """Frequent words, and a sentence start here and there."""
    stream = dice.zipf(1.5, symbols) % words
    stream[dice.random(symbols) < 0.1] = BOS
    return stream.astype(np.int32)


def distribution(model: BackoffModel, context: Sequence[int] | NDArray[np.integer]) -> NDArray[np.float64]:
    """p(word | context) of every word by the definition, from sorted levels: (words,) float64; 0 for <s>.

    ``context``: ids, of which those since the last <s> count, at most ``order`` - 1.
    """
    ids = [int(word) for word in context]
    ids = ids[max((place for place, word in enumerate(ids) if word == BOS), default=0) :]
    probs: NDArray[np.float64] = 10 ** model.levels[0].log10_probs.astype(np.float64)
    for length in range(1, min(len(ids), model.order - 1) + 1):
        place = find_ngram(model, ids[len(ids) - length :])
        if place < 0:
            probs *= 10**model.unseen_backoff
            continue
        context_level, level = model.levels[length - 1], model.levels[length]
        assert context_level.log10_backoffs is not None
        probs *= 10 ** float(context_level.log10_backoffs[place])
        stored = slice(level.starts[place], level.starts[place + 1])
        probs[level.words[stored]] = 10 ** level.log10_probs[stored].astype(np.float64)
    probs[BOS] = 0
    return probs


def find_ngram(model: BackoffModel, ids: Sequence[int]) -> int:
    """The place of an n-gram among those of its order, -1 if it is not stored."""
    place = 0
    for level, word in zip(model.levels, ids, strict=False):
        first, last = level.starts[place], level.starts[place + 1]
        place = int(first + np.searchsorted(level.words[first:last], word))
        if place == last or level.words[place] != word:
            return -1
    return place
