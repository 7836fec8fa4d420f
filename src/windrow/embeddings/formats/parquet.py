"""Parquet and Arrow: a column of words, and their vectors as a column of lists or as a column per dimension."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.formats.contract import ReadOptions, VectorData
from windrow.embeddings.formats.rows import chosen_rows
from windrow.errors import DataError, FormatError, WindrowError, needs_package
from windrow.files.local import local_file
from windrow.files.model_file import as_counts, check_finite
from windrow.files.writing import atomic_write, check_writable, shortened

_COUNT = "count"
_LISTS = ("list", "large_list", "fixed_size_list")  # how their types begin; others may have lists within


def read_parquet(path: Path, options: ReadOptions) -> VectorData:
    """Read a table with one column of words, and one of lists of numbers, or a column per dimension.

    The words are the only strings; where there are none, the only whole numbers.
    """
    pyarrow, parquet = _libraries()
    with local_file(path, unpack=True) as file, _errors_in_one_line(file, pyarrow.ArrowException, "Parquet"):
        return _data_of(parquet.read_table(file), file, options)


def read_arrow(path: Path, options: ReadOptions) -> VectorData:
    """Read such a table from a file of Arrow's IPC format, as Feather and polars write it, too."""
    pyarrow, _ = _libraries()
    with (
        local_file(path, unpack=True) as file,
        _errors_in_one_line(file, pyarrow.ArrowException, "Arrow"),
        pyarrow.OSFile(str(file)) as stream,
        pyarrow.ipc.open_file(stream) as reader,
    ):
        table = reader.read_all()
        table.validate(full=True)  # Arrow trusts the offsets in a file otherwise, and reads beyond its buffers
        return _data_of(table, file, options)


def _data_of(table: Any, file: Path, options: ReadOptions) -> VectorData:
    words = _words(table, file)
    vectors = _matrix(table, file)
    check_finite(vectors, "the table", file)
    counts = _counts(table, file)
    chosen, wanted, rows = chosen_rows(words, vectors, file, "row", options)
    return VectorData(chosen, wanted, None if counts is None else counts[rows])


@contextmanager
def _errors_in_one_line(file: Path, arrow_error: type[Exception], kind: str) -> Iterator[None]:
    """Within, what Arrow and NumPy cannot make of a file is a FormatError, and what cannot be read a DataError."""
    try:
        yield
    except WindrowError:
        raise
    except (arrow_error, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, MemoryError) as error:
        raise FormatError(f"{file} is not a valid {kind} file: {_in_one_line(error)}") from error
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror or _in_one_line(error)}") from error


def _in_one_line(error: Exception) -> str:
    return shortened(" ".join(str(error).split()) or type(error).__name__)


def write_parquet(data: VectorData, path: Path) -> None:
    """Write a column "word", a column "vector" of lists of float32, and a column "count" if counts are known."""
    _, parquet = _libraries()
    with atomic_write(path) as temporary:
        parquet.write_table(_table_of(data), temporary)


def write_arrow(data: VectorData, path: Path) -> None:
    """Write the columns of ``write_parquet`` as a file of Arrow's IPC format, which other programs map into memory."""
    pyarrow, _ = _libraries()
    table = _table_of(data)
    with (
        atomic_write(path) as temporary,
        pyarrow.OSFile(str(temporary), "wb") as stream,
        pyarrow.ipc.new_file(stream, table.schema) as writer,
    ):
        writer.write_table(table)


def _table_of(data: VectorData) -> Any:
    import pyarrow

    numbers = pyarrow.array(np.ascontiguousarray(data.vectors, np.float32).ravel())
    columns = {
        "word": pyarrow.array(data.words, pyarrow.string()),
        "vector": pyarrow.FixedSizeListArray.from_arrays(numbers, data.vectors.shape[1]),
    }
    return pyarrow.table(columns if data.counts is None else {**columns, _COUNT: pyarrow.array(data.counts)})


