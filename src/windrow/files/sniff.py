"""What a file is, by its first bytes; readers are in the packages of their subjects."""

from __future__ import annotations

import codecs
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from windrow.errors import DataError, FormatError, OptionError
from windrow.files.compression import compression_of, path_name, reading
from windrow.files.kinds import KINDS, Kind, refuse_folder, wrong_kind

ARPA_ENDINGS = ("arpa", "lm")
_ARPA_NAME = re.compile(rf"\.({'|'.join(ARPA_ENDINGS)})(\.(gz|bz2|xz|zst))?$", re.IGNORECASE)
_ARPA_START = re.compile(rb"(?:^|\n)[ \t]*\\data\\[ \t\r]*(?:\n|$)", re.IGNORECASE)
START_BYTES = 1 << 16  # enough to recognize a file
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_TEXT_BYTES = 1 << 12
_LONGEST_LINE = 1 << 24
_LONGEST_HEADER = 100_000_000  # bytes of a safetensors header, the library's own limit
_OUR_MARKS = ((8, b'{"__metadata__":{"'), (26, b'windrow":"'), (36, b'{\\"format\\": \\"windrow'))  # each at its byte
_STORED_KIND = re.compile(rb'\\"kind\\": \\"([\w-]+)\\"')  # in the header of a model file
_SAMPLE_LINES = 100
_VECTOR_HEADER = re.compile(rb"\d{1,18}[ \t]+\d{1,6}")
_FRACTIONS_AFTER_A_WORD = re.compile(rb"\S+(?:[ \t]+-?\d+\.\d+(?:[eE][-+]?\d+)?){3,}")
_NUMBERS_AFTER_A_WORD = re.compile(rb"\S+(?:[ \t]+-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?){2,}")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Foreign:
    """A kind of file that windrow does not open."""

    what: str  # "is a zip archive"
    remedy: str  # what its owner can type


FOREIGN = {
    "empty": Foreign("is empty", "was a download or a copy interrupted?"),
    "git-lfs": Foreign("is a pointer of git-lfs, not the file itself", "fetch the file: git lfs pull"),
    "html": Foreign(
        "is a web page (HTML or XML), not the file itself", "download it again from its own address, not a page's"
    ),
    "pickle": Foreign(
        "is a Python pickle, as gensim's .model and .kv files are; it can run code, so windrow never runs one",
        "the vectors in gensim's are read by `windrow vectors` and windrow.load",
    ),
    "fasttext": Foreign(
        "is a binary model of fastText", "`windrow vectors` reads its word vectors, `windrow classify` a classifier",
    ),
    "kenlm": Foreign("is a binary of KenLM", "give the ARPA file that it was built from; windrow reads those as fast"),
    "pytorch": Foreign(
        "is a file of PyTorch, which holds pickles and can run code", "save the matrix with numpy.save in PyTorch"
    ),
    "npz": Foreign("is a NumPy archive of several arrays", "save one: numpy.save('x.npy', numpy.load(FILE)[NAME])"),
    "zip": Foreign("is a zip archive", "unpack it first: unzip FILE"),
    "tar": Foreign("is a tar archive", "unpack it first: tar xf FILE"),
    "hdf5": Foreign("is an HDF5 file", "write its matrix with numpy.save, and its words one per line"),
    "sqlite": Foreign("is an SQLite database, as .magnitude files are", "convert it back to text with its own program"),
    "gguf": Foreign("is a GGUF model", "windrow reads word vectors, n-gram models and its own files"),
    "pdf": Foreign("is a PDF document", "extract its text first: pdftotext FILE"),
    "rtf": Foreign("is an RTF document", "save it as plain text in UTF-8"),
    "office": Foreign("is a document of Microsoft Office", "save it as plain text in UTF-8"),
    "image": Foreign("is a picture", "was another file meant?"),
    "arrow": Foreign("is an Arrow file, as Feather writes", "write it as Parquet: pyarrow.parquet.write_table"),
    "7z": Foreign("is a 7z archive", "unpack it first: 7z x FILE"),
    "rar": Foreign("is a RAR archive", "unpack it first: unrar x FILE"),
    "lz4": Foreign("is compressed by lz4, which windrow does not read", "unpack it first: lz4 -d FILE"),
    "lzma": Foreign("is compressed as .lzma, which windrow does not read", "unpack it first: xz -d FILE"),
    "compress": Foreign("is compressed as .Z, which windrow does not read", "unpack it first: uncompress FILE"),
    "twice": Foreign("is compressed twice", "unpack it once first"),
    "utf-32": Foreign("is text in UTF-32", "convert it first: iconv -f UTF-32 -t UTF-8 FILE"),
    "utf-16": Foreign("is text in UTF-16", "convert it first: iconv -f UTF-16 -t UTF-8 FILE"),
}  # fmt: skip

