"""The smoothing methods: from counts of counts to the rule by which the counts of an order become probabilities.

Another method is one function and one row of ``SMOOTHINGS``. Sections are those of Chen & Goodman, "An empirical study
of smoothing techniques for language modeling" (1999).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.errors import DataError, OptionError, check_range, shown
from windrow.lm.ngram.kernels.bisect import find_children
from windrow.lm.ngram.kernels.estimate import Rule, expect_orders
from windrow.lm.ngram.levels import CountLevel, NGramCounts
from windrow.lm.symbols import BOS

KATZ_CUTOFF = 7  # counts above it are reliable and not discounted
STUPID_BACKOFF = 0.4  # Brants et al. 2007
COUNTS_OF_COUNTS = KATZ_CUTOFF + 2
FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)

_EM_ROUNDS = 100
_EM_PRECISION = 1e-6


@dataclass(frozen=True)
class Options:
    """The options of the methods.

    Parameters
    ----------
    interpolate : bool, default True
        Add the shorter context's probability to every n-gram; False: only to those not seen (the back-off form).
    delta : float above 0, default 1.0
        The count that add-delta adds to every n-gram.
    weights : sequence of float from 0 to 1, or None, default None
        Of jelinek-mercer, one per order. None: fitted by EM to ``heldout``.
    heldout : NGramCounts or None, default None
        Counts of other text over the same vocabulary. None: the weights are fitted to the counts themselves, each event
        left out when its own probability is computed.
    discounts : sequence of sequences of float, or None, default None
        Discounts to use instead of estimated ones: for each order those of the counts 1, 2, .. (the last also for all
        higher counts), or None to estimate them.
    discount_fallback : bool, default False
        Where the text is too small to estimate discounts, take ``fallback_discounts``.
    fallback_discounts : sequence of float, or None, default None
        Discounts of the counts 1, 2, .. (the last also for all higher counts). None: 0.5, 1 and 1.5, or 0.5 for methods
        with one discount.
    lmplz_compat : array of int, shape (words,), or None, default None
        The result of ``lmplz.first_appearances``: repeat lmplz's slip in the counts of counts. None: do not.
    """

    interpolate: bool = True
    delta: float = 1.0
    weights: Sequence[float] | None = None
    heldout: NGramCounts | None = None
    discounts: Sequence[Sequence[float] | None] | None = None
    discount_fallback: bool = False
    fallback_discounts: Sequence[float] | None = None
    lmplz_compat: NDArray[Any] | None = None

    def check(self, order: int) -> None:
        """Raise OptionError for an option out of range."""
        check_range("delta", self.delta, 0, low_open=True)
        check_range("delta", self.delta, 0, math.inf, high_open=True)
        for name, values in (("weights", self.weights), ("discounts", self.discounts)):
            if values is not None and len(values) != order:
                raise OptionError(
                    f"{name} = {tuple(values)}: give one for each of the {order} orders, not {len(values)}"
                )
        for weight in () if self.weights is None else self.weights:
            check_range("weights", weight, 0, 1)
        for discounts in () if self.discounts is None else self.discounts:
            if discounts is not None and not isinstance(discounts, Sequence | np.ndarray):
                raise OptionError(f"discounts = {shown(self.discounts)}: {shown(discounts)} must be a list of numbers")
            _check_discounts(() if discounts is None else discounts)
        if self.fallback_discounts is not None:
            if not len(self.fallback_discounts):
                raise OptionError("fallback_discounts is empty; give one number at least, or leave it out")
            _check_discounts(self.fallback_discounts, "fallback_discounts: ")


def _check_discounts(discounts: Sequence[float], where: str = "") -> None:
    """Raise OptionError for a discount that is more than its count, or no number."""
    for count, discount in enumerate(discounts, 1):
        check_range(f"{where}the discount of count {count}", discount, 0, count)


class Evidence(NamedTuple):
    """What a method's rule for an order may depend on."""

    order: int
    frequencies: NDArray[np.int64]  # counts of counts: how many n-grams have the count 0, 1, 2, ..
    words: int  # how many words can be predicted
    options: Options


class Smoothing(NamedTuple):
    """A method: ``rule(evidence)`` gives the rule of an order; the flags say how it is applied."""

    rule: Callable[[Evidence], Rule]
    adjusted: bool = False  # counts below the highest order are replaced by adjusted counts (section 2.7)
    interpolates: bool = True  # it has an interpolated form
    backs_off: bool = False  # it has a back-off form
    discounts: bool = False  # it uses options.discounts
    weighted: bool = False  # it uses options.weights
    # Only contexts of order - 1 words, or from <s> on, count; after shorter ones every word is equally probable.
    longest_only: bool = False
    fixed_backoff: float | None = None  # this weight instead of the probability that is left over


# --- methods


def modified_kneser_ney(evidence: Evidence) -> Rule:
    """Three discounts: for counts 1, 2, and 3 or more (section 3, eq. 26)."""
    return _discounting(evidence, _three_discounts, FALLBACK_DISCOUNTS)


