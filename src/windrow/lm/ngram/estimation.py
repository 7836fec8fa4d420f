"""From the counts of n-grams to a back-off model: adjusted counts, discounts, probabilities, back-offs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import compress, pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from windrow.corpus import Vocabulary
from windrow.errors import DataError, OptionError, check_range, check_whole
from windrow.lm.ngram.kernels import estimate as kernels
from windrow.lm.ngram.kernels.estimate import Rule, Successors
from windrow.lm.ngram.levels import BackoffModel, Floats, Int32s, Level, NGramCounts
from windrow.lm.ngram.smoothing import COUNTS_OF_COUNTS, Evidence, Options, Smoothing, fit_weights, smoothing_named
from windrow.lm.symbols import BOS, EOS, UNK

_BLOCK = 1 << 15  # numbers whose logarithms are taken while they are in the cache
_ALL = np.empty(0, np.bool_)
_NONE = np.empty(0, np.float32)
_LOG10_E = np.float32(np.log10(np.e))


@dataclass
class _Order:
    """The k-grams on their way from counts to probabilities, which take the counts' place in memory."""

    starts: Int32s
    words: Int32s
    suffixes: Int32s
    counts: Int32s
    sentence_starts: tuple[int, int]  # from where to where the k-grams begin with <s>
    kept: NDArray[np.bool_]  # empty: all
    probs: Floats
    backoffs: Floats | None = None


def estimate(
    counts: NGramCounts,
    smoothing: str = "modified-kneser-ney",
    *,
    prune: Sequence[int] = (),
    keep_words: NDArray[np.bool_] | None = None,
    open_vocabulary: bool = True,
    unk_mass: float | None = None,
    dtype: DTypeLike = np.float32,
    keep_counts: bool = False,
    **options: Any,
) -> BackoffModel:
    """The back-off model of counted text, by a method of ``SMOOTHINGS`` with its ``Options``.

    ``counts`` are used up, as the model takes their memory, unless ``keep_counts``. ``prune``: leave out the n-grams
    that occur at most so often, a number an order, none below the one before, the last for all further orders;
    ``keep_words``: and those with a word outside the mask, (words,). What they had goes to shorter contexts, and words
    left out leave the vocabulary; ``<unk>``, ``<s>`` and ``</s>`` stay. Not ``open_vocabulary``: an ``<unk>`` that is
    not in the text has no probability. ``unk_mass``: the probability of ``<unk>``. p of ``<s>`` is 0, -inf in log10.
    ``dtype``: of the log10 probabilities.
    Raises OptionError, and DataError for text too small for the order or the method.
    """
    chosen = _options(options)
    method, interpolates = smoothing_named(smoothing, chosen)
    _check_unknown(unk_mass, open_vocabulary)
    _check_text(counts)
    chosen.check(counts.order)
    thresholds = _thresholds(prune, counts.order)
    orders = _own(counts, copies=keep_counts or np.dtype(dtype) != np.float32)
    if any(thresholds) or keep_words is not None:
        _mark_kept(orders, thresholds, keep_words)
    predicted = _predicted(orders[0], open_vocabulary)
    words = int(np.count_nonzero(predicted))
    if method.weighted and chosen.weights is None:
        chosen = replace(chosen, weights=fit_weights(counts, words, chosen.heldout))
    if method.adjusted:
        frequencies = _adjust(orders, counts.initial, chosen.lmplz_compat)
    else:
        frequencies = list(map(_frequencies, orders))
    vocabulary = counts.vocabulary
    if not keep_counts:
        counts.levels = []
    rules = [method.rule(Evidence(k, t, words, chosen)) for k, t in enumerate(frequencies, 1)]
    _smooth_words(orders[0], _in_short_context(rules[0], 1, orders, method), predicted, unk_mass, np.dtype(dtype))
    for k in range(2, len(orders) + 1):
        _smooth(orders, k, rules[k - 1], method, words, interpolates)
    _take_logs(orders[-1].probs)
    return _as_model(orders, vocabulary, method)


# --- what is asked for


def _options(options: dict[str, Any]) -> Options:
    known = [field.name for field in fields(Options)]
    for name in options:
        if name not in known:
            raise OptionError(f"there is no option {name!r} of smoothing; choose from {', '.join(known)}")
    return Options(**options)


