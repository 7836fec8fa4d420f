"""JSON lines for vector databases: an object per word, with its row as ``id``, its vector, and its count if known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.formats.contract import ReadOptions, VectorData
from windrow.embeddings.formats.rows import RowReader
from windrow.embeddings.formats.text import numbers_as_text
from windrow.errors import FormatError
from windrow.files.compression import creating, reading
from windrow.files.model_file import as_counts

_EXAMPLE = '{"word": "cat", "vector": [0.5, -1]}'
_CHECKED_AT_ONCE = 1024  # rows
_MOST_COUNTED = 1 << 62


def is_row(line: bytes) -> bool:
    """Whether a line is such an object."""
    if not line.lstrip().startswith(b"{"):
        return False
    row = _object(line.decode("utf-8", "replace"))
    return row is not None and {"word", "vector"} <= row.keys()


def read_jsonl(path: Path, options: ReadOptions) -> VectorData:
    """Read an object per line: ``word``, ``vector`` and, if all have one, ``count``. What else it has is left out."""
    table: RowReader | None = None
    counts: dict[int, int] = {}
    with reading(path) as stream:
        for number, line in enumerate(stream, 1):
            if table is not None and table.is_full:
                break
            if not line.strip():
                continue
            at = f"{path}, line {number}"
            row = _object(_decoded(line, at, options))
            values = None if row is None else _numbers(row.get("vector"))
            if row is None or values is None or not isinstance(word := row.get("word"), str):
                raise FormatError(f"{at}: expected an object such as {_EXAMPLE}; was the file cut short?")
            table = table or RowReader(path, "line", options, len(values))
            if len(values) != table.dim:
                raise FormatError(f"{at}: {len(values)} numbers, expected {table.dim} as in the first line")
            place = table.place(word.encode("utf-8", "surrogatepass"), number)
            if place is not None:
                table.put(place, values)
                if (count := _count(row.get("count"), at)) is not None:
                    counts[place] = count
            if table.seen % _CHECKED_AT_ONCE == 0:
                table.check_finite()
    if table is None:
        raise FormatError(f"{path} holds no words")
    data = table.finish()
    if len(counts) < len(data.words):
        return data
    in_order = np.array([counts[row] for row in range(len(counts))], np.int64)
    return VectorData(data.words, data.vectors, as_counts(in_order, len(in_order), path))


def _decoded(line: bytes, at: str, options: ReadOptions) -> str:
    try:
        return line.decode("utf-8", options.errors)
    except UnicodeDecodeError as error:
        raise FormatError(f"{at}: the line is not UTF-8; try errors='replace' or errors='ignore'") from error


def _object(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _numbers(vector: object) -> NDArray[np.float32] | None:
    if not isinstance(vector, list) or not vector or not all(type(value) in (int, float) for value in vector):
        return None
    try:
        with np.errstate(over="ignore"):  # an infinity is found later
            return np.array(vector, np.float64).astype(np.float32)
    except OverflowError:  # a whole number beyond all bounds
        return None


def _count(count: object, at: str) -> int | None:
    if count is None:
        return None
    if type(count) is not int or not 0 <= count <= _MOST_COUNTED:
        raise FormatError(f"{at}: the count must be a whole number that is not negative; correct it, or take it out")
    return count


def write_jsonl(data: VectorData, path: Path) -> None:
    """The inverse of ``read_jsonl``; numbers read back to the same float32."""
    with creating(path) as stream:
        for row, (word, vector) in enumerate(zip(data.words, data.vectors, strict=True)):
            named = json.dumps({"id": row, "word": word}, ensure_ascii=False).removesuffix("}").encode()
            count = b"" if data.counts is None else b', "count": %d' % data.counts[row]
            stream.write(named + b', "vector": [' + numbers_as_text(vector, b", ") + b"]" + count + b"}\n")
