"""Text added to a model that keeps its counts: bit for bit the model of all texts at once."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import windrow
from tests.elsewhere import Elsewhere
from windrow import Corpus, NGramLM
from windrow.errors import FormatError, NotFittedError, OptionError, WindrowError
from windrow.files import model_file
from windrow.lm.ngram.kept_counts import KeptCounts
from windrow.lm.ngram.smoothing import SMOOTHINGS

WORDS = ["a", "b", "c", "d", "<unk>", "é"]
texts = st.lists(st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join), min_size=1, max_size=6).filter(
    lambda lines: set(" ".join(lines).split()) - {"<unk>"}  # a text without any word is refused
)
several_texts = st.lists(texts, min_size=2, max_size=4)
HELDOUT = ["a b c", "d a b"]


def assert_same(found: NGramLM, expected: NGramLM) -> None:
    assert found.vocabulary.words == expected.vocabulary.words
    np.testing.assert_array_equal(found.vocabulary.counts, expected.vocabulary.counts)
    ours, theirs = found.table_, expected.table_
    assert ours.config() == theirs.config()
    for name, array in theirs.arrays().items():
        np.testing.assert_array_equal(ours.arrays()[name], array, err_msg=name)


def options_of(smoothing: str) -> dict[str, object]:
    return (
        {"smoothing": smoothing, "discount_fallback": True}
        if SMOOTHINGS[smoothing].discounts
        else {"smoothing": smoothing}
    )


VARIANTS = [
    {},
    {"prune": (0, 1)},
    {"prune": (1,)},
    {"min_count": 2},
    {"max_vocab": 5},
    {"entropy_prune": 1e-3},
    {"bos": False},
    {"eos": False},
    {"quantize_bits": 4},
    {"open_vocabulary": False},
]


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@settings(max_examples=10, deadline=None)
@given(several_texts, st.integers(1, 4), st.sampled_from(VARIANTS))
def test_several_texts_one_after_the_other(smoothing, parts, order, variant):
    options = {**options_of(smoothing), **variant}
    if smoothing == "stupid-backoff":
        options.pop("entropy_prune", None)
    everything = list(itertools.chain(*parts))
    try:
        model = NGramLM(order, **options, keep_counts=True).fit(parts[0])
        expected = NGramLM(order, **options).fit(everything)
    except WindrowError:  # too small a text for the order, more thresholds than orders, or no word is left
        assume(False)

    for part in parts[1:]:
        model.add(part)

    assert_same(model, expected)
    assert_same(model, NGramLM(order, **options, keep_counts=True).fit(everything))


def test_words_become_frequent_and_the_order_of_equals_is_that_of_one_text():
    first, second = ["a b x", "c y a b"], ["y x z z", "x b"]
    model = NGramLM(2, "witten-bell", min_count=2, keep_counts=True).fit(first)
    assert model.vocabulary.words == ["<unk>", "<s>", "</s>", "b", "a"]
    expected = NGramLM(2, "witten-bell", min_count=2).fit(first + second)
    assert expected.vocabulary.words == ["<unk>", "<s>", "</s>", "x", "b", "z", "y", "a"]
    assert_same(model.add(second), expected)


@pytest.mark.parametrize("variant", [{}, {"min_count": 2}])
def test_lmplz_compat_with_its_slip(variant):
    dice = np.random.default_rng(5)
    text = [" ".join(dice.choice(list("abcdefgh"), 5)) for _ in range(40)]
    options = {"order": 3, "discount_fallback": True, "lmplz_compat": True, **variant}
    model = NGramLM(**options, keep_counts=True).fit(text[:20]).add(text[20:])
    assert_same(model, NGramLM(**options).fit(text))


def test_heldout_text_and_a_list_of_words_are_given_again():
    text = ["a b c", "b c d", "c d a a"] * 2
    model = NGramLM(2, "jelinek-mercer", keep_counts=True).fit(text[:3], heldout=HELDOUT, vocab=["a", "b", "z"])
    with pytest.raises(
        OptionError, match=r"was trained with heldout; to add text to it, give it again: heldout=\.\.\."
    ):
        model.add(text[3:], vocab=["a"])
    with pytest.raises(OptionError, match=r"vocab=\.\.\."):
        model.add(text[3:], heldout=HELDOUT)
    with pytest.raises(OptionError, match="heldout"):
        model.pruned(prune=(0, 1))
    model.add(text[3:], heldout=HELDOUT, vocab=["a", "b", "z"])
    assert_same(model, NGramLM(2, "jelinek-mercer").fit(text, heldout=HELDOUT, vocab=["a", "b", "z"]))


def test_through_files_workers_and_a_budget(tmp_path: Path):
    dice = np.random.default_rng(6)
    text = [" ".join(dice.choice(list("abcdefghij"), 7)) for _ in range(120)] + ["a " * 300] * 3
    options = {"order": 3, "smoothing": "witten-bell", "min_count": 2}
    NGramLM(**options, keep_counts=True).fit(text[:50], ray=Elsewhere(memory=4000)).save(tmp_path / "a")
    loaded = windrow.load(tmp_path / "a")
    loaded.add(text[50:90]).save(tmp_path / "b")
    again = windrow.load(tmp_path / "b").add(text[90:])
    assert_same(again, NGramLM(**options).fit(text))
    assert (again.provenance_["tokens"], again.provenance_["sentences"]) == (120 * 7 + 900, 123)
    assert len(again.provenance_["added"]) == 2
    large = again._kept_counts.arrays["counted_large_counts"]
    assert large.size > 0  # counts that one byte does not hold
    total = NGramLM(**options, keep_counts=True).fit(text)
    for name, array in total._kept_counts.arrays.items():
        np.testing.assert_array_equal(again._kept_counts.arrays[name], array, err_msg=name)


def test_new_text_is_read_like_the_first(tmp_path: Path):
    first, second = "The cat, the DOG.\nA cat!\n", "The dog ran.\n"
    reading = {"tokenizer": "word", "lowercase": True}
    model = NGramLM(2, "witten-bell", keep_counts=True).fit(Corpus.build(first.splitlines(), **reading))
    model.save(tmp_path / "m")
    both = Corpus.build((first + second).splitlines(), **reading)
    assert_same(windrow.load(tmp_path / "m").add(second.splitlines()), NGramLM(2, "witten-bell").fit(both))


def test_pruned_by_counts_as_in_training():
    text = ["a b c", "b c d", "a b d", "c d a a"]
    options = {"order": 3, "smoothing": "witten-bell", "min_count": 2}
    model = NGramLM(**options, keep_counts=True).fit(text)
    pruned = model.pruned(prune=(0, 0, 1))
    assert_same(pruned, NGramLM(**options, prune=(0, 0, 1)).fit(text))
    assert (pruned.prune, pruned.keep_counts, pruned._kept_counts) == ((0, 0, 1), False, None)
    shorter = model.pruned(prune=(0, 1), order=2)
    assert shorter.table_.sizes == pruned.pruned(prune=(), order=2).table_.sizes or shorter.order == 2
    assert_same(model, NGramLM(**options).fit(text))  # which stays as it was


def test_other_models_keep_no_counts():
    model = NGramLM(2, "witten-bell", keep_counts=True).fit(HELDOUT)
    for other in (model.quantized(8), model.pruned(order=1), model.filtered(["a"]), model.renormalized()):
        with pytest.raises(OptionError, match="keeps no counts; to add text to it, train it with keep_counts=True"):
            other.add(HELDOUT)
    with pytest.raises(OptionError, match=r"keep_counts = True changes how text is counted"):
        counted = NGramLM(2, "witten-bell", keep_counts=True)
        counted.fit_counts("counts")
    model.set_params(keep_counts=False).fit(HELDOUT)
    with pytest.raises(OptionError, match="keeps no counts"):
        model.add(HELDOUT)
    with pytest.raises(NotFittedError):
        NGramLM(keep_counts=True).add(HELDOUT)


def test_a_corpus_that_leaves_words_out_is_refused():
    corpus = Corpus.build(["a b a", "a c"], min_count=2)
    with pytest.raises(OptionError, match="keep_counts = True needs all words of the text"):
        NGramLM(2, "witten-bell", keep_counts=True).fit(corpus)
    model = NGramLM(2, "witten-bell", keep_counts=True).fit(HELDOUT)
    before = model.table_
    for refused in (corpus, ["a <s> b"], "missing.txt"):
        with pytest.raises(WindrowError):
            model.add(refused)
    assert model.table_ is before


def damaged(name: str, change) -> KeptCounts:
    counts = NGramLM(3, "witten-bell", bos=False, keep_counts=True).fit(["a b c a", "b c d"])._kept_counts
    arrays = {**counts.arrays, f"counted_{name}": change(counts.arrays[f"counted_{name}"].copy())}
    return KeptCounts(arrays, counts.config, "m.safetensors")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("words", lambda array: array[:-1]),
        ("words", lambda array: array[::-1]),
        ("words", lambda array: array + 60_000),
        ("words", np.zeros_like),
        ("small_counts", lambda array: array * 0),
        ("small_counts", lambda array: array * 0 + 255),
        ("large_counts", lambda array: np.array([3], np.int32)),
        ("small_successors", lambda array: array[::-1]),
        ("small_successors", lambda array: array[:-1]),
        ("first_seen", lambda array: array[:-1]),
        ("counts", lambda array: -array),
        ("initial", lambda array: array.astype(np.float64)),
    ],
)
def test_damaged_counts_are_found_when_they_are_needed(name, change):
    with pytest.raises(FormatError, match=r"^m\.safetensors"):
        damaged(name, change).unpack()


def test_a_description_that_is_none(tmp_path: Path):
    model = NGramLM(2, "witten-bell", keep_counts=True).fit(HELDOUT)
    stored = model.to_stored()
    for wrong in (
        [1],
        {"sizes": "x"},
        {},
        {"sizes": [3], "symbols": -1},
        {**stored.config["counts"], "sizes": [10**9, 5]},
    ):
        model_file.save(
            tmp_path / "m", stored.kind, stored.arrays, {**stored.config, "counts": wrong}, stored.provenance
        )
        with pytest.raises(FormatError, match="m"):
            windrow.load(tmp_path / "m").add(HELDOUT)
