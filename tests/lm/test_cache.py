from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lm.contract import random_stream, toy_vocabulary, walked
from tests.naive.cache import cache_prob
from windrow.corpus import Vocabulary
from windrow.errors import FormatError, OptionError
from windrow.files import model_file
from windrow.lm.cache import CacheLM
from windrow.lm.symbols import BOS, EOS, UNK


def naive_scores(ids: list[int], across: bool, size: int, *, documents: bool = False, **options: Any) -> list[float]:
    """The cache of Kuhn & De Mori, with n-grams and weights; ``documents``: an empty sentence ends one."""
    scores, memory, before = [], [], EOS
    for word_id in ids:
        if word_id == BOS:
            scores.append(0.0)
            memory = memory if across else []
            before = BOS
            continue
        scores.append(float(np.log10(cache_prob(memory, word_id, **options))))
        is_border = documents and before == BOS and word_id == EOS
        memory = [EOS] if is_border else [*memory, word_id][-size:]
        before = word_id
    return scores


@given(
    seed=st.integers(0, 999),
    size=st.integers(1, 9),
    across=st.booleans(),
    pseudo_count=st.sampled_from([0.1, 1.0, 3]),
    order=st.integers(1, 4),
    decay=st.sampled_from([0.0, 0.01, 2.0]),
)
@settings(max_examples=100, deadline=None)
def test_scores_are_those_of_the_definition(
    seed: int, size: int, across: bool, pseudo_count: float, order: int, decay: float
) -> None:
    ids = random_stream(seed, 5)
    options: dict[str, Any] = {"pseudo_count": pseudo_count, "order": min(order, size), "decay": decay}
    cache = CacheLM(toy_vocabulary(), size, across_sentences=across, **options)

    expected = naive_scores(ids.tolist(), across, size, symbols=6, **options)

    np.testing.assert_allclose(cache.score_stream(ids), expected, atol=1e-9)
    np.testing.assert_allclose(walked(cache, ids), expected, atol=1e-9)


@given(seed=st.integers(0, 999), size=st.integers(1, 9), order=st.integers(1, 3), decay=st.sampled_from([0.0, 0.1]))
@settings(max_examples=60, deadline=None)
def test_an_empty_sentence_ends_a_document(seed: int, size: int, order: int, decay: float) -> None:
    ids = random_stream(seed, 12)
    options: dict[str, Any] = {"pseudo_count": 1.0, "order": min(order, size), "decay": decay}
    cache = CacheLM(toy_vocabulary(), size, across_documents=False, **options)

    expected = naive_scores(ids.tolist(), True, size, documents=True, symbols=6, **options)

    np.testing.assert_allclose(cache.score_stream(ids), expected, atol=1e-9)
    np.testing.assert_allclose(walked(cache, ids), expected, atol=1e-9)
    with mock.patch("windrow.lm.cache._SYMBOLS_AT_ONCE", 2):
        np.testing.assert_allclose(cache.score_stream(ids), expected, atol=1e-9)


@pytest.mark.parametrize("other", ["across_sentences", "predicts_end"])
def test_documents_without_a_border_are_refused(other: str) -> None:
    with pytest.raises(OptionError, match=f"across_documents = False is for {other} True, not False; leave it out"):
        CacheLM(toy_vocabulary(), across_documents=False, **{other: False})


def test_long_texts_are_scored_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = random_stream(1, 40)
    cache = CacheLM(toy_vocabulary(), 20, order=3, decay=0.02)
    whole = cache.score_stream(ids)
    monkeypatch.setattr("windrow.lm.cache._SYMBOLS_AT_ONCE", 7)

    np.testing.assert_allclose(cache.score_stream(ids), whole, atol=1e-9)


def test_what_followed_the_last_words_before_is_foreseen() -> None:
    text = "a b c d b a " * 30
    models = [CacheLM(toy_vocabulary(), 60, order=order) for order in (1, 2, 3)]

    found = [model.perplexity([text]) for model in models]

    assert found[1] < 0.7 * found[0]
    assert found[2] < found[1]


def test_what_is_long_ago_weighs_little() -> None:
    cache = CacheLM(toy_vocabulary(), 500, decay=0.1)
    probs = cache.next_word_distribution(["a"] * 100 + ["b"] * 20)
    weights = np.exp(-0.1 * np.arange(120, 0, -1))

    assert probs[3] == pytest.approx((weights[:100].sum() + 1 / 6) / (weights.sum() + 1))
    assert probs[4] > 5 * probs[3]


