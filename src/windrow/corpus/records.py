"""Records, each with a text in one of its fields: JSONL, CSV and Parquet files, and the cells of tables in Python."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from windrow.corpus import streams
from windrow.corpus.streams import Meter, lines, name_of, opened_to_seek, read_errors, text_pieces, too_long
from windrow.corpus.tables import is_missing, listed
from windrow.corpus.tokenizers import as_tokens
from windrow.errors import DataError, OptionError, needs_package
from windrow.files.compression import COMPRESSED
from windrow.files.urls import is_url, path_of

_SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
FORMATS = ("jsonl", "csv", "parquet")
_PARQUET_ROWS = 1024
_LINE_EACH = "does each record have a line of its own, as jq -c writes JSON?"
_FIELD_LIMIT = "field limit"  # in the error of the csv module
_DELIMITERS = {"tab": "\t", "\\t": "\t"}  # as a shell passes them
_OTHER_DELIMITERS = {";": ";", "\t": "tab", "|": "|", ",": ","}

Cell = tuple[str, Any]  # what a field of a record holds, after what messages call its place


@dataclass
class RecordReader:
    """How records become sentences; counts those without text, which are left out."""

    field: str
    errors: str
    delimiter: str | None = None
    empty: int = 0

    def file_sentences(self, file: str, format: str, meter: Meter) -> Iterator[str | list[str]]:
        """The sentences of one file."""
        return self.sentences(text for (text,) in self._cells(file, format, meter, (self.field,)))

    def file_records(
        self, file: str, format: str, meter: Meter, others: Sequence[str]
    ) -> Iterator[tuple[str | list[str], list[Cell]]]:
        """The sentences of one file, each with the cells of ``others``, fields of its record."""
        for text, *cells in self._cells(file, format, meter, (self.field, *others)):
            yield from ((sentence, cells) for sentence in self.sentences([text]))

    def _cells(self, file: str, format: str, meter: Meter, fields: Sequence[str]) -> Iterator[tuple[Cell, ...]]:
        """Of each record of one file the cells of some fields."""
        if format == "parquet":
            return _parquet_cells(file, fields, meter, self.errors)
        if format == "csv":
            return _csv_cells(name_of(file), self.lines_of(file, meter), fields, self.delimiter_of(file))
        return _jsonl_cells(name_of(file), self.lines_of(file, meter), fields)

    def delimiter_of(self, file: str) -> str:
        """What stands between the columns of a file of CSV."""
        return self.delimiter or ("\t" if _plain_suffix(file) == ".tsv" else ",")

    def lines_of(self, file: str, meter: Meter) -> Iterator[str]:
        """The lines of a file of JSONL or CSV."""
        return lines(text_pieces(file, self.errors, meter), name_of(file), _LINE_EACH)

    def sentences(self, cells: Iterable[Cell]) -> Iterator[str | list[str]]:
        """The sentences that cells hold."""
        for where, value in cells:
            if _is_empty(value):
                self.empty += 1
            else:
                yield sentence_of(value, where, self.errors)


def sentence_of(value: Any, where: str, errors: str) -> str | list[str]:
    """A line, or the tokens of a sentence; DataError, which begins with ``where``, for what is neither."""
    if isinstance(value, str):
        text = _without_surrogates(value, where, errors)
        return text if text.endswith("\n") else text + "\n"
    if errors == "strict" or not isinstance(value, list | tuple):
        return as_tokens(value, where)
    cleaned = [_without_surrogates(token, where, errors) if isinstance(token, str) else token for token in value]
    return as_tokens([new for new, old in zip(cleaned, value, strict=True) if new != "" or old == ""], where)


def format_of(file: str) -> str | None:
    """The format of records that the name of a file or URL says; None: another one."""
    return _SUFFIXES.get(_plain_suffix(file))


def _plain_suffix(file: str) -> str:
    """The extension of a name, in lower case, less that of a compression."""
    suffixes = [suffix.lower() for suffix in Path(path_of(file) if is_url(file) else file).suffixes]
    return next((suffix for suffix in reversed(suffixes) if suffix not in COMPRESSED), "")


def check_delimiter(delimiter: str | None) -> str | None:
    """A delimiter of CSV as one character, of which ``tab`` is the name; OptionError for another."""
    if delimiter is None:
        return None
    found = _DELIMITERS.get(delimiter, delimiter)
    if not isinstance(found, str) or len(found) != 1 or found in '"\r\n':
        raise OptionError(f"delimiter = {delimiter!r} must be one character, such as ; or tab")
    return found


def _is_empty(value: Any) -> bool:
    if isinstance(value, str | list):
        return not (value.strip() if isinstance(value, str) else value)
    return is_missing(value)


def _jsonl_cells(name: str, text_lines: Iterable[str], fields: Sequence[str]) -> Iterator[tuple[Cell, ...]]:
    for number, line in enumerate(text_lines, 1):
        if line.strip():
            where = f"{name}, line {number}"
            record = json_record(line, where, fields)
            yield tuple((f"{where}, field {field!r}", record[field]) for field in fields)


def json_record(line: str, where: str, fields: Iterable[str]) -> dict[str, Any]:
    """The object that a line of JSONL holds; DataError, which begins with ``where``, unless it has these fields."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: not JSON ({error}){_one_per_line(line)}") from error
    for field in fields:
        if not isinstance(record, dict) or field not in record:
            there = listed(record) if isinstance(record, dict) else f"no object{_one_per_line(line)}"
            raise DataError(f"{where}: no field {field!r}; there is: {there}")
    found: dict[str, Any] = record
    return found


