"""Dynamic evaluation: a text is scored and learnt from, step by step."""

from __future__ import annotations

import numpy as np
import pytest

from tests.lm.neural.test_recurrent import small
from tests.lm.neural.test_window import TRAIN, VALID
from windrow.errors import NotFittedError, OptionError
from windrow.lm.neural.recurrent import RecurrentLM
from windrow.lm.neural.recurrent_network import score_and_learn
from windrow.lm.symbols import BOS
from windrow.nn.training.loop import Training
from windrow.nn.training.stopping import DivergedError

REPEATED = [TRAIN[0], TRAIN[1]] * 60


@pytest.fixture(scope="module", params=[("carry", "softmax"), ("reset", "nce")])
def model(request) -> RecurrentLM:
    state, output = request.param
    return small(state=state, output_layer=output, epochs=2).fit(TRAIN, valid=VALID)


def unlimited(model: RecurrentLM) -> RecurrentLM:
    """The model with no limit on the gradient, so that it can diverge."""
    return type(model).from_stored(model.to_stored(), "the model").set_params(clip=None)


def log_probs(model: RecurrentLM, text: list[str], rate: float) -> np.ndarray:
    """Of each target, by the training that evaluation goes through."""
    stream = np.concatenate(list(model.streams(text)))
    learning = type(model).from_stored(model.to_stored(), "the model")
    learning.set_params(optimizer="sgd", learning_rate=rate, batch_size=1)
    trainee = learning._trainee(stream, None)
    return score_and_learn(Training(trainee, learning._plan(None)), trainee)


def test_without_a_step_it_is_plain_evaluation(model):
    plain, dynamic = model.evaluate(VALID), model.evaluate(VALID, dynamic_rate=1e-12)

    assert (dynamic.tokens, dynamic.oov) == (plain.tokens, plain.oov)
    assert dynamic.log10_prob == pytest.approx(plain.log10_prob, rel=1e-5)


def test_it_learns_what_repeats_and_leaves_the_model_alone(model):
    before = model.perplexity(REPEATED)

    learnt = model.evaluate(REPEATED, dynamic_rate=0.5).perplexity

    assert learnt < 0.8 * before
    assert model.perplexity(REPEATED) == before
    assert model.evaluate(REPEATED, dynamic_rate=0.5).perplexity == learnt


def test_a_word_is_scored_before_it_is_learnt_from(model):
    """The scores of a step follow from the text before it; those of the first step are the plain ones."""
    scores = log_probs(model, REPEATED, 0.5)
    stream = np.concatenate(list(model.streams(REPEATED)))
    plain = model.score_stream(stream)[stream != BOS] * np.log(10)
    first_step, cut = model.bptt, len(REPEATED) // 2
    shorter = log_probs(model, REPEATED[:cut], 0.5)
    known = len(shorter) // model.bptt * model.bptt

    assert scores[:first_step] == pytest.approx(plain[:first_step], abs=1e-4)
    assert np.abs(scores[first_step : 3 * first_step] - plain[first_step : 3 * first_step]).max() > 1e-3
    assert scores[:known] == pytest.approx(shorter[:known], abs=1e-4)


def test_what_cannot_be(model):
    for rate in (0, -1, float("nan"), float("inf")):
        with pytest.raises(OptionError, match="dynamic_rate"):
            model.evaluate(VALID, dynamic_rate=rate)
    with pytest.raises(DivergedError, match="try dynamic_rate = "):
        unlimited(model).evaluate(VALID, dynamic_rate=1e30)
    with pytest.raises(OptionError, match="weights of 8 bits cannot learn"):
        model.quantized().evaluate(VALID, dynamic_rate=0.1)
    with pytest.raises(NotFittedError):
        RecurrentLM().evaluate(VALID, dynamic_rate=0.5)
