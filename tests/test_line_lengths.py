"""Lines of any length: those that are read whole have a limit, and below it memory stays near that of the line."""

from __future__ import annotations

import io
import re
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

import windrow
from windrow.cli import main, typed
from windrow.cli.line_answers import Asked, Tally, answers
from windrow.cli.line_sources import chunks
from windrow.corpus import reading, streams, tokenizers
from windrow.corpus.streams import lines
from windrow.errors import DataError
from windrow.lm import cache, mixture, scoring
from windrow.lm.base import LanguageModel
from windrow.lm.cache import CacheLM
from windrow.lm.neural import recurrent_network, window_network
from windrow.tagging import texts
from windrow.tagging.texts import read_texts, write_tagged

TEXT = ["the cat sat on the mat", "a dog ran off", "the dog sat"] * 10
TRAIN = [(["in", "New", "York", "Ann", "met"], ["O", "B-LOC", "I-LOC", "B-PER", "O"])] * 5
LIMIT = 2000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lines")
    windrow.NGramLM(2, "witten-bell").fit(TEXT).save(folder / "lm")
    windrow.WindowTagger(hidden_size=4, vector_size=4, epochs=1, min_count=1).fit(TRAIN).save(folder / "tagger")
    windrow.WordVectors(["a", "b"], np.eye(2, dtype=np.float32)).save(folder / "vectors")
    windrow.TextClassifier(vector_size=2, epochs=1).fit(["the cat", "a dog"], ["x", "y"]).save(folder / "classifier")
    return folder


@pytest.fixture
def short_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LONGEST_LINE", LIMIT)
    monkeypatch.setattr(streams, "CHUNK_BYTES", 500)
    monkeypatch.setattr(typed, "_BYTES_AT_A_TIME", 300)
    monkeypatch.setattr(tokenizers, "BATCH_CHARS", 500)


def run(*arguments: Any, **options: Any) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), **options)


# --- the limit


@given(st.lists(st.text("a\n", min_size=1, max_size=5), max_size=8))
def test_lines_are_those_of_the_text_up_to_the_first_that_is_too_long(pieces: list[str]) -> None:
    text = "".join(pieces) + "\n"
    expected = text.split("\n")[:-1]
    too_long = [number for number, line in enumerate(expected, 1) if len(line) > 5]
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "LONGEST_LINE", 5)
        try:
            found += lines([*pieces, "\n"], "text")
        except DataError as error:
            assert str(error).startswith(f"text, line {too_long[0]}: the line has more than 5 characters; ")
    assert found == expected[: too_long[0] - 1 if too_long else None]


@given(st.lists(st.text("aé\n", min_size=1, max_size=5), max_size=8), st.integers(1, 3))
def test_blocks_hold_the_lines_of_the_text_up_to_the_first_that_is_too_long(pieces: list[str], block: int) -> None:
    text = "".join(pieces) + "\n"
    expected = text.split("\n")[:-1]
    too_long = [number for number, line in enumerate(expected, 1) if len(line) > 5]
    found: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "LONGEST_LINE", 5)
        patch.setattr(streams, "_BLOCK_BYTES", block)
        try:
            for first, lines_of_it in streams.line_blocks([*map(str.encode, pieces), b"\n"], "text"):
                assert first == len(found) + 1
                found += lines_of_it.decode().removesuffix("\n").split("\n")
        except DataError as error:
            assert str(error).startswith(f"text, line {too_long[0]}: the line has more than 5 characters; ")
    assert found == expected[: too_long[0] - 1 if too_long else None]


def test_what_has_no_end_is_not_read_to_its_end() -> None:
    with pytest.raises(DataError, match="line 1: the line has more than 134,217,728 characters; break it at its space"):
        next(lines(repeat("ab " * 1_000_000), "pipe"))


