"""``windrow lm train ngram``."""

from __future__ import annotations

from math import inf
from pathlib import Path
from typing import Any

import click

from windrow.cli.as_trained import warn_if_forgotten
from windrow.cli.groups import command
from windrow.cli.help import grouped_option
from windrow.cli.messages import tell
from windrow.cli.numbers import WholeNumberOrInf
from windrow.cli.options import (
    check_parameters,
    check_used,
    flags_of,
    naming_options,
    open_corpus,
    setting_options,
    size_in_bytes,
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
from windrow.lm.ngram.settings import FALLING_BACK, INTERPOLATING, NGRAM_LM

_MEMORY = "Memory beyond which counting goes over files: 500M, 2G, 50% of what is free."

_ORDER = {
    "type": WholeNumberOrInf(1, 100, checks=False),
    "metavar": "N|inf",
    "help": "Words in the longest n-gram; inf: as many as the text has, which is kept in the model.",
}


def _words_in(file: str) -> list[str]:
    from windrow.corpus.streams import Meter, lines, text_pieces

    return [word for line in lines(text_pieces(file, None, Meter(None, None)), file) for word in line.split()]


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
    NGRAM_LM, order=_ORDER, memory={"type": str, "callback": size_in_bytes, "metavar": "SIZE", "help": _MEMORY}
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
    "--counts-out", heading="Output", common=False, type=OutputFile(), help="Write the counts, as text; .gz compresses."
)
@report_option
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
    from windrow.lm import storing
    from windrow.lm.ngram.counts_text import check_compression
    from windrow.lm.ngram.model import NGramLM
    from windrow.numeric.compiling import working_time

    _check_used(options)
    counts_out = options["counts_out"]
    storing.check_target(output, "stupid back-off" if options["smoothing"] == "stupid-backoff" else "")
    if is_arpa(output):
        check_compression(output, "ARPA files")
    if counts_out:
        check_compression(counts_out, "counts")
    if options["from_counts"] and len(sources) > 1:
        raise OptionError("--from-counts takes one SOURCE, a file of counts")
    report = Reporting(options["report"], output)
    started = working_time()
    model = NGramLM(**values_of(NGRAM_LM, options))
    check_parameters(model, flags_of(NGRAM_LM))  # before the text is read
    text = text_of(options)
    heldout = open_corpus(options["heldout"], **text) if options["heldout"] else None
    vocab = _words_in(options["vocab"]) if options["vocab"] else None
    with ray_cluster(options) as cluster, cluster.connected():
        corpus = None if options["from_counts"] else open_corpus(*sources, ray=cluster.workers, **text)
        with naming_options(flags_of(NGRAM_LM)):
            if corpus is None:
                model.fit_counts(sources[0], heldout=heldout, vocab=vocab)
            else:
                model.fit(corpus, heldout=heldout, vocab=vocab, counts_out=counts_out, ray=cluster.workers)
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
    apart = dict.fromkeys(("counts_out", "memory", "ray"), of_text)
    apart["memory"] += (("ray", (None,)),)
    if not options["heldout"]:  # which is text, too
        apart |= dict.fromkeys((*text_of(options), "skip_symbols"), of_text)
    form = FALLING_BACK if not options["interpolate"] else INTERPOLATING
    of_smoothing = {"heldout": ("jelinek-mercer",), "interpolate": form}
    rows: dict[str, tuple[Condition, ...]] = {name: (("smoothing", methods),) for name, methods in of_smoothing.items()}
    check_used(NGRAM_LM, {**apart, **rows, "heldout": (*rows["heldout"], ("weights", (None,)))})
