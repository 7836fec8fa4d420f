from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from gensim.models import Word2Vec
from scipy.stats import binom, chisquare

from tests.naive import windows as naive
from windrow.embeddings.kernels.windows import ChunkDrawer, distance_weights, keep_thresholds
from windrow.numeric.rng import GensimRandomness, SplitMixRandomness

SEED = np.random.SeedSequence(77)
COUNTS = np.array([400_000, 90_000, 30_000, 30_000, 5_000, 800, 20, 3])


def randomness(kind: str) -> SplitMixRandomness | GensimRandomness:
    return SplitMixRandomness(SEED) if kind == "split-mix" else GensimRandomness(77, reseeds_jobs=True)


both_kinds = pytest.mark.parametrize("kind", ["split-mix", "gensim"])


def gensim_vocabulary(sample: float) -> tuple[np.ndarray, list[int]]:
    """Counts of a random vocabulary, and gensim's threshold of each word."""
    generator = np.random.default_rng(3)
    words = [f"w{number}" for number in np.minimum(generator.geometric(0.02, 6000), 300)]
    model = Word2Vec(min_count=1, sample=sample)
    model.build_vocab([words])
    keys = model.wv.index_to_key
    counts = np.array([model.wv.get_vecattr(word, "count") for word in keys])
    return counts, [int(model.wv.get_vecattr(word, "sample_int")) for word in keys]


@pytest.mark.parametrize("sample", [1e-1, 1e-2, 1e-3, 1e-4, 1e-5])
def test_keep_thresholds_are_gensims(sample):
    counts, thresholds = gensim_vocabulary(sample)

    assert keep_thresholds(counts, sample).tolist() == thresholds
    assert len(counts) > 200
    if sample < 1e-1:
        assert min(thresholds) < 2**32 - 1


def test_words_without_a_count_are_kept_as_if_seen_once():
    thresholds = keep_thresholds(np.array([0, 100, 1]), 1e-3)

    assert thresholds[1] < thresholds[0] == thresholds[2]


def test_subsampling_keeps_each_word_at_its_rate():
    sample, trials, words = 1e-3, 20_000, len(COUNTS)
    ids = np.tile(np.arange(words, dtype=np.int32), trials)
    drawer = ChunkDrawer(words, keep_thresholds(COUNTS, sample), 5, True, distance_weights("shrink", 5))

    chunk = drawer.draw(ids, np.array([0, len(ids)]), SplitMixRandomness(SEED))

    share = COUNTS / COUNTS.sum() / sample  # word2vec.c: sqrt(1 / share) + 1 / share
    rates = np.minimum(1, np.sqrt(1 / share) + 1 / share)
    kept = np.bincount(chunk.words, minlength=words)
    frequent = rates < 1
    assert 4 <= frequent.sum() < words
    assert (kept[~frequent] == trials).all()
    outcomes = np.stack([kept, trials - kept])[:, frequent].T
    for outcome, rate in zip(outcomes, rates[frequent], strict=True):
        assert chisquare(outcome, [trials * rate, trials * (1 - rate)]).pvalue > 1e-4
    without_root = [trials / share[0], trials * (1 - 1 / share[0])]  # one printed form of the formula
    assert chisquare(outcomes[0], without_root).pvalue < 1e-6


@both_kinds
def test_linear_weights_are_the_expectation_of_shrinking(kind):
    window, trials = 6, 40_000
    reaches = randomness(kind).up_to(window, trials)
    weights = distance_weights("linear", window, np.float64)[window:]

    for distance in range(1, window + 1):
        inside = int((reaches >= distance).sum())
        # The chance of a count at least as far from its expectation, on the nearer side.
        tail = min(binom.cdf(inside, trials, weights[distance]), binom.sf(inside - 1, trials, weights[distance]))
        assert tail > 1e-4
    assert binom.cdf((reaches >= 2).sum(), trials, 1.1 * weights[2]) < 1e-6


