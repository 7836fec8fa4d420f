"""States of every language model: they compare and hash, give scores word by word, and take words or refuse them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.lm.contract import MODELS
from windrow import NGramLM
from windrow.errors import OptionError
from windrow.lm.base import LanguageModel
from windrow.lm.states import States
from windrow.lm.symbols import BOS, EOS, UNK


@pytest.fixture(params=[name for name in MODELS if name != "toy"])  # the tests' own model takes ids only
def model(request: pytest.FixtureRequest) -> LanguageModel:
    return MODELS[request.param]()


def known_words(model: LanguageModel) -> list[str]:
    return list(model.vocabulary.words[3:6])


def test_states_compare_and_hash(model: LanguageModel) -> None:
    a, b, *_ = known_words(model)
    one, same = (model.advance(model.start(), a) for _ in range(2))
    assert one == same
    assert (one != same) is False
    assert hash(one) == hash(same)
    assert len({one, same, model.advance(one, b)}) == 2
    assert one != "a state"


def test_scores_word_by_word_are_those_of_the_sentence(model: LanguageModel) -> None:
    words = [*known_words(model), "unheard", *["</s>"] * model.predicts_end]
    state, found = model.start(), []
    for word in words:
        before = state
        score, state = model.score_next(state, word)
        found.append(score)
        by_id = model.score_next(before, UNK if word == "unheard" else model.vocabulary.id_of(word))
        assert by_id == (score, state)
        assert model.advance(before, word) == state
    expected = [score.log10_prob for score in model.word_scores(words[:4])]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert model.score_next(state, "<s>")[0] == 0
    assert model.score_next(state, BOS)[1] == model.advance(state, BOS)


def test_several_states_at_once_are_scored_as_one_after_another(model: LanguageModel) -> None:
    a, b, c = known_words(model)
    words = [a, "unheard", "<s>", b, "</s>", a]
    states = [model.start(model.encode(text)) for text in ("", [a], [b, a], [a], [c], [c, c])]
    for given in (states, States(states), model.score_next_batch(states, words)[1]):
        scores, after = model.score_next_batch(given, words)
        expected = [model.score_next(state, word) for state, word in zip(given, words, strict=True)]
        assert scores.tolist() == [score for score, _ in expected]
        assert list(after) == [state for _, state in expected]
        ids = np.array([model.vocabulary.get(word, UNK) for word in words])
        for kind in (np.int64, np.int32, np.uint16):
            by_id = model.score_next_batch(given, ids.astype(kind))
            assert (by_id[0].tolist(), list(by_id[1])) == (scores.tolist(), list(after))
        rows = np.array([5, 0, 0])
        assert list(after[rows]) == [after[5], after[0], after[0]]
        assert list(after[np.arange(6) > 4]) == list(after[5:]) == [after[-1]]
    assert [len(part) for part in model.score_next_batch([], [])] == [0, 0]


@pytest.mark.parametrize(
    ("states", "words", "said"),
    [
        (2, ["a"], "each state needs a word: there are 2 states and 1 words"),
        (1, "a", "a word for each state is needed: several words or ids, not 'a'"),
        (1, 3, "a word for each state is needed"),
        (None, ["a"], r"several states are needed; give one as \[state\]"),
        (1, ["two words"], "'two words' is not one word"),
        (1, np.array([10**6]), "ids must be from 0 to"),
        (1, np.array([-1]), "ids must be from 0 to"),
        (1, np.array([0.5]), "a word or its id is needed, not 0.5"),
        ("x", ["a"], "the state is not of this model; begin with start"),
    ],
)
def test_what_does_not_fit_several_states(model: LanguageModel, states: object, words: object, said: str) -> None:
    given = [model.start()] * states if isinstance(states, int) else states
    with pytest.raises(OptionError, match=said):
        model.score_next_batch(given, words)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda model, state: model.score_next(state, "two words"), "'two words' is not one word; go on word by word"),
        (lambda model, state: model.score_next(state, ""), "'' is not one word"),
        (lambda model, state: model.advance(state, "two words"), "'two words' is not one word"),
        (lambda model, state: model.advance(state, -1), "ids must be from 0 to .*, not -1"),
        (lambda model, state: model.score_next(state, 10**6), "ids must be from 0 to .*, not 1000000"),
        (lambda model, state: model.score_next(state, 1.5), r"a word or its id is needed, not 1.5 \(float\)"),
        (lambda model, state: model.score_next(state, None), r"a word or its id is needed, not None"),
        (lambda model, state: model.advance(state, True), r"a word or its id is needed, not True"),
        (
            lambda model, state: model.start("two words"),
            r"start takes ids, such as those of model.encode\('two words'\)",
        ),
        (lambda model, state: model.start(["two", "words"]), "start takes ids, not words; those of model.encode"),
        (lambda model, state: model.start([10**6]), "ids must be from 0 to .*, not 1000000"),
        (lambda model, state: model.start(7), "start takes ids"),
    ],
)
def test_what_is_no_word_is_refused(model: LanguageModel, ask: object, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        ask(model, model.start())  # type: ignore[operator]


def test_the_state_of_another_model_is_refused() -> None:
    one, other = (NGramLM(order, "witten-bell").fit(["a b", "b a a"]) for order in (1, 3))
    for state in (other.start(), None, (1, 2)):
        with pytest.raises(OptionError, match="the state is not of this model; begin with start"):
            one.advance(state, "a")


def test_ends_may_be_ids_of_numpy(model: LanguageModel) -> None:
    for kind in (np.int32, np.int64):
        assert model.advance(model.start(np.array([BOS], kind)), kind(EOS)) == model.advance(model.start(), EOS)


@pytest.mark.parametrize("state", [None, "a", 5, np.zeros(3), NGramLM(7, "witten-bell").fit(["a b c d e f g"]).start()])
def test_states_that_are_not_of_the_model(model: LanguageModel, state: object) -> None:
    for word in (3, known_words(model)[0]):
        with pytest.raises(OptionError, match="the state is not of this model; begin with start"):
            model.advance(state, word)
        with pytest.raises(OptionError, match="the state is not of this model; begin with start"):
            model.score_next(state, word)
