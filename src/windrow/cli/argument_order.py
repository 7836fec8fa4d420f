"""Text in the place of a model, and the model among the texts: the right order."""

from __future__ import annotations

from contextlib import suppress

import click

from windrow.cli.missing_files import is_file, with_arguments
from windrow.cli.paths import InputFile, Source
from windrow.errors import DataError, FormatError


def with_order(error: FormatError, ctx: click.Context) -> FormatError:
    """The error of a command; if it is of text where a model is wanted, and a SOURCE is one, with the right order."""
    if not (right := _model_first(ctx, str(error))):
        return error
    return FormatError(f"{str(error).partition('; ')[0]}; the model comes first: {right}")


def _model_first(ctx: click.Context, told: str) -> str:
    """The command with its model before its SOURCEs; empty if ``told`` is of something else."""
    from windrow.files.corpus_folder import is_corpus
    from windrow.files.sniff import is_plain_text

    arguments = [one for one in ctx.command.params if isinstance(one, click.Argument)]
    if [isinstance(one.type, InputFile) for one in arguments] != [True, *[False] * (len(arguments) - 1)]:
        return ""
    first, *others = (ctx.params[one.name or ""] for one in arguments if isinstance(one.type, InputFile | Source))
    if not told.startswith(f"{first} ") or not (is_corpus(first) or is_plain_text(first)):
        return ""
    sources = [source for other in others for source in ([other] if isinstance(other, str) else other)]
    models = [source for source in sources if _is_model(source)]
    if len(models) != 1:
        return ""
    return with_arguments(ctx, [*models, *(first if source in models else source for source in sources)])


def _is_model(source: str) -> bool:
    from windrow.files.sniff import first_bytes, looks_like_vectors, recognize

    with suppress(DataError):
        if is_file(source):
            start = first_bytes(source)
            return recognize(start) in ("windrow", "arpa", "fasttext") or looks_like_vectors(start)
    return False
