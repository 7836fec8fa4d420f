"""Nothing is lost: checkpoints, SIGKILL, Ctrl-C, and resuming to the very same vectors."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from windrow import Corpus, Word2Vec
from windrow.embeddings import Progress
from windrow.errors import DataError, FormatError, OptionError
from windrow.files import model_file

OPTIONS = {"vector_size": 16, "min_count": 2, "epochs": 3, "workers": 1, "sg": 1}

_TRAINER = """
import sys
from windrow import Corpus, Word2Vec
corpus, checkpoint, kernel, loss = sys.argv[1:]
model = Word2Vec(vector_size=16, min_count=2, epochs=1000, workers=1, sg=1, kernel=kernel, loss=loss)
model.fit(Corpus.open(corpus), checkpoint=checkpoint, checkpoint_every=0.05)
"""


class _Interrupt:
    """Raises KeyboardInterrupt at the first report after ``words`` raw words."""

    def __init__(self, words: int) -> None:
        self.words = words

    def __call__(self, progress: Progress) -> None:
        if progress.event == "progress" and progress.examples >= self.words:
            raise KeyboardInterrupt


def _wait_for(condition: object, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


@pytest.mark.parametrize("loss", ["ns", "hs+ns"])
@pytest.mark.parametrize("kernel", ["block", "pair"])
def test_a_killed_run_resumes_to_equal_vectors(kernel: str, loss: str, tmp_path: Path, lee: Corpus) -> None:
    checkpoint = tmp_path / "vectors.checkpoint"
    command = [sys.executable, "-c", _TRAINER, str(lee.path), str(checkpoint), kernel, loss]
    with subprocess.Popen(command) as trainer:
        _wait_for(lambda: checkpoint.exists() or trainer.poll() is not None)
        first = checkpoint.stat().st_mtime_ns
        _wait_for(lambda: checkpoint.stat().st_mtime_ns != first or trainer.poll() is not None)
        trainer.send_signal(signal.SIGKILL)
    assert trainer.returncode == -signal.SIGKILL
    options = OPTIONS | {"epochs": 1000, "kernel": kernel, "loss": loss}

    def stop_soon(model_words: int) -> object:
        return lambda progress: progress.examples >= model_words

    words = model_file.load(checkpoint).config["position"]["words"]
    assert words > 0
    horizon = words + 2 * lee.tokens  # 1,000 epochs are for the killing; comparing needs only some more
    resumed = Word2Vec(**options, report_words=10_000, callbacks=[stop_soon(horizon)])
    resumed.fit(lee, checkpoint=checkpoint, resume=True)
    unbroken = Word2Vec(**options, report_words=10_000, callbacks=[stop_soon(horizon)]).fit(lee)
    np.testing.assert_array_equal(resumed.wv.vectors, unbroken.wv.vectors)
    for name, table in unbroken.output_tables_.items():
        np.testing.assert_array_equal(resumed.output_tables_[name], table)
    assert [row["loss"] for row in resumed.history_] == [row["loss"] for row in unbroken.history_]
    assert not checkpoint.exists()


@pytest.mark.parametrize("words", [20_000, 58_000, 120_000])
def test_an_interrupted_run_says_what_it_kept_and_resumes(words: int, tmp_path: Path, lee: Corpus) -> None:
    checkpoint = tmp_path / "vectors.checkpoint"
    model = Word2Vec(**OPTIONS, report_words=1000, callbacks=[_Interrupt(words)])
    with pytest.raises(KeyboardInterrupt, match=r"stopped at \d+\.\d%.*vectors\.checkpoint; add resume=True"):
        model.fit(lee, checkpoint=checkpoint)
    resumed = Word2Vec(**OPTIONS).fit(lee, checkpoint=checkpoint, resume=True)
    np.testing.assert_array_equal(resumed.wv.vectors, Word2Vec(**OPTIONS).fit(lee).wv.vectors)


def test_without_a_checkpoint_the_model_keeps_its_vectors(lee: Corpus) -> None:
    model = Word2Vec(**OPTIONS, report_words=10_000, callbacks=[_Interrupt(30_000)])
    with pytest.raises(KeyboardInterrupt, match="the model has its vectors so far"):
        model.fit(lee)
    assert len(model.wv) > 1000


def test_ctrl_c_while_workers_are_busy(tmp_path: Path, lee: Corpus) -> None:
    checkpoint = tmp_path / "vectors.checkpoint"
    script = _TRAINER.replace("workers=1", "workers=3")
    script = script.replace("checkpoint_every=0.05", "progress=lambda _: print('training', flush=True)")
    command = [sys.executable, "-c", script, str(lee.path), str(checkpoint), "block", "ns"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as trainer:
        assert trainer.stdout is not None
        assert trainer.stdout.readline() == "training\n"
        trainer.send_signal(signal.SIGINT)
        _, errors = trainer.communicate(timeout=60)
    assert "KeyboardInterrupt: training stopped at" in errors
    position = model_file.load(checkpoint).config["position"]
    assert 0 <= position["words"] <= 1000 * lee.tokens


def test_an_interrupt_does_not_wait_for_the_end_of_the_epoch(tmp_path: Path, lee_sentences: list[list[str]]) -> None:
    corpus = Corpus.build(lee_sentences * 30)
    checkpoint = tmp_path / "vectors.checkpoint"

    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    model = Word2Vec(**OPTIONS | {"epochs": 1, "kernel": "pair", "vector_size": 100})
    with pytest.raises(KeyboardInterrupt):
        model.fit(corpus, checkpoint=checkpoint, progress=interrupt)
    assert model_file.load(checkpoint).config["position"]["words"] < 0.9 * corpus.tokens


def test_the_last_checkpoint_stays_where_it_is_to_be_kept(tmp_path: Path, lee: Corpus) -> None:
    """As for a process that is killed after the training, before it has written the vectors."""
    checkpoint = tmp_path / "vectors.checkpoint"
    options = OPTIONS | {"epochs": 10}
    ended = Word2Vec(**options).fit(lee, checkpoint=checkpoint, checkpoint_every=0.05, keep_checkpoint=True)
    assert 0 < model_file.load(checkpoint).config["position"]["words"] <= 10 * lee.tokens
    resumed = Word2Vec(**options).fit(lee, checkpoint=checkpoint, resume=True)
    np.testing.assert_array_equal(resumed.wv.vectors, ended.wv.vectors)
    assert not checkpoint.exists()


def test_training_goes_on_between_checkpoints_however_often_they_are_asked_for(tmp_path: Path, lee: Corpus) -> None:
    reports = 0

    def watch(progress: Progress) -> None:
        nonlocal reports
        reports += 1
        assert progress.examples > 0 or reports < 100, "checkpoints are written and nothing is trained"

    options = OPTIONS | {"epochs": 1}
    often = Word2Vec(**options).fit(lee, checkpoint=tmp_path / "c", checkpoint_every=1e-9, progress=watch)
    np.testing.assert_array_equal(often.wv.vectors, Word2Vec(**options).fit(lee).wv.vectors)
    with pytest.raises(OptionError, match=r"checkpoint_every = -1 is out of range"):
        Word2Vec(**options).fit(lee, checkpoint=tmp_path / "c", checkpoint_every=-1)


def test_a_finished_training_can_be_kept_as_a_checkpoint(tmp_path: Path, lee: Corpus) -> None:
    checkpoint = tmp_path / "vectors.checkpoint"
    model = Word2Vec(**OPTIONS).fit(lee, checkpoint=checkpoint)
    assert not checkpoint.exists()
    model.save_checkpoint(checkpoint)
    resumed = Word2Vec(**OPTIONS).fit(lee, checkpoint=checkpoint, resume=True)
    np.testing.assert_array_equal(resumed.wv.vectors, model.wv.vectors)
    assert resumed.history_ == model.history_


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda arrays, config: arrays.pop("input"), "damaged.*input"),
        (lambda arrays, config: arrays.update(input=np.zeros((2, 16), np.float32)), "sizes disagree"),
        (lambda arrays, config: arrays["input"].fill(np.nan), "not finite"),
        (lambda arrays, config: config.pop("position"), "damaged.*position"),
        (lambda arrays, config: config["position"].update(colour=1), "damaged.*colour"),
        (lambda arrays, config: config["position"].update(job=99_999), "position is out of range"),
        (lambda arrays, config: config["position"].update(epoch=-1), "position is out of range"),
        (lambda arrays, config: arrays.update(randomness=np.zeros((2, 1), np.uint64)), "sizes disagree"),
    ],
)
def test_a_damaged_checkpoint_is_refused(
    damage: Callable[[dict[str, Any], dict[str, Any]], object], message: str, tmp_path: Path, lee: Corpus
) -> None:
    checkpoint = tmp_path / "vectors.checkpoint"
    Word2Vec(**OPTIONS | {"epochs": 1}).fit(lee).save_checkpoint(checkpoint)
    stored = model_file.load(checkpoint)
    arrays, config = {name: np.array(array) for name, array in stored.arrays.items()}, stored.config
    damage(arrays, config)
    model_file.save(checkpoint, stored.kind, arrays, config)
    with pytest.raises(FormatError, match=message):
        Word2Vec(**OPTIONS | {"epochs": 1}).fit(lee, checkpoint=checkpoint, resume=True)


def test_a_checkpoint_of_another_model_or_corpus_is_refused(tmp_path: Path, lee: Corpus) -> None:
    checkpoint = tmp_path / "vectors.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        Word2Vec(**OPTIONS, report_words=1000, callbacks=[_Interrupt(5000)]).fit(lee, checkpoint=checkpoint)
    kept = checkpoint.read_bytes()
    with pytest.raises(FormatError, match="taken with window = 5, this run has 4"):
        Word2Vec(**OPTIONS | {"window": 4}).fit(lee, checkpoint=checkpoint, resume=True)
    with pytest.raises(FormatError, match="taken with corpus = "):
        Word2Vec(**OPTIONS).fit([["other", "words"]] * 9, checkpoint=checkpoint, resume=True)
    checkpoint.write_bytes(kept[:-10])
    with pytest.raises(FormatError, match="cut short"):
        Word2Vec(**OPTIONS).fit(lee, checkpoint=checkpoint, resume=True)
    assert os.listdir(tmp_path) == [checkpoint.name]  # noqa: PTH208


def test_resuming_from_nothing(tmp_path: Path) -> None:
    text, options = [["a", "b", "c"]] * 9, {"min_count": 1, "vector_size": 4, "epochs": 1, "workers": 1, "sample": 0}
    for given, said in (
        ({"resume": True}, "resume = True needs a file to go on from; give checkpoint"),
        ({"checkpoint_every": 1.0}, "are for checkpoint; give that, too"),
        ({"keep_checkpoint": True}, "are for checkpoint; give that, too"),
    ):
        with pytest.raises(OptionError, match=said):
            Word2Vec(**options).fit(text, **given)
    model = Word2Vec(**options).fit(text, checkpoint=tmp_path / "state", resume=True)
    before = model.wv.vectors
    with pytest.raises(DataError, match="state is not there, and the model is trained; to train it again leave out"):
        model.fit(text[:3], checkpoint=tmp_path / "state", resume=True)
    np.testing.assert_array_equal(model.wv.vectors, before)
