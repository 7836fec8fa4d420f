"""Models over given words: words that the text does not have, and words that the list does not have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import windrow
from tests.naive import smoothing as naive
from windrow import Corpus, NGramLM
from windrow.cli import main
from windrow.distributed import InProcess
from windrow.errors import DataError, OptionError
from windrow.lm.ngram.settings import DISCOUNTING
from windrow.lm.ngram.smoothing import SMOOTHINGS
from windrow.lm.stream import lm_vocabulary, training_stream
from windrow.lm.symbols import BOS, EOS, SPECIALS, UNK

TEXT = ["the cat sat", "the dog sat down", "a cat ran", "the cat ran off", "a dog", "the dog ran", "", "a mouse"]
WORDS = ["zebra", "dog", "the", "cat", "elephant", "sat", "</s>", "dog", "<unk>", "ran"]  # seen, unseen, twice, symbols
NOT_SEEN = {"zebra", "elephant"}


# --- the vocabulary


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("abcdef"), max_size=5), min_size=1, max_size=9).filter(any),
    st.lists(st.sampled_from(["a", "c", "d", "x", "y", "<unk>", "<s>", "<UNK>"]), max_size=9),
    st.booleans(),
)
def test_the_words_are_those_of_the_list(text: list[list[str]], listed: list[str], with_specials: bool) -> None:
    corpus = Corpus.build(text, specials=["<unk>"] if with_specials else ())
    tokens = [word for sentence in text for word in sentence]
    wanted = [word for word in dict.fromkeys(listed) if not word.startswith("<")]
    if not set(wanted) & set(tokens):
        with pytest.raises(DataError, match="no word of fixed_vocab occurs in the text"):
            lm_vocabulary(corpus, fixed_vocab=listed)
        return

    vocabulary, mapping = lm_vocabulary(corpus, fixed_vocab=listed)

    assert vocabulary.words[: len(SPECIALS)] == list(SPECIALS)
    assert sorted(vocabulary.words[len(SPECIALS) :]) == sorted(wanted)
    counts = [tokens.count(word) for word in vocabulary.words[len(SPECIALS) :]]
    assert vocabulary.counts[len(SPECIALS) :].tolist() == counts == sorted(counts, reverse=True)
    assert vocabulary.counts[: len(SPECIALS)].tolist() == [len(tokens) - sum(counts), 0, len(text)]
    unseen = [word for word in wanted if word not in tokens]
    assert vocabulary.words[len(vocabulary) - len(unseen) :] == unseen  # in the order of the list
    ids = {word: number for number, word in enumerate(vocabulary.words)}
    expected = [id for line in text for id in (BOS, *(ids.get(word, UNK) for word in line), EOS)]
    assert training_stream(corpus, mapping).tolist() == expected


# --- probabilities


def options_of(smoothing: str, order: int) -> dict[str, Any]:
    options: dict[str, Any] = {"discount_fallback": True} if smoothing in DISCOUNTING else {}
    given = {"jelinek-mercer": {"weights": [0.4] * order}, "add-delta": {"delta": 0.5}}
    return options | given.get(smoothing, {})


def definition(model: NGramLM, order: int, smoothing: str) -> naive.Naive:
    """The method over the words of the model, by its definition."""
    ids = {word: number for number, word in enumerate(model.vocabulary.words)}
    sentences = [[ids.get(word, UNK) for word in line.split()] for line in TEXT]
    options = options_of(smoothing, order)
    options["fallback"] = options.pop("discount_fallback", False)
    return naive.METHODS[smoothing](naive.Text(sentences, order, len(ids)), **options)


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_every_smoothing_is_what_defines_it(smoothing: str, order: int) -> None:
    model = NGramLM(order, smoothing, **options_of(smoothing, order)).fit(TEXT, fixed_vocab=iter(WORDS))

    assert sorted(model.vocabulary.words[3:]) == sorted(set(WORDS) - set(SPECIALS))
    truth = definition(model, order, smoothing)
    for context in [], ["the"], ["the", "cat"], ["zebra", "dog"], ["a", "elephant"]:
        found = model.next_word_distribution(context)
        ids = tuple(model.encode(context, bos=True).tolist())[max(len(context) + 2 - order, 0) :]
        expected = [truth.prob(word, ids) for word in range(len(model.vocabulary))]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-9)
        if smoothing != "stupid-backoff":  # whose scores are not meant to
            assert found.sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_what_a_word_has_that_the_text_has_not(smoothing: str) -> None:
    """What the unigrams leave over, by the number of words; nothing where nothing is left over."""
    model = NGramLM(1, smoothing, **options_of(smoothing, 1)).fit(TEXT, fixed_vocab=WORDS)
    found = {word: model.next_word_distribution([])[model.vocabulary.id_of(word)] for word in NOT_SEEN}
    counts = model.vocabulary.counts
    events, words, types = int(counts.sum()), len(counts) - 1, int(np.count_nonzero(counts))
    discounted = {  # of unigrams, whose counts are 8 (</s>), 6 (<unk>), 4 (the), 3 three times, 2 (sat)
        "modified-kneser-ney": 6 * 1.5 + 1.0,
        "kneser-ney": 7 * 0.5,
        "absolute": 7 * 0.5,
        "katz": 7 * 0.5,
    }
    assert sorted(counts[counts > 0].tolist()) == [2, 3, 3, 3, 4, 6, 8]

    expected = {
        **{name: taken / events / words for name, taken in discounted.items()},
        "witten-bell": types / (events + types) / words,
        "jelinek-mercer": 0.6 / words,
        "add-delta": 0.5 / (events + 0.5 * words),
        "mle": 0.0,
        "stupid-backoff": 0.0,
    }[smoothing]
    assert found == pytest.approx(dict.fromkeys(NOT_SEEN, expected), rel=1e-5)


@pytest.mark.parametrize("smoothing", ["modified-kneser-ney", "witten-bell"])
@pytest.mark.parametrize("prune", [(), (0, 1)])
def test_partitions_give_the_same_bits(smoothing: str, prune: tuple[int, ...], tmp_path: Path) -> None:
    model = NGramLM(3, smoothing, prune=prune, **options_of(smoothing, 3))

    model.fit(TEXT, fixed_vocab=WORDS).save(tmp_path / "here.arpa")
    model.fit(TEXT, fixed_vocab=WORDS, ray=InProcess(2, memory=600)).save(tmp_path / "parts.arpa")

    assert (tmp_path / "here.arpa").read_bytes() == (tmp_path / "parts.arpa").read_bytes()
    assert set(windrow.load(tmp_path / "parts.arpa").vocabulary.words) >= NOT_SEEN


def test_counts_of_fixed_words_are_read_back(tmp_path: Path) -> None:
    model = NGramLM(2, "witten-bell").fit(TEXT, fixed_vocab=WORDS, counts_out=tmp_path / "counts")

    again = NGramLM(2, "witten-bell").fit_counts(tmp_path / "counts")

    assert again.vocabulary.words == model.vocabulary.words
    np.testing.assert_array_equal(again.log_probs(["the zebra", "cat"]), model.log_probs(["the zebra", "cat"]))


# --- what cannot be


@pytest.mark.parametrize(
    ("parameters", "arguments", "said"),
    [
        ({}, {"fixed_vocab": "the"}, "fixed_vocab = 'the' must be several words: fixed_vocab=['the', 'cat']"),
        ({}, {"fixed_vocab": 5}, "fixed_vocab = 5 must be several words"),
        ({}, {"fixed_vocab": ["the", 5]}, "fixed_vocab holds 5, which is no word"),
        ({}, {"fixed_vocab": ["the", ""]}, "fixed_vocab holds '', which is no word"),
        ({}, {"fixed_vocab": ["the\n"]}, "no word of fixed_vocab occurs in the text"),
        ({}, {"fixed_vocab": []}, "no word of fixed_vocab occurs in the text"),
        ({}, {"vocab": ["the"]}, "vocab takes words away, and fixed_vocab keeps them all; leave one of them out"),
        ({"min_count": 2}, {}, "min_count = 2 has no effect with fixed_vocab; leave one of them out"),
        ({"max_vocab": 9}, {}, "max_vocab = 9 has no effect with fixed_vocab; leave one of them out"),
        ({"prune": (1,)}, {}, "prune = (1,) takes words away, and fixed_vocab keeps them all; begin with 0"),
    ],
)
def test_what_does_not_go_together(parameters: dict[str, Any], arguments: dict[str, Any], said: str) -> None:
    model = NGramLM(2, "witten-bell", **parameters)
    with pytest.raises((OptionError, DataError), match=f"^{re.escape(said)}"):
        model.fit(TEXT, **{"fixed_vocab": WORDS, **arguments})


# --- the command line


def run(folder: Path, *options: str) -> tuple[int, str]:
    (folder / "text").write_text("\n".join(TEXT) + "\n")
    typed = ["lm", "train", "ngram", str(folder / "text"), "-o", str(folder / "m.arpa"), "--order", "2", *options]
    result = CliRunner().invoke(main, [*typed, "--smoothing", "witten-bell"])
    return result.exit_code, result.stderr


def test_the_command(tmp_path: Path) -> None:
    (tmp_path / "words").write_text("\n".join(WORDS) + "\n\n")

    assert run(tmp_path, "--fixed-vocab", str(tmp_path / "words"))[0] == 0

    expected = NGramLM(2, "witten-bell").fit(TEXT, fixed_vocab=WORDS)
    found = windrow.load(tmp_path / "m.arpa")
    assert found.vocabulary.words == expected.vocabulary.words
    np.testing.assert_allclose(found.log_probs(TEXT), expected.log_probs(TEXT), atol=1e-5)


@pytest.mark.parametrize(
    ("words", "options", "said"),
    [
        ("the 3\n", (), "WORDS, line 1: 'the 3' is not one word; give one word per line"),
        ("the\n\ncat\t2\n", (), r"WORDS, line 3: 'cat\t2' is not one word; give one word per line"),
        ("lion\n", (), "no word of --fixed-vocab occurs in the text; are both cut into words in the same way?"),
        ("", (), "no word of --fixed-vocab occurs in the text; are both cut into words in the same way?"),
        ("the\n", ("--min-count", "2"), "--min-count has no effect with --fixed-vocab; leave one of them out"),
        ("the\n", ("--vocab", "WORDS"), "--vocab has no effect with --fixed-vocab; leave one of them out"),
        ("the\n", ("--from-counts",), "--fixed-vocab has no effect with --from-counts; leave one of them out"),
        ("the\n", ("--prune", "1"), "--prune = (1,) takes words away, and --fixed-vocab keeps them all; begin with 0"),
    ],
)
def test_what_the_command_refuses(words: str, options: tuple[str, ...], said: str, tmp_path: Path) -> None:
    file = tmp_path / "words"
    file.write_text(words)
    given = [option.replace("WORDS", str(file)) for option in options]

    status, stderr = run(tmp_path, "--fixed-vocab", str(file), *given)

    assert (status, stderr) == (1, f"Error: {said.replace('WORDS', str(file))}\n")
    assert not (tmp_path / "m.arpa").exists()
