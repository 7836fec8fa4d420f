"""CacheLM: words used recently are likely to be used again."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Vocabulary
from windrow.errors import FormatError, OptionError
from windrow.estimator import check_effects, check_settings
from windrow.files.model_file import StoredModel
from windrow.lm import kernels
from windrow.lm.base import LanguageModel
from windrow.lm.next_word import as_id, as_ids, check_state
from windrow.lm.settings import CACHE_LM
from windrow.lm.storing import pack_vocabulary, unpack_vocabulary
from windrow.lm.stream import Ids
from windrow.lm.symbols import BOS, EOS, SPECIALS
from windrow.notebook import html_table, sizes_told

_SYMBOLS_AT_ONCE = 1 << 16

CacheState = tuple[int, ...]  # the symbols remembered, the latest last


class CacheLM(LanguageModel):
    """A model of the latest symbols, meant as a part of a mixture: it needs no training.

    With ``order`` 1 it counts words: p(w) = (times that w is among them + ``pseudo_count`` / words) / (their number +
    ``pseudo_count``), so that nothing has probability zero, and all are alike where nothing is remembered. With a
    higher ``order`` it also counts what followed the last words when they stood there before; in place of equal shares
    of ``pseudo_count`` each word then has its share by the order below. With ``decay`` what is d words ago counts
    exp(-``decay`` d) times. ``</s>`` and ``<unk>`` are symbols like words. Without ``across_documents`` an empty
    sentence, such as a blank line, ends a document: all before its ``</s>`` is forgotten.

    Parameters
    ----------
    x : int

    Attributes
    ----------
    carries_over : bool
        ``across_sentences``, as every language model calls it.

    References
    ----------
    Kuhn & De Mori 1990, "A cache-based natural language model for speech recognition"; Jelinek, Merialdo, Roukos &
    Strauss 1991, "A dynamic language model for speech recognition" (bigrams and trigrams); Clarkson & Robinson 1997,
    "Language model adaptation using mixtures and an exponentially decaying cache"; MacKay & Peto 1995, "A hierarchical
    Dirichlet language model" (one order from the other).

    Examples
    --------
    >>> from windrow import NGramLM
    >>> from windrow.lm.cache import CacheLM
    >>> cache = CacheLM(NGramLM(1, "witten-bell").fit(["a b", "b c"]).vocabulary, size=100)
    >>> cache.top_words("a b b", 1)[0][0]
    'b'
    """

    kind = "cache-lm"
    settings = CACHE_LM

    def __init__(
        self,
        vocabulary: Vocabulary,
        size: int = 500,
        *,
        across_sentences: bool = True,
        pseudo_count: float = 1.0,
        predicts_end: bool = True,
        order: int = 1,
        decay: float = 0.0,
        across_documents: bool = True,
    ) -> None:
        check_settings(self.settings, locals())
        check_effects(self.settings, locals())
        if tuple(vocabulary.words[: len(SPECIALS)]) != SPECIALS:
            raise OptionError(f"the vocabulary of a language model begins with {', '.join(SPECIALS)}; take another's")
        self.vocabulary = vocabulary
        self.size = int(size)
        self.pseudo_count = float(pseudo_count)
        self.carries_over = bool(across_sentences)
        self.predicts_end = bool(predicts_end)
        self.order = int(order)
        self.decay = float(decay)
        self.across_documents = bool(across_documents)

    def __repr__(self) -> str:
        words = sizes_told(self.vocabulary.sizes())
        return f"CacheLM({words}, size={self.size}, across_sentences={self.carries_over})"

    def _repr_html_(self) -> str:
        facts = {**self.vocabulary.sizes(), "size": self.size, "across_sentences": self.carries_over}
        return html_table("CacheLM", facts.items())

    @property
    def _uniform(self) -> float:
        """The probability of each symbol before anything is seen."""
        return 1 / (len(self.vocabulary) - (1 if self.predicts_end else 2))

    def score_stream(self, stream: Ids) -> NDArray[np.float64]:
        """As ``LanguageModel.score_stream``: each symbol is scored given the last ``size`` symbols before it."""
        return next(self.score_blocks([stream]))

    def score_blocks(self, blocks: Iterable[Ids]) -> Iterator[NDArray[np.float64]]:
        """As ``LanguageModel.score_blocks``; with ``across_sentences``, memory carries over from block to block."""
        remembered = nothing = np.zeros(0, np.int32)
        part = max(self.size, _SYMBOLS_AT_ONCE)  # so that a long sentence takes little memory
        for block in blocks:
            scores = np.empty(len(block))
            for first in range(0, len(block), part):
                text = np.concatenate([remembered, block[first : first + part]])
                scores[first : first + part] = self._scores(text)[len(remembered) :]
                remembered = self._remembered(text)
            yield scores
            remembered = remembered if self.carries_over else nothing

    def _remembered(self, text: Ids) -> Ids:
        """The symbols that the next one is scored by."""
        marks = np.flatnonzero(text == BOS)
        if marks.size and not self.carries_over:
            text = text[marks[-1] :]
        words: Ids = text[text != BOS]
        return words[-self.size :]

    def _scores(self, text: Ids) -> NDArray[np.float64]:
        is_word = text != BOS
        words = text[is_word].astype(np.int64)
        places = np.arange(len(words))
        oldest = np.maximum(places - self.size, 0 if self.carries_over else _sentence_starts(is_word))
        if not self.across_documents:
            oldest = np.maximum(oldest, _document_starts(words))
        probs = np.full(len(words), self._uniform)
        contexts, contexts_number = np.zeros(len(words), np.int64), 1  # of the k - 1 words before each, as numbers
        for k in range(1, self.order + 1):
            grams, grams_number = _numbered(contexts, words)
            whole = oldest + k - 1  # the first place at which a k-gram ends that is remembered as a whole
            seen = self._seen(grams, grams_number, whole)
            of_context = self._seen(contexts, contexts_number, whole)
            mixed = (seen + self.pseudo_count * probs) / (of_context + self.pseudo_count)
            probs = np.where(places >= whole, mixed, probs)
            # The n-gram that ends at the place before is the context of one more word.
            contexts, contexts_number = np.concatenate([[grams_number], grams[:-1]])[: len(words)], grams_number + 1
        scores = np.zeros(len(text))
        scores[is_word] = np.log10(probs)
        return scores

    def _seen(self, numbers: NDArray[np.int64], size: int, oldest: NDArray[np.int64]) -> NDArray[np.float64]:
        """How often each number, below ``size``, stands between an oldest place and its own, later ones for more."""
        seen = np.empty(len(numbers))
        kernels.decayed_counts(numbers, oldest, self.decay, np.zeros(size), np.zeros(size, np.int64), seen)
        return seen

    def start(self, ids: Sequence[int] | Ids = (BOS,)) -> CacheState:
        """As ``LanguageModel.start``; the state is those of the ids that are remembered."""
        state: CacheState = ()
        for word_id in as_ids(self.vocabulary, ids):
            state = self.advance(state, word_id)
        return state

    def advance(self, state: CacheState, word_id: str | int) -> CacheState:
        """As ``LanguageModel.advance``."""
        check_state(type(state) is tuple)
        word_id = as_id(self.vocabulary, word_id)
        if word_id == BOS:
            return state if self.carries_over else ()
        if not self.across_documents and word_id == EOS and state[-1:] == (EOS,):
            return (EOS,)
        return (*state[-self.size + 1 :], word_id) if self.size > 1 else (word_id,)

    def distribution(self, state: CacheState) -> NDArray[np.float64]:
        """As ``LanguageModel.distribution``."""
        check_state(type(state) is tuple)
        words = np.array(state, np.int64)
        probs: NDArray[np.float64] = np.full(len(self.vocabulary), self._uniform)
        probs[[BOS] if self.predicts_end else [BOS, EOS]] = 0
        weights = np.exp(-self.decay * np.arange(len(words), 0, -1))
        places = np.arange(len(words))  # where the context stands, followed by another word
        for k in range(1, min(self.order, len(words) + 1) + 1):
            if k > 1:
                places = places[places >= k - 1]
                places = places[words[places - (k - 1)] == words[len(words) - (k - 1)]]
            counts = np.bincount(words[places], weights[places], len(probs))
            probs = (counts + self.pseudo_count * probs) / (weights[places].sum() + self.pseudo_count)
        return probs

    def to_stored(self) -> StoredModel:
        """As ``LanguageModel.to_stored``."""
        config = {
            "size": self.size,
            "across_sentences": self.carries_over,
            "pseudo_count": self.pseudo_count,
            "predicts_end": self.predicts_end,
            "order": self.order,
            "decay": self.decay,
            "across_documents": self.across_documents,
        }
        return StoredModel(self.kind, config, dict(self.provenance_), pack_vocabulary(self.vocabulary))

    @classmethod
    def from_stored(cls, stored: StoredModel, path: str | os.PathLike[str]) -> Self:
        """As ``LanguageModel.from_stored``."""
        cls.check_kind(stored, path)
        vocabulary = unpack_vocabulary(stored, path)
        config: dict[str, Any] = stored.config
        try:
            loaded = cls(
                vocabulary,
                config["size"],
                across_sentences=bool(config["across_sentences"]),
                pseudo_count=config["pseudo_count"],
                predicts_end=bool(config["predicts_end"]),
                order=config.get("order", 1),  # which files had not always
                decay=config.get("decay", 0.0),
                across_documents=bool(config.get("across_documents", True)),
            )
        except (KeyError, OptionError) as error:
            raise FormatError(f"{path}: the parameters of the cache model are damaged ({error})") from error
        loaded.provenance_ = stored.provenance
        return loaded


def _sentence_starts(is_word: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each word, the place of the first word of its sentence among all words."""
    words_before = np.cumsum(is_word)
    starts: NDArray[np.int64] = np.maximum.accumulate(np.where(is_word, 0, words_before))[is_word]
    return starts


def _document_starts(words: NDArray[np.integer]) -> NDArray[np.int64]:
    """For each word, the place of the last ``</s>`` of an empty sentence before it, or 0."""
    is_empty = (words[1:-1] == EOS) & (words[:-2] == EOS)  # of the sentence that ends a word before
    starts = np.zeros(len(words), np.int64)
    starts[2:] = np.where(is_empty, np.arange(1, len(words) - 1), 0)
    return np.maximum.accumulate(starts)


def _numbered(contexts: NDArray[np.int64], words: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """The n-grams of a context and a word as numbers from 0 on, and how many different ones there are."""
    keys = contexts * (int(words.max(initial=0)) + 1) + words
    different, numbers = np.unique(keys, return_inverse=True)
    return numbers.astype(np.int64), len(different)
