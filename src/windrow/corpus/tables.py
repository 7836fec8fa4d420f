"""Sentences in Python objects: lists, arrays, columns of tables; their libraries are recognized, never imported."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Hashable, ItemsView, Iterable, Iterator, KeysView, Mapping, Set
from itertools import chain
from math import isnan
from pathlib import Path
from typing import Any

from windrow.errors import DataError, OptionError

SOURCE = "a source is a path, a list of paths, an iterable of sentences, or a table with field="

_NAMES = ("columns", "column_names", "colnames", "fieldnames")  # where tables of one library or another have them
_SHOWN = 20  # names in a message
_LOOKED_AT = 100  # strings of an iterable that may be names of files
_FILE_NAME = re.compile(r"\S+\.(txt|text|csv|tsv|jsonl?|ndjson|parquet|pq|conllu?)(\.(gz|bz2|xz|zst))?", re.IGNORECASE)


def cells_of(
    source: Any, field: str | None = None, *, expected: str = SOURCE, may_name_files: bool = False
) -> Iterator[Any]:
    """The sentences of a Python object, unchecked.

    With ``field`` they are the cells of that column of a table, or what each record of an iterable has under that name.
    Raises OptionError for what would give something else than sentences when one goes through it: a table without
    ``field``, a mapping, a set, an array of numbers, names of files. ``expected`` says what the caller takes, in
    messages; ``may_name_files``: strings that are names of files are taken, such as labels.
    """
    columns = column_names(source)
    if columns is None and not isinstance(source, Mapping):
        _refuse_unordered(source, expected)
        values = source if field is None else _fields_of(source, field)
    elif field is None or isinstance(source, Counter) or _holds_tables(source):
        raise OptionError(_table_refused(source, columns, takes_field="field=" in expected))
    else:
        values = _column(source, field, list(source) if columns is None else columns)
    cells = iter(values)
    if not (type(values) is list and set(map(type, values)) <= {str}):  # Arrow has scalars of its own
        cells = (value.as_py() if hasattr(value, "as_py") else value for value in values)
    if field is not None or may_name_files:
        return cells
    return _without_names_of_files(cells, takes_paths="a path" in expected)


def _without_names_of_files(items: Iterator[Any], takes_paths: bool) -> Iterator[Any]:
    """The items; OptionError where all of the first ones are names of files: a string in an iterable is a sentence."""
    names = list[str]()
    for item in items:
        if not (isinstance(item, str) and _is_name(item)):
            return chain(names, [item], items)
        names.append(item)
        if len(names) == _LOOKED_AT:
            break
    if names:
        what = "name existing files" if all(map(_names_file, names)) else "look like names of files"
        way_out = "to read the files pass [Path(p) for p in ...]" if takes_paths else "read the files first"
        raise OptionError(f"these strings {what}, but in a list they are sentences; {way_out}")
    return iter(())


def _is_name(text: str) -> bool:
    return _FILE_NAME.fullmatch(text) is not None or _names_file(text)


def _names_file(text: str) -> bool:
    try:
        is_folder = "/" in text and any(map(str.isalnum, text)) and Path(text).is_dir()
        return is_folder or Path(text).is_file()
    except (OSError, ValueError):  # longer than names are, or with a NUL
        return False


def is_column(source: Any) -> bool:
    """Whether an object is a column of a table, such as a Series: what is missing in it is an empty record."""
    return hasattr(source, "dtype") or hasattr(source, "to_pylist")


def is_missing(value: Any) -> bool:
    """Whether a cell holds nothing: None, NaN, pandas' NA or NaT."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or (_is_float(value) and isnan(value))


def why_no_sentence(value: Any) -> str | None:
    """What is wrong with an object as the list of a sentence's words, and the way out; None: it can be one."""
    kind = type(value).__name__
    if kind in ("list", "tuple"):  # most are, and the questions below take their time
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        return f"not {kind}; decode it (a file must be opened as text)"
    if isinstance(value, os.PathLike):
        return f"not {kind}; a list of paths must hold nothing else (of a generator of paths make a list)"
    if names_in(value) is not None:
        return f"not {kind}; take the text out of it"
    if isinstance(value, Set):
        return f"not {kind}, which has no order"
    if hasattr(value, "key_to_index"):
        return f"not {kind}, which holds words and their vectors"
    return None if isinstance(value, Iterable) else f"not {kind}"


def column_names(source: Any) -> list[Hashable] | None:
    """The names of a table's columns; None for what is no table."""
    if isinstance(source, str | Mapping):
        return None
    if callable(schema := getattr(source, "collect_schema", None)):  # polars: a lazy frame has to be asked
        return list(schema().names())
    if hasattr(source, "to_batches") and (schema := getattr(source, "schema", None)) is not None:  # a data set of Arrow
        return list(schema.names)
    if (fields := getattr(getattr(source, "dtype", None), "names", None)) is not None:  # a structured array
        return list(fields)
    if getattr(source, "ndim", 2) == 1:
        return None
    for attribute in _NAMES:
        names = getattr(source, attribute, None)
        if isinstance(names, Iterable) and not isinstance(names, str):
            found = list(names)
            if all(isinstance(name, str | int | tuple) for name in found):  # Arrow's columns are the arrays themselves
                return found
    return None


