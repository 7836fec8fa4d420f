from __future__ import annotations

import gzip
import os
import re
import tracemalloc
from dataclasses import replace
from math import inf
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.lm.ngram.models import SPECIALS, as_levels, random_model, seeds
from tests.naive import arpa as naive
from windrow.corpus import Vocabulary, streams
from windrow.errors import DataError, FormatError, OptionError
from windrow.lm.ngram.arpa import read as arpa_read
from windrow.lm.ngram.arpa import read_arpa, write_arpa
from windrow.lm.ngram.arpa import write as arpa_write
from windrow.lm.ngram.levels import BackoffModel

BOS = 1
# White space to Unicode, but not to KenLM; words that begin alike, or are the start of others; and of many bytes.
STRANGE = ["a\u2003b", "\u00a0", "c\x0bd", "e\x1cf", "\u2028", "\ufeff", "\\data\\", "ngram", "-1.5", "<s", "😀" * 9]
STRANGE += ["abcdefgh", "abcdefghi", "abcdefghj", "abcdefgh" * 2, "x" * 300]


def assert_equal(found: BackoffModel, expected: BackoffModel) -> None:
    assert found.vocabulary.words == expected.vocabulary.words
    assert found.vocabulary.specials == SPECIALS
    assert found.sizes == expected.sizes
    for level, other in zip(found.levels, expected.levels, strict=True):
        for array, wanted in zip(level, other, strict=True):
            np.testing.assert_array_equal(array, wanted, strict=True)


def with_words(model: BackoffModel, words: list[str]) -> BackoffModel:
    words = [*SPECIALS, *words]
    return replace(model, vocabulary=Vocabulary(words, np.zeros(len(words), np.int64), SPECIALS))


def read(text: str, folder: Path) -> BackoffModel:
    path = folder / "model.arpa"
    path.write_bytes(text.encode())
    return read_arpa(path)


def naive_model(text: str) -> BackoffModel:
    words, model = naive.read(text)
    found = as_levels(model, len(words))
    return with_words(found, words[3:])


# --- what is written is what is read


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(1, 5), st.sampled_from([4, 19]), st.booleans(), st.sampled_from([".arpa", ".arpa.gz", ".GZ"]))
@example(1, 1, 4, True, ".lm")
@example(7, 5, 19, True, ".lm")
def test_round_trip(tmp_path_factory, seed, order, words, closed, suffix):
    dice = np.random.default_rng(seed)
    model = random_model(dice, order, words, closed=closed)[0]
    model = with_words(model, dice.permutation(STRANGE)[: words - 3].tolist())
    model.levels[0].log10_probs[BOS] = -inf
    model.levels[0].log10_probs[0] = dice.choice([-inf, -1.25])
    if order > 1:
        model.levels[0].log10_backoffs[2] = -inf
    path = tmp_path_factory.mktemp("round") / f"model{suffix}"

    write_arpa(model, path)

    assert (path.read_bytes()[:2] == b"\x1f\x8b") == suffix.lower().endswith(".gz")
    assert_equal(read_arpa(path), model)


def test_small_pieces_make_no_difference(tmp_path, monkeypatch):
    """Blocks that end anywhere, and a table and columns that have to grow."""
    model = random_model(np.random.default_rng(3), 4, 19)[0]
    model = with_words(model, STRANGE)
    model.levels[0].log10_probs[BOS] = -inf
    write_arpa(model, tmp_path / "whole.arpa")
    for module, name, size in [(arpa_write, "_BLOCK", 2), (arpa_read, "_BLOCK", 3), (arpa_read, "_FIRST_WORDS", 4)]:
        monkeypatch.setattr(module, name, size)
    monkeypatch.setattr(arpa_read, "_FIRST_BYTES", 1)
    monkeypatch.setattr(streams, "CHUNK_BYTES", 7)

    write_arpa(model, tmp_path / "pieces.arpa")

    assert (tmp_path / "pieces.arpa").read_bytes() == (tmp_path / "whole.arpa").read_bytes()
    assert_equal(read_arpa(tmp_path / "pieces.arpa"), model)


SMALL = r"""\data\
ngram 1=4
ngram 2=3

\1-grams:
-99	<unk>	0
0	<s>	-0.25
-1.5	</s>	0
-0.030151367	a	-99

\2-grams:
-0.125	<s> a
-1	a </s>
0	a a

\end\
"""


