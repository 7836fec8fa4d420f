"""ClassLM: n-grams of classes of words."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from windrow.bars import OnProgress, check_progress, stages_bar
from windrow.corpus import Vocabulary
from windrow.corpus.opening import as_corpus
from windrow.errors import FormatError, NotFittedError, OptionError
from windrow.estimator import Estimator
from windrow.files.model_file import StoredModel
from windrow.lm import storing
from windrow.lm.base import LanguageModel
from windrow.lm.classes.exchange import learn_classes
from windrow.lm.classes.given import given_classes
from windrow.lm.classes.settings import CLASS_LM
from windrow.lm.next_word import as_id, as_ids
from windrow.lm.ngram.counting import check_size, count_ngrams
from windrow.lm.ngram.model import NGramLM
from windrow.lm.ngram.settings import DISCOUNTING
from windrow.lm.ngram.states import NGramState
from windrow.lm.stream import Ids, lm_vocabulary, training_stream
from windrow.lm.symbols import BOS, SPECIALS
from windrow.machine import counting_memory

_NGRAMS = "ngrams."  # before the names of the arrays of the n-gram model in files


class ClassLM(Estimator, LanguageModel):
    """A class-based n-gram model: p(word | history) = p(its class | classes of the history) p(word | its class).

    What is seen of one word counts for all words of its class, so that much less text says which words may follow
    which. Alone it is about as good as n-grams of words, and the two are far better mixed (``MixtureLM``). Each word
    has one class. Classes are learned from the text, or given to ``fit``; ``<unk>``, ``<s>`` and ``</s>`` have their
    own.

    Parameters
    ----------
    classes : int >= 1, default 300
        Classes that are learned from the text, beside those of <unk>, <s> and </s>. Only without word_classes. More
        for more text; the time to learn them grows with their number.
    order : int in [1, 100], default 5
        Classes in the longest n-gram.
    smoothing : {"modified-kneser-ney", "kneser-ney", "witten-bell", "absolute"}, default "modified-kneser-ney"
        How probability is reserved for n-grams of classes that were not seen; discounts are 0.5, 1, 1.5 where there
        are too few to estimate them.
    iterations : int >= 0, default 15
        Passes over the words, at most, that move each to its best class. Only without word_classes. They end when
        less than one of a hundred words moves.
    min_count : int >= 1, default 1
        Words that occur less often become <unk>.
    max_vocab : int >= 4 or None, default None
        Keep only this many words, <unk>, <s> and </s> among them; the others become <unk>. None: all.
    skip_symbols : bool, default False
        Leave out <s> and </s> where they occur in the text. They are refused otherwise.

    Attributes
    ----------
    classes_ : array of int32, shape (words,)
        The class of each word; 0, 1, 2 are those of ``<unk>``, ``<s>`` and ``</s>``.
    ngrams_ : NGramLM
        The n-gram model of classes, whose words are the numbers of classes.
    history_ : list of float
        The perplexity of the training text under an unsmoothed bigram model of classes, before each pass of learning
        them and at the end; empty where they were given.
    vocabulary : Vocabulary
        The words, with <unk>, <s> and </s> in front.
    provenance_ : dict
        What is known of the training text.

    References
    ----------
    Brown et al. 1992, "Class-based n-gram models of natural language"; classes by the exchange algorithm of Kneser &
    Ney 1993, "Improved clustering techniques for class-based statistical language modelling".

    Examples
    --------
    >>> from windrow import ClassLM
    >>> text = ["the cat sat", "the dog sat", "a cat ran", "a dog barked"]
    >>> model = ClassLM(3, order=2, smoothing="witten-bell").fit(text)
    >>> model.words_of_class(model.word_class("cat"))
    ['dog', 'cat']
    >>> model.prob("barked", "the cat") > 0.1  # "cat" never barked, but what is of its class did
    True
    """

    kind = "class-lm"
    settings = CLASS_LM
    classes_: NDArray[np.int32]
    ngrams_: NGramLM

    def __init__(
        self,
        classes: int = 300,
        order: int = 5,
        smoothing: str = "modified-kneser-ney",
        *,
        iterations: int = 15,
        min_count: int = 1,
        max_vocab: int | None = None,
        skip_symbols: bool = False,
    ) -> None:
        self.classes = classes
        self.order = order
        self.smoothing = smoothing
        self.iterations = iterations
        self.min_count = min_count
        self.max_vocab = max_vocab
        self.skip_symbols = skip_symbols

    # --- training

    def fit(
        self,
        source: Any,
        *,
        field: str | None = None,
        word_classes: Mapping[str, Any] | str | os.PathLike[str] | None = None,
        progress: OnProgress | bool | None = None,
    ) -> Self:
        """Find the classes of the words of a text, and estimate the n-gram model of classes.

        When this fails, a model that was trained before stays as it was.

        Parameters
        ----------
        source : Corpus, or what Corpus.build takes
            The training text.
        field : str, default None
            The column or field of the text, where ``source`` is a table or names a file of records.
        word_classes : mapping, str or path, default None
            The class of each word, or a file with a word and its class on each line, such as ``windrow vectors
            cluster`` writes. Words without one share a class. None: classes are learned from the text.
        progress : bool or callable, default None
            True: show a bar, in a notebook or on stderr. A function is called with the name of a stage,
            and how much of it is done, 0 to 1.

        Returns
        -------
        ClassLM
            The model itself.

        Raises
        ------
        OptionError
            A parameter is out of range, or has no effect.
        DataError
            The text or the file of classes cannot be read, the text is too small for the order, or holds ``<s>`` or
            ``</s>``.

        Examples
        --------
        >>> from windrow import ClassLM
        >>> text = ["the cat sat", "the dog sat", "a cat ran"]
        >>> model = ClassLM(order=2, smoothing="witten-bell").fit(text, word_classes={"cat": "noun", "dog": "noun"})
        >>> model.words_of_class(model.word_class("dog"))
        ['cat', 'dog']
        """
        self.check_parameters()
        self.check_effects(word_classes=word_classes)
        check_progress(progress)
        corpus = as_corpus(source, field, shows_bar=progress is True)
        check_size(corpus.tokens + 2 * len(corpus))
        vocabulary, mapping = lm_vocabulary(
            corpus, min_count=self.min_count, max_vocab=self.max_vocab, skip_symbols=self.skip_symbols
        )
        stream = training_stream(corpus, mapping)
        with ExitStack() as stack:
            report: OnProgress = stack.enter_context(stages_bar(progress)) or (lambda stage, done: None)
            history = list[float]()
            if word_classes is not None:
                classes = given_classes(word_classes, vocabulary)
            else:
                bigrams = count_ngrams(stream, vocabulary, 2, memory_budget=counting_memory())
                classes, history = learn_classes(
                    bigrams, self.classes, self.iterations, lambda done: report("learning classes", done)
                )
            ngrams = self._ngrams_of(classes[stream], class_vocabulary(classes, vocabulary), report)
        self._set(vocabulary, classes, ngrams, storing.provenance_of(corpus))
        self.history_ = history
        self.reader = corpus.reader
        return self

    def _ngrams_of(self, stream: Ids, vocabulary: Vocabulary, report: OnProgress) -> NGramLM:
        """The n-gram model of a stream of classes."""
        budget = counting_memory()
        counts = count_ngrams(stream, vocabulary, self.order, memory_budget=budget, progress=report)
        # Classes are few, and each occurs often: of unigrams there is mostly nothing to estimate discounts from.
        falls_back = self.smoothing in DISCOUNTING
        return NGramLM(self.order, self.smoothing, discount_fallback=falls_back).fit_counts(counts)

    def _set(
        self, vocabulary: Vocabulary, classes: NDArray[np.int32], ngrams: NGramLM, provenance: Mapping[str, Any]
    ) -> None:
        self._vocabulary, self.classes_, self.ngrams_, self.provenance_ = vocabulary, classes, ngrams, provenance
        counts = np.asarray(vocabulary.counts, np.float64)
        totals = np.bincount(classes, counts)[classes]
        # A class that does not occur is that of <unk> in a text without it, whose only word it is; or that of <s>.
        self._within = np.divide(counts, totals, out=np.ones(len(counts)), where=totals > 0)  # p(word | its class)

    @property
    def vocabulary(self) -> Vocabulary:  # type: ignore[override]
        """The words of the model; NotFittedError before ``fit``."""
        self._fitted()
        return self._vocabulary

    def _fitted(self) -> NGramLM:
        try:
            return self.ngrams_
        except AttributeError:
            raise NotFittedError("the class-based model is not trained yet; call fit first") from None

    def sizes(self) -> dict[str, object]:
        """``words``; ``classes``, those of special symbols not counted; the n-grams of each length. Empty before."""
        if not hasattr(self, "ngrams_"):
            return {}
        ngrams = {name: size for name, size in self.ngrams_.sizes().items() if name.endswith("-grams")}
        return {**self.vocabulary.sizes(), "classes": len(self.ngrams_.vocabulary) - len(SPECIALS), **ngrams}

    # --- classes

    def word_class(self, word: str | int) -> int:
        """The number of the class of a word, or of an id; of an unknown word it is that of ``<unk>``, 0."""
        self._fitted()
        return int(self.classes_[as_id(self.vocabulary, word)])

    def words_of_class(self, number: int) -> list[str]:
        """The words of a class, the most frequent first; OptionError if there is no such class.

        Examples
        --------
        >>> from windrow import ClassLM
        >>> model = ClassLM(order=2, smoothing="witten-bell")
        >>> model = model.fit(["the cat sat", "the dog ran", "a cat"], word_classes={"the": "D", "a": "D"})
        >>> model.words_of_class(model.word_class("the"))
        ['the', 'a']
        """
        found = np.flatnonzero(self.classes_ == as_id(self._fitted().vocabulary, number))
        return [self.vocabulary.words[word] for word in found.tolist()]

    # --- probabilities

    def score_stream(self, stream: Ids) -> NDArray[np.float64]:
        """As ``LanguageModel.score_stream``."""
        return self._score_with_orders(stream)[0]

    def _score_with_orders(self, stream: Ids) -> tuple[NDArray[np.float64], NDArray[Any]]:
        """The order is that of the longest n-gram of classes."""
        ngrams, ids = self._fitted(), self._checked(stream)
        scores, orders = ngrams.table_.score_with_orders(self.classes_[ids])
        return scores.astype(np.float64) + np.log10(self._within[ids]), orders

    def _checked(self, stream: Ids) -> Ids:
        ids = np.ascontiguousarray(stream, np.int32)
        if ids.size and not 0 <= ids.min() <= ids.max() < len(self.classes_):
            raise OptionError(f"ids must be from 0 to {len(self.classes_) - 1}, not {ids.min()} to {ids.max()}")
        return ids

    def start(self, ids: Sequence[int] | Ids = (BOS,)) -> NGramState:
        """As ``LanguageModel.start``."""
        ngrams = self._fitted()
        return ngrams.start([int(self.classes_[word_id]) for word_id in as_ids(self.vocabulary, ids)])

    def advance(self, state: NGramState, word_id: str | int) -> NGramState:
        """As ``LanguageModel.advance``."""
        return self.score_next(state, word_id)[1]

    def score_next(self, state: NGramState, word: str | int) -> tuple[float, NGramState]:
        """As ``LanguageModel.score_next``, without a whole distribution."""
        ngrams, word_id = self._fitted(), as_id(self.vocabulary, word)
        score, after = ngrams.score_next(state, int(self.classes_[word_id]))
        return score + float(np.log10(self._within[word_id])), after

    def distribution(self, state: NGramState) -> NDArray[np.float64]:
        """As ``LanguageModel.distribution``; the sum is 1 within 1e-5, as numbers of the n-gram model are rounded."""
        found: NDArray[np.float64] = self._fitted().distribution(state)[self.classes_] * self._within
        return found

    # --- files

    def to_stored(self) -> StoredModel:
        """As ``LanguageModel.to_stored``: the contents of the n-gram model's own file, and the class of each word."""
        ngrams = self._fitted().to_stored()
        parameters = {name: storing.plain(value) for name, value in self.get_params().items()}
        config = {"parameters": parameters, "ngrams": ngrams.config, "perplexities": self.history_}
        arrays = {f"{_NGRAMS}{name}": array for name, array in ngrams.arrays.items()}
        arrays |= {"classes": self.classes_, **storing.pack_vocabulary(self.vocabulary)}
        return StoredModel(self.kind, config, dict(self.provenance_), arrays)

    @classmethod
    def from_stored(cls, stored: StoredModel, path: str | os.PathLike[str]) -> Self:
        """As ``LanguageModel.from_stored``."""
        cls.check_kind(stored, path)
        vocabulary = storing.unpack_vocabulary(stored, path)
        try:
            parameters = stored.config["parameters"]
            loaded = cls(**{name: storing.from_plain(value) for name, value in parameters.items()})
            loaded.check_parameters()
            loaded.history_ = [float(number) for number in stored.config["perplexities"]]
            config = dict(stored.config["ngrams"])
            classes = np.asarray(stored.arrays["classes"])
        except (KeyError, TypeError, ValueError) as error:  # an OptionError is a ValueError
            raise FormatError(f"{path}: the parameters of the class-based model are damaged ({error})") from error
        names = [name for name in stored.arrays if name.startswith(_NGRAMS)]
        arrays = {name.removeprefix(_NGRAMS): stored.arrays[name] for name in names}
        ngrams = NGramLM.from_stored(StoredModel(NGramLM.kind, config, {}, arrays), path)
        if told := _misfit(classes, vocabulary, ngrams):
            raise FormatError(
                f"{path}: the classes of words are damaged ({told}); take it from a copy, or make it again"
            )
        loaded._set(vocabulary, classes, ngrams, stored.provenance)
        return loaded


def class_vocabulary(classes: NDArray[np.int32], vocabulary: Vocabulary) -> Vocabulary:
    """The classes as the words of an n-gram model, each called by its number, with their counts."""
    counts = np.bincount(classes, vocabulary.counts).astype(np.int64)
    return Vocabulary([*SPECIALS, *map(str, range(len(SPECIALS), len(counts)))], counts, SPECIALS)


def _misfit(classes: NDArray[Any], vocabulary: Vocabulary, ngrams: NGramLM) -> str:
    """Why the classes of a file cannot be those of its words and n-grams; empty if they can."""
    words, size, specials = len(vocabulary), len(ngrams.vocabulary), len(SPECIALS)
    if classes.dtype != np.int32 or classes.shape != (words,):
        return f"{classes.dtype} {classes.shape} for {words} words"
    if classes[:specials].tolist() != [*range(specials)] or (classes[specials:] < specials).any():
        return "special symbols have no classes of their own"
    if len(found := np.unique(classes)) != size or found[-1] != size - 1:
        return f"they are not from 0 to {size - 1}"
    if np.asarray(vocabulary.counts)[specials:].min(initial=1) < 1:
        return "a word does not occur"
    return "" if ngrams.predicts_end else "the end of a sentence is not predicted"
