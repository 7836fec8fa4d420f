"""What generation needs of a model: a state after the words so far, and a distribution over the next word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import TextReader, Vocabulary
from windrow.lm.stream import Ids

State = Any  # what a model remembers of the words so far; each has its own type, and never changes a state
Tokens = str | Sequence[str]  # a string is cut into words as the training text was


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
