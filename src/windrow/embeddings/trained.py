"""A trained Word2Vec: its vectors and output tables, what these predict, and the file from which training goes on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import TextReader, Vocabulary
from windrow.embeddings.kernels.inputs import WordRows
from windrow.embeddings.prediction import sentence_log_likelihood, word_log_probs
from windrow.embeddings.settings import as_given
from windrow.embeddings.steps.hierarchical_softmax import HierarchicalSoftmaxStep
from windrow.embeddings.subwords import NgramVectors, Subwords, compose
from windrow.embeddings.training.fasttext_state import read_state, write_state
from windrow.embeddings.training.loop import VectorTraining
from windrow.embeddings.training.making import TrainingOptions, restore_training
from windrow.embeddings.training.start import Start, ngram_sizes
from windrow.embeddings.training.state import TrainingState
from windrow.embeddings.vectors import WordVectors
from windrow.errors import FormatError, NotFittedError, OptionError, check_whole
from windrow.estimator import Estimator
from windrow.files import model_file
from windrow.nn.training.report import facts_of


class TrainedModel(Estimator):
    """What ``Word2Vec`` is once ``fit`` has trained it, or ``load`` has read it."""

    # Parameters, which the constructor of Word2Vec sets.
    vector_size: int
    window: int
    sg: int
    hs: int
    negative: int
    cbow_mean: int
    shrink_windows: bool
    window_weighting: str | None
    loss: str | None
    subwords: bool

    _training: VectorTraining  # not there before
    _vocabulary: Vocabulary
    _subwords: Subwords | None
    _word_rows: WordRows | None
    _wv: WordVectors | None  # None as long as it may change

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

    def sizes(self) -> dict[str, object]:
        """``words`` and ``dimensions`` of the vectors; empty before ``fit``."""
        if not hasattr(self, "_training"):
            return {}
        return {"words": len(self._vocabulary), "dimensions": self._training.vector_size}

    def _facts(self) -> dict[str, object]:
        return {**self.sizes(), **facts_of(self.history_)} if hasattr(self, "_training") else {}

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

    def save(self, path: str | PathLike[str], format: str | None = None) -> None:
        """Write the word vectors with all that training can go on from: output tables, counts, random numbers.

        ``windrow.load`` opens such a file as word vectors, ``Word2Vec.load`` as a trained model. It is larger than
        that of ``wv.save``: twice for one output layer.

        Parameters
        ----------
        path : str or os.PathLike
            The file, in windrow's own format; or, where it ends in ``.fasttext``, in the binary one of fastText.
        format : {"safetensors", "fasttext"} or None, default None
            The format, whatever the name is. fastText's holds one output layer, no learning rates and no random
            numbers, and the tree of hierarchical softmax only of models with ``subwords``.

        Raises
        ------
        OptionError
            The format is another, or cannot hold the model.
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
        write_state(self._state(), path, format)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Open what ``save`` wrote, or a binary model of fastText, as a trained model.

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
        state = read_state(path)
        with model_file.parts_of(path):
            try:
                return cls._restored(state)
            except OptionError as error:
                raise FormatError(f"{path} is damaged: {error}") from error

    @classmethod
    def _restored(cls, state: TrainingState) -> Self:
        model = cls(**as_given(state.parameters))
        model.check_parameters()
        model._check_fits(state)
        vocabulary = Vocabulary(list(state.words), state.counts)
        model._subwords = None if state.ngrams is None else state.ngrams.subwords
        model._word_rows = None if model._subwords is None else model._subwords.word_rows(vocabulary.words)
        texts = tuple(state.texts)
        start = Start(vocabulary, state.counts, texts, state=state, ties=state.ties, subwords=model._subwords)
        model._training = restore_training(model._options(), start, state)
        model._vocabulary = vocabulary
        model._wv = WordVectors(vocabulary.words, state.composed(), state.counts, state.ngrams)
        model._wv.provenance = state.provenance
        return model

    def _state(self) -> TrainingState:
        """What another training can go on from."""
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
            self.wv.ngrams,
            training.ties,
        )

    @staticmethod
    def _state_of(model: TrainedModel | TrainingState | str | PathLike[str] | None) -> TrainingState | None:
        if isinstance(model, TrainedModel):
            return model._state()
        return model if model is None or isinstance(model, TrainingState) else read_state(model)

    def _check_fits(self, state: TrainingState) -> None:
        state.check_fits(self.vector_size, self.layer_names(), self._ngram_sizes())

    def _ngram_sizes(self) -> tuple[int, int, int] | None:
        return ngram_sizes(self.get_params()) if self.subwords else None

    def save_checkpoint(self, path: str | PathLike[str]) -> None:
        """Write the state of the training, finished or not, for ``fit`` with ``resume``."""
        self._fitted().save(path)

    def layer_names(self) -> list[str]:
        """The output layers, as chosen by ``loss`` or else by ``hs`` and ``negative``, in the order of training."""
        if self.loss is not None:
            return self.loss.split("+")
        return ["hs"] * bool(self.hs) + ["ns"] * (self.negative > 0)

    def weighting(self) -> str:
        """How context words are weighted, as chosen by ``window_weighting`` or else by ``shrink_windows``."""
        return self.window_weighting or ("shrink" if self.shrink_windows else "none")

    def _options(self) -> TrainingOptions:
        return TrainingOptions.of(self.get_params(), self.layer_names(), self.weighting())


def _read_only(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """A copy that nobody writes to."""
    copy = rows.copy()
    copy.setflags(write=False)
    return copy
