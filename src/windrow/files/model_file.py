"""Windrow's model file: named arrays in safetensors, and a JSON header that says what they are.

Files appear whole or not at all: everything is written under a temporary name in the same folder, synced, and renamed.
Reading checks the structure before it allocates memory, and maps arrays instead of copying them.

The bytes of a file::

    8 bytes   n, the length of the header, little-endian
    n bytes   the header, JSON filled up with spaces:
              {"__metadata__": {"windrow": "...", "crc32": "01234567"},
               NAME: {"dtype": "F32", "shape": [...], "data_offsets": [first, end]}, ...}
    the rest  the arrays, little-endian; offsets count from here

The string under "windrow" is JSON again: "format", "version", "kind", "config", "provenance", and "crc32_of" with the
checksum of each array's bytes by its name. The "crc32" beside it is that of the 8 + n bytes before the arrays: see
``windrow.files.checksums``. Files that lack both are of before there were any, and open without them.
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
from windrow.files.checksums import CHECKED_BYTES, OWN, PARTS, TO_COME, Crc, digits_of, own_fits, with_own
from windrow.files.kinds import refuse_folder, wrong_kind
from windrow.files.local import as_path, local_file
from windrow.files.sniff import refuse_no_model
from windrow.files.writing import atomic_write, shortened

FORMAT_VERSION = 1
_HEADER_KEY = "windrow"
_HEADER_TYPES = {"version": int, "kind": str, "config": dict, "provenance": dict}
_AGAIN = "take it from a copy, or make it again"
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
_ATTEMPTS = 10  # to open a file that is replaced at the same moment
_MOST_COUNTED = 2.0**62


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
    header = _header(kind, config, provenance or {})
    with atomic_write(path) as temporary, temporary.open("wb") as stream:
        _write_safetensors(stream, arrays, header)


def file_size(stored: StoredModel) -> int:
    """Bytes of the file that ``save`` would write."""
    names, layout = _layout(stored.arrays)
    header = _header(stored.kind, stored.config, stored.provenance)
    start = _start_of_file(header, layout, dict.fromkeys(names, TO_COME))
    return len(start) + sum(array.nbytes for array in stored.arrays.values())


def _header(kind: str, config: Mapping[str, Any], provenance: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "format": "windrow",
        "version": FORMAT_VERSION,
        "kind": kind,
        "config": dict(config),
        "provenance": {"windrow": __version__, **provenance},
    }


def _layout(arrays: Mapping[str, NDArray[Any]]) -> tuple[list[str], dict[str, Any]]:
    """The names of arrays in the order of a file, and what its header says of each."""
    names = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))  # largest items first: all aligned
    layout: dict[str, Any] = {}
    end = 0
    for name in names:
        start, end = end, end + arrays[name].nbytes
        dtype = _DTYPE_NAMES[arrays[name].dtype.newbyteorder("=")]
        layout[name] = {"dtype": dtype, "shape": list(arrays[name].shape), "data_offsets": [start, end]}
    return names, layout


def _write_safetensors(stream: BinaryIO, arrays: Mapping[str, NDArray[Any]], header: dict[str, Any]) -> None:
    """Write the format slice by slice: the library's own writer first makes a copy of all arrays.

    Checksums are known once the arrays are written; room is left for them.
    """
    names, layout = _layout(arrays)
    stream.write(_start_of_file(header, layout, dict.fromkeys(names, TO_COME)))
    checksums = {name: _write_array(stream, arrays[name]) for name in names}
    stream.seek(0)
    stream.write(_start_of_file(header, layout, checksums))


def _start_of_file(header: Mapping[str, Any], layout: Mapping[str, Any], checksums: Mapping[str, str]) -> bytes:
    """All that stands before the arrays; as long whatever the checksums are."""
    metadata = {_HEADER_KEY: json.dumps({**header, PARTS: checksums}), OWN: TO_COME}
    start = json.dumps({"__metadata__": metadata, **layout}, separators=(",", ":")).encode()
    start += b" " * (-len(start) % 8)
    return with_own(len(start).to_bytes(8, "little") + start)


def _write_array(stream: BinaryIO, array: NDArray[Any]) -> str:
    """Write the bytes of an array; returns their checksum."""
    flat, crc = np.ravel(array), Crc()
    rows = max(1, _SLICE_BYTES // flat.itemsize)
    for start in range(0, flat.size, rows):
        piece = np.ascontiguousarray(flat[start : start + rows], flat.dtype.newbyteorder("<")).view(np.uint8).data
        stream.write(piece)
        crc.update(piece)
    return crc.digits


def load(path: str | os.PathLike[str], kind: str | None = None) -> StoredModel:
    """Open a model file; its arrays are read-only memory maps.

    Raises FormatError for a file that is damaged, of a newer version, or, given ``kind``, of another kind. The checksum
    of its header is compared, and in files of up to ``CHECKED_BYTES`` those of its arrays.
    """
    given = as_path(path)
    with local_file(given, unpack=True) as source:
        stored = _load(source, kind)
        if source == given:
            return stored
        # The temporary copy of a pipe or a compressed file goes, so its arrays come into memory.
        return replace(stored, arrays={name: np.array(array) for name, array in stored.arrays.items()})


def _load(source: Path, kind: str | None) -> StoredModel:
    with _opened(source, kind or "model") as stream:
        header, layout, data_start = _read_header(stream, source)
        if kind is not None and header["kind"] != kind:
            raise wrong_kind(source, header["kind"], kind)
        if os.fstat(stream.fileno()).st_size <= CHECKED_BYTES:
            _verify_arrays(stream, source, header, layout, data_start)
        arrays = {name: _map_array(stream, source, name, entry, data_start) for name, entry in layout.items()}
    return StoredModel(header["kind"], header["config"], header["provenance"], arrays)


def read_start(path: str | os.PathLike[str]) -> StoredModel:
    """What a model file says of itself, without the arrays; FormatError as ``load``."""
    with local_file(as_path(path), unpack=True) as source, _opened(source) as stream:
        header, _, _ = _read_header(stream, source)
        return StoredModel(header["kind"], header["config"], header["provenance"], {})


def verify(path: str | os.PathLike[str]) -> bool:
    """Compare all of a model file, however large, with its checksums; False where it has none.

    Raises FormatError, which names the damaged part, where they differ.
    """
    with local_file(as_path(path), unpack=True) as source, _opened(source) as stream:
        header, layout, data_start = _read_header(stream, source)
        _verify_arrays(stream, source, header, layout, data_start)
        return PARTS in header


@contextmanager
def _reading_errors(source: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error).removesuffix(f": {source}")
        raise DataError(f"cannot read {source}: {reason}") from error


@contextmanager
def _opened(source: Path, wanted: str = "model") -> Iterator[BinaryIO]:
    """A sound safetensors file, opened once for all of its parts: another may be renamed to its place meanwhile."""
    with _reading_errors(source):
        refuse_folder(source, wanted)
        for _ in range(_ATTEMPTS):
            with source.open("rb") as stream:
                _check_safetensors(source, wanted)
                if os.path.samestat(os.fstat(stream.fileno()), source.stat()):  # what was checked is what is open
                    yield stream
                    return
    raise DataError(f"{source} was replaced {_ATTEMPTS} times while it was opened; try again later")


def _check_safetensors(source: Path, wanted: str) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        # The library checks that the header fits the file, and that the arrays fill it exactly.
        with safe_open(source, framework="numpy"):
            pass
    except SafetensorError as error:
        refuse_no_model(source, wanted)
        told = shortened(" ".join(str(error).split()))
        raise FormatError(
            f"{source} is damaged: it is not a valid safetensors file ({told}); was it cut short?"
        ) from error


def _read_header(stream: BinaryIO, source: Path) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Windrow's header, the layout of the arrays, and the byte at which their data start."""
    start = stream.read(8)
    start += stream.read(int.from_bytes(start, "little"))
    is_sound = own_fits(start)
    if is_sound is False:
        raise FormatError(f"{source} is damaged: its header is not what was written; {_AGAIN}")
    layout = json.loads(start[8:])
    header = _own_header(layout.pop("__metadata__", None) or {})
    if header is None:
        raise FormatError(f"{source} is a safetensors file, but not one of windrow's")
    if header["version"] > FORMAT_VERSION:
        raise FormatError(
            f"{source} has format version {header['version']}, this windrow reads up to {FORMAT_VERSION}; "
            "update windrow"
        )
    checksums = header.get(PARTS)
    of_all = isinstance(checksums, dict) and checksums.keys() == layout.keys()
    if not (of_all if is_sound else checksums is None):
        raise FormatError(f"{source} is damaged: its checksums are not complete; {_AGAIN}")
    return header, layout, len(start)


