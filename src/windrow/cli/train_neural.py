"""What ``windrow lm train window`` and ``rnn`` share: the options of training, and the training itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from windrow.cli.options import (
    check_checkpoint,
    check_distinct,
    check_parameters,
    json_log,
    naming_options,
    open_corpus,
    text_options,
    words_bar,
)
from windrow.errors import OptionError
from windrow.outputs import HEADS

if TYPE_CHECKING:
    from windrow.lm.neural.estimator import NeuralLM

F = TypeVar("F", bound=Callable[..., Any])

_TEXT = ("tokenizer", "lowercase", "format", "field", "errors")
_NAMES = {  # of options that are not called as the parameter is
    "embedding_size": "--embedding",
    "hidden_size": "--hidden",
    "learning_rate": "--lr",
    "batch_size": "--batch",
    "quantise_bits": "--quantise",
}
_FEW = 0.01  # words with a given vector, below which something is likely to be wrong
_FILES = ("valid", "resume", "log_json")
_ONLY_WITH = {  # what is read only where another option has one of these values
    "objective": ("output", ("nce",)),
    "noise_words": ("output", ("nce",)),
    "noise_power": ("output", ("nce",)),
    "classes": ("output", ("classes",)),
    "cutoffs": ("output", ("adaptive",)),
    "momentum": ("optimizer", ("momentum", "nesterov")),
}
_OPTIMIZERS = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam"]
_SCHEDULES = ["linear", "constant", "step", "exponential", "inverse", "plateau"]
_OPTIONS = (
    click.option("--output", default="softmax", show_default=True, type=click.Choice([*HEADS]),
                 help="The output layer."),
    click.option("--tied", is_flag=True, help="The output layer shares the word vectors."),
    click.option("--vectors", type=click.Path(path_type=Path), metavar="FILE", help="Word vectors to begin with."),
    click.option("--valid", metavar="SOURCE", help="Text held back: the best epoch on it is kept."),
    click.option("--epochs", default=5, show_default=True),
    click.option("--lr", type=float, help="Learning rate, of the mean loss.  [default: the optimiser's own]"),
    click.option("--optimizer", default="adam", show_default=True, type=click.Choice(_OPTIMIZERS)),
    click.option("--momentum", default=0.9, show_default=True, help="For momentum and nesterov."),
    click.option("--schedule", default="linear", show_default=True, type=click.Choice(_SCHEDULES),
                 help="How the learning rate falls: linear to 0 by the last epoch; plateau to the half after an epoch "
                      "without a better --valid, or loss if there is none; the others as in windrow.nn."),
    click.option("--dropout", default=0.0, show_default=True),
    click.option("--l2", default=0.0, show_default=True, help="Weight decay."),
    click.option("--patience", default=3, show_default=True, help="Epochs without a better --valid before it stops."),
    click.option("--objective", default="nce", show_default=True, type=click.Choice(["nce", "sampled-softmax"]),
                 help="What --output nce trains."),
    click.option("--noise-words", default=1024, show_default=True, help="Noise words a step."),
    click.option("--noise-power", default=1.0, show_default=True, help="They are drawn from counts to this power."),
    click.option("--classes", default=0, help="Classes of --output classes.  [default: the vocabulary's square root]"),
    click.option("--cutoffs", default="", metavar="N,N,..", help="Ranks where clusters of --output adaptive begin."),
    click.option("--min-count", default=1, show_default=True, help="Rarer words become <unk>."),
    click.option("--max-vocab", type=int, help="Keep the most frequent words; the others become <unk>."),
    click.option("--skip-symbols", is_flag=True, help="Leave out <s> and </s> that stand in the text."),
    click.option("--quantise", type=int, metavar="8", help="Round output weights to 8 bits, for faster text."),
    click.option("--seed", default=1, show_default=True),
    click.option("--workers", default=1, show_default=True, help="Threads; more pay only on idle cores."),
    click.option("--resume", is_flag=True, help="Go on from FILE.checkpoint, which keeps the state after every epoch."),
    click.option("--log-json", type=click.Path(path_type=Path), metavar="LOG",
                 help="Write the learning curve, a JSON object an epoch."),
)  # fmt: skip


def training_options(command: F) -> F:
    """Add SOURCE, -o FILE, and the options of training and of text."""
    command = text_options(command)
    for option in reversed(_OPTIONS):
        command = option(command)
    target = click.Path(path_type=Path)
    command = click.option("-o", "target", required=True, metavar="FILE", type=target, help="File to write.")(command)
    return click.argument("source")(command)


def train(kind: type[NeuralLM], source: str, target: Path, options: dict[str, Any]) -> None:
    """Train a model with these options and write it; the state is in TARGET.checkpoint after every epoch."""
    from windrow.files.model_file import check_writable
    from windrow.files.sniff import refuse_arpa
    from windrow.nn.training.stopping import DivergedError

    _check_used(options)
    refuse_arpa(target, f"a {kind.__name__}")
    checkpoint, log = target.with_name(target.name + ".checkpoint"), options["log_json"]
    places = [target, checkpoint, *([log] if log else [])]
    for place in places:
        check_writable(place)
    read = [Path(name) for name in (source, options["valid"], options["vectors"]) if name]
    check_distinct([*dict.fromkeys(read), *places])
    check_checkpoint(checkpoint, options["resume"])
    text = {name: options.pop(name) for name in _TEXT}
    model = kind(**_parameters(kind, options))
    check_parameters(model, _NAMES)  # before the text is read
    corpus = open_corpus(source, **text)
    valid = open_corpus(options["valid"], **text) if options["valid"] else None
    with ExitStack() as stack:
        if log:
            model.set_params(callbacks=[stack.enter_context(json_log(log, append=options["resume"]))])
        show = stack.enter_context(words_bar((corpus.tokens + len(corpus)) * model.epochs))
        try:
            with naming_options(_NAMES):
                model.fit(corpus, valid=valid, checkpoint=checkpoint, resume=options["resume"], progress=show)
        except DivergedError as error:
            said = str(error)
            if model.history_:  # else not one epoch: nothing is worth keeping
                model.save(target)
                said += f"; it is written to {target}"
            checkpoint.unlink(missing_ok=True)  # from there it would only diverge again
            raise DivergedError(said) from error
    model.save(target)
    checkpoint.unlink(missing_ok=True)
    words = len(model.vocabulary) - len(model.vocabulary.specials)
    if model.vectors is not None and model.given_words_ < words * _FEW:
        few = f"only {model.given_words_:,} of the {words:,} words begin with a vector of {model.vectors}"
        click.echo(f"Warning: {few}; are both cut into words alike?", err=True)
    click.echo(_summary(target, model), err=True)


def _check_used(options: dict[str, Any]) -> None:
    """Refuse an option that was given although nothing would read it."""
    given = click.get_current_context().get_parameter_source
    for name, (other, values) in _ONLY_WITH.items():
        if given(name) is ParameterSource.COMMANDLINE and options[other] not in values:
            option, wanted = f"--{name.replace('_', '-')}", " or ".join(values)
            raise OptionError(f"{option} is for --{other} {wanted}, not {options[other]}; leave it out")
    if given("patience") is ParameterSource.COMMANDLINE and not options["valid"]:
        raise OptionError("--patience waits for a better --valid; name text held back, or leave it out")


def _parameters(kind: type[NeuralLM], options: dict[str, Any]) -> dict[str, Any]:
    """The model's parameters that the options give."""
    by_option = {option.removeprefix("--"): name for name, option in _NAMES.items()}
    given = {by_option.get(name, name): value for name, value in options.items() if name not in _FILES}
    try:
        given["cutoffs"] = tuple(map(int, filter(None, options["cutoffs"].split(","))))
    except ValueError as error:
        raise click.BadParameter(f"{options['cutoffs']!r} must be whole numbers with commas between them") from error
    return given


def _summary(target: Path, model: NeuralLM) -> str:
    last = model.history_[-1]
    scores = [row["score"] for row in model.history_ if row["score"] is not None]
    return (
        f"{target}: {len(model.vocabulary):,} words, trained on {last['examples']:,} words in {last['seconds']:.1f} s "
        f"({last['per_second']:,.0f} words/s), loss {last['loss']:.4f}"
        + (f", validation perplexity {min(scores):.2f}" if scores else "")
    )
