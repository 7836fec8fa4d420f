"""Unknown words and sentence marks as other programs spell them, in ARPA files, counts and texts."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import windrow
from tests.lm.ngram.models import random_model
from windrow import NGramLM
from windrow.errors import DataWarning, FormatError
from windrow.lm.ngram.arpa import read_arpa, write_arpa
from windrow.lm.ngram.counts_text import read_counts

SOUND = """\\data\\
ngram 1=5
ngram 2=4

\\1-grams:
-1.5\t<unk>\t-0.125
0\t<s>\t-0.3
-0.9\t</s>
-0.8\tthe\t-0.4
-0.7\tcat\t-0.25

\\2-grams:
-0.5\t<s> the
-0.4\tthe cat
-0.25\tthe <unk>
-0.3\t<unk> </s>

\\end\\
"""
SENTENCES = ["zebra", "the zebra", "zebra the cat", "the", "", "<UNK> the"]


def spelled(**words: str) -> str:
    """The sound file with other spellings: ``unk``, ``bos``, ``eos``."""
    names = {"<unk>": words.get("unk"), "<s>": words.get("bos"), "</s>": words.get("eos")}
    return re.sub("|".join(names), lambda found: names[found[0]] or found[0], SOUND)


def kenlm_scores(path: Path) -> list[float]:
    kenlm = pytest.importorskip("kenlm", reason="kenlm builds on Linux with Python 3.11 and 3.12")
    model = kenlm.Model(str(path))
    return [model.score(sentence) for sentence in SENTENCES]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"unk": "<UNK>"}, "<UNK> is read as <unk>"),
        ({"unk": "<Unk>"}, "<Unk> is read as <unk>"),
        ({"unk": "!!UNK"}, "!!UNK is read as <unk>"),
        ({"unk": "[UNK]"}, r"\[UNK\] is read as <unk>"),
        (
            {"unk": "!NULL", "bos": "!ENTER", "eos": "!EXIT"},
            "!NULL is read as <unk>; !ENTER is .* <s>; !EXIT is .* </s>",
        ),
        ({"bos": "<S>", "eos": "</S>"}, "<S> is read as <s>; </S> is read as </s>$"),
        ({"bos": "<bos>", "eos": "<eos>"}, "<bos> is read as <s>; <eos> is read as </s>$"),
        ({"bos": "<SOS>", "eos": "<EOS>"}, "<SOS> is read as <s>; <EOS> is read as </s>$"),
        ({"bos": "SENT-START", "eos": "SENT-END"}, "SENT-START is read as <s>; SENT-END is read as </s>$"),
    ],
)
def test_other_spellings_are_read_as_the_symbols(words: dict[str, str], told: str, tmp_path: Path) -> None:
    (tmp_path / "sound.arpa").write_text(SOUND)
    (tmp_path / "other.arpa").write_text(spelled(**words))
    with pytest.warns(DataWarning, match=rf"other\.arpa: {told}"):
        model = windrow.load(tmp_path / "other.arpa")
    expected = NGramLM.load(tmp_path / "sound.arpa")
    assert model.vocabulary.words == expected.vocabulary.words
    assert model.log_probs(SENTENCES).tolist() == expected.log_probs(SENTENCES).tolist()
    assert model.log_probs(SENTENCES) == pytest.approx(kenlm_scores(tmp_path / "sound.arpa"), abs=1e-5)
    if set(words) == {"unk"} and words["unk"] == "<UNK>":
        assert model.log_probs(SENTENCES) == pytest.approx(kenlm_scores(tmp_path / "other.arpa"), abs=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_where_the_word_stands_makes_no_difference(seed: int, tmp_path: Path) -> None:
    """The unknown word in capitals is put among the others; the words keep their numbers otherwise."""
    model, _ = random_model(np.random.default_rng(seed), 4, 19)
    write_arpa(model, tmp_path / "ours.arpa")
    text = (tmp_path / "ours.arpa").read_text("utf-8")
    capitals = text.replace("<unk>", "<UNK>")
    first, *others = capitals.partition("1-grams:\n")[2].partition("\n\n")[0].split("\n")
    moved = capitals.replace("\n".join([first, *others]), "\n".join([*others[:9], first, *others[9:]]))
    assert "<UNK>" in first
    assert moved != capitals
    for changed in (capitals, moved):
        (tmp_path / "changed.arpa").write_text(changed, "utf-8")
        told: list[str] = []
        found = read_arpa(tmp_path / "changed.arpa", told.append)
        assert len(told) == 1
        assert found.vocabulary.words == model.vocabulary.words
        for level, other in zip(found.levels, read_arpa(tmp_path / "ours.arpa").levels, strict=True):
            for array, wanted in zip(level, other, strict=True):
                np.testing.assert_array_equal(array, wanted)


BOTH = SOUND.replace("1=5", "1=6").replace("2=4", "2=6")
LINE = "-2.5\t<UNK>\t-0.375\n"
BIGRAMS = ("-0.3\t<unk> </s>\n", "-0.3\t<unk> </s>\n-1.25\t<UNK> </s>\n-1.125\t<UNK> cat\n")


@pytest.mark.parametrize(
    "text",
    [
        BOTH.replace("-1.5\t<unk>", f"{LINE}-1.5\t<unk>").replace(*BIGRAMS),
        BOTH.replace("\n\n\\2", f"\n{LINE}\n\\2").replace(*BIGRAMS),
        BOTH.replace("\n\n\\2", f"\n{LINE}\n\\2")
        .replace(BIGRAMS[0], BIGRAMS[1].replace("unk", "u").replace("UNK", "unk"))
        .replace("<u>", "<UNK>"),
    ],
    ids=["capitals first", "capitals last", "its bigrams first"],
)
def test_both_spellings_of_the_unknown_word_are_one_as_in_kenlm(text: str, tmp_path: Path) -> None:
    (tmp_path / "both.arpa").write_text(text)
    with pytest.warns(DataWarning, match="<UNK> is read as <unk>$"):
        model = NGramLM.load(tmp_path / "both.arpa")
    assert model.table_.sizes == [5, 5]
    assert model.log_probs(SENTENCES) == pytest.approx(kenlm_scores(tmp_path / "both.arpa"), abs=1e-5)


def test_a_spelling_beside_the_symbol_is_an_ordinary_word_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "m.arpa").write_text(SOUND.replace("cat", "[UNK]"))
    with pytest.warns(DataWarning, match=r"m\.arpa: \[UNK\] is read as an ordinary word$"):
        model = NGramLM.load(tmp_path / "m.arpa")
    assert model.vocabulary.words[3:] == ["the", "[UNK]"]
    assert model.log_prob("the [UNK]") == pytest.approx(-0.5 - 0.4 - 0.25 - 0.9)


def test_a_word_that_may_stand_for_the_unknown_one_is_told_where_that_is_missing(tmp_path: Path) -> None:
    closed = SOUND.replace("-1.5\t<unk>", "-1.5\tOOV").replace("<unk> </s>", "OOV </s>")
    (tmp_path / "m.arpa").write_text(closed)
    with pytest.warns(DataWarning, match=r"m\.arpa: there is no <unk>, and OOV is read as an ordinary word: rename"):
        model = NGramLM.load(tmp_path / "m.arpa")
    assert model.log_prob("zzz") == -np.inf
    (tmp_path / "both.arpa").write_text(SOUND.replace("cat", "OOV"))
    NGramLM.load(tmp_path / "both.arpa")  # a word like others, which is no warning


def test_missing_marks_are_told_in_one_line(tmp_path: Path) -> None:
    without_end = SOUND.replace("-0.9\t</s>\n", "").replace("-0.3\t<unk> </s>\n", "").replace("1=5", "1=4")
    without_both = without_end.replace("0\t<s>\t-0.3\n", "").replace("-0.5\t<s> the\n", "").replace("1=4", "1=3")
    for text, told in (
        (without_end.replace("2=4", "2=3"), "there is no </s>: where sentences end is not predicted$"),
        (
            without_both.replace("2=4", "2=2"),
            "there is no <s>: how sentences begin is not known; there is no </s>: .*$",
        ),
    ):
        (tmp_path / "m.arpa").write_text(text)
        with pytest.warns(DataWarning, match=told) as caught:
            model = NGramLM.load(tmp_path / "m.arpa")
        assert len(caught) == 1
        assert not model.predicts_end
        assert model.next_word_distribution("the")[2] == 0


# --- counts and texts


def test_counts_with_another_spelling(tmp_path: Path) -> None:
    lines = "<s>\t2\n</s>\t2\na\t3\n<UNK>\t1\n<s> a\t2\na <UNK>\t1\n<UNK> </s>\t1\na </s>\t1\n"
    (tmp_path / "counts").write_text(lines)
    (tmp_path / "ours").write_text(lines.replace("<UNK>", "<unk>"))
    with pytest.warns(DataWarning, match="counts: <UNK> is read as <unk>"):
        found = read_counts(tmp_path / "counts")
    expected = read_counts(tmp_path / "ours")
    assert found.vocabulary.words == expected.vocabulary.words == ["<unk>", "<s>", "</s>", "a"]
    for level, other in zip(found.levels, expected.levels, strict=True):
        np.testing.assert_array_equal(level.counts, other.counts)
    (tmp_path / "counts").write_text(f"<unk>\t1\n{lines}")
    with pytest.warns(DataWarning, match="<UNK> is read as an ordinary word beside <unk>"):
        assert "<UNK>" in read_counts(tmp_path / "counts").vocabulary.words


TEXT = ["the <unk> sat", "the cat <unk> off", "a <unk> <unk>", "the cat sat"]


@pytest.mark.parametrize("spelling", ["<UNK>", "<Unk>", "[UNK]", "!!UNK"])
def test_texts_with_another_spelling_train_the_same_model(spelling: str) -> None:
    ours = NGramLM(2, "witten-bell").fit(TEXT)
    for text in (
        [line.replace("<unk>", spelling) for line in TEXT],
        [line.replace("<unk>", spelling, 1) for line in TEXT],
    ):
        with pytest.warns(DataWarning, match=rf"{re.escape(spelling)} is read as <unk>$"):
            model = NGramLM(2, "witten-bell").fit(text)
        assert model.vocabulary.words == ours.vocabulary.words
        assert model.vocabulary.counts.tolist() == ours.vocabulary.counts.tolist()
        assert model.log_probs(TEXT).tolist() == ours.log_probs(TEXT).tolist()
    measured = ours.evaluate([line.replace("<unk>", spelling) for line in TEXT])
    assert measured == ours.evaluate(TEXT)
    assert measured.oov == 4


def test_marks_in_capitals_in_a_text_are_told() -> None:
    with pytest.warns(DataWarning, match="<S> is read as an ordinary word; </S> is read as an ordinary word$"):
        model = NGramLM(2, "witten-bell").fit(["<S> the cat </S>", "<S> the dog </S>"])
    assert "<S>" in model.vocabulary.words
    with pytest.warns(DataWarning, match="<eos> is read as an ordinary word$"):
        NGramLM(2, "witten-bell").fit(["the cat <eos>", "the dog <eos>"])


def test_carriage_returns_alone_are_no_ends_of_lines(tmp_path: Path) -> None:
    (tmp_path / "m.arpa").write_bytes(SOUND.replace("\n", "\r").encode())
    with pytest.raises(FormatError, match=r"carriage returns alone end its lines.*tr '"):
        NGramLM.load(tmp_path / "m.arpa")


def test_sentence_marks_of_counts_in_other_spellings(tmp_path: Path) -> None:
    lines = ["<s>\t0", "</s>\t2", "the\t3", "cat\t2", "<s> the\t2", "the cat\t2", "cat </s>\t2"]
    (tmp_path / "ours").write_text("\n".join(lines) + "\n")
    (tmp_path / "theirs").write_text((tmp_path / "ours").read_text().replace("s>", "S>"))
    ours = NGramLM(2, "witten-bell").fit_counts(tmp_path / "ours")
    with pytest.warns(DataWarning, match="S> is read as <"):
        theirs = NGramLM(2, "witten-bell").fit_counts(tmp_path / "theirs")
    assert "<S>" not in theirs.vocabulary
    for sentence in ("the cat", "cat", ""):
        assert theirs.log_prob(sentence) == ours.log_prob(sentence)
