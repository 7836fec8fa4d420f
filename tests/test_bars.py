"""``progress=True``: a bar on stderr, or in a notebook, for all that trains or reads; nothing for False."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from tqdm import tqdm

import windrow
from tests.nn.training.estimators import ESTIMATORS, TEXT
from windrow import bars
from windrow.errors import OptionError

CORPUS = windrow.Corpus.build(TEXT)


def train(name: str, progress: Any) -> None:
    ESTIMATORS[name]().fit(ESTIMATORS[name]().made(epochs=2), progress=progress)


def mixture(method: str) -> windrow.MixtureLM:
    return windrow.MixtureLM([windrow.NGramLM(n, "witten-bell").fit(CORPUS) for n in (1, 2)], method=method)


FITS: dict[str, Callable[[Any], object]] = {
    **{name: lambda progress, name=name: train(name, progress) for name in ESTIMATORS},
    "Word2Vec": lambda progress: windrow.Word2Vec(vector_size=4, min_count=1, sample=0, workers=1).fit(
        CORPUS, progress=progress
    ),
    "CountVectors": lambda progress: windrow.CountVectors(vector_size=2, min_count=1, sample=0).fit(
        CORPUS, progress=progress
    ),
    "Phrases": lambda progress: windrow.Phrases(min_count=1, threshold=0.1, passes=2).fit(CORPUS, progress=progress),
    **{
        f"MixtureLM, {method}": lambda progress, method=method: mixture(method).fit(CORPUS, progress=progress)
        for method in ("linear", "log-linear")
    },
    "NGramLM": lambda progress: windrow.NGramLM(2, "witten-bell").fit(CORPUS, progress=progress),
    "TextClassifier": lambda progress: windrow.TextClassifier(vector_size=4, epochs=2, workers=1).fit(
        ["a b", "c d"] * 5, ["x", "y"] * 5, progress=progress
    ),
}


@pytest.mark.parametrize("name", FITS)
def test_a_bar_is_shown_when_it_is_asked_for(name, capfd):
    FITS[name](False)
    assert capfd.readouterr() == ("", "")

    FITS[name](True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "100%" in err.rpartition("\r")[2], "the last state of the bar, which stays, is full"

    with pytest.raises(OptionError, match="progress = 3 must be a function, True for a bar, or False"):
        FITS[name](3)


@pytest.mark.parametrize("name", ["CountVectors", "Phrases", "MixtureLM, linear", "MixtureLM, log-linear"])
def test_a_function_hears_of_stages_that_go_forward(name):
    heard = []
    FITS[name](lambda stage, done: heard.append((stage, done)))
    assert all(0 <= done <= 1 for _, done in heard)
    for stage in {stage for stage, _ in heard}:
        of_stage = [done for one, done in heard if one == stage]
        assert of_stage == sorted(of_stage)
    assert len({stage for stage, _ in heard}) > 1


def test_pairs_are_counted_part_by_part():
    """With the least memory a text is read several times, each time for a part of its pairs."""
    heard = []
    text = [" ".join(f"w{(place * step) % 700}" for place in range(700)) for step in range(1, 90)]
    model = windrow.Phrases(min_count=1, threshold=0.1, memory=1 << 20)
    model.fit(text, progress=lambda *told: heard.append(told))
    assert model.phrases_
    assert len(heard) > 1
    assert [done for _, done in heard] == [(part + 1) / len(heard) for part in range(len(heard))]


def test_a_bar_shows_how_much_of_a_text_is_read(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(bars, "_bar", lambda **options: tqdm(**{**options, "mininterval": 0, "delay": 0}))
    (tmp_path / "text").write_text("a b c\n" * 1000, "utf-8")

    windrow.Corpus.build(tmp_path / "text", progress=False)
    assert capfd.readouterr().err == ""
    windrow.Corpus.build(tmp_path / "text", progress=True)
    assert "6.00k/6.00k" in capfd.readouterr().err
    windrow.NGramLM(1, "witten-bell").fit(tmp_path / "text", progress=True)
    assert "reading: 100%" in capfd.readouterr().err


def test_a_bar_listens_beside_the_callbacks(capfd):
    seen = []
    stop = [lambda report: seen.append(report) or len(seen) == 2]
    windrow.TextClassifier(vector_size=4, epochs=5, callbacks=stop).fit(["a b", "c d"], ["x", "y"], progress=True)
    assert [report.epoch for report in seen] == [1, 2]
    assert "40%" in capfd.readouterr().err.rpartition("\r")[2], "training was stopped there"


NOTEBOOK = """
import sys, types
from importlib.machinery import ModuleSpec
shell = types.SimpleNamespace(config={"IPKernelApp": {}})
sys.modules["IPython"] = types.SimpleNamespace(
    get_ipython=lambda: shell, version_info=(9, 0), __spec__=ModuleSpec("IPython", None)
)
sys.modules["ipywidgets"] = None
from windrow import bars
with bars.bytes_bar(True) as show, bars.training_bar(True, "words") as bar:
    show(5, 10)
"""


def test_a_notebook_without_widgets_shows_text_and_no_warning():
    run = subprocess.run([sys.executable, "-W", "error", "-c", NOTEBOOK], capture_output=True, text=True, check=True)
    assert "training: 0.00words" in run.stderr
    assert "Warning" not in run.stderr
