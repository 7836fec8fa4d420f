"""Classes of words: by k-means of unit vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from windrow import WordVectors
from windrow.cli import main
from windrow.embeddings.clusters import cluster_words
from windrow.errors import OptionError


def bundles(classes: int, each: int, seed: int = 0) -> tuple[WordVectors, np.ndarray]:
    """Words around as many axes, of all lengths, in random order; and to which axis each belongs."""
    rng = np.random.default_rng(seed)
    axis_of = rng.permutation(np.repeat(np.arange(classes), each))
    vectors = 0.05 * rng.normal(size=(len(axis_of), classes)) + np.eye(classes)[axis_of]
    vectors *= rng.uniform(0.1, 30, (len(axis_of), 1))
    return WordVectors([f"w{row}" for row in range(len(axis_of))], vectors.astype(np.float32)), axis_of


def test_words_of_one_direction_are_one_class_numbered_as_they_come() -> None:
    wv, axis_of = bundles(5, 30)
    numbers: dict[int, int] = {}
    expected = [numbers.setdefault(axis, len(numbers)) for axis in axis_of.tolist()]
    for seed in (1, 2):
        assert cluster_words(wv, 5, seed=seed).tolist() == expected


def test_each_word_is_in_the_class_of_the_nearest_center() -> None:
    """Which is what k-means ends with: a fixed point of Lloyd's algorithm, computed here by loops."""
    rng = np.random.default_rng(4)
    wv = WordVectors([f"w{row}" for row in range(60)], rng.normal(size=(60, 3)).astype(np.float32))
    classes = cluster_words(wv, 4)
    units = wv.vectors.astype(np.float64) / np.linalg.norm(wv.vectors, axis=1, keepdims=True)
    centers = [np.mean([u for u, c in zip(units, classes, strict=True) if c == k], axis=0) for k in range(4)]
    nearest = [min(range(4), key=lambda k, u=unit: np.sum((u - centers[k]) ** 2)) for unit in units]
    assert classes.tolist() == nearest
    assert cluster_words(wv, 4).tolist() == classes.tolist()


def test_equal_directions_are_one_class() -> None:
    wv = WordVectors(["a", "b", "c"], np.array([[1, 0], [2, 0], [0, 1]], np.float32))
    assert cluster_words(wv, 3).tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"k": 0}, r"k = 0 is out of range; the allowed range is \[1, "),
        ({"k": 4}, "k = 4: there are 3 words, so no more classes; lower it"),
        ({"k": 2, "seed": -1}, r"seed = -1 is out of range; the allowed range is \[0, 4294967295\]"),
    ],
)
def test_what_cannot_be_classes(options: dict[str, int], told: str) -> None:
    with pytest.raises(OptionError, match=told):
        cluster_words(WordVectors(["a", "b", "c"], np.eye(3, dtype=np.float32)), **options)


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["vectors", "cluster", *map(str, arguments)])


def test_the_command_writes_a_word_and_its_class_per_line(tmp_path: Path) -> None:
    wv, _ = bundles(3, 4)
    wv.save(tmp_path / "v.txt")
    expected = "".join(f"{word} {number}\n" for word, number in zip(wv.index_to_key, cluster_words(wv, 3), strict=True))

    printed = run(tmp_path / "v.txt", "-k", 3)
    written = run(tmp_path / "v.txt", "-k", 3, "-o", tmp_path / "classes.txt")

    assert (printed.stdout, printed.stderr) == (expected, "")
    assert (tmp_path / "classes.txt").read_text() == expected
    assert written.stderr == f"{tmp_path / 'classes.txt'}: 12 words in 3 classes\n"
    refused = run(tmp_path / "v.txt", "-k", 13)
    assert (refused.exit_code, refused.stderr) == (
        1,
        "Error: -k = 13: there are 12 words, so no more classes; lower it\n",
    )
