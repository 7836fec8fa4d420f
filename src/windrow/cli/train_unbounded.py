"""``windrow lm train ngram --order inf``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from windrow.cli.as_trained import warn_if_forgotten
from windrow.cli.messages import name_typed, tell
from windrow.cli.options import check_parameters, flags_of, naming_options, open_corpus, text_of, values_of
from windrow.cli.report import Reporting
from windrow.cli.saving import save_model
from windrow.errors import OptionError
from windrow.lm.ngram.settings import NGRAM_LM
from windrow.lm.unbounded.settings import UNBOUNDED_NGRAM_LM

SMOOTHING = "modified-kneser-ney"
_MODEL = "a model of unbounded order"
_COMMON = ("sources", "output", "order", "smoothing", "report")


def train_unbounded(sources: tuple[str, ...], output: Path, options: dict[str, Any]) -> None:
    """Train such a model with the options of ``lm train ngram``, of which those without effect are refused."""
    from windrow.files.compression import output_name
    from windrow.lm import storing
    from windrow.lm.unbounded.model import UnboundedNGramLM
    from windrow.numeric.compiling import working_time

    _check_used(options)
    if options["smoothing"] != SMOOTHING:
        raise OptionError(f"--order inf has the smoothing {SMOOTHING}, not {options['smoothing']}; leave it out")
    storing.check_target(output, _MODEL)
    report = Reporting(options["report"], output)
    started = working_time()
    model = UnboundedNGramLM(**values_of(UNBOUNDED_NGRAM_LM, options))
    check_parameters(model, flags_of(UNBOUNDED_NGRAM_LM))  # before the text is read
    text = text_of(options)
    corpus = open_corpus(*sources, **text)
    with naming_options(flags_of(NGRAM_LM)):
        model.fit(corpus)
    save_model(model, output)
    warn_if_forgotten(model, output)
    arrays = model.index_.arrays().values()
    bytes_per_token = sum(array.nbytes for array in arrays) / max(corpus.tokens, 1)
    tell(
        f"{output_name(output)}: unbounded order, {corpus.tokens:,} tokens, {bytes_per_token:.1f} bytes per token "
        f"in {working_time() - started:.1f} s"
    )
    report.write(model, reading=text, fitting={"order": None})  # which the class says


def _check_used(options: dict[str, Any]) -> None:
    """Refuse options that only models with a highest order read."""
    read = {*_COMMON, *text_of(options), *(setting.name for setting in UNBOUNDED_NGRAM_LM)}
    context = click.get_current_context()
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
        if given and parameter.name not in read:
            raise OptionError(f"{name_typed(parameter)} has no effect with --order inf; leave it out")
