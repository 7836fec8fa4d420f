"""From the counts of n-grams to a back-off model: adjusted counts, pruning, probabilities, back-off weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import compress, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from windrow.corpus import Vocabulary
from windrow.errors import DataError, OptionError, check_whole
from windrow.lm.ngram import lmplz
from windrow.lm.ngram.compact import OrderCounts
from windrow.lm.ngram.kernels import estimate as kernels
from windrow.lm.ngram.kernels.estimate import Rule, Successors
from windrow.lm.ngram.levels import BackoffModel, Floats, Int32s, Level, NGramCounts
from windrow.lm.ngram.merging import MOST
from windrow.lm.ngram.smoothing import COUNTS_OF_COUNTS, Evidence, Options, Smoothing, fit_weights, smoothing_named
from windrow.lm.ngram.unigrams import Unigrams
from windrow.lm.symbols import BOS, EOS, SPECIALS, UNK

_BLOCK = 1 << 15  # numbers whose logarithms are taken while they are in the cache
_ALL = np.empty(0, np.bool_)
_NONE = np.empty(0, np.float32)
_LOG10_E = np.float32(np.log10(np.e))


@dataclass
class Order:
    """The k-grams, or a part of them, while counts become probabilities, which are written over the counts."""

    starts: Int32s
    words: Int32s
    suffixes: Int32s
    counts: Int32s
    sentence_starts: tuple[int, int]  # the range of k-grams that begin with <s>
    kept: NDArray[np.bool_]  # (n,), or empty where all are kept
    probs: Floats
    backoffs: Floats | None = None


def estimate(
    counts: NGramCounts,
    smoothing: str = "modified-kneser-ney",
    *,
    prune: Sequence[int] = (),
    keep_words: NDArray[np.bool_] | None = None,
    dtype: DTypeLike = np.float32,
    keep_counts: bool = False,
    **options: Any,
) -> BackoffModel:
    """The back-off model of counted text.

    N-grams left out by ``prune`` or ``keep_words`` leave their probability to shorter contexts, and words left out are
    not in the model's vocabulary; ``<unk>``, ``<s>`` and ``</s>`` always are. p(``<s>``) is 0.

    Parameters
    ----------
    counts : NGramCounts
        Used up, as the model is written over them, unless ``keep_counts``.
    smoothing : str, default "modified-kneser-ney"
        A name of ``SMOOTHINGS``.
    prune : sequence of int, default ()
        N-grams of order k that occur at most ``prune[k - 1]`` times are left out. Each number is at least the one
        before it; the last one holds for all further orders too.
    keep_words : array of bool, shape (words,), or None, default None
        N-grams with a word outside this mask are left out. None: keep all.
    dtype : default float32
        Of the log10 probabilities: float32, or float64 to check others.
    keep_counts : bool, default False
        Leave ``counts`` as they are, for the memory of a copy.
    **options
        The fields of ``smoothing.Options`` and of ``unigrams.Unigrams``.

    Raises
    ------
    OptionError
        For an option that is out of range or that the smoothing does not have.
    DataError
        For text too small for the order or the smoothing.
    """
    ready = _prepared(counts, smoothing, prune, keep_words, np.dtype(dtype), keep_counts, options)
    orders, method = ready.orders, ready.method
    for k in range(2, len(orders) + 1):
        _smooth(orders, k, ready.rules[k - 1], method, ready.words, ready.interpolates)
    take_logs(orders[-1].probs)
    return as_model(orders, ready.vocabulary, method)


def counts_model(
    counts: NGramCounts, smoothing: str = "modified-kneser-ney", **options: Any
) -> tuple[Vocabulary, NDArray[np.float32], list[OrderCounts], int]:
    """What ``compact.pack_counts`` makes a trie of: the model of ``estimate``, but p of single words only.

    ``counts`` are used up. ``options``, errors: as of ``estimate``. The smoothing is one of ``settings.COMPACT``, with
    interpolation. Returns the vocabulary, p of single words, the other orders, and how many words can be predicted.
    """
    ready = _prepared(counts, smoothing, (), None, np.dtype(np.float32), False, options)
    orders = [
        OrderCounts(Successors(own.starts, own.suffixes, own.counts, own.kept), rule)
        for own, rule in zip(ready.orders[1:], ready.rules[1:], strict=True)
    ]
    return ready.vocabulary, ready.orders[0].probs, orders, ready.words


class _Ready(NamedTuple):
    """Orders with adjusted counts, but for single words, which are smoothed already; and how to smooth the others."""

    orders: list[Order]
    vocabulary: Vocabulary
    method: Smoothing
    interpolates: bool
    rules: list[Rule]
    words: int  # that can be predicted


def _prepared(
    counts: NGramCounts,
    smoothing: str,
    prune: Sequence[int],
    keep_words: NDArray[np.bool_] | None,
    dtype: np.dtype[Any],
    keep_counts: bool,
    options: dict[str, Any],
) -> _Ready:
    """The first half of ``estimate``."""
    chosen, unigrams = chosen_options(options)
    method, interpolates = smoothing_named(smoothing, chosen)
    unigrams.check()
    check_text(_sizes(counts), counts.levels[0].counts if counts.levels else np.empty(0))
    if not method.adjusted or counts.order == 1:
        _check_word_counts(counts)
    chosen.check(counts.order)
    thresholds = thresholds_of(prune, counts.order)
    orders = _own(counts, copies=keep_counts or dtype != np.float32)
    if any(thresholds) or keep_words is not None:
        _mark_kept(orders, thresholds, keep_words)
    predicted = unigrams.predicted(orders[0].kept, orders[0].counts)
    words = unigrams.parts(predicted)
    if method.weighted and chosen.weights is None:
        chosen = replace(chosen, weights=fit_weights(counts, words, chosen.heldout))
    slips = []
    if method.adjusted:
        if chosen.lmplz_compat is not None:
            slips = lmplz.find_slips(counts.levels, chosen.lmplz_compat)
        _adjust(orders, counts.initial, has_unseen=counts.has_unseen)
    frequencies = [frequencies_of(order.counts) for order in orders]
    lmplz.repeat_slips(slips, [order.counts for order in orders], frequencies)
    vocabulary = counts.vocabulary
    if not keep_counts:
        counts.levels = []
    rules = [method.rule(Evidence(k, t, words, chosen)) for k, t in enumerate(frequencies, 1)]
    smooth_words(orders[0], rule_without_start(rules[0], 1, len(orders), method), predicted, unigrams, dtype)
    return _Ready(orders, vocabulary, method, interpolates, rules, words)


# --- what is asked for


def chosen_options(options: dict[str, Any]) -> tuple[Options, Unigrams]:
    """The options of ``estimate``: of the smoothing, and of words; OptionError for one that there is not."""
    of_smoothing, of_words = ({field.name for field in fields(kind)} for kind in (Options, Unigrams))
    for name in options:
        if name not in of_smoothing | of_words:
            known = ", ".join(sorted(of_smoothing | of_words))
            raise OptionError(f"there is no option {name!r} of smoothing; choose from {known}")
    chosen = Options(**{name: value for name, value in options.items() if name in of_smoothing})
    return chosen, Unigrams(**{name: value for name, value in options.items() if name in of_words})


def thresholds_of(prune: Sequence[int], order: int) -> list[int]:
    """One threshold per order; the last one given also holds for those above."""
    thresholds = [check_whole("prune", threshold, 0) for threshold in prune] or [0]
    if len(thresholds) > order:
        raise OptionError(f"prune = {tuple(prune)}: more numbers than the order of the model; give at most {order}")
    if sorted(thresholds) != thresholds:
        raise OptionError(f"prune = {tuple(prune)} must not fall: an n-gram that is kept needs its context")
    return thresholds + thresholds[-1:] * (order - len(thresholds))


def check_text(sizes: Sequence[int], word_counts: NDArray[Any]) -> None:
    """Raise DataError where there are no counts, or no n-grams of the highest of the orders, which have these sizes."""
    if not word_counts.any():
        raise DataError("there are no counts (they were used up by an estimate, or the text is empty): count again")
    check_sizes(sizes)


def _check_word_counts(counts: NGramCounts) -> None:
    """Raise DataError for a word with more occurrences than 32 bits hold, of a text that somebody else counted."""
    most = int(counts.levels[0].counts.max())
    if most > MOST:
        raise DataError(
            f"a word has the count {most:,}; this smoothing takes counts up to {MOST:,}: divide all by the same "
            "number, or choose smoothing='kneser-ney', which counts the words before a word"
        )


def check_order(counts: NGramCounts) -> None:
    """Raise DataError when the sentences are too short for n-grams of the highest order."""
    check_sizes(_sizes(counts))


def _sizes(counts: NGramCounts) -> list[int]:
    return [level.words.size for level in counts.levels]


def check_sizes(sizes: Sequence[int]) -> None:
    """``check_order`` by how many n-grams each order has."""
    order, longest = len(sizes), sum(size > 0 for size in sizes)
    if longest < order:
        raise DataError(
            f"order = {order}: the longest sentence has {longest} symbols, its marks included; "
            f"try order = {longest} or less"
        )


def check_marks(counts: NGramCounts, *, bos: bool, eos: bool) -> None:
    """Raise OptionError if sentences were counted with marks that the model is not to have, or without them."""
    found = {("eos", eos, EOS): bool(counts.levels[0].counts[EOS])} if counts.order else {}
    if counts.order > 1:
        starts = counts.levels[1].starts
        found["bos", bos, BOS] = bool(starts[BOS + 1] > starts[BOS])
    for (name, is_wanted, mark), is_there in found.items():
        if is_wanted != is_there:
            way_out = f"they have {'it' if is_there else 'none'}; try {name} = {is_there}"
            raise OptionError(f"{name} = {is_wanted} does not fit the {SPECIALS[mark]} of the counts: {way_out}")


# --- counts


def _own(counts: NGramCounts, copies: bool) -> list[Order]:
    """The levels in arrays that may be written, each with its range of n-grams that begin with <s>."""
    orders = []
    span = BOS, BOS + 1
    for k, level in enumerate(counts.levels, 1):
        starts, words = np.asarray(level.starts), np.asarray(level.words)
        # Memory maps as plain arrays, so that kernels are compiled for one type.
        held = level.counts if level.counts.dtype == np.int32 else np.minimum(level.counts, MOST)
        changed = [np.asarray(level.suffixes), np.asarray(held, np.int32)]
        suffixes, raw = (array.copy() if copies or not array.flags.writeable else array for array in changed)
        if k > 1:
            span = int(starts[span[0]]), int(starts[span[1]])
        orders.append(Order(starts, words, suffixes, raw, span, _ALL, _NONE))
    return orders


def _mark_kept(orders: list[Order], thresholds: list[int], keep_words: NDArray[np.bool_] | None) -> None:
    """Mark the n-grams to keep, by their raw counts; context and suffix of each are kept, too."""
    mark_kept_words(orders[0], thresholds[0], keep_words)
    kept_words = kept = orders[0].kept
    for order, threshold in zip(orders[1:], thresholds[1:], strict=True):
        contexts, kept = kept, np.empty(order.words.size, np.bool_)
        kernels.mark_kept(order.starts, order.words, order.counts, threshold, kept_words, contexts, kept)
        order.kept = kept


def mark_kept_words(unigrams: Order, threshold: int, keep_words: NDArray[np.bool_] | None) -> None:
    """Mark the words to keep, by their raw counts, among those of ``keep_words``."""
    # Without a threshold, also words of a given vocabulary that are not in the text.
    kept = (unigrams.counts > threshold) | (threshold == 0)
    if keep_words is not None:
        if keep_words.shape != kept.shape:
            raise OptionError(f"keep_words has the shape {keep_words.shape}; the vocabulary has {kept.size} words")
        kept &= keep_words
    kept[[UNK, BOS, EOS]] = True
    unigrams.kept = kept


def frequencies_of(counts: Int32s) -> NDArray[np.int64]:
    """How many n-grams have the count 0, 1, 2, .., as far as a smoothing asks for it."""
    frequencies = np.zeros(COUNTS_OF_COUNTS, np.int64)
    kernels.count_counts(counts, frequencies)
    return frequencies


def _adjust(orders: list[Order], initial: list[NDArray[np.bool_]] | None, *, has_unseen: bool) -> None:
    """Replace the counts below the highest order by adjusted counts (Chen & Goodman, section 2.7).

    The adjusted count of an n-gram is the number of different words before it. That is the number of longer n-grams of
    which it is the suffix; and one more for "no word" where it begins a sentence that is not marked by ``<s>``. An
    n-gram that begins with ``<s>`` has no word before it and keeps its count. Longer n-grams that were not seen, with
    the count 0, do not count.
    """
    for k, (order, above) in enumerate(pairwise(orders)):
        forget_counts(order.counts, order.sentence_starts, None if initial is None else initial[k])
        seen = above.suffixes[above.counts > 0] if has_unseen else above.suffixes
        kernels.add_left_neighbors(seen, order.counts)


def forget_counts(counts: Int32s, sentence_starts: tuple[int, int], initial: NDArray[np.bool_] | None) -> None:
    """Set adjusted counts to what they are without any word before: see ``_adjust``."""
    first, last = sentence_starts
    if initial is not None:
        counts[:] = initial
    else:
        counts[:first] = counts[last:] = 0


# --- probabilities


def _memory_of(array: Int32s, dtype: np.dtype[Any]) -> Floats:
    """Memory for as many numbers: that of the array itself, if they are equally long."""
    return array.view(dtype) if dtype == np.float32 else np.empty(array.size, dtype)


def rule_without_start(rule: Rule, k: int, order: int, method: Smoothing) -> Rule:
    """The rule for contexts of order ``k`` - 1 that do not begin with <s>, in a model of order ``order``."""
    return rule._replace(weight=0.0) if method.longest_only and k < order else rule


class ContextSmoothing(NamedTuple):
    """How the probabilities of one order follow from its counts."""

    rule: Rule
    short_rule: Rule  # for contexts that do not begin with <s>
    words: int  # that can be predicted
    interpolates: bool
    fixed_backoff: float | None

    def __call__(
        self, successors: Successors, sentence_starts: tuple[int, int], lower: Floats, probs: Floats, gammas: Floats
    ) -> None:
        """Write probabilities, and what goes to the shorter context, of all contexts.

        ``sentence_starts``: the range of contexts that begin with <s>; the others are those of ``kernels.interpolate``.
        """
        apply = kernels.interpolate if self.interpolates else kernels.back_off
        (first, last), end = sentence_starts, successors.starts.size - 1
        for begin, stop, rule in (
            (0, first, self.short_rule), (first, last, self.rule), (last, end, self.short_rule)
        ):  # fmt: skip
            apply(successors, begin, stop, rule, self.words, lower, probs, gammas)
        if self.fixed_backoff is not None:
            gammas[:] = self.fixed_backoff


def smooth_words(
    order: Order, rule: Rule, predicted: NDArray[np.bool_], unigrams: Unigrams, dtype: np.dtype[Any]
) -> None:
    """Probabilities of unigrams, over their counts."""
    order.probs = _memory_of(order.counts, dtype)
    successors = Successors(order.starts, order.suffixes, order.counts, order.kept)
    unigrams.smooth(successors, rule, predicted, order.probs)


def _smooth(orders: list[Order], k: int, rule: Rule, method: Smoothing, words: int, interpolates: bool) -> None:
    """Probabilities of k-grams and back-offs of their contexts; then takes the logarithms of the order below."""
    order, below = orders[k - 1], orders[k - 2]
    dtype = below.probs.dtype
    order.probs, below.backoffs = _memory_of(order.counts, dtype), _memory_of(below.suffixes, dtype)
    successors = Successors(order.starts, order.suffixes, order.counts, order.kept)
    short_rule = rule_without_start(rule, k, len(orders), method)
    step = ContextSmoothing(rule, short_rule, words, interpolates, method.fixed_backoff)
    step(successors, below.sentence_starts, below.probs, order.probs, below.backoffs)
    take_logs(below.probs)
    take_logs(below.backoffs)


def take_logs(values: Floats) -> None:
    """Replace values by their log10."""
    with np.errstate(divide="ignore"):
        for start in range(0, values.size, _BLOCK):
            block = values[start : start + _BLOCK]
            if values.dtype == np.float32:
                np.log(block, out=block)  # has vector instructions in float32, unlike log10
                block *= _LOG10_E
            else:
                np.log10(block, out=block)


# --- the model


def as_model(orders: list[Order], vocabulary: Vocabulary, method: Smoothing) -> BackoffModel:
    """The model of orders whose probabilities are logarithms by now, without what is not kept; uses the orders up."""
    unseen_backoff = 0.0 if method.fixed_backoff is None else math.log10(method.fixed_backoff)
    if not orders[0].kept.size:
        levels = [Level(order.starts, order.words, order.probs, order.backoffs) for order in orders]
        return BackoffModel(vocabulary, levels, unseen_backoff)
    kept_words = orders[0].kept
    new_ids = np.cumsum(kept_words, dtype=np.int32) - np.int32(1)
    levels = []
    contexts = np.ones(1, np.bool_)
    while orders:  # so that the memory of each order is freed before the next is copied
        order = orders.pop(0)
        kept = order.kept
        levels.append(
            Level(
                kept_starts(order.starts, kept, contexts),
                new_ids[order.words[kept]],
                order.probs[kept],
                None if order.backoffs is None else order.backoffs[kept],
            )
        )
        contexts = kept
    return BackoffModel(kept_vocabulary(vocabulary, kept_words), levels, unseen_backoff)


def kept_starts(starts: Int32s, kept: NDArray[np.bool_], kept_contexts: NDArray[np.bool_]) -> Int32s:
    """The starts of the kept n-grams, one for each kept context."""
    before = np.zeros(kept.size + 1, np.int32)
    np.cumsum(kept, out=before[1:])
    return np.append(before[starts[:-1]][kept_contexts], before[-1])


def kept_vocabulary(vocabulary: Vocabulary, kept: NDArray[np.bool_]) -> Vocabulary:
    """The kept words; the counts of the others are added to <unk>."""
    if kept.all():
        return vocabulary
    counts = vocabulary.counts[kept]
    counts[UNK] += vocabulary.counts[~kept].sum()
    return Vocabulary(list(compress(vocabulary.words, kept.tolist())), counts, vocabulary.specials)
