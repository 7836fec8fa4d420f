"""Files of word vectors: word2vec text and binary, fastText, GloVe, TSV, NumPy, Parquet, safetensors, Model2Vec.

A format is a row of ``FORMATS``: a reader that returns ``VectorData``, and a writer that takes it. Files of
gensim's own are only read.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from windrow.embeddings.endings import DTYPES
from windrow.embeddings.formats.binary import read_binary, write_binary
from windrow.embeddings.formats.contract import ReadOptions, VectorData, VectorFormat, check_words
from windrow.embeddings.formats.fasttext_bin import read_fasttext
from windrow.embeddings.formats.fasttext_write import write_fasttext
from windrow.embeddings.formats.gensim import read_gensim
from windrow.embeddings.formats.jsonl import read_jsonl, write_jsonl
from windrow.embeddings.formats.model2vec import check_place, read_model2vec, write_model2vec
from windrow.embeddings.formats.npy import check_npy_places, listed_words, read_npy, write_npy
from windrow.embeddings.formats.parquet import check_parquet, read_arrow, read_parquet, write_arrow, write_parquet
from windrow.embeddings.formats.projector import PROJECTOR
from windrow.embeddings.formats.recognition import NoVectorsError, recognize_vectors
from windrow.embeddings.formats.small_numbers import check_dtype
from windrow.embeddings.formats.stored import read_safetensors, write_model
from windrow.embeddings.formats.text import read_text, write_text
from windrow.errors import FormatError, OptionError, check_path, warn
from windrow.files.compression import COMPRESSED, is_packed, path_name
from windrow.files.kinds import refuse_folder
from windrow.files.local import as_path, local_file
from windrow.files.model_file import check_finite
from windrow.files.static_folder import static_files
from windrow.files.urls import refuse_url_to_write
from windrow.files.writing import STDIO

__all__ = [
    "FORMATS",
    "ReadOptions",
    "VectorData",
    "VectorFormat",
    "check_target",
    "extension_of",
    "find_format",
    "format_of",
    "listed_words",
    "read_vectors",
    "write_vectors",
]

_STRICTLY = ReadOptions()
_WITH_NGRAMS = ("safetensors", "fasttext")
_WITHOUT_MARK = ("glove", "tsv")


def read_vectors(
    path: str | os.PathLike[str], format: str | None = None, options: ReadOptions = _STRICTLY
) -> VectorData:
    """Read word vectors from a file, a pipe or standard input (``-``), compressed or not.

    ``format`` is a key of ``FORMATS``, by default what the content shows, or else the extension of ``path``.

    Raises FormatError, which names file and line or row, for a file that is malformed, truncated or of another kind,
    for a word that repeats or a number that is not finite; DataError when the file cannot be read; OptionError for
    options that are not allowed.
    """
    options.check()
    if format is not None:
        find_format(path, format)
    with local_file(as_path(path)) as file:
        if static_files(file) is not None:
            if format not in (None, "model2vec"):
                raise OptionError(f"format = {format!r}: {file} is a folder of static embeddings; leave it out")
            return read_model2vec(file, options)
        refuse_folder(file, "word-vectors")
        chosen = format or recognize_vectors(file) or _named_format(path)
        return read_gensim(file, options) if chosen == "gensim" else FORMATS[chosen].read(file, options)


def _named_format(path: str | os.PathLike[str]) -> str:
    if (key := extension_of(path)) in _WITHOUT_MARK:
        return key
    raise NoVectorsError(
        f"{path_name(Path(path))} holds no word vectors that windrow knows: it is no text, has no header "
        "'words dimensions', and no mark of another format"
    )


def write_vectors(data: VectorData, path: str | os.PathLike[str], format: str | None = None) -> None:
    """Write word vectors; ``format`` is an extension without its dot, by default that of ``path``.

    The file appears whole or not at all, and text reads back to the same float32 numbers. Only ``safetensors`` keeps
    counts and provenance; only that and ``fasttext`` keep n-grams, others warn. Raises FormatError for a word that the
    format cannot hold, OptionError for a number that is not finite.
    """
    chosen = check_target(path, format, data.dtype)
    if not data.words:
        raise OptionError(f"cannot write {path}: there are no words yet")
    check_words(data.words, chosen, path)
    try:
        check_finite(data.vectors, "the table", path)
    except FormatError as error:
        raise OptionError(f"cannot write {error}; if training diverged, try a lower learning rate") from error
    if data.ngrams is not None and chosen.extension not in _WITH_NGRAMS:
        warn(
            f"{path}: .{chosen.extension} files hold no n-grams, so unseen words have no vectors there; "
            ".safetensors files do"
        )
    chosen.write(data, Path(path))


def check_target(path: str | os.PathLike[str], format: str | None = None, dtype: str = DTYPES[0]) -> VectorFormat:
    """The format that ``write_vectors`` would use; errors about ``path`` are raised here already, before long work."""
    check_dtype(dtype)
    chosen = _for_standard_output(format) if str(path) == STDIO else _for_file(path, format)
    if dtype not in chosen.dtypes:
        able = ", ".join(name for name, row in FORMATS.items() if dtype in row.dtypes)
        raise OptionError(f"dtype = {dtype!r}: .{chosen.extension} files hold float32 only; choose one of {able}")
    return chosen


def _for_file(path: str | os.PathLike[str], format: str | None) -> VectorFormat:
    refuse_url_to_write(path)
    chosen = _written_format(path, format)
    suffix = Path(path).suffix.lower()
    if suffix in COMPRESSED and not is_packed(Path(path)):
        raise FormatError(f"{path}: files are not written as {suffix}; choose .gz, or none")
    if is_packed(Path(path)) and not chosen.gzip:
        raise FormatError(f"{path}: .{chosen.extension} files are not written through gzip; leave out the .gz")
    chosen.check(Path(path))
    return chosen


def _for_standard_output(format: str | None) -> VectorFormat:
    chosen = _written_format(STDIO, format or "txt")
    if not chosen.gzip:
        streamed = ", ".join(name for name, row in FORMATS.items() if row.gzip)
        raise OptionError(f"format = {format!r} cannot go to standard output; choose one of {streamed}, or name a file")
    return chosen


def _written_format(path: str | os.PathLike[str], name: str | None) -> VectorFormat:
    """As ``find_format``, of what may only be written, too."""
    return PROJECTOR if name == PROJECTOR.extension else find_format(path, name)


def find_format(path: str | os.PathLike[str], name: str | None = None) -> VectorFormat:
    """The format called ``name``, or that of the extension of ``path``; FormatError when there is none."""
    key = extension_of(path) if name is None else name
    if not isinstance(key, str) or key not in FORMATS:
        if name is not None:
            raise OptionError(f"format = {name!r}; choose one of {', '.join(FORMATS)}")
        raise FormatError(f"{path}: no vector format has this extension; use .{', .'.join(FORMATS)}")
    return FORMATS[key]


def extension_of(path: str | os.PathLike[str]) -> str:
    """The extension that names the format, in lower case, without its dot and without that of a compression."""
    file = Path(path)
    return Path(file.stem if file.suffix.lower() in COMPRESSED else file.name).suffix.lower().removeprefix(".")


def format_of(path: str | os.PathLike[str]) -> str:
    """The format that the extension names, else windrow's own."""
    check_path("path", path)
    extension = extension_of(path)
    return extension if extension in FORMATS else "safetensors"


