"""``windrow vectors evaluate``: what word vectors score on lists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from windrow.cli.evaluation_lists import aligned, bounds, list_options, lists_of, measuring
from windrow.cli.groups import command
from windrow.cli.help import grouped_option
from windrow.cli.messages import tell
from windrow.cli.paths import OutputFile
from windrow.cli.pictures import check_plot, plot_options
from windrow.cli.vector_files import open_vectors, vector_options, vectors_argument
from windrow.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from windrow.evaluation import AnalogyResult, CategoryResult, OutlierResult, SimilarityResult

page_option = grouped_option(
    "--report",
    metavar="PAGE",
    type=OutputFile(),
    help="Write a page with tables and charts, .html. It needs windrow[viz].",
)


@command(example="windrow vectors evaluate toy.safetensors toyland/similarity.tsv")
@vectors_argument
@list_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@plot_options("the accuracy by section of the answers to one list of analogies")
@page_option
@vector_options
def evaluate(file: str, as_json: bool, plot: Path | None, theme: str, report: Path | None, **options: Any) -> None:
    """Measure word vectors on LISTs: analogies, similarity of word pairs, categories, outliers.

    The content of a LIST says what it is; options say so where it misleads. Each score has its 95 % interval: how far
    it would move with other questions of the same kind (percentile bootstrap). A word that is not known as it is
    written is looked up in other spellings in upper and lower case.
    """
    from windrow.evaluation import evaluate_list

    if report is not None:
        from windrow.report.page import check_page_path

        check_page_path(report)
    lists = lists_of(options)
    if not any(lists.paths.values()):
        raise OptionError("nothing to evaluate on; name a LIST, or give --analogies FILE or --similarity FILE")
    if plot is not None and len(lists.paths["analogies"]) != 1:
        raise OptionError("--plot draws the answers to one list of analogies; give --analogies FILE once")
    check_plot(plot)
    vectors = open_vectors(file, options)
    results: dict[str, dict[str, Any]] = {kind: {} for kind in lists.paths}
    for kind, name, path in lists.named():
        with measuring(path):
            results[kind][name] = evaluate_list(path, vectors, kind=kind, **lists.options)
    if plot is not None:
        from windrow.viz import plot_analogies

        plot_analogies(next(iter(results["analogies"].values())), plot, theme=theme)
    if report is not None:
        from windrow.report.page import save_page
        from windrow.report.scores import scores_page

        save_page(scores_page(file, vectors, results), report)
        tell(f"{report} written")
    if as_json:
        parts = {part: {name: one.to_json() for name, one in found.items()} for part, found in results.items()}
        click.echo(json.dumps(parts))
    else:
        click.echo("\n\n".join(_tables(results)))


def _tables(results: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, found in results["analogies"].items():
        yield _analogies(name, found)
    for part, table in (("similarity", _similarity), ("categories", _categories), ("outliers", _outliers)):
        if results[part]:
            yield table(results[part])


def _percent(value: float) -> str:
    return f"{value:.1%}"


def _analogies(name: str, found: AnalogyResult) -> str:
    rows = [(f"analogies: {name}", "accuracy", "95% interval", "correct", "asked", "skipped")]
    sums = [part for part in (found.semantic, found.syntactic) if part.total + part.skipped]
    rows += [
        (
            part.name,
            _percent(part.accuracy) if part.total else "-",
            bounds(part.accuracy_interval, _percent),
            str(len(part.correct)),
            str(part.total),
            str(part.skipped),
        )
        for part in (*found.sections, *sums, found.overall)
    ]
    return aligned(rows)


def _similarity(results: Mapping[str, SimilarityResult]) -> str:
    rows: list[tuple[str, ...]] = [
        ("similarity", "Spearman", "95% interval", "Pearson", "95% interval", "pairs", "unknown")
    ]
    for name, one in results.items():
        scores = ((one.spearman, one.spearman_interval), (one.pearson, one.pearson_interval))
        cells = (cell for score, interval in scores for cell in (f"{score:.4f}", bounds(interval, "{:.4f}".format)))
        rows.append((name, *cells, str(one.pairs), _percent(one.oov)))
    return aligned(rows)


def _categories(results: Mapping[str, CategoryResult]) -> str:
    rows = [("categories", "purity", "95% interval", "categories", "words", "unknown")]
    rows += [
        (
            name,
            _percent(one.purity),
            bounds(one.purity_interval, _percent),
            str(len(one.categories)),
            str(len(one.judged)),
            _percent(one.oov),
        )
        for name, one in results.items()
    ]
    return aligned(rows)


def _outliers(results: Mapping[str, OutlierResult]) -> str:
    rows: list[tuple[str, ...]] = [
        ("outliers", "accuracy", "95% interval", "OPP", "95% interval", "asked", "skipped", "unknown")
    ]
    for name, one in results.items():
        scores = ((one.accuracy, one.accuracy_interval), (one.opp, one.opp_interval))
        cells = (cell for score, interval in scores for cell in (_percent(score), bounds(interval, _percent)))
        rows.append((name, *cells, str(len(one.judged)), str(one.skipped), _percent(one.oov)))
    return aligned(rows)
