"""Windrow's model file: named arrays in safetensors, and a JSON header that says what they are.

Files appear whole or not at all: everything is written under a temporary name in the same folder, synced, and renamed.
Reading checks the structure before it allocates memory, and maps arrays instead of copying them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from windrow._version import __version__
from windrow.errors import DataError, FormatError, WindrowError
from windrow.files.local import as_path, local_file
from windrow.files.sniff import refuse_no_model
from windrow.files.writing import atomic_write, shortened

FORMAT_VERSION = 1
_HEADER_KEY = "windrow"
_HEADER_TYPES = {"version": int, "kind": str, "config": dict, "provenance": dict}
_DTYPES = {
    "F16": np.float16,
    "F32": np.float32,
    "F64": np.float64,
    "I8": np.int8,
    "I16": np.int16,
    "I32": np.int32,
    "I64": np.int64,
    "U8": np.uint8,
    "U16": np.uint16,
    "U32": np.uint32,
    "U64": np.uint64,
    "BOOL": np.bool_,
}
_DTYPE_NAMES = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}
_SLICE_BYTES = 1 << 24


@dataclass(frozen=True)
class StoredModel:
    """The content of a model file."""

    kind: str  # "word-vectors", for example; it decides which class opens the file
    config: dict[str, Any]  # plain JSON data
    provenance: dict[str, Any]  # plain JSON data: versions, options, the corpus
    arrays: dict[str, NDArray[Any]]


def save(
    path: str | os.PathLike[str],
    kind: str,
    arrays: Mapping[str, NDArray[Any]],
    config: Mapping[str, Any],
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Write a model file, atomically; ``config`` and ``provenance`` must be plain JSON data."""
    header = {
        "format": "windrow",
        "version": FORMAT_VERSION,
        "kind": kind,
        "config": dict(config),
        "provenance": {"windrow": __version__, **(provenance or {})},
    }
    with atomic_write(path) as temporary, temporary.open("wb") as stream:
        _write_safetensors(stream, arrays, {_HEADER_KEY: json.dumps(header)})


