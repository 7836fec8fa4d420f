from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.base import clone

from tests.lm.contract import ToyLM, mixture, random_stream, reopened, toy_vocabulary, with_cache
from windrow import NGramLM, load
from windrow.corpus import Corpus
from windrow.errors import DataError, FormatError, OptionError, WindrowError
from windrow.files import kinds
from windrow.lm.base import LanguageModel
from windrow.lm.cache import CacheLM
from windrow.lm.mixture import _COMPONENTS, MixtureLM, em_weights
from windrow.lm.stream import first_tokens
from windrow.lm.symbols import BOS, EOS, SPECIALS
from windrow.models import model_class

TOYLAND = Path(__file__).parents[2] / "corpora" / "toyland"


def unigrams(*probabilities: float) -> ToyLM:
    """The same distribution over </s>, a, b, c, d everywhere."""
    return ToyLM(np.tile([0, 0, *probabilities], (8, 1)))


def drawn(model: Any, sentences: int, seed: int) -> list[list[str]]:
    """Text from a model, at most 30 words per sentence."""
    rng, text = np.random.default_rng(seed), []
    for _ in range(sentences):
        state, words = model.start([BOS]), []
        while len(words) < 30:
            word_id = int(rng.choice(len(model.vocabulary), p=model.distribution(state)))
            if word_id == EOS:
                break
            words.append(model.vocabulary.words[word_id])
            state = model.advance(state, word_id)
        text.append(words)
    return text


FIRST, SECOND = unigrams(0.2, 0.5, 0.2, 0.05, 0.05), unigrams(0.1, 0.1, 0.1, 0.3, 0.4)


@pytest.fixture(scope="module")
def heldout() -> Corpus:
    """Text of a known mixture."""
    return Corpus.build(drawn(MixtureLM([FIRST, SECOND], [0.3, 0.7]), 1500, 5))


# --- mixing


def test_linear_by_hand() -> None:
    mixed = MixtureLM([FIRST, SECOND], [0.25, 0.75])

    p_a, p_d, p_end = 0.25 * 0.5 + 0.75 * 0.1, 0.25 * 0.05 + 0.75 * 0.4, 0.25 * 0.2 + 0.75 * 0.1
    assert mixed.log_prob("a d") == pytest.approx(np.log10(p_a * p_d * p_end))


def test_log_linear_by_hand() -> None:
    mixed = MixtureLM([FIRST, SECOND], [0.5, 0.8], "log-linear")

    products = FIRST.table[0] ** 0.5 * SECOND.table[0] ** 0.8
    np.testing.assert_allclose(mixed.next_word_distribution("a"), products / products.sum())


def test_equal_weights_are_the_default() -> None:
    np.testing.assert_allclose(MixtureLM([FIRST, SECOND, FIRST]).weights_, [1 / 3] * 3)


@pytest.mark.parametrize("method", ["linear", "log-linear"])
def test_a_weight_of_zero_leaves_a_model_out(method: str) -> None:
    impossible = unigrams(1, 0, 0, 0, 0)
    mixed = MixtureLM([impossible, FIRST], [0, 1], method)

    ids = random_stream(1, 4)[:4]
    np.testing.assert_allclose(mixed.distribution(mixed.start()), FIRST.table[0])
    np.testing.assert_allclose(mixed.score_stream(ids), FIRST.score_stream(ids))


def test_words_that_no_model_gives_have_probability_zero() -> None:
    mixed = MixtureLM([unigrams(0.5, 0.5, 0, 0, 0), unigrams(0.5, 0.25, 0.25, 0, 0)])

    assert mixed.log_prob("c") == -np.inf
    assert mixed.log_prob("b") == pytest.approx(np.log10(0.125 * 0.5))


