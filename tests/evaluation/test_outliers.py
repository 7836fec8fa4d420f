"""Outlier detection: by hand, by the definition, and files of topics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.naive.bootstrap import outlier_position
from windrow.errors import DataError, OptionError
from windrow.evaluation import evaluate_outliers, read_outliers
from windrow.evaluation.outliers import Topic

WORDS = ["cat", "dog", "cow", "oak", "wolf"]
VECTORS = np.array([[1, 0], [0.8, 0.6], [0, 1], [-0.8, -0.6], [0.96, 0.28]], np.float32)


def test_scores_by_hand() -> None:
    """Sums of cosines with the others. cat 0, dog .4, cow 0, oak -2.4; cat 1.76, dog 2.34, cow .88, wolf 2.18."""
    topic = Topic("animals", ("cat", "dog", "cow", "unicorn"), ("oak", "wolf", "yeti"))
    result = evaluate_outliers([topic], WORDS, VECTORS)
    assert [(one.outlier, one.misfits, one.words) for one in result.judged] == [("oak", 0, 3), ("wolf", 2, 3)]
    assert result.accuracy == 1 / 2
    assert result.opp == pytest.approx((1 + 1 / 3) / 2)
    assert (result.skipped, result.oov) == (1, 1 / 4)
    found = result.to_json()
    assert found["topics"] == {"animals": {"accuracy": 0.5, "opp": pytest.approx(2 / 3), "total": 2}}
    assert found["accuracy_interval"] == [0.5, 0.5]  # of one topic all resamples are equal


@pytest.mark.parametrize("seed", range(3))
def test_positions_are_those_of_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = [f"w{number}" for number in range(30)]
    vectors = (rng.normal(size=(30, 6)) + 0.7).astype(np.float32)
    topics = [Topic(f"t{n}", tuple(words[n : n + 8]), tuple(words[n + 8 : n + 16])) for n in (0, 5, 14)]
    result = evaluate_outliers(topics, words, vectors)
    assert len(result.judged) == 24
    for one in result.judged:
        group = next(topic.words for topic in topics if topic.name == one.topic)
        chosen = vectors[[words.index(word) for word in (*group, one.outlier)]].astype(float)
        assert one.position == pytest.approx(outlier_position(chosen) / 8)
        assert one.is_right == (one.position == 1)
    low, high = result.opp_interval or (0, 0)
    assert low <= result.opp <= high


def test_a_word_that_fits_as_badly_as_the_outlier_hides_it() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    result = evaluate_outliers([("x", ["a", "b", "c"], ["d"])], list("abcd"), vectors)  # type: ignore[list-item]
    assert (result.accuracy, result.judged[0].misfits) == (0, 3)


def test_folders_and_files_of_topics(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.txt").write_text("New York\nRome\n\n\noak\nivy\n")
    (tmp_path / "a.tsv").write_text("\n\ncat\ndog\n \noak\n\n")
    (tmp_path / ".hidden.txt").write_text("x\n")
    (tmp_path / "readme.md").write_text("x\n")
    assert read_outliers(tmp_path) == [
        Topic("a", ("cat", "dog"), ("oak",)),
        Topic("b", ("New York", "Rome"), ("oak", "ivy")),
    ]
    assert read_outliers(tmp_path / "a.tsv")[0].name == "a"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cat\ndog\n", r"has 1 blocks of lines \(2 lines\); a topic is two or more words"),
        ("cat\n\ndog\n", r"has 2 blocks of lines \(1 and 1 lines\)"),
        ("a\nb\n\nc\n\nd\n", r"has 3 blocks of lines \(2 and 1 and 1 lines\)"),
        ("", r"has 0 blocks of lines \(no lines\)"),
    ],
)
def test_wrong_files(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(text)
    with pytest.raises(DataError, match=said):
        read_outliers(tmp_path)


def test_what_cannot_be_measured() -> None:
    with pytest.raises(DataError, match="the topics: 1 of 2 words of topics are known, and no outlier beside two"):
        evaluate_outliers([Topic("x", ("cat", "y"), ("oak",))], WORDS, VECTORS)
    with pytest.raises(OptionError, match="the vector of 'dog' holds"):
        evaluate_outliers(
            [Topic("x", ("cat", "dog"), ("oak",))], WORDS, np.where(np.float32(0.6) == VECTORS, np.inf, VECTORS)
        )
    for wrong in (None, [("x", "cat", ("oak",))], [("x", ("cat",))], [(1, ("a",), ("b",))]):
        with pytest.raises(OptionError, match="topics must be a file, a folder, or a list"):
            evaluate_outliers(wrong, WORDS, VECTORS)  # type: ignore[arg-type]
