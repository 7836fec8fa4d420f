"""What is done to a text before it is cut into tokens: Unicode normalization, and lower case by language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Literal

from windrow.errors import OptionError

FORMS: dict[str, Literal["NFC", "NFKC"]] = {"nfc": "NFC", "nfkc": "NFKC"}
# ISO 639-1: two letters for a language.
_CODES = (
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en "
    "eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv "
    "ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne "
    "ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr ss "
    "st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"
)
LANGUAGES = frozenset(_CODES.split())
_LITHUANIAN = {"\u00cc": "i\u0307\u0300", "\u00cd": "i\u0307\u0301", "\u0128": "i\u0307\u0303"}  # Ì, Í, Ĩ
_ABOVE = re.compile("([IJ\u012e])(?=[\u0300\u0301\u0303])")  # I, J, Į under a grave, acute or tilde
_JAMO = range(0x1160, 0x1200)  # vowels and last consonants, which join the letters before them

Fold = Callable[[str], str]


def check_folding(lowercase: object, language: object, normalize: object) -> None:
    """Raise OptionError unless the options of ``fold_function`` can be used together."""
    if lowercase not in (False, True):
        raise OptionError(f"lowercase = {lowercase!r} must be True or False")
    if normalize is not None and (not isinstance(normalize, str) or normalize not in FORMS):
        raise OptionError(f"normalize = {normalize!r} is unknown; choose from {', '.join(FORMS)}")
    if language is None:
        return
    if not isinstance(language, str) or language_code(language) not in LANGUAGES:
        raise OptionError(
            f"language = {language!r} is not a code of ISO 639-1 such as tr, az, lt or en; leave it out for the usual "
            "lower case"
        )
    if not lowercase:
        raise OptionError(f"language = {language!r} is for lower case; add lowercase = True, or leave it out")


def language_code(language: str) -> str:
    """The two letters in a tag such as tr, tr-TR or az_Latn."""
    return re.split("[-_]", language, maxsplit=1)[0].lower()


def fold_function(lower: Fold | None, language: str | None, normalize: str | None) -> Fold | None:
    """The function that normalizes and lower-cases a text; None where nothing is to be done.

    ``lower``: the tokenizer's own lower case, or None where case is kept. Turkish and Azerbaijani lower-case I to
    dotless i, Lithuanian keeps the dot of an i under an accent (Unicode's SpecialCasing.txt); all other languages
    lower-case alike.
    """
    lowered = lower and _LOWER_IN.get(language_code(language or ""), _plain)(lower)
    if normalize is None:
        return lowered
    form = FORMS[normalize]
    if lowered is None:
        return lambda text: unicodedata.normalize(form, text)
    # Once more at the end: the lower case of a normalized text need not be so.
    return lambda text: unicodedata.normalize(form, lowered(unicodedata.normalize(form, text)))


def _plain(lower: Fold) -> Fold:
    return lower


def _turkic(lower: Fold) -> Fold:
    def lowered(text: str) -> str:
        dotted = text.replace("I\u0307", "i").replace("\u0130", "i")
        return lower(dotted.replace("I", "\u0131"))

    return lowered


def _lithuanian(lower: Fold) -> Fold:
    def lowered(text: str) -> str:
        text = _ABOVE.sub(lambda found: lower(found[1]) + "\u0307", text)
        for letter, small in _LITHUANIAN.items():
            text = text.replace(letter, small)
        return lower(text)

    return lowered


_LOWER_IN: dict[str, Callable[[Fold], Fold]] = {"tr": _turkic, "az": _turkic, "lt": _lithuanian}


def last_complete(text: str) -> int:
    """How much of a text can be folded without knowing what follows, at the least without its last letter."""
    for place in range(len(text) - 1, 0, -1):
        first = unicodedata.normalize("NFKD", text[place])[0]
        if text[place - 1] == "\r":  # perhaps of the end of a line
            continue
        if unicodedata.category(first)[0] != "M" and ord(first) not in _JAMO:
            return place
    return 0
