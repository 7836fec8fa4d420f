"""How a training is made: its tables, workers and jobs, from the parameters of ``Word2Vec``, a corpus and a start."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Corpus
from windrow.distributed.workers import Workers
from windrow.embeddings.kernels.contexts import Context
from windrow.embeddings.kernels.inputs import WordRows
from windrow.embeddings.kernels.windows import ChunkDrawer
from windrow.embeddings.steps.contract import TrainingStep
from windrow.embeddings.training.block_size import choose_block_size, usual_block_size
from windrow.embeddings.training.hogwild import Hogwild, Worker
from windrow.embeddings.training.hot_rows import HotRows, HotTable
from windrow.embeddings.training.loop import VectorTraining
from windrow.embeddings.training.options import TrainingOptions
from windrow.embeddings.training.replica import Setup
from windrow.embeddings.training.replicas import Draws, Replicas, RoundPlan, cut_shards, number_of_rounds
from windrow.embeddings.training.rounds import Rounds, RoundWorker, adds_plainly, job_words
from windrow.embeddings.training.run import Run, plan_jobs
from windrow.embeddings.training.start import Start, initial_table
from windrow.embeddings.training.state import TrainingState
from windrow.errors import FormatError, OptionError
from windrow.machine import check_memory
from windrow.numeric.tables import zero_table


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
    cluster: Workers | None = None,
) -> VectorTraining:
    """Make tables, workers and jobs.

    ``fits``: blocks, noise words and rounds heed how small the vocabulary is. Older checkpoints go on without.
    ``cluster``: whose workers train, as many as the options say; they have replicas of the tables.
    """
    size, counts = len(start.vocabulary), start.vocabulary.counts
    rows, has_subwords = start.rows(), start.subwords is not None
    hot = 0 if cluster else options.number_of_hot_rows(size, has_subwords)
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
    context = options.context(storage.shape[1], block_size)
    row_shares = start.shares if has_subwords else None
    parts = _Parts(corpus, size, storage, drawer, context, steps, start.word_rows, row_shares)
    if cluster is not None:
        run = _replicas(replace(options, block_size=context.block_size), parts, start, fits, cluster)
    elif options.deterministic and options.workers > 1:
        run = _rounds(options, parts, fits)
    else:
        run = _hogwild(options, parts, hot)
    training = VectorTraining(
        storage[:rows], options.vector_size, layers, run,
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
    return Rounds(jobs, options.schedule(), workers, ids, starts, plain=plain)


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
    return Hogwild(jobs, options.schedule(), workers, ids, starts)


def _replicas(options: TrainingOptions, parts: _Parts, start: Start, fits: bool, cluster: Workers) -> Run:
    """Workers of a cluster, each with tables of its own."""
    ids, starts, tokens = parts.corpus.ids, parts.corpus.starts, parts.corpus.tokens
    tables = [each[:, : options.vector_size] for each in (parts.storage, *(layer.parameters for layer in parts.layers))]
    _check_memory_of_workers(sum(2 * table.nbytes for table in tables) + 4 * tokens // options.workers, cluster.memory)
    rounds = number_of_rounds(tokens, options.workers)
    jobs = plan_jobs(starts, options.job_words(tokens // options.workers, 0))
    shards = cut_shards(ids, starts, jobs, options.workers, rounds)
    setup = Setup(
        options,
        start.vocabulary.counts,
        start.text_counts,
        len(parts.storage),
        rounds,
        tokens / (options.workers * rounds),
        start.ties,
        fits,
        start.rows_of_ids,
        start.shares,
        start.word_rows,
    )
    words_before = np.sum([[shard.words_before(number) for number in range(rounds + 1)] for shard in shards], axis=0)
    workers = [Draws(randomness) for randomness in options.randomness()]
    return Replicas(RoundPlan(words_before), options.schedule(), workers, cluster, setup, shards, tables)


def _check_memory_of_workers(needed: int, memory: int) -> None:
    if needed > memory:
        raise OptionError(
            f"each worker needs {needed:,} bytes for its tables, which it has twice, and its part of the text; its "
            f"memory is {memory:,}: give more memory or workers, lower vector_size, or raise min_count"
        )
