"""Estimate a back-off model from counts that lie in partitions, to the same bits as ``estimation.estimate``.

What a partition does not know of its n-grams is what belongs to their suffixes, which lie in others. Each asks the
others once, and is answered twice: to be asked for an n-gram is to be its left neighbor, which makes adjusted counts;
and each order's probabilities are needed by the next one's::

    partition    ask       the suffixes of its n-grams, to the partitions they lie in
    partition    adjust    adjusted counts, which n-grams are kept, counts of counts
    together               discounts, from the sums of counts of counts; probabilities of words
    partition    smooth    order by order: probabilities, and those of suffixes to whoever asked

A word whose bigrams lie in two partitions or more is a context that none of them can smooth: it is *shared*, and its
bigrams are smoothed where the partitions come together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.bars import OnProgress
from windrow.lm.ngram import estimation
from windrow.lm.ngram.estimation import ContextSmoothing, Order
from windrow.lm.ngram.kernels.estimate import Successors
from windrow.lm.ngram.levels import BackoffModel, Floats, Int32s, Level
from windrow.lm.ngram.partition_steps import ALL, Bigrams, Wanted, adjust, ask, smooth, smooth_bigrams
from windrow.lm.ngram.partitions import CountedPartitions, Partition
from windrow.lm.ngram.smoothing import SMOOTHINGS, Evidence, smoothing_named
from windrow.lm.symbols import BOS

_FLOAT = np.dtype(np.float32)


def can_estimate(smoothing: str, weights: Sequence[float] | None, lmplz_compat: NDArray[Any] | None) -> bool:
    """Whether partitions suffice: not where weights are to be fitted, or lmplz's slip to be found, in all counts."""
    is_to_fit = SMOOTHINGS[smoothing].weighted and weights is None
    return lmplz_compat is None and not is_to_fit


def estimate_partitions(
    counted: CountedPartitions,
    smoothing: str = "modified-kneser-ney",
    *,
    prune: Sequence[int] = (),
    keep_words: NDArray[np.bool_] | None = None,
    progress: OnProgress | None = None,
    **options: Any,
) -> BackoffModel:
    """What ``estimation.estimate`` gives for the same counts, to the bit; the parameters are the same."""
    order = counted.plan.order
    chosen, words_chosen = estimation.chosen_options(options)
    method, interpolates = smoothing_named(smoothing, chosen)
    words_chosen.check()
    estimation.check_text(counted.totals(), counted.unigrams.counts)
    chosen.check(order)
    thresholds = estimation.thresholds_of(prune, order)
    unigrams = _unigrams(counted)
    if any(thresholds) or keep_words is not None:
        estimation.mark_kept_words(unigrams, thresholds[0], keep_words)
    predicted = words_chosen.predicted(unigrams.kept, unigrams.counts)
    words = words_chosen.parts(predicted)
    edges = [counted.offsets(k) for k in range(2, order + 1)]
    wanted = Wanted(predicted.size, thresholds, unigrams.kept, method.adjusted, edges, counted.plan.shared_words())
    work = _Work(counted, wanted, progress)
    adjusted = work.adjust()
    if method.adjusted and order > 1:
        estimation.forget_counts(unigrams.counts, unigrams.sentence_starts, counted.initial)
        unigrams.counts += adjusted.left_neighbors.astype(np.int32)
    frequencies = [estimation.frequencies_of(unigrams.counts), *adjusted.frequencies]
    rules = [method.rule(Evidence(k, t, words, chosen)) for k, t in enumerate(frequencies, 1)]
    shorts = [estimation.rule_without_start(rule, k, order, method) for k, rule in enumerate(rules, 1)]
    estimation.smooth_words(unigrams, shorts[0], predicted, words_chosen, _FLOAT)
    steps = [
        ContextSmoothing(rule, short, words, interpolates, method.fixed_backoff)
        for rule, short in zip(rules, shorts, strict=True)
    ]
    levels: list[Level] = []
    if order > 1:
        smoothed = work.smooth(steps[1:], unigrams, adjusted)
        levels, unigrams.backoffs = work.collect(adjusted, smoothed)
    estimation.take_logs(unigrams.probs)
    model = estimation.as_model([unigrams], counted.vocabulary, method)
    model.levels += levels
    return model


def _unigrams(counted: CountedPartitions) -> Order:
    level = counted.unigrams
    nothing = np.empty(0, np.float32)
    return Order(level.starts, level.words, level.suffixes, level.counts.astype(np.int32), (BOS, BOS + 1), ALL, nothing)


