"""What a file is, by its first bytes; readers are in the packages of their subjects."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from windrow.errors import DataError, FormatError, OptionError
from windrow.files.compression import path_name, reading

_ARPA_NAME = re.compile(r"\.(arpa|lm)(\.(gz|bz2|xz|zst))?$", re.IGNORECASE)
_ARPA_START = re.compile(rb"(?:^|\n)[ \t]*\\data\\[ \t\r]*(?:\n|$)")
START_BYTES = 1 << 16  # enough to recognize a file
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_TEXT_BYTES = 1 << 12
_LONGEST_HEADER = 100_000_000  # bytes of a safetensors header, the library's own limit
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Foreign:
    """A kind of file that windrow does not open."""

    what: str  # "is a zip archive"
    remedy: str  # what its owner can type


_GENSIM = "write them in gensim: {}.save_word2vec_format('vectors.bin', binary=True)"
FOREIGN = {
    "empty": Foreign("is empty", "was a download or a copy interrupted?"),
    "git-lfs": Foreign("is a pointer of git-lfs, not the file itself", "fetch the file: git lfs pull"),
    "html": Foreign(
        "is a web page (HTML or XML), not the file itself", "download it again from its own address, not a page's"
    ),
    "pickle": Foreign(
        "is a Python pickle, as gensim's .model and .kv files are; it can run code, so windrow never opens one",
        "if it holds vectors, " + _GENSIM.format("KeyedVectors.load(FILE) or Word2Vec.load(FILE).wv"),
    ),
    "fasttext": Foreign(
        "is a binary model of fastText, which windrow does not read",
        "take the .vec file beside it, or " + _GENSIM.format("load_facebook_vectors(FILE)"),
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
    # Protocols 2 to 5 begin with their number; protocol 0 and 1 with a class, a dict, a list or a tuple.
    ("pickle", re.compile(rb"\x80[\x02-\x05]|c[\w.]+\n\w+\n|\(?[dlt]p?\d*\n|[\]}]q\x00|\(i[\w.]+\n\w+\n")),
    ("html", re.compile(rb"\s*<(!doctype|html|head|body|\?xml|!--)", re.IGNORECASE)),
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
    text = start.removeprefix(_BOM)
    for kind, magic in _MAGIC:
        if magic.match(text):
            return kind
    return "arpa" if _ARPA_START.search(text) and b"\0" not in text else "unknown"


def _safetensors_kind(start: bytes) -> str | None:
    """ "windrow" or "safetensors" for a file of safetensors, else None: the length of a header, then JSON."""
    length = int.from_bytes(start[:8], "little")
    if start[8:9] != b"{" or length > _LONGEST_HEADER:
        return None
    header = start[8 : 8 + length]
    if len(header) == length:
        try:
            metadata = json.loads(header).get("__metadata__") or {}
            return "windrow" if "windrow" in metadata else "safetensors"
        except (ValueError, AttributeError, TypeError, RecursionError):
            return None
    # The header goes on beyond these bytes. Windrow writes its own mark first.
    if header.startswith(b'{"__metadata__":{"windrow":'):
        return "windrow"
    return "safetensors" if re.match(rb'\{\s*"', header) and b'"dtype"' in header else None


def kind_of(path: str | os.PathLike[str]) -> str:
    """The kind of a file, see ``recognize``; FormatError for a folder or broken compression, DataError if unread."""
    return recognize(first_bytes(path))


def first_bytes(path: str | os.PathLike[str]) -> bytes:
    """The first decompressed bytes of a file."""
    file = Path(path)
    if file.is_dir():
        raise FormatError(f"{file} is a folder, not a file")
    with reading(file) as stream:
        return stream.read(START_BYTES)


def is_text(start: bytes) -> bool:
    """Whether bytes can be those of a text: no control characters but tabs and line feeds."""
    return not _CONTROLS.search(start[:_TEXT_BYTES])


def refuse_foreign(kind: str, path: str | os.PathLike[str]) -> None:
    """Raise FormatError, which says what helps, if windrow opens no file of this kind."""
    if kind in FOREIGN:
        raise FormatError(f"{path_name(Path(path))} {FOREIGN[kind].what}; {FOREIGN[kind].remedy}")


_NOT_MODELS = {
    "arpa": "is an n-gram model in ARPA format",
    "npy": "is a NumPy array",
    "parquet": "is a Parquet file",
}


def is_plain_text(path: str | os.PathLike[str]) -> bool:
    """Whether a file, which can be read again, is text without the mark of any format."""
    return Path(path).is_file() and recognize(start := first_bytes(path)) == "unknown" and is_text(start)


def refuse_no_model(path: Path) -> None:
    """Raise FormatError if a file is seen to be none of windrow's, with what it is."""
    kind = kind_of(path)
    refuse_foreign(kind, path)
    what = _NOT_MODELS.get(kind) or ("is text" if is_plain_text(path) else "")
    if what:
        raise FormatError(f"{path} {what}, not a model file of windrow's; give the model")


_NOT_TEXT = {
    "windrow": Foreign("is a model of windrow, not text", "give the text itself"),
    "safetensors": Foreign("is a file of safetensors, not text", "give the text itself"),
    "npy": Foreign("is a NumPy array, not text", "give the text itself"),
    "arpa": Foreign("is a language model in ARPA format, not text", "give the text itself"),
    "parquet": Foreign("is a Parquet file", "name the column of its text with field='NAME'"),
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
    "utf-16": re.compile(rb"\xff\xfe|\xfe\xff"),
}


def refuse_no_text(start: bytes, name: str, expected: str = "") -> None:
    """Raise DataError if a file that begins with these bytes is no text; it may be of the kind ``expected``."""
    kind = recognize(start)
    if kind in (expected, "unknown", "empty"):
        return
    if is_text(start) and not (kind in _LOOK_LIKE_TEXT and _LOOK_LIKE_TEXT[kind].match(start.removeprefix(_BOM))):
        return
    found = _NOT_TEXT.get(kind) or FOREIGN[kind]
    raise DataError(f"{name} {found.what}; {found.remedy}")


def is_arpa(path: str | os.PathLike[str]) -> bool:
    """Whether the name is that of an ARPA file, compressed or not."""
    return _ARPA_NAME.search(os.fspath(path)) is not None


def refuse_arpa(path: str | os.PathLike[str], what: str) -> None:
    """Raise OptionError if a model file that is written to ``path`` would later be read as an ARPA file."""
    if is_arpa(path):
        raise OptionError(f"{path}: an ARPA file cannot hold {what}; name a .safetensors file")
