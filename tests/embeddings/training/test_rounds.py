"""Deterministic threads: equal bits from equal seeds, whatever the threads' speed, and across an interrupt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest

from windrow import Corpus, Word2Vec
from windrow.embeddings import Progress
from windrow.embeddings.steps import LOSSES
from windrow.embeddings.training import rounds, run
from windrow.errors import OptionError
from windrow.files import model_file

pytestmark = pytest.mark.filterwarnings("ignore:no word was trained on", "ignore:the only word is")

OPTIONS: dict[str, Any] = {"vector_size": 16, "min_count": 2, "epochs": 1, "deterministic": True}


@pytest.fixture(scope="module")
def longer(lee_sentences: list[list[str]], tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Several rounds an epoch, for two workers too."""
    return Corpus.build(lee_sentences * 4, tmp_path_factory.mktemp("longer") / "longer.corpus")


class LastFirst:
    """In place of the threads of a round: one after the other, the last worker first."""

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, function: Callable[..., Any], *arguments: Iterable[Any]) -> list[Any]:
        calls = list(zip(*arguments, strict=True))
        assert len(calls) == self.threads
        return [function(*call) for call in reversed(calls)][::-1]


def assert_equal_bits(first: Word2Vec, second: Word2Vec) -> None:
    np.testing.assert_array_equal(first.wv.vectors, second.wv.vectors)
    assert first.output_tables_.keys() == second.output_tables_.keys()
    for name, table in first.output_tables_.items():
        np.testing.assert_array_equal(table, second.output_tables_[name])
    assert [row["loss"] for row in first.history_] == [row["loss"] for row in second.history_]


