"""What the last line of a command says of a training: how long it was, and what its loss is the mean of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

History = Sequence[Mapping[str, Any]]  # of a trained model: a row per epoch
LIKELIHOOD = "negative log-likelihood"
# What each --loss of word vectors minimizes, summed over the context words of a word.
LOSSES_OF_VECTORS = {
    "ns": "negative-sampling loss",
    "hs": "hierarchical-softmax loss",
    "softmax": "softmax loss",
    "hs+ns": "hierarchical-softmax and negative-sampling loss",
}
LOSSES_OF_TEXTS = {"ns": "negative-sampling loss", "ova": "one-versus-all loss"}  # of the others, the likelihood
# With 20 epochs in place of 5 the correlation of vectors of Wikipedia with WordSim-353 rises from 0.23 to 0.46 at
# 166,000 words, from 0.32 to 0.57 at 841,000, from 0.52 to 0.58 at 3.4 million (docs/tutorials/vectors.md).
_MANY_WORDS = 1_000_000
_OBJECTIVES = {"nce": "noise-contrastive loss", "sampled-softmax": "sampled-softmax loss"}


def loss_of_language_model(output_layer: str, objective: str) -> str:
    """What a neural language model minimizes."""
    return _OBJECTIVES[objective] if output_layer == "nce" else LIKELIHOOD


def training_told(history: History, unit: str, loss: str) -> str:
    """Epochs, time and the loss of the last epoch; of so many ``unit``, such as "word", each."""
    last = history[-1]
    epochs, examples = last["epoch"], last["examples"] // last["epoch"]
    return (
        f"{epochs} epoch{'s' * (epochs > 1)} of {examples:,} {unit}{'s' * (examples != 1)} in {last['seconds']:.1f} s "
        f"({last['per_second']:,.0f} {unit}s/s), final {loss} {last['loss']:.4f} nats per {unit}"
    )


def hint_for_few_words(words: int, epochs: int) -> str:
    """A line for vectors of a small text that were trained with the default number of epochs; empty for larger ones."""
    if words >= _MANY_WORDS:
        return ""
    few = f"{words:,} words are few for {epochs} epochs"
    return f"Hint: {few}; vectors of a small text are better with --epochs 20 or more"


def kept_epoch_told(history: History, measure: str, digits: int) -> str:
    """Which epoch's model is written, where epochs were scored on text held back; else nothing."""
    from windrow.nn.training.report import kept_epoch

    kept = kept_epoch(history)
    return "" if kept is None else f"; the best epoch, {kept['epoch']}, is kept: {measure} {kept['score']:.{digits}f}"
