"""``windrow lm train ngram``."""

from __future__ import annotations

from math import inf
from pathlib import Path
from typing import Any

import click

from windrow.cli.as_trained import warn_if_forgotten
from windrow.cli.groups import command
from windrow.cli.help import grouped_option
from windrow.cli.lm_files import words_in
from windrow.cli.messages import name_typed, tell
from windrow.cli.numbers import Size, WholeNumberOrInf
from windrow.cli.options import (
    check_parameters,
    check_used,
    flags_of,
    naming_options,
    open_corpus,
    setting_options,
    sources_argument,
    text_of,
    text_options,
    values_of,
)
from windrow.cli.paths import InputFile, OutputFile, Source
from windrow.cli.ray_cluster import ray_cluster, ray_options
from windrow.cli.report import Reporting, report_option
from windrow.cli.saving import ARPA_WRITTEN, save_model
from windrow.cli.train_unbounded import train_unbounded
from windrow.errors import OptionError
from windrow.estimator import Condition
from windrow.lm.ngram.settings import DISCOUNTING, FALLING_BACK, INTERPOLATING, NGRAM_LM

_DISCOUNTS = (
    "What is subtracted from the counts 1, 2, ... of each order, the last for all above, with / between the orders: "
    f"0.5,1,1.5/0.6,1.1,1.4; estimate in place of an order's lets it be estimated. Only with --smoothing "
    f"{' or '.join(DISCOUNTING)}."
)
_MEMORY = "Memory beyond which counting goes over files: 500M, 2G, 50% of what is free."

_ORDER = {
    "type": WholeNumberOrInf(1, 100, checks=False),
    "metavar": "N|inf",
    "help": "Words in the longest n-gram; inf: as many as the text has, which is kept in the model.",
}
_ESTIMATE = "estimate"  # in the place of an order's discounts


def _discounts(_: click.Context, parameter: click.Parameter, value: str | None) -> tuple[Any, ...] | None:
    """A callback for the discounts of each order: 0.5,1,1.5/estimate/0.6."""
    if value is None:
        return None
    orders: list[tuple[float, ...] | None] = []
    for part in value.split("/"):
        try:
            orders.append(None if part.strip() == _ESTIMATE else tuple(map(float, part.split(","))))
        except ValueError as error:
            raise OptionError(
                f"{name_typed(parameter)} {value!r}: {part!r} must be numbers with commas between them, such as "
                f"0.5,1,1.5/0.6,1.1,1.4 for order 2, or the word {_ESTIMATE}"
            ) from error
    return tuple(orders)