def _one_per_line(line: str) -> str:
    """A hint for JSON that is one array, or one object on several lines."""
    if line.lstrip().startswith("["):
        return "; JSONL has one object per line: jq -c '.[]' FILE"
    return "; JSONL has one object per line: jq -c . FILE" if line.strip() == "{" else ""


def _csv_cells(
    name: str, text_lines: Iterable[str], fields: Sequence[str], delimiter: str
) -> Iterator[tuple[Cell, ...]]:
    rows = csv_rows(name, text_lines, fields, delimiter)
    columns = next(rows).cells
    chosen = [columns.index(field) for field in fields]
    for where, row, _ in rows:
        yield tuple((where, row[column]) for column in chosen)


class CsvRow(NamedTuple):
    """A row of CSV: where messages say it is, its cells, and how it stands in the file, without the last line end."""

    where: str
    cells: list[str]
    written: str


def csv_rows(name: str, text_lines: Iterable[str], fields: Sequence[str], delimiter: str) -> Iterator[CsvRow]:
    """The header of a CSV file, then its rows; DataError, which begins with ``name``, unless all have these fields."""
    taken = list[str]()  # lines of the next row
    rows = csv.reader(_noted(text_lines, taken), strict=True, delimiter=delimiter)
    limit = csv.field_size_limit(streams.LONGEST_LINE)  # a sentence may be longer than 128 KB
    try:
        columns = next(rows, [])
        for field in fields:
            if field not in columns:
                raise DataError(f"{name}: no column {field!r}; there is: {listed(columns)}{_other_delimiter(columns)}")
            if columns.count(field) > 1:
                raise DataError(f"{name}: several columns are called {field!r}; rename one")
        yield CsvRow(f"{name}, line {rows.line_num}", columns, _taken(taken))
        last = max(map(columns.index, fields))
        for row in rows:
            where, written = f"{name}, line {rows.line_num}", _taken(taken)
            if any(map(str.strip, row[len(columns) :])):
                raise DataError(
                    f"{where}: {len(row)} fields, but the header has {len(columns)}; "
                    "a text that holds the delimiter must stand in quotes"
                )
            if not row:
                continue
            if last >= len(row):
                lacking = next(field for field in fields if columns.index(field) >= len(row))
                raise DataError(f"{where}: the row lacks the column {lacking!r}")
            yield CsvRow(where, row, written)
    except csv.Error as error:
        where = f"{name}, line {rows.line_num}"
        if _FIELD_LIMIT in str(error):
            raise too_long(f"{where}: the field that ends there", "does each quote have a second one?") from error
        raise DataError(f"{where}: not CSV ({error})") from error
    finally:
        csv.field_size_limit(limit)


