"""Every output layer's shipped kernel against its naive twin, on random models and texts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from tests.embeddings.steps.cases import MODES, Model, naive_block_step, naive_pair_steps, random_text
from tests.naive import word2vec as naive
from windrow.embeddings.steps import STEPS, full_softmax

RATE = 0.05


@dataclass(frozen=True)
class Size:
    vector_size: int
    window: int
    block_size: int
    vocabulary_size: int
    lengths: tuple[int, ...]  # of sentences

    def __str__(self) -> str:
        return f"d{self.vector_size}-w{self.window}-b{self.block_size}-v{self.vocabulary_size}"


# Widths below, at and beyond one vector of 16; blocks of one, cut and larger than the text; sentences without words.
SIZES = [
    Size(1, 1, 1, 1, (1, 3)),
    Size(7, 2, 3, 2, (0, 5, 1, 0, 6)),
    Size(16, 3, 64, 3, (9, 0, 8)),
    Size(50, 8, 64, 500, (30, 1, 40)),
    Size(100, 5, 3, 500, (2, 7, 0, 11)),
    Size(7, 4, 64, 500, (66, 65)),
    Size(16, 6, 1, 500, (8, 0, 1, 9)),
    Size(50, 7, 3, 3, (10, 12)),
    Size(100, 8, 64, 2, (20,)),
    Size(1, 5, 64, 500, (0, 0, 70, 0)),
]
SMALL = SIZES[:3]


def some_word_rows(generator: np.random.Generator, words: int) -> list[list[int]]:
    """Each word's own row and those of up to six n-grams; words share n-grams, and may have one twice."""
    ngrams = [generator.integers(words, 2 * words + 3, generator.integers(0, 7)).tolist() for _ in range(words)]
    return [[word, *own] for word, own in enumerate(ngrams)]


def build(
    names: str, mode: str, size: Size, dtype: type[np.floating], subwords: bool = False
) -> tuple[Model, naive.Text]:
    generator = np.random.default_rng(size.vector_size * 1000 + size.block_size)
    word_rows = some_word_rows(generator, size.vocabulary_size) if subwords else None
    model = Model(
        names,
        replace(MODES[mode], word_rows=word_rows),
        counts=np.sort(generator.integers(1, 1000, size.vocabulary_size))[::-1].tolist(),
        vector_size=size.vector_size,
        window=size.window,
        block_size=size.block_size,
        dtype=dtype,
    )
    return model, random_text(generator, size.vocabulary_size, size.lengths, size.window)


