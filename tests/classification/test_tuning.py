"""Autotune: what is tried, what is kept, and when it ends."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
import pytest

from tests.classification.test_classifier import LABELS, TEXTS
from windrow import TextClassifier
from windrow.classification import autotune, tuning
from windrow.classification.tuning import Metric, Trial
from windrow.errors import DataError, OptionError
from windrow.nn.training.stopping import DivergedError

FIXED = ("epochs", "vector_size", "buckets")
HELD_BACK = (["a film", "bad plot", "old wine", "the cheese"], ["good", "bad", "food", "food"])


def small(**changed: Any) -> TextClassifier:
    return TextClassifier(**{"vector_size": 4, "epochs": 4, "buckets": 100, "learning_rate": 0.05, **changed})


def tuned(model: TextClassifier, **changed: Any) -> tuple[TextClassifier, list[Trial]]:
    seen: list[Trial] = []
    given = {"valid": HELD_BACK, "seconds": 300, "trials": 4, "fixed": FIXED, "progress": seen.append, **changed}
    return autotune(model, TEXTS, LABELS, **given), seen


def test_the_best_is_kept_and_can_be_trained_again() -> None:
    model, seen = tuned(small())

    assert [trial.number for trial in seen] == [1, 2, 3, 4]
    assert seen[0].settings["learning_rate"] == 0.05
    scores = [trial.score or 0 for trial in seen]
    assert [trial.best_score for trial in seen] == list(np.maximum.accumulate(scores))
    assert max(scores) > scores[0]
    best = seen[int(np.argmax(scores))]
    assert {name: getattr(model, name) for name in best.settings} == best.settings
    assert model.evaluate(*HELD_BACK).overall.f1 == max(scores)
    assert all(trial.settings["epochs"] == 4 and trial.settings["vector_size"] == 4 for trial in seen)
    again = TextClassifier(**model.get_params()).fit(TEXTS, LABELS)
    np.testing.assert_array_equal(again.vectors_, model.vectors_)


def test_equal_seeds_try_the_same() -> None:
    (one, first), (other, second) = tuned(small(), trials=3), tuned(small(), trials=3)
    assert [trial.settings for trial in first] == [trial.settings for trial in second]
    np.testing.assert_array_equal(one.vectors_, other.vectors_)
    assert tuned(small(seed=2), trials=3)[1][-1].settings != first[-1].settings


def test_settings_are_within_their_ranges() -> None:
    search = tuning._Search(small(), 1, 1, "f1", (), None)
    for _ in range(40):
        found = search._settings(search.study.ask())
        TextClassifier(**found).check_parameters()
        TextClassifier(**found).check_effects()
        assert (1 <= found["epochs"] <= 100) & (0.01 <= found["learning_rate"] <= 5) & (found["vector_size"] <= 1000)
        assert (found["min_n"], found["max_n"]) in ((0, 0), (2, 5), (3, 6))


def test_buckets_are_for_texts_with_ngrams() -> None:
    """A search that may try n-grams takes them; one that may not refuses them, as a training does."""
    search = tuning._Search(small(), 1, 1, "f1", ("buckets",), None)
    tried = [search._settings(search.study.ask()) for _ in range(40)]
    without = [found for found in tried if found["word_ngrams"] == 1 and not found["max_n"]]
    assert without
    assert all(found["buckets"] == 2_000_000 for found in without)
    assert all("buckets" not in found for found in tried if found not in without)
    with pytest.raises(OptionError, match=r"^buckets = 100 is for n-grams; try word_ngrams = 2 or max_n = 6"):
        tuned(small(), fixed=("word_ngrams", "max_n"))


def test_the_time_ends_a_search_but_not_its_first_training(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = count(step=10)
    monkeypatch.setattr(tuning, "monotonic", lambda: next(clock))
    model, seen = tuned(small(), seconds=1e-6, trials=None)
    assert len(seen) == 1
    assert len(model.history_) == 4


def test_what_the_interrupted_search_has_found_is_kept() -> None:
    def stop(trial: Trial) -> None:
        if trial.number == 2:
            raise KeyboardInterrupt

    model, callbacks = small(), [lambda report: None]
    model.set_params(callbacks=callbacks)
    with pytest.raises(KeyboardInterrupt, match="interrupted in training 2; the best until then is kept"):
        tuned(model, progress=stop)
    assert len(model.predict(["a film"])) == 1
    assert model.callbacks is callbacks


def test_trainings_that_run_away_count_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    fit, numbers = TextClassifier.fit, count(1)

    def fails(self: TextClassifier, *data: Any, **more: Any) -> TextClassifier:
        if next(numbers) in bad:
            raise DivergedError("it ran away")
        return fit(self, *data, **more)

    monkeypatch.setattr(TextClassifier, "fit", fails)
    bad = {1, 3}
    _, seen = tuned(small())
    assert [trial.score is None for trial in seen] == [True, False, True, False]
    assert [trial.best_score is None for trial in seen] == [True, False, False, False]
    bad = set(range(99))
    model = small()
    with pytest.raises(DivergedError, match="it ran away"):
        tuned(model)
    assert not hasattr(model, "history_")


@pytest.mark.parametrize("name", ["f1", "f1:food", "precision@2", "recall@2"])
def test_metrics_are_those_of_evaluate(name: str) -> None:
    model = small(epochs=20, learning_rate=0.5, word_ngrams=2).fit(TEXTS, LABELS)
    held_back = ["a film", "bad wine", "cheese"]
    truth = ["good", "bad", "food"]
    result = {k: model.evaluate(held_back, truth, k=k) for k in (1, 2)}
    expected = {
        "f1": result[1].overall.f1,
        "f1:food": result[1].labels["food"].f1,
        "precision@2": result[2].precision,
        "recall@2": result[2].recall,
    }
    read = tuning.read_labelled(held_back, truth, model.reader, "__label__")
    assert Metric.of(name)(model, read) == expected[name]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"metric": "f2"}, "metric = 'f2' must be f1, f1:LABEL, precision@K or recall@K"),
        ({"metric": "recall@0"}, "metric = 'recall@0' must be"),
        ({"metric": "f1:nope"}, "metric = 'f1:nope': the texts held back have no such label"),
        ({"seconds": 0}, "seconds = 0"),
        ({"trials": 0}, "trials = 0"),
        ({"fixed": ("nope",)}, "fixed = 'nope' is no setting of a TextClassifier"),
        ({"progress": 3}, "progress"),
        ({"valid": (["a"], [])}, "there are 1 texts but 0 labels"),
    ],
    ids=range(8),
)
def test_what_cannot_be_searched(changed: dict[str, Any], told: str) -> None:
    with pytest.raises((OptionError, DataError), match=told):
        tuned(small(), **changed)
