"""The estimators that train by the one loop, small; run as a program, it trains one slowly, to be killed."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import windrow
from tests.tagging.conftest import made_up

TEXT = ["a b c d a b", "a c d a b a c", "b b a d", "c d a b a b"] * 10
X = np.random.default_rng(5).normal(size=(40, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int)


@dataclass
class Case:
    """An estimator, how it is fitted, and what it says."""

    name: str
    options: dict[str, Any]
    measure: str
    unclipped: dict[str, Any] = field(default_factory=dict)

    def made(self, **changed: Any) -> Any:
        return getattr(windrow, self.name)(**{**self.options, **changed})

    def fit(self, model: Any, *, valid: bool = False, other: bool = False, bad: bool = False, **given: Any) -> None:
        raise NotImplementedError

    def values(self, model: Any) -> np.ndarray:
        values = getattr(model.network_, "values", None)
        return model.network_.parameters.values if values is None else values()

    def answers(self, model: Any) -> Any:
        raise NotImplementedError


class Perceptron(Case):
    def fit(self, model, *, valid=False, other=False, bad=False, **given):
        y = Y + 5 if other else Y
        x = np.full_like(X, np.nan) if bad else X[:30] if other else X
        model.fit(x, y[: len(x)], validation=(X, y) if valid else None, **given)

    def answers(self, model):
        return model.predict(X)


class Tagger(Case):
    def fit(self, model, *, valid=False, other=False, bad=False, **given):
        sentences = [(["x"], ["O"])] if bad else made_up(25, 3 if other else 1)
        model.fit(sentences, valid=made_up(8, 2) if valid else None, **given)

    def answers(self, model):
        return model.predict([tokens for tokens, _, _ in made_up(10, 7)]), model.types_, model.tags_


class LanguageModel(Case):
    def fit(self, model, *, valid=False, other=False, bad=False, **given):
        text = [] if bad else TEXT[1:] if other else TEXT
        model.fit(text, valid=TEXT[:5] if valid else None, **given)

    def answers(self, model):
        return model.log_probs(TEXT[:5]), model.vocabulary.words


_LM = {"embedding_size": 6, "hidden_size": 8, "batch_size": 8, "dropout": 0.1, "seed": 3, "schedule": "constant"}
ESTIMATORS = {
    "MLPClassifier": lambda: Perceptron(
        "MLPClassifier", {"hidden_layer_sizes": 5, "batch_size": 8, "dropout": 0.2, "random_state": 3}, "accuracy"
    ),
    "MLPRegressor": lambda: Perceptron(
        "MLPRegressor", {"hidden_layer_sizes": 5, "batch_size": 8, "dropout": 0.2, "random_state": 3}, "r2"
    ),
    "WindowTagger": lambda: Tagger(
        "WindowTagger",
        {"vector_size": 4, "hidden_size": 6, "feature_size": 2, "affixes": (2,), "batch_size": 4, "seed": 3},
        "f1",
        {"clip_norm": None},
    ),
    "WindowLM": lambda: LanguageModel("WindowLM", {"order": 3, **_LM}, "perplexity"),
    "RecurrentLM": lambda: LanguageModel("RecurrentLM", {"bptt": 5, **_LM}, "perplexity", {"clip": None}),
}


def main() -> None:
    """Train an estimator with a checkpoint, slowly after its second epoch."""
    case = ESTIMATORS[sys.argv[1]]()

    def wait(*told: Any) -> None:
        if told[0].epoch == 3:
            time.sleep(60)

    model = case.made(epochs=6, callbacks=[wait])
    case.fit(model, checkpoint=Path(sys.argv[2]))


if __name__ == "__main__":
    main()
