"""Errors that a user can act on: each message says in one line what is wrong, where, and what to try."""

from __future__ import annotations

import difflib
import math
import os
import re
import unicodedata
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any, Literal

_SUGGEST_FROM = 20_000  # words
_CONTROL = re.compile("[\x00-\x08\n-\x1f\x7f-\x9f\u2028\u2029]")  # all that a terminal acts on, but for the tab
_SHOWN = 40  # characters of a value in a message
LARGEST_WHOLE = 2**63 - 1  # what counts and sizes are computed with, where nothing smaller is said
_UNICODE_FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")


class WindrowError(Exception):
    """Base class of all errors that windrow raises on purpose.

    Examples
    --------
    >>> import windrow
    >>> try:
    ...     windrow.Corpus.build([])
    ... except windrow.WindrowError as error:
    ...     print(error)
    the list of sentences: the text is empty: there is no token in it
    """

    def __str__(self) -> str:
        return one_line(super().__str__())

    def __reduce__(self) -> tuple[Any, ...]:
        # From a process to another, as pickles have them, errors whose constructors take something else than args, too.
        return _raised_elsewhere, (type(self), self.args, self.__dict__)


def _raised_elsewhere(kind: type[WindrowError], args: tuple[Any, ...], attributes: dict[str, Any]) -> WindrowError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


class DataError(WindrowError):
    """A text, corpus or file of questions that cannot be read or used as it is."""


class FormatError(DataError):
    """A file of vectors, a model or a corpus that is malformed, truncated or of another kind."""


class OptionError(WindrowError, ValueError):
    """An option outside its range; the message names the option and the range. It is also a ValueError."""


class NotFittedError(WindrowError, AttributeError):
    """A model is used before it was trained. It is also an AttributeError."""


class MissingPackageError(WindrowError, ImportError):
    """A package that is not installed, nearly always of an extra of windrow. It is also an ImportError.

    Parameters
    ----------
    what : str
        What needs which package.
    extra : str
        The extra that brings it, or "".
    others : str, default ""
        Packages that no extra brings, as pip takes them.

    Examples
    --------
    >>> from windrow.errors import MissingPackageError
    >>> print(MissingPackageError("pictures need matplotlib", "viz"))
    pictures need matplotlib: pip install 'windrow[viz]'
    """

    def __init__(self, what: str, extra: str, others: str = "") -> None:
        packages = [f"'windrow[{extra}]'"] if extra else []
        super().__init__(f"{what}: pip install {' '.join([*packages, *others.split()])}")


@contextmanager
def needs_package(what: str, extra: str, others: str = "") -> Iterator[None]:
    """Within, what cannot be imported raises a MissingPackageError.

    Parameters
    ----------
    what, extra, others : str
        See ``MissingPackageError``.

    Raises
    ------
    MissingPackageError
        A package is missing, or is there and cannot be imported, for a reason that the message then has, too.

    Examples
    --------
    >>> from windrow.errors import needs_package
    >>> with needs_package("arithmetic needs NumPy", "", "numpy"):
    ...     import numpy
    """
    try:
        yield
    except ImportError as error:
        broken = "" if isinstance(error, ModuleNotFoundError) else f" ({error})"
        raise MissingPackageError(f"{what}{broken}", extra, others) from error


class DataWarning(UserWarning):
    """A text that is probably not what was meant, a training that learned nothing, a log or checkpoint that is lost.

    The work goes on.
    """


def warn(message: str) -> None:
    """Issue a DataWarning; the command line shows it as one line on stderr.

    Parameters
    ----------
    message : str
        What is wrong, where, and what to try, as in errors.
    """
    warnings.warn(one_line(message), DataWarning, stacklevel=3)


def one_line(message: str) -> str:
    r"""A message without line breaks and control characters, which the names of files may have.

    Parameters
    ----------
    message : str
        Any text.

    Returns
    -------
    str
        The text, with each of them as Python writes it in a string; tabs stay.

    Examples
    --------
    >>> from windrow.errors import one_line
    >>> print(one_line("cannot read two\nlines.txt"))
    cannot read two\nlines.txt
    """
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], message)


class MissingWordError(WindrowError, KeyError):
    """A word that is not in the vocabulary; the message suggests similar words. It is also a KeyError.

    First those that differ only in case, or in the Unicode form of the same letters; then similar spellings.

    Parameters
    ----------
    word : str
        The word that was looked for.
    known_words : iterable of str, default ()
        The words of the vocabulary, frequent ones first, from which suggestions are taken.

    Examples
    --------
    >>> from windrow.errors import MissingWordError
    >>> print(MissingWordError("colour", ["color", "dog"]))
    the word 'colour' is not in the vocabulary; did you mean 'color'?
    """

    def __init__(self, word: str, known_words: Iterable[str] = ()) -> None:
        super().__init__(word)
        self.word = word
        self._known_words = known_words

    def __str__(self) -> str:
        return f"the word {self.word!r} is not in the vocabulary{self._hint()}"

    def _hint(self) -> str:
        """What to try instead. The search is slow, so it is made only when the error is shown."""
        known = list(self._known_words)
        letters = _letters(self.word)
        same = [word for word in known if _letters(word) == letters]
        if same:
            for form in _UNICODE_FORMS:
                if (other := unicodedata.normalize(form, self.word)) in same:
                    return f"; the same letters are there in another Unicode form, {form}: {other!a}, not {self.word!a}"
            return f"; did you mean {', '.join(map(repr, same[:3]))}?"
        # Among frequent words that are roughly alike.
        similar = filter(self._looks_alike, known[:_SUGGEST_FROM])
        near = difflib.get_close_matches(self.word, list(similar), n=3)
        return f"; did you mean {', '.join(map(repr, near))}?" if near else ""

    def _looks_alike(self, known: str) -> bool:
        """Whether a word has about the same length, and the same first or last letter."""
        word = self.word
        return abs(len(known) - len(word)) <= 2 and (known[:1].lower() == word[:1].lower() or known[-1:] == word[-1:])


