from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.lm.ngram.test_counting import as_stream, grams_of, sentences_strategy, vocabulary_of
from windrow.corpus import Vocabulary
from windrow.errors import DataError, FormatError, OptionError
from windrow.lm.ngram import counts_text
from windrow.lm.ngram.counting import count_ngrams
from windrow.lm.ngram.counts_text import grams_between, read_counts, write_counts
from windrow.lm.ngram.levels import NGramCounts
from windrow.lm.ngram.model import NGramLM

WORDS = 80
SOUND = (
    "<unk>\t0\n<s>\t0\n</s>\t1\na\t2\nb\t1\n<s> a\t1\na b\t1\nb a\t1\na </s>\t1\n<s> a b\t1\na b a\t1\nb a </s>\t1\n"
)


def assert_equal(found: NGramCounts, expected: NGramCounts) -> None:
    assert found.vocabulary.words == expected.vocabulary.words
    assert found.order == expected.order
    for level, wanted in zip(found.levels, expected.levels, strict=True):
        for name, array in level._asdict().items():
            assert array.dtype == getattr(wanted, name).dtype
            assert np.array_equal(array, getattr(wanted, name)), name
    if expected.initial is None or not any(marks.any() for marks in expected.initial):
        assert found.initial is None
    else:
        for marks, wanted in zip(found.initial, expected.initial, strict=True):
            assert np.array_equal(marks, wanted)


@pytest.fixture
def sound_file(tmp_path):
    path = tmp_path / "sound.counts"
    path.write_text(SOUND, "utf-8")
    return path


@settings(max_examples=50, deadline=None)
@given(sentences_strategy, st.integers(1, 5), st.booleans(), st.sampled_from(["", ".gz"]), st.sampled_from([1, 3, 64]))
@example([[70, 71]], 2, True, "", 64)
def test_what_was_written_is_read(tmp_path_factory, sentences, order, bos, suffix, block):
    path = tmp_path_factory.mktemp("counts") / f"text.counts{suffix}"
    counts = count_ngrams(as_stream(sentences), vocabulary_of(WORDS), order, bos=bos)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counts_text, "_BLOCK", block)
        patch.setattr(counts_text, "_OUT_BYTES", 1)  # so that lines have to wait for room
        write_counts(counts, path)
        assert_equal(read_counts(path), counts)


def test_the_lines(tmp_path):
    vocabulary = Vocabulary(["<unk>", "<s>", "</s>", "é", "1"], np.zeros(5, np.int64), ("<unk>", "<s>", "</s>"))
    path = tmp_path / "text.counts"

    write_counts(count_ngrams(as_stream([[3, 4], [3]]), vocabulary, 2), path)

    unigrams = "<unk>\t0\n<s>\t0\n</s>\t2\né\t2\n1\t1\n"
    assert path.read_text("utf-8") == unigrams + "<s> é\t2\né </s>\t1\né 1\t1\n1 </s>\t1\n"


def test_the_lines_of_a_text_without_marks(tmp_path):
    path = tmp_path / "text.counts"

    write_counts(count_ngrams(as_stream([[3, 4], [3]], eos=False), vocabulary_of(5), 2, bos=False), path)

    assert path.read_text("utf-8") == "<unk>\t0\n<s>\t0\n</s>\t0\nw0\t2\t^\nw1\t1\nw0 w1\t1\t^\n"


def test_gzip_has_the_same_text_and_no_time(tmp_path):
    counts = count_ngrams(as_stream([[70, 71]]), vocabulary_of(WORDS), 3)
    for name in ("plain", "one.gz", "two.gz"):
        write_counts(counts, tmp_path / name)

    assert gzip.decompress((tmp_path / "one.gz").read_bytes()) == (tmp_path / "plain").read_bytes()
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()


def test_large_counts(tmp_path):
    counts = count_ngrams(as_stream([[3]]), vocabulary_of(4), 2)
    counts.levels[0].counts[3] = 2**63 - 1
    counts.levels[1].counts[:] = [2**31 - 1, 10]
    write_counts(counts, tmp_path / "text.counts")

    assert_equal(read_counts(tmp_path / "text.counts"), counts)


def test_lines_in_any_order(sound_file, tmp_path):
    """SRILM writes each word with the n-grams that it begins."""
    shuffled = tmp_path / "shuffled"
    lines = SOUND.splitlines()
    shuffled.write_text("\n".join([*lines[:3], *lines[:2:-1]]), "utf-8")

    found = read_counts(shuffled)

    assert found.vocabulary.words == ["<unk>", "<s>", "</s>", "b", "a"]
    spelled = [
        {
            (*(found.vocabulary.words[word] for word in gram), str(count))
            for gram, count in zip(grams, level.counts.tolist(), strict=True)
        }
        for grams, level in zip(grams_of(found), found.levels, strict=True)
    ]
    assert set.union(*spelled) == {tuple(line.split()) for line in lines}
    for k in (2, 3):
        below, here = grams_of(found)[k - 2 : k]
        assert [below[place] for place in found.levels[k - 1].suffixes] == [gram[1:] for gram in here]


def test_a_foreign_vocabulary_is_put_in_order(tmp_path):
    path = tmp_path / "foreign"
    path.write_text("rare 1\n</s> 3\noften 7\n<s> 3\nalso 1\n\n<s> often 3\n", "utf-8")

    found = read_counts(path)

    assert found.vocabulary.words == ["<unk>", "<s>", "</s>", "often", "rare", "also"]
    assert found.vocabulary.specials == ("<unk>", "<s>", "</s>")
    assert found.levels[0].counts.tolist() == found.vocabulary.counts.tolist() == [0, 0, 3, 7, 1, 1]
    assert grams_of(found)[1] == [(1, 3)]


