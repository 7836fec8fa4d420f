"""What every language model must hold, and small models for which it can be checked; a new model adds a row."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Vocabulary
from windrow.files.model_file import StoredModel, load
from windrow.lm.base import LanguageModel, model_from_stored
from windrow.lm.cache import CacheLM
from windrow.lm.mixture import MixtureLM
from windrow.lm.storing import pack_vocabulary, unpack_vocabulary
from windrow.lm.stream import Ids
from windrow.lm.symbols import BOS, EOS, SPECIALS

if TYPE_CHECKING:
    from windrow.lm.neural.window import WindowLM

WORDS = ("a", "b", "c", "d")


def toy_vocabulary(words: Sequence[str] = WORDS) -> Vocabulary:
    return Vocabulary([*SPECIALS, *words], np.zeros(len(SPECIALS) + len(words), np.int64), SPECIALS)


class ToyLM(LanguageModel):
    """A table of p(next | last): one row per symbol, and the last row where nothing is known."""

    kind = "toy-lm"

    def __init__(self, table: NDArray[np.float64], words: Sequence[str] = WORDS) -> None:
        self.table = table
        self.vocabulary = toy_vocabulary(words)

    @classmethod
    def random(cls, seed: int, words: Sequence[str] = WORDS) -> Self:
        size = len(SPECIALS) + len(words)
        table = np.random.default_rng(seed).gamma(0.7, size=(size + 1, size))
        table[:, BOS] = 0
        return cls(table / table.sum(axis=1, keepdims=True), words)

    def score_stream(self, stream: Ids) -> NDArray[np.float64]:
        last = np.concatenate([[-1], stream[:-1]])
        with np.errstate(divide="ignore"):
            return np.where(stream == BOS, 0, np.log10(self.table[last, stream]))

    def start(self, ids: Sequence[int] | Ids = (BOS,)) -> int:
        return int(ids[-1]) if len(ids) else -1

    def advance(self, state: int, word_id: int) -> int:
        return word_id

    def distribution(self, state: int) -> NDArray[np.float64]:
        return self.table[state].copy()

    def to_stored(self) -> StoredModel:
        return StoredModel(self.kind, {}, {}, {"table": self.table, **pack_vocabulary(self.vocabulary)})

    @classmethod
    def from_stored(cls, stored: StoredModel, path: str | os.PathLike[str]) -> Self:
        cls.check_kind(stored, path)
        return cls(np.array(stored.arrays["table"]), unpack_vocabulary(stored, path).words[len(SPECIALS) :])


def mixture(method: str) -> MixtureLM:
    """Of two models, the second of which has its words in another order."""
    return MixtureLM([ToyLM.random(1), ToyLM.random(2, "dabc")], [0.3, 0.7], method)


def with_cache() -> MixtureLM:
    return MixtureLM([ToyLM.random(1), CacheLM(toy_vocabulary(), 3)], [0.6, 0.4])


def of_vocabularies(method: str) -> MixtureLM:
    """Of two models each of which lacks a word of the other."""
    return MixtureLM([ToyLM.random(1, "abc"), ToyLM.random(2, "bda")], [0.3, 0.7], method)


NEURAL_TEXT = ["a b c d", "b a d", "", "c a b a"]


def window() -> WindowLM:
    from windrow.lm.neural.window import WindowLM

    return WindowLM(3, 4, 5, epochs=2).fit(NEURAL_TEXT)


def recurrent(cell: str, state: str) -> LanguageModel:
    from windrow.lm.neural.recurrent import RecurrentLM

    return RecurrentLM(cell, 5, 4, state=state, epochs=2, learning_rate=0.1, batch_size=2).fit(NEURAL_TEXT)


def ngrams() -> LanguageModel:
    from windrow.lm.ngram.model import NGramLM

    return NGramLM(3, "witten-bell").fit(["a b c", "b a d", "", "c a b a"])


def unbounded() -> LanguageModel:
    from windrow.lm.unbounded.model import UnboundedNGramLM

    return UnboundedNGramLM(discount_fallback=True).fit(["a b c", "b a d", "", "c a b a"])


def classes() -> LanguageModel:
    from windrow.lm.classes.model import ClassLM

    return ClassLM(2, 3, "witten-bell").fit(["a b c", "b a d", "", "c a b a"])


def skips() -> LanguageModel:
    from windrow.lm.skips.model import SkipNGramLM

    return SkipNGramLM((1, 3), "witten-bell").fit(["a b c", "b a d", "", "c a b a"])


MODELS: dict[str, Callable[[], LanguageModel]] = {
    "toy": lambda: ToyLM.random(0),
    "n-grams": ngrams,
    "n-grams of unbounded order": unbounded,
    "classes": classes,
    "skips": skips,
    "window": window,
    "window, 8 bits": lambda: window().quantized(),
    "recurrent": lambda: recurrent("gru", "reset"),
    "recurrent, carried over": lambda: recurrent("lstm", "carry"),
    "linear mixture": lambda: mixture("linear"),
    "log-linear mixture": lambda: mixture("log-linear"),
    "cache": lambda: CacheLM(toy_vocabulary(), 3),
    "cache of a sentence": lambda: CacheLM(toy_vocabulary(), 3, across_sentences=False, pseudo_count=0.25),
    "cache of trigrams": lambda: CacheLM(toy_vocabulary(), 5, order=3, decay=0.1),
    "cache of a document": lambda: CacheLM(toy_vocabulary(), 5, order=2, across_documents=False),
    "mixture with cache": with_cache,
    "mixture of vocabularies": lambda: of_vocabularies("linear"),
    "log-linear mixture of vocabularies": lambda: of_vocabularies("log-linear"),
    "mixture of mixtures": lambda: MixtureLM([with_cache(), mixture("log-linear")], [0.5, 0.5]),
}

# How far sums of probabilities may be from 1, where a model stores rounded numbers.
ROUNDING = {"n-grams": 1e-5, "classes": 1e-5, "skips": 1e-5}


def random_stream(seed: int, sentences: int, words: int = len(WORDS)) -> Ids:
    """Sentences of random words, ``<unk>`` among them, some of them empty."""
    rng = np.random.default_rng(seed)
    choices = np.array([0, *range(len(SPECIALS), len(SPECIALS) + words)])
    parts = [[BOS, *rng.choice(choices, rng.integers(0, 7)).tolist(), EOS] for _ in range(sentences)]
    return np.array([word_id for part in parts for word_id in part], np.int32)


def walked(model: LanguageModel, stream: Ids) -> NDArray[np.float64]:
    """Scores by the definition: step by step, from the distribution at each."""
    state, scores = model.start(()), np.zeros(len(stream))
    for position, word_id in enumerate(stream.tolist()):
        if word_id != BOS:
            scores[position] = np.log10(model.distribution(state)[word_id])
        state = model.advance(state, word_id)
    return scores


def reopened(model: LanguageModel, path: Path) -> LanguageModel:
    model.save(path)
    return model_from_stored(load(path), path)
