"""Small vocabularies: the block kernels reach the loss of the pair kernels, in every mode, and stay in bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from small_corpora import CORPORA, MODES, loss_after_training
from windrow import Corpus, Word2Vec
from windrow.embeddings.kernels.windows import ChunkDrawer
from windrow.embeddings.steps.contract import StepOptions
from windrow.embeddings.steps.full_softmax import FullSoftmaxStep
from windrow.embeddings.steps.negative_sampling import NegativeSamplingStep
from windrow.embeddings.training.block_size import choose_block_size
from windrow.errors import NotFittedError
from windrow.nn import DivergedError

NAMES = ["binary", "classroom", "counting", "dna", "repeated", "zipf50"]
OPTIONS: dict[str, Any] = {
    "vector_size": 16, "min_count": 1, "epochs": 4, "workers": 1, "sample": 0, "alpha": 0.05,
}  # fmt: skip


def mean_loss(name: str, **options: Any) -> float:
    text = CORPORA[name]()[:400]
    corpus, judged = Corpus.build(text), text[: max(1, 200 // len(text[0]))]  # 200 words, or one long sentence
    models = [Word2Vec(**OPTIONS | options, seed=seed).fit(corpus) for seed in (1, 2)]
    return float(np.mean([loss_after_training(model, judged) for model in models]))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", NAMES)
def test_blocks_reach_the_loss_of_pairs(name: str, mode: str) -> None:
    assert mean_loss(name, **MODES[mode]) < 1.1 * mean_loss(name, **MODES[mode], kernel="pair")


@pytest.mark.parametrize("mode", MODES)
def test_two_workers_that_share_rounds(mode: str) -> None:
    """Long enough for several rounds; with the sums of whole rounds the loss is twice as high, or far more."""
    text = CORPORA["repeated"]() * 10
    corpus, options = Corpus.build(text), OPTIONS | {"epochs": 1} | MODES[mode]
    one, two = (
        loss_after_training(Word2Vec(**options | more).fit(corpus), text[:20])
        for more in ({}, {"workers": 2, "deterministic": True})
    )
    assert two < 1.1 * one + 0.01


def size(
    skipgram: bool, counts: list[int], *, window: int = 5, sample: float = 0, negative: int = 5, alpha: float = 0.05
) -> int:
    layer = NegativeSamplingStep(np.array(counts), 16, StepOptions(negative=negative))
    drawer = ChunkDrawer.of(np.array(counts), sample, window, "shrink")
    ids = np.random.default_rng(1).permutation(np.repeat(np.arange(len(counts), dtype=np.int32), counts))
    return choose_block_size(skipgram, drawer, np.array(counts), [layer], alpha, ids)


def test_diverse_words_have_the_usual_blocks_and_repeated_ones_smaller_ones() -> None:
    zipf = [100_000 // rank for rank in range(1, 20_001)]
    assert (size(True, zipf, sample=1e-3), size(False, zipf, sample=1e-3)) == (64, 256)
    assert size(True, [5] * 1000) == 64
    assert size(True, [10] * 20) < 20
    assert size(False, [10] * 20) // 4 == size(True, [10] * 20)
    assert size(True, [1]) == 1
    assert size(True, [10] * 20, window=40) < size(True, [10] * 20)
    assert size(True, [5] * 1000, negative=40) < 64
    assert size(True, [5] * 1000, alpha=0.14) == 16


@pytest.mark.parametrize("mode", ["skipgram-ns", "skipgram-hs", "cbow-ns", "cbow-hs", "cbow-softmax"])
def test_words_that_are_rare_in_all_but_repeated_nearby(mode: str) -> None:
    """Each word of a text by Zipf's law 50 times in a row."""
    shares = 1 / np.arange(1, 1001)
    words = np.repeat(np.random.default_rng(1).choice(1000, 400, p=shares / shares.sum()), 50)
    corpus = Corpus.build(words.reshape(-1, 200).tolist())
    options = OPTIONS | {"epochs": 2} | MODES[mode]
    block, pair = (Word2Vec(**options, kernel=kernel).fit(corpus).history_[-1]["loss"] for kernel in ("block", "pair"))
    assert block < max(1.1 * pair, 0.5)  # from 3 or more at the beginning


@pytest.mark.parametrize("run", [5, 10])
def test_exact_softmax_of_words_that_stand_several_times_in_a_row(run: int) -> None:
    """Blocks of 4 centers diverge where each word stands ten times in a row, larger ones where it does five times."""
    words = np.repeat(np.random.default_rng(1).choice(300, 20_000 // run), run).astype(np.int32)
    counts = np.bincount(words)
    layer, drawer = FullSoftmaxStep(counts, 16, StepOptions()), ChunkDrawer.of(counts, 0, 5, "shrink")

    sizes = [choose_block_size(skipgram, drawer, counts, [layer], 0.05, words) for skipgram in (True, False)]

    assert sizes[0] * 6 * drawer.repetition(words, counts, sizes[0]) < 13
    assert 2 <= sizes[0] <= 3
    assert 6 <= sizes[1] <= 100


@pytest.mark.parametrize("subwords", [False, True])
@pytest.mark.parametrize("mode", ["skipgram-ns", "cbow-ns"])
def test_blocks_bear_the_learning_rates_that_pairs_bear(lee: Corpus, mode: str, subwords: bool) -> None:
    """At eight times the default; with blocks of the usual size three of the four diverge."""
    options = {"vector_size": 50, "alpha": 0.2, "seed": 1, "subwords": subwords} | MODES[mode]
    block, pair = (Word2Vec(**options, kernel=kernel).fit(lee).history_[-1]["loss"] for kernel in ("block", "pair"))
    assert block < 1.1 * pair


@pytest.mark.filterwarnings("ignore:the only word is")
def test_noise_words_that_are_the_target_do_not_count() -> None:
    """With one word all noise words are the target: the score rises without end, as with the pair kernel."""
    model = Word2Vec(**OPTIONS | {"epochs": 200}, sg=1).fit([["a"] * 20] * 20)
    score = float(model.wv["a"] @ model.output_tables_["ns"][0])
    assert score > 4


@pytest.mark.parametrize("kernel", ["block", "pair"])
def test_vectors_that_run_away_are_told(kernel: str) -> None:
    text = CORPORA["dna"]()[:5]
    options = OPTIONS | {
        "alpha": 10,
        "min_alpha": 10,
        "epochs": 50,
        "cbow_mean": 0,
        "loss": "softmax",
        "kernel": kernel,
    }
    model = Word2Vec(**options)

    with pytest.raises(DivergedError, match=r"diverged in epoch \d+ with alpha = 10: .*; try alpha = 1") as told:
        model.fit(text)

    assert ("or kernel = 'pair'" in str(told.value)) == (kernel == "block")
    with pytest.raises(NotFittedError):
        _ = model.wv
