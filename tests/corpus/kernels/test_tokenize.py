from __future__ import annotations

import random
import sys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.naive import tokenize as naive
from windrow.corpus.kernels import tokenize as kernels
from windrow.corpus.kernels import word_hash
from windrow.corpus.kernels.eight_bytes import padded
from windrow.numeric.jit import DISABLE_JIT

SPACES = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()]
# Letters of one to four bytes, beginning with the bytes that white space begins with too, and controls that are none.
LETTERS = ["a", "b", "\0", "\x08", "\x0e", "\x1b", "\x7f", "¡", "é", "ß", "д", "\u1681", "\u200b", "\u2027", "\u2060"]
LETTERS += ["\u205e", "\u3001", "漢", "\ufeff", "😀"]
WORDS = ["a", "abcdefg", "abcdefgh", "abcdefghi", "abcdefghijk", "abcdefghijkl", "abcdefgh" * 3]
texts = st.lists(st.sampled_from(SPACES + LETTERS + [" ", "\n", *WORDS]), max_size=60)


def tokenize(data: bytes, most_words: int = 1, most_ids: int = 7, most_ends: int = 3) -> naive.Numbered:
    """Call the kernel until it reaches the end, in arrays that are always too small: what is given is its room."""
    text, numbered, batch = padded(data), naive.Numbered(), kernels.new_batch()
    table = word_hash.for_more_text(word_hash.new_word_hash(most_words, 0), 0, text.size)
    ids, ends = np.empty(most_ids + kernels.AHEAD, np.int32), np.empty(most_ends + kernels.LINES, np.int64)
    at = known = 0
    while at < len(data):
        while known + kernels.AHEAD > table.counts.size:
            table = word_hash.for_twice_the_words(table)
        before, (at, tokens, lines, known) = at, kernels.tokenize(text, at, known, table, batch, ids, ends)
        assert at > before
        numbered.ends += (len(numbered.ids) + ends[:lines]).tolist()
        numbered.ids += ids[:tokens].tolist()
    words = table.arena[: table.offsets[known]].tobytes().decode(errors="surrogateescape")
    numbered.words = words.split("\n")[:-1]
    numbered.counts = table.counts[:known].tolist()
    return numbered


@settings(max_examples=150, deadline=None)
@given(
    texts.map("".join),
    st.sampled_from([1, 1, 7]),
    st.sampled_from([1, 128, 512]),
    st.integers(1, 200),
    st.integers(1, 90),
)
@example("", 1, 1, 1, 1)
@example("a", 1, 1, 1, 1)
@example(" \n\t\n ", 40, 1, 1, 1)
@example("a\n", 200, 1, 1, 1)
@example("abcdefgh" * 16 + " ", 1, 1, 1, 1)
@example(
    "a a\0 a\0\0 \0 \0\0 abcdefg abcdefg\0 abcdefgh abcdefgh\0 abcdefghij abcdefghij\0 abcdefghijk abcdefghij\0k",
    1,
    1,
    1,
    1,
)
def test_as_str_split_with_a_dict(text, times, most_words, most_ids, most_ends):
    """Repeated, a text meets the borders of blocks and batches in many places."""
    assert tokenize((text * times).encode(), most_words, most_ids, most_ends) == naive.tokenize(text * times)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 26), st.integers(0, 26), st.sampled_from("xyé")), max_size=12))
def test_words_that_differ_in_one_place(shapes):
    text = " ".join("x" * before + letter + "x" * after for before, after, letter in shapes)

    assert tokenize(text.encode()) == naive.tokenize(text)


def test_every_character_is_a_space_or_none_as_python_has_it():
    beside = {ord(space) + step for space in SPACES for step in range(-2, 3)}
    codes = sorted(beside | {2**bits - 1 for bits in range(1, 21)}) if DISABLE_JIT else range(sys.maxunicode + 1)
    characters = [chr(code) for code in codes if code >= 0 and not 0xD800 <= code < 0xE000]
    text = " ".join(f"x{c}y" for c in characters)

    numbered = tokenize(text.encode(), 1 << 10, 1 << 14, 1 << 10)

    assert [numbered.words[i] for i in numbered.ids] == text.split()
    assert len(numbered.ends) == characters.count("\n") == 1


@pytest.mark.parametrize("place", [*range(5), *range(59, 68), *range(124, 131)])
def test_a_space_is_seen_wherever_it_begins(place):
    """64 bytes are looked at together: longer white space may begin in one block and end in the next."""
    for space in SPACES:
        for text in (f"{'x' * place}{space}y", f"{'x' * place}{space}", f"{' ' * place}{space}{space}y"):
            assert tokenize(text.encode()) == naive.tokenize(text)
        text = f"\n\n{'x' * place}{space}y"  # after whose first block the kernel stops
        assert tokenize(text.encode(), most_ends=1) == naive.tokenize(text)


def int_of(eight: bytes) -> int:
    return int.from_bytes(eight, "little")


def mixed(key: int, eight: bytes) -> int:
    return int(word_hash.mixed(np.uint64(key), np.uint64(int_of(eight))))


def word_of(*parts: bytes | int) -> bytes | None:
    """The parts in a row; None when a number among them is not eight printable bytes."""
    whole = b"".join(part if isinstance(part, bytes) else part.to_bytes(8, "little") for part in parts)
    return whole if all(0x21 <= byte < 0x7F for byte in whole) else None


def equally_long(one: bytes, other: bytes) -> tuple[bytes | None, bytes | None]:
    """Words of 24 bytes: the second eight undo what the first did to the hash."""
    middle = mixed(24, one) ^ mixed(24, other) ^ int_of(b"middle88")
    return word_of(one, b"middle88", b"the_tail"), word_of(other, middle, b"the_tail")


def one_begins_the_other(one: bytes, other: bytes) -> tuple[bytes | None, bytes | None]:
    """Words of 24 and 16 bytes: the last eight undo the difference in length."""
    last = mixed(mixed(24, one), other) ^ mixed(16, one) ^ int_of(other)
    return word_of(one, other, last), word_of(one, other)


@pytest.mark.parametrize("collision", [equally_long, one_begins_the_other])
def test_equal_hashes_do_not_make_words_equal(collision):
    dice = random.Random(1)
    first = second = None
    while first is None or second is None:
        first, second = collision(*(bytes(dice.choices(range(0x41, 0x5B), k=8)) for _ in range(2)))
    keys = [word_hash.long_key(padded(word), 0, len(word)) for word in (first, second)]
    text = b" ".join([first, second, first, second])

    assert keys[0] == keys[1]
    assert tokenize(text) == naive.tokenize(text.decode())


def test_many_words_in_a_growing_table():
    count = 300 if DISABLE_JIT else 100_000
    text = "\n".join([*map(str, range(count)), *map(str, range(count))]) + "\n"

    assert tokenize(text.encode(), 1, 1 << 12, 1 << 12) == naive.tokenize(text)
