"""Steps from word to word beside the definition of a back-off model, and states beside what scores depend on."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lm.ngram.models import as_levels, random_model, random_stream, seeds
from tests.naive.backoff import Backoff
from windrow.errors import OptionError
from windrow.lm.ngram.kernels.located import LocatedTrie, trie_at, unseen_backoff_at
from windrow.lm.ngram.kernels.walk import list_in
from windrow.lm.ngram.states import NGramState, NGramStates
from windrow.lm.ngram.table import NGramTable
from windrow.lm.symbols import BOS
from windrow.numeric.jit import kernel

WORDS = 9
CLOSE = {"rtol": 0, "atol": 2e-5}  # sums of a few numbers, each rounded to 1e-6
ORDERS, UNSEEN = st.integers(1, 5), st.sampled_from([0.0, -0.4])


def with_zeros(dice: np.random.Generator, naive: Backoff) -> Backoff:
    """Many back-offs of 0, as lmplz writes where an n-gram is no context."""
    naive.backoffs = {ngram: weight if dice.random() < 0.4 else 0.0 for ngram, weight in naive.backoffs.items()}
    return naive


def histories(dice: np.random.Generator, number: int) -> list[list[int]]:
    return [random_stream(dice, WORDS, int(dice.integers(0, 8))).tolist() for _ in range(number)]


def needed_context(naive: Backoff, history: list[int]) -> tuple[int, ...]:
    """The longest last words that begin a stored n-gram or have a back-off weight: what later scores depend on."""
    sentence = history[max((place for place, word in enumerate(history) if word == BOS), default=0) :]
    for length in range(min(len(sentence), naive.order - 1), 0, -1):
        context = tuple(sentence[len(sentence) - length :])
        begins = any(len(ngram) > length and ngram[:length] == context for ngram in naive.probs)
        if begins or naive.backoffs.get(context, 0.0) != 0 or context == (BOS,):
            return context
    return ()


def scores_alike(naive: Backoff, context: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether every word has the same probability after both contexts."""
    after = [[naive.score([*ids, word])[0][-1] for word in range(WORDS)] for ids in (context, other)]
    return bool(np.allclose(*after, **CLOSE))


@settings(max_examples=60, deadline=None)
@given(seeds, ORDERS, st.booleans())
def test_states_are_equal_if_the_same_words_matter(seed: int, order: int, closed: bool) -> None:
    dice = np.random.default_rng(seed)
    naive = with_zeros(dice, random_model(dice, order, WORDS, closed=closed)[1])
    table = NGramTable.pack(as_levels(naive, WORDS))
    told = histories(dice, 30)
    states, needed = [table.start(ids) for ids in told], [needed_context(naive, ids) for ids in told]

    for state, context in zip(states, needed, strict=True):
        for other, other_context in zip(states, needed, strict=True):
            assert state == other or context != other_context
            assert state != other or context == other_context or scores_alike(naive, context, other_context)
            assert state != other or hash(state) == hash(other)


@settings(max_examples=40, deadline=None)
@given(seeds, ORDERS, st.booleans(), UNSEEN)
def test_equal_states_score_alike(seed: int, order: int, closed: bool, unseen_backoff: float) -> None:
    dice = np.random.default_rng(seed)
    naive = random_model(dice, order, WORDS, closed=closed, unseen_backoff=unseen_backoff)[1]
    naive = with_zeros(dice, naive) if unseen_backoff == 0 else naive
    table = NGramTable.pack(as_levels(naive, WORDS))
    told = histories(dice, 30)
    kept: dict[NGramState, list[int]] = {}
    for ids in told:
        other = kept.setdefault(table.start(ids), ids)
        for rest in histories(dice, 3):
            scores, others = (naive.score([*ids, *rest])[0][len(ids) :] for ids in (ids, other))
            np.testing.assert_allclose(scores, others, **CLOSE)


@settings(max_examples=40, deadline=None)
@given(seeds, ORDERS, st.booleans(), UNSEEN)
def test_steps_at_once_and_through_a_sentence_are_single_steps(
    seed: int, order: int, closed: bool, unseen_backoff: float
) -> None:
    dice = np.random.default_rng(seed)
    model, naive = random_model(dice, order, WORDS, closed=closed, unseen_backoff=unseen_backoff)
    table = NGramTable.pack(model)
    told = histories(dice, 70)  # more than are fetched together
    states = [table.start(ids) for ids in told]
    words = dice.integers(0, WORDS, len(told))

    scores, after = table.score_next_each(NGramStates.of(states), words)

    single = [table.full_score_next(state, word) for state, word in zip(states, words.tolist(), strict=True)]
    assert scores.tolist() == [score for score, _, _ in single]
    assert list(after) == [state for _, _, state in single]
    orders = [order for _, order, _ in single]
    for ids, word, score, found in zip(told, words.tolist(), scores, orders, strict=True):
        expected, expected_orders = naive.score([*ids, word])
        assert (score, found) == (pytest.approx(expected[-1], abs=2e-5), expected_orders[-1])
        through, through_orders, total = table.score_after(table.start(), np.array([*ids, word]))
        np.testing.assert_allclose(through, expected, **CLOSE)
        assert total == pytest.approx(through.sum(), abs=1e-9)
        assert through_orders.tolist() == expected_orders


