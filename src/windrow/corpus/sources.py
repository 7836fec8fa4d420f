"""Sources of text: files, folders, globs, standard input, remote files, tables, and any iterable of sentences.

Whatever the source, ``read`` gives one stream of strings and lists. Strings may be cut anywhere, and a newline ends
each sentence; a list is the tokens of one sentence. Only one chunk is in memory, or one record of a JSONL or CSV file.
"""

from __future__ import annotations

import glob
import os
import sys
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from errno import ENAMETOOLONG, ENOENT
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from windrow.corpus.records import FORMATS, Cell, RecordReader, check_delimiter, format_of, sentence_of
from windrow.corpus.sentences import with_sentence_ends
from windrow.corpus.streams import (
    CHUNK_BYTES,
    STDIN,
    WHOLE,
    ByteRange,
    Meter,
    ReadProgress,
    name_of,
    suffix_of,
    text_pieces,
    utf8_pieces,
)
from windrow.corpus.tables import cells_of, is_column, listed, names_in
from windrow.errors import DataError, OptionError, WindrowError, warn
from windrow.files import writing
from windrow.files.compression import decompressed, is_damage
from windrow.files.corpus_folder import is_corpus
from windrow.files.kinds import wrong_kind
from windrow.files.sniff import kind_of
from windrow.files.static_folder import static_files
from windrow.files.urls import as_typed, is_url, refuse_scheme

_ERRORS = ("strict", "replace", "ignore")

Piece = TypeVar("Piece")


class SourceFile(NamedTuple):
    """A file of a source, or a part of one that is plain text."""

    name: str
    format: str
    part: ByteRange = WHOLE


def read(
    source: Any,
    *,
    format: str | None = None,
    field: str | None = None,
    delimiter: str | None = None,
    errors: str = "strict",
    sentences: str = "line",
    progress: ReadProgress | None = None,
    as_utf8: bool = False,
) -> Iterator[Any]:
    """Open ``source`` and give its sentences as one stream; the options are those of ``Corpus.build``.

    A ``str`` or ``os.PathLike`` is a file, folder, glob, URL or ``-``; a list of ``os.PathLike`` is several of them;
    any other iterable gives sentences, a table those of its column ``field``. Records without text are left out, and
    counted in a DataWarning. ``as_utf8``: text may come as bytes of UTF-8, in which no character is cut. Raises
    OptionError for an unknown option, DataError for a source that cannot be read.
    """
    _check_options(format, field, delimiter, errors)
    reader = RecordReader(field or "", errors, check_delimiter(delimiter))
    if locations(source) is None:
        if format not in (None, "text") or delimiter is not None:
            name = "delimiter" if format in (None, "text") else "format"
            raise OptionError(f"{name} = {delimiter or format!r} needs files; an iterable gives str or lists of tokens")
        pieces = _joined_records(_iterable_sentences(source, field, reader, Meter(progress, None)), sentences)
    else:
        files = files_of(source, format=format, field=field, delimiter=delimiter, errors=errors)
        meter = Meter(progress, total_bytes(files))
        pieces = (piece for file in files for piece in file_sentences(file, reader, meter, sentences, as_utf8=as_utf8))
    return _telling_what_is_empty(pieces, reader, describe(source))


def read_records(
    source: str | os.PathLike[str] | Sequence[os.PathLike[str]],
    others: Sequence[str] = (),
    *,
    field: str,
    format: str | None = None,
    delimiter: str | None = None,
    errors: str = "strict",
) -> Iterator[tuple[str | list[str], list[Cell]]]:
    """The records of files as ``read`` finds them: each text whole, with what ``others``, fields beside it, hold."""
    _check_options(format, field, delimiter, errors)
    reader, meter = RecordReader(field, errors, check_delimiter(delimiter)), Meter(None, None)
    files = files_of(source, format=format, field=field, delimiter=delimiter, errors=errors)
    records = (record for file in files for record in reader.file_records(file.name, file.format, meter, others))
    return _telling_what_is_empty(records, reader, describe(source))


def files_of(
    source: Any, *, format: str | None, field: str | None, delimiter: str | None, errors: str
) -> list[SourceFile]:
    """The files that a source names, each with its format; none for an iterable. Raises as ``read`` does."""
    _check_options(format, field, delimiter, errors)
    if format is None and delimiter is not None:
        format = "csv"
    names = [name for place in locations(source) or [] for name in find_files(place, format, field)]
    return [SourceFile(name, format or _format_by_name(name, field)) for name in names]


def file_format(
    file: str,
    *,
    format: str | None = None,
    field: str | None = None,
    delimiter: str | None = None,
    errors: str = "strict",
) -> str:
    """The format in which ``read`` takes a file; raises as it does for options that do not go together."""
    _check_options(format, field, delimiter, errors)
    return format or ("csv" if delimiter is not None else _format_by_name(file, field))


