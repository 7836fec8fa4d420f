"""Perplexity from the log-probabilities of words; no model is known here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from windrow.notebook import result_tables

_LARGEST_EXPONENT = 308  # of a power of ten in double precision


@dataclass(frozen=True)
class Perplexity:
    """How well a model predicts a text. Results of parts of a text can be added.

    Parameters
    ----------
    log10_prob_known, log10_prob_oov : float, default 0
        Sums of the log10 probabilities of known and of unknown words (OOV); minus infinity if a probability is zero.
    tokens : int, default 0
        Predicted tokens: ``</s>`` counts, ``<s>`` does not.
    oov : int, default 0
        How many of them are unknown words.

    Attributes
    ----------
    log10_prob : float
        log10 of the probability of the text.
    perplexity : float
        10 ** (-log10_prob / tokens); infinite if a token has probability zero, NaN if there are no tokens.
    perplexity_excluding_oov : float
        The perplexity over known words only.

    Examples
    --------
    >>> from windrow.evaluation import Perplexity
    >>> result = Perplexity(log10_prob_known=-6.0, tokens=4) + Perplexity(log10_prob_known=-2.0, tokens=4)
    >>> result.perplexity
    10.0
    """

    log10_prob_known: float = 0.0
    log10_prob_oov: float = 0.0
    tokens: int = 0
    oov: int = 0

    @classmethod
    def of(cls, log10_probs: NDArray[Any], is_oov: NDArray[np.bool_]) -> Self:
        """From the log10 probabilities of tokens, (tokens,), and which of them are unknown words."""
        known = float(log10_probs.sum(dtype=np.float64, where=~is_oov))
        oov = float(log10_probs.sum(dtype=np.float64, where=is_oov))
        return cls(known, oov, len(log10_probs), int(is_oov.sum()))

    def __add__(self, other: Perplexity) -> Perplexity:
        return Perplexity(
            self.log10_prob_known + other.log10_prob_known,
            self.log10_prob_oov + other.log10_prob_oov,
            self.tokens + other.tokens,
            self.oov + other.oov,
        )

    @property
    def log10_prob(self) -> float:
        """log10 of the probability of the text."""
        return self.log10_prob_known + self.log10_prob_oov

    @property
    def perplexity(self) -> float:
        """10^(-log10_prob / tokens); infinite when a token has probability zero, NaN when there is none."""
        return _perplexity(self.log10_prob, self.tokens)

    @property
    def perplexity_excluding_oov(self) -> float:
        """The perplexity over known words only; unknown words remain in the contexts of others."""
        return _perplexity(self.log10_prob_known, self.tokens - self.oov)

    def to_json(self) -> dict[str, float | int | None]:
        """The result as the command line prints it; None for numbers that are not finite, which JSON does not have."""
        return {name: number if math.isfinite(number) else None for name, number in self._numbers().items()}

    def _repr_html_(self) -> str:
        return result_tables(type(self).__name__, self._numbers())

    def _numbers(self) -> dict[str, float | int]:
        return {
            "perplexity": self.perplexity,
            "perplexity_excluding_oov": self.perplexity_excluding_oov,
            "log10_prob": self.log10_prob,
            "tokens": self.tokens,
            "oov": self.oov,
        }


def perplexities_of(log10_probs: NDArray[np.float64], tokens: NDArray[np.int64]) -> NDArray[np.float64]:
    """The perplexity of each of several texts, (texts,), as ``Perplexity.perplexity`` has it.

    Parameters
    ----------
    log10_probs : array of float64, shape (texts,)
        log10 of the probability of each text.
    tokens : array of int64, shape (texts,)
        How many tokens each has.

    Returns
    -------
    array of float64, shape (texts,)
        Infinite where a probability is zero, NaN where there are no tokens.

    Examples
    --------
    >>> import numpy as np
    >>> from windrow.evaluation.perplexity import perplexities_of
    >>> perplexities_of(np.array([-6.0, 0.0]), np.array([3, 0])).tolist()
    [100.0, nan]
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        exponents = np.where(tokens > 0, -log10_probs / tokens, np.nan)
        return np.where(exponents >= _LARGEST_EXPONENT, np.inf, 10.0**exponents)


def _perplexity(log10_prob: float, tokens: int) -> float:
    if not tokens:
        return math.nan
    exponent = -log10_prob / tokens
    return 10.0**exponent if exponent < _LARGEST_EXPONENT else math.inf
