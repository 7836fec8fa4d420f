from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from windrow import NGramLM
from windrow.errors import DataError, OptionError
from windrow.viz import plot_next_words
from windrow.viz.next_words import tempered


@pytest.fixture(scope="module")
def model() -> NGramLM:
    return NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off", "a dog ran off", "the $dog$ sat"])


def test_bars_are_the_likeliest_words(model: NGramLM) -> None:
    (axes,) = plot_next_words(model, "the", k=4).axes
    words, probs = zip(*model.top_words("the", 4), strict=True)
    assert tuple(label.get_text() for label in axes.get_yticklabels()) == words
    assert "$dog$" in words
    assert [bar.get_width() for bar in axes.patches] == pytest.approx(probs, rel=1e-5)  # which sum to 1 within that
    assert axes.get_title(loc="left") == "Next word after: the"
    assert axes.get_xlabel() == "probability"
    assert axes.get_legend() is None


def test_words_that_cannot_come_have_no_bar(model: NGramLM) -> None:
    (axes,) = plot_next_words(model, ["a"], k=100).axes
    assert len(axes.patches) == len(model.vocabulary) - 1  # all but <s>
    (axes,) = plot_next_words(model).axes
    assert axes.get_title(loc="left") == "First word of a sentence"


def test_each_temperature_has_a_bar_per_word(model: NGramLM) -> None:
    (axes,) = plot_next_words(model, "the", k=3, temperatures=[0.5, 2]).axes
    cold, hot = (container.datavalues for container in axes.containers)
    probs = model.next_word_distribution("the")
    best = np.argsort(-probs)[:3]
    np.testing.assert_allclose(cold, (probs**2 / (probs**2).sum())[best])
    np.testing.assert_allclose(hot, (probs**0.5 / (probs**0.5).sum())[best])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["temperature 0.5", "temperature 2"]


def test_a_temperature_divides_the_scores_of_a_softmax() -> None:
    scores = np.array([1.0, -2, 0.5])
    np.testing.assert_allclose(tempered(softmax(scores), 0.7), softmax(scores / 0.7))
    assert tempered(np.array([0.6, 0.4]), 1e-300).tolist() == [1, 0]


def test_a_figure_shows_in_a_notebook_and_is_written(model: NGramLM, tmp_path: Path) -> None:
    figure = plot_next_words(model, "the", path=tmp_path / "n.svg")
    assert figure._repr_png_()[:8] == b"\x89PNG\r\n\x1a\n"
    assert b"Next word after: the" in (tmp_path / "n.svg").read_bytes()


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"k": 0}, OptionError, "k = 0 is out of range"),
        ({"k": 101}, OptionError, "k = 101 is out of range"),
        ({"temperatures": []}, OptionError, "temperatures is empty"),
        ({"temperatures": [1, 0]}, OptionError, "temperatures = 0 is out of range"),
        ({"context": "the </s>"}, DataError, "</s>"),
        ({"path": "n.txt"}, OptionError, "must end in one of"),
    ],
)
def test_what_cannot_be_drawn(model: NGramLM, options: dict, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        plot_next_words(model, **options)
