"""``windrow lm buckets``: cutoffs between buckets of perplexity, from a sample or given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from windrow.cli.groups import command
from windrow.cli.messages import tell
from windrow.cli.options import naming_options
from windrow.cli.paths import OutputFile
from windrow.cli.score import line_options, perplexities_of
from windrow.errors import OptionError

if TYPE_CHECKING:
    from windrow.lm.buckets import PerplexityBuckets


def _numbers(_: click.Context, parameter: click.Parameter, value: str | None) -> tuple[float, ...] | None:
    try:
        return None if value is None else tuple(map(float, value.split(",")))
    except ValueError as error:
        raise OptionError(f"{parameter.opts[-1]} {value!r} must be numbers with commas between them") from error


@command(example="windrow lm buckets toy-lm.safetensors toyland/valid.txt -o buckets.json")
@line_options
@click.option("-o", "--output", required=True, type=OutputFile(), help="File to write.")
@click.option(
    "--percentiles",
    callback=_numbers,
    metavar="P,P",
    help="Where the cutoffs are in the sample, in per cent.  [default: 30,60]",
)
@click.option("--cutoffs", callback=_numbers, metavar="X,X", help="Cutoffs that are known, in place of a sample.")
@click.option(
    "--names", default="head,middle,tail", show_default=True, metavar="NAME,NAME", help="The buckets, the lowest first."
)
def buckets(
    model: str,
    sources: tuple[str, ...],
    output: Path,
    percentiles: tuple[float, ...] | None,
    cutoffs: tuple[float, ...] | None,
    names: str,
    **options: Any,
) -> None:
    """Find the perplexities that part a sample, SOURCEs (without SOURCE, standard input), into buckets.

    The file is for --buckets of `lm score --json`, which names the bucket of each line, and of `lm select`, which keeps
    the lines of some. Lines and records are read as by these.
    """
    from windrow.lm.buckets import PERCENTILES, PerplexityBuckets, model_identity

    if cutoffs is not None and (sources or percentiles is not None):
        other = "SOURCE" if sources else "--percentiles"
        raise OptionError(f"--cutoffs takes the place of a sample; leave {other} or it out")
    named = tuple(names.split(","))
    flags = {name: f"--{name}" for name in ("cutoffs", "names", "percentiles")}
    if cutoffs is not None:
        with naming_options(flags):
            found = PerplexityBuckets(cutoffs, named)
        of = ""
    else:
        sample = perplexities_of(model, sources, options)
        with naming_options(flags):
            found = PerplexityBuckets.fit(sample, percentiles or PERCENTILES, named)
        of = f", of {len(sample):,} {'lines' if options['field'] is None else 'records'}"
    replace(found, model=model_identity(model)).save(output)
    tell(f"{output}: {_told(found)}{of}")


def _told(buckets: PerplexityBuckets) -> str:
    ends = [f"{name} <= {cutoff:.2f}" for name, cutoff in zip(buckets.names, buckets.cutoffs, strict=False)]
    return " < ".join([*ends, buckets.names[-1]])
