"""The page about a model: how it was made, from which text, how it learned, how good it is, what it answers."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from windrow import models
from windrow._version import __version__
from windrow.classification.classifier import TextClassifier
from windrow.embeddings.trained import TrainedModel
from windrow.embeddings.vectors import WordVectors
from windrow.errors import DataError, NotFittedError, OptionError
from windrow.files import model_file
from windrow.files.kinds import SHOWN, kind_named, wrong_kind
from windrow.files.sniff import kind_of
from windrow.files.urls import refuse_url_to_write
from windrow.files.writing import atomic_write, check_writable
from windrow.lm.base import LanguageModel
from windrow.lm.neural.base import NeuralLM
from windrow.nn.training.checkpoint import stored_history
from windrow.report import charts, markup
from windrow.report.judged import judged_on
from windrow.report.samples import samples_of
from windrow.report.told import Told, code_of, frequent_words, setting_rows, text_facts
from windrow.tagging.tagger import WindowTagger
from windrow.viz.learning_curve import Record, as_records, read_log, read_norms

_ENDINGS = (".html", ".htm")
_NOTHING = Told()
Log = str | os.PathLike[str] | Iterable[Mapping[str, Any]]


def write_report(model: Any, path: str | os.PathLike[str], *, log: Log | None = None, valid: Any = None) -> None:
    """Write a page about a trained model: one file of HTML that needs nothing else, neither scripts nor the network.

    It has the settings, the training text, the learning curve, scores on text held back, and some answers of the model:
    neighbors of frequent words, texts, the words of each label. It follows the light or dark colors of the reader's
    system, can be printed, and can be read on a telephone.

    Parameters
    ----------
    model : str, os.PathLike, or trained model
        Word vectors, Word2Vec, a language model, a tagger or a text classifier, or its file, which the page then names
        with its size and SHA-256.
    path : str or os.PathLike
        The page to write, .html.
    log : str, os.PathLike, iterable of dict, or None, default None
        The learning curve: a file that ``--log-json`` wrote, or such rows. None: ``history_`` of the model, or what
        its file has; files of word vectors have it only if they keep the training state.
    valid : source or None, default None
        Text held back, as the model's ``evaluate`` takes it; not for word vectors.

    Raises
    ------
    OptionError
        The model is of another kind, or the name does not end in .html.
    NotFittedError
        The model is not trained yet.
    MissingPackageError
        matplotlib is missing.
    FormatError
        The model or the log is malformed.
    DataError
        A file cannot be read or written.

    Examples
    --------
    >>> import windrow
    >>> model = windrow.NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off", "a dog ran off"])
    >>> windrow.write_report(model, "cats.html", valid=["a cat ran off"])
    """
    check_page_path(path)
    file = Path(model) if isinstance(model, str | os.PathLike) else None
    trained = models.load(file) if file is not None else model
    is_kept = file is not None and file.is_file()  # and no pipe, whose bytes are gone
    save_page(page_of(trained, file if is_kept else None, log=log, valid=valid), path)


def check_page_path(path: str | os.PathLike[str]) -> None:
    """Raise OptionError unless the name is that of a page, DataError unless the file could be written."""
    refuse_url_to_write(path)
    if Path(path).suffix.lower() not in _ENDINGS:
        raise OptionError(f"{path}: a report's name must end in .html")
    check_writable(path)


def save_page(page: str, path: str | os.PathLike[str]) -> None:
    """Write a page, whole or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_text(page, "utf-8", errors="replace", newline="\n")