def _noted(text_lines: Iterable[str], taken: list[str]) -> Iterator[str]:
    """The lines with their line ends, each put down in ``taken``, too."""
    for line in text_lines:
        taken.append(line)
        yield line + "\n"


def _taken(lines: list[str]) -> str:
    """The lines as one string, which nothing but the caller holds then."""
    text = "\n".join(lines)
    lines.clear()
    return text


def _other_delimiter(columns: list[str]) -> str:
    """A hint, where the whole header came out as one column."""
    found = next((name for mark, name in _OTHER_DELIMITERS.items() if len(columns) == 1 and mark in columns[0]), None)
    return f"; try delimiter={found!r}" if found else ""


def _parquet_cells(file: str, fields: Sequence[str], meter: Meter, errors: str) -> Iterator[tuple[Cell, ...]]:
    for where, row in parquet_rows(file, fields, meter, errors):
        yield tuple((f"{where}, column {field!r}", row[field]) for field in fields)


def parquet_rows(
    file: str, fields: Sequence[str], meter: Meter, errors: str, *, whole: bool = False
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of a Parquet file: where messages say it is, and cells by column, those of ``fields`` or the ``whole``.

    DataError, which names the file, unless it has all fields.
    """
    with needs_package("reading Parquet needs pyarrow", "parquet"):
        import pyarrow
        from pyarrow import parquet
    name = name_of(file)
    try:
        with read_errors(file), opened_to_seek(file) as raw:
            table = parquet.ParquetFile(raw)
            columns = table.schema_arrow.names
            for field in fields:
                if field not in columns:
                    raise DataError(f"{name}: no column {field!r}; there is: {listed(columns)}")
            first_row = 1
            for batch in table.iter_batches(_PARQUET_ROWS, columns=None if whole else list(dict.fromkeys(fields))):
                meter.at(raw.tell())
                read = batch.schema.names
                decoded = (_decoded(*column, name, errors) for column in zip(read, batch.columns, strict=True))
                for row, cells in enumerate(zip(*decoded, strict=True), first_row):
                    yield f"{name}, row {row}", dict(zip(read, cells, strict=True))
                first_row += len(batch)
    except pyarrow.ArrowException as error:
        raise DataError(f"{name} is not a valid Parquet file: {' '.join(str(error).split())}") from error


def _decoded(field: str, column: Any, name: str, errors: str) -> list[Any]:
    """The cells of a column of Parquet; texts may be stored as bytes, and nobody has checked those of strings."""
    import pyarrow
    from pyarrow import types

    if types.is_string(column.type) or types.is_large_string(column.type):
        column = column.cast(pyarrow.large_binary())
    try:
        return [cell.decode("utf-8", errors) if isinstance(cell, bytes) else cell for cell in column.to_pylist()]
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name}, column {field!r}: a text is not UTF-8; write the file again, or try errors='replace'"
        ) from error


def _without_surrogates(text: str, where: str, errors: str) -> str:
    """``text`` that UTF-8 can hold: half a surrogate pair is treated as a file's bytes of it would be."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        if errors == "strict":
            raise DataError(
                f"{where}: character {error.start + 1} is {text[error.start]!a}, half of a surrogate pair; "
                "correct the text, or try errors='replace'"
            ) from error
        return text.encode("utf-8", "surrogatepass").decode("utf-8", errors)
    return text
