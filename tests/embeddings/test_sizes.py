"""Vectors, windows and blocks of every size: loops over whole vectors and tiles have no end that goes wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from windrow import Corpus, Word2Vec
from windrow.embeddings.steps import LOSSES

# The loss of an epoch must not depend on how many pairs it draws.
OPTIONS: dict[str, Any] = {
    "min_count": 2, "epochs": 3, "alpha": 0.05, "workers": 1, "sample": 0, "shrink_windows": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def few(lee_sentences: list[list[str]], tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Six sentences, one shorter than the wide window."""
    sentences = [sentence[:150] for sentence in lee_sentences[:5]]
    return Corpus.build([*sentences, ["the", "of", "the"]], tmp_path_factory.mktemp("few") / "few.corpus")


@pytest.mark.parametrize("vector_size", [1, 50, 100, 200, 300, 1000])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("sg", [0, 1])
def test_every_size_learns_and_repeats_itself(sg: int, loss: str, vector_size: int, few: Corpus) -> None:
    for window, block_size in [(1, 1), (1, 7), (20, 1), (20, 7)]:
        options = OPTIONS | {"vector_size": vector_size, "window": window, "block_size": block_size}
        first, second = (Word2Vec(**options, sg=sg, loss=loss).fit(few) for _ in range(2))
        losses = [row["loss"] for row in first.history_]
        assert losses[-1] < losses[0]
        assert losses == [row["loss"] for row in second.history_]
        assert first.wv.vectors.shape == (len(first.wv), vector_size)
        assert np.isfinite(first.wv.vectors).all()
        np.testing.assert_array_equal(first.wv.vectors, second.wv.vectors)
        for name, table in first.output_tables_.items():
            assert np.isfinite(table).all()
            np.testing.assert_array_equal(table, second.output_tables_[name])
