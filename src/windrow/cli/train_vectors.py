"""``windrow vectors train``."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from windrow.cli.options import (
    check_checkpoint,
    check_distinct,
    check_parameters,
    json_log,
    open_corpus,
    text_options,
    words_bar,
)
from windrow.embeddings.steps import LOSSES
from windrow.errors import OptionError, WindrowError

_LOG_LINES = 200  # a run, besides one an epoch
_OPTIONS = {"vector_size": "--size", "max_final_vocab": "--max-vocab"}  # that are not called as the parameter is
_TEXT = ("tokenizer", "lowercase", "format", "field", "errors")


@click.command()
@click.argument("source")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="File to write; its extension chooses the format (.safetensors .txt .vec .bin .glove .tsv .npy).",
)
@click.option("--model", default="skipgram", show_default=True, type=click.Choice(["skipgram", "cbow"]))
@click.option("--size", default=100, show_default=True, help="Numbers a vector.")
@click.option("--window", default=5, show_default=True, help="Words to each side of the center word.")
@click.option(
    "--window-weighting",
    default="shrink",
    show_default=True,
    type=click.Choice(["shrink", "linear", "harmonic", "none"]),
    help="What a distant word counts.",
)
@click.option(
    "--loss",
    default="ns",
    show_default=True,
    type=click.Choice(LOSSES),
    help="Negative sampling, hierarchical softmax, exact softmax, or the first two together.",
)
@click.option("--negative", default=5, show_default=True, help="Noise words a pair.")
@click.option("--ns-exponent", default=0.75, show_default=True, help="Noise words are drawn from counts to this power.")
@click.option("--sample", default=1e-3, show_default=True, help="Sub-sampling threshold of frequent words; 0: none.")
@click.option("--alpha", default=0.025, show_default=True, help="Learning rate at the start.")
@click.option("--min-alpha", default=1e-4, show_default=True, help="Learning rate at the end.")
@click.option("--epochs", default=5, show_default=True)
@click.option("--min-count", default=5, show_default=True, help="Leave out rarer words.")
@click.option("--max-vocab", type=int, help="Keep only the most frequent words.")
@click.option("--workers", type=int, help="Threads.  [default: one a core]")
@click.option("--seed", default=1, show_default=True)
@click.option(
    "--kernel",
    default="block",
    show_default=True,
    type=click.Choice(["block", "pair"]),
    help="Blocks that share noise words, or update by update as word2vec.c and gensim.",
)
@click.option(
    "--deterministic", is_flag=True, help="Equal vectors for an equal seed and number of workers; a little slower."
)
@click.option("--cbow-mean/--cbow-sum", default=True, help="CBOW: the mean of the window, or its sum.  [default: mean]")
@click.option("--checkpoint-every", type=float, metavar="SECONDS", help="Keep the state in OUTPUT.checkpoint.")
@click.option("--resume", is_flag=True, help="Go on from OUTPUT.checkpoint, if it is there.")
@click.option("--log-json", type=click.Path(path_type=Path), help="Write the learning curve, a JSON object a line.")
@text_options
def train(source: str, output: Path, workers: int | None, **options: Any) -> None:
    """Train word vectors on SOURCE: text (file, folder, glob, URL, - ) or a folder made by `corpus build`.

    Ctrl-C keeps the state in OUTPUT.checkpoint; the same command with --resume goes on from there.
    """
    from windrow.embeddings import Word2Vec
    from windrow.embeddings.formats import check_target
    from windrow.embeddings.vectors import save_vectors
    from windrow.files.model_file import check_writable

    checkpoint = output.with_name(output.name + ".checkpoint")
    places = [output, checkpoint, *([options["log_json"]] if options["log_json"] else [])]
    check_target(output)
    for place in places[1:]:
        check_writable(place)
    check_distinct([Path(source), *places])
    every = options["checkpoint_every"]
    if every is not None and not every > 0:
        raise OptionError(f"--checkpoint-every {every:g} is out of range; the allowed range is above 0 seconds")
    check_checkpoint(checkpoint, options["resume"])
    model = Word2Vec(
        vector_size=options["size"],
        alpha=options["alpha"],
        window=options["window"],
        min_count=options["min_count"],
        max_final_vocab=options["max_vocab"],
        sample=options["sample"],
        seed=options["seed"],
        workers=os.cpu_count() or 1 if workers is None else workers,
        min_alpha=options["min_alpha"],
        sg=int(options["model"] == "skipgram"),
        negative=options["negative"],
        ns_exponent=options["ns_exponent"],
        cbow_mean=int(options["cbow_mean"]),
        epochs=options["epochs"],
        window_weighting=options["window_weighting"],
        loss=options["loss"],
        kernel=options["kernel"],
        deterministic=options["deterministic"],
    )
    check_parameters(model, _OPTIONS)  # before the text is read
    corpus = open_corpus(source, **{name: options[name] for name in _TEXT})
    with ExitStack() as stack:
        if options["log_json"]:
            write = stack.enter_context(json_log(options["log_json"], append=options["resume"]))
            model.set_params(callbacks=[write], report_words=max(1, corpus.tokens * model.epochs // _LOG_LINES))
        show = stack.enter_context(words_bar(corpus.tokens * model.epochs))
        model.fit(
            corpus,
            checkpoint=checkpoint,
            checkpoint_every=every,
            resume=options["resume"],
            keep_checkpoint=True,
            progress=show,
        )
    try:
        save_vectors(model.wv, output)
    except (WindrowError, MemoryError, KeyboardInterrupt) as error:
        model.save_checkpoint(checkpoint)
        raise type(error)(f"{error}; the trained state is kept in {checkpoint}: --resume writes it") from error
    checkpoint.unlink(missing_ok=True)  # not before: a process killed while it writes goes on from there
    last = model.history_[-1]
    click.echo(
        f"{output}: {len(model.wv):,} words x {model.vector_size}, trained on {last['examples']:,} words in "
        f"{last['seconds']:.1f} s ({last['per_second']:,.0f} words/s), loss {last['loss']:.4f}",
        err=True,
    )
    if last["loss"] == 0:
        click.echo("Warning: no word was trained on: all were sub-sampled or without context; try --sample 0", err=True)
