from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.lm.ngram.models import as_levels, random_model, random_stream, seeds
from tests.naive.backoff import Backoff
from windrow.errors import FormatError, OptionError
from windrow.files import model_file
from windrow.lm.ngram.levels import BackoffModel
from windrow.lm.ngram.table import NGramTable
from windrow.lm.symbols import BOS

CLOSE = {"rtol": 0, "atol": 2e-5}  # sums of a few numbers, each rounded to 1e-6


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(1, 6), st.sampled_from([3, 4, 9, 200]), st.booleans(), st.sampled_from([0.0, -0.4]))
@example(0, 5, 3, True, 0.0)
@example(1, 5, 9, False, -0.4)
def test_scores_are_those_of_the_naive_query(seed, order, words, closed, unseen_backoff):
    dice = np.random.default_rng(seed)
    model, naive = random_model(dice, order, words, closed=closed, unseen_backoff=unseen_backoff)
    table = NGramTable.pack(model)
    stream = random_stream(dice, words, int(dice.integers(0, 400)))
    expected, expected_orders = naive.score(stream.tolist())

    scores, orders = table.score_with_orders(stream)

    np.testing.assert_allclose(scores, expected, **CLOSE)
    np.testing.assert_array_equal(orders, expected_orders)
    np.testing.assert_array_equal(table.score(stream), scores)
    assert table.suffix_closed or not closed
    state = table.start()
    for word, score in zip(stream.tolist(), expected, strict=True):
        state, advanced = table.advance(state, word)
        assert advanced == pytest.approx(score, abs=2e-5)


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(1, 5), st.booleans(), st.sampled_from([0.0, -0.4]))
def test_distributions_are_those_of_the_naive_query(seed, order, closed, unseen_backoff):
    dice = np.random.default_rng(seed)
    model, naive = random_model(dice, order, 9, closed=closed, unseen_backoff=unseen_backoff)
    table = NGramTable.pack(model)
    sentence = [BOS, *(word for word in random_stream(dice, 9, 6).tolist() if word != BOS)]
    state = table.start(sentence)

    np.testing.assert_allclose(table.distribution(state), naive.distribution(sentence, 9), rtol=1e-4)

    for length in range(min(order, len(sentence) + 1)):
        context = tuple(sentence[len(sentence) - length :])
        following = {ngram[-1]: p for ngram, p in naive.probs.items() if ngram[:-1] == context}
        words, log10_probs = table.successors(state, length)
        assert words.tolist() == sorted(following)
        np.testing.assert_allclose(log10_probs, [following[word] for word in words.tolist()], **CLOSE)


def test_a_normalized_model_sums_to_one():
    """Bigrams and trigrams take nine tenths of the mass of their contexts; back-offs leave the rest to the others."""
    dice = np.random.default_rng(1)
    words = 30
    _, naive = random_model(dice, 3, words)
    unigrams = dice.dirichlet(np.ones(words - 1))
    predicted = [word for word in range(words) if word != BOS]
    naive.probs |= {(word,): float(np.log10(p)) for word, p in zip(predicted, unigrams, strict=True)}
    for k in (2, 3):
        for context in {ngram[:-1] for ngram in naive.probs if len(ngram) == k}:
            following = [ngram for ngram in naive.probs if len(ngram) == k and ngram[:-1] == context]
            shares = dice.dirichlet(np.ones(len(following))) * 0.9
            lower = sum(10 ** naive.log10_prob(ngram[1:-1], ngram[-1])[0] for ngram in following)
            naive.backoffs[context] = float(np.log10(0.1 / (1 - lower)))
            naive.probs |= {ngram: float(np.log10(p)) for ngram, p in zip(following, shares, strict=True)}
    without = [ngram for ngram in naive.backoffs if all(longer[:-1] != ngram for longer in naive.probs)]
    naive.backoffs |= dict.fromkeys(without, 0.0)
    table = NGramTable.pack(as_levels(naive, words))
    contexts = [ngram for ngram in naive.backoffs if BOS not in ngram[1:]]
    assert len(contexts) > 30

    for context in contexts:
        assert table.distribution(table.start(context)).sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("words", [3, 5000])
def test_contexts_with_thousands_of_successors(words):
    dice = np.random.default_rng(2)
    probs = {(word,): -float(dice.random()) for word in range(words)}
    probs |= {(0, word): -float(dice.random()) for word in range(words) if word != BOS}
    probs |= {(BOS, 0): -0.5, (BOS, 0, 2): -0.25} | {(0, 2, word): -1.0 for word in range(0, words, 2)}
    naive = Backoff(3, probs, {ngram: -0.125 for ngram in probs if len(ngram) < 3})
    table = NGramTable.pack(as_levels(naive, words))
    stream = np.array([0, 2] * words, np.int32)
    stream[::3] = dice.integers(0, words, stream[::3].size)

    scores, orders = table.score_with_orders(stream)

    expected, expected_orders = naive.score(stream.tolist())
    np.testing.assert_allclose(scores, expected, **CLOSE)
    np.testing.assert_array_equal(orders, expected_orders)


