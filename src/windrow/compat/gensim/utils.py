"""What tutorials use of ``gensim.utils``: text to words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from windrow.errors import DataError, check_whole

_LETTERS = re.compile(r"[^\W\d]+")  # letters and underscores


def deaccent(text: str) -> str:
    """A text without accents: what Unicode takes for a letter and a mark becomes the letter.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str

    Examples
    --------
    >>> from windrow.compat.gensim.utils import deaccent
    >>> deaccent("Šéf chomutovských komunistů")
    'Sef chomutovskych komunistu'
    """
    letters = (letter for letter in unicodedata.normalize("NFD", text) if unicodedata.category(letter) != "Mn")
    return unicodedata.normalize("NFC", "".join(letters))


def tokenize(
    text: str | bytes,
    lowercase: bool = False,
    deacc: bool = False,
    encoding: str = "utf8",
    errors: str = "strict",
    to_lower: bool = False,
    lower: bool = False,
) -> Iterator[str]:
    """The words of a text: runs of letters and underscores, without digits.

    Parameters
    ----------
    text : str or bytes
        Any text.
    lowercase, to_lower, lower : bool, default False
        Any of them: turn the text into lower case first.
    deacc : bool, default False
        Take accents off first.
    encoding : str, default "utf8"
        That of bytes.
    errors : {"strict", "replace", "ignore"}, default "strict"
        What to do with bytes that are not of that encoding.

    Yields
    ------
    str

    Raises
    ------
    DataError
        Bytes are not of that encoding.

    Examples
    --------
    >>> from windrow.compat.gensim.utils import tokenize
    >>> list(tokenize("In 2 wörds", lowercase=True, deacc=True))
    ['in', 'words']
    """
    if isinstance(text, bytes):
        try:
            text = text.decode(encoding, errors)
        except UnicodeDecodeError as error:
            raise DataError(f"the text is not {encoding}; try errors='ignore'") from error
    if lowercase or to_lower or lower:
        text = text.lower()
    for found in _LETTERS.finditer(deaccent(text) if deacc else text):
        yield found[0]


def simple_preprocess(doc: str | bytes, deacc: bool = False, min_len: int = 2, max_len: int = 15) -> list[str]:
    """The words of a document in lower case, without very short and very long ones and those that begin with ``_``.

    Parameters
    ----------
    doc : str or bytes
        A text; bytes are UTF-8, and those that are not are left out.
    deacc : bool, default False
        Take accents off.
    min_len, max_len : int, at least 0, defaults 2 and 15
        The shortest and the longest words to keep, in letters.

    Returns
    -------
    list of str

    Raises
    ------
    OptionError
        A length is out of range.

    Examples
    --------
    >>> from windrow.compat.gensim.utils import simple_preprocess
    >>> simple_preprocess("The 3 quick brown foxes: a tale")
    ['the', 'quick', 'brown', 'foxes', 'tale']
    """
    shortest, longest = check_whole("min_len", min_len, 0), check_whole("max_len", max_len, 0)
    words = tokenize(doc, lowercase=True, deacc=deacc, errors="ignore")
    return [word for word in words if shortest <= len(word) <= longest and not word.startswith("_")]
