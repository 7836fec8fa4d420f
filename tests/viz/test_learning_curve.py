from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from windrow.embeddings import Word2Vec
from windrow.errors import DataError, FormatError, OptionError
from windrow.viz import plot_learning_curve
from windrow.viz.learning_curve import Record, read_log


def entry(event: str, words: int, loss: float, alpha: float = 0.02) -> dict[str, Any]:
    return {"event": event, "words": words, "loss": loss, "alpha": alpha, "epoch": 1, "seconds": 0.5}


def write_log(path: Path, *entries: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in entries))
    return path


def points(axes: Any) -> list[list[tuple[float, float]]]:
    return [list(zip(*map(list, line.get_data()), strict=True)) for line in axes.lines]


def test_the_curves_are_the_log_and_no_line_joins_two_epochs(tmp_path: Path) -> None:
    log = write_log(
        tmp_path / "log.jsonl",
        {"event": "start", "model": "skipgram"},
        entry("words", 50, 9.0, 0.04),
        entry("epoch", 100, 7.0, 0.03),
        entry("words", 150, 4.0, 0.02),
        entry("epoch", 200, 3.5, 0.01),
    )
    loss, rate = plot_learning_curve(log).axes
    assert points(loss) == [[(50, 9), (100, 7)], [(150, 4), (200, 3.5)], [(100, 7), (200, 3.5)]]
    assert points(rate) == [[(50, 0.04), (100, 0.03), (150, 0.02), (200, 0.01)]]
    assert rate.get_xlabel() == "words"
    assert [text.get_text() for text in loss.get_legend().get_texts()] == [
        "loss since the epoch began",
        "loss by epoch",
    ]


def test_the_log_of_a_training_can_be_drawn(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    with log.open("w") as stream:
        report = [lambda progress: print(json.dumps(asdict(progress)), file=stream)]
        sentences = [["a", "b", "c", "d"]] * 100
        Word2Vec(vector_size=4, min_count=1, epochs=3, workers=1, callbacks=report, report_words=100).fit(sentences)
    records = read_log(log)
    assert [record.examples for record in records if record.event == "epoch"] == [400, 800, 1200]
    plot_learning_curve(log, tmp_path / "curve.png")
    plot_learning_curve(log, tmp_path / "curve.svg")
    assert (tmp_path / "curve.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert b"Learning curve, log.jsonl" in (tmp_path / "curve.svg").read_bytes()


NEW = {"event": "epoch", "epoch": 1, "examples": 70, "loss": 2.5, "learning_rate": 0.1, "score": 8.5}
OLD = {"epoch": 1, "loss": 2.5, "learning_rate": 0.1}


@pytest.mark.parametrize(
    ("row", "measure", "unit"),
    [
        ({**NEW, "measure": "perplexity"}, "perplexity", "examples"),
        ({**OLD, "words": 70, "valid_perplexity": 8.5}, "valid_perplexity", "words"),
        ({**OLD, "tokens": 70, "f1": 8.5}, "f1", "tokens"),
        ({**OLD, "tokens": 70, "f1": None}, "f1", "tokens"),
        ({"event": "words", "words": 70, "loss": 2.5, "alpha": 0.1}, "score", "words"),
    ],
)
def test_logs_of_every_training_are_read(tmp_path: Path, row: dict[str, Any], measure: str, unit: str) -> None:
    (record,) = read_log(write_log(tmp_path / "log.jsonl", row))
    score = next((row[key] for key in ("score", "valid_perplexity", "f1") if key in row), None)
    assert record == (
        "progress" if row.get("event") == "words" else "epoch",
        70,
        2.5,
        0.1,
        score,
        measure,
        unit,
        row.get("seconds"),
    )


def test_scores_have_axes_of_their_own(tmp_path: Path) -> None:
    rows = [{**NEW, "examples": 70 * n, "score": 10 - n, "measure": "valid_perplexity"} for n in (1, 2)]
    _, score, rate = plot_learning_curve(write_log(tmp_path / "log.jsonl", *rows)).axes
    assert points(score) == [[(70, 9), (140, 8)]]
    assert score.get_ylabel() == "valid perplexity, held-out data"
    assert points(rate) == [[(70, 0.1), (140, 0.1)]]


def test_what_a_resumed_training_reports_again_replaces_the_first(tmp_path: Path) -> None:
    log = write_log(
        tmp_path / "log.jsonl",
        entry("words", 50, 9),
        entry("words", 100, 8),
        entry("words", 150, 7),
        entry("words", 100, 6),
        entry("epoch", 100, 6),
        entry("words", 150, 5),
    )
    found = [(record.event, record.examples, record.loss) for record in read_log(log)]
    assert found == [("progress", 50, 9), ("progress", 100, 6), ("epoch", 100, 6), ("progress", 150, 5)]


def test_equal_logs_give_equal_pictures(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.jsonl", entry("epoch", 2_000_000, 7), entry("epoch", 4_000_000, 6))
    for name in ("one.svg", "two.svg", "one.png", "two.png"):
        figure = plot_learning_curve(log, tmp_path / name)
    assert figure.axes[1].get_xlabel() == "million words"
    assert points(figure.axes[0]) == [[(2, 7), (4, 6)]]
    for extension in ("svg", "png"):
        assert (tmp_path / f"one.{extension}").read_bytes() == (tmp_path / f"two.{extension}").read_bytes()


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ('{"event": "epo', r"line 2: not JSON \(.*\); was the log cut short"),
        ("[1]", 'line 2: expected an object with an "event"'),
        ('{"words": 3}', 'line 2: expected an object with an "event"'),
        ('{"event": "epoch", "words": 3, "alpha": 1}', 'line 2: "loss" must be a number, not None'),
        ('{"event": "epoch", "words": true, "loss": 1, "alpha": 1}', 'line 2: "words" must be a number, not True'),
        ('{"event": "epoch", "words": 3, "loss": NaN, "alpha": 1}', 'line 2: "loss" must be a number, not nan'),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, second: str, message: str) -> None:
    log = write_log(tmp_path / "log.jsonl", entry("epoch", 1, 1))
    log.write_text(log.read_text() + second + "\n")
    with pytest.raises(FormatError, match=message):
        plot_learning_curve(log, tmp_path / "curve.png")
    assert not (tmp_path / "curve.png").exists()


def test_files_that_are_no_log(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*none\.jsonl: No such file"):
        read_log(tmp_path / "none.jsonl")
    empty = write_log(tmp_path / "empty.jsonl", {"event": "start"})
    with pytest.raises(FormatError, match="holds no event epoch or progress"):
        read_log(empty)
    binary = tmp_path / "binary.jsonl"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FormatError, match="not UTF-8"):
        read_log(binary)
    with pytest.raises(OptionError, match="must end in one of"):
        plot_learning_curve(empty, tmp_path / "curve.jpeg")


def test_blank_lines_are_nothing(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.jsonl", entry("epoch", 5, 1.5, 0.1))
    log.write_text("\n" + log.read_text() + "\n")
    assert read_log(log) == [Record("epoch", 5, 1.5, 0.1, None, "score", "words", 0.5)]