def test_what_a_file_looks_like(tmp_path):
    model = read(SMALL, tmp_path)
    words = [level.words.tolist() for level in model.levels]
    probs = [level.log10_probs.tolist() for level in model.levels]

    assert model.vocabulary.words == ["<unk>", "<s>", "</s>", "a"]
    assert model.vocabulary.counts.tolist() == [0, 0, 0, 0]
    assert words == [[0, 1, 2, 3], [3, 2, 3]]
    assert [level.starts.tolist() for level in model.levels] == [[0, 4], [0, 0, 1, 1, 3]]
    assert probs == [[-inf, -inf, -1.5, np.float32(-0.030151367)], [-0.125, -1, 0]]
    assert model.levels[0].log10_backoffs.tolist() == [0, -0.25, 0, -inf]
    write_arpa(model, tmp_path / "again.arpa")
    assert (tmp_path / "again.arpa").read_text() == SMALL


def test_a_probability_just_above_one_is_one(tmp_path):
    """Sums of parts are, now and then, by a rounding."""
    model = read(SMALL, tmp_path)
    model.levels[1].log10_probs[:] = 5e-8
    write_arpa(model, tmp_path / "again.arpa")

    assert read_arpa(tmp_path / "again.arpa").levels[1].log10_probs.tolist() == [0, 0, 0]


def test_a_written_probability_just_above_one_is_one(tmp_path):
    """The first version of the writer left such roundings in its files, with exponents of three digits."""
    text = SMALL.replace("-0.125", "1e-6").replace("0\ta a", "21434232e-017\ta a")

    assert read(text, tmp_path).levels[1].log10_probs.tolist() == [0, -1, 0]


def no_stupid_backoff(model):
    model.unseen_backoff = -0.4


def no_probability_above_one(model):
    model.levels[1].log10_probs[1] = 0.5


def no_nan(model):
    model.levels[1].log10_probs[1] = np.nan


def no_infinite_backoff(model):
    model.levels[0].log10_backoffs[1] = inf


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (no_stupid_backoff, "stupid back-off"),
        (no_probability_above_one, "the log10 probability 0.5: it is above 0"),
        (no_nan, "NaN"),
        (no_infinite_backoff, "infinite"),
    ],
)
def test_models_that_the_format_cannot_hold(tmp_path, change, message):
    model = read(SMALL, tmp_path)
    change(model)
    with pytest.raises(OptionError, match=message):
        write_arpa(model, tmp_path / "bad.arpa")
    assert [path.name for path in tmp_path.iterdir()] == ["model.arpa"]


@pytest.mark.parametrize("word", ["", "a b", "a\t", "\n", "a\rb", "a\0", "\ud800"])
def test_words_that_the_format_cannot_hold(tmp_path, word):
    model = with_words(read(SMALL, tmp_path), [word])
    with pytest.raises(FormatError, match="cannot hold the word"):
        write_arpa(model, tmp_path / "bad.arpa")


def test_names_that_promise_what_is_not_written(tmp_path):
    with pytest.raises(OptionError, match=r"compressed as \.gz or not at all, not as \.xz"):
        write_arpa(read(SMALL, tmp_path), tmp_path / "m.arpa.xz")


# --- files of other programs

data = pytest.mark.skipif("WINDROW_DATA" not in os.environ, reason="WINDROW_DATA names no folder with models of lmplz")
NAMES = ["order1", "order2", "order3", "order3-prune-0-0-1", "order5", "order5-prune-0-1-2", "tiny-order3-fallback"]


@data
@pytest.mark.parametrize("name", NAMES)
def test_files_of_lmplz(name):
    path = Path(os.environ["WINDROW_DATA"]) / "arpa" / f"{name}.arpa"

    assert_equal(read_arpa(path), naive_model(path.read_text("utf-8")))


@data
@pytest.mark.parametrize("name", ["order5-prune-0-1-2", "tiny-order3-fallback"])
def test_files_of_lmplz_survive(tmp_path, name):
    model = read_arpa(Path(os.environ["WINDROW_DATA"]) / "arpa" / f"{name}.arpa")
    write_arpa(model, tmp_path / "again.arpa")

    assert_equal(read_arpa(tmp_path / "again.arpa"), model)