@pytest.mark.parametrize("sg", [0, 1])
@pytest.mark.parametrize(
    ("threads", "loss"),
    [(threads, loss) for loss in ("ns", "hs", "hs+ns") for threads in (1, 2, 3, 8, 16)] + [(2, "softmax")],
)
def test_threads_give_the_bits_of_workers_that_take_turns(
    threads: int, loss: str, sg: int, lee: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = OPTIONS | {"workers": threads, "sg": sg, "loss": loss, "min_count": 20 if loss == "softmax" else 2}
    first, second = Word2Vec(**options).fit(lee), Word2Vec(**options).fit(lee)
    assert_equal_bits(first, second)
    monkeypatch.setattr(rounds, "ThreadPoolExecutor", LastFirst)
    assert_equal_bits(first, Word2Vec(**options).fit(lee))
    other = Word2Vec(**options | {"seed": 2}).fit(lee)
    assert np.abs(other.wv.vectors - first.wv.vectors).max() > 1e-3
    assert first.history_[0]["examples"] == lee.tokens


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("sg", [0, 1])
def test_a_corpus_of_one_job_trains_as_with_one_worker(sg: int, loss: str, lee_sentences: list[list[str]]) -> None:
    """The other workers have nothing to do; copying the rows and adding their difference costs roundings only."""
    few = [sentence[:90] for sentence in lee_sentences[:6]]
    options = OPTIONS | {"min_count": 1, "sample": 0, "alpha": 0.1, "epochs": 2, "sg": sg, "loss": loss, "workers": 1}
    alone = Word2Vec(**options).fit(few)
    for threads in (2, 3, 16):
        model = Word2Vec(**options | {"workers": threads}).fit(few)
        np.testing.assert_allclose(model.wv.vectors, alone.wv.vectors, rtol=0, atol=3e-6)
        for name, table in alone.output_tables_.items():
            np.testing.assert_allclose(model.output_tables_[name], table, rtol=0, atol=3e-6)
        assert [row["loss"] for row in model.history_] == pytest.approx(
            [row["loss"] for row in alone.history_], rel=1e-5
        )


@pytest.mark.parametrize("sentences", [[["a"]], [["a", "b"] * 9], [["a", "b", "c"]] * 5])
@pytest.mark.parametrize("loss", LOSSES)
def test_workers_without_jobs_do_no_harm(loss: str, sentences: list[list[str]]) -> None:
    for sg in (0, 1):
        options = OPTIONS | {"min_count": 1, "workers": 16, "loss": loss, "epochs": 3, "sg": sg, "sample": 0}
        first, second = Word2Vec(**options).fit(sentences), Word2Vec(**options).fit(sentences)
        assert np.isfinite(first.wv.vectors).all()
        assert_equal_bits(first, second)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_round_without_words_changes_nothing(loss: str) -> None:
    """Subsampling drops every word; the loss is that of no prediction, and the vectors stay what they were."""
    options = OPTIONS | {"min_count": 1, "sample": 1e-12, "loss": loss, "sg": 1}
    alone = Word2Vec(**options, workers=1).fit([["a", "b"] * 9])
    for threads in (2, 3, 16):
        model = Word2Vec(**options, workers=threads).fit([["a", "b"] * 9])
        assert model.history_[0]["loss"] == 0
        assert_equal_bits(model, alone)


@pytest.mark.parametrize("threads", [2, 4])
@pytest.mark.parametrize("loss", ["ns", "hs"])
@pytest.mark.parametrize("sg", [0, 1])
def test_rounds_learn_as_much_as_threads_without_locks(sg: int, loss: str, threads: int, longer: Corpus) -> None:
    options = OPTIONS | {"epochs": 2, "sg": sg, "loss": loss, "workers": threads, "shrink_windows": False, "sample": 0}
    in_rounds, hogwild = (
        [row["loss"] for row in Word2Vec(**options | {"deterministic": deterministic}).fit(longer).history_]
        for deterministic in (True, False)
    )
    assert in_rounds[-1] < in_rounds[0]
    assert in_rounds[-1] == pytest.approx(hogwild[-1], rel=0.05)


class Interrupt:
    """Raises KeyboardInterrupt at the first report after ``words`` raw words."""

    def __init__(self, words: int) -> None:
        self.words = words

    def __call__(self, progress: Progress) -> None:
        if progress.event == "progress" and progress.examples >= self.words:
            raise KeyboardInterrupt


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("loss", ["ns", "hs+ns"])
def test_a_checkpoint_resumes_to_equal_bits(loss: str, threads: int, tmp_path: Path, longer: Corpus) -> None:
    checkpoint = tmp_path / "vectors.checkpoint"
    options = OPTIONS | {"workers": threads, "loss": loss, "epochs": 2, "sg": 1}
    unbroken = Word2Vec(**options).fit(longer)
    for words in (100_000, longer.tokens + 100_000):  # a stop in each epoch
        with pytest.raises(KeyboardInterrupt, match="add resume=True to go on"):
            Word2Vec(**options, report_words=10_000, callbacks=[Interrupt(words)]).fit(
                longer, checkpoint=checkpoint, resume=True
            )
        position = model_file.load(checkpoint).config["position"]
        assert words <= position["words"] < (position["epoch"] + 1) * longer.tokens
    resumed = Word2Vec(**options).fit(longer, checkpoint=checkpoint, resume=True)
    assert_equal_bits(resumed, unbroken)
    assert not checkpoint.exists()


@pytest.mark.parametrize("threads", [2, 8])
def test_an_interrupt_while_the_threads_run_loses_nothing(
    threads: int, tmp_path: Path, longer: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``progress`` runs beside the workers, so that the interrupt comes in the midst of a round."""
    monkeypatch.setattr(run, "_PROGRESS_SECONDS", 0.001)
    checkpoint = tmp_path / "vectors.checkpoint"
    options = OPTIONS | {"workers": threads, "sg": 1, "loss": "hs"}
    with pytest.raises(KeyboardInterrupt, match=r"vectors\.checkpoint; add resume=True"):
        Word2Vec(**options).fit(longer, checkpoint=checkpoint, progress=Interrupt(1))
    assert 0 < model_file.load(checkpoint).config["position"]["words"] < longer.tokens
    resumed = Word2Vec(**options).fit(longer, checkpoint=checkpoint, resume=True)
    assert_equal_bits(resumed, Word2Vec(**options).fit(longer))


def test_update_by_update_there_are_no_rounds() -> None:
    with pytest.raises(OptionError, match=r'deterministic with several workers needs kernel = "block"'):
        Word2Vec(**OPTIONS, kernel="pair", workers=2).fit([["a", "b"]] * 9)
    vectors = Word2Vec(**OPTIONS, kernel="pair", workers=1).fit([["a", "b"]] * 9).wv.vectors
    assert vectors.shape == (2, 16)
