"""What the workers of a cluster do in an estimate: each function is one step of one partition.

``partition_estimation`` tells in which order, and what is done between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.lm.ngram import estimation
from windrow.lm.ngram.estimation import ContextSmoothing
from windrow.lm.ngram.kernels import estimate as kernels
from windrow.lm.ngram.kernels import partitions as exchange
from windrow.lm.ngram.kernels.estimate import Successors
from windrow.lm.ngram.levels import Floats, Int32s
from windrow.lm.ngram.merging import read_only
from windrow.lm.ngram.partitions import Partition
from windrow.lm.symbols import BOS

ALL = np.empty(0, np.bool_)  # in place of marks where all n-grams are kept


@dataclass(frozen=True)
class Wanted:
    """What every partition needs to know of the model and of the others."""

    words: int
    thresholds: list[int]  # for orders from 1
    kept_words: NDArray[np.bool_]  # (words,), or empty where all n-grams are kept
    adjusted: bool
    edges: list[NDArray[np.int64]]  # of orders from 2: where the n-grams of each partition begin, and the last ones end
    shared: frozenset[int]


class State(NamedTuple):
    """The n-grams of a partition on the way to probabilities, order by order from 2."""

    counts: list[Int32s]
    kept: list[NDArray[np.bool_]]  # empty where all are kept


class Bigrams(NamedTuple):
    """Those bigrams of a shared word that lie in one partition."""

    word: int
    seconds: Int32s
    counts: Int32s
    kept: NDArray[np.bool_]


def ask(part: Partition, wanted: Wanted, suffixes: list[Int32s]) -> list[Any]:
    """For each partition, order by order from 3, the places of suffixes there; last, (words,), how often words are."""
    columns = []
    for own, edges in zip(map(read_only, suffixes[1:]), map(read_only, wanted.edges), strict=False):
        sizes = np.zeros(edges.size - 1, np.int64)
        exchange.count_asked(own, edges, sizes)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        asked = np.empty(own.size, np.int32)
        exchange.deal_asked(own, edges, starts.copy(), asked)
        columns.append(np.split(asked, starts[1:-1]))
    left_neighbors = np.bincount(part.words[0], minlength=wanted.words)
    return [*([column[q].copy() for column in columns] for q in range(wanted.edges[0].size - 1)), left_neighbors]


def adjust(part: Partition, wanted: Wanted, *asked: list[Int32s]) -> list[Any]:
    """The State of a partition, its counts of counts, how many n-grams are kept, and its bigrams of shared words."""
    raw, ranges = [counts.copy() for counts in part.counts], _sentence_starts(part)
    kept = _marked(part, wanted, raw)
    if wanted.adjusted:
        for row, counts in enumerate(raw[:-1]):
            initial = part.initial[row] if part.initial else None
            estimation.forget_counts(counts, ranges[row + 1], initial)
            for of_part in asked:
                kernels.add_left_neighbors(_own(of_part[row]), counts)
    frequencies = np.stack([estimation.frequencies_of(counts) for counts in raw])
    sizes = np.array(
        [np.count_nonzero(marks) if marks.size else counts.size for counts, marks in zip(raw, kept, strict=True)]
    )
    return [State(raw, kept), frequencies, sizes, _shared_bigrams(part, wanted, raw[0], kept[0])]


def _marked(part: Partition, wanted: Wanted, raw: list[Int32s]) -> list[NDArray[np.bool_]]:
    """Which n-grams are kept, by their raw counts."""
    if not wanted.kept_words.size:
        return [ALL for _ in raw]
    kept_words = _own(wanted.kept_words)
    marks = [kept_words[part.first_word : part.first_word + part.starts[0].size - 1]]
    for starts, words, counts, threshold in zip(part.starts, part.words, raw, wanted.thresholds[1:], strict=True):
        own = np.empty(words.size, np.bool_)
        kernels.mark_kept(_own(starts), _own(words), counts, threshold, kept_words, marks[-1], own)
        marks.append(own)
    return marks[1:]


def _shared_bigrams(part: Partition, wanted: Wanted, counts: Int32s, kept: NDArray[np.bool_]) -> list[Bigrams]:
    found = []
    for word, here in _shared_ranges(part, wanted):
        found.append(Bigrams(word, part.words[0][here].copy(), counts[here].copy(), kept[here].copy()))
    return found


def _shared_ranges(part: Partition, wanted: Wanted) -> list[tuple[int, slice]]:
    """The shared words of a partition, its first or its last one, and where their bigrams are."""
    starts, contexts = part.starts[0], part.starts[0].size - 1
    ends = sorted({0, contexts - 1}) if contexts else []
    return [
        (part.first_word + i, slice(int(starts[i]), int(starts[i + 1])))
        for i in ends
        if part.first_word + i in wanted.shared
    ]


def _sentence_starts(part: Partition) -> list[tuple[int, int]]:
    """The ranges of a partition's contexts that begin with ``<s>``: of words, bigrams, and so on."""
    first = BOS - part.first_word
    ranges = [(first, first + 1) if 0 <= first < part.starts[0].size - 1 else (0, 0)]
    for starts in part.starts:
        begin, end = ranges[-1]
        ranges.append((int(starts[begin]), int(starts[end])))
    return ranges