SRILM = """made by a program that says so
ngram counts follow

\\data\\
ngram 1=5
ngram 2=3
ngram 3=1

\\1-grams:
-0.5\t</s>
-99\t<s>\t-0.75
-1\tb\t-0.25
-1.25\ta
-99\tc\t-99

\\2-grams:
-0.125\t<s> b\t-1
-0.25\tb b
-inf\ta b

\\3-grams:
-0.0625\t<s> b b

\\end\\
"""


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\t", "  ").replace("b b", "b\tb"),
        lambda text: text.replace("\n-", "\n  -").replace("\n\n", "\n \n\t\n"),
        lambda text: text.replace("\n-1.25", "\n\n-1.25").replace("\n-0.25", "\n\n\n-0.25"),
        lambda text: text.replace("ngram ", "ngram  ").replace("=", " =\t"),
        lambda text: text.replace("-0.25", "-25e-2").replace("-1.25", "-.125E+01").replace("-99", "-1234"),
        lambda text: f"\ufeff{text}\n\n \n",
        lambda text: re.sub(r"\\\S+|ngram(?= \d)", lambda mark: mark[0].upper(), text),  # \DATA\, NGRAM 1, \1-GRAMS:
        lambda text: re.sub(r"\\.*", lambda mark: mark[0].title().replace(":", "").replace("-", " - ") + " \t", text),
        lambda text: text[text.index("\\data") :].removesuffix("\n"),
    ],
)
def test_files_of_srilm(tmp_path, change):
    """Comments, no <unk>, no back-off where it is 0, -99 for nothing, n-grams in an order of its own."""
    model = read(change(SRILM), tmp_path)

    assert model.vocabulary.words == ["<unk>", "<s>", "</s>", "b", "a", "c"]
    first, second, third = model.levels
    assert first.log10_probs.tolist() == [-inf, -inf, -0.5, -1, -1.25, -inf]
    assert first.log10_backoffs.tolist() == [0, -0.75, 0, -0.25, 0, -inf]
    assert second.starts.tolist() == [0, 0, 1, 1, 2, 3, 3]
    assert second.words.tolist() == [3, 3, 3]
    assert second.log10_probs.tolist() == [-0.125, -0.25, -inf]
    assert second.log10_backoffs.tolist() == [-1, 0, 0]
    assert third.starts.tolist() == [0, 1, 1, 1]
    assert third.words.tolist() == [3]
    assert third.log10_probs.tolist() == [-0.0625]
    assert third.log10_backoffs is None


def test_orders_without_ngrams(tmp_path):
    text = SMALL.replace("2=3", "2=0").replace("-0.125\t<s> a\n-1\ta </s>\n0\ta a\n", "")

    assert read(text, tmp_path).sizes == [4, 0]


def test_a_context_that_was_pruned_is_as_likely_as_backing_off_makes_it(tmp_path):
    text = """\\data\\
ngram 1=3
ngram 2=1
ngram 3=1
ngram 4=1

\\1-grams:
-1\ta\t-0.25
-2\tb\t-0.5
-3\tc\t-0.125

\\2-grams:
-0.75\tb c\t-1

\\3-grams:
-0.5\tc c c\t-1.5

\\4-grams:
-0.0625\ta b c a

\\end\\
"""
    model = read(text, tmp_path)
    ab, bc, cc = -0.25 - 2, -0.75, -0.125 - 3

    assert [level.words.tolist() for level in model.levels[1:]] == [[4, 5, 5], [5, 5], [3]]
    assert model.levels[1].log10_probs.tolist() == [ab, bc, cc]
    assert model.levels[1].log10_backoffs.tolist() == [0, -1, 0]
    assert model.levels[2].log10_probs.tolist() == [0 + bc, -0.5]  # of a b c, and of c c c
    assert model.levels[2].log10_backoffs.tolist() == [0, -1.5]
    assert [level.starts.tolist() for level in model.levels[1:]] == [[0, 0, 0, 0, 1, 2, 3], [0, 1, 1, 2], [0, 1, 1]]


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(3, 6), st.sampled_from([5, 19]), st.floats(0.05, 0.95))
def test_contexts_that_were_pruned(tmp_path_factory, seed, order, words, part):
    """Lines are taken out anywhere, and the others are shuffled."""
    dice = np.random.default_rng(seed)
    folder = tmp_path_factory.mktemp("pruned")
    write_arpa(random_model(dice, order, words)[0], folder / "whole.arpa")
    head, *sections = (folder / "whole.arpa").read_text().split("-grams:\n")
    kept = [sections[0].partition("\n\n")[0].split("\n")]
    for section in sections[1:]:
        lines = [line for line in section.split("\n") if line[:1] not in ("", "\\") and dice.random() < part]
        kept.append(dice.permutation(np.array(lines, object)).tolist())
    text = "\\data\\\n" + "".join(f"ngram {k}={len(lines)}\n" for k, lines in enumerate(kept, 1))
    for k, lines in enumerate(kept, 1):
        text += "\n".join([f"\n\\{k}-grams:", *lines, ""])
    text += "\n\\end\\\n"
    expected = naive_model(text)

    model = read(text, folder)

    assert head.startswith("\\data\\")
    assert model.sizes == expected.sizes
    for level, other in zip(model.levels, expected.levels, strict=True):
        np.testing.assert_array_equal(level.starts, other.starts)
        np.testing.assert_array_equal(level.words, other.words)
        np.testing.assert_allclose(level.log10_probs, other.log10_probs, rtol=0, atol=5e-6)


