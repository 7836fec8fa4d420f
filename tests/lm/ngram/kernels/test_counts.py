from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.naive import ngrams as naive
from windrow.lm.ngram.kernels import counts as kernels
from windrow.lm.ngram.kernels.counts import Cursor, Grams, Input, KeyLayout, Output, Ranks, Spelling

sentences_strategy = st.lists(st.lists(st.sampled_from([0, 25, 26, 27, 290]), max_size=7), max_size=8)
WORDS, WORD_BITS, POSITION_BITS = 300, 9, 7


def new_grams(contexts: int, size: int) -> Grams:
    return Grams(np.empty(contexts + 1, np.int32), *(np.empty(size, np.int32) for _ in range(3)))


def words_of(counts: Counter) -> Grams:
    """Order 1, as the orders above it see it."""
    ids = np.arange(WORDS, dtype=np.int32)
    return Grams(
        np.array([0, WORDS], np.int32), ids, 0 * ids, np.array([counts[word,] for word in ids.tolist()], np.int32)
    )


def spelled(levels: list[Grams]) -> list[list[tuple[int, ...]]]:
    grams, contexts = [], [()]
    for level in levels:
        children = [level.words[first:last].tolist() for first, last in pairwise(level.starts.tolist())]
        contexts = [(*context, word) for context, words in zip(contexts, children, strict=True) for word in words]
        grams.append(contexts)
    return grams


NO_RANKS = Ranks(np.empty(0, np.int32), 1, 0)


def next_level(stream, below, ranks, contexts: int, run_bits: int, counted_from: int = 0) -> Grams:
    """Go through the stages for one order, with a partition of one run of contexts and then one of two, and so on."""
    sizes = np.zeros(((contexts - 1) >> run_bits) + 1, np.int64)
    kernels.run_sizes(stream, below, run_bits, sizes)
    partitions = (2 * np.arange(sizes.size) + 1) // 3
    firsts = np.searchsorted(partitions, np.arange(partitions[-1] + 1)) << run_bits
    layout = KeyLayout(run_bits, WORD_BITS, POSITION_BITS, partitions.astype(np.int32), firsts)
    bounds = np.concatenate([[0], np.cumsum(np.bincount(partitions, sizes).astype(np.int64))])
    keys, ends = np.empty(bounds[-1], np.int64), bounds[:-1].copy()
    kernels.distribute_keys(stream, below, layout, ends, keys, ranks)
    assert ends.tolist() == bounds[1:].tolist()
    for first, last in pairwise(bounds.tolist()):
        positions = (keys[first:last] % (1 << POSITION_BITS)).tolist()
        assert positions == sorted(positions)
    distinct = sort_keys(keys, bounds, POSITION_BITS, 1 + run_bits + WORD_BITS, 5)
    grams = new_grams(contexts, distinct)
    below = NO_RANKS if below.data is stream else below
    kernels.rank_grams(keys, bounds, layout, counted_from, below, ranks, grams)
    return grams


def sort_keys(keys, bounds, shift: int, bits: int, digit_bits: int) -> int:
    """Sort by ``bits`` from ``shift`` up."""
    scratch = np.full(max(np.diff(bounds), default=0), -1, np.int64)
    sizes = np.full((-(-bits // digit_bits), 1 << digit_bits), -1, np.int64)
    return kernels.sort_keys(keys, bounds, shift, digit_bits, scratch, sizes)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(0, 2**9 - 1), max_size=30), max_size=4), st.integers(1, 10))
def test_sorting_by_digits_keeps_the_order_of_equal_keys(partitions, digit_bits):
    """The lowest four bits number the keys of a partition: in which order they are is seen, but not sorted by."""
    keys = np.array([number << 4 | i % 16 for part in partitions for i, number in enumerate(part)], np.int64)
    bounds = np.cumsum([0, *map(len, partitions)])
    expected = [sorted(keys[a:b].tolist(), key=lambda key: key >> 4) for a, b in pairwise(bounds.tolist())]

    distinct = sort_keys(keys, bounds, 4, 9, digit_bits)

    assert [keys[a:b].tolist() for a, b in pairwise(bounds.tolist())] == expected
    assert distinct == sum(len(set(part)) for part in partitions)


@settings(max_examples=60, deadline=None)
@given(sentences_strategy, st.sampled_from([0, 1, 3]))
def test_stages_of_counting(sentences, run_bits):
    """Each order from the ranks of the one before; the ranks say which k-gram ends where."""
    symbols = naive.stream_of(sentences) or [1]
    stream, ranks = np.array(symbols, np.int32), np.full(2 * len(symbols), 99, np.int32)
    expected = naive.count(sentences, 4)
    below, levels = Ranks(stream, 1, 0), [words_of(expected[0])]

    for k in (2, 3, 4):
        here = Ranks(ranks, 2, k % 2)
        levels.append(next_level(stream, below, here, len(levels[-1].words), run_bits))
        unwanted = next_level(stream, below, NO_RANKS, len(levels[-2].words), run_bits)
        below = here

        for found, wanted in zip(unwanted, levels[-1], strict=True):
            assert np.array_equal(found, wanted)
        grams = spelled(levels)
        assert grams[-1] == sorted(expected[k - 1])
        assert levels[-1].counts.tolist() == [expected[k - 1][gram] for gram in grams[-1]]
        assert [grams[-2][place] for place in levels[-1].suffixes] == [gram[1:] for gram in grams[-1]]
        for position, rank in enumerate(ranks[k % 2 :: 2].tolist()):
            gram = tuple(symbols[max(position - k + 1, 0) : position + 1])
            complete = len(gram) == k and 1 not in gram[1:]
            assert (grams[-1][rank] if rank >= 0 else None) == (gram if complete else None)
        if not grams[-1]:
            break


