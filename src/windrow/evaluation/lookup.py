"""Which word of a vocabulary a question means: its exact spelling, else one that differs in case."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from windrow.errors import OptionError

Evaluator = TypeVar("Evaluator", bound=Callable[..., Any])


def rows_of(wanted: Iterable[str], words: Sequence[str], case_sensitive: bool) -> dict[str, int]:
    """The row of each wanted word that is known: of its exact spelling, else of the most frequent other one.

    Folding alone would take "Maße" for "Masse" and "kır" for "kir", since "ß" has the upper case "SS", and "ı" has "I":
    upper case finds more, so it is tried last.

    >>> rows_of(["Maße", "MASSE", "MAßE", "x"], ["Masse", "Maße", "masse"], case_sensitive=False)
    {'Maße': 1, 'MASSE': 0, 'MAßE': 1}
    """
    wanted = dict.fromkeys(wanted)
    rows: dict[str, int] = {}
    for fold in (_as_it_is,) if case_sensitive else (_as_it_is, str.lower, str.upper):
        missing = [word for word in wanted if word not in rows]
        first = dict.fromkeys(map(fold, missing), -1)
        if missing:
            for row in range(len(words) - 1, -1, -1):  # backwards, so that the most frequent spelling is kept
                if (form := fold(words[row])) in first:
                    first[form] = row
        rows |= {word: first[fold(word)] for word in missing if first[fold(word)] >= 0}
    return {word: rows[word] for word in wanted if word in rows}


def check_table(words: Sequence[str], vectors: NDArray[np.float32]) -> None:
    """Raise OptionError unless there is one vector per word."""
    if np.ndim(vectors) != 2 or len(vectors) != len(words):
        raise OptionError(f"vectors of shape {np.shape(vectors)} for {len(words)} words; give one vector per word")


def units_of(vectors: NDArray[np.float32], rows: Sequence[int], words: Sequence[str]) -> NDArray[np.float64]:
    """The vectors of rows, each scaled to length 1, in double precision; zero vectors stay zero.

    OptionError names the word whose vector is not finite.
    """
    chosen = np.asarray(vectors[np.asarray(rows, np.int64)], np.float64)
    is_finite = np.isfinite(chosen).all(axis=1)
    if not is_finite.all():
        word = words[rows[int(np.argmin(is_finite))]]
        raise OptionError(f"the vector of {word!r} holds a number that is not finite")
    lengths = np.sqrt(np.einsum("ij,ij->i", chosen, chosen))[:, None]
    units: NDArray[np.float64] = np.divide(chosen, lengths, out=np.zeros_like(chosen), where=lengths > 0)
    return units


def form_of(word: str, case_sensitive: bool) -> str:
    """What the spellings of a word have in common."""
    return word if case_sensitive else word.lower()


def _as_it_is(word: str) -> str:
    return word


def takes_gensims_name(evaluator: Evaluator) -> Evaluator:
    """Let an evaluator take ``case_insensitive``, gensim's name for the opposite of ``case_sensitive``."""

    @wraps(evaluator)
    def accept(*args: Any, **options: Any) -> Any:
        if "case_insensitive" in options:
            options["case_sensitive"] = not options.pop("case_insensitive")
        return evaluator(*args, **options)

    return cast(Evaluator, accept)
