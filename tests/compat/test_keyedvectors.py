"""``windrow.compat.gensim``'s KeyedVectors beside gensim's own."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import windrow
from windrow.compat.gensim.models import KeyedVectors
from windrow.compat.gensim.models import keyedvectors as module
from windrow.errors import MissingWordError, OptionError

WORDS = ["ash", "elm", "oak", "fig"]
ROWS = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
GENSIM = pytest.importorskip("gensim.models", reason="gensim has no wheel for this Python").KeyedVectors
# Methods of gensim's that KeyedVectors refuses by name, or that are its insides.
GONE = set(module._GONE)


def filled(kind: Any = KeyedVectors) -> Any:
    kv = kind(3)
    kv.add_vectors(WORDS, ROWS)
    return kv


def public_methods() -> list[str]:
    return [name for name, value in vars(GENSIM).items() if inspect.isroutine(value) and not name.startswith("_")]


@pytest.mark.parametrize("name", public_methods())
def test_each_method_takes_what_gensims_takes(name: str) -> None:
    """By position and by name; what gensim takes in addition by ``*args`` has no meaning in a file of windrow's."""
    if name in GONE:
        with pytest.raises(AttributeError, match=f"{name} is not there; write "):
            getattr(filled(), name)
        return
    theirs = [
        one for one in inspect.signature(getattr(GENSIM, name)).parameters.values() if one.kind is not one.VAR_KEYWORD
    ]
    mine = list(inspect.signature(getattr(KeyedVectors, name)).parameters.values())
    for position, parameter in enumerate(theirs):
        if name != "save":
            assert mine[position].name == parameter.name
            if parameter.default is not parameter.empty and (name, parameter.name) not in OTHER_DEFAULTS:
                assert mine[position].default == parameter.default


OTHER_DEFAULTS = {("intersect_word2vec_format", "lockf")}  # 0.0 would freeze words in a training that a table has not


def test_the_constructor_takes_what_gensims_takes() -> None:
    def taken(kind: Any) -> list[tuple[str, Any]]:
        return [(name, one.default) for name, one in inspect.signature(kind).parameters.items()]

    assert taken(KeyedVectors) == taken(GENSIM)


def test_an_empty_table_answers_and_fills() -> None:
    kv = KeyedVectors(3, count=100)
    assert (len(kv), kv.vectors.shape, list(kv), "ash" in kv) == (0, (0, 3), [], False)
    assert repr(kv) == "KeyedVectors(0 words, 3 dimensions)"
    with pytest.raises(KeyError):
        kv["ash"]
    with pytest.raises(MissingWordError):
        kv.most_similar("ash")
    with pytest.raises(OptionError, match="leaves no rows"):
        kv.most_similar([ROWS[0]])
    for word, row in zip(WORDS, ROWS, strict=True):
        kv.add_vector(word, row)
    np.testing.assert_array_equal(kv.vectors, ROWS)


def test_words_come_in_all_of_gensims_ways() -> None:
    tables = []
    for kind in (KeyedVectors, GENSIM):
        kv = kind(3)
        kv.add_vectors("ash", ROWS[0])
        kv.add_vectors(["elm", "oak"], [ROWS[1], ROWS[2]])
        kv.add_vectors(keys=["oak", "fig"], weights=ROWS[2:] * 2)
        kv["elm"] = ROWS[3]
        kv[["yew", "ash"]] = [ROWS[0], ROWS[1]]
        kv.add_vectors(["oak"], ROWS[:1], replace=True)
        tables.append(kv)
    assert tables[0].index_to_key == tables[1].index_to_key
    assert dict(tables[0].key_to_index) == tables[1].key_to_index
    np.testing.assert_array_equal(tables[0].vectors, tables[1].vectors)


def test_a_whole_matrix_is_assigned() -> None:
    kv = filled()
    before = kv.similarity("ash", "elm")
    matrix = ROWS @ np.array([[1, 0], [0, 2], [0, 3]], np.float32)
    kv.vectors = matrix
    matrix[:] = 0  # which is somebody else's
    assert (kv.vector_size, kv.vectors.any()) == (2, True)
    assert kv.similarity("ash", "elm") != before
    np.testing.assert_allclose(kv.norms, np.linalg.norm(kv.vectors, axis=1), rtol=1e-6)
    for wrong in (ROWS[:2], ROWS[0], np.empty((4, 0))):
        with pytest.raises(OptionError, match=r"vectors must have shape \(4, dimensions\).*add_vectors adds words"):
            kv.vectors = wrong
    with pytest.raises(ValueError, match="read-only"):
        kv.vectors[0] = 1


