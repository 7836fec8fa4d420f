"""``windrow lm train class``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from windrow.cli.as_trained import warn_if_forgotten
from windrow.cli.groups import command
from windrow.cli.help import grouped_option
from windrow.cli.messages import tell
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
from windrow.cli.paths import InputFile, OutputFile
from windrow.cli.report import Reporting, report_option
from windrow.cli.saving import save_model
from windrow.lm.classes.settings import CLASS_LM


@command("class", example="windrow lm train class toyland/train.txt -o toy-class.safetensors")
@sources_argument
@grouped_option("-o", "--output", heading="", required=True, metavar="FILE", type=OutputFile(), help="File to write.")
@setting_options(CLASS_LM)
@grouped_option(
    "--word-classes",
    heading="Model",
    common=True,
    metavar="FILE",
    type=InputFile(),
    help="Classes of words, as `windrow vectors cluster` writes them, in place of learned ones; words that are not in "
    "FILE share a class.",
)
@report_option
@text_options()
def train_class(sources: tuple[str, ...], output: Path, **options: Any) -> None:
    """Train n-grams of word classes on SOURCEs: text (file, folder, glob, URL, -) or one folder of `corpus build`.

    Each word belongs to one class. What follows a class is learned from all of its words, so that little text goes
    further. Best in a mixture with n-grams of words: `windrow lm mix`.
    """
    from windrow.files.compression import output_name
    from windrow.lm import storing
    from windrow.lm.classes.model import ClassLM
    from windrow.numeric.compiling import working_time

    check_used(CLASS_LM)  # beside --word-classes
    storing.check_target(output, "a class-based model")
    report = Reporting(options["report"], output)
    started = working_time()
    model = ClassLM(**values_of(CLASS_LM, options))
    check_parameters(model, flags_of(CLASS_LM))  # before the text is read
    text = text_of(options)
    corpus = open_corpus(*sources, **text)
    with naming_options(flags_of(CLASS_LM)):
        model.fit(corpus, word_classes=options["word_classes"])
    save_model(model, output)
    warn_if_forgotten(model, output)
    sizes = model.sizes()
    tell(
        f"{output_name(output)}: {sizes['words']:,} words in {sizes['classes']:,} classes, order {model.order}, "
        f"in {working_time() - started:.1f} s"
    )
    report.write(model, reading=text, fitting={"word_classes": options["word_classes"]})