# --- files that are refused


def changed(old: str, new: str):
    assert SMALL.count(old) == 1
    return SMALL.replace(old, new)


BAD = {
    "empty": ("", "no ARPA file: none of its 0 lines"),
    "another kind": ("a\nb\n", r"no ARPA file: none of its 2 lines is \\data\\"),
    "no counts": (changed("ngram 1=4\nngram 2=3\n", ""), "line 3: the number of 1-grams is expected here"),
    "count that is none": (changed("2=3", "2=x"), "line 3: 'ngram K=NUMBER' is expected here, not 'ngram 2=x'"),
    "negative count": (changed("2=3", "2=-3"), "line 3: 'ngram K=NUMBER'"),
    "endless count": (changed("2=3", f"2={'9' * 5000}"), "line 3: 'ngram K=NUMBER'"),
    "foreign digits": (changed("2=3", "2=\u0663"), "line 3: 'ngram K=NUMBER'"),
    "order left out": (changed("ngram 1=4\n", ""), "line 2: the number of 1-grams is expected here, not 'ngram 2=3'"),
    "order twice": (changed("ngram 2=3", "ngram 1=4"), "line 3: the number of 2-grams is expected here"),
    "header only": ("\\data\\\nngram 1=4\n", r"ends after line 2, before \\1-grams:; was it cut short"),
    "wrong first section": (changed("\\1-grams:", "\\2-grams: "), r"line 5: \\1-grams: is expected here"),
    "section missing": (changed("\\2-grams:\n", ""), "line 11: the header says 4 1-grams, here is one more"),
    "section too many": (changed("\\end\\", "\\3-grams:"), r"line 16: \\end\\ is expected here, not '.*3-grams:'"),
    "sections in another order": (changed("\\2-grams:", "\\3-grams:"), r"line 11: \\2-grams: is expected here"),
    "fewer than said": (changed("1=4", "1=5"), "line 11: 4 1-grams end here, but the header says 5"),
    "more than said": (changed("1=4", "1=3"), "line 9: the header says 3 1-grams, here is one more"),
    "none was said": (changed("2=3", "2=0"), "line 12: the header says 0 2-grams, here is one more"),
    "far more was said": (changed("2=3", f"2={10**17}"), "line 16: 3 2-grams end here, but the header says 100,000,"),
    "no number": (changed("-1.5", "x1.5"), "line 8: the 1-gram 'x1.5.*' does not begin with a log10 probability"),
    "NaN": (changed("-1.5", "nan"), "line 8: .* does not begin with a log10 probability"),
    "positive": (changed("-1.5", "1.5"), "line 8: the 1-gram .* has a log10 probability above 0"),
    "just too far above": (changed("-0.125", "1.1e-6"), "line 12: the 2-gram .* above 0"),
    "positive bigram": (changed("-0.125", "1e-3"), "line 12: the 2-gram .* above 0"),
    "infinite": (changed("-0.125", "inf"), "line 12: the 2-gram .* above 0"),
    "number only": (changed("-1.5\t</s>\t0", "-1.5"), "line 8: the 1-gram '-1.5' has fewer words"),
    "word left out": (changed("a </s>", "a"), "line 13: the 2-gram '-1.ta' has fewer words than the order"),
    "word too many": (changed("a </s>", "a a </s>"), "line 13: the 2-gram .* has more after its words"),
    "unknown word": (changed("a </s>", "a b"), "line 13: the 2-gram '-1.ta b' has a word that is not among the 1-gr"),
    "space in a word": (changed("\ta\t-99", "\ta b\t-99"), "line 9: the 1-gram .* has more after its words"),
    "no back-off": (changed("-0.25", "-0,25"), "line 7: the 1-gram .* has more after its words than a log10 back-off"),
    "NaN back-off": (changed("-0.25", "nan"), "line 7: .* has more after its words than a log10 back-off"),
    "endless back-off": (changed("-0.25", "1e999"), "line 7: .* has more after its words than a log10 back-off"),
    "word twice": (changed("</s>\t0", "<s>\t0"), "line 8: this 1-gram is there for the second time"),
    "n-gram twice": (changed("<s> a\n-1\ta </s>", "a a\n-1\ta </s>"), "line 14: this 2-gram is there for the second"),
    "twice after blank lines": (
        changed("a </s>\n0\ta a", "a </s>\n\n \n0\t<s> a"),
        "line 16: this 2-gram is there for the",
    ),
    "no end": (changed("\\end\\\n", ""), r"ends after line 15, before \\end\\; was it cut short"),
    "cut short": (SMALL[: SMALL.index(" </s>\n0\ta a")], r"line 13: the 2-gram '-1.ta' has fewer words"),
    "cut in a header": (SMALL[:9], r"line 2: 'ngram K=NUMBER' is expected here, not 'ng'"),
    "another mark": (changed("\\1-grams:", "\\1-words:"), r"line 5: \\1-grams: is expected here, not '.*1-words:'"),
    "more after the end": (f"{SMALL}\n\\data\\\n", r"line 18: nothing is expected after \\end\\"),
    "not UTF-8": (changed("-1.5\t</s>", "-1.5\t\udce9"), "line 8: there is a byte that is not UTF-8"),
    "half a character at the end": (f"{SMALL}\n\udcc3", "line 18: there is a byte that is not UTF-8"),
    "NUL": (changed("-1.5", "\0"), r"NUL byte at offset 6.: is the file binary or UTF-16\?$"),
    "no lines": ("x" * (1 << 20) + "y" * 5_000_000, "line 1: the line has more than 1,048,576 bytes"),
}


