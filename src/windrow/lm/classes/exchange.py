"""Classes of words from a text: the exchange algorithm, which moves word by word to the best class."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from windrow.lm.classes import kernels
from windrow.lm.classes.kernels import Around, Beside, ClassCounts
from windrow.lm.ngram.levels import NGramCounts
from windrow.lm.symbols import SPECIALS

Int32s = NDArray[np.int32]

_FEWEST_MOVES = 100  # rounds end when less than one of so many words moves
_TABLE = 1 << 16  # numbers n whose n log n is looked up


def learn_classes(
    counts: NGramCounts, classes: int, iterations: int, report: Callable[[float], object] = lambda done: None
) -> tuple[Int32s, list[float]]:
    """Divide the words of a text into classes, such that a bigram model of classes makes the text most probable.

    Parameters
    ----------
    counts : NGramCounts
        Of order 2 at least.
    classes : int, at least 1
        How many, beside one each for ``<unk>``, ``<s>`` and ``</s>``; where there are fewer words, each has its own.
    iterations : int
        The most passes over all words.
    report : callable
        Called after each pass with how many there were, as a share of the most.

    Returns
    -------
    word_classes : array of int32, shape (words,)
        The class of each word; 0, 1, 2 are those of ``<unk>``, ``<s>`` and ``</s>``.
    history : list of float
        The perplexity of the text under the class bigram model, unsmoothed, before each pass and at the end.

    References
    ----------
    Kneser & Ney 1993, "Improved clustering techniques for class-based statistical language modelling"; Martin, Liermann
    & Ney 1998, "Algorithms for bigram and trigram word clustering".
    """
    preceding, following = _beside(counts)
    word_classes = first_classes(len(counts.vocabulary), classes)
    size = int(word_classes.max()) + 1
    pairs, turned = (np.zeros((size, size), np.int32) for _ in range(2))
    found = ClassCounts(pairs, turned, *(np.zeros(size, np.int64) for _ in range(3)))
    kernels.count_pairs(following, word_classes, found)
    around = Around(np.zeros((2, size), np.int64), np.empty((2, size), np.int32), np.empty(size))
    table = _information(np.arange(_TABLE))
    word_counts = np.bincount(following.words, following.counts, len(counts.vocabulary))
    of_words = float(_information(word_counts).sum())
    history = list[float]()

    def remember() -> None:
        likelihood = kernels.log_likelihood(found, table) + of_words
        history.append(float(np.exp(-likelihood / word_counts.sum())))

    remember()
    for done in range(iterations):
        moved = kernels.exchange(preceding, following, word_classes, found, len(SPECIALS), table, around)
        remember()
        report((done + 1) / iterations)
        if moved * _FEWEST_MOVES < word_classes.size:
            break
    return word_classes, history


def first_classes(words: int, classes: int) -> Int32s:
    """The classes to begin with: the most frequent words have one each, the others are dealt out in turn."""
    specials = len(SPECIALS)
    dealt = np.arange(words - specials, dtype=np.int32) % min(classes, words) + specials
    return np.concatenate([np.arange(specials, dtype=np.int32), dealt]).astype(np.int32)


def _beside(counts: NGramCounts) -> tuple[Beside, Beside]:
    """The words before each word, and those after it."""
    bigrams, words = counts.levels[1], len(counts.vocabulary)
    starts = np.asarray(bigrams.starts, np.int64)
    seconds, times = np.asarray(bigrams.words), np.asarray(bigrams.counts, np.int32)
    firsts = np.repeat(np.arange(words, dtype=np.int32), np.diff(starts))
    order = np.argsort(seconds, kind="stable")
    ends = np.cumsum(np.bincount(seconds, minlength=words))
    preceding = Beside(np.concatenate([[0], ends]), firsts[order], times[order])
    return preceding, Beside(starts, seconds, times)


def _information(numbers: NDArray[np.integer] | NDArray[np.floating]) -> NDArray[np.float64]:
    """f(n) = n log n, 0 at 0."""
    values: NDArray[np.float64] = numbers * np.log(np.maximum(numbers, 1))
    return values