class _Adjusted(NamedTuple):
    """What partitions told of their adjusted counts."""

    states: list[Any]  # handles of State
    asked: list[list[Any]]  # asked[p][q]: handle of what partition p asked q for
    left_neighbors: NDArray[np.int64]  # (words,): in how many bigrams each word is the second
    frequencies: list[NDArray[np.int64]]  # of orders from 2: counts of counts
    kept: list[int]  # how many n-grams of each order from 2 are kept
    shared: list[list[Bigrams]]  # by partition


class _Work:
    """The steps that partitions do."""

    def __init__(self, counted: CountedPartitions, wanted: Wanted, progress: OnProgress | None) -> None:
        self._counted, self._workers, self._wanted = counted, counted.workers, wanted
        self._order, self._parts = counted.plan.order, range(len(counted.parts))
        self._orders = range(2, self._order + 1)
        self._progress, self._steps = progress, 0
        self._handle = self._workers.put(wanted)

    def _map(self, function: Callable[..., Any], arguments: Any, returns: int) -> list[Any]:
        """A step of all partitions, with ``arguments(p)`` beside the partition itself and what is wanted."""
        before, self._steps = self._steps, self._steps + 1

        def told(done: int) -> None:
            if self._progress is not None:
                self._progress("estimating", (before + done / len(self._parts)) / (self._order + 1))

        parts = ((self._counted.parts[p], self._handle, *arguments(p)) for p in self._parts)
        return self._workers.map(function, parts, returns=returns, on_done=told)

    def adjust(self) -> _Adjusted:
        get = self._workers.get
        asked = self._map(ask, lambda p: (self._counted.suffixes[p],), len(self._parts) + 1) if self._parts else []
        told = self._map(adjust, lambda q: [asked[p][q] for p in self._parts], 4)
        left_neighbors = np.zeros(self._wanted.words, np.int64)
        for of_part in asked:
            left_neighbors += get(of_part.pop())
        frequencies = sum((get(of_part[1]) for of_part in told), np.zeros((self._order - 1, 1), np.int64))
        kept = sum((get(of_part[2]) for of_part in told), np.zeros(self._order - 1, np.int64))
        shared = [get(of_part[3]) for of_part in told]
        return _Adjusted([of_part[0] for of_part in told], asked, left_neighbors, [*frequencies], kept.tolist(), shared)

    def smooth(self, steps: Sequence[ContextSmoothing], unigrams: Order, adjusted: _Adjusted) -> _Smoothed:
        """Probabilities and back-offs, order by order from 2."""
        given, shared_gammas = _smooth_shared(adjusted.shared, steps[0], unigrams.probs)
        states, asked, suffixes = adjusted.states, adjusted.asked, self._counted.suffixes
        words, answers, results = self._workers.put(unigrams.probs), _Columns([]), []
        for k, step in enumerate(steps, 2):
            questions = _Columns(asked if k < self._order else [])
            arguments: list[tuple[Any, ...]] = []
            for p in self._parts:
                lower = (words, given[p]) if k == 2 else (suffixes[p], k)
                arguments.append((states[p], step, *lower, *answers.of(p), *questions.of(p)))
            function: Callable[..., Any] = smooth_bigrams if k == 2 else smooth
            smoothed = self._map(function, arguments.__getitem__, len(questions.rows) + 2)
            answers = _Columns([of_part[:-2] for of_part in smoothed])
            results.append([of_part[-2:] for of_part in smoothed])
        return _Smoothed(results, shared_gammas)

    def collect(self, adjusted: _Adjusted, smoothed: _Smoothed) -> tuple[list[Level], Floats]:
        """The levels from order 2 up, and the back-off weights of all words; both as logarithms."""
        get, kept_words, words = self._workers.get, self._wanted.kept_words, self._wanted.words
        contexts_of = [words, *adjusted.kept]  # also of words that are not kept, which come out at the end
        levels = [_LevelToFill(contexts_of[k - 2], adjusted.kept[k - 2], k < self._order) for k in self._orders]
        ids = np.cumsum(kept_words, dtype=np.int32) - np.int32(1) if kept_words.size else None
        backoffs = np.zeros(words, np.float32)
        for p in self._parts:
            part, state = get(self._counted.parts[p]), get(adjusted.states[p])
            contexts = ALL
            for k, level in enumerate(levels, 2):
                probs, gammas = (get(handle) for handle in smoothed.results[k - 2][p])
                if k == 2:
                    backoffs[part.first_word : part.first_word + gammas.size] = gammas
                else:
                    levels[k - 3].put_backoffs(gammas, contexts)
                kept = state.kept[k - 2]
                level.put(part, k, kept, contexts, probs, ids)
                contexts = kept
        for word, gamma in smoothed.shared_gammas.items():
            backoffs[word] = gamma
        made = [level.made(kept_words if k == 2 else ALL) for k, level in enumerate(levels, 2)]
        return made, backoffs