def _own_header(metadata: Mapping[str, str]) -> dict[str, Any] | None:
    """Windrow's header in the metadata of a safetensors file; None where there is none."""
    try:
        header: dict[str, Any] = json.loads(metadata[_HEADER_KEY])
        sound = header["format"] == "windrow" and header["version"] is not True
        sound = sound and all(isinstance(header[name], kind) for name, kind in _HEADER_TYPES.items())
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    return header if sound else None


def _verify_arrays(
    stream: BinaryIO, source: Path, header: Mapping[str, Any], layout: Mapping[str, Any], data_start: int
) -> None:
    """Raise FormatError for the first array whose bytes disagree with its checksum; a file may have none."""
    checksums = header.get(PARTS, {})
    for name in sorted(checksums, key=lambda name: layout[name]["data_offsets"][0]):
        start, end = layout[name]["data_offsets"]
        stream.seek(data_start + start)
        if digits_of(stream, end - start) != checksums[name]:
            raise FormatError(
                f"{source} is damaged: the array {shortened(repr(name))} is not what was written; {_AGAIN}"
            )


def _map_array(stream: BinaryIO, source: Path, name: str, entry: dict[str, Any], data_start: int) -> NDArray[Any]:
    if entry["dtype"] not in _DTYPES:
        raise FormatError(f"{source}: the array {shortened(repr(name))} has the unknown type {entry['dtype']}")
    dtype, shape = np.dtype(_DTYPES[entry["dtype"]]), tuple(entry["shape"])
    if 0 in shape:
        return np.empty(shape, dtype)  # an empty region cannot be mapped
    offset = data_start + entry["data_offsets"][0]
    return np.memmap(stream, dtype=dtype, mode="r", offset=offset, shape=shape)


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


