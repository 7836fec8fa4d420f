"""Character n-grams and their buckets, against fastText and gensim."""

from __future__ import annotations

import pytest
from gensim.models.fasttext import ft_ngram_hashes
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.corpus.subwords import (
    SENTENCE_END,
    hash_ngram,
    ngrams_of,
    subword_ids,
    vocabulary_hashes,
    vocabulary_subwords,
)

# What ``get_subwords`` of fasttext-community 0.11.9 (a build of Facebook's own sources) gives, less the word count.
FASTTEXT = {
    ("where", 3, 6, 2_000_000): [167652, 989715, 1526707, 1071586, 420941, 312621, 969176, 121234, 1473420, 1540811,
                                 114991, 1529033, 1568469, 867498],
    ("naïve", 3, 6, 2_000_000): [1806890, 1907692, 878190, 933201, 1590546, 1719404, 832043, 156687, 356832, 1223007,
                                 1505331, 1711570, 1788548, 1088654],
    ("日本語", 3, 6, 2_000_000): [758587, 4581, 524609, 35559, 928923, 1674355],
    ("日本語", 1, 4, 1000): [687, 587, 581, 749, 409, 559, 923, 417, 575, 355, 283, 255],
    ("😀", 1, 4, 1000): [818, 420, 496, 514],
    ("a", 2, 2, 50021): [19445, 44077],
    ("", 1, 4, 1000): [367],
    ("</s>", 1, 4, 1000): [],
}  # fmt: skip


@pytest.mark.parametrize(("asked", "buckets"), FASTTEXT.items(), ids=str)
def test_buckets_are_those_of_fasttext(asked, buckets):
    assert subword_ids(*asked) == buckets
    ids, starts = vocabulary_subwords([asked[0]], *asked[1:])
    assert ids.tolist() == buckets
    assert starts.tolist() == [0, len(buckets)]


def test_ngrams_are_those_of_the_paper():
    """Bojanowski et al. 2017, section 3.2."""
    assert list(ngrams_of("where", 3, 3)) == ["<wh", "whe", "her", "ere", "re>"]


def test_the_hash_is_the_published_one_for_ascii_alone():
    """FNV-1a of "foobar" from its authors' test vectors; bytes of 128 or more are signed in fastText."""
    assert hash_ngram("foobar") == 0xBF9CF968
    unsigned = 0x811C9DC5
    for byte in "ï".encode():
        unsigned = (unsigned ^ byte) * 0x01000193 % 2**32
    assert hash_ngram("ï") != unsigned


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(deadline=None)  # the kernel is compiled
@given(st.lists(TEXT, max_size=5), st.integers(1, 4), st.integers(0, 4), st.integers(1, 2**31 - 1))
def test_a_vocabulary_has_the_buckets_of_its_words(words, min_n, more, buckets):
    ids, starts = vocabulary_subwords(words, min_n, min_n + more, buckets)
    assert len(starts) == len(words) + 1
    for word, start, stop in zip(words, starts[:-1], starts[1:], strict=True):
        assert ids[start:stop].tolist() == subword_ids(word, min_n, min_n + more, buckets)
        if word != SENTENCE_END:  # which gensim takes for any other word
            assert ids[start:stop].tolist() == ft_ngram_hashes(word, min_n, min_n + more, buckets)


def test_half_of_a_surrogate_pair_is_hashed_too():
    ids, _ = vocabulary_subwords(["a\ud800"], 1, 3, 1000)
    assert ids.tolist() == subword_ids("a\ud800", 1, 3, 1000)


def test_hashes_of_many_words_have_their_sign_spread():
    """As fastText's int32_t becomes an uint64_t: that of "a", 0xe40c292c, is negative."""
    words = ["a", "", "été", "foobar", SENTENCE_END, "\ud800"]
    expected = [(hash_ngram(word) ^ 1 << 31) - (1 << 31) & (1 << 64) - 1 for word in words]

    assert vocabulary_hashes(words).tolist() == expected
    assert expected[0] == 0xFFFFFFFFE40C292C
    assert vocabulary_hashes([]).tolist() == []
