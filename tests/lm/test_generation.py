from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from scipy.stats import chisquare

from tests.lm.contract import MODELS, ToyLM
from windrow.errors import DataError, MissingWordError, OptionError
from windrow.lm.base import LanguageModel
from windrow.lm.decoding import DecodingOptions, Hypothesis, beam_search
from windrow.lm.generation import Generation, generate, generate_batch
from windrow.lm.symbols import BOS, EOS, SPECIALS, UNK

WORDS = "abcd"
A, B, C, D = range(3, 7)


def unigrams(**probabilities: float) -> ToyLM:
    """A model that forgets everything: ``end``, ``unk`` and words get these probabilities."""
    words = [name for name in probabilities if name not in ("end", "unk")]
    row = [probabilities.get("unk", 0), 0, probabilities.get("end", 0), *(probabilities[word] for word in words)]
    return ToyLM(np.tile(row, (len(row) + 1, 1)), words)


def chains(**following: str) -> ToyLM:
    """A model in which one word alone can follow each; ``start`` follows ``<s>``, and a word not named has nothing."""
    table = np.zeros((8, 7))
    for last, word in following.items():
        table[BOS if last == "start" else 3 + WORDS.index(last), EOS if word == "end" else 3 + WORDS.index(word)] = 1
    return ToyLM(table, WORDS)


# --- what every text holds


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    "options",
    [
        {"seed": 5, "temperature": 2.0},
        {"do_sample": False},
        {"num_beams": 3},
        {"seed": 1, "temperature": 2.0, "top_k": 2},
    ],
)
def test_probabilities_are_the_models_own(name, options):
    model = MODELS[name]()

    found = generate(model, "a unheard", max_new_tokens=6, repetition_penalty=1.3, **options)[0]

    assert len(found.log10_probs) == len(found.tokens) + found.finished <= 6
    whole = model.log_prob([*found.prompt.split(), *found.tokens], eos=found.finished)
    assert found.log10_prob == pytest.approx(whole - model.log_prob("a unheard", eos=False), abs=1e-5)


def test_a_text_by_hand():
    found = chains(start="b", b="d", d="end").generate(do_sample=False)

    assert found == [Generation("", ["b", "d"], [0.0, 0.0, 0.0], True, [])]
    assert found[0].text == "b d"
    assert chains(start="b", b="d", d="end").generate("  c   b ")[0].text == "c b d"


def test_it_goes_to_json():
    model = unigrams(a=0.25, b=0.25, end=0.5)

    found = model.generate(["a", "zebra"], do_sample=False)[0]

    assert json.loads(json.dumps(found.to_json())) == {
        "prompt": "a zebra",
        "text": "a zebra",
        "tokens": [],
        "log10_prob": pytest.approx(math.log10(0.5)),
        "log10_probs": [pytest.approx(math.log10(0.5))],
        "finished": True,
        "unknown": ["zebra"],
    }


def test_it_stops_after_max_new_tokens():
    model = unigrams(a=0.6, b=0.3, end=0.1)

    found = model.generate(do_sample=False, max_new_tokens=4)[0]

    assert (found.tokens, found.finished) == (["a"] * 4, False)


def test_without_an_end_it_goes_on():
    model = unigrams(a=0.1, b=0.1, end=0.8)
    model.predicts_end = False

    for options in {"seed": 1}, {"num_beams": 2}:
        found = model.generate(max_new_tokens=30, **options)[0]
        assert (len(found.tokens), found.finished) == (30, False)


@pytest.mark.parametrize("options", [{"seed": 3}, {"do_sample": False}, {"num_beams": 2}])
def test_a_dead_end_leaves_it_unfinished(options):
    found = chains(start="a", a="c").generate(**options)[0]

    assert (found.tokens, found.finished, found.log10_prob) == (["a", "c"], False, 0)
    nothing = chains(b="c").generate(**options)[0]
    assert (nothing.text, nothing.log10_probs, nothing.finished) == ("", [], False)


def test_marks_never_appear_and_unk_only_when_asked():
    model = unigrams(a=0.1, unk=0.9)
    model.table[:, BOS] = 5  # as no model should

    assert set(model.generate(max_new_tokens=50, seed=1)[0].tokens) == {"a"}
    assert set(model.generate(max_new_tokens=50, seed=1, allow_unknown=True)[0].tokens) == {"a", "<unk>"}
    assert model.generate(max_new_tokens=2, num_beams=3)[0].tokens == ["a", "a"]
    assert model.generate(max_new_tokens=2, num_beams=3, allow_unknown=True)[0].tokens == ["<unk>", "<unk>"]


