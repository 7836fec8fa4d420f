"""Estimated models against the definitions of their methods, against lmplz and NLTK, and sums of probabilities."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.lm.ngram.models import distribution, find_ngram
from tests.naive import smoothing as naive
from tests.naive.ngrams import BOS, Gram, count, stream_of
from windrow.corpus import Vocabulary
from windrow.errors import DataError, OptionError
from windrow.lm.ngram.counting import count_ngrams
from windrow.lm.ngram.estimation import estimate
from windrow.lm.ngram.levels import BackoffModel, NGramCounts
from windrow.lm.ngram.lmplz import first_appearances
from windrow.lm.ngram.settings import DISCOUNTING, FALLING_BACK, INTERPOLATING, LEAVING
from windrow.lm.ngram.smoothing import SMOOTHINGS

SPECIALS = ("<unk>", "<s>", "</s>")
SIZE = 8  # of the vocabulary: five words and the specials
PROBABILITIES = [name for name in SMOOTHINGS if name != "stupid-backoff"]  # whose scores are not meant to sum to one

Sentences = list[list[int]]
# Unequal frequencies, so that there are counts of more than one.
sentences = st.lists(st.lists(st.sampled_from([3, 3, 3, 4, 4, 5, 6, 7]), max_size=9), min_size=1, max_size=8)


def vocabulary_of(texts: Sequence[Sequence[int]], size: int = SIZE) -> Vocabulary:
    counts = np.bincount([word for words in texts for word in words], minlength=size)
    return Vocabulary([*SPECIALS, *(f"w{i}" for i in range(3, size))], counts, SPECIALS)


def counts_of(texts: Sequence[Sequence[int]], order: int, bos: bool = True, eos: bool = True) -> NGramCounts:
    return count_ngrams(np.array(stream_of(texts, eos), np.int32), vocabulary_of(texts), order, bos=bos)


def possible_order(texts: Sequence[Sequence[int]], order: int, marks: int = 2) -> int:
    """The text's longest n-gram has at least one symbol and, with <s>, ends at another."""
    return max(1, min(order, max(map(len, texts)) + marks))


def contexts_of(text: naive.Text) -> Iterator[Gram]:
    """All contexts seen, longer ones of which an end was seen, and one of which nothing was."""
    seen = {()} | {gram for grams in text.counts[:-1] for gram in grams if gram[-1] != naive.EOS}
    if text.bos and text.order > 1:
        seen.add((BOS,))
    yield from seen
    if text.order > 2:
        yield from {(6, *gram[-(text.order - 2) :]) for gram in seen if gram and gram[0] != BOS}
        yield (7,) * (text.order - 1)


def kept(text: naive.Text, context: Gram) -> Gram:
    """The context as ids of the kept vocabulary; unknown words end what is known of it."""
    ids = sorted(text.kept_words)
    return tuple(ids.index(word) if word in text.kept_words else 0 for word in context)


def check_model(model: BackoffModel, expected: naive.Naive, sums_to_one: bool = True) -> None:
    text = expected.text
    for context in contexts_of(text):
        if not set(context) <= text.kept_words:
            continue
        found = distribution(model, kept(text, context))
        wanted = [expected.prob(word, context) for word in sorted(text.kept_words)]
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12, err_msg=str(context))
        if sums_to_one:
            assert abs(found.sum() - 1) < 1e-9, context


def options_for(name: str, order: int) -> dict:
    return {"weights": [0.3 + 0.1 * k for k in range(order)]} if name == "jelinek-mercer" else {}


@pytest.mark.parametrize("name", SMOOTHINGS)
@settings(max_examples=25, deadline=None)
@given(sentences, st.integers(1, 4), st.booleans(), st.booleans())
def test_a_model_has_the_probabilities_that_define_it(name, texts, order, interpolate, open_vocabulary):
    text = naive.Text(texts, possible_order(texts, order), SIZE, open_vocabulary=open_vocabulary)
    interpolate = interpolate or not SMOOTHINGS[name].backs_off
    options = {"delta": 0.3, "interpolate": interpolate, **options_for(name, text.order)}

    model = estimate(
        counts_of(texts, text.order),
        name,
        open_vocabulary=open_vocabulary,
        dtype=np.float64,
        discount_fallback=True,
        **options,
    )

    check_model(model, naive.METHODS[name](text, fallback=True, **options), name in PROBABILITIES)


