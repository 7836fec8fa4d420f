"""Text to be tagged: sentences, one per line, or column files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain, islice

from windrow.corpus import TextReader
from windrow.corpus.streams import Meter, lines, text_pieces
from windrow.errors import DataError, OptionError
from windrow.evaluation.spans import parse_tag
from windrow.tagging.conll import read_conll_lines

FORMATS = ("auto", "text", "conll")
_LOOKED_AT = 100  # lines
_PLAIN = TextReader()


def read_texts(
    source: str | os.PathLike[str], form: str = "auto", reader: TextReader = _PLAIN, errors: str = "strict"
) -> Iterator[list[str]]:
    """The sentences of ``source``, a file or ``-``, one by one: "text", a line each, or "conll", of any columns.

    ``reader`` cuts the lines of text into tokens; ``errors`` as of ``Corpus.build``.

    "auto" takes it for a column file if the last column of each of its first hundred lines is a tag, or if each has
    one column and some are blank. Raises FormatError for ragged columns, DataError for a file that cannot be read.
    """
    if form not in FORMATS:
        raise OptionError(f"format = {form!r} is not one of {', '.join(FORMATS)}")
    name = os.fspath(source)
    text = lines(text_pieces(name, errors, Meter(None, None)))
    head = list(islice(text, _LOOKED_AT)) if form == "auto" else []
    text = chain(head, text)
    if form == "conll" or _looks_like_columns(head):
        if reader != _PLAIN:
            raise OptionError(f"{name} holds one token per line; leave out tokenizer and normalize")
        yield from (sentence.tokens for sentence in read_conll_lines(text, name, tag_column=None))
    else:
        yield from filter(None, map(reader.tokens, text))


def _looks_like_columns(head: list[str]) -> bool:
    rows = [line.split() for line in head]
    widths = {len(fields) for fields in rows}
    if widths == {0, 1}:
        return True
    return len(widths - {0}) == 1 and 1 not in widths and all(_is_tag(fields[-1]) for fields in rows if fields)


def _is_tag(field: str) -> bool:
    try:
        parse_tag(field)
    except DataError:
        return False
    return True