def _joined_records(records: Iterable[str | list[str]], sentences: str) -> Iterator[str | list[str]]:
    """Records of which those that are text have newlines only where sentences end."""
    for record in records:
        if isinstance(record, str):
            yield from with_sentence_ends([record], sentences)
        else:
            yield record


def _telling_what_is_empty(pieces: Iterator[Piece], reader: RecordReader, name: str) -> Iterator[Piece]:
    yield from pieces
    tell_what_is_empty(reader.empty, name)


def tell_what_is_empty(records: int, name: str) -> None:
    """Warn of the records of a source that hold no text, if there are any."""
    if records:
        warn(f"{name}: left out {records:,} record{'s' * (records > 1)} without text")


def describe(source: Any) -> str:
    """A short name of the source for messages."""
    places = locations(source)
    if places is None:
        return f"the {type(source).__name__} of sentences"
    others = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return f"{name_of(places[0])}{others}"


def _check_options(format: str | None, field: str | None, delimiter: str | None, errors: str) -> None:
    formats = ("text", *FORMATS)
    if format is not None and format not in formats:
        raise OptionError(f"format = {format!r} is unknown; choose from {', '.join(formats)}")
    if errors not in _ERRORS:
        raise OptionError(f"errors = {errors!r} is unknown; choose from {', '.join(_ERRORS)}")
    if delimiter is not None and format not in (None, "csv"):
        raise OptionError(f"delimiter = {delimiter!r} is for format = 'csv', not {format!r}; leave it out")
    if format == "text" and field is not None:
        raise OptionError(f"field = {field!r} needs a format with fields: {', '.join(FORMATS)}")
    if (format is not None or delimiter is not None) and format != "text" and not field:
        raise OptionError(f"format = {format or 'csv'!r} needs the name of the field that holds the text: field='NAME'")


def _format_by_name(file: str, field: str | None) -> str:
    """The format of a file: with a field Parquet by its content, or what its name says; else text.

    OptionError if a field and the name disagree.
    """
    found, name = format_of(file), name_of(writing.shortened(file))
    if field is not None and found != "parquet" and _holds_parquet(file):
        return "parquet"
    if field is None and found is not None:
        as_it_is = "" if found == "parquet" else ", or read it as it is with format='text'"
        raise OptionError(
            f"{name} holds records, as its name says; name the field that holds the text with field='NAME'{as_it_is}"
        )
    if field is not None and found is None:
        raise OptionError(
            f"{name} has no fields, as its name says, but field = {field!r} names one; "
            "say how they are written, such as format='csv'"
        )
    return found or "text"


def _holds_parquet(file: str) -> bool:
    """Whether the content of a file on this machine is Parquet, whatever its name."""
    if file == STDIN or is_url(file) or not Path(file).is_file():
        return False
    with suppress(WindrowError):  # reading it will say what is wrong
        return kind_of(file) == "parquet"
    return False


def locations(source: Any) -> list[str] | None:
    """The paths that a source names, or None when it is something else, see ``tables.cells_of``."""
    if isinstance(source, str | os.PathLike):
        return [_location(source)]
    if isinstance(source, list | tuple) and source and all(isinstance(item, os.PathLike) for item in source):
        return [_location(item) for item in source]
    return None


def _location(source: str | os.PathLike[str]) -> str:
    typed = as_typed(source)
    return typed if is_url(typed) else os.fspath(source)


def find_files(location: str, format: str | None = None, field: str | None = None) -> list[str]:
    """The files that a place names: itself, or what is in a folder or matches a glob; DataError where there is none."""
    if not location:
        raise DataError("the source is an empty name; name a file or folder (the current folder is .)")
    if location == STDIN:
        return [location]
    if is_url(location):
        refuse_scheme(location)
        return [location]
    try:
        return _local_files(location, format, field)
    except OSError as error:  # a name too long, a folder without permission
        name = writing.shortened(location)
        hint = "; to pass sentences, give a list of them" if error.errno == ENAMETOOLONG else ""
        raise DataError(f"cannot read {name}: {error.strerror or error}{hint}") from error


def _local_files(location: str, format: str | None, field: str | None) -> list[str]:
    path, name = Path(location), writing.shortened(location)
    with suppress(RuntimeError):  # ~name, where no user has that name
        path = path.expanduser()
    if path.is_dir():
        return _files_below(path, format, field)
    if path.exists():
        return [str(path)]
    if not glob.has_magic(location):
        raise DataError(f"cannot read {name}: {os.strerror(ENOENT)}; to pass sentences, give a list of them")
    matches = sorted(match for match in map(Path, glob.glob(str(path), recursive=True)) if match.is_file())  # noqa: PTH207
    if not matches:
        raise DataError(f"no file matches {name}")
    return [str(match) for match in matches]


