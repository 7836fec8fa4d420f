"""Vectors of lines and records as they come, one row each: numbers, JSON, or a file of NumPy or Parquet."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from windrow.cli.messages import tell
from windrow.errors import DataError, OptionError, needs_package
from windrow.files.writing import STDIO, atomic_write

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from windrow.cli.line_sources import Lines

    Rows = NDArray[np.float32]
    Write = Callable[[Lines, Rows], None]

WRITTEN = ".npy; .parquet; .jsonl; any other ending: numbers with spaces between them"
VECTOR = "vector"  # the key and the column


def form_of(output: Path | None, as_json: bool) -> str:
    """How rows are written, by the name of the file: "npy", "parquet", "jsonl" or "text"."""
    form = "" if output is None else output.suffix.lower().removeprefix(".")
    if form in ("npy", "parquet"):
        if as_json:
            raise OptionError(f"--json: {output} is no file of JSON; name a .jsonl, or leave --json out")
        return form
    return "jsonl" if as_json or form == "jsonl" else "text"


@contextmanager
def written_rows(output: Path | None, form: str) -> Iterator[Write]:
    """Within, what is yielded writes rows to a file, which then appears whole, or to standard output (None)."""
    if form == "parquet":
        _parquet()  # which may be missing
    if output is None or str(output) == STDIO:
        with _WRITERS[form](sys.stdout.buffer) as write:
            yield write
        return
    with atomic_write(output) as temporary, temporary.open("wb") as stream, _WRITERS[form](stream) as write:
        yield write


@contextmanager
def _text(stream: BinaryIO) -> Iterator[Write]:
    def write(_: Lines, rows: Rows) -> None:
        stream.write("".join(f"{' '.join(map(str, row))}\n" for row in rows).encode())
        stream.flush()

    yield write


@contextmanager
def _jsonl(stream: BinaryIO) -> Iterator[Write]:
    from windrow.cli.line_answers import with_fields

    replaced = set[str]()

    def write(lines: Lines, rows: Rows) -> None:
        for place, vector in enumerate(rows.tolist()):
            if lines.fields is None:
                line = json.dumps({"text": lines.texts[place], VECTOR: vector})
            else:
                line = with_fields(lines, place, {VECTOR: vector}, replaced)
            stream.write(f"{line}\n".encode("utf-8", "backslashreplace"))
        stream.flush()

    yield write
    if replaced:
        tell(f"Warning: the field {VECTOR!r} of the records gives way to the vectors")


@contextmanager
def _npy(stream: BinaryIO) -> Iterator[Write]:
    """The header says how many rows there are, and is written again at the end: NumPy leaves room for that."""
    from numpy.lib import format

    shape = [0, 0]

    def header() -> None:
        format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": tuple(shape)})

    def write(_: Lines, rows: Rows) -> None:
        if not shape[0]:
            shape[1] = rows.shape[1]
            header()
        shape[0] += len(rows)
        stream.write(rows.astype("<f4", copy=False).data)

    yield write
    end = stream.tell()
    stream.seek(0)
    header()
    if end:
        stream.seek(end)


@contextmanager
def _parquet_rows(stream: BinaryIO) -> Iterator[Write]:
    """Columns of the text, or of the fields of records, and one of lists of numbers."""
    pyarrow, parquet = _parquet()
    writer: Any = None

    def write(lines: Lines, rows: Rows) -> None:
        nonlocal writer
        known = None if writer is None else writer.schema
        if lines.fields is None:
            table = pyarrow.table({"text": pyarrow.array(lines.texts, pyarrow.string())})
        else:
            from windrow.cli.line_answers import fields_of

            records = [fields_of(lines, place) for place in range(len(rows))]
            columns = None if known is None else pyarrow.schema([one for one in known if one.name != VECTOR])
            table = pyarrow.Table.from_pylist(records, columns)
            table = table.drop_columns([VECTOR]) if VECTOR in table.column_names else table
        vectors = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(rows.ravel()), rows.shape[1])
        table = table.append_column(VECTOR, vectors)
        if writer is None:
            writer = parquet.ParquetWriter(stream, table.schema)
        writer.write_table(table)

    try:
        yield write
    except pyarrow.ArrowException as error:
        told = " ".join(str(error).split())
        raise DataError(f"the records make no columns of Parquet ({told}); write a .jsonl file") from error
    finally:
        if writer is not None:
            writer.close()


def _parquet() -> tuple[Any, Any]:
    with needs_package("Parquet needs pyarrow", "parquet"):
        import pyarrow
        from pyarrow import parquet
    return pyarrow, parquet


_WRITERS: dict[str, Callable[[BinaryIO], AbstractContextManager[Write]]] = {
    "text": _text,
    "jsonl": _jsonl,
    "npy": _npy,
    "parquet": _parquet_rows,
}
