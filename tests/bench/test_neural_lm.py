from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import neural_lm_quality as quality
import neural_lm_speed as speed
import windrow
from harness import BenchError
from windrow.lm.neural.kernels import gather_contexts
from windrow.lm.symbols import BOS, EOS

LINES = ["the cat sat on the mat", "", "the dog saw the cat on the mat", "a cat and a dog ran"] * 10
SMALL = {"order": 3, "embedding_size": 6, "hidden_size": 5, "epochs": 2}


@pytest.fixture
def torch_peers() -> Any:
    pytest.importorskip("torch", reason="the peers need PyTorch")
    return import_module("torch_peers")


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    for part in quality.PARTS:
        (tmp_path / f"{part}.txt").write_text("".join(f" {line} \n" for line in LINES))
    return tmp_path


@pytest.fixture
def encoded(texts: Path) -> tuple[str, np.ndarray, int]:
    """The file that the peers read, and what is in it."""
    file = str(texts / "text.npz")
    speed.encode(str(texts / "train.txt"), str(texts / "text.corpus"), file, 8)
    with np.load(file) as kept:
        return file, kept["stream"], int(kept["words"])


# --- quality


@pytest.mark.parametrize("row", quality.RECIPES)
def test_recipes_are_sound(row: str) -> None:
    kind, options = quality.RECIPES[row]
    estimator = getattr(windrow, kind)(**options)
    estimator.check_parameters()
    assert set(options) <= set(estimator.get_params())


def test_a_row_is_trained_once_and_mixed(texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"texts": str(texts), "models": str(tmp_path), "workers": 1}
    baseline = quality.do_row("kn5", {"order": 3, "discount_fallback": True}, **given)
    first = quality.do_row("window", SMALL, **given)
    model = windrow.load(tmp_path / "window.safetensors")
    test = str(texts / "test.txt")
    assert first["perplexity"] == pytest.approx(model.perplexity(test))
    mixture = windrow.MixtureLM([windrow.load(tmp_path / "kn5.safetensors"), model]).fit(str(texts / "valid.txt"))
    assert first["mixed"] == pytest.approx(mixture.perplexity(test))
    better = min(first["perplexity"], baseline["perplexity"])
    assert first["gain_percent"] == pytest.approx(100 * (better - first["mixed"]) / better)
    monkeypatch.setattr(quality, "_timed", None)  # nothing is trained again
    assert quality.do_row("window", SMALL, **given) == first
    with pytest.raises(BenchError, match=r"window.safetensors was trained with .*delete it"):
        quality.do_row("window", {**SMALL, "epochs": 3}, **given)


def test_a_quick_try_has_the_first_lines(texts: Path, tmp_path: Path) -> None:
    target = tmp_path / "short"
    target.mkdir()
    sizes = quality.write_texts(str(texts), str(target), 50)
    assert sizes == {"train_words": 54, "valid_words": 6, "test_words": 6}
    whole = (texts / "train.txt").read_text()
    short = (target / "train.txt").read_text()
    assert whole.startswith(short)
    assert len(short.split()) == 54
    quality.write_texts(str(texts), str(target), None)
    assert (target / "train.txt").read_text() == whole


def test_rows_of_other_settings_are_not_kept(tmp_path: Path) -> None:
    output = tmp_path / "result"
    assert quality.earlier_results(output, {"words": None}) == {}
    kept = {"kn5": {"perplexity": 220.0}}
    output.with_suffix(".json").write_text(json.dumps({"settings": {"words": None}, "results": kept}))
    assert quality.earlier_results(output, {"words": None}) == kept
    assert quality.earlier_results(output, {"words": 1000}) == {}


def test_the_table_has_the_rows_that_are_done() -> None:
    kn5 = {"perplexity": 220.123, "state": "", "recipe": "`NGramLM(order=5)`", "parameters": 4e6}
    lstm = {**kn5, "state": "carried", "mixed": 100.0, "baseline_weight": 0.25, "gain_percent": 9.5, "recipe": "`R`"}
    lines = quality.table({"lstm": lstm, "kn5": kn5}).splitlines()
    assert lines[2].startswith("| kn5 |  | 220.12 |  |")
    assert lines[3].startswith("| lstm | carried | 220.12 | 100.00 | 0.25 | 9.5 % |")
    assert {line.count("|") for line in lines[:4]} == {lines[0].count("|")}
    assert lines[-2:] == ["- kn5: `NGramLM(order=5)`", "- lstm: `R`"]


# --- speed


def test_only_words_after_the_warm_up_count() -> None:
    clock = speed._Clock(10)
    reports = [(0.5, 10), (1.5, 100), (6.5, 700), (11.5, 1600)]
    for seconds, words in reports[:3]:
        clock(SimpleNamespace(seconds=seconds, examples=words, loss=1.0))
    with pytest.raises(speed._TimeIsUpError):
        clock(SimpleNamespace(seconds=reports[3][0], examples=reports[3][1], loss=1.0))
    assert clock.figures() == {"seconds": 10, "words": 1500, "words_per_second": 150, "loss": 1.0}


