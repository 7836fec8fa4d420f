"""Word2Vec: skip-gram and CBOW, with negative sampling, hierarchical softmax or exact softmax (Mikolov et al. 2013)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from windrow.corpus import Corpus
from windrow.embeddings.kernels.contexts import Context
from windrow.embeddings.steps import LOSSES, output_layer
from windrow.embeddings.steps.contract import LayerOptions
from windrow.embeddings.training import hot_rows
from windrow.embeddings.training.draws import (
    ChunkDrawer,
    GensimRandomness,
    Randomness,
    SplitMixRandomness,
    distance_weights,
    keep_thresholds,
)
from windrow.embeddings.training.hogwild import Hogwild, Run, Worker
from windrow.embeddings.training.hot_rows import HotRows, HotTable, number_of_hot_rows
from windrow.embeddings.training.jobs import JOB_WORDS, Schedule, plan_jobs
from windrow.embeddings.training.report import Training
from windrow.embeddings.training.rounds import Rounds, Share, job_words
from windrow.embeddings.vectors import WordVectors
from windrow.errors import DataError, NotFittedError, OptionError, check_range, check_whole
from windrow.estimator import Estimator
from windrow.files.model_file import check_writable
from windrow.nn.training.report import Callback
from windrow.numeric.tables import zero_table

WINDOW_WEIGHTINGS = ("shrink", "linear", "harmonic", "none")
KERNELS = ("block", "pair")
_MAX_SEED = 2**32 - 1  # what numpy.random.RandomState takes
# Centers a block. Larger ones are a little faster; each has its limit where quality falls (bench/README.md).
_SKIPGRAM_BLOCK, _CBOW_BLOCK = 64, 256
_INITIAL_ROWS = 65536  # rows initialised at a time


class Word2Vec(Estimator):
    """Word vectors from text, with gensim's parameter names and defaults.

    ``sg`` 1 is skip-gram, 0 CBOW (``cbow_mean`` 1 mean, 0 sum). The output layer is negative sampling where
    ``negative`` > 0, hierarchical softmax where ``hs`` is 1, or both; ``loss`` ("ns", "hs", "softmax", "hs+ns")
    overrides the two. ``window_weighting`` is "shrink" (random window sizes, as word2vec), "linear", "harmonic" or
    "none"; left None it follows ``shrink_windows``. ``kernel="pair"`` goes update by update and with one worker equals
    gensim. ``"block"`` trains ``block_size`` center words at a time (64, CBOW 256); with negative sampling each of its
    rows meets ``shared_negatives`` noise words (rounded up to a multiple of 16), its target not left out.
    ``deterministic``: threads train in rounds and wait for each other, and an equal ``seed`` and number of ``workers``
    give equal bits; one worker does so anyway.
    ``callbacks`` are called with a Progress after each epoch, and every ``report_words`` raw words if given; training
    stops early when one returns True (not merely something truthy).

    After ``fit``: ``wv`` (WordVectors), ``history_``, ``output_tables_``.
    Source: Mikolov et al. 2013, arXiv:1301.3781 and arXiv:1310.4546.
    """

    def __init__(
        self,
        *,
        vector_size: int = 100,
        alpha: float = 0.025,
        window: int = 5,
        min_count: int = 5,
        max_final_vocab: int | None = None,
        sample: float = 1e-3,
        seed: int = 1,
        workers: int = 3,
        min_alpha: float = 1e-4,
        sg: int = 0,
        hs: int = 0,
        negative: int = 5,
        ns_exponent: float = 0.75,
        cbow_mean: int = 1,
        epochs: int = 5,
        shrink_windows: bool = True,
        window_weighting: str | None = None,
        loss: str | None = None,
        kernel: str = "block",
        block_size: int | None = None,
        shared_negatives: int = 16,
        deterministic: bool = False,
        callbacks: Sequence[Callback] = (),
        report_words: int | None = None,
    ) -> None:
        self.vector_size = vector_size
        self.alpha = alpha
        self.window = window
        self.min_count = min_count
        self.max_final_vocab = max_final_vocab
        self.sample = sample
        self.seed = seed
        self.workers = workers
        self.min_alpha = min_alpha
        self.sg = sg
        self.hs = hs
        self.negative = negative
        self.ns_exponent = ns_exponent
        self.cbow_mean = cbow_mean
        self.epochs = epochs
        self.shrink_windows = shrink_windows
        self.window_weighting = window_weighting
        self.loss = loss
        self.kernel = kernel
        self.block_size = block_size
        self.shared_negatives = shared_negatives
        self.deterministic = deterministic
        self.callbacks = callbacks
        self.report_words = report_words

    # --- training

    def fit(
        self,
        corpus: Corpus | str | PathLike[str] | Iterable[str] | Iterable[list[str]],
        y: object = None,
        *,
        checkpoint: str | PathLike[str] | None = None,
        checkpoint_every: float | None = None,
        resume: bool = False,
        keep_checkpoint: bool = False,
        progress: Callback | None = None,
    ) -> Self:
        """Train on a corpus, or on anything that ``Corpus.build`` takes (sentences as lists of words, text files).

        Given ``checkpoint`` (a file name), the state is kept there every ``checkpoint_every`` seconds and on Ctrl-C;
        with ``resume`` training goes on from that file, if there is one. With one worker the resumed run ends bit-equal
        to one never stopped. The file is removed at the end; with ``keep_checkpoint`` it stays, for whoever deletes it
        only once the vectors are safe on disk. ``progress`` is called a few times a second while the workers run on.
        Raises OptionError for parameters out of range, DataError where no word is left to train on.
        """
        self.check_parameters()
        if checkpoint is not None:
            check_writable(checkpoint)
        if checkpoint_every is not None:
            check_range("checkpoint_every", checkpoint_every, 0, low_open=True)
        if not isinstance(corpus, Corpus):
            corpus = Corpus.build(corpus)
        self._training = self._new_training(corpus)
        self._wv: WordVectors | None = None
        if resume and checkpoint is not None and Path(checkpoint).exists():
            self._training.restore(checkpoint)
        with threadpool_limits(1):  # each worker is one thread; BLAS must not start more
            self._training.train(self.callbacks, self.report_words, checkpoint, checkpoint_every, progress)
        if checkpoint is not None and not keep_checkpoint:
            Path(checkpoint).unlink(missing_ok=True)
        return self

    @property
    def wv(self) -> WordVectors:
        """The word vectors; in a callback, a copy of what they are at that moment."""
        training = self._fitted()
        if self._wv is not None:
            return self._wv
        vectors = training.table[:, : training.vector_size].copy()
        word_vectors = WordVectors(self._vocabulary.words, vectors, self._vocabulary.counts)
        word_vectors.provenance = {"model": "Word2Vec", **training.identity}
        if not training.is_running:
            self._wv = word_vectors
        return word_vectors

    @property
    def history_(self) -> list[dict[str, Any]]:
        """A row an epoch: loss, learning rate, words, seconds."""
        return self._fitted().history

    @property
    def output_tables_(self) -> dict[str, NDArray[np.float32]]:
        """The output layers' tables by layer name: a row a word, for "hs" a row an inner node of the Huffman tree."""
        training = self._fitted()
        return {name: layer.parameters[:, : training.vector_size] for name, layer in training.layers.items()}

    def _fitted(self) -> Training:
        if not hasattr(self, "_training"):
            raise NotFittedError("this Word2Vec is not trained yet; call fit first")
        return self._training

    def save_checkpoint(self, path: str | PathLike[str]) -> None:
        """Write the state of the training, from which ``fit`` with ``resume`` goes on, even one that has ended."""
        self._fitted().save(path)

    def layer_names(self) -> list[str]:
        """The output layers that ``loss``, or else ``hs`` and ``negative``, ask for, in the order of training."""
        if self.loss is not None:
            return self.loss.split("+")
        return ["hs"] * bool(self.hs) + ["ns"] * (self.negative > 0)

    def check_parameters(self) -> None:
        """Raise OptionError unless every parameter is in its range; ``fit`` does so first."""
        for name, low, high in (
            ("vector_size", 1, 100_000),
            ("window", 1, 1000),
            ("min_count", 1, float("inf")),
            ("seed", 0, _MAX_SEED),
            ("workers", 1, 1024),
            ("negative", 0, 1000),
            ("epochs", 1, 1_000_000),
            ("block_size", 1, 4096),
            ("shared_negatives", 1, 4096),
            ("max_final_vocab", 1, float("inf")),
            ("report_words", 1, float("inf")),
        ):
            value = getattr(self, name)
            if value is None and name in ("max_final_vocab", "report_words", "block_size"):
                continue
            check_range(name, check_whole(name, value), low, high)
        if isinstance(self.callbacks, str) or not isinstance(self.callbacks, Iterable):
            raise OptionError(f"callbacks = {self.callbacks!r} must be a list of callables")
        check_range("alpha", self.alpha, 0, 10, low_open=True)
        check_range("min_alpha", self.min_alpha, 0, self.alpha)
        check_range("sample", self.sample, 0, 1, high_open=True)
        check_range("ns_exponent", self.ns_exponent, -10, 10)
        for name, choices in (
            ("kernel", KERNELS),
            ("window_weighting", (None, *WINDOW_WEIGHTINGS)),
            ("loss", (None, *LOSSES)),
            ("sg", (0, 1)),
            ("hs", (0, 1)),
            ("cbow_mean", (0, 1)),
            ("deterministic", (False, True)),
        ):
            if getattr(self, name) not in choices:
                raise OptionError(f"{name} = {getattr(self, name)!r} is not one of {', '.join(map(str, choices))}")
        if self.deterministic and self.workers > 1 and self.kernel == "pair":
            raise OptionError('deterministic with several workers needs kernel = "block"; or set workers = 1')
        if not self.layer_names():
            raise OptionError("negative = 0 and hs = 0 leave nothing to train; set one of them, or loss")
        if "ns" in self.layer_names() and self.negative < 1:
            raise OptionError("negative = 0 is out of range with negative sampling; the allowed range is [1, 1000]")

    def _new_training(self, corpus: Corpus) -> Training:
        """Fix the vocabulary, make the tables, the workers and the plan of jobs."""
        size = corpus.vocabulary.prefix_size(self.min_count, self.max_final_vocab)
        if size <= len(corpus.vocabulary.specials):
            highest = int(corpus.vocabulary.counts[size:].max(initial=0))
            raise DataError(
                f"no word occurs {self.min_count} times in the corpus (the most frequent: {highest} times); "
                "lower min_count or give more text"
            )
        self._vocabulary = corpus.vocabulary.head(size)
        counts = self._vocabulary.counts
        hot = self._hot_rows(size)
        room = initial_table(size, self.vector_size, self.seed, 2 * hot * self.workers)
        table = room[:size]
        options = LayerOptions(self.negative, self.ns_exponent, self.shared_negatives, 2 * hot * self.workers)
        layers = {name: output_layer(name).build(counts, self.vector_size, options) for name in self.layer_names()}
        weighting = self._weighting()
        context = Context(
            skipgram=bool(self.sg),
            mean=bool(self.cbow_mean),
            uniform=weighting in ("shrink", "none"),
            window=self.window,
            stride=table.shape[1],
            block_size=self.block_size or (_SKIPGRAM_BLOCK if self.sg else _CBOW_BLOCK),
        )
        drawer = ChunkDrawer(
            vocabulary_size=size,
            thresholds=keep_thresholds(counts, self.sample) if self.sample > 0 else None,
            window=self.window,
            shrink=weighting == "shrink",
            weights=distance_weights(weighting, self.window),
        )
        schedule = Schedule(self.alpha, self.min_alpha, self.epochs)
        output_layers = list(layers.values())
        run: Run
        if self.deterministic and self.workers > 1:
            shares = [Share(drawer, table, context, output_layers, randomness) for randomness in self._randomness()]
            jobs = plan_jobs(corpus.starts, job_words(self.workers))
            run = Rounds(corpus.ids, corpus.starts, jobs, schedule, shares)
        else:
            workers = [
                Worker(
                    drawer,
                    room,
                    context,
                    output_layers,
                    self.kernel,
                    randomness,
                    HotRows(HotTable(room, size, 0), output_layers, hot, worker) if hot else None,
                )
                for worker, randomness in enumerate(self._randomness())
            ]
            jobs = plan_jobs(corpus.starts, self._job_words(corpus.tokens, hot))
            run = Hogwild(corpus.ids, corpus.starts, jobs, schedule, workers)
        return Training(table, self.vector_size, layers, run, self.epochs, self._identity(corpus))

    def _job_words(self, tokens: int, hot: int) -> int:
        """The pair kernel's jobs are gensim's; larger ones cost less, but a small corpus needs enough of them."""
        if hot:
            return hot_rows.JOB_WORDS
        return JOB_WORDS if self.kernel == "pair" else min(2 * JOB_WORDS, max(JOB_WORDS, tokens // 400))

    def _hot_rows(self, vocabulary_size: int) -> int:
        """How many rows of each table a worker copies.

        Only for hierarchical softmax, where all paths share the nodes near the root and two workers would be slower
        than one: with noise words, rows that lag behind cost more of SimLex-999 than the speed is worth.
        """
        if self.kernel == "pair" or self.deterministic or self.layer_names() != ["hs"]:
            return 0
        return number_of_hot_rows(vocabulary_size, self.workers)

    def _weighting(self) -> str:
        return self.window_weighting or ("shrink" if self.shrink_windows else "none")

    def _identity(self, corpus: Corpus) -> dict[str, Any]:
        """What must be the same for a training to be resumed."""
        reported = ("callbacks", "report_words")
        parameters = {name: value for name, value in self.get_params().items() if name not in reported}
        plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in parameters.items()}
        return {**plain, "corpus": corpus.fingerprint}

    def _randomness(self) -> list[Randomness]:
        """A source of random numbers a worker, all from one seed."""
        seeds = np.random.SeedSequence(self.seed).spawn(self.workers)
        if self.kernel == "block":
            return [SplitMixRandomness(seed) for seed in seeds]
        reseeds = "ns" in self.layer_names() or self.sample > 0
        others = [int(seed.generate_state(1)[0]) for seed in seeds[1:]]
        return [GensimRandomness(seed, reseeds) for seed in (self.seed, *others)]  # the first worker is gensim's


def initial_table(words: int, vector_size: int, seed: int, room: int = 0) -> NDArray[np.float32]:
    """gensim's initial input vectors: uniform in [-1, 1) / vector_size; shape (words + zero rows, padded width)."""
    table: NDArray[np.float32] = zero_table(words + room, vector_size)
    generator = np.random.default_rng(seed)
    for start in range(0, words, _INITIAL_ROWS):
        rows = table[start : min(start + _INITIAL_ROWS, words), :vector_size]
        uniform = generator.random(rows.shape, dtype=np.float32)
        rows[:] = (uniform * np.float32(2) - np.float32(1)) / np.float32(vector_size)
    return table