@pytest.mark.parametrize("prompt", [None, 5, b"a", {"a": 1}, ["a", None], [["a"]], ["a b"]], ids=repr)
def test_what_is_no_prompt_is_refused(prompt: Any) -> None:
    model = MODELS[next(iter(MODELS))]()
    with pytest.raises(DataError, match=r"^the prompt: "):
        model.generate(prompt)


def test_unknown_words_of_the_prompt_are_listed():
    model = unigrams(a=0.5, end=0.5)

    assert model.generate("zebra a <unk> okapi zebra", seed=1)[0].unknown == ["zebra", "okapi"]
    with pytest.raises(MissingWordError, match="'zebra' is not in the vocabulary"):
        model.generate("a zebra", strict=True)
    assert model.generate("a <unk>", strict=True, seed=1)[0].unknown == []


def test_words_are_streamed_as_they_come():
    streamed: list[str] = []
    model = ToyLM.random(4)

    found = model.generate("a", seed=2, streamer=streamed.append)[0]

    assert streamed == found.tokens
    for options in {"num_beams": 2}, {"num_return_sequences": 2}:
        with pytest.raises(OptionError, match="a streamer follows one text"):
            model.generate(streamer=streamed.append, **options)


# --- drawing


def reshaped(probs, seen=(), temperature=1.0, top_k=0, top_p=1.0, repetition_penalty=1.0):
    """The distribution that is drawn from, by its definition."""
    weights = {word: p for word, p in enumerate(probs.tolist()) if word not in (UNK, BOS)}
    weights = {word: p**repetition_penalty if word in seen else p for word, p in weights.items()}
    weights = {word: p ** (1 / temperature) for word, p in weights.items()}
    ranked = sorted(weights, key=lambda word: (-weights[word], word))[: top_k or None]
    total = sum(weights[word] for word in ranked)
    kept, mass = [], 0.0
    for word in ranked:
        if mass >= top_p * total:
            break
        kept.append(word)
        mass += weights[word]
    return {word: weights[word] / mass for word in kept}


def draws(model: LanguageModel, prompt: str, count: int, **options) -> Counter[int]:
    found = model.generate(prompt, max_new_tokens=1, num_return_sequences=count, **options)
    return Counter(EOS if text.finished else model.vocabulary.id_of(text.tokens[0]) for text in found)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"temperature": 0.5},
        {"temperature": 3.0},
        {"top_k": 3},
        {"top_p": 0.6},
        {"repetition_penalty": 1.7},
        {"temperature": 1.5, "top_k": 4, "top_p": 0.8, "repetition_penalty": 0.6},
    ],
)
def test_words_are_drawn_as_often_as_they_should(options):
    model = ToyLM.random(12)
    expected = reshaped(model.table[C], {B, C}, **options)

    found = draws(model, "b c", 4000, seed=8, **options)

    assert found.keys() <= expected.keys()
    observed = [found[word] for word in expected]
    assert chisquare(observed, [4000 * p for p in expected.values()]).pvalue > 0.01


def test_the_temperature_comes_before_top_p():
    model = unigrams(a=0.6, b=0.3, c=0.1)

    assert draws(model, "", 300, seed=1, top_p=0.6).keys() == {A}
    assert draws(model, "", 300, seed=1, top_p=0.6, temperature=2.0).keys() == {A, B}  # 0.473, 0.334, 0.193


def test_top_p_is_of_what_top_k_left():
    model = unigrams(a=0.4, b=0.3, c=0.2, d=0.1)

    assert draws(model, "", 300, seed=1, top_k=2, top_p=0.5).keys() == {A}  # 4/7
    assert draws(model, "", 300, seed=1, top_p=0.5).keys() == {A, B}


def test_among_equals_the_first_ids_are_kept():
    model = unigrams(a=0.25, b=0.25, c=0.25, d=0.25)

    assert draws(model, "", 300, seed=1, top_k=2).keys() == {A, B}
    assert draws(model, "", 300, seed=1, top_p=0.5).keys() == {A, B}
    assert draws(model, "", 300, seed=1, top_p=0.51).keys() == {A, B, C}
    assert draws(model, "", 300, seed=1, top_p=0).keys() == {A}
    assert draws(model, "", 300, seed=1, top_k=99).keys() == {A, B, C, D}


def test_extreme_temperatures():
    model = unigrams(a=0.4, b=0.35, c=0.25, d=0.0)

    assert draws(model, "", 200, seed=1, temperature=1e-300).keys() == {A}
    hot = draws(model, "", 3000, seed=1, temperature=1e300)
    assert hot.keys() == {A, B, C}
    assert chisquare([hot[word] for word in (A, B, C)]).pvalue > 0.01