def test_what_ends_early_is_listed_but_not_counted():
    stream = np.array([1, 25, 26, 25, 26, 2], np.int32)

    bigrams = next_level(stream, Ranks(stream, 1, 0), NO_RANKS, WORDS, 2, counted_from=4)

    assert spelled([words_of(Counter()), bigrams])[1] == [(1, 25), (25, 26), (26, 2), (26, 25)]
    assert bigrams.counts.tolist() == [0, 1, 1, 0]


def test_marks_of_what_a_sentence_begins_with():
    stream = np.array([1, 25, 26, 2, 1, 2, 1, 26, 25], np.int32)
    ranks = Ranks(np.where(stream == 1, np.int32(-1), stream), 1, 0)

    for counted_from, marked in ((0, [2, 25, 26]), (2, [2, 26]), (8, [])):
        initial = np.zeros(WORDS, np.bool_)
        kernels.mark_initial(stream, ranks, 1, counted_from, initial)
        assert np.flatnonzero(initial).tolist() == marked


def trie(sentences, order: int) -> list[Grams]:
    """Counts as levels, written down from the naive ones."""
    expected = naive.count(sentences, order)
    levels, below = [words_of(expected[0])], [(word,) for word in range(WORDS)]
    for counts in expected[1:]:
        grams = sorted(counts)
        starts = [sum(gram[:-1] < context for gram in grams) for context in below] + [len(grams)]
        numbers = [starts, [g[-1] for g in grams], [below.index(g[1:]) for g in grams], [counts[g] for g in grams]]
        levels.append(Grams(*(np.array(column, np.int32) for column in numbers)))
        below = grams
    return levels


def merged(a: Input, b: Input, origins: np.ndarray, room: int) -> tuple[Grams, list[int]]:
    """Merge two levels into an output of ``room`` places, again and again."""
    out = Output(new_grams(room - 1, room), np.empty(room, np.uint8))
    columns: list[list[int]] = [[0], [], [], []]
    from_which: list[int] = []
    cursor = Cursor(*[0] * 6)
    while cursor.context < origins.size:
        before, (after, finished, written) = cursor, kernels.merge_levels(a, b, origins, cursor, out)
        cursor = Cursor(*after)
        assert finished + written > 0
        assert (cursor.context, cursor.place) == (before.context + finished, before.place + written)
        for column, array, size in zip(columns, out.level, [finished, written, written, written], strict=True):
            column.extend(array[:size].tolist())
        from_which += out.origins[:written].tolist()
    return Grams(*(np.array(column, np.int32) for column in columns)), from_which


@settings(max_examples=50, deadline=None)
@given(sentences_strategy, sentences_strategy, st.sampled_from([1, 2, 50]))
def test_merging_is_counting_both(sentences_a, sentences_b, room):
    order = 3
    a, b, both = (trie(sentences, order) for sentences in (sentences_a, sentences_b, sentences_a + sentences_b))
    places_a = places_b = np.arange(WORDS, dtype=np.int32)
    origins = np.full(WORDS, 3, np.uint8)

    for k in range(2, order + 1):
        input_a = Input(a[k - 1], places_a, np.empty(a[k - 1].words.size, np.int32))
        input_b = Input(b[k - 1], places_b, np.empty(b[k - 1].words.size, np.int32))
        found, from_which = merged(input_a, input_b, origins, room)

        for array, expected in zip(found, both[k - 1], strict=True):
            assert array.tolist() == expected.tolist()
        grams, grams_a, grams_b = (spelled(levels[:k])[-1] for levels in (both, a, b))
        assert from_which == [(gram in grams_a) + 2 * (gram in grams_b) for gram in grams]
        places_a, places_b, origins = input_a.places, input_b.places, np.array(from_which, np.uint8)
        assert [grams[place] for place in places_a] == grams_a
        assert [grams[place] for place in places_b] == grams_b


@pytest.mark.parametrize("number", [0, 7, 10, 99, 100, 2**31 - 1, 2**63 - 1])
def test_numbers(number):
    out = np.zeros(30, np.uint8)

    end = kernels.write_count(np.int64(number), out, 3)

    assert out[:end].tobytes() == b"\0\0\0" + str(number).encode()
    assert not out[end:].any()


def test_lines_wait_for_room():
    words = ["a", "漢字", "b" * 20]
    letters, offsets = "".join(words).encode(), [0, *np.cumsum([len(word.encode()) for word in words])]
    spelling = Spelling(np.frombuffer(letters, np.uint8), np.array(offsets, np.int64))
    grams = np.array([[0, 1], [2, 2], [1, 0]], np.int32)
    counts, marks = np.array([5, 2**63 - 1, 0], np.int64), np.array([False, True, False])
    lines = ["a 漢字\t5\n", f"{'b' * 20} {'b' * 20}\t{2**63 - 1}\t^\n", "漢字 a\t0\n"]
    for room in (42 + kernels.LINE_END, 10_000):
        out, row, text = np.full(room, 255, np.uint8), 0, b""
        while row < len(grams):
            before, (row, size) = row, kernels.format_grams(grams, row, counts, marks, spelling, out)
            assert row > before
            text += out[:size].tobytes()
        assert text.decode() == "".join(lines)
    assert kernels.format_grams(grams, 1, counts, marks, spelling, np.empty(65, np.uint8)) == (1, 0)