_MAGIC: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("npy", re.compile(rb"\x93NUMPY")),
    ("parquet", re.compile(rb"PAR1")),
    ("kenlm", re.compile(rb"mmap lm http://kheafield\.com/code")),
    ("git-lfs", re.compile(rb"version https://git-lfs\.github\.com/spec/")),
    ("fasttext", re.compile(re.escape((793712314).to_bytes(4, "little")))),
    ("pytorch", re.compile(rb"PK\x03\x04.{26}[^\n]{0,200}?/data\.pkl", re.DOTALL)),
    ("npz", re.compile(rb"PK\x03\x04.{26}[^/\0]{1,200}?\.npy", re.DOTALL)),
    ("zip", re.compile(rb"PK(\x03\x04|\x05\x06|\x07\x08)")),
    ("tar", re.compile(rb".{257}ustar", re.DOTALL)),
    ("hdf5", re.compile(rb"\x89HDF\r\n\x1a\n")),
    ("sqlite", re.compile(rb"SQLite format 3\0")),
    ("gguf", re.compile(rb"GGUF")),
    ("pdf", re.compile(rb"%PDF-")),
    ("rtf", re.compile(rb"\{\\rtf\d")),
    ("office", re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")),
    ("image", re.compile(rb"\x89PNG\r\n|\xff\xd8\xff[\xe0-\xef\xdb]|GIF8[79]a")),
    ("arrow", re.compile(rb"ARROW1\0\0")),
    ("7z", re.compile(rb"7z\xbc\xaf\x27\x1c")),
    ("rar", re.compile(rb"Rar!\x1a\x07")),
    ("lz4", re.compile(rb"\x04\x22\x4d\x18")),
    ("lzma", re.compile(rb"\x5d\0\0.{2}(?:\xff{8}|.{5}\0{3})", re.DOTALL)),
    ("compress", re.compile(rb"\x1f\x9d[\x80-\x9f]")),
    # Protocols 2 to 5 begin with their number; protocol 0 and 1 with a class, a dict, a list or a tuple.
    ("pickle", re.compile(rb"\x80[\x02-\x05]|c[\w.]+\n\w+\n|\(?[dlt]p?\d*\n|[\]}]q\x00|\(i[\w.]+\n\w+\n")),
    ("html", re.compile(rb"\s*<(!doctype|html|head|body|\?xml|!--)", re.IGNORECASE)),
    ("utf-32", re.compile(rb"\xff\xfe\0\0|\0\0\xfe\xff|(?:[\t\n\r -~]\0{3}){4}|(?:\0{3}[\t\n\r -~]){4}")),
    ("utf-16", re.compile(rb"\xff\xfe|\xfe\xff|(?:[^\0]\0){4}|(?:\0[^\0]){4}")),
)


def recognize(start: bytes) -> str:
    """The kind of file that begins with these bytes, decompressed.

    "windrow" (any model file), "safetensors" (of somebody else), "arpa", "npy", "parquet", a key of ``FOREIGN``, or
    "unknown": text, or the bytes of a format that has no mark.
    """
    if not start:
        return "empty"
    if (stored := _safetensors_kind(start)) is not None:
        return stored
    if compression_of(start):
        return "twice"
    text = start.removeprefix(_BOM)
    for kind, magic in _MAGIC:
        if magic.match(text):
            return kind
    return "arpa" if _ARPA_START.search(text) and b"\0" not in text else "unknown"


