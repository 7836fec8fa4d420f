"""Parquet: a column of words, and their vectors as a column of lists or as a column per dimension."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.formats.contract import ReadOptions, VectorData
from windrow.embeddings.formats.rows import chosen_rows
from windrow.errors import DataError, FormatError, OptionError
from windrow.files.local import local_file
from windrow.files.model_file import check_finite
from windrow.files.writing import atomic_write


def read_parquet(path: Path, options: ReadOptions) -> VectorData:
    """Read a table with one column of strings, the words, and one of lists of numbers, or a column per dimension."""
    pyarrow, parquet = _libraries()
    with local_file(path, unpack=True) as file:
        try:
            table = parquet.read_table(file)
        except pyarrow.ArrowException as error:
            raise FormatError(f"{file} is not a valid Parquet file: {' '.join(str(error).split())}") from error
        except OSError as error:
            raise DataError(f"cannot read {file}: {error.strerror or ' '.join(str(error).split())}") from error
        words = _words(table, file)
        vectors = _matrix(table, file)
        check_finite(vectors, "the table", file)
        chosen, wanted, _ = chosen_rows(words, vectors, file, "row", options)
        return VectorData(chosen, wanted)


def write_parquet(data: VectorData, path: Path) -> None:
    """Write a table of a column "word", and a column "vector" of lists of float32."""
    pyarrow, parquet = _libraries()
    numbers = pyarrow.array(np.ascontiguousarray(data.vectors, np.float32).ravel())
    vectors = pyarrow.FixedSizeListArray.from_arrays(numbers, data.vectors.shape[1])
    table = pyarrow.table({"word": pyarrow.array(data.words, pyarrow.string()), "vector": vectors})
    with atomic_write(path) as temporary:
        parquet.write_table(table, temporary)


def _libraries() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise OptionError("Parquet needs pyarrow: pip install 'windrow[parquet]'") from error
    return pyarrow, parquet


def _words(table: Any, path: Path) -> list[bytes]:
    import pyarrow

    names = [
        field.name for field in table.schema if pyarrow.types.is_string(field.type) or "large_string" in str(field.type)
    ]
    if len(names) != 1:
        found = ", ".join(f"{field.name} ({field.type})" for field in table.schema)
        raise FormatError(f"{path}: expected one column of words, found {len(names)} of strings: {found}")
    words: list[bytes] = table.column(names[0]).cast(pyarrow.large_binary()).to_pylist()  # not always UTF-8
    for row, word in enumerate(words, 1):
        if word is None:
            raise FormatError(f"{path}, row {row}: the word is missing; take the row out")
    return words


def _matrix(table: Any, path: Path) -> NDArray[np.float32]:
    import pyarrow

    lists = [field.name for field in table.schema if "list" in str(field.type)]
    numbers = [field.name for field in table.schema if pyarrow.types.is_floating(field.type)]
    if len(lists) == 1 and not numbers:
        return _from_lists(table.column(lists[0]).combine_chunks(), path)
    if numbers and not lists:
        return np.stack([table.column(name).to_numpy() for name in numbers], axis=1).astype(np.float32)
    found = ", ".join(f"{field.name} ({field.type})" for field in table.schema)
    raise FormatError(f"{path}: expected a column of lists of numbers, or a column per dimension, found {found}")


def _from_lists(column: Any, path: Path) -> NDArray[np.float32]:
    if column.null_count or not len(column):
        raise FormatError(f"{path}: a vector is missing, or there is none")
    from pyarrow import compute

    flat = column.flatten().to_numpy(zero_copy_only=False)
    lengths = compute.list_value_length(column).to_numpy()
    if lengths.min() != lengths.max() or not lengths[0] or flat.dtype.kind != "f":
        wrong = int(np.argmax(lengths != lengths[0])) + 1
        raise FormatError(f"{path}, row {wrong}: {lengths[wrong - 1]} numbers, expected {lengths[0]} of floating point")
    return np.asarray(flat, np.float32).reshape(len(column), -1)