@pytest.mark.parametrize("name", SMOOTHINGS)
@settings(max_examples=20, deadline=None)
@given(
    sentences, st.integers(1, 4), st.booleans(), st.sampled_from([(0, 1), (1,), (0, 0, 1), (0, 1, 2, 2)]), st.booleans()
)
@example(  # after 4 nothing is discounted, but two words are pruned
    [
        [],
        [6],
        [3, 3, 4, 3, 4, 3, 5],
        [3, 4, 4, 5, 3, 4, 3],
        [3, 3, 3, 4, 4, 4, 4, 6],
        [4, 3, 3, 3, 6, 4, 3, 6],
        [5] * 2,
    ],
    2,
    False,
    (0, 1),
    False,
)
def test_what_pruned_ngrams_had_goes_to_shorter_contexts(name, texts, order, interpolate, prune, limited):
    keep = frozenset({3, 5, 6}) if limited else None
    order = possible_order(texts, order)
    prune = prune[:order]
    text = naive.Text(texts, order, SIZE, prune=prune, keep_words=keep)
    interpolate = interpolate or not SMOOTHINGS[name].backs_off
    options = {"delta": 0.3, "interpolate": interpolate, **options_for(name, order)}
    mask = None if keep is None else np.isin(np.arange(SIZE), list(keep))

    model = estimate(
        counts_of(texts, order), name, prune=prune, keep_words=mask, dtype=np.float64, discount_fallback=True, **options
    )

    assert model.vocabulary.words == [vocabulary_of(texts).words[word] for word in sorted(text.kept_words)]
    assert model.sizes[1:] == [sum(map(text.keeps, grams)) for grams in text.counts[1:]]
    check_model(model, naive.METHODS[name](text, fallback=True, **options), name in PROBABILITIES)


@pytest.mark.parametrize("name", SMOOTHINGS)
@pytest.mark.parametrize("eos", [True, False])
def test_sentences_without_marks(name, eos):
    texts = [[3, 4, 3, 5], [4], [3, 3, 4, 3, 5, 6], [5, 5, 3, 4, 4]]
    text = naive.Text(texts, 3, SIZE, bos=False, eos=eos)
    options = {"delta": 0.3, **options_for(name, 3)}

    model = estimate(counts_of(texts, 3, bos=False, eos=eos), name, dtype=np.float64, discount_fallback=True, **options)

    check_model(model, naive.METHODS[name](text, fallback=True, **options), name in PROBABILITIES)


@pytest.mark.parametrize("name", SMOOTHINGS)
@pytest.mark.parametrize("open_vocabulary", [True, False])
def test_an_unknown_word_in_the_text_is_a_word(name, open_vocabulary):
    texts = [[3, 0, 3, 5], [0], [3, 3, 0, 3, 5, 6], [5, 5, 3, 0, 0]]
    text = naive.Text(texts, 3, SIZE, open_vocabulary=open_vocabulary)
    options = {"delta": 0.3, **options_for(name, 3)}

    model = estimate(
        counts_of(texts, 3), name, open_vocabulary=open_vocabulary, dtype=np.float64, discount_fallback=True, **options
    )

    assert find_ngram(model, [0, 3]) >= 0
    check_model(model, naive.METHODS[name](text, fallback=True, **options), name in PROBABILITIES)


@pytest.mark.parametrize("name", PROBABILITIES)
@pytest.mark.parametrize("texts", [[[3, 4, 3, 5], [3, 3, 4, 5, 6]], [[3, 0, 3, 5], [3, 0, 0, 4]]])
def test_a_given_mass_of_the_unknown_word(name, texts):
    text = naive.Text(texts, 2, SIZE)
    options = {"delta": 0.3, "unk_mass": 0.01, **options_for(name, 2)}

    model = estimate(counts_of(texts, 2), name, dtype=np.float64, discount_fallback=True, **options)

    assert distribution(model, [])[0] == pytest.approx(0.01, rel=1e-12)
    check_model(model, naive.METHODS[name](text, fallback=True, **options))