def check_parquet(path: Path) -> None:
    """Raise MissingPackageError without pyarrow, and DataError for a path that could not be written."""
    _libraries()
    check_writable(path)


def _libraries() -> tuple[Any, Any]:
    with needs_package("Parquet and Arrow need pyarrow", "parquet"):
        import pyarrow
        import pyarrow.ipc
        from pyarrow import parquet
    return pyarrow, parquet


def _words(table: Any, path: Path) -> list[bytes]:
    import pyarrow

    strings = [field.name for field in table.schema if _is_string(field.type)]
    numbers = [field.name for field in table.schema if pyarrow.types.is_integer(field.type)]  # of items, without words
    if len(names := strings or numbers) != 1:
        raise FormatError(f"{path}: expected one column of words, found {len(names)}: {_columns(table)}")
    column = table.column(names[0])
    if pyarrow.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    as_text = column if strings else column.cast(pyarrow.string())
    words: list[bytes] = as_text.cast(pyarrow.large_binary()).to_pylist()  # not always UTF-8
    for row, word in enumerate(words, 1):
        if word is None:
            raise FormatError(f"{path}, row {row}: the word is missing; take the row out")
    return words


def _is_string(kind: Any) -> bool:
    """Whether a column holds strings, as they are or as a category of pandas."""
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _counts(table: Any, path: Path) -> NDArray[np.int64] | None:
    """How often words occur; None without a column of that name which holds whole numbers, beside one of words."""
    from pyarrow import types

    if _COUNT not in table.schema.names or len(table.schema.names) < 3:
        return None
    column = table.column(_COUNT)
    if not types.is_integer(column.type) or column.null_count:
        return None
    return as_counts(column.to_numpy().astype(np.int64), len(column), path)


def _matrix(table: Any, path: Path) -> NDArray[np.float32]:
    import pyarrow

    lists = [field.name for field in table.schema if str(field.type).startswith(_LISTS)]
    numbers = [field.name for field in table.schema if pyarrow.types.is_floating(field.type)]
    if len(lists) == 1 and not numbers:
        return _from_lists(table.column(lists[0]).combine_chunks(), path)
    if numbers and not lists:
        _check_dimensions(numbers, path)
        columns = [table.column(name).to_numpy() for name in numbers]
        with np.errstate(over="ignore"):  # the caller finds an infinity
            return np.stack(columns, axis=1).astype(np.float32)
    raise FormatError(
        f"{path}: expected a column of lists of numbers, or a column per dimension, found {_columns(table)}"
    )


def _columns(table: Any) -> str:
    """The names and types of columns, for messages."""
    return shortened(", ".join(f"{field.name} ({field.type})" for field in table.schema))


def _check_dimensions(names: list[str], path: Path) -> None:
    """Refuse columns of numbers of which some may be something else, such as frequencies."""
    stems = {re.sub(r"\d+$", "", name) for name in names}
    if len(stems) > 1:
        raise FormatError(
            f"{path}: are these all dimensions: {shortened(', '.join(names[:5]))}? Take out the other columns, or give "
            "the dimensions names that differ in their numbers only, such as d0, d1"
        )


def _from_lists(column: Any, path: Path) -> NDArray[np.float32]:
    if column.null_count or not len(column):
        raise FormatError(f"{path}: a vector is missing, or there is none")
    from pyarrow import compute

    flat = column.flatten().to_numpy(zero_copy_only=False)
    lengths = compute.list_value_length(column).to_numpy()
    if flat.dtype.kind != "f":
        raise FormatError(f"{path}: expected lists of floating point, found {column.type}")
    if lengths.min() != lengths.max() or not lengths[0]:
        wrong = int(np.argmax(lengths != lengths[0])) + 1
        raise FormatError(f"{path}, row {wrong}: {lengths[wrong - 1]} numbers, expected {lengths[0] or 'some'}")
    with np.errstate(over="ignore"):  # the caller finds an infinity
        return np.asarray(flat, np.float32).reshape(len(column), -1)
