"""``windrow lm train window``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from windrow.cli.options import open_corpus, text_options
from windrow.errors import DataError, OptionError
from windrow.lm.heads import HEADS

if TYPE_CHECKING:
    from windrow.lm.window import WindowLM
    from windrow.lm.window_training import Report

_TEXT = ("tokenizer", "lowercase", "format", "field", "errors")
_OPTIONS = {  # that are not called as the parameter is
    "embedding_size": "--embedding",
    "hidden_size": "--hidden",
    "learning_rate": "--lr",
}
_OPTIMIZERS = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam"]


@click.command("window")
@click.argument("source")
@click.option("-o", "target", required=True, metavar="FILE", type=click.Path(path_type=Path), help="File to write.")
@click.option("--order", default=5, show_default=True, help="Words in the window, the predicted one included.")
@click.option("--embedding", default=60, show_default=True, help="Numbers a word vector.")
@click.option("--hidden", default=100, show_default=True, help="Numbers in the hidden layer.")
@click.option("--output", default="softmax", show_default=True, type=click.Choice([*HEADS]), help="The output layer.")
@click.option("--direct", is_flag=True, help="The output layer also sees the word vectors.")
@click.option("--tied", is_flag=True, help="The output layer shares the word vectors (--embedding equals --hidden).")
@click.option("--vectors", type=click.Path(path_type=Path), metavar="FILE", help="Word vectors to begin with.")
@click.option("--valid", metavar="SOURCE", help="Text held back: the best epoch on it is kept.")
@click.option("--epochs", default=5, show_default=True)
@click.option("--batch", default=512, show_default=True, help="Words a step.")
@click.option("--lr", type=float, help="Learning rate, of the mean loss.  [default: the optimiser's own]")
@click.option("--optimizer", default="adam", show_default=True, type=click.Choice(_OPTIMIZERS))
@click.option("--momentum", default=0.9, show_default=True, help="For momentum and nesterov.")
@click.option(
    "--schedule",
    default="linear",
    show_default=True,
    type=click.Choice(["linear", "constant", "step", "exponential", "inverse", "plateau"]),
    help="How the learning rate falls: to 0 by the last epoch, or as in windrow.nn; plateau: by --valid.",
)
@click.option("--dropout", default=0.0, show_default=True)
@click.option("--l2", default=0.0, show_default=True, help="Weight decay.")
@click.option("--clip", type=float, help="Longest gradient.")
@click.option("--patience", default=3, show_default=True, help="Epochs without a better --valid before it stops.")
@click.option(
    "--objective",
    default="nce",
    show_default=True,
    type=click.Choice(["nce", "sampled-softmax"]),
    help="What --output nce trains.",
)
@click.option("--noise-words", default=1024, show_default=True, help="Noise words a step.")
@click.option("--noise-power", default=1.0, show_default=True, help="They are drawn from counts to this power.")
@click.option("--min-count", default=1, show_default=True, help="Rarer words become <unk>.")
@click.option("--max-vocab", type=int, help="Keep the most frequent words; the others become <unk>.")
@click.option("--skip-symbols", is_flag=True, help="Leave out <s> and </s> that stand in the text.")
@click.option("--seed", default=1, show_default=True)
@click.option("--workers", type=int, help="Threads.  [default: one a core]")
@click.option("--resume", is_flag=True, help="Go on from FILE.checkpoint, which keeps the state after every epoch.")
@click.option("--log-json", type=click.Path(path_type=Path), help="Write the learning curve, a JSON object an epoch.")
@text_options
def train_window(source: str, target: Path, **options: Any) -> None:
    """Train a window language model on SOURCE: text (file, folder, glob, URL, - ) or a `corpus build` folder.

    The state is in FILE.checkpoint after every epoch; the same command with --resume goes on from there.
    """
    from windrow.lm.window import WindowLM
    from windrow.storage import check_writable

    checkpoint = target.with_name(target.name + ".checkpoint")
    for place in (target, checkpoint, *([options["log_json"]] if options["log_json"] else [])):
        check_writable(place)
    if checkpoint.exists() and not options["resume"]:
        raise DataError(f"{checkpoint} holds an unfinished training; add --resume to go on, or delete it to start anew")
    model = WindowLM(
        options["order"],
        options["embedding"],
        options["hidden"],
        learning_rate=options["lr"],
        batch_size=options["batch"],
        workers=os.cpu_count() or 1 if options["workers"] is None else options["workers"],
        **{name: options[name] for name in _SAME_NAMES},
    )
    _check_parameters(model)  # before the text is read
    text = {name: options[name] for name in _TEXT}
    corpus = open_corpus(source, **text)
    valid = open_corpus(options["valid"], **text) if options["valid"] else None
    with ExitStack() as stack:
        if options["log_json"]:
            write = stack.enter_context(_json_log(options["log_json"], append=options["resume"]))
            model.set_params(callbacks=[write])
        show = stack.enter_context(_words_bar((corpus.tokens + len(corpus)) * model.epochs))
        model.fit(corpus, valid=valid, checkpoint=checkpoint, resume=options["resume"], progress=show)
    model.save(target)
    checkpoint.unlink(missing_ok=True)
    click.echo(_summary(target, model), err=True)


_SAME_NAMES = (
    "output", "direct", "tied", "vectors", "dropout", "l2", "optimizer", "momentum", "schedule", "epochs", "clip",
    "patience", "min_count", "max_vocab", "skip_symbols", "objective", "noise_words", "noise_power", "seed",
)  # fmt: skip


def _summary(target: Path, model: WindowLM) -> str:
    last = model.history_[-1]
    scores = [row["valid_perplexity"] for row in model.history_ if row["valid_perplexity"] is not None]
    return (
        f"{target}: order {model.order}, {len(model.vocabulary):,} words, trained on {last['words']:,} words in "
        f"{last['seconds']:.1f} s ({last['words_per_second']:,.0f} words/s), loss {last['loss']:.4f}"
        + (f", validation perplexity {min(scores):.2f}" if scores else "")
    )


def _check_parameters(model: WindowLM) -> None:
    """Tell of a parameter out of range by the name of its option."""
    try:
        model.check_parameters()
    except OptionError as error:
        name, equals, rest = str(error).partition(" = ")
        option = _OPTIONS.get(name, f"--{name.replace('_', '-')}")
        raise OptionError(f"{option}{equals}{rest}" if equals else str(error)) from error


@contextmanager
def _json_log(path: Path, append: bool) -> Iterator[Callable[[Report], None]]:
    """Writes a line for each report, at once, so that the log can be watched."""
    try:
        log = path.open("a" if append else "w", encoding="utf-8", buffering=1)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}") from error
    with log:

        def write(report: Report) -> None:
            log.write(json.dumps(report.to_json()) + "\n")

        yield write


@contextmanager
def _words_bar(total_words: int) -> Iterator[Callable[[Report], None]]:
    """A bar on stderr with words a second, the loss and the time left; silent when stderr is no terminal."""
    from tqdm import tqdm

    with tqdm(
        desc="training", total=total_words, unit="words", unit_scale=True, leave=False, disable=None, file=sys.stderr
    ) as bar:

        def show(report: Report) -> None:
            bar.set_postfix(epoch=report.epoch, loss=f"{report.loss:.3f}", refresh=False)
            bar.update(report.words - bar.n)

        yield show