class _Columns(NamedTuple):
    """Handles of what each partition, a row, has for each other one."""

    rows: list[list[Any]]

    def of(self, partition: int) -> list[Any]:
        """What all have for one of them."""
        return [row[partition] for row in self.rows]


class _Smoothed(NamedTuple):
    """Handles of log10 probabilities and of log10 back-offs of the order below, by order from 2 and partition."""

    results: list[list[Any]]
    shared_gammas: dict[int, np.float32]  # log10


class _LevelToFill:
    """A level that partitions are put into, one after the other."""

    def __init__(self, contexts: int, size: int, backs_off: bool) -> None:
        self._sizes = np.zeros(contexts, np.int32)  # of order 2 by word, kept or not
        self._contexts = self._size = self._weighted = 0  # that are filled
        self._words, self._probs = np.empty(size, np.int32), np.empty(size, np.float32)
        self._backoffs = np.empty(size, np.float32) if backs_off else None

    def put(
        self, part: Partition, k: int, kept: NDArray[np.bool_], contexts: NDArray[np.bool_], probs: Floats,
        ids: Int32s | None,
    ) -> None:  # fmt: skip
        """Append the kept n-grams of a partition; ``contexts``: which contexts are kept; ``ids``: of kept words."""
        starts, words = part.starts[k - 2], part.words[k - 2]
        if ids is not None:
            every = contexts if k > 2 else np.ones(starts.size - 1, np.bool_)
            starts, words, probs = estimation.kept_starts(starts, kept, every), words[kept], probs[kept]
        here, sizes = slice(self._size, self._size + words.size), np.diff(starts)
        self._words[here] = words if ids is None else ids[words]
        self._probs[here] = probs
        self._size += words.size
        first = part.first_word if k == 2 else self._contexts
        self._sizes[first : first + sizes.size] += sizes  # neighbors may have bigrams of the same word
        self._contexts += sizes.size

    def put_backoffs(self, gammas: Floats, kept: NDArray[np.bool_]) -> None:
        """Append the back-off weights of a partition's n-grams."""
        if kept.size:
            gammas = gammas[kept]
        assert self._backoffs is not None
        self._backoffs[self._weighted : self._weighted + gammas.size] = gammas
        self._weighted += gammas.size

    def made(self, kept_contexts: NDArray[np.bool_]) -> Level:
        """The full level, without contexts that are not kept."""
        sizes = self._sizes[kept_contexts] if kept_contexts.size else self._sizes
        starts = np.concatenate([np.zeros(1, np.int32), np.cumsum(sizes, dtype=np.int32)])
        return Level(starts, self._words, self._probs, self._backoffs)


def _smooth_shared(
    shared: list[list[Bigrams]], step: ContextSmoothing, words: Floats
) -> tuple[list[dict[int, Floats]], dict[int, np.float32]]:
    """Probabilities of the bigrams of shared words, by partition and word, and log10 back-offs of these words."""
    pieces: dict[int, list[tuple[int, Bigrams]]] = {}
    for p, of_part in enumerate(shared):
        for bigrams in of_part:
            pieces.setdefault(bigrams.word, []).append((p, bigrams))
    given: list[dict[int, Floats]] = [{} for _ in shared]
    gammas: dict[int, np.float32] = {}
    for word, its in pieces.items():
        seconds, counts, kept = (np.concatenate([bigrams[field] for _, bigrams in its]) for field in (1, 2, 3))
        probs, gamma = np.empty(seconds.size, np.float32), np.ones(1, np.float32)
        successors = Successors(np.array([0, seconds.size], np.int32), seconds, counts, kept)
        step(successors, (0, int(word == BOS)), words, probs, gamma)
        estimation.take_logs(gamma)
        gammas[word] = gamma[0]
        ends = np.cumsum([bigrams.seconds.size for _, bigrams in its])
        for (p, _), own in zip(its, np.split(probs, ends[:-1]), strict=True):
            given[p][word] = own
    return given, gammas
