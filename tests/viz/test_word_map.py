from __future__ import annotations

import subprocess
import sys
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from windrow.embeddings import WordVectors
from windrow.embeddings.clusters import cluster_words
from windrow.embeddings.projections import pca, unit_rows
from windrow.errors import DataError, DataWarning, MissingWordError, OptionError
from windrow.viz import figures, plot_vectors
from windrow.viz.word_map import word_map


def word_vectors(words: int = 120, dim: int = 12) -> WordVectors:
    """A few tight clusters, so that labels are in each other's way."""
    rng = np.random.default_rng(3)
    centers = rng.normal(size=(4, dim))
    vectors = centers[rng.integers(0, 4, words)] + 0.15 * rng.normal(size=(words, dim))
    return WordVectors([f"word{number}" for number in range(words)], vectors.astype(np.float32))


def labels(figure: Figure, words: list[str]) -> dict[str, Text]:
    (axes,) = figure.axes
    return {text.get_text(): text for text in axes.texts if text.get_text() in set(words)}


def boxes(figure: Figure, words: list[str]) -> dict[str, Bbox]:
    return {word: text.get_window_extent() for word, text in labels(figure, words).items()}


def png_size(path: Path) -> tuple[int, int]:
    header = path.read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:24], "big")


def svg_texts(path: Path) -> list[str]:
    root = ElementTree.fromstring(path.read_bytes())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    return ["".join(element.itertext()).strip() for element in root.iter("{http://www.w3.org/2000/svg}text")]


# --- coordinates


def test_pca_coordinates_are_those_of_the_covariance_matrix_up_to_sign() -> None:
    wv = word_vectors()
    drawn = word_map(wv, top=50)
    unit = wv.vectors[:50] / np.linalg.norm(wv.vectors[:50], axis=1, keepdims=True)
    centered = unit - unit.mean(axis=0)
    variances, directions = np.linalg.eigh(np.cov(centered.T))
    expected = centered @ directions[:, [-1, -2]]
    np.testing.assert_allclose(np.abs(drawn.coordinates), np.abs(expected), atol=1e-5)
    first, second = variances[[-1, -2]] / variances.sum()
    (axes,) = drawn.figure.axes
    assert axes.get_xlabel() == f"component 1: {first:.1%} of the variance"
    assert axes.get_ylabel() == f"component 2: {second:.1%} of the variance"


def test_pca_of_one_dimension_or_of_equal_vectors_is_flat() -> None:
    coordinates, _ = pca(np.array([[1.0], [2], [4]]), seed=1)
    np.testing.assert_allclose(np.abs(coordinates[:, 0]), [4 / 3, 1 / 3, 5 / 3])
    assert (coordinates[:, 1] == 0).all()
    same = word_map(WordVectors(["a", "b"], np.ones((2, 3), np.float32)))
    assert (same.coordinates == 0).all()
    assert not same.unlabeled


def test_zero_vectors_stay_zero() -> None:
    np.testing.assert_allclose(unit_rows(np.array([[0, 0], [3, 4]], np.float32)), [[0, 0], [0.6, 0.8]])