@command("ngram", example="windrow lm train ngram toyland/train.txt -o toy-lm.safetensors --order 5")
@sources_argument
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    type=OutputFile(stdout=True),
    help=f"File to write: {ARPA_WRITTEN}, else windrow's own; - is an ARPA file on standard output.",
)
@setting_options(
    NGRAM_LM,
    order=_ORDER,
    memory={"type": Size(), "metavar": "SIZE", "help": _MEMORY},
    discounts={"callback": _discounts, "metavar": "N,N,.../N,N,...", "help": _DISCOUNTS},
)
@grouped_option(
    "--heldout",
    heading="Model",
    common=False,
    metavar="SOURCE",
    type=Source(),
    help="Text to fit jelinek-mercer's weights to.",
)
@grouped_option(
    "--vocab",
    heading="Text",
    common=False,
    metavar="FILE",
    type=InputFile(),
    help="Leave out n-grams with words that are not in this file.",
)
@grouped_option(
    "--fixed-vocab",
    heading="Text",
    common=False,
    metavar="FILE",
    type=InputFile(),
    help="The words of the model, one per line: others become <unk>, and those that the text does not have get a "
    "probability, too.",
)
@grouped_option(
    "--counts-out", heading="Output", common=False, type=OutputFile(), help="Write the counts, as text; .gz compresses."
)
@report_option
@grouped_option(
    "--temp-dir",
    heading="Training",
    common=True,
    metavar="DIR",
    help="Folder for temporary files, which are gone afterwards.  [default: what TMPDIR says, else the system's]",
)
@grouped_option(
    "--from-counts",
    heading="Text",
    common=False,
    is_flag=True,
    help="SOURCE is a file of counts, as --counts-out writes it.",
)
@text_options()
@ray_options
def train_ngram(sources: tuple[str, ...], output: Path, **options: Any) -> None:
    """Estimate a back-off n-gram model from SOURCEs: text (file, folder, glob, URL, -) or one `corpus build` folder."""
    if options["order"] == inf:
        train_unbounded(sources, output, options)
        return
    from windrow.files.compression import output_name
    from windrow.files.sniff import is_arpa
    from windrow.files.tempfolder import temporary_files_in
    from windrow.lm import storing
    from windrow.lm.ngram.counts_text import check_compression
    from windrow.lm.ngram.model import NGramLM
    from windrow.numeric.compiling import working_time

    _check_used(options)
    counts_out = options["counts_out"]
    storing.check_target(output, "stupid back-off" if options["smoothing"] == "stupid-backoff" else "")
    if is_arpa(output):
        check_compression(output, "ARPA files")
    if options["keep_counts"]:
        storing.check_name(output, "counts (--keep-counts)")
    if options["compact"]:
        storing.check_name(output, "counts in place of probabilities (--compact)")
    if counts_out:
        check_compression(counts_out, "counts")
    if options["from_counts"] and len(sources) > 1:
        raise OptionError("--from-counts takes one SOURCE, a file of counts")
    report = Reporting(options["report"], output)
    started = working_time()
    model = NGramLM(**values_of(NGRAM_LM, options))
    check_parameters(model, flags_of(NGRAM_LM))  # before the text is read
    text = text_of(options)
    vocab = words_in(options["vocab"]) if options["vocab"] else None
    fixed = words_in(options["fixed_vocab"], one_per_line=True) if options["fixed_vocab"] else None
    with temporary_files_in(options["temp_dir"]):
        heldout = open_corpus(options["heldout"], **text) if options["heldout"] else None
        with ray_cluster(options) as cluster, cluster.connected():
            corpus = None if options["from_counts"] else open_corpus(*sources, ray=cluster.workers, **text)
            with naming_options(flags_of(NGRAM_LM)):
                if corpus is None:
                    model.fit_counts(sources[0], heldout=heldout, vocab=vocab)
                else:
                    given = {"vocab": vocab, "fixed_vocab": fixed, "counts_out": counts_out}
                    model.fit(corpus, heldout=heldout, ray=cluster.workers, **given)
    save_model(model, output)
    warn_if_forgotten(model, output)
    sizes = ", ".join(f"{size:,}" for size in model.table_.sizes)
    tell(
        f"{output_name(output)}: order {model.table_.order}, {sum(model.table_.sizes):,} n-grams "
        f"(by length: {sizes}) in {working_time() - started:.1f} s"
    )
    cluster.tell(corpus.tokens if corpus is not None else 0)
    fit = "fit_counts" if options["from_counts"] else "fit"
    report.write(model, reading=text, fit=fit, fitting={"heldout": options["heldout"]})


def _check_used(options: dict[str, Any]) -> None:
    """Refuse options that nothing would read."""
    of_text: tuple[Condition, ...] = (("from_counts", (False,)),)
    apart = dict.fromkeys(("counts_out", "fixed_vocab", "keep_counts", "memory", "ray"), of_text)
    apart["memory"] += (("ray", (None,)),)
    apart["vocab"] = (("fixed_vocab", (None,)), ("compact", (False,)))
    if not options["heldout"]:  # which is text, too
        apart |= dict.fromkeys((*text_of(options), "skip_symbols"), of_text)
    form = FALLING_BACK if not options["interpolate"] else INTERPOLATING
    of_smoothing = {"heldout": ("jelinek-mercer",), "interpolate": form}
    rows: dict[str, tuple[Condition, ...]] = {name: (("smoothing", methods),) for name, methods in of_smoothing.items()}
    check_used(NGRAM_LM, {**apart, **rows, "heldout": (*rows["heldout"], ("weights", (None,)))})
