"""The tokenizer ``word`` from its definition: character by character, with the properties that ``regex`` knows."""

from __future__ import annotations

import unicodedata

import regex

SELECTOR, JOINER, KEYCAP = "\ufe0f", "\u200d", "\u20e3"


def is_mark(char: str) -> bool:
    return unicodedata.category(char)[0] == "M"


def is_picture(char: str) -> bool:
    return bool(regex.fullmatch(r"[\p{Extended_Pictographic}\p{Emoji_Modifier}]", char))


def stands_alone(char: str) -> bool:
    """Whether a picture is shown as one without U+FE0F, or is among the symbols and dingbats."""
    return bool(regex.fullmatch(r"\p{Emoji_Presentation}", char)) or "\u2600" <= char <= "\u27bf"


def is_regional(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def words(line: str) -> list[str]:
    """The tokens of a line."""
    found = []
    at = 0
    while at < len(line):
        end = _emoji_end(line, at) or _word_end(line, at)
        if end:
            found.append(line[at:end])
        at = end or at + 1
    return found


def _emoji_end(line: str, at: int) -> int:
    """Where the emoji sequence at this place ends, 0 if there is none."""
    if is_regional(line[at]):
        return at + (2 if at + 1 < len(line) and is_regional(line[at + 1]) else 1)
    for keycap in (line[at] + SELECTOR + KEYCAP, line[at] + KEYCAP):
        if line[at] in "0123456789#*" and line.startswith(keycap, at):
            return at + len(keycap)
    if not is_picture(line[at]) or not (stands_alone(line[at]) or line[at + 1 : at + 2] == SELECTOR):
        return 0
    end = _element_end(line, at)
    while end + 1 < len(line) and line[end] == JOINER and is_picture(line[end + 1]):
        end = _element_end(line, end + 1)
    return end


def _element_end(line: str, at: int) -> int:
    end = at + 1
    if end < len(line) and "\U0001f3fb" <= line[end] <= "\U0001f3ff":
        end += 1
    while end < len(line) and (line[end] in "\ufe0e\ufe0f" or "\u20d0" <= line[end] <= "\u20f0"):
        end += 1
    return end


def _word_end(line: str, at: int) -> int:
    end = _part_end(line, at)
    while end and end < len(line) and line[end] in "'-\u2019\u2010\u200c\u200d":
        further = _part_end(line, end + 1)
        if not further:
            break
        end = further
    return end


def _part_end(line: str, at: int) -> int:
    """Where letters, digits, marks and underscores end that hold a letter or a digit before any mark; else 0."""
    letter = at
    while letter < len(line) and line[letter] == "_":
        letter += 1
    if letter == len(line) or not line[letter].isalnum():
        return 0
    end = letter
    while end < len(line) and (line[end].isalnum() or line[end] == "_" or is_mark(line[end])):
        end += 1
    return end
