"""Probabilities of words without a context: which words there are, and which of them get what is left over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from windrow.errors import DataError, OptionError, check_range, check_whole
from windrow.lm.ngram.kernels import estimate as kernels
from windrow.lm.ngram.kernels.estimate import Rule, Successors
from windrow.lm.ngram.levels import Floats, Int32s
from windrow.lm.symbols import BOS, EOS, UNK


@dataclass(frozen=True)
class Unigrams:
    """How the probability that a smoothing leaves over is shared among words.

    Parameters
    ----------
    open_vocabulary : bool, default True
        Give ``<unk>`` a probability although it is not in the text.
    unk_mass : float between 0 and 1, or None, default None
        The probability of ``<unk>``. None: what the smoothing gives it.
    interpolate_unigrams : bool, default True
        Every word gets an equal part of what is left over. False: only ``<unk>`` and words that do not occur.
    vocab_pad : int, at least 0, default 0
        Equal parts are made for this many words at least, as if the vocabulary had further words, which do not occur.
    """

    open_vocabulary: bool = True
    unk_mass: float | None = None
    interpolate_unigrams: bool = True
    vocab_pad: int = 0

    def check(self) -> None:
        """Raise OptionError for what is out of range or does not go together."""
        check_whole("vocab_pad", self.vocab_pad, 0)
        if self.unk_mass is not None:
            check_range("unk_mass", self.unk_mass, 0, 1, low_open=True, high_open=True)
            if not self.open_vocabulary:
                raise OptionError("unk_mass is the probability of unknown words, which a closed vocabulary excludes")
            if self.vocab_pad:
                raise OptionError("unk_mass and vocab_pad both set the probability of unknown words; give one of them")
        if not self.interpolate_unigrams and self.vocab_pad:
            raise OptionError("vocab_pad makes parts for every word, which needs interpolate_unigrams = True")
        if not self.open_vocabulary and (self.vocab_pad or not self.interpolate_unigrams):
            name = "vocab_pad" if self.vocab_pad else "interpolate_unigrams = False"
            raise OptionError(f"{name} is about unknown words, which a closed vocabulary excludes")

    def predicted(self, kept: NDArray[np.bool_], counts: Int32s) -> NDArray[np.bool_]:
        """The words that can come next, (words,); DataError where there is none.

        ``kept``: the words to keep; empty: all.
        """
        predicted = kept.copy() if kept.size else np.ones(counts.size, np.bool_)
        predicted[BOS] = False
        predicted[EOS] = counts[EOS] > 0
        predicted[UNK] = self.open_vocabulary or counts[UNK] > 0
        if not predicted.any():
            raise DataError("no word is kept that could be predicted; try a lower prune or open_vocabulary = True")
        return predicted

    def parts(self, predicted: NDArray[np.bool_]) -> int:
        """Into how many equal parts probability is divided."""
        return max(int(np.count_nonzero(predicted)), self.vocab_pad)

    def smooth(self, successors: Successors, rule: Rule, predicted: NDArray[np.bool_], probs: Floats) -> None:
        """Write the probabilities of words: interpolated with equal parts, also in back-off form.

        ``probs`` may be the memory of the counts.
        """
        parts, left = self.parts(predicted), np.empty(1, probs.dtype)
        unseen = predicted & (successors.counts == 0)
        unseen[UNK] = predicted[UNK]
        uniform = np.full(1, 1 / parts if self.interpolate_unigrams else 0, probs.dtype)
        kernels.interpolate(successors, 0, 1, rule, parts, uniform, probs, left)
        if not self.interpolate_unigrams:
            probs[unseen] += left[0] / np.count_nonzero(unseen)
        probs[~predicted] = 0
        if self.unk_mass is not None:
            self._set_unknown(predicted, probs)

    def _set_unknown(self, predicted: NDArray[np.bool_], probs: Floats) -> None:
        assert self.unk_mass is not None
        others = 1 - float(probs[UNK])
        if np.count_nonzero(predicted) == 1 or others <= 0:
            raise DataError("unk_mass leaves the rest to other words, but none is kept; try a lower prune")
        probs *= (1 - self.unk_mass) / others
        probs[UNK] = self.unk_mass
