"""Files of phrases: what is saved comes back, and what does not fit together is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import windrow
from windrow import Corpus, Phrases
from windrow.errors import FormatError, OptionError
from windrow.files import model_file

TEXT = ["the bird of prey sat", "a bird of prey", "new york city", "new york city"] * 2


def own_score(bigram_count: int, **counts: float) -> float:
    return bigram_count


def split(text: str) -> list[str]:
    return text.split()


@pytest.mark.parametrize("connector_words", [["of", "the"], "english", ()])
def test_what_is_saved_comes_back(connector_words: Any, tmp_path: Path) -> None:
    corpus = Corpus.build(TEXT, tokenizer="word", lowercase=True)
    found = Phrases(min_count=1, threshold=0.5, passes=2, connector_words=connector_words, delimiter="~").fit(corpus)
    found.save(tmp_path / "p")
    again = windrow.load(tmp_path / "p")

    assert windrow.verify(tmp_path / "p")
    assert list(again.phrases_.items()) == list(found.phrases_.items())
    assert "new~york~city" in again.phrases_
    assert again.transform(["THE Bird of prey, sat in New York City"]) == found.transform(
        ["the bird of prey sat in new york city"]
    )
    assert again.get_params() == found.get_params() | {"connector_words": again.connector_words}
    assert list(again.connector_words) == list(connector_words)
    assert again.provenance_["corpus"] == corpus.fingerprint


def test_a_file_without_phrases(tmp_path: Path) -> None:
    with pytest.warns(windrow.errors.DataWarning):
        Phrases().fit(["a b"]).save(tmp_path / "p")
    assert Phrases.load(tmp_path / "p").phrases_ == {}


def test_functions_are_known_by_their_names_only(tmp_path: Path) -> None:
    corpus = Corpus.build(TEXT, tokenizer=split)
    Phrases(min_count=1, threshold=-1.5, scoring=own_score).fit(corpus).save(tmp_path / "p")
    again = Phrases.load(tmp_path / "p")

    assert again.scoring == f"{__name__}:own_score"
    assert again.transform([["new", "york"]]) == [["new_york"]]
    with pytest.raises(OptionError, match="is not imported only because a file names it"):
        again.transform(["new york"])
    with pytest.raises(OptionError, match="own_score' is not one of default, npmi"):
        again.fit(TEXT)
    again.tokenizer = split
    assert again.transform(["new york"]) == [["new_york"]]


def changes() -> dict[str, tuple[Callable[[Any], None], str]]:
    def put(name: str, place: int, value: float) -> Callable[[Any], None]:
        return lambda stored: stored.arrays[name].__setitem__(place, value)

    def other(name: str, array: Any) -> Callable[[Any], None]:
        return lambda stored: stored.arrays.__setitem__(name, array)

    return {
        "part too high": (put("parts", 0, 99), "parts has numbers beside those of its"),
        "part below": (put("parts", 0, -1), "parts has numbers beside those of its"),
        "offset": (put("phrase_offsets", 1, 1), "phrase_offsets is not in order"),
        "wild offset": (put("phrase_offsets", 1, -(2**62)), "phrase_offsets is not in order"),
        "end": (put("pass_offsets", -1, 1), "pass_offsets is not in order, or does not end at"),
        "score": (put("scores", 0, np.nan), "scores must be . finite numbers"),
        "scores": (other("scores", np.zeros(1)), "scores must be . finite numbers"),
        "type": (other("parts", np.zeros(9)), "parts is float64"),
        "shape": (other("pass_offsets", np.zeros((2, 2), np.int64)), "pass_offsets is int64"),
        "missing": (lambda stored: stored.arrays.pop("scores"), "scores is missing"),
        "twice": (lambda stored: stored.arrays["parts"].fill(0), "connector words of a phrase|a phrase twice"),
        "connectors": (
            lambda stored: stored.config["parameters"].update(connector_words=[]), "connector words of a phrase",
        ),
        "scoring": (lambda stored: stored.config["parameters"].update(scoring="x"), "scoring = 'x' is not one of"),
        "tokenizer": (lambda stored: stored.provenance.update(tokenizer="x"), "is damaged: .*tokenizer"),
        "parameter": (lambda stored: stored.config["parameters"].update(x=1), "part of it is not what it should be"),
    }  # fmt: skip


@pytest.mark.parametrize("name", changes())
def test_parts_that_do_not_fit_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "p"
    Phrases(min_count=1, threshold=0.5, connector_words=["of"]).fit(TEXT).save(path)
    stored = model_file.load(path)
    stored.arrays.update({name: np.array(array) for name, array in stored.arrays.items()})
    change, message = changes()[name]
    change(stored)
    model_file.save(path, stored.kind, stored.arrays, stored.config, stored.provenance)

    with pytest.raises(FormatError, match=message):
        windrow.load(path)
