from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.lm.test_window import TRAIN, VALID, small, trained
from windrow.cli.train_window import train_window
from windrow.errors import DataError, OptionError
from windrow.lm.window import WindowLM


def run(*arguments: object) -> Result:
    return CliRunner().invoke(train_window, [str(argument) for argument in arguments])


@pytest.fixture
def files(tmp_path) -> dict[str, Path]:
    (tmp_path / "train.txt").write_text("\n".join(TRAIN), "utf-8")
    (tmp_path / "valid.txt").write_text("\n".join(VALID), "utf-8")
    return {name: tmp_path / name for name in ("train.txt", "valid.txt", "model", "model.checkpoint", "log.json")}


OPTIONS = {"order": 3, "embedding": 6, "hidden": 8, "batch": 32, "lr": 0.01, "workers": 1, "noise-words": 64}
SMALL = [part for name, value in OPTIONS.items() for part in (f"--{name}", value)]


def test_the_command_trains_the_same_model(files):
    source, valid, target, checkpoint, log = files.values()

    result = run(source, "-o", target, "--valid", valid, "--epochs", 3, "--log-json", log, *SMALL)

    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert f"validation perplexity {min(row['valid_perplexity'] for row in rows):.2f}" in result.stderr
    assert WindowLM.load(target).perplexity(VALID) == trained().perplexity(VALID)
    assert not checkpoint.exists()


def test_the_command_resumes(files):
    source, _, target, checkpoint, _ = files.values()
    small(epochs=3, callbacks=[lambda report: report.epoch == 1]).fit(TRAIN, checkpoint=checkpoint)

    refused = run(source, "-o", target, "--epochs", 3, *SMALL)
    resumed = run(source, "-o", target, "--epochs", 3, *SMALL, "--resume")

    assert isinstance(refused.exception, DataError)
    assert "--resume" in str(refused.exception)
    assert resumed.exit_code == 0, resumed.output
    assert not checkpoint.exists()


def test_the_command_names_its_options(files):
    source, _, target, _, _ = files.values()

    for given, said in {
        "--lr": "--lr = -1.0",
        "--embedding": "--embedding = -1",
        "--max-vocab": "--max-vocab = -1",
    }.items():
        result = run(source, "-o", target, given, -1)
        assert isinstance(result.exception, OptionError)
        assert str(result.exception).startswith(said)
    assert not target.exists()
