"""Lists are recognized by their content; folders of pairs as BATS has them, with several right answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from windrow.embeddings.vectors import WordVectors
from windrow.errors import DataError, OptionError
from windrow.evaluation import (
    compare_models,
    evaluate_analogies,
    evaluate_list,
    kind_of_list,
    read_questions,
)
from windrow.evaluation.analogy import Section

ONE_FILE = {
    "analogies": [": x\na b c d\n", "\ufeff// license\n: x\na b c d\n"],
    "similarity": ["a\tb\t1\n", "a b 1\n", "word1,word2,score\na,b,1\n", "a;b;1\n"],
    "categories": ["a\tb\nc\tb\n", "a b\n", "# x\na,b\n", "New York\tcity\n"],
    "outliers": ["a\nb\n\nc\n", "\na\nb\n\n\nc\nd\n"],
}
FOLDERS = {
    "analogies": "cat\tcats\ndog\tdogs/hounds\n",
    "categories": "New York\nRome\n",
    "outliers": "New York\nRome\n\noak\n",
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in ONE_FILE.items() for text in texts])
def test_files_are_recognized(kind: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_text(text)
    assert kind_of_list(tmp_path / "x") == kind


@pytest.mark.parametrize("kind", FOLDERS)
def test_folders_are_recognized(kind: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.txt").write_text(FOLDERS[kind])
    (tmp_path / "metadata.json").write_text("{}")
    assert kind_of_list(tmp_path) == kind


@pytest.mark.parametrize(
    ("text", "said"), [("", "is empty"), ("\n\n", "is empty"), ("a\nb\n", "holds single words; expected analogies")]
)
def test_what_is_no_list(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(DataError, match=said):
        kind_of_list(tmp_path / "x")
    with pytest.raises(DataError, match=r"holds no \.txt or \.tsv file"):
        kind_of_list(tmp_path)
    with pytest.raises(DataError, match="cannot read"):
        kind_of_list(tmp_path / "none")


def test_a_folder_of_pairs_gives_each_pair_after_each_other(tmp_path: Path) -> None:
    (tmp_path / "1_Inflectional").mkdir()
    (tmp_path / "1_Inflectional" / "I01 [plural].txt").write_text("cat\tcats\ndog\tdogs/hounds\nNew York\t x \n\n")
    (tmp_path / "E01 [sound].txt").write_text("cow\tmoo\ncat\tmeow/purr\n")
    first, second = read_questions(tmp_path)
    assert (first.name, second.name) == ("I01 [plural]", "E01 [sound]")
    assert second.questions == (("cow", "moo", "cat", "meow", "purr"), ("cat", "meow", "cow", "moo"))
    assert len(first.questions) == 6
    assert ("cat", "cats", "dog", "dogs", "hounds") in first.questions
    assert ("dog", "dogs", "New York", "x") in first.questions  # shown with the first answer only


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cat\tcats\n", "holds 1 pairs of words; analogies need two"),
        ("cat\tcats\ndog\n", "line 2: expected a word, a tab and its answers with / between them, got 'dog'"),
        ("cat\tcats\ndog\t/ /\n", "line 2: expected a word"),
    ],
)
def test_wrong_folders_of_pairs(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(text)
    with pytest.raises(DataError, match=said):
        read_questions(tmp_path)


def test_any_of_several_answers_is_right_and_one_must_be_known() -> None:
    words, vectors = list("abcdef"), np.array([[1, 0], [1, 1], [3, 0], [3, 2], [-1, -1], [-2, -1]], np.float32)
    asked = [
        (("a", "b", "c", "d"), True),  # "d" is the answer
        (("a", "b", "c", "e", "d"), True),
        (("a", "b", "c", "D", "unknown"), True),
        (("a", "b", "c", "e", "f"), False),
        (("a", "b", "c", "e", "unknown"), False),
        (("a", "b", "c", "nobody", "unknown"), None),
        (("a", "unknown", "c", "d", "e"), None),
    ]
    result = evaluate_analogies([Section("x", tuple(question for question, _ in asked))], words, vectors).overall
    assert result.correct == tuple(question for question, is_right in asked if is_right)
    assert result.incorrect == tuple(question for question, is_right in asked if is_right is False)
    assert result.skipped == 2
    with pytest.raises(OptionError, match="a question is three words and one or more that answer, not "):
        evaluate_analogies([Section("x", (("a", "b", "c"),))], words, vectors)


def test_a_list_is_measured_as_what_it_is_or_as_it_is_said_to_be(tmp_path: Path) -> None:
    wv = WordVectors(["cat", "cats", "dog", "dogs"], np.array([[1, 0], [1, 1], [3, 0], [3, 2]], np.float32))
    (tmp_path / "x.txt").write_text("cat\tcats\ndog\tdogs\n")
    assert evaluate_list(tmp_path, wv).accuracy == 1  # type: ignore[union-attr]
    assert evaluate_list(tmp_path / "x.txt", wv, kind="categories", restrict_vocab=4).oov == 0  # type: ignore[union-attr]
    with pytest.raises(OptionError, match="kind = 'words' is not one of analogies, similarity"):
        evaluate_list(tmp_path, wv, kind="words")  # type: ignore[arg-type]
    (tmp_path / "x.txt").write_text("cat\tcats\t7\tx\ncat\tdog\t2\tx\ndogs\tdog\t5\tx\n")
    assert evaluate_list(tmp_path / "x.txt", wv, columns="1,2,3").pairs == 3  # type: ignore[union-attr]


def test_two_models_get_the_words_that_both_know(tmp_path: Path) -> None:
    words = ["cat", "dog", "cow", "oak", "elm", "ivy"]
    vectors = np.array([[9, 1], [8, 2], [7, 1], [1, 9], [2, 8], [1, 7]], np.float32)
    a, b = WordVectors(words[:5], vectors[:5]), WordVectors([*words[1:], "x"], vectors)
    (tmp_path / "x.tsv").write_text("".join(f"{word}\t{'ap'[place > 2]}\n" for place, word in enumerate(words)))
    [found] = compare_models(tmp_path / "x.tsv", a, b)
    assert (found.score, found.items, found.a) == ("purity", 4, 1)
    (tmp_path / "x.tsv").write_text("cat\ndog\ncow\n\noak\nelm\n")
    accuracy, opp = compare_models(tmp_path / "x.tsv", a, b)
    assert (accuracy.score, accuracy.items, accuracy.a, opp.score) == ("accuracy", 2, 1, "opp")
    (tmp_path / "x.tsv").write_text("cat\tanimal\nivy\tplant\n")
    with pytest.raises(DataError, match="no word of it is known to both models"):
        compare_models(tmp_path / "x.tsv", a, b)
