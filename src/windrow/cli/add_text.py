"""``windrow lm add``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from windrow.cli.groups import command
from windrow.cli.help import grouped_option
from windrow.cli.lm_files import load_ngrams, words_in
from windrow.cli.messages import tell
from windrow.cli.options import naming_options, open_corpus, sources_argument, text_options
from windrow.cli.paths import InputFile, OutputFile, Source
from windrow.cli.saving import save_model
from windrow.errors import DataError, OptionError


@command("add", example="windrow lm add counted.safetensors toyland/valid.txt -o more.safetensors")
@click.argument("model", type=InputFile())
@sources_argument
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    type=OutputFile(),
    help="File to write: windrow's own, which keeps the counts of all text.",
)
@grouped_option(
    "--heldout",
    heading="Model",
    metavar="SOURCE",
    type=Source(),
    help="As in the training of MODEL, which needs it again.",
)
@grouped_option(
    "--vocab",
    heading="Text",
    metavar="FILE",
    type=InputFile(),
    help="As in the training of MODEL, which needs it again.",
)
@text_options(as_trained=True)
def add(
    model: str, sources: tuple[str, ...], output: Path, heldout: str | None, vocab: str | None, **text: Any
) -> None:
    """Add the text of SOURCEs to an n-gram MODEL that keeps its counts.

    The result is, to the last bit, the model that `lm train ngram` makes of the text before and, after it, this one,
    with all options as they were. MODEL comes from `lm train ngram --keep-counts`, or from here.
    """
    from windrow.cli.as_trained import corpus_for, read_as_trained
    from windrow.files.sniff import is_arpa
    from windrow.lm.ngram.smoothing import DiscountsError
    from windrow.lm.storing import check_target
    from windrow.numeric.compiling import working_time

    check_target(output)
    if is_arpa(output):
        raise OptionError(f"{output}: an ARPA file keeps no counts; name a .safetensors file and convert that")
    if [model, *sources, heldout, vocab].count("-") > 1:
        raise OptionError("standard input, '-', can be read once only; name files for the others")
    started = working_time()
    whole = load_ngrams(model, "text is added to n-gram models only")
    before = sum(whole.table_.sizes)
    words = words_in(vocab) if vocab else None
    tuned = None
    if heldout:
        tuned = open_corpus(heldout, reader=whole.reader, **read_as_trained(whole, model, text))
    with naming_options({"heldout": "--heldout", "vocab": "--vocab", "keep_counts": "--keep-counts"}):
        try:
            whole.add(corpus_for(whole, model, sources, text), heldout=tuned, vocab=words)
        except DiscountsError as error:  # whose way out are options of training
            way_out = "train one model on all the text with `windrow lm train ngram --discount-fallback`"
            raise DataError(f"{error.reason}; {way_out}") from error
    save_model(whole, output)
    sizes = ", ".join(f"{size:,}" for size in whole.table_.sizes)
    tell(
        f"{output}: order {whole.table_.order}, {before:,} + {sum(whole.table_.sizes) - before:,} n-grams "
        f"(by length: {sizes}) in {working_time() - started:.1f} s"
    )