def _files_below(folder: Path, format: str | None, field: str | None) -> list[str]:
    """Every readable text file below ``folder``, sorted by path; what is hidden, a corpus or a model is left out."""
    if is_corpus(folder):
        raise wrong_kind(folder, "corpus", "text")
    if static_files(folder) is not None:
        raise wrong_kind(folder, "word-vectors", "text")
    found = sorted(_visible_files(folder))
    files = [str(path) for path in found if path.is_file() and _is_wanted(path, format, field)]
    if not files:
        kind = format or ("text" if field is None else " or ".join(FORMATS))
        raise DataError(f"{folder}: the folder holds no readable {kind} file")
    return files


def _visible_files(folder: Path) -> Iterator[Path]:
    """What lies below a folder, but for folders, what is hidden and what is in a corpus or a model."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [n for n in folders if not (n.startswith(".") or _is_ours(Path(parent, n)))]
        yield from (Path(parent, name) for name in names if not name.startswith("."))


def _is_ours(folder: Path) -> bool:
    return is_corpus(folder) or static_files(folder) is not None


def takes_in(
    source: str | os.PathLike[str], file: Path, *, format: str | None = None, field: str | None = None
) -> bool:
    """Whether reading the file, folder, glob or standard input that ``source`` names reads ``file``.

    Files are compared by what they are, not by their names: links lead to the same one.
    """
    location = os.fspath(source)
    with suppress(OSError, ValueError, RuntimeError):
        target = file.stat()
        if location == STDIN:
            return os.path.samestat(os.fstat(sys.stdin.fileno()), target)
        if is_url(location):
            return False
        path = Path(location).expanduser()
        if path.is_dir():
            if is_corpus(path):
                return any(_is(one, target) for one in path.rglob("*"))
            return any(_is(one, target) and _is_wanted(one, format, field) for one in _visible_files(path))
        found = [path] if path.exists() else map(Path, glob.glob(str(path), recursive=True))  # noqa: PTH207
        return any(_is(one, target) for one in found)
    return False


def _is(path: Path, target: os.stat_result) -> bool:
    with suppress(OSError):  # a link that leads nowhere
        return os.path.samestat(path.stat(), target)
    return False


def _is_wanted(path: Path, format: str | None, field: str | None) -> bool:
    """Of text any file that does not look binary; of records those with a name that says so."""
    if not os.access(path, os.R_OK):
        return False
    if field is not None:
        return format_of(path.name) in ((format,) if format else FORMATS)
    if format is None and format_of(path.name) is not None:
        return True  # it will be refused: there is no field
    try:
        with path.open("rb") as raw:
            start = decompressed(raw, suffix_of(path.name)).read(8192)
            return b"\0" not in start or start.startswith((BOM_UTF16_LE, BOM_UTF16_BE))  # UTF-16 will be refused
    except Exception as error:
        if not is_damage(error):
            raise
        return True  # reading it will raise the error that says what is wrong


def total_bytes(files: Sequence[SourceFile]) -> int | None:
    """The size of all files as they are stored, or None where one does not say."""
    if any(name == STDIN or is_url(name) or not Path(name).is_file() for name, *_ in files):
        return None
    return sum(Path(file.name).stat().st_size for file in files)


def file_sentences(
    file: SourceFile, reader: RecordReader, meter: Meter, sentences: str, *, as_utf8: bool = False
) -> Iterator[Any]:
    """The sentences of one file, as ``read`` gives them."""
    meter.next_file()
    if file.format == "text" and sentences == "line" and as_utf8:
        return utf8_pieces(file.name, reader.errors, meter, file.part)
    if file.format == "text":
        return with_sentence_ends(text_pieces(file.name, reader.errors, meter, part=file.part), sentences)
    return _joined_records(reader.file_sentences(file.name, file.format, meter), sentences)


def _iterable_sentences(
    source: Any, field: str | None, reader: RecordReader, meter: Meter
) -> Iterator[str | list[str]]:
    cells = cells_of(source, field)
    if field is None and not is_column(source):
        given = (_given_sentence(item, f"sentence {number}", reader.errors) for number, item in enumerate(cells, 1))
        return _metered(given, meter)
    column = "" if field is None else f" of {field!r}"
    return _metered(reader.sentences((f"row {number}{column}", item) for number, item in enumerate(cells, 1)), meter)


def _given_sentence(item: Any, where: str, errors: str) -> str | list[str]:
    if type(item) not in (str, list, tuple) and (names := names_in(item)) is not None:
        raise DataError(
            f"{where}: text must be a str or a list of str, not {type(item).__name__}; "
            f"name what holds the text with field=; it has: {listed(names)}"
        )
    return sentence_of(item, where, errors)


def _metered(sentences: Iterable[str | list[str]], meter: Meter) -> Iterator[str | list[str]]:
    read_chars = reported = 0
    for sentence in sentences:
        yield sentence
        read_chars += len(sentence) if isinstance(sentence, str) else sum(map(len, sentence), len(sentence))
        if read_chars - reported >= CHUNK_BYTES:
            reported = read_chars
            meter.at(read_chars)