def assert_equal_models(unpacked: BackoffModel, model: BackoffModel, tolerance: float) -> None:
    assert unpacked.vocabulary is model.vocabulary
    assert unpacked.unseen_backoff == model.unseen_backoff
    assert unpacked.order == model.order
    for level, expected in zip(unpacked.levels, model.levels, strict=True):
        np.testing.assert_array_equal(level.starts, expected.starts)
        np.testing.assert_array_equal(level.words, expected.words)
        np.testing.assert_allclose(level.log10_probs, expected.log10_probs, rtol=0, atol=tolerance)
        assert (level.log10_backoffs is None) == (expected.log10_backoffs is None)
        if expected.log10_backoffs is not None:
            np.testing.assert_allclose(level.log10_backoffs, expected.log10_backoffs, rtol=0, atol=tolerance)


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(1, 6), st.sampled_from([3, 9, 5000]), st.booleans(), st.sampled_from([0.0, -0.4]))
def test_unpacking_gives_the_model_back(seed, order, words, closed, unseen_backoff):
    dice = np.random.default_rng(seed)
    model, _ = random_model(dice, order, words, closed=closed, unseen_backoff=unseen_backoff)
    if order > 1:  # numbers that probabilities of zero have
        model.levels[-1].log10_probs[::3] = -np.inf
        model.levels[0].log10_backoffs[::2] = -np.inf
    sizes = model.sizes

    table = NGramTable.pack(model)

    assert table.sizes == sizes
    assert_equal_models(table.unpack(), model, 2e-6)


def test_packing_may_use_up_the_model():
    model, _ = random_model(np.random.default_rng(3), 4, 9)
    table, levels = NGramTable.pack(model), len(model.levels)
    assert levels == 4
    kept = table.unpack()

    used_up = NGramTable.pack(model, consume=True)

    assert model.levels == []
    for name, array in used_up.arrays().items():
        np.testing.assert_array_equal(array, table.arrays()[name])
    assert_equal_models(used_up.unpack(), kept, 0)


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(2, 8))
def test_quantized_numbers_are_near_and_as_few_as_asked_for(seed, bits):
    dice = np.random.default_rng(seed)
    model, _ = random_model(dice, 4, 200)
    exact, coarse = NGramTable.pack(model), NGramTable.pack(model, quantize_bits=bits)

    for level, expected in zip(coarse.unpack().levels[1:], model.levels[1:], strict=True):
        np.testing.assert_array_equal(level.words, expected.words)
        for rounded, numbers in zip(level[2:], expected[2:], strict=True):
            if numbers is not None and numbers.size:
                values = np.unique(rounded)
                assert min(values.size, 2**bits) >= np.unique(numbers).size / 2 or values.size > 2 ** (bits - 1)
                assert values.size <= 2**bits
                nearest = np.abs(values[:, None] - numbers).min(axis=0)
                assert (np.abs(rounded - numbers) <= nearest + 1e-4 * np.ptp(numbers)).all()
    assert coarse.trie.records.nbytes < exact.trie.records.nbytes


def test_few_numbers_are_kept_exactly_by_quantizing():
    model, naive = random_model(np.random.default_rng(4), 3, 9)
    naive.probs = {ngram: -0.25 * (1 + sum(ngram) % 7) for ngram in naive.probs}
    naive.backoffs = {ngram: -0.5 * (sum(ngram) % 3) for ngram in naive.backoffs}
    model = as_levels(naive, 9)

    assert_equal_models(NGramTable.pack(model, quantize_bits=8).unpack(), model, 1e-6)


def saved(table: NGramTable, path: Path) -> NGramTable:
    model_file.save(path, "test", table.arrays(), table.config())
    stored = model_file.load(path, "test")
    return NGramTable.from_arrays(stored.arrays, stored.config, table.vocabulary, path)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_a_file_gives_the_same_scores(order, tmp_path):
    dice = np.random.default_rng(order)
    model, _ = random_model(dice, order, 9, unseen_backoff=-0.4)
    table = NGramTable.pack(model)
    stream = random_stream(dice, 9, 300)

    opened = saved(table, tmp_path / "model")

    assert (opened.sizes, opened.unseen_backoff, opened.suffix_closed) == (table.sizes, -0.4, True)
    assert opened.bytes_per_ngram == table.bytes_per_ngram
    for scores, expected in zip(opened.score_with_orders(stream), table.score_with_orders(stream), strict=True):
        np.testing.assert_array_equal(scores, expected)
    assert_equal_models(opened.unpack(), table.unpack(), 0)


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(2, 5), st.booleans())
def test_random_bytes_are_scored_without_harm(seed, order, all_of_it):
    """Whatever they hold, probes stay in the arrays and end."""
    dice = np.random.default_rng(seed)
    table = NGramTable.pack(random_model(dice, order, 50)[0])
    arrays = {name: array.copy() for name, array in table.arrays().items()}
    damaged = arrays["records"] if all_of_it else arrays["records"][:: int(dice.integers(1, 50))]
    damaged[:] = dice.integers(0, 256, damaged.size)
    arrays["unigrams"][:, 2:] = dice.integers(0, 2 ** int(dice.integers(1, 33)), (50, 2))
    arrays["unigrams"][:, 3] %= np.uint32(arrays["slot_counts"].max())
    if all_of_it:
        arrays["slot_counts"][:-1] = dice.integers(0, arrays["slot_counts"].max(), arrays["slot_counts"].size - 1)
    hostile = NGramTable.from_arrays(arrays, table.config(), table.vocabulary, "x")
    stream = random_stream(dice, 50, 500)

    scores, orders = hostile.score_with_orders(stream)

    assert scores.shape == orders.shape == stream.shape
    assert 0 <= orders.min() <= orders.max() <= order
    state = hostile.start(stream[:50])
    assert hostile.distribution(state).shape == (50,)
    with_error = False
    try:
        hostile.unpack()
    except FormatError:
        with_error = True
    assert with_error or hostile.sizes == table.sizes
    for k in range(1, order + 1):
        try:
            assert sum(len(rows.ids) for rows in hostile.ngrams(k)) == hostile.sizes[k - 1]
        except FormatError as error:
            assert with_error, error