def one_discount(evidence: Evidence) -> Rule:
    """Kneser-Ney and absolute discounting: one discount for every count (sections 2.6 and 2.7)."""
    return _discounting(evidence, _single_discount, FALLBACK_DISCOUNTS[:1])


def katz(evidence: Evidence) -> Rule:
    """Good-Turing discounts up to count 7 (section 2.4); a context without any has one event more, as in SRILM."""
    return _discounting(evidence, _good_turing_discounts, FALLBACK_DISCOUNTS[:1])._replace(spare=1.0)


def witten_bell(evidence: Evidence) -> Rule:
    """A context with T different words has T events more, which go to the shorter context (section 2.5)."""
    return Rule(np.zeros(1), per_type=1.0)


def jelinek_mercer(evidence: Evidence) -> Rule:
    """Relative frequencies of all orders, mixed with one weight per order (section 2.3)."""
    assert evidence.options.weights is not None
    return Rule(np.zeros(1), weight=float(evidence.options.weights[evidence.order - 1]))


def add_delta(evidence: Evidence) -> Rule:
    """Every word has delta events more after the longest context (section 2.1); see ``longest_only``."""
    return Rule(np.zeros(1), constant=float(evidence.options.delta) * evidence.words)


def relative_frequency(evidence: Evidence) -> Rule:
    """Maximum likelihood. Only the probability of pruned n-grams goes to shorter contexts."""
    return Rule(np.zeros(1))


def stupid_backoff(evidence: Evidence) -> Rule:
    """Relative frequencies, times 0.4 for each shorter context (Brants et al. 2007): scores that do not sum to 1."""
    return Rule(np.zeros(1), shared=0.0)


SMOOTHINGS = {
    "modified-kneser-ney": Smoothing(modified_kneser_ney, adjusted=True, backs_off=True, discounts=True),
    "kneser-ney": Smoothing(one_discount, adjusted=True, backs_off=True, discounts=True),
    "witten-bell": Smoothing(witten_bell, backs_off=True),
    "absolute": Smoothing(one_discount, backs_off=True, discounts=True),
    "katz": Smoothing(katz, interpolates=False, backs_off=True, discounts=True),
    "jelinek-mercer": Smoothing(jelinek_mercer, weighted=True),
    "add-delta": Smoothing(add_delta, longest_only=True),
    "mle": Smoothing(relative_frequency),
    "stupid-backoff": Smoothing(stupid_backoff, fixed_backoff=STUPID_BACKOFF),
}


def smoothing_named(name: str, options: Options) -> tuple[Smoothing, bool]:
    """The method, and whether to interpolate; OptionError for an option that the method does not have."""
    if name not in SMOOTHINGS:
        raise OptionError(f"smoothing = {name!r} is unknown; choose from {', '.join(SMOOTHINGS)}")
    method = SMOOTHINGS[name]
    if not options.interpolate and not method.backs_off:
        others = ", ".join(other for other, row in SMOOTHINGS.items() if row.backs_off)
        raise OptionError(f"{name} has no back-off form, interpolate = False; these have: {others}")
    if options.discounts is not None and not method.discounts:
        others = ", ".join(other for other, row in SMOOTHINGS.items() if row.discounts)
        raise OptionError(f"{name} has no discounts to be given; these have: {others}")
    if options.weights is not None and not method.weighted:
        others = ", ".join(other for other, row in SMOOTHINGS.items() if row.weighted)
        raise OptionError(f"{name} has no weights to be given; these have: {others}")
    return method, options.interpolate and method.interpolates


# --- discounts