@pytest.mark.parametrize("case", speed.Cases("", 0).all())
def test_both_sides_of_a_case_have_the_same_sizes(case: str) -> None:
    sides = speed.Cases("folder", 5).all()[case].sides
    assert len({side.name for side in sides}) == len(sides)
    for side in sides:
        assert json.loads(json.dumps(side.arguments)) == side.arguments
        module, _, function = str(side.job).partition(":")
        assert module == "torch_peers" or hasattr(import_module(module), function)
    trained = not case.startswith("generation")
    ours = [side.arguments["options"] for side in sides if side.name.startswith("windrow") and trained]
    for side in (side for side in sides if side.job == "torch_peers:train_recurrent"):
        theirs = side.arguments
        assert ours[-1]["cell"] == theirs["cell"]
        assert ours[-1]["hidden_size"] == ours[-1]["embedding_size"] == theirs["size"]
        assert (ours[-1]["max_vocab"] is None) == theirs["text"].endswith("full.npz")
        for name, other in (("batch_size", "streams"), ("bptt", "bptt"), ("learning_rate", "rate"), ("clip", "clip")):
            assert ours[-1][name] == theirs[other]
    for side in (side for side in sides if side.job == "torch_peers:train_window"):
        assert ours[0]["batch_size"] == side.arguments["rows"]
        for name in ("order", "embedding_size", "hidden_size"):
            assert ours[0][name] == side.arguments[name]


@pytest.mark.parametrize("kind", ["WindowLM", "RecurrentLM"])
def test_windrow_trains_until_time_is_up(texts: Path, encoded: Any, kind: str) -> None:
    options = {"embedding_size": 6, "hidden_size": 5, "batch_size": 4}
    figures = speed.train_windrow(str(texts / "text.corpus"), kind, options, 0.3)
    assert figures["seconds"] >= 0.3
    assert figures["words_per_second"] * figures["seconds"] == pytest.approx(figures["words"])


def test_windrow_writes_as_many_words_as_asked_for(texts: Path, encoded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "SIZE", 8)
    assert speed.generate_windrow(str(texts / "text.corpus"), 30)["words"] == 30


# --- PyTorch


def test_peers_read_the_contexts_that_windrow_reads(torch_peers: Any, encoded: Any) -> None:
    _, stream, _ = encoded
    positions = np.flatnonzero(stream != BOS).astype(np.int32)
    expected = np.empty((len(positions), 4), np.int32)
    gather_contexts(stream, positions, BOS, expected)
    contexts, targets = next(torch_peers.window_batches(stream.astype(np.int64), 4, len(positions)))
    rows = np.column_stack([contexts.numpy(), targets.numpy()])
    wanted = np.column_stack([expected, stream[positions]])
    assert sorted(rows.tolist()) == sorted(wanted.tolist())


def test_peers_read_streams_that_follow_the_text(torch_peers: Any, encoded: Any) -> None:
    _, stream, _ = encoded
    batches = torch_peers.recurrent_batches(stream.astype(np.int64), 3, 7)
    read, predicted = stream[stream != EOS], stream[stream != BOS]
    length = len(read) // 3
    for first in (0, 7, 14):
        ids, targets = next(batches)
        for lane in range(3):
            span = slice(lane * length + first, lane * length + first + 7)
            assert ids[:, lane].tolist() == read[span].tolist()
            assert targets[:, lane].tolist() == predicted[span].tolist()


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_recurrent_peers_are_as_large_as_ours_and_learn(torch_peers: Any, texts: Path, encoded: Any, cell: str) -> None:
    text, _, _ = encoded
    options = {"cell": cell, "embedding_size": 6, "hidden_size": 6, "max_vocab": 8, "epochs": 1}
    model = windrow.RecurrentLM(**options).fit(str(texts / "train.txt"))
    given = {"streams": 4, "bptt": 5, "rate": 1.0, "clip": 0.25, "seconds": 0.5}
    figures = torch_peers.train_recurrent(text, cell, 6, **given)
    # nn.RNN, nn.LSTM and nn.GRU have a second bias for each gate; of a GRU's, windrow has the candidate's.
    more = {"elman": 6, "lstm": 4 * 6, "gru": 2 * 6}[cell]
    assert figures["parameters"] == len(model.network_.values()) + more
    assert figures["last_loss"] < 0.9 * np.log(8)


def test_the_window_peer_is_as_large_as_ours_and_learns(torch_peers: Any, texts: Path, encoded: Any) -> None:
    text, _, _ = encoded
    sizes = {"order": 3, "embedding_size": 6, "hidden_size": 5}
    model = windrow.WindowLM(**sizes, max_vocab=8, epochs=1).fit(str(texts / "train.txt"))
    figures = torch_peers.train_window(text, **sizes, rows=16, rate=0.01, seconds=0.5)
    assert figures["parameters"] == len(model.network_.values())
    assert figures["last_loss"] < 0.9 * np.log(8)


@pytest.mark.parametrize("chunk", [0, 8, 64])
def test_both_ways_take_the_same_steps(torch_peers: Any, encoded: Any, chunk: int) -> None:
    _, stream, words = encoded

    def losses(sparse: bool, chunk: int | None) -> list[float]:
        torch_peers._start(1)
        model = torch_peers.Recurrent(words, "lstm", 6, sparse=sparse)
        batches = torch_peers.recurrent_batches(stream.astype(np.int64), 4, 5)
        training = torch_peers.Training(model, batches, "sgd", 1.0, 0.25)
        training.chunk = chunk
        return [training.step()[0] for _ in range(20)]

    plain = losses(False, None)
    assert plain[-1] < plain[0]
    assert losses(True, chunk) == pytest.approx(plain, rel=1e-4)