def test_a_seed_draws_the_same_again():
    model = ToyLM.random(7)

    texts = [text.text for text in model.generate(seed=11, num_return_sequences=20)]

    assert [text.text for text in model.generate(seed=11, num_return_sequences=20)] == texts
    assert [text.text for text in model.generate(seed=11, num_return_sequences=5)] == texts[:5]
    assert len(set(texts)) > 5
    assert [text.text for text in model.generate(seed=12, num_return_sequences=20)] != texts


def test_global_random_numbers_are_left_alone():
    np.random.seed(1)
    expected = np.random.random()
    np.random.seed(1)
    ToyLM.random(7).generate(seed=3)

    assert np.random.random() == expected


def test_batches():
    model = ToyLM.random(7)

    batch = generate_batch(model, ["a", "b c", ""], seed=4, num_return_sequences=2)

    assert [[text.prompt for text in texts] for texts in batch] == [["a"] * 2, ["b c"] * 2, [""] * 2]
    assert batch[0] == generate(model, "a", seed=4, num_return_sequences=2)
    assert batch[:2] == generate_batch(model, ["a", "b c"], seed=4, num_return_sequences=2)
    same = generate_batch(model, [""] * 8, seed=4)
    assert len({texts[0].text for texts in same}) > 2


# --- penalties


def test_repetition_costs():
    model = unigrams(a=0.4, b=0.33, c=0.27)

    assert model.generate("a", do_sample=False, max_new_tokens=2)[0].tokens == ["a", "a"]
    # 0.4 ** 2 is below 0.33; 0.33 ** 2 below 0.27; then 0.4 ** 2 is the most
    found = model.generate("a", do_sample=False, max_new_tokens=3, repetition_penalty=2.0)[0]
    assert found.tokens == ["b", "c", "a"]
    assert found.log10_probs == pytest.approx(np.log10([0.33, 0.27, 0.4]))


@pytest.mark.parametrize("options", [{"seed": 2}, {"do_sample": False}, {"num_beams": 3}])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_no_ngram_comes_twice(size, options):
    model = ToyLM.random(3)
    model.predicts_end = False
    prompt = "a b a"

    found = model.generate(prompt, max_new_tokens=60, no_repeat_ngram_size=size, **options)[0]

    words = found.text.split()
    ngrams = Counter(tuple(words[place : place + size]) for place in range(len(words) - size + 1))
    of_prompt = Counter(tuple(prompt.split()[place : place + size]) for place in range(len(prompt.split()) - size + 1))
    assert all(count == 1 or ngram in of_prompt for ngram, count in ngrams.items())
    assert all(ngrams[ngram] == count for ngram, count in of_prompt.items())
    if size == 1:  # two words are left
        assert sorted(found.tokens) == ["c", "d"]


# --- beams


def greedy(model: LanguageModel, **options) -> list[Generation]:
    return model.generate("a", do_sample=False, **options)


@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(25))
def test_one_beam_is_greedy(seed, length_penalty):
    model = ToyLM.random(seed)
    options = DecodingOptions(8, do_sample=False, num_beams=1, length_penalty=length_penalty, never=[UNK, BOS])

    found = beam_search(model, Hypothesis(model.start([BOS, A]), (BOS, A)), options)[0]

    expected = greedy(model, max_new_tokens=8)[0]
    assert [model.vocabulary.words[word] for word in found.ids[2:]] == expected.tokens
    assert (list(found.log10_probs), found.finished) == (expected.log10_probs, expected.finished)


def all_texts(model: ToyLM, ids: tuple[int, ...], log10_prob: float, length: int) -> Iterator[tuple[float, int, str]]:
    """Each text of at most that many more steps: its log10 probability, its steps and its words."""
    steps, text = len(ids) - 1, model.vocabulary.decode(ids[1:])
    if not length:
        yield log10_prob, steps, " ".join(text)
        return
    for word, probability in enumerate(model.distribution(ids[-1]).tolist()):
        if word == EOS:
            yield log10_prob + math.log10(probability), steps + 1, " ".join([*text, "</s>"])
        elif word not in (UNK, BOS):
            yield from all_texts(model, (*ids, word), log10_prob + math.log10(probability), length - 1)


@pytest.mark.parametrize("length_penalty", [0.0, 0.7, 1.0, 2.0, -1.0])
@pytest.mark.parametrize("seed", range(4))
def test_enough_beams_find_the_best_texts(seed, length_penalty):
    model = ToyLM.random(seed)
    ranks = {text: score / steps**length_penalty for score, steps, text in all_texts(model, (BOS,), 0.0, 4)}

    found = model.generate(
        num_beams=len(ranks), num_return_sequences=40, max_new_tokens=4, length_penalty=length_penalty
    )

    texts = [" ".join([*text.tokens, *["</s>"] * text.finished]) for text in found]
    assert len(set(texts)) == 40
    # Compared by rank: "b d b b" and "b b d b" are equally probable.
    assert [ranks[text] for text in texts] == pytest.approx(sorted(ranks.values(), reverse=True)[:40])


