"""Replicas on workers of a cluster: what they exchange, equal bits, lost workers; here without Ray."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.elsewhere import Elsewhere
from tests.embeddings.training.test_rounds import assert_equal_bits
from tests.naive import replicas as naive
from windrow import Corpus, Word2Vec
from windrow.distributed import InProcess
from windrow.distributed.cluster import LostWorkerError
from windrow.embeddings import Progress
from windrow.embeddings.kernels.packed import Packed, add_packed, put_packed, take_changes
from windrow.embeddings.training import exchanging, replicas
from windrow.embeddings.training.exchanging import HotOrder, rounds_since, rows_exchanged
from windrow.embeddings.training.run import plan_jobs
from windrow.errors import DataWarning, FormatError, OptionError

OPTIONS: dict[str, Any] = {"vector_size": 12, "min_count": 2, "epochs": 2, "workers": 1}


@pytest.fixture(autouse=True)
def several_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds and exchanges as many as a long text has."""
    monkeypatch.setattr(replicas, "WORDS_TOGETHER", 6000)
    monkeypatch.setattr(replicas, "_LEAST", 1000)
    monkeypatch.setattr(exchanging, "FIRST_ROWS", 256)


class Lost:
    """The handle of a value that a lost worker was to give, or that depends on one."""


class Losing(InProcess):
    """Workers of which one is lost each time that so many calls were made."""

    def __init__(self, count: int, every: int, losses: int) -> None:
        super().__init__(count)
        self.every, self.losses, self.calls, self.started = every, losses, 0, 0

    def start(self, kind: Any, *arguments: Any) -> Any:
        self.started += 1
        return LosingMember(super().start(kind, *arguments), self)

    def get(self, handle: Any) -> Any:
        if isinstance(handle, Lost):
            raise LostWorkerError("gone")
        return handle


class LosingMember:
    def __init__(self, member: Any, workers: Losing) -> None:
        self.member, self.workers, self.is_lost = member, workers, False

    def call(self, method: str, *arguments: Any, returns: int = 1) -> Any:
        workers = self.workers
        workers.calls += 1
        if workers.calls % workers.every == 0 and workers.losses > 0:
            workers.losses -= 1
            self.is_lost = True
        if self.is_lost or any(isinstance(argument, Lost) for argument in arguments):
            return [Lost()] * returns if returns > 1 else Lost()
        return self.member.call(method, *arguments, returns=returns)


def trained(corpus: Corpus, count: int, **options: Any) -> Word2Vec:
    return Word2Vec(**{**OPTIONS, **options}).fit(corpus, ray=InProcess(count))


@pytest.mark.parametrize(
    "options",
    [{"sg": 1}, {"sg": 0, "hs": 1, "negative": 0}, {"kernel": "pair", "sg": 1}, {"subwords": True, "buckets": 1000}],
    ids=str,
)
def test_one_replica_is_the_model_of_one_process(options: dict[str, Any], lee: Corpus) -> None:
    assert_equal_bits(trained(lee, 1, **options), Word2Vec(**{**OPTIONS, **options}).fit(lee))


@pytest.mark.parametrize("options", [{"sg": 1}, {"sg": 0, "hs": 1}, {"subwords": True, "buckets": 1000}], ids=str)
def test_several_replicas_learn_the_text(options: dict[str, Any], lee: Corpus) -> None:
    alone = Word2Vec(**{**OPTIONS, **options, "epochs": 8}).fit(lee)
    together = trained(lee, 3, **options, epochs=8)
    fell, falls = (model.history_[0]["loss"] - model.history_[-1]["loss"] for model in (alone, together))
    assert falls > 0.5 * fell
    assert together.history_[-1]["examples"] == alone.history_[-1]["examples"]


def test_threads_and_blas_do_not_matter_and_a_second_run_is_equal(lee: Corpus) -> None:
    first = trained(lee, 3, sg=1, workers=1)
    assert_equal_bits(first, trained(lee, 3, sg=1, workers=7))
    assert not np.array_equal(first.wv.vectors, trained(lee, 2, sg=1).wv.vectors)


def test_workers_elsewhere_give_equal_bits(lee: Corpus) -> None:
    options = {**OPTIONS, "subwords": True, "buckets": 1000, "loss": "hs+ns", "epochs": 1}
    there = Word2Vec(**options).fit(lee, ray=Elsewhere(3))
    assert_equal_bits(there, trained(lee, 3, **options))


def test_more_replicas_than_sentences(tmp_path: Path) -> None:
    corpus = Corpus.build(["the king rules the land", "the queen rules the land"])
    model = Word2Vec(vector_size=4, min_count=1, sample=0).fit(corpus, ray=InProcess(5))
    assert np.isfinite(model.wv.vectors).all()


# --- lost workers


