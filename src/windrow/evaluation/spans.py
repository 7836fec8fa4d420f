"""Entities as spans of tags, and how well predicted spans agree with the true ones (conlleval's rule)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import Any, NamedTuple

from windrow.errors import DataError, shown
from windrow.evaluation.precision_recall import PrecisionRecall, WithOverall

OUTSIDE = "O"
# BILOU's Last and Unit are E and S, the Middle and Whole of BMES and BMEWO I and S.
_PREFIXES = {"B": "B", "I": "I", "E": "E", "S": "S", "L": "E", "U": "S", "M": "I", "W": "S"}
NO_TYPE = "_"  # the type of the bare tags B, I, E and S


class Span(NamedTuple):
    """An entity: its type, its first token, and the token after its last."""

    type: str
    start: int
    stop: int


@lru_cache(maxsize=4096)
def parse_tag(tag: str) -> tuple[str, str]:
    """The prefix (O, B, I, E or S) and the type of a tag; DataError for anything else."""
    if tag == OUTSIDE:
        return OUTSIDE, ""
    prefix, hyphen, kind = tag.partition("-")
    if prefix not in _PREFIXES:
        raise DataError(f"the tag {tag[:60]!r} is neither O nor one such as B-LOC or I-LOC")
    return _PREFIXES[prefix], kind if hyphen and kind else NO_TYPE


def spans_of(tags: Sequence[str]) -> list[Span]:
    """The spans in the tags of one sentence, in any scheme (IOB1, IOB2, IOBES, BILOU, BMES, BMEWO, bare I-).

    A span ends before O, B or S, after E or S, and where the type changes; any tag but O continues the open span or
    opens one, so that tags which break their scheme are read too. The rule is that of conlleval (Tjong Kim Sang &
    Buchholz 2000) and of seqeval's default mode.

    Parameters
    ----------
    tags : sequence of str
        One tag per token, such as ``B-LOC`` or ``O``.

    Returns
    -------
    list of Span
        Each has ``type``, ``start`` (its first token) and ``stop`` (the token after its last).

    Raises
    ------
    DataError
        A string is not a tag.

    Examples
    --------
    >>> from windrow.evaluation import spans_of
    >>> spans_of(["B-LOC", "I-LOC", "O", "S-PER"])
    [Span(type='LOC', start=0, stop=2), Span(type='PER', start=3, stop=4)]
    """
    spans = []
    open_type, start, ended = "", -1, True
    for place, tag in enumerate(tags):
        if not isinstance(tag, str):
            raise DataError(f"the tag {shown(tag)} must be a string, such as B-LOC or O")
        prefix, kind = parse_tag(tag)
        if not ended and (prefix in "OBS" or kind != open_type):
            spans.append(Span(open_type, start, place))
            ended = True
        if prefix != OUTSIDE:
            if ended:
                open_type, start, ended = kind, place, False
            if prefix in "ES":
                spans.append(Span(open_type, start, place + 1))
                ended = True
    if not ended:
        spans.append(Span(open_type, start, len(tags)))
    return spans


@dataclass(frozen=True)
class SpanResult(WithOverall):
    """The result of ``evaluate_spans``: scores over all spans (micro average) and by entity type.

    Attributes
    ----------
    overall : PrecisionRecall
        ``correct``, ``predicted``, ``gold``, ``precision``, ``recall`` and ``f1`` over all spans.
    types : dict of str to PrecisionRecall
        The same by entity type.
    f1, precision, recall : float
        Those of ``overall``, 0..1.
    """

    overall: PrecisionRecall
    types: dict[str, PrecisionRecall]

    @property
    def f1(self) -> float:
        """The micro-averaged F1, 0..1."""
        return self.overall.f1

    def to_json(self) -> dict[str, Any]:
        """The result under the names that the command line prints."""
        types = {name: {**score.to_json(), "support": score.gold} for name, score in self.types.items()}
        return {**self.overall.to_json(), "types": types}


def evaluate_spans(gold: Iterable[Sequence[str]], predicted: Iterable[Sequence[str]]) -> SpanResult:
    """Compare the predicted spans of sentences with the true ones, as conlleval does.

    A predicted span is correct when its type, start and end are those of a true one.

    Parameters
    ----------
    gold : iterable of sequences of str
        The true tags of each sentence, in any scheme.
    predicted : iterable of sequences of str
        The predicted tags of the same sentences, in any scheme.

    Returns
    -------
    SpanResult

    Raises
    ------
    DataError
        The numbers of sentences or of tags differ, or a string is not a tag.

    Examples
    --------
    >>> from windrow.evaluation import evaluate_spans
    >>> result = evaluate_spans([["B-LOC", "O", "B-PER"]], [["B-LOC", "O", "O"]])
    >>> result.precision, result.recall
    (1.0, 0.5)
    """
    counts: tuple[Counter[str], ...] = (Counter(), Counter(), Counter())  # correct, predicted, gold
    for number, (true, found) in enumerate(zip_longest(gold, predicted), 1):
        if true is None or found is None or len(true) != len(found):
            sizes = [0 if tags is None else len(tags) for tags in (true, found)]
            raise DataError(f"sentence {number} has {sizes[0]} true tags and {sizes[1]} predicted ones")
        true_spans, found_spans = set(spans_of(true)), set(spans_of(found))
        for counter, spans in zip(counts, (true_spans & found_spans, found_spans, true_spans), strict=True):
            counter.update(span.type for span in spans)
    types = {kind: PrecisionRecall(*(counter[kind] for counter in counts)) for kind in sorted(counts[1] | counts[2])}
    return SpanResult(PrecisionRecall(*(counter.total() for counter in counts)), types)
