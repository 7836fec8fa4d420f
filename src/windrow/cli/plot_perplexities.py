"""``windrow lm plot``: the perplexity of several models by their order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from windrow.cli.groups import command
from windrow.cli.lm_files import load_model
from windrow.cli.messages import tell
from windrow.cli.numbers import Number
from windrow.cli.options import text_options
from windrow.cli.paths import InputFile, Source
from windrow.cli.pictures import picture_output, theme_option
from windrow.errors import OptionError

if TYPE_CHECKING:
    from windrow.lm.base import LanguageModel


@command(
    "plot",
    example="windrow lm plot two.safetensors three.safetensors --test toyland/test.txt -o orders.svg --lowest 3.0754",
)
@click.argument("models", nargs=-1, required=True, metavar="MODEL...", type=InputFile())
@click.option("--test", required=True, metavar="SOURCE", type=Source(), help="Text that the models have not seen.")
@picture_output
@click.option(
    "--lowest",
    type=Number(1, 1e100),
    metavar="PERPLEXITY",
    help="The lowest that is possible, where it is known: a line.",
)
@theme_option
@text_options(as_trained=True)
def plot(models: tuple[str, ...], test: str, output: Path, lowest: float | None, theme: str, **text: Any) -> None:
    """Draw the perplexity of MODELs over their order: n-gram and window models, a line for each smoothing or network.

    Perplexities can be compared where the models know the same words.
    """
    from windrow.cli.as_trained import corpus_for
    from windrow.viz import plot_perplexities
    from windrow.viz.figures import check_picture_path

    if [*models, test].count("-") > 1:
        raise OptionError("standard input, '-', can be read once only; name files for the other MODELs or SOURCE")
    check_picture_path(output)
    lines: dict[str, dict[int, float]] = {}
    files: dict[tuple[str, int], str] = {}
    for path in models:
        model = load_model(path)
        line, order = _place_of(model, path)
        if (line, order) in files:
            raise OptionError(f"{files[line, order]} and {path} are both {line} of order {order}; name one of them")
        files[line, order] = path
        lines.setdefault(line, {})[order] = model.evaluate(corpus_for(model, path, (test,), text)).perplexity
    plot_perplexities(lines, lowest, output, theme=theme)
    tell(f"{output}: {len(models):,} models")


def _place_of(model: LanguageModel, path: str) -> tuple[str, int]:
    """The line that a model belongs to, and its order."""
    from windrow.files.kinds import what_holds
    from windrow.lm.neural.window import WindowLM
    from windrow.lm.ngram.model import NGramLM

    match model:
        case NGramLM():
            return model.smoothing if model.provenance_ else "ARPA", model.table_.order
        case WindowLM():
            return "window", model.order
    raise OptionError(f"{path} holds {what_holds(model.kind)}, which has no order; name n-gram or window models")
