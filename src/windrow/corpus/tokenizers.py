"""Tokenizers: from a stream of text to batches of tokens, in bounded memory however long a line is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from numbers import Integral
from typing import Any, NamedTuple, TypeVar

from windrow.corpus import streams
from windrow.corpus.tables import why_no_sentence
from windrow.corpus.word_pattern import first_word_pattern, word_pattern
from windrow.errors import DataError, OptionError

# Sentences from a Python iterable are short: they are joined to batches of about this many characters.
BATCH_CHARS = 1 << 16
# What the tokenizer char writes for a space: "lower one eighth block", as SentencePiece does. Where it stands in the
# text itself it becomes a token of two, so that no text is lost.
SPACE = "\u2581"
_OPENING = tuple("([{\u00ab\u201c\u2018\u00bf\u00a1")  # after which no space is written
_CLOSING = frozenset(".,;:!?%)]}\u00bb\u201d\u2019\u2026")  # before which none is, if a token has nothing else
_CLITICS = frozenset(("n't", "'s", "'re", "'ve", "'ll", "'d", "'m"))  # as the Penn Treebank cuts them off
_LONGEST_SHOWN = 100  # characters of a bad token in a message

P = TypeVar("P", str | bytes, str | list[str])


class Batch(NamedTuple):
    """Consecutive tokens, and where sentences end; the last sentence may go on in the next batch."""

    words: list[str]
    ends: list[int]  # for each end of a sentence, how many of the tokens come before it


@dataclass(frozen=True)
class Tokenizer:
    """How a line becomes tokens, and tokens a text again."""

    name: str
    split: Callable[[str], list[str]]  # a line, or a part of one, to its tokens
    last_cut: Callable[[Any], int]  # how much of a text can be split without knowing what follows; 0: nothing yet
    fold: Callable[[str], str] = str.lower  # lower case, and what else is done to a text first
    join: Callable[[Sequence[str]], str] = " ".join
    version: int | None = None  # of its rules, where they have changed
    by_line: bool = False  # whether it must be given whole lines


def find_tokenizer(tokenizer: str | Callable[[str], list[str]], version: int | None = None) -> Tokenizer:
    """The tokenizer with a name, or one that calls ``MODULE:CALLABLE`` or a callable; OptionError if there is none.

    ``version``: of its rules, as a model remembers them; None: today's.
    """
    if callable(tokenizer):
        return _around(tokenizer, name_of_tokenizer(tokenizer))
    if isinstance(tokenizer, str) and tokenizer in TOKENIZERS:
        return _of_version(tokenizer, version)
    if is_foreign(tokenizer):
        return _around(_imported(tokenizer), tokenizer)
    raise OptionError(
        f"tokenizer = {tokenizer!r} is unknown; choose {', '.join(TOKENIZERS)}, MODULE:CALLABLE or a callable"
    )


def _of_version(name: str, version: int | None) -> Tokenizer:
    found = TOKENIZERS[name]()
    if version in (None, found.version):
        return found
    if version != 1:
        raise OptionError(f"tokenizer {name!r} of version {version!r} is not known to this windrow; update it")
    return _FIRST.get(name, TOKENIZERS[name])()


def is_foreign(tokenizer: object) -> bool:
    """Whether it is the name of a callable, MODULE:CALLABLE."""
    return isinstance(tokenizer, str) and tokenizer not in TOKENIZERS and ":" in tokenizer


def name_of_tokenizer(tokenizer: str | Callable[[str], list[str]]) -> str:
    """The name under which a file remembers a tokenizer."""
    if isinstance(tokenizer, str):
        return tokenizer
    named = tokenizer if hasattr(tokenizer, "__qualname__") else type(tokenizer)
    return f"{getattr(named, '__module__', 'builtins')}:{named.__qualname__}"


def shown_name(name: str) -> str:
    """The name of a callable for a message: a file may hold any."""
    shown = name if name.isprintable() else ascii(name)
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}..."


def batches(
    pieces: Iterable[str | list[str]], tokenizer: Tokenizer, folds: bool, fold_lists: bool = True
) -> Iterator[Batch]:
    """Tokenize a stream as ``sources.read`` gives it. The tokens do not depend on where its strings are cut.

    ``folds``: whether strings are first given to the tokenizer's ``fold``; ``fold_lists``: and so are the tokens of
    lists. Raises DataError when a callable returns unusable tokens.
    """
    words: list[str] = []
    ends: list[int] = []
    for piece in _regrouped(pieces, tokenizer.last_cut):
        if isinstance(piece, str):
            if ends:
                yield Batch(words, ends)
                words, ends = [], []
            yield split_lines(tokenizer.fold(piece) if folds else piece, tokenizer.split)
            continue
        words += tokenizer.fold(" ".join(piece)).split() if folds and fold_lists else piece
        ends.append(len(words))
        if 8 * (len(words) + len(ends)) >= BATCH_CHARS:
            yield Batch(words, ends)
            words, ends = [], []
    if ends:
        yield Batch(words, ends)


def whole_words(pieces: Iterable[str | bytes | list[str]], tokenizer: Tokenizer, folds: bool) -> Iterator[bytes]:
    """The stream as UTF-8 that is never cut within a word; a list becomes a line of its tokens.

    Only a text that need not be folded may come as bytes, which then are UTF-8.
    """
    texts = (f" {' '.join(piece)}\n" if isinstance(piece, list) else piece for piece in pieces)
    for text in _regrouped(texts, tokenizer.last_cut):
        if isinstance(text, bytes):
            yield text
        else:
            yield (tokenizer.fold(text) if folds else text).encode("utf-8", "surrogatepass")


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
        tokens = with_numbers_as_words(tokens)
        joined = " ".join(token for token in tokens if isinstance(token, str))
    if joined.split() != tokens:
        bad = next(token for token in tokens if not isinstance(token, str) or token.split() != [token])
        shown = " ".join(repr(bad).split())[:_LONGEST_SHOWN]
        raise DataError(f"{where}: the token {shown} must be a string, not empty and without white space")
    return tokens


def with_numbers_as_words(tokens: Iterable[Any]) -> list[Any]:
    """The tokens, whole numbers as their decimal digits; True and False are none."""
    return [
        str(int(token)) if isinstance(token, Integral) and not isinstance(token, bool) else token for token in tokens
    ]


def _regrouped(pieces: Iterable[P], last_cut: Callable[[Any], int]) -> Iterator[P]:
    """Move the cuts of a text to where the tokenizer allows them; lists stay as they are."""
    held: list[Any] = []
    size = 0
    for piece in pieces:
        if not isinstance(piece, list):
            size += len(piece)
            cut = last_cut(piece) if size >= BATCH_CHARS else 0
            if not cut:
                size += streams.characters_in(piece) - len(piece)
                if size > streams.LONGEST_LINE:
                    raise _too_long(last_cut)
                held.append(piece)
                continue
            yield _joined([*held, piece[:cut]])
            held = [piece[cut:]]
            size = streams.characters_in(held[0])
        else:
            if size:
                yield _joined(held)
                held, size = [], 0
            yield piece
    if size:
        yield _joined(held)


def _joined(pieces: Sequence[Any]) -> Any:
    """Strings, or bytes, as one."""
    return pieces[0][:0].join(pieces)


def _too_long(last_cut: Callable[[Any], int]) -> DataError:
    """The error for text that cannot be cut anywhere, however much of it is held."""
    if last_cut is _after_last_newline:
        return streams.too_long("a line, which a tokenizer of your own gets whole,", streams.FOLD)
    return streams.too_long("a word", "is it text? fold -w 100000 breaks it, too")


def _after_last_space(text: str | bytes) -> int:
    if isinstance(text, bytes):
        if cut := max(text.rfind(b" "), text.rfind(b"\n")) + 1:
            return cut
        decoded = text.decode()
        return len(decoded[: _after_last_space(decoded)].encode())
    if text[-1:].isspace():
        return len(text)
    *before, unfinished = text.rsplit(None, 1) or [""]
    return len(text) - len(unfinished) if before else 0


def _after_last_newline(text: str) -> int:
    return text.rfind("\n") + 1


def _before_carriage_return(text: str) -> int:
    """All but carriage returns at the end, of which the last may be a part of the end of a line."""
    return len(text.rstrip("\r"))


def _whitespace() -> Tokenizer:
    return Tokenizer("whitespace", str.split, _after_last_space)


def _word() -> Tokenizer:
    return Tokenizer("word", word_pattern().findall, _after_last_space, join=_joined_words, version=2)


def _char() -> Tokenizer:
    # A text without white space must be cut too, but how sigma is lowered depends on what follows it.
    return Tokenizer("char", _characters, _before_carriage_return, _lower_alone, join=_joined_characters, version=2)


def _first_word() -> Tokenizer:
    return Tokenizer("word", first_word_pattern().findall, _after_last_space, join=_joined_words, version=1)


def _first_char() -> Tokenizer:
    """Without the spaces of the text."""
    return Tokenizer("char", lambda text: list("".join(text.split())), len, _lower_alone, join="".join, version=1)


TOKENIZERS: dict[str, Callable[[], Tokenizer]] = {"whitespace": _whitespace, "word": _word, "char": _char}
# Version 1 of their rules, where there is another now, so that models of that time go on as they were trained.
_FIRST = {"word": _first_word, "char": _first_char}


def _lower_alone(text: str) -> str:
    """Lower case, in which no letter depends on another."""
    return text.replace("Σ", "σ").lower()  # noqa: RUF001


def _characters(line: str) -> list[str]:
    """The characters of a line, SPACE for each that is white space."""
    line = line.removesuffix("\r")
    if SPACE not in line and line.isprintable():  # of white space only the space is printable
        return list(line.replace(" ", SPACE))
    return [SPACE * 2 if c == SPACE else SPACE if c.isspace() else c for c in line]


def _joined_characters(tokens: Sequence[str]) -> str:
    return "".join(" " if token == SPACE else SPACE if token == SPACE * 2 else token for token in tokens)


def _joined_words(tokens: Sequence[str]) -> str:
    """Words with spaces between them, except before and after punctuation: roughly as the text was."""
    parts = list(tokens[:1])
    for before, token in pairwise(tokens):
        is_close = _CLOSING.issuperset(token) or token.lower() in _CLITICS or before in _OPENING
        parts.append(token if is_close else f" {token}")
    return "".join(parts)


def _imported(name: str) -> Callable[[str], list[str]]:
    module_name, _, attribute = name.partition(":")
    try:
        found = getattr(import_module(module_name), attribute)
    except (Exception, SystemExit) as error:  # a module may raise anything, or be a program
        reason = " ".join(str(error).split()) or type(error).__name__
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
        except (Exception, SystemExit) as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise DataError(f"the tokenizer {name} failed ({reason}); it must map a line to its tokens") from error
        if tokens is None or why_no_sentence(result) is not None:
            raise DataError(f"the tokenizer {name} must return a list of str, not {type(result).__name__}")
        return as_tokens(tokens, f"the tokenizer {name}")

    return Tokenizer(name, split, _after_last_newline, by_line=True)
