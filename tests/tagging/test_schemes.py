"""Schemes: what is written is read back, and is told from the others."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.errors import OptionError
from windrow.evaluation.spans import Span, spans_of
from windrow.tagging.schemes import SCHEMES, convert, detect_scheme, possible_transitions, tags_for, tags_of

PARTS = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.sampled_from(["LOC", "PER"])), max_size=5)


def sentence_of(parts: list[tuple[int, int, str]]) -> tuple[list[Span], int]:
    """Spans from (gap before, length, type), and the length of a sentence with one token behind them."""
    spans, place = [], 0
    for gap, length, kind in parts:
        spans.append(Span(kind, place + gap, place + gap + length))
        place += gap + length
    return spans, place + 1


@given(PARTS, st.sampled_from([scheme for scheme in SCHEMES if scheme != "io"]))
def test_spans_survive_every_scheme(parts: list[tuple[int, int, str]], scheme: str) -> None:
    spans, length = sentence_of(parts)
    tags = tags_of(spans, length, scheme)
    assert len(tags) == length
    assert spans_of(tags) == spans


@given(PARTS)
def test_bare_tags_join_neighbors_of_one_type_and_lose_nothing_else(parts: list[tuple[int, int, str]]) -> None:
    spans, length = sentence_of(parts)
    tags = tags_of(spans, length, "io")
    assert {tag[0] for tag in tags} <= {"I", "O"}
    inside = {(place, span.type) for span in spans for place in range(span.start, span.stop)}
    assert {(place, tag[2:]) for place, tag in enumerate(tags) if tag != "O"} == inside


@given(PARTS, st.sampled_from(list(SCHEMES)), st.sampled_from(list(SCHEMES)))
def test_conversion_there_and_back(parts: list[tuple[int, int, str]], first: str, second: str) -> None:
    spans, length = sentence_of(parts)
    tags = tags_of(spans, length, first)
    back = convert(convert(tags, second), first)
    assert back == (convert(tags, "io") if first == "io" else tags) or second == "io"


def test_each_scheme_by_hand() -> None:
    spans = [Span("LOC", 0, 1), Span("LOC", 1, 4), Span("PER", 4, 6)]
    assert {scheme: "".join(tag[0] for tag in tags_of(spans, 7, scheme)) for scheme in SCHEMES} == {
        "io": "IIIIIIO",
        "iob1": "IBIIIIO",
        "iob2": "BBIIBIO",
        "iobes": "SBIEBEO",
        "bilou": "UBILBLO",
        "bmes": "SBMEBEO",
        "bmewo": "WBMEBEO",
    }


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        ("O O", "iob2"),
        ("I-LOC I-LOC O I-PER", "iob1"),  # "io" would write the same, and could not separate two that touch
        ("I I O I", "iob1"),
        ("B-LOC M-LOC E-LOC O S-PER", "bmes"),
        ("B M E S", "bmes"),
        ("W-LOC O B-PER E-PER", "bmewo"),
        ("B-LOC M-LOC E-LOC W-PER", "bmewo"),
        ("B-LOC I-LOC E-LOC", "iobes"),
        ("I-LOC B-LOC O", "iob1"),
        ("I-LOC I-PER B-PER", "iob1"),
        ("B-LOC I-LOC O B-PER", "iob2"),
        ("B-LOC O I-PER", "iob2"),  # which breaks its scheme
        ("B-LOC B-LOC", "iob2"),
        ("B-LOC E-LOC", "iobes"),
        ("O S-LOC", "iobes"),
        ("O U-LOC", "bilou"),
        ("B-LOC L-LOC", "bilou"),
        ("B I O", "iob2"),
    ],
)
def test_detection(tags: str, scheme: str) -> None:
    assert detect_scheme([["O"], tags.split()]) == scheme


@given(PARTS, st.sampled_from(["iob2", "iobes", "bilou", "bmes", "bmewo"]))
def test_a_scheme_is_detected_in_what_it_wrote(parts: list[tuple[int, int, str]], scheme: str) -> None:
    spans, length = sentence_of([*parts, (0, 1, "ORG"), (1, 3, "ORG")])
    assert detect_scheme([tags_of(spans, length, scheme)]) == scheme


@given(PARTS, st.sampled_from(list(SCHEMES)))
def test_no_entity_is_lost_in_the_scheme_that_is_detected(parts: list[tuple[int, int, str]], scheme: str) -> None:
    """However few tags tell the scheme: spans that touch stay two."""
    spans, length = sentence_of(parts)
    detected = detect_scheme([tags_of(spans[:1], length, scheme)])
    assert spans_of(tags_of(spans, length, detected)) == spans


@pytest.mark.parametrize("scheme", list(SCHEMES))
def test_possible_transitions_are_those_of_all_short_sentences(scheme: str) -> None:
    """Every sequence of five tags which the scheme would write itself, and no other, is made of them."""
    types = ["A", "B"] if scheme in ("io", "iob1", "iob2") else ["A"]
    tags = tags_for(types, scheme)
    possible = possible_transitions(types, scheme)
    seen = set()
    for sentence in product(tags, repeat=5):
        pairs = set(pairwise(["", *sentence, ""]))
        if convert(sentence, scheme) == list(sentence):
            assert pairs <= possible
            seen |= pairs
        else:
            assert not pairs <= possible
    assert seen == possible


def test_tags_of_types() -> None:
    assert tags_for(["LOC"], "iobes") == ["O", "B-LOC", "E-LOC", "I-LOC", "S-LOC"]
    assert tags_for(["A", "B"], "io") == ["O", "I-A", "I-B"]
    assert tags_for(["_"], "iob2") == ["O", "B", "I"]


def test_unknown_scheme() -> None:
    with pytest.raises(OptionError, match="is not one of io, iob1"):
        convert(["O"], "bio")
