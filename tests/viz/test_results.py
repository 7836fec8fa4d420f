"""Pictures of results show the numbers of the results, whatever names they have."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from windrow.errors import DataError, OptionError
from windrow.evaluation import AnalogyResult
from windrow.evaluation.analogy import SectionResult
from windrow.viz import plot_analogies, plot_confusion, plot_gradient_norms

QUESTION = ("a", "b", "c", "d")
ANALOGIES = AnalogyResult(
    (
        SectionResult("$x$", (QUESTION,) * 3, (QUESTION,), 0),
        SectionResult("skipped", (), (), 5),
        SectionResult("b <c>", (), (QUESTION,) * 6, 0),
    )
)
HISTORY = [{"epoch": n, "gradient_norms": {"dense1": 10.0**-n, "dense2": 2.0}} for n in (1, 2, 3)]
GOLD, FOUND = ["A", "A", "A", "$B$"], ["A", "A", "$B$", "A"]


def texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_analogies_are_bars_by_section_and_of_all():
    (axes,) = plot_analogies(ANALOGIES).axes
    assert [bar.get_width() for bar in axes.patches] == [75, 0, 30]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["$x$", "b <c>", "all sections"]
    assert texts(axes) == ["3 of 4", "0 of 6", "3 of 10"]
    assert "%" in axes.get_xlabel()
    with pytest.raises(DataError, match="no analogy could be asked"):
        plot_analogies(AnalogyResult(ANALOGIES.sections[1:2]))


def test_gradient_norms_are_lines_by_layer():
    (axes,) = plot_gradient_norms([*HISTORY, {"epoch": 4, "loss": 1.0}]).axes
    found = {line.get_label(): line.get_ydata().tolist() for line in axes.lines}
    assert found == {"dense1": [0.1, 0.01, 0.001], "dense2": [2, 2, 2]}
    assert axes.get_yscale() == "log"
    with pytest.raises(DataError, match="no gradient norms"):
        plot_gradient_norms([{"epoch": 1, "loss": 1.0}])


def test_confusion_counts_pairs():
    (axes,) = plot_confusion(GOLD, FOUND).axes
    np.testing.assert_allclose(axes.images[0].get_array(), [[0, 1], [1 / 3, 2 / 3]])
    assert {text.get_position(): text.get_text() for text in axes.texts} == {(1, 0): "1", (0, 1): "1", (1, 1): "2"}
    (axes,) = plot_confusion("aaabbc", "aaabbb", top=2).axes
    assert "the 2 most frequent of 3" in axes.get_title("left")
    for gold, found in (([], []), (GOLD, FOUND[1:])):
        with pytest.raises(DataError, match="as many predicted labels as true ones"):
            plot_confusion(gold, found)
    with pytest.raises(OptionError, match="top = 1"):
        plot_confusion(GOLD, FOUND, top=1)


@pytest.mark.parametrize(
    ("draw", "shown"),
    [
        (lambda **options: plot_analogies(ANALOGIES, **options), "$x$"),
        (lambda **options: plot_gradient_norms(HISTORY, **options), "dense1"),
        (lambda **options: plot_confusion(GOLD, FOUND, **options), "$B$"),
    ],
    ids=["analogies", "gradient norms", "confusion"],
)
def test_results_are_saved_and_equal_data_give_equal_files(draw, shown, tmp_path):
    draw(path=tmp_path / "a.svg")
    draw(path=tmp_path / "b.svg")
    content = (tmp_path / "a.svg").read_bytes()
    assert content == (tmp_path / "b.svg").read_bytes()
    assert shown in ["".join(part.itertext()).strip() for part in ElementTree.fromstring(content).iter()]
    draw(path=tmp_path / "dark.png", theme="dark")
    assert (tmp_path / "dark.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(OptionError, match="must end in one of"):
        draw(path=tmp_path / "a.gif")
