"""``windrow lm train ngram``."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import click

from windrow.cli.options import check_parameters, naming_options, open_corpus, text_options
from windrow.errors import OptionError
from windrow.lm.ngram import SMOOTHING_NAMES

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_NAMES = {"quantise_bits": "--quantise"}  # of options that are not called as the parameter is
_TEXT = ("tokenizer", "lowercase", "format", "field", "errors")


def _numbers(kind: type) -> Any:
    def parse(_: click.Context, parameter: click.Parameter, value: str | None) -> tuple[Any, ...] | None:
        try:
            return None if value is None else tuple(map(kind, value.split(",")))
        except ValueError as error:
            raise OptionError(f"{parameter.opts[-1]} {value!r} must be numbers with commas between them") from error

    return parse


def _bytes(_: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d*)?)([KMGT]?)B?", value.strip().upper())
    if not found:
        raise OptionError(f"{parameter.opts[-1]} {value!r} must be a size such as 500M or 2G")
    return int(float(found[1]) * _UNITS[found[2]])


def _words_in(file: str) -> list[str]:
    from windrow.corpus.streams import Meter, lines, text_pieces

    return [word for line in lines(text_pieces(file, "strict", Meter(None, None))) for word in line.split()]


@click.command("ngram")
@click.argument("source")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="File to write: .safetensors, or .arpa, .arpa.gz.",
)
@click.option("--order", default=5, show_default=True, help="Words in the longest n-gram.")
@click.option(
    "--smoothing",
    default="modified-kneser-ney",
    show_default=True,
    type=click.Choice(SMOOTHING_NAMES),
    metavar="NAME",
    help=f"One of {', '.join(SMOOTHING_NAMES)}.",
)
@click.option(
    "--interpolate/--backoff",
    default=True,
    help="Shorter contexts count for every n-gram, or only for those not seen.  [default: interpolate]",
)
@click.option("--delta", default=1.0, show_default=True, help="What add-delta adds to every count.")
@click.option(
    "--weights",
    callback=_numbers(float),
    metavar="W1,W2,...",
    help="Of jelinek-mercer, one an order.  [default: fitted]",
)
@click.option("--heldout", metavar="SOURCE", help="Text to fit jelinek-mercer's weights to.")
@click.option(
    "--prune",
    callback=_numbers(int),
    metavar="N1,N2,...",
    help="Drop n-grams that occur at most so often, a number an order: 0,0,1.",
)
@click.option(
    "--entropy-prune",
    type=float,
    metavar="X",
    help="Drop n-grams without which the perplexity grows by less than this part: 1e-7.",
)
@click.option("--discount-fallback", is_flag=True, help="Discounts 0.5, 1, 1.5 where the text is too small to tell.")
@click.option("--lmplz-compat", is_flag=True, help="Count counts as lmplz does, its slip included.")
@click.option("--min-count", default=1, show_default=True, help="Rarer words become <unk>.")
@click.option("--max-vocab", type=int, help="Keep the most frequent words; the others become <unk>.")
@click.option("--vocab", metavar="FILE", help="Leave out n-grams with words that are not in this file.")
@click.option("--closed-vocabulary", is_flag=True, help="Leave no probability for unknown words.")
@click.option("--unk-mass", type=float, help="The probability of <unk>.  [default: as the smoothing leaves it]")
@click.option("--bos/--no-bos", default=True, help="Mark where sentences begin.  [default: on]")
@click.option("--eos/--no-eos", default=True, help="Mark and predict where sentences end.  [default: on]")
@click.option("--skip-symbols", is_flag=True, help="Leave out <s> and </s> that stand in the text.")
@click.option(
    "--quantise", type=int, metavar="BITS", help="Round probabilities to so many bits: 8 makes half the size."
)
@click.option("--memory", callback=_bytes, metavar="SIZE", help="Count over files beyond this: 500M, 2G.")
@click.option("--counts-out", type=click.Path(path_type=Path), help="Write the counts, as text; .gz compresses.")
@click.option("--from-counts", is_flag=True, help="SOURCE is a file of counts, as --counts-out writes it.")
@text_options
def train_ngram(source: str, output: Path, **options: Any) -> None:
    """Estimate a back-off n-gram model from SOURCE: text (file, folder, glob, URL, - ) or a `corpus build` folder."""
    from windrow.files.model_file import check_writable
    from windrow.files.sniff import is_arpa, refuse_arpa
    from windrow.lm.ngram.count_files import check_compression
    from windrow.lm.ngram.model import NGramLM

    counts_out = options["counts_out"]
    for place in (output, *([counts_out] if counts_out else [])):
        check_writable(place)
    if is_arpa(output):
        check_compression(output, "ARPA files")
        if options["smoothing"] == "stupid-backoff":
            refuse_arpa(output, "stupid back-off")
    if counts_out:
        check_compression(counts_out, "counts")
    if counts_out and counts_out.resolve() == output.resolve():
        raise OptionError(f"--counts-out and --output are the same file, {output}; name two")
    if counts_out and options["from_counts"]:
        raise OptionError("--counts-out is for text; with --from-counts the counts are in SOURCE")
    started = time.monotonic()
    model = NGramLM(
        options["order"],
        options["smoothing"],
        interpolate=options["interpolate"],
        delta=options["delta"],
        weights=options["weights"],
        discount_fallback=options["discount_fallback"],
        prune=options["prune"] or (),
        entropy_prune=options["entropy_prune"],
        min_count=options["min_count"],
        max_vocab=options["max_vocab"],
        open_vocabulary=not options["closed_vocabulary"],
        unk_mass=options["unk_mass"],
        bos=options["bos"],
        eos=options["eos"],
        skip_symbols=options["skip_symbols"],
        lmplz_compat=options["lmplz_compat"],
        quantise_bits=options["quantise"],
        memory=options["memory"],
    )
    check_parameters(model, _NAMES)  # before the text is read
    if options["heldout"] and options["smoothing"] != "jelinek-mercer":
        raise OptionError(f"--heldout is for --smoothing jelinek-mercer; {options['smoothing']} has no weights to fit")
    text = {name: options[name] for name in _TEXT}
    heldout = open_corpus(options["heldout"], **text) if options["heldout"] else None
    vocab = _words_in(options["vocab"]) if options["vocab"] else None
    corpus = None if options["from_counts"] else open_corpus(source, **text)
    with naming_options(_NAMES):
        if corpus is None:
            model.fit_counts(source, heldout=heldout, vocab=vocab)
        else:
            model.fit(corpus, heldout=heldout, vocab=vocab, counts_out=counts_out)
    model.save(output)
    sizes = ", ".join(f"{size:,}" for size in model.table_.sizes)
    click.echo(
        f"{output}: order {model.table_.order}, {sum(model.table_.sizes):,} n-grams ({sizes}) in "
        f"{time.monotonic() - started:.1f} s",
        err=True,
    )
