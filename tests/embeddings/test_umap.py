"""Maps by UMAP: near words stay near, equal seeds give equal maps, and odd vectors have a place.

They need umap-learn, which compiles for some ten seconds in every process, so that it is not among what all tests need.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from windrow import WordVectors
from windrow.cli import main
from windrow.embeddings.projections import umap, unit_rows
from windrow.errors import OptionError

# umap-learn warns on import that TensorFlow, for what we do not use, is missing.
pytestmark = pytest.mark.filterwarnings("ignore::ImportWarning")
pytest.importorskip("umap", exc_type=ImportError, reason="the extra `umap` is not installed")


def units(words: int, seed: int = 2) -> np.ndarray:
    """Vectors of length 1 around five directions."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(5, 20))
    return unit_rows((centers[rng.integers(0, 5, words)] + 0.5 * rng.normal(size=(words, 20))).astype(np.float32))


def test_near_words_stay_near() -> None:
    from sklearn.manifold import trustworthiness

    vectors = units(150)
    chance = np.random.default_rng(1).normal(size=(150, 2))
    found, axes = umap(vectors, 1)
    assert (found.shape, found.dtype, axes) == ((150, 2), np.float64, ("", ""))
    assert trustworthiness(vectors, chance, n_neighbors=5) < 0.6
    assert trustworthiness(vectors, found, n_neighbors=5) > 0.85


@pytest.mark.parametrize("words", [40, 4200])  # above 4,096, umap-learn searches neighbors by another method
def test_equal_seeds_give_equal_maps(words: int) -> None:
    vectors = units(words)
    np.testing.assert_array_equal(umap(vectors, 7)[0], umap(vectors, 7)[0])


def test_another_seed_gives_another_map() -> None:
    assert not np.array_equal(umap(units(40), 7)[0], umap(units(40), 8)[0])


@pytest.mark.parametrize(
    "vectors",
    [
        np.ones((9, 3)),
        np.array([[1.0], [2], [-4], [0], [0], [3]]),
        np.vstack([np.eye(4), -np.eye(4)]),
        np.zeros((6, 2)),
        np.eye(4),
    ],
    ids=["equal", "one dimension", "opposite", "zero", "four"],
)
def test_every_word_has_a_place(vectors: np.ndarray) -> None:
    found = umap(unit_rows(vectors.astype(np.float32)), 1)[0]
    assert found.shape == (len(vectors), 2)
    assert np.isfinite(found).all()


def test_three_words_are_too_few() -> None:
    with pytest.raises(OptionError, match="UMAP needs at least four words, got 3; use the method pca"):
        umap(np.eye(3), 1)


def test_a_picture_by_the_command(tmp_path: Path) -> None:
    vectors, picture = tmp_path / "vectors.safetensors", tmp_path / "map.svg"
    WordVectors([f"w{word}" for word in range(30)], units(30).astype(np.float32)).save(vectors)
    result = CliRunner().invoke(main, ["vectors", "plot", str(vectors), "-o", str(picture), "--method", "umap"])
    assert (result.exit_code, result.stderr) == (0, f"{picture}: 30 words, 30 of them labeled\n")
    assert "30 words, UMAP" in picture.read_text("utf-8")