def _thresholds(prune: Sequence[int], order: int) -> list[int]:
    """One threshold an order; the last one given holds for those above."""
    thresholds = [check_whole("prune", threshold) for threshold in prune] or [0]
    for threshold in thresholds:
        check_range("prune", threshold, 0)
    if len(thresholds) > order:
        raise OptionError(f"prune has {len(thresholds)} numbers for a model of order {order}; give at most {order}")
    if sorted(thresholds) != thresholds:
        raise OptionError(f"prune = {tuple(prune)} must not fall: the context of an n-gram that is kept is kept, too")
    return thresholds + thresholds[-1:] * (order - len(thresholds))


def _check_unknown(unk_mass: float | None, open_vocabulary: bool) -> None:
    if unk_mass is None:
        return
    check_range("unk_mass", unk_mass, 0, 1, low_open=True, high_open=True)
    if not open_vocabulary:
        raise OptionError("unk_mass is the probability of unknown words; a closed vocabulary leaves them none")


def _check_text(counts: NGramCounts) -> None:
    if counts.order == 0 or not counts.levels[0].counts.any():
        raise DataError("there are no counts (they were used up by an estimate, or the text is empty): count again")
    for k, level in enumerate(counts.levels, 1):
        if not level.words.size:
            raise DataError(f"the text has no {k}-grams, its sentences are too short; try --order {k - 1}")


# --- counts


def _own(counts: NGramCounts, copies: bool) -> list[_Order]:
    """The levels in arrays that may be written, and where their n-grams begin with <s>."""
    orders = []
    span = BOS, BOS + 1
    for k, level in enumerate(counts.levels, 1):
        starts, words = np.asarray(level.starts), np.asarray(level.words)
        # Maps of files are seen as arrays, so that kernels are compiled for one kind.
        changed = [np.asarray(level.suffixes), np.asarray(level.counts, np.int32)]
        suffixes, raw = (array.copy() if copies or not array.flags.writeable else array for array in changed)
        if k > 1:
            span = int(starts[span[0]]), int(starts[span[1]])
        orders.append(_Order(starts, words, suffixes, raw, span, _ALL, _NONE))
    return orders


def _mark_kept(orders: list[_Order], thresholds: list[int], keep_words: NDArray[np.bool_] | None) -> None:
    """Decide on raw counts what stays: of every n-gram kept, the context and the suffix are kept."""
    kept = (orders[0].counts > thresholds[0]) | (thresholds[0] == 0)  # a given word need not be in the text
    if keep_words is not None:
        if keep_words.shape != kept.shape:
            raise OptionError(f"keep_words has the shape {keep_words.shape}; the vocabulary has {kept.size} words")
        kept &= keep_words
    kept[[UNK, BOS, EOS]] = True
    orders[0].kept = kept_words = kept
    for order, threshold in zip(orders[1:], thresholds[1:], strict=True):
        contexts, kept = kept, np.empty(order.words.size, np.bool_)
        kernels.mark_kept(order.starts, order.words, order.counts, threshold, kept_words, contexts, kept)
        order.kept = kept


def _predicted(unigrams: _Order, open_vocabulary: bool) -> NDArray[np.bool_]:
    """The words that can come next, (words,)."""
    predicted = unigrams.kept.copy() if unigrams.kept.size else np.ones(unigrams.words.size, np.bool_)
    predicted[BOS] = False
    predicted[EOS] = unigrams.counts[EOS] > 0
    predicted[UNK] = open_vocabulary or unigrams.counts[UNK] > 0
    return predicted


def _frequencies(order: _Order) -> NDArray[np.int64]:
    frequencies = np.zeros(COUNTS_OF_COUNTS, np.int64)
    kernels.count_counts(order.counts, frequencies)
    return frequencies