@pytest.mark.parametrize("name", BAD)
def test_malformed_files(tmp_path, name):
    text, message = BAD[name]
    path = tmp_path / "bad.arpa"
    path.write_bytes(text.encode(errors="surrogateescape"))

    with pytest.raises(FormatError, match=message) as caught:
        read_arpa(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_gzip_cut_short(tmp_path):
    path = tmp_path / "cut.arpa.gz"
    path.write_bytes(gzip.compress(SMALL.encode())[:-9])

    with pytest.raises(FormatError, match=r"cut\.arpa\.gz: the data are broken or cut short \([^()]*\)$"):
        read_arpa(path)


def test_no_file(tmp_path):
    with pytest.raises(DataError, match=r"cannot read .*no\.arpa: No such file") as caught:
        read_arpa(tmp_path / "no.arpa")
    assert not isinstance(caught.value, FormatError)


def test_a_header_that_lies_takes_no_memory(tmp_path):
    """The room for what it says would be 160 petabytes."""
    path = tmp_path / "bad.arpa"
    path.write_text(changed("2=3", f"2={10**16}").replace("1=4", f"1={10**16}"))
    with pytest.raises(FormatError):
        read_arpa(path)
    tracemalloc.start()
    with pytest.raises(FormatError, match="4 1-grams end here"):
        read_arpa(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 50_000_000


# --- kenlm's own reader


def test_kenlm_agrees(tmp_path):
    kenlm = pytest.importorskip("kenlm", reason="kenlm builds on Linux with Python 3.11 and 3.12")
    dice = np.random.default_rng(5)
    words = ["漢字", *(f"w{i}" for i in range(13)), "a\u2003b", "c\x0bd"]
    model, expected = random_model(dice, 4, 19)
    write_arpa(with_words(model, words), tmp_path / "model.arpa")
    theirs = kenlm.Model(str(tmp_path / "model.arpa"))
    matched = set()

    assert theirs.order == 4
    assert all(word in theirs for word in words)
    assert "w13" not in theirs
    for ngram in expected.probs:
        ids = [word for word in ngram if 3 <= word < 17] * 2  # the module splits at white space in the last two words
        found = list(theirs.full_scores(" ".join(words[word_id - 3] for word_id in ids)))
        scores, orders = expected.score([BOS, *ids, 2])
        assert [score for score, _, _ in found] == pytest.approx(scores[1:], abs=1e-5)
        assert [order for _, order, _ in found] == orders[1:]
        matched.update(orders[1:])
    assert matched == {1, 2, 3, 4}


@data
def test_kenlm_agrees_on_text_held_out(tmp_path):
    kenlm = pytest.importorskip("kenlm", reason="kenlm builds on Linux with Python 3.11 and 3.12")
    folder = Path(os.environ["WINDROW_DATA"]) / "arpa"
    model = read_arpa(folder / "order5.arpa")
    write_arpa(model, tmp_path / "ours.arpa")
    ours, lmplzs = kenlm.Model(str(tmp_path / "ours.arpa")), kenlm.Model(str(folder / "order5.arpa"))

    for line in (folder / "heldout.txt").read_text("utf-8").split("\n"):
        assert ours.score(line) == lmplzs.score(line)