def test_the_order_of_words_may_differ() -> None:
    first, second = ToyLM.random(1), ToyLM.random(2, "dabc")
    mixed = MixtureLM([first, second], [0.3, 0.7])

    assert mixed.vocabulary.words == [*SPECIALS, *"abcd"]
    for context in ("", "a", "d b"):
        row = mixed.next_word_distribution(context)
        rows = [model.next_word_distribution(context) for model in (first, second)]
        for place, word in enumerate(mixed.vocabulary.words):
            expected = 0.3 * rows[0][place] + 0.7 * rows[1][second.vocabulary.id_of(word)]
            assert row[place] == pytest.approx(expected)


def test_a_cache_lowers_the_perplexity_of_repetitive_text() -> None:
    model = ToyLM.random(1)
    text = [" ".join([word] * 15) for word in "adbc"]

    assert MixtureLM([model, CacheLM(toy_vocabulary(), 8)]).fit(text).perplexity(text) < 0.8 * model.perplexity(text)


# --- fitting


def test_em_finds_the_weights_of_the_text(heldout: Corpus) -> None:
    found = MixtureLM([FIRST, SECOND]).fit(heldout)

    assert found.weights_ == pytest.approx([0.3, 0.7], abs=0.03)
    assert found.weights_.sum() == pytest.approx(1)


def test_em_finds_the_maximum(heldout: Corpus) -> None:
    """A general optimizer agrees."""

    def perplexity(weight: np.ndarray) -> float:
        return MixtureLM([FIRST, SECOND], [weight[0], 1 - weight[0]]).perplexity(heldout)

    best = minimize(perplexity, [0.5], bounds=[(0, 1)], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-12})
    found = MixtureLM([FIRST, SECOND]).fit(heldout)

    assert found.weights_[0] == pytest.approx(best.x[0], abs=2e-3)
    assert found.perplexity(heldout) == pytest.approx(best.fun, rel=1e-6)
    assert found.history_[-1] == pytest.approx(found.perplexity(heldout), rel=1e-9)


@given(seed=st.integers(0, 999), models=st.integers(1, 4), holes=st.booleans())
@settings(max_examples=40, deadline=None)
def test_em_never_lowers_the_likelihood(seed: int, models: int, holes: bool) -> None:
    rng = np.random.default_rng(seed)
    log10_probs = np.log10(rng.gamma(0.3, size=(models, 50)) + 1e-30)
    if holes:
        log10_probs[rng.random(log10_probs.shape) < 0.3] = -np.inf
    start = rng.dirichlet(np.ones(models))

    weights, gains = em_weights(log10_probs, start)

    assert np.diff(gains).min(initial=0) >= -1e-12
    assert weights.sum() == pytest.approx(1)
    possible = log10_probs[:, np.isfinite(log10_probs).any(axis=0)]
    assert np.log10(weights @ 10**possible).mean() >= np.log10(start @ 10**possible).mean() - 1e-12


def test_probabilities_too_small_for_double_precision_count() -> None:
    weights, gains = em_weights(np.array([[-400.0, -500.0], [-401.0, -500.5]]), np.array([0.5, 0.5]))

    assert weights[0] > 0.99
    assert gains[-1] == pytest.approx(-450, abs=0.01)


def test_log_linear_weights_are_the_best_of_a_grid(heldout: Corpus) -> None:
    small = Corpus.build(list(heldout.sentences())[:60])
    found = MixtureLM([FIRST, SECOND], method="log-linear").fit(small)

    grid = np.linspace(0, 1, 101)
    perplexities = [MixtureLM([FIRST, SECOND], [w, 1 - w], "log-linear").perplexity(small) for w in grid]

    assert found.weights_[0] == pytest.approx(grid[np.argmin(perplexities)], abs=0.01)
    assert found.perplexity(small) <= min(perplexities) * (1 + 1e-6)


