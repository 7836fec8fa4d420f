from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lm.contract import toy_vocabulary
from windrow.corpus import Corpus
from windrow.errors import DataError, OptionError
from windrow.lm import stream
from windrow.lm.stream import lm_vocabulary, sentence_blocks, training_stream, word_mapping
from windrow.lm.symbols import BOS, EOS, SPECIALS, UNK

TEXT = ["b a a", "", "c a b", "d"]  # a 3 times, b 2, c and d once

sentences = st.lists(st.lists(st.sampled_from("abcdef"), max_size=5), min_size=1, max_size=12).filter(any)


def naive_stream(text: list[list[str]], words: list[str], eos: bool = True) -> list[int]:
    ids = []
    for sentence in text:
        ids += [BOS, *(words.index(word) if word in words else UNK for word in sentence), *([EOS] * eos)]
    return ids


# --- the vocabulary


def test_the_vocabulary_of_a_model() -> None:
    vocabulary, mapping = lm_vocabulary(Corpus.build(TEXT))

    assert vocabulary.words == [*SPECIALS, "a", "b", "d", "c"]
    assert vocabulary.specials == SPECIALS
    assert vocabulary.counts.tolist() == [0, 0, 4, 3, 2, 1, 1]  # </s> comes once per sentence
    assert mapping.tolist() == [3, 4, 5, 6, UNK]
    assert mapping.dtype == np.int32


@pytest.mark.parametrize("options", [{"min_count": 2}, {"max_vocab": 5}])
def test_rare_words_are_unknown(options: dict[str, int]) -> None:
    vocabulary, mapping = lm_vocabulary(Corpus.build(TEXT), **options)

    assert vocabulary.words == [*SPECIALS, "a", "b"]
    assert vocabulary.counts.tolist() == [2, 0, 4, 3, 2]
    assert mapping.tolist() == [3, 4, UNK, UNK, UNK]


def test_unk_in_the_text_is_unknown() -> None:
    vocabulary, _ = lm_vocabulary(Corpus.build(["a <unk> a", "<unk> b <unk> a"]), min_count=2)

    assert vocabulary.words == [*SPECIALS, "a"]
    assert vocabulary.counts.tolist() == [4, 0, 2, 3]


@pytest.mark.parametrize("specials", [(), ("<unk>",), ("<pad>", "<unk>"), ("</s>", "<s>", "<unk>")])
def test_words_that_the_corpus_left_out(specials: tuple[str, ...], tmp_path: Path) -> None:
    Corpus.build(TEXT, tmp_path / "corpus", min_count=2, specials=specials)
    corpus = Corpus.open(tmp_path / "corpus")
    vocabulary, mapping = lm_vocabulary(corpus)

    assert vocabulary.words == [*SPECIALS, "a", "b"]
    assert vocabulary.counts.tolist() == [2, 0, 4, 3, 2]
    expected = naive_stream([sentence.split() for sentence in TEXT], vocabulary.words)
    assert training_stream(corpus, mapping).tolist() == expected


def test_no_word_is_kept() -> None:
    with pytest.raises(DataError, match="min_count = 4: no word of the list of sentences occurs so often; try a lower"):
        lm_vocabulary(Corpus.build(TEXT), min_count=4)


@pytest.mark.parametrize(("options", "name"), [({"min_count": 0}, "min_count"), ({"max_vocab": 3}, "max_vocab")])
def test_options_out_of_range(options: dict[str, int], name: str) -> None:
    with pytest.raises(OptionError, match=f"{name} = .* is out of range"):
        lm_vocabulary(Corpus.build(TEXT), **options)


# --- streams


@given(text=sentences, min_count=st.integers(1, 2), eos=st.booleans(), block=st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_streams_are_the_sentences_with_marks(text: list[list[str]], min_count: int, eos: bool, block: int) -> None:
    corpus = Corpus.build([[*sentence] for sentence in [*text, ["z", "z"]]])
    vocabulary, mapping = lm_vocabulary(corpus, min_count)
    expected = naive_stream([*text, ["z", "z"]], vocabulary.words, eos)

    whole = training_stream(corpus, mapping, eos=eos)
    blocks = list(sentence_blocks(corpus, vocabulary, block, eos=eos))

    assert whole.dtype == np.int32
    assert whole.tolist() == expected
    assert np.concatenate(blocks).tolist() == expected
    assert vocabulary.counts[UNK] == expected.count(UNK)
    assert vocabulary.counts[EOS] == len(corpus)
    for part in blocks:
        starts = np.flatnonzero(part == BOS)
        assert starts[0] == 0
        marks = (1 + eos) * len(starts)
        assert len(part) - marks <= block or len(starts) == 1  # a longer sentence stays whole


def test_a_long_run_of_empty_sentences_is_split() -> None:
    corpus = Corpus.build(["a", *[""] * 20])

    blocks = list(sentence_blocks(corpus, toy_vocabulary(), 4))

    assert max(map(len, blocks)) <= 9
    assert np.concatenate(blocks).tolist() == [BOS, 3, EOS, *[BOS, EOS] * 20]


def test_a_text_in_the_ids_of_another_vocabulary() -> None:
    corpus = Corpus.build(["d x a", "<unk> b"])

    assert np.concatenate(list(sentence_blocks(corpus, toy_vocabulary()))).tolist() == [
        *[BOS, 6, UNK, 3, EOS],
        *[BOS, UNK, 4, EOS],
    ]
    assert word_mapping(corpus, toy_vocabulary())[-1] == UNK


def test_blocks_have_a_size() -> None:
    with pytest.raises(OptionError, match="block_tokens = 0 is out of range"):
        sentence_blocks(Corpus.build(TEXT), toy_vocabulary(), 0)


# --- symbols in the text


@pytest.mark.parametrize("symbol", ["<s>", "</s>"])
def test_a_mark_in_the_text_is_an_error_that_names_the_sentence(symbol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_SEARCH_TOKENS", 2)
    corpus = Corpus.build(["a b", "", f"a c {symbol} c", symbol])

    message = f"sentence 3 of the list of sentences holds '{symbol}'.*leave such symbols out with skip_symbols = True"
    with pytest.raises(DataError, match=message):
        lm_vocabulary(corpus)
    with pytest.raises(DataError, match=message):
        sentence_blocks(corpus, toy_vocabulary())


def test_a_mark_in_a_text_names_its_file(tmp_path: Path) -> None:
    text, folder = tmp_path / "text.txt", tmp_path / "corpus"
    text.write_text("a b\n\na <s>\n")
    Corpus.build(text, folder)

    for corpus, name in (Corpus.build(text), text), (Corpus.build(str(text)), text), (Corpus.open(folder), folder):
        with pytest.raises(DataError, match=rf"^sentence 3 of {re.escape(str(name))} holds '<s>'"):
            lm_vocabulary(corpus)


def test_marks_in_the_text_are_skipped() -> None:
    corpus = Corpus.build(["<s> a b </s>", "<s>", "a </s> <s> c", "b"])
    plain = Corpus.build(["a b", "", "a c", "b"])
    vocabulary, mapping = lm_vocabulary(corpus, skip_symbols=True)

    expected = naive_stream([["a", "b"], [], ["a", "c"], ["b"]], vocabulary.words)
    assert training_stream(corpus, mapping).tolist() == expected
    assert np.concatenate(list(sentence_blocks(corpus, vocabulary, 2, skip_symbols=True))).tolist() == expected
    assert vocabulary.words == lm_vocabulary(plain)[0].words
    assert vocabulary.counts.tolist() == lm_vocabulary(plain)[0].counts.tolist()
