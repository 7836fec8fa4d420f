"""What a language model says of each line of a text, as arrays with one number per line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from windrow.evaluation.perplexity import perplexities_of
from windrow.lm.kernels import sum_lines
from windrow.lm.stream import Ids


class LineScores(NamedTuple):
    """The scores of several lines; of one line ``evaluate_sentence`` gives the same numbers.

    Attributes
    ----------
    log10_probs : array of float64, shape (lines,)
        log10 of the probability of each line, ``</s>`` included; minus infinity if a token has probability zero.
    tokens : array of int64, shape (lines,)
        Predicted tokens: ``</s>`` counts, ``<s>`` does not. An empty line has one.
    oov : array of int64, shape (lines,)
        How many of them are unknown words.

    Examples
    --------
    >>> from windrow import NGramLM
    >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off"])
    >>> scores = model.evaluate_lines(["the cat sat", "", "a dog barked"])
    >>> scores.tokens.tolist(), scores.oov.tolist()
    ([4, 1, 4], [0, 0, 3])
    >>> (scores.perplexities < 5).tolist()
    [True, False, False]
    """

    log10_probs: NDArray[np.float64]
    tokens: NDArray[np.int64]
    oov: NDArray[np.int64]

    @property
    def perplexities(self) -> NDArray[np.float64]:
        """The perplexity of each line, (lines,).

        10 ** (-log10_prob / tokens), unknown words included. It is infinite if a token has probability zero, and NaN
        if there is no token: an empty line, for a model that does not predict ``</s>``.
        """
        return perplexities_of(self.log10_probs, self.tokens)

    def joined(self, sizes: ArrayLike) -> LineScores:
        """The scores of documents, each of which is the next few of these lines.

        Parameters
        ----------
        sizes : array of int, shape (documents,)
            How many lines each document has; at least one.

        Returns
        -------
        LineScores
            With one entry per document: sums over its lines. Its perplexity is that of all its tokens, the ``</s>`` of
            each line among them.

        Examples
        --------
        >>> from windrow import NGramLM
        >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off"])
        >>> lines = model.evaluate_lines(["the cat sat", "the cat ran off", "the dog"])
        >>> lines.joined([2, 1]).tokens.tolist()
        [9, 3]
        """
        counts = np.asarray(sizes, np.int64)
        if counts.size == 0:
            return type(self).concatenated([])
        return type(self)(*(np.add.reduceat(values, np.cumsum(counts) - counts) for values in self))

    @classmethod
    def of(cls, stream: Ids, scores: NDArray[Any], ends: NDArray[np.int64]) -> Self:
        """The scores of lines from those of their symbols.

        Parameters
        ----------
        stream : array of int32, shape (symbols,)
            The lines one after another, each with ``<s>`` before it.
        scores : array, shape (symbols,)
            log10 of the probability of each symbol, 0 at ``<s>``.
        ends : array of int64, shape (lines,)
            Where each line ends in the stream.

        Returns
        -------
        LineScores
        """
        found = cls(np.empty(ends.size), np.diff(ends, prepend=0) - 1, np.empty(ends.size, np.int64))
        sum_lines(stream, scores, ends, found.log10_probs, found.oov)
        return found

    @classmethod
    def concatenated(cls, parts: Iterable[LineScores]) -> LineScores:
        """The scores of the lines of all parts, one part after the other."""
        none = cls(np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64))
        return cls(*map(np.concatenate, zip(none, *parts, strict=True)))
