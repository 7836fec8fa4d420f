"""Spans of tags and their scores, against conlleval's rule and against seqeval."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.naive import tagging as naive
from windrow import WindowTagger
from windrow.errors import DataError
from windrow.evaluation.spans import Span, evaluate_spans, spans_of

TAGS = st.sampled_from(["O", *(f"{prefix}-{kind}" for prefix in "BIES" for kind in ("LOC", "creative-work"))])
SENTENCES = st.lists(st.lists(st.tuples(TAGS, TAGS), max_size=8), min_size=1, max_size=6)


@given(st.lists(TAGS, max_size=10))
def test_spans_are_those_of_conlleval(tags: list[str]) -> None:
    assert spans_of(tags) == naive.spans_of(tags)


@settings(max_examples=50, deadline=None)  # seqeval is slow to import
@given(SENTENCES)
def test_scores_are_those_of_seqeval(sentences: list[list[tuple[str, str]]]) -> None:
    from seqeval.metrics import f1_score, precision_score, recall_score
    from seqeval.metrics.sequence_labeling import precision_recall_fscore_support

    gold, predicted = ([[pair[side] for pair in sentence] for sentence in sentences] for side in (0, 1))
    result = evaluate_spans(gold, predicted)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of ratios without anything to count
        assert result.f1 == pytest.approx(f1_score(gold, predicted))
        assert result.precision == pytest.approx(precision_score(gold, predicted))
        assert result.recall == pytest.approx(recall_score(gold, predicted))
        by_type = precision_recall_fscore_support(gold, predicted, average=None)
    scores = result.types.values()
    for name, expected in zip(("precision", "recall", "f1", "gold"), by_type, strict=True):
        assert [getattr(score, name) for score in scores] == pytest.approx(list(expected))


def test_spans_of_each_scheme() -> None:
    expected = [Span("LOC", 0, 2), Span("LOC", 2, 3), Span("PER", 4, 7)]
    iob2 = ["B-LOC", "I-LOC", "B-LOC", "O", "B-PER", "I-PER", "I-PER"]
    iob1 = ["I-LOC", "I-LOC", "B-LOC", "O", "I-PER", "I-PER", "I-PER"]
    iobes = ["B-LOC", "E-LOC", "S-LOC", "O", "B-PER", "I-PER", "E-PER"]
    bilou = ["B-LOC", "L-LOC", "U-LOC", "O", "B-PER", "I-PER", "L-PER"]
    assert spans_of(iob2) == spans_of(iob1) == spans_of(iobes) == spans_of(bilou) == expected


def test_tags_without_a_type() -> None:
    assert spans_of(["B", "I", "O", "B"]) == [Span("_", 0, 2), Span("_", 3, 4)]


def test_scores_by_hand() -> None:
    gold = [["B-LOC", "I-LOC", "O", "B-PER"], ["B-LOC", "O", "O"]]
    predicted = [["B-LOC", "I-LOC", "O", "B-LOC"], ["O", "B-ORG", "I-ORG"]]
    result = evaluate_spans(gold, predicted)
    # one of three predicted spans is right, one of three true ones is found
    assert result.to_json() == {
        "f1": 1 / 3,
        "precision": 1 / 3,
        "recall": 1 / 3,
        "types": {
            "LOC": {"f1": 0.5, "precision": 0.5, "recall": 0.5, "support": 2},
            "ORG": {"f1": 0.0, "precision": 0.0, "recall": 0.0, "support": 0},
            "PER": {"f1": 0.0, "precision": 0.0, "recall": 0.0, "support": 1},
        },
    }


def test_only_exact_spans_of_the_right_type_count() -> None:
    gold = [["B-LOC", "I-LOC", "I-LOC"]]
    for predicted in (["B-LOC", "I-LOC", "O"], ["B-PER", "I-PER", "I-PER"], ["B-LOC", "B-LOC", "I-LOC"]):
        assert evaluate_spans(gold, [predicted]).overall.correct == 0
    assert evaluate_spans(gold, [["I-LOC", "I-LOC", "E-LOC"]]).f1 == 1  # another scheme, the same span


@pytest.mark.parametrize("predicted", [[["O"]], [["O", "O"], ["O"]], []])
def test_taggings_of_different_sizes(predicted: list[list[str]]) -> None:
    with pytest.raises(DataError, match=r"sentence \d has \d true tags and \d predicted"):
        evaluate_spans([["O", "B-LOC"]], predicted)


@pytest.mark.parametrize("tag", ["LOC", "X-LOC", "o", "", "-LOC", "b-LOC"])
def test_what_is_no_tag(tag: str) -> None:
    with pytest.raises(DataError, match="neither O nor"):
        spans_of(["O", tag])


@pytest.mark.parametrize("tag", [1, None, ["B-LOC"]])
def test_tags_that_are_no_strings(tag):
    with pytest.raises(DataError, match="must be a string, such as B-LOC or O"):
        spans_of(["O", tag])
    with pytest.raises(DataError, match=r"sentence 1: the tag .* must be a string"):
        WindowTagger().fit([(["in", "Rome"], ["O", tag])])