@pytest.mark.parametrize("every", [5, 12, 17])
def test_a_lost_worker_changes_no_bit(every: int, lee: Corpus) -> None:
    workers = Losing(3, every, losses=2)
    with pytest.warns(DataWarning, match=r"a worker was lost, and with it .* [\d,]+ words .* read these again") as told:
        model = Word2Vec(**OPTIONS).fit(lee, ray=workers)
    assert 1 <= len(told) <= 2  # none for one that is lost while others are told where to go on
    assert workers.started == 5
    assert_equal_bits(model, trained(lee, 3))


def test_training_ends_where_workers_are_lost_again_and_again(lee: Corpus) -> None:
    model = trained(lee, 2)
    before = model.wv.vectors
    with pytest.warns(DataWarning, match="a worker was lost"), pytest.raises(LostWorkerError):
        model.fit(lee, ray=Losing(2, 7, losses=10**6))
    assert model.wv.vectors is before


# --- checkpoints


class StopsAt:
    """Raises KeyboardInterrupt at the first report after so many words."""

    def __init__(self, words: int) -> None:
        self.words = words

    def __call__(self, progress: Progress) -> None:
        if progress.examples >= self.words:
            raise KeyboardInterrupt


@pytest.mark.parametrize("words", [0, 30_000, 61_000])
def test_an_interrupted_training_resumes_to_equal_bits(words: int, lee: Corpus, tmp_path: Path) -> None:
    checkpoint = tmp_path / "c"
    with pytest.raises(KeyboardInterrupt, match=r"stopped at \d+\.\d%"):
        Word2Vec(**OPTIONS).fit(lee, checkpoint=checkpoint, progress=StopsAt(words), ray=InProcess(3))
    resumed = Word2Vec(**OPTIONS).fit(lee, checkpoint=checkpoint, resume=True, ray=InProcess(3))
    assert_equal_bits(resumed, trained(lee, 3))


def test_checkpoints_within_an_epoch_change_no_bit(
    lee: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchanging, "FIRST_ROWS", 4096)  # all rows are exchanged several times an epoch
    words = []

    def keep(progress: Progress) -> None:
        words.append(progress.examples)
        model.save_checkpoint(tmp_path / f"{len(words)}")

    model = Word2Vec(**OPTIONS, callbacks=[keep], report_words=1000)
    model.fit(lee, ray=InProcess(3))
    within = [number for number, count in enumerate(words) if count % lee.tokens > 0]
    assert len(within) > 3
    for number in within[1:3]:
        again = Word2Vec(**OPTIONS).fit(
            lee, checkpoint=tmp_path / f"{number + 1}", resume=True, keep_checkpoint=True, ray=InProcess(3)
        )
        assert_equal_bits(again, model)


def test_a_checkpoint_is_for_as_many_replicas(lee: Corpus, tmp_path: Path) -> None:
    checkpoint = tmp_path / "c"
    with pytest.raises(KeyboardInterrupt):
        Word2Vec(**OPTIONS).fit(lee, checkpoint=checkpoint, progress=StopsAt(0), ray=InProcess(1))
    for ray, count in ((InProcess(2), 2), (None, None)):
        with pytest.raises(FormatError, match=f"taken with ray_workers = 1, this run has {count}"):
            Word2Vec(**OPTIONS).fit(lee, checkpoint=checkpoint, resume=True, ray=ray)


# --- what goes through unchanged


def test_frozen_vectors_stay_and_a_model_goes_on(lee: Corpus, tmp_path: Path) -> None:
    model = trained(lee, 2, sg=1)
    model.save(tmp_path / "model.safetensors")
    model = Word2Vec.load(tmp_path / "model.safetensors")
    frozen = model.wv.index_to_key[:3]
    onward = Word2Vec(**OPTIONS, sg=1).fit(lee, continue_from=model, frozen=frozen, ray=InProcess(2))
    np.testing.assert_array_equal(onward.wv.vectors[:3], model.wv.vectors[:3])
    assert not np.array_equal(onward.wv.vectors[3:], model.wv.vectors[3:])


def test_a_training_that_diverges_ends(lee: Corpus) -> None:
    with pytest.raises(Exception, match="training diverged"):
        trained(lee, 3, alpha=10, min_alpha=10, sample=0, epochs=20, block_size=4096)


def test_what_is_no_cluster_is_refused(lee: Corpus) -> None:
    with pytest.raises(OptionError, match=r"ray = 3 must be 'local', 'auto'"):
        Word2Vec(**OPTIONS).fit(lee, ray=3)  # type: ignore[arg-type]


# --- what is exchanged


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(0, 40), st.integers(1, 5000))
def test_the_rows_are_the_naive_ones(number: int, later: int, rows: int) -> None:
    rounds, first = number + later, exchanging.FIRST_ROWS
    count = rows_exchanged(number, rounds, rows)
    assert count == naive.rows_exchanged(number, rounds, rows, first)
    assert rounds_since(number, count).tolist() == naive.rounds_since(number, rounds, rows, first)[:count]


