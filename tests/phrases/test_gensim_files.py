"""Files of gensim's Phrases and FrozenPhrases, which join as in gensim; nothing in them is run."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import windrow
from windrow.cli import main
from windrow.compat.gensim.models import phrases as compat
from windrow.errors import FormatError
from windrow.phrases.scoring import original_scorer

theirs = pytest.importorskip("gensim.models.phrases")

TEXT = [["new", "york", "city", "in", "new", "york", "state"], ["bank", "of", "america"], ["new", "york"], ["city"]] * 6
CONNECTORS = frozenset(["of", "in"])
WORDS = ["new", "york", "city", "bank", "of", "america", "in", "state", "new_york", "york_city"]


def own_scorer(
    worda_count: int, wordb_count: int, bigram_count: int, len_vocab: int, min_count: int, corpus_word_count: int
) -> float:
    return float(bigram_count)


def models() -> dict[str, Any]:
    first = theirs.Phrases(TEXT, min_count=2, threshold=0.1, connector_words=CONNECTORS)
    return {
        "default": first,
        "npmi": theirs.Phrases(TEXT, min_count=2, threshold=0.2, scoring="npmi"),
        "second pass": theirs.Phrases(first[TEXT], min_count=2, threshold=0.1, connector_words=CONNECTORS),
        "delimiter": theirs.Phrases(TEXT, min_count=2, threshold=0.1, delimiter="--"),
        "none": theirs.Phrases(TEXT, min_count=2, threshold=1e9),
    }


@pytest.mark.parametrize("kind", models())
@pytest.mark.parametrize("is_frozen", [False, True])
@pytest.mark.parametrize("protocol", [2, 4])
def test_sentences_are_joined_as_in_gensim(kind: str, is_frozen: bool, protocol: int, tmp_path: Path) -> None:
    model = models()[kind].freeze() if is_frozen else models()[kind]
    model.save(str(tmp_path / "phrases"), pickle_protocol=protocol)
    rng = np.random.default_rng(1)
    sentences = [rng.choice(WORDS, 9).tolist() for _ in range(200)]

    found = windrow.load(tmp_path / "phrases", expected=windrow.Phrases)

    assert found.transform(sentences) == [list(model[sentence]) for sentence in sentences]
    ours = (compat.FrozenPhrases if is_frozen else compat.Phrases).load(tmp_path / "phrases")
    for name in ("min_count", "threshold", "delimiter", "connector_words"):
        assert getattr(ours, name) == getattr(model, name)
    if kind in ("default", "npmi", "delimiter") and not is_frozen:
        expected = model.export_phrases()
        assert {name: ours.export_phrases()[name] for name in expected} == pytest.approx(expected)


def test_commands_take_them_and_write_them_as_our_own(tmp_path: Path) -> None:
    models()["default"].save(str(tmp_path / "theirs"))
    (tmp_path / "packed.gz").write_bytes(gzip.compress((tmp_path / "theirs").read_bytes()))
    (tmp_path / "text").write_text("a bank of america in new york\n")
    for name in ("theirs", "packed.gz"):
        command = ["corpus", "phrases", tmp_path / "text", "-o", "-", "--apply", tmp_path / name]
        result = CliRunner().invoke(main, list(map(str, command)))
        assert result.stdout == "a bank_of_america in new_york\n"
    windrow.Phrases.load(tmp_path / "theirs").save(tmp_path / "ours")
    assert windrow.load(tmp_path / "ours").phrases_ == windrow.load(tmp_path / "theirs").phrases_
    told = CliRunner().invoke(main, ["info", str(tmp_path / "theirs")]).stdout
    assert "phrases of gensim" in told


def test_scores_of_a_function_of_ones_own(tmp_path: Path) -> None:
    """The function is not imported; frozen phrases hold its scores."""
    model = theirs.Phrases(TEXT, min_count=2, threshold=2, scoring=own_scorer)
    model.save(str(tmp_path / "counts"))
    model.freeze().save(str(tmp_path / "frozen"))

    with pytest.raises(FormatError, match=r"come from the function .*own_scorer, which is not run\); open it .*freeze"):
        windrow.load(tmp_path / "counts")
    found = windrow.load(tmp_path / "frozen")
    assert found.scoring == f"{__name__}:own_scorer"
    assert found.transform([["new", "york"]]) == [["new_york"]]


def _attributes(**changed: Any) -> dict[str, Any]:
    return {**vars(models()["default"]), **changed}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "bytes of gensim 3": ({"delimiter": b"_"}, "holds no phrases as gensim 4 writes them .the delimiter is no text"),
    "no counts": ({"vocab": None}, "holds no phrases as gensim 4"),
    "counts that are none": ({"vocab": {"a": 1, "b": 1, "a_b": "many"}}, "holds no phrases as gensim 4"),
    "a threshold that is none": ({"threshold": "high"}, "holds no phrases as gensim 4"),
    "a threshold out of range": ({"threshold": -1.0}, "is damaged: threshold = -1.0 is out of range"),
    "no scoring": ({"scoring": 5}, "the scoring is no function"),
    "connector words of numbers": ({"connector_words": frozenset([1])}, "connector words are no text"),
}


@pytest.mark.parametrize("kind", BAD)
def test_damaged_files_are_one_line(kind: str, tmp_path: Path) -> None:
    changed, told = BAD[kind]
    model = theirs.Phrases.__new__(theirs.Phrases)
    vars(model).update(_attributes(**changed))
    (tmp_path / "bad").write_bytes(pickle.dumps(model))

    with pytest.raises(FormatError, match=rf"bad .*{told}") as caught:
        windrow.load(tmp_path / "bad")
    assert "\n" not in str(caught.value)


def test_other_pickles_are_no_phrases(tmp_path: Path) -> None:
    (tmp_path / "function").write_bytes(pickle.dumps({"scorer": original_scorer}))
    with pytest.raises(FormatError, match="is a Python pickle of dict, not of Phrases"):
        windrow.Phrases.load(tmp_path / "function")
    (tmp_path / "cut").write_bytes(pickle.dumps(models()["default"])[:200])
    with pytest.raises(FormatError, match="is a damaged Python pickle"):
        windrow.load(tmp_path / "cut")
