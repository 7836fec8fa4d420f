"""What a model of gensim has learned: its tables, what they answer, and their files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from inspect import signature
from typing import Any, NoReturn, Self

import numpy as np
from numpy.typing import NDArray

import windrow.embeddings.word2vec as ours
from windrow.compat.gensim.models.keyedvectors import KeyedVectors
from windrow.corpus import Vocabulary
from windrow.embeddings.steps import step_type
from windrow.embeddings.steps.contract import StepOptions
from windrow.embeddings.subwords import NgramVectors
from windrow.embeddings.training.fasttext_state import read_state
from windrow.embeddings.training.start import Start, choose_subwords, choose_ties, initial_table
from windrow.embeddings.training.state import TrainingState
from windrow.embeddings.vectors import WordVectors
from windrow.errors import OptionError, WindrowError, warn
from windrow.files.model_file import parts_of

_OF_GENSIM = "gensim"  # in the provenance of a file: attributes that windrow.Word2Vec lacks
# Names that gensim 4 has given up or that are about its own insides -> what to write instead.
_GONE = {
    "init_sims": "wv.get_normed_vectors()",
    "scan_vocab": "build_vocab",
    "prepare_vocab": "build_vocab",
    "prepare_weights": "build_vocab",
    "init_weights": "build_vocab",
    "update_weights": "build_vocab(update=True)",
    "make_cum_table": "build_vocab",
    "create_binary_tree": "build_vocab",
    "cum_table": "build_vocab, which makes it for the training",
    "estimate_memory": "len(model.wv) * vector_size * 4 bytes, twice for one output layer",
    "seeded_vector": "wv[word] = vector",
    "raw_vocab": "windrow.Corpus.build(sentences).vocabulary",
    "random": "seed",
    "add_lifecycle_event": "wv.provenance, a dict that is kept in the file",
    "lifecycle_events": "wv.provenance, a dict that is kept in the file",
    "most_similar": "wv.most_similar",
    "similarity": "wv.similarity",
    "doesnt_match": "wv.doesnt_match",
    "wmdistance": "wv.wmdistance",
    "iter": "epochs",
    "size": "vector_size",
    "syn0": "wv.vectors",
    "syn1": "hs=1 in the constructor, and build_vocab",
    "syn1neg": "negative=5 in the constructor, and build_vocab",
    "vocabulary": "wv.key_to_index",
    "trainables": "syn1neg or syn1",
}


class NotBuiltError(WindrowError, RuntimeError):
    """The model has no vocabulary yet, or lacks what was asked of it. It is also a RuntimeError, as in gensim."""


class Learned:
    """The state of a model, which ``Word2Vec`` trains; its constructor sets the parameters."""

    # What a file holds beside the parameters of windrow.Word2Vec.
    _extra: tuple[str, ...] = ("corpus_count", "corpus_total_words", "min_count", "train_count")

    wv: KeyedVectors
    vector_size: int
    alpha: float
    min_alpha: float
    window: int
    min_count: int
    sample: float
    seed: int
    workers: int
    epochs: int
    sg: int
    hs: int
    negative: int
    ns_exponent: float
    cbow_mean: int
    shrink_windows: bool
    kernel: str | None
    running_training_loss: float
    _state: TrainingState | None
    _shown: NDArray[np.float32] | None  # the vectors that ``wv`` was given
    _asked: tuple[tuple[Any, ...], ours.Word2Vec] | None

    def _make_tables(self, words: list[str], counts: NDArray[np.int64], known: TrainingState | None) -> None:
        """Initial tables for these words; those that are known keep what they have learned."""
        size = self.vector_size
        estimator = self._estimator(self.epochs)
        parameters = estimator.get_params()
        ties = choose_ties(parameters, known)
        options = StepOptions(self.negative, self.ns_exponent, ties=ties)
        layers = {name: step_type(name)(counts, size, options) for name in estimator.layer_names()}
        subwords, _ = choose_subwords(parameters, words, known)
        start = Start(Vocabulary(words, counts), counts, (), state=known, ties=ties, subwords=subwords)
        table = initial_table(start.rows(), size, self.seed)
        start.fill(table, layers)
        self._state = TrainingState(
            words,
            counts,
            table[: len(words), :size],
            {name: layer.parameters[:, :size] for name, layer in layers.items()},
            None if known is None else known.randomness,
            parameters,
            (),
            ngrams=None if subwords is None else NgramVectors(subwords, table[len(words) :, :size]),
            ties=ties,
        )
        self._show(self._state)

    def _new_table(self) -> KeyedVectors:
        """An empty table of the kind that ``wv`` is."""
        return KeyedVectors(self.vector_size)

    def _show(self, state: TrainingState) -> None:
        """Let ``wv`` have the vectors of a state."""
        factors = self.wv.vectors_lockf
        self.wv = self._new_table()
        WordVectors.__init__(self.wv, state.words, np.array(state.composed()), np.array(state.counts), state.ngrams)
        self.wv.provenance = dict(state.provenance)
        self.wv.vectors_lockf, self._shown = factors, self.wv.vectors

    def _frozen(self, state: TrainingState) -> dict[str, float]:
        """gensim's ``vectors_lockf``, by word."""
        factors = np.asarray(self.wv.vectors_lockf, np.float64).reshape(-1)
        if (factors == 1).all():
            return {}
        parts = 1 - factors[np.arange(len(state.words)) % len(factors)]
        return dict(zip(state.words, parts.tolist(), strict=True))

    def _estimator(self, epochs: int) -> ours.Word2Vec:
        """What trains; parameters that have no effect with others are left at their defaults."""
        exponent = self.ns_exponent if self.negative else 0.75
        return ours.Word2Vec(
            vector_size=self.vector_size, alpha=self.alpha, window=self.window, min_count=max(1, self.min_count),
            sample=self.sample, seed=self.seed, workers=self.workers, min_alpha=self.min_alpha, sg=self.sg, hs=self.hs,
            negative=self.negative, cbow_mean=1 if self.sg else self.cbow_mean, epochs=epochs,
            shrink_windows=self.shrink_windows, kernel=self.kernel or "block", ns_exponent=exponent,
        )  # fmt: skip

    def _known(self, what: str) -> TrainingState:
        """What is learned so far, with the vectors that ``wv`` has now."""
        if self._state is None or list(self.wv.index_to_key) != list(self._state.words):
            raise NotBuiltError(f"there is no vocabulary to {what}: call build_vocab first")
        vectors, ngrams = self.wv.vectors, self._state.ngrams
        if ngrams is not None and vectors is self._shown:
            vectors = self._state.vectors
        elif ngrams is not None:
            vectors = ngrams.own_rows(self._state.words, vectors).astype(np.float32)
        return replace(self._state, vectors=vectors, counts=np.asarray(self.wv.counts))

    # --- what was learned

    @property
    def syn1neg(self) -> NDArray[np.float32]:
        """The output vectors of negative sampling, (words, dimensions)."""
        return self._output("ns")

    @property
    def syn1(self) -> NDArray[np.float32]:
        """Those of the inner nodes of the Huffman tree; as in gensim, the last of as many rows as words has no node."""
        table = self._output("hs")
        return np.vstack([table, np.zeros((len(self.wv) - len(table), self.vector_size), np.float32)])

    def _output(self, name: str) -> NDArray[np.float32]:
        if self._state is None or name not in self._state.outputs:
            raise AttributeError(f"the model has no output layer {name}")
        return self._state.outputs[name]

    def get_latest_training_loss(self) -> float:
        """The loss of the last training, summed over all words that were trained on.

        Returns
        -------
        float
        """
        return self.running_training_loss

    def predict_output_word(
        self, context_words_list: Sequence[str | int], topn: int = 10
    ) -> list[tuple[str, float]] | None:
        """As ``windrow.Word2Vec.predict_output_word``, for negative sampling.

        Parameters
        ----------
        context_words_list : list of str or int
            Words, or their rows.
        topn : int, default 10
            How many words.

        Returns
        -------
        list of (str, float), or None
            None where no word of the context is known.

        Raises
        ------
        NotBuiltError
            The model has no negative sampling.
        """
        if not self.negative:
            raise NotBuiltError("predict_output_word is for negative sampling; train with negative above 0")
        self._known("predict with")
        if not any(word in self.wv for word in context_words_list):
            warn("no word of the context is in the vocabulary")
            return None
        return self._restored().predict_output_word(context_words_list, topn)

    def score(
        self,
        sentences: Iterable[Sequence[str]],
        total_sentences: int = 1_000_000,
        chunksize: int = 100,
        queue_factor: int = 2,
        report_delay: float = 1,
    ) -> NDArray[np.float64]:
        """As ``windrow.Word2Vec.score``.

        Parameters
        ----------
        sentences : iterable of list of str
            Sentences.
        total_sentences, chunksize, queue_factor, report_delay
            Without effect.

        Returns
        -------
        array of float64, shape (sentences,)

        Raises
        ------
        NotBuiltError
            The model has no hierarchical softmax.
        """
        if not self.hs:
            raise NotBuiltError("score is for hierarchical softmax; train with hs=1 and negative=0")
        return self._restored().score(sentences)

    def _restored(self) -> ours.Word2Vec:
        """A trained model with what is learned so far; the last one, if nothing has changed."""
        now = (self._state, self.wv.vectors, self.window, self.cbow_mean)
        if self._asked is None or any(one is not other for one, other in zip(self._asked[0], now, strict=True)):
            self._asked = now, ours.Word2Vec._restored(self._to_store())
        return self._asked[1]

    # --- files

    def save(self, fname: str | os.PathLike[str], *args: Any, **kwargs: Any) -> None:
        """Write one file of windrow's, which ``load`` and ``windrow.Word2Vec.load`` open; ``windrow.load`` its vectors.

        Parameters
        ----------
        fname : str or os.PathLike
            The file.
        *args, **kwargs
            gensim's ``separately``, ``sep_limit``, ``ignore`` and ``pickle_protocol``: without effect.

        Raises
        ------
        NotBuiltError
            There is no vocabulary yet.
        """
        self._to_store().write(fname)

    def _to_store(self) -> TrainingState:
        state = self._known("save")
        extra = {name: getattr(self, name) for name in self._extra}
        parameters = {
            name: value
            for name, value in self._estimator(self.epochs).get_params().items()
            if name not in ("callbacks", "report_words")
        }
        return replace(
            state,
            parameters=parameters,
            texts=state.texts or ("",),
            provenance={**state.provenance, _OF_GENSIM: extra},
        )

    @classmethod
    def load(cls, fname: str | os.PathLike[str], *args: Any, **kwargs: Any) -> Self:
        """Read what ``save`` or ``windrow.Word2Vec.save`` wrote, to train further.

        Parameters
        ----------
        fname : str or os.PathLike
            The file. Of gensim's own ``.model`` files the vectors can be read: ``KeyedVectors.load``.
        *args, **kwargs
            gensim's ``mmap`` and ``rethrow``: without effect.

        Returns
        -------
        Word2Vec

        Raises
        ------
        FormatError
            The file holds vectors alone, is of another kind or damaged.
        """
        return cls._from_state(read_state(fname), fname)

    @classmethod
    def _from_state(cls, state: TrainingState, fname: object) -> Self:
        with parts_of(str(fname)):
            trained = ours.Word2Vec(**state.parameters)
            trained._check_fits(state)
        extra = state.provenance.get(_OF_GENSIM)
        names = signature(cls).parameters.keys() - {"callbacks"}
        parameters = {name: value for name, value in cls._of_ours(trained).items() if name in names}
        layers, weighting = trained.layer_names(), trained.weighting()
        if "softmax" in layers or weighting not in ("shrink", "none"):
            raise OptionError(f"{fname}: gensim has no such training; open it by windrow.Word2Vec.load")
        model = cls(**parameters)
        model.hs, model.shrink_windows = int("hs" in layers), weighting == "shrink"
        model.negative = model.negative if "ns" in layers else 0
        known = extra if isinstance(extra, dict) else {}
        given = {"corpus_count": None, "corpus_total_words": None, "train_count": 1, **known}
        for name in cls._extra:
            setattr(model, name, given.get(name, getattr(model, name)))
        model._state = state
        model._show(state)
        return model

    @classmethod
    def _of_ours(cls, trained: ours.Word2Vec) -> dict[str, Any]:
        """The parameters of a trained model; OptionError where it is of another kind."""
        if trained.subwords:
            raise OptionError("the model has n-grams; load it as FastText")
        return trained.get_params()

    def __repr__(self) -> str:
        return f"{type(self).__name__}<vocab={len(self.wv)}, vector_size={self.vector_size}, alpha={self.alpha}>"

    def __getattr__(self, name: str) -> NoReturn:
        if name in _GONE:
            raise AttributeError(f"{name} is not there; write {_GONE[name]}")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
