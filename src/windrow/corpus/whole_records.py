"""Records of CSV and Parquet with all their fields, for commands that write them again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time
from math import isfinite
from typing import Any, NamedTuple

from windrow.corpus.records import CsvRow, RecordReader, csv_rows, parquet_rows
from windrow.corpus.streams import Meter, name_of
from windrow.errors import DataError


class Record(NamedTuple):
    """A record of a file.

    Attributes
    ----------
    where : str
        What messages call its place.
    fields : dict
        What it holds, by the names of its fields.
    written : str
        How it stands in the file, without the last line end; empty where that is no text, as in Parquet.
    """

    where: str
    fields: dict[str, Any]
    written: str


def whole_records(file: str, format: str, reader: RecordReader) -> tuple[str, Iterator[Record]]:
    """The header of a file of CSV as it stands there (of Parquet "") and all records of the file.

    Raises DataError as ``csv_rows`` and ``parquet_rows`` do, and for two columns of CSV with one name.
    """
    meter = Meter(None, None)
    if format == "parquet":
        rows_of_parquet = parquet_rows(file, [reader.field], meter, reader.errors, whole=True)
        return "", (Record(where, fields, "") for where, fields in rows_of_parquet)
    name = name_of(file)
    rows = csv_rows(name, reader.lines_of(file, meter), [reader.field], reader.delimiter_of(file))
    header = next(rows)
    twice = [column for column in dict.fromkeys(header.cells) if header.cells.count(column) > 1]
    if twice:
        raise DataError(f"{name}: several columns are called {twice[0]!r}; rename one")
    return header.written, (_record(row, header.cells) for row in rows)


def _record(row: CsvRow, columns: list[str]) -> Record:
    """A row that is shorter than the header lacks its last fields."""
    return Record(row.where, dict(zip(columns, row.cells, strict=False)), row.written)


def as_json(value: Any) -> Any:
    """A cell of Parquet as JSON can hold it: dates and times in ISO 8601, decimals as text, NaN and infinity null."""
    if isinstance(value, dict):
        return {str(key): as_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(one) for one in value]
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, date | time):
        return value.isoformat()
    return value if value is None or isinstance(value, bool | int | str) else _as_text(value)


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value)
