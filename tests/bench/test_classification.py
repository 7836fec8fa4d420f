"""The definition that TextClassifier is tested with, in tests/naive, is what fastText does: number by number."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.naive import classification as naive
from windrow import TextClassifier
from windrow.corpus.subwords import SENTENCE_END

fasttext = pytest.importorskip("fasttext", reason="fastText is of the bench extra")

EPOCHS, RATE, BUCKETS = 3, 0.4, 200
KINDS = {"drink": "red wine|old wine|wine from très loin|cold beer", "move": "old cars|red cars go|go to rome|to go"}
LINES = [(label, text) for _ in range(6) for label, texts in KINDS.items() for text in texts.split("|")]


@pytest.fixture
def trained(tmp_path: Path) -> Callable[..., Any]:
    """fastText's model of the lines; a rate of 0 gives the tables that it begins with."""
    (tmp_path / "lines.txt").write_text("".join(f"__label__{label} {text}\n" for label, text in LINES))

    def train(rate: float, **options: Any) -> Any:
        given = {"dim": 6, "epoch": EPOCHS, "bucket": BUCKETS, "lrUpdateRate": 0, "thread": 1, "verbose": 0}
        return fasttext.train_supervised(str(tmp_path / "lines.txt"), lr=rate, **given, **options)

    return train


@pytest.mark.parametrize("sizes", [(1, 0, 0), (3, 0, 0), (1, 2, 4), (2, 1, 3)])
def test_a_whole_training_by_softmax(trained: Callable[..., Any], sizes: tuple[int, int, int]) -> None:
    options = dict(zip(("wordNgrams", "minn", "maxn"), sizes, strict=True))
    start, end = trained(0.0, **options), trained(RATE, **options)
    words, labels = start.get_words(), start.get_labels()
    inputs, outputs = start.get_input_matrix().astype(float), np.zeros((len(labels), 6))
    sentences = [(labels.index(f"__label__{label}"), text.split()) for label, text in LINES]
    total, done = EPOCHS * sum(len(text) + 2 for _, text in sentences), 0  # its tokens: words, a label, the end
    while done < total:
        for target, text in sentences:
            rate = RATE * (1 - done / total)
            keys = naive.features(text, words, *sizes, BUCKETS)
            rows = [words.index(key) if isinstance(key, str) else len(words) + key for key in keys]

            def step(hidden: Any, gradient: Any, target: int = target, rate: float = rate) -> float:
                return naive.choose(target, rate, outputs, hidden, gradient)

            naive.train_text(rows, inputs, step)
            done += len(text) + 2

    assert SENTENCE_END in words
    assert not np.allclose(inputs, start.get_input_matrix(), atol=1e-2)
    np.testing.assert_allclose(end.get_input_matrix(), inputs, atol=2e-5)
    np.testing.assert_allclose(end.get_output_matrix(), outputs, atol=2e-5)


@pytest.mark.parametrize("loss", ["softmax", "hs", "ns", "ova"])
def test_both_learn_as_well(trained: Callable[..., Any], loss: str) -> None:
    """Where a few words decide."""
    texts, labels = [text for _, text in LINES], [label for label, _ in LINES]
    peer = trained(0.5, loss=loss, wordNgrams=2)
    ours = TextClassifier(6, 2, loss=loss, learning_rate=0.5, epochs=30).fit(texts, labels)

    predicted, _ = peer.predict(texts)
    theirs = np.mean([re.sub("__label__", "", one[0]) == label for one, label in zip(predicted, labels, strict=True)])
    assert ours.score(texts, labels) >= theirs
    assert ours.score(texts, labels) == 1
