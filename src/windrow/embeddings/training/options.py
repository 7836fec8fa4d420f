"""The parameters of ``Word2Vec`` from which a training is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.kernels.contexts import Context
from windrow.embeddings.settings import SHARED_NEGATIVES
from windrow.embeddings.steps import step_type
from windrow.embeddings.steps.contract import StepOptions, TrainingStep
from windrow.embeddings.training import hot_rows
from windrow.embeddings.training.hot_rows import number_of_hot_rows
from windrow.embeddings.training.run import JOB_WORDS, Schedule
from windrow.numeric.rng import GensimRandomness, Randomness, SplitMixRandomness


@dataclass(frozen=True)
class TrainingOptions:
    """The parameters of ``Word2Vec`` from which tables, workers and jobs are made, and what they choose together."""

    layer_names: list[str]  # the output layers, as ``loss``, ``hs`` and ``negative`` choose them
    weighting: str  # of context words, as ``window_weighting`` and ``shrink_windows`` choose it
    vector_size: int
    alpha: float
    min_alpha: float
    epochs: int
    window: int
    sample: float
    seed: int
    workers: int
    sg: int
    negative: int
    ns_exponent: float
    shared_negatives: int
    cbow_mean: int
    kernel: str
    block_size: int | None
    deterministic: bool

    @classmethod
    def of(cls, parameters: Mapping[str, Any], layer_names: list[str], weighting: str) -> Self:
        """The options among these parameters of an estimator."""
        given = {field.name: parameters[field.name] for field in fields(cls) if field.name in parameters}
        if given["shared_negatives"] is None:
            given["shared_negatives"] = SHARED_NEGATIVES[parameters["subwords"]]
        return cls(layer_names, weighting, **given)

    def layers(
        self, counts: NDArray[np.int64], ties: str, copies: int = 0, fits: bool = True
    ) -> dict[str, TrainingStep]:
        """New output layers for words of these counts, with room for the workers' copies of hot rows."""
        options = StepOptions(self.negative, self.ns_exponent, self.shared_negatives, copies, ties, fits)
        return {name: step_type(name)(counts, self.vector_size, options) for name in self.layer_names}

    def schedule(self) -> Schedule:
        """The learning rate."""
        return Schedule(self.alpha, self.min_alpha, self.epochs)

    def randomness(self) -> list[Randomness]:
        """A random number generator per worker, all from one seed."""
        seeds = np.random.SeedSequence(self.seed).spawn(self.workers)
        if self.kernel == "block":
            return [SplitMixRandomness(seed) for seed in seeds]
        reseeds = "ns" in self.layer_names or self.sample > 0
        others = [int(seed.generate_state(1)[0]) for seed in seeds[1:]]
        return [GensimRandomness(seed, reseeds) for seed in (self.seed, *others)]  # the first worker is gensim's

    def draws_as(self, parameters: Mapping[str, Any]) -> bool:
        """Whether random numbers are of the same kind as with these parameters, and from the same seed."""
        return all(parameters.get(name) == getattr(self, name) for name in ("seed", "kernel"))

    def number_of_hot_rows(self, vocabulary_size: int, has_subwords: bool) -> int:
        """How many rows of each table a worker copies.

        Only with hierarchical softmax alone: all paths share the nodes near the root, and without copies two workers
        would be slower than one. With noise words, outdated copies cost more on SimLex-999 than the speed is worth.
        With sub-words the rows of words are not what a block reads.
        """
        if self.kernel == "pair" or self.deterministic or has_subwords or self.layer_names != ["hs"]:
            return 0
        return number_of_hot_rows(vocabulary_size, self.workers)

    def job_words(self, tokens: int, hot: int) -> int:
        """Words per job: gensim's for the pair kernel; larger jobs are faster, but a corpus needs enough of them."""
        if hot:
            return hot_rows.JOB_WORDS
        return JOB_WORDS if self.kernel == "pair" else min(2 * JOB_WORDS, max(JOB_WORDS, tokens // 400))

    def context(self, stride: int, block_size: int) -> Context:
        """Windows and blocks, as kernels take them; a block size that was given goes before this one."""
        return Context(
            skipgram=bool(self.sg),
            mean=bool(self.cbow_mean),
            uniform=self.weighting in ("shrink", "none"),
            window=self.window,
            stride=stride,
            block_size=self.block_size or block_size,
        )