def _adjust(
    orders: list[_Order], initial: list[NDArray[np.bool_]] | None, first_seen: NDArray[Any] | None
) -> list[NDArray[np.int64]]:
    """Make the counts of lower orders those of different words to the left; returns the counts of counts.

    What begins with <s> has no word to the left and keeps its count. So do the n-grams of the highest order.
    """
    slips = [] if first_seen is None else _last_in_suffix_order(orders, first_seen)
    raw_counts = [int(order.counts[place]) for order, place in zip(orders, slips, strict=False)]
    for k, (order, above) in enumerate(pairwise(orders)):
        first, last = order.sentence_starts
        if initial is not None:
            order.counts[:] = initial[k]
        else:
            order.counts[:first] = order.counts[last:] = 0
        kernels.add_left_neighbors(above.suffixes, order.counts)
    frequencies = list(map(_frequencies, orders))
    for order, t, place, raw_count in zip(orders, frequencies, slips, raw_counts, strict=False):
        # lmplz has these enter with their raw counts.
        for count, change in ((int(order.counts[place]), -1), (raw_count, 1)):
            if count < t.size:
                t[count] += change
    return frequencies


def _last_in_suffix_order(orders: list[_Order], first_seen: NDArray[Any]) -> list[int]:
    """The places of the suffixes, below the highest order, of the event that lmplz comes to last.

    It sorts events by the last word, then by the one before, and so on, and numbers words as they appear.
    """
    if first_seen.shape != orders[0].words.shape:
        raise OptionError(
            f"lmplz_compat has {first_seen.size} entries; the vocabulary has {orders[0].words.size} words"
        )
    if len(orders) == 1:
        return []
    ranks = np.asarray(first_seen, np.int64) + 3
    ranks[[UNK, BOS, EOS]] = 0, 1, 2
    places = [int(np.argmax(np.where(orders[0].counts > 0, ranks, -1)))]
    for k in range(1, len(orders) - 1):
        longer = np.flatnonzero(orders[k].suffixes == places[-1])
        if not longer.size:
            break
        first_words = longer
        for order in orders[k:0:-1]:
            first_words = np.searchsorted(order.starts, first_words, "right") - 1
        places.append(int(longer[np.argmax(ranks[first_words])]))
    return places


def first_appearances(stream: NDArray[np.int32], words: int) -> NDArray[np.int64]:
    """Where each word first occurs in a stream of ids, (words,); its length for those that do not."""
    places = np.full(words, stream.size, np.int64)
    places[stream[::-1]] = np.arange(stream.size - 1, -1, -1)  # of equal indices the last one is assigned
    return places


# --- probabilities


def _room(array: Int32s, dtype: np.dtype[Any]) -> Floats:
    """Room for as many numbers: the array's own memory, if they are as long."""
    return array.view(dtype) if dtype == np.float32 else np.empty(array.size, dtype)


def _in_short_context(rule: Rule, k: int, orders: list[_Order], method: Smoothing) -> Rule:
    """The rule of contexts that are shorter than the longest, and not because the sentence begins there."""
    return rule._replace(weight=0.0) if method.longest_only and k < len(orders) else rule


def _smooth_words(
    order: _Order, rule: Rule, predicted: NDArray[np.bool_], unk_mass: float | None, dtype: np.dtype[Any]
) -> None:
    """The unigrams, in either form interpolated with the uniform distribution: there is nothing to back off to."""
    words = int(np.count_nonzero(predicted))
    order.probs = probs = _room(order.counts, dtype)
    successors = Successors(order.starts, order.suffixes, order.counts, order.kept)
    kernels.interpolate(successors, 0, 1, rule, words, np.full(1, 1 / words, dtype), probs, np.empty(1, dtype))
    probs[~predicted] = 0
    if unk_mass is not None:
        if words == 1:
            raise DataError("unk_mass leaves the rest to other words, but none is left; try a lower prune")
        probs *= (1 - unk_mass) / (1 - float(probs[UNK]))
        probs[UNK] = unk_mass


