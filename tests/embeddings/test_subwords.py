"""Words made of character n-grams: rows, training, vectors of unseen words."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import Corpus, Word2Vec, WordVectors
from windrow.corpus.subwords import subword_ids
from windrow.embeddings.kernels.windows import ChunkDrawer
from windrow.embeddings.subwords import NgramVectors, Subwords, compose
from windrow.embeddings.training.block_size import choose_block_size
from windrow.errors import MissingWordError, OptionError

OPTIONS: dict[str, Any] = {
    "vector_size": 16, "min_count": 2, "epochs": 2, "workers": 1, "subwords": True, "buckets": 500, "sample": 0
}  # fmt: skip
WORDS = ["king", "kings", "kingdom", "sing", "a", "</s>"]


@pytest.fixture(scope="module")
def model(lee: Corpus) -> Word2Vec:
    return Word2Vec(**OPTIONS).fit(lee)


# --- rows


@pytest.mark.parametrize("buckets", [1, 7, 2_000_000])
def test_rows_are_numbered_as_n_grams_first_occur(buckets):
    subwords, word_rows = Subwords.of(WORDS, 3, 4, buckets)
    used: list[int] = []
    for number, word in enumerate(WORDS):
        ids = subword_ids(word, 3, 4, buckets)
        used += [bucket for bucket in dict.fromkeys(ids) if bucket not in used]
        own = word_rows.rows[word_rows.starts[number] : word_rows.starts[number + 1]].tolist()
        assert own == [number, *(len(WORDS) + used.index(bucket) for bucket in ids)]
    assert subwords.used.tolist() == used
    again = subwords.word_rows(WORDS)
    np.testing.assert_array_equal(again.rows, word_rows.rows)
    np.testing.assert_array_equal(again.starts, word_rows.starts)


def test_n_grams_without_a_row_are_left_out_but_counted():
    subwords, _ = Subwords.of(["king"], 3, 3, 2_000_000)
    rows, number = subwords.rows_of("kink")  # "<ki", "kin" are known, "ink", "nk>" are not
    assert (rows.tolist(), number) == ([0, 1], 4)
    assert subwords.word_rows(["kink"]).rows.tolist() == [0, 1, 2]
    nobody, _ = Subwords.of(["</s>"], 3, 3, 10)
    assert nobody.rows_of("king")[0].tolist() == []


@settings(deadline=None)  # the kernel is compiled
@given(st.lists(st.text("abé", max_size=5), min_size=1, max_size=6, unique=True), st.integers(1, 40))
def test_composed_vectors_are_means_of_rows(words, buckets):
    subwords, word_rows = Subwords.of(words, 1, 3, buckets)
    table = np.random.default_rng(1).standard_normal((len(words) + len(subwords.used), 16)).astype(np.float32)
    for number, vector in enumerate(compose(table, word_rows)):
        own = table[word_rows.rows[word_rows.starts[number] : word_rows.starts[number + 1]]]
        np.testing.assert_allclose(vector, own.mean(axis=0), atol=1e-6)


def test_blocks_heed_how_often_words_share_n_grams():
    """The expected overlap of two words of the text, as a sum over all pairs of words."""
    words, counts = ["abab", "ababa", "babab", "xyz"], np.array([5, 3, 3, 1])
    _, word_rows = Subwords.of(words, 2, 3, 2_000_000)
    rows = [word_rows.rows[start:stop].tolist() for start, stop in pairwise(word_rows.starts)]
    shares = counts / counts.sum()
    overlap = sum(
        p * q * sum(theirs.count(row) for row in own) / len(own)
        for p, own in zip(shares, rows, strict=True)
        for q, theirs in zip(shares, rows, strict=True)
    )

    class Asked:
        most_updates = math.inf

        def block_share(self, repetition: float, windows: float) -> float:
            self.repetition = repetition
            return 1.0

    layer, drawer = Asked(), ChunkDrawer.of(counts, 0, 5, "shrink")
    choose_block_size(True, drawer, counts, [layer], 0.05, np.zeros(0, np.int32), word_rows)  # type: ignore[list-item]
    assert layer.repetition == pytest.approx(overlap)


# --- training


@pytest.mark.parametrize("sg", [0, 1])
@pytest.mark.parametrize("loss", ["ns", "hs", "hs+ns"])
def test_both_kernels_learn_the_same(lee: Corpus, sg: int, loss: str) -> None:
    block, pair = (
        Word2Vec(**OPTIONS, sg=sg, loss=loss, kernel=kernel).fit(lee).history_ for kernel in ("block", "pair")
    )
    assert block[0]["loss"] > block[1]["loss"]
    assert block[1]["loss"] == pytest.approx(pair[1]["loss"], rel=0.5 if loss == "ns" and sg else 0.15)


def test_an_n_gram_is_trained_with_every_word_that_has_it() -> None:
    """Words that occur twice take after a frequent one that has their n-grams."""
    text = [["drink", "water"], ["drink", "wine"], ["drive", "cars"], ["drive", "trucks"]] * 100
    rare = [["drinker", "x"], ["driver", "x"]] * 2
    model = Word2Vec(**OPTIONS | {"epochs": 10, "sg": 1, "alpha": 0.05}).fit(text + rare)
    wv = model.wv
    assert wv.similarity("drinker", "drink") > wv.similarity("drinker", "drive")
    assert wv.similarity("drinking", "drink") > wv.similarity("drinking", "drive")


@pytest.mark.parametrize("threads", [2, 3])
def test_deterministic_threads_give_equal_bits(lee: Corpus, threads: int) -> None:
    options = OPTIONS | {"workers": threads, "deterministic": True, "epochs": 1}
    first, second = Word2Vec(**options).fit(lee).wv, Word2Vec(**options).fit(lee).wv
    np.testing.assert_array_equal(first.vectors, second.vectors)
    np.testing.assert_array_equal(first.ngrams.vectors, second.ngrams.vectors)


def test_a_round_of_one_job_trains_as_one_worker_does(lee_sentences: list[list[str]]) -> None:
    few = [sentence[:90] for sentence in lee_sentences[:6]]
    options = OPTIONS | {"min_count": 1, "deterministic": True}
    alone, rounds = (Word2Vec(**options | {"workers": workers}).fit(few).wv for workers in (1, 3))
    np.testing.assert_allclose(rounds.vectors, alone.vectors, rtol=0, atol=3e-6)
    np.testing.assert_allclose(rounds.ngrams.vectors, alone.ngrams.vectors, rtol=0, atol=3e-6)


def test_a_resumed_training_is_the_whole_one(lee: Corpus, model: Word2Vec, tmp_path: Path) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    checkpoint = tmp_path / "checkpoint"
    part = Word2Vec(**OPTIONS, callbacks=[interrupt])
    with pytest.raises(KeyboardInterrupt):
        part.fit(lee, checkpoint=checkpoint)
    resumed = Word2Vec(**OPTIONS).fit(lee, checkpoint=checkpoint, resume=True)
    np.testing.assert_array_equal(resumed.wv.ngrams.vectors, model.wv.ngrams.vectors)


def test_tables_too_large_for_memory_are_refused(lee: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windrow.machine.available_memory", lambda: 50_000)
    with pytest.raises(OptionError, match=r"500 n-grams .* lower vector_size or buckets"):
        Word2Vec(**OPTIONS).fit(lee)


# --- vectors


def test_an_unseen_word_is_the_mean_of_its_n_grams(model: Word2Vec) -> None:
    wv = model.wv
    word = "afghanistani"
    assert word not in wv.key_to_index
    assert word in wv
    buckets = subword_ids(word, 3, 6, 500)
    rows = [wv.ngrams.subwords.used.tolist().index(bucket) for bucket in buckets]
    np.testing.assert_allclose(wv[word], wv.ngrams.vectors[rows].mean(axis=0), rtol=1e-5)
    np.testing.assert_array_equal(wv[[word, "the"]], [wv[word], wv["the"]])
    assert not wv[word].flags.writeable
    assert np.linalg.norm(wv.get_vector(word, norm=True)) == pytest.approx(1)


def test_unseen_words_are_compared(model: Word2Vec) -> None:
    wv = model.wv
    word, vector = "afghanistani", model.wv["afghanistani"]
    assert wv.most_similar(word) == wv.most_similar([wv.get_vector(word, norm=True)])
    cosine = vector @ wv["the"] / np.linalg.norm(vector) / np.linalg.norm(wv["the"])
    assert wv.similarity(word, "the") == pytest.approx(cosine, rel=1e-5)
    assert wv.distances(word, ["the", word]) == pytest.approx([1 - cosine, 0], abs=1e-6)
    assert wv.n_similarity([word], ["the"]) == pytest.approx(cosine, rel=1e-5)
    batch = wv.most_similar_batch([word], topn=3)[0]
    assert [score for _, score in batch] == pytest.approx([score for _, score in wv.most_similar(word, topn=3)])
    assert wv.doesnt_match([word, "afghanistan", "the"]) in (word, "afghanistan", "the")
    np.testing.assert_allclose(wv.get_mean_vector([word], pre_normalize=False), vector, rtol=1e-6)


def test_a_word_without_known_n_grams_is_missing() -> None:
    subwords, _ = Subwords.of(["king"], 3, 3, 2_000_000)
    ngrams = NgramVectors(subwords, np.ones((len(subwords.used), 2), np.float32))
    wv = WordVectors(["king"], np.ones((1, 2), np.float32), ngrams=ngrams)
    assert "xyz" not in wv
    assert "kin" in wv
    with pytest.raises(MissingWordError, match="xyz"):
        wv["xyz"]
    with pytest.raises(MissingWordError):  # it has a vector, but no row
        wv.get_index("kin")


def test_n_grams_of_another_size_are_refused() -> None:
    subwords, _ = Subwords.of(["king"], 3, 3, 10)
    ngrams = NgramVectors(subwords, np.ones((len(subwords.used), 3), np.float32))
    with pytest.raises(OptionError, match="3 dimensions, the words of 2"):
        WordVectors(["king"], np.ones((1, 2), np.float32), ngrams=ngrams)


def test_a_part_of_the_words_keeps_the_n_grams(model: Word2Vec) -> None:
    wv = model.wv
    for part in (wv.subset(["the", "of"]), wv.head(2)):
        np.testing.assert_array_equal(part["afghanistani"], wv["afghanistani"])
    assert "afghanistani" not in wv.normalize()
