from __future__ import annotations

import unicodedata

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.naive import words as naive
from windrow.corpus import tokenizers
from windrow.corpus.tokenizers import SPACE, batches, find_tokenizer
from windrow.errors import DataError, OptionError

# White space of every kind, letters that change under lower case, marks, joiners, letters of several bytes.
texts = st.text(st.sampled_from("ab\u2019'-ΣσςİßÉé\u0301नि\u200d漢😀_1. \t\r\n\n\x1c\x85\xa0\u2028\u3000"), max_size=60)

EMOJI = [
    "\u2764\ufe0f",  # a heart, in color
    "👩🏽",  # with a skin tone
    "👩🏽\u200d🚀",  # joined to a profession
    "👨\u200d👩\u200d👧\u200d👦",
    "\u2764\ufe0f\u200d🔥",
    "🏳\ufe0f\u200d🌈",
    "🇫🇷",  # two letters make a flag
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # and tags make that of England
    "1\ufe0f\u20e3",  # keycaps
    "#\ufe0f\u20e3",
]


def tokenized(pieces, tokenizer="whitespace", lowercase=False) -> list[list[str]]:
    """Put the batches together to sentences."""
    sentences, begun = [], []
    for words, ends in batches(iter(pieces), find_tokenizer(tokenizer), lowercase):
        start = 0
        for end in ends:
            sentences.append(begun + words[start:end])
            begun, start = [], end
        begun += words[start:]
    assert begun == []
    return sentences


def cut_up(text: str, lengths: list[int]) -> list[str]:
    pieces = []
    for length in lengths:
        pieces.append(text[:length])
        text = text[length:]
    return [*pieces, text]


def code_points(line: str) -> list[str]:
    """A tokenizer that loses nothing of its line, white space at its ends included."""
    return [f"{ord(c):x}" for c in line]


def characters(line: str) -> list[str]:
    """Every character but the carriage return of a Windows file; the sign for a space twice where it is in the text."""
    signs = {SPACE: SPACE * 2}
    return [SPACE if c.isspace() else signs.get(c, c) for c in line.removesuffix("\r")]


@settings(max_examples=150)
@given(texts, st.lists(st.integers(0, 7)), st.booleans(), st.integers(1, 20))
@example("aΣ b\n", [2, 1], True, 1)
@example("the en\nd", [5, 2], False, 1)
def test_whitespace_is_split_by_line_wherever_the_text_is_cut(text, lengths, lowercase, batch_chars):
    text += "\n"
    lines = (text.lower() if lowercase else text).split("\n")[:-1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokenizers, "BATCH_CHARS", batch_chars)

        sentences = tokenized(cut_up(text, lengths), "whitespace", lowercase)

    assert sentences == [line.split() for line in lines]


@settings(max_examples=150)
@given(texts, st.lists(st.integers(0, 7)), st.integers(1, 20))
@example("a\r\n b\r", [2], 1)
@example("a\r\r", [3], 1)
@example("\u2581 \u2581", [1], 1)
def test_characters_are_all_there_are(text, lengths, batch_chars):
    text += "\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokenizers, "BATCH_CHARS", batch_chars)

        sentences = tokenized(cut_up(text, lengths), "char")

    assert sentences == [characters(line) for line in text.split("\n")[:-1]]


@settings(max_examples=150, deadline=None)  # patterns are compiled by the first
@given(texts, st.lists(st.integers(0, 7)), st.booleans(), st.integers(1, 20))
@example("abΣa", [3], True, 1)
@example("a\n b", [3], False, 1)
@pytest.mark.parametrize("tokenizer", ["whitespace", "word", "char", code_points])
def test_cuts_do_not_matter(tokenizer, text, lengths, lowercase, batch_chars):
    text += "\n"
    whole = tokenized([text], tokenizer, lowercase)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokenizers, "BATCH_CHARS", batch_chars)

        assert tokenized(cut_up(text, lengths), tokenizer, lowercase) == whole