def _smooth(orders: list[_Order], k: int, rule: Rule, method: Smoothing, words: int, interpolates: bool) -> None:
    """The k-grams and the back-offs of their contexts; what is below them is logarithms from then on."""
    order, below = orders[k - 1], orders[k - 2]
    dtype = below.probs.dtype
    order.probs, below.backoffs = _room(order.counts, dtype), _room(below.suffixes, dtype)
    successors = Successors(order.starts, order.suffixes, order.counts, order.kept)
    apply = kernels.interpolate if interpolates else kernels.back_off
    first, last = below.sentence_starts
    short_rule = _in_short_context(rule, k, orders, method)
    for begin, end, its_rule in ((0, first, short_rule), (first, last, rule), (last, below.words.size, short_rule)):
        apply(successors, begin, end, its_rule, words, below.probs, order.probs, below.backoffs)
    if method.fixed_backoff is not None:
        below.backoffs[:] = method.fixed_backoff
    _take_logs(below.probs)
    _take_logs(below.backoffs)


def _take_logs(values: Floats) -> None:
    """log10 in place."""
    with np.errstate(divide="ignore"):
        for start in range(0, values.size, _BLOCK):
            block = values[start : start + _BLOCK]
            if values.dtype == np.float32:
                np.log(block, out=block)  # has vector instructions in float32, unlike log10
                block *= _LOG10_E
            else:
                np.log10(block, out=block)


# --- the model


def _as_model(orders: list[_Order], vocabulary: Vocabulary, method: Smoothing) -> BackoffModel:
    unseen_backoff = 0.0 if method.fixed_backoff is None else math.log10(method.fixed_backoff)
    if not orders[0].kept.size:
        levels = [Level(order.starts, order.words, order.probs, order.backoffs) for order in orders]
        return BackoffModel(vocabulary, levels, unseen_backoff)
    kept_words = orders[0].kept
    new_ids = np.cumsum(kept_words, dtype=np.int32) - np.int32(1)
    levels = []
    contexts = np.ones(1, np.bool_)
    while orders:  # from the front, so that memory is given back
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
    return BackoffModel(_kept_vocabulary(vocabulary, kept_words), levels, unseen_backoff)


def kept_starts(starts: Int32s, kept: NDArray[np.bool_], kept_contexts: NDArray[np.bool_]) -> Int32s:
    """The starts of the n-grams that are kept, by the contexts that are kept."""
    before = np.zeros(kept.size + 1, np.int32)
    np.cumsum(kept, out=before[1:])
    return np.append(before[starts[:-1]][kept_contexts], before[-1])


def _kept_vocabulary(vocabulary: Vocabulary, kept: NDArray[np.bool_]) -> Vocabulary:
    """The words kept; the others count as <unk>."""
    if kept.all():
        return vocabulary
    counts = vocabulary.counts[kept]
    counts[UNK] += vocabulary.counts[~kept].sum()
    return Vocabulary(list(compress(vocabulary.words, kept.tolist())), counts, vocabulary.specials)


# --- the definition of a model's probabilities


def distribution(model: BackoffModel, context: Sequence[int] | NDArray[np.integer]) -> NDArray[np.float64]:
    """p(word | context) of every word by the definition, (words,) float64; 0 for <s>.

    ``context``: ids, of which those since the last <s> count, at most ``order`` - 1. Slow and plain: to check others.
    """
    ids = [int(word) for word in context]
    ids = ids[max((place for place, word in enumerate(ids) if word == BOS), default=0) :]
    probs: NDArray[np.float64] = 10 ** model.levels[0].log10_probs.astype(np.float64)
    for length in range(1, min(len(ids), model.order - 1) + 1):
        place = find_ngram(model, ids[len(ids) - length :])
        if place < 0:
            probs *= 10**model.unseen_backoff
            continue
        context_level, level = model.levels[length - 1], model.levels[length]
        assert context_level.log10_backoffs is not None
        probs *= 10 ** float(context_level.log10_backoffs[place])
        stored = slice(level.starts[place], level.starts[place + 1])
        probs[level.words[stored]] = 10 ** level.log10_probs[stored].astype(np.float64)
    probs[BOS] = 0
    return probs


def find_ngram(model: BackoffModel, ids: Sequence[int]) -> int:
    """The place of an n-gram among those of its order, -1 if it is not stored."""
    place = 0
    for level, word in zip(model.levels, ids, strict=False):
        first, last = level.starts[place], level.starts[place + 1]
        place = int(first + np.searchsorted(level.words[first:last], word))
        if place == last or level.words[place] != word:
            return -1
    return place