def page_of(model: Any, file: Path | None, *, log: Log | None = None, valid: Any = None, told: Told = _NOTHING) -> str:
    """The page about a model, and about the file that holds it; ``told`` by the command that made it."""
    history = getattr(model, "history_", None)
    networks = (WindowTagger, TextClassifier, NeuralLM)
    if isinstance(model, networks) and history is None:
        raise NotFittedError(f"this {type(model).__name__} is not trained yet; call fit first")
    model = model.wv if isinstance(model, TrainedModel) else model
    if not isinstance(model, WordVectors | LanguageModel | WindowTagger | TextClassifier):
        if file is not None:
            raise wrong_kind(file, kind_named(type(model).__name__), SHOWN)
        raise OptionError(f"a report is about {SHOWN}, not {type(model).__name__}")
    if history is None and file is not None and kind_of(file) == "windrow":  # word vectors with their training state
        history = stored_history(model_file.read_start(file))
    records, norms = _curve(history if log is None else log, file)
    name = "the model" if file is None else file.name
    changed, others = setting_rows(model, told)
    frequent = frequent_words(model)
    return markup.page(
        f"Report on {name}",
        f"{_what(model)} · windrow {__version__}",
        [
            markup.section("How it was made", *_making(model, file, told)),
            markup.section(
                "Text and words",
                markup.beside(
                    markup.facts("of the training", text_facts(model)),
                    markup.table(f"the {len(frequent)} most frequent", frequent, ("", "count")) if frequent else "",
                ),
            ),
            markup.section(
                "Settings",
                markup.table("chosen", changed, ("", "value", "default")) if changed else "",
                markup.details(f"{len(others)} settings that were not chosen", markup.table("", others))
                if others
                else "",
            ),
            markup.section(
                "Learning curve", charts.curves(records, norms, _unit(model)), _epochs(records, _unit(model))
            ),
            markup.section("Time and memory", markup.facts("", {**_time(records, _unit(model)), **told.facts})),
            markup.section("On text held back", *([] if valid is None else judged_on(model, valid))),
            markup.section("Samples", *samples_of(model)),
            markup.section("The file", *([] if file is None else _file(file))),
        ],
        charts.css_variables(),
    )


def _curve(log: Log | None, file: Path | None) -> tuple[list[Record], Sequence[dict[str, Any]]]:
    """The reports of a training, and those of them that have the norms of gradients."""
    if isinstance(log, str | os.PathLike):
        return read_log(log), read_norms(log)
    where = "the log" if file is None else f"the history in {file}"
    rows = [row for row in log or () if isinstance(row, Mapping)]
    return as_records((row, where) for row in rows), []


def _making(model: Any, file: Path | None, told: Told) -> list[str]:
    parts = [markup.code(told.command, "the command")] if told.command else []
    code = code_of(model, "model.safetensors" if file is None else str(file), told)
    parts.append(markup.code(code, "in Python"))
    if told.not_in_code:
        parts.append(markup.paragraph(f"Not in these lines: {', '.join(told.not_in_code)}."))
    return parts


def _what(model: Any) -> str:
    match model:
        case WordVectors():
            return f"{len(model):,} word vectors of {model.vector_size} dimensions"
        case LanguageModel():
            return f"language model, {type(model).__name__}, {model.sizes()['words']:,} words"
        case WindowTagger():
            return f"tagger of {', '.join(model.types_)}"
    return f"text classifier of {len(model.classes_):,} labels"


def _unit(model: Any) -> str:
    """What the examples of its training are."""
    return "tokens" if isinstance(model, WindowTagger) else "texts" if isinstance(model, TextClassifier) else "words"


def _epochs(records: Sequence[Record], unit: str) -> str:
    """The numbers of the curve as a table."""
    ends = [record for record in records if record.event == "epoch"]
    if not ends:
        return ""
    is_judged = any(record.score is not None for record in ends)
    head = [
        "epoch",
        unit,
        f"loss, nats per {unit.removesuffix('s')}",
        *([ends[-1].measure.replace("_", " ")] if is_judged else []),
        "learning rate",
    ]
    rows = [
        [number, int(one.examples), one.loss, *([one.score] if is_judged else []), one.learning_rate]
        for number, one in enumerate(ends, 1)
    ]
    table = markup.table("by epoch", rows, head)
    return table if len(rows) <= 5 else markup.details(f"the numbers of {len(rows)} epochs", table)


def _time(records: Sequence[Record], unit: str) -> dict[str, Any]:
    if not records or records[-1].seconds is None:
        return {}
    last = records[-1]
    speed = f"{last.examples / last.seconds:,.0f}" if last.seconds else None
    return {
        f"{unit} trained on": int(last.examples),
        "seconds of training": f"{last.seconds:.1f}",
        f"{unit} per second": speed,
    }


def _file(file: Path) -> list[str]:
    """The name, size and checksum of a file, and which version wrote it."""
    try:
        with file.open("rb") as stream:
            checksum = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror or error}") from error
    version = model_file.read_start(file).provenance.get("windrow") if kind_of(file) == "windrow" else None
    facts = {
        "name": file.name,
        "size": f"{file.stat().st_size:,} bytes",
        "written by windrow": version,
        "page written by windrow": __version__,
    }
    return [markup.facts("", facts), markup.code(f"{checksum}  {file.name}", "SHA-256, as sha256sum has it")]