signs = st.sampled_from(
    "ab1#*_'- .\u2019\u0301\u20e3\ufe0f\u200d\u200b\ufeff\u00a9\u2764\u2642\u2194\u203c😀👩🚀🏽🇫🇷नि"
)


@settings(max_examples=300)
@given(st.text(signs, max_size=12))
@example("👩🏽\u200d🚀\u200d\u2642\ufe0f😀")
@example("__a_\u0301-_b")
def test_words_are_those_of_the_definition(line):
    assert find_tokenizer("word").split(line) == naive.words(line)


@settings(max_examples=300)
@given(st.text(max_size=20))
def test_every_word_has_something_to_see(line):
    """Signs that are newer than this Python's Unicode, Cn, count as seen: emoji are known by their blocks."""
    for word in find_tokenizer("word").split(line):
        kinds = {unicodedata.category(c) for c in word}
        assert any(kind[0] in "LNS" or kind == "Cn" for kind in kinds) or word[-1] in "\u20e3\ufe0f", ascii(word)


@pytest.mark.parametrize("sequence", EMOJI)
def test_emoji_stay_whole(sequence):
    assert find_tokenizer("word").split(f"so {sequence}{sequence} 1,{sequence}.") == [
        "so", sequence, sequence, "1", sequence
    ]  # fmt: skip


def test_emoji_are_those_of_unicode():
    shown_in_color = regex.compile(r"(?!\p{Regional_Indicator})\p{Emoji_Presentation}")
    with_selector = regex.compile(r"(?=\p{Emoji})\p{Extended_Pictographic}")
    for char in filter(shown_in_color.match, map(chr, range(0x2000, 0x20000))):
        assert find_tokenizer("word").split(f"{char} .{char}.") == [char, char]
    for char in filter(with_selector.match, map(chr, range(0xA0, 0x20000))):
        assert find_tokenizer("word").split(f"{char}\ufe0f") == [f"{char}\ufe0f"]


@settings(max_examples=100)
@given(texts)
def test_words_keep_every_letter_and_digit_in_order(text):
    def letters(line: str) -> list[str]:
        return [c for c in line if c.isalnum()]

    sentences = tokenized([text + "\n"], "word")

    assert [letters("".join(s)) for s in sentences] == [letters(line) for line in (text + "\n").split("\n")[:-1]]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Don't stop—now, mother-in-law!", ["Don't", "stop", "now", "mother-in-law"]),
        ("'quoted' -dash- rock'n'roll it\u2019s", ["quoted", "dash", "rock'n'roll", "it\u2019s"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("Cafe\u0301 naïve", ["Cafe\u0301", "naïve"]),
        ("\u0645\u06cc\u200c\u062e\u0648", ["\u0645\u06cc\u200c\u062e\u0648"]),
        ("... !!! 😀", ["😀"]),
        ("\u00a9 2020 \u2122 \ufe0f \u200d ___ \u0301", ["2020"]),
        ("snake_case 42 a--b", ["snake_case", "42", "a", "b"]),
    ],
)
def test_word_boundaries(line, words):
    assert tokenized([line + "\n"], "word") == [words]


def test_a_text_without_white_space_is_not_held_by_the_character_tokenizer():
    def endless():
        for _ in range(3):
            yield "漢字" * tokenizers.BATCH_CHARS
        raise AssertionError("nothing was given out before the end")

    first, *_ = (batch for batch, _ in zip(batches(endless(), find_tokenizer("char"), False), "x", strict=False))

    assert len(first.words) == 2 * tokenizers.BATCH_CHARS


@settings(max_examples=200)
@given(st.text(max_size=20))
@example("a \u2581 b")
def test_characters_can_be_joined_to_the_text_again(text):
    spaced = "".join(" " if c.isspace() else c for c in text)
    tokenizer = find_tokenizer("char")

    assert tokenizer.join(tokenizer.split(spaced)) == spaced


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["the", "cat", ",", "it", "'s", "here", "(", "now", ")", "!"], "the cat, it's here (now)!"),
        (["is", "n't", "\u00bf", "que", "?"], "isn't \u00bfque?"),
        (["a", "-", "b"], "a - b"),
        ([], ""),
    ],
)
def test_words_are_joined_with_spaces_but_at_punctuation(words, text):
    assert find_tokenizer("word").join(words) == text
    assert find_tokenizer("whitespace").join(words) == " ".join(words)


