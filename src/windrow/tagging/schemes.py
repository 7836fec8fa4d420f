"""Tagging schemes: how the tags of single tokens write entities down; detection, and conversion between any two."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise, product

from windrow.errors import OptionError
from windrow.evaluation.spans import NO_TYPE, OUTSIDE, Span, parse_tag, spans_of

# scheme -> the prefixes of a span of some length; the flag says that a span of the same type ends just before it
_Prefixes = Callable[[int, bool], str]
SCHEMES: dict[str, _Prefixes] = {
    "io": lambda length, touches: "I" * length,
    "iob1": lambda length, touches: ("B" if touches else "I") + "I" * (length - 1),
    "iob2": lambda length, touches: "B" + "I" * (length - 1),
    "iobes": lambda length, touches: "S" if length == 1 else f"B{'I' * (length - 2)}E",
    "bilou": lambda length, touches: "U" if length == 1 else f"B{'I' * (length - 2)}L",
    "bmes": lambda length, touches: "S" if length == 1 else f"B{'M' * (length - 2)}E",
    "bmewo": lambda length, touches: "W" if length == 1 else f"B{'M' * (length - 2)}E",
}


def check_scheme(scheme: str) -> None:
    """Raise OptionError unless the scheme is one of SCHEMES."""
    if scheme not in SCHEMES:
        raise OptionError(f"scheme = {scheme!r} is not one of {', '.join(SCHEMES)}")


def tags_of(spans: Sequence[Span], length: int, scheme: str) -> list[str]:
    """Write spans, in order and apart, as the tags of a sentence of ``length`` tokens.

    In the scheme "io" neighbors of one type become one span: it has no way to separate them.
    """
    prefixes_of = SCHEMES[scheme]
    tags = [OUTSIDE] * length
    before = Span("", 0, 0)
    for span in spans:
        touches = span.start == before.stop and span.type == before.type
        prefixes = prefixes_of(span.stop - span.start, touches)
        ending = "" if span.type == NO_TYPE else f"-{span.type}"
        tags[span.start : span.stop] = [prefix + ending for prefix in prefixes]
        before = span
    return tags


def convert(tags: Sequence[str], scheme: str) -> list[str]:
    """The tags of a sentence, in whatever scheme, rewritten in another.

    Parameters
    ----------
    tags : sequence of str
        The tags of one sentence.
    scheme : {"io", "iob1", "iob2", "iobes", "bilou", "bmes", "bmewo"}
        The scheme to write.

    Raises
    ------
    DataError
        For what is no tag.

    Examples
    --------
    >>> from windrow.tagging import convert
    >>> convert(["I-PER", "I-PER", "O"], "iobes")
    ['B-PER', 'E-PER', 'O']
    """
    check_scheme(scheme)
    return tags_of(spans_of(tags), len(tags), scheme)


def detect_scheme(sentences: Iterable[Sequence[str]]) -> str:
    """The scheme of many sentences' tags; "iob2" where there is nothing to tell by.

    L and U show "bilou", W "bmewo", M "bmes", E and S "iobes". With B only where a span touches one of its own type it
    is "iob1", else "iob2", even if some spans there begin with I. Without B it is "iob1", too, and not "io", which
    cannot separate spans that touch: where none does, both write the same.

    Parameters
    ----------
    sentences : iterable of sequences of str
        The tags of each sentence.
    """
    prefixes: set[str] = set()
    is_iob1 = True
    for tags in sentences:
        for before, tag in pairwise([OUTSIDE, *tags]):
            prefix, kind = parse_tag(tag)
            prefixes.add(tag[0])
            is_iob1 &= prefix != "B" or (before != OUTSIDE and parse_tag(before)[1] == kind)
    for shown, scheme in (("LU", "bilou"), ("W", "bmewo"), ("M", "bmes"), ("ES", "iobes")):
        if not prefixes.isdisjoint(shown):
            return scheme
    return "iob1" if is_iob1 and prefixes - {OUTSIDE} else "iob2"


def tags_for(types: Iterable[str], scheme: str) -> list[str]:
    """All tags that the scheme has for entities of these types; O is the first."""
    prefixes = sorted(
        {prefix for length in (1, 2, 3) for touch in (False, True) for prefix in SCHEMES[scheme](length, touch)}
    )
    return [OUTSIDE, *(prefix if kind == NO_TYPE else f"{prefix}-{kind}" for kind in types for prefix in prefixes)]


def possible_transitions(types: Sequence[str], scheme: str) -> set[tuple[str, str]]:
    """All pairs of neighboring tags that the scheme can write, with "" before the first tag and after the last.

    Two entities of one, two or four tokens show them all, touching or one apart, the first perhaps touching another.
    """
    pairs = {("", OUTSIDE), (OUTSIDE, OUTSIDE), (OUTSIDE, "")}
    for (first, second), (length, other), start, gap, margin in product(
        product(types, repeat=2), product((1, 2, 4), repeat=2), (0, 1), (0, 1), (0, 1)
    ):
        middle = start + length
        spans = [Span(first, start, middle), Span(second, middle + gap, middle + gap + other)]
        before = [Span(first, 0, start)] if start else []
        for sentence in (spans, before + spans):
            pairs.update(pairwise(["", *tags_of(sentence, spans[-1].stop + margin, scheme), ""]))
    return pairs