@pytest.mark.parametrize("name", SMOOTHINGS)
@pytest.mark.parametrize("prune", [(), (0, 0, 1)])
def test_single_precision_takes_the_memory_of_the_counts(name, prune):
    dice = np.random.default_rng(5)
    texts = [(dice.zipf(1.4, 12) % 5 + 3).tolist() for _ in range(50)]
    options = {"discount_fallback": True, "prune": prune}
    counts, same = counts_of(texts, 3), counts_of(texts, 3)
    memory = counts.levels[2].counts

    precise = estimate(counts, name, dtype=np.float64, keep_counts=True, **options)
    for level, expected in zip(counts.levels, same.levels, strict=True):
        for array, untouched in zip(level, expected, strict=True):
            np.testing.assert_array_equal(array, untouched)
    model = estimate(counts, name, **options)

    assert not counts.levels
    assert np.shares_memory(model.levels[2].log10_probs, memory) == (not prune)
    for level, exact in zip(model.levels, precise.levels, strict=True):
        np.testing.assert_array_equal(level.words, exact.words)
        np.testing.assert_array_equal(level.starts, exact.starts)
        assert level.log10_probs.dtype == np.float32
        np.testing.assert_allclose(level.log10_probs, exact.log10_probs, rtol=2e-6, atol=2e-6)
        if exact.log10_backoffs is not None:
            np.testing.assert_allclose(level.log10_backoffs, exact.log10_backoffs, rtol=2e-5, atol=2e-6)


# --- lmplz

arpa = pytest.mark.skipif("WINDROW_DATA" not in os.environ, reason="WINDROW_DATA names no folder with models of lmplz")


def read_arpa(path: Path) -> list[dict[tuple[str, ...], tuple[float, float]]]:
    """log10 p and back-off (0 where there is none) of the n-grams of each order."""
    levels: list[dict[tuple[str, ...], tuple[float, float]]] = []
    for line in path.read_text("utf-8").split("\n"):
        if line.endswith("-grams:"):
            levels.append({})
        elif "\t" in line:
            prob, gram, backoff = [*line.split("\t"), "0"][:3]
            levels[-1][tuple(gram.split(" "))] = float(prob), float(backoff)
    return levels


def read_text(path: Path) -> tuple[Vocabulary, np.ndarray]:
    lines = [line.split() for line in path.read_text("utf-8").split("\n")[:-1]]
    frequent = Counter(word for words in lines for word in words).most_common()
    words = [*SPECIALS, *(word for word, _ in frequent)]
    ids = {word: place for place, word in enumerate(words)}
    counts = np.array([0, 0, len(lines), *(number for _, number in frequent)])
    stream = stream_of([[ids[word] for word in line] for line in lines])
    return Vocabulary(words, counts, SPECIALS), np.array(stream, np.int32)


def as_dictionaries(model: BackoffModel) -> list[dict[tuple[str, ...], tuple[float, float]]]:
    levels, contexts = [], [()]
    for level in model.levels:
        backoffs = np.zeros(level.words.size) if level.log10_backoffs is None else level.log10_backoffs
        words = [model.vocabulary.words[word] for word in level.words]
        whole = [contexts[place] for place in np.repeat(np.arange(len(contexts)), np.diff(level.starts))]
        contexts = [(*context, word) for context, word in zip(whole, words, strict=True)]
        values = zip(level.log10_probs.tolist(), backoffs.tolist(), strict=True)
        levels.append(dict(zip(contexts, values, strict=True)))
    return levels


