"""Sources of text: files, folders, globs, standard input, remote files, and any iterable of sentences.

Whatever the source, ``read`` gives one stream of strings and lists. Strings may be cut anywhere, and a newline ends
each sentence; a list is the tokens of one sentence. Only one chunk is in memory, or one record of a JSONL or CSV file.
"""

from __future__ import annotations

import csv
import glob
import json
import lzma
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from windrow.corpus.sentences import with_sentence_ends
from windrow.corpus.streams import (
    CHUNK_BYTES,
    COMPRESSED,
    STDIN,
    Meter,
    ReadProgress,
    decompressed,
    is_remote,
    lines,
    name_of,
    opened,
    text_pieces,
)
from windrow.corpus.tokenizers import check_tokens
from windrow.errors import DataError, OptionError
from windrow.files import model_file

_ERRORS = ("strict", "replace", "ignore")
# What is taken from a folder; of text any file that does not look binary.
_SUFFIXES = {"jsonl": (".jsonl", ".ndjson", ".json"), "csv": (".csv",), "parquet": (".parquet", ".pq")}
CORPUS_HEADER, CORPUS_FORMAT = "corpus.json", "windrow-corpus"  # tell a corpus folder from a folder of text
_PARQUET_ROWS = 1024
_LONGEST_HEADER = 1 << 16  # bytes
_LONGEST_CSV_FIELD = 2**31 - 1


def read(
    source: Any,
    *,
    format: str = "text",
    field: str | None = None,
    errors: str = "strict",
    sentences: str = "line",
    progress: ReadProgress | None = None,
) -> Iterator[str | list[str]]:
    """Open ``source`` and give its sentences as one stream; the options are those of ``Corpus.build``.

    A ``str`` or ``os.PathLike`` is a file, folder, glob, URL or ``-``; a list of ``os.PathLike`` is several of them;
    any other iterable gives sentences. Raises OptionError for an unknown option, DataError for a source that cannot be
    read.
    """
    _check_options(format, field, errors)
    places = locations(source)
    if places is None:
        if format != "text":
            raise OptionError(f"format = {format!r} needs files; an iterable gives str or lists of tokens")
        return _joined_records(_iterable_sentences(source, errors, Meter(progress, None)), sentences)
    files = [file for place in places for file in _find_files(place, format)]
    meter = Meter(progress, _total_bytes(files))
    reading = (field or "", errors, sentences)
    return (piece for file in files for piece in _file_sentences(file, format, reading, meter))


def _joined_records(records: Iterable[str | list[str]], sentences: str) -> Iterator[str | list[str]]:
    """Records of which those that are text have newlines only where sentences end."""
    for record in records:
        if isinstance(record, str):
            yield from with_sentence_ends([record], sentences)
        else:
            yield record


def describe(source: Any) -> str:
    """A short name of the source for messages."""
    places = locations(source)
    if places is None:
        return f"the {type(source).__name__} of sentences"
    others = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return f"{name_of(places[0])}{others}"


def _check_options(format: str, field: str | None, errors: str) -> None:
    formats = ("text", *_SUFFIXES)
    if format not in formats:
        raise OptionError(f"format = {format!r} is unknown; choose from {', '.join(formats)}")
    if errors not in _ERRORS:
        raise OptionError(f"errors = {errors!r} is unknown; choose from {', '.join(_ERRORS)}")
    if format == "text" and field is not None:
        raise OptionError(f"field = {field!r} needs a format with fields: {', '.join(_SUFFIXES)}")
    if format != "text" and not field:
        raise OptionError(f"format = {format!r} needs the name of the field that holds the text")


def locations(source: Any) -> list[str] | None:
    """The paths that a source names, or None when it is an iterable of sentences."""
    if isinstance(source, str | os.PathLike):
        return [_location(source)]
    if isinstance(source, list | tuple) and source and all(isinstance(item, os.PathLike) for item in source):
        return [_location(item) for item in source]
    if isinstance(source, bytes) or not isinstance(source, Iterable):
        raise OptionError(
            f"a source is a path, a list of paths or an iterable of sentences, not {type(source).__name__}"
        )
    return None


