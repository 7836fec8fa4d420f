"""The contract of output layers: a block of hidden rows in, loss and gradients out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from windrow.errors import OptionError, check_range, check_whole
from windrow.nn.parameters import Array, Parameter, SparseParameter
from windrow.outputs.tiled_softmax import Scores

Targets = NDArray[np.int32]

OBJECTIVES = ("nce", "sampled-softmax")

# The bias of a word that never occurs, <s> for one: finite, as parameters must be, and its exponential vanishes.
EXCLUDED = -1e4


@dataclass(frozen=True)
class OutputOptions:
    """Options of the output layers; each reads its own.

    classes: how many ``classes`` (0: the square root of the vocabulary). nce: ``objective`` "nce" or "sampled-softmax",
    against ``noise_words`` draws per block from the unigram distribution to the power ``noise_power``. adaptive: the
    frequency ranks at which clusters begin, ``cutoffs`` (empty: chosen); each has ``shrink`` times fewer dimensions
    than the one before it.
    """

    classes: int = 0
    objective: str = "nce"
    noise_words: int = 1024
    noise_power: float = 1.0
    cutoffs: tuple[int, ...] = ()
    shrink: float = 4.0

    def check(self) -> None:
        """Raise OptionError for what no layer can be built with."""
        if self.objective not in OBJECTIVES:
            raise OptionError(f"objective = {self.objective!r} is unknown; choose from {', '.join(OBJECTIVES)}")
        check_whole("classes", self.classes, 0)
        check_whole("noise_words", self.noise_words, 1)
        check_range("noise_power", self.noise_power, 0)
        check_range("shrink", self.shrink, 1)
        ranks = [check_whole("cutoffs", cutoff) for cutoff in self.cutoffs]
        if ranks != sorted(set(ranks)) or (ranks and ranks[0] < 1):
            raise OptionError(f"cutoffs = {self.cutoffs} must rise and begin at 1 or more; try (2000, 10000)")


class OutputLayer(ABC):
    """From hidden rows (rows, hidden_size) to distributions over the words.

    ``counts`` (words,) order the words by frequency and give the first biases: before any training the distribution is
    about the unigram one. A word that counts 0 is never predicted. Hidden rows are contiguous and of the layer's dtype,
    targets (rows,) int32. ``parameters`` are named; a ParameterVector may take their values and gradients over.
    ``tied``, where a layer allows it (``can_tie``), is a Parameter (words, hidden_size) of another layer that also
    serves as weights here, or a SparseParameter where this layer ``is_sparse``. It gets gradients from both layers,
    and is not among ``parameters``.
    """

    can_tie = False
    is_sparse = False  # whether a pass reads few words, and so is tied to a SparseParameter

    def __init__(
        self,
        counts: NDArray[np.int64],
        hidden_size: int,
        rng: np.random.Generator,
        dtype: DTypeLike = np.float32,
        options: OutputOptions = OutputOptions(),
        *,
        tied: Parameter | SparseParameter | None = None,
    ) -> None:
        options.check()
        if tied is not None and not self.can_tie:
            raise OptionError(f"{type(self).__name__} has no weights per word to tie; try output_layer='softmax'")
        if tied is not None and tied.value.shape != (len(counts), hidden_size):
            raise OptionError(
                f"tied weights {tied.value.shape} must be ({len(counts)}, {hidden_size}), words by hidden_size; "
                "make embedding_size and hidden_size equal"
            )
        self.counts = counts
        self.words = len(counts)
        self.hidden_size = hidden_size
        self.rng = rng
        self.dtype = np.dtype(dtype)
        self.options = options
        self.arrays: dict[str, Array] = {}  # what a file must hold besides the parameters
        self.build(tied)

    @abstractmethod
    def build(self, tied: Parameter | SparseParameter | None) -> None:
        """Make the parameters."""

    @property
    @abstractmethod
    def parameters(self) -> dict[str, Parameter | SparseParameter]:
        """What training changes, by name."""

    @abstractmethod
    def loss_and_gradient(self, hidden: Array, targets: Targets, d_hidden: Array, scale: float = 1.0) -> float:
        """The summed natural-log loss of the rows.

        Writes ``scale`` times the gradient with respect to the hidden rows to ``d_hidden``, and adds ``scale`` times
        that with respect to the parameters to their gradients. The loss is minus the log-probability, except for "nce".
        """

    def sgd_step(self, hidden: Array, targets: Targets, d_hidden: Array, rate: float, scale: float = 1.0) -> float:
        """As ``loss_and_gradient``, but the parameters take a step of ``-rate`` times the gradient at once.

        Only where ``has_sgd_step``. It needs no array for the gradient, which would cost as much memory traffic as the
        weights. A block may be stepped in several parts, each of which sees what the ones before it changed.
        """
        raise NotImplementedError

    has_sgd_step = False

    @property
    def scores(self) -> Scores | None:
        """The weights and biases of a full softmax, where the distribution is one."""
        return None

    @abstractmethod
    def target_log_probs(self, hidden: Array, targets: Targets) -> NDArray[np.float64]:
        """The exact natural-log probability of each row's target, (rows,)."""

    @abstractmethod
    def distribution(self, hidden: Array) -> NDArray[np.float64]:
        """The exact probabilities of all words after one row (hidden_size,), (words,); their sum is 1."""

    def _initial_weights(self, rows: int, columns: int) -> Array:
        """Small and random: the first distribution is that of the biases, nearly."""
        return (self.rng.standard_normal((rows, columns)) * 0.01).astype(self.dtype)

    def unigram_biases(self, counts: NDArray[Any] | None = None) -> Array:
        """The logarithms of the frequencies; EXCLUDED for words that do not occur."""
        counts = self.counts if counts is None else counts
        with np.errstate(divide="ignore"):
            logs = np.log(counts / max(counts.sum(), 1))
        return np.where(counts > 0, logs, EXCLUDED).astype(self.dtype)
