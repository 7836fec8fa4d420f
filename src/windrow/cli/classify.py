"""``windrow classify``: train a classifier of texts, measure it, predict labels."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from windrow.classification.settings import TEXT_CLASSIFIER
from windrow.cli import autotune
from windrow.cli.groups import LazyGroup
from windrow.cli.help import grouped_option
from windrow.cli.logs import json_log, words_bar
from windrow.cli.messages import tell
from windrow.cli.numbers import Number, WholeNumber
from windrow.cli.options import (
    check_parameters,
    check_used,
    flags_of,
    naming_options,
    read_as_sources,
    setting_options,
    sources_argument,
    text_options,
    text_source,
    values_of,
)
from windrow.cli.paths import InputFile, Lines, OutputFile, OutputLog, Source
from windrow.cli.pictures import check_plot, plot_options
from windrow.cli.report import Reporting, report_option
from windrow.cli.saving import save_model
from windrow.cli.summaries import LIKELIHOOD, LOSSES_OF_TEXTS, training_told
from windrow.cli.typed import batches_of_lines, typed_lines, waits_for_answers
from windrow.cli.vector_files import advising_to_convert
from windrow.errors import DataError, OptionError
from windrow.estimator import GIVEN

if TYPE_CHECKING:
    from windrow.classification import TextClassifier
    from windrow.classification.texts import Labelled
    from windrow.evaluation.labels import LabelResult

_FILES = ("format", "field", "delimiter", "errors")
_LABELS = ("label_field", "label_separator")
_CONDITIONS = {"label_field": (("field", GIVEN),), "label_separator": (("label_field", GIVEN),)}
_TEXTS_AT_A_TIME = 1 << 15  # predicted; each different word of them is looked up once
F = TypeVar("F", bound=Callable[..., Any])

_tokenizer = grouped_option(
    "--tokenizer",
    heading="Text",
    metavar="NAME",
    help="As in the training; to be given again where it was MODULE:CALLABLE, which imports that module.",
)


def _label_options(command: F) -> F:
    """Add the options of records that have labels."""
    for decorator in (
        grouped_option(
            "--label-separator",
            heading="Text",
            common=False,
            metavar="CHARS",
            help="What stands between several labels in one field.  [default: a field is one label, or a list]",
        ),
        grouped_option(
            "--label-field",
            heading="Text",
            metavar="NAME",
            help="Where a record has its label or labels.  [default: they stand among the words of the text]",
        ),
    ):
        command = decorator(command)
    return command


@click.group("classify", cls=LazyGroup)
def group() -> None:
    """Labels of texts: train a classifier, measure it, predict labels."""


@group.command(example="windrow classify train train.txt -o reviews.safetensors --size 10 --lr 0.5 --epochs 20")
@sources_argument
@click.option("-o", "--output", required=True, type=OutputFile(), help="File to write.")
@grouped_option(
    "--valid",
    heading="Training",
    metavar="SOURCE",
    type=Source(),
    help="Texts held back, on which the accuracy is measured after training.",
)
@setting_options(TEXT_CLASSIFIER)
@text_options("tokenizer", "lowercase", "language", "normalize", *_FILES)
@_label_options
@autotune.autotune_options
@click.option(
    "--log-json", type=OutputLog(), metavar="LOG", help="Write the learning curve, one JSON object per epoch."
)
@report_option
def train(
    sources: tuple[str, ...],
    output: Path,
    valid: str | None,
    log_json: Path | None,
    report: Path | None,
    **options: Any,
) -> None:
    """Train a classifier on SOURCEs: lines of text with their labels, such as __label__good, among the words.

    With --field SOURCEs are JSONL, CSV or Parquet files, whose labels are in --label-field. A text may have several
    labels, or none.
    """
    from windrow.classification import TextClassifier
    from windrow.embeddings.vectors import load_vectors

    check_used(TEXT_CLASSIFIER, {**_CONDITIONS, **autotune.CONDITIONS})
    reporting = Reporting(report, output)
    model = TextClassifier(**values_of(TEXT_CLASSIFIER, options))
    check_parameters(model, flags_of(TEXT_CLASSIFIER))  # before anything is read
    if options["vectors"] is not None:
        with advising_to_convert():
            model.set_params(vectors=load_vectors(options["vectors"]))
    labelled = _labelled(model, sources, options)
    with read_as_sources("--valid"):
        held_back = None if valid is None else _labelled(model, (valid,), options)
    tuned_on = options["autotune_validation"]
    with read_as_sources("--autotune-validation"):
        tried_on = None if tuned_on is None else _labelled(model, (tuned_on,), options)
    with ExitStack() as stack:
        if log_json:
            model.set_params(callbacks=[stack.enter_context(json_log(log_json, append=False))])
        if tried_on is None:
            show = reporting.following(stack.enter_context(words_bar(unit="texts")))
            stack.enter_context(naming_options(flags_of(TEXT_CLASSIFIER)))
            model.fit(labelled, progress=show)
        else:
            _search(model, labelled, tried_on, options, output)
    save_model(model, output)
    given = f" (with given vectors: {model.given_words_:,})" if model.given_words_ else ""
    judged = "" if held_back is None else f"; accuracy {model.evaluate(held_back).accuracy:.4f} on {valid}"
    tell(
        f"{output}: {len(model.classes_):,} labels, {len(model.features_):,} features{given}; "
        f"{training_told(model.history_, 'text', LOSSES_OF_TEXTS.get(model.loss, LIKELIHOOD))}{judged}"
    )
    reporting.write(model, valid=lambda: held_back)


def _search(model: TextClassifier, texts: Labelled, held_back: Labelled, options: dict[str, Any], output: Path) -> None:
    try:
        autotune.search(model, texts, held_back, options)
    except KeyboardInterrupt as error:
        if not hasattr(model, "history_"):
            raise
        save_model(model, output)
        raise KeyboardInterrupt(f"{error}; it is written to {output}") from error


@group.command(example="windrow classify evaluate reviews.safetensors test.ft")
@click.argument("model", type=InputFile())
@sources_argument
@click.option(
    "-k", "--top", "k", default=1, type=WholeNumber(1), show_default=True, help="Labels predicted for each text."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@plot_options("which label is taken for which")
@_tokenizer
@text_options(*_FILES)
@_label_options
def evaluate(
    model: str,
    sources: tuple[str, ...],
    k: int,
    as_json: bool,
    plot: Path | None,
    theme: str,
    tokenizer: str | None,
    **options: Any,
) -> None:
    """Accuracy of MODEL on SOURCEs, given as for train; precision, recall and F1 of its k likeliest labels.

    The accuracy is the share of texts whose likeliest label is among their own. A label that MODEL has not learned
    counts as missed; texts without a label are left out. MODEL may be a classifier of fastText, .bin or .ftz.
    """
    from windrow.classification.texts import Labelled
    from windrow.corpus.tables import listed

    check_used(conditions=_CONDITIONS)
    check_plot(plot)
    classifier = _load(model, tokenizer)
    texts, labels = _labelled(classifier, sources, options)
    own = {str(label): label for label in classifier.classes_.tolist()}  # which may be numbers
    learned = [own.get(label, label) for label in labels.words]
    if unknown := sorted(set(labels.words) - set(own)):
        if len(unknown) == len(labels.words):
            raise DataError(f"{model} has learned none of the labels {listed(unknown)}; it knows {listed(sorted(own))}")
        tell(f"Warning: {model} has not learned {listed(unknown)}: counted as missed")
    labelled = Labelled(texts, replace(labels, words=learned))
    result = classifier.evaluate(labelled, k=k)
    if plot is not None:
        from windrow.viz import plot_confusion

        plot_confusion(*classifier.true_and_predicted(labelled), plot, theme=theme)
    click.echo(json.dumps(result.to_json()) if as_json else _table(result))


def _table(result: LabelResult) -> str:
    rows = {**{str(label): score for label, score in result.labels.items()}, "all": result.overall}
    width = max(map(len, [*rows, "accuracy"]))
    lines = [f"{'':{width}}  precision  recall      F1  examples"]
    lines += [
        f"{name:{width}}  {one.precision:9.4f}  {one.recall:6.4f}  {one.f1:6.4f}  {one.gold:8d}"
        for name, one in rows.items()
    ]
    return "\n".join([*lines, f"{'accuracy':{width}}  {result.accuracy:9.4f}  of {result.examples:,} texts"])


@group.command(example="echo 'a fine film' | windrow classify predict reviews.safetensors --probabilities")
@click.argument("model", type=InputFile())
@click.argument("source", default="-", type=Lines())
@click.option("-k", "--top", "k", type=WholeNumber(1), help="Labels per text.  [default: 1; with --probabilities all]")
@click.option(
    "--threshold",
    default=0.0,
    type=Number(0, 1),
    show_default=True,
    help="Leave out labels whose probability is lower.",
)
@click.option("--probabilities", is_flag=True, help="All labels of the model, the likeliest first.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per text: it, its labels and probabilities.")
@_tokenizer
@text_options(*_FILES)
def predict(
    model: str,
    source: str,
    k: int | None,
    threshold: float,
    probabilities: bool,
    as_json: bool,
    tokenizer: str | None,
    **files: Any,
) -> None:
    """Predict the labels of SOURCE (file, - for standard input): a text in, a line out.

    A line has each label and its probability, the likeliest first, with tabs between them; with --threshold it may be
    empty. Labels among the words of a text, as train takes them, are left out. A text without a word that MODEL knows
    is answered as an empty one, with a warning. A line that comes through a pipe is answered at once. MODEL may be a
    classifier of fastText, .bin or .ftz.
    """
    from windrow.classification.texts import read_unlabelled

    if model == source == "-":
        raise OptionError("standard input, '-', cannot be both MODEL and SOURCE; name a file for one of them")
    classifier = _load(model, tokenizer)
    k = k or (len(classifier.classes_) if probabilities else 1)
    is_live = files["field"] is None and waits_for_answers(source)
    before = 0
    for batch in batches_of_lines(_texts(source, files, is_live=is_live), len, waits=is_live, most=_TEXTS_AT_A_TIME):
        words = read_unlabelled(batch, classifier.reader, classifier.label_prefix)
        for place in (~classifier.features_.are_known(words)).nonzero()[0]:
            where = f"{'text' if files['field'] else 'line'} {before + place + 1:,}"
            tell(f"Warning: {where}: no word of it is known; its labels are those of an empty text")
        before += len(batch)
        found = classifier.top_labels(words, k, threshold)
        rows = map(_as_json, batch, found) if as_json else map(_as_row, found)
        click.echo("\n".join(rows))


def _texts(source: str, files: dict[str, Any], *, is_live: bool) -> Iterator[str | list[str]]:
    from windrow.corpus.sources import file_format, read_records
    from windrow.corpus.streams import Meter, lines, name_of, text_pieces

    errors = files["errors"]
    if file_format(source, **files) != "text":
        return (text for text, _ in read_records(source, **files))
    if is_live:
        return typed_lines(errors)
    return lines(text_pieces(source, errors, Meter(None, None)), name_of(source))


@group.command(example="windrow classify convert reviews.safetensors small.safetensors --quantize 8")
@click.argument("source", metavar="MODEL", type=InputFile())
@click.argument("target", metavar="OUT", type=OutputFile())
@click.option(
    "--cutoff", type=WholeNumber(1), metavar="N", help="Keep the N words and n-grams with the longest vectors."
)
@click.option("--quantize", type=WholeNumber(8, 8), metavar="BITS", help="8: vectors of 8 bits; a third of the size.")
def convert(source: str, target: Path, cutoff: int | None, quantize: int | None) -> None:
    """Make a smaller classifier of MODEL, or windrow's file of one of fastText's (.bin, .ftz).

    What a cut-off leaves out counts nothing; `classify train --cutoff N --retrain` trains the others once more.
    """
    model = _load(source, None)
    if cutoff is not None:
        model = model.shrunk(cutoff)
    if quantize is not None:
        model = model.quantized(quantize)
    save_model(model, target)
    tell(f"{target}: {len(model.classes_):,} labels, {len(model.features_):,} features")


def _as_row(labels: list[tuple[Any, float]]) -> str:
    return "\t".join([f"{label}\t{probability:.6f}" for label, probability in labels])


def _as_json(text: str | list[str], labels: list[tuple[Any, float]]) -> str:
    given = text.removesuffix("\n") if isinstance(text, str) else text
    found = [{"label": str(label), "probability": probability} for label, probability in labels]
    return json.dumps({"text": given, "labels": found})


def _load(path: str, tokenizer: str | None) -> TextClassifier:
    """The model, with a tokenizer that is given for the one of its training."""
    from windrow.classification import TextClassifier

    model = TextClassifier.load(path)
    if tokenizer is not None:
        model.reader = model.reader.changed(tokenizer=tokenizer)
    return model


def _labelled(model: TextClassifier, sources: tuple[str, ...], options: dict[str, Any]) -> Labelled:
    """The texts of SOURCEs, and their labels."""
    from windrow.classification.texts import read_files

    reader = getattr(model, "reader", None) or model.new_reader()
    given = {name: options[name] for name in (*_FILES, *_LABELS)}
    return read_files(text_source(sources), reader, model.label_prefix, **given)