def smooth_bigrams(
    part: Partition, wanted: Wanted, state: State, step: ContextSmoothing, words: Floats, given: dict[int, Floats],
    *asked: list[Int32s],
) -> list[Floats]:  # fmt: skip
    """For each partition what it asked for of these bigrams' probabilities; then their logarithms, and of back-offs.

    ``words``: the probabilities of words; ``given``: those of the bigrams of shared words.
    """
    starts, probs = _own(part.starts[0]), np.empty(part.words[0].size, np.float32)
    shared = _shared_ranges(part, wanted)
    gammas = np.ones(starts.size - 1, np.float32)
    first = int(any(word == part.first_word for word, _ in shared))
    stop = max(first, gammas.size - any(word != part.first_word for word, _ in shared))
    successors = Successors(starts[first : stop + 1], _own(part.words[0]), _own(state.counts[0]), _own(state.kept[0]))
    begin, end = (min(max(edge - first, 0), stop - first) for edge in _sentence_starts(part)[0])
    _apply(step, successors, (begin, end), _own(words), probs, gammas[first:stop])
    for word, here in shared:
        probs[here] = given[word]
    return _answers(probs, gammas, [of_part[0] for of_part in asked])


def smooth(
    part: Partition, wanted: Wanted, state: State, step: ContextSmoothing, suffixes: list[Int32s], k: int,
    *others: Any,
) -> list[Floats]:  # fmt: skip
    """As ``smooth_bigrams``, of k-grams, k > 2. ``others``: answers of all partitions, then what they ask."""
    edges, own = read_only(wanted.edges[k - 3]), read_only(suffixes[k - 2])
    answers, asked = others[: edges.size - 1], others[edges.size - 1 :]
    starts = np.concatenate([[0], np.cumsum([answer.size for answer in answers])])
    lower, row = np.empty(own.size, np.float32), k - 2
    exchange.take_answers(own, edges, starts[:-1].copy(), read_only(np.concatenate(answers)), lower)
    places = np.arange(own.size, dtype=np.int32)
    successors = Successors(_own(part.starts[row]), places, _own(state.counts[row]), _own(state.kept[row]))
    probs, gammas = np.empty(own.size, np.float32), np.empty(part.words[row - 1].size, np.float32)
    _apply(step, successors, _sentence_starts(part)[row], lower, probs, gammas)
    return _answers(probs, gammas, [of_part[row] for of_part in asked])


def _apply(
    step: ContextSmoothing, successors: Successors, sentence_starts: tuple[int, int], lower: Floats, probs: Floats,
    gammas: Floats,
) -> None:  # fmt: skip
    rule, short_rule = (rule._replace(discounts=_own(rule.discounts)) for rule in (step.rule, step.short_rule))
    step._replace(rule=rule, short_rule=short_rule)(successors, sentence_starts, lower, probs, gammas)


def _answers(probs: Floats, gammas: Floats, asked: Sequence[Int32s]) -> list[Floats]:
    answers = [probs[places] for places in asked]
    estimation.take_logs(probs)
    estimation.take_logs(gammas)
    return [*answers, probs, gammas]


def _own(array: NDArray[Any]) -> NDArray[Any]:
    """An array that may be written, so that kernels are compiled for one type; arrays from other workers may not."""
    return array if array.flags.writeable else array.copy()