_BETWEEN_FIELDS = r" \t\n\v\f\r"  # white space, as C and Python's bytes see it
_read_word2vec = partial(read_text, header=True)
_write_word2vec = partial(write_text, header=True, separator=b" ")

_ROWS = (
    VectorFormat("safetensors", "windrow's own", read_safetensors, write_model, dtypes=DTYPES),
    VectorFormat("txt", "word2vec's text", _read_word2vec, _write_word2vec, _BETWEEN_FIELDS),
    VectorFormat("vec", "fastText's text", _read_word2vec, _write_word2vec, _BETWEEN_FIELDS),
    VectorFormat("bin", "word2vec's binary", read_binary, write_binary, _BETWEEN_FIELDS + r"\0"),
    VectorFormat(
        "glove",
        "GloVe's text, without a header",
        partial(read_text, header=False),
        partial(write_text, header=False, separator=b" "),
        _BETWEEN_FIELDS,
    ),
    VectorFormat(
        "tsv",
        "a word and its numbers, separated by tabs",
        partial(read_text, header=False, separator=b"\t"),
        partial(write_text, header=False, separator=b"\t"),
        r"\t\n\r",
    ),
    VectorFormat("npy", "a NumPy matrix, words in X.words.txt", read_npy, write_npy, r"\n\r", check=check_npy_places),
    VectorFormat("fasttext", "fastText's binary model, with n-grams", read_fasttext, write_fasttext, r"\0"),
    VectorFormat(
        "parquet", "a table of words and vectors", read_parquet, write_parquet, r"\ud800-\udfff", check=check_parquet
    ),
    VectorFormat("arrow", "the same table for Arrow", read_arrow, write_arrow, r"\ud800-\udfff", check=check_parquet),
    VectorFormat("jsonl", "a JSON object per word", read_jsonl, write_jsonl, r"\ud800-\udfff"),
    VectorFormat(
        "model2vec",
        "a folder of static embeddings",
        read_model2vec,
        write_model2vec,
        r"\ud800-\udfff",
        check=check_place,
        dtypes=DTYPES,
    ),
)
FORMATS = {row.extension: row for row in _ROWS}