def _letters(word: str) -> str:
    """What is left of a word without case and Unicode form."""
    return word.lower() if word.isascii() else unicodedata.normalize("NFKC", word).casefold()


def shown(value: object) -> str:
    """A value as messages show it: long ones are cut.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    str

    Examples
    --------
    >>> from windrow.errors import shown
    >>> shown(10**100)
    '10000000000000000000... (101 digits)'
    """
    if isinstance(value, Integral) and not isinstance(value, bool) and abs(int(value)) >= 10**_SHOWN:
        number = int(value)
        digits = int((abs(number).bit_length() - 1) * math.log10(2))  # str() refuses thousands of digits
        digits += abs(number) // 10**digits >= 10
        return f"{'-' * (number < 0)}{abs(number) // 10 ** (digits - 19)}... ({digits + 1} digits)"
    text = repr(value)
    return text if len(text) <= 2 * _SHOWN else f"{text[: 2 * _SHOWN]}..."


def check_range(
    name: str,
    value: float,
    low: float,
    high: float = float("inf"),
    *,
    low_open: bool = False,
    high_open: bool = False,
) -> None:
    """Raise OptionError unless a value is in its range.

    Parameters
    ----------
    name : str
        The name of the option, for the message.
    value : float
        Its value; NaN and infinity are in no range.
    low, high : float
        The ends of the range, both allowed; ``high`` is infinity by default: any finite number.
    low_open, high_open : bool, default False
        Exclude that end from the range.

    Raises
    ------
    OptionError
        The value is out of range, or not a number.

    Examples
    --------
    >>> from windrow.errors import check_range
    >>> check_range("dropout", 0.5, 0, 1, high_open=True)
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise OptionError(f"{name} = {shown(value)} must be a number")
    above = value > low if low_open else value >= low
    below = value < high if high_open else value <= high
    if not (above and below and _is_finite(value)):
        first, last = (str(end) if isinstance(end, int) else f"{end:g}" for end in (low, high))
        left, right = "(" if low_open else "[", ")" if high_open or high == float("inf") else "]"
        interval = f"{left}{first}, {last}{right}"
        raise OptionError(f"{name} = {shown(value)} is out of range; the allowed range is {interval}")


def _is_finite(value: Real | float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no float can be
        return False


def check_whole(name: str, value: object, low: int = -LARGEST_WHOLE, high: int = LARGEST_WHOLE) -> int:
    """A whole number as an int.

    Parameters
    ----------
    name : str
        The name of the option, for the message.
    value : object
        Its value: an int or NumPy integer, not a bool.
    low, high : int
        The ends of the range, both allowed; by default what fits in 64 bits.

    Returns
    -------
    int

    Raises
    ------
    OptionError
        The value is something else, or out of range.

    Examples
    --------
    >>> from windrow.errors import check_whole
    >>> check_whole("topn", 10)
    10
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise OptionError(f"{name} = {shown(value)} must be a whole number")
    number = int(value)
    if not low <= number <= high:
        raise OptionError(f"{name} = {shown(number)} is out of range; the allowed range is [{_end(low)}, {_end(high)}]")
    return number


def _end(number: int) -> str:
    """The end of a range; of whole numbers of many bits as a power."""
    bits = number.bit_length()
    if bits < 60 or abs(number) + 1 != 2**bits:
        return str(number)
    return f"2**{bits} - 1" if number > 0 else f"1 - 2**{bits}"


def check_path(name: str, value: object) -> None:
    """Raise OptionError unless a value can be the name of a file or folder.

    Parameters
    ----------
    name : str
        The name of the parameter, for the message.
    value : object
        Its value: a str, or a path of str.

    Raises
    ------
    OptionError
        The value is something else, such as bytes or a number.

    Examples
    --------
    >>> from windrow.errors import check_path
    >>> check_path("path", "model.safetensors")
    """
    if not isinstance(value, str | os.PathLike) or not isinstance(os.fspath(value), str):
        raise OptionError(f"{name} = {shown(value)} must be the name of a file or folder, not {type(value).__name__}")


def check_callable(name: str, value: object) -> None:
    """Raise OptionError unless a value can be called, or is None.

    Parameters
    ----------
    name : str
        The name of the parameter, for the message.
    value : object
        Its value.

    Raises
    ------
    OptionError
        The value is no function.

    Examples
    --------
    >>> from windrow.errors import check_callable
    >>> check_callable("progress", print)
    """
    if value is not None and not callable(value):
        raise OptionError(f"{name} = {shown(value)} must be a function, or something else that can be called")
