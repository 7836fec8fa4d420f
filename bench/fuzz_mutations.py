"""Ways to damage a file: some know its structure, so that what they make passes the first checks and meets the last.

Every function takes bytes and ``dice``, a ``random.Random`` or what has its methods, and is a function of the two.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import re
import zlib
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

Mutation = Callable[[bytes, Random], bytes]

NUMBERS = ["0", "-1", "1", "2147483647", "2147483648", "4294967295", "9007199254740993", "9223372036854775807",
           "9223372036854775808", "-9223372036854775808", "1" + "0" * 23, "nan", "inf", "-inf", "1e308", "1e-320",
           "1e400", "0.5", "-0.0", "1_0", "0x10", "٣", "", "1e", "--1", "1,5"]  # fmt: skip
TOKENS = [b"", b" ", b"\t", b"\0", b"\r", b"\n", b"\n\n", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xc2\xa0",
          b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\x8b", b"\x1f", b"\x0c", b"<s>", b"</s>", b"<unk>", b"<UNK>", b"#",
          b":", b"'", b'"', b",", b";", b"\\", b"-DOCSTART-", b"\\data\\", b"\\1-grams:", b"\\end\\", b"O", b"B-X",
          b"I-Y", b"[", b"{", b"}", b"[[", b"null", b"a" * 5000, b"\xf0\x9f\x98\x80", b"e\xcc\x81"]  # fmt: skip
VALUES: list[Any] = [None, True, False, -1, 0, 1, 2, 7, 2**31, 2**40, 2**63, 10**23, -(2**63), 0.5, 1e308,
                     float("nan"), float("inf"), "", "x", "-1", "\ud800", "a\nb", [], ["x"], [[-1]], [0, 1], [None],
                     {}, {"x": 1}]  # fmt: skip
_ITEM_BYTES = {"F16": 2, "F32": 4, "F64": 8, "I8": 1, "I16": 2, "I32": 4, "I64": 8, "U8": 1, "U16": 2, "U32": 4,
               "U64": 8, "BOOL": 1}  # fmt: skip
_FLOATS = {  # NaN, infinities, a large one, the smallest, one, minus one
    2: [b"\0\x7e", b"\0\x7c", b"\0\xfc", b"\xff\x7b", b"\x01\0", b"\0\x3c", b"\0\xbc"],
    4: [b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\0\0\x80\xff", b"(knN", b"\x01\0\0\0", b"\0\0\x80\x3f", b"\0\0\x80\xbf"],
    8: [b"\0" * 6 + b"\xf8\x7f", b"\0" * 6 + b"\xf0\x7f", b"\0" * 6 + b"\xf0\xff", b"\0\0\0\0\x65\xcd\xcd\x41",
        b"\x01" + b"\0" * 7, b"\0" * 6 + b"\xf0\x3f", b"\0" * 6 + b"\xf0\xbf"],
}  # fmt: skip
_CHECKSUMS = re.compile(r"checksum|digest|sha\d|crc|blake", re.IGNORECASE)
_NUMBER = re.compile(rb"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_PACKERS: dict[bytes, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    b"\x1f\x8b": (gzip.decompress, lambda data: gzip.compress(data, 1, mtime=0)),
    b"BZh": (bz2.decompress, lambda data: bz2.compress(data, 1)),
    b"\xfd7zXZ": (lzma.decompress, lambda data: lzma.compress(data, preset=0)),
}


def mutate(data: bytes, dice: Random, others: Sequence[bytes] = ()) -> bytes:
    """One to four changes of ``data``; pieces of ``others``, files of the same kind, may come in."""
    for _ in range(dice.choice([1, 1, 1, 2, 4])):
        data = _packed(data, dice, others) if data[:2] in (b"\x1f\x8b", b"BZ", b"\xfd7") else _one(data, dice, others)
    return data


def _one(data: bytes, dice: Random, others: Sequence[bytes]) -> bytes:
    if others and dice.random() < 0.05:
        return splice(data, dice, others)
    kinds: list[Mutation] = _BYTES
    if data[8:9] == b"{" and dice.random() < 0.8:
        kinds = _MODEL
    elif data[:1] in (b"{", b"[") and dice.random() < 0.6:
        kinds = [change_json_lines]
    elif b"\0" not in data[:500] and dice.random() < 0.8:
        kinds = _TEXT
    return dice.choice(kinds)(data, dice)


def _packed(data: bytes, dice: Random, others: Sequence[bytes]) -> bytes:
    """Of a compressed file, what is inside is changed, or the file itself."""
    for mark, (unpack, pack) in _PACKERS.items():
        if data.startswith(mark) and dice.random() < 0.6:
            try:
                return pack(_one(unpack(data), dice, []))
            except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error):
                break  # it is broken already
    return splice(data, dice, others) if others and dice.random() < 0.1 else dice.choice(_BYTES)(data, dice)


# --- bytes


def flip_bits(data: bytes, dice: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.choice([1, 1, 1, 3, 10])):
        if changed:
            changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def cut_short(data: bytes, dice: Random) -> bytes:
    return data[: dice.randint(0, len(data))]


def take_out(data: bytes, dice: Random) -> bytes:
    start = dice.randint(0, len(data))
    return data[:start] + data[start + dice.choice([1, 1, 4, 8, 40, 400]) :]


def repeat(data: bytes, dice: Random) -> bytes:
    start = dice.randint(0, len(data))
    piece = data[start : start + dice.choice([1, 4, 8, 40, 400])]
    return data[:start] + piece * dice.choice([2, 2, 3, 50]) + data[start + len(piece) :]


def move(data: bytes, dice: Random) -> bytes:
    start, size = dice.randint(0, len(data)), dice.choice([1, 4, 8, 40])
    rest, piece = data[:start] + data[start + size :], data[start : start + size]
    target = dice.randint(0, len(rest))
    return rest[:target] + piece + rest[target:]


def put_in(data: bytes, dice: Random) -> bytes:
    start = dice.randint(0, len(data))
    return data[:start] + dice.choice(TOKENS) + data[start:]


def write_integer(data: bytes, dice: Random) -> bytes:
    """Four or eight bytes become an integer at the end of its range."""
    size = dice.choice([2, 4, 8])
    start = dice.randint(0, max(0, len(data) - size))
    value = dice.choice([0, 1, 2 ** (8 * size) - 1, 2 ** (8 * size - 1), 2 ** (8 * size - 1) - 1, 2 ** (4 * size)])
    return data[:start] + value.to_bytes(size, "little") + data[start + size :]


def splice(data: bytes, dice: Random, others: Sequence[bytes]) -> bytes:
    """The beginning of one file and the end of another."""
    other = dice.choice(others)
    return data[: dice.randint(0, len(data))] + other[dice.randint(0, len(other)) :]


# --- text


def change_number(data: bytes, dice: Random) -> bytes:
    places = list(_NUMBER.finditer(data))
    if not places:
        return put_in(data, dice)
    place = dice.choice(places)
    return data[: place.start()] + dice.choice(NUMBERS).encode() + data[place.end() :]


def change_lines(data: bytes, dice: Random) -> bytes:
    """A line is repeated, left out, exchanged with another, or ends in another way."""
    lines = data.splitlines(keepends=True) or [b""]
    first, second = dice.randrange(len(lines)), dice.randrange(len(lines))
    kind = dice.randrange(5)
    if kind == 0:
        lines.insert(second, lines[first])
    elif kind == 1:
        del lines[first]
    elif kind == 2:
        lines[first], lines[second] = lines[second], lines[first]
    elif kind == 3:
        lines[first] = lines[first].rstrip(b"\r\n") + dice.choice([b"", b"\r\n", b"\r", b"\n\n", b" \n", b"\x0b"])
    else:
        end = dice.choice([b"\r\n", b"\r", b"\n\n", b" \n"])
        lines = [line.rstrip(b"\r\n") + end for line in lines]
    return b"".join(lines)


def change_fields(data: bytes, dice: Random) -> bytes:
    """Within a line a field is repeated, left out, exchanged or becomes something odd."""
    lines = data.split(b"\n")
    number = dice.randrange(len(lines))
    mark = next((mark for mark in (b"\t", b",", b";") if mark in lines[number]), b" ")
    fields = lines[number].split(mark)
    first, second = dice.randrange(len(fields)), dice.randrange(len(fields))
    kind = dice.randrange(5)
    if kind == 0:
        fields.insert(second, fields[first])
    elif kind == 1:
        del fields[first]
    elif kind == 2:
        fields[first], fields[second] = fields[second], fields[first]
    elif kind == 3:
        fields[first] = dice.choice([*TOKENS, *(number.encode() for number in NUMBERS)])
    else:
        mark = dice.choice([b"\t", b" ", b"  ", b",", b"\xc2\xa0"])
    lines[number] = mark.join(fields)
    return b"\n".join(lines)


def change_json_lines(data: bytes, dice: Random) -> bytes:
    """A value of a JSON text, or of one line of many."""
    try:
        return json.dumps(change_value(json.loads(data), dice)).encode()
    except (ValueError, RecursionError):
        pass
    lines = data.split(b"\n")
    number = dice.randrange(len(lines))
    try:
        lines[number] = json.dumps(change_value(json.loads(lines[number]), dice)).encode()
    except (ValueError, RecursionError):
        return change_fields(data, dice)
    return b"\n".join(lines)


# --- JSON


def change_value(value: Any, dice: Random) -> Any:
    """The value with one part of it changed, left out, repeated or buried."""
    if isinstance(value, dict | list) and value and dice.random() < 0.9:
        key = dice.choice(list(value)) if isinstance(value, dict) else dice.randrange(len(value))
        changed = value.copy()
        kind = dice.random()
        if kind < 0.1:
            del changed[key]
        elif kind < 0.15 and isinstance(changed, list):
            changed = changed * dice.choice([2, 50]) if len(changed) < 1000 else changed
        elif kind < 0.2 and isinstance(changed, dict):
            changed[key], other = changed[dice.choice(list(changed))], changed[key]
            changed[dice.choice(list(changed))] = other
        else:
            changed[key] = change_value(changed[key], dice)
        return changed
    return _other_value(value, dice)


def _other_value(value: Any, dice: Random) -> Any:
    kind = dice.random()
    if isinstance(value, int | float) and not isinstance(value, bool) and kind < 0.4:
        return dice.choice([value + 1, value - 1, -value, value * 2, value * 10**6])
    if isinstance(value, str) and kind < 0.3:
        return dice.choice([value + "x", value[:-1], value.upper(), value * 3])
    if kind < 0.45:
        for _ in range(dice.choice([1, 3, 60])):
            value = [value]
        return value
    return dice.choice(VALUES)


# --- model files: the header that says what is there, and the arrays


def change_model(data: bytes, dice: Random) -> bytes:
    """A part of a file in safetensors: a value of windrow's header, of the layout, or the numbers of an array.

    Checksums of the data go where the data change, so that a change meets what reads it; windrow opens files without.
    """
    try:
        length = int.from_bytes(data[:8], "little")
        layout = json.loads(data[8 : 8 + length])
        metadata = layout.pop("__metadata__", {})
        body = data[8 + length :]
        arrays = {name: body[slice(*entry["data_offsets"])] for name, entry in layout.items()}
        kind = dice.random()
        if kind < 0.4 and "windrow" in metadata:
            metadata["windrow"] = json.dumps(change_value(json.loads(metadata["windrow"]), dice))
        elif kind < 0.5:
            layout = change_value(layout, dice)
            return _packed_model(metadata, layout, body)
        elif kind < 0.8:
            name = dice.choice(list(layout))
            arrays[name] = _other_numbers(arrays[name], layout[name]["dtype"], dice)
        else:
            _other_array(arrays, layout, dice)
        if dice.random() < 0.9:
            metadata = _unsigned(metadata)
        return _joined_model(metadata, layout, arrays)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError):
        return flip_bits(data, dice)  # it is broken already


def _unsigned(metadata: dict[str, str]) -> dict[str, str]:
    """The header without checksums."""
    kept = unsigned(metadata)
    if "windrow" in kept:
        kept["windrow"] = json.dumps(unsigned(json.loads(kept["windrow"])))
    return kept


def unsigned(header: Any) -> Any:
    """A header without what is called a checksum."""
    if not isinstance(header, dict):
        return header
    return {name: value for name, value in header.items() if not _CHECKSUMS.search(name)}


def _other_numbers(array: bytes, dtype: str, dice: Random) -> bytes:
    """The array with some items that are other numbers of its type."""
    size = _ITEM_BYTES[dtype]
    items = [array[start : start + size] for start in range(0, len(array), size)]
    for _ in range(dice.choice([1, 1, 3, len(items)]) if items else 0):
        place = dice.randrange(len(items))
        if dtype.startswith("F"):
            items[place] = dice.choice(_FLOATS[size])
        else:
            whole = int.from_bytes(items[place], "little")
            near = [whole + 1, whole - 1, whole ^ 1 << dice.randrange(8 * size)]
            ends = [0, 1, 2 ** (8 * size) - 1, 2 ** (8 * size - 1), 2 ** (8 * size - 1) - 1]
            items[place] = (dice.choice([*near, *ends]) % 2 ** (8 * size)).to_bytes(size, "little")
    return b"".join(items)


def _other_array(arrays: dict[str, bytes], layout: dict[str, Any], dice: Random) -> None:
    """An array is exchanged with another, longer, shorter, of another shape or type, or gone."""
    first, second = dice.choice(list(layout)), dice.choice(list(layout))
    kind = dice.randrange(6)
    if kind == 0:
        arrays[first], arrays[second] = arrays[second], arrays[first]
        layout[first], layout[second] = layout[second], layout[first]
    elif kind == 1:
        del arrays[first], layout[first]
    elif kind == 2:  # as a flat array of bytes
        layout[first] = {**layout[first], "dtype": "U8", "shape": [len(arrays[first])]}
    elif kind == 3:
        count = len(arrays[first]) // _ITEM_BYTES[layout[first]["dtype"]]
        layout[first] = {**layout[first], "shape": dice.choice([[count], [1, count], [count, 1], [1, 1, count]])}
    elif kind == 4:
        times = dice.choice([0, 2, 3])
        shape = layout[first]["shape"]
        arrays[first] *= times
        layout[first] = {**layout[first], "shape": [shape[0] * times, *shape[1:]]}
    else:
        shape = layout[first]["shape"]
        kept = max(0, shape[0] - 1)
        arrays[first] = arrays[first][: len(arrays[first]) // max(1, shape[0]) * kept]
        layout[first] = {**layout[first], "shape": [kept, *shape[1:]]}


def _joined_model(metadata: dict[str, str], layout: dict[str, Any], arrays: dict[str, bytes]) -> bytes:
    end = 0
    placed = {}
    for name, entry in layout.items():
        start, end = end, end + len(arrays[name])
        placed[name] = {**entry, "data_offsets": [start, end]}
    return _packed_model(metadata, placed, b"".join(arrays[name] for name in layout))


def _packed_model(metadata: dict[str, str], layout: Any, body: bytes) -> bytes:
    header = json.dumps({"__metadata__": metadata, **layout}).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + body


_BYTES: list[Mutation] = [flip_bits, flip_bits, cut_short, take_out, repeat, move, put_in, write_integer]
_TEXT: list[Mutation] = [change_number, change_number, change_lines, change_fields, change_fields, put_in, take_out]
_MODEL: list[Mutation] = [change_model]
