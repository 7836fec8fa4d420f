"""What ``windrow lm train window`` and ``rnn`` share: the options of training, and the training itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from windrow.cli.groups import Command
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
    open_corpus,
    read_as_sources,
    setting_options,
    sources_argument,
    take_shape,
    text_of,
    text_options,
    values_of,
)
from windrow.cli.paths import OutputFile, OutputLog, Source, checkpoint_beside, checkpoint_of
from windrow.cli.report import Reporting, report_option
from windrow.cli.saving import save_model
from windrow.cli.summaries import kept_epoch_told, loss_of_language_model, training_told
from windrow.cli.vector_files import advising_to_convert
from windrow.outputs import OUTPUT_LAYERS

if TYPE_CHECKING:
    from windrow.corpus import Corpus
    from windrow.estimator import Setting
    from windrow.lm.neural.base import NeuralLM

_FEW = 0.01  # words with a given vector, below which something is likely to be wrong


class _OldOutput(Command):
    """``--output NAME`` beside ``-o FILE`` was the output layer before ``--output-layer``: it works, with a warning."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if any(arg.startswith("-o") for arg in args):
            split = [part for arg in args for part in (arg.split("=", 1) if arg.startswith("--output=") else (arg,))]
            for place, (option, value) in enumerate(pairwise(split)):
                if option != "--output":
                    continue
                if value not in OUTPUT_LAYERS:
                    raise click.UsageError(
                        f"-o and --output {value} both name the file; give one, and the output layer as --output-layer"
                    )
                tell(f"Warning: --output {value} is now --output-layer {value}; -o names the file")
                args = [*split[:place], "--output-layer", *split[place + 1 :]]
        return super().parse_args(ctx, args)


def training_command(
    name: str, settings: tuple[Setting, ...], example: str = ""
) -> Callable[[Callable[..., None]], click.Command]:
    """Make a command with SOURCEs, -o FILE, and the options of a model's settings, of training and of text."""
    output = OutputFile(checkpoint_beside, stdout=True)  # which is refused in other words, as for ARPA files
    decorators = (
        click.command(name, cls=_OldOutput, example=example),
        sources_argument,
        click.option("-o", "--output", required=True, metavar="FILE", type=output, help="File to write."),
        setting_options(settings),
        grouped_option(
            "--valid",
            heading="Training",
            metavar="SOURCE",
            type=Source(),
            help="Text held back: the best epoch on it is kept.",
        ),
        continuing_options,
        checkpoint_every,
        grouped_option(
            "--resume",
            heading="Training",
            is_flag=True,
            help="Go on from FILE.checkpoint, the state after the last epoch.",
        ),
        grouped_option(
            "--log-json",
            heading="Output",
            type=OutputLog(),
            metavar="LOG",
            help="Write the learning curve, one JSON object per epoch.",
        ),
        report_option,
        text_options(),
    )

    def make(function: Any) -> Any:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return make


def train(kind: type[NeuralLM], sources: tuple[str, ...], target: Path, options: dict[str, Any]) -> None:
    """Train a model with these options and write it; the state is kept in TARGET.checkpoint."""
    from windrow.embeddings.vectors import load_vectors
    from windrow.files.writing import remove_written
    from windrow.lm.storing import check_target
    from windrow.nn.training.stopping import DivergedError

    names = flags_of(kind.settings)
    check_used(kind.settings)
    checkpoint, log = checkpoint_of(target), options["log_json"]
    check_target(target, f"a {kind.__name__}")
    report = Reporting(options["report"], target)
    resume = check_checkpoint(checkpoint, options["resume"], target)
    continued = None if options["continue_from"] is None else kind.load(options["continue_from"])
    model = kind(**values_of(kind.settings, options))
    if continued is not None:
        with naming_options(names):
            take_shape(model, continued)
    check_parameters(model, names)  # before the text is read
    if options["vectors"]:
        with advising_to_convert():
            model.set_params(vectors=load_vectors(options["vectors"]))
    corpus, valid = _texts(continued, sources, options)
    with ExitStack() as stack:
        if log:
            model.set_params(callbacks=[stack.enter_context(json_log(log, append=resume))])
        show = report.following(stack.enter_context(words_bar((corpus.tokens + len(corpus)) * model.epochs)))
        try:
            with naming_options(names):
                model.fit(
                    corpus,
                    valid=valid,
                    continue_from=continued,
                    keep_training_state=options["keep_training_state"],
                    checkpoint=checkpoint,
                    checkpoint_every=options["checkpoint_every"],
                    resume=resume,
                    progress=show,
                )
        except DivergedError as error:
            said = str(error)
            if model.history_:  # else not one epoch: nothing is worth keeping
                save_model(model, target)
                said += f"; it is written to {target}"
            remove_written(checkpoint)  # from there it would only diverge again
            raise DivergedError(said) from error
        except KeyboardInterrupt as error:
            if checkpoint.exists() or not getattr(model, "history_", None):
                raise
            save_model(model, target)
            raise KeyboardInterrupt(f"{error}; it is written to {target}") from error
    save_model(model, target)
    remove_written(checkpoint)
    words: Any = model.sizes()["words"]
    if model.vectors is not None and model.given_words_ < words * _FEW:
        few = f"only {model.given_words_:,} of the {words:,} words begin with a vector of {options['vectors']}"
        tell(f"Warning: {few}; are both cut into words alike?")
    tell(_summary(target, model))
    fitting = {name: options[name] for name in ("valid", "continue_from")}
    report.write(model, valid=lambda: valid, reading=text_of(options), fitting=fitting)


def _texts(
    continued: NeuralLM | None, sources: tuple[str, ...], options: dict[str, Any]
) -> tuple[Corpus, Corpus | None]:
    """SOURCEs and the text held back; read as that of the model to continue was, but for options that were given."""
    from windrow.cli.as_trained import corpus_for

    def opened(*names: str) -> Corpus:
        if continued is None:
            return open_corpus(*names, **text_of(options))
        return corpus_for(continued, options["continue_from"], names, options)

    corpus = opened(*sources)
    with read_as_sources("--valid"):
        return corpus, opened(options["valid"]) if options["valid"] else None


def _summary(target: Path, model: NeuralLM) -> str:
    trained = training_told(model.history_, "word", loss_of_language_model(model.output_layer, model.objective))
    kept = kept_epoch_told(model.history_, "validation perplexity", 2)
    return f"{target}: {model.sizes()['words']:,} words; {trained}{kept}"