class DiscountsError(DataError):
    """Counts from which discounts cannot be estimated; ``reason`` is the message without the way out."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}; try discount_fallback = True or smoothing = 'witten-bell'")
        self.reason = reason


class _NoDiscountsError(Exception):
    """Why discounts cannot be estimated."""


def _discounting(
    evidence: Evidence, estimated: Callable[[list[int]], list[float]], fallback: tuple[float, ...]
) -> Rule:
    """A rule with the discounts of the options, else estimated ones, else the fallback, or DataError without one."""
    of_orders = evidence.options.discounts
    given = None if of_orders is None else of_orders[evidence.order - 1]
    if given is not None:
        discounts: Sequence[float] = list(given) or [0.0]
    else:
        try:
            discounts = estimated(evidence.frequencies.tolist())
        except _NoDiscountsError as reason:
            if not evidence.options.discount_fallback:
                what = str(reason).replace("n-gram", f"{evidence.order}-gram")
                raise DiscountsError(
                    f"{what}: the corpus is too small, or not natural text, to estimate discounts"
                ) from None
            chosen = evidence.options.fallback_discounts
            discounts = fallback if chosen is None else list(chosen)
    return Rule(np.array([0.0, *discounts]))


def _check_seen(frequencies: list[int], *counts: int) -> None:
    for count in counts:
        if frequencies[count] == 0:
            raise _NoDiscountsError(f"no n-gram has the (adjusted) count {count}")


def _single_discount(t: list[int]) -> list[float]:
    _check_seen(t, 1, 2)
    return [t[1] / (t[1] + 2 * t[2])]


def _three_discounts(t: list[int]) -> list[float]:
    _check_seen(t, 1, 2, 3)
    y = t[1] / (t[1] + 2 * t[2])
    discounts = [count - (count + 1) * y * t[count + 1] / t[count] for count in (1, 2, 3)]
    for count, discount in enumerate(discounts, 1):
        if not 0 <= discount <= count:
            raise _NoDiscountsError(f"the n-gram discount of the (adjusted) count {count} would be {discount:.3g}")
    return discounts


def _good_turing_discounts(t: list[int]) -> list[float]:
    """With the highest cut-off for which every discount is at least 0 and less than its count."""
    for cutoff in range(KATZ_CUTOFF, 1, -1):
        if all(t[1 : cutoff + 1]):
            common = Fraction((cutoff + 1) * t[cutoff + 1], t[1])  # exact, since ratios of 1 are usual in small texts
            estimates = [Fraction((count + 1) * t[count + 1], t[count]) for count in range(1, cutoff + 1)]
            if common < 1:
                ratios = [(new / old - common) / (1 - common) for old, new in enumerate(estimates, 1)]
                if all(0 < ratio <= 1 for ratio in ratios):
                    return [*(float(count * (1 - ratio)) for count, ratio in enumerate(ratios, 1)), 0.0]
    raise _NoDiscountsError(f"n-gram counts give no Good-Turing discounts, with any cut-off from 2 to {KATZ_CUTOFF}")


# --- weights of a mixture of orders


def fit_weights(
    counts: NGramCounts, words: int, heldout: NGramCounts | None = None, rounds: int = _EM_ROUNDS
) -> list[float]:
    """The weights of Jelinek-Mercer that make held-out text most probable, one per order, by EM.

    Without ``heldout``, the text itself, where each event is left out of the counts when its probability is computed.
    ``words``: how many can be predicted. Where ``<s>`` does not mark sentences, their first ``order`` - 1 words are not
    used. Raises OptionError for held-out counts over another vocabulary.
    """
    if heldout is not None and (heldout.order < counts.order or heldout.vocabulary.words != counts.vocabulary.words):
        raise OptionError("the held-out counts must be of the same vocabulary, and of the same order at least")
    rows = _components(counts, words, heldout)
    weights = np.full(counts.order + 1, 0.5)
    for _ in range(rounds):
        expected = np.zeros((2, counts.order + 1))
        for components, events in rows:
            expect_orders(components, events, weights[: components.shape[1]], np.empty_like(weights), expected)
        seen = expected[1] > 0
        fitted = np.where(seen, expected[0] / np.where(seen, expected[1], 1), weights)
        moved = np.abs(fitted - weights).max()
        weights = fitted
        if moved < _EM_PRECISION:
            break
    fitted_weights: list[float] = weights[1:].tolist()
    return fitted_weights


def _components(
    counts: NGramCounts, words: int, heldout: NGramCounts | None
) -> list[tuple[NDArray[np.float32], NDArray[np.int32]]]:
    """The relative frequencies of each event in every order, (events, orders + 1), and how often it occurs.

    An event is an n-gram of the highest order, or a shorter one that begins with <s>.
    """
    rows = []
    below = np.full((1, 1), 1 / words, np.float32)
    places = np.zeros(1, np.int32)
    first, last = 0, 0  # the range of contexts that begin with <s>
    for k in range(1, counts.order + 1):
        level = counts.levels[k - 1]
        asked = level if heldout is None else heldout.levels[k - 1]
        if heldout is None:
            own = _leave_one_out(level)
        else:
            own, places = _on_heldout(level, asked, places)
        here = np.column_stack([below[asked.suffixes], own])
        first, last = (BOS, BOS + 1) if k == 1 else (int(asked.starts[first]), int(asked.starts[last]))
        events = slice(first, last) if k < counts.order else slice(None)
        rows.append((np.ascontiguousarray(here[events]), asked.counts[events].astype(np.int32)))
        below = here
    return rows


def _context_totals(level: CountLevel) -> NDArray[np.int64]:
    """How many events each context has, (contexts,)."""
    totals = np.concatenate([[0], np.cumsum(level.counts, dtype=np.int64)])[level.starts]
    return np.diff(totals)


def _leave_one_out(level: CountLevel) -> NDArray[np.float32]:
    """Relative frequencies when the event itself is left out; -1 where the context has no other event."""
    others = np.repeat(_context_totals(level), np.diff(level.starts)) - 1
    return np.where(others > 0, np.maximum(level.counts - 1, 0) / np.maximum(others, 1), -1).astype(np.float32)


def _on_heldout(
    level: CountLevel, asked: CountLevel, contexts: NDArray[np.int32]
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Relative frequencies of held-out n-grams, -1 where the context was not seen; and their places in ``level``."""
    contexts = np.repeat(contexts, np.diff(asked.starts))
    places = np.empty(asked.words.size, np.int32)
    find_children(level.starts, level.words, contexts, asked.words, places)
    totals = np.where(contexts >= 0, _context_totals(level)[contexts], 0)
    found = np.where(places >= 0, level.counts[places], 0) if level.counts.size else np.zeros(places.size)
    return np.where(totals > 0, found / np.maximum(totals, 1), -1).astype(np.float32), places
