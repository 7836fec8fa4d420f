"""Classes learned from a text are those of the exchange algorithm by its definition."""

from __future__ import annotations

from math import exp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.naive import exchange as naive
from tests.naive.ngrams import stream_of
from windrow.corpus import Vocabulary
from windrow.lm.classes.exchange import first_classes, learn_classes
from windrow.lm.ngram.counting import count_ngrams
from windrow.lm.ngram.levels import NGramCounts
from windrow.lm.symbols import SPECIALS


def counts_of(sentences: list[list[int]], words: int) -> NGramCounts:
    vocabulary = Vocabulary([*SPECIALS, *map(str, range(3, words))], np.ones(words, np.int64), SPECIALS)
    return count_ngrams(np.array(stream_of(sentences), np.int32), vocabulary, 2)


def random_sentences(seed: int, words: int) -> list[list[int]]:
    """Every word occurs, some after themselves, ``<unk>`` among them."""
    dice = np.random.default_rng(seed)
    drawn = [dice.choice([0, *range(3, words)], dice.integers(0, 7)).tolist() for _ in range(12)]
    return [*drawn, dice.permutation(np.arange(3, words)).tolist(), [3, 3, 3, words - 1]]


@given(st.integers(0, 9999), st.integers(1, 5), st.integers(5, 12))
@settings(deadline=None, max_examples=40)
def test_each_pass_is_that_of_the_definition(seed, classes, words):
    sentences = random_sentences(seed, words)
    pairs, counts = naive.pairs_of(sentences), counts_of(sentences, words)
    wanted, perplexities = first_classes(words, classes).tolist(), []
    for passes in range(3):
        found, history = learn_classes(counts, classes, passes)
        perplexities.append(exp(-naive.log_likelihood(pairs, wanted) / len(pairs)))

        if len(history) == passes + 1:  # else almost no word moved in the pass before
            assert found.tolist() == wanted
        np.testing.assert_allclose(history, perplexities[: len(history)], rtol=1e-9)
        wanted = naive.exchange(pairs, wanted, max(wanted) + 1)
    assert perplexities == sorted(perplexities, reverse=True)


@pytest.mark.parametrize(("words", "classes"), [(9, 1), (9, 4), (9, 6), (9, 100), (4, 1)])
def test_no_class_is_empty_and_special_symbols_have_their_own(words, classes):
    found, _ = learn_classes(counts_of(random_sentences(1, words), words), classes, 5)

    assert found[:3].tolist() == [0, 1, 2]
    assert sorted(set(found[3:].tolist())) == [*range(3, 3 + min(classes, words - 3))]


def test_words_that_stand_alike_share_a_class():
    determiners, nouns, verbs = [3, 4], [5, 6, 7], [8, 9]
    sentences = [[d, n, v] for d in determiners for n in nouns for v in verbs]

    classes, history = learn_classes(counts_of(sentences, 10), 3, 10)

    assert [len(set(classes[group].tolist())) for group in (determiners, nouns, verbs)] == [1, 1, 1]
    assert len(set(classes.tolist())) == 6
    assert history[-1] == pytest.approx((2 * 3 * 2) ** (1 / 4))  # each sentence is drawn by three fair choices


def test_counts_beyond_the_table_of_logarithms():
    sentences = [[3, 4], [5, 4], [3, 6], [5, 6]] * 40_000
    classes, history = learn_classes(counts_of(sentences, 7), 2, 5)

    assert classes[3] == classes[5] != classes[4] == classes[6]
    assert history[-1] == pytest.approx(4 ** (1 / 3))


def test_how_much_is_done_is_told():
    told: list[float] = []
    learn_classes(counts_of(random_sentences(2, 9), 9), 2, 4, told.append)

    assert told == [0.25, 0.5, 0.75, 1][: len(told)]
    assert told
