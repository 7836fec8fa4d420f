"""Categorization: clusters, purity, and files of words with categories."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from windrow.errors import DataError, OptionError
from windrow.evaluation import evaluate_categories, read_categories
from windrow.evaluation.categories import CategoryResult, ClusteredWord, WordCategory
from windrow.evaluation.grouping import k_means

LISTED = [("cat", "animal"), ("dog", "animal"), ("oak", "plant"), ("elm", "plant"), ("ivy", "plant"), ("x", "thing")]
WORDS = ["cat", "dog", "oak", "elm", "ivy"]
VECTORS = np.array([[9, 1], [8, 2], [1, 9], [2, 8], [7, 1]], np.float32)  # ivy lies among animals


def test_purity_by_hand() -> None:
    result = evaluate_categories(LISTED, WORDS, VECTORS)  # type: ignore[arg-type]
    assert result.purity == pytest.approx(4 / 5)
    assert result.oov == pytest.approx(1 / 6)
    assert result.categories == {"animal": 1, "plant": pytest.approx(2 / 3)}
    assert [one.word for one in result.judged if not one.is_right] == ["ivy"]
    found = result.to_json()
    low, high = found["purity_interval"]
    assert low < 0.8 < high
    assert found["categories"]["plant"] == {"purity": pytest.approx(2 / 3), "words": 3}


def test_purity_equals_that_of_sklearns_contingency_table() -> None:
    metrics = pytest.importorskip("sklearn.metrics.cluster")
    rng = np.random.default_rng(3)
    words = [f"w{number}" for number in range(90)]
    centers = rng.normal(size=(6, 5))
    kinds = rng.integers(0, 6, 90)
    vectors = (centers[kinds] + 0.7 * rng.normal(size=(90, 5))).astype(np.float32)
    result = evaluate_categories(
        [WordCategory(*one) for one in zip(words, map(str, kinds), strict=True)], words, vectors
    )
    clusters = [one.cluster for one in result.judged]
    table = metrics.contingency_matrix(kinds, clusters)
    assert result.purity == pytest.approx(table.max(axis=0).sum() / 90)
    assert 0.4 < result.purity < 1


def test_k_means_finds_clusters_as_good_as_sklearns() -> None:
    sklearn = pytest.importorskip("sklearn.cluster")
    points = np.random.default_rng(4).normal(size=(80, 3))
    theirs = sklearn.KMeans(5, n_init=10, random_state=1).fit(points).inertia_
    labels = k_means(points, 5)
    ours = sum(
        ((points[labels == one] - points[labels == one].mean(axis=0)) ** 2).sum() for one in set(labels.tolist())
    )
    assert ours < 1.05 * theirs


def test_fewer_directions_than_categories() -> None:
    vectors = np.array([[1, 0], [2, 0], [3, 0], [0, 0]], np.float32)
    listed = [WordCategory(*one) for one in zip("abcd", "xyzx", strict=True)]
    result = evaluate_categories(listed, list("abcd"), vectors)
    assert result.purity == pytest.approx(1 / 2)  # three words in one cluster, and one whose vector is zero


def test_published_layouts(tmp_path: Path) -> None:
    expected = [WordCategory("cat", "animal"), WordCategory("oak tree", "plant")]
    file = tmp_path / "x"
    for text in (
        "cat\tanimal\noak tree\tplant\n",
        "word,category\ncat,animal\noak tree,plant\n\n",
        "# c\ncat;animal\noak tree;plant",
    ):
        file.write_text(text)
        assert read_categories(file) == expected
    file.write_text("cat animal\noak plant\n")
    assert read_categories(file)[1] == ("oak", "plant")
    folder = tmp_path / "ap"
    folder.mkdir()
    (folder / "plant.txt").write_text("oak tree\n")
    (folder / "animal.txt").write_text("cat\n\n")
    assert read_categories(folder) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cat\tanimal\noak\n", "line 2: expected a word and its category, got 'oak'"),
        ("cat\tanimal\noak\tplant\tbig\n", "line 2: expected a word"),
        ("cat,animal\n,plant\n", "line 2: expected a word"),
        ("", "holds no words with categories"),
        ("word\tcategory\n", "holds no words with categories"),
    ],
)
def test_wrong_files(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(text)
    with pytest.raises(DataError, match=said):
        read_categories(tmp_path / "x.txt")


def test_what_cannot_be_measured() -> None:
    with pytest.raises(DataError, match="2 of 3 words are known, of 1 categories"):
        evaluate_categories([("cat", "a"), ("dog", "a"), ("y", "b")], WORDS, VECTORS)  # type: ignore[list-item]
    with pytest.raises(OptionError, match="the vector of 'oak' holds a number that is not finite"):
        evaluate_categories(LISTED, WORDS, np.where(VECTORS == 9, np.nan, VECTORS)[[3, 4, 0, 1, 3]])  # type: ignore[arg-type]
    for wrong in (None, {"a": "b"}, ["cat animal"], [("a", "b", "c")], [("a", 1)]):
        with pytest.raises(OptionError, match="categories must be a file, a folder, or a list"):
            evaluate_categories(wrong, WORDS, VECTORS)  # type: ignore[arg-type]


def test_the_interval_is_that_of_the_words_in_their_clusters() -> None:
    judged = tuple(ClusteredWord(f"w{n}", "ab"[n % 4 == 0], 0, "a") for n in range(80))
    low, high = CategoryResult(judged, 0).purity_interval or (0, 0)
    assert (low, high) == pytest.approx((0.65, 0.8375), abs=0.02)  # binomial, 80 draws, 0.75