def test_tsne_keeps_clusters_together() -> None:
    rng = np.random.default_rng(0)
    centers = 10 * np.eye(3, 8)
    vectors = np.repeat(centers, 8, axis=0) + 0.1 * rng.normal(size=(24, 8))
    wv = WordVectors([f"w{number}" for number in range(24)], vectors.astype(np.float32))
    points = word_map(wv, method="tsne").coordinates
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (distances.argmin(axis=1) // 8 == np.arange(24) // 8).all()


# --- labels


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_no_two_labels_overlap_and_none_leaves_the_frame(method: str) -> None:
    drawn = word_map(word_vectors(), method=method)
    found = boxes(drawn.figure, drawn.words)
    assert len(found) == 120 - len(drawn.unlabeled) > 30
    overlapping = [pair for pair in combinations(found, 2) if Bbox.intersection(*(found[word] for word in pair))]
    assert overlapping == []
    frame = drawn.figure.axes[0].get_window_extent()
    assert all(frame.x0 <= one.x0 and one.x1 <= frame.x1 for one in found.values())
    assert all(frame.y0 <= one.y0 and one.y1 <= frame.y1 for one in found.values())


def test_a_label_left_out_is_counted_on_the_picture_and_is_not_the_first() -> None:
    wv = word_vectors(300)
    drawn = word_map(wv)
    assert drawn.unlabeled
    shown = [text.get_text() for text in drawn.figure.axes[0].texts]
    assert f"no space for {len(drawn.unlabeled)} of 300 labels" in shown
    assert "word0" in shown
    assert sorted([*labels(drawn.figure, drawn.words), *drawn.unlabeled]) == sorted(drawn.words)


def test_all_asked_words_are_text_in_the_svg(tmp_path: Path) -> None:
    asked = ["word3", "word1", "word40", "word77", "word3", *(f"word{number}" for number in range(80, 110))]
    drawn = word_map(word_vectors(), asked, path=tmp_path / "map.svg")
    assert drawn.words == list(dict.fromkeys(asked))
    found = boxes(drawn.figure, drawn.words)
    assert not any(Bbox.intersection(found[one], found[two]) for one, two in combinations(found, 2))
    texts = svg_texts(tmp_path / "map.svg")
    assert sorted(text for text in texts if text.startswith("word")) == sorted(set(asked))
    assert "34 words, principal components" in texts


def test_a_word_with_dollar_signs_or_markup_is_no_formula(tmp_path: Path) -> None:
    words = ["$x^2$", "<b>&", "a_b", "$"]
    wv = WordVectors(words, np.eye(4, dtype=np.float32))
    plot_vectors(wv, words, path=tmp_path / "map.svg")
    assert set(words) <= set(svg_texts(tmp_path / "map.svg"))


@pytest.mark.filterwarnings("ignore:no installed font")
def test_a_script_that_the_font_lacks_is_text_in_svg(tmp_path: Path) -> None:
    words = ["\u732b", "\u72ac", "\u0915\u0941"]
    plot_vectors(WordVectors(words, np.eye(3, dtype=np.float32)), path=tmp_path / "map.svg")
    plot_vectors(WordVectors(words, np.eye(3, dtype=np.float32)), path=tmp_path / "map.png")
    assert set(words) <= set(svg_texts(tmp_path / "map.svg"))


# --- files


def test_the_extension_names_the_format(tmp_path: Path) -> None:
    wv = word_vectors(20)
    for name in ("map.png", "map.svg", "map.PDF"):
        assert isinstance(plot_vectors(wv, path=tmp_path / name), Figure)
    width, height = png_size(tmp_path / "map.png")
    assert 600 < width < 2000
    assert 600 < height < 2000
    assert svg_texts(tmp_path / "map.svg")
    assert (tmp_path / "map.PDF").read_bytes()[:5] == b"%PDF-"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.PDF", "map.png", "map.svg"]


def test_more_words_get_a_larger_picture(tmp_path: Path) -> None:
    wv = word_vectors()
    plot_vectors(wv, top=10, path=tmp_path / "few.png")
    plot_vectors(wv, top=120, path=tmp_path / "many.png")
    assert np.prod(png_size(tmp_path / "many.png")) > 1.5 * np.prod(png_size(tmp_path / "few.png"))


@pytest.mark.parametrize("method", ["pca", "tsne"])
@pytest.mark.parametrize("extension", ["png", "svg", "pdf"])
def test_equal_seeds_give_equal_files(tmp_path: Path, method: str, extension: str) -> None:
    wv = word_vectors(30)
    one, two = tmp_path / f"one.{extension}", tmp_path / f"two.{extension}"
    for path in (one, two):
        plot_vectors(wv, method=method, path=path, seed=7)
    assert one.read_bytes() == two.read_bytes()


def test_another_seed_gives_another_tsne_map() -> None:
    wv = word_vectors(40)
    one, same, other = (word_map(wv, method="tsne", seed=seed).coordinates for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_settings_of_the_user_neither_change_the_picture_nor_are_changed(tmp_path: Path) -> None:
    script = """
import sys, matplotlib, numpy as np
from windrow.embeddings import WordVectors
from windrow.viz import figures, plot_vectors
if sys.argv[2] == "own":
    matplotlib.rcParams.update({"font.size": 30, "lines.linewidth": 9, "figure.dpi": 33, "svg.fonttype": "path"})
settings = lambda: [matplotlib.rcParams[name] for name in sorted(matplotlib.rcParams) if name != "backend"]
before = settings()
plot_vectors(WordVectors(list("abc"), np.eye(3, dtype=np.float32)), path=sys.argv[1])
assert settings() == before
assert "matplotlib.pyplot" not in sys.modules
"""
    for name in ("plain", "own"):
        subprocess.run([sys.executable, "-c", script, str(tmp_path / f"{name}.svg"), name], check=True)
    assert (tmp_path / "plain.svg").read_bytes() == (tmp_path / "own.svg").read_bytes()


# --- errors


def test_an_unknown_word_is_named() -> None:
    with pytest.raises(MissingWordError, match="'wort1' is not in the vocabulary"):
        plot_vectors(word_vectors(), ["word1", "wort1"])


def test_bad_options_are_named(tmp_path: Path) -> None:
    wv = word_vectors(5)
    with pytest.raises(OptionError, match=r"must end in one of \.png, \.svg, \.pdf"):
        plot_vectors(wv, path=tmp_path / "map.gif")
    with pytest.raises(OptionError, match="method = 'som' is not one of pca, tsne, umap"):
        plot_vectors(wv, method="som")
    with pytest.raises(OptionError, match="at least two words, got 1"):
        plot_vectors(wv, ["word1", "word1"])
    joined = WordVectors(["word1 word2", "word3"], np.eye(2, dtype=np.float32))
    with pytest.raises(OptionError, match=r"got 1; are they one string\? Give each by itself"):
        plot_vectors(joined, ["word1 word2"])
    with pytest.raises(OptionError, match="t-SNE needs at least four words, got 3"):
        plot_vectors(wv, top=3, method="tsne")
    with pytest.raises(OptionError, match="top = 1 is out of range"):
        plot_vectors(wv, top=1)
    with pytest.raises(OptionError, match="seed = -1 is out of range"):
        plot_vectors(wv, seed=-1)
    with pytest.raises(DataError, match="does not exist; make it first"):
        plot_vectors(wv, path=tmp_path / "nowhere" / "map.png")
    assert list(tmp_path.iterdir()) == []


# --- which words, and what is drawn beside them


def drawn_words(**options: object) -> list[str]:
    words = ["the", "</s>", ",", "king", "Of", "queen", "2", "man", "woman"]
    vectors = np.random.default_rng(2).normal(size=(len(words), 4)).astype(np.float32)
    return word_map(WordVectors(words, vectors), **{"top": 4, **options}).words


def test_the_first_words_are_those_that_mean_something() -> None:
    assert drawn_words() == ["king", "queen", "2", "man"]
    assert drawn_words(stop_words=None) == ["the", "</s>", ",", "king"]
    assert drawn_words(stop_words=["KING"]) == ["the", "Of", "queen", "2"]
    assert drawn_words(words=["the", "Of"]) == ["the", "Of"], "named words are drawn whatever they are"
    with pytest.raises(OptionError, match="stop_words = 'german' must be 'english', a list of words, or None"):
        drawn_words(stop_words="german")
    assert word_map(WordVectors(["a", "i"], np.eye(2, dtype=np.float32))).words == ["a", "i"], "nothing else is left"


def test_neighbors_are_those_of_most_similar() -> None:
    wv = word_vectors()
    expected = ["word1", "word2", *(word for one in ("word1", "word2") for word, _ in wv.most_similar(one, topn=3))]
    assert word_map(wv, ["word1", "word2"], neighbors=3).words == list(dict.fromkeys(expected))
    with pytest.raises(OptionError, match="neighbors = 3 are those of words; give words, too"):
        word_map(wv, neighbors=3)


def test_arrows_go_from_point_to_point() -> None:
    wv = word_vectors()
    drawn = word_map(wv, arrows=[("word1", "word2"), ["word3", "word4"]])
    assert drawn.words == ["word1", "word2", "word3", "word4"]
    (axes,) = drawn.figure.axes
    found = [(arrow.xyann, arrow.xy) for arrow in axes.texts if getattr(arrow, "arrow_patch", None) is not None]
    np.testing.assert_allclose(np.reshape(found, (4, 2)), drawn.coordinates)
    for arrows in (["ab"], [("word1",)], [("word1", "word2", "word3")]):
        with pytest.raises(OptionError, match="arrows must be pairs of words"):
            word_map(wv, arrows=arrows)


def test_each_class_of_words_has_a_color_and_a_shape() -> None:
    wv = word_vectors(40)
    drawn = word_map(wv, wv.index_to_key, clusters=4)
    (axes,) = drawn.figure.axes
    dots = [part for part in axes.collections if len(part.get_offsets())]
    classes = cluster_words(wv, 4)
    found = {tuple(point): number for number, part in enumerate(dots) for point in part.get_offsets().data}
    assert [found[tuple(point)] for point in drawn.coordinates] == classes.tolist()
    assert len({tuple(part.get_facecolor()[0]) for part in dots}) == 4
    assert len({part.get_paths()[0].vertices.tobytes() for part in dots}) == 4
    with pytest.raises(OptionError, match="clusters = 3 is more than the 2 words of the map"):
        word_map(wv, ["word1", "word2"], clusters=3)
    with pytest.raises(OptionError, match=r"clusters = 9 is out of range; the allowed range is \[1, 8\]"):
        word_map(wv, clusters=9)


def test_a_dark_picture_has_light_letters() -> None:
    for theme, is_lighter in (("dark", True), ("light", False)):
        figure = plot_vectors(word_vectors(5), theme=theme)
        (axes,) = figure.axes
        paper, ink = (sum(to_rgb(color)) for color in (figure.get_facecolor(), axes.texts[0].get_color()))
        assert (ink > paper) is is_lighter
    with pytest.raises(OptionError, match="theme = 'blue' is not one of light, dark"):
        plot_vectors(word_vectors(5), theme="blue")


def test_scripts_that_no_font_has_are_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    wv = WordVectors(["cat", "\u1681\u1682", "\U00012000"], np.eye(3, dtype=np.float32))  # Ogham, cuneiform
    known = figures._characters
    monkeypatch.setattr(figures, "_characters", lambda file: known(file) - {"\u1681", "\u1682", "\U00012000"})
    with pytest.warns(DataWarning, match="no installed font has all characters of Cuneiform, Ogham, such as") as told:
        plot_vectors(wv)
    assert len(told) == 1