@pytest.mark.parametrize(
    "lines, message",
    [
        ("a c\t1\n", "line 13: there is no line for its last word: "),
        ("c a\t1\n", "line 13: there is no line for its first word: "),
        ("a a b\t1\n", "line 13: there is no line for its first 2 words: "),
        ("a b </s>\t1\nb </s>\t0\n", "line 14: the count is not a whole number from 1 to 2147483647"),
        ("a b </s>\t1\n", "line 13: there is no line for its last 2 words: "),
        ("a a\t1\n\na b a a\t1\n", "line 15: there is no line for its last 3 words: "),
        ("a b c d e\t1\n", "line 13: there is no line for its first 4 words: "),
        ("a\t3\n", "line 13: the n-gram is there for the second time"),
        ("a b\t1\n", "line 13: the n-gram is there for the second time"),
        ("a <s>\t1\n", "line 13: <s> or </s> is within the n-gram"),
        ("</s> a\t1\n", "line 13: <s> or </s> is within the n-gram"),
        ("a a\n", "line 13: the count is not a whole number"),
        ("a a\t-1\n", "line 13: the count is not a whole number"),
        ("a a\t1.5\n", "line 13: the count is not a whole number"),
        ("a a\t٣\n", "line 13: the count is not a whole number"),
        ("a a\t2147483648\n", "line 13: the count is not a whole number"),
        ("c\t9223372036854775808\n", "line 13: the count is not a whole number from 0 to"),
        ("c\n", "line 13: this is not an n-gram and its count: 'c'"),
        ("^\n", "line 13: this is not an n-gram and its count"),
        ("3 ^\n", "line 13: this is not an n-gram and its count"),
        ("a " * 256 + "3\n", "line 13: this is not an n-gram and its count"),
        ("a " * 600_000, "line 13: this is not an n-gram and its count"),
    ],
)
def test_malformed_lines(sound_file, lines, message):
    assert read_counts(sound_file).order == 3
    with sound_file.open("a", encoding="utf-8") as file:
        file.write(lines)

    with pytest.raises(FormatError) as raised:
        read_counts(sound_file)

    assert str(raised.value).startswith(f"{sound_file}: {message}")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["", "\n\n", "a b\t3\n"])
def test_files_without_unigrams(tmp_path, text):
    (tmp_path / "text").write_text(text, "utf-8")

    with pytest.raises(FormatError, match="no unigrams"):
        read_counts(tmp_path / "text")


def test_files_that_cannot_be_read(sound_file, tmp_path):
    packed = gzip.compress(SOUND.encode())
    files = {"cut.gz": packed[:-9], "latin": b"\xe9\t3\n", "nul": b"a\0\t3\n", "empty.gz": b""}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(DataError, match=name):
            read_counts(tmp_path / name)
    with pytest.raises(DataError, match="missing"):
        read_counts(tmp_path / "missing")


@pytest.mark.parametrize("word", ["two words", "", "a\0", "\ud800", "\u00a0"])
def test_words_that_do_not_fit(tmp_path, word):
    vocabulary = Vocabulary(["<unk>", "<s>", "</s>", word], np.zeros(4, np.int64), ("<unk>", "<s>", "</s>"))
    counts = count_ngrams(as_stream([[3]]), vocabulary, 1)

    with pytest.raises(DataError, match="cannot hold the word"):
        write_counts(counts, tmp_path / "text.counts")
    assert list(tmp_path.iterdir()) == []


def test_other_ways_to_pack_are_refused(tmp_path):
    with pytest.raises(OptionError, match=r"not as \.bz2"):
        write_counts(count_ngrams(as_stream([]), vocabulary_of(3), 1), tmp_path / "text.bz2")


@settings(max_examples=40, deadline=None)
@given(sentences_strategy, st.integers(1, 4), st.data())
def test_grams_between_two_places(sentences, order, data):
    levels = count_ngrams(as_stream(sentences), vocabulary_of(WORDS), order).levels
    grams = [list(gram) for gram in grams_of(NGramCounts(vocabulary_of(WORDS), levels))[-1]]
    first = data.draw(st.integers(0, len(grams)))
    last = data.draw(st.integers(first, len(grams)))

    assert grams_between(levels, first, last).tolist() == grams[first:last]


def test_a_word_that_somebody_else_counted_beyond_32_bits(tmp_path):
    path, most = tmp_path / "counts", 2**31 - 1
    path.write_text(SOUND.replace("a\t2", f"a\t{most + 1}", 1))

    for options in ({"order": 3, "smoothing": "witten-bell"}, {"order": 3, "smoothing": "absolute"}):
        with pytest.raises(DataError, match=r"a word has the count 2,147,483,648; .* up to 2,147,483,647: divide all"):
            NGramLM(**options).fit_counts(path)
    # Below the highest order Kneser-Ney counts the words before a word, and each of them does.
    found = NGramLM(3, discount_fallback=True).fit_counts(path)
    path.write_text(SOUND)
    assert found.log_prob("a b") == NGramLM(3, discount_fallback=True).fit_counts(path).log_prob("a b")
    path.write_text(SOUND.replace("a\t2", f"a\t{most}", 1))
    assert NGramLM(3, "witten-bell").fit_counts(path).log_prob("a") < 0