def _safetensors_kind(start: bytes) -> str | None:
    """ "windrow" or "safetensors" for a file of safetensors, else None: the length of a header, then JSON."""
    length = int.from_bytes(start[:8], "little")
    if sum(start[place:].startswith(mark) for place, mark in _OUR_MARKS) > 1:  # one may be damaged
        return "windrow"
    if start[8:9] != b"{" or length > _LONGEST_HEADER:
        return None
    header = start[8 : 8 + length]
    if len(header) == length:
        try:
            metadata = json.loads(header).get("__metadata__") or {}
            return "windrow" if "windrow" in metadata else "safetensors"
        except (ValueError, AttributeError, TypeError, RecursionError):
            return None
    # The header goes on beyond these bytes.
    return "safetensors" if re.match(rb'\{\s*"', header) and b'"dtype"' in header else None


def kind_of(path: str | os.PathLike[str]) -> str:
    """The kind of a file, see ``recognize``; FormatError for a folder or broken compression, DataError if unread."""
    return recognize(first_bytes(path))


def first_bytes(path: str | os.PathLike[str], *, whole_line: bool = False) -> bytes:
    """The first decompressed bytes of a file; with ``whole_line`` at least its first line, as far as is sensible."""
    file = Path(path)
    refuse_folder(file)
    with reading(file) as stream:
        start = stream.read(START_BYTES)
        return start + stream.readline(_LONGEST_LINE) if whole_line and b"\n" not in start else start


def is_text(start: bytes) -> bool:
    """Whether bytes can be those of a text: no control characters but tabs and line feeds."""
    return not _CONTROLS.search(start[:_TEXT_BYTES])


def is_utf8(start: bytes) -> bool:
    """Whether bytes are UTF-8; at their end a character may be cut."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start[:_TEXT_BYTES])
    except UnicodeDecodeError:
        return False
    return True


def refuse_foreign(kind: str, path: str | os.PathLike[str]) -> None:
    """Raise FormatError, which says what helps, if windrow opens no file of this kind."""
    if kind in FOREIGN:
        raise FormatError(f"{path_name(Path(path))} {FOREIGN[kind].what}; {FOREIGN[kind].remedy}")


_NOT_MODELS = {
    "arpa": "is an n-gram model in ARPA format",
    "npy": "is a NumPy array",
    "parquet": "is a Parquet file",
}


def what_is(path: str | os.PathLike[str]) -> tuple[str, str]:
    """The kind of a file that can be read again, see ``recognize``, and what it is in words: "is a zip archive"."""
    kind = kind_of(path)
    if kind in FOREIGN:
        return kind, FOREIGN[kind].what
    if kind == "safetensors":
        return kind, "is a safetensors file, but not one of windrow's"
    return kind, _NOT_MODELS.get(kind) or ("is text" if is_plain_text(path) else "is not one of windrow's own formats")


def is_plain_text(path: str | os.PathLike[str]) -> bool:
    """Whether a file, which can be read again, is text without the mark of any format."""
    return Path(path).is_file() and recognize(start := first_bytes(path)) == "unknown" and is_text(start)


def refuse_no_model(path: Path, wanted: str = "model") -> None:
    """Raise FormatError if a file is seen to be none of windrow's, with what it is; ``wanted``: a key of ``KINDS``."""
    kind = kind_of(path)
    refuse_foreign(kind, path)
    if kind == "arpa":
        raise wrong_kind(path, "ngram-lm", wanted)
    if kind in _NOT_MODELS:
        raise FormatError(f"{path} {_NOT_MODELS[kind]}, not {KINDS.get(wanted, Kind(wanted)).what}; name another file")
    if is_plain_text(path):
        raise wrong_kind(path, "text", wanted)


