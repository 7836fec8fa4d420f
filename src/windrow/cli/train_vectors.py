"""``windrow vectors train``."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from windrow.cli.groups import command
from windrow.cli.logs import json_log, words_bar
from windrow.cli.messages import tell
from windrow.cli.numbers import Number, number_of
from windrow.cli.options import (
    check_checkpoint,
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
from windrow.cli.paths import InputFile, OutputFile, OutputLog, checkpoint_beside, checkpoint_of, words_written
from windrow.cli.saving import save_word_vectors
from windrow.embeddings.settings import WORD2VEC
from windrow.errors import OptionError

if TYPE_CHECKING:
    from windrow.corpus import Corpus

_LOG_LINES = 200  # per run, besides one per epoch
_WORKERS = next(setting for setting in WORD2VEC if setting.name == "workers")
_MODELS = {"sg": ("model", {1: "skipgram", 0: "cbow"})}


@command()
@sources_argument
@click.option(
    "-o",
    "--output",
    required=True,
    type=OutputFile(checkpoint_beside, words_written, stdout=True),
    help="File to write; its extension chooses the format (.safetensors .txt .vec .bin .glove .tsv .npy).",
)
@click.option("--model", default="skipgram", show_default=True, type=click.Choice(["skipgram", "cbow"]))
@setting_options(
    WORD2VEC,
    _MODELS,
    loss={"default": "ns", "show_default": True},
    window_weighting={"default": "shrink", "show_default": True},
)
@click.option("--workers", type=number_of(_WORKERS), help="Threads.  [default: one per core that this process may use]")
@click.option(
    "--checkpoint-every",
    type=Number(0),
    metavar="SECONDS",
    help="Keep the state in OUTPUT.checkpoint so often; 0: never, nor on Ctrl-C.  [default: on Ctrl-C]",
)
@click.option("--resume", is_flag=True, help="Go on from OUTPUT.checkpoint; a finished OUTPUT stays.")
@click.option("--log-json", type=OutputLog(), help="Write the learning curve, a JSON object a line.")
@click.option(
    "--save-vocab", metavar="FILE", type=OutputFile(), help="Write the words that are trained, with their counts."
)
@click.option(
    "--read-vocab",
    metavar="FILE",
    type=InputFile(),
    help="Train these words, no others: a word and its count per line, as --save-vocab and word2vec write them.",
)
@text_options()
def train(
    sources: tuple[str, ...],
    output: Path,
    model: str,
    workers: int | None,
    save_vocab: Path | None,
    read_vocab: str | None,
    **options: Any,
) -> None:
    """Train word vectors on SOURCEs: text (file, folder, glob, URL, - ) or one folder made by `corpus build`.

    Ctrl-C keeps the state in OUTPUT.checkpoint; the same command with --resume goes on from there. OUTPUT - is
    word2vec's text on standard output.
    """
    from windrow.corpus.word_counts import write_word_counts
    from windrow.embeddings import Word2Vec
    from windrow.embeddings.formats import check_target
    from windrow.files.compression import output_name
    from windrow.files.writing import remove_written
    from windrow.machine import available_cores
    from windrow.nn.training.stopping import DivergedError

    check_used(WORD2VEC, aliases=_MODELS)
    every = options["checkpoint_every"]
    checkpoint = _checkpoint_beside(output, options["resume"] or bool(every))
    check_target(output)
    resume = checkpoint is not None and check_checkpoint(checkpoint, options["resume"], output)
    estimator = Word2Vec(
        sg=int(model == "skipgram"),
        workers=available_cores() if workers is None else workers,
        **values_of(WORD2VEC, options),
    )
    check_parameters(estimator, flags_of(WORD2VEC))  # before the text is read
    corpus = _open_corpus(sources, read_vocab, text_of(options))
    if save_vocab is not None:
        write_word_counts(estimator.frequent_words(corpus), save_vocab)
    with ExitStack() as stack:
        if options["log_json"]:
            write = stack.enter_context(json_log(options["log_json"], append=resume))
            estimator.set_params(callbacks=[write], report_words=max(1, corpus.tokens * estimator.epochs // _LOG_LINES))
        show = stack.enter_context(words_bar(corpus.tokens * estimator.epochs))
        try:
            with naming_options(flags_of(WORD2VEC)):
                estimator.fit(
                    corpus,
                    checkpoint=checkpoint,
                    checkpoint_every=None if checkpoint is None else every,
                    resume=resume,
                    keep_checkpoint=checkpoint is not None,
                    progress=show,
                )
        except DivergedError:
            if checkpoint is not None:
                remove_written(checkpoint)  # from there it would only diverge again
            raise
        except KeyboardInterrupt as error:
            if checkpoint is not None and every != 0:
                raise
            raise KeyboardInterrupt(f"{str(error).partition(';')[0]}; nothing was written") from error
    save_word_vectors(estimator.wv, output)
    if checkpoint is not None:
        remove_written(checkpoint)  # not before: a process killed while it writes goes on from there
    last = estimator.history_[-1]
    tell(
        f"{output_name(output)}: {len(estimator.wv):,} words x {estimator.vector_size}, trained on "
        f"{last['examples']:,} words in {last['seconds']:.1f} s ({last['per_second']:,.0f} words/s), "
        f"loss {last['loss']:.4f}"
    )


def _open_corpus(sources: tuple[str, ...], read_vocab: str | None, text: dict[str, Any]) -> Corpus:
    from windrow.corpus.sources import is_corpus
    from windrow.corpus.word_counts import read_word_counts

    if read_vocab is None:
        return open_corpus(*sources, **text)
    if len(sources) == 1 and sources[0] and is_corpus(sources[0]):
        raise OptionError(f"--read-vocab is for text; {sources[0]} is a corpus, its words are fixed: build another one")
    if "-" == read_vocab in sources:
        raise OptionError("standard input, '-', cannot be both SOURCE and --read-vocab; name a file for one of them")
    return open_corpus(*sources, **text, vocabulary=read_word_counts(read_vocab))


def _checkpoint_beside(output: Path, is_asked_for: bool) -> Path | None:
    """Where the state is kept; None beside standard output."""
    from windrow.files.writing import STDIO

    if str(output) != STDIO:
        return checkpoint_of(output)
    if is_asked_for:
        raise OptionError("--checkpoint-every and --resume are for a file, where the state is kept, too; give -o FILE")
    return None
