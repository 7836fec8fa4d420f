"""Where sentences end: at each line, at blank lines, or only at the end of a file or record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from windrow.errors import OptionError

SENTENCES = ("line", "paragraph", "document")


def check_sentences(sentences: object) -> None:
    """Raise OptionError unless it is one of SENTENCES."""
    if sentences not in SENTENCES:
        raise OptionError(f"sentences = {sentences!r} is unknown; choose from {', '.join(SENTENCES)}")


def with_sentence_ends(pieces: Iterable[str], sentences: str) -> Iterator[str]:
    """The text of one file or record, which ends with a newline, with newlines only where sentences end.

    "line" leaves it as it is. "paragraph": blank lines end sentences, other lines are joined by a space. "document":
    all lines are joined.
    """
    return iter(pieces) if sentences == "line" else _rejoined(pieces, sentences == "paragraph")


def _rejoined(pieces: Iterable[str], blank_lines_end: bool) -> Iterator[str]:
    waiting = ""  # white space whose line may go on
    begun = is_there = False
    for piece in pieces:
        is_there = True
        text = waiting + piece
        kept = text.rstrip()
        waiting = text[len(kept) :]
        if (line_ends := waiting.count("\n")) > 1 or (line_ends and not blank_lines_end):
            waiting = "\n\n"  # all that matters of any number of blank lines
        if not begun:
            kept = kept.lstrip()
        if kept:
            begun = True
            yield "".join(_without_line_ends(kept, blank_lines_end))
    if begun or (is_there and not blank_lines_end):  # an empty record is a sentence, too
        yield "\n"


def _without_line_ends(text: str, blank_lines_end: bool) -> Iterator[str]:
    first, *others = text.split("\n")
    yield first.rstrip() if others else first
    after_blank = False
    for line in map(str.strip, others):
        if line:
            yield "\n" if after_blank and blank_lines_end else " "
            yield line
        after_blank = not line