def test_shares_are_the_naive_ones_from_a_sum_to_a_mean() -> None:
    updates = np.array([9.0, 0.02, 1e-3, 0, 0], np.float32)
    order = HotOrder.of(updates[[3, 2, 0, 1, 4]])
    assert order.rows.tolist() == [2, 3, 1, 0, 4]
    shares = order.shares(number=1, count=5, round_words=1000, replicas=8)
    memory = exchanging.UPDATES_REMEMBERED
    expected = [naive.share(1000 * each, 8, memory) for each in updates[:3]]
    np.testing.assert_allclose(shares, [*expected, 1, 1], rtol=1e-4)
    assert shares[0] == pytest.approx(1 / 8)


numbers = st.floats(-4, 4, width=32)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 7).flatmap(lambda n: st.lists(st.lists(numbers, min_size=n, max_size=n), min_size=1, max_size=9)),
       st.integers(1, 4))  # fmt: skip
def test_packed_rows_are_near_and_come_back_in_parts(rows: list[list[float]], parts: int) -> None:
    given_rows = np.array(rows, np.float32)
    packed = Packed.joined(Packed.of(given_rows).parts(parts))
    assert packed.steps.shape[1] == (given_rows.shape[1] + 1) // 2  # bytes
    total = np.zeros_like(given_rows)
    add_packed(total, *packed)
    largest = np.abs(given_rows).max(axis=1, keepdims=True)
    assert (np.abs(total - given_rows) <= largest / 13.9 + 1e-29).all()


def test_a_row_that_is_no_number_stays_none() -> None:
    rows = np.array([[1, np.nan], [np.inf, 0], [1, 2], [0, 0]], np.float32)
    total = np.zeros_like(rows)
    add_packed(total, *Packed.of(rows))
    assert np.isfinite(total).all(axis=1).tolist() == [False, False, True, True]


def test_changes_of_all_become_those_of_each() -> None:
    """Two replicas by hand: their tables differ in hot rows, and are the naive sum of changes afterwards."""
    rng = np.random.default_rng(3)
    before = rng.random((5, 4), np.float32)
    tables = [np.pad(before + rng.random((5, 4), np.float32), ((0, 0), (0, 12))) for _ in range(2)]
    rows = np.array([4, 0, 2], np.int32)
    changes = np.empty((2, 3, 4), np.float32)
    for table, change in zip(tables, changes, strict=True):
        take_changes(table, before, rows, change)
        np.testing.assert_array_equal(change, table[rows, :4] - before[rows])
    combined = naive.combined(changes, [0.5, 1, 0.75]).astype(np.float32)
    packed = Packed.of(combined)
    exchanged = before.copy()
    put_packed(tables[0], exchanged, rows, *packed)
    np.testing.assert_allclose(tables[0][rows, :4], before[rows] + combined, atol=np.abs(combined).max() / 13.9)
    np.testing.assert_array_equal(tables[0][rows, :4], exchanged[rows])
    np.testing.assert_array_equal(exchanged[[1, 3]], before[[1, 3]])


# --- how the text is cut


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 25), max_size=30), st.integers(1, 6), st.integers(1, 5), st.sampled_from([0, 7]))
def test_shards_hold_all_of_the_text_in_order(lengths: list[int], count: int, rounds: int, offset: int) -> None:
    starts = np.cumsum([offset, *lengths])
    ids = np.arange(offset + sum(lengths), dtype=np.int32)
    shards = replicas.cut_shards(ids, starts, plan_jobs(starts, 10), count, rounds)
    assert len(shards) == count
    assert np.concatenate([shard.ids for shard in shards]).tolist() == list(range(offset, len(ids)))
    ends = set(starts.tolist())
    for shard in shards:
        assert shard.round_jobs[[0, -1]].tolist() == [0, len(shard.jobs)]
        assert (np.diff(shard.round_jobs) >= 0).all()
        assert abs(len(shard.ids) - sum(lengths) / count) <= 10
        for ids_of_job, starts_of_job in jobs_of(shard):
            if len(ids_of_job):
                assert set((starts_of_job[1:-1] + ids_of_job[0]).tolist()) <= ends


def jobs_of(shard: replicas.Shard) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for job in range(len(shard.jobs)):
        cut = shard.jobs.cut(shard.ids, shard.starts, job, 0.1)
        assert cut.starts[0] == 0
        assert cut.starts[-1] == len(cut.ids)
        yield cut.ids, cut.starts


def test_a_round_is_the_same_part_of_each_shard() -> None:
    starts = np.arange(0, 4001, 10)
    shards = replicas.cut_shards(np.zeros(4000, np.int32), starts, plan_jobs(starts, 20), 2, 4)
    assert [shard.jobs.fraction_before(job) for shard in shards for job in shard.round_jobs] == [
        0,
        0.25,
        0.5,
        0.75,
        1,
    ] * 2
    assert [shard.words_before(number) for shard in shards for number in range(5)] == [0, 500, 1000, 1500, 2000] * 2
