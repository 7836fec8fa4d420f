"""``windrow vectors compare``: which differences between two models are more than noise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from windrow.cli.evaluate_vectors import page_option
from windrow.cli.evaluation_lists import aligned, bounds, list_options, lists_of, measuring
from windrow.cli.groups import command
from windrow.cli.messages import tell
from windrow.cli.numbers import WholeNumber
from windrow.cli.paths import InputFile, words_read
from windrow.cli.vector_files import advising_to_convert
from windrow.errors import OptionError
from windrow.files.writing import STDIO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windrow.embeddings import NeighborOverlap
    from windrow.evaluation import ScoreDifference

_NEIGHBORS, _TOP = 10, 10_000
_SHOWN = 10  # words whose neighbors changed most
_SHOWN_NEIGHBORS = 3


@command(example="windrow vectors compare counted.safetensors toy.safetensors toyland/similarity.tsv")
@click.argument("file", metavar="A", type=InputFile(words_read))
@click.argument("other", metavar="B", type=InputFile(words_read))
@list_options
@click.option(
    "--neighbors",
    metavar="K",
    type=WholeNumber(1),
    help=f"Compare the K nearest neighbors of words.  [default: {_NEIGHBORS} if there is no LIST]",
)
@click.option(
    "--top",
    metavar="N",
    type=WholeNumber(2),
    help=f"Words of --neighbors: the N most frequent ones of A that B has.  [default: {_TOP}]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@page_option
def compare(
    file: str, other: str, neighbors: int | None, top: int | None, as_json: bool, report: Path | None, **options: Any
) -> None:
    """Compare the word vectors of A and B: by LISTs, and by which words are near each other.

    A difference is B's score less A's, over the questions that both can answer. Its 95 % interval comes from resamples
    of these questions, the same for both (paired bootstrap); where it leaves out 0, the difference is more than noise
    of the questions. Another seed of the training may move scores as well. LISTs are those of `vectors evaluate`.
    """
    from windrow.cli.options import naming_options
    from windrow.embeddings import neighbor_overlap
    from windrow.embeddings.vectors import load_vectors
    from windrow.evaluation import compare_models

    if file == other == STDIO:
        raise OptionError("standard input, '-', can be read once only; name a file for A or B")
    if report is not None:
        from windrow.report.page import check_page_path

        check_page_path(report)
    lists = lists_of(options)
    if neighbors is None and any(lists.named()) and top is not None:
        raise OptionError("--top is for --neighbors; give --neighbors, or leave --top out")
    if any(path == STDIO for _, _, path in lists.named()):
        raise OptionError(
            "a list from standard input can be read once only, and here it is read for A and B; name a file"
        )
    with advising_to_convert():
        a, b = load_vectors(file), load_vectors(other)
    found: dict[str, ScoreDifference] = {}
    for kind, name, path in lists.named():
        with measuring(path):
            for place, one in enumerate(compare_models(path, a, b, kind=kind, **lists.options)):
                found[_measure(name, found, one.score if place else "")] = one
    overlap = None
    if neighbors is not None or not found:
        with naming_options({"k": "--neighbors", "top": "--top"}):
            overlap = neighbor_overlap(a, b, k=neighbors or _NEIGHBORS, top=top or _TOP)
    if report is not None:
        from windrow.report.page import save_page
        from windrow.report.scores import comparison_page

        save_page(comparison_page(file, other, found, overlap), report)
        tell(f"{report} written")
    if as_json:
        parts = {name: one.to_json() for name, one in found.items()}
        click.echo(json.dumps(parts if overlap is None else {**parts, "neighbors": overlap.to_json()}))
    else:
        tables = [_differences(found)] if found else []
        click.echo("\n\n".join(tables if overlap is None else [*tables, _overlap(overlap)]))


def _measure(name: str, taken: Mapping[str, object], score: str) -> str:
    """The name of a measure: that of its list, and the score where the list has several."""
    name = f"{name} {score}".rstrip()
    while name in taken or name == "neighbors":
        name += " (2)"
    return name


def _differences(found: Mapping[str, ScoreDifference]) -> str:
    rows: list[tuple[str, ...]] = [
        ("", "score", "A", "B", "B - A", "std. error", "95% interval", "items", "more than noise")
    ]
    every = []
    for name, one in found.items():
        every.append(one)
        rows.append(_row(name, one))
        if len(one.sections) > 1:
            every += one.sections.values()
            rows += [_row(f"  {section}", part) for section, part in one.sections.items()]
    sure = sum(one.more_than_noise for one in every)
    told = f"{sure} of {len(every)} differences {'is' if sure == 1 else 'are'} more than noise"
    if len(every) > 1:
        told += f"; of {len(every)} without any real difference about {max(1, round(0.05 * len(every)))} would seem so"
    return f"{aligned(rows)}\n{told}."


def _row(name: str, one: ScoreDifference) -> tuple[str, ...]:
    return (
        name,
        one.score,
        f"{one.a:.4f}",
        f"{one.b:.4f}",
        f"{one.difference:+.4f}",
        f"{one.standard_error:.4f}",
        bounds(one.interval, "{:+.4f}".format),
        str(one.items),
        "yes" if one.more_than_noise else "no",
    )


def _overlap(found: NeighborOverlap) -> str:
    rows = [
        (f"neighbors: {found.k} of each of {len(found.words):,} words", "mean", "95% interval"),
        ("common to both", f"{found.overlap:.1%}", bounds(found.overlap_interval, "{:.1%}".format)),
        ("Jaccard index", f"{found.jaccard:.4f}", bounds(found.jaccard_interval, "{:.4f}".format)),
    ]
    changed: list[tuple[str, ...]] = [("changed most", "common", "neighbors in A", "neighbors in B")]
    changed += [
        (one.word, f"{one.overlap:.1%}", *(" ".join(side[:_SHOWN_NEIGHBORS]) for side in (one.a, one.b)))
        for one in found.changed[:_SHOWN]
    ]
    return f"{aligned(rows)}\n\n{aligned(changed)}"