def as_counts(array: NDArray[Any] | None, words: int, path: str | os.PathLike[str]) -> NDArray[np.int64]:
    """How often words occur, as a file has it, in memory; FormatError unless they are one count per word.

    Counts that are negative, or so large that a sum is, would give Huffman trees as deep as there are words.
    """
    if array is None or array.shape != (words,) or array.dtype != np.int64:
        found = "missing" if array is None else f"{array.dtype} {array.shape}"
        raise FormatError(f"{path}: the vocabulary is damaged (counts of words are {found}, not int64 ({words},))")
    counts = np.array(array)
    if counts.min(initial=0) < 0 or counts.sum(dtype=np.float64) > _MOST_COUNTED:
        raise FormatError(f"{path}: the vocabulary is damaged (counts of words are out of range)")
    return counts


def pack_words(words: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Words as two arrays: their UTF-8 bytes, and the offsets (words + 1,) at which words start."""
    lines = np.frombuffer("\n".join([*words, ""]).encode("utf-8", "surrogatepass"), np.uint8)
    ends = np.flatnonzero(lines == ord("\n"))
    if len(ends) == len(words):  # nearly always; faster than encoding word by word
        offsets = np.append(0, ends - np.arange(len(words)))
        return {"word_bytes": lines[lines != ord("\n")], "word_offsets": offsets}
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
