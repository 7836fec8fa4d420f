"""``windrow vectors``: neighbors, analogies, evaluation, conversion."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from windrow.cli.groups import LazyGroup
from windrow.cli.messages import tell
from windrow.cli.missing_files import is_file
from windrow.cli.numbers import WholeNumber
from windrow.cli.options import naming_options
from windrow.cli.paths import InputFile, OutputVectors, words_read, words_written
from windrow.cli.pictures import check_plot, plot_options
from windrow.cli.vector_files import open_vectors, save_fasttext, vector_options, vectors_argument
from windrow.embeddings.endings import DTYPES, endings_told
from windrow.errors import DataError, OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from windrow.evaluation import AnalogyResult, SimilarityResult

_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def _train() -> click.Command:
    from windrow.cli.train_vectors import train

    return train


def _blend() -> click.Command:
    from windrow.cli.blend_vectors import blend

    return blend


def _count() -> click.Command:
    from windrow.cli.count_vectors import count

    return count


def _similar() -> click.Command:
    from windrow.cli.queries import similar

    return similar


def _analogy() -> click.Command:
    from windrow.cli.queries import analogy

    return analogy


def _print() -> click.Command:
    from windrow.cli.print_vectors import print_vectors

    return print_vectors


def _cluster() -> click.Command:
    from windrow.cli.cluster import cluster

    return cluster


def _align() -> click.Command:
    from windrow.cli.align_vectors import align

    return align


def _fetch() -> click.Command:
    from windrow.cli.fetch_vectors import fetch

    return fetch


def _plot() -> click.Command:
    from windrow.cli.plot_vectors import plot

    return plot


def _plot_log() -> click.Command:
    from windrow.cli.plot_vectors import plot_log

    return plot_log


@click.group(
    "vectors",
    cls=LazyGroup,
    later={
        "train": _train,
        "count": _count,
        "blend": _blend,
        "similar": _similar,
        "analogy": _analogy,
        "print": _print,
        "cluster": _cluster,
        "align": _align,
        "fetch": _fetch,
        "plot": _plot,
        "plot-log": _plot_log,
    },
)
def group() -> None:
    """Word vectors: train or count, query, evaluate, convert."""


def _option_for(path: str) -> str:
    """The option that takes a file: of questions or of word pairs, as its lines are."""
    from windrow.errors import WindrowError
    from windrow.evaluation import read_pairs, read_questions

    for flag, read in (("--similarity", read_pairs), ("--analogies", read_questions)):
        with suppress(WindrowError):
            if is_file(path):
                read(path)
                return flag
    return ""


@group.command(
    example="windrow vectors evaluate toy.safetensors --similarity toyland/similarity.tsv", option_for=_option_for
)
@vectors_argument
@click.option(
    "--analogies",
    multiple=True,
    metavar="FILE",
    type=InputFile(),
    help="Questions in Google's format; may be repeated.",
)
@click.option(
    "--similarity", multiple=True, metavar="FILE", type=InputFile(), help="Word pairs with scores; may be repeated."
)
@click.option(
    "--restrict-vocab",
    default=300_000,
    type=WholeNumber(1),
    show_default=True,
    help="Only the first words (the most frequent) are known.",
)
@click.option("--case-sensitive", is_flag=True, help="Only the exact spelling of a word is known.")
@click.option(
    "--columns",
    metavar="WORD1,WORD2,SCORE",
    help="Columns of the files of word pairs: names from the header, or numbers from 1.  [default: by the header]",
)
@_as_json
@plot_options("the accuracy by section of the answers to --analogies")
@vector_options
def evaluate(
    file: str,
    analogies: tuple[str, ...],
    similarity: tuple[str, ...],
    restrict_vocab: int,
    case_sensitive: bool,
    columns: str | None,
    as_json: bool,
    plot: Path | None,
    theme: str,
    **reading: Any,
) -> None:
    """Measure accuracy on analogies and correlation with human scores of similarity.

    A word that is not known as it is written is looked up in other spellings in upper and lower case.
    """
    from windrow.evaluation import evaluate_analogies, evaluate_similarity
    from windrow.files.urls import refuse_url

    if not analogies and not similarity:
        raise OptionError("nothing to evaluate on; give --analogies FILE or --similarity FILE")
    if columns is not None and not similarity:
        raise OptionError("--columns is for files of word pairs; give --similarity FILE")
    if plot is not None and len(analogies) != 1:
        raise OptionError("--plot draws the answers to one file of analogies; give --analogies FILE once")
    check_plot(plot)
    vectors = open_vectors(file, reading)
    options = {"restrict_vocab": restrict_vocab, "case_sensitive": case_sensitive}

    def judge(evaluator: Callable[..., Any], path: str, **more: Any) -> Any:
        refuse_url(path)
        tell(f"{path} ...")
        try:
            return evaluator(path, vectors.index_to_key, vectors.vectors, **options, **more)
        except DataError as error:
            raise DataError(re.sub("; use evaluate_(.*)$", r"; give it to --\1", str(error))) from error

    answers = {name: judge(evaluate_analogies, path) for name, path in _named(analogies).items()}
    correlations = {
        name: judge(evaluate_similarity, path, columns=columns) for name, path in _named(similarity).items()
    }
    if plot is not None:
        from windrow.viz import plot_analogies

        plot_analogies(next(iter(answers.values())), plot, theme=theme)
    if as_json:
        parts = {"analogies": answers, "similarity": correlations}
        click.echo(
            json.dumps({part: {name: one.to_json() for name, one in found.items()} for part, found in parts.items()})
        )
    else:
        click.echo("\n\n".join(_tables(answers, correlations)))


@group.command(example="windrow vectors convert toy.safetensors toy.vec")
@click.argument("source", metavar="IN", type=InputFile(words_read))
@click.argument("target", metavar="OUT", type=OutputVectors(words_written, stdout=True))
@click.option(
    "--to",
    "to_format",
    metavar="FORMAT",
    help=f"Format of OUT, an ending without its dot.  [default: the ending of OUT, {endings_told()}]",
)
@click.option(
    "--dtype",
    default=DTYPES[0],
    show_default=True,
    type=click.Choice(DTYPES),
    help="Type of numbers in OUT, of .safetensors and .model2vec: int8 takes a quarter of the bytes.",
)
@click.option("--size", type=WholeNumber(1), metavar="N", help="Keep only the first N dimensions of each vector.")
@vector_options
def convert(source: str, target: Path, to_format: str | None, dtype: str, size: int | None, **reading: Any) -> None:
    """Convert vectors. The content of IN says what it is; the ending of OUT names the format.

    OUT.model2vec is a folder that Model2Vec and sentence-transformers load; it cuts text as the model remembers it.

    --to projector writes what TensorBoard's Embedding Projector loads: numbers to OUT, such as X.tsv, and the words to
    X.metadata.tsv.

    IN may be compressed, or - for standard input; OUT may be - for standard output, as word2vec's text.
    """
    from windrow.embeddings import Word2Vec
    from windrow.embeddings.formats import check_target
    from windrow.embeddings.training.fasttext_state import holds_state
    from windrow.embeddings.vectors import save_vectors
    from windrow.files.writing import STDIO

    with naming_options({"format": "--to"}):
        chosen = check_target(target, to_format, dtype)  # errors come before the long reading
    vectors = open_vectors(source, reading)
    if size is not None:
        with naming_options({"size": "--size"}):
            vectors = vectors.truncated(size)
    told = "standard input" if source == STDIO else source
    tell(f"{told}: {len(vectors)} words of {vectors.vector_size} dimensions")
    model = Word2Vec.load(source) if chosen.extension == "fasttext" and holds_state(source) else None
    if model is not None and size is None and len(model.wv) == len(vectors):  # else only some were wanted
        save_fasttext(model, target)
    else:
        save_vectors(vectors, target, to_format, dtype)
    if str(target) != STDIO:
        tell(f"{target} written")


def _named(paths: tuple[str, ...]) -> dict[str, str]:
    """Files by their stem, or by their whole path if two have the same stem."""
    stems = [Path(path).stem for path in paths]
    return {path if stems.count(stem) > 1 else stem: path for path, stem in zip(paths, stems, strict=True)}


def _tables(answers: dict[str, AnalogyResult], correlations: dict[str, SimilarityResult]) -> list[str]:
    tables = []
    for name, found in answers.items():
        rows = [(f"analogies: {name}", "accuracy", "correct", "asked", "skipped")]
        sums = [part for part in (found.semantic, found.syntactic) if part.total + part.skipped]
        parts = [*found.sections, *sums, found.overall]
        rows += [
            (
                part.name,
                f"{part.accuracy:.1%}" if part.total else "-",
                str(len(part.correct)),
                str(part.total),
                str(part.skipped),
            )
            for part in parts
        ]
        tables.append(_aligned(rows))
    if correlations:
        rows = [("similarity", "Spearman", "Pearson", "pairs", "unknown")]
        rows += [
            (name, f"{one.spearman:.4f}", f"{one.pearson:.4f}", str(one.pairs), f"{one.oov:.1%}")
            for name, one in correlations.items()
        ]
        tables.append(_aligned(rows))
    return tables


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    """Columns as wide as their widest cell: names to the left, numbers to the right."""
    name_width, *widths = (max(map(len, column)) for column in zip(*rows, strict=True))
    return "\n".join("  ".join([name.ljust(name_width), *map(str.rjust, cells, widths)]) for name, *cells in rows)