def test_beams_find_what_greedy_misses():
    table = np.zeros((8, 7))
    table[BOS, [A, B]] = 0.6, 0.4
    table[A, [EOS, C, D]] = 0.4, 0.3, 0.3  # 0.24
    table[B, [EOS, C]] = 0.9, 0.1  # 0.36
    table[[C, D], EOS] = 1
    model = ToyLM(table)

    assert model.generate(do_sample=False)[0].text == "a"
    assert [text.text for text in model.generate(num_beams=2, num_return_sequences=2)] == ["b", "a"]


def test_an_end_takes_no_beam_away():
    table = np.zeros((8, 7))
    table[BOS, [EOS, A, B]] = 0.5, 0.3, 0.2
    table[A, [A, B, C, D]] = 0.25
    table[B, EOS] = 1

    assert [text.text for text in ToyLM(table).generate(num_beams=2, num_return_sequences=2)] == ["", "b"]


def test_beams_go_on_while_one_is_better_than_the_worst_end():
    table = np.zeros((8, 7))
    table[BOS, [EOS, A, B]] = 0.5, 0.4, 0.1
    table[A, [EOS, C]] = 0.1, 0.9
    table[[B, C], EOS] = 1

    found = ToyLM(table).generate(num_beams=2, num_return_sequences=2, length_penalty=0.0)

    # After two steps "" and "b" have ended, with 0.5 and 0.1, and "a c" stands at 0.36.
    assert [(text.text, text.finished) for text in found] == [("", True), ("a c", True)]


def test_the_length_penalty_decides_between_short_and_long():
    table = np.zeros((8, 7))
    table[BOS, [EOS, A]] = 0.5, 0.5
    table[A, [EOS, B]] = 0.1, 0.9
    table[B, [EOS, C]] = 0.1, 0.9
    table[C, EOS] = 1
    model = ToyLM(table)

    assert model.generate(num_beams=3, length_penalty=0)[0].text == ""
    assert model.generate(num_beams=3, length_penalty=2)[0].text == "a b c"


@pytest.mark.parametrize("width", [2, 3, 5, 9])
def test_texts_of_beams_differ_and_fall(width):
    found = ToyLM.random(5).generate("b", num_beams=width, num_return_sequences=width, max_new_tokens=7)

    assert len({(text.text, text.finished) for text in found}) == len(found)
    ranks = [text.log10_prob / len(text.log10_probs) for text in found]
    assert ranks == sorted(ranks, reverse=True)


# --- options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_new_tokens": 0}, "max_new_tokens = 0 is out of range"),
        ({"max_new_tokens": 2.5}, "max_new_tokens = 2.5 must be a whole number"),
        ({"temperature": 0}, "temperature = 0 is out of range"),
        ({"temperature": -1.0}, "temperature = -1.0"),
        ({"temperature": math.nan}, "temperature = nan"),
        ({"temperature": math.inf}, "temperature = inf"),
        ({"top_k": -1}, "top_k = -1"),
        ({"top_k": 1.5}, "top_k = 1.5"),
        ({"top_p": 1.1}, "top_p = 1.1"),
        ({"top_p": "much"}, "top_p = 'much' must be a number"),
        ({"num_beams": 0}, "num_beams = 0"),
        ({"length_penalty": 1000, "num_beams": 2}, "length_penalty = 1000"),
        ({"num_return_sequences": 0}, "num_return_sequences = 0"),
        ({"num_return_sequences": 3, "num_beams": 2}, "num_return_sequences = 3 without sampling"),
        ({"num_return_sequences": 2, "do_sample": False}, "try num_beams = 2 or do_sample = True"),
        ({"num_beams": 2, "do_sample": True}, "num_beams = 2 searches and do_sample draws"),
        ({"repetition_penalty": 0}, "repetition_penalty = 0"),
        ({"no_repeat_ngram_size": -2}, "no_repeat_ngram_size = -2"),
        ({"seed": -1}, "seed = -1"),
        ({"seed": "x"}, "seed = 'x' must be a whole number"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(OptionError, match=message) as caught:
        ToyLM.random(1).generate(**options)
    assert "\n" not in str(caught.value)


def test_generators_serve_as_seeds():
    assert ToyLM.random(1).generate(seed=np.random.default_rng(3)) == ToyLM.random(1).generate(seed=3)


def test_ids_are_as_in_the_vocabulary():
    assert ToyLM.random(0).vocabulary.words == [*SPECIALS, *WORDS]