SHORT, LONG = "the cat sat\n", "cat " * 900
LINES = f"{SHORT}{LONG}\n{SHORT}"
ADVICE = r"break it at its spaces, for example with fold -s -w 100000"
DOORS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "lm score": (("lm", "score", "lm", "FILE"), LINES, f"FILE, line 2: the line .*; {ADVICE}"),
    "lm score -": (("lm", "score", "lm"), LINES, f"standard input, line 2: the line .*; {ADVICE}"),
    "lm score jsonl": (
        ("lm", "score", "lm", "FILE", "--format", "jsonl", "--field", "text"),
        f'{{"text": "{LONG}"}}\n',
        f"FILE, line 1: the line .*; {ADVICE}",
    ),
    "tag predict": (("tag", "predict", "tagger", "FILE"), LINES, f"FILE, line 2: the line .*; {ADVICE}"),
    "tag predict -": (
        ("tag", "predict", "tagger", "--format", "text"),
        LINES,
        f"standard input, line 2: the line .*; {ADVICE}",
    ),
    "classify predict": (
        ("classify", "predict", "classifier", "FILE"),
        LINES,
        f"FILE, line 2: the line .*; {ADVICE}",
    ),
    "print": (("vectors", "print", "vectors", "FILE"), f"a\n{LONG}\n", f"FILE, line 2: the line .*; {ADVICE}"),
    "similar": (("vectors", "similar", "vectors"), f"a\n{LONG}\n", f"standard input, line 2: the line .*; {ADVICE}"),
    "jsonl": (
        ("corpus", "build", "FILE", "-o", "out", "--format", "jsonl", "--field", "text"),
        f'{{"text": "a"}}\n{{"text": "{LONG}"}}\n',
        "FILE, line 2: the line .*; does each record have a line of its own, as jq -c writes JSON.",
    ),
    "csv": (
        ("corpus", "build", "FILE", "-o", "out", "--format", "csv", "--field", "text"),
        f"text\na b\n{LONG}\n",
        "FILE, line 3: the line .*; does each record have a line of its own.*",
    ),
    "a quote without a second one": (
        ("corpus", "build", "FILE", "-o", "out", "--format", "csv", "--field", "text"),
        f'text\n"a b\n{SHORT * 300}',
        "FILE, line [0-9]+: the field that ends there .*; does each quote have a second one.",
    ),
    "own tokenizer": (
        ("corpus", "build", "FILE", "-o", "out", "--tokenizer", "shlex:split"),
        LINES,
        f"a line, which a tokenizer of your own gets whole, .*; {ADVICE}",
    ),
    "a word": (
        ("corpus", "build", "FILE", "-o", "out"),
        "a" * 3000,
        "a word .*; is it text. fold -w 100000 breaks it, too",
    ),
}


@pytest.mark.usefixtures("short_limit")
@pytest.mark.parametrize("door", DOORS)
def test_a_line_that_is_too_long_is_refused(door: str, folder: Path, tmp_path: Path) -> None:
    arguments, text, expected = DOORS[door]
    (tmp_path / "FILE").write_text(text)
    places = {"lm", "tagger", "vectors", "classifier"}
    named = [
        arguments[0],
        *(
            folder / one if one in places else tmp_path / one if one in ("FILE", "out") else one
            for one in arguments[1:]
        ),
    ]

    result = run(*named, input=text)

    assert result.exit_code == 1
    told = f"Error: {expected.replace('FILE', re.escape(str(tmp_path / 'FILE')))}\n"
    assert re.fullmatch(told, result.stderr), result.stderr
    assert "2,000 characters" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("short_limit")
def test_text_that_is_trained_on_has_no_limit(tmp_path: Path) -> None:
    (tmp_path / "text").write_text(LINES)
    corpus = windrow.Corpus.build(tmp_path / "text")
    assert (len(corpus), corpus.tokens) == (3, 906)
    model = windrow.NGramLM(2, "witten-bell").fit(corpus)
    assert model.evaluate(tmp_path / "text").tokens == 909


