"""The n-grams of a model, listed in blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lm.ngram.models import random_model, seeds
from windrow import NGramLM
from windrow.errors import DataError, FormatError, MissingWordError, OptionError
from windrow.lm.ngram import listing
from windrow.lm.ngram.table import NGramTable

TEXT = ["the cat sat", "the dog sat down", "a cat ran", "the cat ran off", "", "a mouse"] * 3
Parsed = dict[tuple[str, ...], tuple[float, float]]


def parsed(path: Path) -> list[Parsed]:
    """The n-grams of an ARPA file by their order, with log10 p and back-off."""
    orders: list[Parsed] = []
    for line in path.read_text("utf-8").splitlines():
        fields = line.split("\t")
        if line.endswith("-grams:"):
            orders.append({})
        elif len(fields) > 1:
            orders[-1][tuple(fields[1].split())] = float(fields[0]), float(fields[2]) if len(fields) > 2 else 0.0
    return orders


@pytest.fixture(scope="module", params=["modified-kneser-ney", "entropy-pruned", "without marks", "8 bits"])
def model(request: pytest.FixtureRequest) -> NGramLM:
    options = {
        "modified-kneser-ney": {},
        "entropy-pruned": {"entropy_prune": 0.02},
        "without marks": {"bos": False, "eos": False},
        "8 bits": {"quantize_bits": 8},
    }[request.param]
    return NGramLM(3, discount_fallback=True, **options).fit(TEXT)


def test_ngrams_are_those_of_the_arpa_file(model: NGramLM, tmp_path: Path) -> None:
    model.save(tmp_path / "m.arpa")
    expected = parsed(tmp_path / "m.arpa")
    assert sum(map(len, expected)) == sum(model.table_.sizes)

    grams = list(model.ngrams())

    assert [gram.words for gram in grams] == [words for order in expected for words in order]  # the same order, too
    for words, log10_prob, log10_backoff in grams:
        prob, backoff = expected[len(words) - 1][words]
        if log10_prob == -np.inf:  # which the file has as 0 of <s>, and as -99 elsewhere
            assert prob == (0 if words == ("<s>",) else -99)
        else:
            assert log10_prob == pytest.approx(prob, abs=1e-6)
        assert log10_backoff == pytest.approx(backoff, abs=1e-6)
    for order, found in enumerate(expected, 1):
        assert [gram.words for gram in model.ngrams(order)] == list(found)


def test_a_prefix_chooses_those_that_begin_with_it(model: NGramLM) -> None:
    everything = list(model.ngrams())
    prefixes = {gram.words[:length] for gram in everything for length in (1, 2, 3)} | {("sat", "sat"), ("</s>", "the")}
    for prefix in prefixes:
        for order in (None, *range(len(prefix), 4)):
            expected = [
                gram for gram in everything if gram.words[: len(prefix)] == prefix and order in (None, len(gram.words))
            ]
            assert list(model.ngrams(order, prefix)) == expected
            assert list(model.ngrams(order, " ".join(prefix))) == expected


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(1, 5), st.sampled_from([3, 9, 200]), st.booleans(), st.sampled_from([0.0, -0.4]), st.data())
def test_blocks_hold_what_the_naive_model_holds(seed, order, words, closed, unseen_backoff, data):
    dice = np.random.default_rng(seed)
    levels, naive = random_model(dice, order, words, closed=closed, unseen_backoff=unseen_backoff)
    table = NGramTable.pack(levels)
    prefix = tuple(data.draw(st.lists(st.integers(0, words - 1), max_size=order)))
    slots = data.draw(st.sampled_from([1, 7, 1 << 16]))
    for k in range(max(1, len(prefix)), order + 1):
        expected = sorted(ngram for ngram in naive.probs if len(ngram) == k and ngram[: len(prefix)] == prefix)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(listing, "_SLOTS", slots)
            blocks = list(table.ngrams(k, prefix))

        assert [tuple(ids) for rows in blocks for ids in rows.ids.tolist()] == expected
        for name, wanted in (("log10_probs", naive.probs), ("log10_backoffs", naive.backoffs)):
            found = np.concatenate([np.zeros(0), *(getattr(rows, name) for rows in blocks)])
            np.testing.assert_allclose(found, [wanted.get(ngram, 0) for ngram in expected], rtol=0, atol=2e-6)


def test_blocks_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the size of the model: no larger than asked for, or the successors of one context."""
    monkeypatch.setattr(listing, "_SLOTS", 16)
    table = NGramTable.pack(random_model(np.random.default_rng(3), 4, 200)[0])
    for order in (2, 3, 4):
        blocks = [rows.ids for rows in table.ngrams(order)]
        assert len(blocks) > 1
        assert all(len(ids) <= 16 or len(np.unique(ids[:, :-1], axis=0)) == 1 for ids in blocks)
    assert len(list(table.ngrams(2))) < table.sizes[1] / 4  # nor needlessly many


def test_a_table_of_more_ngrams_than_it_says_is_refused_before_they_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of lists that overlap there might be any number."""
    monkeypatch.setattr(listing, "_SLOTS", 1)
    table = NGramTable.pack(random_model(np.random.default_rng(3), 3, 50)[0])
    words, bigrams, trigrams = table.sizes
    config = {**table.config(), "sizes": [words, 7, trigrams]}
    forged = NGramTable.from_arrays(table.arrays(), config, table.vocabulary, "m")
    listed = 0
    with pytest.raises(FormatError, match="m is damaged: it does not hold 7 n-grams of order 2; take it from a copy"):
        for rows in forged.ngrams(2):
            listed += len(rows.ids)
    assert 0 < listed <= 7 < bigrams


def test_a_model_of_stupid_backoff_lists_relative_frequencies() -> None:
    """Two of three sentences go on from "the cat" with "ran"."""
    model = NGramLM(3, "stupid-backoff").fit(["the cat ran", "the cat ran", "the cat sat"])
    numbers = {gram.words: gram for gram in model.ngrams()}
    assert numbers["the", "cat", "ran"].log10_prob == pytest.approx(np.log10(2 / 3), abs=2e-6)
    assert numbers["the", "cat"].log10_backoff == pytest.approx(np.log10(0.4), abs=2e-6)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"order": 4}, OptionError, r"order = 4 is out of range; the allowed range is \[1, 3\]"),
        ({"order": 0}, OptionError, "order = 0 is out of range"),
        ({"order": 1, "prefix": "the cat"}, OptionError, "'the cat' holds 2 words, more than n-grams of order 1 have"),
        ({"prefix": ["the", "cat", "ran", "off"]}, OptionError, "holds 4 words, more than n-grams of order 3 have"),
        ({"prefix": "teh"}, MissingWordError, "'teh' is not in the vocabulary; did you mean 'the'"),
        ({"prefix": "the <s>x"}, MissingWordError, "'<s>x' is not in"),
        ({"prefix": 3}, DataError, "prefix: text must be a str or a list of str, not int"),
    ],
)
def test_what_cannot_be_listed_is_refused_at_once(arguments, error, message) -> None:
    model = NGramLM(3, "witten-bell").fit(TEXT)
    with pytest.raises(error, match=message):
        model.ngrams(**arguments)


def test_a_prefix_is_read_as_the_training_text() -> None:
    model = NGramLM(3, "witten-bell").fit(["The Cat sat"])
    model.reader = model.reader.changed(tokenizer="char")
    with pytest.raises(MissingWordError, match="'T'"):
        model.ngrams(prefix="The")
    assert [gram.words for gram in model.ngrams(2, ["The"])] == [("The", "Cat")]
