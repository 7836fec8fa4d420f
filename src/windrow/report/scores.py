"""Pages about scores: of one table of word vectors on lists, and of two that are compared."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from windrow._version import __version__
from windrow.embeddings.overlap import NeighborOverlap
from windrow.embeddings.vectors import WordVectors
from windrow.evaluation import AnalogyResult, CategoryResult, OutlierResult, ScoreDifference, SimilarityResult
from windrow.report import charts, markup
from windrow.report.score_charts import Bar, bars, scatter

_ABOUT_INTERVALS = (
    "Bars end at the scores; lines show 95 % intervals: how far a score would move with other questions of the same "
    "kind (percentile bootstrap)."
)
_ABOUT_DIFFERENCES = (
    "A difference is the score of B less that of A on the questions that both can answer. Its 95 % interval comes from "
    "resamples of these questions, the same for both. An interval that leaves out 0 is more than noise of the "
    "questions; another seed of the training may move scores as well."
)
_MOST_CHANGED = 30
_NEIGHBORS = 5  # of each of them

Head = tuple[str, ...]


def scores_page(file: str | os.PathLike[str], vectors: WordVectors, results: Mapping[str, Mapping[str, Any]]) -> str:
    """The page about scores, by the kind of list and its name."""
    sections = [
        markup.section(f"{part.capitalize()}: {name}", *_parts(100 * number, found))
        for number, (part, name, found) in enumerate(
            (part, name, found) for part, lists in results.items() for name, found in lists.items()
        )
    ]
    told = f"{len(vectors):,} word vectors of {vectors.vector_size} dimensions · windrow {__version__}"
    return markup.page(
        f"Scores of {Path(file).name}", told, [markup.paragraph(_ABOUT_INTERVALS), *sections], charts.css_variables()
    )


def _parts(number: int, found: Any) -> Iterator[str]:
    """What a page says of one result: its chart and its table."""
    match found:
        case AnalogyResult():
            yield from _analogies(number, found)
        case SimilarityResult():
            yield from _similarity(number, found)
        case CategoryResult():
            rows = found.to_json()["categories"]
            shown = [Bar(name, one["purity"], None, f"{one['words']} words") for name, one in rows.items()]
            whole = Bar("all categories", found.purity, found.purity_interval, f"{len(found.judged)} words")
            yield bars(number, "purity by category", [*shown, whole], emphasized=1)
            yield _facts(found.to_json())
        case OutlierResult():
            rows = found.to_json()["topics"]
            shown = [Bar(name, one["opp"], None, f"{one['total']} outliers") for name, one in rows.items()]
            sums = [
                Bar("position (OPP)", found.opp, found.opp_interval, ""),
                Bar("accuracy", found.accuracy, found.accuracy_interval, ""),
            ]
            yield bars(number, "position of outliers by topic, and both scores", [*shown, *sums], emphasized=2)
            yield _facts(found.to_json())


def _analogies(number: int, found: AnalogyResult) -> Iterator[str]:
    sums = [part for part in (found.semantic, found.syntactic) if part.total]
    asked = [part for part in (*found.sections, *sums, found.overall) if part.total]
    shown = [
        Bar(part.name, part.accuracy, part.accuracy_interval, f"{len(part.correct):,} of {part.total:,}")
        for part in asked
    ]
    if shown:
        yield bars(number, "accuracy by section", shown, emphasized=len(sums) + 1)
    rows = [
        (part.name, part.accuracy, _spelled(part.accuracy_interval), len(part.correct), part.total, part.skipped)
        for part in (*found.sections, *sums, found.overall)
    ]
    head = ("", "accuracy", "95 % interval", "correct", "asked", "skipped")
    yield markup.details("the numbers", markup.table("", rows, head))


def _similarity(number: int, found: SimilarityResult) -> Iterator[str]:
    points = [(pair.score, pair.cosine) for pair in found.judged]
    yield markup.beside(
        scatter(number, "cosine by the score that people gave", points, found.spearman),
        _facts(found.to_json()),
    )
    by_error = _misjudged(found)
    head = ("pair", "people", "cosine", "rank by people", "rank by cosine")
    yield markup.details("the pairs whose ranks differ most", markup.table("", by_error, head))


def _misjudged(found: SimilarityResult, most: int = 20) -> list[Sequence[object]]:
    """The pairs that lie farthest from where people put them; ranks count from the most alike."""
    ranks = []
    for values in ([one.score for one in found.judged], [one.cosine for one in found.judged]):
        order = sorted(range(len(values)), key=lambda row: -values[row])
        ranks.append({row: rank for rank, row in enumerate(order, 1)})
    rows = sorted(range(len(found.judged)), key=lambda row: -abs(ranks[0][row] - ranks[1][row]))[:most]
    pairs = ((found.judged[row], ranks[0][row], ranks[1][row]) for row in rows)
    return [(f"{one.first}, {one.second}", one.score, one.cosine, first, second) for one, first, second in pairs]


def _facts(found: Mapping[str, Any]) -> str:
    """The numbers of a result, intervals as text."""
    plain = {name: value for name, value in found.items() if not isinstance(value, Mapping)}
    named = {"oov": "unknown, fraction", "opp": "OPP", "opp_interval": "OPP, 95 % interval"}
    values = {
        named.get(name, name.replace("_interval", ", 95 % interval")): _spelled(value)
        if isinstance(value, list)
        else value
        for name, value in plain.items()
    }
    return markup.facts("", values)


def _spelled(interval: Sequence[float] | None) -> str | None:
    return None if interval is None else f"{interval[0]:.4g} to {interval[1]:.4g}"


def comparison_page(
    a: str | os.PathLike[str],
    b: str | os.PathLike[str],
    differences: Mapping[str, ScoreDifference],
    overlap: NeighborOverlap | None = None,
) -> str:
    """The page about two models: differences by list, and how many neighbors they share."""
    parts = []
    rows = [row for name, one in differences.items() for row in [(name, one), *_sections(one)]]
    if rows:
        shown = [
            Bar(name, one.difference, one.interval, f"{one.a:.3f}, {one.b:.3f}", pale=not one.more_than_noise)
            for name, one in rows
        ]
        sure = sum(one.more_than_noise for _, one in rows)
        told = f"{sure} of {len(rows)} differences are more than noise (blue)."
        head = ("", "score", "A", "B", "B - A", "standard error", "95 % interval", "items", "more than noise")
        table = [
            (
                name,
                one.score,
                one.a,
                one.b,
                one.difference,
                one.standard_error,
                _spelled(one.interval),
                one.items,
                "yes" if one.more_than_noise else "no",
            )
            for name, one in rows
        ]
        parts.append(
            markup.section(
                "Differences",
                markup.paragraph(_ABOUT_DIFFERENCES),
                bars(0, "B less A; beside the lines the scores of A and B", shown),
                markup.paragraph(told),
                markup.details("the numbers", markup.table("", table, head)),
            )
        )
    if overlap is not None:
        parts.append(_neighbors(overlap))
    return markup.page(
        f"{Path(a).name} and {Path(b).name}", f"A and B compared · windrow {__version__}", parts, charts.css_variables()
    )


def _neighbors(overlap: NeighborOverlap) -> str:
    changed = [
        (one.word, one.overlap, *(" ".join(side[:_NEIGHBORS]) for side in (one.a, one.b)))
        for one in overlap.changed[:_MOST_CHANGED]
    ]
    found = {name: value for name, value in overlap.to_json().items() if name != "changed"}
    told = f"The {overlap.k} nearest neighbors of each of {len(overlap.words):,} frequent words, among these words."
    return markup.section(
        "Neighbors",
        markup.paragraph(told),
        _facts(found),
        markup.table("words whose neighbors changed most", changed, ("", "common", "in A", "in B")),
    )


def _sections(one: ScoreDifference) -> list[tuple[str, ScoreDifference]]:
    return [(f"· {name}", part) for name, part in one.sections.items()] if len(one.sections) > 1 else []
