"""Analogies: the same questions give the same answers as gensim's evaluate_word_analogies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.evaluation.conftest import keyed_vectors
from windrow.embeddings.vectors import WordVectors
from windrow.errors import DataError, OptionError
from windrow.evaluation import evaluate_analogies, read_questions
from windrow.evaluation.analogy import Section, SectionResult

KIR = "k\u0131r"  # with a dotless i; its upper case is "KIR"
VARIANTS = [
    {"case_insensitive": case, "dummy4unknown": dummy, "restrict_vocab": restrict}
    for case in (True, False)
    for dummy in (True, False)
    for restrict in (300_000, 600, None)
]


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_answers_equal_gensims(
    structured: Any, questions_path: Path, variant: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("windrow.evaluation.analogy._TILE_COSINES", 1)  # tiles of 64 rows
    ours = WordVectors(structured.index_to_key, structured.vectors)
    mine = ours.evaluate_word_analogies(questions_path, **variant)
    theirs = structured.evaluate_word_analogies(str(questions_path), **variant)
    assert mine == theirs
    assert mine[1][-1]["correct"]
    assert mine[1][-1]["incorrect"]


def test_answers_equal_gensims_on_trained_vectors(trained: Any, datapath: Any) -> None:
    ours = WordVectors(trained.index_to_key, trained.vectors)
    for dummy in (True, False):
        theirs = trained.evaluate_word_analogies(datapath("questions-words.txt"), dummy4unknown=dummy)
        assert ours.evaluate_word_analogies(datapath("questions-words.txt"), dummy4unknown=dummy) == theirs


def test_a_question_is_lost_when_other_spellings_take_the_five_nearest_places() -> None:
    """What gensim does; only case-preserving vocabularies with many spellings come across it."""
    rng = np.random.default_rng(2)
    man, woman, king = rng.normal(size=(3, 8))
    table = {"man": man, "woman": woman, "king": king, "queen": 0.9 * (king + woman - man) + 0.1}
    for spelling in ("King", "KING", "kIng", "kiNg", "kinG"):
        table[spelling] = king + woman - man + 0.001 * rng.normal(size=8)
    sections = [Section("family", (("man", "woman", "king", "queen"), ("man", "woman", "king", "king")))]
    for spellings in (9, 8):
        kept = dict(list(table.items())[:spellings])
        result = evaluate_analogies(sections, list(kept), np.array(list(kept.values()), np.float32))
        theirs = gensims_answers(kept, sections)
        assert [counts(section) for section in result.sections] == theirs
        # Five spellings leave no place for "queen"; four do.
        assert result.sections[0].correct == (sections[0].questions[1 if spellings == 9 else 0],)


@pytest.mark.parametrize("seed", range(8))
def test_when_all_five_are_spellings_of_given_words_the_last_answers_as_in_gensim(seed: int) -> None:
    """It is judged right when the question expects that word again."""
    rng = np.random.default_rng(seed)
    given = dict(zip(("man", "woman", "king"), rng.normal(size=(3, 8)), strict=True))
    offset = given["king"] + given["woman"] - given["man"]
    spellings = ("Man", "MAN", "mAn", "Woman", "WOMAN", "wOman", "King", "KING", "kIng")
    table = given | {spelling: offset + 0.1 * rng.normal(size=8) for spelling in spellings}
    table["queen"] = -offset
    sections = [Section("family", tuple(("man", "woman", "king", expected) for expected in (*given, "queen")))]
    result = evaluate_analogies(sections, list(table), np.array(list(table.values()), np.float32))
    assert [counts(section) for section in result.sections] == gensims_answers(table, sections)
    assert result.overall.to_json()["correct"] == 1
    found = keyed_vectors(table).most_similar(positive=["woman", "king"], negative=["man"], topn=5)
    assert result.sections[0].correct[0][3].upper() == found[4][0].upper()


def counts(part: SectionResult) -> dict[str, Any]:
    """What a part says under its JSON names, but for the interval."""
    return {name: value for name, value in part.to_json().items() if name != "accuracy_interval"}


def gensims_answers(table: dict[str, Any], sections: list[Section]) -> list[dict[str, Any]]:
    import tempfile

    lines = [": family", *(" ".join(question) for question in sections[0].questions)]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "q").write_text("\n".join(lines))
        found = keyed_vectors(table).evaluate_word_analogies(str(Path(folder, "q")))[1][0]
    correct, total = len(found["correct"]), len(found["correct"]) + len(found["incorrect"])
    return [{"accuracy": correct / total, "correct": correct, "total": total, "skipped": 0}]


def test_a_vocabulary_of_the_given_words_only_has_no_answer(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    sections = [Section("x", (("a", "b", "c", "a"), ("a", "b", "c", "d")))]
    result = evaluate_analogies(sections, list("abc"), vectors)
    assert result.overall.correct == ()
    assert (result.overall.total, result.overall.skipped) == (1, 1)


@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`:DeprecationWarning")
def test_3cosmul_equals_gensims_most_similar_cosmul(
    structured: Any, questions_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("windrow.evaluation.analogy._TILE_COSINES", 1)  # tiles of 64 rows
    sections = [Section(part.name, part.questions[::20]) for part in read_questions(questions_path)]
    result = evaluate_analogies(
        sections, structured.index_to_key, structured.vectors, case_sensitive=True, method="3cosmul"
    )
    asked = [q for part in sections for q in part.questions if all(word in structured for word in q)]
    right = [
        (a, b, c, d)
        for a, b, c, d in asked
        if structured.most_similar_cosmul(positive=[b, c], negative=[a], topn=1)[0][0] == d
    ]
    assert list(result.overall.correct) == right
    assert 5 < len(right) < len(asked) == result.overall.total


def test_double_precision_changes_no_answer(structured: Any, questions_path: Path) -> None:
    words, vectors = structured.index_to_key, structured.vectors
    for method in ("3cosadd", "3cosmul"):
        single, double = (
            evaluate_analogies(questions_path, words, vectors.astype(dtype), method=method)  # type: ignore[arg-type]
            for dtype in (np.float32, np.float64)
        )
        assert single == double
        assert 0 < single.accuracy < 1


def test_a_zero_vector_is_no_answer() -> None:
    # Every other word points away from the offset, so that a cosine of 0 would be the highest.
    vectors = np.array([[1, 0], [0, 1], [1, 0.1], [-1, -1], [0, 0]], np.float32)
    sections = [Section("x", (("a", "b", "c", "d"),))]
    for method in ("3cosadd", "3cosmul"):
        assert evaluate_analogies(sections, list("abcdz"), vectors, method=method).accuracy == 1  # type: ignore[arg-type]


def test_a_spelling_answers_where_the_only_other_word_has_no_direction() -> None:
    vectors = np.array([[1, 0], [0, 1], [1, 0.1], [1, 0.2], [0, 0]], np.float32)
    sections = [Section("x", (("a", "b", "c", "c"), ("a", "b", "c", "z")))]
    assert evaluate_analogies(sections, ["a", "b", "c", "C", "z"], vectors).overall.correct == (("a", "b", "c", "c"),)


def test_sums_by_kind_and_names_that_repeat() -> None:
    vectors = np.array([[1, 0], [1, 1], [0, 1], [0, 2.1]], np.float32)
    good, other_case, unknown = ("a", "b", "b", "c"), ("a", "b", "b", "d"), ("a", "b", "b", "x")
    sections = [
        Section("capitals", (good, other_case, unknown)),
        Section("gram1", (other_case,)),
        Section("capitals", (good,)),
        Section("ice_hockey", (good,)),
        Section("empty", ()),
    ]
    result = evaluate_analogies(sections, ["a", "b", "c", "D"], vectors, case_sensitive=True)
    assert result.semantic.to_json() == {
        "accuracy": 1.0,
        "accuracy_interval": [1, 1],
        "correct": 2,
        "total": 2,
        "skipped": 2,
    }
    assert result.syntactic.to_json() == {
        "accuracy": 0.0,
        "accuracy_interval": None,
        "correct": 0,
        "total": 0,
        "skipped": 1,
    }
    assert result.to_json() == {
        "accuracy": 1.0,
        "accuracy_interval": [1, 1],
        "correct": 3,
        "total": 3,
        "skipped": 3,
        "sections": {
            "capitals": {"accuracy": 1.0, "accuracy_interval": [1, 1], "correct": 2, "total": 2, "skipped": 2},
            "gram1": {"accuracy": 0.0, "accuracy_interval": None, "correct": 0, "total": 0, "skipped": 1},
            "ice_hockey": {"accuracy": 1.0, "accuracy_interval": [1, 1], "correct": 1, "total": 1, "skipped": 0},
            "empty": {"accuracy": 0.0, "accuracy_interval": None, "correct": 0, "total": 0, "skipped": 0},
        },
    }


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("semantic", ["capital-common-countries", "Capital-World", "CURRENCY", "city-in-state", "family", "capitals"]),
        ("semantic", ["3_Encyclopedic_semantics", "E01 [country - capital]", "L10 [antonyms - binary]", "e07"]),
        ("syntactic", ["gram1-adjective-to-adverb", "Gram9-plural-verbs", "GRAM6", "grammar"]),
        ("syntactic", ["1_Inflectional_morphology", "D03 [adj+ly_reg]", "i09", "JJ_JJR", "NN_NNPOS", "vbz_vbd"]),
        ("unknown", ["ice_hockey", "airlines", "grams", "familiar", "capitalization", "I1", "jj_x", "", "total"]),
    ],
)
def test_a_section_counts_as_what_its_name_says(kind: str, names: list[str]) -> None:
    vectors = np.array([[1, 0], [1, 1], [0, 1], [0, 2.1]], np.float32)
    for name in names:
        result = evaluate_analogies([Section(name, (("a", "b", "b", "c"),))], list("abcd"), vectors)
        sums = {"semantic": result.semantic.total, "syntactic": result.syntactic.total}
        assert sums == {"semantic": 0, "syntactic": 0} | ({} if kind == "unknown" else {kind: 1}), name
        assert result.overall.total == result.to_json()["sections"][name]["total"] == 1


def test_the_exact_spelling_comes_before_more_frequent_ones() -> None:
    """KIR and "kir", "Maße" and "Masse" have one upper case; only the less frequent ones answer."""
    table = {"kir": [9, -9], KIR: [1, 0], "dağ": [1, 1], "Masse": [-9, 5], "Maße": [3, 0], "Größe": [3, 2]}
    words, vectors = list(table), np.array(list(table.values()), np.float32)
    asked = [Section("x", ((KIR, "dağ", "Maße", "Größe"), ("Größe", "Maße", "dağ", KIR)))]
    for case_sensitive in (False, True):
        assert evaluate_analogies(asked, words, vectors, case_sensitive=case_sensitive).accuracy == 1
    folded = [Section("x", (("KIR", "DAĞ", "MASSE", "GRÖSSE"),))]  # as no word is written: the most frequent spelling
    assert evaluate_analogies(folded, words, vectors).overall.to_json()["total"] == 1
    assert evaluate_analogies(folded, words, vectors, case_sensitive=True).overall.skipped == 1
    twin = [Section("x", (("dağ", "kir", KIR, "x"), ("Größe", "Masse", "Maße", "Maße")))]
    answered = evaluate_analogies(twin, words, vectors).overall
    assert (answered.total, answered.skipped) == (1, 1)


def test_an_answer_in_another_case_is_right_and_one_with_other_letters_is_not() -> None:
    vectors = np.array([[1, 0], [1, 1], [3, 0], [3, 2], [9, -9]], np.float32)
    for answer, expected, right in (
        ("Größe", "größe", 1),
        ("Maße", "Masse", 0),
        (KIR, "kir", 0),
        ("Masse", "masse", 1),
    ):
        words = ["a", "b", "c", answer, expected]
        assert evaluate_analogies([Section("x", (("a", "b", "c", expected),))], words, vectors).accuracy == right
        exactly = evaluate_analogies([Section("x", (("a", "b", "c", expected),))], words, vectors, case_sensitive=True)
        assert exactly.accuracy == 0


def test_gensims_name_of_the_option_is_taken() -> None:
    vectors = np.array([[1, 0], [1, 1], [3, 0], [3, 2]], np.float32)
    asked = [Section("x", (("A", "b", "c", "d"),))]
    for exactly in (False, True):
        result = evaluate_analogies(asked, list("abcd"), vectors, case_insensitive=not exactly)  # type: ignore[call-arg]
        assert result.overall.skipped == exactly


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a b c d\n", "line 1: a question before any section"),
        (b": x\na b c d\n\na b c\n", "line 4: a question is four words, this line has 3"),
        (b": x\na b c d e\n", "line 2: a question is four words, this line has 5"),
        (b": x\na b c \xff\n", "line 2: not UTF-8"),
        (b": x\n", "holds no analogy questions"),
        (b"", "holds no analogy questions"),
    ],
)
def test_wrong_question_files(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "q.txt").write_bytes(data)
    with pytest.raises(DataError, match=message):
        read_questions(tmp_path / "q.txt")


def test_reading_questions(tmp_path: Path) -> None:
    (tmp_path / "q.txt").write_bytes("\ufeff: one two\r\nÅ b c d\r\n\r\n:three\ne\tf g h\n".encode())
    assert read_questions(tmp_path / "q.txt") == [
        Section("one two", (("Å", "b", "c", "d"),)),
        Section("three", (("e", "f", "g", "h"),)),
    ]
    (tmp_path / "q.txt").write_bytes(b"// Copyright\n: x\nNew York\tUSA\tBath \tUK\n")
    assert read_questions(tmp_path / "q.txt") == [Section("x", (("New York", "USA", "Bath", "UK"),))]
    with pytest.raises(DataError, match=r"cannot read .*none"):
        read_questions(tmp_path / "none")


def test_options_out_of_range() -> None:
    sections, vectors = [Section("x", (("a", "b", "c", "d"),))], np.ones((1, 2), np.float32)
    with pytest.raises(OptionError, match="restrict_vocab = 0"):
        evaluate_analogies(sections, ["a"], vectors, restrict_vocab=0)
    with pytest.raises(OptionError, match="3cosadd, 3cosmul"):
        evaluate_analogies(sections, ["a"], vectors, method="add")  # type: ignore[arg-type]