def compare_blocks(model: Model, text: naive.Text, tolerance: float) -> None:
    before = model.parameters()
    inputs, outputs = (table.astype(np.float64) for table in before)
    step = naive_block_step(model, outputs)
    rate = float(model.dtype(RATE))
    expected = naive.train_blocks(text, inputs, rate, step, model.mode, model.context.window, model.context.block_size)

    loss = model.train_blocks(text, RATE)

    assert loss == pytest.approx(expected, rel=tolerance, abs=tolerance)
    np.testing.assert_allclose(model.inputs, inputs, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(model.outputs[0], outputs, rtol=tolerance, atol=tolerance)
    if len(model.counts) > 1:
        assert np.abs(inputs - before[0]).max() > 10 * tolerance  # something was learned


def compare_pairs(model: Model, text: naive.Text, tolerance: float) -> None:
    before = model.parameters()
    inputs, *outputs = model.parameters()
    steps = naive_pair_steps(model, outputs)
    expected = naive.train_pairs(text, inputs, float(model.dtype(RATE)), steps, model.mode)

    loss = model.train_pairs(text, RATE)

    assert loss == pytest.approx(expected, rel=tolerance, abs=tolerance)
    for table, twin in zip([model.inputs, *model.outputs], [inputs, *outputs], strict=True):
        np.testing.assert_allclose(table, twin, rtol=tolerance, atol=tolerance)
    if len(model.counts) > 1:
        assert np.abs(inputs - before[0]).max() > 10 * tolerance


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", STEPS)
class TestSmall:
    """Also run without the compiler, by tests/test_disable_jit.py."""

    @pytest.mark.parametrize("size", SMALL, ids=str)
    def test_blocks(self, name, mode, size):
        compare_blocks(*build(name, mode, size, np.float64), 1e-11)

    @pytest.mark.parametrize("size", SMALL, ids=str)
    def test_pairs(self, name, mode, size):
        compare_pairs(*build(name, mode, size, np.float64), 1e-11)

    @pytest.mark.parametrize("size", SMALL[1:], ids=str)
    def test_blocks_with_subwords(self, name, mode, size):
        compare_blocks(*build(name, mode, size, np.float64, subwords=True), 1e-11)

    @pytest.mark.parametrize("size", SMALL[1:], ids=str)
    def test_pairs_with_subwords(self, name, mode, size):
        compare_pairs(*build(name, mode, size, np.float64, subwords=True), 1e-11)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", STEPS)
def test_blocks_with_subwords(name, mode, size):
    compare_blocks(*build(name, mode, size, np.float64, subwords=True), 1e-10)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_blocks_with_subwords_of_equal_weight(mode, size):
    model, text = build("ns", mode, size, np.float64, subwords=True)
    text.weights = [0.0] + [1.0] * size.window
    compare_blocks(model, text, 1e-10)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("names", [*STEPS, "hs+ns"])
def test_pairs_with_subwords(names, mode, size):
    compare_pairs(*build(names, mode, size, np.float64, subwords=True), 1e-10)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", STEPS)
def test_blocks(name, mode, size):
    # Sums of 100 products of numbers below 2 in another order: 1e-14, carried through some hundred updates.
    compare_blocks(*build(name, mode, size, np.float64), 1e-11)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_blocks_with_words_of_equal_weight(mode, size):
    """CBOW goes another way then: prefix sums."""
    model, text = build("ns", mode, size, np.float64)
    text.weights = [0.0] + [1.0] * size.window
    compare_blocks(model, text, 1e-11)


@pytest.mark.parametrize("size", SIZES[1:6], ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_words_that_take_part_of_their_updates_or_none(mode, size):
    for name, uniform in (("ns", False), ("hs", True), ("softmax", False)):
        model, text = build(name, mode, size, np.float64)
        text.shares = {0: 0.0, 1: 0.25}
        text.weights = [0.0] + [1.0] * size.window if uniform else text.weights
        frozen = model.inputs[0].copy()
        compare_blocks(model, text, 1e-11)
        np.testing.assert_array_equal(model.inputs[0], frozen)
    model, text = build("hs+ns", mode, size, np.float64)
    text.shares = {0: 0.0, 1: 0.25}
    compare_pairs(model, text, 1e-11)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", STEPS)
def test_blocks_in_float32(name, mode, size):
    # A stored number of size 2 is rounded by up to 1.2e-7 at each of some ten to a hundred updates.
    compare_blocks(*build(name, mode, size, np.float32), 1e-5)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("names", [*STEPS, "hs+ns"])
def test_pairs(names, mode, size):
    compare_pairs(*build(names, mode, size, np.float64), 1e-11)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("names", [*STEPS, "hs+ns"])
def test_pairs_in_float32(names, mode, size):
    # A score that rounding pushes over a step of word2vec's logistic table changes one update by up to 1/4 * 1/83 *
    # rate = 1.5e-4 times a vector; among these updates it happens about once a run. The softmax has no table.
    compare_pairs(*build(names, mode, size, np.float32), 1e-5 if names == "softmax" else 4e-4)


@pytest.mark.parametrize("mode", MODES)
def test_softmax_in_groups_of_rows(mode, monkeypatch):
    monkeypatch.setattr(full_softmax, "_SCORES_HELD", 5 * 500)
    model, text = build("softmax", mode, SIZES[3], np.float64)
    assert model.layers[0].block_arguments(64).errors.shape == (5, 500)

    compare_blocks(model, text, 1e-11)


def test_softmax_in_slices_of_the_vocabulary():
    model, text = build("softmax", "skipgram", Size(7, 2, 3, 2 * full_softmax._SLICE + 5, (6,)), np.float64)
    text.words[2] = 2 * full_softmax._SLICE + 4

    compare_blocks(model, text, 1e-11)
