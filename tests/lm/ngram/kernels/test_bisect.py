from __future__ import annotations

from bisect import bisect_left

import numpy as np
import pytest

from windrow.lm.ngram.kernels import bisect as kernels

WORDS = 9


def random_level(dice: np.random.Generator, contexts: int) -> tuple[np.ndarray, np.ndarray]:
    """Starts and words of the successors of some contexts, from none to all words."""
    chosen = [sorted(dice.permutation(WORDS)[: dice.integers(0, WORDS + 1)]) for _ in range(contexts)]
    starts = np.cumsum([0, *map(len, chosen)])
    return starts.astype(np.int32), np.array([word for words in chosen for word in words], np.int32)


@pytest.mark.parametrize(("low", "high"), [(0, 6), (1, 5), (2, 2), (5, 6)])
def test_the_lower_bound_is_that_of_bisect(low, high):
    words = np.array([2, 3, 3, 5, 8, 9], np.int32)

    found = [kernels.lower_bound(words, low, high, wanted) for wanted in range(11)]

    assert found == [bisect_left(words.tolist(), wanted, low, high) for wanted in range(11)]


def test_children_are_found_by_context_and_word():
    dice = np.random.default_rng(11)
    starts, words = random_level(dice, 20)
    places = {}
    for context in range(20):
        for place in range(starts[context], starts[context + 1]):
            places[context, words[place]] = place
    contexts = dice.integers(-1, 20, 300, dtype=np.int32)
    wanted = dice.integers(0, WORDS, 300, dtype=np.int32)
    found = np.full(300, 77, np.int32)

    kernels.find_children(starts, words, contexts, wanted, found)

    assert found.tolist() == [places.get(gram, -1) for gram in zip(contexts, wanted, strict=True)]
    assert (found < 0).any()
    assert (found >= 0).any()
    assert [kernels.find_child(starts, words, *pair) for pair in zip(contexts, wanted, strict=True)] == found.tolist()
