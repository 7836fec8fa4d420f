"""Training on replicas: each worker of a cluster trains tables of its own, and rows are exchanged after each round.

::

    each replica        train -> changes        of its round; a part of the changed rows for each replica
                        combine                 its part of all replicas' changes, in their order
                        apply                   all parts: now the rows are the same everywhere

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
from windrow.embeddings.training.draws import Randomness
from windrow.embeddings.training.exchanging import rows_exchanged
from windrow.embeddings.training.replica import Replica, Setup, Shard
from windrow.embeddings.training.run import Jobs, Position, Run
from windrow.errors import warn

EXCHANGE_WORDS = 100_000  # of a replica's text from one exchange to the next
_LOSSES = 5  # of workers since the last exchange of all rows, before training is given up


def number_of_rounds(words: int, replicas: int) -> int:
    """How many rounds an epoch of so many words has."""
    return max(1, round(words / (replicas * EXCHANGE_WORDS)))


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
                self._train_rounds(progress)
                self._settle()
                return
            except LostWorkerError:
                again = self.position.words - settled.words
                if losses == _LOSSES:
                    self.position = settled
                    raise
                warn(f"a worker was lost: {again:,} words that all have read since their last full exchange are read again")
                self._load()
            except BaseException:
                self.position = settled
                raise

    def _train_rounds(self, progress: Callable[[], None]) -> None:
        """Up to the next exchange of all rows."""
        exchanges: list[Any] = []
        is_full = False
        while not is_full:
            interrupts.check()
            number, position = self.position.job, self.position
            trained = [member.call("train", position.epoch, number) for member in self._members]
            is_full = self._is_full(number + 1)
            for handle in exchanges:  # before the replicas could train on without one that failed
                self.cluster.get(handle)
            exchanges = self._exchange(number)
            for handle in trained:
                kept_words, loss = self.cluster.get(handle)
                position.kept_words += kept_words
                position.loss += loss
            position.words += int(np.diff(self.jobs.words_before[number : number + 2])[0])
            position.job += 1
            progress()
        for handle in exchanges:
            self.cluster.get(handle)

    def _exchange(self, number: int) -> list[Any]:
        """Have all replicas exchange the rows of a round; handles that tell when they have."""
        members = self._members
        if len(members) == 1:
            return []
        changes = [member.call("changes", number, returns=len(members)) for member in members]
        combined = [member.call("combine", number, *parts) for member, *parts in zip(members, *changes, strict=True)]
        return [member.call("apply", number, *combined) for member in members]

    def _is_full(self, number: int) -> bool:
        return all(rows_exchanged(number, len(self.jobs), len(table)) == len(table) for table in self.tables)

    def _settle(self) -> None:
        """Take over what the replicas have after an exchange of all rows."""
        tables = self._members[0].call("tables")
        states = [member.call("randomness") for member in self._members]
        tables, states = self.cluster.get(tables), [self.cluster.get(state) for state in states]
        for table, trained in zip(self.tables, tables, strict=True):
            table[:] = trained
        for own, state in zip(self.workers, states, strict=True):
            own.randomness.restore(state)

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