def with_number(unigrams: np.ndarray, column: int, number: float) -> np.ndarray:
    changed = unigrams.copy()
    changed.view(np.float32)[4, column] = number
    return changed


def test_a_weight_that_no_number_can_be_raised_to_is_no_crash():
    model, _ = random_model(np.random.default_rng(5), 3, 9)
    model.levels[0].log10_backoffs[:] = 1e30  # as an ARPA file may have it
    table = NGramTable.pack(model)

    assert (table.distribution(table.start([1, 4])) >= 0).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda config, _: config.pop("sizes"), "x: the n-gram table is not fully described"),
        (lambda config, _: config.update(sizes="many"), "not fully described"),
        (lambda config, _: config.update(layouts=[[1, 2]]), "not fully described"),
        (lambda config, _: config.update(unseen_backoff="none"), "not fully described"),
        (lambda config, _: config.update(unseen_backoff=np.nan), "unseen_backoff = nan"),
        (lambda config, _: config.update(unseen_backoff=0.1), "unseen_backoff = 0.1"),
        (lambda _, arrays: arrays.pop("books"), "not fully described"),
        (lambda config, _: config["sizes"].pop(), "do not agree with its 9 words"),
        (lambda config, _: config["sizes"].__setitem__(0, 10), "do not agree with its 9 words"),
        (lambda config, _: config["layouts"][0].__setitem__(1, 60), "do not agree"),
        (lambda config, _: config["layouts"][0].__setitem__(0, 3), "do not agree"),
        (lambda config, _: config["layouts"][-1].__setitem__(2, 3), "do not agree"),
        (lambda config, _: config.update(inner_slots=-1), "do not agree"),
        (lambda config, _: config.update(inner_slots=10**6), "x: records is uint8"),
        (lambda _, arrays: arrays.update(records=arrays["records"][1:]), "records is uint8"),
        (lambda _, arrays: arrays.update(steps=arrays["steps"].astype(np.float64)), "steps is float64"),
        (lambda _, arrays: arrays.update(slot_counts=-arrays["slot_counts"]), "out of range"),
        (lambda _, arrays: arrays.update(slot_counts=arrays["slot_counts"] << 50), "out of range"),
        (lambda _, arrays: arrays.update(unigrams=arrays["unigrams"] | np.uint32(2**30)), "out of range"),
        (lambda _, arrays: arrays.update(books=arrays["books"] * np.float32(np.nan)), "out of range"),
        (lambda _, arrays: arrays.update(books=arrays["books"] + np.float32(np.inf)), "out of range"),
        (lambda _, arrays: arrays.update(unigrams=with_number(arrays["unigrams"], 0, np.nan)), "out of range"),
        (lambda _, arrays: arrays.update(unigrams=with_number(arrays["unigrams"], 1, np.inf)), "out of range"),
        (lambda _, arrays: arrays.update(steps=arrays["steps"] + np.float32(np.inf)), "out of range"),
    ],
)
def test_descriptions_that_do_not_fit_are_refused(change, message):
    table = NGramTable.pack(random_model(np.random.default_rng(5), 3, 9)[0])
    config, arrays = json.loads(json.dumps(table.config())), table.arrays()

    change(config, arrays)

    with pytest.raises(FormatError, match=message):
        NGramTable.from_arrays(arrays, config, table.vocabulary, "x")


def test_options_out_of_range():
    model, _ = random_model(np.random.default_rng(6), 3, 9)
    table = NGramTable.pack(model)
    for ids in ([-1], [3, 9]):
        with pytest.raises(OptionError, match="ids must be from 0 to 8"):
            table.score(np.array(ids, np.int32))
        with pytest.raises(OptionError, match="ids must be from 0 to 8"):
            table.start(ids)
    with pytest.raises(OptionError, match="quantize_bits = 9"):
        NGramTable.pack(model, quantize_bits=9)
    with pytest.raises(OptionError, match="length = 3"):
        table.successors(table.start(), 3)