_NOT_TEXT = {
    "safetensors": Foreign("is a file of safetensors, not text", "give the text itself"),
    "npy": Foreign("is a NumPy array, not text", "give the text itself"),
    "parquet": Foreign("is a Parquet file", "read it with format='parquet' and field='NAME', the column of its text"),
    "html": Foreign(
        "is a web page, not text", "was a download refused? Of a page that is meant extract the text first"
    ),
    "pickle": Foreign("is a Python pickle, not text", "write its texts to a file, one per line"),
}
# Of these text has every byte, too, so that their first bytes must say more.
_LOOK_LIKE_TEXT = {
    "arpa": re.compile(b""),
    "git-lfs": re.compile(b""),
    "html": re.compile(rb"\s*<(!doctype html|html|head|body)\b", re.IGNORECASE),
    "pickle": re.compile(rb"c[\w.]+\n\w+\np\d+\n\(|\([dlt]p\d+\n"),
    "pdf": re.compile(rb"%PDF-\d"),
    "rtf": re.compile(b""),
    "utf-16": re.compile(rb"\xff\xfe|\xfe\xff"),
}


def looks_like_vectors(start: bytes) -> bool:
    """Whether a file that begins with these bytes holds word vectors as text: rows of a word and its numbers."""
    whole = start.split(b"\n")[:-1]  # the last may be cut
    header, *rows = [line.strip() for line in whole[:_SAMPLE_LINES] if line.strip()] or [b""]
    if _VECTOR_HEADER.fullmatch(header):
        found = bool(rows) and bool(_NUMBERS_AFTER_A_WORD.fullmatch(rows[0]))
        return found and len(rows[0].split()) == int(header.split()[1]) + 1
    return bool(rows) and all(map(_FRACTIONS_AFTER_A_WORD.fullmatch, [header, *rows]))


def refuse_vectors(start: bytes, name: str) -> None:
    """Raise DataError if a file that begins with these bytes holds word vectors."""
    if looks_like_vectors(start):
        raise DataError(f"{name} holds word vectors, not text; give the text that they were trained on")


def refuse_bare_returns(start: bytes, name: str, fields: int = 2) -> None:
    """Raise FormatError if carriage returns alone end the lines of a file that begins with these bytes.

    ``fields``: as many words as each line must have at least, lest a stray carriage return is taken for an end.
    """
    rows = [] if b"\n" in start else [line for line in start.split(b"\r") if line.strip()]
    if len(rows) > 1 and all(len(line.split()) >= fields for line in rows):
        raise FormatError(
            f"{name}: carriage returns alone end its lines, as on old Macs; convert it first: tr '\\r' '\\n' < FILE"
        )


def refuse_no_text(start: bytes, name: str, expected: str = "") -> None:
    """Raise DataError if a file that begins with these bytes is no text; it may be of the kind ``expected``."""
    kind = recognize(start)
    if kind in (expected, "unknown", "empty"):
        return
    if is_text(start) and not (kind in _LOOK_LIKE_TEXT and _LOOK_LIKE_TEXT[kind].match(start.removeprefix(_BOM))):
        return
    if kind in ("windrow", "arpa"):
        stored = _STORED_KIND.search(start) if kind == "windrow" else None
        raise wrong_kind(name, stored[1].decode() if stored else "ngram-lm" if kind == "arpa" else "model", "text")
    found = _NOT_TEXT.get(kind) or FOREIGN[kind]
    raise DataError(f"{name} {found.what}; {found.remedy}")


def is_arpa(path: str | os.PathLike[str]) -> bool:
    """Whether the name is that of an ARPA file, compressed or not."""
    return _ARPA_NAME.search(os.fspath(path)) is not None


def refuse_arpa(path: str | os.PathLike[str], what: str) -> None:
    """Raise OptionError if a model file that is written to ``path`` would later be read as an ARPA file."""
    if is_arpa(path):
        raise OptionError(f"{path}: an ARPA file cannot hold {what}; name a .safetensors file")
