from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.corpus import TextReader

# Of Unicode's SpecialCasing.txt, and of the usual lower case.
LOWER = [
    ("tr", "IŞIK İSTANBUL ŞEHİR", "\u0131ş\u0131k istanbul şehir"),
    ("az", "QIZ I\u0307L", "q\u0131z il"),
    ("tr-TR", "DİYARBAKIR", "diyarbak\u0131r"),
    ("lt", "\u00cc \u0128 J\u0303 \u012e\u0301 I", "i\u0307\u0300 i\u0307\u0303 j\u0307\u0303 \u012f\u0307\u0301 i"),
    ("de", "I ẞ", "i ß"),
    (None, "IŞIK", "işik"),
]


@pytest.mark.parametrize(("language", "text", "expected"), LOWER)
@pytest.mark.parametrize("tokenizer", ["whitespace", "word"])
def test_lower_case_by_language(language, text, expected, tokenizer):
    assert TextReader(tokenizer, lowercase=True, language=language).tokens(text) == expected.split()


@given(st.text(max_size=12), st.sampled_from(["nfc", "nfkc"]), st.sampled_from([None, "tr", "lt"]))
def test_normalized_text_is_normalized(text, normalize, language):
    reader = TextReader("char", lowercase=True, language=language, normalize=normalize)

    for word in TextReader(lowercase=True, language=language, normalize=normalize).tokens(text):
        assert unicodedata.is_normalized(normalize.upper(), word)
    spaced = reader.join(reader.tokens(text))
    assert unicodedata.is_normalized(normalize.upper(), spaced)


def test_forms():
    assert TextReader(normalize="nfc").tokens("e\u0301 ﬁ") == ["\u00e9", "ﬁ"]
    assert TextReader(normalize="nfkc").tokens("e\u0301 ﬁ \uff21\u00a0½") == ["\u00e9", "fi", "A", "1\u20442"]
