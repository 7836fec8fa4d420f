"""The last line of a training: what is in the file, how long it took, and what the loss is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.classification.settings import LOSS_NAMES
from windrow.cli.summaries import (
    LIKELIHOOD,
    LOSSES_OF_TEXTS,
    LOSSES_OF_VECTORS,
    kept_epoch_told,
    loss_of_language_model,
    training_told,
)
from windrow.embeddings.steps import LOSSES
from windrow.nn.training.stopping import EarlyStopping
from windrow.outputs import OUTPUT_LAYERS


def row(epoch: int, **more: Any) -> dict[str, Any]:
    return {
        "epoch": epoch,
        "examples": 1200 * epoch,
        "seconds": 2.0,
        "per_second": 600.0 * epoch,
        "loss": 1 / 3,
        **more,
    }


def test_epochs_examples_speed_and_loss_have_their_units():
    assert training_told([row(1)], "word", "loss") == (
        "1 epoch of 1,200 words in 2.0 s (600 words/s), final loss 0.3333 nats per word"
    )
    assert training_told([row(1), row(2)], "text", LIKELIHOOD) == (
        "2 epochs of 1,200 texts in 2.0 s (1,200 texts/s), final negative log-likelihood 0.3333 nats per text"
    )


@given(st.lists(st.integers(1, 4), min_size=1, max_size=6), st.booleans())
def test_the_epoch_that_is_told_is_the_one_whose_parameters_are_kept(scores, lowest):
    stopping = EarlyStopping(patience=float("inf"))
    for epoch, score in enumerate(scores, 1):
        stopping.see(-score if lowest else score, np.array([epoch]))
    kept = int(stopping.best_values[0])

    measure = "perplexity" if lowest else "f1"
    told = kept_epoch_told([row(e, score=s, measure=measure) for e, s in enumerate(scores, 1)], "F1", 2)
    assert told == f"; the best epoch, {kept}, is kept: F1 {scores[kept - 1]:.2f}"


def test_without_text_held_back_no_epoch_is_the_best():
    assert kept_epoch_told([row(1, score=None)], "F1", 2) == ""


def test_every_loss_has_a_name():
    assert LOSSES_OF_VECTORS.keys() == set(LOSSES)
    assert LOSSES_OF_TEXTS.keys() == set(LOSS_NAMES) - {"softmax", "hs"}


@pytest.mark.parametrize("layer", OUTPUT_LAYERS)
def test_only_noise_words_make_another_loss_than_the_likelihood(layer):
    told = {loss_of_language_model(layer, objective) for objective in ("nce", "sampled-softmax")}
    assert told == ({"noise-contrastive loss", "sampled-softmax loss"} if layer == "nce" else {LIKELIHOOD})
