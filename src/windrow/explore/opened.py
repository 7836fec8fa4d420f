"""A model that the page shows: what it answers, and what its file says of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from windrow import models
from windrow.classification.classifier import TextClassifier
from windrow.embeddings.vectors import WordVectors
from windrow.errors import DataError, OptionError, one_line
from windrow.explore.asked import Answers
from windrow.explore.curves import curves_of, reported_numbers
from windrow.explore.labels import ClassifierAnswers, TaggerAnswers
from windrow.explore.language import LanguageAnswers
from windrow.explore.scores import Questions
from windrow.explore.words import VectorAnswers
from windrow.files import model_file
from windrow.files.kinds import SHOWN, kind_named, wrong_kind
from windrow.files.sniff import kind_of
from windrow.lm.base import LanguageModel
from windrow.nn.training.checkpoint import stored_history
from windrow.tagging.tagger import WindowTagger

_LONGEST_VALUE = 300  # characters
_NONE = Questions([], [])


@dataclass(frozen=True)
class Opened:
    """A model to look at: a function for each question that it answers, its properties, and what its training reported.

    ``history`` has the numbers of each report, ``curves`` what is drawn of them.
    """

    name: str
    described: str
    answers: Answers
    facts: list[tuple[str, str]]
    history: list[dict[str, float]]
    curves: list[dict[str, Any]]

    @classmethod
    def of(cls, path: str, questions: Questions = _NONE) -> Opened:
        """Open a file; OptionError for one that holds nothing to explore. ``questions`` are for word vectors."""
        if path == "-":
            raise OptionError("the explorer opens files, not standard input; name a file")
        model = models.load(path)
        facts, reports = _of_file(Path(path))
        history = [reported_numbers(report) for report in reports]
        name, described = one_line(Path(path).name), one_line(repr(model))
        return cls(name, described, answers_of(model, path, questions), facts, history, curves_of(reports))


def answers_of(model: Any, path: str, questions: Questions = _NONE) -> Answers:
    """What a model answers, by the question."""
    match model:
        case WordVectors():
            return VectorAnswers(model, questions).answers()
        case LanguageModel():
            return LanguageAnswers(model).answers()
        case WindowTagger():
            return TaggerAnswers(model).answers()
        case TextClassifier():
            return ClassifierAnswers(model).answers()
    raise wrong_kind(path, kind_named(type(model).__name__), SHOWN)


def _of_file(path: Path) -> tuple[list[tuple[str, str]], list[dict[str, Any]]]:
    """The settings and the origin of a model, and the reports of its training, as far as its file has them."""
    try:
        facts = [("file size", f"{path.stat().st_size:,} bytes")]
        if kind_of(path) != "windrow":
            return facts, []
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    start = model_file.read_start(path)
    told = {"kind": start.kind, **start.config, **start.provenance}
    named = {name: value for name, value in told.items() if name not in ("history", "history_")}
    facts += [(name.replace("_", " "), _told(value)) for name, value in named.items()]
    return facts, stored_history(start)


def _told(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]} ..."
