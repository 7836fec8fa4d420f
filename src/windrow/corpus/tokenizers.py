"""Tokenizers: from a stream of text to batches of tokens, in bounded memory however long a line is."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import groupby
from numbers import Integral
from typing import Any, NamedTuple, TypeVar

from windrow.corpus.tables import why_no_sentence
from windrow.errors import DataError, OptionError

# Sentences from a Python iterable are short: they are joined to batches of about this many characters.
BATCH_CHARS = 1 << 16
_LONGEST_SHOWN = 100  # characters of a bad token in a message

P = TypeVar("P", str, str | list[str])


class Batch(NamedTuple):
    """Consecutive tokens, and where sentences end; the last sentence may go on in the next batch."""

    words: list[str]
    ends: list[int]  # for each end of a sentence, how many of the tokens come before it


@dataclass(frozen=True)
class Tokenizer:
    """How a line becomes tokens."""

    name: str
    split: Callable[[str], list[str]]  # a line, or a part of one, to its tokens
    last_cut: Callable[[str], int]  # how much of a text can be split without knowing what follows; 0: nothing yet
    lower: Callable[[str], str] = str.lower


def find_tokenizer(tokenizer: str | Callable[[str], list[str]]) -> Tokenizer:
    """The tokenizer with a name, or one that calls ``MODULE:CALLABLE`` or a callable; OptionError if there is none."""
    if callable(tokenizer):
        named = tokenizer if hasattr(tokenizer, "__qualname__") else type(tokenizer)
        return _around(tokenizer, f"{getattr(named, '__module__', 'builtins')}:{named.__qualname__}")
    if tokenizer in TOKENIZERS:
        return TOKENIZERS[tokenizer]()
    if isinstance(tokenizer, str) and ":" in tokenizer:
        return _around(_imported(tokenizer), tokenizer)
    raise OptionError(
        f"tokenizer = {tokenizer!r} is unknown; choose {', '.join(TOKENIZERS)}, MODULE:CALLABLE or a callable"
    )


def batches(pieces: Iterable[str | list[str]], tokenizer: Tokenizer, lowercase: bool) -> Iterator[Batch]:
    """Tokenize a stream as ``sources.read`` gives it. The tokens do not depend on where its strings are cut.

    Raises DataError when a callable returns unusable tokens.
    """
    words: list[str] = []
    ends: list[int] = []
    for piece in _regrouped(pieces, tokenizer.last_cut):
        if isinstance(piece, str):
            if ends:
                yield Batch(words, ends)
                words, ends = [], []
            yield split_lines(tokenizer.lower(piece) if lowercase else piece, tokenizer.split)
            continue
        words += [word.lower() for word in piece] if lowercase else piece
        ends.append(len(words))
        if 8 * (len(words) + len(ends)) >= BATCH_CHARS:
            yield Batch(words, ends)
            words, ends = [], []
    if ends:
        yield Batch(words, ends)


def whole_words(pieces: Iterable[str | list[str]], tokenizer: Tokenizer, lowercase: bool) -> Iterator[str]:
    """The stream as text that is never cut within a word; a list becomes a line of its tokens."""
    texts = (piece if isinstance(piece, str) else f" {' '.join(piece)}\n" for piece in pieces)
    for text in _regrouped(texts, tokenizer.last_cut):
        yield tokenizer.lower(text) if lowercase else text


def split_lines(text: str, split: Callable[[str], list[str]]) -> Batch:
    """The tokens of a text; a newline ends a sentence."""
    words: list[str] = []
    ends: list[int] = []
    *lines, unfinished = text.split("\n")
    for line in lines:
        words += split(line)
        ends.append(len(words))
    if unfinished:
        words += split(unfinished)
    return Batch(words, ends)


def as_tokens(words: Any, where: str) -> list[str]:
    """The tokens of one sentence as a list; whole numbers, such as ids, become their decimal digits.

    Raises DataError, which begins with ``where``, for what is no list of tokens, and unless every token is a string
    that is not empty, has no white space, and can be UTF-8.
    """
    if (reason := why_no_sentence(words)) is not None:
        raise DataError(f"{where}: text must be a str or a list of str, {reason}")
    try:
        tokens = list(words)
    except TypeError as error:  # an array without dimensions says only then that it cannot be gone through
        raise DataError(f"{where}: text must be a str or a list of str, not {type(words).__name__}") from error
    try:
        joined = " ".join(tokens)
        joined.encode()
    except UnicodeEncodeError as error:
        bad = next(token for token in tokens if error.object[error.start] in token)
        raise DataError(f"{where}: the token {bad!r} holds half of a surrogate pair; correct the text") from error
    except TypeError:
        tokens = [str(int(token)) if _is_whole(token) else token for token in tokens]
        joined = " ".join(token for token in tokens if isinstance(token, str))
    if joined.split() != tokens:
        bad = next(token for token in tokens if not isinstance(token, str) or token.split() != [token])
        shown = " ".join(repr(bad).split())[:_LONGEST_SHOWN]
        raise DataError(f"{where}: the token {shown} must be a string, not empty and without white space")
    return tokens


def _is_whole(token: object) -> bool:
    return isinstance(token, Integral) and not isinstance(token, bool)


def _regrouped(pieces: Iterable[P], last_cut: Callable[[str], int]) -> Iterator[P]:
    """Move the cuts of a text to where the tokenizer allows them; lists stay as they are."""
    held: list[str] = []
    size = 0
    for piece in pieces:
        if isinstance(piece, str):
            size += len(piece)
            cut = last_cut(piece) if size >= BATCH_CHARS else 0
            if not cut:
                held.append(piece)
                continue
            yield "".join([*held, piece[:cut]])
            held, size = [piece[cut:]], len(piece) - cut
        else:
            if size:
                yield "".join(held)
                held, size = [], 0
            yield piece
    if size:
        yield "".join(held)


def _after_last_space(text: str) -> int:
    if text[-1:].isspace():
        return len(text)
    *before, unfinished = text.rsplit(None, 1) or [""]
    return len(text) - len(unfinished) if before else 0


def _after_last_newline(text: str) -> int:
    return text.rfind("\n") + 1


def _whitespace() -> Tokenizer:
    return Tokenizer("whitespace", str.split, _after_last_space)


def _word() -> Tokenizer:
    return Tokenizer("word", _word_pattern().findall, _after_last_space)


def _char() -> Tokenizer:
    # A text without white space must be cut too, but how sigma is lowered depends on what follows it.
    return Tokenizer(
        "char",
        split=lambda text: list("".join(text.split())),
        last_cut=len,
        lower=lambda text: text.replace("Σ", "σ").lower(),  # noqa: RUF001
    )


TOKENIZERS: dict[str, Callable[[], Tokenizer]] = {"whitespace": _whitespace, "word": _word, "char": _char}


@cache
def _word_pattern() -> re.Pattern[str]:
    """Letters, digits, marks and underscores; apostrophes, hyphens and zero-width joiners only inside.

    Python's ``\\w`` lacks the combining marks, without which Hindi, Thai or decomposed accents fall apart.
    """
    marks = [code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code))[0] == "M"]
    # As ranges, not one by one: the search tries them one after the other.
    runs = [[code for _, code in run] for _, run in groupby(enumerate(marks), lambda place: place[1] - place[0])]
    part = rf"[\w{''.join(f'{chr(run[0])}-{chr(run[-1])}' for run in runs)}]++"
    return re.compile(rf"{part}(?:['\-\u2019\u2010\u200c\u200d]{part})*+")


def _imported(name: str) -> Callable[[str], list[str]]:
    module_name, _, attribute = name.partition(":")
    try:
        found = getattr(import_module(module_name), attribute)
    except Exception as error:  # a module may raise anything
        reason = " ".join(str(error).split())
        raise OptionError(f"tokenizer = {name!r} cannot be imported ({reason}); is it on PYTHONPATH?") from error
    if not callable(found):
        raise OptionError(f"tokenizer = {name!r} is not a callable that maps a line to its tokens")
    return found  # type: ignore[no-any-return]


def _around(function: Callable[[str], list[str]], name: str) -> Tokenizer:
    """A tokenizer that calls ``function`` with whole lines and checks the tokens that it returns."""

    def split(line: str) -> list[str]:
        try:
            # The carriage return of a Windows file is white space, not part of the line.
            result = function(line.removesuffix("\r"))
            tokens = list(result) if isinstance(result, Iterable) and not isinstance(result, str) else None
        except Exception as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise DataError(f"the tokenizer {name} failed ({reason}); it must map a line to its tokens") from error
        if tokens is None or why_no_sentence(result) is not None:
            raise DataError(f"the tokenizer {name} must return a list of str, not {type(result).__name__}")
        return as_tokens(tokens, f"the tokenizer {name}")

    return Tokenizer(name, split, _after_last_newline)
