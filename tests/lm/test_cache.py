from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lm.contract import random_stream, toy_vocabulary
from windrow.corpus import Vocabulary
from windrow.errors import FormatError, OptionError
from windrow.files import model_file
from windrow.lm.cache import CacheLM
from windrow.lm.symbols import BOS, EOS, UNK


def naive_scores(ids: list[int], size: int, across: bool, pseudo_count: float, symbols: int) -> list[float]:
    """Kuhn & De Mori's cache by its definition."""
    scores, memory = [], []
    for word_id in ids:
        if word_id == BOS:
            scores.append(0.0)
            memory = memory if across else []
            continue
        p = (memory.count(word_id) + pseudo_count / symbols) / (len(memory) + pseudo_count)
        scores.append(float(np.log10(p)))
        memory = [*memory, word_id][-size:]
    return scores


@given(
    seed=st.integers(0, 999), size=st.integers(1, 9), across=st.booleans(), pseudo_count=st.sampled_from([0.1, 1.0, 3])
)
@settings(max_examples=60, deadline=None)
def test_scores_are_those_of_the_definition(seed: int, size: int, across: bool, pseudo_count: float) -> None:
    ids = random_stream(seed, 5)
    cache = CacheLM(toy_vocabulary(), size, across_sentences=across, pseudo_count=pseudo_count)

    expected = naive_scores(ids.tolist(), size, across, pseudo_count, symbols=6)

    np.testing.assert_allclose(cache.score_stream(ids), expected, atol=1e-12)


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
    ],
)
def test_options_out_of_range(options: dict[str, float], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        CacheLM(toy_vocabulary(), **options)


def test_a_vocabulary_without_marks_is_refused() -> None:
    with pytest.raises(OptionError, match="begins with <unk>, <s>, </s>"):
        CacheLM(Vocabulary(["a", "b"], np.ones(2, np.int64)))


@pytest.mark.parametrize("damage", [{"size": 0}, {"size": "many"}, {"pseudo_count": None}])
def test_a_damaged_description_is_refused(damage: dict[str, object]) -> None:
    stored = CacheLM(toy_vocabulary()).to_stored()
    broken = model_file.StoredModel(stored.kind, {**stored.config, **damage}, {}, stored.arrays)

    with pytest.raises(FormatError, match="m: the parameters of the cache model are damaged"):
        CacheLM.from_stored(broken, "m")
