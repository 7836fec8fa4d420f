"""What the tokenizer ``word`` takes for a token: a word, or an emoji with all that belongs to it."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import groupby

# Pictographs of Unicode (emoji-data.txt, Extended_Pictographic) that are emoji as they stand: those that are shown in
# color by default, and the symbols of weather, faces, signs and hands from U+2600 to U+27BF.
_EMOJI = (
    "\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2600-\u2605\u2607-\u2612\u2614-\u2685\u2690-\u2705"
    "\u2708-\u2712\u2714\u2716\u271d\u2721\u2728\u2733\u2734\u2744\u2747\u274c\u274e\u2753-\u2755\u2757"
    "\u2763-\u2767\u2795-\u2797\u27a1\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55"
    "\U0001f000-\U0001f0ff\U0001f170\U0001f171\U0001f17e\U0001f17f\U0001f18e\U0001f191-\U0001f19a"
    "\U0001f201-\U0001f202\U0001f21a\U0001f22f\U0001f232-\U0001f23a\U0001f250\U0001f251\U0001f300-\U0001f53d"
    "\U0001f546-\U0001f64f\U0001f680-\U0001f6ff\U0001f7e0-\U0001f7eb\U0001f7f0\U0001f90c-\U0001f93a"
    "\U0001f93c-\U0001f945\U0001f947-\U0001f9ff\U0001fa00-\U0001faff"
)
# Signs of ordinary text that U+FE0F makes emoji: copyright, arrows, the play button, ...
_WITH_SELECTOR = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u2328\u23cf\u23ed-\u23ef\u23f1\u23f2"
    "\u23f8-\u23fa\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb\u25fc\u2934\u2935\u2b05-\u2b07\u3030\u303d\u3297\u3299"
)
_REGIONAL = "\U0001f1e6-\U0001f1ff"  # letters, of which two are a flag
_SELECTORS = "\ufe0e\ufe0f\u20d0-\u20f0"  # text or color, and what encloses a sign
_SKIN = "\U0001f3fb-\U0001f3ff"
_TAGS = "\U000e0020-\U000e007f"  # of the flags of England, Scotland and Wales
_JOINERS = r"'\-\u2019\u2010\u200c\u200d"  # apostrophes, hyphens, zero-width joiners: only inside a word


@cache
def word_pattern() -> re.Pattern[str]:
    """Emoji, keycaps, flags and their sequences (Unicode Technical Standard 51); else words.

    A word has a letter or a digit, then letters, digits, marks and underscores; apostrophes, hyphens and zero-width
    joiners stand only inside. Python's ``\\w`` lacks the combining marks, without which Hindi, Thai or decomposed
    accents fall apart.
    """
    after = rf"[{_SKIN}]?[{_SELECTORS}]*+"
    element = rf"(?:[{_EMOJI}]|[{_WITH_SELECTOR}](?=\ufe0f)){after}[{_TAGS}]*+"
    joined = rf"[{_EMOJI}{_WITH_SELECTOR}]{after}"
    emoji = rf"{element}(?:\u200d{joined})*+|[{_REGIONAL}]{{1,2}}|[0-9#*]\ufe0f?\u20e3"
    # Underscores may come first; where they stand alone, each run of them is looked at once.
    part = rf"_*+[^\W_][\w{_marks()}]*+"
    return re.compile(rf"{emoji}|(?<!_){part}(?:[{_JOINERS}]{part})*+")


@cache
def first_word_pattern() -> re.Pattern[str]:
    """Version 1 of these rules, for models of that time: no emoji, and marks or underscores alone are words."""
    part = rf"[\w{_marks()}]++"
    return re.compile(rf"{part}(?:[{_JOINERS}]{part})*+")


@cache
def _marks() -> str:
    """All combining marks, as ranges for a set: one by one, the search would try them one after the other."""
    marks = (code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code))[0] == "M")
    return "".join(f"{chr(run[0])}-{chr(run[-1])}" for run in _runs(marks))


def _runs(codes: Iterable[int]) -> Iterable[list[int]]:
    """Consecutive numbers together."""
    return ([code for _, code in run] for _, run in groupby(enumerate(codes), lambda place: place[1] - place[0]))
