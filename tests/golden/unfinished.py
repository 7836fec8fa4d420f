"""Trainings that were stopped: how their checkpoints are made, and two ways to resume each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

import windrow

_TEXT = Path(__file__).parent / "text"
_TRAIN, _VALID, _ODD, _ENTITIES, _FEW_ENTITIES = (
    str(_TEXT / name) for name in ("train.txt", "valid.txt", "odd.txt", "entities.conll", "few-entities.conll")
)
_GIVEN = str(_TEXT.parent / "0.1.0-c850ed4" / "vectors" / "softmax.safetensors")
_X = np.array([[row * 2 % size / size for size in (5, 7, 11)] for row in range(48)], np.float32)
_Y = np.array(["low", "middle", "high"])[np.digitize(_X.sum(axis=1), [1.2, 1.8])]


class Unfinished(NamedTuple):
    """A training, as the command line and as Python have it; the checkpoint is of the end of epoch ``STOPPED``.

    ``options``: of the command, without files; None where it has no option for a parameter.
    ``log``: what the log of the whole training is called, if one is kept. ``is_between``: the state is that before the
    first word of the next epoch, not that after the last word of this one (only Word2Vec has the two). ``source``: the
    training text; an MLP has the rows of a formula instead.
    """

    estimator: str
    parameters: dict[str, Any]
    options: str | None
    valid: str | None = None
    log: str | None = None
    is_between: bool = False
    source: str = _TRAIN
    start: Mapping[str, Any] = MappingProxyType({})  # with what it starts, beside the text

    @property
    def command(self) -> list[str]:
        """The arguments of ``windrow``, but for the files written."""
        assert self.options is not None
        words = {
            "Word2Vec": "vectors train",
            "RecurrentLM": "lm train rnn",
            "WindowLM": "lm train window",
            "WindowTagger": "tag train",
        }
        valid = ["--valid", self.valid] if self.valid else []
        return [*words[self.estimator].split(), self.source, *valid, *self.options.split()]

    def model(self, *callbacks: Any) -> Any:
        """The estimator, not trained yet."""
        return getattr(windrow, self.estimator)(**self.parameters, callbacks=list(callbacks))

    def fit(self, model: Any, checkpoint: Path, *, resume: bool = False) -> Any:
        """Train it, or go on from the checkpoint if ``resume``."""
        if self.estimator == "MLPClassifier":
            return model.fit(_X, _Y, checkpoint=checkpoint, resume=resume)
        valid = {"valid": self.valid} if self.valid else {}
        return model.fit(self.source, checkpoint=checkpoint, resume=resume, **valid, **self.start)


STOPPED = 2
PROBABILITIES = ".probabilities"  # of files with what a classifier predicts
_VECTORS = {"vector_size": 6, "window": 3, "min_count": 1, "sample": 0.05, "epochs": 5, "workers": 1, "sg": 1,
            "max_final_vocab": 14}  # fmt: skip
_BY_COMMAND = {"loss": "ns", "window_weighting": "shrink"}  # which the command names where Python has None
_VECTOR_OPTIONS = "--size 6 --window 3 --min-count 1 --sample 0.05 --epochs 5 --max-vocab 14"
_NETWORK = {"embedding_size": 4, "hidden_size": 4, "epochs": 5, "learning_rate": 0.02, "max_vocab": 20}
_NETWORK_OPTIONS = "--embedding 4 --hidden 4 --epochs 5 --lr 0.02 --max-vocab 20"
_WINDOW, _WINDOW_OPTIONS = {**_NETWORK, "order": 3, "batch_size": 32}, f"{_NETWORK_OPTIONS} --order 3 --batch 32"
_RECURRENT, _RECURRENT_OPTIONS = {**_NETWORK, "bptt": 8, "batch_size": 4}, f"{_NETWORK_OPTIONS} --bptt 8 --batch 4"

UNFINISHED = {
    "word2vec-noise": Unfinished(
        "Word2Vec", {**_VECTORS, **_BY_COMMAND}, f"{_VECTOR_OPTIONS} --workers 1", log="vectors"
    ),
    "word2vec-hierarchical": Unfinished(
        "Word2Vec",
        {**_VECTORS, **_BY_COMMAND, "sg": 0, "loss": "hs", "cbow_mean": 0},
        f"{_VECTOR_OPTIONS} --workers 1 --model cbow --loss hs --cbow-sum",
    ),
    "word2vec-softmax": Unfinished(
        "Word2Vec",
        {**_VECTORS, **_BY_COMMAND, "loss": "softmax", "window_weighting": "linear"},
        f"{_VECTOR_OPTIONS} --workers 1 --loss softmax --window-weighting linear",
        is_between=True,
    ),
    "word2vec-pairs": Unfinished(
        "Word2Vec",
        {**_VECTORS, **_BY_COMMAND, "loss": "hs+ns", "kernel": "pair"},
        f"{_VECTOR_OPTIONS} --workers 1 --loss hs+ns --kernel pair",
    ),
    "word2vec-rounds": Unfinished(
        "Word2Vec",
        {**_VECTORS, **_BY_COMMAND, "workers": 2, "deterministic": True},
        f"{_VECTOR_OPTIONS} --workers 2 --deterministic",
    ),
    "word2vec-from-vectors": Unfinished(
        "Word2Vec",
        {**_VECTORS, **_BY_COMMAND},
        f"{_VECTOR_OPTIONS} --workers 1 --vectors {_GIVEN} --frozen",
        start={"vectors": _GIVEN, "frozen": True},
    ),
    "word2vec-subwords": Unfinished(  # whose Huffman tree is that of fastText
        "Word2Vec",
        {**_VECTORS, **_BY_COMMAND, "loss": "hs", "subwords": True, "min_n": 2, "max_n": 3, "buckets": 50},
        f"{_VECTOR_OPTIONS} --workers 1 --loss hs --subwords --min-n 2 --max-n 3 --buckets 50",
    ),
    "word2vec-gensim-names": Unfinished("Word2Vec", {**_VECTORS, "hs": 1, "shrink_windows": False}, None),
    # What were the defaults before the commit 26cac94; the command has no options for the two.
    "word2vec-former-defaults": Unfinished(
        "Word2Vec", {**_VECTORS, **_BY_COMMAND, "block_size": 64, "shared_negatives": 32}, None
    ),
    "rnn-lstm": Unfinished("RecurrentLM", _RECURRENT, _RECURRENT_OPTIONS, valid=_VALID, log="recurrent"),
    "rnn-gru-classes": Unfinished(
        "RecurrentLM",
        {**_RECURRENT, "cell": "gru", "state": "reset", "output_layer": "classes", "optimizer": "momentum",
         "schedule": "constant"},
        f"{_RECURRENT_OPTIONS} --cell gru --state reset --output-layer classes "
        "--optimizer momentum --schedule constant",
    ),
    "rnn-own-steps": Unfinished(
        "RecurrentLM", {**_RECURRENT, "cell": "elman", "clip": None, "optimizer": "sgd", "layers": 2}, None
    ),
    "window-adam": Unfinished("WindowLM", _WINDOW, _WINDOW_OPTIONS, valid=_VALID, log="window"),
    # The first epoch is the best one, and training ends three epochs later.
    "window-best-before": Unfinished(
        "WindowLM", {**_WINDOW, "learning_rate": 0.1}, f"{_WINDOW_OPTIONS} --lr 0.1", valid=_ODD
    ),
    "window-tied-noise": Unfinished(
        "WindowLM",
        {**_WINDOW, "tied": True, "output_layer": "nce", "noise_words": 16, "optimizer": "rmsprop"},
        f"{_WINDOW_OPTIONS} --tied --output-layer nce --noise-words 16 --optimizer rmsprop",
    ),
    "window-own-steps": Unfinished(
        "WindowLM",
        {**_WINDOW, "output_layer": "hierarchical", "optimizer": "sgd", "direct": True, "dropout": 0.1},
        f"{_WINDOW_OPTIONS} --output-layer hierarchical --optimizer sgd --direct --dropout 0.1",
    ),
    "window-adaptive": Unfinished(
        "WindowLM",
        {**_WINDOW, "output_layer": "adaptive", "cutoffs": (6, 15), "optimizer": "adagrad", "schedule": "plateau"},
        f"{_WINDOW_OPTIONS} --output-layer adaptive --cutoffs 6,15 --optimizer adagrad --schedule plateau",
    ),
    "tagger-crf": Unfinished(
        "WindowTagger",
        {"vector_size": 4, "hidden_size": 3, "window": 1, "dropout": 0.1, "batch_size": 2, "learning_rate": 0.1,
         "epochs": 5},
        "--size 4 --hidden 3 --window 1 --dropout 0.1 --batch-size 2 --lr 0.1 --epochs 5",
        valid=_ENTITIES,
        log="tagger",
        source=_FEW_ENTITIES,
    ),
    "mlp-adam": Unfinished(
        "MLPClassifier",
        {"hidden_layer_sizes": (5,), "learning_rate": 0.05, "batch_size": 4, "epochs": 5, "dropout": 0.1, "l2": 1e-4,
         "early_stopping": True, "validation_fraction": 0.25, "random_state": 2},
        None,
    ),
}  # fmt: skip


class _StopAfter:
    """Interrupts a training so that its checkpoint is of the end of an epoch.

    Word2Vec writes its state when it is interrupted; the others have written it at the end of the epoch before.
    """

    def __init__(self, epoch: int, estimator: str) -> None:
        self.last = epoch if estimator == "Word2Vec" else epoch + 1

    def __call__(self, progress: Any, *network: Any) -> None:
        if getattr(progress, "event", "epoch") == "epoch" and progress.epoch == self.last:
            raise KeyboardInterrupt


def write_checkpoint(name: str, path: Path) -> None:
    """Train until the end of epoch ``STOPPED``, and leave the checkpoint."""
    unfinished = UNFINISHED[name]
    if unfinished.is_between:
        model = unfinished.model(lambda progress: progress.event == "epoch" and progress.epoch == STOPPED)
        unfinished.fit(model, path).save_checkpoint(path)
    else:
        _stop(unfinished, path, STOPPED, resume=False)


def _stop(unfinished: Unfinished, checkpoint: Path, epoch: int, *, resume: bool) -> None:
    try:
        unfinished.fit(unfinished.model(_StopAfter(epoch, unfinished.estimator)), checkpoint, resume=resume)
    except KeyboardInterrupt:
        return
    raise AssertionError(f"the training was not stopped after epoch {epoch}")


def resume_by_command(name: str, checkpoint: Path, folder: Path, log: Path | None = None) -> Path:
    """Run the command again with ``--resume`` on a copy of the checkpoint; returns the file that it wrote."""
    from click.testing import CliRunner

    from windrow.cli import main

    target = folder / "by-command.safetensors"
    shutil.copyfile(checkpoint, folder / f"{target.name}.checkpoint")
    logged = [] if log is None else ["--log-json", str(log)]
    arguments = [*UNFINISHED[name].command, "-o", str(target), "--resume", *logged]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return target


def resume_by_class(name: str, checkpoint: Path, folder: Path) -> tuple[Path, list[dict[str, Any]]]:
    """Resume a copy, stop after one epoch more and resume again: the model's file and its history."""
    unfinished, copied = UNFINISHED[name], folder / "copied.checkpoint"
    shutil.copyfile(checkpoint, copied)
    _stop(unfinished, copied, STOPPED + 1, resume=True)
    model = unfinished.fit(unfinished.model(), copied, resume=True)
    return _saved(model, folder / "by-class.safetensors"), model.history_


def never_stopped(name: str, folder: Path) -> Path:
    """The file of the same training without a stop."""
    unfinished = UNFINISHED[name]
    return _saved(unfinished.fit(unfinished.model(), folder / "unused.checkpoint"), folder / "whole.safetensors")


def _saved(model: Any, path: Path) -> Path:
    if isinstance(model, windrow.MLPClassifier):  # which has no file of its own: what it makes of the rows
        from safetensors.numpy import save_file

        path = path.with_suffix(PROBABILITIES)
        save_file({"probabilities": model.predict_proba(_X[:8])}, path)
        return path
    (model.wv if hasattr(model, "wv") else model).save(path)
    return path


def header_of(path: Path) -> dict[str, Any]:
    """windrow's header of a model file, read as the format of safetensors says."""
    with path.open("rb") as stream:
        layout = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    header: dict[str, Any] = json.loads(layout["__metadata__"]["windrow"])
    return header
