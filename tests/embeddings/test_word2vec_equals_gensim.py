"""The `pair` kernel with one worker against gensim, run here: the same vectors, the same output tables."""

from __future__ import annotations

import numpy as np
import pytest

from windrow import Corpus, Word2Vec

gensim_models = pytest.importorskip("gensim.models", reason="gensim has no wheel for this Python")

# The two differ by the order in which a dot product is summed, at first by one unit in the last place. A score that
# falls on the other side of a step of the 1,000-entry logistic table turns that into 1e-4 over two epochs.
TOLERANCE = 3e-4

MODELS = {"skipgram": {"sg": 1}, "cbow-mean": {"sg": 0, "cbow_mean": 1}, "cbow-sum": {"sg": 0, "cbow_mean": 0}}
LOSSES = {
    "ns5": {"hs": 0, "negative": 5},
    "ns15-exponent0.5": {"hs": 0, "negative": 15, "ns_exponent": 0.5},
    "hs": {"hs": 1, "negative": 0},
    "hs+ns5": {"hs": 1, "negative": 5},
}
WINDOWS = {"shrink": {"shrink_windows": True}, "fixed": {"shrink_windows": False}}
SAMPLES = {"all-words": {"sample": 0}, "sample1e-3": {"sample": 1e-3}}


def _largest_difference(options: dict[str, object], corpus: Corpus, sentences: list[list[str]]) -> float:
    theirs = gensim_models.Word2Vec(sentences, **options)
    ours = Word2Vec(kernel="pair", **options).fit(corpus)
    assert ours.wv.index_to_key == theirs.wv.index_to_key
    pairs = [(ours.wv.vectors, theirs.wv.vectors)]
    if options["negative"]:
        pairs.append((ours.output_tables_["ns"], theirs.syn1neg))
    if options["hs"]:
        pairs.append((ours.output_tables_["hs"], theirs.syn1[:-1]))  # gensim's last row belongs to no inner node
    for _, other in pairs:
        assert np.abs(other).max() > 0.05  # trained, not the tables that both start with
    return max(float(np.abs(mine - other).max()) for mine, other in pairs)


@pytest.fixture(scope="module")
def third(lee_sentences: list[list[str]]) -> list[list[str]]:
    """20,000 words: several jobs of 10,000 per epoch, each with a learning rate of its own."""
    return lee_sentences[:100]


@pytest.fixture(scope="module")
def third_corpus(third: list[list[str]]) -> Corpus:
    return Corpus.build(third)


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("windows", WINDOWS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("model", MODELS)
def test_vectors_and_output_tables(
    model: str, loss: str, windows: str, sample: str, third_corpus: Corpus, third: list[list[str]]
) -> None:
    options = {"epochs": 2, "workers": 1, "seed": 1} | MODELS[model] | LOSSES[loss] | WINDOWS[windows] | SAMPLES[sample]
    assert _largest_difference(options, third_corpus, third) <= TOLERANCE


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("loss", LOSSES)
def test_the_first_updates_are_equal_to_the_last_bit_or_nearly(
    model: str, loss: str, lee_sentences: list[list[str]]
) -> None:
    few = lee_sentences[:2]
    options = {"epochs": 1, "workers": 1, "seed": 1, "min_count": 1, "sample": 0} | MODELS[model] | LOSSES[loss]
    theirs = gensim_models.Word2Vec(few, **options)
    ours = Word2Vec(kernel="pair", **options).fit(few)
    np.testing.assert_allclose(ours.wv.vectors, theirs.wv.vectors, rtol=0, atol=2e-8)


def test_other_sizes_seeds_and_rates(lee: Corpus, lee_sentences: list[list[str]]) -> None:
    options = {
        "vector_size": 33, "window": 3, "min_count": 3, "alpha": 0.05, "min_alpha": 0.01, "epochs": 3, "seed": 42,
        "workers": 1, "sg": 1, "hs": 0, "negative": 4, "max_final_vocab": None,
    }  # fmt: skip
    assert _largest_difference(options, lee, lee_sentences) <= TOLERANCE
