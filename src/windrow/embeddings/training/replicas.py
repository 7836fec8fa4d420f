"""Training on replicas: each worker of a cluster trains tables of its own, and rows are exchanged after each round.

::

    each replica    train      applies what the round before was combined to, and trains on its own;
                               gives its changes, a part of the rows for each replica
                    combine    its part of all replicas' changes, in their order

                    finish     after an exchange of all rows: now the tables are the same everywhere

Only this order of calls is here, and the tables as they were after the last exchange of all rows: what a checkpoint
keeps, and what training goes on from when a worker is lost. Tables and changes go from worker to worker.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow import interrupts
from windrow.distributed.cluster import LostWorkerError
from windrow.distributed.workers import Member, Workers
from windrow.embeddings.training.exchanging import rows_exchanged
from windrow.embeddings.training.replica import Replica, Setup, Shard
from windrow.embeddings.training.run import Jobs, Run
from windrow.errors import warn
from windrow.numeric.rng import Randomness

# Words that all replicas read from one exchange to the next. What they learn of a row meanwhile must still add up: with
# 8 replicas and twice as many, a tenth of the analogies are lost.
WORDS_TOGETHER = 110_000
_LEAST = 10_000  # words of a replica; for fewer it would wait for others more than it trains
_LOSSES = 5  # of workers since the last exchange of all rows, before training is given up


def exchange_words(replicas: int) -> int:
    """How many words each replica reads from one exchange to the next."""
    return max(_LEAST, WORDS_TOGETHER // replicas)


def number_of_rounds(words: int, replicas: int) -> int:
    """How many rounds an epoch of so many words has."""
    return max(1, round(words / (replicas * exchange_words(replicas))))


def cut_shards(
    ids: NDArray[np.int32], starts: NDArray[np.int64], jobs: Jobs, replicas: int, rounds: int
) -> list[Shard]:
    """A stretch of the text for each replica, of about equal words and of whole jobs, each dealt to the rounds."""
    places = jobs.words() * np.arange(1, replicas) / replicas
    cuts = np.searchsorted(jobs.bounds[1:] - jobs.bounds[0], places, side="right")
    shards = []
    for first, last in zip([0, *cuts], [*cuts, len(jobs)], strict=True):
        part = jobs.part(int(first), int(last))
        begin, end = int(jobs.bounds[first]), int(jobs.bounds[last])
        sentence = int(jobs.sentences[first]) if first < last else 0
        last_sentence = int(jobs.sentence_ends[last - 1]) if first < last else 0
        own_starts = np.clip(starts[sentence : last_sentence + 1], begin, end) - begin
        marks = part.words() * np.arange(rounds + 1) / rounds
        round_jobs = np.searchsorted(part.bounds[:-1], marks)
        round_jobs[-1] = len(part)
        shards.append(Shard(np.asarray(ids[begin:end]), own_starts, part, round_jobs))
    return shards


@dataclass(frozen=True)
class RoundPlan:
    """An epoch in rounds: see ``Epoch``."""

    words_before: NDArray[np.int64]  # (rounds + 1,): words that all replicas read before each round

    def __len__(self) -> int:
        return len(self.words_before) - 1

    def fraction_before(self, number: int) -> float:
        """The fraction of the epoch before a round."""
        return number / len(self)

    def words(self) -> int:
        """Raw words of an epoch."""
        return int(self.words_before[-1])


@dataclass
class Draws:
    """The random numbers of a replica, as they were after the last exchange of all rows."""

    randomness: Randomness


@dataclass
class Replicas(Run):
    """A run on the workers of a cluster. The same for the same number of replicas, wherever and how fast they train."""

    jobs: RoundPlan
    workers: Sequence[Draws]
    cluster: Workers
    setup: Setup
    shards: Sequence[Shard]
    tables: Sequence[NDArray[np.float32]]  # (rows, dimensions) each; changed in place
    _members: list[Member] = field(default_factory=list, repr=False, kw_only=True)
    _parts: list[tuple[Any, ...]] = field(default_factory=list, repr=False, kw_only=True)  # handles for new members

    def advance(self, words: float, deadline: float, progress: Callable[[], None]) -> None:
        """It ends at an exchange of all rows: the first after ``words`` or ``deadline``."""
        if not self._members:
            self._start()
        while not self.epoch_is_over() and self.position.words < words and time.monotonic() < deadline:
            self._advance_to_full_exchange(progress)

    def end(self) -> None:
        """Let the workers go."""
        self._members, self._parts = [], []

    def _advance_to_full_exchange(self, progress: Callable[[], None]) -> None:
        settled = self.position
        for losses in range(1, _LOSSES + 1):
            self.position = replace(settled)
            try:
                if losses > 1:
                    self._load()
                self._train_rounds(progress)
                return
            except LostWorkerError:
                lost = self.position.words - settled.words
                if losses == _LOSSES:
                    self.position = settled
                    raise
                warn(
                    f"a worker was lost, and with it what all have learned from {lost:,} words since the last exchange "
                    "of all rows; they read these again"
                )
            except BaseException:
                self.position = settled
                raise

    def _train_rounds(self, progress: Callable[[], None]) -> None:
        """Up to the next exchange of all rows, and take over what the replicas have then."""
        position, combined = self.position, list[Any]()
        while True:
            interrupts.check()
            number = position.job
            trained, combined = self._train_round(position.epoch, number, combined)
            for kept_words, loss in map(self.cluster.get, trained):
                position.kept_words += kept_words
                position.loss += loss
            position.words += int(np.diff(self.jobs.words_before[number : number + 2])[0])
            position.job += 1
            progress()
            if self._is_full(position.job):
                break
        finished = [member.call("finish", number, *combined) for member in self._members]
        (tables, _), *_ = states = [self.cluster.get(handle) for handle in finished]
        for table, trained_table in zip(self.tables, tables, strict=True):
            table[:] = trained_table
        for own, (_, randomness) in zip(self.workers, states, strict=True):
            own.randomness.restore(randomness)

    def _train_round(self, epoch: int, number: int, combined: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Handles of what each replica tells of a round, and of the parts of what all have learned in it."""
        members = self._members
        if len(members) == 1:
            return [members[0].call("train", epoch, number)], []
        given = [member.call("train", epoch, number, *combined, returns=1 + len(members)) for member in members]
        trained, *changes = zip(*given, strict=True)
        return list(trained), [
            member.call("combine", number, *parts) for member, parts in zip(members, changes, strict=True)
        ]

    def _is_full(self, number: int) -> bool:
        return all(rows_exchanged(number, len(self.jobs), len(table)) == len(table) for table in self.tables)

    def _start(self) -> None:
        setup = self.cluster.put(self.setup)
        self._parts = [(setup, number, self.cluster.put(shard)) for number, shard in enumerate(self.shards)]
        self._members = [self.cluster.start(Replica, *parts) for parts in self._parts]
        self._load()

    def _load(self) -> None:
        """Bring all replicas to the state that is here, and a new one in the place of each that is lost."""
        tables = self.cluster.put([np.array(table) for table in self.tables])
        states = [own.randomness.save() for own in self.workers]
        loaded = [member.call("load", tables, state) for member, state in zip(self._members, states, strict=True)]
        for number, handle in enumerate(loaded):
            try:
                self.cluster.get(handle)
            except LostWorkerError:
                self._members[number] = self.cluster.start(Replica, *self._parts[number])
                self.cluster.get(self._members[number].call("load", tables, states[number]))