def _write_safetensors(stream: BinaryIO, arrays: Mapping[str, NDArray[Any]], metadata: dict[str, str]) -> None:
    """Write the format slice by slice: the library's own writer first makes a copy of all arrays."""
    names = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))  # largest items first: all aligned
    layout: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for name in names:
        start, end = end, end + arrays[name].nbytes
        dtype = _DTYPE_NAMES[arrays[name].dtype.newbyteorder("=")]
        layout[name] = {"dtype": dtype, "shape": list(arrays[name].shape), "data_offsets": [start, end]}
    header = json.dumps(layout, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    stream.write(len(header).to_bytes(8, "little") + header)
    for name in names:
        flat = np.ravel(arrays[name])
        rows = max(1, _SLICE_BYTES // flat.itemsize)
        for start in range(0, flat.size, rows):
            piece = np.ascontiguousarray(flat[start : start + rows], flat.dtype.newbyteorder("<"))
            stream.write(piece.view(np.uint8).data)


def load(path: str | os.PathLike[str], kind: str | None = None) -> StoredModel:
    """Open a model file; its arrays are read-only memory maps.

    Raises FormatError for a file that is truncated, of a newer version, or, given ``kind``, of another kind.
    """
    given = as_path(path)
    with local_file(given, unpack=True) as source:
        stored = _load(source, kind)
        if source == given:
            return stored
        # The temporary copy of a pipe or a compressed file goes, so its arrays come into memory.
        return replace(stored, arrays={name: np.array(array) for name, array in stored.arrays.items()})


def _load(source: Path, kind: str | None) -> StoredModel:
    try:
        header, layout, data_start = _read_header(source)
    except OSError as error:
        reason = error.strerror or str(error).removesuffix(f": {source}")
        raise DataError(f"cannot read {source}: {reason}") from error
    if header["version"] > FORMAT_VERSION:
        raise FormatError(
            f"{source} has format version {header['version']}, this windrow reads up to {FORMAT_VERSION}; "
            "update windrow"
        )
    if kind is not None and header["kind"] != kind:
        raise FormatError(f"{source} holds a model of kind {header['kind']!r}, not {kind!r}")
    arrays = {name: _map_array(source, name, entry, data_start) for name, entry in layout.items()}
    return StoredModel(header["kind"], header["config"], header["provenance"], arrays)


def _read_header(source: Path) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Windrow's header, the layout of the arrays, and the byte at which their data start."""
    from safetensors import SafetensorError, safe_open

    if source.is_dir():
        raise FormatError(f"{source} is a folder, not a model file")
    try:
        # The library checks that the header fits the file, and that the arrays fill it exactly.
        with safe_open(source, framework="numpy"):
            pass
    except SafetensorError as error:
        refuse_no_model(source)
        raise FormatError(f"{source} is not a valid safetensors file ({error}); was it cut short?") from error
    with source.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        layout = json.loads(stream.read(length))
    metadata = layout.pop("__metadata__", None) or {}
    try:
        header = json.loads(metadata[_HEADER_KEY])
        sound = header["format"] == "windrow" and all(
            isinstance(header[name], kind) for name, kind in _HEADER_TYPES.items()
        )
    except (KeyError, TypeError, ValueError):
        sound = False
    if not sound:
        raise FormatError(f"{source} is a safetensors file, but not one of windrow's")
    return header, layout, 8 + length


def _map_array(source: Path, name: str, entry: dict[str, Any], data_start: int) -> NDArray[Any]:
    if entry["dtype"] not in _DTYPES:
        raise FormatError(f"{source}: the array {name!r} has the unknown type {entry['dtype']}")
    dtype, shape = np.dtype(_DTYPES[entry["dtype"]]), tuple(entry["shape"])
    if 0 in shape:
        return np.empty(shape, dtype)  # an empty region cannot be mapped
    offset = data_start + entry["data_offsets"][0]
    return np.memmap(source, dtype=dtype, mode="r", offset=offset, shape=shape)


@contextmanager
def parts_of(path: str | os.PathLike[str]) -> Iterator[None]:
    """Within, what Python or NumPy cannot make of a file's parts is a FormatError: they are not what they should be."""
    try:
        yield
    except WindrowError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, MemoryError) as error:
        told = " ".join(f"{type(error).__name__}: {error}".split())
        raise FormatError(f"{path} is damaged: a part of it is not what it should be ({shortened(told)})") from error


def check_finite(array: NDArray[Any], name: str, path: str | os.PathLike[str]) -> None:
    """Raise FormatError if ``array`` (rows, columns) has NaN or an infinity; reads it in slices."""
    for start in range(0, len(array), 65536):
        finite = np.isfinite(array[start : start + 65536])
        if not finite.all():
            row = start + int(np.argwhere(~finite)[0][0])
            raise FormatError(f"{path}: {name} holds a number that is not finite (row {row + 1})")


def pack_words(words: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Words as two arrays: their UTF-8 bytes, and the offsets (words + 1,) at which words start."""
    encoded = [word.encode("utf-8", "surrogatepass") for word in words]
    offsets = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(word) for word in encoded], out=offsets[1:])
    return {"word_bytes": np.frombuffer(b"".join(encoded), np.uint8), "word_offsets": offsets}


def unpack_words(arrays: Mapping[str, NDArray[Any]], path: str | os.PathLike[str]) -> list[str]:
    """The inverse of ``pack_words``; FormatError names ``path`` when bytes and offsets disagree."""
    try:
        stored, offsets = arrays["word_bytes"], arrays["word_offsets"]
    except KeyError as error:
        raise FormatError(f"{path} holds no vocabulary ({error} is missing)") from error
    if stored.dtype != np.uint8 or offsets.dtype != np.int64 or offsets.ndim != 1:
        raise FormatError(
            f"{path}: a vocabulary is uint8 and int64 (words + 1,), not {stored.dtype}, {offsets.dtype} {offsets.shape}"
        )
    data = stored.tobytes()
    ordered = len(offsets) > 0 and offsets[0] == 0 and offsets[-1] == len(data) and bool((np.diff(offsets) >= 0).all())
    if not ordered:
        raise FormatError(f"{path}: the word offsets do not fit the word bytes")
    try:
        if b"\n" not in data and len(offsets) > 1:  # nearly always; faster than decoding word by word
            lines = np.insert(np.frombuffer(data, np.uint8), offsets[1:-1], ord("\n"))
            return lines.tobytes().decode("utf-8", "surrogatepass").split("\n")
        bounds = offsets.tolist()
        return [data[start:stop].decode("utf-8", "surrogatepass") for start, stop in pairwise(bounds)]
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: the vocabulary is not UTF-8") from error
