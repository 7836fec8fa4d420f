"""Word2Vec: skip-gram and CBOW, with negative sampling, hierarchical softmax or exact softmax (Mikolov et al. 2013)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Corpus, TextReader, Vocabulary
from windrow.corpus.opening import as_corpus
from windrow.embeddings.kernels.contexts import Context
from windrow.embeddings.prediction import sentence_log_likelihood, word_log_probs
from windrow.embeddings.settings import WORD2VEC
from windrow.embeddings.steps import step_type
from windrow.embeddings.steps.contract import StepOptions, TrainingStep
from windrow.embeddings.steps.hierarchical_softmax import HierarchicalSoftmaxStep
from windrow.embeddings.subwords import NgramVectors, Subwords, compose
from windrow.embeddings.training import hot_rows
from windrow.embeddings.training.blocks import choose_block_size, usual_block_size
from windrow.embeddings.training.checkpoint import fits_blocks
from windrow.embeddings.training.draws import (
    ChunkDrawer,
    GensimRandomness,
    Randomness,
    SplitMixRandomness,
)
from windrow.embeddings.training.hogwild import Hogwild, Worker
from windrow.embeddings.training.hot_rows import HotRows, HotTable, number_of_hot_rows
from windrow.embeddings.training.loop import VectorTraining
from windrow.embeddings.training.progress import Callback
from windrow.embeddings.training.rounds import Rounds, RoundWorker, adds_plainly, job_words
from windrow.embeddings.training.run import JOB_WORDS, Run, Schedule, plan_jobs
from windrow.embeddings.training.start import Frozen, Start, check_vectors, start_training
from windrow.embeddings.training.state import TrainingState
from windrow.embeddings.vectors import WordVectors
from windrow.errors import FormatError, NotFittedError, OptionError, check_callable, check_range, check_whole, warn
from windrow.estimator import Estimator
from windrow.files import model_file
from windrow.files.writing import check_writable, remove_written
from windrow.machine import check_memory
from windrow.nn.training.checkpoint import goes_on
from windrow.nn.training.fitting import all_or_nothing
from windrow.nn.training.stopping import DivergedError
from windrow.numeric.tables import zero_table
from windrow.numeric.threads import crew

_INITIAL_ROWS = 65536  # rows initialized at a time


class Word2Vec(Estimator):
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
        The most words to each side of the center word that are its context. A small window (2) brings words
        together that can stand for each other, a large one (10) words of one topic.
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
        Center words in a block. None: 64, of CBOW 256; fewer where the same words come again and again. Only with
        kernel "block". Larger ones are a little faster, until quality falls.
    shared_negatives : int in [1, 4096], default 16
        Noise words that each row of a block meets, rounded up to a multiple of 16; the row's own target word may be
        among them. Only with kernel "block" and with loss None or "ns" or "hs+ns" and with negative. More are
        slower, and a little better.
    deterministic : bool, default False
        Threads train in rounds and wait for each other: an equal seed and number of workers give equal bits. A
        little slower; one worker does so anyway.
    subwords : bool, default False
        Compose the vector of a word from its own and those of its character n-grams, as in fastText. Rare words
        become better, and unseen ones get vectors; the file holds the n-grams, too, and training takes longer.
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
        shared_negatives: int = 16,
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
        progress: Callback | None = None,
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
            random numbers. It must have this vector_size, and an output table for each loss.
        vectors : WordVectors or path, default None
            Vectors to start from, in place of random ones, for the words of the text that are among them.
        frozen : bool, float in [0, 1], iterable of str, or mapping of str to float, default False
            Words whose vectors stay as they are. True: all those of ``vectors`` or of the model to continue from. A
            number: the part of each update that these leave out. Words: these; or these with a number for each
            (1 - n is gensim's ``vectors_lockf``).
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
        progress : callable, default None
            Called with a Progress a few times per second, while the workers go on.

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
            check_callable("progress", progress)
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
            corpus = as_corpus(corpus, field)
            start = start_training(corpus, self.get_params(), state, given, frozen)
            resumed = checkpoint if resume else None
            self._training = self._new_training(corpus, resumed is None or fits_blocks(resumed), start)
            self._text = corpus.reader.stored()
            self._training.retrains = retrains
            self._wv: WordVectors | None = None
            if resumed is not None:
                self._training.restore(resumed)
            try:
                with crew(1):  # each worker is one thread; BLAS must not start more
                    self._training.train(self.callbacks, self.report_words, written, checkpoint_every, progress)
            except DivergedError:
                del self._training  # its vectors are of no use
                raise
        if len(self._vocabulary) == 1:
            word = self._vocabulary.words[0]
            warn(f"the only word is {word!r}: there is nothing to tell it from; keep rarer words, or give more text")
        elif self.history_ and not any(row["loss"] for row in self.history_):
            warn("no word was trained on: all were sub-sampled or without context; try sample=0, or longer sentences")
        if checkpoint is not None and not keep_checkpoint:
            remove_written(checkpoint)
        return self

    @property
    def wv(self) -> WordVectors:
        """The word vectors; in a callback, a copy of them at that moment."""
        training = self._fitted()
        if self._wv is not None:
            return self._wv
        word_vectors = self._word_vectors(training.table, training.vector_size)
        started_from = training.started_from or {}
        word_vectors.provenance = {
            "model": "Word2Vec", **training.identity, **started_from, **getattr(self, "_text", {})
        }  # fmt: skip
        if not training.is_running:
            self._wv = word_vectors
        return word_vectors

    def _word_vectors(self, table: NDArray[np.float32], size: int) -> WordVectors:
        """The vectors of the words, from the input table; they are composed with ``subwords``."""
        words, counts = self._vocabulary.words, self._vocabulary.counts
        if self._subwords is None or self._word_rows is None:
            return WordVectors(words, _read_only(table[:, :size]), counts)
        ngrams = NgramVectors(self._subwords, _read_only(table[len(words) :, :size]))
        return WordVectors(words, _read_only(compose(table, self._word_rows)[:, :size]), counts, ngrams)

    @property
    def history_(self) -> list[dict[str, Any]]:
        """One dict per epoch: loss, learning rate, words, seconds, as ``Progress.to_json`` gives them."""
        return self._fitted().history

    @property
    def output_tables_(self) -> dict[str, NDArray[np.float32]]:
        """The tables of the output layers: one row per word, for "hs" one per inner node of the Huffman tree."""
        training = self._fitted()
        return {name: layer.parameters[:, : training.vector_size] for name, layer in training.layers.items()}

    def _fitted(self) -> VectorTraining:
        if not hasattr(self, "_training"):
            raise NotFittedError("this Word2Vec is not trained yet; call fit first")
        return self._training

    def predict_output_word(self, context_words: Sequence[str | int], topn: int = 10) -> list[tuple[str, float]]:
        """The words that are most probable in the middle of these, by the output layer.

        The hidden vector is the mean of theirs, or with ``cbow_mean`` 0 their sum, for skip-gram, too. Softmax and
        hierarchical softmax give the probabilities that they were trained for. Negative sampling learns none: scores
        are normalized, as in gensim, which ranks words well.

        Parameters
        ----------
        context_words : sequence of str or int
            Words, or their rows, in any order. Unknown words are left out.
        topn : int, at least 1, default 10
            How many words.

        Returns
        -------
        list of (str, float)
            Words and probabilities, the most probable first.

        Raises
        ------
        OptionError
            No word of the context is known, or ``topn`` is out of range.
        NotFittedError
            The model is not trained.

        Examples
        --------
        >>> from windrow import Word2Vec
        >>> model = Word2Vec(vector_size=8, min_count=1, sample=0, workers=1, epochs=40)
        >>> model = model.fit(["the king rules", "a queen rules"] * 40)
        >>> model.predict_output_word(["king", "the"], topn=1)[0][0]
        'rules'
        """
        check_whole("topn", topn, 1)
        training, wv = self._fitted(), self.wv
        if isinstance(context_words, str):
            raise OptionError("context_words takes several words, not a string; give its words: text.split()")
        known = [wv.get_index(word) for word in context_words if word in wv]
        if not known:
            raise OptionError(f"no word of the context {list(context_words)} is in the vocabulary")
        name = next(name for name in ("ns", "softmax", "hs") if name in training.layers)
        rows = wv.vectors[known].astype(np.float64)
        hidden = rows.mean(axis=0) if self.cbow_mean else rows.sum(axis=0)
        log_probs = word_log_probs(hidden, self.output_tables_[name], getattr(training.layers[name], "tree", None))
        best = np.argsort(-log_probs, kind="stable")[:topn]
        return [(wv.index_to_key[row], float(np.exp(log_probs[row]))) for row in best]

    def score(self, sentences: Iterable[str | Sequence[str]]) -> NDArray[np.float64]:
        """How likely sentences are by hierarchical softmax (Taddy 2015, arXiv:1504.07295).

        The score of a sentence is the sum of the natural logarithms of the probabilities of its words, each given its
        window; of skip-gram, given each word of its window. Words that are unknown are left out.

        Parameters
        ----------
        sentences : iterable of str or sequence of str
            Strings are cut into words as the training text was.

        Returns
        -------
        array of float64, shape (sentences,)
            0 for a sentence of fewer than two known words.

        Raises
        ------
        OptionError
            The model has no hierarchical softmax.
        NotFittedError
            It is not trained.

        Examples
        --------
        >>> from windrow import Word2Vec
        >>> model = Word2Vec(vector_size=8, min_count=1, sample=0, workers=1, hs=1, negative=0, epochs=40)
        >>> likely, unlikely = model.fit(["the king rules", "a dog barks"] * 40).score(["the king rules", "a king dog"])
        >>> bool(likely > unlikely)
        True
        """
        layer, wv = self._fitted().layers.get("hs"), self.wv
        if not isinstance(layer, HierarchicalSoftmaxStep):
            raise OptionError("score is for hierarchical softmax; train with hs = 1")
        if isinstance(sentences, str):
            raise OptionError("score takes several sentences; give a list of one: [sentence]")
        reader = TextReader.remembered(wv.provenance)
        rows = wv.key_to_index
        found = ([rows[word] for word in reader.words_of(sentence) if word in rows] for sentence in sentences)
        settings = (self.window, bool(self.sg), bool(self.cbow_mean))
        return np.array([sentence_log_likelihood(words, wv.vectors, layer, *settings) for words in found], np.float64)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the word vectors with all that training can go on from: output tables, counts, random numbers.

        ``windrow.load`` opens such a file as word vectors, ``Word2Vec.load`` as a trained model. It is larger than
        that of ``wv.save``: twice for one output layer.

        Parameters
        ----------
        path : str or os.PathLike
            The file, in windrow's own format.

        Raises
        ------
        OptionError
            The name is that of another format.
        DataError
            The file cannot be written.

        Examples
        --------
        >>> from windrow import Word2Vec
        >>> sentences = ["the king rules", "the queen rules"] * 20
        >>> model = Word2Vec(vector_size=8, min_count=1, sample=0, workers=1).fit(sentences)
        >>> model.save("royal.safetensors")
        >>> model = Word2Vec.load("royal.safetensors")
        >>> model.set_params(epochs=2).fit(["the king and the queen rule"] * 20, continue_from=model).wv.index_to_key
        ['rules', 'the', 'queen', 'king', 'rule', 'and']
        """
        self._state().write(path)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Open what ``save`` wrote, as a trained model.

        Parameters
        ----------
        path : str or os.PathLike
            The file.

        Returns
        -------
        Word2Vec
            With the parameters of its training.

        Raises
        ------
        FormatError
            The file holds vectors alone, is of another kind or damaged.
        DataError
            It cannot be read.
        """
        state = TrainingState.read(path)
        with model_file.parts_of(path):
            try:
                return cls._restored(state)
            except OptionError as error:
                raise FormatError(f"{path} is damaged: {error}") from error

    @classmethod
    def _restored(cls, state: TrainingState) -> Self:
        model = cls(**state.parameters)
        model.check_parameters()
        state.check_fits(model.vector_size, model.layer_names())
        vocabulary = Vocabulary(list(state.words), state.counts)
        start = Start(vocabulary, state.counts, tuple(state.texts), state=state)
        words = len(vocabulary)
        model._subwords, model._word_rows = None, None
        model._check_memory(words, words)
        table, layers = zero_table(words, model.vector_size), model._layers(state.counts, 0, True)
        start.fill(table, layers)
        model._vocabulary, model._wv = vocabulary, WordVectors(vocabulary.words, state.vectors, state.counts)
        model._wv.provenance = state.provenance
        model._training = VectorTraining(
            table,
            model.vector_size,
            layers,
            cast(Run, None),
            model.epochs,
            {**state.parameters, "corpus": state.texts[-1]},
            state.history,
            texts=state.texts,
            stopped_at=state.randomness,
        )
        return model

    def _state(self) -> TrainingState:
        """What another training can go on from."""
        self._fitted()
        if self._subwords is not None:
            raise OptionError(
                "subwords = True: training does not go on from a model with n-grams; save its vectors, with wv.save"
            )
        return self._learned()

    def _learned(self) -> TrainingState:
        """The tables of the words and of the output layers; of n-grams, ``wv.ngrams`` has the rows."""
        training, words = self._fitted(), self._vocabulary
        return TrainingState(
            words.words,
            words.counts,
            training.table[: len(words), : training.vector_size],
            self.output_tables_,
            training.randomness(),
            {name: value for name, value in training.identity.items() if name != "corpus"},
            training.texts,
            training.history,
            self.wv.provenance,
        )

    @staticmethod
    def _state_of(model: Word2Vec | TrainingState | str | PathLike[str] | None) -> TrainingState | None:
        if isinstance(model, Word2Vec):
            return model._state()
        return model if model is None or isinstance(model, TrainingState) else TrainingState.read(model)

    def check_start(self, continue_from: Word2Vec | None, vectors: WordVectors | None) -> None:
        """Raise OptionError unless ``fit`` can start from this model or these vectors."""
        self._check_start(self._state_of(continue_from), vectors)

    def _check_start(self, state: TrainingState | None, vectors: WordVectors | None) -> None:
        if self.subwords and (state is not None or vectors is not None):
            raise OptionError("subwords = True starts from random vectors; leave out continue_from and vectors")
        if state is not None and vectors is not None:
            raise OptionError("continue_from and vectors both say from which vectors training starts; give one of them")
        if state is not None:
            state.check_fits(self.vector_size, self.layer_names())
        if vectors is not None:
            check_vectors(vectors, self.vector_size)

    def save_checkpoint(self, path: str | PathLike[str]) -> None:
        """Write the state of the training, finished or not, for ``fit`` with ``resume``."""
        self._fitted().save(path)

    def layer_names(self) -> list[str]:
        """The output layers, as chosen by ``loss`` or else by ``hs`` and ``negative``, in the order of training."""
        if self.loss is not None:
            return self.loss.split("+")
        return ["hs"] * bool(self.hs) + ["ns"] * (self.negative > 0)

    def check_parameters(self) -> None:
        """Raise OptionError unless every parameter is in its range; ``fit`` does so first."""
        super().check_parameters()
        if self.deterministic and self.workers > 1 and self.kernel == "pair":
            raise OptionError('deterministic with several workers needs kernel = "block"; or set workers = 1')
        if not self.layer_names():
            raise OptionError("negative = 0 and hs = 0 leave nothing to train; set one of them, or loss")
        if "ns" in self.layer_names() and self.negative < 1:
            raise OptionError("negative = 0 is out of range with negative sampling; the allowed range is [1, 1000]")

    def _new_training(self, corpus: Corpus, fits: bool, start: Start) -> VectorTraining:
        """Make tables, workers and jobs.

        ``fits``: blocks, noise words and rounds heed how small the vocabulary is. Older checkpoints go on without.
        """
        self._vocabulary = start.vocabulary
        size, counts = len(self._vocabulary), self._vocabulary.counts
        self._subwords, self._word_rows = None, None
        if self.subwords:
            words = self._vocabulary.words
            self._subwords, self._word_rows = Subwords.of(words, self.min_n, self.max_n, self.buckets)
        rows = size + (0 if self._subwords is None else len(self._subwords.used))
        hot = self._number_of_hot_rows(size)
        copies = 2 * hot * self.workers
        self._check_memory(size, rows + copies)
        storage = initial_table(rows, self.vector_size, self.seed, copies)  # words, n-grams, copies of hot rows
        layers = self._layers(counts, copies, fits)
        start.fill(storage, layers)
        drawer = ChunkDrawer.of(
            start.text_counts, self.sample, self.window, self.weighting(), start.rows_of_ids, start.shares
        )
        context = self._context(drawer, list(layers.values()), storage.shape[1], fits, start.text_counts)
        parts = (corpus, storage, drawer, context)
        in_rounds = self.deterministic and self.workers > 1
        run = self._rounds(*parts, layers, fits) if in_rounds else self._hogwild(*parts, layers, hot)
        training = VectorTraining(
            storage[:rows], self.vector_size, layers, run, self.epochs, self._identity(corpus), fits_blocks=fits,
            started_from=start.identity, texts=start.texts,
        )  # fmt: skip
        if start.state is not None and self._draws_as(start.state.parameters):
            try:
                training.go_on_drawing(start.state.randomness)
            except ValueError as error:
                raise FormatError(f"the model to continue from is damaged ({error})") from error
        return training

    def _layers(self, counts: NDArray[np.int64], copies: int, fits: bool) -> dict[str, TrainingStep]:
        options = StepOptions(self.negative, self.ns_exponent, self.shared_negatives, copies, fits)
        return {name: step_type(name)(counts, self.vector_size, options) for name in self.layer_names()}

    def _draws_as(self, parameters: Mapping[str, Any]) -> bool:
        """Whether random numbers are of the same kind as with these parameters, and from the same seed."""
        return all(parameters.get(name) == getattr(self, name) for name in ("seed", "kernel"))

    def _check_memory(self, size: int, inputs: int) -> None:
        ngrams = "" if self._subwords is None else f" and {len(self._subwords.used):,} n-grams"
        check_memory(
            4 * self.vector_size * (inputs + size * len(self.layer_names())),
            f"the tables of {size:,} words{ngrams} of vector_size = {self.vector_size}",
            f"lower vector_size{'' if self._subwords is None else ' or buckets'}, or raise min_count",
        )

    def _context(
        self, drawer: ChunkDrawer, layers: list[TrainingStep], stride: int, fits: bool, counts: NDArray[np.int64]
    ) -> Context:
        skipgram = bool(self.sg)
        usual = usual_block_size(skipgram)
        if fits:
            usual = choose_block_size(skipgram, drawer, counts, layers, self._word_rows)
        return Context(
            skipgram=skipgram,
            mean=bool(self.cbow_mean),
            uniform=self.weighting() in ("shrink", "none"),
            window=self.window,
            stride=stride,
            block_size=self.block_size or usual,
        )

    def _rounds(
        self,
        corpus: Corpus,
        storage: NDArray[np.float32],
        drawer: ChunkDrawer,
        context: Context,
        layers: dict[str, TrainingStep],
        fits: bool,
    ) -> Run:
        """Workers whose differences are added after each round."""
        size, output_layers, word_rows = len(self._vocabulary), list(layers.values()), self._word_rows
        workers = [
            RoundWorker(drawer, storage, context, output_layers, randomness, word_rows)
            for randomness in self._randomness()
        ]
        # Frequent n-grams are updated as often as the words of a small vocabulary.
        plain = word_rows is None and adds_plainly(self.workers, size if fits else None)
        jobs = plan_jobs(corpus.starts, job_words(self.workers, plain))
        return Rounds(corpus.ids, corpus.starts, jobs, self._schedule(), workers, plain=plain)

    def _hogwild(
        self,
        corpus: Corpus,
        storage: NDArray[np.float32],
        drawer: ChunkDrawer,
        context: Context,
        layers: dict[str, TrainingStep],
        hot: int,
    ) -> Run:
        """Workers that share the tables, and have ``hot`` rows of their own."""
        table, output_layers = HotTable(storage, len(self._vocabulary), 0), list(layers.values())
        workers = [
            Worker(
                drawer,
                storage,
                context,
                output_layers,
                self.kernel,
                randomness,
                HotRows(table, output_layers, hot, worker) if hot else None,
                self._word_rows,
            )
            for worker, randomness in enumerate(self._randomness())
        ]
        jobs = plan_jobs(corpus.starts, self._job_words(corpus.tokens, hot))
        return Hogwild(corpus.ids, corpus.starts, jobs, self._schedule(), workers)

    def _schedule(self) -> Schedule:
        return Schedule(self.alpha, self.min_alpha, self.epochs)

    def _job_words(self, tokens: int, hot: int) -> int:
        """Words per job: gensim's for the pair kernel; larger jobs are faster, but a corpus needs enough of them."""
        if hot:
            return hot_rows.JOB_WORDS
        return JOB_WORDS if self.kernel == "pair" else min(2 * JOB_WORDS, max(JOB_WORDS, tokens // 400))

    def _number_of_hot_rows(self, vocabulary_size: int) -> int:
        """How many rows of each table a worker copies.

        Only with hierarchical softmax alone: all paths share the nodes near the root, and without copies two workers
        would be slower than one. With noise words, outdated copies cost more on SimLex-999 than the speed is worth.
        With sub-words the rows of words are not what a block reads.
        """
        if self.kernel == "pair" or self.deterministic or self.subwords or self.layer_names() != ["hs"]:
            return 0
        return number_of_hot_rows(vocabulary_size, self.workers)

    def weighting(self) -> str:
        """How context words are weighted, as chosen by ``window_weighting`` or else by ``shrink_windows``."""
        return self.window_weighting or ("shrink" if self.shrink_windows else "none")

    def _identity(self, corpus: Corpus) -> dict[str, Any]:
        """What must be equal for a training to be resumed: the parameters and the corpus."""
        reported = ("callbacks", "report_words")
        parameters = {name: value for name, value in self.get_params().items() if name not in reported}
        plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in parameters.items()}
        return {**plain, "corpus": corpus.fingerprint}

    def _randomness(self) -> list[Randomness]:
        """A random number generator per worker, all from one seed."""
        seeds = np.random.SeedSequence(self.seed).spawn(self.workers)
        if self.kernel == "block":
            return [SplitMixRandomness(seed) for seed in seeds]
        reseeds = "ns" in self.layer_names() or self.sample > 0
        others = [int(seed.generate_state(1)[0]) for seed in seeds[1:]]
        return [GensimRandomness(seed, reseeds) for seed in (self.seed, *others)]  # the first worker is gensim's


def _read_only(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """A copy that nobody writes to."""
    copy = rows.copy()
    copy.setflags(write=False)
    return copy


def initial_table(words: int, vector_size: int, seed: int, more_rows: int = 0) -> NDArray[np.float32]:
    """gensim's initial input vectors, uniform in [-1, 1) / vector_size, and zeros in ``more_rows`` rows behind them."""
    table: NDArray[np.float32] = zero_table(words + more_rows, vector_size)
    generator = np.random.default_rng(seed)
    for start in range(0, words, _INITIAL_ROWS):
        rows = table[start : min(start + _INITIAL_ROWS, words), :vector_size]
        uniform = generator.random(rows.shape, dtype=np.float32)
        rows[:] = (uniform * np.float32(2) - np.float32(1)) / np.float32(vector_size)
    return table