@arpa
@pytest.mark.parametrize(
    ("name", "order", "prune"),
    [
        ("order1", 1, ()),
        ("order2", 2, ()),
        ("order3", 3, ()),
        ("order5", 5, ()),
        ("order3-prune-0-0-1", 3, (0, 0, 1)),
        ("order5-prune-0-1-2", 5, (0, 1, 2)),
        ("tiny-order3-fallback", 3, ()),
    ],
)
@pytest.mark.parametrize("compat", [False, True])
def test_equals_lmplz(name, order, prune, compat):
    folder = Path(os.environ["WINDROW_DATA"]) / "arpa"
    vocabulary, stream = read_text(folder / ("tiny.txt" if name.startswith("tiny") else "text.txt"))
    expected = read_arpa(folder / f"{name}.arpa")
    # The texts were chosen so that lmplz's slip changes nothing.
    options = {"lmplz_compat": first_appearances(stream, len(vocabulary))} if compat else {}

    model = estimate(
        count_ngrams(stream, vocabulary, order), prune=prune, discount_fallback=name.startswith("tiny"), **options
    )

    levels = as_dictionaries(model)
    assert levels[0]["<s>",][0] == -np.inf
    assert expected[0]["<s>",][0] == 0  # lmplz's convention
    levels[0]["<s>",] = 0.0, levels[0]["<s>",][1]
    for level, theirs in zip(levels, expected, strict=True):
        assert level.keys() == theirs.keys()
        ours = np.array([level[gram] for gram in theirs])
        np.testing.assert_allclose(ours, list(theirs.values()), rtol=0, atol=1e-5)


@given(sentences, st.integers(1, 4))
def test_the_slip_of_lmplz(texts, order):
    """The discounts of lmplz are those of counts of counts with one n-gram an order counted by c instead of a."""
    order = possible_order(texts, order)
    text = naive.Text(texts, order, SIZE)
    stream = np.array(stream_of(texts), np.int32)
    frequencies = [Counter(grams.values()) for grams in text.adjusted]
    for k, (adjusted, raw) in naive.lmplz_slips(text).items():
        frequencies[k - 1][adjusted] -= 1
        frequencies[k - 1][raw] += 1
    discounts = [(t[1] / (t[1] + 2 * t[2]),) if t[1] and t[2] else (0.5,) for t in frequencies]
    options = {"dtype": np.float64, "discount_fallback": True}

    model = estimate(counts_of(texts, order), "kneser-ney", lmplz_compat=first_appearances(stream, SIZE), **options)

    expected = estimate(counts_of(texts, order), "kneser-ney", discounts=discounts, **options)
    for level, wanted in zip(model.levels, expected.levels, strict=True):
        np.testing.assert_allclose(level.log10_probs, wanted.log10_probs, rtol=1e-12)


# --- NLTK


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("name", ["laplace", "lidstone", "mle", "stupid-backoff"])
def test_equals_nltk(name, order):
    from nltk import lm

    dice = np.random.default_rng(order)
    texts = [(dice.zipf(1.4, dice.integers(1, 9)) % 5 + 3).tolist() for _ in range(20)]
    words = vocabulary_of(texts).words
    # Its vocabulary without <s>, which is never predicted; with "<UNK>", which <s> becomes, it is as large as ours.
    nltk_vocabulary = lm.Vocabulary([words[2], *(words[word] for text in texts for word in text)], unk_cutoff=1)
    counted = [gram for grams in count(texts, order) for gram in grams.elements()]
    theirs = {
        "laplace": lambda: lm.Laplace(order, vocabulary=nltk_vocabulary),
        "lidstone": lambda: lm.Lidstone(0.3, order, vocabulary=nltk_vocabulary),
        "mle": lambda: lm.MLE(order, vocabulary=nltk_vocabulary),
        "stupid-backoff": lambda: lm.StupidBackoff(order=order, vocabulary=nltk_vocabulary),
    }[name]()
    theirs.fit([[tuple(words[word] for word in gram) for gram in counted]])
    options = {"laplace": ("add-delta", {"delta": 1.0}), "lidstone": ("add-delta", {"delta": 0.3})}
    method, delta = options.get(name, (name, {}))
    contexts = {gram[:-1] for gram in counted if len(gram) == order or gram[0] == BOS}

    ours = estimate(counts_of(texts, order), method, dtype=np.float64, **delta)

    for context in contexts:
        found = distribution(ours, context)[2:]
        expected = [theirs.score(word, [words[before] for before in context]) for word in words[2:]]
        np.testing.assert_allclose(found, expected, rtol=1e-9)