def test_the_log_linear_search_looks_at_the_beginning(heldout: Corpus) -> None:
    beginning = Corpus.build(list(heldout.sentences())[:40])
    tokens = beginning.tokens + len(beginning)

    searched = MixtureLM([FIRST, SECOND], method="log-linear").fit(heldout, search_tokens=tokens)

    expected = MixtureLM([FIRST, SECOND], method="log-linear").fit(beginning)
    assert searched.weights_ == pytest.approx(expected.weights_, abs=1e-9)
    with pytest.raises(OptionError, match="search_tokens = 0 is out of range"):
        searched.fit(heldout, search_tokens=0)


@pytest.mark.parametrize("tokens", range(1, 12))
def test_the_first_tokens_of_blocks(tokens: int) -> None:
    blocks = [np.array([BOS, 5, 6, EOS, BOS, 7, EOS]), np.array([BOS, EOS]), np.array([BOS, 5, EOS])]

    found = np.concatenate(list(first_tokens(iter(blocks), tokens)))

    assert found.tolist() == np.concatenate(blocks)[: len(found)].tolist()
    assert (found != BOS).sum() == min(tokens, 8)


@pytest.mark.parametrize("method", ["linear", "log-linear"])
def test_text_that_no_model_thinks_possible(method: str) -> None:
    only_a = unigrams(0.5, 0.5, 0, 0, 0)
    only_a.predicts_end = False
    mixed = MixtureLM([only_a, only_a], method=method)

    with pytest.raises(DataError, match="probability"):
        mixed.fit(["c c", "d"])


def test_models_without_a_word_in_common() -> None:
    mixed = MixtureLM([unigrams(0, 1, 0, 0, 0), unigrams(0, 0, 1, 0, 0)], method="log-linear")

    with pytest.raises(DataError, match="under all models at once; try smoothed models"):
        mixed.next_word_distribution()


def test_fitting_begins_with_the_weights_given(heldout: Corpus) -> None:
    fitted = MixtureLM([FIRST, SECOND], [0.9, 0.1]).fit(heldout)

    before = MixtureLM([FIRST, SECOND], [0.9, 0.1]).perplexity(heldout)
    assert fitted.history_[0] == pytest.approx(before, rel=1e-12)
    assert fitted.fit(heldout).history_[0] == pytest.approx(before, rel=1e-12)  # again, not from where it ended
    assert fitted.set_params(weights=[0.2, 0.8]).weights_.tolist() == [0.2, 0.8]


# --- mistakes


# --- models of different vocabularies


def naive_union(models: list[ToyLM], weights: list[float], words: list[str], last: str) -> dict[str, float]:
    """p(word | last) of a linear mixture, from the definition."""
    mixed = dict.fromkeys(words, 0.0)
    for model, weight in zip(models, weights, strict=True):
        own = model.vocabulary.words
        lacking = [word for word in words if word not in own]
        row = model.table[own.index(last) if last in own else own.index("<unk>")]
        for word in words:
            if word in lacking or word == "<unk>":
                mixed[word] += weight * row[own.index("<unk>")] / (len(lacking) + 1)
            else:
                mixed[word] += weight * row[own.index(word)]
    return mixed


@given(st.integers(0, 50), st.sampled_from(["abc", "a", "abcd", "de"]), st.sampled_from(["bda", "abc", "fg"]))
@settings(max_examples=30, deadline=None)
def test_a_mixture_over_the_union_of_words(seed: int, one: str, two: str) -> None:
    parts = [ToyLM.random(seed, one), ToyLM.random(seed + 1, two)]
    mixed = MixtureLM(parts, [0.3, 0.7])
    words = mixed.vocabulary.words
    assert sorted(words[3:]) == sorted({*one, *two})
    assert tuple(words[:3]) == SPECIALS
    for last in words[1:]:
        expected = naive_union(parts, [0.3, 0.7], words, last)
        found = mixed.distribution(mixed.start([mixed.vocabulary.id_of(last)]))
        assert found.sum() == pytest.approx(1)
        assert dict(zip(words, found, strict=True)) == pytest.approx(expected)
    text = [*one, *two, "unheard"]
    step_by_step = [mixed.next_word_distribution(text[:place])[mixed.vocabulary.encode([word])[0]]
                    for place, word in enumerate(text)]  # fmt: skip
    assert mixed.log_prob(text, eos=False) == pytest.approx(np.log10(step_by_step).sum())


