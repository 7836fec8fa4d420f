from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from windrow.corpus import Vocabulary
from windrow.errors import DataError
from windrow.lm.ngram.words import WordIndex
from windrow.lm.symbols import BOS, EOS, SPECIALS, UNK

WORDS = [*SPECIALS, "a", "b", "abcdefgh", "abcdefghi", "abcdefgh" * 3, "é", "漢字", "\ud800"]
VOCABULARY = Vocabulary(WORDS, np.zeros(len(WORDS), np.int64), SPECIALS)
pieces = st.sampled_from([*WORDS[3:], "<unk>", "unseen", "abcdefgh" * 4, " ", "  ", "\t", "\u3000", "\x85", "\r"])
lines = st.lists(pieces, max_size=12).map(" ".join)


@pytest.fixture(scope="module")
def index() -> WordIndex:
    return WordIndex(VOCABULARY)


def naive(sentences: list[str], bos: bool = True, eos: bool = True) -> list[list[int]]:
    ids = {word: word_id for word_id, word in enumerate(WORDS)}
    return [[BOS] * bos + [ids.get(word, UNK) for word in line.split()] + [EOS] * eos for line in sentences]


def joined(sentences: list[list[int]]) -> list[int]:
    return [word_id for sentence in sentences for word_id in sentence]


@settings(max_examples=100, deadline=None)
@given(st.lists(lines, max_size=8), st.booleans(), st.booleans())
@example([], True, True)
@example([""], True, True)
@example(["", "a", ""], False, False)
@example(["a " * 200, "b"], True, True)
def test_sentences_are_those_of_str_split_and_a_dict(sentences, bos, eos):
    expected = naive(sentences, bos, eos)

    stream, ends = WordIndex(VOCABULARY).sentences(sentences, bos=bos, eos=eos)

    assert stream.tolist() == joined(expected)
    assert ends.tolist() == np.cumsum([len(sentence) for sentence in expected]).tolist()


@pytest.mark.parametrize("end", ["", "\n"])
def test_each_line_of_a_text_is_a_sentence(index, end):
    text = f"a b\n\nb unseen\ta{end}"
    expected = naive(["a b", "", "b unseen a"])

    for given_as in (text, text.encode()):
        found = index.sentences(given_as)
        assert found.stream.tolist() == joined(expected)
        assert found.ends.size == 3
    assert index.sentences("").stream.size == 0
    assert index.sentences("\n").stream.tolist() == [BOS, EOS]


def test_a_newline_within_a_sentence_is_white_space(index):
    found = index.sentences(["a\nb", "b\n"])

    assert found.stream.tolist() == joined(naive(["a b", "b"]))
    assert found.ends.size == 2


@pytest.mark.parametrize("mark", ["<s>", "</s>"])
def test_marks_in_the_text_are_refused_or_left_out(index, mark):
    with pytest.raises(DataError, match=f"^sentence 3 holds '{mark}', .*take it out$"):
        index.sentences(["a", "", f"a {mark} b"])

    assert index.sentences(["a", f"a {mark} b"], skip_symbols=True).stream.tolist() == joined(naive(["a", "a b"]))


def test_a_word_twice_is_refused():
    with pytest.raises(DataError, match="holds a word twice"):
        WordIndex(Vocabulary(["a", "a"], np.zeros(2, np.int64)))


def test_words_that_no_text_can_hold_are_not_looked_for():
    words = [*SPECIALS, "a\u00a0b", "a", "", "b c", "b"]
    found = WordIndex(Vocabulary(words, np.zeros(len(words), np.int64), SPECIALS)).sentences(["a b a\u00a0b", "b c"])

    assert found.stream.tolist() == [BOS, 4, 7, 4, 7, EOS, BOS, 7, UNK, EOS]
    assert found.ends.tolist() == [6, 10]
