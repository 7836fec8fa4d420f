"""``windrow vectors train``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from windrow.cli.groups import command
from windrow.cli.help import grouped_option
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
from windrow.cli.paths import (
    InputFile,
    OutputFile,
    OutputLog,
    OutputVectors,
    checkpoint_beside,
    checkpoint_of,
    words_read,
    words_written,
)
from windrow.cli.ray_cluster import Cluster, ray_cluster, ray_options
from windrow.cli.recipe import blended_with_counts, check_recipe, train_larger
from windrow.cli.report import Reporting, report_option
from windrow.cli.saving import save_trained, save_word_vectors
from windrow.cli.summaries import LOSSES_OF_VECTORS, hint_for_few_words, training_told
from windrow.cli.vector_files import VECTORS_OUTPUT, advising_to_convert, save_fasttext
from windrow.embeddings.settings import FAVORS, RECIPES, WORD2VEC
from windrow.errors import OptionError
from windrow.estimator import GIVEN, Condition

if TYPE_CHECKING:
    from windrow.corpus import Corpus
    from windrow.distributed import Workers
    from windrow.embeddings import Word2Vec, WordVectors

_LOG_LINES = 200  # per run, besides one per epoch
_WORKERS = next(setting for setting in WORD2VEC if setting.name == "workers")
_TO_FASTTEXT = "windrow vectors convert --to fasttext"
_CONDITIONS: dict[str, tuple[Condition, ...]] = {
    "favor": (("recipe", GIVEN),),
    "vectors": (("continue_from", (None,)),),
    "workers": (("ray", (None,)),),
}
_MODELS = {"sg": ("model", {1: "skipgram", 0: "cbow"})}


@command(example="windrow vectors train toyland/train.txt -o toy.safetensors --min-count 1 --epochs 15 --alpha 0.05")
@sources_argument
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    type=OutputVectors(checkpoint_beside, words_written, stdout=True),
    help=VECTORS_OUTPUT,
)
@grouped_option(
    "--model",
    heading="Model",
    default="skipgram",
    show_default=True,
    type=click.Choice(["skipgram", "cbow"]),
    help="skipgram predicts context words from a word, cbow a word from its context.",
)
@setting_options(
    WORD2VEC,
    _MODELS,
    loss={"default": "ns", "show_default": True},
    window_weighting={"default": "shrink", "show_default": True},
)
@grouped_option(
    "--continue-from",
    heading="Training",
    common=False,
    type=InputFile(),
    metavar="FILE",
    help="Go on from what --keep-training-state or fastText wrote: words, tables, and options that are not given here.",
)
@grouped_option(
    "--vectors",
    heading="Training",
    common=False,
    type=InputFile(words_read),
    metavar="FILE",
    help="Vectors to start from, for the words that are among them.",
)
@grouped_option(
    "--recipe",
    heading="Model",
    type=click.Choice(RECIPES),
    help="blend: also count what stands near what, and blend these vectors with the trained ones.",
)
@grouped_option(
    "--favor",
    heading="Model",
    common=False,
    type=click.Choice(FAVORS),
    help="Of --recipe: what to be best at, at some cost to strict similarity.",
)
@grouped_option(
    "--frozen",
    heading="Training",
    common=False,
    is_flag=True,
    help="Leave the vectors of --vectors or --continue-from as they are.",
)
@grouped_option(
    "--keep-training-state",
    heading="Output",
    common=False,
    is_flag=True,
    help="Write also what --continue-from needs. Only .safetensors, twice as large; .fasttext has it anyway.",
)
@grouped_option(
    "--workers",
    heading="Training",
    type=number_of(_WORKERS),
    help="Threads.  [default: one per core that this process may use]",
)
@grouped_option(
    "--checkpoint-every",
    heading="Training",
    common=False,
    type=Number(0),
    metavar="SECONDS",
    help="Keep the state in FILE.checkpoint so often; 0: never, nor on Ctrl-C.  [default: on Ctrl-C]",
)
@grouped_option("--resume", heading="Training", is_flag=True, help="Go on from FILE.checkpoint; a finished FILE stays.")
@grouped_option(
    "--log-json", heading="Output", type=OutputLog(), help="Write the learning curve, one JSON object per line."
)
@report_option
@grouped_option(
    "--save-vocab",
    heading="Output",
    common=False,
    metavar="FILE",
    type=OutputFile(),
    help="Write the words that are trained, with their counts.",
)
@grouped_option(
    "--read-vocab",
    heading="Text",
    common=False,
    metavar="FILE",
    type=InputFile(),
    help="Train these words, no others: a word and its count per line, as --save-vocab and word2vec write them.",
)
@text_options()
@ray_options
def train(
    sources: tuple[str, ...],
    output: Path,
    model: str,
    workers: int | None,
    save_vocab: Path | None,
    read_vocab: str | None,
    **options: Any,
) -> None:
    """Train word vectors on SOURCEs: text (file, folder, glob, URL, -) or one folder made by `corpus build`.
    Ctrl-C keeps the state in FILE.checkpoint, from which --resume goes on. FILE - is word2vec's text.
    """
    from windrow.embeddings.formats import check_target
    from windrow.files.writing import remove_written

    params = click.get_current_context().params
    continued = None if options["continue_from"] is None else _continued(options["continue_from"])
    vectors = None if options["vectors"] is None else _with_their_size(options["vectors"])
    model, options = params["model"], {name: params[name] for name in options}
    check_used(WORD2VEC, _CONDITIONS, _MODELS)
    check_recipe(options)
    if options["frozen"] and continued is None and vectors is None:
        raise OptionError("--frozen is for --vectors or --continue-from; give one of them, too")
    if options["keep_training_state"]:
        _check_kept_state(output)
    every = options["checkpoint_every"]
    checkpoint = _checkpoint_beside(output, options["resume"] or bool(every))
    check_target(output)
    report = Reporting(options["report"], output)
    resume = checkpoint is not None and check_checkpoint(checkpoint, options["resume"], output)
    estimator = _estimator(continued, model, workers, options)
    check_parameters(estimator, flags_of(WORD2VEC))  # before the text is read
    with naming_options(flags_of(WORD2VEC)):
        estimator.check_start(continued, vectors)
    with ExitStack() as stack:
        cluster = stack.enter_context(ray_cluster(options))
        stack.enter_context(cluster.connected())
        corpus = _open_corpus(sources, read_vocab, cluster.workers, text_of(options))
        train_larger(estimator, corpus, options)
        if options["log_json"]:
            write = stack.enter_context(json_log(options["log_json"], append=resume))
            estimator.set_params(callbacks=[write], report_words=max(1, corpus.tokens * estimator.epochs // _LOG_LINES))
        show = report.following(stack.enter_context(words_bar(corpus.tokens * estimator.epochs)))
        with _interrupts_told(checkpoint, every), naming_options(flags_of(WORD2VEC)):
            estimator.fit(
                corpus,
                continue_from=continued,
                vectors=vectors,
                frozen=options["frozen"],
                checkpoint=checkpoint,
                checkpoint_every=None if checkpoint is None else every,
                resume=resume,
                keep_checkpoint=checkpoint is not None,
                progress=show,
                ray=cluster.workers,
            )
        blended = blended_with_counts(estimator, corpus, options, None if every == 0 else checkpoint, cluster.workers)
    _save(estimator, output, with_state=options["keep_training_state"], word_counts=save_vocab, blended=blended)
    if checkpoint is not None:
        remove_written(checkpoint)  # not before: a process killed while it writes goes on from there
    _summarize(estimator, options["vector_size"], output, cluster)
    fitting = {**{name: options[name] for name in ("continue_from", "vectors")}, "frozen": options["frozen"] or None}
    report.write(estimator, reading=text_of(options), fitting=fitting)


def _estimator(continued: Word2Vec | None, model: str, workers: int | None, options: Mapping[str, Any]) -> Word2Vec:
    """What will be trained, with the parameters of what is continued unless options say otherwise."""
    from windrow.embeddings import Word2Vec
    from windrow.machine import available_cores

    parameters = {} if continued is None else continued.get_params()
    chosen = {"sg": int(model == "skipgram"), "workers": available_cores() if workers is None else workers}
    return Word2Vec(**{**parameters, **chosen, **values_of(WORD2VEC, options)})


@contextmanager
def _interrupts_told(checkpoint: Path | None, every: float | None) -> Iterator[None]:
    """Within, an interrupt says what is left of a training; a checkpoint of one that diverged goes."""
    from windrow.files.writing import remove_written
    from windrow.nn.training.stopping import DivergedError

    try:
        yield
    except DivergedError:
        if checkpoint is not None:
            remove_written(checkpoint)  # from there it would only diverge again
        raise
    except KeyboardInterrupt as error:
        if checkpoint is not None and every != 0:
            raise
        raise KeyboardInterrupt(f"{str(error).partition(';')[0]}; nothing was written") from error


def _hint_at_epochs(model: Word2Vec) -> None:
    """Tell of more epochs for a small text, unless their number was chosen or is that of a model to continue."""
    source = click.get_current_context().get_parameter_source
    if not any(source(name) is ParameterSource.COMMANDLINE for name in ("epochs", "continue_from", "vectors")):
        last = model.history_[-1]
        if hint := hint_for_few_words(last["examples"] // last["epoch"], last["epoch"]):
            tell(hint)


def _summarize(model: Word2Vec, size: int, output: Path, cluster: Cluster) -> None:
    from windrow.files.compression import output_name

    idle, epochs = sum(not row["loss"] for row in model.history_), len(model.history_)
    if epochs // 2 < idle < epochs:  # of all epochs the estimator warns
        tell(f"Warning: no word was trained on in {idle} of {epochs} epochs: all were sub-sampled; try --sample 0")
    trained = training_told(model.history_, "word", LOSSES_OF_VECTORS["+".join(model.layer_names())])
    tell(f"{output_name(output)}: {len(model.wv):,} words of {size} dimensions; {trained}")
    cluster.tell(int(model.history_[-1]["examples"]))
    _hint_at_epochs(model)


def _continued(file: str) -> Word2Vec:
    """The model to continue from; options that were not given become those of its training, and of its text."""
    from windrow.embeddings import Word2Vec
    from windrow.lm.storing import text_settings_of

    model = Word2Vec.load(file)
    # hs and shrink_windows are no options of the command line, which has other names for what they choose.
    model.set_params(loss="+".join(model.layer_names()), hs=0)
    model.set_params(window_weighting=model.weighting(), shrink_windows=True)
    as_trained = {**model.get_params(), "model": _MODELS["sg"][1][model.sg], **text_settings_of(model.wv.provenance)}
    del as_trained["workers"]
    _take_unless_given(as_trained)
    return model


def _with_their_size(file: str) -> WordVectors:
    """The vectors to start from; if no size was given, it becomes theirs."""
    from windrow.embeddings import WordVectors
    from windrow.embeddings.subwords import NGRAM_SIZES

    with advising_to_convert():
        vectors = WordVectors.load(file)
    sizes: dict[str, int] = {}
    if vectors.ngrams is not None and click.get_current_context().params["subwords"]:
        sizes = dict(zip(NGRAM_SIZES, vectors.ngrams.subwords.sizes, strict=True))
    _take_unless_given({"vector_size": vectors.vector_size, **sizes})
    return vectors


def _take_unless_given(values: Mapping[str, Any]) -> None:
    """Let options have these values, by the names of their parameters, but for those on the command line."""
    context = click.get_current_context()
    for name in context.params.keys() & values.keys():
        if context.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            context.params[name] = values[name]


def _save(
    model: Word2Vec, output: Path, *, with_state: bool, word_counts: Path | None, blended: WordVectors | None
) -> None:
    """Write what was trained, and the words with their counts if they are asked for."""
    from windrow.corpus import Vocabulary
    from windrow.corpus.word_counts import write_word_counts
    from windrow.embeddings.formats import format_of

    vectors = model.wv
    if word_counts is not None and vectors.counts is not None:
        write_word_counts(Vocabulary(vectors.index_to_key, vectors.counts), word_counts)
    if blended is not None:
        save_word_vectors(blended, output)
    elif format_of(output) == "fasttext":
        save_trained(output, partial(save_fasttext, model), "vectors are", keep=model.save, convert=_TO_FASTTEXT)
    elif with_state:
        save_trained(output, model.save, "vectors are")
    else:
        save_word_vectors(vectors, output)


def _open_corpus(
    sources: tuple[str, ...], read_vocab: str | None, workers: Workers | None, text: dict[str, Any]
) -> Corpus:
    from windrow.corpus.word_counts import read_word_counts
    from windrow.files.corpus_folder import is_corpus

    if read_vocab is None:
        return open_corpus(*sources, ray=workers, **text)
    if len(sources) == 1 and sources[0] and is_corpus(sources[0]):
        raise OptionError(f"--read-vocab is for text; {sources[0]} is a corpus, its words are fixed: build another one")
    if "-" == read_vocab in sources:
        raise OptionError("standard input, '-', cannot be both SOURCE and --read-vocab; name a file for one of them")
    return open_corpus(*sources, ray=workers, **text, vocabulary=read_word_counts(read_vocab))


def _check_kept_state(output: Path) -> None:
    """Raise OptionError where the state of the training cannot be kept."""
    from windrow.embeddings.formats import extension_of

    if extension_of(output) not in ("safetensors", "fasttext"):
        raise OptionError(
            f"{output}: only windrow's own format and fastText's hold the training state; name a .safetensors file"
        )


def _checkpoint_beside(output: Path, is_asked_for: bool) -> Path | None:
    """Where the state is kept; None beside standard output."""
    from windrow.files.writing import STDIO

    if str(output) != STDIO:
        return checkpoint_of(output)
    if is_asked_for:
        raise OptionError("--checkpoint-every and --resume are for a file, where the state is kept, too; give -o FILE")
    return None
