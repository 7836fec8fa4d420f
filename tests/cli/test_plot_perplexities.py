"""`windrow lm plot`: perplexities over the order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import windrow
from windrow import viz
from windrow.cli import main

TEXT = ["the cat sat on the mat", "the cat ran off", "a dog ran off the mat"] * 4
SMALL = {"embedding_size": 4, "hidden_size": 4, "epochs": 1}


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["lm", "plot", *map(str, arguments)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("orders")
    (folder / "test.txt").write_text("a cat sat\nthe dog ran off\n")
    for order in (1, 2, 3):
        model = windrow.NGramLM(order, "witten-bell").fit(TEXT)
        model.save(folder / f"wb{order}.safetensors")
    model.save(folder / "wb3.arpa")
    windrow.WindowLM(order=2, **SMALL).fit(TEXT).save(folder / "window.safetensors")
    windrow.RecurrentLM(**SMALL).fit(TEXT).save(folder / "rnn.safetensors")
    return folder


def test_lines_are_smoothings_and_networks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [folder / name for name in ("wb3.safetensors", "wb1.safetensors", "wb3.arpa", "window.safetensors")]
    drawn: list[Any] = []
    plot = viz.plot_perplexities

    def keep(lines: Any, *arguments: Any, **options: Any) -> Any:
        drawn.extend([lines, *arguments])
        return plot(lines, *arguments, **options)

    monkeypatch.setattr(viz, "plot_perplexities", keep)
    picture = folder / "orders.svg"
    result = run(*files, "--test", folder / "test.txt", "-o", picture, "--lowest", 1.5)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"{picture}: 4 models\n")
    third, first, _, window = (windrow.load(file).perplexity(folder / "test.txt") for file in files)
    assert drawn[0] == {"witten-bell": {3: third, 1: first}, "ARPA": {3: pytest.approx(third)}, "window": {2: window}}
    assert drawn[1] == 1.5
    assert all(f">{name}<" in picture.read_text() for name in ("witten-bell", "ARPA", "window"))


@pytest.mark.parametrize(
    ("names", "picture", "said"),
    [
        (["wb2.safetensors", "wb2.safetensors"], "p.svg", "are both witten-bell of order 2; name one of them"),
        (
            ["rnn.safetensors"],
            "p.svg",
            "a recurrent language model, which has no order; name n-gram or window models",
        ),
        (["wb2.safetensors"], "p.gif", "a picture's name must end in one of .png, .svg, .pdf"),
        (["test.txt"], "p.svg", "is text, not a language model"),
        (["-", "-"], "p.svg", "standard input, '-', can be read once only"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_line(folder: Path, names: list[str], picture: str, said: str) -> None:
    files = [name if name == "-" else folder / name for name in names]
    result = run(*files, "--test", folder / "test.txt", "-o", folder / picture)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert said in result.stderr
    assert not (folder / picture).exists()