def field_names(record: Any) -> list[Hashable] | None:
    """The names of a record's fields: the keys of a mapping or database row, or those of a named tuple or array row."""
    if isinstance(record, Mapping):
        return list(record)
    if getattr(record, "ndim", 1) == 0:
        return list(getattr(record.dtype, "names", None) or ()) or None
    if isinstance(names := getattr(record, "_fields", None), tuple):
        return list(names)
    keys = getattr(record, "keys", None)
    return list(keys()) if callable(keys) and hasattr(record, "__getitem__") and not hasattr(record, "dtype") else None


def names_in(value: Any) -> list[Hashable] | None:
    """The names of a table's columns or a record's fields; None for what has neither."""
    return column_names(value) if (names := field_names(value)) is None else names


def field_of(record: Any, field: str) -> Any:
    """What a record has under a name; DataError if it has no such name."""
    names = field_names(record)
    if names is None or field not in names:
        there = f"a {type(record).__name__} has no fields" if names is None else f"there is: {listed(names)}"
        raise DataError(f"no field {field!r}; {there}")
    return getattr(record, field) if hasattr(record, "_fields") else record[field]


def listed(names: Iterable[Hashable]) -> str:
    """Names for a message of one line."""
    shown = [str(name) for name in names]
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more or "nothing"


def _column(source: Any, field: str, names: list[Hashable]) -> Iterable[Any]:
    kind = type(source).__name__
    if field not in names:
        raise OptionError(f"the {kind} has no column {field!r}; there is: {listed(names)}")
    if callable(getattr(source, "collect", None)) and hasattr(source, "select"):  # a lazy frame of polars
        source = source.select(field).collect()
    if not hasattr(source, "__getitem__"):  # a data set of Arrow, csv.DictReader
        return _fields_of(source.to_batches(columns=[field]) if hasattr(source, "to_batches") else source, field)
    column = source[field]
    if column_names(column) is not None:
        raise OptionError(f"the {kind} has several columns {field!r}; give one of them itself")
    if isinstance(column, str | Mapping) or not isinstance(column, Iterable):
        raise OptionError(f"{field!r} of the {kind} is no column of sentences, but {type(column).__name__}")
    return column


def _fields_of(records: Iterable[Any], field: str) -> Iterator[Any]:
    """What each record has under a name; of tables, such as the batches of Arrow and the chunks of pandas, each row."""
    for record in records:
        is_record = isinstance(record, Mapping) or hasattr(record, "_fields") or getattr(record, "ndim", 1) == 0
        if not is_record and column_names(record) is not None:
            yield from cells_of(record, field)
        else:
            yield field_of(record, field)


def _refuse_unordered(source: Any, expected: str) -> None:
    kind = type(source).__name__
    if hasattr(source, "key_to_index"):
        raise OptionError(f"the {kind} holds words and their vectors, not sentences; give the text")
    if isinstance(source, ItemsView):
        raise OptionError(f"{kind} are pairs, not sentences; give the values of the mapping")
    if isinstance(source, Set) and not isinstance(source, KeysView):
        raise OptionError(f"the {kind} has no order, so that no result could be repeated; give sorted(...) of it")
    if isinstance(source, str | bytes | bytearray | memoryview) or not isinstance(source, Iterable):
        raise OptionError(f"{expected}, not {kind}")
    if (dimensions := getattr(source, "ndim", 1)) != 1:
        raise OptionError(
            f"the {kind} has {dimensions} dimensions, but sentences have one; give one column of a table, "
            "or rows of tokens as lists"
        )
    dtype = getattr(source, "dtype", None)
    if getattr(dtype, "kind", "O") in "biufcmM":
        raise OptionError(f"the {kind} of {dtype} holds numbers, not sentences")


def _table_refused(source: Any, columns: list[Hashable] | None, takes_field: bool) -> str:
    """Why a table or mapping is not taken as sentences, and what to do."""
    kind = type(source).__name__
    if columns is not None:
        way_out = "name the column that holds the text with field=" if takes_field else "give one column of it"
        return f"the {kind} is a table, not sentences; {way_out}; it has: {listed(columns)}"
    if isinstance(source, Counter):
        return f"the {kind} has counts of words, not their order; give the sentences that were counted"
    if _holds_tables(source):
        return f"the {kind} holds several tables; give one of them: {listed(source)}"
    way_out = "name the key that holds them with field=, or give its values" if takes_field else "give its values"
    return f"the {kind} is no list of sentences; {way_out}; it has: {listed(source)}"


def _holds_tables(source: Any) -> bool:
    """Whether a mapping is one of tables, such as the parts of a data set."""
    first = next(iter(source.values()), None) if isinstance(source, Mapping) else None
    return first is not None and column_names(first) is not None


def _is_float(value: Any) -> bool:
    is_scalar = getattr(value, "ndim", 0) == 0
    return isinstance(value, float) or (is_scalar and getattr(getattr(value, "dtype", None), "kind", "") == "f")
