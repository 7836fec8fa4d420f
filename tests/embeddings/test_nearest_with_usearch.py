"""The example that answers by an index of another library, which the tests do without where it is not installed."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from windrow import WordVectors
from windrow.errors import MissingWordError

EXAMPLE = Path(__file__).parents[2] / "examples" / "nearest_with_usearch.py"


def test_an_index_finds_nearly_all_neighbors_of_the_exact_search() -> None:
    pytest.importorskip("usearch", reason="the example needs usearch: pip install usearch")
    words = [f"w{row}" for row in range(3000)]
    wv = WordVectors(words, np.random.default_rng(5).normal(size=(3000, 20)).astype(np.float32))
    indexed = runpy.run_path(str(EXAMPLE))["IndexedVectors"](wv)
    questions = [(["w1"], []), (["w7", "w9"], ["w11"]), *(([word], []) for word in words[100:150])]
    found = [indexed.most_similar(*question) for question in questions]
    exact = [wv.most_similar(*question) for question in questions]
    shared = sum(len(dict(a).keys() & dict(b).keys()) for a, b in zip(found, exact, strict=True))
    assert shared > 0.9 * 10 * len(questions)
    assert dict(found[0])[exact[0][0][0]] == pytest.approx(exact[0][0][1], abs=1e-4)
    assert not {"w7", "w9", "w11"} & dict(found[1]).keys()
    with pytest.raises(MissingWordError):
        indexed.most_similar(["unheard"])
