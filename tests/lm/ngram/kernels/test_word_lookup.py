from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.corpus.kernels.eight_bytes import PAD
from windrow.corpus.kernels.tokenize import AHEAD, LINES, new_batch, tokenize
from windrow.corpus.kernels.word_hash import WordHash, for_more_text, new_word_hash
from windrow.lm.ngram.kernels import word_lookup as kernels

WORDS = ["<unk>", "<s>", "</s>", "a", "abcdefgh", "abcdefgh" * 2, "abcdefgh" * 2 + "x", "é"]


def padded(text: str) -> np.ndarray:
    return np.frombuffer((text + " " * PAD).encode(), np.uint8)


def table_of(words: list[str]) -> WordHash:
    text = padded("\n".join([*words, ""]))
    table = for_more_text(new_word_hash(256, 0), 0, text.size)
    tokenize(text, 0, 0, table, new_batch(), np.empty(AHEAD, np.int32), np.empty(99, np.int64))
    return table


def look_up(text: str, bos: bool, eos: bool, skips: bool = True) -> tuple[int, list[int], list[int]]:
    lines = text.count("\n")
    ids, ends = np.full(len(text) * 2 + 4, -7, np.int32), np.full(lines + LINES, -7)
    written = kernels.look_up(padded(text), table_of(WORDS), (bos, eos, skips), new_batch(), ids, ends)
    assert written < 0 or (ids[written + 1 :] == -7).all()  # beyond a mark that was left out nothing is written
    return written, ids[: max(0, written)].tolist(), ends[:lines].tolist()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([*WORDS, "b", "abcdefgh" * 3, "abcdefghi"]), max_size=5), max_size=5),
    st.sampled_from([" ", "\t  ", "\u2003"]),
    st.booleans(),
    st.booleans(),
)
def test_as_a_dict_has_it(lines, space, bos, eos):
    known = {word: word_id for word_id, word in enumerate(WORDS) if word not in ("<s>", "</s>")}
    expected = []
    ends = []
    for line in lines:
        expected += [1] * bos + [known.get(word, 0) for word in line if word not in ("<s>", "</s>")] + [2] * eos
        ends.append(len(expected))

    text = "".join(space.join(line) + "\n" for line in lines)

    assert look_up(text, bos, eos) == (len(expected), expected, ends)


@pytest.mark.parametrize("words", [AHEAD - 1, AHEAD, AHEAD + 1, 3 * AHEAD])
def test_more_words_than_wait_together(words):
    text = "\n".join([*["a é"] * (words // 2), "a"]) + "\n"

    _, ids, ends = look_up(text, True, False)

    assert ids == [1, 3, 7] * (words // 2) + [1, 3]
    assert ends == [*range(3, 3 * (words // 2) + 1, 3), 3 * (words // 2) + 2]


@pytest.mark.parametrize(("mark", "word"), [("<s>", 1), ("</s>", 2)])
def test_the_first_mark_is_returned_with_its_line(mark, word):
    assert look_up(f"a\n\na {mark}\n<s>\n", True, True, skips=False)[0] == -(2 * 2 + word)
    assert look_up(f"{mark}\n", False, False, skips=False)[0] == -word
