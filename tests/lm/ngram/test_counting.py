from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.naive import ngrams as naive
from windrow.corpus import Vocabulary
from windrow.errors import DataError, OptionError
from windrow.lm.ngram import counting, merging
from windrow.lm.ngram.counting import count_ngrams, memory_needed
from windrow.lm.ngram.levels import NGramCounts

SPECIALS = ("<unk>", "<s>", "</s>")


def vocabulary_of(size: int) -> Vocabulary:
    return Vocabulary([*SPECIALS, *(f"w{i}" for i in range(size - 3))], np.zeros(size, np.int64), SPECIALS)


def as_stream(sentences, eos=True) -> np.ndarray:
    return np.array(naive.stream_of(sentences, eos), np.int32)


def grams_of(counts: NGramCounts) -> list[list[tuple[int, ...]]]:
    """The n-grams of every order as tuples, spelled out by contexts."""
    grams: list[list[tuple[int, ...]]] = []
    contexts: list[tuple[int, ...]] = [()]
    for level in counts.levels:
        assert level.starts.shape == (len(contexts) + 1,)
        assert level.starts[0] == 0
        assert level.starts[-1] == level.words.size == level.suffixes.size == level.counts.size
        assert (np.diff(level.starts) >= 0).all()
        owners = np.repeat(np.arange(len(contexts)), np.diff(level.starts)).tolist()
        contexts = [(*contexts[c], w) for c, w in zip(owners, level.words.tolist(), strict=True)]
        grams.append(contexts)
    return grams


def check_against_naive(counts: NGramCounts, sentences, *, words: int, order: int, bos=True, eos=True) -> None:
    expected = naive.count(sentences, order, bos, eos)
    grams = grams_of(counts)
    assert len(grams) == order
    assert grams[0] == [(word,) for word in range(words)]
    assert counts.levels[0].suffixes.tolist() == [0] * words
    assert dict(zip(grams[0], counts.levels[0].counts.tolist(), strict=True)) == {
        (word,): expected[0][word,] for word in range(words)
    }
    for k in range(2, order + 1):
        level = counts.levels[k - 1]
        assert grams[k - 1] == sorted(expected[k - 1])
        assert level.counts.tolist() == [expected[k - 1][gram] for gram in grams[k - 1]]
        assert [grams[k - 2][place] for place in level.suffixes] == [gram[1:] for gram in grams[k - 1]]
    spelled = counts.vocabulary.words
    for gram in (gram for level in expected for gram in list(level)):
        found = expected[len(gram) - 1][gram]
        assert counts.count([spelled[word] for word in gram]) == found
        if len(gram) < order:  # one that ends where none does, and one that need not be there
            longer = (*gram, words - 1)
            assert counts.count(" ".join(spelled[word] for word in longer)) == expected[len(gram)].get(longer, 0)
    if bos:
        assert counts.initial is None
    else:
        marked = [
            {gram for gram, mark in zip(level, marks.tolist(), strict=True) if mark}
            for level, marks in zip(grams, counts.initial, strict=True)
        ]
        assert marked == naive.initial(sentences, order, eos)


# Ids above those of positions, <unk>, and few enough words that n-grams come again.
sentences_strategy = st.lists(st.lists(st.sampled_from([0, 70, 71, 72, 78]), max_size=9), max_size=12)
WORDS = 80


@settings(max_examples=80, deadline=None)
@given(sentences_strategy, st.integers(1, 7), st.booleans(), st.booleans())
@example([], 3, True, True)
@example([[]], 3, False, False)
@example([[78] * 40], 12, True, True)
def test_equals_the_naive_count(sentences, order, bos, eos):
    counts = count_ngrams(as_stream(sentences, eos), vocabulary_of(WORDS), order, bos=bos)

    check_against_naive(counts, sentences, words=WORDS, order=order, bos=bos, eos=eos)


