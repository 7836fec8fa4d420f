"""A small language of entities, and a tagger trained on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from windrow.tagging import TaggedSentence, WindowTagger

TOYLAND = Path(__file__).parents[2] / "corpora" / "toyland"
PLACES = ["Rome", "Oslo", "Paris", "Lima", "Quito", "Cairo"]
PEOPLE = ["Ada", "Alan", "Grace", "Edsger", "Barbara", "Donald"]


def made_up(sentences: int, seed: int) -> list[TaggedSentence]:
    """``X Y went to Z .`` and the like, in bare I- tags."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(sentences):
        person, place = rng.choice(PEOPLE, rng.integers(1, 3)).tolist(), [str(rng.choice(PLACES))]
        people, there = ["I-PER"] * len(person), ["I-LOC"]
        if rng.random() < 0.5:
            made.append(TaggedSentence([*person, "went", "to", *place, "."], [*people, "O", "O", *there, "O"]))
        else:
            made.append(TaggedSentence(["in", *place, "we", "met", *person], ["O", *there, "O", "O", *people]))
    return made


@pytest.fixture(scope="session")
def tagger() -> WindowTagger:
    options = {"vector_size": 8, "hidden_size": 16, "feature_size": 4, "affixes": (2,), "dropout": 0.1}
    return WindowTagger(**options, epochs=8, learning_rate=5e-3, batch_size=4).fit(made_up(60, 1))
