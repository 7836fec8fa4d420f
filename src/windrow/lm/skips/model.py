"""SkipNGramLM: n-grams of words that need not stand side by side."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from windrow.bars import OnProgress, check_progress, stages_bar
from windrow.corpus import Vocabulary
from windrow.corpus.opening import as_corpus
from windrow.errors import FormatError, NotFittedError, OptionError, shown
from windrow.estimator import Estimator
from windrow.files.model_file import StoredModel
from windrow.lm import storing
from windrow.lm.base import LanguageModel
from windrow.lm.next_word import as_id, as_ids, check_state
from windrow.lm.ngram.model import NGramLM
from windrow.lm.skips.counting import count_windows
from windrow.lm.skips.settings import SKIP_NGRAM_LM
from windrow.lm.skips.windows import window_blocks
from windrow.lm.stream import Ids, lm_vocabulary, training_stream
from windrow.lm.symbols import BOS

SkipState = tuple[int, ...]  # the last words, as far back as the farthest place


class SkipNGramLM(Estimator, LanguageModel):
    """A skip n-gram model: p(word | the words at chosen places before it), whatever stands between them.

    It knows what an n-gram model does not: "the ... sat" is seen although a new word stands between. Alone it is
    worse, for the word just before tells most; mixed with one (``MixtureLM``) it makes it better. Smoothing leaves out
    the farthest word first, as in an n-gram model, which this is where the places are 1, 2, ... without a gap.

    Parameters
    ----------
    places : sequence of int in [1, 99], default (2, 3)
        Which words before the predicted one are its context: 1 is the word before it, 2 the one before that; in any
        order. 2,3 skips one word; 1,3 one between two; 1,2 none, which is an n-gram model of order 3.
    smoothing : {"modified-kneser-ney", "kneser-ney", "witten-bell", "absolute"}, default "modified-kneser-ney"
        How probability is reserved for n-grams that were not seen. witten-bell works on any text, however small.
    discount_fallback : bool, default False
        Take the discounts 0.5, 1, 1.5 where a text is too small to estimate them. Only with smoothing
        "modified-kneser-ney" or "kneser-ney" or "absolute". Small or artificial text is refused otherwise.
    min_count : int >= 1, default 1
        Words that occur less often become <unk>.
    max_vocab : int >= 4 or None, default None
        Keep only this many words, <unk>, <s> and </s> among them; the others become <unk>. None: all.
    skip_symbols : bool, default False
        Leave out <s> and </s> where they occur in the text. They are refused otherwise.

    Attributes
    ----------
    places_ : tuple of int
        The places of the trained model, ascending.
    ngrams_ : NGramLM
        Its n-grams, whose words are those at the places and the word that is predicted.
    vocabulary : Vocabulary
        The words, with <unk>, <s> and </s> in front.
    provenance_ : dict
        What is known of the training text.

    References
    ----------
    Huang et al. 1993, "The SPHINX-II speech recognition system: an overview"; Goodman 2001, "A bit of progress in
    language modeling", section 4; Guthrie et al. 2006, "A closer look at skip-gram modelling".

    Examples
    --------
    >>> from windrow import SkipNGramLM
    >>> text = ["the cat sat", "the dog sat", "a dog ran"]
    >>> model = SkipNGramLM([2], smoothing="witten-bell").fit(text)
    >>> model.top_words("the zebra", 1)[0][0]
    'sat'
    """

    kind = "skip-ngram-lm"
    settings = SKIP_NGRAM_LM
    places_: tuple[int, ...]
    ngrams_: NGramLM

    def __init__(
        self,
        places: Sequence[int] = (2, 3),
        smoothing: str = "modified-kneser-ney",
        *,
        discount_fallback: bool = False,
        min_count: int = 1,
        max_vocab: int | None = None,
        skip_symbols: bool = False,
    ) -> None:
        self.places = places
        self.smoothing = smoothing
        self.discount_fallback = discount_fallback
        self.min_count = min_count
        self.max_vocab = max_vocab
        self.skip_symbols = skip_symbols

    def check_parameters(self) -> None:
        """As ``Estimator.check_parameters``; also that there are places, and none twice."""
        super().check_parameters()
        if not len(self.places):
            raise OptionError("places is empty; give one at least, such as 2 for the word before the last")
        if len({*self.places}) < len(self.places):
            raise OptionError(f"places = {shown(tuple(self.places))} has one twice; give each once")

    # --- training

    def fit(self, source: Any, *, field: str | None = None, progress: OnProgress | bool | None = None) -> Self:
        """Count the words of a text with those at the places before them, and estimate the model.

        When this fails, a model that was trained before stays as it was.

        Parameters
        ----------
        source : Corpus, or what Corpus.build takes
            The training text. Counting takes about 36 bytes of memory per word and place, two places more.
        field : str, default None
            The column or field of the text, where ``source`` is a table or names a file of records.
        progress : bool or callable, default None
            True: show a bar, in a notebook or on stderr. A function is called with the name of a stage,
            and how much of it is done, 0 to 1.

        Returns
        -------
        SkipNGramLM
            The model itself.

        Raises
        ------
        OptionError
            A parameter is out of range, or has no effect; or the text is too long for the memory.
        DataError
            The text cannot be read, its sentences are too short for the places, it is too small for the smoothing, or
            holds ``<s>`` or ``</s>``.

        Examples
        --------
        >>> from windrow import SkipNGramLM
        >>> model = SkipNGramLM([2, 3], "witten-bell").fit(["we saw the old cat", "they saw the young cat"])
        >>> model.prob("cat", "we saw the grey") > model.prob("old", "we saw the grey")
        True
        """
        self.check_parameters()
        self.check_effects()
        check_progress(progress)
        places = tuple(sorted(self.places))
        corpus = as_corpus(source, field, shows_bar=progress is True)
        vocabulary, mapping = lm_vocabulary(
            corpus, min_count=self.min_count, max_vocab=self.max_vocab, skip_symbols=self.skip_symbols
        )
        with ExitStack() as stack:
            counts = count_windows(
                training_stream(corpus, mapping), vocabulary, places, stack.enter_context(stages_bar(progress))
            )
            ngrams = NGramLM(len(places) + 1, self.smoothing, discount_fallback=self.discount_fallback)
            ngrams.fit_counts(counts)
        self.places_, self.ngrams_, self.provenance_ = places, ngrams, storing.provenance_of(corpus)
        self.reader = corpus.reader
        return self

    @property
    def vocabulary(self) -> Vocabulary:  # type: ignore[override]
        """The words of the model; NotFittedError before ``fit``."""
        return self._fitted().vocabulary

    def _fitted(self) -> NGramLM:
        try:
            return self.ngrams_
        except AttributeError:
            raise NotFittedError("the skip n-gram model is not trained yet; call fit first") from None

    def sizes(self) -> dict[str, object]:
        """``words``, and the n-grams of each length, with those that only are a context of others. Empty before."""
        return self.ngrams_.sizes() if hasattr(self, "ngrams_") else {}

    # --- probabilities

    def score_stream(self, stream: Ids) -> NDArray[np.float32]:
        """As ``LanguageModel.score_stream``."""
        table, ids = self._fitted().table_, np.ascontiguousarray(stream, np.int32)
        scores = np.empty(len(ids), np.float32)
        for part, windows in window_blocks(ids, self.places_):
            # Other scores are of words after the end of another window. What is scored has all its context.
            scores[part] = table.score(windows.reshape(-1))[windows.shape[1] - 1 :: windows.shape[1]]
        state: SkipState = ()
        for position, word_id in enumerate(ids[: self.places_[-1]].tolist()):
            if word_id == BOS:
                break
            scores[position], state = self.score_next(state, word_id)  # without knowing what stands before
        return scores

    def start(self, ids: Sequence[int] | Ids = (BOS,)) -> SkipState:
        """As ``LanguageModel.start``; the state is the last of the ids, of one sentence."""
        self._fitted()
        state: SkipState = ()
        for word_id in as_ids(self.vocabulary, ids):
            state = self._after(state, word_id)
        return state

    def advance(self, state: SkipState, word_id: str | int) -> SkipState:
        """As ``LanguageModel.advance``."""
        return self._after(self._checked(state), as_id(self.vocabulary, word_id))

    def score_next(self, state: SkipState, word: str | int) -> tuple[float, SkipState]:
        """As ``LanguageModel.score_next``, without a whole distribution."""
        ngrams, word_id = self._fitted(), as_id(self.vocabulary, word)
        score, _ = ngrams.score_next(ngrams.start(self._context(state)), word_id)
        return score, self._after(state, word_id)

    def distribution(self, state: SkipState) -> NDArray[np.float64]:
        """As ``LanguageModel.distribution``; the sum is 1 within 1e-5, as numbers are rounded."""
        ngrams = self._fitted()
        return ngrams.distribution(ngrams.start(self._context(state)))

    def _after(self, state: SkipState, word_id: int) -> SkipState:
        return (BOS,) if word_id == BOS else (*state, word_id)[-self.places_[-1] :]

    def _context(self, state: SkipState) -> list[int]:
        """The words at the places, the farthest first; those of which nothing is known left out."""
        known = len(self._checked(state))
        begins = state[:1] == (BOS,)
        return [state[-min(place, known)] for place in reversed(self.places_) if begins or place <= known]

    def _checked(self, state: SkipState) -> SkipState:
        check_state(type(state) is tuple and {*map(type, state)} <= {int})
        return state

    # --- files

    def to_stored(self) -> StoredModel:
        """As ``LanguageModel.to_stored``: what the n-gram model's own file holds, and the places."""
        ngrams = self._fitted().to_stored()
        given = {**self.get_params(), "places": [*self.places]}  # which may be a set
        parameters = {name: storing.plain(value) for name, value in given.items()}
        config = {"parameters": parameters, "places": [*self.places_], "table": ngrams.config["table"]}
        return StoredModel(self.kind, config, dict(self.provenance_), ngrams.arrays)

    @classmethod
    def from_stored(cls, stored: StoredModel, path: str | os.PathLike[str]) -> Self:
        """As ``LanguageModel.from_stored``."""
        cls.check_kind(stored, path)
        try:
            parameters, places = stored.config["parameters"], stored.config["places"]
            loaded = cls(**{name: storing.from_plain(value) for name, value in parameters.items()})
            loaded.check_parameters()
            cls(places).check_parameters()
            of_ngrams = {"order": len(places) + 1, "smoothing": loaded.smoothing}
            config = {"parameters": of_ngrams, "table": stored.config["table"]}
        except (KeyError, TypeError, ValueError) as error:  # an OptionError is a ValueError
            raise FormatError(f"{path}: the parameters of the skip n-gram model are damaged ({error})") from error
        ngrams = NGramLM.from_stored(StoredModel(NGramLM.kind, config, {}, stored.arrays), path)
        if len(places) != ngrams.table_.order - 1:
            raise FormatError(f"{path}: {len(places)} places do not fit n-grams of order {ngrams.table_.order}")
        loaded.places_, loaded.ngrams_, loaded.provenance_ = tuple(sorted(places)), ngrams, stored.provenance
        return loaded
