"""`--continue-from` and `--keep-training-state` of ``lm train`` and ``tag train``."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from safetensors.numpy import load_file

import windrow
from windrow.cli import main

LM = ("--embedding", 4, "--hidden", 5, "--batch", 4, "--schedule", "constant", "--lr", 0.01)
TAG = ("--size", 4, "--hidden", 5, "--dropout", 0)


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


def done(*arguments: Any) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stderr


def refusal(*arguments: Any) -> str:
    result = run(*arguments)
    assert result.exit_code == 1
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    return result.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("continue")
    (folder / "a.txt").write_text("The Cat sat\nThe Dog sat here\n" * 8)
    (folder / "b.txt").write_text("The Cow sat\nthe dog SAT\n" * 4)
    (folder / "a.conll").write_text("in O\nRome B-LOC\n\nwe O\nwait O\n\n" * 8)
    (folder / "b.conll").write_text("in O\nRome B-LOC\nwait O\n\nin O\nAnn B-PER\nwait O\n\n" * 4)
    for kind in ("rnn", "window"):
        options = (*LM, "--epochs", 2, "--lowercase", "--keep-training-state")
        done("lm", "train", kind, folder / "a.txt", "-o", folder / f"{kind}.model", *options)
        done("lm", "train", kind, folder / "a.txt", "-o", folder / f"{kind}.four", *LM, "--epochs", 4, "--lowercase")
    done("tag", "train", folder / "a.conll", "-o", folder / "tagger", *TAG, "--epochs", 2, "--keep-training-state")
    done("tag", "train", folder / "a.conll", "-o", folder / "tagger.four", *TAG, "--epochs", 4)
    return folder


def same_arrays(one: Path, other: Path) -> bool:
    arrays, others = load_file(one), load_file(other)
    return all(np.array_equal(array, arrays[name]) for name, array in others.items())


@pytest.mark.parametrize("kind", ["rnn", "window"])
def test_two_and_two_epochs_of_a_language_model_are_four(kind: str, folder: Path, tmp_path: Path) -> None:
    """The shape is not given, nor how the text is read."""
    given = ("--batch", 4, "--schedule", "constant", "--lr", 0.01, "--epochs", 2)
    train = ("lm", "train", kind, folder / "a.txt", "-o", tmp_path / "m", "--continue-from", folder / f"{kind}.model")

    assert "Warning" not in done(*train, *given)

    assert same_arrays(tmp_path / "m", folder / f"{kind}.four")
    assert windrow.load(tmp_path / "m").continued_from_["epochs"] == 2


def test_two_and_two_epochs_of_a_tagger_are_four(folder: Path, tmp_path: Path) -> None:
    train = ("tag", "train", folder / "a.conll", "-o", tmp_path / "m", "--continue-from", folder / "tagger")

    done(*train, "--dropout", 0, "--epochs", 2)

    assert same_arrays(tmp_path / "m", folder / "tagger.four")


def test_an_interrupted_one_resumes(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the state after its first epoch, kept aside as a kill would have left it."""
    from windrow.nn.training.keeping import Keeper

    def keep(self: Keeper) -> bool:
        self._write(self.path)
        if not (tmp_path / "kept").exists():
            shutil.copy(self.path, tmp_path / "kept")
        return True

    train = ("lm", "train", "rnn", folder / "b.txt", "--continue-from", folder / "rnn.model", "--epochs", 3)
    monkeypatch.setattr(Keeper, "keep", keep)
    done(*train, "-o", tmp_path / "whole")
    (tmp_path / "kept").rename(tmp_path / "m.checkpoint")
    done(*train, "-o", tmp_path / "m", "--resume")

    assert same_arrays(tmp_path / "m", tmp_path / "whole")


def test_unknown_words_are_told(folder: Path, tmp_path: Path) -> None:
    train = ("lm", "train", "rnn", folder / "b.txt", "-o", tmp_path / "m", "--epochs", 1)

    told = done(*train, "--continue-from", folder / "rnn.model")
    assert "Warning: 16.67% of the words of " in told
    told = done(*train, "--continue-from", folder / "rnn.model", "--no-lowercase")
    assert f"Warning: --no-lowercase: the training text of {folder / 'rnn.model'} was read with --lowercase" in told


def test_options_that_do_not_agree(folder: Path, tmp_path: Path) -> None:
    """Also those that are the default, where they were given."""
    train = ("lm", "train", "rnn", folder / "b.txt", "-o", tmp_path / "m", "--continue-from", folder / "rnn.model")
    for option, value, of_model in (("--hidden", 200, 5), ("--min-count", 2, 1), ("--cell", "gru", "'lstm'")):
        told = refusal(*train, option, value)
        assert told.startswith(f"Error: {option} = ")
        assert told.endswith(f"does not agree with the model to continue, which has {of_model}; leave it out\n")
    assert "not a language model of a window of words" in refusal("lm", "train", "window", *train[3:])
    assert "--keep-training-state has no effect with --quantize" in refusal(
        *train, "--quantize", 8, "--keep-training-state"
    )
    assert "is read and written" in refusal(*train[:5], folder / "rnn.model", *train[6:])

    tag = ("tag", "train", folder / "b.conll", "-o", tmp_path / "m", "--continue-from", folder / "tagger")
    assert "--size = 50 does not agree with the model to continue, which has 4" in refusal(*tag, "--size", 50)
    assert "entities of the types PER, which the tagger to continue has not learned; it knows LOC" in refusal(*tag)
    assert "not an entity tagger" in refusal(*tag[:-1], folder / "rnn.model")
    done(*tag, "--type", "LOC", "--epochs", 1)
