"""Records, each with a text in one of its fields: JSONL, CSV and Parquet files, and the cells of tables in Python."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
            delimiter = self.delimiter or ("\t" if _plain_suffix(file) == ".tsv" else ",")
            return _csv_cells(name_of(file), self._lines(file, meter), fields, delimiter)
        return _jsonl_cells(name_of(file), self._lines(file, meter), fields)

    def _lines(self, file: str, meter: Meter) -> Iterator[str]:
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
        if not line.strip():
            continue
        where = f"{name}, line {number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{where}: not JSON ({error}){_one_per_line(line)}") from error
        for field in fields:
            if not isinstance(record, dict) or field not in record:
                there = listed(record) if isinstance(record, dict) else f"no object{_one_per_line(line)}"
                raise DataError(f"{where}: no field {field!r}; there is: {there}")
        yield tuple((f"{where}, field {field!r}", record[field]) for field in fields)


def _one_per_line(line: str) -> str:
    """A hint for JSON that is one array, or one object on several lines."""
    if line.lstrip().startswith("["):
        return "; JSONL has one object per line: jq -c '.[]' FILE"
    return "; JSONL has one object per line: jq -c . FILE" if line.strip() == "{" else ""


def _csv_cells(
    name: str, text_lines: Iterable[str], fields: Sequence[str], delimiter: str
) -> Iterator[tuple[Cell, ...]]:
    rows = csv.reader((line + "\n" for line in text_lines), strict=True, delimiter=delimiter)
    limit = csv.field_size_limit(streams.LONGEST_LINE)  # a sentence may be longer than 128 KB
    try:
        columns = next(rows, [])
        for field in fields:
            if field not in columns:
                raise DataError(f"{name}: no column {field!r}; there is: {listed(columns)}{_other_delimiter(columns)}")
            if columns.count(field) > 1:
                raise DataError(f"{name}: several columns are called {field!r}; rename one")
        chosen = [columns.index(field) for field in fields]
        for row in rows:
            if any(map(str.strip, row[len(columns) :])):
                raise DataError(
                    f"{name}, line {rows.line_num}: {len(row)} fields, but the header has {len(columns)}; "
                    "a text that holds the delimiter must stand in quotes"
                )
            if not row:
                continue
            if max(chosen) >= len(row):
                lacking = columns[next(column for column in chosen if column >= len(row))]
                raise DataError(f"{name}, line {rows.line_num}: the row lacks the column {lacking!r}")
            where = f"{name}, line {rows.line_num}"
            yield tuple((where, row[column]) for column in chosen)
    except csv.Error as error:
        where = f"{name}, line {rows.line_num}"
        if _FIELD_LIMIT in str(error):
            raise too_long(f"{where}: the field that ends there", "does each quote have a second one?") from error
        raise DataError(f"{where}: not CSV ({error})") from error
    finally:
        csv.field_size_limit(limit)


def _other_delimiter(columns: list[str]) -> str:
    """A hint, where the whole header came out as one column."""
    found = next((name for mark, name in _OTHER_DELIMITERS.items() if len(columns) == 1 and mark in columns[0]), None)
    return f"; try delimiter={found!r}" if found else ""


def _parquet_cells(file: str, fields: Sequence[str], meter: Meter, errors: str) -> Iterator[tuple[Cell, ...]]:
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
            for batch in table.iter_batches(_PARQUET_ROWS, columns=list(dict.fromkeys(fields))):
                meter.at(raw.tell())
                values = zip(*(_decoded(batch.column(field), errors) for field in fields), strict=True)
                for row, cells in enumerate(values, first_row):
                    yield tuple(
                        (f"{name}, row {row}, column {field!r}", cell)
                        for field, cell in zip(fields, cells, strict=True)
                    )
                first_row += len(batch)
    except pyarrow.ArrowException as error:
        raise DataError(f"{name} is not a valid Parquet file: {' '.join(str(error).split())}") from error
    except UnicodeDecodeError as error:
        columns = " or ".join(map(repr, fields))
        raise DataError(
            f"{name}, column {columns}: a text is not UTF-8; write the file again, or try errors='replace'"
        ) from error


def _decoded(column: Any, errors: str) -> list[Any]:
    """The cells of a column of Parquet; texts may be stored as bytes, and nobody has checked those of strings."""
    import pyarrow
    from pyarrow import types

    if types.is_string(column.type) or types.is_large_string(column.type):
        column = column.cast(pyarrow.large_binary())
    return [cell.decode("utf-8", errors) if isinstance(cell, bytes) else cell for cell in column.to_pylist()]


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