def test_counts_of_what_is_forgotten_do_not_fall_below_nothing() -> None:
    ids = np.array([BOS, *np.random.default_rng(0).integers(3, 7, 20_000)], np.int32)
    scores = CacheLM(toy_vocabulary(), 3, order=3, decay=0.3, pseudo_count=1e-3).score_stream(ids)

    assert np.isfinite(scores).all()
    assert scores.max() <= 1e-9


def test_by_hand() -> None:
    cache = CacheLM(toy_vocabulary(), 2)  # six symbols can be predicted
    a, b = 3, 4

    scores = cache.score_stream(np.array([BOS, a, a, b, EOS, BOS, EOS], np.int32))

    expected = [(0 + 1 / 6) / 1, (1 + 1 / 6) / 2, (0 + 1 / 6) / 3, (0 + 1 / 6) / 3, (1 + 1 / 6) / 3]
    np.testing.assert_allclose(10 ** scores[[1, 2, 3, 4, 6]], expected)
    assert scores[[0, 5]].tolist() == [0, 0]


def test_nothing_remembered_is_uniform() -> None:
    np.testing.assert_allclose(CacheLM(toy_vocabulary()).next_word_distribution(), [1 / 6, 0, *[1 / 6] * 5])


def test_what_is_remembered_goes_on_from_block_to_block() -> None:
    ids = random_stream(0, 40)
    blocks = np.split(ids, np.flatnonzero(ids == BOS)[1:])  # each shorter than the memory
    cache = CacheLM(toy_vocabulary(), 25)

    np.testing.assert_allclose(np.concatenate(list(cache.score_blocks(blocks))), cache.score_stream(ids))
    assert not np.allclose(np.concatenate(list(map(cache.score_stream, blocks))), cache.score_stream(ids))


def test_a_burst_of_a_word_is_foreseen() -> None:
    bursts = [" ".join([word] * 20) for word in "abcd"]
    shuffled = ["a b c d " * 5] * 4

    assert CacheLM(toy_vocabulary(), 10).perplexity(bursts) < 0.6 * CacheLM(toy_vocabulary(), 10).perplexity(shuffled)


def test_without_ends_no_probability_is_kept_for_them() -> None:
    cache = CacheLM(toy_vocabulary(), predicts_end=False)
    probabilities = cache.next_word_distribution("a")

    assert probabilities[EOS] == 0
    assert probabilities.sum() == pytest.approx(1)
    assert cache.word_scores("a")[0].log10_prob == pytest.approx(np.log10(1 / 5))


def test_numbers_and_truth_values_of_numpy_can_be_saved(tmp_path: Path) -> None:
    yes, no = np.bool_([True, False])
    cache = CacheLM(toy_vocabulary(), np.int64(9), across_sentences=no, pseudo_count=np.float32(2), predicts_end=yes)
    cache.save(tmp_path / "cache.safetensors")

    loaded = CacheLM.load(tmp_path / "cache.safetensors")
    assert (loaded.size, loaded.carries_over, loaded.pseudo_count, loaded.predicts_end) == (9, False, 2, True)


def test_unknown_words_are_remembered_as_one() -> None:
    assert CacheLM(toy_vocabulary()).next_word_distribution("x y")[UNK] == pytest.approx((2 + 1 / 6) / 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "size = 0 is out of range"),
        ({"size": 2.5}, "size = 2.5 must be a whole number"),
        ({"pseudo_count": 0}, "pseudo_count = 0 is out of range"),
        ({"size": 2, "order": 3}, "order = 3 is out of range"),
        ({"decay": -0.1}, "decay = -0.1 is out of range"),
    ],
)
def test_options_out_of_range(options: dict[str, float], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        CacheLM(toy_vocabulary(), **options)


def test_a_vocabulary_without_marks_is_refused() -> None:
    with pytest.raises(OptionError, match="begins with <unk>, <s>, </s>"):
        CacheLM(Vocabulary(["a", "b"], np.ones(2, np.int64)))


@pytest.mark.parametrize("damage", [{"size": 0}, {"size": "many"}, {"pseudo_count": None}, {"order": 999}])
def test_a_damaged_description_is_refused(damage: dict[str, object]) -> None:
    stored = CacheLM(toy_vocabulary()).to_stored()
    broken = model_file.StoredModel(stored.kind, {**stored.config, **damage}, {}, stored.arrays)

    with pytest.raises(FormatError, match="m: the parameters of the cache model are damaged"):
        CacheLM.from_stored(broken, "m")
