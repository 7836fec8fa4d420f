"""``windrow lm prune`` and ``windrow lm filter``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from windrow.cli.groups import command
from windrow.cli.lm_files import load_ngrams, words_in
from windrow.cli.messages import tell
from windrow.cli.numbers import Number, Size, WholeNumber
from windrow.cli.options import naming_options
from windrow.cli.paths import InputFile, OutputFile
from windrow.cli.saving import ARPA_WRITTEN, save_model
from windrow.errors import OptionError

if TYPE_CHECKING:
    from windrow.lm.ngram.model import NGramLM

_model = click.argument("model", type=InputFile())
_output = click.option(
    "-o",
    "--output",
    required=True,
    type=OutputFile(stdout=True),
    metavar="FILE",
    help=f"File to write: {ARPA_WRITTEN}, else windrow's own; - is an ARPA file on standard output.",
)


def _thresholds(_: click.Context, parameter: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    try:
        return None if value is None else tuple(map(int, value.split(",")))
    except ValueError as error:
        raise OptionError(f"{parameter.opts[-1]} {value!r} must be whole numbers with commas between them") from error


@command("prune", example="windrow lm prune toy-wb.safetensors -o pruned.safetensors --max-ngrams 50000")
@_model
@_output
@click.option(
    "--entropy-prune",
    type=Number(0, checks=False),
    metavar="SHARE",
    help="Leave out n-grams without which the perplexity grows by less than this fraction; 1e-8 to 1e-6 are usual.",
)
@click.option(
    "--max-ngrams",
    type=WholeNumber(1, checks=False),
    metavar="N",
    help="Leave at most N n-grams, the words among them, by the lowest --entropy-prune that does so.",
)
@click.option(
    "--max-bytes",
    type=Size(of_file=True),
    metavar="SIZE",
    help="Leave as many n-grams as a file of windrow's own of this size holds: 500K, 100M, 2G.",
)
@click.option(
    "--prune",
    "prune_counts",
    callback=_thresholds,
    metavar="N,N,...",
    help="Leave out n-grams that occur at most this often, one count per order, as in training. Only with kept counts.",
)
@click.option(
    "--order", type=WholeNumber(1, checks=False), metavar="N", help="Leave out all n-grams of more than N words."
)
def prune(model: str, output: Path, **limits: Any) -> None:
    """Leave out the n-grams of MODEL that matter least.

    MODEL is an n-gram model of windrow or an ARPA file of any program. Probabilities of n-grams that stay do not
    change; back-off weights are computed again, so that probabilities sum to one. Words all stay: see `lm filter`.

    Models of Kneser-Ney smoothing are better when they are trained with a lower --order than when they are cut to it.
    """
    from windrow.files.sniff import is_arpa
    from windrow.files.writing import STDIO

    limits["prune"] = limits.pop("prune_counts")
    limits = {name: value for name, value in limits.items() if value is not None}
    if not limits:
        raise OptionError(
            "nothing says what to leave out; give --entropy-prune, --max-ngrams, --max-bytes, --prune or --order"
        )
    _check_target(output)
    if "max_bytes" in limits and (is_arpa(output) or str(output) == STDIO):
        raise OptionError("--max-bytes is the size of windrow's own file; of an ARPA file try --max-ngrams")
    whole = load_ngrams(model, "only n-gram models are pruned")
    with naming_options({"order": "--order", "prune": "--prune", "keep_counts": "--keep-counts"}):
        pruned = whole.pruned(**limits)
    threshold = pruned.entropy_prune
    by = f", entropy threshold {threshold:.3g}" if threshold and limits.keys() - {"order", "prune"} else ""
    _save(pruned, whole, output, by)


@command("filter", example="windrow lm filter toy-wb.safetensors --vocab words.txt -o fewer.safetensors")
@_model
@_output
@click.option(
    "--vocab", required=True, metavar="FILE", type=InputFile(), help="The words to keep: one or more per line."
)
def filter_words(model: str, output: Path, vocab: str) -> None:
    """Leave out the words of MODEL that are not in a file, and the n-grams that hold them.

    MODEL is an n-gram model of windrow or an ARPA file of any program. The probability of the words that are left out
    goes to <unk>, as which they are scored from now on, so that probabilities sum to one as before. Those of the words
    that stay, after words that stay, do not change.
    """
    if model == "-" == vocab:
        raise OptionError("standard input, '-', cannot be both MODEL and --vocab; name a file for one of them")
    _check_target(output)
    words = words_in(vocab)
    whole = load_ngrams(model, "only n-gram models are filtered")
    with naming_options({"words": "--vocab"}):
        filtered = whole.filtered(words)
    counts = [f"{one.vocabulary.sizes()['words']:,}" for one in (filtered, whole)]
    unknown = sum(word not in whole.vocabulary for word in set(words))
    missing = f"; of {vocab} it lacks {unknown:,}" if unknown else ""
    _save(filtered, whole, output, f", {counts[0]} of {counts[1]} words{missing}")


def _check_target(output: Path) -> None:
    """Refuse a name that promises another file, before anything is read."""
    from windrow.files.sniff import is_arpa
    from windrow.lm.ngram.counts_text import check_compression
    from windrow.lm.storing import check_target

    check_target(output)
    if is_arpa(output):
        check_compression(output, "ARPA files")


def _save(smaller: NGramLM, whole: NGramLM, output: Path, more: str) -> None:
    from windrow.cli.as_trained import warn_if_forgotten
    from windrow.files.compression import output_name

    save_model(smaller, output)
    warn_if_forgotten(smaller, output)
    before, after = (one.table_.sizes for one in (whole, smaller))
    sizes = f"{sum(after):,} of {sum(before):,} n-grams (by length: {', '.join(f'{size:,}' for size in after)})"
    tell(f"{output_name(output)}: order {len(after)}, {sizes}{more}")
