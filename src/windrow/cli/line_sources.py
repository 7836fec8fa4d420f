"""Lines and records of files in chunks, for commands that answer them one by one and may write them again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from windrow.cli.typed import batches_of_lines, typed_batches, waits_for_answers
from windrow.errors import DataError, shown

if TYPE_CHECKING:
    from windrow.corpus.whole_records import Record


class Chunk(NamedTuple):
    """Lines or records of one file, next to each other."""

    name: str  # of the file, for messages
    first: int = 1  # the number of the first of ``lines``
    lines: Sequence[str] = ()  # of text, or of JSONL: each as it stands in the file
    block: bytes = b""  # in place of lines of text: these in UTF-8, a newline after each
    records: Sequence[Record] = ()  # of other formats
    header: str = ""  # of CSV; it comes before the records, in a chunk of its own


class Lines(NamedTuple):
    """Lines or records that are answered."""

    texts: Sequence[str | list[str]]
    written: Sequence[str]  # each as it stands in the file; "" where that is no text, as in Parquet
    fields: Sequence[Mapping[str, Any]] | None  # of records, their texts among them
    where: Callable[[int], str]  # the place of one of them, for messages
    is_json: bool = False  # whether ``written`` is
    block: bytes = b""  # in place of texts and of what is written: lines in UTF-8, a newline after each


def chunks(sources: Sequence[str], files: Mapping[str, Any]) -> Iterator[Chunk]:
    """All lines or records of sources; DataError where one cannot be read.

    Where somebody waits for answers, those that are there at a time. ``files``: "format", "field", "delimiter" and
    "errors", which is None where the user has no such option, so that no message names it.
    """
    from windrow.corpus.sources import find_files

    for source in sources:
        for file in find_files(source, files["format"], files["field"]):
            yield from _chunks_of(file, files)


def is_live(sources: Sequence[str]) -> bool:
    """Whether somebody may wait for the answer to a line before the next one is there."""
    return any(map(waits_for_answers, sources))


def _chunks_of(file: str, files: Mapping[str, Any]) -> Iterator[Chunk]:
    from windrow.corpus.records import RecordReader, check_delimiter
    from windrow.corpus.sources import file_format
    from windrow.corpus.streams import Meter, line_blocks, lines, name_of, text_pieces, utf8_pieces
    from windrow.corpus.whole_records import whole_records

    asked, name = files["errors"], name_of(file)
    errors = asked or "strict"
    format = file_format(file, **{**files, "errors": errors})
    if format not in ("text", "jsonl"):
        reader = RecordReader(files["field"], errors, check_delimiter(files["delimiter"]))
        header, records = whole_records(file, format, reader)
        yield Chunk(name, header=header)
        batches = batches_of_lines(records, lambda record: _size_of(record.fields[reader.field]), waits=False)
        yield from (Chunk(name, records=batch) for batch in batches)
        return
    if format == "text" and not waits_for_answers(file):
        blocks = line_blocks(utf8_pieces(file, asked, Meter(None, None)), name)
        yield from (Chunk(name, first, block=block) for first, block in blocks)
        return
    if waits_for_answers(file):
        found = typed_batches(errors)
    else:
        found = batches_of_lines(lines(text_pieces(file, asked, Meter(None, None)), name), len, waits=False)
    first = 1
    for batch in found:
        yield Chunk(name, first, batch)
        first += len(batch)


def lines_in(chunk: Chunk, field: str | None) -> Lines:
    """What a chunk holds; DataError, which says where, for what is no record, or has no text in ``field``."""
    if field is None:
        found = chunk.lines or chunk.block.decode().split("\n")[:-1]
        return Lines(found, found, None, lambda place: f"{chunk.name}, line {chunk.first + place}")
    records = chunk.records or list(_json_records(chunk, field))
    return Lines(
        [_text_of(one.fields[field], f"{one.where}, field {field!r}") for one in records],
        [one.written for one in records],
        [one.fields for one in records],
        lambda place: records[place].where,
        is_json=bool(chunk.lines),
    )


def _json_records(chunk: Chunk, field: str) -> Iterator[Record]:
    from windrow.corpus.records import json_record
    from windrow.corpus.whole_records import Record

    for number, line in enumerate(chunk.lines, chunk.first):
        if line.strip():
            where = f"{chunk.name}, line {number}"
            yield Record(where, json_record(line, where, [field]), line)


def _size_of(text: Any) -> int:
    return len(text) if isinstance(text, str | list) else 0


def _text_of(value: Any, where: str) -> str | list[str]:
    """The text of a record; of none an empty one, so that every record has its line in the output."""
    from windrow.corpus.tables import is_missing

    if isinstance(value, str | list):
        return value
    if is_missing(value):
        return ""
    raise DataError(f"{where}: a text or a list of words is needed, not {shown(value)}")