def test_distance_weights():
    """By the place in a window: the distances to the left, the center, the distances to the right, and 16 zeros."""
    pad = [0] * 16
    ones = [1, 1, 1, 0, 1, 1, 1, *pad]
    assert distance_weights("shrink", 3).tolist() == distance_weights("none", 3).tolist() == ones
    linear = [0.25, 0.5, 0.75, 1, 0, 1, 0.75, 0.5, 0.25, *pad]
    np.testing.assert_allclose(distance_weights("linear", 4, np.float64), linear)
    np.testing.assert_allclose(distance_weights("harmonic", 2, np.float64), [1 / 2, 1, 0, 1, 1 / 2, *pad])
    assert distance_weights("linear", 4).dtype == np.float32


@both_kinds
@pytest.mark.parametrize("subsampled", [True, False])
@pytest.mark.parametrize("shrink", [True, False])
def test_chunks_are_the_naive_ones(kind, subsampled, shrink):
    """Unknown words first, then sub-sampling, then windows: over what is left of each sentence."""
    generator, window, words = np.random.default_rng(9), 4, len(COUNTS)
    sentences = [generator.integers(-1, words + 2, length).tolist() for length in (0, 12, 1, 0, 30, 7)]
    thresholds = keep_thresholds(COUNTS, 1e-2) if subsampled else None
    drawer = ChunkDrawer(words, thresholds, window, shrink, distance_weights("linear", window))
    source, twin = randomness(kind), randomness(kind)
    ids, starts = np.array(list(chain(*sentences)), np.int32), np.cumsum([0, *map(len, sentences)])

    for _ in range(3):
        chunk = drawer.draw(ids, starts, source)

        twin.start_job()
        kept = naive.keep_known(sentences, words)
        if subsampled:
            kept = naive.subsample(kept, thresholds.tolist(), iter(twin.draws(sum(map(len, kept))).tolist()))
        size = sum(map(len, kept))
        reaches = twin.up_to(window, size).tolist() if shrink else [window] * size
        text = naive.lay_windows(kept, reaches, [])
        assert 5 < size < len(ids)
        assert chunk.words.tolist() == text.words
        contexts = [
            [j for j in range(left, right) if j != center]
            for center, (left, right) in enumerate(zip(chunk.left, chunk.right, strict=True))
        ]
        assert contexts == text.windows
        np.testing.assert_array_equal(chunk.distance_weights, distance_weights("linear", window))


@pytest.mark.parametrize("ids", [[], [-1, -1, 99]], ids=["none", "unknown ones"])
def test_a_chunk_may_be_left_without_words(ids):
    drawer = ChunkDrawer(5, keep_thresholds(COUNTS[:5], 1e-3), 4, True, distance_weights("shrink", 4))

    chunk = drawer.draw(np.array(ids, np.int32), np.array([0, len(ids)]), SplitMixRandomness(SEED))

    assert [len(chunk.words), len(chunk.left), len(chunk.right)] == [0, 0, 0]


@pytest.mark.parametrize("sample", [0, 0.1])
def test_repetition_is_the_chance_that_two_words_are_equal(sample: float) -> None:
    """Over all pairs of a text that is shorter than what is looked at; ids without a row are left out."""
    ids = np.array([0, 2, 0, 1, 3, 0, 2, 2], np.int32)
    counts = np.array([3, 1, 3])
    drawer = ChunkDrawer.of(counts, sample, 5, "shrink", rows_of_ids=np.array([0, 1, 2, -1, -1], np.int32))
    kept = drawer.kept_counts(counts) / counts
    pairs = [(a, b) for i, a in enumerate(ids) for j, b in enumerate(ids) if i != j and 3 not in (a, b)]
    chance = sum(kept[a] * kept[b] for a, b in pairs if a == b) / sum(kept[a] * kept[b] for a, b in pairs)

    assert drawer.repetition(ids, counts, 1000) == pytest.approx(chance)
    assert drawer.repetition(ids[:0], counts, 1000) == 0


def test_repetition_nearby() -> None:
    """Each of 100 words 50 times in a row: two words of a stretch of 10 are nearly always the same."""
    ids, counts = np.repeat(np.arange(100, dtype=np.int32), 50), np.full(100, 50)
    drawer = ChunkDrawer.of(counts, 0, 5, "shrink")
    assert drawer.repetition(ids, counts, 10) > 0.8
    assert drawer.repetition(ids, counts, len(ids)) == pytest.approx(49 / 4999)
