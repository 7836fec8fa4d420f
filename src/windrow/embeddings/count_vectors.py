"""CountVectors: word vectors from counts of what stands near what, without training."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from os import PathLike
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from windrow.bars import OnProgress, check_progress, stages_bar
from windrow.corpus import Corpus, Vocabulary
from windrow.corpus.opening import as_corpus
from windrow.distributed.cluster import RayCluster, workers_of
from windrow.distributed.workers import Workers
from windrow.embeddings.counting.factors import PPMI, word_factors
from windrow.embeddings.counting.matrix import count_cooccurrences
from windrow.embeddings.counting.parts import Plan, whole_weights
from windrow.embeddings.kernels.windows import keep_thresholds
from windrow.embeddings.settings import COUNT_VECTORS
from windrow.embeddings.training.start import frequent_words
from windrow.embeddings.vectors import WordVectors
from windrow.errors import NotFittedError, OptionError
from windrow.estimator import Estimator
from windrow.files.tempfolder import temporary_files_in
from windrow.machine import check_memory
from windrow.numeric.threads import crew

_OF_THE_RUN = ("workers", "memory")  # on which the vectors do not depend
_ALL = np.uint32(2**32 - 1)  # a threshold with which every word is kept


class CountVectors(Estimator):
    """Word vectors from counts: positive pointwise mutual information (PPMI), factorized by a truncated SVD.

    How often words stand near each other is counted in one pass over the text, then the matrix is factorized; nothing
    is trained, so there is no learning rate and there are no epochs. The vectors see other things in a text than those
    that predict: they are better for relatedness and for rare words, and worse for strict similarity.

    Parameters
    ----------
    vector_size : int in [1, 100000], default 100
        Dimensions per vector. More hold finer distinctions and need more text and time; 100 to 300 are usual.
    window : int in [1, 1000], default 5
        Context words on each side of the center word, at most. A small window (2) brings words together that can
        stand for each other, a large one (10) words of one topic.
    window_weighting : {"linear", "harmonic", "none"}, default "linear"
        How the weight of a context word falls with its distance from the center: linearly, by 1 / distance, or not
        at all. Linearly is what word2vec's windows of random size do on average.
    min_count : int >= 1, default 5
        Words that occur less often are left out. Lower it for a small text; vectors of words seen a few times are
        poor.
    max_final_vocab : int >= 1 or None, default None
        Keep only this many words, the most frequent ones. None: all. It bounds memory.
    sample : float in [0, 1), default 0.001
        Sub-sampling threshold: words of a higher relative frequency are dropped at random; 0: none. Which words are
        dropped depends on the seed and their places alone.
    contexts : int >= 1, default 30000
        How many of the words, the most frequent ones, are context words. Their matrix is factorized, and the rows
        of all other words are projected through its factors. More take more memory and time.
    context_exponent : float in [0, 1], default 0.75
        Context words are smoothed: their counts to this power are their probabilities. Less than 1 keeps rare
        contexts from scores that are too high.
    shift : float in [1, 1e+06], default 1.0
        The logarithm of this number is taken off the mutual information before what is negative becomes 0. k stands
        for k negative samples; 1, for no shift, is better on most texts.
    eigenvalue_exponent : float in [0, 1], default 0.25
        Each dimension is weighted by its singular value to this power. 0 weights all alike, 1 gives the rows of the
        matrix themselves; less than 0.5 is better for word vectors.
    power_iterations : int in [1, 100], default 4
        How often the random subspace is multiplied by the matrix and its transpose. Fewer are faster, and less
        exact in the smaller singular values.
    seed : int in [0, 4294967295], default 1
        Seed of all random draws. An equal seed gives equal vectors.
    workers : int in [1, 1024], default 3
        Threads; the vectors do not depend on them. More than there are idle cores do not help.
    memory : int >= 1048576 or None, default None
        Bytes of memory beyond which counting goes over files. None: most of what is free.

    Attributes
    ----------
    wv : WordVectors
        The word vectors, with their dimensions by falling singular value.
    singular_values_ : array of float64, shape (vector_size,)
        The largest singular values of the context words' matrix.

    References
    ----------
    Levy, Goldberg & Dagan 2015, Transactions of the ACL 3; Halko, Martinsson & Tropp 2011, arXiv:0909.4061.

    Examples
    --------
    >>> from windrow import CountVectors
    >>> sentences = ["the king rules a land", "the queen rules a land", "the dog barks at a cat"] * 20
    >>> model = CountVectors(vector_size=4, window=2, min_count=1, sample=0).fit(sentences)
    >>> model.wv.vectors.shape
    (10, 4)
    >>> model.wv.most_similar("king", topn=1)[0][0]
    'queen'
    """

    settings = COUNT_VECTORS

    def __init__(
        self,
        *,
        vector_size: int = 100,
        window: int = 5,
        window_weighting: str = "linear",
        min_count: int = 5,
        max_final_vocab: int | None = None,
        sample: float = 1e-3,
        contexts: int = 30_000,
        context_exponent: float = 0.75,
        shift: float = 1.0,
        eigenvalue_exponent: float = 0.25,
        power_iterations: int = 4,
        seed: int = 1,
        workers: int = 3,
        memory: int | None = None,
    ) -> None:
        self.vector_size = vector_size
        self.window = window
        self.window_weighting = window_weighting
        self.min_count = min_count
        self.max_final_vocab = max_final_vocab
        self.sample = sample
        self.contexts = contexts
        self.context_exponent = context_exponent
        self.shift = shift
        self.eigenvalue_exponent = eigenvalue_exponent
        self.power_iterations = power_iterations
        self.seed = seed
        self.workers = workers
        self.memory = memory

    def fit(
        self,
        corpus: Any,
        y: object = None,
        *,
        field: str | None = None,
        temp_dir: str | PathLike[str] | None = None,
        progress: OnProgress | bool | None = None,
        ray: str | RayCluster | Workers | None = None,
    ) -> Self:
        """Count and factorize. When this fails, a model that was made before stays as it was.

        Parameters
        ----------
        corpus : Corpus, or what Corpus.build takes
            The text.
        y : ignored
            For pipelines of scikit-learn.
        field : str, default None
            The column or field of the text, where ``corpus`` is a table or names files of records.
        temp_dir : str or os.PathLike, default None
            The folder for counts that do not fit into memory; None: where the system has such files.
        progress : bool or callable, default None
            True: show a bar, in a notebook or on stderr. A function is called with the name of a stage, and how much
            of it is done, 0 to 1.
        ray : str or RayCluster, default None
            Count on the workers of a Ray cluster, to the same counts: "local" (started on this machine), "auto",
            HOST:PORT, or a RayCluster. The matrix is factorized by this process.

        Returns
        -------
        CountVectors
            Itself.

        Raises
        ------
        OptionError
            A parameter is out of range, or vector_size is above the rank of the matrix.
        DataError
            The text cannot be read, or has no two frequent words near each other; or counts cannot be written.
        """
        self.check_parameters()
        if ray is not None and self.memory is not None:
            raise OptionError(f"memory = {self.memory} is for one process; of workers RayCluster's memory is the bound")
        check_progress(progress)
        with temporary_files_in(temp_dir):
            corpus = as_corpus(corpus, field, shows_bar=progress is True)
            vocabulary = frequent_words(corpus, self.min_count, self.max_final_vocab)
            self._check_size(vocabulary)
            cluster: AbstractContextManager[Workers | None] = nullcontext() if ray is None else workers_of(ray)
            with cluster as workers, crew(self.workers), stages_bar(progress) as show:
                vectors, values = self._factors(corpus, vocabulary, workers, show or (lambda stage, done: None))
        vectors.setflags(write=False)
        wv = WordVectors(vocabulary.words, vectors, vocabulary.counts)
        parameters = {name: value for name, value in self.get_params().items() if name not in _OF_THE_RUN}
        wv.provenance = {
            "model": "CountVectors", **parameters, "corpus": corpus.fingerprint, **corpus.reader.stored()
        }  # fmt: skip
        self._wv, self.singular_values_ = wv, values
        return self

    def _factors(
        self, corpus: Corpus, vocabulary: Vocabulary, workers: Workers | None, show: OnProgress
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        weights, unit = whole_weights(self.window_weighting, self.window)
        kept = keep_thresholds(vocabulary.counts, self.sample) if self.sample else np.full(len(vocabulary), _ALL)
        start = int(np.random.SeedSequence(self.seed).generate_state(1, np.uint64)[0])
        plan = Plan(kept, min(self.contexts, len(vocabulary)), weights, unit, start)
        counts = count_cooccurrences(corpus, plan, self.memory, workers, lambda done: show("counting", done))
        ppmi = PPMI.of(counts, self.context_exponent, self.shift)
        return word_factors(
            ppmi, self.vector_size, self.eigenvalue_exponent, self.power_iterations, self.seed,
            lambda done: show("factorizing", done),
        )  # fmt: skip

    def _check_size(self, vocabulary: Vocabulary) -> None:
        words, contexts = len(vocabulary), min(self.contexts, len(vocabulary))
        if self.vector_size > contexts:
            raise OptionError(
                f"vector_size = {self.vector_size} needs as many context words, and there are {contexts:,}; set "
                f"vector_size = {contexts} at most, or give more text"
            )
        check_memory(
            8 * self.vector_size * (words + 3 * contexts),
            f"the factors of {words:,} words with vector_size = {self.vector_size}",
            "lower vector_size or contexts, or raise min_count",
        )

    @property
    def wv(self) -> WordVectors:
        """The word vectors."""
        if not hasattr(self, "_wv"):
            raise NotFittedError("this CountVectors is not fitted yet; call fit first")
        return self._wv

    def sizes(self) -> dict[str, object]:
        """``words`` and ``dimensions`` of the vectors; empty before ``fit``."""
        return self._wv.sizes() if hasattr(self, "_wv") else {}
