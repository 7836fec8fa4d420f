"""``windrow tag``: train an entity tagger, measure it, tag text."""

from __future__ import annotations

import io
import json
import sys
from contextlib import ExitStack
from itertools import chain, tee
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from windrow.cli.groups import LazyGroup
from windrow.cli.help import grouped_option
from windrow.cli.logs import json_log, words_bar
from windrow.cli.messages import tell
from windrow.cli.options import (
    check_checkpoint,
    check_parameters,
    check_used,
    checkpoint_every,
    continuing_options,
    flags_of,
    naming_options,
    setting_options,
    sources_argument,
    take_shape,
    text_options,
    values_of,
)
from windrow.cli.paths import (
    InputFile,
    Lines,
    OutputFile,
    OutputLog,
    Source,
    checkpoint_beside,
    checkpoint_of,
    words_read,
)
from windrow.cli.pictures import check_plot, plot_options
from windrow.cli.report import Reporting, report_option
from windrow.cli.saving import save_model
from windrow.cli.summaries import LIKELIHOOD, kept_epoch_told, training_told
from windrow.cli.vector_files import advising_to_convert
from windrow.errors import OptionError
from windrow.files.writing import STDIO
from windrow.tagging.settings import WINDOW_TAGGER

if TYPE_CHECKING:
    from windrow.evaluation.spans import SpanResult
    from windrow.tagging import WindowTagger


def _from_zero(_: click.Context, parameter: click.Parameter, value: int | None) -> int | None:
    if value == 0:
        raise OptionError(f"{parameter.opts[-1]} = 0: columns count from 1, or from -1 at the end of the line")
    return value - 1 if value is not None and value > 0 else value


_token_column = grouped_option(
    "--token-column",
    heading="Text",
    type=int,
    metavar="N",
    callback=_from_zero,
    help="Column of the token: 1 is the first, -1 the last.",
)
_tag_column = grouped_option(
    "--tag-column",
    heading="Text",
    type=int,
    default=-1,
    metavar="N",
    callback=_from_zero,
    help="Column of the tag: 1 is the first, -1 the last.  [default: -1]",
)


@click.group("tag", cls=LazyGroup)
def group() -> None:
    """Entities: train a tagger, measure it, tag text."""


@group.command(
    example="windrow tag train toyland/ner-train.conll --valid toyland/ner-valid.conll -o toy-tagger.safetensors"
)
@sources_argument
@click.option("-o", "--output", required=True, type=OutputFile(checkpoint_beside), help="File to write.")
@grouped_option(
    "--valid",
    heading="Training",
    metavar="SOURCE",
    type=Source(),
    help="Sentences held back: the best epoch on them is kept.",
)
@grouped_option(
    "--vectors", heading="Training", metavar="FILE", type=InputFile(words_read), help="Word vectors to start from."
)
@_token_column
@_tag_column
@setting_options(WINDOW_TAGGER)
@grouped_option(
    "--checkpoint",
    heading="Output",
    common=False,
    type=OutputFile(),
    metavar="FILE",
    help="Keeps the state of the training.  [default: that of -o, and .checkpoint]",
)
@continuing_options
@checkpoint_every
@grouped_option("--resume", heading="Training", is_flag=True, help="Go on from the checkpoint.")
@click.option(
    "--log-json",
    type=OutputLog(),
    metavar="LOG",
    help="Write the learning curve, one JSON object per epoch.",
)
@report_option
def train(sources: tuple[str, ...], output: Path, valid: str | None, vectors: str | None, **options: Any) -> None:
    """Train a tagger on SOURCEs, CoNLL files: a line per token, its tag last; blank lines between sentences.

    The state is kept after every epoch; the same command with --resume goes on from there. Ctrl-C writes the best
    tagger so far.
    """
    from windrow.embeddings.vectors import load_vectors
    from windrow.files.writing import remove_written
    from windrow.nn.training.stopping import DivergedError
    from windrow.tagging import WindowTagger
    from windrow.tagging.columns import Columns
    from windrow.tagging.examples import read_examples

    check_used(WINDOW_TAGGER)
    report = Reporting(options.pop("report"), output)
    checkpoint, log = options.pop("checkpoint") or checkpoint_of(output), options.pop("log_json")
    resume = check_checkpoint(checkpoint, options.pop("resume"), output)
    path = options.pop("continue_from")
    continued = None if path is None else WindowTagger.load(path)
    tagger = WindowTagger(**values_of(WINDOW_TAGGER, options))
    if continued is not None:
        with naming_options(flags_of(WINDOW_TAGGER)):
            take_shape(tagger, continued)
    check_parameters(tagger, flags_of(WINDOW_TAGGER))  # before anything is read
    if vectors is not None:
        with advising_to_convert():
            tagger.set_params(vectors=load_vectors(vectors))
    try:
        with ExitStack() as stack:
            if log:
                tagger.set_params(callbacks=[stack.enter_context(json_log(log, append=resume))])
            show = report.following(stack.enter_context(words_bar(unit="tokens")))
            names = ("token_column", "tag_column", "checkpoint_every", "keep_training_state")
            given = {name: options[name] for name in names}
            tagger.fit(
                _files(sources),
                valid=valid,
                continue_from=continued,
                checkpoint=checkpoint,
                resume=resume,
                progress=show,
                **given,
            )
    except (DivergedError, KeyboardInterrupt) as error:
        if isinstance(error, DivergedError):
            remove_written(checkpoint)  # from there it would only diverge again
        if not getattr(tagger, "history_", None):  # not one epoch: nothing is worth keeping
            raise
        save_model(tagger, output)
        raise type(error)(f"{error}; it is written to {output}") from error
    save_model(tagger, output)
    remove_written(checkpoint)
    _summarize(tagger, output)
    columns = {name: given[name] for name in ("token_column", "tag_column")}
    changed = {name: value for name, value in columns.items() if value != {"tag_column": -1}.get(name)}
    report.write(
        tagger,
        # Standard input was read, and is gone.
        valid=lambda: None if valid is None or valid == STDIO else read_examples(valid, Columns(*columns.values())),
        fitting={"valid": valid, "continue_from": path, **changed},
    )


