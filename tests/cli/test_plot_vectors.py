"""`windrow vectors plot` and `plot-log`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import pytest
from click.testing import CliRunner

from windrow import MLPClassifier
from windrow.cli.plot_vectors import plot, plot_log
from windrow.embeddings import WordVectors
from windrow.errors import DataError, FormatError, MissingWordError, OptionError
from windrow.viz.learning_curve import read_norms


class Result(NamedTuple):
    status: int
    out: str
    err: str
    error: BaseException | None


def run(command: click.Command, *arguments: object) -> Result:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    return Result(result.exit_code, result.stdout, result.stderr, result.exception)


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    words = ["king", "queen", "man", "woman", "cat"]
    path = tmp_path / "wv.safetensors"
    WordVectors(words, np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)).save(path)
    return path


def svg_words(path: Path) -> set[str]:
    text = path.read_text()
    return {word for word in ("king", "queen", "man", "woman", "cat") if f">{word}<" in text}


@pytest.mark.parametrize(
    "options",
    [
        ("--words", "king", "queen", "man", "-o", "PICTURE"),
        ("-o", "PICTURE", "--words", "king", "queen", "man", "--seed", "3"),
        ("-o", "PICTURE", "--words", "king", "--words", "queen", "--words=man"),
    ],
)
def test_plot_draws_the_words_that_follow(vectors: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    picture = tmp_path / "map.svg"
    result = run(plot, vectors, *(picture if option == "PICTURE" else option for option in options))
    assert result == (0, "", f"{picture}: 3 words, 3 of them labeled\n", None)
    assert svg_words(picture) == {"king", "queen", "man"}


def test_plot_by_umap_names_what_it_needs(vectors: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    result = run(plot, vectors, "-o", tmp_path / "map.svg", "--method", "umap")
    assert result.status == 1
    assert str(result.error) == "UMAP needs umap-learn: pip install 'windrow[umap]'"
    assert not (tmp_path / "map.svg").exists()


def test_plot_draws_the_first_words(vectors: Path, tmp_path: Path) -> None:
    result = run(plot, vectors, "-o", tmp_path / "map.svg", "--top", 4, "--method", "tsne")
    assert result.status == 0
    assert svg_words(tmp_path / "map.svg") == {"king", "queen", "man", "woman"}


def test_plot_draws_neighbors_arrows_and_classes(vectors: Path, tmp_path: Path) -> None:
    picture = tmp_path / "map.svg"
    assert run(plot, vectors, "-o", picture, "--neighbors", "1", "--words", "king").status == 0
    assert len(svg_words(picture)) == 2
    assert "king" in svg_words(picture)
    pairs = ["--arrow", "man", "king", "--arrow", "woman", "queen"]
    assert run(plot, vectors, "-o", picture, *pairs, "--clusters", "2", "--theme", "dark").status == 0
    assert svg_words(picture) == {"king", "queen", "man", "woman"}
    for option in (["--top", "3"], ["--all-words"]):
        assert isinstance(run(plot, vectors, "-o", picture, *pairs, *option).error, OptionError)


def test_plot_reports_what_is_wrong(vectors: Path, tmp_path: Path) -> None:
    out = tmp_path / "map.png"
    assert isinstance(run(plot, vectors, "-o", out, "--words", "king", "quen").error, MissingWordError)
    # The picture's name is checked before the vectors are read.
    assert isinstance(run(plot, "no-such-file.safetensors", "-o", "map.gif").error, OptionError)
    for arguments in (["--words"], ["--method", "som"]):
        assert run(plot, vectors, "-o", out, *arguments).status == 2
    for arguments in (["--top", "1"], ["--seed", "-1"]):
        assert isinstance(run(plot, vectors, "-o", out, *arguments).error, OptionError)
    assert run(plot, vectors).status == 2
    assert not out.exists()


def test_plot_log_draws_the_curve(tmp_path: Path) -> None:
    log, picture = tmp_path / "log.jsonl", tmp_path / "curve.svg"
    log.write_text(json.dumps({"event": "epoch", "words": 10, "loss": 2.5, "alpha": 0.1}) + "\n")
    assert run(plot_log, log, "-o", picture) == (0, "", f"{picture} written\n", None)
    assert "Learning curve, log.jsonl" in picture.read_text()
    assert isinstance(run(plot_log, log, "-o", picture, "--norms").error, DataError)  # it has none
    log.write_text("loss 2.5\n")
    assert isinstance(run(plot_log, log, "-o", picture).error, FormatError)


def test_plot_log_draws_the_norms_of_perceptrons(tmp_path: Path) -> None:
    log, picture = tmp_path / "log.jsonl", tmp_path / "norms.svg"
    reports = MLPClassifier(hidden_layer_sizes=4, epochs=3).fit(np.eye(4), [0, 1, 0, 1]).history_
    log.write_text("".join(f"{json.dumps(one)}\n" for one in reports))
    told = [{"epoch": one["epoch"], "gradient_norms": one["gradient_norms"]} for one in reports]
    assert read_norms(log) == told
    assert run(plot_log, log, "-o", picture, "--norms", "--theme", "dark").status == 0
    assert "gradient norm" in picture.read_text()
    log.write_text("".join(f"{json.dumps(one)}\n" for one in [*reports, {**reports[1], "gradient_norms": None}]))
    assert read_norms(log) == told
    for norms in ({"dense1": 1.0}, {**reports[0]["gradient_norms"], "dense1": "x"}, [1.0]):
        log.write_text("".join(f"{json.dumps(one)}\n" for one in [*reports, {**reports[1], "gradient_norms": norms}]))
        error = run(plot_log, log, "-o", picture, "--norms").error
        assert isinstance(error, FormatError)
        assert "line 4" in str(error)
