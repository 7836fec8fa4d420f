"""What generation needs of a model: a state after the words so far, and a distribution over the next word.

States compare and hash by what they hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from numbers import Integral
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import TextReader, Vocabulary
from windrow.corpus.tokenizers import as_tokens
from windrow.errors import DataError, OptionError
from windrow.lm.stream import Ids
from windrow.lm.symbols import UNK

State = Any  # what a model remembers of the words so far; each has its own type, and never changes a state
S = TypeVar("S")
Tokens = str | Sequence[str]  # a string is cut into words as the training text was


def plain_state(state: Any) -> Any:
    """The contents of a state as something that can be compared and hashed: arrays by their bytes."""
    if isinstance(state, np.ndarray):
        return state.dtype.str, state.shape, state.tobytes()
    return tuple(map(plain_state, state)) if isinstance(state, tuple | list) else state


def compared_by_content(cls: type[S]) -> type[S]:
    """Let the states of a NamedTuple that holds arrays compare and hash by what they hold."""

    def is_same(state: Any, other: object) -> bool:
        return type(other) is type(state) and bool(plain_state(state) == plain_state(other))

    methods: dict[str, Callable[..., object]] = {
        "__eq__": is_same,
        "__ne__": lambda state, other: not is_same(state, other),  # a tuple has its own
        "__hash__": lambda state: hash((type(state).__name__, plain_state(state))),
    }
    for name, method in methods.items():
        setattr(cls, name, method)
    return cls


def check_state(fits: bool) -> None:
    """Raise OptionError for a state that does not fit a model."""
    if not fits:
        raise OptionError("the state is not of this model; begin with start")


def as_id(vocabulary: Vocabulary, word: str | int) -> int:
    """The id of a symbol, given as a word or an id; OptionError for anything else."""
    if isinstance(word, str):
        if word not in vocabulary and len(word.split()) != 1:
            raise OptionError(f"{word!r} is not one word; go on word by word, or start(model.encode({word!r}))")
        return vocabulary.id_of(word) if word in vocabulary else UNK
    if isinstance(word, bool) or not isinstance(word, Integral):
        raise OptionError(f"a word or its id is needed, not {str(word)[:40]} ({type(word).__name__})")
    if not 0 <= word < len(vocabulary):
        raise OptionError(f"ids must be from 0 to {len(vocabulary) - 1}, not {word}")
    return int(word)


def as_ids(vocabulary: Vocabulary, ids: Iterable[int]) -> list[int]:
    """Ids to start from; OptionError for words, before which it is not said whether a sentence begins."""
    if isinstance(ids, str) or not isinstance(ids, Iterable):
        raise OptionError(
            f"start takes ids, such as those of model.encode({str(ids)[:40]!r}), not {type(ids).__name__}"
        )
    found = list(ids)
    for one in found:
        if isinstance(one, str):
            raise OptionError(f"start takes ids, not words; those of model.encode([{one!r}, ...]) begin a sentence")
    return [as_id(vocabulary, one) for one in found]


def given_words(tokens: Sequence[str], vocabulary: Vocabulary) -> list[str]:
    """The words of a list, see ``as_tokens``; DataError for numbers that are no words of the model, but perhaps ids."""
    words = as_tokens(tokens, "the sentence")
    if words and not any(word in vocabulary for word in words) and not any(isinstance(token, str) for token in tokens):
        raise DataError(
            f"the sentence holds numbers, which are read as words such as {words[0]!r}, of which the model knows none; "
            "give words (those of ids: model.vocabulary.decode(ids))"
        )
    return words


class NextWord(Protocol):
    """The part of a language model that generation uses."""

    vocabulary: Vocabulary
    predicts_end: bool

    @property
    def reader(self) -> TextReader:
        """How strings become words."""

    def encode(self, tokens: Tokens, *, bos: bool = True, eos: bool = False) -> Ids:
        """The ids of a sentence, or the beginning of one."""

    def start(self, ids: Sequence[int] | Ids = ...) -> State:
        """The state after these ids."""

    def advance(self, state: State, word_id: int) -> State:
        """The state after one more symbol."""

    def distribution(self, state: State) -> NDArray[np.float64]:
        """The probability of each symbol to come next, (words,)."""