def test_states_are_copied_and_go_to_other_processes() -> None:
    table = NGramTable.pack(random_model(np.random.default_rng(1), 3, WORDS)[0])
    state = table.start([BOS, 3])
    states = NGramStates.of([state, table.start()])
    for twin in (copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))):
        assert twin(state) == state
        assert list(twin(states)) == list(states)
        other = twin(table)
        assert other.score_next(state, 4) == table.score_next(state, 4)
    assert repr(state) == f"NGramState({state.cells.tolist()})"
    assert repr(states) == "NGramStates(2 states)"


def test_a_copied_table_does_not_read_the_memory_of_the_first() -> None:
    table = NGramTable.pack(random_model(np.random.default_rng(1), 3, WORDS)[0])
    first = table.stepping[1]
    for twin in (copy.deepcopy(table), pickle.loads(pickle.dumps(table))):
        assert twin.located.address != first
        assert (table.stepping[1], twin.stepping[1]) == (first, twin.located.address)
        assert twin.located._trie is twin.trie


def test_several_states_are_taken_as_numpy_takes_rows() -> None:
    states = NGramStates(np.arange(12).reshape(6, 2))
    assert states[2].cells.tolist() == [4, 5]
    assert states[-1].cells.tolist() == [10, 11]
    assert [state.cells[0] for state in states[[5, 0, 0]]] == [10, 0, 0]
    assert [state.cells[0] for state in states[1:3]] == [2, 4]
    assert len(states[np.arange(6) > 3]) == 2
    with pytest.raises(IndexError):
        states[6]
    third = states[2]
    states.cells[2] = 99
    assert third.cells.tolist() == [4, 5]  # a copy
    with pytest.raises(ValueError, match="read-only"):
        third.cells[0] = 99


@pytest.mark.parametrize("order", [1, 2, 4])
def test_cells_that_are_of_no_state_lead_nowhere(order: int) -> None:
    """Whatever whole numbers they are; those of another table may be read as if they were of this one."""
    dice = np.random.default_rng(order)
    table = NGramTable.pack(random_model(dice, order, WORDS)[0])
    width = len(table.blank.cells)
    for _ in range(200):
        cells = dice.integers(-(2 ** int(dice.integers(1, 62))), 2 ** int(dice.integers(1, 62)), width)
        for ask in (
            lambda cells=cells: table.score_next(NGramState(cells), 3),
            lambda cells=cells: table.score_next_each(NGramStates(cells[None]), np.array([3])),
            lambda cells=cells: table.score_after(NGramState(cells), np.array([3])),
        ):
            try:
                ask()
            except OptionError as error:
                assert "the state is not of this model" in str(error)
    longer = np.zeros(width + 1, np.int64)
    for state in (NGramState(longer), longer, longer[::2], NGramState(), [0] * width, "a", None):
        with pytest.raises(OptionError, match="the state is not of this model"):
            table.score_next(state, 3)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="the state is not of this model"):
        table.score_next_each(NGramStates(longer[None]), np.array([3]))
    with pytest.raises(OptionError, match="the state is not of this model"):
        table.score_after(NGramState(longer), np.array([3]))


@pytest.mark.parametrize("word", [-1, WORDS, 2**40])
def test_ids_out_of_range(word: int) -> None:
    table = NGramTable.pack(random_model(np.random.default_rng(1), 3, WORDS)[0])
    for ask in (
        lambda: table.score_next(table.start(), word),
        lambda: table.score_next_each(NGramStates.of([table.start()]), np.array([word])),
        lambda: table.score_after(table.start(), np.array([word])),
    ):
        with pytest.raises(OptionError, match="ids must be from 0 to 8"):
            ask()


@kernel
def summed(address: int, sums: np.ndarray) -> None:
    """The sum of each array of the trie at an address, then how much unseen contexts weigh."""
    trie = trie_at(address)
    sums[0], sums[1], sums[2] = trie.unigrams.sum(), trie.floats.sum(), trie.records.sum()
    sums[3], sums[4], sums[5], sums[6] = trie.fields.sum(), trie.books.sum(), trie.steps.sum(), trie.slot_counts.sum()
    sums[7] = unseen_backoff_at(address)


def test_a_trie_is_found_at_its_address() -> None:
    model, _ = random_model(np.random.default_rng(3), 4, WORDS)
    trie = NGramTable.pack(model).trie
    trie = trie._replace(unigrams=trie.unigrams % 1000, floats=(trie.unigrams % 1000).view(np.float32))
    trie = trie._replace(floats=trie.unigrams.view(np.float32))
    located, sums = LocatedTrie(trie, -0.25), np.empty(8)

    summed(located.address, sums)

    order = [trie.unigrams, trie.floats, trie.records, trie.fields, trie.books, trie.steps, trie.slot_counts]
    np.testing.assert_allclose(sums, [*(array.sum(dtype=np.float64) for array in order), -0.25], rtol=1e-4)
    with pytest.raises(ValueError, match="without gaps"):
        LocatedTrie(trie._replace(records=trie.records[::2]), 0.0)


def test_a_list_must_lie_in_the_arrays() -> None:
    """What leads out of them, as numbers of no state may, is read as an empty list."""
    trie = NGramTable.pack(random_model(np.random.default_rng(3), 4, WORDS)[0]).trie
    for order, size_code, shift in ((1, 1, 32), (2, 1 << 1, 8), (3, 1 << 1, 8)):
        slots = int(trie.fields[order + 1, 1])
        for first, expected in ((0, 1), (slots - 1, 1), (slots, 0), (2**31, 0)):
            assert list_in(trie, order, np.uint64(first << shift | size_code)) == (first, expected)
