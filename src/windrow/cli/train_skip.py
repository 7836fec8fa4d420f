"""``windrow lm train skip``."""

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
from windrow.cli.paths import OutputFile
from windrow.cli.report import Reporting, report_option
from windrow.cli.saving import save_model
from windrow.lm.skips.settings import SKIP_NGRAM_LM


@command(
    "skip", example="windrow lm train skip toyland/train.txt -o toy-skip.safetensors --places 2,3 --discount-fallback"
)
@sources_argument
@grouped_option("-o", "--output", heading="", required=True, metavar="FILE", type=OutputFile(), help="File to write.")
@setting_options(SKIP_NGRAM_LM)
@report_option
@text_options()
def train_skip(sources: tuple[str, ...], output: Path, **options: Any) -> None:
    """Train skip n-grams on SOURCEs: text (file, folder, glob, URL, -) or one folder of `corpus build`.

    The context of a word is not the words just before it, but those at --places. What is seen of them counts whatever
    stands between. Best in a mixture with n-grams: `windrow lm mix`.
    """
    from windrow.files.compression import output_name
    from windrow.lm import storing
    from windrow.lm.skips.model import SkipNGramLM
    from windrow.numeric.compiling import working_time

    check_used(SKIP_NGRAM_LM)
    storing.check_target(output, "a skip n-gram model")
    report = Reporting(options["report"], output)
    started = working_time()
    model = SkipNGramLM(**values_of(SKIP_NGRAM_LM, options))
    check_parameters(model, flags_of(SKIP_NGRAM_LM))  # before the text is read
    text = text_of(options)
    corpus = open_corpus(*sources, **text)
    with naming_options(flags_of(SKIP_NGRAM_LM)):
        model.fit(corpus)
    save_model(model, output)
    warn_if_forgotten(model, output)
    sizes = ", ".join(f"{size:,}" for size in model.ngrams_.table_.sizes)
    tell(
        f"{output_name(output)}: places {','.join(map(str, model.places_))}, n-grams by length: {sizes}, "
        f"in {working_time() - started:.1f} s"
    )
    report.write(model, reading=text)