def test_most_frequent_words_come_first() -> None:
    tables = [filled(), filled(GENSIM)]
    for kv in tables:
        for word, count in zip(WORDS, (3, 9, 3, 10), strict=True):
            kv.set_vecattr(word, "count", count)
        kv.sort_by_descending_frequency()
        kv.fill_norms(force=True)
    assert tables[0].index_to_key == tables[1].index_to_key == ["fig", "elm", "oak", "ash"]
    assert [tables[0].get_vecattr(word, "count") for word in WORDS] == [3, 9, 3, 10]
    for word in WORDS:
        np.testing.assert_array_equal(tables[0][word], tables[1][word])
        assert [found for found, _ in tables[0].most_similar(word)] == [
            found for found, _ in tables[1].most_similar(word)
        ]
    with pytest.raises(OptionError, match="no counts to sort by"):
        filled().sort_by_descending_frequency()


def test_files_of_both(tmp_path: Path) -> None:
    kv = filled()
    kv.set_vecattr("oak", "count", 5)
    kv.save(tmp_path / "trees.kv", separately=[], sep_limit=10)
    loaded = KeyedVectors.load(tmp_path / "trees.kv", mmap="r")
    assert type(loaded) is type(loaded.normalize()) is type(loaded.vectors_for_all(["oak"])) is KeyedVectors
    assert (loaded.index_to_key, loaded.get_vecattr("oak", "count")) == (WORDS, 5)
    np.testing.assert_array_equal(windrow.load(tmp_path / "trees.kv").vectors, ROWS)
    filled(GENSIM).save(str(tmp_path / "theirs.kv"))
    np.testing.assert_array_equal(KeyedVectors.load(tmp_path / "theirs.kv").vectors, ROWS)
    kv.save_word2vec_format(tmp_path / "trees.bin", binary=True)
    assert GENSIM.load_word2vec_format(str(tmp_path / "trees.bin"), binary=True).index_to_key[0] == "oak"
    assert type(module.load_word2vec_format(tmp_path / "trees.bin", binary=True)) is KeyedVectors
    assert type(KeyedVectors.from_gensim(filled(GENSIM))) is KeyedVectors


def test_a_table_of_no_known_words_is_empty() -> None:
    assert len(filled().vectors_for_all(["nobody"])) == len(filled(GENSIM).vectors_for_all(["nobody"])) == 0


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda kv: pickle.loads(pickle.dumps(kv))])
def test_copies(twin: Callable[[KeyedVectors], KeyedVectors]) -> None:
    kv = filled()
    other = twin(kv)
    other.add_vector("yew", ROWS[0])
    assert (type(other), len(kv), len(other)) == (KeyedVectors, 4, 5)


@pytest.mark.filterwarnings("ignore::scipy.stats.ConstantInputWarning")
def test_evaluations_take_gensims_options(tmp_path: Path) -> None:
    (tmp_path / "pairs").write_text("ash;elm;3\nash;oak;5\nelm;fig;1\noak;fig;4\n")
    (tmp_path / "questions").write_text(": trees\nash elm oak fig\nelm ash fig oak\n")
    answers = []
    for kv in (filled(), filled(GENSIM)):
        pearson, spearman, oov = kv.evaluate_word_pairs(str(tmp_path / "pairs"), delimiter=";", restrict_vocab=4)
        accuracy, sections = kv.evaluate_word_analogies(str(tmp_path / "questions"))
        answers.append(([*pearson, *spearman, oov, accuracy], [part["correct"] for part in sections]))
    np.testing.assert_allclose(answers[0][0], answers[1][0], atol=1e-6)
    assert answers[0][1] == answers[1][1]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: KeyedVectors(0), "vector_size = 0"),
        (lambda: KeyedVectors(3, count=-1), "count = -1"),
        (lambda: KeyedVectors(3, dtype=np.float64), "dtype = float64: numbers are float32 here"),
        (lambda: filled().add_vectors(["yew"], ROWS[:1], {"count": np.ones(1)}), "extras: .*set_vecattr"),
        (lambda: filled().add_vectors([7], ROWS[:1]), "a word must be a str, got int"),
        (lambda: filled().add_vector("ash", ROWS[0]), "has a vector already"),
        (lambda: filled().evaluate_word_analogies([], similarity_function="most_similar_cosmul"), "method='3cosmul'"),
        (lambda: filled().evaluate_word_pairs([], encoding="latin-1"), "read as UTF-8"),
        (lambda: KeyedVectors(3).save("x.kv"), "there are no words yet"),
    ],
)
def test_what_is_refused(ask: Callable[[], Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        ask()


@pytest.mark.parametrize("name", sorted(GONE))
def test_names_that_are_gone_say_what_to_write(name: str) -> None:
    with pytest.raises(AttributeError, match=f"{name} is not there; write "):
        getattr(filled(), name)
    assert not hasattr(filled(), name)


def test_other_names_are_unknown_as_usual() -> None:
    with pytest.raises(AttributeError, match="'KeyedVectors' object has no attribute 'colour'"):
        getattr(filled(), "colour")  # noqa: B009