# --- what cannot be estimated

TEXTS = [[3, 4, 3, 5], [3, 3, 4, 5, 6]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"smoothing": "good"}, "smoothing = 'good' is unknown; choose from modified-kneser-ney"),
        ({"prune": (1, 0)}, r"prune = \(1, 0\) must not fall"),
        ({"prune": (0, 0, 0)}, r"prune = \(0, 0, 0\): more numbers than .* at most 2"),
        ({"prune": (0.5,)}, "prune = 0.5 must be a whole number"),
        ({"prune": (-1,)}, "prune = -1 is out of range"),
        ({"keep_words": np.ones(3, bool)}, "the vocabulary has 8 words"),
        ({"unk_mass": 1.0}, "unk_mass = 1.0 is out of range"),
        ({"unk_mass": 0.1, "open_vocabulary": False}, "closed vocabulary"),
        ({"delta": 0}, "delta = 0 is out of range"),
        ({"smooth": 1}, "there is no option 'smooth'"),
        ({"smoothing": "mle", "interpolate": False}, "mle has no back-off form, .* modified-kneser-ney"),
        ({"smoothing": "mle", "discounts": [[0.5], [0.5]]}, "mle has no discounts"),
        ({"weights": [0.5, 0.5]}, "modified-kneser-ney has no weights .* these have: jelinek-mercer"),
        ({"discounts": [[0.5]]}, "give one for each of the 2 orders, not 1"),
        ({"discounts": [[0.5, 2.5], None]}, "the discount of count 2 = 2.5 is out of range"),
        ({"smoothing": "jelinek-mercer", "weights": [0.5, 1.5]}, "weights = 1.5 is out of range"),
        ({"lmplz_compat": np.zeros(3, np.int64)}, "lmplz_compat has 3 entries; the vocabulary has 8 words"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(OptionError, match=message) as caught:
        estimate(counts_of(TEXTS, 2), **options)
    assert "\n" not in str(caught.value)


def test_a_mass_of_the_unknown_word_without_other_words():
    with pytest.raises(DataError, match="unk_mass leaves the rest to other words, but none is kept"):
        estimate(counts_of(TEXTS, 2, eos=False), "mle", prune=(9,), unk_mass=0.1)


def test_text_too_small_for_the_order():
    with pytest.raises(DataError, match=r"order = 9: the longest sentence has 7 symbols, .*; try order = 7 or less"):
        estimate(counts_of(TEXTS, 9), "witten-bell")
    assert estimate(counts_of(TEXTS, 7), "witten-bell").order == 7


def test_counts_that_were_used_up_or_are_none():
    counts = counts_of(TEXTS, 2)
    estimate(counts, "witten-bell")
    with pytest.raises(DataError, match="count again"):
        estimate(counts, "witten-bell")
    with pytest.raises(DataError, match="text is empty"):
        estimate(counts_of([], 1), "witten-bell")


def test_only_what_stands_after_the_last_sentence_start_is_a_context():
    model = estimate(counts_of(TEXTS, 3), "witten-bell")
    np.testing.assert_array_equal(distribution(model, [3, 4, BOS, 3]), distribution(model, [BOS, 3]))
    np.testing.assert_array_equal(distribution(model, [6, 5, 3, 4]), distribution(model, [3, 4]))


def test_the_settings_say_the_forms_that_the_methods_have() -> None:
    rows = SMOOTHINGS.items()
    assert {name for name, row in rows if row.backs_off} == set(FALLING_BACK)
    assert {name for name, row in rows if row.discounts} == set(DISCOUNTING)
    assert {name for name, row in rows if row.interpolates and row.fixed_backoff is None} == set(INTERPOLATING)
    unseen = {
        name: distribution(estimate(counts_of([[3, 3, 4]], 1), name, discount_fallback=True), [])[7]
        for name in SMOOTHINGS
    }
    assert {name for name, probability in unseen.items() if probability > 0} == set(LEAVING)
