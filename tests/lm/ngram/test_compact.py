"""Compact tables against the definitions of the smoothings and the ordinary tables of the same text."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import windrow
from tests.lm.ngram.models import random_stream, seeds
from tests.lm.ngram.test_estimation import SIZE, Sentences, counts_of, possible_order, sentences, vocabulary_of
from tests.lm.ngram.test_table import assert_equal_models
from tests.naive import smoothing as naive
from tests.naive.ngrams import stream_of
from windrow import NGramLM
from windrow.errors import FormatError, OptionError, WindrowError
from windrow.lm.ngram.compact_table import CompactTable
from windrow.lm.ngram.counting import count_ngrams
from windrow.lm.ngram.estimation import counts_model, estimate
from windrow.lm.ngram.settings import COMPACT
from windrow.lm.ngram.table import NGramTable
from windrow.lm.symbols import BOS

NEAR = {"rtol": 3e-6, "atol": 1e-9}  # of probabilities: each gamma is rounded to 2**-21 of it


def compact(counts, smoothing: str, **options) -> CompactTable:
    return CompactTable.of_counts(*counts_model(counts, smoothing, discount_fallback=True, **options))


def frequent_text(dice: np.random.Generator, words: int, length: int) -> Sentences:
    """Sentences in which some n-grams are frequent and some contexts have many successors."""
    lengths = dice.integers(1, 15, length)
    return [(3 + np.minimum(dice.zipf(1.3, size), words - 3) - 1).tolist() for size in lengths]


@pytest.mark.parametrize("name", COMPACT)
@settings(max_examples=25, deadline=None)
@given(sentences, st.integers(1, 5), st.booleans(), st.booleans(), seeds)
@example([[3, 3, 3, 3, 4]], 3, True, True, 0)
def test_scores_are_those_that_define_the_smoothing(name, texts, order, open_vocabulary, bos, seed):
    order = possible_order(texts, order, 1 + bos)
    text = naive.Text(texts, order, SIZE, bos=bos, open_vocabulary=open_vocabulary)
    method = naive.METHODS[name](text, fallback=True)
    table = compact(counts_of(texts, order, bos=bos), name, open_vocabulary=open_vocabulary)
    dice = np.random.default_rng(seed)
    asked = [[BOS] * bos + sentence for sentence in [*texts, dice.integers(3, SIZE, 9).tolist()]]

    for stream in asked:
        scores = table.score(np.array(stream, np.int32))
        expected = [
            1.0 if word == BOS else method.prob(word, tuple(stream[max(0, i - order + 1) : i]))
            for i, word in enumerate(stream)
        ]
        np.testing.assert_allclose(10.0 ** scores.astype(float), expected, **NEAR)


@pytest.mark.parametrize("name", COMPACT)
@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_long_lists_and_frequent_ngrams(name, order):
    dice = np.random.default_rng(order)
    texts = frequent_text(dice, 300, 1500)
    stream = np.array(stream_of(texts), np.int32)
    vocabulary = vocabulary_of(texts, 300)
    exact = estimate(
        count_ngrams(stream, vocabulary, order), name, discount_fallback=True, dtype=np.float64, keep_counts=True
    )
    ordinary = NGramTable.pack(exact)

    table = compact(count_ngrams(stream, vocabulary, order), name)

    asked = stream.copy()
    changed = (dice.random(asked.size) < 0.2) & (asked > 2)
    asked[changed] = dice.integers(3, 300, np.count_nonzero(changed))
    scores, orders = table.score_with_orders(asked)
    expected, expected_orders = ordinary.score_with_orders(asked)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(orders, expected_orders)
    np.testing.assert_array_equal(table.score(asked), scores)
    assert_equal_models(table.unpack(), exact, 2e-6)
    if order > 1:
        assert table._counts.rare.size > 2 * (order - 1)  # some counts have no code
        assert np.diff(table.unpack().levels[1].starts).max() > 8  # and some lists are hash tables
        assert table.bytes_per_ngram < 0.7 * ordinary.bytes_per_ngram


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[NGramLM, NGramLM, list[str], Path]:
    """The compact model of a text, from its file, and the ordinary one."""
    dice = np.random.default_rng(8)
    lines = [" ".join(f"w{word}" for word in words) for words in frequent_text(dice, 40, 300)]
    path = tmp_path_factory.mktemp("compact") / "compact.safetensors"
    NGramLM(4, discount_fallback=True, compact=True).fit(lines).save(path)
    return windrow.load(path), NGramLM(4, discount_fallback=True).fit(lines), lines, path


def test_a_compact_model_answers_as_the_ordinary_one(pair, tmp_path):
    model, ordinary, lines, _ = pair
    asked = [*lines[:20], "", "w1 nothing w2 w3", "w3 " * 20]
    near = {"rtol": 0, "atol": 1e-4}

    assert isinstance(model.table_, CompactTable)
    assert model.compact
    np.testing.assert_allclose(model.log_probs(asked), ordinary.log_probs(asked), **near)
    state, other = model.start(), ordinary.start()
    for word in ("w5", "w6", "nothing", "w5"):
        np.testing.assert_allclose(model.distribution(state), ordinary.distribution(other), rtol=1e-4)
        (score, state), (wanted, other) = model.score_next(state, word), ordinary.score_next(other, word)
        assert score == pytest.approx(wanted, abs=1e-5)
    assert model.sizes() == ordinary.sizes()
    for ngram, wanted in zip(model.ngrams(prefix="w3"), ordinary.ngrams(prefix="w3"), strict=True):
        assert ngram.words == wanted.words
        np.testing.assert_allclose(ngram[1:], wanted[1:], **near)
    assert model.pruned(order=2).table_.sizes == ordinary.table_.sizes[:2]
    assert not model.pruned(1e-4).compact
    model.save(tmp_path / "a.arpa")
    np.testing.assert_allclose(windrow.load(tmp_path / "a.arpa").log_probs(asked), ordinary.log_probs(asked), **near)


def test_a_file_gives_the_same_scores(pair):
    model, _, lines, path = pair
    fitted = NGramLM(4, discount_fallback=True, compact=True).fit(lines)

    for name, array in model.table_.arrays().items():
        np.testing.assert_array_equal(array, fitted.table_.arrays()[name])
    np.testing.assert_array_equal(model.log_probs(lines), fitted.log_probs(lines))
    assert model.table_.config() == fitted.table_.config()
    assert path.stat().st_size > sum(array.nbytes for array in model.table_.arrays().values())


@pytest.mark.parametrize(
    "options",
    [
        {"bos": False, "eos": False},
        {"open_vocabulary": False},
        {"min_count": 3},
        {"lmplz_compat": True},
        {"unk_mass": 0.1},
        {"memory": 1 << 20},
        {"discounts": [[0.3, 0.4, 3.0]] * 3},
        {"keep_counts": True},
    ],
    ids=lambda options: next(iter(options)),
)
def test_with_other_parameters(options, pair):
    lines = pair[2][:100]
    options = {"discount_fallback": "discounts" not in options, **options}

    model, ordinary = (NGramLM(3, compact=compact, **options).fit(lines) for compact in (True, False))

    np.testing.assert_allclose(model.log_probs(lines), ordinary.log_probs(lines), rtol=0, atol=1e-4)
    if "keep_counts" in options:
        for one in (model, ordinary):
            one.add(["w1 w2 w3", "something new"])
        assert isinstance(model.table_, CompactTable)
        np.testing.assert_allclose(model.log_probs(lines), ordinary.log_probs(lines), rtol=0, atol=1e-4)
        assert model.pruned(prune=(0, 1)).table_.sizes == ordinary.pruned(prune=(0, 1)).table_.sizes


@pytest.mark.parametrize(
    ("options", "fitting", "message"),
    [
        ({"smoothing": "katz"}, {}, "compact = True is for smoothing"),
        ({"interpolate": False}, {}, "compact = True is for interpolate True, not False"),
        ({"quantize_bits": 8}, {}, "compact = True has no effect with quantize_bits"),
        ({"entropy_prune": 1e-6}, {}, "compact = True has no effect with entropy_prune"),
        ({"prune": (0, 1)}, {}, r"compact = True has no effect with prune = \(0, 1\); leave one of them out"),
        ({}, {"vocab": ["a"]}, "compact = True needs all n-grams of the text, and vocab takes some away"),
    ],
)
def test_what_counts_do_not_tell_is_refused(options, fitting, message):
    with pytest.raises(OptionError, match=message):
        NGramLM(2, compact=True, **options).fit(["a b c", "a c"], **fitting)


# --- damage


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda config, _: config.pop("sizes"), "x: the n-gram table is not fully described"),
        (lambda config, _: config.update(form="other"), "not fully described"),
        (lambda config, _: config.update(orders=[["a"]]), "not fully described"),
        (lambda _, arrays: arrays.pop("rare"), "not fully described"),
        (lambda config, _: config["discounts"].pop(), "not fully described"),
        (lambda config, _: config["sizes"].pop(), "do not agree with its words"),
        (lambda config, _: config["sizes"].__setitem__(0, 10), "do not agree"),
        (lambda config, _: config["sizes"].__setitem__(1, 10**6), "do not agree"),
        (lambda config, _: config["orders"][0].__setitem__(1, 70), "do not agree"),
        (lambda config, _: config["orders"][0].__setitem__(3, 9), "do not agree"),
        (lambda config, _: config["orders"][1].__setitem__(5, 0), "do not agree"),
        (lambda config, _: config["discounts"].__setitem__(0, [0, 1.5]), "do not agree"),
        (lambda config, _: config["discounts"].__setitem__(0, [0, float("nan")]), "do not agree"),
        (lambda config, _: config["per_type"].__setitem__(0, -1), "do not agree"),
        (lambda config, _: config["orders"][0].__setitem__(0, 10**6), "x: counted_records is uint8"),
        (lambda _, arrays: arrays.update(bases=arrays["bases"][1:]), "x: bases is uint32"),
        (lambda _, arrays: arrays.update(probs=arrays["probs"] * np.float32(np.nan)), "out of range"),
        (lambda _, arrays: arrays.update(probs=arrays["probs"] + np.float32(1)), "out of range"),
    ],
)
def test_descriptions_that_do_not_fit_are_refused(change, message):
    table = compact(counts_of([[3, 4, 5], [3, 4, 4, 6]], 3), "witten-bell")
    config, arrays = json.loads(json.dumps(table.config())), table.arrays()

    change(config, arrays)

    with pytest.raises(FormatError, match=message):
        CompactTable.from_arrays(arrays, config, table.vocabulary, "x")


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(2, 5), st.booleans())
def test_random_bytes_are_scored_without_harm(seed, order, all_of_it):
    """Whatever they hold, searches stay in the arrays and end."""
    dice = np.random.default_rng(seed)
    texts = frequent_text(dice, 50, 40)
    stream = np.array(stream_of(texts), np.int32)
    table = compact(count_ngrams(stream, vocabulary_of(texts, 50), order), "witten-bell")
    arrays = {name: array.copy() for name, array in table.arrays().items()}
    damaged = arrays["counted_records"] if all_of_it else arrays["counted_records"][:: int(dice.integers(1, 50))]
    damaged[:] = dice.integers(0, 256, damaged.size)
    arrays["nexts"][:] = dice.integers(0, 2 ** int(dice.integers(1, 33)), 50)
    if all_of_it:
        arrays["bases"][:] = dice.integers(0, 2 ** int(dice.integers(1, 33)), arrays["bases"].size)
        arrays["rare"][:] = dice.integers(0, 2**32, arrays["rare"].shape)
    hostile = CompactTable.from_arrays(arrays, table.config(), table.vocabulary, "x")
    asked = random_stream(dice, 50, 500)

    scores, orders = hostile.score_with_orders(asked)

    assert scores.shape == orders.shape == asked.shape
    assert not np.isnan(scores).any()
    assert 0 <= orders.min() <= orders.max() <= order
    try:
        hostile.distribution(hostile.start(asked[:50]))
    except WindrowError as error:
        assert "x is damaged" in str(error)
