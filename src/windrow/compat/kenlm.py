"""kenlm's names over windrow's n-gram models: ``from windrow.compat import kenlm``, and the script goes on as it is.

Scores are kenlm's to 1e-5. What differs is in docs/coming_from_kenlm.md.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from functools import total_ordering
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.errors import DataError, DataWarning, OptionError, WindrowError
from windrow.lm.ngram.model import NGramLM
from windrow.lm.ngram.states import NGramState
from windrow.lm.ngram.table import NGramTable
from windrow.lm.symbols import BOS, EOS, UNK
from windrow.models import load

__all__ = ["ARPALoadComplain", "Config", "FullScoreReturn", "LanguageModel", "LoadMethod", "Model", "State"]

_LOG10_OF_ZERO, _MISSING_UNKNOWN = -99.0, -100.0  # what kenlm answers
_NOTHING = NGramState()  # known of the words before, whatever the model
_TO_SPACES = dict.fromkeys(map(ord, "\t\n\v\f\r"), " ")


class ReadError(DataError, OSError):
    """A file that cannot be read as an n-gram model; kenlm raises OSError."""


class WrongTypeError(OptionError, TypeError):
    """What is neither str nor bytes, or no State; kenlm raises TypeError."""


class LoadMethod:
    """How kenlm reads its files. windrow maps its own into memory, and reads ARPA files, whatever is chosen."""

    LAZY = 0
    POPULATE_OR_LAZY = 1
    POPULATE_OR_READ = 2
    READ = 3
    PARALLEL_READ = 4


class ARPALoadComplain:
    """Which flaws of ARPA files are reported: ``NONE``, or (``ALL``, ``EXPENSIVE``) all, as a DataWarning."""

    ALL = 0
    EXPENSIVE = 1
    NONE = 2


class Config:
    """How to load a model.

    Attributes
    ----------
    load_method : int
        A ``LoadMethod``; without effect.
    arpa_complain : int
        An ``ARPALoadComplain``.
    show_progress : bool
        Without effect: no progress is shown.
    """

    __slots__ = ("arpa_complain", "load_method", "show_progress")

    def __init__(self) -> None:
        self.load_method = LoadMethod.POPULATE_OR_READ
        self.arpa_complain = ARPALoadComplain.ALL
        self.show_progress = True


class FullScoreReturn:
    """The score of a word.

    Parameters
    ----------
    log_prob : float
        log10 of its probability.
    ngram_length : int
        The length of the longest n-gram that matched.
    oov : bool
        Whether the word is unknown.
    """

    __slots__ = ("log_prob", "ngram_length", "oov")

    def __init__(self, log_prob: float, ngram_length: int, oov: bool) -> None:
        self.log_prob = float(log_prob)
        self.ngram_length = int(ngram_length)
        self.oov = bool(oov)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.log_prob}, {self.ngram_length}, {self.oov})"


@total_ordering
class State:
    """What a model remembers of the words so far; ``Model`` writes it. A new one remembers nothing.

    States are equal if they will score whatever follows alike, as kenlm's are. Their order means nothing.

    Parameters
    ----------
    _ignored : object
        Anything, as kenlm takes it; without effect.

    Examples
    --------
    >>> import copy
    >>> from windrow.compat import kenlm
    >>> state = kenlm.State()
    >>> state == copy.copy(state)
    True
    """

    __slots__ = ("_known",)

    def __init__(self, *_ignored: object) -> None:
        self._known = _NOTHING  # an NGramState of the model; states are replaced, not written

    def _key(self) -> bytes:
        return self._known if any(self._known) else _NOTHING

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, State) else NotImplemented

    def __lt__(self, other: object) -> bool:
        return self._key() < other._key() if isinstance(other, State) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __copy__(self) -> State:
        twin = type(self)()
        twin._known = self._known
        return twin


class Model:
    """An n-gram model with kenlm's methods.

    Parameters
    ----------
    path : str, bytes or path
        An ARPA file, compressed or not, or an n-gram model of windrow's (``.safetensors``). A binary of KenLM is
        refused: give the ARPA file that it was built from.
    config : Config, default None
        Only ``arpa_complain`` has an effect.

    Attributes
    ----------
    path : bytes
        The absolute path of the file.

    Raises
    ------
    ReadError
        The file is missing or cannot be read, or is no n-gram model. It is also an OSError.
    WrongTypeError
        Something is neither str nor bytes. It is also a TypeError.

    Examples
    --------
    >>> from windrow import NGramLM
    >>> from windrow.compat import kenlm
    >>> NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off"]).save("small.arpa")
    >>> model = kenlm.Model("small.arpa")
    >>> round(model.score("the cat sat"), 3)
    -1.004
    >>> [(length, oov) for score, length, oov in model.full_scores("the zebra")]
    [(2, False), (1, True), (1, False)]
    >>> state, next_state = kenlm.State(), kenlm.State()
    >>> model.BeginSentenceWrite(state)
    >>> round(model.BaseScore(state, "the", next_state), 3)
    -0.137
    """

    def __init__(self, path: str | bytes | os.PathLike[str], config: Config | None = None) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            raise WrongTypeError(f"path must be str or bytes, not {type(path).__name__}")
        if not isinstance(config, Config | None):
            raise WrongTypeError(f"config must be a Config, not {type(config).__name__}")
        name = os.fsdecode(path)
        complains = config is None or config.arpa_complain != ARPALoadComplain.NONE
        self.path = os.fsencode(os.path.abspath(name))  # noqa: PTH100  # as kenlm, links stay
        self._table = _table_of(name, complains)
        self._blank, self._begun = self._table.blank, self._table.begun
        self._stepping = self._table.stepping
        self._id_of = self._table.vocabulary.ids.get

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path,)

    def __repr__(self) -> str:
        return f"<Model from {os.path.basename(self.path)!r}>"  # noqa: PTH119

    @property
    def order(self) -> int:
        """The length of the longest n-grams."""
        return self._table.order

    def __contains__(self, word: str | bytes) -> bool:
        return self._id_of(_until_zero(_text_of(word)), UNK) != UNK

    # --- sentences

    def score(self, sentence: str | bytes, bos: bool = True, eos: bool = True) -> float:
        """log10 of the probability of a sentence.

        Parameters
        ----------
        sentence : str or bytes
            Words with white space (of ASCII) between them, without ``<s>``.
        bos, eos : bool, default True
            Whether the sentence begins and ends there.

        Returns
        -------
        float
        """
        if bos and eos:  # only then kenlm takes the sentence as a string of C
            sentence = _until_zero(_text_of(sentence))
        return self._scored(self._ids_of(sentence), bos, eos)[2]

    def perplexity(self, sentence: str | bytes) -> float:
        """The perplexity of a sentence, of which ``</s>`` is a word.

        Parameters
        ----------
        sentence : str or bytes
            As of ``score``.

        Returns
        -------
        float
        """
        words = len(_words_of(sentence)) + 1
        return float(10.0 ** (-self.score(sentence) / words))

    def full_scores(
        self, sentence: str | bytes, bos: bool = True, eos: bool = True
    ) -> Iterator[tuple[float, int, bool]]:
        """The score of each word, and of ``</s>``.

        Parameters
        ----------
        sentence, bos, eos
            As of ``score``.

        Yields
        ------
        (log_prob, ngram_length, oov)
            As of ``FullScoreReturn``.
        """
        ids = self._ids_of(sentence)
        scores, lengths, _ = self._scored(ids, bos, eos)
        ids = [*ids, EOS][: len(scores)]
        for word_id, score, length in zip(ids, scores.tolist(), lengths.tolist(), strict=True):
            yield score, length, word_id == UNK

    def _ids_of(self, sentence: str | bytes) -> list[int]:
        words, id_of = _words_of(sentence), self._id_of
        return [id_of(word, UNK) or id_of(_until_zero(word), UNK) for word in words]

    def _scored(self, ids: list[int], bos: bool, eos: bool) -> tuple[NDArray[np.float64], NDArray[np.int64], float]:
        """The scores of words, and of ``</s>``, the lengths of n-grams that matched, and the sum of the scores."""
        state = State()
        if bos:
            self.BeginSentenceWrite(state)
        ids = [*ids, EOS] if eos else ids
        if BOS in ids:  # a word like any other, to kenlm
            full = [self._full_score(state, word_id, state) for word_id in ids]
            scores = np.array([one.log_prob for one in full])
            return scores, np.array([one.ngram_length for one in full]), float(scores.sum())
        return self._table.score_after(state._known or self._blank, np.array(ids, np.int64))

    # --- from word to word

    def BeginSentenceWrite(self, state: State, /) -> None:  # noqa: N802
        """Write the state at the beginning of a sentence to ``state``."""
        _check_states(state)
        state._known = self._begun

    def NullContextWrite(self, state: State, /) -> None:  # noqa: N802
        """Write the state in which nothing is known to ``state``."""
        _check_states(state)
        state._known = _NOTHING

    def BaseScore(self, in_state: State, word: str, out_state: State) -> float:  # noqa: N802
        """log10 of the probability of a word.

        Parameters
        ----------
        in_state : State
            What is remembered of the words before.
        word : str or bytes
            The word.
        out_state : State
            Where to write what is remembered after the word; it may be ``in_state``.

        Returns
        -------
        float
        """
        word_id = self._id_of(word, UNK)
        if word_id <= BOS:
            _check_states(in_state, out_state)
            word_id = self._id_of(_until_zero(_text_of(word)), UNK)
            if word_id == BOS:
                return self._full_score(in_state, word_id, out_state).log_prob
        step, address, size, _ = self._stepping
        known = NGramState(size)  # filled by the kernel, before anybody else sees it
        try:
            score = step(address, in_state._known or self._blank, word_id, known)
            if score == score:  # noqa: PLR0124  # not NaN, which is reported below
                out_state._known = known
                return score
        except (AttributeError, BufferError, TypeError):
            pass
        _check_states(in_state, out_state)
        raise OptionError("the state is not of this model; begin with BeginSentenceWrite or NullContextWrite")

    def BaseFullScore(self, in_state: State, word: str, out_state: State) -> FullScoreReturn:  # noqa: N802
        """As ``BaseScore``, with the length of the n-gram that matched, and whether the word is unknown.

        Parameters
        ----------
        in_state, word, out_state
            As of ``BaseScore``.

        Returns
        -------
        FullScoreReturn
        """
        _check_states(in_state, out_state)
        return self._full_score(in_state, self._id_of(_until_zero(_text_of(word)), UNK), out_state)

    def _full_score(self, in_state: State, word_id: int, out_state: State) -> FullScoreReturn:
        known = in_state._known or self._blank
        if word_id == BOS:  # which windrow never predicts: log10 p is 0, and what backing off to it costs
            backoffs = float(self._table.context_weights(known)[0])
            self.BeginSentenceWrite(out_state)
            return FullScoreReturn(backoffs, 1, False)
        score, order, out_state._known = self._table.full_score_next(known, word_id)
        return FullScoreReturn(score, order, word_id == UNK)


class LanguageModel(Model):
    """The old name of ``Model``.

    Parameters
    ----------
    path, config
        As of ``Model``.
    """


def _table_of(name: str, complains: bool) -> NGramTable:
    """The table of a file, with kenlm's numbers for probability 0."""
    try:
        with warnings.catch_warnings():
            if not complains:
                warnings.simplefilter("ignore", DataWarning)
            model = load(name, expected=NGramLM)
    except WindrowError as error:
        raise ReadError(str(error)) from error
    return model.table_.with_zeros(_LOG10_OF_ZERO, _MISSING_UNKNOWN)


def _text_of(text: str | bytes) -> str:
    if isinstance(text, bytes):
        return text.decode("utf-8", "surrogateescape")
    if not isinstance(text, str):
        raise WrongTypeError(f"text must be str or bytes, not {type(text).__name__}")
    return text


def _words_of(sentence: str | bytes) -> list[str]:
    """The words between white space of ASCII; others are letters to kenlm, as they are in files of lmplz."""
    return [word for word in _text_of(sentence).translate(_TO_SPACES).split(" ") if word]


def _until_zero(text: str) -> str:
    """A text as a string of C has it, which ends at a zero byte: a sentence to ``score``, elsewhere a word."""
    return text.partition("\0")[0]


def _check_states(*states: object) -> None:
    for state in states:
        if not isinstance(state, State):
            raise WrongTypeError(f"a State is needed, not {type(state).__name__}")
