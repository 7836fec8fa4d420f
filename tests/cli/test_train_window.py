"""`windrow lm train window`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.lm.neural.test_window import TRAIN, VALID, small, trained
from windrow.cli.train_window import train_window
from windrow.errors import DataError, OptionError
from windrow.lm.neural.window import WindowLM
from windrow.nn.training.stopping import DivergedError


def run(*arguments: object) -> Result:
    return CliRunner().invoke(train_window, [str(argument) for argument in arguments])


@pytest.fixture
def files(tmp_path) -> dict[str, Path]:
    (tmp_path / "train.txt").write_text("\n".join(TRAIN), "utf-8")
    (tmp_path / "valid.txt").write_text("\n".join(VALID), "utf-8")
    return {name: tmp_path / name for name in ("train.txt", "valid.txt", "model", "model.checkpoint", "log.json")}


OPTIONS = {"order": 3, "embedding": 6, "hidden": 8, "batch": 32, "lr": 0.01, "workers": 1}
SMALL = [part for name, value in OPTIONS.items() for part in (f"--{name}", value)]


def test_it_trains_the_same_model(files):
    source, valid, target, checkpoint, log = files.values()

    result = run(source, "-o", target, "--valid", valid, "--epochs", 3, "--log-json", log, *SMALL)

    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert f"validation perplexity {min(row['score'] for row in rows):.2f}" in result.stderr
    assert WindowLM.load(target).perplexity(VALID) == trained().perplexity(VALID)
    assert not checkpoint.exists()


def test_it_resumes(files):
    source, _, target, checkpoint, _ = files.values()
    small(epochs=3, callbacks=[lambda report: report.epoch == 1]).fit(TRAIN, checkpoint=checkpoint)

    refused = run(source, "-o", target, "--epochs", 3, *SMALL)
    resumed = run(source, "-o", target, "--epochs", 3, *SMALL, "--resume")

    assert isinstance(refused.exception, DataError)
    assert "--resume" in str(refused.exception)
    assert resumed.exit_code == 0, resumed.output
    assert [row["epoch"] for row in WindowLM.load(target).history_] == [1, 2, 3]
    assert not checkpoint.exists()


def test_it_tells_that_there_is_nothing_to_resume(files):
    source, _, target, checkpoint, _ = files.values()

    result = run(source, "-o", target, "--epochs", 1, *SMALL, "--resume")

    assert result.exit_code == 0, result.output
    assert f"Warning: {checkpoint} is not there; training starts from the beginning\n" in result.stderr


def test_it_starts_again_after_a_divergence(files):
    source, _, target, checkpoint, _ = files.values()
    growing = ("--optimizer", "sgd", "--schedule", "constant", "--lr", 1, "--l2", 2.2)

    diverged = run(source, "-o", target, *SMALL, *growing, "--epochs", 20)
    kept = WindowLM.load(target)
    again = run(source, "-o", target, *SMALL, "--epochs", 1)

    assert isinstance(diverged.exception, DivergedError)
    assert len(kept.history_) > 0
    assert again.exit_code == 0, again.output
    assert len(WindowLM.load(target).history_) == 1
    assert not checkpoint.exists()


def test_it_tells_which_setting_differs(files):
    source, _, target, checkpoint, _ = files.values()
    small(epochs=3, callbacks=[lambda report: report.epoch == 1]).fit(TRAIN, checkpoint=checkpoint)

    result = run(source, "-o", target, "--epochs", 3, *SMALL, "--resume", "--hidden", 9, "--tied", "--embedding", 9)

    assert isinstance(result.exception, DataError)
    assert str(result.exception) == (
        f"{checkpoint} is of a training with --embedding = 6, not 9, --hidden = 8, not 9, --tied = False, not True; "
        "go on with the same options and data, or delete it to start again"
    )


def test_it_names_its_options(files):
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


def test_it_names_every_option_in_a_message(files):
    source, _, target, _, _ = files.values()
    vectors = source.with_name("vectors.txt")
    vectors.write_text("2 3\na 1 2 3\nb 4 5 6\n", "utf-8")

    for given, said in {
        ("--tied", "--hidden", 10): "--tied needs --embedding 10, as large as the rows",
        ("--tied", "--direct"): "--tied does not go with --direct:",
        (
            "--tied",
            "--embedding",
            100,
            "--output-layer",
            "classes",
        ): "--tied does not go with --output-layer = 'classes'",
        ("--vectors", vectors): "vectors have 3 dimensions, but --embedding = 60; try --embedding 3",
    }.items():
        result = run(source, "-o", target, *given)
        assert isinstance(result.exception, OptionError)
        assert str(result.exception).startswith(said)
    diverged = run(source, "-o", target, "--optimizer", "sgd", "--lr", 1e20, "--direct")
    assert isinstance(diverged.exception, DivergedError)
    assert "try --lr 1e+19 or --clip 1" in str(diverged.exception)


@pytest.mark.parametrize(("given", "said"), [
    (("--noise-words", 9), "--noise-words is for --output-layer nce, not softmax"),
    (("--output-layer", "nce", "--classes", 9), "--classes is for --output-layer classes, not nce"),
    (("--momentum", 0.5), "--momentum is for --optimizer momentum or nesterov, not adam"),
    (("--patience", 2), "--patience is for --valid; give that, too, or leave --patience out"),
])  # fmt: skip
def test_it_refuses_what_nothing_would_read(files, given, said):
    result = run(files["train.txt"], "-o", files["model"], *given)

    assert isinstance(result.exception, OptionError)
    assert str(result.exception).startswith(said)


def test_it_tells_of_vectors_of_few_words(files):
    source, vectors = files["train.txt"], files["train.txt"].with_name("vectors.txt")
    source.write_text(" ".join(f"w{number}" for number in range(250)), "utf-8")
    warnings = {}
    for shared in (2, 3):
        rows = [f"w{number} 1 2 3 4 5 6\n" for number in range(shared)]
        vectors.write_text(f"{shared + 1} 6\n{''.join(rows)}other 6 5 4 3 2 1\n", "utf-8")
        result = run(source, "-o", files["model"], "--epochs", 1, "--vectors", vectors, *SMALL)
        assert result.exit_code == 0, result.output
        warnings[shared] = [line for line in result.stderr.splitlines() if line.startswith("Warning")]

    assert warnings == {
        2: [f"Warning: only 2 of the 250 words begin with a vector of {vectors}; are both cut into words alike?"],
        3: [],
    }


def test_it_writes_no_arpa_file(files):
    result = run("no-such-text", "-o", files["model"].with_suffix(".arpa.gz"))

    assert isinstance(result.exception, OptionError)
    assert str(result.exception).endswith(": an ARPA file cannot hold a WindowLM; name a .safetensors file")


def test_it_writes_over_nothing_it_reads(files):
    source, valid, _, _, _ = files.values()

    for given in (source, "--valid", valid), (source, "--vectors", valid), (valid,):
        result = run(*given, "-o", valid)
        assert isinstance(result.exception, OptionError)
        assert "is read and written" in str(result.exception)
