"""UnboundedNGramLM: contexts as long as the training text has them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from windrow.bars import OnProgress, check_progress, stages_bar
from windrow.corpus import Vocabulary
from windrow.corpus.opening import as_corpus
from windrow.errors import DataError, FormatError, NotFittedError, OptionError, check_whole
from windrow.estimator import Estimator
from windrow.files.model_file import StoredModel
from windrow.lm import storing
from windrow.lm.base import LanguageModel
from windrow.lm.next_word import Tokens, as_id, as_ids, check_state, compared_by_content, given_words
from windrow.lm.ngram.counting import check_size
from windrow.lm.stream import Ids, lm_vocabulary, training_stream
from windrow.lm.symbols import BOS, SPECIALS
from windrow.lm.unbounded.discounting import orders_of
from windrow.lm.unbounded.index import ContextIndex, build_index, index_from_arrays
from windrow.lm.unbounded.kernels import scoring
from windrow.lm.unbounded.kernels.contexts import FREQUENT, position_at, word_at
from windrow.lm.unbounded.settings import UNBOUNDED_NGRAM_LM
from windrow.lm.unbounded.suffix_array import BYTES_PER_SYMBOL, LONGEST
from windrow.machine import check_memory


@compared_by_content
class ContextState(NamedTuple):
    """What is remembered of the words so far: where each context that ends at the last one stands in the text."""

    ranges: NDArray[np.int64]  # (words of the longest context found, 2): row k - 1 is the range of the last k words


class Occurrence(NamedTuple):
    """One place of the training text where given words stand.

    Attributes
    ----------
    before : list of str
        Words before them in their sentence, the nearest last.
    words : list of str
        The words themselves.
    after : list of str
        Words after them.
    """

    before: list[str]
    words: list[str]
    after: list[str]


class UnboundedNGramLM(Estimator, LanguageModel):
    """An n-gram model without a highest order: p(word | all words before it), as far as the training text has them.

    The text is kept, with its positions sorted by the words that end there, in five to six bytes per word.
    Probabilities are those of interpolated modified Kneser-Ney smoothing over all orders; what is rare is counted when
    it is asked for. N-grams have at most 1,000 words.

    Parameters
    ----------
    discounts : sequence of sequences of float or None, default None
        What is subtracted from the counts 1, 2, and 3 or more of each order, the last order for all above; None in
        place of an order's lets it be estimated. None: estimated.
    discount_fallback : bool, default False
        Take the discounts 0.5, 1, 1.5 where a text is too small to estimate them. Small or artificial text is
        refused otherwise.
    min_count : int >= 1, default 1
        Words that occur less often become <unk>.
    max_vocab : int >= 4 or None, default None
        Keep only this many words, <unk>, <s> and </s> among them; the others become <unk>. None: all.
    skip_symbols : bool, default False
        Leave out <s> and </s> where they occur in the text. They are refused otherwise.

    Attributes
    ----------
    index_ : ContextIndex
        The text, its sorted positions, and the counts of frequent contexts.
    vocabulary : Vocabulary
        The words, with <unk>, <s> and </s> in front.
    provenance_ : dict
        What is known of the training text.

    References
    ----------
    Shareghi, Petri, Haffari & Cohn 2016, "Fast, small and exact: infinite-order language modelling with compressed
    suffix trees"; Chen & Goodman 1999, "An empirical study of smoothing techniques for language modeling".

    Examples
    --------
    >>> from windrow import UnboundedNGramLM
    >>> text = ["the cat sat on the mat", "the cat ran off", "a dog ran off"]
    >>> model = UnboundedNGramLM(discount_fallback=True).fit(text)
    >>> model.top_words("the cat ran", 1)[0][0]
    'off'
    >>> model.count("the cat"), model.longest_match("a cat ran")
    (2, 2)
    """

    kind = "unbounded-ngram-lm"
    settings = UNBOUNDED_NGRAM_LM
    index_: ContextIndex

    def __init__(
        self,
        *,
        discounts: Sequence[Sequence[float] | None] | None = None,
        discount_fallback: bool = False,
        min_count: int = 1,
        max_vocab: int | None = None,
        skip_symbols: bool = False,
    ) -> None:
        self.discounts = discounts
        self.discount_fallback = discount_fallback
        self.min_count = min_count
        self.max_vocab = max_vocab
        self.skip_symbols = skip_symbols

    # --- training

    def fit(self, source: Any, *, field: str | None = None, progress: OnProgress | bool | None = None) -> Self:
        """Sort the positions of a text by their contexts, and estimate discounts.

        When this fails, a model that was trained before stays as it was.

        Parameters
        ----------
        source : Corpus, or what Corpus.build takes
            The training text. Sorting takes 24 bytes of memory per word.
        field : str, default None
            The column or field of the text, where ``source`` is a table or names a file of records.
        progress : bool or callable, default None
            True: show a bar, in a notebook or on stderr. A function is called with the name of a stage,
            and how much of it is done, 0 to 1.

        Returns
        -------
        UnboundedNGramLM
            The model itself.

        Raises
        ------
        OptionError
            A parameter is out of range, or the text needs more memory than is free.
        DataError
            The text cannot be read, is too small to estimate discounts, or holds ``<s>`` or ``</s>``.
        """
        self.check_parameters()
        self.check_effects()
        orders_of(self.discounts)
        check_progress(progress)
        corpus = as_corpus(source, field, shows_bar=progress is True)
        symbols = corpus.tokens + 2 * len(corpus)
        check_size(symbols)
        told = f"the contexts of the {symbols:,} symbols of {corpus.name}"
        check_memory(BYTES_PER_SYMBOL * symbols, told, "give less text")
        vocabulary, mapping = lm_vocabulary(
            corpus, min_count=self.min_count, max_vocab=self.max_vocab, skip_symbols=self.skip_symbols
        )
        stream = training_stream(corpus, mapping)
        with ExitStack() as stack:
            show = stack.enter_context(stages_bar(progress))
            index = build_index(stream, len(vocabulary), self.discounts, self.discount_fallback, show)
        self._set(index, vocabulary, storing.provenance_of(corpus))
        self.reader = corpus.reader
        return self

    def _set(self, index: ContextIndex, vocabulary: Vocabulary, provenance: Mapping[str, Any]) -> None:
        self.index_, self._vocabulary, self.provenance_ = index, vocabulary, provenance

    @property
    def vocabulary(self) -> Vocabulary:  # type: ignore[override]
        """The words of the model; NotFittedError before ``fit``."""
        self._fitted()
        return self._vocabulary

    def _fitted(self) -> ContextIndex:
        try:
            return self.index_
        except AttributeError:
            raise NotFittedError("the n-gram model is not trained yet; call fit first") from None

    def sizes(self) -> dict[str, object]:
        """``words``, and ``symbols`` of the text, the marks of sentences included; empty before ``fit``."""
        return self.vocabulary.sizes() | {"symbols": self.index_.index.size} if hasattr(self, "index_") else {}

    # --- probabilities

    def score_stream(self, stream: Ids) -> NDArray[np.float64]:
        """As ``LanguageModel.score_stream``."""
        return self._score(stream, np.empty(0, np.int32))

    def _score_with_orders(self, stream: Ids) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        orders = np.empty(np.asarray(stream).size, np.int32)
        return self._score(stream, orders), orders

    def _score(self, stream: Ids, orders: NDArray[np.int32]) -> NDArray[np.float64]:
        found = self._fitted()
        ids = np.ascontiguousarray(stream, np.int32)
        if ids.size and not 0 <= ids.min() <= ids.max() < len(self.vocabulary):
            raise OptionError(f"ids must be from 0 to {len(self.vocabulary) - 1}, not {ids.min()} to {ids.max()}")
        probs = np.empty(ids.size)
        before, after = (np.empty((LONGEST, 2), np.int64) for _ in range(2))
        scratch = np.empty(FREQUENT, np.int64)
        scoring.score(found.index, found.unigrams, found.discounts, ids, before, after, scratch, probs, orders)
        with np.errstate(divide="ignore"):
            return np.log10(probs, out=probs)

    def start(self, ids: Sequence[int] | Ids = (BOS,)) -> ContextState:
        """As ``LanguageModel.start``."""
        state = ContextState(np.empty((0, 2), np.int64))
        for word_id in as_ids(self.vocabulary, ids):
            state = _state(self._extended(state.ranges, word_id))
        return state

    def advance(self, state: ContextState, word_id: str | int) -> ContextState:
        """As ``LanguageModel.advance``."""
        return _state(self._extended(self._checked(state).ranges, as_id(self.vocabulary, word_id)))

    def score_next(self, state: ContextState, word: str | int) -> tuple[float, ContextState]:
        """As ``LanguageModel.score_next``, without a whole distribution."""
        ranges, word_id = self._checked(state).ranges, as_id(self.vocabulary, word)
        found, after = self._fitted(), self._extended(ranges, word_id)
        if word_id == BOS:
            return 0.0, _state(after)
        prob = scoring.probability(
            found.index, found.unigrams, found.discounts, ranges, len(ranges), word_id, after, len(after),
            np.empty(FREQUENT, np.int64),
        )  # fmt: skip
        with np.errstate(divide="ignore"):
            return float(np.log10(prob)), _state(after)

    def distribution(self, state: ContextState) -> NDArray[np.float64]:
        """As ``LanguageModel.distribution``; the time grows with how often the last word stands in the text."""
        ranges = self._checked(state).ranges
        found, words = self._fitted(), len(self.vocabulary)
        probs = found.unigrams.copy()
        widest = int(ranges[0, 1] - ranges[0, 0]) if len(ranges) else 0
        memory = np.full(words, -1, np.int32), np.zeros(words, np.int32), np.empty(widest, np.int32)
        scoring.distribution(found.index, found.discounts, ranges, *memory, probs, np.empty(FREQUENT, np.int64))
        return probs

    def _extended(self, ranges: NDArray[np.int64], word_id: int) -> NDArray[np.int64]:
        """The ranges of the n-grams that one more word ends."""
        after = np.empty((len(ranges) + 1, 2), np.int64)
        return after[: int(scoring.extended(self._fitted().index, ranges, len(ranges), word_id, after))]

    def _checked(self, state: ContextState) -> ContextState:
        """The state, if its ranges can be of this model: OptionError otherwise."""
        fits = isinstance(state, ContextState)
        if fits:
            left, right = state.ranges[:, 0], state.ranges[:, 1]
            inside = (left >= 0) & (left < right) & (right <= self._fitted().index.size)
            fits = len(left) < LONGEST and bool(inside.all())
        check_state(fits)
        return state

    # --- the text

    def count(self, words: Tokens) -> int:
        """How often words stand one after another in a sentence of the training text.

        Parameters
        ----------
        words : str or sequence of str
            A string is cut into words as the training text was. ``<s>`` and ``</s>`` in a list stand for the
            beginning and the end of a sentence.

        Returns
        -------
        int
            0 if one of them is unknown to the model.

        Raises
        ------
        DataError
            No word is given.

        Examples
        --------
        >>> from windrow import UnboundedNGramLM
        >>> model = UnboundedNGramLM(discount_fallback=True).fit(["the cat sat", "the cat ran off"])
        >>> model.count("the cat"), model.count(["<s>", "the"]), model.count("the zebra")
        (2, 2, 0)
        """
        left, right = self._range_of(self._ids_of(words))
        return right - left

    def longest_match(self, words: Tokens) -> int:
        """How many of the last words stand in the training text one after another.

        Parameters
        ----------
        words : str or sequence of str
            As of ``count``.

        Returns
        -------
        int
            0 if the last word is unknown to the model; at most 1,000.

        Examples
        --------
        >>> from windrow import UnboundedNGramLM
        >>> model = UnboundedNGramLM(discount_fallback=True).fit(["the cat sat", "the cat ran off"])
        >>> model.longest_match("a cat ran off")
        3
        """
        ids = self._ids_of(words)
        known = ids[int(np.flatnonzero(ids < 0).max(initial=-1)) + 1 :]
        low, high = 0, min(len(known), LONGEST)  # the last ``low`` words stand in the text
        while low < high:
            middle = (low + high + 1) // 2
            left, right = self._range_of(known[len(known) - middle :])
            low, high = (middle, high) if right > left else (low, middle - 1)
        return low

    def occurrences(self, words: Tokens, *, width: int = 8) -> Iterator[Occurrence]:
        """The places of the training text where words stand one after another, with the words around them.

        Parameters
        ----------
        words : str or sequence of str
            As of ``count``.
        width : int >= 0, default 8
            At most so many words before and after them, of their sentence.

        Yields
        ------
        Occurrence
            Sorted by the words before, the nearest first.

        Raises
        ------
        DataError
            No word is given.
        OptionError
            ``width`` is negative.

        Examples
        --------
        >>> from windrow import UnboundedNGramLM
        >>> model = UnboundedNGramLM(discount_fallback=True).fit(["the cat sat", "a cat ran off"])
        >>> for found in model.occurrences("cat", width=1):
        ...     print(found.before, found.words, found.after)
        ['a'] ['cat'] ['ran']
        ['the'] ['cat'] ['sat']
        """
        check_whole("width", width, 0)
        ids = self._ids_of(words)
        left, right = self._range_of(ids)
        index, vocabulary = self._fitted().index, self.vocabulary
        given = vocabulary.decode(ids) if right > left else []
        for place in range(left, right):
            last = int(position_at(index, place))
            before = islice(self._walk(last - len(ids), -1), width)
            after = islice(self._walk(last + 1, 1), width)
            yield Occurrence([*before][::-1], list(given), [*after])

    def _walk(self, position: int, step: int) -> Iterator[str]:
        """Words of one sentence from a position on, in one direction."""
        index, words = self._fitted().index, self.vocabulary.words
        while 0 <= position < index.size:
            word = words[int(word_at(index, position))]
            if word in SPECIALS[BOS:]:
                return
            yield word
            position += step

    def _ids_of(self, words: Tokens) -> NDArray[np.int32]:
        """The ids of words, -1 for those that are unknown; DataError where there are none."""
        vocabulary = self.vocabulary
        tokens = self.reader.words_of(words) if isinstance(words, str) else given_words(words, vocabulary)
        if not tokens:
            raise DataError("no word is given; give at least one")
        return np.array([vocabulary.id_of(word) if word in vocabulary else -1 for word in tokens], np.int32)

    def _range_of(self, ids: NDArray[np.int32]) -> tuple[int, int]:
        """The places at which the words end; an empty range where they stand nowhere, or one is unknown."""
        if not ids.size or ids.min() < 0 or BOS in ids[1:]:
            return 0, 0
        if ids.size > LONGEST:
            raise OptionError(f"{ids.size:,} words are given; contexts are sorted by {LONGEST:,}: give fewer")
        left, right = scoring.find(self._fitted().index, ids)
        return int(left), int(right)

    # --- files

    def to_stored(self) -> StoredModel:
        """As ``LanguageModel.to_stored``."""
        found = self._fitted()
        parameters = {name: storing.plain(value) for name, value in self.get_params().items()}
        config = {"parameters": parameters, "index": found.config()}
        arrays = {**found.arrays(), **storing.pack_vocabulary(self.vocabulary)}
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
            config = stored.config["index"]
        except (KeyError, TypeError, OptionError) as error:
            raise FormatError(f"{path}: the parameters of the n-gram model are damaged ({error})") from error
        index = index_from_arrays(stored.arrays, config, len(vocabulary), path)
        loaded._set(index, vocabulary, stored.provenance)
        return loaded


def _state(ranges: NDArray[np.int64]) -> ContextState:
    """The state after n-grams: their ranges, as contexts of the next word."""
    return ContextState(ranges[: LONGEST - 1].copy())
