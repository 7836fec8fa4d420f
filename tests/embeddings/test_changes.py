"""Changes of a table of vectors: what was kept of it is never out of date, and nothing changes behind its back."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.embeddings.vectors import WordVectors
from windrow.errors import DataWarning, MissingWordError, OptionError

WORDS = ["ash", "elm", "oak"]
ROWS = np.array([[1, 0], [0, 2], [3, 4]], np.float32)
FRESH = ["fig", "yew"]


def table(counts: bool = False) -> WordVectors:
    return WordVectors(WORDS, ROWS.copy(), np.array([5, 3, 2]) if counts else None)


def assert_same_answers(wv: WordVectors, expected: WordVectors) -> None:
    """Those of a table that was made as it is now, and never changed."""
    assert wv.index_to_key == expected.index_to_key
    assert dict(wv.key_to_index) == dict(expected.key_to_index)
    np.testing.assert_array_equal(wv.vectors, expected.vectors)
    np.testing.assert_array_equal(wv.norms, expected.norms)
    for word in expected:
        assert wv.most_similar(word) == expected.most_similar(word)
        np.testing.assert_array_equal(wv.distances(word), expected.distances(word))


vector = st.lists(st.integers(-4, 4), min_size=2, max_size=2)
change = st.one_of(
    st.tuples(st.just("set"), st.sampled_from([*WORDS, *FRESH]), vector),
    st.tuples(st.just("add"), st.sampled_from(FRESH), vector),
    st.tuples(st.just("replace"), st.sampled_from([*WORDS, *FRESH]), vector),
    st.tuples(st.just("keep"), st.sampled_from([*WORDS, *FRESH]), vector),
    st.tuples(st.just("row"), st.sampled_from(range(3)), vector),
    st.tuples(st.just("unit"), st.just(""), vector),
    st.tuples(st.just("copy"), st.just(""), vector),
    st.tuples(st.just("look"), st.just(""), vector),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(change, max_size=8))
def test_a_changed_table_answers_like_a_new_one(changes: list[tuple[str, Any, list[int]]]) -> None:
    wv, expected = table(), dict(zip(WORDS, ROWS.tolist(), strict=True))
    seen: list[tuple[np.ndarray, np.ndarray]] = []
    for kind, key, numbers in changes:
        wv.most_similar("ash")  # norms are kept from here on
        seen.append((wv["oak"], wv["oak"].copy()))
        if kind == "look":
            seen.append((wv.vectors, wv.vectors.copy()))
            seen.append((wv.head(2).vectors, wv.vectors[:2].copy()))
        elif kind == "unit":
            expected = {word: wv.normalize()[word].tolist() for word in expected}
            wv.unit_normalize_all()
        elif kind == "copy":
            twin, wv = wv, copy.copy(wv)  # of which one changes from now on
            seen.append((twin.vectors, twin.vectors.copy()))
        elif kind == "set":
            wv[key] = numbers
            expected[key] = numbers
        elif kind == "row":
            wv[key] = np.array(numbers)
            expected[WORDS[key]] = numbers
        elif kind == "add":
            if key in expected:
                with pytest.raises(OptionError, match=rf"has a vector already; wv\['{key}'\] = vector changes it"):
                    wv.add_vector(key, numbers)
            else:
                assert wv.add_vector(key, numbers) == len(expected)
                expected[key] = numbers
        else:
            wv.add_vectors([key], [numbers], replace=kind == "replace")
            if kind == "replace" or key not in expected:
                expected[key] = numbers
    assert_same_answers(wv, WordVectors(list(expected), np.array(list(expected.values()), np.float32)))
    for given_out, before in seen:
        np.testing.assert_array_equal(given_out, before)


def test_words_that_are_added_one_by_one_are_seldom_copied() -> None:
    """An eighth of the rows is spare, so few arrays are made; the words before see none of those that come later."""
    wv = table(counts=True)
    places = set()
    for row in range(200):
        given_out = wv.vectors
        wv.add_vector(f"new{row}", [row, 1])
        places.add(wv.vectors.__array_interface__["data"][0])
        assert len(given_out) == 3 + row
    assert len(places) < 40
    rows = [*ROWS.tolist(), *([row, 1] for row in range(200))]
    assert_same_answers(wv, WordVectors([*WORDS, *(f"new{row}" for row in range(200))], np.array(rows, np.float32)))
    assert wv.counts is not None
    assert wv.counts.tolist() == [5, 3, 2, *[0] * 200]


def test_words_may_be_added_while_they_are_gone_through() -> None:
    wv = table()
    for word in wv:
        wv.add_vector(f"{word}s", [1, 1])
    assert wv.index_to_key == ["ash", "elm", "oak", "ashs", "elms", "oaks"]


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda wv: pickle.loads(pickle.dumps(wv))])
def test_a_table_and_its_copy_that_both_grow(twin: Callable[[WordVectors], WordVectors]) -> None:
    wv = table()
    wv.add_vectors(["fig", *map(str, range(20))], np.ones((21, 2)))  # so many that there are spare rows
    wv.set_vecattr("ash", "kind", "tree")
    other = twin(wv)
    wv.add_vector("yew", [7, 0])
    other.add_vector("yew", [8, 0])
    wv["ash"] = other["elm"] = [9, 9]
    wv.set_vecattr("ash", "kind", "wood")
    words, grown = [*WORDS, "fig", *map(str, range(20)), "yew"], [[3, 4], *[[1, 1]] * 21]
    for one, rows in ((wv, [[9, 9], [0, 2], *grown, [7, 0]]), (other, [[1, 0], [9, 9], *grown, [8, 0]])):
        assert_same_answers(one, WordVectors(words, np.array(rows, np.float32)))
    assert (wv.get_vecattr("ash", "kind"), other.get_vecattr("ash", "kind")) == ("wood", "tree")


def test_a_changed_table_whose_copy_did_not_change() -> None:
    wv = table()
    wv["elm"] = [0, 2]  # in an array of its own from now on
    other = copy.copy(wv)
    wv["ash"] = [9, 9]
    assert_same_answers(other, table())


def test_attributes_of_words() -> None:
    wv = table()
    with pytest.raises(OptionError, match=r"attr = 'count' was not set for any word; .*there are: none"):
        wv.get_vecattr("ash", "count")
    wv.set_vecattr("elm", "count", np.int64(4))
    wv.set_vecattr(2, "kind", "tree")
    assert [wv.get_vecattr(word, "count") for word in WORDS] == [0, 4, 0]
    assert [wv.get_vecattr(word, "kind") for word in WORDS] == [None, None, "tree"]
    assert wv.subset(["oak"]).get_vecattr(0, "kind") == "tree"
    assert wv.vectors_for_all(["oak"], copy_vecattrs=True).get_vecattr("oak", "kind") == "tree"
    with pytest.raises(OptionError, match="'kind' was not set"):
        wv.vectors_for_all(["oak"]).get_vecattr("oak", "kind")
    with pytest.raises(OptionError, match=r"val = -1 is out of range"):
        wv.set_vecattr("ash", "count", -1)
    with pytest.raises(MissingWordError):
        wv.set_vecattr("fig", "kind", "bush")


def test_files_do_not_keep_attributes_and_say_so(tmp_path: Path) -> None:
    wv = table(counts=True)
    wv.set_vecattr("ash", "kind", "tree")
    with pytest.warns(DataWarning, match=r"no other attributes \(kind\)"):
        wv.save(tmp_path / "v.safetensors")
    assert WordVectors.load(tmp_path / "v.safetensors").get_vecattr("ash", "count") == 5


def test_several_keys_at_once() -> None:
    wv = table(counts=True)
    wv[["oak", "fig"]] = [[1, 1], [2, 0]]
    assert_same_answers(wv, WordVectors([*WORDS, "fig"], [[1, 0], [0, 2], [1, 1], [2, 0]]))
    assert wv.counts is not None
    assert wv.counts.tolist() == [5, 3, 2, 0]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda wv: wv.add_vectors(["fig", "fig"], [[1, 1], [2, 2]]), "'fig' occurs twice"),
        (lambda wv: wv.add_vectors(["fig", "yew"], [[1, 1]]), "2 words, 1 vectors"),
        (lambda wv: wv.add_vectors(["fig", 3], [[1, 1], [2, 2]], replace=True), "a word must be a str, got int"),
        (lambda wv: wv.add_vectors(["fig"], [[1, np.nan]]), "not finite"),
        (lambda wv: wv.add_vectors(["fig"], [[1, 2, 3]]), r"must have the shape \(words, 2\), got \(1, 3\)"),
        (lambda wv: wv.add_vectors(["fig"], ["ab"]), "must hold numbers only"),
        (lambda wv: wv.add_vector("fig", [1, np.inf]), "not finite"),
        (lambda wv: wv.add_vector("fig", [[1, 2]]), r"must have the shape \(2\), got \(1, 2\)"),
        (lambda wv: wv.__setitem__("ash", 1.0), r"must have the shape \(2\), got \(\)"),
        (lambda wv: wv.__setitem__(["ash", "elm"], [1.0, 2.0]), r"must have the shape \(words, 2\)"),
        (lambda wv: wv.__setitem__(["ash", "ash"], ROWS[:2]), "'ash' occurs twice"),
        (lambda wv: wv.__setitem__(1.5, [1, 2]), "a key must be a word or a row number, got float"),
        (lambda wv: wv.__setitem__(7, [1, 2]), "the word '7' is not in the vocabulary"),
    ],
)
def test_what_is_refused_changes_nothing(ask: Callable[[WordVectors], Any], message: str) -> None:
    wv = table()
    wv.most_similar("ash")
    with pytest.raises((OptionError, MissingWordError), match=message):
        ask(wv)
    assert_same_answers(wv, table())


@pytest.mark.parametrize(
    "write",
    [
        lambda wv: wv.vectors.__setitem__(1, 9),
        lambda wv: wv.norms.__setitem__(1, 9),
        lambda wv: wv.counts.__setitem__(1, 9),
        lambda wv: wv.index_to_key.__setitem__(1, "x"),
        lambda wv: wv.index_to_key.append("x"),
        lambda wv: wv.index_to_key.sort(reverse=True),
        lambda wv: wv.index_to_key.clear(),
        lambda wv: wv.key_to_index.__setitem__("x", 1),
        lambda wv: setattr(wv, "vectors", ROWS),
        lambda wv: setattr(wv, "index_to_key", WORDS),
    ],
)
def test_what_is_given_out_is_read_only(write: Callable[[Any], Any]) -> None:
    wv = table(counts=True)
    wv[["ash"]] = [[1, 0]]  # the table has an array of its own now
    with pytest.raises((ValueError, TypeError, AttributeError)):
        write(wv)
    assert_same_answers(wv, table())


def test_an_array_that_its_owner_goes_on_writing() -> None:
    rows = ROWS.copy()
    wv = WordVectors(WORDS, rows)
    wv.similarity("ash", "oak")
    rows[:] = 7
    assert_same_answers(wv, table())


def test_a_read_only_array_is_not_copied() -> None:
    rows = ROWS.copy()
    rows.setflags(write=False)
    wv = WordVectors(WORDS, rows)
    assert np.shares_memory(wv.vectors, rows)
    wv["ash"] = [5, 5]
    assert np.array_equal(rows, ROWS)


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda wv: pickle.loads(pickle.dumps(wv))])
def test_copies_change_apart(twin: Callable[[WordVectors], WordVectors]) -> None:
    wv = table()
    other = twin(wv)
    other["ash"] = [0, 9]
    other.add_vector("fig", [1, 1])
    assert_same_answers(wv, table())
    assert other["ash"].tolist() == [0, 9]
    assert "fig" in other


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_every_query_that_meets_a_bad_row_names_its_word(number: float) -> None:
    rows = np.array([[1, 0], [0, 1], [number, 1]], np.float32)
    wv = WordVectors(WORDS, rows)
    asks: list[Callable[[], Any]] = [
        lambda: wv.most_similar("ash"),
        lambda: wv.most_similar("ash", topn=None),
        lambda: wv.most_similar_cosmul("ash"),
        lambda: wv.most_similar_batch(["ash"]),
        lambda: wv.most_similar_batch(rows[:2]),
        lambda: wv.similar_by_vector(rows[0]),
        lambda: wv.similarity("ash", "oak"),
        lambda: wv.distance("oak", "ash"),
        lambda: wv.distances("ash"),
        lambda: wv.distances("ash", ["oak"]),
        lambda: wv.rank("ash", "elm"),
        lambda: wv.closer_than("ash", "oak"),
        lambda: wv.n_similarity(["ash"], ["oak"]),
        lambda: wv.doesnt_match(["ash", "elm", "oak"]),
        lambda: wv.get_mean_vector(["ash", "oak"]),
        lambda: wv.get_mean_vector(["ash", "oak"], pre_normalize=False),
        lambda: wv.get_vector("oak", norm=True),
        lambda: wv.analogy("ash", "elm", "oak"),
        wv.normalize,
        wv.check_finite,
    ]
    for ask in asks:
        with pytest.raises(OptionError, match=r"the vector of 'oak' holds a number that is not finite; .* subset"):
            ask()


def test_queries_that_do_not_meet_a_bad_row() -> None:
    wv = WordVectors(WORDS, np.array([[1, 0], [3, 4], [np.nan, 1]], np.float32))
    assert wv.similarity("ash", "elm") == pytest.approx(0.6)
    assert [word for word, _ in wv.most_similar("ash", restrict_vocab=2)] == ["elm"]
    assert wv.subset(["ash", "elm"]).rank("ash", "elm") == 1
    wv["oak"] = [0, 1]
    assert wv.rank("ash", "oak") == 2
