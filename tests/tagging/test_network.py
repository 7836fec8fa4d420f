"""The network against windows made one by one, and its gradients against central differences."""

from __future__ import annotations

import numpy as np
import pytest

from tests.naive import tagging as naive
from windrow.nn.gradients import numeric_gradient, relative_error
from windrow.tagging.lexicon import BEGIN, END, Lexicon, Reading, build_lexicon
from windrow.tagging.network import TagNetwork, WindowLayer, WordLookUp
from windrow.tagging.schemes import possible_transitions, tags_for
from windrow.tagging.tag_outputs import FORBIDDEN, OUTPUTS, CrfOutput, LogisticOutput, initial_transitions
from windrow.tagging.windows import windows_of

SENTENCES = [["In", "Rome", "and", "Rome"], ["Yes"], [], ["In", "1984", "yes", "Oslo", "In"]]
TAGS = tags_for(["LOC"], "iobes")


def lexicon_and_own() -> tuple[Lexicon, int]:
    return build_lexicon(SENTENCES, {"rome": 0, "oslo": 1}, Reading(affixes=(2,)), min_count=1)


def network(output: str, *, frozen: bool, dropout: float = 0.0, activation: str = "tanh") -> TagNetwork:
    lexicon, own = lexicon_and_own()
    rng = np.random.default_rng(2)
    vectors = rng.normal(0, 0.5, (len(lexicon.words), 3))
    words = WordLookUp(vectors[:own], vectors[own:]) if frozen else WordLookUp(vectors, None)
    made = TagNetwork(
        words,
        lexicon.feature_rows,
        lexicon.reading.slots,
        OUTPUTS[output](initial_transitions(TAGS, possible_transitions(["LOC"], "iobes"))),
        feature_size=2,
        window=3,
        hidden_size=4,
        activation=activation,
        dropout=dropout,
        rng=rng,
    )
    moving = made.parameters.values > FORBIDDEN
    made.parameters.values[moving] += rng.normal(0, 0.1, moving.sum())  # so that biases are not 0
    return made


def targets() -> np.ndarray:
    names = ["O", "S-LOC", "O", "S-LOC", "O", "O", "O", "B-LOC", "E-LOC", "O"]
    return np.array([TAGS.index(name) for name in names], np.int32)


@pytest.mark.parametrize("window", [1, 3, 5])
def test_windows_are_those_made_one_by_one(window: int) -> None:
    lexicon, _ = lexicon_and_own()
    rng = np.random.default_rng(4)
    layer = WindowLayer(3, window, 6, rng, np.float64)
    vectors = rng.normal(size=(len(lexicon.words), 3))
    found = windows_of(SENTENCES, lexicon, window)
    sums, _ = layer.forward(vectors[found.words], found.places, found.centers)
    ids = [lexicon.rows(sentence)[:, 0].tolist() for sentence in SENTENCES]
    begin, end = lexicon.words.index(BEGIN), lexicon.words.index(END)
    stacked = layer.weights.value.reshape(3, window, 6).transpose(1, 0, 2).reshape(window * 3, 6)
    np.testing.assert_allclose(sums, naive.window_sums(vectors, ids, stacked, window, begin, end), atol=1e-12)
    assert found.starts.tolist() == [0, 4, 5, 5, 10]
    assert len(found) == 10
    assert len(found.words) == 2 + len({token for sentence in SENTENCES for token in sentence})


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("output", list(OUTPUTS))
def test_gradients(output: str, frozen: bool) -> None:
    made = network(output, frozen=frozen)
    windows = windows_of(SENTENCES, lexicon_and_own()[0], 3)

    def loss() -> float:
        scores, _ = made.forward(windows)
        return made.output.loss(scores, targets(), windows.starts)[0]

    made.parameters.clear_gradients()
    given = made.add_gradient(windows, targets())
    found = {name: parameter.gradient.copy() for name, parameter in made.parameters.named.items()}
    for name, parameter in made.parameters.named.items():
        assert given == pytest.approx(loss())
        expected = numeric_gradient(loss, parameter.value)
        assert np.abs(expected).max() > 1e-4, name
        assert relative_error(found[name], expected) < 1e-6, name
    if not frozen:
        assert made.words.learning.value.shape == (len(lexicon_and_own()[0].words), 3)


def test_dropped_units_are_dropped_on_the_way_back_too() -> None:
    made = network("crf", frozen=False, dropout=0.4, activation="relu")
    windows = windows_of(SENTENCES, lexicon_and_own()[0], 3)
    state = made.dropouts[0].rng.bit_generator.state

    def loss() -> float:
        made.dropouts[0].rng.bit_generator.state = state  # the same units each time
        scores, _ = made.forward(windows, training=True)
        return made.output.loss(scores, targets(), windows.starts)[0]

    loss()
    made.parameters.clear_gradients()
    made.dropouts[0].rng.bit_generator.state = state
    made.add_gradient(windows, targets())
    weights = made.hidden.weights
    found = weights.gradient.copy()
    assert relative_error(found, numeric_gradient(loss, weights.value)) < 1e-6
    assert not np.allclose(made.forward(windows, training=True)[0], made.forward(windows)[0])


def test_the_loss_of_a_crf_is_the_share_of_the_path() -> None:
    rng = np.random.default_rng(3)
    output = CrfOutput(rng.normal(size=(5, 3)))
    scores, tags = rng.normal(size=(4, 3)), np.array([0, 2, 1, 1], np.int32)
    paths = naive.all_paths(scores, output.transitions.value)
    total = sum(np.exp(score) for score in paths.values())
    loss, _ = output.loss(scores, tags, np.array([0, 4]))
    assert loss == pytest.approx(-np.log(np.exp(paths[0, 2, 1, 1]) / total) / 4)


@pytest.mark.parametrize("output", ["crf", "softmax"])
def test_paths_keep_to_the_scheme(output: str) -> None:
    possible = possible_transitions(["A", "B"], "iobes")
    tags = tags_for(["A", "B"], "iobes")
    made = OUTPUTS[output](initial_transitions(tags, possible))
    scores = np.random.default_rng(8).normal(0, 5, (300, len(tags)))
    names = [tags[tag] for tag in made.decode(scores, np.array([0, 200, 300]))]
    for sentence in (names[:200], names[200:]):
        assert set(zip(["", *sentence], [*sentence, ""], strict=True)) <= possible
    assert len(set(names)) == len(tags)


def test_one_question_is_the_sigmoid_of_its_score() -> None:
    """The binary classifier of word windows: loss and decision by the formula."""
    output = LogisticOutput(2)
    scores, tags = np.array([[2.0], [-1.0], [0.5]]), np.array([1, 1, 0], np.int32)
    p = 1 / (1 + np.exp(-scores[:, 0]))
    loss, gradient = output.loss(scores, tags, np.array([0, 3]))
    assert loss == pytest.approx(-np.mean([np.log(p[0]), np.log(p[1]), np.log(1 - p[2])]))
    np.testing.assert_allclose(gradient[:, 0], (p - [1, 1, 0]) / 3)
    assert output.decode(scores, np.array([0, 3])).tolist() == [1, 0, 1]
