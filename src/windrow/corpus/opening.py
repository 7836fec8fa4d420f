"""What every ``fit`` and ``evaluate`` takes: a Corpus, or a text that becomes one."""

from __future__ import annotations

from typing import Any

from windrow.bars import bytes_bar
from windrow.corpus.encoded import Corpus, read_corpus
from windrow.corpus.reading import TextReader
from windrow.errors import OptionError


def as_corpus(
    source: Any, field: str | None = None, reader: TextReader | None = None, *, shows_bar: bool = False
) -> Corpus:
    """``source`` itself if it is a Corpus, else what ``Corpus.build`` makes of it, or ``read_corpus`` with a reader.

    ``shows_bar``: while a text is read.
    """
    if not isinstance(source, Corpus):
        if reader is None:
            return Corpus.build(source, field=field, progress=shows_bar)
        with bytes_bar(shows_bar) as show:
            return read_corpus(source, reader, field=field, progress=show)
    if field is not None:
        raise OptionError(f"field = {field!r} is for tables and files of records; a Corpus has no fields: leave it out")
    source.check_ranges()
    return source
