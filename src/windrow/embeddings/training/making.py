"""How a training is made: its tables, workers and jobs, from the parameters of ``Word2Vec``, a corpus and a start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Corpus
from windrow.embeddings.kernels.contexts import Context
from windrow.embeddings.kernels.inputs import WordRows
from windrow.embeddings.steps import step_type
from windrow.embeddings.steps.contract import StepOptions, TrainingStep
from windrow.embeddings.training import hot_rows
from windrow.embeddings.training.blocks import choose_block_size, usual_block_size
from windrow.embeddings.training.draws import ChunkDrawer, GensimRandomness, Randomness, SplitMixRandomness
from windrow.embeddings.training.hogwild import Hogwild, Worker
from windrow.embeddings.training.hot_rows import HotRows, HotTable, number_of_hot_rows
from windrow.embeddings.training.loop import VectorTraining
from windrow.embeddings.training.rounds import Rounds, RoundWorker, adds_plainly, job_words
from windrow.embeddings.training.run import JOB_WORDS, Run, Schedule, plan_jobs
from windrow.embeddings.training.start import Start, initial_table
from windrow.embeddings.training.state import TrainingState
from windrow.errors import FormatError
from windrow.machine import check_memory
from windrow.numeric.tables import zero_table

# Noise words that a row meets, by ``subwords``. N-grams are part of many words of a block: with 32 in place of 16 they
# give better analogies between forms of words (bench/rare_words.py). Without n-grams more are not worth their time.
SHARED_NEGATIVES = {False: 16, True: 32}


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


@dataclass(frozen=True)
class _Parts:
    """What all workers of a training share."""

    corpus: Corpus
    words: int
    storage: NDArray[np.float32]  # rows of words, of n-grams, copies of hot rows
    drawer: ChunkDrawer
    context: Context
    layers: list[TrainingStep]
    word_rows: WordRows | None  # with sub-words
    row_shares: NDArray[np.float32] | None  # with sub-words: see Inputs


def make_training(
    options: TrainingOptions,
    corpus: Corpus,
    start: Start,
    identity: dict[str, Any],
    fits: bool,
) -> VectorTraining:
    """Make tables, workers and jobs.

    ``fits``: blocks, noise words and rounds heed how small the vocabulary is. Older checkpoints go on without.
    """
    size, counts = len(start.vocabulary), start.vocabulary.counts
    rows, has_subwords = start.rows(), start.subwords is not None
    hot = options.number_of_hot_rows(size, has_subwords)
    copies = 2 * hot * options.workers
    _check_memory(options, size, rows, copies)
    storage = initial_table(rows, options.vector_size, options.seed, copies, options.workers)
    layers = options.layers(counts, start.ties, copies, fits)
    start.fill(storage, layers)
    drawer = ChunkDrawer.of(
        start.text_counts,
        options.sample,
        options.window,
        options.weighting,
        start.rows_of_ids,
        None if has_subwords else start.shares,
    )
    steps = list(layers.values())
    block_size = usual_block_size(bool(options.sg))
    if fits:
        block_size = choose_block_size(
            bool(options.sg), drawer, start.text_counts, steps, options.alpha, corpus.ids, start.word_rows
        )
    context = _context(options, storage.shape[1], block_size)
    row_shares = start.shares if has_subwords else None
    parts = _Parts(corpus, size, storage, drawer, context, steps, start.word_rows, row_shares)
    in_rounds = options.deterministic and options.workers > 1
    training = VectorTraining(
        storage[:rows], options.vector_size, layers,
        _rounds(options, parts, fits) if in_rounds else _hogwild(options, parts, hot),
        options.epochs, identity, fits_blocks=fits, started_from=start.identity, texts=start.texts,
        ties=start.ties,
    )  # fmt: skip
    if start.state is not None and options.draws_as(start.state.parameters):
        try:
            training.go_on_drawing(start.state.randomness)
        except ValueError as error:
            raise FormatError(f"the model to continue from is damaged ({error})") from error
    return training


def restore_training(options: TrainingOptions, start: Start, state: TrainingState) -> VectorTraining:
    """The training that left a state, without its run: it is over."""
    _check_memory(options, len(start.vocabulary), start.rows(), 0)
    table, layers = zero_table(start.rows(), options.vector_size), options.layers(state.counts, start.ties)
    start.fill(table, layers)
    return VectorTraining(
        table,
        options.vector_size,
        layers,
        cast(Run, None),
        options.epochs,
        {**state.parameters, "corpus": state.texts[-1]},
        state.history,
        texts=state.texts,
        stopped_at=state.randomness,
        ties=start.ties,
    )


def _check_memory(options: TrainingOptions, words: int, rows: int, copies: int) -> None:
    ngrams = "" if rows == words else f" and {rows - words:,} n-grams"
    check_memory(
        4 * options.vector_size * (rows + copies + words * len(options.layer_names)),
        f"the tables of {words:,} words{ngrams} of vector_size = {options.vector_size}",
        f"lower vector_size{' or buckets' * bool(ngrams)}, or raise min_count",
    )


def _context(options: TrainingOptions, stride: int, block_size: int) -> Context:
    return Context(
        skipgram=bool(options.sg),
        mean=bool(options.cbow_mean),
        uniform=options.weighting in ("shrink", "none"),
        window=options.window,
        stride=stride,
        block_size=options.block_size or block_size,
    )


def _rounds(options: TrainingOptions, parts: _Parts, fits: bool) -> Run:
    """Workers whose differences are added after each round."""
    workers = [
        RoundWorker(
            parts.drawer, parts.storage, parts.context, parts.layers, randomness, parts.word_rows, parts.row_shares
        )
        for randomness in options.randomness()
    ]
    # Frequent n-grams are updated as often as the words of a small vocabulary.
    plain = parts.word_rows is None and adds_plainly(options.workers, parts.words if fits else None)
    ids, starts = parts.corpus.ids, parts.corpus.starts
    jobs = plan_jobs(starts, job_words(options.workers, plain))
    return Rounds(ids, starts, jobs, options.schedule(), workers, plain=plain)


def _hogwild(options: TrainingOptions, parts: _Parts, hot: int) -> Run:
    """Workers that share the tables, and have ``hot`` rows of their own."""
    table = HotTable(parts.storage, parts.words, 0)
    workers = [
        Worker(
            parts.drawer,
            parts.storage,
            parts.context,
            parts.layers,
            options.kernel,
            randomness,
            HotRows(table, parts.layers, hot, worker) if hot else None,
            parts.word_rows,
            parts.row_shares,
        )
        for worker, randomness in enumerate(options.randomness())
    ]
    ids, starts = parts.corpus.ids, parts.corpus.starts
    jobs = plan_jobs(starts, options.job_words(parts.corpus.tokens, hot))
    return Hogwild(ids, starts, jobs, options.schedule(), workers)