def _summarize(tagger: WindowTagger, output: Path) -> None:
    trained = training_told(tagger.history_, "token", LIKELIHOOD)
    tell(f"{output}: {', '.join(tagger.types_)}; {trained}{kept_epoch_told(tagger.history_, 'validation F1', 4)}")


@group.command(example="windrow tag evaluate toy-tagger.safetensors toyland/ner-test.conll")
@click.argument("model", type=InputFile())
@sources_argument
@_token_column
@_tag_column
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@plot_options("which tag is taken for which")
def evaluate(
    model: str,
    sources: tuple[str, ...],
    as_json: bool,
    plot: Path | None,
    theme: str,
    **columns: Any,
) -> None:
    """Exact-span precision, recall and F1 of MODEL on SOURCEs, CoNLL files, as conlleval and seqeval count them.

    Entities of a type that MODEL has not learned count as missed.
    """
    from windrow.tagging import WindowTagger
    from windrow.tagging.columns import Columns
    from windrow.tagging.examples import read_examples

    check_plot(plot)
    tagger = WindowTagger.load(model)
    judged: Any = _files(sources)
    if plot is not None:  # read once, since standard input cannot be read again
        judged = read_examples(judged, Columns(columns.pop("token_column"), columns.pop("tag_column")))
    result = tagger.evaluate(judged, **columns)
    if unknown := sorted(set(result.types) - set(tagger.types_)):
        tell(f"Warning: {model} has not learned {', '.join(unknown)}: counted as missed")
    if plot is not None:
        from windrow.viz import plot_confusion

        plot_confusion(*tagger.true_and_predicted(judged), plot, theme=theme)
    click.echo(json.dumps(result.to_json()) if as_json else _table(result))


def _table(result: SpanResult) -> str:
    names = [*result.types, "all"]
    width = max(map(len, names))
    lines = [f"{'':{width}}  precision  recall      F1  entities"]
    for name, score in zip(names, [*result.types.values(), result.overall], strict=True):
        lines.append(f"{name:{width}}  {score.precision:9.4f}  {score.recall:6.4f}  {score.f1:6.4f}  {score.gold:8d}")
    return "\n".join(lines)


@group.command(example="echo 'Anna lives in Samirad .' | windrow tag predict toy-tagger.safetensors")
@click.argument("model", type=InputFile())
@click.argument("source", default="-", type=Lines())
@click.option(
    "--format",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "text", "conll"]),
    help="text: one sentence per line; conll: one token per line, blank lines between sentences; auto: found out.",
)
@_token_column
@text_options("tokenizer", "normalize", "errors")
def predict(model: str, source: str, format: str, token_column: int | None, errors: str, **reading: Any) -> None:
    """Tag SOURCE: a line per token, with a tab before its tag, and a blank line after each sentence.

    SOURCE (file, - for standard input) is text, one sentence per line, which --tokenizer cuts into tokens, or a CoNLL
    file, of which only the tokens are read. As many lines come out as a CoNLL file has: comments and blank lines stay
    in place. It is taken for one if its name ends in .conll, .conllu, .iob or .bio, or if its first thousand lines have
    the same columns, a tag last, or have one column and blank lines between them. With --format each sentence that
    comes through a pipe is answered at once.
    """
    from windrow.cli.typed import typed_lines, waits_for_answers
    from windrow.corpus import TextReader
    from windrow.tagging import WindowTagger
    from windrow.tagging.texts import read_texts, write_tagged

    tagger = WindowTagger.load(model)
    is_live = format != "auto" and waits_for_answers(source)
    typed = typed_lines(errors) if is_live else None
    found = read_texts(source, format, token_column, reader=TextReader(**reading), errors=errors, typed=typed)
    pieces, to_tag = tee(found)
    sentences = (piece.tokens for piece in to_tag if piece.tokens)
    if is_live and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    # The tagger reads ahead, which would keep those waiting who write the next sentence when they have an answer.
    parts = ([one] for one in sentences) if is_live else iter([sentences])
    predicted = chain.from_iterable(map(tagger.iter_predict, parts))
    write_tagged(pieces, predicted, sys.stdout)


def _files(sources: tuple[str, ...]) -> str | list[Path]:
    return [Path(source) for source in sources] if len(sources) > 1 else sources[0]
