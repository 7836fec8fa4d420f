"""MixtureLM: several language models as one, with weights that suit held-out text."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import tee
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from windrow.bars import OnProgress, check_progress, stages_bar
from windrow.corpus import Vocabulary
from windrow.corpus.opening import as_corpus
from windrow.errors import DataError, FormatError, OptionError, check_whole
from windrow.estimator import Estimator
from windrow.files.model_file import StoredModel
from windrow.lm.base import LanguageModel, model_from_stored
from windrow.lm.cache import CacheLM
from windrow.lm.classes.model import ClassLM
from windrow.lm.mixture_weights import em_weights
from windrow.lm.neural.recurrent import RecurrentLM
from windrow.lm.neural.window import WindowLM
from windrow.lm.next_word import as_id, as_ids, check_state
from windrow.lm.ngram.model import NGramLM
from windrow.lm.reading import leader, warn_if_read_differently
from windrow.lm.settings import MIXTURE_LM
from windrow.lm.skips.model import SkipNGramLM
from windrow.lm.static_mixture import StaticMixture
from windrow.lm.stream import Ids, first_tokens
from windrow.lm.symbols import BOS, UNK
from windrow.lm.unbounded.model import UnboundedNGramLM
from windrow.lm.union import places_in, sharing, union_of
from windrow.nn.layers.activations import exponentials
from windrow.nn.training.fitting import all_or_nothing

# What a file of a mixture may hold beside mixtures; imported, so that ``model_from_stored`` knows these kinds.
_COMPONENTS: tuple[type[LanguageModel], ...] = (
    CacheLM, ClassLM, NGramLM, RecurrentLM, SkipNGramLM, UnboundedNGramLM, WindowLM
)  # fmt: skip

Floats = NDArray[np.float64]
MixtureState = tuple[Any, ...]  # a state of each model

_LN_10 = float(np.log(10))
_SEARCH_TOKENS = 2000
_SYMBOLS_AT_ONCE = 1 << 16  # that are mixed
_WEIGHT_TOLERANCE = 1e-4  # of the log-linear search
_MOST_PROBABILITY = 1.01  # of all words together; more is no rounding of 1


class MixtureLM(Estimator, StaticMixture):
    """Language models as one: their weighted sum, or product, with weights that ``fit`` finds.

    The vocabulary is that of all models together. A word that a model lacks has an equal share of the probability that
    it gives to ``<unk>``: p(``<unk>``) / (n + 1) where n words are lacking, and as much is left for ``<unk>``.
    ``to_ngram`` makes a linear mixture of n-gram models a single one, which ``save("x.arpa")`` writes for others.

    Parameters
    ----------
    models : sequence of LanguageModel
        Trained models, whose vocabularies may differ.
    weights : sequence of float >= 0 or None, default None
        Weights of the models, one each; those of a linear mixture sum to 1. None: equal ones.
    method : {"linear", "log-linear"}, default "linear"
        Whether the mixture is the weighted sum of the probabilities, or is proportional to their weighted product,
        which costs a whole distribution per word.

    Attributes
    ----------
    weights_ : ndarray of shape (models,)
        The weights in use.
    history_ : list of float
        After ``fit``: the held-out perplexity at each step.

    Raises
    ------
    OptionError
        For weights that are none, or models of which only some predict ``</s>``.

    References
    ----------
    Jelinek & Mercer 1980 (linear); Klakow 1998 (log-linear).

    Examples
    --------
    >>> from windrow import MixtureLM, NGramLM
    >>> texts = ["a b", "b a", "a a b"]
    >>> parts = [NGramLM(order, "witten-bell").fit(texts) for order in (1, 2)]
    >>> mixture = MixtureLM(parts).fit(["a b", "a b a"])
    >>> round(float(mixture.weights_.sum()), 6)
    1.0
    """

    kind = "mixture-lm"
    settings = MIXTURE_LM

    def __init__(
        self, models: Sequence[LanguageModel], weights: Sequence[float] | None = None, method: str = "linear"
    ) -> None:
        self.models = models
        self.weights = weights
        self.method = method
        self.check_parameters()
        warn_if_read_differently(models)

    def set_params(self, **params: Any) -> Self:
        """Set constructor parameters by name, and forget what ``fit`` found."""
        with all_or_nothing(self, "weights_"):
            super().set_params(**params)
            self.check_parameters()
        return self

    def __sklearn_clone__(self) -> Self:
        """A mixture not fitted of the same models, which are trained already."""
        return type(self)(**self.get_params())

    def check_parameters(self) -> None:
        """Raise OptionError unless models, weights and method go together."""
        super().check_parameters()
        models: Any = self.models
        is_list = isinstance(models, Sequence) and not isinstance(models, str)
        for wrong in [one for one in models if not isinstance(one, LanguageModel)] if is_list else [models]:
            raise OptionError(
                f"a mixture takes a list of language models, not {type(wrong).__name__}; windrow.load opens files"
            )
        if not self.models:
            raise OptionError("a mixture needs a model; give a list of language models")
        count = len(self.models)
        weights = [1 / count] * count if self.weights is None else list(self.weights)
        if len(weights) != count:
            raise OptionError(f"weights = {weights}: {count} models need {count} numbers, one for each")
        if self.method == "linear" and abs(sum(weights) - 1) > 1e-6:
            raise OptionError(f"weights = {weights} sum to {sum(weights):g}; those of a linear mixture sum to 1")
        if not any(weights):
            raise OptionError("no weight is above 0; leave weights out for equal ones")
        for number, model in enumerate(self.models[1:], 2):
            if model.predicts_end != self.models[0].predicts_end:
                raise OptionError(f"of model 1 and model {number} only one predicts </s>; train both alike")
        self.weights_ = np.array(weights, np.float64)
        self.vocabulary: Vocabulary = union_of([model.vocabulary for model in self.models])
        self._places = [places_in(model.vocabulary, self.vocabulary) for model in self.models]
        reading = self.models[leader(self.models)]
        self.provenance_ = dict(reading.provenance_)  # a view, as an untrained model has, cannot be pickled
        self.reader = reading.reader
        self.predicts_end = self.models[0].predicts_end
        self.carries_over = any(model.carries_over for model in self.models)

    # --- training

    def fit(
        self,
        heldout: Any,
        *,
        field: str | None = None,
        skip_symbols: bool = False,
        search_tokens: int = _SEARCH_TOKENS,
        progress: OnProgress | bool | None = None,
    ) -> Self:
        """Find the weights that make held-out text most probable.

        Those of a linear mixture are found by the EM algorithm, which needs 8 bytes per token and model. Log-linear
        weights of two models, which sum to 1, are found by a bounded search; it passes over the text about twenty
        times, and computes two distributions per token.

        Parameters
        ----------
        heldout : Corpus, or what Corpus.build takes
            Text that no model was trained on.
        field : str, default None
            The column or field of the text, where ``heldout`` is a table or names files of records.
        skip_symbols : bool, default False
            Leave ``<s>`` and ``</s>`` out where they stand in the text, which is an error otherwise.
        search_tokens : int, at least 1, default 2000
            Tokens of the text, from its beginning, that log-linear weights are fitted to. More take longer.
        progress : bool or callable, default None
            True: show a bar, in a notebook or on stderr. A function is called with the name of a stage,
            and how much of it is done, 0 to 1.

        Returns
        -------
        MixtureLM
            The mixture itself.

        Raises
        ------
        OptionError
            A model gives scores that are no probabilities (stupid back-off), so that weights could not compare it; or
            a log-linear mixture is not of two models.
        DataError
            No token has a probability above 0 under any model; or the text cannot be read, or holds ``<s>`` or
            ``</s>``.

        Examples
        --------
        >>> from windrow import MixtureLM, NGramLM
        >>> from windrow.lm.cache import CacheLM
        >>> ngrams = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off", "a dog ran off"])
        >>> mixture = MixtureLM([ngrams, CacheLM(ngrams.vocabulary)]).fit(["a dog ran off a dog ran off"])
        >>> mixture.weights_.round(2).tolist()
        [0.99, 0.01]
        """
        self.check_parameters()
        check_progress(progress)
        for number, model in enumerate(self.models, 1):
            total = model.distribution(model.start()).sum()
            if total > _MOST_PROBABILITY:
                raise OptionError(f"the scores of model {number} sum to {total:.3g}, not 1: they are no probabilities")
        check_whole("search_tokens", search_tokens, 1)
        if self.method == "linear" and search_tokens != _SEARCH_TOKENS:
            raise OptionError(f"search_tokens = {search_tokens} is for method 'log-linear', not 'linear'; leave it out")
        with all_or_nothing(self, "weights_"):
            corpus = as_corpus(heldout, field, self.reader, shows_bar=progress is True)
            blocks = self.streams(corpus, skip_symbols=skip_symbols)
            with stages_bar(progress) as show:
                report: OnProgress = show or (lambda stage, done: None)
                if self.method == "linear":
                    self._fit_linear(blocks, corpus.tokens + len(corpus), report)
                else:
                    self._fit_log_linear(list(first_tokens(blocks, search_tokens)), report)
        return self

    def sizes(self) -> dict[str, object]:
        """``words``, special symbols not counted, and ``models``."""
        return {**self.vocabulary.sizes(), "models": len(self.models)}

    def _facts(self) -> dict[str, object]:
        return self.sizes() | {
            f"weight of {type(model).__name__} {number}": float(weight)
            for number, (model, weight) in enumerate(zip(self.models, self.weights_, strict=True), 1)
        }

    def _fit_linear(self, blocks: Iterable[Ids], tokens: int, report: OnProgress) -> None:
        columns: list[Floats] = []
        scored = 0
        for block, scores in self._component_scores(blocks):
            columns.append(self._stacked(scores, block)[:, block != BOS])
            scored += columns[-1].shape[1]
            report("scoring the text", min(scored / tokens, 1))
        probs = np.concatenate(columns, axis=1)
        self.weights_, gains = em_weights(probs, self.weights_, lambda done: report("fitting the weights", done))
        self.history_ = [10**-gain for gain in gains]

    def _fit_log_linear(self, blocks: list[Ids], report: OnProgress) -> None:
        from scipy.optimize import minimize_scalar

        if len(self.models) != 2:
            raise OptionError(f"log-linear weights can be fitted to two models, not {len(self.models)}; give weights")
        tokens = sum(int((block != BOS).sum()) for block in blocks)
        self.history_ = []

        def loss(weight: float) -> float:
            self.weights_ = np.array([weight, 1 - weight])
            stage, total = f"trying weights {len(self.history_) + 1}", 0.0
            for done, scores in enumerate(self.score_blocks(blocks)):
                report(stage, done / len(blocks))
                total += float(scores.sum())
            mean = -total / tokens
            self.history_.append(10**mean if mean < 308 else float("inf"))
            return mean

        found = minimize_scalar(loss, bounds=(0, 1), method="bounded", options={"xatol": _WEIGHT_TOLERANCE})
        if not np.isfinite(found.fun):
            raise DataError("held-out text has probability zero whatever the weights; try smoothed models")
        self.weights_ = np.array([found.x, 1 - found.x])

    # --- scores and distributions

    def score_stream(self, stream: Ids) -> Floats:
        """As ``LanguageModel.score_stream``."""
        return next(self.score_blocks([stream]))

    def score_blocks(self, blocks: Iterable[Ids]) -> Iterator[Floats]:
        """As ``LanguageModel.score_blocks``."""
        if self.method == "log-linear":
            yield from self._log_linear_scores(blocks)
            return
        log_weights = _log(self.weights_)[:, None]  # (models, 1)
        for block, scores in self._component_scores(blocks):
            mixed = np.empty(len(block))
            for first in range(0, len(block), _SYMBOLS_AT_ONCE):
                part = slice(first, first + _SYMBOLS_AT_ONCE)
                of_models = self._stacked([some[part] for some in scores], block[part])
                mixed[part] = np.logaddexp.reduce(of_models * _LN_10 + log_weights) / _LN_10
            mixed[block == BOS] = 0
            yield mixed

    def _component_scores(self, blocks: Iterable[Ids]) -> Iterator[tuple[Ids, tuple[Floats, ...]]]:
        """Each block, and the scores that each model gives it."""
        own, *copies = tee(blocks, len(self.models) + 1)
        scored = [
            model.score_blocks(copy if places is None else map(places.__getitem__, copy))
            for model, places, copy in zip(self.models, self._places, copies, strict=True)
        ]
        yield from zip(own, zip(*scored, strict=True), strict=True)

    def _stacked(self, scores: Sequence[Floats], block: Ids) -> Floats:
        """The scores of each model for the words of the union, (models, symbols)."""
        pairs = zip(scores, self._places, strict=True)
        return np.stack([_shared_scores(np.asarray(part, np.float64), block, places) for part, places in pairs])

    def _log_linear_scores(self, blocks: Iterable[Ids]) -> Iterator[Floats]:
        """Symbol by symbol, each from the whole distribution."""
        state = self.start(())
        for block in blocks:
            scores = np.zeros(len(block))
            for position, word_id in enumerate(map(int, block)):
                if word_id != BOS:
                    scores[position] = self._log_linear(state)[word_id] / _LN_10
                state = self.advance(state, word_id)
            yield scores

    def start(self, ids: Sequence[int] | Ids = (BOS,)) -> MixtureState:
        """As ``LanguageModel.start``."""
        ids = np.array(as_ids(self.vocabulary, ids), np.int32)
        pairs = zip(self.models, self._places, strict=True)
        return tuple(model.start(ids if places is None else places[ids]) for model, places in pairs)

    def advance(self, state: MixtureState, word_id: str | int) -> MixtureState:
        """As ``LanguageModel.advance``."""
        check_state(type(state) is tuple and len(state) == len(self.models))
        word_id = as_id(self.vocabulary, word_id)
        return tuple(
            model.advance(part, word_id if places is None else int(places[word_id]))
            for model, places, part in zip(self.models, self._places, state, strict=True)
        )

    def distribution(self, state: MixtureState) -> Floats:
        """As ``LanguageModel.distribution``."""
        check_state(type(state) is tuple and len(state) == len(self.models))
        if self.method == "log-linear":
            return np.exp(self._log_linear(state))
        mixed = np.zeros(len(self.vocabulary))
        for weight, part in zip(self.weights_, self._distributions(state), strict=True):
            mixed += weight * part
        return mixed

    def _distributions(self, state: MixtureState) -> Iterator[Floats]:
        for model, places, part in zip(self.models, self._places, state, strict=True):
            probabilities = model.distribution(part)
            if places is not None:
                if (unknown := probabilities[UNK]) > 0:
                    probabilities[UNK] = unknown / sharing(places)
                probabilities = probabilities[places]
            yield probabilities

    def _log_linear(self, state: MixtureState) -> Floats:
        """Natural logarithms of the normalized distribution, (words,)."""
        total = np.zeros(len(self.vocabulary))
        for weight, part in zip(self.weights_, self._distributions(state), strict=True):
            if weight:  # 0 ** 0 = 1
                total += weight * _log(part)
        if total.max() == -np.inf:
            raise DataError("no word has a probability under all models at once; try smoothed models, or linear")
        shifted, _, sums = exponentials(total)
        return shifted - np.log(sums)

    # --- files

    def to_stored(self) -> StoredModel:
        """As ``LanguageModel.to_stored``: the contents of the models' own files, numbered."""
        parts = [model.to_stored() for model in self.models]
        config = {
            "method": self.method,
            "weights": self.weights_.tolist(),
            "models": [{"kind": p.kind, "config": p.config, "provenance": p.provenance} for p in parts],
        }
        arrays = {f"{number}.{name}": array for number, p in enumerate(parts) for name, array in p.arrays.items()}
        return StoredModel(self.kind, config, dict(self.provenance_), arrays)

    @classmethod
    def from_stored(cls, stored: StoredModel, path: str | os.PathLike[str]) -> Self:
        """As ``LanguageModel.from_stored``."""
        cls.check_kind(stored, path)
        try:
            parts = [
                StoredModel(part["kind"], dict(part["config"]), dict(part["provenance"]), _under(number, stored.arrays))
                for number, part in enumerate(stored.config["models"])
            ]
            models = [model_from_stored(part, path) for part in parts]
            return cls(models, stored.config["weights"], stored.config["method"])
        except (KeyError, TypeError, ValueError, RecursionError) as error:  # an OptionError is a ValueError
            raise FormatError(f"{path}: the description of the mixture is damaged ({error})") from error


def _shared_scores(scores: Floats, block: Ids, places: NDArray[np.int32] | None) -> Floats:
    """The scores of a model for words of the union: those of ``<unk>`` are shared by all words that it lacks."""
    if places is None or (words := sharing(places)) == 1:
        return scores
    return np.where(places[block] == UNK, scores - np.log10(words), scores)


def _log(numbers: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        logarithms: Floats = np.log(numbers)
    return logarithms


def _under(number: int, arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The arrays of model ``number``, by the names that its own file would have."""
    prefix = f"{number}."
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