def _location(source: str | os.PathLike[str]) -> str:
    location = os.fspath(source)
    if isinstance(source, os.PathLike):
        # Path("https://host/file") has lost a slash.
        location = re.sub(r"^([a-z][a-z0-9+]+):/(?=[^/])", r"\1://", location)
    return location


def _find_files(location: str, format: str) -> list[str]:
    if not location:
        raise DataError("the source is an empty name; name a file or folder (the current folder is .)")
    if location == STDIN or is_remote(location):
        return [location]
    try:
        return _local_files(location, format)
    except OSError as error:  # a name too long, a folder without permission
        raise DataError(f"cannot read {model_file.shortened(location)}: {error.strerror or error}") from error


def _local_files(location: str, format: str) -> list[str]:
    path, name = Path(location), model_file.shortened(location)
    with suppress(RuntimeError):  # ~name, where no user has that name
        path = path.expanduser()
    if path.is_dir():
        return _files_below(path, format)
    if path.exists():
        return [str(path)]
    if not glob.has_magic(location):
        raise DataError(f"{name}: no such file or folder; to pass sentences, give a list of them")
    matches = sorted(match for match in map(Path, glob.glob(str(path), recursive=True)) if match.is_file())  # noqa: PTH207
    if not matches:
        raise DataError(f"no file matches {name}")
    return [str(match) for match in matches]


def _files_below(folder: Path, format: str) -> list[str]:
    """Every readable text file below ``folder``, sorted by path; what is hidden or a corpus is left out."""
    if is_corpus(folder):
        raise DataError(f"{folder} is a windrow corpus, not text; open it with Corpus.open")
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [n for n in folders if not n.startswith(".") and not is_corpus(Path(parent, n))]
        found += [Path(parent, name) for name in names if not name.startswith(".")]
    files = [str(path) for path in sorted(found) if path.is_file() and _is_wanted(path, format)]
    if not files:
        raise DataError(f"{folder}: the folder holds no readable {format} file")
    return files


def is_corpus(folder: str | os.PathLike[str]) -> bool:
    """Whether ``folder`` holds what ``Corpus.build`` makes, of whatever version, and even when it is damaged."""
    try:
        with Path(folder, CORPUS_HEADER).open("rb") as file:
            content = file.read(_LONGEST_HEADER)  # someone's own corpus.json may be large
    except (OSError, ValueError):
        return False
    try:
        header = json.loads(content)
    except (ValueError, RecursionError):
        # Perhaps it is cut short; it should not be read as a text of a few words.
        return f'"format": "{CORPUS_FORMAT}"'.encode() in content[:100]
    return isinstance(header, dict) and header.get("format") == CORPUS_FORMAT


def _is_wanted(path: Path, format: str) -> bool:
    if not os.access(path, os.R_OK):
        return False
    if format != "text":
        suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in COMPRESSED]
        return bool(suffixes) and suffixes[-1] in _SUFFIXES[format]
    try:
        with path.open("rb") as raw:
            return b"\0" not in decompressed(raw, path.name).read(8192)
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return True  # reading it will raise the error that says what is wrong


def _total_bytes(files: list[str]) -> int | None:
    if any(file == STDIN or is_remote(file) or not Path(file).is_file() for file in files):
        return None
    return sum(Path(file).stat().st_size for file in files)


def _file_sentences(file: str, format: str, reading: tuple[str, str, str], meter: Meter) -> Iterator[str | list[str]]:
    field, errors, sentences = reading
    meter.next_file()
    if format == "text":
        yield from with_sentence_ends(text_pieces(file, errors, meter), sentences)
    elif format == "parquet":
        yield from _joined_records(_parquet_records(file, field, errors, meter), sentences)
    else:
        records = _jsonl_records if format == "jsonl" else _csv_records
        found = records(name_of(file), lines(text_pieces(file, errors, meter)), field, errors)
        yield from _joined_records(found, sentences)


