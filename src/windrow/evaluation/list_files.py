"""The files that lists for evaluation are read from, and what kind of list one is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import groupby, islice
from pathlib import Path
from typing import Literal

from windrow.errors import DataError
from windrow.files.compression import path_name, reading
from windrow.files.sniff import refuse_bare_returns, refuse_no_text

ListKind = Literal["analogies", "similarity", "categories", "outliers"]
LIST_KINDS: tuple[ListKind, ...] = ("analogies", "similarity", "categories", "outliers")

_ENDINGS = (".txt", ".tsv")
_LOOKED_AT = 1000  # lines of a file, to see its kind


def kind_of_list(path: str | os.PathLike[str]) -> ListKind:
    """What a list asks of word vectors, by its content.

    Parameters
    ----------
    path : str or os.PathLike
        A file, or a folder whose first .txt or .tsv file is looked at.

    Returns
    -------
    {"analogies", "similarity", "categories", "outliers"}
        "analogies": a file that begins with ``: NAME``, or a folder of files with tabs (BATS). "similarity": a file
        with three or more columns. "categories": a file with two columns, a word and its category, or a folder with a
        file of words per category. "outliers": a single word per line in two blocks, between which a line is empty:
        the words of a topic, and outliers.

    Raises
    ------
    DataError
        It cannot be read, is empty, or is a file of single words.

    Examples
    --------
    >>> from pathlib import Path
    >>> from windrow.evaluation import kind_of_list
    >>> path = Path("pets.tsv")
    >>> characters = path.write_text("cat\\tanimal\\noak\\tplant\\n")
    >>> kind_of_list(path)
    'categories'
    """
    file = text_files(path)[0] if Path(path).is_dir() else Path(path)
    lines = [line.strip() for _, line in islice(numbered_lines(file), _LOOKED_AT)]
    lines = [line for line in lines if not line.startswith(("#", "//"))]
    filled = [line for line in lines if line]
    if not filled:
        raise DataError(f"{file} is empty: it holds no list to evaluate on")
    if filled[0].startswith(":"):
        return "analogies"
    has_tabs = any("\t" in line for line in filled)
    if not has_tabs and len(_blocks(lines)) == 2 and (file != Path(path) or _columns(filled[0]) == 1):
        return "outliers"
    if file != Path(path):
        return "analogies" if has_tabs else "categories"
    if _columns(filled[0]) == 1:
        raise DataError(
            f"{file} holds single words; expected analogies (': NAME', then four words per line), word pairs with "
            "scores, words with categories, or the words of a topic, an empty line and outliers"
        )
    return "categories" if _columns(filled[0]) == 2 else "similarity"


def _columns(line: str) -> int:
    """How many fields a line has, by tabs, semicolons or commas where it has some, else by white space."""
    mark = next((mark for mark in "\t;," if mark in line), None)
    return len(line.split(mark))


def text_files(folder: str | os.PathLike[str]) -> list[Path]:
    """The .txt and .tsv files in a folder and the folders in it, in the order of their names; DataError without one."""
    found = [
        path
        for path in Path(folder).rglob("*")
        if path.suffix.lower() in _ENDINGS and not path.name.startswith(".") and path.is_file()
    ]
    if not found:
        raise DataError(f"the folder {folder} holds no .txt or .tsv file to evaluate on")
    return sorted(found)


def read_blocks(path: str | os.PathLike[str]) -> list[list[str]]:
    """The lines of a file, stripped, in blocks that empty lines separate."""
    return _blocks([line.strip() for _, line in numbered_lines(path)])


def _blocks(lines: list[str]) -> list[list[str]]:
    return [list(block) for is_filled, block in groupby(lines, bool) if is_filled]


def numbered_lines(path: str | os.PathLike[str]) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 file, counted from 1; DataError when it cannot be read or a line is not UTF-8."""
    try:
        with reading(Path(path)) as stream:
            for number, line in enumerate(stream, 1):
                if number == 1:
                    refuse_no_text(line, path_name(Path(path)))
                    refuse_bare_returns(line, path_name(Path(path)))
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}, line {number}: not UTF-8; convert the file, for example with iconv") from error
