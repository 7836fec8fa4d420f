"""Word2Vec: skip-gram and CBOW, with negative sampling, hierarchical softmax or exact softmax (Mikolov et al. 2013)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from os import PathLike
from typing import Any, Self

import numpy as np

from windrow.bars import check_progress, training_bar
from windrow.corpus import Corpus
from windrow.corpus.opening import as_corpus
from windrow.distributed.cluster import RayCluster, workers_of
from windrow.distributed.workers import Workers
from windrow.embeddings.settings import SHARED_NEGATIVES, WORD2VEC
from windrow.embeddings.trained import TrainedModel
from windrow.embeddings.training.checkpoint import fits_blocks, shared_negatives, tree_ties
from windrow.embeddings.training.fasttext_state import lacks_outputs
from windrow.embeddings.training.loop import VectorTraining
from windrow.embeddings.training.making import make_training
from windrow.embeddings.training.progress import Callback
from windrow.embeddings.training.replicas import exchange_words
from windrow.embeddings.training.start import Frozen, Start, check_vectors, start_training
from windrow.embeddings.training.state import TrainingState
from windrow.embeddings.vectors import WordVectors
from windrow.errors import OptionError, check_range, warn
from windrow.files.writing import check_writable, remove_written
from windrow.nn.training.checkpoint import goes_on
from windrow.nn.training.fitting import all_or_nothing
from windrow.nn.training.stopping import DivergedError
from windrow.numeric.threads import crew


class Word2Vec(TrainedModel):
    """Word vectors from text, with gensim's parameter names and defaults.

    Skip-gram or CBOW, trained by negative sampling (``negative`` above 0), hierarchical softmax (``hs`` 1), both, or
    exact softmax. One worker gives equal vectors for an equal seed; several race, unless they are ``deterministic``.

    Parameters
    ----------
    vector_size : int in [1, 100000], default 100
        Dimensions per vector. More hold finer distinctions and need more text and time; 100 to 300 are usual.
    alpha : float in (0, 10], default 0.025
        Learning rate at the start; it falls linearly to min_alpha. Try 0.05 for a small text, or for CBOW.
    window : int in [1, 1000], default 5
        Context words on each side of the center word, at most. A small window (2) brings words together that can
        stand for each other, a large one (10) words of one topic.
    min_count : int >= 1, default 5
        Words that occur less often are left out. Lower it for a small text; vectors of words seen a few times are
        poor.
    max_final_vocab : int >= 1 or None, default None
        Keep only this many words, the most frequent ones. None: all. It bounds memory.
    sample : float in [0, 1), default 0.001
        Sub-sampling threshold: words of a higher relative frequency are dropped at random; 0: none. 1e-4 or 1e-5 is
        faster and favors rarer words; for large texts.
    seed : int in [0, 4294967295], default 1
        Seed of all random draws. With one worker, or deterministic, an equal seed gives equal vectors.
    workers : int in [1, 1024], default 3
        Threads. More than there are idle cores do not help.
    min_alpha : float in [0, alpha], default 0.0001
        Learning rate at the end.
    sg : {0, 1}, default 0
        1 is skip-gram, 0 CBOW. Skip-gram takes longer and is better for rare words.
    hs : {0, 1}, default 0
        1 trains hierarchical softmax, together with negative sampling unless negative = 0. Only without loss.
    negative : int in [0, 1000], default 5
        Noise words per pair of center and context word, for negative sampling; 0: none of it. Only with loss None
        or "ns" or "hs+ns". 5 to 20 for a small text, 2 to 5 for a large one.
    ns_exponent : float in [-10, 10], default 0.75
        Noise words are drawn from their counts to this power. Only with loss None or "ns" or "hs+ns" and with
        negative. 1 draws by frequency, 0 all words alike.
    cbow_mean : {0, 1}, default 1
        Whether CBOW takes the mean of the context's vectors, or their sum. Only with sg 0.
    epochs : int in [1, 1000000], default 5
        Passes over the text. Use more for a small text: 15 for some megabytes.
    shrink_windows : bool, default True
        Whether each center word has a window of random size, from 1 to window. Only without window_weighting. As in
        word2vec.
    window_weighting : {"shrink", "linear", "harmonic", "none"} or None, default None
        How the weight of a context word falls with its distance from the center: by random window sizes, linearly,
        by 1 / distance, or not at all. None: shrink, or none where shrink_windows is False.
    loss : {"ns", "hs", "softmax", "hs+ns"} or None, default None
        What is trained: negative sampling, hierarchical softmax, exact softmax, or the first two. None: as negative
        and hs ask for. Exact softmax is for small vocabularies.
    kernel : {"block", "pair"}, default "block"
        Blocks of center words share noise words; or update by update (pair), as gensim. With one worker, pair
        equals gensim; it is several times slower. Where training diverges, it bears a higher alpha.
    block_size : int in [1, 4096] or None, default None
        Center words in a block. None: 64, of CBOW 256; fewer where the same words come again and again, or alpha is
        above 0.07. Only with kernel "block". Larger ones are a little faster, until quality falls.
    shared_negatives : int in [1, 4096] or None, default None
        Noise words that each row of a block meets, rounded up to a multiple of 16; the row's own target word may be
        among them. None: 16, with subwords 32. Only with kernel "block" and with loss None or "ns" or "hs+ns" and
        with negative. More are slower and a little better.
    deterministic : bool, default False
        Threads train in rounds and wait for each other: an equal seed and number of workers give equal bits. A
        little slower; one worker does so anyway.
    subwords : bool, default False
        Make vectors of words from those of their character n-grams, as in fastText. Rare words become better, and
        unseen ones get vectors; the file holds the n-grams, too, and training takes longer.
    min_n : int in [1, max_n], default 3
        Characters of the shortest n-grams, the boundaries < and > included. Only with subwords True.
    max_n : int in [1, 100], default 6
        Characters of the longest n-grams. Only with subwords True. 5 is enough for many languages, and smaller.
    buckets : int in [1, 2147483647], default 2000000
        How many vectors n-grams share: each n-gram is hashed to one of them. Only with subwords True. Those that no
        word of the vocabulary is hashed to take no memory.
    callbacks : sequence of callable, default ()
        Functions of a Report, called after each epoch; training ends when one returns a true value.
    report_words : int >= 1 or None, default None
        Call the callbacks also each time that this many words of the text are read. None: after epochs only. Only
        with callbacks.

    Attributes
    ----------
    wv : WordVectors
        The word vectors; in a callback, a copy of what they are at that moment.
    history_ : list of dict
        One dict per epoch: loss, learning rate (alpha), words, seconds, words per second.
    output_tables_ : dict of str to ndarray
        The table of each output layer, by its name: one row per word, for "hs" per inner node of the Huffman tree.

    References
    ----------
    Mikolov et al. 2013, arXiv:1301.3781 and arXiv:1310.4546.

    Examples
    --------
    >>> from windrow import Word2Vec
    >>> sentences = ["the king rules the land", "the queen rules the land"] * 20
    >>> model = Word2Vec(vector_size=8, window=2, min_count=1, sg=1, workers=1).fit(sentences)
    >>> model.wv.vectors.shape
    (5, 8)
    >>> near = model.wv.most_similar("king", topn=2)  # pairs of a word and its cosine
    >>> len(near)
    2
    """

    settings = WORD2VEC

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
        shared_negatives: int | None = None,
        deterministic: bool = False,
        subwords: bool = False,
        min_n: int = 3,
        max_n: int = 6,
        buckets: int = 2_000_000,
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
        self.subwords = subwords
        self.min_n = min_n
        self.max_n = max_n
        self.buckets = buckets
        self.callbacks = callbacks
        self.report_words = report_words

    # --- training

    def fit(
        self,
        corpus: Any,
        y: object = None,
        *,
        field: str | None = None,
        continue_from: Word2Vec | TrainingState | str | PathLike[str] | None = None,
        vectors: WordVectors | str | PathLike[str] | None = None,
        frozen: Frozen = False,
        checkpoint: str | PathLike[str] | None = None,
        checkpoint_every: float | None = None,
        resume: bool = False,
        keep_checkpoint: bool = False,
        progress: Callback | bool | None = None,
        ray: str | RayCluster | Workers | None = None,
    ) -> Self:
        """Train on a corpus. When this fails, a model that was trained before stays as it was.

        A training that continues has a learning rate, epochs and other parameters of its own: those of this estimator.
        It may have another text. Words that occur there ``min_count`` times and are new to the model come behind the
        others, up to ``max_final_vocab`` words in all; counts are added, unless the model has counted this very text
        before. The noise distribution and the Huffman tree are made from the sums. An inner node of the tree keeps its
        vector where it divides the known words as before; others start at zero, so that with ``hs`` another text costs
        some of what was learned.

        Parameters
        ----------
        corpus : Corpus, or what Corpus.build takes
            The training text.
        y : ignored
            For pipelines of scikit-learn.
        field : str, default None
            The column or field of the text, where ``corpus`` is a table or names files of records.
        continue_from : Word2Vec or path, default None
            A trained model, itself perhaps, or a file that ``save`` wrote: training goes on from its words, tables and
            random numbers. It must have this vector_size, an output table for each loss, and these n-grams or none.
        vectors : WordVectors or path, default None
            Vectors to start from, in place of random ones, for the words of the text that are among them. With
            ``subwords`` they are the words' own vectors, without n-grams; where they have n-grams, as those of a
            fastText ``.bin``, these start from theirs, too.
        frozen : bool, float in [0, 1], iterable of str, or mapping of str to float, default False
            Words whose vectors stay as they are. True: all those of ``vectors`` or of the model to continue from. A
            number: the part of each update that these leave out. Words: these; or these with a number for each
            (1 - n is gensim's ``vectors_lockf``). N-grams stay as they are that were given, or that a word has which
            is listed.
        checkpoint : str or os.PathLike, default None
            A file for the state of the training, written on Ctrl-C and every ``checkpoint_every`` seconds. Where that
            is not possible, training goes on, with a DataWarning.
        checkpoint_every : float or None, default None
            Seconds between checkpoints; None: only on Ctrl-C; 0: never, the file is only read, with ``resume``.
        resume : bool, default False
            Go on from ``checkpoint``; where the file is not there, start, unless this model is trained already. With
            one worker, or ``deterministic``, the result is bit-equal to that of a training without interruption.
        keep_checkpoint : bool, default False
            Keep the file when training ends; remove it yourself once the vectors are saved.
        progress : bool or callable, default None
            True: show a bar, in a notebook or on stderr. A function is called with a Progress a few times per second,
            while the workers go on.
        ray : str or RayCluster, default None
            Train on the workers of a Ray cluster: "local" (started on this machine), "auto", HOST:PORT, or a
            RayCluster, which says how many (package ``windrow[ray]``). Each has a part of the text, tables of its own
            and one thread, whatever ``workers`` is; they exchange rows, those of frequent words more often. An equal
            seed and number of Ray workers give equal bits. Callbacks with ``report_words`` and checkpoints wait for
            the next exchange of all rows. Training goes on when a worker is lost.

        Returns
        -------
        Word2Vec
            Itself.

        Raises
        ------
        OptionError
            A parameter is out of range.
        DataError
            The text cannot be read, or has no word that is frequent enough.
        DivergedError
            Vectors or the loss grew without bound; the model is as it was before. Lower alpha.
        FormatError
            The checkpoint is damaged, or was taken with other parameters or another corpus.
        """
        with all_or_nothing(self, "_training") as retrains:
            self.check_parameters()
            self.check_effects()
            check_progress(progress)
            workers: AbstractContextManager[Workers | None] = nullcontext() if ray is None else workers_of(ray)
            resume = goes_on(checkpoint, resume, is_trained=retrains)
            if checkpoint is None and (checkpoint_every is not None or keep_checkpoint):
                raise OptionError("checkpoint_every and keep_checkpoint are for checkpoint; give that, too")
            if checkpoint_every is not None:
                check_range("checkpoint_every", checkpoint_every, 0)
            written = None if checkpoint_every == 0 else checkpoint
            if written is not None:
                check_writable(written)
            state = self._state_of(continue_from)
            given = vectors if vectors is None or isinstance(vectors, WordVectors) else WordVectors.load(vectors)
            self._check_start(state, given)
            if state is not None and lacks_outputs(state):
                warn("the model to continue from has an output layer of zeros, as vectors alone have: it begins again")
            corpus = as_corpus(corpus, field, shows_bar=progress is True)
            start = start_training(corpus, self.get_params(), state, given, frozen)
            resumed = checkpoint if resume else None
            # Each worker is one thread; BLAS must not start more, which would spin on when their product is done.
            with crew(1), workers as cluster:
                self._training = self._new_training(corpus, start, resumed, cluster)
                self._text = corpus.reader.stored()
                self._training.retrains = retrains
                self._wv = None
                if resumed is not None:
                    self._training.restore(resumed)
                self._train(written, checkpoint_every, progress)
        if len(self._vocabulary) == 1:
            word = self._vocabulary.words[0]
            warn(f"the only word is {word!r}: there is nothing to tell it from; keep rarer words, or give more text")
        elif self.history_ and not any(row["loss"] for row in self.history_):
            warn("no word was trained on: all were sub-sampled or without context; try sample=0, or longer sentences")
        if checkpoint is not None and not keep_checkpoint:
            remove_written(checkpoint)
        return self

    def _train(
        self,
        checkpoint: str | PathLike[str] | None,
        checkpoint_every: float | None,
        progress: Callback | bool | None,
    ) -> None:
        try:
            with training_bar(progress, "words") as bar:
                callbacks = [*bar.callbacks, *self.callbacks]
                self._training.train(callbacks, self.report_words, checkpoint, checkpoint_every, bar.progress)
        except DivergedError:
            del self._training  # its vectors are of no use
            raise

    def check_start(self, continue_from: Word2Vec | None, vectors: WordVectors | None) -> None:
        """Raise OptionError unless ``fit`` can start from this model or these vectors."""
        self._check_start(self._state_of(continue_from), vectors)

    def _check_start(self, state: TrainingState | None, vectors: WordVectors | None) -> None:
        if state is not None and vectors is not None:
            raise OptionError("continue_from and vectors both say from which vectors training starts; give one of them")
        if state is not None:
            self._check_fits(state)
        if vectors is not None:
            check_vectors(vectors, self.vector_size, self._ngram_sizes())

    def check_parameters(self) -> None:
        """Raise OptionError unless every parameter is in its range; ``fit`` does so first."""
        super().check_parameters()
        if self.deterministic and self.workers > 1 and self.kernel == "pair":
            raise OptionError('deterministic with several workers needs kernel = "block"; or set workers = 1')
        if not self.layer_names():
            raise OptionError("negative = 0 and hs = 0 leave nothing to train; set one of them, or loss")
        if "ns" in self.layer_names() and self.negative < 1:
            raise OptionError("negative = 0 is out of range with negative sampling; the allowed range is [1, 1000]")

    def _new_training(
        self, corpus: Corpus, start: Start, resumed: str | PathLike[str] | None, cluster: Workers | None
    ) -> VectorTraining:
        """From the beginning; what an older checkpoint chose otherwise than is chosen today is as in ``resumed``."""
        options, fits = self._options(), True
        if resumed is not None:
            fits, start = fits_blocks(resumed), replace(start, ties=tree_ties(resumed))
            kept = shared_negatives(resumed)
            if self.shared_negatives is None and kept in SHARED_NEGATIVES.values():
                options = replace(options, shared_negatives=kept)
        self._vocabulary, self._subwords, self._word_rows = start.vocabulary, start.subwords, start.word_rows
        identity = self._identity(corpus) | {"shared_negatives": options.shared_negatives}
        if cluster is not None:
            options = replace(options, workers=cluster.count)
            identity |= {"workers": 1, "ray_workers": cluster.count, "exchange_words": exchange_words(cluster.count)}
        return make_training(options, corpus, start, identity, fits, cluster)

    def _identity(self, corpus: Corpus) -> dict[str, Any]:
        """What must be equal for a training to be resumed: the parameters and the corpus."""
        reported = ("callbacks", "report_words")
        parameters = {name: value for name, value in self.get_params().items() if name not in reported}
        plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in parameters.items()}
        return {**plain, "corpus": corpus.fingerprint}