def _jsonl_records(name: str, text_lines: Iterable[str], field: str, errors: str) -> Iterator[str | list[str]]:
    for number, line in enumerate(text_lines, 1):
        if not line.strip():
            continue
        where = f"{name}, line {number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{where}: not JSON ({error})") from error
        if not isinstance(record, dict) or field not in record:
            there = ", ".join(record) if isinstance(record, dict) else "no object"
            raise DataError(f"{where}: no field {field!r}; there is: {there}")
        yield _as_sentence(record[field], f"{where}, field {field!r}", errors)


def _csv_records(name: str, text_lines: Iterable[str], field: str, errors: str) -> Iterator[str | list[str]]:
    rows = csv.reader((line + "\n" for line in text_lines), strict=True)
    limit = csv.field_size_limit(_LONGEST_CSV_FIELD)  # a sentence may be longer than 128 KB
    try:
        columns = next(rows, [])
        if field not in columns:
            raise DataError(f"{name}: no column {field!r}; there is: {', '.join(columns) or 'nothing'}")
        column = columns.index(field)
        for row in rows:
            if row and column >= len(row):
                raise DataError(f"{name}, line {rows.line_num}: the row lacks the column {field!r}")
            if row:
                yield _as_sentence(row[column], f"{name}, line {rows.line_num}", errors)
    except csv.Error as error:
        raise DataError(f"{name}, line {rows.line_num}: not CSV ({error})") from error
    finally:
        csv.field_size_limit(limit)


def _parquet_records(file: str, field: str, errors: str, meter: Meter) -> Iterator[str | list[str]]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise OptionError("reading Parquet needs pyarrow: pip install 'windrow[parquet]'") from error
    name = name_of(file)
    if file == STDIN:
        raise DataError("Parquet cannot be read from standard input; write it to a file first")
    try:
        with opened(file) as raw:
            table = parquet.ParquetFile(raw)
            columns = table.schema_arrow.names
            if field not in columns:
                raise DataError(f"{name}: no column {field!r}; there is: {', '.join(columns)}")
            first_row = 1
            for batch in table.iter_batches(_PARQUET_ROWS, columns=[field]):
                meter.at(raw.tell())
                for row, value in enumerate(batch.column(0).to_pylist(), first_row):
                    yield _as_sentence(value, f"{name}, row {row}, column {field!r}", errors)
                first_row += len(batch)
    except pyarrow.ArrowException as error:
        raise DataError(f"{name} is not a valid Parquet file: {' '.join(str(error).split())}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{name}, column {field!r}: a text is not UTF-8; write the file again") from error
    except OSError as error:
        raise DataError(f"cannot read {name}: {error.strerror or error}") from error


def _iterable_sentences(sentences: Iterable[Any], errors: str, meter: Meter) -> Iterator[str | list[str]]:
    read_chars = reported = 0
    for number, item in enumerate(sentences, 1):
        sentence = _as_sentence(item, f"sentence {number}", errors)
        yield sentence
        read_chars += len(sentence) if isinstance(sentence, str) else sum(map(len, sentence), len(sentence))
        if read_chars - reported >= CHUNK_BYTES:
            reported = read_chars
            meter.at(read_chars)


def _as_sentence(value: Any, where: str, errors: str) -> str | list[str]:
    if isinstance(value, str):
        text = _without_surrogates(value, where, errors)
        return text if text.endswith("\n") else text + "\n"
    if value is None or isinstance(value, bytes | dict) or not isinstance(value, Iterable):
        raise DataError(f"{where}: text must be a str or a list of str, not {type(value).__name__}")
    tokens = list(value)
    if errors != "strict":
        cleaned = [_without_surrogates(token, where, errors) if isinstance(token, str) else token for token in tokens]
        tokens = [new for new, old in zip(cleaned, tokens, strict=True) if new != "" or old == ""]
    check_tokens(tokens, where)
    return tokens


def _without_surrogates(text: str, where: str, errors: str) -> str:
    """``text`` that UTF-8 can hold: half a surrogate pair is treated as a file's bytes of it would be."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        if errors == "strict":
            raise DataError(
                f"{where}: character {error.start + 1} is {text[error.start]!a}, half of a surrogate pair; "
                "correct the text, or try errors = 'replace'"
            ) from error
        return text.encode("utf-8", "surrogatepass").decode("utf-8", errors)
    return text