@pytest.mark.usefixtures("short_limit")
def test_standard_input_comes_line_by_line_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"\ufeffé{'ñ' * 700}\n\nshort\nlast"
    monkeypatch.setattr(typed.sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert list(typed.typed_lines("strict")) == text.removeprefix("\ufeff").split("\n")
    monkeypatch.setattr(typed.sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\nb\xc3")))
    with pytest.raises(DataError, match="standard input, line 2: unexpected end of data; it must be UTF-8"):
        list(typed.typed_lines("strict"))


# --- long lines piece by piece, with the results of the whole


def test_batches_hold_few_long_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typed, "_CHARS_AT_A_TIME", 9)
    texts = ["a", "b", "c", "d" * 10, "e", "f" * 9, "g", ""]

    batches = list(typed.batches_of_lines(iter(texts), len, waits=False, most=3))

    assert batches == [["a", "b", "c"], ["d" * 10], ["e", "f" * 9], ["g", ""]]
    assert list(typed.batches_of_lines(iter(texts), len, waits=True)) == [[text] for text in texts]


def models() -> dict[str, Callable[[], LanguageModel]]:
    small: dict[str, Any] = {"embedding_size": 4, "hidden_size": 4, "epochs": 1}
    return {
        "ngram": lambda: windrow.NGramLM(3, "witten-bell").fit(TEXT),
        "ngram of characters": lambda: windrow.NGramLM(3, "witten-bell").fit(
            windrow.Corpus.build(TEXT, tokenizer="char", lowercase=True)
        ),
        "window": lambda: windrow.WindowLM(**small).fit(TEXT),
        "cache": lambda: CacheLM(windrow.NGramLM(1, "witten-bell").fit(TEXT).vocabulary, 20),
        "cache within": lambda: CacheLM(
            windrow.NGramLM(1, "witten-bell").fit(TEXT).vocabulary, 20, across_sentences=False
        ),
        "mixture": lambda: windrow.MixtureLM([models()["ngram"](), models()["cache"](), models()["window"]()]),
        "carry": lambda: windrow.RecurrentLM("gru", **small).fit(TEXT),
        "reset": lambda: windrow.RecurrentLM("lstm", state="reset", **small).fit(TEXT),
    }


@pytest.mark.parametrize("kind", models())
def test_a_long_sentence_is_scored_in_parts_as_in_one(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = models()[kind]()
    sentence = " ".join(np.random.default_rng(1).choice(["The", "cat", "dog", "xyz", "sat"], 300))
    several = ["the cat", sentence, "", "a dog", sentence, sentence]
    one, rows, all_of_them = model.log_prob(sentence), model.word_scores(sentence), model.log_probs(several)
    ids, evaluated = model.encode(sentence, eos=True), model.evaluate([sentence]).log10_prob
    assert len(rows) > 250
    assert {row.oov for row in rows} == {False, True}

    monkeypatch.setattr(reading, "_LONG", 97)
    monkeypatch.setattr(tokenizers, "BATCH_CHARS", 50)
    monkeypatch.setattr(scoring, "_SCORES_AT_ONCE", 7)
    monkeypatch.setattr(scoring, "_SYMBOLS_AT_ONCE", 90)
    for module, symbols in ((recurrent_network, 50), (window_network, 70), (cache, 30), (mixture, 40)):
        monkeypatch.setattr(module, "_SYMBOLS_AT_ONCE", symbols)

    np.testing.assert_array_equal(model.encode(sentence, eos=True), ids)
    assert model.log_prob(sentence) == pytest.approx(one, abs=1e-3)
    np.testing.assert_allclose(model.log_probs(several), all_of_them, atol=1e-3)
    assert model.evaluate([sentence]).log10_prob == pytest.approx(evaluated, abs=1e-3)
    found = model.word_scores(sentence)
    assert [(row.word, row.oov, row.order) for row in found] == [(row.word, row.oov, row.order) for row in rows]
    np.testing.assert_allclose([row.log10_prob for row in found], [row.log10_prob for row in rows], atol=1e-5)


def _peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class _Nowhere(io.StringIO):
    def write(self, text: str) -> int:
        return len(text)


def _exhaust(items: Iterator[object]) -> None:
    for _ in items:
        pass


def _bytes_per_char(work: Callable[[int], object]) -> float:
    """How the peak of memory grows with the length of a line; ``work`` gets that."""
    lengths = 100_000, 200_000
    peaks = [_peak(lambda length=length: work(length)) for length in lengths]
    return (peaks[1] - peaks[0]) / (lengths[1] - lengths[0])


@pytest.mark.parametrize(("form", "most"), [("log10", 4), ("words", 6), ("json", 4), ("lines", 4)])
def test_memory_of_scores_is_a_few_times_the_line(
    form: str, most: int, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A string of its own for each word takes ten bytes per character, a row of its own thirty."""
    monkeypatch.setattr(reading, "_LONG", 1 << 10)
    monkeypatch.setattr(reading, "_PIECE", 1 << 14)
    model = windrow.NGramLM.load(folder / "lm")
    model.log_prob("the cat")

    def score(length: int) -> None:
        (tmp_path / "text").write_text("the cat sat on xyz " * (length // 19))
        files = {"format": None, "field": None, "delimiter": None, "errors": "strict"}
        for chunk in chunks([str(tmp_path / "text")], files):
            _exhaust(answers(model, Asked(form), chunk, Tally()))

    assert _bytes_per_char(score) < most


@pytest.mark.parametrize(("kind", "most"), [(name, 40 if name == "mixture" else 10) for name in models()])
def test_a_long_sentence_takes_little_more_than_its_scores(
    kind: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """8 bytes for each word; of a mixture those of three models, too."""
    for module in (cache, mixture, window_network, recurrent_network):
        monkeypatch.setattr(module, "_SYMBOLS_AT_ONCE", 1 << 11)
    model = models()[kind]()
    streams = {length: model.encode(["the", "cat", "sat", "on", "xyz"] * (length // 5)) for length in (10_000, 20_000)}
    model.score_stream(streams[10_000])

    small, large = (_peak(lambda stream=stream: model.score_stream(stream)) for stream in streams.values())

    assert (large - small) / 10_000 < most


def test_memory_of_a_line_to_tag_is_a_few_times_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_LONG", 1 << 10)
    monkeypatch.setattr(reading, "_PIECE", 1 << 14)
    monkeypatch.setattr(texts, "_LONGEST_ROW", 1 << 10)

    def tag(length: int) -> None:
        (tmp_path / "text").write_text("in New York Ann met zzz " * (length // 24))
        write_tagged(read_texts(tmp_path / "text"), (["O"] * (length // 4) for _ in range(1)), _Nowhere())

    assert _bytes_per_char(tag) < 5


def test_the_vector_of_a_long_line_is_a_mean_of_its_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row for each word took a hundred bytes per character, with 300 dimensions a thousand; its number takes four."""
    monkeypatch.setattr(reading, "_LONG", 1 << 10)
    monkeypatch.setattr(reading, "_PIECE", 1 << 12)
    monkeypatch.setattr(tokenizers, "BATCH_CHARS", 1 << 12)
    vectors = windrow.WordVectors(["a", "b"], np.array([[2, 0], [3, 4]], np.float32))
    model = windrow.SentenceVectors(vectors, weighting="unit").fit()

    def mean(length: int) -> None:
        (found,) = model.transform(["a b xyz a " * (length // 10)])
        np.testing.assert_allclose(found, [2.6 / 3, 0.8 / 3], rtol=1e-6)

    mean(1000)
    assert _bytes_per_char(mean) < 6  # the line itself is 1
