"""Models made from a trained one: of fewer n-grams, fewer words, less exact numbers, or sums that are mended."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np

from windrow.errors import OptionError, check_range, check_whole, warn
from windrow.estimator import Estimator
from windrow.files.model_file import file_size
from windrow.lm.ngram.filtering import filter_words
from windrow.lm.ngram.levels import BackoffModel
from windrow.lm.ngram.normalizing import normalized, sums_of_contexts
from windrow.lm.ngram.pruning import EntropyPruning, of_lower_order
from windrow.lm.ngram.table import NGramTable
from windrow.lm.ngram.table_lm import TableLM
from windrow.lm.ngram.words import mask_of

_OF_ORDERS = ("weights", "discounts", "prune")  # parameters with an entry for each order
_MOST_APART = 1e-3  # of a sum from 1, as numbers that a file has rounded may make it


class DerivedLM(Estimator, TableLM):
    """What makes other models of an n-gram model; each method leaves the model itself as it is.

    The new models keep no counts (``keep_counts``) and are not ``compact``.
    """

    quantize_bits: int | None

    @abstractmethod
    def _estimated_again(self, prune: Sequence[int]) -> Self:
        """The model that the kept counts give with this ``prune``; OptionError where there are none."""

    def pruned(
        self,
        entropy_prune: float | None = None,
        *,
        max_ngrams: int | None = None,
        max_bytes: int | None = None,
        prune: Sequence[int] = (),
        order: int | None = None,
    ) -> Self:
        """A model without the n-grams that matter least.

        Probabilities of n-grams that stay do not change; back-off weights are computed again, so that probabilities
        sum to 1 after every context. With several parameters, ``prune`` comes first, then ``order``.

        Parameters
        ----------
        entropy_prune : float >= 0, default None
            Leave out n-grams without which the perplexity grows by less than this fraction; 1e-8 to 1e-6 are usual.
        max_ngrams : int, default None
            Leave at most this many n-grams, the words among them, by the lowest ``entropy_prune`` that does so.
        max_bytes : int, default None
            Leave as many n-grams as a model file of this many bytes can hold, in the same way. An ARPA file is larger.
        prune : sequence of int >= 0, default ()
            Estimate the model again from its counts, without n-grams that occur at most this often, as the parameter
            of ``NGramLM`` has it. Only for a model that keeps its counts (``keep_counts``).
        order : int from 1 to the order of the model, default None
            Leave out all longer n-grams. Models of Kneser-Ney smoothing are better when they are trained with this
            order.

        Returns
        -------
        NGramLM
            A new model. Its ``entropy_prune`` is the threshold that was found.

        Raises
        ------
        OptionError
            A parameter is out of range, none is given, the words alone are more than a limit, ``prune`` is given and
            the model keeps no counts, or it is one of stupid back-off, which only ``prune`` and ``order`` make smaller.

        Warns
        -----
        DataWarning
            The probabilities of the model, of a file from elsewhere, do not sum to 1; they are made to.

        References
        ----------
        Stolcke 1998, "Entropy-based pruning of backoff language models".

        Examples
        --------
        >>> from windrow import NGramLM
        >>> model = NGramLM(3, "witten-bell").fit(["the cat sat", "the cat ran", "a dog ran", "the dog sat"])
        >>> model.table_.sizes
        [9, 11, 11]
        >>> model.pruned(max_ngrams=20).table_.sizes
        [9, 11, 0]
        >>> model.pruned(order=2).table_.sizes
        [9, 11]
        """
        by_entropy = (entropy_prune, max_ngrams, max_bytes)
        if by_entropy == (None, None, None) and order is None and not len(prune):
            raise OptionError(
                "nothing says what to leave out; give entropy_prune, max_ngrams, max_bytes, prune or order"
            )
        threshold = 0.0 if entropy_prune is None else float(entropy_prune)
        check_range("entropy_prune", threshold, 0)
        if order is not None:
            check_whole("order", order, 1, self._fitted().order)
        if len(prune):
            counted = self._estimated_again(prune)
            if by_entropy == (None, None, None) and order is None:
                return counted
            return counted.pruned(entropy_prune, max_ngrams=max_ngrams, max_bytes=max_bytes, order=order)
        model, changes = self._summing_to_one(), dict[str, Any]()
        if order is not None:
            model = of_lower_order(model, order)
            shorter = {name: value[:order] for name in _OF_ORDERS if (value := getattr(self, name)) is not None}
            changes = {**shorter, "order": order}
        if by_entropy == (None, None, None):
            return self._derived(model, **changes)
        pruning = EntropyPruning(model)
        if max_ngrams is not None:
            threshold = max(threshold, _to_ngrams(pruning, max_ngrams))
        if max_bytes is not None:
            threshold = self._to_bytes(pruning, threshold, max_bytes, changes)
        return self._pruned_at(pruning, threshold, changes)

    def _pruned_at(self, pruning: EntropyPruning, threshold: float, changes: dict[str, Any]) -> Self:
        found = {"entropy_prune": threshold} if threshold else {}
        return self._derived(pruning.at(threshold), **changes, **found)

    def _to_bytes(self, pruning: EntropyPruning, threshold: float, most: int, changes: dict[str, Any]) -> float:
        """The lowest threshold, at least the given one, of which the file has at most so many bytes, by bisection."""

        def threshold_of(ngrams: int) -> float:
            return max(threshold, pruning.threshold_for(ngrams))

        def size_of(ngrams: int) -> int:
            return file_size(self._pruned_at(pruning, threshold_of(ngrams), changes).to_stored())

        check_whole("max_bytes", most, 1)
        fits, too_many = pruning.least_ngrams, pruning.most_ngrams + 1
        if (least := size_of(fits)) > most:
            told = f"the words alone, which are all kept, take {least:,} bytes"
            raise OptionError(f"max_bytes = {most}: {told}; try max_bytes = {least}")
        while too_many - fits > 1:
            ngrams = (fits + too_many) // 2
            fits, too_many = (ngrams, too_many) if size_of(ngrams) <= most else (fits, ngrams)
        return threshold_of(fits)

    def filtered(self, words: Iterable[str]) -> Self:
        """A model of these words alone; to it, all others are unknown.

        ``<unk>`` gets the probability of the words that are left out, so that probabilities sum to 1 as before; those
        of the words that stay, after words that stay, do not change.

        Parameters
        ----------
        words : iterable of str
            The words to keep. Those that the model does not know are ignored.

        Returns
        -------
        NGramLM
            A new model.

        Raises
        ------
        OptionError
            ``words`` is no list of words, or the model is one of stupid back-off.
        DataError
            The model knows none of the words.

        Examples
        --------
        >>> from windrow import NGramLM
        >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran", "a dog ran"])
        >>> small = model.filtered(["the", "cat", "ran"])
        >>> small.vocabulary.words
        ['<unk>', '<s>', '</s>', 'ran', 'cat', 'the']
        >>> abs(small.log_prob("the cat ran") - model.log_prob("the cat ran")) < 1e-5
        True
        """
        table = self._fitted()
        kept = mask_of(table.vocabulary, words, "words", f"{table.name} knows none of the words")
        return self._derived(filter_words(table.unpack(), kept), open_vocabulary=True)

    def quantized(self, bits: int) -> Self:
        """The model with less exact numbers, which takes about half the memory.

        Parameters
        ----------
        bits : int, 2 to 8
            Bits of each probability and back-off weight. 8 changes the perplexity by little.

        Returns
        -------
        NGramLM
            A new model.

        Raises
        ------
        OptionError
            ``bits`` is out of range.
        """
        bits = check_whole("quantize_bits", bits)
        return self._derived(self._fitted().unpack(), quantize_bits=bits)

    quantised = quantized  # the name of before

    def renormalized(self) -> Self:
        r"""The model with probabilities that sum to 1 after every context, as those of files from elsewhere may not.

        Back-off weights are computed again. Probabilities of n-grams change only where those after a context sum to
        more than 1, or where there is nothing to back off to: they are divided by their sum.

        Returns
        -------
        NGramLM
            A new model.

        Raises
        ------
        OptionError
            The model is one of stupid back-off.

        Examples
        --------
        >>> from pathlib import Path
        >>> import windrow
        >>> lines = ["-0.5 <unk>", "-99 <s>", "-0.5 </s>", "-0.5 a"]
        >>> written = Path("a.arpa").write_text("\n".join(["\\data\\", "ngram 1=4", "\\1-grams:", *lines, "\\end\\"]))
        >>> model = windrow.load("a.arpa")
        >>> round(float(model.next_word_distribution().sum()), 3)
        0.949
        >>> round(float(model.renormalized().next_word_distribution().sum()), 3)
        1.0
        """
        model = self._fitted().unpack()
        if model.unseen_backoff:
            raise OptionError("the scores of stupid back-off are no probabilities; train with another smoothing")
        return self._derived(normalized(model))

    # --- in between

    def _summing_to_one(self) -> BackoffModel:
        """The model in sorted levels, with sums of 1; with a DataWarning where they were not."""
        table = self._fitted()
        model = table.unpack()
        if model.unseen_backoff:
            return model
        sums = sums_of_contexts(model)
        wrong = np.abs(sums - 1) > _MOST_APART
        if not wrong.any():
            return model
        warn(
            f"{table.name}: the probabilities after {np.count_nonzero(wrong):,} of {sums.size:,} contexts do not sum "
            f"to one, but to {sums[wrong].min():.4g} to {sums[wrong].max():.4g}; they are made to"
        )
        return normalized(model)

    def _derived(self, model: BackoffModel, **changes: Any) -> Self:
        """A model with these probabilities, which are used up, and the parameters of this one but for ``changes``."""
        other = type(self)(**{**self.get_params(), "keep_counts": False, "compact": False, **changes})
        other.check_parameters()
        table = NGramTable.pack(model, quantize_bits=other.quantize_bits, consume=True)
        other._set(table, self.provenance_)
        other.reader = self.reader
        return other


def _to_ngrams(pruning: EntropyPruning, most: int) -> float:
    """The lowest threshold that leaves at most so many n-grams; OptionError where the words are more."""
    check_whole("max_ngrams", most, 1)
    least = pruning.least_ngrams
    if most < least:
        raise OptionError(
            f"max_ngrams = {most}: there are {least:,} words, which are all kept; try max_ngrams = {least} or more"
        )
    return pruning.threshold_for(most)