def test_rules_of_before_stay_for_models_of_that_time():
    assert find_tokenizer("char", 1).split("a b") == ["a", "b"]
    assert find_tokenizer("word", 1).split("a 😀 \ufe0f ___") == ["a", "\ufe0f", "___"]
    with pytest.raises(OptionError, match="'word' of version 9 is not known"):
        find_tokenizer("word", 9)


def test_lists_are_sentences_as_they_are_and_may_stand_between_texts():
    pieces = ["A b\n", ["C-d", "e"], [], "f", " g\nh\n", ["I"]]

    assert tokenized(pieces, "char") == [["A", SPACE, "b"], ["C-d", "e"], [], ["f", SPACE, "g"], ["h"], ["I"]]
    assert tokenized(pieces, "whitespace", True)[1] == ["c-d", "e"]


def test_callables_get_whole_lines_without_their_ends():
    seen = []

    def spy(line: str) -> list[str]:
        seen.append(line)
        return line.split(" ")

    assert tokenized(["one li", "ne\r\ntwo", "\n"], spy) == [["one", "line"], ["two"]]
    assert seen == ["one line", "two"]


def test_callables_by_name():
    assert tokenized(["'a b' c\n".replace("a b", "ab")], "shlex:split") == [["ab", "c"]]
    assert find_tokenizer("shlex:split").name == "shlex:split"
    assert find_tokenizer(characters).name == f"{__name__}:characters"


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (["a b"], "'a b'"),
        ([""], "''"),
        (["a", 3.5], "3.5"),
        ("ab", "list of str, not str"),
        (None, "not NoneType"),
        (["a", "b\ud800"], "the token 'b.ud800' holds half of a surrogate pair"),
    ],
)
def test_callables_that_return_no_tokens(result, message):
    with pytest.raises(DataError, match=message):
        tokenized(["x\n"], lambda line: result)


def failing(line: str) -> list[str]:
    raise KeyError(f"{line}\nand more")


def failing_later(line: str):
    yield line
    raise KeyError(f"{line}\nand more")


@pytest.mark.parametrize("tokenizer", [failing, failing_later])
def test_callables_that_fail(tokenizer):
    with pytest.raises(DataError, match=rf"{__name__}:{tokenizer.__name__} failed \(KeyError: .*and more") as caught:
        tokenized(["x\n"], tokenizer)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value.__cause__, KeyError)

    with pytest.raises(DataError, match=r"os:getcwd failed \(TypeError: .*argument"):
        tokenized(["x\n"], "os:getcwd")


def test_an_interruption_of_a_callable_is_no_failure_of_it():
    def interrupted(line: str) -> list[str]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tokenized(["x\n"], interrupted)


def test_a_module_that_fails_when_it_is_imported(tmp_path, monkeypatch):
    (tmp_path / "windrow_test_broken.py").write_text("def split(:\n")
    (tmp_path / "windrow_test_program.py").write_text("import sys\nsys.exit()\n")
    monkeypatch.syspath_prepend(tmp_path)

    for name in ("windrow_test_broken:split", ".:split", "windrow_test_program:split"):
        with pytest.raises(OptionError, match="cannot be imported") as caught:
            find_tokenizer(name)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("words", "choose whitespace, word, char, MODULE:CALLABLE"),
        (3, "3 is unknown"),
        ("no_such_module:split", "cannot be imported"),
        ("shlex:no_such_function", "cannot be imported"),
        (":split", "cannot be imported"),
        ("sys:version", "not a callable"),
    ],
)
def test_unknown_tokenizers(name, message):
    with pytest.raises(OptionError, match=message):
        find_tokenizer(name)