def test_words_of_a_union_are_ordered_by_their_counts() -> None:
    parts = [NGramLM(1, "witten-bell").fit(texts) for texts in (["a a a b b"], ["c c c c b b"])]
    mixed = MixtureLM(parts)
    assert mixed.vocabulary.words == [*SPECIALS, "b", "c", "a"]  # of equal counts the word of the first model
    assert mixed.vocabulary.counts[3:].tolist() == [4, 4, 3]
    assert MixtureLM(parts[:1]).vocabulary is parts[0].vocabulary


def test_weights_over_different_vocabularies_are_fitted(tmp_path: Path) -> None:
    """Text of the second domain asks for the second model; words of both are known."""
    parts = [NGramLM(2, "witten-bell").fit(texts) for texts in (["a b a b"] * 5, ["x y b y"] * 5)]
    mixed = MixtureLM(parts).fit(["x y b y", "x y"])
    assert mixed.weights_[1] > 0.9
    again = reopened(mixed, tmp_path / "m")
    assert again.log_prob("a x y") == mixed.log_prob("a x y") > -np.inf


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "a mixture needs a model"),
        ((FIRST,), "takes a list of language models, not ToyLM"),
        (([FIRST, 5],), "takes a list of language models, not int"),
        ((["a.arpa", "b.arpa"],), "takes a list of language models, not str; windrow.load opens files"),
        (([FIRST, SECOND], [1.0]), r"weights = \[1.0\]: 2 models need 2 numbers"),
        (([FIRST, SECOND], [0.5, 0.6]), "sum to 1.1; those of a linear mixture sum to 1"),
        (([FIRST, SECOND], [1.5, -0.5]), "weights = -0.5 is out of range"),
        (([FIRST, SECOND], [0, 0], "log-linear"), "no weight is above 0"),
        (([FIRST, SECOND], None, "geometric"), "method = 'geometric' is not one of linear, log-linear"),
        (([FIRST, CacheLM(toy_vocabulary(), predicts_end=False)],), "model 1 and model 2 only one predicts </s>"),
    ],
)
def test_models_and_weights_that_do_not_go_together(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(OptionError, match=message) as caught:
        MixtureLM(*arguments)
    assert "\n" not in str(caught.value)


def test_log_linear_weights_of_three_models_are_not_fitted() -> None:
    with pytest.raises(OptionError, match="can be fitted to two models, not 3"):
        MixtureLM([FIRST, SECOND, FIRST], method="log-linear").fit(["a b"])


def test_scores_that_are_no_probabilities_are_not_fitted() -> None:
    text = ["a b c", "b a d"]
    parts = [NGramLM(2, smoothing).fit(text) for smoothing in ("witten-bell", "stupid-backoff")]
    with pytest.raises(OptionError, match=r"the scores of model 2 sum to 1\.\d+, not 1"):
        MixtureLM(parts).fit(text)


# --- files


def test_fitted_weights_are_kept(tmp_path: Any, heldout: Corpus) -> None:
    fitted = MixtureLM([FIRST, SECOND]).fit(heldout)

    loaded = reopened(fitted, tmp_path / "m.safetensors")

    assert isinstance(loaded, MixtureLM)
    np.testing.assert_array_equal(loaded.weights_, fitted.weights_)
    assert [type(model) for model in reopened(with_cache(), tmp_path / "c.safetensors").models] == [ToyLM, CacheLM]


@pytest.mark.parametrize(
    "damage",
    [{"models": None}, {"models": [{"kind": "toy-lm"}]}, {"weights": [2, -1]}, {"weights": None, "method": 3}],
)
def test_a_damaged_description_is_refused(damage: dict[str, Any]) -> None:
    stored = mixture("linear").to_stored()

    with pytest.raises(FormatError, match="m: the description of the mixture is damaged"):
        MixtureLM.from_stored(replace(stored, config={**stored.config, **damage}), "m")


def test_a_part_of_an_unknown_kind_is_refused() -> None:
    stored = mixture("linear").to_stored()
    stored.config["models"][1]["kind"] = "oracle"

    with pytest.raises(FormatError, match="m holds a language model of the unknown kind 'oracle'"):
        MixtureLM.from_stored(stored, "m")


def test_a_mixture_of_ngrams_in_a_mixture_opens_by_its_kind(tmp_path: Path) -> None:
    text = ["a b c", "b a d", "", "c a b a"]
    inner = MixtureLM([NGramLM(order, "witten-bell").fit(text) for order in (1, 3)], [0.4, 0.6])
    outer = MixtureLM([inner, CacheLM(inner.vocabulary, 5)], [0.5, 1.5], "log-linear")
    outer.save(tmp_path / "m.safetensors")

    loaded = load(tmp_path / "m.safetensors")

    ids = random_stream(2, 6)
    assert [model.table_.order for model in loaded.models[0].models] == [1, 3]
    np.testing.assert_allclose(loaded.score_stream(ids), outer.score_stream(ids), rtol=1e-12)
    assert loaded.generate(seed=3) == outer.generate(seed=3)


def test_a_clone_mixes_the_same_models() -> None:
    fitted = MixtureLM([FIRST, SECOND], [0.9, 0.1]).fit(["a b", "d d d"])

    copy = clone(fitted)

    assert copy.models == [FIRST, SECOND]
    assert copy.weights_.tolist() == [0.9, 0.1]


# --- the corpus whose truth is known


@pytest.mark.parametrize(
    ("parts", "gain"),
    [
        ([(1, "modified-kneser-ney"), (3, "modified-kneser-ney")], 0.0),
        ([(5, "witten-bell"), (5, "modified-kneser-ney")], 0.01),
    ],
)
def test_a_mixture_of_ngrams_is_no_worse_than_its_best(parts: list[tuple[int, str]], gain: float) -> None:
    models = [
        NGramLM(order, smoothing, discount_fallback=smoothing != "witten-bell").fit(TOYLAND / "train.txt")
        for order, smoothing in parts
    ]

    mixed = MixtureLM(models).fit(TOYLAND / "valid.txt")

    best = min(model.perplexity(TOYLAND / "valid.txt") for model in models)
    assert mixed.perplexity(TOYLAND / "valid.txt") <= best * (1 - gain) * (1 + 1e-6)


def test_what_is_refused_leaves_a_mixture_as_it_was():
    parts = [NGramLM(order, "witten-bell").fit(["a b", "b a a"]) for order in (1, 2)]
    mixture = MixtureLM(parts, [0.25, 0.75])
    for change in (
        lambda: mixture.set_params(weights=[2, 3]),
        lambda: mixture.set_params(method="magic"),
        lambda: mixture.set_params(weights=[0.5, 0.5], other=1),
        lambda: mixture.fit([]),
        lambda: mixture.fit(["a b"], search_tokens=5),
    ):
        with pytest.raises(WindrowError):
            change()
        assert mixture.get_params() == {"models": parts, "weights": [0.25, 0.75], "method": "linear"}
        assert mixture.weights_.tolist() == [0.25, 0.75]


def test_every_language_model_of_ours_may_be_a_component() -> None:
    """Whoever opens a mixture need not have imported what it holds."""
    ours = {model_class(kind) for kind in kinds.MODELS if issubclass(model_class(kind), LanguageModel)}
    assert {*_COMPONENTS, MixtureLM} == ours
