"""A linear mixture of n-gram models as a single n-gram model, which other programs read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from windrow.errors import OptionError
from windrow.lm.base import LanguageModel
from windrow.lm.ngram.arpa import write_arpa
from windrow.lm.ngram.levels import BackoffModel
from windrow.lm.ngram.mixing import Part, mix
from windrow.lm.ngram.model import NGramLM
from windrow.lm.storing import check_name, makes_arpa
from windrow.lm.symbols import UNK
from windrow.lm.union import sharing


class StaticMixture(LanguageModel):
    """What a mixture of language models offers if they are n-gram models; see ``windrow.MixtureLM``."""

    models: Sequence[LanguageModel]
    method: str
    weights_: NDArray[np.float64]
    _places: list[NDArray[np.int32] | None]  # of each model: see ``places_in``

    @property
    def unlike_ngrams(self) -> str:
        """What one n-gram model cannot hold, for messages; empty for a linear mixture of n-gram models."""
        if self.method != "linear":
            return "a log-linear mixture, only a linear one"
        for model in self.models:
            if isinstance(model, StaticMixture):
                if found := model.unlike_ngrams:
                    return found
            elif not isinstance(model, NGramLM):
                return f"a mixture with a {type(model).__name__}, only one of n-gram models"
            elif model.table_.unseen_backoff:
                return "a mixture with stupid back-off, whose scores are no probabilities"
        return ""

    def to_ngram(self) -> NGramLM:
        """A linear mixture of n-gram models as a single one, as SRILM's static interpolation makes it.

        It has the n-grams of all models, each with the probability that the mixture gives its last word after the
        others. Back-off weights are computed again, so that the probabilities after every context sum to 1. N-grams
        that are in no model are scored by backing off, which may differ from what the mixture gives them. The result
        is as fast as one model.

        Returns
        -------
        NGramLM

        Raises
        ------
        OptionError
            The mixture is log-linear, or one of its models is no n-gram model, or one of stupid back-off.

        References
        ----------
        Stolcke 2002, "SRILM, an extensible language modeling toolkit", section 3.

        Examples
        --------
        >>> from windrow import MixtureLM, NGramLM
        >>> parts = [NGramLM(2, "witten-bell").fit(texts) for texts in (["a b", "b a"], ["a c", "c c a"])]
        >>> mixture = MixtureLM(parts, weights=[0.25, 0.75])
        >>> single = mixture.to_ngram()
        >>> single.table_.sizes
        [6, 11]
        >>> abs(single.log_prob("a c") - mixture.log_prob("a c")) < 1e-5
        True
        """
        model = NGramLM.from_backoff(self._mixed())
        model.provenance_ = dict(self.provenance_)
        model.reader = self.reader
        return model

    def _mixed(self) -> BackoffModel:
        if found := self.unlike_ngrams:
            raise OptionError(f"an n-gram model cannot hold {found}; save the mixture itself, as a .safetensors file")
        return mix(list(self._parts()), self.vocabulary)

    def _parts(self) -> Iterator[Part]:
        """The n-gram models, also those of mixtures that are mixed."""
        for weight, model, places in zip(self.weights_, self.models, self._places, strict=True):
            ids = np.arange(len(self.vocabulary), dtype=np.int32) if places is None else places
            shares = np.where(ids == UNK, 1 / sharing(ids), 1.0)
            if isinstance(model, StaticMixture):
                for part in model._parts():
                    yield Part(weight * part.weight, part.model, part.ids[ids], part.shares[ids] * shares)
            elif isinstance(model, NGramLM):
                yield Part(weight, model.table_.unpack(), ids, shares)

    def save(self, path: str | os.PathLike[str]) -> None:
        """As ``LanguageModel.save``; a name that ends in .arpa, .lm, .arpa.gz or .lm.gz makes an ARPA file.

        So does ``-``, on standard output. The file holds the single model of ``to_ngram``, for other programs;
        OptionError where there is none.
        """
        if not makes_arpa(path):
            super().save(path)
            return
        check_name(path, self.unlike_ngrams)
        write_arpa(self._mixed(), path)
