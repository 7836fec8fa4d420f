"""Models of unbounded order equal their definition, and a Kneser-Ney model of the order of the longest sentence."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.naive.ngrams import stream_of
from tests.naive.unbounded import BOS, Unbounded
from windrow import Corpus, NGramLM, UnboundedNGramLM, load
from windrow.errors import DataError, FormatError, OptionError
from windrow.files.model_file import StoredModel
from windrow.lm.symbols import SPECIALS
from windrow.lm.unbounded import suffix_array
from windrow.lm.unbounded.kernels.contexts import FREQUENT

WORDS = "abcde"
DISCOUNTS = ((0.4, 0.9, 1.2), (0.6, 1.1, 1.3), (0.8, 1.2, 1.7))
seeds = st.integers(0, 2**32 - 1)


def random_sentences(dice: np.random.Generator, most: int, longest: int = 8) -> list[str]:
    """Sentences of few words, some of them empty, some said again and again."""
    sentences = [" ".join(dice.choice(list(WORDS), dice.integers(0, longest))) for _ in range(dice.integers(1, most))]
    return ["a b", *sentences, *sentences[: dice.integers(0, 3)] * int(dice.integers(0, 90))]


def naive_of(model: UnboundedNGramLM, sentences: list[str]) -> Unbounded:
    ids = [model.vocabulary.encode(sentence.split()).tolist() for sentence in sentences]
    return Unbounded(ids, len(model.vocabulary), [(0, *row) for row in DISCOUNTS])


def asked(dice: np.random.Generator, model: UnboundedNGramLM, sentences: list[str]) -> list[list[int]]:
    """Sentences of the text and others, with unknown words among them."""
    strange = [" ".join(dice.choice([*WORDS, "zebra"], dice.integers(0, 10))) for _ in range(3)]
    return [model.vocabulary.encode(sentence.split()).tolist() for sentence in [*sentences[:3], *strange]]


@given(seeds)
@settings(deadline=None, max_examples=60)
def test_scores_are_those_of_the_definition(seed):
    dice = np.random.default_rng(seed)
    sentences = random_sentences(dice, 30)
    model = UnboundedNGramLM(discounts=DISCOUNTS).fit(sentences)
    naive = naive_of(model, sentences)
    stream = np.array(stream_of(asked(dice, model, sentences)), np.int32)
    scores, orders = model._score_with_orders(stream)
    np.testing.assert_allclose(scores, np.log10(naive.scores(stream.tolist())), rtol=1e-9, atol=1e-12)
    begins = [place for place, word in enumerate(stream) if word == BOS]
    for place in np.flatnonzero(stream != BOS):
        sentence = stream[max(begin for begin in begins if begin <= place) : place + 1]
        assert orders[place] == max(naive.longest(sentence.tolist()), 1)


@given(seeds)
@settings(deadline=None, max_examples=40)
def test_distributions_are_those_of_the_definition_and_sum_to_one(seed):
    dice = np.random.default_rng(seed)
    sentences = random_sentences(dice, 20)
    model = UnboundedNGramLM(discounts=DISCOUNTS).fit(sentences)
    naive = naive_of(model, sentences)
    for words in asked(dice, model, sentences):
        for context in ([BOS, *words], words):
            found = model.distribution(model.start(context))
            wanted = [naive.prob(tuple(context), word) for word in range(len(model.vocabulary))]
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)
            assert abs(found.sum() - 1) < 1e-9


@given(seeds)
@settings(deadline=None, max_examples=20)
def test_without_a_longer_sentence_a_model_of_that_order_is_the_same(seed):
    dice = np.random.default_rng(seed)
    sentences = random_sentences(dice, 20)
    order = max(len(sentence.split()) for sentence in sentences) + 2
    bounded = NGramLM(order, discounts=[DISCOUNTS[min(k, 2)] for k in range(order)]).fit(sentences)
    unbounded = UnboundedNGramLM(discounts=DISCOUNTS).fit(sentences)
    assert bounded.vocabulary.words == unbounded.vocabulary.words
    stream = np.array(stream_of(asked(dice, unbounded, sentences)), np.int32)
    np.testing.assert_allclose(unbounded.score_stream(stream), bounded.score_stream(stream), atol=2e-6 * order)


def test_discounts_are_estimated_from_the_counts_of_counts():
    dice = np.random.default_rng(3)
    words = [f"w{number}" for number in range(400)]
    sentences = [" ".join(words[min(int(n), 400) - 1] for n in dice.zipf(1.3, 12)) for _ in range(300)]
    model = UnboundedNGramLM().fit(sentences)
    ids = [model.vocabulary.encode(sentence.split()).tolist() for sentence in sentences]
    naive = Unbounded(ids, len(model.vocabulary), DISCOUNTS)
    found = model.index_.discounts
    assert len(found) > 4
    for k, row in enumerate(found, 1):
        t = naive.frequencies(k)
        y = t[1] / (t[1] + 2 * t[2]) if t[1] else 0
        wanted = [j - (j + 1) * y * t[j + 1] / t[j] if t[j] else -1 for j in (1, 2, 3)]
        usable = all(0 <= discount <= j for j, discount in enumerate(wanted, 1)) and all(t[1:4])
        np.testing.assert_allclose(row[1:], wanted if usable else found[k - 2][1:])
        assert usable or k > 2


@given(seeds)
@settings(deadline=None, max_examples=40)
def test_counts_and_matches_are_those_of_the_text(seed):
    dice = np.random.default_rng(seed)
    sentences = random_sentences(dice, 15)
    model = UnboundedNGramLM(discounts=DISCOUNTS).fit(sentences)
    naive = naive_of(model, sentences)
    for words in asked(dice, model, sentences):
        if words:
            given_words = model.vocabulary.decode(words)
            unknown = 0 in words
            assert model.count(given_words) == (0 if unknown else naive.counts[tuple(words)])
            assert model.longest_match(given_words) == naive.longest(words)
            found = [
                " ".join([*one.before, *one.words, *one.after]) for one in model.occurrences(given_words, width=99)
            ]
            wanted = [
                sentence
                for sentence in sentences
                for place in range(len(sentence.split()))
                if sentence.split()[place : place + len(words)] == given_words
            ]
            assert sorted(found) == ([] if unknown else sorted(wanted))


def test_marks_of_sentences_can_be_counted():
    model = UnboundedNGramLM(discount_fallback=True).fit(["the cat sat", "the cat ran off", "cat"])
    assert model.count(["<s>", "the"]) == 2
    assert model.count(["<s>", "cat", "</s>"]) == 1
    assert model.count(["</s>", "<s>"]) == model.count(["the", "<s>"]) == 0
    assert model.longest_match(["<s>", "cat", "</s>"]) == 3


def test_occurrences_are_cut_to_the_words_around():
    model = UnboundedNGramLM(discount_fallback=True).fit(["a b c d e f g", "c d"])
    assert list(model.occurrences("c d", width=2)) == [([], ["c", "d"], []), (["a", "b"], ["c", "d"], ["e", "f"])]
    assert list(model.occurrences("d c")) == list(model.occurrences("zebra")) == []
    assert next(model.occurrences(["d"], width=0)) == ([], ["d"], [])


def test_n_grams_have_a_longest(monkeypatch):
    """As a model of that order, whose n-grams of the highest order have adjusted counts, too."""
    for module in ("suffix_array", "model", "index"):
        monkeypatch.setattr(f"windrow.lm.unbounded.{module}.LONGEST", 6)
    sentences = ["a b " * 20, "b " * 15, "a b c " * 10]
    model = UnboundedNGramLM(discounts=DISCOUNTS).fit(sentences)
    state = model.start(model.encode("a b " * 10))
    assert len(state.ranges) == 5
    for word in "abab":
        distribution = model.distribution(state)
        assert abs(distribution.sum() - 1) < 1e-9
        score, state = model.score_next(state, word)
        assert abs(10**score - distribution[model.vocabulary.id_of(word)]) < 1e-12
        assert len(state.ranges) == 5
    naive = naive_of(model, sentences)
    stream = np.array(stream_of(naive.sentences), np.int32)
    bounded = []
    for place, word in enumerate(stream):
        begin = max(np.flatnonzero(stream[: place + 1] == BOS))
        context = tuple(stream[max(begin, place - 5) : place].tolist())
        bounded.append(1.0 if word == BOS else naive.prob(context, int(word)))
    np.testing.assert_allclose(model.score_stream(stream), np.log10(bounded), rtol=1e-9)
    with pytest.raises(OptionError, match="contexts are sorted by 6"):
        model.count("a b a b a b a")


@given(seeds, st.integers(1, 12))
@settings(deadline=None, max_examples=60)
def test_positions_are_sorted_by_the_words_that_end_there(seed, longest):
    dice = np.random.default_rng(seed)
    words = int(dice.integers(4, 9))
    stream = dice.integers(3, words, dice.integers(1, 120)).astype(np.int32)
    stream[dice.random(stream.size) < dice.random()] = BOS
    stream[0] = BOS

    def context(position: int) -> list[int]:
        sentence = stream[: position + 1][::-1].tolist()
        return sentence[: sentence.index(BOS) + 1]

    wanted = sorted(range(stream.size), key=lambda position: (context(position), position))
    assert suffix_array.sort_contexts(stream, words).tolist() == wanted


def test_a_file_keeps_everything_and_is_mapped(tmp_path):
    dice = np.random.default_rng(5)
    sentences = random_sentences(dice, 30)
    model = UnboundedNGramLM(discounts=DISCOUNTS, min_count=2).fit(sentences)
    model.save(tmp_path / "model")
    again = load(tmp_path / "model", expected=UnboundedNGramLM)
    assert again.get_params() == model.get_params()
    assert again.sizes() == model.sizes()
    for name, array in model.index_.arrays().items():
        assert np.array_equal(again.index_.arrays()[name], array), name
    assert isinstance(again.index_.index.text.base, np.memmap) or not again.index_.index.text.flags.owndata
    assert model.log_prob(sentences[0]) == again.log_prob(sentences[0])


def damaged(stored: StoredModel, name: str, change) -> StoredModel:
    array = np.array(stored.arrays[name])
    change(array)
    return replace(stored, arrays={**stored.arrays, name: array})


def set_to(place, value):
    return lambda array: array.__setitem__(place, value)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("starts", set_to(1, 10**6)),
        ("starts", set_to(-1, 3)),
        ("ranges", set_to(0, -1)),
        ("ranges", set_to(-1, (1 << 40))),
        ("tallies", set_to((0, 0), 0)),
        ("tallies", set_to((0, 1), -5)),
        ("tallies", set_to((0, 3), 10**6)),
        ("unigrams", set_to(BOS, 0.1)),
        ("unigrams", set_to(0, np.nan)),
        ("discounts", set_to((0, 1), 7.0)),
        ("discounts", set_to((0, 1), np.nan)),
    ],
)
def test_numbers_out_of_range_are_refused(name, change):
    stored = UnboundedNGramLM(discounts=DISCOUNTS).fit(["a b c d"] * FREQUENT).to_stored()
    assert stored.arrays["ranges"].size
    UnboundedNGramLM.from_stored(stored, "model")
    with pytest.raises(FormatError, match="model: the index of contexts holds numbers that are out of range"):
        UnboundedNGramLM.from_stored(damaged(stored, name, change), "model")


@pytest.mark.parametrize("name", ["text", "suffixes"])
def test_damaged_text_answers_something_but_reads_nothing_else(name):
    """Their numbers cannot all be checked when a file is opened; whatever they are, kernels stay inside the arrays."""
    model = UnboundedNGramLM(discounts=DISCOUNTS).fit(random_sentences(np.random.default_rng(1), 30))
    for seed in range(5):
        stored = model.to_stored()
        noise = np.random.default_rng(seed).integers(0, 256, stored.arrays[name].size)
        wild = UnboundedNGramLM.from_stored(damaged(stored, name, set_to(..., noise)), "model")
        scores = wild.score_stream(np.array(stream_of([[3, 4, 5, 3, 4], [4, 4, 3]]), np.int32))
        assert scores.shape == (12,)
        distribution = wild.distribution(wild.start([1, 3, 4]))
        assert distribution.shape == (len(wild.vocabulary),)
        assert len(list(wild.occurrences("a b"))) <= wild.index_.index.size


@pytest.mark.parametrize("part", ["text", "suffixes", "tallies", "unigrams"])
def test_arrays_that_do_not_fit_are_refused(part):
    stored = UnboundedNGramLM(discounts=DISCOUNTS).fit(["a b c d"] * FREQUENT).to_stored()
    short = replace(stored, arrays={**stored.arrays, part: stored.arrays[part][:-1]})
    with pytest.raises(FormatError, match=f"model: {part} is"):
        UnboundedNGramLM.from_stored(short, "model")
    for config in ({}, {**stored.config["index"], "word_bits": 60}, {**stored.config["index"], "frequent": 3}):
        with pytest.raises(FormatError, match=r"model: the (sizes of the )?index of contexts"):
            UnboundedNGramLM.from_stored(replace(stored, config={**stored.config, "index": config}), "model")


def test_what_cannot_be_is_refused_in_one_line():
    with pytest.raises(DataError, match=r"no 1-gram has .* too small.*; try discount_fallback = True$"):
        UnboundedNGramLM().fit(["a b"])
    model = UnboundedNGramLM(discount_fallback=True).fit(["a b", "b a"])
    with pytest.raises(DataError, match="no word is given"):
        model.count("")
    with pytest.raises(OptionError, match="width"):
        list(model.occurrences("a", width=-1))
    with pytest.raises(OptionError, match="the state is not of this model"):
        model.distribution(NGramLM(2, "witten-bell").fit(["a b"]).start())
    with pytest.raises(OptionError, match="ids must be from 0 to 4"):
        model.score_stream(np.array([1, 9], np.int32))
    assert model.longest_match("zebra") == 0
    assert model.vocabulary.words[:3] == list(SPECIALS)


@pytest.mark.skipif("WINDROW_DATA" not in os.environ, reason="needs WikiText-2 in the folder WINDROW_DATA")
def test_wikitext_2_is_predicted_at_least_as_well_as_by_five_words_in_eight_bytes_a_token():
    data = Path(os.environ["WINDROW_DATA"]) / "wikitext-2"
    corpus = Corpus.build(data / "train.txt")
    model = UnboundedNGramLM().fit(corpus)
    found = model.evaluate(data / "test.txt").perplexity
    assert found <= NGramLM(5).fit(corpus).perplexity(data / "test.txt")
    stored = model.to_stored()
    assert sum(array.nbytes for array in stored.arrays.values()) <= 8 * corpus.tokens