@settings(max_examples=40, deadline=None)
@given(sentences_strategy, st.integers(1, 6), st.booleans(), st.booleans(), st.integers(1, 30))
@example([[70, 71] * 30], 6, False, True, 7)  # a sentence longer than several parts
@example([], 2, True, True, 1)
def test_counting_in_parts_changes_nothing(sentences, order, bos, eos, part):
    stream = as_stream(sentences, eos)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "part_size", lambda *_: part)
        patch.setattr(merging, "_BLOCK", 3)  # so that a context's n-grams are more than fit
        counts = count_ngrams(stream, vocabulary_of(WORDS), order, bos=bos)

    check_against_naive(counts, sentences, words=WORDS, order=order, bos=bos, eos=eos)


def random_sentences(seed: int, tokens: int, words: int = WORDS) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    ids = np.minimum(3 + rng.geometric(0.1, tokens), words - 1).tolist()
    cuts = np.sort(rng.integers(0, tokens, tokens // 12)).tolist()
    return [ids[first:last] for first, last in zip([0, *cuts], [*cuts, tokens], strict=True)]


def assert_equal(found: NGramCounts, expected: NGramCounts) -> None:
    assert found.order == expected.order
    for level, wanted in zip(found.levels, expected.levels, strict=True):
        for name, array in level._asdict().items():
            assert array.dtype == getattr(wanted, name).dtype
            assert np.array_equal(array, getattr(wanted, name)), name
    assert (found.initial is None) == (expected.initial is None)
    for marks, wanted in zip(found.initial or (), expected.initial or (), strict=True):
        assert np.array_equal(marks, wanted)


def test_a_larger_text(monkeypatch):
    """Several partitions, and partitions of several contexts."""
    monkeypatch.setattr(counting, "_PARTITION_KEYS", 300)
    monkeypatch.setattr(counting, "_MOST_DIGIT_BITS", 4)
    sentences = random_sentences(1, 20_000, 1000)

    check_against_naive(count_ngrams(as_stream(sentences), vocabulary_of(1000), 4), sentences, words=1000, order=4)


def test_every_event_is_counted_once_an_order():
    sentences = random_sentences(2, 3000)
    events = sum(len(sentence) + 1 for sentence in sentences)

    counts = count_ngrams(as_stream(sentences), vocabulary_of(WORDS), 3)

    assert [int(level.counts.sum()) for level in counts.levels[:2]] == [events, events]
    assert counts.levels[2].counts.sum() == events - len(sentences)


def test_streams_that_cannot_be_written(tmp_path):
    sentences = random_sentences(3, 500)
    stream = as_stream(sentences)
    expected = count_ngrams(stream.copy(), vocabulary_of(WORDS), 3)
    np.save(tmp_path / "stream.npy", stream)
    stream.flags.writeable = False

    for same in (stream, np.load(tmp_path / "stream.npy", mmap_mode="r"), stream.astype(np.int64), stream.tolist()):
        assert_equal(count_ngrams(same, vocabulary_of(WORDS), 3), expected)


def folders(path: Path) -> list[Path]:
    return sorted(folder for folder in path.iterdir() if folder.is_dir())


@pytest.fixture
def temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("bos", [True, False])
def test_a_budget_changes_where_the_counts_are_and_nothing_else(bos, temporary_folder, monkeypatch):
    monkeypatch.setattr(counting, "_LEAST_PART", 300)
    stream, vocabulary = as_stream(random_sentences(4, 3000)), vocabulary_of(WORDS)
    expected = count_ngrams(stream, vocabulary, 4, bos=bos, memory_budget=memory_needed(stream.size, WORDS, 4))
    assert folders(temporary_folder) == []
    reports: list[tuple[str, float]] = []

    counts = count_ngrams(
        stream, vocabulary, 4, bos=bos, memory_budget=20_000, progress=lambda *report: reports.append(report)
    )

    assert_equal(counts, expected)
    assert all(isinstance(array, np.memmap) for level in counts.levels[1:] for array in level)
    counts.levels[-1].counts[0] = 5  # what smoothing makes of counts may take their place
    (folder,) = folders(temporary_folder)
    assert len(folders(folder)) == 1, "what was merged is removed"
    parts = [done for stage, done in reports if stage == "counting"]
    assert len(parts) == -(-stream.size // 312) > 10
    assert parts == sorted(parts)
    assert parts[-1] == 1
    del counts
    assert folders(temporary_folder) == []


def test_keys_without_room_for_a_position_in_the_text(monkeypatch):
    """Parts are chosen so that position, word and context fit a key, budget or not."""
    stream, vocabulary = as_stream(random_sentences(5, 3000)), vocabulary_of(WORDS)
    expected = count_ngrams(stream, vocabulary, 4)
    monkeypatch.setattr(counting, "_KEY_BITS", 7 + 8 + 8 - 2)  # word, 256 positions, the part of a context
    monkeypatch.setattr(counting, "_MOST_PARTITION_BITS", 2)
    monkeypatch.setattr(counting, "_RUN_BITS", 2)

    assert counting.part_size(stream.size, WORDS, 4, None) == 252
    assert_equal(count_ngrams(stream, vocabulary, 4), expected)


@pytest.mark.parametrize("words, tokens", [(1_000_000, 100_000_000), (1000, 2_000_000_000), (2**31 - 1, 2**20)])
def test_keys_have_at_most_63_bits(words, tokens):
    part = counting.part_size(tokens, words, 5, None) or tokens
    positions = part + 5
    contexts = max(words, positions)

    bits = (positions - 1).bit_length() + (words - 1).bit_length() + (contexts - 1).bit_length() - 12
    assert bits <= 63
    assert part > 1000


def test_what_cannot_be_counted(monkeypatch):
    vocabulary = vocabulary_of(5)
    for stream, problem in (([1, 5, 2], "ids from 1 to 5"), ([1, -1], "ids from -1"), ([3, 2], "must begin")):
        with pytest.raises(OptionError, match=problem):
            count_ngrams(np.array(stream, np.int32), vocabulary, 2)
    stream = as_stream([[3]])
    for options in ({"order": 0}, {"order": 2.5}, {"order": 2, "memory_budget": 0}):
        with pytest.raises(OptionError, match=next(reversed(options))):
            count_ngrams(stream, vocabulary, **options)
    monkeypatch.setattr(counting, "MOST", 2)
    with pytest.raises(DataError, match="3 tokens"):
        count_ngrams(stream, vocabulary, 2)


def test_too_many_ngrams_for_their_places(monkeypatch, temporary_folder):
    monkeypatch.setattr(counting, "_LEAST_PART", 10)
    monkeypatch.setattr(merging, "MOST", 80)

    with pytest.raises(DataError, match="more than 80 different 2-grams"):
        count_ngrams(as_stream(random_sentences(6, 1000)), vocabulary_of(WORDS), 3, memory_budget=1000)
    assert folders(temporary_folder) == []


def test_a_full_disk(monkeypatch, temporary_folder):
    def refuse(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(counting, "_LEAST_PART", 10)
    monkeypatch.setattr(merging, "_new_map", refuse)

    with pytest.raises(DataError, match=r"is the disk full.*temp_dir="):
        count_ngrams(as_stream([[3] * 40]), vocabulary_of(5), 3, memory_budget=10)
    assert folders(temporary_folder) == []


def test_maps_are_forgotten_but_not_what_is_in_them(tmp_path):
    path = tmp_path / "numbers"
    np.arange(5000, dtype=np.int32).tofile(path)
    shared, private = np.memmap(path, np.int32, "r+"), np.memmap(path, np.int32, "c")
    shared[1], private[2] = 70, 80

    merging.forget([shared, private, private[1:], shared.view(np.ndarray)[2:], np.zeros(3)])

    assert shared[:4].tolist() == [0, 70, 2, 3]
    assert private[2] == 80
    assert np.fromfile(path, np.int32)[1] == 70


def test_an_ngram_that_no_count_can_be_of():
    counts = count_ngrams(as_stream([[3, 4], [3]]), vocabulary_of(5), 2)
    asked = ("w0 w1", ["w1", "w1"], "unheard w0", "w0 unheard", "<s>", "<s> w0")
    assert [counts.count(words) for words in asked] == [1, 0, 0, 0, 0, 2]
    for words in ("", "w0 w1 w1", []):
        with pytest.raises(OptionError, match=r"the counts are of n-grams of 1 to 2 words, not of [03]$"):
            counts.count(words)
