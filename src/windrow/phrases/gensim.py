"""The phrases in files of gensim's ``Phrases`` and ``FrozenPhrases``: pickles, which are never run.

gensim 4 keeps the counts of words and joined pairs by what they are called, ``new_york``, or in ``FrozenPhrases`` the
scores. Which two words are joined it asks only when it meets them: ``new_york_city`` is new_york and city, or new and
york_city. Here the phrases are listed: all pairs of words that gensim would join to that name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from windrow.errors import FormatError
from windrow.files.compression import path_name
from windrow.files.pickled import Made, Named, is_made_by, read_pickle
from windrow.phrases.joining import PhraseTable
from windrow.phrases.scoring import SCORERS

_PACKAGE = "gensim.models.phrases"
_SCORERS = {f"{_PACKAGE}.original_scorer": "default", f"{_PACKAGE}.npmi_scorer": "npmi"}
_FROZEN = ("FrozenPhrases", "Phraser")
_START_BYTES = 200
_AGAIN = "open it in gensim 4 and save it again: Phrases.load('FILE').freeze().save('FILE')"

Pair = tuple[str, ...]  # the first word, connector words, the last


class GensimPhrases(NamedTuple):
    """What a file of gensim's holds."""

    parameters: dict[str, Any]  # of ``windrow.Phrases``
    table: PhraseTable


def begins_phrases(start: bytes) -> bool:
    """Whether a pickle that begins with these bytes is one of gensim's phrases."""
    return _PACKAGE.encode() in start[:_START_BYTES]


def read_gensim_phrases(path: Path) -> GensimPhrases:
    """The phrases in a file of ``Phrases.save`` or ``FrozenPhrases.save``; FormatError for any other pickle."""
    model, name = read_pickle(path), path_name(path)
    if not is_made_by(model, _PACKAGE, ("Phrases", *_FROZEN)):
        what = model.name if isinstance(model, Made) else type(model).__name__
        raise FormatError(f"{name} is a Python pickle of {what[:80]}, not of Phrases")
    try:
        parameters = _parameters(model.attributes)
        if is_made_by(model, _PACKAGE, _FROZEN):
            scored = _frozen(model.attributes["phrasegrams"], parameters)
        else:
            scored = _counted(model.attributes, parameters)
        with np.errstate(divide="ignore", invalid="ignore"):  # of a pair that is the whole text
            rows = sorted((-float(score), pair) for pair, score in scored)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        reason = " ".join(str(error).split())[:100]
        raise FormatError(f"{name} holds no phrases as gensim 4 writes them ({reason}); {_AGAIN}") from error
    if not all(math.isfinite(score) for score, _ in rows):
        raise FormatError(f"{name} is damaged: a score is no finite number")
    connectors = frozenset(parameters["connector_words"])
    pairs, scores = [pair for _, pair in rows], [-score for score, _ in rows]
    return GensimPhrases(parameters, PhraseTable(pairs, scores, parameters["delimiter"], connectors))


def _parameters(attributes: Mapping[str, Any]) -> dict[str, Any]:
    delimiter, scoring = attributes["delimiter"], attributes["scoring"]
    if not isinstance(delimiter, str) or not delimiter:  # bytes, until gensim 3
        raise TypeError("the delimiter is no text")
    if not isinstance(scoring, Named):
        raise TypeError("the scoring is no function")
    words = attributes["connector_words"]
    connectors = words.arguments[0] if isinstance(words, Made) and words.arguments else ()
    if not all(isinstance(word, str) for word in connectors):
        raise TypeError("connector words are no text")
    module, _, function = scoring.rpartition(".")
    return {
        "min_count": attributes["min_count"],
        "threshold": attributes["threshold"],
        "scoring": _SCORERS.get(scoring, f"{module}:{function}"),
        "delimiter": delimiter,
        "connector_words": sorted(connectors),
    }


def _frozen(scores: Mapping[str, float], parameters: dict[str, Any]) -> Iterator[tuple[Pair, float]]:
    for name, score in scores.items():
        for pair in _pairs(name, parameters):
            yield pair, score


def _counted(attributes: Mapping[str, Any], parameters: dict[str, Any]) -> Iterator[tuple[Pair, float]]:
    """The pairs whose score is above the threshold, and their scores."""
    counts: dict[str, int] = attributes["vocab"]
    if parameters["scoring"] not in SCORERS:
        raise ValueError(f"its scores come from the function {parameters['scoring'][:80]}, which is not run")
    score: Callable[..., Any] = SCORERS[parameters["scoring"]]
    for name, count in counts.items():
        for pair in _pairs(name, parameters):
            first, last = counts.get(pair[0], 0), counts.get(pair[-1], 0)
            if first > 0 and last > 0 and count > 0:
                found = score(first, last, count, len(counts), parameters["min_count"], attributes["corpus_word_count"])
                if found > parameters["threshold"]:
                    yield pair, found


def _pairs(name: str, parameters: dict[str, Any]) -> Iterator[Pair]:
    """The pairs of words, with the connector words between them, that are joined to a name."""
    delimiter, connectors = parameters["delimiter"], parameters["connector_words"]
    parts = name.split(delimiter)
    for end in range(1, len(parts)):
        first = delimiter.join(parts[:end])
        begin = end
        while first not in connectors and begin < len(parts):
            last = delimiter.join(parts[begin:])
            if last not in connectors:
                yield (first, *parts[end:begin], last)
            if parts[begin] not in connectors:
                break
            begin += 1
